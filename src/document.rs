//! TOML files that people write: read so that every mistake is told at once, each at its place.
//!
//! The types that mapping and target files deserialize into are their grammar. Serde stops at the
//! first mistake; so the entry that is wrong is taken out of the tree and reading begins anew.

mod schema;

use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, de};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::schema::schema_values;
pub use self::schema::{OneOrSome, TextOr};
use crate::issue::{Mistake, TextFile, nearest};

/// A TOML file with the spans of its entries.
#[derive(Debug, Clone)]
pub struct Document<'i> {
    /// The file.
    pub file: &'i Arc<TextFile>,
    /// Its entries; take out of it what is read by other means before [`Document::read`].
    pub root: DeTable<'i>,
}

impl<'i> Document<'i> {
    /// Parses a file. Errors of syntax are mistakes; what could be read all the same is there.
    pub fn parse(file: &'i Arc<TextFile>) -> (Self, Vec<Mistake>) {
        let (root, errors) = DeTable::parse_recoverable(&file.text);
        let mistakes = errors
            .into_iter()
            .map(|error| syntax(file, error.message(), error.span().unwrap_or(0..0)))
            .collect::<Vec<_>>();
        // A bracket that is never closed is told for each table that it holds.
        let mistakes = mistakes.into_iter().fold(Vec::new(), |mut told, mistake| {
            if told.last() != Some(&mistake) {
                told.push(mistake);
            }
            told
        });
        (
            Self {
                file,
                root: root.into_inner(),
            },
            mistakes,
        )
    }

    /// Reads the whole document into its type, with all mistakes. `None` where a mistake leaves
    /// nothing to go on with; mistakes are never empty then.
    pub fn read<T: DeserializeOwned>(&self) -> (Option<T>, Vec<Mistake>) {
        let whole = 0..self.file.text.len();
        read_value(
            self.file,
            Spanned::new(whole, DeValue::Table(self.root.clone())),
        )
    }

    /// Where the entry at a path of keys stands: the key's span and the value's. A step that is a
    /// number names a member of an array.
    pub fn spans(&self, path: &[&str]) -> Option<(Range<usize>, Range<usize>)> {
        let (first, rest) = path.split_first()?;
        let (key, value) = self.root.get_key_value(*first)?;
        let mut found = (key.span(), value.span());
        let mut at = value.get_ref();
        for step in rest {
            let next = match at {
                DeValue::Table(table) => {
                    let (key, value) = table.get_key_value(*step)?;
                    found = (key.span(), value.span());
                    value
                }
                DeValue::Array(items) => {
                    let value = items.get(step.parse::<usize>().ok()?)?;
                    found = (value.span(), value.span());
                    value
                }
                _ => return None,
            };
            at = next.get_ref();
        }
        Some(found)
    }
}

/// Reads one value of a file into its type, with all mistakes; see [`Document::read`].
pub fn read_value<T: DeserializeOwned>(
    file: &Arc<TextFile>,
    value: Spanned<DeValue<'_>>,
) -> (Option<T>, Vec<Mistake>) {
    let mut value = value;
    let mut mistakes: Vec<Mistake> = Vec::new();
    // The keys that were taken out, and those that were meant by misspelt ones: that they are
    // missing then is no mistake of its own.
    let mut known: Vec<String> = Vec::new();
    loop {
        let error = match T::deserialize(toml::de::ValueDeserializer::from(value.clone())) {
            Ok(read) => return (Some(read), mistakes),
            Err(error) => error,
        };
        let span = error.span().unwrap_or_else(|| value.span());
        let missing = error
            .message()
            .strip_prefix("missing field `")
            .and_then(|rest| rest.split('`').next());
        // A table whose misspelt key was taken out lacks what that key meant.
        let follows = missing.is_none()
            && file
                .text
                .get(span.clone())
                .is_some_and(|raw| raw.starts_with('{'))
            && mistakes.iter().any(|told| {
                let inner = told.place.as_ref().map(|(_, inner)| inner);
                told.code == "unknown-key"
                    && inner.is_some_and(|inner| span.start < inner.start && inner.end < span.end)
            });
        if !follows && missing.is_none_or(|name| !known.iter().any(|known| known == name)) {
            let mistake = explain(file, error.message(), span.clone());
            if let Some(near) = mistake.help.as_deref().and_then(meant) {
                known.push(near.to_owned());
            }
            mistakes.push(mistake);
        }
        let taken = match value.get_mut() {
            DeValue::Table(table) => take_out(table, &span),
            _ => None,
        };
        let Some(taken) = taken else {
            return (None, mistakes);
        };
        known.push(taken);
        if mistakes.len() > 200 {
            return (None, mistakes);
        }
    }
}

