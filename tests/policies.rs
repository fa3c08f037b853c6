//! What a mapping's `[policy]` says about rows that stand twice and customers that are there already.
#![allow(clippy::unwrap_used)] // the functions here are parts of tests

mod common;

use common::Bench;
use common::served::Served;
use serde_json::{Value, json};

/// A system and the fields that the sheet's columns go to. `Note` goes to a field that may change.
struct System {
    target: &'static str,
    variables: &'static [(&'static str, &'static str)],
    fields: &'static str,
    /// The field that `Note` goes to.
    note: &'static str,
    /// What is refused before the first row, as nothing can find a record.
    cannot: &'static [&'static str],
}

const SYSTEMS: [System; 5] = [
    System {
        target: "sphinx",
        variables: &[("SPHINX_TOKEN", "s3cret-s3cret")],
        fields: "external_id = \"Id\"\nfull_name = \"Note\"\n",
        note: "full_name",
        cannot: &["skip", "reject"],
    },
    System {
        target: "flextell",
        variables: &[("FLEXTELL_TOKEN", "s3cret-s3cret")],
        fields: "first_name = \"First\"\nlast_name = \"Last\"\nemail = \"Email\"\njob = \"Note\"\n\
                 country_id = { value = 11 }\nuser_id = { value = 7 }\n",
        note: "job",
        cannot: &[],
    },
    System {
        target: "kaiten",
        variables: &[("KAITEN_TOKEN", "s3cret-s3cret")],
        fields: "externalCustomerId = \"Id\"\nname = \"Note\"\n",
        note: "name",
        cannot: &[],
    },
    System {
        target: "assembly",
        variables: &[("ASSEMBLY_API_KEY", "s3cret-s3cret")],
        fields: "givenName = \"First\"\nfamilyName = \"Note\"\nemail = \"Email\"\ncompanyId = { value = \"c-1\" }\n",
        note: "familyName",
        cannot: &[],
    },
    System {
        target: "cirqll",
        variables: &[("CIRQLL_TOKEN", "s3cret-s3cret")],
        fields: "name = \"Last\"\nemail = \"Email\"\ndescription = \"Note\"\n",
        note: "description",
        cannot: &[],
    },
];

fn mapping(system: &System, policy: &str) -> String {
    format!(
        "target = \"{}\"\n[row]\nkey = \"Id\"\n[fields]\n{}\n[policy]\n{policy}\n",
        system.target, system.fields
    )
}

/// The fates that are not zero.
fn fates(summary: &Value) -> Value {
    let mut fates = summary["fates"].as_object().unwrap().clone();
    fates.retain(|_, rows| rows != &json!(0));
    fates.into()
}

const HEADER: &str = "Id,First,Last,Email,Note\n";

/// Another ledger than that of the first run: the customers came into the account by another way.
#[test]
fn what_the_target_has_already_is_skipped_updated_or_refused() {
    for system in &SYSTEMS {
        for existing in ["skip", "update", "reject"] {
            let bench = Bench::new();
            let served = Served::start(&bench, &[system.target]);
            let import = |input: &str, policy: &str, ledger: &str| {
                bench.file("m.toml", &mapping(system, policy));
                let arguments = [
                    "import",
                    input,
                    "-m",
                    "m.toml",
                    "--json",
                    "--base-url",
                    &served.base_url,
                    "--ledger",
                    ledger,
                ];
                bench.run_with(system.variables, &arguments)
            };
            bench.file(
                "old.csv",
                &format!("{HEADER}ext-1,Ann,Byrne,ann@example.com,Before\n"),
            );
            bench.file(
                "new.csv",
                &format!("{HEADER}ext-1,Ann,Byrne,ann@example.com,After\next-2,Bob,Cole,bob@example.com,New\n"),
            );
            import("old.csv", "", "one.db").expect(0);
            let ran = import("new.csv", &format!("existing = \"{existing}\""), "two.db");
            let name = format!("{} {existing}: {}{}", system.target, ran.stdout, ran.stderr);
            if system.cannot.contains(&existing) {
                assert_eq!(ran.code, 2, "{name}");
                assert!(ran.stderr.contains("existing"), "{name}");
                assert_eq!(served.records().len(), 1);
                continue;
            }
            let (code, expected, note) = match existing {
                "skip" => (0, json!({ "created": 1, "unchanged": 1 }), "Before"),
                "update" => (0, json!({ "created": 1, "updated": 1 }), "After"),
                _ => (1, json!({ "created": 1, "rejected": 1 }), "Before"),
            };
            assert_eq!(ran.code, code, "{name}");
            let summary = ran.json();
            assert_eq!(fates(&summary), expected, "{name}");
            let records = served.records();
            assert_eq!(records.len(), 2, "{name}");
            assert_eq!(records[0][system.note], json!(note), "{name}");
            assert_eq!(records[1][system.note], json!("New"), "{name}");
            // The record that was there is named in the results file.
            let id = records[0]["id"].to_string();
            let first = bench
                .read("new.results.csv")
                .lines()
                .nth(1)
                .unwrap()
                .to_owned();
            if existing == "reject" {
                let example = &summary["issues"][0]["examples"][0];
                assert_eq!(example["row"], json!(2), "{name}");
            } else if system.target != "sphinx" {
                assert!(first.contains(id.trim_matches('"')), "{name}: {first}");
            }
            // Once more: nothing is left to do.
            let again = import("new.csv", &format!("existing = \"{existing}\""), "two.db");
            let again = again.expect(code).json();
            match existing {
                "reject" => assert_eq!(
                    fates(&again),
                    json!({ "unchanged": 1, "rejected": 1 }),
                    "{name}"
                ),
                _ => {
                    assert_eq!(fates(&again), json!({ "unchanged": 2 }), "{name}");
                    assert_eq!(again["requests"]["sent"], json!(0), "{name}");
                }
            }
        }
    }
}

