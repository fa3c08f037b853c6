//! Rejects as a workbook: what is written is read back as it was.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use jiff::civil::date;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Cell, Header, Kind, RowBatch, TOO_LONG};
use crate::source::{Facts, Input, Options, Source, open};

struct Nobody;

impl Ours for Nobody {
    fn is_ours(&self, _: &Path, _: [u8; 32]) -> bool {
        false
    }

    fn about_to_write(&self, _: &Path, _: [u8; 32]) {}
}

fn header(columns: usize) -> Header {
    Header {
        names: (0..columns).map(|at| format!("c{at}").into()).collect(),
        first_column: 0,
        row: 1,
    }
}

fn settled(row: u64, fate: Fate, issues: Vec<Issue>) -> Settled {
    Settled {
        row,
        sheet: None,
        line: None,
        key: "'=k".into(),
        fate,
        id: None,
        run: None,
        note: String::new(),
        issues,
    }
}

fn issue(column: usize, severity: Severity) -> Issue {
    Issue {
        code: "x.invalid".into(),
        severity,
        column: Some(column),
        field: None,
        value: Some("v".into()),
        message: "this is wrong".into(),
    }
}

/// Writes rows of cells with their formats as rejects, and opens what was written.
fn written(folder: &Path, rows: &[Vec<(&str, Kind)>], codes: &[&str], look: Look) -> Source {
    let mut batch = RowBatch::default();
    let formats: crate::row::Formats = codes.iter().map(|code| Arc::from(*code)).collect();
    batch.set_formats(&formats);
    for (row, cells) in rows.iter().enumerate() {
        for (column, (text, kind)) in cells.iter().enumerate() {
            let format = if column < codes.len() { column } else { 0 };
            batch.push_shown_cell(text, *kind, format as u16);
        }
        batch.end_row(row as u64 + 2, 0, None);
    }
    let header = header(rows.iter().map(Vec::len).max().unwrap_or(1));
    let mut writer = RejectWriter::create(folder, &header, Form::Workbook(look), None).unwrap();
    for row in batch.rows() {
        let issues = vec![issue(0, Severity::Error), issue(1, Severity::Warning)];
        let settled = settled(row.number(), Fate::Rejected, issues);
        writer.write(&header, row, &settled, row.number()).unwrap();
    }
    let path = folder.join("c.rejects.xlsx");
    writer.finish(&path, &Nobody).unwrap().unwrap();
    open(&Input::Path(path), &Options::default()).unwrap()
}

/// Text, kind and format of each cell of each row.
fn read(source: &Source) -> Vec<Vec<(String, Kind, String)>> {
    let mut rows = Vec::new();
    let mut sink = |batch: RowBatch| {
        for row in batch.rows() {
            let cell = |at: usize| {
                let Cell { text, kind } = row.cell(at);
                let format = row.format(at).unwrap_or_default();
                (text.to_owned(), kind, format.to_owned())
            };
            rows.push((0..row.len()).map(cell).collect());
        }
        ControlFlow::Continue(())
    };
    source.read(100, &mut sink).unwrap();
    rows
}

#[test]
fn cells_of_every_kind_come_back_as_they_were() {
    let folder = TempDir::new().unwrap();
    let day = date(2024, 2, 29);
    let moment = day.at(18, 30, 15, 250_000_000);
    let cells = vec![
        ("text", Kind::Text),
        ("007", Kind::Text),
        ("1.5", Kind::Number(1.5)),
        ("12.5%", Kind::Number(0.125)),
        ("TRUE", Kind::Boolean(true)),
        ("2024-02-29", Kind::Date(day)),
        ("2024-02-29T18:30:15.25", Kind::DateTime(moment)),
        ("06:00:00", Kind::Time),
        ("36:15:30", Kind::Time),
        ("#N/A", Kind::Error),
        ("'=1", Kind::Text),
        ("1900-02-28", Kind::Date(date(1900, 2, 28))),
        ("=1", Kind::Text),
    ];
    let codes = [
        "",
        "@",
        "",
        "0.0%",
        "",
        "dd.mm.yyyy",
        "",
        "h:mm",
        "",
        "",
        "",
        "",
        "",
    ];
    let source = written(
        folder.path(),
        std::slice::from_ref(&cells),
        &codes,
        Look::default(),
    );
    let rows = read(&source);
    assert_eq!(rows.len(), 1);
    for (place, ((text, kind), (read_text, read_kind, format))) in
        cells.iter().zip(&rows[0]).enumerate()
    {
        assert_eq!(
            (*text, *kind),
            (read_text.as_str(), *read_kind),
            "cell {place}"
        );
        if !codes[place].is_empty() {
            assert_eq!(codes[place], format, "cell {place}");
        }
    }
    let added: Vec<&str> = rows[0][13..].iter().map(|cell| cell.0.as_str()).collect();
    assert_eq!(added[..4], ["2", "'=k", "rejected", "x.invalid"]);
    assert!(source.returned.is_some());
    assert_eq!(source.notes, Vec::<String>::new());
}

