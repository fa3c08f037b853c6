//! The texts that a workbook's cells share, in memory while they are few, else in a file.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use super::xml::{self, Token, Xml};

/// So much text is kept in memory, in bytes.
const IN_MEMORY: usize = 24 << 20;
/// The file is read in pages of this size, and so many of them are kept.
const PAGE: usize = 16 * 1024;
const PAGES: usize = 256;

/// Texts by number, in the order in which they were added.
#[derive(Debug, Default)]
pub(super) struct Texts {
    /// Where each text ends; the file is smaller than 4 GiB.
    ends: Vec<u32>,
    memory: Vec<u8>,
    spilled: Option<Spilled>,
    limit: usize,
}

#[derive(Debug)]
struct Spilled {
    file: BufWriter<File>,
    /// Kept pages by their number modulo [`PAGES`].
    pages: Vec<Option<(usize, Box<[u8]>)>>,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self::with_limit(IN_MEMORY)
    }

    fn with_limit(limit: usize) -> Self {
        Self {
            limit,
            ..Self::default()
        }
    }

    /// How many texts.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.ends.len()
    }

    fn size(&self) -> usize {
        self.ends.last().map_or(0, |&end| end as usize)
    }

    /// # Errors
    /// Where the temporary file cannot be made or written, or the texts have 4 GiB.
    pub(super) fn push(&mut self, text: &str) -> io::Result<()> {
        let end = u32::try_from(self.size() + text.len())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its texts have 4 GiB"))?;
        match &mut self.spilled {
            Some(spilled) => spilled.file.write_all(text.as_bytes())?,
            None => {
                self.memory.extend_from_slice(text.as_bytes());
                if self.memory.len() > self.limit {
                    let mut file = BufWriter::with_capacity(1 << 16, tempfile::tempfile()?);
                    file.write_all(&self.memory)?;
                    self.memory = Vec::new();
                    self.spilled = Some(Spilled {
                        file,
                        pages: (0..PAGES).map(|_| None).collect(),
                    });
                }
            }
        }
        self.ends.push(end);
        Ok(())
    }

    /// To be called after the last text.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        self.ends.shrink_to_fit();
        self.memory.shrink_to_fit();
        match &mut self.spilled {
            Some(spilled) => spilled.file.flush(),
            None => Ok(()),
        }
    }

    /// Adds a text to `out`; says whether there is one of this number.
    ///
    /// # Errors
    /// Where the temporary file cannot be read.
    pub(super) fn write(&mut self, number: usize, out: &mut String) -> io::Result<bool> {
        let Some(&end) = self.ends.get(number) else {
            return Ok(false);
        };
        let end = end as usize;
        let start = match number.checked_sub(1) {
            Some(before) => self.ends[before] as usize,
            None => 0,
        };
        let size = self.size();
        let Some(spilled) = &mut self.spilled else {
            push_utf8(out, &self.memory[start..end]);
            return Ok(true);
        };
        let (first, last) = (start / PAGE, end.saturating_sub(1) / PAGE);
        if first == last {
            let page = spilled.page(first, size)?;
            push_utf8(out, &page[start % PAGE..start % PAGE + (end - start)]);
            return Ok(true);
        }
        let mut bytes = Vec::with_capacity(end - start);
        for number in first..=last {
            let from = start.max(number * PAGE) - number * PAGE;
            let to = end.min((number + 1) * PAGE) - number * PAGE;
            bytes.extend_from_slice(&spilled.page(number, size)?[from..to]);
        }
        push_utf8(out, &bytes);
        Ok(true)
    }
}

/// Only whole texts were written, so this is UTF-8; the file may have been tampered with.
fn push_utf8(out: &mut String, bytes: &[u8]) {
    match std::str::from_utf8(bytes) {
        Ok(text) => out.push_str(text),
        Err(_) => out.push_str(&String::from_utf8_lossy(bytes)),
    }
}

impl Spilled {
    fn page(&mut self, number: usize, size: usize) -> io::Result<&[u8]> {
        let slot = &mut self.pages[number % PAGES];
        if slot.as_ref().is_none_or(|(held, _)| *held != number) {
            let start = number * PAGE;
            let mut page = match slot.take() {
                Some((_, page)) => page,
                None => vec![0; PAGE].into_boxed_slice(),
            };
            let file = self.file.get_mut();
            file.seek(SeekFrom::Start(start as u64))?;
            file.read_exact(&mut page[..PAGE.min(size - start)])?;
            *slot = Some((number, page));
        }
        match slot {
            Some((_, page)) => Ok(page),
            None => Err(io::Error::other("a page of texts is missing")),
        }
    }
}

/// Reads `sharedStrings.xml` (ECMA-376 part 1, 18.4).
///
/// # Errors
/// Where the part cannot be read, is not well formed, or the texts cannot be kept.
pub(super) fn read_xml(input: impl Read) -> io::Result<Texts> {
    let mut xml = Xml::new(input);
    let mut texts = Texts::new();
    let mut text = String::new();
    while let Some(token) = xml.next()? {
        if let Token::Open(tag) = token
            && tag.name == b"si"
        {
            text.clear();
            if !tag.empty {
                read_item(&mut xml, &mut text)?;
            }
            texts.push(&text)?;
        }
    }
    texts.finish()?;
    Ok(texts)
}

