//! Pictures as inline SVG. Each has a title and a description that tells the same in words; what
//! colour tells is told by a pattern or by height too.

use std::fmt::Write as _;

use super::super::summary::Fates;
use super::super::words::{counted, duration, number};
use super::escape::put;
use super::pace::PaceTrack;
use super::strip::{Bucket, Strips};
use crate::record::Fate;

/// The width that pictures are drawn in; the page stretches them.
const WIDTH: f64 = 1_000.0;

/// The class by which the page colours a fate.
pub(super) fn class(fate: Fate) -> &'static str {
    match fate {
        Fate::Created => "f-created",
        Fate::Updated => "f-updated",
        Fate::Unchanged => "f-unchanged",
        Fate::Skipped => "f-skipped",
        Fate::Rejected => "f-rejected",
        Fate::Failed => "f-failed",
        Fate::Uncertain => "f-uncertain",
        Fate::Pending => "f-pending",
    }
}

/// The patterns that tell fates apart without colour; once in a page.
pub(super) const PATTERNS: &str = concat!(
    r#"<svg class="defs" width="0" height="0" aria-hidden="true" focusable="false"><defs>"#,
    r#"<pattern id="p-slash" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect class="ink" width="2.5" height="8"/></pattern>"#,
    r#"<pattern id="p-back" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)"><rect class="ink" width="3" height="6"/></pattern>"#,
    r#"<pattern id="p-dots" width="8" height="8" patternUnits="userSpaceOnUse"><circle class="ink" cx="3" cy="3" r="1.8"/></pattern>"#,
    r#"<pattern id="p-lines" width="8" height="6" patternUnits="userSpaceOnUse"><rect class="ink" width="8" height="1.6"/></pattern>"#,
    "</defs></svg>"
);

/// The pattern of a fate, if it has one.
fn pattern(fate: Fate) -> Option<&'static str> {
    match fate {
        Fate::Created | Fate::Updated => None,
        Fate::Unchanged | Fate::Skipped => Some("p-lines"),
        Fate::Rejected => Some("p-slash"),
        Fate::Failed => Some("p-back"),
        Fate::Uncertain | Fate::Pending => Some("p-dots"),
    }
}

/// The box that stands for a fate beside its name.
pub(super) fn swatch(page: &mut String, fate: Fate) {
    let _ = write!(
        page,
        r#"<svg class="swatch {}" viewBox="0 0 16 16" aria-hidden="true" focusable="false"><rect class="fill" width="16" height="16" rx="3"/>"#,
        class(fate)
    );
    if let Some(pattern) = pattern(fate) {
        let _ = write!(
            page,
            r#"<rect width="16" height="16" rx="3" fill="url(#{pattern})"/>"#
        );
    }
    page.push_str("</svg>");
}

/// How the rows divide into fates, as a bar.
pub(super) fn fates(page: &mut String, fates: &Fates, words: impl Fn(Fate) -> String) {
    let total = fates.total();
    if total == 0 {
        return;
    }
    let shown: Vec<(Fate, u64)> = fates.iter().filter(|(_, rows)| *rows > 0).collect();
    let title = "Rows by what becomes of them";
    let told: Vec<String> = shown
        .iter()
        .map(|(fate, rows)| format!("{} {}", number(*rows), words(*fate)))
        .collect();
    open(page, "bar", 40.0, title, &told.join("; "));
    // What is there is seen, be it one row of a million.
    let least = 6.0;
    let wide: f64 = shown
        .iter()
        .map(|(_, rows)| (*rows as f64 / total as f64 * WIDTH).max(least))
        .sum();
    let mut x = 0.0;
    for (fate, rows) in shown {
        let width = (rows as f64 / total as f64 * WIDTH).max(least) * WIDTH / wide;
        // A gap between neighbours, which may look alike.
        let drawn = (width - 2.0).max(1.0);
        let class = class(fate);
        let _ = write!(
            page,
            r#"<g class="{class}"><rect class="fill" x="{x:.1}" width="{drawn:.1}" height="40"/>"#
        );
        if let Some(pattern) = pattern(fate) {
            let _ = write!(
                page,
                r#"<rect x="{x:.1}" width="{drawn:.1}" height="40" fill="url(#{pattern})"/>"#
            );
        }
        page.push_str("</g>");
        x += width;
    }
    page.push_str("</svg>");
}

fn open(page: &mut String, class: &str, height: f64, title: &str, description: &str) {
    let _ = write!(
        page,
        r#"<svg class="{class}" role="img" viewBox="0 0 {WIDTH} {height}" preserveAspectRatio="none" focusable="false"><title>"#
    );
    put(page, title);
    page.push_str("</title><desc>");
    put(page, description);
    page.push_str("</desc>");
}

/// How high a share is drawn, of 1: small ones are seen too.
fn height(share: f64) -> f64 {
    if share <= 0.0 {
        return 0.0;
    }
    share.min(1.0).sqrt().max(0.18)
}

