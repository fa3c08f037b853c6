//! One row's way: what the ledger knows, the attempt, its answer, and what is done where there is
//! none.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::attempt::{Attempt, refusal_words};
use super::doubt::{Doubt, Fact};
use super::find::{Match, Purpose, Search, now_ms};
use super::pace::backoff;
use super::{Carried, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Found, Standing, State, judge};
use crate::record::{Existing, Fate};
use crate::target::answer::{Refusal, Verdict};
use crate::target::call::{Facts, Impossible};

/// The code of a row that lacks what a new record must have, and of which the target has none.
pub const UPDATE_ONLY: &str = "required";

impl Uploader {
    /// Takes one row to its fate.
    pub(super) async fn carry(&self, job: &Job, body: &Value) -> Carried {
        let standing = judge(
            job.entry.as_ref(),
            &job.body.hash,
            &self.settings.mapping,
            self.settings.space,
        );
        match standing {
            Standing::New | Standing::FailedBefore => match self.ask_first(job, body).await {
                Some(carried) => carried,
                None => self.create(job, body, None).await,
            },
            Standing::Unchanged { id, .. } => {
                Carried::new(job.sequence, Fate::Unchanged, "").id(id.map(str::to_owned))
            }
            Standing::Changed {
                conflict: true, id, ..
            } => {
                let note = "this key is known from another mapping file, with other content; the same `space` in both says that they are the same customers";
                Carried::new(job.sequence, Fate::Rejected, note)
                    .code("key.conflict")
                    .id(id.map(str::to_owned))
            }
            Standing::Changed { id, address, .. } => {
                let known = Match {
                    id: id.map(str::to_owned),
                    address: address.map(str::to_owned),
                };
                if self.settings.existing == Existing::Update {
                    self.change(job, body, known).await
                } else {
                    let note = "changed: the row differs from what was sent; `existing = \"update\"` would send it";
                    Carried::new(job.sequence, Fate::Skipped, note).id(known.id)
                }
            }
            Standing::Unsettled { same_body, entry } => {
                if entry.update {
                    let known = Match {
                        id: entry.id.clone(),
                        address: entry.address.clone(),
                    };
                    return self.change(job, body, known).await;
                }
                let accepted = self.was_accepted(entry);
                let doubt = Doubt::left(entry, same_body, job.asked, accepted);
                match self.find_out(job, body, doubt).await {
                    Fact::Ours(found) if same_body => {
                        self.settled(job, State::Created, &found, None).await
                    }
                    Fact::Ours(found) => self.ours_with_other_body(job, body, found).await,
                    Fact::NotMade => self.once_more(job, body).await,
                    Fact::Repeat => self.create(job, body, Some(doubt.since_ms)).await,
                    Fact::Unclear { code, why } => {
                        let status = entry.status.filter(|_| accepted);
                        self.uncertain_after(job, code, why, status).await
                    }
                }
            }
        }
    }

    /// Creates a row of which an attempt is known not to have been carried out.
    pub(super) async fn once_more(&self, job: &Job, body: &Value) -> Carried {
        match self.record(job, State::Absent, &Match::none(), None).await {
            Ok(_) => {
                fault::at(Point::AbsentAfter);
                self.create(job, body, None).await
            }
            Err(carried) => carried,
        }
    }

    /// What rows that might be taken for each other have in common: where they are looked up.
    pub(super) fn turns(&self, job: &Job, body: &Value) -> Vec<String> {
        let facts = self.facts(job, body);
        let mut turns: Vec<String> = self
            .target
            .lookups
            .iter()
            .filter_map(|lookup| self.target.lookup_mark(lookup, &facts))
            .chain(self.target.list.iter().filter_map(|list| {
                let value = list.by.get(body).filter(|value| !value.is_null())?;
                Some(format!("list {value}"))
            }))
            .map(|text| text.to_lowercase())
            .collect();
        turns.sort_unstable();
        turns.dedup();
        turns
    }

    pub(super) fn facts<'a>(&self, job: &'a Job, body: &'a Value) -> Facts<'a> {
        Facts {
            body,
            key: &job.key,
            key_hash: job.key_hash,
            id: None,
            address: None,
            record: None,
        }
    }

