//! A file's text as UTF-8, whatever its encoding, as a stream.

use std::io::{self, Read};

use encoding_rs::{CoderResult, Decoder};

use super::encoding::{Charset, Detected};
use super::origin::Origin;
use super::unpack::Bytes;

/// The file's text as UTF-8. UTF-8 files come as they are and may hold bad bytes; bytes that
/// another encoding does not know come as U+FFFD.
#[derive(Debug)]
pub(super) struct Decoded {
    raw: Bytes,
    how: How,
}

enum How {
    AsIs,
    Whatwg(Box<Decoding>),
    Utf32(Utf32),
}

impl std::fmt::Debug for How {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::AsIs => "AsIs",
            Self::Whatwg(_) => "Whatwg",
            Self::Utf32(_) => "Utf32",
        })
    }
}

struct Decoding {
    decoder: Decoder,
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
    last: bool,
    done: bool,
}

impl Decoded {
    pub(super) fn new(origin: &Origin, detected: &Detected) -> Self {
        Self {
            raw: origin.bytes(detected.bom as u64),
            how: match detected.charset {
                Charset::Utf8 => How::AsIs,
                Charset::Utf32 { little } => How::Utf32(Utf32 {
                    little,
                    cut: Vec::new(),
                    text: Vec::new(),
                    taken: 0,
                }),
                Charset::Other(encoding) => How::Whatwg(Box::new(Decoding {
                    decoder: encoding.new_decoder_without_bom_handling(),
                    bytes: vec![0; 64 * 1024].into_boxed_slice(),
                    start: 0,
                    end: 0,
                    last: false,
                    done: false,
                })),
            },
        }
    }
}

impl Read for Decoded {
    /// `buffer` must have room for a character, which every caller's has.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.how {
            How::AsIs => self.raw.read(buffer),
            How::Whatwg(decoding) => decoding.read(&mut self.raw, buffer),
            How::Utf32(units) => units.read(&mut self.raw, buffer),
        }
    }
}

impl Decoding {
    fn read(&mut self, raw: &mut Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        while !self.done {
            if self.start == self.end && !self.last {
                self.start = 0;
                self.end = raw.read(&mut self.bytes)?;
                self.last = self.end == 0;
            }
            let (result, read, written, _) =
                self.decoder
                    .decode_to_utf8(&self.bytes[self.start..self.end], buffer, self.last);
            self.start += read;
            self.done = self.last && result == CoderResult::InputEmpty;
            if written > 0 {
                return Ok(written);
            }
            if result == CoderResult::OutputFull {
                return Err(io::Error::other("no room for a character"));
            }
        }
        Ok(0)
    }
}

/// UTF-32 units on their way to UTF-8.
struct Utf32 {
    little: bool,
    /// Bytes of a unit that the last reading cut.
    cut: Vec<u8>,
    text: Vec<u8>,
    taken: usize,
}

impl Utf32 {
    fn read(&mut self, raw: &mut Bytes, buffer: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            let mut bytes = std::mem::take(&mut self.cut);
            let kept = bytes.len();
            bytes.resize(16 * 1024, 0);
            let read = raw.read(&mut bytes[kept..])?;
            bytes.truncate(kept + read);
            self.text.clear();
            self.taken = 0;
            let units = bytes.chunks_exact(4);
            let rest = units.remainder();
            if read > 0 {
                self.cut.extend_from_slice(rest);
            } else if rest.is_empty() {
                return Ok(0);
            } else {
                self.push(None);
            }
            for unit in units {
                let unit = [unit[0], unit[1], unit[2], unit[3]];
                self.push(char::from_u32(if self.little {
                    u32::from_le_bytes(unit)
                } else {
                    u32::from_be_bytes(unit)
                }));
            }
        }
        let count = buffer.len().min(self.text.len() - self.taken);
        buffer[..count].copy_from_slice(&self.text[self.taken..self.taken + count]);
        self.taken += count;
        Ok(count)
    }

    fn push(&mut self, character: Option<char>) {
        let character = character.unwrap_or(char::REPLACEMENT_CHARACTER);
        let mut utf8 = [0; 4];
        self.text
            .extend_from_slice(character.encode_utf8(&mut utf8).as_bytes());
    }
}
