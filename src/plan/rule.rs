//! One rule at work: from a row to a value, step by step in the order of the reference.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use super::cells::{self, Nulls};
use super::scope::{self, Shared};
use crate::field::clean::{Step, clean};
use crate::field::limits::Limits;
use crate::field::{Problem, Reader, Type, Value, fold, trim, write_json_str};
use crate::issue::{Issue, Severity, cut, nearest};
use crate::mapping::file::{OnError, Pick};
use crate::mapping::lookup::Table;
use crate::row::{Cell, Kind, Row, RowBatch};
use crate::template::{Expression, Scope, Template};

/// What the rules need to know of the row that they read.
pub(super) struct RowContext<'a> {
    pub(super) row: Row<'a>,
    batch: &'a Arc<RowBatch>,
    index: usize,
    shared: &'a Arc<Shared>,
    scope: OnceCell<Scope>,
    strict: bool,
    /// Whether the row may turn out to be an update, of which required fields are not asked.
    may_update: bool,
    /// Whether it can be nothing else, for want of a required field.
    pub(super) update_only: bool,
    pub(super) issues: Vec<Issue>,
}

impl<'a> RowContext<'a> {
    pub(super) fn new(
        shared: &'a Arc<Shared>,
        batch: &'a Arc<RowBatch>,
        index: usize,
        strict: bool,
        may_update: bool,
    ) -> Self {
        Self {
            row: batch.row(index),
            batch,
            index,
            shared,
            scope: OnceCell::new(),
            strict,
            may_update,
            update_only: false,
            issues: Vec::new(),
        }
    }

    /// A required field is empty: an error, unless the row may be an update; whether it may.
    pub(super) fn lacks(&mut self, field: &Arc<str>, column: Option<usize>, what: &str) -> bool {
        let text = column.map(|column| trim(self.row.cell(column).text));
        let (severity, message) = if self.may_update && !self.strict {
            self.update_only = true;
            let message = format!(
                "{what}, so this row can change a customer that the target has, but make no new one"
            );
            (Severity::Warning, message)
        } else {
            (Severity::Error, format!("{what}, and the field may not be"))
        };
        self.issues.push(Issue {
            code: format!("{field}.required").into(),
            severity,
            column,
            field: Some(Arc::clone(field)),
            value: Some(cut(text.unwrap_or_default()).into()),
            message: message.into(),
        });
        severity == Severity::Warning
    }

    pub(super) fn nulls(&self) -> &'a Nulls {
        &self.shared.nulls
    }

    /// The row as expressions see it, made when the first asks.
    pub(super) fn scope(&self) -> &Scope {
        self.scope
            .get_or_init(|| scope::of_row(self.shared, self.batch, self.index, None))
    }

    /// The same with the body beside it.
    pub(super) fn scope_with(&self, body: Scope) -> Scope {
        scope::of_row(self.shared, self.batch, self.index, Some(body))
    }

    fn issue(&mut self, field: &Arc<str>, severity: Severity, wrong: Wrong<'_>) {
        let severity = if self.strict {
            Severity::Error
        } else {
            severity
        };
        self.issues.push(Issue {
            code: format!("{field}.{}", wrong.rule).into(),
            severity,
            column: wrong.column,
            field: Some(Arc::clone(field)),
            value: Some(cut(&wrong.text).into()),
            message: wrong.message,
        });
    }

    /// An expression that cannot be evaluated for this row.
    pub(super) fn expression_issue(
        &mut self,
        field: Option<&Arc<str>>,
        what: &str,
        column: Option<usize>,
        message: &str,
    ) {
        let value = column.map(|column| cut(trim(self.row.cell(column).text)).into());
        self.issues.push(Issue {
            code: "expression".into(),
            severity: Severity::Error,
            column,
            field: field.map(Arc::clone),
            value,
            message: format!("{what} cannot be evaluated for this row: {message}").into(),
        });
    }
}

/// What is wrong with a value, and where it was taken.
#[derive(Debug)]
pub(super) struct Wrong<'a> {
    rule: &'static str,
    message: Cow<'static, str>,
    column: Option<usize>,
    /// The text that was taken.
    text: Cow<'a, str>,
}

impl Wrong<'_> {
    pub(super) fn message(&self) -> &str {
        &self.message
    }
}

/// What a rule gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filled {
    /// `when` is false, or the value is wrong: nothing more is asked of the field.
    Left,
    /// There is no value.
    Empty,
    /// The value was written.
    Full,
}

/// Where a rule takes its value from.
#[derive(Debug)]
pub(super) enum Take {
    /// One column.
    Column(usize),
    /// The first of several columns that is not empty.
    First(Vec<usize>),
    /// Several columns, joined by a text.
    Join(Vec<usize>, String),
    /// A template, and the columns that it names.
    Template(Box<Template>, Vec<usize>),
    /// A text that is the same for all rows.
    Text(String),
    /// JSON that is the same for all rows, ready to be sent.
    Fixed(String),
    /// None of the columns is in this file.
    Nothing,
}

