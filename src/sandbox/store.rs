//! The records, with an index for each field by which they are found.

use std::collections::HashMap;

use memchr::memmem;
use serde_json::Value;

use super::value::text_of;
use crate::path::Path;

/// A stored record.
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// Its id: a number or a text.
    pub(super) id: Value,
    /// What names it in paths, where that is neither the id nor one of its fields.
    pub(super) address: Option<String>,
    /// Its fields.
    pub(super) fields: Value,
    /// When it was made.
    pub(super) created: String,
    /// When it was changed last.
    pub(super) updated: String,
}

/// One field's values and where they stand, without regard to case.
#[derive(Debug)]
struct Index {
    path: Path,
    places: HashMap<String, Vec<usize>>,
}

/// All texts of all records, for searches that are not exact: 100,000 records are some megabytes,
/// which a substring search passes in about a millisecond.
#[derive(Debug, Default)]
struct Texts {
    all: String,
    /// Where each region begins, and whose it is, in order.
    regions: Vec<(usize, usize)>,
    /// The region that holds for each place.
    current: HashMap<usize, usize>,
}

/// The records.
#[derive(Debug, Default)]
pub(super) struct Store {
    slots: Vec<Option<Record>>,
    live: usize,
    by_id: HashMap<String, usize>,
    by_address: HashMap<String, usize>,
    indexes: Vec<Index>,
    texts: Option<Texts>,
}

impl Store {
    /// A store that finds records by these fields; `search`: by parts of any text too.
    pub(super) fn new(paths: &[Path], search: bool) -> Self {
        Self {
            indexes: paths
                .iter()
                .map(|path| Index {
                    path: path.clone(),
                    places: HashMap::new(),
                })
                .collect(),
            texts: search.then(Texts::default),
            ..Self::default()
        }
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.live
    }

