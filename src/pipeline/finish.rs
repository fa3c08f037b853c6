//! The end of every row: rows and their fates come together again in the order of the file, into
//! results file, reject file and summary.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use super::Loaded;
use super::load::Prepared as InputPlan;
use crate::fault::{self, Point};
use crate::issue::{Issue, Severity, cut};
use crate::ledger::{self, Ledger};
use crate::record::{Fate, Settled};
use crate::reject::{
    Dialect, Form, Look, Ours, Quoting, Registry, RejectWriter, ResultsWriter, Written,
};
use crate::report::html::{Collector, Twin};
use crate::report::{Event, Files, IssueWriter, Progress, Tally};
use crate::row::{Row, RowBatch, RowPlace};
use crate::source::{self, Facts, Input};
use crate::upload::{Carried, UPDATE_ONLY};

/// The most rows that wait for their fate, or for that of a row before them.
pub const WINDOW: u64 = 8_192;

/// Keeps the rows that wait within [`WINDOW`].
#[derive(Debug, Default)]
pub struct Window {
    written: Mutex<u64>,
    moved: Condvar,
}

impl Window {
    /// Waits until the row of this sequence number may wait for its fate.
    pub fn enter(&self, sequence: u64) {
        let written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.moved
                .wait_while(written, |written| {
                    sequence.saturating_sub(*written) >= WINDOW
                })
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    fn advance(&self, to: u64) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = to;
        self.moved.notify_all();
    }
}

/// A row on its way to its end.
#[derive(Debug)]
pub struct Waiting {
    /// Its place in the order of the run.
    pub sequence: u64,
    /// Index of its input.
    pub input: usize,
    /// The batch that holds its cells.
    pub batch: Arc<RowBatch>,
    /// Its place in the batch.
    pub index: usize,
    /// What is known of it; the fate stands where it needs no request.
    pub settled: Settled,
    /// Whether its fate is known.
    pub known: bool,
    /// The body as it is sent, for leading a refusal back to its cell.
    pub body: Option<Box<str>>,
    /// The row whose key it has as well.
    pub twin: Option<Twin>,
}

/// What the finisher is told.
#[derive(Debug)]
pub enum Told {
    /// A row, in the order of the file.
    Row(Box<Waiting>),
    /// What became of a row that was sent.
    Carried(Carried),
}

/// Where results and rejects go.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// A file or a folder for the reject file.
    pub rejects: Option<PathBuf>,
    /// A file or a folder for the results file.
    pub results: Option<PathBuf>,
}

/// What the end of a run found.
#[derive(Debug)]
pub struct Finished {
    /// Rows by fate, and what is wrong with them.
    pub tally: Tally,
    /// The files of each input.
    pub files: Vec<Files>,
    /// What a person should know.
    pub notes: Vec<String>,
    /// What a page shows.
    pub collector: Collector,
    /// Why a file could not be written; the rows have their fates in the ledger.
    pub failure: Option<std::io::Error>,
    /// Why the issues could not be written.
    pub untold: Option<std::io::Error>,
}

/// Brings rows to their end.
pub struct Finisher<'r> {
    loaded: &'r Loaded,
    places: &'r Places,
    ledger: &'r Ledger,
    registry: Registry,
    progress: &'r Progress,
    window: &'r Window,
    run: Arc<str>,
    /// Told after each refused row how many rows were refused so far.
    refused: &'r (dyn Fn(u64) + Sync),
    tally: Tally,
    collector: Collector,
    waiting: BTreeMap<u64, Waiting>,
    early: BTreeMap<u64, Carried>,
    next: u64,
    current: Option<(usize, RejectWriter, ResultsWriter)>,
    /// The files cannot be written.
    broken: bool,
    files: Vec<Files>,
    notes: Vec<String>,
    issues: Option<IssueWriter>,
    untold: Option<std::io::Error>,
}

/// The registry, and as a second witness the ledger: it may stand where the state folder does not
/// last, or the other way round.
struct Witnesses<'w> {
    registry: &'w Registry,
    ledger: &'w Ledger,
}

