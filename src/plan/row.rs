//! One row made ready: skipped, refused, or with its body.

use std::borrow::Cow;
use std::sync::Arc;

use super::compile::FieldPlan;
use super::key::{self, Shown};
use super::rule::{Filled, RowContext, keep_items};
use super::{KeySource, Plan};
use crate::field::{trim, write_json_str};
use crate::issue::{Issue, Severity, cut};
use crate::record::{self, Body, BodyHash, Existing, Prepared};
use crate::row::RowBatch;
use crate::template::Scope;

/// Room that is used again for each row.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// The fields' values as JSON, one behind the other.
    fragments: String,
    /// Where in it each slot's value stands.
    filled: Vec<Option<(usize, usize)>>,
    hashed: Vec<u8>,
    body: String,
}

impl Scratch {
    fn get(&self, slot: usize) -> Option<&str> {
        let (start, end) = (*self.filled.get(slot)?)?;
        self.fragments.get(start..end)
    }
}

impl Plan {
    pub(super) fn prepare_row(
        &self,
        batch: &Arc<RowBatch>,
        index: usize,
        scratch: &mut Scratch,
    ) -> Prepared {
        let mut cx = RowContext::new(
            &self.shared,
            batch,
            index,
            self.strict,
            self.existing == Existing::Update,
        );
        let row = cx.row;
        let prepared = |(key, key_hash): Shown, plan, issues| Prepared {
            index,
            row: row.number(),
            sheet: row.sheet().cloned(),
            line: row.line(),
            key,
            key_hash,
            plan,
            issues,
        };
        let nulls = cx.nulls();
        if let Some(fault) = row.fault() {
            let key = match &self.key {
                KeySource::Columns(key) => key.shown(row, nulls),
                KeySource::Field(_) | KeySource::Body => "".into(),
            };
            let issue = Issue {
                code: fault.code.into(),
                severity: Severity::Error,
                column: fault.column,
                field: None,
                value: fault
                    .column
                    .map(|column| cut(trim(row.cell(column).text)).into()),
                message: fault.message.clone().into(),
            };
            return prepared((key, None), record::Plan::Reject, vec![issue]);
        }
        if let Some((when, columns)) = &self.skip_when {
            match when.truth(cx.scope()) {
                Ok(false) => {}
                Ok(true) => {
                    let key = match &self.key {
                        KeySource::Columns(key) => {
                            key.of_row(row, nulls, self.space.as_deref(), &mut Vec::new())
                        }
                        KeySource::Field(_) | KeySource::Body => ("".into(), None),
                    };
                    let why = format!("`skip_when` is true: {}", when.source());
                    return prepared(key, record::Plan::Skip("skip_when", why), Vec::new());
                }
                Err(error) => {
                    let column = columns.first().copied();
                    cx.expression_issue(None, "`skip_when`", column, &error.message);
                }
            }
        }
        let mut key: Shown = match &self.key {
            KeySource::Columns(key) => {
                let mut issues = std::mem::take(&mut cx.issues);
                let shown = key.of_row(row, nulls, self.space.as_deref(), &mut issues);
                cx.issues = issues;
                shown
            }
            KeySource::Field(_) | KeySource::Body => ("".into(), None),
        };
        scratch.fragments.clear();
        scratch.filled.clear();
        for field in &self.fields {
            let start = scratch.fragments.len();
            let sent = field.on_create || self.existing == Existing::Update;
            let full = sent && field.fill(&mut cx, &mut scratch.fragments);
            let end = scratch.fragments.len();
            scratch.filled.push(full.then_some((start, end)));
        }
        if let KeySource::Field(slot) = self.key {
            if let Some(&column) = self.key_columns.first()
                && row.cell(column).is_shortened()
            {
                let value = trim(row.cell(column).text);
                cx.issues.push(key::shortened(column, value));
            }
            key =
                match scratch
                    .get(slot)
                    .map(text_of)
                    .filter(|text| !text.is_empty())
                {
                    Some(text) => key::of_parts(&[text], self.space.as_deref()),
                    None => {
                        let column = self.key_columns.first().copied();
                        let value = column.map_or("", |column| trim(row.cell(column).text));
                        // What is wrong with the field itself was told there.
                        if !cx.issues.iter().any(|issue| {
                            issue.severity == Severity::Error && issue.column == column
                        }) {
                            cx.issues.push(key::empty(column, value));
                        }
                        (value.into(), None)
                    }
                };
        }
        if self.natural.is_some() {
            self.fill_natural(&key, scratch);
        }
        self.checks(&mut cx, scratch);
        let issues = cx.issues;
        if issues.iter().any(|issue| issue.severity == Severity::Error) {
            return prepared(key, record::Plan::Reject, issues);
        }
        let hash = self.hash(scratch);
        scratch.body.clear();
        let mut body = std::mem::take(&mut scratch.body);
        self.shape.write(&|slot| scratch.get(slot), &mut body);
        let json: Box<str> = body.as_str().into();
        scratch.body = body;
        if matches!(self.key, KeySource::Body) {
            key.1 = Some(key::of_body(hash, 0));
        }
        let body = Body {
            json,
            hash,
            update_only: cx.update_only,
        };
        prepared(key, record::Plan::Send(body), issues)
    }

