//! Target files: what an API takes, how it answers, how fast it may be asked.
//!
//! Nothing in the program knows a target by name: the built-in ones are such files, compiled in.

pub mod answer;
pub mod batch;
pub mod call;
pub mod custom;
pub mod discover;
pub mod file;
mod fill;
mod load;
mod markup;
mod matcher;
mod member;
mod merge;
mod sense;
mod shape;

use std::sync::Arc;
use std::time::Duration;

use regex::Regex;

use self::batch::Batch;
use self::call::{Endpoint, Text};
use self::custom::AccountFields;
use self::discover::Discover;
use self::file::{FieldSpec, Paging, TargetFile, UpdateMode};
use self::fill::Fill;
pub use self::load::{builtin_names, builtin_text, load, load_file};
use self::matcher::Code;
pub use self::member::{Member, Sent};
use self::shape::ErrorShape;
use crate::field::Type;
use crate::issue::TextFile;
use crate::path::Path;
use crate::rate::Rate;
use crate::record::KeyHash;
use crate::template::Scope;

/// One API, ready for use: its file with every path, template and pattern compiled.
#[derive(Debug)]
pub struct Target {
    /// How it is named in summaries and ledgers: the built-in's name, or the file's stem.
    pub name: String,
    /// The file as read, merged with what it extends.
    pub file: TargetFile,
    /// The text of the file, for showing mistakes and for `targets show`.
    pub text: Arc<TextFile>,
    /// The API's own fields.
    pub fields: Vec<Field>,
    /// How a record is made.
    pub create: Create,
    /// How a record that exists is found, tried in order.
    pub lookups: Vec<Lookup>,
    /// The whole list, for APIs with no search.
    pub list: Option<List>,
    /// One record by its address, and where it stands in the answer.
    pub read: Option<(Endpoint, Path)>,
    /// How a record is changed.
    pub update: Option<Update>,
    /// Where the account's custom fields can be listed.
    pub discover: Option<Discover>,
    /// The account's custom fields, as far as they are known.
    pub account_fields: AccountFields,
    /// What the mapping sends with some requests only.
    pub sent: Sent,
    /// The rates that hold at once; empty where none is known.
    pub rates: Vec<Rate>,
    /// Whether the rate is to be found by trying.
    pub rate_unknown: bool,
    errors: Vec<ErrorShape>,
    fatal: Vec<Code>,
    retry: Vec<Code>,
    natural: Option<(Path, Text)>,
}

/// One of the API's own fields.
#[derive(Debug, Clone)]
pub struct Field {
    /// Where it stands in the record.
    pub path: Path,
    /// The path as the target file writes it.
    pub name: Arc<str>,
    /// What it takes; `None` where the file does not say.
    pub kind: Option<Type>,
    /// The file's words on it.
    pub spec: FieldSpec,
    /// The pattern that its text matches.
    pub pattern: Option<Regex>,
}

/// How a record is made.
#[derive(Debug)]
pub struct Create {
    /// Method, path, query and the statuses of success.
    pub endpoint: Endpoint,
    /// Where the record stands in the body.
    pub wrap: Path,
    /// What else the body holds.
    pub constants: serde_json::Value,
    pairs: Option<merge::Pairs>,
    /// What must be true beside the status.
    pub ok: Option<Path>,
    /// Where the new record's id stands, and whether the file says so.
    pub id: (Path, bool),
    /// Where its address stands, if that is not the id.
    pub address: Option<Path>,
    /// For how long an idempotency key is remembered.
    pub idempotency_ttl: Option<Duration>,
    /// Several records in one request, where the API takes them.
    pub batch: Option<Batch>,
    exists: Vec<Code>,
}

/// One way to find a record.
#[derive(Debug)]
pub struct Lookup {
    /// Method, path, query.
    pub endpoint: Endpoint,
    body: Option<Fill>,
    /// Where the matches stand; empty = the answer is the one record.
    pub results: Path,
    /// Where the record's fields stand in a match.
    pub record: Path,
    /// What must equal in a match.
    pub where_: Vec<(Path, Text)>,
    /// Further fields that must equal before a match is this row's own.
    pub prove: Vec<Path>,
    /// "None found" counts only this long after the attempt.
    pub lag: Duration,
    /// Where a match's id stands.
    pub id: Path,
    /// Where a match's address stands.
    pub address: Path,
}

