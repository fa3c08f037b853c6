//! The target file as it is written: these types are its grammar, and their comments its reference.

mod answer;
mod auth;
mod change;
mod create;
mod fields;
mod find;
mod limits;
mod read;
mod schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

pub use self::answer::{ErrorsSection, Matcher};
pub use self::auth::{AuthKind, AuthSection, Grant, HeaderValue};
pub use self::change::{DeleteSection, UpdateMode, UpdateSection};
pub use self::create::{BatchMatch, BatchSection, CreateSection, NaturalKey, Silent};
pub use self::fields::{
    Caution, CustomSection, CustomShape, DiscoverOptions, DiscoverSection, FieldSpec,
};
pub use self::find::{ListSection, LookupSection, Paging, PagingKind, ReadSection};
pub use self::limits::{LimitHeaders, LimitsSection};

use crate::document::{OneOrMany, ordered, sections};

/// Members of a TOML table in the order of the file.
pub type Ordered<V> = Vec<(String, V)>;

/// A target file describes one API, so that customers can be sent to it with no code: where it is,
/// how it knows us, what it takes, how it answers, and how fast it may be asked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Another target, by its name or the path of its file: its facts hold wherever this file says
    /// nothing.
    #[schemars(with = "Option<schema::Extends>")]
    pub extends: Option<String>,
    /// The system's name, as messages say it.
    #[serde(default)]
    #[schemars(example = &"Acme")]
    pub name: String,
    /// The address of the page that describes the API.
    #[serde(default)]
    pub docs: String,
    /// The http or https address that all paths of this file are added to. `--base-url` and the
    /// variable `ROWFERRY_BASE_URL` replace it.
    #[serde(default)]
    #[schemars(with = "schema::BaseUrl")]
    pub base_url: String,
    /// The field in which the API keeps your own number of a customer, if it has one. Rows are known
    /// by it where the mapping names no key.
    pub key_field: Option<String>,
    /// `true`: fields that `[fields]` does not name may be mapped. Default: `false`.
    #[serde(default)]
    pub open_fields: bool,
    /// How the API knows us. Of several `[[auth]]` the first is taken whose variables are set.
    #[serde(default, deserialize_with = "sections")]
    #[schemars(with = "OneOrMany<AuthSection>")]
    pub auth: Vec<AuthSection>,
    /// Headers that go with each request: names and values.
    #[serde(default, deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, HeaderValue>")]
    pub headers: Ordered<HeaderValue>,
    /// The request that makes a customer.
    #[serde(default)]
    pub create: CreateSection,
    /// How a customer that exists is found. Several `[[lookup]]` are tried in order.
    #[serde(default, deserialize_with = "sections")]
    #[schemars(with = "OneOrMany<LookupSection>")]
    pub lookup: Vec<LookupSection>,
    /// The whole list of customers, for APIs that cannot search: it is read once.
    pub list: Option<ListSection>,
    /// The request that reads one customer.
    pub read: Option<ReadSection>,
    /// The request that changes a customer.
    pub update: Option<UpdateSection>,
    /// The request that takes a customer away again. Without it an import cannot be undone.
    pub delete: Option<DeleteSection>,
    /// How a refusal is read. Of several `[[errors]]` each is tried, and after them the shapes that
    /// are usual.
    #[serde(default, deserialize_with = "sections")]
    #[schemars(with = "OneOrMany<ErrorsSection>")]
    pub errors: Vec<ErrorsSection>,
    /// How fast the API may be asked.
    #[serde(default)]
    pub limits: LimitsSection,
    /// The API's own fields: the path of each in the request, and what it takes.
    #[serde(default, deserialize_with = "ordered")]
    #[schemars(with = "BTreeMap<String, FieldSpec>")]
    pub fields: Ordered<FieldSpec>,
    /// How the fields travel that an account has defined for itself.
    pub custom: Option<CustomSection>,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    /// As JSON.
    #[default]
    Json,
    /// As a form (`application/x-www-form-urlencoded`), with `a[b]` for what is nested and `a[]` for
    /// lists.
    Form,
}

/// How a body is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Packing {
    /// By gzip, as `Content-Encoding: gzip` says.
    Gzip,
}
