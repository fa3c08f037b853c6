//! An XLS file looked through before `calamine` reads it.
//!
//! `calamine` makes room for all cells between the outermost ones, of all sheets at once, and for
//! as many as a sheet says that it has. A file of a few bytes can so ask for more memory than
//! there is, which would end the program. So the records are gone through here first: what the
//! sheets say of their size is taken out, and a file whose cells lie too far apart is refused. On
//! the way the formats of numbers and the hidden rows are kept, which `calamine` does not tell.
//!
//! Numbers in brackets are sections of [MS-XLS].

use std::collections::{BTreeSet, HashMap};

use super::number::{self, NumberFormat};
use super::ole::{CUT, stream, u16_at, u32_at};
use super::sheet_xml::add_run;

/// So many cells are read, counting the empty ones between others, in all sheets together.
pub(super) const MOST_CELLS: u64 = 4_000_000;

/// What was found on the way, by sheet in the order of the file.
#[derive(Debug, Default)]
pub(super) struct Scan {
    pub(super) sheets: Vec<SheetScan>,
}

/// What was found in one sheet.
#[derive(Debug, Default)]
pub(super) struct SheetScan {
    /// Hidden rows as runs, from 1, both ends included.
    pub(super) hidden: Vec<(u64, u64)>,
    /// First and last column, and their width in 256ths of a character.
    pub(super) widths: Vec<(usize, usize, u32)>,
    /// The formats of number cells that are not shown as they are, by row and column from 0.
    formats: HashMap<(u16, u16), NumberFormat>,
    /// Formulas without a saved result, by row and column from 0.
    pub(super) no_result: BTreeSet<(u16, u16)>,
}

impl SheetScan {
    pub(super) fn has_no_result(&self, row: u32, column: u32) -> bool {
        !self.no_result.is_empty()
            && u16::try_from(row)
                .ok()
                .zip(u16::try_from(column).ok())
                .is_some_and(|place| self.no_result.contains(&place))
    }

    pub(super) fn format(&self, row: u32, column: u32) -> Option<&NumberFormat> {
        if self.formats.is_empty() {
            return None;
        }
        self.formats
            .get(&(u16::try_from(row).ok()?, u16::try_from(column).ok()?))
    }
}

/// Why the file is not read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    Enciphered,
    Malformed(&'static str),
    /// A sheet has its last cell in this row (from 1) and column (from 0).
    TooFar {
        row: u32,
        column: u32,
    },
}

