//! How fast the API may be asked.

use schemars::JsonSchema;
use serde::Deserialize;

use super::schema;
use crate::document::OneOrMany;

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
