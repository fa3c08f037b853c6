//! The lock beside the ledger: it dies with the process that holds it, and says who that is.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::error::LedgerError;

/// Who holds a ledger, as written in the lock file. A member is empty where it could not be read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holder {
    /// The process id.
    pub pid: String,
    /// When it opened the ledger, in UTC, RFC 3339.
    pub since: String,
    /// Its command.
    pub command: String,
}

impl Holder {
    fn read(file: &mut File) -> Self {
        let mut text = Vec::new();
        // A system with mandatory locks may refuse this: then the holder stays unnamed.
        let _ = file.take(4096).read_to_end(&mut text);
        let text = String::from_utf8_lossy(&text);
        let member = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
                .unwrap_or_default()
                .chars()
                .filter(|c| !c.is_control())
                .collect::<String>()
        };
        Self {
            pid: member("pid"),
            since: member("since"),
            command: member("command"),
        }
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another run")?;
        if self.pid.is_empty() {
            return Ok(());
        }
        write!(f, " (process {}", self.pid)?;
        if !self.since.is_empty() {
            write!(f, ", since {}", self.since)?;
        }
        if !self.command.is_empty() {
            write!(f, ", {}", self.command)?;
        }
        f.write_str(")")
    }
}

/// The lock, held until it is dropped or the process dies.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
}

/// The lock file's name: the ledger's with `.lock` behind it.
pub(super) fn lock_path(ledger: &Path) -> PathBuf {
    beside(ledger, ".lock")
}

/// A path with an ending put behind its whole name.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

/// Options that make a file only its owner may read.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options
}

impl Lock {
    /// Takes the lock of this ledger, or says who has it.
    pub(super) fn take(ledger: &Path, command: &str) -> Result<Self, LedgerError> {
        let io = |error: &std::io::Error| LedgerError::io(ledger, error);
        let mut file = private()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(lock_path(ledger))
            .map_err(|error| io(&error))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(LedgerError::Locked {
                    path: ledger.to_path_buf(),
                    holder: Holder::read(&mut file),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(&error)),
        }
        let command: String = command.chars().filter(|c| !c.is_control()).collect();
        let text = format!(
            "pid {}\nsince {:.0}\ncommand {command}\n",
            std::process::id(),
            jiff::Timestamp::now(),
        );
        // One write, so that a second opener does not read half of it; the old content is cut after.
        file.write_all(text.as_bytes())
            .and_then(|()| file.set_len(text.len() as u64))
            .map_err(|error| io(&error))?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file stays: deleting it could take it from under someone who just opened it.
        let _ = self.file.set_len(0);
        let _ = self.file.seek(SeekFrom::Start(0));
        let _ = self.file.unlock();
    }
}
