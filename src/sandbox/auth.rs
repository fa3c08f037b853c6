//! Who is let in: the alternatives of `[auth]`, the headers that are asked for, the token endpoint.
//!
//! Any secret will do except `wrong` and `expired`, so that refusals can be tried.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::body;
use crate::target::file::{AuthKind, BodyForm, Grant, HeaderValue, TargetFile};

/// The guard at the door.
#[derive(Debug)]
pub(super) struct Auth {
    ways: Vec<Way>,
    headers: Vec<(String, Option<String>)>,
    lifetime: u64,
    issued: Mutex<Issued>,
}

#[derive(Debug, Default)]
struct Issued {
    /// Tokens and when they end.
    tokens: HashMap<String, Instant>,
    /// Refresh tokens that were exchanged for others.
    used: HashSet<String>,
    count: u64,
}

#[derive(Debug)]
enum Way {
    None,
    Bearer,
    Header {
        name: String,
        prefix: String,
    },
    Basic {
        password: bool,
    },
    Oauth2 {
        path: String,
        grant: Grant,
        form: BodyForm,
        scope: Option<String>,
        /// Whether the client has an id, and a secret.
        client: (bool, bool),
    },
}

fn good(secret: &str) -> bool {
    !secret.is_empty() && secret != "wrong" && secret != "expired"
}

impl Auth {
    pub(super) fn new(target: &TargetFile, base: &str, lifetime: u64) -> Result<Self, String> {
        let ways = target
            .auth
            .iter()
            .map(|section| {
                Ok(match section.kind {
                    AuthKind::None => Way::None,
                    AuthKind::Bearer => Way::Bearer,
                    AuthKind::Header => Way::Header {
                        name: section
                            .header
                            .clone()
                            .unwrap_or_else(|| "Authorization".into()),
                        prefix: section.prefix.clone(),
                    },
                    AuthKind::Basic => Way::Basic {
                        password: section.password_env.is_some(),
                    },
                    AuthKind::Oauth2 => Way::Oauth2 {
                        path: token_path(section.token_path.as_deref(), base)?,
                        grant: section.grant.unwrap_or(Grant::ClientCredentials),
                        form: section.token_body.unwrap_or(BodyForm::Form),
                        scope: section.scope.clone(),
                        client: (section.id_env.is_some(), section.secret_env.is_some()),
                    },
                })
            })
            .collect::<Result<_, String>>()?;
        let headers = target
            .headers
            .iter()
            .filter_map(|(name, value)| match value {
                HeaderValue::Text(text) => Some((name.clone(), Some(text.clone()))),
                HeaderValue::Env { required: true, .. } => Some((name.clone(), None)),
                HeaderValue::Env { .. } => None,
            })
            .collect();
        Ok(Self {
            ways,
            headers,
            lifetime,
            issued: Mutex::default(),
        })
    }

    fn issued(&self) -> std::sync::MutexGuard<'_, Issued> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a request is let in.
    pub(super) fn admits(&self, headers: &HeaderMap) -> bool {
        self.ways.is_empty() || self.ways.iter().any(|way| self.fits(way, headers))
    }

    fn fits(&self, way: &Way, headers: &HeaderMap) -> bool {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let authorization = |scheme: &str| {
            let (word, rest) = text("authorization")?.split_once(' ')?;
            word.eq_ignore_ascii_case(scheme).then(|| rest.trim())
        };
        match way {
            Way::None => true,
            Way::Bearer => authorization("bearer").is_some_and(|token| {
                good(token)
                    && self
                        .issued()
                        .tokens
                        .get(token)
                        .is_none_or(|end| *end > Instant::now())
            }),
            Way::Header { name, prefix } => text(name)
                .and_then(|value| value.strip_prefix(prefix.as_str()))
                .is_some_and(|secret| good(secret.trim())),
            Way::Basic { password } => authorization("basic")
                .and_then(|pair| STANDARD.decode(pair).ok())
                .and_then(|pair| String::from_utf8(pair).ok())
                .is_some_and(|pair| {
                    let (user, word) = pair.split_once(':').unwrap_or((&pair, ""));
                    good(user) && (good(word) || (!*password && word.is_empty()))
                }),
            Way::Oauth2 { .. } => authorization("bearer").is_some_and(|token| {
                self.issued()
                    .tokens
                    .get(token)
                    .is_some_and(|end| *end > Instant::now())
            }),
        }
    }

