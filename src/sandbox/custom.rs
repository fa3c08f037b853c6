//! How custom fields stand in a record, in their three shapes.

use serde_json::Value;

use super::schema::{Refusal, name_of};
use crate::path::{Path, Step};
use crate::target::file::{CustomSection, CustomShape};

/// How custom fields stand in a record.
#[derive(Debug)]
pub(super) struct Custom {
    /// Where.
    pub(super) at: Path,
    name: String,
    /// How.
    pub(super) shape: CustomShape,
    prefix: String,
    /// pairs: the member that names the field.
    pub(super) key: String,
    value: String,
    integer_key: bool,
    text_value: bool,
}

impl Custom {
    pub(super) fn new(section: &CustomSection) -> Result<Self, String> {
        let at = Path::parse(&section.at)?;
        Ok(Self {
            name: name_of(&at),
            at,
            shape: section.shape,
            prefix: section.prefix.clone(),
            key: section.key.clone().unwrap_or_else(|| "key".into()),
            value: section.value.clone().unwrap_or_else(|| "value".into()),
            integer_key: section.key_type.as_deref() == Some("integer"),
            text_value: section.value_type.as_deref() == Some("text"),
        })
    }

    pub(super) fn stands_at(&self, name: &str, path: &Path) -> bool {
        match self.shape {
            CustomShape::Prefix => {
                let (last, way) = match path.0.split_last() {
                    Some((Step::Key(last), way)) => (last, way),
                    _ => return false,
                };
                way == self.at.0.as_slice()
                    && !self.prefix.is_empty()
                    && last.len() > self.prefix.len()
                    && last.starts_with(&self.prefix)
            }
            CustomShape::Object | CustomShape::Pairs => !self.at.is_empty() && name == self.name,
        }
    }

    pub(super) fn check(&self, value: &Value, at: &Path, form: bool) -> Vec<Refusal> {
        let mut wrong = Vec::new();
        let mut refuse = |more: Vec<Step>, message: &str| {
            let mut field = at.clone();
            field.0.extend(more);
            wrong.push(Refusal {
                field,
                message: message.to_owned(),
            });
        };
        let text = |value: &Value| !self.text_value || value.is_null() || value.is_string();
        match self.shape {
            CustomShape::Prefix => {
                if !text(value) {
                    refuse(Vec::new(), "this must be a text");
                }
            }
            CustomShape::Object => match value {
                Value::Object(members) => {
                    for (key, value) in members {
                        if !text(value) {
                            refuse(vec![Step::Key(key.clone())], "this must be a text");
                        }
                    }
                }
                Value::Null => {}
                _ => refuse(Vec::new(), "this must be an object"),
            },
            CustomShape::Pairs => match value {
                Value::Array(items) => {
                    for (index, item) in items.iter().enumerate() {
                        if let Err((member, message)) = self.check_pair(item, form) {
                            let mut more = vec![Step::Index(index)];
                            more.extend(member.map(|m| Step::Key(m.to_owned())));
                            refuse(more, message);
                        }
                    }
                }
                Value::Null => {}
                _ => refuse(Vec::new(), "this must be an array"),
            },
        }
        wrong
    }

    fn check_pair(&self, item: &Value, form: bool) -> Result<(), (Option<&str>, &'static str)> {
        let Value::Object(members) = item else {
            return Err((None, "this must be an object"));
        };
        if members
            .keys()
            .any(|key| *key != self.key && *key != self.value)
        {
            return Err((None, "this has a member that is not known"));
        }
        let key = members.get(&self.key).unwrap_or(&Value::Null);
        let key_fits = match key {
            Value::String(text) if self.integer_key => form && text.parse::<i64>().is_ok(),
            Value::String(text) => !text.is_empty(),
            key => self.integer_key && (key.is_i64() || key.is_u64()),
        };
        if !key_fits {
            return Err((Some(&self.key), "this names no field"));
        }
        match members.get(&self.value) {
            None => Err((Some(&self.value), "this field is required")),
            Some(value) if self.text_value && !value.is_string() && !value.is_null() => {
                Err((Some(&self.value), "this must be a text"))
            }
            Some(_) => Ok(()),
        }
    }
}
