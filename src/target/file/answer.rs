//! How an answer is known and a refusal read.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use crate::document::OneOrMany;

/// Knows an answer by its status, code, message and field; at least one is given, and all that are
/// given must fit.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("minProperties" = 1))]
pub struct Matcher {
    /// The HTTP status.
    #[schemars(with = "schema::Status")]
    pub status: Option<u16>,
    /// The answer's own code, or what stands behind the last dot in it.
    pub code: Option<String>,
    /// A regular expression that finds something in the message.
    pub message: Option<String>,
    /// The field that is refused.
    pub field: Option<String>,
}

/// How a refusal is read. Where it names a field, it is shown at the cell that the value came from.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsSection {
    /// The path of the message, or several, of which the first that is there counts.
    #[schemars(example = ["detail", "message"])]
    pub message: OneOrMany<String>,
    /// The path of the answer's own code, or several, of which the first that is there counts.
    pub code: OneOrMany<String>,
    /// The path of what is wrong with single fields: a table of fields and their messages, or a list;
    /// `""` is the answer itself.
    pub fields: Option<String>,
    /// Where `fields` is a list of tables: the path in each that names the field.
    pub field: Option<String>,
    /// Where `fields` is a list of tables: the path in each of its message. Default: as `message`.
    pub text: Option<String>,
    /// A beginning that is taken off the names of fields, such as `"body."`.
    pub strip: Option<String>,
    /// A regular expression whose first group finds the field's name in the message.
    #[schemars(example = &r"^(\w+) is")]
    pub field_pattern: Option<String>,
    /// Answers after which no row can succeed: the run stops.
    pub fatal: Vec<Matcher>,
    /// Answers that mean "certainly not carried out, ask again"; those of several `[[errors]]` count
    /// together. Default: the statuses 429 and 503.
    #[schemars(with = "Vec<Matcher>")]
    pub retry: Option<Vec<Matcher>>,
}
