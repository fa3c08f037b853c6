//! A stream of CSV records with their row numbers and lines, in bounded memory.
//!
//! [`super::frame`] finds where a record ends; a `csv` reader is handed whole records only, and
//! reads their cells.

use std::io::{self, Read};
use std::ops::Range;

use csv::ByteRecord;
use memchr::memchr2;

use super::frame::{Span, line_ends, span};

/// The longest record that is read, in bytes: 1 MiB, far more than a customer takes, so that a
/// file without line ends or with an open quote cannot fill the memory.
pub(super) const LONGEST_RECORD: usize = 1 << 20;

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    /// A quote opened on this line is not closed; the record is the physical lines up to there.
    Quote { line: u64 },
    /// Longer than [`LONGEST_RECORD`]; its text is not kept.
    TooLong,
}

/// One record, whose bytes are in the window of its [`Records`].
#[derive(Debug, Clone)]
pub(super) struct Record {
    /// The row as a spreadsheet program counts it.
    pub(super) number: u64,
    /// The physical line where it begins.
    pub(super) line: u64,
    /// How many line ends it holds within quotes.
    pub(super) inner_lines: u64,
    pub(super) broken: Option<Broken>,
    bytes: Range<usize>,
}

/// The cells of one record as bytes.
pub(super) enum CellBytes<'a> {
    /// As they were read.
    Read(&'a ByteRecord),
    /// The text of a broken record, which is cut at each delimiter.
    Broken(&'a [u8]),
}

impl CellBytes<'_> {
    /// The cells as text, bad bytes shown as U+FFFD.
    pub(super) fn to_strings(&self, delimiter: u8) -> Vec<String> {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Self::Read(record) => record.iter().map(text).collect(),
            Self::Broken(bytes) => bytes.split(|byte| *byte == delimiter).map(text).collect(),
        }
    }
}

/// The records that the `csv` reader has not taken yet: at most one.
struct Feed {
    bytes: Vec<u8>,
    taken: usize,
}

impl Feed {
    fn push(&mut self, record: &[u8]) {
        if self.taken > 0 {
            self.bytes.clear();
            self.taken = 0;
        }
        self.bytes.extend_from_slice(record);
        self.bytes.push(b'\n');
    }
}

impl Read for Feed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = &self.bytes[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        Ok(count)
    }
}

/// Reads the cells of one whole record after the other.
struct CellReader {
    reader: csv::Reader<Feed>,
    record: ByteRecord,
    /// Bytes given to the reader so far.
    given: u64,
}

impl CellReader {
    fn new(delimiter: u8, quote: u8) -> Self {
        // The line end before the first record keeps a U+FEFF that begins it: where it marks the
        // file's encoding it was taken off before.
        let feed = Feed {
            bytes: vec![b'\n'],
            taken: 0,
        };
        Self {
            reader: csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .delimiter(delimiter)
                .quote(quote)
                .from_reader(feed),
            record: ByteRecord::new(),
            given: 1,
        }
    }

    /// `whole` is one record, without its line end.
    fn read(&mut self, whole: &[u8]) -> io::Result<()> {
        self.reader.get_mut().push(whole);
        self.given += whole.len() as u64 + 1;
        let read = self.reader.read_byte_record(&mut self.record)?;
        if read && self.reader.position().byte() == self.given {
            return Ok(());
        }
        // Reading on would give the rows after it the cells of others.
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a record does not end where it should; this is a bug in the reading of CSV files",
        ))
    }
}

