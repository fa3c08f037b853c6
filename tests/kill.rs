//! The program killed at random moments, again and again: at the end each customer is at the target
//! once, and each row's fate is known.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests
#![allow(clippy::print_stdout)] // shown where a test fails
#![cfg(unix)]

mod common;

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use common::server::{Reply, Request, Server};
use common::{Bench, Ran, project};
use serde_json::{Value, json};

/// What the server does wrong: loses answers before and after it stored, fails after it stored, is busy.
const FAULTS: &str = "lost-before=2%,lost-after=2%,500-after=1%,503=2%";

/// How long the server takes for an answer: long enough for many kills before the end.
const LATENCY: &str = "50ms";

/// How often a run is killed, unless it comes to its end before.
const KILLS: u32 = 25;

/// `rowferry sandbox` in a process of its own, ended with the test.
struct Played {
    child: Child,
    base: String,
    /// Kept open: the server's last words have somewhere to go.
    _stdout: BufReader<ChildStdout>,
}

impl Played {
    fn start(bench: &Bench, target: &str, more: &[&str]) -> Self {
        let mut arguments = vec!["sandbox", target, "--port", "0"];
        arguments.extend(more);
        let mut child = bench
            .command(&arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut base = String::new();
        stdout.read_line(&mut base).unwrap();
        Self {
            child,
            base: base.trim().to_owned(),
            _stdout: stdout,
        }
    }

    /// What the sandbox holds.
    fn records(&self) -> Vec<Value> {
        let rest = self.base.strip_prefix("http://").unwrap();
        let host = rest.split('/').next().unwrap();
        let mut stream = TcpStream::connect(host).unwrap();
        write!(
            stream,
            "GET /__sandbox/records HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (_, body) = text.split_once("\r\n\r\n").unwrap();
        match serde_json::from_str(body) {
            Ok(Value::Array(records)) => records,
            Ok(Value::Object(mut answer)) => match answer.remove("records") {
                Some(Value::Array(records)) => records,
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}: {body}"),
        }
    }
}

impl Drop for Played {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const SECRETS: [&str; 10] = [
    "SPHINX_CLIENT_ID",
    "SPHINX_CLIENT_SECRET",
    "FLEXTELL_TOKEN",
    "FLEXTELL_TENANT",
    "KAITEN_TOKEN",
    "ASSEMBLY_API_KEY",
    "CIRQLL_TOKEN",
    "T_TOKEN",
    "T_USER",
    "T_KEY",
];

fn import(bench: &Bench, input: &str, mapping: &str, base: &str) -> Command {
    let mut command = bench.command(&[
        "import",
        input,
        "--mapping",
        mapping,
        "--base-url",
        base,
        "--results",
        "out.csv",
        "--rejects",
        "rejects.csv",
        "--json",
    ]);
    command.envs(SECRETS.map(|name| (name, "sandbox")));
    command
}

/// Tells the seed of a test that fails.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("the seed was {}", self.0);
        }
    }
}

/// The seeds of a test: its own; with `ROWFERRY_SOAK=N`, N others that are drawn.
fn seeds(own: &[u64]) -> Vec<u64> {
    let soak = std::env::var("ROWFERRY_SOAK").ok();
    match soak.map(|number| number.parse().expect("ROWFERRY_SOAK is a number")) {
        Some(number) => (0..number).map(|_| fastrand::u64(..)).collect(),
        None => own.to_vec(),
    }
}

/// Kills the import `kills` times or until it comes to its end before, each at a moment of its own,
/// then lets it come to its end.
fn kill_and_finish(
    mut command: impl FnMut() -> Command,
    kills: u32,
    random: &mut fastrand::Rng,
) -> Ran {
    let mut killed = 0;
    while killed < kills {
        let mut child = command()
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Mostly at work, sometimes while it begins or after a while.
        let moment = match random.u8(0..10) {
            0 => random.u64(5..80),
            1 => random.u64(400..900),
            _ => random.u64(80..400),
        };
        std::thread::sleep(Duration::from_millis(moment));
        let ended = child.try_wait().unwrap().is_some();
        child.kill().unwrap();
        child.wait().unwrap();
        if ended {
            break;
        }
        killed += 1;
    }
    println!("killed {killed} times");
    assert!(killed > 0, "it was never killed at work");
    for _ in 0..6 {
        let output = command().output().unwrap();
        let code = output.status.code().unwrap();
        if matches!(code, 0 | 1) {
            return Ran {
                code,
                stdout: String::from_utf8(output.stdout).unwrap(),
                stderr: String::from_utf8(output.stderr).unwrap(),
            };
        }
        assert_eq!(code, 3, "{}", String::from_utf8_lossy(&output.stderr));
    }
    panic!("the import does not come to its end");
}

