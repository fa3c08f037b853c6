//! Changing a record that the target has: by its key, in part, or as a whole.

use std::time::SystemTime;

use serde_json::Value;

use super::attempt::*;
use super::carry::*;
use super::doubt::Fact;
use super::find::{Match, Purpose, Search};
use super::pace::backoff;
use super::{Carried, Halt, Job, Uploader};
use crate::fault::{self, Point};
use crate::ledger::{Found, State};
use crate::record::Fate;
use crate::target::answer::{Refusal, Verdict, id_text};
use crate::target::call::{Call, Facts, Impossible};
use crate::target::file::{CustomShape, UpdateMode};

/// What is said of a record that is not there any more.
const GONE: &str = "the target no longer has the record";

/// What an update came to.
enum Changed {
    Done(Match, Option<u16>),
    Missing,
    Over(Box<Carried>),
}

impl Uploader {
    /// A keyed update settles: success = the record is there, missing = it was not made.
    pub(super) async fn settle_by_update(&self, job: &Job, body: &Value) -> Option<Fact> {
        let call = self.keyed_call(job, body)?.ok()?;
        let mut attempt = 0;
        while attempt < self.settings.attempts {
            attempt += 1;
            match self.request(&call, Carries::Rows).await {
                Ok(answer) => match self.target.updated(&answer, SystemTime::now()) {
                    Verdict::Done { id, address } => {
                        self.heard();
                        return Some(Fact::Ours(Match { id, address }));
                    }
                    Verdict::Missing => {
                        self.heard();
                        return Some(Fact::NotMade);
                    }
                    Verdict::NotDone { limited, .. } => attempt -= u32::from(limited),
                    Verdict::Unknown(_) => {}
                    Verdict::Unauthorised(refusal) => {
                        self.stop(Halt::NotAuthorised(refusal_words(&refusal)));
                    }
                    Verdict::Fatal(refusal) => self.stop(Halt::Fatal(refusal_words(&refusal))),
                    _ => return None,
                },
                Err(Attempt::Stopped) => {
                    return Some(Fact::Unclear {
                        code: "target.unknown",
                        why: "the run was stopped".to_owned(),
                    });
                }
                Err(_) => {}
            }
            if self.pause(backoff(attempt, fastrand::f64())).await.is_err() {
                break;
            }
        }
        Some(Fact::Unclear {
            code: "target.unknown",
            why: "the update that would tell has no answer either".to_owned(),
        })
    }

    pub(super) fn keyed_call(&self, job: &Job, body: &Value) -> Option<Result<Call, Impossible>> {
        let keyed = self.target.update.as_ref()?.keyed.as_ref()?;
        keyed
            .get(body)
            .filter(|value| !value.is_null() && *value != "")?;
        self.target.update_call(
            &self.facts(job, body),
            self.target.updatable(&self.target.for_update(body, None)),
        )
    }

    /// An update that names its record by a field, before a create; `None` where there is none.
    pub(super) async fn keyed_update(&self, job: &Job, body: &Value) -> Option<Carried> {
        let call = match self.keyed_call(job, body)? {
            Ok(call) => call,
            Err(empty) => return Some(impossible(job, &empty)),
        };
        match self.send_change(job, &call).await {
            Changed::Missing => self
                .record(job, State::Absent, &Match::none(), None)
                .await
                .err(),
            Changed::Done(found, status) => {
                Some(self.settled(job, State::Updated, &found, status).await)
            }
            Changed::Over(carried) => Some(*carried),
        }
    }

