//! The exit codes, part of the program's contract.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Every row is created, updated, unchanged or skipped, or pending because only some were asked for.
    Ok = 0,
    /// The run finished; some rows are in the reject file.
    Rejects = 1,
    /// The command line, mapping, target, ledger or input file is wrong: nothing was sent.
    Usage = 2,
    /// Stopped early: rows are pending, run again.
    Stopped = 3,
    /// A bug.
    Bug = 70,
    /// Another run holds the ledger.
    Locked = 75,
    /// Interrupted (SIGINT).
    Interrupted = 130,
    /// Terminated (SIGTERM).
    Terminated = 143,
}

impl Exit {
    /// The number that the operating system sees.
    pub fn code(self) -> u8 {
        self as u8
    }
}
