//! The request that makes a customer, or several.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::answer::Matcher;
use super::{BodyForm, Ordered, Packing, schema};
use crate::document::ordered;

/// The request that makes a customer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct CreateSection {
    /// Default: `POST`.
    #[schemars(with = "schema::Method")]
    pub method: Option<String>,
    /// The path behind `base_url`. It is a template, as are all paths and queries here: `{{ email }}`
    /// is the row's e-mail address, percent-encoded.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// Query parameters: names and templates.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// How the body is written, of changes too. Default: `"json"`.
    pub body: BodyForm,
    /// How the body is packed, of changes too, for APIs that take it so. Default: it is not.
    #[schemars(with = "Packing")]
    pub packing: Option<Packing>,
    /// The path at which the customer stands in the body. Default: the customer is the body.
    #[schemars(example = &"customer")]
    pub wrap: Option<String>,
    /// What else the body holds, as it stands. Where it shares an object with the customer, the two
    /// merge, and what the row says goes first; a list of pairs of custom fields holds both.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub constants: toml::Table,
    /// The statuses that mean success. Default: 200 to 299.
    #[schemars(with = "Vec<schema::Status>")]
    pub success: Vec<u16>,
    /// A path in the answer that must be true as well, for APIs that refuse with status 200.
    #[schemars(example = &"success")]
    pub ok: Option<String>,
    /// The path of the new customer's id in the answer. Default: `id`.
    #[schemars(example = &"data.id")]
    pub id: Option<String>,
    /// The path of what names the customer in addresses, where that is not the id.
    pub address: Option<String>,
    /// The header by which the API knows a repeated request and does not carry it out twice. Default:
    /// none, the API cannot do so.
    #[schemars(example = &"Idempotency-Key")]
    pub idempotency_header: Option<String>,
    /// For how long the API remembers it. Default: for ever.
    #[schemars(with = "schema::Duration")]
    pub idempotency_ttl: Option<String>,
    /// A field whose values the API never takes twice. It is filled from the row's key, so that a
    /// repeated request is refused as known.
    pub natural_key: Option<NaturalKey>,
    /// Answers that mean: this customer is there already.
    pub exists: Vec<Matcher>,
    /// How several customers go in one request, for APIs that take them so.
    pub batch: Option<BatchSection>,
}

/// A field whose values the API never takes twice.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NaturalKey {
    /// The field's path.
    pub field: String,
    /// What it is filled with: a template that names `key`, the row's key.
    #[schemars(example = &"{{ key | slug }}")]
    pub template: String,
}

/// How several customers go in one request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchSection {
    /// The path. Default: that of `[create]`; then a customer that is sent by itself, such as one whose
    /// batch had no answer, goes as a batch of one.
    #[schemars(with = "schema::UrlPath")]
    pub path: Option<String>,
    /// The method. Default: that of `[create]`.
    #[schemars(with = "schema::Method")]
    pub method: Option<String>,
    /// Query parameters. Default: those of `[create]`.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// The statuses that mean that the request was worked through. Default: those of `[create]`.
    #[schemars(with = "Vec<schema::Status>")]
    pub success: Vec<u16>,
    /// The most customers in one request. Default: 100.
    #[schemars(with = "usize", range(min = 1))]
    pub max: Option<usize>,
    /// The most bytes of one request, such as `4MB` or `500kB`. Default: no limit.
    #[schemars(with = "schema::Size")]
    pub max_bytes: Option<String>,
    /// The path at which the list stands in the body. Default: the body is the list.
    #[schemars(example = &"inputs")]
    pub at: String,
    /// The path at which a customer stands in its item of the list. Default: the item is the
    /// customer.
    #[schemars(example = &"properties")]
    pub item: String,
    /// What else each item holds, as it stands; it merges with the customer as `constants` does.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub item_constants: toml::Table,
    /// A member of the item that is filled with a name of the row, by which answers find their items.
    pub trace: Option<String>,
    /// The path of the list of answers to the single items. Default: the answer is the list.
    pub results: String,
    /// The path of a list of the refused items, if they stand apart from the results. With
    /// `match = "index"`, each may say its place in the request as `index`, from 0.
    pub errors: Option<String>,
    /// How answers find their items. Default: `"index"`.
    #[serde(rename = "match")]
    pub matching: Option<BatchMatch>,
    /// The path in an item's answer that tells success. Default: an item with an id succeeded, unless
    /// `item_error` names an error or a list of errors in it, or its code or words fit `exists` or a
    /// matcher of `[errors]`. An id of 0 beside something at `item_error` is none.
    pub item_ok: Option<String>,
    /// The path of the new id in an item's answer. Default: `id`.
    pub item_id: Option<String>,
    /// The path of the address in an item's answer, where that is not the id.
    pub item_address: Option<String>,
    /// The path of what is wrong in an item's answer: a text, or an error or a list of errors, which
    /// are read as `[errors]` says. With a text, code and fields are read from beside it, and without
    /// `item_ok` an item with a text and an id succeeded: some APIs say there that all went well.
    pub item_error: Option<String>,
    /// What is known of an item that no answer names, for APIs that answer with what they refuse
    /// only. `"created"` needs `errors`, and counts for none while an error's item cannot be told.
    /// Default: `"uncertain"`.
    pub silent: Silent,
    /// `true`: one bad customer makes the API refuse all of the request. Default: `false`.
    pub atomic: bool,
}

/// What is known of an item of a batch that no answer names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Silent {
    /// Nothing.
    #[default]
    Uncertain,
    /// It was created.
    Created,
}

/// How the answers of a batch find their items.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "lowercase", deny_unknown_fields)]
pub enum BatchMatch {
    /// Answers come in the order of the request.
    Index,
    /// By a member that item and answer share.
    #[schemars(untagged)]
    Member {
        /// The member's path in the item as it is sent.
        item: String,
        /// Its path in a result.
        result: String,
        /// Its path in an item of `errors`. Default: none, so that errors find no item.
        error: Option<String>,
    },
}
