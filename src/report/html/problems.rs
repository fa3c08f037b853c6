//! The causes by count, and the table of all problems.

use std::fmt::Write as _;

use hashbrown::{HashMap, HashSet};

use super::super::summary::{Example, IssueGroup, Summary};
use super::super::words::{counted, number};
use super::details::{Details, Kind, Listed};
use super::escape::{escaped, id, put};
use super::parts::{copied, section, value, with_code};
use super::{KEPT, LISTED};
use crate::row::RowPlace;

/// The most causes that are told at length; further ones are a line each.
const TOLD: usize = 8;
/// With more lines than this they are folded.
const OPEN: usize = 24;
/// The most further causes.
const LINES: usize = 400;
/// The longest message that is shown, in characters: a server may answer with a page of text.
const MESSAGE: usize = 1_000;

/// The names of the table's rows, by which links lead to them.
pub(super) struct Anchors {
    names: Vec<String>,
    first: HashMap<(usize, String), usize>,
}

impl Anchors {
    pub(super) fn new(details: &Details, inputs: usize) -> Self {
        let mut taken: HashMap<String, usize> = HashMap::new();
        let mut anchors = Self {
            names: Vec::with_capacity(details.issues.len()),
            first: HashMap::new(),
        };
        for (at, issue) in details.issues.iter().enumerate() {
            let place = place(issue);
            let of = match inputs {
                0 | 1 => String::new(),
                _ => format!("{}-", issue.input + 1),
            };
            let mut name = match &issue.cell {
                Some(cell) => format!("cell-{of}{}", id(cell)),
                None => format!("row-{of}{}", id(&issue.row)),
            };
            let times = taken.entry(name.clone()).or_default();
            *times += 1;
            if *times > 1 {
                // `_` stands in no name of another cell followed by a digit and the end.
                let _ = write!(name, "_{times}");
            }
            anchors.names.push(name);
            anchors.first.entry((issue.input, place)).or_insert(at);
        }
        anchors
    }

    fn of_example(&self, example: &Example, inputs: &[String]) -> Option<&str> {
        let input = match &example.input {
            Some(name) => inputs.iter().position(|input| input == name)?,
            None => 0,
        };
        let place = match &example.cell {
            Some(cell) => cell.clone(),
            None => {
                let place = RowPlace::new(example.sheet.as_deref(), example.row);
                format!("row {place}")
            }
        };
        let at = self.first.get(&(input, place))?;
        self.names.get(*at).map(String::as_str)
    }
}

fn place(issue: &Listed) -> String {
    match &issue.cell {
        Some(cell) => cell.clone(),
        None => format!("row {}", issue.row),
    }
}

fn clipped(text: &str) -> String {
    match text.char_indices().nth(MESSAGE) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// A word for what a problem does.
fn state(fate: &str, warning: bool) -> (&'static str, &'static str) {
    match (warning, fate) {
        (true, _) => ("warning", "warning, sent all the same"),
        (_, "failed") => ("failed", "refused by the target"),
        (_, "uncertain") => ("uncertain", "nobody knows if it was made"),
        _ => ("rejected", "refused by the checks"),
    }
}

/// The causes, the most frequent first.
pub(super) fn causes(page: &mut String, summary: &Summary, anchors: &Anchors) {
    let errors: Vec<&IssueGroup> = of(summary, "error");
    let warnings: Vec<&IssueGroup> = of(summary, "warning");
    if errors.is_empty() && warnings.is_empty() {
        return;
    }
    section(page, "causes", "What is wrong");
    if errors.is_empty() {
        page.push_str(
            "<p>Nothing that refuses a row; the warnings below change no row's fate.</p>",
        );
    } else {
        list(page, &errors, summary, anchors, "");
    }
    if !warnings.is_empty() {
        page.push_str(r#"<h3>Warnings</h3><p class="lead">They refuse no row.</p>"#);
        list(page, &warnings, summary, anchors, " warning");
    }
    page.push_str("</section>");
}

fn of<'s>(summary: &'s Summary, severity: &str) -> Vec<&'s IssueGroup> {
    let groups = summary.issues.iter();
    groups.filter(|group| group.severity == severity).collect()
}

