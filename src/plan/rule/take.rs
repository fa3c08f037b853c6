//! Taking: from the row to the text that a rule goes on with.

use std::borrow::Cow;

use super::context::{RowContext, Wrong};
use super::{RulePlan, Take};
use crate::field::trim;
use crate::plan::cells;
use crate::row::{Cell, Kind};

/// A cell, or what a template made of several.
#[derive(Debug, Clone)]
pub(in crate::plan) struct Taken<'a> {
    pub(in crate::plan) text: Cow<'a, str>,
    pub(in crate::plan) kind: Kind,
    pub(in crate::plan) column: Option<usize>,
}

impl RulePlan {
    /// The text that the rule asks for; none where it is empty.
    pub(super) fn take<'a>(&'a self, cx: &RowContext<'a>) -> Result<Option<Taken<'a>>, Wrong<'a>> {
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
pub(super) fn exact(cell: Cell<'_>, column: usize) -> Result<(), Wrong<'_>> {
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
