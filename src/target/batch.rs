//! Several records in one request: the body that carries them, and what its answer says of each.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::Value;

use super::answer::{Answer, Verdict, id_text, truthy};
use super::call::{Call, Endpoint, Facts, Impossible, encode};
use super::file::BatchMatch;
use super::matcher::Code;
use super::merge::{self, Pairs};
use super::shape::Refusal;
use super::{Target, shape};
use crate::path::Path;

/// How a target takes several records in one request; compiled from `[create.batch]`.
#[derive(Debug)]
pub struct Batch {
    /// Method, path, query and the statuses of success.
    pub endpoint: Endpoint,
    /// The most records in one request.
    pub max: usize,
    /// The most bytes of one request's body.
    pub max_bytes: usize,
    pub(super) at: Path,
    pub(super) item: Path,
    pub(super) item_constants: Value,
    pub(super) pairs: Option<Pairs>,
    pub(super) trace: Option<Path>,
    pub(super) results: Path,
    pub(super) errors: Option<Path>,
    pub(super) matching: Matching,
    pub(super) item_ok: Option<Path>,
    pub(super) item_id: Path,
    pub(super) item_address: Option<Path>,
    pub(super) item_error: Option<Path>,
    /// Batches go to an address of their own, so that `[create]` is for single records.
    pub apart: bool,
    /// An item that no answer names was made.
    pub(super) silent: bool,
    /// One bad record refuses all, whatever the status that says so.
    pub atomic: bool,
    /// The bytes of a body without its records, and of an item without its record.
    pub(super) overhead: (usize, usize),
}

/// How the answers of a batch find their items.
#[derive(Debug)]
pub(super) enum Matching {
    Index,
    Member {
        item: Path,
        result: Path,
        error: Option<Path>,
    },
}

impl Matching {
    /// Compiles `match`; the error says which path is wrong.
    pub(super) fn compile(section: Option<&BatchMatch>) -> Result<Self, String> {
        match section {
            None | Some(BatchMatch::Index) => Ok(Self::Index),
            Some(BatchMatch::Member {
                item,
                result,
                error,
            }) => Ok(Self::Member {
                item: Path::parse(item)?,
                result: Path::parse(result)?,
                error: error.as_deref().map(Path::parse).transpose()?,
            }),
        }
    }
}

/// One record of a batch.
#[derive(Debug, Clone)]
pub struct Item {
    /// The record.
    pub record: Value,
    /// A name of our own for the row, the same whenever the same row is sent.
    pub trace: String,
}

/// What the answer to a batch says.
#[derive(Debug, Clone, PartialEq)]
pub enum BatchVerdict {
    /// Of each item, in the order sent; of one that the answer does not name: unknown.
    Items(Vec<Verdict>),
    /// Of the request as a whole.
    Whole(Verdict),
}

impl Target {
    /// The request that carries a batch.
    ///
    /// # Errors
    /// Where its path names a field of a record, which no batch has.
    pub fn batch_call(
        &self,
        batch: &Batch,
        items: &[Item],
        idempotency: &str,
    ) -> Result<Call, Impossible> {
        let array: Vec<Value> = items.iter().map(|item| batch.item_of(item)).collect();
        let mut body = match (&self.create.constants, batch.at.is_empty()) {
            (Value::Null, _) | (_, true) => Value::Null,
            (constants, false) => constants.clone(),
        };
        batch.at.set(&mut body, Value::Array(array));
        let mut headers = Vec::new();
        if let Some(name) = &self.file.create.idempotency_header {
            headers.push((name.clone(), idempotency.to_owned()));
        }
        Ok(self.packed(Call {
            method: batch.endpoint.method.clone(),
            location: batch.endpoint.location(&Facts::NONE)?,
            body: Some(encode(self.file.create.body, &body)),
            headers,
        }))
    }

