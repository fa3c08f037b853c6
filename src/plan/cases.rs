//! The cases that a mapping file carries about itself: `[[test]]`.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::columns::Columns;
use super::{Options, Plan};
use crate::document::{Document, to_json};
use crate::field::fold;
use crate::issue::{Mistake, Severity, nearest};
use crate::mapping::Mapping;
use crate::mapping::file::TestSection;
use crate::record::{self, Prepared};
use crate::row::{Header, Kind, RowBatch};
use crate::target::Target;
use crate::template::{Expression, Template, snake_name};

/// What became of one case.
#[derive(Debug, Clone, PartialEq)]
pub struct CaseResult {
    /// Its position among the cases of the file, from 1.
    pub number: usize,
    /// Why it failed, at its place in the mapping file; nothing where it passed.
    pub failures: Vec<Mistake>,
}

impl CaseResult {
    /// Whether the case holds.
    pub fn passed(&self) -> bool {
        self.failures.is_empty()
    }
}

/// Runs the cases of a mapping. Where the mapping does not suit the target, its mistakes stand in
/// the second part, and no case is run.
pub fn run(
    mapping: &Mapping,
    target: &Arc<Target>,
    options: &Options,
) -> (Vec<CaseResult>, Vec<Mistake>) {
    let mut results = Vec::new();
    // Without a case there is still the mapping itself to be checked.
    let known = header_of(mapping, None);
    let (plan, told) = Plan::new(mapping, target, &known, None, options);
    let mut mistakes: Vec<Mistake> = told
        .into_iter()
        .filter(|told| told.code != "unused-columns")
        .collect();
    if plan.is_none() {
        return (results, mistakes);
    }
    for (at, case) in mapping.head.test.iter().enumerate() {
        let header = header_of(mapping, Some(case));
        let (plan, told) = Plan::new(mapping, target, &header, None, options);
        let Some(plan) = plan else {
            // The case's own columns make the mapping wrong: two of one name, say.
            mistakes.extend(told);
            continue;
        };
        let batch = batch_of(&header, case);
        mistakes.extend(unread(mapping, &known, at, case));
        let prepared = plan.prepare(&batch).into_iter().next();
        let failures =
            prepared.map_or_else(Vec::new, |prepared| judge(mapping, at, case, &prepared));
        results.push(CaseResult {
            number: at + 1,
            failures,
        });
    }
    (results, mistakes)
}

/// A header of the columns that the case gives and that the mapping names besides.
fn header_of(mapping: &Mapping, case: Option<&TestSection>) -> Header {
    let mut header = Header {
        row: 1,
        ..Header::default()
    };
    if let Some(case) = case {
        let names = case.row.get_ref().keys();
        header.names = names.map(|name| name.trim().into()).collect();
    }
    let mut add = |name: &str, snake: bool| {
        let columns = Columns::new(&header);
        let there = if snake {
            header.names.iter().any(|header| snake_name(header) == name)
        } else {
            columns.find(name).is_ok()
        };
        if !there {
            header.names.push(name.trim().into());
        }
    };
    let head = &mapping.head;
    let rules = || mapping.rules.iter().flat_map(|field| &field.rules);
    for key in head.row.key.iter().flat_map(|key| &key.get_ref().columns) {
        add(key.get_ref(), false);
    }
    for rule in rules() {
        for column in rule
            .column
            .iter()
            .flat_map(|column| &column.get_ref().values)
        {
            add(column.get_ref(), false);
        }
        if let Some(region) = &rule.region_from {
            add(region.get_ref(), false);
        }
    }
    let mut add_names = |names: &[crate::template::Name]| {
        for name in names {
            match name.path.as_slice() {
                [root, header, ..] if root == "row" => add(header, false),
                [root, ..] if root != "row" && root != "body" => add(root, true),
                _ => {}
            }
        }
    };
    for rule in rules() {
        if let Some(template) = &rule.template
            && let Ok(template) = Template::compile(template.get_ref())
        {
            add_names(template.names());
        }
    }
    let expressions = rules()
        .filter_map(|rule| rule.when.as_ref())
        .chain(&head.row.skip_when)
        .chain(head.check.iter().map(|check| &check.assert));
    for expression in expressions {
        if let Ok(expression) = Expression::compile(expression.get_ref()) {
            add_names(expression.names());
        }
    }
    header
}

