//! Bodies of look-ups: JSON whose texts are templates.

use serde_json::{Map, Value};

use super::call::{Facts, Impossible, Text};

/// A value of which some texts are filled in for each row.
#[derive(Debug)]
pub(super) enum Fill {
    Fixed(Value),
    Text(Text),
    Array(Vec<Fill>),
    Object(Vec<(String, Fill)>),
}

impl Fill {
    /// Compiles a value; `text` compiles its templates.
    pub(super) fn compile(value: &toml::Value, text: &mut dyn FnMut(&str) -> Text) -> Self {
        match value {
            toml::Value::String(source) if source.contains("{{") || source.contains("{%") => {
                Self::Text(text(source))
            }
            toml::Value::Array(items) => Self::Array(
                items
                    .iter()
                    .map(|item| Self::compile(item, &mut *text))
                    .collect(),
            ),
            toml::Value::Table(table) => Self::Object(
                table
                    .iter()
                    .map(|(key, value)| (key.clone(), Self::compile(value, &mut *text)))
                    .collect(),
            ),
            fixed => Self::Fixed(crate::document::to_json(fixed)),
        }
    }

    /// Its templates.
    pub(super) fn texts<'f>(&'f self, all: &mut Vec<&'f Text>) {
        match self {
            Self::Fixed(_) => {}
            Self::Text(text) => all.push(text),
            Self::Array(items) => items.iter().for_each(|item| item.texts(all)),
            Self::Object(members) => members.iter().for_each(|(_, value)| value.texts(all)),
        }
    }

    /// Fills it in for a row.
    ///
    /// # Errors
    /// Where a template names a field that the row leaves empty.
    pub(super) fn value(&self, facts: &Facts<'_>) -> Result<Value, Impossible> {
        Ok(match self {
            Self::Fixed(value) => value.clone(),
            Self::Text(text) => Value::String(text.plain(facts)?),
            Self::Array(items) => items
                .iter()
                .map(|item| item.value(facts))
                .collect::<Result<_, _>>()?,
            Self::Object(members) => Value::Object(
                members
                    .iter()
                    .map(|(key, value)| Ok((key.clone(), value.value(facts)?)))
                    .collect::<Result<Map<_, _>, _>>()?,
            ),
        })
    }
}
