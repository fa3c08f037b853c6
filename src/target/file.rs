//! The target file as it is written: these types are its grammar, and their comments its reference.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::document::{OneOrMany, ordered, sections};

/// Members of a TOML table in the order of the file.
pub type Ordered<V> = Vec<(String, V)>;

/// A target file. With `extends`, single facts of another target are replaced.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TargetFile {
    /// Another target of which this file replaces single facts.
    pub extends: Option<String>,
    /// The system's name.
    #[serde(default)]
    pub name: String,
    /// Where its API is described.
    #[serde(default)]
    pub docs: String,
    /// The base of all its addresses.
    #[serde(default)]
    pub base_url: String,
    /// The API's own external key, if it has one.
    pub key_field: Option<String>,
    /// Fields that `[fields]` does not name may be sent.
    #[serde(default)]
    pub open_fields: bool,
    /// How it knows us; the first whose variables are set is taken.
    #[serde(default, deserialize_with = "sections")]
    pub auth: Vec<AuthSection>,
    /// Headers of each request.
    #[serde(default, deserialize_with = "ordered")]
    pub headers: Ordered<HeaderValue>,
    /// How a record is made.
    #[serde(default)]
    pub create: CreateSection,
    /// How a record that exists is found; tried in order.
    #[serde(default, deserialize_with = "sections")]
    pub lookup: Vec<LookupSection>,
    /// The whole list, for APIs with no search.
    pub list: Option<ListSection>,
    /// One record by its address.
    pub read: Option<ReadSection>,
    /// How a record is changed.
    pub update: Option<UpdateSection>,
    /// How a record is taken away; used to undo.
    pub delete: Option<DeleteSection>,
    /// How a refusal is read; every shape is tried.
    #[serde(default, deserialize_with = "sections")]
    pub errors: Vec<ErrorsSection>,
    /// How fast it may be asked.
    #[serde(default)]
    pub limits: LimitsSection,
    /// The API's own fields: path to what it takes.
    #[serde(default, deserialize_with = "ordered")]
    pub fields: Ordered<FieldSpec>,
    /// How custom fields travel.
    pub custom: Option<CustomSection>,
}

/// How the target knows us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// `Authorization: Bearer …`.
    Bearer,
    /// A header of its own.
    Header,
    /// HTTP basic.
    Basic,
    /// OAuth 2.0.
    Oauth2,
    /// Not at all.
    None,
}

/// How an OAuth2 token is got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grant {
    /// With the client's id and secret (RFC 6749 section 4.4).
    ClientCredentials,
    /// With a refresh token (RFC 6749 section 6).
    RefreshToken,
}

/// How a body is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyForm {
    /// JSON.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`, nested keys as `a[b]`, arrays as `a[]`.
    Form,
}

/// `[auth]`. Secrets come from the environment or a file, never from here.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuthSection {
    /// Which way.
    pub kind: AuthKind,
    /// bearer, header: the variable that holds the secret.
    pub env: Option<String>,
    /// header: its name.
    pub header: Option<String>,
    /// header: text before the secret.
    #[serde(default)]
    pub prefix: String,
    /// basic: the variable that holds the user.
    pub user_env: Option<String>,
    /// basic: the variable that holds the password.
    pub password_env: Option<String>,
    /// oauth2: the grant.
    pub grant: Option<Grant>,
    /// oauth2: on the base; an absolute URL; or `origin:/path` on the base's host.
    pub token_path: Option<String>,
    /// oauth2: how the token request is written; default form (RFC 6749).
    pub token_body: Option<BodyForm>,
    /// oauth2: the variable that holds the client's id.
    pub id_env: Option<String>,
    /// oauth2: the variable that holds the client's secret.
    pub secret_env: Option<String>,
    /// oauth2: the variable that holds the refresh token.
    pub refresh_env: Option<String>,
    /// oauth2: the scope asked for.
    pub scope: Option<String>,
}

/// The value of a header: a text, or a table that names a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderValue {
    /// Sent as it stands.
    Text(String),
    /// From the environment.
    Env {
        /// The variable.
        env: String,
        /// Whether it names whose data it is.
        account: bool,
        /// Whether the run needs it; else the header is left out when unset.
        required: bool,
    },
}

/// `[create]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CreateSection {
    /// Default POST.
    pub method: Option<String>,
    /// The path, a template.
    pub path: String,
    /// Query parameters, templates.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// How the body is written.
    pub body: BodyForm,
    /// Path at which the record stands in the body.
    pub wrap: Option<String>,
    /// What else the body holds.
    pub constants: toml::Table,
    /// The statuses that mean success; default: 200 to 299.
    pub success: Vec<u16>,
    /// Path that must be true as well.
    pub ok: Option<String>,
    /// Path of the new record's id in the answer; default `id`.
    pub id: Option<String>,
    /// Path of what names it in paths, where that is not the id.
    pub address: Option<String>,
    /// Header that carries an idempotency key, where the API honours one.
    pub idempotency_header: Option<String>,
    /// For how long the API remembers it.
    pub idempotency_ttl: Option<String>,
    /// A field that the API keeps unique, filled from the row's key.
    pub natural_key: Option<NaturalKey>,
    /// Answers that mean: it is there already.
    pub exists: Vec<Matcher>,
    /// Several records in one request.
    pub batch: Option<BatchSection>,
}

