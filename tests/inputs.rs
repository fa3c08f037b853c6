//! What may stand on the command line as an input: packed files, folders, patterns, standard input.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::io::Write;
use std::process::Stdio;

use common::Bench;
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::json;

const MAPPING: &str = r#"target = "kaiten"

[row]
key = "Id"

[fields]
name = "Name"
externalCustomerId = "Id"
"#;

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("m.toml", MAPPING);
    bench
}

#[test]
fn a_packed_file_is_checked_and_its_reject_file_is_plain() {
    let bench = bench();
    let packed = gzip("Id;Name\r\nc-1;Zoë\r\n;Nobody\r\n");
    std::fs::write(bench.path().join("clients.csv.gz"), packed).unwrap();
    let ran = bench
        .run(&[
            "check",
            "clients.csv.gz",
            "-m",
            "m.toml",
            "--json",
            "--rejects",
            "./",
        ])
        .expect(1);
    let summary = ran.json();
    assert_eq!(summary["read"], json!(2));
    assert_eq!(summary["fates"]["rejected"], json!(1));
    let rejects = bench.read("clients.rejects.csv");
    assert!(rejects.starts_with("Id;Name;_row"), "{rejects}");
    assert!(rejects.contains(";Nobody;3;"), "{rejects}");
}

#[test]
fn standard_input_may_be_packed() {
    let bench = bench();
    let mut child = bench
        .command(&["columns", "-", "--json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&gzip("Id,Name\n1,x\n2,y\n"))
        .unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let told: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
    assert_eq!(
        (&told["packed"], &told["rows"]),
        (&json!("gzip"), &json!(2))
    );
    assert_eq!(told["input"], json!("stdin"));
}

#[test]
fn a_damaged_packed_file_is_a_mistake_before_anything_is_sent() {
    let bench = bench();
    let packed = gzip(&format!("Id,Name\n{}", "c-1,Ann\n".repeat(1000)));
    std::fs::write(
        bench.path().join("clients.csv.gz"),
        &packed[..packed.len() - 4],
    )
    .unwrap();
    let ran = bench
        .run(&["check", "clients.csv.gz", "-m", "m.toml"])
        .expect(2);
    assert!(
        ran.stderr
            .contains("clients.csv.gz cannot be unpacked: it is cut off or damaged"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_folder_and_a_pattern_take_tables_in_name_order_without_our_own() {
    let bench = bench();
    bench.file("in/b.csv", "Id,Name\nc-2,Bob\n");
    bench.file("in/a.csv", "Id,Name\nc-1,Ann\n,Nobody\n");
    std::fs::write(bench.path().join("in/c.csv.gz"), gzip("Id,Name\nc-3,Cem\n")).unwrap();
    bench.file("in/notes.md", "nothing to import");
    bench
        .run(&["check", "in", "-m", "m.toml", "--rejects", "in"])
        .expect(1);
    assert!(bench.has("in/a.rejects.csv"));
    let inputs = |argument: &str| {
        let ran = bench.run(&["check", argument, "-m", "m.toml", "--json"]);
        ran.json()["inputs"].clone()
    };
    assert_eq!(inputs("in"), json!(["in/a.csv", "in/b.csv", "in/c.csv.gz"]));
    assert_eq!(inputs("in/*.csv"), json!(["in/a.csv", "in/b.csv"]));
    assert_eq!(inputs("in/*.rejects.csv"), json!(["in/a.rejects.csv"]));
}

#[test]
fn with_several_sheets_rows_and_cells_name_theirs() {
    let bench = bench();
    let mut book = rust_xlsxwriter::Workbook::new();
    for name in ["New", "Old ones"] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        for (row, cells) in [["Id", "Name"], ["c-1", name], ["", "Nobody"]]
            .into_iter()
            .enumerate()
        {
            for (column, cell) in cells.into_iter().enumerate() {
                sheet.write(row as u32, column as u16, cell).unwrap();
            }
        }
    }
    book.save(bench.path().join("c.xlsx")).unwrap();
    let mapping = format!("{MAPPING}\n[source]\nsheet = \"*\"\n");
    bench.file("m.toml", &mapping);
    let check = |input: &str, rejects: &str| {
        let arguments = ["check", input, "-m", "m.toml", "--json", "--rejects"];
        let arguments = [&arguments[..], &[rejects]].concat();
        bench.run(&arguments).expect(1).json()
    };
    let summary = check("c.xlsx", "first.csv");
    let groups = summary["issues"].as_array().unwrap();
    let empty = groups.iter().find(|group| group["code"] == "key.empty");
    let examples = empty.unwrap()["examples"].as_array().unwrap().iter();
    let places: Vec<_> = examples
        .map(|example| {
            (
                example["sheet"].clone(),
                example["row"].clone(),
                example["cell"].clone(),
            )
        })
        .collect();
    assert_eq!(
        places,
        [
            (json!("New"), json!(3), json!("New!A3")),
            (json!("Old ones"), json!(3), json!("'Old ones'!A3")),
        ]
    );
    let rejects = bench.read("first.csv");
    for part in [
        ",Nobody,New!3,",
        ",Nobody,''Old ones'!3,",
        "'Old ones'!A3",
        "row New!2 has",
    ] {
        assert!(rejects.contains(part), "{part}: {rejects}");
    }
    // Handed back, its rows still stand where they stood first.
    check("first.csv", "second.csv");
    let same = |text: &str| -> Vec<String> {
        let lines = text.lines().filter(|line| line.contains("key.empty"));
        lines.map(str::to_owned).collect()
    };
    assert_eq!(same(&bench.read("second.csv")), same(&rejects));
    assert_eq!(same(&rejects).len(), 2);
}
