//! How summaries look, at two widths.

use insta::assert_snapshot;
use serde_json::json;

use super::*;
use crate::record::Fate;

fn fates(counts: &[(Fate, u64)]) -> Fates {
    let mut fates = Fates::default();
    for &(fate, rows) in counts {
        fates.add(fate, rows);
    }
    fates
}

fn example(row: u64, cell: &str, value: &str, message: &str) -> Example {
    Example {
        row,
        line: Some(if row == 31 { 33 } else { row }),
        cell: (!cell.is_empty()).then(|| format!("{cell}{row}")),
        value: (!cell.is_empty()).then(|| value.to_owned()),
        message: message.to_owned(),
        ..Example::default()
    }
}

fn group(
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

fn clean_check() -> Summary {
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

fn messy_check() -> Summary {
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

fn failed_import() -> Summary {
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

fn stopped_import() -> Summary {
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

#[test]
fn a_clean_check_at_80_columns() {
    assert_snapshot!(terminal(&clean_check(), 80, false), @r#"
    All 300 rows of samples/customers.csv can go to sphinx.
    mapping mappings/sphinx.toml

      created    300  would be sent
      read       300  in all

    The first body as it would be sent
      {
        "external_id": "C-0001",
        "name": "Müller & Söhne GmbH",
        "email": "info@mueller.example",
        "phone": "+4930123456",
        "address": {"street":"Hauptstraße 1","city":"Berlin","country":"DE"},
        "tags": ["vip","2024"],
        "active": true,
        "score": 4.5,
        … 2 more members
      }

    Notes
      - The mapping does not use the column Fax.

    Checked in 0.1 s; nothing was sent. The import would take about 15 s: 300
    requests at 20/s.
    Next: rowferry import samples/customers.csv --mapping mappings/sphinx.toml
    "#);
}

#[test]
fn a_clean_check_at_120_columns() {
    assert_snapshot!(terminal(&clean_check(), 120, false), @r#"
    All 300 rows of samples/customers.csv can go to sphinx.
    mapping mappings/sphinx.toml

      created    300  would be sent
      read       300  in all

    The first body as it would be sent
      {
        "external_id": "C-0001",
        "name": "Müller & Söhne GmbH",
        "email": "info@mueller.example",
        "phone": "+4930123456",
        "address": {"street":"Hauptstraße 1","city":"Berlin","country":"DE"},
        "tags": ["vip","2024"],
        "active": true,
        "score": 4.5,
        … 2 more members
      }

    Notes
      - The mapping does not use the column Fax.

    Checked in 0.1 s; nothing was sent. The import would take about 15 s: 300 requests at 20/s.
    Next: rowferry import samples/customers.csv --mapping mappings/sphinx.toml
    "#);
}

#[test]
fn a_messy_check_at_80_columns() {
    assert_snapshot!(terminal(&messy_check(), 80, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are
    left out.
    mapping assembly.toml

      created    11,956  would be sent
      skipped        10  left out, as duplicates or by a rule
      rejected       34  our checks refuse them
      read       12,000  in all

    Why rows are refused
      21 × Email: There is no domain after the `@`; an address looks like
           name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"
           D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to
             the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the
             field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes.
           [row.ragged]
           row 700

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Notes
      - 10 rows have a key that an earlier row has.
      - The sheet `Archive` is hidden and was not read.

    Files written
      rejects  clients.rejects.csv

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956
    requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn a_messy_check_at_120_columns() {
    assert_snapshot!(terminal(&messy_check(), 120, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are left out.
    mapping assembly.toml

      created    11,956  would be sent
      skipped        10  left out, as duplicates or by a rule
      rejected       34  our checks refuse them
      read       12,000  in all

    Why rows are refused
      21 × Email: There is no domain after the `@`; an address looks like name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"   D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes. [row.ragged]
           row 700

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Notes
      - 10 rows have a key that an earlier row has.
      - The sheet `Archive` is hidden and was not read.

    Files written
      rejects  clients.rejects.csv

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956 requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn an_import_with_failures_at_80_columns() {
    assert_snapshot!(terminal(&failed_import(), 80, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left
    out, 1 may or may not be in.
    https://acme.kaiten.example/api/latest, mapping kaiten.toml, run
    01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created      903  made by this run, confirmed by the target
      unchanged     50  there already, nothing to send
      skipped       10  left out, as duplicates or by a rule
      rejected      34  refused by our checks, not sent
      failed         2  refused by the target
      uncertain      1  sent, perhaps made: look before you send them again
      read       1,000  in all

    Why rows were refused
      21 × Email: There is no domain after the `@`; an address looks like
           name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"
           D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to
             the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the
             field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes.
           [row.ragged]
           row 700
       2 × Slug: The target answered 422: slug has already been taken [target.422]
           B5 "acme"   B6 "acme-2"

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Files written
      rejects  clients.rejects.csv
      results  clients.results.csv
      ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

#[test]
fn an_import_with_failures_at_120_columns() {
    assert_snapshot!(terminal(&failed_import(), 120, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left out, 1 may or may not be in.
    https://acme.kaiten.example/api/latest, mapping kaiten.toml, run 01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created      903  made by this run, confirmed by the target
      unchanged     50  there already, nothing to send
      skipped       10  left out, as duplicates or by a rule
      rejected      34  refused by our checks, not sent
      failed         2  refused by the target
      uncertain      1  sent, perhaps made: look before you send them again
      read       1,000  in all

    Why rows were refused
      21 × Email: There is no domain after the `@`; an address looks like name@example.com. [email.invalid]
           D17 "bob@"   D31 (line 33) "jane.doe@@example.com, jane@example.com…"   D90 (empty)
      12 × Country of residence [country.unknown]
           H18: `Deutschlnd` is no country; write a code such as DE, or add it to the field's `map`.
           H40: `U K` is no country; write a code such as DE, or add it to the field's `map`.
       1 × The row has 13 cells and the header 12; a comma may lack its quotes. [row.ragged]
           row 700
       2 × Slug: The target answered 422: slug has already been taken [target.422]
           B5 "acme"   B6 "acme-2"

    Warnings (they refuse no row)
      4 × Phone: The extension is dropped. [phone.extension]
          E3 "030 1234 ext. 5"   E8 "030 1234 x77"

    Files written
      rejects  clients.rejects.csv
      results  clients.results.csv
      ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

#[test]
fn a_stopped_import_at_80_columns() {
    assert_snapshot!(terminal(&stopped_import(), 80, false), @r#"
    1,200 of 5,000 rows of 2 files are in flextell; 3,800 were not sent.
    Stopped early: the target does not let us in any more (401 on POST /clients);
    check the token in FLEXTELL_TOKEN.
    https://api.flextell.example, mapping flextell.toml, run
    01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created    1,200  made by this run, confirmed by the target
      pending    3,800  not sent, a later run sends them
      read       5,000  in all

    Files read
      a.csv: 1,200 rows, 1,200 created
      b.csv: 3,800 rows, 3,800 pending

    Files written
      ledger   /home/jane/.local/state/rowferry/flextell-77ab01.db
      results  a.results.csv

    1,204 requests in 75 s.
    Next: rowferry import a.csv b.csv --mapping flextell.toml
    "#);
}

#[test]
fn a_stopped_import_at_120_columns() {
    assert_snapshot!(terminal(&stopped_import(), 120, false), @r#"
    1,200 of 5,000 rows of 2 files are in flextell; 3,800 were not sent.
    Stopped early: the target does not let us in any more (401 on POST /clients); check the token in FLEXTELL_TOKEN.
    https://api.flextell.example, mapping flextell.toml, run 01JD3Z7Q8K6V0V0C7Y2M5T9XNR

      created    1,200  made by this run, confirmed by the target
      pending    3,800  not sent, a later run sends them
      read       5,000  in all

    Files read
      a.csv: 1,200 rows, 1,200 created
      b.csv: 3,800 rows, 3,800 pending

    Files written
      ledger   /home/jane/.local/state/rowferry/flextell-77ab01.db
      results  a.results.csv

    1,204 requests in 75 s.
    Next: rowferry import a.csv b.csv --mapping flextell.toml
    "#);
}

fn all() -> [Summary; 4] {
    [
        clean_check(),
        messy_check(),
        failed_import(),
        stopped_import(),
    ]
}

#[test]
fn colour_changes_no_word() {
    let codes = regex::Regex::new("\u{1b}\\[[0-9]+m").unwrap();
    for summary in all() {
        let coloured = terminal(&summary, 80, true);
        assert!(coloured.contains('\u{1b}'));
        let lines: Vec<String> = coloured
            .lines()
            .map(|line| codes.replace_all(line, "").trim_end().to_owned())
            .collect();
        let plain = terminal(&summary, 80, false);
        assert!(!plain.contains('\u{1b}'));
        assert_eq!(lines, plain.lines().collect::<Vec<_>>());
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_but_commands_and_paths() {
    for summary in all() {
        for width in [40, 57, 80, 120] {
            for line in terminal(&summary, width, false).lines() {
                let whole = [
                    "Next: ",
                    "      rowferry",
                    "  rejects",
                    "  results",
                    "  ledger",
                ];
                assert!(
                    unicode_width::UnicodeWidthStr::width(line) <= width
                        || whole.iter().any(|start| line.starts_with(start)),
                    "{width}: {line}"
                );
            }
        }
    }
}

#[test]
fn a_messy_check_in_a_small_window() {
    assert_snapshot!(terminal_in(&messy_check(), 80, 24, false), @r#"
    11,956 of 12,000 rows of clients.xlsx can go to assembly; 34 are refused, 10 are
    left out.
    12,000 read: 11,956 created, 10 skipped, 34 rejected

      21 × Email: D17 "bob@" – There is no domain after the `@`; an address looks l…
      12 × Country of residence: H18 "Deutschlnd" – `Deutschlnd` is no country; wri…
       1 × row 700 – The row has 13 cells and the header 12; a comma may lack its q…
           and 4 warnings

    rejects  clients.rejects.csv
    2 notes more: a taller window shows them, and --json.

    Checked in 0.3 s; nothing was sent. The import would take about 10 min: 11,956
    requests at 20/s.
    Next: mend clients.rejects.csv, or import the rows that are good:
          rowferry import clients.xlsx --mapping assembly.toml
    "#);
}

#[test]
fn an_import_with_failures_in_a_small_window() {
    assert_snapshot!(terminal_in(&failed_import(), 80, 24, false), @r#"
    953 of 1,000 rows of clients.csv are in kaiten; 36 were refused, 10 were left
    out, 1 may or may not be in.
    1,000 read: 903 created, 50 unchanged, 10 skipped, 34 rejected, 2 failed, 1
      uncertain

      21 × Email: D17 "bob@" – There is no domain after the `@`; an address looks l…
      12 × Country of residence: H18 "Deutschlnd" – `Deutschlnd` is no country; wri…
       1 × row 700 – The row has 13 cells and the header 12; a comma may lack its q…
       2 × Slug: B5 "acme" – The target answered 422: slug has already been taken
           and 4 warnings

    rejects  clients.rejects.csv
    results  clients.results.csv
    ledger   /home/jane/.local/state/rowferry/kaiten-1f3a9c.db

    909 requests in 49 s, 3 repeated, 2 answered "too many requests", 1 look-up.
    Next: rowferry import clients.rejects.csv --mapping kaiten.toml
    "#);
}

#[test]
fn a_summary_is_as_long_as_the_window_allows() {
    for summary in all() {
        let whole = terminal(&summary, 80, false);
        assert_eq!(terminal_in(&summary, 80, 200, false), whole);
        for height in [24, 30, 40, 50] {
            let text = terminal_in(&summary, 80, height, false);
            assert!(text.lines().count() < height, "{text}");
            assert!(text.lines().count() <= whole.lines().count());
        }
        let first = |text: &str| text.lines().next().map(str::to_owned);
        assert_eq!(first(&terminal_in(&summary, 80, 10, false)), first(&whole));
    }
}

#[test]
fn many_kinds_still_fit_a_screen() {
    let long = "x".repeat(500);
    let issues = (0..60)
        .map(|kind| {
            let message = format!("wrong in the way number {kind}");
            group(
                &format!("code.{kind}"),
                "Column",
                60 - kind,
                Fate::Rejected,
                "error",
                vec![
                    example(2, "A", &long, &message),
                    example(3, "A", "b", "another message"),
                    example(4, "A", "c", "a third message"),
                ],
            )
        })
        .collect();
    let summary = Summary {
        issues,
        ..messy_check()
    };
    let text = terminal(&summary, 80, false);
    assert!(
        text.contains("and 1,378 problems of 52 other kinds: code.8, code.9,"),
        "{text}"
    );
    assert!(text.contains("code.23, …"), "{text}");
    assert!(text.lines().count() <= 50, "{text}");
}

#[test]
fn a_cell_cannot_steer_the_terminal() {
    let evil = "\u{1b}]0;x\u{7}\u{202e}";
    let summary = Summary {
        inputs: vec![evil.into()],
        target: evil.into(),
        base_url: evil.into(),
        mapping: evil.into(),
        notes: vec![evil.into()],
        unused_columns: vec![evil.into()],
        bodies: vec![json!({ "a": evil, evil: 1 })],
        stopped: Some(evil.into()),
        next: Some(evil.into()),
        issues: vec![group(
            "a.b",
            evil,
            1,
            Fate::Rejected,
            "error",
            vec![example(2, "A", evil, evil), example(3, "A", "", "other")],
        )],
        ..stopped_import()
    };
    let text = terminal(&summary, 80, false);
    assert!(
        !text
            .chars()
            .any(|c| c == '\u{202e}' || (c.is_control() && c != '\n')),
        "{text:?}"
    );
}

#[test]
fn the_first_sentence_says_what_the_run_came_to() {
    let one = |command, read, counts: &[(Fate, u64)]| Summary {
        command,
        target: "sphinx".into(),
        inputs: vec!["a.csv".into()],
        finished: true,
        read,
        fates: fates(counts),
        ..Summary::default()
    };
    let mistakes = Summary {
        mistakes: Some(json!([])),
        ..one("import", 0, &[])
    };
    for (summary, expected) in [
        (one("check", 0, &[]), "a.csv has no rows below its header."),
        (
            mistakes,
            "Nothing was read and nothing was sent: the files have mistakes.",
        ),
        (
            one("import", 1, &[(Fate::Created, 1)]),
            "The only row of a.csv is in sphinx.",
        ),
        (
            one("import", 300, &[(Fate::Created, 100), (Fate::Updated, 200)]),
            "All 300 rows of a.csv are in sphinx.",
        ),
        (
            one("import", 300, &[(Fate::Unchanged, 300)]),
            "All 300 rows of a.csv are in sphinx already; nothing had to be sent.",
        ),
        (
            one("import", 300, &[(Fate::Created, 1), (Fate::Pending, 299)]),
            "1 of 300 rows of a.csv is in sphinx; 299 were not sent.",
        ),
        (
            one("import", 2, &[(Fate::Failed, 1), (Fate::Uncertain, 1)]),
            "None of the 2 rows of a.csv are in sphinx; 1 was refused, 1 may or may not be in.",
        ),
        (
            one("check", 3, &[(Fate::Rejected, 3)]),
            "None of the 3 rows of a.csv can go to sphinx; 3 are refused.",
        ),
    ] {
        let text = terminal(&summary, 120, false);
        assert_eq!(text.lines().next(), Some(expected));
    }
}
