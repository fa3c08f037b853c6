//! What the commands share: inputs, mistakes, the summary's way out.

use std::ffi::{OsStr, OsString};
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::diagnostics;
use crate::issue::Mistake;
use crate::pipeline::Loaded;
use crate::pipeline::load::FINDINGS;
use crate::plan;
use crate::report::exit::Exit;
use crate::report::{Progress, ProgressMode, Summary, terminal, terminal_in};
use crate::source::{ENDINGS, Input, is_table_name};

/// Whether standard error takes colour.
pub(super) fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        && std::io::stderr().is_terminal()
}

/// Tells mistakes and notes on standard error.
pub(super) fn complain(mistakes: &[Mistake]) {
    if !mistakes.is_empty() {
        say(&diagnostics::render(mistakes, colour()));
    }
}

/// Tells the notes of loading that the summary does not tell anyway.
pub(super) fn complain_of_loading(notes: &[Mistake]) {
    let told: Vec<Mistake> = notes
        .iter()
        .filter(|note| note.code != "unused-columns" && !FINDINGS.contains(&note.code))
        .cloned()
        .collect();
    complain(&told);
}

/// Writes to people.
pub(super) fn say(text: &str) {
    // Nobody is there to be told that nobody is there.
    let _ = writeln!(std::io::stderr().lock(), "{}", text.trim_end());
}

/// Writes data. A reader that went away is no error.
pub(super) fn print(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => Ok(other?),
    }
}

/// The folder that a file stands in.
pub(super) fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// Whether a path leads to one of the files that a command reads, by whatever name.
pub(super) fn is_read(path: &Path, reads: &[&Path]) -> bool {
    let same = |read: &&Path| match (read.canonicalize(), path.canonicalize()) {
        (Ok(read), Ok(path)) => read == path,
        _ => false,
    };
    reads.iter().any(same)
}

/// A text as a shell takes it for one word.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:@%+=,".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The inputs as a command line names them.
pub(super) fn named(loaded: &Loaded) -> String {
    let inputs = loaded.inputs.iter().map(|input| match &input.input {
        Input::Stdin => "-".to_owned(),
        Input::Path(path) => match shown(path) {
            // Not to be taken for an option.
            name if name.starts_with('-') => quoted(&format!("./{name}")),
            name => quoted(&name),
        },
    });
    inputs.collect::<Vec<_>>().join(" ")
}

/// How a plan is made today.
pub(super) fn plan_options(strict: bool) -> plan::Options {
    plan::Options {
        strict,
        today: jiff::Zoned::now().date(),
    }
}

/// The inputs of a command line: files, standard input, folders and patterns, the latter two in
/// the order of the names.
///
/// # Errors
/// A folder or pattern with no spreadsheet.
pub(super) fn inputs(arguments: &[OsString]) -> Result<Vec<Input>, Mistake> {
    let mut inputs = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        let pattern = path
            .file_name()
            .filter(|name| bytes(name).iter().any(|c| matches!(c, b'*' | b'?')) && !path.exists());
        let (folder, pattern) = match pattern {
            Some(pattern) => (path.parent().unwrap_or(Path::new("")), Some(pattern)),
            None if argument != "-" && path.is_dir() => (path, None),
            None => {
                inputs.push(Input::of(argument));
                continue;
            }
        };
        let found = search(folder, pattern).map_err(|error| {
            let folder = folder.display();
            Mistake::new(
                "input",
                format!("the folder `{folder}` cannot be read: {error}"),
            )
        })?;
        if found.is_empty() {
            let argument = path.display();
            let mistake = Mistake::new(
                "input",
                match pattern {
                    Some(_) => format!("no file fits `{argument}`"),
                    None => format!("`{argument}` holds no spreadsheet"),
                },
            );
            return Err(mistake.help(match pattern {
                Some(_) => "no file of that folder has such a name; results and reject files of this program are taken only where the \
                            pattern names `.results` or `.rejects`, or each by its own name"
                    .to_owned(),
                None => format!(
                    "files that end in {} are taken, also packed (.csv.gz, .csv.zst, .zip); \
                     results and reject files of this program are not",
                    ENDINGS.join(", ")
                ),
            }));
        }
        inputs.extend(found.into_iter().map(Input::Path));
    }
    Ok(inputs)
}

/// The characters of a name that mean something here are single bytes in every encoding of names.
fn bytes(name: &OsStr) -> &[u8] {
    name.as_encoded_bytes()
}

fn search(folder: &Path, pattern: Option<&OsStr>) -> std::io::Result<Vec<PathBuf>> {
    let shown = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(shown)? {
        let entry = entry?;
        let own = entry.file_name();
        // What cannot be shown is in no name of ours, and in no ending.
        let name = own.to_string_lossy();
        let name = &*name;
        // Files that other programs keep beside the real ones begin so, and a shell's patterns
        // pass them over as well.
        let besides = name.starts_with(['.', '~']);
        let taken = match pattern {
            Some(pattern) => {
                let said = pattern.to_string_lossy();
                matches(bytes(pattern), bytes(&own))
                    && (!besides || said.starts_with(['.', '~']))
                    && (!is_ours(name) || names_ours(&said))
            }
            None => is_table_name(Path::new(name)) && !besides && !is_ours(name),
        };
        if taken && entry.path().is_file() {
            found.push(folder.join(&own));
        }
    }
    found.sort();
    Ok(found)
}

