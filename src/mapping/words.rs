//! The words that keys of a mapping file know, each list once: for reading, for messages and for the
//! schema.

/// The types that a rule can name.
pub(super) const TYPES: &[&str] = &[
    "text", "integer", "decimal", "boolean", "date", "datetime", "email", "phone", "country",
    "currency", "url", "uuid", "choice", "choices", "json",
];

/// What becomes of a phone number's extension.
pub(super) const EXTENSIONS: &[&str] = &["drop", "keep", "reject"];

/// Which phone numbers are taken beside the valid ones.
pub(super) const ACCEPTS: &[&str] = &["possible"];

/// Units of numbers.
pub(super) const UNITS: &[&str] = &["percent"];

/// The forms in which a country is sent.
pub(super) const COUNTRY_OUTPUTS: &[&str] = &["alpha2", "alpha3", "numeric", "name"];

/// Formats of dates that are kept as numbers.
pub(super) const NUMBER_FORMATS: &[&str] = &["unix", "unix_ms", "excel"];

/// Forms in which dates are sent as numbers.
pub(super) const NUMBER_OUTPUTS: &[&str] = &["unix", "unix_ms"];

/// How years of two digits are read, beside a pivot.
pub(super) const CENTURIES: &[&str] = &["past", "future"];

/// What becomes of values that a map does not name, beside a value to take.
pub(super) const MAP_OTHERS: &[&str] = &["error", "keep", "null"];

/// What is sent for an empty field.
pub(super) const EMPTIES: &[&str] = &["null", ""];

/// Decimal marks.
pub(super) const DECIMALS: &[&str] = &[".", ","];
