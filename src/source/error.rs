//! What can stop a file from being read. One bad row is never among them.

/// Why an input cannot be read. Each message is a sentence with the file's name and what to do,
/// and holds no cell of the file.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The file cannot be opened.
    #[error("{name} cannot be opened: {cause}. Check the file's name and its permissions.")]
    Open {
        /// The file as named by the user.
        name: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A folder was named where a file is needed.
    #[error("{name} is a folder. Name a CSV file or a workbook in it.")]
    Folder {
        /// The folder as named by the user.
        name: String,
    },
    /// The file was opened, and reading it failed.
    #[error("Reading {name} failed: {cause}. Nothing is wrong with its rows; run again.")]
    Read {
        /// The file as named by the user.
        name: String,
        /// What the operating system said.
        cause: std::io::Error,
    },
    /// A compressed file that cannot be unpacked, or holds something else than one table.
    #[error("{name} cannot be unpacked: {what}.")]
    Packed {
        /// The file as named by the user.
        name: String,
        /// Why, and what to do; without the full stop.
        what: String,
    },
    /// There is not even a header.
    #[error(
        "{name} is empty: there is no header and no row in it. Check that the right file was saved."
    )]
    Empty {
        /// The file as named by the user.
        name: String,
    },
    /// The sheet has no cell.
    #[error("Sheet {sheet:?} of {name} is empty: there is no header and no row in it.{others}")]
    EmptySheet {
        /// The file as named by the user.
        name: String,
        /// The sheet.
        sheet: String,
        /// A sentence about sheets that do have rows, or nothing.
        others: String,
    },
    /// The header row that was asked for is blank or beyond the end.
    #[error(
        "{name} has no header in row {row}: the row is blank or beyond the end. Give the number of the row that holds the column names, or leave it out to have it found."
    )]
    NoHeader {
        /// The file as named by the user.
        name: String,
        /// The row asked for.
        row: u64,
    },
    /// The line where the header is expected does not end within reason.
    #[error(
        "Line {line} of {name}, where the column names are expected, is longer than 1 MiB. Check that the file is a table, and its line ends and quotes."
    )]
    LongHeader {
        /// The file as named by the user.
        name: String,
        /// The line.
        line: u64,
    },
    /// More columns than any spreadsheet program has.
    #[error(
        "The header of {name} has {columns} columns; a spreadsheet has at most 16384. The delimiter may be wrong; name it: `delimiter` under [source] of the mapping file (columns: --delimiter)."
    )]
    TooWide {
        /// The file as named by the user.
        name: String,
        /// How many columns were found.
        columns: usize,
    },
    /// The workbook is protected by a password.
    #[error(
        "{name} is protected by a password. Open it in a spreadsheet program, save it without the password, and use that file."
    )]
    Encrypted {
        /// The file as named by the user.
        name: String,
    },
    /// The workbook is cut off or not well formed.
    #[error(
        "{name} is a damaged workbook ({what}). Open it in a spreadsheet program, let it repair the file, and save it again; or save the sheet as CSV."
    )]
    Damaged {
        /// The file as named by the user.
        name: String,
        /// What the reader met.
        what: String,
    },
    /// A binary file that is neither CSV nor a workbook that can be read.
    #[error("{name} cannot be read: it is {what}. Save the sheet as .xlsx or as CSV.")]
    Unsupported {
        /// The file as named by the user.
        name: String,
        /// What the file is.
        what: &'static str,
    },
    /// The workbook would take more memory than is reasonable.
    #[error("{name} was not opened: {what}. Save the sheet as CSV, which is read at any size.")]
    TooLarge {
        /// The file as named by the user.
        name: String,
        /// Which limit it passes.
        what: String,
    },
    /// A sheet was asked for that the workbook does not have.
    #[error("{name} has no sheet {sheet}. Its sheets are: {known}.")]
    NoSheet {
        /// The file as named by the user.
        name: String,
        /// The sheet as asked for.
        sheet: String,
        /// The names of the sheets there are.
        known: String,
    },
    /// A table was asked for that the workbook does not have.
    #[error("{name} has no table {table:?}: {known}.")]
    NoTable {
        /// The file as named by the user.
        name: String,
        /// The table as asked for.
        table: String,
        /// The tables there are, or what to do.
        known: String,
    },
    /// Sheets that are to be read together have different headers.
    #[error(
        "Sheets {first:?} and {second:?} of {name} do not have the same header, so they cannot be read as one. Name one of them as `sheet` under [source] of the mapping."
    )]
    SheetHeader {
        /// The file as named by the user.
        name: String,
        /// The sheet read first.
        first: String,
        /// The sheet that differs.
        second: String,
    },
    /// Standard input could not be kept for the second reading.
    #[error(
        "Standard input could not be kept in a temporary file: {cause}. Make room in the folder for temporary files (TMPDIR)."
    )]
    Spool {
        /// What the operating system said.
        cause: std::io::Error,
    },
}
