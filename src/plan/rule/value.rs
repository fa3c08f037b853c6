//! From the text that was taken to the value, in the order of the reference: clean, split, map,
//! type, look-up, limits.

use std::borrow::Cow;
use std::ops::Range;

use super::context::Wrong;
use super::take::{Taken, cleaned_number, exact};
use super::{Mapped, Others, Parts, RulePlan, Take};
use crate::field::clean::clean;
use crate::field::{Problem, Type, Value, fold, trim, write_json_str};
use crate::issue::nearest;
use crate::mapping::file::Pick;
use crate::row::{Cell, Kind, Row};

impl RulePlan {
    /// From the text that was taken to the value; whether there is one.
    pub(in crate::plan) fn value<'a>(
        &'a self,
        row: Row<'a>,
        taken: Taken<'a>,
        warnings: &mut Vec<Wrong<'a>>,
        out: &mut String,
    ) -> Result<bool, Wrong<'a>> {
        if let Take::Fixed(fragment) = &self.take {
            out.push_str(fragment);
            return Ok(true);
        }
        let taken_text = |problem: Problem| Wrong {
            rule: problem.rule,
            message: sentence(&problem.message),
            column: taken.column,
            text: taken.text.clone(),
        };
        let mut kind = taken.kind;
        let text = if self.clean.is_empty() {
            taken.text.clone()
        } else {
            if let (Type::Text | Type::Choice | Type::Choices, Some(column)) =
                (self.reader.ty(), taken.column)
            {
                let text = &taken.text;
                exact(Cell { text, kind }, column).map_err(|wrong| Wrong {
                    text: taken.text.clone(),
                    rule: wrong.rule,
                    message: wrong.message,
                    column: wrong.column,
                })?;
            }
            let mut cuts = false;
            let cleaned = clean(&self.clean, taken.text.clone(), &mut cuts);
            if cuts {
                warnings.push(Wrong {
                    rule: "truncated",
                    message: "this is longer than the mapping keeps and was cut".into(),
                    column: taken.column,
                    text: taken.text.clone(),
                });
            }
            let mut cleaned = cleaned;
            if cleaned != taken.text {
                if matches!(kind, Kind::Number(_))
                    && self.reader.reads_commas()
                    && let Some(number) = cleaned_number(&taken.text, &cleaned)
                {
                    cleaned = Cow::Owned(number);
                }
                kind = Kind::Text;
            }
            match trim(&cleaned) {
                same if same.len() == cleaned.len() => cleaned,
                trimmed => Cow::Owned(trimmed.to_owned()),
            }
        };
        if text.is_empty() {
            return Ok(false);
        }
        let start = out.len();
        let mut warn = |problem: Problem| warnings.push(taken_text(problem));
        let Some(split) = &self.split else {
            let cell = Cell { text: &text, kind };
            let Some(value) = self.convert(row, cell, &mut warn).map_err(taken_text)? else {
                return Ok(false);
            };
            if value.is_empty() {
                return Ok(false);
            }
            self.keep_limits(&value).map_err(taken_text)?;
            if self.one_is_list && !matches!(value, Value::Json(serde_json::Value::Array(_))) {
                self.keep_items(1).map_err(taken_text)?;
                out.push('[');
                self.write(&value, out);
                out.push(']');
            } else {
                self.write(&value, out);
            }
            return Ok(true);
        };
        let parts = split_parts(&text, &split.separators);
        let one = match &split.parts {
            Parts::Pick(Pick::First) => parts.first(),
            Parts::Pick(Pick::Last) => parts.last(),
            Parts::Pick(Pick::Number(number)) => parts.get(number.saturating_sub(1)),
            Parts::List | Parts::Join(_) => None,
        };
        let whole = text.len();
        if let Parts::Pick(_) = split.parts {
            let Some(part) = one else {
                return Ok(false);
            };
            let value = self
                .convert(row, part_of(part, whole, kind), &mut warn)
                .map_err(taken_text)?;
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                return Ok(false);
            };
            self.keep_limits(&value).map_err(taken_text)?;
            self.write(&value, out);
            return Ok(true);
        }
        if let Parts::Join(joint) = &split.parts {
            let mut joined: Option<String> = None;
            for part in &parts {
                let value = self
                    .convert(row, part_of(part, whole, kind), &mut warn)
                    .map_err(taken_text)?;
                let Some(value) = value.filter(|value| !value.is_empty()) else {
                    continue;
                };
                match &mut joined {
                    Some(text) => {
                        text.push_str(joint);
                        text.push_str(&value.as_text());
                    }
                    None => joined = Some(value.as_text().into_owned()),
                }
            }
            let Some(text) = joined else {
                return Ok(false);
            };
            let value = Value::Text(Cow::Owned(text));
            self.keep_limits(&value).map_err(taken_text)?;
            self.write(&value, out);
            return Ok(true);
        }
        let listed = self.list(row, &parts, (whole, kind), &mut warn, out);
        if !matches!(listed, Ok(true)) {
            out.truncate(start);
        }
        listed.map_err(taken_text)
    }

    /// Writes the parts as a list; whether there is any. What is written of a list that fails is
    /// left to the caller.
    fn list<'v>(
        &'v self,
        row: Row<'v>,
        parts: &[&'v str],
        (whole, kind): (usize, Kind),
        warn: &mut dyn FnMut(Problem),
        out: &mut String,
    ) -> Result<bool, Problem> {
        out.push('[');
        let mut places: Vec<Range<usize>> = Vec::with_capacity(parts.len());
        for part in parts {
            let value = self.convert(row, part_of(part, whole, kind), warn)?;
            let Some(value) = value.filter(|value| !value.is_empty()) else {
                continue;
            };
            self.keep_limits(&value)?;
            let before = out.len();
            if !places.is_empty() {
                out.push(',');
            }
            let place = out.len();
            self.write(&value, out);
            let (earlier, written) = out.split_at(place);
            // Two parts may be mapped to one value.
            if places
                .iter()
                .any(|other| earlier.get(other.clone()) == Some(written))
            {
                out.truncate(before);
            } else {
                places.push(place..out.len());
            }
        }
        if places.is_empty() {
            return Ok(false);
        }
        self.keep_items(places.len())?;
        out.push(']');
        Ok(true)
    }

    /// Map, type and look-up of one text.
    pub(in crate::plan) fn convert<'v>(
        &'v self,
        row: Row<'v>,
        cell: Cell<'v>,
        warn: &mut dyn FnMut(Problem),
    ) -> Result<Option<Value<'v>>, Problem> {
        let mut cell = cell;
        let mut ready = None;
        if let Some(map) = &self.map {
            let mapped = match (map.get(cell.text), &map.others) {
                (Some(mapped), _) => Some(mapped),
                (None, Others::Keep) => None,
                (None, Others::Value(mapped)) => Some(mapped),
                (None, Others::Error) => {
                    return Err(not_found("map", "the map", || {
                        nearest(cell.text, map.keys.iter().map(String::as_str))
                    }));
                }
            };
            match mapped {
                Some(Mapped::Null) => return Ok(None),
                Some(Mapped::Ready(value)) => ready = Some(borrowed(value)),
                Some(Mapped::Text(text)) => {
                    cell = Cell {
                        text,
                        kind: Kind::Text,
                    };
                }
                None => {}
            }
        }
        let value = match ready {
            Some(value) => value,
            None => {
                let region = self
                    .region_from
                    .as_ref()
                    .map(|(column, nulls)| nulls.text(row.cell(*column).text))
                    .filter(|text| !text.is_empty());
                let read = self.reader.read(cell, region)?;
                if let Some(warning) = read.warning {
                    warn(warning);
                }
                read.value
            }
        };
        let value = match &self.lookup {
            None => value,
            Some(lookup) => {
                let text = value.as_text();
                let Some(found) = lookup.table.get(&fold(&text)) else {
                    return Err(not_found("lookup", &lookup.file, || {
                        lookup.table.nearest(&text)
                    }));
                };
                match &lookup.reader {
                    None => Value::Text(Cow::Borrowed(found)),
                    Some(reader) => {
                        let cell = Cell {
                            text: found,
                            kind: Kind::Text,
                        };
                        reader
                            .read(cell, None)
                            .map_err(|problem| Problem {
                                rule: "lookup",
                                message: format!(
                                    "stands in `{}` with a value that does not suit the field: \
                                     that {}",
                                    lookup.file, problem.message
                                )
                                .into(),
                            })?
                            .value
                    }
                }
            }
        };
        match &self.options {
            None => Ok(Some(value)),
            Some(options) => {
                let text = value.as_text();
                let cell = Cell {
                    text: &text,
                    kind: Kind::Text,
                };
                let chosen = options.read(cell, None)?.value.into_owned();
                Ok(Some(chosen))
            }
        }
    }

    /// Whether the value is a list of the parts of a text.
    pub(in crate::plan) fn gives_list(&self) -> bool {
        let parts = self.split.as_ref().map(|split| &split.parts);
        matches!(parts, Some(Parts::List))
    }

    pub(in crate::plan) fn keep_limits(&self, value: &Value<'_>) -> Result<(), Problem> {
        if !self.as_text && !value.is_exact() {
            return Err(Problem::new(
                "precision",
                "has more digits than a number in JSON is sure to keep; as text (type = \"text\") all of them \
                 are sent",
            ));
        }
        match self.limits.iter().find_map(|limits| limits.check(value)) {
            Some(problem) => Err(problem),
            None => Ok(()),
        }
    }

    pub(in crate::plan) fn keep_items(&self, count: usize) -> Result<(), Problem> {
        keep_items(self.items, count)
    }

    pub(in crate::plan) fn write(&self, value: &Value<'_>, out: &mut String) {
        if self.as_text {
            write_json_str(&value.as_text(), out);
        } else {
            value.write_json(out);
        }
    }
}

