//! A mapping's rules resolved against a header and a target. Every mistake is told at its place.

mod constant;
mod rule;

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::columns::Columns;
use super::rule::{RulePlan, Take};
use super::spec::Teller;
use crate::document::to_json;
use crate::field::{Spec, Type};
use crate::issue::{Mistake, TextFile, nearest};
use crate::mapping::file::{Existing, Rule};
use crate::mapping::{FieldRule, Mapping, Requests};
use crate::path::{Path, Step};
use crate::target::{self, Target};
use crate::template::{Expression, Name, Template};

/// What is at hand while rules are compiled.
pub(super) struct Compiler<'m> {
    pub(super) mapping: &'m Mapping,
    pub(super) target: &'m Target,
    pub(super) columns: Columns,
    pub(super) tell: Teller<'m>,
    pub(super) used: HashSet<usize>,
    pub(super) base: Spec,
    pub(super) today: jiff::civil::Date,
}

/// A field of the mapping, compiled.
#[derive(Debug)]
pub(super) struct FieldPlan {
    pub(super) name: Arc<str>,
    pub(super) rules: Vec<RulePlan>,
    /// The values of the rules are the members of an array.
    pub(super) each: bool,
    pub(super) required: bool,
    /// Whether a request that creates a record carries it.
    pub(super) on_create: bool,
    pub(super) caution: Option<CautionPlan>,
}

impl FieldPlan {
    /// The column at which what is wrong with the field is shown.
    pub(super) fn column(&self) -> Option<usize> {
        self.rules.iter().find_map(|rule| rule.take.column())
    }
}

/// Values that the target warns of.
#[derive(Debug)]
pub(super) struct CautionPlan {
    pub(super) fragments: Vec<String>,
    pub(super) missing: bool,
    pub(super) says: String,
}

impl CautionPlan {
    /// Whether this value, as JSON, is one of them.
    pub(super) fn has(&self, fragment: &str) -> bool {
        let bare = fragment.trim_matches('"');
        self.fragments.iter().any(|value| {
            let value = value.trim_matches('"');
            value == bare
                || matches!(
                    (value.parse::<f64>(), bare.parse::<f64>()),
                    (Ok(a), Ok(b)) if a == b
                )
        })
    }
}

/// What the target says of a rule's place.
pub(super) struct Wanted<'t> {
    pub(super) kind: Option<Type>,
    pub(super) field: Option<&'t target::Field>,
}

