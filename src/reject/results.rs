//! The results file: every row of the input with its fate.

use std::borrow::Cow;
use std::io;
use std::path::Path;

use super::file::{Draft, Ours, Written};
use super::text::escape;
use crate::issue::Severity;
use crate::record::Settled;

/// The columns of the results file. Columns are added, never renamed.
pub const COLUMNS: [&str; 6] = ["row", "key", "fate", "id", "run", "note"];

/// Writes every row of an input, in the input's order, in constant memory: UTF-8, comma, `\n`.
#[derive(Debug)]
pub struct ResultsWriter {
    csv: csv::Writer<Draft>,
}

impl ResultsWriter {
    /// Begins a results file in the folder where it is to stand.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn create(folder_of_final: &Path) -> io::Result<Self> {
        let mut csv = csv::WriterBuilder::new()
            .terminator(csv::Terminator::Any(b'\n'))
            .from_writer(Draft::create(folder_of_final)?);
        csv.write_record(COLUMNS)?;
        Ok(Self { csv })
    }

    /// Adds a row. Issues that the note does not tell are told behind it.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, settled: &Settled) -> io::Result<()> {
        let row = settled.place().to_string();
        let note = note(settled);
        self.csv.write_record([
            row.as_str(),
            &settled.key,
            settled.fate.name(),
            settled.id.as_deref().unwrap_or_default(),
            settled.run.as_deref().unwrap_or_default(),
            &escape(&note),
        ])?;
        Ok(())
    }

    /// Ends the file and gives it the wanted name, or the next free one (`-2`, `-3`, …) where a
    /// file has it that is not one of ours.
    ///
    /// # Errors
    /// The file cannot be written, synced or renamed.
    pub fn finish(self, wanted: &Path, ours: &dyn Ours) -> io::Result<Written> {
        let draft = self.csv.into_inner().map_err(|failed| {
            let error = failed.error();
            io::Error::new(error.kind(), error.to_string())
        })?;
        draft.finish(wanted, ours)
    }
}

/// The note with what it does not tell yet: the codes of errors, whose words stand in the reject
/// file, and the warnings, which stand nowhere else.
fn note(settled: &Settled) -> Cow<'_, str> {
    let mut note = Cow::Borrowed(settled.note.as_str());
    for issue in &settled.issues {
        if note.contains(&*issue.code) || note.contains(&*issue.message) {
            continue;
        }
        let note = note.to_mut();
        if !note.is_empty() {
            note.push_str(super::SEPARATOR);
        }
        note.push_str(&issue.code);
        if issue.severity == Severity::Warning {
            note.push_str(": ");
            note.push_str(&issue.message);
        }
    }
    note
}
