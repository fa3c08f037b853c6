//! The room as others use it: files in, rows out.

use std::ops::ControlFlow;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::{
    CsvFacts, Facts, Input, Options, Quoting, SheetChoice, SheetRef, Source, SourceError,
    WorkbookFacts, open,
};
use crate::row::{Kind, RowBatch};

mod made;
mod text;
mod workbooks;

struct File {
    _folder: tempfile::TempDir,
    input: Input,
}

fn file(bytes: impl AsRef<[u8]>) -> File {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clients.csv");
    std::fs::write(&path, bytes).unwrap();
    File {
        _folder: folder,
        input: Input::Path(path),
    }
}

fn source(bytes: impl AsRef<[u8]>, options: &Options) -> Result<Source, SourceError> {
    open(&file(bytes).input, options)
}

fn csv(text: impl AsRef<[u8]>) -> Source {
    source(text, &Options::default()).unwrap()
}

fn workbook(fill: impl FnOnce(&mut Workbook)) -> Vec<u8> {
    let mut workbook = Workbook::new();
    fill(&mut workbook);
    workbook.save_to_buffer().unwrap()
}

fn one_sheet(fill: impl FnOnce(&mut Worksheet)) -> Vec<u8> {
    workbook(|workbook| fill(workbook.add_worksheet()))
}

fn write(sheet: &mut Worksheet, row: u32, cells: &[&str]) {
    for (column, cell) in cells.iter().enumerate() {
        if !cell.is_empty() {
            sheet.write_string(row, column as u16, *cell).unwrap();
        }
    }
}

fn batches(source: &Source, rows: usize) -> Vec<RowBatch> {
    let mut batches = Vec::new();
    source
        .read(rows, &mut |batch| {
            batches.push(batch);
            ControlFlow::Continue(())
        })
        .unwrap();
    batches
}

/// Number, line, texts joined by `|` and the fault's code of each row.
fn rows(source: &Source) -> Vec<(u64, Option<u64>, String, Option<&'static str>)> {
    batches(source, 3)
        .iter()
        .flat_map(RowBatch::rows)
        .map(|row| {
            let texts: Vec<&str> = row.cells().map(|cell| cell.text).collect();
            let fault = row.fault().map(|fault| fault.code);
            (row.number(), row.line(), texts.join("|"), fault)
        })
        .collect()
}

fn names(source: &Source) -> Vec<&str> {
    source.header.names.iter().map(|name| &**name).collect()
}

#[test]
fn a_file_without_column_names_is_noticed() {
    let source = csv("John Doe,john@doe.invalid\nJane Doe,jane@doe.invalid\n");
    assert_eq!(source.notes.len(), 1);
    assert!(source.notes[0].contains("header_row = 0"));
    assert!(
        csv("name,mail\nJohn Doe,john@doe.invalid\n")
            .notes
            .is_empty()
    );
}

#[test]
fn a_file_of_fixed_widths_is_noticed() {
    let source = csv(
        "Id    Name        Email\n1     Ann Lee     a@x.invalid\n20    Bob         b@x.invalid\n",
    );
    assert_eq!(source.notes.len(), 1, "{:?}", source.notes);
    assert!(source.notes[0].contains("fixed widths"));
    for one in [
        "Notes\nwell  spaced\nand  again\n",
        "Full  name\nAnn Lee\nBob\n",
        "Email\na@x.invalid\n",
    ] {
        assert!(csv(one).notes.is_empty(), "{one:?}");
    }
}

fn source_of(bytes: &[u8], options: &Options) -> Source {
    source(bytes, options).unwrap()
}

#[test]
fn facts_are_told() {
    let source = csv("\u{FEFF}naam;ort\r\nJosé;Zürich\r\n");
    assert_eq!(
        source.facts,
        Facts::Csv(CsvFacts {
            delimiter: b';',
            encoding: "UTF-8",
            bom: true,
            terminator: "\r\n",
            quote: b'"',
            quoting: Quoting::AsNeeded,
        })
    );
    assert_eq!(names(&source), ["naam", "ort"]);
    assert_eq!(source.size_hint(), Some(28));
}

#[test]
fn what_the_user_says_wins() {
    let with = |change: fn(&mut Options)| {
        let mut options = Options::default();
        change(&mut options);
        options
    };
    let text = "Title;x\na,b;c\n1,2;3\n";
    let options = with(|options| {
        options.header_row = Some(2);
        options.delimiter = Some(b',');
    });
    let source = source_of(text.as_bytes(), &options);
    assert_eq!(names(&source), ["a", "b;c"]);
    assert_eq!(rows(&source)[0].2, "1|2;3");
    let options = with(|options| options.header_row = Some(0));
    let source = source_of(b"1,2,3\n4,5,6\n", &options);
    assert_eq!(names(&source), ["A", "B", "C"]);
    assert_eq!((source.header.row, rows(&source).len()), (0, 2));
    for row in [2, 9] {
        let options = Options {
            header_row: Some(row),
            ..Options::default()
        };
        let error = self::source("a,b\n\n1,2\n", &options).unwrap_err();
        assert!(matches!(error, SourceError::NoHeader { .. }), "{error}");
    }
    let options = with(|options| options.wanted = vec!["Mail".to_owned(), "Name".to_owned()]);
    let source = source_of(b"x,y,z\nname,mail,town\n1,2,3\n", &options);
    assert_eq!(source.header.row, 2);
}

