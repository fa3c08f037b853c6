//! The account's own custom fields: asked for, written down, and kept to by check and import.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::Bench;
use common::served::Served;
use common::server::{Reply, Request, Server};
use serde_json::{Value, json};

/// A target whose custom fields can be listed; `BASE` and `DISCOVER` are replaced.
const TARGET: &str = r#"
name = "Acme"
base_url = "BASE"
[auth]
kind = "bearer"
env = "ACME_TOKEN"
[create]
path = "/customers"
[limits]
concurrency = 1
[fields]
name = { type = "text", required = true }
[custom]
CUSTOM
[custom.discover]
DISCOVER
"#;

const OBJECT: &str = "at = \"cf\"";

const INLINE: &str = r#"path = "/custom-fields"
query = { entityType = "client" }
results = "data"
key = "key"
label = "name"
type = "kind"
required = "must"
types = { pick = "choice", multi = "choices", phoneNumber = "phone", day = "date", count = "integer" }
options = { at = "options", value = "key", label = "label" }
"#;

fn target(base: &str, custom: &str, discover: &str) -> String {
    TARGET
        .replace("BASE", base)
        .replace("CUSTOM", custom)
        .replace("DISCOVER", discover)
}

/// A few custom fields of every kind.
fn definitions() -> Value {
    json!([
        { "id": 1, "key": "size", "name": "Size", "kind": "pick", "must": true,
          "options": [{ "key": "s", "label": "Small" }, { "key": "l", "label": "Large" }] },
        { "id": 2, "key": "services", "name": "Services we sell", "kind": "multi",
          "options": [{ "key": "fileSharing", "label": "File sharing" }, { "key": "metrics", "label": "Metrics" }] },
        { "id": 3, "key": "mobile", "name": "Mobile", "kind": "phoneNumber" },
        { "id": 4, "key": "since", "name": "Since", "kind": "day" },
        { "id": 5, "key": "visits", "name": "Visits", "kind": "count" },
        { "id": 6, "key": "shape", "name": "Shape", "kind": "mystery" },
    ])
}

const MAPPING: &str = r#"target = "./acme.target.toml"
[source]
date_order = "dmy"
region = "NL"
[row]
key = "Id"
[fields]
name = "Name"
[custom]
"#;

const ROWS: &str = "Id,Name,Size,Services,Mobile,Since,Visits\n1,Ann,small,Metrics;file sharing,06 12345678,31/12/2024,\"1,204\"\n2,Bob,Larg,metrcs,123,31/13/2024,x\n";

const ALL: &str = r#"Size = "Size"
"Services we sell" = { column = "Services", split = ";" }
mobile = "Mobile"
4 = "Since"
visits = "Visits"
"#;

/// A folder with target, mapping and rows, and the server that the target names.
struct Case {
    bench: Bench,
    server: Server,
}

impl Case {
    fn new(
        custom: &str,
        discover: &str,
        rules: &str,
        script: impl FnMut(&Request) -> Reply + Send + 'static,
    ) -> Self {
        let case = Self {
            bench: Bench::new(),
            server: Server::start(script),
        };
        let text = target(&case.server.base(), custom, discover);
        case.bench.file("acme.target.toml", &text);
        case.bench.file("m.toml", &format!("{MAPPING}{rules}"));
        case.bench.file("in.csv", ROWS);
        case
    }

    /// Runs the program with a token; the exit code must be this.
    #[track_caller]
    fn run(&self, arguments: &[&str], code: i32) -> (String, String) {
        let ran = self
            .bench
            .run_with(&[("ACME_TOKEN", "secret-token")], arguments)
            .expect(code);
        (self.clean(&ran.stdout), self.clean(&ran.stderr))
    }

    /// Without what differs from run to run.
    fn clean(&self, text: &str) -> String {
        let text = text.replace(&self.server.base(), "http://BASE");
        redacted(&text)
    }
}

