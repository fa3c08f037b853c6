//! The target file as it is written: these types are its grammar, and their comments its reference.

mod schema;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

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

/// How the target knows us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// The header `Authorization: Bearer …` with the secret of `env`.
    Bearer,
    /// A header of its own, `header`, with the secret of `env` after the text of `prefix`.
    Header,
    /// HTTP basic, with `user_env` and `password_env`.
    Basic,
    /// OAuth 2.0: a token is fetched first; see `grant`.
    Oauth2,
    /// Not at all.
    None,
}

/// How an OAuth 2.0 token is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// With the client's id and secret, `id_env` and `secret_env` (RFC 6749 section 4.4).
    ClientCredentials,
    /// With a refresh token, `refresh_env` (RFC 6749 section 6). A new refresh token in the answer
    /// is written back to the file that the old one came from.
    RefreshToken,
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

/// How the API knows us. The secrets themselves never stand here: each key that ends in `env` names
/// a variable of the environment, say `ACME_TOKEN`, and `ACME_TOKEN_FILE` may name a file instead.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AuthSection {
    /// Which way.
    pub kind: AuthKind,
    /// For `bearer` and `header`: the variable that holds the secret.
    #[schemars(example = &"ACME_TOKEN")]
    pub env: Option<String>,
    /// For `header`: the header's name.
    #[schemars(example = &"X-API-KEY")]
    pub header: Option<String>,
    /// For `header`: the text before the secret. Default: none.
    #[serde(default)]
    pub prefix: String,
    /// For `basic`: the variable that holds the user's name.
    pub user_env: Option<String>,
    /// For `basic`: the variable that holds the password. Default: an empty password.
    pub password_env: Option<String>,
    /// For `oauth2`: how the token is fetched.
    pub grant: Option<Grant>,
    /// For `oauth2`: where the token is fetched: a path on `base_url`, a whole address, or
    /// `origin:/path` for a path on the host of `base_url`.
    #[schemars(example = &"/oauth/token")]
    pub token_path: Option<String>,
    /// For `oauth2`: how the request for the token is written. Default: `"form"`.
    pub token_body: Option<BodyForm>,
    /// For `oauth2`: the variable that holds the client's id.
    pub id_env: Option<String>,
    /// For `oauth2`: the variable that holds the client's secret.
    pub secret_env: Option<String>,
    /// For `oauth2`: the variable that holds the refresh token.
    pub refresh_env: Option<String>,
    /// For `oauth2`: the scope that is asked for. Default: none.
    pub scope: Option<String>,
}

/// The value of a header.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(untagged, deny_unknown_fields)]
pub enum HeaderValue {
    /// The value itself.
    Text(String),
    /// A value from the environment.
    Env {
        /// The variable that holds it; as with `[auth]`, the same name with `_FILE` may name a file.
        env: String,
        /// `true`: the value says whose data it is, so that runs for two accounts are kept apart.
        /// Default: `false`.
        #[schemars(default)]
        account: bool,
        /// `false`: without the variable the header is left out. Default: `true`, the run does not
        /// start without it.
        #[schemars(default)]
        required: bool,
    },
}

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
    /// What else the body holds, as it stands.
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

/// How several customers go in one request.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct BatchSection {
    /// The path. Default: that of `[create]`.
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
    /// What else each item holds, as it stands.
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
    /// The path in an item's answer that tells success. Default: an item with an id succeeded.
    pub item_ok: Option<String>,
    /// The path of the new id in an item's answer. Default: `id`.
    pub item_id: Option<String>,
    /// The path of the address in an item's answer, where that is not the id.
    pub item_address: Option<String>,
    /// The path of what is wrong in an item's answer: a text, or an error or a list of errors, which
    /// are read as `[errors]` says. With a text, code and fields are read from beside it.
    pub item_error: Option<String>,
    /// `true`: one bad customer makes the API refuse all of the request. Default: `false`.
    pub atomic: bool,
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
    /// Where `fields` is a list of tables: the path in each of its message.
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

/// How fast the API may be asked.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// How many requests in how much time, such as `"20/s"`; of a list all hold at once.
    /// `"unknown"`: the pace is found by trying. Default: only `concurrency` and the answers limit
    /// the pace.
    #[schemars(with = "OneOrMany<schema::TargetRate>")]
    pub rate: Option<OneOrMany<String>>,
    /// `true`: the vendor does not publish these limits, so that a mapping may replace them. Default:
    /// `false`, a mapping may only make them stricter.
    pub assumed: bool,
    /// How many requests may be under way at the same time.
    #[schemars(with = "usize", range(min = 1))]
    pub concurrency: Option<usize>,
    /// Which headers of an answer tell what is left of a limit. `Retry-After` is obeyed in any case.
    pub headers: Option<LimitHeaders>,
}

