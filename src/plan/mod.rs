//! A mapping joined with a header and a target: for each row a body, or issues.
//!
//! [`Plan::new`] resolves everything that does not depend on a row: columns to indexes, patterns,
//! templates, tables, formats, and the shape of the body. [`Plan::prepare`] is then a pure
//! function of each row. What depends on other rows is apart, in [`Claims`].

pub mod cases;
mod cells;
mod claims;
mod columns;
mod compile;
mod custom;
mod demands;
mod key;
mod members;
mod orders;
mod row;
mod rule;
mod scope;
mod shape;
mod spec;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use self::cells::Nulls;
pub use self::claims::Claims;
use self::columns::Columns;
use self::compile::{Compiler, FieldPlan};
use self::key::KeyColumns;
pub use self::orders::{DateFinding, DateFound, DateOrders};
use self::scope::Shared;
use self::shape::{PairForm, Shape};
use self::spec::Teller;
use crate::issue::Mistake;
use crate::mapping::Mapping;
use crate::mapping::file::{Duplicates, Existing, Uncertain};
use crate::mapping::stop_after::{StopAfter, parse_stop_after};
use crate::record::Prepared;
use crate::row::{Header, RowBatch};
use crate::target::Target;
use crate::template::Expression;

/// What the command line and the clock say about a plan.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Warnings refuse their row.
    pub strict: bool,
    /// Today, fixed once per run.
    pub today: jiff::civil::Date,
}

/// The columns that a reject file added when it was written, where the input is one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Returned {
    /// Index of `_row`: the row's number in the first source.
    pub row: Option<usize>,
    /// Index of `_key`.
    pub key: Option<usize>,
    /// Index of `_fate`.
    pub fate: Option<usize>,
}

/// The columns that reject files add.
const ADDED: [&str; 5] = ["_row", "_key", "_fate", "_codes", "_problems"];

/// How rows are known.
#[derive(Debug)]
enum KeySource {
    /// By columns.
    Columns(KeyColumns),
    /// By the field that the target calls its own external key: the slot.
    Field(usize),
    /// By the hash of the body.
    Body,
}

/// One `[[check]]`.
#[derive(Debug)]
struct Check {
    expression: Expression,
    message: String,
    columns: Vec<usize>,
    sees_body: bool,
}

/// A mapping made ready for the rows of one input.
#[derive(Debug)]
pub struct Plan {
    target: Arc<Target>,
    shared: Arc<Shared>,
    strict: bool,
    space: Option<String>,
    key: KeySource,
    key_columns: Vec<usize>,
    skip_when: Option<(Expression, Vec<usize>)>,
    fields: Vec<FieldPlan>,
    /// The slot behind those of the fields, where the target's natural key is filled in.
    natural: Option<usize>,
    shape: Shape,
    /// The places of the slots as text, sorted, so that a body's hash does not depend on the order
    /// of the mapping.
    hashed: Vec<(String, usize)>,
    checks: Vec<Check>,
    unused: Vec<Arc<str>>,
    duplicates: Duplicates,
    existing: Existing,
    uncertain: Uncertain,
    stop_after: Option<StopAfter>,
    returned: Returned,
}

