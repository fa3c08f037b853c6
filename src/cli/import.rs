//! `rowferry import`: sends what is new.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::check::{seconds, tell_of_sources, unused};
use super::common::{
    Voice, complain, complain_of_loading, inputs, named, plan_options, quoted, say, shown,
};
use super::{LogFormat, check, html, issues, settings};
use crate::issue::Mistake;
use crate::ledger;
use crate::pipeline::check::estimate;
use crate::pipeline::finish::Places;
use crate::pipeline::import::{Imported, Settings, import};
use crate::pipeline::select::Selection;
use crate::pipeline::{Loaded, load_for};
use crate::rate::{Rate, parse_time};
use crate::record::Fate;
use crate::report::exit::Exit;
use crate::report::{Files, LeftRow, LeftRows, Summary, redact};
use crate::sandbox::{self, Sandbox};
use crate::target::custom::{self, AccountFields, Asked};
use crate::upload::auth;

/// The pace of a rehearsal: fast enough for a demonstration, and still one that can be tripped.
const REHEARSAL: Rate = Rate {
    count: 500,
    seconds: 1,
};

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Spreadsheets (CSV, XLSX, XLSB, XLS, ODS), folders or patterns of them; `-` is standard input.
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<std::ffi::OsString>,
    /// The mapping file.
    #[arg(long, short, value_name = "FILE")]
    mapping: PathBuf,
    /// Send to an embedded server that plays the target; no credentials are needed.
    #[arg(long, conflicts_with_all = ["base_url", "dry_run"])]
    sandbox: bool,
    /// Send only the first N rows; the rest is pending.
    #[arg(long, value_name = "N", conflicts_with = "rows")]
    first: Option<u64>,
    /// Send only these rows, such as 17,40-60; the rest is pending.
    #[arg(long, value_name = "LIST")]
    rows: Option<String>,
    /// The base URL in place of the target's own [env: ROWFERRY_BASE_URL]
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// A name for this account, to keep it apart from others of the same target.
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// The secret was renewed, and the account is the same as at the last run.
    #[arg(long)]
    same_account: bool,
    /// The ledger's file; default: one for each target and account in the state folder.
    #[arg(long, value_name = "FILE")]
    ledger: Option<PathBuf>,
    /// Where the reject file goes: a name, or a folder; default: beside the input.
    #[arg(long, value_name = "FILE")]
    rejects: Option<PathBuf>,
    /// Where the results file goes: a name, or a folder; default: beside the input.
    #[arg(long, value_name = "FILE")]
    results: Option<PathBuf>,
    /// Write the report as one HTML page that can be mailed.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Write each issue as a line of JSON to this file; `-` is standard output.
    #[arg(long, value_name = "FILE")]
    issues: Option<PathBuf>,
    /// Mask what came out of cells, in everything but reject and results files: letters as x, digits
    /// as 9.
    #[arg(long)]
    redact: bool,
    /// How often a row is sent where attempts fail.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    attempts: u32,
    /// Wait where a quota is used up or the target asks for a long pause, rather than stop.
    #[arg(long)]
    wait: bool,
    /// How long to wait for a target that is down, such as 90s, 5min or 2h [default: 5min; 10s
    /// where it never answered in this run]
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    wait_down: Option<Duration>,
    /// Print the summary as JSON on standard output.
    #[arg(long)]
    json: bool,
    /// Print only where there is something to act on.
    #[arg(long)]
    quiet: bool,
    /// Refuse rows with warnings.
    #[arg(long)]
    strict: bool,
    /// Allow a base URL with http that is not on this machine.
    #[arg(long)]
    insecure_http: bool,
    /// The same as `check`: send nothing.
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn run(args: Args, log: LogFormat) -> anyhow::Result<Exit> {
    if args.dry_run {
        let checked = check::Args {
            inputs: args.inputs,
            mapping: args.mapping,
            json: args.json,
            rejects: args.rejects,
            html: args.html,
            issues: args.issues,
            redact: args.redact,
            sample: 3,
            strict: args.strict,
            quiet: args.quiet,
        };
        return check::run(&checked, log);
    }
    let voice = Voice {
        json: args.json,
        quiet: args.quiet,
        log_json: log == LogFormat::Json,
    };
    let began = Instant::now();
    let refuse =
        |mistakes: &[Mistake]| voice.mistakes("import", &args.mapping, &args.inputs, mistakes);
    let selection = match selection(&args) {
        Ok(selection) => selection,
        Err(mistake) => return refuse(&[mistake]),
    };
    let found = match inputs(&args.inputs) {
        Ok(found) => found,
        Err(mistake) => return refuse(&[mistake]),
    };
    let reads: Vec<PathBuf> = html::reads(&args.mapping, &found)
        .into_iter()
        .map(Path::to_path_buf)
        .collect();
    if let Some(path) = &args.html
        && let Some(mistake) = html::refused(path, &html::reads(&args.mapping, &found))
    {
        return refuse(&[mistake]);
    }
    let (loaded, mistakes) = load_for(
        &args.mapping,
        found,
        &plan_options(args.strict),
        &asked(&args),
    );
    let Some(loaded) = loaded else {
        return refuse(&mistakes);
    };
    if !args.quiet {
        complain_of_loading(&mistakes);
        tell_of_sources(&loaded);
    }
    let played = match args
        .sandbox
        .then(|| Rehearsal::start(&loaded, &args))
        .transpose()
    {
        Ok(played) => played,
        Err(error) => {
            let message = format!("the sandbox cannot be started: {error:#}");
            return refuse(&[Mistake::new("sandbox", message)]);
        }
    };
    let base_url = match &played {
        Some(played) => played.base_url.clone(),
        None => given_base_url(args.base_url.as_ref())
            .unwrap_or_else(|| loaded.target.file.base_url.clone()),
    };
    if let Some(mistake) = insecure(&base_url, args.insecure_http) {
        return refuse(&[mistake]);
    }
    let environment = |name: &str| match &played {
        // Whoever knocks is let in.
        Some(_) => (!name.ends_with("_FILE")).then(|| "sandbox".to_owned()),
        None => std::env::var(name).ok(),
    };
    let mut credentials = match auth::resolve(&loaded.target, &environment) {
        Ok(credentials) => credentials,
        Err(mistakes) => return refuse(&mistakes),
    };
    if let Some(mistake) = other_tenant(&loaded, &credentials).filter(|_| played.is_none()) {
        return refuse(&[mistake]);
    }
    if played.is_some() {
        credentials.rehearse();
    } else if let Some(mistake) = credentials
        .token_elsewhere()
        .and_then(|address| insecure(address, args.insecure_http))
    {
        return refuse(&[mistake]);
    }
    let mut file = None;
    let mut writer = None;
    if let Some(path) = &args.issues {
        let reads: Vec<&Path> = reads.iter().map(PathBuf::as_path).collect();
        match issues::begin(path, &reads, args.json, args.redact, &loaded) {
            Ok((begun, out)) => (file, writer) = (Some(begun), Some(out)),
            Err(mistake) => return refuse(&[mistake]),
        }
    }
    let settings = Settings {
        page: args.html.is_some(),
        told: settings::told(&loaded, given(&args)),
        base_url: base_url.clone(),
        credentials,
        account: args.account.clone(),
        same_account: args.same_account,
        ledger: played
            .as_ref()
            .map(|played| played.ledger.clone())
            .or_else(|| args.ledger.clone()),
        selection,
        attempts: args.attempts,
        places: Places {
            rejects: args.rejects.clone(),
            results: args.results.clone(),
        },
        command: format!("rowferry import --mapping {}", shown(&args.mapping)),
        sandbox: args.sandbox.then_some(REHEARSAL),
        wait: args.wait,
        wait_down: args.wait_down,
        issues: writer,
    };
    let progress = voice.progress();
    let imported = import(&loaded, settings, &progress, interrupted());
    progress.finish();
    let mut imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            let exit = error.exit();
            let mistake = Mistake::new("import", error.to_string());
            return voice.broken_off("import", &args.mapping, &args.inputs, &[mistake], exit);
        }
    };
    let exit = imported.exit;
    let mut details = std::mem::take(&mut imported.details);
    let untold = imported.untold.take();
    let mut summary = summary(&loaded, imported, &args, base_url, began);
    if args.redact {
        redact::summary(&mut summary);
        details.mask();
    }
    let told = file.map_or(Ok(None), |file| file.finish(untold));
    if let Ok(path) = &told {
        summary.files.issues.clone_from(path);
    }
    let mut written = Ok(());
    if let Some(path) = &args.html {
        written = html::write(path, &summary, &details);
        summary.files.html = written.is_ok().then(|| shown(path));
    }
    if let Err(error) = voice.summary(&summary) {
        // Everything else is done and written down; only this is not told.
        let run = summary.run.as_deref().unwrap_or("last");
        complain(&[Mistake::new(
            "output",
            format!("the summary cannot be written to standard output: {error:#}"),
        )
        .help(format!(
            "what was sent stands in the ledger; the summary is told again by: rowferry report {run} --json"
        ))]);
        return Ok(match exit {
            Exit::Ok | Exit::Rejects => Exit::Stopped,
            other => other,
        });
    }
    if let Err(mistake) = told {
        // The rows are where they are; only the list of what is wrong with them is not.
        complain(&[mistake]);
    }
    if let Err(mistake) = written {
        let again = match (&summary.run, &summary.files.ledger) {
            (Some(run), Some(ledger)) => format!(
                "the import itself is done; the page is made again by: rowferry report {run} --ledger {} --html FILE",
                quoted(ledger)
            ),
            _ => "the import itself is done".to_owned(),
        };
        // How the rows fared is what the exit code tells.
        complain(&[mistake.help(again)]);
    }
    Ok(exit)
}

