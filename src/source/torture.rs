//! Every file of the collections of odd files is read or answered with a sentence.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::{Input, Options, Source, open};
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

/// Rows, columns, faulty rows; or the sentence.
fn outcome(path: &Path) -> Result<(usize, usize, usize), String> {
    let say = |error: super::SourceError| error.to_string();
    let source = open(&Input::Path(path.to_owned()), &Options::default()).map_err(say)?;
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
    Ok((
        rows().count(),
        source.header.names.len(),
        rows().filter(|row| row.fault().is_some()).count(),
    ))
}

#[test]
fn every_odd_file_ends_in_rows_or_a_sentence() {
    let Some(data) = data() else { return };
    let mut seen = 0;
    for folder in ["csv-torture", "xlsx-torture", "customers"] {
        let mut paths: Vec<PathBuf> = std::fs::read_dir(data.join(folder))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        paths.sort();
        for path in paths {
            let found = outcome(&path);
            println!("{:60} {found:?}", path.file_name().unwrap().display());
            if let Err(sentence) = found {
                assert!(sentence.ends_with('.'), "{sentence}");
            }
            seen += 1;
        }
    }
    assert!(seen > 100, "only {seen} files");
}

/// What independent readers (and a look at the file) say these hold: rows, columns, faulty rows.
const KNOWN: [(&str, (usize, usize, usize)); 62] = [
    ("csv-torture/csvw-junior-roles.csv", (2, 8, 0)),
    ("csv-torture/csvw-test055.csv", (2, 5, 0)),
    ("csv-torture/derived-nw-cp1252-semicolon.csv", (91, 11, 0)),
    ("csv-torture/derived-nw-cr-only.csv", (91, 11, 0)),
    // The line with the total below the table is ragged.
    ("csv-torture/derived-nw-header-row5.csv", (92, 11, 1)),
    ("csv-torture/derived-nw-utf16le-tab.txt", (91, 11, 0)),
    (
        "csv-torture/derived-nw-utf8bom-trailing-delim.csv",
        (91, 12, 0),
    ),
    ("csv-torture/fl-accent.csv", (2, 17, 0)),
    ("csv-torture/fl-blank-headers.csv", (2, 3, 0)),
    ("csv-torture/fl-blank-rows.csv", (2, 3, 0)),
    ("csv-torture/fl-blank-rows-no-fields.csv", (2, 3, 0)),
    ("csv-torture/fl-bom.csv", (2, 2, 0)),
    ("csv-torture/fl-defective-rows.csv", (2, 3, 2)),
    ("csv-torture/fl-delimiter.csv", (2, 2, 0)),
    ("csv-torture/fl-doublequote.csv", (5, 17, 0)),
    ("csv-torture/fl-duplicate-column.csv", (1, 4, 0)),
    ("csv-torture/fl-latin1.csv", (2, 2, 0)),
    ("csv-torture/fl-matrix-with-comment.csv", (4, 4, 0)),
    // A comment between the rows is ragged.
    ("csv-torture/fl-skip-rows.csv", (3, 2, 1)),
    ("csv-torture/fl-structure-errors.csv", (3, 3, 1)),
    ("csv-torture/fl-table-with-accents.csv", (638, 8, 0)),
    ("csv-torture/nodecsv-365-utf8-bom-windows.csv", (1, 3, 0)),
    ("csv-torture/nodecsv-399.csv", (0, 1, 0)),
    // One row ends in a delimiter that the others do not have: a cell may have come in.
    ("csv-torture/nodecsv-411.csv", (3, 5, 1)),
    ("csv-torture/rustcsv-uspop-latin1.csv", (100, 5, 0)),
    ("csv-torture/sf-csvtext_BOM_UTF16LE.csv", (2, 3, 0)),
    ("csv-torture/sf-csvtext_BOM_UTF32LE.csv", (2, 3, 0)),
    ("csv-torture/spectrum-comma_in_quotes.csv", (1, 5, 0)),
    ("csv-torture/spectrum-empty_crlf.csv", (2, 3, 0)),
    ("csv-torture/spectrum-newlines.csv", (3, 3, 0)),
    ("csv-torture/spectrum-quotes_and_newlines.csv", (2, 2, 0)),
    ("csv-torture/tb-basic_csv_addressbook.csv", (2, 37, 0)),
    ("csv-torture/tb-csv_semicolon.csv", (2, 4, 0)),
    ("csv-torture/tb-utf16_addressbook.csv", (1, 38, 0)),
    ("customers/AdventureWorks_Customers.csv", (18148, 13, 0)),
    ("customers/customers-100.csv", (100, 12, 0)),
    ("customers/customers-10000.csv", (10000, 12, 0)),
    ("customers/hubspot_companies.csv", (200, 16, 0)),
    ("customers/organizations-1000.csv", (1000, 9, 0)),
    ("customers/us-500.csv", (500, 12, 0)),
    ("xlsx-torture/cal-biff5_write.xls", (3, 3, 0)),
    ("xlsx-torture/cal-date.xlsx", (2, 2, 0)),
    ("xlsx-torture/cal-date_1904.xlsx", (2, 2, 0)),
    ("xlsx-torture/cal-date_iso.xlsx", (5, 1, 0)),
    ("xlsx-torture/cal-errors.xlsx", (6, 1, 0)),
    ("xlsx-torture/cal-inventory-table.xlsx", (4, 3, 0)),
    ("xlsx-torture/cal-temperature.xlsx", (2, 2, 0)),
    (
        "xlsx-torture/fl-adjust-floating-point-error.xlsx",
        (5, 4, 0),
    ),
    ("xlsx-torture/fl-issue-870.xlsx", (9, 8, 0)),
    ("xlsx-torture/fl-sheets.xlsx", (1, 2, 0)),
    ("xlsx-torture/fl-table-infer-boolean.xlsx", (2, 3, 0)),
    ("xlsx-torture/poi-47804.xlsx", (1, 9, 0)),
    ("xlsx-torture/poi-54034.xlsx", (3, 3, 0)),
    ("xlsx-torture/poi-ExcelTables.xlsx", (3, 9, 0)),
    ("xlsx-torture/poi-InlineStrings.xlsx", (6, 4, 0)),
    ("xlsx-torture/poi-chinese-provinces.xls", (3, 2, 0)),
    ("xlsx-torture/poi-right-to-left.xlsx", (3, 1, 0)),
    ("xlsx-torture/poi-unicodeSheetName.xlsx", (8, 1, 0)),
    ("xlsx-torture/sjs-1904.xlsx", (4, 4, 0)),
    ("xlsx-torture/sjs-Attendance.csv", (24, 9, 0)),
    ("xlsx-torture/sjs-Attendance.xlsx", (24, 9, 0)),
    ("xlsx-torture/sjs-ErrorTypes.xlsx", (13, 10, 0)),
];

#[test]
fn known_files_have_the_known_rows_and_columns() {
    let Some(data) = data() else { return };
    for (file, expected) in KNOWN {
        assert_eq!(outcome(&data.join(file)), Ok(expected), "{file}");
    }
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

#[test]
fn unreadable_files_get_the_right_sentence() {
    let Some(data) = data() else { return };
    for (file, words) in [
        ("csv-torture/fl-empty.csv", "is empty"),
        ("xlsx-torture/cal-empty_sheet.xlsx", "is empty"),
        ("xlsx-torture/cal-pass_protected.ods", "password"),
        ("xlsx-torture/cal-pass_protected.xlsx", "password"),
        ("xlsx-torture/poi-password.xls", "password"),
        ("xlsx-torture/poi-protected_passtika.xlsx", "password"),
        ("xlsx-torture/sjs-password_2002_40_xor.xls", "password"),
        ("xlsx-torture/poi-poc-xmlbomb.xlsx", "damaged"),
    ] {
        let sentence = outcome(&data.join(file)).unwrap_err();
        assert!(sentence.contains(words), "{file}: {sentence}");
    }
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
