//! A value that was read, and how it is written into a body.

use std::borrow::Cow;
use std::fmt::Write;

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::text::write_json_str;

/// A value in the form in which it is sent.
#[derive(Debug, Clone, PartialEq)]
pub enum Value<'a> {
    /// A text.
    Text(Cow<'a, str>),
    /// A whole number.
    Integer(i64),
    /// An exact number without trailing zeros.
    Decimal(Decimal),
    /// True or false.
    Boolean(bool),
    /// A date, or a date-time by its date in UTC.
    Date {
        /// The date, for limits.
        date: Date,
        /// What is sent.
        form: DateForm,
    },
    /// Any JSON value.
    Json(serde_json::Value),
}

/// The form in which a date is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateForm {
    /// ISO 8601 of the date.
    Iso,
    /// A text.
    Text(String),
    /// A count of seconds or milliseconds.
    Number(i64),
}

impl<'a> Value<'a> {
    /// Writes the value as JSON behind what `out` holds.
    pub fn write_json(&self, out: &mut String) {
        match self {
            Value::Text(text) => write_json_str(text, out),
            Value::Integer(number) => push(out, number),
            Value::Decimal(number) => push(out, number),
            Value::Boolean(truth) => out.push_str(if *truth { "true" } else { "false" }),
            Value::Date { date, form } => match form {
                DateForm::Text(text) => write_json_str(text, out),
                DateForm::Number(number) => push(out, number),
                DateForm::Iso => {
                    out.push('"');
                    push_date(*date, out);
                    out.push('"');
                }
            },
            Value::Json(json) => push(out, json),
        }
    }

    /// The value as text: what a template, a look-up or a length limit sees.
    pub fn as_text(&self) -> Cow<'_, str> {
        match self {
            Value::Text(text) => Cow::Borrowed(text),
            Value::Integer(number) => Cow::Owned(number.to_string()),
            Value::Decimal(number) => Cow::Owned(number.to_string()),
            Value::Boolean(truth) => Cow::Borrowed(if *truth { "true" } else { "false" }),
            Value::Date { date, form } => match form {
                DateForm::Text(text) => Cow::Borrowed(text),
                DateForm::Number(number) => Cow::Owned(number.to_string()),
                DateForm::Iso => {
                    let mut text = String::with_capacity(10);
                    push_date(*date, &mut text);
                    Cow::Owned(text)
                }
            },
            Value::Json(serde_json::Value::String(text)) => Cow::Borrowed(text),
            Value::Json(json) => Cow::Owned(json.to_string()),
        }
    }

    /// Whether a number keeps all its digits as an IEEE 754 double, which is what programs that read
    /// JSON make of it (RFC 8259, section 6).
    pub fn is_exact(&self) -> bool {
        let Value::Decimal(number) = self else {
            return true;
        };
        // 15 digits always are kept.
        number.mantissa().unsigned_abs() < 1_000_000_000_000_000
            || number
                .to_string()
                .parse::<f64>()
                .ok()
                .and_then(|double| Decimal::from_str_exact(&double.to_string()).ok())
                .is_some_and(|double| double == *number)
    }

    /// Whether it is an empty text, null, or an array or object of nothing.
    pub fn is_empty(&self) -> bool {
        match self {
            Value::Text(text) => text.is_empty(),
            Value::Date { form, .. } => matches!(form, DateForm::Text(text) if text.is_empty()),
            Value::Json(serde_json::Value::Null) => true,
            Value::Json(serde_json::Value::String(text)) => text.is_empty(),
            Value::Json(serde_json::Value::Array(items)) => items.is_empty(),
            Value::Json(serde_json::Value::Object(members)) => members.is_empty(),
            _ => false,
        }
    }

    /// The value that stands for a JSON value.
    pub fn from_json(json: &serde_json::Value) -> Value<'static> {
        match json {
            serde_json::Value::String(text) => Value::Text(Cow::Owned(text.clone())),
            serde_json::Value::Bool(truth) => Value::Boolean(*truth),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(whole) => Value::Integer(whole),
                None => match Decimal::from_str_exact(&number.to_string()) {
                    Ok(exact) => Value::Decimal(exact.normalize()),
                    Err(_) => Value::Json(json.clone()),
                },
            },
            other => Value::Json(other.clone()),
        }
    }

    /// The same value, borrowing nothing.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Integer(number) => Value::Integer(number),
            Value::Decimal(number) => Value::Decimal(number),
            Value::Boolean(truth) => Value::Boolean(truth),
            Value::Date { date, form } => Value::Date { date, form },
            Value::Json(json) => Value::Json(json),
        }
    }
}

/// Writes a number or JSON value; a `String` takes everything.
fn push(out: &mut String, what: impl std::fmt::Display) {
    let written = write!(out, "{what}");
    debug_assert!(written.is_ok());
}

/// Writes an ISO 8601 date.
pub(super) fn push_date(date: Date, out: &mut String) {
    let year = date.year();
    if !(0..=9999).contains(&year) {
        push(out, date);
        return;
    }
    let two = |out: &mut String, number: i16| {
        out.push(char::from(b'0' + (number / 10 % 10) as u8));
        out.push(char::from(b'0' + (number % 10) as u8));
    };
    two(out, year / 100);
    two(out, year % 100);
    out.push('-');
    two(out, i16::from(date.month()));
    out.push('-');
    two(out, i16::from(date.day()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_are_written_as_json() {
        for (value, want) in [
            (Value::Text("a\"b".into()), r#""a\"b""#),
            (Value::Integer(-7), "-7"),
            (Value::Decimal(Decimal::new(1250, 3)), "1.250"),
            (Value::Boolean(true), "true"),
            (
                Value::Date {
                    date: jiff::civil::date(987, 1, 2),
                    form: DateForm::Iso,
                },
                r#""0987-01-02""#,
            ),
            (
                Value::Json(serde_json::json!({"a": [1, null]})),
                r#"{"a":[1,null]}"#,
            ),
        ] {
            let mut out = String::from("x:");
            value.write_json(&mut out);
            assert_eq!(out, format!("x:{want}"));
        }
    }

    #[test]
    fn json_values_come_back() {
        for json in [
            serde_json::json!("text"),
            serde_json::json!(12),
            serde_json::json!(1.5),
            serde_json::json!(18446744073709551615u64),
            serde_json::json!(false),
            serde_json::json!(null),
            serde_json::json!([1, "a"]),
        ] {
            let mut out = String::new();
            Value::from_json(&json).write_json(&mut out);
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&out).unwrap(),
                json
            );
        }
        assert!(Value::from_json(&serde_json::json!([])).is_empty());
        assert!(!Value::from_json(&serde_json::json!(0)).is_empty());
    }

    proptest! {
        #[test]
        fn dates_are_written_as_jiff_does(year in -9999i16..=9999, month in 1i8..=12, day in 1i8..=28) {
            let date = jiff::civil::date(year, month, day);
            let mut out = String::new();
            push_date(date, &mut out);
            prop_assert_eq!(out, date.to_string());
        }
    }
}
