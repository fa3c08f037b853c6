//! What goes where: by plan, ledger and a person's word each row is settled at once or handed to the
//! uploader.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{ControlFlow, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ahead::Ahead;
use super::check::{is_duplicate, judged};
use super::finish::{Told, Waiting, Window, source_row};
use super::select::Selection;
use super::stage::{Planned, each_batch};
use super::{Loaded, gather};
use crate::issue::{Issue, Severity, cut};
use crate::ledger::{
    Entry, Found, Intent, Ledger, LedgerError, MappingId, Outcome, Standing, State, judge,
};
use crate::record::{BodyHash, Fate, KeyHash, Plan, Settled};
use crate::report::html::Twin;
use crate::report::{Event, Progress};
use crate::source::SourceError;
use crate::upload::{Carried, Halt, Job, Uploader};

/// What was fed.
#[derive(Debug, Default)]
pub(super) struct Fed {
    pub(super) duplicates: u64,
    pub(super) not_asked: u64,
    /// Rows that were asked for, and that no input has.
    pub(super) missing: Vec<RangeInclusive<u64>>,
    pub(super) error: Option<SourceError>,
}

/// Puts rows on their way: to the uploader what is new, to the finisher all.
pub(super) struct Feeder<'r> {
    pub(super) loaded: &'r Loaded,
    pub(super) journal: &'r Ledger,
    pub(super) uploader: &'r Uploader,
    pub(super) window: &'r Window,
    pub(super) progress: &'r Progress,
    pub(super) selection: &'r Selection,
    pub(super) mapping: MappingId,
    pub(super) space: bool,
    pub(super) run: &'r Arc<str>,
    pub(super) sequence: u64,
    pub(super) duplicates: u64,
    pub(super) not_asked: u64,
    /// Rows that are asked for, and that did not come yet.
    pub(super) missing: Vec<RangeInclusive<u64>>,
    pub(super) runtime: &'r tokio::runtime::Handle,
    pub(super) ahead: &'r Ahead,
    /// Hashes of files that were handed back with words of a person in them.
    pub(super) contents: RefCell<HashMap<usize, [u8; 32]>>,
}

/// A row's fate as the ledger tells it, without asking anybody.
enum Way {
    /// Its fate is known.
    Known(Fate, Option<Arc<str>>, Option<Arc<str>>, String),
    /// It goes to the uploader.
    Send,
    /// Likewise, and the ledger knows more of it than when it was asked.
    Again,
}