impl Plan {
    /// Joins a mapping with a target and the header of an input. All mistakes are told at once,
    /// notes among them; the plan is there where nothing but notes was told. `returned` names the
    /// columns of a reject file that is handed back in.
    pub fn new(
        mapping: &Mapping,
        target: &Arc<Target>,
        header: &Header,
        returned: Option<Returned>,
        options: &Options,
    ) -> (Option<Plan>, Vec<Mistake>) {
        let head = &mapping.head;
        let mut tell = Teller {
            file: &mapping.file,
            mistakes: Vec::new(),
        };
        let base = spec::base(&head.source, options.today, &mut tell);
        let mut compiler = Compiler {
            mapping,
            target,
            columns: Columns::new(header),
            tell,
            used: HashSet::new(),
            base,
            today: options.today,
        };
        let skip_when = head
            .row
            .skip_when
            .as_ref()
            .and_then(|when| compiler.expression(when, false))
            .map(|(expression, columns, _)| (expression, columns));
        let key = key_source(&mut compiler);
        let fields: Vec<Option<FieldPlan>> = mapping
            .rules
            .iter()
            .map(|rule| compiler.field(rule))
            .collect();
        let checks: Vec<Check> = head
            .check
            .iter()
            .filter_map(|check| {
                let (expression, columns, sees_body) = compiler.expression(&check.assert, true)?;
                let message = match &check.message {
                    Some(message) => message.get_ref().clone(),
                    None => format!("the check `{}` is not met", check.assert.get_ref()),
                };
                Some(Check {
                    expression,
                    message,
                    columns,
                    sees_body,
                })
            })
            .collect();
        compiler.demands();
        let (shape, hashed, natural) = shape_of(&mut compiler);
        // A rule without a place could have filled any member.
        if hashed.len() >= mapping.rules.len() {
            members::tell_unknown(&mut compiler, &shape);
        }
        let stop_after = head.policy.stop_after.as_ref().and_then(|stop_after| {
            parse_stop_after(stop_after.get_ref())
                .map_err(|message| {
                    compiler
                        .tell
                        .tell("bad-value", message, stop_after.span(), "here", None);
                })
                .ok()
        });
        let unused = unused(&mut compiler, returned.is_some());
        let Compiler { columns, tell, .. } = compiler;
        let mut mistakes = tell.mistakes;
        mistakes.sort_by_key(|told| {
            (
                told.note,
                told.place.as_ref().map_or(usize::MAX, |(_, at)| at.start),
            )
        });
        let fields: Option<Vec<FieldPlan>> = fields.into_iter().collect();
        let fields = fields.map(watched);
        let (false, Some(fields)) = (mistakes.iter().any(|told| !told.note), fields) else {
            return (None, mistakes);
        };
        let key_columns = match &key {
            KeySource::Columns(key) => key.columns.clone(),
            KeySource::Field(slot) => fields
                .get(*slot)
                .and_then(FieldPlan::column)
                .into_iter()
                .collect(),
            KeySource::Body => Vec::new(),
        };
        let plan = Plan {
            target: Arc::clone(target),
            shared: Arc::new(Shared {
                names: columns.into_names(),
                nulls: Nulls::new(head.source.nulls.as_deref().unwrap_or_default()),
                empty_like: Mutex::default(),
            }),
            strict: options.strict,
            space: head.row.space.as_ref().map(|space| space.get_ref().clone()),
            key,
            key_columns,
            skip_when,
            fields,
            natural,
            shape,
            hashed,
            checks,
            unused,
            duplicates: policy(head.policy.duplicates.as_ref()),
            existing: policy(head.policy.existing.as_ref()),
            uncertain: policy(head.policy.uncertain.as_ref()),
            stop_after,
            returned: returned.unwrap_or_default(),
        };
        (Some(plan), mistakes)
    }

    /// Maps and checks the rows of a batch. What comes of a row depends on that row only.
    pub fn prepare(&self, batch: &Arc<RowBatch>) -> Vec<Prepared> {
        let mut scratch = row::Scratch::default();
        (0..batch.len())
            .map(|index| self.prepare_row(batch, index, &mut scratch))
            .collect()
    }

    /// The columns of the input that nothing in the mapping uses.
    pub fn unused_columns(&self) -> &[Arc<str>] {
        &self.unused
    }

    /// The columns whose cells are sent as they are read, or make the key, and whether the mapping
    /// pads them with zeros already: where damage done by a spreadsheet program would go through.
    pub fn copied_columns(&self) -> Vec<(usize, bool)> {
        use crate::field::Type;
        use crate::field::clean::Step;
        let mut found: Vec<(usize, bool)> = match &self.key {
            KeySource::Columns(key) => {
                let padded = key.clean.iter().any(|step| matches!(step, Step::Pad(_)));
                key.columns.iter().map(|&column| (column, padded)).collect()
            }
            KeySource::Field(_) | KeySource::Body => Vec::new(),
        };
        for rule in self.fields.iter().flat_map(|field| &field.rules) {
            let columns = match &rule.take {
                rule::Take::Column(column) => std::slice::from_ref(column),
                rule::Take::First(columns)
                | rule::Take::Join(columns, _)
                | rule::Take::Template(_, columns) => columns,
                rule::Take::Text(_) | rule::Take::Fixed(_) | rule::Take::Nothing => &[],
            };
            if matches!(
                rule.reader.ty(),
                Type::Integer | Type::Decimal | Type::Boolean | Type::Date | Type::DateTime
            ) {
                continue;
            }
            let padded = rule.clean.iter().any(|step| matches!(step, Step::Pad(_)));
            for &column in columns {
                match found.iter_mut().find(|(known, _)| *known == column) {
                    Some((_, pads)) => *pads |= padded,
                    None => found.push((column, padded)),
                }
            }
        }
        found
    }