    /// What the answer to a batch says of each of its items.
    pub fn batch_answer(
        &self,
        batch: &Batch,
        items: &[Item],
        answer: &Answer,
        now: SystemTime,
    ) -> BatchVerdict {
        if !batch.endpoint.succeeds(answer.status) {
            return BatchVerdict::Whole(self.no_success(answer, now));
        }
        let Some(json) = answer.json() else {
            let why = format!(
                "the answer {} cannot be read: it is not JSON",
                answer.status
            );
            return BatchVerdict::Whole(Verdict::Unknown(why));
        };
        let list = |path: &Path| match path.get(&json) {
            Some(Value::Array(list)) => list.as_slice(),
            _ => &[],
        };
        let results = list(&batch.results);
        let errors = batch.errors.as_ref().map_or(&[][..], list);
        // Where a 200 can be a refusal, one that answers no item refuses them all.
        if results.is_empty()
            && errors.is_empty()
            && let Some(ok) = &self.create.ok
            && ok.get(&json).is_some_and(|said| !truthy(said))
        {
            return BatchVerdict::Whole(self.refused(answer, now));
        }
        let unnamed = || {
            Verdict::Unknown(format!(
                "the answer {} does not name this row",
                answer.status
            ))
        };
        let mut verdicts: Vec<Option<Verdict>> = vec![None; items.len()];
        // What is refused is known only while each answer finds its item.
        let mut lost = false;
        // Two answers to one item say nothing certain of it.
        let mut put =
            |at: Option<usize>, verdict: Verdict| match at.and_then(|at| verdicts.get_mut(at)) {
                Some(slot) => {
                    *slot = Some(if slot.is_none() { verdict } else { unnamed() });
                }
                None => lost = true,
            };
        let verdict =
            |found: &Value, refused| self.item_verdict(batch, found, answer.status, refused);
        match &batch.matching {
            Matching::Index => {
                let places = index_places(results, errors, items.len());
                for (place, found, refused) in places {
                    put(place, verdict(found, refused));
                }
            }
            Matching::Member {
                item,
                result,
                error,
            } => {
                let names = Names::new(items.iter().map(|sent| {
                    item.get(&batch.item_of(sent))
                        .and_then(id_text)
                        .unwrap_or_default()
                }));
                let error = error.as_ref().unwrap_or(result);
                for (list, path, refused) in [(results, result, false), (errors, error, true)] {
                    for found in list {
                        let places = names.places(path.get(found));
                        if places.is_empty() {
                            put(None, verdict(found, refused));
                        }
                        for place in places {
                            put(Some(place), verdict(found, refused));
                        }
                    }
                }
            }
        }
        let ok = self.create.ok.as_ref();
        let silent = batch.silent && !lost && ok.is_none_or(|ok| ok.get(&json).is_some_and(truthy));
        let verdicts: Vec<Verdict> = verdicts
            .into_iter()
            .map(|found| {
                found.unwrap_or_else(|| match silent {
                    true => Verdict::Done {
                        id: None,
                        address: None,
                    },
                    false => unnamed(),
                })
            })
            .collect();
        if batch.atomic
            && verdicts.len() > 1
            && verdicts.iter().all(|verdict| {
                matches!(
                    verdict,
                    Verdict::Refused(_) | Verdict::Exists(_) | Verdict::Forbidden(_)
                )
            })
        {
            // The records that were good are refused for the sake of those that were not.
            return BatchVerdict::Whole(verdicts.into_iter().next().unwrap_or_else(unnamed));
        }
        BatchVerdict::Items(verdicts)
    }

    fn item_verdict(&self, batch: &Batch, found: &Value, status: u16, refused: bool) -> Verdict {
        let said = batch.item_error.as_ref().and_then(|path| path.get(found));
        // Some APIs give a refused item an id of nought.
        let id = batch
            .item_id
            .get(found)
            .and_then(id_text)
            .filter(|id| !(is_nought(id) && said.is_some_and(says_something)));
        let own = own_status(found);
        let status = own.unwrap_or(status);
        let fits = match own {
            Some(_) => Code::fits,
            None => Code::fits_item,
        };
        let good = !refused
            && match &batch.item_ok {
                Some(ok) => ok.get(found).is_some_and(truthy),
                None => id.is_some() && !is_an_error(said),
            };
        if good {
            // Where nothing tells success, an id may be that of the record that is in the way.
            if batch.item_ok.is_none()
                && let Some(verdict) = self.matched(found, said, status, fits)
            {
                return verdict;
            }
            let address = batch.item_address.as_ref().and_then(|path| path.get(found));
            return Verdict::Done {
                id,
                address: address.and_then(id_text),
            };
        }
        let refusal = shape::read_item(&self.errors, status, found, said);
        self.classified(refusal, None, fits)
    }

