//! What answers mean: success, refusals for pace, a target that is down, one that sends us elsewhere.

use std::net::TcpListener;

use serde_json::json;

use super::{Case, HEAD, MAPPING, ONE, THREE, made};
use crate::common::server::{Reply, Request};

const CREATE: &str =
    "[create]\npath = \"/c\"\nid = \"data.id\"\nok = \"success\"\nsuccess = [200, 201]\n";

#[test]
fn success_is_a_status_and_a_flag_and_an_id() {
    for (reply, fate) in [
        (
            Reply::json(200, json!({ "success": true, "data": { "id": 7 } })),
            "created",
        ),
        (
            Reply::json(201, json!({ "success": "ok", "data": { "id": "x" } })),
            "created",
        ),
        (
            Reply::json(200, json!({ "success": false, "message": "no" })),
            "failed",
        ),
        (Reply::json(200, json!({ "message": "no" })), "failed"),
        // Neither yes nor no, no id, not JSON, a status that the file does not call success: who knows.
        (
            Reply::json(200, json!({ "data": { "id": 7 } })),
            "uncertain",
        ),
        (
            Reply::json(200, json!({ "success": true, "data": {} })),
            "uncertain",
        ),
        (
            Reply::Answer(200, Vec::new(), b"<html>please log in</html>".to_vec()),
            "uncertain",
        ),
        (Reply::Answer(200, Vec::new(), Vec::new()), "uncertain"),
        (
            Reply::json(202, json!({ "success": true, "data": { "id": 7 } })),
            "uncertain",
        ),
        (Reply::status(204), "uncertain"),
        (
            Reply::HalfAnswer(201, b"{\"success\":true,".to_vec()),
            "uncertain",
        ),
        (Reply::HalfAnswer(422, b"{\"message\":".to_vec()), "failed"),
        (Reply::status(408), "uncertain"),
        (Reply::status(500), "uncertain"),
        (Reply::status(502), "uncertain"),
        (Reply::Cut, "uncertain"),
        (Reply::status(404), "failed"),
        (Reply::status(409), "failed"),
        (Reply::status(413), "failed"),
    ] {
        let shown = format!("{reply:?}");
        let case = Case::plain(CREATE, ONE, move |_| reply.clone());
        case.import(if fate == "created" { 0 } else { 1 });
        assert_eq!(case.fates(), fate, "{shown}");
        assert_eq!(case.server.requests().len(), 1, "{shown}");
    }
}

#[test]
fn a_page_of_html_is_no_success_even_where_no_id_is_named() {
    for (reply, fate) in [
        (
            Reply::Answer(200, Vec::new(), b"<html>please log in</html>".to_vec()),
            "uncertain",
        ),
        (Reply::status(204), "created"),
        (Reply::status(201), "created"),
        (Reply::json(200, json!({ "id": 0 })), "created"),
    ] {
        let case = Case::plain("[create]\npath = \"/c\"\n", ONE, move |_| reply.clone());
        case.import(if fate == "created" { 0 } else { 1 });
        assert_eq!(case.fates(), fate);
    }
}

#[test]
fn an_uncertain_row_is_not_sent_again_by_the_next_run() {
    let case = Case::plain(CREATE, THREE, |request: &Request| match request.number {
        1 => Reply::Cut,
        _ => Reply::json(
            201,
            json!({ "success": true, "data": { "id": request.number } }),
        ),
    });
    case.import(1);
    assert_eq!(case.fates(), "created uncertain created");
    case.import(1);
    assert_eq!(case.fates(), "unchanged uncertain unchanged");
    assert_eq!(case.server.requests().len(), 3);
    let rejects = case.bench.read("in.rejects.csv");
    assert!(
        rejects.contains("K2") && rejects.contains("uncertain"),
        "{rejects}"
    );
}

#[test]
fn refusals_for_pace_cost_no_attempt_and_are_counted() {
    let soon = httpdate::fmt_http_date(std::time::SystemTime::UNIX_EPOCH);
    for value in ["0", "1", &soon] {
        let value = value.to_owned();
        let case = Case::plain(
            "[create]\npath = \"/c\"\n",
            ONE,
            move |request: &Request| match request.number {
                0..2 => Reply::status(429).with("Retry-After", &value),
                _ => made(request),
            },
        );
        let ran = case.command(&["--attempts", "1"]).output().unwrap();
        assert!(ran.status.success());
        let summary: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
        assert_eq!(
            summary["requests"],
            json!({ "sent": 3, "retried": 2, "limited": 2, "lookups": 0 })
        );
    }
}

