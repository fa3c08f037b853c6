//! The requests that find and read customers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ordered, schema};
use crate::document::ordered;

/// How a customer that exists is found.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LookupSection {
    /// Default: `GET`.
    #[schemars(with = "schema::Method")]
    pub method: Option<String>,
    /// The path, a template over the row's fields and `key`. Where a field that it names is empty,
    /// this look-up is not made.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// Query parameters: names and templates.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// The body of a search that is posted: a table whose texts are templates. It is written in the
    /// form of `[create]`.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub body: Option<toml::Table>,
    /// The path of the customer's fields in a match, from where `prove` is read. Default: they stand
    /// in the match itself.
    #[schemars(example = &"properties")]
    pub record: String,
    /// The path of the list of matches in the answer. Default: the answer is the one customer, and
    /// status 404 means that there is none.
    #[schemars(example = &"data")]
    pub results: String,
    /// What a match must have, for searches that find more than was asked for: paths in the match,
    /// and templates that they must equal; capitals do not matter.
    #[serde(rename = "where", deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub where_: Ordered<String>,
    /// Further fields that must agree before a match is taken for what this very row made.
    pub prove: Vec<String>,
    /// How long after an attempt "none found" can be believed. Default: at once.
    #[schemars(with = "schema::Duration")]
    pub lag: Option<String>,
    /// The path of the id in a match. Default: `id`.
    pub id: Option<String>,
    /// The path of the address in a match. Default: the id.
    pub address: Option<String>,
}

/// The whole list of customers, read once and kept by one field.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ListSection {
    /// Default: `GET`.
    #[schemars(with = "schema::Method")]
    pub method: Option<String>,
    /// The path.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// Query parameters.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// The path of the customers in the answer. Default: the answer is the list.
    pub results: String,
    /// The path of a customer's id. Default: `id`.
    pub id: Option<String>,
    /// The path of a customer's address. Default: the id.
    pub address: Option<String>,
    /// The field by which customers are found in the list.
    #[schemars(with = "schema::By")]
    pub by: String,
    /// How the pages follow each other. Default: there is one page.
    pub paging: Option<Paging>,
}

/// How the pages of a list follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PagingKind {
    /// Each answer names the next page, at the path `next`.
    Cursor,
    /// Pages have numbers from 1.
    Page,
    /// The request says how many customers are passed over.
    Offset,
}

/// How the pages of a list follow each other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Which way.
    pub kind: PagingKind,
    /// The query parameter that says which page is wanted.
    pub param: String,
    /// For `cursor`: the path of the next page's name in the answer.
    pub next: Option<String>,
    /// For `page`: the path of the last page's number. Default: an empty page is the end.
    pub last: Option<String>,
    /// The query parameter for the size of a page. Default: none is sent.
    pub size_param: Option<String>,
    /// How many customers a page has.
    pub size: Option<u64>,
}

/// The request that reads one customer.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReadSection {
    /// Default: `GET`.
    #[schemars(with = "Option<schema::Method>")]
    pub method: Option<String>,
    /// The path, a template over `id` and `address`.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// The path of the customer in the answer. Default: the answer is the customer.
    #[serde(default)]
    pub record: String,
}
