//! What kind of file this is by its content, and whether a workbook may be unpacked.

use std::io::{Read, Seek, SeekFrom};

use super::origin::Origin;
use super::{SourceError, encoding};

/// The kinds of file that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    Csv,
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

impl Format {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Xlsx => "xlsx",
            Self::Xlsb => "xlsb",
            Self::Xls => "xls",
            Self::Ods => "ods",
        }
    }
}

/// The largest part of a workbook, unpacked.
const LARGEST_PART: u64 = 2 << 30;
/// A larger part that is packed more tightly than this was made to do harm; sheets reach 1:50.
const TIGHTEST: u64 = 500;
/// Smaller parts may be packed as they like.
const HARMLESS: u64 = 64 << 20;
/// XLS and ODS are held in memory wholly.
const LARGEST_WHOLE: u64 = 50 << 20;
/// The list of the parts of a workbook.
const LARGEST_LIST: u64 = 16 << 20;

/// Many systems export a page under the name of a workbook.
const HTML: &str =
    "an HTML page, as some systems export under the name .xls; open it in a spreadsheet program";

const SYLK: &str = "a SYLK workbook; open it in a spreadsheet program";

const OLE: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Finds the format by content; a file's name may say anything.
///
/// # Errors
/// Where it is a workbook too large to be unpacked, or a file of a kind that is no table.
pub(super) fn format(origin: &Origin) -> Result<Format, SourceError> {
    let start = origin.start(512)?;
    if start.starts_with(b"PK\x03\x04") {
        return archive(origin);
    }
    if start.starts_with(OLE) {
        if holds_stream(origin, "DRMEncryptedDataSpace")? {
            return Err(unsupported(
                origin,
                "a workbook under rights management, which only those who are allowed to can open",
            ));
        }
        if holds_stream(origin, "EncryptedPackage")? {
            return Err(SourceError::Encrypted {
                name: origin.name.clone(),
            });
        }
        if holds_stream(origin, "WordDocument")? {
            return Err(unsupported(origin, "a Word document"));
        }
        whole(origin)?;
        return Ok(Format::Xls);
    }
    let text = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&start);
    let lower = text.trim_ascii_start().to_ascii_lowercase();
    if lower.starts_with(b"<?xml") {
        let has = |mark: &[u8]| memchr::memmem::find(&lower, mark).is_some();
        return Err(unsupported(
            origin,
            if has(b"excel.sheet") || has(b"<workbook") || has(b"office:spreadsheet") {
                "an XML spreadsheet of the year 2003, whatever its name says; open it in a spreadsheet program"
            } else if has(b"opendocument:xmlns:office") {
                "a flat OpenDocument file; open it in a spreadsheet program"
            } else if has(b"<html") {
                HTML
            } else {
                "an XML file"
            },
        ));
    }
    for (mark, what) in [
        (&b"%pdf-"[..], "a PDF document"),
        (b"{\\rtf", "an RTF document"),
        (b"<!doctype html", HTML),
        (b"<html", HTML),
        (b"<head", HTML),
        (b"<meta", HTML),
        (b"<style", HTML),
        (b"<body", HTML),
        (b"<table", HTML),
        (b"<!--", HTML),
        (
            b"begin:vcard",
            "a file of contacts (vCard) and no table; export the contacts as CSV",
        ),
        (b"begin:vcalendar", "a calendar"),
        (b"id;pwxl", SYLK),
        (b"id;pscalc", SYLK),
        (b"id;pocalc", SYLK),
        (
            b"mime-version:",
            "a web archive, as some systems export under the name .xls; open it in a spreadsheet program",
        ),
    ] {
        if lower.starts_with(mark) {
            return Err(unsupported(origin, what));
        }
    }
    for (mark, what) in [
        (&[0x1F, 0x8B][..], "packed with gzip"),
        (&[0x28, 0xB5, 0x2F, 0xFD], "packed with zstd"),
        (b"7z\xBC\xAF\x27\x1C", "a 7-Zip archive"),
        (b"Rar!\x1A\x07", "a RAR archive"),
        (b"SQLite format 3\0", "an SQLite database"),
        (b"PAR1", "a Parquet file"),
        // BOF of BIFF 2, 3 and 4, each with its length ([MS-XLS] has only the later ones).
        (&[0x09, 0x00, 0x04, 0x00], "a workbook of Excel 2"),
        (&[0x09, 0x02, 0x06, 0x00], "a workbook of Excel 3"),
        (&[0x09, 0x04, 0x06, 0x00], "a workbook of Excel 4"),
        (&[0x00, 0x00, 0x02, 0x00], "a workbook of Lotus 1-2-3"),
    ] {
        if start.starts_with(mark) {
            return Err(unsupported(origin, what));
        }
    }
    if is_dbase(&start) {
        return Err(unsupported(
            origin,
            "a dBASE table; open it in a spreadsheet program",
        ));
    }
    if !start.is_empty() && start.iter().all(|byte| *byte == 0) {
        return Err(unsupported(
            origin,
            "a file that begins with nothing but zeros, as a copy that was broken off leaves it; copy or export it again",
        ));
    }
    if is_json(&lower) {
        return Err(unsupported(origin, "a JSON file and no table"));
    }
    if is_binary(&origin.start(4096)?) {
        return Err(unsupported(
            origin,
            "no text: its bytes are those of a picture, a program or another kind of document",
        ));
    }
    Ok(Format::Csv)
}

