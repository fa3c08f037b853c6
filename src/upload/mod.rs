//! Sending: pace, retries, requests under way, look-ups; the HTTP client.
//!
//! A row's way through here is told by [`carry`]; what an answer means is decided by
//! [`crate::target::answer`]; what the ledger allows by [`crate::ledger`].

mod attempt;
pub mod auth;
mod batch;
pub mod budget;
mod carry;
mod change;
pub mod circuit;
pub mod client;
pub mod concurrency;
pub mod discover;
mod dispatch;
mod doubt;
mod find;
mod hide;
pub mod pace;
mod pages;
mod settle;

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Semaphore, watch};

use self::auth::Credentials;
use self::budget::Budget;
pub use self::carry::UPDATE_ONLY;
use self::circuit::Circuit;
use self::client::Client;
use self::concurrency::Concurrency;
use self::find::ListIndex;
use self::pace::{Live, Pace};
use crate::ledger::{Entry, Ledger, LedgerError, MappingId};
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
    /// Hash of all that it is looked up by; filled in by the uploader.
    pub asked: Option<[u8; 16]>,
    /// Whether it comes from a reject file that was handed back.
    pub mended: bool,
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
    /// The most requests under way at once.
    pub concurrency: usize,
    /// How many may be under way at first, before it is known how the target takes it.
    pub concurrency_at_first: usize,
    /// How long a target that is down is waited for; by default less where it never answered.
    pub wait_down: Option<Duration>,
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
    /// Rows are left that could not be sent, or not be looked up, in this run.
    Left(String),
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
            Halt::Quota(why)
            | Halt::Ledger(why)
            | Halt::StopAfter(why)
            | Halt::Left(why)
            | Halt::Broken(why) => why.clone(),
            Halt::Signal(2) => "interrupted".to_owned(),
            Halt::Signal(_) => "terminated".to_owned(),
        }
    }
}

/// What happens while rows are sent, for whoever looks on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Happening {
    /// The target refused for pace.
    Limited,
    /// A row is sent once more.
    Retried,
    /// The target is down; it is waited for so long.
    Down(String, Duration),
    /// It answers again.
    Up,
}

/// Is told what happens.
pub struct Listener(pub Box<dyn Fn(Happening) + Send + Sync>);

impl Listener {
    /// One that does nothing.
    pub fn deaf() -> Self {
        Self(Box::new(|_| ()))
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Listener")
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
    began: Instant,
    concurrency: StdMutex<Concurrency>,
    budget: StdMutex<Budget>,
    circuit: StdMutex<Circuit>,
    /// Requests that left and have no answer yet.
    under_way: AtomicUsize,
    /// Rows that are recorded as about to be sent and wait for their turn: few, since each is one
    /// more to ask about after a crash.
    departures: Semaphore,
    /// The last thing that went wrong, for people.
    trouble: StdMutex<String>,
    /// Why the first row stayed pending that the run itself did not stop at.
    left: StdMutex<Option<String>>,
    listener: Listener,
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
    /// Who is told what happens meanwhile.
    pub listener: Listener,
}

/// So many failures in a row mean that the target is down.
const FAILURES: u32 = 5;

/// How long a target that is down is waited for, where it answered before in the run, and where it
/// never did: then its address may be wrong.
const PATIENCE: Duration = Duration::from_secs(300);
const PATIENCE_AT_FIRST: Duration = Duration::from_secs(10);

/// Rows that may be recorded as about to be sent before their turn: as many as leave while a slow
/// disk commits.
const COMMITTING: f64 = 0.05;

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
            listener,
        } = parts;
        let rate = pace.live().limit.unwrap_or(f64::INFINITY);
        let departing = (rate * COMMITTING).ceil().clamp(2.0, 32.0) as usize;
        let patience = settings.wait_down.unwrap_or(PATIENCE_AT_FIRST);
        Self {
            began: Instant::now(),
            concurrency: StdMutex::new(Concurrency::new(
                settings.concurrency_at_first,
                settings.concurrency,
            )),
            budget: StdMutex::new(Budget::new(Duration::ZERO)),
            circuit: StdMutex::new(Circuit::new(FAILURES, patience)),
            under_way: AtomicUsize::new(0),
            departures: Semaphore::new(departing),
            trouble: StdMutex::default(),
            left: StdMutex::default(),
            listener,
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

    /// Why a row was left pending though the run went on, if one was.
    pub fn left(&self) -> Option<String> {
        lock(&self.left).clone()
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

    /// Requests that may be under way at once, as far as is known by now.
    fn at_once(&self) -> usize {
        lock(&self.concurrency).limit()
    }

    /// How the pace goes.
    pub fn live(&self) -> Live {
        self.pace.live()
    }

    /// How many rows wait for their turn, beside those that are under way.
    pub fn outstanding(&self, waiting: u64) {
        let rows = waiting + self.at_once() as u64;
        let batch = self.target.create.batch.as_ref();
        let at_once = batch.map_or(1, |batch| batch.max.max(1) as u64);
        self.pace.outstanding(rows.div_ceil(at_once));
    }

    /// Notes for later runs what was learned of the target's limit.
    ///
    /// # Errors
    /// What the ledger says where it cannot be written.
    pub fn remember(&self) -> Result<(), LedgerError> {
        self.pace.remember()
    }
}

/// What a panic of another worker left behind is as good as before.
fn lock<T>(mutex: &StdMutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Uploader {
    /// A row that stays pending while the run goes on.
    fn left_pending(&self, job: &Job, why: String) -> Carried {
        lock(&self.left).get_or_insert_with(|| why.clone());
        Carried::new(job.sequence, Fate::Pending, why)
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
