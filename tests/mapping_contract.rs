//! Every key of a mapping file, tried. The cases stand in `tests/mapping_contract/*.txt`, in the
//! order of the reference: what a case tries, a mapping, rows, and what becomes of each row.
//!
//! ```text
//! == column: case and outer space do not matter
//! [fields]
//! a = " COMPANY "
//! -- rows
//! company
//! Acme
//! -- gives
//! {"a":"Acme"}
//! ```
//!
//! A row gives its body, `skip RULE`, or `! CODE, …`; a body's warnings follow it as ` ~ CODE`. A
//! mapping that cannot be used gives `mistake CODE` for each mistake. Other parts of a case are
//! `-- file NAME`, `-- target` (in place of the usual one), `-- workbook` (in place of rows, see
//! [`workbook`]), `-- strict`, `-- keys` (each row is led by its key), `-- says` (words that must
//! stand in what is told) and `-- notes` (the codes of all notes).
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;
#[path = "mapping_contract/table.rs"]
mod table;

use std::fmt::Write as _;
use std::fs;
use std::ops::ControlFlow;
use std::path::Path;

use common::Bench;
use common::cases::Case;
use rowferry::issue::{Mistake, Severity};
use rowferry::pipeline::check::claims;
use rowferry::pipeline::load::load_mapping;
use rowferry::pipeline::stage::each_batch;
use rowferry::pipeline::{Loaded, load};
use rowferry::plan::Options;
use rowferry::record::{Plan, Prepared};
use rowferry::source::Input;
use rust_xlsxwriter::{Format, Formula, Table, TableColumn, Workbook};

/// The target of cases that bring none: it takes any field, and has one of each type.
const TARGET: &str = r#"
name = "T"
base_url = "https://t.example"
open_fields = true
[auth]
kind = "none"
[create]
path = "/customers"
id = "id"
[fields]
text_ = { type = "text" }
short = { type = "text", max_length = 5 }
integer_ = { type = "integer" }
decimal_ = { type = "decimal" }
boolean_ = { type = "boolean" }
date_ = { type = "date" }
datetime_ = { type = "datetime" }
email_ = { type = "email" }
phone_ = { type = "phone" }
country_ = { type = "country" }
currency_ = { type = "currency" }
url_ = { type = "url" }
uuid_ = { type = "uuid" }
choice_ = { type = "choice", options = ["active", { value = "closed", label = "Shut down" }, { value = 7, label = "Seven" }] }
choices_ = { type = "choices", options = [{ value = "fileSharing", label = "File sharing" }, "metrics"] }
json_ = { type = "json" }
risky = { type = "integer", min = -1, caution = { values = [0], says = "0 deletes" } }
[custom]
at = "custom"
shape = "object"
open = true
"#;

/// The cases of the contract, and the examples that the reference shows.
fn cases() -> Vec<Case> {
    let mut cases = common::cases::cases("tests/mapping_contract");
    cases.extend(common::cases::cases("docs/reference/examples/mapping"));
    cases
}

