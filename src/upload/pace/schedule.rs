//! When the next request may leave: all that is known of the limits in one place, with time given
//! and never asked. What sleeps and sends stands in [`super::Pace`].

use std::collections::VecDeque;
use std::time::Duration;

use super::headers::Told;
use super::learned::Learned;
use super::spread::Spread;
use super::window::Window;
use super::{Nanos, UsedUp, nanos};
use crate::rate::Rate;

/// A limit over no more than this, in seconds, is spread evenly where it is the shortest of all.
const SPREAD_UP_TO: u64 = 60;

/// A quota over more than this, in seconds, ends the run when it is used up, unless the run waits.
const WAITED_FOR: u64 = 3_600;

/// A pause that a target asks for and that is longer than this ends the run, unless the run waits.
const LONGEST_PAUSE: Nanos = 300 * SECOND;

/// So many refusals in a row, each after the pause that was asked for, end the run.
const MOST_REFUSALS: u32 = 60;

/// What is left is spread only where it must last for longer than this; the headers of shorter
/// windows are too coarse for it.
const SPREAD_LEFT_FROM: Duration = Duration::from_secs(3);

const SECOND: Nanos = 1_000_000_000;

/// What the next request does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// It leaves now.
    Go,
    /// It asks again at this time.
    Wait(Nanos),
    /// None will leave for a long time.
    UsedUp(UsedUp),
}

/// What limits a run.
#[derive(Debug, Clone, Default)]
pub struct Limits {
    /// All of these hold at once.
    pub rates: Vec<Rate>,
    /// The limit is unknown and is looked for.
    pub search: bool,
    /// What an earlier run found in such a search, in requests a second.
    pub earlier: Option<f64>,
    /// The run waits for quotas and long pauses rather than end.
    pub waits: bool,
}

impl Limits {
    /// The limit that is spread evenly: the shortest, where it is short enough. Longer ones are
    /// counted, so that a file that they have room for is not slowed by them.
    pub fn spread(&self) -> Option<Rate> {
        let shortest = |rate: &&Rate| (rate.seconds, rate.count);
        let rate = *self.rates.iter().min_by_key(shortest)?;
        (rate.seconds <= SPREAD_UP_TO).then_some(rate)
    }
}

/// How it goes, for people.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Live {
    /// Requests that left in the last seconds, a second.
    pub per_second: f64,
    /// Requests a second that may leave, where that is known.
    pub limit: Option<f64>,
    /// How long nothing leaves yet.
    pub paused: Duration,
}

/// The schedule of one run.
#[derive(Debug)]
pub struct Schedule {
    given: Option<f64>,
    windows: Vec<(Rate, Window)>,
    learned: Learned,
    /// What the last headers leave, in requests a second.
    told: Option<f64>,
    /// A pace for the moment after a pause, and until when.
    gentle: Option<(f64, Nanos)>,
    spread: Option<Spread>,
    /// Requests go no sooner: the distance to the last one while the pace changes.
    not_before: Nanos,
    paused_until: Nanos,
    recent: VecDeque<Nanos>,
    last_refusal: Option<Nanos>,
    refusals_in_a_row: u32,
    used_up: Option<UsedUp>,
    waits: bool,
    /// Requests that are still to be made, where that is known.
    outstanding: Option<u64>,
}

/// The longest that the first request of a run waits for the last one of the run before.
const MOST_DISTANCE: Nanos = 60 * SECOND;

impl Schedule {
    /// A schedule that begins now.
    pub fn new(limits: &Limits, now: Nanos) -> Self {
        let spread = limits.spread();
        let windows = limits
            .rates
            .iter()
            .filter(|rate| Some(**rate) != spread)
            .map(|rate| {
                // A little longer than said: what left at the right time may arrive sooner.
                let width = rate.seconds * SECOND;
                let width = width + (width / 100).min(2 * SECOND);
                (*rate, Window::new(rate.count, width))
            })
            .collect();
        // A quota over a long time says nothing of how fast it may be used.
        let search = limits.search || (spread.is_none() && !limits.rates.is_empty());
        let mut schedule = Self {
            given: spread.map(|rate| rate.per_second()),
            windows,
            learned: Learned::new(search, limits.earlier, now),
            told: None,
            gentle: None,
            spread: None,
            not_before: now,
            paused_until: now,
            recent: VecDeque::new(),
            last_refusal: None,
            refusals_in_a_row: 0,
            used_up: None,
            waits: limits.waits,
            outstanding: None,
        };
        schedule.respread(now);
        schedule
    }

    /// The longest time over which requests are counted, in seconds; 0 where none are.
    pub fn counts_over(&self) -> u64 {
        let seconds = self.windows.iter().map(|(rate, _)| rate.seconds);
        seconds.max().unwrap_or(0)
    }

    /// Requests that earlier runs made, oldest first.
    pub fn seed(&mut self, at: Nanos, count: u64) {
        for (_, window) in &mut self.windows {
            window.seed(at, count);
        }
    }