    /// A row of which nothing was ever sent: what is to be done before it is created. `None` where
    /// it may be.
    pub(super) async fn ask_first(&self, job: &Job, body: &Value) -> Option<Carried> {
        let existing = self.settings.existing;
        if existing == Existing::Create {
            return None;
        }
        let keyed = match &self.target.update {
            Some(update) if existing == Existing::Update => update.keyed.as_ref(),
            _ => None,
        };
        // A row that leaves the key empty is looked up like any other.
        if keyed.is_some() && self.keyed_call(job, body).is_some() {
            return self.keyed_update(job, body).await;
        }
        Some(match self.search(job, body, Purpose::Existing).await {
            Search::Found(found) => self.exists(job, body, found, None).await,
            Search::None => return None,
            Search::Ambiguous(why) => {
                let note = format!("{why}; which of them is this row's cannot be known");
                Carried::new(job.sequence, Fate::Rejected, note).code("lookup.ambiguous")
            }
            // An API that only says so when asked to create.
            Search::NotAskable(_) if !self.target.file.create.exists.is_empty() => return None,
            Search::NotAskable(why) => {
                let why = match keyed {
                    Some(keyed) => format!("the row has no `{keyed}` to find it by"),
                    None => why,
                };
                let note = format!("it cannot be known whether the target has it: {why}");
                Carried::new(job.sequence, Fate::Rejected, note).code("lookup.impossible")
            }
            Search::CannotTell(why) => self.left_pending(job, why),
        })
    }

    /// The target has a record of this row that is not of our making.
    async fn exists(
        &self,
        job: &Job,
        body: &Value,
        found: Match,
        refusal: Option<Refusal>,
    ) -> Carried {
        match self.settings.existing {
            Existing::Skip => {
                let intent = self.intent(job, false);
                let kept = Found {
                    intent,
                    id: found.id.clone(),
                    address: found.address.clone(),
                    status: refusal.as_ref().map(|refusal| refusal.status),
                };
                if let Err(error) = self.ledger.found(vec![kept]).await {
                    self.stop(Halt::Ledger(error.to_string()));
                }
                Carried::new(job.sequence, Fate::Unchanged, "the target has it already")
                    .id(found.id)
            }
            Existing::Update => self.change(job, body, found).await,
            Existing::Reject => {
                Carried::new(job.sequence, Fate::Rejected, "the target has it already")
                    .code("existing")
                    .id(found.id)
            }
            Existing::Create => {
                let carried = Carried::new(job.sequence, Fate::Failed, "the target has it already")
                    .id(found.id);
                match refusal {
                    Some(refusal) => carried.refusal(refusal),
                    None => carried.code("existing"),
                }
            }
        }
    }

    /// A first create was answered: it is there already.
    pub(super) async fn stands_in_the_way(
        &self,
        job: &Job,
        body: &Value,
        refusal: Refusal,
        status: Option<u16>,
    ) -> Carried {
        if let Err(carried) = self
            .record(job, State::Failed, &Match::none(), status)
            .await
        {
            return carried;
        }
        let existing = self.settings.existing;
        let found = match existing {
            Existing::Skip | Existing::Update => self.search(job, body, Purpose::Existing).await,
            Existing::Reject | Existing::Create => Search::None,
        };
        match found {
            Search::Found(found) => self.exists(job, body, found, Some(refusal)).await,
            // What cannot be found cannot be changed; to try a create again would go on for ever.
            _ if existing == Existing::Update => Carried::new(
                job.sequence,
                Fate::Failed,
                "the target has it already, and it cannot be found to be changed",
            )
            .refusal(refusal),
            _ => self.exists(job, body, Match::none(), Some(refusal)).await,
        }
    }

    /// The target refuses a repetition: whether it carried out the attempt before is another question.
    async fn refused_again(
        &self,
        job: &Job,
        body: &Value,
        refusal: Refusal,
        status: Option<u16>,
    ) -> Carried {
        // An idempotency key makes both attempts one request with one answer.
        let never_made = self.target.file.create.idempotency_header.is_some()
            || match self
                .search(
                    job,
                    body,
                    Purpose::Settle {
                        attempted_ms: now_ms(),
                    },
                )
                .await
            {
                Search::None => true,
                Search::Found(found) => {
                    return self.settled(job, State::Created, &found, status).await;
                }
                _ => false,
            };
        if never_made {
            return match self
                .record(job, State::Absent, &Match::none(), status)
                .await
            {
                Ok(_) => self.refused(job, refusal, status).await,
                Err(carried) => carried,
            };
        }
        let why = format!(
            "an attempt before had no answer, and its repetition was refused: {}",
            refusal_words(&refusal)
        );
        self.uncertain(job, "target.unknown", why).await
    }

