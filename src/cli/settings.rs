//! What a page tells of the settings that a run was made with.

use super::columns;
use crate::mapping::file::Duplicates;
use crate::pipeline::Loaded;
use crate::pipeline::import::rates;
use crate::record::{Existing, Uncertain};

/// Milliseconds since 1970.
pub(super) fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The most inputs that are told of one by one.
const INPUTS: usize = 20;

/// Settings of mapping and inputs, then those of the command line that were given.
pub(super) fn told(loaded: &Loaded, given: Vec<(&str, String)>) -> Vec<(String, String)> {
    let mut told: Vec<(String, String)> = Vec::new();
    let mut tell = |name: &str, value: String| told.push((name.to_owned(), value));
    for input in loaded.inputs.iter().take(INPUTS) {
        let header = match input.source.header.row {
            0 => "no header row".to_owned(),
            row => format!("header in row {row}"),
        };
        let facts = columns::facts(&input.source);
        tell(
            "Input",
            format!("{}: {facts}; {header}", input.input.name()),
        );
    }
    if loaded.inputs.len() > INPUTS {
        tell(
            "Input",
            format!("and {} more", loaded.inputs.len() - INPUTS),
        );
    }
    let (rates, search) = rates(loaded);
    let pace: Vec<String> = rates
        .iter()
        .map(|rate| format!("{rate} requests"))
        .collect();
    tell(
        "Pace",
        match (pace.is_empty(), search) {
            (false, _) => pace.join(", "),
            (true, true) => "not known, found out while sending".to_owned(),
            (true, false) => "no limit known".to_owned(),
        },
    );
    let policy = &loaded.mapping.head.policy;
    let duplicates = policy.duplicates.as_ref().map(|value| *value.get_ref());
    tell(
        "Rows with the same key and other values",
        match duplicates.unwrap_or_default() {
            Duplicates::Reject => "every later one is refused",
            Duplicates::First => "the first counts, later ones are left out",
            Duplicates::Last => "the last counts, earlier ones are left out",
        }
        .to_owned(),
    );
    if let Some(first) = loaded.inputs.first() {
        tell(
            "Customers that the target has already",
            match first.plan.existing() {
                Existing::Create => "not asked for",
                Existing::Skip => "left as they are",
                Existing::Update => "changed",
                Existing::Reject => "their rows are refused",
            }
            .to_owned(),
        );
        tell(
            "Rows sent without an answer",
            match first.plan.uncertain() {
                Uncertain::Hold => "wait until a person decides, where nobody can be asked",
                Uncertain::Resend => "sent again, where nobody can be asked",
            }
            .to_owned(),
        );
    }
    if let Some(stop_after) = &policy.stop_after {
        let value = match stop_after.get_ref() {
            toml::Value::String(share) => format!("{share} of the rows"),
            other => format!("{other} rows"),
        };
        tell("Stops once more are refused than", value);
    }
    for (name, value) in given {
        tell(name, value);
    }
    tell("Program", format!("rowferry {}", env!("CARGO_PKG_VERSION")));
    told
}
