//! What a target asks of a mapping as a whole: required fields, cautions, policies it can serve.

use super::compile::{Compiler, named, whole};
use super::shape::{self, Place, Seg};
use crate::issue::{Mistake, nearest};
use crate::mapping::file::Existing;
use crate::mapping::{FieldRule, Requests};
use crate::path::{Path, Step};
use crate::target::file::UpdateMode;

/// The names of a place's members, for comparing it with what a target names.
pub(super) fn keys_of_place(place: &Place) -> Vec<String> {
    place
        .iter()
        .map(|seg| match seg {
            Seg::Key(key) | Seg::Pair(key) => key.clone(),
            Seg::Index(index) => index.to_string(),
        })
        .collect()
}

pub(super) fn keys_of_path(path: &Path) -> Vec<String> {
    path.0
        .iter()
        .filter_map(|step| match step {
            Step::Key(key) => Some(key.clone()),
            Step::Index(index) => Some(index.to_string()),
            Step::Each => None,
        })
        .collect()
}

impl Compiler<'_> {
    /// Where a rule's value stands in the body, if that can be said.
    pub(super) fn place(&self, rule: &FieldRule) -> Result<Place, String> {
        match (&self.target.file.custom, rule.custom) {
            (Some(custom), true) => shape::place_of_custom(&self.custom_path(rule), custom),
            (None, true) => Err("the target has no custom fields".to_owned()),
            (_, false) => shape::place_of_field(&rule.path),
        }
    }

    /// Whether some rule, or the natural key, fills what stands at these names.
    pub(super) fn fills(&self, keys: &[String], create: bool) -> bool {
        let meets = |filled: &[String]| filled.starts_with(keys) || keys.starts_with(filled);
        let natural = self.target.natural_path().map(keys_of_path);
        natural.is_some_and(|natural| meets(&natural))
            || self.mapping.rules.iter().any(|rule| {
                let sent = !create || rule.requests() != Requests::Updates;
                sent && self
                    .place(rule)
                    .is_ok_and(|place| meets(&keys_of_place(&place)))
            })
    }

    /// Tells what the mapping lacks that the target asks for.
    pub(super) fn demands(&mut self) {
        self.required();
        self.cautions();
        self.existing();
        self.custom_demands();
    }

    fn required(&mut self) {
        let target = self.target;
        for field in &target.fields {
            if !field.spec.required || self.fills(&keys_of_path(&field.path), true) {
                continue;
            }
            let mut mistake = Mistake::new(
                "required-field",
                format!(
                    "{} requires `{}`, and nothing fills it",
                    target.file.name, field.name
                ),
            )
            .help(format!(
                "add a line under [fields]: {} = \"its column\"",
                field.name
            ));
            if let Some(named) = &self.mapping.head.target {
                mistake = mistake.at(&self.mapping.file, named.span(), "this target");
            }
            self.tell.add(mistake);
        }
    }

    fn cautions(&mut self) {
        let target = self.target;
        let careful: Vec<&str> = target
            .fields
            .iter()
            .filter(|field| field.spec.caution.is_some())
            .map(|field| &*field.name)
            .collect();
        for allowed in &self.mapping.head.allow_caution {
            if careful.contains(&allowed.get_ref().as_str()) {
                continue;
            }
            let help = match nearest(allowed.get_ref(), careful.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if careful.is_empty() => "take it out".to_owned(),
                None => format!(
                    "it warns of values of {}",
                    super::columns::some_of(&careful)
                ),
            };
            self.tell.tell(
                "unknown-caution",
                format!(
                    "{} does not warn of any value of `{}`",
                    target.file.name,
                    allowed.get_ref()
                ),
                allowed.span(),
                "no such caution",
                Some(help),
            );
        }
        for field in &target.fields {
            let Some(caution) = &field.spec.caution else {
                continue;
            };
            let allowed = self
                .mapping
                .head
                .allow_caution
                .iter()
                .any(|name| *name.get_ref() == *field.name);
            if !caution.missing || allowed || self.fills(&keys_of_path(&field.path), true) {
                continue;
            }
            let mut mistake = Mistake::new(
                "caution",
                format!(
                    "nothing fills `{}` of {}, which warns: {}",
                    field.name, target.file.name, caution.says
                ),
            )
            .help(format!(
                "map it, or write allow_caution = [\"{}\"] if that is meant",
                field.name
            ));
            if let Some(named) = &self.mapping.head.target {
                mistake = mistake.at(&self.mapping.file, named.span(), "this target");
            }
            self.tell.add(mistake);
        }
    }

    /// Whether the target can tell what it has already.
    fn existing(&mut self) {
        let Some(policy) = &self.mapping.head.policy.existing else {
            return;
        };
        let existing = *policy.get_ref();
        if existing == Existing::Create {
            return;
        }
        let word = match existing {
            Existing::Create => "create",
            Existing::Skip => "skip",
            Existing::Update => "update",
            Existing::Reject => "reject",
        };
        let target = self.target;
        if existing == Existing::Update && target.update.is_none() {
            self.tell.tell(
                "policy",
                format!("{} has no way to change a record", target.file.name),
                policy.span(),
                "cannot be served",
                Some("write \"skip\" or \"reject\", or leave it out".to_owned()),
            );
            return;
        }
        if existing == Existing::Update {
            self.unreadable(policy.span());
        }
        // Each way to know a record, as the fields that it needs.
        let mut ways: Vec<Vec<Vec<String>>> = Vec::new();
        for lookup in &target.lookups {
            let texts = std::iter::once(&lookup.endpoint.path)
                .chain(lookup.endpoint.query.iter().map(|(_, text)| text))
                .chain(lookup.where_.iter().map(|(_, text)| text));
            let names = texts.flat_map(|text| text.names()).filter(|name| {
                !matches!(
                    name.first().map(String::as_str),
                    None | Some("key" | "key_hash")
                )
            });
            ways.push(names.map(<[String]>::to_vec).collect());
        }
        ways.extend(target.list.iter().map(|list| vec![keys_of_path(&list.by)]));
        if existing == Existing::Update
            && let Some(keyed) = target
                .update
                .as_ref()
                .and_then(|update| update.keyed.as_ref())
        {
            ways.push(vec![keys_of_path(keyed)]);
        }
        ways.extend(target.natural_path().map(|path| vec![keys_of_path(path)]));
        if ways.is_empty() && existing != Existing::Update && !target.file.create.exists.is_empty()
        {
            // The target says so itself when it is asked to create.
            ways.push(Vec::new());
        }
        if ways.is_empty() {
            self.tell.tell(
                "policy",
                format!(
                    "{} has no way to say what it has already, so `existing = \"{word}\"` cannot be \
                     served",
                    target.file.name
                ),
                policy.span(),
                "cannot be served",
                Some("leave it out, so that the target is not asked".to_owned()),
            );
            return;
        }
        let usable = ways
            .iter()
            .any(|fields| fields.iter().all(|keys| self.fills(keys, false)));
        if !usable {
            let mut fields: Vec<String> = ways
                .iter()
                .flatten()
                .filter(|keys| !self.fills(keys, false))
                .map(|keys| keys.join("."))
                .collect();
            fields.sort();
            fields.dedup();
            self.tell.tell(
                "policy",
                format!(
                    "`existing = \"{word}\"` needs the field by which {} finds a record, and it is \
                     not mapped",
                    target.file.name
                ),
                policy.span(),
                "cannot be served",
                Some(format!(
                    "map {}",
                    fields
                        .iter()
                        .map(|field| format!("`{field}`"))
                        .collect::<Vec<_>>()
                        .join(" or ")
                )),
            );
        }
    }

    /// A replacing update would clear what cannot be read back and is not mapped.
    fn unreadable(&mut self, policy: std::ops::Range<usize>) {
        let target = self.target;
        let Some(update) = &target.update else { return };
        if update.mode != UpdateMode::Replace || update.keyed.is_some() {
            return;
        }
        let lost: Vec<String> = update
            .unreadable
            .iter()
            .filter(|path| !self.fills(&keys_of_path(path), false))
            .map(|path| format!("`{path}`"))
            .collect();
        if lost.is_empty() {
            return;
        }
        self.tell.tell(
            "policy",
            format!(
                "an update of {} replaces the whole record, and {} cannot be read back, so it would be cleared",
                target.file.name,
                lost.join(" and ")
            ),
            policy,
            "would clear it",
            Some(format!("map {}, or leave the policy out", lost.join(" and "))),
        );
    }

    /// The rule of the field that the target calls its own external key.
    pub(super) fn key_field(&self) -> Option<usize> {
        let path = named(self.target.file.key_field.as_ref())?;
        self.mapping
            .rules
            .iter()
            .position(|rule| !rule.custom && whole(&rule.path) == path)
    }
}
