//! Custom fields, constants and forms.

use serde_json::{Value, json};

use super::{Played, read};
use crate::field::{Choice, Type};
use crate::sandbox::Options;
use crate::target::custom::Definition;

/// Custom fields as pairs, one exact look-up by filter, partial updates.
const PAIRS: &str = r#"
base_url = "https://api.example/api"
[auth]
kind = "header"
header = "X-Key"
prefix = "Key "
env = "T"
[create]
path = "/customer"
wrap = "customer"
constants = { source = "import" }
query = { sendInvite = "false" }
exists = [{ status = 422, field = "email", message = "already been taken" }]
ok = "success"
[[lookup]]
path = "/customer"
query = { filter = "email:in:{{ email }}" }
results = "data"
[update]
path = "/customer/{{ id }}"
never = ["email"]
[errors]
message = "message"
fields = "errors"
[fields]
name = { type = "text", required = true }
email = { type = "email" }
score = { type = "decimal", min = 0, max = 9.5 }
tags = { type = "array" }
[custom]
at = "field_values"
shape = "pairs"
key = "field_id"
key_type = "integer"
value_type = "text"
[custom.discover]
path = "/field"
results = "data"
key = "id"
"#;

#[tokio::test]
async fn pairs_constants_and_an_exact_look_up() {
    let p = Played::new(PAIRS).await;
    let send = async |method: &str, path: &str, body: Value| {
        let request = p.request(method, path).header("x-key", "Key k");
        let request = request.header("content-type", "application/json");
        read(request.body(if body.is_null() {
            String::new()
        } else {
            body.to_string()
        }))
        .await
    };
    let path = "/customer?sendInvite=false";
    let whole = |customer: Value| json!({"customer": customer, "source": "import"});
    let ann = json!({"name": "Ann", "email": "ann@a.org", "score": "9.5",
        "field_values": [{"field_id": 3, "value": "x"}, {"field_id": 4, "value": "y"}]});
    let (status, body) = send("POST", path, whole(ann.clone())).await;
    assert_eq!(
        (status, &body["success"], &body["id"]),
        (201, &json!(true), &json!(1)),
        "{body}"
    );

    assert_eq!(
        send("POST", "/customer", whole(ann.clone())).await.0,
        400,
        "the query is asked for"
    );
    assert_eq!(
        send("POST", path, json!({"customer": {"name": "A"}}))
            .await
            .0,
        422
    );
    assert_eq!(
        send("POST", path, json!({"name": "A", "source": "import"}))
            .await
            .0,
        422
    );
    let (status, body) = send("POST", path, whole(ann)).await;
    assert_eq!(status, 422);
    assert!(
        body["errors"]["email"][0]
            .as_str()
            .unwrap()
            .contains("already been taken")
    );
    for (pairs, field) in [
        (
            json!([{"field_id": "3", "value": "x"}]),
            "field_values.0.field_id",
        ),
        (json!([{"field_id": 3, "value": 5}]), "field_values.0.value"),
        (
            json!([{"field_id": 3, "value": "x"}, {"field_id": 4}]),
            "field_values.1.value",
        ),
        (
            json!([{"field_id": 3, "value": "x", "z": 1}]),
            "field_values.0",
        ),
        (json!({"3": "x"}), "field_values"),
    ] {
        let (status, body) = send(
            "POST",
            path,
            whole(json!({"name": "B", "field_values": pairs.clone()})),
        )
        .await;
        let fields: Vec<&String> = body["errors"].as_object().unwrap().keys().collect();
        assert_eq!((status, fields), (422, vec![&field.to_owned()]), "{pairs}");
    }
    for score in [json!(9.6), json!("-1"), json!("much")] {
        let body = whole(json!({"name": "B", "score": score}));
        assert_eq!(send("POST", path, body).await.0, 422, "{score}");
    }

    let find = async |email: &str| {
        send(
            "GET",
            &format!("/customer?filter=email:in:{email}"),
            Value::Null,
        )
        .await
        .1
    };
    assert_eq!(find("ann%40a.org").await["data"][0]["id"], 1);
    for other in ["ANN%40a.org", "nn%40a.org"] {
        assert_eq!(find(other).await["data"], json!([]), "{other}");
    }
    let change =
        json!({"customer": {"tags": ["a"], "field_values": [{"field_id": 4, "value": "z"}]}});
    let (status, body) = send("PATCH", "/customer/1", change).await;
    assert_eq!((status, &body["name"]), (200, &json!("Ann")));
    assert_eq!(
        body["field_values"],
        json!([{"field_id": 3, "value": "x"}, {"field_id": 4, "value": "z"}])
    );
    let change = json!({"customer": {"email": "x@y.zz"}});
    assert_eq!(send("PATCH", "/customer/1", change).await.0, 422);
    assert_eq!(
        send("PATCH", "/customer/9", json!({"customer": {}}))
            .await
            .0,
        404
    );
    let (status, listed) = send("GET", "/field", Value::Null).await;
    assert_eq!((status, &listed["data"][0]), (200, &json!({"id": 101})));
    for secret in ["k", "Key ", "Key wrong"] {
        let request = p.request("GET", "/field").header("x-key", secret);
        assert_eq!(read(request).await.0, 401, "{secret}");
    }
}

/// Forms, basic credentials, idempotency keys, custom fields by prefix.
const FORM: &str = r#"
base_url = "https://api.example"
[auth]
kind = "basic"
user_env = "KEY"
[create]
path = "/v1/customers"
body = "form"
success = [200]
idempotency_header = "Idempotency-Key"
[errors]
message = "error.message"
code = "error.code"
field_pattern = "^Invalid (\\S+):"
[fields]
name = { type = "text" }
balance = { type = "integer" }
active = { type = "boolean" }
"address.line1" = { type = "text" }
phones = { type = "array" }
[custom]
shape = "prefix"
prefix = "cf_"
"#;

