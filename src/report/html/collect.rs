//! Gathers what a page shows while rows come by in the order of the file.

use std::sync::Arc;

use hashbrown::HashMap;

use super::details::{ColumnDetails, Details, Kind, Listed, Pair, PairCell, Place};
use super::strip::Strips;
use super::{LISTED, PAIRS};
use crate::issue::{Severity, cut};
use crate::record::{Fate, Settled};
use crate::row::{Header, Row};

/// The most columns of a pair of duplicates that are shown.
const PAIR_CELLS: usize = 24;

/// The columns of one input.
#[derive(Debug, Clone, Default)]
pub struct InputColumns {
    /// Its header.
    pub header: Header,
    /// For each column whether the mapping uses it.
    pub used: Vec<bool>,
}

/// The row whose key another row has as well.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Twin {
    /// Index of its input.
    pub input: usize,
    /// The sheet, where several are read.
    pub sheet: Option<Arc<str>>,
    /// Its number.
    pub row: u64,
}

/// Gathers [`Details`]. Memory does not grow with the rows.
#[derive(Debug, Default)]
pub struct Collector {
    details: Details,
    inputs: Vec<InputColumns>,
    /// For each input where its columns stand in [`Details::columns`].
    places: Vec<Vec<usize>>,
    rows: Vec<u64>,
    kinds: HashMap<Kind, usize>,
    messages: HashMap<String, usize>,
    most: usize,
}

impl Collector {
    /// A collector for these inputs that lists so many problems.
    pub fn new(inputs: Vec<InputColumns>, most: usize) -> Self {
        let mut columns: Vec<ColumnDetails> = Vec::new();
        let mut known: HashMap<(Arc<str>, usize), usize> = HashMap::new();
        let mut places = Vec::new();
        for input in &inputs {
            let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
            let place = |index: usize| {
                let name = input.header.name(index);
                let times = seen.entry(Arc::clone(&name)).or_default();
                *times += 1;
                let used = input.used.get(index).copied().unwrap_or(false);
                let place = *known.entry((Arc::clone(&name), *times)).or_insert_with(|| {
                    columns.push(ColumnDetails {
                        name: name.to_string(),
                        letter: input.header.letter(index),
                        ..ColumnDetails::default()
                    });
                    columns.len() - 1
                });
                columns[place].used |= used;
                place
            };
            places.push((0..input.header.names.len()).map(place).collect());
        }
        Self {
            details: Details {
                strips: Strips::new(columns.len()),
                columns,
                ..Details::default()
            },
            rows: vec![0; inputs.len()],
            inputs,
            places,
            most: most.min(LISTED),
            ..Self::default()
        }
    }

    /// Takes note of one row of the input at index `input`, and of the row that has its key where
    /// it was left out or refused for that.
    pub fn row(&mut self, input: usize, row: Row<'_>, settled: &Settled, twin: Option<&Twin>) {
        let Some(places) = self.places.get(input) else {
            return;
        };
        self.rows[input] += 1;
        for (index, place) in places.iter().enumerate() {
            if !row.cell(index).text.trim_ascii().is_empty() {
                self.details.columns[*place].filled += 1;
            }
        }
        let refused = settled.fate.is_reject();
        let warned = !refused && !settled.issues.is_empty();
        let strips = &mut self.details.strips;
        strips.row(input as u64, settled.row, refused, warned);
        for (at, issue) in settled.issues.iter().enumerate() {
            let Some(column) = issue.column else { continue };
            let same = |other: &crate::issue::Issue| {
                other.column == issue.column && other.severity == issue.severity
            };
            // Rows are counted, not their problems.
            if settled.issues[..at].iter().any(same) {
                continue;
            }
            let Some(place) = places.get(column) else {
                continue;
            };
            let details = &mut self.details.columns[*place];
            match issue.severity {
                Severity::Error => {
                    details.errors += 1;
                    self.details.strips.error(*place);
                }
                Severity::Warning => details.warnings += 1,
            }
        }
        self.details.issues_total += settled.issues.len() as u64;
        if self.details.issues.len() < self.most {
            self.list(input, settled);
        }
        if let Some(twin) = twin {
            self.pair(input, settled, twin);
        }
    }

