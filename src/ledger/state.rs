//! The states of a row in the ledger, the one table of steps between them, and what is to be done
//! with a row that the ledger knows. Pure: nothing here reads or writes a file.

use std::sync::Arc;

use crate::record::{BodyHash, KeyHash};

/// Hash of a mapping file's canonical path, made by the caller.
pub type MappingId = [u8; 16];

/// What the ledger knows of the last attempt to send a row. The numbers stand in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum State {
    /// A request was about to leave, or left; no answer is recorded. After a crash: nobody knows.
    Sending = 1,
    /// As `Sending`, while the fate of an earlier attempt is unknown as well.
    Resending = 2,
    /// The last attempt was certainly not carried out: it may be sent.
    NotSent = 3,
    /// The target confirmed that it made the record.
    Created = 4,
    /// The target confirmed a change of its record.
    Updated = 5,
    /// A record was found at the target and left alone.
    Existing = 6,
    /// The target refused it.
    Failed = 7,
    /// Sent, and neither answer nor look-up could say whether it was carried out.
    Uncertain = 8,
    /// Known not to be at the target, by a look-up, a keyed update that found nothing, or a person:
    /// it may be created. Whatever was known of a record is forgotten.
    Absent = 9,
}

impl State {
    /// All states, by their numbers.
    pub const ALL: [State; 9] = [
        State::Sending,
        State::Resending,
        State::NotSent,
        State::Created,
        State::Updated,
        State::Existing,
        State::Failed,
        State::Uncertain,
        State::Absent,
    ];

    /// The state of this number, as the file holds it.
    pub(super) fn from_number(number: i64) -> Option<State> {
        Self::ALL
            .into_iter()
            .find(|state| i64::from(*state as u8) == number)
    }

    /// Whether nobody knows what became of an attempt.
    pub fn is_unsettled(self) -> bool {
        matches!(self, State::Sending | State::Resending | State::Uncertain)
    }

    /// Its name in documents and messages to programs.
    pub fn name(self) -> &'static str {
        match self {
            State::Sending => "sending",
            State::Resending => "resending",
            State::NotSent => "not sent",
            State::Created => "created",
            State::Updated => "updated",
            State::Existing => "existing",
            State::Failed => "failed",
            State::Uncertain => "uncertain",
            State::Absent => "absent",
        }
    }

    /// Whether a record of this row is known to be at the target.
    pub fn is_there(self) -> bool {
        matches!(self, State::Created | State::Updated | State::Existing)
    }
}

/// What happens to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Event {
    /// A request that may make a record is about to leave.
    Create,
    /// A request that only changes a record is about to leave.
    Update,
    /// What was found out; see the state of that name.
    Outcome(State),
}

/// A step that the table forbids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{event:?} cannot follow {from:?}")]
pub struct Forbidden {
    /// The state before.
    pub from: Option<State>,
    /// What was to happen.
    pub event: Event,
}

/// What can happen to a row, in the order of the columns of [`TABLE`].
pub const EVENTS: [Event; 9] = [
    Event::Create,
    Event::Update,
    Event::Outcome(State::Created),
    Event::Outcome(State::Updated),
    Event::Outcome(State::Existing),
    Event::Outcome(State::Failed),
    Event::Outcome(State::NotSent),
    Event::Outcome(State::Absent),
    Event::Outcome(State::Uncertain),
];