/// Without the times at which an account was asked, and without log lines.
fn redacted(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines().filter(|line| !line.ends_with("Z checking")) {
        let mut line = line.to_owned();
        if let Some(at) = line.find("asked at ") {
            line.replace_range(at + 9.., "TIME");
        } else if line.starts_with("read ") {
            line = "read     = TIME".to_owned();
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

fn answers(request: &Request) -> Reply {
    match request.route().as_str() {
        "GET /custom-fields" => Reply::json(200, json!({ "data": definitions() })),
        "POST /customers" => Reply::json(201, json!({ "id": request.number })),
        _ => Reply::status(404),
    }
}

#[test]
fn a_label_with_a_dot_is_tried_whole_though_its_first_part_is_another_key() {
    let rules = "\"N.o\" = \"Id\"\nn = \"Name\"\n";
    let case = Case::new(OBJECT, INLINE, rules, |request| {
        match request.route().as_str() {
            "GET /custom-fields" => Reply::json(
                200,
                json!({ "data": [
                    { "id": 1, "key": "n", "name": "Nickname", "kind": "text" },
                    { "id": 2, "key": "number", "name": "N.o", "kind": "text" },
                ] }),
            ),
            _ => answers(request),
        }
    });
    case.run(&["fields", "--mapping", "m.toml"], 0);
    case.run(&["import", "in.csv", "--mapping", "m.toml"], 0);
    let made = case.server.requests();
    let made = made
        .iter()
        .find(|request| request.method == "POST")
        .unwrap();
    assert_eq!(made.json()["cf"], json!({ "number": "1", "n": "Ann" }));
}

#[test]
fn an_account_is_asked_and_a_mapping_checked_against_what_it_has() {
    let case = Case::new(OBJECT, INLINE, ALL, answers);
    let (table, said) = case.run(&["fields", "--mapping", "m.toml"], 0);
    insta::assert_snapshot!(table, @r#"
key       label             type                     options
size      Size              choice (pick), required  s (Small), l (Large)
services  Services we sell  choices (multi)          fileSharing (File sharing), metrics (Metrics)
mobile    Mobile            phone (phoneNumber)
since     Since             date (day)
visits    Visits            integer (count)
shape     Shape             any (mystery)
"#);
    insta::assert_snapshot!(said, @r#"
note: the type `mystery` of `shape` is not known, so any value goes
6 custom fields of acme at http://BASE written to custom-fields.toml
"#);
    insta::assert_snapshot!(case.clean(&case.bench.read("custom-fields.toml")), @r#"
# The custom fields of accounts, as they were when they were asked for. Written by `rowferry fields`,
# read by `check`, `preview` and `import` of the mapping files in this folder. After a change in the
# account ask again; what stands here of that account is then written anew.

# acme at http://BASE, asked at TIME
[[account]]
target   = "acme"
base_url = "http://BASE"
read     = TIME

[[account.field]]
key        = "size"
id         = "1"
label      = "Size"
type       = "choice"
their_type = "pick"
required   = true
options = [
  { value = "s", label = "Small" },
  { value = "l", label = "Large" },
]

[[account.field]]
key        = "services"
id         = "2"
label      = "Services we sell"
type       = "choices"
their_type = "multi"
options = [
  { value = "fileSharing", label = "File sharing" },
  { value = "metrics", label = "Metrics" },
]

[[account.field]]
key        = "mobile"
id         = "3"
label      = "Mobile"
type       = "phone"
their_type = "phoneNumber"

[[account.field]]
key        = "since"
id         = "4"
label      = "Since"
type       = "date"
their_type = "day"

[[account.field]]
key        = "visits"
id         = "5"
label      = "Visits"
type       = "integer"
their_type = "count"

[[account.field]]
key        = "shape"
id         = "6"
label      = "Shape"
their_type = "mystery"
"#);
    let asked = &case.server.requests()[0];
    assert_eq!(asked.target, "/custom-fields?entityType=client");
    assert_eq!(asked.header("authorization"), Some("Bearer secret-token"));
    assert!(!case.bench.read("custom-fields.toml").contains("secret"));

    let bodies = case.run(&["preview", "in.csv", "--mapping", "m.toml"], 1);
    insta::assert_snapshot!(bodies.0, @r#"{"name":"Ann","cf":{"size":"s","services":["metrics","fileSharing"],"mobile":"+31612345678","since":"2024-12-31","visits":1204}}"#);
    insta::assert_snapshot!(bodies.1, @r#"
C3: refused: Size.option: this is not an option of the target; did you mean "Large"? Options: s (Small), l (Large)
D3: refused: Services we sell.option: this is not an option of the target; did you mean "Metrics"? Options: fileSharing (File sharing), metrics (Metrics)
E3: refused: mobile.invalid: this is not a valid phone number: it is too short; it was read as a number of +31 by the region NL
F3: refused: 4.invalid: this is not a date: there is no month 13 (date_order is dmy)
G3: refused: visits.invalid: this is not a number
"#);
    case.run(&["import", "in.csv", "--mapping", "m.toml", "--json"], 1);
    let sent: Vec<Value> = case
        .server
        .of("POST /customers")
        .iter()
        .map(Request::json)
        .collect();
    assert_eq!(
        sent,
        [
            json!({ "name": "Ann", "cf": { "size": "s", "services": ["metrics", "fileSharing"],
                 "mobile": "+31612345678", "since": "2024-12-31", "visits": 1204 } })
        ]
    );
    assert_eq!(case.server.requests().len(), 2, "nothing is asked again");
}

#[test]
fn keys_that_the_account_does_not_have_are_mistakes() {
    let rules = "siz = \"Size\"\n\"Services we sel\" = \"Services\"\n\"mobile.area\" = \"Mobile\"\nzzzz = \"Visits\"\n\
                 visits = { column = \"Visits\", type = \"text\" }\nshape = \"Name\"\n";
    let case = Case::new(OBJECT, INLINE, rules, answers);
    let (_, before) = case.run(&["check", "in.csv", "--mapping", "m.toml", "--json"], 0);
    insta::assert_snapshot!(before, @r#"
note[unknown-custom-fields]: the account's custom fields are not known, so the 6 keys under [custom] cannot be checked
  --> m.toml:10:1
   |
10 | siz = "Size"
   | ^^^ not checked
   |
   = help: `rowferry fields --mapping m.toml` asks the account, and writes what it has into custom-fields.toml
"#);
    case.run(&["fields", "--mapping", "m.toml", "--json"], 0);
    let (_, said) = case.run(&["check", "in.csv", "--mapping", "m.toml"], 2);
    insta::assert_snapshot!(said, @r#"
error[required-field]: Acme requires the custom field `size` (Size), and nothing fills it
 --> m.toml:1:10
  |
1 | target = "./acme.target.toml"
  |          ^^^^^^^^^^^^^^^^^^^^ this target
  |
  = help: add a line under [custom]: size = "its column"

error[unknown-custom-field]: the account has no custom field `siz`
  --> m.toml:10:1
   |
10 | siz = "Size"
   | ^^^ no such custom field
   |
   = help: did you mean `Size` (its key is size)? If it is new in the account, `rowferry fields --mapping m.toml` asks again

error[unknown-custom-field]: the account has no custom field `Services we sel`
  --> m.toml:11:1
   |
11 | "Services we sel" = "Services"
   | ^^^^^^^^^^^^^^^^^ no such custom field
   |
   = help: did you mean `Services we sell` (its key is services)? If it is new in the account, `rowferry fields --mapping m.toml` asks again

error[unknown-field]: the custom field `mobile` is of the type phone, and has no parts
  --> m.toml:12:1
   |
12 | "mobile.area" = "Mobile"
   | ^^^^^^^^^^^^^ no such part
   |
   = help: write `mobile` alone

error[unknown-custom-field]: the account has no custom field `zzzz`
  --> m.toml:13:1
   |
13 | zzzz = "Visits"
   | ^^^^ no such custom field
   |
   = help: its custom fields are: `size`, `services`, `mobile`, `since`, `visits`, `shape`. If it is new in the account, `rowferry fields --mapping m.toml` asks again

error[type-mismatch]: `visits` takes a whole number, which `text` does not give
  --> m.toml:14:38
   |
14 | visits = { column = "Visits", type = "text" }
   |                                      ^^^^^^ does not suit the field
   |
   = help: leave `type` out, or write `type = "integer"`
"#);
}

#[test]
fn tests_in_the_mapping_know_the_custom_fields_too() {
    let rules = "Size = \"Size\"\n[[test]]\nrow = { Id = \"1\", Name = \"A\", Size = \"SMALL\" }\nbody = { cf = { size = \"s\" } }\n\
                 [[test]]\nrow = { Id = \"1\", Name = \"A\", Size = \"tiny\" }\nissues = [\"Size.option\"]\n\
                 [[test]]\nrow = { Id = \"1\", Name = \"A\", Size = \"\" }\nissues = [\"Size.required\"]\n";
    let case = Case::new(OBJECT, INLINE, rules, answers);
    case.run(&["check", "--mapping", "m.toml"], 2);
    case.run(&["fields", "--mapping", "m.toml"], 0);
    case.run(&["check", "--mapping", "m.toml"], 0);
}

#[test]
fn options_by_request_pages_and_keys_by_number() {
    let discover = r#"path = "/fields"
results = "items"
key = "id"
label = "label"
type = "type"
types = { list = "choice", words = "text" }
paging = { kind = "cursor", param = "after", next = "next", size_param = "limit", size = 1 }
options = { path = "/fields/{{ id }}/options", results = "data", value = "code", label = "text", paging = { kind = "page", param = "page" } }
"#;
    let custom = "at = \"field_values\"\nshape = \"pairs\"\nkey = \"field_id\"\nvalue = \"value\"\nkey_type = \"integer\"\nvalue_type = \"text\"";
    let rules = "Colour = \"Size\"\n12 = \"Services\"\n";
    let script = |request: &Request| {
        let page = |from: &str| request.query("after").as_deref() == Some(from);
        match request.path() {
            "/fields" if page("a") => Reply::json(
                200,
                json!({ "items": [{ "id": 12, "label": "Note", "type": "words" }], "next": null }),
            ),
            "/fields" => Reply::json(
                200,
                json!({ "items": [{ "id": 7, "label": "Colour", "type": "list" }], "next": "a" }),
            ),
            "/fields/7/options" => match request.query("page").unwrap().as_str() {
                "1" => Reply::json(200, json!({ "data": [{ "code": 1, "text": "small" }] })),
                "2" => Reply::json(200, json!({ "data": [{ "code": 2, "text": "large" }] })),
                _ => Reply::json(200, json!({ "data": [] })),
            },
            "/customers" => Reply::json(201, json!({ "id": request.number })),
            _ => Reply::status(404),
        }
    };
    let case = Case::new(custom, discover, rules, script);
    // A label is no number, as long as nobody knows what it stands for.
    let (_, said) = case.run(&["check", "in.csv", "--mapping", "m.toml"], 2);
    insta::assert_snapshot!(said, @r#"
error[bad-custom-key]: Acme knows its custom fields by number, and `Colour` is none
  --> m.toml:10:1
   |
10 | Colour = "Size"
   | ^^^^^^ not a number
   |
   = help: write the field's id, such as 12; its label serves too once `rowferry fields --mapping m.toml` has asked the account

note[unknown-custom-fields]: the account's custom fields are not known, so the 2 keys under [custom] cannot be checked
  --> m.toml:10:1
   |
10 | Colour = "Size"
   | ^^^^^^ not checked
   |
   = help: `rowferry fields --mapping m.toml` asks the account, and writes what it has into custom-fields.toml
"#);
    let (table, _) = case.run(&["fields", "--mapping", "m.toml"], 0);
    insta::assert_snapshot!(table, @r#"
key  label   type           options
7    Colour  choice (list)  1 (small), 2 (large)
12   Note    text (words)
"#);
    let asked: Vec<String> = case
        .server
        .requests()
        .into_iter()
        .map(|asked| asked.target)
        .collect();
    assert_eq!(
        asked,
        [
            "/fields?limit=1",
            "/fields?limit=1&after=a",
            "/fields/7/options?page=1",
            "/fields/7/options?page=2",
            "/fields/7/options?page=3"
        ]
    );
    let arguments = [
        "fields",
        "acme.target.toml",
        "--sandbox",
        "--output",
        "s.toml",
        "--json",
    ];
    let played: Value = serde_json::from_str(&case.run(&arguments, 0).0).unwrap();
    assert_eq!(
        played["fields"][0]["options"][1],
        json!({ "value": "paused", "label": "Paused" })
    );
    case.run(&["import", "in.csv", "--mapping", "m.toml"], 1);
    let sent: Vec<Value> = case
        .server
        .of("POST /customers")
        .iter()
        .map(Request::json)
        .collect();
    assert_eq!(
        sent,
        [json!({ "name": "Ann", "field_values": [
            { "field_id": 7, "value": "1" }, { "field_id": 12, "value": "Metrics;file sharing" },
        ] })]
    );
}

#[test]
fn whatever_goes_wrong_is_a_sentence_and_leaves_the_file_alone() {
    let refused = |status: u16, body: Value| move |_: &Request| Reply::json(status, body.clone());
    let mut all = String::new();
    for (status, body) in [
        (
            403,
            json!({ "message": "the token lacks the scope fields:read" }),
        ),
        (401, json!({ "message": "unknown token" })),
        (404, json!({ "message": "no such page" })),
        (422, json!({ "message": "entityType is wrong" })),
        (200, json!({ "items": [] })),
        (200, json!({ "data": [{ "name": "Size" }] })),
    ] {
        let case = Case::new(OBJECT, INLINE, "", refused(status, body));
        let (stdout, said) = case.run(&["fields", "--mapping", "m.toml"], 3);
        assert_eq!(stdout, "");
        assert!(!case.bench.has("custom-fields.toml"));
        all.push_str(&said);
    }
    insta::assert_snapshot!(all, @r#"
error[fields]: the target does not let us in: it answered 403: the token lacks the scope fields:read
error[fields]: the target does not let us in: it answered 401: unknown token
error[fields]: Acme has nothing at /custom-fields?entityType=client: it answered 404
 |
 = help: check the base URL, and `path` under [custom.discover] in the target file
error[fields]: Acme does not list its custom fields: it answered 422: entityType is wrong
error[fields]: the answer to /custom-fields?entityType=client holds no array at `data`
 |
 = help: check `results` under [custom.discover] in the target file
error[fields]: the custom fields that Acme lists have no key where the target file looks for it
 |
 = help: check `key` under [custom.discover] in the target file
"#);

    let case = Case::new(OBJECT, INLINE, "", answers);
    case.bench.file("custom-fields.toml", "mine = true\n");
    let (_, said) = case.run(&["fields", "--mapping", "m.toml"], 2);
    insta::assert_snapshot!(said, @r#"
error[unknown-key]: there is no key `mine` here
 --> custom-fields.toml:1:1
  |
1 | mine = true
  | ^^^^ not known
  |
  = help: the keys here are: account

error[custom-fields]: `custom-fields.toml` cannot be read, so nothing was asked, and it was left as it is
 |
 = help: mend it, move it away, or name another file by --output
"#);
    assert_eq!(case.bench.read("custom-fields.toml"), "mine = true\n");
    assert!(case.server.requests().is_empty());

    case.bench
        .run(&["fields", "--mapping", "m.toml", "--output", "x.toml"])
        .expect(2);
    let ran = case
        .bench
        .run(&[
            "fields",
            "acme.target.toml",
            "--base-url",
            "http://acme.example",
            "--output",
            "x.toml",
        ])
        .expect(2);
    assert!(ran.stderr.contains("not encrypted"), "{}", ran.stderr);
}

#[test]
fn targets_that_list_nothing_say_so() {
    let bench = Bench::new();
    let mut all = String::new();
    for name in ["kaiten", "sphinx", "nonsense"] {
        all.push_str(&bench.run(&["fields", name]).expect(2).stderr);
    }
    insta::assert_snapshot!(redacted(&all), @r#"
error[no-discover]: Kaiten has no custom fields, as far as its target file says
 |
 = help: if it has, describe them under [custom] and [custom.discover] in a target file that extends this one
error[no-discover]: Sphinx defines no custom fields: any key goes, with any value
 |
 = help: nothing need be asked
error[unknown-target]: there is no target called `nonsense`
 |
 = help: the built-in targets are sphinx, flextell, kaiten, assembly, assembly-companies, cirqll; a target file is named by a path such as `./nonsense.target.toml`
"#);
    let ran = bench.run(&["fields", "kaiten", "--json"]).expect(2);
    assert_eq!(ran.json()["mistakes"][0]["code"], "no-discover");
}

#[test]
fn a_file_that_holds_another_account_is_not_used() {
    let case = Case::new(OBJECT, INLINE, "zzzz = \"Size\"\n", answers);
    let base = case.server.base();
    let bench = &case.bench;
    let other = target(&base, OBJECT, INLINE).replace("Acme", "Other");
    bench.file("other.target.toml", &other);
    case.run(&["fields", "./other.target.toml"], 0);
    let (_, said) = case.run(&["check", "in.csv", "--mapping", "m.toml", "--json"], 0);
    insta::assert_snapshot!(said, @r#"
note[unknown-custom-fields]: custom-fields.toml holds the custom fields of other at http://BASE, and none of acme, so the key under [custom] cannot be checked
  --> m.toml:10:1
   |
10 | zzzz = "Size"
   | ^^^^ not checked
   |
   = help: `rowferry fields --mapping m.toml` asks the account, and writes what it has into custom-fields.toml
"#);

    // Both have their place in the file, and asking one again leaves the other.
    case.run(&["fields", "--mapping", "m.toml"], 0);
    case.run(&["fields", "./other.target.toml"], 0);
    let text = bench.read("custom-fields.toml");
    assert_eq!(text.matches("[[account]]").count(), 2, "{text}");
    case.run(&["check", "in.csv", "--mapping", "m.toml"], 2);

    // An import that goes elsewhere does not lean on them.
    let elsewhere = Server::start(answers);
    let arguments = [
        "import",
        "in.csv",
        "--mapping",
        "m.toml",
        "--base-url",
        &elsewhere.base(),
    ];
    let ran = bench
        .run_with(&[("ACME_TOKEN", "secret-token")], &arguments)
        .expect(0);
    let note = ran.stderr.replace(&elsewhere.base(), "http://ELSEWHERE");
    let note: Vec<&str> = note
        .lines()
        .filter(|line| line.contains("cannot be checked"))
        .collect();
    insta::assert_snapshot!(case.clean(&note.join("\n")), @r#"note[unknown-custom-fields]: custom-fields.toml holds the custom fields of other at http://BASE and acme at http://BASE, and none of acme at http://ELSEWHERE, so the key under [custom] cannot be checked"#);
}

#[test]
fn the_sandbox_lists_samples_and_keeps_to_what_it_is_given() {
    let bench = Bench::new();
    let ran = bench.run(&["fields", "assembly", "--sandbox"]).expect(0);
    insta::assert_snapshot!(redacted(&ran.stdout), @r#"
key           label          type                   options
address       Address        any (address)
billingEmail  Billing Email  email
services      Services       choices (multiSelect)  fileSharing (File sharing), metrics (Metrics), messaging (Messaging), and 1 more
employees     Employees      decimal (number)
phoneNumber   Phone Number   phone (phoneNumber)
pronouns      Pronouns       text
website       Website        url
"#);
    insta::assert_snapshot!(ran.stderr, @r#"7 custom fields of assembly at sandbox:assembly written to custom-fields.toml"#);
    // The numbers of Cirqll's fields, page by page.
    let ran = bench
        .run(&["fields", "cirqll", "--sandbox", "--json"])
        .expect(0);
    let keys: Vec<Value> = ran.json()["fields"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| json!([field["key"], field["type"]]))
        .collect();
    assert_eq!(
        Value::from(keys),
        json!([
            ["101", "text"],
            ["102", "date"],
            ["103", "boolean"],
            ["104", "decimal"],
            ["105", "text"]
        ])
    );

    bench.file(
        "m.toml",
        "target = \"assembly\"\nallow_caution = [\"companyId\"]\n[row]\nkey = \"Email\"\n[fields]\ngivenName = \"A\"\n\
         familyName = \"B\"\nemail = \"Email\"\n[custom]\nServices = { column = \"S\", split = \";\" }\n",
    );
    bench.file(
        "in.csv",
        "Email,A,B,S\na@x.example,Ann,Lee,Metrics;File Sharing\nb@x.example,Bo,Lee,Metrix\n",
    );
    let ran = bench
        .run(&[
            "import",
            "in.csv",
            "--mapping",
            "m.toml",
            "--sandbox",
            "--json",
        ])
        .expect(1);
    let summary = ran.json();
    assert_eq!(summary["fates"]["created"], 1, "{summary}");
    assert_eq!(summary["issues"][0]["code"], "Services.option");
    insta::assert_snapshot!(summary["issues"][0]["message"].as_str().unwrap(), @r#"this is not an option of the target; did you mean "Metrics"? Options: fileSharing (File sharing), metrics (Metrics), messaging (Messaging), billing (Billing)"#);

    // By itself it holds records to the fields only where it is told to.
    let mut refusals = Vec::new();
    for fields in [None, Some("custom-fields.toml")] {
        let mut arguments = vec!["assembly"];
        arguments.extend(fields.iter().flat_map(|file| ["--fields", file]));
        let served = Served::start(&bench, &arguments);
        let other = Bench::new();
        let mapping = bench
            .read("m.toml")
            .replace("Services =", "made_up = \"A\"\nservices =");
        other.file("m.toml", &mapping);
        other.file("in.csv", &bench.read("in.csv"));
        let arguments = [
            "import",
            "in.csv",
            "--mapping",
            "m.toml",
            "--json",
            "--base-url",
            &served.base_url,
        ];
        let ran = other.run_with(&[("ASSEMBLY_API_KEY", "k")], &arguments);
        refusals.push((
            ran.code,
            ran.json()["fates"]["failed"].clone(),
            served.records().len(),
        ));
    }
    assert_eq!(refusals, [(0, json!(0), 2), (1, json!(2), 0)]);
}

#[test]
fn a_tenant_s_custom_fields_are_not_another_s() {
    let case = Case::new(OBJECT, INLINE, ALL, answers);
    let text = case.bench.read("acme.target.toml").replace(
        "[create]",
        "[headers]\nX-Tenant = { env = \"ACME_TENANT\", account = true }\n[create]",
    );
    case.bench.file("acme.target.toml", &text);
    let run = |tenant: &str, arguments: &[&str]| {
        let variables = [("ACME_TOKEN", "secret-token"), ("ACME_TENANT", tenant)];
        case.bench.run_with(&variables, arguments)
    };
    run("7", &["fields", "--mapping", "m.toml"]).expect(0);
    let import = ["import", "in.csv", "--mapping", "m.toml"];
    let refused = run("8", &import).expect(2);
    insta::assert_snapshot!(case.clean(&refused.stderr), @r#"
error[custom-fields]: custom-fields.toml holds the custom fields of another account: it was asked with X-Tenant: 7, and this import goes with X-Tenant: 8
 |
 = help: ask this account by `rowferry fields --mapping m.toml`
"#);
    run("7", &import).expect(1);
}
