//! How many requests may be under way at once: more while answers come as fast as before, fewer
//! when they take longer or fail. Pure, with time given.
//!
//! Additive increase and multiplicative decrease, driven by how long answers take against what was
//! usual, as in Vector's adaptive concurrency (<https://vector.dev/blog/adaptive-request-concurrency/>).

use std::time::Duration;

/// An answer counts as slow if it takes this share of the least usual time longer, and at least
/// so many seconds: less is our own scheduling, which says nothing of the target.
const SLOWER: f64 = 0.5;
const AT_LEAST: f64 = 0.02;

/// By this share the least usual time rises with each stretch that takes longer: a target that has
/// become slower for good is known as such after a while.
const RISE: f64 = 0.01;

/// What is left of the limit after a stretch of slow or failed answers.
const DECREASE: f64 = 0.75;

/// How an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Came {
    /// It came.
    Well,
    /// None came in time, the connection broke, or the server was in trouble (5xx).
    Badly,
}

/// The limit of requests under way.
#[derive(Debug, Clone)]
pub struct Concurrency {
    limit: f64,
    most: f64,
    /// The least that a stretch of answers usually takes on average, in seconds.
    usual: Option<f64>,
    /// Until the first slow stretch the limit doubles.
    doubling: bool,
    /// The stretch that is being measured: its answers, their sum, whether the limit was reached.
    answers: u32,
    sum: f64,
    bad: u32,
    reached: bool,
}

impl Concurrency {
    /// Begins with `first` and never exceeds `most`.
    pub fn new(first: usize, most: usize) -> Self {
        let most = most.max(1);
        Self {
            limit: first.clamp(1, most) as f64,
            most: most as f64,
            usual: None,
            doubling: true,
            answers: 0,
            sum: 0.0,
            bad: 0,
            reached: false,
        }
    }

    /// Requests that may be under way at once.
    pub fn limit(&self) -> usize {
        self.limit as usize
    }

    /// An answer came, or none did, after so much time, while so many requests were under way.
    /// True where the limit is another now.
    pub fn answered(&mut self, came: Came, took: Duration, under_way: usize) -> bool {
        self.answers += 1;
        self.sum += took.as_secs_f64();
        self.bad += u32::from(came == Came::Badly);
        self.reached |= under_way >= self.limit();
        // A stretch is as many answers as may be under way: about the time that one takes.
        if f64::from(self.answers) < self.limit.floor() {
            return false;
        }
        let before = self.limit();
        self.judge();
        self.limit() != before
    }

    fn judge(&mut self) {
        let mean = self.sum / f64::from(self.answers);
        let failed = self.bad * 2 > self.answers || (self.bad > 0 && self.answers < 4);
        let slow = self
            .usual
            .is_some_and(|usual| mean > usual + (usual * SLOWER).max(AT_LEAST));
        if failed || slow {
            self.doubling = false;
            self.limit = (self.limit * DECREASE).floor().max(1.0);
        } else if self.reached {
            let grown = match self.doubling {
                true => self.limit * 2.0,
                false => self.limit + 1.0,
            };
            self.limit = grown.min(self.most);
        }
        if !failed {
            self.usual = Some(match self.usual {
                // One at a time is as fast as it gets.
                Some(_) if self.limit() == 1 => mean,
                Some(usual) if usual < mean => usual * (1.0 + RISE),
                _ => mean,
            });
        }
        self.answers = 0;
        self.sum = 0.0;
        self.bad = 0;
        self.reached = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that works on so many requests at once, each for `work`; more wait for each other.
    fn after(
        mut concurrency: Concurrency,
        at_once: f64,
        work: f64,
        stretches: usize,
    ) -> Vec<usize> {
        let mut limits = Vec::new();
        for _ in 0..stretches {
            let under_way = concurrency.limit();
            let took = work * (under_way as f64 / at_once).max(1.0);
            for _ in 0..under_way {
                concurrency.answered(Came::Well, Duration::from_secs_f64(took), under_way);
            }
            limits.push(concurrency.limit());
        }
        limits
    }

    #[test]
    fn it_grows_while_answers_come_as_fast_as_before_and_no_further_than_it_may() {
        let limits = after(Concurrency::new(4, 64), 1_000.0, 0.1, 8);
        assert_eq!(limits, [8, 16, 32, 64, 64, 64, 64, 64]);
    }

    #[test]
    fn it_settles_near_what_the_server_can_do_at_once() {
        let limits = after(Concurrency::new(4, 256), 20.0, 0.1, 60);
        let last = &limits[30..];
        assert!(
            last.iter().all(|limit| (10..=60).contains(limit)),
            "{limits:?}"
        );
    }

    #[test]
    fn it_does_not_grow_where_something_else_limits() {
        let mut concurrency = Concurrency::new(8, 64);
        for _ in 0..100 {
            concurrency.answered(Came::Well, Duration::from_millis(20), 2);
        }
        assert_eq!(concurrency.limit(), 8);
    }

    #[test]
    fn failures_shrink_it_to_one_at_the_least_and_it_recovers_step_by_step() {
        let mut concurrency = Concurrency::new(16, 64);
        let second = Duration::from_secs(1);
        for _ in 0..200 {
            concurrency.answered(Came::Badly, second, 16);
        }
        assert_eq!(concurrency.limit(), 1);
        concurrency.answered(Came::Well, second, 1);
        assert_eq!(concurrency.limit(), 2);
        for _ in 0..2 {
            concurrency.answered(Came::Well, second, 2);
        }
        assert_eq!(concurrency.limit(), 3);
    }

    #[test]
    fn a_sudden_slowness_shrinks_it() {
        let mut concurrency = Concurrency::new(10, 10);
        for _ in 0..100 {
            concurrency.answered(Came::Well, Duration::from_millis(50), 10);
        }
        assert_eq!(concurrency.limit(), 10);
        for _ in 0..10 {
            concurrency.answered(Came::Well, Duration::from_millis(400), 10);
        }
        assert_eq!(concurrency.limit(), 7);
    }
}
