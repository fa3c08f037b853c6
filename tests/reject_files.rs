//! Reject files that are workbooks, and what becomes of them when they are handed back.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::path::Path;

use calamine::{Data, Reader, Xlsx};
use common::{Bench, Ran};
use rust_xlsxwriter::{Format, Workbook};

const TARGET: &str = r#"
name     = "Acme"
base_url = "https://api.acme.example"
open_fields = true

[auth]
kind = "none"

[create]
path = "/customers"
id   = "id"

[fields]
name  = { type = "text", required = true }
email = { type = "email" }
"#;

const MAPPING: &str = r#"
target = "./acme.target.toml"

[source]
sheet = "Old clients"

[row]
key = "Nr"

[fields]
name  = "Name"
email = "Email"
phone = { column = "Phone", type = "text" }
since = { column = "Since", type = "date" }
limit = { column = "Limit", type = "decimal" }
share = { column = "Share", type = "text" }
hours = { column = "Hours", type = "text" }
vip   = { column = "VIP", type = "boolean" }
"#;

fn bench(mapping: &str) -> Bench {
    let bench = Bench::new();
    bench.file("acme.target.toml", TARGET);
    bench.file("m.toml", mapping);
    bench
}

/// An import into the sandbox, whose ledger stays.
fn import(bench: &Bench, inputs: &[&str]) -> Ran {
    let mut arguments = vec!["import"];
    arguments.extend(inputs);
    arguments.extend(["-m", "m.toml", "--sandbox", "--ledger", "l.db", "--json"]);
    bench.run(&arguments)
}

/// `created 2, rejected 1`: the fates of a summary that are not 0.
fn fates(ran: &Ran) -> String {
    let json = ran.json();
    let fates = json["fates"].as_object().unwrap().iter();
    let words = fates.filter(|(_, count)| count.as_u64() != Some(0));
    words
        .map(|(name, count)| format!("{name} {count}"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// The cells of a sheet as text, a row a line.
fn text(path: &Path, sheet: &str) -> String {
    let mut book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    let range = book.worksheet_range(sheet).unwrap();
    let mut text = String::new();
    for row in range.rows() {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Data::DateTime(moment) => format!("date:{}", moment.as_f64()),
                Data::Float(number) => format!("number:{number}"),
                Data::Bool(value) => format!("boolean:{value}"),
                other => other.to_string(),
            })
            .collect();
        text.push_str(cells.join("|").trim_end_matches('|'));
        text.push('\n');
    }
    text
}

fn sheets(path: &Path) -> Vec<String> {
    let book: Xlsx<_> = calamine::open_workbook(path).unwrap();
    book.sheet_names()
}

/// A part of a workbook.
fn part(path: &Path, name: &str) -> String {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    std::io::read_to_string(archive.by_name(name).unwrap()).unwrap()
}

/// Puts another text in the place of one, in a part of a workbook: what a person mends in a cell.
fn mend(path: &Path, name: &str, from: &str, to: &str) {
    use std::io::{Read, Write};
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    let mut parts = Vec::new();
    for index in 0..archive.len() {
        let mut file = archive.by_index(index).unwrap();
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).unwrap();
        parts.push((file.name().unwrap().into_owned(), bytes));
    }
    let mut out = zip::ZipWriter::new(std::fs::File::create(path).unwrap());
    let mut found = false;
    for (part, bytes) in parts {
        out.start_file(&*part, zip::write::SimpleFileOptions::default())
            .unwrap();
        if part != name {
            out.write_all(&bytes).unwrap();
            continue;
        }
        let text = String::from_utf8(bytes).unwrap();
        found |= text.contains(from);
        out.write_all(text.replace(from, to).as_bytes()).unwrap();
    }
    out.finish().unwrap();
    assert!(found, "{from} does not stand in {name}");
}

