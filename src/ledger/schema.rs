//! Opening the SQLite file: whose it is, which format it has, and how it is to be synced.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, OptionalExtension};

use super::Open;
use super::account::{describe, fingerprint, without_user};
use super::error::LedgerError;
use super::lock::{beside, lock_path, private};

/// "RowF": tells a ledger from any other SQLite file.
pub(super) const APPLICATION_ID: i64 = 0x526f_7746;

/// The format that this program writes. A change of the tables counts it up and adds a step to
/// `prepare`; a program refuses to touch a file with a higher one.
pub(super) const FORMAT: i64 = 3;

/// Files up to this size are checked whole when opened; larger ones where they are read.
const CHECKED_WHOLE: u64 = 16 << 20;

/// `entry` has row ids on purpose: rows sent together stand together, so that a commit rewrites few
/// pages. With the key as the table's own order every row of a commit is on a page of its own, which
/// more than doubles what is written.
const TABLES: &str = "
CREATE TABLE meta (
  name TEXT PRIMARY KEY NOT NULL,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE run (
  number INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  started_ms INTEGER NOT NULL,
  ended_ms INTEGER,
  exit INTEGER,
  command TEXT NOT NULL,
  input TEXT NOT NULL,
  mapping TEXT NOT NULL,
  target TEXT NOT NULL,
  base_url TEXT NOT NULL,
  inputs TEXT,
  mapping_path TEXT,
  summary TEXT,
  created INTEGER, updated INTEGER, unchanged INTEGER, skipped INTEGER,
  rejected INTEGER, failed INTEGER, uncertain INTEGER, pending INTEGER
) STRICT;
CREATE TABLE entry (
  key BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
  state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 9),
  body BLOB NOT NULL CHECK (length(body) = 16),
  sent_body BLOB CHECK (length(sent_body) = 16),
  id TEXT,
  address TEXT,
  mapping BLOB NOT NULL CHECK (length(mapping) = 16),
  space INTEGER NOT NULL,
  row INTEGER NOT NULL,
  attempts INTEGER NOT NULL,
  attempted_ms INTEGER NOT NULL,
  since_ms INTEGER NOT NULL,
  run INTEGER NOT NULL REFERENCES run (number),
  status INTEGER,
  batch TEXT,
  place INTEGER,
  is_update INTEGER NOT NULL,
  asked BLOB CHECK (length(asked) = 16),
  mended INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX entry_unsettled ON entry (state) WHERE state IN (1, 2, 8);
CREATE INDEX entry_id ON entry (id) WHERE id IS NOT NULL;
CREATE TABLE request (
  minute INTEGER PRIMARY KEY,
  sent INTEGER NOT NULL
) STRICT;
CREATE TABLE file (
  path BLOB PRIMARY KEY NOT NULL,
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT, WITHOUT ROWID;
CREATE TABLE note (
  name TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE word (
  key BLOB NOT NULL CHECK (length(key) = 16),
  file BLOB NOT NULL CHECK (length(file) = 32),
  PRIMARY KEY (key, file)
) STRICT, WITHOUT ROWID;
";

/// From format 1 to 2: what a run read is found again from any folder, and what it came to is kept.
const TO_2: &str = "
ALTER TABLE run ADD COLUMN inputs TEXT;
ALTER TABLE run ADD COLUMN mapping_path TEXT;
ALTER TABLE run ADD COLUMN summary TEXT;
";

/// From format 2 to 3: what a row was looked up by is known, which rows came back mended, and which
/// words of a person were used.
const TO_3: &str = "
ALTER TABLE entry ADD COLUMN asked BLOB CHECK (length(asked) = 16);
ALTER TABLE entry ADD COLUMN mended INTEGER NOT NULL DEFAULT 0;
CREATE TABLE word (
  key BLOB NOT NULL CHECK (length(key) = 16),
  file BLOB NOT NULL CHECK (length(file) = 32),
  PRIMARY KEY (key, file)
) STRICT, WITHOUT ROWID;
";

/// Whose ledger is to be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The account's; made where there is none.
    Accounts,
    /// Whosever it is; it must be there.
    Anyones,
}

/// Opens the file, makes it if there is none, and checks that it is this account's. The caller holds
/// the lock. Nothing is written before the format and the account are known to fit.
pub(super) fn connect(open: &Open, whose: Whose, made: bool) -> Result<Connection, LedgerError> {
    let path = open.path.as_path();
    let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
    if size(path) == 0 {
        // SQLite would begin anew, and throw away what a -wal without its file holds.
        let wal = beside(path, "-wal");
        let witness = match (size(&wal) > 0, made) {
            (true, _) => Some(wal),
            (false, true) => Some(lock_path(path)),
            (false, false) => None,
        };
        if let Some(witness) = witness {
            return Err(LedgerError::Gone {
                path: path.to_path_buf(),
                witness,
            });
        }
    }
    // Made by us, so that it is never readable by others; SQLite gives -wal and -shm the same mode.
    private()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)
        .map_err(|error| LedgerError::io(path, &error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let result = Connection::open_with_flags(path, flags)
        .map_err(|error| LedgerError::sqlite(path, &error))?;
    prepare(result, open, whose)
}

/// What the file says of itself.
struct Kind {
    fresh: bool,
    format: i64,
}

/// Whether it is a ledger, and of which format.
fn kind(db: &Connection, path: &Path) -> Result<Kind, LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let number = |text: &str| db.query_row(text, (), |row| row.get::<_, i64>(0));
    let id = number("PRAGMA application_id").map_err(sql)?;
    let format = number("PRAGMA user_version").map_err(sql)?;
    let tables = number("SELECT count(*) FROM sqlite_schema").map_err(sql)?;
    let fresh = id == 0 && format == 0 && tables == 0;
    if !fresh && id != APPLICATION_ID {
        return Err(LedgerError::Damaged {
            path: path.to_path_buf(),
            detail: "it is another program's SQLite database".to_owned(),
        });
    }
    if format > FORMAT {
        return Err(LedgerError::Newer {
            path: path.to_path_buf(),
            found: format,
            known: FORMAT,
        });
    }
    Ok(Kind { fresh, format })
}

/// Opens the file to be read only, also while a run writes to it. A format that is older is read as
/// it is.
pub(super) fn look(path: &Path) -> Result<Connection, LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    if !path.exists() {
        return Err(LedgerError::Missing {
            path: path.to_path_buf(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).map_err(sql)?;
    db.busy_timeout(Duration::from_secs(5)).map_err(sql)?;
    let (db, kind) = match kind(&db, path) {
        // The -shm cannot be made in a folder that is read-only; with no -wal none is needed.
        Err(LedgerError::Io { .. } | LedgerError::ReadOnly { .. })
            if !beside(path, "-wal").exists()
                && let Some(url) = path
                    .canonicalize()
                    .ok()
                    .and_then(|path| url::Url::from_file_path(path).ok()) =>
        {
            let url = format!("{url}?immutable=1");
            let db = Connection::open_with_flags(url, flags | OpenFlags::SQLITE_OPEN_URI)
                .map_err(sql)?;
            let kind = kind(&db, path)?;
            (db, kind)
        }
        kind => (db, kind?),
    };
    if kind.fresh {
        return Err(LedgerError::Damaged {
            path: path.to_path_buf(),
            detail: "it is empty".to_owned(),
        });
    }
    check_whole(&db, path)?;
    Ok(db)
}

fn prepare(mut db: Connection, open: &Open, whose: Whose) -> Result<Connection, LedgerError> {
    let path = open.path.as_path();
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    db.busy_timeout(Duration::from_secs(5)).map_err(sql)?;
    let Kind { fresh, format } = kind(&db, path)?;
    if !fresh {
        check_whole(&db, path)?;
        if whose == Whose::Accounts {
            check_account(&db, open)?;
        }
    }
    tighten(path);
    // Networked file systems refuse WAL and keep the mode they had: that is slower, and as safe.
    let mode: String = db
        .query_row("PRAGMA journal_mode = WAL", (), |row| row.get(0))
        .map_err(sql)?;
    let synchronous = if mode == "wal" { "FULL" } else { "EXTRA" };
    db.execute_batch(&format!(
        "PRAGMA synchronous = {synchronous}; PRAGMA foreign_keys = OFF; \
         PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF; \
         PRAGMA wal_autocheckpoint = 2000;"
    ))
    .map_err(sql)?;
    db.set_prepared_statement_cache_capacity(64);

    let step = db
        .transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)
        .map_err(sql)?;
    if fresh {
        step.execute_batch(TABLES).map_err(sql)?;
        let account = &open.account;
        put(&step, "account", &account.hash()).map_err(sql)?;
        put(&step, "target", account.target.as_bytes()).map_err(sql)?;
        put(
            &step,
            "base_url",
            without_user(&account.base_url).as_bytes(),
        )
        .map_err(sql)?;
        if let Some(name) = &account.name {
            put(&step, "account_name", name.as_bytes()).map_err(sql)?;
        }
    } else {
        for (older, change) in [(2, TO_2), (3, TO_3)] {
            if format < older {
                step.execute_batch(change).map_err(sql)?;
            }
        }
    }
    if format < FORMAT {
        step.pragma_update(None, "application_id", APPLICATION_ID)
            .map_err(sql)?;
        step.pragma_update(None, "user_version", FORMAT)
            .map_err(sql)?;
    }
    check_secret(&step, open)?;
    // Written at every opening: a ledger that cannot be written to is found out before anything is sent.
    let now = super::now_ms().to_string();
    put(&step, "opened_ms", now.as_bytes()).map_err(sql)?;
    step.commit().map_err(sql)?;
    Ok(db)
}

fn check_whole(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let small = std::fs::metadata(path).is_ok_and(|file| file.len() <= CHECKED_WHOLE);
    if small {
        let verdict: String = db
            .query_row("PRAGMA quick_check(1)", (), |row| row.get(0))
            .map_err(sql)?;
        if verdict != "ok" {
            return Err(LedgerError::Damaged {
                path: path.to_path_buf(),
                detail: format!("it is damaged ({})", verdict.replace('\n', " ")),
            });
        }
    }
    Ok(())
}

fn check_account(db: &Connection, open: &Open) -> Result<(), LedgerError> {
    let path = open.path.as_path();
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let Some(stored) = get(db, "account").map_err(sql)? else {
        return Err(LedgerError::Damaged {
            path: path.to_path_buf(),
            detail: "it does not say whose it is".to_owned(),
        });
    };
    if stored == open.account.hash() {
        return Ok(());
    }
    let text = |name: &str| fact(db, name).map_err(sql);
    let target = text("target")?.unwrap_or_default();
    let base_url = text("base_url")?.unwrap_or_default();
    let name = text("account_name")?;
    let mut belongs = describe(&target, &base_url, name.as_deref());
    let asked = open.account.describe();
    if belongs == asked {
        belongs.push_str(" with another client id or tenant");
    }
    Err(LedgerError::OtherAccount {
        path: path.to_path_buf(),
        belongs,
        asked,
    })
}

fn check_secret(db: &Connection, open: &Open) -> Result<(), LedgerError> {
    let path = open.path.as_path();
    let sql = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let Some(secret) = &open.secret else {
        return Ok(());
    };
    let salt: Option<[u8; 32]> = get(db, "secret_salt")
        .map_err(sql)?
        .and_then(|salt| salt.try_into().ok());
    let stored = get(db, "secret").map_err(sql)?;
    if let (Some(salt), Some(stored)) = (&salt, &stored) {
        if *stored == fingerprint(salt, secret) {
            return Ok(());
        }
        if !open.same_account {
            return Err(LedgerError::OtherSecret {
                path: path.to_path_buf(),
            });
        }
    }
    // SQLite seeds this from the system's source of randomness.
    let salt: [u8; 32] = db
        .query_row("SELECT randomblob(32)", (), |row| row.get(0))
        .map_err(sql)?;
    put(db, "secret_salt", &salt).map_err(sql)?;
    put(db, "secret", &fingerprint(&salt, secret)).map_err(sql)
}

/// A fact about the file as text.
pub(super) fn fact(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let value = get(db, name)?;
    Ok(value.map(|value| String::from_utf8_lossy(&value).into_owned()))
}

fn get(db: &Connection, name: &str) -> rusqlite::Result<Option<Vec<u8>>> {
    db.query_row("SELECT value FROM meta WHERE name = ?1", [name], |row| {
        row.get(0)
    })
    .optional()
}

fn put(db: &Connection, name: &str, value: &[u8]) -> rusqlite::Result<()> {
    db.execute(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
    .map(drop)
}

/// Takes rights from others, should the file have come with some. That it is not ours to change is no
/// reason to stop.
fn tighten(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if let Ok(file) = std::fs::metadata(path)
            && file.permissions().mode() & 0o077 != 0
        {
            let _ = std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600));
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
