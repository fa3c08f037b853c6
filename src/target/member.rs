//! Members of a record that a mapping sends only with some requests.

use serde_json::Value;

use super::Target;
use super::answer::id_text;
use super::call::remove;
use super::file::CustomShape;
use crate::path::{Path, Step};

/// A member of a record: a field of the API's own, or a custom field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// What stands at a path.
    At(Path),
    /// One of the pairs of a list of custom fields.
    Pair {
        /// Where the list stands.
        at: Path,
        /// The member of a pair that names the field.
        name: String,
        /// The member that holds its value.
        value: String,
        /// The field's key, as text.
        key: String,
    },
}

/// What goes with some requests only.
#[derive(Debug, Clone, Default)]
pub struct Sent {
    /// With creates only.
    pub creates: Vec<Member>,
    /// With updates only.
    pub updates: Vec<Member>,
    /// With creates, and with those updates whose record has nothing there.
    pub if_empty: Vec<Member>,
}

impl Target {
    /// The member at this path, which stands in the place of custom fields where `custom`.
    pub fn member(&self, custom: bool, path: &Path) -> Option<Member> {
        let mut path = path.clone();
        if path.0.last() == Some(&Step::Each) {
            path.0.pop();
        }
        if !custom {
            return Some(Member::At(path));
        }
        let section = self.file.custom.as_ref()?;
        let at = Path::parse(&section.at).ok()?;
        Some(match section.shape {
            CustomShape::Object => Member::At(at.join(&path)),
            CustomShape::Prefix => {
                if let Some(Step::Key(key)) = path.0.first_mut() {
                    *key = format!("{}{key}", section.prefix);
                }
                Member::At(at.join(&path))
            }
            CustomShape::Pairs => {
                let Some(Step::Key(key)) = path.0.first() else {
                    return None;
                };
                Member::Pair {
                    at,
                    name: section.key.clone().unwrap_or_else(|| "key".to_owned()),
                    value: section.value.clone().unwrap_or_else(|| "value".to_owned()),
                    key: key.clone(),
                }
            }
        })
    }

    /// What a create carries of a record.
    pub fn for_create(&self, record: &Value) -> Value {
        let mut record = record.clone();
        for member in &self.sent.updates {
            member.remove(&mut record);
        }
        record
    }

    /// What an update carries of a record, where the target's own is known as `current`.
    pub fn for_update(&self, record: &Value, current: Option<&Value>) -> Value {
        let mut record = record.clone();
        let kept = self
            .sent
            .if_empty
            .iter()
            .filter(|member| current.is_none_or(|current| member.is_filled(current)));
        for member in self.sent.creates.iter().chain(kept) {
            member.remove(&mut record);
        }
        record
    }
}

impl Member {
    /// Whether a record has a value there.
    pub fn is_filled(&self, record: &Value) -> bool {
        let value = match self {
            Member::At(path) => path.get(record),
            Member::Pair {
                at,
                name,
                value,
                key,
            } => at
                .get(record)
                .and_then(Value::as_array)
                .and_then(|pairs| pairs.iter().find(|pair| is_called(pair, name, key)))
                .and_then(|pair| pair.get(value)),
        };
        match value {
            None | Some(Value::Null) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(members)) => members.values().any(|member| !member.is_null()),
            Some(Value::Bool(_) | Value::Number(_)) => true,
        }
    }

    /// Takes it out of a record, and what is left empty around it.
    pub fn remove(&self, record: &mut Value) {
        match self {
            Member::At(path) => {
                remove(record, path);
                let mut parents = path.clone();
                while parents.0.pop().is_some() && !parents.is_empty() {
                    let empty = parents
                        .get(record)
                        .and_then(Value::as_object)
                        .is_some_and(serde_json::Map::is_empty);
                    if !empty {
                        break;
                    }
                    remove(record, &parents);
                }
            }
            Member::Pair { at, name, key, .. } => {
                let Some(pairs) = at.get(record).and_then(Value::as_array) else {
                    return;
                };
                let left: Vec<Value> = pairs
                    .iter()
                    .filter(|pair| !is_called(pair, name, key))
                    .cloned()
                    .collect();
                if left.is_empty() {
                    remove(record, at);
                } else {
                    at.set(record, Value::Array(left));
                }
            }
        }
    }
}

fn is_called(pair: &Value, name: &str, key: &str) -> bool {
    pair.get(name).and_then(id_text).as_deref() == Some(key)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(path: &str) -> Member {
        Member::At(Path::parse(path).unwrap())
    }

    fn pair(key: &str) -> Member {
        Member::Pair {
            at: Path::key("fields"),
            name: "id".to_owned(),
            value: "value".to_owned(),
            key: key.to_owned(),
        }
    }

    #[test]
    fn what_is_there_is_told_from_what_is_empty() {
        let record = json!({"a": "", "b": {"c": null}, "d": 0, "e": false, "f": ["x"], "fields": [
            {"id": 7, "value": "red"}, {"id": 8, "value": null}]});
        for (member, filled) in [
            (at("a"), false),
            (at("b"), false),
            (at("b.c"), false),
            (at("d"), true),
            (at("e"), true),
            (at("f"), true),
            (at("x.y"), false),
            (pair("7"), true),
            (pair("8"), false),
            (pair("9"), false),
        ] {
            assert_eq!(member.is_filled(&record), filled, "{member:?}");
        }
    }

    #[test]
    fn a_member_is_taken_out_with_what_it_leaves_empty() {
        let mut record = json!({"a": {"b": {"c": 1}}, "n": 1, "fields": [{"id": 7, "value": 1}, {"id": 8, "value": 2}]});
        at("a.b.c").remove(&mut record);
        pair("7").remove(&mut record);
        at("x.y").remove(&mut record);
        assert_eq!(record, json!({"n": 1, "fields": [{"id": 8, "value": 2}]}));
        pair("8").remove(&mut record);
        assert_eq!(record, json!({"n": 1}));
    }
}
