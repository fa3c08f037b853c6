//! Ten thousand customers and more, of files that others made, into a sandbox.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::served::Served;
use common::{Bench, shared};
use serde_json::{Value, json};

/// A target without limits of its own, for whatever the sheets hold.
const TARGET: &str = r#"
name      = "Acme"
base_url  = "https://api.acme.example/v1"
key_field = "ref"

[auth]
kind = "bearer"
env  = "ACME_TOKEN"

[create]
path = "/customers"
id   = "id"

[errors]
message = ["message"]
fields  = "errors"

[limits]
concurrency = 64

[fields]
ref        = { type = "text", required = true }
name       = { type = "text", required = true, max_length = 100 }
email      = { type = "email" }
phone      = { type = "phone" }
country    = { type = "country" }
born       = { type = "date" }
since      = { type = "date" }
income     = { type = "decimal" }
children   = { type = "integer" }
home_owner = { type = "boolean" }
website    = { type = "url" }
"#;

/// Imports a file into a server of its own; every row has one fate, and what is called created is
/// there. Gives the summary and the records by `ref`.
fn import(bench: &Bench, input: &str, code: i32) -> (Value, Vec<Value>) {
    bench.file("acme.target.toml", TARGET);
    let served = Served::start(bench, &["./acme.target.toml"]);
    let variables = [("ACME_TOKEN", "s3cret-s3cret")];
    let arguments = [
        "import",
        input,
        "-m",
        "m.toml",
        "--json",
        "--base-url",
        &served.base_url,
        "--results",
        ".",
        "--rejects",
        ".",
    ];
    let summary = bench.run_with(&variables, &arguments).expect(code).json();
    let rows = |summary: &Value, fate: &str| summary["fates"][fate].as_u64().unwrap();
    let sum: u64 = summary["fates"]
        .as_object()
        .unwrap()
        .values()
        .map(|rows| rows.as_u64().unwrap())
        .sum();
    assert_eq!(json!(sum), summary["read"]);
    let records = served.records();
    assert_eq!(records.len() as u64, rows(&summary, "created"));
    let stem = std::path::Path::new(input)
        .file_stem()
        .unwrap()
        .to_str()
        .unwrap();
    let results = bench.read(&format!("{stem}.results.csv"));
    assert_eq!(results.lines().count() as u64, 1 + sum);
    // Once more: what is in is not sent again.
    let again = bench.run_with(&variables, &arguments).expect(code).json();
    assert_eq!(rows(&again, "unchanged"), rows(&summary, "created"));
    assert_eq!(again["requests"]["sent"], json!(0));
    assert_eq!(served.stats()["created"], json!(records.len()));
    (summary, records)
}

/// The record of this `ref`.
fn record<'r>(records: &'r [Value], key: &str) -> &'r Value {
    records.iter().find(|record| record["ref"] == key).unwrap()
}

#[test]
fn adventure_works_with_dates_that_only_the_column_explains() {
    let Some(input) = shared("customers/AdventureWorks_Customers.csv") else {
        return;
    };
    let bench = Bench::new();
    bench.file(
        "m.toml",
        r#"target = "./acme.target.toml"

[row]
key = "CustomerKey"

[fields]
ref        = "CustomerKey"
name       = { column = ["FirstName", "LastName"], join = " ", clean = ["titlecase"] }
email      = "EmailAddress"
born       = { column = "BirthDate", max = "today" }
income     = "AnnualIncome"
children   = "TotalChildren"
home_owner = "HomeOwner"
"#,
    );
    let (summary, records) = import(&bench, input.to_str().unwrap(), 0);
    assert_eq!(summary["read"], json!(18148));
    assert_eq!(
        summary["fates"]["created"],
        json!(18148),
        "{}",
        summary["issues"]
    );
    let mut first = record(&records, "11000").clone();
    first.as_object_mut().unwrap().remove("id");
    assert_eq!(
        first,
        json!({
            "ref": "11000",
            "name": "Jon Yang",
            "email": "jon24@adventure-works.com",
            // 04/08/1966: other cells of the column, such as 5/14/1965, tell the order.
            "born": "1966-04-08",
            "income": 90000,
            "children": 2,
            "home_owner": true,
        })
    );
    assert_eq!(record(&records, "11001")["born"], json!("1965-05-14"));
}

#[test]
fn ten_thousand_customers_with_invented_phone_numbers() {
    let Some(input) = shared("customers/customers-10000.csv") else {
        return;
    };
    let bench = Bench::new();
    bench.file(
        "m.toml",
        r#"target = "./acme.target.toml"

[row]
key = "Customer Id"

[fields]
ref     = "Customer Id"
name    = { column = ["First Name", "Last Name"], join = " " }
email   = "Email"
phone   = { column = ["Phone 1", "Phone 2"], type = "phone", region_from = "Country", on_error = "null" }
country = "Country"
since   = "Subscription Date"
website = "Website"
"#,
    );
    let (summary, records) = import(&bench, input.to_str().unwrap(), 1);
    assert_eq!(summary["read"], json!(10000));
    // Countries that are none, or that nobody can tell apart, refuse a few hundred rows at most.
    assert!(records.len() > 9_000, "{}", summary["issues"]);
    let issues = summary["issues"].as_array().unwrap();
    let refusing: Vec<&Value> = issues
        .iter()
        .filter(|issue| issue["severity"] == "error")
        .map(|issue| &issue["column"])
        .collect();
    assert!(
        refusing.iter().all(|column| **column == json!("Country")),
        "{issues:#?}"
    );
    let warned = issues
        .iter()
        .find(|issue| issue["code"] == "phone.invalid")
        .unwrap();
    assert!(warned["count"].as_u64().unwrap() > 1_000);
    let first = record(&records, "EB54EF1154C3A78");
    assert_eq!(first["name"], json!("Heather Callahan"));
    assert_eq!(first["country"], json!("NO"));
    assert_eq!(first["since"], json!("2020-08-26"));
    // A phone number is there in the one form that everybody reads, or not at all.
    for record in &records {
        if let Some(phone) = record.get("phone") {
            assert!(phone.as_str().unwrap().starts_with('+'), "{record}");
        }
    }
}
