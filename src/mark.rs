//! Marks inside texts: where a part of a template or pattern stands in the file that holds it.

use std::ops::Range;

use crate::issue::TextFile;

/// Where `text` stands within the value at `span`, without its quotes: as it is or written with
/// escapes, if it stands there once; else the whole value.
pub(crate) fn locate(file: &TextFile, span: Range<usize>, text: &str) -> Range<usize> {
    find(file, &span, text).map_or(span, |literal| literal.at(0..text.len()))
}

/// A place within a text, as a place in the file; the whole value where it cannot be found.
pub(crate) fn inside(
    file: &TextFile,
    span: Range<usize>,
    text: &str,
    range: Option<Range<usize>>,
) -> Range<usize> {
    match (range, find(file, &span, text)) {
        (Some(range), Some(literal)) => literal.at(range),
        _ => span,
    }
}

/// The only text within the value at `span` that is `text` once it is read.
fn find(file: &TextFile, span: &Range<usize>, text: &str) -> Option<Literal> {
    let raw = file.text.get(span.clone())?;
    let bytes = raw.as_bytes();
    let (mut at, mut found) = (0, None);
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' => {
                let mut literal = Literal::read(raw, at, false)?;
                let end = literal.end;
                if literal.text != text && literal.text.contains('\r') {
                    literal = Literal::read(raw, at, true)?;
                }
                if literal.text == text {
                    if found.is_some() {
                        return None;
                    }
                    literal.start = span.start;
                    found = Some(literal);
                }
                at = end;
            }
            b'#' => at += memchr::memchr(b'\n', &bytes[at..]).unwrap_or(raw.len() - at),
            _ => at += 1,
        }
    }
    found
}

/// A text as TOML writes it, with the place of each of its bytes.
struct Literal {
    /// What it says.
    text: String,
    /// The bytes of the file that each byte of the text was made of, counted from `start`.
    places: Vec<Range<usize>>,
    /// Where the value begins in whose text it was found.
    start: usize,
    /// Where the text ends, its last quote included.
    end: usize,
    /// Where its last quotes begin.
    quotes: usize,
}

impl Literal {
    /// Reads the text whose first quote stands at `open`. With `lines`, a line break of two
    /// characters is one.
    fn read(raw: &str, open: usize, lines: bool) -> Option<Literal> {
        let quote = raw.get(open..)?.chars().next()?;
        let run = |rest: &str| rest.chars().take_while(|c| *c == quote).count();
        let long = run(&raw[open..]) >= 3;
        let mut at = open + if long { 3 } else { 1 };
        if long {
            let rest = &raw[at..];
            at += rest
                .strip_prefix("\r\n")
                .or_else(|| rest.strip_prefix('\n'))
                .map_or(0, |after| rest.len() - after.len());
        }
        let mut literal = Literal {
            text: String::new(),
            places: Vec::new(),
            start: 0,
            end: 0,
            quotes: 0,
        };
        loop {
            let rest = raw.get(at..)?;
            let c = rest.chars().next()?;
            let quotes = run(rest);
            if quotes > 0 && (!long || quotes >= 3) {
                // Up to two quotes before the last three belong to the text.
                let own = if long { quotes.min(5) - 3 } else { 0 };
                for _ in 0..own {
                    literal.push(quote, at..at + 1);
                    at += 1;
                }
                literal.quotes = at;
                literal.end = at + if long { 3 } else { 1 };
                return Some(literal);
            }
            if c == '\\' && quote == '"' {
                at = literal.escape(raw, at, long)?;
            } else if lines && rest.starts_with("\r\n") {
                literal.push('\n', at..at + 2);
                at += 2;
            } else {
                literal.push(c, at..at + c.len_utf8());
                at += c.len_utf8();
            }
        }
    }