/// Whether a file's name is one that we give to results and reject files.
fn is_ours(name: &str) -> bool {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    let stem = match stem.rsplit_once('-') {
        Some((head, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => head,
        _ => stem,
    };
    stem.ends_with(".rejects") || stem.ends_with(".results")
}

/// Whether a pattern asks for files of ours.
fn names_ours(pattern: &str) -> bool {
    pattern.contains(".rejects") || pattern.contains(".results")
}

/// Whether a name fits a pattern of `*` and `?`.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    match (pattern.first(), name.first()) {
        (None, None) => true,
        (Some(b'*'), _) => {
            matches(&pattern[1..], name) || (!name.is_empty() && matches(pattern, &name[1..]))
        }
        (Some(b'?'), Some(_)) => matches(&pattern[1..], &name[1..]),
        (Some(a), Some(b)) if a == b => matches(&pattern[1..], &name[1..]),
        _ => false,
    }
}

/// How a command tells what it does and what came of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Voice {
    /// The summary goes to standard output as JSON.
    pub(super) json: bool,
    /// Only what is to be acted on is told.
    pub(super) quiet: bool,
    /// Log lines are JSON.
    pub(super) log_json: bool,
}

impl Voice {
    /// Progress as this voice shows it.
    pub(super) fn progress(self) -> Progress {
        Progress::new(match self {
            Self { quiet: true, .. } => ProgressMode::Quiet,
            Self { log_json: true, .. } => ProgressMode::JsonLog,
            _ => ProgressMode::Auto,
        })
    }

    /// Tells mistakes in what was written or named, and ends the command with a summary that
    /// holds them.
    pub(super) fn mistakes(
        self,
        command: &'static str,
        mapping: &Path,
        arguments: &[OsString],
        mistakes: &[Mistake],
    ) -> anyhow::Result<Exit> {
        self.broken_off(command, mapping, arguments, mistakes, Exit::Usage)
    }

    /// The same with another exit code.
    pub(super) fn broken_off(
        self,
        command: &'static str,
        mapping: &Path,
        arguments: &[OsString],
        mistakes: &[Mistake],
        exit: Exit,
    ) -> anyhow::Result<Exit> {
        complain(mistakes);
        if self.json {
            let summary = Summary {
                command,
                mapping: mapping.display().to_string(),
                inputs: arguments
                    .iter()
                    .map(|argument| argument.to_string_lossy().into_owned())
                    .collect(),
                exit_code: exit.code(),
                mistakes: Some(diagnostics::to_json(mistakes)),
                ..Summary::default()
            };
            print(&serde_json::to_string(&summary)?)?;
        }
        Ok(exit)
    }

    /// Tells what came of a command.
    pub(super) fn summary(self, summary: &Summary) -> anyhow::Result<()> {
        if self.json {
            print(&serde_json::to_string(summary)?)?;
        }
        let to_act_on = summary.exit_code != Exit::Ok.code();
        let seen = !self.json || std::io::stderr().is_terminal();
        if seen && (!self.quiet || to_act_on) {
            let text = match height() {
                Some(height) => terminal_in(summary, width(), height, colour()),
                None => terminal(summary, width(), colour()),
            };
            say(&text);
        }
        Ok(())
    }
}

/// How many lines the terminal has.
fn height() -> Option<usize> {
    let size = terminal_size::terminal_size_of(std::io::stderr());
    size.map(|(_, height)| usize::from(height.0))
}

/// How many columns the terminal has; 80 elsewhere.
pub(super) fn width() -> usize {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    let width = said.or_else(|| {
        terminal_size::terminal_size_of(std::io::stderr()).map(|(width, _)| usize::from(width.0))
    });
    width.unwrap_or(80).clamp(40, 160)
}

/// The paths of files as the summary gives them.
pub(super) fn shown(path: &Path) -> String {
    path.display().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fits) in [
            ("*.csv", "a.csv", true),
            ("*.csv", "a.xlsx", false),
            ("a?.csv", "ab.csv", true),
            ("a?.csv", "a.csv", false),
            ("*", "", true),
            ("a*b*c", "aXXbYYc", true),
        ] {
            assert_eq!(
                matches(pattern.as_bytes(), name.as_bytes()),
                fits,
                "{pattern} {name}"
            );
        }
    }

    #[test]
    fn a_folder_is_taken_in_the_order_of_names_without_our_own_files() {
        let folder = tempfile::tempdir().unwrap();
        for name in [
            "b.csv",
            "a.xlsx",
            "a.rejects.csv",
            "a.rejects-2.csv",
            "a.results.csv",
            "c.csv.gz",
            "d.zip",
            "e.tar.gz",
            ".hidden.csv",
            "~$a.xlsx",
            "x.md",
        ] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let folder_text = folder.path().display().to_string();
        let names = |argument: String| -> Vec<String> {
            let found = inputs(&[argument.into()]).unwrap();
            found.iter().map(|input| input.stem()).collect()
        };
        assert_eq!(names(folder_text.clone()), ["a", "b", "c", "d"]);
        assert_eq!(names(format!("{folder_text}/*.csv")), ["b"]);
        assert_eq!(names(format!("{folder_text}/?.csv*")), ["b", "c"]);
        // Asked for by what only they have in their names.
        assert_eq!(
            names(format!("{folder_text}/*.rejects*.csv")),
            ["a.rejects-2", "a.rejects"]
        );
        assert_eq!(names(format!("{folder_text}/a.results.csv")), ["a.results"]);
        assert!(inputs(&[format!("{folder_text}/*.ods").into()]).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn names_of_any_encoding_are_taken() {
        use std::os::unix::ffi::OsStrExt;
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join(OsStr::from_bytes(b"k\xfcn.csv"));
        if std::fs::write(&odd, "x").is_err() {
            return; // a file system that takes only UTF-8
        }
        let pattern = folder.path().join("k?n.csv");
        for argument in [folder.path(), pattern.as_path(), odd.as_path()] {
            let found = inputs(&[argument.into()]).unwrap();
            assert_eq!(found, [Input::Path(odd.clone())], "{argument:?}");
        }
    }
}
