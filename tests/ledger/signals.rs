//! SIGINT and SIGTERM: what is under way is waited for, and a second one is immediate.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command};

use super::*;

fn signal(child: &Child, name: &str) {
    let told = Command::new("sh")
        .arg("-c")
        .arg(format!("kill -{name} {}", child.id()))
        .status()
        .unwrap();
    assert!(told.success());
}

/// Reads what a child says until it says this.
fn hear(child: &mut Child, words: &str) {
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while stderr.read_line(&mut line).unwrap() > 0 && !line.contains(words) {
        line.clear();
    }
    assert!(line.contains(words), "it ended without a word of it");
    // The rest is read away, so that nobody waits for it.
    std::thread::spawn(move || stderr.read_to_end(&mut Vec::new()));
}

#[test]
fn a_signal_waits_for_what_is_under_way() {
    for (name, code) in [("INT", 130), ("TERM", 143)] {
        let place = Place::new(30);
        let mut child = place.held();
        signal(&child, name);
        hear(&mut child, "stopping:");
        place.mood(Mood::Answers);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        whole(&summary);
        assert_eq!(fates(&summary), "created 1, pending 29");
        assert_eq!(summary["finished"], json!(false));
        assert_eq!(place.results().len(), 30);
        assert_eq!(fates(&place.import(&[], 0)), "created 29, unchanged 1");
        place.none_twice();
    }
}

#[test]
fn a_second_signal_ends_at_once_and_nothing_is_lost() {
    let place = Place::new(10);
    let mut child = place.held();
    signal(&child, "TERM");
    hear(&mut child, "stopping:");
    signal(&child, "INT");
    // The server has not answered and does not: only the second signal can have ended it before
    // the ten seconds are over, after which a summary would have been printed.
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    assert_eq!(output.stdout, b"");
    place.mood(Mood::Answers);
    let summary = place.import(&[], 1);
    assert_eq!(fates(&summary), "created 9, uncertain 1");
    place.none_twice();
    assert_eq!(place.sent().len(), 10);
}

#[test]
fn what_has_no_answer_in_ten_seconds_is_uncertain_and_known() {
    let place = Place::new(3);
    let child = place.held();
    signal(&child, "TERM");
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(143));
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    whole(&summary);
    assert_eq!(fates(&summary), "uncertain 1, pending 2");
    place.mood(Mood::Answers);
    assert_eq!(fates(&place.import(&[], 1)), "created 2, uncertain 1");
    place.none_twice();
}
