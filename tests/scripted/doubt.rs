//! Attempts without an answer: never blindly repeated, found out by the surest means.

use serde_json::{Value, json};

use super::{Case, HEAD, MAPPING, ONE, THREE, bodies, made};
use crate::common::server::{Reply, Request};

/// A server that stores creates and loses the first answer to each, before or after storing.
fn forgetful(
    after: bool,
    mut more: impl FnMut(&Request, &[Value]) -> Option<Reply> + Send + 'static,
) -> impl FnMut(&Request) -> Reply + Send + 'static {
    let mut stored: Vec<Value> = Vec::new();
    let mut lost: Vec<Value> = Vec::new();
    move |request| {
        if let Some(reply) = more(request, &stored) {
            return reply;
        }
        let mut record = request.json();
        let first = !lost.contains(&record);
        if first {
            lost.push(record.clone());
        }
        if first && !after {
            return Reply::Cut;
        }
        record["id"] = json!(stored.len() + 1);
        stored.push(record.clone());
        match first {
            true => Reply::status(500),
            false => Reply::json(201, record),
        }
    }
}

const LOOKUP: &str = "[create]\npath = \"/c\"\nid = \"id\"\n[lookup]\npath = \"/c\"\nquery = { email = \"{{ email }}\" }\nresults = \"data\"\nprove = [\"name\"]\n";

fn search(request: &Request, stored: &[Value]) -> Option<Reply> {
    if request.method != "GET" {
        return None;
    }
    let email = request.query("email")?;
    let hits: Vec<&Value> = stored
        .iter()
        .filter(|record| record["email"] == email.as_str())
        .collect();
    Some(Reply::json(200, json!({ "data": hits })))
}

#[test]
fn a_look_up_tells_what_became_of_an_attempt() {
    for (after, creates) in [(true, 3), (false, 6)] {
        let case = Case::plain(LOOKUP, THREE, forgetful(after, search));
        case.import(0);
        assert_eq!(case.fates(), "created created created");
        assert!(case.results().iter().all(|(_, _, id)| !id.is_empty()));
        assert_eq!(case.server.of("POST /c").len(), creates);
    }
}

#[test]
fn a_match_that_is_not_proved_leaves_the_row_uncertain() {
    let other = |request: &Request, _: &[Value]| {
        (request.method == "GET").then(|| {
            Reply::json(
                200,
                json!({ "data": [{ "id": 9, "email": "ann@x.example", "name": "Other" }] }),
            )
        })
    };
    let case = Case::plain(LOOKUP, ONE, forgetful(true, other));
    let ran = case.import(1);
    assert_eq!(case.fates(), "uncertain");
    assert_eq!(ran.json()["issues"][0]["code"], "lookup.ambiguous");
    assert_eq!(case.server.of("POST /c").len(), 1);
}

#[test]
fn a_match_that_is_another_rows_record_leaves_the_row_uncertain() {
    // Both rows have the same e-mail address and name; the first is in.
    let rows = "Id,Name,Email\nK1,Ann,ann@x.example\nK2,Ann,ann@x.example\n";
    let mut posts = 0;
    let case = Case::plain(LOOKUP, rows, move |request: &Request| {
        if request.method == "GET" {
            return Reply::json(
                200,
                json!({ "data": [{ "id": 1, "email": "ann@x.example", "name": "Ann" }] }),
            );
        }
        posts += 1;
        if posts == 1 {
            Reply::json(201, json!({ "id": 1 }))
        } else {
            Reply::Cut
        }
    });
    case.import(1);
    assert_eq!(case.fates(), "created uncertain");
    assert_eq!(case.server.of("POST /c").len(), 2);
}

#[test]
fn a_lag_is_waited_for_before_none_found_counts() {
    let target = LOOKUP.replace("prove", "lag = \"1s\"\nprove");
    let began = std::time::Instant::now();
    let case = Case::plain(&target, ONE, forgetful(false, search));
    case.import(0);
    assert!(began.elapsed() >= std::time::Duration::from_secs(1));
}

