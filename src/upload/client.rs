//! The HTTP client: one request out, one answer in, and what a failure says about the request.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};

use secrecy::SecretString;

use super::hide::Hide;
use crate::fault;
use crate::target::answer::Answer;
use crate::target::call::{Call, JSON};

/// The most bytes that an answer may have.
const ANSWER_LIMIT: usize = 64 << 20;

/// After a connection was closed in place of an answer, so many requests have a connection each: a
/// server that closes connections unannounced may close a kept one just when a request leaves, and
/// nobody can say then whether it read it.
const BY_THEMSELVES: u32 = 1_000;

/// Why a request has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoAnswer {
    /// It certainly did not arrive: no connection was made.
    NotSent(String),
    /// It left, or may have left; nobody can say whether it was carried out.
    Unknown(String),
    /// It cannot be made at all.
    Impossible(String),
}

/// A client with connections that are kept, as long as the server does not close them on requests.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    timeout: Duration,
    trust: Trust,
    alone: Arc<Alone>,
    base: String,
    headers: HeaderMap,
    hide: Hide,
}

/// A client that keeps no connection.
#[derive(Debug, Default)]
struct Alone {
    http: OnceLock<Option<reqwest::Client>>,
    /// How many more requests are for it.
    left: AtomicU32,
}

/// Chooses the cryptography of TLS once for the process.
fn install_crypto() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // It fails only where a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
    });
}

/// Whose certificates are trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// Those of the authorities that this machine knows.
    System,
    /// Nobody's: the machine knows no authority, and nothing is asked over TLS.
    Nobody,
}