/// Where in the file rows are refused or warned of.
pub(super) fn rows(page: &mut String, strips: &Strips) {
    let refused: u64 = strips.buckets.iter().map(|bucket| bucket.refused).sum();
    let warned: u64 = strips.buckets.iter().map(|bucket| bucket.warned).sum();
    let mut told = format!(
        "{} of {} refused",
        number(refused),
        counted(
            strips.buckets.iter().map(|bucket| bucket.rows).sum(),
            "row",
            "rows"
        )
    );
    if warned > 0 {
        let _ = write!(told, ", {} sent with a warning", number(warned));
    }
    if let Some(words) = worst(strips, |at| strips.buckets[at].refused) {
        let _ = write!(told, ". {words}");
    }
    open(
        page,
        "rows",
        60.0,
        "Where in the file rows are refused",
        &told,
    );
    bars(
        page,
        strips,
        60.0,
        "warn",
        |at| strips.buckets[at].refused + strips.buckets[at].warned,
        |bucket| bucket.warned > 0,
    );
    bars(
        page,
        strips,
        60.0,
        "bad",
        |at| strips.buckets[at].refused,
        |_| true,
    );
    page.push_str("</svg>");
}

/// Where in the file a column has errors.
pub(super) fn column(page: &mut String, strips: &Strips, column: usize, name: &str) {
    let Some(counts) = strips.columns.get(column) else {
        return;
    };
    let count = |at: usize| counts.get(at).map_or(0, |count| u64::from(*count));
    let title = format!("Where {name} has errors");
    let told = worst(strips, count).unwrap_or_else(|| "No errors.".to_owned());
    open(page, "strip", 24.0, &title, &told);
    bars(page, strips, 24.0, "bad", count, |_| true);
    page.push_str("</svg>");
}

/// Where most is, in words.
fn worst(strips: &Strips, count: impl Fn(usize) -> u64) -> Option<String> {
    let most = (0..strips.buckets.len()).max_by_key(|at| (count(*at), std::cmp::Reverse(*at)))?;
    let (bucket, errors) = (&strips.buckets[most], count(most));
    if errors == 0 {
        return None;
    }
    let with = (0..strips.buckets.len())
        .filter(|at| count(*at) > 0)
        .count();
    let several = strips
        .buckets
        .iter()
        .any(|other| other.input != bucket.input);
    if several {
        return Some(format!(
            "In {} of {} stretches of the files.",
            number(with as u64),
            number(strips.buckets.len() as u64)
        ));
    }
    if strips.width == 1 {
        let first = (0..strips.buckets.len()).find(|at| count(*at) > 0)?;
        let last = (0..strips.buckets.len()).rfind(|at| count(*at) > 0)?;
        let (first, last) = (strips.buckets[first].first, strips.buckets[last].first);
        return Some(match with {
            1 => format!("In row {}.", number(first)),
            _ => format!(
                "In {} between row {} and row {}.",
                counted(with as u64, "row", "rows"),
                number(first),
                number(last)
            ),
        });
    }
    Some(format!(
        "Most in rows {} to {}: {} of {}; some in {} of {} stretches of the file.",
        number(bucket.first),
        number(bucket.last),
        number(errors),
        number(bucket.rows),
        number(with as u64),
        number(strips.buckets.len() as u64),
    ))
}

