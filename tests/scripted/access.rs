//! How a target lets us in: secrets, tokens, headers, and what happens where it does not.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::{Case, HEAD, MAPPING, ONE, THREE, made};
use crate::common::server::{Reply, Request};

fn target(auth: &str) -> String {
    HEAD.replace("[auth]\nkind = \"none\"\n", auth) + "[create]\npath = \"/c\"\n"
}

#[test]
fn secrets_stand_in_the_header_that_the_file_names() {
    for (auth, variables, header, value) in [
        (
            "[auth]\nkind = \"bearer\"\nenv = \"T_TOKEN\"\n",
            &[("T_TOKEN", "s3cret")][..],
            "authorization",
            "Bearer s3cret",
        ),
        (
            "[auth]\nkind = \"header\"\nheader = \"X-API-KEY\"\nprefix = \"Key \"\nenv = \"T_KEY\"\n",
            &[("T_KEY", "s3cret")],
            "x-api-key",
            "Key s3cret",
        ),
        (
            "[auth]\nkind = \"header\"\nheader = \"X-API-KEY\"\nenv = \"T_KEY\"\n",
            &[("T_KEY", "s3cret")],
            "x-api-key",
            "s3cret",
        ),
        (
            "[auth]\nkind = \"basic\"\nuser_env = \"T_USER\"\npassword_env = \"T_PASSWORD\"\n",
            &[("T_USER", "u"), ("T_PASSWORD", "p")],
            "authorization",
            "Basic dTpw",
        ),
        (
            "[auth]\nkind = \"basic\"\nuser_env = \"T_USER\"\npassword_env = \"T_PASSWORD\"\n",
            &[("T_USER", "u")],
            "authorization",
            "Basic dTo=",
        ),
        (
            "[[auth]]\nkind = \"bearer\"\nenv = \"T_ONE\"\n[[auth]]\nkind = \"header\"\nheader = \"X-Two\"\nenv = \"T_TWO\"\n",
            &[("T_TWO", "2")],
            "x-two",
            "2",
        ),
    ] {
        let case = Case::new(&target(auth), MAPPING, ONE, made);
        let ran = case.import_with(variables, 0);
        assert_eq!(
            case.server.requests()[0].header(header),
            Some(value),
            "{auth}"
        );
        assert!(!(ran.stdout + &ran.stderr).contains("s3cret"));
    }
}

#[test]
fn a_variable_that_is_missing_is_named_and_nothing_is_sent() {
    let auth = "[auth]\nkind = \"bearer\"\nenv = \"T_TOKEN\"\n[headers]\nX-Tenant = { env = \"T_TENANT\", account = true }\n";
    let case = Case::new(&target(auth), MAPPING, ONE, made);
    let ran = case.import(2);
    assert!(
        ran.stderr.contains("T_TOKEN") && ran.stderr.contains("T_TENANT"),
        "{}",
        ran.stderr
    );
    assert!(case.server.requests().is_empty());
}

#[test]
fn headers_come_from_the_file_and_the_environment() {
    let auth = "[auth]\nkind = \"none\"\n[headers]\nAccept = \"application/vnd.t+json\"\nX-Tenant = { env = \"T_TENANT\", account = true }\nX-Region = { env = \"T_REGION\", required = false }\n";
    let case = Case::new(&target(auth), MAPPING, ONE, made);
    case.import_with(&[("T_TENANT", "42")], 0);
    let request = &case.server.requests()[0];
    assert_eq!(request.header("accept"), Some("application/vnd.t+json"));
    assert_eq!(request.header("x-tenant"), Some("42"));
    assert_eq!(request.header("x-region"), None);
    // Another tenant is another account, with a ledger of its own.
    case.import_with(&[("T_TENANT", "43"), ("T_REGION", "eu")], 0);
    assert_eq!(case.server.requests()[1].header("x-region"), Some("eu"));
}

#[test]
fn a_target_without_auth_needs_none() {
    let case = Case::new(&target(""), MAPPING, ONE, made);
    case.import(0);
    assert_eq!(case.server.requests()[0].header("authorization"), None);
}

