//! `[fields]` and `[custom]`: tables whose keys are paths and whose values are rules.
//!
//! A path may be written as one quoted key, as a dotted key, or as nested tables; so a table is
//! either a rule or a part of a path. What it is, is decided so:
//! - a table that only a dotted key or another table's header made is a part of a path;
//! - an inline table is a rule if it has a key of rules, or one that can only be a slip for
//!   `column`, `template` or `value`; so the slip is told as an unknown key and not as a field;
//! - a table with a header of its own is a rule if it says where the value comes from (`column`,
//!   `template`, `value`), or if all its keys are keys of rules.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::file::{On, Rule};
use crate::document::read_value;
use crate::issue::{Mistake, TextFile};
use crate::path::{Path, Step};

/// One line under `[fields]` or `[custom]`.
#[derive(Debug, Clone)]
pub struct FieldRule {
    /// Whether it stands under `[custom]`.
    pub custom: bool,
    /// The path into the body, or into the place of custom fields.
    pub path: Path,
    /// The path as written, such as `address.city`: the first part of the codes of issues.
    pub name: Arc<str>,
    /// Where the left-hand side stands in the file.
    pub key_span: Range<usize>,
    /// Where the right-hand side stands.
    pub span: Range<usize>,
    /// How the value is made; several where a path that ends in `[]` has a list of rules.
    pub rules: Vec<Rule>,
    /// Whether the path ends in `[]`: each rule gives a member of the array.
    pub each: bool,
}

/// With which requests a field is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requests {
    /// With all.
    All,
    /// With those that make a customer.
    Creates,
    /// With those that change one.
    Updates,
    /// With those that make one, and those that change one whose field is empty.
    IfEmpty,
}

impl Requests {
    fn of(rule: &Rule) -> Requests {
        let Some(on) = &rule.on else {
            return Requests::All;
        };
        let has = |on_: On| on.get_ref().values.contains(&on_);
        match (has(On::Create), has(On::Update), has(On::IfEmpty)) {
            (true, true, _) | (_, true, true) => Requests::All,
            (_, false, true) => Requests::IfEmpty,
            (false, true, false) => Requests::Updates,
            (true, false, false) => Requests::Creates,
            (false, false, false) => Requests::All,
        }
    }
}

impl FieldRule {
    /// With which requests the field is sent. The rules of a list go together, see
    /// [`FieldRule::mixes_requests`].
    pub fn requests(&self) -> Requests {
        self.rules.first().map_or(Requests::All, Requests::of)
    }

    /// The first rule of a list that goes with other requests than those before it.
    pub fn mixes_requests(&self) -> Option<&Rule> {
        let first = self.requests();
        self.rules.iter().find(|rule| Requests::of(rule) != first)
    }
}

/// The keys of a rule, in the order of the reference.
pub(super) const RULE_KEYS: &[&str] = &[
    "when",
    "on",
    "column",
    "optional",
    "join",
    "template",
    "value",
    "nulls",
    "clean",
    "split",
    "pick",
    "map",
    "map_others",
    "type",
    "formats",
    "output",
    "century",
    "unit",
    "true_values",
    "false_values",
    "timezone",
    "region",
    "region_from",
    "extension",
    "accept",
    "options",
    "lookup",
    "min",
    "max",
    "min_length",
    "max_length",
    "pattern",
    "one_of",
    "min_items",
    "max_items",
    "default",
    "required",
    "on_error",
    "empty",
];

/// The keys that say where a value comes from.
const SOURCES: &[&str] = &["column", "template", "value"];

/// Reads a section of rules.
pub(super) fn read(
    file: &Arc<TextFile>,
    custom: bool,
    section: &Spanned<DeValue<'_>>,
    mistakes: &mut Vec<Mistake>,
) -> Vec<FieldRule> {
    let mut reader = Reader {
        file,
        custom,
        mistakes,
        fields: Vec::new(),
    };
    match section.get_ref() {
        DeValue::Table(table) => reader.table(table, None),
        _ => {
            let name = if custom { "custom" } else { "fields" };
            let mistake = Mistake::new("wrong-type", format!("`{name}` is a table of rules")).at(
                file,
                section.span(),
                "not a table",
            );
            reader
                .mistakes
                .push(mistake.help(format!("write [{name}] and a line for each field")));
        }
    }
    reader.fields
}

