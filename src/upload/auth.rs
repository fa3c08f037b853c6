//! How the target knows us: secrets from the environment or files, and OAuth2 tokens.

use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;

use super::client::{Client, NoAnswer};
use crate::fault::{self, Point};
use crate::issue::Mistake;
use crate::target::Target;
use crate::target::answer::{Answer, Refusal, retry_after};
use crate::target::call::{Call, encode};
use crate::target::file::{AuthKind, AuthSection, BodyForm, Grant, HeaderValue};

/// Looks a variable of the environment up.
pub type Environment<'a> = &'a dyn Fn(&str) -> Option<String>;

/// A secret, and the file that it came from, if from one.
#[derive(Debug, Clone)]
struct Secret {
    text: SecretString,
    file: Option<PathBuf>,
}

/// All that the target needs to know us, found before anything is sent.
#[derive(Debug)]
pub struct Credentials {
    way: Way,
    /// Headers of every request.
    pub headers: Vec<(String, String)>,
    /// Headers that name whose data it is.
    pub tenants: Vec<(String, String)>,
    /// The OAuth2 client's id.
    pub client_id: Option<String>,
    /// All that is not to be told to anybody, whoever says it.
    secrets: Vec<SecretString>,
}

#[derive(Debug)]
enum Way {
    None,
    Fixed {
        header: String,
        value: SecretString,
        secret: SecretString,
    },
    OAuth(Box<OAuth>),
}

#[derive(Debug)]
struct OAuth {
    section: AuthSection,
    id: String,
    secret: Option<SecretString>,
    refresh: Mutex<Option<Secret>>,
    long_lived: Option<SecretString>,
    token: Mutex<Option<Token>>,
}

#[derive(Debug)]
struct Token {
    value: SecretString,
    renew: Instant,
}

impl Credentials {
    /// Lets tokens be asked for at the base's own host, wherever the target file says: a rehearsal
    /// asks nobody else.
    pub fn rehearse(&mut self) {
        if let Way::OAuth(oauth) = &mut self.way
            && let Some(path) = &oauth.section.token_path
            && let Ok(address) = url::Url::parse(path)
            && address.has_host()
        {
            oauth.section.token_path = Some(format!("origin:{}", address.path()));
        }
    }

    /// What is not to be told, also where the target says it back to us; not the tokens that are got
    /// on the way.
    pub fn secrets(&self) -> Vec<SecretString> {
        let mut secrets = self.secrets.clone();
        match &self.way {
            Way::None => {}
            Way::Fixed { secret, .. } => secrets.push(secret.clone()),
            Way::OAuth(oauth) => {
                secrets.extend(oauth.secret.clone());
                if let Ok(refresh) = oauth.refresh.try_lock() {
                    secrets.extend(refresh.as_ref().map(|refresh| refresh.text.clone()));
                }
            }
        }
        secrets
    }

    /// Where tokens are asked for, if at another place than on the base.
    pub fn token_elsewhere(&self) -> Option<&str> {
        match &self.way {
            Way::OAuth(oauth) => oauth
                .section
                .token_path
                .as_deref()
                .filter(|path| path.contains("://")),
            _ => None,
        }
    }

    /// The bytes of the long-lived secret, of which the ledger keeps a salted fingerprint.
    pub fn long_lived(&self) -> Option<Vec<u8>> {
        match &self.way {
            Way::None => None,
            Way::Fixed { secret, .. } => Some(secret.expose_secret().as_bytes().to_vec()),
            // A refresh token changes with each use where it rotates; the client's secret stays.
            Way::OAuth(oauth) => {
                let secret = oauth.long_lived.as_ref()?;
                Some(secret.expose_secret().as_bytes().to_vec())
            }
        }
    }
}

/// A variable's value, or the content of the file that `NAME_FILE` names.
fn variable(name: &str, environment: Environment<'_>) -> Result<Option<Secret>, Mistake> {
    if let Some(text) = environment(name).filter(|text| !text.trim().is_empty()) {
        one_line(name, &text)?;
        return Ok(Some(Secret {
            text: text.trim().to_owned().into(),
            file: None,
        }));
    }
    let Some(path) = environment(&format!("{name}_FILE")).filter(|path| !path.is_empty()) else {
        return Ok(None);
    };
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => {
            one_line(&format!("{name}_FILE"), &text)?;
            Ok(Some(Secret {
                text: text.trim().to_owned().into(),
                file: Some(PathBuf::from(path)),
            }))
        }
        Ok(_) => Err(Mistake::new(
            "secret-file",
            format!("the file `{path}` that {name}_FILE names is empty"),
        )),
        Err(error) => Err(Mistake::new(
            "secret-file",
            format!("the file `{path}` that {name}_FILE names cannot be read: {error}"),
        )),
    }
}

