//! Keys that stand twice within a run, at 16 bytes a key.

use std::sync::Arc;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use super::key;
use crate::issue::{Issue, Severity};
use crate::mapping::file::Duplicates;
use crate::record::{Body, BodyHash, KeyHash, Plan, Prepared};
use crate::row::RowPlace;
use crate::target::Target;

/// Who has which key. Rows are given to it in the order of the file; only a row that can be sent
/// claims its key.
///
/// A key is known by 64 bits of its hash and a body by 31: of ten million keys two are taken for
/// one with a chance of about 1 in 400,000.
#[derive(Debug)]
pub struct Claims {
    policy: Duplicates,
    has_key: bool,
    column: Option<usize>,
    /// The target whose natural key tells equal rows apart, where rows have no key.
    natural: Option<Arc<Target>>,
    held: HashTable<Held>,
    /// The names of the run's inputs.
    inputs: Vec<String>,
    input: usize,
    /// What was read, in its order; the one that is being read.
    parts: Vec<Part>,
    part: usize,
    last: u64,
    /// The number of the row whose key the row claimed last has as well.
    twin: Option<u32>,
}

/// An input, or one of several sheets of it.
#[derive(Debug)]
struct Part {
    input: usize,
    sheet: Option<Arc<str>>,
    /// What is added to its rows' numbers, so that no two rows of a run have one number.
    base: u64,
}

/// One key: 16 bytes.
#[derive(Debug, Clone, Copy)]
struct Held {
    key: u64,
    /// The row that holds it; without a key of rows, how often the body stood so far.
    row: u32,
    /// 31 bits of the body's hash; the lowest bit says that the row has come by, which only
    /// the policy `last` needs to know.
    body: u32,
}

const CAME_BY: u32 = 1;

impl Claims {
    /// No key is held yet. `has_key` is [`super::Plan::has_key`].
    pub fn new(policy: Duplicates, has_key: bool) -> Self {
        Self {
            policy,
            has_key,
            column: None,
            natural: None,
            held: HashTable::new(),
            inputs: Vec::new(),
            input: 0,
            parts: Vec::new(),
            part: 0,
            last: 0,
            twin: None,
        }
    }

    /// Names the run's inputs, for telling in which of them a key stands.
    #[must_use]
    pub fn of_inputs(mut self, names: Vec<String>) -> Self {
        self.inputs = names;
        self
    }

    /// Says of which input the next rows are.
    pub fn enter(&mut self, input: usize) {
        self.input = input;
    }

    /// A row's number among the rows of all inputs.
    fn number(&mut self, row: &Prepared) -> u64 {
        let (input, sheet) = (self.input, row.sheet.as_deref());
        let is_it = |part: &Part| part.input == input && part.sheet.as_deref() == sheet;
        if !self.parts.get(self.part).is_some_and(is_it) {
            let known = self.parts.iter().position(is_it);
            self.part = known.unwrap_or(self.parts.len());
            if known.is_none() {
                self.parts.push(Part {
                    input,
                    sheet: row.sheet.clone(),
                    base: self.last,
                });
            }
        }
        let number = self.parts[self.part].base + row.row;
        self.last = self.last.max(number);
        number
    }

    /// The input and row of that number.
    fn at(&self, number: u32) -> Option<(usize, RowPlace<'_>)> {
        let number = u64::from(number);
        let part = self.parts.partition_point(|part| part.base < number);
        let part = self.parts.get(part.saturating_sub(1))?;
        let place = RowPlace::new(part.sheet.as_deref(), number - part.base);
        Some((part.input, place))
    }

    /// The row of that number, and its file where it is another than the one at hand.
    fn place(&self, number: u32) -> String {
        let Some((input, place)) = self.at(number) else {
            return format!("row {number}");
        };
        match self.inputs.get(input) {
            Some(name) if input != self.input => format!("row {place} of {name}"),
            _ => format!("row {place}"),
        }
    }

    /// Where the key of the row that was claimed last stands as well: the index of the input, and
    /// the row.
    pub fn twin(&self) -> Option<(usize, RowPlace<'_>)> {
        self.at(self.twin?)
    }

    /// Says at which column issues are shown.
    #[must_use]
    pub fn at_column(mut self, column: Option<usize>) -> Self {
        self.column = column;
        self
    }

    /// Says that the target's natural key is filled from what stands for a key, so that rows that
    /// are the same must not have the same.
    #[must_use]
    pub fn with_natural(mut self, target: Option<Arc<Target>>) -> Self {
        self.natural = target;
        self
    }

    /// Whether all rows must go through [`Claims::first_pass`] before the first is claimed.
    pub fn needs_first_pass(&self) -> bool {
        self.has_key && self.policy == Duplicates::Last
    }

    /// How many keys are held.
    pub fn len(&self) -> usize {
        self.held.len()
    }

