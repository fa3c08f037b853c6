//! The import: what the check lets through and the ledger calls new is sent, and every row's fate
//! is written down.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::ahead::Ahead;
use super::check::claims;
use super::feed::{Fed, Feeder};
use super::finish::{Finished, Finisher, Parts as FinishParts, Places, Told, Window};
use super::select::Selection;
use super::stage::{Planned, each_batch};
use super::{Loaded, gather, kept};
use crate::fault::{self, Point};
use crate::ledger::{self, Account, Ledger, LedgerError, Left, MappingId, Open, RunInfo};
use crate::mapping::Mapping;
use crate::mapping::stop_after::{StopAfter, parse_stop_after};
use crate::rate::{Rate, parse_rate};
use crate::record::{Fate, Plan};
use crate::report::exit::Exit;
use crate::report::html::{Details, KEPT, LISTED, PaceTrack};
use crate::report::{
    Event, Fates, Files, IssueWriter, PaceNow, Progress, ProgressHandle, Requests, Tally,
};
use crate::source::{Input, SourceError};
use crate::target::Target;
use crate::target::file::LimitHeaders;
use crate::upload::auth::Credentials;
use crate::upload::client::Client;
use crate::upload::pace::{Limits, Pace};
use crate::upload::{Halt, Happening, Job, Listener, Parts, Settings as UploadSettings, Uploader};

/// The most requests under way at once where neither target nor mapping says.
const MOST_AT_ONCE: usize = 256;

/// Requests under way at once at first, where the pace does not say how many it takes.
const FIRST_AT_ONCE: usize = 8;

/// How often the pace is shown anew.
const LOOK: Duration = Duration::from_millis(500);

/// How long an answer may take.
pub(super) const TIMEOUT: Duration = Duration::from_secs(30);

/// What an import is told.
#[derive(Debug)]
pub struct Settings {
    /// The base URL.
    pub base_url: String,
    /// How the target knows us.
    pub credentials: Credentials,
    /// A name that tells this account from others of the same target.
    pub account: Option<String>,
    /// The secret was renewed; the account is the same.
    pub same_account: bool,
    /// The ledger's file; default: by the account.
    pub ledger: Option<PathBuf>,
    /// Which rows are sent.
    pub selection: Selection,
    /// How often a row may be sent where attempts fail.
    pub attempts: u32,
    /// Where results and rejects go.
    pub places: Places,
    /// The command, for whoever finds the ledger locked.
    pub command: String,
    /// A rehearsal: its account forgets the server's port, and its pace is that of the server.
    pub sandbox: Option<Rate>,
    /// A quota that is used up, and a long pause that the target asks for, are waited out.
    pub wait: bool,
    /// How long a target that is down is waited for; `None`: as long as is usual.
    pub wait_down: Option<Duration>,
    /// Where issues are told, a line each.
    pub issues: Option<IssueWriter>,
    /// Whether a page is to be drawn, which lists more than the ledger keeps.
    pub page: bool,
    /// What a page tells of the settings; the ledger keeps it.
    pub told: Vec<(String, String)>,
}

/// What an import came to.
#[derive(Debug)]
pub struct Imported {
    /// The run's name in the ledger.
    pub run: String,
    /// Rows by fate, and what is wrong with them.
    pub tally: Tally,
    /// What was sent.
    pub requests: Requests,
    /// The files of each input.
    pub files: Vec<Files>,
    /// The ledger's file.
    pub ledger: PathBuf,
    /// Rows whose key another row of the file has.
    pub duplicates: u64,
    /// Rows that are pending because only some were asked for.
    pub not_asked: u64,
    /// Rows sent before from these inputs that are no longer in them.
    pub left: Left,
    /// Why the run stopped early.
    pub halt: Option<Halt>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Why the issues could not be written.
    pub untold: Option<std::io::Error>,
    /// How the process ends.
    pub exit: Exit,
    /// What a page shows beyond that.
    pub details: Details,
}