impl<'m> Compiler<'m> {
    pub(super) fn file(&self) -> &'m Arc<TextFile> {
        &self.mapping.file
    }

    /// The column of this name.
    pub(super) fn column(&mut self, name: &Spanned<String>) -> Option<usize> {
        match self.columns.find(name.get_ref()) {
            Ok(found) => {
                self.used.insert(found.index);
                if found.alike > 1 {
                    let header = self.columns.name(found.index);
                    let note = Mistake::new(
                        "ambiguous-column",
                        format!(
                            "{} columns are called `{header}`; the first is taken",
                            found.alike
                        ),
                    )
                    .at(self.file(), name.span(), "the first of them")
                    .help(format!("write `{header}#2` for the second"))
                    .note();
                    self.tell.add(note);
                }
                Some(found.index)
            }
            Err(missing) => {
                self.tell.tell(
                    "unknown-column",
                    missing.message,
                    name.span(),
                    "no such column",
                    missing.help,
                );
                None
            }
        }
    }

    /// A column that may be missing.
    fn column_if_there(&mut self, name: &str) -> Option<usize> {
        let found = self.columns.find(name).ok()?.index;
        self.used.insert(found);
        Some(found)
    }

    pub(super) fn expression(
        &mut self,
        source: &Spanned<String>,
        sees_body: bool,
    ) -> Option<(Expression, Vec<usize>, bool)> {
        match Expression::compile(source.get_ref()) {
            Ok(expression) => {
                let (columns, body) = self.names(expression.names(), source, sees_body)?;
                Some((expression, columns, body))
            }
            Err(error) => {
                self.tell.tell(
                    "bad-expression",
                    format!("this expression does not compile: {}", error.message),
                    inside(self.file(), source, error.range),
                    "here",
                    None,
                );
                None
            }
        }
    }

    fn template(&mut self, source: &Spanned<String>) -> Option<(Template, Vec<usize>)> {
        match Template::compile(source.get_ref()) {
            Ok(template) => {
                let (columns, _) = self.names(template.names(), source, false)?;
                Some((template, columns))
            }
            Err(error) => {
                self.tell.tell(
                    "bad-template",
                    format!("this template does not compile: {}", error.message),
                    inside(self.file(), source, error.range),
                    "here",
                    None,
                );
                None
            }
        }
    }

    /// The columns that a template or expression names, and whether it names the body.
    fn names(
        &mut self,
        names: &[Name],
        source: &Spanned<String>,
        sees_body: bool,
    ) -> Option<(Vec<usize>, bool)> {
        let mut columns = Vec::new();
        let mut body = false;
        let mut wrong = false;
        for name in names {
            let found = match name.path.as_slice() {
                [root, header, ..] if root == "row" => self
                    .columns
                    .find(header)
                    .map(|found| found.index)
                    .or_else(|missing| self.columns.find_snake(header).map_err(|_| missing)),
                [root] if root == "row" => {
                    let rest = name
                        .range
                        .as_ref()
                        .and_then(|at| source.get_ref().get(at.end..));
                    if rest.is_some_and(|rest| !rest.trim_start().starts_with(['[', '.'])) {
                        wrong = true;
                        self.tell.tell(
                            "unknown-name",
                            "`row` alone is all columns, which is no value".to_owned(),
                            inside(self.file(), source, name.range.clone()),
                            "which column?",
                            Some("name one, such as `row[\"First Name\"]`".to_owned()),
                        );
                    }
                    continue;
                }
                [root, ..] if root == "body" && sees_body => {
                    body = true;
                    continue;
                }
                [root, ..] => self.columns.find_snake(root),
                [] => continue,
            };
            match found {
                Ok(column) => {
                    self.used.insert(column);
                    if !columns.contains(&column) {
                        columns.push(column);
                    }
                }
                Err(missing) => {
                    wrong = true;
                    self.tell.tell(
                        "unknown-name",
                        missing.message,
                        inside(self.file(), source, name.range.clone()),
                        "no such column",
                        missing.help,
                    );
                }
            }
        }
        (!wrong).then_some((columns, body))
    }

    /// Compiles a field. `None` where a mistake leaves nothing to go on with.
    pub(super) fn field(&mut self, rule: &FieldRule) -> Option<FieldPlan> {
        let wanted = self.wanted(rule);
        let told = self.tell.mistakes.len();
        let required = wanted.field.is_some_and(|field| field.spec.required);
        let rules: Vec<RulePlan> = rule
            .rules
            .iter()
            .filter_map(|one| self.rule(rule, one, &wanted, required && !rule.each))
            .collect();
        if required
            && self.tell.mistakes[told..].iter().all(|told| told.note)
            && rules
                .iter()
                .all(|rule| matches!(rule.take, Take::Nothing) && rule.default.is_none())
        {
            self.tell.tell(
                "required-field",
                format!(
                    "`{}` is required, and none of its columns is in this file",
                    rule.name
                ),
                rule.span.clone(),
                "nothing fills it",
                None,
            );
        }
        let caution = wanted.field.and_then(|field| {
            let caution = field.spec.caution.as_ref()?;
            let allowed = &self.mapping.head.allow_caution;
            if allowed.iter().any(|name| *name.get_ref() == *field.name) {
                return None;
            }
            Some(CautionPlan {
                fragments: caution
                    .values
                    .iter()
                    .map(|value| to_json(value).to_string())
                    .collect(),
                missing: caution.missing,
                says: caution.says.clone(),
            })
        });
        self.requests(rule);
        let on_create = rule.requests() != Requests::Updates;
        Some(FieldPlan {
            name: Arc::clone(&rule.name),
            each: rule.each,
            required,
            on_create,
            caution,
            rules,
        })
    }

    /// Whether the field can be sent with the requests that it names.
    fn requests(&mut self, field: &FieldRule) {
        let span = |rule: &Rule| rule.on.as_ref().map(Spanned::span);
        if let Some(other) = field.mixes_requests() {
            self.tell.tell(
                "bad-value",
                format!(
                    "the rules of the list `{}` name different requests in `on`",
                    field.name
                ),
                span(other).unwrap_or(field.key_span.clone()),
                "a list is sent whole or not at all",
                Some("write the same `on` in each of its rules".to_owned()),
            );
        }
        let updates = self.mapping.head.policy.existing.as_ref();
        let updates = updates.is_some_and(|policy| *policy.get_ref() == Existing::Update);
        let keyed = self
            .target
            .update
            .as_ref()
            .is_some_and(|update| update.keyed.is_some());
        if field.requests() == Requests::IfEmpty
            && updates
            && (keyed || self.target.read.is_none())
            && let Some(on) = field.rules.first().and_then(span)
        {
            self.tell.tell(
                "policy",
                format!(
                    "{} cannot be asked what it has, so it cannot be known whether `{}` is empty \
                     there",
                    self.target.file.name, field.name
                ),
                on,
                "cannot be served",
                Some("write on = \"create\", or take it out".to_owned()),
            );
        }
    }

    /// What the target says of the place that a rule fills.
    fn wanted(&mut self, rule: &FieldRule) -> Wanted<'m> {
        let nothing = Wanted {
            kind: None,
            field: None,
        };
        if rule.custom {
            return self.wanted_custom(rule);
        }
        let path = whole(&rule.path);
        if let Some(field) = self.target.field(&path) {
            return Wanted {
                kind: field.kind,
                field: Some(field),
            };
        }
        // A member of an array by its number is described by the array's own member, if at all.
        let target = self.target;
        let is_parent = target
            .fields
            .iter()
            .any(|field| field.path.0.starts_with(&path.0));
        let known = target.holder(&path).is_some()
            || is_parent
            || target.file.open_fields
            || target.natural_path() == Some(&path)
            || named(target.file.key_field.as_ref()).as_ref() == Some(&path);
        if !known {
            let names: Vec<&str> = target.fields.iter().map(|field| &*field.name).collect();
            let help = match nearest(&rule.name, names.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if target.file.custom.is_some() => format!(
                    "its fields are: {}; a custom field belongs under [custom]",
                    super::columns::some_of(&names)
                ),
                None => format!("its fields are: {}", super::columns::some_of(&names)),
            };
            self.tell.tell(
                "unknown-field",
                format!("{} has no field `{}`", target.file.name, rule.name),
                rule.key_span.clone(),
                "no such field",
                Some(help),
            );
        }
        nothing
    }
}

/// A path without the `[]` at its end.
pub(super) fn whole(path: &Path) -> Path {
    match path.0.split_last() {
        Some((Step::Each, rest)) => Path(rest.to_vec()),
        _ => path.clone(),
    }
}

/// The path that a key of the target file names.
pub(super) fn named(text: Option<&String>) -> Option<Path> {
    text.and_then(|text| Path::parse(text).ok())
}

/// The bytes of the file that a range within a text of it stands at.
pub(super) fn inside(
    file: &TextFile,
    text: &Spanned<String>,
    range: Option<Range<usize>>,
) -> Range<usize> {
    crate::mark::inside(file, text.span(), text.get_ref(), range)
}