/// A secret that no header can carry is a slip of the hand; it is not told.
fn one_line(name: &str, text: &str) -> Result<(), Mistake> {
    match text.trim().contains(char::is_control) {
        false => Ok(()),
        true => Err(Mistake::new(
            "bad-variable",
            format!("what {name} gives is no secret of one line: it holds a line break or another control character"),
        )
        .help("give it without them")),
    }
}

/// The variables that one way needs.
fn variables(section: &AuthSection) -> Vec<&str> {
    [
        &section.env,
        &section.user_env,
        &section.id_env,
        &section.secret_env,
        &section.refresh_env,
    ]
    .into_iter()
    .filter_map(|name| name.as_deref())
    .collect()
}

/// Finds the credentials that a target file asks for: the first `[auth]` whose variables are set.
///
/// # Errors
/// All that is missing, each a sentence; no secret is in them.
pub fn resolve(target: &Target, environment: Environment<'_>) -> Result<Credentials, Vec<Mistake>> {
    let mut mistakes = Vec::new();
    let mut headers = Vec::new();
    let mut tenants = Vec::new();
    let mut secrets = Vec::new();
    for (name, value) in &target.file.headers {
        match value {
            HeaderValue::Text(text) => headers.push((name.clone(), text.clone())),
            HeaderValue::Env {
                env,
                account,
                required,
            } => match variable(env, environment) {
                Err(mistake) => mistakes.push(mistake),
                Ok(Some(secret)) => {
                    let text = secret.text.expose_secret().to_owned();
                    match account {
                        true => tenants.push((name.clone(), text.clone())),
                        false => secrets.push(secret.text.clone()),
                    }
                    headers.push((name.clone(), text));
                }
                Ok(None) if *required => mistakes.push(
                    Mistake::new(
                        "missing-variable",
                        format!("the header {name} needs the variable {env}, which is not set"),
                    )
                    .help(format!(
                        "set {env}, or {env}_FILE to the path of a file that holds it"
                    )),
                ),
                Ok(None) => {}
            },
        }
    }
    let before = mistakes.len();
    let mut way = target.file.auth.is_empty().then_some((Way::None, None));
    for section in &target.file.auth {
        if way.is_some() {
            break;
        }
        match one_way(section, environment) {
            Ok(found) => way = found,
            Err(mistake) => mistakes.push(mistake),
        }
    }
    let Some((way, client_id)) = way else {
        if mistakes.len() == before {
            let is_set = |name: &&str| matches!(variable(name, environment), Ok(Some(_)));
            let part = |section: &&AuthSection| variables(section).iter().any(&is_set);
            // Where a way is begun, it is the one that is meant.
            let begun = target.file.auth.iter().find(part);
            let lacks = match begun {
                None => "none of its variables is set".to_owned(),
                Some(section) => {
                    let (there, missing): (Vec<&str>, Vec<&str>) = variables(section)
                        .into_iter()
                        .partition(|name| is_set(name));
                    let are = |names: &[&str]| match names.len() {
                        1 => "is",
                        _ => "are",
                    };
                    format!(
                        "{} {} set, and {} {} not",
                        there.join(" and "),
                        are(&there),
                        missing.join(" and "),
                        are(&missing)
                    )
                }
            };
            let ways = target.file.auth.iter();
            let all: Vec<String> = ways
                .filter(|way| begun.is_none_or(|begun| std::ptr::eq(*way, begun)))
                .map(|section| {
                    let mut names = variables(section);
                    names.retain(|name| begun.is_none() || !is_set(name));
                    names.join(" and ")
                })
                .collect();
            mistakes.push(
                Mistake::new(
                    "missing-variable",
                    format!("no credentials for {}: {lacks}", target.file.name),
                )
                .help(format!(
                    "set {}; each may be given as NAME_FILE, the path of a file that holds it",
                    all.join(", or ")
                )),
            );
        }
        return Err(mistakes);
    };
    if mistakes.is_empty() {
        Ok(Credentials {
            way,
            headers,
            tenants,
            client_id,
            secrets,
        })
    } else {
        Err(mistakes)
    }
}

