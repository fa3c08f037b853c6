//! What becomes of a row: a prepared body with key and hash, then one fate.

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::issue::Issue;
use crate::row::RowPlace;

/// The hash of a row's key within its space of keys; 128 bits of BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash(pub [u8; 16]);

/// The hash of a body's content, whatever the order of its members; 128 bits of BLAKE3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BodyHash(pub [u8; 16]);

impl fmt::Display for KeyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// What finally became of a row. Every row has exactly one at the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Fate {
    /// The target confirmed that it made the record; in a check: it would be sent.
    Created,
    /// The target confirmed a change of its record.
    Updated,
    /// The same body was sent before, or the target has it and is to be left alone.
    Unchanged,
    /// Left out by a rule: `skip_when`, a duplicate, a change that the policy does not send.
    Skipped,
    /// Our own checks refuse it.
    Rejected,
    /// The target refused it.
    Failed,
    /// Sent, and nobody can say whether it was carried out.
    Uncertain,
    /// Not sent: the run stopped, or only some rows were asked for.
    Pending,
}

impl Fate {
    /// All fates in the order of the summary.
    pub const ALL: [Fate; 8] = [
        Fate::Created,
        Fate::Updated,
        Fate::Unchanged,
        Fate::Skipped,
        Fate::Rejected,
        Fate::Failed,
        Fate::Uncertain,
        Fate::Pending,
    ];

    /// The word in files and summaries.
    pub fn name(self) -> &'static str {
        match self {
            Fate::Created => "created",
            Fate::Updated => "updated",
            Fate::Unchanged => "unchanged",
            Fate::Skipped => "skipped",
            Fate::Rejected => "rejected",
            Fate::Failed => "failed",
            Fate::Uncertain => "uncertain",
            Fate::Pending => "pending",
        }
    }

    /// Whether the row belongs in the reject file.
    pub fn is_reject(self) -> bool {
        matches!(self, Fate::Rejected | Fate::Failed | Fate::Uncertain)
    }
}

impl fmt::Display for Fate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What becomes of a row that the target has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Existing {
    /// The target is not asked; the row is sent as a new customer.
    #[default]
    Create,
    /// The customer is left as it is.
    Skip,
    /// The customer is changed.
    Update,
    /// The row is refused.
    Reject,
}

/// What becomes of a row of which nobody can say whether the target made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Uncertain {
    /// It waits until a person decides.
    #[default]
    Hold,
    /// It is sent again, so that the customer may be there twice.
    Resend,
}

/// A body that passed all checks and can be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Body {
    /// The record as JSON text, without the envelope that the target's requests put around it.
    pub json: Box<str>,
    /// Hash of its content.
    pub hash: BodyHash,
    /// A field is empty that a new record must have: the row can change a record that the target
    /// has, and make none.
    pub update_only: bool,
}

/// What the plan makes of one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    /// It can be sent.
    Send(Body),
    /// Left out on purpose: the rule (`skip_when`, `duplicate`) and a sentence.
    Skip(&'static str, String),
    /// Refused; the issues say why.
    Reject,
}

/// One row after mapping and validation.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// Index of the row within its batch.
    pub index: usize,
    /// The row's number as a spreadsheet program counts it.
    pub row: u64,
    /// The sheet that it is of, where several sheets are read.
    pub sheet: Option<Arc<str>>,
    /// The physical line, for CSV.
    pub line: Option<u64>,
    /// The key as the file shows it, its parts joined by ` / `; empty where there is none.
    pub key: Arc<str>,
    /// The key's hash; `None` where the key is empty.
    pub key_hash: Option<KeyHash>,
    /// What is to be done.
    pub plan: Plan,
    /// Errors and warnings.
    pub issues: Vec<Issue>,
}

/// One row with its fate, as results and reject files and the summary take it.
#[derive(Debug, Clone, PartialEq)]
pub struct Settled {
    /// The row's number as a spreadsheet program counts it.
    pub row: u64,
    /// The sheet that it is of, where several sheets are read.
    pub sheet: Option<Arc<str>>,
    /// The physical line, for CSV.
    pub line: Option<u64>,
    /// The key as the file shows it.
    pub key: Arc<str>,
    /// What became of it.
    pub fate: Fate,
    /// The record's id at the target, where known.
    pub id: Option<Arc<str>>,
    /// The run that settled it, where one did.
    pub run: Option<Arc<str>>,
    /// The rule that skipped it, the reason in a few words, or the warnings.
    pub note: String,
    /// Errors and warnings.
    pub issues: Vec<Issue>,
}

impl Settled {
    /// Where the row stands.
    pub fn place(&self) -> RowPlace<'_> {
        RowPlace::new(self.sheet.as_deref(), self.row)
    }
}