    /// Changes a record that the target has.
    pub(super) async fn change(&self, job: &Job, body: &Value, known: Match) -> Carried {
        let Some(update) = &self.target.update else {
            return Carried::new(
                job.sequence,
                Fate::Rejected,
                "this target cannot change a record",
            )
            .code("existing")
            .id(known.id);
        };
        if let Some(keyed) = &update.keyed {
            if self.keyed_call(job, body).is_none() {
                // A create in its place would make a second record.
                let note = format!("the row has no `{keyed}`, by which its record is changed");
                if is_open_update(job) {
                    return self.uncertain(job, "request.impossible", note).await;
                }
                return Carried::new(job.sequence, Fate::Rejected, note)
                    .code("request.impossible")
                    .id(known.id);
            }
            return match self.keyed_update(job, body).await {
                Some(carried) => carried,
                None => self.create(job, body, None).await,
            };
        }
        let mut known = known;
        if known.id.is_none() && known.address.is_none() {
            match self.search(job, body, Purpose::Existing).await {
                Search::Found(found) => known = found,
                Search::None if Self::was_there(job) => {
                    let refusal = Refusal {
                        status: 404,
                        message: GONE.to_owned(),
                        ..Refusal::default()
                    };
                    return Carried::new(job.sequence, Fate::Failed, "").refusal(refusal);
                }
                Search::None => {
                    // An attempt that could only change a record made none.
                    if job
                        .entry
                        .as_ref()
                        .is_some_and(|entry| entry.state.is_unsettled())
                        && let Err(carried) =
                            self.record(job, State::Absent, &Match::none(), None).await
                    {
                        return carried;
                    }
                    return self.create(job, body, None).await;
                }
                Search::CannotTell(why) => {
                    return self.not_changed(job, why).await;
                }
                Search::Ambiguous(why) | Search::NotAskable(why) => {
                    let note = format!("the record to change cannot be found: {why}");
                    if is_open_update(job) {
                        return self.uncertain(job, "lookup.ambiguous", note).await;
                    }
                    return Carried::new(job.sequence, Fate::Rejected, note)
                        .code("lookup.ambiguous");
                }
            }
        }
        let address = known.address.clone().or_else(|| known.id.clone());
        let facts = Facts {
            id: known.id.as_deref().or(address.as_deref()),
            address: address.as_deref(),
            ..self.facts(job, body)
        };
        let current = match self.read(&facts).await {
            Ok(current) => current,
            Err(NoReply(why)) if why == GONE => {
                let refusal = Refusal {
                    status: 404,
                    message: why,
                    ..Refusal::default()
                };
                return Carried::new(job.sequence, Fate::Failed, "").refusal(refusal);
            }
            Err(NoReply(why)) => {
                let why = format!("the record cannot be read before it is changed: {why}");
                return self.not_changed(job, why).await;
            }
        };
        let sent = &self.target.for_update(body, current.as_ref());
        fault::at(Point::ChangeRead);
        let fields = match (&current, update.mode) {
            (Some(current), UpdateMode::Replace) => self.merged(current, sent),
            (Some(current), UpdateMode::Partial) => {
                let wanted = self.target.updatable(sent);
                match differing(current, &wanted) {
                    // Nothing is left to do of what an earlier run sent.
                    Value::Object(map)
                        if map.is_empty()
                            && is_open_update(job)
                            && job.entry.as_ref().is_some_and(|e| e.body == job.body.hash) =>
                    {
                        return self.settled(job, State::Updated, &known, None).await;
                    }
                    Value::Object(map) if map.is_empty() => {
                        let kept = Found {
                            intent: self.intent(job, true),
                            id: known.id.clone(),
                            address: known.address.clone(),
                            status: None,
                        };
                        if let Err(error) = self.ledger.found(vec![kept]).await {
                            self.stop(Halt::Ledger(error.to_string()));
                        }
                        return Carried::new(
                            job.sequence,
                            Fate::Unchanged,
                            "the target has it with the same content",
                        )
                        .id(known.id);
                    }
                    fields => fields,
                }
            }
            (None, _) => self.target.updatable(sent),
        };
        let facts = Facts {
            record: current.as_ref(),
            ..facts
        };
        let call = match self.target.update_call(&facts, fields) {
            Some(Ok(call)) => call,
            Some(Err(empty)) => return impossible(job, &empty),
            None => {
                return Carried::new(
                    job.sequence,
                    Fate::Rejected,
                    "this target cannot change a record",
                )
                .code("existing");
            }
        };
        match self.send_change(job, &call).await {
            Changed::Done(found, status) => {
                let found = Match {
                    id: found.id.or(known.id),
                    address: found.address.or(known.address),
                };
                self.settled(job, State::Updated, &found, status).await
            }
            Changed::Missing => {
                let refusal = Refusal {
                    status: 404,
                    message: GONE.to_owned(),
                    ..Refusal::default()
                };
                self.refused(job, refusal, Some(404)).await
            }
            Changed::Over(carried) => *carried,
        }
    }

