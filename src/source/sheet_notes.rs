//! What a sheet has that a person sees and a list of cells does not show.

use super::origin::Origin;
use super::sheet_xml::Survey;
use crate::area::Area;
use crate::row::Header;

/// What the user should know of a sheet that is read.
pub(super) fn told(
    origin: &Origin,
    sheet: &str,
    survey: &Survey,
    header: &Header,
    area: Area,
) -> Vec<String> {
    let name = &origin.name;
    let mut notes = Vec::new();
    let first = area.rows.0.max(header.row + 1);
    let runs: Vec<(u64, u64)> = survey
        .hidden
        .iter()
        .map(|run| (run.0.max(first), run.1.min(area.rows.1)))
        .filter(|run| run.0 <= run.1)
        .collect();
    let hidden: u64 = runs.iter().map(|run| run.1 - run.0 + 1).sum();
    if hidden > 0 {
        let some: Vec<String> = runs
            .iter()
            .take(5)
            .map(|(from, to)| match to - from {
                0 => from.to_string(),
                _ => format!("{from}-{to}"),
            })
            .collect();
        let more = if runs.len() > 5 { ", …" } else { "" };
        notes.push(format!(
            "{} of sheet {sheet:?} of {name}, hidden by a filter or by hand, {} read like the others: row {}{more}. Delete what is not meant to be read.",
            counted(hidden, "row"),
            if hidden == 1 { "is" } else { "are" },
            some.join(", "),
        ));
    }
    let read = Area {
        rows: (first, area.rows.1),
        columns: (
            header.first_column,
            (header.first_column + header.names.len()).saturating_sub(1),
        ),
    };
    let mut merged = survey.merged.iter().filter(|merged| merged.meets(&read));
    if let Some(first) = merged.next() {
        let count = merged.count() as u64 + 1;
        notes.push(format!(
            "{} of sheet {sheet:?} of {name} {} merged cells (the first: {}): the value stands in the first cell of each, and the others are read as empty. Split them and fill in the value if it counts for all.",
            counted(count, "area"),
            if count == 1 { "is" } else { "are" },
            first.name(),
        ));
    }
    if survey.no_result > 0 {
        notes.push(format!(
            "{} of sheet {sheet:?} of {name} {} no saved result (the first: {}): such cells cannot be read. Open the file in a spreadsheet program and save it there.",
            counted(survey.no_result, "formula"),
            if survey.no_result == 1 { "has" } else { "have" },
            survey.first_no_result.as_deref().unwrap_or_default(),
        ));
    }
    notes
}

fn counted(count: u64, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}
