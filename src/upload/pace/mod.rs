//! The pace: every request of a run, whatever it is for, passes here before it leaves.

pub mod headers;
pub mod learned;
pub mod schedule;
pub mod simulation;
pub mod spread;
pub mod window;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use reqwest::header::HeaderMap;

pub use self::schedule::{Limits, Live};
use self::schedule::{Next, Schedule};
use crate::ledger::{Ledger, Spending};
use crate::target::file::LimitHeaders;

/// Nanoseconds since 1970.
pub type Nanos = u64;

/// Seconds as nanoseconds; as many as there are, where they are more.
fn nanos(seconds: f64) -> Nanos {
    (seconds * 1e9) as Nanos
}

/// Why no more requests may leave for a long time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedUp {
    /// What is used up, for people.
    pub what: String,
    /// When it may go on, where that is known.
    pub wait: Option<Duration>,
}

/// The name under which the ledger keeps what was found out about an unknown limit.
const FOUND: &str = "pace";

/// The name under which it keeps when the last request of a run left; milliseconds since 1970.
const LAST: &str = "last request";

/// The pace of one run, shared by all its workers.
#[derive(Debug)]
pub struct Pace {
    schedule: Mutex<Schedule>,
    /// One waits for all, in the order of their coming; so that nobody is passed by and no herd
    /// leaves when a pause ends.
    turn: tokio::sync::Mutex<()>,
    headers: LimitHeaders,
    ledger: Ledger,
    began: (Instant, Nanos),
}

impl Pace {
    /// The pace of a run.
    ///
    /// # Errors
    /// What the ledger says where it cannot tell what earlier runs spent.
    pub fn new(
        mut limits: Limits,
        headers: LimitHeaders,
        ledger: Ledger,
    ) -> Result<Self, crate::ledger::LedgerError> {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let now = u64::try_from(since.as_nanos()).unwrap_or(u64::MAX / 2);
        if limits.earlier.is_none() {
            let noted = ledger.noted(FOUND)?;
            limits.earlier = noted.and_then(|text| text.parse().ok());
        }
        let mut schedule = Schedule::new(&limits, now);
        let last = ledger
            .noted(LAST)?
            .and_then(|text| text.parse::<u64>().ok());
        if let Some(last) = last {
            schedule.after(last.saturating_mul(1_000_000), now);
        }
        let counts_over = schedule.counts_over();
        if counts_over > 0 {
            let from = since.saturating_sub(Duration::from_secs(counts_over));
            let from = i64::try_from(from.as_millis()).unwrap_or(i64::MAX);
            for (at_ms, count) in ledger.spent_since(from)? {
                schedule.seed(u64::try_from(at_ms).unwrap_or(0) * 1_000_000, count);
            }
        }
        Ok(Self {
            schedule: Mutex::new(schedule),
            turn: tokio::sync::Mutex::new(()),
            headers,
            ledger,
            began: (Instant::now(), now),
        })
    }

    fn schedule(&self) -> MutexGuard<'_, Schedule> {
        self.schedule.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, by a clock that never goes back.
    fn now(&self) -> Nanos {
        let (began, then) = self.began;
        then + u64::try_from(began.elapsed().as_nanos()).unwrap_or(u64::MAX / 2)
    }

    /// Counts one request against the quotas; before it is recorded that it is about to leave.
    pub fn count(&self) -> Spending {
        self.ledger.spent(1)
    }

    /// Takes one back that was counted and never left.
    pub fn uncount(&self, spending: Spending) {
        self.ledger.not_spent(spending);
    }

    /// Waits until one request may leave.
    ///
    /// # Errors
    /// Where a quota is used up and waiting would take too long.
    pub async fn permit(&self) -> Result<(), UsedUp> {
        let _turn = self.turn.lock().await;
        loop {
            let now = self.now();
            let next = self.schedule().next(now);
            match next {
                Next::Go => return Ok(()),
                Next::Wait(until) => sleep(Duration::from_nanos(until - now)).await,
                Next::UsedUp(used_up) => return Err(used_up),
            }
        }
    }

    /// Takes notice of an answer to a request that left then: a refusal for pace, a wait that it
    /// asks for, what its headers say is left.
    pub fn answered(
        &self,
        status: u16,
        wait: Option<Duration>,
        headers: &HeaderMap,
        left: Instant,
    ) {
        let told = headers::told(&self.headers, headers, SystemTime::now());
        let (now, since) = (self.now(), left.elapsed());
        let left = now.saturating_sub(u64::try_from(since.as_nanos()).unwrap_or(0));
        self.schedule()
            .answered(status == 429, wait, &told, left, now);
    }

    /// How many requests are still to be made.
    pub fn outstanding(&self, requests: u64) {
        self.schedule().outstanding(requests);
    }

    /// How it goes.
    pub fn live(&self) -> Live {
        self.schedule().live(self.now())
    }

    /// Notes for later runs what was found out about an unknown limit, and when the last request left.
    ///
    /// # Errors
    /// What the ledger says where it cannot be written.
    pub fn remember(&self) -> Result<(), crate::ledger::LedgerError> {
        let (found, last) = {
            let schedule = self.schedule();
            (schedule.found(), schedule.last())
        };
        if let Some(last) = last {
            self.ledger
                .note(LAST, &last.div_ceil(1_000_000).to_string())?;
        }
        match found {
            Some(rate) => self.ledger.note(FOUND, &format!("{rate:.2}")),
            None => Ok(()),
        }
    }
}

/// Waits more exactly than the runtime's timer, which counts in milliseconds.
async fn sleep(wait: Duration) {
    const COARSE: Duration = Duration::from_millis(20);
    if wait > COARSE {
        tokio::time::sleep((wait - COARSE / 2).min(Duration::from_secs(1))).await;
    } else {
        futures_timer::Delay::new(wait).await;
    }
}

/// How long to wait before the next attempt: exponential, with full jitter. `chance` is a random
/// number from 0 to 1.
pub fn backoff(attempt: u32, chance: f64) -> Duration {
    let most = 0.5 * f64::from(1u32 << attempt.min(6));
    Duration::from_secs_f64(most.min(30.0) * chance.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_before_a_retry_grows_and_is_capped() {
        for (attempt, most) in [(0, 0.5), (1, 1.0), (2, 2.0), (6, 30.0), (60, 30.0)] {
            assert_eq!(backoff(attempt, 1.0), Duration::from_secs_f64(most));
            assert_eq!(backoff(attempt, 0.0), Duration::ZERO);
        }
    }
}
