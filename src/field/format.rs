//! Formats of dates that a mapping file gives, for reading and for writing.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::strtime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::date::{Dates, Moment};
use super::{Problem, decimal_of};

/// One format, checked.
#[derive(Debug)]
pub(super) enum Format {
    /// Seconds, or milliseconds, since 1970 in UTC.
    Unix {
        /// How many units make a second.
        per_second: i64,
    },
    /// Days since the end of 1899 as workbooks count them.
    Excel,
    /// A strptime format; whether its year has two digits.
    Written {
        /// The format.
        text: String,
        /// Whether its year has two digits.
        short_year: bool,
    },
}

impl Format {
    pub(super) fn new(text: &str, century_known: bool) -> Result<Self, String> {
        if let Some(per_second) = per_second(text) {
            return Ok(Self::Unix { per_second });
        }
        if text == "excel" {
            return Ok(Self::Excel);
        }
        let short_year = has_directive(text, &['y', 'D', 'x']);
        check_output(text, true).map_err(|_| bad(text))?;
        if !has_directive(text, &['Y', 'y', 'D', 'x', 'F', 's', 'G', 'c', 'C']) {
            return Err(format!(
                "The date format {text:?} has no year; it needs %Y, or %y with `century`."
            ));
        }
        if short_year && !century_known {
            return Err(format!(
                "The date format {text:?} has a year of two digits; say which century is meant \
                 with `century`, or write %Y."
            ));
        }
        Ok(Self::Written {
            text: text.to_owned(),
            short_year,
        })
    }

    pub(super) fn read_number(&self, number: f64) -> Option<Moment> {
        match self {
            Self::Written { .. } => None,
            _ => self.count(decimal_of(number)?),
        }
    }

    /// Reads a text; `None` where it is not of this format.
    pub(super) fn read(&self, text: &str, dates: &Dates) -> Result<Option<Moment>, Problem> {
        let Self::Written {
            text: format,
            short_year,
        } = self
        else {
            return Ok(Decimal::from_str_exact(text)
                .ok()
                .and_then(|count| self.count(count)));
        };
        let Ok(parsed) = strtime::parse(format, text) else {
            return Ok(None);
        };
        let Ok(mut moment) = settle(&parsed) else {
            return Ok(None);
        };
        let year = moment.date.year();
        if *short_year {
            let two = year.rem_euclid(100);
            let full = dates.full_year(two, moment.date.month(), moment.date.day())?;
            let Ok(date) = Date::new(full, moment.date.month(), moment.date.day()) else {
                return Ok(None);
            };
            moment.date = date;
        } else if (0..100).contains(&year) && !text.contains(&format!("{year:04}")) {
            // %Y takes fewer digits too: "03/04/25" would be the year 25.
            return Ok(None);
        }
        Ok(Some(moment))
    }

    fn count(&self, count: Decimal) -> Option<Moment> {
        match self {
            Self::Unix { per_second } => {
                let nanoseconds = count
                    .checked_mul(Decimal::from(1_000_000_000 / per_second))?
                    .round()
                    .to_i128()?;
                let instant = Timestamp::from_nanosecond(nanoseconds).ok()?;
                Some(Moment::utc(instant))
            }
            Self::Excel => excel(count),
            Self::Written { .. } => None,
        }
    }
}

/// The date of a day number of the 1900 system, which believes in a 29 February 1900 (day 60).
fn excel(count: Decimal) -> Option<Moment> {
    let days = count.trunc().to_i64()?;
    let start = match days {
        1..=59 => Date::new(1899, 12, 31).ok()?,
        61..=2_958_465 => Date::new(1899, 12, 30).ok()?,
        _ => return None,
    };
    let date = start
        .checked_add(jiff::Span::new().try_days(days).ok()?)
        .ok()?;
    let milliseconds = count
        .fract()
        .checked_mul(Decimal::from(86_400_000))?
        .round()
        .to_i64()?;
    if milliseconds == 0 {
        return Some(Moment::day(date));
    }
    let there = date
        .to_datetime(jiff::civil::Time::midnight())
        .checked_add(jiff::Span::new().try_milliseconds(milliseconds).ok()?)
        .ok()?;
    Some(Moment {
        date: there.date(),
        time: Some(there.time()),
        offset: None,
    })
}

fn settle(parsed: &strtime::BrokenDownTime) -> Result<Moment, jiff::Error> {
    if let Ok(there) = parsed.to_datetime() {
        let timed = parsed.hour().is_some();
        return Ok(Moment {
            date: there.date(),
            time: timed.then(|| there.time()),
            offset: match (parsed.offset(), parsed.iana_time_zone()) {
                (Some(offset), _) => Some(offset),
                (None, Some(_)) => Some(parsed.to_zoned()?.offset()),
                (None, None) => None,
            },
        });
    }
    if let Ok(date) = parsed.to_date() {
        return Ok(Moment::day(date));
    }
    parsed.to_timestamp().map(Moment::utc)
}

fn has_directive(format: &str, wanted: &[char]) -> bool {
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            continue;
        }
        // Flags and widths stand between the sign and the letter: %-d, %_3H, %.3f, %:z.
        let directive = letters
            .by_ref()
            .find(|letter| letter.is_alphabetic() || *letter == '%');
        if directive.is_some_and(|directive| wanted.contains(&directive)) {
            return true;
        }
    }
    false
}

fn bad(format: &str) -> String {
    format!(
        "The date format {format:?} is not one of strptime, such as \"%d/%m/%Y\", nor \"unix\", \
         \"unix_ms\" or \"excel\"."
    )
}

/// How many units make a second, for dates that are counted since 1970.
pub(super) fn per_second(format: &str) -> Option<i64> {
    match format {
        "unix" => Some(1),
        "unix_ms" => Some(1000),
        _ => None,
    }
}

/// Whether dates of this output are numbers.
pub fn is_counted(output: &str) -> bool {
    per_second(output).is_some()
}

/// An instant as a count of units since 1970; what is less than a unit is dropped.
pub(super) fn count(there: DateTime, per_second: i64) -> Result<i64, Problem> {
    let there = jiff::tz::Offset::UTC
        .to_timestamp(there)
        .map_err(|_| unwritable())?;
    Ok(match per_second {
        1 => there.as_second(),
        _ => there.as_millisecond(),
    })
}

/// Whether a format can write dates, or instants.
pub(super) fn check_output(format: &str, with_time: bool) -> Result<(), String> {
    let sample = jiff::civil::date(2025, 3, 4).at(5, 6, 7, 0);
    let written = if with_time {
        write_instant(format, sample)
    } else {
        write_date(format, sample.date())
    };
    let wrong = || {
        format!(
            "The output format {format:?} is not one of strftime for {}, such as \"%d/%m/%Y\", nor \
             \"unix\" or \"unix_ms\".",
            if with_time { "a date-time" } else { "a date" }
        )
    };
    let text = written.map_err(|_| wrong())?;
    if text.is_empty() || text == format {
        return Err(wrong());
    }
    Ok(())
}

/// Writes a date by a strftime format.
pub(super) fn write_date(format: &str, date: Date) -> Result<String, Problem> {
    strtime::format(format, date).map_err(|_| unwritable())
}

/// Writes an instant by a strftime format, in UTC.
pub(super) fn write_instant(format: &str, there: DateTime) -> Result<String, Problem> {
    let zoned = there
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| unwritable())?;
    strtime::format(format, &zoned).map_err(|_| unwritable())
}

fn unwritable() -> Problem {
    Problem::invalid("is a date that the output format cannot write")
}
