//! Each of the five systems from a spreadsheet to its records, played by a server in a process of its own.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::served::Served;
use common::{Bench, Ran, project};
use serde_json::{Value, json};

/// One system: its target, its credentials.
struct System {
    target: &'static str,
    variables: &'static [(&'static str, &'static str)],
    sample: &'static str,
    rows: u64,
}

const CUSTOMERS: &str = "samples/customers.csv";

const SYSTEMS: [System; 6] = [
    System {
        target: "sphinx",
        variables: &[
            ("SPHINX_CLIENT_ID", "me"),
            ("SPHINX_CLIENT_SECRET", "s3cret-s3cret"),
        ],
        sample: CUSTOMERS,
        rows: 312,
    },
    System {
        target: "flextell",
        variables: &[
            ("FLEXTELL_TOKEN", "s3cret-s3cret"),
            ("FLEXTELL_TENANT", "north"),
        ],
        sample: CUSTOMERS,
        rows: 312,
    },
    System {
        target: "kaiten",
        variables: &[("KAITEN_TOKEN", "s3cret-s3cret")],
        sample: CUSTOMERS,
        rows: 312,
    },
    System {
        target: "assembly",
        variables: &[("ASSEMBLY_API_KEY", "s3cret-s3cret")],
        sample: CUSTOMERS,
        rows: 312,
    },
    System {
        target: "cirqll",
        variables: &[("CIRQLL_TOKEN", "s3cret-s3cret")],
        sample: CUSTOMERS,
        rows: 312,
    },
    System {
        target: "assembly-companies",
        variables: &[("ASSEMBLY_API_KEY", "s3cret-s3cret")],
        sample: "samples/companies.csv",
        rows: 81,
    },
];

fn system(target: &str) -> &'static System {
    SYSTEMS
        .iter()
        .find(|system| system.target == target)
        .unwrap()
}

fn mapping(target: &str) -> String {
    project(&format!("mappings/{target}.toml"))
        .display()
        .to_string()
}

/// A spreadsheet with the sample's columns; what is not named is empty.
fn customers(rows: &[&[(&str, &str)]]) -> String {
    let sample = std::fs::read_to_string(project(CUSTOMERS)).unwrap();
    let header = sample.lines().next().unwrap();
    let names: Vec<&str> = header.split(',').collect();
    let mut text = format!("{header}\n");
    for row in rows {
        assert!(row.iter().all(|(name, _)| names.contains(name)), "{row:?}");
        let cells: Vec<String> = names
            .iter()
            .map(|name| {
                let cell = row
                    .iter()
                    .find(|(have, _)| have == name)
                    .map_or("", |(_, cell)| cell);
                format!("\"{}\"", cell.replace('"', "\"\""))
            })
            .collect();
        text.push_str(&cells.join(","));
        text.push('\n');
    }
    text
}

const NAOMI: &[(&str, &str)] = &[
    ("Customer Id", "0010042"),
    ("First Name", "Naomi"),
    ("Last Name", "St. Clair"),
    ("Nickname", "Nao"),
    ("Company", "Saltmarsh Gardens Inc."),
    ("Email", "Naomi.StClair@Example.COM"),
    ("Phone", "(202) 555-0139"),
    ("Country", "United States"),
    ("Street", "104 Old Mill Road"),
    ("City", "Cambridge"),
    ("Postal Code", "02139"),
    ("Date of Birth", "1996-05-19"),
    ("Gender", "F"),
    ("Type", "Person"),
    ("Services", "File sharing; Metrics"),
    ("Newsletter", "yes"),
    ("Notes", "Pays by invoice; 30 days"),
    ("Signup Date", "2021-09-05 17:45:34"),
    ("Next Contact", "2027-01-06"),
    ("Credit Limit", "4500.00"),
];

const ZOE: &[(&str, &str)] = &[
    ("Customer Id", "10059"),
    ("First Name", "Zoé"),
    ("Last Name", "Lefèvre"),
    ("Email", "zoe@example.org"),
    ("Phone", "06 12 34 56 78"),
    ("Country", "France"),
    ("City", "Nîmes"),
    ("Type", "Person"),
];

