//! Values that a mapping file writes itself: constants, defaults, maps, allowed values. They are read
//! once, and what does not suit its field is told.

use std::collections::HashMap;
use std::ops::Range;

use toml::Spanned;

use super::Compiler;
use crate::document::to_json;
use crate::field::{Reader, Type, Value, fold, write_json_str};
use crate::mapping::FieldRule;
use crate::mapping::file::Rule;
use crate::plan::rule::{Map, Mapped, Others, Parts, RulePlan, Take, Taken};
use crate::plan::spec::text_of;
use crate::row::{Kind, RowBatch};

impl<'m> Compiler<'m> {
    pub(super) fn map(&mut self, rule: &Rule, plan: &RulePlan, known: bool) -> Option<Map> {
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
    pub(super) fn mapped(
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
    pub(super) fn constant(
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

    pub(super) fn default(
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
    pub(super) fn one_of(
        &mut self,
        field: &FieldRule,
        rule: &Rule,
        plan: &mut RulePlan,
        known: bool,
    ) {
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

    pub(super) fn unsuited(&mut self, key: &str, field: &FieldRule, span: Range<usize>, why: &str) {
        self.tell.tell(
            "wrong-value",
            format!("this `{key}` does not suit the field `{}`", field.name),
            span,
            why,
            None,
        );
    }

    /// A TOML value as the JSON that is sent for the field, or why it does not suit it.
    pub(super) fn fragment(
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

    pub(super) fn scalar(
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
        // A date that stands in the form that is sent would be read in another order.
        if plan.formatted && reader.sends_as_it_is(trimmed) {
            match trimmed.parse::<i64>() {
                Ok(count) if reader.sends_counts() => out.push_str(&count.to_string()),
                _ => write_json_str(trimmed, out),
            }
            return Ok(());
        }
        let as_written = matches!(ty, Type::Text);
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

pub(super) fn noun(kind: Type) -> &'static str {
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
