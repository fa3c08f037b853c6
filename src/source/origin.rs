//! Where an input's bytes come from: a file, or standard input kept in an anonymous file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;
use super::packing::{self, Packing};
use super::unpack::{self, Bytes, Unpacker};

/// One input as named on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A file.
    Path(PathBuf),
    /// Standard input.
    Stdin,
}

impl Input {
    /// Reads a command-line argument: `-` is standard input, all else a path.
    pub fn parse(text: &str) -> Self {
        Self::of(std::ffi::OsStr::new(text))
    }

    /// The same of an argument in whatever encoding.
    pub fn of(argument: &std::ffi::OsStr) -> Self {
        if argument == "-" {
            Self::Stdin
        } else {
            Self::Path(PathBuf::from(argument))
        }
    }

    /// The file as the user named it, or `stdin`.
    pub fn name(&self) -> String {
        match self {
            Self::Path(path) => path.display().to_string(),
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// The file's name without folder and extension, or `stdin`: what names of results are made of.
    /// Of `clients.csv.gz` it is `clients`.
    pub fn stem(&self) -> String {
        match self {
            Self::Path(path) => {
                let stem = |path: &Path| path.file_stem().map(PathBuf::from);
                let mut name = stem(path).unwrap_or_else(|| PathBuf::from("input"));
                if ending(path).is_some_and(|ending| PACKED_ENDINGS.contains(&ending.as_str()))
                    && ending(&name).is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
                {
                    name = stem(&name).unwrap_or(name);
                }
                name.to_string_lossy().into_owned()
            }
            Self::Stdin => "stdin".to_owned(),
        }
    }

    /// The folder where results stand: the file's own, or the current one for standard input.
    pub fn folder(&self) -> PathBuf {
        match self {
            Self::Path(path) => match path.parent() {
                Some(parent) if parent != Path::new("") => parent.to_owned(),
                _ => PathBuf::from("."),
            },
            Self::Stdin => PathBuf::from("."),
        }
    }
}

/// How the names of tables end.
pub const ENDINGS: &[&str] = &[
    "csv", "tsv", "txt", "tab", "xlsx", "xlsm", "xlsb", "xls", "ods",
];

/// How the names of packed tables end.
const PACKED_ENDINGS: &[&str] = &["gz", "zst", "zip"];

/// What follows the last full stop of a file's name, in small letters.
fn ending(path: &Path) -> Option<String> {
    Some(path.extension()?.to_str()?.to_ascii_lowercase())
}

/// Whether a file's name says that it holds a table, packed or not.
pub fn is_table_name(path: &Path) -> bool {
    match ending(path).as_deref() {
        Some("zip") => true,
        Some(last) if PACKED_ENDINGS.contains(&last) => {
            let inner = path.file_stem().map(Path::new).and_then(ending);
            inner.is_some_and(|inner| ENDINGS.contains(&inner.as_str()))
        }
        Some(last) => ENDINGS.contains(&last),
        None => false,
    }
}

/// An opened input: it can be read from the start as often as needed, also while another reading
/// is under way, and stays the same file if its name is given to another one meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) name: String,
    /// Size of the file, in bytes; packed as it is.
    pub(super) size: u64,
    /// How it is packed, where it is.
    pub(super) packing: Option<Packing>,
    file: Arc<File>,
}

impl Origin {
    pub(super) fn open(input: &Input) -> Result<Self, SourceError> {
        let name = input.name();
        let file = match input {
            Input::Stdin => spool(io::stdin().lock())?,
            Input::Path(path) => {
                let cannot = |cause| SourceError::Open {
                    name: name.clone(),
                    cause,
                };
                // Asked before opening: opening a folder succeeds on some systems.
                let kind = std::fs::metadata(path).map_err(cannot)?;
                if kind.is_dir() {
                    return Err(SourceError::Folder { name });
                }
                let file = File::open(path).map_err(cannot)?;
                // A pipe can be read only once.
                if kind.is_file() { file } else { spool(file)? }
            }
        };
        let size = file
            .metadata()
            .map_err(|cause| SourceError::Open {
                name: name.clone(),
                cause,
            })?
            .len();
        let mut origin = Self {
            name,
            size,
            packing: None,
            file: Arc::new(file),
        };
        origin.packing = packing::packing(&origin)?;
        if origin.packing.is_none() {
            return Ok(origin);
        }
        let start = origin.start(512)?;
        packing::check_inner(&origin, &start)?;
        // The parts of a workbook are read in any order.
        if start.starts_with(b"PK\x03\x04") || start.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
            let file = unpack::spooled(&origin)?;
            origin.size = file
                .metadata()
                .map_err(|cause| SourceError::Spool { cause })?
                .len();
            origin.file = Arc::new(file);
            origin.packing = None;
        }
        Ok(origin)
    }