type Found = Option<(Way, Option<String>)>;

fn one_way(section: &AuthSection, environment: Environment<'_>) -> Result<Found, Mistake> {
    let get = |name: &Option<String>| match name {
        Some(name) => variable(name, environment),
        None => Ok(None),
    };
    let fixed = |header: &str, value: String, secret: &Secret| {
        Some((
            Way::Fixed {
                header: header.to_owned(),
                value: value.into(),
                secret: secret.text.clone(),
            },
            None,
        ))
    };
    Ok(match section.kind {
        AuthKind::None => Some((Way::None, None)),
        AuthKind::Bearer => get(&section.env)?.and_then(|secret| {
            fixed(
                "Authorization",
                format!("Bearer {}", secret.text.expose_secret()),
                &secret,
            )
        }),
        AuthKind::Header => get(&section.env)?.and_then(|secret| {
            let header = section.header.as_deref().unwrap_or("Authorization");
            fixed(
                header,
                format!("{}{}", section.prefix, secret.text.expose_secret()),
                &secret,
            )
        }),
        AuthKind::Basic => get(&section.user_env)?
            .map(|user| -> Result<_, Mistake> {
                let password = get(&section.password_env)?;
                let both = format!(
                    "{}:{}",
                    user.text.expose_secret(),
                    password
                        .as_ref()
                        .map_or("", |password| password.text.expose_secret())
                );
                let secret = password.unwrap_or(user);
                Ok(fixed(
                    "Authorization",
                    format!("Basic {}", BASE64.encode(both)),
                    &secret,
                ))
            })
            .transpose()?
            .flatten(),
        AuthKind::Oauth2 => {
            let id = get(&section.id_env)?;
            let secret = get(&section.secret_env)?;
            let refresh = get(&section.refresh_env)?;
            let by_refresh = section.grant == Some(Grant::RefreshToken);
            match (id, secret, refresh) {
                (Some(id), secret, refresh)
                    if (secret.is_some() || section.secret_env.is_none())
                        && (refresh.is_some() || !by_refresh) =>
                {
                    let id = id.text.expose_secret().to_owned();
                    // Where there is no client secret, what is left changes with each use.
                    let long_lived = secret.as_ref().map(|secret| secret.text.clone());
                    let oauth = OAuth {
                        section: section.clone(),
                        id: id.clone(),
                        secret: secret.map(|secret| secret.text),
                        refresh: Mutex::new(refresh),
                        long_lived,
                        token: Mutex::new(None),
                    };
                    Some((Way::OAuth(Box::new(oauth)), Some(id)))
                }
                _ => None,
            }
        }
    })
}

/// Why there is no token.
#[derive(Debug, Clone, PartialEq)]
pub enum NoToken {
    /// The token endpoint refuses us.
    Refused(Refusal),
    /// It refuses for pace (429), and asks for this wait.
    Limited(Option<Duration>),
    /// It could not be asked, or its answer not be read; it may be asked again.
    Again(String),
    /// The run was stopped before it could be asked.
    Stopped,
}

/// The header that authenticates a request.
#[derive(Debug, Clone)]
pub struct Authorization {
    /// Its name.
    pub header: String,
    /// Its value.
    pub value: SecretString,
}

impl Credentials {
    /// Whether an expired token can be renewed.
    pub fn renewable(&self) -> bool {
        matches!(self.way, Way::OAuth(_))
    }

    /// The header of the next request. A token is got, or renewed before it ends, by one request
    /// for all; `permit` waits for the pace, and says whether it may leave; `note` is told what a
    /// person should know.
    ///
    /// # Errors
    /// See [`NoToken`].
    pub async fn authorization(
        &self,
        client: &Client,
        target: &Target,
        permit: impl Future<Output = bool> + Send,
        note: &(dyn Fn(String) + Sync),
    ) -> Result<Option<Authorization>, NoToken> {
        match &self.way {
            Way::None => Ok(None),
            Way::Fixed { header, value, .. } => Ok(Some(Authorization {
                header: header.clone(),
                value: value.clone(),
            })),
            Way::OAuth(oauth) => {
                let mut token = oauth.token.lock().await;
                if token
                    .as_ref()
                    .is_none_or(|token| Instant::now() >= token.renew)
                {
                    if !permit.await {
                        return Err(NoToken::Stopped);
                    }
                    *token = Some(oauth.fetch(client, target, note).await?);
                }
                Ok(token.as_ref().map(|token| Authorization {
                    header: "Authorization".to_owned(),
                    value: format!("Bearer {}", token.value.expose_secret()).into(),
                }))
            }
        }
    }

