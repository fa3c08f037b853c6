//! The report as an HTML page: of a check, of an import, and made again from the ledger.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use std::os::unix::fs::PermissionsExt;

use common::Bench;
use common::server::{Reply, Server};
use regex::Regex;
use serde_json::json;

const MESSY: [&str; 3] = [
    "samples/customers-messy.xlsx",
    "--mapping",
    "mappings/sphinx.toml",
];

/// A folder with the messy sample and its mapping.
fn messy() -> Bench {
    Bench::with(&["samples/customers-messy.xlsx", "mappings/sphinx.toml"])
}

/// The words of a page, without markup, style and script.
fn words(page: &str) -> String {
    let mut text = page.to_owned();
    for (pattern, with) in [
        (r"(?s)<(style|script)[^>]*>.*?</(style|script)>", " "),
        (r"(?s)<[^>]*>", " "),
        (r"\s+", " "),
    ] {
        text = Regex::new(pattern)
            .unwrap()
            .replace_all(&text, with)
            .into_owned();
    }
    for (name, sign) in [
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&amp;", "&"),
    ] {
        text = text.replace(name, sign);
    }
    text
}

#[track_caller]
fn has(text: &str, wanted: &[&str]) {
    for piece in wanted {
        assert!(text.contains(piece), "`{piece}` is not in {text}");
    }
}

#[track_caller]
fn has_not(text: &str, unwanted: &[&str]) {
    for piece in unwanted {
        assert!(!text.contains(piece), "`{piece}` is in {text}");
    }
}

/// What the messy sample holds and no masked report may.
const VALUES: [&str; 8] = [
    "bob@",
    "anna.example.com",
    "call the office",
    "Atlantis",
    "Wolfeschlegel",
    "Naomi",
    "saltmarsh",
    "491701234567",
];

