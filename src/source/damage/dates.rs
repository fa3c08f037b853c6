//! Dates of digits: which order of day and month they show, and whether half of them was turned.

use super::{Damage, Seen};

/// What the dates of a column show.
#[derive(Debug, Clone, Default)]
pub(super) struct Dates {
    /// Dates that only make sense with the day first, with the month first, and with both.
    day_first: Seen,
    month_first: Seen,
    either: Seen,
    /// Dates of the workbook or in ISO 8601, and how many of them have a day above 12.
    cells: Seen,
    late: u64,
}

impl Dates {
    pub(super) fn cell(&mut self, row: u64, day: i8) {
        self.cells.at(row);
        self.late += u64::from(day > 12);
    }

    /// Looks at a text that begins with a digit; whether it is a date.
    pub(super) fn text(&mut self, row: u64, text: &str) -> bool {
        let bytes = text.as_bytes();
        if bytes.len() < 6 {
            return false;
        }
        if let [a, b, c, d, b'-', m, n, b'-', x, y, ..] = bytes {
            if [a, b, c, d, m, n, x, y].iter().all(|b| b.is_ascii_digit()) {
                let day = (*x - b'0') * 10 + (*y - b'0');
                self.cell(row, day as i8);
                return true;
            }
            return false;
        }
        let Some((one, other)) = parts(bytes) else {
            return false;
        };
        match (one, other) {
            (13..=31, 1..=12) => self.day_first.at(row),
            (1..=12, 13..=31) => self.month_first.at(row),
            // The same by both orders.
            (1..=12, 1..=12) if one == other => {}
            (1..=12, 1..=12) => self.either.at(row),
            _ => return false,
        }
        true
    }

    pub(super) fn merge(&mut self, later: Dates) {
        self.day_first.merge(later.day_first);
        self.month_first.merge(later.month_first);
        self.either.merge(later.either);
        self.cells.merge(later.cells);
        self.late += later.late;
    }

    /// What is wrong with them, if anything, where most of the `filled` cells are dates.
    pub(super) fn judge(&self, filled: u64) -> Option<(Damage, Seen)> {
        let telling = self.day_first.count + self.month_first.count;
        let dates = telling + self.either.count;
        if (dates + self.cells.count) * 2 < filled {
            return None;
        }
        // Of three dates all fall before the 13th once in seventeen times by chance.
        if self.cells.count >= 3 && self.late == 0 && telling > 0 && self.either.count * 10 <= dates
        {
            return Some((Damage::HalfConverted, self.cells.clone()));
        }
        if self.day_first.count > 0 && self.month_first.count > 0 {
            let (fewer, more) = (&self.month_first, &self.day_first);
            debug_assert!(fewer.count > 0 && more.count > 0);
            return Some((Damage::MixedDates, fewer.clone()));
        }
        (self.either.count > 0 && telling == 0)
            .then(|| (Damage::AmbiguousDates, self.either.clone()))
    }
}

/// The first two numbers of a date of digits: `31.12.2025`, `3/4/25 10:30`.
fn parts(bytes: &[u8]) -> Option<(u8, u8)> {
    let (one, rest) = number(bytes)?;
    let (&mark, rest) = rest.split_first()?;
    if !matches!(mark, b'/' | b'.' | b'-') {
        return None;
    }
    let (other, rest) = number(rest)?;
    let (&again, rest) = rest.split_first()?;
    let year = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let ends = matches!(rest.get(year), None | Some(b' ' | b',' | b'T'));
    (again == mark && matches!(year, 2 | 4) && ends).then_some((one, other))
}

/// One or two digits, and what follows.
fn number(bytes: &[u8]) -> Option<(u8, &[u8])> {
    let digit = |at: usize| {
        let byte = bytes.get(at).filter(|byte| byte.is_ascii_digit())?;
        Some(byte - b'0')
    };
    let one = digit(0)?;
    Some(match digit(1) {
        Some(two) => (one * 10 + two, &bytes[2..]),
        None => (one, &bytes[1..]),
    })
}