/// The state after each of [`EVENTS`], or nothing where it must not happen; one row for each state
/// before, in the order of [`State::ALL`] behind that of a key without an entry.
///
/// Three things in it keep customers from being made twice. No create follows a state in which the
/// target is known to have the record. A request that leaves while an attempt is open is `Resending`,
/// and whatever becomes of *it* says nothing about the attempt before: refused or not sent, the row is
/// `Uncertain`. And `Sending` and `Resending` are never an outcome: only an intent makes them.
pub const TABLE: [(Option<State>, [Option<State>; EVENTS.len()]); State::ALL.len() + 1] = {
    const S: Option<State> = Some(State::Sending);
    const R: Option<State> = Some(State::Resending);
    const C: Option<State> = Some(State::Created);
    const U: Option<State> = Some(State::Updated);
    const E: Option<State> = Some(State::Existing);
    const F: Option<State> = Some(State::Failed);
    const N: Option<State> = Some(State::NotSent);
    const A: Option<State> = Some(State::Absent);
    const Q: Option<State> = Some(State::Uncertain);
    const X: Option<State> = None;
    // Create, Update, Created, Updated, Existing, Failed, NotSent, Absent, Uncertain
    [
        (None, [S, S, X, X, E, X, X, X, X]),
        (Some(State::Sending), [R, R, C, U, E, F, N, A, Q]),
        (Some(State::Resending), [R, R, C, U, E, Q, Q, A, Q]),
        (Some(State::NotSent), [S, S, C, U, E, F, N, A, X]),
        (Some(State::Created), [X, S, C, U, E, X, X, X, X]),
        (Some(State::Updated), [X, S, C, U, E, X, X, X, X]),
        (Some(State::Existing), [X, S, C, U, E, X, X, X, X]),
        (Some(State::Failed), [S, S, C, U, E, F, N, A, X]),
        (Some(State::Uncertain), [R, R, C, U, E, F, N, A, Q]),
        (Some(State::Absent), [S, S, C, U, E, F, N, A, X]),
    ]
};

/// The state after an event, by [`TABLE`].
///
/// # Errors
/// `Forbidden` where the table has nothing.
pub fn transition(from: Option<State>, event: Event) -> Result<State, Forbidden> {
    let column = EVENTS.iter().position(|column| *column == event);
    let row = TABLE.iter().find(|(before, _)| *before == from);
    row.zip(column)
        .and_then(|((_, after), column)| after[column])
        .ok_or(Forbidden { from, event })
}

/// Whether a row is left over from an earlier run: what became of its last attempt is unknown, and
/// this run has not begun with it.
pub fn is_outstanding(entry: &Entry, run: &str) -> bool {
    entry.state.is_unsettled() && &*entry.run != run
}

/// The batch request that a row was sent in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Its idempotency key, or a name of the caller's where the target has none.
    pub key: Arc<str>,
    /// The row's place in it, from 0: the same batch can be put together again.
    pub place: u32,
}

/// What the ledger holds of one key. No content: hashes, ids and numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where the row stands.
    pub state: State,
    /// The body last attempted.
    pub body: BodyHash,
    /// The body last confirmed, or last compared where the record was found and left alone; `None`
    /// as long as no record of this row is known to be at the target.
    pub sent_body: Option<BodyHash>,
    /// The record's id at the target.
    pub id: Option<String>,
    /// What the target's paths call the record, where that is not its id.
    pub address: Option<String>,
    /// The mapping file that last sent it.
    pub mapping: MappingId,
    /// Whether that mapping names a space of keys.
    pub space: bool,
    /// The row's number in the input that it last came from.
    pub row: u64,
    /// How many times it was about to be sent, over all runs.
    pub attempts: u32,
    /// When it was last about to be sent; milliseconds since 1970.
    pub attempted_ms: i64,
    /// When the oldest of the attempts that are open was about to be sent: from then on counts for how
    /// long a target remembers an idempotency key; milliseconds since 1970.
    pub since_ms: i64,
    /// The run that last touched it.
    pub run: Arc<str>,
    /// The HTTP status of the last answer.
    pub status: Option<u16>,
    /// The batch request that it was last in.
    pub group: Option<Group>,
    /// Whether the last attempt could only change a record, not make one.
    pub update: bool,
    /// Hash of all that the body last attempted would be looked up by; `None` where there is nothing,
    /// or where it was not noted.
    pub asked: Option<[u8; 16]>,
    /// Whether it was last sent from a reject file that was handed back.
    pub mended: bool,
}

