//! Where an input's bytes come from: a file, or standard input kept in an anonymous file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::SourceError;

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
        if text == "-" {
            Self::Stdin
        } else {
            Self::Path(PathBuf::from(text))
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
    pub fn stem(&self) -> String {
        match self {
            Self::Path(path) => path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned())
                .unwrap_or_else(|| "input".to_owned()),
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

/// An opened input: it can be read from the start as often as needed, also while another reading
/// is under way, and stays the same file if its name is given to another one meanwhile.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    pub(super) name: String,
    pub(super) size: u64,
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
        Ok(Self {
            name,
            size,
            file: Arc::new(file),
        })
    }

    /// A reader from the byte at `position`, independent of all others.
    pub(super) fn reader(&self, position: u64) -> FileReader {
        FileReader {
            file: Arc::clone(&self.file),
            position,
            size: self.size,
        }
    }

    /// The first bytes, at most `limit`.
    pub(super) fn start(&self, limit: usize) -> Result<Vec<u8>, SourceError> {
        let mut bytes = Vec::new();
        self.reader(0)
            .take(limit as u64)
            .read_to_end(&mut bytes)
            .map_err(|cause| self.read_error(cause))?;
        Ok(bytes)
    }

    pub(super) fn read_error(&self, cause: io::Error) -> SourceError {
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