/// Refused by our own checks of every mapping.
const NOBODY: &[(&str, &str)] = &[("Customer Id", ""), ("Country", "Atlantis")];

/// Imports into a server, with the system's credentials and the summary as JSON.
fn import(bench: &Bench, served: &Served, target: &str, mapping: &str, input: &str) -> Ran {
    bench.run_with(
        system(target).variables,
        &[
            "import",
            input,
            "--mapping",
            mapping,
            "--base-url",
            &served.base_url,
            "--json",
        ],
    )
}

fn fates(ran: &Ran) -> Value {
    let summary = ran.json();
    let mut fates = summary["fates"].as_object().unwrap().clone();
    assert_eq!(fates.len(), 8);
    let sum: u64 = fates.values().map(|rows| rows.as_u64().unwrap()).sum();
    assert_eq!(json!(sum), summary["read"]);
    fates.retain(|_, rows| rows != &json!(0));
    fates.into()
}

#[test]
fn the_sample_is_imported_into_the_sandbox_of_each_system() {
    for system in &SYSTEMS {
        let bench = Bench::new();
        let input = project(system.sample).display().to_string();
        let mapping = mapping(system.target);
        let ran = bench
            .run(&[
                "import",
                &input,
                "--mapping",
                &mapping,
                "--sandbox",
                "--json",
                "--results",
                ".",
                "--rejects",
                ".",
            ])
            .expect(0);
        let mut summary = ran.json();
        let taken = |summary: &mut Value, name: &str| summary.as_object_mut().unwrap().remove(name);
        let seconds = taken(&mut summary, "seconds").unwrap();
        assert!(seconds.as_f64().unwrap() > 0.0);
        let run = taken(&mut summary, "run").unwrap();
        assert_eq!(run.as_str().unwrap().len(), 26, "{run}");
        let url = taken(&mut summary, "base_url").unwrap();
        assert!(
            url.as_str().unwrap().starts_with("http://127.0.0.1:"),
            "{url}"
        );
        let files = taken(&mut summary, "files").unwrap();
        let files = files.as_object().unwrap();
        assert_eq!(files.keys().collect::<Vec<_>>(), ["results", "ledger"]);
        let ledger = files["ledger"].as_str().unwrap();
        assert!(
            ledger.ends_with(&format!("{}.db", system.target)),
            "{ledger}"
        );
        let estimate = taken(&mut summary, "estimate").unwrap();
        assert_eq!(estimate["requests"], json!(system.rows));
        // Only Assembly says how fast it may be asked.
        let seconds = match system.target.starts_with("assembly") {
            true => json!((system.rows as f64 / 20.0 * 10.0).round() / 10.0),
            false => Value::Null,
        };
        assert_eq!(estimate["seconds"], seconds);
        // Members may be added.
        for added in ["notes", "unused_columns", "next"] {
            taken(&mut summary, added);
        }
        assert_eq!(
            summary,
            json!({
                "command": "import",
                "target": system.target,
                "mapping": mapping,
                "inputs": [input],
                "finished": true,
                "exit_code": 0,
                "read": system.rows,
                "fates": { "created": system.rows, "updated": 0, "unchanged": 0, "skipped": 0,
                           "rejected": 0, "failed": 0, "uncertain": 0, "pending": 0 },
                "requests": { "sent": system.rows, "retried": 0, "limited": 0, "lookups": 0 },
                "issues": [],
            }),
            "{}",
            system.target
        );
        let stem = system
            .sample
            .trim_start_matches("samples/")
            .trim_end_matches(".csv");
        let results = bench.read(&format!("{stem}.results.csv"));
        let mut lines = results.lines();
        assert_eq!(lines.next(), Some("row,key,fate,id,run,note"));
        assert_eq!(lines.clone().count() as u64, system.rows);
        assert!(lines.all(|line| line.contains(",created,")));
        assert!(!bench.has(&format!("{stem}.rejects.csv")));
    }
}

