//! What we last wrote, and where, whichever command and account wrote it: so that a reject or
//! results file of an earlier run is replaced, and one that a person has touched is not.
//!
//! One small text file in the state folder: a line a file, oldest first, with the BLAKE3 of the
//! file's path and that of its bytes. A file that is about to be renamed into place has a second
//! line until it is there. Where the registry cannot be read or written, nothing is known; the next
//! free name is taken then, which loses nothing.

use std::collections::HashSet;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blake3::{Hash, hash};
use tempfile::Builder;

use super::file::Ours;

/// The registry's file in the state folder.
const NAME: &str = "written";
/// The lock beside it.
const LOCK: &str = "written.lock";
/// The most files that are remembered; the oldest are forgotten first.
const MOST: usize = 4_096;
/// Bytes of a line: two hashes in hexadecimal, a space, a line end.
const LINE: usize = 2 * 64 + 2;
/// How often the lock is asked for, and how long is waited in between: it is held for milliseconds.
const ASKED: u32 = 100;
const PAUSE: Duration = Duration::from_millis(20);

/// Which files are ours to replace.
#[derive(Debug, Default)]
pub struct Registry {
    folder: Option<PathBuf>,
    /// Files that this run reads, or has written already: never replaced by it.
    kept: HashSet<PathBuf>,
}

impl Registry {
    /// The registry in this folder, which is made when there is something to remember; without a
    /// folder nothing is known. `inputs` are files that this run reads.
    pub fn new<'p>(folder: Option<PathBuf>, inputs: impl IntoIterator<Item = &'p Path>) -> Self {
        Self {
            folder,
            kept: inputs.into_iter().map(identity).collect(),
        }
    }

    /// Whether a file at this path, with bytes of this BLAKE3, is one that we wrote; `false` for one
    /// that this run reads or has written. `witness` is asked for the hash of what was written there,
    /// by the path that [`Registry::remember`] gives, should the registry not know the file.
    pub fn is_ours_or(
        &self,
        path: &Path,
        hash: [u8; 32],
        witness: impl FnOnce(&Path) -> Option<[u8; 32]>,
    ) -> bool {
        let path = identity(path);
        if self.kept.contains(&path) {
            return false;
        }
        self.knows(name_of(&path), hash) || witness(&path) == Some(hash)
    }

    fn knows(&self, name: Hash, bytes: [u8; 32]) -> bool {
        let wanted = (name, Hash::from_bytes(bytes));
        self.folder
            .as_deref()
            .is_some_and(|folder| read(folder).contains(&wanted))
    }

    /// Remembers what was written there; the path by which it is known.
    pub fn remember(&mut self, path: &Path, bytes: [u8; 32]) -> PathBuf {
        let path = identity(path);
        self.kept.insert(path.clone());
        if let Some(folder) = &self.folder {
            // Without this note a later run takes another name, which loses nothing.
            let _ = add(
                folder,
                name_of(&path),
                Hash::from_bytes(bytes),
                Others::Forgotten,
            );
        }
        path
    }
}

impl Ours for Registry {
    fn is_ours(&self, path: &Path, hash: [u8; 32]) -> bool {
        self.is_ours_or(path, hash, |_| None)
    }

    fn about_to_write(&self, path: &Path, hash: [u8; 32]) {
        if let Some(folder) = &self.folder {
            // As with `remember`, nothing is lost without this note.
            let name = name_of(&identity(path));
            let _ = add(folder, name, Hash::from_bytes(hash), Others::Kept);
        }
    }
}

/// What becomes of the other notes of a file.
#[derive(Clone, Copy, PartialEq)]
enum Others {
    Kept,
    Forgotten,
}

/// The path that all ways to a file share, the file itself not followed.
fn identity(path: &Path) -> PathBuf {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    match (
        absolute.parent().map(Path::canonicalize),
        absolute.file_name(),
    ) {
        (Some(Ok(folder)), Some(name)) => folder.join(name),
        _ => absolute,
    }
}

fn name_of(path: &Path) -> Hash {
    hash(path.as_os_str().as_encoded_bytes())
}

/// What is remembered, oldest first. Lines that are none of ours are passed over.
fn read(folder: &Path) -> Vec<(Hash, Hash)> {
    let mut text = Vec::new();
    let opened = File::open(folder.join(NAME));
    if opened
        .and_then(|file| file.take((2 * MOST * LINE) as u64).read_to_end(&mut text))
        .is_err()
    {
        return Vec::new();
    }
    let line = |line: &[u8]| {
        let (name, bytes) = line.split_at_checked(64)?;
        let name = Hash::from_hex(name).ok()?;
        let bytes = Hash::from_hex(bytes.strip_prefix(b" ")?).ok()?;
        Some((name, bytes))
    };
    text.split(|byte| *byte == b'\n').filter_map(line).collect()
}