/// What all clients have in common.
fn builder(timeout: Duration, trust: Trust) -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder();
    let builder = match trust {
        Trust::System => builder,
        Trust::Nobody => builder.tls_certs_only([]),
    };
    builder
        .user_agent(concat!("rowferry/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10).min(timeout))
        .timeout(timeout)
        .tcp_nodelay(true)
}

impl Client {
    /// A client for the API at `base`, with the headers that every request carries. An answer
    /// may take `timeout`.
    ///
    /// # Errors
    /// A sentence: a header that cannot be sent, or no TLS on this machine.
    pub fn new(
        base: &str,
        headers: &[(String, String)],
        timeout: Duration,
    ) -> Result<Self, String> {
        install_crypto();
        let mut all = HeaderMap::new();
        for (name, value) in headers {
            let header = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| format!("`{name}` is not a header's name"))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                format!("the value of the header `{name}` holds characters that a header cannot")
            })?;
            value.set_sensitive(true);
            all.insert(header, value);
        }
        // Shorter than servers keep them: a request on a connection that the server closes at that
        // moment would be one of unknown fate.
        let build = |trust| {
            builder(timeout, trust)
                .pool_idle_timeout(Duration::from_secs(4))
                .build()
        };
        // A machine without certificates can still speak to itself, as to the sandbox.
        let plain = base.starts_with("http://");
        let (http, trust) = match build(Trust::System) {
            Ok(http) => (http, Trust::System),
            Err(_) if plain => match build(Trust::Nobody) {
                Ok(http) => (http, Trust::Nobody),
                Err(error) => return Err(format!("no HTTP client can be made: {}", chain(&error))),
            },
            Err(error) => {
                return Err(format!(
                    "no HTTPS client can be made: {}. Install the certificates of the public \
                     authorities (the package is often called ca-certificates), or name a file of \
                     them in SSL_CERT_FILE",
                    chain(&error)
                ));
            }
        };
        Ok(Self {
            http,
            timeout,
            trust,
            alone: Arc::default(),
            base: base.trim_end_matches('/').to_owned(),
            headers: all,
            hide: Hide::default(),
        })
    }

    /// Takes these secrets out of whatever the target says.
    #[must_use]
    pub fn hiding(mut self, secrets: Vec<SecretString>) -> Self {
        self.hide = Hide::new(secrets);
        self
    }

    /// The client for the next request.
    fn next(&self) -> &reqwest::Client {
        let left = &self.alone.left;
        let one_less = |left: u32| left.checked_sub(1);
        if left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less)
            .is_err()
        {
            return &self.http;
        }
        let alone = || {
            builder(self.timeout, self.trust)
                .pool_max_idle_per_host(0)
                .build()
                .ok()
        };
        let alone = self.alone.http.get_or_init(alone);
        alone.as_ref().unwrap_or(&self.http)
    }

    /// The base URL, without a slash at its end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Sends one request, with `authorization` as a header's name and value.
    ///
    /// # Errors
    /// Where no answer came; see [`NoAnswer`].
    pub async fn send(
        &self,
        call: &Call,
        authorization: Option<(&str, &str)>,
    ) -> Result<Answer, NoAnswer> {
        let address =
            match call.location.starts_with("http://") || call.location.starts_with("https://") {
                true => call.location.clone(),
                false => format!("{}{}", self.base, call.location),
            };
        let method = reqwest::Method::from_bytes(call.method.as_bytes())
            .map_err(|_| NoAnswer::Impossible(format!("`{}` is not a method", call.method)))?;
        let mut headers = self.headers.clone();
        let mut put = |name: &str, value: &str, secret: bool| -> Result<(), NoAnswer> {
            let name = HeaderName::from_bytes(name.as_bytes())
                .map_err(|_| NoAnswer::Impossible(format!("`{name}` is not a header's name")))?;
            let mut value = HeaderValue::from_str(value).map_err(|_| {
                NoAnswer::Impossible(format!(
                    "the value of the header `{name}` holds characters that a header cannot"
                ))
            })?;
            value.set_sensitive(secret);
            headers.insert(name, value);
            Ok(())
        };
        if let Some((name, value)) = authorization {
            put(name, value, true)?;
        }
        for (name, value) in &call.headers {
            put(name, value, false)?;
        }
        if let Some((media, _)) = &call.body {
            // A kind of JSON that the target file names stays; a form is a form.
            if *media != JSON || !self.headers.contains_key(CONTENT_TYPE) {
                put(CONTENT_TYPE.as_str(), media, false)?;
            }
        }
        let mut request = self.next().request(method, &address).headers(headers);
        if let Some((_, bytes)) = &call.body {
            request = request.body(bytes.clone());
        }
        let mut response = fault::under_way(request.send()).await.map_err(|error| {
            let said = chain(&error);
            if error.is_builder() {
                NoAnswer::Impossible(said)
            } else if error.is_connect() {
                NoAnswer::NotSent(said)
            } else {
                if !error.is_timeout() {
                    self.alone.left.store(BY_THEMSELVES, Ordering::Relaxed);
                }
                NoAnswer::Unknown(said)
            }
        })?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        loop {
            match response.chunk().await {
                Ok(Some(chunk)) if body.len() + chunk.len() <= ANSWER_LIMIT => {
                    body.extend_from_slice(&chunk);
                }
                Ok(Some(_)) => {
                    return Err(NoAnswer::Unknown(format!(
                        "the answer {status} is larger than {} MiB",
                        ANSWER_LIMIT >> 20
                    )));
                }
                Ok(None) => break,
                // A refusal is a refusal, whatever became of its words; an error's words settle nothing.
                Err(_) if status >= 400 => break,
                Err(error) => {
                    return Err(NoAnswer::Unknown(format!(
                        "the answer {status} broke off: {}",
                        chain(&error)
                    )));
                }
            }
        }
        self.hide
            .from(&mut body, status, authorization.map(|(_, value)| value));
        Ok(Answer {
            status,
            headers,
            body,
        })
    }
}

/// An error with its causes, without the address that was asked, which may hold values of a row.
fn chain(error: &reqwest::Error) -> String {
    use std::error::Error;
    if error.is_timeout() {
        return "no answer came in time".to_owned();
    }
    let mut deepest: &dyn Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    let said = deepest.to_string();
    match error.is_connect() {
        true => format!("no connection: {said}"),
        false => said,
    }
}