    /// The hash of what the body holds, whatever the order of its members.
    fn hash(&self, scratch: &mut Scratch) -> BodyHash {
        let mut bytes = std::mem::take(&mut scratch.hashed);
        bytes.clear();
        for (place, slot) in &self.hashed {
            if let Some(fragment) = scratch.get(*slot) {
                // JSON written on one line holds no line break.
                bytes.extend_from_slice(place.as_bytes());
                bytes.push(b'\n');
                bytes.extend_from_slice(fragment.as_bytes());
                bytes.push(b'\n');
            }
        }
        let hash = BodyHash(key::short(blake3::hash(&bytes)));
        scratch.hashed = bytes;
        hash
    }

    /// The field that the API keeps unique, filled from the row's key; where rows have none, from
    /// the rest of the body.
    fn fill_natural(&self, (shown, hash): &Shown, scratch: &mut Scratch) {
        let hash = match (hash, &self.key) {
            (Some(hash), _) => *hash,
            (None, KeySource::Body) => key::of_body(self.hash(scratch), 0),
            // The row is refused for its key.
            (None, _) => return,
        };
        let Some((_, value)) = self.target.natural_key(shown, &hash) else {
            return;
        };
        let start = scratch.fragments.len();
        write_json_str(&value, &mut scratch.fragments);
        scratch.filled.push(Some((start, scratch.fragments.len())));
    }

    /// The rules over the whole row.
    fn checks(&self, cx: &mut RowContext<'_>, scratch: &mut Scratch) {
        if self.checks.is_empty() {
            return;
        }
        let refused = cx
            .issues
            .iter()
            .any(|issue| issue.severity == Severity::Error);
        let mut with_body: Option<Scope> = None;
        for check in &self.checks {
            let result = if check.sees_body {
                // A body that is not whole would be judged for what other issues say already.
                if refused {
                    continue;
                }
                let scope = with_body.get_or_insert_with(|| {
                    let mut body = String::new();
                    self.shape.write(&|slot| scratch.get(slot), &mut body);
                    let body: serde_json::Value = serde_json::from_str(&body).unwrap_or_default();
                    cx.scope_with(self.whole_body(body))
                });
                check.expression.truth(scope)
            } else {
                check.expression.truth(cx.scope())
            };
            let column = match check.columns.as_slice() {
                [one] => Some(*one),
                _ => None,
            };
            match result {
                Ok(true) => {}
                Ok(false) => cx.issues.push(Issue {
                    code: "check".into(),
                    severity: Severity::Error,
                    column,
                    field: None,
                    value: column.map(|column| cut(trim(cx.row.cell(column).text)).into()),
                    message: check.message.clone().into(),
                }),
                Err(error) => {
                    let what = format!("the check `{}`", check.expression.source());
                    cx.expression_issue(None, &what, column, &error.message);
                }
            }
        }
    }

