//! One row's way: what the ledger knows, the attempt, its answer, and what is done where there is
//! none.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use super::attempt::{Attempt, refusal_words};
use super::find::{Match, Purpose, Search, now_ms};
use super::pace::backoff;
use super::{Carried, Counters, Halt, Job, Uploader};
use crate::ledger::{Found, Standing, State, judge};
use crate::record::{Existing, Fate, Uncertain};
use crate::target::answer::{Refusal, Verdict};
use crate::target::call::{Facts, Impossible};

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
    Unclear(&'static str, String),
}

impl Uploader {
    /// Takes one row to its fate.
    pub(super) async fn carry(&self, job: &Job) -> Carried {
        // A prepared body is JSON of our own making.
        let body: Value = serde_json::from_str(&job.body.json).unwrap_or(Value::Null);
        let _turns = self.locks.hold(self.turns(job, &body)).await;
        let standing = judge(
            job.entry.as_ref(),
            &job.body.hash,
            &self.settings.mapping,
            self.settings.space,
        );
        match standing {
            Standing::New | Standing::FailedBefore => self.fresh(job, &body).await,
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
                    self.change(job, &body, known).await
                } else {
                    let note = "changed: the row differs from what was sent; `existing = \"update\"` would send it";
                    Carried::new(job.sequence, Fate::Skipped, note).id(known.id)
                }
            }
            Standing::Unsettled { same_body, entry } => {
                let times = Times {
                    last_ms: entry.attempted_ms,
                    first_ms: entry.since_ms,
                };
                if entry.update {
                    let known = Match {
                        id: entry.id.clone(),
                        address: entry.address.clone(),
                    };
                    return self.change(job, &body, known).await;
                }
                match self.find_out(job, &body, times, same_body).await {
                    Fact::Ours(found) if same_body => {
                        self.settled(job, State::Created, &found, None).await
                    }
                    Fact::Ours(found) => self.ours_with_other_body(job, &body, found).await,
                    Fact::NotMade => {
                        match self.record(job, State::Absent, &Match::none(), None).await {
                            Ok(_) => self.create(job, &body, false).await,
                            Err(carried) => carried,
                        }
                    }
                    Fact::Repeat => self.create(job, &body, true).await,
                    Fact::Unclear(code, why) => self.uncertain(job, code, why).await,
                }
            }
        }
    }

    /// What rows that might be taken for each other have in common: where they are looked up.
    fn turns(&self, job: &Job, body: &Value) -> Vec<String> {
        let facts = self.facts(job, body);
        let mut turns: Vec<String> = self
            .target
            .lookups
            .iter()
            .filter_map(|lookup| lookup.endpoint.location(&facts).ok())
            .chain(self.target.list.iter().filter_map(|list| {
                let value = list.by.get(body).filter(|value| !value.is_null())?;
                Some(format!("list {value}"))
            }))
            .map(|text| text.to_lowercase())
            .collect();
        // One order for all rows, so that no two wait for each other.
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

    /// A row of which nothing was ever sent.
    async fn fresh(&self, job: &Job, body: &Value) -> Carried {
        let existing = self.settings.existing;
        if existing == Existing::Create {
            return self.create(job, body, false).await;
        }
        let keyed = self
            .target
            .update
            .as_ref()
            .is_some_and(|update| update.keyed.is_some());
        if existing == Existing::Update && keyed {
            return match self.keyed_update(job, body).await {
                Some(carried) => carried,
                None => self.create(job, body, false).await,
            };
        }
        match self.search(job, body, Purpose::Existing).await {
            Search::Found(found) => self.exists(job, body, found, None).await,
            Search::None => self.create(job, body, false).await,
            Search::Ambiguous(why) => {
                let note = format!("{why}; which of them is this row's cannot be known");
                Carried::new(job.sequence, Fate::Rejected, note).code("lookup.ambiguous")
            }
            // An API that only says so when asked to create.
            Search::NotAskable(_) if !self.target.file.create.exists.is_empty() => {
                self.create(job, body, false).await
            }
            Search::NotAskable(why) => {
                let note = format!("it cannot be known whether the target has it: {why}");
                Carried::new(job.sequence, Fate::Rejected, note).code("lookup.impossible")
            }
            Search::CannotTell(why) => {
                self.silent(&why);
                Carried::new(job.sequence, Fate::Pending, why)
            }
        }
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

    /// Sends a create until it has an answer. With `unanswered`, an earlier attempt of the same
    /// body may have been carried out, and the target keeps it from being made twice.
    pub(super) async fn create(&self, job: &Job, body: &Value, unanswered: bool) -> Carried {
        let mut unanswered = unanswered;
        let mut attempts = 0;
        loop {
            let call = match self.target.create_call(
                &self.facts(job, body),
                &self.idempotency(std::slice::from_ref(job)),
            ) {
                Ok(call) => call,
                Err(empty) => return impossible(job, &empty),
            };
            attempts += 1;
            let again = match self.attempt(job, &call, false).await {
                Attempt::Stopped => return self.stopped_at(job, unanswered).await,
                Attempt::Answered(Verdict::Done { id, address }, status) => {
                    let found = Match { id, address };
                    return self.settled(job, State::Created, &found, status).await;
                }
                Attempt::Answered(Verdict::Exists(refusal), status) => {
                    if unanswered {
                        // The record that stands in the way is this row's own.
                        let found = match self.search(job, body, Purpose::Existing).await {
                            Search::Found(found) => found,
                            _ => Match::none(),
                        };
                        return self.settled(job, State::Created, &found, status).await;
                    }
                    return Box::pin(self.stands_in_the_way(job, body, refusal, status)).await;
                }
                Attempt::Answered(
                    Verdict::Refused(refusal) | Verdict::Forbidden(refusal),
                    status,
                ) => {
                    return match unanswered {
                        true => self.refused_again(job, body, refusal, status).await,
                        false => self.refused(job, refusal, status).await,
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
                    return self.stopped_at(job, unanswered).await;
                }
                Attempt::Answered(
                    Verdict::NotDone {
                        limited,
                        refusal,
                        after,
                    },
                    _,
                ) => {
                    if limited {
                        attempts -= 1;
                    }
                    Again {
                        why: refusal_words(&refusal),
                        pause: after,
                        sent: false,
                    }
                }
                Attempt::NotSent(why) => Again {
                    why,
                    pause: None,
                    sent: false,
                },
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _) => {
                    match self.find_out(job, body, Times::now(), true).await {
                        Fact::Ours(found) => {
                            return self.settled(job, State::Created, &found, None).await;
                        }
                        Fact::NotMade => {
                            if let Err(carried) =
                                self.record(job, State::Absent, &Match::none(), None).await
                            {
                                return carried;
                            }
                            unanswered = false;
                            Again {
                                why,
                                pause: None,
                                sent: true,
                            }
                        }
                        Fact::Repeat => {
                            unanswered = true;
                            Again {
                                why,
                                pause: None,
                                sent: true,
                            }
                        }
                        Fact::Unclear(code, unclear) => {
                            self.silent(&why);
                            return self.uncertain(job, code, format!("{why}; {unclear}")).await;
                        }
                    }
                }
            };
            if attempts >= self.settings.attempts {
                return self.given_up(job, again, unanswered).await;
            }
            Counters::count(&self.counters.retried);
            let pause = match (again.pause, attempts) {
                // The pace waits for all alike where the target said how long.
                (Some(_), _) | (None, 0) => Duration::ZERO,
                (None, attempts) => backoff(attempts - 1, fastrand::f64()),
            };
            if self.pause(pause).await.is_err() {
                return self.stopped_at(job, unanswered).await;
            }
        }
    }

    /// What is done with a row whose attempts are used up.
    pub(super) async fn given_up(&self, job: &Job, again: Again, unanswered: bool) -> Carried {
        let Again { why, sent, .. } = again;
        if unanswered {
            self.silent(&why);
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
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        if failures >= 2 || self.settings.concurrency == 1 || !self.answered.load(Ordering::Relaxed)
        {
            self.stop(Halt::Down(why.clone()));
        }
        Carried::new(job.sequence, Fate::Pending, why)
    }

    /// Whether the target confirmed a record of this row before.
    pub(super) fn was_there(job: &Job) -> bool {
        let sent = job.entry.as_ref().and_then(|entry| entry.sent_body);
        sent.is_some()
    }

    /// Finds out whether an attempt without an answer was carried out, by the surest means first.
    pub(super) async fn find_out(
        &self,
        job: &Job,
        body: &Value,
        times: Times,
        same_body: bool,
    ) -> Fact {
        let create = &self.target.file.create;
        if same_body {
            let remembered = self.target.create.idempotency_ttl.is_none_or(|ttl| {
                now_ms().saturating_sub(times.first_ms)
                    < i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX)
            });
            let alone = job.entry.as_ref().is_none_or(|entry| entry.group.is_none());
            if create.idempotency_header.is_some() && remembered && alone {
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
        match self
            .search(
                job,
                body,
                Purpose::Settle {
                    attempted_ms: times.last_ms,
                },
            )
            .await
        {
            Search::Found(found) => Fact::Ours(found),
            Search::None => Fact::NotMade,
            Search::Ambiguous(why) => Fact::Unclear("lookup.ambiguous", why),
            Search::NotAskable(why) | Search::CannotTell(why) => match self.settings.uncertain {
                Uncertain::Resend if same_body => Fact::Repeat,
                _ => Fact::Unclear("target.unknown", why),
            },
        }
    }
}

/// When the attempts left that are open; milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    last_ms: i64,
    first_ms: i64,
}

impl Times {
    pub(super) fn now() -> Self {
        let now = now_ms();
        Self {
            last_ms: now,
            first_ms: now,
        }
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
    let note = format!(
        "the request cannot be made: the row has no `{}`",
        empty.name
    );
    Carried::new(job.sequence, Fate::Rejected, note).code("request.impossible")
}
