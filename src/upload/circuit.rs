//! Whether the target is up: after several failures in a row nothing is sent but one request at
//! growing intervals, until one is answered or the patience is at its end. Pure, with time given.

use std::time::Duration;

/// The first interval between two tries, and the longest.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// What a request does that wishes to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passage {
    /// It leaves.
    Go,
    /// It leaves, as the one that tries whether the target is up again.
    Try,
    /// It asks again after this.
    Wait(Duration),
    /// The target has been down for too long.
    GiveUp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// So many failures in a row.
    Up(u32),
    Down {
        since: Duration,
        next: Duration,
        interval: Duration,
        trying: bool,
    },
}

/// The state of the target as the run sees it.
#[derive(Debug, Clone)]
pub struct Circuit {
    state: State,
    /// So many failures in a row open it.
    most: u32,
    /// How long it is waited for.
    patience: Duration,
}

impl Circuit {
    /// A target that is taken to be up; `most` failures in a row open the circuit.
    pub fn new(most: u32, patience: Duration) -> Self {
        Self {
            state: State::Up(0),
            most: most.max(1),
            patience,
        }
    }

    /// How long the target is waited for.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// It is waited for as long as this from now on.
    pub fn be_patient(&mut self, patience: Duration) {
        self.patience = patience;
    }

    /// Whether nothing but tries is sent.
    pub fn is_open(&self) -> bool {
        matches!(self.state, State::Down { .. })
    }

    /// Whether a request may leave now.
    pub fn passage(&mut self, now: Duration) -> Passage {
        match &mut self.state {
            State::Up(_) => Passage::Go,
            State::Down {
                since,
                next,
                trying,
                ..
            } => {
                if *trying {
                    return Passage::Wait(FIRST / 4);
                }
                if now.saturating_sub(*since) >= self.patience {
                    return Passage::GiveUp;
                }
                if now < *next {
                    let until = (*next).min(*since + self.patience);
                    return Passage::Wait(until - now);
                }
                *trying = true;
                Passage::Try
            }
        }
    }

    /// The target answered something that settles. True where it was down before.
    pub fn heard(&mut self) -> bool {
        let was_down = self.is_open();
        self.state = State::Up(0);
        was_down
    }

    /// A request had no answer, or one that says that the target is in trouble. True where that
    /// opens the circuit.
    pub fn failed(&mut self, now: Duration) -> bool {
        match &mut self.state {
            State::Up(failures) => {
                *failures += 1;
                if *failures < self.most {
                    return false;
                }
                self.state = State::Down {
                    since: now,
                    next: now + FIRST.min(self.patience),
                    interval: FIRST,
                    trying: false,
                };
                true
            }
            // What was under way when it opened tells nothing new.
            State::Down { trying: false, .. } => false,
            State::Down {
                next,
                interval,
                trying,
                ..
            } => {
                *trying = false;
                *interval = (*interval * 2).min(LONGEST);
                *next = now + *interval;
                false
            }
        }
    }

    /// The one that tried was not sent after all.
    pub fn abandoned(&mut self) {
        if let State::Down { trying, .. } = &mut self.state {
            *trying = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_answer_closes_it() {
        let mut circuit = Circuit::new(3, seconds(300));
        assert!(!circuit.failed(seconds(1)));
        assert!(!circuit.heard());
        assert!(!circuit.failed(seconds(2)));
        assert!(!circuit.failed(seconds(2)));
        assert!(circuit.failed(seconds(2)));
        assert!(!circuit.failed(seconds(2)), "only once");
        assert_eq!(circuit.passage(seconds(2)), Passage::Wait(seconds(1)));
        assert_eq!(circuit.passage(seconds(3)), Passage::Try);
        assert!(
            matches!(circuit.passage(seconds(3)), Passage::Wait(_)),
            "one at a time"
        );
        assert!(circuit.heard());
        assert_eq!(circuit.passage(seconds(3)), Passage::Go);
    }

    #[test]
    fn tries_come_at_growing_intervals_until_the_patience_ends() {
        let mut circuit = Circuit::new(1, seconds(300));
        let (mut now, mut tries) = (seconds(0), Vec::new());
        circuit.failed(now);
        loop {
            match circuit.passage(now) {
                Passage::Try => {
                    tries.push(now.as_secs());
                    circuit.failed(now);
                }
                Passage::Wait(wait) => now += wait,
                Passage::GiveUp => break,
                Passage::Go => unreachable!(),
            }
        }
        assert_eq!(tries[..7], [1, 3, 7, 15, 31, 61, 91]);
        assert_eq!(now, seconds(300));
    }

    #[test]
    fn without_patience_it_gives_up_at_once() {
        let mut circuit = Circuit::new(1, Duration::ZERO);
        circuit.failed(seconds(5));
        assert_eq!(circuit.passage(seconds(5)), Passage::GiveUp);
    }
}