    /// The fate of a row whose record could not be asked for.
    async fn not_changed(&self, job: &Job, why: String) -> Carried {
        match is_open_update(job) {
            true => self.uncertain(job, "target.unknown", why).await,
            false => Carried::new(job.sequence, Fate::Pending, why),
        }
    }

    /// What a replacing update sends: what the target gives, cut to what it takes, with this row's
    /// fields over it.
    pub(super) fn merged(&self, current: &Value, body: &Value) -> Value {
        let mut fields = Value::Object(serde_json::Map::new());
        for field in &self.target.fields {
            if let Some(value) = field.path.get(current).filter(|value| !value.is_null()) {
                field.path.set(&mut fields, value.clone());
            }
        }
        let mut body = body.clone();
        if let Some(custom) = &self.target.file.custom
            && let Ok(at) = crate::path::Path::parse(&custom.at)
        {
            match custom.shape {
                CustomShape::Object if !at.is_empty() => {
                    if let Some(value) = at.get(current).filter(|value| !value.is_null()) {
                        at.set(&mut fields, value.clone());
                    }
                }
                CustomShape::Object => {}
                CustomShape::Pairs => {
                    let name = custom.key.as_deref().unwrap_or("key");
                    let member = custom.value.as_deref().unwrap_or("value");
                    let ours = at.get(&body);
                    if let Some(all) = merged_pairs(at.get(current), ours, name, member) {
                        at.set(&mut body, all);
                    }
                }
                CustomShape::Prefix => {
                    let theirs = at.get(current).and_then(Value::as_object);
                    for (name, value) in theirs.into_iter().flatten() {
                        if name.starts_with(&custom.prefix) && !value.is_null() {
                            let path = at.join(&crate::path::Path::key(name.as_str()));
                            path.set(&mut fields, value.clone());
                        }
                    }
                }
            }
        }
        overlay(&mut fields, &body);
        self.target.updatable(&fields)
    }

    pub(super) async fn read(&self, facts: &Facts<'_>) -> Result<Option<Value>, NoReply> {
        let Some((endpoint, record)) = &self.target.read else {
            return Ok(None);
        };
        let call = self
            .target
            .plain_call(endpoint, facts)
            .map_err(|empty| NoReply(format!("its `{}` is not known", empty.name)))?;
        let answer = self.ask(&call).await?;
        if matches!(answer.status, 404 | 410) {
            return Err(NoReply(GONE.to_owned()));
        }
        if !endpoint.succeeds(answer.status) {
            return Err(NoReply(format!("the target answered {}", answer.status)));
        }
        let json = answer
            .json()
            .ok_or_else(|| NoReply("the answer is not JSON".to_owned()))?;
        match record.get(&json) {
            Some(record) => Ok(Some(record.clone())),
            None => Err(NoReply(format!("the answer holds nothing at `{record}`"))),
        }
    }

    /// Sends an update until it has an answer. To repeat it does no harm.
    async fn send_change(&self, job: &Job, call: &Call) -> Changed {
        let mut attempts = 0;
        // An attempt of this or an earlier run may have been carried out.
        let mut open = job
            .entry
            .as_ref()
            .is_some_and(|entry| entry.state.is_unsettled());
        let over = |carried| Changed::Over(Box::new(carried));
        loop {
            attempts += 1;
            let mut load = true;
            let why = match self.attempt(job, call, true).await {
                Attempt::Stopped => return over(self.stopped_at(job, open).await),
                Attempt::Answered(Verdict::Done { id, address }, status) => {
                    return Changed::Done(Match { id, address }, status);
                }
                Attempt::Answered(Verdict::Missing, _) => return Changed::Missing,
                Attempt::Answered(
                    Verdict::Refused(refusal)
                    | Verdict::Forbidden(refusal)
                    | Verdict::Exists(refusal),
                    status,
                ) => return over(self.refused(job, refusal, status).await),
                Attempt::Answered(Verdict::Unauthorised(_) | Verdict::Fatal(_), _) => {
                    return over(self.stopped_at(job, open).await);
                }
                Attempt::Answered(
                    Verdict::NotDone {
                        limited, refusal, ..
                    },
                    _,
                ) => {
                    attempts -= u32::from(limited || self.is_down());
                    load = !limited;
                    refusal_words(&refusal)
                }
                Attempt::NotSent(why) => {
                    attempts -= u32::from(self.is_down());
                    load = false;
                    why
                }
                Attempt::Unknown(why) | Attempt::Answered(Verdict::Unknown(why), _) => {
                    open = true;
                    why
                }
            };
            if attempts >= self.settings.attempts {
                if open {
                    return over(self.uncertain(job, "target.unknown", why).await);
                }
                let again = Again {
                    why,
                    pause: None,
                    sent: false,
                };
                return over(self.given_up(job, again, false).await);
            }
            if self
                .again(backoff(attempts, fastrand::f64()), load)
                .await
                .is_err()
            {
                return over(self.stopped_at(job, open).await);
            }
        }
    }
}

