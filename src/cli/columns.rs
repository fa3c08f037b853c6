//! `rowferry columns`: what is in a file.

use std::io::{self, IsTerminal, Write};

use serde_json::{Value, json};
use unicode_width::UnicodeWidthStr;

use crate::report::exit::Exit;
use crate::report::page::{Page, Style, cut};
use crate::source::profile::{ColumnProfile, Profile, Shape, profile};
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
            ..Options::default()
        },
    )?;
    let profile = profile(&source)?;
    let text = if args.json {
        format!("{:#}\n", json(&input, &source, &profile))
    } else {
        table(&input, &source, &profile, Page::new(width(), colour()))
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
            "packed": source.packed,
            "delimiter": char::from(facts.delimiter).to_string(),
            "quote": char::from(facts.quote).to_string(),
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
    let faults: serde_json::Map<String, Value> = profile
        .faults
        .iter()
        .map(|(code, faulty)| ((*code).to_owned(), json!(faulty.count)))
        .collect();
    let faulty: Vec<Value> = profile
        .faults
        .iter()
        .map(|(code, faulty)| {
            json!({
                "code": code,
                "count": faulty.count,
                "rows": faulty.rows,
                "message": faulty.message,
            })
        })
        .collect();
    let mut object = json!({ "input": input.name() });
    let members = json!({
        "header_row": source.header.row,
        "rows": profile.rows,
        "faults": faults,
        "faulty_rows": faulty,
        "notes": source.notes,
        "columns": profile.columns.iter().map(|column| column_json(column, sound(profile))).collect::<Vec<_>>(),
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
    let misfits: Vec<Value> = column
        .misfit_examples
        .iter()
        .map(|(row, value)| json!({ "row": row, "value": value }))
        .collect();
    let damage: Vec<Value> = column
        .damage
        .iter()
        .map(|finding| {
            json!({
                "code": finding.code(),
                "count": finding.count,
                "rows": finding.rows,
                "message": finding.message(),
                "help": finding.help(),
                "mapping": finding.mend(),
            })
        })
        .collect();
    let (least, most) = column.range.clone().unzip();
    json!({
        "name": &*column.name,
        "letter": column.letter,
        "kind": column.shape.name(),
        "mostly": column.mostly.map(Shape::name),
        "kinds": kinds,
        "filled": column.filled,
        "share": share(column.filled, rows),
        "distinct": column.distinct,
        "distinct_exact": column.distinct_exact,
        "min": least,
        "max": most,
        "min_length": column.shortest,
        "max_length": column.longest,
        "undecodable": column.undecodable,
        "examples": examples,
        "misfits": column.misfits,
        "misfit_examples": misfits,
        "damage": damage,
    })
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

/// The widest that a column's name or one example is shown, in places of the terminal.
const WIDEST: usize = 40;
/// Less than this of examples is not worth a place in the line.
const NARROWEST: usize = 16;

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

fn facts(source: &Source) -> String {
    match &source.facts {
        Facts::Csv(facts) => {
            let delimiter = match facts.delimiter {
                b'\t' => "tab".to_owned(),
                byte if byte.is_ascii_control() => format!("byte {byte}"),
                byte => format!("{:?}", char::from(byte)),
            };
            let mark = if facts.bom {
                " with byte order mark"
            } else {
                ""
            };
            let quote = match facts.quote {
                b'"' => String::new(),
                byte => format!(", {} around cells", char::from(byte)),
            };
            let end = match facts.terminator {
                "\r\n" => "CRLF",
                "\r" => "CR",
                _ => "LF",
            };
            let packed = source
                .packed
                .map_or(String::new(), |packed| format!(", packed with {packed}"));
            format!(
                "CSV, {delimiter} between cells{quote}, {}{mark}, lines end in {end}{packed}",
                facts.encoding
            )
        }
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
    }
}

/// `1 row`, `18,148 rows`
fn counted(count: u64, what: &str) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{text} {what}{}", if count == 1 { "" } else { "s" })
}

fn numbers(rows: &[u64], count: u64) -> String {
    let shown: Vec<String> = rows.iter().map(u64::to_string).collect();
    format!(
        "row{} {}{}",
        if count == 1 { "" } else { "s" },
        shown.join(", "),
        if count > rows.len() as u64 {
            " …"
        } else {
            ""
        }
    )
}

fn table(input: &Input, source: &Source, profile: &Profile, mut page: Page) -> String {
    page.put(&plain(&input.name()), Style::Strong);
    page.put(": ", Style::Plain);
    page.wrapped(&plain(&facts(source)), 0, 2, Style::Plain);
    let rows = counted(profile.rows, "row");
    let columns = counted(profile.columns.len() as u64, "column");
    page.line_whole(
        &match source.header.row {
            0 => format!("no header, {rows}, {columns}"),
            row => format!("header in row {row}, {rows} below it, {columns}"),
        },
        0,
    );
    for note in &source.notes {
        page.put("note: ", Style::Doubtful);
        page.wrapped(&plain(note), 0, 6, Style::Plain);
    }
    for (code, faulty) in &profile.faults {
        page.put(
            &format!("{} at fault, {code}: ", counted(faulty.count, "row")),
            Style::Bad,
        );
        let message = format!(
            "{}: {}",
            numbers(&faulty.rows, faulty.count),
            plain(&faulty.message)
        );
        page.wrapped(&message, 0, 2, Style::Plain);
    }
    page.gap();
    lines(profile, &mut page);
    damage(profile, &mut page);
    page.finish()
}

const HEAD: [&str; 6] = ["", "column", "kind", "filled", "distinct", "length"];

fn lines(profile: &Profile, page: &mut Page) {
    let lines: Vec<[String; 6]> = std::iter::once(HEAD.map(str::to_owned))
        .chain(
            profile
                .columns
                .iter()
                .map(|column| line(column, sound(profile))),
        )
        .collect();
    let mut widths = [0; 6];
    for line in &lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.width().max(*width);
        }
    }
    let around = |widths: &[usize; 6]| widths.iter().sum::<usize>() + 2 * widths.len();
    // Names give way before examples do.
    let missing = (around(&widths) + NARROWEST).saturating_sub(page.width());
    widths[1] = widths[1].saturating_sub(missing).max(12.min(widths[1]));
    let room = page.width().saturating_sub(around(&widths));
    for (index, line) in lines.iter().enumerate() {
        for (place, (cell, width)) in line.iter().zip(widths).enumerate() {
            let cell = cut(cell, width);
            let gap = " ".repeat(width.saturating_sub(cell.width()));
            let style = match (index, place) {
                (0, _) | (_, 0) => Style::Dim,
                (_, 1) => Style::Strong,
                _ => Style::Plain,
            };
            // Numbers stand to the right.
            if matches!(place, 3..=5) {
                page.put(&gap, Style::Plain);
                page.put(&cell, style);
            } else {
                page.put(&cell, style);
                page.put(&gap, Style::Plain);
            }
            page.put("  ", Style::Plain);
        }
        match index.checked_sub(1).map(|index| &profile.columns[index]) {
            None => page.put(if room < 6 { "" } else { "values" }, Style::Dim),
            Some(column) => page.put(&values(column, room), Style::Plain),
        }
        page.end();
        if let Some(column) = index.checked_sub(1).map(|index| &profile.columns[index])
            && column.misfits > 0
        {
            misfits(column, widths[0] + 2, page);
        }
    }
}

