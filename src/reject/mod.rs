//! Reject and results files.
//!
//! The reject file has the source's columns with the same cell text, then [`ADDED`]. Several codes
//! or problems of a row are separated by [`SEPARATOR`]. Cells that a spreadsheet program would run
//! as a formula are written by [`escape`], in every column and in the header; [`unescape`] takes it
//! off. In the results file only `note` is written so: `key` and `id` are looked up by their text
//! and stay as they are.

mod book;
#[cfg(test)]
mod book_tests;
mod causes;
mod convert;
mod csv;
mod file;
mod looks;
mod registry;
mod rejects;
mod results;
mod shown;
mod text;
mod words;

pub use book::Look;
pub use csv::{Dialect, Quoting};
pub use file::{Ours, Written, remove_own};
pub use registry::Registry;
pub use rejects::{ADDED, Form, RejectWriter, SEPARATOR};
pub use results::{COLUMNS, ResultsWriter};
pub use text::{escape, reject_name, results_name, unescape};

#[cfg(test)]
mod tests;
