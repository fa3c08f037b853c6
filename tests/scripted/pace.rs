//! The pace: what a target allows is kept, one that is down is waited for, connections are kept.

use std::io::Read as _;
use std::time::Duration;

use flate2::read::GzDecoder;
use serde_json::json;

use super::{Case, HEAD, MAPPING, THREE};
use crate::common::server::{Reply, Request};

const CREATE: &str = "[create]\npath = \"/c\"\n";

/// So many customers.
fn rows(count: usize) -> String {
    let mut rows = "Id,Name,Email\n".to_owned();
    for number in 1..=count {
        rows.push_str(&format!("K{number},Name {number},n{number}@x.example\n"));
    }
    rows
}

fn made(request: &Request) -> Reply {
    Reply::json(201, json!({ "id": request.number + 1 }))
}

/// `HEAD` with other limits.
fn head(limits: &str) -> String {
    HEAD.replace("concurrency = 1", limits)
}

#[test]
fn a_refusal_for_pace_makes_all_workers_wait_as_long_as_it_says() {
    let mut refused = false;
    let script = move |request: &Request| match request.number {
        3 if !refused => {
            refused = true;
            Reply::status(429).with("Retry-After", "1")
        }
        // Long enough for the refusal to be read before anything else is free to leave.
        _ => Reply::Later(Duration::from_millis(200), Box::new(made(request))),
    };
    let target = format!("{}{CREATE}", head("concurrency = 4"));
    let case = Case::new(&target, MAPPING, &rows(12), script);
    let ran = case.import(0);
    assert_eq!(ran.json()["requests"]["limited"], 1);
    assert_eq!(ran.json()["fates"]["created"], 12);
    // What was under way when it came arrives soon after; nothing leaves before the second is over.
    let requests = case.server.requests();
    let (before, after): (Vec<_>, Vec<_>) = requests
        .iter()
        .partition(|request| request.at < requests[3].at + Duration::from_millis(900));
    assert!(before.len() <= 8, "{}", before.len());
    assert_eq!(before.len() + after.len(), 13);
}

