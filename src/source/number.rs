//! Numbers, dates and times of a workbook as it shows them.

use std::fmt::Write as _;

use calamine::ExcelDateTime;
use jiff::civil::{Date, DateTime, Time};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::row::Kind;

/// Integers up to here are exact in a workbook (IEEE 754 double).
const EXACT: f64 = 9_007_199_254_740_992.0;

/// Writes a number as a cell of the format General would show it in a wide column: whole numbers
/// without a point, others with at most 15 digits, the precision that spreadsheet programs show.
pub(super) fn write_general(out: &mut String, value: f64) {
    if value == 0.0 {
        out.push('0');
        return;
    }
    // Writing to a string cannot fail.
    if value.fract() == 0.0 && value.abs() < EXACT {
        let _ = write!(out, "{}", value as i64);
        return;
    }
    if !value.is_finite() {
        out.push_str("#NUM!");
        return;
    }
    let scientific = format!("{value:.14e}");
    let Some((mantissa, exponent)) = scientific.split_once('e') else {
        out.push_str(&scientific);
        return;
    };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(|c| *c != '.').collect();
    let digits = digits.trim_end_matches('0');
    out.push_str(sign);
    match exponent {
        0..=15 => {
            let whole = exponent as usize + 1;
            if digits.len() <= whole {
                out.push_str(digits);
                out.extend(std::iter::repeat_n('0', whole - digits.len()));
            } else {
                out.push_str(&digits[..whole]);
                out.push('.');
                out.push_str(&digits[whole..]);
            }
        }
        -9..=-1 => {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (-exponent - 1) as usize));
            out.push_str(digits);
        }
        _ => {
            out.push_str(&digits[..1]);
            if digits.len() > 1 {
                out.push('.');
                out.push_str(&digits[1..]);
            }
            let _ = write!(out, "E{exponent:+}");
        }
    }
}

/// The codes of built-in number formats that a number is shown by (ECMA-376 part 1, 18.8.30).
pub(super) fn built_in(id: u16) -> Option<&'static str> {
    Some(match id {
        2 => "0.00",
        4 => "#,##0.00",
        9 => "0%",
        10 => "0.00%",
        _ => return None,
    })
}

/// A number format made of zeros and marks, such as `00000` or `000-00-0000`: how ids and postal
/// codes keep their leading zeros though the cell is a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ZeroFormat {
    /// `None` is a digit.
    parts: Vec<Option<char>>,
}

impl ZeroFormat {
    /// Reads a format code; `None` where it has anything else, or a single zero and nothing before it.
    pub(super) fn parse(code: &str) -> Option<Self> {
        let mut parts: Vec<Option<char>> = Vec::new();
        let mut characters = code.chars().peekable();
        let mut bare = false;
        while let Some(character) = characters.next() {
            match character {
                '0' if bare => return None,
                '0' => parts.push(None),
                // Digits without zeros before them: `"+"#`, and as many as there are.
                '#' if parts.contains(&None) => return None,
                '#' => {
                    while characters.next_if_eq(&'#').is_some() {}
                    if characters.peek() != Some(&'0') {
                        bare = true;
                        parts.push(None);
                    }
                }
                '-' | '+' | ' ' | '(' | ')' | '/' => parts.push(Some(character)),
                '\\' => parts.push(Some(characters.next()?)),
                '"' => loop {
                    match characters.next()? {
                        '"' => break,
                        literal => parts.push(Some(literal)),
                    }
                },
                _ => return None,
            }
        }
        let digits = parts.iter().filter(|part| part.is_none()).count();
        let marked = parts.first().is_some_and(Option::is_some);
        (digits > 1 || digits == 1 && marked).then_some(Self { parts })
    }

    /// Writes a whole number that is not negative; says whether it did.
    pub(super) fn write(&self, out: &mut String, value: f64) -> bool {
        if value < 0.0 || value.fract() != 0.0 || value >= EXACT {
            return false;
        }
        let places = self.parts.iter().filter(|part| part.is_none()).count();
        let digits = format!("{:0places$}", value as u64);
        // Digits that the format has no place for stand at its first one.
        let (surplus, rest) = digits.split_at(digits.len() - places);
        let mut rest = rest.chars();
        let mut first = true;
        for part in &self.parts {
            match part {
                Some(mark) => out.push(*mark),
                None => {
                    if std::mem::take(&mut first) {
                        out.push_str(surplus);
                    }
                    out.extend(rest.next());
                }
            }
        }
        true
    }
}

/// How a number cell is shown, where that is more than the number itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NumberFormat {
    /// Zeros and marks.
    Zeros(ZeroFormat),
    /// So many decimals, grouped by commas or not, perhaps as per cent: `0.00`, `#,##0.00`, `0%`.
    Fixed {
        grouped: bool,
        decimals: u32,
        percent: bool,
    },
}

