//! What can be said of one rule by itself.

use std::ops::Range;

use toml::Value;

use super::{Told, kind, limits, same, texts};
use crate::mapping::fields::FieldRule;
use crate::mapping::file::Rule;
use crate::mapping::words::{EMPTIES, MAP_OTHERS};

/// Checks one rule. Mistakes in `about` are of this field.
pub(super) fn check(told: &mut Told<'_>, field: &FieldRule, rule: &Rule, about: &Range<usize>) {
    if let Some(when) = &rule.when {
        texts::expression(told, when);
    }
    if let Some(on) = &rule.on
        && on.get_ref().values.is_empty()
    {
        let help = "leave `on` out to send it with every request";
        told.tell(
            "bad-value",
            on.span(),
            "the list of requests is empty",
            "empty",
            help,
        );
    }
    source(told, field, rule, about);
    for step in &rule.clean {
        texts::clean(told, step);
    }
    parts(told, rule);
    map(told, rule);
    kind::check(told, rule);
    limits::check(told, rule);
    empty(told, rule);
}

/// Where the value comes from: exactly one of three.
fn source(told: &mut Told<'_>, field: &FieldRule, rule: &Rule, about: &Range<usize>) {
    let mut sources: Vec<(&str, Range<usize>)> = Vec::new();
    sources.extend(rule.column.as_ref().map(|at| ("column", at.span())));
    sources.extend(rule.template.as_ref().map(|at| ("template", at.span())));
    sources.extend(rule.value.as_ref().map(|at| ("value", at.span())));
    sources.sort_by_key(|(_, span)| span.start);
    match sources.as_slice() {
        [] => {
            // A misspelt one was told already.
            let span = &field.span;
            let known = told.mistakes.iter().any(|mistake| {
                let place = mistake.place.as_ref();
                matches!(mistake.code, "unknown-key" | "wrong-type" | "unknown-value")
                    && place.is_some_and(|(_, at)| about.start <= at.start && at.end <= about.end)
            });
            if !known {
                told.tell(
                    "no-source",
                    span.clone(),
                    format!("the rule of `{}` does not say where the value comes from", field.name),
                    "none of `column`, `template`, `value`",
                    "add column = \"…\"; a field that lies within another is written with its whole \
                     path in quotes, such as \"address.city\"",
                );
            }
        }
        [_] => {}
        [(first, _), (second, span), ..] => told.tell(
            "two-sources",
            span.clone(),
            format!(
                "the value of `{}` comes from `{first}` and from `{second}`",
                field.name
            ),
            "one too many",
            "a rule has one of `column`, `template`, `value`",
        ),
    }
    if let Some(column) = &rule.column {
        if column.get_ref().values.is_empty() {
            told.tell(
                "bad-value",
                column.span(),
                "the list of columns is empty",
                "empty",
                "",
            );
        }
        for header in &column.get_ref().values {
            texts::header(told, header);
        }
    } else if rule.optional && !sources.is_empty() {
        told.note(
            "no-effect",
            field.span.clone(),
            "`optional` is about columns, and this rule has none",
            "no `column`",
            "",
        );
    }
    if let Some(template) = &rule.template {
        texts::template(told, template);
    }
    for constant in [&rule.value, &rule.default, &rule.map_others]
        .into_iter()
        .flatten()
    {
        finite(told, constant.span(), constant.get_ref());
    }
    if let Some(map) = &rule.map {
        for value in map.get_ref().values() {
            finite(told, map.span(), value);
        }
    }
    let list = rule
        .column
        .as_ref()
        .is_some_and(|column| column.get_ref().list);
    if let Some(join) = &rule.join
        && !list
        && rule.split.is_none()
    {
        told.tell(
            "no-effect",
            join.span(),
            "`join` has nothing to join",
            "one value only",
            "it goes with a list of columns, or with `split`",
        );
    }
}

/// A constant must be one that JSON can hold.
fn finite(told: &mut Told<'_>, span: Range<usize>, value: &Value) {
    match value {
        Value::Float(number) if !number.is_finite() => {
            let message = format!("`{number}` is not a number that JSON can hold");
            told.tell("bad-value", span, message, "here", "");
        }
        Value::Array(items) => {
            for item in items {
                finite(told, span.clone(), item);
            }
        }
        Value::Table(members) => {
            for member in members.values() {
                finite(told, span.clone(), member);
            }
        }
        _ => {}
    }
}