/// Why an import broke off.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// The ledger cannot be used.
    #[error("{0}")]
    Ledger(#[from] LedgerError),
    /// An input cannot be read.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The results or reject file cannot be written.
    #[error("the results and reject files cannot be written: {0}")]
    Files(std::io::Error),
    /// No HTTP client, no runtime.
    #[error("{0}")]
    Start(String),
    /// The sum of the fates is not the number of rows.
    #[error("a bug: {read} rows were read, but {counted} have a fate; please report it")]
    Sum {
        /// Rows read.
        read: u64,
        /// Rows with a fate.
        counted: u64,
    },
}

/// The rates of target and mapping that hold at once, and whether the limit is to be searched. A
/// limit that the target only assumes is replaced by the mapping's.
pub fn rates(loaded: &Loaded) -> (Vec<Rate>, bool) {
    rates_of(&loaded.target, Some(&loaded.mapping))
}

/// The same of a target, with or without a mapping.
pub fn rates_of(target: &Target, mapping: Option<&Mapping>) -> (Vec<Rate>, bool) {
    let own: Vec<Rate> = mapping
        .iter()
        .flat_map(|mapping| &mapping.head.limits.rate)
        .flat_map(|rate| &rate.get_ref().values)
        // Checked when the mapping was loaded.
        .filter_map(|text| parse_rate(text).ok())
        .collect();
    let replaced = target.file.limits.assumed && !own.is_empty();
    let mut rates = if replaced {
        Vec::new()
    } else {
        target.rates.clone()
    };
    rates.extend(own);
    let search = target.rate_unknown && rates.is_empty();
    (rates, search)
}

fn concurrency(loaded: &Loaded) -> usize {
    let own = loaded
        .mapping
        .head
        .limits
        .concurrency
        .as_ref()
        .map(|number| *number.get_ref());
    let limits = &loaded.target.file.limits;
    match (limits.concurrency, own) {
        (Some(_), Some(own)) if limits.assumed => own,
        (Some(target), Some(own)) => target.min(own),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => MOST_AT_ONCE,
    }
    .max(1)
}

/// Requests that may be under way at once at first: those that leave in a second at the pace, so
/// that answers that take no longer than that cost no time.
fn at_first(limits: &Limits) -> usize {
    let rate = limits.spread().map(|rate| rate.per_second());
    rate.map_or(FIRST_AT_ONCE, |rate| (rate.ceil() as usize).max(4))
}

/// The path by which a file is known from any folder.
fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// The canonical paths of the inputs; none where one of them is no file, or is a reject file, which
/// holds some of another file's rows.
fn canonical_inputs(loaded: &Loaded) -> Vec<String> {
    let paths: Option<Vec<String>> = loaded
        .inputs
        .iter()
        .map(|input| match &input.input {
            Input::Path(path) if input.source.returned.is_none() => {
                Some(canonical(path).display().to_string())
            }
            _ => None,
        })
        .collect();
    paths.unwrap_or_default()
}

/// The identity of a mapping file: the hash of its canonical path.
pub fn mapping_id(path: &Path) -> MappingId {
    let canonical = canonical(path);
    let hash = blake3::hash(canonical.as_os_str().as_encoded_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    id
}

fn account(loaded: &Loaded, settings: &Settings) -> Account {
    let target = loaded.target.name.clone();
    if settings.sandbox.is_some() {
        return Account {
            base_url: format!("sandbox:{target}"),
            target,
            client_id: None,
            tenants: Vec::new(),
            name: settings.account.clone(),
        };
    }
    Account {
        target,
        base_url: settings.base_url.clone(),
        client_id: settings.credentials.client_id.clone(),
        tenants: settings.credentials.tenants.clone(),
        name: settings.account.clone(),
    }
}

/// Imports all rows. `interrupted` ends with the number of a signal, if one comes.
///
/// # Errors
/// See [`ImportError`]; nothing was sent then, but for `Files` and `Source`, which may come late.
pub fn import(
    loaded: &Loaded,
    settings: Settings,
    progress: &Progress,
    interrupted: impl Future<Output = i32> + Send + 'static,
) -> Result<Imported, ImportError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| ImportError::Start(format!("no runtime can be started: {error}")))?;
    let account = account(loaded, &settings);
    let account_hash = account.hash();
    let path = match &settings.ledger {
        Some(path) => path.clone(),
        None => ledger::default_path(&account)?,
    };
    let journal = ledger::open(Open {
        path,
        account,
        secret: settings.credentials.long_lived(),
        same_account: settings.same_account,
        command: settings.command.clone(),
    })?;
    let names: Vec<String> = loaded
        .inputs
        .iter()
        .map(|input| input.input.name())
        .collect();
    let info = RunInfo {
        input: names.join(", "),
        mapping: loaded.mapping.path.display().to_string(),
        target: loaded.target.name.clone(),
        base_url: settings.base_url.clone(),
        inputs: canonical_inputs(loaded),
        mapping_path: canonical(&loaded.mapping.path).display().to_string(),
    };
    let ended = Run {
        loaded,
        settings,
        progress,
        account: account_hash,
    }
    .go(&runtime, &journal, info, interrupted);
    runtime.shutdown_timeout(Duration::from_millis(200));
    fault::at(Point::LedgerClosing);
    let closed = journal.close();
    let mut imported = ended?;
    if let Err(error) = closed
        && !matches!(imported.halt, Some(Halt::Ledger(_)))
    {
        imported.notes.push(error.to_string());
    }
    Ok(imported)
}

