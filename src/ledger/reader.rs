//! Looking into a ledger without holding it: while a run writes to it, and after one was killed.

use std::path::{Path, PathBuf};

use super::RunRow;
use super::account::describe;
use super::error::LedgerError;
use super::lock::Holder;
use super::schema;
use super::state::{Entry, State};
use super::store::{Fault, Store};
use crate::record::KeyHash;

/// A ledger that is only read. What a run commits meanwhile is seen by the next question.
pub struct Reader {
    store: Store,
    path: PathBuf,
    target: String,
    base_url: String,
    account: Option<String>,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Opens a ledger to look into it. No lock is taken and nothing is written.
    ///
    /// # Errors
    /// `Missing`, `Newer`, `Damaged`, or it cannot be read.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let db = schema::look(path)?;
        let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
        let target = schema::fact(&db, "target")
            .map_err(sql)?
            .unwrap_or_default();
        let base_url = schema::fact(&db, "base_url")
            .map_err(sql)?
            .unwrap_or_default();
        let account = schema::fact(&db, "account_name").map_err(sql)?;
        Ok(Self {
            store: Store::new(db, String::new()),
            path: path.to_path_buf(),
            target,
            base_url,
            account,
        })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The target's name.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// Where it sends: the base URL, or `sandbox:` and the target's name.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// The name that `--account` gave.
    pub fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// Whose it is, in words.
    pub fn describe(&self) -> String {
        describe(&self.target, &self.base_url, self.account.as_deref())
    }

    /// Who holds it now, if anybody does.
    pub fn holder(&self) -> Option<Holder> {
        Holder::of(&self.path)
    }

    /// All runs, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn runs(&self) -> Result<Vec<RunRow>, LedgerError> {
        self.store.runs().map_err(|fault| self.error(fault))
    }

    /// All that is kept of a run, as JSON: with what [`Reader::runs`] leaves out for its length.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn kept(&self, run: &str) -> Result<Option<String>, LedgerError> {
        self.store.kept(run).map_err(|fault| self.error(fault))
    }

    /// How many rows this run touched last, by state: what is known of a run that did not end.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn touched(&self, run: &str) -> Result<Vec<(State, u64)>, LedgerError> {
        self.store.touched(run).map_err(|fault| self.error(fault))
    }

    /// All rows whose attempts are of unknown fate, the oldest first.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn unsettled(&mut self) -> Result<Vec<(KeyHash, Entry)>, LedgerError> {
        let found = self.store.outstanding();
        found.map_err(|fault| self.error(fault))
    }

    /// What is known of the rows with this number, of whatever input and run.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn of_row(&mut self, row: u64) -> Result<Vec<(KeyHash, Entry)>, LedgerError> {
        let found = self.store.of_row(row);
        found.map_err(|fault| self.error(fault))
    }

    fn error(&self, fault: Fault) -> LedgerError {
        match fault {
            Fault::Sql(error) => LedgerError::sqlite(&self.path, &error),
            Fault::Bug(text) => LedgerError::Bug(text),
        }
    }
}
