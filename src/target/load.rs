//! Target files: read, merged with what they extend, checked, compiled; all mistakes at once.

mod check;
mod compile;
mod sections;

use std::path::Path as FilePath;
use std::sync::Arc;

use serde::Deserialize;

pub(super) use self::check::Check;
use super::Target;
use super::file::TargetFile;
use crate::document::Document;
use crate::issue::{Mistake, TextFile, nearest};

/// The target files that are compiled in.
const BUILTIN: &[(&str, &str)] = &[
    ("sphinx", include_str!("builtin/sphinx.toml")),
    ("flextell", include_str!("builtin/flextell.toml")),
    ("kaiten", include_str!("builtin/kaiten.toml")),
    ("assembly", include_str!("builtin/assembly.toml")),
    (
        "assembly-companies",
        include_str!("builtin/assembly-companies.toml"),
    ),
    ("cirqll", include_str!("builtin/cirqll.toml")),
];

/// The names of the built-in targets.
pub fn builtin_names() -> impl Iterator<Item = &'static str> {
    BUILTIN.iter().map(|(name, _)| *name)
}

/// The text of a built-in target's file.
pub fn builtin_text(name: &str) -> Option<&'static str> {
    BUILTIN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

/// Loads a target by the name that a mapping file or the command line gives: a built-in one, or a
/// file relative to `folder`.
pub fn load(name: &str, folder: &FilePath) -> (Option<Target>, Vec<Mistake>) {
    if let Some(text) = builtin_text(name) {
        let file = TextFile {
            name: format!("{name}.toml (built in)"),
            text: text.to_owned(),
        };
        return load_file(name, &Arc::new(file), None);
    }
    if !name.ends_with(".toml") && !name.contains(['/', '\\']) {
        let mistake = Mistake::new(
            "unknown-target",
            format!("there is no target called `{name}`"),
        );
        let known: Vec<&str> = builtin_names().collect();
        return (
            None,
            vec![match nearest(name, known.iter().copied()) {
                Some(near) => mistake.help(format!("did you mean `{near}`?")),
                None => mistake.help(format!(
                    "the built-in targets are {}; a target file is named by a path such as `./{name}.target.toml`",
                    known.join(", ")
                )),
            }],
        );
    }
    let path = folder.join(name);
    let shown = path.display().to_string();
    match read_text(&path) {
        Err(why) => {
            let message = format!("the target file `{shown}` cannot be read: {why}");
            let help = match path.exists() {
                true => "make it a text file in UTF-8 that you may read",
                false => {
                    "the path counts from the folder of the mapping file; `rowferry targets` lists \
                     the targets that need no file"
                }
            };
            (None, vec![Mistake::new("target-file", message).help(help)])
        }
        Ok(text) => {
            let stem = path
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned());
            let stem = stem.unwrap_or_else(|| name.to_owned());
            let short = stem.strip_suffix(".target").unwrap_or(&stem).to_owned();
            let file = Arc::new(TextFile { name: shown, text });
            load_file(&short, &file, path.parent())
        }
    }
}

fn read_text(path: &FilePath) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(text
        .strip_prefix('\u{feff}')
        .map_or(text.clone(), str::to_owned))
}

/// Loads a target from the text of its file. `folder` is where files that it extends stand; with
/// `None` it can extend built-in ones only.
pub fn load_file(
    name: &str,
    file: &Arc<TextFile>,
    folder: Option<&FilePath>,
) -> (Option<Target>, Vec<Mistake>) {
    let (document, mut mistakes) = Document::parse(file);
    if !mistakes.is_empty() {
        return (None, mistakes);
    }
    let (own, found) = document.read::<TargetFile>();
    // What a file leaves out may stand in the one that it extends.
    let extends = document.root.contains_key("extends");
    mistakes.extend(
        found
            .into_iter()
            .filter(|mistake| !extends || mistake.code != "missing-key"),
    );
    let Some(own) = own else {
        return (None, mistakes);
    };
    let merged = match &own.extends {
        None => Some(own.clone()),
        Some(base) => match merged_table(base, &file.text, folder, 0) {
            Ok(table) => match TargetFile::deserialize(table) {
                Ok(merged) => Some(merged),
                // The same mistakes were found in the file itself.
                Err(_) if !mistakes.is_empty() => None,
                Err(error) => {
                    let span = span_of(&document, &["extends"]);
                    mistakes.push(
                        Mistake::new(
                            "target-extends",
                            format!(
                                "`{base}` and this file do not fit together: {}",
                                error.message()
                            ),
                        )
                        .at(file, span, "extends this"),
                    );
                    None
                }
            },
            Err(why) => {
                let span = span_of(&document, &["extends"]);
                let mistake = Mistake::new("target-extends", why).at(file, span, "extends this");
                let near = nearest(base, builtin_names()).filter(|near| near != base);
                mistakes.push(match near {
                    Some(near) => mistake.help(format!("did you mean `{near}`?")),
                    None => mistake,
                });
                None
            }
        },
    };
    let Some(merged) = merged else {
        mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|(_, span)| span.start));
        return (None, mistakes);
    };
    let mut check = Check {
        file,
        document: &document,
        mistakes,
    };
    let target = check.compile(name, merged);
    let mut mistakes = check.mistakes;
    // In the order of the file, however they were found.
    mistakes.sort_by_key(|mistake| mistake.place.as_ref().map(|(_, span)| span.start));
    // A batch goes where single creates go: what is wrong there is told once.
    mistakes.dedup();
    let good = mistakes.iter().all(|mistake| mistake.note);
    (target.filter(|_| good), mistakes)
}

