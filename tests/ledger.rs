//! What the ledger promises, tried by the whole program: whatever goes wrong, nothing is sent twice,
//! nothing is sent that is not written down, and each row's fate is known.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests
#![cfg(unix)]

mod common;

#[path = "ledger/broken.rs"]
mod broken;
#[path = "ledger/rows.rs"]
mod rows;
#[path = "ledger/runs.rs"]
mod runs;
#[path = "ledger/settle.rs"]
mod settle;
#[path = "ledger/signals.rs"]
mod signals;

use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};

use common::server::{Reply, Request, Server};
use common::{Bench, Ran};
use serde_json::{Value, json};

/// A target that can be asked nothing: what becomes of an attempt without an answer, nobody knows.
const TARGET: &str = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/c"
[limits]
concurrency = 1
[fields]
name = { type = "text", required = true }
"#;

pub(crate) const MAPPING: &str =
    "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\n";

/// What the server does, changed while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Answers,
    /// It takes what is sent and cuts the connection.
    Cuts,
    /// It takes what is sent and does not answer until it changes its mood.
    Waits,
}

/// A folder with a target, a mapping and rows, and a server.
pub(crate) struct Place {
    pub(crate) bench: Bench,
    pub(crate) server: Server,
    /// With how often it changed: whoever waits waits for one change.
    mood: Arc<(Mutex<(Mood, u64)>, Condvar)>,
}

/// So many rows with the keys K1, K2, …
pub(crate) fn rows(count: usize) -> String {
    let rows: String = (1..=count).map(|n| format!("K{n},Name {n}\n")).collect();
    format!("Id,Name\n{rows}")
}

impl Place {
    pub(crate) fn new(count: usize) -> Self {
        Self::with(TARGET, count)
    }

    pub(crate) fn with(target: &str, count: usize) -> Self {
        let mood = Arc::new((Mutex::new((Mood::Answers, 0)), Condvar::new()));
        let felt = Arc::clone(&mood);
        let server = Server::start(move |request: &Request| {
            let (mood, changed) = &*felt;
            let mood = mood.lock().unwrap();
            let then = *mood;
            let now = changed
                .wait_while(mood, |now| then.0 == Mood::Waits && *now == then)
                .unwrap();
            match now.0 {
                Mood::Cuts => Reply::Cut,
                _ => {
                    let name = request.json()["name"].as_str().unwrap().to_owned();
                    Reply::json(201, json!({ "id": format!("c-{name}") }))
                }
            }
        });
        let place = Self {
            bench: Bench::new(),
            server,
            mood,
        };
        let target = target.replace("BASE", &place.server.base());
        place.bench.file("t.target.toml", &target);
        place.bench.file("m.toml", MAPPING);
        place.bench.file("in.csv", &rows(count));
        place
    }

    pub(crate) fn mood(&self, mood: Mood) {
        let mut now = self.mood.0.lock().unwrap();
        *now = (mood, now.1 + 1);
        drop(now);
        self.mood.1.notify_all();
    }

    /// An import with its ledger at `l.db`.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let fixed = [
            "import",
            "in.csv",
            "--mapping",
            "m.toml",
            "--ledger",
            "l.db",
        ];
        let mut arguments = fixed.to_vec();
        arguments.extend(["--json", "--results", "out.csv", "--rejects", "bad.csv"]);
        arguments.extend(more);
        self.bench.command(&arguments)
    }

    /// Imports to the end; the exit code must be this, and the sum of the fates the rows read.
    #[track_caller]
    pub(crate) fn import(&self, more: &[&str], code: i32) -> Value {
        let ran = ran(self.command(more)).expect(code);
        let summary = ran.json();
        whole(&summary);
        summary
    }

    /// An import at work, which the server has made wait with one request.
    pub(crate) fn held(&self) -> Child {
        let before = self.server.requests().len();
        self.mood(Mood::Waits);
        let child = self
            .command(&[])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        until(|| self.server.requests().len() > before);
        child
    }

    /// The names that were sent, in order.
    pub(crate) fn sent(&self) -> Vec<String> {
        let name = |request: &Request| request.json()["name"].as_str().unwrap().to_owned();
        self.server.of("POST /c").iter().map(name).collect()
    }

    /// No name was sent twice.
    #[track_caller]
    pub(crate) fn none_twice(&self) {
        let mut sent = self.sent();
        let all = sent.len();
        sent.sort();
        sent.dedup();
        assert_eq!(sent.len(), all, "sent twice: {:?}", self.sent());
    }

    /// Row and fate of the results file.
    pub(crate) fn results(&self) -> Vec<String> {
        let mut reader = csv::Reader::from_path(self.bench.path().join("out.csv")).unwrap();
        let record = |record: csv::Result<csv::StringRecord>| {
            let record = record.unwrap();
            format!("{} {}", &record[1], &record[2])
        };
        reader.records().map(record).collect()
    }

    /// Makes the rows of these keys uncertain, all others created.
    pub(crate) fn doubt(&self, keys: &[usize]) {
        let rows: Vec<String> = keys.iter().map(|key| (key + 1).to_string()).collect();
        self.mood(Mood::Cuts);
        self.import(&["--rows", &rows.join(",")], 1);
        self.mood(Mood::Answers);
        self.import(&[], 1);
    }
}

/// Runs a command to its end.
pub(crate) fn ran(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Waits for something that will come.
pub(crate) fn until(mut come: impl FnMut() -> bool) {
    for _ in 0..12_000 {
        if come() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("it does not come");
}

/// The fates of a summary that are not zero: `created 2, uncertain 1`.
pub(crate) fn fates(summary: &Value) -> String {
    let fates = summary["fates"].as_object().unwrap();
    let fates = fates.iter().filter(|(_, rows)| **rows != json!(0));
    let fates: Vec<String> = fates.map(|(fate, rows)| format!("{fate} {rows}")).collect();
    fates.join(", ")
}

/// The sum of the fates is the number of rows read.
#[track_caller]
pub(crate) fn whole(summary: &Value) {
    let fates = summary["fates"].as_object().unwrap().values();
    let sum: u64 = fates.map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!(json!(sum), summary["read"], "{summary:#}");
}

/// Text with run ids, times, folders and ports taken out.
pub(crate) fn redacted(place: &Place, text: &str) -> String {
    let folder = place.bench.path().canonicalize().unwrap();
    let mut text = text.to_owned();
    for folder in [folder.as_path(), place.bench.path()] {
        text = text.replace(&folder.display().to_string(), "DIR");
    }
    for (pattern, name) in [
        (r"\b01[0-9A-HJKMNP-TV-Z]{24}\b", "RUN"),
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME"),
        (r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\b\d+ s\b", "0 s"),
        (r"127\.0\.0\.1:\d+", "HOST"),
        (r"process \d+", "process N"),
    ] {
        text = regex::Regex::new(pattern)
            .unwrap()
            .replace_all(&text, name)
            .into_owned();
    }
    // Columns are as wide as what was taken out.
    let lines = text.lines().map(|line| {
        let mut line = line.to_owned();
        while line.contains("   ") {
            line = line.replace("   ", "  ");
        }
        line
    });
    lines.collect::<Vec<_>>().join("\n")
}
