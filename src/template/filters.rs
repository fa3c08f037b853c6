//! The filters that we add to MiniJinja's.

use jiff::civil;
use jiff::fmt::strtime;
use jiff::tz::TimeZone;
use minijinja::{Error, ErrorKind, State};
use unicode_normalization::UnicodeNormalization;

/// How many hex digits of the key's hash a slug takes that lost something.
const HASH_DIGITS: usize = 10;

/// `slug`. Where the scope has `key_hash`, a slug that lost something of its text takes some digits
/// of it, so that two texts never meet in one slug.
pub(super) fn slug(state: &State<'_, '_>, text: &str) -> String {
    let mut slug = super::slug(text);
    if slug == text && !slug.is_empty() {
        return slug;
    }
    let hash = state.lookup("key_hash");
    if let Some(hash) = hash.as_ref().and_then(|hash| hash.as_str()) {
        if !slug.is_empty() {
            slug.push('-');
        }
        slug.extend(hash.chars().take(HASH_DIGITS));
    }
    slug
}

/// `digits`: the digits of a text and nothing else.
pub(super) fn digits(text: &str) -> String {
    text.nfkc().filter(char::is_ascii_digit).collect()
}

/// `date(format)`: an ISO 8601 date or date-time written by a strftime format. Empty stays empty.
pub(super) fn date(text: &str, format: &str) -> Result<String, Error> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(String::new());
    }
    let refuse = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    let Some(time) = read_date(text) else {
        return Err(refuse(
            "the filter `date` was given a text that is not an ISO 8601 date".to_owned(),
        ));
    };
    strtime::format(format, &time).map_err(|error| refuse(format!("the filter `date`: {error}")))
}

/// Whether a strftime format can be written at all; a sentence where not.
pub(super) fn check_date_format(format: &str) -> Result<(), String> {
    let sample = civil::date(2025, 3, 4).at(5, 6, 7, 0);
    match sample.to_zoned(TimeZone::UTC) {
        Ok(sample) => strtime::format(format, &sample)
            .map(drop)
            .map_err(|error| format!("the date format cannot be used: {error}")),
        Err(_) => Ok(()),
    }
}

/// Reads a date, a date-time, or a date-time with a zone's offset, which stays as it is written.
fn read_date(text: &str) -> Option<jiff::Zoned> {
    if let Ok(pieces) = jiff::fmt::temporal::Pieces::parse(text) {
        let time = pieces.time().unwrap_or_else(civil::Time::midnight);
        let offset = match pieces.to_numeric_offset() {
            Some(offset) => TimeZone::fixed(offset),
            None => TimeZone::UTC,
        };
        return pieces.date().to_datetime(time).to_zoned(offset).ok();
    }
    None
}
