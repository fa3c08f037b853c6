//! Workbooks: their cells, sheets, and parts of sheets.

use super::made::with_sheet;
use super::*;
use crate::source::PartChoice;

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

fn part(part: PartChoice) -> Options {
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
    let area = |text| PartChoice::Area(crate::area::Area::parse(text).unwrap());
    let table = |name: &str| PartChoice::Table(name.to_owned());
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
