//! The limits of a rule: each must make sense, and some value must be able to pass.

use std::cmp::Ordering;

use toml::{Spanned, Value};

use super::{Told, texts};
use crate::mapping::file::Rule;

/// A bound of values.
enum Bound {
    Number(f64),
    Date(jiff::civil::DateTime),
    Today,
}

/// Checks that some value can pass.
pub(super) fn check(told: &mut Told<'_>, rule: &Rule) {
    let mut bound = |name: &str, value: &Option<Spanned<Value>>| {
        let value = value.as_ref()?;
        let read = read_bound(value.get_ref());
        if read.is_none() {
            told.tell(
                "bad-value",
                value.span(),
                format!("`{name}` is a number, a date such as 2025-12-31, or \"today\""),
                "none of these",
                "",
            );
        }
        read
    };
    let (min, max) = (bound("min", &rule.min), bound("max", &rule.max));
    let order = match (&min, &max) {
        (Some(Bound::Number(min)), Some(Bound::Number(max))) => min.partial_cmp(max),
        (Some(Bound::Date(min)), Some(Bound::Date(max))) => Some(min.cmp(max)),
        (Some(Bound::Number(_)), Some(Bound::Date(_) | Bound::Today))
        | (Some(Bound::Date(_) | Bound::Today), Some(Bound::Number(_))) => {
            if let Some(max) = &rule.max {
                let message = "one of `min` and `max` is a number, the other a date";
                told.tell("bad-limits", max.span(), message, "of another kind", "");
            }
            None
        }
        _ => None,
    };
    if order == Some(Ordering::Greater)
        && let Some(max) = &rule.max
    {
        let message = "`min` is greater than `max`: no value can pass";
        told.tell("bad-limits", max.span(), message, "less than `min`", "");
    }
    for (low, high, min, max) in [
        (
            "min_length",
            "max_length",
            &rule.min_length,
            &rule.max_length,
        ),
        ("min_items", "max_items", &rule.min_items, &rule.max_items),
    ] {
        if let (Some(min), Some(max)) = (min, max)
            && min.get_ref() > max.get_ref()
        {
            let message = format!("`{low}` is greater than `{high}`: no value can pass");
            told.tell(
                "bad-limits",
                max.span(),
                message,
                format!("less than `{low}`"),
                "",
            );
        }
    }
    if let Some(max) = &rule.max_length
        && *max.get_ref() == 0
    {
        let message = "with `max_length = 0` no value can pass";
        told.tell("bad-limits", max.span(), message, "0", "");
    }
    if let Some(pattern) = &rule.pattern {
        texts::pattern(told, pattern.span(), pattern.get_ref());
    }
    if let Some(one_of) = &rule.one_of
        && one_of.get_ref().is_empty()
    {
        let message = "`one_of` names no value: none can pass";
        told.tell("bad-limits", one_of.span(), message, "empty", "");
    }
}

fn read_bound(value: &Value) -> Option<Bound> {
    let read_text = |text: &str| {
        let text = text.trim();
        if text == "today" {
            return Some(Bound::Today);
        }
        if let Ok(number) = text.parse::<f64>()
            && number.is_finite()
        {
            return Some(Bound::Number(number));
        }
        let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
        let time = pieces.time().unwrap_or_else(jiff::civil::Time::midnight);
        Some(Bound::Date(pieces.date().to_datetime(time)))
    };
    match value {
        Value::Integer(number) => Some(Bound::Number(*number as f64)),
        Value::Float(number) if number.is_finite() => Some(Bound::Number(*number)),
        Value::String(text) => read_text(text),
        Value::Datetime(date) if date.date.is_some() => read_text(&date.to_string()),
        _ => None,
    }
}
