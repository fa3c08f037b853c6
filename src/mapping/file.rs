//! The mapping file as it is written: these types are its grammar, and their comments its reference.

mod read;

use serde::Deserialize;
use toml::Spanned;

pub use crate::record::{Existing, Uncertain};

use crate::document::{OneOrMany, fill_span};

/// A mapping file, but for `[fields]` and `[custom]`, whose keys are paths (see [`Rule`]).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// A built-in target's name, or the path of a target file.
    pub target: Option<Spanned<String>>,
    /// Fields whose values the target file warns of and that may be sent all the same.
    #[serde(default)]
    pub allow_caution: Vec<Spanned<String>>,
    /// How the spreadsheet is read.
    #[serde(default)]
    pub source: SourceSection,
    /// What a row is known by, and which rows are left out.
    #[serde(default)]
    pub row: RowSection,
    /// Rules over the whole row.
    #[serde(default)]
    pub check: Vec<CheckSection>,
    /// What is done about duplicates, records that exist, and uncertain rows.
    #[serde(default)]
    pub policy: PolicySection,
    /// Limits stricter than the target's.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Cases that the mapping file carries about itself.
    #[serde(default)]
    pub test: Vec<TestSection>,
}

/// `[source]`: all optional, found from the file when left out.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// Sheet by name, 1-based number, a list of them, or `"*"`.
    pub sheet: Option<Spanned<Sheets>>,
    /// Row of the column names, from 1; 0 = there is none.
    pub header_row: Option<Spanned<u64>>,
    /// The character between cells.
    pub delimiter: Option<Spanned<String>>,
    /// A label of the WHATWG encoding standard.
    pub encoding: Option<Spanned<String>>,
    /// How 03/04/2025 is read.
    pub date_order: Option<Spanned<DateOrder>>,
    /// Decimal mark of numbers kept as text.
    pub decimal: Option<Spanned<String>>,
    /// Default region of national phone numbers.
    pub region: Option<Spanned<String>>,
    /// Zone of date-times that carry none.
    pub timezone: Option<Spanned<String>>,
    /// Cells that count as empty.
    pub nulls: Option<Vec<String>>,
}

/// Which sheets of a workbook.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sheets {
    /// Every visible sheet with the same header.
    All,
    /// These.
    These(Vec<SheetName>),
}

/// One sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SheetName {
    /// By name.
    Name(String),
    /// By number, from 1.
    Number(usize),
}

/// The order of day, month and year in dates of digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 31/12/2025.
    Dmy,
    /// 12/31/2025.
    Mdy,
    /// 2025/12/31.
    Ymd,
}

/// `[row]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RowSection {
    /// What a row is known by: a column, a list of columns, or a table with `column` and `clean`.
    pub key: Option<Spanned<KeySpec>>,
    /// Whose keys these are.
    pub space: Option<Spanned<String>>,
    /// Rows for which this expression is true are left out.
    pub skip_when: Option<Spanned<String>>,
}

/// The key of a row.
#[derive(Debug, Clone)]
pub struct KeySpec {
    /// The columns whose cells make the key.
    pub columns: Vec<Spanned<String>>,
    /// How their text is cleaned.
    pub clean: Vec<Spanned<CleanStep>>,
}

/// One rule: how a field's value is made from a row. A text in its place is a column's header.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Rule {
    /// An expression; where it is false the field is left out.
    pub when: Option<Spanned<String>>,
    /// On which requests the field is sent: `create`, `update`, both, or `if_empty`.
    pub on: Option<Spanned<OneOrMany<On>>>,
    /// A header, or a list of which the first non-empty is taken.
    pub column: Option<Spanned<OneOrMany<Spanned<String>>>>,
    /// None of the columns need exist.
    pub optional: bool,
    /// With a list of headers: all that are not empty, joined by this text. With `split`: the parts.
    pub join: Option<Spanned<String>>,
    /// A MiniJinja template over the row.
    pub template: Option<Spanned<String>>,
    /// A constant of any TOML type.
    pub value: Option<Spanned<toml::Value>>,
    /// What counts as empty here, in place of the source's list.
    pub nulls: Option<Vec<String>>,
    /// Steps that clean the text, in order.
    pub clean: Vec<Spanned<CleanStep>>,
    /// A separator or several; the next steps run for each part.
    pub split: Option<Spanned<OneOrMany<String>>>,
    /// Which part of a split value is the value.
    pub pick: Option<Spanned<Pick>>,
    /// Source value to value.
    pub map: Option<Spanned<toml::Table>>,
    /// What becomes of values that the map does not name: `error`, `keep`, `null`, or a value.
    pub map_others: Option<Spanned<toml::Value>>,
    /// How the text is read and normalised.
    #[serde(rename = "type")]
    pub kind: Option<Spanned<String>>,
    /// Formats of dates, strptime, or `unix`, `unix_ms`, `excel`.
    pub formats: Option<Spanned<OneOrMany<String>>>,
    /// The form in which a date or country is sent.
    pub output: Option<Spanned<String>>,
    /// How two-digit years are read: `past`, `future`, or a pivot.
    pub century: Option<Spanned<toml::Value>>,
    /// `percent`: 12 % is sent as 0.12.
    pub unit: Option<Spanned<String>>,
    /// Texts that are true, in place of the usual.
    pub true_values: Option<Spanned<Vec<String>>>,
    /// Texts that are false, in place of the usual.
    pub false_values: Option<Spanned<Vec<String>>>,
    /// Zone of date-times that carry none.
    pub timezone: Option<Spanned<String>>,
    /// Region of national phone numbers.
    pub region: Option<Spanned<String>>,
    /// A column that holds the country of national phone numbers.
    pub region_from: Option<Spanned<String>>,
    /// What becomes of a phone number's extension: `drop`, `keep`, `reject`.
    pub extension: Option<Spanned<String>>,
    /// `possible`: a phone number need only be of a possible length.
    pub accept: Option<Spanned<String>>,
    /// Options of a choice.
    pub options: Option<Spanned<Vec<toml::Value>>>,
    /// A table beside the mapping file in which the value is looked up.
    pub lookup: Option<Spanned<LookupSpec>>,
    /// The least value: a number, a date, or `today`.
    pub min: Option<Spanned<toml::Value>>,
    /// The greatest value.
    pub max: Option<Spanned<toml::Value>>,
    /// The least length in characters.
    pub min_length: Option<Spanned<usize>>,
    /// The greatest length in characters.
    pub max_length: Option<Spanned<usize>>,
    /// A regular expression that must match.
    pub pattern: Option<Spanned<String>>,
    /// The values that are allowed.
    pub one_of: Option<Spanned<Vec<toml::Value>>>,
    /// The least number of parts of a list.
    pub min_items: Option<Spanned<usize>>,
    /// The greatest number of parts of a list.
    pub max_items: Option<Spanned<usize>>,
    /// What an empty field becomes, as written.
    pub default: Option<Spanned<toml::Value>>,
    /// Whether the field may not be empty.
    pub required: Option<Spanned<bool>>,
    /// What becomes of a value that is wrong: `reject` the row, `null` the field, `warn` and send.
    pub on_error: Option<Spanned<OnError>>,
    /// What is sent for an empty field: `"null"` or `""`; without it the field is left out.
    pub empty: Option<Spanned<String>>,
}

