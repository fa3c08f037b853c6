//! The ledger's tables in rows and columns: what the writer thread does inside a transaction.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Row};

use super::state::{Entry, Event, Found, Group, Intent, Outcome, State, transition};
use super::{Left, LeftRow, MappingId, RunInfo, RunRow};
use crate::record::{BodyHash, KeyHash};

/// Why a command failed: the file, or a step that the program must not take.
#[derive(Debug)]
pub(super) enum Fault {
    Sql(rusqlite::Error),
    Bug(String),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

type Done<T> = Result<T, Fault>;

const COLUMNS: &str = "key, state, body, sent_body, id, address, mapping, space, row, attempts, \
                       attempted_ms, run, status, batch, place, is_update, since_ms, rowid, asked, \
                       mended";

/// The same of an older file, which is only read.
const COLUMNS_BEFORE_3: &str = "key, state, body, sent_body, id, address, mapping, space, row, attempts, \
                       attempted_ms, run, status, batch, place, is_update, since_ms, rowid, NULL, 0";

/// The most rows that are named where some have left their file.
const NAMED: usize = 20;

/// The connection, with what is remembered of it.
pub(super) struct Store {
    pub(super) db: Connection,
    command: String,
    names: HashMap<i64, Arc<str>>,
    numbers: HashMap<Arc<str>, i64>,
    current: Option<i64>,
    columns: &'static str,
    select: String,
    /// A bit for each row of `entry`: whether it was asked for.
    asked: Vec<u64>,
}

impl Store {
    pub(super) fn new(db: Connection, command: String) -> Self {
        // Where it cannot be told, the first query says why.
        let format = db.query_row("PRAGMA user_version", (), |row| row.get::<_, i64>(0));
        let columns = match format {
            Ok(1 | 2) => COLUMNS_BEFORE_3,
            _ => COLUMNS,
        };
        Self {
            db,
            command,
            columns,
            names: HashMap::new(),
            numbers: HashMap::new(),
            current: None,
            select: format!("SELECT {columns} FROM entry WHERE key = ?1"),
            asked: Vec::new(),
        }
    }

