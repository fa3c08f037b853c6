//! The cells of one sheet, row by row, through `calamine`.
//!
//! XLSX and XLSB are streamed. Files of strangers have made the reader panic; such a panic is
//! caught here and becomes the sentence that the workbook is damaged.

use std::cell::Cell;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Once;

use calamine::{
    Data, DataRef, Ods, OdsError, Reader, SheetType, SheetVisible, Xls, XlsError, Xlsb, XlsbError,
    Xlsx, XlsxError,
};

use super::container::Format;
use super::number::{self, NumberFormat};
use super::origin::{FileReader, Origin};
use super::{MOST_COLUMNS, SourceError};
use crate::row::Kind;

type Input = BufReader<FileReader>;

/// An opened workbook of any format.
pub(super) enum Book {
    Xlsx(Box<Xlsx<Input>>),
    Xlsb(Box<Xlsb<Input>>),
    Xls(Box<Xls<Input>>),
    Ods(Box<Ods<Input>>),
}

impl std::fmt::Debug for Book {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Book")
    }
}

/// A sheet by name.
pub(super) struct SheetName {
    pub(super) name: String,
    pub(super) visible: bool,
}

/// Why the reader stopped.
enum Trouble {
    Password,
    Other(String),
}

macro_rules! trouble_from {
    ($error:ident) => {
        impl From<$error> for Trouble {
            fn from(error: $error) -> Self {
                match error {
                    $error::Password => Self::Password,
                    other => Self::Other(other.to_string()),
                }
            }
        }
    };
}
trouble_from!(XlsxError);
trouble_from!(XlsbError);
trouble_from!(XlsError);
trouble_from!(OdsError);

impl Trouble {
    fn error(self, origin: &Origin) -> SourceError {
        let name = origin.name.clone();
        match self {
            Self::Password => SourceError::Encrypted { name },
            Self::Other(what) => SourceError::Damaged { name, what },
        }
    }
}

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// Runs a step of the reader that may panic on a malformed file. The user then gets our sentence,
/// not the panic's.
fn guard<T, E: Into<Trouble>>(step: impl FnOnce() -> Result<T, E>) -> Result<T, Trouble> {
    static QUIET: Once = Once::new();
    QUIET.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !GUARDED.get() {
                usual(panic);
            }
        }));
    });
    GUARDED.set(true);
    let result = catch_unwind(AssertUnwindSafe(step));
    GUARDED.set(false);
    match result {
        Ok(result) => result.map_err(Into::into),
        Err(_) => Err(Trouble::Other("it is not well formed".to_owned())),
    }
}

/// One row under way: its cells with their columns, in the order of the file.
#[derive(Debug, Default)]
pub(super) struct SheetRow {
    row: u32,
    text: String,
    cells: Vec<RowCell>,
}

#[derive(Debug, Clone, Copy)]
struct RowCell {
    column: usize,
    start: usize,
    end: usize,
    kind: Kind,
}

impl SheetRow {
    /// The row's number, from 1.
    pub(super) fn number(&self) -> u64 {
        u64::from(self.row) + 1
    }

    pub(super) fn last_column(&self) -> usize {
        self.cells.last().map_or(0, |cell| cell.column)
    }

    /// Column index within the sheet, text and kind of each cell that is there, in order.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, &str, Kind)> {
        self.cells
            .iter()
            .map(|cell| (cell.column, &self.text[cell.start..cell.end], cell.kind))
    }

    fn begin(&mut self, row: u32) {
        self.row = row;
        self.text.clear();
        self.cells.clear();
    }

    fn is_blank(&self) -> bool {
        self.text.bytes().all(|byte| byte.is_ascii_whitespace())
    }

    /// Brings the cells into order; of two in one place the later counts.
    fn settle(&mut self) {
        if !self.cells.is_sorted_by(|a, b| a.column < b.column) {
            self.cells.reverse();
            self.cells.sort_by_key(|cell| cell.column);
            self.cells.dedup_by_key(|cell| cell.column);
        }
    }

    fn push(&mut self, column: u32, write: impl FnOnce(&mut String) -> Kind) {
        let column = column as usize;
        if column >= MOST_COLUMNS {
            return;
        }
        let start = self.text.len();
        let kind = write(&mut self.text);
        self.cells.push(RowCell {
            column,
            start,
            end: self.text.len(),
            kind,
        });
    }
}

/// What is done with each row that is not blank.
type Take<'a> = dyn FnMut(&SheetRow) -> ControlFlow<()> + 'a;

