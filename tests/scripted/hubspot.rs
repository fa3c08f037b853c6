//! HubSpot's contacts, written as a target file: batches that are answered 207, in any order, with
//! the errors apart. What the server here does is what its pages say.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::Case;
use crate::common::server::{Reply, Request};
use crate::common::{Bench, project};

const MAPPING: &str = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
email = "Email"
firstname = "First"
lastname = "Last"
phone = { column = "Phone", type = "text" }
[custom]
favourite_colour = "Colour"
"#;

/// 250 contacts; those with an odd stage of life are refused.
fn rows() -> String {
    let mut rows = "Id,Email,First,Last,Phone,Colour\n".to_owned();
    for n in 1..=250 {
        let email = match n {
            // Without an address it cannot be looked up.
            120 => String::new(),
            n => format!("p{n}@x.example"),
        };
        let phone = if REFUSED.contains(&n) { "bad" } else { "123" };
        rows.push_str(&format!("k{n},{email},F{n},L{n},{phone},red\n"));
    }
    rows
}

const REFUSED: [usize; 4] = [7, 101, 102, 249];

/// Made, and never spoken of in an answer: one that can be looked up, one that cannot.
const UNNAMED: [&str; 2] = ["F33", "F120"];

pub(super) fn target() -> String {
    let text = std::fs::read_to_string(project("tests/targets/hubspot.target.toml")).unwrap();
    text.replace("https://api.hubapi.com", "BASE")
}

