//! The summary as a person reads it on a terminal: it fits a screen, and without colour too.

use std::fmt::Write as _;

use serde_json::Value;

use super::frame::{ending, files, headline, is_check};
use super::page::{Page, Style, cut};
use super::suggest::Suggestion;
use super::summary::{Example, InputSummary, IssueGroup, Summary};
use super::terse::terse;
use super::words::{counted, harmless, number};
use crate::record::Fate;
use crate::row::RowPlace;

/// The most further kinds that are named by their code alone.
const CODES: usize = 16;
/// The most inputs, members of a body and columns that are listed.
const LISTED: usize = 8;
/// How wide a cell's text may be, in columns of the terminal.
const VALUE: usize = 40;
/// How wide a message may be: a server may answer with a page of text.
const MESSAGE: usize = 240;

/// The summary as text of at most `width` columns (commands and paths stay whole), with a line
/// feed at its end. Cell texts are made harmless to the terminal.
pub fn terminal(summary: &Summary, width: usize, colour: bool) -> String {
    of_room(summary, width, colour, &ALL)
}

/// The same, shortened as far as is needed to be seen at once in a window of so many lines.
pub fn terminal_in(summary: &Summary, width: usize, height: usize, colour: bool) -> String {
    // The prompt takes a line.
    let fits = |text: &String| text.lines().count() < height;
    let whole = terminal(summary, width, colour);
    if fits(&whole) {
        return whole;
    }
    let short = of_room(summary, width, colour, &SHORT);
    if fits(&short) {
        return short;
    }
    terse(summary, width, colour)
}

/// How much is shown.
struct Room {
    /// The most kinds of problems that are listed; the rest is counted.
    kinds: usize,
    /// The most lines of examples under all kinds together.
    examples: usize,
    /// Whether the first body is shown.
    body: bool,
    /// The most notes.
    notes: usize,
}

const ALL: Room = Room {
    kinds: 8,
    examples: 14,
    body: true,
    notes: usize::MAX,
};

const SHORT: Room = Room {
    kinds: 5,
    examples: 5,
    body: false,
    notes: 3,
};

fn of_room(summary: &Summary, width: usize, colour: bool, room: &Room) -> String {
    let mut page = Page::new(width, colour);
    headline(&mut page, summary, true);
    fates(&mut page, summary);
    causes(&mut page, summary, room);
    suggestions(&mut page, summary);
    warnings(&mut page, summary, room);
    inputs(&mut page, &summary.per_input);
    if room.body {
        body(&mut page, &summary.bodies);
    }
    notes(&mut page, summary, room);
    files(&mut page, summary);
    ending(&mut page, summary);
    page.finish()
}

fn fates(page: &mut Page, summary: &Summary) {
    if summary.read == 0 {
        return;
    }
    let check = is_check(summary);
    let digits = number(summary.read.max(summary.fates.total())).len();
    page.gap();
    for (fate, rows) in summary.fates.iter() {
        if rows == 0 && fate != Fate::Created {
            continue;
        }
        let (style, meaning) = meaning(fate, check);
        let style = if rows == 0 { Style::Dim } else { style };
        page.put(&format!("  {:<9}  ", fate.name()), Style::Plain);
        page.put(&format!("{:>digits$}", number(rows)), style);
        page.put("  ", Style::Plain);
        let room = page.width().saturating_sub(15 + digits);
        page.put(&cut(meaning, room), Style::Dim);
        page.end();
    }
    page.put(&format!("  {:<9}  ", "read"), Style::Plain);
    page.put(&format!("{:>digits$}", number(summary.read)), Style::Strong);
    page.put("  in all", Style::Dim);
    page.end();
}

/// How a fate looks, and what it means in a few words.
pub(super) fn meaning(fate: Fate, check: bool) -> (Style, &'static str) {
    match (fate, check) {
        (Fate::Created, true) => (Style::Good, "would be sent"),
        (Fate::Created, false) => (Style::Good, "made by this run, confirmed by the target"),
        (Fate::Updated, true) => (Style::Good, "would be changed"),
        (Fate::Updated, false) => (Style::Good, "changed by this run, confirmed by the target"),
        (Fate::Unchanged, _) => (Style::Plain, "there already, nothing to send"),
        (Fate::Skipped, _) => (Style::Plain, "left out, as duplicates or by a rule"),
        (Fate::Rejected, true) => (Style::Bad, "our checks refuse them"),
        (Fate::Rejected, false) => (Style::Bad, "refused by our checks, not sent"),
        (Fate::Failed, _) => (Style::Bad, "refused by the target"),
        (Fate::Uncertain, _) => (
            Style::Doubtful,
            "sent, perhaps made: look before you send them again",
        ),
        (Fate::Pending, _) => (Style::Doubtful, "not sent, a later run sends them"),
    }
}