/// Key to fate and note, of a results file.
fn fates(bench: &Bench) -> BTreeMap<String, (String, String)> {
    let mut reader = csv::Reader::from_path(bench.path().join("out.csv")).unwrap();
    reader
        .records()
        .map(|record| {
            let record = record.unwrap();
            (
                record[1].to_owned(),
                (record[2].to_owned(), record[3].to_owned()),
            )
        })
        .collect()
}

/// The bodies that the import would send, by the text of each.
fn bodies(bench: &Bench, input: &str, mapping: &str) -> Vec<Value> {
    let ran = bench
        .run(&["preview", input, "--mapping", mapping, "-n", "10000"])
        .expect(0);
    ran.stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// Each row of the sample is at the target once, by what tells its records apart.
fn once_each(target: &str, seed: u64, faults: bool) {
    let _told = Seed(seed);
    let bench = Bench::new();
    let mut random = fastrand::Rng::with_seed(seed);
    let sample = std::fs::read_to_string(project("samples/customers.csv")).unwrap();
    let few: Vec<&str> = sample.lines().take(201).collect();
    bench.file("in.csv", &(few.join("\n") + "\n"));
    let mapping = project(&format!("mappings/{target}.toml"));
    let mapping = mapping.to_str().unwrap();
    let seed = seed.to_string();
    let mut options = vec!["--latency", LATENCY, "--seed", &seed];
    if faults {
        options.extend(["--fail", FAULTS]);
    }
    let played = Played::start(&bench, target, &options);
    let ran = kill_and_finish(
        || import(&bench, "in.csv", mapping, &played.base),
        KILLS,
        &mut random,
    );
    let summary: Value = serde_json::from_str(&ran.stdout).unwrap();
    let wanted = bodies(&bench, "in.csv", mapping);
    let records = played.records();
    let ids: Vec<(String, (String, String))> = fates(&bench).into_iter().collect();
    let open: Vec<_> = ids
        .iter()
        .filter(|(_, (fate, _))| fate == "uncertain")
        .collect();
    assert!(open.is_empty(), "{target}: {open:?}\n{summary:#}");
    assert_eq!(
        records.len(),
        wanted.len(),
        "{target}: {}\n{summary:#}",
        ran.stderr
    );
    assert_eq!(summary["fates"]["failed"], 0, "{summary:#}");
    assert_eq!(summary["exit_code"], 0, "{summary:#}");
    // Every row has an id of its own, and it is that of a record.
    let mut seen: Vec<&String> = ids
        .iter()
        .map(|(_, (_, id))| id)
        .filter(|id| !id.is_empty())
        .collect();
    let known = seen.len();
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), known, "{target}: an id stands at two rows");
}

#[test]
fn sphinx_has_each_customer_once() {
    for seed in seeds(&[11]) {
        once_each("sphinx", seed, true);
    }
    for seed in seeds(&[12]) {
        once_each("sphinx", seed, false);
    }
}

#[test]
fn flextell_has_each_customer_once() {
    for seed in seeds(&[21]) {
        once_each("flextell", seed, true);
    }
    for seed in seeds(&[22]) {
        once_each("flextell", seed, false);
    }
}

#[test]
fn kaiten_has_each_customer_once() {
    for seed in seeds(&[31]) {
        once_each("kaiten", seed, true);
    }
    for seed in seeds(&[32]) {
        once_each("kaiten", seed, false);
    }
}

#[test]
fn assembly_has_each_customer_once() {
    for seed in seeds(&[41]) {
        once_each("assembly", seed, true);
    }
    for seed in seeds(&[42]) {
        once_each("assembly", seed, false);
    }
}

#[test]
fn cirqll_has_each_customer_once() {
    for seed in seeds(&[51]) {
        once_each("cirqll", seed, true);
    }
    for seed in seeds(&[52]) {
        once_each("cirqll", seed, false);
    }
}

const PLAIN: &str = r#"
name = "T"
base_url = "https://t.example"
[auth]
kind = "bearer"
env = "T_TOKEN"
[create]
path = "/c"
IDEMPOTENCY
[limits]
concurrency = 4
[fields]
name = { type = "text", required = true }
ref = { type = "text" }
"#;

const MAPPING: &str =
    "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\nref = \"Id\"\n";

fn rows(count: usize) -> String {
    let rows: String = (1..=count).map(|n| format!("K{n},Name {n}\n")).collect();
    format!("Id,Name\n{rows}")
}

fn plain(bench: &Bench, idempotency: &str) {
    bench.file("t.target.toml", &PLAIN.replace("IDEMPOTENCY", idempotency));
    bench.file("m.toml", MAPPING);
    bench.file("in.csv", &rows(200));
}

const KEY: &str = "idempotency_header = \"Idempotency-Key\"\nidempotency_ttl = \"24h\"\n";

