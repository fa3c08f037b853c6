//! `rowferry runs`.

use super::*;

#[test]
fn runs_are_listed_newest_first_whether_they_ended_or_not() {
    let place = Place::new(5);
    let none = place.bench.run(&["runs"]).expect(0);
    assert_eq!(
        (none.stdout.as_str(), none.stderr.as_str()),
        ("", "no run is known yet\n")
    );

    place.import(&["--first", "2"], 0);
    let mut killed = place.held();
    killed.kill().unwrap();
    killed.wait().unwrap();
    let listed = place.bench.run(&["runs", "--ledger", "l.db"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &listed.stdout), @r##"
    WHEN  TARGET  INPUT  EXIT  TOOK  RUN  ROWS
    TIME  t  in.csv  –  –  RUN  did not end; of those sent: 1 uncertain
    TIME  t  in.csv  0  0 s  RUN  2 created, 3 pending
    "##);
    let at_work = place.held();
    let listed = place.bench.run(&["runs", "--ledger", "l.db"]).expect(0);
    assert_eq!(listed.stderr, "");
    insta::assert_snapshot!(redacted(&place, &listed.stdout), @r##"
    WHEN  TARGET  INPUT  EXIT  TOOK  RUN  ROWS
    TIME  t  in.csv  at work  –  RUN  1 uncertain, 1 under way so far
    TIME  t  in.csv  –  –  RUN  did not end
    TIME  t  in.csv  0  0 s  RUN  2 created, 3 pending
    "##);
    let all = place
        .bench
        .run(&["runs", "--ledger", "l.db", "--json"])
        .expect(0)
        .json();
    place.mood(Mood::Answers);
    at_work.wait_with_output().unwrap();
    let stages: Vec<&str> = all["runs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|run| run["stage"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["at work", "did not end", "ended"]);
    let first = &all["runs"][2];
    assert_eq!(
        first["fates"],
        json!({"created": 2, "updated": 0, "unchanged": 0, "skipped": 0,
        "rejected": 0, "failed": 0, "uncertain": 0, "pending": 3})
    );
    assert_eq!(first["exit_code"], json!(0));
    assert_eq!(first["summary"]["requests"]["sent"], json!(2));
    assert_eq!(all["runs"][1]["exit_code"], Value::Null);
    // The row that the killed run had under way is settled by the run at work, as uncertain.
    assert_eq!(all["runs"][0]["fates"]["uncertain"], json!(1));
    assert_eq!(all["runs"][0]["under_way"], json!(1));

    let listed = place.bench.run(&["runs", "--ledger", "l.db"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &listed.stdout), @r##"
    WHEN  TARGET  INPUT  EXIT  TOOK  RUN  ROWS
    TIME  t  in.csv  1  0 s  RUN  2 created, 2 unchanged, 1 uncertain
    TIME  t  in.csv  –  –  RUN  did not end
    TIME  t  in.csv  0  0 s  RUN  2 created, 3 pending
    "##);
}

#[test]
fn all_ledgers_of_the_state_folder_are_listed_and_one_that_is_broken_hides_none() {
    let place = Place::new(2);
    let import = |more: &[&str]| {
        let mut arguments = vec!["import", "in.csv", "--mapping", "m.toml"];
        arguments.extend(more);
        place.bench.run(&arguments).expect(0);
    };
    import(&[]);
    import(&["--account", "second"]);
    import(&["--sandbox"]);
    let listed = place.bench.run(&["runs"]).expect(0);
    insta::assert_snapshot!(redacted(&place, &listed.stdout), @r##"
    WHEN  TARGET  INPUT  EXIT  TOOK  RUN  ROWS
    TIME  t (second)  in.csv  0  0 s  RUN  2 created
    TIME  t  in.csv  0  0 s  RUN  2 created
    "##);
    let none = place.bench.run(&["runs", "--target", "else"]).expect(0);
    assert_eq!(none.stdout, "");
    place.bench.file("state/rowferry/a.db", "something else");
    let listed = place.bench.run(&["runs"]).expect(2);
    assert_eq!(listed.stdout.lines().count(), 3);
    insta::assert_snapshot!(redacted(&place, &listed.stderr), @r##"
    error[ledger]: the ledger DIR/state/rowferry/a.db cannot be read: it is not an SQLite database; restore it from a backup. Do not simply delete it: it knows what was already sent
    "##);
    let all = place.bench.run(&["runs", "--json"]).expect(2).json();
    assert_eq!(all["runs"].as_array().unwrap().len(), 2);
    assert_eq!(all["mistakes"].as_array().unwrap().len(), 1);
    let missing = place.bench.run(&["runs", "--ledger", "none.db"]).expect(2);
    assert!(
        missing.stderr.contains("there is no ledger none.db"),
        "{}",
        missing.stderr
    );
}

#[test]
fn a_run_that_breaks_off_before_it_sends_ends_too() {
    let place = Place::new(2);
    place.bench.file("file", "");
    let arguments = [
        "import",
        "in.csv",
        "--mapping",
        "m.toml",
        "--ledger",
        "l.db",
        "--results",
        "file/o.csv",
    ];
    place.bench.run(&arguments).expect(2);
    let all = place
        .bench
        .run(&["runs", "--ledger", "l.db", "--json"])
        .expect(0)
        .json();
    assert_eq!(all["runs"][0]["stage"], json!("ended"), "{all:#}");
    assert_eq!(all["runs"][0]["exit_code"], json!(2));
    assert_eq!(place.sent(), [""; 0]);
}

#[test]
fn the_ledger_keeps_nothing_of_a_customers_of_a_run() {
    let place = Place::new(1);
    place.bench.file(
        "in.csv",
        "Id,Name\nK1,Ann Unheard-of\nK2,\nsecret-key-77,\n",
    );
    // Without an answer there is no id, which this server makes of the name.
    place.mood(Mood::Cuts);
    place.import(&[], 1);
    let bytes = std::fs::read(place.bench.path().join("l.db")).unwrap();
    for text in ["Unheard-of", "secret-key-77"] {
        let text = text.as_bytes();
        assert!(!bytes.windows(text.len()).any(|window| window == text));
    }
    let all = place
        .bench
        .run(&["runs", "--ledger", "l.db", "--json"])
        .expect(0)
        .json();
    let issues = all["runs"][0]["summary"]["issues"].as_array().unwrap();
    let kept = |issue: &Value| issue["column"] == "Name" && issue["count"] == 2;
    assert!(issues.iter().any(kept), "{all:#}");
}
