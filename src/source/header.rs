//! Which row holds the column names.

use std::borrow::Cow;
use std::sync::Arc;

use super::Returned;
use super::dialect::Dialect;
use super::records::CellBytes;
use super::shape::Shape;
use crate::row::{Cell, Fault, Kind};

/// A row looked at before the header is known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Looked {
    pub(super) number: u64,
    pub(super) cells: Vec<String>,
}

impl Looked {
    fn filled(&self) -> usize {
        self.cells
            .iter()
            .filter(|cell| !cell.trim().is_empty())
            .count()
    }
}

/// How many of the names that a mapping asks for stand in this row. `Email#2` is the second
/// `Email`; `@C` is a column by letter and says nothing.
pub(super) fn matches(cells: &[String], wanted: &[String]) -> usize {
    let folded: Vec<String> = cells.iter().map(|cell| fold(cell)).collect();
    wanted
        .iter()
        .filter(|name| {
            let name = fold(name);
            let plain = match name.rsplit_once('#') {
                Some((plain, digits))
                    if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) =>
                {
                    plain
                }
                _ => name.as_str(),
            };
            folded
                .iter()
                .any(|cell| !cell.is_empty() && (*cell == name || *cell == plain))
        })
        .count()
}

fn fold(name: &str) -> String {
    name.trim().to_lowercase()
}

/// The index of the row that holds the names: the one with most of the wanted names; where none
/// has any, the first that is as wide as the table, which passes over title lines.
pub(super) fn find(rows: &[Looked], wanted: &[String]) -> Option<usize> {
    let mut best = None;
    for (index, row) in rows.iter().enumerate() {
        let count = matches(&row.cells, wanted);
        if count > best.map_or(0, |(most, _)| most) {
            best = Some((count, index));
        }
    }
    if let Some((_, index)) = best {
        return Some(index);
    }
    let mut widths: Vec<usize> = rows
        .iter()
        .map(Looked::filled)
        .filter(|width| *width > 0)
        .collect();
    widths.sort_unstable();
    let usual = match widths.get(widths.len() / 2).copied()? {
        1 => below_titles(rows).unwrap_or(1),
        usual => usual,
    };
    // A header may have gaps, but names most of the columns that are filled.
    let enough = usual / 2 + 1;
    match rows.iter().position(|row| row.filled() >= enough) {
        Some(index) => Some(below_remarks(rows, index, usual).unwrap_or(index)),
        None => rows.iter().position(|row| row.filled() > 0),
    }
}

/// The usual width below lines of a single cell, where those are a report's titles: in a file of few
/// rows they may be as many as the rows themselves.
fn below_titles(rows: &[Looked]) -> Option<usize> {
    let first = rows.iter().position(|row| row.filled() > 1)?;
    let mut widths: Vec<usize> = rows[first..]
        .iter()
        .map(Looked::filled)
        .filter(|width| *width > 0)
        .collect();
    widths.sort_unstable();
    let usual = widths[widths.len() / 2];
    let mut words = rows[first].cells.iter().filter_map(|cell| shape(cell));
    let is_table = widths.iter().filter(|width| **width > 2).count() > 1;
    let names = rows[first].filled() > 2 && words.all(|shape| shape == Shape::Text);
    (is_table && names && usual > 2).then_some(usual)
}

/// So many rows below the first that is wide enough are looked at for a better header.
const REMARKS: usize = 12;