#[test]
fn what_was_certainly_not_carried_out_is_sent_again() {
    let target = "[create]\npath = \"/c\"\n[errors]\ncode = [\"code\"]\nretry = [{ status = 503 }, { status = 400, code = \"BUSY\" }]\n";
    let case = Case::plain(target, ONE, |request: &Request| match request.number {
        0 => Reply::status(503).with("Retry-After", "0"),
        1 => Reply::json(400, json!({ "code": "BUSY" })),
        2 => Reply::json(400, json!({ "code": "BUSY" })).with("Retry-After", "0"),
        _ => made(request),
    });
    let ran = case.import(0);
    assert_eq!(ran.json()["requests"]["retried"], 3);
}

#[test]
fn a_target_that_is_only_ever_busy_ends_the_run() {
    let case = Case::plain("[create]\npath = \"/c\"\n", THREE, |_: &Request| {
        Reply::status(503).with("Retry-After", "0")
    });
    let ran = Case::command(&case, &["--attempts", "2"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(3));
    assert_eq!(case.fates(), "pending pending pending");
    assert_eq!(case.server.requests().len(), 2);
}

#[test]
fn a_target_that_never_answers_ends_the_run_before_all_rows_are_in_doubt() {
    let rows: String = (1..=40).map(|n| format!("K{n},N{n},\n")).collect();
    let case = Case::plain(
        "[create]\npath = \"/c\"\n",
        &format!("Id,Name,Email\n{rows}"),
        |_| Reply::Cut,
    );
    let ran = case.import(3);
    let fates = &ran.json()["fates"];
    assert_eq!(
        (&fates["uncertain"], &fates["pending"]),
        (&json!(5), &json!(35))
    );
}

#[test]
fn codes_that_the_file_calls_fatal_end_the_run() {
    let target = "[create]\npath = \"/c\"\n[errors]\ncode = [\"error.code\"]\nmessage = [\"error.message\"]\nfatal = [{ status = 402 }, { code = \"CapReached\" }, { message = \"plan .* used up\" }]\n";
    for reply in [
        Reply::status(402),
        Reply::json(409, json!({ "error": { "code": "Create.CapReached" } })),
        Reply::json(
            400,
            json!({ "error": { "message": "the plan is all used up" } }),
        ),
    ] {
        let case = Case::plain(target, THREE, move |request: &Request| {
            match request.number {
                0 => made(request),
                _ => reply.clone(),
            }
        });
        let ran = case.import(3);
        assert_eq!(case.fates(), "created pending pending");
        assert_eq!(case.server.requests().len(), 2);
        assert!(!ran.stderr.is_empty() || ran.stdout.contains("refuses everything"));
    }
}

#[test]
fn redirects_are_not_followed() {
    for status in [301, 302, 307, 308] {
        let case = Case::plain("[create]\npath = \"/c\"\n", THREE, move |_: &Request| {
            Reply::status(status).with("Location", "https://elsewhere.example/c?secret=1")
        });
        let ran = case.import(3);
        assert_eq!(case.server.requests().len(), 1);
        assert_eq!(case.fates(), "pending pending pending");
        assert!(
            ran.stdout.contains("https://elsewhere.example/c"),
            "{}",
            ran.stdout
        );
        assert!(!ran.stdout.contains("secret=1"));
    }
}

#[test]
fn a_target_that_cannot_be_reached_leaves_all_rows_pending() {
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port())
    };
    for base in [closed.as_str(), "https://no-such-host.invalid"] {
        let target = HEAD.replace("BASE", base) + "[create]\npath = \"/c\"\n";
        let case = Case::new(&target, MAPPING, THREE, made);
        let ran = Case::command(&case, &["--attempts", "2"]).output().unwrap();
        assert_eq!(ran.status.code(), Some(3));
        assert_eq!(case.fates(), "pending pending pending");
        let shown = String::from_utf8(ran.stdout).unwrap();
        assert!(shown.contains("the target is down"), "{shown}");
        // The same command goes on once the target is there.
        let there = format!("--base-url={}", case.server.base());
        let ran = Case::command(&case, &[&there]).output().unwrap();
        assert!(ran.status.success());
        assert_eq!(case.server.requests().len(), 3);
    }
}

#[test]
fn plain_http_needs_leave_unless_it_stays_on_this_machine() {
    let target = HEAD.replace("BASE", "http://api.example") + "[create]\npath = \"/c\"\n";
    let case = Case::new(&target, MAPPING, ONE, made);
    let ran = case.import(2);
    assert!(ran.stderr.contains("--insecure-http"), "{}", ran.stderr);
}

