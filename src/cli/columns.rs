//! `rowferry columns`: what is in a file.

use std::io::{self, Write};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::report::exit::Exit;
use crate::source::profile::{ColumnProfile, Profile, profile};
use crate::source::{Facts, Input, Options, SheetChoice, SheetRef, Source, open};

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
            wanted: Vec::new(),
        },
    )?;
    let profile = profile(&source)?;
    let text = if args.json {
        format!("{:#}\n", json(&input, &source, &profile))
    } else {
        table(&input, &source, &profile)
    };
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(Exit::Ok),
    }
}

fn json(input: &Input, source: &Source, profile: &Profile) -> Value {
    let facts = match &source.facts {
        Facts::Csv(facts) => json!({
            "format": "csv",
            "delimiter": char::from(facts.delimiter).to_string(),
            "encoding": facts.encoding,
            "bom": facts.bom,
            "terminator": facts.terminator,
        }),
        Facts::Workbook(facts) => json!({
            "format": facts.format,
            "sheet": facts.sheet,
            "date_1904": facts.date_1904,
        }),
    };
    let mut object = json!({ "input": input.name() });
    let members = json!({
        "header_row": source.header.row,
        "rows": profile.rows,
        "faults": profile.faults,
        "notes": source.notes,
        "columns": profile.columns.iter().map(|column| column_json(column, profile.rows)).collect::<Vec<_>>(),
    });
    if let Value::Object(object) = &mut object {
        for part in [facts, members] {
            if let Value::Object(part) = part {
                object.extend(part);
            }
        }
    }
    object
}

fn column_json(column: &ColumnProfile, rows: u64) -> Value {
    let kinds: serde_json::Map<String, Value> = column
        .shapes
        .iter()
        .map(|(shape, count)| (shape.name().to_owned(), json!(count)))
        .collect();
    let examples: Vec<Value> = column
        .examples
        .iter()
        .map(|(value, count)| json!({ "value": value, "count": count }))
        .collect();
    json!({
        "name": &*column.name,
        "letter": column.letter,
        "kind": column.shape.name(),
        "kinds": kinds,
        "filled": column.filled,
        "share": share(column.filled, rows),
        "distinct": column.distinct,
        "distinct_exact": column.distinct_exact,
        "min_length": column.shortest,
        "max_length": column.longest,
        "undecodable": column.undecodable,
        "examples": examples,
    })
}

/// A share with four digits after the point.
fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 {
        0.0
    } else {
        (part as f64 / whole as f64 * 10_000.0).round() / 10_000.0
    }
}

/// Widest column of the table, in places of the terminal.
const WIDEST: usize = 40;

