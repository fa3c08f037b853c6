//! The room as others use it: files in, rows out.

use std::ops::ControlFlow;

use rust_xlsxwriter::{ExcelDateTime, Format, Formula, Workbook, Worksheet};

use super::{
    CsvFacts, Facts, Input, Options, Quoting, SheetChoice, SheetRef, Source, SourceError,
    WorkbookFacts, open,
};
use crate::row::{Kind, RowBatch};

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
fn rows_stand_where_people_look_for_them() {
    let ok = |number, line, cells: &str| (number, Some(line), cells.to_owned(), None);
    for (text, header_row, expected) in [
        ("a,b\n1,2\n3,4\n", 1, vec![ok(2, 2, "1|2"), ok(3, 3, "3|4")]),
        (
            "a,b\r\n1,2\r\n\r\n3,4",
            1,
            vec![ok(2, 2, "1|2"), ok(4, 4, "3|4")],
        ),
        (
            "a,b\r1,2\r\r3,4\r",
            1,
            vec![ok(2, 2, "1|2"), ok(4, 4, "3|4")],
        ),
        ("\n\na,b\n1,2\n", 3, vec![ok(4, 4, "1|2")]),
        (
            "a,b\n1,\"x\ny\"\n3,4\n",
            1,
            vec![ok(2, 2, "1|x\ny"), ok(3, 4, "3|4")],
        ),
        ("\"a\nA\",b\n1,2\n", 1, vec![ok(2, 3, "1|2")]),
        (
            "a,b\n1,2\n,,\n , \n\"\",\n3,4\n",
            1,
            vec![ok(2, 2, "1|2"), ok(6, 6, "3|4")],
        ),
        (
            "a,b,\n1,2,\n3,4\n5,6,\n",
            1,
            vec![ok(2, 2, "1|2|"), ok(3, 3, "3|4"), ok(4, 4, "5|6|")],
        ),
        (
            "a,b\n1,2,\n3,4,\n",
            1,
            vec![ok(2, 2, "1|2"), ok(3, 3, "3|4")],
        ),
        ("sep=;\na;b\n1;2\n", 1, vec![ok(2, 3, "1|2")]),
        ("Clients\n\na,b,c\n1,2,3\n", 3, vec![ok(4, 4, "1|2|3")]),
        ("a,b\n1,\0\n", 1, vec![ok(2, 2, "1|\0")]),
        ("a,b\n", 1, vec![]),
        ("a\n1\n\n2\n", 1, vec![ok(2, 2, "1"), ok(4, 4, "2")]),
    ] {
        let source = csv(text);
        assert_eq!(source.header.row, header_row, "{text:?}");
        assert_eq!(rows(&source), expected, "{text:?}");
    }
}

#[test]
fn a_faulty_row_is_that_rows_issue() {
    let long = format!("a,b\n{}\n1,2\n", "x".repeat(3 << 20));
    for (text, expected) in [
        ("a,b\n1,2,3\n4,5\n", [Some("row.ragged"), None].as_slice()),
        ("a,b\n1\n4,5\n", &[Some("row.ragged"), None]),
        (
            "a,b\n1,\"2\n3,4\n5,\"6\"\n",
            &[Some("row.quote"), None, None],
        ),
        ("a,b\n\"1,2\n3,4\n", &[Some("row.quote"), None]),
        (&long, &[Some("row.long"), None]),
    ] {
        let found: Vec<_> = rows(&csv(text)).into_iter().map(|row| row.3).collect();
        assert_eq!(found, expected, "{:?}", &text[..text.len().min(40)]);
    }
    let message = |text: &str| {
        let source = csv(text);
        let batches = batches(&source, 9);
        batches[0].row(0).fault().unwrap().message.clone()
    };
    assert!(message("a,b\n1,2,3\n").starts_with("The row has 3 cells, the header has 2."));
    assert!(message("a,b\n1\n").starts_with("The row has 1 cell, the header has 2."));
    assert!(message("a,b\n1,\"2\n3\",4\n").contains("lines 2 to 3"));
    assert!(message("a,b\n1,\"2\n").contains("on line 2"));
}

/// Codes of the rows' faults.
fn codes(source: &Source) -> Vec<&'static str> {
    let faults = rows(source).into_iter();
    faults.map(|row| row.3.unwrap_or("")).collect()
}

