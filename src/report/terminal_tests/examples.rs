//! Summaries of runs of many kinds.

use super::*;

pub(super) fn fates(counts: &[(Fate, u64)]) -> Fates {
    let mut fates = Fates::default();
    for &(fate, rows) in counts {
        fates.add(fate, rows);
    }
    fates
}

pub(super) fn example(row: u64, cell: &str, value: &str, message: &str) -> Example {
    Example {
        row,
        line: Some(if row == 31 { 33 } else { row }),
        cell: (!cell.is_empty()).then(|| format!("{cell}{row}")),
        value: (!cell.is_empty()).then(|| value.to_owned()),
        message: message.to_owned(),
        ..Example::default()
    }
}

pub(super) fn group(
    code: &str,
    column: &str,
    count: u64,
    fate: Fate,
    severity: &'static str,
    examples: Vec<Example>,
) -> IssueGroup {
    IssueGroup {
        code: code.to_owned(),
        column: (!column.is_empty()).then(|| column.to_owned()),
        field: None,
        count,
        fate: fate.name(),
        severity,
        message: examples[0].message.clone(),
        examples,
    }
}

pub(super) fn clean_check() -> Summary {
    Summary {
        command: "check",
        target: "sphinx".into(),
        mapping: "mappings/sphinx.toml".into(),
        inputs: vec!["samples/customers.csv".into()],
        finished: true,
        read: 300,
        fates: fates(&[(Fate::Created, 300)]),
        estimate: Some(Estimate {
            requests: 300,
            seconds: Some(15.0),
        }),
        seconds: 0.08,
        unused_columns: vec!["Fax".into()],
        bodies: vec![json!({
            "external_id": "C-0001", "name": "Müller & Söhne GmbH", "email": "info@mueller.example",
            "phone": "+4930123456", "address": {"street": "Hauptstraße 1", "city": "Berlin", "country": "DE"},
            "tags": ["vip", "2024"], "active": true, "score": 4.5, "since": "2019-04-01", "note": null,
        })],
        next: Some("rowferry import samples/customers.csv --mapping mappings/sphinx.toml".into()),
        ..Summary::default()
    }
}

fn problems(fate: Fate) -> Vec<IssueGroup> {
    let mail = "There is no domain after the `@`; an address looks like name@example.com.";
    vec![
        group(
            "email.invalid",
            "Email",
            21,
            fate,
            "error",
            vec![
                example(17, "D", "bob@", mail),
                example(
                    31,
                    "D",
                    "jane.doe@@example.com, jane@example.com; j@example.com",
                    mail,
                ),
                example(90, "D", "", mail),
            ],
        ),
        group(
            "country.unknown",
            "Country of residence",
            12,
            fate,
            "error",
            vec![
                example(
                    18,
                    "H",
                    "Deutschlnd",
                    "`Deutschlnd` is no country; write a code such as DE, or add it to the field's `map`.",
                ),
                example(
                    40,
                    "H",
                    "U K",
                    "`U K` is no country; write a code such as DE, or add it to the field's `map`.",
                ),
            ],
        ),
        group(
            "row.ragged",
            "",
            1,
            fate,
            "error",
            vec![example(
                700,
                "",
                "",
                "The row has 13 cells and the header 12; a comma may lack its quotes.",
            )],
        ),
    ]
}

fn extension() -> IssueGroup {
    group(
        "phone.extension",
        "Phone",
        4,
        Fate::Created,
        "warning",
        vec![
            example(3, "E", "030 1234 ext. 5", "The extension is dropped."),
            example(8, "E", "030 1234 x77", "The extension is dropped."),
        ],
    )
}