/// The header below the row at `index`, where that is a remark such as `Created;2025-01-01` or
/// `# id, name`: it names all columns, is all words with other things below them, and what stands
/// above it is narrower, with a value that no header has or blank rows before the header; or is
/// marked as a remark.
fn below_remarks(rows: &[Looked], index: usize, usual: usize) -> Option<usize> {
    let is_remark = |row: &Looked| {
        let first = row.cells.iter().find(|cell| !cell.trim().is_empty());
        first.is_some_and(|cell| cell.trim_start().starts_with("# "))
    };
    let is_value = |row: &Looked| {
        let mut shapes = row.cells.iter().filter_map(|cell| shape(cell));
        shapes.any(|shape| !matches!(shape, Shape::Text | Shape::Integer | Shape::Boolean))
    };
    let is_header = |at: usize| {
        let row = &rows[at];
        let words = || row.cells.iter().filter_map(|cell| shape(cell));
        row.filled() >= usual
            && words().all(|shape| shape == Shape::Text)
            && (0..row.cells.len()).any(|column| has_figures(&rows[at + 1..], column))
    };
    let above = |at: usize| &rows[index..at];
    let blank = |at: usize| rows[at].number > rows[at - 1].number + 1;
    (index + 1..rows.len().min(index + REMARKS)).find(|&at| {
        let remarks = above(at).iter().all(is_remark);
        let narrower = above(at).iter().all(|row| row.filled() < usual)
            && (blank(at) || above(at).iter().any(is_value));
        (remarks || narrower) && is_header(at)
    })
}

/// What a cell of text looks like; `None` where it is blank.
fn shape(cell: &str) -> Option<Shape> {
    let text = cell.trim();
    let kind = Kind::Text;
    (!text.is_empty()).then(|| Shape::of(Cell { text, kind }, text))
}

/// Whether the next rows have something in this column, and never words.
fn has_figures(below: &[Looked], column: usize) -> bool {
    let below = below.iter().take(20);
    let mut shapes = below
        .filter_map(|row| shape(row.cells.get(column)?))
        .peekable();
    shapes.peek().is_some() && shapes.all(|shape| shape != Shape::Text)
}

/// Whether the row of this number looks like the rows below it: it has an address, a date or a
/// phone number where they have one.
pub(super) fn looks_like_data(rows: &[Looked], number: u64) -> bool {
    let Some(at) = rows.iter().position(|row| row.number == number) else {
        return false;
    };
    let telling = |shape: &Shape| {
        matches!(
            shape,
            Shape::Email | Shape::Date | Shape::DateTime | Shape::Phone | Shape::Url
        )
    };
    rows[at].cells.iter().enumerate().any(|(index, cell)| {
        let Some(own) = shape(cell).filter(telling) else {
            return false;
        };
        let below = rows[at + 1..].iter().take(20);
        let shapes: Vec<Shape> = below
            .filter_map(|row| shape(row.cells.get(index)?))
            .collect();
        let same = shapes.iter().filter(|other| **other == own).count();
        same > 0 && same * 2 >= shapes.len()
    })
}

/// What is said of such a header of two rows; `what` is the file, or a sheet of it.
pub(super) fn goes_on_note(what: &str, number: u64) -> String {
    let next = number + 1;
    format!(
        "Row {next} of {what} looks like a second row of column names, and is read as data. If row {next} alone holds the names that count, say so: `header_row = {next}` under [source] of the mapping file (columns: --header-row {next}); else write both into one row."
    )
}

/// Whether the row after the header of this number looks like a second row of names: it is all
/// words, one of them where the header has none, and below one of them is a number, a date or the
/// like.
pub(super) fn goes_on(rows: &[Looked], number: u64) -> bool {
    let Some(at) = rows.iter().position(|row| row.number == number) else {
        return false;
    };
    let Some(next) = rows.get(at + 1).filter(|row| row.number == number + 1) else {
        return false;
    };
    let filled = || {
        let cells = next.cells.iter().enumerate();
        cells.filter_map(|(index, cell)| Some((index, shape(cell)?)))
    };
    let named = |index: usize| {
        let cell = rows[at].cells.get(index);
        cell.is_some_and(|cell| !cell.trim().is_empty())
    };
    let figures = |index: usize| has_figures(&rows[at + 2..], index);
    filled().count() > 1
        && filled().all(|(_, shape)| shape == Shape::Text)
        && filled().any(|(index, _)| !named(index))
        && filled().any(|(index, _)| figures(index))
}

/// Whether the one cell of each row is several that are lined up by spaces.
pub(super) fn lined_up<'r>(name: &str, below: impl Iterator<Item = &'r Looked>) -> bool {
    let several = |text: &str| {
        let parts = text.split("  ").filter(|part| !part.trim().is_empty());
        parts.count() > 1
    };
    let mut below = below.filter_map(|row| row.cells.first()).peekable();
    several(name) && below.peek().is_some() && below.all(|cell| several(cell))
}