impl Ours for Witnesses<'_> {
    fn is_ours(&self, path: &Path, hash: [u8; 32]) -> bool {
        let witness = |path: &Path| self.ledger.file_hash(path).ok().flatten();
        self.registry.is_ours_or(path, hash, witness)
    }

    fn about_to_write(&self, path: &Path, hash: [u8; 32]) {
        self.registry.about_to_write(path, hash);
    }
}

/// What a [`Finisher`] is made of.
pub struct Parts<'r> {
    /// Mapping, target, inputs.
    pub loaded: &'r Loaded,
    /// Where files go.
    pub places: &'r Places,
    /// Which files we wrote last.
    pub ledger: &'r Ledger,
    /// Who is told.
    pub progress: &'r Progress,
    /// How many rows may wait.
    pub window: &'r Window,
    /// The run's name.
    pub run: Arc<str>,
    /// Told after each refused row how many rows were refused so far.
    pub refused: &'r (dyn Fn(u64) + Sync),
    /// Where issues are told, a line each.
    pub issues: Option<IssueWriter>,
    /// What gathers for a page.
    pub collector: Collector,
}

impl<'r> Finisher<'r> {
    /// A finisher that begins the files of the first input, so that a folder that cannot be
    /// written is found before anything is sent.
    ///
    /// # Errors
    /// The folder cannot be written to.
    pub fn new(parts: Parts<'r>) -> std::io::Result<Self> {
        let Parts {
            loaded,
            places,
            ledger,
            progress,
            window,
            run,
            refused,
            issues,
            collector,
        } = parts;
        let names = loaded
            .inputs
            .iter()
            .map(|input| input.input.name())
            .collect();
        let mut finisher = Self {
            loaded,
            places,
            ledger,
            registry: registry(loaded),
            progress,
            window,
            run,
            refused,
            tally: Tally::new(names),
            collector,
            waiting: BTreeMap::new(),
            early: BTreeMap::new(),
            next: 0,
            current: None,
            broken: false,
            files: vec![Files::default(); loaded.inputs.len()],
            notes: Vec::new(),
            issues,
            untold: None,
        };
        if !loaded.inputs.is_empty() {
            finisher.begin(0)?;
        }
        Ok(finisher)
    }

    fn wanted(&self, index: usize) -> (PathBuf, PathBuf) {
        let form = self.form(index);
        let input = &self.loaded.inputs[index].input;
        let many = self.loaded.inputs.len();
        (
            output(self.places.rejects.as_deref(), input, many, |stem| {
                crate::reject::reject_name(stem, &form)
            }),
            output(
                self.places.results.as_deref(),
                input,
                many,
                crate::reject::results_name,
            ),
        )
    }

    fn form(&self, index: usize) -> Form {
        let rejects = self.places.rejects.as_deref();
        form(self.loaded, index, rejects)
    }

    fn begin(&mut self, index: usize) -> std::io::Result<()> {
        let inputs = self.loaded.inputs.len();
        for said in [&self.places.rejects, &self.places.results] {
            make_folder(said.as_deref(), inputs)?;
        }
        let (rejects, results) = self.wanted(index);
        let source = &self.loaded.inputs[index].source;
        let added = source
            .returned
            .as_ref()
            .map(|returned| returned.added.as_slice());
        let folder = |path: &Path| path.parent().unwrap_or(Path::new("")).to_path_buf();
        let rejects =
            RejectWriter::create(&folder(&rejects), &source.header, self.form(index), added)?;
        let results = ResultsWriter::create(&folder(&results))?;
        self.current = Some((index, rejects, results));
        Ok(())
    }

    fn end(&mut self) -> std::io::Result<()> {
        let Some((index, rejects, results)) = self.current.take() else {
            return Ok(());
        };
        let (wanted_rejects, wanted_results) = self.wanted(index);
        let ours = Witnesses {
            registry: &self.registry,
            ledger: self.ledger,
        };
        fault::at(Point::RejectsReady);
        let rejects = rejects.finish(&wanted_rejects, &ours)?;
        fault::at(Point::ResultsReady);
        let results = results.finish(&wanted_results, &ours)?;
        fault::at(Point::RegistryBefore);
        let mut keep = |written: Written| {
            let path = self.registry.remember(&written.path, written.hash);
            // Without this note a later run takes another name, which loses nothing.
            if let Err(error) = self.ledger.remember_file(&path, written.hash) {
                self.notes.push(error.to_string());
            }
            self.notes.extend(written.note);
            written.path.display().to_string()
        };
        let files = Files {
            rejects: rejects.map(&mut keep),
            results: Some(keep(results)),
            ..Files::default()
        };
        fault::at(Point::RegistryAfter);
        self.files[index] = files;
        Ok(())
    }

