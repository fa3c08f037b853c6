//! The mapping file as it is written: these types are its grammar, and their comments its reference.

mod read;
mod schema;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

pub use self::schema::{FieldRules, Rules, TypeName};
pub use crate::record::{Existing, Uncertain};

use crate::document::{OneOrMany, OneOrSome, TextOr, fill_span};

/// A mapping file says, for one kind of spreadsheet and one target, which column becomes which field
/// of a customer, and how. `[fields]` and `[custom]`, whose keys are paths, are read by themselves
/// (see [`Rule`]).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// The system that the customers go to: a built-in target by its name (`rowferry targets` lists
    /// them), or a target file by its path, which counts from the folder of this file.
    #[schemars(with = "schema::Target")]
    pub target: Option<Spanned<String>>,
    /// Fields with values that the target file warns of, such as one that deletes a record at once.
    /// Such a value is refused unless its field is named here.
    #[serde(default)]
    #[schemars(with = "Vec<schema::FieldPath>")]
    pub allow_caution: Vec<Spanned<String>>,
    /// How the spreadsheet is read. All keys may be left out: the file itself decides then.
    #[serde(default)]
    pub source: SourceSection,
    /// What a row is known by, and which rows are left out.
    #[serde(default)]
    pub row: RowSection,
    /// Rules over a whole row; write `[[check]]` once for each.
    #[serde(default)]
    pub check: Vec<CheckSection>,
    /// What is done about duplicates, about customers that the target has already, and about rows
    /// of which nobody knows whether they arrived.
    #[serde(default)]
    pub policy: PolicySection,
    /// How fast requests may be sent. A limit that the target's vendor publishes can only be made
    /// stricter here; one that the target file merely assumes is replaced.
    #[serde(default)]
    pub limits: LimitsSection,
    /// Examples that the mapping file carries about itself; `rowferry check --mapping FILE` with no
    /// spreadsheet tries them. Write `[[test]]` once for each.
    #[serde(default)]
    pub test: Vec<TestSection>,
}

/// How the spreadsheet is read.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SourceSection {
    /// Which sheet of a workbook: its name, its number from 1, a list of these, or `"*"` for all
    /// visible sheets. Several sheets must have the same column names. Default: the first visible
    /// sheet.
    #[schemars(with = "Sheets")]
    pub sheet: Option<Spanned<Sheets>>,
    /// The cells of a workbook's sheet that are read, such as `"B3:H200"`, `"B:H"` or `"B3:H"`
    /// (down to the last row). Where rows are named, the first holds the column names.
    #[schemars(with = "String", example = &"B3:H200")]
    pub range: Option<Spanned<String>>,
    /// The table, or the named cells, of an .xlsx file that is read, such as `"Clients"`; it says
    /// which sheet, and a row of totals below it is left out.
    #[schemars(with = "String", example = &"Clients")]
    pub table: Option<Spanned<String>>,
    /// The number of the row that holds the column names, from 1. With `0` there is none, and the
    /// columns are called A, B, C and so on. Default: found from the file.
    #[schemars(with = "u64", example = 3)]
    pub header_row: Option<Spanned<u64>>,
    /// The character between the cells of a CSV file. Default: found from the file.
    #[schemars(with = "schema::Delimiter")]
    pub delimiter: Option<Spanned<String>>,
    /// The character encoding of a CSV file, by the name that web pages use for it. Default: what a
    /// byte order mark says, then UTF-8 if the file is valid UTF-8, then a guess that is reported.
    #[schemars(with = "String", example = &"windows-1252", example = &"utf-8")]
    pub encoding: Option<Spanned<String>>,
    /// How a date such as 03/04/2025 is read. Default: the order that the column as a whole proves;
    /// where it proves none, such a date is an error.
    #[schemars(with = "DateOrder")]
    pub date_order: Option<Spanned<DateOrder>>,
    /// The decimal mark of numbers that are kept as text. Default: `"."`.
    #[schemars(with = "schema::Decimal")]
    pub decimal: Option<Spanned<String>>,
    /// The country of phone numbers that name none, as its two-letter code. Default: none, so that
    /// such a number is an error.
    #[schemars(with = "schema::Region")]
    pub region: Option<Spanned<String>>,
    /// The time zone of times that name none, such as `"Europe/London"`. Default: UTC.
    #[schemars(with = "schema::Zone")]
    pub timezone: Option<Spanned<String>>,
    /// Texts that count as an empty cell. Default: only the empty text.
    #[schemars(with = "Vec<String>", example = ["", "N/A", "-"])]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum DateOrder {
    /// 31/12/2025.
    Dmy,
    /// 12/31/2025.
    Mdy,
    /// 2025/12/31.
    Ymd,
}

