//! How the API knows us, and the headers that go with each request.

use schemars::JsonSchema;
use serde::Deserialize;

use super::BodyForm;

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