/// Puts the cells of a sheet together into rows.
struct Rows<'a, 'b> {
    current: SheetRow,
    take: &'a mut Take<'b>,
}

impl Rows<'_, '_> {
    fn cell(
        &mut self,
        (row, column): (u32, u32),
        write: impl FnOnce(&mut String) -> Kind,
    ) -> ControlFlow<()> {
        if row != self.current.row {
            self.finish()?;
            self.current.begin(row);
        }
        self.current.push(column, write);
        ControlFlow::Continue(())
    }

    fn finish(&mut self) -> ControlFlow<()> {
        if self.current.cells.is_empty() || self.current.is_blank() {
            return ControlFlow::Continue(());
        }
        self.current.settle();
        (self.take)(&self.current)
    }
}

impl Book {
    pub(super) fn open(origin: &Origin, format: Format) -> Result<Self, SourceError> {
        let input = BufReader::with_capacity(64 * 1024, origin.reader(0));
        match format {
            Format::Xlsb => guard(|| Xlsb::new(input)).map(|book| Self::Xlsb(Box::new(book))),
            Format::Xls => guard(|| Xls::new(input)).map(|book| Self::Xls(Box::new(book))),
            Format::Ods => guard(|| Ods::new(input)).map(|book| Self::Ods(Box::new(book))),
            Format::Xlsx | Format::Csv => {
                guard(|| Xlsx::new(input)).map(|book| Self::Xlsx(Box::new(book)))
            }
        }
        .map_err(|trouble| match trouble {
            // The reader stumbles over the enciphered text before it sees why.
            Trouble::Other(_) if format == Format::Xls && is_enciphered(origin) => {
                Trouble::Password.error(origin)
            }
            trouble => trouble.error(origin),
        })
    }

    /// The worksheets, in the workbook's order.
    pub(super) fn sheets(&self) -> Vec<SheetName> {
        let sheets = match self {
            Self::Xlsx(book) => book.sheets_metadata(),
            Self::Xlsb(book) => book.sheets_metadata(),
            Self::Xls(book) => book.sheets_metadata(),
            Self::Ods(book) => book.sheets_metadata(),
        };
        sheets
            .iter()
            .filter(|sheet| sheet.typ == SheetType::WorkSheet)
            .map(|sheet| SheetName {
                name: sheet.name.clone(),
                visible: sheet.visible == SheetVisible::Visible,
            })
            .collect()
    }

    /// Whether day 0 is 1904-01-01; known for XLSX and XLSB only, whose dates say nothing of it.
    pub(super) fn date_1904(&self) -> bool {
        match self {
            Self::Xlsx(book) => book.has_1904_epoch(),
            Self::Xlsb(book) => book.has_1904_epoch(),
            Self::Xls(_) | Self::Ods(_) => false,
        }
    }

    /// The visible sheets beside this one that have rows, and how many, header included and
    /// counted up to one more than `limit`. A sheet that cannot be read is left out.
    pub(super) fn other_sheets(&mut self, sheet: &str, limit: u64) -> Vec<(String, u64)> {
        let mut others = Vec::new();
        for other in self.sheets() {
            if !other.visible || other.name == sheet {
                continue;
            }
            let mut count = 0;
            let counted = self.sheet_rows(&other.name, &mut |_| {
                count += 1;
                if count > limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            });
            if counted.is_ok() && count > 0 {
                others.push((other.name, count));
            }
        }
        others
    }

    /// Hands over the rows of a sheet that are not blank, in the order of the file.
    pub(super) fn rows(
        &mut self,
        origin: &Origin,
        sheet: &str,
        take: &mut Take<'_>,
    ) -> Result<(), SourceError> {
        self.sheet_rows(sheet, take)
            .map_err(|trouble| trouble.error(origin))
    }

