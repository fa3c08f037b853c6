//! Reject and results files as they come to lie on disk.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Header, Kind, RowBatch};

fn header(names: &[&str]) -> Header {
    Header {
        names: names.iter().map(|&name| Arc::from(name)).collect(),
        first_column: 0,
        row: 1,
    }
}

fn batch(rows: &[&[&str]]) -> RowBatch {
    let mut batch = RowBatch::with_capacity(rows.len(), 4);
    for (place, row) in rows.iter().enumerate() {
        for cell in *row {
            batch.push_cell(cell, Kind::Text);
        }
        batch.end_row(place as u64 + 2, place as u64 + 2, None);
    }
    batch
}

fn rejected(row: u64, key: &str, issues: Vec<Issue>) -> Settled {
    Settled {
        row,
        sheet: None,
        line: Some(row),
        key: key.into(),
        fate: Fate::Rejected,
        id: None,
        run: None,
        note: String::new(),
        issues,
    }
}

fn issue(code: &str, column: usize, value: &str, message: &'static str) -> Issue {
    Issue {
        code: code.into(),
        severity: Severity::Error,
        column: Some(column),
        field: None,
        value: Some(value.into()),
        message: message.into(),
    }
}

/// What a ledger would know of files written before.
#[derive(Default)]
struct Known(RefCell<HashMap<PathBuf, [u8; 32]>>);

impl Known {
    fn learn(&self, written: &Written) {
        self.0
            .borrow_mut()
            .insert(written.path.clone(), written.hash);
    }
}

impl Ours for Known {
    fn is_ours(&self, path: &Path, hash: [u8; 32]) -> bool {
        self.0.borrow().get(path) == Some(&hash)
    }

    fn about_to_write(&self, _: &Path, _: [u8; 32]) {}
}

/// Knows no file.
struct Nobody;

impl Ours for Nobody {
    fn is_ours(&self, _: &Path, _: [u8; 32]) -> bool {
        false
    }

    fn about_to_write(&self, _: &Path, _: [u8; 32]) {}
}

/// Writes these rows as rejects, each with its place as its number.
fn write(folder: &Path, names: &[&str], rows: &[&[&str]], dialect: Dialect) -> RejectWriter {
    let header = header(names);
    let batch = batch(rows);
    let mut writer = RejectWriter::create(folder, &header, dialect, None).unwrap();
    for row in batch.rows() {
        let settled = rejected(row.number(), "k", Vec::new());
        writer.write(&header, row, &settled, row.number()).unwrap();
    }
    writer
}

