//! `rowferry settle`: lists the rows of unknown fate, and writes down what a person found out.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Value, json};

use super::common::{complain, plan_options, print, quoted, say, shown};
use super::diagnostics;
use super::import::insecure;
use super::ledgers::{self, local, rfc_3339, table};
use crate::issue::Mistake;
use crate::ledger::{self, Entry, Ledger, LedgerError, Outcome, Reader, RunInfo, RunRow, State};
use crate::pipeline::import::mapping_id;
use crate::pipeline::keys;
use crate::pipeline::select::Selection;
use crate::record::KeyHash;
use crate::report::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Only rows of these inputs.
    #[arg(value_name = "INPUT")]
    inputs: Vec<String>,
    /// Only rows that this mapping file sent.
    #[arg(long, short, value_name = "FILE")]
    mapping: Option<PathBuf>,
    /// Only rows that this run touched last; the first characters of its name are enough.
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// A ledger's file; default: all ledgers of the state folder.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Only rows of this target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Rows by their numbers, such as 17,40-60.
    #[arg(long, value_name = "LIST")]
    row: Option<String>,
    /// A row by its key; may be given several times.
    #[arg(long, value_name = "KEY")]
    key: Vec<String>,
    /// They are not at the target: they may be sent.
    #[arg(long, conflicts_with_all = ["id", "all_absent"])]
    absent: bool,
    /// It is at the target, with this id.
    #[arg(long, value_name = "ID", conflicts_with = "all_absent")]
    id: Option<String>,
    /// None of the rows listed is at the target.
    #[arg(long, conflicts_with_all = ["row", "key"])]
    all_absent: bool,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What a person found out.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Verdict {
    Absent,
    There(String),
}

/// A row of unknown fate.
struct Open {
    /// Index of its ledger.
    place: usize,
    hash: KeyHash,
    entry: Entry,
    /// The run that touched it last.
    run: Option<Arc<RunRow>>,
    /// The key as its input shows it.
    key: Option<Arc<str>>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let refuse = |mistakes: &[Mistake], exit: Exit| -> anyhow::Result<Exit> {
        complain(mistakes);
        if args.json {
            let all = json!({
                "command": "settle", "exit_code": exit.code(),
                "mistakes": diagnostics::to_json(mistakes),
            });
            print(&all.to_string())?;
        }
        Ok(exit)
    };
    let numbers = match args.row.as_deref().map(Selection::parse).transpose() {
        Ok(numbers) => numbers,
        Err(why) => {
            let mistake = Mistake::new("rows", format!("--row is wrong: {why}"));
            return refuse(&[mistake], Exit::Usage);
        }
    };
    let found = ledgers::find(args.ledger.as_deref(), args.target.as_deref());
    let mut mistakes = found.mistakes;
    let mut ledgers = found.ledgers;
    let mut open = Vec::new();
    for (place, reader) in ledgers.iter_mut().enumerate() {
        match of_ledger(place, reader, args) {
            Ok(rows) => open.extend(rows),
            Err(error) => mistakes.push(Mistake::new("ledger", error.to_string())),
        }
    }
    if !mistakes.is_empty() {
        return refuse(&mistakes, Exit::Usage);
    }
    show_keys(&mut open, args);
    let verdict = match (&args.id, args.absent || args.all_absent) {
        (Some(id), _) => Some(Verdict::There(id.trim().to_owned())),
        (None, true) => Some(Verdict::Absent),
        (None, false) => None,
    };
    let asked = Asked {
        numbers: numbers.as_ref(),
        keys: &args.key,
        all: args.all_absent,
    };
    let Some(verdict) = verdict else {
        let (chosen, _) = split(open, &asked);
        return list(
            &chosen,
            &ledgers,
            args,
            numbers.is_some() || !args.key.is_empty(),
        );
    };
    if let Err(mistake) = right(&open, &asked, &verdict, &mut ledgers) {
        return refuse(&[mistake], Exit::Usage);
    }
    let (chosen, rest) = split(open, &asked);
    match write_down(&chosen, &verdict, &ledgers) {
        Ok(()) => {}
        Err(Trouble::Ledger(error)) => {
            let exit = match &error {
                LedgerError::Locked { .. } => Exit::Locked,
                LedgerError::Bug(_) => Exit::Bug,
                _ => Exit::Usage,
            };
            return refuse(&[Mistake::new("ledger", error.to_string())], exit);
        }
        Err(Trouble::Person(mistake)) => return refuse(&[mistake], Exit::Usage),
    }
    tell(&chosen, &rest, &verdict, &ledgers, args)?;
    Ok(Exit::Ok)
}

