//! The reject file of a text file: the source's own delimiter, quotes, line ends and encoding.

use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::Path;

use encoding_rs::{Encoding, UTF_8};

use super::convert::convert;
use super::file::{Draft, Ours, Written, remove_own};
use super::rejects::{ADDED, own_columns};
use super::text::escape;
use super::words::{write_codes, write_problems};
use crate::record::Settled;
use crate::row::{Header, Row, RowPlace};

/// How the source is written, so that its reject file is written alike.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dialect {
    /// What stands between cells.
    pub delimiter: u8,
    /// What ends a row: `\n`, `\r\n` or `\r`.
    pub terminator: &'static str,
    /// The encoding of the text.
    pub encoding: &'static Encoding,
    /// Whether the file begins with a byte order mark.
    pub bom: bool,
    /// What stands around cells that need it; doubled within.
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
    /// All but numbers.
    Text,
    /// All.
    All,
}

impl Default for Dialect {
    /// Comma, `\n`, UTF-8 without a mark, `"`: for sources that are no text.
    fn default() -> Self {
        Self {
            delimiter: b',',
            terminator: "\n",
            encoding: UTF_8,
            bom: false,
            quote: b'"',
            quoting: Quoting::AsNeeded,
        }
    }
}

/// Writes the rows that were refused, as they come, in constant memory.
#[derive(Debug)]
pub(super) struct CsvRejects {
    csv: csv::Writer<Draft>,
    dialect: Dialect,
    columns: usize,
    /// Empty columns of a sheet before its first: they keep the letters of the others.
    before: usize,
    /// For each source column whether it is one of ours, from an earlier reject file.
    returned: Vec<bool>,
    count: u64,
    problems: String,
}

impl CsvRejects {
    /// Begins the reject file of a source with this header, in the folder where it is to stand.
    /// `returned` are the indexes of the columns that an earlier reject file added and that the
    /// source, being that file, still has.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub(super) fn create(
        folder_of_final: &Path,
        header: &Header,
        dialect: Dialect,
        returned: Option<&[usize]>,
    ) -> io::Result<Self> {
        let mut draft = Draft::create(folder_of_final)?;
        // What is not UTF-8 is converted at the end; if that cannot be, this file stays, and the
        // mark says what it is.
        if dialect.bom || dialect.encoding != UTF_8 {
            draft.write_all(BOM)?;
        }
        let columns = header.names.len();
        let mut writer = Self {
            csv: csv::WriterBuilder::new()
                .delimiter(dialect.delimiter)
                .quote(dialect.quote)
                .terminator(match dialect.terminator {
                    "\r\n" => csv::Terminator::CRLF,
                    "\r" => csv::Terminator::Any(b'\r'),
                    _ => csv::Terminator::Any(b'\n'),
                })
                .quote_style(match dialect.quoting {
                    Quoting::AsNeeded => csv::QuoteStyle::Necessary,
                    Quoting::Text => csv::QuoteStyle::NonNumeric,
                    Quoting::All => csv::QuoteStyle::Always,
                })
                .flexible(true)
                .from_writer(draft),
            dialect,
            columns,
            before: header.first_column,
            returned: own_columns(columns, returned),
            count: 0,
            problems: String::new(),
        };
        writer.margin()?;
        for (index, name) in header.names.iter().enumerate() {
            if !writer.returned[index] {
                writer.cell(name)?;
            }
        }
        for name in ADDED {
            writer.cell(name)?;
        }
        writer.end_row()?;
        Ok(writer)
    }

    /// Adds a refused row. `place` is where the row stands in the file that was first imported,
    /// which `_row` and the references to cells give.
    ///
    /// A row that is longer than the header keeps its further cells behind the added columns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(super) fn write(
        &mut self,
        header: &Header,
        row: Row<'_>,
        settled: &Settled,
        place: &RowPlace<'_>,
    ) -> io::Result<()> {
        self.margin()?;
        for index in 0..self.columns {
            if !self.returned[index] {
                self.cell(row.cell(index).text)?;
            }
        }
        self.added(header, settled, place)?;
        for index in self.columns..row.len() {
            self.cell(row.cell(index).text)?;
        }
        self.end_row()?;
        self.count += 1;
        Ok(())
    }

    fn added(
        &mut self,
        header: &Header,
        settled: &Settled,
        place: &RowPlace<'_>,
    ) -> io::Result<()> {
        let mut text = std::mem::take(&mut self.problems);
        text.clear();
        let _ = write!(text, "{place}");
        self.cell(&text)?;
        self.cell(&settled.key)?;
        self.cell(settled.fate.name())?;
        text.clear();
        write_codes(&mut text, &settled.issues);
        self.cell(&text)?;
        text.clear();
        write_problems(&mut text, header, settled, place);
        self.cell(&text)?;
        self.problems = text;
        Ok(())
    }

    fn margin(&mut self) -> io::Result<()> {
        (0..self.before).try_for_each(|_| self.cell(""))
    }

    fn cell(&mut self, text: &str) -> io::Result<()> {
        self.csv
            .write_field(escape(text).as_bytes())
            .map_err(into_io)
    }

    fn end_row(&mut self) -> io::Result<()> {
        self.csv.write_record(None::<&[u8]>).map_err(into_io)
    }

    /// Rows written so far.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Ends the file and gives it the wanted name, or the next free one (`-2`, `-3`, …) where a
    /// file has it that is not one of ours. Without a row there
    /// is no file, and one of that name that is still what we wrote is removed.
    ///
    /// # Errors
    /// The file cannot be written, synced or renamed.
    pub(super) fn finish(self, wanted: &Path, ours: &dyn Ours) -> io::Result<Option<Written>> {
        if self.count == 0 {
            remove_own(wanted, ours)?;
            return Ok(None);
        }
        let mut draft = self.csv.into_inner().map_err(|failed| {
            let error = failed.error();
            io::Error::new(error.kind(), error.to_string())
        })?;
        if self.dialect.encoding == UTF_8 {
            return draft.finish(wanted, ours).map(Some);
        }
        let mut converted = Draft::create(&draft.folder())?;
        if convert(&mut draft, self.dialect, &mut converted)? {
            return converted.finish(wanted, ours).map(Some);
        }
        let mut written = draft.finish(wanted, ours)?;
        written.note = Some(format!(
            "{} is UTF-8 with a byte order mark, because some of its text cannot be written as {}, the encoding of its source.",
            written.path.display(),
            self.dialect.encoding.name(),
        ));
        Ok(Some(written))
    }
}

pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}