fn oauth(grant: &str, body: &str, path: &str) -> String {
    target(&format!(
        "[auth]\nkind = \"oauth2\"\ngrant = \"{grant}\"\ntoken_path = \"{path}\"\n{body}id_env = \"T_ID\"\nsecret_env = \"T_SECRET\"\nscope = \"customers:write\"\n{}",
        if grant == "refresh_token" {
            "refresh_env = \"T_REFRESH\"\n"
        } else {
            ""
        },
    ))
}

const CLIENT: [(&str, &str); 2] = [("T_ID", "me"), ("T_SECRET", "s3cret")];

#[test]
fn a_token_is_asked_for_once_in_json_or_as_a_form() {
    for (body, json) in [
        ("token_body = \"json\"\n", true),
        ("token_body = \"form\"\n", false),
        ("", false),
    ] {
        let case = Case::new(
            &oauth("client_credentials", body, "/oauth/token"),
            MAPPING,
            THREE,
            |request: &Request| match request.path() {
                "/oauth/token" => {
                    Reply::json(200, json!({ "access_token": "t1", "expires_in": 3600 }))
                }
                _ => made(request),
            },
        );
        case.import_with(&CLIENT, 0);
        let tokens = case.server.of("POST /oauth/token");
        assert_eq!(tokens.len(), 1);
        let mut pairs = match json {
            true => tokens[0]
                .json()
                .as_object()
                .unwrap()
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned()))
                .collect(),
            false => tokens[0].form(),
        };
        pairs.sort();
        let pairs: Vec<String> = pairs.into_iter().map(|(a, b)| format!("{a}={b}")).collect();
        assert_eq!(
            pairs,
            [
                "client_id=me",
                "client_secret=s3cret",
                "grant_type=client_credentials",
                "scope=customers:write"
            ]
        );
        for create in case.server.of("POST /c") {
            assert_eq!(create.header("authorization"), Some("Bearer t1"));
        }
    }
}

#[test]
fn the_token_may_stand_at_the_origin_or_elsewhere() {
    for path in ["origin:/oauth/token", "BASE/oauth/token"] {
        let target = oauth("client_credentials", "", path).replacen("\"BASE\"", "\"BASE/api\"", 1);
        let case = Case::new(&target, MAPPING, ONE, |request: &Request| {
            match request.path() {
                "/oauth/token" => {
                    Reply::json(200, json!({ "access_token": "t1", "expires_in": "3600" }))
                }
                _ => made(request),
            }
        });
        case.import_with(&CLIENT, 0);
        assert_eq!(
            case.server.routes(),
            ["POST /oauth/token", "POST /api/c"],
            "{path}"
        );
    }
}

#[test]
fn a_token_that_ends_early_is_renewed_once_and_the_row_is_sent_again() {
    let mut tokens = 0;
    let case = Case::new(
        &oauth("client_credentials", "", "/oauth/token"),
        MAPPING,
        THREE,
        move |request: &Request| {
            if request.path() == "/oauth/token" {
                tokens += 1;
                return Reply::json(
                    200,
                    json!({ "access_token": format!("t{tokens}"), "expires_in": 3600 }),
                );
            }
            match (request.number > 2, request.header("authorization")) {
                (true, Some("Bearer t1")) => Reply::status(401),
                _ => made(request),
            }
        },
    );
    case.import_with(&CLIENT, 0);
    assert_eq!(case.server.of("POST /oauth/token").len(), 2);
    assert_eq!(case.fates(), "created created created");
}

