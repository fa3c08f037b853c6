//! Batches: each item's answer.

use serde_json::{Value, json};

use super::{BEARER, Played};

const BATCH: &str = r#"
base_url = "https://api.example"
[auth]
kind = "bearer"
env = "T"
[create]
path = "/contacts"
[create.batch]
path = "/contacts/batch"
success = [201, 207]
max = 3
max_bytes = "4kB"
at = "inputs"
item = "properties"
item_constants = { type = "contact" }
trace = "trace"
results = "results"
errors = "errors"
match = { item = "trace", result = "trace", error = "context.trace.0" }
item_id = "id"
item_error = "message"
[errors]
message = "message"
code = "category"
[fields]
name = { type = "text", required = true }
"#;

#[tokio::test]
async fn batches_answer_each_item() {
    let p = Played::new(BATCH).await;
    let item = |trace: &str, name: Value| json!({"trace": trace, "type": "contact", "properties": {"name": name}});
    let inputs =
        json!({"inputs": [item("a", json!("A")), item("b", json!(1)), item("c", json!("C"))]});
    let (status, body) = p.send("POST", "/contacts/batch", inputs).await;
    assert_eq!(status, 207);
    let mut made: Vec<(&str, &str)> = body["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                r["trace"].as_str().unwrap(),
                r["properties"]["name"].as_str().unwrap(),
            )
        })
        .collect();
    made.sort_unstable();
    assert_eq!(made, [("a", "A"), ("c", "C")]);
    let refused = &body["errors"][0];
    assert_eq!(refused["context"]["trace"], json!(["b"]));
    assert_eq!(
        (refused["message"].is_string(), &refused["category"]),
        (true, &json!("validation_error"))
    );
    let four: Vec<Value> = ["a", "b", "c", "d"].map(|t| item(t, json!("A"))).into();
    assert_eq!(
        p.send("POST", "/contacts/batch", json!({"inputs": four}))
            .await
            .0,
        422
    );
    let long = json!({"inputs": [item("a", json!("A".repeat(5000)))]});
    assert_eq!(p.send("POST", "/contacts/batch", long).await.0, 413);
    assert_eq!(
        p.send("POST", "/contacts/batch", json!({"inputs": []}))
            .await
            .0,
        422
    );
    assert_eq!(
        (p.sandbox.stats().created, p.sandbox.records().len()),
        (2, 2)
    );
}

#[tokio::test]
async fn batches_in_order_and_atomic() {
    let of = |more: &str| {
        format!(
            "{BEARER}[create]\npath = \"/c\"\nid = \"id\"\n[create.batch]\nat = \"\"\nresults = \"\"\n\
             item_ok = \"success\"\nitem_error = \"errors\"\nsuccess = [200]\n{more}\n[errors]\nmessage = \"0.message\"\n\
             fields = \"\"\nfield = \"field\"\ntext = \"message\"\n[fields]\nname = {{ required = true }}"
        )
    };
    let p = Played::new(&of("")).await;
    let three = json!([{"name": "A"}, {}, {"name": "C"}]);
    let (status, body) = p.send("POST", "/c", three.clone()).await;
    let ok: Vec<&Value> = body
        .as_array()
        .unwrap()
        .iter()
        .map(|r| &r["success"])
        .collect();
    assert_eq!(
        (status, ok),
        (200, vec![&json!(true), &json!(false), &json!(true)])
    );
    assert_eq!(body[1]["errors"][0]["field"], "name");
    assert_eq!(
        p.send("POST", "/c", json!({"name": "D"})).await.1["id"],
        3,
        "one alone, at the same address"
    );

    let p = Played::new(&of("atomic = true")).await;
    let (status, body) = p.send("POST", "/c", three).await;
    assert_eq!((status, &body[0]["field"]), (422, &json!("1.name")));
    assert_eq!(p.sandbox.records(), Vec::<Value>::new());
    assert_eq!(p.sandbox.stats().created, 0);
}