/// The names of a header row, without outer space.
pub(super) fn names(cells: &[String]) -> Vec<Arc<str>> {
    cells
        .iter()
        .map(|cell| {
            Arc::from(
                formula_text(cell.trim())
                    .unwrap_or(cell.trim().into())
                    .trim(),
            )
        })
        .collect()
}

/// Whether a row has the names of the header in all its cells, outer space and byte order marks of
/// files put together aside. Other capitals are another row: short names may well be somebody's values.
pub(super) fn is_repeated<'a>(
    names: &[Arc<str>],
    mut cell: impl FnMut(usize) -> Option<&'a [u8]>,
) -> bool {
    let mut is = |index: usize, name: &str| {
        let cell = cell(index).unwrap_or_default().trim_ascii();
        let cell = match cell {
            [b'=', b'"', inner @ .., b'"'] => inner,
            _ => cell,
        };
        let cell = match cell.strip_prefix("\u{feff}".as_bytes()) {
            // Behind the mark, quotes are no quotes to the reader.
            Some(rest) => match rest {
                [b'"', inner @ .., b'"'] => inner,
                _ => rest,
            },
            None => cell,
        };
        cell == name.as_bytes()
    };
    // A table of numbers may well repeat its first row.
    let words = || names.iter().any(|name| name.contains(char::is_alphabetic));
    names.len() > 1
        && is(0, &names[0])
        && words()
        && (1..names.len()).all(|index| is(index, &names[index]))
}

/// What is wrong with such a row.
#[cold]
pub(super) fn repeated_fault(row: u64) -> Fault {
    Fault {
        code: "row.header",
        message: format!(
            "The row holds the column names of row {row} once more, as files do that were put together from several. Delete it if it is no customer."
        ),
        column: None,
    }
}

/// Whether this is the first row of a reject file of ours. That row is the header, whatever row the
/// mapping names for the first file.
pub(super) fn is_of_returned(row: &Looked) -> bool {
    row.number == 1 && returned(&names(&row.cells)).is_some()
}

/// The names of a header row as they were before our writer kept them from being run as a formula,
/// if it is that of a reject file of ours.
pub(super) fn taken(names: &mut [Arc<str>]) -> Option<Returned> {
    let returned = returned(names)?;
    for name in names {
        let plain = without_guard(name);
        if plain.len() < name.len() {
            *name = Arc::from(plain);
        }
    }
    Some(returned)
}

/// Recognises a reject file of ours that was handed back.
fn returned(names: &[Arc<str>]) -> Option<Returned> {
    let place = |wanted: &str| names.iter().rposition(|name| &**name == wanted);
    let (row, key, fate) = (place("_row")?, place("_key")?, place("_fate")?);
    let mut added = vec![row, key, fate];
    added.extend(place("_codes"));
    added.extend(place("_problems"));
    Some(Returned {
        row,
        key,
        fate,
        added,
    })
}

/// The text within quotes that stand behind a space, as in `1, "Ann"`: a reader takes them for
/// letters, and a person does not.
pub(super) fn behind_space(text: &str, quote: u8) -> Option<String> {
    if !text.starts_with(' ') {
        return None;
    }
    let quote = char::from(quote);
    let inner = text.trim().strip_prefix(quote)?.strip_suffix(quote)?;
    let double = format!("{quote}{quote}");
    (!inner.replace(&double, "").contains(quote))
        .then(|| inner.replace(&double, &quote.to_string()))
}

/// The cells of a row as texts.
pub(super) fn read_cells(cells: CellBytes<'_>, dialect: &Dialect) -> Vec<String> {
    let mut cells = cells.to_strings(dialect.delimiter);
    for cell in &mut cells {
        if let Some(inner) = behind_space(cell, dialect.quote) {
            *cell = inner;
        }
    }
    cells
}

