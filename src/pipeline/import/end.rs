//! The end of a run: its fates are summed up, and what it came to is told and written down.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::{ImportError, Imported};
use crate::fault::{self, Point};
use crate::ledger::{Ledger, Left, MappingId};
use crate::pipeline::feed::Fed;
use crate::pipeline::finish::Finished;
use crate::pipeline::{Loaded, gather, kept};
use crate::record::Fate;
use crate::report::exit::Exit;
use crate::report::html::{Details, PaceTrack};
use crate::report::{Fates, Requests};
use crate::upload::{Halt, Uploader};

/// Tells which rows were asked for that no input has.
fn missing_note(missing: &[RangeInclusive<u64>]) -> Option<String> {
    let named = |rows: &RangeInclusive<u64>| match rows.start() == rows.end() {
        true => rows.start().to_string(),
        false => format!("{}-{}", rows.start(), rows.end()),
    };
    let named: Vec<String> = missing.iter().map(named).collect();
    (!named.is_empty()).then(|| {
        format!(
            "--rows names {}, and there is no such row: rows are counted as a spreadsheet program counts them, \
             with the column names and blank lines",
            named.join(", ")
        )
    })
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
pub(super) struct End<'r> {
    pub(super) loaded: &'r Loaded,
    pub(super) told: Vec<(String, String)>,
    pub(super) track: PaceTrack,
    pub(super) began: (Instant, i64),
    pub(super) base_url: String,
    pub(super) journal: &'r Ledger,
    pub(super) uploader: &'r Uploader,
    pub(super) run: &'r Arc<str>,
    pub(super) read: u64,
    pub(super) mapping: MappingId,
    pub(super) inputs: Vec<String>,
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

    /// The rest that is done once all rows have their fates, and what the import came to.
    pub(super) fn of(mut self, fed: Fed, finished: Finished) -> Result<Imported, ImportError> {
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
        if halt.is_none() {
            notes.extend(missing_note(&fed.missing));
        }
        let left = self.left(halt.as_ref(), &mut notes);
        notes.extend(left_note(&left));
        let exit = exit(halt.as_ref(), tally.fates(), fed.not_asked);
        if halt.is_none() && exit == Exit::Stopped {
            let rows = tally
                .fates()
                .get(Fate::Pending)
                .saturating_sub(fed.not_asked);
            halt = Some(left_pending(rows, uploader.left()));
        }
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

/// Why a run ends early that nothing stopped.
fn left_pending(rows: u64, why: Option<String>) -> Halt {
    let rows = match rows {
        1 => "1 row was".to_owned(),
        rows => format!("{rows} rows were"),
    };
    Halt::Left(match why {
        Some(why) => format!("{rows} not sent: {why}"),
        None => format!("{rows} not sent"),
    })
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
