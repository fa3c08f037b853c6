//! CSV files as batches of rows.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::csv_row::RowWriter;
use super::decode::Decoded;
use super::dialect::{self, Dialect, Sample};
use super::encoding::{Charset, Detected, detect};
use super::footer;
use super::header::{self, Looked};
use super::origin::Origin;
use super::records::{Broken, CellBytes, LONGEST_RECORD, Record, Records};
use super::{BATCH_CELLS, BATCH_TEXT, CsvFacts, Facts, MOST_COLUMNS, Opened, Options, SourceError};
use crate::row::{Fault, Header, RowBatch, column_letters};

/// How much decoded text is looked at to find delimiter and header, in bytes.
const SAMPLE: u64 = 64 * 1024;
/// How much is read at a time, in bytes.
const WINDOW: usize = 512 * 1024;

/// An opened CSV file.
#[derive(Debug)]
pub(super) struct Table {
    origin: Origin,
    detected: Detected,
    dialect: Dialect,
    /// Row of the header, 0 without one.
    header_row: u64,
    /// How many cells the header has.
    width: usize,
    /// How many cells nearly all rows of the sample have, trailing empty ones counted; 0 where they
    /// differ.
    usual: usize,
    /// A row must have no more cells than this, be they empty: with one more it may hold a
    /// delimiter that was not quoted, and would be read shifted.
    most: usize,
    /// A row must have no fewer cells than there are names, trailing empty names aside.
    least: usize,
    /// Nothing stands below the empty names that end the header: whatever a row has there has
    /// been moved there by a delimiter that was not quoted.
    spare: bool,
    /// The header's cells, to tell where it stands once more.
    names: Vec<Arc<str>>,
    /// A reject file of ours: `'` before a formula is taken off.
    guarded: bool,
}

