//! The dry run: everything is read, mapped and checked; nothing is sent, no ledger is opened.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;

use super::finish::warnings;
use super::requests::Requests;
use super::stage::{Planned, each_batch};
use super::{Loaded, finish, gather};
use crate::record::{Fate, Plan, Prepared, Settled};
use crate::reject::{RejectWriter, remove_own};
use crate::report::html::{Details, LISTED};
use crate::report::{Estimate, Event, Progress, Tally};
use crate::row::Header;
use crate::source::SourceError;
use crate::upload::pace::Limits;
use crate::upload::pace::schedule::least_seconds;

/// What a check is told.
#[derive(Debug, Default)]
pub struct Settings {
    /// How many bodies are kept to be shown.
    pub bodies: usize,
    /// Where the reject file goes, if one is wanted.
    pub rejects: Option<PathBuf>,
    /// Whether a page is to be drawn, for which more is gathered.
    pub page: bool,
}

/// What a check found.
#[derive(Debug)]
pub struct Checked {
    /// The rows by fate, and what is wrong with them.
    pub tally: Tally,
    /// The first bodies as they would be sent.
    pub bodies: Vec<Value>,
    /// Rows whose key another row of the file has.
    pub duplicates: u64,
    /// The reject file of each input that was written.
    pub rejects: Vec<Option<PathBuf>>,
    /// What an import would take.
    pub estimate: Estimate,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What a page shows beyond that, where one was asked for.
    pub details: Option<Details>,
}

/// Why a check broke off.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// An input cannot be read to its end.
    #[error("{0}")]
    Source(#[from] SourceError),
    /// The reject file cannot be written.
    #[error(
        "the reject file cannot be written: {0}. Name a folder that can be written by --rejects"
    )]
    Rejects(#[from] std::io::Error),
    /// The sum of the fates is not the number of rows.
    #[error("a bug: {read} rows were read, but {counted} have a fate")]
    Sum {
        /// Rows read.
        read: u64,
        /// Rows with a fate.
        counted: u64,
    },
}

/// Checks all rows. `told` gets each with the index of its input, in the order of the inputs.
///
/// # Errors
/// See [`CheckError`].
pub fn check(
    loaded: &Loaded,
    settings: &Settings,
    progress: &Progress,
    told: &mut dyn FnMut(usize, &Header, &Settled),
) -> Result<Checked, CheckError> {
    let names = loaded
        .inputs
        .iter()
        .map(|input| input.input.name())
        .collect();
    let mut tally = Tally::new(names);
    let mut bodies = Vec::new();
    let mut duplicates = 0;
    let mut read = 0u64;
    let mut notes = Vec::new();
    let mut writers: BTreeMap<usize, RejectWriter> = BTreeMap::new();
    let mut failed = None;
    let mut claims = claims(loaded)?;
    let mut collector = settings.page.then(|| gather::collector(loaded, LISTED));
    let requests = Requests::of(loaded);
    progress.event(Event::Phase("checking"));
    each_batch(&loaded.inputs, &mut |planned: Planned| {
        let input = &loaded.inputs[planned.input];
        let header = &input.source.header;
        read += planned.rows.len() as u64;
        progress.event(Event::Rows(planned.rows.len() as u64));
        for mut row in planned.rows {
            if let Some(claims) = &mut claims {
                claims.enter(planned.input);
                claims.claim(&mut row);
            }
            if is_duplicate(&row) {
                duplicates += 1;
            }
            if let Some(requests) = &requests {
                let cells = planned.batch.row(row.index);
                requests.judge(&mut row, cells);
            }
            if let Plan::Send(body) = &row.plan
                && bodies.len() < settings.bodies
            {
                let record = serde_json::from_str(&body.json).unwrap_or(Value::Null);
                bodies.push(loaded.target.envelope(record));
            }
            let index = row.index;
            let settled = judged(row);
            tally.add(planned.input, header, &settled);
            told(planned.input, header, &settled);
            if let Some(collector) = &mut collector {
                let twin = claims.as_ref().and_then(gather::twin);
                let row = planned.batch.row(index);
                collector.row(planned.input, row, &settled, twin.as_ref());
            }
            if settings.rejects.is_some() && settled.fate.is_reject() {
                let written =
                    writer(&mut writers, planned.input, loaded, settings).and_then(|writer| {
                        let row = planned.batch.row(index);
                        writer.write(header, row, &settled, finish::source_place(input, row))
                    });
                if let Err(error) = written {
                    failed = Some(error);
                    return ControlFlow::Break(());
                }
            }
        }
        ControlFlow::Continue(())
    })?;
    if let Some(error) = failed {
        return Err(error.into());
    }
    if !tally.sum_is_right(read) {
        return Err(CheckError::Sum {
            read,
            counted: tally.fates().total(),
        });
    }
    let mut rejects = vec![None; loaded.inputs.len()];
    if settings.rejects.is_some() {
        let mut registry = finish::registry(loaded);
        for (index, rejects) in rejects.iter_mut().enumerate() {
            let wanted = wanted(loaded, index, settings);
            let Some(writer) = writers.remove(&index) else {
                remove_own(&wanted, &registry)?;
                continue;
            };
            if let Some(written) = writer.finish(&wanted, &registry)? {
                registry.remember(&written.path, written.hash);
                notes.extend(written.note);
                *rejects = Some(written.path);
            }
        }
    }
    let to_send = tally.fates().get(Fate::Created);
    let estimate = estimate(loaded, to_send);
    let details = collector.map(|mut collector| {
        gather::look_up_pairs(loaded, &mut collector);
        collector.finish()
    });
    Ok(Checked {
        details,
        tally,
        bodies,
        duplicates,
        rejects,
        estimate,
        notes,
    })
}

