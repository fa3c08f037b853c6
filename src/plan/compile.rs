//! A mapping's rules resolved against a header and a target. Every mistake is told at its place.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::cells::Nulls;
use super::columns::Columns;
use super::rule::{Lookup, Map, Mapped, Others, Parts, RulePlan, Split, Take, Taken};
use super::spec::{self, Teller, text_of};
use crate::document::to_json;
use crate::field::limits::Bound;
use crate::field::{Reader, Spec, Type, Value, fold, write_json_str};
use crate::issue::{Mistake, TextFile, nearest};
use crate::mapping::file::{Existing, OnError, Rule};
use crate::mapping::{FieldRule, Mapping, Requests, lookup};
use crate::path::{Path, Step};
use crate::row::{Kind, RowBatch};
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
    fn file(&self) -> &'m Arc<TextFile> {
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
                [root] if root == "row" => continue,
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

    fn rule(
        &mut self,
        field: &FieldRule,
        rule: &Rule,
        wanted: &Wanted<'_>,
        required: bool,
    ) -> Option<RulePlan> {
        let told = self.tell.mistakes.len();
        let declared = rule.kind.as_ref().and_then(|kind| {
            let parsed = Type::parse(kind.get_ref());
            if parsed.is_none() {
                let names = Type::ALL.iter().map(|kind| kind.name());
                let help = match nearest(kind.get_ref(), names.clone()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the types are: {}", names.collect::<Vec<_>>().join(", ")),
                };
                self.tell.tell(
                    "unknown-type",
                    format!("there is no type `{}`", kind.get_ref()),
                    kind.span(),
                    "not known",
                    Some(help),
                );
            }
            parsed
        });
        let parts = self.parts(rule);
        let is_list = matches!(parts, Some(Parts::List));
        let wanted_kind = self.wanted_of_one(field, rule, wanted, is_list);
        let kind = self.kind(field, rule, wanted_kind, declared, is_list);
        let known = declared.is_some() || wanted.kind.is_some();
        let own_options = rule
            .options
            .as_ref()
            .map(|own| spec::choices(own.get_ref()));
        let target_options = || {
            wanted
                .field
                .and_then(|field| field.spec.options.as_deref())
                .map(spec::choices)
                .unwrap_or_default()
        };
        let reads_choice = matches!(kind, Type::Choice | Type::Choices);
        let options = match &own_options {
            Some(own) => own.clone(),
            None if reads_choice => target_options(),
            None => Vec::new(),
        };
        if declared.is_none() && rule.kind.is_none() {
            self.belongs(field, rule, kind);
        }
        if rule.lookup.is_none() {
            self.bounds(rule, kind);
        }
        let spec = spec::of_rule(rule, &self.base, options, &mut self.tell);
        let reader = self.reader(kind, spec, field, rule)?;
        let to_choice = matches!(wanted_kind, Some(Type::Choice | Type::Choices));
        let chosen = if to_choice && !reads_choice && rule.lookup.is_none() {
            let options = own_options.clone().unwrap_or_else(target_options);
            let spec = Spec {
                options,
                ..self.base.clone()
            };
            Reader::new(Type::Choice, spec).ok()
        } else {
            None
        };
        let found_kind = match wanted_kind {
            Some(Type::Choices) => Some(Type::Choice),
            other => other,
        };
        let lookup = rule.lookup.as_ref().and_then(|file| {
            let spec = Spec {
                options: own_options.clone().unwrap_or_else(target_options),
                ..self.base.clone()
            };
            let reader = match found_kind {
                None | Some(Type::Text) => None,
                Some(kind) => Reader::new(kind, spec).ok(),
            };
            self.lookup(file, reader)
        });
        let clean = spec::steps(&rule.clean, &mut self.tell);
        let mut limits = vec![spec::limits(rule, self.today, &mut self.tell)];
        if let Some(target) = wanted.field
            && !field.each
        {
            limits.push(spec::limits_of(target, self.today));
        }
        limits.retain(|limits| !limits.is_empty());
        let as_text = field.custom
            && self
                .target
                .file
                .custom
                .as_ref()
                .is_some_and(|custom| custom.value_type.as_deref() == Some("text"));
        let one_is_list = !is_list
            && !field.each
            && (wanted.kind == Some(Type::Choices)
                || declared == Some(Type::Choices)
                || (wanted.kind == Some(Type::Array)
                    && !matches!(kind, Type::Array | Type::Json | Type::Object)));
        if as_text && (is_list || one_is_list || field.each) {
            self.tell.tell(
                "type-mismatch",
                format!("`{}` takes one text, and this gives a list", field.name),
                field.span.clone(),
                "gives a list",
                Some("add `join = \", \"` to make one text of it".to_owned()),
            );
        }
        if !(is_list || one_is_list || field.each) {
            for (key, items) in [
                ("min_items", &rule.min_items),
                ("max_items", &rule.max_items),
            ] {
                let Some(items) = items else { continue };
                self.tell.tell(
                    "no-effect",
                    format!(
                        "`{key}` counts the values of a list, and `{}` is none",
                        field.name
                    ),
                    items.span(),
                    "has no effect here",
                    Some("`split` makes a list of a text".to_owned()),
                );
            }
        }
        let when = rule
            .when
            .as_ref()
            .and_then(|when| self.expression(when, false))
            .map(|(expression, ..)| expression);
        let region_from = rule.region_from.as_ref().and_then(|name| {
            let nulls = self.mapping.head.source.nulls.as_deref();
            Some((self.column(name)?, Nulls::new(nulls.unwrap_or_default())))
        });
        let take = self.take(field, rule)?;
        let mut plan = RulePlan {
            when,
            take,
            nulls: rule.nulls.as_deref().map(Nulls::new),
            clean,
            split: rule.split.as_ref().zip(parts).map(|(split, parts)| Split {
                separators: split.get_ref().values.clone(),
                parts,
            }),
            map: None,
            reader,
            region_from,
            lookup,
            options: chosen,
            limits,
            items: (
                rule.min_items.as_ref().map(|items| *items.get_ref()),
                rule.max_items.as_ref().map(|items| *items.get_ref()),
            ),
            one_is_list,
            as_text,
            default: None,
            required: required
                || rule
                    .required
                    .as_ref()
                    .is_some_and(|required| *required.get_ref()),
            empty: self.empty(rule),
            formatted: rule.output.is_some(),
            on_error: rule
                .on_error
                .as_ref()
                .map_or(OnError::Reject, |on_error| *on_error.get_ref()),
            watch: false,
        };
        plan.map = self.map(rule, &plan, known);
        self.one_of(field, rule, &mut plan, known);
        if let Some(default) = &rule.default {
            plan.default = self.default(field, default, &plan, known);
        }
        if self.tell.mistakes[told..].iter().any(|told| !told.note) {
            return None;
        }
        if let Some(value) = &rule.value {
            self.constant(field, value, &mut plan, known);
        }
        Some(plan)
    }

    /// What the target wants of one value of a rule, once lists are taken apart.
    fn wanted_of_one(
        &mut self,
        field: &FieldRule,
        rule: &Rule,
        wanted: &Wanted<'_>,
        is_list: bool,
    ) -> Option<Type> {
        let list = is_list || field.each;
        match wanted.kind {
            Some(Type::Choices) if list => Some(Type::Choice),
            Some(Type::Array | Type::Json) if list => None,
            Some(kind) if list && kind != Type::Choices => {
                let (span, help) = match &rule.split {
                    Some(split) if is_list => (
                        split.span(),
                        "add `join = \", \"` for one text, or `pick = \"first\"` for one part",
                    ),
                    _ => (field.key_span.clone(), "write the path without `[]`"),
                };
                self.tell.tell(
                    "type-mismatch",
                    format!(
                        "`{}` takes one {}, and this gives a list",
                        field.name,
                        noun(kind)
                    ),
                    span,
                    "gives a list",
                    Some(help.to_owned()),
                );
                None
            }
            other => other,
        }
    }

    /// The type as which a rule's value is read.
    fn kind(
        &mut self,
        field: &FieldRule,
        rule: &Rule,
        wanted: Option<Type>,
        declared: Option<Type>,
        is_list: bool,
    ) -> Type {
        let kind = match (declared, wanted) {
            (Some(declared), _) => declared,
            (None, _) if rule.lookup.is_some() => Type::Text,
            (None, Some(wanted)) => wanted,
            (None, None) => Type::Text,
        };
        if let (Some(declared), Some(wanted)) = (declared, wanted)
            && rule.lookup.is_none()
            && !spec::serves(declared, wanted, rule.output.is_some())
        {
            self.tell.tell(
                "type-mismatch",
                format!(
                    "`{}` takes {}, which `{}` does not give",
                    field.name,
                    with_article(wanted),
                    declared.name()
                ),
                rule.kind.as_ref().map_or(field.span.clone(), Spanned::span),
                "does not suit the field",
                Some(format!(
                    "leave `type` out, or write `type = \"{}\"`",
                    wanted.name()
                )),
            );
        }
        match kind {
            Type::Choices if is_list || field.each => Type::Choice,
            other => other,
        }
    }

    /// Keys of single types beside a type that only the target, or nobody, names.
    fn belongs(&mut self, field: &FieldRule, rule: &Rule, kind: Type) {
        fn span<T>(value: &Option<Spanned<T>>) -> Option<Range<usize>> {
            value.as_ref().map(Spanned::span)
        }
        use Type::{Choice, Choices, Country, Date, DateTime, Decimal, Integer, Phone};
        type Key<'k> = (&'k str, Option<Range<usize>>, &'k [Type]);
        let of_types: [Key<'_>; 12] = [
            ("formats", span(&rule.formats), &[Date, DateTime]),
            ("output", span(&rule.output), &[Date, DateTime, Country]),
            ("century", span(&rule.century), &[Date, DateTime]),
            ("unit", span(&rule.unit), &[Integer, Decimal]),
            ("true_values", span(&rule.true_values), &[Type::Boolean]),
            ("false_values", span(&rule.false_values), &[Type::Boolean]),
            ("timezone", span(&rule.timezone), &[DateTime]),
            ("region", span(&rule.region), &[Phone]),
            ("region_from", span(&rule.region_from), &[Phone]),
            ("extension", span(&rule.extension), &[Phone]),
            ("accept", span(&rule.accept), &[Phone]),
            ("options", span(&rule.options), &[Choice, Choices]),
        ];
        for (key, span, types) in of_types {
            let Some(span) = span.filter(|_| !types.contains(&kind)) else {
                continue;
            };
            let names: Vec<String> = types
                .iter()
                .map(|kind| format!("type = \"{}\"", kind.name()))
                .collect();
            self.tell.tell(
                "no-effect",
                format!(
                    "`{key}` does not go with `{}`, which is read as {}",
                    field.name,
                    kind.name()
                ),
                span,
                "has no effect here",
                Some(format!("it belongs to {}", names.join(", "))),
            );
        }
    }

    /// Least and greatest values that cannot be asked of the type.
    fn bounds(&mut self, rule: &Rule, kind: Type) {
        let (numbers, dates) = match kind {
            Type::Integer | Type::Decimal => (true, false),
            Type::Date | Type::DateTime => (false, true),
            Type::Text | Type::Choice | Type::Choices | Type::Json => (true, true),
            _ => (false, false),
        };
        for (key, bound) in [("min", &rule.min), ("max", &rule.max)] {
            let Some(bound) = bound else { continue };
            let text = text_of(bound.get_ref()).unwrap_or_default();
            let (fits, what) = match Bound::parse(&text, self.today) {
                Ok(Bound::Number(_)) => (numbers, "number"),
                Ok(Bound::Date(_)) => (dates, "date"),
                Err(_) => continue,
            };
            if !fits {
                self.tell.tell(
                    "bad-limits",
                    format!(
                        "`{key}` is a {what}, and the type `{}` has none",
                        kind.name()
                    ),
                    bound.span(),
                    "cannot be compared",
                    None,
                );
            }
        }
    }

    fn reader(&mut self, kind: Type, spec: Spec, field: &FieldRule, rule: &Rule) -> Option<Reader> {
        match Reader::new(kind, spec) {
            Ok(reader) => Some(reader),
            Err(message) => {
                let span = [
                    rule.formats.as_ref().map(Spanned::span),
                    rule.output.as_ref().map(Spanned::span),
                    rule.region.as_ref().map(Spanned::span),
                    rule.true_values.as_ref().map(Spanned::span),
                    rule.false_values.as_ref().map(Spanned::span),
                    rule.kind.as_ref().map(Spanned::span),
                ]
                .into_iter()
                .flatten()
                .next()
                .unwrap_or(field.span.clone());
                self.tell.tell(
                    "bad-setting",
                    format!("`{}` cannot be read like this", field.name),
                    span,
                    message,
                    None,
                );
                None
            }
        }
    }

    fn parts(&mut self, rule: &Rule) -> Option<Parts> {
        rule.split.as_ref()?;
        Some(match (&rule.pick, &rule.join) {
            (Some(pick), _) => Parts::Pick(*pick.get_ref()),
            (None, Some(join)) => Parts::Join(join.get_ref().clone()),
            (None, None) => Parts::List,
        })
    }

    fn take(&mut self, field: &FieldRule, rule: &Rule) -> Option<Take> {
        if let Some(template) = &rule.template {
            let (template, columns) = self.template(template)?;
            return Some(Take::Template(Box::new(template), columns));
        }
        if rule.value.is_some() {
            // Filled in by `constant`.
            return Some(Take::Nothing);
        }
        let Some(columns) = &rule.column else {
            self.tell.tell(
                "no-source",
                format!("nothing says where `{}` comes from", field.name),
                field.span.clone(),
                "needs `column`, `template` or `value`",
                None,
            );
            return None;
        };
        let names = &columns.get_ref().values;
        if let ([name], false) = (names.as_slice(), rule.optional) {
            return self.column(name).map(Take::Column);
        }
        let found: Vec<usize> = names
            .iter()
            .filter_map(|name| self.column_if_there(name.get_ref()))
            .collect();
        match (found.as_slice(), &rule.join) {
            ([], _) if rule.optional => Some(Take::Nothing),
            ([], _) => {
                for name in names {
                    self.column(name);
                }
                None
            }
            ([one], _) => Some(Take::Column(*one)),
            (_, Some(join)) => Some(Take::Join(found, join.get_ref().clone())),
            (_, None) => Some(Take::First(found)),
        }
    }

    fn empty(&mut self, rule: &Rule) -> Option<&'static str> {
        let empty = rule.empty.as_ref()?;
        match empty.get_ref().as_str() {
            "null" => Some("null"),
            "" => Some("\"\""),
            other => {
                self.tell.tell(
                    "unknown-value",
                    format!("`{other}` does not say what is sent for an empty field"),
                    empty.span(),
                    "not known",
                    Some("write \"null\" or \"\"; for a value of your own write `default`".into()),
                );
                None
            }
        }
    }

    fn lookup(
        &mut self,
        file: &Spanned<crate::mapping::file::LookupSpec>,
        reader: Option<Reader>,
    ) -> Option<Lookup> {
        let dir = self
            .mapping
            .path
            .parent()
            .unwrap_or(std::path::Path::new(""));
        match lookup::Table::load(dir, file, &self.mapping.file) {
            Ok(table) => Some(Lookup {
                table,
                file: file.get_ref().file.clone(),
                reader,
            }),
            Err(mistakes) => {
                for mistake in mistakes {
                    self.tell.add(mistake);
                }
                None
            }
        }
    }

    fn map(&mut self, rule: &Rule, plan: &RulePlan, known: bool) -> Option<Map> {
        let table = rule.map.as_ref()?;
        let mut values: HashMap<Box<str>, usize> = HashMap::new();
        let mut mapped: Vec<Mapped> = Vec::new();
        let mut keys = Vec::new();
        for (key, value) in table.get_ref() {
            let Some(one) = self.mapped(value, table.span(), plan, known) else {
                continue;
            };
            let at = mapped.len();
            let folded = fold(key);
            if let Some(&other) = values.get(folded.as_ref())
                && !same(&mapped[other], &one)
            {
                self.tell.tell(
                    "map-twice",
                    format!("`{key}` stands twice in this map, with different values"),
                    table.span(),
                    "letters' case and outer space do not count",
                    None,
                );
            }
            values.insert(folded.as_ref().into(), at);
            values.entry(key.as_str().into()).or_insert(at);
            mapped.push(one);
            keys.push(key.clone());
        }
        let reads = !matches!(plan.reader.ty(), Type::Text | Type::Choice | Type::Choices);
        let others = match &rule.map_others {
            None if reads => Others::Keep,
            None => Others::Error,
            Some(others) => match others.get_ref() {
                toml::Value::String(word) if word == "error" => Others::Error,
                toml::Value::String(word) if word == "keep" => Others::Keep,
                toml::Value::String(word) if word == "null" => Others::Value(Mapped::Null),
                value => Others::Value(self.mapped(value, others.span(), plan, known)?),
            },
        };
        Some(Map {
            values,
            mapped,
            keys,
            others,
        })
    }

    /// A value of a map, read at once where no cell of the row is needed for it.
    fn mapped(
        &mut self,
        value: &toml::Value,
        span: Range<usize>,
        plan: &RulePlan,
        known: bool,
    ) -> Option<Mapped> {
        let Some(text) = text_of(value) else {
            return Some(Mapped::Ready(
                Value::from_json(&to_json(value)).into_owned(),
            ));
        };
        let text = crate::field::trim(&text).to_owned();
        if text.is_empty() {
            return Some(Mapped::Null);
        }
        if plan.lookup.is_some() || plan.reader.ty() == Type::Phone {
            return Some(Mapped::Text(text));
        }
        if !known && !value.is_str() {
            return Some(Mapped::Ready(
                Value::from_json(&to_json(value)).into_owned(),
            ));
        }
        let cell = crate::row::Cell {
            text: &text,
            kind: Kind::Text,
        };
        match plan.reader.read(cell, None) {
            Ok(read) => Some(Mapped::Ready(read.value.into_owned())),
            Err(problem) => {
                self.tell.tell(
                    "wrong-value",
                    format!("the value `{text}` of this map does not suit the field"),
                    span,
                    format!("it {}", problem.message),
                    None,
                );
                None
            }
        }
    }

    /// Works out a constant once for all rows.
    fn constant(
        &mut self,
        field: &FieldRule,
        value: &Spanned<toml::Value>,
        plan: &mut RulePlan,
        known: bool,
    ) {
        let text = text_of(value.get_ref());
        if let Some(text) = text
            && (known || value.get_ref().is_str())
        {
            if plan.region_from.is_some() {
                plan.take = Take::Text(text);
                return;
            }
            match work_out(plan, &text) {
                Ok(Some(fragment)) => plan.take = Take::Fixed(fragment),
                Ok(None) => {}
                Err(message) => self.unsuited("value", field, value.span(), &message),
            }
            return;
        }
        match self.fragment(value.get_ref(), plan, known) {
            Ok(fragment) => plan.take = Take::Fixed(fragment),
            Err(message) => self.unsuited("value", field, value.span(), &message),
        }
    }

    fn default(
        &mut self,
        field: &FieldRule,
        value: &Spanned<toml::Value>,
        plan: &RulePlan,
        known: bool,
    ) -> Option<String> {
        match self.fragment(value.get_ref(), plan, known) {
            Ok(fragment) => Some(fragment),
            Err(message) => {
                self.unsuited("default", field, value.span(), &message);
                None
            }
        }
    }

    /// The values that are allowed, as the field's type reads them; one that it cannot read would
    /// never be met.
    fn one_of(&mut self, field: &FieldRule, rule: &Rule, plan: &mut RulePlan, known: bool) {
        let Some(allowed) = rule.one_of.as_ref().filter(|_| known) else {
            return;
        };
        let reader = match &plan.lookup {
            Some(lookup) => lookup.reader.as_ref(),
            None => plan.options.as_ref().or(Some(&plan.reader)),
        };
        let Some(reader) = reader else { return };
        let mut read = Vec::new();
        let mut wrong = Vec::new();
        for value in allowed.get_ref() {
            let text = text_of(value).unwrap_or_default();
            let cell = crate::row::Cell {
                text: crate::field::trim(&text),
                kind: Kind::Text,
            };
            if cell.text.is_empty() {
                continue;
            }
            match reader.read(cell, None) {
                Ok(found) => {
                    let mut json = String::new();
                    found.value.write_json(&mut json);
                    read.extend(serde_json::from_str::<serde_json::Value>(&json).ok());
                }
                // A form of one's own need not be one that can be read again.
                Err(_) if plan.formatted || reader.ty() == Type::Phone => {}
                Err(problem) => wrong.push((text.clone(), problem.message)),
            }
        }
        if let Some(own) = plan.limits.first_mut().filter(|own| !own.one_of.is_empty()) {
            own.one_of_read = read;
        }
        for (text, why) in wrong {
            self.tell.tell(
                "wrong-value",
                format!(
                    "`{text}` of this `one_of` does not suit the field `{}`",
                    field.name
                ),
                crate::mark::locate(&self.mapping.file, allowed.span(), &text),
                format!("this {why}"),
                None,
            );
        }
    }

    fn unsuited(&mut self, key: &str, field: &FieldRule, span: Range<usize>, why: &str) {
        self.tell.tell(
            "wrong-value",
            format!("this `{key}` does not suit the field `{}`", field.name),
            span,
            why,
            None,
        );
    }

    /// A TOML value as the JSON that is sent for the field, or why it does not suit it.
    fn fragment(
        &self,
        value: &toml::Value,
        plan: &RulePlan,
        known: bool,
    ) -> Result<String, String> {
        let mut out = String::new();
        let gives_list = plan.one_is_list
            || plan
                .split
                .as_ref()
                .is_some_and(|split| split.parts == Parts::List);
        let takes_json =
            !known || matches!(plan.reader.ty(), Type::Json | Type::Object | Type::Array);
        match value {
            toml::Value::Array(items) if gives_list => {
                out.push('[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    self.scalar(item, plan, known, &mut out)?;
                }
                out.push(']');
                plan.keep_items(items.len())
                    .map_err(|problem| format!("this {}", problem.message))?;
            }
            toml::Value::Array(_) | toml::Value::Table(_) if takes_json => {
                out.push_str(&to_json(value).to_string());
            }
            toml::Value::Array(_) | toml::Value::Table(_) => {
                return Err(format!("the field takes one {}", noun(plan.reader.ty())));
            }
            scalar if gives_list => {
                out.push('[');
                self.scalar(scalar, plan, known, &mut out)?;
                out.push(']');
            }
            scalar => self.scalar(scalar, plan, known, &mut out)?,
        }
        Ok(out)
    }

    fn scalar(
        &self,
        value: &toml::Value,
        plan: &RulePlan,
        known: bool,
        out: &mut String,
    ) -> Result<(), String> {
        let Some(text) = text_of(value) else {
            return Err("a list within a list does not suit the field".to_owned());
        };
        let ty = match &plan.lookup {
            Some(lookup) => lookup.reader.as_ref().map_or(Type::Text, Reader::ty),
            None => plan.reader.ty(),
        };
        if !value.is_str() && (!known || matches!(ty, Type::Json)) {
            plan.write(&Value::from_json(&to_json(value)), out);
            return Ok(());
        }
        let trimmed = crate::field::trim(&text);
        if trimmed.is_empty() {
            write_json_str(&text, out);
            return Ok(());
        }
        let cell = crate::row::Cell {
            text: trimmed,
            kind: Kind::Text,
        };
        let reader = match &plan.lookup {
            Some(lookup) => lookup.reader.as_ref(),
            None => plan.options.as_ref().or(Some(&plan.reader)),
        };
        let Some(reader) = reader else {
            write_json_str(&text, out);
            return Ok(());
        };
        let as_written = matches!(
            ty,
            Type::Text | Type::Date | Type::DateTime | Type::Phone | Type::Email | Type::Url
        );
        match reader.read(cell, None) {
            Ok(read) => {
                plan.keep_limits(&read.value)
                    .map_err(|problem| format!("this {}", problem.message))?;
                if as_written {
                    write_json_str(&text, out);
                } else {
                    plan.write(&read.value, out);
                }
                Ok(())
            }
            // A form of one's own need not be one that can be read again.
            Err(_) if plan.formatted => {
                write_json_str(&text, out);
                Ok(())
            }
            Err(problem) => Err(format!("this {}", problem.message)),
        }
    }
}

