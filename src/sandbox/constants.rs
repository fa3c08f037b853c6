//! Constants of a body: which of them it lacks, and the record without them.

use serde_json::{Map, Value};

use super::custom::Custom;
use super::schema::Schema;
use super::value::{equal, missing_constant};
use crate::path::{Path, Step};
use crate::target::file::CustomShape;

/// The constants around and within a record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Constants<'a> {
    pub(super) all: &'a Map<String, Value>,
    /// Where the record stands among them.
    pub(super) record: &'a Path,
    pub(super) schema: &'a Schema,
    /// Texts stand for what they say, as in a form.
    pub(super) loose: bool,
}

impl Constants<'_> {
    /// The key of a constant that a body lacks. What a record says goes over it.
    pub(super) fn missing(&self, body: &Value) -> Option<String> {
        let may = |path: &Path, want: &Value, have: &Value| {
            let Some(within) = path.0.strip_prefix(self.record.0.as_slice()) else {
                return false;
            };
            let path = Path(within.to_vec());
            if let (Some(custom), Value::Array(want), Value::Array(have)) =
                (self.pairs_at(&path), want, have)
            {
                let named = |pair: &Value, all: &[Value]| {
                    let key = pair.get(&custom.key);
                    all.iter().any(|other| other.get(&custom.key) == key)
                };
                return want.iter().all(|pair| named(pair, have));
            }
            self.schema.is_whole(&path) || self.is_custom(&path)
        };
        missing_constant(self.all, body, self.loose, &Path::default(), &may)
    }

    /// Takes the constants out of a record.
    pub(super) fn strip(&self, record: &mut Value) {
        let mut at = self.all;
        for step in &self.record.0 {
            let Step::Key(key) = step else { return };
            let Some(Value::Object(next)) = at.get(key) else {
                return;
            };
            at = next;
        }
        self.strip_from(at, record, &Path::default());
    }

    fn strip_from(&self, constants: &Map<String, Value>, record: &mut Value, at: &Path) {
        let Value::Object(members) = record else {
            return;
        };
        for (key, want) in constants {
            let path = at.join(&Path::key(key.as_str()));
            let Some(have) = members.get_mut(key) else {
                continue;
            };
            if self.schema.is_whole(&path) {
                continue;
            }
            let goes = match (want, &mut *have) {
                (Value::Object(want), Value::Object(_)) => {
                    self.strip_from(want, have, &path);
                    have.as_object().is_some_and(Map::is_empty)
                }
                (Value::Array(want), Value::Array(have)) if self.pairs_at(&path).is_some() => {
                    have.retain(|pair| !want.iter().any(|one| equal(one, pair, self.loose)));
                    have.is_empty()
                }
                _ => !self.is_custom(&path) || equal(want, have, self.loose),
            };
            if goes {
                members.shift_remove(key);
            }
        }
    }

    fn pairs_at(&self, path: &Path) -> Option<&Custom> {
        let custom = self.schema.custom()?;
        (custom.shape == CustomShape::Pairs && custom.at == *path).then_some(custom)
    }

    /// Whether a custom field may stand at a path.
    fn is_custom(&self, path: &Path) -> bool {
        self.schema.custom().is_some_and(|custom| {
            custom.shape == CustomShape::Object
                && !custom.at.is_empty()
                && path.0.len() > custom.at.0.len()
                && path.0.starts_with(&custom.at.0)
        })
    }
}
