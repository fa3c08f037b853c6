//! An ODS file looked through before `calamine` reads it.
//!
//! A cell or a row of ODS may stand for many equal ones, and `calamine` makes them all. So the
//! cells are counted here first, and a file that has too many is refused. On the way it is kept
//! what `calamine` does not tell: how numbers are shown where that is more than the number, which
//! cells are errors, hidden rows, merged cells.

use std::collections::HashMap;
use std::io::{self, Read};

use super::number;
use super::sheet_xml::Survey;
use super::xml::{self, Tag, Token, Xml};
use crate::area::Area;

/// So many cells are read, counting the empty ones between others, in all sheets together.
pub(super) const MOST_CELLS: u64 = 4_000_000;
/// So many cells are kept that show more than their number.
const MOST_SHOWN: usize = 500_000;
const MOST_ROWS: u64 = 1_048_576;
const MOST_COLUMNS: u64 = 16_384;

/// What was found in the sheet of one name.
#[derive(Debug, Default)]
pub(super) struct SheetScan {
    pub(super) survey: Survey,
    /// By row and column from 0.
    pub(super) shown: HashMap<(u32, u32), Shown>,
    /// Formulas without a saved result, in the order of the sheet.
    pub(super) no_result: Vec<(u32, u32)>,
}

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// A number shown as this text.
    Number(String),
    /// An error.
    Error,
}