    /// The name of a header that is asked for and lacking, or holds something else.
    pub(super) fn lacks(&self, headers: &HeaderMap, has_body: bool) -> Option<&str> {
        let lacking = |(name, want): &&(String, Option<String>)| {
            if !has_body && name.eq_ignore_ascii_case("content-type") {
                return false;
            }
            let mut have = headers.get_all(name.as_str()).iter();
            !have.any(|value| match want {
                Some(want) => value.as_bytes().eq_ignore_ascii_case(want.as_bytes()),
                None => !value.is_empty(),
            })
        };
        self.headers
            .iter()
            .find(lacking)
            .map(|(name, _)| name.as_str())
    }

    /// The answer of the token endpoint (RFC 6749), if the path is its.
    pub(super) fn token(
        &self,
        method: &str,
        path: &str,
        headers: &HeaderMap,
        bytes: &[u8],
    ) -> Option<(u16, Value)> {
        let ours = |way: &&Way| matches!(way, Way::Oauth2 { path: p, .. } if p == path);
        let ways: Vec<&Way> = self.ways.iter().filter(ours).collect();
        if ways.is_empty() {
            return None;
        }
        if method != "POST" {
            return Some((405, json!({"error": "invalid_request"})));
        }
        let mut refused = None;
        for way in ways {
            match self.grant(way, headers, bytes) {
                Ok(token) => return Some((200, token)),
                // What the grant that was asked for says counts more than that another was not.
                Err(why) if refused.is_none() || why.1["error"] != "unsupported_grant_type" => {
                    refused = Some(why);
                }
                Err(_) => {}
            }
        }
        refused
    }

    fn grant(&self, way: &Way, headers: &HeaderMap, bytes: &[u8]) -> Result<Value, (u16, Value)> {
        let Way::Oauth2 {
            grant,
            form,
            scope,
            client,
            ..
        } = way
        else {
            return Err((404, json!({"error": "invalid_request"})));
        };
        let error = |status: u16, code: &str, why: &str| {
            (status, json!({"error": code, "error_description": why}))
        };
        let media = headers
            .get("content-type")
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let request = body::read(*form, media, bytes)
            .map_err(|(_, why)| error(400, "invalid_request", &why))?;
        let given = |name: &str| {
            request
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let name = match grant {
            Grant::ClientCredentials => "client_credentials",
            Grant::RefreshToken => "refresh_token",
        };
        if given("grant_type") != name {
            return Err(error(
                400,
                "unsupported_grant_type",
                "another grant_type is asked for",
            ));
        }
        let in_header = headers
            .get("authorization")
            .and_then(|v| v.to_str().ok())
            .and_then(|v| v.strip_prefix("Basic "))
            .and_then(|pair| STANDARD.decode(pair).ok())
            .and_then(|pair| String::from_utf8(pair).ok());
        let (id, secret) = match in_header.as_deref().and_then(|pair| pair.split_once(':')) {
            Some(pair) => pair,
            None => (given("client_id"), given("client_secret")),
        };
        if (client.0 && !good(id)) || (client.1 && !good(secret)) {
            return Err(error(
                401,
                "invalid_client",
                "the client's id or secret is missing or wrong",
            ));
        }
        if let (Grant::ClientCredentials, Some(scope)) = (grant, scope)
            && given("scope") != scope
        {
            return Err(error(400, "invalid_scope", "another scope is asked for"));
        }
        let mut issued = self.issued();
        if *grant == Grant::RefreshToken {
            let token = given("refresh_token");
            if !good(token) || !issued.used.insert(token.to_owned()) {
                return Err(error(
                    400,
                    "invalid_grant",
                    "the refresh token is missing, wrong or used",
                ));
            }
        }
        issued.count += 1;
        let token = format!("sandbox-access-{}", issued.count);
        // Without a limit to it the end may lie beyond what a clock can hold.
        let life = Duration::from_secs(self.lifetime.min(1 << 31));
        issued.tokens.insert(token.clone(), Instant::now() + life);
        let mut answer = json!({
            "access_token": token, "token_type": "Bearer", "expires_in": self.lifetime,
        });
        if *grant == Grant::RefreshToken {
            answer["refresh_token"] = format!("sandbox-refresh-{}", issued.count).into();
        }
        Ok(answer)
    }
}

/// Where tokens are given on this server.
fn token_path(written: Option<&str>, base: &str) -> Result<String, String> {
    let written = written.unwrap_or("/oauth/token");
    if let Some(path) = written.strip_prefix("origin:") {
        return Ok(path.to_owned());
    }
    if written.contains("://") {
        return url::Url::parse(written)
            .map(|url| url.path().to_owned())
            .map_err(|error| format!("token_path `{written}`: {error}"));
    }
    Ok(format!("{base}/{}", written.trim_start_matches('/')))
}