/// Whether a table of dBASE or FoxPro begins like this: a version, the date of the last change, the
/// number of rows, the lengths of header and rows (dBASE III file format; the marks of versions are
/// those that `file` knows).
fn is_dbase(start: &[u8]) -> bool {
    const VERSIONS: &[u8] = &[
        0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8E, 0xCB, 0xF5, 0xFB,
    ];
    let [
        version,
        _,
        month,
        day,
        _,
        _,
        _,
        _,
        low,
        high,
        row_low,
        row_high,
        0,
        0,
        ..,
    ] = start
    else {
        return false;
    };
    VERSIONS.contains(version)
        && (1..=12).contains(month)
        && (1..=31).contains(day)
        && u16::from_le_bytes([*low, *high]) > 32
        && u16::from_le_bytes([*row_low, *row_high]) > 0
}

/// Whether a text begins as objects and lists do in JSON (RFC 8259), and as no header does.
fn is_json(text: &[u8]) -> bool {
    let next = |text: &[u8]| {
        text.trim_ascii_start()
            .split_first()
            .map(|(a, b)| (*a, b.to_vec()))
    };
    match next(text) {
        Some((b'{', rest)) => matches!(next(&rest), Some((b'"' | b'}', _))),
        Some((b'[', rest)) => match next(&rest) {
            Some((b'{', rest)) => matches!(next(&rest), Some((b'"' | b'}', _))),
            Some((b'[', rest)) => matches!(next(&rest), Some((b'"' | b'0'..=b'9', _))),
            _ => false,
        },
        _ => false,
    }
}

/// Whether these bytes are those of no text: many are of control characters, and of several.
fn is_binary(start: &[u8]) -> bool {
    if encoding::is_wide(start) {
        return false;
    }
    // Some programs fill the end of a file with these.
    let end = start.iter().rposition(|byte| !matches!(byte, 0 | 0x1A));
    let start = &start[..end.map_or(0, |end| end + 1)];
    let mut seen = [0_usize; 32];
    for byte in start.iter().filter(|byte| **byte < 32) {
        seen[usize::from(*byte)] += 1;
    }
    // Tab, the line ends, escape, and the separators that stand between cells in some files.
    for usual in [0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F] {
        seen[usual] = 0;
    }
    let count: usize = seen.iter().sum();
    let kinds = seen.iter().filter(|count| **count > 0).count();
    kinds >= 4 && count >= 24 && count * 16 > start.len()
}

fn unsupported(origin: &Origin, what: &'static str) -> SourceError {
    SourceError::Unsupported {
        name: origin.name.clone(),
        what,
    }
}

fn too_large(origin: &Origin, what: String) -> SourceError {
    SourceError::TooLarge {
        name: origin.name.clone(),
        what,
    }
}