fn line(column: &ColumnProfile, rows: u64) -> [String; 6] {
    let about = if column.distinct_exact { "" } else { "~" };
    let kind = match column.mostly {
        Some(mostly) => format!("{}?", mostly.name()),
        None => column.shape.name().to_owned(),
    };
    [
        column.letter.clone(),
        cut(&plain(&column.name), WIDEST).into_owned(),
        kind,
        format!("{:.0} %", (share(column.filled, rows) * 100.0).floor()),
        format!("{about}{}", column.distinct),
        if column.shortest == column.longest {
            column.longest.to_string()
        } else {
            format!("{}–{}", column.shortest, column.longest)
        },
    ]
}

/// The range of numbers and dates, then values, the frequent ones first, as many as there is room.
fn values(column: &ColumnProfile, room: usize) -> String {
    let mut text = String::new();
    let ordered = !matches!(column.shape, Shape::Text | Shape::Email | Shape::Url);
    if ordered
        && column.distinct > 1
        && let Some((least, most)) = &column.range
    {
        let range = format!("{} … {}", plain(least), plain(most));
        if range.width() <= room {
            text = range;
        }
        if !text.is_empty() && column.examples.first().is_none_or(|(_, count)| *count < 2) {
            return text;
        }
    }
    for (value, count) in &column.examples {
        let mut example = cut(&plain(value), WIDEST).into_owned();
        if *count > 1 {
            example.push_str(&format!(" ×{count}"));
        }
        let gap = match text.as_str() {
            "" => "",
            _ => " · ",
        };
        if text.width() + gap.width() + example.width() > room {
            break;
        }
        text.push_str(gap);
        text.push_str(&example);
    }
    if text.is_empty()
        && let Some((value, _)) = column.examples.first()
    {
        return cut(&plain(value), room).into_owned();
    }
    text
}

fn misfits(column: &ColumnProfile, indent: usize, page: &mut Page) {
    let shape = column.mostly.unwrap_or(column.shape).name();
    let examples: Vec<String> = column
        .misfit_examples
        .iter()
        .map(|(row, text)| format!("{} (row {row})", cut(&plain(text), WIDEST)))
        .collect();
    let more = if column.misfits > examples.len() as u64 {
        " …"
    } else {
        ""
    };
    let are = if column.misfits == 1 { "is" } else { "are" };
    let text = format!(
        "{} {are} no {shape}: {}{more}",
        counted(column.misfits, "value"),
        examples.join(", ")
    );
    page.wrapped(&text, indent, indent + 2, Style::Doubtful);
}

