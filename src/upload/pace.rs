//! The pace: every request of a run, whatever it is for, passes here first.

use std::collections::VecDeque;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use crate::ledger::Ledger;
use crate::rate::Rate;
use crate::target::file::LimitHeaders;

/// The share of a rate that is used. The rest is room for the network's jitter: two requests that
/// left at the right distance may arrive nearer to each other.
const SHARE: f64 = 0.99;

/// Rates over more than this are counted, over runs; those below are spread evenly.
const SPREAD_UP_TO: u64 = 3_600;

/// A pause that a target asks for and that is longer than this ends the run.
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The pace at which the search for an unknown limit begins, in requests a second.
const FIRST_GUESS: f64 = 10.0;

/// Why no more requests may leave for a long time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsedUp {
    /// What is used up, for people.
    pub what: String,
    /// When it may go on, where that is known.
    pub wait: Option<Duration>,
}

/// A limit without an opening burst: the first request may leave at once, each next one after the
/// rate's own distance, so that no window of the rate's length ever holds more than it allows.
fn limiter(per_second: f64) -> Option<Arc<DefaultDirectRateLimiter>> {
    let distance = Duration::try_from_secs_f64(1.0 / (per_second * SHARE)).ok()?;
    let quota = Quota::with_period(distance)?.allow_burst(NonZeroU32::MIN);
    Some(Arc::new(RateLimiter::direct(quota)))
}

/// What is learned about a limit from refusals.
#[derive(Debug, Clone, PartialEq)]
pub struct Learned {
    /// Requests a second; `None` while nothing limits.
    pub rate: Option<f64>,
    /// Still looking for the limit.
    growing: bool,
    refusals: u32,
}

impl Learned {
    /// Nothing known; with `search`, the limit is looked for from a gentle pace on.
    pub fn new(search: bool) -> Self {
        Self {
            rate: search.then_some(FIRST_GUESS),
            growing: search,
            refusals: 0,
        }
    }

    /// A second went by without a refusal.
    #[must_use]
    pub fn after_a_quiet_second(mut self) -> Self {
        if self.growing {
            self.rate = self.rate.map(|rate| (rate * 2.0).min(10_000.0));
        }
        self
    }

    /// The target refused for pace, while `achieved` requests a second were leaving. The first
    /// refusal of a known pace may be an accident; one that recurs slows the pace for good.
    #[must_use]
    pub fn after_a_refusal(mut self, achieved: f64) -> Self {
        self.refusals += 1;
        if self.growing || self.refusals > 1 {
            let known = self.rate.unwrap_or(f64::INFINITY).min(achieved.max(1.0));
            self.rate = Some((known * 0.8).max(0.1));
            self.growing = false;
        }
        self
    }
}

#[derive(Debug)]
struct State {
    paused_until: Instant,
    learned: Learned,
    learned_limiter: Option<Arc<DefaultDirectRateLimiter>>,
    recent: VecDeque<Instant>,
    last_step: Instant,
    last_refusal: Option<Instant>,
    refusals_in_a_row: u32,
    used_up: Option<UsedUp>,
}

/// A quota over a long time: what is left is counted over runs.
#[derive(Debug)]
struct Counted {
    rate: Rate,
    left: Mutex<u64>,
}

/// The pace of one run, shared by all its workers.
#[derive(Debug)]
pub struct Pace {
    limiters: Vec<Arc<DefaultDirectRateLimiter>>,
    counted: Vec<Counted>,
    headers: LimitHeaders,
    state: Mutex<State>,
    ledger: Ledger,
}