    /// An earlier attempt made the record, with a body that the row no longer has.
    async fn ours_with_other_body(&self, job: &Job, body: &Value, found: Match) -> Carried {
        if let Err(carried) = self.record(job, State::Created, &found, None).await {
            return carried;
        }
        if self.settings.existing == Existing::Update {
            return self.change(job, body, found).await;
        }
        let note = "changed: an earlier attempt made it with other content; `existing = \"update\"` would send the change";
        Carried::new(job.sequence, Fate::Skipped, note).id(found.id)
    }

    /// Sends a create until it has an answer. With `open_ms`, an attempt of the same body that left
    /// then may have been carried out, and the target keeps it from being made twice.
    pub(super) async fn create(&self, job: &Job, body: &Value, open_ms: Option<i64>) -> Carried {
        if job.body.update_only {
            let note = "the target has no such customer to change";
            return Carried::new(job.sequence, Fate::Rejected, note).code(UPDATE_ONLY);
        }
        let mut open_ms = open_ms;
        let mut attempts = 0;
        let sent = &self.target.for_create(body);
        loop {
            attempts += 1;
            let mut load = true;
            let left_ms = now_ms();
            let attempt = match self.attempt_create(job, sent).await {
                Ok(attempt) => attempt,
                Err(empty) => return impossible(job, &empty),
            };
            let again = match attempt {
                Attempt::Stopped => return self.stopped_at(job, open_ms.is_some()).await,
                Attempt::Answered(Verdict::Done { id, address }, status) => {
                    let found = Match { id, address };
                    return self.settled(job, State::Created, &found, status).await;
                }
                Attempt::Answered(Verdict::Exists(refusal), status) => {
                    return match open_ms {
                        Some(_) => self.stands_there_already(job, body, refusal, status).await,
                        None => Box::pin(self.stands_in_the_way(job, body, refusal, status)).await,
                    };
                }
                // The request that it repeats is still at work.
                Attempt::Answered(Verdict::Refused(refusal), _)
                    if open_ms.is_some() && self.repeats(&refusal) =>
                {
                    Again {
                        why: refusal_words(&refusal),
                        pause: None,
                        sent: true,
                    }
                }
                Attempt::Answered(
                    Verdict::Refused(refusal) | Verdict::Forbidden(refusal),
                    status,
                ) => {
                    return match open_ms {
                        Some(_) => self.refused_again(job, body, refusal, status).await,
                        None => self.refused(job, refusal, status).await,
                    };
                }
                Attempt::Answered(Verdict::Missing, status) => {
                    let refusal = Refusal {
                        status: status.unwrap_or(404),
                        ..Refusal::default()
                    };
                    return self.refused(job, refusal, status).await;
                }
                Attempt::Answered(Verdict::Unauthorised(_) | Verdict::Fatal(_), _) => {
                    return self.stopped_at(job, open_ms.is_some()).await;
                }
                Attempt::Answered(
                    Verdict::NotDone {
                        limited,
                        refusal,
                        after,
                    },
                    _,
                ) => {
                    if limited || self.is_down() {
                        attempts -= 1;
                    }
                    load = !limited;
                    Again {
                        why: refusal_words(&refusal),
                        pause: after,
                        sent: false,
                    }
                }
                Attempt::NotSent(why) => {
                    attempts -= u32::from(self.is_down());
                    load = false;
                    Again {
                        why,
                        pause: None,
                        sent: false,
                    }
                }
                Attempt::Unknown(_) | Attempt::Answered(Verdict::Unknown(_), _) => {
                    let (why, status) = match attempt {
                        Attempt::Answered(Verdict::Unknown(why), status) => (why, status),
                        Attempt::Unknown(why) => (why, None),
                        _ => (String::new(), None),
                    };
                    let status =
                        status.filter(|status| self.target.create.endpoint.succeeds(*status));
                    let since_ms = open_ms.unwrap_or(left_ms);
                    let doubt = Doubt {
                        accepted: status.is_some(),
                        ..Doubt::now(Some(since_ms))
                    };
                    match self.find_out(job, body, doubt).await {
                        Fact::Ours(found) => {
                            return self.settled(job, State::Created, &found, None).await;
                        }
                        Fact::NotMade => {
                            if let Err(carried) =
                                self.record(job, State::Absent, &Match::none(), None).await
                            {
                                return carried;
                            }
                            fault::at(Point::AbsentAfter);
                            open_ms = None;
                        }
                        Fact::Repeat => open_ms = Some(since_ms),
                        Fact::Unclear { code, why: unclear } => {
                            let why = format!("{why}; {unclear}");
                            return self.uncertain_after(job, code, why, status).await;
                        }
                    }
                    Again {
                        why,
                        pause: None,
                        sent: true,
                    }
                }
            };
            if attempts >= self.settings.attempts {
                return self.given_up(job, again, open_ms.is_some()).await;
            }
            let pause = match (again.pause, attempts) {
                // The pace waits for all alike where the target said how long.
                (Some(_), _) | (None, 0) => Duration::ZERO,
                (None, attempts) => backoff(attempts - 1, fastrand::f64()),
            };
            if self.again(pause, load).await.is_err() {
                return self.stopped_at(job, open_ms.is_some()).await;
            }
        }
    }

