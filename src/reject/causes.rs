//! Why rows are in a reject file: counted as they come, and listed on a sheet of their own.

use std::sync::Arc;

use hashbrown::HashMap;
use rust_xlsxwriter::{Color, Format, FormatAlign, FormatBorder, Url, Workbook, XlsxError};

use super::words::UNCERTAIN;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Header, RowPlace, column_letters};

/// The most causes that are told apart.
const CAUSES: usize = 1_000;
/// The most cells that are named of each, and the most characters of a value.
const EXAMPLES: usize = 5;
const VALUE: usize = 60;

/// Counts the causes of rejection, in memory that does not grow with the rows.
#[derive(Debug, Default)]
pub(super) struct Causes {
    causes: Vec<Cause>,
    index: HashMap<Key, usize>,
}

/// Code, index of the column, field, severity and fate.
type Key = (Arc<str>, Option<usize>, Option<Arc<str>>, Severity, Fate);

#[derive(Debug)]
struct Cause {
    code: Arc<str>,
    column: Option<Arc<str>>,
    fate: &'static str,
    severity: Severity,
    count: u64,
    message: String,
    values: Vec<String>,
    places: Vec<String>,
    /// Sheet, row and column of the first in the reject file, from 0.
    first: (String, u32, u16),
}

impl Causes {
    /// Counts what is wrong with a row. `here` gives for a source column its place in the reject
    /// file.
    pub(super) fn add(
        &mut self,
        header: &Header,
        settled: &Settled,
        place: &RowPlace<'_>,
        here: impl Fn(Option<usize>) -> (String, u32, u16),
    ) {
        for issue in &settled.issues {
            let key = (
                Arc::clone(&issue.code),
                issue.column,
                issue.field.clone(),
                issue.severity,
                settled.fate,
            );
            let name = issue.column.map(|column| header.name(column));
            let name = name.or_else(|| issue.field.clone());
            self.count(key, name, &issue.message, place, header, Some(issue), &here);
        }
        // What no issue tells.
        let (code, message) = match (settled.fate, settled.note.as_str()) {
            (Fate::Uncertain, _) => ("uncertain", UNCERTAIN),
            (_, "") => return,
            (_, note) if settled.issues.is_empty() => ("", note),
            _ => return,
        };
        let key = (
            Arc::from(code),
            None,
            (code.is_empty()).then(|| Arc::from(message)),
            Severity::Error,
            settled.fate,
        );
        self.count(key, None, message, place, header, None, &here);
    }

    #[expect(clippy::too_many_arguments, reason = "one row of the sheet")]
    fn count(
        &mut self,
        key: Key,
        column: Option<Arc<str>>,
        message: &str,
        place: &RowPlace<'_>,
        header: &Header,
        issue: Option<&Issue>,
        here: &impl Fn(Option<usize>) -> (String, u32, u16),
    ) {
        let at = issue.and_then(|issue| issue.column);
        let known = self.index.get(&key).copied();
        let known = known.or_else(|| {
            // One more for all that are too many to be told apart.
            (self.causes.len() > CAUSES).then_some(CAUSES)
        });
        let index = known.unwrap_or_else(|| {
            let other = self.causes.len() == CAUSES;
            self.causes.push(Cause {
                code: if other {
                    "other".into()
                } else {
                    Arc::clone(&key.0)
                },
                column: column.filter(|_| !other),
                fate: key.4.name(),
                severity: key.3,
                count: 0,
                message: match other {
                    true => "further kinds of problems, too many to list each".to_owned(),
                    false => message.to_owned(),
                },
                values: Vec::new(),
                places: Vec::new(),
                first: here(at),
            });
            let index = self.causes.len() - 1;
            if !other {
                self.index.insert(key, index);
            }
            index
        });
        let cause = &mut self.causes[index];
        cause.count += 1;
        if cause.places.len() < EXAMPLES {
            cause.places.push(match at {
                Some(at) => place.cell_name(header, at),
                None => place.to_string(),
            });
        }
        if let Some(value) = issue.and_then(|issue| issue.value.as_deref())
            && cause.values.len() < EXAMPLES
        {
            let shown = cut(value);
            if !cause.values.contains(&shown) {
                cause.values.push(shown);
            }
        }
    }

