//! Limits of a value: the least and the most, lengths, pattern, the values that are allowed.

use std::borrow::Cow;

use jiff::civil::Date;
use regex::Regex;
use rust_decimal::Decimal;

use super::{DateForm, Problem, Value};

/// The least or the most that a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// Of numbers.
    Number(Decimal),
    /// Of dates and date-times, the day itself included.
    Date(Date),
}

impl Bound {
    /// Reads a number, an ISO 8601 date or `today`.
    ///
    /// # Errors
    /// A sentence where the text is none of them.
    pub fn parse(text: &str, today: Date) -> Result<Bound, String> {
        let text = text.trim();
        if text == "today" {
            return Ok(Bound::Date(today));
        }
        if let Ok(number) =
            Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text))
        {
            return Ok(Bound::Number(number.normalize()));
        }
        text.parse::<Date>().map(Bound::Date).map_err(|_| {
            format!(
                "{text:?} is no limit; write a number, a date such as 2025-12-31, or \"today\"."
            )
        })
    }
}

/// The limits of one rule. Nothing is limited by default.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// The least value.
    pub min: Option<Bound>,
    /// The greatest value.
    pub max: Option<Bound>,
    /// The fewest characters.
    pub min_length: Option<usize>,
    /// The most characters.
    pub max_length: Option<usize>,
    /// What the text must match.
    pub pattern: Option<Regex>,
    /// The only values allowed; none stands for any.
    pub one_of: Vec<serde_json::Value>,
    /// The same values in the form in which they are sent.
    pub one_of_read: Vec<serde_json::Value>,
}

impl Limits {
    /// Whether nothing is limited.
    pub fn is_empty(&self) -> bool {
        self.min.is_none()
            && self.max.is_none()
            && self.min_length.is_none()
            && self.max_length.is_none()
            && self.pattern.is_none()
            && self.one_of.is_empty()
    }

    /// The first limit that a value breaks.
    pub fn check(&self, value: &Value<'_>) -> Option<Problem> {
        if let Some(least) = self.min
            && let Some(problem) = bound(value, least, true)
        {
            return Some(problem);
        }
        if let Some(most) = self.max
            && let Some(problem) = bound(value, most, false)
        {
            return Some(problem);
        }
        if self.min_length.is_some() || self.max_length.is_some() || self.pattern.is_some() {
            let text = value.as_text();
            if let Some(problem) = self.length(&text) {
                return Some(problem);
            }
            if let Some(pattern) = &self.pattern
                && !pattern.is_match(&text)
            {
                return Some(Problem::new(
                    "pattern",
                    format!("does not match the pattern {pattern}"),
                ));
            }
        }
        let mut allowed = self.one_of.iter().chain(&self.one_of_read);
        if !self.one_of.is_empty() && !allowed.any(|allowed| same(value, allowed)) {
            let named: Vec<Cow<'_, str>> = self
                .one_of
                .iter()
                .take(12)
                .map(|allowed| Cow::Owned(Value::from_json(allowed).as_text().into_owned()))
                .collect();
            let more = match self.one_of.len() - named.len() {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            return Some(Problem::new(
                "one_of",
                format!(
                    "is not allowed here; allowed are {}{more}",
                    named.join(", ")
                ),
            ));
        }
        None
    }

    fn length(&self, text: &str) -> Option<Problem> {
        // A text has at most as many characters as bytes, and at least a quarter of them.
        let most = self.max_length.unwrap_or(usize::MAX);
        let least = self.min_length.unwrap_or(0);
        if text.len() <= most && text.len() / 4 >= least {
            return None;
        }
        let length = text.chars().count();
        let characters = |count: usize| {
            if count == 1 {
                "character"
            } else {
                "characters"
            }
        };
        if length > most {
            return Some(Problem::new(
                "max_length",
                format!(
                    "has {length} {}; at most {most} are allowed",
                    characters(length)
                ),
            ));
        }
        (length < least).then(|| {
            Problem::new(
                "min_length",
                format!(
                    "has {length} {}; at least {least} are needed",
                    characters(length)
                ),
            )
        })
    }
}

/// Whether a value breaks its least or its most.
fn bound(value: &Value<'_>, limit: Bound, least: bool) -> Option<Problem> {
    let (order, named) = match limit {
        Bound::Number(limit) => (number_of(value).map(|is| is.cmp(&limit)), limit.to_string()),
        Bound::Date(limit) => (date_of(value).map(|is| is.cmp(&limit)), limit.to_string()),
    };
    let dates = matches!(limit, Bound::Date(_));
    let Some(order) = order else {
        if !matches!(value, Value::Text(_)) {
            return None;
        }
        let what = if dates { "a date" } else { "a number" };
        let (rule, word) = if least {
            ("min", "least")
        } else {
            ("max", "most")
        };
        return Some(Problem::new(
            rule,
            format!("is not {what}, and {named} is the {word} allowed"),
        ));
    };
    if least && order.is_lt() {
        let word = if dates { "before" } else { "less than" };
        return Some(Problem::new(
            "min",
            format!("is {word} {named}, the least allowed"),
        ));
    }
    if !least && order.is_gt() {
        let word = if dates { "after" } else { "more than" };
        return Some(Problem::new(
            "max",
            format!("is {word} {named}, the most allowed"),
        ));
    }
    None
}

fn number_of(value: &Value<'_>) -> Option<Decimal> {
    match value {
        Value::Integer(number) => Some(Decimal::from(*number)),
        Value::Decimal(number) => Some(*number),
        Value::Json(json) => Decimal::from_str_exact(&json.as_number()?.to_string()).ok(),
        // A text is compared where it is a number, as a choice or a look-up may give it.
        Value::Text(text) => Decimal::from_str_exact(text).ok(),
        Value::Date {
            form: DateForm::Number(number),
            ..
        } => Some(Decimal::from(*number)),
        Value::Boolean(_) | Value::Date { .. } => None,
    }
}

fn date_of(value: &Value<'_>) -> Option<Date> {
    match value {
        Value::Date { date, .. } => Some(*date),
        Value::Text(text) => text.get(..10)?.parse().ok(),
        _ => None,
    }
}

/// Whether a value is the allowed one; numbers by what they are worth.
fn same(value: &Value<'_>, allowed: &serde_json::Value) -> bool {
    match (value, allowed) {
        (Value::Text(text), serde_json::Value::String(other)) => text == other,
        (Value::Boolean(truth), serde_json::Value::Bool(other)) => truth == other,
        (Value::Integer(_) | Value::Decimal(_), serde_json::Value::Number(other)) => {
            number_of(value) == Decimal::from_str_exact(&other.to_string()).ok()
        }
        (Value::Date { .. }, serde_json::Value::String(other)) => value.as_text() == *other,
        (Value::Json(json), other) => json == other,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn text(text: &str) -> Value<'_> {
        Value::Text(Cow::Borrowed(text))
    }

    fn day(day: Date) -> Value<'static> {
        Value::Date {
            date: day,
            form: DateForm::Iso,
        }
    }

