//! Which rows of the input are sent.

use std::ops::RangeInclusive;

/// Which rows are sent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Selection {
    /// All.
    #[default]
    All,
    /// The first so many of the input.
    First(u64),
    /// Those of these numbers.
    Rows(Vec<RangeInclusive<u64>>),
}

impl Selection {
    /// Reads a list of row numbers such as `17,40-60`.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let wrong = |part: &str| {
            format!("`{part}` is no row number; write rows as `17` or `40-60`, with commas between")
        };
        let mut ranges = Vec::new();
        for part in text
            .split(',')
            .map(str::trim)
            .filter(|part| !part.is_empty())
        {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let number = |text: &str| {
                text.trim()
                    .parse::<u64>()
                    .ok()
                    .filter(|number| *number > 0)
                    .ok_or_else(|| wrong(part))
            };
            let (from, to) = (number(from)?, number(to)?);
            if from > to {
                return Err(format!("the rows `{part}` run backwards"));
            }
            ranges.push(from..=to);
        }
        if ranges.is_empty() {
            return Err("no rows are named".to_owned());
        }
        Ok(Self::Rows(ranges))
    }

    /// The rows that are named, as they are named.
    pub fn named(&self) -> Vec<RangeInclusive<u64>> {
        match self {
            Self::Rows(ranges) => ranges.clone(),
            Self::All | Self::First(_) => Vec::new(),
        }
    }

    /// The rows that are named one by one.
    pub fn single(&self) -> Vec<u64> {
        let Self::Rows(ranges) = self else {
            return Vec::new();
        };
        let single = ranges.iter().filter(|range| range.start() == range.end());
        single.map(|range| *range.start()).collect()
    }

    /// The most rows that can be among them, where there is such a number.
    pub fn at_most(&self) -> Option<u64> {
        match self {
            Self::All => None,
            Self::First(rows) => Some(*rows),
            Self::Rows(ranges) => Some(
                ranges
                    .iter()
                    .map(|range| (range.end() - range.start()).saturating_add(1))
                    .fold(0, u64::saturating_add),
            ),
        }
    }

    /// Whether the row of this place in the run, counted from 0, and of this number is among them.
    pub fn takes(&self, place: u64, row: u64) -> bool {
        match self {
            Self::All => true,
            Self::First(rows) => place < *rows,
            Self::Rows(ranges) => ranges.iter().any(|range| range.contains(&row)),
        }
    }
}
