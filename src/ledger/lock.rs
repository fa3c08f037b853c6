//! The lock beside the ledger: it dies with the process that holds it, and says who that is.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// The line of a lock file that says that a ledger was made beside it.
const MADE: &str = "made";

/// How often a lock is asked for, and how long is waited in between: who only looks whether it is
/// held has it for a moment.
const ASKED: u32 = 5;
const PAUSE: Duration = Duration::from_millis(20);

fn content(file: &mut File) -> String {
    let mut text = Vec::new();
    // A system with mandatory locks may refuse this: then the holder stays unnamed.
    let _ = file.take(4096).read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

impl Holder {
    /// Who holds the lock of this ledger; nothing where nobody does.
    pub(super) fn of(ledger: &Path) -> Option<Self> {
        let mut file = File::open(lock_path(ledger)).ok()?;
        let holder = Self::read(&content(&mut file));
        // Whoever ended in good order took the name out: only then is the lock itself looked at.
        if holder.pid.is_empty() {
            return None;
        }
        match file.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(holder),
            _ => None,
        }
    }

    fn read(text: &str) -> Self {
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
    /// Whether a ledger stands, or stood, beside it.
    made: bool,
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
        let mut asked = 1;
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) if asked < ASKED => {
                    asked += 1;
                    std::thread::sleep(PAUSE);
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(LedgerError::Locked {
                        path: ledger.to_path_buf(),
                        holder: Holder::read(&content(&mut file)),
                    });
                }
                Err(TryLockError::Error(error)) => return Err(io(&error)),
            }
        }
        let made = content(&mut file).lines().any(|line| line == MADE);
        let mut lock = Self { file, made };
        lock.sign(command).map_err(|error| io(&error))?;
        Ok(lock)
    }

    /// Writes down who holds it.
    fn sign(&mut self, command: &str) -> std::io::Result<()> {
        let command: String = command.chars().filter(|c| !c.is_control()).collect();
        let made = if self.made { "made\n" } else { "" };
        let text = format!(
            "pid {}\nsince {:.0}\ncommand {command}\n{made}",
            std::process::id(),
            jiff::Timestamp::now(),
        );
        self.write(&text)
    }

    /// One write, so that a second opener does not read half of it; the old content is cut after.
    fn write(&mut self, text: &str) -> std::io::Result<()> {
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }

    /// Whether a ledger stands, or stood, beside it.
    pub(super) fn made(&self) -> bool {
        self.made
    }

    /// Notes that there is a ledger now: should it be gone one day, that is noticed. Without this
    /// note nothing is lost but that.
    pub(super) fn set_made(&mut self, command: &str) {
        if !self.made {
            self.made = true;
            let _ = self.sign(command);
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // The file stays: deleting it could take it from under someone who just opened it.
        let _ = self.write(if self.made { "made\n" } else { "" });
        let _ = self.file.unlock();
    }
}
