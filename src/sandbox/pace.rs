//! A token bucket, and the headers that tell what is left in it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::target::file::LimitHeaders;

/// The bucket: starts full, fills evenly.
#[derive(Debug)]
pub(super) struct Bucket {
    per_second: f64,
    size: f64,
    level: f64,
    at: Instant,
}

/// What a request is told.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pace {
    /// How long to wait, if it is refused.
    pub(super) wait: Option<Duration>,
    limit: u64,
    remaining: u64,
    /// Until the bucket is full.
    reset: Duration,
}

impl Bucket {
    pub(super) fn new((count, seconds, burst): (u32, f64, u32), now: Instant) -> Self {
        let size = f64::from(burst.max(1));
        Self {
            per_second: (f64::from(count) / seconds.max(1e-6)).max(1e-9),
            size,
            level: size,
            at: now,
        }
    }

    /// Takes one token, if there is one.
    pub(super) fn take(&mut self, now: Instant) -> Pace {
        let gone = now.saturating_duration_since(self.at).as_secs_f64();
        self.at = now;
        self.level = (self.level + gone * self.per_second).min(self.size);
        let wait = if self.level >= 1.0 {
            self.level -= 1.0;
            None
        } else {
            Some(seconds((1.0 - self.level) / self.per_second))
        };
        Pace {
            wait,
            limit: self.size as u64,
            remaining: self.level as u64,
            reset: seconds((self.size - self.level) / self.per_second),
        }
    }
}

/// A duration of so many seconds; a year at most.
fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.0, 366.0 * 86_400.0))
}

/// Whole seconds, rounded up, at least one.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    (wait.as_secs() + u64::from(wait.subsec_nanos() > 0)).max(1)
}

impl Pace {
    /// The headers as the target names them.
    pub(super) fn headers(&self, names: Option<&LimitHeaders>) -> Vec<(String, String)> {
        let unix = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let at = whole_seconds(unix + self.reset);
        let left = whole_seconds(self.reset);
        let (limit, remaining, reset, value) = match names {
            None | Some(LimitHeaders::None) => return Vec::new(),
            Some(LimitHeaders::XRateLimit) => (
                Some("X-RateLimit-Limit"),
                Some("X-RateLimit-Remaining"),
                Some("X-RateLimit-Reset"),
                at,
            ),
            Some(LimitHeaders::Ietf) => (
                Some("RateLimit-Limit"),
                Some("RateLimit-Remaining"),
                Some("RateLimit-Reset"),
                left,
            ),
            Some(LimitHeaders::Named {
                limit,
                remaining,
                reset,
                reset_unix,
            }) => (
                limit.as_deref(),
                remaining.as_deref(),
                reset.as_deref(),
                if *reset_unix { at } else { left },
            ),
        };
        [
            (limit, self.limit),
            (remaining, self.remaining),
            (reset, value),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name?.to_owned(), value.to_string())))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bucket_lets_in_its_burst_and_then_its_rate() {
        let start = Instant::now();
        let mut bucket = Bucket::new((10, 1.0, 2), start);
        let after = |ms| start + Duration::from_millis(ms);
        for (ms, passes) in [
            (0, true),
            (0, true),
            (0, false),
            (50, false),
            (110, true),
            (120, false),
        ] {
            assert_eq!(bucket.take(after(ms)).wait.is_none(), passes, "at {ms} ms");
        }
        let refused = bucket.take(after(120));
        assert!(refused.wait.unwrap() <= Duration::from_millis(100));
        assert_eq!(whole_seconds(refused.wait.unwrap()), 1);
        assert_eq!(whole_seconds(Duration::from_millis(1001)), 2);
    }

    #[test]
    fn headers_bear_the_targets_names() {
        let mut bucket = Bucket::new((10, 1.0, 20), Instant::now());
        let pace = bucket.take(Instant::now());
        assert_eq!(pace.headers(None), []);
        let named = LimitHeaders::Named {
            limit: Some("X-Limit".into()),
            remaining: Some("X-Left".into()),
            reset: None,
            reset_unix: false,
        };
        assert_eq!(
            pace.headers(Some(&named)),
            [
                ("X-Limit".into(), "20".into()),
                ("X-Left".into(), "19".into())
            ]
        );
        assert_eq!(
            pace.headers(Some(&LimitHeaders::Ietf))[2],
            ("RateLimit-Reset".into(), "1".into())
        );
    }
}
