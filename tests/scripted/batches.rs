//! Several rows in one request: what is sent, and what is made of each kind of answer.

use serde_json::{Value, json};

use super::{Case, HEAD, MAPPING, THREE};
use crate::common::server::{Reply, Request};

/// A target whose batches are like this.
fn target(create: &str, batch: &str, more: &str) -> String {
    format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{create}\n[create.batch]\n{batch}\n{more}")
}

/// The names in the array of a batch's body.
fn names(items: &Value) -> Vec<&str> {
    let items = items.as_array().unwrap().iter();
    items.map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn a_batch_has_its_own_address_and_items_with_constants() {
    let target = target(
        "method = \"PUT\"\nquery = { mode = \"one\" }\nconstants = { source = \"import\" }",
        "path = \"/many\"\nmethod = \"POST\"\nquery = { mode = \"many\" }\nsuccess = [202]\nmax = 2\nat = \"data.list\"\nitem = \"attributes\"\nitem_constants = { type = \"contact\", meta = { by = \"us\" } }\ntrace = \"meta.ref\"\nresults = \"out\"\nmatch = { item = \"meta.ref\", result = \"ref\" }\nitem_ok = \"fine\"\nitem_id = \"uid\"\nitem_address = \"slug\"",
        "[lookup]\npath = \"/find/{{ email }}\"\n[update]\npath = \"/c/{{ address }}\"\n",
    );
    let case = Case::new(&target, MAPPING, THREE, |request: &Request| {
        if request.method == "PATCH" {
            return Reply::json(200, json!({}));
        }
        let body = request.json();
        let items = body["data"]["list"].as_array().unwrap().iter().rev();
        let out: Vec<Value> = items
            .map(|item| {
                let name = item["attributes"]["name"].as_str().unwrap();
                json!({ "ref": item["meta"]["ref"], "fine": true, "uid": format!("u-{name}"), "slug": name.to_lowercase() })
            })
            .collect();
        Reply::json(202, json!({ "out": out }))
    });
    case.import(0);
    let requests = case.server.requests();
    let routes: Vec<String> = requests
        .iter()
        .map(|request| format!("{} {}", request.method, request.target))
        .collect();
    assert_eq!(routes, ["POST /many?mode=many", "POST /many?mode=many"]);
    let body = requests[0].json();
    assert_eq!(body["source"], "import");
    let item = &body["data"]["list"][0];
    assert_eq!(
        (&item["type"], &item["meta"]["by"]),
        (&json!("contact"), &json!("us"))
    );
    assert_eq!(
        item["attributes"],
        json!({ "name": "Ann", "email": "ann@x.example" })
    );
    assert_eq!(item["meta"]["ref"].as_str().map(str::len), Some(32));
    let ids: Vec<String> = case.results().into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(ids, ["u-Ann", "u-Bob", "u-Cid"]);
    // The address of an item names it in later paths.
    case.bench.file(
        "m.toml",
        &format!("{MAPPING}[policy]\nexisting = \"update\"\n"),
    );
    case.bench.file("in.csv", &THREE.replace("Bob", "Bert"));
    case.import(0);
    assert_eq!(case.server.routes()[2], "PATCH /c/bob");
}

#[test]
fn a_body_may_be_the_array_and_an_item_the_record() {
    let target = target("", "at = \"\"\nitem = \"\"\nresults = \"\"", "");
    let case = Case::new(&target, MAPPING, THREE, |request: &Request| {
        let count = request.json().as_array().unwrap().len();
        Reply::json(200, (1..=count).map(|n| json!({ "id": n })).collect())
    });
    case.import(0);
    let requests = case.server.requests();
    assert_eq!(requests.len(), 1);
    assert_eq!(
        requests[0].json()[1],
        json!({ "name": "Bob", "email": "bob@x.example" })
    );
    assert_eq!(case.results()[2].2, "3");
}

#[test]
fn a_batch_ends_at_its_bytes_whatever_stands_around_the_records() {
    let rows: String = (1..=40)
        .map(|n| format!("K{n},{},\n", "n".repeat(60)))
        .collect();
    for body in ["json", "form"] {
        let target = target(
            &format!(
                "body = \"{body}\"\nconstants = {{ note = \"{}\" }}",
                "x".repeat(80)
            ),
            "max = 1000\nmax_bytes = \"1kB\"\nat = \"in.put\"\nitem = \"some.properties.of\"\nitem_constants = { type = \"a rather long constant of every item\" }\ntrace = \"trace.of.our.own\"\nresults = \"\"",
            "",
        );
        let case = Case::new(
            &target,
            MAPPING,
            &format!("Id,Name,Email\n{rows}"),
            move |request: &Request| {
                assert!(request.body.len() <= 1000, "{}", request.body.len());
                let count = match body {
                    "json" => request.json()["in"]["put"].as_array().unwrap().len(),
                    _ => request
                        .form()
                        .iter()
                        .filter(|(name, _)| name.ends_with("[name]"))
                        .count(),
                };
                assert!(count > 0);
                Reply::json(200, (1..=count).map(|n| json!({ "id": n })).collect())
            },
        );
        let ran = case.import(0);
        assert_eq!(ran.json()["fates"]["created"], 40);
        assert!(case.server.requests().len() < 40, "{body}");
    }
}

#[test]
fn a_refused_item_says_so_as_a_text_an_error_or_a_list_of_them() {
    let errors = "[errors]\nmessage = \"message\"\ncode = \"statusCode\"\nfields = \"\"\nfield = \"fields\"\n";
    let with_text = format!("{errors}text = \"message\"\n");
    let cases = [
        (json!("no good"), None, "no good"),
        (
            json!({ "message": "taken", "statusCode": "DUP", "fields": ["email"] }),
            Some("C3"),
            "taken",
        ),
        (
            json!([{ "message": "taken", "statusCode": "DUP", "fields": ["email"] }]),
            Some("C3"),
            "taken",
        ),
        (
            json!([{ "message": "odd", "statusCode": "ODD", "fields": [] }, { "message": "taken", "fields": ["email"] }]),
            Some("C3"),
            "taken",
        ),
        (json!(["one thing", "another"]), None, "another"),
    ];
    let all = |errors| cases.iter().cloned().map(move |case| (errors, case));
    for (errors, (said, cell, words)) in all(errors).chain(all(&with_text)) {
        let shown = said.to_string();
        let target = target(
            "",
            "results = \"r\"\nat = \"in\"\nitem_ok = \"success\"\nitem_error = \"errors\"",
            errors,
        );
        let case = Case::new(&target, MAPPING, THREE, move |_: &Request| {
            Reply::json(
                200,
                json!({ "r": [
                { "success": true, "id": "a" },
                { "success": false, "id": null, "errors": said },
                { "success": true, "id": "c" },
            ] }),
            )
        });
        let ran = case.import(1);
        assert_eq!(case.fates(), "created failed created", "{shown}");
        let issues = ran.json()["issues"].clone();
        let examples = issues
            .as_array()
            .unwrap()
            .iter()
            .flat_map(|issue| issue["examples"].as_array().unwrap());
        let found = examples
            .filter(|example| example["message"].as_str().unwrap().contains(words))
            .any(|example| {
                example["cell"].as_str() == cell || (cell.is_none() && example["cell"].is_null())
            });
        assert!(found, "{shown}: {issues:#}");
        let coded = |issue: &Value| issue["code"] == "target.refused";
        assert!(issues.as_array().unwrap().iter().all(coded), "{issues:#}");
    }
}

#[test]
fn items_are_matched_as_whole_answers_are() {
    // One is there already, one came at a bad moment, one may never pass, and so none may.
    let more = "[errors]\nmessage = \"message\"\ncode = \"code\"\nretry = [{ code = \"BUSY\" }]\nfatal = [{ status = 402 }, { code = \"CAP\" }]\n";
    let batch = "results = \"r\"\nat = \"in\"\nitem_error = \"message\"";
    let target = target("exists = [{ status = 409, code = \"DUP\" }]", batch, more);
    let answers = [
        (
            json!({ "code": "DUP", "message": "there" }),
            1,
            "created failed created",
        ),
        (
            json!({ "code": "BUSY", "message": "later" }),
            0,
            "created created created",
        ),
        (
            json!({ "status": 429, "message": "slow down" }),
            0,
            "created created created",
        ),
        (
            json!({ "code": "CAP", "message": "full" }),
            3,
            "created pending created",
        ),
        (
            json!({ "status": 402, "message": "pay" }),
            3,
            "created pending created",
        ),
        (
            json!({ "status": 500, "message": "broke" }),
            1,
            "created uncertain created",
        ),
    ];
    for (answer, code, fates) in answers {
        let shown = answer.to_string();
        let case = Case::new(&target, MAPPING, THREE, move |request: &Request| {
            let answers = match request.json()["in"].as_array().unwrap().len() {
                3 => json!([{ "id": 1 }, answer, { "id": 3 }]),
                _ => json!([{ "id": 2 }]),
            };
            Reply::json(207, json!({ "r": answers }))
        });
        case.import(code);
        assert_eq!(case.fates(), fates, "{shown}");
    }
}

#[test]
fn a_batch_that_is_refused_as_a_whole_is_split() {
    let ok = "ok = \"success\"";
    for (create, batch, status, answer, requests) in [
        ("", "", 400, json!({ "message": "bad" }), 5),
        ("", "", 413, json!({ "message": "bad" }), 5),
        ("", "", 422, json!({ "message": "bad" }), 5),
        ("", "atomic = true", 409, json!({ "message": "there" }), 5),
        // Where one bad record does not refuse all, this is no record's fault.
        ("", "", 409, json!({ "message": "there" }), 1),
        (
            ok,
            "",
            200,
            json!({ "success": false, "message": "bad" }),
            5,
        ),
        ("", "atomic = true", 200, json!({ "r": "all" }), 5),
    ] {
        let shown = format!("{create} {batch} {status}");
        let target = target(
            create,
            &format!("at = \"in\"\nresults = \"r\"\n{batch}"),
            "",
        );
        let rows = "Id,Name,Email\nK1,Ann,\nK2,Bob,\nK3,Bad,\nK4,Dan,\n";
        let case = Case::new(&target, MAPPING, rows, move |request: &Request| {
            let body = request.json();
            let names = names(&body["in"]);
            if !names.contains(&"Bad") {
                let made: Vec<Value> = names.iter().map(|name| json!({ "id": name })).collect();
                return Reply::json(200, json!({ "success": true, "r": made }));
            }
            if answer["r"] == "all" {
                let all: Vec<Value> = names
                    .iter()
                    .map(|_| json!({ "message": "rolled back" }))
                    .collect();
                return Reply::json(200, json!({ "r": all }));
            }
            Reply::json(status, answer.clone())
        });
        case.import(1);
        let fates = match requests {
            1 => "failed failed failed failed",
            _ => "created created failed created",
        };
        assert_eq!(case.fates(), fates, "{shown}");
        assert_eq!(case.server.requests().len(), requests, "{shown}");
    }
}

#[test]
fn answers_by_a_value_of_the_record_itself() {
    // One list for those that were made, one for the others; the address comes back in small letters.
    let target = target(
        "",
        "at = \"members\"\nresults = \"new_members\"\nerrors = \"errors\"\nmatch = { item = \"email\", result = \"email\" }\nitem_error = \"error\"",
        "[errors]\ncode = \"error_code\"\nfield = \"field\"\n",
    );
    let rows = "Id,Name,Email\nK1,Ann,Ann@x.example\nK2,Bob,bob@x.example\nK3,Cid,cid@x.example\n";
    let case = Case::new(&target, MAPPING, rows, |_: &Request| {
        Reply::json(
            200,
            json!({
                "new_members": [{ "id": "c", "email": "cid@x.example" }, { "id": "a", "email": "ann@x.example" }],
                "errors": [{ "email": "bob@x.example", "error": "looks fake", "error_code": "FAKE", "field": "email" }]
            }),
        )
    });
    let ran = case.import(1);
    assert_eq!(
        case.results(),
        [
            ("K1", "created", "a"),
            ("K2", "failed", ""),
            ("K3", "created", "c")
        ]
        .map(|(key, fate, id)| (key.to_owned(), fate.to_owned(), id.to_owned()))
    );
    assert_eq!(ran.json()["issues"][0]["examples"][0]["cell"], "C3");
}

#[test]
fn errors_apart_may_say_their_places() {
    let target = target(
        "",
        "at = \"in\"\nresults = \"made\"\nerrors = \"errors\"\nmatch = \"index\"\nitem_error = \"error\"",
        "",
    );
    let case = Case::new(&target, MAPPING, THREE, |_: &Request| {
        Reply::json(
            200,
            json!({ "made": [{ "id": "a" }, { "id": "c" }], "errors": [{ "index": 1, "error": "no" }] }),
        )
    });
    case.import(1);
    let ids: Vec<String> = case.results().into_iter().map(|(_, _, id)| id).collect();
    assert_eq!(
        (case.fates().as_str(), ids[0].as_str(), ids[2].as_str()),
        ("created failed created", "a", "c")
    );
}

#[test]
fn an_answer_that_lost_its_places_leaves_all_uncertain() {
    let target = target("", "at = \"in\"\nresults = \"r\"", "");
    let case = Case::new(&target, MAPPING, THREE, |_: &Request| {
        Reply::json(200, json!({ "r": [{ "id": "a" }, { "id": "c" }] }))
    });
    case.import(1);
    assert_eq!(case.fates(), "uncertain uncertain uncertain");
    assert_eq!(case.server.requests().len(), 1);
}

/// An API that has no request for a single record: what is no batch is refused.
fn only_batches(request: &Request) -> Result<Vec<Value>, Reply> {
    request.json()["members"]
        .as_array()
        .cloned()
        .ok_or_else(|| Reply::json(400, json!({ "message": "members are missing" })))
}

#[test]
fn a_row_that_is_sent_by_itself_goes_as_a_batch_of_one() {
    let target = target(
        "",
        "at = \"members\"\nresults = \"out\"\nitem_ok = \"ok\"",
        "[errors]\nmessage = \"message\"\n[lookup]\npath = \"/find/{{ email }}\"\nid = \"id\"\n",
    );
    let mut lost = false;
    let mut limited = false;
    let case = Case::new(&target, MAPPING, THREE, move |request: &Request| {
        if request.method == "GET" {
            return Reply::status(404);
        }
        let members = match only_batches(request) {
            Ok(members) => members,
            Err(refusal) => return refusal,
        };
        if !std::mem::replace(&mut lost, true) {
            // Nobody knows what became of any of them.
            return Reply::status(500);
        }
        let again = !std::mem::replace(&mut limited, true);
        let out: Vec<Value> = members
            .iter()
            .map(|member| match again {
                true => json!({ "ok": false, "status": 429, "message": "too many" }),
                false => json!({ "ok": true, "id": member["name"] }),
            })
            .collect();
        Reply::json(200, json!({ "out": out }))
    });
    let ran = case.import(0);
    assert_eq!(ran.json()["fates"]["created"], 3, "{}", ran.stderr);
    let mut ids: Vec<String> = case.results().into_iter().map(|(_, _, id)| id).collect();
    ids.sort();
    assert_eq!(ids, ["Ann", "Bob", "Cid"]);
}

#[test]
fn rows_that_are_looked_up_first_go_in_batches_without_what_only_changes_carry() {
    let target = target(
        "",
        "at = \"members\"\nresults = \"out\"",
        "[lookup]\npath = \"/find/{{ email }}\"\nid = \"id\"\n[update]\npath = \"/c/{{ id }}\"\n",
    );
    let mapping = MAPPING.replace(
        "email = \"Email\"",
        "email = { column = \"Email\" }\nstatus = { value = \"changed\", on = \"update\" }",
    );
    assert_ne!(mapping, MAPPING);
    let target = target.replacen("email = ", "status = { type = \"text\" }\nemail = ", 1);
    let mapping = format!("{mapping}[policy]\nexisting = \"update\"\n");
    let case = Case::new(&target, &mapping, THREE, |request: &Request| {
        if request.method == "GET" {
            // Slower than a batch waits for rows that nobody looks up.
            std::thread::sleep(std::time::Duration::from_millis(60));
            return Reply::status(404);
        }
        match only_batches(request) {
            Ok(members) => {
                let out: Vec<Value> = members.iter().map(|m| json!({ "id": m["name"] })).collect();
                Reply::json(200, json!({ "out": out }))
            }
            Err(refusal) => refusal,
        }
    });
    case.import(0);
    let created = case.server.of("POST /c");
    assert_eq!(created.len(), 1, "{:?}", case.server.routes());
    let mut members = created[0].json()["members"].clone();
    let list = members.as_array_mut().unwrap();
    list.sort_by_key(|member| member["name"].to_string());
    assert_eq!(names(&members), ["Ann", "Bob", "Cid"]);
    assert_eq!(
        members[0],
        json!({ "name": "Ann", "email": "ann@x.example" })
    );
}

#[test]
fn apis_that_answer_refusals_only_are_taken_at_their_word() {
    let target = "name = \"T\"\nbase_url = \"BASE\"\n[auth]\nkind = \"none\"\n[create]\npath = \"/track\"\nsuccess = [201]\n[create.batch]\nmax = 75\nat = \"attributes\"\nerrors = \"errors\"\nitem_error = \"type\"\nsilent = \"created\"\n[fields]\nname = { type = \"text\", required = true }\nemail = { type = \"email\", max_length = 14 }\n";
    let case = Case::new(target, MAPPING, THREE, |_| {
        Reply::json(
            201,
            json!({ "message": "success", "errors": [{ "type": "no", "index": 1 }] }),
        )
    });
    case.import(1);
    assert_eq!(case.fates(), "created failed created");
    let ran = case.command(&["--sandbox"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(ran.status.code(), Some(0), "{said}");
    assert_eq!(case.fates(), "created created created");
}