    /// Forgets a token that the target refused, unless it was renewed meanwhile.
    pub async fn forget(&self, refused: &Authorization) {
        if let Way::OAuth(oauth) = &self.way {
            let mut token = oauth.token.lock().await;
            let same = token.as_ref().is_some_and(|token| {
                refused.value.expose_secret().strip_prefix("Bearer ")
                    == Some(token.value.expose_secret())
            });
            if same {
                *token = None;
            }
        }
    }
}

impl OAuth {
    async fn fetch(
        &self,
        client: &Client,
        target: &Target,
        note: &(dyn Fn(String) + Sync),
    ) -> Result<Token, NoToken> {
        let mut body = serde_json::Map::new();
        let mut put = |name: &str, value: &str| {
            body.insert(name.to_owned(), Value::String(value.to_owned()));
        };
        let mut refresh = self.refresh.lock().await;
        match (self.section.grant, refresh.as_ref()) {
            (Some(Grant::RefreshToken), Some(secret)) => {
                put("grant_type", "refresh_token");
                put("refresh_token", secret.text.expose_secret());
            }
            _ => put("grant_type", "client_credentials"),
        }
        put("client_id", &self.id);
        if let Some(secret) = &self.secret {
            put("client_secret", secret.expose_secret());
        }
        if let Some(scope) = &self.section.scope {
            put("scope", scope);
        }
        let form = self.section.token_body.unwrap_or(BodyForm::Form);
        let call = Call {
            method: "POST".to_owned(),
            location: token_address(client.base(), self.section.token_path.as_deref()),
            body: Some(encode(form, &Value::Object(body))),
            headers: vec![("Accept".to_owned(), "application/json".to_owned())],
        };
        let answer = client
            .send(&call, None)
            .await
            .map_err(|error| match error {
                NoAnswer::NotSent(why) | NoAnswer::Unknown(why) | NoAnswer::Impossible(why) => {
                    NoToken::Again(format!("the token endpoint gives no answer: {why}"))
                }
            })?;
        let read = self.read(&answer, target)?;
        if let Some(rotated) = read.rotated
            && self.section.grant == Some(Grant::RefreshToken)
        {
            fault::at(Point::TokenIssued);
            self.keep(&mut refresh, rotated, note);
            fault::at(Point::TokenKept);
        }
        Ok(read.token)
    }

    fn read(&self, answer: &Answer, target: &Target) -> Result<ReadToken, NoToken> {
        let json = answer.json();
        if !(200..300).contains(&answer.status) {
            let refusal = target.refusal(answer);
            let refusal = Refusal {
                message: format!(
                    "the token endpoint answered {}: {}",
                    answer.status, refusal.message
                ),
                ..refusal
            };
            return Err(match answer.status {
                429 => NoToken::Limited(retry_after(&answer.headers, SystemTime::now())),
                408 | 500.. => NoToken::Again(refusal.message),
                _ => NoToken::Refused(refusal),
            });
        }
        let member = |name: &str| json.as_ref().and_then(|json| json.get(name));
        let Some(value) = member("access_token").and_then(Value::as_str) else {
            return Err(NoToken::Again(
                "the token endpoint's answer holds no access_token".to_owned(),
            ));
        };
        // Seconds as a number or as text (RFC 6749 section 5.1 says number; some send text).
        let lifetime = member("expires_in")
            .and_then(|seconds| {
                seconds
                    .as_f64()
                    .or_else(|| seconds.as_str().and_then(|text| text.parse().ok()))
            })
            .filter(|seconds| seconds.is_finite() && *seconds > 0.0)
            .unwrap_or(300.0)
            .min(86_400.0 * 365.0);
        Ok(ReadToken {
            token: Token {
                value: value.to_owned().into(),
                renew: Instant::now() + Duration::from_secs_f64(lifetime * 0.8),
            },
            rotated: member("refresh_token")
                .and_then(Value::as_str)
                .map(str::to_owned),
        })
    }

