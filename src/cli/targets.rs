//! `rowferry targets`: the built-in targets; one as TOML; mistakes in a target file.

use std::path::Path;

use super::common::{complain, print, say};
use super::diagnostics;
use crate::report::exit::Exit;
use crate::target::file::{AuthKind, HeaderValue};
use crate::target::{self, Target};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print a built-in target's file, to read or to begin one's own with.
    Show {
        /// The target's name.
        target: String,
    },
    /// Tell the mistakes in a target file.
    Check {
        /// The target file.
        file: String,
        /// Print the mistakes as JSON on standard output.
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    match &args.command {
        None => list(),
        Some(Command::Show { target }) => show(target),
        Some(Command::Check { file, json }) => check(file, *json),
    }
}

fn list() -> anyhow::Result<Exit> {
    for name in target::builtin_names() {
        let (found, mistakes) = target::load(name, Path::new(""));
        complain(&mistakes);
        let Some(found) = found else {
            return Ok(Exit::Bug);
        };
        print(&format!(
            "{name:<20} {:<44} {}",
            format!("{}{}", found.file.base_url, found.file.create.path),
            variables(&found)
        ))?;
    }
    Ok(Exit::Ok)
}

/// The variables that a target reads.
fn variables(target: &Target) -> String {
    let mut ways: Vec<String> = target
        .file
        .auth
        .iter()
        .filter(|auth| auth.kind != AuthKind::None)
        .map(|auth| {
            [
                &auth.env,
                &auth.user_env,
                &auth.password_env,
                &auth.id_env,
                &auth.secret_env,
                &auth.refresh_env,
            ]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" + ")
        })
        .collect();
    if ways.len() > 1 {
        ways = vec![ways.join(" or ")];
    }
    for (_, value) in &target.file.headers {
        if let HeaderValue::Env { env, required, .. } = value {
            ways.push(if *required {
                env.clone()
            } else {
                format!("[{env}]")
            });
        }
    }
    ways.join("; ")
}

fn show(name: &str) -> anyhow::Result<Exit> {
    if let Some(text) = target::builtin_text(name) {
        // Where the schema stands from the file's own place is no help elsewhere.
        let shown = match text.split_once('\n') {
            Some((first, rest)) if first.starts_with("#:schema ") => rest,
            _ => text,
        };
        print(shown.trim_end())?;
        return Ok(Exit::Ok);
    }
    let (found, mistakes) = target::load(name, Path::new(""));
    complain(&mistakes);
    match found {
        Some(found) => {
            print(found.text.text.trim_end())?;
            Ok(Exit::Ok)
        }
        None => Ok(Exit::Usage),
    }
}

fn check(file: &str, json: bool) -> anyhow::Result<Exit> {
    // A path without a slash or ending is a path here all the same.
    let path = match file.contains(['/', '\\']) || file.ends_with(".toml") {
        true => file.to_owned(),
        false => format!("./{file}"),
    };
    let (found, mistakes) = target::load(&path, Path::new(""));
    complain(&mistakes);
    let good = mistakes.iter().all(|mistake| mistake.note);
    let exit = match &found {
        Some(_) if good => Exit::Ok,
        _ => Exit::Usage,
    };
    if json {
        let said = serde_json::json!({
            "command": "targets check",
            "target": found.as_ref().map(|found| &found.name),
            "file": file,
            "exit_code": exit.code(),
            "mistakes": diagnostics::to_json(&mistakes),
        });
        print(&said.to_string())?;
    } else if let (Some(found), Exit::Ok) = (found, exit) {
        say(&format!(
            "{file}: no mistakes; {} is described",
            found.file.name
        ));
    }
    Ok(exit)
}
