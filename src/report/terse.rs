//! The summary in few lines, for a small window: one line for each kind of problem.

use std::fmt::Write as _;

use super::frame::{ending, files_of, headline};
use super::page::{Page, Style, cut};
use super::summary::{IssueGroup, Summary};
use super::terminal::seen;
use super::words::{counted, harmless, number};

/// The most kinds of problems that have a line.
const KINDS: usize = 5;

/// The summary of a command in about twenty lines.
pub(super) fn terse(summary: &Summary, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    headline(&mut page, summary, false);
    let fates = summary.fates.iter().filter(|(_, rows)| *rows > 0);
    let fates: Vec<String> = fates
        .map(|(fate, rows)| format!("{} {fate}", number(rows)))
        .collect();
    if !fates.is_empty() {
        let text = format!("{} read: {}", number(summary.read), fates.join(", "));
        page.wrapped(&text, 0, 2, Style::Plain);
    }
    kinds(&mut page, summary);
    let mut more = summary.notes.len()
        + usize::from(!summary.unused_columns.is_empty())
        + usize::from(summary.duplicates > 0);
    if let Some(first) = summary.suggestions.first() {
        let text = format!("in {}: {}", harmless(&first.place), harmless(&first.write));
        page.title("What mends many rows at once, in the mapping");
        page.put(&format!("  {} × ", number(first.rows)), Style::Strong);
        page.line_whole(&text, 0);
        more += summary.suggestions.len() - 1;
    }
    let all = files_of(summary);
    if !all.is_empty() {
        page.gap();
    }
    for (name, path) in all {
        page.line_whole(&format!("{name:<7}  {}", harmless(path)), 0);
    }
    if more > 0 {
        let text = match more {
            1 => "1 note more: a taller window shows it, and --json.".to_owned(),
            more => format!("{more} notes more: a taller window shows them, and --json."),
        };
        page.wrapped(&text, 0, 0, Style::Dim);
    }
    ending(&mut page, summary);
    page.finish()
}

fn kinds(page: &mut Page, summary: &Summary) {
    let errors = summary.issues.iter().filter(|g| g.severity == "error");
    let groups: Vec<&IssueGroup> = errors.collect();
    let warnings: u64 = summary
        .issues
        .iter()
        .filter(|group| group.severity != "error")
        .map(|group| group.count)
        .sum();
    if groups.is_empty() && warnings == 0 {
        return;
    }
    page.gap();
    let shown = &groups[..groups.len().min(KINDS)];
    let digits = shown.iter().map(|group| number(group.count).len());
    let digits = digits.max().unwrap_or(1);
    for group in shown {
        let mut text = String::new();
        if let Some(place) = group.column.as_deref().or(group.field.as_deref()) {
            let _ = write!(text, "{}: ", cut(&harmless(place), 24));
        }
        let first = group.examples.first();
        let place = first.map(|example| seen(example, true)).unwrap_or_default();
        let _ = write!(text, "{} – {}", cut(&place, 32), harmless(&group.message));
        page.put(
            &format!("  {:>digits$} × ", number(group.count)),
            Style::Strong,
        );
        let room = page.width().saturating_sub(digits + 5);
        page.put(&cut(&text, room), Style::Plain);
        page.end();
    }
    let rest = groups.get(KINDS..).unwrap_or_default();
    let mut more = Vec::new();
    if !rest.is_empty() {
        let count = rest.iter().map(|group| group.count).sum();
        more.push(format!(
            "{} of {}",
            counted(count, "problem", "problems"),
            counted(rest.len() as u64, "other kind", "other kinds")
        ));
    }
    if warnings > 0 {
        more.push(counted(warnings, "warning", "warnings"));
    }
    if !more.is_empty() {
        page.wrapped(
            &format!("and {}", more.join(", ")),
            digits + 5,
            digits + 5,
            Style::Dim,
        );
    }
}
