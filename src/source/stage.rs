//! An archive that exists only while it is read: what is put before `calamine` instead of the
//! user's file.
//!
//! `calamine` takes all shared texts of a workbook into memory when it opens it, and reads the
//! parts of an archive as they come. So the archive it opens is made here: it has no shared
//! texts, one sheet whose bytes are produced while they are read, and the user's styles. The
//! sheet is one that was read and written anew, so that no odd part of a file reaches `calamine`.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::{Arc, Mutex, PoisonError};

/// So many bytes are worth handing over.
pub(super) const PIECE: usize = 64 * 1024;

/// What produces a sheet.
pub(super) trait Script: Send {
    /// Adds the next bytes, about [`PIECE`]; says whether there may be more.
    fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool>;
}

/// The length that the archive says the sheet has; reading ends with the sheet.
const LENGTH: u64 = 0xF000_0000;

/// What a stage and its director both hold.
#[derive(Default)]
struct Desk {
    next: Option<Box<dyn Script>>,
    failure: Option<io::Error>,
}

/// The end of the sheet's bytes, which is looked at when the list of parts is searched for, and
/// which no sheet reaches: zeros.
const UNUSED: u64 = 1 << 20;

type Shared = Arc<Mutex<Desk>>;

/// The archive as a file.
pub(super) struct Stage {
    /// All that stands before the sheet's bytes, and all that stands after them.
    before: Vec<u8>,
    after: Vec<u8>,
    position: u64,
    /// What comes next is put here before the sheet is opened.
    next: Shared,
    script: Option<Box<dyn Script>>,
    /// Bytes produced and not taken, and the place of the next one in the sheet.
    produced: Vec<u8>,
    taken: usize,
    place: u64,
}

/// Says which sheet the archive has.
pub(super) struct Director(Shared);

impl Director {
    /// The sheet that is read when it is opened next.
    pub(super) fn cue(&self, script: Box<dyn Script>) {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desk.next = Some(script);
        desk.failure = None;
    }

    /// Why the sheet could not be produced, in its own words, if that was so.
    pub(super) fn failure(&self) -> Option<io::Error> {
        let mut desk = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        desk.failure.take()
    }
}

impl Stage {
    /// An archive with these parts, and the sheet under this name.
    pub(super) fn new(parts: &[(&str, &[u8])], sheet: &str) -> (Self, Director) {
        let mut before = Vec::new();
        let mut list = Vec::new();
        for (name, bytes) in parts {
            let mut sum = flate2::Crc::new();
            sum.update(bytes);
            entry(&mut before, &mut list, name, bytes.len() as u32, sum.sum());
            before.extend_from_slice(bytes);
        }
        entry(&mut before, &mut list, sheet, LENGTH as u32, 0);
        // The end of the list (APPNOTE.TXT 4.3.16).
        let count = (parts.len() as u16 + 1).to_le_bytes();
        let mut after = list;
        let length = after.len() as u32;
        after.extend_from_slice(b"PK\x05\x06\0\0\0\0");
        after.extend_from_slice(&count);
        after.extend_from_slice(&count);
        after.extend_from_slice(&length.to_le_bytes());
        after.extend_from_slice(&((before.len() as u64 + LENGTH) as u32).to_le_bytes());
        after.extend_from_slice(&[0, 0]);
        let next = Shared::default();
        let stage = Self {
            before,
            after,
            position: 0,
            next: Arc::clone(&next),
            script: None,
            produced: Vec::new(),
            taken: 0,
            place: 0,
        };
        (stage, Director(next))
    }

    fn size(&self) -> u64 {
        self.before.len() as u64 + LENGTH + self.after.len() as u64
    }

    fn sheet(&mut self, place: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if place == 0 {
            let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(script) = next.next.take() {
                self.script = Some(script);
                self.produced.clear();
                self.taken = 0;
                self.place = 0;
            }
        }
        if place >= LENGTH - UNUSED {
            let count = buffer.len().min((LENGTH - place) as usize);
            buffer[..count].fill(0);
            return Ok(count);
        }
        if place != self.place {
            return Err(io::Error::other("a sheet is read from its start only"));
        }
        while self.taken == self.produced.len() {
            self.produced.clear();
            self.taken = 0;
            let Some(script) = &mut self.script else {
                return Ok(0);
            };
            match script.play(&mut self.produced) {
                Ok(true) => {}
                Ok(false) => self.script = None,
                Err(error) => {
                    let told = io::Error::new(error.kind(), error.to_string());
                    let mut desk = self.next.lock().unwrap_or_else(PoisonError::into_inner);
                    desk.failure = Some(error);
                    return Err(told);
                }
            }
        }
        let rest = &self.produced[self.taken..];
        let count = rest.len().min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.taken += count;
        self.place += count as u64;
        Ok(count)
    }
}

/// Adds a part's own header (APPNOTE.TXT 4.3.7) and its line in the list (4.3.12): stored as it
/// is, made in 1980.
fn entry(before: &mut Vec<u8>, list: &mut Vec<u8>, name: &str, size: u32, sum: u32) {
    let offset = (before.len() as u32).to_le_bytes();
    let mut common = vec![20, 0, 0, 0, 0, 0, 0, 0, 33, 0];
    common.extend_from_slice(&sum.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&size.to_le_bytes());
    common.extend_from_slice(&(name.len() as u16).to_le_bytes());
    common.extend_from_slice(&[0, 0]);
    before.extend_from_slice(b"PK\x03\x04");
    before.extend_from_slice(&common);
    before.extend_from_slice(name.as_bytes());
    list.extend_from_slice(b"PK\x01\x02\x14\0");
    list.extend_from_slice(&common);
    list.extend_from_slice(&[0; 10]);
    list.extend_from_slice(&offset);
    list.extend_from_slice(name.as_bytes());
}

impl Read for Stage {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let start = self.before.len() as u64;
        let count = if self.position < start {
            copy(&self.before[self.position as usize..], buffer)
        } else if self.position < start + LENGTH {
            self.sheet(self.position - start, buffer)?
        } else {
            let at = (self.position - start - LENGTH).min(self.after.len() as u64);
            copy(&self.after[at as usize..], buffer)
        };
        self.position += count as u64;
        Ok(count)
    }
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    to[..count].copy_from_slice(&from[..count]);
    count
}

impl Seek for Stage {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let place = match to {
            SeekFrom::Start(place) => Some(place),
            SeekFrom::End(offset) => self.size().checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = place.ok_or_else(|| io::Error::other("a position before the start"))?;
        Ok(self.position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Lines(u32);

    impl Script for Lines {
        fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
            self.0 -= 1;
            out.extend_from_slice(format!("line {}\n", self.0).as_bytes());
            Ok(self.0 > 0)
        }
    }

    #[test]
    fn an_archive_that_is_not_there_is_read() {
        let (stage, director) = Stage::new(&[("a.txt", b"first"), ("b/c.txt", b"")], "sheet");
        let mut archive = zip::ZipArchive::new(stage).unwrap();
        let mut text = String::new();
        let mut first = archive.by_name("a.txt").unwrap();
        first.read_to_string(&mut text).unwrap();
        assert_eq!(text, "first");
        drop(first);
        // Each time it is opened, the sheet is the one that was named last.
        for lines in [3, 2] {
            director.cue(Box::new(Lines(lines)));
            let mut start = vec![0; 14];
            let mut sheet = archive.by_name("sheet").unwrap();
            sheet.read_exact(&mut start).unwrap();
            let expected = format!("line {}\nline {}\n", lines - 1, lines - 2);
            assert_eq!(start, expected.as_bytes());
        }
    }
}
