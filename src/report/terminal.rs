//! The summary as a person reads it on a terminal: it fits a screen, and without colour too.

use std::fmt::Write as _;

use serde_json::Value;

use super::page::{Page, Style, cut};
use super::summary::{Example, InputSummary, IssueGroup, Summary};
use super::words::{counted, duration, harmless, number};
use crate::record::Fate;
use crate::row::RowPlace;

/// The most kinds of problems that are listed; the rest is counted.
const KINDS: usize = 8;
/// The most further kinds that are named by their code alone.
const CODES: usize = 16;
/// The most lines of examples under all kinds together.
const EXAMPLE_LINES: usize = 14;
/// The most inputs, members of a body and columns that are listed.
const LISTED: usize = 8;
/// How wide a cell's text may be, in columns of the terminal.
const VALUE: usize = 40;
/// How wide a message may be: a server may answer with a page of text.
const MESSAGE: usize = 240;

/// The summary as text of at most `width` columns (commands and paths stay whole), with a line
/// feed at its end. Cell texts are made harmless to the terminal.
pub fn terminal(summary: &Summary, width: usize, colour: bool) -> String {
    let mut page = Page::new(width, colour);
    headline(&mut page, summary);
    fates(&mut page, summary);
    causes(&mut page, summary);
    warnings(&mut page, summary);
    inputs(&mut page, &summary.per_input);
    body(&mut page, &summary.bodies);
    notes(&mut page, summary);
    files(&mut page, summary);
    ending(&mut page, summary);
    page.finish()
}

fn is_check(summary: &Summary) -> bool {
    summary.command == "check"
}

fn headline(page: &mut Page, summary: &Summary) {
    let fates = &summary.fates;
    let refused = fates.get(Fate::Rejected) + fates.get(Fate::Failed);
    let style = if summary.mistakes.is_some() || refused > 0 {
        Style::Bad
    } else if summary.stopped.is_some()
        || !summary.finished
        || fates.get(Fate::Uncertain) > 0
        || summary.read == 0
    {
        Style::Doubtful
    } else {
        Style::Good
    };
    page.wrapped(&sentence(summary), 0, 0, style);
    if let Some(reason) = &summary.stopped {
        let text = format!("Stopped early: {}", harmless(reason));
        page.wrapped(&text, 0, 0, Style::Doubtful);
    } else if !summary.finished && summary.mistakes.is_none() {
        page.wrapped(
            "The run ended before all rows were done.",
            0,
            0,
            Style::Doubtful,
        );
    }
    let mut origin = Vec::new();
    if !summary.base_url.is_empty() {
        origin.push(harmless(&summary.base_url));
    }
    if !summary.mapping.is_empty() {
        origin.push(format!("mapping {}", harmless(&summary.mapping)));
    }
    if let Some(run) = &summary.run {
        origin.push(format!("run {run}"));
    }
    if !origin.is_empty() {
        page.wrapped(&origin.join(", "), 0, 0, Style::Dim);
    }
}