fn span_of(document: &Document<'_>, path: &[&str]) -> std::ops::Range<usize> {
    document.spans(path).map_or(0..0, |(_, value)| value)
}

/// The table of a file laid over that of the target it extends.
fn merged_table(
    base: &str,
    own: &str,
    folder: Option<&FilePath>,
    depth: usize,
) -> Result<toml::Table, String> {
    if depth > 8 {
        return Err(format!("`{base}` extends itself"));
    }
    let (text, base_folder) = match (builtin_text(base), folder) {
        (Some(text), _) => (text.to_owned(), None),
        (None, Some(folder)) if base.ends_with(".toml") => {
            let path = folder.join(base);
            let text = read_text(&path).map_err(|why| {
                format!("the target file `{}` cannot be read: {why}", path.display())
            })?;
            (text, path.parent().map(FilePath::to_path_buf))
        }
        _ => {
            return Err(format!(
                "there is no target called `{base}`; the built-in ones are {}",
                builtin_names().collect::<Vec<_>>().join(", ")
            ));
        }
    };
    let parse = |text: &str| {
        text.parse::<toml::Table>()
            .map_err(|error| error.message().to_owned())
    };
    let mut table = parse(&text).map_err(|why| format!("`{base}` is not TOML: {why}"))?;
    if let Some(toml::Value::String(deeper)) = table.remove("extends") {
        table = merged_table(&deeper, &text, base_folder.as_deref(), depth + 1)?;
    }
    let own = parse(own)?;
    merge(&mut table, own);
    table.remove("extends");
    Ok(table)
}

fn merge(base: &mut toml::Table, own: toml::Table) {
    for (key, value) in own {
        match (base.get_mut(&key), value) {
            // A way to authenticate is one fact: parts of two would not fit together.
            (Some(toml::Value::Table(base)), toml::Value::Table(own))
                if key != "auth" || !own.contains_key("kind") =>
            {
                merge(base, own);
            }
            (_, value) => {
                base.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load_text(text: &str) -> (Option<Target>, Vec<Mistake>) {
        let file = TextFile {
            name: "x.target.toml".into(),
            text: text.into(),
        };
        load_file("x", &Arc::new(file), None)
    }

    #[test]
    fn the_built_in_targets_load() {
        for name in builtin_names() {
            let (target, mistakes) = load(name, FilePath::new("."));
            assert!(mistakes.is_empty(), "{name}: {mistakes:#?}");
            assert!(target.is_some(), "{name}");
        }
    }

    #[test]
    fn a_file_that_extends_another_replaces_single_facts() {
        let (target, mistakes) = load_text(
            "extends = \"cirqll\"\nbase_url = \"https://cirqll.example\"\n[limits]\nconcurrency = 2\n",
        );
        assert!(mistakes.is_empty(), "{mistakes:#?}");
        let target = target.unwrap();
        assert_eq!(target.file.base_url, "https://cirqll.example");
        assert_eq!(target.file.limits.concurrency, Some(2));
        assert_eq!(target.file.create.path, "/customer");
    }

    #[test]
    fn all_mistakes_of_a_target_file_come_at_once() {
        let (target, mistakes) = load_text(
            r#"name = "X"
base_url = "ftp://x"
colour = "red"
[auth]
kind = "oauth2"
[create]
path = "customers/{{ email"
[limits]
rate = "many"
[fields]
name = { type = "txt" }
"#,
        );
        assert!(target.is_none());
        let codes: Vec<_> = mistakes.iter().map(|mistake| mistake.code).collect();
        for code in [
            "unknown-key",
            "base-url",
            "missing-key",
            "target-path",
            "template",
            "rate",
            "unknown-type",
        ] {
            assert!(codes.contains(&code), "{code} is not among {codes:?}");
        }
        assert!(mistakes.iter().all(|mistake| mistake.place.is_some()));
    }

    #[test]
    fn an_unknown_target_is_told_with_the_nearest() {
        let (_, mistakes) = load("katen", FilePath::new("."));
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `kaiten`?"));
    }
}