impl Take {
    /// The column at which what is wrong with an empty field is shown.
    pub(super) fn column(&self) -> Option<usize> {
        match self {
            Take::Column(column) => Some(*column),
            Take::First(columns) | Take::Join(columns, _) | Take::Template(_, columns) => {
                columns.first().copied()
            }
            Take::Text(_) | Take::Fixed(_) | Take::Nothing => None,
        }
    }
}

/// What becomes of the parts of a split text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parts {
    /// They are a list.
    List,
    /// One is taken.
    Pick(Pick),
    /// They are joined to one text.
    Join(String),
}

/// `split`.
#[derive(Debug)]
pub(super) struct Split {
    pub(super) separators: Vec<String>,
    pub(super) parts: Parts,
}

/// A value of a map.
#[derive(Debug)]
pub(super) enum Mapped {
    /// A text that is read like a cell.
    Text(String),
    /// A value that is ready.
    Ready(Value<'static>),
    /// Nothing.
    Null,
}

/// What becomes of values that a map does not name.
#[derive(Debug)]
pub(super) enum Others {
    Error,
    Keep,
    Value(Mapped),
}

/// `map`.
#[derive(Debug)]
pub(super) struct Map {
    /// By the source values as written and folded.
    pub(super) values: HashMap<Box<str>, usize>,
    pub(super) mapped: Vec<Mapped>,
    /// The source values as written.
    pub(super) keys: Vec<String>,
    pub(super) others: Others,
}

impl Map {
    fn get(&self, text: &str) -> Option<&Mapped> {
        let at = self
            .values
            .get(text)
            .or_else(|| self.values.get(fold(text).as_ref()))?;
        self.mapped.get(*at)
    }
}

/// `lookup`.
#[derive(Debug)]
pub(super) struct Lookup {
    pub(super) table: Table,
    /// The file as the mapping names it.
    pub(super) file: String,
    /// How what is found is read; as text where `None`.
    pub(super) reader: Option<Reader>,
}

/// A rule with every name, pattern, table and format resolved.
#[derive(Debug)]
pub(super) struct RulePlan {
    pub(super) when: Option<Expression>,
    pub(super) take: Take,
    pub(super) nulls: Option<Nulls>,
    pub(super) clean: Vec<Step>,
    pub(super) split: Option<Split>,
    pub(super) map: Option<Map>,
    pub(super) reader: Reader,
    /// The column of a phone number's country, and what counts as empty there.
    pub(super) region_from: Option<(usize, Nulls)>,
    pub(super) lookup: Option<Lookup>,
    /// The options of the target, where the rule reads its value as another type.
    pub(super) options: Option<Reader>,
    pub(super) limits: Vec<Limits>,
    pub(super) items: (Option<usize>, Option<usize>),
    /// A single value is a list of one.
    pub(super) one_is_list: bool,
    /// Values are sent as text.
    pub(super) as_text: bool,
    pub(super) default: Option<String>,
    pub(super) required: bool,
    pub(super) empty: Option<&'static str>,
    /// The value is sent in a form of its own (`output`).
    pub(super) formatted: bool,
    pub(super) on_error: OnError,
    /// Cells that look like nothing are counted here.
    pub(super) watch: bool,
}

/// A cell, or what a template made of several.
#[derive(Debug, Clone)]
pub(super) struct Taken<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) kind: Kind,
    pub(super) column: Option<usize>,
}

impl RulePlan {
    /// Writes the value for this row behind what `out` holds.
    pub(super) fn fill(
        &self,
        cx: &mut RowContext<'_>,
        field: &Arc<str>,
        out: &mut String,
    ) -> Filled {
        if let Some(when) = &self.when {
            match when.truth(cx.scope()) {
                Ok(true) => {}
                Ok(false) => return Filled::Left,
                Err(error) => {
                    let column = self.take.column();
                    cx.expression_issue(Some(field), "`when`", column, &error.message);
                    return Filled::Left;
                }
            }
        }
        let mut warnings = Vec::new();
        let given = match self.take(cx) {
            Ok(None) => Ok(false),
            Ok(Some(taken)) => self.value(cx.row, taken, &mut warnings, out),
            Err(wrong) => Err(wrong),
        };
        for warning in warnings {
            cx.issue(field, Severity::Warning, warning);
        }
        match given {
            Ok(true) => Filled::Full,
            Ok(false) => match &self.default {
                Some(default) => {
                    out.push_str(default);
                    Filled::Full
                }
                None => self.leave_empty(cx, field, out),
            },
            Err(wrong) => match self.on_error {
                OnError::Reject => {
                    cx.issue(field, Severity::Error, wrong);
                    Filled::Left
                }
                OnError::Null => {
                    cx.issue(field, Severity::Warning, wrong);
                    self.leave_empty(cx, field, out)
                }
                OnError::Warn => {
                    write_json_str(&wrong.text, out);
                    cx.issue(field, Severity::Warning, wrong);
                    Filled::Full
                }
            },
        }
    }