struct Run<'r> {
    loaded: &'r Loaded,
    settings: Settings,
    progress: &'r Progress,
    account: [u8; 32],
}

/// What the prepass found.
#[derive(Debug, Default)]
struct Counted {
    rows: u64,
    rejected: u64,
}

/// The most rows that may be refused, if the mapping says so.
fn allowed(stop_after: Option<StopAfter>, rows: u64) -> Option<u64> {
    match stop_after? {
        StopAfter::Count(count) => Some(count),
        StopAfter::Share(share) if rows >= 100 => Some((rows as f64 * share).floor() as u64),
        StopAfter::Share(_) => None,
    }
}

impl ImportError {
    /// How the process ends.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Sum { .. } | Self::Ledger(LedgerError::Bug(_)) => Exit::Bug,
            Self::Ledger(LedgerError::Locked { .. }) => Exit::Locked,
            _ => Exit::Usage,
        }
    }
}

impl Run<'_> {
    fn go(
        self,
        runtime: &tokio::runtime::Runtime,
        journal: &Ledger,
        info: RunInfo,
        interrupted: impl Future<Output = i32> + Send + 'static,
    ) -> Result<Imported, ImportError> {
        let Self {
            loaded,
            settings,
            progress,
            account,
        } = self;
        let stop_after = loaded
            .mapping
            .head
            .policy
            .stop_after
            .as_ref()
            .and_then(|value| parse_stop_after(value.get_ref()).ok());
        let counted = match stop_after {
            Some(_) => Some(count(loaded, progress)?),
            None => None,
        };
        let most = counted
            .as_ref()
            .and_then(|counted| allowed(stop_after, counted.rows));
        let mut claims = claims(loaded)?;

        let client = Client::new(&settings.base_url, &settings.credentials.headers, TIMEOUT)
            .map_err(ImportError::Start)?;
        let (rates, search) = match settings.sandbox {
            Some(rate) => (vec![rate], false),
            None => rates(loaded),
        };
        let headers = loaded
            .target
            .file
            .limits
            .headers
            .clone()
            .unwrap_or(LimitHeaders::None);
        let limits = Limits {
            rates,
            search,
            earlier: None,
            waits: settings.wait,
        };
        let concurrency_at_first = at_first(&limits);
        let pace = Pace::new(limits, headers, journal.clone())?;
        let inputs = info.inputs.clone();
        let began = (Instant::now(), jiff::Timestamp::now().as_millisecond());
        let base_url = info.base_url.clone();
        let mapping = mapping_id(&loaded.mapping.path);
        let space = loaded.mapping.head.row.space.is_some();
        let existing = loaded
            .inputs
            .first()
            .map(|input| input.plan.existing())
            .unwrap_or_default();
        let uncertain = loaded
            .inputs
            .first()
            .map(|input| input.plan.uncertain())
            .unwrap_or_default();
        let concurrency = concurrency(loaded);
        let run: Arc<str> = journal.begin_run(info)?.into();
        fault::at(Point::RunBegun);
        let broken_off = |error: ImportError| {
            // Where this cannot be written either, the run counts as one that did not end.
            let exit = error.exit().code();
            let _ = journal.end_run(&run, exit, [0; Fate::ALL.len()]);
            error
        };
        let uploader = Arc::new(Uploader::new(Parts {
            target: Arc::clone(&loaded.target),
            client,
            credentials: settings.credentials,
            ledger: journal.clone(),
            pace,
            settings: UploadSettings {
                attempts: settings.attempts.max(1),
                concurrency,
                concurrency_at_first,
                wait_down: settings.wait_down,
                existing,
                uncertain,
                run: Arc::clone(&run),
                mapping,
                space,
                account,
            },
            listener: Listener(Box::new(listener(progress.handle()))),
        }));

        let window = Window::default();
        let stop = |refused: u64, most: u64| {
            uploader.stop(Halt::StopAfter(format!(
                "{refused} rows were refused, more than the {most} that `stop_after` allows"
            )));
        };
        let refused = |rows: u64| {
            if let Some(most) = most
                && rows > most
            {
                stop(rows, most);
            }
        };
        if let (Some(counted), Some(most)) = (&counted, most)
            && counted.rejected > most
        {
            stop(counted.rejected, most);
        }
        let finisher = Finisher::new(FinishParts {
            loaded,
            places: &settings.places,
            ledger: journal,
            progress,
            window: &window,
            run: Arc::clone(&run),
            refused: &refused,
            issues: settings.issues,
            collector: gather::collector(loaded, if settings.page { LISTED } else { KEPT }),
        })
        .map_err(|error| broken_off(ImportError::Files(error)))?;

        // Enough for the batches that are under way and those that come next.
        let at_once = loaded
            .target
            .create
            .batch
            .as_ref()
            .map_or(1, |batch| batch.max.min(1_000));
        let (jobs, queue) =
            tokio::sync::mpsc::channel::<Job>((concurrency.min(64) * 4).max(at_once * 2));
        let (done, mut carried) = tokio::sync::mpsc::unbounded_channel();
        let (told, tellers) = std::sync::mpsc::channel::<Told>();
        let sender = Arc::clone(&uploader);
        runtime.spawn(async move { sender.run(queue, done).await });
        let by_upload = told.clone();
        runtime.spawn(async move {
            while let Some(carried) = carried.recv().await {
                // The finisher is gone only where the run broke off.
                let _ = by_upload.send(Told::Carried(carried));
            }
        });
        let ahead = Arc::new(Ahead::default());
        if let Some(counted) = &counted {
            ahead.is(counted.rows, &settings.selection);
        }
        let (shown, looked_at) = (progress.handle(), Arc::downgrade(&uploader));
        let (queued, still) = (jobs.downgrade(), Arc::clone(&ahead));
        runtime.spawn(async move {
            while let Some(uploader) = looked_at.upgrade() {
                let queue = queued
                    .upgrade()
                    .map_or(0, |jobs| jobs.max_capacity() - jobs.capacity());
                if let Some(rows) = still.rows() {
                    uploader.outstanding(rows + queue as u64);
                }
                let live = uploader.live();
                shown.event(Event::Pace(PaceNow {
                    per_second: live.per_second,
                    limit: live.limit,
                    paused: live.paused,
                }));
                drop(uploader);
                tokio::time::sleep(LOOK).await;
            }
        });
        let track = Arc::new(Mutex::new(PaceTrack::default()));
        let (tracked, looked_at) = (Arc::clone(&track), Arc::downgrade(&uploader));
        runtime.spawn(async move {
            while let Some(uploader) = looked_at.upgrade() {
                gather::look(&tracked, began.0, &uploader);
                drop(uploader);
                tokio::time::sleep(gather::LOOK).await;
            }
        });
        let watched = Arc::clone(&uploader);
        runtime.spawn(async move {
            let signal = interrupted.await;
            watched.stop(Halt::Signal(signal));
        });

        progress.event(Event::Phase("sending"));
        progress.event(Event::Total(counted.as_ref().map(|counted| counted.rows)));
        let read = AtomicU64::new(0);
        let (fed, finished) = std::thread::scope(|threads| {
            let feeder = Feeder {
                loaded,
                journal,
                uploader: &uploader,
                window: &window,
                progress,
                selection: &settings.selection,
                mapping,
                space,
                run: &run,
                sequence: 0,
                duplicates: 0,
                not_asked: 0,
                runtime: runtime.handle(),
                ahead: &ahead,
            };
            let read = &read;
            let claims = claims.as_mut();
            let feed = threads.spawn(move || feeder.feed(claims, read, jobs, told));
            if counted.is_none() {
                let (ahead, selection) = (&ahead, &settings.selection);
                let shown = progress.handle();
                threads.spawn(move || {
                    if let Some(rows) = ahead.count(&loaded.inputs) {
                        ahead.is(rows, selection);
                        shown.event(Event::Total(Some(rows)));
                    }
                });
            }
            let finished = finisher.run(&tellers);
            (
                feed.join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                finished,
            )
        });
        gather::look(&track, began.0, &uploader);
        let track = track.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let end = End {
            loaded,
            told: settings.told,
            track,
            began,
            base_url,
            journal,
            uploader: &uploader,
            run: &run,
            read: read.into_inner(),
            mapping,
            inputs,
        };
        end.of(fed, finished).map_err(broken_off)
    }
}

