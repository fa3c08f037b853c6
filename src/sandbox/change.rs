//! Making, changing and deleting records.

use serde_json::{Map, Value};

use super::constants::Constants;
use super::play::{Play, Update};
use super::refuse::Refused;
use super::schema::{Refusal, Use};
use super::store::{Record, Store};
use super::value::{put, remove, text_of};
use crate::path::{Path, Step};
use crate::target::file::{BodyForm, CustomShape, UpdateMode};

/// The time as answers tell it.
pub(super) fn now() -> String {
    jiff::Timestamp::now().to_string()
}

impl Play {
    /// Refuses a record for these fields.
    pub(super) fn invalid(&self, fields: Vec<Refusal>) -> Refused {
        let message = match fields.first() {
            Some(first) if !first.field.is_empty() => {
                format!("{} is not valid: {}", first.field, first.message)
            }
            Some(first) => first.message.clone(),
            None => "the record is not valid".into(),
        };
        Refused {
            // What is wrong with the record as a whole names no field.
            fields: fields
                .into_iter()
                .filter(|refusal| !refusal.field.is_empty())
                .collect(),
            ..Refused::new(self.shapes.invalid, "validation_error", message)
        }
    }

    fn loose(&self) -> bool {
        self.form == BodyForm::Form
    }

    /// The record in a body, without the constants that may stand beside it.
    pub(super) fn unwrap(&self, body: &Value, creates: bool) -> Result<Value, Refused> {
        let bad = |why: String| Refused::new(self.shapes.invalid, "validation_error", why);
        let constants = Constants {
            all: &self.constants,
            record: &self.wrap,
            schema: &self.schema,
            loose: self.loose(),
        };
        if creates && let Some(key) = constants.missing(body) {
            return Err(bad(format!("the body must hold the constant `{key}`")));
        }
        let Some(found) = self.wrap.get(body) else {
            return Err(bad(format!(
                "the body must hold the record at `{}`",
                self.wrap
            )));
        };
        if !self.wrap.is_empty() && creates {
            // Nothing else may stand in the body.
            let first = self.wrap.0.first();
            let stray = body.as_object().and_then(|members| {
                members.keys().find(|key| {
                    !matches!(first, Some(Step::Key(wrap)) if wrap == *key)
                        && !self
                            .constants
                            .keys()
                            .any(|c| c == *key || c.starts_with(&format!("{key}.")))
                })
            });
            if let Some(key) = stray {
                return Err(bad(format!(
                    "the body holds `{key}`, which is not known here"
                )));
            }
        }
        let mut record = found.clone();
        constants.strip(&mut record);
        Ok(record)
    }

    /// Refuses a value that must be unique and is another record's.
    fn unique(&self, store: &Store, record: &Value, own: Option<usize>) -> Result<(), Refused> {
        for unique in &self.uniques {
            let Some(text) = unique
                .path
                .get(record)
                .and_then(text_of)
                .filter(|t| !t.is_empty())
            else {
                continue;
            };
            if store
                .find(unique.index, &text, false)
                .iter()
                .any(|place| Some(*place) != own)
            {
                return Err(unique.exists.refused(&unique.path, unique.named));
            }
        }
        Ok(())
    }

    /// Makes a record, or refuses it.
    pub(super) fn make(
        &self,
        store: &mut Store,
        random: &mut fastrand::Rng,
        mut record: Value,
    ) -> Result<usize, Refused> {
        let wrong = self.schema.check(&record, Use::Whole);
        if !wrong.is_empty() {
            return Err(self.invalid(wrong));
        }
        self.schema.tidy(&mut record);
        self.unique(store, &record, None)?;
        let count = store.ever() + 1;
        if let Some(path) = &self.natural
            && path
                .get(&record)
                .and_then(text_of)
                .is_none_or(|text| text.is_empty())
        {
            let made = format!("{}-{count}", slug(&record));
            path.set(&mut record, Value::from(made));
        }
        let own_id = self
            .natural
            .as_ref()
            .filter(|path| path.0.last() == self.id.0.last())
            .and_then(|path| path.get(&record))
            .cloned();
        let id = own_id.unwrap_or_else(|| {
            if self.numeric_ids() {
                Value::from(count)
            } else {
                let bytes = random.u128(..).to_be_bytes();
                Value::from(
                    uuid::Builder::from_random_bytes(bytes)
                        .into_uuid()
                        .to_string(),
                )
            }
        });
        // An address that is no field is another text than the id, so that none passes for the
        // other.
        let in_field = self.address_field.as_ref().is_some_and(|(path, _)| {
            path.get(&record)
                .and_then(text_of)
                .is_some_and(|text| !text.is_empty())
        });
        let address = (self.address.is_some() && !in_field).then(|| format!("ref-{count}"));
        let time = now();
        Ok(store.insert(Record {
            id,
            address,
            fields: record,
            created: time.clone(),
            updated: time,
        }))
    }

    /// What names a record in paths.
    pub(super) fn address_of(&self, record: &Record) -> Value {
        if let Some(address) = &record.address {
            return Value::from(address.as_str());
        }
        let field = self
            .address_field
            .as_ref()
            .filter(|_| self.address.is_some());
        field
            .and_then(|(path, _)| path.get(&record.fields))
            .unwrap_or(&record.id)
            .clone()
    }