/// What the run came to, in one sentence.
fn sentence(summary: &Summary) -> String {
    let source = match summary.inputs.as_slice() {
        [] => String::new(),
        [one] => format!(" of {}", harmless(one)),
        many => format!(" of {} files", number(many.len() as u64)),
    };
    let target = harmless(&summary.target);
    if summary.mistakes.is_some() {
        return "Nothing was read and nothing was sent: the files have mistakes.".to_owned();
    }
    if summary.read == 0 {
        return match (&summary.stopped, summary.inputs.as_slice()) {
            (Some(_), _) => "No row was read.".to_owned(),
            (None, [one]) => format!("{} has no rows below its header.", harmless(one)),
            (None, _) => "There are no rows to read.".to_owned(),
        };
    }
    let fates = &summary.fates;
    let unchanged = fates.get(Fate::Unchanged);
    let well = fates.get(Fate::Created) + fates.get(Fate::Updated) + unchanged;
    let check = is_check(summary);
    let (is, are) = match check {
        true => (format!("can go to {target}"), format!("can go to {target}")),
        false => (format!("is in {target}"), format!("are in {target}")),
    };
    let mut text = if well == summary.read {
        let all = match well {
            1 => format!("The only row{source} {is}"),
            2 => format!("Both rows{source} {are}"),
            _ => format!("All {} rows{source} {are}", number(well)),
        };
        if unchanged == well && !check {
            return format!("{all} already; nothing had to be sent.");
        }
        return format!("{all}.");
    } else if well == 0 {
        format!(
            "None of the {}{source} {are}",
            counted(summary.read, "row", "rows")
        )
    } else {
        let verb = if well == 1 { is } else { are };
        format!(
            "{} of {} rows{source} {verb}",
            number(well),
            number(summary.read)
        )
    };
    let refused = fates.get(Fate::Rejected) + fates.get(Fate::Failed);
    let were = |rows: u64| match (check, rows) {
        (true, 1) => "is",
        (true, _) => "are",
        (false, 1) => "was",
        (false, _) => "were",
    };
    let mut rest = Vec::new();
    for (rows, words) in [
        (refused, "refused"),
        (fates.get(Fate::Skipped), "left out"),
        (fates.get(Fate::Pending), "not sent"),
    ] {
        if rows > 0 {
            rest.push(format!("{} {} {words}", number(rows), were(rows)));
        }
    }
    if let rows @ 1.. = fates.get(Fate::Uncertain) {
        rest.push(format!("{} may or may not be in", number(rows)));
    }
    if !rest.is_empty() {
        let _ = write!(text, "; {}", rest.join(", "));
    }
    text.push('.');
    text
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
        let (style, meaning) = match (fate, check) {
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
        };
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

fn causes(page: &mut Page, summary: &Summary) {
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
    kinds(page, title, &groups);
}

fn warnings(page: &mut Page, summary: &Summary) {
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
    kinds(page, "Warnings (they refuse no row)", &groups);
}

/// Groups of issues under a title, with as many examples each as there is room for.
fn kinds(page: &mut Page, title: &str, groups: &[&IssueGroup]) {
    if groups.is_empty() {
        return;
    }
    page.title(title);
    let shown = &groups[..groups.len().min(KINDS)];
    let each = (EXAMPLE_LINES / shown.len()).clamp(1, 3);
    let digits = shown
        .iter()
        .map(|group| number(group.count).len())
        .max()
        .unwrap_or(1);
    for group in shown {
        kind(page, group, digits, each);
    }
    if let Some(rest @ [_, ..]) = groups.get(KINDS..) {
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
fn seen(example: &Example, value: bool) -> String {
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

fn notes(page: &mut Page, summary: &Summary) {
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
    for note in notes {
        page.wrapped(&format!("- {note}"), 2, 4, Style::Plain);
    }
}

fn files(page: &mut Page, summary: &Summary) {
    let own = summary.per_input.iter().map(|input| &input.files);
    let all: Vec<(&str, &String)> = std::iter::once(&summary.files)
        .chain(own)
        .flat_map(|files| {
            [
                ("rejects", &files.rejects),
                ("results", &files.results),
                ("ledger", &files.ledger),
            ]
        })
        .filter_map(|(name, path)| path.as_ref().map(|path| (name, path)))
        .collect();
    if all.is_empty() {
        return;
    }
    page.title("Files written");
    for (name, path) in all {
        page.line_whole(&format!("{name:<7}  {}", harmless(path)), 2);
    }
}

fn ending(page: &mut Page, summary: &Summary) {
    page.gap();
    let requests = summary.requests;
    let mut text = String::new();
    if is_check(summary) {
        let _ = write!(
            text,
            "Checked in {}; nothing was sent.",
            duration(summary.seconds)
        );
    } else {
        let _ = write!(
            text,
            "{} in {}",
            counted(requests.sent, "request", "requests"),
            duration(summary.seconds)
        );
        for (count, words) in [
            (requests.retried, "repeated"),
            (requests.limited, "answered \"too many requests\""),
        ] {
            if count > 0 {
                let _ = write!(text, ", {} {words}", number(count));
            }
        }
        if requests.lookups > 0 {
            let _ = write!(
                text,
                ", {}",
                counted(requests.lookups, "look-up", "look-ups")
            );
        }
        text.push('.');
    }
    if let Some(estimate) = summary.estimate.filter(|_| is_check(summary)) {
        let _ = write!(
            text,
            " {}",
            expectation(estimate.requests, estimate.seconds)
        );
    }
    page.wrapped(&text, 0, 0, Style::Dim);
    for (place, next) in summary
        .next
        .iter()
        .flat_map(|next| next.lines())
        .enumerate()
    {
        let label = if place == 0 { "Next: " } else { "      " };
        page.put(label, Style::Strong);
        if next.starts_with("rowferry ") {
            // A command is copied: it stays whole.
            page.put(&harmless(next), Style::Plain);
            page.end();
        } else {
            page.wrapped(&harmless(next), 0, 6, Style::Plain);
        }
    }
}

/// How long an import would take, in words.
fn expectation(requests: u64, seconds: Option<f64>) -> String {
    if requests == 0 {
        return "The import would have nothing to send.".to_owned();
    }
    let sent = counted(requests, "request", "requests");
    let Some(seconds) = seconds else {
        return format!(
            "The import would take {sent}; how fast the target may be asked is not known."
        );
    };
    if seconds < 1.0 {
        return format!("The import would take about a second: {sent}.");
    }
    let rate = requests as f64 / seconds;
    let pace = if rate >= 0.95 {
        format!("{}/s", number(rate.round() as u64))
    } else {
        format!("{} a minute", number((rate * 60.0).round() as u64))
    };
    format!(
        "The import would take about {}: {sent} at {pace}.",
        duration(seconds.ceil())
    )
}