/// A part as a cell; a text that was not split stays what the file says it is.
fn part_of(part: &str, whole: usize, kind: Kind) -> Cell<'_> {
    Cell {
        text: part,
        kind: if part.len() == whole {
            kind
        } else {
            Kind::Text
        },
    }
}

/// Whether a list has as many parts as it may have.
pub(in crate::plan) fn keep_items(
    (min, max): (Option<usize>, Option<usize>),
    count: usize,
) -> Result<(), Problem> {
    match (min, max) {
        (Some(min), _) if count < min => Err(Problem::new(
            "min_items",
            format!("gives {count} values, fewer than the {min} that are asked for"),
        )),
        (_, Some(max)) if count > max => Err(Problem::new(
            "max_items",
            format!("gives {count} values, more than the {max} that are allowed"),
        )),
        _ => Ok(()),
    }
}

/// A problem goes on from the value; without the value it needs a beginning.
fn sentence(rest: &str) -> Cow<'static, str> {
    format!("this {rest}").into()
}

fn not_found<'n>(rule: &'static str, place: &str, near: impl Fn() -> Option<&'n str>) -> Problem {
    let place = if rule == "map" {
        place.to_owned()
    } else {
        format!("`{place}`")
    };
    Problem::new(
        rule,
        match near() {
            Some(near) => format!("is not in {place}; the nearest there is `{near}`"),
            None => format!("is not in {place}; add it there, or mend the cell"),
        },
    )
}

