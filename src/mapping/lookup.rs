//! Look-up files: two columns of a CSV beside the mapping file, or a results file.

use std::path::Path;
use std::sync::{Arc, OnceLock};

use hashbrown::HashMap;
use toml::Spanned;
use unicode_normalization::UnicodeNormalization;

use super::file::LookupSpec;
use crate::issue::{Mistake, TextFile, nearest};

/// The largest look-up file that is read, in bytes: it is held in memory.
const MAX_FILE: u64 = 1 << 30;
/// How many mistakes of one look-up file are told.
const MAX_TOLD: usize = 20;
/// Among more keys than this the nearest one is sought by its first letter and length only.
const MANY_KEYS: usize = 2_000;
/// Of keys with such a letter and length at most so many are compared.
const MAX_COMPARED: usize = 2_000;
/// The columns by which a results file is known, in order.
const RESULTS: [&str; 5] = ["row", "key", "fate", "id", "run"];

/// A look-up file that was read: key to value.
#[derive(Debug, Clone, Default)]
pub struct Table {
    /// Folded key to value.
    values: HashMap<Box<str>, Box<str>>,
    /// The keys as written, in the order of the file.
    keys: Vec<Box<str>>,
    /// Where many keys are: the places of those of one first letter and length, made when the
    /// first key is missed.
    alike: OnceLock<HashMap<(char, usize), Vec<usize>>>,
}

/// The first letter of a key in lower case, and how many it has.
fn looks_of(key: &str) -> (char, usize) {
    let first = key.chars().flat_map(char::to_lowercase).next();
    (first.unwrap_or(' '), key.chars().count())
}

/// Reads one look-up file and collects what is wrong with it.
struct Reader<'a> {
    file: Arc<TextFile>,
    spec: &'a LookupSpec,
    mistakes: Vec<Mistake>,
}

impl Table {
    /// Reads the look-up file that a rule names, relative to the mapping file's folder `dir`.
    ///
    /// # Errors
    /// The file is missing or cannot be read (told at its name in the mapping file), has not the
    /// columns, or has a key twice with different values (told at its line).
    pub fn load(
        dir: &Path,
        spec: &Spanned<LookupSpec>,
        mapping: &Arc<TextFile>,
    ) -> Result<Self, Vec<Mistake>> {
        let path = dir.join(&spec.get_ref().file);
        let name = path.display().to_string();
        let refuse =
            |why: String, help: &str| {
                let mistake = Mistake::new("lookup-file", format!("the look-up file {name} {why}"))
                    .at(mapping, spec.span(), "named here");
                vec![if help.is_empty() {
                    mistake
                } else {
                    mistake.help(help)
                }]
            };
        match std::fs::metadata(&path) {
            Ok(about) if about.is_dir() => return Err(refuse("is a folder".to_owned(), "")),
            Ok(about) if about.len() > MAX_FILE => {
                return Err(refuse("is larger than 1 GiB".to_owned(), ""));
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                let help = "a look-up file stands beside the mapping file, or is named by its path from there";
                return Err(refuse("does not exist".to_owned(), help));
            }
            Err(error) => return Err(refuse(format!("cannot be read: {error}"), "")),
        }
        let bytes =
            std::fs::read(&path).map_err(|error| refuse(format!("cannot be read: {error}"), ""))?;
        if bytes.starts_with(b"PK\x03\x04") {
            let help = "save the sheet as CSV";
            return Err(refuse("is a workbook, not a CSV file".to_owned(), help));
        }
        let text = String::from_utf8(bytes).map_err(|_| {
            let help = "save it as CSV with the encoding UTF-8";
            refuse("is not UTF-8 text".to_owned(), help)
        })?;
        Self::parse(&name, text, spec.get_ref())
    }

