//! Requests in, answers out: pace, guard, route, fault, log.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::body::{Body, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Response;
use axum::http::header::CONTENT_ENCODING;
use axum::http::request::Parts;
use bytes::Bytes;
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use url::form_urlencoded;

use super::Stats;
use super::body;
use super::find::Asked;
use super::options::{Fault, Options};
use super::pace::{Bucket, Pace, whole_seconds};
use super::play::{Action, Play, Route};
use super::refuse::Refused;
use super::reply::{Payload, Reply};
use super::store::Store;
use super::value::put;
use super::wire::Line;
use crate::target::file::TargetFile;

/// The greatest body, in bytes.
const BODY: usize = 64 << 20;
/// How many requests the log keeps.
const LOG: usize = 10_000;

/// The server.
#[derive(Debug)]
pub(super) struct Server {
    play: Play,
    options: Options,
    state: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Store,
    random: fastrand::Rng,
    bucket: Option<Bucket>,
    /// Idempotency key → hash of the body and what was answered.
    answered: HashMap<String, (u64, u16, Bytes)>,
    log: VecDeque<Logged>,
    stats: Stats,
}

#[derive(Debug, serde::Serialize)]
struct Logged {
    method: String,
    path: String,
    query: String,
    /// What was answered; nothing where the answer was lost.
    status: Option<u16>,
    fault: Option<&'static str>,
}

/// An answer and what is to go wrong with it.
struct Outcome {
    reply: Reply,
    fault: Option<Fault>,
}

/// What a request is for.
struct Found<'p> {
    route: &'p Route,
    asked: Asked,
}

/// Answers one request.
pub(super) async fn handle(
    State(server): State<Arc<Server>>,
    ConnectInfo(line): ConnectInfo<Line>,
    request: Request,
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Some(what) = parts.uri.path().strip_prefix("/__sandbox/") {
        return server.admin(what).into_response();
    }
    let body = to_bytes(body, BODY).await.map_err(drop);
    let packed = parts.headers.get(CONTENT_ENCODING);
    let body = match packed.is_some_and(|by| by == "gzip") {
        true => body.and_then(|bytes| unpacked(&bytes)),
        false => body,
    };
    if !server.options.latency.is_zero() {
        tokio::time::sleep(server.options.latency).await;
    }
    let Outcome { reply, fault } = match body {
        Ok(bytes) => server.answer(&parts, &bytes),
        Err(_) => {
            let refused = Refused::new(413, "too_large", "the body is too large or broke off");
            Outcome {
                reply: Reply::refusal(&server.play.shapes, &refused),
                fault: None,
            }
        }
    };
    let lost = matches!(fault, Some(Fault::LostBefore | Fault::LostAfter));
    server.log(&parts, &reply, fault, lost);
    if lost {
        line.cut();
    }
    reply.into_response()
}

/// A body that gzip packed, where it is one and not too large.
fn unpacked(bytes: &Bytes) -> Result<Bytes, ()> {
    let mut body = Vec::new();
    let most = u64::try_from(BODY).unwrap_or(u64::MAX);
    let mut unpacker = GzDecoder::new(bytes.as_ref()).take(most + 1);
    match unpacker.read_to_end(&mut body) {
        Ok(length) if length <= BODY => Ok(body.into()),
        _ => Err(()),
    }
}

impl Server {
    pub(super) fn new(target: &TargetFile, options: Options) -> Result<Self, String> {
        let play = Play::new(
            target,
            options.token_lifetime,
            options.custom_fields.as_deref(),
        )?;
        let state = Inner {
            store: Store::new(&play.indexed, play.search),
            random: fastrand::Rng::with_seed(options.seed),
            bucket: options.rate.map(|rate| Bucket::new(rate, Instant::now())),
            answered: HashMap::new(),
            log: VecDeque::new(),
            stats: Stats::default(),
        };
        Ok(Self {
            play,
            options,
            state: Mutex::new(state),
        })
    }

    pub(super) fn base_path(&self) -> &str {
        &self.play.base
    }

