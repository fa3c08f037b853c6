//! Draws how the schedule fares with servers of many kinds: requests over time against the limit,
//! one small picture for each, into an SVG file, and a table on standard output.
//!
//! `cargo run --example pace_simulation -- FILE`, by default `pace.svg` in this folder. The server, the
//! clock and the network exist in numbers only, so that it takes no time; each run draws the same.
#![allow(clippy::print_stdout, clippy::print_stderr)] // a program for developers

use std::fmt::Write as _;
use std::process::ExitCode;

use rowferry::rate::parse_rate;
use rowferry::upload::pace::Limits;
use rowferry::upload::pace::simulation::{Rule, Says, Server, Went, run};

/// The size of a picture, and of the room around it.
const WIDTH: f64 = 300.0;
const HEIGHT: f64 = 120.0;
const ROOM: f64 = 26.0;
const COLUMNS: usize = 4;

struct Case {
    name: String,
    limits: Limits,
    server: Server,
    requests: usize,
}

fn limits(rates: &[&str]) -> Limits {
    Limits {
        rates: rates
            .iter()
            .filter_map(|text| parse_rate(text).ok())
            .collect(),
        search: rates.is_empty(),
        ..Limits::default()
    }
}

fn bucket(rate: f64, burst: f64) -> Rule {
    Rule::Bucket { rate, burst }
}

fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let mut case = |name: String, rates: &[&str], server: Server, requests: usize| {
        cases.push(Case {
            name,
            limits: limits(rates),
            server,
            requests,
        });
    };
    for latency in [2, 20, 200, 500] {
        let name = format!("100/s known, burst 2, {latency} ms");
        case(
            name,
            &["100/s"],
            Server::new(bucket(100.0, 2.0), Says::Nothing, latency),
            1_500,
        );
    }
    for (rates, rule, requests) in [
        (
            vec!["20/s"],
            Rule::Sliding {
                count: 20,
                seconds: 1,
            },
            300,
        ),
        (
            vec!["100/min"],
            Rule::Fixed {
                count: 100,
                seconds: 60,
            },
            200,
        ),
        (
            vec!["20/s", "150/10s"],
            Rule::Sliding {
                count: 150,
                seconds: 10,
            },
            600,
        ),
        (
            vec!["10/s", "120/min"],
            Rule::Fixed {
                count: 120,
                seconds: 60,
            },
            400,
        ),
    ] {
        let name = format!("{} known", rates.join(" and "));
        case(name, &rates, Server::new(rule, Says::Nothing, 20), requests);
    }
    for burst in [1.0, 10.0, 50.0] {
        for latency in [20, 100, 500] {
            let name = format!("50/s unknown, burst {burst}, {latency} ms");
            case(
                name,
                &[],
                Server::new(bucket(50.0, burst), Says::Nothing, latency),
                800,
            );
        }
    }
    for (rate, burst) in [(3.0, 3.0), (12.0, 2.0), (400.0, 40.0)] {
        let name = format!("{rate}/s unknown, Retry-After");
        let requests = (rate * 25.0) as usize;
        case(
            name,
            &[],
            Server::new(bucket(rate, burst), Says::RetryAfter, 30),
            requests,
        );
    }
    for (count, seconds, requests) in [(20, 1, 400), (100, 60, 250), (60, 10, 300)] {
        let name = format!("{count} in {seconds} s unknown, headers");
        let rule = Rule::Fixed { count, seconds };
        case(name, &[], Server::new(rule, Says::Headers, 50), requests);
    }
    case(
        "unknown, and there is none".to_owned(),
        &[],
        Server::new(Rule::Anything, Says::Nothing, 20),
        3_000,
    );
    for says in [Says::Nothing, Says::RetryAfter] {
        let falls = Server {
            rules: vec![(0, bucket(100.0, 2.0)), (5, bucket(25.0, 2.0))],
            ..Server::new(Rule::Anything, says, 20)
        };
        case(
            format!("100/s known, falls to 25/s, {says:?}"),
            &["100/s"],
            falls,
            1_200,
        );
    }
    let wrong = Server::new(bucket(30.0, 5.0), Says::RetryAfter, 20);
    case("100/s said, 30/s true".to_owned(), &["100/s"], wrong, 600);
    cases
}

/// Requests in each of `steps` stretches of `seconds`.
fn counted(times: &[f64], seconds: f64, steps: usize) -> Vec<f64> {
    let mut counts = vec![0.0; steps];
    for time in times {
        let at = ((time / seconds) as usize).min(steps - 1);
        counts[at] += 1.0 / seconds;
    }
    counts
}