/// Whether an earlier run sent an update of this row and nobody knows what became of it.
fn is_open_update(job: &Job) -> bool {
    let entry = job.entry.as_ref();
    entry.is_some_and(|entry| entry.update && entry.state.is_unsettled())
}

/// The members of `wanted` that `current` has otherwise.
fn differing(current: &Value, wanted: &Value) -> Value {
    let (Value::Object(current), Value::Object(wanted)) = (current, wanted) else {
        return wanted.clone();
    };
    let differ = |name: &String, value: &Value| match current.get(name) {
        None => true,
        Some(theirs) => !same_content(theirs, value),
    };
    wanted
        .iter()
        .filter(|(name, value)| differ(name, value))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect()
}

/// Whether a target's value holds ours: numbers by value, objects by our members.
fn same_content(theirs: &Value, ours: &Value) -> bool {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => ours.iter().all(|(name, ours)| {
            theirs
                .get(name)
                .is_some_and(|theirs| same_content(theirs, ours))
        }),
        (Value::Number(theirs), Value::Number(ours)) => theirs.as_f64() == ours.as_f64(),
        (theirs, ours) => theirs == ours,
    }
}

/// The target's pairs of custom fields with ours over them; each as its key and value alone, since
/// what else a target shows of them is its own.
fn merged_pairs(
    theirs: Option<&Value>,
    ours: Option<&Value>,
    name: &str,
    member: &str,
) -> Option<Value> {
    let Some(Value::Array(theirs)) = theirs else {
        return None;
    };
    let empty = Vec::new();
    let ours = ours.and_then(Value::as_array).unwrap_or(&empty);
    let text = |pair: &Value| pair.get(name).and_then(id_text);
    let mut all: Vec<Value> = theirs
        .iter()
        .filter(|pair| {
            let key = text(pair);
            key.is_some() && !ours.iter().any(|own| text(own) == key)
        })
        .map(|pair| {
            [name, member]
                .into_iter()
                .filter_map(|part| Some((part.to_owned(), pair.get(part)?.clone())))
                .collect()
        })
        .collect();
    all.extend(ours.iter().cloned());
    Some(Value::Array(all))
}

/// Lays `over` onto `under`, object by object.
fn overlay(under: &mut Value, over: &Value) {
    match (under, over) {
        (Value::Object(under), Value::Object(over)) => {
            for (name, value) in over {
                overlay(under.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (under, over) => *under = over.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_sent() {
        let current = json!({"id": 7, "name": "A", "n": 1.0, "address": {"city": "X", "zip": "1"}, "tags": ["a"]});
        for (wanted, sent) in [
            (
                json!({"name": "A", "n": 1, "address": {"city": "X"}}),
                json!({}),
            ),
            (json!({"name": "B", "tags": ["a"]}), json!({"name": "B"})),
            (
                json!({"tags": ["b"], "new": true}),
                json!({"tags": ["b"], "new": true}),
            ),
        ] {
            assert_eq!(differing(&current, &wanted), sent);
        }
    }

    #[test]
    fn a_row_is_laid_over_what_the_target_has() {
        let mut under = json!({"name": "A", "address": {"city": "X", "zip": "1"}});
        overlay(&mut under, &json!({"address": {"city": "Y"}, "email": "e"}));
        assert_eq!(
            under,
            json!({"name": "A", "address": {"city": "Y", "zip": "1"}, "email": "e"})
        );
    }
}