    #[track_caller]
    fn table(limits: &Limits, cases: Vec<(Value<'_>, Option<&str>)>) {
        assert!(!limits.is_empty());
        for (value, want) in cases {
            let got = limits.check(&value).map(|problem| problem.rule);
            assert_eq!(got, want, "{value:?}");
        }
    }

    #[test]
    fn bounds_are_read() {
        let today = date(2026, 6, 15);
        assert_eq!(Bound::parse("today", today), Ok(Bound::Date(today)));
        assert_eq!(
            Bound::parse("2000-01-01", today),
            Ok(Bound::Date(date(2000, 1, 1)))
        );
        assert_eq!(
            Bound::parse(" 1.50 ", today),
            Ok(Bound::Number(Decimal::new(15, 1)))
        );
        assert_eq!(
            Bound::parse("1e3", today),
            Ok(Bound::Number(Decimal::from(1000)))
        );
        assert!(Bound::parse("tomorrow", today).is_err());
    }

    #[test]
    fn the_least_and_the_most() {
        let numbers = Limits {
            min: Some(Bound::Number(Decimal::ZERO)),
            max: Some(Bound::Number(Decimal::new(105, 1))),
            ..Limits::default()
        };
        table(
            &numbers,
            vec![
                (Value::Integer(0), None),
                (Value::Integer(-1), Some("min")),
                (Value::Decimal(Decimal::new(105, 1)), None),
                (Value::Decimal(Decimal::new(1051, 2)), Some("max")),
                (Value::Json(serde_json::json!(11)), Some("max")),
                (text("12"), Some("max")),
                (text("x"), Some("min")),
            ],
        );
        let dates = Limits {
            min: Some(Bound::Date(date(1900, 1, 1))),
            max: Some(Bound::Date(date(2026, 6, 15))),
            ..Limits::default()
        };
        table(
            &dates,
            vec![
                (day(date(1899, 12, 31)), Some("min")),
                (day(date(2026, 6, 15)), None),
                (day(date(2026, 6, 16)), Some("max")),
                (text("2027-01-01T00:00:00Z"), Some("max")),
            ],
        );
    }

    #[test]
    fn lengths_count_characters() {
        let limits = Limits {
            min_length: Some(2),
            max_length: Some(4),
            ..Limits::default()
        };
        table(
            &limits,
            vec![
                (text("äöüß"), None),
                (text("äöüßx"), Some("max_length")),
                (text("𝄞"), Some("min_length")),
                (text("ab"), None),
                (Value::Integer(12345), Some("max_length")),
            ],
        );
        let message = limits.check(&text("äöüßx")).unwrap().message;
        assert_eq!(message, "has 5 characters; at most 4 are allowed");
    }

    #[test]
    fn patterns_and_lists() {
        let limits = Limits {
            pattern: Some(Regex::new("^[A-Z]+$").unwrap()),
            ..Limits::default()
        };
        table(
            &limits,
            vec![(text("AB"), None), (text("Ab"), Some("pattern"))],
        );
        let limits = Limits {
            one_of: vec![
                serde_json::json!("a"),
                serde_json::json!(2),
                serde_json::json!(true),
            ],
            ..Limits::default()
        };
        table(
            &limits,
            vec![
                (text("a"), None),
                (text("b"), Some("one_of")),
                (Value::Integer(2), None),
                (Value::Decimal(Decimal::new(20, 1)), None),
                (Value::Integer(3), Some("one_of")),
                (Value::Boolean(true), None),
                (Value::Boolean(false), Some("one_of")),
            ],
        );
        assert!(Limits::default().is_empty());
    }
}
