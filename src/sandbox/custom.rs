//! How custom fields stand in a record, in their three shapes.

use serde_json::Value;

use super::kind::has_kind;
use super::schema::{Refusal, name_of};
use super::value::{equal, is_empty, text_of};
use crate::field::Type;
use crate::path::{Path, Step};
use crate::target::custom::Definition;
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
    /// What the account has; `None`: any key goes, with any value.
    definitions: Option<Vec<Definition>>,
    open: bool,
}

impl Custom {
    pub(super) fn new(
        section: &CustomSection,
        definitions: Option<&[Definition]>,
    ) -> Result<Self, String> {
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
            definitions: definitions.map(<[Definition]>::to_vec),
            open: section.open,
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
                let key = match at.0.last() {
                    Some(Step::Key(key)) => key.strip_prefix(&self.prefix).unwrap_or(key),
                    _ => "",
                };
                if !text(value) {
                    refuse(Vec::new(), "this must be a text");
                } else if let Err(message) = self.suits(key, value, form) {
                    refuse(Vec::new(), &message);
                }
            }
            CustomShape::Object => match value {
                Value::Object(members) => {
                    for (key, value) in members {
                        if !text(value) {
                            refuse(vec![Step::Key(key.clone())], "this must be a text");
                        } else if let Err(message) = self.suits(key, value, form) {
                            refuse(vec![Step::Key(key.clone())], &message);
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
                            refuse(more, &message);
                        }
                    }
                }
                Value::Null => {}
                _ => refuse(Vec::new(), "this must be an array"),
            },
        }
        wrong
    }

    /// Whether the account takes this value for this key.
    fn suits(&self, key: &str, value: &Value, form: bool) -> Result<(), String> {
        let Some(definitions) = &self.definitions else {
            return Ok(());
        };
        let Some(definition) = definitions.iter().find(|known| known.key == key) else {
            return match self.open {
                true => Ok(()),
                false => Err("there is no such custom field".to_owned()),
            };
        };
        let none = is_empty(value) || value.as_array().is_some_and(Vec::is_empty);
        if none {
            return Ok(());
        }
        // Where all values are texts, a text stands for each of them.
        let loose = form || self.text_value;
        if let Some(kind) = definition.kind
            && !has_kind(kind.name(), value, loose)
        {
            let theirs = definition.theirs.as_deref().unwrap_or(kind.name());
            return Err(format!("this must be of the type {theirs}"));
        }
        let chooses = matches!(definition.kind, None | Some(Type::Choice | Type::Choices));
        let one_of = |value: &Value| {
            let mut options = definition.options.iter();
            options.any(|option| equal(&option.value, value, loose))
        };
        let fits = match value {
            _ if !chooses || definition.options.is_empty() => true,
            Value::Array(items) => items.iter().all(one_of),
            value => one_of(value),
        };
        match fits {
            true => Ok(()),
            false => Err("this is not one of the options".to_owned()),
        }
    }

    /// What a new record must hold and does not.
    pub(super) fn missing(&self, record: &Value) -> Vec<Refusal> {
        let required = self.definitions.iter().flatten().filter(|one| one.required);
        required
            .filter_map(|one| {
                let held = self.at.get(record);
                let (value, path) = match self.shape {
                    CustomShape::Pairs => {
                        let pairs = held.and_then(Value::as_array);
                        let pair = pairs.into_iter().flatten().find(|pair| {
                            pair.get(&self.key).and_then(text_of).as_deref() == Some(&one.key)
                        });
                        (pair.and_then(|pair| pair.get(&self.value)), self.at.clone())
                    }
                    CustomShape::Object | CustomShape::Prefix => {
                        let name = format!("{}{}", self.prefix, one.key);
                        let value = held.and_then(|held| held.get(&name));
                        (value, self.at.join(&Path::key(name)))
                    }
                };
                value.is_none_or(is_empty).then(|| Refusal {
                    field: path,
                    message: format!("the custom field {} is required", one.key),
                })
            })
            .collect()
    }

    fn check_pair(&self, item: &Value, form: bool) -> Result<(), (Option<&str>, String)> {
        let Value::Object(members) = item else {
            return Err((None, "this must be an object".to_owned()));
        };
        if members
            .keys()
            .any(|key| *key != self.key && *key != self.value)
        {
            return Err((None, "this has a member that is not known".to_owned()));
        }
        let key = members.get(&self.key).unwrap_or(&Value::Null);
        let key_fits = match key {
            Value::String(text) if self.integer_key => form && text.parse::<i64>().is_ok(),
            Value::String(text) => !text.is_empty(),
            key => self.integer_key && (key.is_i64() || key.is_u64()),
        };
        if !key_fits {
            return Err((Some(&self.key), "this names no field".to_owned()));
        }
        match members.get(&self.value) {
            None => Err((Some(&self.value), "this field is required".to_owned())),
            Some(value) if self.text_value && !value.is_string() && !value.is_null() => {
                Err((Some(&self.value), "this must be a text".to_owned()))
            }
            Some(value) => {
                let name = text_of(key).unwrap_or_default();
                let known = |known: &Definition| known.key == name;
                // A name that the account does not have is wrong as a name.
                let strange = self.definitions.iter().any(|all| !all.iter().any(known));
                let member = if strange { &self.key } else { &self.value };
                self.suits(&name, value, form)
                    .map_err(|message| (Some(member.as_str()), message))
            }
        }
    }
}
