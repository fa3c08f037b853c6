//! A run's summary and page, read back from what the ledger keeps of it.

use serde_json::Value;

use super::html::Details;
use super::summary::{Example, Fates, Files, InputSummary, IssueGroup, Requests, Summary};
use crate::record::Fate;

/// The member of the kept JSON that holds all that only a report made again needs: `summary` and
/// `details`.
pub const PAGE: &str = "page";

/// What the ledger keeps of a run, as far as it is there: runs of earlier versions kept less.
pub fn read(kept: &Value) -> (Summary, Option<Details>) {
    let page = &kept[PAGE];
    let told = match &page["summary"] {
        Value::Null => kept,
        summary => summary,
    };
    let details = match &page["details"] {
        Value::Null => None,
        details => serde_json::from_value::<Details>(details.clone()).ok(),
    };
    let details = details.map(|details| Details {
        masked: true,
        kept: true,
        ..details
    });
    (summary(told), details)
}

fn text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    list(value).filter_map(text).collect()
}

fn fates(value: &Value) -> Fates {
    let mut fates = Fates::default();
    for fate in Fate::ALL {
        fates.add(fate, number(&value[fate.name()]));
    }
    fates
}

fn files(value: &Value) -> Files {
    Files {
        rejects: text(&value["rejects"]),
        results: text(&value["results"]),
        ledger: text(&value["ledger"]),
        ..Files::default()
    }
}

fn summary(value: &Value) -> Summary {
    let requests = &value["requests"];
    Summary {
        command: "import",
        target: text(&value["target"]).unwrap_or_default(),
        base_url: text(&value["base_url"]).unwrap_or_default(),
        mapping: text(&value["mapping"]).unwrap_or_default(),
        inputs: texts(&value["inputs"]),
        run: text(&value["run"]),
        finished: value["finished"].as_bool().unwrap_or(false),
        exit_code: u8::try_from(number(&value["exit_code"])).unwrap_or(0),
        read: number(&value["read"]),
        fates: fates(&value["fates"]),
        requests: Requests {
            sent: number(&requests["sent"]),
            retried: number(&requests["retried"]),
            limited: number(&requests["limited"]),
            lookups: number(&requests["lookups"]),
        },
        issues: list(&value["issues"]).map(group).collect(),
        files: files(&value["files"]),
        seconds: value["seconds"].as_f64().unwrap_or(0.0),
        per_input: list(&value["per_input"])
            .map(|input| InputSummary {
                input: text(&input["input"]).unwrap_or_default(),
                read: number(&input["read"]),
                fates: fates(&input["fates"]),
                files: files(&input["files"]),
            })
            .collect(),
        notes: texts(&value["notes"]),
        unused_columns: texts(&value["unused_columns"]),
        duplicates: number(&value["duplicates"]),
        stopped: text(&value["stopped"]),
        ..Summary::default()
    }
}

fn group(value: &Value) -> IssueGroup {
    let fate = value["fate"].as_str().and_then(Fate::of_name);
    IssueGroup {
        code: text(&value["code"]).unwrap_or_default(),
        column: text(&value["column"]),
        field: text(&value["field"]),
        count: number(&value["count"]),
        fate: fate.unwrap_or(Fate::Rejected).name(),
        severity: match value["severity"].as_str() {
            Some("warning") => "warning",
            _ => "error",
        },
        message: text(&value["message"]).unwrap_or_default(),
        examples: list(&value["examples"]).map(example).collect(),
    }
}

fn example(value: &Value) -> Example {
    Example {
        input: text(&value["input"]),
        row: number(&value["row"]),
        sheet: text(&value["sheet"]),
        line: value["line"].as_u64(),
        cell: text(&value["cell"]),
        value: None,
        message: text(&value["message"]).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::report::Estimate;

    #[test]
    fn what_was_written_is_read_again() {
        let mut counts = Fates::default();
        counts.add(Fate::Created, 3);
        counts.add(Fate::Failed, 1);
        let written = Summary {
            command: "import",
            target: "t".into(),
            base_url: "https://a.example".into(),
            mapping: "m.toml".into(),
            inputs: vec!["a.csv".into(), "b.csv".into()],
            run: Some("01J".into()),
            finished: true,
            exit_code: 1,
            read: 4,
            fates: counts,
            requests: Requests {
                sent: 4,
                retried: 3,
                limited: 2,
                lookups: 1,
            },
            issues: vec![IssueGroup {
                code: "target.422".into(),
                column: Some("Email".into()),
                field: Some("email".into()),
                count: 1,
                fate: "failed",
                severity: "error",
                message: "m".into(),
                examples: vec![Example {
                    input: Some("b.csv".into()),
                    row: 2,
                    sheet: Some("S".into()),
                    line: Some(3),
                    cell: Some("S!D2".into()),
                    value: None,
                    message: "m".into(),
                }],
            }],
            files: Files {
                ledger: Some("l.db".into()),
                ..Files::default()
            },
            seconds: 1.5,
            per_input: vec![InputSummary {
                input: "a.csv".into(),
                read: 4,
                fates: counts,
                files: Files {
                    rejects: Some("r.csv".into()),
                    results: Some("s.csv".into()),
                    ..Files::default()
                },
            }],
            notes: vec!["n".into()],
            unused_columns: vec!["u".into()],
            duplicates: 1,
            stopped: Some("why".into()),
            ..Summary::default()
        };
        let kept = json!({ PAGE: { "summary": written, "details": Details::default() } });
        let (again, details) = read(&kept);
        assert_eq!(again, written);
        assert!(details.is_some_and(|details| details.kept));
        // An estimate is of no use afterwards.
        let estimated = Summary {
            estimate: Some(Estimate {
                requests: 1,
                seconds: None,
            }),
            ..written.clone()
        };
        assert_eq!(summary(&serde_json::to_value(estimated).unwrap()), written);
    }

    #[test]
    fn what_an_earlier_version_kept_is_read_as_far_as_it_goes() {
        let kept = json!({
            "read": 2, "fates": {"created": 1, "rejected": 1}, "requests": {"sent": 1},
            "issues": [{"code": "x.y", "column": null, "field": "f", "count": 1,
                        "fate": "rejected", "severity": "error"}],
            "files": [{"rejects": "r.csv"}], "finished": true
        });
        let (summary, details) = read(&kept);
        assert_eq!((summary.read, summary.fates.total()), (2, 2));
        assert_eq!(summary.issues[0].code, "x.y");
        assert!(summary.finished && details.is_none());
        let (nothing, none) = read(&json!("no object"));
        assert!(nothing.read == 0 && none.is_none());
    }
}
