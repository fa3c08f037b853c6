//! A count over a sliding window: at most so many requests in any stretch of so much time.

use std::collections::VecDeque;

use super::Nanos;

/// In so many steps a window is counted. A request counts until its whole step has left the
/// window, so that a window never holds more than it may, and a little less at the most.
const STEPS: u64 = 512;

/// How many requests left in the last stretch of time.
#[derive(Debug, Clone)]
pub struct Window {
    limit: u64,
    width: Nanos,
    step: Nanos,
    /// The start of each step and what left in it, oldest first.
    steps: VecDeque<(Nanos, u64)>,
    total: u64,
}

impl Window {
    /// At most `limit` requests in any `width`.
    pub fn new(limit: u32, width: Nanos) -> Self {
        Self {
            limit: u64::from(limit),
            width,
            step: (width / STEPS).max(1),
            steps: VecDeque::new(),
            total: 0,
        }
    }

    /// Requests that left earlier, at a time that may be before this run; oldest first.
    pub fn seed(&mut self, at: Nanos, count: u64) {
        self.add(at, count);
    }

    fn add(&mut self, at: Nanos, count: u64) {
        let start = at - at % self.step;
        match self.steps.back_mut() {
            Some((last, counted)) if *last >= start => *counted += count,
            _ => self.steps.push_back((start, count)),
        }
        self.total += count;
    }

    fn forget(&mut self, now: Nanos) {
        while let Some((start, counted)) = self.steps.front() {
            if start + self.step + self.width > now {
                break;
            }
            self.total -= counted;
            self.steps.pop_front();
        }
    }

    /// When the next request may leave; `now` or later.
    pub fn next(&mut self, now: Nanos) -> Nanos {
        self.forget(now);
        let mut excess = (self.total + 1).saturating_sub(self.limit);
        for (start, counted) in &self.steps {
            if excess == 0 {
                break;
            }
            excess = excess.saturating_sub(*counted);
            if excess == 0 {
                return now.max(start + self.step + self.width);
            }
        }
        now
    }

    /// One leaves now.
    pub fn take(&mut self, now: Nanos) {
        self.add(now, 1);
    }

    /// How many more may leave at once.
    pub fn left(&mut self, now: Nanos) -> u64 {
        self.forget(now);
        self.limit.saturating_sub(self.total)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Nanos = 1_000_000_000;

    #[test]
    fn what_earlier_runs_sent_counts_until_it_is_old_enough() {
        let mut window = Window::new(10, 60 * SECOND);
        window.seed(100 * SECOND, 7);
        window.seed(130 * SECOND, 3);
        assert_eq!(window.left(140 * SECOND), 0);
        let next = window.next(140 * SECOND);
        assert!((160 * SECOND..161 * SECOND).contains(&next), "{next}");
        assert_eq!(window.left(next), 7);
    }

    proptest! {
        /// However requests wish to leave, no stretch holds more than the limit, and whoever
        /// waits as told may leave then.
        #[test]
        fn no_stretch_holds_more_than_the_limit(
            limit in 1u32..20,
            wishes in prop::collection::vec(0u64..2 * SECOND, 1..120),
        ) {
            let width = 3 * SECOND;
            let mut window = Window::new(limit, width);
            let mut now = 50 * SECOND;
            let mut left = Vec::new();
            for wish in wishes {
                now += wish;
                let next = window.next(now);
                prop_assert!(next >= now);
                now = next;
                prop_assert_eq!(window.next(now), now);
                window.take(now);
                left.push(now);
            }
            for (at, start) in left.iter().enumerate() {
                let inside = left[at..].iter().filter(|time| **time < start + width).count();
                prop_assert!(inside <= limit as usize, "{} in a stretch", inside);
            }
        }
    }
}
