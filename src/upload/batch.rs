//! Several rows in one request: what becomes of each is settled by itself.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use serde_json::Value;

use super::attempt::{Attempt, refusal_words};
use super::carry::Again;
use super::dispatch::Ready;
use super::doubt::{Doubt, Fact};
use super::find::Match;
use super::pace::backoff;
use super::{Carried, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Group, Outcome, Standing, State, judge};
use crate::record::Fate;
use crate::target::answer::{Answer, Refusal, Verdict};
use crate::target::batch::{Batch, BatchVerdict, Item};
use crate::target::call::Impossible;

/// The place of a row in the batch that an earlier run sent it in.
pub(super) fn place(job: &Job) -> u32 {
    let group = job.entry.as_ref().and_then(|entry| entry.group.as_ref());
    group.map_or(0, |group| group.place)
}

impl Uploader {
    /// How this run's rows go in batches, if they do.
    pub(super) fn batch(&self) -> Option<&Batch> {
        self.target.create.batch.as_ref()
    }

    /// Whether a row is new, so that it may go in a batch.
    pub(super) fn may_join(&self, job: &Job) -> bool {
        let (mapping, space) = (&self.settings.mapping, self.settings.space);
        matches!(
            judge(job.entry.as_ref(), &job.body.hash, mapping, space),
            Standing::New | Standing::FailedBefore
        )
    }

    /// A row as a member of a batch.
    fn item(&self, job: &Job, record: Value) -> Item {
        Item {
            record,
            trace: job.key_hash.to_string(),
        }
    }

    /// One attempt to create a single row. Where batches go to the same address, it goes as a batch of
    /// one: the address may take nothing else.
    ///
    /// # Errors
    /// Where the request needs a field that is empty.
    pub(super) async fn attempt_create(
        &self,
        job: &Job,
        record: &Value,
    ) -> Result<Attempt, Impossible> {
        let key = self.idempotency([job]);
        let Some(batch) = self.batch().filter(|batch| !batch.apart) else {
            let call = self.target.create_call(&self.facts(job, record), &key)?;
            return Ok(self.attempt(job, &call, false).await);
        };
        let items = [self.item(job, record.clone())];
        let call = self.target.batch_call(batch, &items, &key)?;
        let read = |answer: &Answer| {
            let now = SystemTime::now();
            match self.target.batch_answer(batch, &items, answer, now) {
                BatchVerdict::Whole(verdict) => verdict,
                // One for each item.
                BatchVerdict::Items(verdicts) => verdicts
                    .into_iter()
                    .next()
                    .unwrap_or_else(|| Verdict::Unknown(String::new())),
            }
        };
        let intents = vec![self.intent(job, false)];
        Ok(self.attempt_with(intents, &call, &read).await)
    }

