//! What each file of the collections of odd files is, and that a second reader sees the same cells.
//!
//! The files are not part of this crate; where their folder is absent, the tests say so and pass.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{Facts, Input, Options, Source, open};
use crate::row::RowBatch;

/// The folder of test data beside the checkout, if it is there.
fn data() -> Option<PathBuf> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    if folder.is_dir() {
        Some(folder.to_owned())
    } else {
        println!("skipped: there is no folder {}", folder.display());
        None
    }
}

fn batches(source: &Source, rows: usize) -> Result<Vec<RowBatch>, super::SourceError> {
    let mut batches = Vec::new();
    source.read(rows, &mut |batch| {
        batches.push(batch);
        ControlFlow::Continue(())
    })?;
    Ok(batches)
}

/// One line a file: rows, columns, rows at fault, the header's row, how many notes, and for text its
/// delimiter and encoding; or the sentence, in which `it` stands for the file's name.
const TABLE: &str = include_str!("torture.txt");

/// What the table says of a file.
fn outcome(path: &Path) -> Result<String, String> {
    let say = |error: super::SourceError| {
        let sentence = error.to_string();
        assert!(sentence.ends_with('.'), "{sentence}");
        sentence.replace(&path.display().to_string(), "it")
    };
    let source = open(&Input::Path(path.to_owned()), &Options::default()).map_err(say)?;
    for note in &source.notes {
        assert!(note.ends_with('.'), "{}: {note}", path.display());
    }
    let batches = batches(&source, 7).map_err(say)?;
    let rows = || batches.iter().flat_map(RowBatch::rows);
    let mut number = source.header.row;
    for row in rows() {
        assert!(row.number() > number, "{}: rows go back", path.display());
        number = row.number();
    }
    for (sequence, batch) in batches.iter().enumerate() {
        assert_eq!(batch.sequence, sequence as u64);
        assert!(batch.len() <= 7 && !batch.is_empty());
    }
    // A second reading gives the same.
    let again = self::batches(&source, 1000).map_err(say)?;
    let texts = |batches: &[RowBatch]| -> Vec<(u64, Vec<String>)> {
        batches
            .iter()
            .flat_map(RowBatch::rows)
            .map(|row| {
                let cells = row.cells().map(|cell| cell.text.to_owned());
                (row.number(), cells.collect())
            })
            .collect()
    };
    assert_eq!(texts(&batches), texts(&again), "{}", path.display());
    let how = match &source.facts {
        Facts::Csv(facts) => {
            let delimiter = char::from(facts.delimiter).escape_debug().to_string();
            format!(", {delimiter} {}", facts.encoding)
        }
        Facts::Workbook(_) => String::new(),
    };
    Ok(format!(
        "{} x {}, {} at fault, header in row {}, {} notes{how}",
        rows().count(),
        source.header.names.len(),
        rows().filter(|row| row.fault().is_some()).count(),
        source.header.row,
        source.notes.len(),
    ))
}

#[test]
fn every_odd_file_is_what_the_table_says() {
    let Some(data) = data() else { return };
    let mut found = String::new();
    for folder in ["csv-torture", "customers", "xlsx-torture"] {
        let mut names: Vec<String> = std::fs::read_dir(data.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        for name in names {
            let line = outcome(&data.join(folder).join(&name)).unwrap_or_else(|sentence| sentence);
            found.push_str(&format!("{folder}/{name}: {line}\n"));
        }
    }
    let lines = |text: &str| -> Vec<String> { text.lines().map(str::to_owned).collect() };
    let (found_lines, expected) = (lines(&found), lines(TABLE));
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        let missing = these.iter().filter(|line| !those.contains(line));
        missing.cloned().collect()
    };
    assert!(
        found == TABLE,
        "found: {:#?}\nexpected: {:#?}\nall that was found:\n{found}",
        only(&found_lines, &expected),
        only(&expected, &found_lines),
    );
}

/// What Python's csv module reads, as `scripts/csv_expectations.py` wrote it.
const SECOND: &str = include_str!("torture.tsv");

/// FNV-1a over the cells, as the script says.
fn digest(source: &Source) -> u64 {
    let mut value = 0xCBF2_9CE4_8422_2325_u64;
    let mut add = |bytes: &[u8]| {
        for byte in bytes {
            value = (value ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
    };
    for batch in batches(source, 100).unwrap() {
        for row in batch.rows() {
            let cells: Vec<&str> = row.cells().map(|cell| cell.text).collect();
            let filled = cells.iter().rposition(|cell| !cell.is_empty());
            for cell in &cells[..filled.map_or(0, |last| last + 1)] {
                add(cell.as_bytes());
                add(&[0x1F]);
            }
            add(&[0x1E]);
        }
    }
    value
}

#[test]
fn values_are_those_of_a_second_reader() {
    let Some(data) = data() else { return };
    let mut wrong = Vec::new();
    for line in SECOND.lines().filter(|line| !line.starts_with('#')) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [file, rows, columns, expected] = cells[..] else {
            panic!("a line of four cells: {line}");
        };
        let source = open(&Input::Path(data.join(file)), &Options::default()).unwrap();
        let count: usize = batches(&source, 100)
            .unwrap()
            .iter()
            .map(RowBatch::len)
            .sum();
        let found = (
            count.to_string(),
            source.header.names.len().to_string(),
            format!("{:016x}", digest(&source)),
        );
        if (found.0.as_str(), found.1.as_str(), found.2.as_str()) != (rows, columns, expected) {
            wrong.push(format!("{line}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Text of every cell of the first rows.
fn texts(path: &Path, rows: usize) -> Vec<Vec<String>> {
    let source = open(&Input::Path(path.to_owned()), &Options::default()).unwrap();
    batches(&source, 100)
        .unwrap()
        .iter()
        .flat_map(RowBatch::rows)
        .take(rows)
        .map(|row| row.cells().map(|cell| cell.text.to_owned()).collect())
        .collect()
}

#[test]
fn the_same_table_in_several_encodings_is_the_same() {
    let Some(data) = data() else { return };
    let plain = texts(&data.join("customers/northwind-customers-a.csv"), 91);
    for file in [
        "derived-nw-cp1252-semicolon.csv",
        "derived-nw-cr-only.csv",
        "derived-nw-utf16le-tab.txt",
    ] {
        assert_eq!(
            texts(&data.join("csv-torture").join(file), 91),
            plain,
            "{file}"
        );
    }
    let below_titles = texts(&data.join("csv-torture/derived-nw-header-row5.csv"), 91);
    assert_eq!(below_titles, plain);
}
