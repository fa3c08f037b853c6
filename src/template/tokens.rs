//! The tokens of a template or expression that MiniJinja has already compiled.

use std::ops::Range;

use super::TemplateError;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Ident,
    Text(String),
    Number,
    /// An operator or bracket.
    Mark,
    /// The beginning of `{{` or `{%`.
    Open {
        block: bool,
    },
}

#[derive(Debug, Clone)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) range: Range<usize>,
}

/// The tokens of a source.
#[derive(Debug)]
pub(super) struct Scanned<'s> {
    source: &'s str,
    pub(super) tokens: Vec<Token>,
    /// Whether there is anything but plain text.
    pub(super) has_tags: bool,
    /// The first character that is no token: MiniJinja leaves some of them, and what follows,
    /// unread.
    pub(super) stray: Option<Range<usize>>,
}

/// Scans an expression.
pub(super) fn expression(source: &str) -> Scanned<'_> {
    let mut scanned = Scanned {
        source,
        tokens: Vec::new(),
        has_tags: true,
        stray: None,
    };
    scanned.inside(0, None);
    scanned
}

/// Scans a template.
pub(super) fn template(source: &str) -> Scanned<'_> {
    let mut scanned = Scanned {
        source,
        tokens: Vec::new(),
        has_tags: false,
        stray: None,
    };
    let mut at = 0;
    while let Some(found) = source[at..].find('{') {
        let open = at + found;
        at = open + 1;
        match source.as_bytes().get(at) {
            Some(b'#') => {
                scanned.has_tags = true;
                at = match source[open + 2..].find("#}") {
                    Some(end) => open + 2 + end + 2,
                    None => source.len(),
                };
            }
            Some(b'{') => {
                scanned.has_tags = true;
                scanned.open(open, false);
                at = scanned.inside(open + 2, Some("}}"));
            }
            Some(b'%') => {
                scanned.has_tags = true;
                if let Some(end) = raw_end(source, open + 2) {
                    at = end;
                    continue;
                }
                scanned.open(open, true);
                at = scanned.inside(open + 2, Some("%}"));
            }
            _ => {}
        }
    }
    scanned
}

/// Where a `{% raw %}` section ends whose tag's inside begins at `at`; `None` for other tags.
fn raw_end(source: &str, at: usize) -> Option<usize> {
    let tag = |at: usize, word: &str| -> Option<usize> {
        let rest = source.get(at..)?;
        let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let rest = rest.trim_start().strip_prefix(word)?.trim_start();
        let rest = rest.strip_prefix(['-', '+']).unwrap_or(rest);
        let rest = rest.strip_prefix("%}")?;
        Some(source.len() - rest.len())
    };
    let mut at = tag(at, "raw")?;
    while let Some(open) = source[at..].find("{%") {
        at += open + 2;
        if let Some(end) = tag(at, "endraw") {
            return Some(end);
        }
    }
    Some(source.len())
}

impl Scanned<'_> {
    fn open(&mut self, at: usize, block: bool) {
        self.tokens.push(Token {
            kind: Kind::Open { block },
            range: at..at + 2,
        });
    }

    /// Scans the inside of a tag from `at` to its end mark, or to the end of the source; where the
    /// text behind it begins.
    fn inside(&mut self, at: usize, end: Option<&str>) -> usize {
        let source = self.source;
        let bytes = source.as_bytes();
        let mut at = at;
        let mut depth = 0usize;
        while let Some(&byte) = bytes.get(at) {
            let rest = &source[at..];
            if let Some(end) = end
                && (depth == 0 || end == "%}")
            {
                if rest.starts_with(end) {
                    return at + 2;
                }
                if matches!(byte, b'-' | b'+') && rest[1..].starts_with(end) {
                    return at + 3;
                }
            }
            let start = at;
            let kind = match byte {
                b'"' | b'\'' => {
                    let Some(len) = text_len(rest) else {
                        self.stray.get_or_insert(at..source.len());
                        return source.len();
                    };
                    at += len;
                    Kind::Text(unescape(&source[start + 1..at - 1]))
                }
                b'0'..=b'9' => {
                    at += number_len(rest);
                    Kind::Number
                }
                b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                    at += word_len(rest);
                    Kind::Ident
                }
                b if b.is_ascii_whitespace() => {
                    at += 1;
                    continue;
                }
                b if !b.is_ascii() || b"$&;?@^#`\\".contains(&b) => {
                    let c = rest.chars().next().unwrap_or_default();
                    at += c.len_utf8();
                    if !c.is_whitespace() {
                        self.stray.get_or_insert(start..at);
                    }
                    continue;
                }
                _ => {
                    match byte {
                        b'(' | b'[' | b'{' => depth += 1,
                        b')' | b']' | b'}' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    let two = ["==", "!=", ">=", "<=", "//", "**"];
                    at += if two.iter().any(|two| rest.starts_with(two)) {
                        2
                    } else {
                        1
                    };
                    Kind::Mark
                }
            };
            self.tokens.push(Token {
                kind,
                range: start..at,
            });
        }
        at
    }

    pub(super) fn word(&self, at: usize) -> Option<&str> {
        let token = self.tokens.get(at)?;
        (token.kind == Kind::Ident).then(|| &self.source[token.range.clone()])
    }

    pub(super) fn is_mark(&self, at: usize, mark: &str) -> bool {
        self.tokens
            .get(at)
            .is_some_and(|t| t.kind == Kind::Mark && self.source[t.range.clone()] == *mark)
    }

    pub(super) fn text(&self, at: usize) -> Option<&str> {
        match &self.tokens.get(at)?.kind {
            Kind::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn error(&self, at: usize, message: String) -> TemplateError {
        TemplateError {
            message,
            range: self.tokens.get(at).map(|token| token.range.clone()),
        }
    }
}

/// Bytes of the string literal at the beginning of `rest`, quotes included; `None` where it does
/// not end.
fn text_len(rest: &str) -> Option<usize> {
    let quote = rest.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in rest.bytes().enumerate().skip(1) {
        if escaped {
            escaped = false;
        } else if byte == b'\\' {
            escaped = true;
        } else if byte == quote {
            return Some(at + 1);
        }
    }
    None
}

fn word_len(rest: &str) -> usize {
    rest.bytes()
        .take_while(|b| *b == b'_' || b.is_ascii_alphanumeric())
        .count()
}

fn number_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let mut at = word_len(rest);
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1).is_some_and(u8::is_ascii_digit) {
        at += 1 + word_len(&rest[at + 1..]);
    }
    at
}

/// Reads the escapes of a string literal, as MiniJinja does.
fn unescape(inner: &str) -> String {
    if !inner.contains('\\') {
        return inner.to_owned();
    }
    let mut read = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            read.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => read.push('\n'),
            Some('r') => read.push('\r'),
            Some('t') => read.push('\t'),
            Some('b') => read.push('\u{8}'),
            Some('f') => read.push('\u{c}'),
            Some('u') => {
                let hex: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&hex, 16).ok();
                read.push(code.and_then(char::from_u32).unwrap_or('\u{fffd}'));
            }
            Some(other) => read.push(other),
            None => {}
        }
    }
    read
}
