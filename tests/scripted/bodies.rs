//! Where a request goes and what stands in it.

use serde_json::json;

use super::{Case, HEAD, MAPPING, ONE, THREE, bodies, made};
use crate::common::server::Reply;

#[test]
fn base_path_query_wrap_and_constants_make_the_request() {
    let target = r#"
name = "T"
base_url = "BASE/api/v3/"
[auth]
kind = "none"
[create]
method = "PUT"
path = "/people/{{ key }}/"
query = { sendInvite = "false", by = "{{ email }}", "filter[x]" = "a b" }
wrap = "data.customer"
constants = { source = "import", data = { kind = "person" } }
id = "result.0.uid"
[fields]
name = { type = "text", required = true }
email = { type = "email" }
"#;
    let rows = "Id,Name,Email\nA/ü 1?&#,Ann,a+b@x.example\n";
    let case = Case::new(target, MAPPING, rows, |_| {
        Reply::json(200, json!({ "result": [{ "uid": 17 }] }))
    });
    case.import(0);
    let requests = case.server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        format!("{} {}", requests[0].method, requests[0].target),
        "PUT /api/v3/people/A%2F%C3%BC%201%3F%26%23/?sendInvite=false&by=a%2Bb%40x.example&filter%5Bx%5D=a%20b"
    );
    assert_eq!(requests[0].header("content-type"), Some("application/json"));
    assert_eq!(
        requests[0].json(),
        json!({
            "source": "import",
            "data": { "kind": "person", "customer": { "name": "Ann", "email": "a+b@x.example" } }
        })
    );
    assert_eq!(
        case.results(),
        [("A/ü 1?&#".into(), "created".into(), "17".into())]
    );
}

#[test]
fn a_form_nests_keys_in_brackets() {
    let mapping = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
name = "Name"
"address.line1" = "Street"
"tags[]" = ["Tag 1", "Tag 2"]
[custom]
order_id = "Id"
"#;
    let target = r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/v1/customers"
body = "form"
constants = { source = "import" }
id = "id"
[custom]
at = "metadata"
open = true
[fields]
name = { type = "text" }
address = { type = "object" }
tags = { type = "array" }
"#;
    let rows = "Id,Name,Street,Tag 1,Tag 2\nK1,Ann & Bob,\"1, High St\",a,b\n";
    let case = Case::new(target, mapping, rows, made);
    case.import(0);
    let requests = case.server.requests();
    assert_eq!(
        requests[0].header("content-type"),
        Some("application/x-www-form-urlencoded")
    );
    let mut pairs = requests[0].form();
    pairs.sort();
    let pairs: Vec<String> = pairs.into_iter().map(|(a, b)| format!("{a}={b}")).collect();
    assert_eq!(
        pairs,
        [
            "address[line1]=1, High St",
            "metadata[order_id]=K1",
            "name=Ann & Bob",
            "source=import",
            "tags[]=a",
            "tags[]=b"
        ]
    );
}

#[test]
fn dates_go_out_in_the_form_that_the_target_names() {
    let mapping = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
since = "Since"
born = "Born"
"#;
    for (body, since) in [("json", json!(1741064767)), ("form", json!("1741064767"))] {
        let target = format!(
            r#"
name = "T"
base_url = "BASE"
[auth]
kind = "none"
[create]
path = "/c"
body = "{body}"
id = "id"
[fields]
since = {{ type = "datetime", output = "unix" }}
born = {{ type = "date", output = "%m/%d/%Y" }}
"#
        );
        let rows = "Id,Since,Born\nK1,2025-03-04T06:06:07+01:00,1815-12-10\n";
        let case = Case::new(&target, mapping, rows, made);
        case.import(0);
        let request = &case.server.requests()[0];
        let sent = match body {
            "json" => request.json(),
            _ => request.form().into_iter().collect(),
        };
        assert_eq!(sent, json!({ "since": since, "born": "12/10/1815" }));
    }
}

#[test]
fn custom_fields_travel_in_each_shape() {
    let mapping = r#"
target = "./t.target.toml"
[row]
key = "Id"
[fields]
name = "Name"
[custom]
"7" = { column = "Colour" }
"#;
    for (custom, expected) in [
        (
            "at = \"field_values\"\nshape = \"pairs\"\nkey = \"field_id\"\nvalue = \"value\"\nkey_type = \"integer\"\nvalue_type = \"text\"",
            json!({ "name": "Ann", "field_values": [{ "field_id": 7, "value": "red" }] }),
        ),
        (
            "at = \"extra.fields\"\nshape = \"object\"",
            json!({ "name": "Ann", "extra": { "fields": { "7": "red" } } }),
        ),
        (
            "shape = \"prefix\"\nprefix = \"cf_\"",
            json!({ "name": "Ann", "cf_7": "red" }),
        ),
    ] {
        let target = format!("{HEAD}[create]\npath = \"/c\"\n[custom]\n{custom}\nopen = true\n");
        let case = Case::new(&target, mapping, "Id,Name,Colour\nK1,Ann,red\n", made);
        case.import(0);
        assert_eq!(bodies(&case.server.requests()), [expected]);
    }
}