    /// The body as checks see it: fields that the row leaves empty are there, as null.
    fn whole_body(&self, body: serde_json::Value) -> Scope {
        let mut body = body;
        self.shape.fill_gaps(&mut body);
        Scope::from(minijinja::value::Serde(&body))
    }
}

impl FieldPlan {
    /// Writes the field's value; whether there is one.
    fn fill(&self, cx: &mut RowContext<'_>, out: &mut String) -> bool {
        let start = out.len();
        let told = cx.issues.len();
        let mut asked = true;
        let full = match self.rules.as_slice() {
            [one] if !self.each => {
                let filled = one.fill(cx, &self.name, out);
                asked = filled != Filled::Left;
                filled == Filled::Full
            }
            rules => self.fill_each(rules, cx, out),
        };
        if let Some(caution) = &self.caution
            && asked
            && cx.issues[told..]
                .iter()
                .all(|issue| issue.severity != Severity::Error)
        {
            let fragment = &out[start..];
            if (full && caution.has(fragment)) || (!full && caution.missing) {
                let column = self.column();
                let text = column.map(|column| trim(cx.row.cell(column).text));
                cx.issues.push(Issue {
                    code: format!("{}.caution", self.name).into(),
                    severity: Severity::Error,
                    column,
                    field: Some(Arc::clone(&self.name)),
                    value: Some(cut(text.unwrap_or(fragment)).into()),
                    message: format!(
                        "the target warns of this: {}; if it is meant, name the field in \
                         `allow_caution`",
                        caution.says
                    )
                    .into(),
                });
            }
        }
        if !full {
            out.truncate(start);
        }
        full
    }

    fn fill_each(
        &self,
        rules: &[super::rule::RulePlan],
        cx: &mut RowContext<'_>,
        out: &mut String,
    ) -> bool {
        let start = out.len();
        let told = cx.issues.len();
        out.push('[');
        let mut count = 0;
        for rule in rules {
            let mark = out.len();
            if count > 0 {
                out.push(',');
            }
            let inner = out.len();
            let full = rule.fill(cx, &self.name, out) == Filled::Full && out.len() > inner;
            let members = match full {
                true if rule.gives_list() => spread(out, inner),
                full => usize::from(full),
            };
            if members == 0 {
                out.truncate(mark);
            }
            count += members;
        }
        out.push(']');
        let refused = cx.issues[told..]
            .iter()
            .any(|issue| issue.severity == Severity::Error);
        if count == 0 && self.required && !refused {
            cx.lacks(
                &self.name,
                self.column(),
                "all columns of this list are empty",
            );
        }
        let items = rules.iter().fold((None, None), |(min, max), rule| {
            (min.or(rule.items.0), max.or(rule.items.1))
        });
        if count > 0
            && !refused
            && let Err(problem) = keep_items(items, count)
        {
            cx.issues.push(Issue {
                code: format!("{}.{}", self.name, problem.rule).into(),
                severity: Severity::Error,
                column: self.column(),
                field: Some(Arc::clone(&self.name)),
                value: Some(cut(&out[start..]).into()),
                message: format!("this {}", problem.message).into(),
            });
        }
        count > 0
    }
}

/// Takes the brackets off a list that stands at `start`, so that its members become members of the
/// list around it; how many they are. What is no list is one.
fn spread(out: &mut String, start: usize) -> usize {
    let Ok(members) = serde_json::from_str::<Vec<&serde_json::value::RawValue>>(&out[start..])
    else {
        return 1;
    };
    let count = members.len();
    out.remove(start);
    out.pop();
    count
}

/// The text of a value that is written as JSON.
fn text_of(fragment: &str) -> Cow<'_, str> {
    match fragment
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
    {
        Some(plain) if !plain.contains('\\') => Cow::Borrowed(plain),
        Some(_) => match serde_json::from_str::<String>(fragment) {
            Ok(text) => Cow::Owned(text),
            Err(_) => Cow::Borrowed(fragment),
        },
        None if fragment == "null" => Cow::Borrowed(""),
        None => Cow::Borrowed(fragment),
    }
}
