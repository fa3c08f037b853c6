//! An ODS file looked through before `calamine` reads it.
//!
//! A cell or a row of ODS may stand for many equal ones, and `calamine` makes them all. So the
//! cells and their texts are counted here first, and a file that has too much is refused. On the way it is kept
//! what `calamine` does not tell: how numbers are shown where that is more than the number, which
//! cells are errors, hidden rows, merged cells.

use std::collections::HashMap;
use std::io::{self, Read};

use super::number;
use super::sheet_xml::Survey;
use super::xml::{self, Tag, Token, Xml};
use crate::area::Area;

/// So many cells are read, counting the empty ones between others, in all sheets together.
pub(super) const MOST_CELLS: u64 = 2_000_000;
/// So many bytes of text, those of repeated cells as often as they are repeated.
const MOST_TEXT: u64 = 48 << 20;
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
    /// Whether any formula has one.
    results: bool,
}

/// What a cell shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shown {
    /// A number shown as this text.
    Number(String),
    /// This error.
    Error(String),
}

/// Why the file is not read.
#[derive(Debug)]
pub(super) enum Refused {
    Io(io::Error),
    /// The sheet of this name has too many cells, or the file has.
    TooMany {
        sheet: String,
    },
    /// The texts of the file are longer than [`MOST_TEXT`].
    TooLong,
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// How often the thing is there; the most that any attribute of this name says.
fn count(tag: &Tag<'_>, name: &[u8]) -> u64 {
    tag.attributes()
        .filter(|(found, _)| *found == name)
        .filter_map(|(_, value)| std::str::from_utf8(value).ok()?.trim().parse().ok())
        .fold(1, u64::max)
}

/// Programs that calculate say of each formula what its result is, and nothing where that is an empty
/// text. Of what others have written, such a formula has no result. Which of them wrote the file is
/// told by its other formulas, or by `meta.xml`.
pub(super) fn settle_results(sheets: &mut [(String, SheetScan)], meta: Option<&[u8]>) {
    let calculates = sheets.iter().any(|(_, sheet)| sheet.results)
        || meta.is_some_and(|meta| memchr::memmem::find(meta, b"Office").is_some());
    if calculates {
        for (_, sheet) in sheets {
            sheet.no_result.clear();
            sheet.survey.no_result = 0;
            sheet.survey.first_no_result = None;
        }
    }
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
    let (mut total, mut texts) = (0, 0);
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
                    texts += cell(&mut xml, &mut place, sheet)?;
                    if texts > MOST_TEXT {
                        return Err(Refused::TooLong);
                    }
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

/// Reads on to the end of the cell whose start tag was just read; gives the bytes of text that it
/// and its repetitions take.
fn cell<R: Read>(xml: &mut Xml<R>, place: &mut Place, sheet: &mut SheetScan) -> io::Result<u64> {
    // The tag is asked for again: it cannot be held while its content is read.
    let Some(tag) = xml.last_tag() else {
        return Ok(0);
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
    let wants_text = value.is_some() || has_formula || is_error;
    let hides_text = tag.get(b"string-value") == Some(b"") || value == Some(0.0);
    // An attribute is in the place of the text.
    let attributes = tag.attributes().map(|(_, value)| value.len()).max();
    let attributes = attributes.unwrap_or_default() as u64;
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
    let (text, length) = if empty {
        (String::new(), 0)
    } else {
        shown_text(xml, wants_text)?
    };
    place.column += repeat;
    // Even a text that counts for nothing is read once.
    if !has_value && !has_formula {
        return Ok(length);
    }
    place.filled = place.column.min(MOST_COLUMNS);
    let repeated = place.repeat.max(1) * place.filled.saturating_sub(column);
    let bytes = length.max(attributes).saturating_mul(repeated.max(1));
    sheet.results |= has_formula && has_value;
    if !has_value {
        sheet.no_result.extend(
            (place.row..place.row + place.repeat)
                .flat_map(|row| (column..place.filled).map(move |at| (row as u32, at as u32)))
                .take(MOST_SHOWN.saturating_sub(sheet.no_result.len())),
        );
        return Ok(bytes);
    }
    // Without what the newer program says, an error is the text of a formula that has no other.
    let is_error = is_error || has_formula && hides_text && looks_wrong(&text);
    let shown = match value {
        _ if bytes > MOST_TEXT => return Ok(bytes),
        _ if is_error => Shown::Error(text),
        Some(value) if shows_more(&text, value) => Shown::Number(text),
        _ => return Ok(bytes),
    };
    for row in place.row..place.row + place.repeat {
        for column in column..place.filled {
            if sheet.shown.len() > MOST_SHOWN {
                return Ok(bytes);
            }
            sheet
                .shown
                .insert((row as u32, column as u32), shown.clone());
        }
    }
    Ok(bytes)
}

/// Whether a formula's text is an error: `#N/A`, `#DIV/0!`, `Err:502`.
fn looks_wrong(text: &str) -> bool {
    text == "#N/A"
        || text.starts_with('#') && text.ends_with(['!', '?'])
        || text.strip_prefix("Err:").is_some_and(|number| {
            !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        })
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
        || has_marks(text, &plain)
}

/// Whether a text is the digits of a whole number with something before them, or marks between
/// them that group nothing: `+44 20 7946 0958`, `ID-0042`, `12-3456`.
fn has_marks(text: &str, digits: &str) -> bool {
    let Some(start) = text.find(|letter: char| letter.is_ascii_digit()) else {
        return false;
    };
    let (before, shown) = text.split_at(start);
    let mut backwards = shown.bytes().filter(u8::is_ascii_digit).rev();
    !before.starts_with(['-', '−'])
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && digits
            .bytes()
            .rev()
            .all(|digit| backwards.next() == Some(digit))
        && shown
            .bytes()
            .all(|byte| byte.is_ascii_digit() || b" -/()".contains(&byte))
        && (!before.is_empty() || shown.starts_with('0') || shown.contains(['-', '/', '(']))
}

/// The text of a cell's first paragraph, and the bytes of all its text; reads on to the end of the
/// cell.
fn shown_text<R: Read>(xml: &mut Xml<R>, wanted: bool) -> io::Result<(String, u64)> {
    let mut out = String::new();
    let mut length: u64 = 0;
    let (mut depth, mut paragraphs) = (1, 0);
    while depth > 0 {
        match xml.next()? {
            None => return Err(io::Error::new(io::ErrorKind::InvalidData, "it is cut off")),
            Some(Token::Open(tag)) => {
                paragraphs += usize::from(depth == 1 && tag.name == b"p");
                depth += usize::from(!tag.empty);
                length = length.saturating_add(match tag.name {
                    b"s" => count(&tag, b"c"),
                    _ => 1,
                });
            }
            Some(Token::Close(_)) => depth -= 1,
            Some(Token::Text(bytes)) => {
                length += bytes.len() as u64;
                if wanted && paragraphs == 1 && depth > 1 {
                    xml::decode(bytes, &mut out);
                }
            }
            Some(Token::Literal(bytes)) => length += bytes.len() as u64,
        }
    }
    Ok((out, length))
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
        assert_eq!(text(4), Some(&Shown::Error("#N/A".to_owned())));
        assert_eq!(scan.survey.hidden, [(3, 3)]);
        assert_eq!(scan.survey.merged[0].name(), "F3:G3");
        assert_eq!(scan.survey.first_no_result.as_deref(), Some("F3"));
        assert_eq!(scan.no_result, [(2, 5)]);
    }

    #[test]
    fn marks_of_a_number_are_kept_and_groups_are_not() {
        for (value, text, expected) in [
            (42.0, "ID-0042", true),
            (4_722_123_456.0, "+47 22123456", true),
            (123_456_789.0, "123-45-6789", true),
            (1234.0, "1,234", false),
            (1234.0, "1.234", false),
            (1234.0, "1 234", false),
            (-5.0, "(5)", false),
            (-5.0, "-5", false),
            (12.0, "12 kg", false),
            (12.5, "€12.5", false),
        ] {
            assert_eq!(shows_more(text, value), expected, "{text}");
        }
    }

    #[test]
    fn errors_are_told_by_older_files_too() {
        let rows = "<table:table-row>\
            <table:table-cell table:formula=\"of:=NA()\" office:value-type=\"string\" office:string-value=\"\"><text:p>#N/A</text:p></table:table-cell>\
            <table:table-cell table:formula=\"of:=1/0\" office:value-type=\"float\" office:value=\"0\"><text:p>#DIV/0!</text:p></table:table-cell>\
            <table:table-cell table:formula=\"of:=x\" office:value-type=\"float\" office:value=\"0\"><text:p>Err:502</text:p></table:table-cell>\
            <table:table-cell table:formula=\"of:=y\" office:value-type=\"string\" office:string-value=\"#N/A\"><text:p>#N/A</text:p></table:table-cell>\
            <table:table-cell office:value-type=\"string\"><text:p>#N/A</text:p></table:table-cell>\
            <table:table-cell table:formula=\"of:=0\" office:value-type=\"float\" office:value=\"0\"><text:p>0</text:p></table:table-cell>\
            </table:table-row>";
        let scan = of(rows).unwrap();
        let error = |column| match scan.shown.get(&(0, column)) {
            Some(Shown::Error(text)) => Some(text.as_str()),
            _ => None,
        };
        let errors: Vec<_> = (0..6).map(error).collect();
        let expected = [
            Some("#N/A"),
            Some("#DIV/0!"),
            Some("Err:502"),
            None,
            None,
            None,
        ];
        assert_eq!(errors, expected);
    }

    #[test]
    fn formulas_without_a_value_are_empty_where_others_have_one() {
        let bare = "<table:table-cell table:formula=\"x\"/>";
        let full = "<table:table-cell table:formula=\"x\" office:value-type=\"float\" office:value=\"1\"/>";
        let meta = b"<meta:generator>LibreOffice/24.8$Linux</meta:generator>";
        for (cells, meta, expected) in [
            (bare.to_owned(), None, 1),
            (bare.to_owned(), Some(&meta[..]), 0),
            (format!("{bare}{full}"), None, 0),
        ] {
            let scan = of(&format!("<table:table-row>{cells}</table:table-row>")).unwrap();
            let mut sheets = [("S".to_owned(), scan)];
            settle_results(&mut sheets, meta);
            assert_eq!(sheets[0].1.no_result.len(), expected);
            assert_eq!(sheets[0].1.survey.no_result, expected as u64);
        }
    }

    #[test]
    fn texts_that_repetition_makes_too_long_are_refused() {
        let text = "x".repeat(10_000);
        let cell = |text: &str, columns: u32| {
            format!(
                "<table:table-cell office:value-type=\"string\" table:number-columns-repeated=\"{columns}\">{text}</table:table-cell>"
            )
        };
        let rows = |cells: &str, rows: u32| {
            format!(
                "<table:table-row table:number-rows-repeated=\"{rows}\">{cells}</table:table-row>"
            )
        };
        let long = format!("<text:p>{text}</text:p>");
        assert!(of(&rows(&cell(&long, 3), 100)).is_ok());
        let value = format!(
            "<table:table-cell office:value-type=\"string\" office:string-value=\"{text}\"/>"
        );
        for rows in [
            rows(&cell(&long, 3), 100_000),
            rows(&value, 100_000),
            rows(
                &cell("<text:p><text:s text:c=\"1000000000\"/></text:p>", 1),
                1,
            ),
            rows(
                &cell(
                    "<text:p><text:s x:c=\"1\" text:c=\"1000000000\"/></text:p>",
                    1,
                ),
                1,
            ),
            rows(
                &cell(
                    "<text:p><text:s text:c=\"18446744073709551615\"/></text:p>",
                    2,
                ),
                9,
            ),
        ] {
            assert!(
                matches!(of(&rows), Err(Refused::TooLong)),
                "{}",
                &rows[..60]
            );
        }
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
