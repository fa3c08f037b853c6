//! Finding a record at the target: by look-ups, by its natural key, by the whole list.

use std::collections::HashMap;

use serde_json::Value;

use super::attempt::NoReply;
use super::pages::{Next, Pages};
use super::{Job, Uploader};
use crate::path::Path;
use crate::record::Existing;
use crate::target::answer::id_text;
use crate::target::call::Facts;
use crate::target::{List, Lookup};

/// What looking for a row's record came to.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Search {
    /// One record fits.
    Found(Match),
    /// None fits.
    None,
    /// More than one fits, or one that cannot be proved to be this row's.
    Ambiguous(String),
    /// The target has no way to be asked about this row.
    NotAskable(String),
    /// The target could not be asked.
    CannotTell(String),
}

/// One record of the target.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Match {
    pub(super) id: Option<String>,
    pub(super) address: Option<String>,
}

/// The whole list, by the value of one field.
#[derive(Debug, Default)]
pub(super) struct ListIndex {
    by: HashMap<String, Vec<Match>>,
    /// When reading it began; milliseconds since 1970.
    read_ms: i64,
}

/// Why a search is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Whether the target has the record already; what is found need not be ours.
    Existing,
    /// Whether an attempt of ours made it; `attempted_ms` since 1970.
    Settle { attempted_ms: i64 },
}

/// Whether a record shows one of the fields that it was asked for by; what is asked by something else
/// than fields need show none.
fn shows_asked(lookup: &Lookup, record: &Value, body: &Value) -> bool {
    let theirs = lookup.record.get(record);
    let mut fields = lookup
        .texts()
        .into_iter()
        .flat_map(|text| text.names())
        .map(|name| Path(name.iter().cloned().map(crate::path::Step::Key).collect()))
        .filter(|path| path.get(body).is_some())
        .peekable();
    fields.peek().is_none()
        || fields.any(|path| theirs.is_some_and(|theirs| path.get(theirs).is_some()))
}

/// What stands where a record should be, without what it says.
fn what_is(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "true or false".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::String(_) => "a text".to_owned(),
        Value::Array(_) => "a list in a list".to_owned(),
        Value::Object(members) if members.is_empty() => "an empty object".to_owned(),
        Value::Object(members) => {
            let names: Vec<String> = members
                .keys()
                .take(5)
                .map(|name| format!("`{}`", crate::issue::cut(name)))
                .collect();
            format!("an object of {}", names.join(", "))
        }
    }
}

/// Equal as texts, ignoring case.
fn same(a: &Value, b: &Value) -> bool {
    let text = |value: &Value| match value {
        Value::Bool(yes) => Some(yes.to_string()),
        value => id_text(value),
    };
    match (text(a), text(b)) {
        (Some(a), Some(b)) => a == b || a.to_lowercase() == b.to_lowercase(),
        (None, None) => a == b,
        _ => false,
    }
}

pub(super) fn now_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| {
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    })
}

impl Uploader {
    /// Looks for a row's record by every means that the target has, in order.
    pub(super) async fn search(&self, job: &Job, body: &Value, purpose: Purpose) -> Search {
        let facts = self.facts(job, body);
        let mut why = "the target has no look-up".to_owned();
        let mut none = false;
        let mut failed = None;
        for lookup in &self.target.lookups {
            match self.look_up(job, lookup, &facts, purpose).await {
                Search::Found(found) => return Search::Found(found),
                Search::None => none = true,
                Search::Ambiguous(more) => return Search::Ambiguous(more),
                Search::NotAskable(what) => why = what,
                Search::CannotTell(what) => failed = Some(what),
            }
        }
        // One look-up that found nothing proves nothing while another could not be asked.
        if let Some(what) = failed {
            return Search::CannotTell(what);
        }
        match &self.target.list {
            // What the look-ups settle needs no list; what was there before may be in it alone.
            Some(list) if !none || purpose == Purpose::Existing => {
                match self.in_list(job, list, body, purpose).await {
                    Search::NotAskable(_) if none => Search::None,
                    found => found,
                }
            }
            _ if none => Search::None,
            _ => Search::NotAskable(why),
        }
    }