    /// A record as the API shows it.
    pub(super) fn view(&self, record: &Record, id: &Path, address: Option<&Path>) -> Value {
        let mut view = Value::Object(Map::new());
        put(id, &mut view, record.id.clone());
        let mut fields = record.fields.clone();
        for path in &self.unreadable {
            remove(path, &mut fields);
        }
        merge(&mut view, fields);
        if let Value::Object(members) = &mut view {
            members
                .entry("created_at")
                .or_insert_with(|| record.created.as_str().into());
            members
                .entry("updated_at")
                .or_insert_with(|| record.updated.as_str().into());
        }
        put(id, &mut view, record.id.clone());
        if let Some(path) = address {
            put(path, &mut view, self.address_of(record));
        }
        view
    }

    /// The answer to a create or an update.
    pub(super) fn envelope(&self, record: &Record) -> Value {
        let mut body = Value::Object(Map::new());
        let (last, way) = match self.id.0.split_last() {
            Some((last, way)) => (Path(vec![last.clone()]), Path(way.to_vec())),
            None => (Path::key("id"), Path::default()),
        };
        put(&way, &mut body, self.view(record, &last, None));
        if let Some(path) = &self.address {
            put(path, &mut body, self.address_of(record));
        }
        if let Some(path) = &self.ok {
            put(path, &mut body, Value::Bool(true));
        }
        body
    }

    /// The record that an update by a field of its body means.
    pub(super) fn keyed(
        &self,
        store: &Store,
        update: &Update,
        change: &Value,
    ) -> Result<usize, Refused> {
        let Some((path, index)) = &update.keyed else {
            return Err(Refused::new(404, "not_found", "there is no such record"));
        };
        let Some(text) = path.get(change).and_then(text_of).filter(|t| !t.is_empty()) else {
            return Err(self.invalid(vec![Refusal {
                field: path.clone(),
                message: "this field is required".into(),
            }]));
        };
        store
            .find(*index, &text, false)
            .first()
            .copied()
            .ok_or_else(|| {
                Refused::new(
                    update.missing,
                    "not_found",
                    "there is no record with this key",
                )
            })
    }

    /// Changes a record, or refuses it.
    pub(super) fn change(
        &self,
        store: &mut Store,
        place: usize,
        update: &Update,
        mut change: Value,
    ) -> Result<(), Refused> {
        let Some(record) = store.get(place) else {
            return Err(Refused::new(404, "not_found", "there is no such record"));
        };
        let forbidden: Vec<Refusal> = update
            .never
            .iter()
            .filter(|path| path.get(&change).is_some())
            .map(|path| Refusal {
                field: path.clone(),
                message: "this field may not be changed".into(),
            })
            .collect();
        if !forbidden.is_empty() {
            return Err(self.invalid(forbidden));
        }
        let wrong = self.schema.check(&change, Use::Part);
        if !wrong.is_empty() {
            return Err(self.invalid(wrong));
        }
        self.schema.tidy(&mut change);
        let merged = match update.mode {
            UpdateMode::Partial => {
                let mut merged = record.fields.clone();
                self.merge_change(&mut merged, change, &Path::default());
                merged
            }
            UpdateMode::Replace => {
                // What names a record and what may not be changed stays.
                let kept = update.never.iter().chain(&self.natural);
                for path in kept.chain(update.keyed.iter().map(|(path, _)| path)) {
                    if path.get(&change).is_none()
                        && let Some(old) = path.get(&record.fields)
                    {
                        path.set(&mut change, old.clone());
                    }
                }
                let wrong = self.schema.check(&change, Use::Whole);
                if !wrong.is_empty() {
                    return Err(self.invalid(wrong));
                }
                change
            }
        };
        self.unique(store, &merged, Some(place))?;
        store.replace(place, merged, now());
        Ok(())
    }

    /// Lays a change over a record: objects whose members are fields, and custom fields, member by
    /// member; all else as a whole.
    fn merge_change(&self, old: &mut Value, change: Value, at: &Path) {
        let (Value::Object(members), Value::Object(changes)) = (old, change) else {
            return;
        };
        for (key, new) in changes {
            let path = at.join(&Path::key(key.as_str()));
            // Custom fields that fill a field of the API's own are replaced with it.
            let whole = self.schema.is_whole(&path);
            let custom = self
                .schema
                .custom()
                .filter(|custom| custom.at == path && !whole);
            let slot = members.entry(key).or_insert(Value::Null);
            match (
                custom.map(|c| (c.shape, c)),
                slot.is_object(),
                new.is_object(),
            ) {
                (Some((CustomShape::Object, _)), true, true) => merge(slot, new),
                (Some((CustomShape::Pairs, custom)), ..) => merge_pairs(slot, new, &custom.key),
                (None, true, true) if self.schema.is_way(&path) => {
                    self.merge_change(slot, new, &path);
                }
                _ => *slot = new,
            }
        }
    }
}

/// Lays one object over another, at every depth.
fn merge(old: &mut Value, new: Value) {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            for (key, new) in new {
                match old.get_mut(&key) {
                    Some(slot) if slot.is_object() && new.is_object() => merge(slot, new),
                    _ => {
                        old.insert(key, new);
                    }
                }
            }
        }
        (old, new) => *old = new,
    }
}

/// Lays pairs over pairs of the same key.
fn merge_pairs(old: &mut Value, new: Value, key: &str) {
    match (old, new) {
        (Value::Array(old), Value::Array(new)) => {
            for pair in new {
                match old.iter_mut().find(|have| have.get(key) == pair.get(key)) {
                    Some(have) => *have = pair,
                    None => old.push(pair),
                }
            }
        }
        (old, new) => *old = new,
    }
}

/// A name for a record that brings none: of its first text.
fn slug(record: &Value) -> String {
    let text = record
        .as_object()
        .and_then(|members| members.values().find_map(Value::as_str))
        .unwrap_or("record");
    let mut slug = String::new();
    for c in text.chars().take(40) {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() {
        "record".into()
    } else {
        slug.to_owned()
    }
}
