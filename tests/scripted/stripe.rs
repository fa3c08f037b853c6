//! Stripe's customers, written as a target file: forms, an idempotency key, metadata, one error with
//! its parameter. What the server here does is what its pages say.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::Case;
use crate::common::served::Served;
use crate::common::server::{Reply, Request};
use crate::common::{Bench, project};

const MAPPING: &str = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
name = "Name"
email = "Email"
"address.line1" = "Street"
"address.country" = "Country"
balance = "Balance"
"preferred_locales[]" = ["Locale 1", "Locale 2"]
[custom]
crm_id = "Id"
plan = "Plan"
"#;

const ROWS: &str = "Id,Name,Email,Street,Country,Balance,Locale 1,Locale 2,Plan
K1,Ann & Co,ann+x@x.example,\"1, High St\",Germany,-50,de,en,gold
K2,Bob,bob@x.example,,FR,0,,,silver
K3,Cid,cid@x.example,,GB,5,en,,bad
K4,Dan,dan@x.example,,KP,5,en,,gold
K5,Eve,declined@x.example,,GB,5,en,,gold
";

pub(super) fn target() -> String {
    let text = std::fs::read_to_string(project("tests/targets/stripe.target.toml")).unwrap();
    text.replace("https://api.stripe.com", "BASE")
}

fn refused(status: u16, code: &str, message: &str, param: &str) -> Reply {
    Reply::json(
        status,
        json!({ "error": { "type": "invalid_request_error", "code": code, "message": message,
            "param": param, "doc_url": "https://docs.example/error" } }),
    )
}