#[test]
fn a_row_whose_cells_moved_is_never_taken() {
    const R: &str = "row.ragged";
    for (text, expected) in [
        // A comma that was not quoted, and an empty last cell.
        ("name,town,fax\nAnna,Ulm,\nSmith, John,Ulm,\n", &["", R][..]),
        ("name,town\nAnna,Ulm\nSmith, John,,\n", &["", R]),
        // The same where all rows end in a delimiter, and the header does not, or does.
        (
            "name,town\nAnna,Ulm,\nBo,Bonn,\nCy,,\nSmith, John,,\nDi,Kiel,\n",
            &["", "", "", R, ""],
        ),
        (
            "name,town,\nA,Ulm,\nB,Bonn,\nC,Kiel,\nD,,\nE,,\nF,,\nG,,\nH,,\nI,,\nSmith, John,Ulm,\nSmith, John,Ulm\n",
            &["", "", "", "", "", "", "", "", "", R, R],
        ),
        // A cell is lost: what is left ends as the others do.
        (
            "name,town,tel,\nAnna,Ulm,1,\nBo,Bonn,2,\nCy,,3,\nDi,,,\nEd,5,\n",
            &["", "", "", "", R],
        ),
        // Two rows in one line, one row in two.
        ("a,b\n1,2\n3,4,5,6\n7,8\n", &["", R, ""]),
        ("a,b,c\n1,2,3\n4,5\n,6\n7,8,9\n", &["", R, R, ""]),
        // Columns without a name are columns where rows fill them.
        ("a,b,\n1,2,x\n3,4,y\n5,6,\n", &["", "", ""]),
    ] {
        assert_eq!(codes(&csv(text)), expected, "{text:?}");
    }
}

#[test]
fn what_is_no_customer_is_told() {
    for (text, expected) in [
        ("id,name\n1,x\nid,name\n2,y\n", &["", "row.header", ""][..]),
        ("id,name\n1,x\n id,name\n2,y\n", &["", "row.header", ""]),
        ("A,B\na,b\n", &[""]),
        ("1,2\n1,2\n3,4\n", &["", ""]),
        (
            "id,name,n\n1,x,2\n2,y,3\n,,\nTotal,,5\n",
            &["", "", "row.total"],
        ),
        (
            "id,name,n\n1,x,2\n2,y,3\n(2 rows affected)\n",
            &["", "", "row.total"],
        ),
        // Wherever the batches of three rows end.
        (
            "id,name,n\n1,x,2\nTotal,,5\nAverage,,2\n(1 row)\nCount,,1\n",
            &["", "row.total", "row.total", "row.total", "row.total"],
        ),
        ("id,name,n\nTotal,,5\n2,y,3\n", &["", ""]),
        ("name\nx\nname\nTotal\n", &["", "", ""]),
    ] {
        assert_eq!(codes(&csv(text)), expected, "{text:?}");
    }
}

#[test]
fn cells_of_ragged_rows_are_kept() {
    assert_eq!(rows(&csv("a,b\n1,2,,3,\n"))[0].2, "1|2||3");
    assert_eq!(rows(&csv("a,b\n1,\"x\n2,3\n"))[0].2, "1|\"x");
}

#[test]
fn undecodable_bytes_are_their_cells_issue() {
    let mut bytes = "naam,ort\nJosé,Zürich\nÅse,Łódź\nÉva,Győr\n"
        .as_bytes()
        .to_vec();
    bytes.extend_from_slice(b"x\xFFy,ok\n\"a\xC3\",ok\n");
    let source = csv(&bytes);
    assert_eq!(source.notes.len(), 1);
    let batches = batches(&source, 10);
    let (bad, quoted) = (batches[0].row(3), batches[0].row(4));
    assert_eq!(
        (bad.cell(0).text, bad.cell(0).kind),
        ("x\u{FFFD}y", Kind::Undecodable)
    );
    assert_eq!(bad.cell(1).kind, Kind::Text);
    assert_eq!(quoted.cell(0).kind, Kind::Undecodable);
    // An encoding other than UTF-8.
    let options = Options {
        encoding: Some(encoding_rs::SHIFT_JIS),
        ..Options::default()
    };
    let source = source_of(b"a,b\n\x83\x65,\xFF\n", &options);
    let batches = self::batches(&source, 10);
    assert_eq!(batches[0].row(0).cell(0).text, "テ");
    assert_eq!(batches[0].row(0).cell(1).kind, Kind::Undecodable);
}