    /// Reads the text of a look-up file, see [`Table::load`]. `name` is how mistakes call it.
    ///
    /// # Errors
    /// As [`Table::load`] of an existing file.
    pub fn parse(name: &str, text: String, spec: &LookupSpec) -> Result<Self, Vec<Mistake>> {
        let text = match text.strip_prefix('\u{feff}') {
            Some(rest) => rest.to_owned(),
            None => text,
        };
        let mut reader = Reader {
            file: Arc::new(TextFile {
                name: name.to_owned(),
                text,
            }),
            spec,
            mistakes: Vec::new(),
        };
        let table = reader.read();
        match table {
            Some(table) if reader.mistakes.is_empty() => Ok(table),
            _ => Err(reader.mistakes),
        }
    }

    /// The value of a key that was folded as headers are.
    pub fn get(&self, folded: &str) -> Option<&str> {
        self.values.get(folded).map(AsRef::as_ref)
    }

    /// The key nearest to one that is not there, as the file writes it.
    pub fn nearest(&self, key: &str) -> Option<&str> {
        if self.keys.len() <= MANY_KEYS {
            return nearest(key, self.keys.iter().map(AsRef::as_ref));
        }
        let alike = self.alike.get_or_init(|| {
            let mut alike: HashMap<(char, usize), Vec<usize>> = HashMap::new();
            for (at, key) in self.keys.iter().enumerate() {
                alike.entry(looks_of(key)).or_default().push(at);
            }
            alike
        });
        let (first, length) = looks_of(key);
        let places = (length.saturating_sub(2)..=length + 2)
            .filter_map(|length| alike.get(&(first, length)))
            .flatten();
        let keys = places.filter_map(|&at| self.keys.get(at));
        nearest(key, keys.take(MAX_COMPARED).map(AsRef::as_ref))
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The keys as the file writes them with their values, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.keys
            .iter()
            .filter_map(|key| Some((key.as_ref(), self.get(&fold(key))?)))
    }
}