/// The key that a help asks about.
fn meant(help: &str) -> Option<&str> {
    help.strip_prefix("did you mean `")?.strip_suffix("`?")
}

/// Takes the innermost entry at `span` out of a table, or the item of a list that is not its only
/// one; the name of the entry, if there was one.
fn take_out(table: &mut DeTable<'_>, span: &Range<usize>) -> Option<String> {
    let holds = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table.iter_mut() {
        if key.span() == *span {
            continue;
        }
        match value.get_mut() {
            DeValue::Table(table) => {
                if let Some(taken) = take_out(table, span) {
                    return Some(taken);
                }
            }
            DeValue::Array(items) => {
                for at in 0..items.len() {
                    if let Some(item) = items.get_mut(at)
                        && let DeValue::Table(table) = item.get_mut()
                        && let Some(taken) = take_out(table, span)
                    {
                        return Some(taken);
                    }
                }
                if items.len() > 1 && items.iter().any(|item| item.span() == *span) {
                    *items = items
                        .iter()
                        .filter(|item| item.span() != *span)
                        .cloned()
                        .collect();
                    return Some(key.get_ref().to_string());
                }
            }
            _ => {}
        }
    }
    let name = table
        .iter()
        .find(|(key, value)| key.span() == *span || holds(value.span()))
        .map(|(key, _)| key.get_ref().to_string())?;
    table.remove(name.as_str()).map(|_| name)
}

/// Turns a message of TOML's parser into one for people.
fn syntax(file: &Arc<TextFile>, message: &str, span: Range<usize>) -> Mistake {
    let written = file.text.get(span.clone()).unwrap_or_default();
    if message == "duplicate key" {
        return Mistake::new(
            "toml-syntax",
            format!("`{written}` stands twice in this table"),
        )
        .at(file, span, "the second")
        .help("take one of them out, or put its lines together with the first");
    }
    let mistake = Mistake::new("toml-syntax", format!("this is not TOML: {message}")).at(
        file,
        span.clone(),
        "here",
    );
    if written.contains(['“', '”', '„', '‘', '’']) {
        return mistake.help("the quotes here are typographic ones; TOML's are \" and '");
    }
    if message.starts_with("string values must be quoted") {
        return mistake.help(format!("put it in quotes: \"{written}\""));
    }
    mistake
}

/// Turns a message of serde's into one for people.
fn explain(file: &Arc<TextFile>, message: &str, span: Range<usize>) -> Mistake {
    let ticked: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    if let Some(rest) = message.strip_prefix("unknown field ") {
        let name = ticked.first().copied().unwrap_or(rest);
        let mistake = Mistake::new("unknown-key", format!("there is no key `{name}` here")).at(
            file,
            span,
            "not known",
        );
        let known = ticked.get(1..).unwrap_or(&[]);
        return match nearest(name, known.iter().copied()) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake.help(format!("the keys here are: {}", known.join(", "))),
        };
    }
    if message.starts_with("unknown variant ") {
        let name = ticked.first().copied().unwrap_or_default();
        let known = ticked.get(1..).unwrap_or(&[]);
        let mistake = Mistake::new(
            "unknown-value",
            format!("`{name}` is not one of the values here"),
        )
        .at(file, span, "not known");
        return match nearest(name, known.iter().copied()) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake.help(format!("one of: {}", known.join(", "))),
        };
    }
    if message.starts_with("missing field ") {
        let name = ticked.first().copied().unwrap_or_default();
        return Mistake::new("missing-key", format!("the key `{name}` is missing")).at(
            file,
            span,
            format!("needs `{name}`"),
        );
    }
    if let Some(rest) = message.strip_prefix("invalid type: ")
        && let Some((found, wanted)) = rest.split_once(", expected ")
    {
        let (found, wanted) = (plain(found), plain(wanted));
        let label = format!("not {wanted}");
        if found == "a whole number" && wanted.starts_with("a whole number") {
            let written = file.text.get(span.clone()).unwrap_or_default();
            let why = match written.trim_start().starts_with('-') {
                true => "too small",
                false => "too large",
            };
            return Mistake::new("wrong-type", format!("this number is {why}"))
                .at(file, span, label);
        }
        let written = file.text.get(span.clone()).unwrap_or_default();
        let help = match (found, wanted) {
            ("a text" | "a whole number" | "a number", "a list") => {
                Some(format!("put it in square brackets: [{written}]"))
            }
            ("a whole number" | "a number", "a text") if !written.contains('\n') => {
                Some(format!("put it in quotes: \"{written}\""))
            }
            _ => None,
        };
        let mistake = Mistake::new(
            "wrong-type",
            format!("{found} stands where {wanted} belongs"),
        )
        .at(file, span, label);
        return match help {
            Some(help) => mistake.help(help),
            None => mistake,
        };
    }
    if let Some(rest) = message.strip_prefix("invalid value: ")
        && let Some((_, wanted)) = rest.split_once(", expected ")
    {
        let wanted = plain(wanted);
        let label = format!("not {wanted}");
        return Mistake::new("wrong-type", format!("this is not {wanted}")).at(file, span, label);
    }
    let serdes = [
        "invalid ",
        "duplicate ",
        "data did ",
        "wanted ",
        "expected ",
    ];
    let message = if serdes.iter().any(|start| message.starts_with(start)) {
        format!("this cannot be read: {message}")
    } else {
        message.to_owned()
    };
    Mistake::new("wrong-type", message).at(file, span, "here")
}

