//! The one thread that touches the file: it takes what has queued up, does it in one transaction,
//! syncs once, and only then answers all who wait.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::error::LedgerError;
use super::lock::{Lock, beside, lock_path};
use super::state::{Entry, Found, Intent, Outcome, State};
use super::store::{Fault, Store};
use super::{Left, MappingId, RunInfo, RunRow};
use crate::fault::{self, Point};
use crate::record::KeyHash;

/// The most commands in one transaction.
const GROUP: usize = 256;

/// Requests sent and not yet written down, by minute since 1970; less than none where more were taken
/// back than counted since the last commit.
pub(super) type Spent = Mutex<BTreeMap<i64, i64>>;

/// Where an answer goes: to an async caller or to a waiting thread.
pub(super) enum Reply<T> {
    Async(oneshot::Sender<Result<T, LedgerError>>),
    Sync(SyncSender<Result<T, LedgerError>>),
}

impl<T> Reply<T> {
    fn send(self, answer: Result<T, LedgerError>) {
        // Who no longer waits needs no answer.
        match self {
            Self::Async(reply) => drop(reply.send(answer)),
            Self::Sync(reply) => drop(reply.send(answer)),
        }
    }
}

/// What the writer is asked for.
pub(super) enum Command {
    Begin(RunInfo, Reply<String>),
    End(String, u8, [u64; 8], Option<String>, Reply<()>),
    Left(MappingId, Vec<String>, Reply<Left>),
    Known(Vec<KeyHash>, Reply<Vec<Option<Entry>>>),
    Intend(Vec<Intent>, Reply<()>),
    Settle(Vec<Outcome>, Reply<Vec<State>>),
    Word([u8; 32], Vec<Outcome>, Reply<bool>),
    Found(Vec<Found>, Reply<()>),
    Outstanding(Reply<Vec<(KeyHash, Entry)>>),
    Owner(String, Reply<Option<KeyHash>>),
    Spent(i64, Reply<Vec<(i64, u64)>>),
    Remember(Vec<u8>, [u8; 32], Reply<()>),
    FileHash(Vec<u8>, Reply<Option<[u8; 32]>>),
    Note(String, String, Reply<()>),
    Noted(String, Reply<Option<String>>),
    Runs(Reply<Vec<RunRow>>),
    Close(Reply<()>),
    #[cfg(test)]
    Sql(String, Reply<()>),
}

/// A command that was carried out, or must be refused, once the transaction's end is known.
type Answer = Box<dyn FnOnce(Option<&LedgerError>) + Send>;

pub(super) struct Writer {
    store: Store,
    path: PathBuf,
    spent: Arc<Spent>,
    /// The file as it was when opened, its -wal and its lock: a deleted file takes writes that nobody
    /// finds, and a deleted lock keeps nobody out.
    identity: [Option<FileId>; 3],
    /// The first failure to write. From then on no intent is taken.
    poison: Option<LedgerError>,
    // Last, so that it is let go after the connection is closed.
    _lock: Lock,
}

impl Writer {
    pub(super) fn new(store: Store, path: PathBuf, spent: Arc<Spent>, lock: Lock) -> Self {
        let identity = identity(&path);
        Self {
            store,
            path,
            spent,
            identity,
            poison: None,
            _lock: lock,
        }
    }

    /// Works until it is told to close or nobody is left to ask.
    pub(super) fn run(mut self, queue: &Receiver<Command>) {
        let mut group = Vec::with_capacity(GROUP);
        while let Ok(first) = queue.recv() {
            group.push(first);
            while group.len() < GROUP
                && !matches!(group.last(), Some(Command::Close(_)))
                && let Ok(next) = queue.try_recv()
            {
                group.push(next);
            }
            let close = match group.pop() {
                Some(Command::Close(reply)) => Some(reply),
                Some(other) => {
                    group.push(other);
                    None
                }
                None => None,
            };
            self.carry_out(group.drain(..));
            if let Some(reply) = close {
                let result = self.finish();
                // The lock is free when the caller reads the answer.
                drop(self);
                reply.send(result);
                return;
            }
        }
        // Nobody is left to tell; what was acknowledged is safe without this.
        let _ = self.finish();
    }