/// Three clients with cells of every kind; the first and the third are wrong.
fn old_clients(path: &Path) {
    let mut book = Workbook::new();
    book.add_worksheet().set_name("Cover").unwrap();
    let sheet = book.add_worksheet();
    sheet.set_name("Old clients").unwrap();
    let names = [
        "Nr", "Name", "Email", "Phone", "Since", "Limit", "Share", "Hours", "VIP",
    ];
    for (column, name) in (1u16..).zip(names) {
        sheet.write(2, column, name).unwrap();
    }
    sheet.set_column_width(2, 31).unwrap();
    let code = |code: &str| Format::new().set_num_format(code);
    let rows = [
        (
            "007",
            "Ann",
            "ann@",
            "+49 30 123456",
            45_292.0,
            1_250.5,
            0.125,
            1.5,
            true,
        ),
        (
            "008",
            "Bob",
            "bob@firma.example",
            "=1+1",
            45_293.25,
            0.0,
            0.5,
            0.25,
            false,
        ),
        (
            "009",
            "=cmd|'x'!A0",
            "'cy",
            "'+1",
            45_294.0,
            -3.0,
            1.0,
            0.75,
            true,
        ),
    ];
    for (row, (nr, name, email, phone, since, limit, share, hours, vip)) in (3u32..).zip(rows) {
        sheet.write(row, 1, nr).unwrap();
        sheet.write(row, 2, name).unwrap();
        sheet.write(row, 3, email).unwrap();
        sheet.write(row, 4, phone).unwrap();
        let format = if row == 5 {
            "mmm d, yyyy"
        } else {
            "dd.mm.yyyy"
        };
        sheet
            .write_with_format(row, 5, since, &code(format))
            .unwrap();
        sheet
            .write_with_format(row, 6, limit, &code("#,##0.00 \"EUR\""))
            .unwrap();
        sheet
            .write_with_format(row, 7, share, &code("0.0%"))
            .unwrap();
        sheet
            .write_with_format(row, 8, hours, &code("[h]:mm:ss"))
            .unwrap();
        sheet.write(row, 9, vip).unwrap();
    }
    book.save(path).unwrap();
}