impl Reader<'_> {
    fn read(&mut self) -> Option<Table> {
        let file = Arc::clone(&self.file);
        let text = file.text.as_str();
        let mut csv = csv::ReaderBuilder::new()
            .delimiter(delimiter(text))
            .has_headers(false)
            .flexible(true)
            .from_reader(text.as_bytes());
        let mut record = csv::StringRecord::new();
        let lines = Lines { text };
        let header = match csv.read_record(&mut record) {
            Ok(true) => record.clone(),
            _ => {
                let message = format!("the look-up file {} is empty", file.name);
                self.mistakes.push(
                    Mistake::new("lookup-file", message)
                        .at(&file, 0..0, "nothing here")
                        .help("its first line names its columns, the others hold a key and a value each"),
                );
                return None;
            }
        };
        let results = header.len() >= RESULTS.len()
            && RESULTS
                .iter()
                .zip(&header)
                .all(|(wanted, found)| fold(found) == *wanted);
        let (key_default, value_default) = if results { (1, 3) } else { (0, 1) };
        let key = self.column(&header, self.spec.key.as_deref(), key_default);
        let value = self.column(&header, self.spec.value.as_deref(), value_default);
        let (key, value) = (key?, value?);
        let mut table = Table::default();
        let mut seen: HashMap<Box<str>, usize> = HashMap::new();
        loop {
            match csv.read_record(&mut record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    let message = format!("the look-up file {} cannot be read: {error}", file.name);
                    self.mistakes.push(Mistake::new("lookup-file", message));
                    break;
                }
            }
            let at = record.position().map_or(0, |at| at.byte() as usize);
            if (csv.position().byte() as usize >= text.len() && self.open(&lines, &record, at))
                || self.ragged(&lines, &record, at, &header, key.max(value))
            {
                if self.mistakes.len() >= MAX_TOLD {
                    break;
                }
                continue;
            }
            let cell = |index: usize| trim(record.get(index).unwrap_or_default());
            // A cell that a spreadsheet would run as a formula was written with a quote before it.
            let written = if results { plain(cell(key)) } else { cell(key) };
            let found = cell(value);
            if written.is_empty() || (results && found.is_empty()) {
                continue;
            }
            let folded = fold(written);
            if let Some(known) = table.values.get(folded.as_str()) {
                if **known != *found {
                    let first = seen.get(folded.as_str()).copied().unwrap_or_default();
                    self.twice(&lines, written, first, at, (known, found));
                    if self.mistakes.len() >= MAX_TOLD {
                        break;
                    }
                }
                continue;
            }
            seen.insert(folded.as_str().into(), at);
            table.values.insert(folded.into(), found.into());
            table.keys.push(written.into());
        }
        Some(table)
    }

    /// The index of a column by its name, or by its place where none is named.
    fn column(
        &mut self,
        header: &csv::StringRecord,
        name: Option<&str>,
        default: usize,
    ) -> Option<usize> {
        let Some(name) = name else {
            if default < header.len() {
                return Some(default);
            }
            let message = format!("the look-up file {} has one column only", self.file.name);
            self.mistakes.push(
                Mistake::new("lookup-file", message)
                    .at(&self.file, first_line(&self.file.text), "one column")
                    .help(
                        "it needs a column of keys and one of values, parted by `,`, `;` or a tab",
                    ),
            );
            return None;
        };
        let wanted = fold(name);
        let found = header.iter().position(|cell| fold(cell) == wanted);
        if found.is_none() {
            let message = format!("the look-up file {} has no column `{name}`", self.file.name);
            let help = match nearest(name, header.iter()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "its columns are: {}",
                    header.iter().collect::<Vec<_>>().join(", ")
                ),
            };
            self.mistakes.push(
                Mistake::new("unknown-column", message)
                    .at(&self.file, first_line(&self.file.text), "its columns")
                    .help(help),
            );
        }
        found
    }

    /// Tells a row that has no cell for the key or the value, or more cells than there are columns:
    /// its cells may not be what they seem. Empty cells at its end do not count.
    fn ragged(
        &mut self,
        lines: &Lines<'_>,
        record: &csv::StringRecord,
        at: usize,
        header: &csv::StringRecord,
        last: usize,
    ) -> bool {
        let filled = record
            .iter()
            .enumerate()
            .filter(|(_, cell)| !trim(cell).is_empty())
            .last()
            .map_or(0, |(at, _)| at + 1);
        if filled == 0 || (record.len() > last && filled <= header.len()) {
            return false;
        }
        let (line, span) = lines.at(at);
        let cells = record.len();
        let message = format!(
            "line {line} of the look-up file {} has {cells} cell{}, and its header {}",
            self.file.name,
            if cells == 1 { "" } else { "s" },
            header.len()
        );
        let help = match filled > header.len() {
            true => "a cell that holds the separator stands in double quotes: \"Umber, Ltd\"",
            false => "write the separator and the value behind the key, or take the line out",
        };
        let label = if filled > header.len() {
            "too many cells"
        } else {
            "too few cells"
        };
        self.mistakes.push(
            Mistake::new("lookup-file", message)
                .at(&self.file, span, label)
                .help(help),
        );
        true
    }

    /// Tells a last row whose quote is never closed, so that it swallowed the lines below it.
    fn open(&mut self, lines: &Lines<'_>, record: &csv::StringRecord, at: usize) -> bool {
        let (line, span) = lines.at(at);
        let rest = lines.text.get(span.start..).unwrap_or_default();
        let swallowed = rest.starts_with('"') || record.iter().any(|c| c.contains(['\r', '\n']));
        if rest.matches('"').count() % 2 == 0 || !swallowed {
            return false;
        }
        let message = format!(
            "a quote on line {line} of the look-up file {} is never closed",
            self.file.name
        );
        self.mistakes.push(
            Mistake::new("lookup-file", message)
                .at(&self.file, span, "opens here")
                .help("write a quote within a cell twice, or close it"),
        );
        true
    }

    fn twice(
        &mut self,
        lines: &Lines<'_>,
        key: &str,
        first: usize,
        second: usize,
        values: (&str, &str),
    ) {
        let (first_line, _) = lines.at(first);
        let (second_line, span) = lines.at(second);
        let message = format!(
            "the key `{}` stands on line {first_line} with the value `{}` and on line {second_line} with `{}`",
            crate::issue::cut(key),
            crate::issue::cut(values.0),
            crate::issue::cut(values.1),
        );
        self.mistakes.push(
            Mistake::new("lookup-twice", message)
                .at(&self.file, span, "another value")
                .help("case and outer space do not tell keys apart; take one of the lines out"),
        );
    }
}