#[test]
fn what_no_cell_can_hold_is_refused_when_it_comes_back() {
    let folder = TempDir::new().unwrap();
    let long = "x".repeat(32_768);
    let fits = "y".repeat(32_767);
    let row = vec![(long.as_str(), Kind::Text), (fits.as_str(), Kind::Text)];
    let rows = read(&written(folder.path(), &[row], &[], Look::default()));
    assert!(rows[0][0].0.starts_with(TOO_LONG));
    assert_eq!(rows[0][0].1, Kind::Error);
    assert_eq!((rows[0][1].0.as_str(), rows[0][1].1), (&*fits, Kind::Text));
}

#[test]
fn sheets_have_names_that_programs_take() {
    for (wanted, name) in [
        ("Clients", "Clients"),
        ("", "Rejects"),
        ("a/b[c]:*?\\", "a b c"),
        ("'quoted'", "quoted"),
        ("History", "Rejects"),
        ("Causes", "Causes"),
        (
            "A name of more than thirty-one letters",
            "A name of more than thirty-one",
        ),
    ] {
        let folder = TempDir::new().unwrap();
        let look = Look {
            sheet: wanted.to_owned(),
            widths: vec![20 * 256],
        };
        let source = written(folder.path(), &[vec![("1", Kind::Text)]], &[], look);
        let Facts::Workbook(facts) = &source.facts else {
            panic!("{wanted}");
        };
        assert_eq!(facts.sheet, name);
        assert_eq!(facts.widths[0] / 256, 20, "the width stays");
    }
}

#[test]
fn without_a_row_there_is_no_file() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("c.rejects.xlsx");
    let form = Form::Workbook(Look::default());
    let writer = RejectWriter::create(folder.path(), &header(1), form, None).unwrap();
    assert_eq!(writer.finish(&path, &Nobody).unwrap(), None);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn notes_are_only_so_many_and_that_is_said() {
    let folder = TempDir::new().unwrap();
    let rows = vec![vec![("1", Kind::Text), ("2", Kind::Text)]; 1_500];
    written(folder.path(), &rows, &[], Look::default());
    let path = folder.path().join("c.rejects.xlsx");
    let part = |name: &str| {
        let file = std::fs::File::open(&path).unwrap();
        let mut archive = zip::ZipArchive::new(file).unwrap();
        std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
    };
    assert_eq!(part("xl/comments1.xml").matches("<comment ").count(), 2_000);
    assert!(part("xl/sharedStrings.xml").contains("Only the first 2000 wrong cells"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn any_text_and_number_comes_back(
        texts in proptest::collection::vec("['=+@#_x0-9a-fé\u{1}\r\n\t ]{0,8}|\\PC{0,12}", 1..6),
        numbers in proptest::collection::vec(any::<f64>().prop_filter("a cell holds it", |n| n.is_finite()), 1..4),
    ) {
        // A row of blanks is none.
        let mut cells = vec![("key", Kind::Text)];
        cells.extend(texts.iter().map(|text| (text.as_str(), Kind::Text)));
        cells.extend(numbers.iter().map(|number| ("1", Kind::Number(*number))));
        let folder = TempDir::new().unwrap();
        let rows = read(&written(folder.path(), &[cells.clone()], &[], Look::default()));
        for ((text, kind), (read_text, read_kind, _)) in cells.iter().zip(&rows[0]) {
            match (kind, read_kind) {
                (Kind::Number(number), Kind::Number(read)) => prop_assert_eq!(number, read),
                // An error of a workbook, by its text.
                (Kind::Text, Kind::Error) => prop_assert_eq!(text, read_text),
                (Kind::Text, Kind::Text) => {
                    // XML has line feeds alone.
                    let lines = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
                    prop_assert_eq!(lines(text), lines(read_text));
                }
                other => prop_assert!(false, "{other:?} of {text:?}"),
            }
        }
    }
}
