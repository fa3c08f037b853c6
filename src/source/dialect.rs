//! What separates the cells of a CSV file and what ends its lines.

use std::io;

use super::Quoting;
use super::header::{self, Looked};
use super::records::Records;

/// The delimiters that are tried, the likeliest first.
pub(super) const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Tried where none of those separates anything; they stand in texts and times as well, so that
/// all rows must have the same number of at least two of them.
const RARE: [u8; 4] = [b':', b'^', b'~', 0x1F];

/// Rows looked at to find delimiter and header.
const LOOKED_AT: usize = 200;

/// The decoded start of a file.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) bytes: Vec<u8>,
    /// Whether this is the whole file.
    pub(super) whole: bool,
}

/// What separates what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    /// The character around cells that hold delimiters or line ends.
    pub(super) quote: u8,
    /// The first line is a hint such as `sep=;`, written by some spreadsheet programs for others.
    pub(super) hint: bool,
}

/// Finds the delimiter: the one given, else that of a hint line, else the one by which most rows
/// have the same number of cells; a header that holds the wanted names outweighs this.
pub(super) fn find(sample: &Sample, given: Option<u8>, wanted: &[String]) -> io::Result<Dialect> {
    let hint = hinted(&sample.bytes);
    let tried = |delimiter, hint: bool| -> io::Result<(Dialect, Vec<Looked>)> {
        let dialect = Dialect {
            delimiter,
            quote: b'"',
            hint,
        };
        let found = rows(sample, dialect)?;
        if !in_apostrophes(&found) {
            return Ok((dialect, found));
        }
        let dialect = Dialect {
            quote: b'\'',
            ..dialect
        };
        Ok((dialect, rows(sample, dialect)?))
    };
    if let Some(delimiter) = given.or(hint) {
        return Ok(tried(delimiter, hint.is_some())?.0);
    }
    let mut best: Option<(Dialect, f64)> = None;
    for delimiter in DELIMITERS {
        let (dialect, rows) = tried(delimiter, false)?;
        let score = score(&rows, wanted);
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((dialect, score));
        }
    }
    if best.is_none_or(|(_, most)| most == 0.0) {
        for delimiter in RARE {
            let (dialect, rows) = tried(delimiter, false)?;
            let width = rows.first().map_or(0, |row| row.cells.len());
            if width > 2 && rows.len() > 1 && rows.iter().all(|row| row.cells.len() == width) {
                return Ok(dialect);
            }
        }
    }
    Ok(best.map_or(
        Dialect {
            delimiter: DELIMITERS[0],
            quote: b'"',
            hint: false,
        },
        |(dialect, _)| dialect,
    ))
}

/// Whether all cells of the first row stand in apostrophes, which then are the quotes.
fn in_apostrophes(rows: &[Looked]) -> bool {
    rows.first().is_some_and(|row| {
        row.cells.iter().all(|cell| {
            cell.strip_prefix('\'')
                .is_some_and(|rest| rest.ends_with('\''))
        })
    })
}

fn hinted(bytes: &[u8]) -> Option<u8> {
    let line = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next()?;
    let (word, rest) = line.split_at_checked(4)?;
    let [delimiter] = rest else { return None };
    (word.eq_ignore_ascii_case(b"sep=") && delimiter.is_ascii() && *delimiter != b'"')
        .then_some(*delimiter)
}

fn score(rows: &[Looked], wanted: &[String]) -> f64 {
    let mut widths: Vec<usize> = rows.iter().map(|row| row.cells.len()).collect();
    widths.sort_unstable();
    let (mut usual, mut most) = (0, 0);
    for group in widths.chunk_by(|a, b| a == b) {
        // Of two that are as frequent the wider one, so that title lines do not decide.
        if group[0] > 1 && group.len() >= most {
            (usual, most) = (group[0], group.len());
        }
    }
    let mut known = 0;
    for row in rows {
        let found = header::matches(&row.cells, wanted);
        // A known header says how wide the rows are: in a file of one column a `;` is text.
        if found > known {
            known = found;
            usual = row.cells.len();
            most = widths.iter().filter(|width| **width == usual).count();
        }
    }
    let statistics = if usual > 1 {
        (most as f64 / rows.len() as f64).powi(2) * (usual - 1) as f64
    } else {
        0.0
    };
    statistics + known as f64 * 100.0
}

/// The first rows of a sample as text; blank lines are left out but counted.
pub(super) fn rows(sample: &Sample, dialect: Dialect) -> io::Result<Vec<Looked>> {
    let mut records = Records::new(
        sample.bytes.as_slice(),
        dialect.delimiter,
        dialect.quote,
        1 << 16,
    );
    if dialect.hint {
        records.skip_hint()?;
    }
    let mut rows = Vec::new();
    while rows.len() < LOOKED_AT
        && let Some(record) = records.next()?
    {
        // The last record of a sample may be cut; an open quote may close behind the sample.
        if !sample.whole && (records.at_end() || record.broken.is_some()) {
            break;
        }
        rows.push(Looked {
            number: record.number,
            cells: header::read_cells(records.cells(&record), &dialect),
        });
    }
    Ok(rows)
}

/// The line end that comes first.
pub(super) fn terminator(sample: &[u8]) -> &'static str {
    match memchr::memchr2(b'\n', b'\r', sample) {
        Some(at) if sample[at] == b'\n' => "\n",
        Some(at) if sample.get(at + 1) == Some(&b'\n') => "\r\n",
        Some(_) => "\r",
        None => "\n",
    }
}