    fn finish(&mut self) -> Result<(), LedgerError> {
        self.carry_out(std::iter::empty());
        if let Some(poison) = &self.poison {
            return Err(poison.clone());
        }
        self.store
            .db
            .query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(()))
            .map_err(|error| LedgerError::sqlite(&self.path, &error))
    }

    /// One transaction for all of them, one sync, then the answers.
    fn carry_out(&mut self, commands: impl Iterator<Item = Command>) {
        let mut answers: Vec<Answer> = Vec::new();
        let mut failure = self.sql("BEGIN IMMEDIATE").err();
        let spent = self.take_spent();
        if failure.is_none() {
            failure = self.write_spent(&spent).err();
        }
        for command in commands {
            self.one(command, &mut failure, &mut answers);
        }
        if failure.is_none() {
            fault::at(Point::CommitBefore);
            failure = self.sql("COMMIT").err().or_else(|| self.vanished());
            fault::at(Point::CommitAfter);
        }
        if let Some(error) = &failure {
            if !self.store.db.is_autocommit() {
                let _ = self.sql("ROLLBACK");
            }
            self.store.forget();
            self.give_back(spent);
            self.poison.get_or_insert_with(|| error.clone());
        }
        for answer in answers {
            answer(failure.as_ref());
        }
    }

    fn one(
        &mut self,
        command: Command,
        failure: &mut Option<LedgerError>,
        answers: &mut Vec<Answer>,
    ) {
        match command {
            Command::Begin(info, reply) => {
                self.step(failure, answers, reply, |store| store.begin_run(&info));
            }
            Command::End(run, exit, fates, summary, reply) => {
                self.step(failure, answers, reply, |store| {
                    store.end_run(&run, exit, &fates, summary.as_deref())
                });
            }
            Command::Left(mapping, inputs, reply) => {
                self.step(failure, answers, reply, |store| {
                    store.left(&mapping, &inputs)
                });
            }
            Command::Known(keys, reply) => {
                self.step(failure, answers, reply, |store| store.known(&keys));
            }
            Command::Intend(intents, reply) => match &self.poison {
                Some(poison) => reply.send(Err(poison.clone())),
                None => self.step(failure, answers, reply, |store| store.intend(&intents)),
            },
            Command::Settle(outcomes, reply) => {
                self.step(failure, answers, reply, |store| store.settle(&outcomes));
            }
            Command::Word(file, outcomes, reply) => {
                self.step(failure, answers, reply, |store| {
                    store.by_word(&file, &outcomes)
                });
            }
            Command::Found(found, reply) => {
                self.step(failure, answers, reply, |store| store.found(&found));
            }
            Command::Outstanding(reply) => {
                self.step(failure, answers, reply, Store::outstanding);
            }
            Command::Owner(id, reply) => {
                self.step(failure, answers, reply, |store| store.owner_of(&id));
            }
            Command::Spent(since, reply) => {
                self.step(failure, answers, reply, |store| store.spent_since(since));
            }
            Command::Remember(path, hash, reply) => {
                self.step(failure, answers, reply, |store| {
                    store.remember_file(&path, &hash)
                });
            }
            Command::FileHash(path, reply) => {
                self.step(failure, answers, reply, |store| store.file_hash(&path));
            }
            Command::Note(name, value, reply) => {
                self.step(failure, answers, reply, |store| store.note(&name, &value));
            }
            Command::Noted(name, reply) => {
                self.step(failure, answers, reply, |store| store.noted(&name));
            }
            Command::Runs(reply) => self.step(failure, answers, reply, |store| store.runs()),
            // The group ends before it.
            Command::Close(reply) => reply.send(Ok(())),
            #[cfg(test)]
            Command::Sql(text, reply) => {
                self.step(failure, answers, reply, |store| {
                    Ok(store.db.execute_batch(&text)?)
                });
            }
        }
    }

    /// Does one command inside the transaction; its answer waits for the commit. A forbidden step is
    /// undone alone, trouble with the file fails the whole transaction.
    fn step<T: Send + 'static>(
        &mut self,
        failure: &mut Option<LedgerError>,
        answers: &mut Vec<Answer>,
        reply: Reply<T>,
        work: impl FnOnce(&mut Store) -> Result<T, Fault>,
    ) {
        let result = match failure {
            Some(error) => Err(error.clone()),
            None => self.apart(work).unwrap_or_else(|error| {
                *failure = Some(error.clone());
                Err(error)
            }),
        };
        answers.push(Box::new(move |failure| match failure {
            Some(error) => reply.send(Err(error.clone())),
            None => reply.send(result),
        }));
    }

    /// The outer error is the file's, the inner one the program's.
    fn apart<T>(
        &mut self,
        work: impl FnOnce(&mut Store) -> Result<T, Fault>,
    ) -> Result<Result<T, LedgerError>, LedgerError> {
        self.sql("SAVEPOINT step")?;
        match work(&mut self.store) {
            Ok(value) => {
                self.sql("RELEASE step")?;
                Ok(Ok(value))
            }
            Err(Fault::Bug(text)) => {
                self.sql("ROLLBACK TO step")?;
                self.sql("RELEASE step")?;
                self.store.forget();
                Ok(Err(LedgerError::Bug(text)))
            }
            Err(Fault::Sql(error)) => Err(LedgerError::sqlite(&self.path, &error)),
        }
    }

    fn sql(&self, text: &'static str) -> Result<(), LedgerError> {
        self.store
            .db
            .prepare_cached(text)
            .and_then(|mut statement| statement.execute(()))
            .map(drop)
            .map_err(|error| LedgerError::sqlite(&self.path, &error))
    }

    fn take_spent(&self) -> BTreeMap<i64, i64> {
        std::mem::take(&mut *self.spent.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn give_back(&self, spent: BTreeMap<i64, i64>) {
        let mut open = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        for (minute, sent) in spent {
            *open.entry(minute).or_default() += sent;
        }
    }

    fn write_spent(&self, spent: &BTreeMap<i64, i64>) -> Result<(), LedgerError> {
        for (minute, sent) in spent {
            match self.store.count_requests(*minute, *sent) {
                Ok(()) => {}
                Err(Fault::Sql(error)) => return Err(LedgerError::sqlite(&self.path, &error)),
                Err(Fault::Bug(text)) => return Err(LedgerError::Bug(text)),
            }
        }
        Ok(())
    }

    fn vanished(&self) -> Option<LedgerError> {
        (identity(&self.path) != self.identity).then(|| LedgerError::Vanished {
            path: self.path.clone(),
        })
    }
}

#[cfg(unix)]
type FileId = (u64, u64);
#[cfg(not(unix))]
type FileId = ();

fn file_id(path: &std::path::Path) -> Option<FileId> {
    let file = std::fs::metadata(path).ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((file.dev(), file.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = file;
        Some(())
    }
}

fn identity(path: &std::path::Path) -> [Option<FileId>; 3] {
    [
        file_id(path),
        file_id(&beside(path, "-wal")),
        file_id(&lock_path(path)),
    ]
}