fn damage(profile: &Profile, page: &mut Page) {
    let damaged = || {
        profile
            .columns
            .iter()
            .filter(|column| !column.damage.is_empty())
    };
    if damaged().next().is_none() {
        return;
    }
    page.title("Worth a look before an import");
    for column in damaged() {
        for finding in &column.damage {
            page.put(&format!("  {} ", column.letter), Style::Dim);
            page.put(&cut(&plain(&column.name), WIDEST), Style::Strong);
            page.put(": ", Style::Plain);
            let style = if finding.is_loss() {
                Style::Bad
            } else {
                Style::Doubtful
            };
            let text = format!(
                "{} ({})",
                plain(&finding.message()),
                numbers(&finding.rows, finding.count)
            );
            page.wrapped(&text, 0, 6, style);
            page.wrapped(&plain(&finding.help()), 6, 6, Style::Plain);
        }
    }
}

/// A text of a file without anything that would steer the terminal.
fn plain(text: &str) -> String {
    text.chars()
        .map(|character| match character {
            '\n' | '\r' => '⏎',
            character if character.is_control() => '·',
            // These turn the direction of what follows.
            '\u{200e}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '·',
            character => character,
        })
        .collect()
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

    fn shown(text: &str, width: usize) -> String {
        let (_, source, profile, _folder) = looked_at(text);
        let input = Input::Path("x.csv".into());
        table(&input, &source, &profile, Page::new(width, false))
    }

    #[test]
    fn the_table_tells_what_is_there() {
        let text =
            "id;mail;note\r\n1;a@b.org;\"two\nlines\"\r\n2;c@d.org;\u{1b}[31m\r\n1;2;3;4\r\n";
        insta::assert_snapshot!(shown(text, 120), @r#"
        x.csv: CSV, ';' between cells, UTF-8, lines end in CRLF
        header in row 1, 3 rows below it, 3 columns
        1 row at fault, row.ragged: row 4: The row has 4 cells, the header has 3. A cell that holds the delimiter or a line end
          must be in double quotes.

           column  kind     filled  distinct  length  values
        A  id      integer   100 %         2       1  1 … 2
        B  mail    email     100 %         2       7  a@b.org · c@d.org
        C  note    text      100 %         2     5–9  two⏎lines · ·[31m
        "#);
    }

    #[test]
    fn misfits_and_damage_are_told_below() {
        let mut text = "A rather long name of a column,zip,age\n".to_owned();
        for number in 10..30 {
            text.push_str(&format!(
                "name {number},0{}5{number},{number}\n",
                number % 7
            ));
        }
        text.push_str("x,123,NaN\ny,456,old\n");
        insta::assert_snapshot!(shown(&text, 60), @r#"
        x.csv: CSV, ',' between cells, UTF-8, lines end in LF
        header in row 1, 22 rows below it, 3 columns

           column        kind     filled  distinct  length  values
        A  A rather lo…  text      100 %        22     1–7  name 10
        B  zip           digits    100 %        22     3–5  03510
        C  age           integer   100 %        22     2–3  10 … 29
           2 values are no integer: NaN (row 22), old (row 23)

        Worth a look before an import
          B zip: 2 of 22 values have fewer than the 5 digits of the
              others: leading zeros seem to be lost (rows 22, 23)
              if all have 5 digits, write clean = [{ pad = 5 }] in
              the rule of the field
          C age: 1 of 22 values look like nothing ("NaN") (row 22)
              if they mean nothing, write nulls = ["", "NaN"] under
              [source]
        "#);
    }

    #[test]
    fn json_tells_the_same() {
        let (input, source, profile, _folder) = looked_at("id,mail\n1,a@b.org\n2,\n3,4,5\n");
        let json = json(&input, &source, &profile);
        assert_eq!(json["format"], "csv");
        assert_eq!(json["delimiter"], ",");
        assert_eq!((&json["header_row"], &json["rows"]), (&json!(1), &json!(3)));
        assert_eq!(json["faults"], json!({ "row.ragged": 1 }));
        assert_eq!(json["faulty_rows"][0]["rows"], json!([4]));
        assert_eq!(
            (&json["columns"][0]["min"], &json["columns"][0]["max"]),
            (&json!("1"), &json!("2"))
        );
        assert_eq!(json["columns"][0]["damage"], json!([]));
        assert_eq!(json["columns"][1]["kind"], "email");
        assert_eq!(json["columns"][1]["filled"], 1);
        assert_eq!(json["columns"][1]["share"], 0.5);
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
}
