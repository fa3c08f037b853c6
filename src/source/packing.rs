//! What a compressed input is packed with, told by its first bytes, whatever its name says.

use std::io::{BufReader, Read};

use zip::CompressionMethod;

use super::SourceError;
use super::origin::Origin;

/// The list of files at the end of a ZIP archive.
const LARGEST_LIST: u64 = 16 << 20;

/// How an input is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Packing {
    /// One gzip member or several (RFC 1952).
    Gzip,
    /// One Zstandard frame or several (RFC 8878).
    Zstd,
    /// The only file of a ZIP archive: where its bytes are, and what they unpack to.
    Zip {
        from: u64,
        length: u64,
        deflated: bool,
        size: u64,
        crc: u32,
    },
}

impl Packing {
    /// The name shown.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Zip { .. } => "zip",
        }
    }
}

/// Finds how the file is packed; `None` where it is not, or is a workbook.
///
/// # Errors
/// Where it is packed in a way that is not read, or holds several files.
pub(super) fn packing(origin: &Origin) -> Result<Option<Packing>, SourceError> {
    let start = origin.start(264)?;
    let cannot = |what: &str| SourceError::Packed {
        name: origin.name.clone(),
        what: what.to_owned(),
    };
    match start.as_slice() {
        [0x1F, 0x8B, ..] => Ok(Some(Packing::Gzip)),
        // A frame, or one that is to be skipped (RFC 8878, 3.1).
        [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => {
            Ok(Some(Packing::Zstd))
        }
        [b'P', b'K', 3, 4, ..] => zipped(origin),
        [b'P', b'K', 5, 6, ..] => Err(cannot("it is a ZIP archive without a file in it")),
        [b'P', b'K', 7, 8, ..] => Err(cannot(
            "it is one part of a ZIP archive in several. Join and unpack them, and use the file in it",
        )),
        [b'B', b'Z', b'h', b'1'..=b'9', b'1', b'A', b'Y', ..] => Err(cannot(
            "it is packed with bzip2, which is not read. Unpack it, or pack it with gzip or zstd",
        )),
        [0xFD, b'7', b'z', b'X', b'Z', 0, ..] => Err(cannot(
            "it is packed with xz, which is not read. Unpack it, or pack it with gzip or zstd",
        )),
        [4, 0x22, 0x4D, 0x18, ..] => Err(cannot(
            "it is packed with LZ4, which is not read. Unpack it, or pack it with gzip or zstd",
        )),
        start if is_tar(start) => Err(cannot(TAR)),
        _ => Ok(None),
    }
}

const TAR: &str = "it is a TAR archive. Unpack it and name the file, or the folder, in it";

/// Whether the bytes begin a TAR archive (POSIX.1-1988, and the old GNU form).
fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}

/// Looks at what was packed: what is packed twice, or is an archive, is not read.
///
/// # Errors
/// Where it is one of those.
pub(super) fn check_inner(origin: &Origin, start: &[u8]) -> Result<(), SourceError> {
    let what = match start {
        [0x1F, 0x8B, ..] | [0x28, 0xB5, 0x2F, 0xFD, ..] | [b'B', b'Z', b'h', ..] => {
            "what is packed in it is packed once more. Unpack it once"
        }
        start if is_tar(start) => TAR,
        _ => return Ok(()),
    };
    Err(SourceError::Packed {
        name: origin.name.clone(),
        what: what.to_owned(),
    })
}

/// The one file of a ZIP archive that is no workbook.
fn zipped(origin: &Origin) -> Result<Option<Packing>, SourceError> {
    let cannot = |what: String| SourceError::Packed {
        name: origin.name.clone(),
        what,
    };
    // What is damaged or too large is told where workbooks are looked at.
    if list_length(origin)?.is_none_or(|length| length > LARGEST_LIST) {
        return Ok(None);
    }
    let reader = BufReader::new(origin.reader(0));
    let mut archive = match zip::ZipArchive::new(reader) {
        Ok(archive) => archive,
        Err(zip::result::ZipError::Io(cause)) if cause.raw_os_error().is_some() => {
            return Err(origin.read_error(cause));
        }
        Err(_) => return Ok(None),
    };
    if archive.is_empty() {
        return Ok(None);
    }
    let mut files = Vec::new();
    let mut one = None;
    for index in 0..archive.len() {
        let Ok(entry) = archive.by_index_raw(index) else {
            return Ok(None);
        };
        let name = entry
            .name()
            .map_or_else(|_| "?".to_owned(), |name| name.replace('\\', "/"));
        if is_of_a_workbook(&name) {
            return Ok(None);
        }
        if entry.is_dir() || is_by_the_way(&name) {
            continue;
        }
        one = Some((
            entry.encrypted(),
            entry.compression(),
            entry.data_start(),
            entry.compressed_size(),
            entry.size(),
            entry.crc32(),
        ));
        files.push(name);
    }
    let (encrypted, method, from, length, size, crc) = match (files.len(), one) {
        (1, Some(one)) => one,
        (0, _) => {
            return Err(cannot(
                "it is a ZIP archive without a file in it".to_owned(),
            ));
        }
        (count, _) => {
            let mut shown = files[..count.min(3)].join(", ");
            if count > 3 {
                shown.push_str(" …");
            }
            return Err(cannot(format!(
                "it holds {count} files ({shown}), and one is expected. Unpack it and name the file, or the folder"
            )));
        }
    };
    if encrypted {
        return Err(cannot(
            "it is protected by a password. Unpack it and use the file in it".to_owned(),
        ));
    }
    let deflated = match method {
        CompressionMethod::Stored => false,
        CompressionMethod::Deflated => true,
        other => {
            return Err(cannot(format!(
                "it is packed by a method that is not read ({other}). Unpack it and use the file in it"
            )));
        }
    };
    let Some(from) = from else {
        return Err(cannot(
            "its list of files does not fit to what is in it. Pack it again".to_owned(),
        ));
    };
    Ok(Some(Packing::Zip {
        from,
        length,
        deflated,
        size,
        crc,
    }))
}

/// How long the list of an archive's files says it is (APPNOTE.TXT 4.3.14, 4.3.16).
fn list_length(origin: &Origin) -> Result<Option<u64>, SourceError> {
    let mut tail = Vec::new();
    let mut reader = origin.reader(origin.size.saturating_sub(66_000));
    reader
        .read_to_end(&mut tail)
        .map_err(|cause| origin.read_error(cause))?;
    let number = |at: usize, length: usize| -> Option<u64> {
        let bytes = tail.get(at..at + length)?;
        Some(
            bytes
                .iter()
                .rev()
                .fold(0, |sum, byte| sum << 8 | u64::from(*byte)),
        )
    };
    let Some(end) = memchr::memmem::rfind(&tail, b"PK\x05\x06") else {
        return Ok(None);
    };
    Ok(match number(end + 12, 4) {
        Some(length) if length == u64::from(u32::MAX) => {
            memchr::memmem::rfind(&tail, b"PK\x06\x06").and_then(|end| number(end + 40, 8))
        }
        length => length,
    })
}

fn is_of_a_workbook(name: &str) -> bool {
    let name = name.trim_start_matches('/').to_ascii_lowercase();
    name == "[content_types].xml" || name == "content.xml" || name.starts_with("xl/")
}

/// What some systems add to an archive without being asked.
fn is_by_the_way(name: &str) -> bool {
    let last = name.rsplit('/').next().unwrap_or(name);
    name.starts_with("__MACOSX/") || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}