/// A server that holds contacts as HubSpot does.
fn hubspot() -> impl FnMut(&Request) -> Reply + Send + 'static {
    let mut contacts: Vec<Value> = Vec::new();
    move |request| match request.route().as_str() {
        "POST /crm/v3/objects/contacts/batch/create" => {
            let body = request.json();
            let inputs = body["inputs"].as_array().unwrap();
            assert!(inputs.len() <= 100);
            let (mut results, mut errors) = (Vec::new(), Vec::new());
            for input in inputs {
                let trace = input["objectWriteTraceId"].as_str().unwrap();
                let properties = &input["properties"];
                if properties["phone"] == "bad" {
                    errors.push(json!({
                        "status": "error", "category": "VALIDATION_ERROR",
                        "message": "Property values were not valid",
                        "errors": [{ "message": "bad is no number", "code": "INVALID_PHONE",
                            "context": { "propertyName": ["phone"] } }],
                        "context": { "objectWriteTraceId": [trace] }
                    }));
                    continue;
                }
                let id = (contacts.len() + 1001).to_string();
                contacts.push(json!({ "id": id, "properties": properties }));
                if UNNAMED.iter().all(|name| properties["firstname"] != *name) {
                    results.push(json!({
                        "id": id, "properties": properties, "objectWriteTraceId": trace,
                        "createdAt": "2026-01-01T00:00:00Z", "archived": false
                    }));
                }
            }
            // No order is promised.
            results.reverse();
            let middle = results.len() / 3;
            results.rotate_left(middle);
            errors.reverse();
            let status = if errors.is_empty() { 201 } else { 207 };
            let mut answer = json!({ "status": "COMPLETE", "results": results });
            if !errors.is_empty() {
                answer["numErrors"] = json!(errors.len());
                answer["errors"] = json!(errors);
            }
            Reply::json(status, answer).with("X-HubSpot-RateLimit-Secondly-Remaining", "9")
        }
        "POST /crm/v3/objects/contacts/search" => {
            let body = request.json();
            let filter = &body["filterGroups"][0]["filters"][0];
            assert_eq!(
                (&filter["propertyName"], &filter["operator"]),
                (&json!("email"), &json!("EQ"))
            );
            assert_eq!(body["limit"], 2);
            let hits: Vec<&Value> = contacts
                .iter()
                .filter(|contact| contact["properties"]["email"] == filter["value"])
                .collect();
            Reply::json(200, json!({ "total": hits.len(), "results": hits }))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn hubspot_contacts_in_batches_answered_in_any_order() {
    let case = Case::new(&target(), MAPPING, &rows(), hubspot());
    let token = [("HUBSPOT_TOKEN", "pat-1")];
    let ran = case.import_with(&token, 1);
    let summary = ran.json();
    assert_eq!(
        summary["fates"],
        json!({ "created": 245, "updated": 0, "unchanged": 0, "skipped": 0, "rejected": 0,
            "failed": 4, "uncertain": 1, "pending": 0 }),
        "{summary:#}"
    );
    let batches = case.server.of("POST /crm/v3/objects/contacts/batch/create");
    let mut sizes: Vec<usize> = batches
        .iter()
        .map(|batch| batch.json()["inputs"].as_array().unwrap().len())
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [50, 100, 100]);
    assert_eq!(
        case.server.requests()[0].header("authorization"),
        Some("Bearer pat-1")
    );
    // Each row has the id of its own contact: ids go by the order in which the server made them.
    let mut ids: BTreeMap<String, String> = BTreeMap::new();
    let mut next = 1001;
    for batch in &batches {
        for input in batch.json()["inputs"].as_array().unwrap() {
            let properties = &input["properties"];
            assert_eq!(properties["favourite_colour"], "red");
            if properties["phone"] == "bad" {
                continue;
            }
            let name = properties["firstname"].as_str().unwrap();
            ids.insert(name.replacen('F', "k", 1), next.to_string());
            next += 1;
        }
    }
    for (key, fate, id) in case.results() {
        match fate.as_str() {
            "created" => assert_eq!(Some(&id), ids.get(&key), "{key}"),
            "uncertain" => assert_eq!(key, "k120"),
            other => {
                assert_eq!(other, "failed");
                assert!(REFUSED.iter().any(|n| key == format!("k{n}")), "{key}");
            }
        }
    }
    // The refusal stands at the cell of the property.
    let issue = summary["issues"]
        .as_array()
        .unwrap()
        .iter()
        .find(|issue| issue["fate"] == "failed")
        .unwrap();
    assert_eq!(
        (&issue["column"], &issue["field"]),
        (&json!("Phone"), &json!("phone"))
    );
    assert_eq!(issue["count"], 4);
    let mut cells: Vec<&str> = Vec::new();
    for example in issue["examples"].as_array().unwrap() {
        cells.push(example["cell"].as_str().unwrap());
        assert!(
            example["message"]
                .as_str()
                .unwrap()
                .contains("bad is no number"),
            "{issue:#}"
        );
    }
    assert!(
        cells.contains(&"E8") || cells.contains(&"E250"),
        "{cells:?}"
    );
    assert!(
        cells
            .iter()
            .all(|cell| ["E8", "E102", "E103", "E250"].contains(cell)),
        "{cells:?}"
    );
    // Again: what was refused is sent again, nothing else.
    let again = case.import_with(&token, 1).json();
    assert_eq!(again["fates"]["unchanged"], 245);
    assert_eq!(again["fates"]["failed"], 4);
    assert_eq!(again["fates"]["uncertain"], 1);
    let batches = case.server.of("POST /crm/v3/objects/contacts/batch/create");
    assert_eq!(batches.len(), 4);
    assert_eq!(batches[3].json()["inputs"].as_array().unwrap().len(), 4);
}

#[test]
fn hubspot_contacts_that_are_there_are_found_by_a_posted_search() {
    let mapping = format!("{MAPPING}[policy]\nexisting = \"update\"\n");
    let rows = "Id,Email,First,Last,Phone,Colour\nk1,ann@x.example,Ann,A,1,red\nk2,bob@x.example,Bob,B,2,red\n";
    let case = Case::new(&target(), &mapping, rows, |request: &Request| match request
        .route()
        .as_str()
    {
        "POST /crm/v3/objects/contacts/search" => {
            let body = request.json();
            let hits = match body["filterGroups"][0]["filters"][0]["value"].as_str() {
                Some("bob@x.example") => json!([{ "id": "77", "properties": {
                        "email": "Bob@x.example", "firstname": "Bob", "lastname": "B" } }]),
                _ => json!([]),
            };
            Reply::json(200, json!({ "total": 0, "results": hits }))
        }
        "GET /crm/v3/objects/contacts/77" => Reply::json(
            200,
            json!({ "id": "77", "properties": {
                "email": "bob@x.example", "firstname": "Bob", "lastname": "B", "phone": "9" } }),
        ),
        "PATCH /crm/v3/objects/contacts/77" => Reply::json(200, json!({ "id": "77" })),
        "POST /crm/v3/objects/contacts/batch/create" => {
            let trace = &request.json()["inputs"][0]["objectWriteTraceId"];
            let made = json!([{ "id": "78", "objectWriteTraceId": trace }]);
            Reply::json(201, json!({ "results": made }))
        }
        other => panic!("{other}"),
    });
    case.import_with(&[("HUBSPOT_TOKEN", "t")], 0);
    assert_eq!(case.fates(), "created updated");
    let read = case.server.of("GET /crm/v3/objects/contacts/77");
    assert_eq!(
        read[0].query("properties").as_deref(),
        Some("email,firstname,lastname,phone,lifecyclestage")
    );
    let sent = case.server.of("PATCH /crm/v3/objects/contacts/77");
    assert_eq!(
        sent[0].json(),
        json!({ "properties": { "phone": "2", "favourite_colour": "red" } })
    );
    let sent = case.server.of("POST /crm/v3/objects/contacts/batch/create");
    let inputs = sent[0].json()["inputs"].clone();
    assert_eq!(inputs.as_array().map(Vec::len), Some(1));
    assert_eq!(inputs[0]["properties"]["email"], "ann@x.example");
}

#[test]
fn the_sandbox_plays_hubspot() {
    let bench = Bench::new();
    let text = std::fs::read_to_string(project("tests/targets/hubspot.target.toml")).unwrap();
    bench.file("t.target.toml", &text);
    bench.file("m.toml", MAPPING);
    bench.file("in.csv", &rows());
    let arguments = ["import", "in.csv", "-m", "m.toml", "--sandbox", "--json"];
    let summary = bench.run(&arguments).expect(0).json();
    assert_eq!(summary["fates"]["created"], 250, "{summary:#}");
    assert_eq!(summary["requests"]["sent"], 3);
    // The search is played too: the second row is the first one's contact.
    let rows = "Id,Email,First,Last,Phone,Colour\nk1,ann@x.example,Ann,A,1,red\nk2,ann@x.example,Ann,A,2,red\nk3,,Cid,C,3,red\n";
    bench.file("in.csv", rows);
    bench.file(
        "m.toml",
        &format!("{MAPPING}[policy]\nexisting = \"skip\"\n"),
    );
    let summary = bench.run(&arguments).expect(0).json();
    assert_eq!(
        (&summary["fates"]["created"], &summary["fates"]["unchanged"]),
        (&json!(2), &json!(1)),
        "{summary:#}"
    );
    // What the sandbox finds wrong stands at its cell: its checks are stricter than ours here.
    let loose = text.replace(
        "lifecyclestage = { type = \"choice\", options = [\"subscriber\", \"lead\", \"customer\"] }",
        "lifecyclestage = { type = \"text\" }",
    );
    bench.file("strict.target.toml", &text);
    bench.file("t.target.toml", &loose);
    bench.file(
        "m.toml",
        &MAPPING.replace("[custom]", "lifecyclestage = \"Colour\"\n[custom]"),
    );
    bench.file(
        "in.csv",
        "Id,Email,First,Last,Phone,Colour\nk1,a@x.example,A,A,1,lead\nk2,b@x.example,B,B,2,green\n",
    );
    let server = crate::common::served::Served::start(&bench, &["./strict.target.toml"]);
    let base = format!("--base-url={}", server.base_url);
    let arguments = ["import", "in.csv", "-m", "m.toml", "--json", &base];
    let summary = bench
        .run_with(&[("HUBSPOT_TOKEN", "t")], &arguments)
        .expect(1)
        .json();
    assert_eq!(summary["fates"]["created"], 1, "{summary:#}");
    let failed = &summary["issues"][0];
    assert_eq!(
        (&failed["fate"], &failed["examples"][0]["cell"]),
        (&json!("failed"), &json!("F3")),
        "{summary:#}"
    );
    assert_eq!(server.records().len(), 1);
}
