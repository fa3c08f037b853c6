//! What a run comes to: the object that `--json` prints.

use schemars::JsonSchema;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::suggest::Suggestion;
use crate::record::Fate;

/// How many rows came to each fate. Serialised as an object with a member for every fate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fates([u64; Fate::ALL.len()]);

impl Fates {
    /// The number of rows of one fate.
    pub fn get(&self, fate: Fate) -> u64 {
        self.0[place(fate)]
    }

    /// Counts `rows` more rows of a fate.
    pub fn add(&mut self, fate: Fate, rows: u64) {
        self.0[place(fate)] += rows;
    }

    /// The sum over all fates.
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The rows that belong in the reject file.
    pub fn refused(&self) -> u64 {
        self.iter()
            .filter(|(fate, _)| fate.is_reject())
            .map(|(_, rows)| rows)
            .sum()
    }

    /// Every fate with its number of rows, in the order of the summary.
    pub fn iter(&self) -> impl Iterator<Item = (Fate, u64)> + use<> {
        Fate::ALL.into_iter().zip(self.0)
    }
}

fn place(fate: Fate) -> usize {
    // `Fate::ALL` is in the order of the declaration; a test holds it to that.
    fate as usize
}

impl Serialize for Fates {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (fate, rows) in self.iter() {
            map.serialize_entry(fate.name(), &rows)?;
        }
        map.end()
    }
}

/// The requests of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Requests {
    /// All requests that carried rows, repetitions included.
    pub sent: u64,
    /// How many of them were repetitions.
    pub retried: u64,
    /// Answers that said "too many requests".
    pub limited: u64,
    /// Requests that asked for a record.
    pub lookups: u64,
}

/// One example of a group of issues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Example {
    /// The input that the row is of, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub input: Option<String>,
    /// The row's number as a spreadsheet program counts it.
    pub row: u64,
    /// The sheet of a workbook, where several are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The physical line, for CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The cell as spreadsheet programs write it, such as `D17`, or `Clients!D17` where several sheets are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// The cell's text, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong and what would be right.
    pub message: String,
}

/// The issues with one code at one column that brought their rows to one fate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IssueGroup {
    /// The issue's code; `other` where there are too many kinds to list each.
    pub code: String,
    /// The column's name.
    pub column: Option<String>,
    /// The body's field as the mapping file writes it.
    pub field: Option<String>,
    /// How many issues.
    pub count: u64,
    /// What became of the rows.
    #[schemars(with = "Fate")]
    pub fate: &'static str,
    /// `error` refuses its row, `warning` does not.
    #[schemars(with = "crate::issue::Severity")]
    pub severity: &'static str,
    /// The message of the first.
    pub message: String,
    /// The first few.
    pub examples: Vec<Example>,
}

/// What an import is expected to take.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, JsonSchema)]
pub struct Estimate {
    /// Requests to be sent.
    pub requests: u64,
    /// Seconds at the target's rate; nothing where that is not known.
    pub seconds: Option<f64>,
}

/// The files that a run wrote, as paths.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Files {
    /// The reject file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejects: Option<String>,
    /// The results file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub results: Option<String>,
    /// The file of issues, a line of JSON each.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issues: Option<String>,
    /// The ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ledger: Option<String>,
    /// The report as an HTML page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub html: Option<String>,
}

impl Files {
    /// Whether no file was written.
    pub fn is_empty(&self) -> bool {
        self == &Self::default()
    }
}

/// One input's share of the totals.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct InputSummary {
    /// The input as it was named.
    pub input: String,
    /// Rows read.
    pub read: u64,
    /// What became of them.
    pub fates: Fates,
    /// The files of this input.
    #[serde(skip_serializing_if = "Files::is_empty")]
    pub files: Files,
}

/// A row that is no longer in its input.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftRow {
    /// Its number when it was last sent.
    pub row: u64,
    /// The run that last touched it.
    pub run: String,
    /// The record's id at the target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Whether nobody knows if the target made it.
    pub uncertain: bool,
}

/// Rows that are no longer in their inputs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LeftRows {
    /// How many.
    pub count: u64,
    /// The first of them.
    pub rows: Vec<LeftRow>,
}

