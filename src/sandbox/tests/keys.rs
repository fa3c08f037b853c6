//! Keys and tokens: keyed updates, natural keys, OAuth2.

use serde_json::{Value, json};

use super::super::Options;
use super::{BEARER, Played, read};

/// Fields at the top of a refusal, an address with a slash at its end, a keyed update, tokens.
const DJANGO: &str = r#"
base_url = "https://app.example"
key_field = "external_id"
[[auth]]
kind = "oauth2"
grant = "client_credentials"
token_path = "/api/oauth/token/"
token_body = "json"
scope = "write"
id_env = "ID"
secret_env = "SECRET"
[[auth]]
kind = "oauth2"
grant = "refresh_token"
token_path = "origin:/oauth/token"
id_env = "ID"
secret_env = "SECRET"
refresh_env = "REFRESH"
[create]
path = "/api/customers/"
[update]
method = "POST"
path = "/api/customers/update/"
keyed = "external_id"
missing = [404]
[errors]
message = "detail"
fields = ""
[fields]
full_name = { type = "text", required = true }
external_id = { type = "text" }
input_details = { type = "object" }
kind = { type = "choice", options = ["A", ""] }
"#;

#[tokio::test]
async fn tokens_are_asked_for_and_end() {
    let options = Options {
        token_lifetime: 0,
        ..Options::default()
    };
    let p = Played::with(DJANGO, options).await;
    let (status, body) = p
        .send("POST", "/api/customers/", json!({"full_name": "A"}))
        .await;
    assert_eq!((status, body["detail"].is_string()), (401, true));
    let ask = json!({"grant_type": "client_credentials", "client_id": "i", "client_secret": "s",
        "scope": "write"});
    let (status, token) = p.send("POST", "/api/oauth/token/", ask.clone()).await;
    assert_eq!(
        (status, &token["token_type"], &token["expires_in"]),
        (200, &json!("Bearer"), &json!(0))
    );
    let bearer = format!("Bearer {}", token["access_token"].as_str().unwrap());
    let url = format!("{}/api/customers/", p.sandbox.base_url());
    let request = p
        .client
        .post(&url)
        .header("authorization", bearer)
        .body("{}");
    assert_eq!(read(request).await.0, 401, "it has ended");
    for (member, value, status) in [
        ("grant_type", "password", 400),
        ("client_id", "", 401),
        ("client_secret", "wrong", 401),
        ("scope", "read", 400),
    ] {
        let mut ask = ask.clone();
        ask[member] = value.into();
        assert_eq!(
            p.send("POST", "/api/oauth/token/", ask).await.0,
            status,
            "{member}"
        );
    }
    assert_eq!(p.sandbox.stats().unauthorised, 6);
}

#[tokio::test]
async fn refresh_tokens_rotate() {
    let p = Played::new(DJANGO).await;
    let refresh = async |token: &str| {
        let url = format!("{}/oauth/token", p.sandbox.base_url());
        let form = format!("grant_type=refresh_token&refresh_token={token}");
        let request = p
            .client
            .post(url)
            .basic_auth("id", Some("secret"))
            .body(form);
        read(request.header("content-type", "application/x-www-form-urlencoded")).await
    };
    let (status, first) = refresh("r0").await;
    assert_eq!((status, &first["expires_in"]), (200, &json!(3600)));
    let (status, body) = refresh("r0").await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    let (status, second) = refresh(first["refresh_token"].as_str().unwrap()).await;
    assert_eq!(status, 200);
    let url = format!("{}/api/customers/", p.sandbox.base_url());
    let request = p
        .client
        .post(url)
        .bearer_auth(second["access_token"].as_str().unwrap());
    let request = request.header("content-type", "application/json");
    assert_eq!(read(request.body("{\"full_name\": \"A\"}")).await.0, 201);
}

