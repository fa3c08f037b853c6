//! How fast requests left over the time of a run, in buckets of time whose width doubles.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The most buckets; with one more, each two become one.
const MOST: usize = 120;
/// The width of a bucket at first, in milliseconds.
const FIRST_MS: u64 = 200;

/// Requests over time.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PaceTrack {
    /// Milliseconds in a bucket.
    pub width_ms: u64,
    /// Milliseconds from the first request's time to the last look.
    pub end_ms: u64,
    /// Requests that left in each bucket; a look between two buckets is shared out.
    pub requests: Vec<f64>,
    /// Answers "too many requests" in each bucket.
    pub limited: Vec<f64>,
    /// Requests a second that could leave, where that was known; the least of the bucket.
    pub limit: Vec<Option<f64>>,
    #[serde(skip)]
    seen: (u64, u64),
}

impl PaceTrack {
    /// What is known at so much time since the start: all requests and all "too many requests" up
    /// to then, and the limit now. Called in the order of time.
    pub fn look(&mut self, since: Duration, requests: u64, limited: u64, limit: Option<f64>) {
        let now = u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 2);
        if self.width_ms == 0 {
            self.width_ms = FIRST_MS;
        }
        let from = self.end_ms.min(now);
        while (now / self.width_ms) as usize >= MOST {
            self.halve();
        }
        let new = (
            requests.saturating_sub(self.seen.0),
            limited.saturating_sub(self.seen.1),
        );
        self.seen = (requests, limited);
        self.end_ms = now;
        let width = self.width_ms;
        let span = (now - from).max(1) as f64;
        for bucket in from / width..=now / width {
            let at = bucket as usize;
            if self.requests.len() <= at {
                self.requests.resize(at + 1, 0.0);
                self.limited.resize(at + 1, 0.0);
                self.limit.resize(at + 1, None);
            }
            let within = now.min((bucket + 1) * width) - from.max(bucket * width);
            let share = if now == from {
                1.0
            } else {
                within as f64 / span
            };
            self.requests[at] += new.0 as f64 * share;
            self.limited[at] += new.1 as f64 * share;
            if let Some(limit) = limit {
                self.limit[at] = Some(self.limit[at].map_or(limit, |known| known.min(limit)));
            }
        }
    }

    fn halve(&mut self) {
        fn sums(list: &[f64]) -> Vec<f64> {
            list.chunks(2).map(|pair| pair.iter().sum()).collect()
        }
        self.width_ms *= 2;
        self.requests = sums(&self.requests);
        self.limited = sums(&self.limited);
        let least = |pair: &[Option<f64>]| pair.iter().flatten().copied().reduce(f64::min);
        self.limit = self.limit.chunks(2).map(least).collect();
    }

    /// Requests a second, bucket by bucket; the last one by the part of it that passed.
    pub fn rates(&self) -> Vec<f64> {
        let last = self.requests.len().saturating_sub(1);
        let rate = |(at, requests): (usize, &f64)| {
            let full = self.width_ms as f64;
            let passed = match at == last {
                true => (self.end_ms.saturating_sub(at as u64 * self.width_ms)) as f64,
                false => full,
            };
            // A sliver at the end would show a pace that nobody saw.
            requests * 1_000.0 / passed.clamp(full / 4.0, full)
        };
        self.requests.iter().enumerate().map(rate).collect()
    }

    /// As it is kept: numbers to the tenth.
    #[must_use]
    pub fn rounded(mut self) -> Self {
        let round = |number: &mut f64| *number = (*number * 10.0).round() / 10.0;
        self.requests.iter_mut().for_each(round);
        self.limited.iter_mut().for_each(round);
        self.limit.iter_mut().flatten().for_each(round);
        self
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_steady_pace_is_seen_as_such() {
        let mut track = PaceTrack::default();
        for tick in 0..=100u64 {
            track.look(Duration::from_millis(tick * 100), tick, 0, Some(10.0));
        }
        assert_eq!((track.width_ms, track.end_ms), (200, 10_000));
        for rate in &track.rates()[..50] {
            assert!((rate - 10.0).abs() < 0.01, "{rate}");
        }
    }

    proptest! {
        #[test]
        fn no_request_is_lost_however_long_it_takes(
            steps in proptest::collection::vec((0u64..2_000_000, 0u64..500), 1..200)
        ) {
            let (mut track, mut at, mut all) = (PaceTrack::default(), 0, 0);
            for (ms, requests) in steps {
                at += ms;
                all += requests;
                track.look(Duration::from_millis(at), all, 0, None);
            }
            prop_assert!(track.requests.len() <= MOST);
            prop_assert_eq!(track.requests.len(), track.limit.len());
            let sum: f64 = track.requests.iter().sum();
            prop_assert!((sum - all as f64).abs() < 0.01 * (1.0 + all as f64), "{} {}", sum, all);
            prop_assert!(track.rates().iter().all(|rate| rate.is_finite() && *rate >= 0.0));
        }
    }
}