#[test]
fn a_cell_of_another_encoding_than_the_files_is_its_issue() {
    // Rows of windows-1252, and one that someone pasted in as UTF-8.
    let mut bytes = b"name,town\nJos\xE9,M\xFCnchen\nS\xF8ren,\xC5rhus\nZo\xEB,K\xF6ln\n".to_vec();
    bytes.extend_from_slice("Łucja,Zürich\nBo,Ulm\n".as_bytes());
    let source = csv(&bytes);
    assert!(
        source.notes[0].contains("windows-1252"),
        "{:?}",
        source.notes
    );
    assert!(source.notes[0].contains("Some of its text is UTF-8"));
    let batches = batches(&source, 10);
    let kinds: Vec<Kind> = batches[0].rows().map(|row| row.cell(1).kind).collect();
    assert_eq!(
        kinds,
        [
            Kind::Text,
            Kind::Text,
            Kind::Text,
            Kind::Undecodable,
            Kind::Text
        ]
    );
}

#[test]
fn a_nul_within_a_text_is_its_cells_issue() {
    let source = csv("a,b\nx\0y,\0\n1\0,2\n");
    let batches = batches(&source, 10);
    let (first, second) = (batches[0].row(0), batches[0].row(1));
    assert_eq!(
        (first.cell(0).text, first.cell(0).kind),
        ("x\u{FFFD}y", Kind::Undecodable)
    );
    assert_eq!(
        (second.cell(0).text, second.cell(0).kind),
        ("1\0", Kind::Text)
    );
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
fn workbook_cells_are_what_the_workbook_shows() {
    let bytes = one_sheet(|sheet| {
        write(
            sheet,
            0,
            &[
                "id", "zip", "born", "seen", "open", "ok", "sum", "gone", "note",
            ],
        );
        let zip = Format::new().set_num_format("00000");
        let date = Format::new().set_num_format("dd/mm/yyyy");
        let moment = Format::new().set_num_format("yyyy-mm-dd hh:mm");
        let time = Format::new().set_num_format("hh:mm");
        let day = |text| ExcelDateTime::parse_from_str(text).unwrap();
        sheet.write_number(1, 0, 491_701_234_567.0).unwrap();
        sheet.write_number_with_format(1, 1, 1234.0, &zip).unwrap();
        sheet
            .write_datetime_with_format(1, 2, day("1990-12-31"), &date)
            .unwrap();
        sheet
            .write_datetime_with_format(1, 3, day("2025-01-02T03:04:05"), &moment)
            .unwrap();
        sheet
            .write_datetime_with_format(1, 4, day("08:30:00"), &time)
            .unwrap();
        sheet.write_boolean(1, 5, true).unwrap();
        sheet
            .write_formula(1, 6, Formula::new("=1+2").set_result("3"))
            .unwrap();
        sheet
            .write_formula(1, 7, Formula::new("=NA()").set_result("#N/A"))
            .unwrap();
        sheet.write_string(1, 8, "007 é").unwrap();
    });
    let source = source_of(&bytes, &Options::default());
    let batches = batches(&source, 10);
    let row = batches[0].row(0);
    assert_eq!((row.number(), row.line()), (2, None));
    let date = jiff::civil::date(1990, 12, 31);
    let expected = [
        ("491701234567", Kind::Number(491_701_234_567.0)),
        ("01234", Kind::Number(1234.0)),
        ("1990-12-31", Kind::Date(date)),
        (
            "2025-01-02T03:04:05",
            Kind::DateTime(jiff::civil::datetime(2025, 1, 2, 3, 4, 5, 0)),
        ),
        ("08:30:00", Kind::Time),
        ("TRUE", Kind::Boolean(true)),
        ("3", Kind::Number(3.0)),
        ("#N/A", Kind::Error),
        ("007 é", Kind::Text),
    ];
    for (index, (text, kind)) in expected.into_iter().enumerate() {
        assert_eq!((row.cell(index).text, row.cell(index).kind), (text, kind));
    }
}

#[test]
fn workbook_rows_are_built_by_position() {
    let bytes = one_sheet(|sheet| {
        sheet.write_string(0, 0, "Our clients").unwrap();
        for (column, name) in ["id", "name", "town"].into_iter().enumerate() {
            sheet.write_string(3, column as u16 + 2, name).unwrap();
        }
        sheet.write_number(5, 2, 1).unwrap();
        sheet.write_string(5, 4, "Ulm").unwrap();
        sheet
            .write_string(5, 9, "a remark beside the table")
            .unwrap();
        sheet.write_string(6, 2, " ").unwrap();
        sheet.write_string(9, 3, "Anna").unwrap();
    });
    let source = source_of(&bytes, &Options::default());
    assert_eq!(names(&source), ["id", "name", "town"]);
    assert_eq!((source.header.row, source.header.first_column), (4, 2));
    assert_eq!(source.header.cell_name(1, 10), "D10");
    assert_eq!(
        rows(&source),
        [
            (6, None, "1||Ulm".to_owned(), None),
            (10, None, "|Anna".to_owned(), None),
        ]
    );
    let options = Options {
        header_row: Some(0),
        ..Options::default()
    };
    let source = source_of(&bytes, &options);
    assert_eq!(names(&source)[..3], ["A", "B", "C"]);
    assert_eq!(rows(&source).len(), 4);
}

#[test]
fn rows_of_several_sheets_name_their_sheet() {
    let bytes = workbook(|workbook| {
        for name in ["One", "Two"] {
            let sheet = workbook.add_worksheet();
            sheet.set_name(name).unwrap();
            write(sheet, 0, &["id", "name"]);
            for row in 1..=5 {
                write(sheet, row, &["x", name]);
            }
        }
    });
    for (sheets, several) in [(SheetChoice::All, true), (SheetChoice::FirstVisible, false)] {
        let options = Options {
            sheets,
            ..Options::default()
        };
        let source = source(&bytes, &options).unwrap();
        for rows in [2, 5, 100] {
            let batches = batches(&source, rows);
            let mut count = 0;
            for (sequence, batch) in batches.iter().enumerate() {
                assert_eq!(batch.sequence, sequence as u64);
                for row in batch.rows() {
                    count += 1;
                    let sheet = row.sheet().map(|sheet| &**sheet);
                    assert_eq!(sheet, several.then(|| row.cell(1).text));
                }
            }
            assert_eq!(count, if several { 10 } else { 5 });
        }
    }
}

#[test]
fn a_second_row_of_names_is_told() {
    let rows = [
        ["id", "Contact", ""],
        ["", "Mail", "Phone"],
        ["1", "a@b.example", "+49 30 1234567"],
        ["2", "c@d.example", "+49 30 7654321"],
    ];
    let book = one_sheet(|sheet| {
        for (row, cells) in rows.iter().enumerate() {
            write(sheet, row as u32, cells);
        }
    });
    let found = source(&book, &Options::default()).unwrap();
    assert_eq!(found.header.row, 1);
    let words = "Row 2 of sheet \"Sheet1\" of ";
    assert!(found.notes[0].starts_with(words), "{:?}", found.notes);
    let text: String = rows.iter().map(|row| row.join(",") + "\n").collect();
    let found = csv(&text);
    let told = |note: &String| note.contains("a second row of column names");
    assert!(found.notes.iter().any(told), "{:?}", found.notes);
    let named = Options {
        header_row: Some(2),
        ..Options::default()
    };
    let found = source(&book, &named).unwrap();
    assert_eq!(found.header.row, 2);
    // What stands below the name in row 1 is not read then.
    assert!(found.notes[0].contains("A3"), "{:?}", found.notes);
    assert_eq!(found.notes.len(), 1);
}

#[test]
fn a_formula_of_an_ods_file_without_a_result_is_that_cells_problem() {
    use std::io::Write as _;
    let cell = |attributes: &str, text: &str| {
        format!("<table:table-cell {attributes}><text:p>{text}</text:p></table:table-cell>")
    };
    let text = |text: &str| cell("office:value-type=\"string\"", text);
    let formula = "<table:table-cell table:formula=\"of:=[.A2]\"/>";
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet>\
         <table:table table:name=\"S\"><table:table-row>{}{}{}</table:table-row>\
         <table:table-row>{}{formula}{}</table:table-row>\
         <table:table-row table:number-rows-repeated=\"2\">{}{}{formula}</table:table-row>\
         </table:table></office:spreadsheet></office:body></office:document-content>",
        text("a"),
        text("b"),
        text("c"),
        text("1"),
        text("2"),
        text("3"),
        text("4"),
    );
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options =
        zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in [
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet"),
        (
            "META-INF/manifest.xml",
            "<manifest:manifest xmlns:manifest=\"m\"/>",
        ),
        ("content.xml", &content),
    ] {
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes.as_bytes()).unwrap();
    }
    let bytes = archive.finish().unwrap().into_inner();
    let source = source(bytes, &Options::default()).unwrap();
    let found: Vec<(u64, Vec<(String, bool)>)> = batches(&source, 100)
        .iter()
        .flat_map(RowBatch::rows)
        .map(|row| {
            let cells = row.cells();
            let cells = cells.map(|cell| (cell.text.to_owned(), cell.kind == Kind::Error));
            (row.number(), cells.collect())
        })
        .collect();
    let missing = || ("(formula without a saved result)".to_owned(), true);
    let plain = |text: &str| (text.to_owned(), false);
    let last = vec![plain("3"), plain("4"), missing()];
    let expected = [
        (2, vec![plain("1"), missing(), plain("2")]),
        (3, last.clone()),
        (4, last),
    ];
    assert_eq!(found, expected);
}

