//! What an answer's headers say of the limit: pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap};

use crate::target::file::LimitHeaders;

/// One limit as an answer tells it; what it does not tell is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Told {
    /// Requests that the limit allows.
    pub limit: Option<f64>,
    /// In how much time.
    pub window: Option<Duration>,
    /// Requests that are left.
    pub remaining: Option<f64>,
    /// When there will be more.
    pub reset: Option<Duration>,
}

/// A reset beyond this number is a time since 1970 and not a number of seconds to wait.
const SINCE_1970: f64 = 1e9;

/// Reads the headers that the target file names.
pub fn told(names: &LimitHeaders, headers: &HeaderMap, now: SystemTime) -> Vec<Told> {
    match names {
        LimitHeaders::None => Vec::new(),
        LimitHeaders::XRateLimit => one(
            headers,
            now,
            [
                Some("x-ratelimit-limit"),
                Some("x-ratelimit-remaining"),
                Some("x-ratelimit-reset"),
            ],
            true,
        ),
        LimitHeaders::Ietf => ietf(headers, now),
        LimitHeaders::Named {
            limit,
            remaining,
            reset,
            reset_unix,
        } => one(
            headers,
            now,
            [limit.as_deref(), remaining.as_deref(), reset.as_deref()],
            *reset_unix,
        ),
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn number(text: &str) -> Option<f64> {
    let number: f64 = text.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some(number)
}

/// A number of seconds from now: as such, or as a time since 1970 by the server's own clock.
fn reset(text: &str, headers: &HeaderMap, now: SystemTime, unix: bool) -> Option<Duration> {
    let number = number(text)?;
    let seconds = if unix && number > SINCE_1970 {
        // Some count in milliseconds.
        let number = if number > SINCE_1970 * 1e3 {
            number / 1e3
        } else {
            number
        };
        let theirs = headers
            .get(DATE)
            .and_then(|date| date.to_str().ok())
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .unwrap_or(now);
        let since = theirs.duration_since(UNIX_EPOCH).unwrap_or_default();
        (number - since.as_secs_f64()).max(0.0)
    } else {
        number
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Three headers, one number each; with `unix`, the last may be a time since 1970.
fn one(headers: &HeaderMap, now: SystemTime, names: [Option<&str>; 3], unix: bool) -> Vec<Told> {
    let [limit, remaining, until] = names.map(|name| text(headers, name?));
    let told = Told {
        limit: limit.and_then(number),
        window: None,
        remaining: remaining.and_then(number),
        reset: until.and_then(|text| reset(text, headers, now, unix)),
    };
    if told == Told::default() {
        Vec::new()
    } else {
        vec![told]
    }
}

/// The drafts of the IETF: `RateLimit-Limit`, `-Remaining`, `-Reset` (to draft 6), all in one
/// `RateLimit: limit=…, remaining=…, reset=…` (draft 7), and `RateLimit: "name";r=…;t=…` with
/// `RateLimit-Policy: "name";q=…;w=…` (from draft 8 on).
fn ietf(headers: &HeaderMap, now: SystemTime) -> Vec<Told> {
    let policies: Vec<Item<'_>> = all(headers, "ratelimit-policy");
    let combined: Vec<Item<'_>> = all(headers, "ratelimit");
    let policy = |name: &str| policies.iter().find(|item| item.name == name);
    if combined.iter().any(|item| item.parameter("r").is_some()) {
        return combined
            .iter()
            .map(|item| Told {
                limit: policy(item.name).and_then(|policy| policy.parameter("q")),
                window: policy(item.name)
                    .and_then(|policy| policy.parameter("w"))
                    .and_then(seconds),
                remaining: item.parameter("r"),
                reset: item.parameter("t").and_then(seconds),
            })
            .collect();
    }
    let member = |key: &str| {
        let value = combined.iter().find_map(|item| item.name.strip_prefix(key));
        value.and_then(|rest| number(rest.strip_prefix('=')?))
    };
    let limits: Vec<Item<'_>> = all(headers, "ratelimit-limit");
    let limit = member("limit").or_else(|| number(limits.first()?.name));
    // `100;w=60` stands among the limits or in a header of its own, and says for how long.
    let window = limits
        .iter()
        .chain(&policies)
        .filter(|item| limit.is_none() || number(item.name) == limit)
        .find_map(|item| item.parameter("w"))
        .and_then(seconds);
    let trio = one(
        headers,
        now,
        [None, Some("ratelimit-remaining"), Some("ratelimit-reset")],
        false,
    );
    let trio = trio.first().copied().unwrap_or_default();
    let told = Told {
        limit,
        window,
        remaining: member("remaining").or(trio.remaining),
        reset: member("reset").and_then(seconds).or(trio.reset),
    };
    if told == Told::default() {
        Vec::new()
    } else {
        vec![told]
    }
}

fn seconds(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number).ok()
}

/// A member of a list with its parameters, as RFC 9651 writes them, as far as limits need it.
#[derive(Debug)]
struct Item<'h> {
    name: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl Item<'_> {
    fn parameter(&self, name: &str) -> Option<f64> {
        let (_, value) = self.parameters.iter().find(|(key, _)| *key == name)?;
        number(value)
    }
}

fn all<'h>(headers: &'h HeaderMap, name: &str) -> Vec<Item<'h>> {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| outside_quotes(line, ','))
        .filter_map(|member| {
            let mut parts = outside_quotes(member, ';').into_iter();
            let name = parts.next()?.trim().trim_matches('"');
            let parameters = parts
                .filter_map(|part| part.split_once('='))
                .map(|(key, value)| (key.trim(), value.trim().trim_matches('"')))
                .collect();
            Some(Item { name, parameters })
        })
        .collect()
}