/// The rows of one ledger whose fate is unknown, as far as they are asked for.
fn of_ledger(place: usize, reader: &mut Reader, args: &Args) -> Result<Vec<Open>, LedgerError> {
    let runs: HashMap<String, Arc<RunRow>> = reader
        .runs()?
        .into_iter()
        .map(|run| (run.run.clone(), Arc::new(run)))
        .collect();
    let mapping = args.mapping.as_deref().map(mapping_id);
    let inputs: Vec<String> = args.inputs.iter().map(|input| canonical(input)).collect();
    // Rows that a run at work has under way are not for a person to judge.
    let at_work = reader.holder().and_then(|_| {
        let last = runs.values().max_by_key(|run| (run.started_ms, &run.run));
        last.filter(|run| run.ended_ms.is_none())
            .map(|run| run.run.clone())
    });
    let rows = reader.unsettled()?.into_iter();
    let rows = rows.filter_map(|(hash, entry)| {
        let run = runs.get(&*entry.run).cloned();
        let under_way = entry.state != State::Uncertain && at_work.as_deref() == Some(&*entry.run);
        let of_run = args
            .run
            .as_ref()
            .is_none_or(|name| entry.run.starts_with(name.trim()));
        let of_mapping = mapping.is_none_or(|mapping| entry.mapping == mapping);
        let of_inputs = inputs.is_empty()
            || run.as_ref().is_some_and(|run| {
                let known = run.inputs.iter().any(|input| inputs.contains(input));
                known || args.inputs.contains(&run.input)
            });
        (!under_way && of_run && of_mapping && of_inputs).then_some(Open {
            place,
            hash,
            entry,
            run,
            key: None,
        })
    });
    Ok(rows.collect())
}

fn canonical(input: &str) -> String {
    let path = Path::new(input);
    let path = path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    shown(&path)
}

/// Finds the keys of rows in the inputs that they came from, or those of the command line.
fn show_keys(open: &mut [Open], args: &Args) {
    let mut sources: BTreeMap<(String, Vec<String>), HashSet<KeyHash>> = BTreeMap::new();
    for row in open.iter() {
        let Some(run) = &row.run else { continue };
        let mapping = match (&args.mapping, &run.mapping_path) {
            (Some(mapping), _) => shown(mapping),
            (None, Some(path)) => path.clone(),
            (None, None) => run.mapping.clone(),
        };
        let inputs = match (args.inputs.as_slice(), run.inputs.as_slice()) {
            ([], []) => vec![run.input.clone()],
            ([], known) => known.to_vec(),
            (named, _) => named.to_vec(),
        };
        // Standard input cannot be read a second time.
        if Path::new(&mapping).exists() && inputs.iter().all(|input| Path::new(input).is_file()) {
            let wanted = sources.entry((mapping, inputs)).or_default();
            wanted.insert(row.hash);
        }
    }
    for ((mapping, inputs), wanted) in sources {
        let texts = keys::texts(Path::new(&mapping), &inputs, &wanted, &plan_options(false));
        for row in open.iter_mut() {
            if let Some(text) = texts.get(&row.hash) {
                row.key.get_or_insert_with(|| Arc::clone(text));
            }
        }
    }
}

