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

/// Marks the rows at the end of a table that sum up what is above them, and remarks below such rows:
/// those of the last batch, and of the one before it, so that it does not matter where one ends.
pub(super) fn mark(before: Option<&mut RowBatch>, last: &mut RowBatch, columns: usize) {
    let mut left = LINES;
    // Remarks, in the last batch or the one before, of which a total above them is yet to be found.
    let mut remarks: Vec<(bool, usize)> = Vec::new();
    let mut batches = [Some(last), before];
    for which in 0..batches.len() {
        let Some(length) = batches[which].as_ref().map(|batch| batch.len()) else {
            continue;
        };
        for index in (0..length).rev() {
            let Some(batch) = batches[which].as_deref_mut() else {
                return;
            };
            if left == 0 {
                return;
            }
            left -= 1;
            let row = batch.row(index);
            if is_total(row, columns) {
                batch.set_fault(index, fault());
                for (in_last, index) in remarks.drain(..) {
                    if let Some(batch) = &mut batches[usize::from(!in_last)] {
                        batch.set_fault(index, remark());
                    }
                }
            } else if row.fault().is_none() {
                if !is_remark(row, columns) {
                    return;
                }
                remarks.push((which == 0, index));
            }
        }
    }
}

fn remark() -> Fault {
    Fault {
        code: "row.total",
        message: "The row stands below the one that sums up the table, has a single text, and is no customer. Delete it; or, if it is one, move it above that row.".to_owned(),
        column: None,
    }
}

/// Whether the row has nothing but a text at its start, as a remark of the program that wrote the file.
fn is_remark(row: Row<'_>, columns: usize) -> bool {
    let mut cells = row.cells().map(|cell| cell.text.trim());
    let first = cells.next().unwrap_or_default();
    // In a table of two columns a customer may well have a name and no more.
    let long = columns > 2 || first.split_whitespace().nth(2).is_some();
    columns > 1 && !first.is_empty() && long && cells.all(str::is_empty)
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

    #[test]
    fn a_remark_below_a_total_is_no_customer_and_one_below_a_customer_may_be() {
        let total = ["TOTAL", "", "11"];
        let accrual = ["Accrual Basis Friday, January 31, 2025", "", ""];
        let anna = ["Anna", "a@x.example", "7"];
        let bob = ["Bob", "", ""];
        for (rows, expected) in [
            (vec![anna, total, accrual], vec![false, true, true]),
            (
                vec![anna, total, accrual, accrual],
                vec![false, true, true, true],
            ),
            (vec![anna, bob], vec![false, false]),
            (vec![anna, total, anna, bob], vec![false; 4]),
            (vec![anna, total, bob, anna], vec![false; 4]),
        ] {
            for cut in 0..rows.len() {
                let mut batches = [RowBatch::default(), RowBatch::default()];
                for (index, row) in rows.iter().enumerate() {
                    let batch = &mut batches[usize::from(index >= cut)];
                    row.iter()
                        .for_each(|cell| batch.push_cell(cell, Kind::Text));
                    batch.end_row(index as u64 + 2, 0, None);
                }
                let [before, last] = &mut batches;
                mark(Some(before), last, 3);
                let marked = batches
                    .iter()
                    .flat_map(|batch| batch.rows().map(|row| row.fault().is_some()));
                assert_eq!(marked.collect::<Vec<_>>(), expected, "{rows:?} {cut}");
            }
        }
    }
}
