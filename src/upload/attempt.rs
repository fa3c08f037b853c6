//! One request: its pace, its token, its intent in the ledger, its answer.

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use reqwest::header::HeaderMap;

use super::auth::{Authorization, NoToken};
use super::client::NoAnswer;
use super::pace::{UsedUp, backoff};
use super::{Counters, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Group, Intent, State};
use crate::record::KeyHash;
use crate::target::answer::{Answer, Refusal, Verdict, retry_after};
use crate::target::call::Call;

/// So many rows in a row that end without an answer mean that the target is down.
const SILENT_ROWS: u32 = 5;

/// The run was stopped.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stopped;

/// Why a question to the target has no answer.
#[derive(Debug, Clone)]
pub(super) struct NoReply(pub(super) String);

/// What an attempt came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attempt {
    /// The target answered.
    Answered(Verdict, Option<u16>),
    /// It certainly did not arrive.
    NotSent(String),
    /// Nobody can say whether it was carried out.
    Unknown(String),
    /// The run was stopped before it left.
    Stopped,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// It makes or changes records.
    Rows,
    /// It asks.
    Nothing,
}

pub(super) fn refusal_words(refusal: &Refusal) -> String {
    match (refusal.status, refusal.message.as_str()) {
        (0, message) => message.to_owned(),
        (status, "") => format!("it answered {status}"),
        (status, message) => format!("it answered {status}: {message}"),
    }
}

impl Uploader {
    /// One attempt: the intent is durable before the request leaves, and what is certain of its
    /// outcome is durable before anything else is done.
    pub(super) async fn attempt(&self, job: &Job, call: &Call, update: bool) -> Attempt {
        let read = |answer: &Answer| match update {
            true => self.target.updated(answer, SystemTime::now()),
            false => self.target.created(answer, SystemTime::now()),
        };
        self.attempt_with(vec![self.intent(job, update)], call, &read)
            .await
    }

