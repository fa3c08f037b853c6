//! A file that is written beside its final name, synced, and renamed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::{Builder, NamedTempFile, PersistError};

/// How the names of unfinished files begin and end.
const PREFIX: &str = ".rowferry-";
const SUFFIX: &str = ".part";
/// An unfinished file that nobody holds is left over by a killed run once it is this old.
const LEFT_OVER: Duration = Duration::from_secs(600);
/// How many names are tried before giving up.
const NAMES: u32 = 10_000;

/// A file that stands under its final name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where it stands: the wanted name, or the next free one.
    pub path: PathBuf,
    /// BLAKE3 of its bytes, by which a later run knows it as ours.
    pub hash: [u8; 32],
    /// What a person should know of it, as a sentence.
    pub note: Option<String>,
}

/// Who knows which files are ours: what we wrote there last, or were about to.
pub trait Ours {
    /// Whether a file at this path, with bytes of this BLAKE3, is one that we wrote.
    fn is_ours(&self, path: &Path, hash: [u8; 32]) -> bool;

    /// Notes that a file with these bytes is about to get this name. What was noted of that name
    /// before stays: should the process end now, either file is ours.
    fn about_to_write(&self, path: &Path, hash: [u8; 32]);
}

/// An unfinished file: mode 0600, gone when dropped.
#[derive(Debug)]
pub(super) struct Draft {
    file: BufWriter<NamedTempFile>,
    hasher: blake3::Hasher,
}

impl Draft {
    /// A new unfinished file in `folder`.
    pub(super) fn create(folder: &Path) -> io::Result<Self> {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        remove_left_over(folder);
        let file = Builder::new()
            .prefix(PREFIX)
            .suffix(SUFFIX)
            .tempfile_in(folder)
            .map_err(|error| nothing_in(folder, &error))?;
        // The lock dies with the process: it tells a file in work from one left over. Where a file
        // system has no locks the file is known by its age alone.
        let _ = file.as_file().try_lock();
        Ok(Self {
            file: BufWriter::with_capacity(1 << 16, file),
            hasher: blake3::Hasher::new(),
        })
    }

    /// The folder it stands in.
    pub(super) fn folder(&self) -> PathBuf {
        let path = self.file.get_ref().path();
        path.parent().unwrap_or(Path::new(".")).to_owned()
    }

    /// A reader of what was written so far, from the start.
    pub(super) fn reread(&mut self) -> io::Result<File> {
        self.file.flush()?;
        let mut file = self.file.get_ref().reopen()?;
        file.rewind()?;
        Ok(file)
    }

    /// Syncs it and gives it the wanted name, or the next free one where a file stands there
    /// that is neither ours nor the same byte for byte. It is noted as ours first, so that a process
    /// that ends right after leaves no file that nobody knows.
    pub(super) fn finish(mut self, wanted: &Path, ours: &dyn Ours) -> io::Result<Written> {
        self.file.flush()?;
        let hash = *self.hasher.finalize().as_bytes();
        let mut draft = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        draft.as_file().sync_all()?;
        for number in 1..=NAMES {
            let path = numbered(wanted, number);
            let replaceable = hash_of(&path)?.map(|there| {
                there.is_some_and(|there| there == hash || ours.is_ours(&path, there))
            });
            if replaceable != Some(false) {
                ours.about_to_write(&path, hash);
            }
            let done = match replaceable {
                Some(false) => continue,
                Some(true) => draft.persist(&path).map(drop),
                None => place_new(draft, &path),
            };
            match done {
                Ok(()) => {
                    sync_folder(&path);
                    return Ok(Written {
                        path,
                        hash,
                        note: None,
                    });
                }
                // Another process took the name in between.
                Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => {
                    draft = failed.file;
                }
                Err(failed) => return Err(failed.error),
            }
        }
        Err(io::Error::new(
            io::ErrorKind::AlreadyExists,
            format!("no free name for {}", wanted.display()),
        ))
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// That no file can be made in a folder. The name of the unfinished file would say nothing to anybody.
fn nothing_in(folder: &Path, error: &io::Error) -> io::Error {
    let folder = match folder.strip_prefix(".") {
        Ok(rest) if rest.as_os_str().is_empty() => "this folder".to_owned(),
        _ => format!("the folder {}", folder.display()),
    };
    let kind = error.kind();
    io::Error::new(kind, format!("no file can be made in {folder} ({kind})"))
}

/// Renames where no file of that name stands.
fn place_new(draft: NamedTempFile, path: &Path) -> Result<(), PersistError> {
    match draft.persist_noclobber(path) {
        Ok(_) => Ok(()),
        Err(failed) if failed.error.kind() == io::ErrorKind::AlreadyExists => Err(failed),
        // Some file systems can neither rename without replacing nor link.
        Err(failed) => match fs::symlink_metadata(path) {
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                failed.file.persist(path).map(drop)
            }
            _ => Err(failed),
        },
    }
}

/// `clients.rejects.csv`, then `clients.rejects-2.csv`, `clients.rejects-3.csv`, …
fn numbered(wanted: &Path, number: u32) -> PathBuf {
    if number == 1 {
        return wanted.to_owned();
    }
    let mut name: OsString = wanted.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{number}"));
    if let Some(extension) = wanted.extension() {
        name.push(".");
        name.push(extension);
    }
    wanted.with_file_name(name)
}

/// `None` where nothing has that name, `Some(None)` where it is no file whose bytes could be ours.
fn hash_of(path: &Path) -> io::Result<Option<Option<[u8; 32]>>> {
    match fs::symlink_metadata(path) {
        Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(other) => return Err(other),
        Ok(there) if !there.is_file() => return Ok(Some(None)),
        Ok(_) => {}
    }
    let mut hasher = blake3::Hasher::new();
    // A file that we may not read is not ours.
    let hashed = File::open(path).and_then(|file| hasher.update_reader(file).map(drop));
    Ok(Some(hashed.ok().map(|()| *hasher.finalize().as_bytes())))
}

/// Removes the file of that name if it is, byte for byte, one that we wrote.
///
/// # Errors
/// The file is ours and cannot be removed.
pub fn remove_own(wanted: &Path, ours: &dyn Ours) -> io::Result<()> {
    if let Some(Some(there)) = hash_of(wanted)?
        && ours.is_ours(wanted, there)
    {
        fs::remove_file(wanted)?;
    }
    Ok(())
}

/// Makes a rename durable, where the system can.
fn sync_folder(path: &Path) {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    // The name is there; that some file systems cannot sync a folder is no failure of ours.
    if let Ok(folder) = File::open(folder) {
        let _ = folder.sync_all();
    }
}

/// Removes what killed runs left: it holds customers' data. Failures leave it where it is.
fn remove_left_over(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let Some(name) = name.to_str() else { continue };
        if !(name.starts_with(PREFIX) && name.ends_with(SUFFIX)) {
            continue;
        }
        let Ok(metadata) = entry.metadata() else {
            continue;
        };
        let old = metadata
            .modified()
            .ok()
            .and_then(|at| SystemTime::now().duration_since(at).ok())
            .is_some_and(|age| age > LEFT_OVER);
        if !(metadata.is_file() && old) {
            continue;
        }
        if let Ok(file) = File::open(entry.path())
            && file.try_lock().is_ok()
        {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Fills a buffer as far as there is something to read.
pub(super) fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