/// Reads the text of an item whose start tag was read: its pieces one after the other, without
/// the phonetic ones.
pub(super) fn read_item<R: Read>(xml: &mut Xml<R>, out: &mut String) -> io::Result<()> {
    let mut depth = 1;
    // Within `<t>`: where its text begins, and whether its outer space counts.
    let mut piece: Option<(usize, bool)> = None;
    let mut phonetic = 0;
    while depth > 0 {
        match xml.next()? {
            None => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "its list of texts is cut off",
                ));
            }
            Some(Token::Open(tag)) => {
                if !tag.empty {
                    depth += 1;
                    phonetic += usize::from(tag.name == b"rPh" || phonetic > 0);
                    if tag.name == b"t" && phonetic == 0 {
                        piece = Some((out.len(), tag.get(b"space") == Some(b"preserve")));
                    }
                }
            }
            Some(Token::Close(_)) => {
                depth -= 1;
                phonetic = phonetic.saturating_sub(1);
                if let Some((start, preserve)) = piece.take() {
                    end_piece(out, start, preserve);
                }
            }
            Some(Token::Text(bytes)) => {
                if piece.is_some() {
                    xml::decode(bytes, out);
                }
            }
            Some(Token::Literal(bytes)) => {
                if piece.is_some() {
                    out.push_str(&String::from_utf8_lossy(bytes));
                }
            }
        }
    }
    Ok(())
}

fn end_piece(out: &mut String, start: usize, preserve: bool) {
    let piece = &out[start..];
    let trimmed = if preserve {
        piece
    } else {
        piece.trim_matches([' ', '\t', '\r', '\n'])
    };
    if trimmed.len() < piece.len() || trimmed.contains("_x") {
        let plain = unescape(trimmed);
        out.truncate(start);
        out.push_str(&plain);
    }
}

/// Reads `_x000D_`: a UTF-16 unit that XML cannot hold (ECMA-376 part 1, 22.9.2.19).
pub(super) fn unescape(text: &str) -> String {
    let mut units: Vec<u16> = Vec::new();
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let unit = rest
            .get(..7)
            .and_then(|mark| mark.strip_prefix("_x")?.strip_suffix('_'))
            .filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|hex| u16::from_str_radix(hex, 16).ok());
        if let Some(unit) = unit {
            units.push(unit);
            rest = &rest[7..];
            continue;
        }
        if !units.is_empty() {
            out.push_str(&String::from_utf16_lossy(&units));
            units.clear();
        }
        let Some(first) = rest.chars().next() else {
            return out;
        };
        let next = rest[first.len_utf8()..]
            .find("_x")
            .map_or(rest.len(), |at| at + first.len_utf8());
        out.push_str(&rest[..next]);
        rest = &rest[next..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &mut Texts) -> Vec<String> {
        (0..texts.len())
            .map(|number| {
                let mut out = String::new();
                assert!(texts.write(number, &mut out).unwrap());
                out
            })
            .collect()
    }

    #[test]
    fn texts_are_read_as_cells_show_them() {
        let part = "<sst uniqueCount=\"99999999999999\"><si><t>plain &amp; simple</t></si><si/><si><t/></si>\
            <si><r><rPr/><t xml:space=\"preserve\">two </t></r><r><t>runs</t></r></si>\
            <si><t>東京</t><rPh sb=\"0\" eb=\"2\"><t>とうきょう</t></rPh></si>\
            <si><t> a </t></si><si><t xml:space=\"preserve\"> a </t></si>\
            <si><t>x_x000D_y_x005F_x000D__xD83D__xDCF7_</t></si><si><t><![CDATA[<b>]]></t></si></sst>";
        let mut texts = read_xml(part.as_bytes()).unwrap();
        assert_eq!(
            all(&mut texts),
            [
                "plain & simple",
                "",
                "",
                "two runs",
                "東京",
                "a",
                " a ",
                "x\ry_x000D_📷",
                "<b>"
            ]
        );
        assert!(!texts.write(9, &mut String::new()).unwrap());
        assert!(read_xml(&b"<sst><si><t>cut"[..]).is_err());
    }

    #[test]
    fn many_texts_go_to_a_file_and_come_back() {
        let expected: Vec<String> = (0..4000)
            .map(|number| format!("{number}{}", "é".repeat(number % 97)))
            .chain(["long".repeat(PAGE), String::new(), "end".to_owned()])
            .collect();
        let mut texts = Texts::with_limit(1000);
        for text in &expected {
            texts.push(text).unwrap();
        }
        texts.finish().unwrap();
        assert!(texts.spilled.is_some() && texts.memory.is_empty());
        assert_eq!(all(&mut texts), expected);
    }
}
