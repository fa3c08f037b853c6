//! Rows over several runs: left, edited, not asked for, of two mappings.

use super::*;

#[test]
fn a_second_run_sends_only_what_is_new() {
    let place = Place::new(3);
    assert_eq!(fates(&place.import(&[], 0)), "created 3");
    assert_eq!(fates(&place.import(&[], 0)), "unchanged 3");
    place.bench.file("in.csv", &rows(5));
    let summary = place.import(&[], 0);
    assert_eq!(fates(&summary), "created 2, unchanged 3");
    assert_eq!(summary.get("left"), None);
    place.none_twice();
}

#[test]
fn rows_that_left_the_file_are_told_and_left_alone() {
    let place = Place::new(4);
    place.doubt(&[4]);
    place
        .bench
        .file("in.csv", "Id,Name\nK1,Name 1\nK9,Name 9\n");
    let ran = ran(place.command(&[])).expect(0);
    let summary = ran.json();
    assert_eq!(fates(&summary), "created 1, unchanged 1");
    let left = &summary["left"];
    assert_eq!(left["count"], json!(3));
    let rows: Vec<(u64, &str, bool)> = left["rows"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            assert_eq!(row["run"].as_str().unwrap().len(), 26);
            (
                row["row"].as_u64().unwrap(),
                row["id"].as_str().unwrap_or(""),
                row["uncertain"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        rows,
        [
            (5, "", true),
            (3, "c-Name 2", false),
            (4, "c-Name 3", false)
        ]
    );
    insta::assert_snapshot!(redacted(&place, summary["notes"][0].as_str().unwrap()), @r##"
    3 rows that an earlier run sent from here are no longer in the input (rows 3, 4, 5 of run RUN); nothing was changed at the target; of one of them it is not known whether the target made it: `rowferry settle` lists it
    "##);
    assert!(
        place
            .server
            .requests()
            .iter()
            .all(|request| request.method == "POST")
    );

    // What is back is known again; another file has nothing to do with it.
    place.bench.file("in.csv", &super::rows(4));
    let summary = place.import(&[], 1);
    assert_eq!(fates(&summary), "unchanged 3, uncertain 1");
    assert_eq!(summary["left"]["count"], json!(1), "{summary:#}");
    place.bench.file("other.csv", "Id,Name\nK20,Name 20\n");
    let other = [
        "import",
        "other.csv",
        "--mapping",
        "m.toml",
        "--ledger",
        "l.db",
        "--json",
    ];
    let summary = place.bench.run(&other).expect(0).json();
    assert_eq!(summary.get("left"), None, "{summary:#}");
    // Nor has a run that did not read all of it.
    place.none_twice();
}

#[test]
fn a_reject_file_that_comes_back_does_not_count_as_the_whole() {
    let place = Place::new(2);
    place.bench.file("in.csv", "Id,Name\nK1,Name 1\nK2,\nK3,\n");
    place.import(&[], 1);
    let bad = place.bench.read("bad.csv");
    let back = |text: &str, code: i32| {
        place.bench.file("back.csv", text);
        let arguments = [
            "import",
            "back.csv",
            "--mapping",
            "m.toml",
            "--ledger",
            "l.db",
            "--json",
        ];
        place.bench.run(&arguments).expect(code).json()
    };
    let first = back(&bad.replace("K2,,", "K2,Name 2,"), 1);
    assert_eq!(fates(&first), "created 1, rejected 1");
    let lines: Vec<&str> = bad.lines().filter(|line| !line.starts_with("K2")).collect();
    let second = back(&(lines.join("\n") + "\n").replace("K3,,", "K3,Name 3,"), 0);
    assert_eq!(fates(&second), "created 1");
    assert_eq!(second.get("left"), None, "{second:#}");
}

#[test]
fn what_is_not_asked_for_keeps_its_unknown_fate() {
    let place = Place::new(4);
    place.mood(Mood::Cuts);
    place.import(&["--rows", "4"], 1);
    place.mood(Mood::Answers);
    let summary = place.import(&["--first", "1"], 1);
    assert_eq!(fates(&summary), "created 1, uncertain 1, pending 2");
    assert_eq!(
        place.results(),
        ["K1 created", "K2 pending", "K3 uncertain", "K4 pending"]
    );
    let bad = place.bench.read("bad.csv");
    insta::assert_snapshot!(bad, @r##"
    Id,Name,_row,_key,_fate,_codes,_problems
    K3,Name 3,4,K3,uncertain,target.unknown,"sent, but it is not known whether the target made it: look there before you send it again, then write `send` or `created:ID` into _fate; A4 ""K3"": an earlier run sent it without an answer, and this run was not asked to look it up"
    "##);
    place.none_twice();
}

#[test]
fn an_open_row_that_our_checks_refuse_now_says_that_it_may_be_there() {
    let place = Place::new(2);
    place.doubt(&[2]);
    place.bench.file("in.csv", "Id,Name\nK1,Name 1\nK2,\n");
    assert_eq!(fates(&place.import(&[], 1)), "unchanged 1, rejected 1");
    let results = place.bench.read("out.csv");
    assert!(results.contains("it may be at the target"), "{results}");
    // Mended, it is still not sent without a look.
    place
        .bench
        .file("in.csv", "Id,Name\nK1,Name 1\nK2,Name two\n");
    assert_eq!(fates(&place.import(&[], 1)), "unchanged 1, uncertain 1");
    place.none_twice();
    assert_eq!(place.sent().len(), 2);
}

#[test]
fn a_mapping_or_a_row_edited_after_a_kill_sends_nothing_twice() {
    let place = Place::new(6);
    let mut child = place.held();
    child.kill().unwrap();
    child.wait().unwrap();
    place.mood(Mood::Answers);
    // The mapping makes another body of each row, and one row is edited besides.
    let template = "name = { template = \"Mr {{ name }}\" }";
    let edited = MAPPING.replace("name = \"Name\"", template);
    place.bench.file("m.toml", &edited);
    place
        .bench
        .file("in.csv", &super::rows(6).replace("Name 2", "Number 2"));
    let summary = place.import(&[], 1);
    assert_eq!(fates(&summary), "created 5, uncertain 1");
    assert_eq!(
        place.sent(),
        [
            "Name 1",
            "Mr Number 2",
            "Mr Name 3",
            "Mr Name 4",
            "Mr Name 5",
            "Mr Name 6"
        ]
    );
    // The body of the attempt again: still nobody knows.
    place.bench.file("m.toml", MAPPING);
    place.bench.file("in.csv", &super::rows(6));
    let summary = place.import(&[], 1);
    assert_eq!(fates(&summary), "skipped 5, uncertain 1");
    assert_eq!(place.sent().len(), 6);
}

#[test]
fn an_open_attempt_is_not_taken_for_another_mappings_customer() {
    let place = Place::new(1);
    place.mood(Mood::Cuts);
    place.import(&[], 1);
    place.mood(Mood::Answers);
    place.bench.file("n.toml", MAPPING);
    place.bench.file("other.csv", "Id,Name\nK1,Somebody else\n");
    let arguments = [
        "import",
        "other.csv",
        "--mapping",
        "n.toml",
        "--ledger",
        "l.db",
        "--json",
    ];
    let summary = place.bench.run(&arguments).expect(1).json();
    assert_eq!(fates(&summary), "rejected 1");
    assert_eq!(summary["issues"][0]["code"], json!("key.conflict"));
    // The first mapping's row is still what it was.
    assert_eq!(fates(&place.import(&[], 1)), "uncertain 1");
    assert_eq!(place.sent(), ["Name 1"]);
    // With a space of their own, keys are apart from the start.
    let spaced = MAPPING.replace("key = \"Id\"", "key = \"Id\"\nspace = \"second system\"");
    place.bench.file("n.toml", &spaced);
    let summary = place.bench.run(&arguments).expect(0).json();
    assert_eq!(fates(&summary), "created 1");
}