#[test]
fn the_sample_fills_a_server_and_a_second_run_sends_nothing() {
    for system in &SYSTEMS {
        let bench = Bench::new();
        // Assembly is asked 20 times a second: a part of the sample will do.
        let rows = 40;
        let mut sample = csv::Reader::from_path(project(system.sample)).unwrap();
        let mut part = csv::Writer::from_path(bench.path().join("sample.csv")).unwrap();
        part.write_record(sample.headers().unwrap()).unwrap();
        for record in sample.records().take(rows) {
            part.write_record(&record.unwrap()).unwrap();
        }
        part.flush().unwrap();
        let served = Served::start(&bench, &[system.target]);
        let mapping = mapping(system.target);
        let first = import(&bench, &served, system.target, &mapping, "sample.csv").expect(0);
        assert_eq!(fates(&first), json!({ "created": rows }));
        assert!(!first.stderr.contains("s3cret-s3cret"), "{}", first.stderr);
        let records = served.records();
        assert_eq!(records.len(), rows);
        let before = served.stats();
        assert_eq!(before["created"], json!(rows));
        let second = import(&bench, &served, system.target, &mapping, "sample.csv").expect(0);
        assert_eq!(fates(&second), json!({ "unchanged": rows }));
        assert_eq!(
            second.json()["requests"],
            json!({ "sent": 0, "retried": 0, "limited": 0, "lookups": 0 })
        );
        let sent: Vec<Value> = served
            .requests()
            .into_iter()
            .skip(before["requests"].as_u64().unwrap() as usize)
            .collect();
        assert!(
            sent.iter()
                .all(|request| request["path"].as_str().unwrap().contains("/oauth/")),
            "{sent:?}"
        );
        assert_eq!(served.records(), records);
        // The second results file has the ids of the first run.
        let results = bench.read("sample.results.csv");
        let ids: Vec<&str> = results
            .lines()
            .skip(1)
            .map(|line| line.rsplit(',').nth(2).unwrap())
            .collect();
        assert!(ids.iter().all(|id| !id.is_empty()));
    }
}

#[test]
fn sphinx_gets_a_free_object_of_details() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI, ZOE, NOBODY]));
    let served = Served::start(&bench, &["sphinx"]);
    let ran = import(&bench, &served, "sphinx", &mapping("sphinx"), "clients.csv").expect(1);
    assert_eq!(fates(&ran), json!({ "created": 2, "rejected": 1 }));
    assert_eq!(served.records().len(), 2);
    assert_eq!(
        served.record("/external_id", "0010042"),
        json!({
            "external_id": "0010042",
            "full_name": "Naomi St. Clair",
            "customer_type": "INDIVIDUAL",
            "input_details": {
                "email": "Naomi.StClair@example.com",
                "phone": "+12025550139",
                "dob": "1996-05-19",
                "aliases": ["Nao", "Nao St. Clair"],
                "company": "Saltmarsh Gardens Inc.",
                "newsletter": true,
                "credit_limit": 4500,
                "signed_up": "2021-09-05T17:45:34Z",
                "notes": "Pays by invoice; 30 days",
                "address": { "country": "USA", "street": "104 Old Mill Road", "city": "Cambridge",
                             "postal_code": "02139" },
            },
        })
    );
    assert_eq!(
        served.record("/external_id", "10059"),
        json!({
            "external_id": "10059",
            "full_name": "Zoé Lefèvre",
            "customer_type": "INDIVIDUAL",
            "input_details": {
                "email": "zoe@example.org",
                "phone": "+33612345678",
                "address": { "country": "FRA", "city": "Nîmes" },
            },
        })
    );
    let codes = codes(&ran);
    assert!(
        codes.contains(&("key.empty".into(), "A4".into())),
        "{codes:?}"
    );
    assert!(
        codes.contains(&("full_name.required".into(), "B4".into())),
        "{codes:?}"
    );
    assert!(
        codes.contains(&("address.country.invalid".into(), "H4".into())),
        "{codes:?}"
    );
    assert!(
        codes.contains(&("check".into(), String::new())),
        "{codes:?}"
    );
    // One token for all.
    let tokens = served
        .requests()
        .iter()
        .filter(|r| r["path"] == "/api/oauth/token/")
        .count();
    assert_eq!(tokens, 1);
}

