//! What the columns of an input hold, found in one reading and constant memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;

use super::damage::{Detector, Finding};
use super::distinct::Distinct;
use super::range::Range;
use super::{Source, SourceError};
use crate::row::RowBatch;

pub use super::shape::Shape;

/// The most rows in a batch, and how many batches are read ahead.
const ROWS: usize = 1024;
const AHEAD: usize = 4;
/// How many frequent values of a column are kept.
const EXAMPLES: usize = 5;
/// How many misfits of a shape are kept, and rows of a fault.
const KEPT: usize = 3;
/// A misfit's text is kept up to so many characters.
const CUT: usize = 60;
/// A column is of a kind when at least this share of its filled cells is.
const SHARE: f64 = 0.9;

/// What an input holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Data rows, without header and blank ones.
    pub rows: u64,
    /// Rows that are faulty as a whole, by the code of the fault; they count in no column.
    pub faults: BTreeMap<&'static str, Faulty>,
    /// What each column holds, in order.
    pub columns: Vec<ColumnProfile>,
}

/// Rows with one kind of fault.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faulty {
    /// How many.
    pub count: u64,
    /// The numbers of the first few.
    pub rows: Vec<u64>,
    /// What is wrong with the first, as a sentence.
    pub message: String,
}

/// What one column holds. Texts are taken without outer space.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnProfile {
    /// The column's name, or its letter where it has none.
    pub name: Arc<str>,
    /// The letters by which a spreadsheet program names it.
    pub letter: String,
    /// What most of its cells look like.
    pub shape: Shape,
    /// How many cells look like what; shapes that no cell has are left out.
    pub shapes: Vec<(Shape, u64)>,
    /// How many cells hold something.
    pub filled: u64,
    /// How many different values there are.
    pub distinct: u64,
    /// Whether that is exact; else it is within a few per cent.
    pub distinct_exact: bool,
    /// The shortest value, in characters.
    pub shortest: usize,
    /// The longest value, in characters.
    pub longest: usize,
    /// Cells with bytes that the encoding does not know.
    pub undecodable: u64,
    /// Frequent values with their counts, the most frequent first.
    pub examples: Vec<(String, u64)>,
    /// The least and the greatest value: of numbers and dates by what they mean, of texts by the
    /// alphabet; `None` where it cannot be told.
    pub range: Option<(String, String)>,
    /// The shape that most cells have where they are not enough to make it the column's.
    pub mostly: Option<Shape>,
    /// How many cells do not look like the others.
    pub misfits: u64,
    /// The first few of these: row and text.
    pub misfit_examples: Vec<(u64, String)>,
    /// What a spreadsheet program seems to have done to the column.
    pub damage: Vec<Finding>,
}

/// Reads the input through and tells what its columns hold.
///
/// # Errors
/// Where it cannot be read to its end.
pub fn profile(source: &Source) -> Result<Profile, SourceError> {
    let columns = source.header.names.len();
    let mut counts: Vec<Counts> = (0..columns)
        .map(|index| Counts::new(columns, &source.header.name(index)))
        .collect();
    let (mut rows, mut faults) = (0, BTreeMap::<_, Faulty>::new());
    // The next batches are read while one is counted, column beside column.
    std::thread::scope(|threads| {
        let (read, batches) = sync_channel::<RowBatch>(AHEAD);
        let reader = threads.spawn(move || {
            source.read(ROWS, &mut |batch| match read.send(batch) {
                Ok(()) => ControlFlow::Continue(()),
                Err(_) => ControlFlow::Break(()),
            })
        });
        for batch in batches {
            let mut sound = Vec::with_capacity(ROWS);
            for row in batch.rows() {
                rows += 1;
                let Some(fault) = row.fault() else {
                    sound.push(row);
                    continue;
                };
                let faulty = faults.entry(fault.code).or_default();
                faulty.count += 1;
                if faulty.rows.len() < KEPT {
                    faulty.rows.push(row.number());
                }
                if faulty.message.is_empty() {
                    faulty.message.clone_from(&fault.message);
                }
            }
            counts
                .par_iter_mut()
                .enumerate()
                .for_each(|(column, counts)| {
                    for row in &sound {
                        counts.add(row.number(), row.cell(column));
                    }
                });
        }
        reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })?;
    let columns = counts
        .into_iter()
        .enumerate()
        .map(|(index, counts)| counts.profile(source, index))
        .collect();
    Ok(Profile {
        rows,
        faults,
        columns,
    })
}

