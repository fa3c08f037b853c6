//! Files to batches of rows, as streams: memory does not grow with the file.
//!
//! [`open`] finds out all that the user did not say (format, encoding, delimiter, sheet, header
//! row); [`Source::read`] then hands over the rows, as often as asked. What is wrong with one row
//! travels with the row; only a file that cannot be read at all is an error.

use std::ops::ControlFlow;

use crate::area::Area;
use crate::row::{Header, RowBatch};

mod aside;
mod biff;
mod container;
mod csv;
mod csv_row;
pub mod damage;
mod decode;
mod dialect;
mod distinct;
mod encoding;
mod error;
mod footer;
mod frame;
mod header;
mod number;
mod ods;
mod ole;
mod ooxml;
mod origin;
mod package;
mod packing;
pub mod profile;
mod range;
mod records;
mod shape;
mod sheet;
mod sheet_bin;
mod sheet_cell;
mod sheet_header;
mod sheet_notes;
mod sheet_row;
mod sheet_xml;
mod stage;
#[cfg(test)]
mod tests;
mod texts;
#[cfg(test)]
mod torture;
#[cfg(test)]
mod torture_workbooks;
mod trouble;
mod unpack;
mod workbook;
mod xml;
mod xml_text;

pub use error::SourceError;
pub use origin::{ENDINGS, Input, is_table_name};

use container::Format;
use origin::Origin;

/// A batch ends once it holds this much text, in bytes.
const BATCH_TEXT: usize = 1 << 20;
/// A batch ends once it holds so many cells.
const BATCH_CELLS: usize = 1 << 18;
/// The columns of the widest sheet that spreadsheet programs have.
const MOST_COLUMNS: usize = 16_384;

/// What the user says about a file; the default is to find everything from the file.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Which sheets of a workbook are read.
    pub sheets: SheetChoice,
    /// Which part of a workbook's sheets is read.
    pub part: PartChoice,
    /// Row of the column names, from 1; `Some(0)`: there is none, columns are A, B, C …
    pub header_row: Option<u64>,
    /// The character between the cells of a CSV file.
    pub delimiter: Option<u8>,
    /// The encoding of a CSV file.
    pub encoding: Option<&'static encoding_rs::Encoding>,
    /// Headers that the mapping names, to tell the delimiter and the header row by.
    pub wanted: Vec<String>,
}

/// Which part of a workbook's sheets is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PartChoice {
    /// All of it.
    #[default]
    Whole,
    /// These cells of each sheet; the first row holds the column names where rows are named.
    Area(Area),
    /// The table, or the cells, of this name; the sheet is the one that holds it.
    Table(String),
}

/// Which sheets of a workbook are read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum SheetChoice {
    /// The first that is visible.
    #[default]
    FirstVisible,
    /// All visible ones that have rows, one after the other; their headers must be the same.
    All,
    /// These, one after the other; their headers must be the same.
    These(Vec<SheetRef>),
}

/// One sheet of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetRef {
    /// By name; case counts only where two names differ by nothing else.
    Name(String),
    /// By number, from 1, hidden sheets counted.
    Number(usize),
}

/// What was found out about the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Facts {
    /// A text file with delimiters.
    Csv(CsvFacts),
    /// A workbook.
    Workbook(WorkbookFacts),
}

/// What was found out about a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvFacts {
    /// The character between cells.
    pub delimiter: u8,
    /// The encoding's name, such as `UTF-8`.
    pub encoding: &'static str,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
    /// The line end that comes first: `"\n"`, `"\r\n"` or `"\r"`.
    pub terminator: &'static str,
    /// The character around cells that hold delimiters.
    pub quote: u8,
    /// Which cells stand in quotes.
    pub quoting: Quoting,
}

/// Which cells of a file stand in quotes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Quoting {
    /// Those that could not be read otherwise.
    #[default]
    AsNeeded,
    /// All but numbers, and perhaps empty ones.
    Text,
    /// All, perhaps but empty ones.
    All,
}