#[test]
fn workers_that_are_refused_together_renew_the_token_once() {
    let mut tokens = 0;
    let target = oauth("client_credentials", "", "/oauth/token")
        .replace("concurrency = 1", "concurrency = 6");
    let mut rows = "Id,Name,Email\n".to_owned();
    for number in 1..=30 {
        rows.push_str(&format!("K{number},Name {number},n{number}@x.example\n"));
    }
    let case = Case::new(&target, MAPPING, &rows, move |request: &Request| {
        if request.path() == "/oauth/token" {
            tokens += 1;
            return Reply::json(
                200,
                json!({ "access_token": format!("t{tokens}"), "expires_in": 3600 }),
            );
        }
        let reply = match (request.number > 10, request.header("authorization")) {
            (true, Some("Bearer t1")) => Reply::status(401),
            _ => made(request),
        };
        Reply::Later(std::time::Duration::from_millis(20), Box::new(reply))
    });
    let ran = case.import_with(&CLIENT, 0);
    assert_eq!(ran.json()["fates"]["created"], 30);
    assert_eq!(case.server.of("POST /oauth/token").len(), 2);
}

#[test]
fn a_second_401_ends_the_run_with_all_rows_pending() {
    for auth in [
        oauth("client_credentials", "", "/oauth/token"),
        target("[auth]\nkind = \"bearer\"\nenv = \"T_ID\"\n"),
    ] {
        let case = Case::new(&auth, MAPPING, THREE, |request: &Request| {
            match request.path() {
                "/oauth/token" => {
                    Reply::json(200, json!({ "access_token": "t", "expires_in": 3600 }))
                }
                _ => Reply::json(401, json!({ "message": "who are you" })),
            }
        });
        let ran = case.import_with(&CLIENT, 3);
        assert_eq!(ran.json()["fates"]["pending"], 3);
        assert_eq!(ran.json()["finished"], false);
        let renewals = case.server.of("POST /oauth/token").len();
        assert_eq!(
            case.server.of("POST /c").len(),
            renewals.max(1),
            "one more only after a renewal"
        );
    }
}

#[test]
fn a_token_endpoint_that_refuses_ends_the_run_and_one_that_is_busy_is_asked_again() {
    let case = Case::new(
        &oauth("client_credentials", "", "/oauth/token"),
        MAPPING,
        ONE,
        |_: &Request| {
            Reply::json(
                400,
                json!({ "error": "invalid_client", "error_description": "no such client" }),
            )
        },
    );
    let ran = case.import_with(&CLIENT, 3);
    assert!(ran.stdout.contains("no such client"), "{}", ran.stdout);
    assert!(!ran.stdout.contains("s3cret"));
    let case = Case::new(
        &oauth("client_credentials", "", "/oauth/token"),
        MAPPING,
        ONE,
        |request: &Request| match (request.path(), request.number) {
            ("/oauth/token", 0) => Reply::status(429).with("Retry-After", "0"),
            ("/oauth/token", 1) => Reply::status(503),
            ("/oauth/token", _) => Reply::json(200, json!({ "access_token": "t" })),
            _ => made(request),
        },
    );
    let ran = case.import_with(&CLIENT, 0);
    assert_eq!(ran.json()["requests"]["limited"], 1);
}

#[test]
fn a_rotated_refresh_token_is_written_back_to_its_file() {
    let case = Case::new(
        &oauth("refresh_token", "token_body = \"form\"\n", "/oauth/token"),
        MAPPING,
        ONE,
        |request: &Request| match request.path() {
            "/oauth/token" => {
                let form = request.form();
                let token = form
                    .iter()
                    .find(|(name, _)| name == "refresh_token")
                    .unwrap();
                let next = format!("{}+", token.1);
                Reply::json(
                    200,
                    json!({ "access_token": "t", "expires_in": 3600, "refresh_token": next }),
                )
            }
            _ => made(request),
        },
    );
    let file = case.bench.file("secrets/refresh", "r1\n");
    let file = file.display().to_string();
    for (run, kept) in [(1, "r1+"), (2, "r1++")] {
        case.bench
            .file("in.csv", &format!("Id,Name,Email\nK{run},Ann,\n"));
        case.import_with(&[CLIENT[0], CLIENT[1], ("T_REFRESH_FILE", &file)], 0);
        assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), kept);
        let mode = std::fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
    case.bench.file("in.csv", "Id,Name,Email\nK9,Ann,\n");
    let ran = case.import_with(&[CLIENT[0], CLIENT[1], ("T_REFRESH", "x")], 0);
    assert!((ran.stdout + &ran.stderr).contains("T_REFRESH_FILE"));
}