fn wanted(loaded: &Loaded, index: usize, settings: &Settings) -> PathBuf {
    let form = finish::form(loaded, index, settings.rejects.as_deref());
    let input = &loaded.inputs[index].input;
    finish::output(
        settings.rejects.as_deref(),
        input,
        loaded.inputs.len(),
        |stem| crate::reject::reject_name(stem, &form),
    )
}

fn writer<'w>(
    writers: &'w mut BTreeMap<usize, RejectWriter>,
    index: usize,
    loaded: &Loaded,
    settings: &Settings,
) -> std::io::Result<&'w mut RejectWriter> {
    use std::collections::btree_map::Entry;
    match writers.entry(index) {
        Entry::Occupied(entry) => Ok(entry.into_mut()),
        Entry::Vacant(entry) => {
            finish::make_folder(settings.rejects.as_deref(), loaded.inputs.len())?;
            let wanted = wanted(loaded, index, settings);
            let folder = wanted.parent().unwrap_or(Path::new(""));
            let source = &loaded.inputs[index].source;
            let added = source
                .returned
                .as_ref()
                .map(|returned| returned.added.as_slice());
            let form = finish::form(loaded, index, settings.rejects.as_deref());
            let writer = RejectWriter::create(folder, &source.header, form, added)?;
            Ok(entry.insert(writer))
        }
    }
}

/// The claims of all inputs, read through once before where the last of equal keys counts.
///
/// # Errors
/// Where an input cannot be read to its end.
pub fn claims(loaded: &Loaded) -> Result<Option<crate::plan::Claims>, SourceError> {
    let Some(first) = loaded.inputs.first() else {
        return Ok(None);
    };
    let names = loaded.inputs.iter().map(|input| input.input.name());
    let mut claims = first.plan.claims().of_inputs(names.collect());
    if claims.needs_first_pass() {
        each_batch(&loaded.inputs, &mut |planned| {
            claims.enter(planned.input);
            claims.first_pass(&planned.rows);
            ControlFlow::Continue(())
        })?;
        loaded.forget_counts();
    }
    Ok(Some(claims))
}

/// Whether a row's key stands twice.
pub fn is_duplicate(row: &Prepared) -> bool {
    matches!(row.plan, Plan::Skip("duplicate", _))
        || row
            .issues
            .iter()
            .any(|issue| &*issue.code == "key.duplicate")
}

/// A planned row's fate where nothing is sent.
pub fn judged(row: Prepared) -> Settled {
    let (fate, note) = match row.plan {
        Plan::Send(_) => (Fate::Created, warnings(&row.issues)),
        Plan::Skip(rule, note) => (Fate::Skipped, format!("{rule}: {note}")),
        Plan::Reject => (Fate::Rejected, String::new()),
    };
    Settled {
        row: row.row,
        sheet: row.sheet,
        line: row.line,
        key: Arc::clone(&row.key),
        fate,
        id: None,
        run: None,
        note,
        issues: row.issues,
    }
}

/// What sending so many rows takes at the pace of target and mapping, as far as it is known.
pub fn estimate(loaded: &Loaded, rows: u64) -> Estimate {
    let (rates, search) = super::import::rates(loaded);
    let existing = loaded
        .inputs
        .first()
        .map(|input| input.plan.existing())
        .unwrap_or_default();
    use crate::mapping::file::Existing;
    let asks = existing != Existing::Create && !loaded.target.lookups.is_empty();
    let batch = loaded.target.create.batch.as_ref();
    let creates = match batch {
        // Whatever is asked for first is asked for row by row.
        Some(batch) if existing == Existing::Create => rows.div_ceil(batch.max.max(1) as u64),
        _ => rows,
    };
    let requests = creates + if asks { rows } else { 0 };
    let limits = Limits {
        rates,
        search,
        ..Limits::default()
    };
    Estimate {
        requests,
        seconds: least_seconds(requests, &limits).map(|seconds| (seconds * 10.0).round() / 10.0),
    }
}