/// `\u{200b}` in rows is that character, so that invisible ones can be seen.
fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("\\u{") {
        let (digits, behind) = after.split_once('}').unwrap();
        out.push_str(before);
        out.push(char::from_u32(u32::from_str_radix(digits, 16).unwrap()).unwrap());
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Writes a workbook: a line `sheet NAME` (`hidden sheet NAME`) begins a sheet, the others are its
/// rows, with `|` between cells; after it a line `table NAME` makes a table of them. A cell is a text, or `num 12.5 FORMAT`, `bool true`, `error`.
fn workbook(text: &str, path: &Path) {
    let mut book = Workbook::new();
    let mut name = "Sheet1".to_owned();
    let mut hidden = false;
    let mut table: Option<&str> = None;
    let mut rows: Vec<Vec<&str>> = Vec::new();
    let mut add = |name: &str, hidden: bool, table: Option<&str>, rows: &[Vec<&str>]| {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        match hidden {
            true => sheet.set_hidden(true),
            false => sheet.set_active(true),
        };
        for (r, row) in rows.iter().enumerate() {
            for (c, cell) in row.iter().enumerate() {
                let (r, c, cell) = (r as u32, c as u16, cell.trim());
                if let Some(rest) = cell.strip_prefix("num ") {
                    let (number, format) = rest.split_once(' ').unwrap_or((rest, "General"));
                    let format = Format::new().set_num_format(format);
                    let number: f64 = number.parse().unwrap();
                    sheet
                        .write_number_with_format(r, c, number, &format)
                        .unwrap();
                } else if let Some(truth) = cell.strip_prefix("bool ") {
                    sheet.write_boolean(r, c, truth == "true").unwrap();
                } else if cell == "error" {
                    let formula = Formula::new("=NA()").set_result("#N/A");
                    sheet.write_formula(r, c, formula).unwrap();
                } else if !cell.is_empty() {
                    sheet.write_string(r, c, unescaped(cell)).unwrap();
                }
            }
        }
        if let Some(name) = table {
            let (r, c) = (rows.len() as u32 - 1, rows[0].len() as u16 - 1);
            let headers: Vec<TableColumn> = rows[0]
                .iter()
                .map(|name| TableColumn::new().set_header(name.trim()))
                .collect();
            let table = Table::new().set_name(name).set_columns(&headers);
            sheet.add_table(0, 0, r, c, &table).unwrap();
        }
    };
    for line in text.lines() {
        let next = line
            .strip_prefix("hidden sheet ")
            .or_else(|| line.strip_prefix("sheet "));
        match next {
            Some(next) => {
                if !rows.is_empty() {
                    add(&name, hidden, table.take(), &rows);
                }
                rows.clear();
                name = next.to_owned();
                hidden = line.starts_with("hidden");
            }
            None if line.starts_with("table ") => table = line.strip_prefix("table "),
            None => rows.push(line.split('|').collect()),
        }
    }
    add(&name, hidden, table, &rows);
    book.save(path).unwrap();
}

fn shown(row: &Prepared, keys: bool) -> String {
    let mut line = String::new();
    if keys {
        write!(line, "[{}] ", row.key).unwrap();
    }
    let codes = |wanted: Severity| {
        let told = row
            .issues
            .iter()
            .filter(move |issue| issue.severity == wanted);
        told.map(|issue| issue.code.to_string()).collect::<Vec<_>>()
    };
    match &row.plan {
        Plan::Send(body) => line.push_str(&body.json),
        Plan::Skip(rule, _) => write!(line, "skip {rule}").unwrap(),
        Plan::Reject => write!(line, "! {}", codes(Severity::Error).join(", ")).unwrap(),
    }
    for code in codes(Severity::Warning) {
        write!(line, " ~ {code}").unwrap();
    }
    line
}

/// What became of a case: a line for each row or mistake, all that was told, and the notes' codes.
#[derive(Default)]
struct Outcome {
    lines: Vec<String>,
    told: String,
    notes: Vec<String>,
}

fn tell(outcome: &mut Outcome, mistake: &Mistake) {
    writeln!(
        outcome.told,
        "{}; {}; {}",
        mistake.message,
        mistake.label,
        mistake.help.as_deref().unwrap_or("")
    )
    .unwrap();
}

fn outcome(case: &Case) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("t.target.toml", case.part("target").unwrap_or(TARGET));
    let mapping = case.part("mapping").unwrap();
    let mapping = if mapping.contains("target = ") {
        mapping.to_owned()
    } else {
        format!("target = \"t.target.toml\"\n{mapping}\n")
    };
    write("m.toml", &mapping);
    for (part, text) in &case.parts {
        if let Some(name) = part.strip_prefix("file ") {
            write(name, &format!("{text}\n"));
        }
    }
    let input = match case.part("workbook") {
        Some(text) => {
            workbook(text, &folder.path().join("in.xlsx"));
            "in.xlsx"
        }
        None => {
            write(
                "in.csv",
                &format!("{}\n", unescaped(case.part("rows").unwrap_or("A\nx"))),
            );
            "in.csv"
        }
    };
    let options = Options {
        strict: case.part("strict").is_some(),
        today: jiff::civil::date(2026, 6, 15),
    };
    let inputs = vec![Input::Path(folder.path().join(input))];
    let (loaded, mistakes) = load(&folder.path().join("m.toml"), inputs, &options);
    let mut outcome = Outcome::default();
    for mistake in &mistakes {
        tell(&mut outcome, mistake);
        if mistake.note {
            outcome.notes.push(mistake.code.to_owned());
        } else {
            outcome.lines.push(format!("mistake {}", mistake.code));
        }
    }
    if let Some(loaded) = loaded {
        rows(&loaded, case.part("keys").is_some(), &mut outcome);
    }
    outcome
}