fn outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted) = (0, false);
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if c == separator && !quoted {
            parts.push(&text[start..at]);
            start = at + c.len_utf8();
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderName;

    use super::*;

    fn read(names: &LimitHeaders, pairs: &[(&str, &str)]) -> Vec<[Option<f64>; 4]> {
        let now = UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, value.parse().unwrap());
        }
        told(names, &headers, now)
            .into_iter()
            .map(|told| {
                let seconds = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
                [
                    told.limit,
                    seconds(told.window),
                    told.remaining,
                    seconds(told.reset),
                ]
            })
            .collect()
    }

    #[test]
    fn what_headers_say_of_a_limit() {
        let named = LimitHeaders::Named {
            limit: Some("X-Max".into()),
            remaining: Some("X-Left".into()),
            reset: Some("X-Reset".into()),
            reset_unix: false,
        };
        let (x, ietf) = (LimitHeaders::XRateLimit, LimitHeaders::Ietf);
        for (names, pairs, wanted) in [
            (
                &x,
                vec![
                    ("x-ratelimit-limit", "100"),
                    ("x-ratelimit-remaining", "3"),
                    ("x-ratelimit-reset", "1800000007"),
                ],
                vec![[Some(100.0), None, Some(3.0), Some(7.0)]],
            ),
            // By the server's clock, which may differ from ours.
            (
                &x,
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1800000007"),
                    ("date", "Fri, 15 Jan 2027 08:00:05 GMT"),
                ],
                vec![[None, None, Some(0.0), Some(2.0)]],
            ),
            (
                &x,
                vec![
                    ("x-ratelimit-remaining", "0"),
                    ("x-ratelimit-reset", "1800000007000"),
                ],
                vec![[None, None, Some(0.0), Some(7.0)]],
            ),
            (
                &x,
                vec![("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")],
                vec![[None, None, Some(0.0), Some(12.0)]],
            ),
            (
                &x,
                vec![
                    ("x-ratelimit-remaining", "many"),
                    ("x-ratelimit-reset", "-3"),
                ],
                vec![],
            ),
            (
                &named,
                vec![("x-max", "9"), ("x-left", "0"), ("x-reset", "2")],
                vec![[Some(9.0), None, Some(0.0), Some(2.0)]],
            ),
            (
                &ietf,
                vec![
                    ("ratelimit-limit", "100, 100;w=60"),
                    ("ratelimit-remaining", "7"),
                    ("ratelimit-reset", "5"),
                ],
                vec![[Some(100.0), Some(60.0), Some(7.0), Some(5.0)]],
            ),
            (
                &ietf,
                vec![
                    ("ratelimit-limit", "10"),
                    ("ratelimit-remaining", "7"),
                    ("ratelimit-reset", "5"),
                    ("ratelimit-policy", "10;w=1, 50;w=60"),
                ],
                vec![[Some(10.0), Some(1.0), Some(7.0), Some(5.0)]],
            ),
            (
                &ietf,
                vec![
                    ("ratelimit", "limit=100, remaining=50, reset=5"),
                    ("ratelimit-policy", "100;w=10"),
                ],
                vec![[Some(100.0), Some(10.0), Some(50.0), Some(5.0)]],
            ),
            (
                &ietf,
                vec![
                    ("ratelimit", "\"burst\";r=2;t=1, \"day, all\";r=900;t=3600"),
                    ("ratelimit-policy", "\"burst\";q=10;w=1"),
                    ("ratelimit-policy", "\"day, all\";q=1000;w=86400"),
                ],
                vec![
                    [Some(10.0), Some(1.0), Some(2.0), Some(1.0)],
                    [Some(1000.0), Some(86_400.0), Some(900.0), Some(3600.0)],
                ],
            ),
            (
                &ietf,
                vec![("ratelimit", "\"default\";r=0;t=30")],
                vec![[None, None, Some(0.0), Some(30.0)]],
            ),
            (&ietf, vec![("x-ratelimit-remaining", "0")], vec![]),
            (
                &LimitHeaders::None,
                vec![("x-ratelimit-remaining", "0")],
                vec![],
            ),
        ] {
            assert_eq!(read(names, &pairs), wanted, "{pairs:?}");
        }
    }
}
