//! Dates and date-times: ISO 8601 at once, given formats, then what people write.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{Offset, TimeZone};

use crate::row::{Cell, Kind};

use super::format::{self, Format};
use super::value::{DateForm, push_date};
use super::{Century, DateOrder, Problem, Spec, Value};

/// What a text says: a date, perhaps a time, perhaps how far that is from UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) date: Date,
    pub(super) time: Option<Time>,
    pub(super) offset: Option<Offset>,
}

impl Moment {
    pub(super) fn day(date: Date) -> Self {
        Self {
            date,
            time: None,
            offset: None,
        }
    }

    pub(super) fn utc(timestamp: Timestamp) -> Self {
        let there = Offset::UTC.to_datetime(timestamp);
        Self {
            date: there.date(),
            time: Some(there.time()),
            offset: Some(Offset::UTC),
        }
    }
}

/// How the dates of one rule are read.
#[derive(Debug)]
pub(super) struct Dates {
    with_time: bool,
    pub(super) order: Option<DateOrder>,
    pub(super) century: Century,
    pub(super) today: Date,
    zone: Option<TimeZone>,
    formats: Vec<Format>,
    output: Option<Output>,
}

/// A form of one's own in which dates are sent.
#[derive(Debug)]
enum Output {
    /// A strftime format.
    Written(String),
    /// Seconds, or milliseconds, since 1970 in UTC.
    Unix {
        /// How many units make a second.
        per_second: i64,
    },
}

impl Output {
    fn new(text: String, with_time: bool) -> Result<Self, String> {
        if let Some(per_second) = format::per_second(&text) {
            return Ok(Self::Unix { per_second });
        }
        format::check_output(&text, with_time)?;
        Ok(Self::Written(text))
    }
}

impl Dates {
    pub(super) fn new(with_time: bool, spec: Spec) -> Result<Self, String> {
        if let Century::Pivot(pivot) = spec.century
            && pivot > 100
        {
            return Err(format!(
                "The pivot of `century` must be from 0 to 100, not {pivot}."
            ));
        }
        let formats = spec
            .formats
            .iter()
            .map(|text| Format::new(text, spec.century != Century::Error))
            .collect::<Result<Vec<_>, _>>()?;
        let output = spec
            .output
            .map(|text| Output::new(text, with_time))
            .transpose()?;
        Ok(Self {
            with_time,
            order: spec.date_order,
            century: spec.century,
            today: spec.today,
            zone: spec.timezone.filter(|zone| *zone != TimeZone::UTC),
            formats,
            output,
        })
    }

    /// Whether dates are sent as numbers.
    pub(super) fn sends_counts(&self) -> bool {
        matches!(self.output, Some(Output::Unix { .. }))
    }

    /// Whether a text is a date in the form of one's own in which dates are sent.
    pub(super) fn sends_as_it_is(&self, text: &str) -> bool {
        match &self.output {
            None => false,
            Some(Output::Unix { .. }) => text.parse::<i64>().is_ok(),
            Some(Output::Written(output)) => Format::new(output, true)
                .is_ok_and(|form| matches!(form.read(text, self), Ok(Some(_)))),
        }
    }

    /// Whether the rule names formats.
    pub(super) fn has_formats(&self) -> bool {
        !self.formats.is_empty()
    }