/// What a row is known by, and which rows are left out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RowSection {
    /// The column by which a customer is known again in later runs; or a list of columns that do so
    /// together; or a table with `column` and `clean`. Default: the field that the target itself
    /// uses as an external key, if it is mapped; else the whole content of the row.
    #[schemars(with = "schema::Key")]
    pub key: Option<Spanned<KeySpec>>,
    /// Whose keys these are, where two sources number their customers alike. Mappings of the same
    /// space and target mean the same customer by the same key. Default: none.
    #[schemars(with = "schema::Filled", example = &"shop-uk")]
    pub space: Option<Spanned<String>>,
    /// An expression. Rows for which it is true are left out on purpose and counted as skipped.
    #[schemars(with = "schema::Condition")]
    pub skip_when: Option<Spanned<String>>,
}

/// The columns of a row's key, and how their text is cleaned before keys are compared.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct KeySpec {
    /// A column, or a list of columns.
    #[schemars(rename = "column", with = "OneOrSome<schema::Header>")]
    pub columns: Vec<Spanned<String>>,
    /// Steps that clean the text of each column, in order.
    #[schemars(default, with = "Vec<CleanStep>")]
    pub clean: Vec<Spanned<CleanStep>>,
}

/// How the value of one field is made from a row. The keys work in the order in which they are
/// listed. A rule has exactly one of `column`, `template` and `value`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend(
    "oneOf" = [{"required": ["column"]}, {"required": ["template"]}, {"required": ["value"]}],
    "dependentRequired" = {"pick": ["split"], "map_others": ["map"]},
))]
pub struct Rule {
    /// An expression over the row. Where it is false the field is left out, and nothing about the
    /// field is checked.
    #[schemars(with = "schema::Condition")]
    pub when: Option<Spanned<String>>,
    /// With which requests the field goes. Default: `["create", "update"]`.
    #[schemars(with = "OneOrSome<On>")]
    pub on: Option<Spanned<OneOrMany<On>>>,
    /// The column that holds the value; or a list of columns, of which the first that is not empty
    /// is taken. One column of a list must exist in the file. Case and outer space of the names do
    /// not matter; the second of two equal names is `"Email#2"`, and `"@C"` is a column by its letter.
    #[schemars(with = "OneOrSome<schema::Header>")]
    pub column: Option<Spanned<OneOrMany<Spanned<String>>>>,
    /// `true`: it is no mistake if the file has none of the columns. Default: `false`.
    pub optional: bool,
    /// A text. With a list of columns: all that are not empty are joined, with this text between
    /// them. With `split`: the parts become one text again.
    #[schemars(with = "String", example = &" ")]
    pub join: Option<Spanned<String>>,
    /// A text with the row's cells filled in, such as `"{{ street }}, {{ city }}"`. A column goes by
    /// its name in small letters with `_` for all else, or by `row["First Name"]`. Where all that the
    /// template names is empty, the field is empty.
    #[schemars(with = "schema::TemplateText")]
    pub template: Option<Spanned<String>>,
    /// The same value for every row, of any kind: a text, a number, true or false, a list, a table.
    #[schemars(with = "serde_json::Value", example = true)]
    pub value: Option<Spanned<toml::Value>>,
    /// Texts that count as empty for this field, in place of `[source]`'s list.
    #[schemars(with = "Vec<String>", example = ["none", "-"])]
    pub nulls: Option<Vec<String>>,
    /// Steps that clean the text, one after the other.
    #[schemars(with = "Vec<CleanStep>")]
    pub clean: Vec<Spanned<CleanStep>>,
    /// The text between several values in one cell, or a list of such texts. What comes after works
    /// on each part; empty parts are left out, equal ones are kept once.
    #[schemars(with = "OneOrSome<schema::Separator>")]
    pub split: Option<Spanned<OneOrMany<String>>>,
    /// Only this part of a cell that was split: `"first"`, `"last"`, or its number from 1.
    #[schemars(with = "Pick")]
    pub pick: Option<Spanned<Pick>>,
    /// A table of the spreadsheet's values and what they become. Case and outer space of the
    /// spreadsheet's values do not matter.
    #[schemars(with = "schema::Map")]
    pub map: Option<Spanned<toml::Table>>,
    /// What becomes of values that `map` does not name: `"error"`, `"keep"` (the value goes on as it
    /// is), `"null"` (the field is empty), or a value to take. Default: `"keep"` where `type` itself
    /// reads such values, as with countries; else `"error"`.
    #[schemars(with = "schema::MapOthers")]
    pub map_others: Option<Spanned<toml::Value>>,
    /// How the text is read and in which form it is sent. Default: what the target file says of the
    /// field, else `"text"`.
    #[serde(rename = "type")]
    #[schemars(with = "TypeName")]
    pub kind: Option<Spanned<String>>,
    /// For dates: how they are written, with the marks of strptime, such as `"%d.%m.%Y"`; or
    /// `"unix"`, `"unix_ms"` (seconds and milliseconds since 1970) and `"excel"` (days as workbooks
    /// count them) for numbers. Of a list the first that fits is taken. Default: workbook dates, ISO
    /// 8601, and `[source]`'s `date_order`.
    #[schemars(with = "OneOrSome<schema::Format>")]
    pub formats: Option<Spanned<OneOrMany<String>>>,
    /// The form in which a date or a country is sent. For dates it is written with the marks of
    /// strftime, such as `"%d/%m/%Y"`, or `"unix"`, `"unix_ms"` for a number (seconds and milliseconds
    /// since 1970); default ISO 8601. For countries: `"alpha2"` (default), `"alpha3"`, `"numeric"`,
    /// `"name"`.
    #[schemars(with = "schema::Output")]
    pub output: Option<Spanned<String>>,
    /// How years of two digits are read: `"past"` (the latest year that is not after today),
    /// `"future"` (the earliest that is not before today), or a number: with `30`, years below 30
    /// are 20.. and the others 19.. Default: such a year is an error.
    #[schemars(with = "schema::Century")]
    pub century: Option<Spanned<toml::Value>>,
    /// `"percent"`: numbers are per cent, so that 12 % is sent as 0.12.
    #[schemars(with = "schema::Unit")]
    pub unit: Option<Spanned<String>>,
    /// Texts that mean true, in place of the usual ones.
    #[schemars(with = "Vec<String>", example = ["subscribed"])]
    pub true_values: Option<Spanned<Vec<String>>>,
    /// Texts that mean false, in place of the usual ones.
    #[schemars(with = "Vec<String>", example = ["unsubscribed"])]
    pub false_values: Option<Spanned<Vec<String>>>,
    /// The time zone of times that name none. Default: `[source]`'s `timezone`.
    #[schemars(with = "schema::Zone")]
    pub timezone: Option<Spanned<String>>,
    /// The country of phone numbers that name none, as its two-letter code. Default: `[source]`'s
    /// `region`.
    #[schemars(with = "schema::Region")]
    pub region: Option<Spanned<String>>,
    /// A column that names the country of the row's phone number. Where it is empty, `region` counts.
    #[schemars(with = "schema::Header")]
    pub region_from: Option<Spanned<String>>,
    /// What becomes of a phone number's extension: `"drop"` it, with a warning (default); `"keep"` it
    /// as `;ext=12` behind the number; `"reject"` the value.
    #[schemars(with = "schema::Extension")]
    pub extension: Option<Spanned<String>>,
    /// `"possible"`: a phone number need only be of a possible length. Default: it must be a valid
    /// number.
    #[schemars(with = "schema::Accept")]
    pub accept: Option<Spanned<String>>,
    /// The options of a choice: values, or tables with `value` (what is sent) and `label` (what
    /// people see). Default: those of the target.
    #[schemars(with = "schema::Options")]
    pub options: Option<Spanned<Vec<toml::Value>>>,
    /// A CSV file beside this one, in which the value is looked up in the first column; what stands in
    /// the second is sent. A table with `file`, `key` and `value` names the columns. What is looked up
    /// is the value as `type` reads it.
    #[schemars(with = "TextOr<LookupSpec>", example = &"country-ids.csv")]
    pub lookup: Option<Spanned<LookupSpec>>,
    /// The least value: a number, a date, or `"today"`.
    #[schemars(with = "schema::Bound")]
    pub min: Option<Spanned<toml::Value>>,
    /// The greatest value: a number, a date, or `"today"`.
    #[schemars(with = "schema::Bound")]
    pub max: Option<Spanned<toml::Value>>,
    /// The least length, in characters.
    #[schemars(with = "usize", example = 2)]
    pub min_length: Option<Spanned<usize>>,
    /// The greatest length, in characters.
    #[schemars(with = "usize", range(min = 1), example = 255)]
    pub max_length: Option<Spanned<usize>>,
    /// A regular expression that must find something in the value.
    #[schemars(with = "String", example = &"^C-[0-9]+$")]
    pub pattern: Option<Spanned<String>>,
    /// The values that are allowed.
    #[schemars(with = "Vec<serde_json::Value>", length(min = 1))]
    pub one_of: Option<Spanned<Vec<toml::Value>>>,
    /// The least number of parts of a list.
    #[schemars(with = "usize", example = 1)]
    pub min_items: Option<Spanned<usize>>,
    /// The greatest number of parts of a list.
    #[schemars(with = "usize", example = 5)]
    pub max_items: Option<Spanned<usize>>,
    /// What an empty field becomes: a value that is read as a cell with that text would be, and sent
    /// in the same form. A date is written as 2025-12-31 or in the form that `output` names; a text
    /// goes as it stands.
    #[schemars(with = "serde_json::Value", example = &"unknown")]
    pub default: Option<Spanned<toml::Value>>,
    /// `true`: a row in which this field is empty is refused. Default: what the target file says. It
    /// is not asked of rows that change a customer.
    #[schemars(with = "bool")]
    pub required: Option<Spanned<bool>>,
    /// What becomes of a value that is wrong. Default: `"reject"`.
    #[schemars(with = "OnError")]
    pub on_error: Option<Spanned<OnError>>,
    /// What is sent for an empty field: `"null"`, or `""` for an empty text. Default: the field is
    /// left out of the request.
    #[schemars(with = "schema::Empty")]
    pub empty: Option<Spanned<String>>,
}