fn add(folder: &Path, name: Hash, bytes: Hash, others: Others) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    builder.create(folder)?;
    let _lock = lock(folder)?;
    let mut known = read(folder);
    known.retain(|(other, noted)| *other != name || (others == Others::Kept && *noted != bytes));
    known.push((name, bytes));
    let from = known.len().saturating_sub(MOST);
    let mut text = String::with_capacity((known.len() - from) * LINE);
    for (name, bytes) in &known[from..] {
        text.push_str(&name.to_hex());
        text.push(' ');
        text.push_str(&bytes.to_hex());
        text.push('\n');
    }
    // Temporary files are made with mode 0600.
    let mut file = Builder::new().prefix(NAME).tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.persist(folder.join(NAME))?;
    Ok(())
}

/// The lock that keeps two processes from writing at once; it dies with its process. Where a file
/// system has no locks, the later of two notes stands.
fn lock(folder: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let file = options.open(folder.join(LOCK))?;
    for _ in 0..ASKED {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            Err(std::fs::TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            Err(std::fs::TryLockError::Error(error))
                if error.kind() == io::ErrorKind::Unsupported =>
            {
                return Ok(file);
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn registry(folder: &Path) -> Registry {
        Registry::new(Some(folder.join("state").join("rowferry")), [])
    }

    #[test]
    fn what_a_run_wrote_is_known_to_the_next_by_every_way_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        assert!(!registry(folder.path()).is_ours(&path, [1; 32]));
        registry(folder.path()).remember(&path, [1; 32]);
        registry(folder.path()).remember(&folder.path().join("b.csv"), [2; 32]);
        registry(folder.path()).remember(&path, [3; 32]);
        let known = registry(folder.path());
        assert!(known.is_ours(&path, [3; 32]));
        assert!(!known.is_ours(&path, [1; 32]), "that one was replaced");
        let around = folder.path().join("state").join("..").join("b.csv");
        assert!(known.is_ours(&around, [2; 32]));
        assert!(!known.is_ours(&folder.path().join("c.csv"), [2; 32]));
    }

    #[test]
    fn what_was_about_to_be_written_is_ours_beside_what_was_there_until_it_is_remembered() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        registry(folder.path()).remember(&path, [1; 32]);
        for _ in 0..2 {
            registry(folder.path()).about_to_write(&path, [2; 32]);
        }
        let known = registry(folder.path());
        assert!(known.is_ours(&path, [1; 32]) && known.is_ours(&path, [2; 32]));
        assert!(!known.is_ours(&path, [3; 32]));
        let state = folder.path().join("state").join("rowferry");
        assert_eq!(read(&state).len(), 2);
        registry(folder.path()).remember(&path, [2; 32]);
        let known = registry(folder.path());
        assert!(!known.is_ours(&path, [1; 32]) && known.is_ours(&path, [2; 32]));
    }

    #[test]
    fn a_run_replaces_neither_its_inputs_nor_what_it_wrote_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (input, output) = (folder.path().join("in.csv"), folder.path().join("out.csv"));
        let mut first = registry(folder.path());
        for path in [&input, &output] {
            first.remember(path, [1; 32]);
            assert!(!first.is_ours(path, [1; 32]));
        }
        let state = folder.path().join("state").join("rowferry");
        let second = Registry::new(Some(state), [input.as_path()]);
        assert!(!second.is_ours(&input, [1; 32]));
        assert!(second.is_ours(&output, [1; 32]));
    }

    #[test]
    fn the_oldest_are_forgotten_and_damage_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state").join("rowferry");
        let path = |number: usize| folder.path().join(number.to_string());
        let mut text = String::new();
        for number in 0..MOST {
            let name = name_of(&identity(&path(number)));
            text.push_str(&format!("{} {}\n", name.to_hex(), hash(b"").to_hex()));
        }
        std::fs::create_dir_all(&state).unwrap();
        std::fs::write(state.join(NAME), format!("\u{1}\n{text}0 1\nhalf")).unwrap();
        registry(folder.path()).remember(&path(MOST), [9; 32]);
        let known = registry(folder.path());
        let empty = *hash(b"").as_bytes();
        assert!(!known.is_ours(&path(0), empty));
        assert!(known.is_ours(&path(1), empty));
        assert!(known.is_ours(&path(MOST), [9; 32]));
        assert_eq!(read(&state).len(), MOST);
    }

    #[test]
    fn without_a_usable_folder_nothing_is_known_and_nothing_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, "").unwrap();
        for state in [None, Some(blocked.join("rowferry"))] {
            let mut registry = Registry::new(state, []);
            registry.about_to_write(&path, [1; 32]);
            assert!(!registry.is_ours(&path, [1; 32]));
            registry.remember(&path, [1; 32]);
            assert!(!registry.is_ours(&path, [1; 32]));
        }
    }

    #[test]
    fn many_writers_lose_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |number: u8| folder.path().join(number.to_string());
        std::thread::scope(|threads| {
            for number in 0..16 {
                let path = path(number);
                let root = folder.path();
                threads.spawn(move || drop(registry(root).remember(&path, [number; 32])));
            }
        });
        for number in 0..16 {
            assert!(registry(folder.path()).is_ours(&path(number), [number; 32]));
        }
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        registry(folder.path()).remember(&folder.path().join("a"), [1; 32]);
        let state = folder.path().join("state").join("rowferry");
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&state), 0o700);
        assert_eq!(mode(&state.join(NAME)), 0o600);
        assert_eq!(mode(&state.join(LOCK)), 0o600);
    }
}