/// One path for all bars of a class.
fn bars(
    page: &mut String,
    strips: &Strips,
    tall: f64,
    class: &str,
    count: impl Fn(usize) -> u64,
    drawn: impl Fn(&Bucket) -> bool,
) {
    let total: u64 = strips.buckets.iter().map(|bucket| bucket.rows).sum();
    let mut path = String::new();
    let mut before = 0;
    for (at, bucket) in strips.buckets.iter().enumerate() {
        let x = before as f64 / total.max(1) as f64 * WIDTH;
        let width = bucket.rows as f64 / total.max(1) as f64 * WIDTH;
        before += bucket.rows;
        let share = count(at) as f64 / bucket.rows.max(1) as f64;
        let high = height(share) * tall;
        if high > 0.0 && drawn(bucket) {
            // A hair wider, so that neighbours leave no gap; seldom ones stay visible.
            let width = (width + 0.4).max(2.5);
            let _ = write!(path, "M{x:.1} {tall}h{width:.1}v-{high:.1}h-{width:.1}z");
        }
    }
    if !path.is_empty() {
        let _ = write!(page, r#"<path class="{class}" d="{path}"/>"#);
    }
}

/// How fast requests left, with the limit as a line; the highest value of the picture.
pub(super) fn pace(page: &mut String, track: &PaceTrack) -> f64 {
    let rates = track.rates();
    let limits = track.limit.iter().flatten().copied();
    let fastest = rates.iter().copied().fold(0.0, f64::max);
    let highest = limits.clone().fold(fastest, f64::max);
    // A limit far above what was needed would leave the bars too small to see.
    let top = if highest > fastest * 20.0 {
        fastest
    } else {
        highest
    };
    let top = (top * 1.08).max(0.1);
    let seconds = track.end_ms as f64 / 1_000.0;
    let all: f64 = track.requests.iter().sum();
    let limited: f64 = track.limited.iter().sum();
    let mut told = format!(
        "{} in {}, at most {:.1} a second",
        counted(all.round() as u64, "request", "requests"),
        duration(seconds),
        fastest
    );
    match track.limit.iter().flatten().copied().reduce(f64::min) {
        Some(least) if (highest - least).abs() < 0.05 => {
            let _ = write!(told, "; the limit was {least:.1} a second");
        }
        Some(least) => {
            let _ = write!(
                told,
                "; the limit was from {least:.1} to {highest:.1} a second"
            );
        }
        None => told.push_str("; no limit was known"),
    }
    if limited >= 0.5 {
        let _ = write!(
            told,
            "; {} times the target said \"too many requests\"",
            limited.round()
        );
    }
    open(
        page,
        "pace",
        200.0,
        "Requests a second over the time of the run",
        &told,
    );
    let span = (track.end_ms as f64).max(1.0);
    let x = |at: usize| (at as f64 * track.width_ms as f64 / span * WIDTH).min(WIDTH);
    let mut path = String::new();
    let mut refusals = String::new();
    for (at, rate) in rates.iter().enumerate() {
        let (left, right) = (x(at), x(at + 1));
        let high = rate / top * 200.0;
        let width = (right - left - 1.0).max(0.5);
        if high > 0.0 {
            let _ = write!(path, "M{left:.1} 200h{width:.1}v-{high:.1}h-{width:.1}z");
        }
        if track.limited.get(at).is_some_and(|count| *count >= 0.5) {
            let _ = write!(refusals, "M{left:.1} 200h{width:.1}v-14h-{width:.1}z");
        }
    }
    let _ = write!(page, r#"<path class="sent" d="{path}"/>"#);
    if !refusals.is_empty() {
        let _ = write!(page, r#"<path class="refusals" d="{refusals}"/>"#);
    }
    let mut line = String::new();
    let mut pen = false;
    for (at, limit) in track.limit.iter().enumerate() {
        match limit.filter(|limit| *limit <= top) {
            Some(limit) => {
                let y = 200.0 - limit / top * 200.0;
                let verb = if pen { 'L' } else { 'M' };
                let _ = write!(line, "{verb}{:.1} {y:.1}L{:.1} {y:.1}", x(at), x(at + 1));
                pen = true;
            }
            None => pen = false,
        }
    }
    if !line.is_empty() {
        let _ = write!(page, r#"<path class="limit" d="{line}"/>"#);
    }
    page.push_str("</svg>");
    top
}

/// A share as a small bar; the number stands beside it in words.
pub(super) fn meter(page: &mut String, share: f64) {
    let _ = write!(
        page,
        r#"<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true" focusable="false"><rect class="ground" width="100" height="8"/><rect class="part" width="{:.1}" height="8"/></svg>"#,
        share.clamp(0.0, 1.0) * 100.0
    );
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn strips(rows: u64, bad: impl Fn(u64) -> bool) -> Strips {
        let mut strips = Strips::new(1);
        for row in 2..rows + 2 {
            strips.row(0, row, bad(row), false);
            if bad(row) {
                strips.error(0);
            }
        }
        strips
    }

    #[test]
    fn a_strip_says_where_errors_are() {
        for (rows, bad, words) in [
            (
                10,
                &(|row: u64| row == 5) as &dyn Fn(u64) -> bool,
                "In row 5.",
            ),
            (
                10,
                &|row| row == 5 || row == 9,
                "In 2 rows between row 5 and row 9.",
            ),
            (10, &|_| false, "No errors."),
            (
                1_000,
                &|row| (500..504).contains(&row),
                "Most in rows 498 to 505: 4 of 8; some in 1 of 125 stretches of the file.",
            ),
        ] {
            let mut page = String::new();
            column(&mut page, &strips(rows, bad), 0, "<Email>");
            assert!(page.contains(&format!("<desc>{words}</desc>")), "{page}");
            assert!(page.contains("<title>Where &lt;Email&gt; has errors</title>"));
            assert_eq!(page.contains("<path"), words != "No errors.");
        }
    }

    #[test]
    fn a_single_row_of_a_million_is_seen() {
        let mut all = Fates::default();
        all.add(Fate::Created, 999_999);
        all.add(Fate::Rejected, 1);
        let mut page = String::new();
        fates(&mut page, &all, |fate| fate.name().to_owned());
        assert!(page.contains("999,999 created; 1 rejected"), "{page}");
        assert!(page.contains("url(#p-slash)"));
        assert!(!page.contains(r#"width="0"#), "{page}");
    }

    #[test]
    fn the_pace_stays_within_its_picture() {
        let mut track = PaceTrack::default();
        for tick in 0..=50u64 {
            let limited = u64::from(tick > 30);
            track.look(Duration::from_millis(tick * 100), tick, limited, Some(10.0));
        }
        let mut page = String::new();
        let top = pace(&mut page, &track);
        assert!((10.0..11.5).contains(&top), "{top}");
        assert!(
            page.contains("the limit was 10.0 a second; 1 times"),
            "{page}"
        );
        assert!(page.contains(r#"class="limit""#) && page.contains(r#"class="refusals""#));
        assert!(!page.contains("NaN") && !page.contains("inf"));
    }
}