#[tokio::test]
async fn bare_fields_and_a_keyed_update() {
    let p = Played::new(&DJANGO.replace("[create]", &format!("{BEARER}[create]"))).await;
    let (status, body) = p.send("POST", "/api/customers/", json!({"nope": 1})).await;
    assert_eq!(status, 400);
    assert_eq!(
        body,
        json!({"full_name": ["this field is required"], "nope": ["this field is not known"]})
    );
    assert_eq!(
        p.send("POST", "/api/customers", json!({"full_name": "A"}))
            .await
            .0,
        404
    );
    assert_eq!(
        p.send("PUT", "/api/customers/", json!({"full_name": "A"}))
            .await
            .0,
        405
    );
    let ann = json!({"full_name": "Ann", "external_id": "x1", "kind": "",
        "input_details": {"a": 1, "b": {"c": []}}});
    for id in 1..=2 {
        let (status, body) = p.send("POST", "/api/customers/", ann.clone()).await;
        assert_eq!(
            (status, &body["id"]),
            (201, &json!(id)),
            "an external key is not unique by itself"
        );
    }
    let change = json!({"external_id": "x1", "input_details": {"z": 1}});
    let (status, body) = p.send("POST", "/api/customers/update/", change).await;
    assert_eq!(
        (status, &body["full_name"], &body["id"]),
        (200, &json!("Ann"), &json!(1))
    );
    assert_eq!(
        body["input_details"],
        json!({"z": 1}),
        "an object that is one field is replaced"
    );
    let change = json!({"external_id": "x2", "full_name": "B"});
    assert_eq!(
        p.send("POST", "/api/customers/update/", change).await.0,
        404
    );
    let (status, body) = p
        .send("POST", "/api/customers/update/", json!({"full_name": "B"}))
        .await;
    assert_eq!((status, body["external_id"].is_array()), (400, true));
}

/// Problems (RFC 9457), a natural key that is the address, updates without a body.
const PROBLEM: &str = r#"
base_url = "https://demo.example"
[auth]
kind = "bearer"
env = "T"
[create]
path = "/customers"
id = "id"
address = "slug"
natural_key = { field = "slug", template = "{{ key | slug }}" }
exists = [{ status = 409, code = "SlugConflict" }]
[[lookup]]
path = "/customers/{{ key | slug }}"
address = "slug"
[list]
path = "/customers"
results = "items"
by = "externalId"
address = "slug"
paging = { kind = "cursor", param = "cursor", next = "nextCursor", size_param = "limit", size = 2 }
[update]
method = "PUT"
path = "/customers/{{ address }}"
mode = "replace"
never = ["slug"]
success = [204]
[errors]
message = "detail"
code = "code"
fields = "errors"
field = "location"
text = "message"
strip = "body."
[fields]
name = { type = "text", required = true }
slug = { type = "text", pattern = "^[a-z0-9-]+$", min_length = 2 }
externalId = { type = "text" }
"#;

#[tokio::test]
async fn problems_and_a_natural_key() {
    let p = Played::new(PROBLEM).await;
    let request = p
        .request("POST", "/customers")
        .header("content-type", "application/json");
    let answer = request
        .body("{\"name\": \"A\", \"slug\": \"A!\"}")
        .send()
        .await
        .unwrap();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(body["errors"][0]["location"], "body.slug");

    let (status, ann) = p
        .send("POST", "/customers", json!({"name": "Ann", "slug": "ann"}))
        .await;
    assert_eq!((status, &ann["slug"]), (201, &json!("ann")));
    assert_eq!(ann["id"].as_str().map(str::len), Some(36));
    let (status, body) = p
        .send("POST", "/customers", json!({"name": "B", "slug": "ann"}))
        .await;
    assert_eq!((status, &body["code"]), (409, &json!("SlugConflict")));
    for _ in 0..2 {
        let (status, body) = p.send("POST", "/customers", json!({"name": "Ann"})).await;
        assert_eq!(
            (status, body["slug"].is_string()),
            (201, true),
            "one is made"
        );
    }
    let (status, body) = p.get("/customers/ann").await;
    assert_eq!((status, &body["id"]), (200, &ann["id"]));
    assert_eq!(p.get("/customers/bob").await.0, 404);

    let (_, first) = p.get("/customers?limit=2").await;
    assert_eq!(first["items"].as_array().map(Vec::len), Some(2));
    let next = first["nextCursor"].as_str().unwrap();
    let (_, second) = p.get(&format!("/customers?cursor={next}")).await;
    assert_eq!(
        (
            second["items"].as_array().map(Vec::len),
            &second["nextCursor"]
        ),
        (Some(1), &Value::Null)
    );
    assert_eq!(p.get("/customers?limit=3").await.0, 422);

    let (status, body) = p
        .send("PUT", "/customers/ann", json!({"name": "Eve"}))
        .await;
    assert_eq!((status, body), (204, Value::Null));
    assert_eq!(p.get("/customers/ann").await.1["name"], "Eve");
    let renamed = json!({"name": "Eve", "slug": "eve"});
    assert_eq!(p.send("PUT", "/customers/ann", renamed).await.0, 422);
}
