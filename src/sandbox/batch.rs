//! Several records in one request, and the answers to each.

use serde_json::{Map, Value};

use super::constants::Constants;
use super::play::Play;
use super::refuse::Refused;
use super::reply::{Payload, Reply};
use super::store::Store;
use super::value::{object, put, remove};
use crate::path::{Path, Step};
use crate::target::file::{BatchMatch, BatchSection, CreateSection, Silent};

/// `[create.batch]`.
#[derive(Debug)]
pub(super) struct Batch {
    max: usize,
    max_bytes: usize,
    at: Path,
    item: Path,
    constants: Map<String, Value>,
    trace: Option<Path>,
    results: Path,
    errors: Option<Path>,
    /// Paths in the item, in a result, in an error; `None`: in the order of the input.
    member: Option<(Path, Path, Path)>,
    item_ok: Option<Path>,
    item_id: Path,
    item_address: Option<Path>,
    item_error: Option<Path>,
    /// Only what is refused is answered.
    silent: bool,
    atomic: bool,
    success: u16,
    partial: u16,
}

/// What became of an item.
enum Fate {
    Made(usize),
    Refused(Refused),
}

impl Batch {
    pub(super) fn new(section: &BatchSection, create: &CreateSection) -> Result<Self, String> {
        let of = |text: &Option<String>| text.as_deref().map(Path::parse).transpose();
        let member = match &section.matching {
            None | Some(BatchMatch::Index) => None,
            Some(BatchMatch::Member {
                item,
                result,
                error,
            }) => Some((
                Path::parse(item)?,
                Path::parse(result)?,
                Path::parse(error.as_ref().unwrap_or(result))?,
            )),
        };
        let statuses = if section.success.is_empty() {
            &create.success
        } else {
            &section.success
        };
        let success = statuses.first().copied().unwrap_or(200);
        Ok(Self {
            max: section.max.unwrap_or(usize::MAX),
            max_bytes: section.max_bytes.as_deref().map_or(Ok(usize::MAX), bytes)?,
            at: Path::parse(&section.at)?,
            item: Path::parse(&section.item)?,
            constants: object(&section.item_constants),
            trace: of(&section.trace)?,
            results: Path::parse(&section.results)?,
            errors: of(&section.errors)?,
            member,
            item_ok: of(&section.item_ok)?,
            item_id: of(&section.item_id)?.unwrap_or_else(|| Path::key("id")),
            item_address: of(&section.item_address)?,
            item_error: of(&section.item_error)?,
            silent: section.silent == Silent::Created && section.errors.is_some(),
            atomic: section.atomic,
            success,
            partial: if statuses.contains(&207) {
                207
            } else {
                success
            },
        })
    }

    /// Whether a body is a batch's.
    pub(super) fn is_in(&self, body: &Value) -> bool {
        self.at.get(body).is_some_and(Value::is_array)
    }

