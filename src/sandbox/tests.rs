//! The server as a client sees it, over real connections.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};

use super::*;

mod batches;
mod custom;
mod faults;
mod keys;

const BEARER: &str = "[[auth]]\nkind = \"bearer\"\nenv = \"T\"\n";

fn target(text: &str) -> TargetFile {
    toml::from_str(text).unwrap()
}

fn client() -> Client {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .tls_certs_only([])
        .build()
        .unwrap()
}

struct Played {
    sandbox: Sandbox,
    client: Client,
}

impl Played {
    async fn new(text: &str) -> Self {
        Self::with(text, Options::default()).await
    }

    async fn with(text: &str, options: Options) -> Self {
        Self {
            sandbox: Sandbox::start(target(text), options).await.unwrap(),
            client: client(),
        }
    }

    fn request(&self, method: &str, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.sandbox.base_url());
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        self.client
            .request(method, url)
            .header("authorization", "Bearer good")
    }

    async fn send(&self, method: &str, path: &str, body: Value) -> (u16, Value) {
        let request = self
            .request(method, path)
            .header("content-type", "application/json");
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        read(request.body(body)).await
    }

    async fn get(&self, path: &str) -> (u16, Value) {
        read(self.request("GET", path)).await
    }
}

async fn read(request: RequestBuilder) -> (u16, Value) {
    let answer = request.send().await.unwrap();
    let status = answer.status().as_u16();
    let bytes = answer.bytes().await.unwrap();
    (
        status,
        serde_json::from_slice(&bytes).unwrap_or(Value::Null),
    )
}

/// An envelope, numbers for ids, a search that is not exact, pages, replacing updates.
const LARAVEL: &str = r#"
base_url = "https://crm.example/api/"
[[auth]]
kind = "bearer"
env = "T"
[headers]
Accept = "application/json"
X-Tenant = { env = "TENANT", account = true }
[create]
path = "/v1/customers"
success = [201, 200]
id = "data.id"
[[lookup]]
path = "/v1/customers"
query = { search = "{{ email }}", per_page = "100" }
results = "data"
where = { email = "{{ email }}" }
[list]
path = "/v1/customers"
results = "data"
by = "email"
paging = { kind = "page", param = "page", last = "meta.last_page", size_param = "per_page", size = 2 }
[read]
path = "/v1/customers/{{ id }}"
record = "data"
[update]
method = "PUT"
path = "/v1/customers/{{ id }}"
mode = "replace"
unreadable = ["country_id"]
[delete]
path = "/v1/customers/{{ id }}"
[[errors]]
message = "message"
code = "error"
[[errors]]
message = "message"
fields = "errors"
[limits]
headers = "x-ratelimit"
[fields]
first_name = { type = "text", required = true, max_length = 5 }
email = { type = "email" }
phone = { type = "phone" }
gender = { type = "choice", options = ["male", "female"] }
born = { type = "datetime" }
country_id = { type = "integer", min = 1 }
"address.city" = { type = "text" }
"#;

fn tenant(request: RequestBuilder) -> RequestBuilder {
    request
        .header("accept", "application/json")
        .header("x-tenant", "7")
}

async fn laravel(p: &Played, method: &str, path: &str, body: Value) -> (u16, Value) {
    let request = tenant(p.request(method, path));
    if body.is_null() {
        return read(request).await;
    }
    read(
        request
            .header("content-type", "application/json")
            .body(body.to_string()),
    )
    .await
}

