//! What the targets share: a file's bytes as an input, and what must hold for whatever is read.

use std::io::Write;
use std::ops::ControlFlow;

use rowferry::issue::Mistake;
use rowferry::row::RowBatch;
use rowferry::source::{Facts, Input, Options, Source, open};

/// One row, owned: number, line, cells, the fault's code.
pub type Row = (u64, Option<u64>, Vec<String>, Option<&'static str>);

/// The bytes as a file that goes away with it.
pub struct File(tempfile::NamedTempFile);

impl File {
    /// Writes the bytes, in memory where the system has a folder for it.
    pub fn new(bytes: &[u8]) -> Self {
        let folder = std::path::Path::new("/dev/shm");
        let mut builder = tempfile::Builder::new();
        builder.prefix("fuzz-").suffix(".csv");
        let mut file = if folder.is_dir() {
            builder.tempfile_in(folder)
        } else {
            builder.tempfile()
        }
        .expect("a temporary file");
        file.write_all(bytes).expect("room for the file");
        Self(file)
    }

    /// The file as a command names it.
    pub fn input(&self) -> Input {
        Input::Path(self.0.path().to_owned())
    }
}

/// All rows in batches of so many.
pub fn rows(source: &Source, rows_per_batch: usize) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    let mut sequence = 0;
    source
        .read(rows_per_batch, &mut |batch: RowBatch| {
            assert_eq!(batch.sequence, sequence);
            assert!(!batch.is_empty() && batch.len() <= rows_per_batch);
            sequence += 1;
            rows.extend(batch.rows().map(|row| {
                (
                    row.number(),
                    row.line(),
                    row.cells().map(|cell| cell.text.to_owned()).collect(),
                    row.fault().map(|fault| fault.code),
                )
            }));
            ControlFlow::Continue(())
        })
        .map_err(|error| error.to_string())?;
    Ok(rows)
}

/// Reads the bytes as an input and checks what must hold for all of them.
pub fn read(bytes: &[u8], options: &Options) -> Option<(Source, Vec<Row>)> {
    let file = File::new(bytes);
    let source = match open(&file.input(), options) {
        Ok(source) => source,
        Err(error) => {
            sentence(&error.to_string());
            return None;
        }
    };
    let few = rows(&source, 3);
    let many = rows(&source, 1000);
    assert_eq!(few, many, "the same file, read in other batches");
    let all = match many {
        Ok(rows) => rows,
        Err(error) => {
            sentence(&error);
            return None;
        }
    };
    let width = source.header.names.len();
    let (mut number, mut line) = (source.header.row, 0);
    for row in &all {
        assert!(row.0 > number, "rows go on");
        number = row.0;
        if let Some(at) = row.1 {
            assert!(at > line, "lines go on");
            line = at;
        }
        assert!(row.3.is_some() || row.2.len() <= width, "a row too wide is at fault");
    }
    source.notes.iter().for_each(|note| sentence(note));
    Some((source, all))
}

/// Where no row is at fault, a plain reader of the same dialect must give the same cells.
pub fn agrees_with_the_csv_crate(bytes: &[u8], source: &Source, rows: &[Row]) {
    let Facts::Csv(facts) = &source.facts else {
        return;
    };
    let faultless = rows.iter().all(|row| row.3.is_none());
    if !faultless || facts.encoding != "UTF-8" || source.returned.is_some() {
        return;
    }
    let text = &bytes[if facts.bom { 3 } else { 0 }..];
    // What is read otherwise on purpose: a mark after the mark; a NUL within a text, which is shown
    // as U+FFFD; the character that ends old files; a quote behind a space; a header that does not
    // close its quote.
    let spaced = |pair: &[u8]| pair[0] == b' ' && pair[1] == facts.quote;
    if text.starts_with(b"\xEF\xBB\xBF")
        || text.contains(&0)
        || text.contains(&0x1A)
        || text.windows(2).any(spaced)
        || source.header.names.iter().any(|name| name.starts_with('"'))
    {
        return;
    }
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(facts.delimiter)
        .from_reader(text);
    let plain: Vec<Vec<String>> = reader
        .byte_records()
        .map(|record| record.expect("bytes in memory"))
        .filter(|record| record.iter().any(|cell| !cell.iter().all(u8::is_ascii_whitespace)))
        .map(|record| {
            let text = |cell: &[u8]| String::from_utf8_lossy(cell).into_owned();
            record.iter().map(text).collect::<Vec<String>>()
        })
        // Rows above the header may have any width.
        .rev_take(rows.len());
    let plain: Vec<Vec<String>> = plain
        .into_iter()
        .map(|mut cells| {
            while cells.len() > source.header.names.len() {
                assert_eq!(cells.pop().as_deref(), Some(""), "a cell was lost");
            }
            cells
        })
        .collect();
    let ours: Vec<&Vec<String>> = rows.iter().map(|row| &row.2).collect();
    assert_eq!(ours, plain.iter().collect::<Vec<_>>());
}

trait RevTake: Iterator + Sized {
    fn rev_take(self, count: usize) -> Vec<Self::Item>;
}

impl<I: Iterator> RevTake for I {
    fn rev_take(self, count: usize) -> Vec<I::Item> {
        let mut all: Vec<I::Item> = self.collect();
        let first = all.len().checked_sub(count).expect("as many rows as a plain reader has");
        all.split_off(first)
    }
}

/// What people are told is a sentence, in one piece.
pub fn sentence(text: &str) {
    assert!(text.ends_with('.'), "no sentence: {text}");
}

/// Mistakes must stand within the text that they are about, between characters.
pub fn mistakes(mistakes: &[Mistake]) {
    for mistake in mistakes {
        assert!(!mistake.message.is_empty());
        if let Some((file, span)) = &mistake.place {
            assert!(
                file.text.get(span.clone()).is_some(),
                "{}: {span:?} of {} bytes",
                mistake.code,
                file.text.len()
            );
            assert!(mistake.line_column().is_some());
        }
    }
}