    fn leave_empty(&self, cx: &mut RowContext<'_>, field: &Arc<str>, out: &mut String) -> Filled {
        if self.required {
            // A change of what may not be empty is none.
            return match cx.lacks(field, self.take.column(), "this is empty") {
                true => Filled::Empty,
                false => Filled::Left,
            };
        }
        match self.empty {
            Some(fragment) => {
                out.push_str(fragment);
                Filled::Full
            }
            None => Filled::Empty,
        }
    }

    fn take<'a>(&'a self, cx: &RowContext<'a>) -> Result<Option<Taken<'a>>, Wrong<'a>> {
        let nulls = self.nulls.as_ref().unwrap_or(cx.nulls());
        let row = cx.row;
        let taken = match &self.take {
            Take::Column(column) => {
                let cell = nulls.cell(row.cell(*column));
                sound(cell, *column)?
            }
            Take::First(columns) => {
                let found = columns
                    .iter()
                    .map(|&column| (column, nulls.cell(row.cell(column))))
                    .find(|(_, cell)| !cell.text.is_empty());
                match found {
                    Some((column, cell)) => sound(cell, column)?,
                    None => return Ok(None),
                }
            }
            Take::Join(columns, joint) => {
                let mut text = String::new();
                let mut first = None;
                for &column in columns {
                    let cell = nulls.cell(row.cell(column));
                    if cell.text.is_empty() {
                        continue;
                    }
                    let part = sound(cell, column)?;
                    exact(cell, column)?;
                    if first.is_some() {
                        text.push_str(joint);
                    }
                    first = first.or(part.column);
                    text.push_str(cell.text);
                }
                Taken {
                    text: text.into(),
                    kind: Kind::Text,
                    column: first,
                }
            }
            Take::Template(template, columns) => {
                let mut all_empty = !columns.is_empty();
                for &column in columns {
                    let cell = cx.nulls().cell(row.cell(column));
                    if !cell.text.is_empty() {
                        all_empty = false;
                        sound(cell, column)?;
                        exact(cell, column)?;
                    }
                }
                if all_empty {
                    return Ok(None);
                }
                let column = columns.first().copied();
                let text = template.render(cx.scope()).map_err(|error| Wrong {
                    rule: "template",
                    message: format!(
                        "the template cannot be filled for this row: {}",
                        error.message
                    )
                    .into(),
                    column,
                    text: Cow::Borrowed(""),
                })?;
                let text = match trim(&text) {
                    same if same.len() == text.len() => text,
                    trimmed => trimmed.to_owned(),
                };
                Taken {
                    text: if nulls.has(&text) {
                        Cow::Borrowed("")
                    } else {
                        text.into()
                    },
                    kind: Kind::Text,
                    column,
                }
            }
            Take::Text(text) => Taken {
                text: Cow::Borrowed(text),
                kind: Kind::Text,
                column: None,
            },
            Take::Fixed(fragment) => Taken {
                text: Cow::Borrowed(fragment),
                kind: Kind::Text,
                column: None,
            },
            Take::Nothing => return Ok(None),
        };
        if self.watch
            && let Some(column) = taken.column
            && cells::looks_empty(&taken.text)
        {
            cx.shared.count_empty_like(column, &taken.text);
        }
        Ok((!taken.text.is_empty()).then_some(taken))
    }

    /// From the text that was taken to the value; whether there is one.
    pub(super) fn value<'a>(
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
            if cleaned != taken.text {
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
    pub(super) fn convert<'v>(
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
    pub(super) fn gives_list(&self) -> bool {
        let parts = self.split.as_ref().map(|split| &split.parts);
        matches!(parts, Some(Parts::List))
    }

    pub(super) fn keep_limits(&self, value: &Value<'_>) -> Result<(), Problem> {
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

    pub(super) fn keep_items(&self, count: usize) -> Result<(), Problem> {
        keep_items(self.items, count)
    }

    pub(super) fn write(&self, value: &Value<'_>, out: &mut String) {
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
pub(super) fn keep_items(
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

/// A cell that can be used, as it was taken.
fn sound(cell: Cell<'_>, column: usize) -> Result<Taken<'_>, Wrong<'_>> {
    match cells::damage(cell) {
        Some((rule, message)) if !cell.text.is_empty() => Err(Wrong {
            rule,
            message,
            column: Some(column),
            text: Cow::Borrowed(cell.text),
        }),
        _ => Ok(Taken {
            text: Cow::Borrowed(cell.text),
            kind: cell.kind,
            column: Some(column),
        }),
    }
}

/// Refuses a number whose digits would be taken as text and are no longer exact.
fn exact(cell: Cell<'_>, column: usize) -> Result<(), Wrong<'_>> {
    if !cells::is_rounded(cell) {
        return Ok(());
    }
    Err(Wrong {
        rule: "precision",
        message: "this number is longer than a workbook keeps exactly, so that its last digits \
                  may be lost; format the column as text and enter the value again"
            .into(),
        column: Some(column),
        text: Cow::Borrowed(cell.text),
    })
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
pub(super) fn split_parts<'t>(text: &'t str, separators: &[String]) -> Vec<&'t str> {
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
