//! Events and the summary, and how they are shown: terminal, JSON.

pub mod exit;
mod page;
mod progress;
mod summary;
mod tally;
mod terminal;
#[cfg(test)]
mod terminal_tests;
mod words;

pub use progress::{Event, Progress, ProgressMode};
pub use summary::{Estimate, Example, Fates, Files, InputSummary, IssueGroup, Requests, Summary};
pub use tally::Tally;
pub use terminal::terminal;