/// Which rows a person speaks of.
struct Asked<'a> {
    numbers: Option<&'a Selection>,
    keys: &'a [String],
    all: bool,
}

impl Asked<'_> {
    fn takes(&self, row: &Open) -> bool {
        if self.numbers.is_none() && self.keys.is_empty() {
            return true;
        }
        let by_number = self
            .numbers
            .is_some_and(|numbers| numbers.takes(0, row.entry.row));
        by_number || self.keys.iter().any(|key| row.is(key))
    }
}

impl Open {
    fn is(&self, key: &str) -> bool {
        self.key.as_deref() == Some(key.trim())
    }
}

fn split(open: Vec<Open>, asked: &Asked<'_>) -> (Vec<Open>, Vec<Open>) {
    open.into_iter().partition(|row| asked.takes(row))
}

/// Whether it is clear which rows are meant, and whether the verdict suits them.
fn right(
    open: &[Open],
    asked: &Asked<'_>,
    verdict: &Verdict,
    ledgers: &mut [Reader],
) -> Result<(), Mistake> {
    let wrong = |message: String| Mistake::new("settle", message);
    if asked.numbers.is_none() && asked.keys.is_empty() && !asked.all {
        return Err(wrong("it is not said which rows are meant".to_owned())
            .help("add --row N or --key KEY; for all rows listed there is --all-absent"));
    }
    if let Verdict::There(id) = verdict
        && id.is_empty()
    {
        return Err(wrong("--id is empty".to_owned()).help("give the id that the target shows"));
    }
    for number in asked.numbers.map(Selection::single).unwrap_or_default() {
        if !open.iter().any(|row| row.entry.row == number) {
            return Err(not_uncertain(number, ledgers));
        }
    }
    for key in asked.keys {
        if !open.iter().any(|row| row.is(key)) {
            let unknown = open.iter().filter(|row| row.key.is_none()).count();
            let mistake = wrong(format!("no row with the key `{key}` is uncertain"));
            return Err(match unknown {
                0 => mistake,
                rows => mistake.help(format!(
                    "the key of {} is not known, because the input or the mapping is not where it \
                     was: name both, or say the row by --row N",
                    match rows {
                        1 => "one uncertain row".to_owned(),
                        rows => format!("{rows} uncertain rows"),
                    }
                )),
            });
        }
    }
    let chosen: Vec<&Open> = open.iter().filter(|row| asked.takes(row)).collect();
    let mut numbers: BTreeMap<u64, &Open> = BTreeMap::new();
    if asked.numbers.is_some() {
        for row in &chosen {
            if let Some(other) = numbers.insert(row.entry.row, row) {
                let message = match other.origin() == row.origin() {
                    true => format!(
                        "several of the inputs {} have a row {}",
                        row.origin(),
                        row.entry.row
                    ),
                    false => format!(
                        "row {} may be that of {} or that of {}",
                        row.entry.row,
                        other.origin(),
                        row.origin()
                    ),
                };
                return Err(wrong(message)
                .help("add --run RUN, --ledger FILE, the input or the mapping; or say the row by --key KEY"));
            }
        }
    }
    let places: HashSet<usize> = chosen.iter().map(|row| row.place).collect();
    if places.len() > 1 {
        return Err(wrong(format!(
            "these rows stand in {} ledgers, which are of different accounts",
            places.len()
        ))
        .help("add --ledger FILE, --target NAME or --run RUN"));
    }
    if let (Verdict::There(_), true) = (verdict, chosen.len() > 1) {
        return Err(wrong(format!(
            "--id says what one row has become, and {} are meant",
            chosen.len()
        ))
        .help("settle them one by one"));
    }
    Ok(())
}

