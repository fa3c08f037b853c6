//! A rectangle of cells of a sheet.

use crate::row::{column_index, column_letters};

/// Rows of a sheet (ECMA-376 part 1, 18.3.1.73).
pub const MOST_ROWS: u32 = 1_048_576;
/// Columns of a sheet, the last of which is `XFD`.
const MOST_COLUMNS: usize = 16_384;

/// Cells from one corner to the other, rows from 1 and columns from 0, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Area {
    /// First and last row.
    pub rows: (u64, u64),
    /// First and last column.
    pub columns: (usize, usize),
}

impl Area {
    /// The whole of a sheet.
    pub const WHOLE: Self = Self {
        rows: (1, MOST_ROWS as u64),
        columns: (0, MOST_COLUMNS - 1),
    };

    /// Reads `B3:H200`, `B:H`, `B3:H` (down to the last row) or `3:200`; `$` is passed over.
    /// `None` where it is none of these or its corners are the wrong way round.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().replace('$', "");
        let (first, last) = text.split_once(':').unwrap_or((&text, &text));
        let corner = |text: &str| -> Option<(Option<usize>, Option<u64>)> {
            let text = text.trim();
            let digits = text.find(|c: char| c.is_ascii_digit());
            let digits = digits.unwrap_or(text.len());
            let (letters, digits) = text.split_at(digits);
            let column = match letters {
                "" => None,
                letters => Some(column_index(letters)?),
            };
            let row = match digits {
                "" => None,
                digits => Some(
                    digits
                        .parse()
                        .ok()
                        .filter(|row| (1..=u64::from(MOST_ROWS)).contains(row))?,
                ),
            };
            Some((column, row))
        };
        let (first, last) = (corner(first)?, corner(last)?);
        let columns = match (first.0, last.0) {
            (Some(first), Some(last)) => (first, last),
            (None, None) if first.1.is_some() => Self::WHOLE.columns,
            _ => return None,
        };
        let rows = match (first.1, last.1) {
            (Some(first), Some(last)) => (first, last),
            (None, None) => Self::WHOLE.rows,
            (Some(first), None) => (first, Self::WHOLE.rows.1),
            (None, Some(_)) => return None,
        };
        (columns.0 <= columns.1 && rows.0 <= rows.1).then_some(Self { rows, columns })
    }

    /// The area as spreadsheet programs write it.
    pub fn name(&self) -> String {
        let corner = |column, row| format!("{}{row}", column_letters(column));
        let first = corner(self.columns.0, self.rows.0);
        let last = corner(self.columns.1, self.rows.1);
        if first == last {
            first
        } else {
            format!("{first}:{last}")
        }
    }

    /// Whether the two have a cell in common.
    pub fn meets(&self, other: &Self) -> bool {
        self.rows.0 <= other.rows.1
            && other.rows.0 <= self.rows.1
            && self.columns.0 <= other.columns.1
            && other.columns.0 <= self.columns.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_are_read() {
        for (text, expected) in [
            ("B3:H200", Some("B3:H200")),
            ("$b$3:$H$200", Some("B3:H200")),
            ("B:H", Some("B1:H1048576")),
            ("B3:H", Some("B3:H1048576")),
            ("3:5", Some("A3:XFD5")),
            ("C7", Some("C7")),
            ("H3:B200", None),
            ("B9:H3", None),
            ("B3:200", None),
            ("B0:H3", None),
            ("XFE1", None),
            ("B3:H1048577", None),
            ("", None),
            ("Clients", None),
        ] {
            assert_eq!(
                Area::parse(text).map(|area| area.name()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
