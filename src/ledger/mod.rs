//! The journal: what was about to be sent, what came back, what is outstanding.
//!
//! One SQLite file for each account, written by one thread in grouped, synced transactions. Nothing in
//! it is a customer's: hashes of keys and bodies, ids that the target gave, row numbers. Any `sqlite3`
//! can read it.
//!
//! # The file, format 3
//!
//! `application_id` is 0x526f7746 ("RowF"), `user_version` the format. WAL, `synchronous = FULL`.
//!
//! | table | one row for each | columns |
//! | --- | --- | --- |
//! | `meta` | fact about the file | `account` (hash), `target`, `base_url`, `account_name`, `secret_salt`, `secret` (salted fingerprint), `opened_ms` |
//! | `run` | run | `name` (ULID), times in ms since 1970, `exit`, what it read and where it sent, its fates, `summary` (JSON). Since format 2: `inputs` (JSON, canonical paths), `mapping_path`, `summary` |
//! | `entry` | key | `key`, `body` (last attempted), `sent_body` (last confirmed), `mapping`: 16-byte hashes; `state`: the numbers of [`State`]; `id`, `address`: the target's; `row`, `attempts`, `attempted_ms`, `since_ms`, `run`, `status`, `batch` and `place` (batch request), `is_update`, `space`. Since format 3: `asked` (hash of what the row is looked up by), `mended` (sent from a reject file) |
//! | `request` | minute since 1970 | `sent`: requests that counted against a quota |
//! | `file` | file that we wrote | `path`, `hash` |
//! | `note` | anything learned for later runs | `name`, `value` |
//! | `word` | `send` in a reject file that was used | `key`, `file` (hash of its content). Since format 3 |
//!
//! Beside it stand SQLite's `-wal` and `-shm`, and `.lock`, whose lock dies with its process.

mod account;
mod error;
mod handle;
mod lock;
mod reader;
mod schema;
mod state;
mod store;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use account::without_user;
pub use account::{Account, default_folder, default_path};
pub use error::LedgerError;
pub use handle::{Ledger, Left, LeftRow, Open, RunInfo, RunRow, Spending, open, reopen};
pub use lock::Holder;
pub use reader::Reader;
pub use state::{
    EVENTS, Entry, Event, Forbidden, Found, Group, Intent, MappingId, Outcome, Standing, State,
    TABLE, is_outstanding, judge, transition,
};

/// Milliseconds since 1970.
fn now_ms() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
        })
}

/// The minute since 1970 of a time in milliseconds.
fn minute(ms: i64) -> i64 {
    ms.div_euclid(60_000)
}