/// What the command line says that a page tells of.
fn given(args: &Args) -> Vec<(&'static str, String)> {
    let mut given = Vec::new();
    if args.sandbox {
        given.push(("Sent to", "the embedded sandbox: a rehearsal".to_owned()));
    }
    match (args.first, &args.rows) {
        (Some(first), _) => given.push(("Rows asked for", format!("the first {first}"))),
        (None, Some(rows)) => given.push(("Rows asked for", rows.clone())),
        (None, None) => {}
    }
    if let Some(account) = &args.account {
        given.push(("Account", account.clone()));
    }
    given.push(("Attempts for a row", args.attempts.to_string()));
    if args.strict {
        given.push(("Warnings", "refuse their rows".to_owned()));
    }
    given
}

/// The base URL that the command line or the environment gives in place of the target's own.
pub(super) fn given_base_url(argument: Option<&String>) -> Option<String> {
    argument
        .cloned()
        // Not clap's: the variable may stand while a sandbox is asked for.
        .or_else(|| std::env::var("ROWFERRY_BASE_URL").ok())
        .filter(|url| !url.is_empty())
}

/// Whose custom fields the mapping is checked against.
fn asked(args: &Args) -> Asked {
    match args.sandbox {
        true => Asked::Any,
        false => Asked::Account {
            base_url: given_base_url(args.base_url.as_ref()),
            account: args.account.clone(),
        },
    }
}