fn causes(page: &mut Page, summary: &Summary, room: &Room) {
    let groups: Vec<&IssueGroup> = summary
        .issues
        .iter()
        .filter(|group| group.severity == "error")
        .collect();
    let title = if is_check(summary) {
        "Why rows are refused"
    } else {
        "Why rows were refused"
    };
    kinds(page, title, &groups, room);
}

fn warnings(page: &mut Page, summary: &Summary, room: &Room) {
    let mut merged: Vec<IssueGroup> = Vec::new();
    for group in summary.issues.iter().filter(|g| g.severity != "error") {
        // A warning reads the same whatever became of its row.
        let known = merged.iter_mut().find(|known| {
            known.code == group.code && known.column == group.column && known.field == group.field
        });
        match known {
            Some(known) => {
                known.count += group.count;
                let room = 3usize.saturating_sub(known.examples.len());
                let more = group.examples.iter().take(room).cloned();
                known.examples.extend(more);
            }
            None => merged.push(group.clone()),
        }
    }
    merged.sort_by_key(|group| std::cmp::Reverse(group.count));
    let groups: Vec<&IssueGroup> = merged.iter().collect();
    kinds(page, "Warnings (they refuse no row)", &groups, room);
}

/// What would mend many rows at once.
fn suggestions(page: &mut Page, summary: &Summary) {
    if summary.suggestions.is_empty() {
        return;
    }
    page.title("What mends many rows at once, in the mapping");
    let digits = |suggestion: &Suggestion| number(suggestion.rows).len();
    let digits = summary.suggestions.iter().map(digits).max().unwrap_or(1);
    for suggestion in &summary.suggestions {
        let rows = number(suggestion.rows);
        page.put(&format!("  {rows:>digits$} × "), Style::Strong);
        let place = format!("in {}:", harmless(&suggestion.place));
        page.wrapped(&place, 0, digits + 5, Style::Plain);
        // A line to be copied stays whole.
        page.line_whole(&harmless(&suggestion.write), digits + 5);
    }
}

/// Groups of issues under a title, with as many examples each as there is room for.
fn kinds(page: &mut Page, title: &str, groups: &[&IssueGroup], room: &Room) {
    if groups.is_empty() {
        return;
    }
    page.title(title);
    let shown = &groups[..groups.len().min(room.kinds)];
    let each = (room.examples / shown.len()).clamp(1, 3);
    let digits = shown
        .iter()
        .map(|group| number(group.count).len())
        .max()
        .unwrap_or(1);
    for group in shown {
        kind(page, group, digits, each);
    }
    if let Some(rest @ [_, ..]) = groups.get(room.kinds..) {
        let count = rest.iter().map(|group| group.count).sum();
        let mut text = format!(
            "and {} of {}: ",
            counted(count, "problem", "problems"),
            counted(rest.len() as u64, "other kind", "other kinds"),
        );
        for (place, group) in rest.iter().take(CODES).enumerate() {
            if place > 0 {
                text.push_str(", ");
            }
            text.push_str(&cut(&harmless(&group.code), VALUE));
        }
        if rest.len() > CODES {
            text.push_str(", …");
        }
        page.wrapped(&text, digits + 5, digits + 5, Style::Dim);
    }
}

fn kind(page: &mut Page, group: &IssueGroup, digits: usize, each: usize) {
    let indent = digits + 5;
    let same = group
        .examples
        .iter()
        .all(|example| example.message == group.message);
    let mut head = String::new();
    let place = group.column.as_deref().or(group.field.as_deref());
    if let Some(place) = place {
        head.push_str(&cut(&harmless(place), VALUE));
        if same {
            head.push_str(": ");
        }
    }
    if same {
        head.push_str(&cut(&harmless(&group.message), MESSAGE));
    }
    if !head.is_empty() {
        head.push(' ');
    }
    let _ = write!(head, "[{}]", group.code);
    page.put(
        &format!("  {:>digits$} × ", number(group.count)),
        Style::Strong,
    );
    page.wrapped(&head, 0, indent, Style::Plain);
    let examples = &group.examples[..group.examples.len().min(if same { 3 } else { each })];
    if same {
        let refs: Vec<String> = examples.iter().map(|example| seen(example, true)).collect();
        page.pieces(&refs, indent, Style::Dim);
    } else {
        for example in examples {
            let told = example
                .value
                .as_deref()
                .is_some_and(|value| !value.is_empty() && example.message.contains(value));
            let text = format!(
                "{}: {}",
                seen(example, !told),
                cut(&harmless(&example.message), MESSAGE)
            );
            page.wrapped(&text, indent, indent + 2, Style::Dim);
        }
    }
}