#[test]
fn sheets_are_chosen() {
    let bytes = workbook(|workbook| {
        for (name, header, cell, hidden) in [
            ("Old", ["id", "name"], "0", true),
            ("Clients", ["id", "name"], "1", false),
            ("More", ["id", "name"], "2", false),
            ("Other", ["code", "text"], "3", false),
        ] {
            let sheet = workbook.add_worksheet().set_name(name).unwrap();
            write(sheet, 0, &header);
            write(sheet, 1, &[cell, "x"]);
            if hidden {
                sheet.set_hidden(true);
            } else if name == "Clients" {
                sheet.set_active(true);
            }
        }
    });
    let choose = |sheets: SheetChoice| {
        let options = Options {
            sheets,
            ..Options::default()
        };
        source(&bytes, &options)
    };
    let first = choose(SheetChoice::FirstVisible).unwrap();
    assert_eq!(
        first.facts,
        Facts::Workbook(WorkbookFacts {
            format: "xlsx",
            sheet: "Clients".to_owned(),
            date_1904: false,
            widths: vec![0; first.header.names.len()],
        })
    );
    assert_eq!(first.notes.len(), 3);
    assert!(
        first.notes[2].contains("Hidden sheet \"Old\" has 2 rows"),
        "{}",
        first.notes[2]
    );
    assert!(
        first.notes[0].contains("\"More\" has 2 rows"),
        "{}",
        first.notes[0]
    );
    let name = |name: &str| SheetRef::Name(name.to_owned());
    let cells =
        |source: &Source| -> Vec<String> { rows(source).into_iter().map(|row| row.2).collect() };
    let both = choose(SheetChoice::These(vec![
        name("clients"),
        SheetRef::Number(3),
    ]))
    .unwrap();
    assert_eq!(cells(&both), ["1|x", "2|x"]);
    let hidden = choose(SheetChoice::These(vec![SheetRef::Number(1)])).unwrap();
    assert_eq!(cells(&hidden), ["0|x"]);
    let error = choose(SheetChoice::All).unwrap_err();
    assert!(
        error.to_string().contains("do not have the same header"),
        "{error}"
    );
    let error = choose(SheetChoice::These(vec![name("Nope")])).unwrap_err();
    assert!(
        error.to_string().contains("\"Clients\", \"More\""),
        "{error}"
    );
    assert!(choose(SheetChoice::These(vec![SheetRef::Number(0)])).is_err());
}