/// What a rule makes of a text that no row has a part in.
fn work_out(plan: &RulePlan, text: &str) -> Result<Option<String>, String> {
    let mut batch = RowBatch::default();
    batch.end_row(1, 0, None);
    let taken = Taken {
        text: text.into(),
        kind: Kind::Text,
        column: None,
    };
    let mut fragment = String::new();
    let outcome = plan.value(batch.row(0), taken, &mut Vec::new(), &mut fragment);
    match outcome {
        Ok(full) => Ok(full.then_some(fragment)),
        Err(wrong) => Err(wrong.message().to_owned()),
    }
}

fn same(a: &Mapped, b: &Mapped) -> bool {
    match (a, b) {
        (Mapped::Text(a), Mapped::Text(b)) => a == b,
        (Mapped::Ready(a), Mapped::Ready(b)) => a == b,
        (Mapped::Null, Mapped::Null) => true,
        _ => false,
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

fn noun(kind: Type) -> &'static str {
    match kind {
        Type::Text => "text",
        Type::Integer => "whole number",
        Type::Decimal => "number",
        Type::Boolean => "truth value",
        Type::DateTime => "date-time",
        Type::Email => "e-mail address",
        Type::Phone => "phone number",
        Type::Url => "web address",
        Type::Choice => "option",
        Type::Choices => "list of options",
        other => other.name(),
    }
}

fn with_article(kind: Type) -> String {
    let noun = noun(kind);
    let article = if noun.starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {noun}")
}

/// The bytes of the file that a range within a text of it stands at.
pub(super) fn inside(
    file: &TextFile,
    text: &Spanned<String>,
    range: Option<Range<usize>>,
) -> Range<usize> {
    crate::mark::inside(file, text.span(), text.get_ref(), range)
}
