//! The cells of a row of text on their way into a batch.

use super::{MOST_COLUMNS, header};
use crate::row::{Kind, RowBatch};

/// Whether the bytes that were read as this text are UTF-8 beyond ASCII, which text of another
/// encoding hardly ever is by chance.
fn is_utf8(text: &str, encoding: &'static encoding_rs::Encoding) -> bool {
    let (bytes, _, unmappable) = encoding.encode(text);
    !unmappable
        && std::str::from_utf8(&bytes).is_ok_and(|utf8| {
            let mut beyond = utf8.chars().filter(|c| !c.is_ascii());
            beyond.next().is_some_and(char::is_alphabetic) && beyond.all(|c| !c.is_control())
        })
}

/// Whether a text has a control character that no text of a guessed encoding has, so that it is
/// likely another one: `M\u{81}ller` is in an encoding of DOS.
fn has_unused(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\u{80}'..='\u{9F}'))
}

/// Writes cells into the batch; empty ones beyond the header's width only when others follow.
pub(super) struct RowWriter {
    pub(super) width: usize,
    pub(super) guarded: bool,
    pub(super) quote: u8,
    /// A decoder stood before: U+FFFD means bytes that it did not know.
    pub(super) replaced: bool,
    /// The encoding was guessed; a cell in UTF-8 is none of it.
    pub(super) guessed: Option<&'static encoding_rs::Encoding>,
    pub(super) batch: RowBatch,
    pub(super) cells: usize,
    /// The record has a NUL somewhere.
    pub(super) nuls: bool,
    pub(super) found: usize,
    pub(super) empties: usize,
    /// How many cells there are up to the last that holds something.
    pub(super) last_filled: usize,
}

impl RowWriter {
    pub(super) fn begin(&mut self) {
        self.found = 0;
        self.last_filled = 0;
        self.empties = 0;
    }

    /// Whether a cell beyond the header's width held something.
    pub(super) fn surplus(&self) -> bool {
        self.found > self.width + self.empties
    }

    pub(super) fn push(&mut self, text: &str) {
        if let Some(text) = header::formula_text(text) {
            return self.push_text(&text);
        }
        self.push_text(text);
    }

    fn push_text(&mut self, text: &str) {
        // At the ends it is taken off with the spaces; within a text it is no letter.
        if self.nuls && text.trim_matches('\0').contains('\0') {
            let shown = text.replace('\0', "\u{FFFD}");
            return self.push_kind(&shown, Kind::Undecodable);
        }
        let bad = self.replaced && text.contains(char::REPLACEMENT_CHARACTER)
            || self.guessed.is_some_and(|encoding| {
                !text.is_ascii() && (is_utf8(text, encoding) || has_unused(text))
            });
        self.push_kind(text, if bad { Kind::Undecodable } else { Kind::Text });
    }

    pub(super) fn push_bytes(&mut self, bytes: &[u8]) {
        match std::str::from_utf8(bytes) {
            Ok(text) => self.push(text),
            Err(_) => self.push_kind(&String::from_utf8_lossy(bytes), Kind::Undecodable),
        }
    }

    fn push_kind(&mut self, text: &str, kind: Kind) {
        self.found += 1;
        if text.bytes().any(|byte| !byte.is_ascii_whitespace()) {
            self.last_filled = self.found;
        }
        if self.found > self.width {
            if text.is_empty() {
                self.empties += 1;
                return;
            }
            if self.found > MOST_COLUMNS {
                return;
            }
            for _ in 0..std::mem::take(&mut self.empties) {
                self.batch.push_cell("", Kind::Text);
                self.cells += 1;
            }
        }
        let text = if self.guarded {
            header::without_guard(text)
        } else {
            text
        };
        if let Some(inner) = header::behind_space(text, self.quote) {
            self.batch.push_cell(&inner, kind);
            self.cells += 1;
            return;
        }
        self.batch.push_cell(text, kind);
        self.cells += 1;
    }
}
