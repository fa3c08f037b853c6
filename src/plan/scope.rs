//! A row as templates and expressions see it, without a map being built for it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use minijinja::value::{Enumerator, Object};

use super::cells::Nulls;
use super::columns::Names;
use crate::row::RowBatch;
use crate::template::Scope;

/// What is the same for all rows of a run.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) names: Names,
    pub(super) nulls: Nulls,
    /// How often which text of which column looks like nothing and was taken for a value.
    pub(super) empty_like: Mutex<BTreeMap<(usize, Box<str>), u64>>,
}

impl Shared {
    /// Counts a cell that looks like nothing. Such cells are rare, or the mapping soon names them.
    pub(super) fn count_empty_like(&self, column: usize, text: &str) {
        let mut counts = self
            .empty_like
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *counts.entry((column, text.into())).or_default() += 1;
    }
}

#[derive(Debug)]
struct RowScope {
    row: Arc<RowColumns>,
    body: Option<Scope>,
}

#[derive(Debug)]
struct RowColumns {
    shared: Arc<Shared>,
    batch: Arc<RowBatch>,
    index: usize,
}

/// The scope of one row; `body` for the rules over the whole row.
pub(super) fn of_row(
    shared: &Arc<Shared>,
    batch: &Arc<RowBatch>,
    index: usize,
    body: Option<Scope>,
) -> Scope {
    Scope::from_object(RowScope {
        row: Arc::new(RowColumns {
            shared: Arc::clone(shared),
            batch: Arc::clone(batch),
            index,
        }),
        body,
    })
}

impl RowColumns {
    fn text(&self, column: usize) -> Scope {
        let row = self.batch.row(self.index);
        Scope::from(self.shared.nulls.text(row.cell(column).text))
    }
}

impl Object for RowScope {
    fn get_value(self: &Arc<Self>, key: &Scope) -> Option<Scope> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Scope> {
        match key {
            "row" => Some(Scope::from_dyn_object(Arc::clone(&self.row))),
            "body" if self.body.is_some() => self.body.clone(),
            name => {
                let column = self.row.shared.names.by_snake(name)?;
                Some(self.row.text(column))
            }
        }
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}

impl Object for RowColumns {
    fn get_value(self: &Arc<Self>, key: &Scope) -> Option<Scope> {
        self.get_value_by_str(key.as_str()?)
    }

    fn get_value_by_str(self: &Arc<Self>, key: &str) -> Option<Scope> {
        let names = &self.shared.names;
        let column = names.by_header(key).or_else(|| names.by_snake(key))?;
        Some(self.text(column))
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::NonEnumerable
    }
}
