//! The custom fields of the account that is played: listed for whoever asks.
//!
//! Without definitions of its own the account has a few that suit the target file, to try the
//! listing with; records are then not held to them.

use serde_json::{Map, Value};

use super::find::{self, Turn};
use super::pattern::Pattern;
use super::value::{put, text_of};
use crate::field::{Choice, Type};
use crate::path::Path;
use crate::target::custom::Definition;
use crate::target::file::{CustomSection, DiscoverSection, Paging};

/// The custom fields, as the target would tell of them.
#[derive(Debug)]
pub(super) struct Account {
    listing: Listing,
    options: Option<Listing>,
    /// The definitions, and the options of each.
    records: Vec<(Value, Vec<Value>)>,
}

#[derive(Debug)]
struct Listing {
    results: Path,
    paging: Option<Paging>,
    turn: Turn,
}

impl Listing {
    fn new(results: &str, paging: Option<&Paging>) -> Result<Self, String> {
        Ok(Self {
            results: Path::parse(results)?,
            turn: Turn::new(paging)?,
            paging: paging.cloned(),
        })
    }

    /// The page of these entries that a query asks for.
    fn page(&self, entries: &[Value], query: &[(String, String)]) -> Result<Value, String> {
        let (from, size) = match &self.paging {
            Some(paging) => find::window(paging, query)?,
            None => (0, usize::MAX),
        };
        let shown = entries.iter().skip(from).take(size).cloned().collect();
        if self.results.is_empty() {
            return Ok(Value::Array(shown));
        }
        let mut body = Value::Object(Map::new());
        put(&self.results, &mut body, Value::Array(shown));
        if let Some(paging) = &self.paging {
            self.turn
                .put(paging.kind, from, size, entries.len(), &mut body);
        }
        Ok(body)
    }
}

impl Account {
    /// An account with these custom fields; without any, with samples.
    pub(super) fn new(
        custom: &CustomSection,
        section: &DiscoverSection,
        definitions: Option<&[Definition]>,
    ) -> Result<Self, String> {
        let samples;
        let definitions = match definitions {
            Some(given) => given,
            None => {
                samples = samples_for(custom, section);
                samples.as_slice()
            }
        };
        let mut options = None;
        if let Some(apart) = section
            .options
            .as_ref()
            .filter(|options| options.path.is_some())
        {
            let results = apart.results.as_deref().unwrap_or_default();
            options = Some(Listing::new(results, apart.paging.as_ref())?);
        }
        let records = definitions
            .iter()
            .enumerate()
            .map(|(at, definition)| record_of(at, definition, custom, section))
            .collect::<Result<_, String>>()?;
        Ok(Self {
            listing: Listing::new(&section.results, section.paging.as_ref())?,
            options,
            records,
        })
    }

    /// A page of the definitions.
    pub(super) fn list(&self, query: &[(String, String)]) -> Result<Value, String> {
        let entries: Vec<Value> = self
            .records
            .iter()
            .map(|(record, _)| record.clone())
            .collect();
        self.listing.page(&entries, query)
    }

    /// A page of the options of the definition that this address names; `None`: there is none.
    pub(super) fn options(
        &self,
        pattern: &Pattern,
        path: &str,
        query: &[(String, String)],
    ) -> Option<Result<Value, String>> {
        let values = pattern.read(path)?;
        let named = |record: &Value| {
            pattern.holes.iter().zip(&values).all(|(hole, value)| {
                Path::parse(&hole.name)
                    .ok()
                    .and_then(|path| path.get(record).and_then(text_of))
                    .is_some_and(|text| text == *value)
            })
        };
        let (_, options) = self.records.iter().find(|(record, _)| named(record))?;
        Some(self.options.as_ref()?.page(options, query))
    }
}