pub(super) fn messy_check() -> Summary {
    let mut issues = problems(Fate::Rejected);
    issues.push(extension());
    Summary {
        command: "check",
        target: "assembly".into(),
        mapping: "assembly.toml".into(),
        inputs: vec!["clients.xlsx".into()],
        finished: true,
        exit_code: 1,
        read: 12_000,
        fates: fates(&[
            (Fate::Created, 11_956),
            (Fate::Skipped, 10),
            (Fate::Rejected, 34),
        ]),
        issues,
        estimate: Some(Estimate {
            requests: 11_956,
            seconds: Some(597.8),
        }),
        files: Files {
            rejects: Some("clients.rejects.csv".into()),
            ..Files::default()
        },
        seconds: 0.31,
        notes: vec!["The sheet `Archive` is hidden and was not read.".into()],
        duplicates: 10,
        next: Some("mend clients.rejects.csv, or import the rows that are good:\nrowferry import clients.xlsx --mapping assembly.toml".into()),
        ..Summary::default()
    }
}

pub(super) fn failed_import() -> Summary {
    let mut issues = problems(Fate::Rejected);
    issues.push(group(
        "target.422",
        "Slug",
        2,
        Fate::Failed,
        "error",
        vec![
            example(
                5,
                "B",
                "acme",
                "The target answered 422: slug has already been taken",
            ),
            example(
                6,
                "B",
                "acme-2",
                "The target answered 422: slug has already been taken",
            ),
        ],
    ));
    issues.push(extension());
    Summary {
        command: "import",
        target: "kaiten".into(),
        base_url: "https://acme.kaiten.example/api/latest".into(),
        mapping: "kaiten.toml".into(),
        inputs: vec!["clients.csv".into()],
        run: Some("01JD3Z7Q8K6V0V0C7Y2M5T9XNR".into()),
        finished: true,
        exit_code: 1,
        read: 1_000,
        fates: fates(&[
            (Fate::Created, 903),
            (Fate::Unchanged, 50),
            (Fate::Skipped, 10),
            (Fate::Rejected, 34),
            (Fate::Failed, 2),
            (Fate::Uncertain, 1),
        ]),
        requests: Requests {
            sent: 909,
            retried: 3,
            limited: 2,
            lookups: 1,
        },
        issues,
        files: Files {
            rejects: Some("clients.rejects.csv".into()),
            results: Some("clients.results.csv".into()),
            ledger: Some("/home/jane/.local/state/rowferry/kaiten-1f3a9c.db".into()),
            ..Files::default()
        },
        seconds: 48.9,
        next: Some("rowferry import clients.rejects.csv --mapping kaiten.toml".into()),
        ..Summary::default()
    }
}

pub(super) fn stopped_import() -> Summary {
    Summary {
        command: "import",
        target: "flextell".into(),
        base_url: "https://api.flextell.example".into(),
        mapping: "flextell.toml".into(),
        inputs: vec!["a.csv".into(), "b.csv".into()],
        run: Some("01JD3Z7Q8K6V0V0C7Y2M5T9XNR".into()),
        finished: false,
        exit_code: 3,
        read: 5_000,
        fates: fates(&[(Fate::Created, 1_200), (Fate::Pending, 3_800)]),
        requests: Requests {
            sent: 1_204,
            ..Requests::default()
        },
        files: Files {
            ledger: Some("/home/jane/.local/state/rowferry/flextell-77ab01.db".into()),
            ..Files::default()
        },
        seconds: 75.0,
        per_input: vec![
            InputSummary {
                input: "a.csv".into(),
                read: 1_200,
                fates: fates(&[(Fate::Created, 1_200)]),
                files: Files {
                    results: Some("a.results.csv".into()),
                    ..Files::default()
                },
            },
            InputSummary {
                input: "b.csv".into(),
                read: 3_800,
                fates: fates(&[(Fate::Pending, 3_800)]),
                files: Files::default(),
            },
        ],
        stopped: Some("the target does not let us in any more (401 on POST /clients); check the token in FLEXTELL_TOKEN.".into()),
        next: Some("rowferry import a.csv b.csv --mapping flextell.toml".into()),
        ..Summary::default()
    }
}

pub(super) fn all() -> [Summary; 4] {
    [
        clean_check(),
        messy_check(),
        failed_import(),
        stopped_import(),
    ]
}
