//! Several rows in one request: what becomes of each is settled by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::attempt::{Attempt, refusal_words};
use super::carry::{Again, Fact, Times};
use super::find::Match;
use super::pace::backoff;
use super::{Carried, Counters, Halt, Job, Uploader};
use crate::ledger::{Group, Outcome, Standing, State, judge};
use crate::record::{Existing, Fate};
use crate::target::answer::{Answer, Refusal, Verdict};
use crate::target::batch::{Batch, BatchVerdict, Item};

impl Uploader {
    /// How this run's rows go in batches, if they do. Where the target is asked first whether it
    /// has a row, rows go singly.
    pub(super) fn batch(&self) -> Option<&Batch> {
        let batch = self.target.create.batch.as_ref()?;
        (self.settings.existing == Existing::Create).then_some(batch)
    }

    /// Whether a row is new, so that it may go in a batch.
    pub(super) fn may_join(&self, job: &Job) -> bool {
        let (mapping, space) = (&self.settings.mapping, self.settings.space);
        matches!(
            judge(job.entry.as_ref(), &job.body.hash, mapping, space),
            Standing::New | Standing::FailedBefore
        )
    }

    /// Takes the rows of one batch to their fates.
    pub(super) async fn carry_batch(&self, jobs: Vec<Job>) -> Vec<Carried> {
        let mut carried = Vec::with_capacity(jobs.len());
        let Some(batch) = self.batch() else {
            return carried;
        };
        let mut waiting = vec![jobs];
        while let Some(mut jobs) = waiting.pop() {
            let fits = batch
                .fits(jobs.iter().map(|job| job.body.json.len()))
                .max(1);
            if fits < jobs.len() {
                waiting.push(jobs.split_off(fits));
            }
            if let Some((first, second)) = self.send_batch(batch, jobs, &mut carried).await {
                waiting.push(second);
                waiting.push(first);
            }
        }
        carried
    }