    async fn look_up(
        &self,
        job: &Job,
        lookup: &Lookup,
        facts: &Facts<'_>,
        purpose: Purpose,
    ) -> Search {
        let call = match self.target.lookup_call(lookup, facts) {
            Ok(call) => call,
            Err(empty) => {
                return Search::NotAskable(format!(
                    "the row has no `{}` to look it up by",
                    empty.name
                ));
            }
        };
        let mut wanted = Vec::new();
        for (path, template) in &lookup.where_ {
            match template.plain(facts) {
                Ok(text) => wanted.push((path, text)),
                Err(empty) => {
                    return Search::NotAskable(format!(
                        "the row has no `{}` to compare",
                        empty.name
                    ));
                }
            }
        }
        if let Purpose::Settle { attempted_ms } = purpose
            && !lookup.lag.is_zero()
        {
            let due = attempted_ms + i64::try_from(lookup.lag.as_millis()).unwrap_or(i64::MAX);
            let wait = u64::try_from(due - now_ms()).unwrap_or(0);
            if self
                .pause(std::time::Duration::from_millis(wait))
                .await
                .is_err()
            {
                return Search::CannotTell("the run was stopped".to_owned());
            }
        }
        let answer = match self.ask(&call).await {
            Ok(answer) => answer,
            Err(NoReply(why)) => return Search::CannotTell(why),
        };
        // Elsewhere a 404 may as well mean a wrong path.
        if answer.status == 404 && lookup.results.is_empty() {
            return Search::None;
        }
        if !lookup.endpoint.succeeds(answer.status) {
            let refusal = self.target.refusal(&answer);
            return Search::CannotTell(match refusal.message.as_str() {
                "" => format!("the look-up was answered {}", answer.status),
                words => format!("the look-up was answered {}: {words}", answer.status),
            });
        }
        if answer.status == 204 {
            return Search::None;
        }
        let Some(json) = answer.json() else {
            return Search::CannotTell("the look-up's answer is not JSON".to_owned());
        };
        let at = if lookup.results.is_empty() {
            Some(&json)
        } else {
            lookup.results.get(&json)
        };
        let records: Vec<&Value> = match at {
            Some(Value::Array(records)) => records.iter().collect::<Vec<&Value>>(),
            Some(record @ Value::Object(_)) => vec![record],
            Some(Value::Null) => vec![],
            // Some leave an empty list out; an answer with something else in it tells nothing.
            None if json.as_object().is_some_and(|answer| answer.is_empty()) => vec![],
            None => {
                return Search::CannotTell(format!(
                    "the look-up's answer holds nothing at `{}`",
                    lookup.results
                ));
            }
            Some(_) => {
                return Search::CannotTell("the look-up's answer has another shape".to_owned());
            }
        };
        // What has no id is no record: the path may lead to something else.
        let nameless = |record: &&Value| lookup.id.get(record).and_then(id_text).is_none();
        if let Some(other) = records.iter().copied().find(nameless) {
            return Search::CannotTell(format!(
                "the look-up's answer holds {} {}, where a record with an id at `{}` should be",
                what_is(other),
                match lookup.results.is_empty() {
                    true => "by itself".to_owned(),
                    false => format!("at `{}`", lookup.results),
                },
                lookup.id
            ));
        }
        if !lookup.results.is_empty()
            && let Some(Value::Object(_)) = at
            && !records
                .iter()
                .all(|record| shows_asked(lookup, record, facts.body))
        {
            return Search::CannotTell(format!(
                "the look-up's answer holds an object at `{}` that shows nothing of what was asked for, where a \
                 list of records should be",
                lookup.results
            ));
        }
        let fits = |record: &&Value| {
            let by_query = lookup
                .texts()
                .into_iter()
                .flat_map(|text| text.names())
                .all(|name| {
                    // The search's own fields must equal where the match shows them.
                    let path = Path(name.iter().cloned().map(crate::path::Step::Key).collect());
                    let theirs = lookup.record.get(record);
                    match (
                        theirs.and_then(|theirs| path.get(theirs)),
                        path.get(facts.body),
                    ) {
                        (Some(theirs), Some(ours)) if !theirs.is_null() => same(theirs, ours),
                        _ => true,
                    }
                });
            by_query
                && wanted.iter().all(|(path, text)| {
                    path.get(record)
                        .is_some_and(|value| same(value, &Value::String(text.clone())))
                })
        };
        let shown = records.len();
        let matches: Vec<&Value> = records.into_iter().filter(fits).collect();
        // A search that is exact gave other records: it may know the value in another form.
        if matches.is_empty() && shown > 0 && wanted.is_empty() {
            return Search::Ambiguous(format!(
                "the look-up gave {shown} records that show other values than those it was asked for"
            ));
        }
        let proved = |record: &Value| {
            let fields = lookup.record.get(record).unwrap_or(&Value::Null);
            lookup
                .prove
                .iter()
                .all(|path| match (path.get(fields), path.get(facts.body)) {
                    (Some(theirs), Some(ours)) => same(theirs, ours),
                    (None | Some(Value::Null), None) => true,
                    _ => false,
                })
        };
        match matches.as_slice() {
            [] => Search::None,
            [record] if purpose == Purpose::Existing || proved(record) => {
                let found = Match {
                    id: lookup.id.get(record).and_then(id_text),
                    address: lookup.address.get(record).and_then(id_text),
                };
                self.own(job, found, purpose).await
            }
            [_] => Search::Ambiguous(
                "a record was found that differs in what must be equal".to_owned(),
            ),
            several => Search::Ambiguous(format!("{} records were found", several.len())),
        }
    }

