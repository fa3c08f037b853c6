//! What is done to a text before it is read.

use std::borrow::Cow;

use regex::Regex;

use super::names;
use super::text::push_ascii;
use super::trim;

/// One step, compiled.
#[derive(Debug, Clone)]
pub enum Step {
    /// Runs of white space become one space.
    Squash,
    /// Lower case.
    Lower,
    /// Upper case.
    Upper,
    /// Each word begins with a capital and goes on in lower case.
    Titlecase,
    /// Only the digits stay.
    Digits,
    /// Letters with marks lose them; letters of other scripts stay.
    Ascii,
    /// HTML elements go, character references become characters.
    StripHtml,
    /// The given names of a whole name.
    GivenName,
    /// The family name of a whole name, with its particles.
    FamilyName,
    /// What the pattern finds becomes the text; `$1` is its first group.
    Replace(Regex, String),
    /// The pattern's first group, or all that it finds; empty where it finds nothing.
    Extract(Regex),
    /// Digits get zeros on the left up to this length.
    Pad(usize),
    /// No more than this many characters.
    Truncate(usize),
}

/// Applies the steps in order and trims the result. `truncated` is set where characters were cut.
pub fn clean<'a>(steps: &[Step], text: Cow<'a, str>, truncated: &mut bool) -> Cow<'a, str> {
    steps.iter().fold(text, |text, step| {
        let text = apply(step, text, truncated);
        match text {
            Cow::Borrowed(text) => Cow::Borrowed(trim(text)),
            Cow::Owned(text) => {
                let short = trim(&text);
                if short.len() == text.len() {
                    Cow::Owned(text)
                } else {
                    Cow::Owned(short.to_owned())
                }
            }
        }
    })
}

fn apply<'a>(step: &Step, text: Cow<'a, str>, truncated: &mut bool) -> Cow<'a, str> {
    match step {
        Step::Squash => squash(text),
        Step::Lower
            if text
                .chars()
                .all(|letter| !changes(letter, letter.to_lowercase())) =>
        {
            text
        }
        Step::Lower => Cow::Owned(text.to_lowercase()),
        Step::Upper
            if text
                .chars()
                .all(|letter| !changes(letter, letter.to_uppercase())) =>
        {
            text
        }
        Step::Upper => Cow::Owned(text.to_uppercase()),
        Step::Titlecase => kept(text, titlecase),
        Step::Digits if text.bytes().all(|byte| byte.is_ascii_digit()) => text,
        Step::Digits => Cow::Owned(text.chars().filter_map(digit).collect()),
        Step::Ascii if text.is_ascii() => text,
        Step::Ascii => {
            let mut out = String::with_capacity(text.len());
            for letter in text.chars() {
                if !push_ascii(letter, &mut out) {
                    out.push(letter);
                }
            }
            Cow::Owned(out)
        }
        Step::StripHtml if !text.contains(['<', '&']) => text,
        Step::StripHtml => Cow::Owned(strip_html(&text)),
        Step::GivenName => kept(text, |text| names::split(text).0),
        Step::FamilyName => kept(text, |text| names::split(text).1),
        Step::Replace(pattern, with) => match pattern.replace_all(&text, with.as_str()) {
            Cow::Borrowed(_) => text,
            Cow::Owned(new) => Cow::Owned(new),
        },
        Step::Extract(pattern) => {
            let found = pattern
                .captures(&text)
                .and_then(|groups| {
                    groups.get(1).or_else(|| {
                        // A group that took no part is an empty result, not the whole match.
                        if groups.len() > 1 {
                            None
                        } else {
                            groups.get(0)
                        }
                    })
                })
                .map_or(0..0, |group| group.range());
            part(text, found)
        }
        Step::Pad(length) => {
            if text.len() >= *length
                || text.is_empty()
                || !text.bytes().all(|byte| byte.is_ascii_digit())
            {
                return text;
            }
            Cow::Owned(format!("{text:0>length$}"))
        }
        Step::Truncate(length) => {
            if text.len() <= *length {
                return text;
            }
            match text.char_indices().nth(*length) {
                None => text,
                Some((end, _)) => {
                    *truncated = true;
                    part(text, 0..end)
                }
            }
        }
    }
}

fn changes(letter: char, mut other: impl Iterator<Item = char>) -> bool {
    other.next() != Some(letter)
}

/// A part of a text, borrowed where the text is.
fn part(text: Cow<'_, str>, range: std::ops::Range<usize>) -> Cow<'_, str> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(&text[range]),
        Cow::Owned(text) => Cow::Owned(text[range].to_owned()),
    }
}

