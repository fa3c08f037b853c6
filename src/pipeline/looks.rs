//! What the columns that a mapping uses have suffered on their way, looked at while the rows are
//! mapped.

use std::sync::{Mutex, PoisonError};

use crate::plan::Plan;
use crate::row::RowBatch;
use crate::source::Source;
use crate::source::damage::{Damage, Detector, Finding};

/// Looks at the columns of one input.
#[derive(Debug)]
pub struct Looks {
    columns: Vec<Column>,
    seen: Mutex<Vec<Detector>>,
}

#[derive(Debug)]
struct Column {
    index: usize,
    padded: bool,
    fresh: Detector,
}

impl Looks {
    /// The columns that a plan copies from.
    pub(super) fn new(plan: &Plan, source: &Source) -> Self {
        let column = |(index, padded)| Column {
            index,
            padded,
            fresh: Detector::new(&source.header.name(index)),
        };
        let columns: Vec<Column> = plan.copied_columns().into_iter().map(column).collect();
        let seen = columns.iter().map(|column| column.fresh.clone()).collect();
        Self {
            columns,
            seen: Mutex::new(seen),
        }
    }

    /// What a batch shows.
    pub(super) fn at(&self, batch: &RowBatch) -> Vec<Detector> {
        let mut seen: Vec<Detector> = self.columns.iter().map(|c| c.fresh.clone()).collect();
        for row in batch.rows().filter(|row| row.fault().is_none()) {
            for (column, detector) in self.columns.iter().zip(&mut seen) {
                detector.see(row.number(), &row.cell(column.index));
            }
        }
        seen
    }

    /// Adds what the next batch shows.
    pub(super) fn add(&self, later: Vec<Detector>) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        for (seen, later) in seen.iter_mut().zip(later) {
            seen.merge(later);
        }
    }

    /// Forgets what was seen, before the rows are read once more.
    pub(super) fn forget(&self) {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        *seen = self.columns.iter().map(|c| c.fresh.clone()).collect();
    }

    /// What was found, with the index of its column. Dates and texts that look like nothing are
    /// judged where they are read as such.
    pub fn findings(&self) -> Vec<(usize, Finding)> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut found = Vec::new();
        for (column, detector) in self.columns.iter().zip(seen.iter()) {
            let told = detector.findings().into_iter();
            found.extend(
                told.filter(|finding| match finding.damage {
                    Damage::LostZeros { .. } => !column.padded,
                    Damage::Shortened | Damage::Rounded | Damage::Garbled | Damage::Replaced => {
                        true
                    }
                    Damage::AmbiguousDates
                    | Damage::MixedDates
                    | Damage::HalfConverted
                    | Damage::NullLike { .. } => false,
                })
                .map(|finding| (column.index, finding)),
            );
        }
        found
    }
}