    /// Writes the sheet: what it is, then a line for each cause, the most frequent first.
    pub(super) fn write(
        mut self,
        book: &mut Workbook,
        name: &str,
        told: &[String],
    ) -> Result<(), XlsxError> {
        self.causes
            .sort_by_key(|cause| (cause.severity, std::cmp::Reverse(cause.count)));
        let sheet = book.add_worksheet();
        sheet.set_name(name)?;
        let title = Format::new().set_bold().set_font_size(14);
        sheet.write_string_with_format(0, 0, "Why these rows are not in", &title)?;
        let mut row = 1;
        for sentence in told {
            sheet.write_string(row, 0, sentence)?;
            row += 1;
        }
        row += 1;
        let head = super::looks::head(false).set_border_bottom(FormatBorder::Thin);
        for (column, (name, width)) in [
            ("Count", 8.0),
            ("Column", 20.0),
            ("What is wrong, and what would be right", 70.0),
            ("Values", 36.0),
            ("Here", 12.0),
            ("In the source", 30.0),
            ("Code", 22.0),
            ("Fate", 11.0),
        ]
        .into_iter()
        .enumerate()
        {
            sheet.write_string_with_format(row, column as u16, name, &head)?;
            sheet.set_column_width(column as u16, width)?;
        }
        sheet.set_freeze_panes(row + 1, 0)?;
        sheet.set_landscape().set_print_fit_to_pages(1, 0);
        let top = row;
        let wrapped = Format::new().set_text_wrap().set_align(FormatAlign::Top);
        let link = Format::new()
            .set_align(FormatAlign::Top)
            .set_font_color(Color::RGB(0x0563C1));
        for cause in &self.causes {
            row += 1;
            let message = match cause.severity {
                Severity::Error => cause.message.clone(),
                Severity::Warning => format!("warning: {}", cause.message),
            };
            sheet.write_number_with_format(row, 0, cause.count as f64, &wrapped)?;
            let column = cause.column.as_deref().unwrap_or("(the row as a whole)");
            sheet.write_string_with_format(row, 1, cut_to(column, 200), &wrapped)?;
            sheet.write_string_with_format(row, 2, cut_to(&message, 2_000), &wrapped)?;
            let values = cause.values.join("\n");
            sheet.write_string_with_format(row, 3, &values, &wrapped)?;
            let lines = |text: &str, room: usize| -> usize {
                text.lines()
                    .map(|line| line.chars().count() / room + 1)
                    .sum()
            };
            // Not every program does this by itself.
            let height = lines(cut_to(&message, 2_000), 68).max(lines(&values, 34));
            sheet.set_row_height(row, height as f64 * 15.0)?;
            let (of, at_row, at_column) = &cause.first;
            let cell = format!("{}{}", column_letters(usize::from(*at_column)), at_row + 1);
            let url = Url::new(format!("internal:'{}'!{cell}", of.replace('\'', "''")));
            sheet.write_url_with_options(row, 4, url, &cell, "", Some(&link))?;
            let more = if cause.count > cause.places.len() as u64 {
                ", …"
            } else {
                ""
            };
            let places = format!("{}{more}", cause.places.join(", "));
            sheet.write_string_with_format(row, 5, &places, &wrapped)?;
            sheet.write_string_with_format(row, 6, &*cause.code, &wrapped)?;
            sheet.write_string_with_format(row, 7, cause.fate, &wrapped)?;
        }
        sheet.autofilter(top, 0, row.max(top), 7)?;
        Ok(())
    }
}

/// A value on one line, cut; an empty one is said.
fn cut(value: &str) -> String {
    if value.is_empty() {
        return "(empty)".to_owned();
    }
    let mut shown: String = value.chars().take(VALUE).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    shown.replace(['\n', '\r', '\t'], " ")
}

/// A text cut to so many characters.
pub(super) fn cut_to(text: &str, most: usize) -> &str {
    match text.char_indices().nth(most) {
        Some((end, _)) => &text[..end],
        None => text,
    }
}
