//! Lines below a table that sum it up and are no customers.

use crate::row::{Fault, Row, RowBatch};

/// How many lines below a table are looked at.
const LINES: usize = 4;

/// What such lines begin with, in small letters.
const WORDS: [&str; 36] = [
    "total",
    "totals",
    "grand total",
    "sub total",
    "subtotal",
    "sub-total",
    "sum",
    "sums",
    "average",
    "count",
    "row count",
    "record count",
    "number of rows",
    "number of records",
    "total rows",
    "total records",
    "end of file",
    "end of report",
    "summe",
    "gesamt",
    "gesamtsumme",
    "gesamtergebnis",
    "insgesamt",
    "anzahl",
    "totaal",
    "totale",
    "totaux",
    "total general",
    "total général",
    "somme",
    "suma",
    "suma total",
    "razem",
    "итого",
    "всего",
    "合计",
];

/// Marks the rows at the end of a table that sum up what is above them: those of the last batch, and
/// of the one before it, so that it does not matter where one ends.
pub(super) fn mark(before: Option<&mut RowBatch>, last: &mut RowBatch, columns: usize) {
    let mut left = LINES;
    for batch in [Some(last), before].into_iter().flatten() {
        for index in (0..batch.len()).rev() {
            if left == 0 {
                return;
            }
            left -= 1;
            let row = batch.row(index);
            if is_total(row, columns) {
                batch.set_fault(index, fault());
            } else if row.fault().is_none() {
                return;
            }
        }
    }
}

fn fault() -> Fault {
    Fault {
        code: "row.total",
        message: "The row sums up the rows above it and is no customer. Delete it; or, if it is one, write its name otherwise.".to_owned(),
        column: None,
    }
}

/// Whether the row begins with a word for a total, and has hardly anything but numbers behind it.
fn is_total(row: Row<'_>, columns: usize) -> bool {
    let mut filled = row
        .cells()
        .map(|cell| cell.text.trim())
        .filter(|text| !text.is_empty());
    let Some(first) = filled.next() else {
        return false;
    };
    let mut others = 0;
    for text in filled {
        others += 1;
        if !is_number(text) {
            return false;
        }
    }
    // A table of one column may hold such a word as a name.
    columns > 1 && others * 2 <= columns && begins_total(first)
}

fn is_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
        && !text.chars().any(char::is_alphabetic)
        && text.len() <= 40
}

fn begins_total(text: &str) -> bool {
    if text.len() > 80 {
        return false;
    }
    let text = text
        .trim_matches(|c: char| matches!(c, '-' | '*' | '=' | '#' | '(' | ')' | ' '))
        .to_lowercase();
    // `(91 rows)`, `91 records`, `(91 rows affected)`
    if let Some((number, rest)) = text.split_once(' ')
        && is_number(number)
    {
        let mut words = rest.split_whitespace();
        return matches!(
            words.next(),
            Some("row" | "rows" | "record" | "records" | "zeilen" | "datensätze")
        ) && matches!(
            words.next(),
            None | Some("affected" | "selected" | "exported" | "returned")
        );
    }
    WORDS.iter().any(|word| {
        text.strip_prefix(word).is_some_and(|rest| {
            let rest = rest.trim_start();
            rest.is_empty()
                || rest.starts_with([':', '='])
                || (rest.len() < text.len() - word.len() && is_number(rest))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::row::Kind;

    #[test]
    fn lines_that_sum_up_are_told_from_customers() {
        for (cells, expected) in [
            (&["Total", "", "", "91"][..], true),
            (&["", "Total:", "", "1,234.50"], true),
            (&["TOTAL 91", "", "", ""], true),
            (&["Total: 91 customers"], true),
            (&["(91 rows affected)"], true),
            (&["91 records", "", "", ""], true),
            (&["Summe", "", "12,50 €", ""], true),
            (&["--- End of report ---"], true),
            (&["Total", "Paris", "", "91"], false),
            (&["Total", "1", "2", "3"], false),
            (&["TotalEnergies", "", "", ""], false),
            (&["Total Solutions Ltd", "", "", "7"], false),
            (&["Summer", "", "", "7"], false),
            (&["12 Oaks", "", "", ""], false),
            (&["", "", "", "7"], false),
        ] {
            let mut batch = RowBatch::default();
            for row in [&["1", "Anna", "Ulm", "7"][..], cells] {
                row.iter()
                    .for_each(|cell| batch.push_cell(cell, Kind::Text));
                batch.end_row(batch.len() as u64 + 2, 0, None);
            }
            mark(None, &mut batch, 4);
            let code = batch.row(1).fault().map(|fault| fault.code);
            assert_eq!(code, expected.then_some("row.total"), "{cells:?}");
            assert_eq!(batch.row(0).fault(), None);
        }
    }

    #[test]
    fn only_the_end_of_a_table_is_looked_at() {
        let mut batch = RowBatch::default();
        for row in [
            ["Total", "5"],
            ["Anna", "7"],
            ["Total", "12"],
            ["Average", "6"],
        ] {
            row.iter()
                .for_each(|cell| batch.push_cell(cell, Kind::Text));
            batch.end_row(batch.len() as u64 + 2, 0, None);
        }
        mark(None, &mut batch, 2);
        let codes: Vec<_> = batch
            .rows()
            .map(|row| row.fault().map(|fault| fault.code))
            .collect();
        assert_eq!(codes, [None, None, Some("row.total"), Some("row.total")]);
    }
}
