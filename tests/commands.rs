//! The commands as a user types them: what they print, what they write, how they end.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::served::Served;
use common::{Bench, Ran, project};
use rowferry::ledger::{self, Account};
use serde_json::{Value, json};

/// A mapping for Kaiten, the smallest that there is.
const MAPPING: &str = r#"target = "kaiten"

[row]
key = "Id"

[fields]
name = "Name"
externalCustomerId = "Id"
"#;

const FIVE: &str = "Id,Name\nc-1,Ann\nc-2,Bob\nc-3,Cem\nc-4,Dai\nc-5,Eve\n";

const TOKEN: &[(&str, &str)] = &[("KAITEN_TOKEN", "s3cret-s3cret")];

/// A folder with the small mapping and five customers.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("m.toml", MAPPING);
    bench.file("clients.csv", FIVE);
    bench
}

fn served(bench: &Bench) -> Served {
    Served::start(bench, &["kaiten"])
}

/// `import clients.csv -m m.toml --base-url … --json` and more, with the token.
fn import(bench: &Bench, served: &Served, more: &[&str]) -> Ran {
    let mut arguments = vec!["import", "clients.csv", "-m", "m.toml", "--json"];
    arguments.extend(["--base-url", &served.base_url]);
    arguments.extend(more);
    bench.run_with(TOKEN, &arguments)
}

/// The fates that are not zero.
fn fates(summary: &Value) -> Value {
    let mut fates = summary["fates"].as_object().unwrap().clone();
    fates.retain(|_, rows| rows != &json!(0));
    fates.into()
}

#[test]
fn check_ends_by_what_it_found() {
    let bench = bench();
    let ran = bench
        .run(&["check", "clients.csv", "-m", "m.toml", "--json"])
        .expect(0);
    let summary = ran.json();
    assert_eq!(summary["command"], json!("check"));
    assert_eq!(summary["base_url"], json!(""));
    assert_eq!(fates(&summary), json!({ "created": 5 }));
    assert_eq!(
        summary["requests"],
        json!({ "sent": 0, "retried": 0, "limited": 0, "lookups": 0 })
    );
    assert_eq!(
        summary["estimate"],
        json!({ "requests": 5, "seconds": null })
    );
    assert_eq!(summary["bodies"].as_array().unwrap().len(), 3);
    assert!(summary.get("run").is_none() && summary.get("mistakes").is_none());
    // A dry run opens no ledger and leaves no files.
    assert!(
        !bench.has("state")
            && !bench.has("clients.rejects.csv")
            && !bench.has("clients.results.csv")
    );

    bench.file("clients.csv", "Id,Name\nc-1,Ann\nc-2,\n");
    let summary = bench
        .run(&["check", "clients.csv", "-m", "m.toml", "--json"])
        .expect(1)
        .json();
    assert_eq!(fates(&summary), json!({ "created": 1, "rejected": 1 }));
    assert_eq!(summary["finished"], json!(true));
    assert_eq!(
        summary["issues"][0]["examples"][0],
        json!({ "row": 3, "line": 3, "cell": "B3", "value": "", "message": summary["issues"][0]["message"] })
    );

    bench.file("m.toml", &MAPPING.replace("\"Name\"", "\"Nmae\""));
    let ran = bench
        .run(&["check", "clients.csv", "-m", "m.toml", "--json"])
        .expect(2);
    let summary = ran.json();
    let mistake = &summary["mistakes"][0];
    assert_eq!(
        (&mistake["file"], &mistake["line"]),
        (&json!("m.toml"), &json!(7))
    );
    assert!(mistake.to_string().contains("`Name`"), "{mistake}");
    assert_eq!(summary["exit_code"], json!(2));
    assert!(ran.stderr.contains("m.toml:7:"), "{}", ran.stderr);
}