/// `split` and what needs it.
fn parts(told: &mut Told<'_>, rule: &Rule) {
    if let Some(split) = &rule.split {
        let separators = &split.get_ref().values;
        if separators.is_empty() || separators.iter().any(String::is_empty) {
            let help = "name the text between the parts, such as \";\"";
            told.tell(
                "bad-value",
                split.span(),
                "a separator is empty",
                "empty",
                help,
            );
        }
        if let (Some(pick), Some(join)) = (&rule.pick, &rule.join)
            && !rule
                .column
                .as_ref()
                .is_some_and(|column| column.get_ref().list)
        {
            let later = if pick.span().start > join.span().start {
                pick.span()
            } else {
                join.span()
            };
            let message = "`pick` takes one part and `join` makes a text of all";
            told.tell(
                "no-effect",
                later,
                message,
                "one too many",
                "take one of them out",
            );
        }
    } else if let Some(pick) = &rule.pick {
        let help = "add split = \"…\" with the text between the parts";
        told.tell(
            "no-effect",
            pick.span(),
            "`pick` needs `split`",
            "nothing is split",
            help,
        );
    }
    let kind = rule.kind.as_ref().map(|kind| kind.get_ref().as_str());
    // Without a type the target's decides.
    let many = rule.split.is_some()
        || rule.value.is_some()
        || matches!(kind, None | Some("json" | "choices"));
    for (name, items) in [
        ("min_items", &rule.min_items),
        ("max_items", &rule.max_items),
    ] {
        if let Some(items) = items
            && !many
        {
            let message = format!("`{name}` counts the parts of a list, and this value is not one");
            told.tell(
                "no-effect",
                items.span(),
                message,
                "nothing is split",
                "add `split`",
            );
        }
    }
}

/// `map` and `map_others`.
fn map(told: &mut Told<'_>, rule: &Rule) {
    if let Some(map) = &rule.map {
        if map.get_ref().is_empty() {
            told.tell(
                "bad-value",
                map.span(),
                "the table of values is empty",
                "empty",
                "",
            );
        }
        let entries: Vec<(&String, &Value)> = map.get_ref().iter().collect();
        for (at, (key, value)) in entries.iter().enumerate() {
            let earlier = entries[..at]
                .iter()
                .find(|(other, was)| same(other, key) && was != value);
            if let Some((other, _)) = earlier {
                told.tell(
                    "two-rules",
                    map.span(),
                    format!("`{other}` and `{key}` are the same but for case and outer space, and become different values"),
                    "in here",
                    "take one of them out",
                );
            }
        }
    }
    let Some(others) = &rule.map_others else {
        return;
    };
    if rule.map.is_none() {
        let help = "add map = { … }, or take `map_others` out";
        told.tell(
            "no-effect",
            others.span(),
            "`map_others` needs `map`",
            "no `map`",
            help,
        );
    }
    match others.get_ref() {
        Value::String(text) => {
            let slip = MAP_OTHERS.iter().find(|word| {
                *word != text && strsim::damerau_levenshtein(&text.to_lowercase(), word) <= 1
            });
            if let Some(word) = slip {
                told.tell(
                    "unknown-value",
                    others.span(),
                    format!("`map_others` does not know `{text}`"),
                    "not known",
                    format!("did you mean `{word}`?"),
                );
            }
        }
        Value::Array(_) | Value::Table(_) => {
            let message = "`map_others` is \"error\", \"keep\", \"null\", or one value";
            told.tell("wrong-type", others.span(), message, "not one value", "");
        }
        _ => {}
    }
}

/// What an empty field becomes. What says nothing beside another key does no harm: it is noted.
fn empty(told: &mut Told<'_>, rule: &Rule) {
    let required = rule
        .required
        .as_ref()
        .is_some_and(|required| *required.get_ref());
    let spare = "one of them can be taken out";
    if let Some(default) = &rule.default {
        if required {
            let message =
                "a field with a `default` is never empty, so `required = true` says nothing";
            told.note(
                "no-effect",
                default.span(),
                message,
                "`required` beside it",
                spare,
            );
        }
        if let Some(empty) = &rule.empty {
            let message = "a field with a `default` is never empty, so `empty` says nothing";
            told.note(
                "no-effect",
                empty.span(),
                message,
                "`default` beside it",
                spare,
            );
        }
    }
    if let Some(empty) = &rule.empty {
        if !EMPTIES.contains(&empty.get_ref().as_str()) {
            told.tell(
                "unknown-value",
                empty.span(),
                format!("`empty` does not know `{}`", empty.get_ref()),
                "not known",
                "it is \"null\" or \"\"; for another value write default = …",
            );
        }
        if required {
            let message = "a field that is `required` is never sent empty, so `empty` says nothing";
            told.note(
                "no-effect",
                empty.span(),
                message,
                "`required` beside it",
                spare,
            );
        }
    }
}