/// A TOML value as JSON; dates become their text, numbers that JSON lacks (`inf`, `nan`) null.
pub fn to_json(value: &toml::Value) -> serde_json::Value {
    match value {
        toml::Value::String(text) => text.clone().into(),
        toml::Value::Integer(number) => (*number).into(),
        toml::Value::Float(number) => (*number).into(),
        toml::Value::Boolean(yes) => (*yes).into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(items) => items.iter().map(to_json).collect(),
        toml::Value::Table(table) => table
            .iter()
            .map(|(key, value)| (key.clone(), to_json(value)))
            .collect(),
    }
}

/// A kind of value in serde's words, in those of people.
fn plain(kind: &str) -> &str {
    match kind.split([' ', '`']).next().unwrap_or(kind) {
        "string" => return "a text",
        "integer" => return "a whole number",
        "boolean" => return "true or false",
        "floating" => return "a number",
        "sequence" => return "a list",
        "map" => return "a table",
        _ => {}
    }
    match kind {
        "a string" => "a text",
        "a sequence" => "a list",
        "a boolean" => "true or false",
        "a map" => "a table",
        "usize" | "u64" | "u32" | "u16" => "a whole number from 0",
        "i64" => "a whole number",
        "f64" => "a number",
        "any valid TOML value" => "a value",
        kind if kind.starts_with("struct ") => "a table",
        kind if kind.starts_with("enum ") => "one of the words known here",
        kind => kind,
    }
}

/// One value, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OneOrMany<T> {
    /// The values in order.
    pub values: Vec<T>,
    /// Whether they were written as a list.
    pub list: bool,
}

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            list: true,
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
            type Value = OneOrMany<T>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a text or a list")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
                // TOML's own deserializer knows `Spanned`; the span is the caller's to fill in.
                let text = Spanned::new(0..0, DeValue::String(text.to_owned().into()));
                let one = T::deserialize(toml::de::ValueDeserializer::from(text))
                    .map_err(|error| E::custom(error.message()))?;
                Ok(OneOrMany {
                    values: vec![one],
                    list: false,
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
                let mut values = Vec::new();
                while let Some(item) = items.next_element()? {
                    values.push(item);
                }
                Ok(OneOrMany { values, list: true })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
                let one = T::deserialize(value::MapAccessDeserializer::new(map))?;
                Ok(OneOrMany {
                    values: vec![one],
                    list: false,
                })
            }
        }
        deserializer.deserialize_any(V(PhantomData))
    }
}

/// Gives a value that was not written as a list the span of the whole.
pub fn fill_span<T>(one: &mut Spanned<OneOrMany<Spanned<T>>>) {
    let span = one.span();
    let inner = one.get_mut();
    if !inner.list {
        let values = std::mem::take(&mut inner.values);
        let spanned = |value: Spanned<T>| Spanned::new(span.clone(), value.into_inner());
        inner.values = values.into_iter().map(spanned).collect();
    }
}