    fn list(&mut self, input: usize, settled: &Settled) {
        let header = &self.inputs[input].header;
        for issue in &settled.issues {
            if self.details.issues.len() >= self.most {
                return;
            }
            let kind = Kind {
                code: issue.code.to_string(),
                column: issue.column.map(|column| header.name(column).to_string()),
                fate: settled.fate.name().to_owned(),
                warning: issue.severity == Severity::Warning,
            };
            let kinds = &mut self.details.kinds;
            let kind = *self.kinds.entry(kind).or_insert_with_key(|kind| {
                kinds.push(kind.clone());
                kinds.len() - 1
            });
            let messages = &mut self.details.messages;
            let message = match self.messages.get(&*issue.message) {
                Some(known) => *known,
                None => {
                    messages.push(issue.message.clone().into_owned());
                    let place = messages.len() - 1;
                    self.messages
                        .insert(issue.message.clone().into_owned(), place);
                    place
                }
            };
            let place = settled.place();
            self.details.issues.push(Listed {
                kind,
                message,
                input,
                row: place.to_string(),
                line: settled.line.filter(|line| *line != settled.row),
                cell: issue.column.map(|at| place.cell_name(header, at)),
                value: issue.value.as_deref().map(str::to_owned),
            });
        }
    }

    fn pair(&mut self, input: usize, settled: &Settled, twin: &Twin) {
        self.details.pairs_total += 1;
        if self.details.pairs.len() >= PAIRS {
            return;
        }
        let told = settled
            .issues
            .iter()
            .find(|issue| &*issue.code == "key.duplicate");
        self.details.pairs.push(Pair {
            other: Place {
                input: twin.input,
                sheet: twin.sheet.as_deref().map(str::to_owned),
                row: twin.row,
            },
            row: Place {
                input,
                sheet: settled.sheet.as_deref().map(str::to_owned),
                row: settled.row,
            },
            fate: settled.fate.name().to_owned(),
            note: told.map_or_else(|| settled.note.clone(), |issue| issue.message.to_string()),
            ..Pair::default()
        });
    }

    /// Keeps one of the first bodies.
    pub fn body(&mut self, body: impl FnOnce() -> Option<serde_json::Value>) {
        if self.details.bodies.len() < 3
            && let Some(body) = body()
        {
            self.details.bodies.push(body);
        }
    }

    /// The rows that are still to be looked up for showing duplicates side by side.
    pub fn wanted(&self) -> Vec<Place> {
        let pairs = self.details.pairs.iter();
        let mut wanted: Vec<Place> = pairs
            .flat_map(|pair| [pair.other.clone(), pair.row.clone()])
            .collect();
        wanted.sort_by_key(|a| (a.input, a.row));
        wanted.dedup();
        wanted
    }

    /// Takes the cells of rows that were wanted, in the order of their columns; `keys` are
    /// the columns of the key of each input.
    pub fn found(&mut self, cells: &HashMap<Place, Vec<String>>, keys: &[&[usize]]) {
        for pair in &mut self.details.pairs {
            let (Some(other), Some(row)) = (cells.get(&pair.other), cells.get(&pair.row)) else {
                continue;
            };
            let Some(own) = self.inputs.get(pair.row.input) else {
                continue;
            };
            let others = self.inputs.get(pair.other.input);
            for index in 0..own.header.names.len() {
                let name = own.header.name(index);
                // The same column of another input may stand elsewhere.
                let there = match others {
                    Some(others) if pair.other.input != pair.row.input => {
                        others.header.names.iter().position(|other| *other == name)
                    }
                    _ => Some(index),
                };
                let text = |cells: &[String], at: Option<usize>| {
                    let text = at.and_then(|at| cells.get(at));
                    text.cloned().unwrap_or_default()
                };
                let (other, row) = (text(other, there), text(row, Some(index)));
                let key = keys
                    .get(pair.row.input)
                    .is_some_and(|key| key.contains(&index));
                let differs = other.trim() != row.trim();
                if !key && !differs {
                    continue;
                }
                if pair.cells.len() >= PAIR_CELLS {
                    pair.more += 1;
                    continue;
                }
                pair.cells.push(PairCell {
                    column: name.to_string(),
                    key,
                    differs,
                    other,
                    row,
                });
            }
        }
    }

    /// The text of a cell as a pair keeps it.
    pub fn cell_text(text: &str) -> String {
        cut(text).to_owned()
    }

    /// What was gathered.
    pub fn finish(mut self) -> Details {
        for (places, rows) in self.places.iter().zip(&self.rows) {
            for place in places {
                self.details.columns[*place].rows += rows;
            }
        }
        self.details
    }
}