#[test]
fn a_check_is_one_page_that_needs_nothing() {
    let bench = messy();
    let ran = bench
        .run(&[&["check"], &MESSY[..], &["--html", "r.html", "--json"]].concat())
        .expect(1);
    assert_eq!(ran.json()["files"]["html"], json!("r.html"));
    let mode = std::fs::metadata(bench.path().join("r.html"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let page = bench.read("r.html");
    has(
        &page,
        &[
            "Content-Security-Policy",
            "default-src 'none'",
            r##"<a href="#cell-F3">F3</a>"##,
            r#"<tr id="cell-F3""#,
        ],
    );
    // Nothing is fetched: no address stands where a browser would follow it by itself.
    let fetched = Regex::new(
        r#"(?:src|srcset|action|data|poster)\s*=|@import|url\((?:[^#])|href="(?:[^#d]|d[^a])"#,
    )
    .unwrap();
    assert_eq!(fetched.find(&page).map(|found| found.as_str()), None);
    has(
        &words(&page),
        &[
            "18 of 42 rows of customers-messy.xlsx can go to sphinx; 23 are refused, 1 is left out.",
            "this is not an e-mail address: nothing stands behind the @",
            "20 columns, 11 with errors",
            "Gender not used by the mapping",
            "All problems, row by row",
            "row 16 has the key of row 2: rejected",
            "First Name Naomi",
            "row 42 has the key of row 2: skipped",
            "No cell differs",
            "The import would take 18 requests",
            "\"full_name\": \"Naomi St. Clair\"",
            "XLSX workbook, sheet Customers; header in row 1",
            "every later one is refused",
        ],
    );
    // Once more over the page that is there.
    bench
        .run(&[&["check"], &MESSY[..], &["--html", "r.html"]].concat())
        .expect(1);
}

#[test]
fn a_masked_check_shows_no_value_anywhere() {
    let bench = messy();
    let ran = bench
        .run(
            &[
                &["check"],
                &MESSY[..],
                &["--html", "r.html", "--json", "--redact"],
            ]
            .concat(),
        )
        .expect(1);
    let page = bench.read("r.html");
    has(
        &words(&page),
        &["Values are masked", "xxx@", "F3", "this is not a number"],
    );
    has_not(&page, &VALUES);
    has_not(&ran.stdout, &VALUES);
    let told = bench
        .run(&[&["check"], &MESSY[..], &["--redact"]].concat())
        .expect(1);
    has(&told.stderr, &["F3 \"xxx@\""]);
    has_not(&told.stderr, &VALUES);
}

#[test]
fn an_import_has_its_page_and_the_ledger_makes_it_again_without_values() {
    let bench = messy();
    let import = [
        &["import"],
        &MESSY[..],
        &[
            "--sandbox",
            "--ledger",
            "l.db",
            "--html",
            "r.html",
            "--json",
        ],
    ];
    let summary = bench.run(&import.concat()).expect(1).json();
    let run = summary["run"].as_str().unwrap();
    let page = words(&bench.read("r.html"));
    let both = [
        "18 of 42 rows of customers-messy.xlsx are in sphinx; 23 were refused, 1 was left out.",
        "18 customers created",
        "How it went",
        "this is not an e-mail address: nothing stands behind the @",
        "20 columns, 11 with errors",
        "All problems, row by row",
        "row 16 has the key of row 2: rejected",
        "the embedded sandbox: a rehearsal",
        "XLSX workbook, sheet Customers; header in row 1",
    ];
    let page = page.replace("customers created 18", "18 customers created");
    has(&page, &both);
    has(
        &page,
        &[
            "bob@",
            "The first requests as they were made",
            "\"full_name\": \"Naomi St. Clair\"",
        ],
    );

    let again = bench
        .run(&[
            "report",
            run,
            "--ledger",
            "l.db",
            "--html",
            "again.html",
            "--json",
        ])
        .expect(0)
        .json();
    for member in [
        "fates",
        "requests",
        "read",
        "inputs",
        "target",
        "mapping",
        "run",
        "exit_code",
        "finished",
    ] {
        assert_eq!(again[member], summary[member], "{member}");
    }
    assert_eq!(
        again["issues"].as_array().unwrap().len(),
        summary["issues"].as_array().unwrap().len()
    );
    assert_eq!(again["issues"][0]["examples"][0]["cell"], json!("G5"));
    let raw = bench.read("again.html");
    let page = words(&raw).replace("customers created 18", "18 customers created");
    has(&page, &both);
    has(
        &page,
        &["Made again from the ledger.", "They differ in First Name"],
    );
    has_not(&raw, &VALUES);
    let ledger = std::fs::read(bench.path().join("l.db")).unwrap();
    has_not(&String::from_utf8_lossy(&ledger), &VALUES);

    // By its end, by `last`, on the terminal.
    for name in [&run[20..], "last"] {
        let told = bench.run(&["report", name, "--ledger", "l.db"]).expect(0);
        has(&told.stdout, &["18 of 42 rows", "rejected   23"]);
        has_not(&told.stdout, &VALUES);
    }
    // The list of runs stays short.
    let runs = bench
        .run(&["runs", "--ledger", "l.db", "--json"])
        .expect(0)
        .json();
    let kept = &runs["runs"][0]["summary"];
    assert_eq!((&kept["page"], &kept["read"]), (&json!(null), &json!(42)));
}

#[test]
fn a_refusal_stands_at_its_cell_in_the_words_of_the_target() {
    let bench = Bench::new();
    let server = Server::start(|request| match request.json()["email"].as_str() {
        Some("bob@x.example") => Reply::json(
            422,
            json!({ "errors": { "email": "Jane Doe has <b>this</b> already" } }),
        ),
        _ => Reply::json(201, json!({ "id": format!("id{}", request.number) })),
    });
    let target = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/c"
[errors]
fields = "errors"
[fields]
name = { type = "text" }
email = { type = "email" }
"#;
    bench.file("t.target.toml", &target.replace("BASE", &server.base()));
    bench.file("m.toml", "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\nemail = \"Email\"\n");
    bench.file(
        "in.csv",
        "Id,Name,Email\nK1,Ann,ann@x.example\nK2,Bob,bob@x.example\n",
    );
    bench
        .run(&[
            "import",
            "in.csv",
            "--mapping",
            "m.toml",
            "--html",
            "r.html",
        ])
        .expect(1);
    let page = bench.read("r.html");
    assert!(!page.contains("<b>this</b>"));
    has(
        &words(&page),
        &[
            "1 of 2 rows of in.csv is in t; 1 was refused.",
            "C3",
            "the target says of email: Jane Doe has <b>this</b> already",
            "refused by the target",
        ],
    );
    bench
        .run(&["report", "last", "--html", "again.html"])
        .expect(0);
    let again = words(&bench.read("again.html"));
    has(
        &again,
        &["the target says of email: Xxxx Xxx has", "already", "C3"],
    );
    has_not(&again, &["Jane", "bob@x"]);
}

#[test]
fn a_cell_that_holds_markup_is_text() {
    let bench = Bench::new();
    let evil = "</script><script>alert(1)</script><img src=x onerror='y'>\u{2028}";
    bench.file(
        "in.csv",
        &format!("Id,Na<i>me,Email\n1,Ann,\"{evil}\"\n2,\"{evil}\",\"\"\"b\"\"@\"\n"),
    );
    bench.file(
        "m.toml",
        "target = \"sphinx\"\n[row]\nkey = \"Id\"\n[fields]\nexternal_id = \"Id\"\nfull_name = \"Na<i>me\"\ncustomer_type = { value = \"INDIVIDUAL\" }\n[custom]\nemail = { column = \"Email\", type = \"email\" }\n",
    );
    bench
        .run(&[
            "check",
            "in.csv",
            "--mapping",
            "m.toml",
            "--html",
            "r.html",
            "--sample",
            "9",
        ])
        .expect(1);
    let page = bench.read("r.html");
    assert_eq!(page.matches("<script").count(), 2);
    assert_eq!(page.matches("</script").count(), 2);
    has_not(&page, &["<img", "<i>", "\u{2028}", "onerror='"]);
    has(&words(&page), &["<script>alert(1)</script>", "Na<i>me"]);
}

#[test]
fn what_cannot_be_written_is_told_before_the_work() {
    let bench = messy();
    bench.file("keep.txt", "mine");
    for (path, told) in [
        ("none/r.html", "there is no folder `none`"),
        ("samples", "--html samples is a folder"),
        ("keep.txt", "is no HTML page"),
        ("mappings/sphinx.toml", "is a file that this command reads"),
    ] {
        for command in ["check", "import"] {
            let ran = bench
                .run(&[&[command], &MESSY[..], &["--html", path]].concat())
                .expect(2);
            has(&ran.stderr, &[told]);
        }
    }
    assert_eq!(bench.read("keep.txt"), "mine");
    assert!(!bench.has("samples/customers-messy.results.csv"));
}

#[test]
fn a_run_without_a_report_is_told() {
    let bench = messy();
    let ran = bench.run(&["report", "last"]).expect(2);
    has(&ran.stderr, &["no run is known yet"]);
    bench
        .run(&[&["import"], &MESSY[..], &["--sandbox", "--ledger", "l.db"]].concat())
        .expect(1);
    let ran = bench
        .run(&["report", "01NONE", "--ledger", "l.db"])
        .expect(2);
    has(
        &ran.stderr,
        &["there is no run `01NONE`", "`rowferry runs` lists them"],
    );
    // A name that is too short to be meant.
    bench.run(&["report", "A", "--ledger", "l.db"]).expect(2);
}

#[test]
fn several_inputs_are_one_page() {
    let bench = Bench::new();
    bench.file("a.csv", "Id,Name,Email\n1,Ann,wrong\n2,Bea,b@b.example\n");
    bench.file(
        "b.csv",
        "Id,Email,Name\n3,also wrong,Cid\n2,other@b.example,Bea\n",
    );
    bench.file(
        "m.toml",
        "target = \"sphinx\"\n[row]\nkey = \"Id\"\n[fields]\nexternal_id = \"Id\"\nfull_name = \"Name\"\ncustomer_type = { value = \"INDIVIDUAL\" }\n[custom]\nemail = { column = \"Email\", type = \"email\" }\n",
    );
    bench
        .run(&[
            "check",
            "a.csv",
            "b.csv",
            "--mapping",
            "m.toml",
            "--html",
            "r.html",
        ])
        .expect(1);
    let page = bench.read("r.html");
    // The same cell of two files has two names.
    has(
        &page,
        &[
            r#"id="cell-1-C2""#,
            r#"id="cell-2-B2""#,
            r##"href="#cell-2-B2""##,
        ],
    );
    has(
        &words(&page),
        &[
            "3 columns, 2 with errors",
            "b.csv row 3 has the key of a.csv row 3",
            "Email b@b.example other@b.example",
            "Files read",
        ],
    );
}

#[test]
fn beyond_the_cap_the_total_is_told() {
    let bench = Bench::new();
    let mut text = String::from("Id,Name,Email\n");
    for row in 0..10_050 {
        text.push_str(&format!("{row},Name,wrong{row}\n"));
    }
    bench.file("in.csv", &text);
    bench.file(
        "m.toml",
        "target = \"sphinx\"\n[row]\nkey = \"Id\"\n[fields]\nexternal_id = \"Id\"\nfull_name = \"Name\"\ncustomer_type = { value = \"INDIVIDUAL\" }\n[custom]\nemail = { column = \"Email\", type = \"email\" }\n",
    );
    bench
        .run(&["check", "in.csv", "--mapping", "m.toml", "--html", "r.html"])
        .expect(1);
    let page = bench.read("r.html");
    assert_eq!(page.matches("<tr id=").count(), 10_000);
    has(
        &words(&page),
        &[
            "The first 10,000 of 10,050 problems are listed",
            "--issues FILE",
        ],
    );
    // A strip of a long file is as short as any.
    assert!(
        page.matches("M").count() < 40_000 && page.len() < 6_000_000,
        "{}",
        page.len()
    );
}
