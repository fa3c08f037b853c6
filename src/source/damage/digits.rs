//! Columns of digits: lengths, leading zeros, and numbers that were shortened.

use super::Seen;

/// Longer runs of digits are counted as of this length.
const LONGEST: usize = 24;
/// At least this many values of one length before shorter ones mean anything.
const ENOUGH: u64 = 5;

/// Digits of one length.
#[derive(Debug, Clone, Copy, Default)]
struct Length {
    /// Texts, and those of them that begin with a zero.
    texts: u64,
    zeros: u64,
    /// Number cells of a workbook.
    numbers: u64,
    /// Rows of the first of each that does not begin with a zero; 0 where there is none.
    rows: [u64; 2],
}

/// How many values of digits have which length.
#[derive(Debug, Clone)]
pub(super) struct Lengths {
    by: [Length; LONGEST + 1],
    last: usize,
    /// How often a value is shorter than the one before: numbers that are counted up never are.
    shorter: u64,
}

impl Default for Lengths {
    fn default() -> Self {
        Self {
            by: [Length::default(); LONGEST + 1],
            last: 0,
            shorter: 0,
        }
    }
}

impl Lengths {
    pub(super) fn text(&mut self, row: u64, text: &str) {
        let zero = text.len() > 1 && text.starts_with('0');
        let length = self.count(row, text, zero);
        length.texts += 1;
        length.zeros += u64::from(zero);
    }

    pub(super) fn number(&mut self, row: u64, text: &str) {
        // A number format may show zeros that the number has not.
        let zero = text.len() > 1 && text.starts_with('0');
        let length = self.count(row, text, zero);
        length.numbers += 1;
        length.zeros += u64::from(zero);
    }

    fn count(&mut self, row: u64, text: &str, zero: bool) -> &mut Length {
        let at = text.len().min(LONGEST);
        self.shorter += u64::from(at < self.last);
        self.last = at;
        let length = &mut self.by[at];
        if !zero && let Some(free) = length.rows.iter_mut().find(|row| **row == 0) {
            *free = row;
        }
        length
    }

    pub(super) fn merge(&mut self, later: &Lengths) {
        for (length, more) in self.by.iter_mut().zip(&later.by) {
            length.texts += more.texts;
            length.zeros += more.zeros;
            length.numbers += more.numbers;
            for row in more.rows.into_iter().filter(|row| *row > 0) {
                if let Some(free) = length.rows.iter_mut().find(|row| **row == 0) {
                    *free = row;
                }
            }
        }
        self.shorter += later.shorter;
        self.last = later.last;
    }

    /// How many texts have more digits than spreadsheet programs keep.
    pub(super) fn long_texts(&self) -> u64 {
        self.by[16..].iter().map(|length| length.texts).sum()
    }

    /// The length that most values have and those that are shorter, where zeros seem to be lost:
    /// because others begin with zeros, because the shorter ones alone are number cells, or because
    /// the column's name says that all are of one length (`fixed`).
    pub(super) fn judge(&self, filled: u64, fixed: bool) -> Option<(usize, Seen)> {
        let all: u64 = self.by.iter().map(|l| l.texts + l.numbers).sum();
        if all * 10 < filled * 7 {
            return None;
        }
        let (digits, most) = (1..LONGEST)
            .map(|at| (at, self.by[at].texts + self.by[at].numbers))
            .max_by_key(|(at, count)| (*count, *at))?;
        let longer: u64 = self.by[digits + 1..]
            .iter()
            .map(|l| l.texts + l.numbers)
            .sum();
        if digits < 3 || most < ENOUGH || most * 2 < all || longer * 20 > all {
            return None;
        }
        // Three zeros and more are rarely lost; such short values are something else.
        let below = &self.by[digits.saturating_sub(3).max(1)..digits];
        if below.iter().any(|length| length.zeros > 0) {
            return None;
        }
        let numbers: u64 = below.iter().map(|l| l.numbers).sum();
        let texts: u64 = below.iter().map(|l| l.texts).sum();
        let here = &self.by[digits];
        let zeros = here.zeros > 0;
        let cells = numbers > 0 && texts == 0 && here.texts > 0;
        let codes = fixed && self.shorter > 1 && (numbers + texts) * 2 < all;
        if !(zeros || cells || codes) {
            return None;
        }
        let mut rows: Vec<u64> = below.iter().flat_map(|length| length.rows).collect();
        rows.retain(|row| *row > 0);
        rows.sort_unstable();
        rows.truncate(super::NAMED);
        let count = numbers + texts;
        (count > 0).then_some((digits, Seen { count, rows }))
    }
}

/// Whether a column of this name holds codes of a fixed number of digits.
pub(super) fn names_codes(name: &str) -> bool {
    const WORDS: [&str; 12] = [
        "zip", "plz", "cep", "cp", "cap", "ean", "upc", "gtin", "isbn", "siret", "siren", "ssn",
    ];
    const PARTS: [&str; 6] = [
        "zipcode",
        "zip code",
        "postal",
        "postcode",
        "post code",
        "postleitzahl",
    ];
    let name = name.to_lowercase();
    name.split(|letter: char| !letter.is_alphanumeric())
        .any(|word| WORDS.contains(&word))
        || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a text is digits and nothing else.
pub(super) fn all(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether digits have zeros for all that stands behind the 15th, which is what spreadsheet
/// programs leave of longer numbers.
pub(super) fn is_cut_short(text: &str) -> bool {
    text.len() > 15 && !text.starts_with('0') && text.bytes().skip(15).all(|byte| byte == b'0')
}