/// Which cells of the sample stand in quotes. One that stands in none, and is neither empty nor a
/// number, tells that only those do that need it.
pub(super) fn quoting(sample: &Sample, dialect: Dialect) -> Quoting {
    let Dialect {
        delimiter, quote, ..
    } = dialect;
    let start = match dialect.hint {
        true => memchr::memchr2(b'\n', b'\r', &sample.bytes).unwrap_or(0),
        false => 0,
    };
    let mut rest = &sample.bytes[start..];
    let (mut quoted, mut numbers) = (0usize, 0usize);
    while !rest.is_empty() {
        let end = |from: usize| {
            memchr::memchr3(delimiter, b'\n', b'\r', &rest[from..])
                .map_or(rest.len(), |at| from + at)
        };
        let end = if rest[0] == quote {
            quoted += 1;
            let mut at = 1;
            loop {
                match memchr::memchr(quote, &rest[at..]) {
                    // What the sample cuts off is not told.
                    None => break rest.len(),
                    Some(run) if rest.get(at + run + 1) == Some(&quote) => at += run + 2,
                    Some(run) => break end(at + run + 1),
                }
            }
        } else {
            let end = end(0);
            let cell = &rest[..end];
            let number = || std::str::from_utf8(cell).is_ok_and(|text| text.parse::<f64>().is_ok());
            match cell {
                [] => {}
                _ if number() => numbers += 1,
                _ if end == rest.len() && !sample.whole => {}
                _ => return Quoting::AsNeeded,
            }
            end
        };
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    match (quoted, numbers) {
        (0, _) => Quoting::AsNeeded,
        (_, 0) => Quoting::All,
        _ => Quoting::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str, wanted: &[&str]) -> Dialect {
        let sample = Sample {
            bytes: text.as_bytes().to_vec(),
            whole: true,
        };
        let wanted: Vec<String> = wanted.iter().map(|&name| name.to_owned()).collect();
        find(&sample, None, &wanted).unwrap()
    }

    #[test]
    fn cells_in_quotes_are_found() {
        for (text, expected) in [
            ("a,b\n1,2\n", Quoting::AsNeeded),
            ("\"a\",\"b\"\n1,\"2\"\n", Quoting::Text),
            ("\"a\",\"b\"\r\n\"1\",\"x\"\"y,\nz\"\r\n", Quoting::All),
            ("\"a\",\"b\"\n,\"2\"\n\n", Quoting::All),
            ("\"a\",\"b\"\nx,\"2\"\n", Quoting::AsNeeded),
            ("sep=;\n\"a\";\"b\"\n\"1\";\"2\"", Quoting::All),
            ("", Quoting::AsNeeded),
            ("\"a\",\"b", Quoting::All),
        ] {
            let sample = Sample {
                bytes: text.as_bytes().to_vec(),
                whole: true,
            };
            let dialect = find(&sample, None, &[]).unwrap();
            assert_eq!(quoting(&sample, dialect), expected, "{text:?}");
        }
    }

    #[test]
    fn the_delimiter_is_found() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2,5\n", b';'),
            ("name;amount;town\nx;1,5;y\nz;2,5;w\n", b';'),
            ("a\tb\n1,2\t3\n", b'\t'),
            ("a|b|c\n1|2|3\n", b'|'),
            ("name\nx\n", b','),
            ("Title, with comma\n\na;b;c\n1;2;3\n4;5;6\n", b';'),
            ("a,b\n\"x;y;z\",1\n\"u;v;w\",2\n", b','),
            ("", b','),
            ("a:b:c\n1:2:3\n", b':'),
            ("at\n10:30:00\n11:45:00\n", b','),
            ("url\nhttp://a:1/\n", b','),
            ("a^b^c\n1^2^3\n", b'^'),
        ] {
            assert_eq!(found(text, &[]).delimiter, delimiter, "{text:?}");
        }
    }

    #[test]
    fn wanted_names_outweigh_the_count() {
        let text = "Name|Remark\nx|a, b, c, d\ny|e, f, g, h\n";
        assert_eq!(found(text, &["Name", "Remark"]).delimiter, b'|');
    }

    #[test]
    fn a_hint_line_is_obeyed() {
        let dialect = found("sep=|\r\na,b|c\r\n", &[]);
        assert_eq!(
            dialect,
            Dialect {
                delimiter: b'|',
                quote: b'"',
                hint: true
            }
        );
        assert!(!found("sep=ab\n", &[]).hint);
    }

    #[test]
    fn apostrophes_around_all_names_are_quotes() {
        for (text, quote) in [
            ("'a';'b'\n'x;y';'z'\n", b'\''),
            ("'a','b'\n1,'it''s'\n", b'\''),
            ("'a',b\n1,2\n", b'"'),
            ("a,b\n'x','y'\n", b'"'),
        ] {
            assert_eq!(found(text, &[]).quote, quote, "{text:?}");
        }
    }

    #[test]
    fn the_first_line_end_is_told() {
        for (text, expected) in [
            ("a\nb", "\n"),
            ("a\r\nb", "\r\n"),
            ("a\rb", "\r"),
            ("a", "\n"),
        ] {
            assert_eq!(terminator(text.as_bytes()), expected);
        }
    }
}
