//! The type of a rule, and the keys that belong to single types.

use std::ops::Range;

use jiff::fmt::strtime;
use toml::{Spanned, Value};

use super::{Told, same, texts};
use crate::issue::nearest;
use crate::mapping::file::Rule;
use crate::mapping::words::{
    ACCEPTS, CENTURIES, COUNTRY_OUTPUTS, EXTENSIONS, NUMBER_FORMATS, NUMBER_OUTPUTS, TYPES, UNITS,
};

/// Checks the type and the keys that belong to it.
pub(super) fn check(told: &mut Told<'_>, rule: &Rule) {
    let mut known = None;
    if let Some(kind) = &rule.kind {
        let name = kind.get_ref().as_str();
        if TYPES.contains(&name) {
            known = Some(name);
        } else {
            let help = match name {
                "string" => "did you mean `text`?".to_owned(),
                "number" | "float" | "double" | "money" => "did you mean `decimal`?".to_owned(),
                "int" => "did you mean `integer`?".to_owned(),
                "bool" => "did you mean `boolean`?".to_owned(),
                "timestamp" => "did you mean `datetime`?".to_owned(),
                "select" | "enum" | "option" => "did you mean `choice`?".to_owned(),
                "multiselect" | "list" | "array" => "did you mean `choices`?".to_owned(),
                _ => match nearest(name, TYPES.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("the types are: {}", TYPES.join(", ")),
                },
            };
            let message = format!("there is no type `{name}`");
            told.tell("unknown-value", kind.span(), message, "not known", help);
        }
    }
    let belongs = [
        ("formats", span(&rule.formats), &["date", "datetime"][..]),
        (
            "output",
            span(&rule.output),
            &["date", "datetime", "country"],
        ),
        ("century", span(&rule.century), &["date", "datetime"]),
        ("unit", span(&rule.unit), &["integer", "decimal"]),
        ("true_values", span(&rule.true_values), &["boolean"]),
        ("false_values", span(&rule.false_values), &["boolean"]),
        ("timezone", span(&rule.timezone), &["datetime"]),
        ("region", span(&rule.region), &["phone"]),
        ("region_from", span(&rule.region_from), &["phone"]),
        ("extension", span(&rule.extension), &["phone"]),
        ("accept", span(&rule.accept), &["phone"]),
        ("options", span(&rule.options), &["choice", "choices"]),
    ];
    for (name, span, types) in belongs {
        if let (Some(span), Some(kind)) = (span, known)
            && !types.contains(&kind)
        {
            let message = format!("`{name}` does not go with the type `{kind}`");
            let help = format!("it belongs to: {}", types.join(", "));
            told.tell("no-effect", span, message, "has no effect here", help);
        }
    }
    words(told, "extension", &rule.extension, EXTENSIONS);
    words(told, "accept", &rule.accept, ACCEPTS);
    words(told, "unit", &rule.unit, UNITS);
    if let Some(output) = &rule.output {
        match known {
            Some("country") => {
                words(told, "output", &rule.output, COUNTRY_OUTPUTS);
            }
            Some("date" | "datetime") if !NUMBER_OUTPUTS.contains(&output.get_ref().as_str()) => {
                date_format(told, output.span(), output.get_ref());
            }
            _ => {}
        }
    }
    if let Some(formats) = &rule.formats {
        if formats.get_ref().values.is_empty() {
            told.tell(
                "bad-value",
                formats.span(),
                "the list of formats is empty",
                "empty",
                "",
            );
        }
        for format in &formats.get_ref().values {
            if !NUMBER_FORMATS.contains(&format.as_str()) {
                date_format(told, formats.span(), format);
            }
        }
    }
    if let Some(century) = &rule.century {
        let right = match century.get_ref() {
            Value::String(word) => CENTURIES.contains(&word.as_str()),
            Value::Integer(pivot) => (0..=99).contains(pivot),
            _ => false,
        };
        if !right {
            told.tell(
                "unknown-value",
                century.span(),
                "`century` is \"past\", \"future\", or a pivot from 0 to 99",
                "not known",
                "with the pivot 30, 29 is read as 2029 and 30 as 1930",
            );
        }
    }
    if let Some(zone) = &rule.timezone {
        texts::timezone(told, zone);
    }
    if let Some(region) = &rule.region {
        texts::region(told, region);
    }
    if let Some(column) = &rule.region_from {
        texts::header(told, column);
    }
    if let (Some(yes), Some(no)) = (&rule.true_values, &rule.false_values)
        && let Some(both) = yes
            .get_ref()
            .iter()
            .find(|yes| no.get_ref().iter().any(|no| same(no, yes)))
    {
        let message = format!("`{both}` stands for true and for false");
        told.tell("two-rules", no.span(), message, "in here too", "");
    }
    if let Some(options) = &rule.options
        && options.get_ref().is_empty()
    {
        told.tell(
            "bad-value",
            options.span(),
            "the list of options is empty",
            "empty",
            "",
        );
    }
    if let Some(lookup) = &rule.lookup
        && lookup.get_ref().file.trim().is_empty()
    {
        let help = "name a CSV file beside the mapping file";
        told.tell(
            "bad-value",
            lookup.span(),
            "the look-up names no file",
            "empty",
            help,
        );
    }
}

/// Where a key's value stands, if the key is there.
fn span<T>(value: &Option<Spanned<T>>) -> Option<Range<usize>> {
    value.as_ref().map(Spanned::span)
}

/// A text that must be one of some words.
fn words(told: &mut Told<'_>, name: &str, text: &Option<Spanned<String>>, known: &[&str]) {
    let Some(text) = text else { return };
    if known.contains(&text.get_ref().as_str()) {
        return;
    }
    let help = match nearest(text.get_ref(), known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of: {}", known.join(", ")),
    };
    let message = format!("`{name}` does not know `{}`", text.get_ref());
    told.tell("unknown-value", text.span(), message, "not known", help);
}

/// A date's format must be one that can be written and read.
fn date_format(told: &mut Told<'_>, span: Range<usize>, format: &str) {
    let why = if format.contains('%') {
        let sample = jiff::civil::date(2025, 3, 4).at(5, 6, 7, 0);
        match sample.to_zoned(jiff::tz::TimeZone::UTC) {
            Ok(sample) => strtime::format(format, &sample)
                .err()
                .map(|e| e.to_string()),
            Err(_) => None,
        }
    } else {
        Some("it has no % in it".to_owned())
    };
    if let Some(why) = why {
        let place = texts::locate(told.file, span, format);
        let message = format!("`{format}` is not a format of dates: {why}");
        let help = "a format is like %d.%m.%Y or %m/%d/%y %H:%M";
        told.tell("bad-value", place, message, "not a format", help);
    }
}