#[test]
fn a_server_that_closes_each_connection_loses_at_most_one_row() {
    let rows: String = (1..=150).map(|n| format!("K{n},N{n},\n")).collect();
    let case = Case::plain(
        "[create]\npath = \"/c\"\n",
        &format!("Id,Name,Email\n{rows}"),
        |request: &Request| {
            Reply::Last(
                201,
                json!({ "id": request.number }).to_string().into_bytes(),
            )
        },
    );
    let arguments = ["import", "in.csv", "--mapping", "m.toml", "--json"];
    let summary = case.bench.run(&arguments).json();
    let fates = &summary["fates"];
    // A request that leaves as its connection is closed is one that the server may have read. From
    // then on each has a connection of its own, so that there is no second.
    let uncertain = fates["uncertain"].as_u64().unwrap();
    assert!(uncertain <= 1, "{fates}");
    assert_eq!(fates["created"], 150 - uncertain);
    assert_eq!(case.server.requests().len() as u64, 150 - uncertain);
}

#[test]
fn each_shape_of_errors_may_say_what_is_to_be_sent_again_and_what_ends_the_run() {
    let target = "[create]\npath = \"/c\"\n[[errors]]\ncode = \"code\"\nretry = [{ code = \"BUSY\" }]\nfatal = [{ field = \"plan\" }]\n[[errors]]\nfields = \"errors\"\nretry = [{ status = 409, field = \"lock\" }, { status = 503 }]\n";
    let case = Case::plain(target, THREE, |request: &Request| match request.number {
        0 => Reply::json(400, json!({ "code": "BUSY" })).with("Retry-After", "0"),
        1 => Reply::json(409, json!({ "errors": { "lock": ["held"] } })).with("Retry-After", "0"),
        2 => Reply::status(503).with("Retry-After", "0"),
        3 => made(request),
        _ => Reply::json(422, json!({ "errors": { "plan": ["used up"] } })),
    });
    let ran = case.import(3);
    assert_eq!(case.fates(), "created pending pending");
    assert_eq!(ran.json()["requests"]["retried"], 3);
}

#[test]
fn headers_that_say_that_nothing_is_left_for_long_end_the_run() {
    for (names, headers) in [
        (
            "{ limit = \"X-Limit\", remaining = \"X-Left\", reset = \"X-Reset\", reset_in = \"seconds\" }",
            [("X-Left", "0".to_owned()), ("X-Reset", "7200".to_owned())],
        ),
        (
            "{ remaining = \"X-Left\", reset = \"X-Reset\", reset_in = \"unix\" }",
            [
                ("X-Left", "0".to_owned()),
                ("X-Reset", "4000000000".to_owned()),
            ],
        ),
        (
            "\"x-ratelimit\"",
            [
                ("X-RateLimit-Remaining", "0".to_owned()),
                ("X-RateLimit-Reset", "4000000000".to_owned()),
            ],
        ),
        (
            "\"ietf\"",
            [
                ("RateLimit-Remaining", "0".to_owned()),
                ("RateLimit-Reset", "7200".to_owned()),
            ],
        ),
    ] {
        let target = format!("{HEAD}[create]\npath = \"/c\"\n").replace(
            "concurrency = 1",
            &format!("concurrency = 1\nheaders = {names}"),
        );
        let case = Case::new(&target, MAPPING, THREE, move |request: &Request| {
            let reply = made(request);
            headers
                .iter()
                .fold(reply, |reply, (name, value)| reply.with(name, value))
        });
        case.import(3);
        assert_eq!(case.fates(), "created pending pending", "{names}");
    }
    // Names that the file does not give mean nothing.
    let target = format!("{HEAD}[create]\npath = \"/c\"\n")
        .replace("concurrency = 1", "concurrency = 1\nheaders = \"none\"");
    let case = Case::new(&target, MAPPING, THREE, |request: &Request| {
        made(request)
            .with("X-RateLimit-Remaining", "0")
            .with("X-RateLimit-Reset", "4000000000")
    });
    case.import(0);
}

#[test]
fn a_quota_of_a_day_counts_over_runs() {
    let target = format!("{HEAD}[create]\npath = \"/c\"\n").replace(
        "concurrency = 1",
        "concurrency = 1\nrate = [\"100/s\", \"2/day\"]",
    );
    let case = Case::new(&target, MAPPING, THREE, made);
    case.import(3);
    assert_eq!(case.fates(), "created created pending");
    let ran = case.import(3);
    assert_eq!(case.server.requests().len(), 2);
    assert!(
        ran.stdout.contains("2/day") || ran.stdout.contains("2 per day"),
        "{}",
        ran.stdout
    );
    // Without a number, the pace is found by trying.
    case.target(&target.replace("[\"100/s\", \"2/day\"]", "\"unknown\"\nassumed = true"));
    case.import(0);
}