/// With which requests a field goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// With requests that make a customer.
    Create,
    /// With requests that change a customer.
    Update,
    /// With requests that make a customer; with a change only where the target has no value yet.
    IfEmpty,
}

/// What becomes of a value that is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OnError {
    /// The row is refused.
    #[default]
    Reject,
    /// The field is left empty, with a warning.
    Null,
    /// The text is sent as it was, with a warning.
    Warn,
}

/// Which part of a split value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase")]
pub enum Pick {
    /// The first part.
    First,
    /// The last part.
    Last,
    /// The part of this number, from 1.
    #[schemars(untagged)]
    Number(#[schemars(range(min = 1))] usize),
}

/// One step that cleans a text: a word, or a table with one key.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case", deny_unknown_fields)]
pub enum CleanStep {
    /// Several spaces in a row become one.
    Squash,
    /// All letters become small.
    Lower,
    /// All letters become capitals.
    Upper,
    /// Every word begins with a capital and goes on in small letters.
    Titlecase,
    /// Only the digits stay.
    Digits,
    /// Letters lose their marks, and other characters become what is closest in ASCII: é → e, ß → ss.
    Ascii,
    /// HTML tags are dropped, and entities such as `&amp;` become their characters.
    StripHtml,
    /// The given name from a cell that holds a whole name. Titles are dropped, and `Last, First` is
    /// understood.
    GivenName,
    /// The family name from a cell that holds a whole name; particles such as *van* belong to it.
    FamilyName,
    /// Only what the first group of a regular expression finds stays; where it finds nothing, the
    /// text is empty.
    Extract(String),
    /// Digits get zeros on the left up to this length.
    Pad(#[schemars(range(min = 1, max = 255))] usize),
    /// Longer texts are cut to this many characters, with a warning.
    Truncate(#[schemars(range(min = 1))] usize),
    /// What a regular expression finds is replaced.
    #[schemars(untagged)]
    Replace {
        /// The regular expression.
        replace: String,
        /// What stands in its place; `$1` is what its first group found. Default: nothing.
        #[schemars(default)]
        with: String,
    },
}

/// A table in which values are looked up, with its columns by name.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub struct LookupSpec {
    /// The CSV file, beside the mapping file. The results file of another import serves as well.
    #[schemars(with = "schema::Filled")]
    pub file: String,
    /// The column in which the value is looked up. Default: the first.
    pub key: Option<String>,
    /// The column of what is sent. Default: the second.
    pub value: Option<String>,
}

/// One rule over a whole row.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckSection {
    /// An expression that must be true, or the row is refused. It sees the row's columns, and as
    /// `body` what would be sent.
    #[schemars(with = "schema::Condition")]
    pub assert: Spanned<String>,
    /// What is said of a row for which it is false. Default: the expression itself.
    #[schemars(with = "Option<String>", example = &"a client needs an e-mail address or a phone number")]
    pub message: Option<Spanned<String>>,
}

/// What is done about duplicates, customers that exist, and rows that may have arrived.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PolicySection {
    /// What becomes of rows with the same key and different content. Rows with the same content are
    /// skipped in any case. Default: `"reject"`.
    #[schemars(with = "Duplicates")]
    pub duplicates: Option<Spanned<Duplicates>>,
    /// What becomes of a row whose customer the target has already. Default: `"create"`.
    #[schemars(with = "Existing")]
    pub existing: Option<Spanned<Existing>>,
    /// What becomes of a row that was sent and got no answer, where the target cannot be asked
    /// whether it arrived. Default: `"hold"`.
    #[schemars(with = "Uncertain")]
    pub uncertain: Option<Spanned<Uncertain>>,
    /// The run stops once more rows than this are refused: a number of rows, or a share of them such
    /// as `"5%"`. Default: it does not stop.
    #[schemars(with = "schema::StopAfter")]
    pub stop_after: Option<Spanned<toml::Value>>,
}