/// The codes and cells of a summary's examples.
fn codes(ran: &Ran) -> Vec<(String, String)> {
    let summary = ran.json();
    let mut codes = Vec::new();
    for issue in summary["issues"].as_array().unwrap() {
        for example in issue["examples"].as_array().unwrap() {
            let cell = example["cell"].as_str().unwrap_or_default().to_owned();
            codes.push((issue["code"].as_str().unwrap().to_owned(), cell));
        }
    }
    codes
}

#[test]
fn sphinx_takes_a_token_of_the_dashboard_from_a_file() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI]));
    bench.file("token", "s3cret-s3cret\n");
    let served = Served::start(&bench, &["sphinx"]);
    let ran = bench
        .run_with(
            &[("SPHINX_TOKEN_FILE", "token")],
            &[
                "import",
                "clients.csv",
                "-m",
                &mapping("sphinx"),
                "--base-url",
                &served.base_url,
                "--json",
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran), json!({ "created": 1 }));
    assert_eq!(served.stats()["requests"], json!(1));
}

#[test]
fn flextell_gets_numbers_of_countries_and_the_tenant_in_a_header() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI, ZOE, NOBODY]));
    // The server lets in the tenant `north` only.
    bench.file(
        "north.target.toml",
        "extends = \"flextell\"\n[headers]\nX-Tenant = \"north\"\n",
    );
    let served = Served::start(&bench, &["./north.target.toml"]);
    let ran = import(
        &bench,
        &served,
        "flextell",
        &mapping("flextell"),
        "clients.csv",
    )
    .expect(1);
    assert_eq!(
        fates(&ran),
        json!({ "created": 2, "rejected": 1 }),
        "{}",
        ran.stdout
    );
    assert_eq!(
        served.record("/identity_number", "0010042"),
        json!({
            "first_name": "Naomi",
            "last_name": "St. Clair",
            "email": "Naomi.StClair@example.com",
            "phone_number": "+12025550139",
            "date_of_birth": "1996-05-19T00:00:00Z",
            "gender": "female",
            "country_id": 11,
            "identity_number": "0010042",
            "address": "104 Old Mill Road, 02139, Cambridge",
        })
    );
    assert_eq!(
        served.record("/identity_number", "10059")["country_id"],
        json!(13)
    );
    let codes = codes(&ran);
    assert!(
        codes.contains(&("country_id.invalid".into(), "H4".into())),
        "{codes:?}"
    );
    assert!(
        codes.contains(&("first_name.required".into(), "B4".into())),
        "{codes:?}"
    );

    // Another tenant is another account: its ledger knows nothing of the first.
    let south = bench.run_with(
        &[
            ("FLEXTELL_TOKEN", "s3cret-s3cret"),
            ("FLEXTELL_TENANT", "south"),
        ],
        &[
            "import",
            "clients.csv",
            "-m",
            &mapping("flextell"),
            "--base-url",
            &served.base_url,
            "--json",
        ],
    );
    assert_eq!(south.code, 1, "{}{}", south.stdout, south.stderr);
    assert_eq!(fates(&south), json!({ "failed": 2, "rejected": 1 }));
    assert!(south.stdout.contains("X-Tenant"), "{}", south.stdout);
}