#[test]
fn far_apart_cells_take_no_memory() {
    let bytes = one_sheet(|sheet| {
        write(sheet, 0, &["id", "name"]);
        sheet.write_string(1_048_575, 16_383, "far").unwrap();
        sheet.write_number(1_048_575, 0, 7).unwrap();
    });
    let source = source_of(&bytes, &Options::default());
    assert_eq!(rows(&source), [(1_048_576, None, "7".to_owned(), None)]);
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

/// A workbook whose sheet part is the one given, made from a real one.
fn with_sheet(part: &str) -> Vec<u8> {
    with_parts(&[("xl/worksheets/sheet1.xml", part)])
}

/// A workbook with the text `shared` in its list, and some parts in place of its own.
fn with_parts(parts: &[(&str, &str)]) -> Vec<u8> {
    use std::io::{Read, Write};
    let bytes = one_sheet(|sheet| write(sheet, 0, &["shared"]));
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut out = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let name = file.name().unwrap().into_owned();
        let mut text = Vec::new();
        file.read_to_end(&mut text).unwrap();
        let replaced = parts.iter().find(|(part, _)| *part == name);
        out.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        out.write_all(replaced.map_or(&text[..], |(_, part)| part.as_bytes()))
            .unwrap();
    }
    out.finish().unwrap().into_inner()
}

fn cells(source: &Source) -> Vec<String> {
    rows(source).into_iter().map(|row| row.2).collect()
}

fn part(part: super::PartChoice) -> Options {
    Options {
        part,
        ..Options::default()
    }
}

