//! `rowferry settle`: a person says what became of rows of unknown fate.

use super::*;

fn settle(place: &Place, more: &[&str]) -> Ran {
    let mut arguments = vec!["settle", "--ledger", "l.db"];
    arguments.extend(more);
    place.bench.run(&arguments)
}

/// Numbers of the rows that are listed as uncertain.
fn open(place: &Place, more: &[&str]) -> Vec<u64> {
    let mut arguments = vec!["--json"];
    arguments.extend(more);
    let listed = settle(place, &arguments).expect(0).json();
    let rows = listed["uncertain"].as_array().unwrap();
    rows.iter()
        .map(|row| row["row"].as_u64().unwrap())
        .collect()
}

#[test]
fn uncertain_rows_are_listed_and_settled_one_by_one_and_all() {
    let place = Place::new(6);
    let none = settle(&place, &[]).expect(2);
    assert!(
        none.stderr.contains("there is no ledger l.db"),
        "{}",
        none.stderr
    );
    place.doubt(&[2, 3, 4, 5]);
    let listed = settle(&place, &[]).expect(0);
    insta::assert_snapshot!(redacted(&place, &listed.stdout), @r##"
    ROW  KEY  SINCE  TARGET  INPUT  WHAT IS KNOWN
    3  K2  TIME  t  in.csv (run RUN)  a create was sent, and neither an answer nor a look-up says what became of it
    4  K3  TIME  t  in.csv (run RUN)  a create was sent, and neither an answer nor a look-up says what became of it
    5  K4  TIME  t  in.csv (run RUN)  a create was sent, and neither an answer nor a look-up says what became of it
    6  K5  TIME  t  in.csv (run RUN)  a create was sent, and neither an answer nor a look-up says what became of it
    "##);
    insta::assert_snapshot!(redacted(&place, &listed.stderr), @r##"
    look for each at the target; then say what you found:
      it is not there, and may be sent:  rowferry settle --ledger l.db --row N --absent
      it is there, with this id:  rowferry settle --ledger l.db --row N --id ID
      none of them is there:  rowferry settle --ledger l.db --all-absent
    "##);

    // Row 3 is there, row 4 is not.
    let there = settle(&place, &["--row", "3", "--id", "c-77"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &there.stderr), @r##"
    row 3 is at the target, with the id c-77; 3 rows are still uncertain
    "##);
    let absent = settle(&place, &["--key", "K3", "--absent"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &absent.stderr), @r##"
    row 4 may be sent again; 2 rows are still uncertain
    rowferry import in.csv --mapping m.toml --ledger l.db
    "##);
    assert_eq!(open(&place, &[]), [5, 6]);
    let summary = place.import(&[], 1);
    assert_eq!(fates(&summary), "created 1, unchanged 3, uncertain 2");
    assert_eq!(place.sent().last().unwrap(), "Name 3");
    let results = place.bench.read("out.csv");
    assert!(results.contains("3,K2,unchanged,c-77,"), "{results}");

    let all = settle(&place, &["--all-absent", "--json"]).expect(0).json();
    assert_eq!(all["settled"].as_array().unwrap().len(), 2);
    assert_eq!(all["uncertain"], json!([]));
    assert_eq!(fates(&place.import(&[], 0)), "created 2, unchanged 4");
    let none = settle(&place, &["--all-absent"]).expect(0);
    assert_eq!(none.stderr, "no row is uncertain\n");
    let runs = place.bench.run(&["runs", "--ledger", "l.db"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &runs.stdout), @r##"
    WHEN  TARGET  INPUT  EXIT  TOOK  RUN  ROWS
    TIME  t  in.csv  0  0 s  RUN  2 created, 4 unchanged
    TIME  t  settle in.csv  0  0 s  RUN  2 settled by a person
    TIME  t  in.csv  1  0 s  RUN  1 created, 3 unchanged, 2 uncertain
    TIME  t  settle in.csv  0  0 s  RUN  1 settled by a person
    TIME  t  settle in.csv  0  0 s  RUN  1 settled by a person
    TIME  t  in.csv  1  0 s  RUN  2 created, 4 uncertain
    TIME  t  in.csv  1  0 s  RUN  4 uncertain, 2 pending
    "##);
}

#[test]
fn what_cannot_be_settled_is_refused_in_words() {
    let place = Place::new(4);
    place.doubt(&[3, 4]);
    let mut said = String::new();
    for arguments in [
        ["--row", "2", "--absent"].as_slice(),
        &["--row", "99", "--absent"],
        &["--row", "x", "--absent"],
        &["--key", "K1", "--absent"],
        &["--row", "4,5", "--id", "a"],
        &["--row", "4", "--id", " "],
        &["--row", "4", "--id", "c-Name 1"],
        &["--absent"],
    ] {
        let ran = settle(&place, arguments).expect(2);
        assert_eq!(ran.stdout, "");
        said.push_str(&format!("{arguments:?}\n{}\n", ran.stderr));
        let mut json = arguments.to_vec();
        json.push("--json");
        let told = settle(&place, &json).expect(2).json();
        assert_eq!(told["mistakes"].as_array().unwrap().len(), 1);
    }
    insta::assert_snapshot!(redacted(&place, &said), @r##"
    ["--row", "2", "--absent"]
    error[settle]: row 2 is not to be settled: the target confirmed that it made it, id `c-Name 1`

    ["--row", "99", "--absent"]
    error[settle]: no row 99 was ever sent
     |
     = help: rows count as in the reject file's column `_row`: the header is row 1

    ["--row", "x", "--absent"]
    error[rows]: --row is wrong: `x` is no row number; write rows as `17` or `40-60`, with commas between

    ["--key", "K1", "--absent"]
    error[settle]: no row with the key `K1` is uncertain

    ["--row", "4,5", "--id", "a"]
    error[settle]: --id says what one row has become, and 2 are meant
     |
     = help: settle them one by one

    ["--row", "4", "--id", " "]
    error[settle]: --id is empty
     |
     = help: give the id that the target shows

    ["--row", "4", "--id", "c-Name 1"]
    error[settle]: the id `c-Name 1` is that of another row that was imported
     |
     = help: look again which record of the target is this row's

    ["--absent"]
    error[settle]: it is not said which rows are meant
     |
     = help: add --row N or --key KEY; for all rows listed there is --all-absent
    "##);
    assert_eq!(open(&place, &[]), [4, 5]);
    assert_eq!(open(&place, &["--row", "5-9"]), [5]);
    assert_eq!(open(&place, &["--key", "K3"]), [4]);
}

#[test]
fn settling_takes_the_lock() {
    let place = Place::new(3);
    place.doubt(&[1]);
    place.bench.file("in.csv", &rows(4));
    let at_work = place.held();
    let ran = settle(&place, &["--row", "2", "--absent"]).expect(75);
    assert!(ran.stderr.contains("rowferry import"), "{}", ran.stderr);
    // What the run at work has under way is nobody's to judge.
    assert_eq!(open(&place, &[]), [2]);
    place.mood(Mood::Answers);
    at_work.wait_with_output().unwrap();
    settle(&place, &["--row", "2", "--absent"]).expect(0);
    assert_eq!(fates(&place.import(&[], 0)), "created 1, unchanged 3");
}

#[test]
fn rows_of_a_killed_run_can_be_settled() {
    let place = Place::new(2);
    let mut killed = place.held();
    killed.kill().unwrap();
    killed.wait().unwrap();
    place.mood(Mood::Answers);
    let listed = settle(&place, &["--json"]).expect(0).json();
    assert_eq!(
        listed["uncertain"][0]["known"],
        json!("a create was sent, and the run was killed before an answer came")
    );
    settle(&place, &["--all-absent"]).expect(0);
    assert_eq!(fates(&place.import(&[], 0)), "created 2");
    assert_eq!(place.sent(), ["Name 1", "Name 1", "Name 2"]);
}

#[test]
fn one_row_number_of_two_files_asks_which() {
    let place = Place::new(1);
    place.mood(Mood::Cuts);
    place.import(&[], 1);
    place.bench.file("other.csv", "Id,Name\nX1,Other 1\n");
    let arguments = [
        "import",
        "other.csv",
        "--mapping",
        "m.toml",
        "--ledger",
        "l.db",
    ];
    place.bench.run(&arguments).expect(1);
    place.mood(Mood::Answers);
    let ran = settle(&place, &["--row", "2", "--absent"]).expect(2);
    insta::assert_snapshot!(redacted(&place, &ran.stderr), @r##"
    error[settle]: row 2 may be that of in.csv (run RUN) or that of other.csv (run RUN)
     |
     = help: add --run RUN, --ledger FILE, the input or the mapping; or say the row by --key KEY
    "##);
    settle(&place, &["other.csv", "--row", "2", "--absent"]).expect(0);
    assert_eq!(open(&place, &["in.csv"]), [2]);
    assert_eq!(open(&place, &["other.csv"]), [0; 0]);
    let run = settle(&place, &["--json"]).expect(0).json()["uncertain"][0]["run"].clone();
    let run = run.as_str().unwrap();
    settle(
        &place,
        &[
            "--run",
            &run[..12],
            "--mapping",
            "m.toml",
            "--row",
            "2",
            "--id",
            "n1",
        ],
    )
    .expect(0);
    assert_eq!(fates(&place.import(&[], 0)), "unchanged 1");
}

#[test]
fn without_a_ledger_named_it_is_found_and_accounts_are_kept_apart() {
    let place = Place::new(1);
    place.mood(Mood::Cuts);
    let import = |more: &[&str], code: i32| {
        let mut arguments = vec!["import", "in.csv", "--mapping", "m.toml", "--json"];
        arguments.extend(more);
        place.bench.run(&arguments).expect(code).json()
    };
    import(&[], 1);
    let one = place.bench.run(&["settle", "--json"]).expect(0).json();
    assert_eq!(one["uncertain"][0]["key"], json!("K1"));
    import(&["--account", "second"], 1);
    place.mood(Mood::Answers);
    let ran = place.bench.run(&["settle", "--all-absent"]).expect(2);
    insta::assert_snapshot!(redacted(&place, &ran.stderr), @r##"
    error[settle]: these rows stand in 2 ledgers, which are of different accounts
     |
     = help: add --ledger FILE, --target NAME or --run RUN
    "##);
    let ledger = one["uncertain"][0]["ledger"].as_str().unwrap();
    place
        .bench
        .run(&["settle", "--ledger", ledger, "--all-absent"])
        .expect(0);
    place
        .bench
        .run(&["settle", "--row", "2", "--id", "c-1"])
        .expect(0);
    assert_eq!(fates(&import(&[], 0)), "created 1");
    assert_eq!(fates(&import(&["--account", "second"], 0)), "unchanged 1");
}

#[test]
fn keys_are_shown_from_the_input_and_asked_for_where_it_is_gone() {
    let place = Place::new(2);
    place.doubt(&[2]);
    std::fs::rename(
        place.bench.path().join("in.csv"),
        place.bench.path().join("moved.csv"),
    )
    .unwrap();
    let listed = settle(&place, &["--json"]).expect(0).json();
    assert_eq!(listed["uncertain"][0]["key"], Value::Null);
    let ran = settle(&place, &["--key", "K2", "--absent"]).expect(2);
    insta::assert_snapshot!(redacted(&place, &ran.stderr), @r##"
    error[settle]: no row with the key `K2` is uncertain
     |
     = help: the key of one uncertain row is not known, because the input or the mapping is not where it was: name both, or say the row by --row N
    "##);
    settle(&place, &["--row", "3", "--absent"]).expect(0);
    assert_eq!(open(&place, &[]), [0; 0]);
}

#[test]
fn a_reject_file_that_comes_back_counts_as_its_source_did() {
    let place = Place::new(5);
    place
        .bench
        .file("in.csv", "Id,Name\nK1,Name 1\nK2,Name 2\nK3,\n");
    place.import(&[], 1);
    let bad = place.bench.read("bad.csv").replace("K3,,", "K3,Name 3,");
    place.bench.file("back.csv", &bad);
    place.mood(Mood::Cuts);
    let back = [
        "import",
        "back.csv",
        "--mapping",
        "m.toml",
        "--ledger",
        "l.db",
    ];
    place.bench.run(&back).expect(1);
    place.mood(Mood::Answers);
    // Row 4 of the first file, row 2 of the reject file.
    let listed = settle(&place, &["--json"]).expect(0).json();
    assert_eq!(
        (
            &listed["uncertain"][0]["row"],
            &listed["uncertain"][0]["key"]
        ),
        (&json!(4), &json!("K3"))
    );
    settle(&place, &["--row", "4", "--absent"]).expect(0);
    place.bench.run(&back).expect(0);
    assert_eq!(place.sent(), ["Name 1", "Name 2", "Name 3", "Name 3"]);
}

/// A target whose records can be found and changed.
const CHANGES: &str = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/c"
[lookup]
path = "/c"
query = { ref = "{{ ref }}" }
results = "data"
[update]
path = "/c/{{ id }}"
[limits]
concurrency = 1
[fields]
name = { type = "text", required = true }
ref = { type = "text" }
"#;

#[test]
fn a_change_that_was_not_made_is_sent_again_as_a_change() {
    for by_file in [false, true] {
        let bench = Bench::new();
        let cut = Arc::new(Mutex::new(false));
        let cuts = Arc::clone(&cut);
        let server = Server::start(move |request: &Request| match request.method.as_str() {
            "GET" => Reply::json(
                200,
                json!({ "data": [{ "id": "c1", "ref": "K1", "name": "Ann" }] }),
            ),
            "PATCH" if *cuts.lock().unwrap() => Reply::Cut,
            _ => Reply::json(200, json!({ "id": "c1" })),
        });
        bench.file("t.target.toml", &CHANGES.replace("BASE", &server.base()));
        let mapping = MAPPING.replace("name = \"Name\"", "name = \"Name\"\nref = \"Id\"");
        bench.file("m.toml", &mapping);
        bench.file("in.csv", "Id,Name\nK1,Ann\n");
        let import = |code: i32| {
            let arguments = [
                "import",
                "in.csv",
                "--mapping",
                "m.toml",
                "--ledger",
                "l.db",
                "--json",
                "--rejects",
                "bad.csv",
                "--attempts",
                "1",
            ];
            bench.run(&arguments).expect(code).json()
        };
        assert_eq!(fates(&import(0)), "created 1");
        bench.file(
            "m.toml",
            &format!("{mapping}[policy]\nexisting = \"update\"\n"),
        );
        bench.file("in.csv", "Id,Name\nK1,Anna\n");
        *cut.lock().unwrap() = true;
        assert_eq!(fates(&import(1)), "uncertain 1");
        *cut.lock().unwrap() = false;
        let before = server.requests().len();
        if by_file {
            let bad = bench.read("bad.csv");
            assert!(bad.contains(",uncertain,"), "{bad}");
            bench.file("in.csv", &bad.replace(",uncertain,", ",send,"));
        } else {
            let settle = ["settle", "--ledger", "l.db", "--row", "2", "--absent"];
            bench.run(&settle).expect(0);
        }
        assert_eq!(fates(&import(0)), "updated 1");
        let routes = server.routes().split_off(before);
        assert!(
            routes.iter().all(|route| !route.starts_with("POST")),
            "{by_file}: {routes:?}"
        );
    }
}
