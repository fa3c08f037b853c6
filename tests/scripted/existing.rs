//! Records that the target has already: look-ups, lists, natural keys, and updates of each kind.

use serde_json::{Value, json};

use super::{Case, HEAD, MAPPING, ONE, THREE, bodies, made};
use crate::common::server::{Reply, Request};

fn mapping(existing: &str) -> String {
    format!("{MAPPING}[policy]\nexisting = \"{existing}\"\n")
}

const LOOKUP: &str = r#"
[create]
path = "/c"
id = "id"
[lookup]
path = "/c"
query = { email = "{{ email }}" }
results = "data"
where = { "contact.mail" = "{{ email }}" }
id = "uid"
address = "slug"
"#;

fn found(request: &Request) -> Reply {
    match request.method.as_str() {
        // A search that is not exact: the second is another customer, the first differs in case.
        "GET" if request.query("email").as_deref() == Some("bob@x.example") => Reply::json(
            200,
            json!({ "data": [
                { "uid": 2, "slug": "bob", "contact": { "mail": "BOB@x.example" } },
                { "uid": 9, "slug": "bobby", "contact": { "mail": "notbob@x.example" } },
            ] }),
        ),
        "GET" => Reply::json(200, json!({ "data": [] })),
        _ => made(request),
    }
}

#[test]
fn a_look_up_comes_before_the_create_and_what_is_there_is_left_alone() {
    let case = Case::new(&format!("{HEAD}{LOOKUP}"), &mapping("skip"), THREE, found);
    let ran = case.import(0);
    assert_eq!(case.fates(), "created unchanged created");
    assert_eq!(case.results()[1].2, "2");
    assert_eq!(
        ran.json()["requests"],
        json!({ "sent": 2, "retried": 0, "limited": 0, "lookups": 3 })
    );
    // The ledger knows it now.
    case.import(0);
    assert_eq!(case.server.requests().len(), 5);
}

#[test]
fn existing_reject_lists_the_row() {
    let case = Case::new(&format!("{HEAD}{LOOKUP}"), &mapping("reject"), THREE, found);
    case.import(1);
    assert_eq!(case.fates(), "created rejected created");
}

#[test]
fn a_partial_update_sends_only_what_differs() {
    let update = "[read]\npath = \"/c/{{ address }}\"\nrecord = \"data\"\n[update]\npath = \"/c/{{ address }}\"\nsuccess = [200, 204]\nnever = [\"email\"]\n";
    let case = Case::new(
        &format!("{HEAD}{LOOKUP}{update}"),
        &mapping("update"),
        THREE,
        |request: &Request| match request.route().as_str() {
            "GET /c/bob" => Reply::json(
                200,
                json!({ "data": { "name": "Robert", "email": "old@x.example", "extra": 1 } }),
            ),
            "PATCH /c/bob" => Reply::status(204),
            _ => found(request),
        },
    );
    case.import(0);
    assert_eq!(case.fates(), "created updated created");
    assert_eq!(
        bodies(&case.server.of("PATCH /c/bob")),
        [json!({ "name": "Bob" })]
    );
    // The same content again is not sent; other content is.
    case.import(0);
    assert_eq!(case.server.of("PATCH /c/bob").len(), 1);
    case.bench.file("in.csv", &THREE.replace("Bob", "Bert"));
    case.import(0);
    assert_eq!(
        bodies(&case.server.of("PATCH /c/bob"))[1],
        json!({ "name": "Bert" })
    );
}

#[test]
fn a_replacing_update_sends_what_is_there_with_the_row_over_it() {
    let target = format!(
        "{HEAD}phone = {{ type = \"text\" }}\naddress = {{ type = \"object\" }}\nslug = {{ type = \"text\" }}\n{LOOKUP}{}",
        r#"
[read]
path = "/c/{{ address }}"
[update]
method = "PUT"
path = "/c/{{ address }}"
mode = "replace"
never = ["slug"]
[custom]
at = "fields"
shape = "pairs"
key = "id"
value = "value"
key_type = "integer"
open = true
"#
    );
    let mapping = mapping("update").replace("[policy]", "[custom]\n\"7\" = \"Colour\"\n[policy]");
    let rows = "Id,Name,Email,Colour\nK2,Bob,bob@x.example,red\n";
    let case = Case::new(&target, &mapping, rows, |request: &Request| {
        match request.route().as_str() {
            "GET /c/bob" => Reply::json(
                200,
                json!({
                    "id": 2, "slug": "bob", "createdAt": "x", "name": "Robert", "email": "bob@x.example", "phone": "1",
                    "address": { "city": "Ulm" },
                    "fields": [{ "id": 7, "value": "blue", "label": "Colour" }, { "id": 8, "value": "L", "label": "Size" }]
                }),
            ),
            "PUT /c/bob" => Reply::json(200, json!({ "id": 2 })),
            _ => found(request),
        }
    });
    case.import(0);
    assert_eq!(
        bodies(&case.server.of("PUT /c/bob")),
        [json!({
            "name": "Bob", "email": "bob@x.example", "phone": "1", "address": { "city": "Ulm" },
            "fields": [{ "id": 8, "value": "L" }, { "id": 7, "value": "red" }]
        })]
    );
}

