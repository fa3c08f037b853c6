//! E-mail addresses.

use std::borrow::Cow;

use email_address::{EmailAddress, Error, Options};

use super::{Problem, Value};

/// Reads one address: local part as it is, domain in lower case.
pub(super) fn read(text: &str) -> Result<Value<'_>, Problem> {
    if let Some(at) = plain(text.as_bytes()) {
        let (local, domain) = text.split_at(at);
        if !domain.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Ok(Value::Text(Cow::Borrowed(text)));
        }
        let mut lower = String::with_capacity(text.len());
        lower.push_str(local);
        lower.extend(domain.chars().map(|letter| letter.to_ascii_lowercase()));
        return Ok(Value::Text(Cow::Owned(lower)));
    }
    let options = Options::default()
        .with_required_tld()
        .without_domain_literal()
        .without_display_text();
    if let Err(error) = EmailAddress::parse_with_options(text, options) {
        return Err(refusal(text, &error));
    }
    let at = text.rfind('@').unwrap_or(0);
    let (local, domain) = text.split_at(at);
    if text.len() > 254 {
        return Err(Problem::invalid(format!(
            "is not an e-mail address: it has {} characters, at most 254 are possible",
            text.chars().count()
        )));
    }
    let last = domain.rsplit('.').next().unwrap_or("");
    if last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::invalid(
            "is not an e-mail address: its domain must end in letters such as .com",
        ));
    }
    if domain.chars().all(|letter| !letter.is_uppercase()) {
        return Ok(Value::Text(Cow::Borrowed(text)));
    }
    Ok(Value::Text(Cow::Owned(
        [local, &domain.to_lowercase()].concat(),
    )))
}

/// Where the @ of an address of the common kind stands: ASCII, no quotes, no rare characters. Any
/// other text is left to the library.
fn plain(text: &[u8]) -> Option<usize> {
    let at = memchr::memchr(b'@', text)?;
    is_plain(text, at).then_some(at)
}

fn is_plain(text: &[u8], at: usize) -> bool {
    let (local, domain) = (&text[..at], &text[at + 1..]);
    if local.is_empty() || local.len() > 64 || text.len() > 254 {
        return false;
    }
    let mut dot = true;
    for &byte in local {
        match byte {
            b'.' if dot => return false,
            b'.' => dot = true,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'+' => dot = false,
            _ => return false,
        }
    }
    if dot {
        return false;
    }
    let (mut length, mut labels, mut letters, mut before) = (0, 0, false, b'-');
    for &byte in domain {
        match byte {
            b'.' if before == b'-' || length == 0 => return false,
            b'.' => {
                labels += 1;
                length = 0;
                letters = false;
                before = b'-';
                continue;
            }
            b'a'..=b'z' | b'A'..=b'Z' => letters = true,
            b'0'..=b'9' => {}
            b'-' if length > 0 => {}
            _ => return false,
        }
        before = byte;
        length += 1;
        if length > 63 {
            return false;
        }
    }
    labels > 0 && length > 0 && before != b'-' && letters
}

fn refusal(text: &str, error: &Error) -> Problem {
    let ats = text.matches('@').count();
    let why = if ats == 0 {
        "there is no @"
    } else if text.contains('<') || text.contains('>') {
        "it has a name or < > beside the address; keep the address alone"
    } else if ats > 1 && text.contains([',', ';', ' ', '/', '|', '\n']) {
        "there is more than one address; keep one, or `split` the column"
    } else if ats > 1 {
        "there is more than one @"
    } else if text.to_ascii_lowercase().starts_with("mailto:") {
        "it begins with mailto:; keep the address alone"
    } else {
        match error {
            Error::LocalPartEmpty => "nothing stands before the @",
            Error::LocalPartTooLong => "more than 64 characters stand before the @",
            Error::DomainEmpty => "nothing stands behind the @",
            Error::DomainTooLong => "the domain is too long",
            Error::SubDomainEmpty => "two dots follow each other, or one stands at an end",
            Error::SubDomainTooLong => "a part of the domain is longer than 63 characters",
            Error::DomainTooFew => "the domain has no ending such as .com",
            Error::DomainInvalidSeparator => "a dot stands at an end of the domain",
            Error::UnbalancedQuotes => "a quotation mark is missing",
            Error::UnsupportedDomainLiteral | Error::InvalidIPAddress => {
                "the domain must be a name, not a number in brackets"
            }
            _ if text.chars().any(char::is_whitespace) => "there is a space in it",
            _ if text.contains("..") => "two dots follow each other",
            _ => "it has a character that cannot stand there",
        }
    };
    Problem::invalid(format!("is not an e-mail address: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        /// The short cut takes nothing that the library refuses.
        #[test]
        fn plain_addresses_are_addresses(text in "[aB1._+-]{0,6}@[aB1.-]{0,8}") {
            if plain(text.as_bytes()).is_some() {
                let options = Options::default().with_required_tld().without_domain_literal();
                proptest::prop_assert!(EmailAddress::parse_with_options(&text, options).is_ok());
            }
        }
    }
}
