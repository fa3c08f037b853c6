//! What is known of an account's custom fields, and what a name of one leads to.

use super::{Definition, Whose};
use crate::field::{Type, fold};
use crate::issue::nearest;
use crate::path::Path;
use crate::target::Field;
use crate::target::file::FieldSpec;

/// A custom field that the account has.
#[derive(Debug, Clone)]
pub struct KnownField {
    /// What it is.
    pub definition: Definition,
    /// The same as one of the target's fields, for the checks of values.
    pub field: Field,
    /// Its options are known, and whether it takes one or several is not.
    pub one_or_many: bool,
}

/// What is known of the account's custom fields.
#[derive(Debug, Clone)]
pub enum AccountFields {
    /// Nothing, and why, where there is a reason.
    Unknown(Option<String>),
    /// All of them.
    Known(CustomFields),
}

impl Default for AccountFields {
    fn default() -> Self {
        Self::Unknown(None)
    }
}

/// All custom fields of an account.
#[derive(Debug, Clone)]
pub struct CustomFields {
    /// Whose they are.
    pub whose: Whose,
    fields: Vec<KnownField>,
}

/// What a name of a custom field leads to.
#[derive(Debug)]
pub enum Named<'f> {
    /// One field.
    One(&'f KnownField),
    /// Several fields have this label; their keys.
    Several(Vec<&'f str>),
    /// None; the nearest name, and the key where the name is a label.
    None(Option<(&'f str, Option<&'f str>)>),
}

impl CustomFields {
    /// The custom fields of an account, made ready for checks.
    pub fn new(whose: Whose, definitions: Vec<Definition>) -> Self {
        let fields = definitions.into_iter().map(KnownField::new).collect();
        Self { whose, fields }
    }

    /// All of them, in the target's order.
    pub fn all(&self) -> &[KnownField] {
        &self.fields
    }

    /// Their definitions.
    pub fn definitions(&self) -> Vec<Definition> {
        self.fields
            .iter()
            .map(|known| known.definition.clone())
            .collect()
    }

    /// The field of this key, id or label; letters' case counts only where it must.
    pub fn named(&self, name: &str) -> Named<'_> {
        let folded = fold(name);
        let exact = |text: &Option<String>| text.as_deref() == Some(name);
        let alike = |text: &str| fold(text) == folded;
        let ways: [&dyn Fn(&Definition) -> bool; 4] = [
            &|known| known.key == name,
            &|known| exact(&known.id),
            &|known| exact(&known.label),
            &|known| alike(&known.key) || known.label.as_deref().is_some_and(alike),
        ];
        for way in ways {
            let found: Vec<&KnownField> = self
                .fields
                .iter()
                .filter(|known| way(&known.definition))
                .collect();
            match found.as_slice() {
                [] => {}
                [one] => return Named::One(one),
                several => {
                    return Named::Several(
                        several
                            .iter()
                            .map(|known| known.definition.key.as_str())
                            .collect(),
                    );
                }
            }
        }
        let names = self.fields.iter().flat_map(|known| {
            let definition = &known.definition;
            std::iter::once(definition.key.as_str()).chain(definition.label.as_deref())
        });
        let near = nearest(name, names).map(|near| {
            let by_label = self
                .fields
                .iter()
                .all(|known| known.definition.key != near)
                .then(|| {
                    self.fields
                        .iter()
                        .find(|known| known.definition.label.as_deref() == Some(near))
                })
                .flatten();
            (near, by_label.map(|known| known.definition.key.as_str()))
        });
        Named::None(near)
    }
}

impl KnownField {
    fn new(definition: Definition) -> Self {
        let chooses = matches!(definition.kind, Some(Type::Choice | Type::Choices));
        let one_or_many = definition.kind.is_none() && !definition.options.is_empty();
        let kind = match definition.kind {
            None if one_or_many => Some(Type::Choice),
            // Its members are the mapping's business.
            Some(Type::Object | Type::Json) => None,
            kind => kind,
        };
        let options = (chooses || one_or_many).then(|| {
            definition
                .options
                .iter()
                .filter_map(|option| {
                    let mut table = toml::Table::new();
                    let value = toml::Value::try_from(&option.value).ok()?;
                    table.insert("value".to_owned(), value);
                    if let Some(label) = &option.label {
                        table.insert("label".to_owned(), label.as_str().into());
                    }
                    Some(toml::Value::Table(table))
                })
                .collect()
        });
        let field = Field {
            path: Path::key(definition.key.as_str()),
            name: definition.key.as_str().into(),
            kind,
            spec: FieldSpec {
                kind: kind.map(|kind| kind.name().to_owned()),
                required: definition.required,
                options,
                ..FieldSpec::default()
            },
            pattern: None,
        };
        Self {
            definition,
            field,
            one_or_many,
        }
    }
}
