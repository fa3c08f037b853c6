//! Our secrets in the words of others: what a target says when it refuses is told, and kept, without
//! them.

use memchr::memmem::Finder;
use secrecy::{ExposeSecret, SecretString};

/// What stands in a secret's place.
const HIDDEN: &[u8] = b"[secret]";

/// Shorter ones stand in any text.
const SHORTEST: usize = 6;

/// Takes secrets out of refusals.
#[derive(Debug, Clone, Default)]
pub(super) struct Hide {
    secrets: Vec<SecretString>,
}

impl Hide {
    /// Hides these, longer ones first: one may hold another.
    pub(super) fn new(mut secrets: Vec<SecretString>) -> Self {
        secrets.retain(|secret| secret.expose_secret().len() >= SHORTEST);
        secrets.sort_by_key(|secret| std::cmp::Reverse(secret.expose_secret().len()));
        Self { secrets }
    }

    /// Takes them, and the value of the header that authenticated the request, out of an answer's body.
    /// An answer of success stays as it is: what it holds are records and tokens, which are not told.
    pub(super) fn from(&self, body: &mut Vec<u8>, status: u16, authorization: Option<&str>) {
        if (200..300).contains(&status) {
            return;
        }
        // What is sent is the scheme and the secret; with Basic, the secret in another form.
        let sent = authorization.map(|value| value.rsplit(' ').next().unwrap_or(value));
        let kept = self.secrets.iter().map(|secret| secret.expose_secret());
        for secret in sent.into_iter().chain(kept) {
            if secret.len() < SHORTEST {
                continue;
            }
            replace(body, secret);
            // As some write it in JSON.
            if secret.contains('/') {
                replace(body, &secret.replace('/', "\\/"));
            }
        }
    }
}

fn replace(body: &mut Vec<u8>, secret: &str) {
    let finder = Finder::new(secret);
    let Some(first) = finder.find(body) else {
        return;
    };
    let mut out = Vec::with_capacity(body.len());
    let (mut from, mut at) = (0, Some(first));
    while let Some(found) = at {
        out.extend_from_slice(&body[from..found]);
        out.extend_from_slice(HIDDEN);
        from = found + secret.len();
        at = finder.find(&body[from..]).map(|next| from + next);
    }
    out.extend_from_slice(&body[from..]);
    *body = out;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(status: u16, body: &str, authorization: &str) -> String {
        let hide = Hide::new(vec!["pass/word".into(), "phrase".into(), "pass".into()]);
        let mut body = body.as_bytes().to_vec();
        hide.from(&mut body, status, Some(authorization));
        String::from_utf8(body).unwrap()
    }

    #[test]
    fn secrets_are_taken_out_of_refusals() {
        let said = "no Bearer abcd1234, no pass/word, no pass\\/word, no phrase; pass";
        assert_eq!(
            hidden(401, said, "Bearer abcd1234"),
            "no Bearer [secret], no [secret], no [secret], no [secret]; pass"
        );
        assert_eq!(
            hidden(400, "abcd1234abcd1234", "abcd1234"),
            "[secret][secret]"
        );
    }

    #[test]
    fn a_record_stays_as_it_is() {
        // As a token endpoint says it whose refresh token stays the same.
        let record = r#"{"id":"phrase-12","refresh_token":"abcd1234"}"#;
        assert_eq!(hidden(200, record, "Bearer abcd1234"), record);
    }
}