fn names_in(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_reject_file_is_the_source_with_what_is_wrong() {
    let folder = TempDir::new().unwrap();
    let header = header(&["id", "Name; full", "Email"]);
    let batch = batch(&[
        &["007", " \"Bob\"\nB. ", "bob@"],
        &["=1+1", "-5", ""],
        &["1", "long", "a@b.example", "extra"],
        &["2"],
    ]);
    let dialect = Dialect {
        delimiter: b';',
        terminator: "\r\n",
        bom: true,
        ..Dialect::default()
    };
    let mut writer = RejectWriter::create(folder.path(), &header, dialect, None).unwrap();
    let mut warning = issue("name.cut", 1, "long", "The text was cut.");
    warning.severity = Severity::Warning;
    let rows = [
        rejected(
            2,
            "007",
            vec![
                issue(
                    "email.invalid",
                    2,
                    "bob@",
                    "no domain; write name@example.com",
                ),
                issue("email.invalid", 2, "bob@", "`bob@` is no address"),
            ],
        ),
        rejected(
            3,
            "=1+1",
            vec![issue("email.required", 2, "", "must not be empty")],
        ),
        rejected(
            4,
            "1",
            vec![
                warning,
                Issue {
                    column: None,
                    value: None,
                    ..issue("row.ragged", 0, "", "4 cells, the header has 3")
                },
            ],
        ),
        Settled {
            fate: Fate::Uncertain,
            note: "timeout".into(),
            ..rejected(5, "2", Vec::new())
        },
    ];
    for (row, settled) in batch.rows().zip(&rows) {
        writer.write(&header, row, settled, settled.row).unwrap();
    }
    assert_eq!(writer.count(), 4);
    let wanted = folder.path().join("c.rejects.csv");
    let written = writer.finish(&wanted, &Nobody).unwrap().unwrap();
    assert_eq!(written.path, wanted);
    assert_eq!(written.note, None);
    let bytes = fs::read(&wanted).unwrap();
    assert_eq!(written.hash, *blake3::hash(&bytes).as_bytes());
    let expected = [
        "\u{feff}id;\"Name; full\";Email;_row;_key;_fate;_codes;_problems",
        "007;\" \"\"Bob\"\"\nB. \";bob@;2;007;rejected;email.invalid;\"C2 \"\"bob@\"\": no domain; write name@example.com; C2: `bob@` is no address\"",
        "'=1+1;-5;;3;'=1+1;rejected;email.required;\"C3 \"\"\"\": must not be empty\"",
        "1;long;a@b.example;4;1;rejected;row.ragged;\"4 cells, the header has 3; warning: B4 \"\"long\"\": The text was cut.\";extra",
        "2;;;5;2;uncertain;;\"sent, but it is not known whether the target made it: look there before you send it again, then write `send` or `created:ID` into _fate; timeout\"",
        "",
    ];
    assert_eq!(String::from_utf8(bytes).unwrap(), expected.join("\r\n"));
    assert_eq!(names_in(folder.path()), ["c.rejects.csv"]);
}

#[cfg(unix)]
#[test]
fn only_the_owner_may_read_them() {
    use std::os::unix::fs::PermissionsExt;
    let folder = TempDir::new().unwrap();
    let wanted = folder.path().join("c.rejects.csv");
    let writer = write(folder.path(), &["a"], &[&["1"]], Dialect::default());
    for name in names_in(folder.path()) {
        let mode = fs::metadata(folder.path().join(name)).unwrap();
        assert_eq!(mode.permissions().mode() & 0o777, 0o600);
    }
    writer.finish(&wanted, &Nobody).unwrap();
    let results = ResultsWriter::create(folder.path()).unwrap();
    let written = results
        .finish(&folder.path().join("c.results.csv"), &Nobody)
        .unwrap();
    for path in [wanted, written.path] {
        let mode = fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn a_file_that_is_not_ours_is_never_replaced() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let wanted = path("c.rejects.csv");
    let known = Known::default();
    let put = |text: &str| {
        let writer = write(folder.path(), &["a"], &[&[text]], Dialect::default());
        let written = writer.finish(&wanted, &known).unwrap().unwrap();
        known.learn(&written);
        written.path
    };
    assert_eq!(put("one"), wanted);
    assert_eq!(put("two"), wanted, "what we wrote may be replaced");
    fs::write(&wanted, "mended").unwrap();
    assert_eq!(put("three"), path("c.rejects-2.csv"));
    assert_eq!(put("four"), path("c.rejects-2.csv"));
    fs::write(path("c.rejects-2.csv"), "mended too").unwrap();
    fs::create_dir(path("c.rejects-3.csv")).unwrap();
    assert_eq!(put("five"), path("c.rejects-4.csv"));
    assert_eq!(fs::read_to_string(&wanted).unwrap(), "mended");
    assert_eq!(
        fs::read_to_string(path("c.rejects-2.csv")).unwrap(),
        "mended too"
    );
}

#[test]
fn a_file_is_noted_as_ours_before_it_has_its_name() {
    /// Sees which files are there when one is about to be.
    struct Watch<'f>(&'f Path, RefCell<Vec<(PathBuf, [u8; 32])>>);
    impl Ours for Watch<'_> {
        fn is_ours(&self, _: &Path, _: [u8; 32]) -> bool {
            false
        }

        fn about_to_write(&self, path: &Path, hash: [u8; 32]) {
            let there = names_in(self.0);
            let visible: Vec<&String> =
                there.iter().filter(|name| !name.starts_with('.')).collect();
            assert_eq!(visible, ["c.csv"], "a person's own");
            self.1.borrow_mut().push((path.to_owned(), hash));
        }
    }
    let folder = TempDir::new().unwrap();
    let wanted = folder.path().join("c.csv");
    fs::write(&wanted, "a person's own").unwrap();
    let watch = Watch(folder.path(), RefCell::default());
    let writer = write(folder.path(), &["a"], &[&["1"]], Dialect::default());
    let written = writer.finish(&wanted, &watch).unwrap().unwrap();
    assert_eq!(written.path, folder.path().join("c-2.csv"));
    assert_eq!(watch.1.into_inner(), [(written.path, written.hash)]);
}

