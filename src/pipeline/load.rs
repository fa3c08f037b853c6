//! Mapping, target and inputs: read, joined, every mistake told at once.

use std::ops::{ControlFlow, Range};
use std::path::Path;
use std::sync::Arc;

use toml::Spanned;

use super::looks::Looks;
use crate::area::Area;
use crate::issue::{Mistake, TextFile};
use crate::mapping::file::{SheetName, Sheets, SourceSection};
use crate::mapping::{self};
use crate::mapping::{Mapping, Requests};
use crate::plan::{self, DateFinding, DateFound, Plan};
use crate::source::{self, Input, PartChoice, SheetChoice, SheetRef, Source, SourceError};
use crate::target::custom::{self, Asked};
use crate::target::{self, Target};

/// One input with the plan for its header.
#[derive(Debug)]
pub struct Prepared {
    /// The input as it was named.
    pub input: Input,
    /// Its rows.
    pub source: Source,
    /// What is made of them.
    pub plan: Plan,
    /// What its columns have suffered.
    pub looks: Looks,
}

/// All that a run needs to know before its first row.
#[derive(Debug)]
pub struct Loaded {
    /// The mapping.
    pub mapping: Mapping,
    /// The target.
    pub target: Arc<Target>,
    /// The inputs in order.
    pub inputs: Vec<Prepared>,
    /// Notes on mapping and target; no mistakes.
    pub notes: Vec<Mistake>,
}

/// The codes of notes about a whole file, which a summary tells.
pub const FINDINGS: [&str; 2] = ["date-order", "dates-converted"];

