//! Marks inside texts: where a part of a template or pattern stands in the file that holds it.

use std::ops::Range;

use crate::issue::TextFile;

/// Where `text` stands within the value at `span`, if it stands there once and as it is; else the
/// whole value, as where it was written with escapes.
pub(crate) fn locate(file: &TextFile, span: Range<usize>, text: &str) -> Range<usize> {
    let Some(raw) = file.text.get(span.clone()) else {
        return span;
    };
    // Within a list or table, the text with its quotes tells more.
    for quote in ['"', '\''] {
        let quoted = format!("{quote}{text}{quote}");
        if let Some(at) = raw.find(&quoted)
            && raw.rfind(&quoted) == Some(at)
        {
            let start = span.start + at + 1;
            return start..start + text.len();
        }
    }
    match raw.find(text) {
        Some(at) if !text.is_empty() && (quoted(raw) || raw.rfind(text) == Some(at)) => {
            span.start + at..span.start + at + text.len()
        }
        _ => span,
    }
}

/// Whether a value is a text by itself, so that the first find is the text.
fn quoted(raw: &str) -> bool {
    raw.starts_with(['"', '\''])
}

/// A place within a text, as a place in the file.
pub(crate) fn inside(
    file: &TextFile,
    span: Range<usize>,
    text: &str,
    range: Option<Range<usize>>,
) -> Range<usize> {
    let place = locate(file, span.clone(), text);
    match range {
        Some(range) if place.len() == text.len() => {
            let end = place.start + range.end.min(text.len());
            (place.start + range.start).min(end)..end
        }
        _ => span,
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
}