    /// What a matcher that names a code or words says of an item that has an id.
    fn matched(
        &self,
        found: &Value,
        said: Option<&Value>,
        status: u16,
        fits: fn(&Code, &Refusal) -> bool,
    ) -> Option<Verdict> {
        let mut matchers = [&self.fatal, &self.retry, &self.create.exists]
            .into_iter()
            .flatten()
            .filter(|code| code.names_words())
            .peekable();
        matchers.peek()?;
        // The usual names may be those of the customer's own fields: the file's go first.
        let shapes = match self.errors.as_slice() {
            [own @ .., _usual] if !own.is_empty() => own,
            all => all,
        };
        let refusal = shape::words_of_item(shapes, status, found, said);
        matchers
            .any(|code| fits(code, &refusal))
            .then(|| self.classified(refusal, None, fits))
    }
}

/// Whether what stands at `item_error` is an error whatever stands beside it. A text is none: some
/// APIs say there that all went well.
fn is_an_error(said: Option<&Value>) -> bool {
    match said {
        Some(Value::Object(error)) => !error.is_empty(),
        Some(Value::Array(errors)) => !errors.is_empty(),
        _ => false,
    }
}

fn says_something(said: &Value) -> bool {
    match said {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    }
}

/// An id that names no record: 0, or a GUID of noughts alone.
fn is_nought(id: &str) -> bool {
    id == "0" || id == "00000000-0000-0000-0000-000000000000"
}

/// The status that an item of an answer gives for itself.
fn own_status(item: &Value) -> Option<u16> {
    ["status", "statusCode", "status_code", "httpStatusCode"]
        .iter()
        .filter_map(|name| id_text(item.get(name)?)?.parse::<u16>().ok())
        .find(|status| (400..600).contains(status))
}

/// Which item each answer is about, for answers in the order of the input: its place, the answer,
/// whether it stands among the errors. An answer that says its `index` is believed; lists that hold
/// fewer answers than there were items have lost their places, unless the errors that stand apart
/// say theirs and the results are just those that are left.
fn index_places<'a>(
    results: &'a [Value],
    errors: &'a [Value],
    count: usize,
) -> Vec<(Option<usize>, &'a Value, bool)> {
    let said = |found: &Value| {
        let index = found.get("index")?.as_u64()?;
        usize::try_from(index).ok().filter(|index| *index < count)
    };
    let mut places = Vec::with_capacity(results.len() + errors.len());
    let named: std::collections::BTreeSet<usize> = errors.iter().filter_map(said).collect();
    let left = results.len() != count
        && !errors.is_empty()
        && named.len() == errors.len()
        && named.len() + results.len() == count
        && results.iter().all(|found| said(found).is_none());
    let mut rest = (0..count).filter(|place| !named.contains(place));
    for (list, refused) in [(results, false), (errors, true)] {
        for (place, found) in list.iter().enumerate() {
            if found.is_null() {
                continue;
            }
            let at = match said(found) {
                Some(said) => Some(said),
                None if left && !refused => rest.next(),
                None => (list.len() == count).then_some(place),
            };
            places.push((at, found, refused));
        }
    }
    places
}

/// The items of a batch by the name that their answers give them.
struct Names {
    exact: HashMap<String, Option<usize>>,
    folded: HashMap<String, Option<usize>>,
}

impl Names {
    /// The names in the order of the items. One that two items share names neither.
    fn new(names: impl Iterator<Item = String>) -> Self {
        let mut all = Self {
            exact: HashMap::new(),
            folded: HashMap::new(),
        };
        for (place, name) in names.enumerate().filter(|(_, name)| !name.is_empty()) {
            let one = |at: &mut Option<usize>| *at = None;
            all.folded
                .entry(name.to_lowercase())
                .and_modify(one)
                .or_insert(Some(place));
            all.exact.entry(name).and_modify(one).or_insert(Some(place));
        }
        all
    }

    /// The items that an answer names: one, or several in a list. Some APIs fold the case of a
    /// value that they give back.
    fn places(&self, said: Option<&Value>) -> Vec<usize> {
        let place = |said: &Value| {
            let name = id_text(said)?;
            match self.exact.get(&name) {
                Some(place) => *place,
                None => *self.folded.get(&name.to_lowercase())?,
            }
        };
        match said {
            Some(Value::Array(list)) => list.iter().filter_map(place).collect(),
            Some(one) => place(one).into_iter().collect(),
            None => Vec::new(),
        }
    }
}

