//! Workbooks as batches of rows.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::container::Format;
use super::header::{self, Looked};
use super::origin::Origin;
use super::sheet::{Book, SheetRow};
use super::{
    BATCH_CELLS, BATCH_TEXT, Facts, MOST_COLUMNS, Opened, Options, SheetChoice, SheetRef,
    SourceError, WorkbookFacts,
};
use crate::row::{Header, Kind, RowBatch, column_letters};

/// Rows looked at to find the header, and cells of them.
const LOOKED_AT: usize = 200;
const LOOKED_CELLS: usize = 200_000;
/// Rows of sheets that are not read are counted up to here.
const COUNTED: u64 = 100_000;

/// An opened workbook.
#[derive(Debug)]
pub(super) struct Table {
    origin: Origin,
    format: Format,
    /// Sheets to read, with the row of each one's header (0 without one).
    sheets: Vec<(String, u64)>,
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
    let chosen = choose(&origin, &book, &options.sheets)?;
    let mut found: Option<(Header, Vec<(String, u64)>)> = None;
    for sheet in chosen {
        let wanted: Vec<String> = match &found {
            Some((header, _)) => header.names.iter().map(|name| name.to_string()).collect(),
            None => options.wanted.clone(),
        };
        let Some(header) = find_header(&origin, &mut book, &sheet, options.header_row, &wanted)?
        else {
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
    let mut notes = Vec::new();
    if options.sheets == SheetChoice::FirstVisible {
        for (other, rows) in book.other_sheets(&sheets[0].0, COUNTED) {
            let (more, plural) = (
                if rows > COUNTED { "more than " } else { "" },
                if rows == 1 { "" } else { "s" },
            );
            notes.push(format!(
                "Only sheet {:?} of {} is read. Sheet {other:?} has {more}{} row{plural}, counting its header: name it as `sheet` under [source] of the mapping, or read all with \"*\".",
                sheets[0].0,
                origin.name,
                rows.min(COUNTED),
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
        Some((other, _)) => {
            format!(" Sheet {other:?} has rows: name it as `sheet` under [source] of the mapping.")
        }
        None => String::new(),
    }
}

fn find_header(
    origin: &Origin,
    book: &mut Book,
    sheet: &str,
    given: Option<u64>,
    wanted: &[String],
) -> Result<Option<Header>, SourceError> {
    let mut looked: Vec<Looked> = Vec::new();
    let mut cells = 0;
    let mut returned = false;
    book.rows(origin, sheet, &mut |row| {
        if given.is_some_and(|given| given > row.number()) && row.number() != 1 {
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
            Some(given) if given > row.number() => {
                looked.clear();
                false
            }
            Some(_) => true,
        };
        if enough {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    let extent = |row: &Looked| {
        let filled = |cell: &String| !cell.trim().is_empty();
        let first = row.cells.iter().position(filled)?;
        let last = row.cells.iter().rposition(filled)?;
        Some((first, last))
    };
    // A reject file handed back has its names in row 1, whatever the mapping says of the first file.
    let given = if returned { Some(1) } else { given };
    match given {
        Some(0) => {
            let extents = looked.iter().filter_map(extent);
            let Some((first, last)) = extents.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1))) else {
                return Ok(None);
            };
            Ok(Some(Header {
                names: (first..=last)
                    .map(|column| Arc::from(column_letters(column)))
                    .collect(),
                first_column: first,
                row: 0,
            }))
        }
        Some(given) => match looked.first() {
            Some(row) if row.number == given => Ok(extent(row).map(|extent| header(row, extent))),
            _ => Err(SourceError::NoHeader {
                name: origin.name.clone(),
                row: given,
            }),
        },
        None => Ok(header::find(&looked, wanted).and_then(|index| {
            let row = &looked[index];
            extent(row).map(|extent| header(row, extent))
        })),
    }
}

fn header(row: &Looked, (first, last): (usize, usize)) -> Header {
    Header {
        names: header::names(&row.cells[first..=last]),
        first_column: first,
        row: row.number,
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
            book.rows(&self.origin, sheet, &mut |row| {
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