#[test]
fn flextell_renews_its_token_and_keeps_the_new_one() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI]));
    let token = bench.file("refresh", "first-refresh\n");
    let served = Served::start(&bench, &["flextell"]);
    let ran = bench
        .run_with(
            &[
                ("FLEXTELL_CLIENT_ID", "me"),
                ("FLEXTELL_CLIENT_SECRET", "s3cret-s3cret"),
                ("FLEXTELL_REFRESH_TOKEN_FILE", token.to_str().unwrap()),
            ],
            &[
                "import",
                "clients.csv",
                "-m",
                &mapping("flextell"),
                "--base-url",
                &served.base_url,
                "--json",
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran), json!({ "created": 1 }));
    // The endpoint stands on the host, not under the base's path.
    assert_eq!(served.requests()[0]["path"], json!("/oauth/token"));
    let kept = bench.read("refresh");
    assert!(
        !kept.trim().is_empty() && kept.trim() != "first-refresh",
        "{kept}"
    );
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(
        std::fs::metadata(&token).unwrap().permissions().mode() & 0o777,
        0o600
    );
    // What was kept is good for the next run.
    bench.file("more.csv", &customers(&[ZOE]));
    let next = bench
        .run_with(
            &[
                ("FLEXTELL_CLIENT_ID", "me"),
                ("FLEXTELL_CLIENT_SECRET", "s3cret-s3cret"),
                ("FLEXTELL_REFRESH_TOKEN_FILE", token.to_str().unwrap()),
            ],
            &[
                "import",
                "more.csv",
                "-m",
                &mapping("flextell"),
                "--base-url",
                &served.base_url,
                "--json",
            ],
        )
        .expect(0);
    assert_eq!(fates(&next), json!({ "created": 1 }));
}

#[test]
fn kaiten_gets_a_slug_made_of_the_key() {
    let bench = Bench::new();
    let odd: &[(&str, &str)] = &[
        ("Customer Id", "Ext 12/É"),
        ("First Name", "Ann"),
        ("Last Name", "Byrne"),
    ];
    bench.file("clients.csv", &customers(&[NAOMI, odd, NOBODY]));
    bench.file("key", "s3cret-s3cret");
    let served = Served::start(&bench, &["kaiten"]);
    let ran = bench
        .run_with(
            &[("KAITEN_TOKEN_FILE", "key")],
            &[
                "import",
                "clients.csv",
                "-m",
                &mapping("kaiten"),
                "--base-url",
                &served.base_url,
                "--json",
            ],
        )
        .expect(1);
    assert_eq!(fates(&ran), json!({ "created": 2, "rejected": 1 }));
    assert_eq!(
        served.record("/externalCustomerId", "0010042"),
        json!({ "externalCustomerId": "0010042", "name": "Saltmarsh Gardens Inc.", "slug": "0010042" })
    );
    let folded = served.record("/externalCustomerId", "Ext 12/É");
    let slug = folded["slug"].as_str().unwrap();
    let (head, hash) = slug.rsplit_once('-').unwrap();
    assert_eq!(head, "ext-12-e");
    assert!(
        hash.len() == 10 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{slug}"
    );
    assert_eq!(folded["name"], json!("Ann Byrne"));
    // The results file gives the id that the server made.
    let ids: Vec<Value> = served
        .records()
        .iter()
        .map(|record| record["id"].clone())
        .collect();
    let results = bench.read("clients.results.csv");
    for id in ids {
        assert!(results.contains(id.as_str().unwrap()), "{id}: {results}");
    }
}

#[test]
fn assembly_gets_custom_fields_as_an_object_and_invites_nobody() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI, ZOE, NOBODY]));
    let served = Served::start(&bench, &["assembly"]);
    let ran = import(
        &bench,
        &served,
        "assembly",
        &mapping("assembly"),
        "clients.csv",
    )
    .expect(1);
    assert_eq!(fates(&ran), json!({ "created": 2, "rejected": 1 }));
    assert_eq!(
        served.record("/email", "naomi.stclair@example.com"),
        json!({
            "givenName": "Naomi",
            "familyName": "St. Clair",
            "email": "naomi.stclair@example.com",
            "companyId": "06c54816-0f99-41fa-8fc0-c7e1c667eb24",
            "customFields": {
                "services": ["fileSharing", "metrics"],
                "phoneNumber": "+12025550139",
                "address": {
                    "fullAddress": "104 Old Mill Road\n02139\nCambridge\nUnited States",
                    "country": "US",
                    "addressLine1": "104 Old Mill Road",
                    "city": "Cambridge",
                    "postalCode": "02139",
                },
            },
        })
    );
    assert_eq!(
        served.record("/email", "zoe@example.org"),
        json!({
            "givenName": "Zoé",
            "familyName": "Lefèvre",
            "email": "zoe@example.org",
            "customFields": {
                "phoneNumber": "+33612345678",
                "address": { "fullAddress": "Nîmes\nFrance", "country": "FR" },
            },
        })
    );
    for request in served.requests() {
        assert_eq!(request["path"], json!("/v1/clients"));
        assert_eq!(request["query"], json!("sendInvite=false"));
    }
}

