//! Cells of a workbook as they were: values as spreadsheet programs keep them, and the number
//! formats by which they show them.

use std::borrow::Cow;

use jiff::civil::{Date, DateTime, Time, date};

use crate::row::{Cell, Kind};

/// A cell's value as a workbook keeps it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Empty,
    Text(&'a str),
    Number(f64),
    Boolean(bool),
}

/// How a date, a moment and a time are shown where the source does not say.
const DATE: &str = "yyyy-mm-dd";
const MOMENT: &str = "yyyy-mm-dd hh:mm:ss";
const TIME: &str = "hh:mm:ss";
const DURATION: &str = "[h]:mm:ss";
/// The format of text.
pub(super) const TEXT: &str = "@";

/// The value of a cell, and the code of the format that shows it as the source does; `format` is
/// the source's own, where its reader knows it.
pub(super) fn shown<'a>(cell: Cell<'a>, format: Option<&'a str>) -> (Value<'a>, Cow<'a, str>) {
    let own = format.filter(|code| *code != TEXT);
    let or = |other: &'static str| Cow::Borrowed(own.unwrap_or(other));
    match cell.kind {
        _ if cell.text.is_empty() => (Value::Empty, Cow::Borrowed(format.unwrap_or_default())),
        Kind::Number(value) if value.is_finite() => {
            let code = match own {
                Some(code) => Cow::Borrowed(code),
                None => like(cell.text, value),
            };
            (Value::Number(value), code)
        }
        Kind::Boolean(value) => (Value::Boolean(value), or("")),
        Kind::Date(date) => match serial(date.to_datetime(Time::midnight())) {
            Some(serial) => (Value::Number(serial), or(DATE)),
            None => (Value::Text(cell.text), Cow::Borrowed(TEXT)),
        },
        Kind::DateTime(moment) => match serial(moment) {
            Some(serial) => (Value::Number(serial), or(MOMENT)),
            None => (Value::Text(cell.text), Cow::Borrowed(TEXT)),
        },
        Kind::Time => match share_of_day(cell.text) {
            Some(share) => (
                Value::Number(share),
                or(if share < 1.0 { TIME } else { DURATION }),
            ),
            None => (Value::Text(cell.text), Cow::Borrowed(TEXT)),
        },
        _ => {
            // Text that looks like a number stays text when somebody edits it.
            let code = match format {
                Some(code) => code,
                None if numeric(cell.text) => TEXT,
                None => "",
            };
            (Value::Text(cell.text), Cow::Borrowed(code))
        }
    }
}

/// Whether a spreadsheet program would make a number or a date of this text, were it typed in.
fn numeric(text: &str) -> bool {
    let text = text.trim();
    text.starts_with(|c: char| c.is_ascii_digit() || "+-.(".contains(c))
        && text.bytes().any(|byte| byte.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b" .,+-/():eE%".contains(&byte))
}

/// The days since the last day of 1899 as workbooks count them, the 29th of February 1900, which
/// there was not, included (ECMA-376 part 1, 18.17.4.1). `None` before 1900.
fn serial(moment: DateTime) -> Option<f64> {
    const FIRST: Date = date(1900, 1, 1);
    const GAP: Date = date(1900, 3, 1);
    let day = moment.date();
    if day < FIRST {
        return None;
    }
    let since = day.since(FIRST).ok()?.get_days() + 1;
    let days = f64::from(since) + if day >= GAP { 1.0 } else { 0.0 };
    let time = moment.time();
    let seconds = f64::from(time.hour()) * 3600.0
        + f64::from(time.minute()) * 60.0
        + f64::from(time.second())
        + f64::from(time.subsec_nanosecond()) / 1e9;
    Some(days + seconds / 86_400.0)
}

/// `36:30:00` as a share of a day.
fn share_of_day(text: &str) -> Option<f64> {
    let mut parts = text.split(':');
    let hours: u32 = parts.next()?.parse().ok()?;
    let minutes: u32 = parts.next()?.parse().ok().filter(|minutes| *minutes < 60)?;
    let seconds: f64 = parts.next().unwrap_or("0").parse().ok()?;
    let sound = parts.next().is_none() && (0.0..60.0).contains(&seconds);
    sound.then(|| (f64::from(hours) * 3600.0 + f64::from(minutes) * 60.0 + seconds) / 86_400.0)
}