    pub(super) fn read(&self, cell: Cell<'_>) -> Result<Value<'static>, Problem> {
        let moment = match cell.kind {
            Kind::Date(date) => Moment::day(date),
            Kind::DateTime(there) => Moment {
                date: there.date(),
                time: Some(there.time()),
                offset: None,
            },
            Kind::Time => {
                return Err(Problem::invalid(
                    "is a time of day or a duration; a date is needed",
                ));
            }
            Kind::Boolean(_) => return Err(Problem::invalid("is not a date")),
            Kind::Number(number) => self.of_number(number, cell.text)?,
            _ => self.of_text(cell.text)?,
        };
        self.send(moment)
    }

    fn of_number(&self, number: f64, text: &str) -> Result<Moment, Problem> {
        for format in &self.formats {
            if let Some(moment) = format.read_number(number) {
                return Ok(moment);
            }
        }
        if !self.formats.is_empty() {
            return self.of_text(text);
        }
        Err(Problem::invalid(
            "is a number that the workbook does not show as a date; say formats = [\"excel\"] if \
             it counts days, or \"unix\" if it counts seconds",
        ))
    }

    fn of_text(&self, text: &str) -> Result<Moment, Problem> {
        for format in &self.formats {
            if let Some(moment) = format.read(text, self)? {
                return Ok(moment);
            }
        }
        if let Some(found) = iso(text.as_bytes()) {
            return found;
        }
        super::written::read(text, self).map_err(|problem| {
            if self.formats.is_empty() || problem.rule != "invalid" {
                return problem;
            }
            let message = format!(
                "{}; none of the rule's formats fits either",
                problem.message
            );
            Problem::new(problem.rule, message)
        })
    }

    /// Settles a year of two digits.
    pub(super) fn full_year(&self, two: i16, month: i8, day: i8) -> Result<i16, Problem> {
        let today = self.today.year();
        let this_century = today - today.rem_euclid(100);
        let late = |year: i16| Date::new(year, month, day).is_ok_and(|date| date > self.today);
        let early = |year: i16| Date::new(year, month, day).is_ok_and(|date| date < self.today);
        match self.century {
            Century::Error => Err(Problem::new(
                "century",
                "has a year of two digits; write all four, or say which century is meant with \
                 `century`",
            )),
            Century::Past => {
                let year = this_century + two;
                Ok(if year > today || late(year) {
                    year - 100
                } else {
                    year
                })
            }
            Century::Future => {
                let year = this_century + two;
                Ok(if year < today || early(year) {
                    year + 100
                } else {
                    year
                })
            }
            Century::Pivot(pivot) => Ok(if two < i16::from(pivot) {
                2000 + two
            } else {
                1900 + two
            }),
        }
    }

    fn send(&self, moment: Moment) -> Result<Value<'static>, Problem> {
        if !self.with_time {
            let form = match &self.output {
                None => DateForm::Iso,
                Some(Output::Written(output)) => {
                    DateForm::Text(format::write_date(output, moment.date)?)
                }
                Some(Output::Unix { per_second }) => {
                    let midnight = moment.date.to_datetime(Time::midnight());
                    DateForm::Number(format::count(midnight, *per_second)?)
                }
            };
            return Ok(Value::Date {
                date: moment.date,
                form,
            });
        }
        let there = self.in_utc(moment)?;
        let form = match &self.output {
            Some(Output::Written(output)) => DateForm::Text(format::write_instant(output, there)?),
            Some(Output::Unix { per_second }) => {
                DateForm::Number(format::count(there, *per_second)?)
            }
            None => {
                let mut text = String::with_capacity(20);
                push_date(there.date(), &mut text);
                push_time(there.time(), &mut text);
                DateForm::Text(text)
            }
        };
        Ok(Value::Date {
            date: there.date(),
            form,
        })
    }

    /// The moment's clock in UTC; a date without a time stays that date.
    fn in_utc(&self, moment: Moment) -> Result<DateTime, Problem> {
        let Some(time) = moment.time else {
            return Ok(moment.date.to_datetime(Time::midnight()));
        };
        let there = moment.date.to_datetime(time);
        let beyond = || Problem::invalid("is a date-time beyond what can be sent");
        if let Some(offset) = moment.offset {
            if offset == Offset::UTC {
                return Ok(there);
            }
            let instant = offset.to_timestamp(there).map_err(|_| beyond())?;
            return Ok(Offset::UTC.to_datetime(instant));
        }
        let Some(zone) = &self.zone else {
            return Ok(there);
        };
        let meant = zone.to_ambiguous_timestamp(there);
        if meant.is_ambiguous() {
            return Err(Problem::new(
                "ambiguous",
                "falls into the hour in which the zone's clocks are changed; write it with its \
                 offset from UTC",
            ));
        }
        let instant = meant.unambiguous().map_err(|_| beyond())?;
        Ok(Offset::UTC.to_datetime(instant))
    }
}

/// Writes `T`, a time and `Z`.
fn push_time(time: Time, out: &mut String) {
    let mut two = |mark: char, number: i8| {
        out.push(mark);
        out.push(char::from(b'0' + (number / 10) as u8));
        out.push(char::from(b'0' + (number % 10) as u8));
    };
    two('T', time.hour());
    two(':', time.minute());
    two(':', time.second());
    let fraction = time.subsec_nanosecond();
    if fraction != 0 {
        let digits = format!(".{fraction:09}");
        out.push_str(digits.trim_end_matches('0'));
    }
    out.push('Z');
}

