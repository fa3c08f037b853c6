//! The handle that the other rooms hold: verbs in, answers out, whatever thread or task asks.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use tokio::sync::{Semaphore, oneshot};

use super::account::Account;
use super::error::LedgerError;
use super::lock::Lock;
use super::schema::{self, Whose};
use super::state::{Entry, Found, Intent, Outcome, State};
use super::store::Store;
use super::writer::{Command, Reply, Spent, Writer};
use super::{MappingId, minute, now_ms};
use crate::record::KeyHash;

/// The most commands of async callers that wait at once.
const ASYNC_DEPTH: usize = 512;
/// The queue's length. Every blocking caller waits for its answer, so the rest is theirs: an async
/// caller, who has a permit, finds room.
const DEPTH: usize = 1024;

/// What is needed to open a ledger.
#[derive(Clone)]
pub struct Open {
    /// The file; it and its folder are made where they are missing.
    pub path: PathBuf,
    /// Whose it must be.
    pub account: Account,
    /// The long-lived secret, where there is one. Only a salted fingerprint of it is kept.
    pub secret: Option<Vec<u8>>,
    /// Whether another secret than the last run's is fine.
    pub same_account: bool,
    /// What the lock file says of this process, and the list of runs of this run.
    pub command: String,
}

/// What a run reads and where it sends.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunInfo {
    /// The input, as given.
    pub input: String,
    /// The mapping file, as given.
    pub mapping: String,
    /// The target's name.
    pub target: String,
    /// The base URL.
    pub base_url: String,
    /// The inputs' canonical paths; empty where one of them is no file, or a reject file that was
    /// handed back.
    pub inputs: Vec<String>,
    /// The mapping file's canonical path.
    pub mapping_path: String,
}

/// A run that the ledger remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunRow {
    /// Its name, a ULID.
    pub run: String,
    /// When it began; milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended; `None` if it was killed, or is still at work.
    pub ended_ms: Option<i64>,
    /// Its exit code.
    pub exit: Option<u8>,
    /// The command.
    pub command: String,
    /// The input, as given.
    pub input: String,
    /// The mapping file, as given.
    pub mapping: String,
    /// The target's name.
    pub target: String,
    /// The base URL.
    pub base_url: String,
    /// Rows by fate, in the order of `Fate::ALL`; `None` if it did not end.
    pub fates: Option<[u64; 8]>,
    /// The inputs' canonical paths, where they are known.
    pub inputs: Vec<String>,
    /// The mapping file's canonical path, where it is known.
    pub mapping_path: Option<String>,
    /// What it came to, as JSON without anything of a customer's, and without `page`, which is
    /// long: [`super::Reader::kept`] gives it all.
    pub summary: Option<String>,
}

/// Rows that are at the target, or may be, and were not asked for by this run though it read the
/// inputs that they came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Left {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub rows: Vec<LeftRow>,
}

/// A row that is no longer in its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftRow {
    /// Its number in the file when it was last sent.
    pub row: u64,
    /// The run that last touched it.
    pub run: Arc<str>,
    /// The record's id at the target.
    pub id: Option<String>,
    /// Whether nobody knows what became of its last attempt.
    pub unsettled: bool,
}

/// Requests that were counted against the quotas before they left.
#[derive(Debug)]
pub struct Spending {
    minute: i64,
    requests: u32,
}

/// An open ledger. Clones share it; it is closed by `close`, or when the last clone is dropped.
#[derive(Clone)]
pub struct Ledger {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger")
            .field("path", &self.inner.path)
            .finish_non_exhaustive()
    }
}

struct Inner {
    path: PathBuf,
    queue: Option<SyncSender<Command>>,
    permits: Semaphore,
    spent: Arc<Spent>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.queue = None;
        let thread = self
            .thread
            .get_mut()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread {
            // So that the lock is free when the last handle is gone.
            let _ = thread.join();
        }
    }
}

/// Opens the ledger, or makes it, and takes its lock.
///
/// # Errors
/// See [`LedgerError`]: another account's, another secret, held by another run, a newer format, damaged,
/// read-only, no space. In none of these cases was the file changed.
pub fn open(open: Open) -> Result<Ledger, LedgerError> {
    open_as(open, Whose::Accounts)
}

/// Opens a ledger that is there, whosever it is, and takes its lock: for what a person found out,
/// which needs neither target nor secret. `command`: what the lock says of this process.
///
/// # Errors
/// As [`open`]; `Missing` if there is none.
pub fn reopen(path: &Path, command: String) -> Result<Ledger, LedgerError> {
    if !path.exists() {
        return Err(LedgerError::Missing {
            path: path.to_path_buf(),
        });
    }
    let open = Open {
        path: path.to_path_buf(),
        account: Account::default(),
        secret: None,
        same_account: false,
        command,
    };
    open_as(open, Whose::Anyones)
}

