//! The bytes of a compressed input, unpacked as a stream.
//!
//! Nothing is kept:
//! each reading unpacks anew, in constant memory, and stops where a file was made to do harm.

use std::fmt;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take};

use flate2::Crc;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::SourceError;
use super::origin::{FileReader, Origin};
use super::packing::Packing;

/// What unpacks to more times its size than this was made to do harm. Real tables reach 1:50, those
/// of hardly anything but delimiters some hundreds.
const TIGHTEST: u64 = 500;
/// So much may be unpacked whatever the file's size.
const HARMLESS: u64 = 64 << 20;
/// How much packed text is read at a time, in bytes.
const CHUNK: usize = 64 * 1024;

/// Why packed bytes cannot be unpacked; travels within an [`io::Error`].
#[derive(Debug)]
pub(super) enum Fault {
    Damaged(String),
    Bomb,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(what) => write!(
                formatter,
                "it is cut off or damaged ({what}). Fetch it or pack it again"
            ),
            Self::Bomb => write!(
                formatter,
                "it unpacks to more than {TIGHTEST} times its size, as no real table does. Unpack it yourself if you trust it, and use the file in it"
            ),
        }
    }
}

impl std::error::Error for Fault {}

fn damaged(what: impl fmt::Display) -> io::Error {
    let what = what.to_string().trim_end_matches('.').to_owned();
    io::Error::new(io::ErrorKind::InvalidData, Fault::Damaged(what))
}

/// The bytes of an input, unpacked where it is packed.
#[derive(Debug)]
pub(super) enum Bytes {
    Plain(FileReader),
    Packed(Box<Unpacker>),
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(reader) => reader.read(buffer),
            Self::Packed(unpacker) => unpacker.read(buffer),
        }
    }
}

/// A packed input on its way.
pub(super) struct Unpacker {
    how: How,
    /// How much came out, in bytes.
    unpacked: u64,
}

enum How {
    Gzip(MultiGzDecoder<BufReader<FileReader>>),
    Zstd(Box<Zstd>),
    Deflated(DeflateDecoder<BufReader<Take<FileReader>>>, Checked),
    Stored(Take<FileReader>, Checked),
}

impl fmt::Debug for Unpacker {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "Unpacker({} from {})",
            self.unpacked,
            self.how.packed()
        )
    }
}

impl How {
    /// How much of the packed bytes was read, in bytes.
    fn packed(&self) -> u64 {
        match self {
            Self::Gzip(decoder) => decoder.get_ref().get_ref().position(),
            Self::Zstd(decoder) => decoder.source.get_ref().position(),
            Self::Deflated(decoder, _) => decoder.total_in(),
            Self::Stored(bytes, _) => bytes.get_ref().position(),
        }
    }
}

impl Unpacker {
    pub(super) fn new(origin: &Origin, packing: Packing) -> Self {
        let buffered = || BufReader::with_capacity(CHUNK, origin.reader(0));
        let how = match packing {
            Packing::Gzip => How::Gzip(MultiGzDecoder::new(buffered())),
            Packing::Zstd => How::Zstd(Box::new(Zstd {
                source: buffered(),
                decoder: FrameDecoder::new(),
                within: false,
            })),
            Packing::Zip {
                from,
                length,
                deflated,
                size,
                crc,
            } => {
                let bytes = origin.reader(from).take(length);
                let checked = Checked {
                    sum: Crc::new(),
                    size,
                    crc,
                };
                if deflated {
                    let bytes = BufReader::with_capacity(CHUNK, bytes);
                    How::Deflated(DeflateDecoder::new(bytes), checked)
                } else {
                    How::Stored(bytes, checked)
                }
            }
        };
        Self { how, unpacked: 0 }
    }
}

impl Read for Unpacker {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = match &mut self.how {
            How::Gzip(decoder) => decoder.read(buffer),
            How::Zstd(decoder) => decoder.read(buffer),
            How::Deflated(decoder, checked) => decoder
                .read(buffer)
                .and_then(|read| checked.add(&buffer[..read], buffer.is_empty())),
            How::Stored(bytes, checked) => bytes
                .read(buffer)
                .and_then(|read| checked.add(&buffer[..read], buffer.is_empty())),
        };
        match read {
            Ok(read) => {
                self.unpacked += read as u64;
                if self.unpacked > HARMLESS
                    && !matches!(self.how, How::Stored(..))
                    && self.unpacked / TIGHTEST > self.how.packed()
                {
                    return Err(io::Error::new(io::ErrorKind::InvalidData, Fault::Bomb));
                }
                Ok(read)
            }
            // The disk's own failures, and what was told already, stay as they are.
            Err(cause)
                if cause.raw_os_error().is_some()
                    || cause.kind() == io::ErrorKind::Interrupted
                    || cause.get_ref().is_some_and(|inner| inner.is::<Fault>()) =>
            {
                Err(cause)
            }
            Err(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
                Err(damaged("its end is missing"))
            }
            Err(cause) => Err(damaged(cause)),
        }
    }
}