impl Batch {
    /// Counts what stands around the records in a body.
    pub(super) fn measure(&mut self, constants: &Value) {
        let mut body = match constants {
            Value::Null => Value::Null,
            constants => constants.clone(),
        };
        self.at.set(&mut body, Value::Array(Vec::new()));
        let item = self.item_of(&Item {
            record: Value::Object(serde_json::Map::new()),
            trace: "0".repeat(32),
        });
        self.overhead = (body.to_string().len(), item.to_string().len() + 1);
    }

    fn item_of(&self, item: &Item) -> Value {
        let mut value = self.item_constants.clone();
        let record = item.record.clone();
        match value.is_null() && self.item.is_empty() {
            true => value = record,
            false => merge::lay(&mut value, &self.item, record, self.pairs.as_ref()),
        }
        if let Some(trace) = &self.trace {
            trace.set(&mut value, Value::String(item.trace.clone()));
        }
        value
    }

    /// How many of these records, given the length of each as JSON, fit into one request.
    pub fn fits(&self, lengths: impl IntoIterator<Item = usize>) -> usize {
        let (mut bytes, each) = self.overhead;
        let mut count = 0;
        for length in lengths {
            bytes += length + each;
            if count > 0 && bytes > self.max_bytes || count == self.max {
                break;
            }
            count += 1;
        }
        count
    }
}