/// A row about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intent {
    /// Hash of its key.
    pub key: KeyHash,
    /// Hash of its body.
    pub body: BodyHash,
    /// The mapping file.
    pub mapping: MappingId,
    /// Whether the mapping names a space of keys.
    pub space: bool,
    /// The row's number in the input.
    pub row: u64,
    /// The run, as `begin_run` named it.
    pub run: Arc<str>,
    /// Whether the request can only change a record, not make one.
    pub update: bool,
    /// The batch request that it leaves in.
    pub group: Option<Group>,
    /// Hash of all that it would be looked up by, where there is something.
    pub asked: Option<[u8; 16]>,
    /// Whether it comes from a reject file that was handed back.
    pub mended: bool,
}

/// What was found out about a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Hash of its key.
    pub key: KeyHash,
    /// What became of it; never `Sending` or `Resending`.
    pub state: State,
    /// The record's id, where the answer gives it; a known one stays.
    pub id: Option<String>,
    /// Its address; a known one stays.
    pub address: Option<String>,
    /// The answer's HTTP status.
    pub status: Option<u16>,
    /// The run, as `begin_run` named it.
    pub run: Arc<str>,
}

/// A record found at the target before anything was sent, and left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The row that would have been sent.
    pub intent: Intent,
    /// The record's id.
    pub id: Option<String>,
    /// Its address.
    pub address: Option<String>,
    /// The HTTP status of the answer that showed it.
    pub status: Option<u16>,
}

impl Entry {
    /// What a person says of an unsettled row who found that its last attempt was not carried out:
    /// one outcome or two, in this order. A change that was not made leaves the record as it was
    /// confirmed before, so that the row is not created again.
    pub fn not_made(&self) -> &'static [State] {
        match self.update {
            false => &[State::Absent],
            true => &[State::Uncertain, State::NotSent],
        }
    }

    /// The entry after an intent.
    ///
    /// # Errors
    /// A sentence for a step that could make a second record: a create where the target is known to
    /// have one, or a create of another body while the fate of an attempt is unknown.
    pub(super) fn intend(
        before: Option<Entry>,
        intent: &Intent,
        now_ms: i64,
    ) -> Result<Entry, String> {
        let event = if intent.update {
            Event::Update
        } else {
            Event::Create
        };
        let state = transition(before.as_ref().map(|entry| entry.state), event)
            .map_err(|forbidden| format!("key {}: {forbidden}", intent.key))?;
        if let (false, Some(before)) = (intent.update, &before) {
            if before.state.is_unsettled() && before.body != intent.body {
                return Err(format!(
                    "key {}: a create of another body, while an attempt is unsettled",
                    intent.key
                ));
            }
            if before.sent_body.is_some() {
                return Err(format!(
                    "key {}: a create, though the target confirmed a record of it",
                    intent.key
                ));
            }
        }
        let attempts = before.as_ref().map_or(0, |entry| entry.attempts);
        let since_ms = before
            .as_ref()
            .filter(|entry| entry.state.is_unsettled())
            .map_or(now_ms, |entry| entry.since_ms);
        let (sent_body, id, address) = before.map_or((None, None, None), |entry| {
            (entry.sent_body, entry.id, entry.address)
        });
        Ok(Entry {
            state,
            body: intent.body,
            sent_body,
            id,
            address,
            mapping: intent.mapping,
            space: intent.space,
            row: intent.row,
            attempts: attempts.saturating_add(1),
            attempted_ms: now_ms,
            since_ms,
            run: Arc::clone(&intent.run),
            status: None,
            group: intent.group.clone(),
            update: intent.update,
            asked: intent.asked,
            mended: intent.mended,
        })
    }

    /// The entry after a record was found without a request of ours.
    ///
    /// # Errors
    /// What `transition` forbids.
    pub(super) fn found(before: Option<Entry>, found: &Found) -> Result<Entry, String> {
        let intent = &found.intent;
        let from = before.as_ref().map(|entry| entry.state);
        let state = transition(from, Event::Outcome(State::Existing))
            .map_err(|forbidden| format!("key {}: {forbidden}", intent.key))?;
        let before = before.as_ref();
        let kept = |new: &Option<String>, old: Option<&Option<String>>| {
            new.clone().or_else(|| old.cloned().flatten())
        };
        Ok(Entry {
            state,
            body: intent.body,
            sent_body: Some(intent.body),
            id: kept(&found.id, before.map(|entry| &entry.id)),
            address: kept(&found.address, before.map(|entry| &entry.address)),
            mapping: intent.mapping,
            space: intent.space,
            row: intent.row,
            attempts: before.map_or(0, |entry| entry.attempts),
            attempted_ms: before.map_or(0, |entry| entry.attempted_ms),
            since_ms: before.map_or(0, |entry| entry.since_ms),
            run: Arc::clone(&intent.run),
            status: found.status,
            group: None,
            update: false,
            asked: intent.asked,
            mended: intent.mended,
        })
    }

    /// The entry after an outcome.
    ///
    /// # Errors
    /// What `transition` forbids.
    pub(super) fn settle(mut self, outcome: &Outcome) -> Result<Entry, String> {
        self.state = transition(Some(self.state), Event::Outcome(outcome.state))
            .map_err(|forbidden| format!("key {}: {forbidden}", outcome.key))?;
        self.run = Arc::clone(&outcome.run);
        self.status = outcome.status.or(self.status);
        if self.state == State::Absent {
            self.sent_body = None;
            self.id = None;
            self.address = None;
            return Ok(self);
        }
        if outcome.id.is_some() {
            self.id.clone_from(&outcome.id);
        }
        if outcome.address.is_some() {
            self.address.clone_from(&outcome.address);
        }
        if self.state.is_there() {
            self.sent_body = Some(self.body);
        }
        Ok(self)
    }
}