/// Shows what happens while rows are sent.
fn listener(progress: ProgressHandle) -> impl Fn(Happening) + Send + Sync {
    move |happening| match happening {
        Happening::Limited => progress.event(Event::Limited),
        Happening::Retried => progress.event(Event::Retried),
        Happening::Down(why, patience) => progress.event(Event::Down(why, patience)),
        Happening::Up => progress.event(Event::Up),
    }
}

/// Counts the rows of all inputs and those that our own checks refuse, before anything is sent.
fn count(loaded: &Loaded, progress: &Progress) -> Result<Counted, SourceError> {
    progress.event(Event::Phase("checking"));
    let mut counted = Counted::default();
    let mut claims = claims(loaded)?;
    each_batch(&loaded.inputs, &mut |planned: Planned| {
        progress.event(Event::Rows(planned.rows.len() as u64));
        for mut row in planned.rows {
            if let Some(claims) = &mut claims {
                claims.enter(planned.input);
                claims.claim(&mut row);
            }
            counted.rows += 1;
            counted.rejected += u64::from(row.plan == Plan::Reject);
        }
        ControlFlow::Continue(())
    })?;
    loaded.forget_counts();
    Ok(counted)
}

/// How the process ends, by why the run stopped and what became of its rows.
fn exit(halt: Option<&Halt>, fates: &Fates, not_asked: u64) -> Exit {
    match halt {
        Some(Halt::Signal(15)) => Exit::Terminated,
        Some(Halt::Signal(_)) => Exit::Interrupted,
        Some(_) => Exit::Stopped,
        None if fates.get(Fate::Pending) > not_asked => Exit::Stopped,
        None if fates.refused() > 0 => Exit::Rejects,
        None => Exit::Ok,
    }
}