fn open_as(open: Open, whose: Whose) -> Result<Ledger, LedgerError> {
    let path = open.path.clone();
    make_folder(&path)?;
    let mut lock = Lock::take(&path, &open.command)?;
    let db = schema::connect(&open, whose, lock.made())?;
    lock.set_made(&open.command);
    let spent = Arc::new(Spent::new(BTreeMap::new()));
    let store = Store::new(db, open.command);
    let writer = Writer::new(store, path.clone(), Arc::clone(&spent), lock);
    let (queue, receiver) = sync_channel(DEPTH);
    let thread = std::thread::Builder::new()
        .name("ledger".to_owned())
        .spawn(move || writer.run(&receiver))
        .map_err(|error| LedgerError::io(&path, &error))?;
    Ok(Ledger {
        inner: Arc::new(Inner {
            path,
            queue: Some(queue),
            permits: Semaphore::new(ASYNC_DEPTH),
            spent,
            thread: Mutex::new(Some(thread)),
        }),
    })
}

/// Makes the ledger's folder, readable by its owner only; one that is there stays as it is.
fn make_folder(path: &Path) -> Result<(), LedgerError> {
    let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    else {
        return Ok(());
    };
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder
        .create(folder)
        .map_err(|error| LedgerError::io(path, &error))
}