    /// Takes what it is told until nobody tells more.
    pub fn run(mut self, told: &std::sync::mpsc::Receiver<Told>) -> Finished {
        let mut failure = None;
        for told in told {
            match told {
                Told::Row(waiting) => {
                    self.waiting.insert(waiting.sequence, *waiting);
                }
                Told::Carried(carried) => {
                    self.early.insert(carried.sequence, carried);
                }
            }
            if let Err(error) = self.advance() {
                // From here on rows are counted only: files with some of the rows would mislead.
                self.broken = true;
                self.current = None;
                failure.get_or_insert(error);
            }
        }
        if !self.broken
            && let Err(error) = self.end_all()
        {
            failure.get_or_insert(error);
        }
        let untold = self.issues.and_then(|mut issues| issues.finish().err());
        Finished {
            untold: self.untold.or(untold),
            tally: self.tally,
            collector: self.collector,
            files: self.files,
            notes: self.notes,
            failure,
        }
    }

    /// Ends the files that are open, and writes those of inputs without rows.
    fn end_all(&mut self) -> std::io::Result<()> {
        self.end()?;
        for index in self.ended()..self.loaded.inputs.len() {
            self.begin(index)?;
            self.end()?;
        }
        Ok(())
    }

    /// The first input whose files were not written.
    fn ended(&self) -> usize {
        self.files
            .iter()
            .take_while(|files| files.results.is_some())
            .count()
    }