#[test]
fn cirqll_gets_pairs_of_numbers_and_texts() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI, ZOE, NOBODY]));
    let served = Served::start(&bench, &["cirqll"]);
    assert!(served.base_url.ends_with("/api"), "{}", served.base_url);
    let ran = import(&bench, &served, "cirqll", &mapping("cirqll"), "clients.csv").expect(1);
    assert_eq!(fates(&ran), json!({ "created": 2, "rejected": 1 }));
    assert_eq!(
        served.record("/phone", "+12025550139"),
        json!({
            "name": "Saltmarsh Gardens Inc.",
            "description": "Pays by invoice; 30 days",
            "email": "Naomi.StClair@example.com",
            "phone": "+12025550139",
            "next_contact": "2027-01-06T00:00:00Z",
            "show_on_map": true,
            "field_values": [
                { "field_id": 101, "value": "0010042" },
                { "field_id": 102, "value": "1996-05-19" },
                { "field_id": 103, "value": "true" },
                { "field_id": 104, "value": "4500" },
                { "field_id": 105, "value": "File sharing, Metrics" },
            ],
        })
    );
    assert_eq!(
        served.record("/phone", "+33612345678"),
        json!({
            "name": "Zoé Lefèvre",
            "email": "zoe@example.org",
            "phone": "+33612345678",
            "show_on_map": true,
            "field_values": [{ "field_id": 101, "value": "10059" }],
        })
    );
}

#[test]
fn cirqll_is_let_in_by_a_refresh_token() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[ZOE]));
    let served = Served::start(&bench, &["cirqll"]);
    let ran = bench
        .run_with(
            &[
                ("CIRQLL_CLIENT_ID", "me"),
                ("CIRQLL_CLIENT_SECRET", "s3cret-s3cret"),
                ("CIRQLL_REFRESH_TOKEN", "first-refresh"),
            ],
            &[
                "import",
                "clients.csv",
                "-m",
                &mapping("cirqll"),
                "--base-url",
                &served.base_url,
                "--json",
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran), json!({ "created": 1 }));
    // The new token came to nowhere where it could be kept, which is said.
    let notes = ran.json()["notes"].to_string();
    assert!(notes.contains("CIRQLL_REFRESH_TOKEN"), "{notes}");
    assert!(!ran.stdout.contains("first-refresh") && !ran.stderr.contains("first-refresh"));
}

