//! The reject file of a workbook: a workbook whose cells are as they were, with the wrong ones
//! coloured and the problem as a note, and a sheet of the causes.
//!
//! Rows go to a temporary file as they come. What is kept in memory does not grow with them: number
//! formats, causes, and [`NOTES`] notes, since the writer keeps those.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_xlsxwriter::{Format, IgnoreError, Note, Workbook, Worksheet, XlsxError};

use super::causes::{Causes, cut_to};
use super::file::{Draft, Ours, Written, remove_own};
use super::looks::{Tint, format, free_name, head};
use super::rejects::{ADDED, own_columns};
use super::shown::{TEXT, Value, shown};
use super::text::doubled;
use super::words::{UNCERTAIN, errors, write_codes, write_problems};
use crate::issue::Severity;
use crate::record::{Fate, Settled};
use crate::row::{Header, Row, RowPlace, TOO_LONG};

/// The most notes at cells: the writer keeps them all in memory, and spreadsheet programs are slow
/// with many.
const NOTES: usize = 2_000;
/// The most rows of a sheet, and the most UTF-16 units of a cell's text.
const MOST_ROWS: u32 = 1_048_576;
const MOST_TEXT: usize = 32_767;
/// The widest column that is fitted to its content, in characters.
const FITTED: usize = 48;
/// The margin of a cell, in characters of the usual font.
const MARGIN: f64 = 5.0 / 7.0;
/// What the sheet of causes is called.
const CAUSES: &str = "Causes";

/// How the source looks, so that its reject file looks alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Look {
    /// The sheet that is read, where it is one.
    pub sheet: String,
    /// The width of each column of the header, in 256ths of a character; 0 where it is not known.
    pub widths: Vec<u32>,
}

/// Writes the rows that were refused into a workbook, as they come.
pub(super) struct BookRejects {
    draft: Draft,
    folder: PathBuf,
    look: Look,
    /// The names of the source's columns that are written, with their indexes in the source.
    columns: Vec<(usize, Arc<str>)>,
    /// How many columns the source has.
    all: usize,
    /// Empty columns of a sheet before its first: they keep the letters of the others.
    before: u16,
    book: Option<Workbook>,
    sheet: OpenSheet,
    /// By tint, and by whether text is to stay text when it is edited: formats by their codes.
    formats: HashMap<(Tint, bool), HashMap<Box<str>, Format>>,
    /// For each column the format that its last filled cell had, for the empty ones.
    usual: Vec<String>,
    causes: Causes,
    notes: usize,
    notes_left_out: bool,
    count: u64,
    text: String,
    /// What is wrong at each cell of a row: place in `columns`, whether it refuses the row, words.
    wrong: Vec<(usize, bool, String)>,
}

/// The sheet that rows are added to.
#[derive(Debug, Default)]
struct OpenSheet {
    /// What it is called in the source, and here.
    source: String,
    name: String,
    /// All sheets so far.
    names: Vec<String>,
    /// The next row.
    row: u32,
    /// The longest text of each column, in characters.
    longest: Vec<usize>,
}

impl std::fmt::Debug for BookRejects {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("BookRejects")
            .field("count", &self.count)
            .finish_non_exhaustive()
    }
}