    /// Whether no key is held.
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// For the policy `last`: finds for each key the last row of a new body.
    pub fn first_pass(&mut self, prepared: &[Prepared]) {
        for row in prepared {
            let (Plan::Send(body), Some(hash)) = (&row.plan, row.key_hash) else {
                continue;
            };
            let number = self.number(row);
            let new = held(hash, number, body.hash);
            match self.entry(new.key) {
                Entry::Vacant(place) => {
                    place.insert(new);
                }
                Entry::Occupied(mut place) => {
                    if place.get().body != new.body {
                        *place.get_mut() = new;
                    }
                }
            }
        }
    }

    /// Lets a row claim its key; one whose key is held already is skipped or refused. Where rows
    /// have no key, the row is given one made of its body and how often that stood so far.
    pub fn claim(&mut self, prepared: &mut Prepared) {
        self.twin = None;
        let Plan::Send(body) = &mut prepared.plan else {
            return;
        };
        if !self.has_key {
            let occurrence = self.occurrence(body.hash);
            let hash = key::of_body(body.hash, occurrence);
            prepared.key_hash = Some(hash);
            if occurrence > 0 {
                self.tell_apart(body, &hash);
            }
            return;
        }
        let Some(hash) = prepared.key_hash else {
            return;
        };
        let body = body.hash;
        let number = self.number(prepared);
        let new = held(hash, number, body);
        let last = self.policy == Duplicates::Last;
        let other = match self.entry(new.key) {
            Entry::Vacant(place) => {
                place.insert(new);
                return;
            }
            Entry::Occupied(mut place) => {
                let other = *place.get();
                let its_own = other.row == new.row && other.body & !CAME_BY == new.body;
                if last && its_own && other.body & CAME_BY == 0 {
                    place.get_mut().body |= CAME_BY;
                    return;
                }
                other
            }
        };
        let same = other.body & !CAME_BY == new.body;
        self.twin = Some(other.row);
        let row = self.place(other.row);
        match (same, self.policy) {
            (true, _) => {
                prepared.plan = Plan::Skip(
                    "duplicate",
                    format!("the same customer with the same values stands in {row}"),
                );
            }
            (false, Duplicates::First) => {
                prepared.plan = Plan::Skip(
                    "duplicate",
                    format!("the key stands in {row} already, and the first is taken"),
                );
            }
            (false, Duplicates::Last) => {
                prepared.plan = Plan::Skip(
                    "duplicate",
                    format!("the key stands in {row} again, and the last is taken"),
                );
            }
            (false, Duplicates::Reject) => {
                prepared.plan = Plan::Reject;
                prepared.issues.push(Issue {
                    code: "key.duplicate".into(),
                    severity: Severity::Error,
                    column: self.column,
                    field: None,
                    value: Some(crate::issue::cut(&prepared.key).into()),
                    message: format!(
                        "{row} has the same key with other values; keep one of them, give \
                         this row a key of its own, or set `duplicates` under [policy]"
                    )
                    .into(),
                });
            }
        }
    }

    /// Gives a body that stood before a natural key of its own.
    fn tell_apart(&self, body: &mut Body, hash: &KeyHash) {
        let Some(target) = &self.natural else { return };
        let natural = target.natural_path().zip(target.natural_key("", hash));
        if let Some((path, (_, value))) = natural
            && let Ok(mut json) = serde_json::from_str::<serde_json::Value>(&body.json)
        {
            path.set(&mut json, value.into());
            body.json = json.to_string().into();
        }
    }

    /// How often a body stood before this.
    fn occurrence(&mut self, body: BodyHash) -> u32 {
        let key = first_bytes(body.0);
        match self.entry(key) {
            Entry::Vacant(place) => {
                place.insert(Held {
                    key,
                    row: 1,
                    body: 0,
                });
                0
            }
            Entry::Occupied(mut place) => {
                let count = place.get().row;
                place.get_mut().row = count.saturating_add(1);
                count
            }
        }
    }

    fn entry(&mut self, key: u64) -> Entry<'_, Held> {
        // The key is a hash already.
        self.held
            .entry(key, |held| held.key == key, |held| held.key)
    }
}

fn first_bytes(hash: [u8; 16]) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = hash;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