#[test]
fn a_range_and_a_table_are_read_and_no_more() {
    let bytes = workbook(|workbook| {
        let sheet = workbook.add_worksheet().set_name("Report").unwrap();
        write(sheet, 0, &["made today"]);
        for (row, cells) in [
            ["", "id", "name", "town", "remark"],
            ["x", "1", "Anna", "Ulm", "y"],
            ["x", "2", "Bert", "", ""],
            ["x", "total", "2", "", ""],
        ]
        .iter()
        .enumerate()
        {
            write(sheet, row as u32 + 2, cells);
        }
        let sheet = workbook.add_worksheet().set_name("Tables").unwrap();
        write(sheet, 4, &["", "7", "seven"]);
        write(sheet, 5, &["", "8", "eight"]);
        let columns = [
            rust_xlsxwriter::TableColumn::new().set_header("no"),
            rust_xlsxwriter::TableColumn::new().set_header("word"),
        ];
        let table = rust_xlsxwriter::Table::new()
            .set_name("Words")
            .set_header_row(false)
            .set_columns(&columns);
        sheet.add_table(4, 1, 5, 2, &table).unwrap();
        workbook.define_name("People", "=Report!$B$3:$D$5").unwrap();
    });
    let area = |text| super::PartChoice::Area(crate::area::Area::parse(text).unwrap());
    let table = |name: &str| super::PartChoice::Table(name.to_owned());
    for (choice, header, expected) in [
        (
            area("B3:D5"),
            vec!["id", "name", "town"],
            vec!["1|Anna|Ulm", "2|Bert"],
        ),
        (
            area("B3:C"),
            vec!["id", "name"],
            vec!["1|Anna", "2|Bert", "total|2"],
        ),
        (
            area("C:D"),
            vec!["name", "town"],
            vec!["Anna|Ulm", "Bert", "2"],
        ),
        (
            table("people"),
            vec!["id", "name", "town"],
            vec!["1|Anna|Ulm", "2|Bert"],
        ),
        (
            table("Words"),
            vec!["no", "word"],
            vec!["7|seven", "8|eight"],
        ),
    ] {
        let source = source_of(&bytes, &part(choice.clone()));
        assert_eq!(names(&source), header, "{choice:?}");
        assert_eq!(cells(&source), expected, "{choice:?}");
    }
    let error = source(&bytes, &part(table("Nope")))
        .unwrap_err()
        .to_string();
    assert!(error.contains("\"Words\", \"People\""), "{error}");
    let note = &source_of(b"a,b\n1,2\n", &part(table("T"))).notes;
    assert!(note[0].contains("is no workbook"), "{note:?}");
}

#[test]
fn what_a_reader_would_not_see_is_told() {
    let bytes = one_sheet(|sheet| {
        write(sheet, 0, &["id", "name"]);
        for row in 1..=4 {
            write(sheet, row, &["1", "x"]);
        }
        sheet.set_row_hidden(2).unwrap();
        sheet.set_row_hidden(3).unwrap();
        sheet.set_row_hidden(9).unwrap();
        sheet
            .merge_range(1, 1, 2, 1, "both", &Format::new())
            .unwrap();
    });
    let notes = source_of(&bytes, &Options::default()).notes;
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(
        notes[0].starts_with("2 rows of sheet \"Sheet1\""),
        "{}",
        notes[0]
    );
    assert!(notes[0].contains("row 3-4."), "{}", notes[0]);
    assert!(
        notes[1].contains("1 area") && notes[1].contains("B2:B3"),
        "{}",
        notes[1]
    );
    let part = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>sum</t></is></c></row>\
        <row r=\"2\"><c r=\"A2\"><f>1+1</f></c></row><row r=\"3\"><c r=\"A3\" t=\"e\"><v>#SPILL!</v></c></row></sheetData></worksheet>";
    let source = source_of(&with_sheet(part), &Options::default());
    assert!(source.notes[0].contains("1 formula") && source.notes[0].contains("A2"));
    let batches = batches(&source, 9);
    assert_eq!(batches[0].row(0).cell(0).kind, Kind::Error);
    assert_eq!(batches[0].row(1).cell(0).text, "#SPILL!");
}

#[test]
fn a_header_may_have_lines_and_rows() {
    let bytes = one_sheet(|sheet| {
        let plain = Format::new();
        sheet
            .merge_range(0, 0, 1, 0, "Customer\nId", &plain)
            .unwrap();
        sheet.merge_range(0, 1, 0, 2, "Contact", &plain).unwrap();
        write(sheet, 1, &["", "Name", "Mail"]);
        write(sheet, 2, &["1", "Anna", "a@b.de"]);
    });
    let source = source_of(&bytes, &Options::default());
    assert_eq!(
        names(&source),
        ["Customer Id", "Contact Name", "Contact Mail"]
    );
    assert_eq!(source.header.row, 2);
    assert_eq!(cells(&source), ["1|Anna|a@b.de"]);
}