fn list(
    page: &mut String,
    groups: &[&IssueGroup],
    summary: &Summary,
    anchors: &Anchors,
    class: &str,
) {
    let most = groups.iter().map(|group| group.count).max().unwrap_or(1);
    let _ = write!(page, r#"<ol class="causes{class}">"#);
    for group in groups.iter().take(TOLD) {
        cause(page, group, most, summary, anchors);
    }
    page.push_str("</ol>");
    let Some(rest @ [_, ..]) = groups.get(TOLD..) else {
        return;
    };
    let _ = write!(
        page,
        r#"<details class="more"{}><summary>{}</summary><ul class="lines">"#,
        if rest.len() <= OPEN { " open" } else { "" },
        counted(rest.len() as u64, "more cause", "more causes")
    );
    for group in rest.iter().take(LINES) {
        line(page, group, summary, anchors);
    }
    if rest.len() > LINES {
        let _ = write!(
            page,
            "<li>and {} more</li>",
            number((rest.len() - LINES) as u64)
        );
    }
    page.push_str("</ul></details>");
}

/// A cause in a line.
fn line(page: &mut String, group: &IssueGroup, summary: &Summary, anchors: &Anchors) {
    let _ = write!(
        page,
        r#"<li><b>{}</b><div class="told"><p>"#,
        number(group.count)
    );
    if let Some(place) = group.column.as_deref().or(group.field.as_deref()) {
        let _ = write!(page, "<strong>{}</strong>: ", escaped(place));
    }
    with_code(page, &clipped(&group.message));
    let _ = write!(
        page,
        r#" <code class="tag">{}</code></p>"#,
        escaped(&group.code)
    );
    examples(page, group, summary, anchors);
    mend(page, group, summary);
    page.push_str("</div></li>");
}

fn cause(page: &mut String, group: &IssueGroup, most: u64, summary: &Summary, anchors: &Anchors) {
    let warning = group.severity != "error";
    let (class, words) = state(group.fate, warning);
    let _ = write!(
        page,
        r#"<li class="cause {class}"><div class="count"><b>{}</b><span class="sr"> times</span>"#,
        number(group.count)
    );
    super::picture::meter(page, group.count as f64 / most.max(1) as f64);
    page.push_str(r#"</div><div class="told"><h3>"#);
    match group.column.as_deref().or(group.field.as_deref()) {
        Some(place) => put(page, place),
        None => page.push_str("The row as a whole"),
    }
    let _ = write!(
        page,
        r#"</h3><p class="tags"><code>{}</code>"#,
        escaped(&group.code)
    );
    if !warning {
        let _ = write!(page, " <span>{words}</span>");
    }
    if let Some(field) = group.field.as_deref().filter(|_| group.column.is_some()) {
        let _ = write!(page, " <span>field <code>{}</code></span>", escaped(field));
    }
    page.push_str("</p><p class=\"message\">");
    with_code(page, &clipped(&group.message));
    page.push_str("</p>");
    examples(page, group, summary, anchors);
    mend(page, group, summary);
    page.push_str("</div></li>");
}

/// The lines of a mapping that mend many rows at once.
fn mend(page: &mut String, group: &IssueGroup, summary: &Summary) {
    let fits = summary
        .suggestions
        .iter()
        .filter(|suggestion| suggestion.code == group.code && suggestion.column == group.column);
    for suggestion in fits {
        let _ = write!(
            page,
            r#"<p class="mend">To mend {} of them at once, write in the mapping, in {}: "#,
            number(suggestion.rows),
            escaped(&suggestion.place)
        );
        copied(page, &suggestion.write);
        page.push_str("</p>");
    }
}

fn examples(page: &mut String, group: &IssueGroup, summary: &Summary, anchors: &Anchors) {
    page.push_str(r#"<ul class="examples">"#);
    for example in &group.examples {
        page.push_str("<li>");
        let mut label = match &example.input {
            Some(input) => format!("{} ", super::page::file_name(input)),
            None => String::new(),
        };
        match &example.cell {
            Some(cell) => label.push_str(cell),
            None => {
                let place = RowPlace::new(example.sheet.as_deref(), example.row);
                let _ = write!(label, "row {place}");
            }
        }
        match anchors.of_example(example, &summary.inputs) {
            Some(anchor) => {
                let _ = write!(page, r##"<a href="#{anchor}">{}</a>"##, escaped(&label));
            }
            None => put(page, &label),
        }
        if let Some(text) = &example.value {
            page.push(' ');
            value(page, text);
        }
        if example.message != group.message {
            page.push_str(r#"<span class="own">"#);
            with_code(page, &clipped(&example.message));
            page.push_str("</span>");
        }
        page.push_str("</li>");
    }
    if group.count > group.examples.len() as u64 && !anchors.names.is_empty() {
        let column = group.column.as_deref().map_or("_none".to_owned(), id);
        let _ = write!(
            page,
            r##"<li><a href="#problems" class="jump" data-column="{column}" data-code="{}">all {}<span class="sr"> of {}</span></a></li>"##,
            id(&group.code),
            number(group.count),
            escaped(&group.code)
        );
    }
    page.push_str("</ul>");
}

/// The table of problems, and what filters it.
pub(super) fn table(page: &mut String, summary: &Summary, details: &Details, anchors: &Anchors) {
    if details.issues.is_empty() {
        return;
    }
    section(page, "problems", "All problems, row by row");
    let listed = details.issues.len() as u64;
    if details.issues_total > listed {
        let total = number(details.issues_total);
        let listed = number(listed);
        if details.kept {
            let _ = write!(
                page,
                r#"<p class="cap">The first {listed} of {total} problems are listed: the ledger keeps the places of {} at most.</p>"#,
                number(KEPT as u64)
            );
        } else {
            let _ = write!(
                page,
                r#"<p class="cap">The first {listed} of {total} problems are listed: a page holds {} at most. <code>--issues FILE</code> writes every one of them, a line each.</p>"#,
                number(LISTED as u64)
            );
        }
    }
    controls(page, details);
    let values = details.issues.iter().any(|issue| issue.value.is_some());
    let several = summary.inputs.len() > 1;
    let _ = write!(
        page,
        r#"<table id="list" class="problems" data-kinds="{}"><caption class="sr">Problems in the order of the file</caption><thead><tr>"#,
        escaped(&kinds(&details.kinds))
    );
    page.push_str(r#"<th scope="col" class="at">Cell</th><th scope="col" class="col">Column</th>"#);
    if values {
        page.push_str(r#"<th scope="col" class="val">Value</th>"#);
    }
    page.push_str(r#"<th scope="col" class="msg">What is wrong</th></tr></thead><tbody>"#);
    let none = Kind::default();
    for (issue, anchor) in details.issues.iter().zip(&anchors.names) {
        let kind = details.kinds.get(issue.kind).unwrap_or(&none);
        let _ = write!(
            page,
            r##"<tr id="{anchor}" data-k="{}"><th scope="row"><a href="#{anchor}">"##,
            issue.kind
        );
        put(page, &place(issue));
        page.push_str("</a>");
        if let Some(input) = summary.inputs.get(issue.input).filter(|_| several) {
            page.push_str("<small>");
            put(page, super::page::file_name(input));
            page.push_str("</small>");
        }
        if let Some(line) = issue.line {
            let _ = write!(page, "<small>line {line}</small>");
        }
        page.push_str("</th><td>");
        put(page, kind.column.as_deref().unwrap_or("–"));
        page.push_str("</td>");
        if values {
            page.push_str("<td>");
            match &issue.value {
                Some(text) => value(page, text),
                None => page.push('–'),
            }
            page.push_str("</td>");
        }
        page.push_str("<td>");
        let message = details.messages.get(issue.message);
        with_code(page, &clipped(message.map_or("", String::as_str)));
        page.push_str("<small><code>");
        put(page, &kind.code);
        page.push_str("</code>");
        if kind.warning || kind.fate != "rejected" {
            let _ = write!(page, " {}", state(&kind.fate, kind.warning).1);
        }
        page.push_str("</small></td></tr>\n");
    }
    page.push_str(r#"</tbody></table><p id="more" class="controls" hidden><button type="button" id="more-button">Show more</button> <button type="button" id="all-button">Show all</button></p></section>"#);
}

/// What the script knows of each kind: column, code, state; all made of letters, digits and `-_`.
fn kinds(kinds: &[Kind]) -> String {
    let of = |kind: &Kind| {
        let column = kind.column.as_deref().map_or("_none".to_owned(), id);
        serde_json::json!([column, id(&kind.code), state(&kind.fate, kind.warning).0])
    };
    serde_json::Value::Array(kinds.iter().map(of).collect()).to_string()
}

fn controls(page: &mut String, details: &Details) {
    let mut counts: HashMap<usize, u64> = HashMap::new();
    for issue in &details.issues {
        *counts.entry(issue.kind).or_default() += 1;
    }
    let sums = |name: &dyn Fn(&Kind) -> (String, String)| {
        let mut order: Vec<(String, String, u64)> = Vec::new();
        let mut seen: HashMap<String, usize> = HashMap::new();
        for (at, kind) in details.kinds.iter().enumerate() {
            let (value, label) = name(kind);
            let place = *seen.entry(value.clone()).or_insert_with(|| {
                order.push((value, label, 0));
                order.len() - 1
            });
            order[place].2 += counts.get(&at).copied().unwrap_or(0);
        }
        order
    };
    let mut columns = sums(&|kind| match &kind.column {
        Some(column) => (id(column), column.clone()),
        None => ("_none".to_owned(), "no column".to_owned()),
    });
    // In the order of the file.
    let mut names = HashSet::new();
    let order: HashMap<String, usize> = details
        .columns
        .iter()
        .filter(|column| names.insert(&column.name))
        .enumerate()
        .map(|(at, column)| (id(&column.name), at))
        .collect();
    columns.sort_by_key(|(value, ..)| order.get(value).copied().unwrap_or(usize::MAX));
    let mut codes = sums(&|kind| (id(&kind.code), kind.code.clone()));
    codes.sort_by(|a, b| a.1.cmp(&b.1));
    let states = sums(&|kind| {
        let (value, words) = state(&kind.fate, kind.warning);
        (value.to_owned(), words.to_owned())
    });
    page.push_str(
        r#"<form id="filter" class="controls" role="search" aria-label="Filter the problems">"#,
    );
    select(page, "column", "Column", "all columns", &columns);
    select(page, "code", "Code", "all codes", &codes);
    if states.len() > 1 {
        select(page, "state", "What became of the row", "anything", &states);
    }
    page.push_str(r#"<p><label for="f-text">Text</label><input id="f-text" type="search" autocomplete="off" spellcheck="false" aria-describedby="shown"></p><p><button type="reset">Clear</button></p></form>"#);
    let _ = write!(
        page,
        r#"<p id="shown" class="controls" role="status" aria-live="polite">{}</p>"#,
        counted(details.issues.len() as u64, "problem", "problems")
    );
}

fn select(
    page: &mut String,
    name: &str,
    label: &str,
    any: &str,
    options: &[(String, String, u64)],
) {
    let _ = write!(
        page,
        r#"<p><label for="f-{name}">{label}</label><select id="f-{name}"><option value="">{any}</option>"#
    );
    for (value, words, count) in options {
        let _ = write!(
            page,
            r#"<option value="{value}">{} ({})</option>"#,
            escaped(words),
            number(*count)
        );
    }
    page.push_str("</select></p>");
}
