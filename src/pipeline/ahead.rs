//! What is still ahead: how many rows there are in all, counted beside the sending, and how many of
//! them were not handed on yet. The pace and the progress line go by it; no row's fate does.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::load::Prepared as Input;
use super::select::Selection;

/// So many rows are looked at between two questions whether the count is still wanted.
const ROWS: usize = 1_024;

/// A short import is over before anybody wants to know how long it takes.
const SHORT: Duration = Duration::from_millis(300);

/// The count of a run's rows, shared by those who count and those who ask.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    /// Rows that may be sent, plus one; zero where that is not known yet.
    total: AtomicU64,
    handed: AtomicU64,
    over: AtomicBool,
}

impl Ahead {
    /// All rows are counted. Those that nobody asked for are not sent.
    pub(super) fn is(&self, rows: u64, selection: &Selection) {
        let asked = rows.min(selection.at_most().unwrap_or(u64::MAX));
        self.total.store(asked.saturating_add(1), Ordering::Relaxed);
    }

    /// One more row was handed on or settled.
    pub(super) fn handed(&self) {
        self.handed.fetch_add(1, Ordering::Relaxed);
    }

    /// No more rows come.
    pub(super) fn all_handed(&self) {
        let handed = self.handed.load(Ordering::Relaxed);
        self.total
            .store(handed.saturating_add(1), Ordering::Relaxed);
        self.over.store(true, Ordering::Relaxed);
    }

    /// Rows that were not handed on, where the number of all is known.
    pub(super) fn rows(&self) -> Option<u64> {
        let total = self.total.load(Ordering::Relaxed).checked_sub(1)?;
        Some(total.saturating_sub(self.handed.load(Ordering::Relaxed)))
    }

    /// Counts the rows of all inputs; `None` where that was not wanted any more before the end, or
    /// where an input cannot be read to its end, which the sending will tell.
    pub(super) fn count(&self, inputs: &[Input]) -> Option<u64> {
        let began = std::time::Instant::now();
        while began.elapsed() < SHORT {
            if self.over.load(Ordering::Relaxed) {
                return None;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        let mut rows = 0;
        for input in inputs {
            let read = input.source.read(ROWS, &mut |batch| {
                rows += batch.len() as u64;
                match self.over.load(Ordering::Relaxed) {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            if read.is_err() || self.over.load(Ordering::Relaxed) {
                return None;
            }
        }
        Some(rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ahead_is_what_was_asked_for_and_not_handed_on() {
        let ahead = Ahead::default();
        ahead.handed();
        assert_eq!(ahead.rows(), None);
        ahead.is(10, &Selection::All);
        assert_eq!(ahead.rows(), Some(9));
        ahead.is(10, &Selection::First(3));
        assert_eq!(ahead.rows(), Some(2));
        ahead.is(10, &Selection::Rows(vec![1..=2, 7..=7]));
        assert_eq!(ahead.rows(), Some(2));
        ahead.all_handed();
        assert_eq!(ahead.rows(), Some(0));
    }
}
