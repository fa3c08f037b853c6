//! Workbooks as batches of rows.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::container::Format;
use super::header::{self, Looked};
use super::origin::Origin;
use super::sheet::{Book, SheetRow};
use super::sheet_xml::Survey;
use super::{
    BATCH_CELLS, BATCH_TEXT, Facts, MOST_COLUMNS, Opened, Options, PartChoice, SheetChoice,
    SheetRef, SourceError, WorkbookFacts,
};
use crate::area::Area;
use crate::row::{Header, Kind, RowBatch, column_letters};

/// Rows looked at to find the header, and cells of them.
const LOOKED_AT: usize = 200;
const LOOKED_CELLS: usize = 200_000;
/// A header has at most so many rows.
const HEADER_ROWS: u64 = 4;
/// Rows of sheets that are not read are counted up to here.
const COUNTED: u64 = 100_000;

/// An opened workbook.
#[derive(Debug)]
pub(super) struct Table {
    origin: Origin,
    format: Format,
    /// Sheets to read, with the row of each one's header (0 without one).
    sheets: Vec<(String, u64)>,
    area: Area,
    first_column: usize,
    width: usize,
    guarded: bool,
    /// Opening a workbook reads all its texts, so it is kept for the next reading.
    book: Mutex<Option<Book>>,
}

