//! Which cells count as empty, and what is wrong with a cell before it is read.

use std::borrow::Cow;

use crate::field::trim;
use crate::row::{Cell, Kind};

/// The texts that count as empty. Empty text always does.
#[derive(Debug, Clone, Default)]
pub(super) struct Nulls {
    texts: Vec<Box<str>>,
    longest: usize,
}

impl Nulls {
    pub(super) fn new(texts: &[String]) -> Self {
        let texts: Vec<Box<str>> = texts
            .iter()
            .map(|text| trim(text))
            .filter(|text| !text.is_empty())
            .map(Into::into)
            .collect();
        let longest = texts.iter().map(|text| text.len()).max().unwrap_or(0);
        Self { texts, longest }
    }

    /// Whether a trimmed text counts as empty.
    pub(super) fn has(&self, text: &str) -> bool {
        text.is_empty()
            || (text.len() <= self.longest && self.texts.iter().any(|null| **null == *text))
    }

    /// A cell's text without outer space, empty where it counts as empty.
    pub(super) fn text<'a>(&self, text: &'a str) -> &'a str {
        let text = trim(text);
        if self.has(text) { "" } else { text }
    }

    /// A cell likewise.
    pub(super) fn cell<'a>(&self, cell: Cell<'a>) -> Cell<'a> {
        Cell {
            text: self.text(cell.text),
            kind: cell.kind,
        }
    }
}

/// Whether a trimmed text that counts as a value is what people write for "nothing".
pub(super) fn looks_empty(text: &str) -> bool {
    const USUAL: [&str; 13] = [
        "-", "--", "–", "—", "?", "n/a", "#n/a", "na", "nan", "null", "nil", "none", "(null)",
    ];
    text.len() <= 6 && USUAL.iter().any(|usual| text.eq_ignore_ascii_case(usual))
}

/// What makes a cell unusable whatever is made of it: the rule and a sentence.
pub(super) fn damage(cell: Cell<'_>) -> Option<(&'static str, Cow<'static, str>)> {
    match cell.kind {
        Kind::Error => Some((
            "cell_error",
            Cow::Borrowed("the workbook shows an error in this cell instead of a value"),
        )),
        Kind::Undecodable => Some((
            "encoding",
            Cow::Borrowed(
                "this cell has bytes that the file's encoding does not know; name the right \
                 `encoding` under [source], or mend the cell",
            ),
        )),
        _ => None,
    }
}

/// Whether a workbook's number cell has already lost digits of the identifier that it holds.
pub(super) fn is_rounded(cell: Cell<'_>) -> bool {
    cell.kind.is_rounded()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nulls_are_compared_without_outer_space() {
        let nulls = Nulls::new(&["".into(), " N/A ".into(), "-".into()]);
        for (text, want) in [
            (" N/A\u{a0}", ""),
            ("-", ""),
            ("n/a", "n/a"),
            (" a ", "a"),
            ("", ""),
        ] {
            assert_eq!(nulls.text(text), want);
        }
        assert!(Nulls::new(&[]).has(""));
    }

    #[test]
    fn damaged_cells_are_told() {
        let cell = |kind| Cell { text: "x", kind };
        assert_eq!(damage(cell(Kind::Error)).map(|d| d.0), Some("cell_error"));
        assert_eq!(
            damage(cell(Kind::Undecodable)).map(|d| d.0),
            Some("encoding")
        );
        assert_eq!(damage(cell(Kind::Text)), None);
        assert!(is_rounded(cell(Kind::Number(9_007_199_254_740_992.0))));
        // Sixteen digits of which the last is a zero, as a spreadsheet program leaves them.
        assert!(is_rounded(cell(Kind::Number(4_111_111_111_111_110.0))));
        assert!(!is_rounded(cell(Kind::Number(4_111_111_111_111_111.0))));
        assert!(!is_rounded(cell(Kind::Number(999_999_999_999_990.0))));
        assert!(!is_rounded(cell(Kind::Number(12.0))));
        assert!(!is_rounded(cell(Kind::Text)));
    }
}
