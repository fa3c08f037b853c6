//! The program ended between every two steps of what it writes and sends, for each kind of target, and
//! begun again: no customer is at the target twice, none is missing, each row's fate is known.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests
#![cfg(all(unix, debug_assertions))] // a release has no fault points

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt;

use common::{Bench, project};
use rowferry::fault::Point;
use rowferry::sandbox::{Options, Sandbox};
use serde_json::{Value, json};

const HEAD: &str = r#"
name = "T"
base_url = "https://t.example"
[limits]
concurrency = 2
[fields]
name = { type = "text", required = true }
email = { type = "text" }
ref = { type = "text" }
slug = { type = "text" }
"#;

const BEARER: &str = "[auth]\nkind = \"bearer\"\nenv = \"T_TOKEN\"\n";

const CREATE: &str = "[create]\npath = \"/c\"\nid = \"id\"\n";
const IDEMPOTENCY: &str = "idempotency_header = \"Idempotency-Key\"\nidempotency_ttl = \"24h\"\n";
const BATCH: &str = "[create.batch]\npath = \"/c/batch\"\nmax = 3\nat = \"inputs\"\nresults = \"results\"\nitem_id = \"id\"\n";
const LOOKUP: &str = "[lookup]\npath = \"/c\"\nquery = { ref = \"{{ ref }}\" }\nresults = \"data\"\nid = \"id\"\nprove = [\"name\"]\n";
const READ: &str = "[read]\npath = \"/c/{{ id }}\"\n";

const MAPPING: &str = "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\nemail = \"Email\"\nref = \"Id\"\n";

const ROWS: usize = 8;

fn rows(name: &str) -> String {
    let rows: String = (1..=ROWS)
        .map(|n| format!("K{n},{name} {n},p{n}@x.example\n"))
        .collect();
    format!("Id,Name,Email\n{rows}")
}

/// A kind of target.
#[derive(Default)]
struct Kind {
    /// The rest of the target file.
    target: String,
    /// `[policy]`.
    policy: &'static str,
    /// Whether rows may be left whose fate nobody can know.
    uncertain: bool,
    /// The customers are there already, under the same keys with other names.
    before: bool,
    /// Rows that the target refuses.
    bad: &'static [usize],
}

impl Kind {
    fn of(parts: &[&str]) -> Self {
        Self {
            target: [BEARER].iter().chain(parts).copied().collect(),
            ..Self::default()
        }
    }

    fn policy(self, policy: &'static str) -> Self {
        Self { policy, ..self }
    }
}

/// A folder, and a server that outlives the runs.
struct Scene {
    bench: Bench,
    runtime: tokio::runtime::Runtime,
    sandbox: Sandbox,
    base: String,
    token_file: Option<std::path::PathBuf>,
}

impl Scene {
    fn new(kind: &Kind) -> Self {
        let bench = Bench::new();
        let text = format!("{HEAD}{}", kind.target);
        bench.file("t.target.toml", &text);
        // The server is stricter than what the program knows of it, so that it refuses.
        let strict = text.replace(
            "name = { type = \"text\", required = true }",
            "name = { type = \"text\", required = true, max_length = 12 }",
        );
        bench.file("strict.target.toml", &strict);
        bench.file("m.toml", &format!("{MAPPING}[policy]\n{}\n", kind.policy));
        let mut text = rows("New");
        for bad in kind.bad {
            text = text.replace(
                &format!("New {bad},"),
                &format!("Much too long a name {bad},"),
            );
        }
        bench.file("in.csv", &text);
        let (target, mistakes) = rowferry::target::load("./strict.target.toml", bench.path());
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let sandbox = runtime
            .block_on(Sandbox::start(
                target.unwrap().file.clone(),
                Options::default(),
            ))
            .unwrap();
        let base = sandbox.base_url();
        let token_file = kind
            .target
            .contains("oauth2")
            .then(|| bench.file("token", "sandbox\n"));
        let scene = Self {
            bench,
            runtime,
            sandbox,
            base,
            token_file,
        };
        if kind.before {
            scene.bench.file("old.csv", &rows("Old"));
            let (code, said) = scene.run("old.csv", None, &["--ledger", "old.db"]);
            assert_eq!(code, Some(0), "{said}");
        }
        scene
    }