struct Counts {
    filled: u64,
    shapes: [u64; Shape::FILLED.len()],
    undecodable: u64,
    shortest: usize,
    longest: usize,
    distinct: Distinct,
    first: [Vec<(u64, String)>; Shape::FILLED.len()],
    range: Range,
    damage: Detector,
}

impl Counts {
    fn new(columns: usize, name: &str) -> Self {
        Self {
            filled: 0,
            shapes: [0; Shape::FILLED.len()],
            undecodable: 0,
            shortest: usize::MAX,
            longest: 0,
            distinct: Distinct::new(columns),
            first: Default::default(),
            range: Range::default(),
            damage: Detector::new(name),
        }
    }

    fn add(&mut self, row: u64, cell: crate::row::Cell<'_>) {
        let text = cell.text.trim();
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        self.undecodable += u64::from(cell.kind == crate::row::Kind::Undecodable);
        let shape = Shape::of(cell, text);
        self.shapes[shape as usize] += 1;
        let first = &mut self.first[shape as usize];
        if first.len() < KEPT {
            first.push((row, text.chars().take(CUT).collect()));
        }
        self.range.add(shape, text);
        self.damage.see(row, &cell);
        let length = text.chars().count();
        self.shortest = self.shortest.min(length);
        self.longest = self.longest.max(length);
        self.distinct.add(text);
    }

    fn profile(self, source: &Source, index: usize) -> ColumnProfile {
        let (distinct, distinct_exact) = self.distinct.count();
        let mut shapes: Vec<(Shape, u64)> = Shape::FILLED
            .into_iter()
            .map(|shape| (shape, self.shapes[shape as usize]))
            .filter(|(_, count)| *count > 0)
            .collect();
        shapes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let shape = judge(&shapes, self.filled);
        let mostly = shapes
            .first()
            .filter(|(most, count)| {
                shape == Shape::Text && *most != Shape::Text && *count * 2 > self.filled
            })
            .map(|(most, _)| *most);
        let (mut misfits, mut misfit_examples) = (0, Vec::new());
        for (other, count) in &shapes {
            if !fits(*other, mostly.unwrap_or(shape)) {
                misfits += count;
                misfit_examples.extend_from_slice(&self.first[*other as usize]);
            }
        }
        misfit_examples.sort();
        misfit_examples.truncate(KEPT);
        ColumnProfile {
            name: source.header.name(index),
            letter: source.header.letter(index),
            range: self.range.of(shape),
            shape,
            shapes,
            mostly,
            misfits,
            misfit_examples,
            damage: self.damage.findings(),
            filled: self.filled,
            distinct: distinct.min(self.filled),
            distinct_exact,
            shortest: if self.filled == 0 { 0 } else { self.shortest },
            longest: self.longest,
            undecodable: self.undecodable,
            examples: self.distinct.frequent(EXAMPLES),
        }
    }
}

/// What a column with these cells holds. Of shapes that go together the wider one counts:
/// whole numbers are decimals, dates are moments, some phone numbers are bare digits, and some ids
/// have no zero in front.
fn judge(shapes: &[(Shape, u64)], filled: u64) -> Shape {
    if filled == 0 {
        return Shape::Empty;
    }
    let count = |wanted: Shape| {
        shapes
            .iter()
            .find(|(shape, _)| *shape == wanted)
            .map_or(0, |(_, count)| *count)
    };
    let enough = |count: u64| count as f64 >= SHARE * filled as f64;
    let widened = |wider: Shape| {
        let companions: u64 = shapes
            .iter()
            .filter(|(shape, _)| fits(*shape, wider))
            .map(|(_, count)| count)
            .sum();
        count(wider) > 0 && enough(companions)
    };
    for shape in Shape::FILLED {
        if shape == Shape::Text || !enough(count(shape)) {
            continue;
        }
        // A few postal codes with a zero in front make a column of codes, and a few fractions one of
        // decimals.
        let wider: &[Shape] = match shape {
            Shape::Integer => &[Shape::Digits, Shape::Decimal],
            Shape::Date => &[Shape::DateTime],
            _ => &[],
        };
        let wider = wider.iter().find(|wider| widened(**wider));
        return wider.copied().unwrap_or(shape);
    }
    [Shape::Decimal, Shape::DateTime, Shape::Phone, Shape::Digits]
        .into_iter()
        .find(|wider| widened(*wider))
        .unwrap_or(Shape::Text)
}

