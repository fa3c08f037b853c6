//! Where in a file something is: counts over buckets of rows whose width doubles, so that memory is
//! the same for any number of rows.

use serde::{Deserialize, Serialize};

/// The most buckets; with one more, each two become one.
const MOST: usize = 160;

/// Some rows that follow each other.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Bucket {
    /// Index of the input of the first row.
    #[serde(skip_serializing_if = "is_zero")]
    pub input: u64,
    /// Number of the first row, as a spreadsheet program counts it.
    pub first: u64,
    /// Number of the last row.
    pub last: u64,
    /// How many rows.
    pub rows: u64,
    /// How many of them are refused.
    #[serde(skip_serializing_if = "is_zero")]
    pub refused: u64,
    /// How many of them have warnings alone.
    #[serde(skip_serializing_if = "is_zero")]
    pub warned: u64,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Counts along the rows of a run, of all rows and column by column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Strips {
    /// Rows in a full bucket.
    pub width: u64,
    /// The buckets, in order.
    pub buckets: Vec<Bucket>,
    /// For each column the rows with an error in it, by bucket; empty where there is none, and
    /// shorter than the buckets where the last ones have none.
    pub columns: Vec<Vec<u32>>,
}

impl Strips {
    /// No row yet, of so many columns.
    pub fn new(columns: usize) -> Self {
        Self {
            width: 1,
            buckets: Vec::new(),
            columns: vec![Vec::new(); columns],
        }
    }

    /// Counts one row; what is told of columns next is of it.
    pub fn row(&mut self, input: u64, number: u64, refused: bool, warned: bool) {
        let full = self
            .buckets
            .last()
            .is_none_or(|last| last.rows >= self.width);
        if full {
            if self.buckets.len() >= MOST {
                self.halve();
            }
            // After halving an odd last bucket may have room.
            if self
                .buckets
                .last()
                .is_none_or(|last| last.rows >= self.width)
            {
                self.buckets.push(Bucket {
                    input,
                    first: number,
                    ..Bucket::default()
                });
            }
        }
        if let Some(bucket) = self.buckets.last_mut() {
            bucket.last = number;
            bucket.rows += 1;
            bucket.refused += u64::from(refused);
            bucket.warned += u64::from(warned);
        }
    }

    /// The row told last has an error in this column.
    pub fn error(&mut self, column: usize) {
        let Some(at) = self.buckets.len().checked_sub(1) else {
            return;
        };
        if let Some(counts) = self.columns.get_mut(column) {
            if counts.len() <= at {
                counts.resize(at + 1, 0);
            }
            counts[at] = counts[at].saturating_add(1);
        }
    }

    fn halve(&mut self) {
        self.width *= 2;
        let merged = self.buckets.chunks(2).map(|pair| {
            let mut one = pair[0].clone();
            if let Some(other) = pair.get(1) {
                one.last = other.last;
                one.rows += other.rows;
                one.refused += other.refused;
                one.warned += other.warned;
            }
            one
        });
        self.buckets = merged.collect();
        for counts in &mut self.columns {
            let merged = counts
                .chunks(2)
                .map(|pair| pair.iter().fold(0u32, |sum, one| sum.saturating_add(*one)));
            *counts = merged.collect();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn few_rows_have_a_bucket_each() {
        let mut strips = Strips::new(2);
        for row in 2..7 {
            strips.row(0, row, row == 4, false);
            if row == 4 {
                strips.error(1);
            }
        }
        assert_eq!(strips.width, 1);
        assert_eq!(strips.buckets.len(), 5);
        assert_eq!(strips.columns, [vec![], vec![0, 0, 1]]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_however_many_rows_come(
            rows in 0u64..3_000, bad in 1u64..50
        ) {
            let mut strips = Strips::new(1);
            for row in 0..rows {
                strips.row(0, row + 2, row % bad == 0, false);
                if row % bad == 0 {
                    strips.error(0);
                }
            }
            prop_assert!(strips.buckets.len() <= MOST);
            prop_assert!(strips.columns[0].len() <= strips.buckets.len());
            let sum = |of: fn(&Bucket) -> u64| strips.buckets.iter().map(of).sum::<u64>();
            prop_assert_eq!(sum(|bucket| bucket.rows), rows);
            prop_assert_eq!(sum(|bucket| bucket.refused), rows.div_ceil(bad));
            let errors: u64 = strips.columns[0].iter().map(|count| u64::from(*count)).sum();
            prop_assert_eq!(errors, rows.div_ceil(bad));
            for (bucket, errors) in strips.buckets.iter().zip(&strips.columns[0]) {
                prop_assert_eq!(bucket.refused, u64::from(*errors));
                prop_assert_eq!(bucket.last - bucket.first + 1, bucket.rows);
            }
            // All but the last are full.
            for bucket in strips.buckets.iter().rev().skip(1) {
                prop_assert_eq!(bucket.rows, strips.width);
            }
        }
    }
}