/// What was found out about a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkbookFacts {
    /// `xlsx`, `xlsb`, `xls` or `ods`, by content and not by the file's name.
    pub format: &'static str,
    /// The sheet that is read; of several, their names joined by `, `.
    pub sheet: String,
    /// Whether day 0 is 1904-01-01, as in workbooks of old Macintosh programs.
    pub date_1904: bool,
    /// The width of each column of the header, of the first sheet that is read, in 256ths of a
    /// character; 0 where it is not set or not known.
    pub widths: Vec<u32>,
}

/// A reject file of ours handed back as input: indexes of the columns that we added.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Returned {
    /// Index of `_row`: the row's number in the first file.
    pub row: usize,
    /// Index of `_key`.
    pub key: usize,
    /// Index of `_fate`.
    pub fate: usize,
    /// Indexes of all columns that we added.
    pub added: Vec<usize>,
}

/// An input that has been opened and whose header is known.
#[derive(Debug)]
pub struct Source {
    /// The names of the columns.
    pub header: Header,
    /// What was found out about the file.
    pub facts: Facts,
    /// What the user should be told, as sentences.
    pub notes: Vec<String>,
    /// Set where the file is a reject file of ours.
    pub returned: Option<Returned>,
    /// What a text file is packed with: `gzip`, `zstd` or `zip`.
    pub packed: Option<&'static str>,
    table: Table,
}

#[derive(Debug)]
enum Table {
    Csv(csv::Table),
    Workbook(workbook::Table),
}

/// What opening a file of one format gives.
struct Opened<T> {
    header: Header,
    facts: Facts,
    notes: Vec<String>,
    returned: Option<Returned>,
    table: T,
}

impl<T> Opened<T> {
    fn source(self, wrap: impl FnOnce(T) -> Table) -> Source {
        Source {
            header: self.header,
            facts: self.facts,
            notes: self.notes,
            returned: self.returned,
            packed: None,
            table: wrap(self.table),
        }
    }
}

/// Opens an input, finds its format and reads its header. Standard input is first kept in an
/// anonymous temporary file, since it is read more than once.
///
/// # Errors
/// Where the file cannot be read, is empty, encrypted, damaged or too large to be a customer list,
/// or lacks the sheet or header row that was asked for.
pub fn open(input: &Input, options: &Options) -> Result<Source, SourceError> {
    let origin = Origin::open(input)?;
    match container::format(&origin)? {
        Format::Csv => {
            let packed = origin.packing.map(packing::Packing::name);
            let mut source = csv::open(origin, options)?.source(Table::Csv);
            source.packed = packed;
            if options.part != PartChoice::Whole {
                source.notes.push(format!(
                    "{} is no workbook: `range` and `table` under [source] of the mapping are passed over.",
                    input.name()
                ));
            }
            Ok(source)
        }
        format => Ok(workbook::open(origin, format, options)?.source(Table::Workbook)),
    }
}

impl Source {
    /// Reads all data rows from the start. The sink gets batches numbered from 0 and of `input`
    /// 0, and stops the reading by `ControlFlow::Break`. A batch has at most `rows_per_batch`
    /// rows and little more than 1 MiB of text.
    ///
    /// # Errors
    /// Where the file cannot be read to its end. Faults of single rows travel with the rows.
    pub fn read(
        &self,
        rows_per_batch: usize,
        sink: &mut dyn FnMut(RowBatch) -> ControlFlow<()>,
    ) -> Result<(), SourceError> {
        match &self.table {
            Table::Csv(table) => table.read(rows_per_batch, sink),
            Table::Workbook(table) => table.read(rows_per_batch, sink),
        }
    }

    /// Hash of the file as it stands: tells it from one of another content, whatever it is called.
    ///
    /// # Errors
    /// Where the file cannot be read to its end.
    pub fn content(&self) -> std::io::Result<[u8; 32]> {
        let origin = match &self.table {
            Table::Csv(table) => table.origin(),
            Table::Workbook(table) => table.origin(),
        };
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(origin.reader(0))?;
        Ok(*hasher.finalize().as_bytes())
    }

    /// Size of the input in bytes, for showing progress.
    pub fn size_hint(&self) -> Option<u64> {
        match &self.table {
            Table::Csv(table) => Some(table.size_hint()),
            Table::Workbook(table) => Some(table.size_hint()),
        }
    }
}
