//! One request: its pace, its token, its intent in the ledger, its answer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;

use super::auth::{Authorization, NoToken};
use super::circuit::Passage;
use super::client::NoAnswer;
use super::concurrency::Came;
use super::pace::{UsedUp, backoff};
use super::{Counters, Halt, Happening, Job, PATIENCE, Uploader, lock};
use crate::fault::{self, Point};
use crate::ledger::{Group, Intent, State};
use crate::record::KeyHash;
use crate::target::answer::{Answer, Refusal, Verdict, retry_after};
use crate::target::call::Call;

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

/// When a run may go on, for people.
fn goes_on(wait: Duration) -> String {
    let at = jiff::Timestamp::now().checked_add(wait);
    let at = at.map_or(String::new(), |at| {
        // A minute more: seconds are not shown.
        let at = at.checked_add(Duration::from_secs(59)).unwrap_or(at);
        format!(" at {}", at.strftime("%Y-%m-%d %H:%M UTC"))
    });
    format!("; it may go on{at}, and `--wait` goes on by itself")
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
            let Ok(authorization) = self.admitted().await else {
                return Attempt::Stopped;
            };
            let departure = self.departures.acquire().await;
            // Counted before it is recorded, so that no crash forgets a request.
            let counted = self.pace.count();
            fault::at(Point::IntentBefore);
            if let Err(error) = self.ledger.about_to_send(intents.clone()).await {
                self.pace.uncount(counted);
                self.stop(Halt::Ledger(error.to_string()));
                return Attempt::Stopped;
            }
            fault::at(Point::IntentAfter);
            // The pace comes last: what the disk takes does not make requests leave in heaps.
            if self.permit().await.is_err() {
                self.pace.uncount(counted);
                // Where this cannot be recorded, the row is asked about at the next run.
                let _ = self.record_keys(&keys, State::NotSent, None).await;
                return Attempt::Stopped;
            }
            drop(departure);
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
        let authorization = self.admitted().await?;
        self.counted_permit().await?;
        Ok(authorization)
    }

    /// A permit of a request that is not recorded; it counts only where it leaves.
    async fn counted_permit(&self) -> Result<(), Stopped> {
        let counted = self.pace.count();
        let permit = self.permit().await;
        if permit.is_err() {
            self.pace.uncount(counted);
        }
        permit
    }

    /// Waits until the target is up, as far as is known, and lets us in.
    async fn admitted(&self) -> Result<Option<Authorization>, Stopped> {
        let mut attempt = 0;
        loop {
            self.passage().await?;
            let permit = async { self.counted_permit().await.is_ok() };
            let note = |text| self.note(text);
            match self
                .credentials
                .authorization(&self.client, &self.target, permit, &note)
                .await
            {
                Ok(authorization) => return Ok(authorization),
                Err(NoToken::Refused(refusal)) => {
                    self.stop(Halt::NotAuthorised(refusal.message));
                    return Err(Stopped);
                }
                Err(NoToken::Stopped) => return Err(Stopped),
                Err(NoToken::Limited(wait)) => {
                    Counters::count(&self.counters.limited);
                    self.pace
                        .answered(429, wait, &HeaderMap::new(), Instant::now());
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
        }
    }

    /// Waits while the target is down, and stops the run where that takes too long.
    async fn passage(&self) -> Result<(), Stopped> {
        loop {
            if self.stopped().is_some() {
                lock(&self.circuit).abandoned();
                return Err(Stopped);
            }
            let passage = lock(&self.circuit).passage(self.began.elapsed());
            match passage {
                Passage::Go | Passage::Try => return Ok(()),
                Passage::Wait(wait) => self.pause(wait).await?,
                Passage::GiveUp => {
                    let why = lock(&self.trouble).clone();
                    self.stop(Halt::Down(why));
                    return Err(Stopped);
                }
            }
        }
    }

    /// Whether the target is taken to be down.
    pub(super) fn is_down(&self) -> bool {
        lock(&self.circuit).is_open()
    }

    /// Before a request is repeated: waits as it should, and until the run may repeat at all. What
    /// never arrived, or was refused for pace, has no part in the budget of repetitions.
    pub(super) async fn again(&self, pause: Duration, of_budget: bool) -> Result<(), Stopped> {
        Counters::count(&self.counters.retried);
        (self.listener.0)(Happening::Retried);
        while of_budget && !self.is_down() {
            let wait = lock(&self.budget).repeat(self.began.elapsed());
            match wait {
                Some(wait) => self.pause(wait).await?,
                None => break,
            }
        }
        self.pause(pause).await
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
                    let when = wait.map_or(String::new(), goes_on);
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
        let under_way = self.under_way.fetch_add(1, Ordering::Relaxed) + 1;
        let left = Instant::now();
        let answer = self.client.send(call, header).await;
        let took = left.elapsed();
        self.under_way.fetch_sub(1, Ordering::Relaxed);
        self.learn(&answer, took, under_way);
        let answer = answer.map_err(|error| match error {
            NoAnswer::NotSent(why) => Attempt::NotSent(why),
            NoAnswer::Unknown(why) => Attempt::Unknown(why),
            NoAnswer::Impossible(why) => {
                self.stop(Halt::Broken(why.clone()));
                Attempt::NotSent(why)
            }
        })?;
        if answer.status == 429 {
            Counters::count(&self.counters.limited);
            (self.listener.0)(Happening::Limited);
        }
        let wait = retry_after(&answer.headers, SystemTime::now()).filter(|_| answer.status >= 400);
        self.pace
            .answered(answer.status, wait, &answer.headers, left);
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

    /// What an answer, or none, says of how the target is.
    fn learn(&self, answer: &Result<Answer, NoAnswer>, took: Duration, under_way: usize) {
        let trouble = match answer {
            Ok(answer) if answer.status == 408 || answer.status >= 500 => {
                Some(format!("it answered {}", answer.status))
            }
            Ok(_) | Err(NoAnswer::Impossible(_)) => None,
            Err(NoAnswer::NotSent(why) | NoAnswer::Unknown(why)) => Some(why.clone()),
        };
        let in_doubt = match answer {
            Ok(answer) => answer.status != 503,
            Err(error) => matches!(error, NoAnswer::Unknown(_)),
        };
        // A refusal for pace says nothing of how much the target can do at once.
        if !matches!(answer, Ok(answer) if answer.status == 429) {
            let came = if trouble.is_none() {
                Came::Well
            } else {
                Came::Badly
            };
            lock(&self.concurrency).answered(came, took, under_way);
        }
        let mut circuit = lock(&self.circuit);
        let Some(why) = trouble else {
            if circuit.heard() {
                (self.listener.0)(Happening::Up);
            }
            return;
        };
        *lock(&self.trouble) = why.clone();
        if circuit.failed(self.began.elapsed()) {
            // Each try would be one more row of which nobody knows.
            if in_doubt && !self.finds_out() {
                circuit.be_patient(Duration::ZERO);
            }
            let patience = circuit.patience();
            if !patience.is_zero() {
                (self.listener.0)(Happening::Down(why, patience));
            }
        }
    }

    /// Whether there is a way to find out about an attempt without an answer.
    fn finds_out(&self) -> bool {
        let (target, create) = (&self.target, &self.target.file.create);
        let keyed = |update: &crate::target::Update| update.keyed.is_some();
        create.idempotency_header.is_some()
            || create.natural_key.is_some()
            || target.update.as_ref().is_some_and(keyed)
            || !target.lookups.is_empty()
            || target.list.is_some()
    }

    /// The target gave an answer that settles something.
    pub(super) fn heard(&self) {
        let before = self.answered.swap(true, Ordering::Relaxed);
        if !before && self.settings.wait_down.is_none() {
            lock(&self.circuit).be_patient(PATIENCE);
        }
        self.forbidden.store(0, Ordering::Relaxed);
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
