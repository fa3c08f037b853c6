//! Reading the file.

use std::collections::BTreeMap;
use std::path::Path as FilePath;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::{AccountDefinitions, Definition, Whose};
use crate::document::{Document, to_json};
use crate::field::{Choice, Type};
use crate::issue::{Mistake, TextFile, nearest};

/// The whole file: one `[[account]]` for each account that was asked.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct CustomFieldsFile {
    /// The accounts.
    account: Vec<AccountSection>,
}

/// `[[account]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccountSection {
    /// The target's name.
    target: String,
    /// Where it was asked.
    base_url: String,
    /// The name that `--account` gave.
    account: Option<String>,
    /// The headers that name a tenant.
    #[serde(default)]
    tenants: BTreeMap<String, String>,
    /// When it was asked.
    read: Option<Datetime>,
    /// Its custom fields.
    #[serde(default)]
    field: Vec<FieldSection>,
}

/// `[[account.field]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct FieldSection {
    /// The name under which its values are sent.
    key: Spanned<String>,
    /// A further name.
    id: Option<String>,
    /// The name that people see.
    label: Option<String>,
    /// A type as in mapping files; left out: any value goes.
    #[serde(rename = "type")]
    kind: Option<Spanned<String>>,
    /// What the target calls it.
    their_type: Option<String>,
    /// A create must hold it.
    #[serde(default)]
    required: bool,
    /// Values, or tables of `value` and `label`.
    #[serde(default)]
    options: Vec<toml::Value>,
}
/// Reads the file. There is no first part where it cannot be read; notes are never told.
pub fn read(path: &FilePath) -> (Option<Vec<AccountDefinitions>>, Vec<Mistake>) {
    let shown = path.display().to_string();
    match std::fs::read_to_string(path) {
        Ok(text) => parse(&Arc::new(TextFile { name: shown, text })),
        Err(error) => {
            let message = format!("the file `{shown}` cannot be read: {error}");
            (None, vec![Mistake::new("custom-fields", message)])
        }
    }
}

pub(super) fn parse(file: &Arc<TextFile>) -> (Option<Vec<AccountDefinitions>>, Vec<Mistake>) {
    let (document, mut mistakes) = Document::parse(file);
    if !mistakes.is_empty() {
        return (None, mistakes);
    }
    let (read, found) = document.read::<CustomFieldsFile>();
    mistakes.extend(found);
    let Some(read) = read else {
        return (None, mistakes);
    };
    let mut accounts = Vec::new();
    for section in read.account {
        let mut definitions: Vec<Definition> = Vec::new();
        for field in section.field {
            let key = field.key.get_ref();
            if definitions.iter().any(|known| known.key == *key) {
                let message = format!("the custom field `{key}` stands here twice");
                mistakes.push(Mistake::new("custom-fields", message).at(
                    file,
                    field.key.span(),
                    "the second time",
                ));
                continue;
            }
            definitions.push(definition(field, file, &mut mistakes));
        }
        accounts.push(AccountDefinitions {
            whose: Whose {
                target: section.target,
                base_url: section.base_url,
                account: section.account,
                tenants: section.tenants,
            },
            read: section
                .read
                .map(|read| read.to_string())
                .unwrap_or_default(),
            definitions,
        });
    }
    let good = mistakes.is_empty();
    (good.then_some(accounts), mistakes)
}

fn definition(
    field: FieldSection,
    file: &Arc<TextFile>,
    mistakes: &mut Vec<Mistake>,
) -> Definition {
    let kind = field.kind.as_ref().and_then(|kind| {
        let parsed = Type::parse(kind.get_ref());
        if parsed.is_none() {
            let known = || Type::ALL.iter().map(|kind| kind.name());
            let help = match nearest(kind.get_ref(), known()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the types are {}", known().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("there is no type `{}`", kind.get_ref());
            mistakes.push(
                Mistake::new("unknown-type", message)
                    .at(file, kind.span(), "not known")
                    .help(help),
            );
        }
        parsed
    });
    let options = field.options.iter().map(|option| match option {
        toml::Value::Table(table) => Choice {
            value: table.get("value").map(to_json).unwrap_or_default(),
            label: table
                .get("label")
                .and_then(toml::Value::as_str)
                .map(str::to_owned),
        },
        value => Choice {
            value: to_json(value),
            label: None,
        },
    });
    Definition {
        options: options.filter(|option| !option.value.is_null()).collect(),
        key: field.key.into_inner(),
        id: field.id,
        label: field.label,
        theirs: field.their_type,
        required: field.required,
        kind,
    }
}