/// The text of a cell that is a formula of nothing else: `="001"`, by which programs keep zeros.
pub(super) fn formula_text(cell: &str) -> Option<Cow<'_, str>> {
    // One byte tells for nearly all cells.
    if cell.as_bytes().first() != Some(&b'=') {
        return None;
    }
    let inner = cell.strip_prefix("=\"")?.strip_suffix('"')?;
    if !inner.contains('"') {
        return Some(Cow::Borrowed(inner));
    }
    let doubled = inner.split("\"\"").all(|part| !part.contains('"'));
    doubled.then(|| Cow::Owned(inner.replace("\"\"", "\"")))
}

/// What is said where cells are such formulas.
pub(super) fn formula_note<'a>(
    name: &str,
    mut cells: impl Iterator<Item = &'a String>,
) -> Option<String> {
    cells.any(|cell| formula_text(cell).is_some()).then(|| {
        format!(
            "Cells of {name} that are written as formulas of a text, such as =\"001\", are read as that text, as a spreadsheet program shows them."
        )
    })
}

/// A cell of such a file as it was before our writer kept it from being run as a formula.
pub(super) fn without_guard(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest,
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<Looked> {
        text.lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty())
            .map(|(index, line)| Looked {
                number: index as u64 + 1,
                cells: line.split(',').map(str::to_owned).collect(),
            })
            .collect()
    }

    #[test]
    fn the_header_is_found() {
        for (text, wanted, expected) in [
            ("id,name\n1,x\n", &[][..], Some(1)),
            (
                "Export of today\n\nid,name,mail\n1,x,y\n2,,\n",
                &[],
                Some(3),
            ),
            (
                "Report,2025\nid,name,mail,town\n1,x,y,z\n2,a,b,c\n",
                &[],
                Some(2),
            ),
            (
                "Clients,,,\n,,,\nid,name,mail,town\n1,x,y,z\n",
                &[],
                Some(3),
            ),
            ("1,2,3\nid,name,mail\n4,5,6\n", &["NAME "], Some(2)),
            ("id,name\nid,mail\n", &["id", "mail"], Some(2)),
            (
                "Export\nCreated,2025-01-01\n\nid,name,mail\n1,x,y\n2,z,w\n",
                &[],
                Some(4),
            ),
            (
                "Export\nBy,Anna\n\nid,name,mail\n1,x,y\n2,z,w\n",
                &[],
                Some(4),
            ),
            (
                "# made by, us, today\nid,name,mail\n1,x,y\n2,z,w\n",
                &[],
                Some(2),
            ),
            // A header with a gap, and rows of words below it.
            ("id,,mail\n\nx,y,z\nu,v,w\n", &[], Some(1)),
            ("id,2025-01-01,\n1,x,y\n2,z,w\n", &[], Some(1)),
            ("name\nx\n", &[], Some(1)),
            ("id,name\n", &[], Some(1)),
            ("", &[], None),
        ] {
            let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
            let rows = rows(text);
            let found = find(&rows, &wanted).map(|index| rows[index].number);
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn a_row_of_data_in_place_of_the_names_is_noticed() {
        for (text, expected) in [
            ("Anna,a@b.org\nBo,b@b.org\n", true),
            ("1,2024-01-02\n2,2024-01-03\n", true),
            ("id,mail\n1,a@b.org\n", false),
            ("name,2019,2020\nx,1,2\n", false),
            ("id,info@b.org\n1,x\n", false),
            ("Anna,a@b.org\n", false),
        ] {
            assert_eq!(looks_like_data(&rows(text), 1), expected, "{text:?}");
        }
    }

    #[test]
    fn a_second_row_of_names_is_noticed() {
        for (text, expected) in [
            (
                "id,Contact,,\n,Mail,Phone,Since\n1,a@b.org,+49 30 1234567,2024-01-02\n",
                true,
            ),
            ("id,Contact,\n,Mail,Note\n1,a@b.org,x\n2,c@d.org,y\n", true),
            // Without a name missing above, it may be a row of words.
            ("id,mail\nnone,missing\n1,a@b.org\n", false),
            // Of words alone nothing can be told.
            ("id,name,\nx,Anna,y\nz,Bo,w\n", false),
            ("id,name,\n1,Anna,y\n2,Bo,w\n", false),
            ("id,name,\n\nx,Anna,y\n2,Bo,w\n", false),
            ("id,name,\nx,Anna,y\n", false),
        ] {
            assert_eq!(goes_on(&rows(text), 1), expected, "{text:?}");
        }
    }

    #[test]
    fn wanted_names_match_as_a_mapping_matches_them() {
        let cells = vec!["Email".to_owned(), " email ".to_owned(), "C#1".to_owned()];
        for (name, count) in [
            ("EMAIL", 1),
            ("Email#2", 1),
            ("c#1", 1),
            ("@C", 0),
            ("x", 0),
        ] {
            assert_eq!(matches(&cells, &[name.to_owned()]), count, "{name}");
        }
    }

    #[test]
    fn a_returned_file_is_recognised() {
        let names = |text: &str| text.split(',').map(Arc::from).collect::<Vec<Arc<str>>>();
        let found = returned(&names("id,name,_row,_key,_fate,_codes,_problems")).unwrap();
        assert_eq!((found.row, found.key, found.fate), (2, 3, 4));
        assert_eq!(found.added, [2, 3, 4, 5, 6]);
        assert_eq!(returned(&names("id,_row,_key")), None);
    }

    #[test]
    fn quotes_behind_a_space_are_taken_off() {
        for (cell, expected) in [
            (" \"Lee, Ann\" ", Some("Lee, Ann")),
            (" \"a \"\"b\"\"\"", Some("a \"b\"")),
            (" \"a\" or \"b\"", None),
            ("\"a\"", None),
            (" \"", None),
            (" a", None),
        ] {
            assert_eq!(behind_space(cell, b'"').as_deref(), expected, "{cell}");
        }
    }

    #[test]
    fn the_guard_before_a_formula_is_taken_off_once() {
        for (cell, expected) in [
            ("'=1", "=1"),
            ("''x", "'x"),
            ("'x", "'x"),
            ("'+49", "+49"),
            ("=1", "=1"),
            ("'", "'"),
        ] {
            assert_eq!(without_guard(cell), expected);
        }
    }

    #[test]
    fn titles_above_a_short_table_are_no_header() {
        for (text, expected) in [
            (
                "Acme,,,\nContacts,,,\nAs of today,,,\n,,,\nName,Mail,Phone,Town\nAnn,a@b.org,1,X\nBob,b@b.org,2,Y\n,,,\nFriday,,,\n",
                4,
            ),
            ("Name,,\nAnn,,\nBob,,\nCy,a@b.org,X\n", 0),
            ("Name\nAnn\nBob\n", 0),
        ] {
            assert_eq!(find(&rows(text), &[]), Some(expected), "{text}");
        }
    }

    #[test]
    fn formulas_of_a_text_are_that_text() {
        for (cell, expected) in [
            ("=\"001\"", Some("001")),
            ("=\"\"", Some("")),
            ("=\"a\"\"b\"", Some("a\"b")),
            ("=\"a\"&\"b\"", None),
            ("=\"a", None),
            ("=\"", None),
            ("=1", None),
            ("'=\"001\"", None),
            ("\"001\"", None),
        ] {
            assert_eq!(formula_text(cell).as_deref(), expected, "{cell}");
        }
    }

    #[test]
    fn a_header_of_a_second_file_is_one_with_its_mark() {
        let names: Vec<Arc<str>> = vec!["Id".into(), "Name".into()];
        for (cells, expected) in [
            (["Id", "Name"], true),
            (["\u{feff}Id", " Name"], true),
            (["\u{feff}\"Id\"", "Name"], true),
            (["\u{feff}Id", "Anna"], false),
            (["\u{feff}1", "Name"], false),
        ] {
            let cell = |index: usize| cells.get(index).map(|cell| cell.as_bytes());
            assert_eq!(is_repeated(&names, cell), expected, "{cells:?}");
        }
    }
}
