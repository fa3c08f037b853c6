//! A text file of ours brought from UTF-8 into the encoding of its source.

use std::io::{self, Read, Write};

use encoding_rs::{EncoderResult, UTF_16BE, UTF_16LE};

use super::csv::{BOM, Dialect};
use super::file::{Draft, fill};

/// Writes the draft in the dialect's encoding; false where that cannot hold a character.
pub(super) fn convert(draft: &mut Draft, dialect: Dialect, out: &mut Draft) -> io::Result<bool> {
    let mut source = draft.reread()?;
    let mut mark = [0u8; BOM.len()];
    source.read_exact(&mut mark)?;
    let mut encoder = Converter::new(dialect);
    let mut buffer = vec![0u8; 1 << 16];
    let mut kept = 0;
    loop {
        let read = fill(&mut source, &mut buffer[kept..])?;
        let filled = kept + read;
        let last = filled < buffer.len();
        let text = match std::str::from_utf8(&buffer[..filled]) {
            Ok(text) => text,
            Err(error) if error.error_len().is_none() && !last => {
                std::str::from_utf8(&buffer[..error.valid_up_to()]).unwrap_or_default()
            }
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        let used = text.len();
        if !encoder.convert(text, last, out)? {
            return Ok(false);
        }
        if last {
            return Ok(true);
        }
        buffer.copy_within(used..filled, 0);
        kept = filled - used;
    }
}

enum Converter {
    Utf16 {
        little: bool,
        begun: bool,
    },
    Other {
        encoder: encoding_rs::Encoder,
        buffer: Vec<u8>,
    },
}

impl Converter {
    fn new(dialect: Dialect) -> Self {
        let encoding = dialect.encoding;
        if encoding == UTF_16LE || encoding == UTF_16BE {
            Self::Utf16 {
                little: encoding == UTF_16LE,
                begun: false,
            }
        } else {
            Self::Other {
                encoder: encoding.new_encoder(),
                buffer: vec![0; 1 << 16],
            }
        }
    }

    fn convert(&mut self, text: &str, last: bool, out: &mut Draft) -> io::Result<bool> {
        match self {
            Self::Utf16 { little, begun } => {
                let little = *little;
                let bytes = |unit: u16| {
                    if little {
                        unit.to_le_bytes()
                    } else {
                        unit.to_be_bytes()
                    }
                };
                // Without its mark nobody knows UTF-16 again.
                if !*begun {
                    *begun = true;
                    out.write_all(&bytes(0xfeff))?;
                }
                for unit in text.encode_utf16() {
                    out.write_all(&bytes(unit))?;
                }
                Ok(true)
            }
            Self::Other { encoder, buffer } => {
                let mut rest = text;
                loop {
                    let (result, read, written) =
                        encoder.encode_from_utf8_without_replacement(rest, buffer, last);
                    out.write_all(&buffer[..written])?;
                    rest = &rest[read..];
                    match result {
                        EncoderResult::InputEmpty => return Ok(true),
                        EncoderResult::OutputFull => {}
                        EncoderResult::Unmappable(_) => return Ok(false),
                    }
                }
            }
        }
    }
}