    pub(super) fn begin_run(&mut self, info: &RunInfo) -> Done<String> {
        let name = ulid::Ulid::generate().to_string();
        self.db.execute(
            "INSERT INTO run (name, started_ms, command, input, mapping, target, base_url, inputs,
               mapping_path)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                &name,
                super::now_ms(),
                &self.command,
                &info.input,
                &info.mapping,
                &info.target,
                super::account::without_user(&info.base_url),
                serde_json::Value::from(info.inputs.as_slice()).to_string(),
                &info.mapping_path,
            ),
        )?;
        self.current = Some(self.db.last_insert_rowid());
        Ok(name)
    }

    pub(super) fn end_run(
        &mut self,
        run: &str,
        exit: u8,
        fates: &[u64; 8],
        summary: Option<&str>,
    ) -> Done<()> {
        let number = self.run_number(run)?;
        let [
            created,
            updated,
            unchanged,
            skipped,
            rejected,
            failed,
            uncertain,
            pending,
        ] = fates.map(signed);
        self.db.execute(
            "UPDATE run SET ended_ms = ?2, exit = ?3, created = ?4, updated = ?5, unchanged = ?6,
               skipped = ?7, rejected = ?8, failed = ?9, uncertain = ?10, pending = ?11,
               summary = ?12
             WHERE number = ?1",
            (
                number,
                super::now_ms(),
                exit,
                created,
                updated,
                unchanged,
                skipped,
                rejected,
                failed,
                uncertain,
                pending,
                summary,
            ),
        )?;
        Ok(())
    }

    pub(super) fn runs(&self) -> Done<Vec<RunRow>> {
        let format: i64 = self
            .db
            .query_row("PRAGMA user_version", (), |row| row.get(0))?;
        // Format 1 has less; it is read here only where nothing is to be written.
        let more = match format {
            1 => "NULL, NULL, NULL",
            // What only a report made again needs may be long.
            _ => {
                "inputs, mapping_path, CASE WHEN json_valid(summary)
                    THEN json_remove(summary, '$.page') ELSE summary END"
            }
        };
        let mut statement = self.db.prepare(&format!(
            "SELECT name, started_ms, ended_ms, exit, command, input, mapping, target, base_url,
               created, updated, unchanged, skipped, rejected, failed, uncertain, pending, {more}
             FROM run ORDER BY number"
        ))?;
        let rows = statement.query_map((), |row| {
            let ended_ms: Option<i64> = row.get(2)?;
            let mut fates = [0; 8];
            for (index, fate) in fates.iter_mut().enumerate() {
                *fate = row
                    .get::<_, Option<i64>>(9 + index)?
                    .map_or(0, i64::unsigned_abs);
            }
            Ok(RunRow {
                run: row.get(0)?,
                started_ms: row.get(1)?,
                ended_ms,
                exit: row.get(3)?,
                command: row.get(4)?,
                input: row.get(5)?,
                mapping: row.get(6)?,
                target: row.get(7)?,
                base_url: row.get(8)?,
                fates: ended_ms.map(|_| fates),
                inputs: inputs(row.get(17)?),
                mapping_path: row.get(18)?,
                summary: row.get(19)?,
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// All that is kept of a run.
    pub(super) fn kept(&self, run: &str) -> Done<Option<String>> {
        let format: i64 = self
            .db
            .query_row("PRAGMA user_version", (), |row| row.get(0))?;
        if format == 1 {
            return Ok(None);
        }
        let mut statement = self.db.prepare("SELECT summary FROM run WHERE name = ?1")?;
        let mut rows = statement.query((run,))?;
        match rows.next()? {
            Some(row) => Ok(row.get(0)?),
            None => Ok(None),
        }
    }

    pub(super) fn known(&mut self, keys: &[KeyHash]) -> Done<Vec<Option<Entry>>> {
        let mut known = Vec::with_capacity(keys.len());
        for key in keys {
            let raw = self.raw(key)?;
            if let Some((word, bit)) = raw.as_ref().and_then(|raw| bit(raw.rowid)) {
                if self.asked.len() <= word {
                    self.asked.resize(word + 1, 0);
                }
                self.asked[word] |= bit;
            }
            known.push(raw.map(|raw| self.finish(raw)).transpose()?);
        }
        Ok(known)
    }

    /// Rows of earlier runs that read nothing but these inputs, which were not asked for.
    pub(super) fn left(&mut self, mapping: &MappingId, read: &[String]) -> Done<Left> {
        let current = self.current.unwrap_or(0);
        let runs: HashSet<i64> = {
            let mut statement = self
                .db
                .prepare("SELECT number, inputs FROM run WHERE inputs IS NOT NULL")?;
            let runs = statement.query_map((), |row| Ok((row.get(0)?, inputs(row.get(1)?))))?;
            runs.collect::<rusqlite::Result<Vec<(i64, Vec<String>)>>>()?
                .into_iter()
                .filter(|(number, inputs)| {
                    *number != current
                        && !inputs.is_empty()
                        && inputs.iter().all(|input| read.contains(input))
                })
                .map(|(number, _)| number)
                .collect()
        };
        let mut left = Left::default();
        if runs.is_empty() {
            return Ok(left);
        }
        let mut named: Vec<(i64, u64, Option<String>, bool)> = Vec::new();
        {
            let mut statement = self.db.prepare(
                "SELECT rowid, run, state, sent_body IS NOT NULL, row, id FROM entry
                 WHERE mapping = ?1 AND run <> ?2",
            )?;
            let mut rows = statement.query((mapping, current))?;
            while let Some(row) = rows.next()? {
                let run: i64 = row.get(1)?;
                let asked = bit(row.get(0)?).is_none_or(|(word, bit)| {
                    self.asked.get(word).is_some_and(|bits| bits & bit != 0)
                });
                if asked || !runs.contains(&run) {
                    continue;
                }
                let unsettled = State::from_number(row.get(2)?).is_some_and(State::is_unsettled);
                if !unsettled && !row.get::<_, bool>(3)? {
                    continue;
                }
                left.count += 1;
                if named.len() < NAMED {
                    let number = row.get::<_, i64>(4)?.unsigned_abs();
                    named.push((run, number, row.get(5)?, unsettled));
                }
            }
        }
        for (run, row, id, unsettled) in named {
            left.rows.push(LeftRow {
                row,
                run: self.run_name(run)?,
                id,
                unsettled,
            });
        }
        Ok(left)
    }

    /// How many rows were last touched by this run, by state.
    pub(super) fn touched(&self, run: &str) -> Done<Vec<(State, u64)>> {
        let mut statement = self.db.prepare(
            "SELECT state, count(*) FROM entry
             WHERE run = (SELECT number FROM run WHERE name = ?1) GROUP BY state",
        )?;
        let rows = statement.query_map([run], |row| {
            let number: i64 = row.get(0)?;
            let state = State::from_number(number)
                .ok_or(rusqlite::Error::IntegralValueOutOfRange(0, number))?;
            Ok((state, row.get::<_, i64>(1)?.unsigned_abs()))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What is known of rows by their number.
    pub(super) fn of_row(&mut self, row: u64) -> Done<Vec<(KeyHash, Entry)>> {
        let columns = self.columns;
        let sql = format!("SELECT {columns} FROM entry WHERE row = ?1");
        self.several(&sql, signed(row))
    }

    pub(super) fn intend(&mut self, intents: &[Intent]) -> Done<()> {
        let now = super::now_ms();
        for intent in intents {
            let before = self.entry(&intent.key)?;
            let entry = Entry::intend(before, intent, now).map_err(Fault::Bug)?;
            self.write(&intent.key, &entry)?;
        }
        Ok(())
    }

    pub(super) fn settle(&mut self, outcomes: &[Outcome]) -> Done<Vec<State>> {
        let mut states = Vec::with_capacity(outcomes.len());
        for outcome in outcomes {
            let Some(before) = self.entry(&outcome.key)? else {
                let error = transition(None, Event::Outcome(outcome.state)).err();
                let error = error.map_or_else(|| "use found".to_owned(), |error| error.to_string());
                return Err(Fault::Bug(format!("key {}: {error}", outcome.key)));
            };
            let entry = before.settle(outcome).map_err(Fault::Bug)?;
            self.write(&outcome.key, &entry)?;
            states.push(entry.state);
        }
        Ok(states)
    }

    /// Settles by a person's word in a file; nothing where the word was used before.
    pub(super) fn by_word(&mut self, file: &[u8; 32], outcomes: &[Outcome]) -> Done<bool> {
        let Some(first) = outcomes.first() else {
            return Ok(false);
        };
        let new = self
            .db
            .prepare_cached("INSERT OR IGNORE INTO word (key, file) VALUES (?1, ?2)")?
            .execute((&first.key.0, file))?;
        if new > 0 {
            self.settle(outcomes)?;
        }
        Ok(new > 0)
    }

    pub(super) fn found(&mut self, found: &[Found]) -> Done<()> {
        for found in found {
            let key = found.intent.key;
            let before = self.entry(&key)?;
            let entry = Entry::found(before, found).map_err(Fault::Bug)?;
            self.write(&key, &entry)?;
        }
        Ok(())
    }

    pub(super) fn outstanding(&mut self) -> Done<Vec<(KeyHash, Entry)>> {
        let columns = self.columns;
        let sql = format!(
            "SELECT {columns} FROM entry WHERE state IN (1, 2, 8) AND run <> ?1
             ORDER BY attempted_ms, row"
        );
        self.several(&sql, self.current.unwrap_or(0))
    }

    fn several(&mut self, sql: &str, number: i64) -> Done<Vec<(KeyHash, Entry)>> {
        let raw: Vec<Raw> = {
            let mut statement = self.db.prepare_cached(sql)?;
            let rows = statement.query_map([number], Raw::read)?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        raw.into_iter()
            .map(|raw| Ok((raw.key, self.finish(raw)?)))
            .collect()
    }

    pub(super) fn owner_of(&self, id: &str) -> Done<Option<KeyHash>> {
        let key = self
            .db
            .prepare_cached("SELECT key FROM entry WHERE id = ?1 LIMIT 1")?
            .query_row([id], |row| row.get(0))
            .optional()?;
        Ok(key.map(KeyHash))
    }

    pub(super) fn count_requests(&self, minute: i64, sent: i64) -> Done<()> {
        self.db
            .prepare_cached(
                "INSERT INTO request (minute, sent) VALUES (?1, ?2)
                 ON CONFLICT (minute) DO UPDATE SET sent = sent + excluded.sent",
            )?
            .execute((minute, sent))?;
        Ok(())
    }

    pub(super) fn spent_since(&self, since_ms: i64) -> Done<Vec<(i64, u64)>> {
        let mut query = self.db.prepare_cached(
            "SELECT minute, sent FROM request WHERE minute >= ?1 ORDER BY minute",
        )?;
        let rows = query.query_map([super::minute(since_ms)], |row| {
            Ok((
                row.get::<_, i64>(0)? * 60_000,
                row.get::<_, i64>(1)?.unsigned_abs(),
            ))
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    pub(super) fn remember_file(&self, path: &[u8], hash: &[u8; 32]) -> Done<()> {
        self.db
            .prepare_cached(
                "INSERT INTO file (path, hash) VALUES (?1, ?2)
                 ON CONFLICT (path) DO UPDATE SET hash = excluded.hash",
            )?
            .execute((path, hash))?;
        Ok(())
    }

    pub(super) fn file_hash(&self, path: &[u8]) -> Done<Option<[u8; 32]>> {
        Ok(self
            .db
            .prepare_cached("SELECT hash FROM file WHERE path = ?1")?
            .query_row([path], |row| row.get(0))
            .optional()?)
    }

    pub(super) fn note(&self, name: &str, value: &str) -> Done<()> {
        self.db
            .prepare_cached(
                "INSERT INTO note (name, value) VALUES (?1, ?2)
                 ON CONFLICT (name) DO UPDATE SET value = excluded.value",
            )?
            .execute((name, value))?;
        Ok(())
    }

    pub(super) fn noted(&self, name: &str) -> Done<Option<String>> {
        Ok(self
            .db
            .prepare_cached("SELECT value FROM note WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?)
    }

    fn raw(&self, key: &KeyHash) -> Done<Option<Raw>> {
        Ok(self
            .db
            .prepare_cached(&self.select)?
            .query_row([&key.0], Raw::read)
            .optional()?)
    }

    fn entry(&mut self, key: &KeyHash) -> Done<Option<Entry>> {
        let raw = self.raw(key)?;
        raw.map(|raw| self.finish(raw)).transpose()
    }

    fn finish(&mut self, raw: Raw) -> Done<Entry> {
        let mut entry = raw.entry;
        entry.run = self.run_name(raw.run)?;
        Ok(entry)
    }

    fn write(&mut self, key: &KeyHash, entry: &Entry) -> Done<()> {
        let run = self.run_number(&entry.run)?;
        // Named in the order of COLUMNS. An upsert touches an index only where its column changes.
        self.db
            .prepare_cached(
                "INSERT INTO entry (key, state, body, sent_body, id, address, mapping, space, row,
                   attempts, attempted_ms, run, status, batch, place, is_update, since_ms, asked,
                   mended)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16,
                   ?17, ?18, ?19)
                 ON CONFLICT (key) DO UPDATE SET state = excluded.state, body = excluded.body,
                   sent_body = excluded.sent_body, id = excluded.id, address = excluded.address,
                   mapping = excluded.mapping, space = excluded.space, row = excluded.row,
                   attempts = excluded.attempts, attempted_ms = excluded.attempted_ms,
                   run = excluded.run, status = excluded.status, batch = excluded.batch,
                   place = excluded.place, is_update = excluded.is_update,
                   since_ms = excluded.since_ms, asked = excluded.asked,
                   mended = excluded.mended",
            )?
            .execute(rusqlite::params![
                &key.0,
                entry.state as u8,
                &entry.body.0,
                entry.sent_body.as_ref().map(|body| &body.0),
                &entry.id,
                &entry.address,
                &entry.mapping,
                entry.space,
                signed(entry.row),
                entry.attempts,
                entry.attempted_ms,
                run,
                entry.status,
                entry.group.as_ref().map(|group| &*group.key),
                entry.group.as_ref().map(|group| group.place),
                entry.update,
                entry.since_ms,
                &entry.asked,
                entry.mended,
            ])?;
        Ok(())
    }

    fn run_number(&mut self, name: &str) -> Done<i64> {
        if let Some(number) = self.numbers.get(name) {
            return Ok(*number);
        }
        let number = self
            .db
            .prepare_cached("SELECT number FROM run WHERE name = ?1")?
            .query_row([name], |row| row.get(0))
            .optional()?
            .ok_or_else(|| Fault::Bug(format!("the run \"{name}\" was never begun")))?;
        self.remember_run(number, name.into());
        Ok(number)
    }

    fn run_name(&mut self, number: i64) -> Done<Arc<str>> {
        if let Some(name) = self.names.get(&number) {
            return Ok(Arc::clone(name));
        }
        let name: Option<String> = self
            .db
            .prepare_cached("SELECT name FROM run WHERE number = ?1")?
            .query_row([number], |row| row.get(0))
            .optional()?;
        let name: Arc<str> = name.unwrap_or_default().into();
        self.remember_run(number, Arc::clone(&name));
        Ok(name)
    }

    fn remember_run(&mut self, number: i64, name: Arc<str>) {
        self.names.insert(number, Arc::clone(&name));
        self.numbers.insert(name, number);
    }

    /// Forgets what a rolled back transaction may have told.
    pub(super) fn forget(&mut self) {
        self.names.clear();
        self.numbers.clear();
    }
}

/// Where the bit of a row stands; nowhere for a number that no ledger of ours comes to, since the
/// bits up to it would take more than 128 MiB.
fn bit(rowid: i64) -> Option<(usize, u64)> {
    let word = usize::try_from(rowid / 64).ok()?;
    (word < 1 << 24).then(|| (word, 1 << (rowid % 64)))
}

/// The inputs of a run as the file holds them.
fn inputs(text: Option<String>) -> Vec<String> {
    text.and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default()
}

/// SQLite's integers have a sign; no count of ours comes near the end of them.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row of `entry`, its run still a number.
struct Raw {
    key: KeyHash,
    run: i64,
    rowid: i64,
    entry: Entry,
}

impl Raw {
    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let number: i64 = row.get(1)?;
        let state = State::from_number(number)
            .ok_or(rusqlite::Error::IntegralValueOutOfRange(1, number))?;
        let group = match (row.get::<_, Option<String>>(13)?, row.get(14)?) {
            (Some(key), Some(place)) => Some(Group {
                key: key.into(),
                place,
            }),
            _ => None,
        };
        Ok(Self {
            key: KeyHash(row.get(0)?),
            run: row.get(11)?,
            rowid: row.get(17)?,
            entry: Entry {
                state,
                body: BodyHash(row.get(2)?),
                sent_body: row.get::<_, Option<[u8; 16]>>(3)?.map(BodyHash),
                id: row.get(4)?,
                address: row.get(5)?,
                mapping: row.get(6)?,
                space: row.get(7)?,
                row: row.get::<_, i64>(8)?.unsigned_abs(),
                attempts: row.get(9)?,
                attempted_ms: row.get(10)?,
                run: Arc::from(""),
                status: row.get(12)?,
                group,
                update: row.get(15)?,
                since_ms: row.get(16)?,
                asked: row.get(18)?,
                mended: row.get(19)?,
            },
        })
    }
}