impl Loaded {
    /// What the inputs as a whole have shown, as sentences: before the rows are mapped of their
    /// dates, after that of cells that look like nothing too.
    pub fn findings(&self) -> Vec<String> {
        let dates = self
            .notes
            .iter()
            .filter(|note| FINDINGS.contains(&note.code));
        let dates = dates.map(|note| match &note.help {
            Some(help) => format!("{}; {help}", note.message),
            None => note.message.clone(),
        });
        let empty_like = self.inputs.iter().filter_map(|input| {
            let found = input.plan.empty_like();
            let mut texts: Vec<String> = vec![String::new()];
            let mut columns = Vec::new();
            for (column, text, count) in found {
                let name = input.source.header.name(column);
                columns.push(format!("{count} of the column `{name}` with `{text}`"));
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
            (!columns.is_empty()).then(|| {
                format!(
                    "cells that look empty were taken for values: {}; if they mean nothing, write \
                     nulls = {texts:?} under [source]",
                    columns.join(", ")
                )
            })
        });
        let several = self.inputs.len() > 1;
        let damage = self.inputs.iter().flat_map(|input| {
            let header = &input.source.header;
            let told = input.looks.findings().into_iter();
            told.map(move |(column, finding)| {
                let name = header.name(column);
                let cells = finding
                    .rows
                    .iter()
                    .map(|row| header.cell_name(column, *row));
                let mut cells = cells.collect::<Vec<_>>().join(", ");
                if finding.count > finding.rows.len() as u64 {
                    cells.push_str(", …");
                }
                let of = match several {
                    true => format!(" of {}", input.input.name()),
                    false => String::new(),
                };
                format!(
                    "the column `{name}`{of}: {} ({cells}); {}",
                    finding.message(),
                    finding.help()
                )
            })
        });
        dates.chain(damage).chain(empty_like).collect()
    }

    /// Forgets what was counted while rows were mapped, before that is done again.
    pub(super) fn forget_counts(&self) {
        for input in &self.inputs {
            input.plan.forget_counts();
            input.looks.forget();
        }
    }
}

/// Loads a mapping and the target that it names, without inputs.
pub fn load_mapping(path: &Path) -> (Option<(Mapping, Arc<Target>)>, Vec<Mistake>) {
    load_mapping_for(path, &Asked::Any)
}

/// The same with the custom fields of a certain account, where they are known.
pub fn load_mapping_for(
    path: &Path,
    asked: &Asked,
) -> (Option<(Mapping, Arc<Target>)>, Vec<Mistake>) {
    let (mapping, mut mistakes) = mapping::load(path);
    let Some(mapping) = mapping else {
        return (None, mistakes);
    };
    let Some(name) = &mapping.head.target else {
        return (None, mistakes);
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let (target, found) = target::load(name.get_ref(), folder);
    mistakes.extend(found.into_iter().map(|mistake| match mistake.place {
        Some(_) => mistake,
        None => mistake.at(&mapping.file, name.span(), "named here"),
    }));
    match target {
        Some(mut target) => {
            for rule in &mapping.rules {
                let Some(member) = target.member(rule.custom, &rule.path) else {
                    continue;
                };
                match rule.requests() {
                    Requests::All => {}
                    Requests::Creates => target.sent.creates.push(member),
                    Requests::Updates => target.sent.updates.push(member),
                    Requests::IfEmpty => target.sent.if_empty.push(member),
                }
            }
            if target.file.custom.is_some() {
                let (known, wrong) = custom::beside(folder, &target, asked);
                target.account_fields = known;
                mistakes.extend(wrong);
            }
            (Some((mapping, Arc::new(target))), mistakes)
        }
        None => (None, mistakes),
    }
}

/// Loads everything. There is a result only where nothing but notes was told.
pub fn load(
    mapping: &Path,
    inputs: Vec<Input>,
    options: &plan::Options,
) -> (Option<Loaded>, Vec<Mistake>) {
    load_for(mapping, inputs, options, &Asked::Any)
}

/// The same with the custom fields of a certain account, where they are known.
pub fn load_for(
    mapping: &Path,
    inputs: Vec<Input>,
    options: &plan::Options,
    asked: &Asked,
) -> (Option<Loaded>, Vec<Mistake>) {
    let (found, mut mistakes) = load_mapping_for(mapping, asked);
    let Some((mapping, target)) = found else {
        return (None, mistakes);
    };
    // What was read of a file that is no TOML may not be what is meant.
    if mistakes.iter().any(|mistake| mistake.code == "toml-syntax") {
        return (None, mistakes);
    }
    let wanted = source_options(&mapping);
    // A file that is read in another way than is meant has other columns.
    const OF_COLUMNS: [&str; 3] = ["unknown-column", "unknown-name", "ambiguous-column"];
    let misread = is_misread(&mapping, &mistakes);
    let mut prepared = Vec::new();
    for input in inputs {
        let source = match source::open(&input, &wanted) {
            Ok(source) => source,
            Err(error) => {
                mistakes.push(Mistake::new("input", error.to_string()));
                continue;
            }
        };
        let returned = source.returned.as_ref().map(|returned| plan::Returned {
            row: Some(returned.row),
            key: Some(returned.key),
            fate: Some(returned.fate),
        });
        let (plan, mut found) = Plan::new(&mapping, &target, &source.header, returned, options);
        if misread {
            found.retain(|mistake| !OF_COLUMNS.contains(&mistake.code));
        }
        add_new(&mut mistakes, found);
        if let Some(mut plan) = plan {
            match date_orders(&mut plan, &source) {
                Ok(found) => mistakes.extend(found),
                Err(error) => mistakes.push(Mistake::new("input", error.to_string())),
            }
            prepared.push(Prepared {
                looks: Looks::new(&plan, &source),
                input,
                source,
                plan,
            });
        }
    }
    sort_in(&mut mistakes, &mapping.file);
    if mistakes.iter().any(|mistake| !mistake.note) {
        // Rules that are wrong would have used some.
        mistakes.retain(|mistake| mistake.code != "unused-columns");
        return (None, mistakes);
    }
    let loaded = Loaded {
        mapping,
        target,
        inputs: prepared,
        notes: mistakes.clone(),
    };
    (Some(loaded), mistakes)
}

/// Whether the mapping says in a way that cannot be understood how its inputs are read.
fn is_misread(mapping: &Mapping, mistakes: &[Mistake]) -> bool {
    let section = &mapping.head.source;
    let spans = [
        section.delimiter.as_ref().map(Spanned::span),
        section.encoding.as_ref().map(Spanned::span),
        section.header_row.as_ref().map(Spanned::span),
        section.range.as_ref().map(Spanned::span),
    ];
    let within = |place: &Range<usize>, span: &Range<usize>| {
        span.start <= place.start && place.end <= span.end
    };
    mistakes
        .iter()
        .filter(|mistake| !mistake.note)
        .filter_map(|mistake| mistake.place.as_ref())
        .filter(|(file, _)| Arc::ptr_eq(file, &mapping.file))
        .any(|(_, place)| spans.iter().flatten().any(|span| within(place, span)))
}

/// Looks through the whole file for the order of its dates, where the mapping leaves it open; what
/// was found, as notes.
fn date_orders(plan: &mut Plan, source: &Source) -> Result<Vec<Mistake>, SourceError> {
    let Some(mut seen) = plan.date_orders() else {
        return Ok(Vec::new());
    };
    source.read(1_024, &mut |batch| {
        plan.look_at_dates(&mut seen, &batch);
        ControlFlow::Continue(())
    })?;
    let header = &source.header;
    let note = |finding: DateFinding| {
        let name = header.name(finding.column);
        let (row, column) = finding.first;
        let first = header.cell_name(column, row);
        let note = match finding.what {
            DateFound::Order {
                order,
                dates,
                telling,
            } => {
                let order = order.name();
                let message = format!(
                    "the dates of the column `{name}` are read as {order}: of its {dates} dates \
                     that are written with digits, {telling} can be read by no other order, the \
                     first in {first}"
                );
                let help =
                    format!("to say so yourself, write date_order = \"{order}\" under [source]");
                Mistake::new("date-order", message).help(help)
            }
            DateFound::Contradiction { dates } => {
                let message = format!(
                    "the column `{name}` mixes orders: no order of day and month suits all of its \
                     {dates} dates that are written with digits; a date that could be read by two \
                     is refused"
                );
                Mistake::new("date-order", message)
                    .help("write the dates as 2025-12-31, or name `date_order` under [source]")
            }
            DateFound::Converted { cells, telling } => {
                let message = format!(
                    "the column `{name}` has {cells} date cells, none with a day above 12, and \
                     {telling} texts that are dates with a day above 12: it seems that a spreadsheet \
                     program has read the other dates with day and month exchanged, the first in \
                     {first}"
                );
                Mistake::new("dates-converted", message)
                    .help("export the dates again as text, or as 2025-12-31; nothing was changed")
            }
        };
        note.note()
    };
    Ok(plan.settle_dates(seen).into_iter().map(note).collect())
}

/// Adds mistakes that were not told already.
pub fn add_new(mistakes: &mut Vec<Mistake>, found: Vec<Mistake>) {
    for mistake in found {
        if !mistakes.iter().any(|told| tells(told, &mistake)) {
            mistakes.push(mistake);
        }
    }
}

/// Sorts mistakes: in the order of the mapping file, then those of other files, then the notes.
pub fn sort_in(mistakes: &mut [Mistake], mapping: &Arc<TextFile>) {
    mistakes.sort_by_key(|told| {
        let here = told
            .place
            .as_ref()
            .filter(|(file, _)| Arc::ptr_eq(file, mapping));
        (told.note, here.map_or(usize::MAX, |(_, span)| span.start))
    });
}

/// Whether a mistake was told already: just so, or by the file's own check at the same place, which
/// the plan then stumbles over again.
fn tells(told: &Mistake, again: &Mistake) -> bool {
    const FOUND_BEFORE: [&str; 8] = [
        "bad-expression",
        "bad-limit",
        "bad-regex",
        "bad-setting",
        "bad-template",
        "bad-value",
        "unknown-timezone",
        "unknown-value",
    ];
    if told == again {
        return true;
    }
    // Two columns that a look-up file lacks are both told at its first line.
    if told.code == "unknown-column" && again.code == told.code && told.message != again.message {
        return false;
    }
    // Where a rule takes its value from is told with the file, or its key is misspelt there.
    let stumbled = match (&told.place, &again.place) {
        _ if again.code == "no-source" => true,
        (Some((file, told)), Some((other, place))) if Arc::ptr_eq(file, other) => {
            let within = |inner: &Range<usize>, outer: &Range<usize>| {
                outer.start <= inner.start && inner.end <= outer.end
            };
            within(place, told) || (FOUND_BEFORE.contains(&again.code) && within(told, place))
        }
        _ => false,
    };
    stumbled && !told.note && !again.note
}

/// What a mapping says about how its inputs are read.
pub fn source_options(mapping: &Mapping) -> source::Options {
    let section: &SourceSection = &mapping.head.source;
    let sheets = match section.sheet.as_ref().map(|sheet| sheet.get_ref()) {
        None => SheetChoice::FirstVisible,
        Some(Sheets::All) => SheetChoice::All,
        Some(Sheets::These(names)) => SheetChoice::These(
            names
                .iter()
                .map(|name| match name {
                    SheetName::Name(name) => SheetRef::Name(name.clone()),
                    SheetName::Number(number) => SheetRef::Number(*number),
                })
                .collect(),
        ),
    };
    let mut wanted: Vec<String> = Vec::new();
    let rules = mapping.rules.iter().flat_map(|field| &field.rules);
    for rule in rules {
        let columns = rule
            .column
            .iter()
            .flat_map(|columns| &columns.get_ref().values);
        wanted.extend(columns.map(|column| column.get_ref().clone()));
    }
    if let Some(key) = &mapping.head.row.key {
        wanted.extend(
            key.get_ref()
                .columns
                .iter()
                .map(|column| column.get_ref().clone()),
        );
    }
    // A column by letter is no header, and `Email#2` stands as `Email`.
    wanted.retain(|name| !name.starts_with('@'));
    for name in &mut wanted {
        if let Some((head, number)) = name.rsplit_once('#')
            && !number.is_empty()
            && number.bytes().all(|byte| byte.is_ascii_digit())
        {
            name.truncate(head.len());
        }
    }
    wanted.sort();
    wanted.dedup();
    let part = match (&section.range, &section.table) {
        (_, Some(table)) => PartChoice::Table(table.get_ref().clone()),
        (Some(range), None) => {
            Area::parse(range.get_ref()).map_or(PartChoice::Whole, PartChoice::Area)
        }
        (None, None) => PartChoice::Whole,
    };
    source::Options {
        sheets,
        part,
        header_row: section.header_row.as_ref().map(|row| *row.get_ref()),
        delimiter: section
            .delimiter
            .as_ref()
            .and_then(|text| text.get_ref().bytes().next()),
        encoding: section
            .encoding
            .as_ref()
            .and_then(|label| encoding_rs::Encoding::for_label(label.get_ref().as_bytes())),
        wanted,
    }
}