/// When a field is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// With a create.
    Create,
    /// With an update.
    Update,
    /// With a create; with an update only where the target has none.
    IfEmpty,
}

/// What becomes of a value that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The row is rejected.
    #[default]
    Reject,
    /// The field is left empty, with a warning.
    Null,
    /// The text is sent as it was, with a warning.
    Warn,
}

/// Which part of a split value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// The first.
    First,
    /// The last.
    Last,
    /// The one of this number, from 1.
    Number(usize),
}

/// One step of `clean`: a word, or a table with one of the keys of the second group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CleanStep {
    /// Inner runs of white space become one space.
    Squash,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Upper case at the start of each word.
    Titlecase,
    /// Digits only.
    Digits,
    /// Letters without their marks, and other characters as close in ASCII as can be.
    Ascii,
    /// HTML tags are dropped and entities read.
    StripHtml,
    /// The given name from a cell that holds a whole name.
    GivenName,
    /// The family name from a cell that holds a whole name.
    FamilyName,
    /// What a regular expression matches is replaced.
    Replace {
        /// The regular expression.
        replace: String,
        /// What stands in its place; `$1` is the first group.
        with: String,
    },
    /// The first group of a regular expression; no match = empty.
    Extract(String),
    /// Zeros on the left of digits up to this length.
    Pad(usize),
    /// Cut to this many characters, with a warning.
    Truncate(usize),
}

/// `lookup`: a file, or a table with the columns named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupSpec {
    /// The CSV file, beside the mapping file.
    pub file: String,
    /// The column of keys; default: the first.
    pub key: Option<String>,
    /// The column of values; default: the second.
    pub value: Option<String>,
}

/// `[[check]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CheckSection {
    /// An expression that must be true.
    pub assert: Spanned<String>,
    /// What is said where it is false.
    pub message: Option<Spanned<String>>,
}

/// `[policy]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// The same key twice in a file.
    pub duplicates: Option<Spanned<Duplicates>>,
    /// The target has it already.
    pub existing: Option<Spanned<Existing>>,
    /// Sent, no answer, cannot be found out.
    pub uncertain: Option<Spanned<Uncertain>>,
    /// The run stops once more rows than this are refused: a count, or a share such as `"5%"`.
    pub stop_after: Option<Spanned<toml::Value>>,
}

/// What becomes of a key that stands twice in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Every later row is refused.
    #[default]
    Reject,
    /// The later rows are skipped.
    First,
    /// The earlier rows are skipped.
    Last,
}

/// `[limits]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// A rate such as `"100/min"`, or a list of them.
    pub rate: Option<Spanned<OneOrMany<String>>>,
    /// How many requests may be under way at once.
    pub concurrency: Option<Spanned<usize>>,
}

/// `[[test]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestSection {
    /// Column to cell text.
    pub row: Spanned<toml::Table>,
    /// What must be in the body.
    pub body: Option<Spanned<toml::Table>>,
    /// The codes of the issues that must arise, in any order.
    pub issues: Option<Spanned<Vec<String>>>,
}

impl Rule {
    /// The rule that a column's header in place of a table stands for.
    pub fn of_column(header: Spanned<String>) -> Self {
        let span = header.span();
        let values = vec![header];
        let column = OneOrMany {
            values,
            list: false,
        };
        Self {
            column: Some(Spanned::new(span, column)),
            ..Self::default()
        }
    }

    /// Gives headers that are not in a list their place, which deserializing cannot.
    pub(super) fn fill_spans(&mut self) {
        if let Some(column) = &mut self.column {
            fill_span(column);
        }
    }
}

impl RowSection {
    /// Gives a key's only column its place, which deserializing cannot.
    pub(super) fn fill_spans(&mut self) {
        if let Some(key) = &mut self.key {
            let span = key.span();
            for column in &mut key.get_mut().columns {
                if column.span().is_empty() {
                    *column = Spanned::new(span.clone(), column.get_ref().clone());
                }
            }
        }
    }
}
