//! Events and the summary, and how they are shown: terminal, JSON.

pub mod exit;
pub(crate) mod page;
mod progress;
pub mod schema;
mod summary;
mod tally;
mod terminal;
#[cfg(test)]
mod terminal_tests;
mod words;

pub use progress::{Event, PaceNow, Progress, ProgressHandle, ProgressMode};
pub use summary::{
    Estimate, Example, Fates, Files, InputSummary, IssueGroup, LeftRow, LeftRows, Requests, Summary,
};
pub use tally::{GroupCount, Tally};
pub use terminal::terminal;