#[test]
fn the_same_bytes_again_take_no_new_name() {
    let folder = TempDir::new().unwrap();
    let wanted = folder.path().join("c.rejects.csv");
    for _ in 0..2 {
        let writer = write(folder.path(), &["a"], &[&["1"]], Dialect::default());
        let written = writer.finish(&wanted, &Nobody).unwrap().unwrap();
        assert_eq!(written.path, wanted);
    }
    assert_eq!(names_in(folder.path()), ["c.rejects.csv"]);
}

#[test]
fn without_rejects_there_is_no_file_and_only_our_own_old_one_goes() {
    let folder = TempDir::new().unwrap();
    let wanted = folder.path().join("c.rejects.csv");
    let known = Known::default();
    let put = |rows: &[&[&str]]| {
        let writer = write(folder.path(), &["a"], rows, Dialect::default());
        let written = writer.finish(&wanted, &known).unwrap();
        if let Some(written) = &written {
            known.learn(written);
        }
        written.is_some()
    };
    assert!(!put(&[]));
    assert!(names_in(folder.path()).is_empty());
    assert!(put(&[&["1"]]));
    assert!(!put(&[]));
    assert!(!wanted.exists());
    fs::write(&wanted, "a person's own").unwrap();
    assert!(!put(&[]));
    assert!(wanted.exists());
    drop(write(folder.path(), &["a"], &[&["1"]], Dialect::default()));
    assert_eq!(
        names_in(folder.path()),
        ["c.rejects.csv"],
        "a dropped draft goes"
    );
}

#[test]
fn a_file_handed_back_has_the_added_columns_once() {
    let folder = TempDir::new().unwrap();
    let header = header(&["a", "_row", "_key", "_fate", "_codes", "_problems", "b"]);
    let batch = batch(&[&["1", "17", "k", "rejected", "x", "y", "2"]]);
    let own = [1, 2, 3, 4, 5];
    let dialect = Dialect::default();
    let mut writer = RejectWriter::create(folder.path(), &header, dialect, Some(&own)).unwrap();
    let settled = rejected(2, "k", vec![issue("b.wrong", 6, "2", "must be 3")]);
    writer.write(&header, batch.row(0), &settled, 17).unwrap();
    let written = writer
        .finish(&folder.path().join("x.csv"), &Nobody)
        .unwrap()
        .unwrap();
    assert_eq!(
        fs::read_to_string(written.path).unwrap(),
        "a,b,_row,_key,_fate,_codes,_problems\n1,2,17,k,rejected,b.wrong,\"G17 \"\"2\"\": must be 3\"\n"
    );
}

#[test]
fn text_keeps_the_encoding_of_its_source_where_that_can_hold_it() {
    let long = "ü".repeat(100_000);
    let cases: [(&'static Encoding, &str, &'static Encoding); 7] = [
        (UTF_8, "Zoë 日本", UTF_8),
        (WINDOWS_1252, "Zoë", WINDOWS_1252),
        (WINDOWS_1252, &long, WINDOWS_1252),
        (WINDOWS_1252, "日本", UTF_8),
        (SHIFT_JIS, "日本", SHIFT_JIS),
        (UTF_16LE, "日本 😀", UTF_16LE),
        (UTF_16BE, &long, UTF_16BE),
    ];
    for (encoding, text, expected) in cases {
        let folder = TempDir::new().unwrap();
        let dialect = Dialect {
            encoding,
            ..Dialect::default()
        };
        let writer = write(
            folder.path(),
            &["a"],
            &[&[text], &["é"], &["plain"]],
            dialect,
        );
        let rejects = text == "日本" && encoding == SHIFT_JIS;
        let expected = if rejects { UTF_8 } else { expected };
        let written = writer
            .finish(&folder.path().join("c.csv"), &Nobody)
            .unwrap()
            .unwrap();
        let bytes = fs::read(&written.path).unwrap();
        assert_eq!(written.hash, *blake3::hash(&bytes).as_bytes());
        assert_eq!(written.note.is_some(), expected != encoding, "{encoding:?}");
        let (decoded, used, wrong) = expected.decode(&bytes);
        assert_eq!((used, wrong), (expected, false));
        assert_eq!(
            decoded,
            format!(
                "a,_row,_key,_fate,_codes,_problems\n{text},2,k,rejected,,\né,3,k,rejected,,\nplain,4,k,rejected,,\n"
            )
        );
        if expected != encoding {
            assert!(bytes.starts_with("\u{feff}".as_bytes()));
        }
        assert_eq!(names_in(folder.path()), ["c.csv"]);
    }
}

