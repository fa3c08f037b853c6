//! What an answer means: `(status, headers, body)` → [`Verdict`], a pure function.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use serde_json::Value;

use super::matcher::Code;
pub use super::shape::Refusal;
use super::{Target, shape};
use crate::path::Path;

/// What an answer to a create or an update says.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It was carried out.
    Done {
        /// The record's id, where the answer has one.
        id: Option<String>,
        /// Its address, where that is not the id.
        address: Option<String>,
    },
    /// The target says that the record is there already.
    Exists(Refusal),
    /// An update's answer that says: there is no such record.
    Missing,
    /// The target refuses this record.
    Refused(Refusal),
    /// Certainly not carried out; it may be sent again.
    NotDone {
        /// How long the target asks us to wait.
        after: Option<Duration>,
        /// Whether it refused for pace (429).
        limited: bool,
        /// Its words.
        refusal: Refusal,
    },
    /// Nobody can say whether it was carried out.
    Unknown(String),
    /// The secret is not, or no longer, good (401).
    Unauthorised(Refusal),
    /// We may not do this (403).
    Forbidden(Refusal),
    /// No row can pass; the run stops.
    Fatal(Refusal),
}

/// One answer.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Vec<u8>,
}

impl Answer {
    /// The body as JSON, if it is.
    pub fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok()
    }
}

/// The text of an id: a number's digits or a text.
pub fn id_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// How long an answer asks us to wait: `Retry-After` in seconds or as a date, which is measured
/// against the answer's own `Date` where it has one (RFC 9110 section 10.2.3).
pub fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds.is_finite() && seconds >= 0.0)
            .then(|| Duration::from_secs_f64(seconds.min(86_400.0 * 31.0)));
    }
    let until = httpdate::parse_http_date(text).ok()?;
    let since = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| httpdate::parse_http_date(date).ok())
        .unwrap_or(now);
    Some(until.duration_since(since).unwrap_or_default())
}

impl Target {
    /// What a refusal says, by all the shapes that this target's refusals have.
    pub fn refusal(&self, answer: &Answer) -> Refusal {
        let json = answer.json();
        shape::read(
            &self.errors,
            answer.status,
            json.as_ref(),
            &String::from_utf8_lossy(&answer.body),
        )
    }

    /// What the answer to a create says.
    pub fn created(&self, answer: &Answer, now: SystemTime) -> Verdict {
        let create = &self.create;
        if !create.endpoint.succeeds(answer.status) {
            return self.no_success(answer, now);
        }
        let json = answer.json();
        if let Some(ok) = &create.ok
            && !json
                .as_ref()
                .and_then(|json| ok.get(json))
                .is_some_and(truthy)
        {
            // Where it says neither yes nor no, and no word of a refusal, nobody knows.
            let says = json
                .as_ref()
                .is_some_and(|json| ok.get(json).is_some() || shape::speaks(&self.errors, json));
            return match json {
                Some(_) if says => self.refused(answer, now),
                Some(_) => Verdict::Unknown(format!(
                    "the answer {} holds nothing at `{ok}`",
                    answer.status
                )),
                None => Verdict::Unknown(format!(
                    "the answer {} cannot be read: it is not JSON",
                    answer.status
                )),
            };
        }
        let (path, declared) = &create.id;
        let id = json
            .as_ref()
            .and_then(|json| path.get(json))
            .and_then(id_text);
        let blank = answer.body.iter().all(u8::is_ascii_whitespace);
        if id.is_none() && (*declared || (json.is_none() && !blank)) {
            return Verdict::Unknown(match json {
                None => format!(
                    "the answer {} cannot be read: it is not JSON",
                    answer.status
                ),
                Some(_) => format!("the answer {} holds no id at `{path}`", answer.status),
            });
        }
        let at = |path: &Path| {
            json.as_ref()
                .and_then(|json| path.get(json))
                .and_then(id_text)
        };
        let address = create.address.as_ref().and_then(at);
        Verdict::Done { id, address }
    }

    /// What the answer to an update says.
    pub fn updated(&self, answer: &Answer, now: SystemTime) -> Verdict {
        let Some(update) = &self.update else {
            return self.refused(answer, now);
        };
        if update.missing.contains(&answer.status) {
            return Verdict::Missing;
        }
        if !update.endpoint.succeeds(answer.status) {
            return self.no_success(answer, now);
        }
        let json = answer.json();
        if let (Some(ok), Some(json)) = (&self.create.ok, &json)
            && ok.get(json).is_some_and(|value| !truthy(value))
        {
            return self.refused(answer, now);
        }
        let at = |path: &Path| {
            json.as_ref()
                .and_then(|json| path.get(json))
                .and_then(id_text)
        };
        Verdict::Done {
            id: at(&self.create.id.0),
            address: self.create.address.as_ref().and_then(at),
        }
    }

    /// What an answer says whose status is none of those of success.
    pub(super) fn no_success(&self, answer: &Answer, now: SystemTime) -> Verdict {
        if (200..300).contains(&answer.status) {
            return Verdict::Unknown(format!(
                "the target answered {}, which its file does not call a success",
                answer.status
            ));
        }
        self.refused(answer, now)
    }

    /// What an answer says that is not a success.
    pub fn refused(&self, answer: &Answer, now: SystemTime) -> Verdict {
        let refusal = self.refusal(answer);
        if matches!(answer.status, 301 | 302 | 307 | 308) {
            let to = answer.headers.get(LOCATION).and_then(|to| to.to_str().ok());
            return Verdict::Fatal(Refusal {
                message: match to {
                    Some(to) => format!(
                        "it redirects to {}; redirects are not followed, put the right address into base_url or --base-url",
                        without_query(to)
                    ),
                    None => "it redirects; redirects are not followed".to_owned(),
                },
                ..refusal
            });
        }
        self.classified(refusal, retry_after(&answer.headers, now), Code::fits)
    }

