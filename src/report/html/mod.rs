//! The report as one self-contained HTML page: what it is made of, gathered while rows come by
//! ([`Collector`]), kept as [`Details`], and drawn ([`page()`]).
//!
//! Memory does not grow with the rows: problems are listed up to a cap, strips and the pace have
//! buckets whose width doubles.

mod collect;
mod columns;
mod details;
mod duplicates;
mod escape;
mod pace;
mod page;
mod parts;
mod picture;
mod problems;
mod strip;

pub use collect::{Collector, InputColumns, Twin};
pub use details::{ColumnDetails, Details, Kind, Listed, Pair, PairCell, Place};
pub use pace::PaceTrack;
pub use page::page;
pub use strip::{Bucket, Strips};

/// The most problems that a page lists one by one.
pub const LISTED: usize = 10_000;

/// The most problems of a run that the ledger keeps, by their places.
pub const KEPT: usize = 500;

/// The most pairs of duplicates that are shown side by side.
pub const PAIRS: usize = 50;
