//! The least and the greatest value of a column, in one reading.

use super::shape::Shape;

/// Longer values are kept cut.
const KEPT: usize = 60;

/// The least and the greatest of one reading of the values, by a key.
#[derive(Debug, Default)]
struct Span<K> {
    least: Option<(K, Box<str>)>,
    most: Option<(K, Box<str>)>,
}

impl<K: PartialOrd + Copy> Span<K> {
    fn add(&mut self, key: K, text: &str) {
        if self.least.as_ref().is_none_or(|(least, _)| key < *least) {
            self.least = Some((key, text.into()));
        }
        if self.most.as_ref().is_none_or(|(most, _)| key > *most) {
            self.most = Some((key, text.into()));
        }
    }

    fn texts(&self) -> Option<(String, String)> {
        let text = |end: &Option<(K, Box<str>)>| Some(end.as_ref()?.1.to_string());
        Some((text(&self.least)?, text(&self.most)?))
    }
}

/// What is needed to tell the range whatever the column turns out to be.
#[derive(Debug, Default)]
pub(super) struct Range {
    numbers: Span<f64>,
    day_first: Span<u64>,
    month_first: Span<u64>,
    /// The greatest first and second part of dates that do not begin with the year.
    parts: [u64; 2],
    /// Dates that cannot be told by their digits.
    unclear: bool,
    least: Option<Box<str>>,
    most: Option<Box<str>>,
}

impl Range {
    /// Takes one more filled cell in; `text` is without outer space.
    pub(super) fn add(&mut self, shape: Shape, text: &str) {
        match shape {
            Shape::Integer | Shape::Decimal | Shape::Digits => match number(text) {
                Some(number) => self.numbers.add(number, text),
                None => self.unclear = true,
            },
            Shape::Date | Shape::DateTime => self.date(text),
            _ => {}
        }
        let cut = match text.char_indices().nth(KEPT) {
            Some((at, _)) => &text[..at],
            None => text,
        };
        if self.least.as_deref().is_none_or(|least| cut < least) {
            self.least = Some(cut.into());
        }
        if self.most.as_deref().is_none_or(|most| cut > most) {
            self.most = Some(cut.into());
        }
    }

    fn date(&mut self, text: &str) {
        let mut numbers = text
            .split(|c: char| !c.is_ascii_digit())
            .filter(|part| !part.is_empty())
            .map(|part| part.parse::<u64>().ok().filter(|number| *number < 10_000));
        let mut next = || numbers.next().flatten();
        let (Some(a), Some(b), Some(c)) = (next(), next(), next()) else {
            self.unclear = true;
            return;
        };
        if text
            .bytes()
            .any(|byte| byte.is_ascii_alphabetic() && byte != b'T' && byte != b'Z')
        {
            // A month by its name, or a clock of twelve hours.
            self.unclear = true;
            return;
        }
        let time = (0..3).fold(0, |sum, _| sum * 100 + next().unwrap_or(0).min(99));
        let key =
            |year: u64, month: u64, day: u64| ((year * 100 + month) * 100 + day) * 1_000_000 + time;
        if a > 31 {
            self.day_first.add(key(a, b, c), text);
            self.month_first.add(key(a, b, c), text);
        } else {
            self.parts = [self.parts[0].max(a), self.parts[1].max(b)];
            self.day_first.add(key(c, b, a), text);
            self.month_first.add(key(c, a, b), text);
        }
    }

    /// The least and the greatest value of a column of this shape.
    pub(super) fn of(&self, shape: Shape) -> Option<(String, String)> {
        match shape {
            Shape::Integer | Shape::Decimal | Shape::Digits if !self.unclear => {
                self.numbers.texts()
            }
            Shape::Date | Shape::DateTime if !self.unclear => match self.parts {
                [0, 0] => self.day_first.texts(),
                [first, second] if first > 12 && second <= 12 => self.day_first.texts(),
                [first, second] if second > 12 && first <= 12 => self.month_first.texts(),
                _ => None,
            },
            Shape::Text | Shape::Email | Shape::Url => {
                Some((self.least.as_deref()?.into(), self.most.as_deref()?.into()))
            }
            _ => None,
        }
    }
}

/// A number as people write it. Of marks that may group or divide, a single one with three digits
/// behind it groups.
fn number(text: &str) -> Option<f64> {
    let negative = text.contains('-');
    let mut digits = String::with_capacity(text.len());
    let last = text.rfind(['.', ',']);
    let divides = last.is_some_and(|at| {
        let mark = text.as_bytes()[at];
        let behind = text[at + 1..]
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count();
        let same = text.bytes().filter(|byte| *byte == mark).count();
        same == 1 && (behind != 3 || mark == b'.' || text[..at].contains(['.', ',']))
    });
    for (at, character) in text.char_indices() {
        if character.is_ascii_digit() {
            digits.push(character);
        } else if divides && Some(at) == last {
            digits.push('.');
        }
    }
    let number: f64 = digits.parse().ok()?;
    Some(if negative { -number } else { number })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_people_write_them() {
        for (text, expected) in [
            ("12", 12.0),
            ("-3", -3.0),
            ("007", 7.0),
            ("$60,000", 60_000.0),
            ("1.234,50", 1234.5),
            ("1,234.50", 1234.5),
            ("1.234.567", 1_234_567.0),
            ("12,5 %", 12.5),
            ("0.375", 0.375),
            ("30024968.0", 30_024_968.0),
        ] {
            assert_eq!(number(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn dates_are_ordered_where_their_order_is_known() {
        let range = |texts: &[&str]| {
            let mut range = Range::default();
            texts.iter().for_each(|text| range.add(Shape::Date, text));
            range.of(Shape::Date)
        };
        let some = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(
            range(&["2024-02-01", "2023-12-31"]),
            some("2023-12-31", "2024-02-01")
        );
        assert_eq!(
            range(&["31.12.2023", "1.2.2024"]),
            some("31.12.2023", "1.2.2024")
        );
        assert_eq!(
            range(&["12/31/2023", "1/2/2024"]),
            some("12/31/2023", "1/2/2024")
        );
        assert_eq!(range(&["1/2/2023", "3/4/2024"]), None);
        assert_eq!(range(&["12 Jan 2024"]), None);
    }
}
