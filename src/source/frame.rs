//! Where a CSV record ends, told before its cells are read.
//!
//! The `csv` crate reads the cells; it does not tell a quote that is never closed, and would take
//! the rest of the file for one cell. So the end of each record is found first, with the same
//! tolerance as the crate's, by a vector search for most.

use memchr::{memchr, memchr2, memchr3};

/// What stands at the start of the bytes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Span {
    /// A record of so many bytes, without the line end; whether it holds a quote.
    Record { len: usize, quoted: bool },
    /// A record that does not end within the bytes; with the place of a quote that is open.
    More { open: Option<usize> },
    /// The quote opened at this place is not closed as it should be.
    BadQuote { opened: usize },
}

/// Looks at one record. `bytes` does not begin with a line end; `last` says that nothing follows.
pub(super) fn span(bytes: &[u8], last: bool, delimiter: u8, quote: u8) -> Span {
    let line = match memchr2(b'\n', b'\r', bytes) {
        Some(at) => at,
        None if last => bytes.len(),
        None if memchr(quote, bytes).is_none() => return Span::More { open: None },
        None => bytes.len(),
    };
    if memchr(quote, &bytes[..line]).is_none() {
        return Span::Record {
            len: line,
            quoted: false,
        };
    }
    let mut at = 0;
    loop {
        if bytes.get(at) == Some(&quote) {
            let opened = at;
            at += 1;
            loop {
                let Some(run) = memchr(quote, &bytes[at..]) else {
                    return if last {
                        Span::BadQuote { opened }
                    } else {
                        Span::More { open: Some(opened) }
                    };
                };
                at += run + 1;
                match bytes.get(at) {
                    // Doubled: it belongs to the text.
                    Some(&byte) if byte == quote => at += 1,
                    None if !last => return Span::More { open: Some(opened) },
                    _ => break,
                }
            }
            // Text after the closing quote belongs to the cell. After a cell of several lines it
            // means that this quote was not a closing one but the next cell's opening one.
            let Some(rest) = end_of_cell(&bytes[at..], last, delimiter) else {
                return Span::More { open: None };
            };
            // After a backslash it means that the quote was meant to belong to the text.
            if bytes[at..at + rest].iter().any(|byte| *byte != b' ')
                && (bytes[at.saturating_sub(2)] == b'\\'
                    || memchr2(b'\n', b'\r', &bytes[opened..at]).is_some())
            {
                return Span::BadQuote { opened };
            }
            at += rest;
        } else {
            let Some(run) = end_of_cell(&bytes[at..], last, delimiter) else {
                return Span::More { open: None };
            };
            at += run;
        }
        match bytes.get(at) {
            Some(&byte) if byte == delimiter => at += 1,
            _ => {
                return Span::Record {
                    len: at,
                    quoted: true,
                };
            }
        }
    }
}

fn end_of_cell(bytes: &[u8], last: bool, delimiter: u8) -> Option<usize> {
    match memchr3(delimiter, b'\n', b'\r', bytes) {
        Some(at) => Some(at),
        None => last.then_some(bytes.len()),
    }
}

/// How many line ends (LF, CR or CRLF) are in the bytes.
pub(super) fn line_ends(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let lone_returns = memchr::memchr_iter(b'\r', bytes)
        .filter(|at| bytes.get(at + 1) != Some(&b'\n'))
        .count();
    (feeds + lone_returns) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The records of a text, as they stand in it.
    fn all(text: &str) -> Vec<&str> {
        let (mut rest, mut records) = (text, Vec::new());
        while !rest.is_empty() {
            if rest.starts_with(['\n', '\r']) {
                rest = &rest[1..];
                continue;
            }
            let Span::Record { len, .. } = span(rest.as_bytes(), true, b',', b'"') else {
                panic!("no record in {text:?}");
            };
            records.push(&rest[..len]);
            rest = &rest[len..];
        }
        records
    }

    #[test]
    fn records_end_as_rfc_4180_says() {
        for (text, expected) in [
            ("a,b\n", vec!["a,b"]),
            ("a,\r\n,b", vec!["a,", ",b"]),
            ("\"a,b\",c\nd", vec!["\"a,b\",c", "d"]),
            ("\"a\"\"b\",\n", vec!["\"a\"\"b\","]),
            ("1,5\" pipe\n2,x", vec!["1,5\" pipe", "2,x"]),
            ("\"x\"y,z\n", vec!["\"x\"y,z"]),
            ("\"two\r\nlines\",z\n", vec!["\"two\r\nlines\",z"]),
            ("\"two\nlines\" ,z\n", vec!["\"two\nlines\" ,z"]),
            ("a,\"\"", vec!["a,\"\""]),
        ] {
            assert_eq!(all(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_quote_that_does_not_close_is_told() {
        let span = |text: &str, last| super::span(text.as_bytes(), last, b',', b'"');
        assert_eq!(span("a,\"b\nc,d\n", true), Span::BadQuote { opened: 2 });
        assert_eq!(span("a,\"b\nc,d\n", false), Span::More { open: Some(2) });
        // The next quote would open a cell; taken as a closing one it is followed by text.
        assert_eq!(span("a,\"b\nc,\"d\"\n", true), Span::BadQuote { opened: 2 });
        assert_eq!(
            span("a,\"say \\\"hi\\\"\"\n", true),
            Span::BadQuote { opened: 2 }
        );
        assert_eq!(
            span("\"C:\\\",b\n", true),
            Span::Record {
                len: 7,
                quoted: true
            }
        );
        assert_eq!(span("a,\"b\"", false), Span::More { open: Some(2) });
        assert_eq!(span("a,\"b\",", false), Span::More { open: None });
        assert_eq!(span("abc", false), Span::More { open: None });
    }

    #[test]
    fn line_ends_of_all_kinds_count_once() {
        for (text, count) in [
            ("", 0),
            ("\n", 1),
            ("\r\n", 1),
            ("\r\r\n\n", 3),
            ("a\rb", 1),
        ] {
            assert_eq!(line_ends(text.as_bytes()), count, "{text:?}");
        }
    }
}
