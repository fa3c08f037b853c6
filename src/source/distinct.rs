//! How many different values a column has, and which are frequent, in constant memory.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hash, Hasher};

/// So many values of a column are kept, with how often each stands there.
pub(super) const EXACT: usize = 10_000;
/// So many more are counted exactly.
const COUNTED: usize = 250_000;
/// And so many in all columns together, so that a very wide file does not fill the memory.
const IN_ALL: usize = 2_000_000;
/// Longer values are shown cut.
const KEPT: usize = 120;
/// Registers of the estimate: an error of 1.04/√4096 = 1.6 % (Flajolet et al., HyperLogLog, 2007).
const REGISTERS: usize = 4096;

/// Passes on a key that is a hash already.
#[derive(Debug, Default)]
struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(byte);
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[derive(Debug)]
struct Seen {
    count: u64,
    order: u32,
    text: Box<str>,
}

/// Counts the different values of one column.
#[derive(Debug)]
pub(super) struct Distinct {
    limit: usize,
    seen: HashMap<u64, Seen, BuildHasherDefault<AlreadyHashed>>,
    /// Values beyond those, as long as there are not too many.
    others: HashSet<u64, BuildHasherDefault<AlreadyHashed>>,
    counted: usize,
    full: bool,
    registers: Box<[u8]>,
}

impl Distinct {
    /// For one of so many columns.
    pub(super) fn new(columns: usize) -> Self {
        let share = IN_ALL / columns.max(1);
        Self {
            limit: EXACT.min(share),
            counted: COUNTED.min(share),
            others: HashSet::default(),
            seen: HashMap::default(),
            full: false,
            registers: Box::default(),
        }
    }

    pub(super) fn add(&mut self, text: &str) {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        let hash = hasher.finish();
        if self.full {
            self.register(hash);
        }
        if let Some(seen) = self.seen.get_mut(&hash) {
            seen.count += 1;
        } else if self.full {
        } else if self.seen.len() < self.limit {
            let order = self.seen.len() as u32;
            let text = match text.char_indices().nth(KEPT) {
                Some((at, _)) => format!("{}…", &text[..at]).into(),
                None => text.into(),
            };
            self.seen.insert(
                hash,
                Seen {
                    count: 1,
                    order,
                    text,
                },
            );
        } else if self.others.contains(&hash) {
        } else if self.others.len() < self.counted {
            self.others.insert(hash);
        } else {
            self.full = true;
            self.registers = vec![0; REGISTERS].into();
            let others = std::mem::take(&mut self.others);
            let hashes: Vec<u64> = self.seen.keys().copied().chain(others).collect();
            hashes.into_iter().for_each(|hash| self.register(hash));
            self.register(hash);
        }
    }

    fn register(&mut self, hash: u64) {
        let bits = REGISTERS.trailing_zeros();
        let register = (hash >> (64 - bits)) as usize;
        let zeros = ((hash << bits).leading_zeros() as u8).min(64 - bits as u8) + 1;
        self.registers[register] = self.registers[register].max(zeros);
    }

    /// How many different values, and whether that is exact.
    pub(super) fn count(&self) -> (u64, bool) {
        if !self.full {
            return ((self.seen.len() + self.others.len()) as u64, true);
        }
        let m = REGISTERS as f64;
        let sum: f64 = self
            .registers
            .iter()
            .map(|zeros| (-f64::from(*zeros)).exp2())
            .sum();
        let raw = 0.7213 / (1.0 + 1.079 / m) * m * m / sum;
        let empty = self.registers.iter().filter(|zeros| **zeros == 0).count();
        let estimate = if raw <= 2.5 * m && empty > 0 {
            m * (m / empty as f64).ln()
        } else {
            raw
        };
        (estimate.round() as u64, false)
    }

    /// The most frequent of the values told apart, with their counts; of equally frequent ones
    /// the first seen.
    pub(super) fn frequent(&self, limit: usize) -> Vec<(String, u64)> {
        let mut all: Vec<&Seen> = self.seen.values().collect();
        all.sort_unstable_by_key(|seen| (std::cmp::Reverse(seen.count), seen.order));
        all.into_iter()
            .take(limit)
            .map(|seen| (seen.text.to_string(), seen.count))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_counted_exactly_and_many_nearly() {
        let mut few = Distinct::new(1);
        for text in ["b", "a", "b", "c"] {
            few.add(text);
        }
        assert_eq!(few.count(), (3, true));
        assert_eq!(few.frequent(2), [("b".to_owned(), 2), ("a".to_owned(), 1)]);
        // One of 2,000 columns: 1,000 values are kept, and 1,000 more counted.
        let mut many = Distinct::new(2000);
        for number in 0..200_000 {
            if number == 2000 {
                assert_eq!(many.count(), (2000, true));
            }
            many.add(&(number % 100_000).to_string());
        }
        let (count, exact) = many.count();
        assert!(!exact);
        assert!((95_000..105_000).contains(&count), "{count}");
        assert_eq!((many.seen.len(), many.others.len()), (1000, 0));
    }

    #[test]
    fn long_values_are_kept_cut() {
        let mut distinct = Distinct::new(1);
        distinct.add(&"é".repeat(500));
        assert_eq!(distinct.frequent(1)[0].0.chars().count(), KEPT + 1);
    }
}
