//! A ledger on a full disk, in a place that may not be written, damaged, gone, of another version.

use std::process::Command;

use super::*;

/// The import in a shell that lets no file grow beyond so many blocks of 512 bytes; where a shell
/// counts in kilobytes it is twice that.
fn with_limit(place: &Place, blocks: u32) -> Command {
    let import = place.command(&[]);
    let mut command = place.bench.command(&[]);
    let mut shell = Command::new("sh");
    shell
        .arg("-c")
        .arg(format!(
            "trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\""
        ))
        .arg(command.get_program())
        .args(import.get_args())
        .current_dir(place.bench.path())
        .env("XDG_STATE_HOME", place.bench.path().join("state"))
        .env("HOME", place.bench.path());
    command = shell;
    command
}

#[test]
fn nothing_is_sent_where_the_ledger_cannot_be_made() {
    let place = Place::new(3);
    let ran = ran(with_limit(&place, 1)).expect(2);
    assert!(ran.stderr.contains("l.db"), "{}", ran.stderr);
    assert_eq!(ran.json()["exit_code"], json!(2));
    assert_eq!(place.sent(), [""; 0]);
    // With room, the same command does it.
    assert_eq!(fates(&place.import(&[], 0)), "created 3");
}

#[test]
fn nothing_is_sent_that_cannot_be_written_down_in_the_middle_of_a_run() {
    let place = Place::new(300);
    let ran = ran(with_limit(&place, 800)).expect(3);
    let summary = ran.json();
    whole(&summary);
    assert_eq!(summary["finished"], json!(false));
    let stopped = summary["stopped"].as_str().unwrap();
    assert!(stopped.contains("l.db cannot be"), "{stopped}");
    let sent = place.sent().len();
    assert!((1..300).contains(&sent), "{sent}");
    // Each that was sent is known; at most the one under way is uncertain.
    let summary = place.import(&[], if summary_doubts(&place) { 1 } else { 0 });
    place.none_twice();
    assert_eq!(place.sent().len(), 300, "{summary:#}");
}

/// Whether a row is open now.
fn summary_doubts(place: &Place) -> bool {
    let list = place
        .bench
        .run(&["settle", "--ledger", "l.db", "--json"])
        .expect(0);
    !list.json()["uncertain"].as_array().unwrap().is_empty()
}

#[test]
fn a_ledger_that_is_moved_in_the_middle_of_a_run_stops_it() {
    for ending in ["l.db", "l.db-wal", "l.db.lock"] {
        let place = Place::new(20);
        let child = place.held();
        let path = place.bench.path().join(ending);
        let aside = place.bench.path().join("aside");
        std::fs::rename(&path, &aside).unwrap();
        place.mood(Mood::Answers);
        let output = child.wait_with_output().unwrap();
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        whole(&summary);
        assert_eq!(output.status.code(), Some(3), "{ending}: {summary:#}");
        let stopped = summary["stopped"].as_str().unwrap();
        assert!(
            stopped.contains("was deleted, moved or replaced while it was in use"),
            "{ending}: {stopped}"
        );
        assert_eq!(place.sent().len(), 1, "{ending}");
        if ending == "l.db" {
            // A new one is not begun in its place.
            let again = ran(place.command(&[])).expect(2);
            assert!(again.stderr.contains("is gone"), "{}", again.stderr);
            assert_eq!(place.sent().len(), 1);
        }
        if ending != "l.db-wal" {
            std::fs::rename(&aside, &path).unwrap();
            let output = place.command(&[]).output().unwrap();
            assert!(matches!(output.status.code(), Some(0 | 1)));
            place.none_twice();
            assert_eq!(place.sent().len(), 20, "{ending}");
        }
    }
}

#[test]
fn a_ledger_that_cannot_be_used_is_a_sentence_and_nothing_is_sent() {
    let place = Place::new(2);
    place.import(&["--first", "1"], 0);
    let good = std::fs::read(place.bench.path().join("l.db")).unwrap();
    let ledger = place.bench.path().join("l.db");
    let version = |number: u8| {
        let mut bytes = good.clone();
        // The SQLite file format, "The Database Header": the user version stands at 60.
        bytes[60..64].copy_from_slice(&u32::from(number).to_be_bytes());
        bytes
    };
    let mut pages = good.clone();
    let at = pages.len() - 4096;
    pages[at..].fill(0x5a);
    let cases: [(&str, Vec<u8>); 6] = [
        (
            "garbage",
            b"this is no database, but a note of mine\n".repeat(300),
        ),
        ("half", good[..good.len() / 2].to_vec()),
        ("a page written over", pages),
        ("newer", version(99)),
        ("a header cut short", good[..50].to_vec()),
        ("empty", Vec::new()),
    ];
    let mut said = String::new();
    for (name, bytes) in cases {
        std::fs::write(&ledger, &bytes).unwrap();
        let ran = ran(place.command(&[])).expect(2);
        assert_eq!(
            std::fs::read(&ledger).unwrap(),
            bytes,
            "{name}: it is left as it is"
        );
        said.push_str(&format!(
            "{name}: {}\n",
            ran.json()["mistakes"][0]["message"]
        ));
    }
    insta::assert_snapshot!(redacted(&place, &said), @r##"
    garbage: "the ledger l.db cannot be read: it is not an SQLite database; restore it from a backup. Do not simply delete it: it knows what was already sent"
    half: "the ledger l.db cannot be read: it is damaged; restore it from a backup. Do not simply delete it: it knows what was already sent"
    a page written over: "the ledger l.db cannot be read: it is damaged (*** in database main *** Tree 12 page 12: btreeInitPage() returns error code 11); restore it from a backup. Do not simply delete it: it knows what was already sent"
    newer: "the ledger l.db has format 99, this rowferry knows formats up to 3; use the version that wrote it, or a later one"
    a header cut short: "the ledger l.db cannot be read: it is damaged; restore it from a backup. Do not simply delete it: it knows what was already sent"
    empty: "the ledger l.db is gone, though l.db.lock is still there; put it back from where it was moved or from a backup, because it knows what was already sent. If you mean to begin anew, and nothing of what was sent before would be sent again, delete l.db.lock too"
    "##);
    std::fs::write(&ledger, &good).unwrap();
    assert_eq!(place.sent(), ["Name 1"]);
    assert_eq!(fates(&place.import(&[], 0)), "created 1, unchanged 1");
}

#[test]
fn a_place_where_no_ledger_can_be_is_a_sentence() {
    let place = Place::new(1);
    let bench = &place.bench;
    bench.file("file", "");
    std::fs::create_dir(bench.path().join("folder")).unwrap();
    let mut places = vec!["file/l.db", "folder"];
    if cfg!(target_os = "linux") {
        // Nobody may make a file there, not even root.
        places.push("/sys/l.db");
    }
    for at in places {
        let arguments = ["import", "in.csv", "--mapping", "m.toml", "--ledger", at];
        let ran = bench.run(&arguments).expect(2);
        assert!(ran.stderr.contains("the ledger"), "{at}: {}", ran.stderr);
        assert!(ran.stderr.contains(at), "{at}: {}", ran.stderr);
    }
    assert_eq!(place.sent(), [""; 0]);
}