/// Tells rules for one path, and for paths of which one runs through the other.
pub(super) fn clashes(file: &Arc<TextFile>, fields: &[FieldRule], mistakes: &mut Vec<Mistake>) {
    // Paths that begin otherwise cannot meet.
    let mut alike: HashMap<(bool, Option<&Step>), Vec<&FieldRule>> = HashMap::new();
    for later in fields {
        let before = alike
            .entry((later.custom, later.path.0.first()))
            .or_default();
        let earlier = before
            .iter()
            .find_map(|earlier| clash(&earlier.path, &later.path).map(|why| (*earlier, why)));
        before.push(later);
        let Some((earlier, why)) = earlier else {
            continue;
        };
        let line = line_of(file, earlier.key_span.start);
        let message = match why {
            Clash::Same => format!("two rules fill `{}`", later.name),
            Clash::Through => format!(
                "`{}` and `{}` cannot both be filled: one is a part of the other",
                earlier.name, later.name
            ),
            Clash::Kind => format!(
                "`{}` and `{}` do not go together: one makes a list of what the other makes an object",
                earlier.name, later.name
            ),
        };
        mistakes.push(
            Mistake::new("two-rules", message)
                .at(file, later.key_span.clone(), "the second")
                .help(format!(
                    "the first stands on line {line}; take one of them out"
                )),
        );
    }
}

enum Clash {
    Same,
    Through,
    Kind,
}

fn clash(a: &Path, b: &Path) -> Option<Clash> {
    // A path that ends in `[]` makes the whole array.
    let whole = |path: &Path| match path.0.split_last() {
        Some((Step::Each, before)) => before.to_vec(),
        _ => path.0.clone(),
    };
    let (a, b) = (whole(a), whole(b));
    for (one, other) in a.iter().zip(&b) {
        match (one, other) {
            _ if one == other => {}
            (Step::Key(_), Step::Key(_)) | (Step::Index(_), Step::Index(_)) => return None,
            _ => return Some(Clash::Kind),
        }
    }
    Some(if a.len() == b.len() {
        Clash::Same
    } else {
        Clash::Through
    })
}

fn line_of(file: &TextFile, at: usize) -> usize {
    let before = file.text.get(..at).unwrap_or_default();
    before.matches('\n').count() + 1
}

/// What a table is.
enum Shape {
    Rule,
    Nested,
}

struct Reader<'a> {
    file: &'a Arc<TextFile>,
    custom: bool,
    mistakes: &'a mut Vec<Mistake>,
    fields: Vec<FieldRule>,
}

