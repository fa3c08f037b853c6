//! The types of the target file's fields, as a server checks them.

use serde_json::Value;

use super::value::text_of;

/// Whether `left` is less than `right`: as numbers, else as texts (dates).
pub(super) fn below(left: &Value, right: &Value) -> bool {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse::<f64>().ok(),
        value => value.as_f64(),
    };
    match (number(left), number(right)) {
        (Some(left), Some(right)) => left < right,
        _ => match (left.as_str(), right.as_str()) {
            (Some(left), Some(right)) => left < right,
            _ => false,
        },
    }
}

/// Whether a value is of a type of the target file; `form`: it may be the text that stands for one.
pub(super) fn has_kind(kind: &str, value: &Value, form: bool) -> bool {
    let text = value.as_str();
    let is = |test: &dyn Fn(&str) -> bool| text.is_some_and(test);
    match kind {
        "text" => text.is_some(),
        "integer" if form => is(&|t| t.parse::<i64>().is_ok()),
        "integer" => value.is_i64() || value.is_u64(),
        "decimal" => value.is_number() || is(&is_decimal),
        "boolean" if form => is(&|t| boolean(t).is_some()),
        "boolean" => value.is_boolean(),
        "date" => is(&is_date),
        "datetime" => is(&is_datetime),
        "email" => is(&is_email),
        "phone" => is(&is_phone),
        "country" => is(&|t| t.len() == 2 && t.bytes().all(|b| b.is_ascii_uppercase())),
        "currency" => is(&|t| t.len() == 3 && t.bytes().all(|b| b.is_ascii_uppercase())),
        "url" => {
            is(&|t| url::Url::parse(t).is_ok_and(|url| matches!(url.scheme(), "http" | "https")))
        }
        "uuid" => is(&|t| t.len() == 36 && uuid::Uuid::try_parse(t).is_ok()),
        "choice" => text_of(value).is_some(),
        "choices" => value
            .as_array()
            .is_some_and(|a| a.iter().all(|v| text_of(v).is_some())),
        "array" => value.is_array(),
        "object" => value.is_object(),
        // `json`, and types that other versions of the contract may add.
        _ => true,
    }
}

fn is_decimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        && digits.bytes().filter(|b| *b == b'.').count() <= 1
        && digits.bytes().any(|b| b.is_ascii_digit())
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_datetime(text: &str) -> bool {
    text.len() > 10
        && (text.parse::<jiff::Timestamp>().is_ok()
            || text.parse::<jiff::civil::DateTime>().is_ok())
}

/// As most servers check an address: something, an at sign, a domain with a dot.
fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else {
        return false;
    };
    text.len() <= 254
        && !local.is_empty()
        && !local.contains(['@', ' ', '\t', '\r', '\n'])
        && domain.contains('.')
        && domain.split('.').all(|label| {
            !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-')
        })
}

/// ITU-T E.164: a plus sign and at most 15 digits, the first not 0.
fn is_phone(text: &str) -> bool {
    text.strip_prefix('+').is_some_and(|digits| {
        (6..=15).contains(&digits.len())
            && !digits.starts_with('0')
            && digits.bytes().all(|b| b.is_ascii_digit())
    })
}

/// The flag that a form's text stands for.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_of_their_types() {
        for (kind, right, wrong) in [
            ("text", json!(["a", ""]), json!([1, true, [], {}])),
            (
                "integer",
                json!([1, -1, u64::MAX]),
                json!(["1", 1.5, 1.0, true]),
            ),
            (
                "decimal",
                json!([1, 1.5, "1.50", "-0.1"]),
                json!(["", "1,5", ".", "1.2.3", "1e5", true]),
            ),
            ("boolean", json!([true, false]), json!(["true", 1, 0])),
            (
                "date",
                json!(["2024-02-29"]),
                json!([
                    "2023-02-29",
                    "2024-2-9",
                    "29.02.2024",
                    "2024-02-29T00:00:00Z"
                ]),
            ),
            (
                "datetime",
                json!([
                    "2024-02-29T01:02:03Z",
                    "2024-02-29T01:02:03+02:00",
                    "2024-02-29 01:02:03"
                ]),
                json!(["2024-02-29", "2024-02-30T00:00:00Z", 1709164800]),
            ),
            (
                "email",
                json!(["a@b.org", "a.b+c@ü.example"]),
                json!(["a", "a@b", "@b.org", "a b@c.org", "a@b..org", "a@b@c.org"]),
            ),
            (
                "phone",
                json!(["+4930123456"]),
                json!([
                    "+049301234",
                    "004930123456",
                    "+49 30 123456",
                    "+1234567890123456"
                ]),
            ),
            (
                "country",
                json!(["NL"]),
                json!(["nl", "NLD", "Netherlands", "528"]),
            ),
            ("currency", json!(["EUR"]), json!(["eur", "€"])),
            (
                "url",
                json!(["https://a.example/x"]),
                json!(["a.example", "ftp://a.example"]),
            ),
            (
                "uuid",
                json!(["67e55044-10b1-426f-9247-bb680e5fe0c8"]),
                json!(["67e5504410b1426f9247bb680e5fe0c8", "x"]),
            ),
            ("choice", json!(["a", 1, true]), json!([[], {}])),
            ("choices", json!([["a", 1], []]), json!(["a", [{}]])),
            ("array", json!([[]]), json!([{}, "a"])),
            ("object", json!([{}]), json!([[], "a"])),
            ("json", json!([{}, [], "a", 1]), json!([])),
        ] {
            for value in right.as_array().unwrap() {
                assert!(has_kind(kind, value, false), "{value} is of type {kind}");
            }
            for value in wrong.as_array().unwrap() {
                assert!(
                    !has_kind(kind, value, false),
                    "{value} is not of type {kind}"
                );
            }
        }
        for (kind, text, fits) in [
            ("integer", "5", true),
            ("integer", "5.0", false),
            ("boolean", "1", true),
            ("boolean", "yes", false),
        ] {
            assert_eq!(has_kind(kind, &json!(text), true), fits, "{kind} {text}");
        }
    }

    #[test]
    fn values_are_compared_as_numbers_else_as_texts() {
        for (left, right, less) in [
            (json!(9), json!(10), true),
            (json!("9"), json!(10), true),
            (json!("2024-01-02"), json!("2024-01-10"), true),
            (json!("2024-01-10"), json!("2024-01-02"), false),
            (json!([]), json!(1), false),
        ] {
            assert_eq!(below(&left, &right), less, "{left} {right}");
        }
    }
}
