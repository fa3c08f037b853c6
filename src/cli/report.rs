//! `rowferry report`: a run's report again, from what the ledger keeps of it.

use std::path::PathBuf;

use serde_json::Value;

use super::common::{complain, print, shown, width};
use super::{html, ledgers, runs};
use crate::issue::Mistake;
use crate::ledger::{Reader, RunRow};
use crate::report::exit::Exit;
use crate::report::html::Details;
use crate::report::{Summary, again, terminal};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The run's name as `runs` lists it, the end of it, or `last`.
    #[arg(value_name = "RUN")]
    run: String,
    /// The ledger's file; default: all ledgers of the state folder.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Only runs to this target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Write the report as one HTML page that can be mailed.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print the summary as JSON.
    #[arg(long)]
    json: bool,
}

/// The fewest characters of a run's name that are enough where no other has them.
const ENOUGH: usize = 4;

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let refuse = |mistake: Mistake| {
        complain(&[mistake]);
        Ok(Exit::Usage)
    };
    if let Some(mistake) = args
        .html
        .as_deref()
        .and_then(|path| html::refused(path, &[]))
    {
        return refuse(mistake);
    }
    let ledgers::Found {
        ledgers,
        mut mistakes,
    } = ledgers::find(args.ledger.as_deref(), args.target.as_deref());
    let mut all: Vec<(&Reader, RunRow)> = Vec::new();
    for reader in &ledgers {
        match reader.runs() {
            Ok(runs) => all.extend(runs.into_iter().map(|run| (reader, run))),
            Err(error) => mistakes.push(Mistake::new("ledger", error.to_string())),
        }
    }
    complain(&mistakes);
    let (reader, row) = match find(&args.run, all) {
        Ok(found) => found,
        Err(mistake) => return refuse(mistake),
    };
    let word = runs::word(&row);
    if word != "import" {
        let message = format!("the run {} is a `{word}`, which has no report", row.run);
        return refuse(
            Mistake::new("run", message)
                .help("reports are of imports; `rowferry runs` lists every run"),
        );
    }
    let kept = match reader.kept(&row.run) {
        Ok(kept) => kept,
        Err(error) => return refuse(Mistake::new("ledger", error.to_string())),
    };
    let (summary, details) = match report(reader, &row, kept.as_deref()) {
        Ok(report) => report,
        Err(error) => return refuse(Mistake::new("ledger", error.to_string())),
    };
    if let Some(path) = &args.html
        && let Err(mistake) = html::write(path, &summary, &details)
    {
        return refuse(mistake.help("name another file"));
    }
    if args.json {
        print(&serde_json::to_string(&summary)?)?;
    } else {
        print(terminal(&summary, width(), false).trim_end())?;
        if let Some(path) = &args.html {
            print(&format!("\nThe page is {}", shown(path)))?;
        }
    }
    Ok(Exit::Ok)
}

/// The run of that name, or with that end, or the last one.
fn find<'r>(
    name: &str,
    mut all: Vec<(&'r Reader, RunRow)>,
) -> Result<(&'r Reader, RunRow), Mistake> {
    if all.is_empty() {
        return Err(Mistake::new("run", "no run is known yet"));
    }
    if name == "last" {
        all.retain(|(_, run)| runs::word(run) == "import");
        let last = all
            .into_iter()
            .max_by(|a, b| (a.1.started_ms, &a.1.run).cmp(&(b.1.started_ms, &b.1.run)));
        return last.ok_or_else(|| Mistake::new("run", "no import is known yet"));
    }
    let wanted = name.to_ascii_uppercase();
    let fits =
        |run: &RunRow| run.run == wanted || (wanted.len() >= ENOUGH && run.run.ends_with(&wanted));
    all.retain(|(_, run)| fits(run));
    match all.len() {
        1 => Ok(all.swap_remove(0)),
        0 => Err(Mistake::new("run", format!("there is no run `{name}`"))
            .help("`rowferry runs` lists them; `last` is the last import")),
        many => {
            let names: Vec<&str> = all
                .iter()
                .take(5)
                .map(|(_, run)| run.run.as_str())
                .collect();
            let message = format!("{many} runs end in `{name}`: {}", names.join(", "));
            Err(Mistake::new("run", message).help("give the whole name, or --ledger"))
        }
    }
}

/// A run's report as far as the ledger goes.
fn report(
    reader: &Reader,
    row: &RunRow,
    kept: Option<&str>,
) -> Result<(Summary, Details), crate::ledger::LedgerError> {
    let kept: Option<Value> = kept.and_then(|kept| serde_json::from_str(kept).ok());
    let (mut summary, details) = again::read(kept.as_ref().unwrap_or(&Value::Null));
    let mut details = details.unwrap_or_else(|| Details {
        began_ms: row.started_ms,
        masked: true,
        kept: true,
        ..Details::default()
    });
    if summary.run.is_none() {
        // A run of an earlier version, or one that did not end.
        summary.run = Some(row.run.clone());
        summary.target = row.target.clone();
        summary.base_url = row.base_url.clone();
        summary.mapping = row.mapping.clone();
        summary.inputs = match row.inputs.as_slice() {
            [] if row.input.is_empty() => Vec::new(),
            [] => vec![row.input.clone()],
            inputs => inputs.to_vec(),
        };
        summary.exit_code = row.exit.unwrap_or(0);
        summary.files.ledger = Some(shown(reader.path()));
        let fates = runs::fates(reader, row)?;
        summary.read = fates.total();
        summary.fates = fates;
        if let Some(ended) = row.ended_ms {
            summary.seconds = ended.saturating_sub(row.started_ms) as f64 / 1_000.0;
        } else {
            summary.stopped = Some(match reader.holder() {
                Some(_) => {
                    "it did not end, or is still at work: rows are those that it sent so far"
                        .to_owned()
                }
                None => "it did not end: rows are those that it sent".to_owned(),
            });
        }
    }
    details.began_ms = row.started_ms;
    Ok((summary, details))
}