/// What the ledger says about a row that is to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing<'a> {
    /// Nothing of it is at the target: send it.
    New,
    /// The same body is there.
    Unchanged {
        /// The record's id.
        id: Option<&'a str>,
        /// Its address.
        address: Option<&'a str>,
        /// The run that sent or found it.
        run: &'a Arc<str>,
        /// Whether it was last changed rather than made.
        updated: bool,
        /// Whether it was found there rather than sent.
        existing: bool,
    },
    /// The target has a record of it with another body: an update, if the policy wants one.
    Changed {
        /// The record's id.
        id: Option<&'a str>,
        /// Its address.
        address: Option<&'a str>,
        /// Known from another mapping file, and one of the two names no space of keys: perhaps
        /// another customer's number.
        conflict: bool,
    },
    /// Nobody knows what became of an attempt: look it up, or repeat it only where that is safe.
    Unsettled {
        /// Whether the attempt had the same body.
        same_body: bool,
        /// What is known.
        entry: &'a Entry,
    },
    /// The target refused it before: send it again, once per run.
    FailedBefore,
}

/// What is to be done with a row, by what the ledger knows of its key.
pub fn judge<'a>(
    entry: Option<&'a Entry>,
    body: &BodyHash,
    mapping: &MappingId,
    space: bool,
) -> Standing<'a> {
    let Some(entry) = entry else {
        return Standing::New;
    };
    let another = entry.mapping != *mapping && !(space && entry.space);
    if entry.state.is_unsettled() {
        let same_body = entry.body == *body;
        if another && !same_body {
            // What is found out about this row would be taken for the other customer's.
            return Standing::Changed {
                id: entry.id.as_deref(),
                address: entry.address.as_deref(),
                conflict: true,
            };
        }
        return Standing::Unsettled { same_body, entry };
    }
    match entry.sent_body {
        // An update that was refused or not sent leaves the record as it was confirmed before.
        Some(sent) if sent == *body => Standing::Unchanged {
            id: entry.id.as_deref(),
            address: entry.address.as_deref(),
            run: &entry.run,
            updated: entry.state == State::Updated,
            existing: entry.state == State::Existing,
        },
        Some(_) => Standing::Changed {
            id: entry.id.as_deref(),
            address: entry.address.as_deref(),
            conflict: another,
        },
        None if entry.state == State::Failed => Standing::FailedBefore,
        None => Standing::New,
    }
}