#[test]
fn a_workbook_comes_back_mended_and_is_the_same_import() {
    let bench = bench(MAPPING);
    old_clients(&bench.path().join("c.xlsx"));
    let ran = import(&bench, &["c.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "created 1, rejected 2");
    assert_eq!(ran.json()["files"]["rejects"], "c.rejects.xlsx");
    let path = bench.path().join("c.rejects.xlsx");
    assert_eq!(sheets(&path), ["Old clients", "Causes"]);
    insta::assert_snapshot!(text(&path, "Old clients"), @r#"
    Nr|Name|Email|Phone|Since|Limit|Share|Hours|VIP|_row|_key|_fate|_codes|_problems
    007|Ann|ann@|+49 30 123456|date:45292|number:1250.5|number:0.125|date:1.5|boolean:true|number:4|007|rejected|email.invalid|D4 "ann@": this is not an e-mail address: nothing stands behind the @
    009|=cmd|'x'!A0|'cy|''+1|date:45294|number:-3|number:1|date:0.75|boolean:true|number:6|009|rejected|email.invalid|D6 "'cy": this is not an e-mail address: there is no @
    "#);
    let sheet = part(&path, "xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("<f>"), "no formula is written");
    assert!(sheet.contains("ySplit=\"1\"") && sheet.contains("<autoFilter ref=\"B1:O3\"/>"));
    // The source's own width, and formats.
    assert!(
        sheet.contains("<col min=\"3\" max=\"3\" width=\"31.7109375\""),
        "{}",
        &sheet[..1500]
    );
    let styles = part(&path, "xl/styles.xml");
    for code in [
        "dd.mm.yyyy",
        "mmm\\ d,\\ yyyy",
        "#,##0.00 &quot;EUR&quot;",
        "0.0%",
    ] {
        assert!(
            styles.contains(&code.replace('\\', "")),
            "{code} in {styles}"
        );
    }
    let notes = part(&path, "xl/comments1.xml");
    assert!(notes.contains("ref=\"D2\"") && notes.contains("nothing stands behind the @"));
    insta::assert_snapshot!(text(&path, "Causes"), @r#"
    Why these rows are not in
    Mend the red cells in the sheet "Old clients", save this file as a workbook and import it with the same mapping: only its rows are sent.
    The columns _row to _problems were added and need not be changed or removed; rows that you delete here stay out.

    Count|Column|What is wrong, and what would be right|Values|Here|In the source|Code|Fate
    number:2|Email|this is not an e-mail address: nothing stands behind the @|ann@
    'cy|D2|D4, D6|email.invalid|rejected
    "#);

    // As long as nothing is mended nothing is sent.
    assert_eq!(
        fates(&import(&bench, &["c.rejects.xlsx"]).expect(1)),
        "rejected 2"
    );
    mend(
        &path,
        "xl/worksheets/sheet1.xml",
        ">ann@<",
        ">ann@firma.example<",
    );
    let preview = bench.run(&["preview", "c.rejects.xlsx", "-m", "m.toml"]);
    insta::assert_snapshot!(preview.stdout, @r#"{"name":"Ann","email":"ann@firma.example","phone":"+49 30 123456","since":"2024-01-01","limit":1250.5,"share":"12.5%","hours":"36:00:00","vip":true}"#);
    let ran = import(&bench, &["c.rejects.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "created 1, rejected 1");
    // The person's file is left as it is; the next has another name, and gives the first's places.
    assert_eq!(ran.json()["files"]["rejects"], "c.rejects-2.xlsx");
    let path = bench.path().join("c.rejects-2.xlsx");
    insta::assert_snapshot!(text(&path, "Old clients"), @r#"
    Nr|Name|Email|Phone|Since|Limit|Share|Hours|VIP|_row|_key|_fate|_codes|_problems
    009|=cmd|'x'!A0|'cy|''+1|date:45294|number:-3|number:1|date:0.75|boolean:true|number:6|009|rejected|email.invalid|D6 "'cy": this is not an e-mail address: there is no @
    "#);
    mend(
        &path,
        "xl/worksheets/sheet1.xml",
        ">'cy<",
        ">cy@firma.example<",
    );
    let ran = import(&bench, &["c.rejects-2.xlsx"]).expect(0);
    assert_eq!(fates(&ran), "created 1");
    assert!(!bench.has("c.rejects-3.xlsx"));
    let ran = import(&bench, &["c.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "unchanged 1, rejected 2");
    let path = bench.path().join("c.rejects-3.xlsx");
    assert!(
        text(&path, "Old clients").contains("mended"),
        "{}",
        text(&path, "Old clients")
    );
}

#[test]
fn rows_of_several_sheets_stay_on_their_sheets() {
    let mapping = MAPPING
        .replace("\"Old clients\"", "\"*\"")
        .split("phone =")
        .next()
        .unwrap()
        .to_owned();
    let bench = bench(&mapping);
    let mut book = Workbook::new();
    for (name, rows) in [
        (
            "Clients",
            [("1", "Ann", "ann@"), ("2", "Bob", "bob@firma.example")],
        ),
        (
            "Fine",
            [
                ("3", "Cy", "cy@firma.example"),
                ("4", "Di", "di@firma.example"),
            ],
        ),
        ("Causes", [("5", "Ed", "ed@"), ("6", "Flo", "flo@")]),
    ] {
        let sheet = book.add_worksheet();
        sheet.set_name(name).unwrap();
        for (column, title) in ["Nr", "Name", "Email"].into_iter().enumerate() {
            sheet.write(0, column as u16, title).unwrap();
        }
        for (row, (nr, name, email)) in (1u32..).zip(rows) {
            sheet.write(row, 0, nr).unwrap();
            sheet.write(row, 1, name).unwrap();
            sheet.write(row, 2, email).unwrap();
        }
    }
    book.save(bench.path().join("c.xlsx")).unwrap();
    assert_eq!(
        fates(&import(&bench, &["c.xlsx"]).expect(1)),
        "created 3, rejected 3"
    );
    let path = bench.path().join("c.rejects.xlsx");
    assert_eq!(sheets(&path), ["Clients", "Causes", "Causes (2)"]);
    insta::assert_snapshot!(text(&path, "Clients") + &text(&path, "Causes"), @r#"
    Nr|Name|Email|_row|_key|_fate|_codes|_problems
    1|Ann|ann@|Clients!2|1|rejected|email.invalid|Clients!C2 "ann@": this is not an e-mail address: nothing stands behind the @
    Nr|Name|Email|_row|_key|_fate|_codes|_problems
    5|Ed|ed@|Causes!2|5|rejected|email.invalid|Causes!C2 "ed@": this is not an e-mail address: nothing stands behind the @
    6|Flo|flo@|Causes!3|6|rejected|email.invalid|Causes!C3 "flo@": this is not an e-mail address: nothing stands behind the @
    "#);
    for (sheet, from, to) in [
        ("xl/worksheets/sheet1.xml", ">ann@<", ">ann@firma.example<"),
        ("xl/worksheets/sheet2.xml", ">ed@<", ">ed@firma.example<"),
    ] {
        mend(&path, sheet, from, to);
    }
    let ran = import(&bench, &["c.rejects.xlsx"]).expect(1);
    assert_eq!(fates(&ran), "created 2, rejected 1");
    let path = bench.path().join("c.rejects-2.xlsx");
    assert_eq!(sheets(&path), ["Causes", "Causes (2)"]);
    insta::assert_snapshot!(text(&path, "Causes"), @r#"
    Nr|Name|Email|_row|_key|_fate|_codes|_problems
    6|Flo|flo@|Causes!3|6|rejected|email.invalid|Causes!C3 "flo@": this is not an e-mail address: nothing stands behind the @
    "#);
    mend(
        &path,
        "xl/worksheets/sheet1.xml",
        ">flo@<",
        ">flo@firma.example<",
    );
    assert_eq!(
        fates(&import(&bench, &["c.rejects-2.xlsx"]).expect(0)),
        "created 1"
    );
    assert_eq!(
        fates(&import(&bench, &["c.xlsx"]).expect(1)),
        "unchanged 3, rejected 3"
    );
    insta::assert_snapshot!(bench.read("c.results.csv").replace(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit(), "#"), @"
    row,key,fate,id,run,note
    #lients!#,#,rejected,#,,its mended twin is in: the target has a record of this key; email.invalid
    #lients!#,#,unchanged,#,##########################,
    #ine!#,#,unchanged,#,##########################,
    #ine!#,#,unchanged,#,##########################,
    #auses!#,#,rejected,#,,its mended twin is in: the target has a record of this key; email.invalid
    #auses!#,#,rejected,#,,its mended twin is in: the target has a record of this key; email.invalid
    ");
}

#[test]
fn an_error_of_the_workbook_is_refused_until_it_is_mended() {
    let bench = bench(&MAPPING.replace("\"Old clients\"", "1"));
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    for (column, name) in [
        "Nr", "Name", "Email", "Phone", "Since", "Limit", "Share", "Hours", "VIP",
    ]
    .into_iter()
    .enumerate()
    {
        sheet.write(0, column as u16, name).unwrap();
    }
    sheet.write(1, 0, 17).unwrap();
    let formula = rust_xlsxwriter::Formula::new("NA()").set_result("#N/A");
    sheet.write_formula(1, 1, formula).unwrap();
    book.save(bench.path().join("c.xlsx")).unwrap();
    assert_eq!(fates(&import(&bench, &["c.xlsx"]).expect(1)), "rejected 1");
    let path = bench.path().join("c.rejects.xlsx");
    let first = text(&path, "Sheet1");
    insta::assert_snapshot!(first, @r##"
    Nr|Name|Email|Phone|Since|Limit|Share|Hours|VIP|_row|_key|_fate|_codes|_problems
    number:17|#N/A||||||||number:2|17|rejected|name.cell_error|B2 "#N/A": the workbook shows an error in this cell instead of a value
    "##);
    assert_eq!(
        fates(&import(&bench, &["c.rejects.xlsx"]).expect(1)),
        "rejected 1"
    );
    mend(
        &path,
        "xl/worksheets/sheet1.xml",
        "<t>#N/A</t>",
        "<t>Ann</t>",
    );
    assert_eq!(
        fates(&import(&bench, &["c.rejects.xlsx"]).expect(0)),
        "created 1"
    );
}

#[test]
fn the_name_that_is_asked_for_says_which_kind_of_file_it_is() {
    let bench = bench(MAPPING);
    old_clients(&bench.path().join("c.xlsx"));
    bench
        .run(&["check", "c.xlsx", "-m", "m.toml", "--rejects", "out.csv"])
        .expect(1);
    insta::assert_snapshot!(bench.read("out.csv"), @r#"
    ,Nr,Name,Email,Phone,Since,Limit,Share,Hours,VIP,_row,_key,_fate,_codes,_problems
    ,007,Ann,ann@,'+49 30 123456,2024-01-01,1250.5,12.5%,36:00:00,TRUE,4,007,rejected,email.invalid,"D4 ""ann@"": this is not an e-mail address: nothing stands behind the @"
    ,009,'=cmd|'x'!A0,''cy,''+1,2024-01-03,-3,100.0%,18:00:00,TRUE,6,009,rejected,email.invalid,"D6 ""'cy"": this is not an e-mail address: there is no @"
    "#);
    bench.file(
        "plain.toml",
        MAPPING
            .replace("sheet = \"Old clients\"", "")
            .split("phone =")
            .next()
            .unwrap(),
    );
    bench.file("d.csv", "Nr;Name;Email\n007;'=Ann;ann@\n");
    bench
        .run(&[
            "check",
            "d.csv",
            "-m",
            "plain.toml",
            "--rejects",
            "out.xlsx",
        ])
        .expect(1);
    let path = bench.path().join("out.xlsx");
    assert_eq!(sheets(&path), ["Rejects", "Causes"]);
    insta::assert_snapshot!(text(&path, "Rejects"), @r#"
    Nr|Name|Email|_row|_key|_fate|_codes|_problems
    007|''=Ann|ann@|number:2|007|rejected|email.invalid|C2 "ann@": this is not an e-mail address: nothing stands behind the @
    "#);
    mend(
        &path,
        "xl/worksheets/sheet1.xml",
        ">ann@<",
        ">ann@firma.example<",
    );
    let ran = bench
        .run(&["preview", "out.xlsx", "-m", "plain.toml"])
        .expect(0);
    insta::assert_snapshot!(ran.stdout, @r#"{"name":"'=Ann","email":"ann@firma.example"}"#);
    bench.file("many/d.csv", "Nr;Name;Email\n007;Ann;ann@\n");
    bench
        .run(&[
            "check",
            "d.csv",
            "many/d.csv",
            "-m",
            "plain.toml",
            "--rejects",
            "out",
        ])
        .expect(1);
    assert!(bench.has("out/d.rejects.csv") && bench.has("out/d.rejects-2.csv"));
}

/// A text file, how its mapping says what it is, and its text.
const TEXTS: [(&str, &str, &str); 9] = [
    (
        "windows-1252",
        "encoding = \"windows-1252\"",
        "Nr;Name;Email\r\n1;Jürgen – 5 €;falsch\r\n2;Bob;bob@firma.example\r\n",
    ),
    (
        "UTF-16LE",
        "",
        "Nr\tName\tEmail\r\n1\tZoë 東\tfalsch\r\n2\tBob\tbob@firma.example\r\n",
    ),
    (
        "Shift_JIS",
        "encoding = \"Shift_JIS\"",
        "Nr,Name,Email\n1,表示 ソ,falsch\n2,Bob,bob@firma.example\n",
    ),
    (
        "UTF-8",
        "",
        "\u{feff}Nr;Name;Email\n1;Zoë;falsch\n2;Bob;bob@firma.example\n",
    ),
    (
        "UTF-8",
        "",
        "Nr\tName\tEmail\n1\tAnn, B. \tfalsch\n2\tBob\tbob@firma.example\n",
    ),
    (
        "UTF-8",
        "",
        "\"Nr\",\"Name\",\"Email\"\n\"1\",\"Ann \"\"B\"\"\",\"falsch\"\n\"2\",\"Bob\",\"bob@firma.example\"\n",
    ),
    (
        "UTF-8",
        "",
        "\"Nr\",\"Name\",\"Email\"\n1,\"Ann\nB\",\"falsch\"\n2,\"Bob\",\"bob@firma.example\"\n",
    ),
    (
        "UTF-8",
        "",
        "Nr|Name|Email\r1|Ann|falsch\r2|Bob|bob@firma.example\r",
    ),
    (
        "UTF-8",
        "",
        "'Nr';'Name';'Email'\n'1';'O''Neil; Ann';'falsch'\n'2';'Bob';'bob@firma.example'\n",
    ),
];

fn encoded(encoding: &str, text: &str) -> Vec<u8> {
    if encoding == "UTF-16LE" {
        let units = "\u{feff}".encode_utf16().chain(text.encode_utf16());
        return units.flat_map(u16::to_le_bytes).collect();
    }
    let encoding = encoding_rs::Encoding::for_label(encoding.as_bytes()).unwrap();
    let (bytes, _, lossy) = encoding.encode(text);
    assert!(!lossy);
    bytes.into_owned()
}

#[test]
fn rejects_of_a_text_file_are_written_as_it_is() {
    for (encoding, source, text) in TEXTS {
        let mapping = MAPPING.replace("sheet = \"Old clients\"", source);
        let bench = bench(mapping.split("phone =").next().unwrap());
        std::fs::write(bench.path().join("c.csv"), encoded(encoding, text)).unwrap();
        assert_eq!(
            fates(&import(&bench, &["c.csv"]).expect(1)),
            "created 1, rejected 1",
            "{text:?}"
        );
        let path = bench.path().join("c.rejects.csv");
        let bytes = std::fs::read(&path).unwrap();
        // The first two rows stand there as they were, each with more behind it.
        let ends = ["\r\n", "\n", "\r"]
            .into_iter()
            .find(|end| text.ends_with(end))
            .unwrap();
        let two = text.split_once("falsch").unwrap().0;
        let (head, row) = two.split_once(ends).unwrap();
        let row = format!("{ends}{row}falsch");
        assert!(bytes.starts_with(&encoded(encoding, head)), "{text:?}");
        let skip = if encoding == "UTF-16LE" { 2 } else { 0 };
        let row = encoded(encoding, &row);
        let row = &row[skip..];
        assert!(
            bytes.windows(row.len()).any(|part| part == row),
            "{text:?}: {}",
            String::from_utf8_lossy(&bytes)
        );
        assert!(
            bytes.ends_with(&encoded(encoding, ends)[skip..]),
            "{text:?}"
        );
        // Mended in place it goes in.
        let (from, to) = (
            encoded(encoding, "falsch"),
            encoded(encoding, "a@firma.example"),
        );
        let (from, to) = (&from[skip..], &to[skip..]);
        let at = bytes
            .windows(from.len())
            .position(|part| part == from)
            .unwrap();
        let mended = [&bytes[..at], to, &bytes[at + from.len()..]].concat();
        std::fs::write(&path, mended).unwrap();
        assert_eq!(
            fates(&import(&bench, &["c.rejects.csv"]).expect(0)),
            "created 1",
            "{text:?}"
        );
        assert_eq!(
            fates(&import(&bench, &["c.csv"]).expect(1)),
            "unchanged 1, rejected 1"
        );
    }
}

#[test]
fn what_a_spreadsheet_would_run_is_text_and_comes_back_as_it_was() {
    let mapping = MAPPING.replace("sheet = \"Old clients\"", "");
    let bench = bench(mapping.split("phone =").next().unwrap());
    let names = [
        "=1+1", "'quoted'", "''two", "+49 30 1", "-5", "-x", "@SUM(A1)", "\t=1", "'=1",
    ];
    let mut text = "Nr,Name,Email\n".to_owned();
    for (nr, name) in names.iter().enumerate() {
        text.push_str(&format!("{nr},{name},falsch\n"));
    }
    bench.file("c.csv", &text);
    import(&bench, &["c.csv"]).expect(1);
    let rejects = bench.read("c.rejects.csv");
    for line in rejects.lines().skip(1) {
        let cell = line.split(',').nth(1).unwrap();
        assert!(
            !cell.starts_with(['=', '@', '+', '\t']) && !cell.starts_with("-x"),
            "{line}"
        );
    }
    bench.file(
        "c.rejects.csv",
        &rejects.replace(",falsch,", ",a@firma.example,"),
    );
    let ran = bench
        .run(&["preview", "c.rejects.csv", "-m", "m.toml", "-n", "20"])
        .expect(0);
    let sent: Vec<String> = ran
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["name"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    let names: Vec<String> = names.iter().map(|name| name.trim().to_owned()).collect();
    assert_eq!(sent, names);
}

#[test]
fn issues_are_lines_of_json() {
    let bench = bench(MAPPING);
    old_clients(&bench.path().join("c.xlsx"));
    let check = |more: &[&str]| {
        let mut arguments = vec!["check", "c.xlsx", "-m", "m.toml", "--issues"];
        arguments.extend(more);
        bench.run(&arguments)
    };
    let ran = check(&["i.jsonl", "--json"]).expect(1);
    assert_eq!(ran.json()["files"]["issues"], "i.jsonl");
    insta::assert_snapshot!(bench.read("i.jsonl"), @r#"
    {"input":"c.xlsx","row":4,"cell":"D4","column":"Email","field":"email","code":"email.invalid","severity":"error","fate":"rejected","value":"ann@","message":"this is not an e-mail address: nothing stands behind the @"}
    {"input":"c.xlsx","row":6,"cell":"D6","column":"Email","field":"email","code":"email.invalid","severity":"error","fate":"rejected","value":"'cy","message":"this is not an e-mail address: there is no @"}
    "#);
    let masked = check(&["-", "--redact"]).expect(1);
    insta::assert_snapshot!(masked.stdout, @r#"
    {"input":"c.xlsx","row":4,"cell":"D4","column":"Email","field":"email","code":"email.invalid","severity":"error","fate":"rejected","value":"xxx@","message":"this is not an e-mail address: nothing stands behind the @"}
    {"input":"c.xlsx","row":6,"cell":"D6","column":"Email","field":"email","code":"email.invalid","severity":"error","fate":"rejected","value":"'xx","message":"this is not an e-mail address: there is no @"}
    "#);
    assert!(!masked.stderr.contains("ann@"), "{}", masked.stderr);
    let ran = check(&["-", "--json"]).expect(2);
    assert!(
        ran.stderr.contains("would both go to standard output"),
        "{}",
        ran.stderr
    );
    let ran = check(&["c.xlsx"]).expect(2);
    assert!(
        ran.stderr.contains("is a file that this command reads"),
        "{}",
        ran.stderr
    );
    let ran = bench
        .run(&[
            "import",
            "c.xlsx",
            "-m",
            "m.toml",
            "--sandbox",
            "--issues",
            "i.jsonl",
        ])
        .expect(1);
    assert!(ran.stderr.contains("issues   i.jsonl"), "{}", ran.stderr);
    assert_eq!(bench.read("i.jsonl").lines().count(), 2);
    // Nothing is wrong: the file is there, and empty.
    old_clients(&bench.path().join("d.xlsx"));
    bench
        .run(&[
            "import",
            "c.xlsx",
            "-m",
            "m.toml",
            "--sandbox",
            "--issues",
            "none/i.jsonl",
        ])
        .expect(2);
}