/// Bytes as target files write them: `4MB`, `500kB`, `1048576`.
pub(super) fn parse_bytes(text: &str) -> Option<usize> {
    let text = text.trim();
    let digits = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let number: usize = text[..digits].parse().ok()?;
    let unit = match text[digits..].trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "kib" => 1_024,
        "m" | "mb" => 1_000_000,
        "mib" => 1_048_576,
        _ => return None,
    };
    number.checked_mul(unit).filter(|bytes| *bytes > 0)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use reqwest::header::HeaderMap;
    use serde_json::json;

    use super::*;

    fn target(batch: &str) -> Target {
        target_with(batch, "", "")
    }

    fn target_with(batch: &str, create: &str, more: &str) -> Target {
        let text = format!(
            "name = \"T\"\nbase_url = \"https://t.example\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/c\"\n{create}\n[create.batch]\n{batch}\n{more}\n[fields]\nname = {{ type = \"text\" }}\n"
        );
        let file = Arc::new(crate::issue::TextFile {
            name: "t.toml".into(),
            text,
        });
        let (target, mistakes) = super::super::load_file("t", &file, None);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        target.unwrap()
    }

    fn items(count: usize) -> Vec<Item> {
        (0..count)
            .map(|n| Item {
                record: json!({"name": n.to_string()}),
                trace: format!("t{n}"),
            })
            .collect()
    }

    fn words(target: &Target, items: &[Item], answer: &Value) -> Vec<String> {
        let answer = Answer {
            status: 207,
            headers: HeaderMap::new(),
            body: answer.to_string().into_bytes(),
        };
        let batch = target.create.batch.as_ref().unwrap();
        match target.batch_answer(batch, items, &answer, SystemTime::UNIX_EPOCH) {
            BatchVerdict::Whole(verdict) => vec![format!("{verdict:?}")],
            BatchVerdict::Items(verdicts) => verdicts
                .iter()
                .map(|verdict| match verdict {
                    Verdict::Done { id, .. } => format!("done {}", id.as_deref().unwrap_or("-")),
                    Verdict::Refused(refusal) => format!("refused {}", refusal.message),
                    Verdict::Unknown(_) => "unknown".to_owned(),
                    other => format!("{other:?}"),
                })
                .collect(),
        }
    }

    #[test]
    fn the_body_holds_items_as_the_file_says() {
        let target = target(
            "path = \"/c/batch\"\nat = \"inputs\"\nitem = \"properties\"\nitem_constants = { type = \"contact\" }\ntrace = \"objectWriteTraceId\"",
        );
        let batch = target.create.batch.as_ref().unwrap();
        let call = target.batch_call(batch, &items(1), "k").unwrap();
        assert_eq!(call.location, "/c/batch");
        let body: Value = serde_json::from_slice(&call.body.unwrap().1).unwrap();
        assert_eq!(
            body,
            json!({"inputs": [{"type": "contact", "properties": {"name": "0"}, "objectWriteTraceId": "t0"}]})
        );
    }

    #[test]
    fn answers_in_the_order_of_the_input() {
        let target = target("item_ok = \"success\"\nitem_error = \"errors\"");
        let answer = json!([
            {"success": true, "id": "a"},
            {"success": false, "errors": [{"statusCode": "REQUIRED", "message": "no name", "fields": ["name"]}]},
        ]);
        assert_eq!(
            words(&target, &items(2), &answer),
            ["done a", "refused no name"]
        );
        assert_eq!(
            words(&target, &items(3), &answer),
            ["unknown", "unknown", "unknown"]
        );
    }

    #[test]
    fn an_error_beside_an_id_is_a_refusal() {
        let nought = "00000000-0000-0000-0000-000000000000";
        let refused = |code: &str, message: &str| format!("refused {code} {message}");
        for (batch, create, item, said) in [
            (
                "item_error = \"error\"",
                "exists = [{ code = \"dup\" }]",
                json!({"id": 0, "error": {"code": "dup", "message": "taken"}}),
                "exists".to_owned(),
            ),
            (
                "item_error = \"error\"",
                "",
                json!({"id": 0, "error": {"code": "x", "message": "bad"}}),
                refused("x", "bad"),
            ),
            (
                "item_error = \"Errors\"",
                "",
                json!({"id": nought, "Errors": [{"message": "bad"}]}),
                refused("-", "bad"),
            ),
            (
                "item_error = \"Errors\"",
                "",
                json!({"id": "7", "Errors": []}),
                "done 7".to_owned(),
            ),
            // Zoho: the id of the record that is there.
            (
                "item_id = \"details.id\"",
                "exists = [{ code = \"DUPLICATE_DATA\" }]",
                json!({"code": "DUPLICATE_DATA", "details": {"id": "55"}, "message": "duplicate data"}),
                "exists".to_owned(),
            ),
            (
                "item_id = \"details.id\"\nitem_error = \"message\"",
                "exists = [{ code = \"DUPLICATE_DATA\" }]",
                json!({"code": "SUCCESS", "details": {"id": "55"}, "message": "record added"}),
                "done 55".to_owned(),
            ),
            // What a customer holds is no refusal's words.
            (
                "",
                "exists = [{ message = \"exists\" }, { status = 207 }]",
                json!({"id": 5, "name": "It exists Ltd"}),
                "done 5".to_owned(),
            ),
            (
                "item_error = \"message\"",
                "",
                json!({"id": 0, "message": "not valid"}),
                refused("-", "not valid"),
            ),
            (
                "item_error = \"error\"",
                "",
                json!({"id": 0, "error": null}),
                "done 0".to_owned(),
            ),
        ] {
            let target = target_with(
                &format!("results = \"create\"\n{batch}"),
                create,
                "[errors]\nmessage = [\"message\"]\ncode = [\"code\"]",
            );
            let sent = items(1);
            let answer = json!({"create": [item]});
            let answer = Answer {
                status: 200,
                headers: HeaderMap::new(),
                body: answer.to_string().into_bytes(),
            };
            let section = target.create.batch.as_ref().unwrap();
            let found = target.batch_answer(section, &sent, &answer, SystemTime::UNIX_EPOCH);
            let BatchVerdict::Items(found) = found else {
                panic!("{found:?}");
            };
            let found = match &found[0] {
                Verdict::Done { id, .. } => format!("done {}", id.as_deref().unwrap_or("-")),
                Verdict::Exists(_) => "exists".to_owned(),
                Verdict::Refused(refusal) => {
                    refused(refusal.code.as_deref().unwrap_or("-"), &refusal.message)
                }
                other => format!("{other:?}"),
            };
            assert_eq!(found, said, "{batch} {create} {item}");
        }
    }

    #[test]
    fn answers_by_a_name_of_our_own_in_any_order_with_errors_apart() {
        let target = target(
            "at = \"inputs\"\nitem = \"properties\"\ntrace = \"t\"\nresults = \"results\"\nerrors = \"errors\"\nmatch = { item = \"t\", result = \"t\", error = \"context.t.0\" }\nitem_error = \"message\"",
        );
        let answer = json!({
            "results": [{"id": "2", "t": "t2"}, {"id": "0", "t": "t0"}],
            "errors": [{"message": "bad", "context": {"t": ["t1"]}}],
        });
        assert_eq!(
            words(&target, &items(4), &answer),
            ["done 0", "refused bad", "done 2", "unknown"]
        );
    }

    #[test]
    fn a_batch_ends_at_its_count_and_its_bytes() {
        let target = target("max = 3\nmax_bytes = \"1kB\"");
        let batch = target.create.batch.as_ref().unwrap();
        assert_eq!(batch.fits([10, 10, 10, 10]), 3);
        assert_eq!(batch.fits([500, 600, 10]), 1);
        assert_eq!(batch.fits([5_000]), 1);
        for (text, bytes) in [
            ("4MB", Some(4_000_000)),
            ("10", Some(10)),
            ("1KiB", Some(1024)),
            ("x", None),
            ("0", None),
        ] {
            assert_eq!(parse_bytes(text), bytes, "{text}");
        }
    }

    #[test]
    fn places_are_told_by_the_answers_where_the_errors_stand_apart() {
        let target = target("at = \"in\"\nresults = \"made\"\nerrors = \"errors\"");
        for (answer, said) in [
            (
                json!({"made": [{"id": "a"}, {"id": "c"}], "errors": [{"index": 1, "message": "no"}]}),
                ["done a", "refused no", "done c"],
            ),
            (
                json!({"made": [{"id": "c", "index": 2}], "errors": [{"index": 1, "message": "no"}]}),
                ["unknown", "refused no", "done c"],
            ),
            (
                json!({"made": [{"id": "a"}, {"id": "c"}], "errors": [{"message": "no"}]}),
                ["unknown", "unknown", "unknown"],
            ),
            (
                json!({"made": [{"id": "a"}, null, {"id": "c"}], "errors": [null, {"message": "no"}, null]}),
                ["done a", "refused no", "done c"],
            ),
        ] {
            assert_eq!(words(&target, &items(3), &answer), said, "{answer}");
        }
    }

    #[test]
    fn where_only_refusals_are_answered_the_others_were_made() {
        let braze = "at = \"in\"\nresults = \"made\"\nerrors = \"errors\"\nsilent = \"created\"";
        for (create, answer, said) in [
            (
                "",
                json!({"message": "success", "errors": [{"index": 1, "message": "no"}]}),
                ["done -", "refused no", "done -"],
            ),
            ("", json!({"message": "success"}), ["done -"; 3]),
            // Whose refusal that is, nobody knows.
            ("", json!({"errors": [{"message": "no"}]}), ["unknown"; 3]),
            (
                "",
                json!({"errors": [{"index": 1, "message": "no"}, {"index": 9, "message": "no"}]}),
                ["unknown", "refused no", "unknown"],
            ),
            (
                "ok = \"fine\"",
                json!({"errors": [{"index": 1, "message": "no"}]}),
                ["unknown", "refused no", "unknown"],
            ),
        ] {
            let target = target_with(braze, create, "");
            assert_eq!(words(&target, &items(3), &answer), said, "{answer}");
        }
        let named = target(&format!(
            "{braze}\nmatch = {{ item = \"name\", result = \"name\", error = \"name\" }}"
        ));
        for (name, said) in [("1", ["done -", "refused no"]), ("7", ["unknown"; 2])] {
            let answer = json!({"errors": [{"name": name, "message": "no"}]});
            assert_eq!(words(&named, &items(2), &answer), said, "{name}");
        }
    }

    #[test]
    fn a_name_that_two_items_share_names_neither_and_case_may_be_folded() {
        let target = target(
            "at = \"in\"\nresults = \"made\"\nerrors = \"errors\"\nmatch = { item = \"name\", result = \"name\", error = \"names\" }",
        );
        let items: Vec<Item> = ["Ann@x", "bob@x", "Dup", "Dup", "eve@x"]
            .into_iter()
            .map(|name| Item {
                record: json!({"name": name}),
                trace: String::new(),
            })
            .collect();
        let answer = json!({
            "made": [{"id": 1, "name": "ann@x"}, {"id": 2, "name": "Dup"}],
            "errors": [{"names": ["bob@x", "eve@x"], "message": "no"}],
        });
        assert_eq!(
            words(&target, &items, &answer),
            ["done 1", "refused no", "unknown", "unknown", "refused no"]
        );
    }

    #[test]
    fn an_atomic_batch_that_answers_only_refusals_was_refused_as_a_whole() {
        let target = target("at = \"in\"\nresults = \"r\"\natomic = true\nitem_ok = \"ok\"");
        let answer = json!({"r": [{"ok": false, "message": "rolled back"}, {"ok": false, "message": "bad"}]});
        assert!(words(&target, &items(2), &answer)[0].starts_with("Refused"));
        let answer = json!({"r": [{"ok": true, "id": 1}, {"ok": false, "message": "bad"}]});
        assert_eq!(
            words(&target, &items(2), &answer),
            ["done 1", "refused bad"]
        );
    }
}