    /// The mapping's field that a server's name of a field leads back to, as the mapping writes
    /// it, and the index of its column.
    pub fn place_of(&self, server_field: &str) -> Option<(Arc<str>, Option<usize>)> {
        self.slot_place(self.shape.find(server_field, None)?)
    }

    /// The same with the record that was sent, which tells what `field_values.0` was.
    pub fn place_in(
        &self,
        server_field: &str,
        record: &serde_json::Value,
    ) -> Option<(Arc<str>, Option<usize>)> {
        self.slot_place(self.shape.find(server_field, Some(record))?)
    }

    fn slot_place(&self, slot: usize) -> Option<(Arc<str>, Option<usize>)> {
        match self.fields.get(slot) {
            Some(field) => Some((Arc::clone(&field.name), field.column())),
            None => {
                let path = self.target.natural_path()?.to_string();
                Some((path.into(), self.key_columns.first().copied()))
            }
        }
    }

    /// The indexes of the columns that make the key.
    pub fn key_columns(&self) -> &[usize] {
        &self.key_columns
    }

    /// Whether rows have a key of their own; else they are known by their body.
    pub fn has_key(&self) -> bool {
        !matches!(self.key, KeySource::Body)
    }

    /// The table of keys that the rows of a run claim.
    pub fn claims(&self) -> Claims {
        let natural = self.natural.map(|_| Arc::clone(&self.target));
        Claims::new(self.duplicates, self.has_key())
            .at_column(self.key_columns.first().copied())
            .with_natural(natural)
    }

    /// What becomes of keys that stand twice.
    pub fn duplicates(&self) -> Duplicates {
        self.duplicates
    }

    /// What becomes of rows that the target has already.
    pub fn existing(&self) -> Existing {
        self.existing
    }

    /// What becomes of rows of which nobody can say whether they were made.
    pub fn uncertain(&self) -> Uncertain {
        self.uncertain
    }

    /// When the run stops by itself.
    pub fn stop_after(&self) -> Option<StopAfter> {
        self.stop_after
    }

    /// Column, text and count of cells that look like nothing and were taken for values, since
    /// they were last forgotten.
    pub fn empty_like(&self) -> Vec<(usize, String, u64)> {
        let counts = self
            .shared
            .empty_like
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let one = |((column, text), count): (&(usize, Box<str>), &u64)| {
            (*column, text.to_string(), *count)
        };
        counts.iter().map(one).collect()
    }

    /// Forgets the counts of [`Plan::empty_like`], before the rows are mapped once more.
    pub fn forget_counts(&self) {
        let mut counts = self
            .shared
            .empty_like
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        counts.clear();
    }

    /// The columns of a reject file that is handed back in.
    pub fn returned(&self) -> Returned {
        self.returned
    }
}

/// Lets the first rule of each column count the cells that look like nothing.
fn watched(mut fields: Vec<FieldPlan>) -> Vec<FieldPlan> {
    let mut seen = HashSet::new();
    for rule in fields.iter_mut().flat_map(|field| &mut field.rules) {
        let columns = match &rule.take {
            rule::Take::Column(column) => std::slice::from_ref(column),
            rule::Take::First(columns) => columns,
            _ => continue,
        };
        let new = columns
            .iter()
            .filter(|column| seen.insert(**column))
            .count();
        rule.watch = new > 0;
    }
    fields
}

fn policy<T: Copy + Default>(written: Option<&toml::Spanned<T>>) -> T {
    written.map_or_else(T::default, |written| *written.get_ref())
}