#[test]
fn an_idempotency_key_makes_repetition_safe() {
    let target = "[create]\npath = \"/c\"\nidempotency_header = \"Idempotency-Key\"\nidempotency_ttl = \"24h\"\n";
    let case = Case::plain(target, THREE, |request: &Request| match request.number {
        0 => Reply::Cut,
        2 => Reply::status(500),
        4 => Reply::status(408),
        _ => made(request),
    });
    case.import(0);
    assert_eq!(case.fates(), "created created created");
    let keys: Vec<String> = case
        .server
        .requests()
        .iter()
        .map(|request| request.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_eq!(
        (&keys[0], &keys[2], &keys[4]),
        (&keys[1], &keys[3], &keys[5])
    );
    assert_ne!(keys[0], keys[2]);
    // The same over runs, with another ledger as well; another for another body.
    std::fs::remove_dir_all(case.bench.path().join("state")).unwrap();
    case.bench.file("in.csv", &ONE.replace("Ann", "Anna"));
    case.import(0);
    std::fs::remove_dir_all(case.bench.path().join("state")).unwrap();
    case.bench.file("in.csv", ONE);
    case.import(0);
    let last: Vec<String> = case.server.requests()[6..]
        .iter()
        .map(|request| request.header("idempotency-key").unwrap().to_owned())
        .collect();
    assert_ne!(last[0], keys[0]);
    assert_eq!(last[1], keys[0]);
}

#[test]
fn a_refusal_of_a_repetition_with_an_idempotency_key_refuses_the_row() {
    let target = "[create]\npath = \"/c\"\nidempotency_header = \"Idempotency-Key\"\n";
    let case = Case::plain(target, ONE, |request: &Request| match request.number {
        0 => Reply::Cut,
        _ => Reply::json(422, json!({ "message": "no" })),
    });
    case.import(1);
    assert_eq!(case.fates(), "failed");
    // Judged again by the next run, as every failed row.
    case.import(1);
    assert_eq!(
        (case.fates().as_str(), case.server.requests().len()),
        ("failed", 3)
    );
}

#[test]
fn a_natural_key_makes_repetition_safe() {
    let target = "slug = { type = \"text\" }\n[create]\npath = \"/c\"\naddress = \"slug\"\nnatural_key = { field = \"slug\", template = \"{{ key | slug }}\" }\nexists = [{ status = 409 }]\n[lookup]\npath = \"/c/{{ slug }}\"\n";
    for after in [true, false] {
        let case = Case::plain(
            target,
            THREE,
            forgetful(after, |request, stored| {
                let slug = |record: &&Value| {
                    request.path() == format!("/c/{}", record["slug"].as_str().unwrap())
                };
                if request.method == "GET" {
                    return Some(match stored.iter().find(slug) {
                        Some(record) => Reply::json(200, record.clone()),
                        None => Reply::status(404),
                    });
                }
                let taken = stored
                    .iter()
                    .any(|record| record["slug"] == request.json()["slug"]);
                taken.then(|| Reply::status(409))
            }),
        );
        case.import(0);
        assert_eq!(case.fates(), "created created created");
        let ids: Vec<String> = case.results().into_iter().map(|(_, _, id)| id).collect();
        assert_eq!(ids, ["1", "2", "3"]);
    }
}

#[test]
fn a_keyed_update_tells_what_became_of_an_attempt() {
    let target = "ref = { type = \"text\" }\n[create]\npath = \"/c\"\n[update]\nmethod = \"POST\"\npath = \"/c/update\"\nkeyed = \"ref\"\nmissing = [404]\n";
    for (after, creates) in [(true, 3), (false, 6)] {
        let script = forgetful(after, |request, stored| {
            (request.path() == "/c/update").then(|| {
                match stored
                    .iter()
                    .find(|record| record["ref"] == request.json()["ref"])
                {
                    Some(record) => Reply::json(200, record.clone()),
                    None => Reply::status(404),
                }
            })
        });
        let case = Case::new(
            &format!("{HEAD}{target}"),
            &format!("{MAPPING}ref = \"Id\"\n"),
            THREE,
            script,
        );
        case.import(0);
        assert_eq!(case.fates(), "created created created");
        assert_eq!(case.server.of("POST /c").len(), creates);
    }
}

#[test]
fn a_list_read_after_the_attempt_tells_what_became_of_it() {
    let target = "ref = { type = \"text\" }\n[create]\npath = \"/c\"\n[list]\npath = \"/c\"\nresults = \"items\"\nby = \"ref\"\n";
    for (after, creates) in [(true, 3), (false, 6)] {
        let script = forgetful(after, |request, stored| {
            (request.method == "GET").then(|| Reply::json(200, json!({ "items": stored })))
        });
        let case = Case::new(
            &format!("{HEAD}{target}"),
            &format!("{MAPPING}ref = \"Id\"\n"),
            THREE,
            script,
        );
        case.import(0);
        assert_eq!(case.server.of("POST /c").len(), creates);
    }
}

#[test]
fn with_none_of_these_the_policy_decides() {
    for (policy, fates, creates, code) in [
        ("hold", "uncertain uncertain uncertain", 3, 1),
        ("resend", "created created created", 6, 0),
    ] {
        let mapping = format!("{MAPPING}[policy]\nuncertain = \"{policy}\"\n");
        let target = format!("{HEAD}[create]\npath = \"/c\"\n");
        let case = Case::new(&target, &mapping, THREE, forgetful(true, |_, _| None));
        case.import(code);
        assert_eq!(
            (case.fates().as_str(), case.server.requests().len()),
            (fates, creates)
        );
    }
}

#[test]
fn a_row_that_changed_since_its_attempt_is_looked_up_and_not_repeated() {
    let target =
        format!("{HEAD}[create]\npath = \"/c\"\nidempotency_header = \"Idempotency-Key\"\n");
    let case = Case::new(&target, MAPPING, ONE, |request: &Request| {
        match request.number {
            0 => Reply::Cut,
            1 => Reply::status(401),
            _ => made(request),
        }
    });
    case.import(3);
    assert_eq!(case.fates(), "uncertain");
    case.bench.file("in.csv", &ONE.replace("Ann", "Anna"));
    case.import(1);
    assert_eq!(case.fates(), "uncertain");
    // As it was, it may be repeated.
    case.bench.file("in.csv", ONE);
    case.import(0);
    assert_eq!(bodies(&case.server.requests()).len(), 3);
}

#[test]
fn an_idempotency_key_proves_nothing_once_it_is_forgotten() {
    let target = format!(
        "{HEAD}[create]\npath = \"/c\"\nidempotency_header = \"Idempotency-Key\"\nidempotency_ttl = \"1s\"\n"
    );
    let case = Case::new(&target, MAPPING, ONE, |request: &Request| {
        match request.number {
            0 => Reply::Cut,
            1 => Reply::status(401),
            _ => made(request),
        }
    });
    case.import(3);
    std::thread::sleep(std::time::Duration::from_millis(1_100));
    case.import(1);
    assert_eq!(
        (case.fates().as_str(), case.server.requests().len()),
        ("uncertain", 2)
    );
}

#[test]
fn an_update_without_an_answer_is_repeated() {
    let target = format!("{HEAD}{LOOKUP}[update]\npath = \"/c/{{{{ id }}}}\"\n");
    let mapping = format!("{MAPPING}[policy]\nexisting = \"update\"\n");
    let case = Case::new(&target, &mapping, ONE, |request: &Request| {
        match (request.method.as_str(), request.number) {
            ("GET", _) => Reply::json(
                200,
                json!({ "data": [{ "id": 4, "email": "ann@x.example", "name": "A" }] }),
            ),
            (_, 1) => Reply::Cut,
            (_, 2) => Reply::status(500),
            _ => Reply::json(200, json!({ "id": 4 })),
        }
    });
    let ran = case.import(0);
    assert_eq!(case.fates(), "updated");
    assert_eq!(ran.json()["requests"]["retried"], 2);
}

#[test]
fn look_ups_that_keep_saying_not_made_fail_the_row() {
    let case = Case::plain(LOOKUP, ONE, |request: &Request| {
        match request.method.as_str() {
            "GET" => Reply::json(200, json!({ "data": [] })),
            _ => Reply::json(500, json!({ "message": "boom" })),
        }
    });
    let ran = case.command(&["--attempts", "2"]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    assert_eq!(
        (case.fates().as_str(), case.server.of("POST /c").len()),
        ("failed", 2)
    );
}

#[test]
fn the_fate_in_the_reject_file_settles_an_uncertain_row() {
    for (said, fates, requests) in [
        ("send", "created", 2),
        ("created:77", "unchanged", 1),
        ("uncertain", "uncertain", 1),
    ] {
        let case = Case::plain(
            "[create]\npath = \"/c\"\n",
            ONE,
            |request: &Request| match request.number {
                0 => Reply::Cut,
                _ => made(request),
            },
        );
        case.import(1);
        let rejects = case
            .bench
            .read("in.rejects.csv")
            .replace(",uncertain,", &format!(",{said},"));
        case.bench.file("in.csv", &rejects);
        case.import(if said == "uncertain" { 1 } else { 0 });
        assert_eq!(
            (case.fates().as_str(), case.server.requests().len()),
            (fates, requests),
            "{said}"
        );
    }
}

#[test]
fn what_has_no_id_is_no_match() {
    for data in [
        json!({ "items": [], "total": 0 }),
        json!({}),
        json!([{}]),
        json!([null]),
        json!([{ "email": "ann@x.example", "name": "Ann" }]),
    ] {
        let answer = json!({ "data": data });
        let other = move |request: &Request, _: &[Value]| {
            (request.method == "GET").then(|| Reply::json(200, answer.clone()))
        };
        let case = Case::plain(LOOKUP, ONE, forgetful(true, other));
        let ran = case.import(1);
        assert_eq!(case.fates(), "uncertain", "{data}");
        assert_eq!(case.server.of("POST /c").len(), 1, "{data}");
        let said = ran.json()["issues"][0]["message"].to_string();
        assert!(
            said.contains("at `data`") && said.contains("id at `id`"),
            "{said}"
        );
        // Nor does a later run believe it.
        case.import(1);
        assert_eq!(case.fates(), "uncertain", "{data}");
        assert_eq!(case.server.of("POST /c").len(), 1, "{data}");
    }
}

#[test]
fn an_answer_of_success_without_an_id_is_never_repeated() {
    let mut found = false;
    let case = Case::plain(LOOKUP, ONE, move |request: &Request| {
        if request.method == "POST" {
            return Reply::json(200, json!({}));
        }
        // The last look-up finds it at last.
        found |= request.number >= 3;
        let record = json!({ "id": "late", "email": "ann@x.example", "name": "Ann" });
        Reply::json(
            200,
            json!({ "data": if found { vec![record] } else { vec![] } }),
        )
    });
    for _ in 0..2 {
        let ran = case.import(1);
        assert_eq!(case.fates(), "uncertain");
        let said = ran.json()["issues"][0]["message"].to_string();
        assert!(said.contains("was carried out"), "{said}");
    }
    case.import(0);
    assert_eq!(case.results()[0].2, "late");
    assert_eq!(case.server.of("POST /c").len(), 1);
}

#[test]
fn a_success_without_an_id_is_not_repeated_by_policy_either() {
    let mapping = format!("{MAPPING}[policy]\nuncertain = \"resend\"\n");
    let target = format!("{HEAD}[create]\npath = \"/c\"\nid = \"id\"\n");
    let case = Case::new(&target, &mapping, ONE, |_: &Request| {
        Reply::json(200, json!({}))
    });
    let ran = case.import(1);
    assert_eq!(case.fates(), "uncertain");
    let said = ran.json()["issues"][0]["message"].to_string();
    assert!(said.contains("no id at `id`"), "{said}");
    assert_eq!(case.server.of("POST /c").len(), 1);
}

const LIST: &str = "[create]\npath = \"/c\"\nid = \"id\"\n[list]\npath = \"/c\"\nresults = \"data\"\nid = \"id\"\nby = \"email\"\n";

/// Stores the first create and loses its answer; nothing can be asked before the second run.
fn lost_once() -> impl FnMut(&Request) -> Reply + Send + 'static {
    let mut stored: Vec<Value> = Vec::new();
    let mut asked = 0;
    move |request| {
        if request.method == "GET" {
            asked += 1;
            if asked <= 5 {
                return Reply::status(500);
            }
            let email = request.query("email");
            let fits = |record: &&Value| {
                email
                    .as_ref()
                    .is_none_or(|email| record["email"] == email.as_str())
            };
            let hits: Vec<&Value> = stored.iter().filter(fits).collect();
            return Reply::json(200, json!({ "data": hits }));
        }
        let mut record = request.json();
        record["id"] = json!(stored.len() + 1);
        stored.push(record.clone());
        match stored.len() {
            1 => Reply::Cut,
            _ => Reply::json(201, record),
        }
    }
}

#[test]
fn a_look_up_by_a_value_that_was_changed_proves_nothing() {
    let edited = ONE.replace("ann@x", "anna@x");
    for target in [LOOKUP, LIST] {
        let case = Case::plain(target, ONE, lost_once());
        case.import(1);
        assert_eq!(case.fates(), "uncertain");
        case.bench.file("in.csv", &edited);
        let ran = case.import(1);
        assert_eq!(case.fates(), "uncertain", "{}", ran.stderr);
        assert_eq!(case.server.of("POST /c").len(), 1);
        // As it was sent, it is found.
        case.bench.file("in.csv", ONE);
        case.import(0);
        assert_eq!(case.results()[0].2, "1");
        assert_eq!(case.server.of("POST /c").len(), 1);
    }
}

#[test]
fn a_look_up_by_values_that_stayed_proves_what_it_says_of_a_changed_row() {
    let mut posts = 0;
    let case = Case::plain(LOOKUP, ONE, move |request: &Request| {
        if request.method == "GET" {
            return match request.number {
                ..=5 => Reply::status(500),
                _ => Reply::json(200, json!({ "data": [] })),
            };
        }
        posts += 1;
        match posts {
            1 => Reply::Cut,
            _ => made(request),
        }
    });
    case.import(1);
    assert_eq!(case.fates(), "uncertain");
    case.bench.file("in.csv", &ONE.replace("Ann", "Anna"));
    case.import(0);
    assert_eq!(case.server.of("POST /c").len(), 2);
}

#[test]
fn an_object_in_place_of_the_list_that_shows_nothing_of_the_row_is_no_match() {
    let other = |request: &Request, _: &[Value]| {
        (request.method == "GET")
            .then(|| Reply::json(200, json!({ "data": { "id": "search-9", "items": [] } })))
    };
    let target = LOOKUP.replace("prove = [\"name\"]\n", "");
    let case = Case::plain(&target, ONE, forgetful(true, other));
    case.import(1);
    assert_eq!(case.fates(), "uncertain");
    assert_eq!(case.server.of("POST /c").len(), 1);
}
