//! The API's own fields, and those that an account has defined for itself.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::find::Paging;
use super::{Ordered, schema};
use crate::document::ordered;

/// What a field takes.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSpec {
    /// The field's type, as in mapping files; `"object"` and `"array"` as well.
    #[serde(rename = "type")]
    #[schemars(with = "schema::FieldType")]
    pub kind: Option<String>,
    /// `true`: a customer without it is refused. Default: `false`.
    pub required: bool,
    /// The least value: a number, a date, or `"today"`.
    #[schemars(with = "schema::Bound")]
    pub min: Option<toml::Value>,
    /// The greatest value: a number, a date, or `"today"`.
    #[schemars(with = "schema::Bound")]
    pub max: Option<toml::Value>,
    /// The least length, in characters.
    pub min_length: Option<usize>,
    /// The greatest length, in characters.
    pub max_length: Option<usize>,
    /// A regular expression that must find something in the value.
    pub pattern: Option<String>,
    /// For dates and date-times: the form in which the API takes them, where that is not ISO 8601: with the
    /// marks of strftime, such as `"%d/%m/%Y"`; or `"unix"`, `"unix_ms"` for a number (seconds and
    /// milliseconds since 1970). A mapping's `output` goes before it.
    #[schemars(example = &"unix")]
    pub output: Option<String>,
    /// The values that the field takes: values, or tables with `value` and `label`.
    #[schemars(with = "Vec<serde_json::Value>", example = ["active", "closed"])]
    pub options: Option<Vec<toml::Value>>,
    /// What is refused unless a mapping names the field in `allow_caution`.
    pub caution: Option<Caution>,
}

/// Values with which something happens that few people want.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Caution {
    /// The values.
    #[schemars(with = "Vec<serde_json::Value>")]
    pub values: Vec<toml::Value>,
    /// `true`: it happens where the field is missing. Default: `false`.
    pub missing: bool,
    /// What happens then, for the message.
    pub says: String,
}

/// How custom fields stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CustomShape {
    /// A table at `at`, with the fields' keys as names.
    #[default]
    Object,
    /// A list at `at`, with a table of two members for each field: its key and its value.
    Pairs,
    /// Members of the body itself, whose names begin with `prefix`.
    Prefix,
}

/// How the fields travel that an account has defined for itself.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CustomSection {
    /// The path at which they stand in the body.
    #[schemars(example = &"customFields")]
    pub at: String,
    /// How they stand there. Default: `"object"`.
    pub shape: CustomShape,
    /// For `prefix`: what their names begin with.
    pub prefix: String,
    /// For `pairs`: the member that names the field. Default: `key`.
    pub key: Option<String>,
    /// For `pairs`: the member that holds the value. Default: `value`.
    pub value: Option<String>,
    /// For `pairs`: `"integer"` where the keys are numbers. Default: they are texts.
    #[schemars(example = &"integer")]
    pub key_type: Option<String>,
    /// `"text"`: all values are sent as texts. Default: as their types say.
    #[schemars(example = &"text")]
    pub value_type: Option<String>,
    /// `true`: any key may be mapped. Default: `false`, only those that the account has defined, once
    /// these are known.
    pub open: bool,
    /// Where the account's own fields can be listed.
    pub discover: Option<DiscoverSection>,
}

/// `[custom.discover]`: where an account's own custom fields can be listed. `rowferry fields` asks
/// there and writes what it learns into `custom-fields.toml`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoverSection {
    /// Default GET.
    pub method: Option<String>,
    /// The path; it names no row.
    pub path: String,
    /// Query parameters.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// The path of the definitions in the answer. Default: the answer is the list.
    pub results: String,
    /// How the pages follow each other, as in `[list]`; without it the first answer holds all.
    pub paging: Option<Paging>,
    /// Path of a definition's key: the name under which its values are sent. Default `key`.
    pub key: String,
    /// Path of its id, a further name by which a mapping may call it. Default `id`.
    pub id: Option<String>,
    /// Path of its label, the name that people see; a mapping may call the field by it.
    pub label: Option<String>,
    /// The path of its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Their types to ours: `text`, `integer`, … as in `[fields]`, or `any` where every value goes.
    /// A type that is not named here and is called as none of ours is told, and takes any value.
    pub types: BTreeMap<String, String>,
    /// Path that is true where a create must hold the field.
    pub required: Option<String>,
    /// Where the options of a choice stand.
    pub options: Option<DiscoverOptions>,
}

/// `[custom.discover] options`: inline by `at`, or by a request of their own by `path`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoverOptions {
    /// Inline: path in the definition. An array of options, or an object of value to label.
    pub at: Option<String>,
    /// Apart: a path template over the definition's members; asked for choices and for types that
    /// are not known.
    pub path: Option<String>,
    /// Apart: query parameters, templates over the definition's members.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// Apart: path of the options in the answer; empty = the answer is the array.
    pub results: Option<String>,
    /// Apart: how the pages follow each other, as in `[list]`.
    pub paging: Option<Paging>,
    /// Path of an option's value, which is sent; empty = the option itself.
    pub value: String,
    /// The path of an option's label.
    pub label: Option<String>,
}
