//! Every issue as one line of JSON, written as rows come to their end: nothing is kept in memory.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::Serialize;

use super::redact;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Header, RowPlace};

/// One thing that is wrong with one row: a line of the file that `--issues` names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct IssueLine<'a> {
    /// The input that the row is of, as it was named.
    pub input: &'a str,
    /// The sheet of a workbook, where several are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<&'a str>,
    /// The row's number as a spreadsheet program counts it.
    pub row: u64,
    /// The physical line, for CSV.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The cell as spreadsheet programs write it, such as `D17`, or `Clients!D17` where several sheets are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// The column's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The body's field as the mapping file writes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<&'a str>,
    /// What is wrong, in short: `email.invalid`, `target.422`; `uncertain` and `refused` where a row is
    /// in the reject file and no rule or target says more.
    pub code: &'a str,
    /// `error` refuses its row, `warning` does not.
    #[schemars(with = "Severity")]
    pub severity: &'static str,
    /// What became of the row.
    #[schemars(with = "Fate")]
    pub fate: &'static str,
    /// The cell's text, cut.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// What is wrong and what would be right, as a sentence.
    pub message: String,
}

/// Writes [`IssueLine`]s.
pub struct IssueWriter {
    out: Box<dyn Write + Send>,
    inputs: Vec<String>,
    redact: bool,
}

impl std::fmt::Debug for IssueWriter {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("IssueWriter")
    }
}

/// What is said of a row that may or may not be at the target.
const UNCERTAIN: &str =
    "sent, but it is not known whether the target made it: look there before you send it again";

impl IssueWriter {
    /// A writer for the issues of these inputs, by name; where `redact` is set, what came out of cells
    /// is masked.
    pub fn new(out: impl Write + Send + 'static, inputs: Vec<String>, redact: bool) -> Self {
        Self {
            out: Box::new(out),
            inputs,
            redact,
        }
    }

    /// Writes all that is wrong with a row of the input at index `input`.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn add(&mut self, input: usize, header: &Header, settled: &Settled) -> io::Result<()> {
        for issue in &settled.issues {
            self.line(input, header, settled, Some(issue), "")?;
        }
        let told = settled
            .issues
            .iter()
            .any(|issue| issue.severity == Severity::Error);
        match settled.fate {
            Fate::Uncertain => self.line(input, header, settled, None, UNCERTAIN),
            fate if fate.is_reject() && !told => {
                self.line(input, header, settled, None, &settled.note)
            }
            _ => Ok(()),
        }
    }

    fn line(
        &mut self,
        input: usize,
        header: &Header,
        settled: &Settled,
        issue: Option<&Issue>,
        words: &str,
    ) -> io::Result<()> {
        let place = RowPlace::new(settled.sheet.as_deref(), settled.row);
        let column = issue.and_then(|issue| issue.column);
        let mut value = issue
            .and_then(|issue| issue.value.as_deref())
            .map(str::to_owned);
        let mut message = issue.map_or(words, |issue| &issue.message).to_owned();
        let code = match (issue, settled.fate) {
            (Some(issue), _) => &*issue.code,
            (None, Fate::Uncertain) => "uncertain",
            (None, _) => "refused",
        };
        if self.redact {
            message = redact::message(code, &message, value.as_deref());
            value = value.as_deref().map(redact::shape);
        }
        let line = IssueLine {
            input: self.inputs.get(input).map_or("", String::as_str),
            sheet: settled.sheet.as_deref(),
            row: settled.row,
            line: settled.line,
            cell: column.map(|at| place.cell_name(header, at)),
            column: column.map(|at| header.name(at).to_string()),
            field: issue.and_then(|issue| issue.field.as_deref()),
            code,
            severity: match issue.map(|issue| issue.severity) {
                Some(Severity::Warning) => "warning",
                _ => "error",
            },
            fate: settled.fate.name(),
            value,
            message,
        };
        serde_json::to_writer(&mut self.out, &line)?;
        self.out.write_all(b"\n")
    }

    /// Brings all that was written to its file.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    /// What was written.
    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines(redact: bool) -> String {
        let header = Header {
            names: ["Name", "Email"].map(Arc::from).to_vec(),
            first_column: 1,
            row: 1,
        };
        let issue = |code: &str, severity, column: Option<usize>| Issue {
            code: code.into(),
            severity,
            column,
            field: Some("email".into()),
            value: Some("bob@".into()),
            message: "nothing stands behind the @ of bob@".into(),
        };
        let row = |row, sheet: Option<&str>, fate, issues| Settled {
            row,
            sheet: sheet.map(Arc::from),
            line: sheet.is_none().then_some(row + 1),
            key: "7".into(),
            fate,
            id: None,
            run: None,
            note: "its mended twin is in".into(),
            issues,
        };
        let kept = Kept::default();
        let mut writer =
            IssueWriter::new(kept.clone(), vec!["a.csv".into(), "b.xlsx".into()], redact);
        let error = issue("email.invalid", Severity::Error, Some(1));
        let warning = issue("email.dropped", Severity::Warning, None);
        for (input, settled) in [
            (
                0,
                row(2, None, Fate::Rejected, vec![error, warning.clone()]),
            ),
            (
                1,
                row(3, Some("Old clients"), Fate::Rejected, vec![warning]),
            ),
            (1, row(4, None, Fate::Uncertain, Vec::new())),
            (1, row(5, None, Fate::Created, Vec::new())),
        ] {
            writer.add(input, &header, &settled).unwrap();
        }
        writer.finish().unwrap();
        let bytes = kept.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn each_issue_is_a_line() {
        insta::assert_snapshot!(lines(false), @r#"
        {"input":"a.csv","row":2,"line":3,"cell":"C2","column":"Email","field":"email","code":"email.invalid","severity":"error","fate":"rejected","value":"bob@","message":"nothing stands behind the @ of bob@"}
        {"input":"a.csv","row":2,"line":3,"field":"email","code":"email.dropped","severity":"warning","fate":"rejected","value":"bob@","message":"nothing stands behind the @ of bob@"}
        {"input":"b.xlsx","sheet":"Old clients","row":3,"field":"email","code":"email.dropped","severity":"warning","fate":"rejected","value":"bob@","message":"nothing stands behind the @ of bob@"}
        {"input":"b.xlsx","sheet":"Old clients","row":3,"code":"refused","severity":"error","fate":"rejected","message":"its mended twin is in"}
        {"input":"b.xlsx","row":4,"line":5,"code":"uncertain","severity":"error","fate":"uncertain","message":"sent, but it is not known whether the target made it: look there before you send it again"}
        "#);
    }

    #[test]
    fn what_came_out_of_cells_is_masked() {
        let text = lines(true);
        assert!(!text.contains("bob"), "{text}");
        assert!(text.contains(r#""value":"xxx@""#), "{text}");
    }
}
