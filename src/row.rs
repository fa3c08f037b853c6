//! Cells, rows and batches of rows as they come out of a spreadsheet.
//!
//! A batch keeps the text of all its cells in one buffer, so that the stages after the reader
//! borrow cells and copy nothing.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// What a cell is beside its text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Text, and every cell of a CSV file. An empty cell is empty text.
    Text,
    /// A number cell of a workbook; the text is the number as the workbook shows it.
    Number(f64),
    /// A boolean cell of a workbook; the text is `TRUE` or `FALSE`.
    Boolean(bool),
    /// A date cell without a time; the text is ISO 8601.
    Date(jiff::civil::Date),
    /// A date cell with a time; the text is ISO 8601 without a zone.
    DateTime(jiff::civil::DateTime),
    /// A time of day or a duration; the text is `hh:mm:ss`.
    Time,
    /// An error of the workbook such as `#N/A`; the text is that error.
    Error,
    /// Text with bytes that the file's encoding does not know, shown as U+FFFD.
    Undecodable,
}

impl Kind {
    /// Whether this is a number cell that has already lost digits of an identifier: spreadsheet
    /// programs keep 15 digits and put zeros behind them, and from 2^53 on not every whole number
    /// is there at all (IEEE 754 binary64).
    pub fn is_rounded(self) -> bool {
        let Self::Number(number) = self else {
            return false;
        };
        let size = number.abs();
        size >= 9_007_199_254_740_992.0 || (size >= 1e15 && size % 10.0 == 0.0)
    }
}

/// One cell, borrowed from its batch. The text is as the file has it, not trimmed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell<'a> {
    /// The text as written, untrimmed.
    pub text: &'a str,
    /// What the file says it is.
    pub kind: Kind,
}

impl Cell<'_> {
    /// The cell of a column that the row does not have.
    pub const EMPTY: Cell<'static> = Cell {
        text: "",
        kind: Kind::Text,
    };

    /// Whether its text is a long number as spreadsheet programs shorten it, with the last digits
    /// lost: `4.41E+11`, `4,41E+11`. A workbook's number cell keeps its digits however it is shown.
    pub fn is_shortened(&self) -> bool {
        let digits =
            |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if self.kind != Kind::Text {
            return false;
        }
        let Some((front, power)) = self.text.trim().split_once(['E', 'e']) else {
            return false;
        };
        let front = front.strip_prefix(['+', '-']).unwrap_or(front);
        let (whole, rest) = front.split_once(['.', ',']).unwrap_or((front, "0"));
        power
            .strip_prefix('+')
            .is_some_and(|power| power.len() >= 2 && digits(power))
            && whole.len() == 1
            && digits(whole)
            && digits(rest)
    }
}

/// How the text begins that stands in a reject file for one that no cell of a workbook can hold.
pub const TOO_LONG: &str = "(too long for a workbook's cell";

/// The codes of the number formats of a workbook, such as `dd.mm.yyyy`, by the number that its
/// cells give; empty where a format shows a value as it is.
pub type Formats = Arc<[Arc<str>]>;

/// What is wrong with a row as a whole, found by the reader: the row must not be mapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The code, such as `row.ragged`.
    pub code: &'static str,
    /// What is wrong and what was expected, as a sentence.
    pub message: String,
    /// Index of the column where it shows, if one does.
    pub column: Option<usize>,
}

#[derive(Debug, Clone)]
struct RowHead {
    number: u64,
    line: u64,
    end: u32,
    fault: Option<Box<Fault>>,
}

/// Some rows of one input, in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct RowBatch {
    /// Position of this batch among all batches of a run, from 0.
    pub sequence: u64,
    /// Index of the input file among the run's inputs.
    pub input: usize,
    /// The sheet that all its rows are of, where several sheets are read.
    pub sheet: Option<Arc<str>>,
    text: String,
    /// End of its text, kind, and the number of its format.
    cells: Vec<(u32, Kind, u16)>,
    formats: Option<Formats>,
    rows: Vec<RowHead>,
}