    /// The exit code, or nothing where the process was ended; what it said.
    fn run(&self, input: &str, fault: Option<&str>, more: &[&str]) -> (Option<i32>, String) {
        let mut command = self.bench.command(&[
            "import",
            input,
            "--mapping",
            "m.toml",
            "--base-url",
            &self.base,
            "--json",
        ]);
        command.args(more).env("T_TOKEN", "sandbox");
        if let Some(file) = &self.token_file {
            command
                .env("T_ID", "sandbox")
                .env("T_SECRET", "sandbox")
                .env("T_REFRESH_FILE", file);
        }
        if let Some(fault) = fault {
            command.env("ROWFERRY_FAULT", fault);
        }
        let output = command.output().unwrap();
        let said =
            String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
        if output.status.code().is_none() {
            assert_eq!(output.status.signal(), Some(6), "{fault:?}: {said}");
        }
        if output.status.code() == Some(3) && said.contains("the refresh token is") {
            // The target has taken the old one and the new one is lost: a person gets another.
            let file = self.token_file.as_ref().expect("a token that rotates");
            let asked = self.sandbox.stats().requests;
            std::fs::write(file, format!("another-{asked}\n")).unwrap();
        }
        (output.status.code(), said)
    }

    /// Runs to the end, and checks all that must hold.
    fn finish(&self, kind: &Kind, what: &str) {
        let (mut code, mut said) = (None, String::new());
        for _ in 0..4 {
            (code, said) = self.run("in.csv", None, &[]);
            if code != Some(3) {
                break;
            }
        }
        assert!(matches!(code, Some(0 | 1)), "{what}: {code:?} {said}");
        let summary: Value = serde_json::Deserializer::from_str(&said)
            .into_iter()
            .next()
            .unwrap()
            .unwrap();
        let records = self.sandbox.records();
        let mut there: BTreeMap<String, Value> = BTreeMap::new();
        for record in &records {
            let key = record["ref"].as_str().unwrap().to_owned();
            assert!(
                there.insert(key.clone(), record.clone()).is_none(),
                "{what}: {key} is there twice\n{said}"
            );
        }
        let results = summary["files"]["results"].as_str().unwrap();
        assert_eq!(
            results, "in.results.csv",
            "{what}: a file of ours is in its way\n{said}"
        );
        let rejects = summary["files"]["rejects"]
            .as_str()
            .unwrap_or("in.rejects.csv");
        assert_eq!(
            rejects, "in.rejects.csv",
            "{what}: a file of ours is in its way\n{said}"
        );
        let mut reader = csv::Reader::from_path(self.bench.path().join(results)).unwrap();
        let results: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let keys: Vec<&str> = results.iter().map(|row| &row[1]).collect();
        let all: Vec<String> = (1..=ROWS).map(|n| format!("K{n}")).collect();
        assert_eq!(keys, all, "{what}");
        let fates = summary["fates"].as_object().unwrap();
        let sum: u64 = fates.values().map(|rows| rows.as_u64().unwrap()).sum();
        assert_eq!(
            (sum, &summary["read"]),
            (ROWS as u64, &json!(ROWS)),
            "{what}"
        );
        let mut ids = BTreeSet::new();
        for (n, row) in (1..).zip(&results) {
            let (key, fate, id) = (&row[1], &row[2], &row[3]);
            let context = || format!("{what}: {key} is {fate}\n{said}\n{records:#?}");
            match fate {
                "created" | "updated" | "unchanged" => {
                    assert!(!kind.bad.contains(&n), "{}", context());
                    let record = there.get(key).unwrap_or_else(|| panic!("{}", context()));
                    if !id.is_empty() {
                        let known = record["id"].to_string();
                        assert_eq!(id, known.trim_matches('"'), "{}", context());
                        assert!(ids.insert(id.to_owned()), "{}", context());
                    }
                    let skipped = kind.before && kind.policy.contains("skip");
                    let name = if skipped { "Old" } else { "New" };
                    assert_eq!(record["name"], format!("{name} {n}"), "{}", context());
                }
                "failed" => assert!(kind.bad.contains(&n), "{}", context()),
                "uncertain" => assert!(kind.uncertain, "{}", context()),
                _ => panic!("{}", context()),
            }
        }
    }
}