/// Why the file is not read.
#[derive(Debug)]
pub(super) enum Refused {
    Io(io::Error),
    /// The sheet of this name has too many cells, or the file has.
    TooMany {
        sheet: String,
    },
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn count(tag: &Tag<'_>, name: &[u8]) -> u64 {
    tag.text(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
        .max(1)
}

/// Where the next cell stands, and how much room the sheet takes.
#[derive(Default)]
struct Place {
    row: u64,
    repeat: u64,
    column: u64,
    /// Rows that hold something: first, and one after the last.
    rows: Option<(u64, u64)>,
    width: u64,
    /// Cells before rows are repeated.
    listed: u64,
    /// The last column of this row that holds something, one after it.
    filled: u64,
    hidden: bool,
}

/// Looks through `content.xml`; sheets in the order of the file.
pub(super) fn scan(content: impl Read) -> Result<Vec<(String, SheetScan)>, Refused> {
    let mut xml = Xml::nested(content);
    let mut sheets: Vec<(String, SheetScan)> = Vec::new();
    let mut place = Place::default();
    let mut total = 0;
    let mut depth = 0;
    while let Some(token) = xml.next()? {
        match token {
            Token::Open(tag) => match tag.name {
                // A table within a cell belongs to that cell.
                b"table" if tag.get(b"name").is_some() && !tag.empty => {
                    depth += 1;
                    if depth == 1 {
                        let name = tag.text(b"name").unwrap_or_default();
                        sheets.push((name, SheetScan::default()));
                        place = Place::default();
                    }
                }
                b"table-row" if depth == 1 => {
                    place.repeat = count(&tag, b"number-rows-repeated").min(MOST_ROWS);
                    (place.column, place.filled) = (0, 0);
                    place.hidden = matches!(tag.get(b"visibility"), Some(b"collapse" | b"filter"));
                    if tag.empty {
                        place.row += place.repeat;
                    }
                }
                b"table-cell" | b"covered-table-cell" if depth == 1 => {
                    let Some((name, sheet)) = sheets.last_mut() else {
                        continue;
                    };
                    cell(&mut xml, &mut place, sheet)?;
                    if place.listed + total > MOST_CELLS || sheet.shown.len() > MOST_SHOWN {
                        return Err(Refused::TooMany {
                            sheet: name.clone(),
                        });
                    }
                }
                _ => {}
            },
            Token::Close(b"table-row") if depth == 1 => {
                if place.filled > 0 {
                    let first = place.rows.map_or(place.row, |(first, _)| first);
                    place.rows = Some((first, place.row + place.repeat));
                    place.width = place.width.max(place.filled);
                    place.listed += place.filled;
                    if place.hidden
                        && let Some((_, sheet)) = sheets.last_mut()
                    {
                        let run = (place.row + 1, place.row + place.repeat);
                        match sheet.survey.hidden.last_mut() {
                            Some((_, last)) if *last + 1 == run.0 => *last = run.1,
                            _ => sheet.survey.hidden.push(run),
                        }
                    }
                }
                place.row += place.repeat;
            }
            Token::Close(b"table") => {
                if depth == 1 {
                    let rows = place.rows.map_or(0, |(first, end)| end - first);
                    total += (rows.min(MOST_ROWS) * place.width).max(place.listed);
                    if total > MOST_CELLS {
                        let sheet = sheets.last().map(|(name, _)| name.clone());
                        return Err(Refused::TooMany {
                            sheet: sheet.unwrap_or_default(),
                        });
                    }
                }
                depth = usize::saturating_sub(depth, 1);
            }
            _ => {}
        }
    }
    Ok(sheets)
}

/// Reads on to the end of the cell whose start tag was just read.
fn cell<R: Read>(xml: &mut Xml<R>, place: &mut Place, sheet: &mut SheetScan) -> io::Result<()> {
    // The tag is asked for again: it cannot be held while its content is read.
    let Some(tag) = xml.last_tag() else {
        return Ok(());
    };
    let repeat = count(&tag, b"number-columns-repeated").min(MOST_COLUMNS);
    let column = place.column;
    let value: Option<f64> = tag
        .get(b"value")
        .and_then(|text| std::str::from_utf8(text).ok()?.trim().parse().ok());
    // The one of the newer program tells errors; the other is the kind of value.
    let is_error = tag
        .attributes()
        .any(|(name, value)| name == b"value-type" && value == b"error");
    let has_value = tag.get(b"value-type").is_some();
    let has_formula = tag.get(b"formula").is_some();
    let spans = (
        count(&tag, b"number-rows-spanned"),
        count(&tag, b"number-columns-spanned"),
    );
    let empty = tag.empty;
    let wants_text = value.is_some();
    if spans != (1, 1) {
        sheet.survey.merged.push(Area {
            rows: (place.row + 1, (place.row + spans.0).min(MOST_ROWS)),
            columns: (
                column as usize,
                (column + spans.1).min(MOST_COLUMNS) as usize - 1,
            ),
        });
    }
    if has_formula && !has_value {
        sheet.survey.no_result += 1;
        if sheet.survey.first_no_result.is_none() {
            let row = place.row + 1;
            let letters = crate::row::column_letters(column as usize);
            sheet.survey.first_no_result = Some(format!("{letters}{row}"));
        }
    }
    let text = if empty {
        String::new()
    } else {
        shown_text(xml, wants_text)?
    };
    place.column += repeat;
    if !has_value && !has_formula {
        return Ok(());
    }
    place.filled = place.column.min(MOST_COLUMNS);
    if !has_value {
        sheet.no_result.extend(
            (place.row..place.row + place.repeat)
                .flat_map(|row| (column..place.filled).map(move |at| (row as u32, at as u32)))
                .take(MOST_SHOWN.saturating_sub(sheet.no_result.len())),
        );
        return Ok(());
    }
    let shown = match value {
        _ if is_error => Shown::Error,
        Some(value) if shows_more(&text, value) => Shown::Number(text),
        _ => return Ok(()),
    };
    for row in place.row..place.row + place.repeat {
        for column in column..place.filled {
            if sheet.shown.len() > MOST_SHOWN {
                return Ok(());
            }
            sheet
                .shown
                .insert((row as u32, column as u32), shown.clone());
        }
    }
    Ok(())
}

/// Whether a number's text tells what the number does not: zeros before it, per cent, decimals.
fn shows_more(text: &str, value: f64) -> bool {
    let mut plain = String::new();
    number::write_general(&mut plain, value);
    if text == plain {
        return false;
    }
    if let Some(percent) = text.strip_suffix('%') {
        return percent.trim().parse::<f64>().is_ok();
    }
    // `01234` and `12.50`, not a number rounded to what the column has room for.
    text.bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
        && text.parse::<f64>().is_ok_and(|shown| shown == value)
}

/// The text of a cell's first paragraph; reads on to the end of the cell.
fn shown_text<R: Read>(xml: &mut Xml<R>, wanted: bool) -> io::Result<String> {
    let mut out = String::new();
    let (mut depth, mut paragraphs) = (1, 0);
    while depth > 0 {
        match xml.next()? {
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is cut off")),
            Some(Token::Open(tag)) => {
                paragraphs += usize::from(depth == 1 && tag.name == b"p");
                depth += usize::from(!tag.empty);
            }
            Some(Token::Close(_)) => depth -= 1,
            Some(Token::Text(bytes)) if wanted && paragraphs == 1 && depth > 1 => {
                xml::decode(bytes, &mut out);
            }
            Some(_) => {}
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(rows: &str) -> Result<SheetScan, Refused> {
        let content = format!("<c><table:table table:name=\"S\">{rows}</table:table></c>");
        Ok(scan(content.as_bytes())?.remove(0).1)
    }

    #[test]
    fn what_cells_show_is_kept() {
        let number = |value: &str, text: &str| {
            format!(
                "<table:table-cell office:value-type=\"float\" office:value=\"{value}\"><text:p>{text}</text:p></table:table-cell>"
            )
        };
        let rows = format!(
            "<table:table-row table:number-rows-repeated=\"2\"/><table:table-row table:visibility=\"filter\">{}{}{}{}{}</table:table-row>",
            number("1234", "01234"),
            number("0.12", "12%"),
            number("0.333333333333", "0.33"),
            number("12.5", "12.50"),
            "<table:table-cell table:formula=\"x\" office:value-type=\"string\" calcext:value-type=\"error\"><text:p>#N/A</text:p></table:table-cell>\
             <table:table-cell table:formula=\"x\" table:number-columns-spanned=\"2\"/>",
        );
        let scan = of(&rows).unwrap();
        let text = |column| scan.shown.get(&(2, column));
        assert_eq!(text(0), Some(&Shown::Number("01234".to_owned())));
        assert_eq!(text(1), Some(&Shown::Number("12%".to_owned())));
        assert_eq!(text(2), None);
        assert_eq!(text(3), Some(&Shown::Number("12.50".to_owned())));
        assert_eq!(text(4), Some(&Shown::Error));
        assert_eq!(scan.survey.hidden, [(3, 3)]);
        assert_eq!(scan.survey.merged[0].name(), "F3:G3");
        assert_eq!(scan.survey.first_no_result.as_deref(), Some("F3"));
        assert_eq!(scan.no_result, [(2, 5)]);
    }

    #[test]
    fn empty_rest_of_a_sheet_counts_nothing_and_equal_cells_do() {
        let cell =
            "<table:table-cell office:value-type=\"string\"><text:p>x</text:p></table:table-cell>";
        let rest = "<table:table-row table:number-rows-repeated=\"1048575\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>";
        assert!(of(&format!("<table:table-row>{cell}</table:table-row>{rest}")).is_ok());
        for rows in [
            "<table:table-row table:number-rows-repeated=\"1000000\"><table:table-cell office:value-type=\"float\" office:value=\"1\" table:number-columns-repeated=\"9\"/></table:table-row>".to_owned(),
            "<table:table-row><table:table-cell office:value-type=\"float\" office:value=\"1\" table:number-columns-repeated=\"16384\"/></table:table-row>".repeat(300),
            format!("<table:table-row>{cell}</table:table-row>{}<table:table-row><table:table-cell table:number-columns-repeated=\"16000\"/>{cell}</table:table-row>", rest.replace("1048575", "500000")),
        ] {
            assert!(matches!(of(&rows), Err(Refused::TooMany { .. })), "{}", &rows[..60]);
        }
    }
}
