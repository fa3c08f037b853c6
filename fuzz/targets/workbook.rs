#![no_main]
//! Workbooks. A changed byte of an archive mostly changes its checksum, so the first byte says which
//! part of a sound archive the others are; `0`, that they are the file.

use std::io::{Cursor, Write};

use libfuzzer_sys::fuzz_target;
use rowferry::source::{Options, PartChoice};
use rowferry_fuzz::read;

const MAIN: &str = "<Relationships><Relationship Id=\"a\" Type=\"x/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>";
const BOOK: &str =
    "<workbook><sheets><sheet name=\"S\" r:id=\"a\"/></sheets><definedNames><definedName name=\"N\">S!$A$1:$C$9</definedName></definedNames></workbook>";
const PARTS: &str = "<Relationships><Relationship Id=\"a\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>";
const BINARY: &str = "<Relationships><Relationship Id=\"a\" Type=\"x/worksheet\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
const SHEET: &str = "<worksheet><sheetData><row r=\"1\"><c r=\"A1\" t=\"s\"><v>0</v></c><c r=\"B1\" s=\"1\"><v>45000</v></c></row></sheetData></worksheet>";
const TEXTS: &str = "<sst><si><t>id</t></si></sst>";
const STYLES: &str = "<styleSheet><cellXfs><xf/><xf numFmtId=\"14\"/></cellXfs></styleSheet>";
/// BrtBundleSh of a sheet `S` with relation `a`, and the end of the list.
const LIST: &[u8] = b"\x9C\x01\x14\0\0\0\0\x01\0\0\0\x01\0\0\0a\0\x01\0\0\0S\0\x90\x01\0";
/// BrtBeginSheetData, a row with a shared text, BrtEndSheetData.
const CELLS: &[u8] = b"\x91\x01\0\0\x04\0\0\0\0\x07\x0C\0\0\0\0\0\0\0\0\0\0\0\0\x92\x01\0";
const MANIFEST: &str = "<manifest:manifest/>";
const KIND: &str = "application/vnd.oasis.opendocument.spreadsheet";

fn archive(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let plain = zip::write::SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in parts {
        archive.start_file(*name, plain).expect("a part");
        archive.write_all(bytes).expect("room for the part");
    }
    archive.finish().expect("an archive").into_inner()
}

fn xlsx(changed: &str, bytes: &[u8]) -> Vec<u8> {
    let mut parts = [
        ("[Content_Types].xml", &b""[..]),
        ("_rels/.rels", MAIN.as_bytes()),
        ("xl/workbook.xml", BOOK.as_bytes()),
        ("xl/_rels/workbook.xml.rels", PARTS.as_bytes()),
        ("xl/worksheets/sheet1.xml", SHEET.as_bytes()),
        ("xl/sharedStrings.xml", TEXTS.as_bytes()),
        ("xl/styles.xml", STYLES.as_bytes()),
    ];
    for part in &mut parts {
        if part.0 == changed {
            part.1 = bytes;
        }
    }
    archive(&parts)
}

fn xlsb(changed: &str, bytes: &[u8]) -> Vec<u8> {
    let mut parts = [
        ("xl/workbook.bin", LIST),
        ("xl/_rels/workbook.bin.rels", BINARY.as_bytes()),
        ("xl/worksheets/sheet1.bin", CELLS),
        // One BrtSSTItem: `id`.
        ("xl/sharedStrings.bin", b"\x13\x09\0\x02\0\0\0i\0d\0"),
        ("xl/styles.bin", b""),
    ];
    for part in &mut parts {
        if part.0 == changed {
            part.1 = bytes;
        }
    }
    archive(&parts)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    let file = match kind {
        b'1' => xlsx("xl/worksheets/sheet1.xml", bytes),
        b'2' => xlsx("xl/sharedStrings.xml", bytes),
        b'3' => xlsx("xl/workbook.xml", bytes),
        b'4' => xlsx("xl/styles.xml", bytes),
        b'5' => xlsb("xl/worksheets/sheet1.bin", bytes),
        b'6' => xlsb("xl/styles.bin", bytes),
        b'7' => xlsb("xl/workbook.bin", bytes),
        b'8' => archive(&[
            ("mimetype", KIND.as_bytes()),
            ("META-INF/manifest.xml", MANIFEST.as_bytes()),
            ("content.xml", bytes),
        ]),
        _ if bytes.starts_with(b"PK") || bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) => {
            bytes.to_vec()
        }
        _ => return,
    };
    read(&file, &Options::default());
    if *kind == b'3' {
        read(
            &file,
            &Options {
                part: PartChoice::Table("N".to_owned()),
                ..Options::default()
            },
        );
    }
});