    /// How many there ever were.
    pub(super) fn ever(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn insert(&mut self, record: Record) -> usize {
        let place = self.slots.len();
        if let Some(id) = text_of(&record.id) {
            self.by_id.insert(id, place);
        }
        if let Some(address) = &record.address {
            self.by_address.insert(address.clone(), place);
        }
        self.index(place, &record);
        self.slots.push(Some(record));
        self.live += 1;
        place
    }

    /// Puts other fields in the place of a record's.
    pub(super) fn replace(&mut self, place: usize, fields: Value, now: String) {
        let Some(mut record) = self.slots.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.unindex(place, &record);
        record.fields = fields;
        record.updated = now;
        self.index(place, &record);
        self.slots[place] = Some(record);
    }

    pub(super) fn delete(&mut self, place: usize) {
        let Some(record) = self.slots.get_mut(place).and_then(Option::take) else {
            return;
        };
        self.unindex(place, &record);
        if let Some(id) = text_of(&record.id) {
            self.by_id.remove(&id);
        }
        if let Some(address) = &record.address {
            self.by_address.remove(address);
        }
        self.live -= 1;
    }

    fn index(&mut self, place: usize, record: &Record) {
        for index in &mut self.indexes {
            if let Some(text) = index.path.get(&record.fields).and_then(text_of) {
                index
                    .places
                    .entry(text.to_lowercase())
                    .or_default()
                    .push(place);
            }
        }
        if let Some(texts) = &mut self.texts {
            texts.regions.push((texts.all.len(), place));
            texts.current.insert(place, texts.regions.len() - 1);
            gather(&record.fields, &mut texts.all);
            texts.all.push('\0');
        }
    }

    fn unindex(&mut self, place: usize, record: &Record) {
        for index in &mut self.indexes {
            if let Some(text) = index.path.get(&record.fields).and_then(text_of) {
                let text = text.to_lowercase();
                if let Some(places) = index.places.get_mut(&text) {
                    places.retain(|&at| at != place);
                    if places.is_empty() {
                        index.places.remove(&text);
                    }
                }
            }
        }
        if let Some(texts) = &mut self.texts {
            texts.current.remove(&place);
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Record> {
        self.slots.get(place)?.as_ref()
    }

    /// The record of an id.
    pub(super) fn by_id(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// The record of an address that is none of its fields.
    pub(super) fn by_address(&self, address: &str) -> Option<usize> {
        self.by_address.get(address).copied()
    }

    /// The records whose indexed field has this value, in the order of their making; `folds`:
    /// ignoring case.
    pub(super) fn find(&self, index: usize, value: &str, folds: bool) -> Vec<usize> {
        let Some(index) = self.indexes.get(index) else {
            return Vec::new();
        };
        let Some(places) = index.places.get(&value.to_lowercase()) else {
            return Vec::new();
        };
        let mut places = places.clone();
        if !folds {
            places.retain(|&place| self.field(place, &index.path).as_deref() == Some(value));
        }
        places.sort_unstable();
        places
    }

    /// A field of a record as text.
    pub(super) fn field(&self, place: usize, path: &Path) -> Option<String> {
        path.get(&self.get(place)?.fields).and_then(text_of)
    }

    /// The records with this text within any of theirs, ignoring case; those of which it is the
    /// whole of a text come first.
    pub(super) fn search(&self, part: &str) -> Vec<usize> {
        let Some(texts) = &self.texts else {
            return Vec::new();
        };
        let part = part.to_lowercase();
        let bytes = texts.all.as_bytes();
        let (mut whole, mut within) = (Vec::new(), Vec::new());
        for at in memmem::find_iter(bytes, part.as_bytes()) {
            let region = texts
                .regions
                .partition_point(|(start, _)| *start <= at)
                .wrapping_sub(1);
            let Some(&(_, place)) = texts.regions.get(region) else {
                continue;
            };
            if texts.current.get(&place) != Some(&region) {
                continue;
            }
            let ends = |at: Option<&u8>| matches!(at, None | Some(b'\n' | 0));
            let before = at.checked_sub(1).and_then(|at| bytes.get(at));
            if ends(before) && ends(bytes.get(at + part.len())) {
                whole.push(place);
            } else {
                within.push(place);
            }
        }
        whole.dedup();
        within.dedup();
        let mut all = whole.clone();
        whole.sort_unstable();
        all.extend(
            within
                .into_iter()
                .filter(|place| whole.binary_search(place).is_err()),
        );
        all
    }

    /// So many records from the n-th on, in the order of their making.
    pub(super) fn page(&self, from: usize, size: usize) -> Vec<usize> {
        if self.live == self.slots.len() {
            let end = from.saturating_add(size).min(self.slots.len());
            return (from.min(end)..end).collect();
        }
        let live = self
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| slot.is_some());
        live.map(|(place, _)| place).skip(from).take(size).collect()
    }
}

/// Appends all texts and numbers within a value, in lower case, a line each.
fn gather(value: &Value, all: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| gather(item, all)),
        Value::Object(members) => members.values().for_each(|item| gather(item, all)),
        value => {
            if let Some(text) = text_of(value) {
                all.extend(
                    text.to_lowercase()
                        .chars()
                        .filter(|c| !matches!(c, '\n' | '\0')),
                );
                all.push('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn record(n: usize, fields: Value) -> Record {
        Record {
            id: Value::from(n),
            address: None,
            fields,
            created: String::new(),
            updated: String::new(),
        }
    }

    #[test]
    fn records_are_found_as_they_are_now() {
        let mut store = Store::new(&[Path::key("email")], true);
        let a = store.insert(record(1, json!({"email": "Ann@a.org", "name": "Ann"})));
        let b = store.insert(record(2, json!({"email": "ann@a.org", "name": "Joanna"})));
        assert_eq!(store.find(0, "ann@a.org", false), [b]);
        assert_eq!(store.find(0, "ann@a.org", true), [a, b]);
        assert_eq!(store.search("ANN"), [a, b]);
        store.replace(a, json!({"email": "x@y.z"}), String::new());
        assert_eq!(store.search("ann"), [b]);
        assert_eq!(store.find(0, "x@y.z", false), [a]);
        store.delete(b);
        assert_eq!(store.search("ann"), [0; 0]);
        assert_eq!(
            (store.len(), store.by_id("2"), store.page(0, 9)),
            (1, None, vec![a])
        );
    }

    proptest! {
        #[test]
        fn the_index_finds_what_a_scan_finds(
            steps in proptest::collection::vec((0_usize..6, 0_u8..3, 0_u8..3), 0..40)
        ) {
            let mut store = Store::new(&[Path::key("f")], true);
            for (place, what, value) in steps {
                let fields = json!({"f": format!("v{value}")});
                match what {
                    0 => { store.insert(record(store.ever(), fields)); }
                    1 => store.replace(place, fields, String::new()),
                    _ => store.delete(place),
                }
            }
            for value in ["v0", "v1", "v2"] {
                let scan: Vec<usize> = (0..store.ever())
                    .filter(|&p| store.field(p, &Path::key("f")).as_deref() == Some(value))
                    .collect();
                prop_assert_eq!(store.find(0, value, false), scan.clone());
                let mut searched = store.search(value);
                searched.sort_unstable();
                prop_assert_eq!(searched, scan);
            }
            let alive = (0..store.ever()).filter(|&p| store.get(p).is_some()).count();
            prop_assert_eq!(store.len(), alive);
        }
    }
}