#[test]
fn a_header_far_down_is_found_where_it_is_named() {
    let mut text = "x,y\n".repeat(5000);
    text.push_str("name,mail\n1,2\n");
    let options = Options {
        header_row: Some(5001),
        ..Options::default()
    };
    let source = source_of(text.as_bytes(), &options);
    assert_eq!(names(&source), ["name", "mail"]);
    assert_eq!(rows(&source), [(5002, Some(5002), "1|2".to_owned(), None)]);
}

#[test]
fn nothing_is_a_sentence_and_a_header_alone_is_no_rows() {
    for text in ["", "\n\n", "\u{FEFF}", ",,\n"] {
        let error = source(text, &Options::default()).unwrap_err();
        assert!(
            matches!(error, SourceError::Empty { .. }),
            "{text:?}: {error}"
        );
        assert!(error.to_string().contains("clients.csv is empty"));
    }
    for text in [
        "x".repeat(3 << 20),
        format!("\n{}\na,b\n", "x,".repeat(2 << 20)),
    ] {
        let error = source(text, &Options::default()).unwrap_err();
        assert!(matches!(error, SourceError::LongHeader { .. }), "{error}");
    }
    assert_eq!(rows(&csv("a,b")), []);
    let wide = format!("{}x\n", "x,".repeat(20_000));
    let error = source(wide, &Options::default()).unwrap_err();
    assert!(
        matches!(
            error,
            SourceError::TooWide {
                columns: 20_001,
                ..
            }
        ),
        "{error}"
    );
}

#[test]
fn a_reject_file_handed_back_is_recognised_and_unguarded() {
    let source = csv(
        "name,_row,_key,_fate,_codes,_problems\n'=x,2,k,rejected,c,p\n''y,3,k,rejected,c,p\n'z,4,k,rejected,c,p\n",
    );
    let returned = source.returned.clone().unwrap();
    assert_eq!((returned.row, returned.key, returned.fate), (1, 2, 3));
    assert_eq!(returned.added, [1, 2, 3, 4, 5]);
    let cells: Vec<String> = rows(&source).into_iter().map(|row| row.2).collect();
    assert!(
        cells[0].starts_with("=x|2") && cells[1].starts_with("'y") && cells[2].starts_with("'z")
    );
    // Another file keeps its apostrophes.
    assert_eq!(rows(&csv("name,b\n'=x,2\n"))[0].2, "'=x|2");
}

#[test]
fn batches_are_bounded_numbered_and_stop_when_told() {
    let mut text = "a,b\n".to_owned();
    for number in 0..100 {
        text.push_str(&format!("{number},{}\n", "x".repeat(40_000)));
    }
    let source = csv(&text);
    let all = batches(&source, 1000);
    assert!(all.len() >= 3);
    assert!(all.iter().all(|batch| batch.text_len() < 2 << 20));
    assert!(
        all.iter()
            .enumerate()
            .all(|(index, batch)| batch.sequence == index as u64)
    );
    assert_eq!(all.iter().map(RowBatch::len).sum::<usize>(), 100);
    let mut seen = 0;
    source
        .read(10, &mut |batch| {
            seen += batch.len();
            ControlFlow::Break(())
        })
        .unwrap();
    assert_eq!(seen, 10);
}

#[test]
fn a_source_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Source>();
}

#[test]
fn a_cut_workbook_is_a_sentence() {
    let bytes = one_sheet(|sheet| write(sheet, 0, &["id", "name"]));
    for length in [10, bytes.len() / 2, bytes.len() - 30] {
        let error = source(&bytes[..length], &Options::default()).unwrap_err();
        assert!(matches!(error, SourceError::Damaged { .. }), "{error}");
    }
}

proptest::proptest! {
    /// Whatever is in a file, it ends in rows or a sentence; and a workbook with a byte changed too.
    #[test]
    fn any_bytes_end_well(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..300)) {
        if let Ok(source) = source(&bytes, &Options::default()) {
            rows(&source);
        }
    }

    #[test]
    fn a_changed_workbook_ends_well(place in 0.0f64..1.0, byte in proptest::num::u8::ANY) {
        let mut bytes = one_sheet(|sheet| {
            write(sheet, 0, &["id", "name"]);
            write(sheet, 1, &["1", "x"]);
        });
        let at = (place * bytes.len() as f64) as usize;
        bytes[at] = byte;
        if let Ok(source) = source(&bytes, &Options::default()) {
            let _ = source.read(10, &mut |_| ControlFlow::Continue(()));
        }
    }
}

fn cells(source: &Source) -> Vec<String> {
    rows(source).into_iter().map(|row| row.2).collect()
}
