//! Moments of an import at which a test ends the process, to see that the next run finishes the work.
//! A release build has none of this: there [`at`] is empty, and no variable is read.
//!
//! `ROWFERRY_FAULT=answer.read:3` ends a debug build at the third time that it comes to `answer.read`.

use std::future::Future;

macro_rules! points {
    ($($variant:ident $name:literal, $moment:literal, $next:literal;)*) => {
        /// A moment, between two steps of what an import writes and sends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Point {
            $(#[doc = $moment] $variant,)*
        }

        impl Point {
            /// All of them, in the order in which a row comes to them.
            pub const ALL: &[Point] = &[$(Point::$variant,)*];

            /// Its name in `ROWFERRY_FAULT`, in tests and in the documents.
            pub fn name(self) -> &'static str {
                match self { $(Point::$variant => $name,)* }
            }

            /// What was done last, in words.
            pub fn moment(self) -> &'static str {
                match self { $(Point::$variant => $moment,)* }
            }

            /// What the next run does, in words.
            pub fn next(self) -> &'static str {
                match self { $(Point::$variant => $next,)* }
            }
        }
    };
}

points! {
    RunBegun "run.begun", "the run stands in the ledger, no row was sent", "sends all rows";
    TokenIssued "token.issued", "a new refresh token came, its file holds the old one", "goes on if the target still takes the old one; else it says that the target does not let us in";
    TokenKept "token.kept", "the new refresh token is in its file", "uses it";
    AskBefore "ask.before", "the target is about to be asked for a record", "asks";
    AskAfter "ask.after", "the target's answer to a question was read", "asks again";
    ChangeRead "change.read", "the record to be changed was read and merged with the row", "reads and merges again";
    BatchGathered "batch.gathered", "the rows of a batch are together, nothing of them is noted", "sends them";
    IntentBefore "intent.before", "a request is ready, the ledger does not know of it", "sends it";
    IntentAfter "intent.after", "the ledger holds that the request is about to leave, it did not leave", "finds out what became of it";
    RequestLeft "request.left", "the request left, no answer came", "finds out what became of it";
    AnswerRead "answer.read", "the answer was read, the ledger does not hold it", "finds out what became of the request";
    CommitBefore "commit.before", "the ledger wrote, and did not commit", "sees the ledger as it was before";
    CommitAfter "commit.after", "the ledger committed, nobody was told", "sees what was committed";
    OutcomeAfter "outcome.after", "the ledger holds what became of a row, the row is not done", "takes it from the ledger";
    AbsentAfter "absent.after", "the ledger holds that a request was not carried out, it was not repeated", "sends it";
    BatchSplit "batch.split", "a batch was refused as a whole, its halves were not sent", "sends the rows in new batches";
    BatchSettled "batch.settled", "the ledger holds what an answer said of each row of a batch", "takes that from the ledger and looks up what was not named";
    RejectsReady "rejects.ready", "all rows are done, no file has its name", "writes the files again";
    ResultsReady "results.ready", "the reject file has its name, the results file not", "writes both again";
    RegistryBefore "registry.before", "both files have their names, nobody noted that they are there", "replaces them: before it got its name, each was noted as ours";
    RegistryAfter "registry.after", "both files are noted as being there", "replaces them";
    RunEnded "run.ended", "the run's end is about to be noted", "finds every row settled";
    LedgerClosing "ledger.closing", "the run's end is noted, the ledger is not folded into one file", "folds it";
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::Point;

    /// The point and the time that the environment names.
    fn wanted() -> Option<(Point, u32)> {
        static WANTED: OnceLock<Option<(Point, u32)>> = OnceLock::new();
        *WANTED.get_or_init(|| {
            let text = std::env::var("ROWFERRY_FAULT").ok()?;
            let (name, time) = text.split_once(':')?;
            let point = Point::ALL.iter().find(|point| point.name() == name)?;
            Some((*point, time.parse().ok()?))
        })
    }

    /// Whether this is the point and the time.
    pub(super) fn now(point: Point) -> bool {
        static SEEN: AtomicU32 = AtomicU32::new(0);
        wanted().is_some_and(|(wanted, time)| {
            wanted == point && SEEN.fetch_add(1, Ordering::Relaxed) + 1 == time
        })
    }
}

/// Ends the process here if a test wants it: nothing is flushed, nothing is dropped.
#[cfg(debug_assertions)]
pub(crate) fn at(point: Point) {
    if armed::now(point) {
        std::process::abort();
    }
}

/// Ends the process here if a test wants it; in a release build: nothing.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn at(_: Point) {}

/// Awaits the answer to a request. If a test wants it, the process ends while that is under way.
#[cfg(debug_assertions)]
pub(crate) async fn under_way<F: Future>(request: F) -> F::Output {
    if armed::now(Point::RequestLeft) {
        // By then the request left; the answer may be there, but was not read.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(40), request).await;
        std::process::abort();
    }
    request.await
}

/// Awaits the answer to a request.
#[cfg(not(debug_assertions))]
#[inline(always)]
pub(crate) fn under_way<F: Future>(request: F) -> F {
    request
}