/// What a function makes of a text; the text itself where that is the same.
fn kept<'a>(text: Cow<'a, str>, make: impl Fn(&str) -> String) -> Cow<'a, str> {
    let made = make(&text);
    if made == text { text } else { Cow::Owned(made) }
}

fn squash(text: Cow<'_, str>) -> Cow<'_, str> {
    let mut space = false;
    let fine = text.chars().all(|letter| {
        let bad = letter.is_whitespace() && (letter != ' ' || space);
        space = letter == ' ';
        !bad
    });
    if fine {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    Cow::Owned(out)
}

/// The ASCII digit of a digit of any script.
fn digit(letter: char) -> Option<char> {
    if letter.is_ascii_digit() {
        return Some(letter);
    }
    // Full-width, Arabic-Indic and Extended Arabic-Indic digits stand in order.
    for zero in ['０', '٠', '۰'] {
        let distance = u32::from(letter).wrapping_sub(u32::from(zero));
        if distance < 10 {
            return char::from_digit(distance, 10);
        }
    }
    None
}

fn titlecase(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    for (at, &letter) in letters.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| letters.get(at));
        let starts = match before {
            None => true,
            // O'Neill, but John's.
            Some('\'' | '’') => {
                letters[at..]
                    .iter()
                    .take_while(|letter| letter.is_alphabetic())
                    .count()
                    > 1
            }
            Some(before) => !before.is_alphanumeric() && !is_mark(*before),
        };
        if starts {
            let mut upper = letter.to_uppercase();
            // ß and ligatures become several letters: only the first stays a capital.
            if let Some(first) = upper.next() {
                out.push(first);
            }
            for more in upper {
                out.extend(more.to_lowercase());
            }
        } else {
            out.extend(letter.to_lowercase());
        }
    }
    out
}

fn is_mark(letter: char) -> bool {
    unicode_normalization::char::is_combining_mark(letter)
}

/// Elements that end a line of text.
const BLOCKS: &[&str] = &[
    "br", "p", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "ul", "ol", "table",
];

fn strip_html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        let tag = &rest[at..];
        // "a < b" and "<3" are no elements.
        let is_tag = tag[1..].starts_with(|next: char| {
            next.is_ascii_alphabetic() || matches!(next, '/' | '!' | '?')
        });
        if !is_tag {
            out.push('<');
            rest = &tag[1..];
            continue;
        }
        if let Some(comment) = tag.strip_prefix("<!--") {
            rest = comment.find("-->").map_or("", |end| &comment[end + 3..]);
            continue;
        }
        let Some(end) = tag_end(tag) else {
            out.push('<');
            rest = &tag[1..];
            continue;
        };
        let name: String = tag[1..end]
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect::<String>()
            .to_ascii_lowercase();
        rest = &tag[end + 1..];
        if BLOCKS.contains(&name.as_str()) && !out.is_empty() && !out.ends_with([' ', '\n']) {
            out.push(if name == "br" { '\n' } else { ' ' });
        }
        if matches!(name.as_str(), "script" | "style") && !tag.starts_with("</") {
            let close = format!("</{name}");
            let lower = rest.to_ascii_lowercase();
            rest = lower.find(&close).map_or("", |at| &rest[at..]);
        }
    }
    out.push_str(rest);
    unescape(&out)
}

/// Where the tag at the start of a text ends, with `>` in quotes passed over.
fn tag_end(tag: &str) -> Option<usize> {
    let mut quote = None;
    for (at, letter) in tag.char_indices() {
        match (quote, letter) {
            (None, '>') => return Some(at),
            (None, '"' | '\'') => quote = Some(letter),
            (Some(open), letter) if letter == open => quote = None,
            _ => {}
        }
    }
    tag.find('>')
}