    /// Takes the rows of one batch to their fates. With `again`, it is a batch of an earlier run that
    /// may have been carried out, and the target keeps it from being carried out twice.
    pub(super) async fn carry_batch(&self, rows: Vec<Ready>, again: bool) -> Vec<Carried> {
        let mut carried = Vec::with_capacity(rows.len());
        let Some(batch) = self.batch() else {
            return carried;
        };
        let mut waiting = vec![rows];
        let mut again = again;
        while let Some(mut rows) = waiting.pop() {
            let lengths = rows.iter().map(|ready| ready.job.body.json.len());
            let fits = batch.fits(lengths).max(1);
            // What is sent again is sent as it was.
            if fits < rows.len() && !again {
                waiting.push(rows.split_off(fits));
            }
            let open = std::mem::take(&mut again);
            if let Some((first, second)) = self.send_batch(batch, rows, open, &mut carried).await {
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
        rows: Vec<Ready>,
        open: bool,
        carried: &mut Vec<Carried>,
    ) -> Option<(Vec<Ready>, Vec<Ready>)> {
        let items: Vec<Item> = rows
            .iter()
            .map(|ready| self.item(&ready.job, self.target.for_create(&ready.body)))
            .collect();
        let key = self.idempotency(rows.iter().map(|ready| &ready.job));
        let call = match self.target.batch_call(batch, &items, &key) {
            Ok(call) => call,
            Err(empty) => {
                // Found when the target file was loaded.
                self.stop(Halt::Fatal(format!(
                    "the path of its batches needs `{}`",
                    empty.name
                )));
                for ready in &rows {
                    carried.push(self.stopped_at(&ready.job, open).await);
                }
                return None;
            }
        };
        let bytes = call.body.as_ref().map_or(0, |(_, body)| body.len());
        if bytes > batch.max_bytes && rows.len() > 1 && !open {
            // What is counted beforehand are the records as JSON; a form is longer.
            return Some(halves(rows));
        }
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
        let mut open = open;
        loop {
            attempts += 1;
            let mut load = true;
            let group = |place: usize| {
                let place = u32::try_from(place).unwrap_or(u32::MAX);
                Some(Group {
                    key: Arc::clone(&group),
                    place,
                })
            };
            let jobs = rows.iter().map(|ready| &ready.job);
            let (why, wait) = match self.attempt_rows(jobs, &group, &call, &read).await {
                Attempt::Answered(Verdict::Done { .. }, status) => {
                    let verdicts = told.lock().unwrap_or_else(PoisonError::into_inner).take();
                    let verdicts = verdicts.unwrap_or_default();
                    self.settle_items(&rows, verdicts, status, open, carried)
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
                    attempts -= u32::from(limited || self.is_down());
                    load = !limited;
                    (refusal_words(&refusal), after)
                }
                Attempt::NotSent(why) => {
                    attempts -= u32::from(self.is_down());
                    load = false;
                    (why, None)
                }
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _)
                    if repeatable =>
                {
                    open = true;
                    (why, None)
                }
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _) => {
                    for ready in &rows {
                        carried.push(self.after_silence(ready, &why).await);
                    }
                    return None;
                }
                // The request that it repeats is still at work.
                Attempt::Answered(Verdict::Refused(refusal), _)
                    if open && self.repeats(&refusal) =>
                {
                    (refusal_words(&refusal), None)
                }
                Attempt::Answered(
                    verdict @ (Verdict::Refused(_)
                    | Verdict::Forbidden(_)
                    | Verdict::Exists(_)
                    | Verdict::Missing),
                    status,
                ) => {
                    // The key makes all attempts one request: none of them was carried out.
                    let never = if open { State::Absent } else { State::NotSent };
                    if self.splits(&verdict) && rows.len() > 1 {
                        let keys: Vec<_> = rows.iter().map(|ready| ready.job.key_hash).collect();
                        if self.record_keys(&keys, never, status).await.is_err() {
                            for ready in &rows {
                                carried.push(self.stopped_at(&ready.job, open).await);
                            }
                            return None;
                        }
                        fault::at(Point::BatchSplit);
                        // One bad record may have had all refused: halves until it stands alone.
                        return Some(halves(rows));
                    }
                    let verdicts = vec![verdict; rows.len()];
                    self.settle_items(&rows, verdicts, status, open, carried)
                        .await;
                    return None;
                }
                _ => {
                    for ready in &rows {
                        carried.push(self.stopped_at(&ready.job, open).await);
                    }
                    return None;
                }
            };
            if attempts >= self.settings.attempts {
                for ready in &rows {
                    carried.push(match open {
                        true => {
                            self.uncertain(&ready.job, "target.unknown", why.clone())
                                .await
                        }
                        false => {
                            let again = Again {
                                why: why.clone(),
                                pause: None,
                                sent: false,
                            };
                            self.given_up(&ready.job, again, false).await
                        }
                    });
                }
                return None;
            }
            let pause = match (wait, attempts) {
                (Some(_), _) | (None, 0) => Duration::ZERO,
                (None, attempts) => backoff(attempts - 1, fastrand::f64()),
            };
            if self.again(pause, load).await.is_err() {
                for ready in &rows {
                    carried.push(self.stopped_at(&ready.job, open).await);
                }
                return None;
            }
        }
    }

    /// Whether a refusal of a whole batch may be that of one record.
    fn splits(&self, verdict: &Verdict) -> bool {
        let batch = self.target.file.create.batch.as_ref();
        let atomic = batch.is_some_and(|batch| batch.atomic);
        match verdict {
            Verdict::Refused(refusal) => {
                // Where `ok` tells, a refusal may be a 200.
                atomic || matches!(refusal.status, 200..=299 | 400 | 413 | 422)
            }
            Verdict::Exists(_) => true,
            _ => false,
        }
    }

