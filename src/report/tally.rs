//! Counts rows and issues as they come, in memory that does not grow with them.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::suggest::{Suggestion, Values, most};
use super::summary::{Example, Fates, InputSummary, IssueGroup};
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::Header;

/// The most groups of issues that are told apart.
const GROUPS: usize = 1_000;
/// The most examples that a group keeps.
const EXAMPLES: usize = 3;

/// Counts rows by fate and issues by code, column and fate. Memory is bounded: at most 1,000
/// groups of three examples, then one group `other` for each fate and severity.
#[derive(Debug, Clone)]
pub struct Tally {
    inputs: Vec<InputSummary>,
    fates: Fates,
    groups: Vec<Group>,
    index: HashTable<usize>,
    hasher: DefaultHashBuilder,
    others: Vec<Group>,
}

/// A group of issues, counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GroupCount<'t> {
    /// The issues' code.
    pub code: &'t str,
    /// The column's name.
    pub column: Option<&'t str>,
    /// The body's field.
    pub field: Option<&'t str>,
    /// What became of the rows.
    pub fate: &'static str,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// How many.
    pub count: u64,
}

#[derive(Debug, Clone)]
struct Group {
    code: Arc<str>,
    column: Option<Arc<str>>,
    field: Option<Arc<str>>,
    fate: Fate,
    severity: Severity,
    count: u64,
    examples: Vec<Example>,
    /// For each example the index of its input.
    inputs: Vec<usize>,
    /// The values, where counting them shows what would mend many rows.
    values: Option<Values>,
}

impl Tally {
    /// A tally for these inputs, by name.
    pub fn new(inputs: Vec<String>) -> Self {
        Self {
            inputs: inputs
                .into_iter()
                .map(|input| InputSummary {
                    input,
                    ..InputSummary::default()
                })
                .collect(),
            fates: Fates::default(),
            groups: Vec::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            others: Vec::new(),
        }
    }

    /// Counts one row of the input at index `input`, whose columns `header` names.
    pub fn add(&mut self, input: usize, header: &Header, settled: &Settled) {
        self.fates.add(settled.fate, 1);
        if let Some(own) = self.inputs.get_mut(input) {
            own.read += 1;
            own.fates.add(settled.fate, 1);
        }
        for issue in &settled.issues {
            let column = issue.column.map(|column| header.name(column));
            let group = self.group(issue, column, settled.fate);
            group.count += 1;
            if let Some(values) = &mut group.values {
                values.add(issue);
            }
            if group.examples.len() < EXAMPLES {
                group.inputs.push(input);
                group.examples.push(Example {
                    input: None,
                    row: settled.row,
                    sheet: settled.sheet.as_deref().map(str::to_owned),
                    line: settled.line,
                    cell: issue.column.map(|at| settled.place().cell_name(header, at)),
                    value: issue.value.as_deref().map(str::to_owned),
                    message: issue.message.clone().into_owned(),
                });
            }
        }
    }

    fn group(&mut self, issue: &Issue, column: Option<Arc<str>>, fate: Fate) -> &mut Group {
        let key = (&issue.code, &column, &issue.field, fate, issue.severity);
        let hash = self.hasher.hash_one(key);
        let found = self
            .index
            .find(hash, |&place| self.groups[place].key() == key)
            .copied();
        if let Some(place) = found {
            return &mut self.groups[place];
        }
        if self.groups.len() >= GROUPS {
            return self.other(fate, issue.severity);
        }
        let place = self.groups.len();
        self.groups.push(Group {
            code: Arc::clone(&issue.code),
            column,
            field: issue.field.clone(),
            fate,
            severity: issue.severity,
            count: 0,
            examples: Vec::new(),
            inputs: Vec::new(),
            values: Values::of(issue),
        });
        let (groups, hasher) = (&self.groups, &self.hasher);
        self.index
            .insert_unique(hash, place, |&place| hasher.hash_one(groups[place].key()));
        &mut self.groups[place]
    }

    fn other(&mut self, fate: Fate, severity: Severity) -> &mut Group {
        let place = self
            .others
            .iter()
            .position(|group| (group.fate, group.severity) == (fate, severity));
        let place = place.unwrap_or_else(|| {
            self.others.push(Group {
                code: "other".into(),
                column: None,
                field: None,
                fate,
                severity,
                count: 0,
                examples: Vec::new(),
                inputs: Vec::new(),
                values: None,
            });
            self.others.len() - 1
        });
        &mut self.others[place]
    }