#[test]
fn odd_workbooks_are_read_or_refused_in_little_memory() {
    let row = "<row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c></row>";
    for (sheet, expected) in [
        (
            format!(
                "<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData>{row}<row r=\"2\"><c r=\"A2\"><v>7</v></c></row></sheetData></worksheet>"
            ),
            Ok(vec!["7"]),
        ),
        (
            format!(
                "<x:worksheet xmlns:x=\"u\"><x:dimension ref=\"B9:A1\"/><x:sheetData>{row}<x:row><x:c><x:v>7.0000000000000009</x:v></x:c></x:row></x:sheetData></x:worksheet>"
            ),
            Ok(vec!["7"]),
        ),
        (
            format!(
                "<worksheet><sheetData>{row}<row r=\"2\"><c r=\"A2\" t=\"d\"><v>2021-01-31T00:00:00</v></c></row></sheetData></worksheet>"
            ),
            Ok(vec!["2021-01-31"]),
        ),
        (
            format!(
                "<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><worksheet><sheetData>{row}<row r=\"2\"><c r=\"A2\" t=\"str\"><v>&a;</v></c></row></sheetData></worksheet>"
            ),
            Err("entities"),
        ),
        (
            format!(
                "<worksheet><sheetData>{row}<row r=\"2\"><c r=\"A2\" t=\"s\"><v>99</v></c></row></sheetData></worksheet>"
            ),
            Err("list of texts"),
        ),
        (
            format!("<worksheet><sheetData>{row}<row r=\"2\"><c r=\"A2\">"),
            Err("cut off"),
        ),
    ] {
        let found = source(with_sheet(&sheet), &Options::default()).and_then(|source| {
            let mut found = Vec::new();
            source.read(9, &mut |batch| {
                found.extend(batch.rows().map(|row| row.cell(0).text.to_owned()));
                ControlFlow::Continue(())
            })?;
            Ok(found)
        });
        match (found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{sheet}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (found, _) => panic!("{sheet}: {found:?}"),
        }
    }
    let strings =
        "<sst uniqueCount=\"9999999999999\" count=\"9999999999999\"><si><t>id</t></si></sst>";
    let source = source_of(
        &with_parts(&[("xl/sharedStrings.xml", strings)]),
        &Options::default(),
    );
    assert_eq!(names(&source), ["id"]);
}

#[test]
fn quotes_behind_a_space_and_fillers_at_the_end_are_what_a_person_takes_them_for() {
    let found = csv("id, \"name\"\n1, \"Ann \"\"B\"\"\"\n2, 5\" disk\n\0\0\0\0\n\x1a");
    assert_eq!(&*found.header.names[1], "name");
    let texts: Vec<String> = rows(&found).into_iter().map(|row| row.2).collect();
    assert_eq!(texts, ["1|Ann \"B\"", "2| 5\" disk"]);
    // Where it holds the delimiter, no cell is used.
    assert_eq!(
        codes(&csv("id,name,n\n1, \"Lee, Ann\",2\n")),
        ["row.ragged"]
    );
}

#[test]
fn a_header_with_an_open_quote_is_told() {
    let found = csv("id,\"name,city\n1,x,y\n2,z,w\n");
    let told = |note: &String| note.contains("a quote that is never closed");
    assert!(found.notes.iter().any(told), "{:?}", found.notes);
    assert_eq!(codes(&found), ["", ""]);
}

#[test]
fn rows_of_a_sheet_that_are_no_customers_are_told() {
    let lines = [
        ["id", "name", "sum"],
        ["1", "Ann", "5"],
        ["id", "name ", "sum"],
        ["2", "Bob", "6"],
        ["Total", "", "11"],
    ];
    let book = one_sheet(|sheet| {
        for (row, cells) in lines.iter().enumerate() {
            write(sheet, row as u32, cells);
        }
    });
    let found = source(&book, &Options::default()).unwrap();
    for size in [1, 2, 3, 4, 100] {
        let found: Vec<_> = batches(&found, size)
            .iter()
            .flat_map(RowBatch::rows)
            .map(|row| (row.number(), row.fault().map(|fault| fault.code)))
            .collect();
        let expected = [
            (2, None),
            (3, Some("row.header")),
            (4, None),
            (5, Some("row.total")),
        ];
        assert_eq!(found, expected, "{size}");
    }
}

