//! One rule of a field: its type, where it takes its value, and how it is read.

use std::ops::Range;

use toml::Spanned;

use super::constant::noun;
use super::{Compiler, Wanted};
use crate::field::limits::Bound;
use crate::field::{Reader, Spec, Type};
use crate::issue::nearest;
use crate::mapping::file::{LookupSpec, OnError, Rule};
use crate::mapping::{FieldRule, lookup};
use crate::plan::cells::Nulls;
use crate::plan::rule::{Lookup, Parts, RulePlan, Split, Take};
use crate::plan::spec::{self, text_of};

impl<'m> Compiler<'m> {
    pub(super) fn rule(
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
        let mut spec = spec::of_rule(rule, &self.base, options, &mut self.tell);
        if spec.output.is_none() && matches!(kind, Type::Date | Type::DateTime) {
            let of_target = wanted
                .field
                .filter(|field| matches!(field.kind, Some(Type::Date | Type::DateTime)));
            spec.output = of_target.and_then(|field| field.spec.output.clone());
        }
        let formatted = spec.output.is_some();
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
            formatted,
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
    pub(super) fn wanted_of_one(
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
    pub(super) fn kind(
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
        let output = rule.output.as_ref().map(|output| output.get_ref().as_str());
        if let (Some(declared), Some(wanted)) = (declared, wanted)
            && rule.lookup.is_none()
            && !spec::serves(declared, wanted, output)
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
    pub(super) fn belongs(&mut self, field: &FieldRule, rule: &Rule, kind: Type) {
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
    pub(super) fn bounds(&mut self, rule: &Rule, kind: Type) {
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

    pub(super) fn reader(
        &mut self,
        kind: Type,
        spec: Spec,
        field: &FieldRule,
        rule: &Rule,
    ) -> Option<Reader> {
        match Reader::new(kind, spec) {
            Ok(reader) => Some(reader),
            Err(message) => {
                let keys = [
                    ("output", rule.output.as_ref().map(Spanned::span)),
                    ("format", rule.formats.as_ref().map(Spanned::span)),
                    ("region", rule.region.as_ref().map(Spanned::span)),
                    ("", rule.true_values.as_ref().map(Spanned::span)),
                    ("", rule.false_values.as_ref().map(Spanned::span)),
                    ("", rule.kind.as_ref().map(Spanned::span)),
                ];
                // The key that the sentence is about, and the text in it that is quoted there.
                let span = keys
                    .into_iter()
                    .find_map(|(word, span)| span.filter(|_| message.contains(word)))
                    .unwrap_or(field.span.clone());
                let span = match message.split('"').nth(1) {
                    Some(quoted) => crate::mark::locate(&self.mapping.file, span, quoted),
                    None => span,
                };
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

    pub(super) fn parts(&mut self, rule: &Rule) -> Option<Parts> {
        rule.split.as_ref()?;
        Some(match (&rule.pick, &rule.join) {
            (Some(pick), _) => Parts::Pick(*pick.get_ref()),
            (None, Some(join)) => Parts::Join(join.get_ref().clone()),
            (None, None) => Parts::List,
        })
    }

    pub(super) fn take(&mut self, field: &FieldRule, rule: &Rule) -> Option<Take> {
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

    pub(super) fn empty(&mut self, rule: &Rule) -> Option<&'static str> {
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

    pub(super) fn lookup(
        &mut self,
        file: &Spanned<LookupSpec>,
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