#[test]
fn a_row_that_changed_is_updated_only_where_the_policy_says_so() {
    let system = &SYSTEMS[2];
    let bench = Bench::new();
    let served = Served::start(&bench, &[system.target]);
    let import = |policy: &str| {
        bench.file("m.toml", &mapping(system, policy));
        let arguments = [
            "import",
            "c.csv",
            "-m",
            "m.toml",
            "--json",
            "--base-url",
            &served.base_url,
        ];
        bench.run_with(system.variables, &arguments)
    };
    bench.file(
        "c.csv",
        &format!("{HEADER}ext-1,Ann,Byrne,ann@example.com,Before\n"),
    );
    import("").expect(0);
    bench.file(
        "c.csv",
        &format!("{HEADER}ext-1,Ann,Byrne,ann@example.com,After\n"),
    );
    let ran = import("").expect(0);
    assert_eq!(fates(&ran.json()), json!({ "skipped": 1 }));
    assert!(bench.read("c.results.csv").contains("changed"));
    let ran = import("existing = \"update\"").expect(0);
    assert_eq!(fates(&ran.json()), json!({ "updated": 1 }));
    assert_eq!(served.records()[0]["name"], json!("After"));
    assert_eq!(served.records().len(), 1);
}

#[test]
fn rows_with_one_key_are_refused_or_the_first_or_the_last_counts() {
    let system = &SYSTEMS[2];
    let rows = format!("{HEADER}k-1,,,,One\nk-2,,,,Two\nk-1,,,,Other\nk-1,,,,One\n");
    for (policy, code, expected, name, results) in [
        (
            "",
            1,
            json!({ "created": 2, "skipped": 1, "rejected": 1 }),
            "One",
            ["created", "created", "rejected", "skipped"],
        ),
        (
            "duplicates = \"first\"",
            0,
            json!({ "created": 2, "skipped": 2 }),
            "One",
            ["created", "created", "skipped", "skipped"],
        ),
        (
            "duplicates = \"last\"",
            0,
            json!({ "created": 2, "skipped": 2 }),
            "One",
            ["skipped", "created", "skipped", "created"],
        ),
    ] {
        for stdin in [false, true] {
            let bench = Bench::new();
            bench.file("m.toml", &mapping(system, policy));
            bench.file("stdin", "");
            let served = Served::start(&bench, &[system.target]);
            let input = if stdin { "-" } else { "c.csv" };
            bench.file("c.csv", &rows);
            let mut command = bench.command(&[
                "import",
                input,
                "-m",
                "m.toml",
                "--json",
                "--base-url",
                &served.base_url,
            ]);
            command.envs(system.variables.iter().copied());
            if stdin {
                command.stdin(std::fs::File::open(bench.path().join("c.csv")).unwrap());
            }
            let output = command.output().unwrap();
            assert_eq!(
                output.status.code(),
                Some(code),
                "{policy} {}",
                String::from_utf8_lossy(&output.stderr)
            );
            let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(fates(&summary), expected, "{policy}");
            let k1 = served.record("/externalCustomerId", "k-1");
            assert_eq!(k1["name"], json!(name), "{policy}");
            let stem = if stdin { "stdin" } else { "c" };
            let text = bench.read(&format!("{stem}.results.csv"));
            let fates: Vec<&str> = text
                .lines()
                .skip(1)
                .map(|line| line.split(',').nth(2).unwrap())
                .collect();
            assert_eq!(fates, results, "{policy}: {text}");
        }
    }
}

#[test]
fn a_key_that_another_mapping_uses_is_a_conflict_unless_both_name_a_space() {
    let system = &SYSTEMS[2];
    let bench = Bench::new();
    let served = Served::start(&bench, &[system.target]);
    let import = |name: &str, row: &str, text: &str| {
        bench.file(
            name,
            &mapping(system, "").replace("[fields]", &format!("{row}\n[fields]")),
        );
        bench.file("c.csv", text);
        let arguments = [
            "import",
            "c.csv",
            "-m",
            name,
            "--json",
            "--base-url",
            &served.base_url,
        ];
        bench.run_with(system.variables, &arguments)
    };
    import("one.toml", "", &format!("{HEADER}k-1,,,,One\n")).expect(0);
    // The same body is the same customer.
    let same = import("two.toml", "", &format!("{HEADER}k-1,,,,One\n")).expect(0);
    assert_eq!(fates(&same.json()), json!({ "unchanged": 1 }));
    let other = import("two.toml", "", &format!("{HEADER}k-1,,,,Other\n")).expect(1);
    let summary = other.json();
    assert_eq!(fates(&summary), json!({ "rejected": 1 }));
    assert_eq!(summary["issues"][0]["code"], json!("key.conflict"));
    assert_eq!(summary["issues"][0]["examples"][0]["cell"], json!("A2"));
    // A space of its own makes it another customer.
    let own = import(
        "two.toml",
        "space = \"shop\"",
        &format!("{HEADER}k-1,,,,Other\n"),
    );
    let summary = own.json();
    assert_ne!(summary["fates"]["rejected"], json!(1), "{summary}");
    assert_eq!(summary["requests"]["sent"], json!(1));
}