fn key_source(compiler: &mut Compiler<'_>) -> KeySource {
    let head = &compiler.mapping.head;
    if let Some(key) = &head.row.key {
        let clean = spec::steps(&key.get_ref().clean, &mut compiler.tell);
        let columns = key
            .get_ref()
            .columns
            .iter()
            .filter_map(|name| {
                if name.span().is_empty() {
                    let placed = toml::Spanned::new(key.span(), name.get_ref().clone());
                    compiler.column(&placed)
                } else {
                    compiler.column(name)
                }
            })
            .collect();
        return KeySource::Columns(KeyColumns { columns, clean });
    }
    if let Some(slot) = compiler.key_field() {
        return KeySource::Field(slot);
    }
    let note = Mistake::new(
        "no-key",
        "rows have no key, so they are known by their values: a row that is changed later counts \
         as a new customer",
    )
    .at(&compiler.mapping.file, 0..0, "no `key`")
    .help("name the column that tells customers apart: key = \"Customer Id\" under [row]")
    .note();
    compiler.tell.add(note);
    KeySource::Body
}

/// The shape of the body, the places for its hash, and the slot of the natural key.
fn shape_of(compiler: &mut Compiler<'_>) -> (Shape, Vec<(String, usize)>, Option<usize>) {
    let target = compiler.target;
    let rules = &compiler.mapping.rules;
    let mut slots: Vec<(usize, usize, shape::Place)> = Vec::new();
    let rank = |path: &crate::path::Path| {
        let fields = &target.fields;
        let at = fields.iter().position(|field| {
            path.0.starts_with(&field.path.0) || field.path.0.starts_with(&path.0)
        });
        at.unwrap_or(fields.len())
    };
    for (slot, rule) in rules.iter().enumerate() {
        match compiler.place(rule) {
            Ok(place) => {
                let rank = if rule.custom {
                    target.fields.len() + 1
                } else {
                    rank(&rule.path)
                };
                slots.push((rank, slot, place));
            }
            // That there are no custom fields was told with the rule.
            Err(_) if rule.custom && target.file.custom.is_none() => {}
            Err(message) => compiler.tell.tell(
                "bad-path",
                message,
                rule.key_span.clone(),
                "cannot be filled",
                None,
            ),
        }
    }
    let natural = target.natural_path().and_then(|path| {
        let place = shape::place_of_field(path).ok()?;
        let mapped = slots.iter().any(|(_, _, other)| *other == place);
        (!mapped).then(|| {
            slots.push((rank(path), rules.len(), place));
            rules.len()
        })
    });
    slots.sort_by_key(|(rank, slot, _)| (*rank, *slot));
    let mut shape = Shape::new(PairForm::of(target.file.custom.as_ref()));
    let mut hashed = Vec::new();
    for (_, slot, place) in &slots {
        match shape.insert(place, *slot) {
            Ok(()) => hashed.push((shape::canonical(place), *slot)),
            Err(shape::Clash(other)) => {
                let (first, second) = (rules.get(other), rules.get(*slot));
                let span = second.or(first).map_or(0..0, |rule| rule.key_span.clone());
                let name = |rule: Option<&crate::mapping::FieldRule>| {
                    rule.map_or("the natural key", |rule| &rule.name).to_owned()
                };
                compiler.tell.tell(
                    "two-rules",
                    format!(
                        "`{}` and `{}` fill the same place of the body",
                        name(first),
                        name(second)
                    ),
                    span,
                    "stands in the way of the other",
                    Some("take one of them out".to_owned()),
                );
            }
        }
    }
    hashed.sort();
    (shape, hashed, natural)
}

/// The columns that nothing uses, told in one note.
fn unused(compiler: &mut Compiler<'_>, returned: bool) -> Vec<Arc<str>> {
    let mut unused = compiler.columns.unused(&compiler.used);
    if returned {
        unused.retain(|name| !ADDED.contains(&&**name));
    }
    if !unused.is_empty() {
        let (what, verb) = if unused.len() == 1 {
            ("this column is", "it")
        } else {
            ("these columns are", "them")
        };
        let note = Mistake::new(
            "unused-columns",
            format!("{what} not used: {}", columns::some_of(&unused)),
        )
        .help(format!(
            "nothing need be done, unless you meant to send {verb}"
        ))
        .note();
        compiler.tell.add(note);
    }
    unused
}

#[cfg(test)]
mod tests;