#[test]
fn a_refresh_token_that_is_given_again_stays_in_its_file() {
    let token = "a-refresh-token-that-stays-as-it-is";
    let answer = json!({ "access_token": "t", "refresh_token": token });
    let case = Case::new(
        &oauth("refresh_token", "token_body = \"form\"\n", "/oauth/token"),
        MAPPING,
        ONE,
        move |request: &Request| match request.path() {
            "/oauth/token" => Reply::json(200, answer.clone()),
            _ => made(request),
        },
    );
    let file = case.bench.file("refresh", &format!("{token}\n"));
    let shown = file.display().to_string();
    case.import_with(&[CLIENT[0], CLIENT[1], ("T_REFRESH_FILE", &shown)], 0);
    assert_eq!(std::fs::read_to_string(&file).unwrap().trim(), token);
}

#[test]
fn a_403_is_the_runs_end_first_and_five_times_in_a_row_and_else_the_rows() {
    let rows = |count: usize| {
        let rows: String = (1..=count).map(|n| format!("K{n},N{n},\n")).collect();
        format!("Id,Name,Email\n{rows}")
    };
    let forbidden = || Reply::json(403, json!({ "message": "not for you" }));
    let case = Case::plain("[create]\npath = \"/c\"\n", &rows(8), move |_| forbidden());
    let ran = case.import(3);
    assert_eq!(
        (
            case.server.requests().len(),
            &ran.json()["fates"]["pending"]
        ),
        (1, &json!(8))
    );

    let case = Case::plain(
        "[create]\npath = \"/c\"\n",
        &rows(4),
        move |request| match request.number {
            1 => forbidden(),
            _ => made(request),
        },
    );
    case.import(1);
    assert_eq!(case.fates(), "created failed created created");

    let case = Case::plain(
        "[create]\npath = \"/c\"\n",
        &rows(9),
        move |request| match request.number {
            0 => made(request),
            _ => forbidden(),
        },
    );
    let ran = case.import(3);
    assert_eq!(case.server.requests().len(), 6);
    assert_eq!(ran.json()["fates"]["failed"], 4);
    assert_eq!(ran.json()["fates"]["pending"], 4);
}

#[test]
fn another_secret_asks_whose_it_is_and_a_rotating_token_does_not() {
    let auth = target("[auth]\nkind = \"bearer\"\nenv = \"T_TOKEN\"\n");
    let case = Case::new(&auth, MAPPING, ONE, made);
    case.import_with(&[("T_TOKEN", "one")], 0);
    let ran = case.import_with(&[("T_TOKEN", "two")], 2);
    assert!(
        ran.stderr.contains("--same-account") && ran.stderr.contains("--account"),
        "{}",
        ran.stderr
    );
    let ran = case
        .command(&["--account", "other"])
        .env("T_TOKEN", "two")
        .output()
        .unwrap();
    assert!(ran.status.success());
    assert_eq!(case.server.requests().len(), 2);
    let ran = case
        .command(&["--same-account"])
        .env("T_TOKEN", "two")
        .output()
        .unwrap();
    assert!(ran.status.success());
    case.import_with(&[("T_TOKEN", "two")], 0);
    assert_eq!(case.server.requests().len(), 2);

    // A public client: its refresh token is another after each run.
    let public =
        oauth("refresh_token", "", "/oauth/token").replace("secret_env = \"T_SECRET\"\n", "");
    let case = Case::new(&public, MAPPING, ONE, |request: &Request| {
        match request.path() {
            "/oauth/token" => Reply::json(
                200,
                json!({ "access_token": "t", "refresh_token": format!("r{}", request.number) }),
            ),
            _ => made(request),
        }
    });
    let file = case.bench.file("refresh", "first").display().to_string();
    for _ in 0..3 {
        let rows = format!("Id,Name,Email\nK{},Ann,\n", case.server.requests().len());
        case.bench.file("in.csv", &rows);
        case.import_with(&[("T_ID", "me"), ("T_REFRESH_FILE", &file)], 0);
    }
}

