//! Rows of which no request can be made, found before anything is sent.

use serde_json::Value;

use super::Loaded;
use crate::issue::{Issue, Severity, cut};
use crate::mapping::file::Existing;
use crate::record::{Plan, Prepared};
use crate::row::Row;
use crate::target::Target;
use crate::target::call::{Facts, Impossible};

/// What an import finds of a row's create when it makes the request.
#[derive(Debug)]
pub(super) struct Requests<'l> {
    target: &'l Target,
    column: Option<usize>,
    /// The target may have the customer, so that nothing is created.
    found: bool,
}

impl<'l> Requests<'l> {
    /// `None` where every row's create goes to the same address.
    pub(super) fn of(loaded: &'l Loaded) -> Option<Self> {
        let target = &*loaded.target;
        let plan = &loaded.inputs.first()?.plan;
        let filled = target.create.batch.is_none() && target.create.endpoint.is_filled();
        filled.then(|| Self {
            target,
            column: plan.key_columns().first().copied(),
            found: plan.existing() != Existing::Create,
        })
    }

    /// Rejects a row whose create cannot be sent.
    pub(super) fn judge(&self, planned: &mut Prepared, row: Row<'_>) {
        let (Plan::Send(body), Some(key_hash)) = (&planned.plan, planned.key_hash) else {
            return;
        };
        if body.update_only {
            return;
        }
        let record = serde_json::from_str(&body.json).unwrap_or(Value::Null);
        let facts = Facts {
            body: &self.target.for_create(&record),
            key: &planned.key,
            key_hash,
            id: None,
            address: None,
            record: None,
        };
        let Err(why) = self.target.create.endpoint.location(&facts) else {
            return;
        };
        let (severity, message) = match self.found {
            true => (
                Severity::Warning,
                format!("if the target does not have this customer, {why}"),
            ),
            false => (Severity::Error, why.to_string()),
        };
        planned.issues.push(Issue {
            code: Impossible::CODE.into(),
            severity,
            column: self.column,
            field: None,
            value: self.column.map(|column| cut(row.cell(column).text).into()),
            message: message.into(),
        });
        if !self.found {
            planned.plan = Plan::Reject;
        }
    }
}
