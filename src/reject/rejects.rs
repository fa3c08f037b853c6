//! The reject file: the source's columns with the same text, then what is wrong.

use std::fmt::Write as _;
use std::io::{self, Read, Write};
use std::path::Path;

use encoding_rs::{EncoderResult, Encoding, UTF_8, UTF_16BE, UTF_16LE};

use super::file::{Draft, Ours, Written, fill, remove_own};
use super::text::escape;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Header, Row, RowPlace};

/// The columns behind the source's own.
pub const ADDED: [&str; 5] = ["_row", "_key", "_fate", "_codes", "_problems"];

/// What stands between the codes and between the problems of one row.
pub const SEPARATOR: &str = "; ";

/// How much of a cell's text a problem repeats, in characters.
const SHOWN: usize = 80;

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
        }
    }
}

/// Writes the rows that were refused, as they come, in constant memory.
#[derive(Debug)]
pub struct RejectWriter {
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
        let mut own = vec![false; columns];
        for &index in returned.unwrap_or_default() {
            if let Some(flag) = own.get_mut(index) {
                *flag = true;
            }
        }
        let mut writer = Self {
            csv: csv::WriterBuilder::new()
                .delimiter(dialect.delimiter)
                .quote(dialect.quote)
                .terminator(match dialect.terminator {
                    "\r\n" => csv::Terminator::CRLF,
                    "\r" => csv::Terminator::Any(b'\r'),
                    _ => csv::Terminator::Any(b'\n'),
                })
                .flexible(true)
                .from_writer(draft),
            dialect,
            columns,
            before: header.first_column,
            returned: own,
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
    pub fn write<'a>(
        &mut self,
        header: &Header,
        row: Row<'_>,
        settled: &Settled,
        place: impl Into<RowPlace<'a>>,
    ) -> io::Result<()> {
        self.margin()?;
        for index in 0..self.columns {
            if !self.returned[index] {
                self.cell(row.cell(index).text)?;
            }
        }
        self.added(header, settled, &place.into())?;
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
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Ends the file and gives it the wanted name, or the next free one (`-2`, `-3`, …) where a
    /// file has it that is not one of ours. Without a row there
    /// is no file, and one of that name that is still what we wrote is removed.
    ///
    /// # Errors
    /// The file cannot be written, synced or renamed.
    pub fn finish(self, wanted: &Path, ours: &dyn Ours) -> io::Result<Option<Written>> {
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

const BOM: &[u8] = "\u{feff}".as_bytes();

fn into_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// The codes of the errors, each once.
fn write_codes(out: &mut String, issues: &[Issue]) {
    for (place, issue) in errors(issues).enumerate() {
        if errors(issues)
            .take(place)
            .any(|earlier| earlier.code == issue.code)
        {
            continue;
        }
        separate(out);
        out.push_str(&issue.code);
    }
}

fn errors(issues: &[Issue]) -> impl Iterator<Item = &Issue> {
    issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push_str(SEPARATOR);
    }
}

/// Each problem with its cell, the cell's text and what would be right; errors first.
fn write_problems(out: &mut String, header: &Header, settled: &Settled, place: &RowPlace<'_>) {
    if settled.fate == Fate::Uncertain {
        out.push_str(
            "sent, but it is not known whether the target made it: look there before you send it \
             again, then write `send` or `created:ID` into _fate",
        );
    }
    for issue in errors(&settled.issues) {
        separate(out);
        write_problem(out, header, issue, place);
    }
    // What no issue says, such as that the row's mended twin is in, the note does.
    if !settled.note.is_empty() && !out.contains(settled.note.as_str()) {
        separate(out);
        out.push_str(&settled.note);
    }
    for issue in &settled.issues {
        if issue.severity == Severity::Warning {
            separate(out);
            out.push_str("warning: ");
            write_problem(out, header, issue, place);
        }
    }
}

fn write_problem(out: &mut String, header: &Header, issue: &Issue, place: &RowPlace<'_>) {
    let begin = out.len();
    match (issue.column, &issue.field) {
        (Some(column), _) => {
            out.push_str(&place.cell_name(header, column));
            out.push(' ');
        }
        (None, Some(field)) => {
            out.push_str(field);
            out.push(' ');
        }
        (None, None) => {}
    }
    if let Some(value) = issue.value.as_deref()
        && (value.is_empty() || !quotes(&issue.message, value))
    {
        out.push('"');
        push_shown(out, value);
        out.push('"');
    }
    if out[begin..].ends_with(' ') {
        out.pop();
    }
    if issue.column.is_some() || issue.field.is_some() || issue.value.is_some() {
        out.push_str(": ");
    }
    out.push_str(&issue.message);
}

/// Whether a message quotes this value, so that it need not be told twice.
fn quotes(message: &str, value: &str) -> bool {
    message.match_indices(value).any(|(at, found)| {
        message[..at].ends_with(['"', '`']) && message[at + found.len()..].starts_with(['"', '`'])
    })
}

/// A cell's text on one line, cut.
fn push_shown(out: &mut String, value: &str) {
    for (place, c) in value.chars().enumerate() {
        if place == SHOWN {
            // Three dots, which every encoding has.
            out.push_str("...");
            return;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
}

/// Writes the draft in the dialect's encoding; false where that cannot hold a character.
fn convert(draft: &mut Draft, dialect: Dialect, out: &mut Draft) -> io::Result<bool> {
    let mut source = draft.reread()?;
    let mut mark = [0u8; BOM.len()];
    source.read_exact(&mut mark)?;
    let mut encoder = Converter::new(dialect);
    let mut buffer = vec![0u8; 1 << 16];
    let mut kept = 0;
    loop {
        let read = fill(&mut source, &mut buffer[kept..])?;
        let filled = kept + read;
        let last = filled < buffer.len();
        let text = match std::str::from_utf8(&buffer[..filled]) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !last => {
                std::str::from_utf8(&buffer[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        let used = text.len();
        if !encoder.convert(text, last, out)? {
            return Ok(false);
        }
        if last {
            return Ok(true);
        }
        buffer.copy_within(used..filled, 0);
        kept = filled - used;
    }
}

enum Converter {
    Utf16 {
        little: bool,
        begun: bool,
    },
    Other {
        encoder: encoding_rs::Encoder,
        buffer: Vec<u8>,
    },
}

impl Converter {
    fn new(dialect: Dialect) -> Self {
        let encoding = dialect.encoding;
        if encoding == UTF_16LE || encoding == UTF_16BE {
            Self::Utf16 {
                little: encoding == UTF_16LE,
                begun: false,
            }
        } else {
            Self::Other {
                encoder: encoding.new_encoder(),
                buffer: vec![0; 1 << 16],
            }
        }
    }

    fn convert(&mut self, text: &str, last: bool, out: &mut Draft) -> io::Result<bool> {
        match self {
            Self::Utf16 { little, begun } => {
                let little = *little;
                let bytes = |unit: u16| {
                    if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                };
                // Without its mark nobody knows UTF-16 again.
                if !*begun {
                    *begun = true;
                    out.write_all(&bytes(0xfeff))?;
                }
                for unit in text.encode_utf16() {
                    out.write_all(&bytes(unit))?;
                }
                Ok(true)
            }
            Self::Other { encoder, buffer } => {
                let mut rest = text;
                loop {
                    let (result, read, written) =
                        encoder.encode_from_utf8_without_replacement(rest, buffer, last);
                    out.write_all(&buffer[..written])?;
                    rest = &rest[read..];
                    match result {
                        EncoderResult::InputEmpty => return Ok(true),
                        EncoderResult::OutputFull => {}
                        EncoderResult::Unmappable(_) => return Ok(false),
                    }
                }
            }
        }
    }
}