    /// Keeps a rotated refresh token: in memory, and in the file that the old one came from.
    fn keep(&self, kept: &mut Option<Secret>, rotated: String, note: &(dyn Fn(String) + Sync)) {
        if kept
            .as_ref()
            .is_some_and(|old| old.text.expose_secret() == rotated)
        {
            return;
        }
        let file = kept.as_ref().and_then(|old| old.file.clone());
        let name = self
            .section
            .refresh_env
            .as_deref()
            .unwrap_or("the refresh token");
        match &file {
            None => note(format!(
                "the refresh token was replaced by the target; it cannot be kept, since {name} comes from the environment: use {name}_FILE"
            )),
            Some(path) => {
                if let Err(error) = replace_secret_file(path, &rotated) {
                    note(format!(
                        "the refresh token was replaced by the target, but the new one cannot be written to `{}`: {error}",
                        path.display()
                    ));
                }
            }
        }
        *kept = Some(Secret {
            text: rotated.into(),
            file,
        });
    }
}

struct ReadToken {
    token: Token,
    rotated: Option<String>,
}

fn replace_secret_file(path: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    // Where the name is a link, what it points to is replaced.
    let path = &path.canonicalize()?;
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(std::path::Path::new("."));
    // A temporary file of this crate has mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    writeln!(file, "{text}")?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// Where the token is asked for: on the base, `origin:` on the base's host, or an absolute URL.
pub fn token_address(base: &str, path: Option<&str>) -> String {
    let path = path.unwrap_or("/oauth/token");
    if let Some(path) = path.strip_prefix("origin:") {
        let origin = url::Url::parse(base)
            .ok()
            .map(|url| url.origin().ascii_serialization());
        return format!("{}{path}", origin.as_deref().unwrap_or(base));
    }
    if path.starts_with("http://") || path.starts_with("https://") {
        return path.to_owned();
    }
    format!("{}{path}", base.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_asked_for_where_the_file_says() {
        for (base, path, address) in [
            (
                "https://a.example/api",
                Some("/oauth/token"),
                "https://a.example/api/oauth/token",
            ),
            (
                "https://a.example/api",
                Some("origin:/oauth/token"),
                "https://a.example/oauth/token",
            ),
            (
                "https://a.example/api",
                Some("https://b.example/t"),
                "https://b.example/t",
            ),
            (
                "http://127.0.0.1:90/api",
                Some("origin:/t"),
                "http://127.0.0.1:90/t",
            ),
        ] {
            assert_eq!(token_address(base, path), address);
        }
    }

    #[test]
    fn the_first_way_whose_variables_are_set_is_taken() {
        let (target, _) = crate::target::load("sphinx", std::path::Path::new("."));
        let target = target.unwrap();
        let none = resolve(&target, &|_| None).unwrap_err();
        let help = none[0].help.as_deref().unwrap();
        assert!(
            help.contains("SPHINX_CLIENT_ID and SPHINX_CLIENT_SECRET")
                && help.contains("SPHINX_TOKEN"),
            "{help}"
        );
        let begun = resolve(&target, &|name| {
            (name == "SPHINX_CLIENT_ID").then(|| "i".to_owned())
        });
        let begun = begun.unwrap_err();
        assert_eq!(
            begun[0].message,
            "no credentials for Sphinx: SPHINX_CLIENT_ID is set, and SPHINX_CLIENT_SECRET is not"
        );
        let help = begun[0].help.as_deref().unwrap();
        assert!(help.starts_with("set SPHINX_CLIENT_SECRET; "), "{help}");
        let bearer = resolve(&target, &|name| {
            (name == "SPHINX_TOKEN").then(|| "t".to_owned())
        });
        assert!(!bearer.unwrap().renewable());
        let both = resolve(&target, &|name| {
            name.starts_with("SPHINX_CLIENT").then(|| "c".to_owned())
        });
        let both = both.unwrap();
        assert!(both.renewable());
        assert_eq!(both.client_id.as_deref(), Some("c"));
        let shown = resolve(&target, &|name| Some(format!("hidden of {name}"))).unwrap();
        assert!(!format!("{shown:?}").contains("hidden of SPHINX_CLIENT_SECRET"));
    }

    #[test]
    fn a_secret_may_stand_in_a_file() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), "s3cret\n").unwrap();
        let path = file.path().display().to_string();
        let found = variable("X", &|name| (name == "X_FILE").then(|| path.clone()))
            .unwrap()
            .unwrap();
        assert_eq!(found.text.expose_secret(), "s3cret");
        std::fs::write(file.path(), " \n").unwrap();
        assert!(variable("X", &|name| (name == "X_FILE").then(|| path.clone())).is_err());
    }
}
