//! What a cell's text looks like, for telling what a column holds.

use crate::row::{Cell, Kind};

/// What one cell or most cells of a column look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shape {
    /// None of the others.
    Text,
    /// A whole number without leading zeros.
    Integer,
    /// A number with a decimal mark or grouping, perhaps with a currency or per cent sign.
    Decimal,
    /// A date in digits or with the month's name.
    Date,
    /// A date with a time.
    DateTime,
    /// A time of day.
    Time,
    /// True or false, yes or no.
    Boolean,
    /// An e-mail address.
    Email,
    /// Digits written as phone numbers are.
    Phone,
    /// Digits with leading zeros, as ids and postal codes have them.
    Digits,
    /// A web address.
    Url,
    /// No cell is filled.
    Empty,
}

impl Shape {
    /// All shapes that a filled cell can have.
    pub const FILLED: [Self; 11] = [
        Self::Text,
        Self::Integer,
        Self::Decimal,
        Self::Date,
        Self::DateTime,
        Self::Time,
        Self::Boolean,
        Self::Email,
        Self::Phone,
        Self::Digits,
        Self::Url,
    ];

    /// The name shown.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Time => "time",
            Self::Boolean => "boolean",
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Digits => "digits",
            Self::Url => "url",
            Self::Empty => "empty",
        }
    }

    /// The shape of a filled cell; `text` is its text without outer space.
    pub fn of(cell: Cell<'_>, text: &str) -> Self {
        match cell.kind {
            Kind::Boolean(_) => Self::Boolean,
            Kind::Date(_) => Self::Date,
            Kind::DateTime(_) => Self::DateTime,
            Kind::Time => Self::Time,
            Kind::Error | Kind::Undecodable => Self::Text,
            Kind::Text | Kind::Number(_) => of_text(text),
        }
    }
}

fn of_text(text: &str) -> Shape {
    // Longer texts are none of these, and need not be looked through.
    if text.len() > 320 {
        return if is_url(text) {
            Shape::Url
        } else {
            Shape::Text
        };
    }
    if text.contains('@') {
        return if is_email(text) {
            Shape::Email
        } else {
            Shape::Text
        };
    }
    if !text.bytes().any(|byte| byte.is_ascii_digit()) {
        return if is_boolean(text) {
            Shape::Boolean
        } else if is_url(text) {
            Shape::Url
        } else {
            Shape::Text
        };
    }
    if is_integer(text) {
        Shape::Integer
    } else if text.starts_with('+') && is_phone(text) {
        Shape::Phone
    } else if text.len() > 1
        && text.bytes().all(|byte| byte.is_ascii_digit())
        && text.starts_with('0')
    {
        Shape::Digits
    } else if is_decimal(text) {
        Shape::Decimal
    } else if is_date(text) {
        Shape::Date
    } else if is_time(text) {
        Shape::Time
    } else if is_date_time(text) {
        Shape::DateTime
    } else if is_phone(text) {
        Shape::Phone
    } else if is_url(text) {
        Shape::Url
    } else {
        Shape::Text
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else {
        return false;
    };
    !local.is_empty()
        && domain.contains('.')
        && !domain.starts_with('.')
        && !domain.ends_with('.')
        && !text.contains(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '<' | '>'))
        && !domain.contains('@')
}

fn is_url(text: &str) -> bool {
    let starts = |prefix: &str| {
        text.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    };
    (starts("http://") || starts("https://") || starts("www."))
        && !text.contains(char::is_whitespace)
}

fn is_boolean(text: &str) -> bool {
    ["true", "false", "yes", "no"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word))
}

fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
        && digits.len() <= 19
}

/// A number with `.` or `,` once as decimal mark, or as grouping in threes, or both.
fn is_decimal(text: &str) -> bool {
    let sign = |c: char| matches!(c, '$' | '€' | '£' | '¥' | '%' | '-' | '+' | ' ' | '\u{a0}');
    let text = text.trim_matches(sign);
    if text.is_empty()
        || !text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ','))
        || !text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'\''))
    {
        return false;
    }
    let mut groups = text.split(['.', ',', '\'']).collect::<Vec<_>>();
    let marks: Vec<char> = text.chars().filter(|c| !c.is_ascii_digit()).collect();
    let (Some(&last), Some(&first)) = (marks.last(), marks.first()) else {
        // Digits alone: with a sign, or with leading zeros, which make no number.
        return !text.starts_with('0');
    };
    let grouped = |groups: &[&str]| {
        groups[0].len() <= 3
            && !groups[0].is_empty()
            && groups[1..].iter().all(|group| group.len() == 3)
    };
    if groups.len() == 2 {
        return !(groups[0].len() > 1 && groups[0].starts_with('0'));
    }
    if last != first {
        groups.pop();
        return marks[..marks.len() - 1].iter().all(|mark| *mark == first) && grouped(&groups);
    }
    marks.iter().all(|mark| *mark == first) && grouped(&groups)
}

const MONTHS: [&str; 12] = [
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
];

