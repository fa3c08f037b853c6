//! The parts of a workbook that is a ZIP archive, and how they hang together.

use std::collections::HashMap;
use std::io::{self, Read, Take};

use flate2::Crc;
use flate2::read::DeflateDecoder;
use zip::{CompressionMethod, ZipArchive};

use super::origin::{FileReader, Origin};
use super::xml::{Token, Xml};

/// Parts that are read wholly: styles, relations, lists of sheets.
const LARGEST_SMALL: u64 = 64 << 20;

/// An opened archive.
pub(super) struct Package {
    origin: Origin,
    archive: ZipArchive<FileReader>,
    /// Indexes of the parts by their names in lower case, since writers differ in it.
    places: HashMap<String, usize>,
}

fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

impl Package {
    pub(super) fn open(origin: &Origin) -> io::Result<Self> {
        let archive = ZipArchive::new(origin.reader(0))
            .map_err(|error| malformed(format!("its list of parts cannot be read: {error}")))?;
        let mut places = HashMap::new();
        for (index, name) in archive.file_names_raw().enumerate() {
            let name = String::from_utf8_lossy(name).replace('\\', "/");
            places.insert(name.trim_start_matches('/').to_ascii_lowercase(), index);
        }
        Ok(Self {
            origin: origin.clone(),
            archive,
            places,
        })
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.places.contains_key(&name.to_ascii_lowercase())
    }

    /// A reader of a part; `None` where there is no such part.
    ///
    /// # Errors
    /// Where the part cannot be found at its place, is enciphered, or packed in an unusual way.
    pub(super) fn part(&mut self, name: &str) -> io::Result<Option<Part>> {
        let Some(&index) = self.places.get(&name.to_ascii_lowercase()) else {
            return Ok(None);
        };
        let wrong = |error| malformed(format!("its part {name} cannot be read: {error}"));
        let file = self.archive.by_index_raw(index).map_err(wrong)?;
        if file.encrypted() {
            return Err(malformed(format!("its part {name} is enciphered")));
        }
        let start = file
            .data_start()
            .ok_or_else(|| malformed(format!("its part {name} is missing")))?;
        let packed = self.origin.reader(start).take(file.compressed_size());
        let bytes = match file.compression() {
            CompressionMethod::Stored => Bytes::Stored(packed),
            CompressionMethod::Deflated => Bytes::Deflated(Box::new(DeflateDecoder::new(packed))),
            other => {
                return Err(malformed(format!(
                    "its part {name} is packed by {other}, which no spreadsheet program uses"
                )));
            }
        };
        Ok(Some(Part {
            name: name.to_owned(),
            left: file.size(),
            expected: file.crc32(),
            sum: Crc::new(),
            bytes,
        }))
    }

    /// A part wholly; `None` where there is no such part.
    pub(super) fn whole(&mut self, name: &str) -> io::Result<Option<Vec<u8>>> {
        let Some(part) = self.part(name)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        part.take(LARGEST_SMALL + 1).read_to_end(&mut bytes)?;
        if bytes.len() as u64 > LARGEST_SMALL {
            return Err(malformed(format!("its part {name} has more than 64 MiB")));
        }
        Ok(Some(bytes))
    }

    /// What a part says of others (ECMA-376 part 2, 9.3).
    pub(super) fn relations(&mut self, of: &str) -> io::Result<Vec<Relation>> {
        let (folder, file) = of.rsplit_once('/').unwrap_or(("", of));
        let path = format!("{folder}/_rels/{file}.rels");
        let mut relations = Vec::new();
        let Some(bytes) = self.whole(path.trim_start_matches('/'))? else {
            return Ok(relations);
        };
        let mut xml = Xml::new(&bytes[..]);
        while let Some(token) = xml.next()? {
            if let Token::Open(tag) = token
                && tag.name == b"Relationship"
                && tag.get(b"TargetMode") != Some(b"External")
                && let (Some(id), Some(kind), Some(target)) =
                    (tag.text(b"Id"), tag.text(b"Type"), tag.text(b"Target"))
            {
                relations.push(Relation {
                    id,
                    kind: kind.rsplit('/').next().unwrap_or_default().to_owned(),
                    target: resolve(folder, &target),
                });
            }
        }
        Ok(relations)
    }

    /// The path of the part that lists the sheets.
    pub(super) fn workbook(&mut self) -> io::Result<String> {
        let relations = self.relations("")?;
        Ok(relations
            .into_iter()
            .find(|relation| relation.kind == "officeDocument")
            .map_or_else(|| "xl/workbook.xml".to_owned(), |relation| relation.target))
    }
}

/// One part named by another.
#[derive(Debug, Clone)]
pub(super) struct Relation {
    pub(super) id: String,
    /// The last word of its type, the same in the strict and the transitional form.
    pub(super) kind: String,
    /// Its path in the archive.
    pub(super) target: String,
}

fn resolve(folder: &str, target: &str) -> String {
    let joined = match target.strip_prefix('/') {
        Some(absolute) => absolute.to_owned(),
        None => format!("{folder}/{target}"),
    };
    let mut path: Vec<&str> = Vec::new();
    for step in joined.split('/') {
        match step {
            "" | "." => {}
            ".." => {
                path.pop();
            }
            step => path.push(step),
        }
    }
    path.join("/")
}

enum Bytes {
    Stored(Take<FileReader>),
    Deflated(Box<DeflateDecoder<Take<FileReader>>>),
}

/// The bytes of one part: no more than the archive says, and with the checksum that it says.
pub(super) struct Part {
    name: String,
    left: u64,
    expected: u32,
    sum: Crc,
    bytes: Bytes,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let read = match &mut self.bytes {
            Bytes::Stored(bytes) => bytes.read(buffer),
            Bytes::Deflated(bytes) => bytes.read(buffer),
        }
        .map_err(|error| match error.kind() {
            io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => {
                malformed(format!("its part {} cannot be unpacked", self.name))
            }
            io::ErrorKind::UnexpectedEof => malformed(format!("its part {} is cut off", self.name)),
            _ => error,
        })?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            malformed(format!(
                "its part {} unpacks to more than the archive says",
                self.name
            ))
        })?;
        self.sum.update(&buffer[..read]);
        if read == 0 && (self.left > 0 || self.sum.sum() != self.expected) {
            return Err(malformed(format!(
                "its part {} does not have the checksum that the archive says",
                self.name
            )));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_resolved() {
        for (folder, target, expected) in [
            ("xl", "worksheets/sheet1.xml", "xl/worksheets/sheet1.xml"),
            ("xl", "/xl/styles.xml", "xl/styles.xml"),
            ("xl/worksheets", "../tables/t.xml", "xl/tables/t.xml"),
            ("", "xl/workbook.xml", "xl/workbook.xml"),
            ("", "../../../etc/passwd", "etc/passwd"),
        ] {
            assert_eq!(resolve(folder, target), expected);
        }
    }
}
