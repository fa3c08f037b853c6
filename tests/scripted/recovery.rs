//! What an earlier run left open: what comes first, what is sent again, what is asked.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Case, HEAD, MAPPING, ONE, THREE, bodies, made};
use crate::common::server::{Reply, Request};

const KEY: &str = "idempotency_header = \"Idempotency-Key\"\n";

const BATCH: &str = "[create.batch]\npath = \"/b\"\nmax = 10\nat = \"rows\"\nresults = \"rows\"\n";

const LOOKUP: &str = "[lookup]\npath = \"/c\"\nquery = { email = \"{{ email }}\" }\nresults = \"data\"\nprove = [\"name\"]\n";

fn none() -> Reply {
    Reply::json(200, json!({ "data": [] }))
}

/// An answer to a batch that names each of its rows.
fn all_made(request: &Request) -> Reply {
    let rows = request.json()["rows"].as_array().unwrap().len();
    let made: Vec<Value> = (0..rows)
        .map(|n| json!({ "id": format!("b{}-{n}", request.number) }))
        .collect();
    Reply::json(200, json!({ "rows": made }))
}

/// A run whose batch is lost, and that is not let in afterwards.
fn lost_batch(more: &str, script: impl FnMut(&Request) -> Reply + Send + 'static) -> Case {
    let mut script = script;
    let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{more}");
    let case = Case::new(
        &target,
        MAPPING,
        THREE,
        move |request: &Request| match request.number {
            0 => Reply::Cut,
            1 => Reply::status(401),
            _ => script(request),
        },
    );
    case.import(3);
    assert_eq!(case.fates(), "uncertain uncertain uncertain");
    case
}

#[test]
fn a_lost_batch_is_put_together_again_with_its_key() {
    let case = lost_batch(&format!("{KEY}{BATCH}"), all_made);
    case.import(0);
    assert_eq!(case.fates(), "created created created");
    let requests = case.server.requests();
    assert_eq!(requests.len(), 3);
    assert_eq!(requests[2].json(), requests[0].json());
    assert_eq!(
        requests[2].header("idempotency-key"),
        requests[0].header("idempotency-key")
    );
}

#[test]
fn a_lost_batch_of_which_a_row_changed_is_not_repeated() {
    for (edited, fates) in [
        (
            THREE.replace("Bob", "Bert"),
            "uncertain uncertain uncertain",
        ),
        (
            THREE.replace("K2,Bob,bob@x.example\n", ""),
            "uncertain uncertain",
        ),
    ] {
        let case = lost_batch(&format!("{KEY}{BATCH}"), all_made);
        case.bench.file("in.csv", &edited);
        case.import(1);
        assert_eq!(case.fates(), fates);
        assert_eq!(case.server.requests().len(), 2);
        // As it was, it can be put together again; rows that come besides go by themselves.
        case.bench.file("in.csv", &format!("{THREE}K4,Dan,\n"));
        case.import(0);
        assert_eq!(case.fates(), "created created created created");
        assert_eq!(case.server.requests().len(), 4);
    }
}

#[test]
fn a_lost_batch_whose_key_is_forgotten_is_looked_up_row_by_row() {
    let more = format!("{KEY}idempotency_ttl = \"1s\"\n{BATCH}{LOOKUP}");
    let case = lost_batch(&more, |request: &Request| {
        match (request.method.as_str(), request.query("email").as_deref()) {
            ("GET", Some("bob@x.example")) => Reply::json(
                200,
                json!({ "data": [{ "id": 7, "email": "bob@x.example", "name": "Bob" }] }),
            ),
            ("GET", _) => none(),
            _ => made(request),
        }
    });
    std::thread::sleep(Duration::from_millis(1_100));
    case.import(0);
    assert_eq!(case.fates(), "created created created");
    assert_eq!(case.results()[1].2, "7");
    assert_eq!(case.server.of("POST /b").len(), 2);
    assert_eq!(case.server.of("POST /c").len(), 2);
}

#[test]
fn a_batch_that_is_refused_when_it_is_repeated_is_split() {
    let batch = format!("{KEY}{BATCH}");
    let case = lost_batch(&batch, |request: &Request| {
        let rows = request.json()["rows"].clone();
        let bad = rows
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["name"] == "Cid");
        match bad {
            true => Reply::json(422, json!({ "message": "no" })),
            false => all_made(request),
        }
    });
    case.import(1);
    assert_eq!(case.fates(), "created created failed");
}