/// The size and the sum that a ZIP archive says its file has.
struct Checked {
    sum: Crc,
    size: u64,
    crc: u32,
}

impl Checked {
    fn add(&mut self, bytes: &[u8], asked_for_none: bool) -> io::Result<usize> {
        self.sum.update(bytes);
        if bytes.is_empty() && !asked_for_none {
            // The sum counts bytes modulo 2^32.
            if self.sum.amount() != self.size as u32 || self.sum.sum() != self.crc {
                return Err(damaged("its checksum is wrong"));
            }
        }
        Ok(bytes.len())
    }
}

/// Zstandard frames, one after the other.
struct Zstd {
    source: BufReader<FileReader>,
    decoder: FrameDecoder,
    /// A frame has begun and is not yet handed over wholly.
    within: bool,
}

impl Read for Zstd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.within {
                if !self.next_frame()? {
                    return Ok(0);
                }
                self.within = true;
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let some = BlockDecodingStrategy::UptoBytes(CHUNK);
                self.decoder
                    .decode_blocks(&mut self.source, some)
                    .map_err(damaged)?;
            }
            let read = self.decoder.read(buffer)?;
            if read > 0 {
                return Ok(read);
            }
            if let Some(expected) = self.decoder.get_checksum_from_data()
                && self.decoder.get_calculated_checksum() != Some(expected)
            {
                return Err(damaged("its checksum is wrong"));
            }
            self.within = false;
        }
    }
}

impl Zstd {
    /// Begins the next frame; `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            if io::BufRead::fill_buf(&mut self.source)?.is_empty() {
                return Ok(false);
            }
            match self.decoder.reset(&mut self.source) {
                Ok(()) => return Ok(true),
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let skipped = io::copy(
                        &mut (&mut self.source).take(u64::from(length)),
                        &mut io::sink(),
                    )?;
                    if skipped < u64::from(length) {
                        return Err(damaged("its end is missing"));
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
    }
}

