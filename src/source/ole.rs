//! The stream of an XLS file's workbook, put together from the sectors of the file.
//!
//! Numbers in brackets are sections of [MS-CFB].

use super::biff::Refused;

pub(super) const CUT: Refused = Refused::Malformed("it is cut off");
pub(super) const LOOP: Refused = Refused::Malformed("its parts are not in order");

pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

pub(super) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

/// The stream of the workbook, and where its sectors stand in the file.
pub(super) struct Stream {
    pub(super) bytes: Vec<u8>,
    pub(super) places: Vec<usize>,
    pub(super) sector: usize,
}

/// The last numbers of sectors are marks (2.1).
const LAST_SECTOR: u32 = 0xFFFF_FFFA;

/// Follows a chain of sectors.
fn chain(table: &[u32], first: u32) -> Result<Vec<u32>, Refused> {
    let mut found = Vec::new();
    let mut next = first;
    while next < LAST_SECTOR {
        if found.len() >= table.len() {
            return Err(LOOP);
        }
        found.push(next);
        next = *table.get(next as usize).ok_or(CUT)?;
    }
    Ok(found)
}

fn numbers(bytes: &[u8]) -> impl Iterator<Item = u32> {
    bytes
        .chunks_exact(4)
        .map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]]))
}

/// Finds the stream of the workbook (2.2 to 2.6).
pub(super) fn stream(file: &[u8]) -> Result<Stream, Refused> {
    let shift = u16_at(file, 30)
        .filter(|shift| matches!(shift, 9 | 12))
        .ok_or(CUT)?;
    let sector = 1usize << shift;
    let place = |number: u32| (number as usize + 1) << shift;
    // The last sector of a file may be cut where its stream ends.
    let bytes = |number: u32| {
        let start = place(number);
        file.get(start..file.len().min(start + sector)).ok_or(CUT)
    };
    let most = file.len() / sector + 1;
    let mut lists: Vec<u32> = numbers(file.get(76..512).ok_or(CUT)?).collect();
    let mut next = u32_at(file, 68).ok_or(CUT)?;
    let mut seen = 0;
    while next < LAST_SECTOR {
        seen += 1;
        if seen > most {
            return Err(LOOP);
        }
        lists.extend(numbers(bytes(next)?));
        next = lists.pop().ok_or(CUT)?;
    }
    let mut table = Vec::new();
    for number in lists.into_iter().filter(|number| *number < LAST_SECTOR) {
        table.extend(numbers(bytes(number)?));
        if table.len() > most + 2 * sector {
            break;
        }
    }
    let joined = |first: u32| -> Result<Vec<u8>, Refused> {
        let mut joined = Vec::new();
        for number in chain(&table, first)? {
            joined.extend_from_slice(bytes(number)?);
        }
        Ok(joined)
    };
    let folder = joined(u32_at(file, 48).ok_or(CUT)?)?;
    let entry = |name: &str| {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        folder.chunks_exact(128).find(|entry| {
            entry.starts_with(&units) && entry[units.len()..units.len() + 2] == [0, 0]
        })
    };
    let book = entry("Workbook")
        .or_else(|| entry("Book"))
        .ok_or(Refused::Malformed("it has no workbook in it"))?;
    let first = u32_at(book, 116).ok_or(CUT)?;
    let size = u32_at(book, 120).ok_or(CUT)? as usize;
    let (places, sector) = if size < u32_at(file, 56).ok_or(CUT)? as usize {
        // Small streams lie in sectors of 64 bytes within the stream of the root.
        let root = folder.get(..128).ok_or(CUT)?;
        let roots = chain(&table, u32_at(root, 116).ok_or(CUT)?)?;
        let small: Vec<u32> = numbers(&joined(u32_at(file, 60).ok_or(CUT)?)?).collect();
        let mut places = Vec::new();
        for number in chain(&small, first)? {
            let at = number as usize * 64;
            let root = roots.get(at / sector).ok_or(CUT)?;
            places.push(place(*root) + at % sector);
        }
        (places, 64)
    } else {
        let sectors = chain(&table, first)?;
        (sectors.into_iter().map(place).collect(), sector)
    };
    let mut whole = Vec::with_capacity(places.len() * sector);
    for &start in &places {
        let end = file.len().min(start + sector);
        whole.extend_from_slice(file.get(start..end).ok_or(CUT)?);
    }
    whole.truncate(size);
    Ok(Stream {
        bytes: whole,
        places,
        sector,
    })
}