#[test]
fn a_row_that_the_answer_to_its_batch_does_not_name_is_uncertain() {
    let lookup = format!("{BATCH}{LOOKUP}");
    for (more, fates, code) in [
        (BATCH, "created uncertain created", 1),
        (&lookup, "created created created", 0),
    ] {
        let more = more.replace(
            "results = \"rows\"",
            "trace = \"t\"\nresults = \"rows\"\nmatch = { item = \"t\", result = \"t\" }",
        );
        let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{more}");
        let case = Case::new(&target, MAPPING, THREE, |request: &Request| {
            match request.route().as_str() {
                "POST /b" => {
                    let rows = request.json()["rows"].clone();
                    let row = |n: usize| json!({ "id": n, "t": rows[n]["t"] });
                    Reply::json(200, json!({ "rows": [row(2), row(0)] }))
                }
                "GET /c" => none(),
                _ => made(request),
            }
        });
        case.import(code);
        assert_eq!(case.fates(), fates);
        assert_eq!(case.results()[2].2, "2");
    }
}

#[test]
fn customers_that_are_there_do_not_go_into_the_batch() {
    let target = format!(
        "{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{BATCH}{LOOKUP}[update]\npath = \"/c/{{{{ id }}}}\"\n"
    );
    for (policy, fates, code) in [
        ("skip", "created unchanged created", 0),
        ("update", "created updated created", 0),
        ("reject", "created rejected created", 1),
    ] {
        let mapping = format!("{MAPPING}[policy]\nexisting = \"{policy}\"\n");
        let case = Case::new(&target, &mapping, THREE, |request: &Request| {
            match (request.route().as_str(), request.query("email").as_deref()) {
                ("GET /c", Some("bob@x.example")) => Reply::json(
                    200,
                    json!({ "data": [{ "id": 7, "email": "bob@x.example", "name": "Robert" }] }),
                ),
                ("GET /c", _) => none(),
                ("POST /b", _) => all_made(request),
                _ => Reply::json(200, json!({})),
            }
        });
        case.import(code);
        assert_eq!(case.fates(), fates);
        let batches = case.server.of("POST /b");
        let sent: usize = batches
            .iter()
            .map(|batch| batch.json()["rows"].as_array().unwrap().len())
            .sum();
        assert_eq!(sent, 2, "{policy}");
        assert!(case.server.of("POST /c").is_empty());
    }
}

#[test]
fn rows_that_might_be_taken_for_each_other_never_share_a_batch() {
    let rows = "Id,Name,Email\nK1,Ann,a@x.example\nK2,Ann,a@x.example\nK3,Cid,c@x.example\n";
    let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{BATCH}{LOOKUP}");
    let case = Case::new(&target, MAPPING, rows, all_made);
    case.import(0);
    for batch in case.server.of("POST /b") {
        let rows = batch.json()["rows"].clone();
        let same = rows.as_array().unwrap().iter();
        assert!(
            same.filter(|row| row["email"] == "a@x.example").count() < 2,
            "{rows}"
        );
    }
}

#[test]
fn what_is_open_is_looked_up_before_anything_is_sent() {
    let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{LOOKUP}");
    let case = Case::new(&target, MAPPING, THREE, |request: &Request| {
        match (request.method.as_str(), request.number) {
            ("POST", 1) => Reply::Cut,
            // What became of it cannot be asked, and the run is stopped.
            ("GET", 2) => Reply::status(401),
            ("GET", _) => none(),
            _ => made(request),
        }
    });
    case.import(3);
    assert_eq!(case.fates(), "created uncertain pending");
    let before = case.server.requests().len();
    // Even where new rows stand before it.
    let more = THREE.replace("K1,", "K8,Hal,hal@x.example\nK9,Ida,ida@x.example\nK1,");
    case.bench.file("in.csv", &more);
    case.import(0);
    let routes = case.server.routes()[before..].to_vec();
    assert_eq!(routes[..2], ["GET /c", "POST /c"], "{routes:?}");
    assert_eq!(case.server.requests()[before + 1].json()["name"], "Bob");
    assert_eq!(routes.len(), 5);
}

#[test]
fn a_record_that_two_open_rows_fit_belongs_to_neither() {
    let rows = "Id,Name,Email\nK1,Ann,a@x.example\nK2,Ann,a@x.example\n";
    let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n{LOOKUP}");
    let case = Case::new(&target, MAPPING, rows, |request: &Request| {
        match (request.method.as_str(), request.number < 8) {
            ("POST", _) => Reply::Cut,
            ("GET", true) => Reply::status(400),
            _ => Reply::json(
                200,
                json!({ "data": [{ "id": 1, "email": "a@x.example", "name": "Ann" }] }),
            ),
        }
    });
    case.import(1);
    assert_eq!(case.fates(), "uncertain uncertain");
    let sent = case.server.of("POST /c").len();
    let open = case.server.requests().len();
    assert!(open < 8, "{:?}", case.server.routes());
    for _ in open..8 {
        // The server answers from its ninth request on.
        case.import(1);
        if case.server.requests().len() >= 8 {
            break;
        }
    }
    let ran = case.import(1);
    assert_eq!(case.fates(), "uncertain uncertain");
    assert_eq!(ran.json()["issues"][0]["code"], "lookup.ambiguous");
    assert_eq!(case.server.of("POST /c").len(), sent);
}

