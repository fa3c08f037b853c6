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
                    match cell.kind {
                        Kind::Number(_) if self.reader.reads_commas() => {
                            text.push_str(&with_comma(cell.text));
                        }
                        _ => text.push_str(cell.text),
                    }
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
                let text = match self.reader.reads_commas() {
                    true => {
                        let cells = columns
                            .iter()
                            .map(|&column| cx.nulls().cell(row.cell(column)));
                        of_numbers(text, cells, column)?
                    }
                    false => text,
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

/// Whether the decimal mark of a number's text is a point, others before it aside.
fn has_point(text: &str) -> bool {
    text.rfind(['.', ','])
        .is_some_and(|at| text[at..].starts_with('.'))
}

/// The text of a number, which has a point, with a decimal comma.
fn with_comma(text: &str) -> Cow<'_, str> {
    if !has_point(text) && !text.contains(',') {
        return Cow::Borrowed(text);
    }
    let swapped = text.chars().map(|letter| match letter {
        '.' => ',',
        ',' => '.',
        other => other,
    });
    Cow::Owned(swapped.collect())
}

/// What a cleaned text of a number cell is to one who reads decimal commas: the point of the cell is
/// its decimal mark still.
pub(super) fn cleaned_number(cell: &str, cleaned: &str) -> Option<String> {
    (has_point(cell) && has_point(cleaned)).then(|| with_comma(cleaned).into_owned())
}

/// What a template made of these cells, for one who reads decimal commas: a point that comes of a
/// number cell is a decimal mark, one of a text groups.
fn of_numbers<'a>(
    text: String,
    cells: impl Iterator<Item = Cell<'a>> + Clone,
    column: Option<usize>,
) -> Result<String, Wrong<'a>> {
    if !has_point(&text) {
        return Ok(text);
    }
    let with_point = |numbers: bool| {
        cells
            .clone()
            .filter(move |cell| matches!(cell.kind, Kind::Number(_)) == numbers)
            .map(|cell| trim(cell.text))
            .filter(|cell| cell.contains('.'))
    };
    let within = |numbers: bool| with_point(numbers).any(|cell| text.contains(cell));
    let is = |numbers: bool| with_point(numbers).any(|cell| cell == text);
    if with_point(true).next().is_none() || is(false) && !is(true) {
        return Ok(text);
    }
    match (within(false), within(true)) {
        (true, true) => Err(Wrong {
            rule: "template",
            message: "the template puts a number cell, whose decimal mark is a point, and a text with a \
                      point together, and `decimal` under [source] is a comma, so that it cannot be \
                      told what the point means; take them in fields of their own"
                .into(),
            column,
            text: text.into(),
        }),
        (true, false) => Ok(text),
        (false, _) => Ok(with_comma(&text).into_owned()),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_number_cells_stay_decimal_marks() {
        let number = |text: &'static str| Cell {
            text,
            kind: Kind::Number(text.replace(',', "").parse().unwrap()),
        };
        let words = |text: &'static str| Cell {
            text,
            kind: Kind::Text,
        };
        for (made, cells, expected) in [
            ("1.234", vec![number("1.234")], Some("1,234")),
            (
                "1.234 EUR",
                vec![number("1.234"), words("EUR")],
                Some("1,234 EUR"),
            ),
            ("1,234.50", vec![number("1,234.50")], Some("1.234,50")),
            ("2.468", vec![number("1.234")], Some("2,468")),
            ("7", vec![number("7")], Some("7")),
            ("1.234", vec![words("1.234")], Some("1.234")),
            (
                "1.234,5",
                vec![words("1.234,5"), number("0.5")],
                Some("1.234,5"),
            ),
            ("1.234", vec![words("1.234"), number("0.5")], Some("1.234")),
            ("1.234", vec![words("1.234"), number("1.234")], None),
            ("1.2340.5", vec![words("1.234"), number("0.5")], None),
        ] {
            let got = of_numbers(made.to_owned(), cells.iter().copied(), None);
            assert_eq!(got.ok().as_deref(), expected, "{made}");
        }
    }

    #[test]
    fn a_cleaned_number_cell_keeps_its_point_as_decimal_mark() {
        for (cell, cleaned, expected) in [
            ("1.234", "1.2", Some("1,2")),
            ("1.234", "1,234", None),
            ("1.234", "1234", None),
            ("1,234.50", "1,234.5", Some("1.234,5")),
            ("1234", "1.234", None),
        ] {
            assert_eq!(
                cleaned_number(cell, cleaned).as_deref(),
                expected,
                "{cleaned}"
            );
        }
    }
}