/// Deserializes `[x]` and `[[x]]` alike.
///
/// # Errors
/// Those of the entries.
pub fn sections<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    OneOrMany::deserialize(deserializer).map(|read| read.values)
}

/// Deserializes a table into its members in the order of the file.
///
/// # Errors
/// Those of the entries.
pub fn ordered<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Vec<(String, T)>, D::Error> {
    struct V<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for V<T> {
        type Value = Vec<(String, T)>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("a table")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(member) = map.next_entry()? {
                members.push(member);
            }
            Ok(members)
        }
    }
    deserializer.deserialize_map(V(PhantomData))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Small {
        name: Option<Spanned<String>>,
        size: Option<usize>,
        part: Part,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields, default)]
    struct Part {
        rate: Option<OneOrMany<String>>,
        #[serde(deserialize_with = "ordered")]
        query: Vec<(String, String)>,
    }

    fn file(text: &str) -> Arc<TextFile> {
        Arc::new(TextFile {
            name: "t.toml".into(),
            text: text.into(),
        })
    }

    /// Each mistake's code and its place.
    fn told(mistakes: &[Mistake]) -> Vec<(&'static str, (usize, usize))> {
        mistakes
            .iter()
            .map(|told| (told.code, told.line_column().unwrap()))
            .collect()
    }

    #[test]
    fn every_mistake_is_told_at_once() {
        let file = file(
            "nme = \"x\"\nsize = \"big\"\n[part]\nrte = 1\nquery = { b = \"1\", a = \"2\" }\n",
        );
        let (document, mistakes) = Document::parse(&file);
        assert!(mistakes.is_empty());
        let (read, mistakes) = document.read::<Small>();
        assert_eq!(
            told(&mistakes),
            [
                ("unknown-key", (1, 1)),
                ("wrong-type", (2, 8)),
                ("unknown-key", (4, 1))
            ],
            "{mistakes:#?}"
        );
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `name`?"));
        assert_eq!(
            read.unwrap().part.query,
            [("b".into(), "1".into()), ("a".into(), "2".into())]
        );
    }

    #[test]
    fn a_place_in_the_file_is_found_by_its_path() {
        let file = file("[part]\nrate = [\"20/s\", \"x\"]\n");
        let (document, _) = Document::parse(&file);
        let (_, value) = document.spans(&["part", "rate", "1"]).unwrap();
        assert_eq!(&file.text[value], "\"x\"");
        let (read, mistakes) = document.read::<Small>();
        assert!(mistakes.is_empty(), "{mistakes:?}");
        assert!(read.unwrap().part.rate.unwrap().list);
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Large {
        name: String,
        part: Vec<Needy>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Needy {
        size: usize,
        words: Vec<Word>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Word {
        Left,
        Right,
    }

    #[test]
    fn what_is_missing_does_not_hide_other_mistakes() {
        let file = file(
            "name = \"x\"\n[[part]]\nwords = []\n[[part]]\nsize = 1\nwords = [\"lft\", \"left\", \"rigt\"]\n\
             [[part]]\nsiz = 2\nwords = [\"right\"]\n[[part]]\nsize = \"x\"\nwords = []\n",
        );
        let (document, mistakes) = Document::parse(&file);
        assert!(mistakes.is_empty());
        let (read, mistakes) = document.read::<Large>();
        assert_eq!(
            told(&mistakes),
            [
                ("missing-key", (2, 1)),
                ("unknown-value", (6, 10)),
                ("unknown-value", (6, 25)),
                ("unknown-key", (8, 1)),
                ("wrong-type", (11, 8))
            ],
            "{mistakes:#?}"
        );
        let read = read.unwrap();
        assert_eq!((read.name.as_str(), read.part.len()), ("x", 1));
        assert_eq!((read.part[0].size, read.part[0].words.len()), (1, 1));
        assert!(matches!(read.part[0].words[0], Word::Left));
    }

    #[test]
    fn broken_syntax_is_a_mistake_with_a_place() {
        let file = file("name = \"x\nsize = 2\n");
        let (_, mistakes) = Document::parse(&file);
        assert_eq!(mistakes[0].line_column().map(|at| at.0), Some(1));
    }
}