/// The lines of a text by position. Positions of CSV records may stand at the end of the line
/// before.
struct Lines<'t> {
    text: &'t str,
}

impl Lines<'_> {
    /// The number of the line of the record at `at`, and the bytes of the line.
    fn at(&self, at: usize) -> (usize, std::ops::Range<usize>) {
        let bytes = self.text.as_bytes();
        let mut start = at.min(bytes.len());
        while matches!(bytes.get(start), Some(b'\r' | b'\n')) {
            start += 1;
        }
        let before = &bytes[..start];
        // Files of old Macs end their lines with a carriage return alone.
        let breaks = match memchr::memchr(b'\n', bytes) {
            Some(_) => memchr::memchr_iter(b'\n', before).count(),
            None => memchr::memchr_iter(b'\r', before).count(),
        };
        let len = memchr::memchr2(b'\r', b'\n', &bytes[start..]).unwrap_or(bytes.len() - start);
        (breaks + 1, start..start + len)
    }
}

fn first_line(text: &str) -> std::ops::Range<usize> {
    0..text.find(['\r', '\n']).unwrap_or(text.len())
}

/// What parts the cells of the first line.
fn delimiter(text: &str) -> u8 {
    let line = &text.as_bytes()[first_line(text)];
    let mut quoted = false;
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0)];
    for byte in line {
        if *byte == b'"' {
            quoted = !quoted;
        } else if !quoted && let Some(count) = counts.iter_mut().find(|(d, _)| d == byte) {
            count.1 += 1;
        }
    }
    // The first of those that stand most often.
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    counts
        .iter()
        .find(|(_, count)| *count == most)
        .map_or(b',', |(delimiter, _)| *delimiter)
}

/// A key of a results file without the quote that keeps spreadsheets from running it.
fn plain(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => rest,
        _ => cell,
    }
}

/// Takes white space, no-break and zero-width characters from both ends.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace()
            || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\0')
    })
}

