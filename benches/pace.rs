//! How much of a limit an import uses, and how often it trips it: the program against a server that
//! limits, delays its answers and writes down when requests arrive.
//!
//! `cargo bench --bench pace` runs all; the table that it prints stands in `docs/pace.md`.
#![allow(clippy::unwrap_used, clippy::print_stdout)] // a program for developers

#[path = "../tests/common/server.rs"]
#[allow(dead_code, unreachable_pub)] // the tests use more of it, and from elsewhere
mod server;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use server::{Reply, Server};

/// One measurement.
struct Trial {
    name: &'static str,
    rows: usize,
    /// What the server takes: requests a second, and how many at once.
    rate: f64,
    burst: f64,
    latency: u64,
    /// What the target file says of it.
    limits: &'static str,
}

const TRIALS: &[Trial] = &[
    Trial {
        name: "100/s, burst 2, answers in 20 ms",
        rows: 1_500,
        rate: 100.0,
        burst: 2.0,
        latency: 20,
        limits: "rate = \"100/s\"",
    },
    Trial {
        name: "100/s, burst 2, answers in 500 ms",
        rows: 1_500,
        rate: 100.0,
        burst: 2.0,
        latency: 500,
        limits: "rate = \"100/s\"",
    },
    Trial {
        name: "50/s, burst 2, and nobody says so",
        rows: 400,
        rate: 50.0,
        burst: 2.0,
        latency: 20,
        limits: "rate = \"unknown\"",
    },
    Trial {
        name: "50/s, burst 50, and nobody says so",
        rows: 400,
        rate: 50.0,
        burst: 50.0,
        latency: 20,
        limits: "rate = \"unknown\"",
    },
];

fn main() {
    println!("| server | rows | seconds | share of the limit | answers 429 |");
    println!("| --- | --- | --- | --- | --- |");
    for trial in TRIALS {
        trial.run();
    }
}

impl Trial {
    fn run(&self) {
        let (rate, burst) = (self.rate, self.burst);
        let latency = Duration::from_millis(self.latency);
        let (mut tokens, mut filled) = (burst, Instant::now());
        let server = Server::start(move |request| {
            let now = Instant::now();
            let since = now.duration_since(filled).as_secs_f64();
            tokens = (tokens + since * rate).min(burst);
            filled = now;
            let reply = if tokens >= 1.0 {
                tokens -= 1.0;
                Reply::json(201, json!({ "id": request.number }))
            } else {
                Reply::status(429)
            };
            Reply::Later(latency, Box::new(reply))
        });
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let mut rows = "Id,Name\n".to_owned();
        for number in 0..self.rows {
            rows.push_str(&format!("K{number},Name {number}\n"));
        }
        fs::write(at("in.csv"), rows).unwrap();
        let target = format!(
            "name = \"Bench\"\nbase_url = \"{}\"\n[auth]\nkind = \"none\"\n[limits]\n{}\n[create]\npath = \"/c\"\n[fields]\nname = {{ type = \"text\" }}\n",
            server.base(),
            self.limits
        );
        fs::write(at("t.target.toml"), target).unwrap();
        let mapping =
            "target = \"./t.target.toml\"\n[row]\nkey = \"Id\"\n[fields]\nname = \"Name\"\n";
        fs::write(at("m.toml"), mapping).unwrap();
        let ran = Command::new(env!("CARGO_BIN_EXE_rowferry"))
            .args([
                "import",
                "in.csv",
                "--mapping",
                "m.toml",
                "--json",
                "--quiet",
            ])
            .current_dir(folder.path())
            .env("XDG_STATE_HOME", at("state"))
            .output()
            .unwrap();
        let summary: Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(
            summary["fates"]["created"],
            self.rows,
            "{}",
            String::from_utf8_lossy(&ran.stderr)
        );
        let requests = server.requests();
        let span = requests[requests.len() - 1].at - requests[0].at;
        let share = (self.rows - 1) as f64 / span.as_secs_f64() / rate;
        println!(
            "| {} | {} | {:.1} | {:.1} % | {} |",
            self.name,
            self.rows,
            summary["seconds"].as_f64().unwrap(),
            share * 100.0,
            summary["requests"]["limited"]
        );
    }
}
