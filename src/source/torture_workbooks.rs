//! What each of a collection of odd workbooks is, and that a second reader sees the same cells.
//!
//! The files are not part of this crate; where their folder is absent, the tests say so and pass.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use super::container;
use super::origin::Origin;
use super::sheet::Book;
use super::{Input, Options, open};
use crate::area::Area;
use crate::row::Kind;

/// One line a file: rows, columns, notes; or the sentence without the file's name.
const TABLE: &str = include_str!("torture_workbooks.txt");
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

fn outcome(path: &Path) -> Result<String, String> {
    let plain = |error: super::SourceError| {
        let sentence = error.to_string();
        let sentence = sentence.replace(&path.display().to_string(), "it");
        assert!(sentence.ends_with('.'), "{sentence}");
        sentence
    };
    let source = open(&Input::Path(path.to_owned()), &Options::default()).map_err(plain)?;
    let mut rows = 0;
    source
        .read(7, &mut |batch| {
            rows += batch.len();
            ControlFlow::Continue(())
        })
        .map_err(plain)?;
    Ok(format!(
        "{rows} x {}, header in row {}, notes {}",
        source.header.names.len(),
        source.header.row,
        source.notes.len()
    ))
}

#[test]
fn every_odd_workbook_is_what_the_table_says() {
    let Some(folder) = folder() else { return };
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|name| name != "md" && name != "csv")
        })
        .collect();
    paths.sort();
    let mut found = String::new();
    for path in &paths {
        let name = path.file_name().unwrap().to_string_lossy();
        let line = outcome(path).unwrap_or_else(|sentence| sentence);
        found.push_str(&format!("{name}: {line}\n"));
    }
    let wrong: Vec<(&str, &str)> = found
        .lines()
        .zip(TABLE.lines().chain(std::iter::repeat("")))
        .filter(|(found, expected)| found != expected)
        .collect();
    assert!(
        found == TABLE,
        "found and expected: {wrong:#?}\nall:\n{found}"
    );
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
