//! What a row is known by.

use std::borrow::Cow;
use std::sync::Arc;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

use super::cells::{self, Nulls};
use crate::field::clean::{Step, clean};
use crate::field::trim;
use crate::issue::{Issue, Severity, cut};
use crate::record::{BodyHash, KeyHash};
use crate::row::Row;

/// What stands between the parts of a key where it is shown.
const JOINT: &str = " / ";

/// The columns that make the key of a row.
#[derive(Debug)]
pub(super) struct KeyColumns {
    /// Their indexes, in the order of the mapping.
    pub(super) columns: Vec<usize>,
    /// How their text is cleaned.
    pub(super) clean: Vec<Step>,
}

/// A key as it is shown and compared.
pub(super) type Shown = (Arc<str>, Option<KeyHash>);

impl KeyColumns {
    /// The key of a row; what is wrong with it is added to the issues.
    pub(super) fn of_row(
        &self,
        row: Row<'_>,
        nulls: &Nulls,
        space: Option<&str>,
        issues: &mut Vec<Issue>,
    ) -> Shown {
        let mut parts: Vec<Cow<'_, str>> = Vec::with_capacity(self.columns.len());
        for &column in &self.columns {
            let cell = nulls.cell(row.cell(column));
            let mut refuse = |code: &str, message: Cow<'static, str>| {
                issues.push(Issue {
                    code: format!("key.{code}").into(),
                    severity: Severity::Error,
                    column: Some(column),
                    field: None,
                    value: Some(cut(cell.text).into()),
                    message,
                });
            };
            if cell.text.is_empty() {
                refuse("empty", EMPTY.into());
            } else if let Some((code, message)) = cells::damage(cell) {
                refuse(code, message);
            } else if cells::is_rounded(cell) {
                refuse(
                    "precision",
                    "this number is longer than a workbook keeps exactly, so that its last \
                     digits may be lost; format the column as text and enter the key again"
                        .into(),
                );
            } else if cell.is_shortened() {
                refuse("precision", SHORTENED.into());
            } else if self.clean.is_empty() {
                parts.push(Cow::Borrowed(cell.text));
            } else {
                let mut cuts = false;
                let cleaned = clean(&self.clean, Cow::Borrowed(cell.text), &mut cuts);
                if trim(&cleaned).is_empty() {
                    refuse("empty", EMPTY.into());
                } else {
                    parts.push(cleaned);
                }
            }
        }
        if parts.len() < self.columns.len() {
            return (self.shown(row, nulls), None);
        }
        of_parts(&parts, space)
    }

    /// The key as the file has it, for rows that are not mapped.
    pub(super) fn shown(&self, row: Row<'_>, nulls: &Nulls) -> Arc<str> {
        let parts: Vec<&str> = self
            .columns
            .iter()
            .map(|&column| nulls.text(row.cell(column).text))
            .collect();
        match parts.as_slice() {
            [one] => (*one).into(),
            several if several.iter().all(|part| part.is_empty()) => "".into(),
            several => several.join(JOINT).into(),
        }
    }
}

const SHORTENED: &str = "this is a long number that a spreadsheet program has shortened, so that different keys \
     may look the same here; export the column again as text";

const EMPTY: &str = "this row has no key, so a later run could not know it again; fill in the cell, or name \
     another column as `key` under [row]";

/// The issue of a row whose key field holds a number that lost its digits.
pub(super) fn shortened(column: usize, value: &str) -> Issue {
    Issue {
        code: "key.precision".into(),
        severity: Severity::Error,
        column: Some(column),
        field: None,
        value: Some(cut(value).into()),
        message: SHORTENED.into(),
    }
}

/// The issue of a row whose key field is empty.
pub(super) fn empty(column: Option<usize>, value: &str) -> Issue {
    Issue {
        code: "key.empty".into(),
        severity: Severity::Error,
        column,
        field: None,
        value: Some(cut(value).into()),
        message: EMPTY.into(),
    }
}

/// The key of these parts, as it is shown and its hash within a space of keys.
pub(super) fn of_parts(parts: &[Cow<'_, str>], space: Option<&str>) -> Shown {
    let mut bytes: Vec<u8> = Vec::with_capacity(64);
    let mut part = |tag: u8, text: &str| {
        bytes.push(tag);
        bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
        bytes.extend_from_slice(text.as_bytes());
    };
    if let Some(space) = space {
        part(b's', &composed(trim(space)));
    }
    let mut shown: Vec<Cow<'_, str>> = Vec::with_capacity(parts.len());
    for text in parts {
        let text = composed(trim(text));
        part(b'k', &text);
        shown.push(text);
    }
    let hash = KeyHash(short(blake3::hash(&bytes)));
    let shown = match shown.as_slice() {
        [one] => one.as_ref().into(),
        several => several.join(JOINT).into(),
    };
    (shown, Some(hash))
}

/// The key of a row that has none of its own: its body, and how often that stood before it.
pub(super) fn of_body(body: BodyHash, occurrence: u32) -> KeyHash {
    let mut bytes = [0; 21];
    bytes[0] = b'b';
    bytes[1..17].copy_from_slice(&body.0);
    bytes[17..].copy_from_slice(&occurrence.to_le_bytes());
    KeyHash(short(blake3::hash(&bytes)))
}

/// The first 128 bits of a hash.
pub(super) fn short(hash: blake3::Hash) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&hash.as_bytes()[..16]);
    short
}

/// The text in normalisation form C.
fn composed(text: &str) -> Cow<'_, str> {
    if text.is_ascii() || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        Cow::Borrowed(text)
    } else {
        Cow::Owned(text.nfc().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(parts: &[&str], space: Option<&str>) -> Shown {
        let parts: Vec<Cow<'_, str>> = parts.iter().map(|&part| part.into()).collect();
        of_parts(&parts, space)
    }

    #[test]
    fn keys_are_compared_as_composed_trimmed_text() {
        assert_eq!(key(&[" e\u{301} "], None), key(&["\u{e9}"], None));
        assert_eq!(&*key(&["a", "b"], None).0, "a / b");
    }

    #[test]
    fn parts_and_spaces_are_kept_apart() {
        let hashes = [
            key(&["ab", "c"], None).1,
            key(&["a", "bc"], None).1,
            key(&["abc"], None).1,
            key(&["b"], Some("a")).1,
            key(&["a", "b"], None).1,
            key(&["A"], None).1,
            key(&["a"], None).1,
        ];
        for (at, hash) in hashes.iter().enumerate() {
            assert!(!hashes[..at].contains(hash), "{at}");
        }
    }
}