    /// What a refusal means, of an answer or of one item of a batch; `fits` tells whether a matcher
    /// of the target file does.
    pub(super) fn classified(
        &self,
        refusal: Refusal,
        after: Option<Duration>,
        fits: fn(&Code, &Refusal) -> bool,
    ) -> Verdict {
        let status = refusal.status;
        if self.fatal.iter().any(|code| fits(code, &refusal)) {
            return Verdict::Fatal(refusal);
        }
        if status == 429 || self.retry.iter().any(|code| fits(code, &refusal)) {
            return Verdict::NotDone {
                after,
                limited: status == 429,
                refusal,
            };
        }
        if self.create.exists.iter().any(|code| fits(code, &refusal)) {
            return Verdict::Exists(refusal);
        }
        match status {
            401 => Verdict::Unauthorised(refusal),
            403 => Verdict::Forbidden(refusal),
            400..=499 if status != 408 => Verdict::Refused(refusal),
            200..=299 => Verdict::Refused(refusal),
            _ => Verdict::Unknown(match refusal.message.is_empty() {
                true => format!("the target answered {status}"),
                false => format!("the target answered {status}: {}", refusal.message),
            }),
        }
    }
}

fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or(address)
}

/// Whether an `ok` path's value says success.
pub(super) fn truthy(value: &Value) -> bool {
    match value {
        Value::Bool(yes) => *yes,
        Value::String(text) => !matches!(
            text.to_ascii_lowercase().as_str(),
            "" | "false" | "0" | "no" | "error" | "fail" | "failed"
        ),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Null => false,
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(text: &str) -> Target {
        let file = std::sync::Arc::new(crate::issue::TextFile {
            name: "t.toml".into(),
            text: text.into(),
        });
        let (target, mistakes) = super::super::load_file("t", &file, None);
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        target.unwrap()
    }

    const TARGET: &str = r#"
name = "T"
base_url = "https://t.example"
[auth]
kind = "none"
[create]
path = "/c"
success = [200, 201]
ok = "success"
id = "data.id"
address = "data.slug"
exists = [{ status = 409, code = "Slug" }]
[update]
path = "/c/{{ address }}"
missing = [404]
[errors]
message = ["detail"]
code = ["code"]
fatal = [{ status = 402 }, { status = 409, code = "Cap" }]
[fields]
name = { type = "text" }
"#;

    fn answer(status: u16, body: &str) -> Answer {
        Answer {
            status,
            headers: HeaderMap::new(),
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn each_answer_has_its_meaning() {
        let target = target(TARGET);
        let word = |verdict: Verdict| match verdict {
            Verdict::Done { .. } => "done",
            Verdict::Exists(_) => "exists",
            Verdict::Missing => "missing",
            Verdict::Refused(_) => "refused",
            Verdict::NotDone { limited: true, .. } => "limited",
            Verdict::NotDone { .. } => "not done",
            Verdict::Unknown(_) => "unknown",
            Verdict::Unauthorised(_) => "unauthorised",
            Verdict::Forbidden(_) => "forbidden",
            Verdict::Fatal(_) => "fatal",
        };
        for (status, body, meaning) in [
            (
                201,
                r#"{"success":true,"data":{"id":7,"slug":"a"}}"#,
                "done",
            ),
            (200, r#"{"success":"ok","data":{"id":"x"}}"#, "done"),
            (200, r#"{"success":false,"detail":"no"}"#, "refused"),
            (201, r#"{"success":true,"data":{}}"#, "unknown"),
            (201, "<html>", "unknown"),
            (202, r#"{"success":true,"data":{"id":7}}"#, "unknown"),
            (400, r#"{"detail":"bad"}"#, "refused"),
            (401, "", "unauthorised"),
            (402, "", "fatal"),
            (403, "", "forbidden"),
            (404, "", "refused"),
            (408, "", "unknown"),
            (409, r#"{"code":"Slug"}"#, "exists"),
            (409, r#"{"code":"Cap"}"#, "fatal"),
            (409, r#"{"code":"Other"}"#, "refused"),
            (422, "", "refused"),
            (429, "", "limited"),
            (500, "", "unknown"),
            (502, "", "unknown"),
            (503, "", "not done"),
            (302, "", "fatal"),
            (303, "", "unknown"),
        ] {
            let found = word(target.created(&answer(status, body), SystemTime::UNIX_EPOCH));
            assert_eq!(found, meaning, "{status} {body}");
        }
        assert_eq!(
            target.updated(&answer(404, ""), SystemTime::UNIX_EPOCH),
            Verdict::Missing
        );
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_a_date() {
        let now = httpdate::parse_http_date("Sat, 21 Nov 2026 10:00:00 GMT").unwrap();
        for (value, date, wait) in [
            ("3", None, Some(3)),
            (" 0 ", None, Some(0)),
            ("Sat, 21 Nov 2026 10:00:30 GMT", None, Some(30)),
            (
                "Sat, 21 Nov 2026 10:00:30 GMT",
                Some("Sat, 21 Nov 2026 10:00:20 GMT"),
                Some(10),
            ),
            ("Sat, 21 Nov 2026 09:00:00 GMT", None, Some(0)),
            ("soon", None, None),
            ("-1", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(RETRY_AFTER, value.parse().unwrap());
            if let Some(date) = date {
                headers.insert(DATE, date.parse().unwrap());
            }
            assert_eq!(
                retry_after(&headers, now),
                wait.map(Duration::from_secs),
                "{value}"
            );
        }
    }
}
