//! A worksheet part of an XLSX file, written anew for `calamine` while it is read.
//!
//! What is left of it is the cells that hold something, each with its place. Where the part says
//! what `calamine` would not hand on, the cell says it in its text: see [`mark`].

use std::io::{self, Read, Write as _};

use super::stage::{self, Script};
use super::texts;
use super::xml::{self, Token, Xml};
use crate::area::{Area, MOST_ROWS};
use crate::row::{column_index, column_letters};

/// What stands in the text of a cell written for us and not for the user. Each begins with a
/// character that XML does not allow, so that no cell of a workbook can hold it by chance.
pub(super) mod mark {
    /// A formula whose result was not saved.
    pub(crate) const NO_RESULT: &str = "\u{FFFE}f";
    /// An error; its name follows.
    pub(crate) const ERROR: &str = "\u{FFFE}e";
    /// A number with the style that it is shown by: `style:bits` in hexadecimal digits.
    pub(crate) const NUMBER: &str = "\u{FFFE}n";
    /// In a cell of a date as text: the number of a shared text follows.
    pub(crate) const SHARED: &str = "#";
}

/// What a sheet says beside its cells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Survey {
    /// Hidden rows as runs, from 1, both ends included.
    pub(super) hidden: Vec<(u64, u64)>,
    pub(super) merged: Vec<Area>,
    /// Formulas whose result was not saved, and the first of them.
    pub(super) no_result: u64,
    pub(super) first_no_result: Option<String>,
    /// First and last column (from 0) of columns of a width that was set, and the width in 256ths of
    /// a character.
    pub(super) widths: Vec<(usize, usize, u32)>,
}

fn malformed(what: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.into())
}

/// Row (from 1) and column (from 0) of a cell's name.
fn place(name: &[u8]) -> Option<(u32, usize)> {
    let letters = name.iter().position(u8::is_ascii_digit)?;
    let (letters, digits) = name.split_at(letters);
    if digits.len() > 7 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let row = digits
        .iter()
        .fold(0, |row, digit| row * 10 + u32::from(digit - b'0'));
    let column = column_index(std::str::from_utf8(letters).ok()?)?;
    (1..=MOST_ROWS).contains(&row).then_some((row, column))
}

fn row_number(text: &[u8]) -> io::Result<u32> {
    std::str::from_utf8(text)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .filter(|row| (1..=MOST_ROWS).contains(row))
        .ok_or_else(|| malformed("a row of it has no number that a sheet has"))
}

/// Goes through a sheet part once for what it says beside its cells.
pub(super) fn survey(input: impl Read) -> io::Result<Survey> {
    let mut xml = Xml::new(input);
    let mut survey = Survey::default();
    let (mut row, mut hidden) = (0, false);
    let (mut formula, mut value) = (false, false);
    // What its start tag says, looked at only where there is a formula.
    let mut cell = Vec::new();
    // An empty text is a result, and an empty number is none.
    let is_text = |cell: &[u8]| xml::Tag::of(cell).get(b"t") == Some(b"str");
    while let Some(token) = xml.next()? {
        match token {
            Token::Open(tag) => match tag.name {
                b"c" => {
                    (formula, value) = (false, false);
                    cell.clear();
                    cell.extend_from_slice(tag.written());
                }
                b"f" => formula = true,
                b"v" | b"is" => {
                    if hidden {
                        add_run(&mut survey.hidden, u64::from(row));
                    }
                    value |= formula && is_text(&cell);
                }
                b"row" => {
                    row = match tag.get(b"r") {
                        Some(number) => row_number(number)?,
                        None => row + 1,
                    };
                    hidden = tag.is_set(b"hidden");
                }
                b"col" => survey.widths.extend(width(&tag)),
                b"mergeCell" => {
                    if let Some(area) = tag.text(b"ref").as_deref().and_then(Area::parse) {
                        survey.merged.push(area);
                    }
                }
                _ => {}
            },
            Token::Text(bytes) => value |= !formula || !bytes.trim_ascii().is_empty(),
            Token::Literal(_) => value = true,
            // The text of the formula is not its result.
            Token::Close(b"f") => value = false,
            Token::Close(b"c") if formula && !value => {
                survey.no_result += 1;
                if survey.first_no_result.is_none() {
                    survey.first_no_result =
                        Some(xml::Tag::of(&cell).text(b"r").unwrap_or_default());
                }
            }
            Token::Close(_) => {}
        }
    }
    Ok(survey)
}