#[test]
fn open_fields_lets_unknown_fields_through_and_the_others_are_a_mistake() {
    let mapping = MAPPING.replace("email = ", "mail = ");
    let target = |open: &str| {
        HEAD.replace("base_url", &format!("{open}base_url")) + "[create]\npath = \"/c\"\n"
    };
    let case = Case::new(&target(""), &mapping, ONE, made);
    let ran = case.import(2);
    assert!(ran.stderr.contains("mail"), "{}", ran.stderr);
    assert!(case.server.requests().is_empty());
    case.target(&target("open_fields = true\n"));
    case.import(0);
    assert_eq!(
        bodies(&case.server.requests()),
        [json!({ "name": "Ann", "mail": "ann@x.example" })]
    );
}

#[test]
fn a_file_extends_another_file_that_extends_a_third() {
    let case = Case::new(
        "extends = \"../base/b.target.toml\"\n[limits]\nconcurrency = 1\n[create]\nconstants = { b = 2 }\n",
        &MAPPING.replace("./t", "./sub/t"),
        ONE,
        made,
    );
    let text = case.bench.read("t.target.toml");
    case.bench.file("sub/t.target.toml", &text);
    case.bench.file(
        "base/b.target.toml",
        "extends = \"a.target.toml\"\nname = \"B\"\n",
    );
    let base = HEAD.replace("BASE", &case.server.base())
        + "[create]\npath = \"/c\"\nconstants = { a = 1 }\n";
    case.bench.file("base/a.target.toml", &base);
    case.import(0);
    assert_eq!(
        bodies(&case.server.requests()),
        [json!({ "a": 1, "b": 2, "name": "Ann", "email": "ann@x.example" })]
    );
}

#[test]
fn a_caution_refuses_unless_the_mapping_allows_it() {
    let target = format!(
        "{}[create]\npath = \"/c\"\n[fields.keep]\ntype = \"integer\"\ncaution = {{ values = [0], says = \"0 deletes at once\" }}\n",
        HEAD
    );
    let mapping = format!("{MAPPING}keep = \"Keep\"\n");
    let rows = "Id,Name,Email,Keep\nK1,Ann,,0\nK2,Bob,,30\n";
    let case = Case::new(&target, &mapping, rows, made);
    let ran = case.import(1);
    assert!(ran.stdout.contains("0 deletes at once"), "{}", ran.stdout);
    assert_eq!(case.fates(), "rejected created");
    let mapping = mapping.replacen('\n', "\nallow_caution = [\"keep\"]\n", 1);
    let case = Case::new(&target, &mapping, rows, made);
    case.import(0);
}

#[test]
fn the_same_connection_serves_all_rows_and_a_second_run_sends_nothing() {
    let case = Case::plain("[create]\npath = \"/c\"\n", THREE, made);
    let first = case.import(0).json();
    assert_eq!(
        first["requests"],
        json!({ "sent": 3, "retried": 0, "limited": 0, "lookups": 0 })
    );
    let second = case.import(0).json();
    assert_eq!(second["fates"]["unchanged"], 3);
    assert_eq!(case.server.requests().len(), 3);
}

#[test]
fn a_kind_of_json_that_the_file_names_is_the_bodys() {
    let target = format!(
        "{HEAD}[headers]\nContent-Type = \"application/vnd.api+json\"\naccept = \"application/vnd.api+json\"\n[create]\npath = \"/c\"\n"
    );
    let case = Case::new(&target, MAPPING, ONE, made);
    case.import(0);
    for name in ["content-type", "accept"] {
        let requests = case.server.requests();
        let values: Vec<&String> = requests[0]
            .headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value)
            .collect();
        assert_eq!(values, ["application/vnd.api+json"], "{name}");
    }
}

#[test]
fn a_value_never_names_another_path() {
    let rows = "Id,Name,Email\n..,Ann,\n.,Bob,\n../x,Cid,\n";
    let case = Case::plain("[create]\npath = \"/c/{{ key }}/more\"\n", rows, made);
    case.import(1);
    assert_eq!(case.fates(), "rejected rejected created");
    assert_eq!(case.server.routes(), ["POST /c/..%2Fx/more"]);
}