/// What becomes of a key that stands twice in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Duplicates {
    /// Every later row is refused.
    #[default]
    Reject,
    /// The first row counts, the later ones are skipped.
    First,
    /// The last row counts, the earlier ones are skipped.
    Last,
}

/// How fast requests may be sent.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// How many requests in how much time, such as `"100/min"`; of a list all hold at once. The
    /// time is `s`, `min`, `h`, `day` or `month`, or several of them such as `10s`.
    #[schemars(with = "OneOrSome<crate::rate::Rate>")]
    pub rate: Option<Spanned<OneOrMany<String>>>,
    /// How many requests may be under way at the same time.
    #[schemars(with = "usize", range(min = 1), example = 4)]
    pub concurrency: Option<Spanned<usize>>,
}

/// An example: a row, and what must become of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{"required": ["body"]}, {"required": ["issues"]}]))]
pub struct TestSection {
    /// The row: column names and the text of their cells.
    #[schemars(with = "schema::Cells")]
    pub row: Spanned<toml::Table>,
    /// What must stand in the request's body; there may be more in it.
    #[schemars(with = "Option<serde_json::Map<String, serde_json::Value>>")]
    pub body: Option<Spanned<toml::Table>>,
    /// The codes of all that must be wrong with the row, in any order, such as `name.required`.
    #[schemars(with = "Option<Vec<schema::Filled>>")]
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