pub(super) struct Records<R> {
    input: R,
    delimiter: u8,
    quote: u8,
    window: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// The line feed that comes next belongs to the line end already counted.
    skip_feed: bool,
    /// The rest of this line belongs to a record that was too long.
    discard: bool,
    number: u64,
    line: u64,
    cells: CellReader,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R, delimiter: u8, quote: u8, window: usize) -> Self {
        Self {
            input,
            delimiter,
            quote,
            window: vec![0; window.max(16)],
            start: 0,
            end: 0,
            ended: false,
            skip_feed: false,
            discard: false,
            number: 0,
            line: 1,
            cells: CellReader::new(delimiter, quote),
        }
    }

    /// Passes over the first line, which is not counted as a row.
    pub(super) fn skip_hint(&mut self) -> io::Result<()> {
        if self.next()?.is_some() {
            self.number = 0;
        }
        Ok(())
    }

    /// Whether all input has been taken in.
    pub(super) fn at_end(&self) -> bool {
        self.ended && self.start == self.end
    }

    pub(super) fn cells(&self, record: &Record) -> CellBytes<'_> {
        if record.broken.is_some() {
            CellBytes::Broken(&self.window[record.bytes.clone()])
        } else {
            CellBytes::Read(&self.cells.record)
        }
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Record>> {
        loop {
            if self.start == self.end && !self.fill()? {
                return Ok(None);
            }
            let first = self.window[self.start];
            if self.skip_feed {
                self.skip_feed = false;
                if first == b'\n' {
                    self.start += 1;
                    continue;
                }
            }
            if self.discard {
                match memchr2(b'\n', b'\r', &self.window[self.start..self.end]) {
                    Some(at) => {
                        self.start += at;
                        self.end_line();
                        self.discard = false;
                    }
                    None => self.start = self.end,
                }
                continue;
            }
            if first == b'\n' || first == b'\r' {
                self.number += 1;
                self.end_line();
                continue;
            }
            let bytes = &self.window[self.start..self.end];
            match span(bytes, self.ended, self.delimiter, self.quote) {
                Span::Record { len, quoted } => {
                    self.cells.read(&bytes[..len])?;
                    return Ok(Some(self.take(len, quoted, None)));
                }
                Span::BadQuote { opened } => return Ok(Some(self.take_broken(opened))),
                Span::More { open } => {
                    if bytes.len() > LONGEST_RECORD {
                        return Ok(Some(match open {
                            Some(opened) => self.take_broken(opened),
                            None => self.give_up(),
                        }));
                    }
                    self.fill()?;
                }
            }
        }
    }

    fn take(&mut self, len: usize, quoted: bool, broken: Option<Broken>) -> Record {
        let bytes = self.start..self.start + len;
        let inner_lines = match (quoted, broken) {
            (false, None) => 0,
            _ => line_ends(&self.window[bytes.clone()]),
        };
        self.number += 1;
        let record = Record {
            number: self.number,
            line: self.line,
            inner_lines,
            broken,
            bytes,
        };
        self.line += inner_lines;
        self.start += len;
        if self.start < self.end {
            self.end_line();
        }
        record
    }

    /// The record is what stands before the line end that follows the bad quote, so that the
    /// lines after it are read as rows again.
    fn take_broken(&mut self, opened: usize) -> Record {
        let bytes = &self.window[self.start..self.end];
        let line = self.line + line_ends(&bytes[..opened]);
        match memchr2(b'\n', b'\r', &bytes[opened..]) {
            Some(at) => self.take(opened + at, false, Some(Broken::Quote { line })),
            None if self.ended => self.take(bytes.len(), false, Some(Broken::Quote { line })),
            None => self.give_up(),
        }
    }

    fn give_up(&mut self) -> Record {
        self.number += 1;
        let record = Record {
            number: self.number,
            line: self.line,
            inner_lines: 0,
            broken: Some(Broken::TooLong),
            bytes: self.start..self.start,
        };
        self.line += line_ends(&self.window[self.start..self.end]);
        self.start = self.end;
        self.discard = true;
        record
    }

    /// Passes over the line end at the start.
    fn end_line(&mut self) {
        self.skip_feed = self.window[self.start] == b'\r';
        self.start += 1;
        self.line += 1;
    }

    /// Reads on; says whether anything came. What is not yet taken is kept.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        if self.start > 0 {
            self.window.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.window.len() - self.end < self.window.len() / 2 {
            self.window.resize(self.window.len() * 2, 0);
        }
        loop {
            match self.input.read(&mut self.window[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(true);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Number, line and cells of each record, through a window of the smallest size.
    fn read(text: &str) -> Vec<(u64, u64, Option<Broken>, String)> {
        let mut records = Records::new(text.as_bytes(), b',', b'"', 16);
        let mut found = Vec::new();
        while let Some(record) = records.next().unwrap() {
            let cells = records.cells(&record).to_strings(b',');
            found.push((record.number, record.line, record.broken, cells.join("|")));
        }
        found
    }

    #[test]
    fn rows_and_lines_are_counted_as_people_do() {
        let ok = |number, line, cells: &str| (number, line, None, cells.to_owned());
        for (text, expected) in [
            (
                "a,b\n1,2\n3,4",
                vec![ok(1, 1, "a|b"), ok(2, 2, "1|2"), ok(3, 3, "3|4")],
            ),
            (
                "a,b\r\n1,2\r\n3,4\r\n",
                vec![ok(1, 1, "a|b"), ok(2, 2, "1|2"), ok(3, 3, "3|4")],
            ),
            (
                "a,b\r1,2\r3,4\r",
                vec![ok(1, 1, "a|b"), ok(2, 2, "1|2"), ok(3, 3, "3|4")],
            ),
            ("\n\na\n\r\n\n1\n", vec![ok(3, 3, "a"), ok(6, 6, "1")]),
            ("a\r\n\r\n1\r\n", vec![ok(1, 1, "a"), ok(3, 3, "1")]),
            (
                "a\n\"x\ny\"\n1\n",
                vec![ok(1, 1, "a"), ok(2, 2, "x\ny"), ok(3, 4, "1")],
            ),
            (
                "a\r\n\"x\r\ny\rz\"\r\n1\n",
                vec![ok(1, 1, "a"), ok(2, 2, "x\r\ny\rz"), ok(3, 5, "1")],
            ),
            (
                "a\rb\r\nc\nd",
                vec![ok(1, 1, "a"), ok(2, 2, "b"), ok(3, 3, "c"), ok(4, 4, "d")],
            ),
            ("", vec![]),
            ("\n\n", vec![]),
        ] {
            assert_eq!(read(text), expected, "{text:?}");
        }
    }

    #[test]
    fn an_open_quote_costs_one_row_only() {
        let found = read("a,b\n1,\"x\n2,y\n3,\"z\"\n4,w\n");
        assert_eq!(
            found,
            vec![
                (1, 1, None, "a|b".to_owned()),
                (2, 2, Some(Broken::Quote { line: 2 }), "1|\"x".to_owned()),
                (3, 3, None, "2|y".to_owned()),
                (4, 4, None, "3|z".to_owned()),
                (5, 5, None, "4|w".to_owned()),
            ]
        );
        // At the end of the file.
        assert_eq!(
            read("a\n\"x\nb\n")[1..],
            [
                (2, 2, Some(Broken::Quote { line: 2 }), "\"x".to_owned()),
                (3, 3, None, "b".to_owned()),
            ]
        );
    }

    #[test]
    fn the_quotes_own_line_is_named_where_the_record_begins_before() {
        let found = read("\"two\nlines\",\"open\nnext,row\n");
        assert_eq!(found[0].0..=found[0].1, 1..=1);
        assert_eq!(found[0].2, Some(Broken::Quote { line: 2 }));
        assert_eq!(found[1], (2, 3, None, "next|row".to_owned()));
    }

    #[test]
    fn a_record_without_end_is_given_up_and_the_next_is_read() {
        let mut text = "a,b\n".to_owned();
        text.push_str(&"x".repeat(3 * LONGEST_RECORD));
        text.push_str("\r\n1,2\n");
        let found = read(&text);
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].2, Some(Broken::TooLong));
        assert_eq!(found[2], (3, 3, None, "1|2".to_owned()));
        // An open quote in a file that goes on for long.
        let mut text = "a,b\n1,\"x\n".to_owned();
        text.push_str(&"3,4\n".repeat(LONGEST_RECORD));
        let mut records = Records::new(text.as_bytes(), b',', b'"', 16);
        let mut count = 0;
        while let Some(record) = records.next().unwrap() {
            count += 1;
            assert_eq!(record.line, count);
            assert_eq!(record.broken.is_some(), count == 2);
        }
        assert_eq!(count as usize, LONGEST_RECORD + 2);
        assert!(records.window.len() <= 8 * LONGEST_RECORD);
    }

    proptest::proptest! {
        /// Up to the first broken record, what comes is what the `csv` crate makes of the whole.
        #[test]
        fn agrees_with_the_csv_crate(text in "([a-c ,\"\n\r;\u{feff}]|\"a\"|\"\"){0,40}") {
            // Where it begins the file the crate takes it off, as we do before this.
            let text = text.trim_start_matches('\u{feff}');
            let mut expected = Vec::new();
            let mut reader = csv::ReaderBuilder::new()
                .has_headers(false)
                .flexible(true)
                .from_reader(text.as_bytes());
            for record in reader.records() {
                expected.push(record.unwrap().iter().collect::<Vec<_>>().join("|"));
            }
            let found = read(text);
            let broken = found.iter().position(|record| record.2.is_some());
            let whole = broken.unwrap_or(found.len());
            if broken.is_none() {
                proptest::prop_assert_eq!(expected.len(), whole);
            }
            for (expected, (.., found)) in expected.iter().zip(&found[..whole]) {
                proptest::prop_assert_eq!(expected, found);
            }
        }

        /// Whatever the window, the same records come.
        #[test]
        fn the_window_does_not_matter(text in "([ab,\"\n\r]){0,60}") {
            let small = read(&text);
            let mut records = Records::new(text.as_bytes(), b',', b'"', 4096);
            let mut large = Vec::new();
            while let Some(record) = records.next().unwrap() {
                large.push((record.number, record.line, record.broken));
            }
            let small: Vec<_> = small.into_iter().map(|(a, b, c, _)| (a, b, c)).collect();
            proptest::prop_assert_eq!(small, large);
        }
    }
}