fn batch_of(header: &Header, case: &TestSection) -> Arc<RowBatch> {
    let mut batch = RowBatch::with_capacity(1, header.names.len());
    let cells = case.row.get_ref();
    for name in &header.names {
        let given = cells.iter().find(|(key, _)| key.trim() == &**name);
        let (text, kind) = given.map_or((String::new(), Kind::Text), |(_, value)| cell_of(value));
        batch.push_cell(&text, kind);
    }
    batch.end_row(2, 0, None);
    Arc::new(batch)
}

/// A value of a case as the cell of a workbook that it stands for.
fn cell_of(value: &toml::Value) -> (String, Kind) {
    match value {
        toml::Value::String(text) => (text.clone(), Kind::Text),
        toml::Value::Integer(number) => (number.to_string(), Kind::Number(*number as f64)),
        toml::Value::Float(number) => (number.to_string(), Kind::Number(*number)),
        toml::Value::Boolean(truth) => {
            let text = if *truth { "TRUE" } else { "FALSE" };
            (text.to_owned(), Kind::Boolean(*truth))
        }
        toml::Value::Datetime(date) => {
            let text = date.to_string();
            let kind = if let Ok(date) = text.parse::<jiff::civil::Date>()
                && text.len() == 10
            {
                Kind::Date(date)
            } else if let Ok(date) = text.parse::<jiff::civil::DateTime>() {
                Kind::DateTime(date)
            } else {
                Kind::Text
            };
            (text, kind)
        }
        other => (to_json(other).to_string(), Kind::Text),
    }
}

/// The columns of a case that nothing in the mapping reads: a slip of a name, most likely.
fn unread(mapping: &Mapping, known: &Header, number: usize, case: &TestSection) -> Vec<Mistake> {
    // Columns by letter, or the second of two, go by other names.
    let by_place = known
        .names
        .iter()
        .any(|name| name.starts_with('@') || name.contains('#'));
    let rows = case.row.get_ref().keys();
    let unread = rows.filter(|name| {
        !by_place
            && !known
                .names
                .iter()
                .any(|known| fold(known) == fold(name) || **known == *snake_name(name))
    });
    let document = Document::parse(&mapping.file).0;
    let note = |name: &String| {
        let at = number.to_string();
        let place = document
            .spans(&["test", &at, "row", name])
            .map(|(key, _)| key);
        let mistake = Mistake::new(
            "unused-columns",
            format!("no rule reads the column `{name}`"),
        )
        .at(&mapping.file, place.unwrap_or(case.row.span()), "not read")
        .note();
        match nearest(name, known.names.iter().map(AsRef::as_ref)) {
            Some(near) => mistake.help(format!("did you mean `{near}`?")),
            None => mistake,
        }
    };
    unread.map(note).collect()
}

