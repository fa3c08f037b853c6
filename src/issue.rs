//! What is wrong and where: with a row ([`Issue`]) or with a file that a person wrote ([`Mistake`]).
//!
//! Bad data is a value that flows on; only the environment's failures are errors.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use schemars::JsonSchema;

/// Whether an issue refuses its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Severity {
    /// The row is refused.
    Error,
    /// The row goes on; the issue is shown.
    Warning,
}

/// One thing that is wrong with one row.
#[derive(Debug, Clone, PartialEq)]
pub struct Issue {
    /// `field.rule`, such as `email.invalid`, `name.required`; or of the row as a whole:
    /// `key.empty`, `key.duplicate`, `row.ragged`, `check`; or of the server: `target.422`.
    pub code: Arc<str>,
    /// Whether the row is refused.
    pub severity: Severity,
    /// Index of the source column, where one can be named.
    pub column: Option<usize>,
    /// The path of the body's field as the mapping file writes it.
    pub field: Option<Arc<str>>,
    /// The cell's text, cut to a few hundred characters.
    pub value: Option<Arc<str>>,
    /// What is wrong and what would be right, as a sentence without the value of other cells.
    pub message: Cow<'static, str>,
}

/// The longest cell text that an issue keeps, in bytes.
pub const VALUE_LIMIT: usize = 400;

/// Cuts a text for an issue at a character boundary.
pub fn cut(text: &str) -> &str {
    match text
        .char_indices()
        .map(|(at, _)| at)
        .find(|&at| at >= VALUE_LIMIT)
    {
        Some(at) => &text[..at],
        None => text,
    }
}

/// The text of a file that a person wrote, for showing mistakes in it.
#[derive(Debug, PartialEq, Eq)]
pub struct TextFile {
    /// The file as the person named it.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// One mistake in a mapping, target or look-up file, or on the command line.
#[derive(Debug, Clone, PartialEq)]
pub struct Mistake {
    /// A short stable name, such as `unknown-key`.
    pub code: &'static str,
    /// A note is told and does not stop the run.
    pub note: bool,
    /// What is wrong.
    pub message: String,
    /// Where, if in a file: the file and the bytes that the mark stands under.
    pub place: Option<(Arc<TextFile>, Range<usize>)>,
    /// What stands at the mark, a few words.
    pub label: String,
    /// What to do.
    pub help: Option<String>,
}

impl Mistake {
    /// A mistake with no place in a file.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            note: false,
            message: message.into(),
            place: None,
            label: String::new(),
            help: None,
        }
    }

    /// Says where it stands, and what the mark says there.
    #[must_use]
    pub fn at(
        mut self,
        file: &Arc<TextFile>,
        span: Range<usize>,
        label: impl Into<String>,
    ) -> Self {
        self.place = Some((Arc::clone(file), span));
        self.label = label.into();
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Makes it a note, which does not stop the run.
    #[must_use]
    pub fn note(mut self) -> Self {
        self.note = true;
        self
    }

    /// Line and column of the mark, both from 1, the column in characters.
    pub fn line_column(&self) -> Option<(usize, usize)> {
        let (file, span) = self.place.as_ref()?;
        let before = file.text.get(..span.start)?;
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Some((line, column))
    }
}

/// The nearest of `known` to a misspelt `name`, if one is near enough to be meant.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let folded = name.to_lowercase();
    known
        .into_iter()
        .map(|candidate| {
            let other = candidate.to_lowercase();
            let likeness = strsim::normalized_damerau_levenshtein(&folded, &other)
                .max(strsim::jaro_winkler(&folded, &other) - 0.22);
            (likeness, candidate)
        })
        .filter(|(likeness, _)| *likeness >= 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_is_offered_and_a_far_one_is_not() {
        assert_eq!(nearest("colunm", ["column", "value"]), Some("column"));
        assert_eq!(nearest("E-mail", ["Email", "Phone"]), Some("Email"));
        assert_eq!(nearest("zzz", ["column", "value"]), None);
    }

    #[test]
    fn a_place_has_line_and_column() {
        let file = Arc::new(TextFile {
            name: "m.toml".into(),
            text: "a = 1\né = 2\n".into(),
        });
        let mistake = Mistake::new("x", "y").at(&file, 9..10, "");
        assert_eq!(mistake.line_column(), Some((2, 3)));
    }

    #[test]
    fn a_cut_falls_between_characters() {
        let long = "é".repeat(VALUE_LIMIT);
        assert!(cut(&long).len() <= VALUE_LIMIT + 1);
        assert_eq!(cut("short"), "short");
    }
}
