//! The page as a whole.

use std::fmt::Write as _;

use super::super::frame::{expectation, sentence};
use super::super::summary::{Files, Summary};
use super::super::terminal::meaning;
use super::super::words::{counted, duration, number};
use super::columns::put_columns;
use super::details::Details;
use super::duplicates::pairs;
use super::escape::{escaped, put};
use super::parts::{code, copied, section, with_code};
use super::picture;
use super::problems::{Anchors, causes, table};
use crate::record::Fate;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The most bytes of one request body that are shown.
const BODY: usize = 64 * 1024;

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\'])
        .find(|part| !part.is_empty())
        .unwrap_or(path)
}

/// The report as an HTML page that needs nothing but itself. All text that came from elsewhere is
/// escaped, and the page forbids itself any request; its own style and script are let through by a
/// `nonce` that nobody can know beforehand: letters and digits.
pub fn page(summary: &Summary, details: &Details, nonce: &str) -> String {
    let anchors = Anchors::new(details, summary.inputs.len());
    let mut page = String::with_capacity(64 * 1024 + details.issues.len() * 320);
    head(&mut page, summary, nonce);
    page.push_str(r##"<body><a class="skip" href="#main">Skip to the report</a>"##);
    page.push_str(picture::PATTERNS);
    top(&mut page, summary, details);
    page.push_str(r#"<main id="main">"#);
    causes(&mut page, summary, &anchors);
    put_columns(&mut page, details, &summary.inputs);
    table(&mut page, summary, details, &anchors);
    pairs(&mut page, summary, details);
    sending(&mut page, summary, details);
    bodies(&mut page, summary, details);
    inputs(&mut page, summary);
    notes(&mut page, summary);
    settings(&mut page, summary, details);
    page.push_str("</main><footer><p>");
    let _ = write!(
        page,
        "Made by rowferry {}. This page loads nothing and sends nothing: it can be mailed and kept.",
        env!("CARGO_PKG_VERSION")
    );
    let _ = writeln!(
        page,
        "</p></footer><script nonce=\"{nonce}\">{SCRIPT}</script></body></html>"
    );
    page
}

fn head(page: &mut String, summary: &Summary, nonce: &str) {
    let _ = write!(
        page,
        concat!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">",
            "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; ",
            "script-src 'nonce-{nonce}'; style-src 'nonce-{nonce}'; img-src data:; ",
            "base-uri 'none'; form-action 'none'\">",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">",
            "<meta name=\"referrer\" content=\"no-referrer\">",
            "<meta name=\"robots\" content=\"noindex\">",
            "<meta name=\"color-scheme\" content=\"light dark\">",
            "<link rel=\"icon\" href=\"data:,\"><title>"
        ),
        nonce = nonce
    );
    let what = match summary.inputs.as_slice() {
        [] => summary.target.clone(),
        [one] => file_name(one).to_owned(),
        many => format!("{} files", number(many.len() as u64)),
    };
    put(
        page,
        &format!("{what}: {} report – rowferry", summary.command),
    );
    // Before the first row is drawn, so that long tables are not drawn whole.
    let _ = write!(
        page,
        "</title><script nonce=\"{nonce}\">document.documentElement.classList.add('js')</script><style nonce=\"{nonce}\">{STYLE}</style></head>"
    );
}

/// The same summary with short names of the inputs.
fn short(summary: &Summary) -> Summary {
    Summary {
        inputs: summary
            .inputs
            .iter()
            .map(|input| file_name(input).to_owned())
            .collect(),
        issues: Vec::new(),
        bodies: Vec::new(),
        ..summary.clone()
    }
}

fn top(page: &mut String, summary: &Summary, details: &Details) {
    page.push_str("<header><p class=\"kicker\">");
    let what = match summary.command {
        "check" => "Check before an import: nothing was sent",
        _ => "Import",
    };
    page.push_str(what);
    if details.began_ms > 0 {
        put(page, &format!(" · {}", when(details.began_ms)));
    }
    page.push_str("</p><h1>");
    put(page, &sentence(&short(summary)));
    page.push_str("</h1>");
    if let Some(stopped) = &summary.stopped {
        page.push_str(r#"<p class="banner stop"><b>Stopped early:</b> "#);
        with_code(page, stopped);
        page.push_str("</p>");
    } else if !summary.finished && summary.mistakes.is_none() {
        page.push_str(
            r#"<p class="banner stop"><b>The run ended before all rows were done.</b></p>"#,
        );
    }
    if details.kept {
        page.push_str(r#"<p class="banner"><b>Made again from the ledger.</b> The ledger keeps no cell's text: cells are named, their values are not shown, and what messages quoted is masked (letters as x, digits as 9).</p>"#);
    } else if details.masked {
        page.push_str(r#"<p class="banner"><b>Values are masked:</b> letters are shown as x, digits as 9.</p>"#);
    }
    fates(page, summary);
    page.push_str("</header>");
    contents(page, summary, details);
}

/// A time as people read it, where the page is made.
fn when(ms: i64) -> String {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(time) => time
            .to_zoned(jiff::tz::TimeZone::system())
            .strftime("%-d %B %Y, %H:%M")
            .to_string(),
        Err(_) => "?".to_owned(),
    }
}

fn fates(page: &mut String, summary: &Summary) {
    if summary.fates.total() == 0 {
        return;
    }
    let check = summary.command == "check";
    let name = |fate: Fate| match (fate, check) {
        (Fate::Created, true) => "can go in".to_owned(),
        (fate, _) => fate.name().to_owned(),
    };
    picture::fates(page, &summary.fates, name);
    page.push_str(r#"<ul class="legend">"#);
    for (fate, rows) in summary.fates.iter().filter(|(_, rows)| *rows > 0) {
        page.push_str("<li>");
        picture::swatch(page, fate);
        let share = rows as f64 / summary.fates.total() as f64 * 100.0;
        let share = match share {
            share if rows == summary.fates.total() => format!("{share:.0} %"),
            share if share < 1.0 => "under 1 %".to_owned(),
            share if share > 99.0 => "over 99 %".to_owned(),
            share => format!("{share:.0} %"),
        };
        let _ = write!(
            page,
            r#"<b>{}</b> <span class="name">{}</span> <span class="share">{share}</span><span class="meaning">{}</span></li>"#,
            number(rows),
            name(fate),
            meaning(fate, check).1
        );
    }
    page.push_str("</ul>");
}

fn contents(page: &mut String, summary: &Summary, details: &Details) {
    let mut links: Vec<(&str, String)> = Vec::new();
    let errors = summary.issues.iter();
    let errors = errors.filter(|group| group.severity == "error").count() as u64;
    if !summary.issues.is_empty() {
        links.push((
            "causes",
            match errors {
                0 => "Warnings".to_owned(),
                _ => format!("What is wrong ({})", counted(errors, "cause", "causes")),
            },
        ));
    }
    if !details.columns.is_empty() && !details.strips.buckets.is_empty() {
        links.push(("where", "Where it is".to_owned()));
    }
    if !details.issues.is_empty() {
        let total = counted(details.issues_total, "problem", "problems");
        links.push(("problems", format!("Row by row ({total})")));
    }
    if !details.pairs.is_empty() {
        links.push((
            "duplicates",
            format!("Duplicates ({})", number(details.pairs_total)),
        ));
    }
    links.push((
        "sending",
        match summary.command {
            "check" => "What the import takes".to_owned(),
            _ => "How it went".to_owned(),
        },
    ));
    if !summary.bodies.is_empty() || !details.bodies.is_empty() {
        links.push(("bodies", "What is sent".to_owned()));
    }
    links.push(("settings", "Settings".to_owned()));
    page.push_str(r#"<nav aria-label="Contents"><ul>"#);
    for (id, words) in links {
        let _ = write!(page, r##"<li><a href="#{id}">{words}</a></li>"##);
    }
    page.push_str("</ul></nav>");
}

fn sending(page: &mut String, summary: &Summary, details: &Details) {
    if summary.command == "check" {
        section(page, "sending", "What the import takes");
        match summary.estimate {
            Some(estimate) => {
                page.push_str("<p>");
                put(page, &expectation(estimate.requests, estimate.seconds));
                page.push_str("</p>");
            }
            None => page.push_str("<p>That is not known.</p>"),
        }
    } else {
        section(page, "sending", "How it went");
        went(page, summary, details);
    }
    if let Some(next) = &summary.next {
        page.push_str(r#"<h3>What to do next</h3>"#);
        for line in next.lines() {
            page.push_str("<p>");
            match line.starts_with("rowferry ") {
                true => copied(page, line),
                false => put(page, line),
            }
            page.push_str("</p>");
        }
    }
    files(page, summary);
    page.push_str("</section>");
}

fn went(page: &mut String, summary: &Summary, details: &Details) {
    let requests = summary.requests;
    page.push_str(r#"<dl class="numbers">"#);
    for (count, words) in [
        (summary.fates.get(Fate::Created), "customers created"),
        (summary.fates.get(Fate::Updated), "customers updated"),
        (requests.sent, "requests with customers"),
        (requests.lookups, "look-ups"),
        (requests.retried, "requests repeated"),
        (requests.limited, "answers “too many requests”"),
    ] {
        let _ = write!(
            page,
            "<div><dt>{words}</dt><dd>{}</dd></div>",
            number(count)
        );
    }
    let _ = write!(
        page,
        "<div><dt>in all</dt><dd>{}</dd></div></dl>",
        duration(summary.seconds)
    );
    let Some(track) = &details.pace else { return };
    let sent: f64 = track.requests.iter().sum();
    if track.requests.len() < 4 || sent < 4.0 {
        if sent >= 1.0 {
            page.push_str("<p>Over too soon for a picture of its pace.</p>");
        }
        return;
    }
    page.push_str(r#"<figure class="paced"><figcaption>Requests a second over the time of the run: <span class="key sent-key">sent</span>"#);
    if track.limit.iter().any(Option::is_some) {
        page.push_str(r#", <span class="key limit-key">the limit</span>"#);
    }
    if track.limited.iter().any(|count| *count >= 0.5) {
        page.push_str(r#", <span class="key refusal-key">“too many requests”</span>"#);
    }
    page.push_str(r#".</figcaption><div class="plot"><div class="scale" aria-hidden="true">"#);
    let mut drawn = String::new();
    let top = picture::pace(&mut drawn, track);
    let label = |value: f64| match value {
        value if value >= 10.0 => number(value.round() as u64),
        value => format!("{value:.1}"),
    };
    let _ = write!(
        page,
        "<span>{}/s</span><span>{}</span><span>0</span></div>{drawn}</div>",
        label(top),
        label(top / 2.0)
    );
    let seconds = track.end_ms as f64 / 1_000.0;
    let _ = write!(
        page,
        r#"<div class="axis paced-axis" aria-hidden="true"><span>start</span><span>{}</span><span>{}</span></div></figure>"#,
        duration(seconds / 2.0),
        duration(seconds)
    );
}

fn files(page: &mut String, summary: &Summary) {
    let own = summary.per_input.iter().map(|input| &input.files);
    let all: Vec<(&str, &String)> = std::iter::once(&summary.files)
        .chain(own)
        .flat_map(|files: &Files| {
            [
                ("Reject file, to be mended", &files.rejects),
                ("Results file, with every row's fate", &files.results),
                ("Every problem, a line each", &files.issues),
                ("Ledger", &files.ledger),
            ]
        })
        .filter_map(|(name, path)| path.as_ref().map(|path| (name, path)))
        .collect();
    if all.is_empty() {
        return;
    }
    page.push_str("<h3>Files written</h3><dl class=\"pairs\">");
    for (name, path) in all {
        let _ = write!(
            page,
            "<div><dt>{name}</dt><dd><code>{}</code></dd></div>",
            escaped(path)
        );
    }
    page.push_str("</dl>");
}

fn bodies(page: &mut String, summary: &Summary, details: &Details) {
    let (bodies, title) = match details.bodies.as_slice() {
        [] => (
            summary.bodies.as_slice(),
            "The first requests as they would be sent",
        ),
        bodies => (bodies, "The first requests as they were made"),
    };
    if bodies.is_empty() {
        return;
    }
    section(page, "bodies", title);
    for (at, body) in bodies.iter().enumerate() {
        let open = if at == 0 { " open" } else { "" };
        let _ = write!(
            page,
            "<details{open}><summary>Request {}</summary>",
            number(at as u64 + 1)
        );
        match body.to_string().len() > BODY {
            true => page.push_str("<p>Too long to be shown.</p>"),
            false => code(page, body),
        }
        page.push_str("</details>");
    }
    page.push_str("</section>");
}

fn inputs(page: &mut String, summary: &Summary) {
    if summary.per_input.is_empty() {
        return;
    }
    section(page, "inputs", "Files read");
    page.push_str(r#"<div class="scroll" tabindex="0" role="region" aria-labelledby="inputs-h"><table><thead><tr><th scope="col">File</th><th scope="col" class="n">Rows</th>"#);
    let fates: Vec<Fate> = Fate::ALL
        .into_iter()
        .filter(|fate| summary.fates.get(*fate) > 0)
        .collect();
    for fate in &fates {
        let _ = write!(page, r#"<th scope="col" class="n">{fate}</th>"#);
    }
    page.push_str("</tr></thead><tbody>");
    for input in &summary.per_input {
        page.push_str(r#"<tr><th scope="row">"#);
        put(page, &input.input);
        let _ = write!(page, r#"</th><td class="n">{}</td>"#, number(input.read));
        for fate in &fates {
            let _ = write!(
                page,
                r#"<td class="n">{}</td>"#,
                number(input.fates.get(*fate))
            );
        }
        page.push_str("</tr>");
    }
    page.push_str("</tbody></table></div></section>");
}

fn notes(page: &mut String, summary: &Summary) {
    if summary.notes.is_empty() {
        return;
    }
    section(page, "notes", "Notes");
    page.push_str(r#"<ul class="notes">"#);
    for note in &summary.notes {
        page.push_str("<li>");
        with_code(page, note);
        page.push_str("</li>");
    }
    page.push_str("</ul></section>");
}

fn settings(page: &mut String, summary: &Summary, details: &Details) {
    section(page, "settings", "Settings used");
    page.push_str(r#"<dl class="pairs">"#);
    let run = summary.run.iter().map(|run| ("Run", run.as_str()));
    let base_url = Some(("Base URL", summary.base_url.as_str()));
    let own = [
        ("Target", summary.target.as_str()),
        ("Mapping", summary.mapping.as_str()),
    ];
    let base_url = base_url.filter(|(_, url)| !url.is_empty());
    let told = details
        .settings
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    for (name, value) in own.into_iter().chain(base_url).chain(run).chain(told) {
        page.push_str("<div><dt>");
        put(page, name);
        page.push_str("</dt><dd>");
        with_code(page, value);
        page.push_str("</dd></div>");
    }
    page.push_str("</dl></section>");
}