impl Fate {
    /// The fate of that name.
    pub fn of_name(name: &str) -> Option<Fate> {
        Fate::ALL.into_iter().find(|fate| fate.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::issue::Issue;
    use crate::row::{Kind as CellKind, RowBatch};

    fn columns(names: &[&str]) -> InputColumns {
        InputColumns {
            header: Header {
                names: names.iter().map(|name| Arc::from(*name)).collect(),
                first_column: 0,
                row: 1,
            },
            used: vec![true; names.len()],
        }
    }

    fn batch(rows: &[&[&str]]) -> RowBatch {
        let mut batch = RowBatch::default();
        for (place, row) in rows.iter().enumerate() {
            for cell in *row {
                batch.push_cell(cell, CellKind::Text);
            }
            batch.end_row(place as u64 + 2, place as u64 + 2, None);
        }
        batch
    }

    fn settled(row: u64, fate: Fate, issues: Vec<Issue>) -> Settled {
        Settled {
            row,
            sheet: None,
            line: Some(row),
            key: "".into(),
            fate,
            id: None,
            run: None,
            note: "duplicate: why".into(),
            issues,
        }
    }

    fn issue(code: &str, column: Option<usize>, severity: Severity, value: &str) -> Issue {
        Issue {
            code: code.into(),
            severity,
            column,
            field: None,
            value: Some(value.into()),
            message: format!("{value} is wrong").into(),
        }
    }

    #[test]
    fn columns_are_counted_by_rows_and_by_name_over_all_inputs() {
        let inputs = vec![columns(&["Id", "Email", "Id"]), columns(&["Email", "New"])];
        let mut collector = Collector::new(inputs, 2);
        let cells = batch(&[&["1", " ", ""], &["2", "x", "y"]]);
        let wrong = |code: &str| issue(code, Some(1), Severity::Error, "x@y");
        collector.row(
            0,
            cells.row(0),
            &settled(2, Fate::Rejected, vec![wrong("a.b"), wrong("a.c")]),
            None,
        );
        let warning = issue("a.w", Some(0), Severity::Warning, "w");
        collector.row(
            0,
            cells.row(1),
            &settled(3, Fate::Created, vec![warning]),
            None,
        );
        let other = batch(&[&["e", "n"]]);
        let wrong = issue("a.b", Some(0), Severity::Error, "e");
        collector.row(
            1,
            other.row(0),
            &settled(2, Fate::Failed, vec![wrong]),
            None,
        );
        let mut details = collector.finish();
        let told: Vec<_> = details
            .columns
            .iter()
            .map(|column| {
                let name = column.name.as_str();
                (
                    name,
                    column.rows,
                    column.filled,
                    column.errors,
                    column.warnings,
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Id", 2, 2, 0, 1),
                ("Email", 3, 2, 2, 0),
                ("Id", 2, 1, 0, 0),
                ("New", 1, 1, 0, 0)
            ]
        );
        // Two of four problems are listed.
        assert_eq!((details.issues_total, details.issues.len()), (4, 2));
        assert_eq!(details.issues[1].cell.as_deref(), Some("B2"));
        assert_eq!(details.strips.columns[1], [1, 0, 1]);

        details.mask();
        assert_eq!(details.messages, ["xxx is wrong".replace("xxx", "x@x")]);
        assert_eq!(details.issues[0].value.as_deref(), Some("x@x"));
        assert_eq!(details.issues[0].message, details.issues[1].message);
    }

    #[test]
    fn duplicates_show_their_key_and_what_differs() {
        let inputs = vec![columns(&["Id", "Name", "City"]), columns(&["Name", "Id"])];
        let mut collector = Collector::new(inputs, 9);
        let cells = batch(&[&["Bea", "1"]]);
        let twin = Twin {
            input: 0,
            sheet: None,
            row: 7,
        };
        let left_out = settled(2, Fate::Skipped, Vec::new());
        collector.row(1, cells.row(0), &left_out, Some(&twin));
        let wanted = collector.wanted();
        let rows: Vec<_> = wanted
            .iter()
            .map(|place| (place.input, place.row))
            .collect();
        assert_eq!(rows, [(0, 7), (1, 2)]);
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let found: HashMap<Place, Vec<String>> = wanted
            .into_iter()
            .zip([texts(&["1", "Ann", "Ulm"]), texts(&["Bea", "1"])])
            .collect();
        collector.found(&found, &[&[0], &[1]]);
        let details = collector.finish();
        assert_eq!((details.pairs_total, details.pairs.len()), (1, 1));
        let pair = &details.pairs[0];
        let told: Vec<_> = pair
            .cells
            .iter()
            .map(|cell| {
                (
                    cell.column.as_str(),
                    cell.key,
                    cell.differs,
                    cell.other.as_str(),
                    cell.row.as_str(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                ("Name", false, true, "Ann", "Bea"),
                ("Id", true, false, "1", "1")
            ]
        );
        assert_eq!(pair.note, "duplicate: why");
        // The ledger keeps names alone.
        let kept = details.to_keep();
        assert!(
            kept.pairs[0]
                .cells
                .iter()
                .all(|cell| cell.other.is_empty() && cell.row.is_empty())
        );
        assert!(kept.pairs[0].cells[0].differs);
    }
}
