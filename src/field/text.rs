//! Trimming, folding for comparison, and writing JSON strings.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

/// White space of any kind, and marks that have no width.
fn is_space(letter: char) -> bool {
    letter.is_whitespace()
        || matches!(
            letter,
            '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\0'
        )
}

/// Takes white space, no-break and zero-width characters from both ends.
///
/// ```
/// assert_eq!(rowferry::field::trim("\u{feff}\u{a0} Anna\u{200b}\t"), "Anna");
/// ```
pub fn trim(text: &str) -> &str {
    let solid = |byte: Option<&u8>| byte.is_none_or(|byte| (0x21..0x7f).contains(byte));
    let bytes = text.as_bytes();
    if solid(bytes.first()) && solid(bytes.last()) {
        return text;
    }
    text.trim_matches(is_space)
}

/// The form in which map keys, options, nulls and headers are compared: without outer space, in
/// lower case, letters with marks composed.
///
/// ```
/// assert_eq!(rowferry::field::fold(" E-Mail "), "e-mail");
/// ```
pub fn fold(text: &str) -> Cow<'_, str> {
    let text = trim(text);
    if text.is_ascii() {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Cow::Owned(text.to_ascii_lowercase());
        }
        return Cow::Borrowed(text);
    }
    // Composed before the letters are lowered: a mark may decide what the lower letter is.
    let lower = text.nfc().collect::<String>().to_lowercase();
    Cow::Owned(lower.nfc().collect())
}

/// What must be escaped in a JSON string.
const ESCAPED: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < 0x20 {
        table[at] = true;
        at += 1;
    }
    table[b'"' as usize] = true;
    table[b'\\' as usize] = true;
    table
};

/// Writes a text as a JSON string, in quotes, behind what `out` holds.
pub fn write_json_str(text: &str, out: &mut String) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(text.len() + 2);
    out.push('"');
    let mut start = 0;
    for (at, byte) in text.bytes().enumerate() {
        if !ESCAPED[usize::from(byte)] {
            continue;
        }
        out.push_str(&text[start..at]);
        start = at + 1;
        match byte {
            b'"' => out.push_str("\\\""),
            b'\\' => out.push_str("\\\\"),
            b'\n' => out.push_str("\\n"),
            b'\r' => out.push_str("\\r"),
            b'\t' => out.push_str("\\t"),
            0x08 => out.push_str("\\b"),
            0x0c => out.push_str("\\f"),
            _ => {
                out.push_str("\\u00");
                out.push(char::from(HEX[usize::from(byte >> 4)]));
                out.push(char::from(HEX[usize::from(byte & 15)]));
            }
        }
    }
    out.push_str(&text[start..]);
    out.push('"');
}

/// Writes a letter of a Latin alphabet by ASCII letters; `false` where it has none.
pub(super) fn push_ascii(letter: char, out: &mut String) -> bool {
    if letter.is_ascii() {
        out.push(letter);
        return true;
    }
    let plain = match letter {
        'ə' => "a",
        'Ə' => "A",
        '‘' | '’' | '‚' | '′' | 'ʼ' | 'ʻ' => "'",
        '“' | '”' | '„' | '″' | '«' | '»' => "\"",
        '‐' | '‑' | '‒' | '–' | '—' | '−' => "-",
        '…' => "...",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => " ",
        letter => crate::letters::plain(letter).unwrap_or_default(),
    };
    if !plain.is_empty() {
        out.push_str(plain);
        return true;
    }
    let length = out.len();
    for part in std::iter::once(letter).nfkd() {
        if part.is_ascii() {
            out.push(part);
        } else if let Some(inner) = stroked(part) {
            out.push(inner);
        } else if !unicode_normalization::char::is_combining_mark(part) {
            out.truncate(length);
            return false;
        }
    }
    true
}

/// The letter without the stroke that has no decomposition.
fn stroked(letter: char) -> Option<char> {
    match letter {
        'ø' => Some('o'),
        'Ø' => Some('O'),
        'ı' => Some('i'),
        '⁄' => Some('/'),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn all_kinds_of_outer_space_go() {
        for (text, want) in [
            ("", ""),
            ("a", "a"),
            ("  a b ", "a b"),
            ("\u{feff}a\u{2060}", "a"),
            ("\u{202a}+44 1\u{202c}", "+44 1"),
            ("\u{3000}東京\u{a0}", "東京"),
            (" \u{200b} ", ""),
            ("a\0", "a"),
        ] {
            assert_eq!(trim(text), want, "{text:?}");
        }
    }

    #[test]
    fn folding_joins_what_is_the_same() {
        for (one, other) in [
            ("E-Mail ", "e-mail"),
            ("STRASSE", "strasse"),
            ("MÜLLER", "mu\u{308}ller"),
            ("ΑΘΗΝΑ", "αθηνα"),
        ] {
            assert_eq!(fold(one), fold(other));
        }
        assert!(matches!(fold(" abc "), Cow::Borrowed("abc")));
    }

    #[test]
    fn letters_by_ascii() {
        for (text, want) in [
            ("é", Some("e")),
            ("ﬁ", Some("fi")),
            ("Å", Some("A")),
            ("ǿ", Some("o")),
            ("ж", None),
            ("漢", None),
        ] {
            let mut out = String::new();
            let known = text.chars().all(|letter| push_ascii(letter, &mut out));
            assert_eq!(known.then_some(out.as_str()), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn trimming_twice_is_trimming_once(text in "\\PC*|[ \u{a0}\u{200b}a\u{feff}\n]*") {
            prop_assert_eq!(trim(trim(&text)), trim(&text));
        }

        #[test]
        fn folding_twice_is_folding_once(text in any::<String>()) {
            let once = fold(&text).into_owned();
            let twice = fold(&once).into_owned();
            prop_assert_eq!(twice, once);
        }

        #[test]
        fn strings_are_escaped_as_serde_json_does(text in any::<String>()) {
            let mut out = String::new();
            write_json_str(&text, &mut out);
            prop_assert_eq!(out, serde_json::to_string(&text).unwrap());
        }
    }
}