/// Headers that tell what is left of a limit.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema)]
#[schemars(deny_unknown_fields)]
pub enum LimitHeaders {
    /// None does.
    #[schemars(rename = "none")]
    None,
    /// `X-RateLimit-Limit`, `X-RateLimit-Remaining`, and `X-RateLimit-Reset` as Unix time.
    #[schemars(rename = "x-ratelimit")]
    XRateLimit,
    /// The `RateLimit` headers of the IETF's drafts, with seconds.
    #[schemars(rename = "ietf")]
    Ietf,
    /// Headers by their names.
    #[schemars(untagged)]
    Named {
        /// The header that says how many requests there are in all.
        limit: Option<String>,
        /// The header that says how many are left.
        remaining: Option<String>,
        /// The header that says when they begin anew.
        reset: Option<String>,
        /// What that header counts: `"unix"`, seconds since 1970; or `"seconds"` from now (default).
        #[schemars(rename = "reset_in", default, with = "schema::ResetIn")]
        reset_unix: bool,
    },
}

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

/// Reads a value that is a text or a table by hand-written visitors.
mod read {
    use std::fmt;

    use serde::Deserialize;
    use serde::de::{Deserializer, Error, MapAccess, Visitor, value};

    use super::{BatchMatch, HeaderValue, LimitHeaders};

    impl<'de> Deserialize<'de> for HeaderValue {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                env: String,
                #[serde(default)]
                account: bool,
                #[serde(default = "yes")]
                required: bool,
            }
            fn yes() -> bool {
                true
            }
            struct V;
            impl<'de> Visitor<'de> for V {
                type Value = HeaderValue;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a text, or a table with `env`")
                }

                fn visit_str<E: Error>(self, text: &str) -> Result<HeaderValue, E> {
                    Ok(HeaderValue::Text(text.to_owned()))
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<HeaderValue, A::Error> {
                    let table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                    let Table {
                        env,
                        account,
                        required,
                    } = table;
                    Ok(HeaderValue::Env {
                        env,
                        account,
                        required,
                    })
                }
            }
            deserializer.deserialize_any(V)
        }
    }

    impl<'de> Deserialize<'de> for BatchMatch {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                item: String,
                result: String,
                error: Option<String>,
            }
            struct V;
            impl<'de> Visitor<'de> for V {
                type Value = BatchMatch;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("\"index\", or a table with `item` and `result`")
                }

                fn visit_str<E: Error>(self, text: &str) -> Result<BatchMatch, E> {
                    match text {
                        "index" => Ok(BatchMatch::Index),
                        other => Err(E::unknown_variant(other, &["index"])),
                    }
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BatchMatch, A::Error> {
                    let table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                    let Table {
                        item,
                        result,
                        error,
                    } = table;
                    Ok(BatchMatch::Member {
                        item,
                        result,
                        error,
                    })
                }
            }
            deserializer.deserialize_any(V)
        }
    }

    impl<'de> Deserialize<'de> for LimitHeaders {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            #[derive(Deserialize)]
            #[serde(deny_unknown_fields)]
            struct Table {
                limit: Option<String>,
                remaining: Option<String>,
                reset: Option<String>,
                reset_in: Option<ResetIn>,
            }
            #[derive(Deserialize)]
            #[serde(rename_all = "lowercase")]
            enum ResetIn {
                Unix,
                Seconds,
            }
            struct V;
            impl<'de> Visitor<'de> for V {
                type Value = LimitHeaders;

                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("\"none\", \"x-ratelimit\", \"ietf\", or a table of header names")
                }

                fn visit_str<E: Error>(self, text: &str) -> Result<LimitHeaders, E> {
                    match text {
                        "none" => Ok(LimitHeaders::None),
                        "x-ratelimit" => Ok(LimitHeaders::XRateLimit),
                        "ietf" => Ok(LimitHeaders::Ietf),
                        other => Err(E::unknown_variant(other, &["none", "x-ratelimit", "ietf"])),
                    }
                }

                fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<LimitHeaders, A::Error> {
                    let table = Table::deserialize(value::MapAccessDeserializer::new(map))?;
                    Ok(LimitHeaders::Named {
                        limit: table.limit,
                        remaining: table.remaining,
                        reset: table.reset,
                        reset_unix: matches!(table.reset_in, Some(ResetIn::Unix)),
                    })
                }
            }
            deserializer.deserialize_any(V)
        }
    }
}
