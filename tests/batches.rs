//! Several rows in one request: each settled by itself, whatever the answer looks like.

mod common;

use common::Bench;
use common::served::Served;
use serde_json::json;

const MAPPING: &str = r#"
target = "./crm.target.toml"
[row]
key = "Id"
[fields]
email = "Email"
name = "Name"
"#;

fn rows(count: usize, bad: &[usize]) -> String {
    let mut text = "Id,Email,Name\n".to_owned();
    for n in 1..=count {
        let name = if bad.contains(&n) {
            "x".repeat(30)
        } else {
            format!("Name {n}")
        };
        text.push_str(&format!("k{n},p{n}@example.org,{name}\n"));
    }
    text
}

/// A target file whose own checks are looser than the sandbox's, so that the sandbox refuses.
fn target(batch: &str, limit: &str) -> String {
    format!(
        r#"
name = "Crm"
base_url = "http://127.0.0.1:1/v3"
[auth]
kind = "bearer"
env = "CRM_TOKEN"
[create]
path = "/contacts"
id = "id"
success = [201]
[create.batch]
{batch}
[errors]
message = ["message"]
code = ["category"]
fields = "errors"
field = "in"
text = "message"
[fields]
email = {{ type = "email", required = true }}
name = {{ type = "text"{limit} }}
"#
    )
}

const BY_NAME: &str = r#"
path = "/contacts/batch/create"
success = [201, 207]
max = 10
at = "inputs"
item = "properties"
trace = "objectWriteTraceId"
results = "results"
errors = "errors"
match = { item = "objectWriteTraceId", result = "objectWriteTraceId", error = "context.objectWriteTraceId.0" }
item_id = "id"
"#;

const BY_PLACE: &str = r#"
path = "/contacts/many"
success = [200]
max = 7
at = "records"
results = ""
item_ok = "success"
item_id = "id"
item_error = "errors"
"#;

const ATOMIC: &str = r#"
path = "/contacts/many"
success = [200]
max = 16
at = ""
results = ""
item_id = "id"
atomic = true
"#;

fn import(batch: &str, bad: &[usize]) -> (serde_json::Value, Vec<serde_json::Value>, Bench) {
    let bench = Bench::new();
    bench.file("strict.target.toml", &target(batch, ", max_length = 20"));
    bench.file("crm.target.toml", &target(batch, ""));
    bench.file("m.toml", MAPPING);
    bench.file("rows.csv", &rows(25, bad));
    let server = Served::start(&bench, &["./strict.target.toml"]);
    let url = server.base_url.clone();
    let variables = [("CRM_TOKEN", "t")];
    let arguments = [
        "import",
        "rows.csv",
        "-m",
        "m.toml",
        "--base-url",
        &url,
        "--json",
    ];
    let first = bench.run_with(&variables, &arguments).json();
    let again = bench.run_with(&variables, &arguments).json();
    assert_eq!(again["fates"]["unchanged"], json!(25 - bad.len()));
    assert_eq!(again["fates"]["failed"], json!(bad.len()));
    let records = server.records();
    (first, records, bench)
}

#[test]
fn answers_by_a_name_of_our_own_with_errors_apart() {
    let (summary, records, bench) = import(BY_NAME, &[3, 14]);
    assert_eq!(summary["fates"]["created"], json!(23), "{summary:#}");
    assert_eq!(summary["fates"]["failed"], json!(2));
    assert_eq!(summary["requests"]["sent"], json!(3));
    assert_eq!(records.len(), 23);
    // Each row has the id that the record of its own key has.
    let results = bench.read("rows.results.csv");
    for record in &records {
        let email = record["email"].as_str().unwrap();
        let key = format!("k{}", &email[1..email.find('@').unwrap()]);
        let id = record["id"]
            .as_str()
            .map_or_else(|| record["id"].to_string(), str::to_owned);
        assert!(
            results
                .lines()
                .any(|line| line.contains(&format!(",{key},")) && line.contains(&id)),
            "{key} {id}\n{results}"
        );
    }
    let failed = summary["issues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|issue| issue["fate"] == "failed");
    assert_eq!(
        failed.unwrap()["examples"][0]["row"],
        json!(4),
        "{summary:#}"
    );
}

#[test]
fn answers_in_the_order_of_the_input() {
    let (summary, records, _) = import(BY_PLACE, &[1, 7, 8]);
    assert_eq!(summary["fates"]["created"], json!(22), "{summary:#}");
    assert_eq!(summary["fates"]["failed"], json!(3));
    assert_eq!(summary["requests"]["sent"], json!(4));
    assert_eq!(records.len(), 22);
}

#[test]
fn a_batch_refused_as_a_whole_is_split_until_the_bad_row_stands_alone() {
    let (summary, records, _) = import(ATOMIC, &[5, 20]);
    assert_eq!(summary["fates"]["created"], json!(23), "{summary:#}");
    assert_eq!(summary["fates"]["failed"], json!(2));
    assert_eq!(records.len(), 23);
}
