//! `[custom]`: keys checked against what the account is known to have.

use super::compile::{Compiler, Wanted};
use super::demands::{keys_of_path, keys_of_place};
use super::shape;
use crate::field::Type;
use crate::issue::Mistake;
use crate::mapping::FieldRule;
use crate::path::{Path, Step};
use crate::target::custom::{AccountFields, CustomFields, FILE, KnownField, Named};

/// The first step of a custom field's path, as text.
fn key_of(rule: &FieldRule) -> &str {
    match rule.path.0.first() {
        Some(Step::Key(key)) => key.as_str(),
        _ => "",
    }
}

/// Whether the values of a rule are a list.
fn gives_list(rule: &FieldRule) -> bool {
    let splits = |rule: &crate::mapping::file::Rule| {
        rule.split.is_some() && rule.pick.is_none() && rule.join.is_none()
    };
    rule.each || rule.rules.iter().any(splits)
}

/// What a rule under `[custom]` names.
enum Meant<'m> {
    /// A field, and the path within it.
    Field(&'m KnownField, Vec<Step>),
    /// Fields of one label; their keys.
    Several(Vec<&'m str>),
    /// None; the nearest name, and its key where it is a label.
    None(Option<(&'m str, Option<&'m str>)>),
}

fn meant<'m>(known: &'m CustomFields, rule: &FieldRule) -> Meant<'m> {
    let rest = || rule.path.0.get(1..).unwrap_or_default().to_vec();
    // A dot may be part of a label, whatever its first part names besides.
    if rule.path.0.len() > 1
        && let Named::One(field) = known.named(rule.name.trim_end_matches("[]"))
    {
        let last = rule.path.0.last().filter(|step| **step == Step::Each);
        return Meant::Field(field, last.cloned().into_iter().collect());
    }
    match known.named(key_of(rule)) {
        Named::One(field) => Meant::Field(field, rest()),
        Named::Several(keys) => Meant::Several(keys),
        Named::None(near) => Meant::None(near),
    }
}