fn table(input: &Input, source: &Source, profile: &Profile) -> String {
    let mut out = String::new();
    let facts = match &source.facts {
        Facts::Csv(facts) => format!(
            "CSV, {} between cells, {}{}, lines end in {}",
            match facts.delimiter {
                b'\t' => "tab".to_owned(),
                byte => format!("{:?}", char::from(byte)),
            },
            facts.encoding,
            if facts.bom {
                " with byte order mark"
            } else {
                ""
            },
            match facts.terminator {
                "\r\n" => "CRLF",
                "\r" => "CR",
                _ => "LF",
            }
        ),
        Facts::Workbook(facts) => format!(
            "{} workbook, sheet {}{}",
            facts.format.to_uppercase(),
            facts.sheet,
            if facts.date_1904 {
                ", dates from 1904"
            } else {
                ""
            }
        ),
    };
    out.push_str(&format!("{}: {}\n", plain(&input.name()), plain(&facts)));
    out.push_str(&match source.header.row {
        0 => format!("no header, {} rows", profile.rows),
        row => format!("header in row {row}, {} rows below it", profile.rows),
    });
    out.push_str(&format!(", {} columns\n", profile.columns.len()));
    for (code, count) in &profile.faults {
        out.push_str(&format!("faulty rows: {count} ({code})\n"));
    }
    for note in &source.notes {
        out.push_str(&format!("note: {}\n", plain(note)));
    }
    out.push('\n');
    let mut lines = vec![
        [
            "", "column", "kind", "filled", "distinct", "length", "examples",
        ]
        .map(str::to_owned),
    ];
    for column in &profile.columns {
        lines.push(line(column, profile.rows));
    }
    let mut widths = [0; 7];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    for line in &lines {
        let mut text = String::new();
        for (index, (cell, width)) in line.iter().zip(widths).enumerate() {
            let gap = " ".repeat(width - cell.width());
            // Numbers stand to the right.
            let (before, after) = if matches!(index, 3..=5) {
                (gap.as_str(), "")
            } else {
                ("", gap.as_str())
            };
            text.push_str(&format!("{before}{cell}{after}  "));
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

fn line(column: &ColumnProfile, rows: u64) -> [String; 7] {
    let mut left = WIDEST * 2;
    let mut examples = Vec::new();
    for (value, count) in &column.examples {
        let mut example = cut(&plain(value));
        if *count > 1 {
            example.push_str(&format!(" ×{count}"));
        }
        if example.width() > left {
            break;
        }
        left -= example.width();
        examples.push(example);
    }
    let about = if column.distinct_exact { "" } else { "~" };
    [
        column.letter.clone(),
        cut(&plain(&column.name)),
        column.shape.name().to_owned(),
        format!("{:.0} %", (share(column.filled, rows) * 100.0).floor()),
        format!("{about}{}", column.distinct),
        if column.shortest == column.longest {
            column.longest.to_string()
        } else {
            format!("{}–{}", column.shortest, column.longest)
        },
        examples.join(" · "),
    ]
}

/// A text of a file without anything that would steer the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' => '⏎',
            character if character.is_control() => '·',
            character => character,
        })
        .collect()
}

fn cut(text: &str) -> String {
    if text.width() <= WIDEST {
        return text.to_owned();
    }
    let mut kept = String::new();
    for character in text.chars() {
        kept.push(character);
        if kept.width() >= WIDEST {
            kept.pop();
            break;
        }
    }
    kept.push('…');
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_at(text: &str) -> (Input, Source, Profile, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.csv");
        std::fs::write(&path, text).unwrap();
        let input = Input::Path(path);
        let source = open(&input, &Options::default()).unwrap();
        let profile = profile(&source).unwrap();
        (input, source, profile, folder)
    }

    #[test]
    fn the_table_tells_what_is_there() {
        let (input, source, profile, _folder) =
            looked_at("id;mail;note\r\n1;a@b.org;\"two\nlines\"\r\n2;c@d.org;\u{1b}[31m\r\n");
        let table = table(&input, &source, &profile);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].ends_with("x.csv: CSV, ';' between cells, UTF-8, lines end in CRLF"));
        assert_eq!(lines[1], "header in row 1, 2 rows below it, 3 columns");
        assert_eq!(
            lines[3],
            "   column  kind     filled  distinct  length  examples"
        );
        assert_eq!(
            lines[5],
            "B  mail    email     100 %         2       7  a@b.org · c@d.org"
        );
        assert!(lines[6].ends_with("two⏎lines · ·[31m"), "{}", lines[6]);
    }

    #[test]
    fn json_tells_the_same() {
        let (input, source, profile, _folder) = looked_at("id,mail\n1,a@b.org\n2,\n3,4,5\n");
        let json = json(&input, &source, &profile);
        assert_eq!(json["format"], "csv");
        assert_eq!(json["delimiter"], ",");
        assert_eq!((&json["header_row"], &json["rows"]), (&json!(1), &json!(3)));
        assert_eq!(json["faults"], json!({ "row.ragged": 1 }));
        assert_eq!(json["columns"][1]["kind"], "email");
        assert_eq!(json["columns"][1]["filled"], 1);
        assert_eq!(json["columns"][1]["share"], 0.3333);
        assert_eq!(
            json["columns"][0]["examples"][0],
            json!({ "value": "1", "count": 1 })
        );
    }

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

    #[test]
    fn long_texts_are_cut_to_width() {
        assert_eq!(cut("short"), "short");
        assert!(cut(&"漢".repeat(80)).width() <= WIDEST);
    }
}