    /// One attempt that carries several rows.
    pub(super) async fn attempt_rows<'j>(
        &self,
        jobs: impl Iterator<Item = &'j Job>,
        group: &(dyn Fn(usize) -> Option<Group> + Sync),
        call: &Call,
        read: &(dyn Fn(&Answer) -> Verdict + Sync),
    ) -> Attempt {
        let intents = jobs
            .enumerate()
            .map(|(place, job)| Intent {
                group: group(place),
                ..self.intent(job, false)
            })
            .collect();
        self.attempt_with(intents, call, read).await
    }

    pub(super) async fn attempt_with(
        &self,
        intents: Vec<Intent>,
        call: &Call,
        read: &(dyn Fn(&Answer) -> Verdict + Sync),
    ) -> Attempt {
        let keys: Vec<KeyHash> = intents.iter().map(|intent| intent.key).collect();
        let mut renewed = false;
        loop {
            let Ok(authorization) = self.ready().await else {
                return Attempt::Stopped;
            };
            fault::at(Point::IntentBefore);
            if let Err(error) = self.ledger.about_to_send(intents.clone()).await {
                self.stop(Halt::Ledger(error.to_string()));
                return Attempt::Stopped;
            }
            fault::at(Point::IntentAfter);
            let mut attempt = match self.send(call, Carries::Rows, authorization.as_ref()).await {
                Ok(answer) => Attempt::Answered(read(&answer), Some(answer.status)),
                Err(attempt) => attempt,
            };
            fault::at(Point::AnswerRead);
            if let Attempt::Answered(Verdict::Forbidden(refusal), status) = &attempt
                && self.shut_out(refusal)
            {
                // It is not the row that is refused.
                attempt = Attempt::Answered(Verdict::Unauthorised(refusal.clone()), *status);
                renewed = true;
            }
            let certainly_not = match &attempt {
                Attempt::NotSent(_) => true,
                Attempt::Answered(verdict, _) => matches!(
                    verdict,
                    Verdict::NotDone { .. } | Verdict::Unauthorised(_) | Verdict::Fatal(_)
                ),
                _ => false,
            };
            if certainly_not {
                let status = match &attempt {
                    Attempt::Answered(_, status) => *status,
                    _ => None,
                };
                if self
                    .record_keys(&keys, State::NotSent, status)
                    .await
                    .is_err()
                {
                    return Attempt::Stopped;
                }
            }
            match &attempt {
                Attempt::Answered(Verdict::Unauthorised(_), _)
                    if !renewed && self.credentials.renewable() =>
                {
                    renewed = true;
                    if let Some(authorization) = &authorization {
                        self.credentials.forget(authorization).await;
                    }
                }
                Attempt::Answered(Verdict::Unauthorised(refusal), _) => {
                    self.stop(Halt::NotAuthorised(refusal_words(refusal)));
                    return attempt;
                }
                Attempt::Answered(Verdict::Fatal(refusal), _) => {
                    self.stop(Halt::Fatal(refusal_words(refusal)));
                    return attempt;
                }
                Attempt::Answered(
                    Verdict::Done { .. }
                    | Verdict::Exists(_)
                    | Verdict::Missing
                    | Verdict::Refused(_),
                    _,
                ) => {
                    self.heard();
                    return attempt;
                }
                _ => return attempt,
            }
        }
    }

    /// Asks the target something that changes nothing, again where that may help.
    pub(super) async fn ask(&self, call: &Call) -> Result<Answer, NoReply> {
        let mut why = String::new();
        let mut attempt = 0;
        while attempt < self.settings.attempts {
            Counters::count(&self.counters.lookups);
            fault::at(Point::AskBefore);
            let answer = self.request(call, Carries::Nothing).await;
            fault::at(Point::AskAfter);
            match answer {
                Ok(answer) if answer.status < 300 || answer.status == 404 => {
                    self.heard();
                    return Ok(answer);
                }
                Ok(answer) => match self.target.refused(&answer, SystemTime::now()) {
                    Verdict::Unauthorised(refusal) => {
                        self.stop(Halt::NotAuthorised(refusal_words(&refusal)));
                        return Err(NoReply(refusal_words(&refusal)));
                    }
                    Verdict::Fatal(refusal) => {
                        self.stop(Halt::Fatal(refusal_words(&refusal)));
                        return Err(NoReply(refusal_words(&refusal)));
                    }
                    Verdict::Forbidden(refusal) => {
                        self.shut_out(&refusal);
                        return Err(NoReply(refusal_words(&refusal)));
                    }
                    Verdict::NotDone { limited: true, .. } => why = "429".to_owned(),
                    Verdict::NotDone { refusal, .. } => {
                        why = refusal_words(&refusal);
                        attempt += 1;
                    }
                    Verdict::Unknown(said) => {
                        why = said;
                        attempt += 1;
                    }
                    _ => return Ok(answer),
                },
                Err(Attempt::Stopped) => return Err(NoReply("the run was stopped".to_owned())),
                Err(Attempt::NotSent(said) | Attempt::Unknown(said)) => {
                    why = said;
                    attempt += 1;
                }
                Err(Attempt::Answered(..)) => attempt += 1,
            }
            if self.pause(backoff(attempt, fastrand::f64())).await.is_err() {
                return Err(NoReply("the run was stopped".to_owned()));
            }
        }
        Err(NoReply(why))
    }

    /// One request with its pace and its token, which is renewed once where it is refused.
    pub(super) async fn request(&self, call: &Call, carries: Carries) -> Result<Answer, Attempt> {
        let authorization = self.ready().await.map_err(|Stopped| Attempt::Stopped)?;
        let answer = self.send(call, carries, authorization.as_ref()).await?;
        if answer.status != 401 || !self.credentials.renewable() {
            return Ok(answer);
        }
        if let Some(authorization) = &authorization {
            self.credentials.forget(authorization).await;
        }
        let authorization = self.ready().await.map_err(|Stopped| Attempt::Stopped)?;
        self.send(call, carries, authorization.as_ref()).await
    }

    /// Waits until a request may leave, with its authorization.
    pub(super) async fn ready(&self) -> Result<Option<Authorization>, Stopped> {
        let mut attempt = 0;
        let authorization = loop {
            if self.stopped().is_some() {
                return Err(Stopped);
            }
            let permit = async {
                let _ = self.permit().await;
            };
            let note = |text| self.note(text);
            match self
                .credentials
                .authorization(&self.client, &self.target, permit, &note)
                .await
            {
                Ok(authorization) => break authorization,
                Err(NoToken::Refused(refusal)) => {
                    self.stop(Halt::NotAuthorised(refusal.message));
                    return Err(Stopped);
                }
                Err(NoToken::Limited(wait)) => {
                    Counters::count(&self.counters.limited);
                    self.pace.answered(429, wait, &HeaderMap::new());
                }
                Err(NoToken::Again(why)) => {
                    attempt += 1;
                    if attempt >= self.settings.attempts {
                        self.stop(Halt::Down(why));
                        return Err(Stopped);
                    }
                    self.pause(backoff(attempt, fastrand::f64())).await?;
                }
            }
        };
        self.permit().await?;
        Ok(authorization)
    }

    pub(super) async fn permit(&self) -> Result<(), Stopped> {
        let mut halted = self.halt.subscribe();
        tokio::select! {
            permit = self.pace.permit() => match permit {
                Ok(()) => {
                    // A stop that came with the permit counts.
                    if self.stopped().is_some() { Err(Stopped) } else { Ok(()) }
                }
                Err(UsedUp { what, wait }) => {
                    let when = wait.map_or(String::new(), |wait| {
                        format!("; it may go on in {} minutes", wait.as_secs().div_ceil(60))
                    });
                    self.stop(Halt::Quota(format!("{what}{when}")));
                    Err(Stopped)
                }
            },
            _ = halted.wait_for(Option::is_some) => Err(Stopped),
        }
    }

    pub(super) async fn send(
        &self,
        call: &Call,
        carries: Carries,
        authorization: Option<&Authorization>,
    ) -> Result<Answer, Attempt> {
        use secrecy::ExposeSecret as _;
        if carries == Carries::Rows {
            Counters::count(&self.counters.sent);
        }
        let header = authorization.map(|auth| (auth.header.as_str(), auth.value.expose_secret()));
        let answer = self
            .client
            .send(call, header)
            .await
            .map_err(|error| match error {
                NoAnswer::NotSent(why) => Attempt::NotSent(why),
                NoAnswer::Unknown(why) => Attempt::Unknown(why),
                NoAnswer::Impossible(why) => {
                    self.stop(Halt::Broken(why.clone()));
                    Attempt::NotSent(why)
                }
            })?;
        if answer.status == 429 {
            Counters::count(&self.counters.limited);
        }
        let wait = retry_after(&answer.headers, SystemTime::now()).filter(|_| answer.status >= 400);
        self.pace.answered(answer.status, wait, &answer.headers);
        Ok(answer)
    }

    /// Waits, unless the run is stopped meanwhile.
    pub(super) async fn pause(&self, pause: Duration) -> Result<(), Stopped> {
        if self.stopped().is_some() {
            return Err(Stopped);
        }
        if pause.is_zero() {
            return Ok(());
        }
        let mut halted = self.halt.subscribe();
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            _ = halted.wait_for(Option::is_some) => Err(Stopped),
        }
    }

    /// A row ended without an answer. A few of them one after another, and the target is down.
    pub(super) fn silent(&self, why: &str) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
        let most = u32::try_from(self.settings.concurrency).unwrap_or(u32::MAX);
        if failures >= SILENT_ROWS.max(most) {
            self.stop(Halt::Down(why.to_owned()));
        }
    }

    /// The target gave an answer that settles something.
    pub(super) fn heard(&self) {
        self.answered.store(true, Ordering::Relaxed);
        self.forbidden.store(0, Ordering::Relaxed);
        self.failures.store(0, Ordering::Relaxed);
    }

    /// Whether a 403 is the run's end: on the first request, or five times in a row.
    pub(super) fn shut_out(&self, refusal: &Refusal) -> bool {
        let first = !self.answered.load(Ordering::Relaxed);
        let in_a_row = self.forbidden.fetch_add(1, Ordering::Relaxed) + 1;
        if first || in_a_row >= 5 {
            self.stop(Halt::NotAuthorised(refusal_words(refusal)));
            return true;
        }
        false
    }
}