/// What the end of a run needs to know.
struct End<'r> {
    loaded: &'r Loaded,
    told: Vec<(String, String)>,
    track: PaceTrack,
    began: (Instant, i64),
    base_url: String,
    journal: &'r Ledger,
    uploader: &'r Uploader,
    run: &'r Arc<str>,
    read: u64,
    mapping: MappingId,
    inputs: Vec<String>,
}

impl End<'_> {
    /// Rows that this run did not read, though it read all of the files that they came from.
    fn left(&self, halt: Option<&Halt>, notes: &mut Vec<String>) -> Left {
        if halt.is_some() || self.inputs.is_empty() {
            return Left::default();
        }
        match self.journal.left(self.mapping, self.inputs.clone()) {
            Ok(left) => left,
            Err(error) => {
                notes.push(error.to_string());
                Left::default()
            }
        }
    }

    fn of(mut self, fed: Fed, finished: Finished) -> Result<Imported, ImportError> {
        let End {
            loaded,
            journal,
            uploader,
            run,
            read,
            ..
        } = self;
        let Finished {
            tally,
            files,
            mut notes,
            failure,
            untold,
            mut collector,
        } = finished;
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let requests = Requests {
            sent: load(&uploader.counters.sent),
            retried: load(&uploader.counters.retried),
            limited: load(&uploader.counters.limited),
            lookups: load(&uploader.counters.lookups),
        };
        let mut halt = uploader.stopped();
        if let Some(error) = fed.error {
            if requests.sent == 0 && halt.is_none() {
                return Err(error.into());
            }
            halt.get_or_insert(Halt::Broken(format!(
                "the input cannot be read to its end: {error}"
            )));
        }
        if let Some(error) = failure {
            halt.get_or_insert(Halt::Broken(format!(
            "the results and reject files cannot be written: {error}; every row's fate is in the ledger, and the same command writes the files again"
        )));
        }
        if !tally.sum_is_right(read) {
            return Err(ImportError::Sum {
                read,
                counted: tally.fates().total(),
            });
        }
        if let Err(error) = uploader.remember() {
            notes.push(error.to_string());
        }
        notes.extend(uploader.notes());
        let left = self.left(halt.as_ref(), &mut notes);
        notes.extend(left_note(&left));
        let exit = exit(halt.as_ref(), tally.fates(), fed.not_asked);
        let mut fates = [0; Fate::ALL.len()];
        for (place, (_, rows)) in tally.fates().iter().enumerate() {
            fates[place] = rows;
        }
        // Whoever stopped the run does not want to wait.
        if halt.is_none() {
            gather::look_up_pairs(loaded, &mut collector);
        }
        let details = Details {
            began_ms: self.began.1,
            settings: std::mem::take(&mut self.told),
            pace: Some(self.track),
            ..collector.finish()
        };
        let summary = kept::summary(kept::Run {
            loaded,
            run,
            base_url: &self.base_url,
            tally: &tally,
            requests,
            files: &files,
            ledger: journal.path(),
            duplicates: fed.duplicates,
            halt: halt.as_ref(),
            notes: &notes,
            exit,
            seconds: self.began.0.elapsed().as_secs_f64(),
            details: &details,
        });
        fault::at(Point::RunEnded);
        if let Err(error) = journal.end_run_with(run, exit.code(), fates, summary) {
            // What was sent is told all the same; a ledger that failed before has been told of.
            if !matches!(halt, Some(Halt::Ledger(_))) {
                notes.push(error.to_string());
            }
        }
        Ok(Imported {
            exit,
            run: run.to_string(),
            tally,
            requests,
            files,
            ledger: journal.path().to_path_buf(),
            duplicates: fed.duplicates,
            not_asked: fed.not_asked,
            left,
            halt,
            notes,
            untold,
            details,
        })
    }
}