/// The columns that a `col` element is of, and their width (ECMA-376 part 1, 18.3.1.13).
fn width(tag: &xml::Tag<'_>) -> Option<(usize, usize, u32)> {
    let first: usize = tag.text(b"min")?.trim().parse().ok()?;
    let last: usize = tag.text(b"max")?.trim().parse().ok()?;
    let width: f64 = tag.text(b"width")?.trim().parse().ok()?;
    let sound = (0.0..=255.0).contains(&width) && first > 0 && first <= last;
    sound.then(|| (first - 1, last - 1, (width * 256.0) as u32))
}

/// Adds a row to runs that come in order, once.
pub(super) fn add_run(runs: &mut Vec<(u64, u64)>, row: u64) {
    match runs.last_mut() {
        Some((_, last)) if *last == row => {}
        Some((_, last)) if *last + 1 == row => *last = row,
        _ => runs.push((row, row)),
    }
}

/// A sheet part under way.
pub(super) struct Sheet<R> {
    xml: Xml<R>,
    begun: bool,
    row: u32,
    column: usize,
    /// Of the cell under way.
    name: Vec<u8>,
    style: Vec<u8>,
    value: Vec<u8>,
    inline: String,
}

/// What a cell says its value is (ECMA-376 part 1, 18.18.11).
#[derive(Clone, Copy, PartialEq)]
enum Type {
    Number,
    Shared,
    Text,
    Boolean,
    Error,
    Date,
}

impl<R: Read> Sheet<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            xml: Xml::new(input),
            begun: false,
            row: 0,
            column: 0,
            name: Vec::new(),
            style: Vec::new(),
            value: Vec::new(),
            inline: String::new(),
        }
    }

    fn begin(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        out.extend_from_slice(b"<worksheet><sheetData>");
        loop {
            match self.xml.next()? {
                Some(Token::Open(tag)) if tag.name == b"sheetData" => {
                    self.begun = true;
                    return if tag.empty { Ok(end(out)) } else { Ok(true) };
                }
                Some(_) => {}
                None => return Err(malformed("a sheet of it has no cells' part")),
            }
        }
    }

    /// Reads on to the end of the cell whose start tag was read, and writes it anew.
    fn cell(&mut self, kind: Type, out: &mut Vec<u8>) -> io::Result<()> {
        let (mut formula, mut has_value, mut is_inline) = (false, false, false);
        self.value.clear();
        self.inline.clear();
        loop {
            match self.xml.next()? {
                Some(Token::Close(b"c")) => break,
                Some(Token::Open(tag)) => match (tag.name, tag.empty) {
                    (b"f", empty) => {
                        formula = true;
                        if !empty {
                            self.xml.skip()?;
                        }
                    }
                    (b"v", empty) => {
                        has_value = true;
                        if !empty {
                            self.read_value()?;
                        }
                    }
                    (b"is", empty) => {
                        is_inline = true;
                        if !empty {
                            texts::read_item(&mut self.xml, &mut self.inline)?;
                        }
                    }
                    (_, false) => self.xml.skip()?,
                    _ => {}
                },
                Some(_) => {}
                None => return Err(malformed("a sheet of it is cut off")),
            }
        }
        let value = self.value.trim_ascii();
        let bare = value.is_empty() && !is_inline;
        if bare && (!formula || (has_value && kind == Type::Text)) {
            return Ok(());
        }
        if bare {
            self.write_marked(mark::NO_RESULT, b"", out);
        } else if is_inline {
            let inline = std::mem::take(&mut self.inline);
            self.open(b"inlineStr", out);
            out.extend_from_slice(b"<is><t xml:space=\"preserve\">");
            escape(&inline, out);
            out.extend_from_slice(b"</t></is></c>");
            self.inline = inline;
        } else {
            let known = matches!(value, b"0" | b"1" | b"true" | b"false" | b"TRUE" | b"FALSE");
            match kind {
                Type::Error => self.write_marked(mark::ERROR, value, out),
                Type::Shared => self.write(b"d", mark::SHARED, value, out),
                Type::Date => self.write(b"d", "", value, out),
                Type::Boolean if known => self.write(b"b", "", value, out),
                Type::Text | Type::Boolean => self.write(b"str", "", &self.value, out),
                Type::Number => self.write(b"", "", value, out),
            }
        }
        Ok(())
    }

    fn read_value(&mut self) -> io::Result<()> {
        loop {
            match self.xml.next()? {
                Some(Token::Close(_)) => return Ok(()),
                Some(Token::Text(bytes)) => self.value.extend_from_slice(bytes),
                Some(Token::Literal(bytes)) => {
                    let text = String::from_utf8_lossy(bytes).into_owned();
                    escape(&text, &mut self.value);
                }
                Some(Token::Open(tag)) if tag.empty => {}
                Some(Token::Open(_)) => self.xml.skip()?,
                None => return Err(malformed("a sheet of it is cut off")),
            }
        }
    }

    fn open(&self, kind: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(b"<c r=\"");
        out.extend_from_slice(&self.name);
        if !self.style.is_empty() {
            out.extend_from_slice(b"\" s=\"");
            out.extend_from_slice(&self.style);
        }
        if !kind.is_empty() {
            out.extend_from_slice(b"\" t=\"");
            out.extend_from_slice(kind);
        }
        out.extend_from_slice(b"\">");
    }

    fn write(&self, kind: &[u8], mark: &str, value: &[u8], out: &mut Vec<u8>) {
        self.open(kind, out);
        out.extend_from_slice(b"<v>");
        out.extend_from_slice(mark.as_bytes());
        out.extend_from_slice(value);
        out.extend_from_slice(b"</v></c>");
    }

    fn write_marked(&self, mark: &str, value: &[u8], out: &mut Vec<u8>) {
        self.write(b"str", mark, value, out);
    }
}

