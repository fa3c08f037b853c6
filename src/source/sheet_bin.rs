//! The binary parts of an XLSB file: its list of sheets, number formats, shared texts, and a sheet
//! written anew for `calamine` while it is read.
//!
//! Records are those of [MS-XLSB] 2.3; numbers in brackets are its sections.

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::Arc;

use super::number::NumberFormat;
use super::sheet_xml::{Survey, add_run, mark};
use super::stage::{self, Script};
use super::texts::Texts;
use crate::area::{Area, MOST_ROWS};

/// The longest record that is read; a cell holds 32,767 characters.
const LONGEST: usize = 8 << 20;

fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Reads records one after the other (2.1.4).
pub(super) struct Records<R> {
    input: io::BufReader<R>,
    data: Vec<u8>,
}

impl<R: Read> Records<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input: io::BufReader::with_capacity(64 * 1024, input),
            data: Vec::new(),
        }
    }

    fn byte(&mut self) -> io::Result<Option<u8>> {
        let mut byte = [0];
        Ok((self.input.read(&mut byte)? == 1).then_some(byte[0]))
    }

    /// The next record's type and data.
    pub(super) fn next(&mut self) -> io::Result<Option<(u16, &[u8])>> {
        let cut = || malformed("a part of it is cut off");
        let Some(low) = self.byte()? else {
            return Ok(None);
        };
        let kind = if low & 0x80 == 0 {
            u16::from(low)
        } else {
            u16::from(low & 0x7F) | u16::from(self.byte()?.ok_or_else(cut)? & 0x7F) << 7
        };
        let mut length = 0;
        for shift in [0, 7, 14, 21] {
            let byte = self.byte()?.ok_or_else(cut)?;
            length |= usize::from(byte & 0x7F) << shift;
            if byte & 0x80 == 0 {
                break;
            }
        }
        if length > LONGEST {
            return Err(malformed("a single text of it is longer than 8 MiB"));
        }
        self.data.resize(length, 0);
        self.input.read_exact(&mut self.data).map_err(|_| cut())?;
        Ok(Some((kind, &self.data)))
    }
}

fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(data.get(at..at + 2)?.try_into().ok()?))
}

fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(data.get(at..at + 4)?.try_into().ok()?))
}

fn f64_at(data: &[u8], at: usize) -> Option<f64> {
    Some(f64::from_le_bytes(data.get(at..at + 8)?.try_into().ok()?))
}

/// A text with its length before it (2.5.168), and the place after it.
fn wide(data: &[u8], at: usize) -> Option<(String, usize)> {
    let length = u32_at(data, at)? as usize;
    let end = (at + 4).checked_add(length.checked_mul(2)?)?;
    let units = data.get(at + 4..end)?;
    Some((
        encoding_rs::UTF_16LE
            .decode_without_bom_handling(units)
            .0
            .into_owned(),
        end,
    ))
}

/// The state of a sheet, its relation and its name.
pub(super) type SheetEntry = (u32, String, String);

/// What `workbook.bin` says: 1904, and what of each sheet.
pub(super) fn read_workbook(input: impl Read) -> io::Result<(bool, Vec<SheetEntry>)> {
    let mut records = Records::new(input);
    let (mut mac, mut sheets) = (false, Vec::new());
    while let Some((kind, data)) = records.next()? {
        match kind {
            // BrtWbProp (2.4.822)
            0x0099 => mac = data.first().is_some_and(|flags| flags & 1 != 0),
            // BrtBundleSh (2.4.304)
            0x009C => {
                sheets.extend(bundled(data, 8).or_else(|| bundled(data, 12)));
            }
            // BrtEndBundleShs
            0x0090 => break,
            _ => {}
        }
    }
    Ok((mac, sheets))
}

/// State, relation and name of a sheet in the list, where these two begin at a place: after the
/// sheet's number, and in files of the format's first versions after four further bytes.
fn bundled(data: &[u8], at: usize) -> Option<(u32, String, String)> {
    let (relation, at) = wide(data, at)?;
    let (name, end) = wide(data, at)?;
    // Read from the wrong place, a relation begins with its own length.
    let sound = end <= data.len() && !relation.contains(char::is_control);
    sound.then_some((u32_at(data, 0)?, relation, name))
}

