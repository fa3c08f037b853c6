//! Events and the summary, and how they are shown: terminal, JSON.

pub mod again;
pub mod exit;
mod frame;
pub mod html;
mod issues;
pub(crate) mod page;
mod progress;
pub mod redact;
pub mod schema;
mod suggest;
mod summary;
mod tally;
mod terminal;
#[cfg(test)]
mod terminal_tests;
mod terse;
mod words;

pub use issues::{IssueLine, IssueWriter};
pub use progress::{Event, PaceNow, Progress, ProgressHandle, ProgressMode};
pub use suggest::Suggestion;
pub use summary::{
    Estimate, Example, Fates, Files, InputSummary, IssueGroup, LeftRow, LeftRows, Requests, Summary,
};
pub use tally::{GroupCount, Tally};
pub use terminal::{terminal, terminal_in};