/// The same value, borrowed where that saves a copy.
fn borrowed<'v>(value: &'v Value<'static>) -> Value<'v> {
    match value {
        Value::Text(text) => Value::Text(Cow::Borrowed(text)),
        other => other.clone(),
    }
}

/// The parts of a text, trimmed, without empty ones and without those that stood before.
pub(in crate::plan) fn split_parts<'t>(text: &'t str, separators: &[String]) -> Vec<&'t str> {
    let mut parts: Vec<&str> = Vec::new();
    let mut keep = |part: &'t str| {
        let part = trim(part);
        if !part.is_empty() && !parts.contains(&part) {
            parts.push(part);
        }
    };
    let mut rest = text;
    loop {
        // The first separator that stands in the rest; of two at one place the longer.
        let next = separators
            .iter()
            .filter(|separator| !separator.is_empty())
            .filter_map(|separator| Some((rest.find(separator.as_str())?, separator.len())))
            .min_by_key(|&(at, length)| (at, std::cmp::Reverse(length)));
        let Some((at, length)) = next else {
            keep(rest);
            return parts;
        };
        keep(&rest[..at]);
        rest = &rest[at + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_trimmed_and_kept_once() {
        for (text, separators, want) in [
            ("a; b ;;a", &[";"][..], vec!["a", "b"]),
            ("a, b; c", &[",", ";"], vec!["a", "b", "c"]),
            ("a||b|c", &["|", "||"], vec!["a", "b", "c"]),
            (" ", &[";"], vec![]),
            ("a", &[""], vec!["a"]),
        ] {
            let separators: Vec<String> = separators.iter().map(|&s| s.to_owned()).collect();
            assert_eq!(split_parts(text, &separators), want, "{text}");
        }
    }
}