pub(super) fn open(origin: Origin, options: &Options) -> Result<Opened<Table>, SourceError> {
    let failed = |cause| origin.read_error(cause);
    let detected = detect(&origin, options.encoding)?;
    if !detected.read_through {
        origin.verify()?;
    }
    let sample = sample(&origin, &detected)?;
    let dialect = dialect::find(&sample, options.delimiter, &options.wanted).map_err(failed)?;
    let rows = dialect::rows(&sample, dialect).map_err(failed)?;
    let rows = if rows.is_empty() && !sample.whole {
        // The first record is longer than the sample.
        let Some(first) = first_row(&origin, &detected, dialect, |_| true)? else {
            return Err(SourceError::Empty { name: origin.name });
        };
        vec![first]
    } else {
        rows
    };
    let returned_row = rows.first().filter(|row| header::is_of_returned(row));
    let header_row = match returned_row {
        Some(row) => Some(row.number),
        None => options.header_row,
    };
    let mut header = match header_row {
        Some(0) => letters(&rows),
        Some(row) => {
            let found = match rows.iter().find(|looked| looked.number == row) {
                Some(looked) => Some(looked.clone()),
                None => first_row(&origin, &detected, dialect, |number| number >= row)?,
            };
            let blank = |looked: &Looked| looked.cells.iter().all(|cell| cell.trim().is_empty());
            match found {
                Some(looked) if looked.number == row && !blank(&looked) => Header {
                    names: header::names(&looked.cells),
                    first_column: 0,
                    row,
                },
                _ => {
                    return Err(SourceError::NoHeader {
                        name: origin.name,
                        row,
                    });
                }
            }
        }
        None => match header::find(&rows, &options.wanted) {
            Some(index) => Header {
                names: header::names(&rows[index].cells),
                first_column: 0,
                row: rows[index].number,
            },
            None => return Err(SourceError::Empty { name: origin.name }),
        },
    };
    if header.names.is_empty() {
        return Err(SourceError::Empty { name: origin.name });
    }
    if header.names.len() > MOST_COLUMNS {
        return Err(SourceError::TooWide {
            name: origin.name,
            columns: header.names.len(),
        });
    }
    let returned = header::taken(&mut header.names);
    let mut notes: Vec<String> = detected.note.iter().cloned().collect();
    if header.row > 0 && options.header_row.is_none() && header::looks_like_data(&rows, header.row)
    {
        notes.push(format!(
            "Row {} of {} is taken for the column names, and looks like a row of data. If the file has no column names, say so: `header_row = 0` under [source] of the mapping file (columns: --header-row 0); its columns are then A, B, C and so on.",
            header.row, origin.name
        ));
    }
    if header.row > 0 && options.header_row.is_none() && header::goes_on(&rows, header.row) {
        notes.push(header::goes_on_note(&origin.name, header.row));
    }
    let quote = char::from(dialect.quote);
    if header.row > 0
        && let Some(name) = header.names.iter().find(|name| name.starts_with(quote))
    {
        notes.push(format!(
            "The column name {name} in row {} of {} begins with a quote that is never closed properly, so that names may be cut in the wrong places. Mend the line.",
            header.row, origin.name
        ));
    }
    if let [name] = header.names.as_slice()
        && header::lined_up(name, rows.iter().filter(|row| row.number > header.row))
    {
        notes.push(format!(
            "All cells of a row of {} stand in one, lined up by spaces, and nothing separates them. Import the file into a spreadsheet program as text of fixed widths, and save it as .xlsx or as CSV.",
            origin.name
        ));
    }
    let cells = rows.iter().flat_map(|row| &row.cells);
    notes.extend(header::formula_note(&origin.name, cells));
    notes.extend(preamble_note(&origin.name, &rows, header.row, options));
    let facts = Facts::Csv(CsvFacts {
        delimiter: dialect.delimiter,
        encoding: detected.charset.name(),
        bom: detected.bom > 0,
        terminator: dialect::terminator(&sample.bytes),
        quote: dialect.quote,
        quoting: dialect::quoting(&sample, dialect),
    });
    let least = match header.row {
        0 => header.names.len(),
        _ => header
            .names
            .iter()
            .rposition(|name| !name.is_empty())
            .map_or(0, |last| last + 1),
    };
    let below = rows.iter().filter(|row| row.number > header.row);
    let form = Form::of(below, header.names.len(), least);
    let table = Table {
        header_row: header.row,
        width: header.names.len(),
        usual: form.usual,
        most: form.most,
        least,
        spare: form.spare,
        names: match header.row {
            0 => Vec::new(),
            _ => header.names.clone(),
        },
        guarded: returned.is_some(),
        origin,
        detected,
        dialect,
    };
    Ok(Opened {
        header,
        facts,
        notes,
        returned,
        table,
    })
}

/// How wide the rows of the sample are; the members as in [`Table`].
struct Form {
    usual: usize,
    most: usize,
    spare: bool,
}

impl Form {
    fn of<'a>(rows: impl Iterator<Item = &'a Looked>, width: usize, least: usize) -> Self {
        let filled = |cell: &String| !cell.trim().is_empty();
        let mut widths: Vec<usize> = Vec::new();
        let mut moved = 0;
        for row in rows.filter(|row| row.cells.iter().any(filled)) {
            widths.push(row.cells.len());
            let beyond = row.cells.get(least..).unwrap_or_default();
            moved += usize::from(beyond.iter().any(filled));
        }
        widths.sort_unstable();
        let median = widths.get(widths.len() / 2).copied().unwrap_or(width);
        let same = widths.iter().filter(|width| **width == median).count();
        let spare = moved * 5 < widths.len().max(1);
        // Delimiters at the end are written by programs, so that all rows have them or none.
        let regular = spare && median >= least && widths.len() > 1 && same * 5 >= widths.len() * 4;
        Self {
            usual: if regular { median } else { 0 },
            most: if regular { median } else { width },
            spare,
        }
    }
}

fn preamble_note(name: &str, rows: &[Looked], header: u64, options: &Options) -> Option<String> {
    let before = rows.iter().filter(|row| row.number < header).count();
    (before > 0 && options.header_row.is_none()).then(|| {
        format!(
            "The column names of {name} are taken from row {header}; {before} row{} above it {} passed over.",
            if before == 1 { "" } else { "s" },
            if before == 1 { "is" } else { "are" },
        )
    })
}