/// Why a row cannot be settled: it is not uncertain.
fn not_uncertain(number: u64, ledgers: &mut [Reader]) -> Mistake {
    let known: Vec<Entry> = ledgers
        .iter_mut()
        .filter_map(|reader| reader.of_row(number).ok())
        .flatten()
        .map(|(_, entry)| entry)
        .collect();
    let mistake = |text: String| Mistake::new("settle", text);
    match known.as_slice() {
        [] => mistake(format!("no row {number} was ever sent"))
            .help("rows count as in the reject file's column `_row`: the header is row 1"),
        [entry] => {
            let id = entry
                .id
                .as_deref()
                .map_or(String::new(), |id| format!(", id `{id}`"));
            let what = match entry.state {
                State::Created => format!("the target confirmed that it made it{id}"),
                State::Updated => format!("the target confirmed the change{id}"),
                State::Existing => format!("it was found at the target{id}"),
                State::Failed => "the target refused it".to_owned(),
                State::NotSent => "its last attempt was certainly not carried out".to_owned(),
                State::Absent => "it is known not to be at the target".to_owned(),
                State::Sending | State::Resending | State::Uncertain => {
                    "it is not among those that were asked for, or under way just now".to_owned()
                }
            };
            mistake(format!("row {number} is not to be settled: {what}"))
        }
        _ => mistake(format!(
            "of the rows {number} that were sent, none among those asked for is uncertain"
        )),
    }
}

enum Trouble {
    Ledger(LedgerError),
    Person(Mistake),
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

/// Writes down the verdict on these rows, which are of one ledger. What has changed since they were
/// listed is left alone.
fn write_down(chosen: &[Open], verdict: &Verdict, ledgers: &[Reader]) -> Result<(), Trouble> {
    let Some(reader) = chosen.first().and_then(|row| ledgers.get(row.place)) else {
        return Ok(());
    };
    let word = match verdict {
        Verdict::Absent => "--absent",
        Verdict::There(_) => "--id",
    };
    let ledger = ledger::reopen(reader.path(), format!("rowferry settle {word}"))?;
    let done = under_lock(chosen, verdict, &ledger);
    let closed = ledger.close();
    done?;
    Ok(closed?)
}

fn under_lock(chosen: &[Open], verdict: &Verdict, ledger: &Ledger) -> Result<(), Trouble> {
    let hashes: Vec<KeyHash> = chosen.iter().map(|row| row.hash).collect();
    for (row, known) in chosen.iter().zip(ledger.known(&hashes)?) {
        let same = known.is_some_and(|entry| {
            entry.state.is_unsettled() && entry.attempts == row.entry.attempts
        });
        if !same {
            let text = format!("row {} has been settled meanwhile", row.entry.row);
            let help = "look at the list again: rowferry settle";
            return Err(Trouble::Person(Mistake::new("settle", text).help(help)));
        }
    }
    if let (Verdict::There(id), Some(row)) = (verdict, chosen.first())
        && ledger.owner_of(id)?.is_some_and(|owner| owner != row.hash)
    {
        let text = format!("the id `{id}` is that of another row that was imported");
        let help = "look again which record of the target is this row's";
        return Err(Trouble::Person(Mistake::new("settle", text).help(help)));
    }
    // A run of its own for each run whose rows are settled, so that it is known what they came from.
    let mut groups: BTreeMap<&str, Vec<&Open>> = BTreeMap::new();
    for row in chosen {
        groups.entry(&row.entry.run).or_default().push(row);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| LedgerError::Io {
            path: ledger.path().to_path_buf(),
            detail: error.to_string(),
        })?;
    for rows in groups.into_values() {
        let info = rows
            .first()
            .and_then(|row| row.run.as_deref())
            .map(|run| RunInfo {
                input: run.input.clone(),
                mapping: run.mapping.clone(),
                target: run.target.clone(),
                base_url: run.base_url.clone(),
                inputs: run.inputs.clone(),
                mapping_path: run.mapping_path.clone().unwrap_or_default(),
            })
            .unwrap_or_default();
        let run: Arc<str> = ledger.begin_run(info)?.into();
        let outcomes = rows.iter().flat_map(|row| {
            let states = match verdict {
                Verdict::Absent => row.entry.not_made(),
                Verdict::There(_) => &[State::Created],
            };
            let id = match verdict {
                Verdict::Absent => None,
                Verdict::There(id) => Some(id.clone()),
            };
            let run = Arc::clone(&run);
            states.iter().map(move |state| Outcome {
                key: row.hash,
                state: *state,
                id: id.clone(),
                address: None,
                status: None,
                run: Arc::clone(&run),
            })
        });
        let outcomes = outcomes.collect();
        runtime.block_on(ledger.settle(outcomes))?;
        let numbers: Vec<u64> = rows.iter().take(100).map(|row| row.entry.row).collect();
        let summary = json!({ "settled": rows.len(), "as": verdict.word(), "rows": numbers });
        ledger.end_run_with(&run, Exit::Ok.code(), [0; 8], summary.to_string())?;
    }
    Ok(())
}

impl Verdict {
    fn word(&self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::There(_) => "created",
        }
    }
}

