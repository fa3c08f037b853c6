//! What a rule says about reading a value, in the terms of the field readers.

use std::ops::Range;
use std::sync::Arc;

use regex::Regex;

use crate::document::to_json;
use crate::field::clean::Step;
use crate::field::limits::{Bound, Limits};
use crate::field::{Century, Choice, DateOrder, Extension, Spec, Type, is_counted};
use crate::issue::{Mistake, TextFile};
use crate::mapping::file::{self, CleanStep, Rule, SourceSection};
use crate::target;

/// A single TOML value as text; `None` for arrays and tables.
pub(super) fn text_of(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Array(_) | toml::Value::Table(_) => None,
        other => Some(match to_json(other) {
            serde_json::Value::String(text) => text,
            json => json.to_string(),
        }),
    }
}

/// Options as a mapping or target file lists them: values, or tables of `value` and `label`.
pub(super) fn choices(options: &[toml::Value]) -> Vec<Choice> {
    options
        .iter()
        .map(|option| match option {
            toml::Value::Table(table) if table.contains_key("value") => Choice {
                value: table.get("value").map(to_json).unwrap_or_default(),
                label: table
                    .get("label")
                    .and_then(toml::Value::as_str)
                    .map(str::to_owned),
            },
            value => Choice {
                value: to_json(value),
                label: None,
            },
        })
        .collect()
}

/// Tells mistakes at places of one file.
pub(super) struct Teller<'m> {
    pub(super) file: &'m Arc<TextFile>,
    pub(super) mistakes: Vec<Mistake>,
}

impl Teller<'_> {
    /// Adds a mistake at a place; nothing is told twice.
    pub(super) fn tell(
        &mut self,
        code: &'static str,
        message: impl Into<String>,
        span: Range<usize>,
        label: impl Into<String>,
        help: Option<String>,
    ) {
        let mut mistake = Mistake::new(code, message).at(self.file, span, label);
        mistake.help = help;
        self.add(mistake);
    }

    /// Adds a mistake; nothing is told twice.
    pub(super) fn add(&mut self, mistake: Mistake) {
        if !self.mistakes.contains(&mistake) {
            self.mistakes.push(mistake);
        }
    }
}

/// What `[source]` says about reading values.
pub(super) fn base(
    source: &SourceSection,
    today: jiff::civil::Date,
    tell: &mut Teller<'_>,
) -> Spec {
    let mut spec = Spec {
        today,
        ..Spec::default()
    };
    spec.date_order = source
        .date_order
        .as_ref()
        .map(|order| match order.get_ref() {
            file::DateOrder::Dmy => DateOrder::Dmy,
            file::DateOrder::Mdy => DateOrder::Mdy,
            file::DateOrder::Ymd => DateOrder::Ymd,
        });
    if let Some(decimal) = &source.decimal {
        match decimal.get_ref().as_str() {
            "." => spec.decimal = '.',
            "," => spec.decimal = ',',
            other => tell.tell(
                "bad-value",
                format!("`{other}` is no decimal mark"),
                decimal.span(),
                "neither \".\" nor \",\"",
                None,
            ),
        }
    }
    spec.region = source
        .region
        .as_ref()
        .map(|region| region.get_ref().clone())
        // One that is none is told at its own line.
        .filter(|region| crate::field::is_region(region));
    if let Some(zone) = &source.timezone {
        spec.timezone = timezone(zone, tell);
    }
    spec
}

fn timezone(zone: &toml::Spanned<String>, tell: &mut Teller<'_>) -> Option<jiff::tz::TimeZone> {
    let found = jiff::tz::TimeZone::get(zone.get_ref()).ok();
    if found.is_none() {
        tell.tell(
            "unknown-timezone",
            format!("there is no time zone `{}`", zone.get_ref()),
            zone.span(),
            "not known",
            Some("write a name of the IANA database, such as Europe/Amsterdam, or UTC".to_owned()),
        );
    }
    found
}

