//! The parts of a workbook as UTF-8: nearly all are, and others say what they are.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder, Encoding, UTF_8};

/// So many bytes hold the declaration of an XML part.
const HEAD: usize = 256;

/// What is said of a part that is in no encoding that is known.
pub(super) fn not_utf8() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "a text of it is neither UTF-8 nor in the encoding that the file names",
    )
}

/// Gives a part of XML as UTF-8 if it is in another encoding and says so (XML 1.0, 4.3.3).
#[derive(Debug)]
pub(super) struct Utf8<R> {
    input: R,
    begun: bool,
    ended: bool,
    /// What was read and is not yet given.
    held: Vec<u8>,
    at: usize,
    decoder: Option<Box<Foreign>>,
}

struct Foreign(Decoder);

impl std::fmt::Debug for Foreign {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0.encoding().name())
    }
}

impl<R: Read> Utf8<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            begun: false,
            ended: false,
            held: Vec::new(),
            at: 0,
            decoder: None,
        }
    }

    /// Reads the declaration, once.
    pub(super) fn begin(&mut self) -> io::Result<()> {
        if self.begun {
            return Ok(());
        }
        self.begun = true;
        (&mut self.input)
            .take(HEAD as u64)
            .read_to_end(&mut self.held)?;
        self.decoder = declared(&self.held)
            .filter(|encoding| *encoding != UTF_8)
            .map(|encoding| Box::new(Foreign(encoding.new_decoder_with_bom_removal())));
        Ok(())
    }
}

/// The encoding of a part by its byte order mark or its declaration.
fn declared(head: &[u8]) -> Option<&'static Encoding> {
    if let Some((encoding, _)) = Encoding::for_bom(head) {
        return Some(encoding);
    }
    let end = memchr::memmem::find(head, b"?>")?;
    let declaration = head.strip_prefix(b"<?xml")?.get(..end.checked_sub(5)?)?;
    let at = memchr::memmem::find(declaration, b"encoding")? + b"encoding".len();
    let rest = declaration[at..].trim_ascii_start().strip_prefix(b"=")?;
    let (quote, value) = rest.trim_ascii_start().split_first()?;
    let value = value.split(|byte| byte == quote).next()?;
    // The declaration could not have been read in an encoding that is not like ASCII.
    Encoding::for_label(value).filter(|encoding| encoding.is_ascii_compatible())
}

impl<R: Read> Read for Utf8<R> {
    /// Where there is a decoder, the buffer must have room for a character.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = &mut self.decoder else {
            if self.at < self.held.len() {
                let size = (self.held.len() - self.at).min(buffer.len());
                buffer[..size].copy_from_slice(&self.held[self.at..self.at + size]);
                self.at += size;
                return Ok(size);
            }
            return self.input.read(buffer);
        };
        loop {
            if self.at == self.held.len() && !self.ended {
                self.held.resize(8 * 1024, 0);
                let read = self.input.read(&mut self.held);
                self.held.truncate(*read.as_ref().unwrap_or(&0));
                self.at = 0;
                self.ended = read? == 0;
            }
            let (result, read, written, bad) =
                decoder
                    .0
                    .decode_to_utf8(&self.held[self.at..], buffer, self.ended);
            self.at += read;
            if bad {
                return Err(not_utf8());
            }
            if written > 0 || (self.ended && result == CoderResult::InputEmpty) {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("there is no room for a character"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> io::Result<String> {
        let mut input = Utf8::new(bytes);
        input.begin()?;
        let mut out = Vec::new();
        let mut buffer = [0; 16];
        loop {
            match input.read(&mut buffer)? {
                0 => return String::from_utf8(out).map_err(|_| not_utf8()),
                size => out.extend_from_slice(&buffer[..size]),
            }
        }
    }

    #[test]
    fn parts_are_read_in_the_encoding_that_they_name() {
        let long = "Müller ".repeat(3000);
        for (label, encoding) in [
            ("ISO-8859-1", encoding_rs::WINDOWS_1252),
            ("windows-1252", encoding_rs::WINDOWS_1252),
            ("utf-8", UTF_8),
            ("GB18030", encoding_rs::GB18030),
        ] {
            let text = format!("<?xml version='1.0' encoding = '{label}'?><t>{long}</t>");
            let (bytes, ..) = encoding.encode(&text);
            assert_eq!(read(&bytes).unwrap(), text, "{label}");
        }
        let text = "<t>Zo\u{eb} \u{1f600}</t>";
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        let wide: Vec<u8> = units.flat_map(u16::to_le_bytes).collect();
        assert_eq!(read(&wide).unwrap(), text);
    }

    #[test]
    fn other_parts_are_left_as_they_are() {
        for text in [
            "",
            "<t/>",
            "<?xml version='1.0'?><t>ü</t>",
            "<?xml encoding='no'?><t>ü</t>",
        ] {
            assert_eq!(read(text.as_bytes()).unwrap(), text);
        }
        assert!(read(b"<?xml encoding='utf-8'?><t>\xFC</t>").is_err());
        assert!(read(b"<?xml encoding='Shift_JIS'?><t>\xFC\xFF</t>").is_err());
    }
}