    /// Sends one batch until it has an answer, and settles each of its rows. Where the batch is
    /// refused as a whole, its halves are given back, to be sent by themselves.
    async fn send_batch(
        &self,
        batch: &Batch,
        jobs: Vec<Job>,
        carried: &mut Vec<Carried>,
    ) -> Option<(Vec<Job>, Vec<Job>)> {
        let items: Vec<Item> = jobs
            .iter()
            .map(|job| Item {
                // A prepared body is JSON of our own making.
                record: serde_json::from_str(&job.body.json).unwrap_or(Value::Null),
                trace: job.key_hash.to_string(),
            })
            .collect();
        let key = self.idempotency(&jobs);
        let call = match self.target.batch_call(batch, &items, &key) {
            Ok(call) => call,
            Err(empty) => {
                // Found when the target file was loaded.
                self.stop(Halt::Fatal(format!(
                    "the path of its batches needs `{}`",
                    empty.name
                )));
                carried.extend(jobs.iter().map(|job| Carried::pending(job.sequence)));
                return None;
            }
        };
        let group: Arc<str> = key.into();
        let repeatable = self.target.file.create.idempotency_header.is_some();
        let told: Mutex<Option<Vec<Verdict>>> = Mutex::new(None);
        let read = |answer: &Answer| match self.target.batch_answer(
            batch,
            &items,
            answer,
            SystemTime::now(),
        ) {
            BatchVerdict::Whole(verdict) => verdict,
            BatchVerdict::Items(verdicts) => {
                *told.lock().unwrap_or_else(PoisonError::into_inner) = Some(verdicts);
                Verdict::Done {
                    id: None,
                    address: None,
                }
            }
        };
        let mut attempts = 0;
        // Whether an attempt may have been carried out, and the same request may be repeated.
        let mut open = false;
        loop {
            attempts += 1;
            let group = |place: usize| {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                Some(Group {
                    key: Arc::clone(&group),
                    place,
                })
            };
            let (why, wait) = match self.attempt_rows(&jobs, &group, &call, &read).await {
                Attempt::Answered(Verdict::Done { .. }, status) => {
                    let verdicts = told.lock().unwrap_or_else(PoisonError::into_inner).take();
                    self.settle_items(&jobs, verdicts.unwrap_or_default(), status, carried)
                        .await;
                    return None;
                }
                Attempt::Answered(
                    Verdict::NotDone {
                        limited,
                        refusal,
                        after,
                    },
                    _,
                ) => {
                    attempts -= u32::from(limited);
                    (refusal_words(&refusal), after)
                }
                Attempt::NotSent(why) => (why, None),
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _)
                    if repeatable =>
                {
                    open = true;
                    (why, None)
                }
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _) => {
                    for job in &jobs {
                        carried.push(self.after_silence(job, why.clone()).await);
                    }
                    return None;
                }
                Attempt::Answered(Verdict::Refused(refusal), status)
                    if jobs.len() > 1 && !open && matches!(refusal.status, 400 | 413 | 422) =>
                {
                    // One bad record may have had all refused: halves until it stands alone.
                    if self
                        .record_rows(&jobs, State::NotSent, status)
                        .await
                        .is_err()
                    {
                        carried.extend(jobs.iter().map(|job| Carried::pending(job.sequence)));
                        return None;
                    }
                    let mut first = jobs;
                    let second = first.split_off(first.len() / 2);
                    return Some((first, second));
                }
                Attempt::Answered(
                    Verdict::Refused(refusal)
                    | Verdict::Forbidden(refusal)
                    | Verdict::Exists(refusal),
                    status,
                ) if !open => {
                    for job in &jobs {
                        carried.push(self.refused(job, refusal.clone(), status).await);
                    }
                    return None;
                }
                Attempt::Answered(Verdict::Missing, status) if !open => {
                    let refusal = Refusal {
                        status: status.unwrap_or(404),
                        ..Refusal::default()
                    };
                    for job in &jobs {
                        carried.push(self.refused(job, refusal.clone(), status).await);
                    }
                    return None;
                }
                _ => {
                    for job in &jobs {
                        carried.push(self.stopped_at(job, open).await);
                    }
                    return None;
                }
            };
            if attempts >= self.settings.attempts {
                for job in &jobs {
                    carried.push(match open {
                        true => self.uncertain(job, "target.unknown", why.clone()).await,
                        false => {
                            let again = Again {
                                why: why.clone(),
                                pause: None,
                                sent: false,
                            };
                            self.given_up(job, again, false).await
                        }
                    });
                }
                return None;
            }
            Counters::count(&self.counters.retried);
            let pause = match (wait, attempts) {
                (Some(_), _) | (None, 0) => Duration::ZERO,
                (None, attempts) => backoff(attempts - 1, fastrand::f64()),
            };
            if self.pause(pause).await.is_err() {
                for job in &jobs {
                    carried.push(self.stopped_at(job, open).await);
                }
                return None;
            }
        }
    }

    /// Settles each row by what the answer says of it.
    async fn settle_items(
        &self,
        jobs: &[Job],
        verdicts: Vec<Verdict>,
        status: Option<u16>,
        carried: &mut Vec<Carried>,
    ) {
        // What was made is recorded in one commit, before anything is asked of the others.
        let made: Vec<Outcome> = jobs
            .iter()
            .zip(&verdicts)
            .filter_map(|(job, verdict)| match verdict {
                Verdict::Done { id, address } => Some(Outcome {
                    key: job.key_hash,
                    state: State::Created,
                    id: id.clone(),
                    address: address.clone(),
                    status,
                    run: Arc::clone(&self.settings.run),
                }),
                _ => None,
            })
            .collect();
        let recorded = self.ledger.settle(made).await;
        if let Err(error) = &recorded {
            self.stop(Halt::Ledger(error.to_string()));
        }
        for (job, verdict) in jobs.iter().zip(verdicts) {
            carried.push(match verdict {
                Verdict::Done { id, .. } if recorded.is_ok() => {
                    Carried::new(job.sequence, Fate::Created, "").id(id)
                }
                Verdict::Done { id, .. } => {
                    let note = "what became of it could not be recorded";
                    Carried::new(job.sequence, Fate::Uncertain, note).id(id)
                }
                Verdict::Refused(refusal) | Verdict::Forbidden(refusal) => {
                    self.refused(job, refusal, status).await
                }
                Verdict::Exists(refusal) => {
                    let body = body(job);
                    Box::pin(self.stands_in_the_way(job, &body, refusal, status)).await
                }
                Verdict::NotDone { .. } => match self
                    .record(job, State::NotSent, &Match::none(), status)
                    .await
                {
                    // The target would have taken it at another moment.
                    Ok(_) => self.create(job, &body(job), false).await,
                    Err(carried) => carried,
                },
                Verdict::Fatal(refusal) | Verdict::Unauthorised(refusal) => {
                    self.stop(Halt::Fatal(refusal_words(&refusal)));
                    match self
                        .record(job, State::NotSent, &Match::none(), status)
                        .await
                    {
                        Ok(_) => Carried::pending(job.sequence),
                        Err(carried) => carried,
                    }
                }
                Verdict::Unknown(why) => self.after_silence(job, why).await,
                Verdict::Missing => {
                    self.after_silence(job, "the answer does not name this row".to_owned())
                        .await
                }
            });
        }
    }

    /// A row of a batch of which no answer says what became of it.
    async fn after_silence(&self, job: &Job, why: String) -> Carried {
        let body = body(job);
        match self.find_out(job, &body, Times::now(), true).await {
            // The batch's own key keeps the batch from being made twice, not the row.
            Fact::Repeat if self.target.file.create.idempotency_header.is_some() => {
                self.uncertain(job, "target.unknown", why).await
            }
            Fact::Ours(found) => self.settled(job, State::Created, &found, None).await,
            Fact::NotMade => match self.record(job, State::Absent, &Match::none(), None).await {
                Ok(_) => self.create(job, &body, false).await,
                Err(carried) => carried,
            },
            Fact::Repeat => self.create(job, &body, true).await,
            Fact::Unclear(code, unclear) => {
                self.uncertain(job, code, format!("{why}; {unclear}")).await
            }
        }
    }
}

fn body(job: &Job) -> Value {
    serde_json::from_str(&job.body.json).unwrap_or(Value::Null)
}
