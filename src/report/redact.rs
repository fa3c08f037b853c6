//! Masking of what came out of cells, for reports that are passed on: shapes stay, values go.

use serde_json::Value;

use super::summary::Summary;

/// The longest that a mask grows, in characters; a longer value ends in `…`.
const LONGEST: usize = 40;

/// Words with a capital letter that a target's sentence may begin with and that are nobody's name.
const ORDINARY: [&str; 30] = [
    "A",
    "Already",
    "An",
    "Cannot",
    "Company",
    "Contact",
    "Customer",
    "Don't",
    "Duplicate",
    "Email",
    "Field",
    "Invalid",
    "Is",
    "It",
    "Missing",
    "Must",
    "Name",
    "No",
    "Not",
    "Phone",
    "Please",
    "Property",
    "Record",
    "That",
    "The",
    "There",
    "This",
    "Too",
    "Unknown",
    "Value",
];

/// The shape of a value: letters as `x` and `X`, digits as `9`, ASCII punctuation and spaces as
/// they are, anything else as `x`. `bob@Home 12` is `xxx@Xxxx 99`.
pub fn shape(value: &str) -> String {
    let mut mask = String::with_capacity(value.len().min(LONGEST + 4));
    for (place, c) in value.chars().enumerate() {
        if place == LONGEST {
            mask.push('…');
            break;
        }
        mask.push(match c {
            c if c.is_numeric() => '9',
            c if c.is_uppercase() => 'X',
            c if c.is_ascii_punctuation() => c,
            c if c.is_whitespace() => ' ',
            _ => 'x',
        });
    }
    mask
}

/// A message with everything masked that may be part of a value: words of the cell's own `value`,
/// anything with an `@` in it, numbers and dates whose digits stand in the value. Of a target's words (`code` begins
/// with `target.`), which may speak of anybody, what is quoted, has a digit, or is a name by its
/// capital letter is masked too.
pub fn message(code: &str, text: &str, value: Option<&str>) -> String {
    let own: Vec<String> = value
        .unwrap_or("")
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.chars().count() > 1)
        .map(str::to_lowercase)
        .collect();
    let foreign = code.starts_with("target.");
    let mut masked = String::with_capacity(text.len());
    let mut quote = None;
    for piece in text.split_inclusive(char::is_whitespace) {
        let word = piece.trim_end();
        let space = &piece[word.len()..];
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        let within = quote.is_some();
        if foreign {
            for c in word.chars() {
                match quote {
                    Some(end) if c == end => quote = None,
                    None => quote = closing(c),
                    Some(_) => {}
                }
            }
            // An apostrophe within a word opens nothing.
            if quote == Some('\'') && !within && !word.starts_with(['\'', '(']) {
                quote = None;
            }
        }
        let quoted = within || (foreign && word.starts_with(['"', '\'', '`', '“', '„', '«', '‘']));
        let digits = word.chars().filter(|c| c.is_numeric()).count();
        let name = bare.chars().any(char::is_uppercase) && !ORDINARY.contains(&bare);
        let hidden = quoted
            || (bare.contains('@'))
            || (digits >= 4 && of_value(word, value.unwrap_or("")))
            || (foreign && (digits > 0 || name))
            || bare
                .split(|c: char| !c.is_alphanumeric())
                .any(|part| own.contains(&part.to_lowercase()));
        if hidden {
            masked.push_str(&shape(word));
        } else {
            masked.push_str(word);
        }
        masked.push_str(space);
    }
    masked
}

/// Whether a number or date is made of the digits of a value, however it is written there.
fn of_value(word: &str, value: &str) -> bool {
    let digits = |text: &str| -> String { text.chars().filter(|c| c.is_numeric()).collect() };
    let (told, held) = (digits(word), digits(value));
    let parts = |text: &str| -> Vec<String> {
        let parts = text.split(|c: char| !c.is_numeric());
        let parts = parts.map(|part| part.trim_start_matches('0').to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    };
    let known = parts(value);
    let whole = held.len() >= 4 && told.contains(&held);
    held.contains(&told)
        || whole
        || parts(word)
            .iter()
            .any(|part| part.len() > 1 && known.contains(part))
}

/// What ends a quotation that this character begins.
fn closing(c: char) -> Option<char> {
    match c {
        '"' | '\'' | '`' => Some(c),
        '“' | '„' => Some('”'),
        '«' => Some('»'),
        '‘' => Some('’'),
        _ => None,
    }
}

/// Masks all texts and numbers of a body; names of members, `true`, `false` and `null` stay.
pub fn json(value: &mut Value) {
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => *value = shape(&number.to_string()).into(),
        Value::String(text) => *text = shape(text),
        Value::Array(list) => list.iter_mut().for_each(json),
        Value::Object(members) => members.values_mut().for_each(json),
    }
}

