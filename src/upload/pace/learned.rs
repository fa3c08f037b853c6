//! What is learned about a limit from refusals: pure, with time given.

use super::Nanos;

/// The pace at which the search for an unknown limit begins, in requests a second.
const FIRST_GUESS: f64 = 10.0;

/// No search goes beyond this many requests a second.
const HIGHEST: f64 = 10_000.0;

/// After a refusal, the share of the refused pace that is kept.
const BACK_TO: f64 = 0.8;

/// A searched limit is approached again up to this share of the lowest pace that was refused.
const JUST_BELOW: f64 = 0.96;

/// One step of that approach, as a share of the refused pace, and how long it must have been quiet.
const STEP: f64 = 0.04;
const QUIET: Nanos = 8_000_000_000;

const SECOND: Nanos = 1_000_000_000;

/// A pace in requests a second that follows from what the target refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Requests a second; `None` while nothing limits.
    pub rate: Option<f64>,
    /// The lowest pace that was refused.
    pub refused: Option<f64>,
    /// Whether the limit is looked for at all, and not given by target or mapping.
    search: bool,
    refusals: u32,
    changed: Nanos,
}

impl Learned {
    /// Nothing known. With `search` the limit is looked for from a gentle pace on, or from the one
    /// that an earlier run found.
    pub fn new(search: bool, earlier: Option<f64>, now: Nanos) -> Self {
        let first = earlier.map_or(FIRST_GUESS, |found| found.clamp(0.1, HIGHEST));
        Self {
            rate: search.then_some(first),
            refused: None,
            search,
            refusals: u32::from(search && earlier.is_some()),
            changed: now,
        }
    }

    /// An answer that was no refusal, to a request that left at this time, while `achieved` requests
    /// a second were leaving. True where the pace grew.
    pub fn accepted(&mut self, achieved: f64, left: Nanos, now: Nanos) -> bool {
        let (true, Some(rate)) = (self.search, self.rate) else {
            return false;
        };
        // A pace that is not used proves nothing.
        if achieved < rate * 0.7 {
            return false;
        }
        let found = self.refusals > 0;
        let due = if found { QUIET } else { SECOND };
        // What left before, or in the first moments after, says little of the pace as it is.
        if left < self.changed + due {
            return false;
        }
        let next = match self.refused {
            Some(refused) => (rate + refused * STEP).min(refused * JUST_BELOW),
            // An earlier run's finding: what has changed since is looked for slowly.
            None if found => rate * (1.0 + STEP),
            None => rate * 2.0,
        };
        let next = next.min(HIGHEST);
        let grows = next > rate;
        if grows {
            self.rate = Some(next);
            self.changed = now;
        }
        grows
    }

    /// The target refused for pace, while `achieved` requests a second were leaving. The first
    /// refusal of a known pace may be an accident; one that recurs slows the pace for good. True
    /// where the pace fell.
    pub fn refused(&mut self, achieved: f64, now: Nanos) -> bool {
        self.refusals += 1;
        if !self.search && self.refusals < 2 {
            return false;
        }
        let pace = self.rate.unwrap_or(f64::INFINITY).min(achieved.max(1.0));
        self.refused = Some(self.refused.map_or(pace, |refused| refused.min(pace)));
        self.rate = Some((pace * BACK_TO).max(0.1));
        self.changed = now;
        true
    }

    /// The pace that a later run may begin with, where one was found.
    pub fn found(&self) -> Option<f64> {
        self.rate.filter(|_| self.search && self.refused.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_limit_is_found_from_below_and_kept_just_below() {
        let mut learned = Learned::new(true, None, 0);
        let mut now = 0;
        for rate in [20.0, 40.0, 80.0] {
            let before = learned.rate.unwrap();
            now += SECOND / 2;
            assert!(
                !learned.accepted(before, now, now),
                "not before a second is over"
            );
            now += SECOND / 2;
            assert!(learned.accepted(before, now, now));
            assert_eq!(learned.rate, Some(rate));
        }
        assert!(learned.refused(50.0, now));
        assert_eq!(learned.rate, Some(40.0));
        for _ in 0..100 {
            now += QUIET;
            learned.accepted(learned.rate.unwrap(), now, now);
        }
        assert_eq!(learned.rate, Some(48.0));
        assert_eq!(learned.found(), Some(48.0));
        assert!(learned.refused(48.0, now));
        assert!(learned.rate.unwrap() < 39.0);
    }

    #[test]
    fn a_pace_that_is_not_used_does_not_grow() {
        let mut learned = Learned::new(true, None, 0);
        assert!(!learned.accepted(2.0, 100 * SECOND, 100 * SECOND));
        assert_eq!(learned.rate, Some(10.0));
    }

    #[test]
    fn only_a_refusal_that_recurs_slows_a_known_pace_and_it_does_so_for_good() {
        let mut learned = Learned::new(false, None, 0);
        assert!(!learned.refused(30.0, 0));
        assert_eq!(learned.rate, None);
        assert!(learned.refused(30.0, 1));
        assert_eq!(learned.rate, Some(24.0));
        assert!(!learned.accepted(24.0, 1_000 * SECOND, 1_000 * SECOND));
        assert_eq!(learned.found(), None);
    }

    #[test]
    fn what_an_earlier_run_found_is_where_the_next_begins() {
        let mut learned = Learned::new(true, Some(42.0), 0);
        assert_eq!(learned.rate, Some(42.0));
        assert!(
            !learned.accepted(42.0, 2 * SECOND, 2 * SECOND),
            "no doubling from there"
        );
        assert!(learned.accepted(42.0, QUIET, QUIET));
    }
}