impl RowBatch {
    /// An empty batch with room for `rows` rows of `columns` cells.
    pub fn with_capacity(rows: usize, columns: usize) -> Self {
        Self {
            text: String::with_capacity(rows * columns * 10),
            cells: Vec::with_capacity(rows * columns),
            rows: Vec::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds a cell to the row under construction.
    pub fn push_cell(&mut self, text: &str, kind: Kind) {
        self.push_shown_cell(text, kind, 0);
    }

    /// The same of a cell that is shown by the number format of this number.
    pub fn push_shown_cell(&mut self, text: &str, kind: Kind, format: u16) {
        self.text.push_str(text);
        self.cells.push((self.text.len() as u32, kind, format));
    }

    /// Says what the numbers of formats mean, for all its cells.
    pub fn set_formats(&mut self, formats: &Formats) {
        if self.formats.is_none() {
            self.formats = Some(Arc::clone(formats));
        }
    }

    /// Ends the row under construction. `number` is the row as a spreadsheet program counts it,
    /// from 1; `line` the physical line where it begins, or 0 where there are no lines.
    pub fn end_row(&mut self, number: u64, line: u64, fault: Option<Fault>) {
        self.rows.push(RowHead {
            number,
            line,
            end: self.cells.len() as u32,
            fault: fault.map(Box::new),
        });
    }

    /// Says what is wrong with a row that was ended before, in place of what was said of it.
    ///
    /// # Panics
    /// Where `index` is not below [`RowBatch::len`].
    pub fn set_fault(&mut self, index: usize, fault: Fault) {
        self.rows[index].fault = Some(Box::new(fault));
    }

    /// Bytes of cell text held; a reader ends a batch before this passes a few MiB.
    pub fn text_len(&self) -> usize {
        self.text.len()
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The row at `index` within the batch.
    ///
    /// # Panics
    /// Where `index` is not below [`RowBatch::len`].
    pub fn row(&self, index: usize) -> Row<'_> {
        let first = if index == 0 {
            0
        } else {
            self.rows[index - 1].end
        };
        Row {
            batch: self,
            head: &self.rows[index],
            first: first as usize,
        }
    }

    /// All rows in order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|index| self.row(index))
    }
}

/// One row, borrowed from its batch.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    batch: &'a RowBatch,
    head: &'a RowHead,
    first: usize,
}

impl<'a> Row<'a> {
    /// The row's number as a spreadsheet program counts it, from 1.
    pub fn number(&self) -> u64 {
        self.head.number
    }

    /// The sheet that the row is of, where several sheets are read.
    pub fn sheet(&self) -> Option<&'a Arc<str>> {
        self.batch.sheet.as_ref()
    }

    /// The physical line where the row begins; `None` for workbooks.
    pub fn line(&self) -> Option<u64> {
        (self.head.line > 0).then_some(self.head.line)
    }

    /// How many cells the row has.
    pub fn len(&self) -> usize {
        self.head.end as usize - self.first
    }

    /// Whether the row has no cell at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The cell of the column at `index`; empty where the row is shorter.
    pub fn cell(&self, index: usize) -> Cell<'a> {
        let place = self.first + index;
        if place >= self.head.end as usize {
            return Cell::EMPTY;
        }
        let start = if place == 0 {
            0
        } else {
            self.batch.cells[place - 1].0 as usize
        };
        let (end, kind, _) = self.batch.cells[place];
        Cell {
            text: &self.batch.text[start..end as usize],
            kind,
        }
    }

    /// The code of the number format that the cell at `index` is shown by, where the reader knows
    /// one that changes how the value looks.
    pub fn format(&self, index: usize) -> Option<&'a str> {
        let formats = self.batch.formats.as_ref()?;
        let place = self.first + index;
        if place >= self.head.end as usize {
            return None;
        }
        let code = formats.get(usize::from(self.batch.cells[place].2))?;
        (!code.is_empty()).then_some(&**code)
    }

    /// All cells in order.
    pub fn cells(&self) -> impl Iterator<Item = Cell<'a>> + use<'a> {
        let row = *self;
        (0..self.len()).map(move |index| row.cell(index))
    }

    /// What is wrong with the row as a whole, if anything.
    pub fn fault(&self) -> Option<&'a Fault> {
        self.head.fault.as_deref()
    }
}

/// The names of an input's columns, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Header {
    /// The header cells as written, without outer space; `A`, `B`, … where the file has no header.
    pub names: Vec<Arc<str>>,
    /// Index of the sheet's column where the first of `names` stands; 0 for CSV.
    pub first_column: usize,
    /// Number of the row that holds the names; 0 where there is none.
    pub row: u64,
}

impl Header {
    /// The name of the column at `index`, or its letter where the header has none.
    pub fn name(&self, index: usize) -> Arc<str> {
        match self.names.get(index) {
            Some(name) if !name.is_empty() => Arc::clone(name),
            _ => self.letter(index).into(),
        }
    }

    /// The letters by which a spreadsheet program names the column at `index`: `A`, `Z`, `AA`.
    pub fn letter(&self, index: usize) -> String {
        column_letters(self.first_column + index)
    }

    /// The name of a cell as spreadsheet programs write it: `D17`.
    pub fn cell_name(&self, index: usize, row: u64) -> String {
        format!("{}{row}", self.letter(index))
    }
}

/// Where a row stands, among the rows of all sheets that are read.
///
/// It is written as `17`, and as spreadsheet programs write it where there is a sheet to name:
/// `Clients!17`, `'Old clients'!17`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowPlace<'a> {
    /// The sheet, where several are read.
    pub sheet: Option<Cow<'a, str>>,
    /// The row's number as a spreadsheet program counts it, from 1.
    pub row: u64,
}

