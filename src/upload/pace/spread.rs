//! Requests spread evenly: the limiter of governor on a clock that is told the time.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos as GovernorNanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota, RateLimiter};

use super::Nanos;

/// The share of a rate that is used. The rest is room for the network's jitter: two requests that
/// left at the right distance may arrive nearer to each other.
pub const SHARE: f64 = 0.99;

/// How much time, in seconds, a request that left late hands on to the next ones; so that a timer
/// that rings late costs no pace. Less than what [`SHARE`] keeps free in a second.
const LATE: f64 = 0.005;

/// A clock that stands still until it is set.
#[derive(Debug, Clone, Default)]
struct Told(Arc<AtomicU64>);

impl Clock for Told {
    type Instant = GovernorNanos;

    fn now(&self) -> GovernorNanos {
        self.0.load(Ordering::Relaxed).into()
    }
}

/// Requests at even distances, with no opening burst: no stretch of time ever holds more than the
/// rate allows. One that was late lets the next follow a little sooner.
#[derive(Debug)]
pub struct Spread {
    clock: Told,
    limiter: RateLimiter<NotKeyed, InMemoryState, Told, NoOpMiddleware<GovernorNanos>>,
    request: NonZeroU32,
    per_second: f64,
}

impl Spread {
    /// So many requests a second, of which [`SHARE`] is used; `None` where that is no rate.
    pub fn new(per_second: f64) -> Option<Self> {
        let distance = 1.0 / (per_second * SHARE);
        // A request is as many cells of the limiter's as it takes to save up parts of one.
        let request = NonZeroU32::new((distance / LATE).floor().clamp(1.0, 1e6) as u32)?;
        let cell = distance / f64::from(request.get());
        let late = (LATE / cell).ceil().clamp(1.0, 1e6) as u32;
        let quota = Quota::with_period(Duration::try_from_secs_f64(cell).ok()?)?
            .allow_burst(request.saturating_add(late));
        let clock = Told::default();
        Some(Self {
            limiter: RateLimiter::direct_with_clock(quota, clock.clone()),
            clock,
            request,
            per_second,
        })
    }

    /// The rate it was made for, in requests a second.
    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    /// Takes a place if one is free; else says when one will be.
    pub fn take(&self, now: Nanos) -> Result<(), Nanos> {
        self.clock.0.store(now, Ordering::Relaxed);
        match self.limiter.check_n(self.request) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(not_yet)) => {
                let wait = not_yet.wait_time_from(self.clock.now());
                Err(now
                    + u64::try_from(wait.as_nanos())
                        .unwrap_or(u64::MAX / 2)
                        .max(1))
            }
            // The burst holds a request's cells by construction.
            Err(_) => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    /// When `count` requests leave if each leaves `late` after it may.
    fn departures(spread: &Spread, count: usize, late: impl Fn(usize) -> Nanos) -> Vec<Nanos> {
        let mut now = 1_000 * SECOND;
        let mut left = Vec::new();
        for place in 0..count {
            loop {
                match spread.take(now) {
                    Ok(()) => break,
                    Err(next) => now = next + late(place),
                }
            }
            left.push(now);
        }
        left
    }

    fn most_in(left: &[Nanos], width: Nanos) -> usize {
        let inside = |at: usize| {
            left[at..]
                .iter()
                .take_while(|time| **time < left[at] + width)
                .count()
        };
        (0..left.len()).map(inside).max().unwrap_or(0)
    }

    #[test]
    fn there_is_no_opening_burst_and_nearly_all_of_the_rate_is_used() {
        for rate in [1.0, 5.0, 20.0, 50.0, 100.0, 333.0, 1_000.0] {
            let spread = Spread::new(rate).unwrap();
            let left = departures(&spread, (rate * 5.0) as usize + 2, |_| 0);
            assert!(most_in(&left, SECOND) <= rate as usize, "{rate}");
            let seconds = (left[left.len() - 1] - left[0]) as f64 / 1e9;
            let used = (left.len() - 1) as f64 / seconds / rate;
            assert!((0.98..1.0).contains(&used), "{rate}: {used}");
        }
    }

    #[test]
    fn timers_that_ring_late_cost_no_pace() {
        for (rate, late) in [(100.0, 1_000_000), (400.0, 1_000_000), (1_000.0, 1_200_000)] {
            let spread = Spread::new(rate).unwrap();
            let left = departures(&spread, 1_500, |_| late);
            let seconds = (left[left.len() - 1] - left[0]) as f64 / 1e9;
            let used = (left.len() - 1) as f64 / seconds / rate;
            assert!(used > 0.975, "{rate}: {used}");
            assert!(most_in(&left, SECOND) <= rate as usize, "{rate}");
        }
    }

    proptest! {
        /// However late requests leave, no second holds more than the rate.
        #[test]
        fn no_second_holds_more_than_the_rate(
            rate in 1u32..300,
            late in prop::collection::vec(0u64..SECOND / 20, 200),
        ) {
            let spread = Spread::new(f64::from(rate)).unwrap();
            let left = departures(&spread, 200, |place| late[place]);
            prop_assert!(most_in(&left, SECOND) <= rate as usize);
        }
    }
}
