//! The import: what the check lets through and the ledger calls new is sent, and every row's fate
//! is written down.

mod end;
mod identity;
mod limits;
mod prepass;
mod shown;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use self::identity::mapping_id;
pub use self::limits::{rates, rates_of};

use self::end::End;
use self::identity::{account, canonical, canonical_inputs};
use self::limits::{at_first, concurrency};
use self::prepass::{allowed, count};
use super::ahead::Ahead;
use super::check::claims;
use super::feed::Feeder;
use super::finish::{Finisher, Parts as FinishParts, Places, Told, Window};
use super::select::Selection;
use super::{Loaded, gather};
use crate::fault::{self, Point};
use crate::ledger::{self, Ledger, LedgerError, Left, Open, RunInfo};
use crate::mapping::stop_after::parse_stop_after;
use crate::rate::Rate;
use crate::record::Fate;
use crate::report::exit::Exit;
use crate::report::html::{Details, KEPT, LISTED, PaceTrack};
use crate::report::{Event, Files, IssueWriter, Progress, Requests, Tally};
use crate::source::SourceError;
use crate::target::file::LimitHeaders;
use crate::upload::auth::Credentials;
use crate::upload::client::Client;
use crate::upload::pace::{Limits, Pace};
use crate::upload::{Halt, Job, Listener, Parts, Settings as UploadSettings, Uploader};

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
    #[error(
        "the results and reject files cannot be written: {0}. Nothing was sent; name a folder that can be written by --results and --rejects"
    )]
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
        // A rehearsal has none.
        let client = match settings.sandbox {
            Some(_) => client,
            None => client.hiding(settings.credentials.secrets()),
        };
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
            listener: Listener(Box::new(shown::listener(progress.handle()))),
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
        runtime.spawn(shown::pace(
            Arc::downgrade(&uploader),
            jobs.downgrade(),
            Arc::clone(&ahead),
            progress.handle(),
        ));
        let track = Arc::new(Mutex::new(PaceTrack::default()));
        runtime.spawn(shown::track(
            Arc::clone(&track),
            began.0,
            Arc::downgrade(&uploader),
        ));
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
                missing: settings.selection.named(),
                runtime: runtime.handle(),
                ahead: &ahead,
                contents: std::cell::RefCell::default(),
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