#[test]
fn check_tells_people_on_standard_error_only() {
    let bench = bench();
    let ran = bench
        .run(&["check", "clients.csv", "-m", "m.toml"])
        .expect(0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr
            .contains("All 5 rows of clients.csv can go to kaiten."),
        "{}",
        ran.stderr
    );
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let quiet = bench
        .run(&["check", "clients.csv", "-m", "m.toml", "--quiet"])
        .expect(0);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
    let sample = bench.run(&[
        "check",
        "clients.csv",
        "-m",
        "m.toml",
        "--json",
        "--sample",
        "1",
    ]);
    assert_eq!(
        sample.expect(0).json()["bodies"],
        json!([{ "name": "Ann", "externalCustomerId": "c-1", "slug": "c-1" }])
    );
}

#[test]
fn check_writes_a_reject_file_where_it_is_told_to() {
    let bench = bench();
    bench.file("clients.csv", "Id,Name\nc-1,Ann\nc-2,\n");
    let arguments = [
        "check",
        "clients.csv",
        "-m",
        "m.toml",
        "--json",
        "--rejects",
    ];
    let to = |place: &str| {
        let mut arguments = arguments.to_vec();
        arguments.push(place);
        bench.run(&arguments).expect(1).json()["files"]["rejects"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(to("bad.csv"), "bad.csv");
    std::fs::create_dir(bench.path().join("out")).unwrap();
    assert_eq!(to("out"), "out/clients.rejects.csv");
    let text = bench.read("bad.csv");
    assert_eq!(text, bench.read("out/clients.rejects.csv"));
    let mut lines = text.lines();
    assert_eq!(
        lines.next(),
        Some("Id,Name,_row,_key,_fate,_codes,_problems")
    );
    let row = lines.next().unwrap();
    assert!(
        row.starts_with("c-2,,3,c-2,rejected,name.required,"),
        "{row}"
    );
    assert_eq!(lines.next(), None);
    // A file that is not ours stays.
    bench.file("bad.csv", "mine\n");
    assert_eq!(to("bad.csv"), "bad-2.csv");
    assert_eq!(bench.read("bad.csv"), "mine\n");
}

#[test]
fn strict_makes_warnings_rejections() {
    let bench = bench();
    bench.file(
        "m.toml",
        &MAPPING.replace(
            "\"Name\"",
            "{ column = \"Name\", clean = [{ truncate = 2 }] }",
        ),
    );
    let lax = bench
        .run(&["check", "clients.csv", "-m", "m.toml", "--json"])
        .expect(0)
        .json();
    assert_eq!(lax["issues"][0]["severity"], json!("warning"));
    assert_eq!(lax["issues"][0]["count"], json!(5));
    let strict = bench.run(&["check", "clients.csv", "-m", "m.toml", "--json", "--strict"]);
    assert_eq!(fates(&strict.expect(1).json()), json!({ "rejected": 5 }));
    let served = served(&bench);
    let ran = import(&bench, &served, &["--strict"]).expect(1);
    assert_eq!(fates(&ran.json()), json!({ "rejected": 5 }));
    assert!(served.requests().is_empty());
    let ran = import(&bench, &served, &[]).expect(0);
    assert_eq!(fates(&ran.json()), json!({ "created": 5 }));
    // A warning stands in the results file.
    assert!(
        bench
            .read("clients.results.csv")
            .lines()
            .skip(1)
            .all(|line| line.contains("name."))
    );
}

#[test]
fn check_without_an_input_runs_the_mappings_own_cases() {
    let bench = bench();
    for name in [
        "sphinx",
        "flextell",
        "kaiten",
        "assembly",
        "cirqll",
        "assembly-companies",
    ] {
        let mapping = project(&format!("mappings/{name}.toml"))
            .display()
            .to_string();
        let ran = bench.run(&["check", "-m", &mapping]).expect(0);
        assert!(ran.stderr.contains("test cases pass"), "{}", ran.stderr);
    }
    bench.file(
        "cases.toml",
        &format!("{MAPPING}\n[[test]]\nrow = {{ Id = \"c-1\", Name = \"Ann\" }}\nbody = {{ name = \"Bob\" }}\n"),
    );
    let ran = bench.run(&["check", "-m", "cases.toml"]).expect(2);
    assert!(
        ran.stderr.contains("Ann") && ran.stderr.contains("cases.toml:"),
        "{}",
        ran.stderr
    );
    let ran = bench.run(&["check", "-m", "m.toml"]).expect(0);
    assert!(ran.stderr.contains("no [[test]] cases"), "{}", ran.stderr);
}

#[test]
fn import_sends_the_first_rows_or_some_rows_and_later_the_rest() {
    let bench = bench();
    let served = served(&bench);
    let first = import(&bench, &served, &["--first", "2"]).expect(0).json();
    assert_eq!(fates(&first), json!({ "created": 2, "pending": 3 }));
    assert_eq!(first["finished"], json!(true));
    let some = import(&bench, &served, &["--rows", "3,5-6"])
        .expect(0)
        .json();
    assert_eq!(
        fates(&some),
        json!({ "created": 2, "unchanged": 2, "pending": 1 })
    );
    assert_eq!(some["notes"], Value::Null);
    let none = import(&bench, &served, &["--rows", "1,6,17,40-60"])
        .expect(0)
        .json();
    assert_eq!(fates(&none), json!({ "unchanged": 4, "pending": 1 }));
    let told = none["notes"].to_string();
    assert!(told.contains("--rows names 1, 17, 40-60, "), "{told}");
    let rest = import(&bench, &served, &[]).expect(0).json();
    assert_eq!(fates(&rest), json!({ "created": 1, "unchanged": 4 }));
    let mut names: Vec<String> = served
        .records()
        .iter()
        .map(|record| record["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["Ann", "Bob", "Cem", "Dai", "Eve"]);
    // Every row of the input stands in the results, in its order, with the run that settled it.
    let results = bench.read("clients.results.csv");
    let lines: Vec<Vec<&str>> = results
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect())
        .collect();
    let runs = [&first, &first, &rest, &some, &some];
    for (place, (line, run)) in lines.iter().zip(runs).enumerate() {
        let fate = if place == 2 { "created" } else { "unchanged" };
        assert_eq!(
            &line[..3],
            [
                (place + 2).to_string(),
                format!("c-{}", place + 1),
                fate.to_owned()
            ]
        );
        assert!(!line[3].is_empty());
        assert_eq!(json!(line[4]), run["run"], "{results}");
    }
    for wrong in ["0", "x", "6-5", ""] {
        let ran = import(&bench, &served, &["--rows", wrong]).expect(2);
        assert!(
            ran.json()["mistakes"][0]["message"]
                .as_str()
                .unwrap()
                .contains("--rows")
        );
    }
    import(&bench, &served, &["--rows", "2", "--first", "1"]).expect(2);
}

#[test]
fn the_base_url_may_come_from_the_environment() {
    let bench = bench();
    let served = served(&bench);
    let variables = [TOKEN[0], ("ROWFERRY_BASE_URL", served.base_url.as_str())];
    let ran = bench
        .run_with(
            &variables,
            &["import", "clients.csv", "-m", "m.toml", "--json"],
        )
        .expect(0);
    assert_eq!(ran.json()["base_url"], json!(served.base_url));
    assert_eq!(served.records().len(), 5);
    // A slash at the end names the same place, whose ledger knows the rows.
    let slash = format!("{}/", served.base_url);
    let ran = bench
        .run_with(
            TOKEN,
            &[
                "import",
                "clients.csv",
                "-m",
                "m.toml",
                "--json",
                "--base-url",
                &slash,
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran.json()), json!({ "unchanged": 5 }));
}

#[test]
fn a_sandbox_stands_even_where_a_base_url_is_in_the_environment() {
    let bench = bench();
    let variables = [("ROWFERRY_BASE_URL", "https://customers.invalid")];
    let ran = bench.run_with(
        &variables,
        &[
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--json",
            "--sandbox",
        ],
    );
    let ran = ran.expect(0);
    assert!(
        ran.json()["base_url"]
            .as_str()
            .unwrap()
            .starts_with("http://127.0.0.1:")
    );
}

#[test]
fn http_that_leaves_this_machine_must_be_meant() {
    let bench = bench();
    let arguments = [
        "import",
        "clients.csv",
        "-m",
        "m.toml",
        "--json",
        "--base-url",
        "http://customers.invalid",
    ];
    let ran = bench.run_with(TOKEN, &arguments).expect(2);
    assert!(ran.stderr.contains("--insecure-http"), "{}", ran.stderr);
    assert!(!bench.has("state"));
    let mut arguments = arguments.to_vec();
    arguments.extend(["--insecure-http", "--attempts", "1"]);
    let ran = bench.run_with(TOKEN, &arguments).expect(3);
    assert_eq!(fates(&ran.json()), json!({ "pending": 5 }));
}

#[test]
fn each_account_has_a_ledger_of_its_own() {
    let bench = bench();
    let served = served(&bench);
    let one = import(&bench, &served, &["--account", "one"])
        .expect(0)
        .json();
    let two = import(&bench, &served, &["--account", "two"])
        .expect(1)
        .json();
    assert_eq!(
        (
            fates(&one),
            one["files"]["ledger"] == two["files"]["ledger"]
        ),
        (json!({ "created": 5 }), false)
    );
    let ledger = one["files"]["ledger"].as_str().unwrap();
    assert!(
        ledger.starts_with(bench.path().join("state/rowferry").to_str().unwrap()),
        "{ledger}"
    );
    use std::os::unix::fs::PermissionsExt;
    for file in [ledger, "clients.results.csv"] {
        let mode = std::fs::metadata(bench.path().join(file))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let other = import(&bench, &served, &["--account", "two", "--ledger", ledger]).expect(2);
    assert!(other.stderr.contains("belongs to"), "{}", other.stderr);
    let own = import(&bench, &served, &["--ledger", "own.db"])
        .expect(1)
        .json();
    assert_eq!(own["files"]["ledger"], json!("own.db"));
    // Kaiten keeps the slug that is made of the key unique; a ledger that knows nothing of the
    // record cannot tell whose it is.
    assert_eq!(fates(&own), json!({ "failed": 5 }));
}

#[test]
fn another_secret_must_be_explained() {
    let bench = bench();
    let served = served(&bench);
    import(&bench, &served, &[]).expect(0);
    let renewed = |more: &[&str]| {
        let mut arguments = vec![
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--json",
            "--base-url",
            &served.base_url,
        ];
        arguments.extend(more);
        bench.run_with(&[("KAITEN_TOKEN", "another-s3cret")], &arguments)
    };
    let ran = renewed(&[]).expect(2);
    assert!(ran.stderr.contains("--same-account"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("another-s3cret") && !ran.stdout.contains("another-s3cret"));
    let ran = renewed(&["--same-account"]).expect(0);
    assert_eq!(fates(&ran.json()), json!({ "unchanged": 5 }));
    // From now on it is the secret of this account.
    renewed(&[]).expect(0);
    import(&bench, &served, &[]).expect(2);
}

#[test]
fn one_run_at_a_time_holds_a_ledger() {
    let bench = bench();
    let served = served(&bench);
    import(&bench, &served, &["--ledger", "l.db", "--first", "1"]).expect(0);
    let held = ledger::open(ledger::Open {
        path: bench.path().join("l.db"),
        account: Account {
            target: "kaiten".into(),
            base_url: served.base_url.clone(),
            client_id: None,
            tenants: Vec::new(),
            name: None,
        },
        secret: None,
        same_account: true,
        command: "the other run".into(),
    })
    .unwrap();
    let ran = import(&bench, &served, &["--ledger", "l.db"]).expect(75);
    assert!(ran.stderr.contains("the other run"), "{}", ran.stderr);
    assert_eq!(ran.json()["exit_code"], json!(75));
    held.close().unwrap();
    let ran = import(&bench, &served, &["--ledger", "l.db"]).expect(0);
    assert_eq!(fates(&ran.json()), json!({ "created": 4, "unchanged": 1 }));
}

#[test]
fn results_and_rejects_go_where_they_are_told_to() {
    let bench = bench();
    bench.file("clients.csv", "Id;Name\nc-1;Ann\nc-2;\n");
    let served = served(&bench);
    std::fs::create_dir(bench.path().join("out")).unwrap();
    let summary = import(
        &bench,
        &served,
        &["--rejects", "bad.csv", "--results", "out"],
    )
    .expect(1)
    .json();
    assert_eq!(summary["files"]["rejects"], json!("bad.csv"));
    assert_eq!(
        summary["files"]["results"],
        json!("out/clients.results.csv")
    );
    // The source's own delimiter.
    assert!(bench.read("bad.csv").starts_with("Id;Name;_row;"));
    // What we wrote last is replaced; what somebody changed is not.
    import(
        &bench,
        &served,
        &["--rejects", "bad.csv", "--results", "out"],
    )
    .expect(1);
    assert!(!bench.has("bad-2.csv") && !bench.has("out/clients.results-2.csv"));
    bench.file("bad.csv", "mine\n");
    let summary = import(
        &bench,
        &served,
        &["--rejects", "bad.csv", "--results", "out"],
    )
    .expect(1)
    .json();
    assert_eq!(summary["files"]["rejects"], json!("bad-2.csv"));
    assert_eq!(bench.read("bad.csv"), "mine\n");
}

#[test]
fn a_mended_reject_file_is_imported_with_the_same_mapping() {
    let bench = bench();
    bench.file("clients.csv", "Id,Name\nc-1,Ann\nc-2,\nc-3,Cem\n");
    let served = served(&bench);
    import(&bench, &served, &[]).expect(1);
    let mended = bench
        .read("clients.rejects.csv")
        .replace("c-2,,", "c-2,Bob,");
    bench.file("clients.rejects.csv", &mended);
    let ran = bench
        .run_with(
            TOKEN,
            &[
                "import",
                "clients.rejects.csv",
                "-m",
                "m.toml",
                "--json",
                "--base-url",
                &served.base_url,
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran.json()), json!({ "created": 1 }));
    assert_eq!(served.records().len(), 3);
    // The broken row of the first file is still broken; that its mended twin is in is said.
    let again = import(&bench, &served, &[]).expect(1);
    assert_eq!(
        fates(&again.json()),
        json!({ "unchanged": 2, "rejected": 1 })
    );
    assert!(bench.read("clients.results.csv").contains("mended twin"));
}

#[test]
fn stdout_holds_data_only_and_quiet_says_nothing_of_success() {
    let bench = bench();
    let served = served(&bench);
    let arguments = [
        "import",
        "clients.csv",
        "-m",
        "m.toml",
        "--base-url",
        &served.base_url,
    ];
    let ran = bench.run_with(TOKEN, &arguments).expect(0);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr
            .contains("All 5 rows of clients.csv are in kaiten."),
        "{}",
        ran.stderr
    );
    let ran = bench
        .run_with(TOKEN, &[&arguments[..], &["--quiet"]].concat())
        .expect(0);
    assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    bench.file("clients.csv", "Id,Name\nc-1,Ann\nc-2,\n");
    let ran = bench
        .run_with(TOKEN, &[&arguments[..], &["--quiet"]].concat())
        .expect(1);
    assert!(ran.stderr.contains("name.required"), "{}", ran.stderr);
    let variables = [TOKEN[0], ("NO_COLOR", "1"), ("TERM", "xterm")];
    let ran = bench.run_with(&variables, &arguments).expect(1);
    assert!(!ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    let json = bench
        .run_with(TOKEN, &[&["--log-format", "json"], &arguments[..]].concat())
        .expect(1);
    let log = json.stderr.lines().next().unwrap();
    assert!(
        serde_json::from_str::<Value>(log).unwrap().is_object(),
        "{log}"
    );
}

#[test]
fn a_dry_run_is_a_check() {
    let bench = bench();
    let ran = bench
        .run(&[
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--dry-run",
            "--json",
        ])
        .expect(0);
    let summary = ran.json();
    assert_eq!(summary["command"], json!("check"));
    assert_eq!(fates(&summary), json!({ "created": 5 }));
    assert!(!bench.has("state"));
}

#[test]
fn files_that_cannot_be_made_are_told_before_anything_is_sent() {
    let bench = bench();
    bench.file("plain", "no folder");
    let ran = bench
        .run(&[
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--sandbox",
            "--results",
            "plain/r.csv",
        ])
        .expect(2);
    assert!(ran.stderr.contains("Nothing was sent"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--results"), "{}", ran.stderr);
    assert!(!ran.stderr.contains(".part"), "{}", ran.stderr);
}

#[test]
fn standard_input_is_an_input_like_others() {
    let bench = bench();
    let ran = bench
        .run_fed(FIVE, &["check", "-", "-m", "m.toml", "--json"])
        .expect(0);
    let said = ran.json();
    assert_eq!(fates(&said), json!({ "created": 5 }));
    assert_eq!(
        said["next"],
        json!("rowferry import - --mapping m.toml --sandbox")
    );
    let text = format!("{FIVE}c-6,\n");
    let ran = bench
        .run_fed(
            &text,
            &["import", "-", "-m", "m.toml", "--json", "--sandbox"],
        )
        .expect(1);
    assert_eq!(fates(&ran.json()), json!({ "created": 5, "rejected": 1 }));
    assert_eq!(bench.read("stdin.results.csv").lines().count(), 7);
    assert_eq!(bench.read("stdin.rejects.csv").lines().count(), 2);
    let ran = bench.run_fed("", &["check", "-", "-m", "m.toml"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("stdin") || ran.stderr.contains("standard input"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("empty"), "{}", ran.stderr);
}

#[test]
fn folders_and_patterns_are_several_inputs() {
    let bench = bench();
    bench.file("in/b.csv", "Id,Name\nb-1,Bob\nb-2,\n");
    bench.file("in/a.csv", "Name,Id\nAnn,a-1\n");
    bench.file("in/notes.md", "no spreadsheet\n");
    let served = served(&bench);
    for input in ["in", "in/*.csv"] {
        let ran = bench
            .run_with(
                TOKEN,
                &[
                    "import",
                    input,
                    "-m",
                    "m.toml",
                    "--json",
                    "--base-url",
                    &served.base_url,
                ],
            )
            .expect(1);
        let summary = ran.json();
        assert_eq!(
            summary["inputs"],
            json!(["in/a.csv", "in/b.csv"]),
            "{input}"
        );
        assert_eq!(summary["read"], json!(3));
        let own = summary["per_input"].as_array().unwrap();
        assert_eq!(own.len(), 2);
        assert_eq!(
            (&own[0]["input"], &own[0]["read"]),
            (&json!("in/a.csv"), &json!(1))
        );
        assert_eq!(own[1]["fates"]["rejected"], json!(1));
        assert_eq!(own[1]["files"]["rejects"], json!("in/b.rejects.csv"));
        assert_eq!(own[0]["files"]["results"], json!("in/a.results.csv"));
        assert!(own[0]["files"].get("rejects").is_none());
        // Which file an example is of is said.
        assert_eq!(
            summary["issues"][0]["examples"][0]["input"],
            json!("in/b.csv")
        );
        // The pattern would take what the first run wrote.
        for file in ["a.results.csv", "b.results.csv", "b.rejects.csv"] {
            std::fs::remove_file(bench.path().join("in").join(file)).unwrap();
        }
    }
    assert_eq!(served.records().len(), 2);
    let ran = bench.run(&["check", "in/*.xlsx", "-m", "m.toml"]).expect(2);
    assert!(ran.stderr.contains("in/*.xlsx"), "{}", ran.stderr);
    let ran = bench
        .run(&["check", "absent.csv", "-m", "m.toml"])
        .expect(2);
    assert!(ran.stderr.contains("absent.csv"), "{}", ran.stderr);
    let ran = bench
        .run(&["check", "clients.csv", "-m", "absent.toml"])
        .expect(2);
    assert!(ran.stderr.contains("absent.toml"), "{}", ran.stderr);
}

#[test]
fn preview_prints_bodies_as_they_would_be_sent() {
    let bench = bench();
    let ran = bench
        .run(&["preview", "clients.csv", "-m", "m.toml", "-n", "2"])
        .expect(0);
    assert_eq!(
        ran.stdout,
        "{\"name\":\"Ann\",\"externalCustomerId\":\"c-1\",\"slug\":\"c-1\"}\n{\"name\":\"Bob\",\"externalCustomerId\":\"c-2\",\"slug\":\"c-2\"}\n"
    );
    bench.file("clients.csv", "Id,Name\nc-1,\nc-2,Bob\n");
    let ran = bench
        .run(&["preview", "clients.csv", "-m", "m.toml", "-n", "5"])
        .expect(1);
    assert_eq!(ran.stdout.lines().count(), 1);
    assert!(
        ran.stderr.contains("B2: ") && ran.stderr.contains("name.required"),
        "{}",
        ran.stderr
    );
}

#[test]
fn columns_tells_what_is_in_a_file() {
    let bench = bench();
    let ran = bench.run(&["columns", "clients.csv"]).expect(0);
    assert!(
        ran.stdout.contains("Name") && ran.stdout.contains("c-1"),
        "{}",
        ran.stdout
    );
    assert_eq!(ran.stderr, "");
    let ran = bench.run(&["columns", "clients.csv", "--json"]).expect(0);
    let columns = ran.json();
    assert!(columns.to_string().contains("\"Name\""), "{columns}");
    let ran = bench.run(&["columns", "absent.csv"]).expect(2);
    assert!(
        ran.stderr.contains("absent.csv") && ran.stdout.is_empty(),
        "{}",
        ran.stderr
    );
}

#[test]
fn targets_are_listed_shown_and_checked() {
    let bench = bench();
    let list = bench.run(&["targets"]).expect(0).stdout;
    let names: Vec<&str> = list
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(
        names,
        [
            "sphinx",
            "flextell",
            "kaiten",
            "assembly",
            "assembly-companies",
            "cirqll"
        ]
    );
    assert!(
        list.contains("https://dev.flextell.ai/api/v1/customers"),
        "{list}"
    );
    assert!(list.contains("SPHINX_CLIENT_SECRET"), "{list}");
    // What is shown is a target file that works.
    let shown = bench.run(&["targets", "show", "kaiten"]).expect(0).stdout;
    bench.file("mine.target.toml", &shown);
    bench
        .run(&["targets", "check", "mine.target.toml"])
        .expect(0);
    bench.file(
        "m.toml",
        &MAPPING.replace("\"kaiten\"", "\"./mine.target.toml\""),
    );
    bench
        .run(&[
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--sandbox",
            "--quiet",
        ])
        .expect(0);

    let ran = bench.run(&["targets", "show", "kaitn"]).expect(2);
    assert!(
        ran.stderr.contains("kaiten") && ran.stdout.is_empty(),
        "{}",
        ran.stderr
    );
    bench.file(
        "bad.target.toml",
        "name = \"Bad\"\nbase_url = \"nonsense\"\n[create]\npaht = \"/c\"\n",
    );
    let ran = bench
        .run(&["targets", "check", "bad.target.toml"])
        .expect(2);
    assert!(
        ran.stderr.contains("`path`") && ran.stderr.contains("bad.target.toml:4"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("nonsense"), "{}", ran.stderr);
}

#[test]
fn missing_credentials_are_all_named() {
    let bench = bench();
    for (target, names) in [
        ("kaiten", vec!["KAITEN_TOKEN"]),
        (
            "sphinx",
            vec!["SPHINX_CLIENT_ID", "SPHINX_CLIENT_SECRET", "SPHINX_TOKEN"],
        ),
        (
            "cirqll",
            vec![
                "CIRQLL_TOKEN",
                "CIRQLL_CLIENT_ID",
                "CIRQLL_CLIENT_SECRET",
                "CIRQLL_REFRESH_TOKEN",
            ],
        ),
        ("flextell", vec!["FLEXTELL_TOKEN", "FLEXTELL_REFRESH_TOKEN"]),
        ("assembly", vec!["ASSEMBLY_API_KEY"]),
    ] {
        let mapping = project(&format!("mappings/{target}.toml"))
            .display()
            .to_string();
        let input = project("samples/customers.csv").display().to_string();
        let ran = bench
            .run(&["import", &input, "-m", &mapping, "--json"])
            .expect(2);
        for name in names {
            assert!(ran.stderr.contains(name), "{name}: {}", ran.stderr);
        }
        assert!(ran.json()["mistakes"].is_array());
    }
    assert!(!bench.has("state"));
    let ran = bench.run_with(
        &[("KAITEN_TOKEN_FILE", "absent-token")],
        &["import", "clients.csv", "-m", "m.toml"],
    );
    assert_eq!(ran.code, 2);
    assert!(
        ran.stderr.contains("absent-token") && ran.stderr.contains("KAITEN_TOKEN_FILE"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_wrong_command_line_is_a_mistake_with_a_sentence() {
    let bench = bench();
    for arguments in [
        &["import", "clients.csv", "-m", "m.toml", "--nonsense"][..],
        &["import", "clients.csv"],
        &["import", "-m", "m.toml"],
        &["nonsense"],
        &[],
        &["import", "clients.csv", "-m", "m.toml", "--first", "x"],
        &["import", "clients.csv", "-m", "m.toml", "--attempts", "0"],
        &[
            "import",
            "clients.csv",
            "-m",
            "m.toml",
            "--sandbox",
            "--base-url",
            "https://a.example",
        ],
        &["sandbox", "kaiten", "--rate", "fast"],
    ] {
        let ran = bench.run(arguments).expect(2);
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
    for arguments in [&["--help"][..], &["import", "--help"], &["--version"]] {
        let ran = bench.run(arguments).expect(0);
        assert!(!ran.stdout.is_empty());
    }
}

#[test]
fn stop_after_counts_our_refusals_before_anything_is_sent() {
    let bench = bench();
    let served = served(&bench);
    let with = |stop: &str| {
        bench.file(
            "m.toml",
            &format!("{MAPPING}\n[policy]\nstop_after = {stop}\n"),
        )
    };
    bench.file(
        "clients.csv",
        "Id,Name\nc-1,Ann\nc-2,\nc-3,Cem\nc-4,\nc-5,Eve\n",
    );
    with("1");
    let ran = import(&bench, &served, &[]).expect(3);
    let summary = ran.json();
    assert_eq!(fates(&summary), json!({ "rejected": 2, "pending": 3 }));
    assert_eq!(
        (&summary["requests"]["sent"], &summary["finished"]),
        (&json!(0), &json!(false))
    );
    assert!(
        summary["stopped"].as_str().unwrap().contains("stop_after"),
        "{summary}"
    );
    assert!(served.requests().is_empty());
    // A share counts once there are 100 rows.
    with("\"5%\"");
    let ran = import(&bench, &served, &[]).expect(1);
    assert_eq!(fates(&ran.json()), json!({ "created": 3, "rejected": 2 }));

    let mut rows = String::from("Id,Name\n");
    for row in 0..120 {
        let name = if row % 15 == 0 { "" } else { "Ann" };
        rows.push_str(&format!("d-{row},{name}\n"));
    }
    bench.file("clients.csv", &rows);
    let before = served.records().len();
    let ran = import(&bench, &served, &[]).expect(3);
    assert_eq!(fates(&ran.json()), json!({ "rejected": 8, "pending": 112 }));
    assert_eq!(served.records().len(), before);
    with("8");
    let ran = import(&bench, &served, &[]).expect(1);
    assert_eq!(fates(&ran.json()), json!({ "created": 112, "rejected": 8 }));
}

#[test]
fn stop_after_counts_the_targets_refusals_as_they_come() {
    let bench = bench();
    bench.file(
        "strict.target.toml",
        "extends = \"kaiten\"\n[fields]\nname = { type = \"text\", required = true, max_length = 3 }\n",
    );
    let served = Served::start(&bench, &["./strict.target.toml"]);
    bench.file(
        "m.toml",
        &format!("{MAPPING}\n[policy]\nstop_after = 2\n[limits]\nconcurrency = 1\n"),
    );
    let mut rows = String::from("Id,Name\n");
    for row in 0..200 {
        rows.push_str(&format!("d-{row},Longer\n"));
    }
    bench.file("clients.csv", &rows);
    let ran = import(&bench, &served, &[]).expect(3);
    let summary = ran.json();
    let failed = summary["fates"]["failed"].as_u64().unwrap();
    let pending = summary["fates"]["pending"].as_u64().unwrap();
    assert!((3..20).contains(&failed), "{failed}");
    assert_eq!(failed + pending, 200);
}
