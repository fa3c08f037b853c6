//! `rowferry columns`: what is in a file.

use std::io::{self, IsTerminal, Write};

use crate::report::exit::Exit;
use crate::report::page::Page;
#[cfg(test)]
use crate::source::Source;
use crate::source::profile::{Profile, profile};
use crate::source::{Input, Options, SheetChoice, SheetRef, open};

mod json;
mod page;

pub(super) use page::facts;

/// Arguments of `rowferry columns`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The file to look at: CSV, XLSX, XLSB, XLS or ODS; `-` for standard input
    pub input: String,
    /// Print one JSON object instead of a table
    #[arg(long)]
    pub json: bool,
    /// Sheet of a workbook, by name or number; repeatable; `*` for all [default: the first visible]
    #[arg(long, value_name = "SHEET")]
    pub sheet: Vec<String>,
    /// Row that holds the column names; 0 if there is none [default: found]
    #[arg(long, value_name = "N")]
    pub header_row: Option<u64>,
    /// Character between cells of a CSV file; `tab` for the tabulator [default: found]
    #[arg(long, value_name = "C", value_parser = delimiter)]
    pub delimiter: Option<u8>,
    /// Encoding of a CSV file, such as windows-1252 [default: found]
    #[arg(long, value_name = "NAME", value_parser = encoding)]
    pub encoding: Option<&'static encoding_rs::Encoding>,
}

/// Reads a delimiter from the command line.
fn delimiter(text: &str) -> Result<u8, String> {
    match text.as_bytes() {
        b"tab" | b"\\t" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Ok(*byte),
        _ => Err("give one character that is not a quote or a letter with an accent".to_owned()),
    }
}

/// Reads an encoding's name from the command line.
fn encoding(text: &str) -> Result<&'static encoding_rs::Encoding, String> {
    encoding_rs::Encoding::for_label(text.as_bytes()).ok_or_else(|| {
        "there is no such encoding; examples are utf-8, windows-1252, iso-8859-2, utf-16le"
            .to_owned()
    })
}

fn sheets(names: &[String]) -> SheetChoice {
    match names {
        [] => SheetChoice::FirstVisible,
        [all] if all == "*" => SheetChoice::All,
        names => SheetChoice::These(
            names
                .iter()
                .map(|name| match name.parse() {
                    Ok(number) => SheetRef::Number(number),
                    Err(_) => SheetRef::Name(name.clone()),
                })
                .collect(),
        ),
    }
}

/// Looks at the file and prints what is in it on standard output.
///
/// # Errors
/// Where the file cannot be read; a pipe closed by its reader is no error.
pub(super) fn run(args: Args) -> Result<Exit, anyhow::Error> {
    let input = Input::parse(&args.input);
    let source = open(
        &input,
        &Options {
            sheets: sheets(&args.sheet),
            header_row: args.header_row,
            delimiter: args.delimiter,
            encoding: args.encoding,
            ..Options::default()
        },
    )?;
    let profile = profile(&source)?;
    let text = if args.json {
        format!("{:#}\n", json::json(&input, &source, &profile))
    } else {
        page::table(&input, &source, &profile, Page::new(width(), colour()))
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Ok),
    }
}

/// How many rows are not at fault as a whole; columns are told by those.
fn sound(profile: &Profile) -> u64 {
    profile.rows
        - profile
            .faults
            .values()
            .map(|faulty| faulty.count)
            .sum::<u64>()
}

/// A share with four digits after the point.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0
    }
}

/// How wide standard output is; a file or a pipe has room.
fn width() -> usize {
    let said = std::env::var("COLUMNS")
        .ok()
        .and_then(|columns| columns.parse().ok());
    said.or_else(|| {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| usize::from(width.0))
    })
    .unwrap_or(120)
}

/// Whether standard output takes colour.
fn colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
        && io::stdout().is_terminal()
}

/// A file with this text, looked at.
#[cfg(test)]
fn looked_at(text: &str) -> (Input, Source, Profile, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.csv");
    std::fs::write(&path, text).unwrap();
    let input = Input::Path(path);
    let source = open(&input, &Options::default()).unwrap();
    let profile = profile(&source).unwrap();
    (input, source, profile, folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read() {
        assert_eq!(delimiter("tab"), Ok(b'\t'));
        assert_eq!(delimiter(";"), Ok(b';'));
        assert!(delimiter("ab").is_err());
        assert!(delimiter("\"").is_err());
        assert_eq!(encoding("latin1").unwrap().name(), "windows-1252");
        assert!(encoding("klingon").is_err());
        assert_eq!(sheets(&["*".to_owned()]), SheetChoice::All);
        assert_eq!(
            sheets(&["2".to_owned(), "Clients".to_owned()]),
            SheetChoice::These(vec![
                SheetRef::Number(2),
                SheetRef::Name("Clients".to_owned())
            ])
        );
    }
}