#[test]
fn two_matches_leave_the_row_uncertain() {
    let target = format!("[create]\npath = \"/c\"\nid = \"id\"\n{LOOKUP}");
    let case = Case::plain(&target, ONE, |request: &Request| {
        let twin = |id| json!({ "id": id, "email": "ann@x.example", "name": "Ann" });
        match request.method.as_str() {
            "GET" => Reply::json(200, json!({ "data": [twin(1), twin(2)] })),
            _ => Reply::Cut,
        }
    });
    let ran = case.import(1);
    assert_eq!(case.fates(), "uncertain");
    assert_eq!(ran.json()["issues"][0]["code"], "lookup.ambiguous");
}

#[test]
fn a_repetition_that_finds_the_first_request_at_work_waits_for_it() {
    for more in ["", BATCH] {
        let target = format!("[create]\npath = \"/c\"\nid = \"id\"\n{KEY}{more}");
        let case = Case::plain(&target, ONE, |request: &Request| match request.number {
            0 => Reply::Cut,
            1 => Reply::json(
                409,
                json!({ "message": "a request with this key is at work" }),
            ),
            _ if request.path() == "/b" => all_made(request),
            _ => made(request),
        });
        case.import(0);
        assert_eq!(case.fates(), "created");
        // Where nothing is open, it is a refusal like others.
        let case = Case::plain(&target, ONE, |_: &Request| Reply::status(409));
        case.import(1);
        assert_eq!(case.fates(), "failed");
        assert_eq!(case.server.requests().len(), 1);
    }
}

#[test]
fn a_refusal_for_pace_costs_no_attempt() {
    let update = "ref = { type = \"text\" }\n[create]\npath = \"/c\"\n[update]\nmethod = \"POST\"\npath = \"/c/update\"\nkeyed = \"ref\"\nmissing = [404]\n";
    let slow = || Reply::status(429).with("Retry-After", "0");
    for (more, routes) in [
        ("[create]\npath = \"/c\"\n", "429 429 201"),
        (update, "Cut 429 429 found"),
    ] {
        let mapping = match more.contains("ref") {
            true => format!("{MAPPING}ref = \"Id\"\n"),
            false => MAPPING.to_owned(),
        };
        let script: Vec<&str> = routes.split(' ').collect();
        let case = Case::new(
            &format!("{HEAD}{more}"),
            &mapping,
            ONE,
            move |request: &Request| match script[request.number] {
                "429" => slow(),
                "Cut" => Reply::Cut,
                "found" => Reply::json(200, json!({ "id": 1 })),
                _ => made(request),
            },
        );
        let ran = case.command(&["--attempts", "1"]).output().unwrap();
        assert_eq!(ran.status.code(), Some(0), "{routes}");
        assert_eq!(case.fates(), "created", "{routes}");
    }
}

#[test]
fn what_certainly_did_not_arrive_is_repeated_and_then_pending() {
    // Busy.
    let case = Case::plain("[create]\npath = \"/c\"\n", ONE, |_: &Request| {
        Reply::status(503)
    });
    let ran = case.command(&["--attempts", "2"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!(case.fates(), "pending");
    assert_eq!(case.server.requests().len(), 2);
    // Nobody listens; a server that knows no TLS; a name that nobody has.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    for base in [
        format!("http://127.0.0.1:{port}"),
        case.server.base().replace("http://", "https://"),
        "https://no-such-host.invalid".to_owned(),
    ] {
        let case = Case::plain("[create]\npath = \"/c\"\n", ONE, made);
        let ran = case
            .command(&["--attempts", "2", "--base-url", &base])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&ran.stderr);
        assert_eq!(ran.status.code(), Some(3), "{base}: {said}");
        assert_eq!(case.fates(), "pending", "{base}");
        // Nothing of it is in doubt.
        case.import(0);
        assert_eq!(case.fates(), "created", "{base}");
    }
}

#[test]
fn the_answer_to_a_busy_server_may_break_off() {
    let case = Case::plain(
        "[create]\npath = \"/c\"\n",
        ONE,
        |request: &Request| match request.number {
            0 => Reply::HalfAnswer(503, b"busy".to_vec()),
            _ => made(request),
        },
    );
    case.import(0);
    assert_eq!(case.fates(), "created");
}

#[test]
fn the_policy_as_it_is_now_counts_for_what_an_earlier_run_left() {
    let target = format!("{HEAD}[create]\npath = \"/c\"\n");
    let case = Case::new(&target, MAPPING, ONE, |request: &Request| {
        match request.number {
            0 => Reply::Cut,
            _ => made(request),
        }
    });
    case.import(1);
    case.import(1);
    assert_eq!(case.fates(), "uncertain");
    case.bench.file(
        "m.toml",
        &format!("{MAPPING}[policy]\nuncertain = \"resend\"\n"),
    );
    case.import(0);
    assert_eq!(case.fates(), "created");
    assert_eq!(bodies(&case.server.requests()).len(), 2);
}