/// Requests a second that the server would take in the long run, second by second.
fn allowed(server: &Server, second: f64) -> Option<f64> {
    let (_, rule) = server
        .rules
        .iter()
        .rev()
        .find(|(from, _)| *from as f64 <= second)?;
    match rule {
        Rule::Anything => None,
        Rule::Bucket { rate, .. } => Some(*rate),
        Rule::Fixed { count, seconds } | Rule::Sliding { count, seconds } => {
            Some(f64::from(*count) / *seconds as f64)
        }
    }
}

fn draw(svg: &mut String, case: &Case, went: &Went, place: usize) -> std::fmt::Result {
    let end = went
        .taken
        .iter()
        .chain(&went.refused)
        .fold(1.0f64, |a, b| a.max(*b));
    let step = (end / 100.0).max(0.5);
    let steps = (end / step).ceil() as usize + 1;
    let (taken, refused) = (
        counted(&went.taken, step, steps),
        counted(&went.refused, step, steps),
    );
    let top = (0..steps)
        .map(|at| taken[at] + refused[at])
        .chain(allowed(&case.server, 0.0))
        .fold(1.0f64, f64::max);
    let (x, y) = (
        ROOM + (place % COLUMNS) as f64 * (WIDTH + ROOM),
        2.0 * ROOM + (place / COLUMNS) as f64 * (HEIGHT + 2.0 * ROOM),
    );
    let across = |seconds: f64| x + seconds / (steps as f64 * step) * WIDTH;
    let up = |count: f64| y + HEIGHT - count / top * HEIGHT;
    writeln!(
        svg,
        r#"<text x="{x:.1}" y="{:.1}">{}</text><rect x="{x:.1}" y="{y:.1}" width="{WIDTH}" height="{HEIGHT}" class="frame"/>"#,
        y - 6.0,
        case.name
    )?;
    for at in 0..steps {
        let (left, right) = (across(at as f64 * step), across((at + 1) as f64 * step));
        for (from, height, class) in [
            (0.0, taken[at], "taken"),
            (taken[at], refused[at], "refused"),
        ] {
            if height > 0.0 {
                writeln!(
                    svg,
                    r#"<rect x="{left:.1}" y="{:.1}" width="{:.1}" height="{:.1}" class="{class}"/>"#,
                    up(from + height),
                    right - left,
                    up(from) - up(from + height)
                )?;
            }
        }
        if let Some(allowed) = allowed(&case.server, at as f64 * step) {
            writeln!(
                svg,
                r#"<line x1="{left:.1}" x2="{right:.1}" y1="{0:.1}" y2="{0:.1}" class="limit"/>"#,
                up(allowed)
            )?;
        }
    }
    let words = format!(
        "{:.0} s, {} refused, at most {top:.0}/s",
        end,
        went.refused.len()
    );
    writeln!(
        svg,
        r#"<text x="{x:.1}" y="{:.1}" class="small">{words}</text>"#,
        y + HEIGHT + 14.0
    )
}

fn page(cases: &[(Case, Went)]) -> Result<String, std::fmt::Error> {
    let rows = cases.len().div_ceil(COLUMNS);
    let (width, height) = (
        ROOM + COLUMNS as f64 * (WIDTH + ROOM),
        2.0 * ROOM + rows as f64 * (HEIGHT + 2.0 * ROOM),
    );
    let mut svg = String::new();
    writeln!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="system-ui, sans-serif" font-size="13">
<title>Requests over time against the limit, in a simulation</title>
<style>
.frame {{ fill: #8881; stroke: #8886 }} .taken {{ fill: #2a78d6 }} .refused {{ fill: #d64545 }}
.limit {{ stroke: #e08a00; stroke-width: 1.5 }} text {{ fill: #444 }} .small {{ font-size: 11px; fill: #777 }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #ddd }} .small {{ fill: #aaa }} }}
</style>
<text x="{ROOM}" y="{ROOM}">blue: taken · red: refused (429) · line: what the server takes in the long run; requests a second</text>"#
    )?;
    for (place, (case, went)) in cases.iter().enumerate() {
        draw(&mut svg, case, went, place)?;
    }
    svg.push_str("</svg>\n");
    Ok(svg)
}

fn main() -> ExitCode {
    let path = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "pace.svg".to_owned());
    println!("| server | requests | seconds | a second | answers 429 |");
    println!("| --- | --- | --- | --- | --- |");
    let mut all = Vec::new();
    for case in cases() {
        let mut random = fastrand::Rng::with_seed(7);
        let went = run(&case.limits, &case.server, case.requests, 256, || {
            random.f64()
        });
        println!(
            "| {} | {} | {:.1} | {:.1} | {} |",
            case.name,
            went.taken.len(),
            went.taken.last().copied().unwrap_or_default(),
            went.per_second(),
            went.refused.len()
        );
        all.push((case, went));
    }
    let written = page(&all)
        .map_err(|error| error.to_string())
        .and_then(|svg| std::fs::write(&path, svg).map_err(|error| error.to_string()));
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{path} cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}