/// What a rule says about reading values, over what `[source]` says.
pub(super) fn of_rule(
    rule: &Rule,
    base: &Spec,
    options: Vec<Choice>,
    tell: &mut Teller<'_>,
) -> Spec {
    let mut spec = base.clone();
    spec.options = options;
    if let Some(region) = &rule.region {
        spec.region = Some(region.get_ref().clone());
    }
    if let Some(zone) = &rule.timezone {
        spec.timezone = timezone(zone, tell);
    }
    if let Some(formats) = &rule.formats {
        spec.formats = formats.get_ref().values.clone();
    }
    spec.output = rule.output.as_ref().map(|output| output.get_ref().clone());
    if let Some(century) = &rule.century {
        let read = match century.get_ref() {
            toml::Value::String(word) if word == "past" => Some(Century::Past),
            toml::Value::String(word) if word == "future" => Some(Century::Future),
            toml::Value::Integer(pivot) => u8::try_from(*pivot)
                .ok()
                .filter(|pivot| *pivot <= 100)
                .map(Century::Pivot),
            _ => None,
        };
        match read {
            Some(read) => spec.century = read,
            None => tell.tell(
                "bad-value",
                "this does not say how a two-digit year is read",
                century.span(),
                "not known",
                Some("write \"past\", \"future\", or a pivot from 0 to 100 such as 30".to_owned()),
            ),
        }
    }
    word(rule.unit.as_ref(), &[("percent", ())], tell).inspect(|()| spec.percent = true);
    spec.true_values = rule
        .true_values
        .as_ref()
        .map(|words| words.get_ref().clone());
    spec.false_values = rule
        .false_values
        .as_ref()
        .map(|words| words.get_ref().clone());
    let extensions = [
        ("drop", Extension::Drop),
        ("keep", Extension::Keep),
        ("reject", Extension::Reject),
    ];
    if let Some(extension) = word(rule.extension.as_ref(), &extensions, tell) {
        spec.extension = extension;
    }
    word(rule.accept.as_ref(), &[("possible", ())], tell).inspect(|()| spec.possible = true);
    spec
}

/// The meaning of one of a few words.
fn word<T: Copy>(
    written: Option<&toml::Spanned<String>>,
    known: &[(&str, T)],
    tell: &mut Teller<'_>,
) -> Option<T> {
    let written = written?;
    let found = known.iter().find(|(word, _)| word == written.get_ref());
    if found.is_none() {
        let words: Vec<String> = known
            .iter()
            .map(|(word, _)| format!("\"{word}\""))
            .collect();
        tell.tell(
            "unknown-value",
            format!("`{}` is not one of the values here", written.get_ref()),
            written.span(),
            "not known",
            Some(format!("write {}", words.join(" or "))),
        );
    }
    found.map(|(_, meaning)| *meaning)
}

/// The limits that a rule sets.
pub(super) fn limits(rule: &Rule, today: jiff::civil::Date, tell: &mut Teller<'_>) -> Limits {
    let mut bound = |value: Option<&toml::Spanned<toml::Value>>| {
        let value = value?;
        let text = text_of(value.get_ref()).unwrap_or_default();
        match Bound::parse(&text, today) {
            Ok(bound) => Some(bound),
            Err(message) => {
                tell.tell("bad-limit", message, value.span(), "not a limit", None);
                None
            }
        }
    };
    let (min, max) = (bound(rule.min.as_ref()), bound(rule.max.as_ref()));
    let pattern = rule.pattern.as_ref().and_then(|pattern| {
        Regex::new(pattern.get_ref())
            .map_err(|error| {
                tell.tell(
                    "bad-regex",
                    "this regular expression does not compile",
                    pattern.span(),
                    reason(&error),
                    None,
                );
            })
            .ok()
    });
    Limits {
        min,
        max,
        min_length: rule.min_length.as_ref().map(|limit| *limit.get_ref()),
        max_length: rule.max_length.as_ref().map(|limit| *limit.get_ref()),
        pattern,
        one_of: rule
            .one_of
            .as_ref()
            .map(|values| values.get_ref().iter().map(to_json).collect())
            .unwrap_or_default(),
        one_of_read: Vec::new(),
    }
}