/// Whether a cell that looks like `shape` is at home in a column of `column`.
fn fits(shape: Shape, column: Shape) -> bool {
    shape == column
        || match column {
            Shape::Text | Shape::Empty => true,
            Shape::Decimal => shape == Shape::Integer,
            Shape::DateTime => shape == Shape::Date,
            Shape::Phone => matches!(shape, Shape::Integer | Shape::Digits | Shape::Decimal),
            Shape::Digits => shape == Shape::Integer,
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use super::super::{Input, Options, open};
    use super::*;

    fn profiled(text: &str) -> Profile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        profile(&open(&Input::Path(path), &Options::default()).unwrap()).unwrap()
    }

    #[test]
    fn each_column_is_told() {
        let profile = profiled(
            "id,mail,phone,amount,note,gone\n1,a@b.org,5551234567,12,x,\n2,c@d.org,+1 555 123 4567,12.5, x ,\n3,,555-123-4567,3,yy,\n",
        );
        assert_eq!(profile.rows, 3);
        let told: Vec<_> = profile
            .columns
            .iter()
            .map(|column| (column.shape, column.filled, column.distinct))
            .collect();
        assert_eq!(
            told,
            [
                (Shape::Integer, 3, 3),
                (Shape::Email, 2, 2),
                (Shape::Phone, 3, 3),
                (Shape::Decimal, 3, 3),
                (Shape::Text, 3, 2),
                (Shape::Empty, 0, 0),
            ]
        );
        let note = &profile.columns[4];
        assert_eq!((note.shortest, note.longest), (1, 2));
        assert_eq!(note.examples[0], ("x".to_owned(), 2));
        assert_eq!(note.letter, "E");
    }

    #[test]
    fn a_few_of_a_wider_shape_make_the_column_of_it() {
        let mut text = "zip,amount,day\n".to_owned();
        for number in 10..30 {
            text.push_str(&format!("123{number},{number},2024-01-{number}\n"));
        }
        text.push_str("01234,7.5,2024-02-01 10:30\n");
        let shapes: Vec<_> = profiled(&text)
            .columns
            .iter()
            .map(|column| (column.shape, column.misfits))
            .collect();
        let expected = [Shape::Digits, Shape::Decimal, Shape::DateTime];
        assert_eq!(shapes, expected.map(|shape| (shape, 0)));
    }

    #[test]
    fn faulty_rows_are_counted_apart() {
        let profile = profiled("a,b\n1,2\n1,2,3\n1\n");
        assert_eq!(profile.rows, 3);
        let ragged = &profile.faults["row.ragged"];
        assert_eq!(
            (ragged.count, ragged.rows.as_slice()),
            (2, [3, 4].as_slice())
        );
        assert!(ragged.message.contains("has 3 cells"));
        assert_eq!(profile.faults.len(), 1);
        assert_eq!(profile.columns[0].filled, 1);
    }

    #[test]
    fn misfits_ranges_and_damage_are_told() {
        let mut text = "n,born,zip,half,word\n".to_owned();
        for day in 13..=28 {
            text.push_str(&format!(
                "{day},{day}/03/2024,0{}5{day},2024-01-{day},w{day}\n",
                day % 7
            ));
        }
        text.push_str("NaN,1/2/2023,123,x,a\n9,5/5/2025,456,y,zz\n");
        let profile = profiled(&text);
        let [n, born, zip, half, word] = &profile.columns[..] else {
            panic!("five columns");
        };
        assert_eq!((n.shape, n.misfits), (Shape::Integer, 1));
        assert_eq!(n.misfit_examples, [(18, "NaN".to_owned())]);
        let range = |column: &ColumnProfile| column.range.clone().unwrap();
        assert_eq!(range(n), ("9".to_owned(), "28".to_owned()));
        assert_eq!(range(born), ("1/2/2023".to_owned(), "5/5/2025".to_owned()));
        assert_eq!(range(word), ("a".to_owned(), "zz".to_owned()));
        assert_eq!((half.shape, half.mostly), (Shape::Text, Some(Shape::Date)));
        assert_eq!(
            half.misfit_examples,
            [(18, "x".to_owned()), (19, "y".to_owned())]
        );
        let codes: Vec<&str> = zip.damage.iter().map(Finding::code).collect();
        assert_eq!(codes, ["lost-zeros"]);
    }
}