#[test]
fn a_token_address_elsewhere_must_be_safe_and_a_rehearsal_does_not_ask_there() {
    let elsewhere = oauth(
        "client_credentials",
        "token_body = \"json\"\n",
        "http://tokens.example/oauth/token",
    );
    let case = Case::new(&elsewhere, MAPPING, ONE, made);
    let ran = case.import_with(&CLIENT, 2);
    assert!(
        ran.stderr.contains("--insecure-http") && ran.stderr.contains("tokens.example"),
        "{}",
        ran.stderr
    );
    assert!(case.server.requests().is_empty());
    let here = oauth(
        "client_credentials",
        "token_body = \"json\"\n",
        "BASE/oauth/token",
    );
    let case = Case::new(&here, MAPPING, ONE, |_: &Request| Reply::status(500));
    let ran = case.command(&["--sandbox"]).output().unwrap();
    assert!(
        ran.status.success(),
        "{}",
        String::from_utf8_lossy(&ran.stdout)
    );
    assert!(
        case.server.requests().is_empty(),
        "{:?}",
        case.server.routes()
    );
}

#[test]
fn a_file_that_extends_another_replaces_one_fact_of_a_section() {
    let case = Case::new("", MAPPING, ONE, made);
    let base = HEAD.replace("BASE", &case.server.base()).replace(
        "[auth]\nkind = \"none\"\n",
        "[auth]\nkind = \"header\"\nheader = \"X-Key\"\nenv = \"T_KEY\"\n[headers]\nX-Tenant = { env = \"T_TENANT\", account = true }\n[read]\npath = \"/c/{{ id }}\"\n[list]\npath = \"/c\"\nresults = \"items\"\nby = \"email\"\npaging = { kind = \"cursor\", param = \"c\", next = \"n\" }\n",
    ) + "[create]\npath = \"/c\"\n";
    case.bench.file("base.toml", &base);
    case.target(
        "extends = \"base.toml\"\n[auth]\nenv = \"OTHER_KEY\"\n[headers]\nX-Tenant = { required = false }\n[read]\nrecord = \"data\"\n[list.paging]\nsize = 5\nsize_param = \"s\"\n[create]\nsuccess = [201]\n",
    );
    case.import_with(&[("OTHER_KEY", "k")], 0);
    let request = &case.server.requests()[0];
    assert_eq!(
        (request.header("x-key"), request.header("x-tenant")),
        (Some("k"), None)
    );
    // A way in as a whole replaces the other as a whole.
    case.target("extends = \"base.toml\"\n[auth]\nkind = \"bearer\"\nenv = \"T_TOKEN\"\n");
    case.bench.file("in.csv", &ONE.replace("K1", "K2"));
    case.import_with(&[("T_TOKEN", "t"), ("T_TENANT", "1")], 0);
    let request = &case.server.requests()[1];
    assert_eq!(
        (request.header("authorization"), request.header("x-key")),
        (Some("Bearer t"), None)
    );
}