    fn sheet_rows(&mut self, sheet: &str, take: &mut Take<'_>) -> Result<(), Trouble> {
        let mut rows = Rows {
            current: SheetRow::default(),
            take,
        };
        match self {
            Self::Xlsx(book) => {
                let mut reader = guard(|| book.worksheet_cells_reader(sheet))?;
                let formats: Vec<Option<NumberFormat>> = reader
                    .styles()
                    .iter()
                    .map(|style| NumberFormat::parse(&style.number_format.as_ref()?.format_code))
                    .collect();
                while let Some((cell, style)) = guard(|| reader.next_cell_with_style_id())? {
                    let format = formats.get(style).and_then(Option::as_ref);
                    let write = |out: &mut String| write_ref(out, cell.get_value(), format);
                    if rows.cell(cell.get_position(), write).is_break() {
                        return Ok(());
                    }
                }
            }
            Self::Xlsb(book) => {
                let mut reader = guard(|| book.worksheet_cells_reader(sheet))?;
                while let Some(cell) = guard(|| reader.next_cell())? {
                    let write = |out: &mut String| write_ref(out, cell.get_value(), None);
                    if rows.cell(cell.get_position(), write).is_break() {
                        return Ok(());
                    }
                }
            }
            Self::Xls(book) => {
                let range = guard(|| book.worksheet_range(sheet))?;
                if from_range(&range, &mut rows).is_break() {
                    return Ok(());
                }
            }
            Self::Ods(book) => {
                let range = guard(|| book.worksheet_range(sheet))?;
                if from_range(&range, &mut rows).is_break() {
                    return Ok(());
                }
            }
        }
        // Whether to stop does not matter at the end.
        let _ = rows.finish();
        Ok(())
    }
}

/// Whether an XLS file has a FilePass record among its first ones ([MS-XLS] 2.4.117), which says
/// that a password enciphers the rest.
fn is_enciphered(origin: &Origin) -> bool {
    const GLOBALS: &[u8] = &[0x09, 0x08, 0x10, 0x00, 0x00, 0x06, 0x05, 0x00];
    let Ok(bytes) = origin.start(1 << 20) else {
        return false;
    };
    let Some(mut at) = memchr::memmem::find(&bytes, GLOBALS) else {
        return false;
    };
    for _ in 0..12 {
        match bytes.get(at..at + 4) {
            Some(&[0x2F, 0, ..]) => return true,
            Some(&[_, _, low, high]) => at += 4 + usize::from(u16::from_le_bytes([low, high])),
            _ => return false,
        }
    }
    false
}

fn from_range(range: &calamine::Range<Data>, rows: &mut Rows<'_, '_>) -> ControlFlow<()> {
    let Some((first_row, first_column)) = range.start() else {
        return ControlFlow::Continue(());
    };
    for (row, column, value) in range.used_cells() {
        let position = (first_row + row as u32, first_column + column as u32);
        rows.cell(position, |out| write_owned(out, value))?;
    }
    ControlFlow::Continue(())
}

fn write_ref(out: &mut String, value: &DataRef<'_>, format: Option<&NumberFormat>) -> Kind {
    match value {
        DataRef::Int(value) => write_number(out, *value as f64, format),
        DataRef::Float(value) => write_number(out, *value, format),
        DataRef::String(text) => write_text(out, text),
        DataRef::SharedString(text) => write_text(out, text),
        DataRef::Bool(value) => write_boolean(out, *value),
        DataRef::DateTime(moment) => number::write_date(out, *moment),
        DataRef::DateTimeIso(text) => number::write_iso(out, text),
        DataRef::DurationIso(text) => number::write_iso_duration(out, text),
        DataRef::Error(error) => write_error(out, &error.to_string()),
        DataRef::Empty => Kind::Text,
    }
}

fn write_owned(out: &mut String, value: &Data) -> Kind {
    match value {
        Data::Int(value) => write_number(out, *value as f64, None),
        Data::Float(value) => write_number(out, *value, None),
        Data::String(text) => write_text(out, text),
        Data::Bool(value) => write_boolean(out, *value),
        Data::DateTime(moment) => number::write_date(out, *moment),
        Data::DateTimeIso(text) => number::write_iso(out, text),
        Data::DurationIso(text) => number::write_iso_duration(out, text),
        Data::Error(error) => write_error(out, &error.to_string()),
        Data::Empty => Kind::Text,
        #[allow(unreachable_patterns)] // New kinds of cell may come with the reader's versions.
        other => write_text(out, &other.to_string()),
    }
}

fn write_text(out: &mut String, text: &str) -> Kind {
    out.push_str(text);
    Kind::Text
}

fn write_number(out: &mut String, value: f64, format: Option<&NumberFormat>) -> Kind {
    if !format.is_some_and(|format| format.write(out, value)) {
        number::write_general(out, value);
    }
    Kind::Number(value)
}

fn write_boolean(out: &mut String, value: bool) -> Kind {
    out.push_str(if value { "TRUE" } else { "FALSE" });
    Kind::Boolean(value)
}

fn write_error(out: &mut String, text: &str) -> Kind {
    out.push_str(text);
    Kind::Error
}
