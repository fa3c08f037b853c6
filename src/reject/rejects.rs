//! The reject file: the source's columns as they were, then what is wrong.

use std::io;
use std::path::Path;

use super::book::{BookRejects, Look};
use super::csv::{CsvRejects, Dialect};
use super::file::{Ours, Written};
use crate::record::Settled;
use crate::row::{Header, Row, RowPlace};

/// The columns behind the source's own.
pub const ADDED: [&str; 5] = ["_row", "_key", "_fate", "_codes", "_problems"];

/// What stands between the codes and between the problems of one row.
pub const SEPARATOR: &str = "; ";

/// The most columns that a sheet of a workbook has.
const MOST_COLUMNS: usize = 16_384;

/// What kind of file the rejects of a source are.
#[derive(Debug, Clone, PartialEq)]
pub enum Form {
    /// Text, written as the source is.
    Csv(Dialect),
    /// A workbook.
    Workbook(Look),
}

impl Form {
    /// How the names of such files end.
    pub fn extension(&self) -> &'static str {
        match self {
            Self::Csv(_) => "csv",
            Self::Workbook(_) => "xlsx",
        }
    }

    /// Whether a workbook has the columns for the rejects of a source with this header.
    pub fn fits_workbook(header: &Header) -> bool {
        header.first_column + header.names.len() + ADDED.len() <= MOST_COLUMNS
    }
}

impl From<Dialect> for Form {
    fn from(dialect: Dialect) -> Self {
        Self::Csv(dialect)
    }
}

/// Writes the rows that were refused, as they come, in memory that does not grow with them.
#[derive(Debug)]
pub struct RejectWriter(Kind);

#[derive(Debug)]
enum Kind {
    Csv(Box<CsvRejects>),
    Workbook(Box<BookRejects>),
}

impl RejectWriter {
    /// Begins the reject file of a source with this header, in the folder where it is to stand.
    /// `returned` are the indexes of the columns that an earlier reject file added and that the
    /// source, being that file, still has.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn create(
        folder_of_final: &Path,
        header: &Header,
        form: impl Into<Form>,
        returned: Option<&[usize]>,
    ) -> io::Result<Self> {
        Ok(Self(match form.into() {
            Form::Csv(dialect) => Kind::Csv(Box::new(CsvRejects::create(
                folder_of_final,
                header,
                dialect,
                returned,
            )?)),
            Form::Workbook(look) => Kind::Workbook(Box::new(BookRejects::create(
                folder_of_final,
                header,
                look,
                returned,
            )?)),
        }))
    }

    /// Adds a refused row. `place` is where the row stands in the file that was first imported,
    /// which `_row` and the references to cells give.
    ///
    /// A row that is longer than the header keeps its further cells behind the added columns.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write<'a>(
        &mut self,
        header: &Header,
        row: Row<'_>,
        settled: &Settled,
        place: impl Into<RowPlace<'a>>,
    ) -> io::Result<()> {
        let place = place.into();
        match &mut self.0 {
            Kind::Csv(csv) => csv.write(header, row, settled, &place),
            Kind::Workbook(book) => book.write(header, row, settled, &place),
        }
    }

    /// Rows written so far.
    pub fn count(&self) -> u64 {
        match &self.0 {
            Kind::Csv(csv) => csv.count(),
            Kind::Workbook(book) => book.count(),
        }
    }

    /// Ends the file and gives it the wanted name, or the next free one (`-2`, `-3`, …) where a
    /// file has it that is not one of ours. Without a row there
    /// is no file, and one of that name that is still what we wrote is removed.
    ///
    /// # Errors
    /// The file cannot be written, synced or renamed.
    pub fn finish(self, wanted: &Path, ours: &dyn Ours) -> io::Result<Option<Written>> {
        match self.0 {
            Kind::Csv(csv) => csv.finish(wanted, ours),
            Kind::Workbook(book) => book.finish(wanted, ours),
        }
    }
}

/// For each of so many source columns whether it is one of ours, from an earlier reject file.
pub(super) fn own_columns(columns: usize, returned: Option<&[usize]>) -> Vec<bool> {
    let mut own = vec![false; columns];
    for &index in returned.unwrap_or_default() {
        if let Some(flag) = own.get_mut(index) {
            *flag = true;
        }
    }
    own
}