fn end(out: &mut Vec<u8>) -> bool {
    out.extend_from_slice(b"</sheetData></worksheet>");
    false
}

/// Writes a text so that it is read as it is, `_x000D_` included.
fn escape(text: &str, out: &mut Vec<u8>) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '\r', '_']) {
        let (plain, special) = rest.split_at(at);
        out.extend_from_slice(plain.as_bytes());
        let (name, length): (&[u8], usize) = match special.as_bytes()[0] {
            b'&' => (b"&amp;", 1),
            b'<' => (b"&lt;", 1),
            b'\r' => (b"&#13;", 1),
            _ if special.starts_with("_x") => (b"_x005F_", 1),
            _ => (b"_", 1),
        };
        out.extend_from_slice(name);
        rest = &special[length..];
    }
    out.extend_from_slice(rest.as_bytes());
}

impl<R: Read + Send> Script for Sheet<R> {
    fn play(&mut self, out: &mut Vec<u8>) -> io::Result<bool> {
        if !self.begun && !self.begin(out)? {
            return Ok(false);
        }
        while out.len() < stage::PIECE {
            let kind = match self.xml.next()? {
                None => return Err(malformed("a sheet of it is cut off")),
                Some(Token::Close(b"sheetData")) => return Ok(end(out)),
                Some(Token::Open(tag)) if tag.name == b"row" => {
                    let row = match tag.get(b"r") {
                        Some(number) => row_number(number)?,
                        None => self.row + 1,
                    };
                    if row < self.row || row > MOST_ROWS {
                        return Err(malformed("its rows are not in order"));
                    }
                    if row > self.row {
                        self.column = 0;
                    }
                    self.row = row;
                    continue;
                }
                Some(Token::Open(tag)) if tag.name == b"c" => {
                    let (mut name, mut style, mut kind): (_, &[u8], &[u8]) = (None, b"", b"n");
                    for (key, value) in tag.attributes() {
                        match key {
                            b"r" => name = Some(value),
                            b"s" => style = value,
                            b"t" => kind = value,
                            _ => {}
                        }
                    }
                    self.name.clear();
                    match name {
                        Some(name) => {
                            let (row, column) = place(name).ok_or_else(|| {
                                malformed("a cell of it stands where no sheet has one")
                            })?;
                            if row != self.row {
                                return Err(malformed("a cell of it stands in another row"));
                            }
                            self.column = column;
                            self.name.extend_from_slice(name);
                        }
                        None if self.row == 0 || self.column >= super::MOST_COLUMNS => {
                            return Err(malformed("a cell of it stands where no sheet has one"));
                        }
                        None => {
                            let name = column_letters(self.column);
                            write!(self.name, "{name}{}", self.row)?;
                        }
                    }
                    self.column += 1;
                    if tag.empty {
                        continue;
                    }
                    self.style.clear();
                    if style.iter().all(u8::is_ascii_digit) && style.len() < 8 {
                        self.style.extend_from_slice(style);
                    }
                    match kind {
                        b"s" => Type::Shared,
                        b"b" => Type::Boolean,
                        b"e" => Type::Error,
                        b"d" => Type::Date,
                        b"n" => Type::Number,
                        _ => Type::Text,
                    }
                }
                Some(_) => continue,
            };
            self.cell(kind, out)?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(part: &str) -> Result<String, String> {
        let mut sheet = Sheet::new(part.as_bytes());
        let mut out = Vec::new();
        while sheet.play(&mut out).map_err(|error| error.to_string())? {}
        let text = String::from_utf8(out).unwrap();
        Ok(text
            .trim_start_matches("<worksheet><sheetData>")
            .trim_end_matches("</sheetData></worksheet>")
            .to_owned())
    }

    #[test]
    fn cells_are_written_anew() {
        for (cells, expected) in [
            ("<c r=\"A1\" s=\"2\"/><c r=\"B1\"/>", ""),
            (
                "<c r=\"B1\" s=\"2\"><v>7</v></c>",
                "<c r=\"B1\" s=\"2\"><v>7</v></c>",
            ),
            (
                "<x:c><x:v>7</x:v></x:c><c><v>8</v></c>",
                "<c r=\"A1\"><v>7</v></c><c r=\"B1\"><v>8</v></c>",
            ),
            (
                "<c r=\"A1\" t=\"s\"><v>12</v></c>",
                "<c r=\"A1\" t=\"d\"><v>#12</v></c>",
            ),
            (
                "<c r=\"A1\" t=\"d\"><v>2021-01-31</v></c>",
                "<c r=\"A1\" t=\"d\"><v>2021-01-31</v></c>",
            ),
            (
                "<c r=\"A1\" t=\"b\"><v>2</v></c>",
                "<c r=\"A1\" t=\"str\"><v>2</v></c>",
            ),
            (
                "<c r=\"A1\" t=\"e\"><v>#SPILL!</v></c>",
                "<c r=\"A1\" t=\"str\"><v>\u{FFFE}e#SPILL!</v></c>",
            ),
            ("<c r=\"A1\" t=\"str\"><f>A2&amp;\"\"</f><v></v></c>", ""),
            (
                "<c r=\"A1\"><f>A2+1</f><v></v></c>",
                "<c r=\"A1\" t=\"str\"><v>\u{FFFE}f</v></c>",
            ),
            (
                "<c r=\"A1\"><f t=\"shared\" si=\"0\"/></c>",
                "<c r=\"A1\" t=\"str\"><v>\u{FFFE}f</v></c>",
            ),
            (
                "<c r=\"A1\"><f>1+1</f><v>2</v></c>",
                "<c r=\"A1\"><v>2</v></c>",
            ),
            (
                "<c r=\"A1\" t=\"inlineStr\"><is><r><t xml:space=\"preserve\">a </t></r><r><t>&lt;b_x0041_</t></r></is></c>",
                "<c r=\"A1\" t=\"inlineStr\"><is><t xml:space=\"preserve\">a &lt;bA</t></is></c>",
            ),
        ] {
            let part = format!(
                "<worksheet><dimension ref=\"A0:ZZZZ9\"/><sheetData><row r=\"1\">{cells}</row></sheetData></worksheet>"
            );
            assert_eq!(written(&part).unwrap(), expected, "{cells}");
        }
    }

    #[test]
    fn sheets_that_no_program_writes_are_errors() {
        for (rows, expected) in [
            ("<row r=\"2\"/><row r=\"1\"/>", "not in order"),
            ("<row r=\"0\"/>", "no number"),
            ("<row r=\"99999999999\"/>", "no number"),
            ("<row r=\"1\"><c r=\"B2\"><v>1</v></c></row>", "another row"),
            (
                "<row r=\"1\"><c r=\"ZZZZ1\"><v>1</v></c></row>",
                "where no sheet",
            ),
            ("<c><v>1</v></c>", "where no sheet"),
            ("<row r=\"1\"><c r=\"A1\"><v>1", "cut off"),
        ] {
            let error = written(&format!("<worksheet><sheetData>{rows}")).unwrap_err();
            assert!(error.contains(expected), "{rows}: {error}");
        }
    }

    #[test]
    fn a_survey_tells_what_is_beside_the_cells() {
        let cell = "<c><v>1</v></c>";
        let part = format!(
            "<worksheet><sheetData><row r=\"2\" hidden=\"1\">{cell}{cell}</row><row hidden=\"true\">{cell}</row>\
            <row>{cell}</row><row r=\"8\" hidden=\"1\"/><row r=\"9\" hidden=\"1\"><c r=\"A9\"><f>B1</f></c><c r=\"B9\"><f>B1</f><v>1</v></c>\
            <c r=\"C9\"><f>x</f><v/></c><c r=\"D9\" t=\"str\"><f>x</f><v/></c></row></sheetData>\
            <mergeCells><mergeCell ref=\"A1:C1\"/></mergeCells></worksheet>"
        );
        let survey = survey(part.as_bytes()).unwrap();
        assert_eq!(survey.hidden, [(2, 3), (9, 9)]);
        assert_eq!(survey.merged[0].name(), "A1:C1");
        assert_eq!(survey.no_result, 2);
        assert_eq!(survey.first_no_result.as_deref(), Some("A9"));
    }
}