impl Feeder<'_> {
    pub(super) fn feed(
        mut self,
        mut claims: Option<&mut crate::plan::Claims>,
        read: &AtomicU64,
        jobs: tokio::sync::mpsc::Sender<Job>,
        told: std::sync::mpsc::Sender<Told>,
    ) -> Fed {
        let loaded = self.loaded;
        let ended = each_batch(&loaded.inputs, &mut |planned: Planned| {
            if matches!(self.uploader.stopped(), Some(Halt::Signal(_))) {
                return ControlFlow::Break(());
            }
            read.fetch_add(planned.rows.len() as u64, Ordering::Relaxed);
            self.progress.event(Event::Rows(planned.rows.len() as u64));
            self.batch(planned, claims.as_deref_mut(), &jobs, &told);
            ControlFlow::Continue(())
        });
        self.ahead.all_handed();
        Fed {
            duplicates: self.duplicates,
            not_asked: self.not_asked,
            missing: self.missing,
            error: ended.err(),
        }
    }

    fn batch(
        &mut self,
        planned: Planned,
        mut claims: Option<&mut crate::plan::Claims>,
        jobs: &tokio::sync::mpsc::Sender<Job>,
        told: &std::sync::mpsc::Sender<Told>,
    ) {
        let Planned {
            input,
            batch,
            mut rows,
        } = planned;
        let mut twins: Vec<(usize, Twin)> = Vec::new();
        for row in &mut rows {
            if let Some(claims) = &mut claims {
                claims.enter(input);
                claims.claim(row);
                twins.extend(gather::twin(claims).map(|twin| (row.index, twin)));
            }
        }
        let mut twins = twins.into_iter().peekable();
        let keys: Vec<KeyHash> = rows.iter().filter_map(|row| row.key_hash).collect();
        // Where the ledger cannot be asked any more, nothing may be sent either.
        let mut entries = match self.journal.known(&keys) {
            Ok(entries) => entries.into_iter(),
            Err(error) => {
                self.uploader.stop(Halt::Ledger(error.to_string()));
                vec![None; keys.len()].into_iter()
            }
        };
        for row in rows {
            let entry = row.key_hash.and_then(|_| entries.next()).flatten();
            let sequence = self.sequence;
            self.sequence += 1;
            if is_duplicate(&row) {
                self.duplicates += 1;
            }
            let asked = self.selection.takes(sequence, row.row);
            if asked {
                self.missing.retain(|rows| !rows.contains(&row.row));
            }
            let index = row.index;
            let (hash, key) = (row.key_hash, Arc::clone(&row.key));
            let (settled, way, body) = self.decide(input, &batch, row, entry.as_ref(), asked);
            let known = matches!(way, Way::Known(..));
            let again = matches!(way, Way::Again);
            let mut settled = settled;
            if let Way::Known(fate, id, run, note) = way {
                self.not_asked += u64::from(fate == Fate::Pending && !asked);
                settled.fate = fate;
                settled.id = id;
                settled.run = run;
                if fate == Fate::Uncertain {
                    let column = self.loaded.inputs[input]
                        .plan
                        .key_columns()
                        .first()
                        .copied();
                    let cell = column.map(|column| batch.row(index).cell(column).text);
                    settled.issues.push(Issue {
                        code: "target.unknown".into(),
                        severity: Severity::Error,
                        column,
                        field: None,
                        value: cell.map(|text| cut(text).into()),
                        message: note.into(),
                    });
                } else {
                    settled.note = join_notes(&note, &settled.note);
                }
            }
            self.window.enter(sequence);
            let waiting = Waiting {
                twin: twins.next_if(|twin| twin.0 == index).map(|twin| twin.1),
                sequence,
                input,
                batch: Arc::clone(&batch),
                index,
                known,
                body: (!known)
                    .then(|| body.as_ref().map(|body| body.json.clone()))
                    .flatten(),
                settled,
            };
            let source = &self.loaded.inputs[input];
            let number = source_row(source, waiting.batch.row(index));
            // The finisher takes until the last sender is gone.
            let _ = told.send(Told::Row(Box::new(waiting)));
            if let (false, Some(key_hash), Some(body)) = (known, hash, body) {
                let entry = match again.then(|| self.journal.known(&[key_hash])) {
                    None => entry,
                    Some(Ok(mut known)) => known.pop().flatten(),
                    // As it was: with the run stopped, nothing of it is sent.
                    Some(Err(error)) => {
                        self.uploader.stop(Halt::Ledger(error.to_string()));
                        entry
                    }
                };
                let job = Job {
                    sequence,
                    row: number,
                    key,
                    key_hash,
                    body,
                    entry,
                    asked: None,
                    mended: self.is_returned(input),
                };
                if let Err(lost) = jobs.blocking_send(job) {
                    let _ = told.send(Told::Carried(Carried::not_begun(&lost.0)));
                }
            }
            self.ahead.handed();
        }
    }

    fn decide(
        &self,
        input: usize,
        batch: &Arc<crate::row::RowBatch>,
        row: crate::record::Prepared,
        entry: Option<&Entry>,
        asked: bool,
    ) -> (Settled, Way, Option<crate::record::Body>) {
        let plan = row.plan.clone();
        let said = self.said(input, batch, row.index);
        let number = source_row(&self.loaded.inputs[input], batch.row(row.index));
        let key_hash = row.key_hash;
        let row_index = row.index;
        let settled = judged(row);
        let body = match plan {
            Plan::Send(body) => body,
            // A duplicate's attempt is that of the row that is sent.
            Plan::Skip("duplicate", _) => {
                return (
                    settled,
                    Way::Known(Fate::Skipped, None, None, String::new()),
                    None,
                );
            }
            Plan::Skip(..) => {
                let note = entry.map_or(String::new(), doubt);
                return (settled, Way::Known(Fate::Skipped, None, None, note), None);
            }
            Plan::Reject if asked => {
                // Another row of this key has its own record.
                let there = entry.filter(|entry| entry.state.is_there() && entry.row == number);
                let note = match there {
                    Some(entry) if entry.mended && !self.is_returned(input) => {
                        "its mended twin is in: the target has a record of this key".to_owned()
                    }
                    Some(_) => "the target has a record of this row from an earlier run".to_owned(),
                    None => entry.map_or(String::new(), doubt),
                };
                let id = there.and_then(|entry| entry.id.as_deref()).map(Arc::from);
                return (settled, Way::Known(Fate::Rejected, id, None, note), None);
            }
            Plan::Reject => {
                let way = match entry {
                    Some(entry) if entry.state.is_unsettled() => unasked(),
                    _ => self.left_out(),
                };
                let settled = Settled {
                    issues: Vec::new(),
                    ..settled
                };
                return (settled, way, None);
            }
        };
        let id = |id: Option<&str>| id.map(Arc::from);
        let said = match self.not_another_rows(key_hash, said) {
            Ok(said) => said,
            Err(error) => {
                let unsettled = entry.is_some_and(|entry| entry.state.is_unsettled());
                let way = self.not_noted(&error, unsettled);
                return (settled, way, None);
            }
        };
        let mut settled = settled;
        let way = match (judge(entry, &body.hash, &self.mapping, self.space), said) {
            (Standing::Unsettled { .. }, Said::Created(made)) => {
                match self.settle(key_hash, &[State::Created], Some(made.clone())) {
                    Ok(()) => a_person_says(made),
                    Err(error) => self.not_noted(&error, true),
                }
            }
            (Standing::Unchanged { id: known, run, .. }, _) => Way::Known(
                Fate::Unchanged,
                id(known),
                Some(Arc::clone(run)),
                String::new(),
            ),
            (Standing::New | Standing::FailedBefore, Said::Created(made)) => {
                match self.note_found(key_hash, body.hash, number, made.clone()) {
                    Ok(()) => a_person_says(made),
                    Err(error) => self.not_noted(&error, false),
                }
            }
            (_, Said::Created(made)) => a_person_says(made),
            (Standing::Unsettled { .. }, Said::Unclear { why, .. }) if asked => {
                Way::Known(Fate::Uncertain, None, None, why)
            }
            (Standing::New | Standing::FailedBefore, Said::Unclear { why, of_created })
                if asked =>
            {
                settled
                    .issues
                    .push(self.word_issue(input, batch, row_index, why, of_created));
                match of_created {
                    true => {
                        let way = Way::Known(Fate::Rejected, None, None, String::new());
                        return (settled, way, None);
                    }
                    false => Way::Send,
                }
            }
            (Standing::Unsettled { entry, .. }, Said::Send) if asked => {
                match self.send_word(input, key_hash, entry.not_made()) {
                    Ok(true) => Way::Again,
                    // It stood for an attempt that was made: this one is another.
                    Ok(false) => Way::Send,
                    Err(error) => self.not_noted(&error, true),
                }
            }
            (Standing::Unsettled { .. }, _) if !asked => unasked(),
            _ if !asked => self.left_out(),
            (Standing::New, Said::Uncertain) => Way::Known(
                Fate::Uncertain,
                None,
                None,
                format!("row {number} is marked uncertain, and this ledger knows nothing of it"),
            ),
            _ => Way::Send,
        };
        if let Way::Known(Fate::Pending | Fate::Uncertain, ..) = &way {
            let settled = Settled {
                issues: Vec::new(),
                note: String::new(),
                ..settled
            };
            return (settled, way, None);
        }
        (settled, way, Some(body))
    }

    /// What a person says of a row could not be written down: the run stops, and its fate is what
    /// it was.
    fn not_noted(&self, error: &LedgerError, unsettled: bool) -> Way {
        self.uploader.stop(Halt::Ledger(error.to_string()));
        let (fate, why) = match unsettled {
            true => (
                Fate::Uncertain,
                "what a person says of it could not be recorded",
            ),
            false => (Fate::Pending, ""),
        };
        Way::Known(fate, None, None, why.to_owned())
    }

    fn left_out(&self) -> Way {
        Way::Known(Fate::Pending, None, None, "not asked for".to_owned())
    }

    fn settle(
        &self,
        key: Option<KeyHash>,
        states: &[State],
        id: Option<String>,
    ) -> Result<(), LedgerError> {
        let Some(key) = key else { return Ok(()) };
        let outcomes = states.iter().map(|state| Outcome {
            key,
            state: *state,
            id: id.clone(),
            address: None,
            status: None,
            run: Arc::clone(self.run),
        });
        self.runtime
            .block_on(self.journal.settle(outcomes.collect()))
            .map(drop)
    }

    fn is_returned(&self, input: usize) -> bool {
        self.loaded.inputs[input].source.returned.is_some()
    }

    /// Uses the word `send` of a file up; `false` where it was used before: it speaks of the attempts
    /// that there were when it was written.
    fn send_word(
        &self,
        input: usize,
        key: Option<KeyHash>,
        states: &[State],
    ) -> Result<bool, LedgerError> {
        let Some(key) = key else { return Ok(false) };
        let mut contents = self.contents.borrow_mut();
        let content = match contents.get(&input) {
            Some(content) => *content,
            None => {
                let source = &self.loaded.inputs[input].source;
                // What cannot be read any more ends the run with its own words: nothing is sent by it.
                let Ok(content) = source.content() else {
                    return Ok(false);
                };
                *contents.entry(input).or_insert(content)
            }
        };
        let outcomes = states.iter().map(|state| Outcome {
            key,
            state: *state,
            id: None,
            address: None,
            status: None,
            run: Arc::clone(self.run),
        });
        self.journal.settle_by_word(content, outcomes.collect())
    }

    /// What a person says of a row, unless the record that it names is another row's.
    fn not_another_rows(&self, key: Option<KeyHash>, said: Said) -> Result<Said, LedgerError> {
        let Said::Created(id) = said else {
            return Ok(said);
        };
        match self.journal.owner_of(&id)? {
            Some(owner) if Some(owner) != key => Ok(Said::Unclear {
                why: format!(
                    "`_fate` says that the target's record {id} is this row's, and the ledger holds it for \
                     another row; write the id of its own record, or `send` if there is none"
                ),
                of_created: true,
            }),
            _ => Ok(Said::Created(id)),
        }
    }

    fn word_issue(
        &self,
        input: usize,
        batch: &crate::row::RowBatch,
        index: usize,
        why: String,
        of_created: bool,
    ) -> Issue {
        let returned = self.loaded.inputs[input].source.returned.as_ref();
        let column = returned.map(|returned| returned.fate);
        let cell = column.map(|column| batch.row(index).cell(column).text);
        Issue {
            code: "fate".into(),
            severity: match of_created {
                true => Severity::Error,
                false => Severity::Warning,
            },
            column,
            field: None,
            value: cell.map(|text| cut(text).into()),
            message: why.into(),
        }
    }

    /// Notes a record that a person found at the target, so that a later run does not send it.
    fn note_found(
        &self,
        key: Option<KeyHash>,
        body: BodyHash,
        row: u64,
        id: String,
    ) -> Result<(), LedgerError> {
        let Some(key) = key else { return Ok(()) };
        let intent = Intent {
            key,
            body,
            mapping: self.mapping,
            space: self.space,
            row,
            run: Arc::clone(self.run),
            update: false,
            group: None,
            asked: None,
            mended: true,
        };
        let found = Found {
            intent,
            id: Some(id),
            address: None,
            status: None,
        };
        self.runtime.block_on(self.journal.found(vec![found]))
    }

    /// What a person wrote into `_fate` of a reject file that is handed back.
    fn said(&self, input: usize, batch: &crate::row::RowBatch, index: usize) -> Said {
        let Some(returned) = &self.loaded.inputs[input].source.returned else {
            return Said::Nothing;
        };
        let text = batch.row(index).cell(returned.fate).text.trim();
        let lower = text.to_ascii_lowercase();
        match lower.as_str() {
            "send" => Said::Send,
            "uncertain" => Said::Uncertain,
            _ if lower.starts_with("created:") => {
                let id = text["created:".len()..].trim();
                if id.is_empty() {
                    Said::unclear(text)
                } else {
                    Said::Created(id.to_owned())
                }
            }
            // As we wrote it, or emptied.
            "" | "rejected" | "failed" | "pending" | "skipped" => Said::Nothing,
            _ => Said::unclear(text),
        }
    }
}