/// Points that a row comes to again when it is looked up.
fn on_the_way_back(point: Point) -> bool {
    !matches!(
        point,
        Point::RunBegun
            | Point::TokenIssued
            | Point::TokenKept
            | Point::RejectsReady
            | Point::ResultsReady
            | Point::RegistryBefore
            | Point::RegistryAfter
            | Point::RunEnded
            | Point::LedgerClosing
    )
}

/// Ends the program at each point and lets the next runs finish, and gives the points that were reached.
fn everywhere(kind: &Kind) -> BTreeSet<&'static str> {
    let mut reached = BTreeSet::new();
    for point in Point::ALL {
        let name = point.name();
        let first = format!("{name}:1");
        let third = format!("{name}:3");
        let mut plans = vec![vec![first.as_str()], vec![third.as_str(), first.as_str()]];
        if on_the_way_back(*point) {
            // What became of an attempt, carried out or not, is asked by the run that is ended.
            plans.push(vec!["request.left:2", &first]);
            plans.push(vec!["intent.after:2", &first]);
        }
        let mut alone = true;
        for plan in &plans {
            let by_itself = plan.iter().all(|fault| fault.starts_with(name));
            if by_itself && !alone {
                continue;
            }
            let scene = Scene::new(kind);
            let mut ended = false;
            for fault in plan {
                let (code, said) = scene.run("in.csv", Some(fault), &[]);
                let refused = scene.token_file.is_some() && code == Some(3);
                assert!(
                    matches!(code, None | Some(0 | 1)) || refused,
                    "{fault}: {code:?} {said}"
                );
                ended |= code.is_none() && fault.starts_with(name);
            }
            if ended {
                reached.insert(name);
            }
            if plan.len() == 1 {
                alone = ended;
            }
            scene.finish(kind, &plan.join(", then "));
            drop(scene.runtime);
        }
    }
    reached
}

/// What every import comes to.
const ALWAYS: [&str; 14] = [
    "run.begun",
    "intent.before",
    "intent.after",
    "request.left",
    "answer.read",
    "commit.before",
    "commit.after",
    "rejects.ready",
    "results.ready",
    "registry.before",
    "registry.after",
    "run.ended",
    "ledger.closing",
    "outcome.after",
];

#[track_caller]
fn check(kind: &Kind, more: &[&str]) {
    let reached = everywhere(kind);
    let wanted = ALWAYS.iter().chain(more).copied();
    // The rows of batches are settled together.
    let wanted: Vec<&str> = wanted
        .filter(|name| *name != "outcome.after" || !kind.target.contains("[create.batch]"))
        .collect();
    let missing: Vec<&&str> = wanted
        .iter()
        .filter(|name| !reached.contains(**name))
        .collect();
    assert!(missing.is_empty(), "never came to {missing:?}");
}

#[test]
fn with_an_idempotency_key() {
    check(&Kind::of(&[CREATE, IDEMPOTENCY]), &[]);
}

#[test]
fn with_a_natural_key() {
    let create = "[create]\npath = \"/c\"\nid = \"id\"\nnatural_key = { field = \"slug\", template = \"{{ key | slug }}\" }\nexists = [{ status = 409 }]\n[lookup]\npath = \"/c\"\nquery = { slug = \"{{ slug }}\" }\nresults = \"data\"\n";
    check(&Kind::of(&[create]), &[]);
}

#[test]
fn with_a_keyed_update() {
    let update =
        "[update]\nmethod = \"POST\"\npath = \"/c/update\"\nkeyed = \"ref\"\nmissing = [404]\n";
    check(&Kind::of(&[CREATE, update]), &["absent.after"]);
    let kind = Kind::of(&[CREATE, update]).policy("existing = \"update\"");
    check(&kind, &[]);
}

const ASKED: [&str; 3] = ["ask.before", "ask.after", "absent.after"];

#[test]
fn with_a_look_up() {
    check(&Kind::of(&[CREATE, LOOKUP]), &ASKED);
}