/// The custom fields that the mapping was checked against are those of another tenant.
fn other_tenant(loaded: &Loaded, credentials: &auth::Credentials) -> Option<Mistake> {
    let AccountFields::Known(known) = &loaded.target.account_fields else {
        return None;
    };
    let own: BTreeMap<String, String> = credentials.tenants.iter().cloned().collect();
    (known.whose.tenants != own).then(|| {
        let words = |tenants: &BTreeMap<String, String>| {
            let pairs: Vec<String> = tenants
                .iter()
                .map(|(name, value)| format!("{name}: {value}"))
                .collect();
            match pairs.as_slice() {
                [] => "no tenant".to_owned(),
                pairs => pairs.join(", "),
            }
        };
        let message = format!(
            "{} holds the custom fields of another account: it was asked with {}, and this import goes \
             with {}",
            custom::FILE,
            words(&known.whose.tenants),
            words(&own)
        );
        Mistake::new("custom-fields", message).help(format!(
            "ask this account by `rowferry fields --mapping {}`",
            quoted(&shown(&loaded.mapping.path))
        ))
    })
}

fn selection(args: &Args) -> Result<Selection, Mistake> {
    match (&args.rows, args.first) {
        (Some(rows), _) => Selection::parse(rows)
            .map_err(|why| Mistake::new("rows", format!("--rows is wrong: {why}"))),
        (None, Some(rows)) => Ok(Selection::First(rows)),
        (None, None) => Ok(Selection::All),
    }
}