    /// Settles each row by what the answer says of it. With `open`, the answer is that to all
    /// attempts of this batch.
    async fn settle_items(
        &self,
        rows: &[Ready],
        verdicts: Vec<Verdict>,
        status: Option<u16>,
        open: bool,
        carried: &mut Vec<Carried>,
    ) {
        // All that the answer says is recorded in one commit, before anything is asked of others.
        let mut said: Vec<Outcome> = Vec::with_capacity(rows.len());
        for (ready, verdict) in rows.iter().zip(&verdicts) {
            let (state, id, address) = match verdict {
                Verdict::Done { id, address } => (State::Created, id.clone(), address.clone()),
                Verdict::Refused(_)
                | Verdict::Forbidden(_)
                | Verdict::Exists(_)
                | Verdict::Missing => (State::Failed, None, None),
                Verdict::NotDone { .. } | Verdict::Fatal(_) | Verdict::Unauthorised(_) => {
                    (State::NotSent, None, None)
                }
                Verdict::Unknown(_) => (State::Uncertain, None, None),
            };
            let outcome = |state| Outcome {
                key: ready.job.key_hash,
                state,
                id: id.clone(),
                address: address.clone(),
                status,
                run: Arc::clone(&self.settings.run),
            };
            // A refusal of the last attempt alone would say nothing of those before.
            if open && matches!(state, State::Failed | State::NotSent) {
                said.push(outcome(State::Absent));
            }
            said.push(outcome(state));
        }
        if let Err(error) = self.ledger.settle(said).await {
            self.stop(Halt::Ledger(error.to_string()));
            let note = "what became of it could not be recorded";
            carried.extend(rows.iter().zip(verdicts).map(|(ready, verdict)| {
                let id = match verdict {
                    Verdict::Done { id, .. } => id,
                    _ => None,
                };
                Carried::new(ready.job.sequence, Fate::Uncertain, note).id(id)
            }));
            return;
        }
        fault::at(Point::BatchSettled);
        for (ready, verdict) in rows.iter().zip(verdicts) {
            let (job, body) = (&ready.job, &ready.body);
            carried.push(match verdict {
                Verdict::Done { id, address } => {
                    let made = Match { id, address };
                    self.made(job, body, &made).await;
                    Carried::new(job.sequence, Fate::Created, "").id(made.id)
                }
                Verdict::Refused(refusal) | Verdict::Forbidden(refusal) => {
                    Carried::new(job.sequence, Fate::Failed, "").refusal(refusal)
                }
                Verdict::Exists(refusal) => {
                    Box::pin(self.stands_in_the_way(job, body, refusal, status)).await
                }
                // The target would have taken it at another moment.
                Verdict::NotDone { .. } => self.create(job, body, None).await,
                Verdict::Fatal(refusal) | Verdict::Unauthorised(refusal) => {
                    self.stop(Halt::Fatal(refusal_words(&refusal)));
                    Carried::pending(job.sequence)
                }
                Verdict::Unknown(why) => self.after_silence(ready, &why).await,
                Verdict::Missing => {
                    let refusal = Refusal {
                        status: status.unwrap_or(404),
                        ..Refusal::default()
                    };
                    Carried::new(job.sequence, Fate::Failed, "").refusal(refusal)
                }
            });
        }
    }

    /// A row of a batch of which no answer says what became of it. The batch's own key keeps the
    /// batch from being made twice, not the row.
    async fn after_silence(&self, ready: &Ready, why: &str) -> Carried {
        let (job, body) = (&ready.job, &ready.body);
        let doubt = Doubt::in_batch();
        match self.find_out(job, body, doubt).await {
            Fact::Ours(found) => self.settled(job, State::Created, &found, None).await,
            Fact::NotMade => self.once_more(job, body).await,
            Fact::Repeat => self.create(job, body, Some(doubt.since_ms)).await,
            Fact::Unclear { code, why: unclear } => {
                self.uncertain(job, code, format!("{why}; {unclear}")).await
            }
        }
    }
}

fn halves(mut rows: Vec<Ready>) -> (Vec<Ready>, Vec<Ready>) {
    let second = rows.split_off(rows.len() / 2);
    (rows, second)
}