/// An example's place and, if wanted, its value: `D17 "bob@"`.
pub(super) fn seen(example: &Example, value: bool) -> String {
    let mut text = match &example.input {
        Some(input) => format!("{} ", harmless(input)),
        None => String::new(),
    };
    match &example.cell {
        Some(cell) => text.push_str(&harmless(cell)),
        None => {
            let place = RowPlace::new(example.sheet.as_deref(), example.row);
            let _ = write!(text, "row {}", harmless(&place.to_string()));
        }
    }
    if let Some(line) = example.line.filter(|line| *line != example.row) {
        let _ = write!(text, " (line {line})");
    }
    if let Some(value) = example.value.as_deref().filter(|_| value) {
        if value.is_empty() {
            text.push_str(" (empty)");
        } else {
            let _ = write!(text, " \"{}\"", cut(&harmless(value), VALUE));
        }
    }
    text
}

fn inputs(page: &mut Page, inputs: &[InputSummary]) {
    if inputs.is_empty() {
        return;
    }
    page.title("Files read");
    // What needs a person comes first.
    let mut sorted: Vec<&InputSummary> = inputs.iter().collect();
    sorted.sort_by_key(|input| std::cmp::Reverse(input.fates.refused()));
    for input in sorted.iter().take(LISTED) {
        let mut text = format!(
            "{}: {}",
            harmless(&input.input),
            counted(input.read, "row", "rows")
        );
        let fates = input.fates.iter().filter(|(_, rows)| *rows > 0);
        for (fate, rows) in fates {
            let _ = write!(text, ", {} {fate}", number(rows));
        }
        page.wrapped(&text, 2, 4, Style::Plain);
    }
    if let Some(rest @ [_, ..]) = sorted.get(LISTED..) {
        let text = format!("and {} more files", number(rest.len() as u64));
        page.wrapped(&text, 2, 4, Style::Dim);
    }
}

/// The first body, a member a line.
fn body(page: &mut Page, bodies: &[Value]) {
    let Some(first) = bodies.first() else {
        return;
    };
    page.title("The first body as it would be sent");
    let Value::Object(members) = first else {
        page.line(&harmless(&first.to_string()), 2);
        return;
    };
    page.line("{", 2);
    for (place, (name, value)) in members.iter().enumerate() {
        // One member more than the limit is shown rather than counted.
        if place == LISTED && members.len() > LISTED + 1 {
            let more = members.len() - LISTED;
            page.wrapped(&format!("… {more} more members"), 4, 4, Style::Dim);
            break;
        }
        let comma = if place + 1 < members.len() { "," } else { "" };
        let text = format!("{}: {value}{comma}", Value::from(name.as_str()));
        page.line(&harmless(&text), 4);
    }
    page.line("}", 2);
}

fn notes(page: &mut Page, summary: &Summary, room: &Room) {
    let mut notes = Vec::new();
    if summary.duplicates > 0 {
        let text = match summary.duplicates {
            1 => "1 row has a key that an earlier row has.".to_owned(),
            many => format!("{} rows have a key that an earlier row has.", number(many)),
        };
        notes.push(text);
    }
    if let [first, ..] = summary.unused_columns.as_slice() {
        let columns = &summary.unused_columns;
        let listed: Vec<String> = columns
            .iter()
            .take(LISTED)
            .map(|name| cut(&harmless(name), VALUE).into_owned())
            .collect();
        notes.push(match columns.len() {
            1 => format!("The mapping does not use the column {}.", harmless(first)),
            many if many > LISTED => format!(
                "The mapping does not use {many} columns: {} and {} more.",
                listed.join(", "),
                many - LISTED
            ),
            _ => format!(
                "The mapping does not use the columns {}.",
                listed.join(", ")
            ),
        });
    }
    notes.extend(summary.notes.iter().map(|note| harmless(note)));
    if notes.is_empty() {
        return;
    }
    page.title("Notes");
    let more = notes.len().saturating_sub(room.notes);
    for note in notes.iter().take(room.notes) {
        page.wrapped(&format!("- {note}"), 2, 4, Style::Plain);
    }
    if more > 0 {
        let text = format!("and {more} more: a taller window shows them, and --json");
        page.wrapped(&text, 2, 4, Style::Dim);
    }
}