    /// Reads the escape at `at`; where the text goes on.
    fn escape(&mut self, raw: &str, at: usize, long: bool) -> Option<usize> {
        let rest = raw.get(at + 1..)?;
        let mark = rest.chars().next()?;
        let digits = match mark {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let end = at + 1 + mark.len_utf8() + digits;
        let c = match mark {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'e' => '\u{1b}',
            '"' | '\\' => mark,
            'x' | 'u' | 'U' => {
                char::from_u32(u32::from_str_radix(raw.get(at + 2..end)?, 16).ok()?)?
            }
            // The line goes on with the next.
            _ if long && mark.is_ascii_whitespace() => {
                let space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
                return Some(raw.len() - rest.trim_start_matches(space).len());
            }
            _ => return None,
        };
        self.push(c, at..end);
        Some(end)
    }

    fn push(&mut self, c: char, place: Range<usize>) {
        self.text.push(c);
        // Each byte of a character that stands as it is has a place of its own.
        let plain = place.len() == c.len_utf8();
        for byte in 0..c.len_utf8() {
            self.places.push(match plain {
                true => place.start + byte..place.start + byte + 1,
                false => place.clone(),
            });
        }
    }

    /// Where a range of the text stands in the file.
    fn at(&self, range: Range<usize>) -> Range<usize> {
        let start = match self.places.get(range.start) {
            Some(place) => place.start,
            None => self.quotes,
        };
        let last = range.end.min(self.places.len()).checked_sub(1);
        let end = match last.and_then(|last| self.places.get(last)) {
            Some(place) if !range.is_empty() => place.end.max(start),
            _ => start,
        };
        self.start + start..self.start + end
    }
}

/// What is wrong with a regular expression, and where. The crate tells the place only in a
/// picture: the expression after four spaces, and below it carets.
pub(crate) fn explain(error: &regex::Error, text: &str) -> (String, Option<Range<usize>>) {
    let told = error.to_string();
    let why = told
        .lines()
        .find_map(|line| line.strip_prefix("error: "))
        .unwrap_or("it is too large or not well-formed")
        .to_owned();
    let mut lines = told.lines();
    let range = lines
        .by_ref()
        .find(|line| line.strip_prefix("    ") == Some(text))
        .and_then(|_| lines.next())
        .and_then(|carets| {
            let carets = carets.strip_prefix("    ")?;
            let start = carets.chars().take_while(|c| *c == ' ').count();
            let marks = carets.trim_start_matches(' ').chars();
            let len = marks.take_while(|c| *c == '^').count();
            (len > 0).then_some((start, len))
        })
        .map(|(start, len)| {
            let byte = |nth: usize| {
                text.char_indices()
                    .nth(nth)
                    .map_or(text.len(), |(at, _)| at)
            };
            byte(start)..byte(start + len)
        });
    (why, range)
}

#[cfg(test)]
mod tests {
    use regex::Regex;

    use super::*;

    #[test]
    fn the_place_in_an_expression_is_found() {
        for (pattern, marked) in [
            ("a(b", "("),
            ("é[z", "["),
            ("x{2,1}", "{2,1}"),
            ("(?<a>x)(?<a>y)", "a"),
        ] {
            let error = Regex::new(pattern).unwrap_err();
            let (why, range) = explain(&error, pattern);
            assert_eq!(&pattern[range.unwrap()], marked, "{pattern}: {why}");
        }
    }

    #[test]
    fn places_are_found_in_texts_of_all_kinds() {
        for (raw, text, within) in [
            ("\"a bad b\"", "a bad b", "bad"),
            (r#""é\t\"x\" bad""#, "é\t\"x\" bad", "bad"),
            (r#""\u00e9\U0001F600\x41bad""#, "é😀Abad", "bad"),
            (r"'\t bad'", r"\t bad", "bad"),
            ("\"\"\"\na\n  bad\"\"\"", "a\n  bad", "bad"),
            ("\"\"\"\r\na\r\n  bad\"\"\"", "a\n  bad", "bad"),
            ("\"\"\"\r\na\r\n  bad\"\"\"", "a\r\n  bad", "bad"),
            ("\"\"\"a \\\n   bad\"\"\"", "a bad", "bad"),
            ("'''\n\"a\" bad''''", "\"a\" bad'", "bad'"),
            ("{ bad = \"bad\", with = 'x' } # 'bad'", "bad", "bad"),
            ("[\"x\", \"a bad\"]", "a bad", "bad"),
        ] {
            let file = TextFile {
                name: String::new(),
                text: format!("key = {raw}"),
            };
            let span = 6..6 + raw.len();
            let at = text.find(within).unwrap();
            let place = inside(&file, span.clone(), text, Some(at..at + within.len()));
            assert_eq!(&file.text[place.clone()], within, "{raw}");
            assert!(file.text[..place.start].contains(['"', '\'']), "{raw}");
            let end = inside(&file, span, text, Some(text.len()..text.len()));
            assert!(file.text[end.start..].starts_with(['"', '\'']), "{raw}");
        }
    }

    #[test]
    fn a_text_that_stands_twice_or_not_at_all_marks_the_whole() {
        for raw in ["[\"a\", 'a']", "'b'", "\"a", r#""\q""#, ""] {
            let file = TextFile {
                name: String::new(),
                text: raw.to_owned(),
            };
            assert_eq!(inside(&file, 0..raw.len(), "a", Some(0..1)), 0..raw.len());
            assert_eq!(locate(&file, 0..raw.len(), "a"), 0..raw.len());
        }
    }

    proptest::proptest! {
        #[test]
        fn any_literal_is_marked_within_its_value(
            raw in "[\"'][\"' a\\\\nu0é\n\r#]{0,30}",
            text in "[ aé\n\r]{0,6}",
            start in 0usize..9,
            len in 0usize..9,
        ) {
            let file = TextFile { name: String::new(), text: raw.clone() };
            let place = inside(&file, 0..raw.len(), &text, Some(start..start + len));
            proptest::prop_assert!(place.start <= place.end && place.end <= raw.len());
        }
    }
}