/// What a run comes to, for people and programs.
#[derive(Debug, Clone, Default, PartialEq, Serialize, JsonSchema)]
pub struct Summary {
    /// The command: `check` or `import`.
    #[schemars(with = "super::schema::CommandName")]
    pub command: &'static str,
    /// The target's name.
    pub target: String,
    /// Where requests go; empty where none would.
    pub base_url: String,
    /// The mapping file as it was named.
    pub mapping: String,
    /// The inputs as they were named.
    pub inputs: Vec<String>,
    /// The run's id in the ledger.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// Whether all rows were read and none was left because the run stopped.
    pub finished: bool,
    /// The process's exit code.
    pub exit_code: u8,
    /// Rows read.
    pub read: u64,
    /// What became of them; in a check `created` means "would be sent".
    pub fates: Fates,
    /// What was sent.
    pub requests: Requests,
    /// What is wrong, errors first, the most frequent first.
    pub issues: Vec<IssueGroup>,
    /// What could be written into the mapping to mend many rows at once, the most first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub suggestions: Vec<Suggestion>,
    /// What an import would take.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Estimate>,
    /// Files written.
    #[serde(skip_serializing_if = "Files::is_empty")]
    pub files: Files,
    /// How long the command took.
    pub seconds: f64,
    /// Each input's share, where there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub per_input: Vec<InputSummary>,
    /// What a person should know: one sentence each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Columns that the mapping does not use.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unused_columns: Vec<String>,
    /// The first bodies as they would be sent.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Value>,
    /// Rows whose key an earlier row has.
    #[serde(skip_serializing_if = "is_zero")]
    pub duplicates: u64,
    /// Rows that earlier runs sent from the same inputs, and that are no longer in them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left: Option<LeftRows>,
    /// Mistakes in mapping, target and input files, because of which nothing was read.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<super::schema::Told>")]
    pub mistakes: Option<Value>,
    /// Why the run stopped early, as a sentence.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<String>,
    /// What to do next; a line that begins with `rowferry ` is a command to be copied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn fates_are_counted_in_their_own_places() {
        for (place, fate) in Fate::ALL.into_iter().enumerate() {
            let mut fates = Fates::default();
            fates.add(fate, 3);
            assert_eq!(fates.0[place], 3, "{fate}");
            assert_eq!((fates.get(fate), fates.total()), (3, 3));
            assert_eq!(fates.refused(), if fate.is_reject() { 3 } else { 0 });
        }
    }

    #[test]
    fn the_json_has_the_promised_members_in_their_order() {
        let mut fates = Fates::default();
        for (fate, rows) in [
            (Fate::Created, 900),
            (Fate::Unchanged, 50),
            (Fate::Skipped, 10),
            (Fate::Rejected, 38),
            (Fate::Failed, 2),
        ] {
            fates.add(fate, rows);
        }
        let summary = Summary {
            command: "import",
            target: "assembly".into(),
            base_url: "https://api.example".into(),
            mapping: "assembly.toml".into(),
            inputs: vec!["clients.xlsx".into()],
            run: Some("01J".into()),
            finished: true,
            exit_code: 1,
            read: 1000,
            fates,
            requests: Requests {
                sent: 902,
                retried: 3,
                ..Requests::default()
            },
            issues: vec![IssueGroup {
                code: "email.invalid".into(),
                column: Some("Email".into()),
                field: Some("email".into()),
                count: 21,
                fate: "rejected",
                severity: "error",
                message: "m".into(),
                examples: vec![Example {
                    row: 17,
                    cell: Some("D17".into()),
                    value: Some("bob@".into()),
                    message: "m".into(),
                    ..Example::default()
                }],
            }],
            estimate: Some(Estimate {
                requests: 962,
                seconds: Some(48.1),
            }),
            files: Files {
                rejects: Some("clients.rejects.csv".into()),
                results: Some("clients.results.csv".into()),
                ledger: Some("l.db".into()),
                ..Files::default()
            },
            seconds: 48.9,
            ..Summary::default()
        };
        // As text, because the order of members is part of what people see.
        let expected = json!({
            "command": "import", "target": "assembly", "base_url": "https://api.example",
            "mapping": "assembly.toml", "inputs": ["clients.xlsx"], "run": "01J", "finished": true,
            "exit_code": 1, "read": 1000,
            "fates": {"created": 900, "updated": 0, "unchanged": 50, "skipped": 10, "rejected": 38,
                      "failed": 2, "uncertain": 0, "pending": 0},
            "requests": {"sent": 902, "retried": 3, "limited": 0, "lookups": 0},
            "issues": [{"code": "email.invalid", "column": "Email", "field": "email", "count": 21,
                        "fate": "rejected", "severity": "error", "message": "m",
                        "examples": [{"row": 17, "cell": "D17", "value": "bob@", "message": "m"}]}],
            "estimate": {"requests": 962, "seconds": 48.1},
            "files": {"rejects": "clients.rejects.csv", "results": "clients.results.csv",
                      "ledger": "l.db"},
            "seconds": 48.9
        });
        assert_eq!(
            serde_json::to_string(&summary).unwrap(),
            expected.to_string()
        );
    }

    #[test]
    fn what_every_program_reads_is_there_from_the_start() {
        let empty = serde_json::to_value(Summary::default()).unwrap();
        let members: Vec<&str> = empty
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(
            members,
            [
                "command",
                "target",
                "base_url",
                "mapping",
                "inputs",
                "finished",
                "exit_code",
                "read",
                "fates",
                "requests",
                "issues",
                "seconds"
            ]
        );
    }

    #[test]
    fn several_inputs_stand_each_by_itself() {
        let summary = Summary {
            per_input: vec![InputSummary {
                input: "a.csv".into(),
                read: 1,
                ..InputSummary::default()
            }],
            ..Summary::default()
        };
        let value = serde_json::to_value(summary).unwrap();
        assert_eq!(value["per_input"][0]["input"], "a.csv");
        assert_eq!(value["per_input"][0]["read"], 1);
        assert_eq!(value["per_input"][0]["fates"]["pending"], 0);
        assert_eq!(value["per_input"][0].get("files"), None);
    }
}