#[test]
fn a_keyed_update_goes_first_and_the_create_follows_where_there_is_none() {
    let target = format!(
        "{HEAD}ref = {{ type = \"text\" }}\n[create]\npath = \"/c\"\n[update]\nmethod = \"POST\"\npath = \"/c/update\"\nkeyed = \"ref\"\nmissing = [404]\n"
    );
    let mapping = mapping("update").replace("[policy]", "ref = \"Id\"\n[policy]");
    let case = Case::new(
        &target,
        &mapping,
        THREE,
        |request: &Request| match request.path() {
            "/c/update" if request.json()["ref"] == "K2" => Reply::json(200, json!({ "id": 2 })),
            "/c/update" => Reply::status(404),
            _ => made(request),
        },
    );
    case.import(0);
    assert_eq!(case.fates(), "created updated created");
    assert_eq!(case.server.of("POST /c").len(), 2);
}

#[test]
fn a_row_without_the_key_of_a_keyed_update_is_looked_up_or_told_and_never_made_twice() {
    let keyed =
        "[update]\nmethod = \"POST\"\npath = \"/c/update\"\nkeyed = \"ref\"\nmissing = [404]\n";
    let rows = "Id,Name,Email,Ref\nK1,Ann,ann@x.example,\nK2,Bob,bob@x.example,\nK3,Cid,cid@x.example,R3\n";
    let mapping = mapping("update").replace("[policy]", "ref = \"Ref\"\n[policy]");
    let answer = |request: &Request| match request.path() {
        "/c/update" => Reply::status(404),
        _ => found(request),
    };
    // Nobody can be asked: the rows are told.
    let head = format!("{HEAD}ref = {{ type = \"text\" }}\n");
    let target = format!("{head}[create]\npath = \"/c\"\n{keyed}");
    let case = Case::new(&target, &mapping, rows, answer);
    case.import(1);
    assert_eq!(case.fates(), "rejected rejected created");
    let told = case.bench.read("in.rejects.csv");
    assert!(
        told.contains("the row has no `ref` to find it by"),
        "{told}"
    );
    assert_eq!(case.server.of("POST /c").len(), 1);
    // By a look-up one is found, and cannot be changed; the other is new.
    let target = format!("{head}{LOOKUP}{keyed}");
    let case = Case::new(&target, &mapping, rows, answer);
    case.import(1);
    assert_eq!(case.fates(), "created rejected created");
    let told = case.bench.read("in.rejects.csv");
    let why = "the row has no `ref`, by which its record is changed";
    assert!(told.contains(why), "{told}");
    assert_eq!(case.server.of("POST /c").len(), 2);
}

