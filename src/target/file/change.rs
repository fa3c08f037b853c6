//! The requests that change a customer and take one away.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Ordered, schema};
use crate::document::ordered;

/// Whether a change names all fields or only those that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum UpdateMode {
    /// Fields that are left out stay as they are; only what differs is sent.
    #[default]
    Partial,
    /// Fields that are left out are cleared. So the customer is read first, by `[read]`, and sent
    /// again with the row's fields over it.
    Replace,
}

/// The request that changes a customer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateSection {
    /// Default: `PATCH`.
    #[schemars(with = "schema::Method")]
    pub method: Option<String>,
    /// The path, a template over the row's fields, `id` and `address`.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// Query parameters: names and templates.
    #[serde(deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, String>")]
    pub query: Ordered<String>,
    /// What becomes of fields that the request leaves out. Default: `"partial"`.
    pub mode: UpdateMode,
    /// A field of the body that names the customer, so that none need be looked up before a change.
    pub keyed: Option<String>,
    /// For a change with `keyed`: the statuses that mean that there is no such customer.
    #[schemars(with = "Vec<schema::Status>")]
    pub missing: Vec<u16>,
    /// Fields that a change may not carry.
    pub never: Vec<String>,
    /// Fields that `[read]` does not give back. In the mode `"replace"` a mapping must fill them.
    pub unreadable: Vec<String>,
    /// The statuses that mean success. Default: 200 to 299.
    #[schemars(with = "Vec<schema::Status>")]
    pub success: Vec<u16>,
}

/// The request that takes a customer away again.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DeleteSection {
    /// Default: `DELETE`.
    #[schemars(with = "Option<schema::Method>")]
    pub method: Option<String>,
    /// The path, a template over `id` and `address`.
    #[schemars(with = "schema::UrlPath")]
    pub path: String,
    /// The statuses that mean success. Default: 200 to 299 and 404.
    #[serde(default)]
    #[schemars(with = "Vec<schema::Status>")]
    pub success: Vec<u16>,
}