/// Three parts of which one may be a month's name, in any order.
fn is_date(text: &str) -> bool {
    if text.len() > 20 {
        return false;
    }
    let mut parts = text
        .split(['-', '/', '.', ' ', ','])
        .filter(|part| !part.is_empty());
    let (Some(a), Some(b), Some(c), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return false;
    };
    let (mut days, mut months, mut years) = (0, 0, 0);
    for part in [a, b, c] {
        if let Ok(number) = part.parse::<u16>() {
            match (part.len(), number) {
                (4, 1800..=2200) => years += 1,
                (1..=2, 1..=31) => days += 1,
                (2, 0..=99) => years += 1,
                _ => return false,
            }
        } else if part
            .get(..3)
            .is_some_and(|start| MONTHS.iter().any(|month| start.eq_ignore_ascii_case(month)))
        {
            months += 1;
        } else {
            return false;
        }
    }
    // 03/04/05 is a date of which any part may be the year; 1.2.3 is none.
    match (days, months, years) {
        (2, 0, 1) | (1, 1, 1) | (2, 1, 0) => true,
        (3, 0, 0) => text.len() >= 6,
        _ => false,
    }
}

fn is_time(text: &str) -> bool {
    let text = text
        .trim_end_matches(|c: char| c.is_ascii_alphabetic())
        .trim_end();
    let mut parts = text.split(':');
    let mut number = |most: u16| {
        parts
            .next()
            .and_then(|part| part.split('.').next())
            .is_some_and(|part| {
                (1..=2).contains(&part.len()) && part.parse::<u16>().is_ok_and(|n| n < most)
            })
    };
    if !number(24) || !number(60) {
        return false;
    }
    text.matches(':').count() == 1 || (text.matches(':').count() == 2 && number(61))
}

fn is_date_time(text: &str) -> bool {
    let Some(colon) = text.find(':') else {
        return false;
    };
    let Some(at) = text[..colon].rfind([' ', 'T']) else {
        return false;
    };
    let time = &text[at + 1..];
    let zone = time
        .find(['+', '-'])
        .map_or(time, |zone| &time[..zone])
        .trim_end();
    is_date(text[..at].trim_end()) && is_time(zone)
}

/// 7 to 15 digits (ITU-T E.164) with what people put between them, perhaps with an extension.
fn is_phone(text: &str) -> bool {
    let main = match text.find(['x', 'X', 'e', 'E', '#']) {
        Some(at) => {
            let extension = text[at..].trim_start_matches(|c: char| !c.is_ascii_digit());
            if extension.is_empty()
                || extension.len() > 8
                || !extension.bytes().all(|byte| byte.is_ascii_digit())
            {
                return false;
            }
            &text[..at]
        }
        None => text,
    };
    let digits = main.bytes().filter(u8::is_ascii_digit).count();
    (7..=15).contains(&digits)
        && main.bytes().all(|byte| {
            byte.is_ascii_digit() || matches!(byte, b'+' | b'(' | b')' | b'-' | b'.' | b'/' | b' ')
        })
        && main.starts_with(|c: char| matches!(c, '+' | '(') || c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_shapes() {
        for (text, expected) in [
            ("Anna", Shape::Text),
            ("12", Shape::Integer),
            ("-7", Shape::Integer),
            ("007", Shape::Digits),
            ("491701234567", Shape::Integer),
            ("12.50", Shape::Decimal),
            ("1.234,50", Shape::Decimal),
            ("1,234,567.89", Shape::Decimal),
            ("$1,200", Shape::Decimal),
            ("12,5 %", Shape::Decimal),
            ("1.2.3", Shape::Text),
            ("2024-02-29", Shape::Date),
            ("29.02.2024", Shape::Date),
            ("3/4/25", Shape::Date),
            ("12 Jan 2024", Shape::Date),
            ("Jan 12, 2024", Shape::Date),
            ("2024-02-29T10:20:30Z", Shape::DateTime),
            ("2024-02-29 10:20:30.123", Shape::DateTime),
            ("2/29/2024 1:05 PM", Shape::DateTime),
            ("2024-02-29T10:20:30+02:00", Shape::DateTime),
            ("10:30", Shape::Time),
            ("Yes", Shape::Boolean),
            ("FALSE", Shape::Boolean),
            ("bob@example.org", Shape::Email),
            ("bob@", Shape::Text),
            ("a@b.c, d@e.f", Shape::Text),
            ("+49 170 1234567", Shape::Phone),
            ("+491701234567", Shape::Phone),
            ("+12.5", Shape::Decimal),
            ("(555) 123-4567", Shape::Phone),
            ("555.123.4567", Shape::Phone),
            ("001-555-123-4567x123", Shape::Phone),
            ("555-123-4567 ext. 12", Shape::Phone),
            ("https://example.org/", Shape::Url),
            ("www.example1.org", Shape::Url),
            ("Main Street 12", Shape::Text),
            ("1e5", Shape::Text),
            ("-", Shape::Text),
            ("é1", Shape::Text),
        ] {
            assert_eq!(of_text(text), expected, "{text}");
        }
    }

    #[test]
    fn a_workbook_says_what_its_cells_are() {
        let cell = |kind| Cell { text: "1", kind };
        assert_eq!(Shape::of(cell(Kind::Boolean(true)), "TRUE"), Shape::Boolean);
        assert_eq!(Shape::of(cell(Kind::Error), "#N/A"), Shape::Text);
        assert_eq!(Shape::of(cell(Kind::Number(1.5)), "1.5"), Shape::Decimal);
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_shape(text in "\\PC{0,40}") {
            proptest::prop_assert!(Shape::FILLED.contains(&of_text(&text)));
        }

        #[test]
        fn any_number_like_text_has_a_shape(text in "[0-9.,:T +xe$-]{0,20}") {
            proptest::prop_assert!(Shape::FILLED.contains(&of_text(&text)));
        }
    }
}
