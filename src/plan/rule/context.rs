//! The row that the rules read, and what is found wrong with it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::sync::Arc;

use crate::field::trim;
use crate::issue::{Issue, Severity, cut};
use crate::plan::cells::Nulls;
use crate::plan::scope::{self, Shared};
use crate::row::{Row, RowBatch};
use crate::template::Scope;

/// What the rules need to know of the row that they read.
pub(in crate::plan) struct RowContext<'a> {
    pub(in crate::plan) row: Row<'a>,
    batch: &'a Arc<RowBatch>,
    index: usize,
    pub(super) shared: &'a Arc<Shared>,
    scope: OnceCell<Scope>,
    strict: bool,
    /// Whether the row may turn out to be an update, of which required fields are not asked.
    may_update: bool,
    /// Whether it can be nothing else, for want of a required field.
    pub(in crate::plan) update_only: bool,
    pub(in crate::plan) issues: Vec<Issue>,
}

impl<'a> RowContext<'a> {
    pub(in crate::plan) fn new(
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
    pub(in crate::plan) fn lacks(
        &mut self,
        field: &Arc<str>,
        column: Option<usize>,
        what: &str,
    ) -> bool {
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

    pub(in crate::plan) fn nulls(&self) -> &'a Nulls {
        &self.shared.nulls
    }

    /// The row as expressions see it, made when the first asks.
    pub(in crate::plan) fn scope(&self) -> &Scope {
        self.scope
            .get_or_init(|| scope::of_row(self.shared, self.batch, self.index, None))
    }

    /// The same with the body beside it.
    pub(in crate::plan) fn scope_with(&self, body: Scope) -> Scope {
        scope::of_row(self.shared, self.batch, self.index, Some(body))
    }

    pub(super) fn issue(&mut self, field: &Arc<str>, severity: Severity, wrong: Wrong<'_>) {
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
    pub(in crate::plan) fn expression_issue(
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
pub(in crate::plan) struct Wrong<'a> {
    pub(super) rule: &'static str,
    pub(super) message: Cow<'static, str>,
    pub(super) column: Option<usize>,
    /// The text that was taken.
    pub(super) text: Cow<'a, str>,
}

impl Wrong<'_> {
    pub(in crate::plan) fn message(&self) -> &str {
        &self.message
    }
}
