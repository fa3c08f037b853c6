//! `rowferry runs`: what the ledgers know of earlier runs, and of those at work.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::common::{complain, print, say};
use super::diagnostics;
use super::ledgers::{self, local, rfc_3339, table};
use crate::issue::Mistake;
use crate::ledger::{LedgerError, Reader, RunRow, State};
use crate::record::Fate;
use crate::report::Fates;
use crate::report::exit::Exit;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A ledger's file; default: all ledgers of the state folder.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Only runs to this target.
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Ended,
    AtWork,
    DidNotEnd,
}

/// A run with what its ledger says of it.
struct Listed<'r> {
    run: RunRow,
    reader: &'r Reader,
    stage: Stage,
    fates: Fates,
    /// Rows of a run at work that have left and have no answer yet.
    under_way: u64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let ledgers::Found {
        ledgers,
        mut mistakes,
    } = ledgers::find(args.ledger.as_deref(), args.target.as_deref());
    let mut listed = Vec::new();
    for reader in &ledgers {
        match of_ledger(reader) {
            Ok(runs) => listed.extend(runs),
            Err(error) => mistakes.push(Mistake::new("ledger", error.to_string())),
        }
    }
    // Newest first; the names order those of one millisecond.
    listed.sort_by(|a, b| (b.run.started_ms, &b.run.run).cmp(&(a.run.started_ms, &a.run.run)));
    let exit = match mistakes.is_empty() {
        true => Exit::Ok,
        false => Exit::Usage,
    };
    complain(&mistakes);
    if args.json {
        let runs: Vec<Value> = listed.iter().map(Listed::json).collect();
        let mut all = json!({ "command": "runs", "exit_code": exit.code(), "runs": runs });
        if !mistakes.is_empty() {
            all["mistakes"] = diagnostics::to_json(&mistakes);
        }
        print(&all.to_string())?;
    } else if !listed.is_empty() {
        let rows: Vec<Vec<String>> = listed.iter().map(Listed::cells).collect();
        let names = ["WHEN", "TARGET", "INPUT", "EXIT", "TOOK", "RUN", "ROWS"];
        print(&table(&names, &rows))?;
    } else if mistakes.is_empty() {
        say("no run is known yet");
    }
    Ok(exit)
}

fn of_ledger(reader: &Reader) -> Result<Vec<Listed<'_>>, LedgerError> {
    let runs = reader.runs()?;
    let held = reader.holder().is_some();
    let last = runs.len().saturating_sub(1);
    let mut listed = Vec::with_capacity(runs.len());
    for (place, run) in runs.into_iter().enumerate() {
        let stage = match run.ended_ms {
            Some(_) => Stage::Ended,
            None if held && place == last => Stage::AtWork,
            None => Stage::DidNotEnd,
        };
        let mut under_way = 0;
        let fates = match run.fates {
            Some(counts) => counted(counts),
            None => {
                let mut touched = reader.touched(&run.run)?;
                if stage == Stage::AtWork {
                    touched.retain(|(state, rows)| {
                        let sent = matches!(state, State::Sending | State::Resending);
                        under_way += if sent { *rows } else { 0 };
                        !sent
                    });
                }
                by_rows(&touched)
            }
        };
        listed.push(Listed {
            run,
            reader,
            stage,
            fates,
            under_way,
        });
    }
    Ok(listed)
}

fn counted(counts: [u64; Fate::ALL.len()]) -> Fates {
    let mut fates = Fates::default();
    for (fate, rows) in Fate::ALL.into_iter().zip(counts) {
        fates.add(fate, rows);
    }
    fates
}

/// What became of a run's rows.
pub(super) fn fates(reader: &Reader, run: &RunRow) -> Result<Fates, LedgerError> {
    match run.fates {
        Some(counts) => Ok(counted(counts)),
        None => Ok(by_rows(&reader.touched(&run.run)?)),
    }
}

/// The fates of a run that did not end, as far as its rows tell.
fn by_rows(touched: &[(State, u64)]) -> Fates {
    let mut fates = Fates::default();
    for (state, rows) in touched {
        let fate = match state {
            State::Created => Fate::Created,
            State::Updated => Fate::Updated,
            State::Existing => Fate::Unchanged,
            State::Failed => Fate::Failed,
            State::Sending | State::Resending | State::Uncertain => Fate::Uncertain,
            State::NotSent | State::Absent => Fate::Pending,
        };
        fates.add(fate, *rows);
    }
    fates
}

