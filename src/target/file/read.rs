//! Values that are a text or a table, read by hand-written visitors.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, Visitor, value};

use super::auth::HeaderValue;
use super::create::BatchMatch;
use super::limits::LimitHeaders;

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