const BATCH: &str = "[create.batch]\npath = \"/c/batch\"\nmax = 7\nat = \"inputs\"\nresults = \"results\"\nitem_id = \"id\"\n";

const LOOKUP: &str = "[lookup]\npath = \"/c\"\nquery = { ref = \"{{ ref }}\" }\nresults = \"data\"\nprove = [\"name\"]\n";

/// Kills imports to a target with these means, against a server that loses answers if `faults`.
/// Unless `uncertain`, each of 200 rows must be there; else those that are not, and no others that
/// nobody knows of, must be listed.
fn by_means(seed: u64, means: &str, faults: bool, uncertain: bool) {
    let _told = Seed(seed);
    let bench = Bench::new();
    plain(&bench, means);
    let mut random = fastrand::Rng::with_seed(seed);
    let seed = seed.to_string();
    // A batch takes as long as seven rows.
    let latency = match means.contains("batch") {
        true => "300ms",
        false => LATENCY,
    };
    let mut options = vec!["--latency", latency, "--seed", &seed];
    if faults {
        options.extend(["--fail", FAULTS]);
    }
    let played = Played::start(&bench, "t.target.toml", &options);
    let ran = kill_and_finish(
        || import(&bench, "in.csv", "m.toml", &played.base),
        KILLS,
        &mut random,
    );
    let mut there: Vec<String> = played
        .records()
        .iter()
        .map(|record| record["ref"].as_str().unwrap().to_owned())
        .collect();
    there.sort();
    let all = there.len();
    there.dedup();
    assert_eq!(there.len(), all, "a key is there twice");
    let fates = fates(&bench);
    assert_eq!(fates.len(), 200, "{}", ran.stderr);
    let rejects = std::fs::read_to_string(bench.path().join("rejects.csv")).unwrap_or_default();
    for (key, (fate, _)) in &fates {
        match fate.as_str() {
            "created" | "unchanged" => assert!(there.contains(key), "{key} is not there"),
            "uncertain" if uncertain => assert!(
                rejects.contains(&format!(",{key},uncertain,")),
                "{key} is not in {rejects}"
            ),
            other => panic!("{key} is {other}\n{}", ran.stdout),
        }
    }
    if !uncertain {
        assert_eq!((ran.code, there.len()), (0, 200), "{}", ran.stdout);
    }
}

#[test]
fn with_an_idempotency_key_none_is_uncertain() {
    for seed in seeds(&[61, 62]) {
        by_means(seed, KEY, true, false);
    }
}

#[test]
fn with_batches_and_an_idempotency_key_none_is_uncertain() {
    for seed in seeds(&[63, 64]) {
        by_means(seed, &format!("{KEY}{BATCH}"), true, false);
    }
}

#[test]
fn with_batches_and_a_look_up_none_is_uncertain() {
    for seed in seeds(&[65]) {
        by_means(seed, &format!("{BATCH}{LOOKUP}"), true, false);
    }
}

#[test]
fn with_none_of_the_means_no_key_is_there_twice_and_each_missing_one_is_listed() {
    for seed in seeds(&[71]) {
        by_means(seed, "", true, true);
    }
    for seed in seeds(&[73]) {
        by_means(seed, "", false, true);
    }
    for seed in seeds(&[74]) {
        by_means(seed, BATCH, true, true);
    }
}

#[test]
fn a_signal_waits_for_what_is_under_way_and_the_next_run_finishes() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let bench = Bench::new();
        plain(&bench, "");
        let options = ["--latency", "150ms", "--seed", "1"];
        let played = Played::start(&bench, "t.target.toml", &options);
        let child = import(&bench, "in.csv", "m.toml", &played.base)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let began = Instant::now();
        while played.records().len() < 12 {
            assert!(began.elapsed() < Duration::from_secs(60), "nothing arrives");
            std::thread::sleep(Duration::from_millis(20));
        }
        let sent = Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .unwrap();
        assert!(sent.success());
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code));
        let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["exit_code"], code);
        assert_eq!(summary["finished"], false);
        let fates = &summary["fates"];
        assert_eq!(
            (&fates["uncertain"], &fates["failed"]),
            (&json!(0), &json!(0)),
            "{summary:#}"
        );
        let created = fates["created"].as_u64().unwrap();
        assert_eq!(created, played.records().len() as u64);
        assert_eq!(
            created + fates["pending"].as_u64().unwrap(),
            summary["read"].as_u64().unwrap()
        );
        let output = import(&bench, "in.csv", "m.toml", &played.base)
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(played.records().len(), 200);
    }
}