impl Ledger {
    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    /// Notes that a run begins; gives its name, a ULID. Waits until it is durable.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn begin_run(&self, info: RunInfo) -> Result<String, LedgerError> {
        self.ask(|reply| Command::Begin(info, reply))
    }

    /// Notes how a run ended: its exit code, and its rows by fate in the order of `Fate::ALL`.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end_run(&self, run: &str, exit: u8, fates: [u64; 8]) -> Result<(), LedgerError> {
        self.ask(|reply| Command::End(run.to_owned(), exit, fates, None, reply))
    }

    /// As `end_run`, with what the run came to as JSON: never a secret or a customer's value.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn end_run_with(
        &self,
        run: &str,
        exit: u8,
        fates: [u64; 8],
        summary: String,
    ) -> Result<(), LedgerError> {
        self.ask(|reply| Command::End(run.to_owned(), exit, fates, Some(summary), reply))
    }

    /// What is known of these keys, in their order. Sees everything that was asked for before it.
    ///
    /// # Errors
    /// The file cannot be read, or what was queued before cannot be written.
    pub fn known(&self, keys: &[KeyHash]) -> Result<Vec<Option<Entry>>, LedgerError> {
        self.ask(|reply| Command::Known(keys.to_vec(), reply))
    }

    /// Notes that requests are about to leave, all of them or none. Nothing may leave before this
    /// returns `Ok`: then it is durable. An intent covers repeated attempts as long as each was
    /// certainly not carried out; after an attempt of unknown fate each repetition needs its own.
    ///
    /// # Errors
    /// The file cannot be written: then, and ever after, nothing may be sent. `Bug`: one of them could
    /// make a second record.
    pub async fn about_to_send(&self, intents: Vec<Intent>) -> Result<(), LedgerError> {
        self.ask_async(|reply| Command::Intend(intents, reply))
            .await
    }

    /// Notes what became of rows, all of them or none; durable when it returns. Gives the states that
    /// they are in now: `NotSent` and `Failed` become `Uncertain` where an earlier attempt is still
    /// open, since what became of the last one says nothing about it. What a look-up, a keyed update or
    /// a person found not to be there is `Absent`. Where a refusal shows that the earlier attempt was
    /// not carried out either (an idempotency key), settle the row as `Absent`, then as `Failed`; both
    /// may stand in one call, in this order.
    ///
    /// # Errors
    /// The file cannot be written: the rows are outstanding. `Bug`: a forbidden step.
    pub async fn settle(&self, outcomes: Vec<Outcome>) -> Result<Vec<State>, LedgerError> {
        self.ask_async(|reply| Command::Settle(outcomes, reply))
            .await
    }

    /// As `settle`, by what a person wrote into a file of this content (BLAKE3) beside one row: a word
    /// counts once, and `false` says that it was used before and nothing was noted. It is used up
    /// together with what it says, so that it is neither lost nor used again after a crash.
    ///
    /// # Errors
    /// The file cannot be written. `Bug`: a forbidden step.
    pub fn settle_by_word(
        &self,
        file: [u8; 32],
        outcomes: Vec<Outcome>,
    ) -> Result<bool, LedgerError> {
        self.ask(|reply| Command::Word(file, outcomes, reply))
    }

    /// Notes records that were found at the target before anything was sent, and are left alone
    /// (state `Existing`); durable when it returns.
    ///
    /// # Errors
    /// The file cannot be written. `Bug`: a forbidden step.
    pub async fn found(&self, found: Vec<Found>) -> Result<(), LedgerError> {
        self.ask_async(|reply| Command::Found(found, reply)).await
    }

    /// All rows whose attempts are of unknown fate, the oldest first, but for those that the run begun
    /// last by this handle has touched itself.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn outstanding(&self) -> Result<Vec<(KeyHash, Entry)>, LedgerError> {
        self.ask(Command::Outstanding)
    }

    /// The rows that an earlier run of this mapping sent from inputs that are among these (canonical
    /// paths), and that nobody has asked `known` for since this handle was opened: they are no longer
    /// in the files. One pass over the whole ledger, to be asked for when all rows were read.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn left(&self, mapping: MappingId, inputs: Vec<String>) -> Result<Left, LedgerError> {
        self.ask(|reply| Command::Left(mapping, inputs, reply))
    }

    /// The key for which the ledger holds this id of the target.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn owner_of(&self, id: &str) -> Result<Option<KeyHash>, LedgerError> {
        self.ask(|reply| Command::Owner(id.to_owned(), reply))
    }

    /// The same as `owner_of`, for async callers.
    ///
    /// # Errors
    /// The file cannot be read.
    pub async fn owner_of_async(&self, id: &str) -> Result<Option<KeyHash>, LedgerError> {
        self.ask_async(|reply| Command::Owner(id.to_owned(), reply))
            .await
    }

    /// Counts requests against the quotas, at once and without waiting. Written down with the next
    /// commit: counted before `about_to_send`, none is missing after a crash. What of it does not
    /// leave in the end is to be given to `not_spent`.
    pub fn spent(&self, requests: u32) -> Spending {
        let spending = Spending {
            minute: minute(now_ms()),
            requests,
        };
        self.count(spending.minute, i64::from(requests));
        spending
    }

    /// Takes requests back that were counted and never left.
    pub fn not_spent(&self, spending: Spending) {
        self.count(spending.minute, -i64::from(spending.requests));
    }

    fn count(&self, minute: i64, requests: i64) {
        let mut spent = self
            .inner
            .spent
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *spent.entry(minute).or_default() += requests;
    }

    /// The requests that all runs counted since then (milliseconds since 1970): each minute's start
    /// and number, the oldest first; the minute of that moment counts whole.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn spent_since(&self, since_ms: i64) -> Result<Vec<(i64, u64)>, LedgerError> {
        self.ask(|reply| Command::Spent(since_ms, reply))
    }

    /// Remembers the content of a file that we wrote, by its BLAKE3 hash.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn remember_file(&self, path: &Path, hash: [u8; 32]) -> Result<(), LedgerError> {
        self.ask(|reply| Command::Remember(path_bytes(path), hash, reply))
    }

    /// The hash of what we last wrote to this path.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn file_hash(&self, path: &Path) -> Result<Option<[u8; 32]>, LedgerError> {
        self.ask(|reply| Command::FileHash(path_bytes(path), reply))
    }

    /// Notes something learned for later runs, such as a pace; never a secret or a customer's value.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn note(&self, name: &str, value: &str) -> Result<(), LedgerError> {
        self.ask(|reply| Command::Note(name.to_owned(), value.to_owned(), reply))
    }

    /// What was noted under this name.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn noted(&self, name: &str) -> Result<Option<String>, LedgerError> {
        self.ask(|reply| Command::Noted(name.to_owned(), reply))
    }

    /// All runs, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        self.ask(Command::Runs)
    }

    /// Writes down what is left, folds the -wal into the file and lets go of the lock. Other clones
    /// of this handle are of no use afterwards.
    ///
    /// # Errors
    /// The file cannot be written, now or at some time before.
    pub fn close(self) -> Result<(), LedgerError> {
        self.ask(Command::Close)
    }

    #[cfg(test)]
    pub(super) fn sql(&self, text: &str) -> Result<(), LedgerError> {
        self.ask(|reply| Command::Sql(text.to_owned(), reply))
    }

    fn closed(&self) -> LedgerError {
        LedgerError::Closed {
            path: self.inner.path.clone(),
        }
    }

    fn push(&self, command: Command) -> Result<(), LedgerError> {
        let queue = self.inner.queue.as_ref().ok_or_else(|| self.closed())?;
        queue.send(command).map_err(|_| self.closed())
    }

    fn ask<T>(&self, command: impl FnOnce(Reply<T>) -> Command) -> Result<T, LedgerError> {
        let (reply, answer) = sync_channel(1);
        self.push(command(Reply::Sync(reply)))?;
        answer.recv().map_err(|_| self.closed())?
    }

    async fn ask_async<T>(
        &self,
        command: impl FnOnce(Reply<T>) -> Command,
    ) -> Result<T, LedgerError> {
        let _permit = self
            .inner
            .permits
            .acquire()
            .await
            .map_err(|_| self.closed())?;
        let (reply, answer) = oneshot::channel();
        self.push(command(Reply::Async(reply)))?;
        answer.await.map_err(|_| self.closed())?
    }
}

/// A path's bytes, whatever its encoding.
fn path_bytes(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}
