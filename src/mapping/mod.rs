//! The mapping file: parsed, checked, every mistake told at its place.

mod check;
mod fields;
pub mod file;
pub mod lookup;
pub mod stop_after;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use self::fields::{FieldRule, Requests};
use self::file::MappingFile;
use crate::document::Document;
use crate::issue::{Mistake, TextFile, nearest};

/// A mapping file that was read. Columns and the target's fields are not known yet; the plan
/// checks those, by the spans that are kept here.
#[derive(Debug, Clone)]
pub struct Mapping {
    /// Where the file is; files that it names stand beside it.
    pub path: PathBuf,
    /// Its text, for showing mistakes.
    pub file: Arc<TextFile>,
    /// All but its rules.
    pub head: MappingFile,
    /// Its rules in the order of the file, those of `[custom]` among them.
    pub rules: Vec<FieldRule>,
}

/// The largest mapping file that is read, in bytes.
const MAX_FILE: u64 = 16 << 20;

/// Reads a mapping file, with all its mistakes. The mapping is there where there was something to
/// go on with, so that mistakes of other kinds can be told with these; it must not be used for
/// rows unless all the mistakes are notes.
pub fn load(path: &Path) -> (Option<Mapping>, Vec<Mistake>) {
    let name = path.display().to_string();
    let refuse = |why: String| {
        let mistake = Mistake::new("mapping-file", format!("the mapping file {name} {why}"));
        (None, vec![mistake])
    };
    match std::fs::metadata(path) {
        Ok(about) if about.is_dir() => return refuse("is a folder".to_owned()),
        Ok(about) if about.len() > MAX_FILE => {
            return refuse("is too large to be a mapping file".to_owned());
        }
        Ok(_) => {}
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return refuse("does not exist".to_owned());
        }
        Err(error) => return refuse(format!("cannot be read: {error}")),
    }
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return refuse(format!("cannot be read: {error}")),
    };
    match String::from_utf8(bytes) {
        Ok(text) => parse(&name, path, text),
        Err(error) => {
            let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
            let line = valid.iter().filter(|byte| **byte == b'\n').count() + 1;
            let (none, mut mistakes) = refuse(format!(
                "is not UTF-8 text: the first byte that is not stands on line {line}"
            ));
            for mistake in &mut mistakes {
                mistake.help = Some("save the file with the encoding UTF-8".to_owned());
            }
            (none, mistakes)
        }
    }
}

/// Reads the text of a mapping file, see [`load`]. `name` is how mistakes call it.
pub fn parse(name: &str, path: &Path, text: String) -> (Option<Mapping>, Vec<Mistake>) {
    // The mark that some editors put before UTF-8 text.
    let text = match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    };
    let file = Arc::new(TextFile {
        name: name.to_owned(),
        text,
    });
    let (mut document, mut mistakes) = Document::parse(&file);
    let broken = !mistakes.is_empty();
    let mut rules = Vec::new();
    for (section, custom) in [("fields", false), ("custom", true)] {
        if let Some(section) = document.root.remove(section) {
            rules.extend(fields::read(&file, custom, &section, &mut mistakes));
        }
    }
    rules.sort_by_key(|rule| rule.key_span.start);
    unknown_sections(&mut document, &mut mistakes);
    let (head, told) = document.read::<MappingFile>();
    mistakes.extend(told);
    let mapping = head.map(|mut head| {
        head.row.fill_spans();
        Mapping {
            path: path.to_owned(),
            file: Arc::clone(&file),
            head,
            rules,
        }
    });
    if let Some(mapping) = &mapping {
        check::mapping(mapping, broken, &mut mistakes);
    }
    mistakes.sort_by_key(|mistake| mistake.place.as_ref().map_or(0, |(_, span)| span.start));
    (mapping, mistakes)
}

/// The keys at the top of the file, in the order of the reference.
pub const SECTIONS: &[&str] = &[
    "target",
    "allow_caution",
    "source",
    "row",
    "fields",
    "custom",
    "check",
    "policy",
    "limits",
    "test",
];

/// Tells keys at the top that are not known, and takes them out: serde does not know those that
/// are read by other means, and could not offer them.
fn unknown_sections(document: &mut Document<'_>, mistakes: &mut Vec<Mistake>) {
    let mut unknown = Vec::new();
    for (key, value) in &document.root {
        let name: &str = key.get_ref();
        if SECTIONS.contains(&name) {
            continue;
        }
        let help = match nearest(name, SECTIONS.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if fields::is_rule(value) => {
                "a line that fills a field stands below [fields]".to_owned()
            }
            None => format!("the keys here are: {}", SECTIONS.join(", ")),
        };
        let message = format!("there is no key `{name}` here");
        let mistake = Mistake::new("unknown-key", message);
        mistakes.push(
            mistake
                .at(document.file, key.span(), "not known")
                .help(help),
        );
        unknown.push(name.to_owned());
    }
    for name in unknown {
        document.root.remove(name.as_str());
    }
}

#[cfg(test)]
mod tests;
