//! Dates as people write them: digits in some order, months by name, times with am and pm.

use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::date::{Clock, Dates, Moment, clock, offset_of, real_date};
use super::{DateOrder, Orders, Problem};

/// A number of a date: its value and how many digits it is written with.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    value: i16,
    digits: usize,
}

impl Part {
    /// Whether it can only be a year.
    fn is_year(self) -> bool {
        self.digits == 4
    }
}

/// What a date consists of, as far as it was read.
#[derive(Debug, Default)]
struct Pieces {
    parts: [Part; 3],
    count: usize,
    /// The month, if by name, and how many numbers stand before it.
    month: Option<(i16, usize)>,
    clock: Option<(Time, Option<Offset>)>,
}

/// Reads a date, and a time if there is one.
pub(super) fn read(text: &str, dates: &Dates) -> Result<Moment, Problem> {
    let pieces = take_apart(text)?;
    let date = match pieces.month {
        Some((month, before)) => with_month(&pieces, month, before, dates)?,
        None => with_digits(&pieces, dates)?,
    };
    Ok(match pieces.clock {
        None => Moment::day(date),
        Some((time, offset)) => Moment {
            date,
            time: Some(time),
            offset,
        },
    })
}

fn not_a_date() -> Problem {
    Problem::invalid("is not a date; write it as 2025-12-31, or name its format in `formats`")
}

fn take_apart(text: &str) -> Result<Pieces, Problem> {
    let mut pieces = Pieces::default();
    let mut rest = text;
    let mut timed = false;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            let end = rest
                .find(|letter: char| !letter.is_ascii_digit())
                .unwrap_or(rest.len());
            let behind = &rest[end..];
            if behind.starts_with(':') || end <= 2 && is_half_day(behind) {
                if timed {
                    return Err(not_a_date());
                }
                timed = true;
                let (clock, after) = time_of(rest).ok_or_else(bad_time)?;
                pieces.clock = Some((clock.time, clock.offset));
                rest = after;
                continue;
            }
            if pieces.count == 3 || end > 4 || end == 3 {
                return Err(not_a_date());
            }
            pieces.parts[pieces.count] = Part {
                value: rest[..end].parse().map_err(|_| not_a_date())?,
                digits: end,
            };
            pieces.count += 1;
            rest = without_ordinal(behind);
        } else if first.is_alphabetic() {
            let end = rest
                .find(|letter: char| !letter.is_alphabetic())
                .unwrap_or(rest.len());
            let word = rest[..end].to_lowercase();
            rest = &rest[end..];
            if let Some(month) = month_of(&word) {
                if pieces.month.is_some() {
                    return Err(not_a_date());
                }
                pieces.month = Some((month, pieces.count));
            } else if !is_filler(&word) {
                return Err(not_a_date());
            }
        } else if matches!(
            first,
            '/' | '.' | '-' | ',' | ' ' | '\u{a0}' | '\u{202f}' | '‐' | '–'
        ) {
            rest = &rest[first.len_utf8()..];
        } else {
            return Err(not_a_date());
        }
    }
    Ok(pieces)
}

fn bad_time() -> Problem {
    Problem::invalid(
        "is a date with a time that cannot be read; write it as 2025-12-31T23:59:00Z, or name its \
         format in `formats`",
    )
}

fn is_half_day(text: &str) -> bool {
    let text = text.trim_start();
    let Some(two) = text.get(..2) else {
        return false;
    };
    (two.eq_ignore_ascii_case("am") || two.eq_ignore_ascii_case("pm"))
        && !text[2..].starts_with(|letter: char| letter.is_alphanumeric())
}