#[test]
fn companies_go_first_and_clients_find_their_ids() {
    let bench = Bench::new();
    bench.file("companies.csv", "Company,Website,Country,Employees\n\"Harbour & Sons, Ltd\",https://harbour.example,United Kingdom,12\nSaltmarsh Gardens Inc.,,United States,292\n");
    let served = Served::start(&bench, &["assembly-companies"]);
    let ran = bench.run_with(
        system("assembly").variables,
        &[
            "import",
            "companies.csv",
            "-m",
            &mapping("assembly-companies"),
            "--base-url",
            &served.base_url,
            "--results",
            "maps/companies.results.csv",
            "--json",
        ],
    );
    // The folder of the results must be there.
    assert_eq!(ran.code, 2, "{}{}", ran.stdout, ran.stderr);
    assert!(served.records().is_empty());
    std::fs::create_dir(bench.path().join("maps")).unwrap();
    let ran = bench
        .run_with(
            system("assembly").variables,
            &[
                "import",
                "companies.csv",
                "-m",
                &mapping("assembly-companies"),
                "--base-url",
                &served.base_url,
                "--results",
                "maps/companies.results.csv",
                "--json",
            ],
        )
        .expect(0);
    assert_eq!(fates(&ran), json!({ "created": 2 }));
    let company = served
        .records()
        .into_iter()
        .find(|r| r["name"] == "Saltmarsh Gardens Inc.")
        .unwrap();
    assert_eq!(company["customFields"], json!({ "employees": 292 }));
    // The server's ids are numbers; Assembly's companyId is a text.
    let id = company["id"].to_string();

    let text = std::fs::read_to_string(project("mappings/assembly.toml")).unwrap();
    let text = text.replace(
        "lookup = \"company-ids.csv\"",
        "lookup = { file = \"companies.results.csv\", key = \"key\", value = \"id\" }",
    );
    bench.file("maps/clients.toml", &text);
    let stranger: &[(&str, &str)] = &[
        ("Customer Id", "3"),
        ("First Name", "Ann"),
        ("Last Name", "Byrne"),
        ("Email", "ann@example.net"),
        ("Company", "Saltmarsh Garden Inc."),
        ("Country", "Ireland"),
    ];
    bench.file("clients.csv", &customers(&[NAOMI, stranger]));
    let clients = Served::start(&bench, &["assembly"]);
    let ran = import(
        &bench,
        &clients,
        "assembly",
        "maps/clients.toml",
        "clients.csv",
    )
    .expect(1);
    assert_eq!(fates(&ran), json!({ "created": 1, "rejected": 1 }));
    assert_eq!(clients.records()[0]["companyId"], json!(id));
    let summary = ran.json();
    let issue = &summary["issues"][0];
    assert_eq!(issue["code"], json!("companyId.lookup"));
    assert_eq!(issue["examples"][0]["cell"], json!("E3"));
    // The nearest name is named.
    assert!(
        issue["message"]
            .as_str()
            .unwrap()
            .contains("Saltmarsh Gardens Inc."),
        "{issue}"
    );
}

/// A server that is stricter than its description: the row passes our checks, and what the server
/// says of it stands at the cell that the field came from.
#[test]
fn a_refusal_of_the_server_stands_at_the_cell_with_its_own_words() {
    struct Case {
        target: &'static str,
        strict: &'static str,
        status: u16,
        cells: &'static [(&'static str, &'static str)],
    }
    let cases = [
        Case {
            target: "sphinx",
            strict: "full_name = { type = \"text\", required = true, max_length = 12 }",
            status: 400,
            cells: &[("full_name", "B2")],
        },
        Case {
            target: "flextell",
            strict: "last_name = { type = \"text\", required = true, max_length = 8 }",
            status: 422,
            cells: &[("last_name", "C2")],
        },
        Case {
            target: "kaiten",
            strict: "name = { type = \"text\", required = true, max_length = 12 }",
            status: 422,
            cells: &[("name", "E2")],
        },
        Case {
            target: "assembly",
            strict: "familyName = { type = \"text\", required = true, max_length = 8 }",
            status: 422,
            cells: &[("familyName", "C2")],
        },
        Case {
            target: "cirqll",
            strict: "description = { type = \"text\", max_length = 8 }\nphone = { type = \"text\", max_length = 8 }",
            status: 422,
            cells: &[("description", "Q2"), ("phone", "G2")],
        },
    ];
    for Case {
        target,
        strict,
        status,
        cells,
    } in cases
    {
        let bench = Bench::new();
        bench.file("clients.csv", &customers(&[NAOMI]));
        bench.file(
            "strict.target.toml",
            &format!("extends = \"{target}\"\n[fields]\n{strict}\n"),
        );
        let served = Served::start(&bench, &["./strict.target.toml"]);
        let ran = import(&bench, &served, target, &mapping(target), "clients.csv").expect(1);
        assert_eq!(fates(&ran), json!({ "failed": 1 }), "{target}");
        assert!(served.records().is_empty());
        let summary = ran.json();
        let issues = summary["issues"].as_array().unwrap();
        for (field, cell) in cells {
            let issue = issues
                .iter()
                .find(|issue| issue["field"] == *field)
                .unwrap_or_else(|| panic!("{target} {field}: {issues:#?}"));
            assert_eq!(issue["code"], json!(format!("target.{status}")));
            assert_eq!(issue["fate"], json!("failed"));
            let example = &issue["examples"][0];
            assert_eq!(example["row"], json!(2));
            assert_eq!(
                example["cell"].as_str().unwrap_or_default(),
                *cell,
                "{target} {field}"
            );
            let message = example["message"].as_str().unwrap();
            assert!(message.contains("at most"), "{target}: {message}");
            assert!(!message.contains('\n'), "{target}: {message}");
        }
        let rejects = bench.read("clients.rejects.csv");
        assert!(
            rejects.contains(&format!(",failed,target.{status}")),
            "{target}: {rejects}"
        );
        // A failed row is sent again, once per run, and is in the results file with its fate.
        let again = import(&bench, &served, target, &mapping(target), "clients.csv").expect(1);
        assert_eq!(fates(&again), json!({ "failed": 1 }), "{target}");
        assert_eq!(
            again.json()["requests"]["sent"],
            json!(1),
            "{target}: {:?}",
            served.requests()
        );
        assert!(bench.read("clients.results.csv").contains(",failed,"));
    }
}