#[tokio::test]
async fn forms_and_idempotency() {
    let p = Played::new(FORM).await;
    let send = async |key: &str, body: &str| {
        let url = format!("{}/v1/customers", p.sandbox.base_url());
        let request = p
            .client
            .post(url)
            .basic_auth("key", None::<&str>)
            .body(body.to_owned());
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        read(request.header("idempotency-key", key)).await
    };
    let form = "name=Ann&balance=5&active=true&address%5Bline1%5D=x&phones[]=1&phones[]=2&cf_a=b";
    let (status, first) = send("k1", form).await;
    assert_eq!(
        (status, &first["balance"], &first["active"]),
        (200, &json!(5), &json!(true))
    );
    assert_eq!(
        (&first["address"]["line1"], &first["phones"]),
        (&json!("x"), &json!(["1", "2"]))
    );
    assert_eq!(first["cf_a"], "b");
    assert_eq!(send("k1", form).await, (200, first));
    assert_eq!(send("k1", "name=Bob").await.0, 409);
    assert_eq!(p.sandbox.records().len(), 1);
    let (status, body) = send("k2", "balance=x").await;
    assert_eq!(status, 422);
    assert!(
        body["error"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Invalid balance:"),
        "{body}"
    );
    assert_eq!(
        send("k2", "balance=7").await.0,
        200,
        "a refusal binds no key"
    );
    assert_eq!(send("k3", "cf_=x").await.0, 422);
}

#[tokio::test]
async fn custom_objects_merge_and_free_objects_are_replaced() {
    let of = |field: &str| {
        format!(
            "base_url = \"https://a.example\"\n[create]\npath = \"/c\"\n[update]\npath = \"/c/{{{{ id }}}}\"\n\
             [custom]\nat = \"extra\"\n[fields]\n\"address.city\" = {{}}\n\"address.zip\" = {{}}\n{field}"
        )
    };
    for (field, extra) in [
        ("", json!({"a": 1, "b": 2})),
        ("extra = { type = \"object\" }", json!({"b": 2})),
    ] {
        let p = Played::new(&of(field)).await;
        let body = json!({"address": {"city": "Bonn"}, "extra": {"a": 1}});
        assert_eq!(p.send("POST", "/c", body).await.0, 201);
        let change = json!({"address": {"zip": "53111"}, "extra": {"b": 2}});
        let (status, body) = p.send("PATCH", "/c/1", change).await;
        assert_eq!((status, &body["extra"]), (200, &extra), "{field}");
        assert_eq!(body["address"], json!({"city": "Bonn", "zip": "53111"}));
    }
}

#[tokio::test]
async fn an_account_with_known_fields_keeps_to_them() {
    let definitions = |keys: [&str; 3]| {
        let [size, many, day] = keys.map(str::to_owned);
        let option = |value: &str| Choice {
            value: json!(value),
            label: None,
        };
        let options = vec![option("s"), option("l")];
        vec![
            Definition {
                key: size,
                kind: Some(Type::Choice),
                options: options.clone(),
                required: true,
                ..Definition::default()
            },
            Definition {
                key: many,
                kind: Some(Type::Choices),
                options,
                ..Definition::default()
            },
            Definition {
                key: day,
                kind: Some(Type::Date),
                ..Definition::default()
            },
        ]
    };
    let head = "base_url = \"https://a.example\"\n[create]\npath = \"/c\"\n[errors]\nfields = \"errors\"\n[custom]\n";
    let object = "at = \"cf\"\n";
    let prefix = "shape = \"prefix\"\nprefix = \"cf_\"\n";
    let pairs = "at = \"v\"\nshape = \"pairs\"\nkey_type = \"integer\"\nvalue_type = \"text\"\n";
    for (custom, keys, record, refused) in [
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "s", "b": ["s", "l"], "c": "2024-02-29"}}),
            None,
        ),
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "s", "b": [], "c": ""}}),
            None,
        ),
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "x"}}),
            Some("cf.a"),
        ),
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "s", "b": "s"}}),
            Some("cf.b"),
        ),
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "s", "c": "29.02.2024"}}),
            Some("cf.c"),
        ),
        (
            object,
            ["a", "b", "c"],
            json!({"cf": {"a": "s", "d": 1}}),
            Some("cf.d"),
        ),
        (object, ["a", "b", "c"], json!({}), Some("cf.a")),
        (prefix, ["a", "b", "c"], json!({"cf_a": "s"}), None),
        (prefix, ["a", "b", "c"], json!({"cf_a": "x"}), Some("cf_a")),
        (
            pairs,
            ["7", "8", "9"],
            json!({"v": [{"key": 7, "value": "l"}]}),
            None,
        ),
        (
            pairs,
            ["7", "8", "9"],
            json!({"v": [{"key": 7, "value": "x"}]}),
            Some("v.0.value"),
        ),
        (
            pairs,
            ["7", "8", "9"],
            json!({"v": [{"key": 7, "value": "s"}, {"key": 6, "value": "x"}]}),
            Some("v.1.key"),
        ),
    ] {
        let options = Options {
            custom_fields: Some(definitions(keys)),
            ..Options::default()
        };
        let p = Played::with(&format!("{head}{custom}"), options).await;
        let (status, body) = p.send("POST", "/c", record.clone()).await;
        match refused {
            None => assert_eq!(status, 201, "{record} {body}"),
            Some(field) => {
                assert_eq!(status, 422, "{record}");
                assert!(body["errors"].get(field).is_some(), "{record} {body}");
            }
        }
    }
}