    /// The bytes from `position` on, unpacked where the file is packed.
    pub(super) fn bytes(&self, position: u64) -> Bytes {
        match self.packing {
            None => Bytes::Plain(self.reader(position)),
            Some(packing) => {
                let mut unpacker = Unpacker::new(self, packing);
                // Where this fails, the next reading fails too.
                let _ = io::copy(&mut (&mut unpacker).take(position), &mut io::sink());
                Bytes::Packed(Box::new(unpacker))
            }
        }
    }

    /// Unpacks the file once, so that a damaged one is told before any row of it is used.
    ///
    /// # Errors
    /// Where it is cut off or damaged.
    pub(super) fn verify(&self) -> Result<(), SourceError> {
        if self.packing.is_some() {
            io::copy(&mut self.bytes(0), &mut io::sink())
                .map_err(|cause| self.read_error(cause))?;
        }
        Ok(())
    }

    /// A reader of the file as it stands, from the byte at `position`, independent of all others.
    pub(super) fn reader(&self, position: u64) -> FileReader {
        FileReader {
            file: Arc::clone(&self.file),
            position,
            size: self.size,
        }
    }

    /// The first bytes, at most `limit`, unpacked.
    pub(super) fn start(&self, limit: usize) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        self.bytes(0)
            .take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(|cause| self.read_error(cause))?;
        Ok(bytes)
    }

    pub(super) fn read_error(&self, cause: io::Error) -> SourceError {
        if let Some(fault) = cause
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<unpack::Fault>())
        {
            return SourceError::Packed {
                name: self.name.clone(),
                what: fault.to_string(),
            };
        }
        SourceError::Read {
            name: self.name.clone(),
            cause,
        }
    }
}

fn spool(mut from: impl Read) -> Result<File, SourceError> {
    let spool = |cause| SourceError::Spool { cause };
    let mut file = tempfile::tempfile().map_err(spool)?;
    io::copy(&mut from, &mut file).map_err(spool)?;
    Ok(file)
}

/// Reads at its own position, so that readers of one file do not disturb each other.
#[derive(Debug)]
pub(super) struct FileReader {
    file: Arc<File>,
    position: u64,
    size: u64,
}

impl FileReader {
    /// Where it stands, in bytes from the start of the file.
    pub(super) fn position(&self) -> u64 {
        self.position
    }
}

impl Read for FileReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        #[cfg(unix)]
        let read = std::os::unix::fs::FileExt::read_at(&*self.file, buffer, self.position)?;
        #[cfg(windows)]
        let read = std::os::windows::fs::FileExt::seek_read(&*self.file, buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl Seek for FileReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, offset) = match to {
            SeekFrom::Start(position) => {
                self.position = position;
                return Ok(position);
            }
            SeekFrom::End(offset) => (self.size, offset),
            SeekFrom::Current(offset) => (self.position, offset),
        };
        self.position = base.checked_add_signed(offset).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a position before the start")
        })?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_have_names_stems_and_folders() {
        for (text, name, stem, folder) in [
            ("-", "stdin", "stdin", "."),
            ("clients.csv", "clients.csv", "clients", "."),
            (
                "a/b/clients.v2.xlsx",
                "a/b/clients.v2.xlsx",
                "clients.v2",
                "a/b",
            ),
            ("/x", "/x", "x", "/"),
            ("clients.csv.gz", "clients.csv.gz", "clients", "."),
            ("clients.v2.GZ", "clients.v2.GZ", "clients.v2", "."),
            ("clients.XLSX.Zip", "clients.XLSX.Zip", "clients", "."),
            ("a/clients.zip", "a/clients.zip", "clients", "a"),
            ("a.csv.csv", "a.csv.csv", "a.csv", "."),
        ] {
            let input = Input::parse(text);
            assert_eq!(input.name(), name);
            assert_eq!(input.stem(), stem);
            assert_eq!(input.folder(), PathBuf::from(folder));
        }
    }

    #[test]
    fn readers_are_independent() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        std::fs::write(&path, "0123456789").unwrap();
        let origin = Origin::open(&Input::Path(path)).unwrap();
        let (mut a, mut b) = (origin.reader(0), origin.reader(5));
        let mut two = [0; 2];
        a.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"01");
        b.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"56");
        a.read_exact(&mut two).unwrap();
        assert_eq!(&two, b"23");
        a.seek(SeekFrom::End(-1)).unwrap();
        assert_eq!(a.read(&mut two).unwrap(), 1);
        assert!(a.seek(SeekFrom::Current(-20)).is_err());
    }

    #[test]
    fn a_folder_and_a_missing_file_get_a_sentence() {
        let folder = tempfile::tempdir().unwrap();
        let error = Origin::open(&Input::Path(folder.path().to_owned())).unwrap_err();
        assert!(error.to_string().contains("is a folder"), "{error}");
        let error = Origin::open(&Input::Path(folder.path().join("no"))).unwrap_err();
        assert!(error.to_string().contains("cannot be opened"), "{error}");
    }
}
