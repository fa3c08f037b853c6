//! The commands: one file each; the only place that renders errors.

mod check;
mod columns;
mod common;
pub mod diagnostics;
mod fields;
mod html;
mod import;
mod issues;
mod ledgers;
mod preview;
mod report;
mod runs;
mod sandbox;
mod schema;
mod settings;
mod settle;
mod targets;

use std::ffi::OsString;
use std::path::Path;

use clap::{Parser, Subcommand, ValueEnum};

use crate::issue::Mistake;
use crate::report::exit::Exit;
use crate::source::SourceError;
use crate::target::{self, custom};

/// Imports customers from spreadsheets into systems with a customers API: nothing twice, nothing lost.
#[derive(Debug, Parser)]
#[command(name = "rowferry", version, propagate_version = true)]
struct Cli {
    /// How progress is logged where standard error is no terminal.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT")]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LogFormat {
    /// Lines of text.
    Text,
    /// A JSON object a line.
    Json,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Read, map and check everything, and send nothing: the dry run.
    Check(check::Args),
    /// Send what is new.
    Import(import::Args),
    /// Show the request bodies as they would be sent.
    Preview(preview::Args),
    /// Show what is in a file: its dialect, its columns, their kinds and examples.
    Columns(columns::Args),
    /// Ask an account for its custom fields, so that mappings are checked against them.
    Fields(fields::Args),
    /// List the runs: when, what, where to, what became of the rows.
    Runs(runs::Args),
    /// Make the report of an import again, from the ledger.
    Report(report::Args),
    /// List rows of which nobody knows if they were made, or say what became of them.
    Settle(settle::Args),
    /// List the built-in targets, show one, or check a target file.
    Targets(targets::Args),
    /// Run the embedded server that plays a target, by itself.
    Sandbox(sandbox::Args),
    /// Print a JSON Schema, for editors and programs.
    Schema(schema::Args),
}

/// Runs the program with these arguments.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no mistakes.
            let exit = if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Ok
            };
            let _ = error.print();
            return exit;
        }
    };
    let ended = match cli.command {
        Command::Check(args) => check::run(&args, cli.log_format),
        Command::Import(args) => import::run(args, cli.log_format),
        Command::Preview(args) => preview::run(&args),
        Command::Columns(args) => columns::run(args),
        Command::Runs(args) => runs::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Settle(args) => settle::run(&args),
        Command::Fields(args) => fields::run(&args),
        Command::Targets(args) => targets::run(&args),
        Command::Sandbox(args) => play(&args),
        Command::Schema(args) => schema::run(&args),
    };
    ended.unwrap_or_else(|error| {
        let code = match error.is::<SourceError>() {
            true => "input",
            false => "failed",
        };
        common::complain(&[Mistake::new(code, format!("{error:#}"))]);
        Exit::Usage
    })
}

fn play(args: &sandbox::Args) -> anyhow::Result<Exit> {
    let (target, mistakes) = target::load(&args.target, Path::new(""));
    common::complain(&mistakes);
    let Some(target) = target else {
        return Ok(Exit::Usage);
    };
    let known = match &args.fields {
        Some(path) => match custom::of_file(path, &target) {
            Ok(known) => Some(known),
            Err(mistakes) => {
                common::complain(&mistakes);
                return Ok(Exit::Usage);
            }
        },
        None => None,
    };
    sandbox::run(args, target.file, known)
}