fn rows(loaded: &Loaded, keys: bool, outcome: &mut Outcome) {
    for note in loaded.inputs.iter().flat_map(|input| &input.source.notes) {
        writeln!(outcome.told, "{note}").unwrap();
    }
    let mut claims = claims(loaded).unwrap().unwrap();
    each_batch(&loaded.inputs, &mut |planned| {
        for mut row in planned.rows {
            claims.claim(&mut row);
            outcome.lines.push(shown(&row, keys));
            if let Plan::Skip(_, why) = &row.plan {
                writeln!(outcome.told, "{why}").unwrap();
            }
            for issue in &row.issues {
                let value = issue.value.as_deref().unwrap_or("");
                writeln!(outcome.told, "{value} {}", issue.message).unwrap();
            }
        }
        ControlFlow::Continue(())
    })
    .unwrap();
}

#[test]
fn each_case_gives_what_the_page_promises() {
    let mut wrong = String::new();
    let cases = cases();
    assert!(cases.len() > 100);
    for case in &cases {
        let outcome = outcome(case);
        let wanted = case.lines("gives");
        let mut faults = String::new();
        if outcome.lines != wanted {
            writeln!(faults, "  wanted:\n    {}", wanted.join("\n    ")).unwrap();
            writeln!(faults, "  got:\n    {}", outcome.lines.join("\n    ")).unwrap();
        }
        for words in case.lines("says") {
            if !outcome.told.contains(words) {
                writeln!(faults, "  is not said: {words}").unwrap();
            }
        }
        if case.part("notes").is_some() && outcome.notes != case.lines("notes") {
            writeln!(faults, "  notes: {}", outcome.notes.join(", ")).unwrap();
        }
        if !faults.is_empty() {
            let told = outcome.told.trim_end().replace('\n', "\n    ");
            writeln!(
                wrong,
                "{}: {}\n{faults}  told:\n    {told}",
                case.place, case.name
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// The keys of a struct of the mapping's own types, as a mapping file writes them.
fn keys_of(name: &str) -> Vec<String> {
    let source = include_str!("../src/mapping/file.rs");
    let start = source.find(&format!("pub struct {name} {{")).unwrap();
    let end = start + source[start..].find("\n}").unwrap();
    let fields = source[start..end].lines().filter_map(|line| {
        let (key, _) = line.trim().strip_prefix("pub ")?.split_once(':')?;
        // `type` is a word of Rust.
        Some(if key == "kind" { "type" } else { key }.to_owned())
    });
    fields.collect()
}

#[test]
fn each_key_of_the_types_is_used_by_a_case() {
    let program = include_str!("mapping_contract.rs");
    let cases = cases();
    let texts: Vec<&str> = cases
        .iter()
        .filter_map(|case| case.part("mapping"))
        .chain([program])
        .collect();
    let used = |key: &str| {
        texts.iter().any(|text| {
            let mut rest = *text;
            while let Some(at) = rest.find(key) {
                let before = rest[..at].chars().next_back();
                let after = rest[at + key.len()..].trim_start();
                let begins = before.is_none_or(|c| !c.is_alphanumeric() && c != '_');
                if begins && (after.starts_with('=') || after.starts_with(']')) {
                    return true;
                }
                rest = &rest[at + key.len()..];
            }
            false
        })
    };
    let mut count = 0;
    for name in [
        "MappingFile",
        "SourceSection",
        "RowSection",
        "Rule",
        "CheckSection",
        "PolicySection",
        "LimitsSection",
        "TestSection",
    ] {
        for key in keys_of(name) {
            assert!(used(&key), "no case tries `{key}` of {name}");
            count += 1;
        }
    }
    assert!(count > 60, "only {count} keys were found");
}

/// A bench with a file of three customers.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.file(
        "in.csv",
        "Id,Company,Trade,N\n1,Acme,ACME Ltd,\n2,Beta,Beta Inc,\n3,Beta,Beta Inc,\n",
    );
    bench
}

/// Imports the file into a sandbox; the fates that any row has, and the codes of what is wrong.
fn import(bench: &Bench, mapping: &str) -> (String, Vec<String>) {
    let mapping = format!("target = \"kaiten\"\n{mapping}");
    bench.file("m.toml", &mapping);
    import_by(bench, "m.toml")
}

fn import_by(bench: &Bench, mapping: &str) -> (String, Vec<String>) {
    let ran = bench.run(&[
        "import",
        "in.csv",
        "-m",
        mapping,
        "--sandbox",
        "--ledger",
        "l.db",
        "--json",
    ]);
    let summary = ran.json();
    let fates = summary["fates"].as_object().unwrap();
    let some: Vec<String> = fates
        .iter()
        .filter(|(_, rows)| rows.as_u64() != Some(0))
        .map(|(fate, rows)| format!("{fate} {rows}"))
        .collect();
    let issues = summary["issues"].as_array().unwrap();
    let codes = issues
        .iter()
        .map(|issue| issue["code"].as_str().unwrap().to_owned());
    (some.join(", "), codes.collect())
}

#[test]
fn space_says_whether_two_mappings_have_the_same_customers() {
    const A: &str = "name = \"Company\"\n";
    const B: &str = "name = \"Trade\"\n";
    let mapping = |space: &str, fields: &str| {
        format!("target = \"kaiten\"\n[row]\nkey = \"Id\"\n{space}\n[fields]\n{fields}")
    };
    for (name, first, second, wanted, code) in [
        ("neither", "", "", "rejected 3", Some("key.conflict")),
        (
            "two spaces",
            "space = \"x\"",
            "space = \"y\"",
            "created 3",
            None,
        ),
        (
            "one space",
            "space = \"x\"",
            "space = \"x\"",
            "skipped 3",
            None,
        ),
    ] {
        let bench = bench();
        bench.file("a.toml", &mapping(first, A));
        bench.file("b.toml", &mapping(second, B));
        assert_eq!(import_by(&bench, "a.toml").0, "created 3", "{name}");
        let (fates, codes) = import_by(&bench, "b.toml");
        assert_eq!(fates, wanted, "{name}");
        assert_eq!(codes.first().map(String::as_str), code, "{name}");
    }
}

#[test]
fn another_mapping_with_the_same_bodies_sends_nothing() {
    let bench = bench();
    let mapping = "target = \"kaiten\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n";
    bench.file("a.toml", mapping);
    bench.file("b.toml", mapping);
    assert_eq!(import_by(&bench, "a.toml").0, "created 3");
    assert_eq!(import_by(&bench, "b.toml").0, "unchanged 3");
}

#[test]
fn without_a_key_equal_rows_are_customers_of_their_own_over_runs() {
    let bench = bench();
    let mapping = "[fields]\nname = \"Company\"\n";
    assert_eq!(import(&bench, mapping).0, "created 3");
    assert_eq!(import(&bench, mapping).0, "unchanged 3");
    bench.file(
        "in.csv",
        "Id,Company,Trade,N\n1,Acme Inc,ACME Ltd,\n2,Beta,Beta Inc,\n3,Beta,Beta Inc,\n",
    );
    assert_eq!(import(&bench, mapping).0, "created 1, unchanged 2");
}

#[test]
fn a_row_that_is_skipped_is_counted() {
    let bench = bench();
    let mapping =
        "[row]\nkey = \"Id\"\nskip_when = \"company == 'Beta'\"\n[fields]\nname = \"Company\"\n";
    assert_eq!(import(&bench, mapping).0, "created 1, skipped 2");
}

#[test]
fn stop_after_counts_rejections_before_anything_is_sent() {
    for (stop_after, wanted) in [
        ("0", "rejected 1, pending 2"),
        ("1", "created 2, rejected 1"),
        ("\"50%\"", "created 2, rejected 1"),
    ] {
        let bench = bench();
        bench.file("in.csv", "Id,Company\n1,Acme\n2,\n3,Beta\n");
        let mapping = format!(
            "[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n[policy]\nstop_after = {stop_after}\nuncertain = \"resend\"\nexisting = \"create\"\n"
        );
        assert_eq!(import(&bench, &mapping).0, wanted, "{stop_after}");
    }
}

#[test]
fn all_rates_of_a_list_hold_at_once() {
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    for (rate, seconds) in [
        ("\"30/min\"", 6.0),
        ("[\"20/s\", \"30/min\", \"1000/day\"]", 0.2),
        ("[\"20/s\", \"2/day\"]", 86400.1),
    ] {
        bench.file(
            "m.toml",
            &format!("target = \"t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Company\"\n[limits]\nrate = {rate}\nconcurrency = 4\n"),
        );
        let summary = bench
            .run(&["check", "in.csv", "-m", "m.toml", "--json"])
            .expect(0)
            .json();
        assert_eq!(summary["estimate"]["requests"], 3);
        assert_eq!(summary["estimate"]["seconds"], seconds, "{rate}");
    }
}

#[test]
fn encodings_are_found_or_given() {
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    fs::write(
        bench.path().join("in.csv"),
        b"Id;Caf\xe9\n1;na\xefve caf\xe9s \x80\n",
    )
    .unwrap();
    for source in ["", "encoding = \"windows-1252\"\n"] {
        bench.file(
            "m.toml",
            &format!("target = \"t.target.toml\"\n[source]\n{source}[row]\nkey = \"Id\"\n[fields]\na = \"Caf\u{e9}\"\n"),
        );
        let ran = bench.run(&["preview", "in.csv", "-m", "m.toml"]).expect(0);
        assert_eq!(ran.stdout, "{\"a\":\"na\u{ef}ve caf\u{e9}s \u{20ac}\"}\n");
    }
}

#[test]
fn dates_of_the_1904_calendar_are_read() {
    let Some(path) = common::shared("xlsx-torture/sjs-1904.xlsx") else {
        return;
    };
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    bench.file(
        "m.toml",
        "target = \"t.target.toml\"\n[row]\nkey = \"@A\"\n[fields]\na = { column = \"@B\", type = \"date\" }\n",
    );
    let ran = bench
        .run(&["preview", path.to_str().unwrap(), "-m", "m.toml", "-n", "9"])
        .expect(0);
    assert_eq!(
        ran.stdout,
        "{\"a\":\"1904-01-12\"}\n{\"a\":\"1904-04-21\"}\n{\"a\":\"1907-01-16\"}\n{\"a\":\"1934-06-03\"}\n"
    );
}

#[test]
fn strict_turns_warnings_into_rejections() {
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    bench.file(
        "m.toml",
        "target = \"t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\na = { column = \"Company\", clean = [{ truncate = 3 }] }\n",
    );
    let lax = bench
        .run(&["check", "in.csv", "-m", "m.toml", "--json"])
        .expect(0)
        .json();
    assert_eq!(lax["fates"]["created"], 3);
    assert_eq!(lax["issues"][0]["code"], "a.truncated");
    assert_eq!(lax["issues"][0]["count"], 3);
    let strict = bench
        .run(&["check", "in.csv", "-m", "m.toml", "--strict", "--json"])
        .expect(1)
        .json();
    assert_eq!(strict["fates"]["rejected"], 3);
}

#[test]
fn tests_of_a_mapping_are_run_without_an_input() {
    let bench = bench();
    let mapping = r#"target = "kaiten"
[row]
key = "Customer Id"
[fields]
name = "Company"
externalCustomerId = "Customer Id"
[[test]]
row    = { "Company" = " Awesome Customer ", "Customer Id" = "ext-12345" }
body   = { name = "Awesome Customer", externalCustomerId = "ext-12345" }
[[test]]
row    = { "Company" = "", "Customer Id" = "ext-2" }
issues = ["name.required"]
"#;
    bench.file("m.toml", mapping);
    let ran = bench.run(&["check", "--mapping", "m.toml"]).expect(0);
    assert!(
        ran.stderr.contains("all 2 test cases pass"),
        "{}",
        ran.stderr
    );
    bench.file(
        "m.toml",
        &mapping.replace("name = \"Awesome", "name = \"Other"),
    );
    let ran = bench.run(&["check", "--mapping", "m.toml"]).expect(2);
    assert!(
        ran.stderr
            .contains("expected this, got \"Awesome Customer\""),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("m.toml:9:19"), "{}", ran.stderr);
}

#[test]
fn what_the_whole_file_shows_stands_in_the_summary() {
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    bench.file(
        "in.csv",
        "Id,Born,Note\n1,03/04/2025,n/a\n2,31/12/2025,x\n3,2025-01-01,N/A\n",
    );
    bench.file(
        "m.toml",
        "target = \"t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\na = { column = \"Born\", type = \"date\" }\nb = \"Note\"\n[policy]\nduplicates = \"last\"\n",
    );
    let summary = bench
        .run(&["check", "in.csv", "-m", "m.toml", "--json"])
        .expect(0)
        .json();
    let notes: Vec<&str> = summary["notes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|note| note.as_str().unwrap())
        .collect();
    insta::assert_snapshot!(notes.join("\n"), @r##"
    the dates of the column `Born` are read as dmy: of its 2 dates that are written with digits, 1 can be read by no other order, the first in B3; to say so yourself, write date_order = "dmy" under [source]
    cells that look empty were taken for values: 1 of the column `Note` with `N/A`, 1 of the column `Note` with `n/a`; if they mean nothing, write nulls = ["", "N/A", "n/a"] under [source]
    "##);
}

#[test]
fn what_a_spreadsheet_program_did_to_a_column_is_told_with_the_line_that_mends_it() {
    let bench = bench();
    bench.file("t.target.toml", TARGET);
    bench.file(
        "in.csv",
        "Id,Zip,Name\n4.41E+11,10115,M\u{c3}\u{bc}ller\n2,4109,Anna\n3,20095,Bob\n4,1067,Cid\n5,80331,Dora\n6,50667,Eve\n7,60311,Fay\n",
    );
    let mapping =
        "target = \"t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\na = \"Zip\"\nb = \"Name\"\n";
    bench.file("m.toml", mapping);
    let check = ["check", "in.csv", "-m", "m.toml", "--json"];
    let summary = bench.run(&check).expect(1).json();
    assert_eq!(summary["issues"][0]["code"], "key.precision");
    assert_eq!(summary["fates"]["rejected"], 1);
    let told = |summary: &serde_json::Value| {
        let notes = summary["notes"].as_array().unwrap().clone();
        let notes = notes.iter().map(|note| note.as_str().unwrap().to_owned());
        notes.collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(told(&summary), @r##"
    the column `Id`: 1 of 7 values is one of those long numbers that a spreadsheet program has shortened, like 4.41E+11: their last digits are lost (A2); export the column again as text; the lost digits are nowhere in this file
    the column `Zip`: 2 of 7 values have fewer than the 5 digits of the others: leading zeros seem to be lost (B3, B5); if all have 5 digits, write clean = [{ pad = 5 }] in the rule of the field
    the column `Name`: 1 of 7 values has garbled letters, like Ã¼ for ü: UTF-8 was read as another encoding before the file was written (C2); export the file again as UTF-8, and open it as UTF-8 on the way
    "##);
    // The line that is offered mends it.
    let padded = mapping.replace("\"Zip\"", "{ column = \"Zip\", clean = [{ pad = 5 }] }");
    bench.file("m.toml", &padded);
    assert!(!told(&bench.run(&check).expect(1).json()).contains("zeros"));
    let bodies = bench.run(&["preview", "in.csv", "-m", "m.toml"]).stdout;
    assert!(bodies.contains("\"a\":\"04109\""), "{bodies}");
}

#[test]
fn a_field_that_is_on_create_only_is_no_change() {
    let bench = Bench::new();
    let mapping = bench.file(
        "m.toml",
        "target = \"flextell\"\n[fields]\nemail = \"E\"\njob = { column = \"J\", on = \"create\" }\n",
    );
    let (found, _) = load_mapping(&mapping);
    let (_, target) = found.unwrap();
    let record = serde_json::json!({ "email": "a@x.org", "job": "clerk" });
    assert_eq!(
        target.for_update(&record, None),
        serde_json::json!({ "email": "a@x.org" })
    );
    assert_eq!(target.for_create(&record), record);
}

#[test]
fn the_tests_within_the_examples_of_the_reference_pass() {
    let mut ran = 0;
    for case in common::cases::cases("docs/reference/examples/mapping") {
        let mapping = case.part("mapping").unwrap();
        if !mapping.contains("[[test]]") {
            continue;
        }
        let bench = Bench::new();
        bench.file("t.target.toml", TARGET);
        bench.file(
            "m.toml",
            &format!("target = \"t.target.toml\"\n{mapping}\n"),
        );
        bench.run(&["check", "--mapping", "m.toml"]).expect(0);
        ran += 1;
    }
    assert_eq!(ran, 3);
}
