//! `--issues FILE`: where the lines go.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::common::{folder_of, is_read, shown};
use crate::issue::Mistake;
use crate::pipeline::Loaded;
use crate::report::IssueWriter;

/// A file of issues under way: it gets its name when the command ends.
pub(super) struct IssueFile {
    /// The unfinished file, and the name that it gets; nothing where lines go to standard output.
    file: Option<(NamedTempFile, PathBuf)>,
}

/// Begins the file of issues.
///
/// # Errors
/// Where the lines cannot go there: a folder that is missing, a file that the command reads or that
/// holds something else, standard output where the summary goes.
pub(super) fn begin(
    path: &Path,
    reads: &[&Path],
    json: bool,
    redact: bool,
    loaded: &Loaded,
) -> Result<(IssueFile, IssueWriter), Mistake> {
    let inputs = loaded
        .inputs
        .iter()
        .map(|input| input.input.name())
        .collect();
    if path == Path::new("-") {
        if json {
            return Err(Mistake::new(
                "issues",
                "--issues - and --json would both go to standard output",
            )
            .help("name a file for the issues, such as --issues issues.jsonl"));
        }
        let out = BufWriter::new(io::stdout());
        return Ok((
            IssueFile { file: None },
            IssueWriter::new(out, inputs, redact),
        ));
    }
    refused(path, reads)?;
    let began = || -> io::Result<(IssueFile, IssueWriter)> {
        // A temporary file is its owner's alone.
        let file = tempfile::Builder::new()
            .prefix(".rowferry-")
            .suffix(".part")
            .tempfile_in(folder_of(path))?;
        let out = BufWriter::with_capacity(1 << 16, file.reopen()?);
        let writer = IssueWriter::new(out, inputs, redact);
        Ok((
            IssueFile {
                file: Some((file, path.to_path_buf())),
            },
            writer,
        ))
    };
    began().map_err(|error| cannot(path, &error))
}

impl IssueFile {
    /// Gives the file its name; the path, where there is one.
    ///
    /// # Errors
    /// It cannot be written; or it could not, as `failed` tells.
    pub(super) fn finish(self, failed: Option<io::Error>) -> Result<Option<String>, Mistake> {
        let Some((file, path)) = self.file else {
            return match failed {
                // Whoever read it has enough.
                Some(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(None),
                Some(error) => Err(cannot(Path::new("-"), &error)),
                None => Ok(None),
            };
        };
        let finished = || -> io::Result<()> {
            if let Some(error) = failed {
                return Err(error);
            }
            file.as_file().sync_all()?;
            file.persist(&path)?;
            Ok(())
        };
        match finished() {
            Ok(()) => Ok(Some(shown(&path))),
            Err(error) => Err(cannot(&path, &error)),
        }
    }
}

fn cannot(path: &Path, error: &io::Error) -> Mistake {
    let message = format!("the issues cannot be written to {}: {error}", shown(path));
    Mistake::new("issues", message).help("everything else was done; name another file")
}

/// What would be lost is not written over.
fn refused(path: &Path, reads: &[&Path]) -> Result<(), Mistake> {
    let name = shown(path);
    let mistake = |message: String, help: &str| Err(Mistake::new("issues", message).help(help));
    let other = "name another file, such as issues.jsonl";
    if path.is_dir() {
        return mistake(format!("--issues {name} is a folder"), other);
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        let message = format!("--issues {name}: there is no folder `{}`", folder.display());
        return mistake(message, "make the folder first, or name another");
    }
    if is_read(path, reads) {
        return mistake(
            format!("--issues {name} is a file that this command reads"),
            other,
        );
    }
    if path.exists() && !holds_issues(path) {
        return mistake(
            format!(
                "--issues {name}: the file that is there holds no issues, and is left as it is"
            ),
            "name another file, or move that one away",
        );
    }
    Ok(())
}

/// Whether a file is empty or begins with a line of ours.
fn holds_issues(path: &Path) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let mut first = String::new();
    let mut start = BufReader::new(io::Read::take(file, 1 << 16));
    if start.read_line(&mut first).is_err() {
        return false;
    }
    let line: Option<serde_json::Value> = serde_json::from_str(&first).ok();
    first.is_empty() || line.is_some_and(|line| line["code"].is_string() && line["row"].is_u64())
}

/// Flushes what is still held, keeping the first failure.
pub(super) fn close(writer: Option<IssueWriter>, failed: Option<io::Error>) -> Option<io::Error> {
    let Some(mut writer) = writer else {
        return failed;
    };
    failed.or(writer.finish().err())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_lost_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("old.jsonl"), "{\"row\":2,\"code\":\"x\"}\n").unwrap();
        std::fs::write(at("empty"), "").unwrap();
        std::fs::write(at("in.csv"), "a,b\n").unwrap();
        let input = at("in.csv");
        for (path, fine) in [
            (at("new.jsonl"), true),
            (at("old.jsonl"), true),
            (at("empty"), true),
            (at("in.csv"), false),
            (at("none/new.jsonl"), false),
            (folder.path().to_path_buf(), false),
        ] {
            let refused = refused(&path, &[&input]);
            assert_eq!(refused.is_ok(), fine, "{}: {refused:?}", path.display());
        }
        let refused = refused(&at("in.csv"), &[]).unwrap_err();
        assert!(refused.message.contains("holds no issues"), "{refused:?}");
    }
}