    /// Makes the records of a batch.
    pub(super) fn play(
        &self,
        play: &Play,
        store: &mut Store,
        random: &mut fastrand::Rng,
        body: &Value,
        length: usize,
    ) -> Reply {
        let refuse = |refused: Refused| Reply::refusal(&play.shapes, &refused);
        let bad = |why: String| Refused::new(play.shapes.invalid, "validation_error", why);
        let Some(items) = self.at.get(body).and_then(Value::as_array) else {
            return refuse(bad(format!("the body must hold an array at `{}`", self.at)));
        };
        // The constants of a single create may stand beside the array.
        if let (Some(way), Value::Object(members)) = (self.at.0.first(), body)
            && let Some(key) = members
                .keys()
                .find(|key| *way != Step::Key((*key).clone()) && !play.constants.contains_key(*key))
        {
            return refuse(bad(format!(
                "the body holds `{key}`, which is not known here"
            )));
        }
        if items.is_empty() {
            return refuse(bad("the batch is empty".into()));
        }
        if items.len() > self.max {
            return refuse(bad(format!(
                "a batch may hold {} records at most",
                self.max
            )));
        }
        if length > self.max_bytes {
            let why = format!("a batch may have {} bytes at most", self.max_bytes);
            return refuse(Refused::new(413, "too_large", why));
        }
        let mut fates: Vec<Fate> = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let fate = self
                .record(play, item)
                .and_then(|record| play.make(store, random, record))
                .map_or_else(Fate::Refused, Fate::Made);
            if let (true, Fate::Refused(refused)) = (self.atomic, &fate) {
                for fate in &fates {
                    if let Fate::Made(place) = fate {
                        store.delete(*place);
                    }
                }
                let mut refused = refused.clone();
                let at = self.at.join(&Path(vec![Step::Index(index)]));
                for refusal in &mut refused.fields {
                    refusal.field = at.join(&self.item).join(&refusal.field);
                }
                return refuse(refused);
            }
            fates.push(fate);
        }
        self.answer(play, store, random, items, &fates)
    }

    /// The record in an item.
    fn record(&self, play: &Play, item: &Value) -> Result<Value, Refused> {
        let bad = |why: String| Refused::new(play.shapes.invalid, "validation_error", why);
        let constants = Constants {
            all: &self.constants,
            record: &self.item,
            schema: &play.schema,
            loose: false,
        };
        if let Some(key) = constants.missing(item) {
            return Err(bad(format!("each item must hold the constant `{key}`")));
        }
        if let Some(trace) = &self.trace
            && trace
                .get(item)
                .and_then(Value::as_str)
                .is_none_or(str::is_empty)
        {
            return Err(bad(format!("each item must hold a text at `{trace}`")));
        }
        let first = |path: &Path| path.0.first().cloned();
        let (way, trace) = (first(&self.item), self.trace.as_ref().and_then(first));
        let mut item = item.clone();
        if let (Some(way), Value::Object(members)) = (&way, &item) {
            // Beside the record only what the target file names may stand.
            let stray = members
                .keys()
                .map(|key| Step::Key(key.clone()))
                .find(|key| {
                    key != way
                        && Some(key) != trace.as_ref()
                        && !self.constants.keys().any(|c| {
                            Path::parse(c).is_ok_and(|path| path.0.first() == Some(key))
                                || Step::Key(c.clone()) == *key
                        })
                });
            if let Some(key) = stray {
                let path = Path(vec![key]);
                return Err(bad(format!(
                    "an item holds `{path}`, which is not known here"
                )));
            }
        }
        if let Some(trace) = &self.trace {
            remove(trace, &mut item);
        }
        let Some(mut record) = self.item.get(&item).cloned() else {
            return Err(bad(format!(
                "each item must hold a record at `{}`",
                self.item
            )));
        };
        constants.strip(&mut record);
        Ok(record)
    }

    fn answer(
        &self,
        play: &Play,
        store: &Store,
        random: &mut fastrand::Rng,
        items: &[Value],
        fates: &[Fate],
    ) -> Reply {
        let (mut results, mut errors) = (Vec::new(), Vec::new());
        let mut refused = 0;
        // In the order of the input each list keeps every place.
        let in_order = self.member.is_none();
        for (index, (item, fate)) in items.iter().zip(fates).enumerate() {
            let (said, failed) = match fate {
                Fate::Made(place) => (self.made(play, store, *place), false),
                Fate::Refused(why) => (self.refused(play, why), true),
            };
            refused += u64::from(failed);
            let mut said = said;
            if self.silent {
                match failed {
                    true if in_order => put(&Path::key("index"), &mut said, Value::from(index)),
                    true => {}
                    false => continue,
                }
            }
            if let Some(trace) = &self.trace
                && let Some(name) = trace.get(item)
                && self.member.is_none()
            {
                put(trace, &mut said, name.clone());
            }
            if let Some((sent, result, error)) = &self.member {
                let path = if failed && self.errors.is_some() {
                    error
                } else {
                    result
                };
                put(
                    path,
                    &mut said,
                    sent.get(item).cloned().unwrap_or(Value::Null),
                );
            }
            match (failed, &self.errors) {
                (true, Some(_)) => {
                    errors.push(said);
                    if in_order && !self.silent {
                        results.push(Value::Null);
                    }
                }
                (false, Some(_)) if in_order => {
                    results.push(said);
                    errors.push(Value::Null);
                }
                _ => results.push(said),
            }
        }
        if !in_order {
            // Answers that are matched by a member come in any order.
            random.shuffle(&mut results);
            random.shuffle(&mut errors);
        }
        let mut body = Value::Object(Map::new());
        if !self.silent {
            put(&self.results, &mut body, Value::Array(results));
        }
        if let Some(path) = &self.errors {
            put(path, &mut body, Value::Array(errors));
        }
        if let Some(path) = play.ok.as_ref().filter(|_| body.is_object()) {
            put(path, &mut body, Value::Bool(true));
        }
        let status = if refused > 0 {
            self.partial
        } else {
            self.success
        };
        Reply {
            created: fates.len() as u64 - refused,
            refused,
            payload: Payload::Json(body),
            ..Reply::success(status, Value::Null)
        }
    }

    fn made(&self, play: &Play, store: &Store, place: usize) -> Value {
        let mut said = Value::Object(Map::new());
        if let Some(record) = store.get(place) {
            let view = play.view(record, &Path::key("id"), None);
            put(&self.item, &mut said, view);
            put(&self.item_id, &mut said, record.id.clone());
            if let Some(path) = &self.item_address {
                put(path, &mut said, play.address_of(record));
            }
        }
        if let Some(path) = &self.item_ok {
            put(path, &mut said, Value::Bool(true));
        }
        said
    }

    fn refused(&self, play: &Play, why: &Refused) -> Value {
        let (shaped, _) = play.shapes.body(why);
        let mut said = match &self.item_error {
            None => shaped,
            Some(path) => {
                let says = path.to_string().to_lowercase();
                let text = [
                    "message",
                    "error_message",
                    "msg",
                    "detail",
                    "reason",
                    "text",
                ]
                .iter()
                .any(|end| says == *end || says.ends_with(&format!(".{end}")));
                if text {
                    // Beside the text what else the vendor says, so that codes can be matched.
                    let mut said = if shaped.is_object() {
                        shaped
                    } else {
                        Value::Object(Map::new())
                    };
                    put(path, &mut said, Value::from(why.message.as_str()));
                    said
                } else {
                    let mut said = Value::Object(Map::new());
                    put(path, &mut said, shaped);
                    said
                }
            }
        };
        if let Some(path) = &self.item_ok {
            put(path, &mut said, Value::Bool(false));
        }
        said
    }
}

/// Reads a size such as `4MB`, `512 KiB` or `1000`.
fn bytes(text: &str) -> Result<usize, String> {
    let text = text.trim();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "kb" | "k" => 1000,
        "mb" | "m" => 1_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        _ => return Err(format!("max_bytes `{text}` is no size; write it as `4MB`")),
    };
    number
        .parse::<usize>()
        .ok()
        .and_then(|n| n.checked_mul(factor))
        .ok_or_else(|| format!("max_bytes `{text}` is no size; write it as `4MB`"))
}