fn unescape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let known = rest[1..]
            .find(';')
            .filter(|end| *end <= 10)
            .and_then(|end| Some((reference(&rest[1..=end])?, end + 2)));
        match known {
            Some((letter, end)) => {
                out.push(letter);
                rest = &rest[end..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => '\u{a0}',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "lsquo" => '‘',
        "rsquo" => '’',
        "ldquo" => '“',
        "rdquo" => '”',
        "euro" => '€',
        "pound" => '£',
        "copy" => '©',
        "reg" => '®',
        "trade" => '™',
        "deg" => '°',
        "auml" => 'ä',
        "ouml" => 'ö',
        "uuml" => 'ü',
        "Auml" => 'Ä',
        "Ouml" => 'Ö',
        "Uuml" => 'Ü',
        "szlig" => 'ß',
        "eacute" => 'é',
        "egrave" => 'è',
        "agrave" => 'à',
        "ccedil" => 'ç',
        "ntilde" => 'ñ',
        "oslash" => 'ø',
        "aring" => 'å',
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Regex {
        Regex::new(text).unwrap()
    }

    #[test]
    fn each_step_does_its_work() {
        for (step, text, want) in [
            (Step::Squash, "a \t b\u{a0}\u{a0}c", "a b c"),
            (Step::Squash, "a b", "a b"),
            (Step::Lower, "MÜLLER", "müller"),
            (Step::Upper, "straße", "STRASSE"),
            (Step::Titlecase, "ANNA-MARIA o'NEILL", "Anna-Maria O'Neill"),
            (Step::Titlecase, "john's café", "John's Café"),
            (Step::Titlecase, "ßa", "Ssa"),
            (Step::Digits, "(030) 12-34", "0301234"),
            (Step::Digits, "１２ ٣", "123"),
            (Step::Digits, "none", ""),
            (Step::Ascii, "Žofia Łąć – Ærø", "Zofia Lac - AEro"),
            (Step::Ascii, "Иван é", "Иван e"),
            (Step::StripHtml, "<p>A &amp; B</p><br>C &lt;3", "A & B C <3"),
            (
                Step::StripHtml,
                "a < b &copy; &unknown; &#228;&#x41;",
                "a < b © &unknown; äA",
            ),
            (
                Step::StripHtml,
                "x<script>1 > 0</script><!-- <b> -->y",
                "xy",
            ),
            (Step::StripHtml, "<a title=\"1 > 0\">t</a>", "t"),
            (Step::StripHtml, "a <b", "a <b"),
            (Step::GivenName, "Dr. Anna Schmidt", "Anna"),
            (Step::FamilyName, "van Dyke, Dick", "van Dyke"),
            (
                Step::Replace(pattern(r"^0+(\d)"), "$1".into()),
                "0071",
                "71",
            ),
            (Step::Extract(pattern(r"#(\d+)")), "order #42!", "42"),
            (Step::Extract(pattern(r"\d+")), "order #42!", "42"),
            (Step::Extract(pattern(r"#(\d+)")), "order", ""),
            (Step::Extract(pattern(r"a(b)?")), "a", ""),
            (Step::Pad(5), "123", "00123"),
            (Step::Pad(5), "123456", "123456"),
            (Step::Pad(5), "1a", "1a"),
            (Step::Pad(5), "", ""),
            (Step::Truncate(3), "äöü", "äöü"),
        ] {
            let mut cut = false;
            let name = format!("{step:?} {text:?}");
            assert_eq!(
                clean(&[step], Cow::Borrowed(text), &mut cut),
                want,
                "{name}"
            );
            assert!(!cut, "{name}");
        }
    }

    #[test]
    fn cutting_is_told_and_steps_follow_each_other() {
        let mut cut = false;
        let steps = [Step::Squash, Step::Truncate(3), Step::Upper];
        assert_eq!(clean(&steps, "ä  b c".into(), &mut cut), "Ä B");
        assert!(cut);
    }

    #[test]
    fn what_does_not_change_is_borrowed() {
        let steps = [
            Step::Squash,
            Step::Titlecase,
            Step::Ascii,
            Step::StripHtml,
            Step::Replace(pattern("x"), String::new()),
            Step::Extract(pattern(".+")),
            Step::Pad(2),
            Step::Truncate(20),
        ];
        let mut cut = false;
        assert!(matches!(
            clean(&steps, "Anna B".into(), &mut cut),
            Cow::Borrowed("Anna B")
        ));
        assert!(matches!(
            clean(&[Step::Lower, Step::Digits], "12".into(), &mut cut),
            Cow::Borrowed("12")
        ));
    }

    proptest::proptest! {
        #[test]
        fn any_text_can_be_cleaned(text in proptest::prelude::any::<String>(), html in "[<>&;/a-c\"'!# -]{0,40}") {
            for step in [Step::Squash, Step::Titlecase, Step::Digits, Step::Ascii, Step::StripHtml, Step::GivenName, Step::FamilyName, Step::Pad(9), Step::Truncate(5)] {
                let mut cut = false;
                for text in [&text, &html] {
                    let once = clean(std::slice::from_ref(&step), trim(text).into(), &mut cut);
                    proptest::prop_assert_eq!(trim(&once), once.as_ref());
                }
            }
        }
    }
}