#[test]
fn our_own_secret_is_not_told_where_the_target_says_it_back() {
    for (status, code) in [(401, 3), (400, 1), (500, 1)] {
        let target = format!("{HEAD}[create]\npath = \"/c\"\n")
            .replace("kind = \"none\"", "kind = \"bearer\"\nenv = \"T_TOKEN\"");
        let case = Case::new(&target, MAPPING, ONE, move |request: &Request| {
            let header = request.header("authorization").unwrap();
            Reply::json(
                status,
                json!({ "message": format!("not let in with {header}") }),
            )
        });
        let arguments = [
            "import",
            "in.csv",
            "--mapping",
            "m.toml",
            "--json",
            "--html",
            "page.html",
            "--issues",
            "issues.jsonl",
            "--wait-down",
            "0",
        ];
        let variables = [("T_TOKEN", "sekret-token-123")];
        let ran = case.bench.run_with(&variables, &arguments).expect(code);
        assert!(!ran.stderr.contains("sekret"), "{}", ran.stderr);
        assert!(!ran.stdout.contains("sekret"), "{}", ran.stdout);
        assert!(ran.stdout.contains("[secret]"), "{}", ran.stdout);
        for name in [
            "page.html",
            "issues.jsonl",
            "in.rejects.csv",
            "in.results.csv",
        ] {
            assert!(
                !case.bench.has(name) || !case.bench.read(name).contains("sekret"),
                "{name}"
            );
        }
    }
}

#[test]
fn a_base_url_with_a_password_is_refused_and_not_repeated() {
    let case = Case::plain("[create]\npath = \"/c\"\n", ONE, made);
    let address = case.server.base().replace("://", "://u:geheim@");
    let arguments = [
        "import",
        "in.csv",
        "-m",
        "m.toml",
        "--json",
        "--base-url",
        &address,
    ];
    let ran = case.bench.run(&arguments).expect(2);
    assert!(
        ran.stderr.contains("a user or a password"),
        "{}",
        ran.stderr
    );
    assert!(!format!("{}{}", ran.stderr, ran.stdout).contains("geheim"));
    assert!(case.server.requests().is_empty());
}

#[test]
fn a_secret_of_two_lines_is_a_mistake_that_names_its_variable() {
    let target = format!("{HEAD}[create]\npath = \"/c\"\n")
        .replace("kind = \"none\"", "kind = \"bearer\"\nenv = \"T_TOKEN\"");
    let case = Case::new(&target, MAPPING, ONE, made);
    let ran = case.import_with(&[("T_TOKEN", "sekret\nToken")], 2);
    assert!(ran.stderr.contains("T_TOKEN"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("sekret"), "{}", ran.stderr);
    // Nothing of it was kept: the right one is no other account's.
    case.import_with(&[("T_TOKEN", "sekretToken\n")], 0);
}

#[cfg(target_os = "linux")]
#[test]
fn a_summary_that_cannot_be_written_does_not_say_that_nothing_was_sent() {
    let case = Case::plain("[create]\npath = \"/c\"\n", ONE, made);
    let full = std::fs::File::options()
        .write(true)
        .open("/dev/full")
        .unwrap();
    let ran = case.command(&[]).stdout(full).output().unwrap();
    assert_eq!(ran.status.code(), Some(3));
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(
        said.contains("rowferry report") && said.contains("ledger"),
        "{said}"
    );
    assert_eq!(case.server.of("POST /c").len(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_whose_name_is_not_utf_8_is_imported_like_any_other() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let case = Case::plain("[create]\npath = \"/c\"\n", ONE, made);
    let folder = case.bench.path().join("f");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("a.csv"), THREE.replace('K', "A")).unwrap();
    if std::fs::write(folder.join(OsStr::from_bytes(b"k\xfcn.csv")), THREE).is_err() {
        return; // a file system that takes only UTF-8
    }
    std::fs::write(
        folder.join(OsStr::from_bytes(b"k\xf6n.csv")),
        ONE.replace('K', "X"),
    )
    .unwrap();
    let ran = case
        .bench
        .run(&["import", "f", "-m", "m.toml", "--json"])
        .expect(0);
    assert_eq!(ran.json()["fates"]["created"], 7);
    // Each has a results file of its own.
    let results = std::fs::read_dir(&folder).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().contains(".results")
    });
    assert_eq!(results.count(), 3);
    let named = OsStr::from_bytes(b"f/k\xfcn.csv");
    let again = case
        .bench
        .command(&["import", "-m", "m.toml", "--json"])
        .arg(named)
        .output();
    assert_eq!(again.unwrap().status.code(), Some(0));
    assert_eq!(case.server.of("POST /c").len(), 7);
}
