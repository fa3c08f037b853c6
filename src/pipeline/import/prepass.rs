//! What is counted before anything is sent, where the mapping says how many rows may be refused.

use std::ops::ControlFlow;

use crate::mapping::stop_after::StopAfter;
use crate::pipeline::Loaded;
use crate::pipeline::check::claims;
use crate::pipeline::stage::{Planned, each_batch};
use crate::record::Plan;
use crate::report::{Event, Progress};
use crate::source::SourceError;

/// What the prepass found.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) rows: u64,
    pub(super) rejected: u64,
}

/// The most rows that may be refused, if the mapping says so.
pub(super) fn allowed(stop_after: Option<StopAfter>, rows: u64) -> Option<u64> {
    match stop_after? {
        StopAfter::Count(count) => Some(count),
        StopAfter::Share(share) if rows >= 100 => Some((rows as f64 * share).floor() as u64),
        StopAfter::Share(_) => None,
    }
}

/// Counts the rows of all inputs and those that our own checks refuse, before anything is sent.
pub(super) fn count(loaded: &Loaded, progress: &Progress) -> Result<Counted, SourceError> {
    progress.event(Event::Phase("checking"));
    let mut counted = Counted::default();
    let mut claims = claims(loaded)?;
    each_batch(&loaded.inputs, &mut |planned: Planned| {
        progress.event(Event::Rows(planned.rows.len() as u64));
        for mut row in planned.rows {
            if let Some(claims) = &mut claims {
                claims.enter(planned.input);
                claims.claim(&mut row);
            }
            counted.rows += 1;
            counted.rejected += u64::from(row.plan == Plan::Reject);
        }
        ControlFlow::Continue(())
    })?;
    loaded.forget_counts();
    Ok(counted)
}