    /// The groups of issues so far, without their examples, in the order of their first rows.
    pub fn groups(&self) -> impl Iterator<Item = GroupCount<'_>> {
        let all = self.groups.iter().chain(&self.others);
        all.map(Group::counted)
    }

    /// What could be written into the mapping to mend many rows at once, the most first.
    pub fn suggestions(&self) -> Vec<Suggestion> {
        let groups = self.groups.iter();
        most(
            groups
                .filter_map(|group| group.values.as_ref()?.suggestion(&group.counted()))
                .collect(),
        )
    }

    /// Rows counted so far.
    pub fn read(&self) -> u64 {
        self.inputs.iter().map(|input| input.read).sum()
    }

    /// Rows by fate so far.
    pub fn fates(&self) -> &Fates {
        &self.fates
    }

    /// Rows that belong in a reject file so far.
    pub fn refused(&self) -> u64 {
        self.fates.refused()
    }

    /// Whether every one of the `rows_read` rows has its fate; anything else is a bug.
    pub fn sum_is_right(&self, rows_read: u64) -> bool {
        self.fates.total() == rows_read && self.read() == rows_read
    }

    /// The totals, the groups of issues (errors first, the most frequent first), and each input's
    /// share where there are several inputs.
    pub fn into_parts(self) -> (Fates, Vec<IssueGroup>, Vec<InputSummary>) {
        let mut groups = self.groups;
        groups.sort_by(|a, b| (a.severity, b.count).cmp(&(b.severity, a.count)));
        groups.extend(self.others);
        // The sort is stable: groups of one count stay in the order of the file, and what is
        // only counted stands last among its severity.
        groups.sort_by_key(|group| group.severity);
        let inputs = if self.inputs.len() > 1 {
            self.inputs
        } else {
            Vec::new()
        };
        let issues = groups
            .into_iter()
            .map(|group| group.finish(&inputs))
            .collect();
        (self.fates, issues, inputs)
    }
}

type Key<'a> = (
    &'a Arc<str>,
    &'a Option<Arc<str>>,
    &'a Option<Arc<str>>,
    Fate,
    Severity,
);

