//! A run against a server that exists in numbers only: how the schedule fares with a limit, without
//! waiting for it. Its tests and the drawing of `cargo run --example pace_simulation` use it.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use super::Nanos;
use super::headers::Told;
use super::schedule::{Limits, Next, Schedule};

const SECOND: Nanos = 1_000_000_000;

/// How a server limits.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rule {
    /// It takes whatever comes.
    Anything,
    /// A bucket of `burst` tokens that fills at `rate` a second.
    Bucket {
        /// Tokens a second.
        rate: f64,
        /// Tokens that it holds.
        burst: f64,
    },
    /// So many in each window that begins at a round time.
    Fixed {
        /// How many.
        count: u32,
        /// In how many seconds.
        seconds: u64,
    },
    /// So many in any stretch.
    Sliding {
        /// How many.
        count: u32,
        /// In how many seconds.
        seconds: u64,
    },
}

/// What a server says of its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Says {
    /// Nothing.
    Nothing,
    /// How long to wait, with a refusal.
    RetryAfter,
    /// What is left and until when, with each answer; of fixed windows.
    Headers,
}

/// A server that exists in numbers only.
#[derive(Debug, Clone)]
pub struct Server {
    /// How it limits, from which second of the run on; the first from 0.
    pub rules: Vec<(u64, Rule)>,
    /// What it says of that.
    pub says: Says,
    /// How long an answer takes.
    pub latency: Duration,
    /// By how much a request may be late on its way.
    pub jitter: Duration,
}

impl Server {
    /// A server with one rule, whose answers take so many milliseconds; requests may be 2 ms late.
    pub fn new(rule: Rule, says: Says, latency: u64) -> Self {
        Self {
            rules: vec![(0, rule)],
            says,
            latency: Duration::from_millis(latency),
            jitter: Duration::from_millis(2),
        }
    }
}

/// How a run went.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Went {
    /// When requests arrived that were taken, in seconds from the start.
    pub taken: Vec<f64>,
    /// When requests arrived that were refused.
    pub refused: Vec<f64>,
    /// Whether the run ended since it would have had to wait too long.
    pub used_up: bool,
}

impl Went {
    /// Requests that were taken, a second, from the first to the last.
    pub fn per_second(&self) -> f64 {
        match (self.taken.first(), self.taken.last()) {
            (Some(first), Some(last)) if last > first => {
                (self.taken.len() - 1) as f64 / (last - first)
            }
            _ => 0.0,
        }
    }
}

#[derive(Debug, Default)]
struct Counted {
    tokens: f64,
    filled: Nanos,
    window: u64,
    in_window: u32,
    taken: Vec<Nanos>,
    rule: usize,
}

impl Counted {
    /// Whether the server takes a request that arrives now; and what it says.
    fn arrives(
        &mut self,
        server: &Server,
        now: Nanos,
        began: Nanos,
    ) -> (bool, Option<Duration>, Vec<Told>) {
        let second = (now - began) / SECOND;
        let rule = server
            .rules
            .iter()
            .rposition(|(from, _)| *from <= second)
            .unwrap_or(0);
        if rule != self.rule || self.filled == 0 {
            self.rule = rule;
            self.filled = now;
            if let Rule::Bucket { burst, .. } = server.rules[rule].1 {
                self.tokens = burst;
            }
        }
        let seconds = |nanos: Nanos| Duration::from_nanos(nanos);
        let (takes, wait, left) = match server.rules[rule].1 {
            Rule::Anything => (true, Duration::ZERO, None),
            Rule::Bucket { rate, burst } => {
                let since = (now - self.filled) as f64 / 1e9;
                self.tokens = (self.tokens + since * rate).min(burst);
                self.filled = now;
                let takes = self.tokens >= 1.0;
                if takes {
                    self.tokens -= 1.0;
                }
                let wait = (1.0 - self.tokens).max(0.0) / rate;
                (takes, Duration::from_secs_f64(wait), None)
            }
            Rule::Fixed {
                count,
                seconds: width,
            } => {
                let window = now / (width * SECOND);
                if window != self.window {
                    (self.window, self.in_window) = (window, 0);
                }
                let takes = self.in_window < count;
                self.in_window += u32::from(takes);
                let reset = seconds((window + 1) * width * SECOND - now);
                (
                    takes,
                    reset,
                    Some((count, width, count - self.in_window, reset)),
                )
            }
            Rule::Sliding {
                count,
                seconds: width,
            } => {
                self.taken.retain(|at| at + width * SECOND > now);
                let takes = self.taken.len() < count as usize;
                if takes {
                    self.taken.push(now);
                }
                let wait = self
                    .taken
                    .first()
                    .map_or(0, |first| first + width * SECOND - now);
                (takes, seconds(wait), None)
            }
        };
        let told = match (server.says, left) {
            (Says::Headers, Some((limit, width, remaining, reset))) => vec![Told {
                limit: Some(f64::from(limit)),
                window: Some(Duration::from_secs(width)),
                remaining: Some(f64::from(remaining)),
                // Servers count in whole seconds.
                reset: Some(Duration::from_secs(reset.as_secs() + 1)),
            }],
            _ => Vec::new(),
        };
        let asked = (!takes && server.says == Says::RetryAfter)
            .then(|| Duration::from_secs(wait.as_secs() + 1));
        (takes, asked, told)
    }
}