/// What stands beside a row that is not sent now, while an attempt of it is open.
fn doubt(entry: &Entry) -> String {
    match entry.state.is_unsettled() {
        true => "an earlier run sent it without an answer, and it may be at the target".to_owned(),
        false => String::new(),
    }
}

fn a_person_says(made: String) -> Way {
    let note = "a person says that the target has it".to_owned();
    Way::Known(Fate::Unchanged, Some(made.into()), None, note)
}

/// A row of unknown fate that is not asked for.
fn unasked() -> Way {
    let why = "an earlier run sent it without an answer, and this run was not asked to look it up";
    Way::Known(Fate::Uncertain, None, None, why.to_owned())
}

enum Said {
    Nothing,
    Send,
    Uncertain,
    Created(String),
    /// Something that means nothing here; `of_created`: it may be meant to say that the target has it.
    Unclear {
        why: String,
        of_created: bool,
    },
}

impl Said {
    fn unclear(text: &str) -> Self {
        Self::Unclear {
            of_created: text.to_ascii_lowercase().starts_with("created"),
            why: format!(
                "`_fate` says `{}`, which means nothing; write `send` if the target does not have it, \
                 `created:ID` if it has it, or leave it as it was",
                cut(text)
            ),
        }
    }
}

fn join_notes(first: &str, second: &str) -> String {
    match (first, second) {
        (first, "") => first.to_owned(),
        ("", second) => second.to_owned(),
        (first, second) => format!("{first}; {second}"),
    }
}