/// The rows that left their file, in a sentence.
fn left_note(left: &Left) -> Option<String> {
    let first = left.rows.first()?;
    let same_run = left.rows.iter().all(|row| row.run == first.run);
    let mut rows: Vec<u64> = left.rows.iter().map(|row| row.row).collect();
    rows.sort_unstable();
    let shown: Vec<String> = rows.iter().take(5).map(u64::to_string).collect();
    let more = if left.count > shown.len() as u64 {
        ", …"
    } else {
        ""
    };
    let of = match same_run {
        true => format!(" of run {}", first.run),
        false => " as they were counted then".to_owned(),
    };
    let (rows, are, word) = match left.count {
        1 => ("1 row".to_owned(), "is", "row"),
        count => (format!("{count} rows"), "are", "rows"),
    };
    let unsettled = left.rows.iter().filter(|row| row.unsettled).count();
    let uncertain = match unsettled {
        0 => String::new(),
        1 => "; of one of them it is not known whether the target made it: `rowferry settle` lists it"
            .to_owned(),
        count => format!(
            "; of {count} of them it is not known whether the target made them: `rowferry settle` lists them"
        ),
    };
    Some(format!(
        "{rows} that an earlier run sent from here {are} no longer in the input ({word} {}{more}{of}); \
         nothing was changed at the target{uncertain}",
        shown.join(", ")
    ))
}