/// Case and outer space do not count where keys are compared, nor how marks are composed.
pub(super) fn fold(text: &str) -> String {
    let text = trim(text);
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let lower = text.nfc().collect::<String>().to_lowercase();
    lower.nfc().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn spec(key: Option<&str>, value: Option<&str>) -> LookupSpec {
        LookupSpec {
            file: "t.csv".into(),
            key: key.map(Into::into),
            value: value.map(Into::into),
        }
    }

    fn read(text: &str, spec: &LookupSpec) -> Result<Table, Vec<Mistake>> {
        Table::parse("t.csv", text.to_owned(), spec)
    }

    #[test]
    fn keys_are_matched_without_case_and_outer_space() {
        for text in [
            "name,id\nAcme Ltd,1\n\"Beta; \"\"B\"\"\",2\n",
            "name;id\r\nAcme Ltd;1\r\n\"Beta; \"\"B\"\"\";2\r\n",
            "\u{feff}name\tid\n Acme Ltd \t1\nBeta; \"B\"\t2",
        ] {
            let table = read(text, &spec(None, None)).unwrap();
            assert_eq!(table.get("acme ltd"), Some("1"), "{text}");
            assert_eq!(table.get(&fold("BETA; \"b\" ")), Some("2"), "{text}");
            assert_eq!(table.get("gamma"), None);
            assert_eq!(table.nearest("Acme Ltd."), Some("Acme Ltd"));
            assert_eq!(table.len(), 2);
        }
    }

    #[test]
    fn columns_are_found_by_name() {
        let text = "a,Code,Id\nx,NL,31\ny,,7\n";
        let table = read(text, &spec(Some("code"), Some(" ID"))).unwrap();
        assert_eq!(table.get("nl"), Some("31"));
        assert_eq!(table.iter().collect::<Vec<_>>(), [("NL", "31")]);
        let mistakes = read(text, &spec(Some("cod"), Some("zzzz"))).unwrap_err();
        assert_eq!(mistakes.len(), 2);
        assert_eq!(mistakes[0].help.as_deref(), Some("did you mean `Code`?"));
        let mistakes = read("a\nb\n", &spec(None, None)).unwrap_err();
        assert!(mistakes[0].message.contains("one column only"));
        assert!(read("", &spec(None, None)).is_err());
    }

    #[test]
    fn a_key_twice_with_different_values_names_both_lines() {
        for end in ["\n", "\r\n"] {
            let text = ["k,v", "a,1", "b,2", "", "A ,3", "b,2"].join(end);
            let mistakes = read(&text, &spec(None, None)).unwrap_err();
            assert_eq!(mistakes.len(), 1);
            let (line, _) = mistakes[0].line_column().unwrap();
            assert_eq!(line, 5, "{end:?}");
            let message = &mistakes[0].message;
            assert!(
                message.contains("line 2") && message.contains("line 5"),
                "{message}"
            );
        }
    }

    #[test]
    fn rows_of_another_length_and_open_quotes_are_told_with_their_line() {
        for (text, wanted) in [
            (
                "k,v\na,1\nb\n",
                "3 line 3 of the look-up file t.csv has 1 cell, and its header 2",
            ),
            (
                "k,v\r\na,1\r\nb, Ltd,2\r\n",
                "3 line 3 of the look-up file t.csv has 3 cells, and its header 2",
            ),
            (
                "k,v\na,1\n\"b,2\nc,3\n",
                "3 a quote on line 3 of the look-up file t.csv is never closed",
            ),
            (
                "k,v\na,1\n\"b,2",
                "3 a quote on line 3 of the look-up file t.csv is never closed",
            ),
        ] {
            let mistakes = read(text, &spec(None, None)).unwrap_err();
            assert_eq!(mistakes.len(), 1, "{text:?}: {mistakes:?}");
            let (line, _) = mistakes[0].line_column().unwrap();
            assert_eq!(format!("{line} {}", mistakes[0].message), wanted);
        }
        for text in [
            "k,v\na,1,,\n",
            "k,v,w\na,1\n",
            "k,v\n5\" pipe,1\n",
            "k,v\n \na,\n",
            "k,v\na,1",
        ] {
            assert!(read(text, &spec(None, None)).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn a_results_file_gives_key_to_id() {
        let text = "row,key,fate,id,run,note\n2,C-1,created,991,01J,\n3,C-2,rejected,,01J,email.invalid\n\
                    4,'+31,created,992,01J,\n9,C-1,skipped,,01J,duplicate\n";
        let table = read(text, &spec(None, None)).unwrap();
        assert_eq!(table.get("c-1"), Some("991"));
        assert_eq!(table.get("c-2"), None);
        assert_eq!(table.get("+31"), Some("992"));
    }

    #[test]
    fn what_is_wrong_with_the_file_is_told_in_the_mapping() {
        let mapping = Arc::new(TextFile {
            name: "m.toml".into(),
            text: "a = { column = \"A\", lookup = \"nowhere.csv\" }".into(),
        });
        let mut one = spec(None, None);
        one.file = "nowhere.csv".into();
        let dir = tempfile::tempdir().unwrap();
        let mistakes = Table::load(dir.path(), &Spanned::new(29..42, one), &mapping).unwrap_err();
        assert!(mistakes[0].message.ends_with("does not exist"));
        assert_eq!(mistakes[0].line_column(), Some((1, 30)));
        for (bytes, why) in [
            (b"PK\x03\x04zip".as_slice(), "workbook"),
            (b"k,v\nM\xfcller,1\n", "UTF-8"),
        ] {
            let mut one = spec(None, None);
            one.file = "bad.csv".into();
            std::fs::write(dir.path().join("bad.csv"), bytes).unwrap();
            let mistakes =
                Table::load(dir.path(), &Spanned::new(29..42, one), &mapping).unwrap_err();
            assert!(mistakes[0].message.contains(why), "{:?}", mistakes[0]);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-c,;\t\"\r\n' ]{0,60}|\\PC{0,60}") {
            if let Ok(table) = read(&text, &spec(None, None)) {
                for (key, value) in table.iter() {
                    prop_assert_eq!(table.get(&fold(key)), Some(value));
                }
            }
        }
    }
}
