//! Rows with the same key side by side.

use std::fmt::Write as _;

use super::super::summary::Summary;
use super::super::words::{counted, number};
use super::details::{Details, Pair, Place};
use super::escape::{escaped, put};
use super::page::file_name;
use super::parts::{section, value, with_code};
use crate::row::RowPlace;

/// The most pairs that are not folded.
const OPEN: usize = 6;

fn row_name(place: &Place, summary: &Summary) -> String {
    let row = RowPlace::new(place.sheet.as_deref(), place.row);
    match summary.inputs.get(place.input) {
        Some(input) if summary.inputs.len() > 1 => format!("{} row {row}", file_name(input)),
        _ => format!("row {row}"),
    }
}

/// The section on duplicates.
pub(super) fn pairs(page: &mut String, summary: &Summary, details: &Details) {
    if details.pairs.is_empty() {
        return;
    }
    section(page, "duplicates", "Duplicates side by side");
    let shown = details.pairs.len() as u64;
    let _ = write!(
        page,
        r#"<p class="lead">{} the key of another row. {}</p>"#,
        match details.pairs_total {
            1 => "1 row has".to_owned(),
            many => format!("{} rows have", number(many)),
        },
        match details.pairs_total > shown {
            true => format!("The first {} are shown.", number(shown)),
            false => String::new(),
        }
    );
    let all = details.pairs.iter().enumerate();
    for (at, pair) in all.clone().take(OPEN) {
        one_pair(page, at, pair, summary, details);
    }
    if details.pairs.len() > OPEN {
        let _ = write!(
            page,
            r#"<details class="more"><summary>{} more</summary>"#,
            counted(shown - OPEN as u64, "pair", "pairs")
        );
        for (at, pair) in all.skip(OPEN) {
            one_pair(page, at, pair, summary, details);
        }
        page.push_str("</details>");
    }
    page.push_str("</section>");
}

fn one_pair(page: &mut String, at: usize, pair: &Pair, summary: &Summary, details: &Details) {
    let (other, row) = (row_name(&pair.other, summary), row_name(&pair.row, summary));
    let (other, row) = (escaped(&other), escaped(&row));
    let _ = write!(
        page,
        r#"<div class="pair"><h3>{row} has the key of {other}: {}</h3><p>"#,
        escaped(&pair.fate)
    );
    with_code(page, &pair.note);
    page.push_str("</p>");
    let differing = pair.cells.iter().filter(|cell| cell.differs).count() + pair.more;
    if details.kept {
        let names = pair.cells.iter().filter(|cell| cell.differs);
        let names: Vec<String> = names.map(|cell| escaped(&cell.column)).collect();
        let _ = match names.as_slice() {
            [] => write!(page, "<p>No cell differs.</p></div>"),
            names => write!(page, "<p>They differ in {}.</p></div>", names.join(", ")),
        };
        return;
    }
    if pair.cells.is_empty() {
        page.push_str("</div>");
        return;
    }
    let _ = write!(
        page,
        r#"<div class="scroll" tabindex="0" role="region" aria-labelledby="pair-{at}"><table><caption id="pair-{at}">{}</caption><thead><tr><th scope="col">Column</th><th scope="col">{other}</th><th scope="col">{row}</th></tr></thead><tbody>"#,
        match differing {
            0 => "No cell differs".to_owned(),
            many => format!(
                "{} differ{}",
                counted(many as u64, "cell", "cells"),
                if many == 1 { "s" } else { "" }
            ),
        }
    );
    for cell in &pair.cells {
        page.push_str(r#"<tr><th scope="row">"#);
        put(page, &cell.column);
        if cell.key {
            page.push_str(" <small>key</small>");
        }
        page.push_str("</th>");
        for text in [&cell.other, &cell.row] {
            page.push_str(match cell.differs {
                true => r#"<td class="differs">"#,
                false => "<td>",
            });
            value(page, text);
            page.push_str("</td>");
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div>");
    if pair.more > 0 {
        let _ = write!(
            page,
            "<p>{} differ.</p>",
            counted(pair.more as u64, "more cell", "more cells")
        );
    }
    page.push_str("</div>");
}
