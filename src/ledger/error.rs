//! What can be wrong with a ledger, each as a sentence that names the file and says what to do.

use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use super::lock::Holder;

/// Why the ledger cannot be used. Every variant but `Bug` is the environment's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The file belongs to another account (exit code 2).
    #[error(
        "the ledger {} belongs to {belongs}, but this import goes to {asked}; \
         leave out --ledger, or name another file", path.display()
    )]
    OtherAccount {
        /// The ledger.
        path: PathBuf,
        /// Whose it is, in words.
        belongs: String,
        /// Which account was asked for, in words.
        asked: String,
    },
    /// The long-lived secret is not the one of the last run (exit code 2).
    #[error(
        "the secret is another than the one last used with the ledger {}; add --same-account if it \
         was renewed for the same account, or --account NAME if it belongs to another one",
        path.display()
    )]
    OtherSecret {
        /// The ledger.
        path: PathBuf,
    },
    /// Another run holds it (exit code 75).
    #[error("the ledger {} is in use by {holder}; wait for it to end, then run this again", path.display())]
    Locked {
        /// The ledger.
        path: PathBuf,
        /// Who holds it, as far as it says.
        holder: Holder,
    },
    /// Written by a later version of the program (exit code 2).
    #[error(
        "the ledger {} has format {found}, this rowferry knows formats up to {known}; use the \
         version that wrote it, or a later one", path.display()
    )]
    Newer {
        /// The ledger.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The last format that this program knows.
        known: i64,
    },
    /// Not a ledger, or a broken one.
    #[error(
        "the ledger {} cannot be read: {detail}; restore it from a backup. Do not simply delete it: it \
         knows what was already sent", path.display()
    )]
    Damaged {
        /// The ledger.
        path: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// The file or its folder cannot be written to.
    #[error(
        "the ledger {} cannot be written: the file or its folder is read-only; change its \
         permissions, or name another file with --ledger", path.display()
    )]
    ReadOnly {
        /// The ledger.
        path: PathBuf,
    },
    /// No space is left.
    #[error(
        "the ledger {} cannot be written: the disk is full; make room and run this again, nothing \
         is sent that cannot be recorded", path.display()
    )]
    DiskFull {
        /// The ledger.
        path: PathBuf,
    },
    /// The file was deleted or replaced while the program used it.
    #[error(
        "the ledger {} was deleted, moved or replaced while it was in use; put it back with its \
         -wal file if you can, and run this again", path.display()
    )]
    Vanished {
        /// The ledger.
        path: PathBuf,
    },
    /// It was there before, and is not any more: what was sent would be sent again (exit code 2).
    #[error(
        "the ledger {} is gone, though {} is still there; put it back from where it was moved or \
         from a backup, because it knows what was already sent. If you mean to begin anew, and \
         nothing of what was sent before would be sent again, delete {} too",
        path.display(), witness.display(), witness.display()
    )]
    Gone {
        /// The ledger.
        path: PathBuf,
        /// The file beside it that shows that it was there.
        witness: PathBuf,
    },
    /// A ledger was named that is not there (exit code 2).
    #[error("there is no ledger {}; see that its name is right", path.display())]
    Missing {
        /// The ledger.
        path: PathBuf,
    },
    /// Neither a state folder nor a home folder is known.
    #[error(
        "there is no place for the ledger: neither XDG_STATE_HOME nor HOME names a folder; set one, \
         or name a file with --ledger"
    )]
    NoHome,
    /// Any other trouble of the operating system or of SQLite.
    #[error(
        "the ledger {} cannot be used: {detail}; see that its disk is well and that the file may be \
         read and written, then run this again", path.display()
    )]
    Io {
        /// The ledger.
        path: PathBuf,
        /// The system's words.
        detail: String,
    },
    /// It was closed before.
    #[error("the ledger {} was already closed", path.display())]
    Closed {
        /// The ledger.
        path: PathBuf,
    },
    /// The program asked for a step that the table of states forbids; nothing was written.
    #[error("a bug in rowferry, refused by the ledger: {0}; please report it")]
    Bug(String),
}

impl LedgerError {
    /// A system error at the ledger or a file beside it.
    pub(super) fn io(path: &Path, error: &std::io::Error) -> Self {
        use std::io::ErrorKind;
        let path = path.to_path_buf();
        match error.kind() {
            ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => Self::ReadOnly { path },
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::DiskFull { path },
            _ => Self::Io {
                path,
                detail: error.to_string(),
            },
        }
    }

    /// An error of SQLite.
    pub(super) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        let owned = path.to_path_buf();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull { path: owned },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::ReadOnly { path: owned }
            }
            Some(ErrorCode::NotADatabase) => Self::Damaged {
                path: owned,
                detail: "it is not an SQLite database".to_owned(),
            },
            Some(ErrorCode::DatabaseCorrupt) => Self::Damaged {
                path: owned,
                detail: "it is damaged".to_owned(),
            },
            _ => match error {
                rusqlite::Error::InvalidColumnType(..)
                | rusqlite::Error::FromSqlConversionFailure(..)
                | rusqlite::Error::IntegralValueOutOfRange(..) => Self::Damaged {
                    path: owned,
                    detail: format!("it holds a value that no ledger holds ({error})"),
                },
                _ => Self::Io {
                    path: owned,
                    detail: error.to_string(),
                },
            },
        }
    }
}