impl Open {
    /// Where it came from, in words.
    fn origin(&self) -> String {
        let run = &self.entry.run;
        match &self.run {
            Some(row) if !row.input.is_empty() => format!("{} (run {run})", row.input),
            _ => format!("run {run}"),
        }
    }

    /// What is known of its last attempt.
    fn known(&self) -> &'static str {
        let ended = self.run.as_ref().is_some_and(|run| run.ended_ms.is_some());
        match (self.entry.state, self.entry.update, ended) {
            (State::Uncertain, false, _) => {
                "a create was sent, and neither an answer nor a look-up says what became of it"
            }
            (State::Uncertain, true, _) => {
                "a change was sent, and neither an answer nor a look-up says what became of it"
            }
            (_, false, true) => "a create was sent, and the run ended before an answer came",
            (_, true, true) => "a change was sent, and the run ended before an answer came",
            (_, false, false) => "a create was sent, and the run was killed before an answer came",
            (_, true, false) => "a change was sent, and the run was killed before an answer came",
        }
    }

    fn json(&self, ledgers: &[Reader]) -> Value {
        let entry = &self.entry;
        json!({
            "row": entry.row, "key": self.key.as_deref(), "since": rfc_3339(entry.since_ms),
            "attempted": rfc_3339(entry.attempted_ms), "attempts": entry.attempts,
            "request": if entry.update { "update" } else { "create" }, "status": entry.status,
            "id": entry.id, "known": self.known(), "run": &*entry.run,
            "input": self.run.as_ref().map(|run| &run.input),
            "mapping": self.run.as_ref().map(|run| &run.mapping),
            "target": ledgers.get(self.place).map(Reader::target),
            "ledger": ledgers.get(self.place).map(|reader| shown(reader.path())),
        })
    }
}

/// Shows rows of unknown fate and says what can be done about them.
fn list(open: &[Open], ledgers: &[Reader], args: &Args, narrowed: bool) -> anyhow::Result<Exit> {
    if args.json {
        let rows: Vec<Value> = open.iter().map(|row| row.json(ledgers)).collect();
        let all = json!({ "command": "settle", "exit_code": 0, "settled": [], "uncertain": rows });
        print(&all.to_string())?;
        return Ok(Exit::Ok);
    }
    if open.is_empty() {
        say(match narrowed {
            true => "none of these rows is uncertain",
            false => "no row is uncertain",
        });
        return Ok(Exit::Ok);
    }
    let rows: Vec<Vec<String>> = open
        .iter()
        .map(|row| {
            let target = ledgers.get(row.place).map_or("", Reader::target);
            vec![
                row.entry.row.to_string(),
                row.key.as_deref().unwrap_or("(not known)").to_owned(),
                local(row.entry.since_ms),
                target.to_owned(),
                row.origin(),
                row.known().to_owned(),
            ]
        })
        .collect();
    let names = ["ROW", "KEY", "SINCE", "TARGET", "INPUT", "WHAT IS KNOWN"];
    print(&table(&names, &rows))?;
    let ledger = args.ledger.as_ref().map_or(String::new(), |ledger| {
        format!(" --ledger {}", quoted(&shown(ledger)))
    });
    say(&format!(
        "look for each at the target; then say what you found:\n  \
         it is not there, and may be sent:  rowferry settle{ledger} --row N --absent\n  \
         it is there, with this id:         rowferry settle{ledger} --row N --id ID\n  \
         none of them is there:             rowferry settle{ledger} --all-absent"
    ));
    Ok(Exit::Ok)
}