/// Columns named by letters, as many as most rows have.
fn letters(rows: &[Looked]) -> Header {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    let usual = widths
        .chunk_by(|a, b| a == b)
        .max_by_key(|group| group.len())
        .map_or(0, |group| group[0]);
    Header {
        names: (0..usual)
            .map(|index| Arc::from(column_letters(index)))
            .collect(),
        first_column: 0,
        row: 0,
    }
}

fn sample(origin: &Origin, detected: &Detected) -> Result<Sample, SourceError> {
    let mut bytes = vec![0; SAMPLE as usize];
    let mut input = Decoded::new(origin, detected);
    let mut filled = 0;
    // Room for a character must be left for the decoder.
    while bytes.len() - filled > 16 {
        match input.read(&mut bytes[filled..]) {
            Ok(0) => {
                bytes.truncate(filled);
                return Ok(Sample { bytes, whole: true });
            }
            Ok(read) => filled += read,
            Err(cause) => return Err(origin.read_error(cause)),
        }
    }
    bytes.truncate(filled);
    Ok(Sample {
        bytes,
        whole: false,
    })
}

/// The first row whose number suits.
fn first_row(
    origin: &Origin,
    detected: &Detected,
    dialect: Dialect,
    suits: impl Fn(u64) -> bool,
) -> Result<Option<Looked>, SourceError> {
    let failed = |cause| origin.read_error(cause);
    let mut records = Records::new(
        Decoded::new(origin, detected),
        dialect.delimiter,
        dialect.quote,
        WINDOW,
    );
    if dialect.hint {
        records.skip_hint().map_err(failed)?;
    }
    while let Some(record) = records.next().map_err(failed)? {
        if suits(record.number) {
            if record.broken == Some(Broken::TooLong) {
                return Err(SourceError::LongHeader {
                    name: origin.name.clone(),
                    line: record.line,
                });
            }
            return Ok(Some(Looked {
                number: record.number,
                cells: header::read_cells(records.cells(&record), &dialect),
            }));
        }
    }
    Ok(None)
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
        let failed = |cause| self.origin.read_error(cause);
        let delimiter = self.dialect.delimiter;
        let mut records = Records::new(
            Decoded::new(&self.origin, &self.detected),
            delimiter,
            self.dialect.quote,
            WINDOW,
        );
        if self.dialect.hint {
            records.skip_hint().map_err(failed)?;
        }
        let rows_per_batch = rows_per_batch.max(1);
        let room = rows_per_batch.min(BATCH_TEXT / (self.width * 10) + 1);
        let mut writer = RowWriter {
            width: self.width,
            guarded: self.guarded,
            quote: self.dialect.quote,
            replaced: self.detected.charset != Charset::Utf8,
            guessed: match self.detected.charset {
                Charset::Other(encoding) if self.detected.guessed && encoding.is_single_byte() => {
                    Some(encoding)
                }
                _ => None,
            },
            batch: RowBatch::with_capacity(room, self.width),
            cells: 0,
            nuls: false,
            found: 0,
            empties: 0,
            last_filled: 0,
        };
        let mut sequence = 0;
        let mut waiting: Option<RowBatch> = None;
        while let Some(record) = records.next().map_err(failed)? {
            if record.number <= self.header_row {
                continue;
            }
            if writer.batch.len() >= rows_per_batch
                || writer.batch.text_len() >= BATCH_TEXT
                || writer.cells >= BATCH_CELLS
            {
                let next = RowBatch::with_capacity(room, self.width);
                let mut batch = std::mem::replace(&mut writer.batch, next);
                writer.cells = 0;
                batch.sequence = sequence;
                sequence += 1;
                // A full batch waits for the next one, so that the end of the table is known.
                if let Some(full) = waiting.replace(batch)
                    && sink(full).is_break()
                {
                    return Ok(());
                }
            }
            self.push(&mut writer, &record, records.cells(&record));
        }
        footer::mark(waiting.as_mut(), &mut writer.batch, self.width);
        writer.batch.sequence = sequence;
        let last = Some(writer.batch).filter(|batch| !batch.is_empty());
        for batch in [waiting, last].into_iter().flatten() {
            if sink(batch).is_break() {
                break;
            }
        }
        Ok(())
    }

    fn push(&self, writer: &mut RowWriter, record: &Record, cells: CellBytes<'_>) {
        let mut repeated = false;
        match cells {
            CellBytes::Read(cells) => {
                let all = cells.as_slice();
                // A row of delimiters is blank to a spreadsheet program. It ends at once for most.
                if all.iter().all(|byte| is_nothing(*byte)) {
                    return;
                }
                writer.begin();
                repeated = header::is_repeated(&self.names, |index| cells.get(index));
                // Checked once for the record rather than for each of its cells.
                let text = std::str::from_utf8(all).ok();
                writer.nuls = memchr::memchr(0, all).is_some();
                let places = (0..cells.len()).filter_map(|index| cells.range(index));
                for place in places {
                    match text.and_then(|text| text.get(place.clone())) {
                        Some(cell) => writer.push(cell),
                        None => writer.push_bytes(&all[place]),
                    }
                }
            }
            CellBytes::Broken(bytes) => {
                writer.begin();
                bytes
                    .split(|byte| *byte == self.dialect.delimiter)
                    .for_each(|cell| writer.push_bytes(cell));
            }
        }
        let fault = match record.broken {
            Some(broken) => Some(broken_fault(broken, record.line)),
            None => match self.misfit(writer, record) {
                None if repeated => Some(header::repeated_fault(self.header_row)),
                fault => fault,
            },
        };
        writer.batch.end_row(record.number, record.line, fault);
    }

    /// What is wrong with the number of the row's cells, or with where they stand.
    fn misfit(&self, writer: &RowWriter, record: &Record) -> Option<Fault> {
        let found = writer.found;
        let shifted = found > self.most
            || writer.surplus()
            || found < self.least
            || (self.spare && writer.last_filled > self.least)
            // Nearly all rows end in a delimiter with nothing behind it, as this one does, which
            // is shorter: it lacks a cell.
            || (found < self.usual && writer.last_filled < self.least);
        shifted.then(|| self.ragged_fault(found, record))
    }

    #[cold]
    fn ragged_fault(&self, found: usize, record: &Record) -> Fault {
        let expected = match self.usual {
            0 if found > self.most => self.most,
            0 => self.least,
            usual => usual,
        };
        let of = if self.header_row == 0 || (self.usual > 0 && self.usual != self.least) {
            "most rows have"
        } else {
            "the header has"
        };
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let shift = if found == expected {
            ", but its last one stands below no column name".to_owned()
        } else {
            format!(", {of} {expected}")
        };
        let mut message = format!(
            "The row has {found} cell{}{shift}. A cell that holds the delimiter or a line end must be in double quotes.",
            plural(found)
        );
        if record.inner_lines > 0 {
            message.push_str(&format!(
                " A cell in quotes makes this row span lines {} to {}: a closing quote may be missing.",
                record.line,
                record.line + record.inner_lines
            ));
        }
        Fault {
            code: "row.ragged",
            message,
            column: None,
        }
    }
}

/// Whether a byte shows nothing: white space, or what old programs fill a file's end with.
fn is_nothing(byte: u8) -> bool {
    byte.is_ascii_whitespace() || matches!(byte, 0 | 0x1A)
}

#[cold]
fn broken_fault(broken: Broken, line: u64) -> Fault {
    match broken {
        Broken::Quote { line } => Fault {
            code: "row.quote",
            message: format!(
                "The quote that opens a cell on line {line} is never closed properly. Close it, or double it if it belongs to the text (a backslash before it does not do)."
            ),
            column: None,
        },
        Broken::TooLong => Fault {
            code: "row.long",
            message: format!(
                "The row that begins on line {line} is longer than {} MiB and was not read. Check its quotes and line ends.",
                LONGEST_RECORD >> 20
            ),
            column: None,
        },
    }
}