impl NumberFormat {
    /// Reads a format code; `None` where the number is shown as it is, or in a way that is not
    /// known here. `#,##0` is left out on purpose: of what has no decimals, ids would be broken.
    pub(super) fn parse(code: &str) -> Option<Self> {
        if let Some(zeros) = ZeroFormat::parse(code) {
            return Some(Self::Zeros(zeros));
        }
        let (code, percent) = match code.strip_suffix('%') {
            Some(rest) => (rest, true),
            None => (code, false),
        };
        let (whole, decimals) = code.split_once('.').unwrap_or((code, ""));
        let grouped = match whole {
            "0" => false,
            "#,##0" => true,
            _ => return None,
        };
        let fits = decimals.len() <= 15 && decimals.bytes().all(|byte| byte == b'0');
        (fits && (percent || !decimals.is_empty())).then_some(Self::Fixed {
            grouped,
            decimals: decimals.len() as u32,
            percent,
        })
    }

    /// Writes a number; says whether it did.
    pub(super) fn write(&self, out: &mut String, value: f64) -> bool {
        let (grouped, decimals, percent) = match self {
            Self::Zeros(zeros) => return zeros.write(out, value),
            Self::Fixed {
                grouped,
                decimals,
                percent,
            } => (*grouped, *decimals, *percent),
        };
        if value.abs() >= 1e15 {
            return false;
        }
        // Rounded as 15 decimal digits are, not as the binary number behind them.
        let Ok(mut number) = Decimal::from_scientific(&format!("{value:.14e}")) else {
            return false;
        };
        if percent {
            number *= Decimal::ONE_HUNDRED;
        }
        let number =
            number.round_dp_with_strategy(decimals, RoundingStrategy::MidpointAwayFromZero);
        let places = decimals as usize;
        let text = format!("{:.places$}", number.abs());
        let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
        if number.is_sign_negative() && !number.is_zero() {
            out.push('-');
        }
        for (at, digit) in whole.char_indices() {
            if grouped && at > 0 && (whole.len() - at) % 3 == 0 {
                out.push(',');
            }
            out.push(digit);
        }
        out.push_str(rest);
        if percent {
            out.push('%');
        }
        true
    }
}

/// Writes a date cell as ISO 8601, or a time of day or duration as `hh:mm:ss`, and says which it
/// is. What no calendar has (day 0, 29 February 1900) is written as the number it is kept as.
pub(super) fn write_date(out: &mut String, cell: ExcelDateTime) -> Kind {
    let value = cell.as_f64();
    if (0.0..1e6).contains(&value) && (cell.is_duration() || value < 1.0) {
        write_time(out, value);
        return Kind::Time;
    }
    let (year, month, day, hour, minute, second, milli) = cell.to_ymd_hms_milli();
    // Beyond its range the reader gives the nearest date that it knows; that would be a wrong one.
    if (1.0..2_958_466.0).contains(&value)
        && let Ok(date) = Date::new(year as i16, month as i8, day as i8)
        && let Ok(time) = Time::new(
            hour as i8,
            minute as i8,
            second as i8,
            i32::from(milli) * 1_000_000,
        )
    {
        return write_moment(out, date.to_datetime(time));
    }
    write_general(out, value);
    Kind::Number(value)
}

fn write_moment(out: &mut String, moment: DateTime) -> Kind {
    // Writing to a string cannot fail.
    if moment.time() == Time::midnight() {
        let _ = write!(out, "{}", moment.date());
        Kind::Date(moment.date())
    } else {
        let _ = write!(out, "{moment}");
        Kind::DateTime(moment)
    }
}