/// The formats of number cells, by style, that `calamine` does not hand on.
pub(super) fn read_formats(input: impl Read) -> io::Result<Vec<Option<NumberFormat>>> {
    let mut records = Records::new(input);
    let mut codes = HashMap::new();
    let mut formats = Vec::new();
    let mut styles = false;
    while let Some((kind, data)) = records.next()? {
        match kind {
            // BrtFmt (2.4.661)
            0x002C => {
                if let (Some(id), Some((code, _))) = (u16_at(data, 0), wide(data, 2)) {
                    codes.insert(id, code);
                }
            }
            // BrtBeginCellXFs, BrtEndCellXFs
            0x0269 => styles = true,
            0x026A => break,
            // BrtXF (2.4.875); Excel has 65,490 at most.
            0x002F if styles && formats.len() > 1 << 17 => {
                return Err(malformed(
                    "it has more formats of cells than any spreadsheet program writes",
                ));
            }
            0x002F if styles => {
                let id = u16_at(data, 2).unwrap_or(0);
                let code = codes.get(&id).map(String::as_str);
                formats.push(NumberFormat::parse(
                    code.or_else(|| super::number::built_in(id))
                        .unwrap_or("General"),
                ));
            }
            _ => {}
        }
    }
    Ok(formats)
}

/// Reads `sharedStrings.bin`.
pub(super) fn read_texts(input: impl Read) -> io::Result<Texts> {
    let mut records = Records::new(input);
    let mut texts = Texts::new();
    while let Some((kind, data)) = records.next()? {
        // BrtSSTItem (2.4.818): flags, then the text.
        if kind == 0x0013 {
            let (text, _) = wide(data, 1).ok_or_else(|| malformed("a text of it is cut off"))?;
            texts.push(&text)?;
        }
    }
    texts.finish()?;
    Ok(texts)
}

/// Goes through a sheet part once for what it says beside its cells.
pub(super) fn survey(input: impl Read) -> io::Result<Survey> {
    let mut records = Records::new(input);
    let mut survey = Survey::default();
    let mut hidden = None;
    while let Some((kind, data)) = records.next()? {
        match kind {
            // BrtRowHdr (2.4.761): the row is hidden where its height is.
            0x0000 => {
                let flag = data.get(11).is_some_and(|flags| flags & 0x10 != 0);
                hidden = u32_at(data, 0).filter(|row| flag && *row < MOST_ROWS);
            }
            0x0002..=0x000B => {
                if let Some(row) = hidden {
                    add_run(&mut survey.hidden, u64::from(row) + 1);
                }
            }
            // BrtColInfo (2.4.331)
            0x003C => {
                if let (Some(first), Some(last), Some(width)) =
                    (u32_at(data, 0), u32_at(data, 4), u32_at(data, 8))
                    && width <= 255 * 256
                {
                    survey.widths.push((first as usize, last as usize, width));
                }
            }
            // BrtMergeCell (2.4.702)
            0x00B0 => {
                if let (Some(first), Some(last), Some(left), Some(right)) = (
                    u32_at(data, 0),
                    u32_at(data, 4),
                    u32_at(data, 8),
                    u32_at(data, 12),
                ) {
                    survey.merged.push(Area {
                        rows: (u64::from(first) + 1, u64::from(last) + 1),
                        columns: (left as usize, right as usize),
                    });
                }
            }
            _ => {}
        }
    }
    Ok(survey)
}

/// A sheet part under way.
pub(super) struct Sheet<R> {
    records: Records<R>,
    formats: Arc<Vec<Option<NumberFormat>>>,
    begun: bool,
    within: bool,
    row: Option<u32>,
}

impl<R: Read> Sheet<R> {
    pub(super) fn new(input: R, formats: Arc<Vec<Option<NumberFormat>>>) -> Self {
        Self {
            records: Records::new(input),
            formats,
            begun: false,
            within: false,
            row: None,
        }
    }
}

/// Writes a record (2.1.4).
fn write(out: &mut Vec<u8>, kind: u16, pieces: &[&[u8]]) {
    if kind < 0x80 {
        out.push(kind as u8);
    } else {
        out.extend_from_slice(&[(kind & 0x7F) as u8 | 0x80, (kind >> 7) as u8]);
    }
    let mut length: usize = pieces.iter().map(|piece| piece.len()).sum();
    loop {
        let byte = (length & 0x7F) as u8;
        length >>= 7;
        if length == 0 {
            out.push(byte);
            break;
        }
        out.push(byte | 0x80);
    }
    for piece in pieces {
        out.extend_from_slice(piece);
    }
}

/// The reader takes a text's first two bytes for a byte order mark where they may be one, as those
/// of our marks may: it gets one, which it takes off.
const ORDER: &[u8] = b"\xFF\xFE";

/// Writes a cell of text (BrtCellSt), given in UTF-16.
fn write_units(out: &mut Vec<u8>, cell: &[u8], units: &[u8]) {
    let length = (units.len() as u32 / 2 + 1).to_le_bytes();
    write(out, 0x0006, &[cell, &length, ORDER, units]);
}

fn write_text(out: &mut Vec<u8>, cell: &[u8], text: &str) {
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    write_units(out, cell, &units);
}