#[derive(Debug, PartialEq)]
enum Event {
    Arrives(Nanos),
    Answer(bool, Option<Duration>, Vec<Told>, Nanos),
}

/// Sends `requests` through a schedule to a server, `at_once` under way at the most, until each is
/// taken. `chance` gives numbers from 0 to 1.
pub fn run(
    limits: &Limits,
    server: &Server,
    requests: usize,
    at_once: usize,
    mut chance: impl FnMut() -> f64,
) -> Went {
    let began = 1_800_000_000 * SECOND + SECOND / 3;
    let mut schedule = Schedule::new(limits, began);
    schedule.outstanding(requests as u64);
    let mut counted = Counted::default();
    let mut went = Went::default();
    let mut events: BinaryHeap<Reverse<(Nanos, u64)>> = BinaryHeap::new();
    let mut what: Vec<Option<Event>> = Vec::new();
    let (mut waiting, mut under_way, mut now) = (requests, 0usize, began);
    let nanos = |time: Duration| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX / 4);
    let half = nanos(server.latency) / 2;
    loop {
        let mut wake = None;
        while waiting > 0 && under_way < at_once {
            match schedule.next(now) {
                Next::Go => {
                    waiting -= 1;
                    under_way += 1;
                    let late = (chance() * nanos(server.jitter) as f64) as u64;
                    events.push(Reverse((now + half + late, what.len() as u64)));
                    what.push(Some(Event::Arrives(now)));
                }
                Next::Wait(until) => {
                    // The machine wakes up a little late.
                    wake = Some(until + (chance() * 1e6) as u64);
                    break;
                }
                Next::UsedUp(_) => {
                    went.used_up = true;
                    waiting = 0;
                }
            }
        }
        let next = events.peek().map(|Reverse((at, _))| *at);
        now = match (next, wake) {
            (Some(event), Some(wake)) if wake < event => {
                now = wake;
                continue;
            }
            (Some(event), _) => event,
            (None, Some(wake)) => {
                now = wake;
                continue;
            }
            (None, None) => return went,
        };
        let Some(Reverse((_, number))) = events.pop() else {
            return went;
        };
        match what.get_mut(number as usize).and_then(Option::take) {
            Some(Event::Arrives(left)) => {
                let (takes, wait, told) = counted.arrives(server, now, began);
                let seconds = (now - began) as f64 / 1e9;
                if takes {
                    went.taken.push(seconds);
                } else {
                    went.refused.push(seconds);
                }
                events.push(Reverse((now + half, what.len() as u64)));
                what.push(Some(Event::Answer(!takes, wait, told, left)));
            }
            Some(Event::Answer(limited, wait, told, left)) => {
                under_way -= 1;
                waiting += usize::from(limited);
                schedule.answered(limited, wait, &told, left, now);
            }
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rate::parse_rate;

    fn limits(rates: &[&str]) -> Limits {
        Limits {
            rates: rates.iter().map(|text| parse_rate(text).unwrap()).collect(),
            search: rates.is_empty(),
            ..Limits::default()
        }
    }

    fn go(limits: &Limits, server: &Server, requests: usize) -> Went {
        let mut random = fastrand::Rng::with_seed(7);
        run(limits, server, requests, 256, || random.f64())
    }

    #[test]
    fn a_known_limit_is_used_to_the_full_and_never_tripped() {
        for latency in [2, 20, 500] {
            for (rates, rule, most) in [
                (
                    vec!["100/s"],
                    Rule::Bucket {
                        rate: 100.0,
                        burst: 2.0,
                    },
                    100.0,
                ),
                (
                    vec!["100/s"],
                    Rule::Sliding {
                        count: 100,
                        seconds: 1,
                    },
                    100.0,
                ),
                (
                    vec!["100/s"],
                    Rule::Fixed {
                        count: 100,
                        seconds: 1,
                    },
                    100.0,
                ),
                (
                    vec!["20/s"],
                    Rule::Bucket {
                        rate: 20.0,
                        burst: 2.0,
                    },
                    20.0,
                ),
                (
                    vec!["100/min"],
                    Rule::Sliding {
                        count: 100,
                        seconds: 60,
                    },
                    100.0 / 60.0,
                ),
            ] {
                let went = go(
                    &limits(&rates),
                    &Server::new(rule, Says::Nothing, latency),
                    1_500,
                );
                assert_eq!(went.refused.len(), 0, "{rates:?} {rule:?} {latency}");
                let used = went.per_second() / most;
                assert!((0.98..1.0).contains(&used), "{rates:?} {latency}: {used}");
            }
        }
    }

    #[test]
    fn several_limits_hold_at_once_and_a_long_one_slows_nothing_that_it_has_room_for() {
        let rule = Rule::Sliding {
            count: 150,
            seconds: 10,
        };
        let both = limits(&["20/s", "150/10s"]);
        let went = go(&both, &Server::new(rule, Says::Nothing, 20), 600);
        assert_eq!(went.refused.len(), 0);
        assert!(went.per_second() > 14.5, "{}", went.per_second());
        let went = go(&both, &Server::new(rule, Says::Nothing, 20), 140);
        assert!(went.per_second() > 19.0, "{}", went.per_second());
    }

    #[test]
    fn an_unknown_limit_is_found_with_few_refusals() {
        for latency in [5, 20, 100, 500] {
            for burst in [1.0, 2.0, 10.0, 50.0] {
                let rule = Rule::Bucket { rate: 50.0, burst };
                for says in [Says::Nothing, Says::RetryAfter] {
                    let went = go(&limits(&[]), &Server::new(rule, says, latency), 400);
                    assert_eq!(went.taken.len(), 400);
                    let refused = went.refused.len();
                    // One that lets a second's worth through at first is found later.
                    let most = if burst > 10.0 && latency > 100 {
                        90
                    } else {
                        60
                    };
                    assert!(
                        refused < most,
                        "{latency} ms, burst {burst}, {says:?}: {refused}"
                    );
                }
            }
        }
    }

    #[test]
    fn what_the_headers_leave_is_spread_until_there_is_more() {
        let rule = Rule::Fixed {
            count: 100,
            seconds: 60,
        };
        let went = go(&limits(&[]), &Server::new(rule, Says::Headers, 50), 250);
        assert_eq!(went.taken.len(), 250);
        assert!(went.refused.len() <= 2, "{}", went.refused.len());
    }

    #[test]
    fn a_limit_that_falls_while_the_run_goes_on_is_kept() {
        let falls = Server {
            rules: vec![
                (
                    0,
                    Rule::Bucket {
                        rate: 100.0,
                        burst: 2.0,
                    },
                ),
                (
                    5,
                    Rule::Bucket {
                        rate: 25.0,
                        burst: 2.0,
                    },
                ),
            ],
            ..Server::new(Rule::Anything, Says::RetryAfter, 20)
        };
        let went = go(&limits(&["100/s"]), &falls, 2_000);
        assert_eq!(went.taken.len(), 2_000);
        let late = went.refused.iter().filter(|at| **at > 40.0).count();
        assert!(late < 20, "{late} refusals after it should be known");
    }

    #[test]
    fn a_daily_quota_ends_the_run_unless_it_waits() {
        let day = Rule::Fixed {
            count: 300,
            seconds: 86_400,
        };
        let mut known = limits(&["20/s", "300/day"]);
        let went = go(&known, &Server::new(day, Says::Nothing, 20), 400);
        assert!(went.used_up);
        assert_eq!((went.taken.len(), went.refused.len()), (300, 0));
        known.waits = true;
        let went = go(&known, &Server::new(day, Says::Nothing, 20), 400);
        assert_eq!((went.taken.len(), went.refused.len()), (400, 0));
    }
}