/// The whole list.
#[derive(Debug)]
pub struct List {
    /// Method, path, query.
    pub endpoint: Endpoint,
    /// Where the records stand.
    pub results: Path,
    /// Where a record's id stands.
    pub id: Path,
    /// Where a record's address stands.
    pub address: Path,
    /// The field by which it is indexed.
    pub by: Path,
    /// How the pages follow each other.
    pub paging: Option<Paging>,
}

/// How a record is changed.
#[derive(Debug)]
pub struct Update {
    /// Method, path, query and the statuses of success.
    pub endpoint: Endpoint,
    /// Partial or replacing.
    pub mode: UpdateMode,
    /// The field that names the record.
    pub keyed: Option<Path>,
    /// Fields that an update may not carry.
    pub never: Vec<Path>,
    /// Fields that reading does not give back.
    pub unreadable: Vec<Path>,
    /// Statuses that mean: there is none.
    pub missing: Vec<u16>,
}

impl Lookup {
    /// The templates that make the request.
    pub fn texts(&self) -> Vec<&Text> {
        let mut all = vec![&self.endpoint.path];
        all.extend(self.endpoint.query.iter().map(|(_, text)| text));
        if let Some(body) = &self.body {
            body.texts(&mut all);
        }
        all
    }
}

impl Target {
    /// The field at exactly this path.
    pub fn field(&self, path: &Path) -> Option<&Field> {
        self.fields.iter().find(|field| field.path == *path)
    }

    /// The object, array or JSON field that this path runs into.
    pub fn holder(&self, path: &Path) -> Option<&Field> {
        self.fields.iter().find(|field| {
            path.0.len() > field.path.0.len()
                && path.0.starts_with(&field.path.0)
                && matches!(
                    field.kind,
                    None | Some(Type::Json | Type::Object | Type::Array)
                )
        })
    }

    /// Where the field stands that the API keeps unique and that is filled from the row's key.
    pub fn natural_path(&self) -> Option<&Path> {
        self.natural.as_ref().map(|(path, _)| path)
    }

    /// That field and its value for a key. Two keys never share a value: where folding the key
    /// lost something, ten hex digits of the key's hash are added; likewise where the value is
    /// outside the field's limits.
    pub fn natural_key(&self, key: &str, hash: &KeyHash) -> Option<(Path, String)> {
        let (path, template) = self.natural.as_ref()?;
        let digits = hash.to_string();
        let scope = Scope::from(minijinja::value::Serde(
            serde_json::json!({ "key": key, "key_hash": digits }),
        ));
        let mut value = template.render(&scope).unwrap_or_default();
        let spec = self
            .field(path)
            .map(|field| (&field.spec, field.pattern.as_ref()));
        let fits = |value: &str| {
            let length = value.chars().count();
            !value.is_empty()
                && spec.is_none_or(|(spec, pattern)| {
                    spec.min_length.is_none_or(|min| length >= min)
                        && spec.max_length.is_none_or(|max| length <= max)
                        && pattern.is_none_or(|pattern| pattern.is_match(value))
                })
        };
        if !fits(&value) {
            let room = spec
                .and_then(|(spec, _)| spec.max_length)
                .unwrap_or(60)
                .max(11)
                - 11;
            let head: String = value.chars().take(room).collect();
            let head = head.trim_matches('-');
            let tail = &digits[..10];
            value = if head.is_empty() {
                tail.to_owned()
            } else {
                format!("{head}-{tail}")
            };
        }
        Some((path.clone(), value))
    }

    /// The request body around a record: `wrap` and `constants`.
    pub fn envelope(&self, record: serde_json::Value) -> serde_json::Value {
        if self.create.wrap.is_empty() && self.create.constants.is_null() {
            return record;
        }
        let mut body = match &self.create.constants {
            serde_json::Value::Null => serde_json::Value::Object(serde_json::Map::new()),
            constants => constants.clone(),
        };
        let create = &self.create;
        merge::lay(&mut body, &create.wrap, record, create.pairs.as_ref());
        body
    }
}
