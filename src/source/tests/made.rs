//! Workbooks that no library writes: their parts are made by hand.

use super::*;

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

/// A workbook whose sheet part is the one given, made from a real one.
pub(super) fn with_sheet(part: &str) -> Vec<u8> {
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