impl From<u64> for RowPlace<'_> {
    fn from(row: u64) -> Self {
        Self { sheet: None, row }
    }
}

impl<'a> RowPlace<'a> {
    /// A row of a sheet, where that is to be named.
    pub fn new(sheet: Option<&'a str>, row: u64) -> Self {
        Self {
            sheet: sheet.map(Cow::Borrowed),
            row,
        }
    }

    /// Reads what was written of a place.
    pub fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let Some((sheet, row)) = text.rsplit_once('!') else {
            return text.parse::<u64>().ok().map(Self::from);
        };
        let sheet = match sheet.strip_prefix('\'').and_then(|s| s.strip_suffix('\'')) {
            Some(quoted) => Cow::Owned(quoted.replace("''", "'")),
            None => Cow::Borrowed(sheet),
        };
        Some(Self {
            sheet: Some(sheet),
            row: row.parse().ok()?,
        })
    }

    /// The name of the cell of this row in the column at `index`: `D17`, `Clients!D17`.
    pub fn cell_name(&self, header: &Header, index: usize) -> String {
        let cell = header.cell_name(index, self.row);
        match &self.sheet {
            Some(sheet) => format!("{}!{cell}", quoted_sheet(sheet)),
            None => cell,
        }
    }
}

impl fmt::Display for RowPlace<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.sheet {
            Some(sheet) => write!(out, "{}!{}", quoted_sheet(sheet), self.row),
            None => write!(out, "{}", self.row),
        }
    }
}

/// A sheet's name as it stands before a cell: in quotes where it is no plain word.
fn quoted_sheet(name: &str) -> Cow<'_, str> {
    let plain = |c: char| c.is_alphanumeric() || c == '_';
    match name.chars().all(plain) && name.starts_with(|c: char| !c.is_numeric()) {
        true => Cow::Borrowed(name),
        false => Cow::Owned(format!("'{}'", name.replace('\'', "''"))),
    }
}

/// The letters of the column at `index` (from 0).
pub fn column_letters(index: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = index + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

/// The index (from 0) of the column with these letters; `None` where they are not letters or
/// lie beyond `XFD`, the last column of a workbook.
pub fn column_index(letters: &str) -> Option<usize> {
    if letters.is_empty() || letters.len() > 3 {
        return None;
    }
    let mut index = 0usize;
    for byte in letters.bytes() {
        let upper = byte.to_ascii_uppercase();
        if !upper.is_ascii_uppercase() {
            return None;
        }
        index = index * 26 + usize::from(upper - b'A') + 1;
    }
    (index <= 16_384).then(|| index - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_indexes_agree() {
        for (index, letters) in [
            (0, "A"),
            (25, "Z"),
            (26, "AA"),
            (701, "ZZ"),
            (16_383, "XFD"),
        ] {
            assert_eq!(column_letters(index), letters);
            assert_eq!(column_index(letters), Some(index));
        }
        assert_eq!(column_index("XFE"), None);
        assert_eq!(column_index("a1"), None);
    }

    #[test]
    fn places_are_read_as_they_are_written() {
        let header = Header::default();
        for (sheet, row, text, cell) in [
            (None, 17, "17", "D17"),
            (Some("Clients"), 17, "Clients!17", "Clients!D17"),
            (
                Some("Old clients"),
                2,
                "'Old clients'!2",
                "'Old clients'!D2",
            ),
            (Some("it's!"), 3, "'it''s!'!3", "'it''s!'!D3"),
            (Some("2024"), 4, "'2024'!4", "'2024'!D4"),
        ] {
            let place = RowPlace::new(sheet, row);
            assert_eq!(place.to_string(), text);
            assert_eq!(place.cell_name(&header, 3), cell);
            assert_eq!(RowPlace::parse(text), Some(place));
        }
        for text in ["", "x", "Clients!", "Clients!D17", "-1"] {
            assert_eq!(RowPlace::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_batch_gives_back_its_cells() {
        let mut batch = RowBatch::with_capacity(2, 2);
        batch.push_cell("a", Kind::Text);
        batch.push_cell("", Kind::Text);
        batch.end_row(2, 2, None);
        batch.push_cell("7", Kind::Number(7.0));
        batch.end_row(5, 0, None);
        let rows: Vec<_> = batch.rows().collect();
        assert_eq!(rows[0].len(), 2);
        assert_eq!(rows[0].cell(0).text, "a");
        assert_eq!(rows[0].cell(1), Cell::EMPTY);
        assert_eq!(rows[1].cell(0).kind, Kind::Number(7.0));
        assert_eq!(rows[1].cell(1), Cell::EMPTY);
        assert_eq!((rows[1].number(), rows[1].line()), (5, None));
    }
}
