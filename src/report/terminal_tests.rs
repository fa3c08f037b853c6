//! How summaries look in a terminal, whatever they tell.

mod examples;
mod widths;

use serde_json::json;

use self::examples::*;
use super::*;
use crate::record::Fate;

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
            one("import", 1, &[(Fate::Pending, 1)]),
            "The only row of a.csv is not in sphinx; it was not sent.",
        ),
        (
            one("import", 1, &[(Fate::Uncertain, 1)]),
            "The only row of a.csv may or may not be in sphinx.",
        ),
        (
            one("check", 1, &[(Fate::Rejected, 1)]),
            "The only row of a.csv cannot go to sphinx; it is refused.",
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