/// A definition as the target would tell of it, and its options.
fn record_of(
    at: usize,
    definition: &Definition,
    custom: &CustomSection,
    section: &DiscoverSection,
) -> Result<(Value, Vec<Value>), String> {
    let mut record = Value::Object(Map::new());
    let mut set = |path: Option<&str>, value: Value| -> Result<(), String> {
        let Some(path) = path.filter(|path| !path.is_empty()) else {
            return Ok(());
        };
        put(&Path::parse(path)?, &mut record, value);
        Ok(())
    };
    let number = |text: &str| match text.parse::<i64>() {
        Ok(number) if custom.key_type.as_deref() == Some("integer") => Value::from(number),
        _ => Value::from(text),
    };
    let id = match &definition.id {
        Some(id) => number(id),
        None => Value::from(101 + at),
    };
    set(Some(section.id.as_deref().unwrap_or("id")), id)?;
    let key = match section.key.as_str() {
        "" => "key",
        key => key,
    };
    set(Some(key), number(&definition.key))?;
    if let Some(label) = &definition.label {
        set(section.label.as_deref(), label.as_str().into())?;
    }
    let kind = definition
        .theirs
        .as_deref()
        .or(definition.kind.map(Type::name))
        .unwrap_or_default();
    set(section.kind.as_deref(), kind.into())?;
    set(section.required.as_deref(), definition.required.into())?;
    let mut options = Vec::new();
    if let Some(place) = &section.options {
        let value = Path::parse(&place.value)?;
        let label = place.label.as_deref().map(Path::parse).transpose()?;
        for option in &definition.options {
            if value.is_empty() {
                options.push(option.value.clone());
                continue;
            }
            let mut told = Value::Object(Map::new());
            put(&value, &mut told, option.value.clone());
            if let (Some(path), Some(label)) = (&label, &option.label) {
                put(path, &mut told, label.as_str().into());
            }
            options.push(told);
        }
        if !options.is_empty() {
            set(place.at.as_deref(), Value::Array(options.clone()))?;
        }
    }
    Ok((record, options))
}

/// What a sample of this type is called.
fn label_of(kind: Option<Type>) -> &'static str {
    match kind {
        Some(Type::Text) => "Pronouns",
        Some(Type::Integer) => "Visits",
        Some(Type::Decimal) => "Employees",
        Some(Type::Boolean) => "Newsletter",
        Some(Type::Date) => "Renewal Date",
        Some(Type::DateTime) => "Last Contact",
        Some(Type::Email) => "Billing Email",
        Some(Type::Phone) => "Phone Number",
        Some(Type::Country) => "Country",
        Some(Type::Currency) => "Currency",
        Some(Type::Url) => "Website",
        Some(Type::Uuid) => "Reference",
        Some(Type::Choice) => "Status",
        Some(Type::Choices) => "Services",
        Some(Type::Json | Type::Object | Type::Array) | None => "Address",
    }
}

/// A few custom fields: one of each type that the target file knows; where it names none, those of a
/// small business.
fn samples_for(custom: &CustomSection, section: &DiscoverSection) -> Vec<Definition> {
    let kinds: Vec<(&str, Option<Type>, &str)> = match section.types.is_empty() {
        false => section
            .types
            .iter()
            .map(|(theirs, ours)| {
                let kind = Type::parse(ours);
                (theirs.as_str(), kind, label_of(kind))
            })
            .collect(),
        true => vec![
            ("text", Some(Type::Text), "Customer Number"),
            ("date", Some(Type::Date), "Date of Birth"),
            ("boolean", Some(Type::Boolean), "Newsletter"),
            ("decimal", Some(Type::Decimal), "Credit Limit"),
            ("text", Some(Type::Text), "Services"),
        ],
    };
    let by_number = custom.key_type.as_deref() == Some("integer");
    let mut samples: Vec<Definition> = Vec::new();
    for (at, (theirs, kind, label)) in kinds.into_iter().enumerate() {
        let mut key = match by_number {
            true => (101 + at).to_string(),
            false => camel_case(label),
        };
        if samples.iter().any(|sample| sample.key == key) {
            key.push_str(&(at + 1).to_string());
        }
        let options: &[(&str, &str)] = match kind {
            Some(Type::Choice) => &[
                ("active", "Active"),
                ("paused", "Paused"),
                ("closed", "Closed"),
            ],
            Some(Type::Choices) => &[
                ("fileSharing", "File sharing"),
                ("metrics", "Metrics"),
                ("messaging", "Messaging"),
                ("billing", "Billing"),
            ],
            _ => &[],
        };
        samples.push(Definition {
            key,
            id: None,
            label: Some(label.to_owned()),
            kind,
            theirs: Some(theirs.to_owned()),
            required: false,
            options: options
                .iter()
                .map(|(value, label)| Choice {
                    value: Value::from(*value),
                    label: Some((*label).to_owned()),
                })
                .collect(),
        });
    }
    samples
}

/// `Phone Number` → `phoneNumber`.
fn camel_case(label: &str) -> String {
    let mut key = String::new();
    for word in label.split(' ') {
        let mut letters = word.chars();
        let Some(first) = letters.next() else {
            continue;
        };
        if key.is_empty() {
            key.extend(first.to_lowercase());
        } else {
            key.extend(first.to_uppercase());
        }
        key.push_str(letters.as_str());
    }
    key
}