/// A format that shows a number as this text, for readers that tell no format: `01234`, `12.50`,
/// `1,234.50`, `12%`, `012-34-5678`. Empty where the number is shown as it is.
fn like(text: &str, value: f64) -> Cow<'static, str> {
    if text.parse::<f64>() == Ok(value) && !padded(text) {
        return Cow::Borrowed("");
    }
    let (front, percent) = match text.strip_suffix('%') {
        Some(front) => (front, "%"),
        None => (text, ""),
    };
    let unsigned = front.strip_prefix('-').unwrap_or(front);
    let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let grouped = whole.contains(',');
    if digits(&whole.replace(',', "")) && digits(decimals) && !whole.is_empty() {
        let padded = whole.len() > 1 && whole.starts_with('0');
        let mut code = match (grouped, padded) {
            (true, _) => "#,##0".to_owned(),
            (false, true) => "0".repeat(whole.len()),
            (false, false) => "0".to_owned(),
        };
        if !decimals.is_empty() {
            code.push('.');
            code.extend(std::iter::repeat_n('0', decimals.len()));
        }
        code.push_str(percent);
        return Cow::Owned(code);
    }
    // Digits with marks between them, if they are those of the number.
    let plain: String = text.chars().filter(char::is_ascii_digit).collect();
    if plain.parse::<f64>() != Ok(value) || text.contains(['E', 'e']) {
        return Cow::Borrowed("");
    }
    let mut code = String::new();
    for c in text.chars() {
        match c {
            c if c.is_ascii_digit() => code.push('0'),
            '-' | ' ' | '/' | '(' | ')' => code.push(c),
            c => code.extend(['\\', c]),
        }
    }
    Cow::Owned(code)
}

/// Whether a number has zeros that it does not need: `007`, `1.50`.
fn padded(text: &str) -> bool {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let whole = unsigned.split('.').next().unwrap_or_default();
    (whole.len() > 1 && whole.starts_with('0'))
        || (unsigned.contains('.') && unsigned.ends_with(['0', '.']) && !unsigned.contains('E'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(text: &str, kind: Kind) -> Cell<'_> {
        Cell { text, kind }
    }

    #[test]
    fn numbers_whose_format_is_not_told_look_alike() {
        for (text, value, code) in [
            ("7", 7.0, ""),
            ("-7.5", -7.5, ""),
            ("1.5E-12", 1.5e-12, ""),
            ("01234", 1234.0, "00000"),
            ("12.50", 12.5, "0.00"),
            ("1,234.50", 1234.5, "#,##0.00"),
            ("-1,234.50", -1234.5, "#,##0.00"),
            ("12%", 0.12, "0%"),
            ("12.5%", 0.125, "0.0%"),
            ("012-34-5678", 12_345_678.0, "000-00-0000"),
            ("KD-0007", 7.0, "\\K\\D-0000"),
            ("0.333333333333333", 1.0 / 3.0, "0.000000000000000"),
        ] {
            assert_eq!(like(text, value), code, "{text}");
        }
    }

    #[test]
    fn cells_keep_what_they_are() {
        let day = date(2024, 2, 29);
        let moment = day.at(18, 30, 0, 0);
        for (cell, format, value, code) in [
            (cell("", Kind::Text), Some("@"), Value::Empty, "@"),
            (cell("007", Kind::Text), None, Value::Text("007"), "@"),
            (cell("007", Kind::Text), Some("@"), Value::Text("007"), "@"),
            (cell("=1+1", Kind::Text), None, Value::Text("=1+1"), ""),
            (
                cell("TRUE", Kind::Boolean(true)),
                None,
                Value::Boolean(true),
                "",
            ),
            (
                cell("2024-02-29", Kind::Date(day)),
                Some("dd.mm.yyyy"),
                Value::Number(45_351.0),
                "dd.mm.yyyy",
            ),
            (
                cell("2024-02-29T18:30:00", Kind::DateTime(moment)),
                None,
                Value::Number(45_351.770_833_333_336),
                MOMENT,
            ),
            (
                cell("1899-12-31", Kind::Date(date(1899, 12, 31))),
                None,
                Value::Text("1899-12-31"),
                "@",
            ),
            (
                cell("06:00:00", Kind::Time),
                None,
                Value::Number(0.25),
                TIME,
            ),
            (
                cell("36:00:00", Kind::Time),
                None,
                Value::Number(1.5),
                DURATION,
            ),
            (cell("#N/A", Kind::Error), None, Value::Text("#N/A"), ""),
        ] {
            assert_eq!(shown(cell, format), (value, Cow::Borrowed(code)));
        }
    }

    #[test]
    fn days_are_counted_as_workbooks_count_them() {
        for (day, number) in [
            (date(1900, 1, 1), 1.0),
            (date(1900, 2, 28), 59.0),
            (date(1900, 3, 1), 61.0),
            (date(1970, 1, 1), 25_569.0),
            (date(2024, 1, 1), 45_292.0),
            (date(9999, 12, 31), 2_958_465.0),
        ] {
            assert_eq!(serial(day.to_datetime(Time::midnight())), Some(number));
        }
        assert_eq!(serial(date(1899, 12, 31).at(23, 0, 0, 0)), None);
    }

    proptest! {
        #[test]
        fn any_number_gets_a_format(text in "[0-9.,%E -]{0,12}", value in any::<f64>()) {
            like(&text, value);
        }
    }
}
