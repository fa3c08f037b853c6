//! The tags and texts of an XML part as a stream, in bounded memory.
//!
//! Only what spreadsheet programs write: UTF-8, no document type. Entities are never looked up, so
//! that neither a nest of them nor one that names a file can do harm.

use std::io::{self, Read};
use std::ops::Range;

use super::xml_text::{Utf8, not_utf8};
use memchr::memchr;

/// The longest single tag or text, in bytes; a cell holds 32,767 characters at most.
const LONGEST: usize = 8 << 20;

/// One tag or text of a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Token<'a> {
    /// `<name …>`, or `<name …/>`, for which no [`Token::Close`] comes.
    Open(Tag<'a>),
    /// `</name>`, without its prefix.
    Close(&'a [u8]),
    /// Text between tags with its entities.
    Text(&'a [u8]),
    /// Text in a CDATA section, which has none.
    Literal(&'a [u8]),
}

/// A start tag.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Tag<'a> {
    /// The name without its prefix.
    pub(super) name: &'a [u8],
    /// Whether it is its own end: `<name/>`.
    pub(super) empty: bool,
    attributes: &'a [u8],
}

impl<'a> Tag<'a> {
    /// A tag of these attributes.
    pub(super) fn of(written: &'a [u8]) -> Self {
        Self {
            name: b"",
            empty: false,
            attributes: written,
        }
    }

    /// The attributes as they are written.
    pub(super) fn written(&self) -> &'a [u8] {
        self.attributes
    }

    /// The attributes: names without prefix, values as written.
    pub(super) fn attributes(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> + use<'a> {
        let mut rest = self.attributes;
        std::iter::from_fn(move || {
            let equals = memchr(b'=', rest)?;
            let name = local(rest[..equals].trim_ascii());
            let after = rest[equals + 1..].trim_ascii_start();
            let (&quote, value) = after.split_first()?;
            let end = memchr(quote, value)?;
            rest = &value[end + 1..];
            Some((name, &value[..end]))
        })
    }

    /// The value of an attribute, as written.
    pub(super) fn get(&self, name: &[u8]) -> Option<&'a [u8]> {
        self.attributes()
            .find(|(found, _)| *found == name)
            .map(|(_, value)| value)
    }

    /// The value of an attribute as text.
    pub(super) fn text(&self, name: &[u8]) -> Option<String> {
        let mut text = String::new();
        decode(self.get(name)?, &mut text);
        Some(text)
    }

    /// Whether an attribute is true as XML Schema writes it.
    pub(super) fn is_set(&self, name: &[u8]) -> bool {
        matches!(self.get(name), Some(b"1" | b"true" | b"on"))
    }
}

fn local(name: &[u8]) -> &[u8] {
    match name.iter().position(|&byte| byte == b':') {
        Some(colon) => &name[colon + 1..],
        None => name,
    }
}