impl<'m> Compiler<'m> {
    fn known_custom(&self) -> Option<&'m CustomFields> {
        match &self.target.account_fields {
            AccountFields::Known(known) => Some(known),
            AccountFields::Unknown(_) => None,
        }
    }

    /// The path of a rule under `[custom]`, with the key that the target wants in place of an id
    /// or a label.
    pub(super) fn custom_path(&self, rule: &FieldRule) -> Path {
        let Some(known) = self.known_custom() else {
            return rule.path.clone();
        };
        match meant(known, rule) {
            Meant::Field(field, rest) => field.field.path.join(&Path(rest)),
            _ => rule.path.clone(),
        }
    }

    /// What the account takes at the place of a rule under `[custom]`.
    pub(super) fn wanted_custom(&mut self, rule: &FieldRule) -> Wanted<'m> {
        let nothing = Wanted {
            kind: None,
            field: None,
        };
        let Some(custom) = &self.target.file.custom else {
            self.tell.tell(
                "no-custom-fields",
                format!("{} has no custom fields", self.target.file.name),
                rule.key_span.clone(),
                "nowhere to go",
                Some("if it is a field of the API, move the line under [fields]".to_owned()),
            );
            return nothing;
        };
        let Some(known) = self.known_custom() else {
            self.number_wanted(rule);
            return nothing;
        };
        let (field, rest) = match meant(known, rule) {
            Meant::Field(field, rest) => (field, rest),
            Meant::Several(keys) => {
                self.tell.tell(
                    "ambiguous-custom-field",
                    format!("{} custom fields are called `{}`", keys.len(), key_of(rule)),
                    rule.key_span.clone(),
                    "which one?",
                    Some(format!("write its key: {}", super::columns::some_of(&keys))),
                );
                return nothing;
            }
            Meant::None(_) if custom.open => return nothing,
            Meant::None(near) => {
                self.unknown_custom(rule, known, near);
                return nothing;
            }
        };
        if !rest.iter().all(|step| *step == Step::Each) {
            // Parts of an object, of JSON, or of a type that nobody knows.
            if let Some(kind) = field.field.kind
                && kind != Type::Array
            {
                self.tell.tell(
                    "unknown-field",
                    format!(
                        "the custom field `{}` is of the type {}, and has no parts",
                        field.definition.key,
                        kind.name()
                    ),
                    rule.key_span.clone(),
                    "no such part",
                    Some(format!("write `{}` alone", field.definition.key)),
                );
            }
            return nothing;
        }
        let kind = match field.field.kind {
            Some(Type::Choice) if field.one_or_many && gives_list(rule) => Some(Type::Choices),
            kind => kind,
        };
        Wanted {
            kind,
            field: Some(&field.field),
        }
    }

    /// A key that must be a number where nothing is known of the account.
    fn number_wanted(&mut self, rule: &FieldRule) {
        let by_number = self
            .target
            .file
            .custom
            .as_ref()
            .is_some_and(|custom| custom.key_type.as_deref() == Some("integer"));
        let key = key_of(rule);
        if by_number && key.parse::<i64>().is_err() {
            let mut help = "write the field's id, such as 12".to_owned();
            if self.target.discover.is_some() {
                help.push_str(&format!(
                    "; its label serves too once `{}` has asked the account",
                    self.command()
                ));
            }
            self.tell.tell(
                "bad-custom-key",
                format!(
                    "{} knows its custom fields by number, and `{key}` is none",
                    self.target.file.name
                ),
                rule.key_span.clone(),
                "not a number",
                Some(help),
            );
        }
    }

    fn unknown_custom(
        &mut self,
        rule: &FieldRule,
        known: &'m CustomFields,
        near: Option<(&'m str, Option<&'m str>)>,
    ) {
        let names: Vec<&str> = known
            .all()
            .iter()
            .map(|known| known.definition.key.as_str())
            .collect();
        let help = match near {
            Some((near, Some(key))) => format!("did you mean `{near}` (its key is {key})?"),
            Some((near, None)) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "it has none at all.".to_owned(),
            None => format!(
                "its custom fields are: {}.",
                super::columns::some_of(&names)
            ),
        };
        self.tell.tell(
            "unknown-custom-field",
            format!("the account has no custom field `{}`", key_of(rule)),
            rule.key_span.clone(),
            "no such custom field",
            Some(format!(
                "{help} If it is new in the account, `{}` asks again",
                self.command()
            )),
        );
    }

    /// The command that asks the account for its custom fields.
    fn command(&self) -> String {
        let path = self.mapping.path.display().to_string();
        if path.contains(|c: char| c.is_whitespace() || c == '\'') {
            format!(
                "rowferry fields --mapping '{}'",
                path.replace('\'', "'\\''")
            )
        } else {
            format!("rowferry fields --mapping {path}")
        }
    }

    /// Tells what the account demands of the mapping's custom fields, or that nobody knows them.
    pub(super) fn custom_demands(&mut self) {
        let Some(custom) = &self.target.file.custom else {
            return;
        };
        let known = match &self.target.account_fields {
            AccountFields::Known(known) => known,
            AccountFields::Unknown(why) => {
                if why.is_some() || (!custom.open && self.target.discover.is_some()) {
                    self.unchecked(why.as_deref());
                }
                return;
            }
        };
        for one in known.all() {
            let definition = &one.definition;
            if !definition.required {
                continue;
            }
            let Ok(place) = shape::place_of_custom(&one.field.path, custom) else {
                continue;
            };
            if self.fills(&keys_of_place(&place), true) {
                continue;
            }
            let called = match &definition.label {
                Some(label) if *label != definition.key => {
                    format!("`{}` ({label})", definition.key)
                }
                _ => format!("`{}`", definition.key),
            };
            let mut mistake = Mistake::new(
                "required-field",
                format!(
                    "{} requires the custom field {called}, and nothing fills it",
                    self.target.file.name
                ),
            )
            .help(format!(
                "add a line under [custom]: {} = \"its column\"",
                keys_of_path(&one.field.path).join(".")
            ));
            if let Some(named) = &self.mapping.head.target {
                mistake = mistake.at(&self.mapping.file, named.span(), "this target");
            }
            self.tell.add(mistake);
        }
    }

    fn unchecked(&mut self, why: Option<&str>) {
        let mut rules = self.mapping.rules.iter().filter(|rule| rule.custom);
        let Some(first) = rules.next() else { return };
        let what = match rules.count() {
            0 => "the key".to_owned(),
            more => format!("the {} keys", more + 1),
        };
        let why = why.unwrap_or("the account's custom fields are not known");
        let mut note = Mistake::new(
            "unknown-custom-fields",
            format!("{why}, so {what} under [custom] cannot be checked"),
        )
        .at(&self.mapping.file, first.key_span.clone(), "not checked");
        if self.target.discover.is_some() {
            note = note.help(format!(
                "`{}` asks the account, and writes what it has into {FILE}",
                self.command()
            ));
        }
        self.tell.add(note.note());
    }
}
