//! Which row of a sheet holds the column names, and what they are.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::SourceError;
use super::header::{self, Looked};
use super::origin::Origin;
use super::sheet::Book;
use crate::area::Area;
use crate::row::{Header, column_letters};

/// Rows looked at to find the header, and cells of them.
const LOOKED_AT: usize = 200;
const LOOKED_CELLS: usize = 200_000;
/// A header has at most so many rows.
const HEADER_ROWS: u64 = 4;
/// Which part of which sheets is read.
pub(super) struct Part {
    pub(super) sheets: Vec<String>,
    pub(super) area: Area,
    /// The header's row, if it is known.
    pub(super) header_row: Option<u64>,
    /// The columns' names, where no row holds them.
    pub(super) columns: Option<Vec<String>>,
    /// It is a reject file of ours.
    pub(super) returned: bool,
}

/// Finds the header of a sheet; `None` where that has no row.
pub(super) fn find_header(
    origin: &Origin,
    book: &mut Book,
    sheet: &str,
    part: &Part,
    wanted: &[String],
    merged: &[Area],
    notes: &mut Vec<String>,
) -> Result<Option<Header>, SourceError> {
    let (given, area) = (part.header_row, part.area);
    let mut looked: Vec<Looked> = Vec::new();
    let mut cells = 0;
    let mut returned = false;
    book.rows(origin, sheet, area, &mut |row| {
        // A header of several rows begins above the one that is named.
        if given.is_some_and(|given| given > row.number() + HEADER_ROWS) && row.number() != 1 {
            return ControlFlow::Continue(());
        }
        let mut texts = vec![String::new(); row.last_column() + 1];
        row.cells()
            .for_each(|(column, text, _)| texts[column] = text.to_owned());
        cells += texts.len();
        looked.push(Looked {
            number: row.number(),
            cells: texts,
        });
        returned |= looked.last().is_some_and(header::is_of_returned);
        let enough = match given {
            _ if returned => true,
            Some(0) | None => looked.len() >= LOOKED_AT || cells >= LOOKED_CELLS,
            Some(given) => row.number() >= given + HEADER_ROWS,
        };
        if enough {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let extent = |row: &Looked| {
        // Who names the columns means all of them.
        if area.columns != Area::WHOLE.columns {
            return Some(area.columns);
        }
        let filled = |cell: &String| !cell.trim().is_empty();
        let first = row.cells.iter().position(filled)?;
        let last = row.cells.iter().rposition(filled)?;
        Some((first, last))
    };
    // A reject file handed back has its names in row 1, whatever the mapping says of the first file.
    let given = if returned { Some(1) } else { given };
    let index = match given {
        Some(0) => {
            let extents = looked.iter().filter_map(extent);
            let Some((first, last)) = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
                return Ok(None);
            };
            return Ok(Some(Header {
                names: (first..=last)
                    .map(|column| Arc::from(column_letters(column)))
                    .collect(),
                first_column: first,
                row: 0,
            }));
        }
        Some(given) => match looked.iter().position(|row| row.number == given) {
            Some(index) => index,
            None => {
                return Err(SourceError::NoHeader {
                    name: origin.name.clone(),
                    row: given,
                });
            }
        },
        None => match header::find(&looked, wanted) {
            Some(index) => index,
            None => return Ok(None),
        },
    };
    let header = header(&looked, index, merged, extent);
    if given.is_none()
        && let Some(header) = &header
        && header::goes_on(&looked, header.row)
    {
        let what = format!("sheet {sheet:?} of {}", origin.name);
        notes.push(header::goes_on_note(&what, header.row));
    } else if let Some(header) = &header
        && area.columns == Area::WHOLE.columns
    {
        notes.extend(beside(&looked, header, sheet, &origin.name));
    }
    Ok(header)
}

/// What is said of cells beside the table, which stand below no column name.
fn beside(looked: &[Looked], header: &Header, sheet: &str, name: &str) -> Option<String> {
    let columns = header.first_column..header.first_column + header.names.len();
    let below = looked.iter().filter(|row| row.number > header.row);
    let first = below.into_iter().find_map(|row| {
        let cells = row.cells.iter().enumerate();
        let mut beside =
            cells.filter(|(column, cell)| !columns.contains(column) && !cell.trim().is_empty());
        let (column, _) = beside.next()?;
        Some(format!("{}{}", column_letters(column), row.number))
    })?;
    Some(format!(
        "Cells of sheet {sheet:?} of {name} stand below no column name (the first: {first}) and are not read. Give their column a name in row {} if they count.",
        header.row
    ))
}

/// The header in the row at `index`, together with the rows that cells merged downwards tie to it.
fn header(
    looked: &[Looked],
    index: usize,
    merged: &[Area],
    extent: impl Fn(&Looked) -> Option<(usize, usize)>,
) -> Option<Header> {
    let row = looked[index].number;
    let (mut top, mut bottom) = (row, row);
    for area in merged {
        let (first, last) = area.rows;
        if first < last && last - first < HEADER_ROWS && (first == row || last == row) {
            (top, bottom) = (top.min(first), bottom.max(last));
        }
    }
    let rows: Vec<&Looked> = looked
        .iter()
        .filter(|looked| (top..=bottom).contains(&looked.number))
        .collect();
    let (first, last) = rows
        .iter()
        .filter_map(|row| extent(row))
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))?;
    let cell = |row: u64, column: usize| {
        let cells = rows.iter().find(|looked| looked.number == row);
        cells
            .and_then(|looked| looked.cells.get(column))
            .map_or("", String::as_str)
    };
    let name = |column: usize| {
        let mut parts: Vec<String> = Vec::new();
        for row in top..=bottom {
            let here = Area {
                rows: (row, row),
                columns: (column, column),
            };
            // What is merged has its text in the first cell; alone, a row is taken as it is.
            let text = match merged.iter().find(|area| top < bottom && area.meets(&here)) {
                Some(area) => cell(area.rows.0.max(top), area.columns.0),
                None => cell(row, column),
            };
            let part = one_line(text);
            if !part.is_empty() && parts.last() != Some(&part) {
                parts.push(part);
            }
        }
        parts.join(" ")
    };
    Some(Header {
        names: (first..=last)
            .map(|column| Arc::from(name(column)))
            .collect(),
        first_column: first,
        row: bottom,
    })
}

/// A header's cell without outer space; where it has several lines, they become one.
fn one_line(text: &str) -> String {
    if text.contains(['\n', '\r']) {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    } else {
        text.trim().to_owned()
    }
}