fn whole(origin: &Origin) -> Result<(), SourceError> {
    if origin.size > LARGEST_WHOLE {
        return Err(too_large(
            origin,
            format!(
                "it has {} MiB, and workbooks of this old format are read up to {} MiB",
                origin.size >> 20,
                LARGEST_WHOLE >> 20
            ),
        ));
    }
    Ok(())
}

/// Whether an OLE file has a stream of this name. A workbook with a password has one of the name
/// `EncryptedPackage` ([MS-OFFCRYPTO] 2.3.4), one under rights management the other (2.2.11).
fn holds_stream(origin: &Origin, name: &str) -> Result<bool, SourceError> {
    let name: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut buffer = vec![0; 64 * 1024];
    let (mut reader, mut kept) = (origin.reader(0), 0);
    loop {
        let read = reader
            .read(&mut buffer[kept..])
            .map_err(|cause| origin.read_error(cause))?;
        if read == 0 {
            return Ok(false);
        }
        let filled = kept + read;
        if memchr::memmem::find(&buffer[..filled], &name).is_some() {
            return Ok(true);
        }
        kept = filled.min(name.len());
        buffer.copy_within(filled - kept..filled, 0);
    }
}

/// One part of a ZIP archive.
struct Part {
    name: String,
    packed: u64,
    size: u64,
}

fn archive(origin: &Origin) -> Result<Format, SourceError> {
    let parts = parts(origin)?;
    let mut format = None;
    for part in &parts {
        let name = part.name.replace('\\', "/").to_ascii_lowercase();
        match name.trim_start_matches('/') {
            "xl/workbook.bin" => format = Some(Format::Xlsb),
            "word/document.xml" => return Err(unsupported(origin, "a Word document")),
            "ppt/presentation.xml" => return Err(unsupported(origin, "a presentation")),
            "index/document.iwa" => return Err(unsupported(origin, "a Numbers document")),
            "content.xml" if format.is_none() => format = Some(Format::Ods),
            "[content_types].xml" if format != Some(Format::Xlsb) => format = Some(Format::Xlsx),
            _ => {}
        }
        if part.size > LARGEST_PART {
            return Err(too_large(
                origin,
                format!(
                    "its part {} unpacks to more than {} MiB",
                    part.name,
                    LARGEST_PART >> 20
                ),
            ));
        }
        if part.size > HARMLESS && part.size / part.packed.max(1) > TIGHTEST {
            return Err(too_large(
                origin,
                format!(
                    "its part {} unpacks to {} times its size, as no real workbook does",
                    part.name,
                    part.size / part.packed.max(1)
                ),
            ));
        }
    }
    let total = parts
        .iter()
        .fold(0, |sum: u64, part| sum.saturating_add(part.size));
    if total > 2 * LARGEST_PART {
        return Err(too_large(
            origin,
            format!("its parts unpack to {} MiB", total >> 20),
        ));
    }
    match format {
        Some(Format::Ods) => {
            whole(origin)?;
            Ok(Format::Ods)
        }
        Some(format) => Ok(format),
        None => Err(unsupported(
            origin,
            "a ZIP archive without a workbook in it",
        )),
    }
}

