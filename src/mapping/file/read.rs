//! Values that are a text or something else, read by hand-written visitors.

use std::fmt;

use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor, value};
use serde::{Deserialize, de};
use toml::Spanned;

use super::{CleanStep, KeySpec, LookupSpec, Pick, SheetName, Sheets};
use crate::document::{OneOrMany, fill_span};

impl<'de> Deserialize<'de> for SheetName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = SheetName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sheet's name or its number from 1")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<SheetName, E> {
                Ok(SheetName::Name(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<SheetName, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(SheetName::Number(number)),
                    _ => Err(E::custom("sheets are numbered from 1")),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Sheets {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = Sheets;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sheet's name, its number from 1, a list of them, or \"*\"")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Sheets, E> {
                Ok(match text {
                    "*" => Sheets::All,
                    name => Sheets::These(vec![SheetName::Name(name.to_owned())]),
                })
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Sheets, E> {
                SheetName::deserialize(value::I64Deserializer::new(number))
                    .map(|name| Sheets::These(vec![name]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Sheets, A::Error> {
                let mut names = Vec::new();
                while let Some(name) = items.next_element()? {
                    names.push(name);
                }
                Ok(Sheets::These(names))
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for KeySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            column: Spanned<OneOrMany<Spanned<String>>>,
            #[serde(default)]
            clean: Vec<Spanned<CleanStep>>,
        }
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = KeySpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column, a list of columns, or a table with `column`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<KeySpec, E> {
                let column = Spanned::new(0..0, text.to_owned());
                Ok(KeySpec {
                    columns: vec![column],
                    clean: Vec::new(),
                })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<KeySpec, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = items.next_element()? {
                    columns.push(column);
                }
                if columns.is_empty() {
                    return Err(A::Error::custom("a key needs at least one column"));
                }
                Ok(KeySpec {
                    columns,
                    clean: Vec::new(),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<KeySpec, A::Error> {
                let mut table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                fill_span(&mut table.column);
                Ok(KeySpec {
                    columns: table.column.into_inner().values,
                    clean: table.clean,
                })
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for Pick {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct V;
        impl Visitor<'_> for V {
            type Value = Pick;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"first\", \"last\", or a number from 1")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Pick, E> {
                match text {
                    "first" => Ok(Pick::First),
                    "last" => Ok(Pick::Last),
                    other => Err(E::unknown_variant(other, &["first", "last"])),
                }
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Pick, E> {
                match usize::try_from(number) {
                    Ok(number) if number > 0 => Ok(Pick::Number(number)),
                    _ => Err(E::custom("parts are numbered from 1")),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

/// The words and keys that `clean` knows.
const CLEAN_WORDS: &[&str] = &[
    "squash",
    "lower",
    "upper",
    "titlecase",
    "digits",
    "ascii",
    "strip_html",
    "given_name",
    "family_name",
    "replace",
    "extract",
    "pad",
    "truncate",
];

impl<'de> Deserialize<'de> for CleanStep {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            replace: Option<String>,
            with: Option<String>,
            extract: Option<String>,
            pad: Option<usize>,
            truncate: Option<usize>,
        }
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = CleanStep;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a clean step, such as \"lower\" or { replace = \"…\", with = \"…\" }")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<CleanStep, E> {
                Ok(match text {
                    "squash" => CleanStep::Squash,
                    "lower" => CleanStep::Lower,
                    "upper" => CleanStep::Upper,
                    "titlecase" => CleanStep::Titlecase,
                    "digits" => CleanStep::Digits,
                    "ascii" => CleanStep::Ascii,
                    "strip_html" => CleanStep::StripHtml,
                    "given_name" => CleanStep::GivenName,
                    "family_name" => CleanStep::FamilyName,
                    other => return Err(E::unknown_variant(other, CLEAN_WORDS)),
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CleanStep, A::Error> {
                let table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                match table {
                    Table {
                        replace: Some(replace),
                        with,
                        extract: None,
                        pad: None,
                        truncate: None,
                    } => Ok(CleanStep::Replace {
                        replace,
                        with: with.unwrap_or_default(),
                    }),
                    Table {
                        extract: Some(extract),
                        replace: None,
                        with: None,
                        pad: None,
                        truncate: None,
                    } => Ok(CleanStep::Extract(extract)),
                    Table {
                        pad: Some(pad),
                        replace: None,
                        with: None,
                        extract: None,
                        truncate: None,
                    } => Ok(CleanStep::Pad(pad)),
                    Table {
                        truncate: Some(truncate),
                        replace: None,
                        with: None,
                        extract: None,
                        pad: None,
                    } => Ok(CleanStep::Truncate(truncate)),
                    _ => Err(de::Error::custom(
                        "a clean step has one of `replace` (with `with`), `extract`, `pad`, `truncate`",
                    )),
                }
            }
        }
        deserializer.deserialize_any(V)
    }
}

impl<'de> Deserialize<'de> for LookupSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            file: String,
            key: Option<String>,
            value: Option<String>,
        }
        struct V;
        impl<'de> Visitor<'de> for V {
            type Value = LookupSpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a CSV file, or a table with `file`, `key` and `value`")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<LookupSpec, E> {
                Ok(LookupSpec {
                    file: text.to_owned(),
                    key: None,
                    value: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LookupSpec, A::Error> {
                let table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                Ok(LookupSpec {
                    file: table.file,
                    key: table.key,
                    value: table.value,
                })
            }
        }
        deserializer.deserialize_any(V)
    }
}
