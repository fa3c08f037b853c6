//! Which ledgers a command looks into.

use std::path::{Path, PathBuf};

use crate::issue::Mistake;
use crate::ledger::{self, LedgerError, Reader};

/// The ledgers that were found, and what is wrong with others.
pub(super) struct Found {
    pub(super) ledgers: Vec<Reader>,
    pub(super) mistakes: Vec<Mistake>,
}

/// The ledger that was named, or else all of the state folder, in the order of their names; those of
/// one target where that is named. One that cannot be read is a mistake, and does not hide the others.
pub(super) fn find(named: Option<&Path>, target: Option<&str>) -> Found {
    let mut found = Found {
        ledgers: Vec::new(),
        mistakes: Vec::new(),
    };
    let paths = match named {
        Some(path) => vec![path.to_path_buf()],
        None => match in_state_folder() {
            Ok(paths) => paths,
            Err(error) => {
                found
                    .mistakes
                    .push(Mistake::new("ledger", error.to_string()));
                return found;
            }
        },
    };
    for path in paths {
        match Reader::open(&path) {
            Ok(reader) if target.is_none_or(|target| target == reader.target()) => {
                found.ledgers.push(reader);
            }
            Ok(_) => {}
            Err(error) => found
                .mistakes
                .push(Mistake::new("ledger", error.to_string())),
        }
    }
    found
}

fn in_state_folder() -> Result<Vec<PathBuf>, LedgerError> {
    let folder = ledger::default_folder()?;
    // No folder, no ledgers.
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Ok(Vec::new());
    };
    let mut paths: Vec<PathBuf> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "db"))
        // One that a run has just begun to make holds nothing yet.
        .filter(|path| std::fs::metadata(path).is_ok_and(|file| file.len() > 0))
        .collect();
    paths.sort();
    Ok(paths)
}

/// A time in milliseconds since 1970 as people read it, where they are.
pub(super) fn local(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(time) => time
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%Y-%m-%d %H:%M:%S")
            .to_string(),
        Err(_) => "?".to_owned(),
    }
}

/// The same for programs: RFC 3339 in UTC.
pub(super) fn rfc_3339(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms).map_or_else(|_| "?".to_owned(), |time| time.to_string())
}

/// Columns of text under their names, as wide as they must be; the last is not filled up.
pub(super) fn table(names: &[&str], rows: &[Vec<String>]) -> String {
    use unicode_width::UnicodeWidthStr;
    let wide = |column: usize| {
        let cells = rows.iter().map(|row| row[column].width());
        cells.chain([names[column].width()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..names.len()).map(wide).collect();
    let line = |cells: &mut dyn Iterator<Item = &str>| {
        let mut text = String::new();
        for (column, cell) in cells.enumerate() {
            text.push_str(cell);
            if column + 1 < widths.len() {
                let fill = widths[column].saturating_sub(cell.width()) + 2;
                text.extend(std::iter::repeat_n(' ', fill));
            }
        }
        text.trim_end().to_owned()
    };
    let mut lines = vec![line(&mut names.iter().copied())];
    lines.extend(
        rows.iter()
            .map(|row| line(&mut row.iter().map(String::as_str))),
    );
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["1", "Zoë", "x"]), row(["1234", "東京", ""])];
        insta::assert_snapshot!(table(&["ROW", "KEY", "LAST"], &rows), @r"
        ROW   KEY   LAST
        1     Zoë   x
        1234  東京
        ");
    }

    #[test]
    fn times_are_told() {
        assert_eq!(rfc_3339(0), "1970-01-01T00:00:00Z");
        assert_eq!(rfc_3339(i64::MAX), "?");
        assert_eq!(local(0).len(), "1970-01-01 00:00:00".len());
    }
}