/// A refusal of one custom field of a list of pairs, told by its place in the list.
#[test]
fn a_refusal_of_a_custom_field_stands_at_its_own_column() {
    let bench = Bench::new();
    bench.file("clients.csv", &customers(&[NAOMI]));
    // The server wants numbers for values, as no real one does: each pair is refused by its index.
    bench.file(
        "strict.target.toml",
        "extends = \"cirqll\"\n[custom]\nat = \"field_values\"\nshape = \"pairs\"\nkey = \"field_number\"\nvalue = \"value\"\n",
    );
    let served = Served::start(&bench, &["./strict.target.toml"]);
    let ran = import(&bench, &served, "cirqll", &mapping("cirqll"), "clients.csv").expect(1);
    let summary = ran.json();
    let issues = summary["issues"].as_array().unwrap();
    let cells: Vec<&str> = issues
        .iter()
        .flat_map(|issue| issue["examples"].as_array().unwrap())
        .filter_map(|example| example["cell"].as_str())
        .collect();
    for cell in ["A2", "L2", "P2", "T2", "O2"] {
        assert!(cells.contains(&cell), "{cell}: {issues:#?}");
    }
}

#[test]
fn a_wrong_secret_stops_the_run_before_any_row_is_lost() {
    for (target, variables) in [
        ("kaiten", vec![("KAITEN_TOKEN", "wrong")]),
        ("assembly", vec![("ASSEMBLY_API_KEY", "wrong")]),
        (
            "sphinx",
            vec![
                ("SPHINX_CLIENT_ID", "me"),
                ("SPHINX_CLIENT_SECRET", "wrong"),
            ],
        ),
    ] {
        let bench = Bench::new();
        bench.file("clients.csv", &customers(&[NAOMI, ZOE]));
        let served = Served::start(&bench, &[target]);
        let arguments = [
            "import",
            "clients.csv",
            "-m",
            &mapping(target),
            "--base-url",
            &served.base_url,
            "--json",
        ];
        let ran = bench.run_with(&variables, &arguments).expect(3);
        assert_eq!(fates(&ran), json!({ "pending": 2 }), "{target}");
        let summary = ran.json();
        assert_eq!(summary["finished"], json!(false));
        let stopped = summary["stopped"].as_str().unwrap();
        assert!(stopped.contains("401"), "{target}: {stopped}");
        assert!(served.records().is_empty());
    }
}