impl Pace {
    /// The pace of a run. All `rates` hold at once; `search` looks for an unknown limit.
    ///
    /// # Errors
    /// What the ledger says where it cannot tell what earlier runs spent.
    pub fn new(
        rates: &[Rate],
        search: bool,
        headers: LimitHeaders,
        ledger: Ledger,
    ) -> Result<Self, crate::ledger::LedgerError> {
        let mut limiters = Vec::new();
        let mut counted = Vec::new();
        for rate in rates {
            if rate.seconds <= SPREAD_UP_TO {
                limiters.extend(limiter(rate.per_second()));
            } else {
                let now = SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .unwrap_or_default();
                let since = now.saturating_sub(Duration::from_secs(rate.seconds));
                let spent = ledger.quota(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))?;
                let left = u64::from(rate.count).saturating_sub(spent);
                counted.push(Counted {
                    rate: *rate,
                    left: Mutex::new(left),
                });
            }
        }
        let learned = Learned::new(search);
        let now = Instant::now();
        Ok(Self {
            limiters,
            counted,
            headers,
            state: Mutex::new(State {
                paused_until: now,
                learned_limiter: learned.rate.and_then(limiter),
                learned,
                recent: VecDeque::new(),
                last_step: now,
                last_refusal: None,
                refusals_in_a_row: 0,
                used_up: None,
            }),
            ledger,
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until one request may leave.
    ///
    /// # Errors
    /// Where a quota is used up and waiting would take too long.
    pub async fn permit(&self) -> Result<(), UsedUp> {
        loop {
            let pause = {
                let state = self.state();
                if let Some(used_up) = &state.used_up {
                    return Err(used_up.clone());
                }
                state.paused_until
            };
            if pause > Instant::now() {
                tokio::time::sleep_until(pause).await;
                continue;
            }
            for limiter in &self.limiters {
                limiter.until_ready().await;
            }
            let learned = self.state().learned_limiter.clone();
            if let Some(learned) = learned {
                learned.until_ready().await;
            }
            let now = Instant::now();
            let mut state = self.state();
            if state.paused_until > now {
                continue;
            }
            state.recent.push_back(now);
            while state
                .recent
                .front()
                .is_some_and(|first| now - *first > Duration::from_secs(2))
            {
                state.recent.pop_front();
            }
            break;
        }
        for counted in &self.counted {
            let mut left = counted
                .left
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match left.checked_sub(1) {
                Some(rest) => *left = rest,
                None => {
                    return Err(UsedUp {
                        what: format!("the quota of {} is used up", counted.rate),
                        wait: None,
                    });
                }
            }
        }
        self.ledger.spent(1);
        Ok(())
    }

    /// Takes notice of an answer: a refusal for pace, a wait that it asks for, what its headers
    /// say is left.
    pub fn answered(&self, status: u16, wait: Option<Duration>, headers: &HeaderMap) {
        let now = Instant::now();
        let limited = status == 429;
        let mut state = self.state();
        if limited {
            // Answers to requests that left together are one refusal.
            let fresh = state.last_refusal.is_none_or(|last| {
                now - last > Duration::from_secs(1) && now >= state.paused_until
            });
            state.last_refusal = Some(now);
            if fresh {
                state.refusals_in_a_row += 1;
                let span = state
                    .recent
                    .front()
                    .map_or(Duration::ZERO, |first| now - *first);
                let achieved = state.recent.len() as f64 / span.as_secs_f64().max(1.0);
                let learned = state.learned.clone().after_a_refusal(achieved);
                state.learned_limiter = learned.rate.and_then(limiter);
                state.learned = learned;
            }
        } else {
            state.refusals_in_a_row = 0;
            if state.learned.growing && now - state.last_step >= Duration::from_secs(1) {
                state.last_step = now;
                let learned = state.learned.clone().after_a_quiet_second();
                state.learned_limiter = learned.rate.and_then(limiter);
                state.learned = learned;
            }
        }
        let exponent = state.refusals_in_a_row.clamp(1, 6) - 1;
        let pause = match wait {
            Some(wait) => Some(wait),
            None if limited => Some(Duration::from_secs(1 << exponent)),
            None => left(&self.headers, headers, SystemTime::now()),
        };
        if let Some(pause) = pause {
            if pause > LONGEST_PAUSE {
                state.used_up.get_or_insert(UsedUp {
                    what: "the target asks for a long pause".to_owned(),
                    wait: Some(pause),
                });
            } else {
                state.paused_until = state.paused_until.max(now + pause);
            }
        }
        if state.refusals_in_a_row > 60 {
            state.used_up.get_or_insert(UsedUp {
                what: "the target refuses every request for pace (429)".to_owned(),
                wait,
            });
        }
    }
}

/// The pause that the headers of an answer ask for: where nothing is left, until it begins anew.
pub fn left(names: &LimitHeaders, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let (remaining, reset, unix) = match names {
        LimitHeaders::None => return None,
        LimitHeaders::XRateLimit => ("x-ratelimit-remaining", "x-ratelimit-reset", true),
        LimitHeaders::Ietf => ("ratelimit-remaining", "ratelimit-reset", false),
        LimitHeaders::Named {
            remaining,
            reset,
            reset_unix,
            ..
        } => {
            // Without a word on when it begins anew, a second is waited for.
            let reset = reset.as_deref().unwrap_or_default();
            (remaining.as_deref()?, reset, *reset_unix)
        }
    };
    let number = |name: &str| headers.get(name)?.to_str().ok()?.trim().parse::<f64>().ok();
    if number(remaining)? >= 1.0 {
        return None;
    }
    if reset.is_empty() {
        return Some(Duration::from_secs(1));
    }
    let reset = number(reset).filter(|reset| reset.is_finite() && *reset >= 0.0)?;
    let seconds = if unix && reset > 1e9 {
        let now = now
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_secs_f64();
        (reset - now).max(0.0)
    } else {
        reset
    };
    Duration::try_from_secs_f64(seconds).ok()
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

    #[test]
    fn an_unknown_limit_is_found_from_below_and_kept() {
        let mut learned = Learned::new(true);
        for rate in [20.0, 40.0, 80.0] {
            learned = learned.after_a_quiet_second();
            assert_eq!(learned.rate, Some(rate));
        }
        learned = learned.after_a_refusal(50.0);
        assert_eq!(learned.rate, Some(40.0));
        assert_eq!(learned.clone().after_a_quiet_second().rate, Some(40.0));
        assert_eq!(learned.after_a_refusal(40.0).rate, Some(32.0));
    }

    #[test]
    fn only_a_refusal_that_recurs_slows_a_pace_that_was_not_searched() {
        let learned = Learned::new(false).after_a_refusal(30.0);
        assert_eq!(learned.rate, None);
        assert_eq!(learned.after_a_refusal(30.0).rate, Some(24.0));
    }

    #[test]
    fn headers_that_say_nothing_is_left_ask_for_a_pause() {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let named = LimitHeaders::Named {
            limit: None,
            remaining: Some("X-Left".into()),
            reset: Some("X-Reset".into()),
            reset_unix: false,
        };
        let unknown = LimitHeaders::Named {
            limit: None,
            remaining: Some("X-Left".into()),
            reset: None,
            reset_unix: false,
        };
        for (names, pairs, pause) in [
            (
                &LimitHeaders::XRateLimit,
                [
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1800000007"),
                ],
                Some(7),
            ),
            (
                &LimitHeaders::XRateLimit,
                [
                    ("x-ratelimit-remaining", "3"),
                    ("x-ratelimit-reset", "1800000007"),
                ],
                None,
            ),
            (
                &LimitHeaders::Ietf,
                [("ratelimit-remaining", "0"), ("ratelimit-reset", "5")],
                Some(5),
            ),
            (&named, [("x-left", "0"), ("x-reset", "2")], Some(2)),
            (&unknown, [("x-left", "0"), ("x-reset", "2")], Some(1)),
            (&unknown, [("x-left", "1"), ("x-reset", "2")], None),
            (
                &LimitHeaders::None,
                [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "9")],
                None,
            ),
        ] {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(name, value.parse().unwrap());
            }
            assert_eq!(
                left(names, &headers, now),
                pause.map(Duration::from_secs),
                "{pairs:?}"
            );
        }
    }
}
