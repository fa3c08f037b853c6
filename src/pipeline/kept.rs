//! What the ledger keeps of a run: counts, codes, places and settings, nothing of a customer's.

use std::path::Path;

use serde_json::json;

use super::Loaded;
use crate::report::again::PAGE;
use crate::report::exit::Exit;
use crate::report::html::Details;
use crate::report::{Files, Requests, Summary, Tally, redact};
use crate::upload::Halt;

/// The most kinds of problems that are kept with their places.
const KINDS: usize = 200;

/// A run at its end.
pub(super) struct Run<'r> {
    pub(super) loaded: &'r Loaded,
    pub(super) run: &'r str,
    pub(super) base_url: &'r str,
    pub(super) tally: &'r Tally,
    pub(super) requests: Requests,
    pub(super) files: &'r [Files],
    pub(super) ledger: &'r Path,
    pub(super) duplicates: u64,
    pub(super) halt: Option<&'r Halt>,
    pub(super) notes: &'r [String],
    pub(super) exit: Exit,
    pub(super) seconds: f64,
    pub(super) details: &'r Details,
}

/// The JSON that the ledger keeps.
pub(super) fn summary(run: Run<'_>) -> String {
    let issues: Vec<_> = run
        .tally
        .groups()
        .map(|group| {
            json!({
                "code": group.code, "column": group.column, "field": group.field,
                "count": group.count, "fate": group.fate, "severity": group.severity,
            })
        })
        .collect();
    let shown = shown(&run);
    json!({
        "read": run.tally.read(), "fates": run.tally.fates(), "requests": run.requests,
        "issues": issues, "files": run.files, "finished": run.halt.is_none(),
        PAGE: { "summary": shown, "details": run.details.to_keep() },
    })
    .to_string()
}

/// The summary without what cells hold.
fn shown(run: &Run<'_>) -> Summary {
    let (fates, mut issues, mut per_input) = run.tally.clone().into_parts();
    issues.truncate(KINDS);
    for (input, files) in per_input.iter_mut().zip(run.files) {
        input.files = files.clone();
    }
    let one = match run.files {
        [one] => one.clone(),
        _ => Files::default(),
    };
    let loaded = run.loaded;
    let mut unused: Vec<String> = Vec::new();
    for name in loaded
        .inputs
        .iter()
        .flat_map(|input| input.plan.unused_columns())
    {
        if !unused.iter().any(|known| **known == **name) {
            unused.push(name.to_string());
        }
    }
    let mut summary = Summary {
        command: "import",
        target: loaded.target.name.clone(),
        base_url: crate::ledger::without_user(run.base_url),
        mapping: loaded.mapping.path.display().to_string(),
        inputs: loaded
            .inputs
            .iter()
            .map(|input| input.input.name())
            .collect(),
        run: Some(run.run.to_owned()),
        finished: run.halt.is_none(),
        exit_code: run.exit.code(),
        read: run.tally.read(),
        fates,
        requests: run.requests,
        issues,
        files: Files {
            ledger: Some(run.ledger.display().to_string()),
            ..one
        },
        seconds: (run.seconds * 10_000.0).round() / 10_000.0,
        per_input,
        notes: [loaded.findings().as_slice(), run.notes].concat(),
        unused_columns: unused,
        duplicates: run.duplicates,
        stopped: run.halt.map(Halt::says),
        ..Summary::default()
    };
    redact::summary(&mut summary);
    for example in summary
        .issues
        .iter_mut()
        .flat_map(|group| &mut group.examples)
    {
        example.value = None;
    }
    summary
}
