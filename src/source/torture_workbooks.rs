//! A second reader sees the same cells in a collection of odd workbooks.
//!
//! The files are not part of this crate; where their folder is absent, the test says so and passes.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::Input;
use super::container;
use super::origin::Origin;
use super::sheet::Book;
use crate::area::Area;
use crate::row::Kind;

/// Made by `scripts/workbooks.py`.
const DIGESTS: &str = include_str!("torture_workbooks.digests.txt");

fn folder() -> Option<PathBuf> {
    let folder = Path::new(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/data/xlsx-torture"
    ));
    if folder.is_dir() {
        Some(folder.to_owned())
    } else {
        println!("skipped: there is no folder {}", folder.display());
        None
    }
}

#[test]
fn a_second_reader_sees_the_same_cells() {
    let Some(folder) = folder() else { return };
    let mut wrong = Vec::new();
    for line in DIGESTS.lines() {
        let name = line.split('\t').next().unwrap();
        let origin = Origin::open(&Input::Path(folder.join(name))).unwrap();
        let (mut filled, mut numbers, mut sum) = (0, 0, 0xCBF2_9CE4_8422_2325_u64);
        let mut book =
            match container::format(&origin).and_then(|format| Book::open(&origin, format)) {
                Ok(book) => book,
                Err(error) => {
                    wrong.push(format!("{line}\n{error}"));
                    continue;
                }
            };
        for sheet in book.sheets().to_vec() {
            let read = book.rows(&origin, &sheet.name, Area::WHOLE, &mut |row| {
                for (column, text, kind) in row.cells() {
                    let text = text.trim_matches([' ', '\t', '\r', '\n']);
                    if text.is_empty() {
                        continue;
                    }
                    filled += 1;
                    let kind = match kind {
                        Kind::Text => "t",
                        Kind::Boolean(_) => "b",
                        Kind::Error => "e",
                        _ => {
                            numbers += 1;
                            continue;
                        }
                    };
                    for byte in format!("{},{},{kind},{text}\n", row.number(), column + 1).bytes() {
                        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
                    }
                }
                ControlFlow::Continue(())
            });
            if let Err(error) = read {
                wrong.push(format!("{line}\n{error}"));
            }
        }
        let found = format!("{name}\t{filled}\t{numbers}\t{sum:016x}");
        if found != line {
            wrong.push(format!("{line}\n{found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "expected, then found:\n{}",
        wrong.join("\n")
    );
}

#[test]
fn the_same_workbook_in_several_formats_is_the_same() {
    let Some(folder) = folder() else { return };
    // Those of the older formats were saved from others with more or fewer cells.
    for (name, formats) in [
        ("cal-any_sheets", &["xlsx", "xlsb", "xls", "ods"][..]),
        ("cal-date", &["xlsx", "xlsb"]),
        ("cal-issues", &["xlsx", "xlsb"]),
    ] {
        let texts = |format: &&str| {
            let path = folder.join(format!("{name}.{format}"));
            let source = super::open(&Input::Path(path), &super::Options::default()).unwrap();
            let mut texts: Vec<String> =
                source.header.names.iter().map(|n| n.to_string()).collect();
            source
                .read(100, &mut |batch| {
                    let cells = batch.rows().flat_map(|row| row.cells());
                    texts.extend(cells.map(|cell| cell.text.to_owned()));
                    ControlFlow::Continue(())
                })
                .unwrap();
            texts
        };
        let first = texts(&formats[0]);
        for format in &formats[1..] {
            assert_eq!(texts(format), first, "{name}.{format}");
        }
    }
}
