//! `rowferry preview`: the request bodies as they would be sent.

use std::ops::ControlFlow;
use std::path::PathBuf;

use super::check::tell_of_sources;
use super::common::{Voice, complain, inputs, plan_options, print, say};
use crate::issue::Severity;
use crate::pipeline::check::claims;
use crate::pipeline::load;
use crate::pipeline::stage::each_batch;
use crate::record::Plan;
use crate::report::exit::Exit;
use crate::row::RowPlace;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The spreadsheet; `-` is standard input.
    #[arg(value_name = "INPUT")]
    input: std::ffi::OsString,
    /// The mapping file.
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    /// How many rows.
    #[arg(short, long = "rows", value_name = "N", default_value_t = 5)]
    number: usize,
    /// Refuse rows with warnings.
    #[arg(long)]
    strict: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<Exit> {
    let voice = Voice {
        json: false,
        quiet: false,
        log_json: false,
    };
    let arguments = [args.input.clone()];
    let found = match inputs(&arguments) {
        Ok(found) => found,
        Err(mistake) => return voice.mistakes("preview", &args.mapping, &arguments, &[mistake]),
    };
    let (loaded, mistakes) = load(&args.mapping, found, &plan_options(args.strict));
    let Some(loaded) = loaded else {
        return voice.mistakes("preview", &args.mapping, &arguments, &mistakes);
    };
    complain(&mistakes);
    tell_of_sources(&loaded);
    let mut claims = claims(&loaded)?;
    let mut left = args.number;
    let mut refused = false;
    let mut printed = Ok(());
    each_batch(&loaded.inputs, &mut |planned| {
        let header = &loaded.inputs[planned.input].source.header;
        for mut row in planned.rows {
            if left == 0 {
                return ControlFlow::Break(());
            }
            left -= 1;
            if let Some(claims) = &mut claims {
                claims.claim(&mut row);
            }
            let place = RowPlace::new(row.sheet.as_deref(), row.row);
            for issue in &row.issues {
                let place = match issue.column {
                    Some(column) => place.cell_name(header, column),
                    None => format!("row {place}"),
                };
                let kind = match issue.severity {
                    Severity::Error => "refused",
                    Severity::Warning => "warning",
                };
                say(&format!(
                    "{place}: {kind}: {}: {}",
                    issue.code, issue.message
                ));
            }
            match &row.plan {
                Plan::Send(body) => {
                    let record = serde_json::from_str(&body.json).unwrap_or_default();
                    printed = print(&loaded.target.envelope(record).to_string());
                    if printed.is_err() {
                        return ControlFlow::Break(());
                    }
                }
                Plan::Skip(rule, note) => say(&format!("row {place}: skipped: {rule}: {note}")),
                Plan::Reject => refused = true,
            }
        }
        ControlFlow::Continue(())
    })?;
    printed?;
    Ok(if refused { Exit::Rejects } else { Exit::Ok })
}
