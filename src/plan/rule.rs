//! One rule at work: from a row to a value, step by step in the order of the reference.

mod context;
mod take;
mod value;

use std::collections::HashMap;
use std::sync::Arc;

pub(super) use self::context::RowContext;
pub(super) use self::take::Taken;
pub(super) use self::value::{keep_items, split_parts};

use super::cells::Nulls;
use crate::field::clean::Step;
use crate::field::limits::Limits;
use crate::field::{Reader, Value, fold, write_json_str};
use crate::issue::Severity;
use crate::mapping::file::{OnError, Pick};
use crate::mapping::lookup::Table;
use crate::template::{Expression, Template};

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
}
