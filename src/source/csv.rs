//! CSV files as batches of rows.

use std::io::Read;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::dialect::{self, Dialect, Sample};
use super::encoding::{Charset, Decoded, Detected, detect};
use super::header::{self, Looked};
use super::origin::Origin;
use super::records::{Broken, CellBytes, LONGEST_RECORD, Record, Records};
use super::{BATCH_CELLS, BATCH_TEXT, CsvFacts, Facts, MOST_COLUMNS, Opened, Options, SourceError};
use crate::row::{Fault, Header, Kind, RowBatch, column_letters};

/// How much decoded text is looked at to find delimiter and header, in bytes.
const SAMPLE: u64 = 64 * 1024;
/// How much is read at a time, in bytes.
const WINDOW: usize = 512 * 1024;
const QUOTE: u8 = b'"';

/// An opened CSV file.
#[derive(Debug)]
pub(super) struct Table {
    origin: Origin,
    detected: Detected,
    dialect: Dialect,
    /// Row of the header, 0 without one.
    header_row: u64,
    /// A row must have no more cells than the header, trailing empty ones aside.
    width: usize,
    /// A row must have no fewer cells than there are names, trailing empty names aside.
    least: usize,
    /// A reject file of ours: `'` before a formula is taken off.
    guarded: bool,
}

pub(super) fn open(origin: Origin, options: &Options) -> Result<Opened<Table>, SourceError> {
    let failed = |cause| origin.read_error(cause);
    let detected = detect(&origin, options.encoding)?;
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
    notes.extend(preamble_note(&origin.name, &rows, header.row, options));
    let facts = Facts::Csv(CsvFacts {
        delimiter: dialect.delimiter,
        encoding: detected.charset.name(),
        bom: detected.bom > 0,
        terminator: dialect::terminator(&sample.bytes),
        quote: QUOTE,
    });
    let least = match header.row {
        0 => header.names.len(),
        _ => header
            .names
            .iter()
            .rposition(|name| !name.is_empty())
            .map_or(0, |last| last + 1),
    };
    let table = Table {
        header_row: header.row,
        width: header.names.len(),
        least,
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
        QUOTE,
        WINDOW,
    );
    if dialect.hint {
        records.skip_hint().map_err(failed)?;
    }
    while let Some(record) = records.next().map_err(failed)? {
        if suits(record.number) {
            return Ok(Some(Looked {
                number: record.number,
                cells: records.cells(&record).to_strings(dialect.delimiter),
            }));
        }
    }
    Ok(None)
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
        let failed = |cause| self.origin.read_error(cause);
        let delimiter = self.dialect.delimiter;
        let mut records = Records::new(
            Decoded::new(&self.origin, &self.detected),
            delimiter,
            QUOTE,
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
            replaced: self.detected.charset != Charset::Utf8,
            batch: RowBatch::with_capacity(room, self.width),
            cells: 0,
            found: 0,
            empties: 0,
        };
        let mut sequence = 0;
        while let Some(record) = records.next().map_err(failed)? {
            if record.number <= self.header_row {
                continue;
            }
            self.push(&mut writer, &record, records.cells(&record));
            if writer.batch.len() >= rows_per_batch
                || writer.batch.text_len() >= BATCH_TEXT
                || writer.cells >= BATCH_CELLS
            {
                let next = RowBatch::with_capacity(room, self.width);
                let mut batch = std::mem::replace(&mut writer.batch, next);
                writer.cells = 0;
                batch.sequence = sequence;
                sequence += 1;
                if sink(batch).is_break() {
                    return Ok(());
                }
            }
        }
        if !writer.batch.is_empty() {
            writer.batch.sequence = sequence;
            // Nothing is left to stop.
            let _ = sink(writer.batch);
        }
        Ok(())
    }

    fn push(&self, writer: &mut RowWriter, record: &Record, cells: CellBytes<'_>) {
        match cells {
            CellBytes::Read(cells) => {
                let all = cells.as_slice();
                // A row of delimiters is blank to a spreadsheet program. It ends at once for most.
                if all.iter().all(u8::is_ascii_whitespace) {
                    return;
                }
                writer.begin();
                // Checked once for the record rather than for each of its cells.
                let text = std::str::from_utf8(all).ok();
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
            None if writer.surplus() || writer.found < self.least => {
                Some(self.ragged_fault(writer.found, record))
            }
            None => None,
        };
        writer.batch.end_row(record.number, record.line, fault);
    }

    #[cold]
    fn ragged_fault(&self, found: usize, record: &Record) -> Fault {
        let expected = if found > self.width {
            self.width
        } else {
            self.least
        };
        let of = if self.header_row == 0 {
            "most rows have"
        } else {
            "the header has"
        };
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let mut message = format!(
            "The row has {found} cell{}, {of} {expected}. A cell that holds the delimiter or a line end must be in double quotes.",
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

#[cold]
fn broken_fault(broken: Broken, line: u64) -> Fault {
    match broken {
        Broken::Quote { line } => Fault {
            code: "row.quote",
            message: format!(
                "The double quote that opens a cell on line {line} is never closed properly. Close it, or double it if it belongs to the text."
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

/// Writes cells into the batch; empty ones beyond the header's width only when others follow.
struct RowWriter {
    width: usize,
    guarded: bool,
    /// A decoder stood before: U+FFFD means bytes that it did not know.
    replaced: bool,
    batch: RowBatch,
    cells: usize,
    found: usize,
    empties: usize,
}

impl RowWriter {
    fn begin(&mut self) {
        self.found = 0;
        self.empties = 0;
    }

    /// Whether a cell beyond the header's width held something.
    fn surplus(&self) -> bool {
        self.found > self.width + self.empties
    }

    fn push(&mut self, text: &str) {
        let kind = if self.replaced && text.contains(char::REPLACEMENT_CHARACTER) {
            Kind::Undecodable
        } else {
            Kind::Text
        };
        self.push_kind(text, kind);
    }

    fn push_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push(text),
            Err(_) => self.push_kind(&String::from_utf8_lossy(bytes), Kind::Undecodable),
        }
    }

    fn push_kind(&mut self, text: &str, kind: Kind) {
        self.found += 1;
        if self.found > self.width {
            if text.is_empty() {
                self.empties += 1;
                return;
            }
            if self.found > MOST_COLUMNS {
                return;
            }
            for _ in 0..std::mem::take(&mut self.empties) {
                self.batch.push_cell("", Kind::Text);
                self.cells += 1;
            }
        }
        let text = if self.guarded {
            header::without_guard(text)
        } else {
            text
        };
        self.batch.push_cell(text, kind);
        self.cells += 1;
    }
}