/// Reads a time at the start of a text: digits, am or pm, a zone; and what follows.
fn time_of(text: &str) -> Option<(Clock, &str)> {
    let end = text
        .find(|letter: char| !(letter.is_ascii_digit() || matches!(letter, ':' | '.')))
        .unwrap_or(text.len());
    let (digits, mut rest) = text.split_at(end);
    let digits = digits.trim_end_matches('.');
    let whole = match digits.find(':') {
        Some(1) => format!("0{digits}"),
        Some(_) => digits.to_owned(),
        None => format!("{digits:0>2}:00"),
    };
    let mut read = clock(whole.as_bytes())?;
    if is_half_day(rest) {
        let after = rest.trim_start();
        let late = after.starts_with(['p', 'P']);
        rest = &after[2..];
        let hour = match (read.time.hour(), late) {
            (12, false) => 0,
            (12, true) => 12,
            (hour @ 1..=11, true) => hour + 12,
            (hour @ 1..=11, false) => hour,
            _ => return None,
        };
        let time = read.time;
        read.time = Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()?;
    }
    let after = rest.trim_start();
    for name in ["UTC", "GMT", "Z", "utc", "gmt", "z"] {
        if let Some(more) = after.strip_prefix(name)
            && !more.starts_with(|letter: char| letter.is_alphanumeric())
        {
            read.offset = Some(Offset::UTC);
            rest = more;
            break;
        }
    }
    let after = rest.trim_start();
    if after.starts_with(['+', '-', '−']) {
        let sign = after.chars().next().map_or(0, char::len_utf8);
        let end = after[sign..]
            .find(|letter: char| !(letter.is_ascii_digit() || letter == ':'))
            .map_or(after.len(), |at| at + sign);
        // "10:30 - 31.12.2025": a dash, not an offset.
        if end > sign {
            read.offset = Some(offset_of(&after.as_bytes()[..end])?);
            rest = &after[end..];
        }
    }
    Some((read, rest))
}

/// Takes `st`, `nd`, `rd`, `th` and the like away behind a day.
fn without_ordinal(text: &str) -> &str {
    for ending in ["st", "nd", "rd", "th", "er", "º", "°"] {
        if let Some(head) = text.get(..ending.len())
            && head.eq_ignore_ascii_case(ending)
            && !text[ending.len()..].starts_with(|letter: char| letter.is_alphanumeric())
        {
            return &text[ending.len()..];
        }
    }
    text
}

fn with_month(pieces: &Pieces, month: i16, before: usize, dates: &Dates) -> Result<Date, Problem> {
    if pieces.count != 2 {
        return Err(Problem::invalid(
            "is not a date: beside the month, a day and a year are needed",
        ));
    }
    let [one, other, _] = pieces.parts;
    let (day, year) = match (one.is_year(), other.is_year()) {
        (true, false) => (other, one),
        (false, true) => (one, other),
        // "25 Sep 03" and "Sep 25 03": the day stands before the year.
        (false, false) if before < 2 => (one, other),
        _ => return Err(not_a_date()),
    };
    let year = full_year(year, month, day.value, dates)?;
    real_date(year, month, day.value)
}

fn full_year(year: Part, month: i16, day: i16, dates: &Dates) -> Result<i16, Problem> {
    if year.is_year() {
        return Ok(year.value);
    }
    if year.digits != 2 {
        return Err(not_a_date());
    }
    dates.full_year(year.value, month.clamp(0, 99) as i8, day.clamp(0, 99) as i8)
}

fn with_digits(pieces: &Pieces, dates: &Dates) -> Result<Date, Problem> {
    if pieces.count != 3 {
        return Err(not_a_date());
    }
    let [a, b, c] = pieces.parts;
    if a.is_year() && !b.is_year() && !c.is_year() {
        return real_date(a.value, b.value, c.value);
    }
    if a.is_year() || b.is_year() {
        return Err(not_a_date());
    }
    let by = |year: Part, month: Part, day: Part| -> Result<Date, Problem> {
        let full = full_year(year, month.value, day.value, dates)?;
        real_date(full, month.value, day.value)
    };
    let told = |date: Result<Date, Problem>, order: DateOrder| {
        date.map_err(|problem| {
            if problem.rule != "invalid" {
                return problem;
            }
            Problem::invalid(format!(
                "{} (date_order is {})",
                problem.message,
                order.name()
            ))
        })
    };
    match dates.order {
        Some(order @ DateOrder::Dmy) => return told(by(c, b, a), order),
        Some(order @ DateOrder::Mdy) => return told(by(c, a, b), order),
        Some(order @ DateOrder::Ymd) if !c.is_year() => return told(by(a, b, c), order),
        _ => {}
    }
    if !c.is_year() {
        if a.digits > 2 || b.digits > 2 || c.digits > 2 {
            return Err(not_a_date());
        }
        return Err(Problem::new(
            "ambiguous",
            "has a year of two digits and its order is not known; say `date_order` and `century`, \
             or write all four digits of the year",
        ));
    }
    match (a.value, b.value) {
        (one, other) if one == other => by(c, b, a),
        (13.., _) => by(c, b, a),
        (_, 13..) => by(c, a, b),
        (one, other) => {
            let year = c.value;
            Err(Problem::new(
                "ambiguous",
                format!(
                    "may be {year:04}-{other:02}-{one:02} or {year:04}-{one:02}-{other:02}; say \
                     date_order = \"dmy\" or \"mdy\" under [source]"
                ),
            ))
        }
    }
}

