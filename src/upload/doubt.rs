//! Attempts without an answer: by which means it is found out what became of them.

use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::find::{Match, Purpose, Search, now_ms};
use super::{Job, Uploader};
use crate::ledger::{Entry, State};
use crate::record::{KeyHash, Uncertain};

/// What was found out about an attempt without an answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    /// It was carried out.
    Ours(Match),
    /// It was not.
    NotMade,
    /// It may be sent again: the target itself keeps it from being made twice.
    Repeat,
    /// Nobody can say.
    Unclear {
        /// The code.
        code: &'static str,
        why: String,
    },
}

/// Attempts of a row whose fate is not known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Doubt {
    /// When the oldest of them left; milliseconds since 1970.
    pub(super) since_ms: i64,
    /// When the last of them left.
    pub(super) last_ms: i64,
    /// Whether they had the body that the row has now.
    pub(super) same_body: bool,
    /// Whether each carried this row alone.
    pub(super) alone: bool,
    /// Whether they had all that the row is looked up by now.
    pub(super) same_asked: bool,
    /// Whether the last was answered with a status of success, and the answer could not be read.
    pub(super) accepted: bool,
}

impl Doubt {
    /// What an earlier run left.
    pub(super) fn left(
        entry: &Entry,
        same_body: bool,
        asked: Option<[u8; 16]>,
        accepted: bool,
    ) -> Self {
        Self {
            since_ms: entry.since_ms,
            last_ms: entry.attempted_ms,
            same_body,
            alone: entry.group.is_none(),
            same_asked: same_body || (asked.is_some() && entry.asked == asked),
            accepted,
        }
    }

    /// An attempt of this run that ended now; `since_ms`: an earlier one is open since then.
    pub(super) fn now(since_ms: Option<i64>) -> Self {
        let now = now_ms();
        Self {
            since_ms: since_ms.unwrap_or(now),
            last_ms: now,
            same_body: true,
            alone: true,
            same_asked: true,
            accepted: false,
        }
    }

    /// The same of a row that was sent in a batch.
    pub(super) fn in_batch() -> Self {
        Self {
            alone: false,
            ..Self::now(None)
        }
    }
}

/// Rows without an answer, by what a record that is looked up would have to show to be theirs.
pub(super) type Doubts = HashMap<String, HashSet<KeyHash>>;

impl Uploader {
    /// Finds out whether an attempt without an answer was carried out, by the surest means first.
    pub(super) async fn find_out(&self, job: &Job, body: &Value, doubt: Doubt) -> Fact {
        match self.inquire(job, body, doubt).await {
            // That nothing is found is no proof against the target's own word.
            Fact::NotMade if doubt.accepted => Fact::Unclear {
                code: "target.unknown",
                why: "the status says that it was carried out, though no such record is found"
                    .to_owned(),
            },
            fact => fact,
        }
    }

    /// Whether the answer of an earlier run's last attempt had a status of success and could not be
    /// read.
    pub(super) fn was_accepted(&self, entry: &Entry) -> bool {
        entry.state == State::Uncertain
            && entry.group.is_none()
            && entry
                .status
                .is_some_and(|status| self.target.create.endpoint.succeeds(status))
    }

    /// Whether one of the look-ups asks by nothing but the row's key, which stays.
    fn asks_by_key(&self) -> bool {
        self.target.lookups.iter().any(|lookup| {
            let wanted = lookup.where_.iter().map(|(_, text)| text);
            let mut names = lookup
                .texts()
                .into_iter()
                .chain(wanted)
                .flat_map(|text| text.names())
                .peekable();
            names.peek().is_some()
                && names.all(|name| matches!(name, [only] if matches!(&**only, "key" | "key_hash")))
        })
    }