/// The number of a packed cell (2.5.122).
fn packed(data: &[u8]) -> Option<f64> {
    let bits = u32_at(data, 8)?;
    let value = if bits & 2 == 0 {
        f64::from_bits(u64::from(bits & !3) << 32)
    } else {
        f64::from((bits as i32) >> 2)
    };
    Some(if bits & 1 == 0 { value } else { value / 100.0 })
}

fn error_name(code: u8) -> &'static str {
    match code {
        0x00 => "#NULL!",
        0x07 => "#DIV/0!",
        0x0F => "#VALUE!",
        0x17 => "#REF!",
        0x1D => "#NAME?",
        0x24 => "#NUM!",
        0x2A => "#N/A",
        0x2B => "#GETTING_DATA",
        _ => "#ERROR!",
    }
}

impl<R: Read + Send> Script for Sheet<R> {
    fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        let cut = || malformed("a cell of it is cut off");
        if !self.begun {
            self.begun = true;
            // BrtWsDim, BrtBeginSheetData
            write(out, 0x0094, &[&[0; 16]]);
            write(out, 0x0091, &[]);
        }
        while out.len() < stage::PIECE {
            let Some((kind, data)) = self.records.next()? else {
                return Err(malformed("a sheet of it is cut off"));
            };
            match kind {
                0x0091 => self.within = true,
                // BrtEndSheetData
                0x0092 => {
                    write(out, 0x0092, &[]);
                    return Ok(false);
                }
                _ if !self.within => {}
                0x0000 => {
                    let row = u32_at(data, 0)
                        .filter(|row| *row < MOST_ROWS)
                        .ok_or_else(|| malformed("a row of it has no number that a sheet has"))?;
                    if self.row.is_some_and(|before| row < before) {
                        return Err(malformed("its rows are not in order"));
                    }
                    self.row = Some(row);
                    write(out, 0x0000, &[&row.to_le_bytes()]);
                }
                0x0002..=0x000B => {
                    // Column and style (2.5.9).
                    let cell = data.get(..8).ok_or_else(cut)?;
                    if self.row.is_none() || u32_at(cell, 0).is_none_or(|column| column >= 16_384) {
                        return Err(malformed("a cell of it stands where no sheet has one"));
                    }
                    let style = u32_at(cell, 4).unwrap_or(0) & 0x00FF_FFFF;
                    match kind {
                        0x0002 | 0x0005 | 0x0009 => {
                            let value = match kind {
                                0x0002 => packed(data),
                                _ => f64_at(data, 8),
                            }
                            .ok_or_else(cut)?;
                            let format = self.formats.get(style as usize);
                            if format.is_some_and(Option::is_some) {
                                let text =
                                    format!("{}{style:x}:{:x}", mark::NUMBER, value.to_bits());
                                write_text(out, cell, &text);
                            } else {
                                write(out, 0x0005, &[cell, &value.to_le_bytes()]);
                            }
                        }
                        0x0003 | 0x000B => {
                            let code = *data.get(8).ok_or_else(cut)?;
                            let text = format!("{}{}", mark::ERROR, error_name(code));
                            write_text(out, cell, &text);
                        }
                        0x0004 | 0x000A => {
                            write(out, 0x0004, &[cell, data.get(8..9).ok_or_else(cut)?]);
                        }
                        0x0006 | 0x0008 => {
                            let (_, end) = wide(data, 8).ok_or_else(cut)?;
                            write_units(out, cell, &data[12..end]);
                        }
                        _ => {
                            let number = u32_at(data, 8).ok_or_else(cut)?;
                            write_text(out, cell, &format!("\u{FFFE}{}{number}", mark::SHARED));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn units(text: &str) -> Vec<u8> {
        let mut bytes = (text.len() as u32).to_le_bytes().to_vec();
        bytes.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
        bytes
    }

    #[test]
    fn the_list_of_sheets_of_the_first_versions_is_read() {
        for further in [0, 4] {
            let mut list = Vec::new();
            for (state, relation, name) in [(0u32, "rId1", "Clients"), (1, "rId6", "Old")] {
                let state = state.to_le_bytes();
                let between = vec![0; further];
                let (relation, name) = (units(relation), units(name));
                write(
                    &mut list,
                    0x009C,
                    &[&state, &between, &[6, 0, 0, 0], &relation, &name],
                );
            }
            write(&mut list, 0x0090, &[]);
            let (mac, sheets) = read_workbook(&list[..]).unwrap();
            let expected = [(0, "rId1", "Clients"), (1, "rId6", "Old")]
                .map(|(state, relation, name)| (state, relation.to_owned(), name.to_owned()));
            assert_eq!((mac, &sheets[..]), (false, &expected[..]), "{further}");
        }
    }
}