    /// A match is this row's own only if the ledger does not hold its id for another key.
    async fn own(&self, job: &Job, found: Match, purpose: Purpose) -> Search {
        let matters = purpose != Purpose::Existing || self.settings.existing == Existing::Update;
        if let (true, Some(id)) = (matters, &found.id) {
            match self.ledger.owner_of_async(id).await {
                Ok(Some(owner)) if owner != job.key_hash => {
                    return Search::Ambiguous(format!(
                        "the record {id} that was found belongs to another row"
                    ));
                }
                Ok(_) => {}
                Err(error) => return Search::CannotTell(error.to_string()),
            }
        }
        Search::Found(found)
    }

    async fn in_list(&self, job: &Job, list: &List, body: &Value, purpose: Purpose) -> Search {
        let Some(wanted) = list.by.get(body).and_then(id_text) else {
            return Search::NotAskable(format!(
                "the row has no `{}` to find it in the list by",
                list.by
            ));
        };
        let after = match purpose {
            Purpose::Existing => i64::MIN,
            Purpose::Settle { attempted_ms } => attempted_ms,
        };
        // One reading serves all rows that wait for it.
        let mut index = self.list.lock().await;
        if index.as_ref().is_none_or(|index| index.read_ms <= after) {
            match self.read_list(list).await {
                Ok(read) => *index = Some(read),
                Err(NoReply(why)) => return Search::CannotTell(why),
            }
        }
        let matches = index
            .as_ref()
            .and_then(|index| index.by.get(&wanted.to_lowercase()).cloned())
            .unwrap_or_default();
        drop(index);
        match matches.as_slice() {
            [] => Search::None,
            [found] => self.own(job, found.clone(), purpose).await,
            several => Search::Ambiguous(format!("{} records were found", several.len())),
        }
    }

    async fn read_list(&self, list: &List) -> Result<ListIndex, NoReply> {
        let mut index = ListIndex {
            read_ms: now_ms(),
            ..ListIndex::default()
        };
        let first = self
            .target
            .plain_call(&list.endpoint, &Facts::NONE)
            .map_err(|empty| NoReply(format!("the list's path names `{}`", empty.name)))?;
        let mut pages = Pages::new(list.paging.as_ref());
        loop {
            let answer = self.ask(&pages.call(&first)).await?;
            if !list.endpoint.succeeds(answer.status) {
                return Err(NoReply(format!("the list was answered {}", answer.status)));
            }
            let json = answer
                .json()
                .ok_or_else(|| NoReply("the list's answer is not JSON".to_owned()))?;
            let at = if list.results.is_empty() {
                Some(&json)
            } else {
                list.results.get(&json)
            };
            let Some(Value::Array(records)) = at else {
                return Err(NoReply(format!(
                    "the list's answer holds no array at `{}`",
                    list.results
                )));
            };
            for record in records {
                if let Some(value) = list.by.get(record).and_then(id_text) {
                    index
                        .by
                        .entry(value.to_lowercase())
                        .or_default()
                        .push(Match {
                            id: list.id.get(record).and_then(id_text),
                            address: list.address.get(record).and_then(id_text),
                        });
                }
            }
            match pages.turn(&json, answer.body, records.len()) {
                Next::Page => {}
                Next::End => return Ok(index),
                Next::Again => {
                    return Err(NoReply(
                        "the list gives the same page again and again; its `paging` does not fit"
                            .to_owned(),
                    ));
                }
            }
        }
    }

    /// Adds a record that was made to the list, where that was read before.
    pub(super) async fn add_to_list(&self, body: &Value, made: &Match) {
        let Some(list) = &self.target.list else {
            return;
        };
        if let (Some(value), Some(index)) = (
            list.by.get(body).and_then(id_text),
            self.list.lock().await.as_mut(),
        ) {
            let known = index.by.entry(value.to_lowercase()).or_default();
            // It may have been read meanwhile.
            if !known.iter().any(|known| known.id == made.id) {
                known.push(made.clone());
            }
        }
    }
}