/// Masks all that a summary shows of cells: values and messages of its examples, bodies, and the
/// target's reason for a stop.
pub fn summary(summary: &mut Summary) {
    for group in &mut summary.issues {
        let first = group.examples.first();
        let value = first.and_then(|example| example.value.clone());
        group.message = message(&group.code, &group.message, value.as_deref());
        for example in &mut group.examples {
            example.message = message(&group.code, &example.message, example.value.as_deref());
            if let Some(value) = &mut example.value {
                *value = shape(value);
            }
        }
    }
    // They are made of values.
    summary.suggestions.clear();
    summary.bodies.iter_mut().for_each(json);
    if let Some(stopped) = &mut summary.stopped
        && stopped.contains("the target")
    {
        *stopped = message("target.", stopped, None);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::{Example, IssueGroup};

    #[test]
    fn the_shape_of_a_value_stays() {
        for (value, mask) in [
            ("", ""),
            ("bob@Home 12", "xxx@Xxxx 99"),
            ("Zoë\u{2028}東", "Xxx x"),
            ("#N/A", "#X/X"),
            ("<b>", "<x>"),
        ] {
            assert_eq!(shape(value), mask);
        }
        assert_eq!(shape(&"a".repeat(99)), format!("{}…", "x".repeat(LONGEST)));
    }

    #[test]
    fn messages_keep_their_words_and_lose_values() {
        for (code, text, value, masked) in [
            (
                "dob.ambiguous",
                "this may be 1985-04-03 or 1985-03-04; say date_order = \"dmy\"",
                Some("03/04/1985"),
                "this may be 9999-99-99 or 9999-99-99; say date_order = \"dmy\"",
            ),
            (
                "income.max",
                "this is more than 150000, the most allowed; row 12345 has 160000",
                Some("$160,000"),
                "this is more than 150000, the most allowed; row 12345 has 999999",
            ),
            (
                "c.ambiguous",
                "this is the name of North Korea (KP); at most 255 are allowed",
                Some("Korea"),
                "this is the name of North Xxxxx (KP); at most 255 are allowed",
            ),
            (
                "target.422",
                "the target says of email: Jane Doe has it already, see 'a b'. Don't send bob@x.io",
                None,
                "the target says of email: Xxxx Xxx has it already, see 'x x'. Don't send xxx@x.xx",
            ),
            (
                "target.409",
                "the target says: Email \"ann smith\" is taken by 17",
                Some("ann@x.example"),
                "the target says: Email \"xxx xxxxx\" is taken by 99",
            ),
        ] {
            assert_eq!(message(code, text, value), masked);
        }
    }

    #[test]
    fn a_summary_is_masked_throughout() {
        let mut summary_ = Summary {
            issues: vec![IssueGroup {
                code: "email.invalid".into(),
                column: None,
                field: None,
                count: 1,
                fate: "rejected",
                severity: "error",
                message: "bob@acme is not one".into(),
                examples: vec![Example {
                    value: Some("bob@acme".into()),
                    message: "bob@acme is not one".into(),
                    ..Example::default()
                }],
            }],
            bodies: vec![serde_json::json!({"name": "Bob", "n": [12, true, null]})],
            stopped: Some("the target refuses everything: no Bob here".into()),
            ..Summary::default()
        };
        summary(&mut summary_);
        let text = serde_json::to_string(&summary_).unwrap();
        assert!(!text.to_lowercase().contains("bob"), "{text}");
        assert!(text.contains(r#"{"name":"Xxx","n":["99",true,null]}"#));
    }

    proptest! {
        #[test]
        fn no_word_of_the_value_is_left(value in "[a-z]{2,8}[0-9]{0,6}", before in "[ a-z]{0,9}") {
            let text = format!("{before} {value}, and ({value})");
            // A mask may be the value itself only where that is made of masks.
            prop_assume!(shape(&value) != value && !before.contains(&value));
            let masked = message("x.invalid", &text, Some(&value));
            prop_assert!(!masked.contains(&value), "{masked}");
        }
    }
}