/// What is otherwise than the case says, each at its place. `number` counts the cases from 0.
fn judge(
    mapping: &Mapping,
    number: usize,
    case: &TestSection,
    prepared: &Prepared,
) -> Vec<Mistake> {
    let failed = |message: &str, span: Range<usize>, label: String| {
        Mistake::new("test-failed", message).at(&mapping.file, span, label)
    };
    let told = || -> String {
        let told: Vec<String> = prepared
            .issues
            .iter()
            .map(|issue| format!("{}: {}", issue.code, issue.message))
            .collect();
        told.join("; ")
    };
    let mut failures = Vec::new();
    if let Some(wanted) = &case.issues {
        let wanted_codes: BTreeSet<&str> = wanted.get_ref().iter().map(String::as_str).collect();
        let given: BTreeSet<&str> = prepared.issues.iter().map(|issue| &*issue.code).collect();
        if wanted_codes != given {
            let missing: Vec<&str> = wanted_codes.difference(&given).copied().collect();
            let extra: Vec<&str> = given.difference(&wanted_codes).copied().collect();
            let mut label = Vec::new();
            if !missing.is_empty() {
                label.push(format!("expected, but not given: {}", missing.join(", ")));
            }
            if !extra.is_empty() {
                label.push(format!("given, but not expected: {}", extra.join(", ")));
            }
            let failure = failed(
                "the row of this test gives other issues than it lists",
                wanted.span(),
                label.join("; "),
            );
            let near = missing
                .iter()
                .find_map(|code| nearest(code, extra.iter().copied()));
            failures.push(match near {
                Some(near) => failure.help(format!("did you mean `{near}`?")),
                None => failure,
            });
        }
    } else if prepared
        .issues
        .iter()
        .any(|issue| issue.severity == Severity::Error)
    {
        failures.push(failed(
            "the row of this test is refused",
            case.row.span(),
            told(),
        ));
        return failures;
    }
    let Some(wanted) = &case.body else {
        return failures;
    };
    match &prepared.plan {
        record::Plan::Send(body) => {
            let given: Value = serde_json::from_str(&body.json).unwrap_or_default();
            let mut differences = Vec::new();
            let wanted_body = to_json(&toml::Value::Table(wanted.get_ref().clone()));
            differ(&mut Vec::new(), &wanted_body, &given, &mut differences);
            if differences.is_empty() {
                return failures;
            }
            let document = Document::parse(&mapping.file).0;
            let number = number.to_string();
            for difference in differences {
                let keys = difference.path.iter().map(String::as_str);
                let path: Vec<&str> = ["test", &number, "body"].into_iter().chain(keys).collect();
                let place = document.spans(&path).map(|(_, value)| value);
                let shown = shown_path(&difference.path);
                let (message, label) = match difference.given {
                    Some(given) => (
                        format!("the row of this test gives another `{shown}`"),
                        format!("expected this, got {given}"),
                    ),
                    None => (
                        format!("the row of this test gives no `{shown}`"),
                        "expected this, got nothing".to_owned(),
                    ),
                };
                failures.push(failed(&message, place.unwrap_or(wanted.span()), label));
            }
        }
        record::Plan::Skip(rule, why) => failures.push(failed(
            "the row of this test is skipped",
            case.row.span(),
            format!("{rule}: {why}"),
        )),
        record::Plan::Reject => {
            if case.issues.is_some() {
                failures.push(failed(
                    "the row of this test is refused, so it has no body",
                    wanted.span(),
                    told(),
                ));
            }
        }
    }
    failures
}

/// A member of a body that is not as it was expected.
struct Difference {
    /// Its keys, and the numbers of members of lists from 0.
    path: Vec<String>,
    /// What is there, if anything is.
    given: Option<Value>,
}

/// A path as people write it.
fn shown_path(path: &[String]) -> String {
    let mut shown = String::new();
    for step in path {
        match step.parse::<usize>() {
            Ok(number) if !shown.is_empty() => shown.push_str(&format!("[{number}]")),
            _ if shown.is_empty() => shown.push_str(step),
            _ => shown.push_str(&format!(".{step}")),
        }
    }
    shown
}

/// What of `wanted` is otherwise in `given`. Members that `wanted` does not list do not count.
fn differ(
    path: &mut Vec<String>,
    wanted: &Value,
    given: &Value,
    differences: &mut Vec<Difference>,
) {
    match (wanted, given) {
        (Value::Object(wanted), Value::Object(given)) => {
            for (key, value) in wanted {
                path.push(key.clone());
                match given.get(key) {
                    Some(found) => differ(path, value, found, differences),
                    None => differences.push(Difference {
                        path: path.clone(),
                        given: None,
                    }),
                }
                path.pop();
            }
        }
        (Value::Array(wanted), Value::Array(given)) if wanted.len() == given.len() => {
            for (at, (value, found)) in wanted.iter().zip(given).enumerate() {
                path.push(at.to_string());
                differ(path, value, found, differences);
                path.pop();
            }
        }
        _ if equal(wanted, given) => {}
        _ => differences.push(Difference {
            path: path.clone(),
            given: Some(given.clone()),
        }),
    }
}

/// Whether two values are the same; 1 and 1.0 are.
fn equal(a: &Value, b: &Value) -> bool {
    a == b || matches!((a.as_f64(), b.as_f64()), (Some(a), Some(b)) if a == b)
}
