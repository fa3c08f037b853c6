//! What the columns of an input hold, found in one reading and constant memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use super::distinct::{Distinct, EXACT};
use super::{Source, SourceError};
use crate::row::RowBatch;

pub use super::shape::Shape;

/// Values told apart in all columns together, so that a very wide file does not fill the memory.
const EXACT_IN_ALL: usize = 2_000_000;
/// How many frequent values of a column are kept.
const EXAMPLES: usize = 5;
/// A column is of a kind when at least this share of its filled cells is.
const SHARE: f64 = 0.9;

/// What an input holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Data rows, without header and blank ones.
    pub rows: u64,
    /// Rows that are faulty as a whole, by the code of the fault; they count in no column.
    pub faults: BTreeMap<&'static str, u64>,
    /// What each column holds, in order.
    pub columns: Vec<ColumnProfile>,
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
}

/// Reads the input through and tells what its columns hold.
///
/// # Errors
/// Where it cannot be read to its end.
pub fn profile(source: &Source) -> Result<Profile, SourceError> {
    let columns = source.header.names.len();
    let limit = EXACT.min(EXACT_IN_ALL / columns.max(1));
    let mut counts: Vec<Counts> = (0..columns).map(|_| Counts::new(limit)).collect();
    let (mut rows, mut faults) = (0, BTreeMap::new());
    source.read(1024, &mut |batch: RowBatch| {
        for row in batch.rows() {
            rows += 1;
            if let Some(fault) = row.fault() {
                *faults.entry(fault.code).or_default() += 1;
                continue;
            }
            for (cell, counts) in row.cells().zip(&mut counts) {
                counts.add(cell);
            }
        }
        ControlFlow::Continue(())
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
}

impl Counts {
    fn new(limit: usize) -> Self {
        Self {
            filled: 0,
            shapes: [0; Shape::FILLED.len()],
            undecodable: 0,
            shortest: usize::MAX,
            longest: 0,
            distinct: Distinct::new(limit),
        }
    }

    fn add(&mut self, cell: crate::row::Cell<'_>) {
        let text = cell.text.trim();
        if text.is_empty() {
            return;
        }
        self.filled += 1;
        self.undecodable += u64::from(cell.kind == crate::row::Kind::Undecodable);
        self.shapes[Shape::of(cell, text) as usize] += 1;
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
        ColumnProfile {
            name: source.header.name(index),
            letter: source.header.letter(index),
            shape: judge(&shapes, self.filled),
            shapes,
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
    for shape in Shape::FILLED {
        if shape != Shape::Text && enough(count(shape)) {
            return shape;
        }
    }
    for (wider, narrower) in [
        (Shape::Decimal, [Shape::Integer].as_slice()),
        (Shape::DateTime, &[Shape::Date]),
        (
            Shape::Phone,
            &[Shape::Integer, Shape::Digits, Shape::Decimal],
        ),
        (Shape::Digits, &[Shape::Integer]),
    ] {
        let companions: u64 = narrower.iter().map(|shape| count(*shape)).sum();
        if count(wider) > 0 && enough(count(wider) + companions) {
            return wider;
        }
    }
    Shape::Text
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
    fn faulty_rows_are_counted_apart() {
        let profile = profiled("a,b\n1,2\n1,2,3\n1\n");
        assert_eq!(profile.rows, 3);
        assert_eq!(profile.faults, BTreeMap::from([("row.ragged", 2)]));
        assert_eq!(profile.columns[0].filled, 1);
    }
}
