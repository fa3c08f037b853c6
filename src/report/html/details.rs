//! What a page shows beyond the summary. It is written into the ledger without what cells hold.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::pace::PaceTrack;
use super::strip::Strips;
use crate::report::redact;

/// What a page shows beyond the summary.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Details {
    /// When the command began; milliseconds since 1970.
    pub began_ms: i64,
    /// What the command was told and what was found out: names with their values.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub settings: Vec<(String, String)>,
    /// The columns of the inputs, in order; those of several inputs by their names.
    pub columns: Vec<ColumnDetails>,
    /// Where in the inputs problems are.
    pub strips: Strips,
    /// The kinds of problems that [`Details::issues`] refers to.
    pub kinds: Vec<Kind>,
    /// The messages that [`Details::issues`] refers to.
    pub messages: Vec<String>,
    /// The first problems.
    pub issues: Vec<Listed>,
    /// How many problems there are in all.
    pub issues_total: u64,
    /// Rows that have the key of another, with that one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pairs: Vec<Pair>,
    /// How many such rows there are in all.
    pub pairs_total: u64,
    /// The first bodies of an import; those of a check stand in its summary.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub bodies: Vec<Value>,
    /// How fast requests left, of an import.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pace: Option<PaceTrack>,
    /// Values are masked.
    #[serde(skip)]
    pub masked: bool,
    /// Made again from what the ledger keeps.
    #[serde(skip)]
    pub kept: bool,
}

/// One column.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ColumnDetails {
    /// Its name.
    pub name: String,
    /// The letters by which a spreadsheet program names it.
    pub letter: String,
    /// Whether the mapping uses it.
    pub used: bool,
    /// Rows that could have it, being of an input that has it.
    pub rows: u64,
    /// Cells that are not empty.
    pub filled: u64,
    /// Rows with an error at it.
    pub errors: u64,
    /// Rows with a warning at it.
    pub warnings: u64,
}

/// A kind of problem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Kind {
    /// Its code.
    pub code: String,
    /// The column's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// What became of the rows.
    pub fate: String,
    /// Whether it refuses no row.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub warning: bool,
}

/// One problem.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Listed {
    /// Index of its kind.
    #[serde(rename = "k")]
    pub kind: usize,
    /// Index of its message.
    #[serde(rename = "m")]
    pub message: usize,
    /// Index of its input.
    #[serde(rename = "i", skip_serializing_if = "is_none")]
    pub input: usize,
    /// The row, and the sheet where there are several: `17`, `Clients!17`.
    #[serde(rename = "r")]
    pub row: String,
    /// The physical line, for CSV, where it is another number than the row's.
    #[serde(rename = "l", skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// The cell: `D17`, `Clients!D17`.
    #[serde(rename = "c", skip_serializing_if = "Option::is_none")]
    pub cell: Option<String>,
    /// The cell's text, cut.
    #[serde(rename = "v", skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

fn is_none(index: &usize) -> bool {
    *index == 0
}

/// Where a row stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// Index of its input.
    #[serde(skip_serializing_if = "is_none")]
    pub input: usize,
    /// The sheet, where several are read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sheet: Option<String>,
    /// The row's number as a spreadsheet program counts it.
    pub row: u64,
}

/// Two rows with the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pair {
    /// The row that has the key.
    pub other: Place,
    /// The row that is left out or refused for it.
    pub row: Place,
    /// What became of that row.
    pub fate: String,
    /// Why, as a sentence.
    pub note: String,
    /// The cells of the key, and those that differ.
    pub cells: Vec<PairCell>,
    /// How many more differ.
    #[serde(skip_serializing_if = "is_none")]
    pub more: usize,
}

/// A column of two rows with the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PairCell {
    /// The column's name.
    pub column: String,
    /// Whether the key is made of it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub key: bool,
    /// Whether the two rows differ in it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub differs: bool,
    /// The text in [`Pair::other`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub other: String,
    /// The text in [`Pair::row`].
    #[serde(skip_serializing_if = "String::is_empty")]
    pub row: String,
}

impl Details {
    /// Masks what came out of cells, and the target's words as far as they may name somebody.
    pub fn mask(&mut self) {
        let messages = std::mem::take(&mut self.messages);
        let mut index = hashbrown::HashMap::new();
        for issue in &mut self.issues {
            let code = self.kinds.get(issue.kind).map_or("", |kind| &kind.code);
            let text = messages.get(issue.message).map_or("", String::as_str);
            let masked = redact::message(code, text, issue.value.as_deref());
            let kept = &mut self.messages;
            issue.message = *index.entry(masked).or_insert_with_key(|text| {
                kept.push(text.clone());
                kept.len() - 1
            });
            issue.value = issue.value.as_deref().map(redact::shape);
        }
        for cell in self.pairs.iter_mut().flat_map(|pair| &mut pair.cells) {
            cell.other = redact::shape(&cell.other);
            cell.row = redact::shape(&cell.row);
        }
        self.bodies.iter_mut().for_each(redact::json);
        self.masked = true;
    }

    /// What the ledger keeps: masked, without values even so, and the first problems only.
    #[must_use]
    pub fn to_keep(&self) -> Self {
        let mut kept = Self {
            issues: self.issues.iter().take(super::KEPT).cloned().collect(),
            kinds: self.kinds.clone(),
            messages: self.messages.clone(),
            bodies: Vec::new(),
            pace: self.pace.clone().map(PaceTrack::rounded),
            pairs: self.pairs.clone(),
            columns: self.columns.clone(),
            strips: self.strips.clone(),
            settings: self.settings.clone(),
            ..*self
        };
        kept.mask();
        for issue in &mut kept.issues {
            issue.value = None;
        }
        for cell in kept.pairs.iter_mut().flat_map(|pair| &mut pair.cells) {
            cell.other.clear();
            cell.row.clear();
        }
        kept
    }
}
