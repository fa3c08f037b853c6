//! Templates read backwards: which addresses and queries they can have given, and with what values.
//!
//! No template language is needed for it: text stands for itself, `{{ … }}` for any text.

use percent_encoding::percent_decode_str;
use regex::Regex;

/// What stands between `{{` and `}}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole {
    /// The path before the first filter, such as `email` or `address.city`.
    pub(super) name: String,
    /// A filter changes the case, so that the value is to be compared without it.
    pub(super) folds: bool,
    /// All of it, without spaces.
    pub(super) whole: String,
}

/// A template of an address or a query parameter.
#[derive(Debug, Clone)]
pub(super) struct Pattern {
    regex: Regex,
    /// Its holes, in order.
    pub(super) holes: Vec<Hole>,
    encoded: bool,
}

impl Pattern {
    /// A path: holes end at slashes; values are percent-decoded.
    pub(super) fn path(template: &str) -> Result<Self, String> {
        Self::compile(template, "([^/]+)", true)
    }

    /// A query parameter's decoded value.
    pub(super) fn text(template: &str) -> Result<Self, String> {
        Self::compile(template, "((?s:.+))", false)
    }

    fn compile(template: &str, hole: &str, encoded: bool) -> Result<Self, String> {
        let mut regex = String::from("^");
        let mut holes = Vec::new();
        let mut rest = template;
        while let Some(start) = rest.find("{{") {
            let (text, tail) = rest.split_at(start);
            let end = tail
                .find("}}")
                .ok_or_else(|| format!("the template `{template}` has a `{{{{` without `}}}}`"))?;
            regex.push_str(&regex::escape(text));
            regex.push_str(hole);
            holes.push(Hole::parse(&tail[2..end]));
            rest = &tail[end + 2..];
        }
        regex.push_str(&regex::escape(rest));
        regex.push('$');
        let regex = Regex::new(&regex)
            .map_err(|_| format!("the template `{template}` is too long to be matched"))?;
        Ok(Self {
            regex,
            holes,
            encoded,
        })
    }

    /// Whether it is a fixed text.
    pub(super) fn is_fixed(&self) -> bool {
        self.holes.is_empty()
    }

    /// The template as a pattern: equal for templates that give the same texts.
    pub(super) fn source(&self) -> &str {
        self.regex.as_str()
    }

    /// The values of the holes with which it gives this text; `None`: it cannot.
    pub(super) fn read(&self, text: &str) -> Option<Vec<String>> {
        let found = self.regex.captures(text)?;
        Some(
            found
                .iter()
                .skip(1)
                .flatten()
                .map(|part| {
                    if self.encoded {
                        percent_decode_str(part.as_str())
                            .decode_utf8_lossy()
                            .into_owned()
                    } else {
                        part.as_str().to_owned()
                    }
                })
                .collect(),
        )
    }
}

impl Hole {
    fn parse(inner: &str) -> Self {
        let inner = inner.trim_matches('-').trim();
        let mut filters = inner.split('|').map(str::trim);
        let name = filters.next().unwrap_or_default().to_owned();
        let folds = filters.any(|f| f == "lower" || f == "upper");
        Self {
            name,
            folds,
            whole: inner.split_whitespace().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn templates_are_read_backwards() {
        let pattern = Pattern::path("/v1/customers/{{ address }}/notes/{{ key | slug }}").unwrap();
        assert_eq!(
            pattern
                .holes
                .iter()
                .map(|h| h.name.as_str())
                .collect::<Vec<_>>(),
            ["address", "key"]
        );
        assert_eq!(pattern.holes[1].whole, "key|slug");
        assert_eq!(
            pattern.read("/v1/customers/a%2Fb/notes/c"),
            Some(vec!["a/b".into(), "c".into()])
        );
        assert_eq!(pattern.read("/v1/customers/a/b/notes/c"), None);
        let pattern = Pattern::text("email:in:{{ email|lower }}").unwrap();
        assert!(pattern.holes[0].folds);
        assert_eq!(pattern.read("email:in:a@b.c"), Some(vec!["a@b.c".into()]));
        assert_eq!(pattern.read("email:in:"), None);
        assert!(
            Pattern::path("/api/customers/")
                .unwrap()
                .read("/api/customers")
                .is_none()
        );
        assert!(Pattern::text("{{ email").is_err());
    }

    proptest! {
        #[test]
        fn what_a_template_gives_is_read_back(before in "[a-z:.(]{0,5}", value in "\\PC{1,8}") {
            let pattern = Pattern::text(&format!("{before}{{{{ x }}}}")).unwrap();
            prop_assert_eq!(pattern.read(&format!("{before}{value}")), Some(vec![value]));
        }
    }
}