/// A base URL without TLS that leaves this machine.
pub(super) fn insecure(base_url: &str, allowed: bool) -> Option<Mistake> {
    let plain = ledger::without_user(base_url);
    if plain != base_url {
        return Some(
            Mistake::new("base-url", "the base URL holds a user or a password")
                .help("give it without them; secrets come from the environment or files, by the variables of [auth] in the target file"),
        );
    }
    let Ok(url) = url::Url::parse(base_url) else {
        let message = format!("`{base_url}` is not an address");
        return Some(Mistake::new("base-url", message).help("give it as https://…"));
    };
    let loopback = match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => None,
        "http" if loopback || allowed => None,
        "http" => Some(
            Mistake::new("insecure-http", format!("`{base_url}` is not encrypted: secrets and customers' data could be read on the way"))
                .help("use https, or give --insecure-http if you mean it"),
        ),
        scheme => Some(Mistake::new("base-url", format!("`{scheme}` is not http or https: `{base_url}`"))),
    }
}

/// Waits for SIGINT or SIGTERM; the second one ends the process at once, and the ledger is as
/// complete as after a kill.
async fn interrupted() -> i32 {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    let number = tokio::select! {
        _ = interrupt.recv() => 2,
        _ = terminate.recv() => 15,
    };
    say("stopping: requests under way are waited for (a second signal ends at once)");
    tokio::spawn(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        #[expect(clippy::exit, reason = "the second signal asks for just that")]
        std::process::exit(128 + number);
    });
    number
}

/// The embedded server of a rehearsal, on a thread of its own.
struct Rehearsal {
    base_url: String,
    ledger: PathBuf,
    _server: Sandbox,
    _runtime: tokio::runtime::Runtime,
}

impl Rehearsal {
    fn start(loaded: &Loaded, args: &Args) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()?;
        let file = loaded.target.file.clone();
        // A second's worth may come at once: whoever keeps to the pace is never told to wait, however
        // unevenly a busy machine lets its requests out.
        let rate = Some((REHEARSAL.count, 1.0, REHEARSAL.count));
        let custom_fields = match &loaded.target.account_fields {
            AccountFields::Known(known) => Some(known.definitions()),
            AccountFields::Unknown(_) => None,
        };
        let options = sandbox::Options {
            rate,
            custom_fields,
            ..sandbox::Options::default()
        };
        let server = runtime.block_on(Sandbox::start(file, options))?;
        let ledger = match &args.ledger {
            Some(ledger) => ledger.clone(),
            None => {
                // Kept after the run, so that a person can look at it.
                let folder = tempfile::Builder::new()
                    .prefix("rowferry-sandbox-")
                    .tempdir()?;
                folder.keep().join(format!("{}.db", loaded.target.name))
            }
        };
        Ok(Self {
            base_url: server.base_url(),
            ledger,
            _server: server,
            _runtime: runtime,
        })
    }
}