pub(super) fn open(
    origin: Origin,
    format: Format,
    options: &Options,
) -> Result<Opened<Table>, SourceError> {
    let mut book = Book::open(&origin, format)?;
    let part = Part::of(&origin, &mut book, options)?;
    let mut found: Option<(Header, Vec<(String, u64)>)> = None;
    let mut notes = Vec::new();
    for sheet in part.sheets.clone() {
        let wanted: Vec<String> = match &found {
            Some((header, _)) => header.names.iter().map(|name| name.to_string()).collect(),
            None => options.wanted.clone(),
        };
        let survey = book.survey(&origin, &sheet)?;
        let header = match &part.columns {
            Some(names) => Some(Header {
                names: names.iter().map(|name| Arc::from(name.trim())).collect(),
                first_column: part.area.columns.0,
                row: 0,
            }),
            None => find_header(&origin, &mut book, &sheet, &part, &wanted, &survey.merged)?,
        };
        let Some(header) = header else {
            // An empty sheet among several has nothing to add.
            if options.sheets == SheetChoice::All {
                continue;
            }
            return Err(SourceError::EmptySheet {
                others: others_sentence(&mut book, &sheet),
                name: origin.name,
                sheet,
            });
        };
        notes.extend(told(&origin, &sheet, &survey, &header, part.area));
        match &mut found {
            None => found = Some((header.clone(), vec![(sheet, header.row)])),
            Some((first, sheets)) => {
                if first.names != header.names || first.first_column != header.first_column {
                    return Err(SourceError::SheetHeader {
                        name: origin.name,
                        first: sheets[0].0.clone(),
                        second: sheet,
                    });
                }
                sheets.push((sheet, header.row));
            }
        }
    }
    let Some((mut header, sheets)) = found else {
        return Err(SourceError::Empty { name: origin.name });
    };
    if options.sheets == SheetChoice::FirstVisible {
        for other in book.other_sheets(&sheets[0].0, COUNTED) {
            let (more, plural, hidden) = (
                if other.rows > COUNTED {
                    "more than "
                } else {
                    ""
                },
                if other.rows == 1 { "" } else { "s" },
                if other.visible {
                    "Sheet"
                } else {
                    "Hidden sheet"
                },
            );
            notes.push(format!(
                "Only sheet {:?} of {} is read. {hidden} {:?} has {more}{} row{plural}, counting its header: name it as `sheet` under [source] of the mapping, or read all visible ones with \"*\".",
                sheets[0].0,
                origin.name,
                other.name,
                other.rows.min(COUNTED),
            ));
        }
    }
    let returned = header::taken(&mut header.names);
    let facts = Facts::Workbook(WorkbookFacts {
        format: format.name(),
        sheet: sheets
            .iter()
            .map(|(sheet, _)| sheet.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        date_1904: book.date_1904(),
    });
    let table = Table {
        format,
        sheets,
        area: part.area,
        first_column: header.first_column,
        width: header.names.len(),
        guarded: returned.is_some(),
        book: Mutex::new(Some(book)),
        origin,
    };
    Ok(Opened {
        header,
        facts,
        notes,
        returned,
        table,
    })
}

/// Which part of which sheets is read.
struct Part {
    sheets: Vec<String>,
    area: Area,
    /// The header's row, if it is known.
    header_row: Option<u64>,
    /// The columns' names, where no row holds them.
    columns: Option<Vec<String>>,
}

impl Part {
    fn of(origin: &Origin, book: &mut Book, options: &Options) -> Result<Self, SourceError> {
        let whole = |sheets| Self {
            sheets,
            area: Area::WHOLE,
            header_row: options.header_row,
            columns: None,
        };
        let table = match &options.part {
            PartChoice::Whole => return Ok(whole(choose(origin, book, &options.sheets)?)),
            PartChoice::Area(area) => {
                // Who names the rows begins with that of the names.
                let first = (area.rows.0 > 1).then_some(area.rows.0);
                return Ok(Self {
                    area: *area,
                    header_row: options.header_row.or(first),
                    ..whole(choose(origin, book, &options.sheets)?)
                });
            }
            PartChoice::Table(table) => table,
        };
        let no_table = |known: Option<Vec<String>>| {
            SourceError::NoTable {
            name: origin.name.clone(),
            table: table.clone(),
            known: match known {
                None => "tables are found in .xlsx files only; name the cells as `range`, such as \"B3:H200\"".to_owned(),
                Some(known) if known.is_empty() => {
                    "it has none; name the cells as `range`, such as \"B3:H200\"".to_owned()
                }
                Some(known) => format!("its tables are: {}", known.join(", ")),
            },
        }
        };
        let Some(named) = book.named(origin)? else {
            return Err(no_table(None));
        };
        let folded = table.trim().to_lowercase();
        let Some(found) = named
            .iter()
            .find(|named| named.name.to_lowercase() == folded)
        else {
            let known = named.iter().map(|named| format!("{:?}", named.name));
            return Err(no_table(Some(known.collect())));
        };
        Ok(Self {
            sheets: vec![found.sheet.clone()],
            area: found.area,
            header_row: match options.header_row {
                None => Some(found.area.rows.0),
                given => given,
            },
            columns: found.columns.clone(),
        })
    }
}

/// What the user should know of a sheet that is read.
fn told(origin: &Origin, sheet: &str, survey: &Survey, header: &Header, area: Area) -> Vec<String> {
    let name = &origin.name;
    let mut notes = Vec::new();
    let first = area.rows.0.max(header.row + 1);
    let runs: Vec<(u64, u64)> = survey
        .hidden
        .iter()
        .map(|run| (run.0.max(first), run.1.min(area.rows.1)))
        .filter(|run| run.0 <= run.1)
        .collect();
    let hidden: u64 = runs.iter().map(|run| run.1 - run.0 + 1).sum();
    if hidden > 0 {
        let some: Vec<String> = runs
            .iter()
            .take(5)
            .map(|(from, to)| match to - from {
                0 => from.to_string(),
                _ => format!("{from}-{to}"),
            })
            .collect();
        let more = if runs.len() > 5 { ", …" } else { "" };
        notes.push(format!(
            "{} of sheet {sheet:?} of {name}, hidden by a filter or by hand, {} read like the others: row {}{more}. Delete what is not meant to be read.",
            counted(hidden, "row"),
            if hidden == 1 { "is" } else { "are" },
            some.join(", "),
        ));
    }
    let read = Area {
        rows: (first, area.rows.1),
        columns: (
            header.first_column,
            (header.first_column + header.names.len()).saturating_sub(1),
        ),
    };
    let mut merged = survey.merged.iter().filter(|merged| merged.meets(&read));
    if let Some(first) = merged.next() {
        let count = merged.count() as u64 + 1;
        notes.push(format!(
            "{} of sheet {sheet:?} of {name} {} merged cells (the first: {}): the value stands in the first cell of each, and the others are read as empty. Split them and fill in the value if it counts for all.",
            counted(count, "area"),
            if count == 1 { "is" } else { "are" },
            first.name(),
        ));
    }
    if survey.no_result > 0 {
        notes.push(format!(
            "{} of sheet {sheet:?} of {name} {} no saved result (the first: {}): such cells cannot be read. Open the file in a spreadsheet program and save it there.",
            counted(survey.no_result, "formula"),
            if survey.no_result == 1 { "has" } else { "have" },
            survey.first_no_result.as_deref().unwrap_or_default(),
        ));
    }
    notes
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn choose(origin: &Origin, book: &Book, choice: &SheetChoice) -> Result<Vec<String>, SourceError> {
    let sheets = book.sheets();
    let no_sheet = |sheet: String| SourceError::NoSheet {
        name: origin.name.clone(),
        sheet,
        known: sheets
            .iter()
            .map(|sheet| format!("{:?}", sheet.name))
            .collect::<Vec<_>>()
            .join(", "),
    };
    let visible = || sheets.iter().filter(|sheet| sheet.visible);
    match choice {
        SheetChoice::FirstVisible => visible()
            .next()
            .or(sheets.first())
            .map(|sheet| vec![sheet.name.clone()])
            .ok_or_else(|| SourceError::Empty {
                name: origin.name.clone(),
            }),
        SheetChoice::All => Ok(visible().map(|sheet| sheet.name.clone()).collect()),
        SheetChoice::These(these) => these
            .iter()
            .map(|wanted| match wanted {
                SheetRef::Number(number) => number
                    .checked_sub(1)
                    .and_then(|index| sheets.get(index))
                    .ok_or_else(|| no_sheet(format!("number {number}"))),
                SheetRef::Name(name) => sheets
                    .iter()
                    .find(|sheet| sheet.name == *name)
                    .or_else(|| {
                        let folded = name.trim().to_lowercase();
                        sheets
                            .iter()
                            .find(|sheet| sheet.name.trim().to_lowercase() == folded)
                    })
                    .ok_or_else(|| no_sheet(format!("{name:?}"))),
            })
            .map(|sheet| sheet.map(|sheet| sheet.name.clone()))
            .collect(),
    }
}

fn others_sentence(book: &mut Book, sheet: &str) -> String {
    match book.other_sheets(sheet, 1).first() {
        Some(other) => format!(
            " Sheet {:?} has rows: name it as `sheet` under [source] of the mapping.",
            other.name
        ),
        None => String::new(),
    }
}

fn find_header(
    origin: &Origin,
    book: &mut Book,
    sheet: &str,
    part: &Part,
    wanted: &[String],
    merged: &[Area],
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
    Ok(header(&looked, index, merged, extent))
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

impl Table {
    pub(super) fn size_hint(&self) -> u64 {
        self.origin.size
    }

    pub(super) fn read(
        &self,
        rows_per_batch: usize,
        sink: &mut dyn FnMut(RowBatch) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let kept = self
            .book
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let mut book = match kept {
            Some(book) => book,
            None => Book::open(&self.origin, self.format)?,
        };
        let result = self.read_from(&mut book, rows_per_batch.max(1), sink);
        *self.book.lock().unwrap_or_else(PoisonError::into_inner) = Some(book);
        result
    }

    fn read_from(
        &self,
        book: &mut Book,
        rows_per_batch: usize,
        sink: &mut dyn FnMut(RowBatch) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        let room = rows_per_batch.min(BATCH_TEXT / (self.width * 10) + 1);
        let new_batch = || RowBatch::with_capacity(room, self.width);
        let mut batch = new_batch();
        let mut sequence = 0;
        let mut stopped = false;
        for (sheet, header_row) in &self.sheets {
            book.rows(&self.origin, sheet, self.area, &mut |row| {
                if row.number() <= *header_row || !self.push(&mut batch, row) {
                    return ControlFlow::Continue(());
                }
                if batch.len() >= rows_per_batch
                    || batch.text_len() >= BATCH_TEXT
                    || batch.len() * self.width >= BATCH_CELLS
                {
                    let mut full = std::mem::replace(&mut batch, new_batch());
                    full.sequence = sequence;
                    sequence += 1;
                    if sink(full).is_break() {
                        stopped = true;
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            if stopped {
                return Ok(());
            }
        }
        if !batch.is_empty() {
            batch.sequence = sequence;
            // Nothing is left to stop.
            let _ = sink(batch);
        }
        Ok(())
    }

    /// Adds the row's cells that stand under the header; says whether there were any.
    fn push(&self, batch: &mut RowBatch, row: &SheetRow) -> bool {
        let columns = self.first_column..self.first_column + self.width;
        let within = || row.cells().filter(|(column, ..)| columns.contains(column));
        if within().all(|(_, text, _)| text.trim().is_empty()) {
            return false;
        }
        let mut next = self.first_column;
        for (column, text, kind) in within() {
            for _ in next..column {
                batch.push_cell("", Kind::Text);
            }
            let text = match kind {
                Kind::Text if self.guarded => header::without_guard(text),
                _ => text,
            };
            batch.push_cell(text, kind);
            next = column + 1;
        }
        batch.end_row(row.number(), 0, None);
        true
    }
}

const _: () = assert!(MOST_COLUMNS <= BATCH_CELLS);
