//! Sending: pace, retries, requests under way, look-ups; the HTTP client.
//!
//! A row's way through here is told by [`carry`]; what an answer means is decided by
//! [`crate::target::answer`]; what the ledger allows by [`crate::ledger`].

mod attempt;
pub mod auth;
mod batch;
mod carry;
mod change;
pub mod client;
pub mod discover;
mod dispatch;
mod doubt;
mod find;
pub mod pace;
mod pages;
mod settle;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};

use tokio::sync::{Mutex, watch};

use self::auth::Credentials;
pub use self::carry::UPDATE_ONLY;
use self::client::Client;
use self::find::ListIndex;
use self::pace::Pace;
use crate::ledger::{Entry, Ledger, MappingId};
use crate::record::{Body, Existing, Fate, KeyHash, Uncertain};
use crate::target::Target;
use crate::target::answer::Refusal;

/// One row to be sent.
#[derive(Debug, Clone)]
pub struct Job {
    /// Its place in the order of the run.
    pub sequence: u64,
    /// The row's number in its input.
    pub row: u64,
    /// The key as shown.
    pub key: Arc<str>,
    /// Its hash.
    pub key_hash: KeyHash,
    /// What would be sent.
    pub body: Body,
    /// What the ledger knew of the key before the run.
    pub entry: Option<Entry>,
}

/// What became of a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Carried {
    /// Its place in the order of the run.
    pub sequence: u64,
    /// Its fate.
    pub fate: Fate,
    /// The record's id.
    pub id: Option<String>,
    /// Why, in a few words.
    pub note: String,
    /// What the target said, where it refused.
    pub refusal: Option<Refusal>,
    /// The code of the issue, where it is none of the target's: `lookup.ambiguous`, `existing`, …
    pub code: Option<&'static str>,
}

/// What a run is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How often a row may be sent where attempts fail; 429 costs none.
    pub attempts: u32,
    /// Requests under way at once.
    pub concurrency: usize,
    /// What is done where the target has it already.
    pub existing: Existing,
    /// What is done where nobody knows.
    pub uncertain: Uncertain,
    /// The run's name.
    pub run: Arc<str>,
    /// The mapping file.
    pub mapping: MappingId,
    /// Whether it names a space of keys.
    pub space: bool,
    /// The account's hash, part of idempotency keys.
    pub account: [u8; 32],
}

/// Why a run stops before its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Halt {
    /// The target gives no answer.
    Down(String),
    /// It does not let us in.
    NotAuthorised(String),
    /// It says that no row can pass.
    Fatal(String),
    /// A quota is used up.
    Quota(String),
    /// What is sent can no longer be recorded.
    Ledger(String),
    /// More rows were refused than the mapping allows.
    StopAfter(String),
    /// An input can no longer be read, a file of ours not be written, a request not be made.
    Broken(String),
    /// A signal; its number.
    Signal(i32),
}

impl Halt {
    /// The reason as a sentence.
    pub fn says(&self) -> String {
        match self {
            Halt::Down(why) => format!("the target is down: {why}"),
            Halt::NotAuthorised(why) => format!("the target does not let us in: {why}"),
            Halt::Fatal(why) => format!("the target refuses everything: {why}"),
            Halt::Quota(why) | Halt::Ledger(why) | Halt::StopAfter(why) | Halt::Broken(why) => {
                why.clone()
            }
            Halt::Signal(2) => "interrupted".to_owned(),
            Halt::Signal(_) => "terminated".to_owned(),
        }
    }
}

/// What was sent, for the summary; shared and counted as it happens.
#[derive(Debug, Default)]
pub struct Counters {
    /// Requests that carried rows, repetitions included.
    pub sent: AtomicU64,
    /// Attempts of a row after its first.
    pub retried: AtomicU64,
    /// Answers 429.
    pub limited: AtomicU64,
    /// Look-ups, reads and list pages.
    pub lookups: AtomicU64,
}

/// Sends the rows of one run.
#[derive(Debug)]
pub struct Uploader {
    target: Arc<Target>,
    client: Client,
    credentials: Credentials,
    ledger: Ledger,
    pace: Pace,
    settings: Settings,
    /// What was sent so far.
    pub counters: Counters,
    halt: watch::Sender<Option<Halt>>,
    notes: StdMutex<Vec<String>>,
    doubts: StdMutex<doubt::Doubts>,
    list: Mutex<Option<ListIndex>>,
    answered: AtomicBool,
    forbidden: AtomicU32,
    failures: AtomicU32,
}

/// What an [`Uploader`] is made of.
#[derive(Debug)]
pub struct Parts {
    /// The API.
    pub target: Arc<Target>,
    /// How it is reached.
    pub client: Client,
    /// How it knows us.
    pub credentials: Credentials,
    /// Where everything is recorded.
    pub ledger: Ledger,
    /// How fast.
    pub pace: Pace,
    /// What the run is told.
    pub settings: Settings,
}

impl Uploader {
    /// An uploader; nothing is sent yet.
    pub fn new(parts: Parts) -> Self {
        let Parts {
            target,
            client,
            credentials,
            ledger,
            pace,
            settings,
        } = parts;
        Self {
            target,
            client,
            credentials,
            ledger,
            pace,
            settings,
            counters: Counters::default(),
            halt: watch::Sender::new(None),
            notes: StdMutex::default(),
            doubts: StdMutex::default(),
            list: Mutex::new(None),
            answered: AtomicBool::new(false),
            forbidden: AtomicU32::new(0),
            failures: AtomicU32::new(0),
        }
    }

    /// Stops the run; the first reason stays.
    pub fn stop(&self, why: Halt) {
        self.halt.send_if_modified(|halt| {
            let first = halt.is_none();
            if first {
                *halt = Some(why);
            }
            first
        });
    }

    /// Why the run stops, if it does.
    pub fn stopped(&self) -> Option<Halt> {
        self.halt.borrow().clone()
    }

    /// What a person should know about this run, beside its rows.
    pub fn notes(&self) -> Vec<String> {
        self.notes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    fn note(&self, text: String) {
        let mut notes = self.notes.lock().unwrap_or_else(PoisonError::into_inner);
        if !notes.contains(&text) {
            notes.push(text);
        }
    }
}

impl Carried {
    /// A row that was not begun.
    pub fn pending(sequence: u64) -> Self {
        Self::new(sequence, Fate::Pending, "")
    }

    /// A row that the run came to a stop before: pending, unless an earlier run's attempt is open.
    pub fn not_begun(job: &Job) -> Self {
        let open = job
            .entry
            .as_ref()
            .is_some_and(|entry| entry.state.is_unsettled());
        match open {
            true => Self::new(
                job.sequence,
                Fate::Uncertain,
                "an earlier run sent it without an answer, and this run stopped before it could be looked up",
            )
            .code("target.unknown"),
            false => Self::pending(job.sequence),
        }
    }

    fn new(sequence: u64, fate: Fate, note: impl Into<String>) -> Self {
        Self {
            sequence,
            fate,
            id: None,
            note: note.into(),
            refusal: None,
            code: None,
        }
    }

    fn id(mut self, id: Option<String>) -> Self {
        self.id = id;
        self
    }

    fn refusal(mut self, refusal: Refusal) -> Self {
        self.refusal = Some(refusal);
        self
    }

    fn code(mut self, code: &'static str) -> Self {
        self.code = Some(code);
        self
    }
}

impl Counters {
    /// Counts one.
    fn count(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