/// Answers a list of 5 records, in pages of 2 whatever size is asked for.
fn pages(kind: &'static str) -> impl FnMut(&Request) -> Reply + Send + 'static {
    move |request| {
        if request.method == "POST" {
            return made(request);
        }
        let all: Vec<Value> = (1..=5)
            .map(|n| json!({ "uid": n, "ref": format!("k{n}") }))
            .collect();
        let number = |name: &str| {
            request
                .query(name)
                .and_then(|text| text.parse::<usize>().ok())
        };
        let start = match kind {
            "cursor" => number("cursor").unwrap_or(0),
            "page" => (number("page").unwrap_or(1) - 1) * 2,
            _ => number("offset").unwrap_or(0),
        };
        let page: Vec<Value> = all.iter().skip(start).take(2).cloned().collect();
        let next = (start + 2 < all.len()).then(|| (start + 2).to_string());
        Reply::json(
            200,
            json!({ "items": page, "nextCursor": next, "meta": { "last_page": 3 } }),
        )
    }
}

#[test]
fn a_list_is_read_once_to_its_end() {
    for (kind, paging, requests) in [
        (
            "cursor",
            "{ kind = \"cursor\", param = \"cursor\", next = \"nextCursor\", size_param = \"limit\", size = 200 }",
            3,
        ),
        (
            "page",
            "{ kind = \"page\", param = \"page\", last = \"meta.last_page\", size_param = \"per_page\", size = 200 }",
            3,
        ),
        (
            "page",
            "{ kind = \"page\", param = \"page\", size_param = \"per_page\", size = 200 }",
            4,
        ),
        (
            "offset",
            "{ kind = \"offset\", param = \"offset\", size_param = \"limit\", size = 200 }",
            4,
        ),
    ] {
        let target = format!(
            "{HEAD}ref = {{ type = \"text\" }}\n[create]\npath = \"/c\"\n[list]\npath = \"/c\"\nresults = \"items\"\nid = \"uid\"\nby = \"ref\"\npaging = {paging}\n"
        );
        let mapping = mapping("skip").replace("[policy]", "ref = \"Id\"\n[policy]");
        let rows = "Id,Name,Email\nK5,Eve,\nK1,Ann,\nK6,Fay,\n";
        let case = Case::new(&target, &mapping, rows, pages(kind));
        case.import(0);
        assert_eq!(case.fates(), "unchanged unchanged created", "{paging}");
        assert_eq!(case.results()[0].2, "5");
        assert_eq!(case.server.of("GET /c").len(), requests, "{paging}");
    }
}

#[test]
fn a_list_that_gives_the_same_page_for_ever_is_given_up() {
    let target = format!(
        "{HEAD}ref = {{ type = \"text\" }}\n[create]\npath = \"/c\"\n[list]\npath = \"/c\"\nresults = \"items\"\nby = \"ref\"\npaging = {{ kind = \"page\", param = \"p\" }}\n"
    );
    let mapping = mapping("skip").replace("[policy]", "ref = \"Id\"\n[policy]");
    let case = Case::new(&target, &mapping, ONE, |_: &Request| {
        Reply::json(200, json!({ "items": [{ "id": 1, "ref": "Z" }] }))
    });
    case.import(3);
    assert_eq!(case.fates(), "pending");
}

#[test]
fn look_ups_are_tried_in_order_and_one_record_may_be_the_answer() {
    let target = format!(
        "{HEAD}phone = {{ type = \"text\" }}\n[create]\npath = \"/c\"\n[[lookup]]\npath = \"/by-phone/{{{{ phone }}}}\"\n[[lookup]]\npath = \"/by-email\"\nquery = {{ q = \"email:{{{{ email }}}}\" }}\nresults = \"hits\"\nwhere = {{ email = \"{{{{ email }}}}\" }}\n"
    );
    let mapping = mapping("skip").replace("[policy]", "phone = \"Phone\"\n[policy]");
    let rows = "Id,Name,Email,Phone\nK1,Ann,ann@x.example,1 2\nK2,Bob,bob@x.example,\nK3,Cid,,\n";
    let case = Case::new(&target, &mapping, rows, |request: &Request| {
        match request.path() {
            "/by-phone/1%202" => Reply::status(404),
            "/by-email" if request.query("q").as_deref() == Some("email:bob@x.example") => {
                Reply::json(
                    200,
                    json!({ "hits": [{ "id": 2, "email": "bob@x.example" }] }),
                )
            }
            "/by-email" => Reply::json(200, json!({ "hits": [] })),
            _ => made(request),
        }
    });
    case.import(1);
    // What cannot be looked up cannot be known to be new.
    assert_eq!(case.fates(), "created unchanged rejected");
    assert_eq!(
        case.server.routes(),
        [
            "GET /by-phone/1%202",
            "GET /by-email",
            "POST /c",
            "GET /by-email"
        ]
    );
}

#[test]
fn several_matches_or_one_in_another_form_refuse_the_row() {
    for (data, fate) in [
        (
            json!([{ "id": 1, "email": "ann@x.example" }, { "id": 2, "email": "ann@x.example" }]),
            "rejected",
        ),
        // The target ignores the filter, or knows the value in another form.
        (json!([{ "id": 1, "email": "a.n.n@x.example" }]), "rejected"),
        (json!([]), "created"),
        (Value::Null, "created"),
    ] {
        let target = format!(
            "{HEAD}[create]\npath = \"/c\"\n[lookup]\npath = \"/c\"\nquery = {{ email = \"{{{{ email }}}}\" }}\nresults = \"data\"\n"
        );
        let case = Case::new(
            &target,
            &mapping("skip"),
            ONE,
            move |request: &Request| match request.method.as_str() {
                "GET" => Reply::json(200, json!({ "data": data })),
                _ => made(request),
            },
        );
        case.import(if fate == "created" { 0 } else { 1 });
        assert_eq!(case.fates(), fate);
    }
}

#[test]
fn a_look_up_that_cannot_be_asked_leaves_the_row_pending() {
    for reply in [
        Reply::status(400),
        Reply::json(200, json!({ "error": "odd" })),
        Reply::Answer(200, Vec::new(), b"<p>".to_vec()),
    ] {
        let case = Case::new(
            &format!("{HEAD}{LOOKUP}"),
            &mapping("skip"),
            ONE,
            move |_: &Request| reply.clone(),
        );
        case.import(3);
        assert_eq!(case.fates(), "pending");
        assert!(case.server.of("POST /c").is_empty());
    }
}

const NATURAL: &str = "slug = { type = \"text\", max_length = 20 }\n[create]\npath = \"/c\"\nnatural_key = { field = \"slug\", template = \"{{ key | slug }}\" }\nexists = [{ status = 409, code = \"SlugConflict\" }]\n[errors]\ncode = \"code\"\n";

#[test]
fn an_answer_that_it_exists_is_decided_by_the_policy() {
    for (policy, code, fate) in [
        ("create", 1, "failed"),
        ("reject", 1, "rejected"),
        ("skip", 0, "unchanged"),
    ] {
        let case = Case::new(
            &format!("{HEAD}{NATURAL}"),
            &mapping(policy),
            ONE,
            |_: &Request| Reply::json(409, json!({ "code": "SlugConflict" })),
        );
        case.import(code);
        assert_eq!(case.fates(), fate, "{policy}");
        assert_eq!(case.server.requests().len(), 1);
    }
}

#[test]
fn what_exists_and_cannot_be_found_is_not_tried_for_ever() {
    let more = "[lookup]\npath = \"/c\"\nquery = { email = \"{{ email }}\" }\nresults = \"data\"\n[update]\npath = \"/c/{{ id }}\"\n";
    let case = Case::new(
        &format!("{HEAD}{NATURAL}{more}"),
        &mapping("update"),
        ONE,
        |request: &Request| match request.method.as_str() {
            "GET" => Reply::json(200, json!({ "data": [] })),
            _ => Reply::json(409, json!({ "code": "SlugConflict" })),
        },
    );
    case.import(1);
    assert_eq!(case.fates(), "failed");
    assert_eq!(case.server.routes(), ["GET /c", "POST /c", "GET /c"]);
}

#[test]
fn two_keys_never_share_a_natural_key() {
    let rows = "Id,Name,Email\nabc,A,\nABC,B,\na b c,C,\n日本,D,\nabcdefghijklmnopqrstuvwxyz,E,\n";
    let case = Case::new(&format!("{HEAD}{NATURAL}"), MAPPING, rows, made);
    case.import(0);
    let mut slugs: Vec<String> = bodies(&case.server.requests())
        .iter()
        .map(|body| body["slug"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(slugs[0], "abc");
    assert!(
        slugs
            .iter()
            .all(|slug| !slug.is_empty() && slug.len() <= 20),
        "{slugs:?}"
    );
    slugs.sort();
    slugs.dedup();
    assert_eq!(slugs.len(), 5);
}

#[test]
fn a_record_that_is_gone_is_a_failure_of_its_row_alone() {
    let target = format!(
        "{HEAD}[create]\npath = \"/c\"\n[read]\npath = \"/c/{{{{ id }}}}\"\n[lookup]\npath = \"/find\"\nquery = {{ email = \"{{{{ email }}}}\" }}\nresults = \"data\"\n[update]\npath = \"/c/{{{{ id }}}}\"\n"
    );
    let case = Case::new(
        &target,
        &mapping("update"),
        THREE,
        |request: &Request| match request.path() {
            "/find" => Reply::json(200, json!({ "data": [] })),
            "/c" => made(request),
            _ if request.number > 8 || request.method == "GET" => Reply::status(404),
            _ => Reply::json(200, json!({})),
        },
    );
    case.import(0);
    case.bench.file("in.csv", &THREE.replace("Bob", "Bert"));
    case.import(1);
    assert_eq!(case.fates(), "unchanged failed unchanged");
}

#[test]
fn a_replacing_update_is_refused_where_it_would_clear_what_cannot_be_read() {
    let more = "region = { type = \"text\" }\n[create]\npath = \"/c\"\n[lookup]\npath = \"/c\"\nquery = { email = \"{{ email }}\" }\nresults = \"data\"\n[read]\npath = \"/c/{{ id }}\"\n[update]\nmethod = \"PUT\"\npath = \"/c/{{ id }}\"\nmode = \"replace\"\nunreadable = [\"region\"]\n";
    let case = Case::new(
        &format!("{HEAD}{more}"),
        &mapping("update"),
        ONE,
        |request: &Request| match request.method.as_str() {
            "GET" => Reply::json(200, json!({ "data": [] })),
            _ => made(request),
        },
    );
    let ran = case.import(2);
    assert!(
        ran.stderr.contains("`region` cannot be read back"),
        "{}",
        ran.stderr
    );
    case.bench.file(
        "m.toml",
        &mapping("update").replace("[policy]", "region = { value = \"eu\" }\n[policy]"),
    );
    case.import(0);
}

#[test]
fn a_target_that_says_it_exists_when_asked_serves_the_policy() {
    let more = "[create]\npath = \"/c\"\nexists = [{ status = 409, field = \"email\" }]\n[errors]\nfields = \"errors\"\n";
    let case = Case::new(
        &format!("{HEAD}{more}"),
        &mapping("skip"),
        THREE,
        |request: &Request| match request.number {
            1 => Reply::json(409, json!({ "errors": { "email": ["taken"] } })),
            2 => Reply::json(409, json!({ "errors": { "name": ["taken"] } })),
            _ => made(request),
        },
    );
    case.import(1);
    assert_eq!(case.fates(), "created unchanged failed");
}

#[test]
fn a_row_never_overwrites_the_record_of_another_row() {
    // Two customers share an e-mail address.
    let rows = "Id,Name,Email\nK1,Ann,info@x.example\nK2,Bob,info@x.example\n";
    let target = format!("{HEAD}{LOOKUP}[update]\npath = \"/c/{{{{ id }}}}\"\n")
        .replace("contact.mail", "email")
        .replace("uid", "id");
    let mut stored: Vec<Value> = Vec::new();
    let case = Case::new(
        &target,
        &mapping("update"),
        rows,
        move |request: &Request| match request.method.as_str() {
            "GET" => Reply::json(200, json!({ "data": stored })),
            "POST" => {
                let mut record = request.json();
                record["id"] = json!(stored.len() + 1);
                stored.push(record.clone());
                Reply::json(201, record)
            }
            _ => Reply::json(200, json!({})),
        },
    );
    case.import(1);
    assert_eq!(case.fates(), "created rejected");
    assert!(
        case.server
            .requests()
            .iter()
            .all(|request| request.method != "PATCH")
    );
}

#[test]
fn what_a_field_takes_is_checked_before_anything_is_sent() {
    let fields = r#"
[fields.n]
type = "integer"
min = 1
max = 9
[fields.code]
pattern = "^[A-Z]+$"
min_length = 2
max_length = 3
[fields.state]
type = "choice"
options = ["on", { value = 7, label = "Off" }]
[create]
path = "/c"
"#;
    let mapping = format!("{MAPPING}n = \"N\"\ncode = \"Code\"\nstate = \"State\"\n");
    let head = "Id,Name,Email,N,Code,State\n";
    for (row, code) in [
        ("K1,Ann,,5,AB,on", None),
        ("K1,Ann,,,,Off", None),
        ("K1,,,5,AB,on", Some("name.required")),
        ("K1,Ann,,x,AB,on", Some("n.")),
        ("K1,Ann,,0,AB,on", Some("n.min")),
        ("K1,Ann,,10,AB,on", Some("n.max")),
        ("K1,Ann,,5,ab,on", Some("code.pattern")),
        ("K1,Ann,,5,A,on", Some("code.min_length")),
        ("K1,Ann,,5,ABCD,on", Some("code.max_length")),
        ("K1,Ann,,5,AB,no", Some("state.")),
    ] {
        let case = Case::new(
            &format!("{HEAD}{fields}"),
            &mapping,
            &format!("{head}{row}\n"),
            made,
        );
        let ran = case.import(i32::from(code.is_some()));
        match code {
            None => assert_eq!(case.fates(), "created", "{row}"),
            Some(code) => {
                assert!(case.server.requests().is_empty(), "{row}");
                let issue = ran.json()["issues"][0]["code"].as_str().unwrap().to_owned();
                assert!(issue.starts_with(code), "{row}: {issue}");
            }
        }
    }
}

#[test]
fn what_the_other_keys_do() {
    let target = r#"
key_field = "ref"
[create]
path = "/c"
id = "data.id"
address = "data.slug"
[list]
method = "POST"
path = "/list?all=1"
query = { kind = "person" }
results = ""
id = "uid"
address = "handle"
by = "ref"
paging = { kind = "offset", param = "from", size_param = "count", size = 3 }
[read]
method = "POST"
path = "/read/{{ address }}"
[update]
method = "PUT"
path = "/c/{{ address }}"
query = { was = "{{ record.version }}", id = "{{ id }}" }
[delete]
method = "POST"
path = "/c/{{ address }}/archive"
success = [202]
"#;
    let target = format!(
        "{}ref = {{ type = \"text\" }}\n{}",
        HEAD,
        target.replacen("key_field = \"ref\"\n", "", 1)
    )
    .replacen("base_url", "key_field = \"ref\"\nbase_url", 1);
    let mapping = format!("{MAPPING}ref = \"Id\"\n[policy]\nexisting = \"update\"\n");
    let case = Case::new(&target, &mapping, THREE, |request: &Request| match request
        .route()
        .as_str()
    {
        "POST /list" => match request.query("from").as_deref() {
            Some("0") => Reply::json(
                200,
                json!([{ "uid": 1, "handle": "a", "ref": "K1" }, { "uid": 9, "ref": "x" }]),
            ),
            _ => Reply::json(200, json!([])),
        },
        "POST /read/a" => Reply::json(200, json!({ "name": "Anna", "version": 7 })),
        "POST /read/slug-2" => Reply::json(200, json!({ "name": "Bob", "version": 8 })),
        "POST /c" => Reply::json(201, json!({ "data": { "id": 2, "slug": "slug-2" } })),
        _ => Reply::status(204),
    });
    case.import(0);
    assert_eq!(case.fates(), "updated created created");
    let lists = case.server.of("POST /list");
    let asked: Vec<String> = lists.iter().map(|request| request.target.clone()).collect();
    assert_eq!(
        asked,
        [
            "/list?all=1&kind=person&count=3&from=0",
            "/list?all=1&kind=person&count=3&from=2"
        ]
    );
    let sent = case.server.of("PUT /c/a");
    assert_eq!(sent[0].target, "/c/a?was=7&id=1");
    assert_eq!(
        sent[0].json(),
        json!({ "name": "Ann", "email": "ann@x.example", "ref": "K1" })
    );
    // A record of our own making is named by its address, too.
    case.bench.file("in.csv", &THREE.replace("bob@", "bert@"));
    case.import(0);
    assert_eq!(case.server.of("PUT /c/slug-2").len(), 1);
    assert_eq!(
        case.server.of("PUT /c/slug-2")[0].target,
        "/c/slug-2?was=8&id=2"
    );
    // Its deletion is described; that it is read without a mistake is all that an import needs of it.
    case.bench
        .run(&["targets", "check", "t.target.toml"])
        .expect(0);
}

/// Two customers of three are known: Bob with a job and no phone, Cid with neither.
fn known(request: &Request) -> Reply {
    let fields = |colour: Value| json!([{ "id": 7, "value": colour }, { "id": 8, "value": "L" }]);
    match request.route().as_str() {
        "GET /c" => {
            let mail = request.query("email").unwrap_or_default();
            let found = match mail.as_str() {
                "bob@x.example" => {
                    json!([{ "uid": 2, "slug": "bob", "contact": { "mail": mail } }])
                }
                "cid@x.example" => {
                    json!([{ "uid": 3, "slug": "cid", "contact": { "mail": mail } }])
                }
                _ => json!([]),
            };
            Reply::json(200, json!({ "data": found }))
        }
        "GET /c/bob" => Reply::json(
            200,
            json!({ "name": "Bob", "email": "bob@x.example", "job": "smith", "fields": fields(json!("red")) }),
        ),
        "GET /c/cid" => Reply::json(
            200,
            json!({ "name": "Cid", "email": "cid@x.example", "job": "", "fields": fields(Value::Null) }),
        ),
        "PATCH /c/bob" | "PATCH /c/cid" => Reply::status(204),
        _ => made(request),
    }
}

const UPDATES: &str = r#"job = { type = "text" }
phone = { type = "text" }
source = { type = "text" }
[create]
path = "/c"
id = "id"
[lookup]
path = "/c"
query = { email = "{{ email }}" }
results = "data"
where = { "contact.mail" = "{{ email }}" }
id = "uid"
address = "slug"
[read]
path = "/c/{{ address }}"
[update]
path = "/c/{{ address }}"
success = [200, 204]
[custom]
at = "fields"
shape = "pairs"
key = "id"
value = "value"
key_type = "integer"
open = true
"#;

#[test]
fn fields_go_with_the_requests_that_they_name() {
    let mapping = mapping("update").replace(
        "[policy]",
        r#"job = { value = "clerk", on = "if_empty" }
phone = { column = "Phone", on = "update" }
source = { value = "import", on = "create" }
[custom]
7 = { value = "blue", on = "if_empty" }
[policy]"#,
    );
    let rows = "Id,Name,Email,Phone\nK1,Ann,ann@x.example,1\nK2,Bob,bob@x.example,2\nK3,Cid,cid@x.example,3\n";
    let case = Case::new(&format!("{HEAD}{UPDATES}"), &mapping, rows, known);
    case.import(0);
    assert_eq!(case.fates(), "created updated updated");
    assert_eq!(
        bodies(&case.server.of("POST /c")),
        [json!({
            "name": "Ann", "email": "ann@x.example", "job": "clerk", "source": "import",
            "fields": [{ "id": 7, "value": "blue" }]
        })]
    );
    assert_eq!(
        bodies(&case.server.of("PATCH /c/bob")),
        [json!({ "phone": "2" })]
    );
    assert_eq!(
        bodies(&case.server.of("PATCH /c/cid")),
        [json!({ "job": "clerk", "phone": "3", "fields": [{ "id": 7, "value": "blue" }] })]
    );
}

#[test]
fn a_change_need_not_have_what_a_new_record_must_have() {
    let rows = "Id,Name,Email\nK1,,ann@x.example\nK2,,bob@x.example\n";
    let case = Case::new(&format!("{HEAD}{UPDATES}"), &mapping("update"), rows, known);
    let ran = case.import(1);
    assert_eq!(case.fates(), "rejected unchanged");
    assert!(case.server.of("POST /c").is_empty());
    assert_eq!(ran.json()["issues"][0]["code"], "name.required");
}

#[test]
fn what_cannot_be_read_cannot_be_found_empty() {
    let target = format!("{HEAD}{UPDATES}").replace("[read]\npath = \"/c/{{ address }}\"\n", "");
    let mapping = mapping("update").replace(
        "[policy]",
        "job = { value = \"clerk\", on = \"if_empty\" }\n[policy]",
    );
    let case = Case::new(&target, &mapping, ONE, known);
    let ran = case.import(2);
    assert!(
        ran.stderr
            .contains("cannot be known whether `job` is empty there"),
        "{}",
        ran.stderr
    );
}

#[test]
fn rows_that_could_not_be_looked_up_end_the_run_with_a_sentence() {
    for answer in [
        Reply::Answer(200, Vec::new(), b"<html>busy</html>".to_vec()),
        Reply::status(404),
        Reply::json(200, json!({ "data": { "items": [], "total": 0 } })),
    ] {
        let mapping = format!("{MAPPING}[policy]\nexisting = \"skip\"\n");
        let target = format!(
            "{HEAD}[create]\npath = \"/c\"\n[lookup]\npath = \"/c\"\nquery = {{ email = \"{{{{ email }}}}\" }}\nresults = \"data\"\n"
        );
        let case = Case::new(&target, &mapping, THREE, move |_: &Request| answer.clone());
        let ran = case.import(3);
        let told = ran.json();
        assert_eq!(told["fates"]["pending"], 3);
        assert_eq!(told["finished"], false);
        let stopped = told["stopped"].as_str().unwrap();
        assert!(
            stopped.starts_with("3 rows were not sent: the look-up"),
            "{stopped}"
        );
    }
}