    fn advance(&mut self) -> std::io::Result<()> {
        let mut failed = Ok(());
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() != self.next {
                break;
            }
            if !first.get().known && !self.early.contains_key(&self.next) {
                break;
            }
            let mut waiting = first.remove();
            if !waiting.known
                && let Some(carried) = self.early.remove(&self.next)
            {
                self.join(&mut waiting, carried);
            }
            self.next += 1;
            self.window.advance(self.next);
            if failed.is_ok() {
                failed = self.write(&waiting);
            }
            let refused = self.tally.refused();
            let header = &self.loaded.inputs[waiting.input].source.header;
            self.tally.add(waiting.input, header, &waiting.settled);
            if let (Some(issues), None) = (&mut self.issues, &self.untold) {
                self.untold = issues.add(waiting.input, header, &waiting.settled).err();
            }
            self.gather(&waiting);
            self.progress.event(Event::Settled(waiting.settled.fate, 1));
            if self.tally.refused() > refused {
                (self.refused)(self.tally.refused());
            }
        }
        failed
    }

    /// Gathers what a page shows of a row.
    fn gather(&mut self, waiting: &Waiting) {
        let row = waiting.batch.row(waiting.index);
        let (settled, twin) = (&waiting.settled, waiting.twin.as_ref());
        self.collector.row(waiting.input, row, settled, twin);
        if settled.fate != Fate::Pending
            && let Some(body) = &waiting.body
        {
            let target = &self.loaded.target;
            let record = || serde_json::from_str(body).ok();
            self.collector
                .body(|| record().map(|record| target.envelope(record)));
        }
    }

    fn write(&mut self, waiting: &Waiting) -> std::io::Result<()> {
        if self.broken {
            return Ok(());
        }
        while self
            .current
            .as_ref()
            .is_none_or(|(index, ..)| *index < waiting.input)
        {
            let next = self
                .current
                .as_ref()
                .map_or(self.ended(), |(index, ..)| index + 1);
            self.end()?;
            self.begin(next.min(waiting.input))?;
        }
        let Some((index, rejects, results)) = &mut self.current else {
            return Ok(());
        };
        let input = &self.loaded.inputs[*index];
        results.write(&waiting.settled)?;
        if waiting.settled.fate.is_reject() {
            let row = waiting.batch.row(waiting.index);
            let place = source_place(input, row);
            rejects.write(&input.source.header, row, &waiting.settled, place)?;
        }
        Ok(())
    }

    /// Joins a row with what became of its request; a refusal is led back to the source's cell.
    fn join(&self, waiting: &mut Waiting, carried: Carried) {
        let Carried {
            fate,
            id,
            note,
            refusal,
            code,
            ..
        } = carried;
        let settled = &mut waiting.settled;
        settled.fate = fate;
        settled.id = id.map(Arc::from);
        if matches!(fate, Fate::Created | Fate::Updated) {
            settled.run = Some(Arc::clone(&self.run));
        }
        let plan = &self.loaded.inputs[waiting.input].plan;
        let row = waiting.batch.row(waiting.index);
        let issue =
            |code: &str, field: Option<Arc<str>>, column: Option<usize>, message: String| Issue {
                code: code.into(),
                severity: Severity::Error,
                column,
                field,
                value: column.map(|column| cut(row.cell(column).text).into()),
                message: message.into(),
            };
        if let Some(refusal) = refusal {
            let code = match refusal.status {
                0 => "target.not_made".to_owned(),
                // That of an item within an answer that is none.
                200..=299 => "target.refused".to_owned(),
                status => format!("target.{status}"),
            };
            let body = waiting
                .body
                .as_deref()
                .and_then(|body| serde_json::from_str(body).ok());
            for (name, words) in &refusal.fields {
                let place = match &body {
                    Some(body) => plan.place_in(name, body),
                    None => plan.place_of(name),
                };
                let message = match name.is_empty() {
                    true => format!("the target says: {words}"),
                    false => format!("the target says of {name}: {words}"),
                };
                let (field, column) = match place {
                    Some((field, column)) => (Some(field), column),
                    None => ((!name.is_empty()).then(|| name.as_str().into()), None),
                };
                settled.issues.push(issue(&code, field, column, message));
            }
            if refusal.fields.is_empty() {
                let message = match refusal.message.as_str() {
                    "" => format!("the target answered {}", refusal.status),
                    // The last attempt's own words, which need not be the target's.
                    words if refusal.status == 0 => {
                        format!("no attempt made the record; the last one: {words}")
                    }
                    words => format!("the target says: {words}"),
                };
                settled.issues.push(issue(&code, None, None, message));
            }
            settled.note = note;
        } else if code == Some(UPDATE_ONLY) {
            // That the fields are empty was a warning while the row could be a change.
            for issue in &mut settled.issues {
                if issue.code.ends_with(".required") {
                    issue.severity = Severity::Error;
                    issue.message =
                        format!("this is empty, a new customer must have it, and {note}").into();
                }
            }
        } else if let Some(code) = code {
            let column = plan.key_columns().first().copied();
            settled.issues.push(issue(code, None, column, note));
        } else if !note.is_empty() {
            settled.note = note;
        }
    }
}

/// Where a row stands in the file that was first imported: its own place, or where the input is a
/// reject file, what `_row` says.
pub fn source_place<'a>(input: &InputPlan, row: Row<'a>) -> RowPlace<'a> {
    input
        .source
        .returned
        .as_ref()
        .and_then(|returned| RowPlace::parse(row.cell(returned.row).text))
        .unwrap_or_else(|| RowPlace::new(row.sheet().map(|sheet| &**sheet), row.number()))
}

/// The number of that place.
pub fn source_row(input: &InputPlan, row: Row<'_>) -> u64 {
    source_place(input, row).row
}

/// The words of a row's warnings.
pub fn warnings(issues: &[Issue]) -> String {
    let mut words = String::new();
    for issue in issues
        .iter()
        .filter(|issue| issue.severity == Severity::Warning)
    {
        if !words.is_empty() {
            words.push_str("; ");
        }
        words.push_str(&issue.code);
        words.push_str(": ");
        words.push_str(&issue.message);
    }
    words
}

