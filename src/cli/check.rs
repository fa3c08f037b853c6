//! `rowferry check`: the dry run. Without an input it runs the cases that the mapping carries.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::LogFormat;
use super::common::{Voice, complain_of_loading, inputs, plan_options, say, shown};
use crate::issue::Mistake;
use crate::pipeline::check::{CheckError, Checked, Settings, check};
use crate::pipeline::load::{add_new, load_mapping, sort_in};
use crate::pipeline::{Loaded, load};
use crate::plan;
use crate::record::Fate;
use crate::report::exit::Exit;
use crate::report::{Files, Summary};

/// How many bodies the summary shows.
const BODIES: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Spreadsheets (CSV, XLSX, XLSB, XLS, ODS), folders or patterns of them; `-` is standard
    /// input. Without one, the mapping's own test cases are run.
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<String>,
    /// The mapping file.
    #[arg(long, short, value_name = "FILE")]
    pub(super) mapping: PathBuf,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    pub(super) json: bool,
    /// Write a reject file: its name, or a folder.
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// How many request bodies the summary shows.
    #[arg(long, value_name = "N", default_value_t = BODIES)]
    pub(super) sample: usize,
    /// Refuse rows with warnings.
    #[arg(long)]
    pub(super) strict: bool,
    /// Print only where there is something to act on.
    #[arg(long)]
    pub(super) quiet: bool,
}

pub(super) fn run(args: &Args, log: LogFormat) -> anyhow::Result<Exit> {
    let voice = Voice {
        json: args.json,
        quiet: args.quiet,
        log_json: log == LogFormat::Json,
    };
    let began = Instant::now();
    if args.inputs.is_empty() {
        return cases(args, voice);
    }
    let found = match inputs(&args.inputs) {
        Ok(found) => found,
        Err(mistake) => return voice.mistakes("check", &args.mapping, &args.inputs, &[mistake]),
    };
    let (loaded, mistakes) = load(&args.mapping, found, &plan_options(args.strict));
    let Some(loaded) = loaded else {
        return voice.mistakes("check", &args.mapping, &args.inputs, &mistakes);
    };
    if !args.quiet {
        complain_of_loading(&mistakes);
        tell_of_sources(&loaded);
    }
    let settings = Settings {
        bodies: args.sample,
        rejects: args.rejects.clone(),
    };
    let progress = voice.progress();
    let checked = check(&loaded, &settings, &progress);
    progress.finish();
    let checked = match checked {
        Ok(checked) => checked,
        Err(error @ CheckError::Sum { .. }) => {
            say(&error.to_string());
            return Ok(Exit::Bug);
        }
        Err(error) => {
            let mistake = Mistake::new("input", error.to_string());
            return voice.mistakes("check", &args.mapping, &args.inputs, &[mistake]);
        }
    };
    let summary = summary(&loaded, checked, args, began);
    voice.summary(&summary)?;
    Ok(if summary.exit_code == 0 {
        Exit::Ok
    } else {
        Exit::Rejects
    })
}

/// Tells what was found out about the inputs.
pub(super) fn tell_of_sources(loaded: &Loaded) {
    for input in &loaded.inputs {
        for note in &input.source.notes {
            say(&format!("{}: {note}", input.input.name()));
        }
    }
}

fn summary(loaded: &Loaded, checked: Checked, args: &Args, began: Instant) -> Summary {
    let Checked {
        tally,
        bodies,
        duplicates,
        rejects,
        estimate,
        notes,
    } = checked;
    let read = tally.read();
    let (fates, issues, mut per_input) = tally.into_parts();
    for (input, path) in per_input.iter_mut().zip(&rejects) {
        input.files.rejects = path.as_deref().map(shown);
    }
    let exit = if fates.refused() > 0 {
        Exit::Rejects
    } else {
        Exit::Ok
    };
    let names: Vec<String> = loaded
        .inputs
        .iter()
        .map(|input| input.input.name())
        .collect();
    let next = (fates.get(Fate::Created) > 0).then(|| {
        let mapping = shown(&args.mapping);
        let inputs = names
            .iter()
            .map(|name| quoted(name))
            .collect::<Vec<_>>()
            .join(" ");
        let mapping = quoted(&mapping);
        format!("rowferry import {inputs} --mapping {mapping} --sandbox")
    });
    Summary {
        command: "check",
        target: loaded.target.name.clone(),
        base_url: String::new(),
        mapping: shown(&args.mapping),
        inputs: names,
        finished: true,
        exit_code: exit.code(),
        read,
        fates,
        issues,
        estimate: Some(estimate),
        files: match rejects.as_slice() {
            [one] => Files {
                rejects: one.as_deref().map(shown),
                ..Files::default()
            },
            _ => Files::default(),
        },
        seconds: seconds(began),
        per_input,
        notes: [loaded.findings(), notes].concat(),
        unused_columns: unused(loaded),
        bodies,
        duplicates,
        next,
        ..Summary::default()
    }
}

/// The columns that no rule uses, of all inputs.
pub(super) fn unused(loaded: &Loaded) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    for name in loaded
        .inputs
        .iter()
        .flat_map(|input| input.plan.unused_columns())
    {
        if !all.iter().any(|known| known == &**name) {
            all.push(name.to_string());
        }
    }
    all
}

/// A text as a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// Seconds since then, to the tenth of a millisecond.
pub(super) fn seconds(began: Instant) -> f64 {
    (began.elapsed().as_secs_f64() * 10_000.0).round() / 10_000.0
}

/// Runs the cases that a mapping carries about itself.
fn cases(args: &Args, voice: Voice) -> anyhow::Result<Exit> {
    let (found, mut mistakes) = load_mapping(&args.mapping);
    // What was read of a file that is no TOML may not be what is meant.
    let broken = mistakes.iter().any(|mistake| mistake.code == "toml-syntax");
    let Some((mapping, target)) = found.filter(|_| !broken) else {
        return voice.mistakes("check", &args.mapping, &args.inputs, &mistakes);
    };
    let options = plan_options(args.strict);
    let (results, more) = plan::cases::run(&mapping, &target, &options);
    add_new(&mut mistakes, more);
    sort_in(&mut mistakes, &mapping.file);
    if mistakes.iter().any(|mistake| !mistake.note) {
        return voice.mistakes("check", &args.mapping, &args.inputs, &mistakes);
    }
    if !args.quiet {
        complain_of_loading(&mistakes);
    }
    let failures: Vec<Mistake> = results
        .iter()
        .flat_map(|result| result.failures.iter().cloned())
        .collect();
    let failed = results.iter().filter(|result| !result.passed()).count();
    if failed > 0 {
        let exit = voice.mistakes("check", &args.mapping, &args.inputs, &failures)?;
        say(&format!(
            "{failed} of {} test cases of {} fail",
            results.len(),
            shown(&args.mapping)
        ));
        return Ok(exit);
    }
    if voice.json {
        let summary = Summary {
            command: "check",
            target: target.name.clone(),
            mapping: shown(&args.mapping),
            finished: true,
            notes: vec![format!("{} test cases pass", results.len())],
            ..Summary::default()
        };
        super::common::print(&serde_json::to_string(&summary)?)?;
    }
    if !args.quiet {
        say(&told(results.len(), &args.mapping));
    }
    Ok(Exit::Ok)
}

fn told(cases: usize, mapping: &Path) -> String {
    let mapping = shown(mapping);
    match cases {
        0 => format!("{mapping}: no mistakes; it carries no [[test]] cases"),
        1 => format!("{mapping}: no mistakes; its test case passes"),
        cases => format!("{mapping}: no mistakes; all {cases} test cases pass"),
    }
}
