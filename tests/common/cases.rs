//! Files of cases: what a case tries after `== `, then its text, then parts that begin with `-- `.
//! The tests run them, and the reference pages show some of them.

use std::fs;
use std::path::{Path, PathBuf};

/// One case, as its file writes it.
#[derive(Debug, Default)]
pub struct Case {
    /// File and line.
    pub place: String,
    /// What it tries.
    pub name: String,
    /// Its parts by name; the first is called `mapping`.
    pub parts: Vec<(String, String)>,
}

impl Case {
    /// The text of a part.
    pub fn part(&self, name: &str) -> Option<&str> {
        let found = self.parts.iter().find(|(part, _)| part == name);
        found.map(|(_, text)| text.as_str())
    }

    /// The lines of a part.
    pub fn lines(&self, name: &str) -> Vec<&str> {
        self.part(name)
            .map_or_else(Vec::new, |text| text.lines().collect())
    }
}

/// The cases of all files of a folder of the project, in the order of their names.
pub fn cases(folder: &str) -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "txt"))
        .collect();
    paths.sort();
    let mut cases: Vec<Case> = Vec::new();
    for path in paths {
        let file = path.file_name().unwrap().to_string_lossy().into_owned();
        for (at, line) in fs::read_to_string(&path).unwrap().lines().enumerate() {
            if let Some(name) = line.strip_prefix("== ") {
                cases.push(Case {
                    place: format!("{file}:{}", at + 1),
                    name: name.to_owned(),
                    parts: vec![("mapping".to_owned(), String::new())],
                });
            } else if let Some(part) = line.strip_prefix("-- ") {
                cases
                    .last_mut()
                    .unwrap()
                    .parts
                    .push((part.to_owned(), String::new()));
            } else if let Some(case) = cases.last_mut() {
                let (_, text) = case.parts.last_mut().unwrap();
                text.push_str(line);
                text.push('\n');
            }
        }
    }
    for (_, text) in cases.iter_mut().flat_map(|case| &mut case.parts) {
        text.truncate(text.trim_end_matches('\n').len());
    }
    cases
}
