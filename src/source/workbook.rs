//! Workbooks as batches of rows.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use super::container::Format;
use super::header::Looked;
use super::origin::Origin;
use super::sheet::Book;
use super::sheet_cell::NO_RESULT;
use super::sheet_header::{Part, find_header};
use super::sheet_notes::told;
use super::sheet_row::SheetRow;
use super::sheet_xml::Survey;
use super::{
    BATCH_CELLS, BATCH_TEXT, Facts, MOST_COLUMNS, Opened, Options, PartChoice, SheetChoice,
    SheetRef, SourceError, WorkbookFacts,
};
use super::{footer, header};
use crate::area::Area;
use crate::row::{Header, Kind, RowBatch, TOO_LONG};

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
    /// The column names, to tell where they stand once more; none where no row holds them.
    names: Vec<Arc<str>>,
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
    let mut widths = Vec::new();
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
            None => {
                widths = column_widths(&survey, &header);
                found = Some((header.clone(), vec![(sheet, header.row)]));
            }
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
    if options.sheets == SheetChoice::FirstVisible && !part.returned {
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
        widths,
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
        names: match header.row {
            0 => Vec::new(),
            _ => header.names.clone(),
        },
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
            returned: false,
        };
        let ours = returned_sheets(origin, book)?;
        if !ours.is_empty() {
            return Ok(Self {
                header_row: None,
                returned: true,
                ..whole(ours)
            });
        }
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
                // Who names whole columns does not say where in them the names stand.
                None if found.area.rows == Area::WHOLE.rows => None,
                None => Some(found.area.rows.0),
                given => given,
            },
            columns: found.columns.clone(),
            returned: false,
        })
    }
}

/// The sheets of a reject file of ours, whatever the mapping says of those of the first file: the
/// first, and with it all others that begin like one. None where it is another file.
fn returned_sheets(origin: &Origin, book: &mut Book) -> Result<Vec<String>, SourceError> {
    let first_row = Area {
        rows: (1, 1),
        columns: Area::WHOLE.columns,
    };
    let mut ours = Vec::new();
    let visible = book.sheets().iter().filter(|sheet| sheet.visible);
    let names: Vec<String> = visible.map(|sheet| sheet.name.clone()).collect();
    for name in names {
        let mut found = false;
        book.rows(origin, &name, first_row, &mut |row| {
            let cells = row.cells().map(|(_, text, _)| text.to_owned()).collect();
            found = header::is_of_returned(&Looked {
                number: row.number(),
                cells,
            });
            ControlFlow::Break(())
        })?;
        if found {
            ours.push(name);
        } else if ours.is_empty() {
            break;
        }
    }
    Ok(ours)
}

/// The widths of the columns under a header.
fn column_widths(survey: &Survey, header: &Header) -> Vec<u32> {
    let width = |column: usize| {
        let mut runs = survey.widths.iter();
        let run = runs.find(|(first, last, _)| (*first..=*last).contains(&column));
        run.map_or(0, |(.., width)| *width)
    };
    let columns = header.first_column..header.first_column + header.names.len();
    columns.map(width).collect()
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

/// A text of a reject file as it was before our writer changed it: a workbook's errors are written
/// as text, and stay what they are until a person mends them.
fn returned_text(text: &str) -> (&str, Kind) {
    let of_error = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '/' || c == '_';
    let is_error = text == NO_RESULT
        || text.starts_with(TOO_LONG)
        || (text.len() < 16
            && text.strip_prefix('#').is_some_and(|rest| {
                let name = rest.strip_suffix(['!', '?']).unwrap_or(rest);
                (name.len() < rest.len() || matches!(name, "N/A" | "GETTING_DATA"))
                    && !name.is_empty()
                    && name.chars().all(of_error)
            }));
    match is_error {
        true => (text, Kind::Error),
        false => (header::without_guard(text), Kind::Text),
    }
}

impl Table {
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

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
        let mut sequence = 0;
        for (sheet, header_row) in &self.sheets {
            let mut batch = new_batch();
            // The rows of a batch are of one sheet.
            if self.sheets.len() > 1 {
                batch.sheet = Some(Arc::clone(sheet));
            }
            let mut waiting: Option<RowBatch> = None;
            let mut stopped = false;
            book.rows(&self.origin, sheet, self.area, &mut |row| {
                if row.number() <= *header_row || !self.push(&mut batch, row, *header_row) {
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
                    // A full batch waits for the next one, so that the end of the table is known.
                    if let Some(full) = waiting.replace(full)
                        && sink(full).is_break()
                    {
                        stopped = true;
                        return ControlFlow::Break(());
                    }
                }
                ControlFlow::Continue(())
            })?;
            if stopped {
                return Ok(());
            }
            footer::mark(waiting.as_mut(), &mut batch, self.width);
            let last = Some(batch).filter(|batch| !batch.is_empty());
            if let Some(mut last) = last {
                last.sequence = sequence;
                sequence += 1;
                if let Some(full) = waiting.replace(last)
                    && sink(full).is_break()
                {
                    return Ok(());
                }
            }
            if let Some(last) = waiting
                && sink(last).is_break()
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Adds the row's cells that stand under the header; says whether there were any.
    fn push(&self, batch: &mut RowBatch, row: &SheetRow, header_row: u64) -> bool {
        let columns = self.first_column..self.first_column + self.width;
        let within = || {
            let cells = row.cells().zip(row.formats());
            cells.filter(|((column, ..), _)| columns.contains(column))
        };
        if within().all(|((_, text, _), _)| text.trim().is_empty()) {
            return false;
        }
        let mut next = self.first_column;
        if let Some(codes) = row.codes() {
            batch.set_formats(codes);
        }
        for ((column, text, kind), format) in within() {
            for _ in next..column {
                batch.push_cell("", Kind::Text);
            }
            let (text, kind) = match kind {
                Kind::Text if self.guarded => returned_text(text),
                _ => (text, kind),
            };
            batch.push_shown_cell(text, kind, format);
            next = column + 1;
        }
        let repeated = header::is_repeated(&self.names, |index| {
            let mut cells = within();
            let cell = cells.find(|((column, ..), _)| *column == self.first_column + index);
            cell.map(|((_, text, _), _)| text.as_bytes())
        });
        let fault = repeated.then(|| header::repeated_fault(header_row));
        batch.end_row(row.number(), 0, fault);
        true
    }
}

const _: () = assert!(MOST_COLUMNS <= BATCH_CELLS);
