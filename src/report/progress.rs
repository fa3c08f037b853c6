//! Progress while a command works: a bar on a terminal's standard error, else one line for each
//! phase and each minute. Nothing goes to standard output.

use std::io::{self, IsTerminal, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use indicatif::{HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;

use super::summary::Fates;
use super::words::{duration, number};
use crate::record::Fate;

/// How often a line is written where there is no bar.
const EVERY: Duration = Duration::from_secs(60);
/// How often a bar's text is made again at most.
const REDRAW: Duration = Duration::from_millis(100);

/// What the stages tell while they work.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A phase begins, such as `checking` or `sending`; counts of rows begin anew.
    Phase(&'static str),
    /// How many rows the phase has, where that is known.
    Total(Option<u64>),
    /// How far the inputs are read and how long they are, in bytes; shown where the number of rows
    /// is not known.
    Bytes(u64, u64),
    /// So many more rows were read. Once a phase settles rows, the settled ones are shown.
    Rows(u64),
    /// So many more rows have their fate.
    Settled(Fate, u64),
    /// The target said "too many requests".
    Limited,
    /// A request was repeated.
    Retried,
    /// How fast requests leave.
    Pace(PaceNow),
    /// The target is down, for this reason; it is waited for so long.
    Down(String, Duration),
    /// It answers again.
    Up,
    /// Something a person should know while the command works; without values of cells.
    Note(String),
}

/// How fast requests leave.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PaceNow {
    /// Requests a second, of late.
    pub per_second: f64,
    /// Requests a second that may leave, where that is known.
    pub limit: Option<f64>,
    /// How long none leaves yet.
    pub paused: Duration,
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProgressMode {
    /// A bar on a terminal, else lines of text.
    #[default]
    Auto,
    /// Nothing but what the command says at its end.
    Quiet,
    /// Nothing at all.
    Off,
    /// A JSON object a line: `time`, `level`, `message` and the counts.
    JsonLog,
}

/// Takes events from all stages and shows them on standard error. Cheap enough to be told of every
/// batch; events of one row each are fine too.
pub struct Progress {
    shared: Arc<Shared>,
    ticker: Mutex<Option<JoinHandle<()>>>,
}

/// Takes events from tasks that may outlive the borrow of a [`Progress`].
#[derive(Clone)]
pub struct ProgressHandle {
    shared: Arc<Shared>,
}

impl ProgressHandle {
    /// Takes note of an event.
    pub fn event(&self, event: Event) {
        self.shared.event(event);
    }
}

struct Shared {
    show: Show,
    counts: Counts,
    state: Mutex<State>,
    wake: Condvar,
}

enum Show {
    Nothing,
    Bar(ProgressBar, Instant, AtomicU64),
    Text,
    Json,
}

/// Of the phase; what a later phase begins anew is set back.
#[derive(Default)]
struct Counts {
    rows: AtomicU64,
    fates: [AtomicU64; Fate::ALL.len()],
    limited: AtomicU64,
    retried: AtomicU64,
}

struct State {
    phase: &'static str,
    total: Option<u64>,
    bytes: Option<(u64, u64)>,
    /// Rows done when the last line was written, and when that was.
    before: (u64, Instant),
    pace: PaceNow,
    finished: bool,
}

impl std::fmt::Debug for Progress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// Progress shown in this way, from now on.
    pub fn new(mode: ProgressMode) -> Self {
        let show = match mode {
            ProgressMode::Quiet | ProgressMode::Off => Show::Nothing,
            ProgressMode::JsonLog => Show::Json,
            ProgressMode::Auto if draws() => {
                let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
                Show::Bar(bar, Instant::now(), AtomicU64::new(0))
            }
            ProgressMode::Auto => Show::Text,
        };
        let shared = Arc::new(Shared {
            show,
            counts: Counts::default(),
            state: Mutex::new(State {
                phase: "",
                total: None,
                bytes: None,
                before: (0, Instant::now()),
                pace: PaceNow::default(),
                finished: false,
            }),
            wake: Condvar::new(),
        });
        let ticker = matches!(shared.show, Show::Text | Show::Json)
            .then(|| {
                let shared = Arc::clone(&shared);
                std::thread::Builder::new()
                    .name("progress".into())
                    .spawn(move || shared.every_minute())
                    .ok()
            })
            .flatten();
        Self {
            shared,
            ticker: Mutex::new(ticker),
        }
    }

    /// Takes note of an event.
    pub fn event(&self, event: Event) {
        self.shared.event(event);
    }

    /// A way to tell it of events from elsewhere.
    pub fn handle(&self) -> ProgressHandle {
        ProgressHandle {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Runs something that writes to standard error itself, with the bar out of its way.
    pub fn suspend<T>(&self, write: impl FnOnce() -> T) -> T {
        match &self.shared.show {
            Show::Bar(bar, ..) => bar.suspend(write),
            _ => write(),
        }
    }

    /// Ends it: the bar goes, no line comes any more. May be called more than once.
    pub fn finish(&self) {
        self.shared.lock().finished = true;
        self.shared.wake.notify_all();
        if let Show::Bar(bar, ..) = &self.shared.show {
            bar.finish_and_clear();
        }
        let ticker = self
            .ticker
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(ticker) = ticker {
            // It does nothing that could fail, and its end is all that is asked for.
            let _ = ticker.join();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn event(&self, event: Event) {
        if matches!(self.show, Show::Nothing) {
            return;
        }
        match event {
            Event::Phase(phase) => self.phase(phase),
            Event::Total(total) => {
                self.lock().total = total;
                self.style();
            }
            Event::Bytes(done, all) => {
                let first = self.lock().bytes.replace((done, all)).is_none();
                if first {
                    self.style();
                }
                self.draw(false);
            }
            Event::Rows(rows) => {
                self.counts.rows.fetch_add(rows, Ordering::Relaxed);
                self.draw(false);
            }
            Event::Settled(fate, rows) => {
                self.counts.fates[fate as usize].fetch_add(rows, Ordering::Relaxed);
                self.draw(false);
            }
            Event::Limited => {
                self.counts.limited.fetch_add(1, Ordering::Relaxed);
                self.draw(false);
            }
            Event::Retried => {
                self.counts.retried.fetch_add(1, Ordering::Relaxed);
                self.draw(false);
            }
            Event::Pace(pace) => {
                self.lock().pace = pace;
                self.draw(false);
            }
            Event::Down(why, patience) => {
                let patience = duration(patience.as_secs_f64());
                let words = format!("the target is down ({why}); trying again for {patience}");
                self.line("warn", &words);
            }
            Event::Up => self.line("info", "the target answers again"),
            Event::Note(note) => self.line("warn", &note),
        }
    }

    fn phase(&self, phase: &'static str) {
        self.counts.reset();
        {
            let mut state = self.lock();
            state.phase = phase;
            state.total = None;
            state.bytes = None;
            state.pace = PaceNow::default();
            state.before = (0, Instant::now());
        }
        match &self.show {
            Show::Bar(bar, ..) => {
                // The form first: setting anything else draws.
                self.style();
                bar.reset();
                bar.set_prefix(phase);
                bar.enable_steady_tick(REDRAW);
                self.draw(true);
            }
            _ => self.line("info", phase),
        }
    }

    /// Gives the bar the form for what is known of the phase's length.
    fn style(&self) {
        let Show::Bar(bar, ..) = &self.show else {
            return;
        };
        let (total, bytes) = {
            let state = self.lock();
            (state.total, state.bytes)
        };
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let (bold, colours, dim) = if plain {
            ("", "", "")
        } else {
            (":.bold", ":.cyan/dim", ":.dim")
        };
        let bar_key = format!("{{wide_bar{colours}}}");
        let template = if total.is_some() {
            format!(
                "{{prefix{bold}}} {bar_key} {{human_pos}} of {{human_len}} rows  {{eta}} left\n  {{wide_msg{dim}}}"
            )
        } else if bytes.is_some() {
            format!(
                "{{prefix{bold}}} {bar_key} {{percent:>3}} %  {{eta}} left\n  {{wide_msg{dim}}}"
            )
        } else {
            format!("{{prefix{bold}}} {{spinner}} {{elapsed}}\n  {{wide_msg{dim}}}")
        };
        if let Ok(style) = ProgressStyle::with_template(&template) {
            bar.set_style(style.progress_chars("━╸ "));
        }
        match (total, bytes) {
            (Some(total), _) => bar.set_length(total),
            (None, Some((_, all))) => bar.set_length(all),
            (None, None) => bar.unset_length(),
        }
    }

    /// Brings the bar up to date, ten times a second at most.
    fn draw(&self, now: bool) {
        let Show::Bar(bar, start, drawn) = &self.show else {
            return;
        };
        let elapsed = start.elapsed().as_millis() as u64;
        let last = drawn.load(Ordering::Relaxed);
        let due = elapsed.saturating_sub(last) >= REDRAW.as_millis() as u64;
        if !(now || due) {
            return;
        }
        let taken = drawn.compare_exchange(last, elapsed, Ordering::Relaxed, Ordering::Relaxed);
        if taken.is_err() && !now {
            return;
        }
        let (total, bytes, pace) = {
            let state = self.lock();
            (state.total, state.bytes, state.pace)
        };
        let rows = self.counts.done();
        match (total, bytes) {
            (None, Some((done, _))) => bar.set_position(done),
            _ => bar.set_position(rows),
        }
        let mut message = if total.is_some() {
            String::new()
        } else {
            format!("{} rows  ", HumanCount(rows))
        };
        message.push_str(&self.counts.words());
        if let Some(words) = pace.words() {
            if !message.is_empty() {
                message.push_str("  ");
            }
            message.push_str(&words);
        }
        bar.set_message(message);
    }

    /// Writes one line.
    fn line(&self, level: &str, message: &str) {
        match &self.show {
            Show::Nothing => {}
            Show::Bar(bar, ..) => bar.suspend(|| print(message)),
            Show::Text => print(&format!("{} {message}", time())),
            Show::Json => {
                print(&json!({"time": time(), "level": level, "message": message}).to_string());
            }
        }
    }

    fn every_minute(&self) {
        let mut state = self.lock();
        loop {
            let until = Instant::now() + EVERY;
            while !state.finished {
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                state = self
                    .wake
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            if state.finished {
                return;
            }
            let text = self.minute(&mut state, Instant::now());
            print(&text);
        }
    }

    /// The line that is written each minute.
    fn minute(&self, state: &mut State, now: Instant) -> String {
        let done = self.counts.done();
        let seconds = now.duration_since(state.before.1).as_secs_f64().max(0.001);
        let pace = done.saturating_sub(state.before.0) as f64 / seconds;
        state.before = (done, now);
        let left = match (state.total, state.bytes) {
            _ if pace <= 0.0 => None,
            (Some(total), _) => Some(total.saturating_sub(done) as f64 / pace),
            // By the share of the file that is read, where nobody counted its rows.
            (None, Some((read, all))) if read > 0 && read < all => {
                let rows = done as f64 * all as f64 / read as f64;
                Some((rows - done as f64) / pace)
            }
            _ => None,
        };
        if matches!(self.show, Show::Json) {
            let mut line = json!({
                "time": time(), "level": "info", "message": state.phase, "rows": done,
                "per_second": (pace * 10.0).round() / 10.0, "fates": self.counts.fates(),
                "limited": self.counts.limited.load(Ordering::Relaxed),
                "retried": self.counts.retried.load(Ordering::Relaxed),
            });
            if let Some(total) = state.total {
                line["total"] = total.into();
            }
            if let Some(share) = state.pace.share() {
                line["limit_used"] = ((share * 1000.0).round() / 1000.0).into();
            }
            if let Some(left) = left {
                line["seconds_left"] = left.round().into();
            }
            return line.to_string();
        }
        let mut text = format!("{} {}: {}", time(), state.phase, number(done));
        if let Some(total) = state.total {
            text.push_str(&format!(" of {}", number(total)));
        }
        text.push_str(&format!(" rows, {}/s", number(pace.round() as u64)));
        let words = self.counts.words();
        if !words.is_empty() {
            text.push_str(&format!(", {words}"));
        }
        if let Some(words) = state.pace.words() {
            text.push_str(", ");
            text.push_str(&words);
        }
        if let Some(left) = left {
            text.push_str(&format!(", about {} left", duration(left)));
        }
        text
    }
}

impl PaceNow {
    /// The share of the limit that is used, where there is one.
    fn share(&self) -> Option<f64> {
        let limit = self.limit.filter(|limit| *limit > 0.0)?;
        Some((self.per_second / limit).min(1.0))
    }

    fn words(&self) -> Option<String> {
        if self.paused >= Duration::from_secs(2) {
            let pause = duration(self.paused.as_secs_f64());
            return Some(format!("waiting {pause} for the target"));
        }
        let (share, limit) = (self.share()?, self.limit?);
        let limit = match limit {
            limit if limit >= 10.0 => format!("{limit:.0}"),
            limit => format!("{limit:.1}"),
        };
        Some(format!("{:.0} % of {limit} requests/s", share * 100.0))
    }
}

impl Counts {
    fn reset(&self) {
        self.rows.store(0, Ordering::Relaxed);
        for count in &self.fates {
            count.store(0, Ordering::Relaxed);
        }
    }

    fn fates(&self) -> Fates {
        let mut fates = Fates::default();
        for (fate, count) in Fate::ALL.into_iter().zip(&self.fates) {
            fates.add(fate, count.load(Ordering::Relaxed));
        }
        fates
    }

    /// Rows settled, or rows read where the phase settles none.
    fn done(&self) -> u64 {
        match self.fates().total() {
            0 => self.rows.load(Ordering::Relaxed),
            settled => settled,
        }
    }

    fn words(&self) -> String {
        let mut words: Vec<String> = self
            .fates()
            .iter()
            .filter(|(_, rows)| *rows > 0)
            .map(|(fate, rows)| format!("{} {fate}", number(rows)))
            .collect();
        for (count, word) in [(&self.limited, "limited"), (&self.retried, "repeated")] {
            let count = count.load(Ordering::Relaxed);
            if count > 0 {
                words.push(format!("{} {word}", number(count)));
            }
        }
        words.join(", ")
    }
}

/// Whether standard error can show a bar.
fn draws() -> bool {
    io::stderr().is_terminal() && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Now, to the second, as RFC 3339 in UTC.
fn time() -> String {
    jiff::Timestamp::now()
        .strftime("%Y-%m-%dT%H:%M:%SZ")
        .to_string()
}

fn print(line: &str) {
    // Nobody is left to be told where standard error is gone.
    let _ = writeln!(io::stderr().lock(), "{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shared(show: Show) -> Shared {
        Shared {
            show,
            counts: Counts::default(),
            state: Mutex::new(State {
                phase: "sending",
                total: Some(3_000),
                bytes: None,
                before: (0, Instant::now()),
                pace: PaceNow::default(),
                finished: false,
            }),
            wake: Condvar::new(),
        }
    }

    #[test]
    fn a_minute_is_one_line() {
        let shared = shared(Show::Text);
        shared.event(Event::Rows(2_000));
        shared.event(Event::Settled(Fate::Created, 1_190));
        shared.event(Event::Settled(Fate::Rejected, 10));
        shared.event(Event::Limited);
        let mut state = shared.lock();
        let now = state.before.1 + Duration::from_secs(60);
        let line = shared.minute(&mut state, now);
        assert_eq!(
            line.split_once(' ').unwrap().1,
            "sending: 1,200 of 3,000 rows, 20/s, 1,190 created, 10 rejected, 1 limited, about 90 s left"
        );
        let line = shared.minute(&mut state, now + Duration::from_secs(60));
        assert!(line.contains(" 0/s") && !line.contains("left"), "{line}");
    }

    #[test]
    fn a_minute_is_one_json_object() {
        let shared = shared(Show::Json);
        shared.event(Event::Settled(Fate::Created, 120));
        let mut state = shared.lock();
        let now = state.before.1 + Duration::from_secs(60);
        let line: serde_json::Value =
            serde_json::from_str(&shared.minute(&mut state, now)).unwrap();
        assert_eq!(line["level"], "info");
        assert_eq!(line["message"], "sending");
        assert_eq!(line["rows"], 120);
        assert_eq!(line["total"], 3_000);
        assert_eq!(line["per_second"], 2.0);
        assert_eq!(line["fates"]["created"], 120);
        let time = line["time"].as_str().unwrap();
        assert!(time.parse::<jiff::Timestamp>().is_ok(), "{time}");
    }

    #[test]
    fn a_phase_counts_anew_and_reading_is_shown_until_rows_are_settled() {
        let shared = shared(Show::Text);
        shared.event(Event::Rows(5));
        assert_eq!(shared.counts.done(), 5);
        shared.event(Event::Settled(Fate::Created, 2));
        assert_eq!(shared.counts.done(), 2);
        shared.counts.reset();
        assert_eq!(shared.counts.done(), 0);
        assert_eq!(shared.counts.words(), "");
    }

    #[test]
    fn it_ends_from_any_thread_and_more_than_once() {
        for mode in [
            ProgressMode::Off,
            ProgressMode::Quiet,
            ProgressMode::JsonLog,
        ] {
            let progress = Progress::new(mode);
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| progress.event(Event::Settled(Fate::Created, 1)));
                }
            });
            let counted = progress.shared.counts.fates().get(Fate::Created);
            let shown = matches!(progress.shared.show, Show::Json);
            assert_eq!(counted, if shown { 4 } else { 0 });
            progress.finish();
            progress.finish();
        }
    }
}