fn held(key: KeyHash, row: u64, body: BodyHash) -> Held {
    Held {
        key: first_bytes(key.0),
        row: u32::try_from(row).unwrap_or(u32::MAX),
        body: first_bytes(body.0) as u32 & !CAME_BY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(number: u64, key: &str, body: &str) -> Prepared {
        let hash = |text: &str| {
            let mut short = [0; 16];
            short.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
            short
        };
        Prepared {
            index: 0,
            row: number,
            sheet: None,
            line: None,
            key: key.into(),
            key_hash: Some(KeyHash(hash(key))),
            plan: Plan::Send(Body {
                json: body.into(),
                hash: BodyHash(hash(body)),
                update_only: false,
            }),
            issues: Vec::new(),
        }
    }

    #[test]
    fn a_key_of_another_file_is_told_with_its_name() {
        let mut claims =
            Claims::new(Duplicates::Reject, true).of_inputs(vec!["a.csv".into(), "b.csv".into()]);
        let mut told = Vec::new();
        for (input, number, key, body) in [
            (0, 2, "k", "1"),
            (0, 9, "l", "1"),
            (0, 10, "l", "2"),
            (1, 2, "k", "2"),
            (1, 3, "m", "1"),
            (1, 4, "m", "2"),
        ] {
            claims.enter(input);
            let mut row = row(number, key, body);
            claims.claim(&mut row);
            let issues = row.issues.into_iter();
            told.extend(issues.map(|issue| {
                issue
                    .message
                    .split(" has")
                    .next()
                    .unwrap_or_default()
                    .to_owned()
            }));
        }
        assert_eq!(told, ["row 9", "row 2 of a.csv", "row 3"]);
    }

    fn outcome(prepared: &Prepared) -> String {
        match &prepared.plan {
            Plan::Send(_) => "send".into(),
            Plan::Skip(rule, why) => format!("{rule}: {why}"),
            Plan::Reject => prepared.issues[0].code.to_string(),
        }
    }

    fn run(policy: Duplicates, rows: &[(&str, &str)]) -> Vec<String> {
        let mut rows: Vec<Prepared> = (2..)
            .zip(rows)
            .map(|(number, (key, body))| row(number, key, body))
            .collect();
        let mut claims = Claims::new(policy, true);
        if claims.needs_first_pass() {
            claims.first_pass(&rows);
        }
        rows.iter_mut().for_each(|row| claims.claim(row));
        rows.iter()
            .map(|row| outcome(row).chars().take(13).collect())
            .collect()
    }

    #[test]
    fn an_entry_takes_sixteen_bytes() {
        assert_eq!(size_of::<Held>(), 16);
    }

    #[test]
    fn each_policy_decides_as_it_says() {
        let rows = [("k", "1"), ("k", "1"), ("k", "2"), ("j", "1"), ("k", "2")];
        assert_eq!(
            run(Duplicates::Reject, &rows),
            [
                "send",
                "duplicate: th",
                "key.duplicate",
                "send",
                "key.duplicate"
            ]
        );
        assert_eq!(
            run(Duplicates::First, &rows),
            [
                "send",
                "duplicate: th",
                "duplicate: th",
                "send",
                "duplicate: th"
            ]
        );
        assert_eq!(
            run(Duplicates::Last, &rows),
            [
                "duplicate: th",
                "duplicate: th",
                "send",
                "send",
                "duplicate: th"
            ]
        );
    }

    #[test]
    fn the_first_row_is_named() {
        let mut claims = Claims::new(Duplicates::Reject, true).at_column(Some(3));
        claims.claim(&mut row(7, "k", "1"));
        let mut second = row(9, "k", "2");
        claims.claim(&mut second);
        assert!(second.issues[0].message.starts_with("row 7 has"));
        assert_eq!(second.issues[0].column, Some(3));
    }

    #[test]
    fn a_refused_row_claims_nothing() {
        let mut claims = Claims::new(Duplicates::Reject, true);
        let mut first = row(2, "k", "1");
        first.plan = Plan::Reject;
        claims.claim(&mut first);
        let mut second = row(3, "k", "2");
        claims.claim(&mut second);
        assert!(matches!(second.plan, Plan::Send(_)));
    }

    #[test]
    fn the_same_row_of_two_files_is_sent_once() {
        let mut claims = Claims::new(Duplicates::Last, true);
        let mut rows = [row(2, "k", "1"), row(2, "k", "1")];
        claims.first_pass(&rows);
        rows.iter_mut().for_each(|row| claims.claim(row));
        assert_eq!(outcome(&rows[0]), "send");
        assert!(matches!(rows[1].plan, Plan::Skip("duplicate", _)));
    }

    #[test]
    fn without_a_key_equal_rows_are_told_apart_by_their_count() {
        let mut claims = Claims::new(Duplicates::Reject, false);
        let mut hashes = Vec::new();
        for body in ["1", "2", "1", "1"] {
            let mut prepared = row(2, "", body);
            claims.claim(&mut prepared);
            assert_eq!(outcome(&prepared), "send");
            hashes.push(prepared.key_hash);
        }
        let mut distinct = hashes.clone();
        distinct.sort();
        distinct.dedup();
        assert_eq!(distinct.len(), 4);
        let mut again = Claims::new(Duplicates::Reject, false);
        let mut first = row(9, "", "1");
        again.claim(&mut first);
        assert_eq!(
            first.key_hash, hashes[0],
            "the same over runs, wherever it stands"
        );
    }
}