    /// An earlier run's last request left then: the first of this one keeps its distance.
    pub fn after(&mut self, last: Nanos, now: Nanos) {
        // A clock that was put back says nothing.
        if let Some(rate) = self.rate(now)
            && last <= now
        {
            let distance = nanos(1.0 / rate).min(MOST_DISTANCE);
            self.not_before = self.not_before.max(last.saturating_add(distance));
        }
    }

    /// When the last request left.
    pub fn last(&self) -> Option<Nanos> {
        self.recent.back().copied()
    }

    /// How many requests are still to be made.
    pub fn outstanding(&mut self, requests: u64) {
        self.outstanding = Some(requests);
    }

    /// The pace in requests a second, where anything limits it.
    pub fn rate(&self, now: Nanos) -> Option<f64> {
        let gentle = self.gentle.filter(|(_, until)| now < *until);
        [
            self.given,
            self.learned.rate,
            self.told,
            gentle.map(|(rate, _)| rate),
        ]
        .into_iter()
        .flatten()
        .reduce(f64::min)
    }

    /// What was found where the limit was unknown.
    pub fn found(&self) -> Option<f64> {
        self.learned.found()
    }

    /// Brings the limiter in line with the pace.
    fn respread(&mut self, now: Nanos) {
        let rate = self.rate(now);
        let same = match (&self.spread, rate) {
            (Some(spread), Some(rate)) => (spread.per_second() - rate).abs() < rate * 1e-3,
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        self.spread = rate.and_then(Spread::new);
        if let (Some(rate), Some(last)) = (rate, self.recent.back()) {
            let distance = nanos(1.0 / rate);
            self.not_before = self.not_before.max(last.saturating_add(distance));
        }
    }

    /// Whether a request may leave now; if so, it counts as having left.
    pub fn next(&mut self, now: Nanos) -> Next {
        if let Some(used_up) = &self.used_up {
            return Next::UsedUp(used_up.clone());
        }
        self.respread(now);
        let wait = self.paused_until.max(self.not_before);
        if wait > now {
            return Next::Wait(wait);
        }
        let mut free = now;
        for (rate, window) in &mut self.windows {
            let next = window.next(now);
            if next > now && rate.seconds > WAITED_FOR && !self.waits {
                let used_up = UsedUp {
                    what: format!("the quota of {rate} is used up"),
                    wait: Some(Duration::from_nanos(next - now)),
                };
                self.used_up = Some(used_up.clone());
                return Next::UsedUp(used_up);
            }
            free = free.max(next);
        }
        if free > now {
            return Next::Wait(free);
        }
        if let Some(spread) = &self.spread
            && let Err(next) = spread.take(now)
        {
            return Next::Wait(next);
        }
        for (_, window) in &mut self.windows {
            window.take(now);
        }
        self.recent.push_back(now);
        while self
            .recent
            .front()
            .is_some_and(|first| first + 10 * SECOND < now)
        {
            self.recent.pop_front();
        }
        if let Some(outstanding) = &mut self.outstanding {
            *outstanding = outstanding.saturating_sub(1);
        }
        Next::Go
    }

    /// Requests a second that left in the last second.
    fn achieved(&self, now: Nanos) -> f64 {
        let second = self.recent.iter().rev();
        let left = second.take_while(|at| **at + SECOND > now).count();
        let since = self
            .recent
            .front()
            .map_or(0, |first| now.saturating_sub(*first));
        left as f64 / (since.clamp(SECOND / 4, SECOND) as f64 / 1e9)
    }

    /// Takes notice of an answer to a request that left at this time: a refusal for pace (429), a
    /// wait that it asks for, what its headers say of the limit.
    pub fn answered(
        &mut self,
        limited: bool,
        wait: Option<Duration>,
        told: &[Told],
        left: Nanos,
        now: Nanos,
    ) {
        if limited {
            self.refused(now);
        } else {
            self.refusals_in_a_row = 0;
            let achieved = self.achieved(now);
            self.learned.accepted(achieved, left, now);
        }
        if !told.is_empty() {
            self.told = told
                .iter()
                .filter_map(|told| self.spreads(told))
                .reduce(f64::min);
        }
        let empty = told
            .iter()
            .filter(|told| told.remaining.is_some_and(|remaining| remaining < 1.0))
            // Without a word on when it begins anew, a second is waited for.
            .map(|told| told.reset.unwrap_or(Duration::from_secs(1)))
            .max();
        let pause = match wait.or(empty) {
            Some(pause) => Some(pause),
            None if limited => {
                let exponent = self.refusals_in_a_row.clamp(1, 6) - 1;
                Some(Duration::from_secs(1 << exponent))
            }
            None => None,
        };
        if let Some(pause) = pause {
            if !limited && self.rate(now).is_none() {
                // Nor does the whole line leave at once when a target is ready again.
                self.gentle = Some((self.achieved(now).max(1.0), now));
            }
            self.pause(pause, now);
        }
        if self.refusals_in_a_row > MOST_REFUSALS {
            self.used_up.get_or_insert(UsedUp {
                what: "the target refuses every request for pace (429)".to_owned(),
                wait,
            });
        }
    }

    fn refused(&mut self, now: Nanos) {
        // Answers to requests that left together are one refusal.
        let fresh = self
            .last_refusal
            .is_none_or(|last| now > last + SECOND && now >= self.paused_until);
        self.last_refusal = Some(now);
        if !fresh {
            return;
        }
        self.refusals_in_a_row += 1;
        let achieved = self.achieved(now);
        if !self.learned.refused(achieved, now) && self.rate(now).is_none() {
            // What waits must not leave all at once after the pause.
            self.gentle = Some((achieved.max(1.0), now));
        }
    }

    fn pause(&mut self, pause: Duration, now: Nanos) {
        let pause_nanos = u64::try_from(pause.as_nanos()).unwrap_or(u64::MAX / 4);
        if pause_nanos > LONGEST_PAUSE && !self.waits {
            self.used_up.get_or_insert(UsedUp {
                what: "the target asks for a long pause".to_owned(),
                wait: Some(pause),
            });
            return;
        }
        self.paused_until = self.paused_until.max(now.saturating_add(pause_nanos));
        if let Some((_, until)) = &mut self.gentle {
            *until = (*until).max(self.paused_until + 2 * SECOND);
        }
    }

    /// The pace at which what the headers leave lasts until there is more.
    fn spreads(&self, told: &Told) -> Option<f64> {
        let allowed = match (told.limit, told.window) {
            (Some(limit), Some(window))
                if limit >= 1.0 && !window.is_zero() && window.as_secs() <= SPREAD_UP_TO =>
            {
                Some(limit / window.as_secs_f64())
            }
            _ => None,
        };
        let left = match (told.remaining, told.reset) {
            (Some(remaining), Some(reset))
                if remaining >= 1.0
                    && reset >= SPREAD_LEFT_FROM
                    // What is left may suffice.
                    && self.outstanding.is_none_or(|requests| requests as f64 > remaining) =>
            {
                Some(remaining / reset.as_secs_f64())
            }
            _ => None,
        };
        match (allowed, left) {
            // A window's own pace is enough while it is kept.
            (Some(allowed), Some(left)) if left >= allowed => Some(allowed),
            (Some(allowed), None) => Some(allowed),
            (_, left) => left,
        }
    }

    /// How it goes.
    pub fn live(&self, now: Nanos) -> Live {
        let since = self
            .recent
            .front()
            .map_or(0, |first| now.saturating_sub(*first));
        let span = since.clamp(SECOND, 10 * SECOND);
        let left = self.recent.iter().filter(|at| **at + span >= now).count();
        Live {
            per_second: left as f64 / (span as f64 / 1e9),
            limit: self.rate(now),
            paused: Duration::from_nanos(self.paused_until.saturating_sub(now)),
        }
    }
}

/// How long so many requests take at the least, in seconds; `None` where nothing is known.
pub fn least_seconds(requests: u64, limits: &Limits) -> Option<f64> {
    if limits.rates.is_empty() || requests == 0 {
        return (requests == 0 && !limits.rates.is_empty()).then_some(0.0);
    }
    let spread = limits.spread();
    let mut counted: Vec<Rate> = limits
        .rates
        .iter()
        .copied()
        .filter(|rate| Some(*rate) != spread)
        .collect();
    counted.sort_by_key(|rate| std::cmp::Reverse(rate.seconds));
    Some(at_least(requests, &counted, spread))
}

/// With the longest count first: so many whole stretches of it, and the rest at what the shorter
/// ones allow.
fn at_least(requests: u64, counted: &[Rate], spread: Option<Rate>) -> f64 {
    let Some((longest, shorter)) = counted.split_first() else {
        return spread.map_or(0.0, |rate| requests as f64 / rate.per_second());
    };
    let whole = requests.saturating_sub(1) / u64::from(longest.count);
    let rest = requests - whole * u64::from(longest.count);
    let waiting = (whole * longest.seconds) as f64 + at_least(rest, shorter, spread);
    waiting.max(at_least(requests, shorter, spread))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_takes_as_long_as_its_limits_make_it() {
        for (rates, requests, seconds) in [
            (&["20/s"][..], 962, Some(48.1)),
            (&["30/min"], 3, Some(6.0)),
            (&["20/s", "30/min"], 60, Some(61.5)),
            // A limit of a day is counted, not spread: the second half waits for the next day.
            (&["20/s", "1000/day"], 1_000, Some(50.0)),
            (&["20/s", "1000/day"], 1_001, Some(86_400.05)),
            (&["20/s", "1000/hour", "3000/day"], 3_001, Some(86_400.05)),
            (&["20/s"], 0, Some(0.0)),
            (&[], 5, None),
        ] {
            let limits = Limits {
                rates: rates
                    .iter()
                    .map(|rate| crate::rate::parse_rate(rate).unwrap())
                    .collect(),
                ..Limits::default()
            };
            let least = least_seconds(requests, &limits);
            assert_eq!(
                least.map(|seconds| (seconds * 100.0).round()),
                seconds.map(|seconds: f64| (seconds * 100.0).round()),
                "{requests} at {rates:?}"
            );
        }
    }
}