#[test]
fn a_target_that_is_in_trouble_for_a_while_is_waited_for_and_no_row_is_lost() {
    let script = |request: &Request| match request.number {
        2..10 => Reply::status(503),
        _ => made(request),
    };
    let target = format!("{}{CREATE}", head("concurrency = 3"));
    let case = Case::new(&target, MAPPING, &rows(9), script);
    let ran = case.import(0);
    assert_eq!(ran.json()["fates"]["created"], 9);
    assert!(
        ran.stderr.contains("the target is down (it answered 503)"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("the target answers again"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_target_that_stays_down_ends_the_run_and_what_is_left_is_pending() {
    let script = |request: &Request| match request.number {
        0 | 1 => made(request),
        _ => Reply::status(503),
    };
    let target = format!("{}{CREATE}", head("concurrency = 1"));
    let case = Case::new(&target, MAPPING, &rows(6), script);
    let arguments = [
        "import",
        "in.csv",
        "--mapping",
        "m.toml",
        "--json",
        "--wait-down",
        "0",
    ];
    let ran = case.bench.run(&arguments).expect(3);
    let fates = &ran.json()["fates"];
    assert_eq!(
        (&fates["created"], &fates["pending"]),
        (&json!(2), &json!(4))
    );
    assert_eq!(ran.json()["stopped"], "the target is down: it answered 503");
    assert_eq!(ran.json()["finished"], false);
    // Five in a row, and no more.
    assert_eq!(case.server.requests().len(), 7);
}

#[test]
fn a_quota_that_is_used_up_ends_the_run_with_the_time_when_it_may_go_on() {
    let target = format!("{}{CREATE}", head("rate = [\"50/s\", \"4/day\"]"));
    let case = Case::new(&target, MAPPING, &rows(6), made);
    let ran = case.import(3);
    let fates = &ran.json()["fates"];
    assert_eq!(
        (&fates["created"], &fates["pending"]),
        (&json!(4), &json!(2))
    );
    let stopped = ran.json()["stopped"].as_str().unwrap().to_owned();
    assert!(
        stopped.contains("4/day") && stopped.contains("it may go on"),
        "{stopped}"
    );
    assert!(stopped.contains("--wait"), "{stopped}");
    // The next run of the same day sends nothing.
    case.import(3);
    assert_eq!(case.server.requests().len(), 4);
}

#[test]
fn a_request_that_a_quota_keeps_back_is_not_counted_against_it() {
    let target = format!("{}{CREATE}", head("rate = [\"100/s\", \"5/day\"]"));
    let case = Case::new(&target, MAPPING, &rows(200), made);
    for _ in 0..4 {
        let ran = case.import(3);
        let ledger = ran.json()["files"]["ledger"].as_str().unwrap().to_owned();
        let db = rusqlite::Connection::open(ledger).unwrap();
        let counted: i64 = db
            .query_row("SELECT sum(sent) FROM request", (), |row| row.get(0))
            .unwrap();
        assert_eq!(counted, 5);
    }
    assert_eq!(case.server.requests().len(), 5);
}

#[test]
fn no_token_is_asked_for_where_a_quota_is_used_up() {
    let target = head("rate = [\"100/s\", \"3/day\"]").replace(
        "kind = \"none\"",
        "kind = \"oauth2\"\ngrant = \"client_credentials\"\ntoken_path = \"/token\"\nid_env = \"T_ID\"\nsecret_env = \"T_SECRET\"",
    );
    let script = |request: &Request| match request.path() {
        "/token" => Reply::json(200, json!({ "access_token": "a", "expires_in": 3600 })),
        _ => made(request),
    };
    let case = Case::new(&format!("{target}{CREATE}"), MAPPING, &rows(6), script);
    let variables = [("T_ID", "id"), ("T_SECRET", "of-the-client")];
    case.import_with(&variables, 3);
    case.import_with(&variables, 3);
    assert_eq!(case.server.of("POST /token").len(), 1);
    assert_eq!(case.server.of("POST /c").len(), 2);
}

#[test]
fn connections_are_kept() {
    let target = format!("{}{CREATE}", head("concurrency = 3"));
    let case = Case::new(&target, MAPPING, &rows(60), made);
    case.import(0);
    assert_eq!(case.server.requests().len(), 60);
    // One that comes back a moment late may have been replaced.
    assert!(
        case.server.connections() <= 6,
        "{}",
        case.server.connections()
    );
}

#[test]
fn a_body_is_packed_where_the_target_says_so() {
    let script = |request: &Request| {
        let mut body = String::new();
        let unpacked = GzDecoder::new(request.body.as_slice()).read_to_string(&mut body);
        match (request.header("content-encoding"), unpacked) {
            (Some("gzip"), Ok(_)) if body.contains("\"name\"") => made(request),
            _ => Reply::json(400, json!({ "message": "not packed" })),
        }
    };
    let case = Case::plain(
        "[create]\npath = \"/c\"\npacking = \"gzip\"\n",
        THREE,
        script,
    );
    case.import(0);
    assert_eq!(case.fates(), "created created created");
    // The sandbox plays such a target as well.
    case.bench.file("played.csv", THREE);
    case.bench
        .run(&[
            "import",
            "played.csv",
            "--mapping",
            "m.toml",
            "--sandbox",
            "--quiet",
        ])
        .expect(0);
}

#[test]
fn a_proxy_of_the_environment_is_used() {
    // Here the server is the proxy: what it is asked for is the whole address.
    let target = head("concurrency = 1").replace("BASE", "http://customers.invalid/v1");
    let case = Case::new(&format!("{target}{CREATE}"), MAPPING, THREE, made);
    let proxy = case.server.base();
    let arguments = ["import", "in.csv", "-m", "m.toml", "--insecure-http"];
    case.bench
        .run_with(
            &[("HTTP_PROXY", &proxy), ("http_proxy", &proxy)],
            &arguments,
        )
        .expect(0);
    let asked: Vec<String> = case
        .server
        .requests()
        .iter()
        .map(|request| request.target.clone())
        .collect();
    assert_eq!(asked, ["http://customers.invalid/v1/c"; 3]);
}

#[test]
fn what_waited_for_a_busy_target_does_not_leave_all_at_once() {
    let script = |request: &Request| match request.number {
        40 => Reply::status(503).with("Retry-After", "1"),
        _ => Reply::Later(Duration::from_millis(150), Box::new(made(request))),
    };
    let target = format!("{}{CREATE}", head("concurrency = 16"));
    let case = Case::new(&target, MAPPING, &rows(90), script);
    case.import(0);
    let requests = case.server.requests();
    let gap = |at: usize| requests[at].at - requests[at - 1].at;
    let after = (41..requests.len()).max_by_key(|at| gap(*at)).unwrap();
    assert!(gap(after) > Duration::from_millis(600), "{:?}", gap(after));
    let soon = requests[after..]
        .iter()
        .filter(|request| request.at < requests[after].at + Duration::from_millis(30));
    assert!(soon.count() <= 8);
}

#[test]
fn runs_that_follow_each_other_keep_the_pace_together() {
    let target = format!("{}{CREATE}", head("rate = \"2/s\""));
    let case = Case::new(&target, MAPPING, &rows(4), made);
    for row in 2..=5_u32 {
        let row = row.to_string();
        case.bench
            .run(&["import", "in.csv", "-m", "m.toml", "--rows", &row])
            .expect(0);
    }
    let requests = case.server.requests();
    assert_eq!(requests.len(), 4);
    let took = requests[3].at - requests[0].at;
    assert!(took >= Duration::from_millis(1_450), "{took:?}");
}