impl Reader<'_> {
    fn table(&mut self, table: &DeTable<'_>, parent: Option<&str>) {
        for (key, value) in table {
            let written: &str = key.get_ref();
            let name = match parent {
                None => written.to_owned(),
                Some(parent) if written.starts_with('[') => format!("{parent}{written}"),
                Some(parent) => format!("{parent}.{written}"),
            };
            if written.is_empty() {
                let mistake = Mistake::new("bad-path", "a field needs a name").at(
                    self.file,
                    key.span(),
                    "empty",
                );
                self.mistakes.push(mistake);
                continue;
            }
            match value.get_ref() {
                DeValue::Table(inner) if matches!(self.shape(value, inner), Shape::Nested) => {
                    self.table(inner, Some(&name));
                }
                _ => self.field(&name, key.span(), value),
            }
        }
    }

    fn shape(&self, value: &Spanned<DeValue<'_>>, table: &DeTable<'_>) -> Shape {
        let first = self.file.text.as_bytes().get(value.span().start);
        let has = |known: &[&str]| {
            table
                .keys()
                .any(|key| known.contains(&key.get_ref().as_ref()))
        };
        let rule = match first {
            Some(b'{') => {
                table.is_empty() || has(RULE_KEYS) || table.keys().any(|k| slip(k.get_ref()))
            }
            Some(b'[') => {
                has(SOURCES)
                    || table
                        .keys()
                        .all(|key| RULE_KEYS.contains(&key.get_ref().as_ref()))
            }
            _ => false,
        };
        if rule { Shape::Rule } else { Shape::Nested }
    }

    fn field(&mut self, name: &str, key_span: Range<usize>, value: &Spanned<DeValue<'_>>) {
        let path = match Path::parse(name) {
            Ok(path) => path,
            Err(message) => {
                let mistake =
                    Mistake::new("bad-path", message).at(self.file, key_span, "not a path");
                self.mistakes.push(mistake.help(
                    "a path is like name, address.city, a[0].b or aliases[]; a dot in a key is written \\\\.",
                ));
                return;
            }
        };
        let each = path.0.last() == Some(&Step::Each);
        let before = path.0.len().saturating_sub(1);
        if path.0[..before].contains(&Step::Each) {
            self.mistakes.push(
                Mistake::new("bad-path", "`[]` stands at the end of a path only")
                    .at(self.file, key_span, "here")
                    .help("name a member of the list by its number, such as a[0].b"),
            );
            return;
        }
        let mut rules = Vec::new();
        match value.get_ref() {
            DeValue::Array(items) if each || tables_only(value, self.file) => {
                if !each {
                    self.not_a_list(name, value.span());
                }
                if items.is_empty() {
                    let mistake = Mistake::new("no-source", format!("`{name}` has no rule"));
                    self.mistakes
                        .push(mistake.at(self.file, value.span(), "empty"));
                }
                for item in items.iter() {
                    rules.extend(self.rule(name, item));
                }
            }
            DeValue::Array(_) => self.not_a_list(name, value.span()),
            _ => rules.extend(self.rule(name, value)),
        }
        self.fields.push(FieldRule {
            custom: self.custom,
            path,
            name: name.into(),
            key_span,
            span: value.span(),
            rules,
            each,
        });
    }

    fn not_a_list(&mut self, name: &str, span: Range<usize>) {
        let mistake = Mistake::new("wrong-type", format!("`{name}` takes one rule, not a list"));
        self.mistakes.push(mistake.at(self.file, span, "a list").help(format!(
            "for the first column that is not empty write {{ column = [ … ] }}; for a list in the body write \"{name}[]\""
        )));
    }

    fn rule(&mut self, name: &str, value: &Spanned<DeValue<'_>>) -> Option<Rule> {
        match value.get_ref() {
            DeValue::String(header) => Some(Rule::of_column(Spanned::new(
                value.span(),
                header.to_string(),
            ))),
            DeValue::Table(_) => {
                let (rule, mistakes) = read_value::<Rule>(self.file, value.clone());
                self.mistakes.extend(mistakes);
                rule.map(|mut rule| {
                    rule.fill_spans();
                    rule
                })
            }
            _ => {
                let raw = self.file.text.get(value.span()).unwrap_or("…");
                let mistake = Mistake::new(
                    "wrong-type",
                    format!("the rule of `{name}` is a column's header or a table"),
                );
                self.mistakes.push(
                    mistake
                        .at(self.file, value.span(), "neither")
                        .help(format!("for a constant write {{ value = {raw} }}")),
                );
                None
            }
        }
    }
}

/// Whether a list was written as tables with headers: `[[fields."phones[]"]]`.
fn tables_only(value: &Spanned<DeValue<'_>>, file: &TextFile) -> bool {
    file.text
        .get(value.span())
        .is_some_and(|raw| raw.starts_with("[["))
}

/// Whether a value looks like a rule: a header, or a table that says where its value comes from.
pub(super) fn is_rule(value: &Spanned<DeValue<'_>>) -> bool {
    match value.get_ref() {
        DeValue::String(_) => true,
        DeValue::Table(table) => table
            .keys()
            .any(|key| SOURCES.contains(&key.get_ref().as_ref())),
        _ => false,
    }
}

/// Whether a key can only be a slip for a key that says where a value comes from.
fn slip(key: &str) -> bool {
    let key = key.to_lowercase();
    SOURCES
        .iter()
        .any(|source| strsim::damerau_levenshtein(&key, source) == 1)
}
