//! Target files that no one has seen, tried by the program against a server that plays by a script.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

#[path = "scripted/access.rs"]
mod access;
#[path = "scripted/answers.rs"]
mod answers;
#[path = "scripted/batches.rs"]
mod batches;
#[path = "scripted/bodies.rs"]
mod bodies;
#[path = "scripted/doubt.rs"]
mod doubt;
#[path = "scripted/existing.rs"]
mod existing;
#[path = "scripted/hubspot.rs"]
mod hubspot;
#[path = "scripted/keys.rs"]
mod keys;
#[path = "scripted/mistakes.rs"]
mod mistakes;
#[path = "scripted/pace.rs"]
mod pace;
#[path = "scripted/recovery.rs"]
mod recovery;
#[path = "scripted/refusals.rs"]
mod refusals;
#[path = "scripted/stripe.rs"]
mod stripe;
#[path = "scripted/words.rs"]
mod words;

use std::process::Command;

use common::server::{Reply, Request, Server};
use common::{Bench, Ran};
use serde_json::{Value, json};

/// Three customers.
pub(crate) const THREE: &str =
    "Id,Name,Email\nK1,Ann,ann@x.example\nK2,Bob,bob@x.example\nK3,Cid,cid@x.example\n";

/// One customer.
pub(crate) const ONE: &str = "Id,Name,Email\nK1,Ann,ann@x.example\n";

/// The mapping that goes with them.
pub(crate) const MAPPING: &str = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
name = "Name"
email = "Email"
"#;

/// What most targets here have in common.
pub(crate) const HEAD: &str = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[limits]
concurrency = 1
[fields]
name = { type = "text", required = true }
email = { type = "email" }
"#;

/// A target, a mapping and rows in a folder, and the server that the target names.
pub(crate) struct Case {
    pub(crate) bench: Bench,
    pub(crate) server: Server,
}

impl Case {
    /// `BASE` in the target stands for the server's address.
    pub(crate) fn new(
        target: &str,
        mapping: &str,
        rows: &str,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let case = Self {
            bench: Bench::new(),
            server: Server::start(script),
        };
        case.target(target);
        case.bench.file("m.toml", mapping);
        case.bench.file("in.csv", rows);
        case
    }

    /// `HEAD`, more of the target, `MAPPING`, and rows.
    pub(crate) fn plain(
        more: &str,
        rows: &str,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        Self::new(&format!("{HEAD}{more}"), MAPPING, rows, script)
    }

    /// Writes the target file anew.
    pub(crate) fn target(&self, text: &str) {
        self.bench
            .file("t.target.toml", &text.replace("BASE", &self.server.base()));
    }

    /// The import, with more arguments.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let mut arguments = vec!["import", "in.csv", "--mapping", "m.toml", "--json"];
        arguments.extend(more);
        self.bench.command(&arguments)
    }

    /// Imports; the exit code must be this.
    #[track_caller]
    pub(crate) fn import(&self, code: i32) -> Ran {
        self.import_with(&[], code)
    }

    /// Imports with variables set.
    #[track_caller]
    pub(crate) fn import_with(&self, variables: &[(&str, &str)], code: i32) -> Ran {
        let arguments = ["import", "in.csv", "--mapping", "m.toml", "--json"];
        self.bench.run_with(variables, &arguments).expect(code)
    }

    /// Key, fate and id of each row in the results file.
    pub(crate) fn results(&self) -> Vec<(String, String, String)> {
        let mut reader = csv::Reader::from_path(self.bench.path().join("in.results.csv")).unwrap();
        reader
            .records()
            .map(|record| {
                let record = record.unwrap();
                (
                    record[1].to_owned(),
                    record[2].to_owned(),
                    record[3].to_owned(),
                )
            })
            .collect()
    }

    /// The fates of all rows, joined by spaces.
    pub(crate) fn fates(&self) -> String {
        let fates: Vec<String> = self
            .results()
            .into_iter()
            .map(|(_, fate, _)| fate)
            .collect();
        fates.join(" ")
    }
}

/// An answer to a create: 201 with an id made of the request's number.
pub(crate) fn made(request: &Request) -> Reply {
    Reply::json(201, json!({ "id": format!("id{}", request.number) }))
}

/// The JSON bodies of requests.
pub(crate) fn bodies(requests: &[Request]) -> Vec<Value> {
    requests.iter().map(Request::json).collect()
}