    async fn inquire(&self, job: &Job, body: &Value, doubt: Doubt) -> Fact {
        let create = &self.target.file.create;
        if doubt.same_body {
            if create.idempotency_header.is_some() && doubt.alone && self.remembered(doubt.since_ms)
            {
                return Fact::Repeat;
            }
            if let Some(path) = self.target.natural_path()
                && path.get(body).is_some_and(|value| !value.is_null())
                && !create.exists.is_empty()
            {
                return Fact::Repeat;
            }
            if let Some(fact) = self.settle_by_update(job, body).await {
                return fact;
            }
        }
        let attempted_ms = doubt.last_ms;
        match self
            .search(job, body, Purpose::Settle { attempted_ms })
            .await
        {
            Search::Found(_) if self.others_in_doubt(job, body) => Fact::Unclear {
                code: "lookup.ambiguous",
                why: "a record was found, and another row that it would fit has no answer either"
                    .to_owned(),
            },
            Search::Found(found) => Fact::Ours(found),
            Search::None if !doubt.same_asked && !self.asks_by_key() => Fact::Unclear {
                code: "target.unknown",
                why: "nothing is found by what the row holds now, which proves nothing: it was sent with other \
                      values; give it back the values that it was sent with, or look for the record yourself"
                    .to_owned(),
            },
            Search::None => {
                if self.any_doubt() {
                    self.out_of_doubt(job, body);
                }
                Fact::NotMade
            }
            Search::Ambiguous(why) => Fact::Unclear {
                code: "lookup.ambiguous",
                why,
            },
            Search::NotAskable(_) | Search::CannotTell(_)
                if doubt.same_body
                    && !doubt.accepted
                    && self.settings.uncertain == Uncertain::Resend =>
            {
                Fact::Repeat
            }
            Search::NotAskable(why) => Fact::Unclear {
                code: "target.unknown",
                why,
            },
            Search::CannotTell(why) => Fact::Unclear {
                code: "target.unknown",
                why,
            },
        }
    }

    /// Whether the target still knows an idempotency key that it got then.
    fn remembered(&self, since_ms: i64) -> bool {
        self.target.create.idempotency_ttl.is_none_or(|ttl| {
            let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
            now_ms().saturating_sub(since_ms) < ttl
        })
    }

    /// The batch of an earlier run that a row was sent in, if that may be sent again: the target
    /// knows it by its key.
    pub(super) fn group_again(&self, job: &Job) -> Option<Arc<str>> {
        let entry = job.entry.as_ref()?;
        let group = entry.group.as_ref()?;
        let again = self.target.create.batch.is_some()
            && self.target.file.create.idempotency_header.is_some()
            && !entry.update
            && entry.body == job.body.hash
            && self.remembered(entry.since_ms);
        again.then(|| Arc::clone(&group.key))
    }

    /// What a record would have to show to count as this row's own.
    fn marks(&self, job: &Job, body: &Value) -> Vec<String> {
        let facts = self.facts(job, body);
        let lookups = self.target.lookups.iter().filter_map(|lookup| {
            let mut mark = self.target.lookup_mark(lookup, &facts)?;
            for path in &lookup.prove {
                let _ = write!(mark, " {}", path.get(body).unwrap_or(&Value::Null));
            }
            Some(mark.to_lowercase())
        });
        let listed = self.target.list.iter().filter_map(|list| {
            let value = list.by.get(body).filter(|value| !value.is_null())?;
            Some(format!("list {value}").to_lowercase())
        });
        lookups.chain(listed).collect()
    }

    fn doubts(&self) -> std::sync::MutexGuard<'_, Doubts> {
        self.doubts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Nobody knows whether this row's record is at the target.
    pub(super) fn in_doubt(&self, job: &Job, body: &Value) {
        if job.entry.as_ref().is_some_and(|entry| entry.update) {
            return;
        }
        let marks = self.marks(job, body);
        let mut doubts = self.doubts();
        for mark in marks {
            doubts.entry(mark).or_default().insert(job.key_hash);
        }
    }

    pub(super) fn any_doubt(&self) -> bool {
        !self.doubts().is_empty()
    }

    /// What became of this row is known.
    pub(super) fn out_of_doubt(&self, job: &Job, body: &Value) {
        let marks = self.marks(job, body);
        let mut doubts = self.doubts();
        for mark in marks {
            if let Some(rows) = doubts.get_mut(&mark) {
                rows.remove(&job.key_hash);
                if rows.is_empty() {
                    doubts.remove(&mark);
                }
            }
        }
    }

    fn others_in_doubt(&self, job: &Job, body: &Value) -> bool {
        if !self.any_doubt() {
            return false;
        }
        let marks = self.marks(job, body);
        let doubts = self.doubts();
        marks.iter().any(|mark| {
            let rows = doubts.get(mark);
            rows.is_some_and(|rows| rows.iter().any(|key| *key != job.key_hash))
        })
    }
}