/// The orders of day, month and year that a text written with digits allows; `None` where it has no
/// such date, or one that is the same by every order.
pub fn orders(text: &str) -> Option<Orders> {
    let pieces = take_apart(text).ok()?;
    let [a, b, c] = pieces.parts;
    if pieces.count != 3 || pieces.month.is_some() || a.is_year() || b.is_year() {
        return None;
    }
    let month = |part: Part| (1..=12).contains(&part.value);
    // A day that its month does not have is a mistake in the cell and proves nothing.
    let fits = |day: Part, of: Part| {
        let longest = match of.value {
            2 => 29,
            4 | 6 | 9 | 11 => 30,
            _ => 31,
        };
        month(of) && (1..=longest).contains(&day.value)
    };
    let found = Orders {
        dmy: fits(a, b),
        mdy: fits(b, a),
        ymd: !c.is_year() && fits(c, b),
    };
    let none = !(found.dmy || found.mdy || found.ymd);
    (!(none || c.is_year() && a.value == b.value)).then_some(found)
}

/// Words that stand in dates and say nothing more: weekdays, articles, the T of ISO 8601.
fn is_filler(word: &str) -> bool {
    const FILLERS: &[&str] = &[
        "t",
        "of",
        "the",
        "at",
        "on",
        "de",
        "del",
        "den",
        "der",
        "le",
        "el",
        "il",
        "um",
        "à",
        "a",
        "mon",
        "tue",
        "tues",
        "wed",
        "thu",
        "thur",
        "thurs",
        "fri",
        "sat",
        "sun",
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
        "lundi",
        "mardi",
        "mercredi",
        "jeudi",
        "vendredi",
        "samedi",
        "dimanche",
    ];
    FILLERS.contains(&word)
}

/// The month of a name in English, German, French, Dutch, Spanish, Italian or Portuguese, or of
/// one of its usual short forms.
fn month_of(word: &str) -> Option<i16> {
    const MONTHS: [&[&str]; 12] = [
        &[
            "jan", "january", "januar", "jänner", "janvier", "janv", "januari", "enero", "ene",
            "gennaio", "gen", "janeiro",
        ],
        &[
            "feb",
            "february",
            "februar",
            "feber",
            "février",
            "fevrier",
            "févr",
            "fév",
            "februari",
            "febrero",
            "febbraio",
            "fevereiro",
            "fev",
        ],
        &[
            "mar", "march", "märz", "maerz", "mär", "mrz", "mars", "maart", "mrt", "marzo", "março",
        ],
        &["apr", "april", "avril", "avr", "abril", "abr", "aprile"],
        &["may", "mai", "mei", "mayo", "maggio", "mag", "maio"],
        &[
            "jun", "june", "juni", "juin", "junio", "giugno", "giu", "junho",
        ],
        &[
            "jul", "july", "juli", "juillet", "juil", "julio", "luglio", "lug", "julho",
        ],
        &["aug", "august", "août", "aout", "augustus", "agosto", "ago"],
        &[
            "sep",
            "sept",
            "september",
            "septembre",
            "septiembre",
            "settembre",
            "set",
            "setembro",
        ],
        &[
            "oct", "october", "oktober", "okt", "octobre", "octubre", "ottobre", "ott", "outubro",
            "out",
        ],
        &["nov", "november", "novembre", "noviembre", "novembro"],
        &[
            "dec",
            "december",
            "dezember",
            "dez",
            "décembre",
            "decembre",
            "déc",
            "diciembre",
            "dic",
            "dicembre",
            "dezembro",
        ],
    ];
    MONTHS
        .iter()
        .position(|names| names.contains(&word))
        .map(|index| index as i16 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_date_proves_its_order_only_where_its_month_has_that_day() {
        let told = |text: &str| orders(text).and_then(Orders::only);
        for (text, order) in [
            ("31/12/1985", Some(DateOrder::Dmy)),
            ("5/14/1965", Some(DateOrder::Mdy)),
            ("29.02.1988", Some(DateOrder::Dmy)),
            ("03/04/1985", None),
            ("31.02.1990", None),
            ("4/31/1990", None),
        ] {
            assert_eq!(told(text), order, "{text}");
        }
    }
}
