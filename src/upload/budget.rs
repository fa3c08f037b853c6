//! How much a run may repeat: so that a target that fails half its requests does not get twice the
//! load. Pure, with time given.

use std::time::Duration;

/// What a first attempt pays in: one repetition for five first attempts.
const SHARE: f64 = 0.2;

/// Repetitions that are there at the start, and the most that are saved up.
const FIRST: f64 = 10.0;
const MOST: f64 = 100.0;

/// Repetitions a second that are there whatever happens, so that a run always goes on.
const A_SECOND: f64 = 0.5;

/// What a run may still repeat.
#[derive(Debug, Clone)]
pub struct Budget {
    saved: f64,
    filled: Duration,
}

impl Budget {
    /// A budget at the start of a run; `now` since whenever.
    pub fn new(now: Duration) -> Self {
        Self {
            saved: FIRST,
            filled: now,
        }
    }

    fn fill(&mut self, now: Duration) {
        let since = now.saturating_sub(self.filled).as_secs_f64();
        self.saved = (self.saved + since * A_SECOND).min(MOST);
        self.filled = self.filled.max(now);
    }

    /// A row is sent for the first time.
    pub fn first(&mut self, now: Duration) {
        self.fill(now);
        self.saved = (self.saved + SHARE).min(MOST);
    }

    /// A request is to be repeated: nothing if it may be at once, else how long it waits before it
    /// asks again.
    pub fn repeat(&mut self, now: Duration) -> Option<Duration> {
        self.fill(now);
        if self.saved >= 1.0 {
            self.saved -= 1.0;
            return None;
        }
        Some(Duration::from_secs_f64((1.0 - self.saved) / A_SECOND))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests of 1,000 rows where this share of the requests fails, at 100 a second.
    fn load(share: f64) -> (usize, f64) {
        let mut budget = Budget::new(Duration::ZERO);
        let (mut now, mut requests, mut failing, mut waiting) = (0.0f64, 0, 0.0, 0usize);
        let mut first = 0;
        while first < 1_000 {
            now += 0.01;
            let at = Duration::from_secs_f64(now);
            if waiting > 0 && budget.repeat(at).is_none() {
                waiting -= 1;
            } else {
                budget.first(at);
                first += 1;
            }
            requests += 1;
            failing += share;
            if failing >= 1.0 {
                failing -= 1.0;
                waiting += 1;
            }
        }
        (requests, now)
    }

    #[test]
    fn a_target_that_fails_half_its_requests_does_not_get_twice_the_load() {
        let (requests, _) = load(0.02);
        assert!((1_015..1_030).contains(&requests), "{requests}");
        let (requests, _) = load(0.5);
        assert!(requests < 1_250, "{requests}");
    }

    #[test]
    fn a_run_always_goes_on() {
        let mut budget = Budget::new(Duration::ZERO);
        let mut now = Duration::ZERO;
        for _ in 0..50 {
            while let Some(wait) = budget.repeat(now) {
                assert!(wait <= Duration::from_secs(2));
                now += wait;
            }
        }
        assert!(now <= Duration::from_secs(100), "{now:?}");
    }
}
