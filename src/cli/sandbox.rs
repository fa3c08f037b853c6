//! `rowferry sandbox`: the embedded server by itself.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;

use crate::report::exit::Exit;
use crate::sandbox::{Faults, Options, Sandbox, parse_rate};
use crate::target::custom::CustomFields;
use crate::target::file::TargetFile;

/// What the command takes.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Args {
    /// The target to play: a built-in one, or the path of a target file.
    pub target: String,
    /// The port on 127.0.0.1; 0 takes any that is free.
    #[arg(long, default_value_t = 8787)]
    pub port: u16,
    /// Requests that are let in, such as `100/s`, `150/10s` or `60/min`; those beyond get 429.
    #[arg(long, value_name = "N/PERIOD", value_parser = parse_rate)]
    pub rate: Option<(u32, f64)>,
    /// How many may come at once under `--rate`; without it, the rate's own count.
    #[arg(long, value_name = "N", requires = "rate")]
    pub burst: Option<u32>,
    /// How long each answer takes, such as `20ms`.
    #[arg(long, value_name = "TIME", value_parser = parse_latency)]
    pub latency: Option<Duration>,
    /// The share of creates and updates that go wrong, and how, such as
    /// `lost-before=2%,lost-after=2%,500-after=1%,503=2%`.
    #[arg(long, value_name = "FAULTS")]
    pub fail: Option<Faults>,
    /// The seed of what is drawn.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// A custom-fields.toml: the account has these custom fields, and refuses others. Without it a
    /// few samples are listed, and any are taken.
    #[arg(long, value_name = "FILE")]
    pub fields: Option<PathBuf>,
}

/// Reads a latency such as `20ms`.
fn parse_latency(text: &str) -> Result<Duration, String> {
    text.parse::<jiff::SignedDuration>()
        .ok()
        .and_then(|time| Duration::try_from(time).ok())
        .ok_or_else(|| format!("`{text}` is no length of time; write it as `20ms` or `1s`"))
}

/// Plays the target until it is interrupted; its address stands on stdout once it listens.
///
/// # Errors
/// The port is taken, the target file cannot be played, or stdout is closed.
pub(super) fn run(
    args: &Args,
    target: TargetFile,
    custom_fields: Option<CustomFields>,
) -> anyhow::Result<Exit> {
    let options = Options {
        custom_fields: custom_fields.map(|known| known.definitions()),
        port: args.port,
        rate: args
            .rate
            .map(|(count, seconds)| (count, seconds, args.burst.unwrap_or(count))),
        latency: args.latency.unwrap_or_default(),
        faults: args.fail.unwrap_or_default(),
        seed: args.seed,
        ..Options::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("no threads can be started")?;
    runtime.block_on(async {
        let sandbox = Sandbox::start(target, options)
            .await
            .with_context(|| format!("the sandbox cannot listen on port {}", args.port))?;
        // Before its address is told: who reads it may interrupt at once.
        let interrupted = interruption()?;
        let mut stdout = std::io::stdout();
        writeln!(stdout, "{}", sandbox.base_url())?;
        stdout.flush()?;
        interrupted.await;
        let stats = sandbox.stats();
        sandbox.stop().await;
        writeln!(
            std::io::stderr(),
            "{} requests: {} created, {} updated, {} refused, {} limited, {} unauthorised, {} faults",
            stats.requests,
            stats.created,
            stats.updated,
            stats.refused,
            stats.limited,
            stats.unauthorised,
            stats.faults
        )?;
        Ok(Exit::Ok)
    })
}

/// Begins to listen for SIGINT and SIGTERM, and gives what waits for one of them.
fn interruption() -> std::io::Result<impl Future<Output = ()>> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        Ok(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        // Where it cannot be waited for, the system ends the process itself.
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn the_command_line_is_read() {
        let line = Line::try_parse_from([
            "sandbox",
            "acme",
            "--rate",
            "150/10s",
            "--latency",
            "20ms",
            "--fail",
            "503=2%",
        ])
        .unwrap();
        assert_eq!(line.args.port, 8787);
        assert_eq!(line.args.rate, Some((150, 10.0)));
        assert_eq!(line.args.latency, Some(Duration::from_millis(20)));
        assert_eq!(line.args.fail.map(|faults| faults.unavailable), Some(0.02));
        for wrong in [
            ["--rate", "fast"],
            ["--latency", "-1s"],
            ["--fail", "x=1%"],
            ["--burst", "3"],
        ] {
            assert!(
                Line::try_parse_from(["sandbox", "acme", wrong[0], wrong[1]]).is_err(),
                "{wrong:?}"
            );
        }
    }
}