/// What the next import needs as the last one did, to find the same account and the same ledger.
fn same_ledger(run: &RunRow, reader: Option<&Reader>, args: &Args) -> String {
    let mut options = String::new();
    let mut option = |name: &str, value: &str| {
        options.push_str(&format!(" {name} {}", quoted(value)));
    };
    let played = reader.is_some_and(|reader| reader.base_url().starts_with("sandbox:"));
    if !played {
        let path = run.mapping_path.as_ref().unwrap_or(&run.mapping);
        let (loaded, _) = crate::pipeline::load::load_mapping(Path::new(path));
        let own = loaded.is_some_and(|(_, target)| target.file.base_url == run.base_url);
        if !own && !run.base_url.is_empty() {
            option("--base-url", &run.base_url);
        }
    }
    if let Some(account) = reader.and_then(Reader::account) {
        option("--account", account);
    }
    if let Some(ledger) = &args.ledger {
        option("--ledger", &shown(ledger));
    }
    if played {
        options.push_str(" --sandbox");
    } else if insecure(&run.base_url, false).is_some() && insecure(&run.base_url, true).is_none() {
        options.push_str(" --insecure-http");
    }
    options
}

/// Says what was written down.
fn tell(
    chosen: &[Open],
    rest: &[Open],
    verdict: &Verdict,
    ledgers: &[Reader],
    args: &Args,
) -> anyhow::Result<()> {
    if args.json {
        let settled: Vec<Value> = chosen
            .iter()
            .map(|row| {
                let id = match verdict {
                    Verdict::Absent => None,
                    Verdict::There(id) => Some(id),
                };
                json!({
                    "row": row.entry.row, "key": row.key.as_deref(), "as": verdict.word(), "id": id,
                    "ledger": ledgers.get(row.place).map(|reader| shown(reader.path())),
                })
            })
            .collect();
        let rest: Vec<Value> = rest.iter().map(|row| row.json(ledgers)).collect();
        let all = json!({
            "command": "settle", "exit_code": 0, "settled": settled, "uncertain": rest,
        });
        return print(&all.to_string());
    }
    let Some(first) = chosen.first() else {
        say("no row is uncertain");
        return Ok(());
    };
    let rows = match chosen.len() {
        1 => format!("row {}", first.entry.row),
        count => format!("{count} rows"),
    };
    let mut text = match verdict {
        Verdict::Absent => format!("{rows} may be sent again"),
        Verdict::There(id) => format!("{rows} is at the target, with the id {id}"),
    };
    match rest.len() {
        0 => {}
        1 => text.push_str("; 1 row is still uncertain"),
        count => text.push_str(&format!("; {count} rows are still uncertain")),
    }
    if let (Verdict::Absent, Some(run)) = (verdict, &first.run)
        && !run.input.is_empty()
    {
        // Several inputs are named with commas between: those a person puts in again.
        let input = match run.inputs.len() {
            0 | 1 => quoted(&run.input),
            _ => "INPUT…".to_owned(),
        };
        text.push_str(&format!(
            "\nrowferry import {input} --mapping {}{}",
            quoted(&run.mapping),
            same_ledger(run, ledgers.get(first.place), args)
        ));
    }
    say(&text);
    Ok(())
}