/// The limits that the target's file gives a field. Its mistakes are told where it is read.
pub(super) fn limits_of(field: &target::Field, today: jiff::civil::Date) -> Limits {
    let bound = |value: Option<&toml::Value>| {
        value
            .and_then(text_of)
            .and_then(|text| Bound::parse(&text, today).ok())
    };
    let spec = &field.spec;
    let options = match field.kind {
        Some(Type::Choice | Type::Choices) => None,
        _ => spec.options.as_deref(),
    };
    Limits {
        min: bound(spec.min.as_ref()),
        max: bound(spec.max.as_ref()),
        min_length: spec.min_length,
        max_length: spec.max_length,
        pattern: field.pattern.clone(),
        one_of: options.unwrap_or_default().iter().map(to_json).collect(),
        one_of_read: Vec::new(),
    }
}

/// The steps of `clean`, compiled.
pub(super) fn steps(steps: &[toml::Spanned<CleanStep>], tell: &mut Teller<'_>) -> Vec<Step> {
    let mut regex = |source: &str, span: Range<usize>| {
        Regex::new(source)
            .map_err(|error| {
                tell.tell(
                    "bad-regex",
                    "this regular expression does not compile",
                    span,
                    reason(&error),
                    None,
                );
            })
            .ok()
    };
    steps
        .iter()
        .filter_map(|step| {
            Some(match step.get_ref() {
                CleanStep::Squash => Step::Squash,
                CleanStep::Lower => Step::Lower,
                CleanStep::Upper => Step::Upper,
                CleanStep::Titlecase => Step::Titlecase,
                CleanStep::Digits => Step::Digits,
                CleanStep::Ascii => Step::Ascii,
                CleanStep::StripHtml => Step::StripHtml,
                CleanStep::GivenName => Step::GivenName,
                CleanStep::FamilyName => Step::FamilyName,
                CleanStep::Replace { replace, with } => {
                    Step::Replace(regex(replace, step.span())?, with.clone())
                }
                CleanStep::Extract(extract) => Step::Extract(regex(extract, step.span())?),
                CleanStep::Pad(length) => Step::Pad(*length),
                CleanStep::Truncate(length) => Step::Truncate(*length),
            })
        })
        .collect()
}

/// The last line of a regex error, which says what is wrong.
fn reason(error: &regex::Error) -> String {
    let text = error.to_string();
    text.lines()
        .last()
        .unwrap_or_default()
        .trim_start_matches("error: ")
        .to_owned()
}

/// Whether values read as `given` can be sent to a field that takes `wanted`.
pub(super) fn serves(given: Type, wanted: Type, output: Option<&str>) -> bool {
    use Type::*;
    let has_output = output.is_some();
    if matches!(given, Date | DateTime) && output.is_some_and(is_counted) {
        return matches!(wanted, Integer | Decimal | Date | DateTime | Json | Array);
    }
    let is_text = matches!(
        given,
        Text | Date | DateTime | Email | Phone | Country | Currency | Url | Uuid | Choice
    );
    match wanted {
        _ if given == wanted => true,
        Text => is_text,
        Integer => given == Choice,
        Decimal => matches!(given, Integer | Choice),
        Boolean => given == Choice,
        Date => matches!(given, Text) || (given == DateTime && has_output),
        DateTime => matches!(given, Text | Date),
        Email | Phone | Country | Currency | Url | Uuid => matches!(given, Text | Choice),
        Choice | Choices => {
            is_text || matches!(given, Integer | Decimal | Boolean | Choices) && given != Choices
        }
        Json => true,
        Object => given == Json,
        Array => !matches!(given, Object),
    }
}