#[test]
fn with_a_search_that_is_not_exact() {
    let lookup = "[lookup]\npath = \"/c/search\"\nquery = { q = \"{{ ref }}\" }\nresults = \"data\"\nwhere = { ref = \"{{ ref }}\" }\n";
    check(&Kind::of(&[CREATE, lookup]), &ASKED);
}

#[test]
fn with_a_list() {
    let list = "[list]\npath = \"/c\"\nresults = \"data\"\nby = \"ref\"\n";
    check(&Kind::of(&[CREATE, list]), &ASKED);
}

#[test]
fn with_batches_and_an_idempotency_key() {
    let batches = ["batch.gathered", "batch.settled"];
    check(&Kind::of(&[CREATE, IDEMPOTENCY, BATCH]), &batches);
}

#[test]
fn with_batches_and_a_look_up() {
    let kind = Kind::of(&[CREATE, BATCH, LOOKUP]);
    check(
        &kind,
        &[
            "batch.gathered",
            "batch.settled",
            "ask.after",
            "absent.after",
        ],
    );
}

#[test]
fn with_batches_and_a_look_up_before_each_create() {
    let kind = Kind::of(&[CREATE, BATCH, LOOKUP]).policy("existing = \"skip\"");
    check(&kind, &["batch.gathered", "batch.settled", "ask.after"]);
}

#[test]
fn with_batches_that_are_refused_as_a_whole() {
    for idempotency in [IDEMPOTENCY, ""] {
        let batch = format!("{BATCH}atomic = true\n");
        let kind = Kind {
            bad: &[2, 7],
            uncertain: idempotency.is_empty(),
            ..Kind::of(&[CREATE, idempotency, &batch])
        };
        check(&kind, &["batch.split", "batch.settled"]);
    }
}

#[test]
fn with_none_of_these_means() {
    for batch in ["", BATCH] {
        let kind = Kind {
            uncertain: true,
            ..Kind::of(&[CREATE, batch])
        };
        check(&kind, &[]);
    }
}

#[test]
fn with_customers_that_are_there_and_are_changed() {
    for (method, mode) in [("PATCH", "partial"), ("PUT", "replace")] {
        let update = format!(
            "[update]\nmethod = \"{method}\"\npath = \"/c/{{{{ id }}}}\"\nmode = \"{mode}\"\n"
        );
        for batch in ["", BATCH] {
            let lookup = LOOKUP.replace("prove = [\"name\"]\n", "");
            let kind = Kind {
                before: true,
                ..Kind::of(&[CREATE, batch, &lookup, READ, &update]).policy("existing = \"update\"")
            };
            check(&kind, &["change.read", "ask.before", "ask.after"]);
        }
    }
}

#[test]
fn with_customers_that_are_there_and_are_left_alone() {
    let lookup = LOOKUP.replace("prove = [\"name\"]\n", "");
    let kind = Kind {
        before: true,
        ..Kind::of(&[CREATE, &lookup]).policy("existing = \"skip\"")
    };
    let reached = everywhere(&kind);
    assert!(reached.contains("ask.after") && reached.contains("commit.before"));
    assert!(!reached.contains("intent.before"));
}

#[test]
fn with_a_token_that_rotates() {
    let auth = "[auth]\nkind = \"oauth2\"\ngrant = \"refresh_token\"\ntoken_path = \"/oauth/token\"\ntoken_body = \"json\"\nid_env = \"T_ID\"\nsecret_env = \"T_SECRET\"\nrefresh_env = \"T_REFRESH\"\n";
    let kind = Kind {
        target: [auth, CREATE, IDEMPOTENCY].concat(),
        ..Kind::default()
    };
    check(&kind, &["token.issued", "token.kept"]);
}

#[test]
fn the_page_on_crashes_tells_each_point() {
    let page = std::fs::read_to_string(project("docs/crash-safety.md")).unwrap();
    for point in Point::ALL {
        let line = format!(
            "| `{}` | {} | {} |",
            point.name(),
            point.moment(),
            point.next()
        );
        assert!(page.contains(&line), "docs/crash-safety.md lacks:\n{line}");
    }
}
