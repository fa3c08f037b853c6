//! What is wrong with a row, in the words of the added columns.

use super::rejects::SEPARATOR;
use crate::issue::{Issue, Severity};
use crate::record::{Fate, Settled};
use crate::row::{Header, RowPlace};

/// How much of a cell's text a problem repeats, in characters.
const SHOWN: usize = 80;

/// What is said of a row of which nobody knows whether the target made it.
pub(super) const UNCERTAIN: &str = "sent, but it is not known whether the target made it: look there \
     before you send it again, then write `send` or `created:ID` into _fate";

/// The codes of the errors, each once.
pub(super) fn write_codes(out: &mut String, issues: &[Issue]) {
    for (place, issue) in errors(issues).enumerate() {
        if errors(issues)
            .take(place)
            .any(|earlier| earlier.code == issue.code)
        {
            continue;
        }
        separate(out);
        out.push_str(&issue.code);
    }
}

pub(super) fn errors(issues: &[Issue]) -> impl Iterator<Item = &Issue> {
    issues
        .iter()
        .filter(|issue| issue.severity == Severity::Error)
}

fn separate(out: &mut String) {
    if !out.is_empty() {
        out.push_str(SEPARATOR);
    }
}

/// Each problem with its cell, the cell's text and what would be right; errors first.
pub(super) fn write_problems(
    out: &mut String,
    header: &Header,
    settled: &Settled,
    place: &RowPlace<'_>,
) {
    if settled.fate == Fate::Uncertain {
        out.push_str(UNCERTAIN);
    }
    for issue in errors(&settled.issues) {
        separate(out);
        write_problem(out, header, issue, place);
    }
    // What no issue says, such as that the row's mended twin is in, the note does.
    if !settled.note.is_empty() && !out.contains(settled.note.as_str()) {
        separate(out);
        out.push_str(&settled.note);
    }
    for issue in &settled.issues {
        if issue.severity == Severity::Warning {
            separate(out);
            out.push_str("warning: ");
            write_problem(out, header, issue, place);
        }
    }
}

fn write_problem(out: &mut String, header: &Header, issue: &Issue, place: &RowPlace<'_>) {
    let begin = out.len();
    match (issue.column, &issue.field) {
        (Some(column), _) => {
            out.push_str(&place.cell_name(header, column));
            out.push(' ');
        }
        (None, Some(field)) => {
            out.push_str(field);
            out.push(' ');
        }
        (None, None) => {}
    }
    if let Some(value) = issue.value.as_deref()
        && (value.is_empty() || !quotes(&issue.message, value))
    {
        out.push('"');
        push_shown(out, value);
        out.push('"');
    }
    if out[begin..].ends_with(' ') {
        out.pop();
    }
    if issue.column.is_some() || issue.field.is_some() || issue.value.is_some() {
        out.push_str(": ");
    }
    out.push_str(&issue.message);
}

/// Whether a message quotes this value, so that it need not be told twice.
fn quotes(message: &str, value: &str) -> bool {
    message.match_indices(value).any(|(at, found)| {
        message[..at].ends_with(['"', '`']) && message[at + found.len()..].starts_with(['"', '`'])
    })
}

/// A cell's text on one line, cut.
fn push_shown(out: &mut String, value: &str) {
    for (place, c) in value.chars().enumerate() {
        if place == SHOWN {
            // Three dots, which every encoding has.
            out.push_str("...");
            return;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
}