impl Group {
    fn key(&self) -> Key<'_> {
        (
            &self.code,
            &self.column,
            &self.field,
            self.fate,
            self.severity,
        )
    }

    fn counted(&self) -> GroupCount<'_> {
        GroupCount {
            code: &self.code,
            column: self.column.as_deref(),
            field: self.field.as_deref(),
            fate: self.fate.name(),
            severity: match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            count: self.count,
        }
    }

    /// `inputs` names the inputs where there are several.
    fn finish(mut self, inputs: &[InputSummary]) -> IssueGroup {
        for (example, &input) in self.examples.iter_mut().zip(&self.inputs) {
            example.input = inputs.get(input).map(|own| own.input.clone());
        }
        let message = if &*self.code == "other" && self.column.is_none() {
            "further kinds of problems, too many to list each".to_owned()
        } else {
            self.examples
                .first()
                .map_or_else(String::new, |example| example.message.clone())
        };
        IssueGroup {
            code: self.code.to_string(),
            column: self.column.as_deref().map(str::to_owned),
            field: self.field.as_deref().map(str::to_owned),
            count: self.count,
            fate: self.fate.name(),
            severity: match self.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            message,
            examples: self.examples,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn header() -> Header {
        Header {
            names: ["Name", "Email"].map(Arc::from).to_vec(),
            first_column: 2,
            row: 1,
        }
    }

    fn settled(row: u64, fate: Fate, issues: Vec<Issue>) -> Settled {
        Settled {
            row,
            sheet: None,
            line: Some(row + 1),
            key: "k".into(),
            fate,
            id: None,
            run: None,
            note: String::new(),
            issues,
        }
    }

    fn issue(code: &str, column: Option<usize>, severity: Severity) -> Issue {
        Issue {
            code: code.into(),
            severity,
            column,
            field: None,
            value: Some("v".into()),
            message: format!("wrong {code}").into(),
        }
    }

    #[test]
    fn issues_are_grouped_with_three_examples_errors_and_frequent_ones_first() {
        let mut tally = Tally::new(vec!["a.csv".into()]);
        let (mail, name) = (
            issue("email.invalid", Some(1), Severity::Error),
            issue("name.required", Some(0), Severity::Error),
        );
        let warning = issue("phone.extension", None, Severity::Warning);
        for row in 2..12 {
            tally.add(
                0,
                &header(),
                &settled(row, Fate::Created, vec![warning.clone()]),
            );
        }
        tally.add(0, &header(), &settled(12, Fate::Rejected, vec![name]));
        for row in 13..18 {
            tally.add(
                0,
                &header(),
                &settled(row, Fate::Rejected, vec![mail.clone()]),
            );
        }
        assert_eq!(tally.refused(), 6);
        assert!(tally.sum_is_right(16));
        assert!(!tally.sum_is_right(17));
        let (fates, issues, inputs) = tally.into_parts();
        assert_eq!(fates.get(Fate::Created), 10);
        assert_eq!(inputs, []);
        let seen: Vec<_> = issues
            .iter()
            .map(|group| {
                (
                    group.code.as_str(),
                    group.count,
                    group.severity,
                    group.examples.len(),
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("email.invalid", 5, "error", 3),
                ("name.required", 1, "error", 1),
                ("phone.extension", 10, "warning", 3),
            ]
        );
        let first = &issues[0].examples[0];
        assert_eq!(first.cell.as_deref(), Some("D13"));
        assert_eq!((first.row, first.line, &first.input), (13, Some(14), &None));
        assert_eq!(issues[0].column.as_deref(), Some("Email"));
    }

    #[test]
    fn kinds_without_end_take_no_memory_without_end() {
        let mut tally = Tally::new(vec!["a.csv".into(), "b.csv".into()]);
        for row in 0..5_000 {
            let issues = vec![issue(&format!("target.{row}"), None, Severity::Error)];
            tally.add(
                usize::from(row % 2 == 1),
                &header(),
                &settled(row, Fate::Failed, issues),
            );
        }
        let (_, issues, inputs) = tally.into_parts();
        assert_eq!(issues.len(), GROUPS + 1);
        assert_eq!(issues.iter().map(|group| group.count).sum::<u64>(), 5_000);
        let last = &issues[GROUPS];
        assert_eq!((last.code.as_str(), last.count), ("other", 4_000));
        assert_eq!(last.examples.len(), EXAMPLES);
        assert_eq!(inputs[1].read, 2_500);
        assert_eq!(
            issues[1].examples[0].input.as_deref(),
            Some("b.csv"),
            "with several inputs an example names its own"
        );
    }

    #[test]
    fn a_row_of_no_input_is_noticed() {
        let mut tally = Tally::new(vec!["a.csv".into()]);
        tally.add(1, &header(), &settled(2, Fate::Created, Vec::new()));
        assert!(!tally.sum_is_right(1));
    }

    proptest! {
        #[test]
        fn the_sum_of_the_fates_is_the_number_of_rows(
            rows in proptest::collection::vec((0usize..3, 0usize..Fate::ALL.len(), 0usize..4), 0..200)
        ) {
            let mut tally = Tally::new(vec!["a".into(), "b".into(), "c".into()]);
            for (row, &(input, fate, problems)) in rows.iter().enumerate() {
                let issues = (0..problems)
                    .map(|n| issue(&format!("c{n}"), Some(n), Severity::Error))
                    .collect();
                tally.add(input, &header(), &settled(row as u64, Fate::ALL[fate], issues));
            }
            prop_assert!(tally.sum_is_right(rows.len() as u64));
            let refused = rows.iter().filter(|row| Fate::ALL[row.1].is_reject()).count();
            prop_assert_eq!(tally.refused(), refused as u64);
            let (fates, issues, inputs) = tally.into_parts();
            prop_assert_eq!(fates.total(), rows.len() as u64);
            prop_assert_eq!(inputs.iter().map(|own| own.fates.total()).sum::<u64>(), rows.len() as u64);
            let count: usize = rows.iter().map(|row| row.2).sum();
            prop_assert_eq!(issues.iter().map(|group| group.count).sum::<u64>(), count as u64);
        }
    }
}