/// Reads the list at the end of a ZIP archive (APPNOTE.TXT 4.3.12, 4.3.14, 4.3.16).
fn parts(origin: &Origin) -> Result<Vec<Part>, SourceError> {
    let cut_off = || SourceError::Damaged {
        name: origin.name.clone(),
        what: "its end is missing".to_owned(),
    };
    let read = |from: u64, length: u64| -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        let mut reader = origin.reader(0);
        reader
            .seek(SeekFrom::Start(from))
            .and_then(|_| reader.take(length).read_to_end(&mut bytes))
            .map_err(|cause| origin.read_error(cause))?;
        Ok(bytes)
    };
    let tail = read(origin.size.saturating_sub(66_000), 66_000)?;
    let end = memchr::memmem::rfind(&tail, b"PK\x05\x06").ok_or_else(cut_off)?;
    let (mut length, mut from) = (
        u64::from(u32_at(&tail, end + 12).ok_or_else(cut_off)?),
        u64::from(u32_at(&tail, end + 16).ok_or_else(cut_off)?),
    );
    if length == u64::from(u32::MAX) || from == u64::from(u32::MAX) {
        let end = memchr::memmem::rfind(&tail, b"PK\x06\x06").ok_or_else(cut_off)?;
        length = u64_at(&tail, end + 40).ok_or_else(cut_off)?;
        from = u64_at(&tail, end + 48).ok_or_else(cut_off)?;
    }
    if length > LARGEST_LIST {
        return Err(too_large(origin, "it has too many parts".to_owned()));
    }
    let list = read(from, length)?;
    let mut parts = Vec::new();
    let mut at = 0;
    while list.get(at..at + 4) == Some(b"PK\x01\x02") {
        let field = |offset| u16_at(&list, at + offset).map(usize::from);
        let (Some(packed), Some(size), Some(name), Some(extra), Some(comment)) = (
            u32_at(&list, at + 20),
            u32_at(&list, at + 24),
            field(28),
            field(30),
            field(32),
        ) else {
            break;
        };
        let name_bytes = list.get(at + 46..at + 46 + name).ok_or_else(cut_off)?;
        let extra_bytes = list.get(at + 46 + name..at + 46 + name + extra);
        let (size, packed) = sizes(size, packed, extra_bytes.unwrap_or_default());
        parts.push(Part {
            name: String::from_utf8_lossy(name_bytes).into_owned(),
            packed,
            size,
        });
        at += 46 + name + extra + comment;
    }
    Ok(parts)
}