/// A server that keeps what it answered to each key; answers to the requests of these numbers are
/// lost after they were carried out.
fn stripe(lost: &'static [usize]) -> impl FnMut(&Request) -> Reply + Send + 'static {
    let mut answered: HashMap<String, (Vec<u8>, Reply)> = HashMap::new();
    let mut made = 0;
    move |request| {
        assert_eq!(request.route(), "POST /v1/customers");
        let key = request.header("idempotency-key").unwrap().to_owned();
        assert!(key.len() <= 255);
        let form: HashMap<String, String> = request.form().into_iter().collect();
        let reply = match answered.get(&key) {
            Some((body, reply)) => {
                assert_eq!(*body, request.body, "the same key with another body");
                reply.clone()
            }
            None => {
                let reply = match form.get("email").map(String::as_str) {
                    _ if form["metadata[plan]"] == "bad" => refused(
                        400,
                        "metadata_invalid",
                        "No such plan: bad",
                        "metadata[plan]",
                    ),
                    _ if form
                        .get("address[country]")
                        .is_some_and(|country| country == "KP") =>
                    {
                        refused(
                            400,
                            "country_unsupported",
                            "Country KP is not supported",
                            "address[country]",
                        )
                    }
                    Some("declined@x.example") => {
                        refused(402, "card_declined", "The address was declined", "email")
                    }
                    _ => {
                        made += 1;
                        Reply::json(
                            200,
                            json!({ "id": format!("cus_{made}"), "object": "customer" }),
                        )
                    }
                };
                answered.insert(key, (request.body.clone(), reply.clone()));
                reply
            }
        };
        if lost.contains(&request.number) {
            return Reply::Cut;
        }
        reply
    }
}

#[test]
fn stripe_customers_are_forms_and_never_made_twice() {
    let target = target().replace("concurrency = 4", "concurrency = 1");
    // The first answer is lost, and that to its repetition too; so is that to the third row.
    let case = Case::new(&target, MAPPING, ROWS, stripe(&[0, 1, 3]));
    let key = [("STRIPE_KEY", "sk_test_1"), ("STRIPE_ACCOUNT", "acct_1")];
    let summary = case.import_with(&key, 1).json();
    assert_eq!(
        case.fates(),
        "created created failed failed failed",
        "{summary:#}"
    );
    let ids: Vec<String> = case.results().into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids[..2], ["cus_1", "cus_2"]);
    let requests = case.server.requests();
    let first = &requests[0];
    assert_eq!(
        first.header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    assert_eq!(first.header("authorization"), Some("Bearer sk_test_1"));
    assert_eq!(first.header("stripe-account"), Some("acct_1"));
    let mut form: Vec<String> = first
        .form()
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    form.sort();
    assert_eq!(
        form,
        [
            "address[country]=DE",
            "address[line1]=1, High St",
            "balance=-50",
            "email=ann+x@x.example",
            "metadata[crm_id]=K1",
            "metadata[plan]=gold",
            "name=Ann & Co",
            "preferred_locales[]=de",
            "preferred_locales[]=en",
        ]
    );
    let keys: Vec<&str> = requests
        .iter()
        .map(|request| request.header("idempotency-key").unwrap())
        .collect();
    assert_eq!((keys[0], keys[0]), (keys[1], keys[2]));
    assert_eq!(requests[0].body, requests[2].body);
    assert_ne!(keys[2], keys[3]);
    // What was refused stands at the cell that its parameter came from.
    let mut found: Vec<(String, String, String)> = Vec::new();
    for issue in summary["issues"].as_array().unwrap() {
        for example in issue["examples"].as_array().unwrap() {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            found.push((
                text(&issue["code"]),
                text(&example["cell"]),
                text(&example["message"]),
            ));
        }
    }
    found.sort();
    let expected = [
        ("target.400", "E5", "Country KP is not supported"),
        ("target.400", "I4", "No such plan: bad"),
        ("target.402", "C6", "The address was declined"),
    ];
    assert_eq!(found.len(), expected.len(), "{found:?}");
    for ((code, cell, message), expected) in found.iter().zip(expected) {
        assert_eq!((code.as_str(), cell.as_str()), (expected.0, expected.1));
        assert!(message.contains(expected.2), "{message}");
    }
    // A second run asks nothing of what is there.
    let again = case.import_with(&key, 1).json();
    assert_eq!(again["fates"]["unchanged"], 2);
    assert_eq!(again["fates"]["failed"], 3);
}

#[test]
fn stripe_customers_changed_by_a_partial_form() {
    let mapping = format!("{MAPPING}[policy]\nexisting = \"update\"\n");
    let rows = ROWS.lines().take(2).collect::<Vec<_>>().join("\n");
    let case = Case::new(
        &target(),
        &mapping,
        &rows,
        |request: &Request| match request.route().as_str() {
            "GET /v1/customers" => {
                assert_eq!(request.query("email").as_deref(), Some("ann+x@x.example"));
                Reply::json(
                    200,
                    json!({ "data": [{ "id": "cus_9", "email": "ann+x@x.example", "name": "Ann & Co" }] }),
                )
            }
            "GET /v1/customers/cus_9" => Reply::json(
                200,
                json!({
                "id": "cus_9", "email": "ann+x@x.example", "name": "Ann & Co", "balance": -50,
                "address": { "line1": "1, High St", "country": "DE" }, "preferred_locales": ["de", "en"],
                "metadata": { "crm_id": "K1", "plan": "old", "note": "kept" } }),
            ),
            "POST /v1/customers/cus_9" => Reply::json(200, json!({ "id": "cus_9" })),
            other => panic!("{other}"),
        },
    );
    // The second way in, as the first one's variable is not set.
    case.import_with(&[("STRIPE_USER", "sk")], 0);
    assert_eq!(case.fates(), "updated");
    let sent = case.server.of("POST /v1/customers/cus_9");
    assert_eq!(sent[0].header("authorization"), Some("Basic c2s6"));
    let mut form = sent[0].form();
    form.sort();
    let form: Vec<String> = form
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    assert_eq!(form, ["metadata[crm_id]=K1", "metadata[plan]=gold"]);
}

#[test]
fn the_sandbox_plays_stripe() {
    let bench = Bench::new();
    let text = std::fs::read_to_string(project("tests/targets/stripe.target.toml")).unwrap();
    bench.file("t.target.toml", &text);
    bench.file("m.toml", MAPPING);
    bench.file("in.csv", ROWS);
    let summary = bench
        .run(&["import", "in.csv", "-m", "m.toml", "--sandbox", "--json"])
        .expect(0)
        .json();
    assert_eq!(summary["fates"]["created"], 5, "{summary:#}");
    // Its refusals name the parameter; its idempotency keys keep lost answers from doubling rows.
    let strict = text.replace(
        "name        = { type = \"text\", max_length = 256 }",
        "name = { type = \"text\", max_length = 5 }",
    );
    assert_ne!(strict, text);
    bench.file("strict.target.toml", &strict);
    let server = Served::start(
        &bench,
        &["./strict.target.toml", "--fail", "lost-after=0.3"],
    );
    let base = format!("--base-url={}", server.base_url);
    let summary = bench
        .run_with(
            &[("STRIPE_KEY", "t")],
            &[
                "import",
                "in.csv",
                "-m",
                "m.toml",
                "--json",
                "--attempts",
                "30",
                &base,
            ],
        )
        .expect(1)
        .json();
    assert_eq!(summary["fates"]["created"], 4, "{summary:#}");
    assert_eq!(
        summary["issues"][0]["examples"][0]["cell"], "B2",
        "{summary:#}"
    );
    assert_eq!(server.records().len(), 4);
    let record = server.record("/email", "bob@x.example");
    assert_eq!(
        record["metadata"],
        json!({ "crm_id": "K2", "plan": "silver" })
    );
    assert_eq!(record["balance"], 0);
}