#[test]
fn cells_beside_the_table_are_told() {
    let book = one_sheet(|sheet| {
        write(sheet, 0, &["id", "name"]);
        write(sheet, 1, &["1", "Ann", "", "called twice"]);
    });
    let found = source(&book, &Options::default()).unwrap();
    let words = "stand below no column name (the first: D2) and are not read";
    assert!(found.notes[0].contains(words), "{:?}", found.notes);
}

#[test]
fn a_cell_in_an_encoding_of_dos_is_that_cells_problem() {
    let found = csv(b"Id;Name;Ort\n1;M\x81ller;K\xF6ln\n2;Anna;M\xFCnchen\n3;Bo;K\xF6ln\n");
    let kinds: Vec<Kind> = batches(&found, 100)[0]
        .rows()
        .map(|row| row.cell(1).kind)
        .collect();
    assert_eq!(kinds, [Kind::Undecodable, Kind::Text, Kind::Text]);
}

/// A record of a binary part ([MS-XLSB] 2.1.4), its type and its data.
fn record(kind: &[u8], data: &[u8]) -> Vec<u8> {
    [kind, &[data.len() as u8], data].concat()
}

/// A text with its length before it.
fn wide(text: &str) -> Vec<u8> {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    [&(units.len() as u32 / 2).to_le_bytes()[..], &units].concat()
}

#[test]
fn cells_of_a_binary_workbook_are_what_was_written() {
    use std::io::Write as _;
    let relations = r#"<Relationships><Relationship Id="a" Type="x/worksheet" Target="worksheets/sheet1.bin"/><Relationship Id="b" Type="x/sharedStrings" Target="sharedStrings.bin"/></Relationships>"#;
    let cell = |kind: u8, column: u32, style: u32, value: &[u8]| {
        let data = [&column.to_le_bytes()[..], &style.to_le_bytes(), value].concat();
        record(&[kind], &data)
    };
    let row = |row: u32| record(&[0], &[&row.to_le_bytes()[..], &[0; 13]].concat());
    // Texts that begin with what may be taken for a byte order mark.
    let odd = ["\u{FEFF}x", "\u{FFFE}y", "\u{BBEF}\u{01BF}z"];
    let shared: Vec<u8> = ["id", "Zoë 東京", odd[0]]
        .iter()
        .flat_map(|text| record(&[0x13], &[&[0][..], &wide(text)].concat()))
        .collect();
    let cells = [
        record(&[0x91, 0x01], &[]),
        row(0),
        cell(0x07, 0, 0, &0u32.to_le_bytes()),
        cell(0x06, 1, 0, &wide("name")),
        cell(0x06, 2, 0, &wide("code")),
        row(1),
        cell(0x07, 0, 0, &1u32.to_le_bytes()),
        cell(0x06, 1, 0, &wide(odd[1])),
        cell(0x05, 2, 0, &42f64.to_le_bytes()),
        row(2),
        cell(0x07, 0, 0, &2u32.to_le_bytes()),
        cell(0x06, 1, 0, &wide(odd[2])),
        cell(0x03, 2, 0, &[0x2A]),
        record(&[0x92, 0x01], &[]),
    ]
    .concat();
    let list = [&[0, 0, 0, 0, 1, 0, 0, 0][..], &wide("a"), &wide("S")].concat();
    let list = [record(&[0x9C, 0x01], &list), record(&[0x90, 0x01], &[])].concat();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in [
        ("xl/workbook.bin", &list[..]),
        ("xl/_rels/workbook.bin.rels", relations.as_bytes()),
        ("xl/sharedStrings.bin", &shared),
        ("xl/worksheets/sheet1.bin", &cells),
    ] {
        let options = zip::write::SimpleFileOptions::default()
            .compression_method(zip::CompressionMethod::Stored);
        archive.start_file(name, options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    let book = archive.finish().unwrap().into_inner();
    let found = source(&book, &Options::default()).unwrap();
    let names: Vec<&str> = found.header.names.iter().map(|name| &**name).collect();
    assert_eq!(names, ["id", "name", "code"]);
    let texts: Vec<String> = rows(&found).into_iter().map(|row| row.2).collect();
    assert_eq!(
        texts,
        [
            // U+FFFE is no character, and stands before what is not text.
            "Zoë 東京|y|42".to_owned(),
            format!("{}|{}|#N/A", odd[0], odd[2])
        ]
    );
}
