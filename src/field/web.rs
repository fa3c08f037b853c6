//! Web addresses and UUIDs.

use std::borrow::Cow;

use url::Url;

use super::{Problem, Value};

/// Reads an address of the web; `https://` is put before a bare host name.
pub(super) fn url(text: &str) -> Result<Value<'_>, Problem> {
    if text.chars().any(char::is_whitespace) {
        return Err(Problem::invalid(
            "is not a web address: there is a space in it",
        ));
    }
    let with_scheme = has_scheme(text);
    let parsed = if with_scheme {
        Url::parse(text)
    } else if looks_like_host(text) {
        Url::parse(&format!("https://{}", text.trim_start_matches('/')))
    } else {
        return Err(Problem::invalid(
            "is not a web address: it must begin with https:// or http:// and a host name such as \
             www.example.com",
        ));
    };
    let url = parsed.map_err(|error| Problem::invalid(format!("is not a web address: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(Problem::invalid(
            "is not a web address: it must begin with https:// or http://",
        ));
    }
    let host = url.host_str().unwrap_or("");
    if host.is_empty() || host.split('.').any(str::is_empty) && !host.ends_with('.') {
        return Err(Problem::invalid("is not a web address: its host is empty"));
    }
    if url.as_str() == text {
        return Ok(Value::Text(Cow::Borrowed(text)));
    }
    Ok(Value::Text(Cow::Owned(url.into())))
}

/// Whether a scheme stands before a colon; `host:8080` has none.
fn has_scheme(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else {
        return false;
    };
    let port = rest.split(['/', '?', '#']).next().unwrap_or("");
    let is_port = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    !is_port
        && scheme.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-'))
}

/// Whether it begins with a name that has a dot and an ending of letters.
fn looks_like_host(text: &str) -> bool {
    let text = text.strip_prefix("//").unwrap_or(text);
    let host = text.split(['/', '?', '#', ':']).next().unwrap_or("");
    let mut labels = host.rsplit('.');
    let ending = labels.next().unwrap_or("");
    ending.chars().count() >= 2
        && ending
            .chars()
            .all(|letter| letter.is_alphabetic() || letter == '-')
        && labels.next().is_some_and(|label| !label.is_empty())
        && !host.contains('@')
        && !host.contains("..")
        && !host.starts_with('.')
}

/// Reads a UUID with or without hyphens, braces or `urn:uuid:`.
pub(super) fn uuid(text: &str) -> Result<Value<'_>, Problem> {
    let Ok(uuid) = uuid::Uuid::try_parse(text) else {
        return Err(Problem::invalid(
            "is not a UUID: it must have 32 hexadecimal digits, such as \
             123e4567-e89b-42d3-a456-426614174000",
        ));
    };
    let mut buffer = uuid::Uuid::encode_buffer();
    let normal = uuid.hyphenated().encode_lower(&mut buffer);
    if normal == text {
        return Ok(Value::Text(Cow::Borrowed(text)));
    }
    Ok(Value::Text(Cow::Owned(normal.to_owned())))
}
