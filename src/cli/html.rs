//! `--html FILE`: where the page goes, and writing it.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use super::common::{folder_of, is_read, shown};
use super::settings::now_ms;
use crate::issue::Mistake;
use crate::report::Summary;
use crate::report::html::{Details, page};
use crate::source::Input;

/// What keeps a page from being written to this path, as far as that can be known before the work:
/// a folder that is missing, a file that the run reads, a file that is no page.
pub(super) fn refused(path: &Path, reads: &[&Path]) -> Option<Mistake> {
    let name = shown(path);
    let mistake = |message: String, help: &str| Some(Mistake::new("html", message).help(help));
    if path.is_dir() {
        return mistake(
            format!("--html {name} is a folder"),
            "name a file, such as report.html",
        );
    }
    let folder = folder_of(path);
    if !folder.is_dir() {
        return mistake(
            format!("--html {name}: there is no folder `{}`", folder.display()),
            "make the folder first, or name another",
        );
    }
    if is_read(path, reads) {
        return mistake(
            format!("--html {name} is a file that this command reads"),
            "name another file, such as report.html",
        );
    }
    if path.exists() && !is_page(path) {
        return mistake(
            format!("--html {name}: the file that is there is no HTML page, and is left as it is"),
            "name another file, or move that one away",
        );
    }
    None
}

/// The files that a run with this mapping and these inputs reads.
pub(super) fn reads<'r>(mapping: &'r Path, inputs: &'r [Input]) -> Vec<&'r Path> {
    let inputs = inputs.iter().filter_map(|input| match input {
        Input::Path(path) => Some(path.as_path()),
        Input::Stdin => None,
    });
    std::iter::once(mapping).chain(inputs).collect()
}

/// Whether a file is empty or begins as a page does.
fn is_page(path: &Path) -> bool {
    let mut start = Vec::new();
    let read = File::open(path).and_then(|file| file.take(64).read_to_end(&mut start));
    let text = String::from_utf8_lossy(&start).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    read.is_ok()
        && (text.is_empty() || text.starts_with("<!doctype html") || text.starts_with("<html"))
}

/// Writes the page beside its name, readable by its owner alone, and gives it the name.
pub(super) fn write(path: &Path, summary: &Summary, details: &Details) -> Result<(), Mistake> {
    let nonce: String = std::iter::repeat_with(fastrand::alphanumeric)
        .take(22)
        .collect();
    let text = page(summary, details, &nonce);
    let written = || -> std::io::Result<()> {
        // A temporary file is its owner's alone.
        let mut file = tempfile::Builder::new()
            .prefix(".rowferry-")
            .suffix(".html")
            .tempfile_in(folder_of(path))?;
        file.write_all(text.as_bytes())?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        Ok(())
    };
    written().map_err(|error| {
        let message = format!("the page {} cannot be written: {error}", shown(path));
        Mistake::new("html", message).help("everything else was done; name another file")
    })
}

/// Begins the details of a page: when the command began.
pub(super) fn began(seconds: f64) -> i64 {
    now_ms() - (seconds * 1_000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_lost_is_not_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("m.toml"), "target = 'x'").unwrap();
        std::fs::write(at("old.html"), "\u{feff}<!DOCTYPE HTML><p>").unwrap();
        std::fs::write(at("in.html"), "<html>").unwrap();
        std::fs::write(at("empty.html"), "").unwrap();
        let input = at("in.html");
        for (path, fine) in [
            (at("new.html"), true),
            (at("old.html"), true),
            (at("empty.html"), true),
            (at("m.toml"), false),
            (at("in.html"), false),
            (at("none/new.html"), false),
            (folder.path().to_path_buf(), false),
        ] {
            let refused = refused(&path, &[&input]);
            assert_eq!(refused.is_none(), fine, "{}: {refused:?}", path.display());
        }
        assert_eq!(refused(Path::new("report.html"), &[]), None);
    }
}