#[test]
fn results_hold_every_row_with_key_and_id_as_they_are() {
    let folder = TempDir::new().unwrap();
    let mut writer = ResultsWriter::create(folder.path()).unwrap();
    let mut warning = issue("phone.extension", 0, "x", "The extension was dropped.");
    warning.severity = Severity::Warning;
    let base = rejected(2, "+49, a", vec![issue("a.b", 0, "v", "w")]);
    let rows = [
        base.clone(),
        Settled {
            row: 3,
            fate: Fate::Created,
            id: Some("=9".into()),
            run: Some("01J".into()),
            issues: vec![warning.clone()],
            ..base.clone()
        },
        Settled {
            row: 4,
            fate: Fate::Skipped,
            note: "=skip_when".into(),
            issues: Vec::new(),
            ..base.clone()
        },
        Settled {
            row: 5,
            note: "phone.extension and more".into(),
            issues: vec![warning],
            ..base
        },
    ];
    for row in &rows {
        writer.write(row).unwrap();
    }
    let wanted = folder.path().join("c.results.csv");
    writer.finish(&wanted, &Nobody).unwrap();
    assert_eq!(
        fs::read_to_string(&wanted).unwrap(),
        "row,key,fate,id,run,note\n\
         2,\"+49, a\",rejected,,,a.b\n\
         3,\"+49, a\",created,=9,01J,phone.extension: The extension was dropped.\n\
         4,\"+49, a\",skipped,,,'=skip_when\n\
         5,\"+49, a\",rejected,,,phone.extension and more\n"
    );
}

#[test]
fn what_a_killed_run_left_is_removed_and_what_is_in_work_is_not() {
    let folder = TempDir::new().unwrap();
    let left = folder.path().join(".rowferry-left.part");
    let fresh = folder.path().join(".rowferry-fresh.part");
    fs::write(&fresh, "x").unwrap();
    fs::write(&left, "x").unwrap();
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3_600);
    let file = fs::File::options().write(true).open(&left).unwrap();
    file.set_modified(old).unwrap();
    file.try_lock().unwrap();
    drop(ResultsWriter::create(folder.path()).unwrap());
    assert!(left.exists(), "another process holds it");
    drop(file);
    drop(ResultsWriter::create(folder.path()).unwrap());
    assert_eq!(names_in(folder.path()), [".rowferry-fresh.part"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn cells_come_back_as_they_were(
        rows in proptest::collection::vec(
            proptest::collection::vec("['=+@;,|\"\t\r\n0-9a-zé-]{0,8}", 3),
            1..8,
        ),
        delimiter in prop_oneof![Just(b','), Just(b';'), Just(b'\t'), Just(b'|')],
        terminator in prop_oneof![Just("\n"), Just("\r\n"), Just("\r")],
        quote in prop_oneof![Just(b'"'), Just(b'\'')],
    ) {
        let folder = TempDir::new().unwrap();
        let borrowed: Vec<Vec<&str>> = rows
            .iter()
            .map(|row| row.iter().map(String::as_str).collect())
            .collect();
        let slices: Vec<&[&str]> = borrowed.iter().map(Vec::as_slice).collect();
        let dialect = Dialect { delimiter, terminator, quote, ..Dialect::default() };
        let writer = write(folder.path(), &["a", "=b", "c"], &slices, dialect);
        let written = writer
            .finish(&folder.path().join("c.csv"), &Nobody)
            .unwrap()
            .unwrap();
        let mut builder = ::csv::ReaderBuilder::new();
        builder.delimiter(delimiter).quote(quote).has_headers(false);
        if terminator == "\r" {
            builder.terminator(::csv::Terminator::Any(b'\r'));
        }
        let mut reader = builder.from_path(written.path).unwrap();
        let back: Vec<Vec<String>> = reader
            .records()
            .map(|record| record.unwrap().iter().map(|cell| unescape(cell).to_owned()).collect())
            .collect();
        prop_assert_eq!(&back[0][..3], ["a", "=b", "c"]);
        for (row, cells) in rows.iter().zip(&back[1..]) {
            prop_assert_eq!(&cells[..3], &row[..]);
        }
        prop_assert_eq!(back.len(), rows.len() + 1);
    }
}