/// What kind of file the rejects of an input are: what the name says that was asked for, else of the
/// source's kind.
pub fn form(loaded: &Loaded, index: usize, said: Option<&Path>) -> Form {
    let source = &loaded.inputs[index].source;
    let said = said.filter(|path| loaded.inputs.len() == 1 && !path.is_dir());
    let ending = said.and_then(|path| path.extension()?.to_str());
    let ending = ending.map(str::to_ascii_lowercase);
    let workbook = match (ending.as_deref(), &source.facts) {
        (Some("xlsx"), _) => true,
        (Some("csv" | "tsv" | "tab" | "txt"), _) | (_, Facts::Csv(_)) => false,
        (_, Facts::Workbook(_)) => true,
    };
    match &source.facts {
        _ if !workbook || !Form::fits_workbook(&source.header) => Form::Csv(dialect(&source.facts)),
        Facts::Workbook(facts) => Form::Workbook(Look {
            sheet: facts.sheet.clone(),
            widths: facts.widths.clone(),
        }),
        Facts::Csv(_) => Form::Workbook(Look::default()),
    }
}

/// How a reject file is written so that it is like its source.
fn dialect(facts: &Facts) -> Dialect {
    match facts {
        Facts::Workbook(_) => Dialect::default(),
        Facts::Csv(csv) => Dialect {
            delimiter: csv.delimiter,
            terminator: csv.terminator,
            encoding: encoding_rs::Encoding::for_label(csv.encoding.as_bytes())
                .unwrap_or(encoding_rs::UTF_8),
            bom: csv.bom,
            quote: csv.quote,
            quoting: match csv.quoting {
                source::Quoting::AsNeeded => Quoting::AsNeeded,
                source::Quoting::Text => Quoting::Text,
                source::Quoting::All => Quoting::All,
            },
        },
    }
}

/// Where a file of ours goes: beside the input, into a folder, or where it was said. With several
/// inputs a path that is no folder yet is one.
pub fn output(
    said: Option<&Path>,
    input: &Input,
    inputs: usize,
    name: impl Fn(&str) -> String,
) -> PathBuf {
    let name = name(&input.stem());
    match said {
        // Beside an input of the working folder, as short as the input itself.
        None if input.folder() == Path::new(".") => PathBuf::from(name),
        None => input.folder().join(name),
        Some(path)
            if path.is_dir() || inputs > 1 || path.as_os_str().to_string_lossy().ends_with('/') =>
        {
            path.join(name)
        }
        Some(path) => path.to_path_buf(),
    }
}

/// Makes the folder that a path means where it is no folder yet: see [`output`].
///
/// # Errors
/// It cannot be made.
pub fn make_folder(said: Option<&Path>, inputs: usize) -> std::io::Result<()> {
    match said {
        Some(path) if inputs > 1 || path.as_os_str().to_string_lossy().ends_with('/') => {
            std::fs::create_dir_all(path)
        }
        _ => Ok(()),
    }
}

/// Which files of earlier runs may be replaced: never one that this run reads.
pub fn registry(loaded: &Loaded) -> Registry {
    let inputs = loaded.inputs.iter().filter_map(|input| match &input.input {
        Input::Path(path) => Some(path.as_path()),
        Input::Stdin => None,
    });
    Registry::new(ledger::default_folder().ok(), inputs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_stand_beside_the_input_or_where_it_was_said() {
        let folder = tempfile::tempdir().unwrap();
        let input = Input::parse("some/clients.xlsx");
        let name = |stem: &str| crate::reject::reject_name(stem, &Form::Csv(Dialect::default()));
        for (said, inputs, path) in [
            (None, 1, PathBuf::from("some/clients.rejects.csv")),
            (
                Some(folder.path().to_path_buf()),
                1,
                folder.path().join("clients.rejects.csv"),
            ),
            (Some(PathBuf::from("x.csv")), 1, PathBuf::from("x.csv")),
            (
                Some(PathBuf::from("out")),
                2,
                PathBuf::from("out/clients.rejects.csv"),
            ),
        ] {
            assert_eq!(output(said.as_deref(), &input, inputs, name), path);
        }
    }

    #[test]
    fn the_window_holds_rows_back_until_those_before_are_written() {
        let window = Window::default();
        window.enter(WINDOW - 1);
        std::thread::scope(|threads| {
            let held = threads.spawn(|| window.enter(WINDOW + 4));
            window.advance(5);
            held.join().unwrap();
        });
    }
}