/// Looks through a file and takes out of it what the sheets say of their size.
pub(super) fn scan(file: &mut [u8]) -> Result<Scan, Refused> {
    // A program that calculates says of itself in the file; an empty result of others is none.
    let summary: Vec<u8> = "SummaryInformation"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let mut calculates = memchr::memmem::find(file, &summary).is_some();
    let stream = stream(file)?;
    let bytes = &stream.bytes;
    let mut formats = Formats::default();
    let mut sheets = Vec::new();
    let mut first = true;
    for record in records(bytes, 0) {
        let (_, kind, data) = record;
        match kind {
            // FilePass (2.4.117)
            0x002F => return Err(Refused::Enciphered),
            // BOF (2.4.21)
            0x0809 if first => {
                first = false;
                formats.wide = u16_at(data, 0) == Some(0x0600);
            }
            // BoundSheet8 (2.4.28)
            0x0085 => sheets.push(u32_at(data, 0).ok_or(CUT)? as usize),
            0x041E => formats.add_code(data),
            0x00E0 => formats.add_style(data),
            0x000A => break,
            _ => {}
        }
    }
    if first {
        return Err(Refused::Malformed("it has no workbook in it"));
    }
    let styles = formats.styles();
    let mut scan = Scan::default();
    let mut cells = 0;
    let mut sizes = Vec::new();
    for start in sheets {
        let mut sheet = SheetScan::default();
        let mut outer = Outer::default();
        let (mut hidden, mut filled) = (BTreeSet::new(), BTreeSet::new());
        let (mut depth, mut begun) = (0usize, false);
        for (at, kind, data) in records(bytes, start) {
            // Charts within the sheet have records of their own.
            match kind {
                0x0809 if begun => depth += 1,
                0x0809 => begun = true,
                0x000A if depth == 0 => break,
                0x000A => depth -= 1,
                _ if depth > 0 => {}
                // Dimensions (2.4.90)
                0x0200 => sizes.push(at),
                // ColInfo (2.4.53)
                0x007D => {
                    if let (Some(first), Some(last), Some(width)) =
                        (u16_at(data, 0), u16_at(data, 2), u16_at(data, 4))
                    {
                        let place = (usize::from(first), usize::from(last));
                        sheet.widths.push((place.0, place.1, u32::from(width)));
                    }
                }
                // Row (2.4.220): the flag says that it is hidden.
                0x0208 => {
                    if let (Some(row), Some(flags)) = (u16_at(data, 0), u16_at(data, 12))
                        && flags & 0x20 != 0
                    {
                        hidden.insert(row);
                    }
                }
                // Number, Label, RString, BoolErr, RK, LabelSst, Formula
                0x0203 | 0x0204 | 0x00D6 | 0x0205 | 0x027E | 0x00FD | 0x0006 => {
                    if let (Some(row), Some(column), Some(style)) =
                        (u16_at(data, 0), u16_at(data, 2), u16_at(data, 4))
                    {
                        outer.add(row, column);
                        filled.insert(row);
                        if kind == 0x0006 {
                            // The result that stands for an empty text (2.5.133).
                            match data.get(6..14) {
                                Some([3, .., 0xFF, 0xFF]) if calculates => {}
                                Some([3, .., 0xFF, 0xFF]) => {
                                    sheet.no_result.insert((row, column));
                                }
                                _ => calculates = true,
                            }
                        }
                        if matches!(kind, 0x0203 | 0x027E | 0x0006)
                            && let Some(Some(format)) = styles.get(style as usize)
                        {
                            sheet.formats.insert((row, column), format.clone());
                        }
                    }
                }
                // MulRk (2.4.175)
                0x00BD => {
                    if let (Some(row), Some(from)) = (u16_at(data, 0), u16_at(data, 2))
                        && data.len() > 6
                    {
                        let packed = data[4..data.len() - 2].chunks_exact(6);
                        for (column, cell) in (u32::from(from)..).zip(packed) {
                            let Ok(column) = u16::try_from(column) else {
                                break;
                            };
                            outer.add(row, column);
                            filled.insert(row);
                            let style = u16_at(cell, 0).unwrap_or(0);
                            if let Some(Some(format)) = styles.get(style as usize) {
                                sheet.formats.insert((row, column), format.clone());
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        for row in hidden.intersection(&filled) {
            add_run(&mut sheet.hidden, u64::from(*row) + 1);
        }
        cells += outer.size();
        if cells > MOST_CELLS {
            return Err(Refused::TooFar {
                row: u32::from(outer.last.0) + 1,
                column: u32::from(outer.last.1),
            });
        }
        scan.sheets.push(sheet);
    }
    if calculates {
        scan.sheets
            .iter_mut()
            .for_each(|sheet| sheet.no_result.clear());
    }
    // An unused number in place of the record's own makes it one that is passed over.
    for at in sizes {
        for (byte, value) in [(at, 0xFE), (at + 1, 0x0F)] {
            if let Some(start) = stream.places.get(byte / stream.sector)
                && let Some(place) = file.get_mut(start + byte % stream.sector)
            {
                *place = value;
            }
        }
    }
    Ok(scan)
}

/// The records from a place on: place, type and data. A record that is cut off is the last.
fn records(bytes: &[u8], start: usize) -> impl Iterator<Item = (usize, u16, &[u8])> {
    let mut at = start;
    std::iter::from_fn(move || {
        let (kind, length) = (u16_at(bytes, at)?, u16_at(bytes, at + 2)?);
        let begin = at;
        let data = bytes.get(at + 4..at + 4 + usize::from(length))?;
        at += 4 + usize::from(length);
        Some((begin, kind, data))
    })
}

/// The outermost cells of a sheet.
#[derive(Default)]
struct Outer {
    first: Option<(u16, u16)>,
    last: (u16, u16),
}

impl Outer {
    fn add(&mut self, row: u16, column: u16) {
        let first = self.first.get_or_insert((row, column));
        *first = (first.0.min(row), first.1.min(column));
        self.last = (self.last.0.max(row), self.last.1.max(column));
    }

    fn size(&self) -> u64 {
        self.first.map_or(0, |first| {
            (u64::from(self.last.0 - first.0) + 1) * (u64::from(self.last.1 - first.1) + 1)
        })
    }
}

/// Codes of number formats, and which of them each style has.
#[derive(Default)]
struct Formats {
    wide: bool,
    codes: HashMap<u16, String>,
    styles: Vec<u16>,
}

impl Formats {
    /// Format (2.4.126): in files before 1997 the length has one byte and the text no flags.
    fn add_code(&mut self, data: &[u8]) {
        let Some(id) = u16_at(data, 0) else { return };
        let code = if self.wide {
            let wide = data.get(4).is_some_and(|flags| flags & 1 != 0);
            let text = data.get(5..).unwrap_or_default();
            if wide {
                encoding_rs::UTF_16LE
                    .decode_without_bom_handling(text)
                    .0
                    .into_owned()
            } else {
                encoding_rs::mem::decode_latin1(text).into_owned()
            }
        } else {
            encoding_rs::mem::decode_latin1(data.get(3..).unwrap_or_default()).into_owned()
        };
        self.codes.insert(id, code);
    }

    /// XF (2.4.353)
    fn add_style(&mut self, data: &[u8]) {
        self.styles.push(u16_at(data, 2).unwrap_or(0));
    }

    fn styles(&self) -> Vec<Option<NumberFormat>> {
        let style = |id: &u16| {
            let code = self.codes.get(id).map(String::as_str);
            NumberFormat::parse(code.or_else(|| number::built_in(*id))?)
        };
        self.styles.iter().map(style).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::super::ole::LOOP;
    use super::*;

    fn record(kind: u16, data: &[u8]) -> Vec<u8> {
        let mut record = kind.to_le_bytes().to_vec();
        record.extend_from_slice(&(data.len() as u16).to_le_bytes());
        record.extend_from_slice(data);
        record
    }

    /// A file with one sheet of these records.
    pub(crate) fn workbook(globals: &[Vec<u8>], sheet: &[Vec<u8>]) -> Vec<u8> {
        let bof = |kind: u16| {
            let mut data = vec![0, 6];
            data.extend_from_slice(&kind.to_le_bytes());
            data.extend_from_slice(&[0; 12]);
            record(0x0809, &data)
        };
        let mut stream = bof(5);
        stream.extend(globals.iter().flatten());
        let start = stream.len() as u32 + 4 + 8 + 1 + 4;
        let mut bound = start.to_le_bytes().to_vec();
        bound.extend_from_slice(&[0, 0, 1, 0, b'S']);
        stream.extend(record(0x0085, &bound));
        stream.extend(record(0x000A, &[]));
        assert_eq!(stream.len() as u32, start);
        stream.extend(bof(16));
        stream.extend(sheet.iter().flatten());
        stream.extend(record(0x000A, &[]));
        stream.resize(stream.len().max(4096).next_multiple_of(512), 0);
        let mut file = vec![0; 512];
        file[..8].copy_from_slice(&[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1]);
        for (at, value) in [(24, 0x3Eu16), (26, 3), (28, 0xFFFE), (30, 9), (32, 6)] {
            file[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        let end = 0xFFFF_FFFEu32;
        for (at, value) in [
            (44, 1u32),
            (48, 1),
            (56, 4096),
            (60, end),
            (68, end),
            (76, 0),
        ] {
            file[at..at + 4].copy_from_slice(&value.to_le_bytes());
        }
        file[80..512].fill(0xFF);
        let mut table = vec![0xFFFF_FFFDu32, end];
        let sectors = stream.len() / 512;
        table.extend((0..sectors as u32).map(|at| {
            if at + 1 == sectors as u32 {
                end
            } else {
                at + 3
            }
        }));
        table.resize(128, 0xFFFF_FFFF);
        file.extend(table.iter().flat_map(|number| number.to_le_bytes()));
        let mut folder = vec![0; 512];
        for (at, name, kind, first, size) in [
            (0, "Root Entry", 5u8, end, 0),
            (128, "Workbook", 2, 2, stream.len() as u32),
        ] {
            let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            folder[at..at + units.len()].copy_from_slice(&units);
            folder[at + 64] = units.len() as u8 + 2;
            folder[at + 66] = kind;
            folder[at + 68..at + 80].fill(0xFF);
            folder[at + 116..at + 120].copy_from_slice(&first.to_le_bytes());
            folder[at + 120..at + 124].copy_from_slice(&u32::to_le_bytes(size));
        }
        file.extend(folder);
        file.extend(stream);
        file
    }

    fn number_cell(row: u16, column: u16, style: u16, value: f64) -> Vec<u8> {
        let mut data = Vec::new();
        for part in [row, column, style] {
            data.extend_from_slice(&part.to_le_bytes());
        }
        data.extend_from_slice(&value.to_le_bytes());
        record(0x0203, &data)
    }

    #[test]
    fn formats_and_hidden_rows_are_found_and_sizes_taken_out() {
        let globals = [
            record(0x041E, &[164, 0, 5, 0, 0, b'0', b'0', b'0', b'0', b'0']),
            record(0x00E0, &[0, 0, 164, 0]),
        ];
        let mut hidden = vec![3, 0];
        hidden.extend_from_slice(&[0; 10]);
        hidden.extend_from_slice(&[0x20, 0, 0, 0]);
        let sheet = [
            record(0x0200, &[0xFF; 14]),
            record(0x0208, &hidden),
            number_cell(3, 1, 0, 1234.0),
        ];
        let mut file = workbook(&globals, &sheet);
        let scan = scan(&mut file).unwrap();
        assert_eq!(scan.sheets[0].hidden, [(4, 4)]);
        assert!(scan.sheets[0].format(3, 1).is_some());
        assert!(scan.sheets[0].format(3, 2).is_none());
        let mut again = file.clone();
        assert!(super::scan(&mut again).is_ok() && again == file);
        let mut book: calamine::Xls<_> = calamine::Reader::new(std::io::Cursor::new(file)).unwrap();
        let range = calamine::Reader::worksheet_range(&mut book, "S").unwrap();
        assert_eq!(range.start(), Some((3, 1)));
    }

    #[test]
    fn formulas_without_a_result_are_told_from_empty_results() {
        let formula = |row: u16, result: [u8; 8]| {
            let mut data = row.to_le_bytes().to_vec();
            data.extend_from_slice(&[1, 0, 0, 0]);
            data.extend_from_slice(&result);
            data.extend_from_slice(&[0; 8]);
            record(0x0006, &data)
        };
        let none = [3, 0, 0, 0, 0, 0, 0xFF, 0xFF];
        let bare = [number_cell(0, 0, 0, 1.0), formula(1, none)];
        let found = scan(&mut workbook(&[], &bare)).unwrap();
        assert!(found.sheets[0].has_no_result(1, 1) && !found.sheets[0].has_no_result(0, 0));
        let calculated = [formula(1, none), formula(2, 7f64.to_le_bytes())];
        let found = scan(&mut workbook(&[], &calculated)).unwrap();
        assert!(found.sheets[0].no_result.is_empty());
    }

    #[test]
    fn what_would_take_all_memory_is_refused() {
        let far = [
            number_cell(0, 0, 0, 1.0),
            number_cell(65_535, 65_535, 0, 1.0),
        ];
        assert_eq!(
            scan(&mut workbook(&[], &far)).unwrap_err(),
            Refused::TooFar {
                row: 65_536,
                column: 65_535
            }
        );
        let locked = [record(0x002F, &[1, 0, 1, 0])];
        assert_eq!(
            scan(&mut workbook(&locked, &[])).unwrap_err(),
            Refused::Enciphered
        );
        let file = workbook(&[], &far);
        for length in [0, 40, 511, 600, 1100, 1600] {
            assert!(scan(&mut file[..length].to_vec()).is_err(), "{length}");
        }
        // A chain of sectors that goes round.
        let mut file = workbook(&[], &[]);
        file[512 + 4 * 9..512 + 4 * 10].copy_from_slice(&2u32.to_le_bytes());
        assert_eq!(scan(&mut file).unwrap_err(), LOOP);
    }

    proptest::proptest! {
        #[test]
        fn any_changed_file_ends_well(changes in proptest::collection::vec((0usize..6000, 0u8..=255), 1..20)) {
            let mut file = workbook(&[], &[number_cell(0, 0, 0, 1.0)]);
            for (at, byte) in changes {
                let at = at % file.len();
                file[at] = byte;
            }
            let _ = scan(&mut file);
        }
    }
}
