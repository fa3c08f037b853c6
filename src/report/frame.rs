//! What stands above and below all else on the terminal: what the run came to, the files that it
//! wrote, what it took, and what comes next.

use std::fmt::Write as _;

use super::page::{Page, Style};
use super::summary::{Fates, Summary};
use super::words::{counted, duration, harmless, number};
use crate::record::Fate;

pub(super) fn is_check(summary: &Summary) -> bool {
    summary.command == "check"
}

/// What the run came to, and where it went.
pub(super) fn headline(page: &mut Page, summary: &Summary, origin: bool) {
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
    if !origin {
        return;
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

/// What became of a single row that is not in.
fn the_only_row(fates: &Fates, source: &str, target: &str, check: bool) -> String {
    let verb = if check { "is" } else { "was" };
    let is_not = if check { "cannot go to" } else { "is not in" };
    let why = if fates.get(Fate::Uncertain) > 0 {
        return format!("The only row{source} may or may not be in {target}.");
    } else if fates.get(Fate::Skipped) > 0 {
        "left out"
    } else if fates.get(Fate::Pending) > 0 {
        "not sent"
    } else {
        "refused"
    };
    format!("The only row{source} {is_not} {target}; it {verb} {why}.")
}

/// What the run came to, in one sentence.
pub(super) fn sentence(summary: &Summary) -> String {
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
    } else if summary.read == 1 {
        return the_only_row(fates, &source, &target, check);
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

/// The files that were written, with what they are.
pub(super) fn files_of(summary: &Summary) -> Vec<(&'static str, &String)> {
    let own = summary.per_input.iter().map(|input| &input.files);
    std::iter::once(&summary.files)
        .chain(own)
        .flat_map(|files| {
            [
                ("rejects", &files.rejects),
                ("results", &files.results),
                ("issues", &files.issues),
                ("ledger", &files.ledger),
                ("page", &files.html),
            ]
        })
        .filter_map(|(name, path)| path.as_ref().map(|path| (name, path)))
        .collect()
}

/// The files that were written, under a title.
pub(super) fn files(page: &mut Page, summary: &Summary) {
    let all = files_of(summary);
    if all.is_empty() {
        return;
    }
    page.title("Files written");
    for (name, path) in all {
        page.line_whole(&format!("{name:<7}  {}", harmless(path)), 2);
    }
}

/// What it took, and what comes next.
pub(super) fn ending(page: &mut Page, summary: &Summary) {
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
pub(super) fn expectation(requests: u64, seconds: Option<f64>) -> String {
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
        // The first time in which there is at least one.
        let times = [
            (60.0, "a minute"),
            (3_600.0, "an hour"),
            (86_400.0, "a day"),
        ];
        let (rate, time) = times
            .into_iter()
            .map(|(seconds, time)| (rate * seconds, time))
            .find(|(rate, _)| *rate >= 0.95)
            .unwrap_or((rate * 30.0 * 86_400.0, "a month"));
        format!("{} {time}", number(rate.round() as u64))
    };
    format!(
        "The import would take about {}: {sent} at {pace}.",
        duration(seconds.ceil())
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_pace_is_told_in_a_time_that_has_one_request() {
        for (requests, seconds, pace) in [
            (400, 100.0, "at 4/s."),
            (40, 240.0, "at 10 a minute."),
            (40, 14_400.0, "at 10 an hour."),
            (40, 230_400.0, "at 15 a day."),
        ] {
            let said = expectation(requests, Some(seconds));
            assert!(said.ends_with(pace), "{said}");
        }
    }
}