/// Adds the characters of a text with entities; line ends become line feeds (XML 1.0, 2.11).
pub(super) fn decode(bytes: &[u8], out: &mut String) {
    let mut rest = bytes;
    loop {
        let Some(at) = memchr::memchr2(b'&', b'\r', rest) else {
            literal(rest, out);
            return;
        };
        literal(&rest[..at], out);
        rest = &rest[at..];
        if rest[0] == b'\r' {
            out.push('\n');
            rest = &rest[if rest.get(1) == Some(&b'\n') { 2 } else { 1 }..];
            continue;
        }
        let end = memchr(b';', &rest[..rest.len().min(12)]);
        match end.and_then(|end| Some((end, entity(&rest[1..end])?))) {
            Some((end, character)) => {
                out.push(character);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
}

fn literal(bytes: &[u8], out: &mut String) {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

fn entity(name: &[u8]) -> Option<char> {
    Some(match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', hex @ ..] => {
            char::from_u32(u32::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?)?
        }
        [b'#', digits @ ..] => char::from_u32(std::str::from_utf8(digits).ok()?.parse().ok()?)?,
        _ => return None,
    })
}

/// Reads a part tag by tag.
#[derive(Debug)]
pub(super) struct Xml<R> {
    input: Utf8<R>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    ended: bool,
    /// Where the start tag that was read last stands in the buffer.
    tag: Range<usize>,
    /// The elements that are open, where their ends are checked.
    open: Option<Vec<Box<[u8]>>>,
}

/// Elements may stand within each other so deep, where their ends are checked.
const DEEPEST: usize = 1000;

fn malformed(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

impl<R: Read> Xml<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: Utf8::new(input),
            buffer: vec![0; 64 * 1024],
            start: 0,
            end: 0,
            ended: false,
            tag: 0..0,
            open: None,
        }
    }

    /// The same, and each element must end, and where its own end is: for parts that are handed
    /// to a reader which waits for that end for ever.
    pub(super) fn nested(input: R) -> Self {
        Self {
            open: Some(Vec::new()),
            ..Self::new(input)
        }
    }

    /// Checks a tag against the elements that are open.
    fn nest(&mut self, content: Range<usize>) -> io::Result<()> {
        let (Some(open), Some(tag)) = (&mut self.open, self.buffer.get(content)) else {
            return Ok(());
        };
        if let Some(name) = tag.strip_prefix(b"/") {
            return match open.pop() {
                Some(last) if *last == *name.trim_ascii_end() => Ok(()),
                _ => Err(malformed("it is not well formed")),
            };
        }
        if !tag.ends_with(b"/") {
            let end = tag.iter().position(u8::is_ascii_whitespace);
            open.push(tag[..end.unwrap_or(tag.len())].into());
        }
        match open.len() {
            0..=DEEPEST => Ok(()),
            _ => Err(malformed("it is not well formed")),
        }
    }

    /// The start tag that [`Xml::next`] gave last, before it is called again.
    pub(super) fn last_tag(&self) -> Option<Tag<'_>> {
        match tag(self.buffer.get(self.tag.clone())?) {
            Token::Open(tag) => Some(tag),
            _ => None,
        }
    }

    /// The next tag or text; `None` at the end.
    ///
    /// # Errors
    /// Where the input cannot be read, or is no XML that a spreadsheet program writes.
    #[inline]
    pub(super) fn next(&mut self) -> io::Result<Option<Token<'_>>> {
        let Some((kind, range)) = self.advance()? else {
            return Ok(None);
        };
        let bytes = &self.buffer[range];
        let is_text = matches!(kind, Markup::Text | Markup::Literal);
        if is_text && std::str::from_utf8(bytes).is_err() {
            return Err(not_utf8());
        }
        Ok(Some(match kind {
            Markup::Tag => tag(bytes),
            Markup::Literal => Token::Literal(bytes),
            Markup::Text | Markup::Skipped => Token::Text(bytes),
        }))
    }

    /// Passes over the next tag or text, and says what it is and where its content stands.
    fn advance(&mut self) -> io::Result<Option<(Markup, Range<usize>)>> {
        loop {
            let window = &self.buffer[self.start..self.end];
            let from = self.start;
            if window.len() < 9 && !self.ended {
                self.fill()?;
                continue;
            }
            let Some(&first) = window.first() else {
                return match &self.open {
                    Some(open) if !open.is_empty() => Err(malformed("a part of it is cut off")),
                    _ => Ok(None),
                };
            };
            if first != b'<' {
                match memchr(b'<', window) {
                    Some(length) => self.start += length,
                    None if self.ended => self.start = self.end,
                    None => {
                        self.fill()?;
                        continue;
                    }
                }
                return Ok(Some((Markup::Text, from..self.start)));
            }
            // How many bytes stand around the content.
            let (kind, end, around) = match window.get(1) {
                Some(b'!') if window.starts_with(b"<!--") => {
                    (Markup::Skipped, find(window, 4, b"-->"), (0, 0))
                }
                Some(b'!') if window.starts_with(b"<![CDATA[") => {
                    (Markup::Literal, find(window, 9, b"]]>"), (9, 3))
                }
                Some(b'!') => {
                    return Err(malformed(
                        "it declares entities of its own, as no spreadsheet program does",
                    ));
                }
                Some(b'?') => (Markup::Skipped, find(window, 2, b"?>"), (0, 0)),
                _ => (Markup::Tag, tag_end(window), (1, 1)),
            };
            let Some(length) = end else {
                if self.ended {
                    return Err(malformed("a part of it is cut off"));
                }
                self.fill()?;
                continue;
            };
            self.start += length;
            let content = from + around.0..self.start - around.1;
            match kind {
                Markup::Skipped => {}
                Markup::Tag => {
                    self.tag = content.clone();
                    if self.open.is_some() {
                        self.nest(content.clone())?;
                    }
                    return Ok(Some((kind, content)));
                }
                _ => return Ok(Some((kind, content))),
            }
        }
    }

    /// Passes over what is left of an element whose start tag was just read.
    pub(super) fn skip(&mut self) -> io::Result<()> {
        let mut depth = 1;
        while depth > 0 {
            match self.next()? {
                Some(Token::Open(tag)) if !tag.empty => depth += 1,
                Some(Token::Close(_)) => depth -= 1,
                Some(_) => {}
                None => return Err(malformed("a part of it is cut off")),
            }
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.end == self.buffer.len() {
            if self.end >= LONGEST {
                return Err(malformed("a single text of it is longer than 8 MiB"));
            }
            self.buffer.resize(self.end * 2, 0);
        }
        self.input.begin()?;
        // A decoder writes no part of a character.
        if self.buffer.len() - self.end < 16 {
            self.buffer.resize(self.end + 64, 0);
        }
        loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(());
                }
                Ok(read) => {
                    self.end += read;
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Markup {
    Skipped,
    Literal,
    Tag,
    Text,
}

fn find(window: &[u8], from: usize, mark: &[u8]) -> Option<usize> {
    let at = memchr::memmem::find(window.get(from..)?, mark)?;
    Some(from + at + mark.len())
}

/// The length of the tag that begins the window; `>` in a quoted value does not end it.
fn tag_end(window: &[u8]) -> Option<usize> {
    // Tags are short: byte by byte is faster than a search that has to get going.
    let mut quote = None;
    for (at, &byte) in window.iter().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(mark), byte) if mark == byte => quote = None,
            _ => {}
        }
    }
    None
}