/// Sizes unpacked and packed: where one is 0xFFFFFFFF, it stands among the extra fields (APPNOTE.TXT
/// 4.5.3), as streaming writers have it for parts of any size.
fn sizes(size: u32, packed: u32, extra: &[u8]) -> (u64, u64) {
    let mut at = 0;
    let mut wide = &[][..];
    while let (Some(id), Some(length)) = (u16_at(extra, at), u16_at(extra, at + 2)) {
        let data = extra.get(at + 4..at + 4 + usize::from(length));
        if id == 1 {
            wide = data.unwrap_or_default();
        }
        at += 4 + usize::from(length);
    }
    let mut next = 0;
    let mut real = |short: u32| {
        if short != u32::MAX {
            return u64::from(short);
        }
        let long = u64_at(wide, next).unwrap_or(u64::MAX);
        next += 8;
        long
    };
    let size = real(size);
    (size, real(packed))
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::super::Input;
    use super::*;

    fn judge(bytes: &[u8]) -> Result<Format, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, bytes).unwrap();
        Origin::open(&Input::Path(path))
            .and_then(|origin| format(&origin))
            .map_err(|error| error.to_string())
    }

    /// An archive's list with parts of these names and sizes, and nothing else.
    fn list(parts: &[(&str, u32, u32)]) -> Vec<u8> {
        let mut bytes = b"PK\x03\x04".to_vec();
        let from = bytes.len() as u32;
        for (name, packed, size) in parts {
            let mut entry = vec![0; 46];
            entry[..4].copy_from_slice(b"PK\x01\x02");
            entry[20..24].copy_from_slice(&packed.to_le_bytes());
            entry[24..28].copy_from_slice(&size.to_le_bytes());
            entry[28..30].copy_from_slice(&(name.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&entry);
            bytes.extend_from_slice(name.as_bytes());
        }
        let length = bytes.len() as u32 - from;
        bytes.extend_from_slice(b"PK\x05\x06\0\0\0\0\0\0\0\0");
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(&from.to_le_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes
    }

    #[test]
    fn the_content_says_what_a_file_is() {
        let types = ("[Content_Types].xml", 100, 1000);
        for (bytes, expected) in [
            (b"a,b\n".to_vec(), Ok(Format::Csv)),
            (Vec::new(), Ok(Format::Csv)),
            (list(&[types]), Ok(Format::Xlsx)),
            (list(&[types, ("xl/workbook.bin", 1, 1)]), Ok(Format::Xlsb)),
            (list(&[("content.xml", 1, 1)]), Ok(Format::Ods)),
            (b"%PDF-1.7".to_vec(), Err("a PDF document")),
            (b" <HTML><body>".to_vec(), Err("an HTML page")),
            (vec![0x1F, 0x8B, 8], Err("cannot be unpacked")),
            (b"PK\x03\x04cut".to_vec(), Err("its end is missing")),
            (list(&[("a.txt", 1, 1)]), Err("without a workbook")),
            (
                list(&[types, ("word/document.xml", 1, 1)]),
                Err("a Word document"),
            ),
            (b"\n<table><tr><td>a".to_vec(), Err("under the name .xls")),
            (
                b"<?xml version=\"1.0\"?><?mso-application progid=\"Excel.Sheet\"?>".to_vec(),
                Err("of the year 2003"),
            ),
            (b"MIME-Version: 1.0".to_vec(), Err("a web archive")),
            (vec![9, 4, 6, 0, 0, 0], Err("Excel 4")),
            (vec![0, 0, 2, 0, 6, 4, 6, 0], Err("Lotus 1-2-3")),
            (
                [&[3, 120, 1, 31, 1, 0, 0, 0, 65, 0, 11, 0], &[0; 20][..], b"NAME"].concat(),
                Err("a dBASE table"),
            ),
            (b"BEGIN:VCARD\r\nVERSION:4.0\r\n".to_vec(), Err("vCard")),
            (b"ID;PWXL;N;E\r\nB;Y2;X2\r\n".to_vec(), Err("SYLK")),
            (b"ID;Price\nA;5\n".to_vec(), Ok(Format::Csv)),
            (
                b"<?xml version=\"1.0\"?><office:document xmlns:office=\"urn:oasis:names:tc:opendocument:xmlns:office:1.0\">".to_vec(),
                Err("a flat OpenDocument file"),
            ),
            (vec![0; 700], Err("nothing but zeros")),
            (b"a\tb\n1\t2\n".to_vec(), Ok(Format::Csv)),
            (b"[ {\"id\": 1}]".to_vec(), Err("a JSON file")),
            (b"{\n \"id\": 1}".to_vec(), Err("a JSON file")),
            (b"[x],{y}\n".to_vec(), Ok(Format::Csv)),
            (b"{id};{name}\n".to_vec(), Ok(Format::Csv)),
            ((0..=255).cycle().take(900).collect(), Err("no text")),
            (b"a\x01b\n".repeat(99), Ok(Format::Csv)),
            ([b"a,b\n1,2\n", &[0; 900][..]].concat(), Ok(Format::Csv)),
            (
                "a,b\n1,2\n"
                    .repeat(9)
                    .encode_utf16()
                    .flat_map(u16::to_be_bytes)
                    .collect(),
                Ok(Format::Csv),
            ),
        ] {
            match (judge(&bytes), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                (found, expected) => panic!("{found:?}, not {expected:?}"),
            }
        }
    }

    #[test]
    fn sizes_may_stand_among_the_extra_fields() {
        let mut extra = vec![9, 0, 2, 0, 0, 0, 1, 0, 16, 0];
        extra.extend_from_slice(&1000u64.to_le_bytes());
        extra.extend_from_slice(&100u64.to_le_bytes());
        assert_eq!(sizes(u32::MAX, u32::MAX, &extra), (1000, 100));
        assert_eq!(sizes(7, u32::MAX, &extra), (7, 1000));
        assert_eq!(sizes(7, 8, &extra), (7, 8));
        assert_eq!(sizes(u32::MAX, 8, &[]), (u64::MAX, 8));
    }

    #[test]
    fn bombs_are_refused_before_they_are_unpacked() {
        let types = ("[Content_Types].xml", 100, 1000);
        for (part, expected) in [
            (("xl/worksheets/sheet1.xml", 1 << 20, u32::MAX), "2048 MiB"),
            (
                ("xl/worksheets/sheet1.xml", 1 << 10, 100 << 20),
                "times its size",
            ),
        ] {
            let error = judge(&list(&[types, part])).unwrap_err();
            assert!(error.contains(expected), "{error}");
        }
    }
}
