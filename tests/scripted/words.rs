//! What a person writes beside an uncertain row of a reject file: it counts once, and for this row.

use serde_json::json;

use super::{Case, HEAD, THREE, made};
use crate::common::server::{Reply, Request};

const CREATE: &str = "[create]\npath = \"/c\"\nid = \"id\"\n";

/// Loses so many answers to Bob.
fn loses(mut times: usize) -> impl FnMut(&Request) -> Reply + Send + 'static {
    move |request| {
        let lost = request.json()["name"] == "Bob" && times > 0;
        times -= usize::from(lost);
        match lost {
            true => Reply::Cut,
            false => made(request),
        }
    }
}

/// The reject file with another word beside Bob.
fn with_word(case: &Case, name: &str, word: &str) {
    let rejects = case.bench.read("in.rejects.csv");
    let handed = rejects.replace(",uncertain,", &format!(",{word},"));
    assert_ne!(rejects, handed);
    case.bench.file(name, &handed);
}

fn hand_back(case: &Case, name: &str, code: i32) -> serde_json::Value {
    let arguments = ["import", name, "--mapping", "m.toml", "--json"];
    case.bench.run(&arguments).expect(code).json()
}

#[test]
fn the_word_send_of_one_file_counts_once() {
    let case = Case::plain(CREATE, THREE, loses(2));
    case.import(1);
    assert_eq!(case.fates(), "created uncertain created");
    with_word(&case, "back.csv", "send");
    let posts = || case.server.of("POST /c").len();
    assert_eq!(posts(), 3);
    // It is sent, and its answer is lost again.
    let ran = hand_back(&case, "back.csv", 1);
    assert_eq!((posts(), &ran["fates"]["uncertain"]), (4, &json!(1)));
    // The same file speaks of the attempt before, whatever it is called.
    let ran = hand_back(&case, "back.csv", 1);
    assert_eq!((posts(), &ran["fates"]["uncertain"]), (4, &json!(1)));
    case.bench.file("again.csv", &case.bench.read("back.csv"));
    hand_back(&case, "again.csv", 1);
    assert_eq!(posts(), 4);
    // Another file is another word.
    let other = case.bench.read("back.csv").replace("send", "Send ");
    case.bench.file("other.csv", &other);
    let ran = hand_back(&case, "other.csv", 0);
    assert_eq!((posts(), &ran["fates"]["created"]), (5, &json!(1)));
}

#[test]
fn a_record_of_another_row_is_not_taken_for_this_rows() {
    let case = Case::plain(CREATE, THREE, loses(1));
    case.import(1);
    let ann = case.results()[0].2.clone();
    with_word(&case, "back.csv", &format!("created:{ann}"));
    let ran = hand_back(&case, "back.csv", 1);
    assert_eq!(ran["fates"]["uncertain"], 1);
    let said = ran["issues"][0]["message"].to_string();
    assert!(said.contains("for another row"), "{said}");
    // Nothing was noted: its own id is taken.
    with_word(&case, "back.csv", "created:bobs");
    hand_back(&case, "back.csv", 0);
    assert_eq!(case.server.of("POST /c").len(), 3);
}

#[test]
fn a_word_that_means_nothing_is_told() {
    let case = Case::plain(CREATE, THREE, loses(1));
    case.import(1);
    for word in ["created:", "created", "sned"] {
        with_word(&case, "back.csv", word);
        let ran = hand_back(&case, "back.csv", 1);
        assert_eq!(ran["fates"]["uncertain"], 1, "{word}");
        let said = ran["issues"][0]["message"].to_string();
        assert!(
            said.contains(&format!("`{word}`")) && said.contains("created:ID"),
            "{said}"
        );
    }
    assert_eq!(case.server.of("POST /c").len(), 3);
}

#[test]
fn a_second_row_of_a_key_has_neither_its_record_nor_a_mended_twin() {
    let rows = "Id,Name,Email\nK1,Ann,ann@x.example\nK1,Bob,bob@x.example\n";
    let case = Case::plain(CREATE, rows, made);
    for _ in 0..2 {
        case.import(1);
        let results = case.results();
        assert_eq!((&*results[1].1, &*results[1].2), ("rejected", ""));
        assert!(!case.bench.read("in.results.csv").contains("twin"));
    }
}

#[test]
fn what_settle_says_comes_next_finds_the_same_ledger() {
    let case = Case::plain(CREATE, THREE, loses(1));
    let base = case.server.base();
    // The target file names another place.
    case.target(&format!(
        "{}{CREATE}",
        HEAD.replace("BASE", "http://127.0.0.1:1")
    ));
    let same = [
        "--base-url",
        &base,
        "--account",
        "north",
        "--ledger",
        "my.db",
    ];
    let import = ["import", "in.csv", "--mapping", "m.toml"];
    case.bench.run(&[&import[..], &same].concat()).expect(1);
    let ran = case.bench.run(&["settle", "--ledger", "my.db"]).expect(0);
    assert!(
        ran.stderr
            .contains("rowferry settle --ledger my.db --all-absent"),
        "{}",
        ran.stderr
    );
    let settle = ["settle", "--ledger", "my.db", "--all-absent"];
    let ran = case.bench.run(&settle).expect(0);
    let next = ran.stderr.lines().last().unwrap();
    assert_eq!(
        next,
        format!("rowferry import in.csv --mapping m.toml {}", same.join(" "))
    );
    let words: Vec<&str> = next.split(' ').skip(1).collect();
    case.bench.run(&words).expect(0);
    assert_eq!(case.server.of("POST /c").len(), 4);
}
