//! Workbooks as batches of rows.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::container::Format;
use super::header;
use super::origin::Origin;
use super::sheet::Book;
use super::sheet_header::{Part, find_header};
use super::sheet_row::SheetRow;
use super::sheet_xml::Survey;
use super::{
    BATCH_CELLS, BATCH_TEXT, Facts, MOST_COLUMNS, Opened, Options, PartChoice, SheetChoice,
    SheetRef, SourceError, WorkbookFacts,
};
use crate::area::Area;
use crate::row::{Header, Kind, RowBatch};

/// Rows of sheets that are not read are counted up to here.
const COUNTED: u64 = 100_000;

/// An opened workbook.
#[derive(Debug)]
pub(super) struct Table {
    origin: Origin,
    format: Format,
    /// Sheets to read, with the row of each one's header (0 without one).
    sheets: Vec<(Arc<str>, u64)>,
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
            None => find_header(
                &origin,
                &mut book,
                &sheet,
                &part,
                &wanted,
                &survey.merged,
                &mut notes,
            )?,
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
        sheets: sheets
            .into_iter()
            .map(|(sheet, row)| (Arc::from(sheet), row))
            .collect(),
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
        None if book.sheets().len() > 1 => {
            " So are its other sheets: check that it is the right file.".to_owned()
        }
        None => " Check that it is the right file.".to_owned(),
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
            // The rows of a batch are of one sheet.
            if self.sheets.len() > 1 {
                batch.sheet = Some(Arc::clone(sheet));
            }
            book.rows(&self.origin, sheet, self.area, &mut |row| {
                if row.number() <= *header_row || !self.push(&mut batch, row) {
                    return ControlFlow::Continue(());
                }
                if batch.len() >= rows_per_batch
                    || batch.text_len() >= BATCH_TEXT
                    || batch.len() * self.width >= BATCH_CELLS
                {
                    let mut next = new_batch();
                    next.sheet.clone_from(&batch.sheet);
                    let mut full = std::mem::replace(&mut batch, next);
                    full.sequence = sequence;
                    sequence += 1;
                    if sink(full).is_break() {
                        stopped = true;
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            if !stopped && !batch.is_empty() {
                let mut full = std::mem::replace(&mut batch, new_batch());
                full.sequence = sequence;
                sequence += 1;
                stopped = sink(full).is_break();
            }
            if stopped {
                return Ok(());
            }
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