fn summary(
    loaded: &Loaded,
    imported: Imported,
    args: &Args,
    base_url: String,
    began: Instant,
) -> Summary {
    let Imported {
        run,
        tally,
        requests,
        files,
        ledger,
        duplicates,
        halt,
        notes,
        exit,
        not_asked,
        left,
        untold: _,
        details: _,
    } = imported;
    let read = tally.read();
    let kept_back = tally.fates().get(Fate::Rejected) + tally.fates().get(Fate::Skipped);
    let to_send = read.saturating_sub(kept_back);
    let suggestions = tally.suggestions();
    let (fates, issues, mut per_input) = tally.into_parts();
    let ledger = Some(shown(&ledger));
    let one = match files.as_slice() {
        [one] => Files {
            ledger: ledger.clone(),
            ..one.clone()
        },
        _ => Files {
            ledger,
            ..Files::default()
        },
    };
    for (input, files) in per_input.iter_mut().zip(files) {
        input.files = files;
    }
    let names: Vec<String> = loaded
        .inputs
        .iter()
        .map(|input| input.input.name())
        .collect();
    let next = next(args, &named(loaded), &one, exit, not_asked);
    Summary {
        command: "import",
        target: loaded.target.name.clone(),
        base_url: ledger::without_user(&base_url),
        mapping: shown(&args.mapping),
        inputs: names,
        run: Some(run),
        finished: halt.is_none(),
        exit_code: exit.code(),
        read,
        fates,
        requests,
        issues,
        suggestions,
        estimate: Some(estimate(loaded, to_send)),
        files: one,
        seconds: seconds(began),
        per_input,
        notes: [loaded.findings(), notes].concat(),
        unused_columns: unused(loaded),
        duplicates,
        left: (left.count > 0).then(|| LeftRows {
            count: left.count,
            rows: left.rows.into_iter().map(left_row).collect(),
        }),
        stopped: halt.map(|halt| halt.says()),
        next,
        ..Summary::default()
    }
}

fn left_row(row: ledger::LeftRow) -> LeftRow {
    LeftRow {
        row: row.row,
        run: row.run.to_string(),
        id: row.id,
        uncertain: row.unsettled,
    }
}

/// What the next command needs as this one did, to find the same account and the same ledger.
fn options(args: &Args) -> String {
    let mut options = String::new();
    let mut option = |name: &str, value: &str| {
        options.push_str(&format!(" {name} {}", quoted(value)));
    };
    if let Some(url) = &args.base_url {
        option("--base-url", url);
    }
    if let Some(account) = &args.account {
        option("--account", account);
    }
    if let Some(ledger) = &args.ledger {
        option("--ledger", &shown(ledger));
    }
    for (flag, set) in [
        ("--insecure-http", args.insecure_http),
        ("--strict", args.strict),
        ("--sandbox", args.sandbox),
    ] {
        if set {
            options.push(' ');
            options.push_str(flag);
        }
    }
    options
}

/// The command that comes next.
fn next(args: &Args, inputs: &str, files: &Files, exit: Exit, not_asked: u64) -> Option<String> {
    let mapping = quoted(&shown(&args.mapping));
    let options = options(args);
    match exit {
        Exit::Ok if args.sandbox => {
            Some(format!("rowferry import {inputs} --mapping {mapping} --first 5"))
        }
        Exit::Ok if not_asked > 0 => {
            Some(format!("rowferry import {inputs} --mapping {mapping}{options}"))
        }
        Exit::Rejects => files.rejects.as_ref().map(|rejects| {
            // Not to be taken for an option.
            let rejects = match rejects.starts_with('-') {
                true => quoted(&format!("./{rejects}")),
                false => quoted(rejects),
            };
            format!("mend the cells in {rejects} and hand it back:\nrowferry import {rejects} --mapping {mapping}{options}")
        }),
        Exit::Stopped | Exit::Interrupted | Exit::Terminated => {
            Some(format!("rowferry import {inputs} --mapping {mapping}{options}"))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_is_for_this_machine_only() {
        for (address, allowed, fine) in [
            ("https://a.example", false, true),
            ("http://a.example", false, false),
            ("http://a.example", true, true),
            ("http://127.0.0.1:80/api", false, true),
            ("http://localhost:1", false, true),
            ("http://[::1]:1", false, true),
            ("ftp://a.example", true, false),
            ("nonsense", true, false),
            ("https://u:pw@a.example", true, false),
            ("https://token@a.example/api", true, false),
        ] {
            let told = insecure(address, allowed);
            assert_eq!(told.is_none(), fine, "{address}");
            assert!(!format!("{told:?}").contains("pw@"), "{address}");
        }
    }
}