/// `natural_key`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NaturalKey {
    /// The field's path.
    pub field: String,
    /// Its value, a template over `key`.
    pub template: String,
}

/// Tells an answer by status, code, message and field; all that are given must fit.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Matcher {
    /// The HTTP status.
    pub status: Option<u16>,
    /// The answer's own code.
    pub code: Option<String>,
    /// A regular expression over the message.
    pub message: Option<String>,
    /// The field that is refused.
    pub field: Option<String>,
}

/// `[create.batch]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatchSection {
    /// Default: the create's.
    pub path: Option<String>,
    /// Default: the create's.
    pub method: Option<String>,
    /// Default: the create's.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// Default: the create's.
    pub success: Vec<u16>,
    /// The most records in one request.
    pub max: Option<usize>,
    /// The most bytes of one request, such as `4MB`.
    pub max_bytes: Option<String>,
    /// Where the array stands in the body; empty = the body is the array.
    pub at: String,
    /// Where a record stands in its item; empty = the item is the record.
    pub item: String,
    /// What else an item holds.
    pub item_constants: toml::Table,
    /// A member of the item that we fill with a name of our own for the row.
    pub trace: Option<String>,
    /// Per-item answers; empty = the answer is the array.
    pub results: String,
    /// Where refused items stand, if apart from the results.
    pub errors: Option<String>,
    /// How answers find their items.
    #[serde(rename = "match")]
    pub matching: Option<BatchMatch>,
    /// Path that tells an item's success.
    pub item_ok: Option<String>,
    /// Path of an item's id.
    pub item_id: Option<String>,
    /// Path of an item's address.
    pub item_address: Option<String>,
    /// What a refused item says.
    pub item_error: Option<String>,
    /// One bad record refuses all.
    pub atomic: bool,
}

/// How the answers of a batch find their items.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BatchMatch {
    /// In the order of the input.
    Index,
    /// By a member found on both sides.
    Member {
        /// Path in the item as sent.
        item: String,
        /// Path in a result.
        result: String,
        /// Path in an error.
        error: Option<String>,
    },
}

/// `[lookup]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LookupSection {
    /// Default GET.
    pub method: Option<String>,
    /// The path, a template.
    pub path: String,
    /// Query parameters, templates.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// Path of the matches; empty or absent = the answer is the one record, 404 = none.
    pub results: String,
    /// What must equal, ignoring case, in a match: path in the record to template.
    #[serde(rename = "where", deserialize_with = "ordered")]
    pub where_: Ordered<String>,
    /// Further fields that must equal before a match counts as this row's own.
    pub prove: Vec<String>,
    /// "None found" counts only this long after the attempt.
    pub lag: Option<String>,
    /// Path of the id in a match; default `id`.
    pub id: Option<String>,
    /// Path of the address in a match; default: the id.
    pub address: Option<String>,
}

/// `[list]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ListSection {
    /// Default GET.
    pub method: Option<String>,
    /// The path.
    pub path: String,
    /// Query parameters.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// Path of the records; empty = the answer is the array.
    pub results: String,
    /// Path of a record's id; default `id`.
    pub id: Option<String>,
    /// Path of a record's address; default: the id.
    pub address: Option<String>,
    /// The field by which the list is indexed.
    pub by: String,
    /// How the pages follow each other.
    pub paging: Option<Paging>,
}

/// How the pages of a list follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PagingKind {
    /// The answer names the next page.
    Cursor,
    /// Pages have numbers from 1.
    Page,
    /// Records are counted off.
    Offset,
}

/// `paging`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Paging {
    /// Which way.
    pub kind: PagingKind,
    /// The query parameter that names the page.
    pub param: String,
    /// cursor: path of the next page's name in the answer.
    pub next: Option<String>,
    /// page: path of the last page's number.
    pub last: Option<String>,
    /// The query parameter for the page's size.
    pub size_param: Option<String>,
    /// The page's size.
    pub size: Option<u64>,
}

/// `[read]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReadSection {
    /// Default GET.
    pub method: Option<String>,
    /// The path, a template over `id` and `address`.
    pub path: String,
    /// Path of the record in the answer; default: the answer.
    #[serde(default)]
    pub record: String,
}

/// Whether an update says all or only what changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UpdateMode {
    /// Fields that are left out stay as they are.
    #[default]
    Partial,
    /// Fields that are left out are cleared: the record is read first and merged.
    Replace,
}

/// `[update]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct UpdateSection {
    /// Default PATCH.
    pub method: Option<String>,
    /// The path, a template.
    pub path: String,
    /// Query parameters, templates.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// Partial or replacing.
    pub mode: UpdateMode,
    /// A field of the body that names the record, so that no look-up is needed.
    pub keyed: Option<String>,
    /// Statuses that mean: there is none.
    pub missing: Vec<u16>,
    /// Fields that an update may not carry.
    pub never: Vec<String>,
    /// Fields that `[read]` does not give back.
    pub unreadable: Vec<String>,
    /// The statuses that mean success; default: 200 to 299.
    pub success: Vec<u16>,
}