    /// Whether a refusal of a repetition with an idempotency key says only that the first request
    /// with it is not done yet: 409, as the draft of the header has it, or 425 Too Early.
    pub(super) fn repeats(&self, refusal: &Refusal) -> bool {
        self.target.file.create.idempotency_header.is_some() && matches!(refusal.status, 409 | 425)
    }

    /// A repetition was answered: it is there already. The record is this row's own, unless what
    /// is found belongs to another row.
    async fn stands_there_already(
        &self,
        job: &Job,
        body: &Value,
        refusal: Refusal,
        status: Option<u16>,
    ) -> Carried {
        let named = |path: &crate::path::Path| path.get(body).is_some_and(|value| !value.is_null());
        let own = self.target.natural_path().is_some_and(named);
        let attempted_ms = now_ms();
        let found = self
            .search(job, body, Purpose::Settle { attempted_ms })
            .await;
        match found {
            Search::Found(found) => self.settled(job, State::Created, &found, status).await,
            Search::Ambiguous(why) if !own => {
                let why = format!("{}; {why}", refusal_words(&refusal));
                self.uncertain(job, "lookup.ambiguous", why).await
            }
            _ => {
                self.settled(job, State::Created, &Match::none(), status)
                    .await
            }
        }
    }

    /// What is done with a row whose attempts are used up.
    pub(super) async fn given_up(&self, job: &Job, again: Again, unanswered: bool) -> Carried {
        let Again { why, sent, .. } = again;
        if unanswered {
            return self.uncertain(job, "target.unknown", why).await;
        }
        if sent {
            // The target said each time that it was not made.
            let refusal = Refusal {
                status: 0,
                message: why,
                ..Refusal::default()
            };
            let carried = Carried::new(
                job.sequence,
                Fate::Failed,
                "every attempt was without an answer, and the record was not made",
            );
            return carried.refusal(refusal);
        }
        if !self.answered.load(Ordering::Relaxed) {
            self.stop(Halt::Down(why.clone()));
        }
        self.left_pending(job, why)
    }

    /// Whether the target confirmed a record of this row before.
    pub(super) fn was_there(job: &Job) -> bool {
        let sent = job.entry.as_ref().and_then(|entry| entry.sent_body);
        sent.is_some()
    }
}

/// Why a row goes round again.
pub(super) struct Again {
    pub(super) why: String,
    pub(super) pause: Option<Duration>,
    /// The last attempt left, and was found not to have been carried out.
    pub(super) sent: bool,
}

impl Match {
    pub(super) fn none() -> Self {
        Self {
            id: None,
            address: None,
        }
    }
}

pub(super) fn impossible(job: &Job, empty: &Impossible) -> Carried {
    Carried::new(job.sequence, Fate::Rejected, empty.to_string()).code(Impossible::CODE)
}