#[test]
fn a_second_run_at_the_same_time_says_who_holds_the_ledger() {
    let bench = Bench::new();
    plain(&bench, "");
    let played = Played::start(&bench, "t.target.toml", &["--latency", "300ms"]);
    let mut child = import(&bench, "in.csv", "m.toml", &played.base)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    while played.records().is_empty() {
        assert!(child.try_wait().unwrap().is_none());
        std::thread::sleep(Duration::from_millis(10));
    }
    let second = import(&bench, "in.csv", "m.toml", &played.base)
        .output()
        .unwrap();
    assert_eq!(second.status.code(), Some(75));
    let said = String::from_utf8(second.stderr).unwrap();
    assert!(said.contains(&child.id().to_string()), "{said}");
    assert!(child.wait().unwrap().success());
    assert_eq!(played.records().len(), 200);
}

fn scripted(bench: &Bench) -> Server {
    plain(bench, "");
    Server::start(|request: &Request| Reply::json(201, json!({ "id": request.number })))
}

#[test]
fn a_ledger_that_cannot_be_written_sends_nothing() {
    // Root may write to what is read-only; a folder in place of the file stops it as well.
    let bench = Bench::new();
    let server = scripted(&bench);
    std::fs::create_dir_all(bench.path().join("ledger.db")).unwrap();
    let ran = import(&bench, "in.csv", "m.toml", &server.base())
        .args(["--ledger", "ledger.db"])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("ledger.db"), "{said}");
    assert!(server.requests().is_empty());

    bench.file(
        "broken.db",
        "this is no ledger, and long enough not to look like an empty file",
    );
    let ran = import(&bench, "in.csv", "m.toml", &server.base())
        .args(["--ledger", "broken.db"])
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(2));
    assert!(server.requests().is_empty());
}

#[test]
fn a_full_disk_stops_before_the_next_row_is_sent() {
    // `ulimit -f` counts in blocks of 512 or 1024 bytes: no file may grow beyond a few of them.
    let bench = Bench::new();
    let server = scripted(&bench);
    bench.file("in.csv", &rows(3_000));
    for blocks in [1, 40, 160] {
        let command = import(&bench, "in.csv", "m.toml", &server.base());
        let words: Vec<String> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| format!("'{}'", word.to_str().unwrap()))
            .collect();
        let before = server.requests().len();
        let mut limited = Command::new("sh");
        limited
            .arg("-c")
            .arg(format!(
                "trap '' XFSZ; ulimit -f {blocks}; exec {}",
                words.join(" ")
            ))
            .current_dir(bench.path())
            .env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                limited.env(name, value);
            }
        }
        let output = limited.output().unwrap();
        let said =
            String::from_utf8(output.stderr).unwrap() + &String::from_utf8(output.stdout).unwrap();
        let code = output.status.code();
        assert!(matches!(code, Some(2 | 3)), "{blocks}: {code:?} {said}");
        assert!(
            said.contains("ledger") || said.contains("cannot be written"),
            "{said}"
        );
        if code == Some(2) {
            assert_eq!(server.requests().len(), before, "{blocks}: {said}");
        }
    }
    // With room again the same command finishes, and nothing was sent twice.
    let ran = import(&bench, "in.csv", "m.toml", &server.base())
        .output()
        .unwrap();
    let mut keys: Vec<String> = server
        .requests()
        .iter()
        .map(|request| request.json()["ref"].as_str().unwrap().to_owned())
        .collect();
    let sent = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), sent, "a row was sent twice");
    assert!(matches!(ran.status.code(), Some(0 | 1)));
    // A row whose intent was the last thing that had room may not have left; it is listed.
    let fates = fates(&bench);
    assert_eq!(fates.len(), 3_000);
    let mut uncertain = 0;
    for (key, (fate, note)) in &fates {
        match fate.as_str() {
            "created" | "unchanged" => {
                assert!(keys.binary_search(key).is_ok(), "{key} was never sent");
            }
            "uncertain" => uncertain += 1,
            other => panic!("{key} is {other}: {note}"),
        }
    }
    assert!(uncertain < 200, "{uncertain} of 3,000 rows are uncertain");
}

#[test]
fn a_folder_that_is_gone_at_the_end_loses_no_fate() {
    let bench = Bench::new();
    plain(&bench, "");
    let folder = bench.path().join("out");
    std::fs::create_dir(&folder).unwrap();
    let gone = folder.clone();
    let server = Server::start(move |request: &Request| {
        let _ = std::fs::remove_dir_all(&gone);
        Reply::json(201, json!({ "id": request.number }))
    });
    let mut command = bench.command(&["import", "in.csv", "-m", "m.toml", "--json"]);
    command.args([
        "--base-url",
        &server.base(),
        "--results",
        "out/",
        "--rejects",
        "out/",
    ]);
    let output = command.env("T_TOKEN", "t").output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(3),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["fates"]["created"], 200);
    std::fs::create_dir(&folder).unwrap();
    let output = command.env("T_TOKEN", "t").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(server.requests().len(), 200);
    assert!(folder.join("in.results.csv").exists());
}
