//! `rowferry check`: the dry run. Without an input it runs the cases that the mapping carries.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::common::{
    Voice, complain, complain_of_loading, inputs, named, plan_options, quoted, say, shown,
};
use super::{LogFormat, html, issues, settings};
use crate::issue::Mistake;
use crate::pipeline::check::{CheckError, Checked, Settings, check};
use crate::pipeline::load::{add_new, load_mapping, sort_in};
use crate::pipeline::{Loaded, load};
use crate::plan;
use crate::record::Fate;
use crate::report::exit::Exit;
use crate::report::redact;
use crate::report::{Files, Summary};

/// How many bodies the summary shows.
const BODIES: usize = 3;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Spreadsheets (CSV, XLSX, XLSB, XLS, ODS), folders or patterns of them; `-` is standard
    /// input. Without one, the mapping's own test cases are run.
    #[arg(value_name = "INPUT")]
    pub(super) inputs: Vec<std::ffi::OsString>,
    /// The mapping file.
    #[arg(long, short, value_name = "FILE")]
    pub(super) mapping: PathBuf,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    pub(super) json: bool,
    /// Write a reject file: its name, or a folder.
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
    /// Write the report as one HTML page that can be mailed.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
    /// Write each issue as a line of JSON to this file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    pub(super) issues: Option<PathBuf>,
    /// Mask what came out of cells, in everything but the reject file: letters as x, digits as 9.
    #[arg(long)]
    pub(super) redact: bool,
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
    let reads = html::reads(&args.mapping, &found);
    let reads: Vec<PathBuf> = reads.into_iter().map(Path::to_path_buf).collect();
    if let Some(path) = &args.html
        && let Some(mistake) = html::refused(path, &html::reads(&args.mapping, &found))
    {
        return voice.mistakes("check", &args.mapping, &args.inputs, &[mistake]);
    }
    let (loaded, mistakes) = load(&args.mapping, found, &plan_options(args.strict));
    let Some(loaded) = loaded else {
        return voice.mistakes("check", &args.mapping, &args.inputs, &mistakes);
    };
    if !args.quiet {
        complain_of_loading(&mistakes);
        tell_of_sources(&loaded);
    }
    let mut file = None;
    let mut writer = None;
    if let Some(path) = &args.issues {
        let reads: Vec<&Path> = reads.iter().map(PathBuf::as_path).collect();
        match issues::begin(path, &reads, args.json, args.redact, &loaded) {
            Ok((begun, out)) => (file, writer) = (Some(begun), Some(out)),
            Err(mistake) => {
                return voice.mistakes("check", &args.mapping, &args.inputs, &[mistake]);
            }
        }
    }
    let settings = Settings {
        bodies: args.sample,
        rejects: args.rejects.clone(),
        page: args.html.is_some(),
    };
    let progress = voice.progress();
    let mut untold = None;
    let checked = check(
        &loaded,
        &settings,
        &progress,
        &mut |input, header, settled| {
            if let (Some(writer), None) = (&mut writer, &untold) {
                untold = writer.add(input, header, settled).err();
            }
        },
    );
    progress.finish();
    let mut checked = match checked {
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
    let details = checked.details.take();
    let mut summary = summary(&loaded, checked, args, began);
    if args.redact {
        redact::summary(&mut summary);
    }
    let mut written = Ok(());
    let untold = issues::close(writer, untold);
    match file.map_or(Ok(None), |file| file.finish(untold)) {
        Ok(path) => summary.files.issues = path,
        Err(mistake) => written = Err(mistake),
    }
    if let (Some(path), Some(mut details)) = (&args.html, details) {
        let strict = args
            .strict
            .then(|| ("Warnings", "refuse their rows".to_owned()));
        details.settings = settings::told(&loaded, strict.into_iter().collect());
        details.began_ms = html::began(summary.seconds);
        if args.redact {
            details.mask();
        }
        let drawn = html::write(path, &summary, &details);
        summary.files.html = drawn.is_ok().then(|| shown(path));
        written = written.and(drawn);
    }
    voice.summary(&summary)?;
    if let Err(mistake) = written {
        complain(&[mistake]);
        return Ok(Exit::Usage);
    }
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
        details: _,
    } = checked;
    let read = tally.read();
    let suggestions = tally.suggestions();
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
        let inputs = named(loaded);
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
        suggestions,
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
    let failures = results.iter().flat_map(|result| &result.failures);
    let failed = results.iter().filter(|result| !result.passed()).count();
    if failed > 0 {
        let mut told = mistakes.clone();
        told.extend(failures.cloned());
        sort_in(&mut told, &mapping.file);
        let exit = voice.mistakes("check", &args.mapping, &args.inputs, &told)?;
        say(&format!(
            "{failed} of {} test cases of {} fail",
            results.len(),
            shown(&args.mapping)
        ));
        return Ok(exit);
    }
    if !args.quiet {
        complain(&mistakes);
    }
    let passed = told(results.len(), &args.mapping);
    if voice.json {
        let summary = Summary {
            command: "check",
            target: target.name.clone(),
            mapping: shown(&args.mapping),
            finished: true,
            notes: vec![passed.clone()],
            ..Summary::default()
        };
        super::common::print(&serde_json::to_string(&summary)?)?;
    }
    if !args.quiet {
        say(&passed);
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