/// Unpacks into an anonymous file, as workbooks need: their parts are read in any order.
pub(super) fn spooled(origin: &Origin) -> Result<std::fs::File, SourceError> {
    let mut file = tempfile::tempfile().map_err(|cause| SourceError::Spool { cause })?;
    let mut bytes = origin.bytes(0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let read = bytes
            .read(&mut buffer)
            .map_err(|cause| origin.read_error(cause))?;
        if read == 0 {
            break;
        }
        io::Write::write_all(&mut file, &buffer[..read])
            .map_err(|cause| SourceError::Spool { cause })?;
    }
    file.seek(SeekFrom::Start(0))
        .map_err(|cause| SourceError::Spool { cause })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::ops::ControlFlow;
    use std::path::PathBuf;

    use flate2::Compression;
    use flate2::write::GzEncoder;
    use zip::write::SimpleFileOptions;

    use super::super::{Facts, Input, Options, open};

    const TEXT: &str = "id;naam\r\n1;José\r\n2;\"Zürich\r\nZH\"\r\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};
        compress_to_vec(bytes, CompressionLevel::Fastest)
    }

    fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in files {
            if let Some(folder) = name.strip_suffix('/') {
                writer
                    .add_directory(folder, SimpleFileOptions::default())
                    .unwrap();
            } else {
                writer
                    .start_file(*name, SimpleFileOptions::default())
                    .unwrap();
                writer.write_all(bytes).unwrap();
            }
        }
        writer.finish().unwrap().into_inner()
    }

    /// What it is packed with and the rows as text; or the sentence.
    fn read(bytes: &[u8]) -> Result<(Option<&'static str>, String), String> {
        let folder = tempfile::tempdir().unwrap();
        let path: PathBuf = folder.path().join("clients.bin");
        std::fs::write(&path, bytes).unwrap();
        let say = |error: super::SourceError| {
            let name = path.display().to_string();
            error.to_string().replace(&name, "FILE")
        };
        let source = open(&Input::Path(path.clone()), &Options::default()).map_err(say)?;
        let mut text = String::new();
        source
            .read(2, &mut |batch| {
                for row in batch.rows() {
                    let cells: Vec<&str> = row.cells().map(|cell| cell.text).collect();
                    text.push_str(&format!("{}:{}/", row.number(), cells.join("|")));
                }
                ControlFlow::Continue(())
            })
            .map_err(say)?;
        assert!(matches!(source.facts, Facts::Csv(_) | Facts::Workbook(_)));
        Ok((source.packed, text))
    }

    #[test]
    fn packed_tables_are_read_as_if_they_were_not() {
        let text = TEXT.as_bytes();
        let expected = "2:1|José/3:2|Zürich\r\nZH/";
        let mut skipped = vec![0x50, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3];
        skipped.extend(zstd(text));
        let latin = encoding_rs::WINDOWS_1252.encode(TEXT).0;
        for (bytes, packed) in [
            (gzip(text), "gzip"),
            ([gzip(&text[..12]), gzip(&text[12..])].concat(), "gzip"),
            (gzip(&latin), "gzip"),
            (gzip(&["\u{FEFF}".as_bytes(), text].concat()), "gzip"),
            (zstd(text), "zstd"),
            ([zstd(&text[..12]), zstd(&text[12..])].concat(), "zstd"),
            (skipped, "zstd"),
            (zip(&[("clients.csv", text)]), "zip"),
            (
                zip(&[
                    ("data/", b""),
                    ("data/clients.csv", text),
                    ("__MACOSX/data/._clients.csv", b"x"),
                    ("data/.DS_Store", b"x"),
                ]),
                "zip",
            ),
        ] {
            let found = read(&bytes).unwrap();
            assert_eq!(found, (Some(packed), expected.to_owned()));
        }
    }

    #[test]
    fn a_packed_workbook_is_a_workbook() {
        let mut workbook = rust_xlsxwriter::Workbook::new();
        let sheet = workbook.add_worksheet();
        for (row, column, text) in [(0, 0, "id"), (0, 1, "name"), (1, 0, "7"), (1, 1, "Anna")] {
            sheet.write_string(row, column, text).unwrap();
        }
        let bytes = workbook.save_to_buffer().unwrap();
        for packed in [
            bytes.clone(),
            gzip(&bytes),
            zstd(&bytes),
            zip(&[("clients.xlsx", &bytes)]),
        ] {
            assert_eq!(read(&packed).unwrap(), (None, "2:7|Anna/".to_owned()));
        }
    }

    #[test]
    fn what_cannot_be_unpacked_gets_a_sentence() {
        let text = TEXT.repeat(2000);
        let text = text.as_bytes();
        let cut = |bytes: Vec<u8>| bytes[..bytes.len() - 9].to_vec();
        let turned = |mut bytes: Vec<u8>, at: usize| {
            let at = bytes.len() - at;
            bytes[at] ^= 1;
            bytes
        };
        let locked = {
            let mut bytes = zip(&[("a.csv", text)]);
            // The flag of encryption in the local header and in the list (APPNOTE.TXT 4.4.4).
            bytes[6] |= 1;
            let list = memchr::memmem::rfind(&bytes, b"PK\x01\x02").unwrap();
            bytes[list + 8] |= 1;
            bytes
        };
        let mut tar = vec![0; 1024];
        tar[257..262].copy_from_slice(b"ustar");
        for (bytes, words) in [
            (cut(gzip(text)), "its end is missing"),
            (cut(zstd(text)), "cut off or damaged"),
            (turned(gzip(text), 6), "cut off or damaged"),
            (turned(zip(&[("a.csv", text)]), 90), "cut off or damaged"),
            (vec![0x1F, 0x8B], "its end is missing"),
            (vec![0x28, 0xB5, 0x2F, 0xFD], "cut off or damaged"),
            (zip(&[]), "without a file in it"),
            (zip(&[("a/", b"")]), "without a file in it"),
            (
                zip(&[("a.csv", b"x"), ("b.csv", b"y")]),
                "holds 2 files (a.csv, b.csv)",
            ),
            (locked, "protected by a password"),
            (gzip(&gzip(text)), "packed once more"),
            (zip(&[("a.csv.gz", &gzip(text))]), "packed once more"),
            (tar.clone(), "TAR archive"),
            (gzip(&tar), "TAR archive"),
            (b"BZh91AY&SY".to_vec(), "bzip2"),
            (b"\xFD7zXZ\0".to_vec(), "xz"),
        ] {
            let sentence = read(&bytes).unwrap_err();
            assert!(sentence.contains(words), "{words}: {sentence}");
            assert!(
                sentence.starts_with("FILE cannot be unpacked: it ")
                    || sentence.starts_with("FILE cannot be unpacked: what "),
                "{sentence}"
            );
            assert!(
                sentence.ends_with('.') && !sentence.ends_with(".."),
                "{sentence}"
            );
        }
    }

    #[test]
    fn a_bomb_is_refused_in_little_time() {
        let line = b"id,name\n".repeat(1 << 20);
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        for _ in 0..40 {
            encoder.write_all(&line).unwrap();
        }
        let bytes = encoder.finish().unwrap();
        let sentence = read(&bytes).unwrap_err();
        assert!(
            sentence.contains("more than 500 times its size"),
            "{sentence}"
        );
    }
}