impl BookRejects {
    pub(super) fn create(
        folder_of_final: &Path,
        header: &Header,
        look: Look,
        returned: Option<&[usize]>,
    ) -> io::Result<Self> {
        let draft = Draft::create(folder_of_final)?;
        let all = header.names.len();
        let own = own_columns(all, returned);
        let columns: Vec<(usize, Arc<str>)> = header
            .names
            .iter()
            .enumerate()
            .filter(|(index, _)| !own[*index])
            .map(|(index, name)| (index, Arc::clone(name)))
            .collect();
        Ok(Self {
            folder: draft.folder(),
            draft,
            look,
            usual: vec![String::new(); columns.len()],
            columns,
            all,
            before: u16::try_from(header.first_column).unwrap_or(u16::MAX),
            book: None,
            sheet: OpenSheet::default(),
            formats: HashMap::new(),
            causes: Causes::default(),
            notes: 0,
            notes_left_out: false,
            count: 0,
            text: String::new(),
            wrong: Vec::new(),
        })
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    pub(super) fn write(
        &mut self,
        header: &Header,
        row: Row<'_>,
        settled: &Settled,
        place: &RowPlace<'_>,
    ) -> io::Result<()> {
        let source = row.sheet().map_or(self.look.sheet.as_str(), |sheet| sheet);
        let full = self.sheet.row >= MOST_ROWS;
        if self.sheet.names.is_empty() || full || self.sheet.source != source {
            let source = source.to_owned();
            self.close_sheet().map_err(into_io)?;
            self.open_sheet(source)?;
        }
        self.find_wrong(settled);
        self.cells(row).map_err(into_io)?;
        self.added(header, row, settled, place).map_err(into_io)?;
        let (columns, before, at) = (&self.columns, self.before, self.sheet.row);
        let fate = before + columns.len() as u16 + 2;
        let name = &self.sheet.name;
        self.causes.add(header, settled, place, |column| {
            let own = column.and_then(|column| columns.iter().position(|own| own.0 == column));
            let here = own.map_or(fate, |own| before + own as u16);
            (name.clone(), at, here)
        });
        self.sheet.row += 1;
        self.count += 1;
        Ok(())
    }

    /// Gathers what is wrong at which cell.
    fn find_wrong(&mut self, settled: &Settled) {
        self.wrong.clear();
        for issue in &settled.issues {
            let place = self
                .columns
                .iter()
                .position(|own| Some(own.0) == issue.column);
            let Some(place) = place else { continue };
            let refuses = issue.severity == Severity::Error;
            match self.wrong.iter_mut().find(|wrong| wrong.0 == place) {
                Some((_, refused, words)) => {
                    *refused |= refuses;
                    words.push('\n');
                    words.push_str(&issue.message);
                }
                None => self.wrong.push((place, refuses, issue.message.to_string())),
            }
        }
    }

    /// Writes the source's own cells.
    fn cells(&mut self, row: Row<'_>) -> Result<(), XlsxError> {
        let (at, before) = (self.sheet.row, self.before);
        let wrong = std::mem::take(&mut self.wrong);
        let mut result = Ok(());
        for place in 0..self.columns.len() {
            let index = self.columns[place].0;
            let cell = row.cell(index);
            let (value, mut code) = shown(cell, row.format(index));
            let issue = wrong.iter().find(|wrong| wrong.0 == place);
            let tint = match issue {
                None => Tint::None,
                Some((_, true, _)) => Tint::Wrong,
                Some(_) => Tint::Doubtful,
            };
            if value == Value::Empty {
                // What is filled in is to be shown like the others, and text is to stay text.
                code = self.usual[place].as_str().into();
            } else if self.usual[place] != code {
                self.usual[place] = code.clone().into_owned();
            }
            let code = code.into_owned();
            self.sheet.measure(place, cell.text);
            result = self.cell(at, before + place as u16, value, &code, tint);
            if let (Ok(()), Some((.., words))) = (&result, issue) {
                result = self.note(at, before + place as u16, words);
            }
            if result.is_err() {
                break;
            }
        }
        self.wrong = wrong;
        result?;
        // What stands behind the header's last column keeps its place behind the added ones.
        for index in self.all..row.len() {
            let column = before as usize + self.columns.len() + ADDED.len() + index - self.all;
            let Ok(column) = u16::try_from(column) else {
                break;
            };
            let (value, code) = shown(row.cell(index), row.format(index));
            self.cell(at, column, value, &code, Tint::None)?;
        }
        Ok(())
    }

    /// Writes the added columns.
    fn added(
        &mut self,
        header: &Header,
        row: Row<'_>,
        settled: &Settled,
        place: &RowPlace<'_>,
    ) -> Result<(), XlsxError> {
        let at = self.sheet.row;
        let first = self.before + self.columns.len() as u16;
        let mut text = std::mem::take(&mut self.text);
        // As a number the rows can be sorted by it.
        let number = place.sheet.is_none().then_some(place.row as f64);
        text.clear();
        let _ = write!(text, "{place}");
        let value = number.map_or(Value::Text(&text), Value::Number);
        self.sheet.measure(self.columns.len(), &text);
        self.cell(at, first, value, "", Tint::Added)?;
        self.sheet.measure(self.columns.len() + 1, &settled.key);
        self.cell(at, first + 1, Value::Text(&settled.key), TEXT, Tint::Added)?;
        let uncertain = settled.fate == Fate::Uncertain;
        let tint = if uncertain {
            Tint::Doubtful
        } else {
            Tint::Added
        };
        self.cell(at, first + 2, Value::Text(settled.fate.name()), "", tint)?;
        if uncertain {
            self.note(at, first + 2, UNCERTAIN)?;
        }
        text.clear();
        write_codes(&mut text, &settled.issues);
        self.sheet.measure(self.columns.len() + 3, &text);
        self.cell(at, first + 3, Value::Text(&text), "", Tint::Added)?;
        text.clear();
        write_problems(&mut text, header, settled, place);
        let whole =
            row.fault().is_some() || errors(&settled.issues).any(|issue| issue.column.is_none());
        let tint = if whole { Tint::Wrong } else { Tint::None };
        // No person reads more, and a cell holds no more.
        let problems = cut_to(&text, 8_000);
        self.cell(at, first + 4, Value::Text(problems), "", tint)?;
        self.text = text;
        Ok(())
    }

    fn cell(
        &mut self,
        row: u32,
        column: u16,
        value: Value<'_>,
        code: &str,
        tint: Tint,
    ) -> Result<(), XlsxError> {
        let Some(book) = &mut self.book else {
            return Ok(());
        };
        let sheet = book.worksheet_from_index(self.sheet.names.len() - 1)?;
        // A program makes no formula of it, also when somebody edits the cell.
        let prefix = matches!(value, Value::Text(text) if text.starts_with(['=', '+', '-', '@']));
        let plain = code.is_empty() && tint == Tint::None && !prefix;
        let by_code = self.formats.entry((tint, prefix)).or_default();
        if !by_code.contains_key(code) {
            by_code.insert(code.into(), format(code, tint, prefix));
        }
        let Some(format) = by_code.get(code) else {
            return Ok(());
        };
        match value {
            Value::Empty if plain => {}
            Value::Empty => drop(sheet.write_blank(row, column, format)?),
            Value::Number(value) if plain => drop(sheet.write_number(row, column, value)?),
            Value::Number(value) => {
                sheet.write_number_with_format(row, column, value, format)?;
            }
            Value::Boolean(value) => {
                sheet.write_boolean_with_format(row, column, value, format)?;
            }
            Value::Text(text) => {
                let text = doubled(text);
                let text = match text.encode_utf16().count() > MOST_TEXT {
                    true => format!("{TOO_LONG}: copy it from the source)").into(),
                    false => text,
                };
                match plain {
                    true => sheet.write_string(row, column, text.as_ref())?,
                    false => sheet.write_string_with_format(row, column, text.as_ref(), format)?,
                };
            }
        }
        Ok(())
    }

    fn note(&mut self, row: u32, column: u16, words: &str) -> Result<(), XlsxError> {
        if self.notes >= NOTES {
            self.notes_left_out = true;
            return Ok(());
        }
        let Some(book) = &mut self.book else {
            return Ok(());
        };
        let sheet = book.worksheet_from_index(self.sheet.names.len() - 1)?;
        self.notes += 1;
        let words = cut_to(words, 1_000);
        let lines: usize = words
            .lines()
            .map(|line| line.chars().count() / 38 + 1)
            .sum();
        let note = Note::new(words)
            .add_author_prefix(false)
            .set_width(260)
            .set_height((lines as u32 * 18 + 16).min(320));
        sheet.insert_note(row, column, &note)?;
        Ok(())
    }

    fn open_sheet(&mut self, source: String) -> io::Result<()> {
        let book = match &mut self.book {
            Some(book) => book,
            None => {
                let mut book = Workbook::new();
                book.set_tempdir(&self.folder).map_err(into_io)?;
                self.book.insert(book)
            }
        };
        let name = free_name(&source, "Rejects", &self.sheet.names);
        let added = || -> Result<(), XlsxError> {
            let sheet = book.add_worksheet_with_constant_memory()?;
            sheet.set_name(&name)?;
            let names = self.columns.iter().map(|(_, name)| (&**name, false));
            let names = names.chain(ADDED.into_iter().map(|name| (name, true)));
            for (column, (name, added)) in (self.before..).zip(names) {
                let text = doubled(name);
                sheet.write_string_with_format(0, column, text.as_ref(), &head(added))?;
            }
            sheet.set_freeze_panes(1, 0)?;
            sheet.set_landscape();
            sheet.set_repeat_rows(0, 0)?;
            Ok(())
        };
        let mut added = added;
        added().map_err(into_io)?;
        self.sheet.longest = vec![0; self.columns.len() + ADDED.len()];
        for place in 0..self.columns.len() {
            let name = Arc::clone(&self.columns[place].1);
            // Room for the button of the filter.
            self.sheet.measure(place, &format!("{name}   "));
        }
        for (place, name) in ADDED.into_iter().enumerate() {
            self.sheet
                .measure(self.columns.len() + place, &format!("{name}   "));
        }
        self.sheet.names.push(name.clone());
        self.sheet.name = name;
        self.sheet.source = source;
        self.sheet.row = 1;
        Ok(())
    }

    /// Gives the sheet its widths and its filter.
    fn close_sheet(&mut self) -> Result<(), XlsxError> {
        let Some(book) = &mut self.book else {
            return Ok(());
        };
        let sheet: &mut Worksheet = book.worksheet_from_index(self.sheet.names.len() - 1)?;
        let (first, last_row) = (self.before, self.sheet.row - 1);
        let last = first + (self.columns.len() + ADDED.len()) as u16 - 1;
        for (place, longest) in self.sheet.longest.iter().enumerate() {
            let source = self.columns.get(place).map(|(index, _)| *index);
            let known = source.and_then(|index| self.look.widths.get(index).copied());
            let width = match known {
                // Without the margin that every width holds (ECMA-376 part 1, 18.3.1.13).
                Some(width) if width > 0 => (f64::from(width) / 256.0 - MARGIN).max(0.0),
                _ if place + 1 == self.sheet.longest.len() => 90.0,
                _ => (*longest).clamp(4, FITTED) as f64 + 1.5,
            };
            sheet.set_column_width(first + place as u16, width)?;
        }
        sheet.autofilter(0, first, last_row, last)?;
        sheet.ignore_error_range(1, first, last_row, last, IgnoreError::NumberStoredAsText)?;
        Ok(())
    }

    pub(super) fn finish(mut self, wanted: &Path, ours: &dyn Ours) -> io::Result<Option<Written>> {
        self.close_sheet().map_err(into_io)?;
        let Some(mut book) = self.book.take() else {
            remove_own(wanted, ours)?;
            return Ok(None);
        };
        let told = self.told();
        let name = free_name(CAUSES, CAUSES, &self.sheet.names);
        self.causes
            .write(&mut book, &name, &told)
            .map_err(into_io)?;
        let mut draft = self.draft;
        book.save_to_writer(&mut draft).map_err(into_io)?;
        draft.flush()?;
        draft.finish(wanted, ours).map(Some)
    }

    /// What stands above the causes.
    fn told(&self) -> Vec<String> {
        let one = self.sheet.names.len() == 1;
        let mut told = vec![format!(
            "Mend the red cells {}, save this file as a workbook and import it with the same mapping: only its rows are sent.",
            match one {
                true => format!("in the sheet \"{}\"", self.sheet.name),
                false => "in the other sheets".to_owned(),
            }
        )];
        told.push(
            "The columns _row to _problems were added and need not be changed or removed; rows that you delete here stay out.".to_owned(),
        );
        if self.notes_left_out {
            told.push(format!(
                "Only the first {NOTES} wrong cells have the problem as a note; of all others it stands in _problems.",
            ));
        }
        told
    }
}

impl OpenSheet {
    fn measure(&mut self, place: usize, text: &str) {
        if let Some(longest) = self.longest.get_mut(place) {
            // Bytes are no fewer than characters.
            if text.len() > *longest && *longest < FITTED {
                *longest = (*longest).max(text.chars().count());
            }
        }
    }
}

fn into_io(error: XlsxError) -> io::Error {
    match error {
        XlsxError::IoError(error) => error,
        other => io::Error::other(format!("the workbook cannot be written: {other}")),
    }
}