#[tokio::test]
async fn an_envelope_and_a_search() {
    let p = Played::new(LARAVEL).await;
    assert!(
        p.sandbox.base_url().ends_with("/api"),
        "{}",
        p.sandbox.base_url()
    );
    let (status, body) = p
        .send("POST", "/v1/customers", json!({"first_name": "Ann"}))
        .await;
    assert_eq!(
        (status, &body["error"]),
        (400, &json!("bad_request")),
        "the tenant is asked for"
    );

    let ann = json!({"first_name": "Ann", "email": "ann@a.org", "country_id": 31,
        "born": "2001-02-03T00:00:00Z", "address": {"city": "Bonn"}});
    let (status, body) = laravel(&p, "POST", "/v1/customers", ann).await;
    assert_eq!((status, &body["data"]["id"]), (201, &json!(1)), "{body}");
    assert_eq!(body["data"]["first_name"], "Ann");
    for email in ["joann@a.org", "b@b.org"] {
        let body = json!({"first_name": "B", "email": email});
        assert_eq!(laravel(&p, "POST", "/v1/customers", body).await.0, 201);
    }
    let (status, body) = laravel(
        &p,
        "GET",
        "/v1/customers?search=ann%40a.org&per_page=100",
        Value::Null,
    )
    .await;
    let found: Vec<&str> = body["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| r["email"].as_str().unwrap())
        .collect();
    assert_eq!((status, found), (200, vec!["ann@a.org", "joann@a.org"]));

    let (_, body) = laravel(&p, "GET", "/v1/customers?page=2", Value::Null).await;
    assert_eq!(
        (&body["data"][0]["id"], &body["meta"]["last_page"]),
        (&json!(3), &json!(2))
    );

    let (_, body) = laravel(&p, "GET", "/v1/customers/1", Value::Null).await;
    assert_eq!(body["data"]["address"]["city"], "Bonn");
    assert_eq!(body["data"].get("country_id"), None, "it is not readable");
    let (status, body) = laravel(&p, "PUT", "/v1/customers/1", json!({"first_name": "Eve"})).await;
    assert_eq!(
        (status, body["data"].get("email")),
        (200, None),
        "all else is cleared"
    );
    let (status, body) = laravel(&p, "PUT", "/v1/customers/1", json!({"email": "a@b.cd"})).await;
    assert_eq!(
        (status, &body["errors"]["first_name"][0]),
        (422, &json!("this field is required"))
    );

    assert_eq!(
        laravel(&p, "DELETE", "/v1/customers/1", Value::Null)
            .await
            .0,
        204
    );
    assert_eq!(
        laravel(&p, "DELETE", "/v1/customers/1", Value::Null)
            .await
            .0,
        404
    );
    assert_eq!(p.sandbox.records().len(), 2);
    let stats = p.sandbox.stats();
    assert_eq!(
        (stats.created, stats.updated, stats.unauthorised),
        (3, 1, 0)
    );
    p.sandbox.stop().await;
}

#[tokio::test]
async fn wrong_fields_are_refused_each() {
    let p = Played::new(LARAVEL).await;
    for (body, field) in [
        (json!({"email": "a@b.cd"}), "first_name"),
        (json!({"first_name": ""}), "first_name"),
        (json!({"first_name": "äöüßéß"}), "first_name"),
        (json!({"first_name": 1}), "first_name"),
        (json!({"first_name": "A", "email": "nobody"}), "email"),
        (json!({"first_name": "A", "phone": "030 123456"}), "phone"),
        (json!({"first_name": "A", "gender": "Male"}), "gender"),
        (json!({"first_name": "A", "born": "2001-02-03"}), "born"),
        (
            json!({"first_name": "A", "born": "2001-02-30T00:00:00Z"}),
            "born",
        ),
        (json!({"first_name": "A", "country_id": "31"}), "country_id"),
        (json!({"first_name": "A", "country_id": 0}), "country_id"),
        (json!({"first_name": "A", "address": "Bonn"}), "address"),
        (
            json!({"first_name": "A", "address": {"zip": "1"}}),
            "address.zip",
        ),
        (json!({"first_name": "A", "nonsense": null}), "nonsense"),
    ] {
        let (status, answer) = laravel(&p, "POST", "/v1/customers", body.clone()).await;
        assert_eq!(status, 422, "{body}");
        let fields: Vec<&String> = answer["errors"].as_object().unwrap().keys().collect();
        assert_eq!(fields, [field], "{body}");
    }
    let fine = json!({"first_name": "äöüßé", "email": null, "gender": "male",
        "phone": "+4930123456", "born": "2001-02-03 04:05:06"});
    assert_eq!(laravel(&p, "POST", "/v1/customers", fine).await.0, 201);
    assert_eq!(
        (p.sandbox.stats().refused, p.sandbox.stats().created),
        (14, 1)
    );
}

const PLAIN: &str = "base_url = \"https://a.example\"\n[create]\npath = \"/c\"\n[limits]\nheaders = { remaining = \"X-Left\" }\n[fields]\nname = {}";

#[tokio::test]
async fn a_target_that_cannot_be_read_is_said() {
    for (text, word) in [
        ("base_url = \"nowhere\"", "base_url"),
        ("[create]\npath = \"/{{ a\"", "{{"),
        ("[create]\npath = \"/a\"\nid = \"a..b\"", "a..b"),
        ("[fields]\na = { pattern = \"(\" }", "pattern"),
    ] {
        let error = Sandbox::start(target(text), Options::default())
            .await
            .unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        assert!(error.to_string().contains(word), "{error}");
    }
}

#[tokio::test]
async fn it_stops_while_connections_are_open() {
    let p = Played::new(PLAIN).await;
    assert_eq!(p.send("POST", "/c", json!({"name": "A"})).await.0, 201);
    let url = format!("{}/c", p.sandbox.base_url());
    p.sandbox.stop().await;
    let request = p.client.post(url).timeout(Duration::from_secs(5));
    assert!(request.send().await.unwrap_err().is_connect());
}

#[tokio::test]
async fn a_connection_serves_many_requests_and_looks_up_fast() {
    let p = Played::new(&format!(
        "{PLAIN}\n[[lookup]]\npath = \"/c\"\nquery = {{ name = \"{{{{ name }}}}\" }}\nresults = \"data\""
    ))
    .await;
    for n in 0..500 {
        let (status, _) = p.send("POST", "/c", json!({"name": format!("n{n}")})).await;
        assert_eq!(status, 201);
    }
    for n in [0, 250, 499] {
        let (_, body) = p.get(&format!("/c?name=n{n}")).await;
        assert_eq!(body["data"].as_array().map(Vec::len), Some(1));
        assert_eq!(body["data"][0]["id"], n + 1);
    }
    assert_eq!(p.sandbox.stats().requests, 503);
}

#[tokio::test]
async fn what_asks_for_more_is_read_first() {
    let text = r#"
base_url = "https://a.example"
[create]
path = "/c"
[[lookup]]
path = "/c"
query = { email = "{{ email }}" }
results = "data"
[[lookup]]
path = "/c"
query = { email = "{{ email | lower }}", name = "{{ name }}" }
results = "data"
[fields]
email = {}
name = {}
"#;
    let p = Played::new(text).await;
    for (email, name) in [("A@b.org", "Ann"), ("a@b.org", "Bob"), ("a@b.org", "Ann")] {
        let body = json!({"email": email, "name": name});
        assert_eq!(p.send("POST", "/c", body).await.0, 201);
    }
    for (query, ids) in [
        ("email=a@b.org", json!([2, 3])),
        ("email=a@b.org&name=Ann", json!([1, 3])),
        ("email=a@b.org&name=Eve", json!([])),
    ] {
        let (_, body) = p.get(&format!("/c?{query}")).await;
        let found: Value = body["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|r| r["id"].clone())
            .collect();
        assert_eq!(found, ids, "{query}");
    }
    assert_eq!(p.get("/c").await.0, 400, "there is no list");
}
