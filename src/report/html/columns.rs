//! Columns by how far they are filled and by errors, with where in the file those are.

use std::fmt::Write as _;

use super::super::words::{counted, number};
use super::details::{ColumnDetails, Details};
use super::escape::{id, put};
use super::parts::section;
use super::picture;

/// The most columns that are listed.
const MOST: usize = 400;

/// The section on the rows and columns of the inputs.
pub(super) fn put_columns(page: &mut String, details: &Details, inputs: &[String]) {
    if details.columns.is_empty() || details.strips.buckets.is_empty() {
        return;
    }
    section(page, "where", "Where it is");
    whole(page, details, inputs);
    table(page, details, inputs.len() > 1);
    page.push_str("</section>");
}

/// All rows.
fn whole(page: &mut String, details: &Details, inputs: &[String]) {
    let strips = &details.strips;
    let problems = strips
        .buckets
        .iter()
        .any(|bucket| bucket.refused + bucket.warned > 0);
    if !problems {
        page.push_str("<p>No row is refused or warned of.</p>");
        return;
    }
    page.push_str(r#"<figure class="whole"><figcaption>"#);
    let each = match strips.width {
        1 => "Each bar is a row".to_owned(),
        width => format!(
            "Each bar stands for {}, the taller the more of them",
            counted(width, "row", "rows")
        ),
    };
    let warned = strips.buckets.iter().any(|bucket| bucket.warned > 0);
    let _ = write!(
        page,
        r#"The file from its first row to its last. {each}: <span class="key bad-key">refused</span>"#
    );
    if warned {
        page.push_str(r#", <span class="key warn-key">with a warning</span>"#);
    }
    page.push_str(".</figcaption>");
    picture::rows(page, strips);
    page.push_str(r#"<div class="axis" aria-hidden="true">"#);
    let buckets = &strips.buckets;
    let several = inputs.len() > 1;
    let name = |input: u64| inputs.get(input as usize).map_or("", String::as_str);
    let places = [
        0,
        buckets.len() / 4,
        buckets.len() / 2,
        buckets.len() * 3 / 4,
    ];
    let mut marks: Vec<String> = Vec::new();
    if buckets.len() >= 8 {
        for at in places {
            let bucket = &buckets[at];
            marks.push(match several {
                true => format!(
                    "{} row {}",
                    file_name(name(bucket.input)),
                    number(bucket.first)
                ),
                false => format!("row {}", number(bucket.first)),
            });
        }
    } else if let Some(first) = buckets.first() {
        marks.push(format!("row {}", number(first.first)));
    }
    if let Some(last) = buckets.last() {
        marks.push(format!("row {}", number(last.last)));
    }
    for mark in marks {
        page.push_str("<span>");
        put(page, &mark);
        page.push_str("</span>");
    }
    page.push_str("</div></figure>");
}

fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn table(page: &mut String, details: &Details, several: bool) {
    let bad = details.columns.iter().filter(|column| column.errors > 0);
    let bad = bad.count() as u64;
    page.push_str(r#"<div class="scroll" tabindex="0" role="region" aria-labelledby="columns-caption"><table class="columns"><caption id="columns-caption">"#);
    let _ = write!(
        page,
        "{}, {}",
        counted(details.columns.len() as u64, "column", "columns"),
        match bad {
            0 => "none with errors".to_owned(),
            bad => format!("{} with errors", number(bad)),
        }
    );
    page.push_str("</caption><thead><tr>");
    if !several {
        page.push_str(r#"<th scope="col" class="letter"><abbr title="The column's letters in a spreadsheet program">Col.</abbr></th>"#);
    }
    page.push_str(r#"<th scope="col">Name</th><th scope="col" class="fill">Filled</th><th scope="col" class="n">Errors</th><th scope="col" class="n">Warnings</th><th scope="col" class="where">Where in the file</th></tr></thead><tbody>"#);
    for (index, column) in details.columns.iter().enumerate().take(MOST) {
        row(page, details, index, column, several);
    }
    page.push_str("</tbody></table></div>");
    if details.columns.len() > MOST {
        let _ = write!(
            page,
            "<p>The first {} columns are listed.</p>",
            number(MOST as u64)
        );
    }
}

fn row(page: &mut String, details: &Details, index: usize, column: &ColumnDetails, several: bool) {
    let class = if column.used {
        ""
    } else {
        r#" class="unused""#
    };
    let _ = write!(page, "<tr{class}>");
    if !several {
        page.push_str(r#"<td class="letter">"#);
        put(page, &column.letter);
        page.push_str("</td>");
    }
    page.push_str(r#"<th scope="row">"#);
    put(page, &column.name);
    if !column.used {
        page.push_str(r#" <small>not used by the mapping</small>"#);
    }
    page.push_str(r#"</th><td class="fill"><span class="percent">"#);
    let share = column.filled as f64 / column.rows.max(1) as f64;
    page.push_str(&percent(column.filled, column.rows));
    page.push_str("</span>");
    picture::meter(page, share);
    page.push_str("</td>");
    for (count, word) in [(column.errors, "e"), (column.warnings, "w")] {
        let label = match (word, count) {
            ("e", 1) => "error",
            ("e", _) => "errors",
            (_, 1) => "warning",
            _ => "warnings",
        };
        let none = if count == 0 { " none-here" } else { "" };
        let _ = write!(page, r#"<td class="n{none}" data-l="{label}">"#);
        let listed = details.kinds.iter().any(|kind| {
            kind.column.as_deref() == Some(&column.name) && kind.warning == (word == "w")
        });
        if count == 0 {
            page.push_str(r#"<span class="zero">0</span>"#);
        } else if listed {
            let _ = write!(
                page,
                r##"<a href="#problems" class="jump" data-column="{}">{}<span class="sr"> problems of this column</span></a>"##,
                id(&column.name),
                number(count)
            );
        } else {
            page.push_str(&number(count));
        }
        page.push_str("</td>");
    }
    if column.errors > 0 {
        page.push_str(r#"<td class="where">"#);
        picture::column(page, &details.strips, index, &column.name);
    } else {
        page.push_str(r#"<td class="where none-here"><span class="none">–<span class="sr"> no errors</span></span>"#);
    }
    page.push_str("</td></tr>");
}

/// A share that is 0 or 100 only where it is just that.
fn percent(part: u64, whole: u64) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let share = part as f64 / whole as f64 * 100.0;
    match (part, share) {
        (0, _) => "0 %".to_owned(),
        (part, _) if part == whole => "100 %".to_owned(),
        (_, share) if share < 1.0 => "under 1 %".to_owned(),
        (_, share) if share > 99.0 => "over 99 %".to_owned(),
        (_, share) => format!("{share:.0} %"),
    }
}

#[cfg(test)]
mod tests {
    use super::percent;

    #[test]
    fn nearly_all_is_not_all() {
        for (part, whole, text) in [
            (0, 0, "–"),
            (0, 9, "0 %"),
            (9, 9, "100 %"),
            (1, 1_000_000, "under 1 %"),
            (999_999, 1_000_000, "over 99 %"),
            (1, 3, "33 %"),
        ] {
            assert_eq!(percent(part, whole), text);
        }
    }
}
