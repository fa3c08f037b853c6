//! Writing down what is about to be done and what came of it.

use std::sync::Arc;

use serde_json::Value;

use super::attempt::Stopped;
use super::find::Match;
use super::{Carried, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Intent, Outcome, State};
use crate::record::{Fate, KeyHash};
use crate::target::answer::Refusal;

impl Uploader {
    /// The idempotency key of the rows of one request: the same over runs, another where a body
    /// changes.
    pub(super) fn idempotency<'j>(&self, jobs: impl IntoIterator<Item = &'j Job>) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.settings.account);
        for job in jobs {
            hasher.update(&job.key_hash.0).update(&job.body.hash.0);
        }
        let hash = hasher.finalize();
        hash.as_bytes()[..16]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub(super) fn intent(&self, job: &Job, update: bool) -> Intent {
        Intent {
            key: job.key_hash,
            body: job.body.hash,
            mapping: self.settings.mapping,
            space: self.settings.space,
            row: job.row,
            run: Arc::clone(&self.settings.run),
            update,
            group: None,
            asked: job.asked,
            mended: job.mended,
        }
    }

    /// Records what is true of several rows alike.
    pub(super) async fn record_keys(
        &self,
        keys: &[KeyHash],
        state: State,
        status: Option<u16>,
    ) -> Result<(), Stopped> {
        let outcome = |key: &KeyHash| Outcome {
            key: *key,
            state,
            id: None,
            address: None,
            status,
            run: Arc::clone(&self.settings.run),
        };
        let outcomes = keys.iter().map(outcome).collect();
        self.ledger
            .settle(outcomes)
            .await
            .map(drop)
            .map_err(|error| {
                self.stop(Halt::Ledger(error.to_string()));
                Stopped
            })
    }

    /// Records an outcome. Where that fails, the run stops and the row's fate is what it was.
    pub(super) async fn record(
        &self,
        job: &Job,
        state: State,
        found: &Match,
        status: Option<u16>,
    ) -> Result<State, Carried> {
        let outcome = Outcome {
            key: job.key_hash,
            state,
            id: found.id.clone(),
            address: found.address.clone(),
            status,
            run: Arc::clone(&self.settings.run),
        };
        match self.ledger.settle(vec![outcome]).await {
            Ok(states) => Ok(states.first().copied().unwrap_or(state)),
            Err(error) => {
                self.stop(Halt::Ledger(error.to_string()));
                let note = "what became of it could not be recorded";
                Err(Carried::new(job.sequence, Fate::Uncertain, note).id(found.id.clone()))
            }
        }
    }

    pub(super) async fn settled(
        &self,
        job: &Job,
        state: State,
        found: &Match,
        status: Option<u16>,
    ) -> Carried {
        let fate = match state {
            State::Updated => Fate::Updated,
            _ => Fate::Created,
        };
        match self.record(job, state, found, status).await {
            Ok(_) => {
                fault::at(Point::OutcomeAfter);
                if state == State::Created && (self.any_doubt() || self.target.list.is_some()) {
                    let body = serde_json::from_str(&job.body.json).unwrap_or_default();
                    self.made(job, &body, found).await;
                }
                Carried::new(job.sequence, fate, "").id(found.id.clone())
            }
            Err(carried) => carried,
        }
    }

    /// A record was made: later rows may find it, and must not take it for theirs.
    pub(super) async fn made(&self, job: &Job, body: &Value, found: &Match) {
        if self.any_doubt() {
            self.out_of_doubt(job, body);
        }
        self.add_to_list(body, found).await;
    }

    pub(super) async fn refused(
        &self,
        job: &Job,
        refusal: Refusal,
        status: Option<u16>,
    ) -> Carried {
        match self
            .record(job, State::Failed, &Match::none(), status)
            .await
        {
            Ok(_) => Carried::new(job.sequence, Fate::Failed, "").refusal(refusal),
            Err(carried) => carried,
        }
    }

    pub(super) async fn uncertain(&self, job: &Job, code: &'static str, why: String) -> Carried {
        self.uncertain_after(job, code, why, None).await
    }

    /// The same, with the status of an answer that does not tell.
    pub(super) async fn uncertain_after(
        &self,
        job: &Job,
        code: &'static str,
        why: String,
        status: Option<u16>,
    ) -> Carried {
        let body = serde_json::from_str(&job.body.json).unwrap_or_default();
        self.in_doubt(job, &body);
        match self
            .record(job, State::Uncertain, &Match::none(), status)
            .await
        {
            Ok(_) => Carried::new(job.sequence, Fate::Uncertain, why).code(code),
            Err(carried) => carried,
        }
    }

    /// The fate of a row at which the run stopped: pending, unless an attempt of it is open.
    pub(super) async fn stopped_at(&self, job: &Job, unanswered: bool) -> Carried {
        if unanswered {
            return self
                .uncertain(
                    job,
                    "target.unknown",
                    "the run was stopped before its attempt could be settled".to_owned(),
                )
                .await;
        }
        Carried::new(job.sequence, Fate::Pending, "")
    }
}