/// Writes a share of days as hours, minutes and seconds; hours may pass 24.
fn write_time(out: &mut String, days: f64) {
    let seconds = (days * 86_400.0).round() as u64;
    let _ = write!(
        out,
        "{:02}:{:02}:{:02}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    );
}

/// Writes a date, moment or time that the file keeps as ISO 8601 text.
pub(super) fn write_iso(out: &mut String, text: &str) -> Kind {
    let local = text.strip_suffix(['Z', 'z']).unwrap_or(text);
    if let Ok(moment) = local.parse::<DateTime>() {
        return write_moment(out, moment);
    }
    out.push_str(local);
    if local.parse::<Time>().is_ok() {
        Kind::Time
    } else {
        Kind::Text
    }
}

/// Writes a duration such as `PT10H30M00S` as `hh:mm:ss`.
pub(super) fn write_iso_duration(out: &mut String, text: &str) -> Kind {
    match text.parse::<jiff::Span>().ok().and_then(|span| {
        let days_are_24_hours = jiff::SpanRelativeTo::days_are_24_hours();
        span.total((jiff::Unit::Second, days_are_24_hours)).ok()
    }) {
        Some(seconds) if seconds >= 0.0 => {
            write_time(out, seconds / 86_400.0);
            Kind::Time
        }
        _ => {
            out.push_str(text);
            Kind::Text
        }
    }
}

#[cfg(test)]
mod tests {
    use calamine::ExcelDateTimeType;

    use super::*;

    #[test]
    fn numbers_read_as_a_workbook_shows_them() {
        for (value, expected) in [
            (0.0, "0"),
            (-0.0, "0"),
            (7.0, "7"),
            (-7.5, "-7.5"),
            (7.000_000_000_000_001, "7"),
            (0.1 + 0.2, "0.3"),
            (1.0 / 3.0, "0.333333333333333"),
            (491_701_234_567.0, "491701234567"),
            (1e15, "1000000000000000"),
            (123_456_789_012_345_680.0, "1.23456789012346E+17"),
            (9_007_199_254_740_991.0, "9007199254740991"),
            (1e20, "1E+20"),
            (0.000_05, "0.00005"),
            (1.5e-12, "1.5E-12"),
            (1234.5678, "1234.5678"),
            (999_999_999_999_999.9, "1000000000000000"),
            (19.99, "19.99"),
            (f64::INFINITY, "#NUM!"),
        ] {
            let mut out = String::new();
            write_general(&mut out, value);
            assert_eq!(out, expected);
        }
    }

    #[test]
    fn formats_of_zeros_keep_them() {
        for (code, value, expected) in [
            ("00000", 1234.0, Some("01234")),
            ("00000", 123_456.0, Some("123456")),
            ("000-00-0000", 12_345_678.0, Some("012-34-5678")),
            ("00000\\-0000", 123_456_789.0, Some("12345-6789")),
            ("\"KD-\"0000", 7.0, Some("KD-0007")),
            ("\"0\"0", 2_079_460_958.0, Some("02079460958")),
            ("\\+0", 4_722_123_456.0, Some("+4722123456")),
            ("\"+44 \"0", 2_079_460_958.0, Some("+44 2079460958")),
            ("\\+##########", 4_722_123_456.0, Some("+4722123456")),
            ("\\0#", 2_079_460_958.0, Some("02079460958")),
            ("##00", 7.0, Some("07")),
            ("+00 00 0000000", 47_221_234_567.0, Some("+47 22 1234567")),
            ("00000", -1.0, None),
            ("00000", 1.5, None),
        ] {
            let mut out = String::new();
            let wrote = ZeroFormat::parse(code).unwrap().write(&mut out, value);
            assert_eq!(wrote.then_some(out.as_str()), expected, "{code}");
        }
        for code in [
            "General",
            "0",
            "0.00",
            "#,##0",
            "0;0",
            "#",
            "##0",
            "###-0000",
            "###-####",
            "0\\ \"kg\"",
            "00%",
            "\"open",
            "dd.mm.yyyy",
        ] {
            assert_eq!(ZeroFormat::parse(code), None, "{code}");
        }
    }

    #[test]
    fn formats_with_decimals_show_them() {
        for (code, value, expected) in [
            ("0.00", 3.0, "3.00"),
            ("0.00", 1.005, "1.01"),
            ("0.0", -0.04, "0.0"),
            ("#,##0.00", -1_234_567.5, "-1,234,567.50"),
            ("#,##0.00", 999.0, "999.00"),
            ("0%", 0.12, "12%"),
            ("0.00%", 0.1255, "12.55%"),
        ] {
            let mut out = String::new();
            assert!(NumberFormat::parse(code).unwrap().write(&mut out, value));
            assert_eq!(out, expected, "{code}");
        }
        for code in ["General", "0", "#,##0", "0.00E+00", "0.0#", "dd.mm"] {
            assert_eq!(NumberFormat::parse(code), None, "{code}");
        }
    }

    #[test]
    fn dates_are_iso_and_impossible_ones_stay_numbers() {
        let cell = |value, mac| ExcelDateTime::new(value, ExcelDateTimeType::DateTime, mac);
        for (cell, expected) in [
            (cell(45_943.0, false), "2025-10-13"),
            (cell(44_481.0, true), "2025-10-13"),
            (cell(45_943.5, false), "2025-10-13T12:00:00"),
            (cell(0.75, false), "18:00:00"),
            (cell(60.0, false), "60"),
            (cell(-3.0, false), "-3"),
            (cell(3e6, false), "3000000"),
            (
                ExcelDateTime::new(1.5, ExcelDateTimeType::TimeDelta, false),
                "36:00:00",
            ),
        ] {
            let mut out = String::new();
            let kind = write_date(&mut out, cell);
            assert_eq!(out, expected);
            assert_eq!(
                matches!(kind, Kind::Date(_)),
                expected.len() == 10,
                "{expected}"
            );
        }
    }

    #[test]
    fn iso_text_becomes_what_it_is() {
        for (text, expected, kind) in [
            ("2021-01-31", "2021-01-31", "Date"),
            ("2021-01-31T00:00:00Z", "2021-01-31", "Date"),
            ("2021-01-31T10:20:30", "2021-01-31T10:20:30", "DateTime"),
            ("10:20:30", "10:20:30", "Time"),
            ("soon", "soon", "Text"),
        ] {
            let mut out = String::new();
            let found = write_iso(&mut out, text);
            assert_eq!(out, expected);
            assert!(format!("{found:?}").starts_with(kind), "{found:?}");
        }
        let mut out = String::new();
        assert_eq!(write_iso_duration(&mut out, "PT30H05M09S"), Kind::Time);
        assert_eq!(out, "30:05:09");
    }
}