    fn state(&self) -> MutexGuard<'_, Inner> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> Stats {
        self.state().stats
    }

    pub(super) fn records(&self) -> Vec<Value> {
        let state = self.state();
        let places = state.store.page(0, usize::MAX);
        places
            .into_iter()
            .filter_map(|place| state.store.get(place))
            .map(|record| {
                let mut shown = record.fields.clone();
                put(&crate::path::Path::key("id"), &mut shown, record.id.clone());
                shown
            })
            .collect()
    }

    /// What tests of other processes ask for.
    fn admin(&self, what: &str) -> Reply {
        match what {
            "records" => Reply::success(200, self.records().into()),
            "stats" => Reply::success(200, json!(self.stats())),
            "requests" => Reply::success(200, json!(self.state().log)),
            _ => Reply::success(
                404,
                json!({"message": "there are records, stats and requests"}),
            ),
        }
    }

    fn log(&self, parts: &Parts, reply: &Reply, fault: Option<Fault>, lost: bool) {
        let mut state = self.state();
        if state.log.len() == LOG {
            state.log.pop_front();
        }
        state.log.push_back(Logged {
            method: parts.method.to_string(),
            path: parts.uri.path().to_owned(),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            status: (!lost).then_some(reply.status),
            fault: fault.map(Fault::name),
        });
    }

    fn refuse(&self, refused: &Refused) -> Reply {
        Reply::refusal(&self.play.shapes, refused)
    }

    fn answer(&self, parts: &Parts, bytes: &Bytes) -> Outcome {
        let mut outcome = Outcome {
            reply: Reply::success(200, Value::Null),
            fault: None,
        };
        self.state().stats.requests += 1;
        let (method, path) = (parts.method.as_str(), parts.uri.path());
        if let Some((status, body)) = self.play.auth.token(method, path, &parts.headers, bytes) {
            self.state().stats.unauthorised += u64::from(status != 200);
            outcome.reply = Reply::success(status, body).with("Cache-Control", "no-store");
            return outcome;
        }
        let pace = self
            .state()
            .bucket
            .as_mut()
            .map(|bucket| bucket.take(Instant::now()));
        if let Some(wait) = pace.and_then(|pace| pace.wait) {
            self.state().stats.limited += 1;
            let refused = Refused::new(429, "rate_limited", "too many requests");
            outcome.reply = self
                .refuse(&refused)
                .with("Retry-After", whole_seconds(wait));
            return self.told(outcome, pace);
        }
        if !self.play.auth.admits(&parts.headers) {
            self.state().stats.unauthorised += 1;
            outcome.reply = self.refuse(&Refused::new(
                401,
                "unauthorized",
                "the credentials are missing, wrong or expired",
            ));
            return self.told(outcome, pace);
        }
        match self.check(parts, bytes) {
            Ok(found) => {
                if found.route.action.writes() {
                    outcome.fault = self.draw();
                }
                outcome.reply = self.act(&found, parts, bytes, outcome.fault);
            }
            Err(refused) => outcome.reply = self.refuse(&refused),
        }
        // What was refused all the same is told, unless the answer is lost.
        if outcome.fault == Some(Fault::ErrorAfter) {
            if outcome.reply.status < 400 {
                let refused = Refused::new(500, "server_error", "something went wrong");
                let (created, updated) = (outcome.reply.created, outcome.reply.updated);
                outcome.reply = Reply {
                    created,
                    updated,
                    refused: outcome.reply.refused,
                    ..self.refuse(&refused)
                };
            } else {
                outcome.fault = None;
            }
        }
        let mut state = self.state();
        state.stats.created += outcome.reply.created;
        state.stats.updated += outcome.reply.updated;
        state.stats.refused += outcome.reply.refused;
        state.stats.faults += u64::from(outcome.fault.is_some());
        drop(state);
        self.told(outcome, pace)
    }

    /// Adds the headers that tell what is left of the limit.
    fn told(&self, mut outcome: Outcome, pace: Option<Pace>) -> Outcome {
        if let Some(pace) = pace {
            outcome
                .reply
                .headers
                .extend(pace.headers(self.play.limit_headers.as_ref()));
        }
        outcome
    }

    fn draw(&self) -> Option<Fault> {
        let drawn = self.state().random.f64();
        self.options.faults.draw(drawn)
    }

    /// Finds what a request is for; its headers and query must be as the target file says.
    fn check(&self, parts: &Parts, bytes: &Bytes) -> Result<Found<'_>, Refused> {
        if let Some(name) = self.play.auth.lacks(&parts.headers, !bytes.is_empty()) {
            let why = format!("the header {name} is missing or holds something else");
            return Err(Refused::new(400, "bad_request", why));
        }
        let path = parts.uri.path();
        let query: Vec<(String, String)> = parts
            .uri
            .query()
            .map(|query| {
                form_urlencoded::parse(query.as_bytes())
                    .into_owned()
                    .collect()
            })
            .unwrap_or_default();
        let mut known = false;
        let mut refused = None;
        let mut fallback = None;
        for route in &self.play.routes {
            let Some(values) = route.path.read(path) else {
                continue;
            };
            known = true;
            if route.method != parts.method.as_str() {
                continue;
            }
            let mut asked: Asked = route.hits.iter().cloned().zip(values).collect();
            let read = self
                .read_query(route, &query, &mut asked)
                .and_then(|()| self.read_body(route, parts, bytes, &mut asked));
            match read {
                Ok(()) => {
                    let found = Found { route, asked };
                    // The same address may serve a record alone or several, or be both a look-up's
                    // and a read's: the first that can answer does.
                    if self.suits(&found, bytes) {
                        return Ok(found);
                    }
                    fallback.get_or_insert(found);
                }
                Err(name) => {
                    let why = format!("the request must hold `{name}` as the API asks for it");
                    refused.get_or_insert_with(|| Refused::new(400, "bad_request", why));
                }
            }
        }
        match (fallback, refused) {
            (Some(found), _) => Ok(found),
            (None, Some(refused)) => Err(refused),
            (None, None) if known => Err(Refused::new(
                405,
                "method_not_allowed",
                "this address takes another method",
            )),
            (None, None) => Err(Refused::new(
                404,
                "not_found",
                "there is nothing at this address",
            )),
        }
    }

    /// Reads what a look-up asks for; else compares the fixed parameters.
    fn read_query(
        &self,
        route: &Route,
        query: &[(String, String)],
        asked: &mut Asked,
    ) -> Result<(), String> {
        for (place, (name, pattern)) in route.query.iter().enumerate() {
            let values = query
                .iter()
                .filter(|(have, _)| have == name)
                .find_map(|(_, value)| pattern.read(value))
                .ok_or_else(|| name.clone())?;
            if let Some(hits) = route.query_hits.get(place) {
                asked.extend(hits.iter().cloned().zip(values));
            }
        }
        Ok(())
    }

    /// Reads what a posted search asks for.
    fn read_body(
        &self,
        route: &Route,
        parts: &Parts,
        bytes: &Bytes,
        asked: &mut Asked,
    ) -> Result<(), String> {
        if route.body.is_empty() {
            return Ok(());
        }
        let body = self.body(parts, bytes).map_err(|refused| refused.message)?;
        for ((path, pattern), hits) in route.body.iter().zip(&route.body_hits) {
            let values = path
                .get(&body)
                .and_then(Value::as_str)
                .and_then(|text| pattern.read(text))
                .ok_or_else(|| path.to_string())?;
            asked.extend(hits.iter().cloned().zip(values));
        }
        Ok(())
    }

    fn suits(&self, found: &Found<'_>, bytes: &Bytes) -> bool {
        let shares = |action: Action| {
            self.play.routes.iter().any(|route| {
                route.action == action
                    && route.method == found.route.method
                    && route.path.source() == found.route.path.source()
            })
        };
        match found.route.action {
            Action::Create | Action::Batch if shares(Action::Create) && shares(Action::Batch) => {
                let is_batch = self.play.batch.as_ref().is_some_and(|batch| {
                    serde_json::from_slice::<Value>(bytes).is_ok_and(|body| batch.is_in(&body))
                });
                is_batch == (found.route.action == Action::Batch)
            }
            Action::Lookup(lookup)
                if found.route.query.is_empty() && found.route.body.is_empty() =>
            {
                let fuzzy = self
                    .play
                    .lookups
                    .get(lookup)
                    .is_some_and(|lookup| lookup.search);
                !self
                    .play
                    .found(&self.state().store, &found.asked, fuzzy)
                    .is_empty()
            }
            _ => true,
        }
    }

    fn act(&self, found: &Found<'_>, parts: &Parts, bytes: &Bytes, fault: Option<Fault>) -> Reply {
        match fault {
            Some(Fault::LostBefore) => return Reply::success(204, Value::Null),
            Some(Fault::Unavailable) => {
                let refused = Refused::new(503, "unavailable", "try again in a moment");
                return self.refuse(&refused).with("Retry-After", 1);
            }
            _ => {}
        }
        let play = &self.play;
        let answer = match found.route.action {
            Action::Create | Action::Batch => return self.create(found, parts, bytes),
            Action::Update => self.update(found, parts, bytes),
            Action::Delete => {
                let mut state = self.state();
                play.one(&state.store, &found.asked).map(|place| {
                    state.store.delete(place);
                    Reply::success(play.deleted, json!({}))
                })
            }
            Action::Lookup(place) => match play.lookups.get(place) {
                Some(lookup) => play
                    .lookup(&self.state().store, lookup, &found.asked)
                    .map(ok),
                None => Err(Refused::new(
                    404,
                    "not_found",
                    "there is nothing at this address",
                )),
            },
            Action::List => match &play.list {
                Some(list) => {
                    let query: Vec<(String, String)> =
                        form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                            .into_owned()
                            .collect();
                    play.page(&self.state().store, list, &query).map(ok)
                }
                None => Err(Refused::new(
                    404,
                    "not_found",
                    "there is nothing at this address",
                )),
            },
            Action::Read => play.read(&self.state().store, &found.asked).map(ok),
            action @ (Action::Discover | Action::DiscoverOptions) => {
                let query: Vec<(String, String)> =
                    form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
                        .into_owned()
                        .collect();
                let listed = play.account.as_ref().and_then(|account| match action {
                    Action::Discover => Some(account.list(&query)),
                    _ => account.options(&found.route.path, parts.uri.path(), &query),
                });
                match listed {
                    Some(Ok(body)) => Ok(ok(body)),
                    Some(Err(why)) => {
                        Err(Refused::new(play.shapes.invalid, "validation_error", why))
                    }
                    None => Err(Refused::new(
                        404,
                        "not_found",
                        "there is no such custom field",
                    )),
                }
            }
        };
        answer.unwrap_or_else(|refused| self.refuse(&refused))
    }

    fn body(&self, parts: &Parts, bytes: &Bytes) -> Result<Value, Refused> {
        let media = parts
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        body::read(self.play.form, media, bytes)
            .map_err(|(status, why)| Refused::new(status, "bad_request", why))
    }

    fn create(&self, found: &Found<'_>, parts: &Parts, bytes: &Bytes) -> Reply {
        let play = &self.play;
        let body = match self.body(parts, bytes) {
            Ok(body) => body,
            Err(refused) => return self.refuse(&refused),
        };
        let key = play
            .idempotency_header
            .as_deref()
            .and_then(|name| parts.headers.get(name))
            .and_then(|value| value.to_str().ok())
            .filter(|key| !key.is_empty());
        let mut hasher = DefaultHasher::new();
        (parts.uri.path(), bytes).hash(&mut hasher);
        let hash = hasher.finish();
        let mut state = self.state();
        if let Some((before, status, answer)) = key.and_then(|key| state.answered.get(key)) {
            if *before != hash {
                let why = "this idempotency key was used with another body";
                return self.refuse(&Refused::new(409, "idempotency_mismatch", why));
            }
            return Reply {
                payload: Payload::Written(answer.clone()),
                ..Reply::success(*status, Value::Null)
            };
        }
        let Inner { store, random, .. } = &mut *state;
        let reply = match (&play.batch, found.route.action) {
            (Some(batch), Action::Batch) => batch.play(play, store, random, &body, bytes.len()),
            _ => play
                .unwrap(&body, true)
                .and_then(|record| play.make(store, random, record))
                .map_or_else(
                    |refused| self.refuse(&refused),
                    |place| {
                        let shown = store.get(place).map(|record| play.envelope(record));
                        Reply {
                            created: 1,
                            ..Reply::success(play.created, shown.unwrap_or_default())
                        }
                    },
                ),
        };
        if let Some(key) = key
            && reply.status < 400
        {
            state
                .answered
                .insert(key.to_owned(), (hash, reply.status, reply.bytes()));
        }
        reply
    }

    fn update(&self, found: &Found<'_>, parts: &Parts, bytes: &Bytes) -> Result<Reply, Refused> {
        let play = &self.play;
        let Some(update) = &play.update else {
            return Err(Refused::new(
                404,
                "not_found",
                "there is nothing at this address",
            ));
        };
        let body = self.body(parts, bytes)?;
        let change = play.unwrap(&body, false)?;
        let mut state = self.state();
        let place = if found.asked.is_empty() {
            play.keyed(&state.store, update, &change)?
        } else {
            play.one(&state.store, &found.asked)?
        };
        play.change(&mut state.store, place, update, change)?;
        let shown = state.store.get(place).map(|record| play.envelope(record));
        Ok(Reply {
            updated: 1,
            ..Reply::success(update.success, shown.unwrap_or_default())
        })
    }
}

fn ok(body: Value) -> Reply {
    Reply::success(200, body)
}