#[test]
fn a_path_with_statements_is_a_mistake() {
    let case = Case::plain(
        "[create]\npath = \"/c/{% if email %}x{% endif %}\"\n",
        ONE,
        made,
    );
    let ran = case.import(2);
    assert!(ran.stderr.contains("a path cannot hold"), "{}", ran.stderr);
}

#[test]
fn a_field_whose_absence_is_warned_of_must_be_mapped_or_allowed() {
    let target = format!(
        "{HEAD}company = {{ type = \"text\", caution = {{ missing = true, says = \"a placeholder is made\" }} }}\n[create]\npath = \"/c\"\n"
    );
    let case = Case::new(&target, MAPPING, ONE, made);
    let ran = case.import(2);
    assert!(
        ran.stderr.contains("a placeholder is made"),
        "{}",
        ran.stderr
    );
    // Mapped, but empty in one row: that row is refused.
    case.bench
        .file("m.toml", &format!("{MAPPING}company = \"Company\"\n"));
    case.bench
        .file("in.csv", "Id,Name,Email,Company\nK1,Ann,,\nK2,Bob,,Acme\n");
    let ran = case.import(1);
    assert!(
        ran.stdout.contains("a placeholder is made"),
        "{}",
        ran.stdout
    );
    assert_eq!(case.fates(), "rejected created");
}

#[test]
fn constants_stay_beside_what_rows_say_of_the_same_object() {
    let rows = "Id,Name,Email\n1,Ann,a@x.example\n";
    for (target, want) in [
        (
            "wrap = \"p\"\nconstants = { p = { s = \"x\" }, q = 1 }\n",
            json!({ "p": { "s": "x", "name": "Ann", "email": "a@x.example" }, "q": 1 }),
        ),
        (
            "constants = { a = { b = 1 } }\n[custom]\nat = \"a\"\nopen = true\n",
            json!({ "a": { "b": 1, "no": "1" }, "name": "Ann", "email": "a@x.example" }),
        ),
        (
            "constants = { m = [{ key = \"k0\", value = \"v0\" }] }\n[custom]\nat = \"m\"\nshape = \"pairs\"\nopen = true\n",
            json!({
                "m": [{ "key": "no", "value": "1" }, { "key": "k0", "value": "v0" }],
                "name": "Ann", "email": "a@x.example"
            }),
        ),
        (
            "[create.batch]\nat = \"in\"\nitem = \"p\"\nitem_constants = { p = { s = \"x\" }, t = 1 }\nresults = \"r\"\n",
            json!({ "in": [{ "p": { "s": "x", "name": "Ann", "email": "a@x.example" }, "t": 1 }] }),
        ),
    ] {
        let text = format!(
            "name = \"T\"\nbase_url = \"BASE\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/c\"\n{target}[fields]\nname = {{ type = \"text\" }}\nemail = {{ type = \"email\" }}\n"
        );
        let custom = match target.contains("[custom]") {
            true => "[custom]\nno = \"Id\"\n",
            false => "",
        };
        let mapping = format!("{MAPPING}{custom}");
        let case = Case::new(&text, &mapping, rows, |_| {
            Reply::json(200, json!({ "id": 7, "r": [{ "id": 7 }] }))
        });
        case.import(0);
        assert_eq!(bodies(&case.server.requests()), [want], "{target}");
        assert_eq!(case.fates(), "created");
        // What the file describes takes the requests that it describes.
        let ran = case.command(&["--sandbox"]).output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        assert_eq!(ran.status.code(), Some(0), "{target}: {said}");
    }
}

#[test]
fn a_row_without_an_address_is_refused_before_it_is_imported() {
    let target = "name = \"T\"\nbase_url = \"BASE\"\n[auth]\nkind = \"none\"\n[create]\nmethod = \"PUT\"\npath = \"/c/{{ key }}/{{ name }}\"\n[fields]\nname = { type = \"text\" }\nemail = { type = \"email\" }\n";
    let rows = "Id,Name,Email\n1,Ann,\n2,,\n..,Bob,\n";
    let case = Case::new(target, MAPPING, rows, made);
    let checked = case
        .bench
        .run(&["check", "in.csv", "--mapping", "m.toml", "--json"])
        .expect(1);
    let imported = case.import(1);
    for ran in [&checked, &imported] {
        let summary: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(summary["fates"]["created"], 1, "{summary}");
        assert_eq!(summary["fates"]["rejected"], 2, "{summary}");
        let issues = summary["issues"].as_array().unwrap();
        assert_eq!(issues.len(), 1, "{summary}");
        assert_eq!(issues[0]["code"], "request.impossible");
        assert_eq!(issues[0]["count"], 2);
        assert_eq!(
            issues[0]["message"],
            "the request cannot be made: the row has no `name`"
        );
    }
}