/// The command of a run in a word: `import`, `settle`.
pub(super) fn word(run: &RunRow) -> &str {
    run.command.split_whitespace().nth(1).unwrap_or("import")
}

impl Listed<'_> {
    fn cells(&self) -> Vec<String> {
        let run = &self.run;
        let target = match self.reader.account() {
            Some(account) => format!("{} ({account})", run.target),
            None => run.target.clone(),
        };
        let input = match word(run) {
            "import" => run.input.clone(),
            other => format!("{other} {}", run.input),
        };
        let exit = match (self.stage, run.exit) {
            (Stage::Ended, Some(exit)) => exit.to_string(),
            (Stage::AtWork, _) => "at work".to_owned(),
            _ => "–".to_owned(),
        };
        let took = run.ended_ms.map_or_else(
            || "–".to_owned(),
            |ended| took(ended.saturating_sub(run.started_ms)),
        );
        vec![
            local(run.started_ms),
            target,
            input.trim_end().to_owned(),
            exit,
            took,
            run.run.clone(),
            self.rows(),
        ]
    }

    fn rows(&self) -> String {
        if word(&self.run) == "settle" {
            let settled = self.summary().and_then(|summary| {
                let count = summary.get("settled")?.as_u64()?;
                Some(format!("{count} settled by a person"))
            });
            return settled.unwrap_or_else(|| "did not end".to_owned());
        }
        let counts = self.fates.iter().filter(|(_, rows)| *rows > 0);
        let mut counts: Vec<String> = counts
            .map(|(fate, rows)| format!("{rows} {fate}"))
            .collect();
        if self.under_way > 0 {
            counts.push(format!("{} under way", self.under_way));
        }
        let counts = counts.join(", ");
        match (self.stage, counts.is_empty()) {
            (Stage::Ended, true) => "none".to_owned(),
            (Stage::Ended, false) => counts,
            (Stage::AtWork, true) => "none sent so far".to_owned(),
            (Stage::AtWork, false) => format!("{counts} so far"),
            (Stage::DidNotEnd, true) => "did not end".to_owned(),
            (Stage::DidNotEnd, false) => format!("did not end; of those sent: {counts}"),
        }
    }

    fn summary(&self) -> Option<Value> {
        serde_json::from_str(self.run.summary.as_deref()?).ok()
    }

    fn json(&self) -> Value {
        let run = &self.run;
        let seconds = run
            .ended_ms
            .map(|ended| ended.saturating_sub(run.started_ms) as f64 / 1_000.0);
        let stage = match self.stage {
            Stage::Ended => "ended",
            Stage::AtWork => "at work",
            Stage::DidNotEnd => "did not end",
        };
        json!({
            "run": run.run, "command": word(run), "target": run.target,
            "account": self.reader.account(), "base_url": run.base_url, "mapping": run.mapping,
            "input": run.input, "started": rfc_3339(run.started_ms),
            "ended": run.ended_ms.map(rfc_3339), "seconds": seconds, "stage": stage,
            "exit_code": run.exit, "fates": self.fates,
            "under_way": self.under_way,
            "ledger": self.reader.path().display().to_string(), "summary": self.summary(),
        })
    }
}

/// A duration in the two largest units that it has.
fn took(ms: i64) -> String {
    let seconds = ms.max(0) / 1_000;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (ms, text) in [
            (-5, "0 s"),
            (59_999, "59 s"),
            (61_000, "1 min 1 s"),
            (7_380_000, "2 h 3 min"),
        ] {
            assert_eq!(took(ms), text);
        }
    }

    #[test]
    fn each_state_is_a_fate() {
        let one_of_each: Vec<(State, u64)> =
            State::ALL.into_iter().map(|state| (state, 1)).collect();
        let fates = by_rows(&one_of_each);
        assert_eq!(fates.total(), State::ALL.len() as u64);
        assert_eq!(fates.get(Fate::Uncertain), 3);
        assert_eq!(fates.get(Fate::Rejected), 0);
    }
}