/// Reads what stands between `<` and `>`.
fn tag(inner: &[u8]) -> Token<'_> {
    if let Some(name) = inner.strip_prefix(b"/") {
        return Token::Close(local(name.trim_ascii()));
    }
    let (inner, empty) = match inner.strip_suffix(b"/") {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let name = inner
        .iter()
        .position(u8::is_ascii_whitespace)
        .unwrap_or(inner.len());
    Token::Open(Tag {
        name: local(&inner[..name]),
        empty,
        attributes: &inner[name..],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            self.0.read(&mut buffer[..1])
        }
    }

    fn tokens(text: &str) -> io::Result<Vec<String>> {
        let mut xml = Xml::new(Drip(text.as_bytes()));
        let mut found = Vec::new();
        let string = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        while let Some(token) = xml.next()? {
            found.push(match token {
                Token::Open(tag) => {
                    let attributes: Vec<String> = tag
                        .attributes()
                        .map(|(name, value)| format!("{}={}", string(name), string(value)))
                        .collect();
                    let mark = if tag.empty { "/" } else { "" };
                    format!("<{}{mark} {}", string(tag.name), attributes.join(" "))
                }
                Token::Close(name) => format!("</{}", string(name)),
                Token::Text(bytes) => format!("\"{}", string(bytes)),
                Token::Literal(bytes) => format!("!{}", string(bytes)),
            });
        }
        Ok(found)
    }

    #[test]
    fn elements_end_where_they_should() {
        for (text, expected) in [
            ("<a><b c='1'/><b c='2'>x</b ></a>", Ok(())),
            ("<?xml?><!-- <x> --><a:b></a:b>", Ok(())),
            ("<a><b></b>", Err("cut off")),
            ("<a><b></a></b>", Err("not well formed")),
            ("<a:b></c:b>", Err("not well formed")),
            ("</a>", Err("not well formed")),
            (&"<a>".repeat(2000), Err("not well formed")),
        ] {
            let mut xml = Xml::nested(text.as_bytes());
            let found = loop {
                match xml.next() {
                    Ok(Some(_)) => {}
                    Ok(None) => break Ok(()),
                    Err(error) => break Err(error.to_string()),
                }
            };
            match (&found, expected) {
                (Ok(()), Ok(())) => {}
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{found}"),
                _ => panic!("{text}: {found:?}"),
            }
        }
    }

    #[test]
    fn tags_and_texts_come_in_order() {
        assert_eq!(
            tokens("<?xml version=\"1.0\"?><x:a b='1>2' x:c = \"d\"><!-- <n> --><e/>t<![CDATA[<&]]></x:a >\n").unwrap(),
            ["<a b=1>2 c=d", "<e/ ", "\"t", "!<&", "</a", "\"\n"]
        );
    }

    #[test]
    fn what_is_no_plain_xml_is_an_error() {
        for text in [
            "<!DOCTYPE x [<!ENTITY a \"b\">]><x>&a;</x>",
            "<x a=\"",
            "<x",
            "<!-- no end",
        ] {
            assert!(tokens(text).is_err(), "{text}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_an_error() {
        assert!(Xml::new(&b"<a>M\xFCller</a>"[..]).next().is_ok());
        let mut xml = Xml::new(&b"<a>M\xFCller</a>"[..]);
        let found = (xml.next().is_ok(), xml.next().map(|_| ()).unwrap_err());
        assert!(
            found.0 && found.1.to_string().contains("UTF-8"),
            "{found:?}"
        );
    }

    #[test]
    fn entities_are_read_and_unknown_ones_left() {
        for (text, expected) in [
            ("a&amp;b&lt;&gt;&quot;&apos;", "a&b<>\"'"),
            ("&#65;&#x42;&#xD800;&nbsp;&", "AB&#xD800;&nbsp;&"),
            ("a\r\nb\rc", "a\nb\nc"),
        ] {
            let mut out = String::new();
            decode(text.as_bytes(), &mut out);
            assert_eq!(out, expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_ends_well(text in "[<>/!?\\[\\]a-c=\"' &;-]{0,60}") {
            let _ = tokens(&text);
        }
    }
}