/// `[delete]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteSection {
    /// Default DELETE.
    pub method: Option<String>,
    /// The path, a template over `id` and `address`.
    pub path: String,
    /// The statuses that mean success; default: 200 to 299 and 404.
    #[serde(default)]
    pub success: Vec<u16>,
}

/// `[errors]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ErrorsSection {
    /// Paths of the message; the first that is there.
    pub message: OneOrMany<String>,
    /// Paths of the code; the first that is there.
    pub code: OneOrMany<String>,
    /// Path of an object of field to messages, or of an array; empty = the answer itself.
    pub fields: Option<String>,
    /// In an array of objects: where each names its field.
    pub field: Option<String>,
    /// In an array of objects: where each says its message.
    pub text: Option<String>,
    /// Prefix taken off field names.
    pub strip: Option<String>,
    /// Where the field stands in the message.
    pub field_pattern: Option<String>,
    /// The run stops: no row can pass.
    pub fatal: Vec<Matcher>,
    /// Certainly not carried out; default 429 and 503.
    pub retry: Option<Vec<Matcher>>,
}

/// `[limits]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LimitsSection {
    /// `N/period`, one or several that hold at once; `unknown`: found by trying.
    pub rate: Option<OneOrMany<String>>,
    /// Not published; a mapping may replace it.
    pub assumed: bool,
    /// Requests under way at once.
    pub concurrency: Option<usize>,
    /// Which headers tell what is left.
    pub headers: Option<LimitHeaders>,
}

/// Headers that tell what is left of a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LimitHeaders {
    /// None.
    None,
    /// `X-RateLimit-Limit`, `-Remaining`, `-Reset` (Unix time).
    XRateLimit,
    /// The IETF drafts' `RateLimit` headers (seconds).
    Ietf,
    /// Names of its own.
    Named {
        /// How many in all.
        limit: Option<String>,
        /// How many are left.
        remaining: Option<String>,
        /// When it begins anew.
        reset: Option<String>,
        /// Whether `reset` is Unix time; else seconds from now.
        reset_unix: bool,
    },
}

/// What a field takes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FieldSpec {
    /// `text`, `integer`, … as in mapping files; also `object` and `array`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// A create without it is refused.
    pub required: bool,
    /// The least value.
    pub min: Option<toml::Value>,
    /// The greatest value.
    pub max: Option<toml::Value>,
    /// The least length in characters.
    pub min_length: Option<usize>,
    /// The greatest length in characters.
    pub max_length: Option<usize>,
    /// A regular expression that matches.
    pub pattern: Option<String>,
    /// The values it takes.
    pub options: Option<Vec<toml::Value>>,
    /// Values that are refused unless a mapping allows them.
    pub caution: Option<Caution>,
}

/// `caution`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Caution {
    /// The values.
    pub values: Vec<toml::Value>,
    /// Whether it is the field's absence.
    pub missing: bool,
    /// What happens then.
    pub says: String,
}

/// How custom fields stand in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CustomShape {
    /// `{key: value}` at `at`.
    #[default]
    Object,
    /// `[{key…, value…}]` at `at`.
    Pairs,
    /// Top-level members with a prefix.
    Prefix,
}

/// `[custom]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CustomSection {
    /// Where they stand in the body.
    pub at: String,
    /// How.
    pub shape: CustomShape,
    /// prefix: what their names begin with.
    pub prefix: String,
    /// pairs: the member that names the field; default `key`.
    pub key: Option<String>,
    /// pairs: the member that holds the value; default `value`.
    pub value: Option<String>,
    /// pairs: `integer` where the key is a number.
    pub key_type: Option<String>,
    /// `text`: values are sent as text.
    pub value_type: Option<String>,
    /// Any key goes; else only defined ones, once they are known.
    pub open: bool,
    /// Where the account's own custom fields can be listed.
    pub discover: Option<DiscoverSection>,
}

/// `[custom.discover]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoverSection {
    /// The path.
    pub path: String,
    /// Query parameters.
    #[serde(deserialize_with = "ordered")]
    pub query: Ordered<String>,
    /// Path of the definitions; empty = the answer is the array.
    pub results: String,
    /// Path of a definition's key.
    pub key: String,
    /// Path of its label.
    pub label: Option<String>,
    /// Path of its type.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Their types to ours.
    pub types: BTreeMap<String, String>,
    /// Where the options stand.
    pub options: Option<DiscoverOptions>,
}

/// `[custom.discover] options`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DiscoverOptions {
    /// Inline: path in the definition.
    pub at: Option<String>,
    /// Apart: a path template over the definition's members.
    pub path: Option<String>,
    /// Apart: path of the options in the answer.
    pub results: Option<String>,
    /// Path of an option's value.
    pub value: String,
    /// Path of its label.
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