/// A number of exactly these digits.
fn number(digits: &[u8]) -> Option<i16> {
    digits.iter().try_fold(0i16, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum * 10 + i16::from(byte - b'0'))
    })
}

/// Reads ISO 8601 in its extended form, and dates in the basic form; `None` where the text is something else.
fn iso(text: &[u8]) -> Option<Result<Moment, Problem>> {
    // The basic form, of years for which no order of eight digits gives another date.
    if let [b'1', b'9', ..] | [b'2', b'0', ..] = text
        && text.len() == 8
    {
        let (year, month, day) = (
            number(&text[..4])?,
            number(&text[4..6])?,
            number(&text[6..])?,
        );
        return real_date(year, month, day)
            .ok()
            .map(|date| Ok(Moment::day(date)));
    }
    if text.len() < 10 || text[4] != b'-' || text[7] != b'-' {
        return None;
    }
    let (year, month, day) = (
        number(&text[..4])?,
        number(&text[5..7])?,
        number(&text[8..10])?,
    );
    let rest = &text[10..];
    let time = match rest {
        [] => None,
        [b'T' | b't' | b' ', rest @ ..] => {
            // Several spaces, words: not ISO, the reader of what people write sees to it.
            Some(clock(rest)?)
        }
        _ => return None,
    };
    let date = match real_date(year, month, day) {
        Ok(date) => date,
        Err(problem) => return Some(Err(problem)),
    };
    Some(Ok(match time {
        None => Moment::day(date),
        Some(Clock { time, offset }) => Moment {
            date,
            time: Some(time),
            offset,
        },
    }))
}

pub(super) struct Clock {
    pub(super) time: Time,
    pub(super) offset: Option<Offset>,
}

/// Reads `hh:mm`, `hh:mm:ss`, a fraction, and `Z` or an offset such as `+02:00`.
pub(super) fn clock(text: &[u8]) -> Option<Clock> {
    let (hour, minute) = match text {
        [a, b, b':', c, d, ..] => (number(&[*a, *b])?, number(&[*c, *d])?),
        _ => return None,
    };
    let mut rest = &text[5..];
    let (mut second, mut nanosecond) = (0, 0i32);
    if let [b':', a, b, more @ ..] = rest {
        second = number(&[*a, *b])?;
        rest = more;
        if let [b'.' | b',', more @ ..] = rest {
            let digits = more.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits == 0 {
                return None;
            }
            let mut scale = 100_000_000;
            for byte in &more[..digits.min(9)] {
                nanosecond += i32::from(byte - b'0') * scale;
                scale /= 10;
            }
            rest = &more[digits..];
        }
    }
    while let [b' ', more @ ..] = rest {
        rest = more;
    }
    let offset = match rest {
        [] => None,
        [b'Z' | b'z'] => Some(Offset::UTC),
        _ => Some(offset_of(rest)?),
    };
    let time = Time::new(hour as i8, minute as i8, second as i8, nanosecond).ok()?;
    Some(Clock { time, offset })
}

/// Reads `+hh`, `+hhmm` or `+hh:mm`.
pub(super) fn offset_of(text: &[u8]) -> Option<Offset> {
    let (sign, digits) = match text {
        [b'+', digits @ ..] => (1, digits),
        [b'-', digits @ ..] => (-1, digits),
        [0xe2, 0x88, 0x92, digits @ ..] => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match digits {
        [a, b] => (number(&[*a, *b])?, 0),
        [a, b, c, d] | [a, b, b':', c, d] => (number(&[*a, *b])?, number(&[*c, *d])?),
        _ => return None,
    };
    if minutes > 59 || hours > 23 {
        return None;
    }
    Offset::from_seconds(sign * (i32::from(hours) * 3600 + i32::from(minutes) * 60)).ok()
}

/// A date that the calendar has.
pub(super) fn real_date(year: i16, month: i16, day: i16) -> Result<Date, Problem> {
    if !(1..=12).contains(&month) {
        return Err(Problem::invalid(format!(
            "is not a date: there is no month {month}"
        )));
    }
    Date::new(year, month as i8, day.clamp(-1, 99) as i8).map_err(|_| {
        Problem::invalid(format!(
            "is not a date: month {month} of {year:04} has no day {day}"
        ))
    })
}
