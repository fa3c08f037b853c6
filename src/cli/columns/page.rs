//! What `rowferry columns` shows on the terminal.

use unicode_width::UnicodeWidthStr;

use super::{share, sound};
use crate::report::page::{Page, Style, cut};
use crate::source::profile::{ColumnProfile, Profile, Shape};
use crate::source::{Facts, Input, Source};

/// The widest that a column's name or one example is shown, in places of the terminal.
const WIDEST: usize = 40;
/// Less than this of examples is not worth a place in the line.
const NARROWEST: usize = 16;
/// So many columns in a row without name and value are told in one line.
const FOLDED: usize = 3;

/// What was understood of a file, in words.
pub(in crate::cli) fn facts(source: &Source) -> String {
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

/// What was found, as lines for the terminal.
pub(super) fn table(input: &Input, source: &Source, profile: &Profile, mut page: Page) -> String {
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
    let mut folded = 0;
    for (index, line) in lines.iter().enumerate() {
        if folded > 0 {
            folded -= 1;
            continue;
        }
        let nameless = index.checked_sub(1).map_or(0, |index| {
            let columns = profile.columns[index..].iter();
            columns.take_while(|column| is_nothing(column)).count()
        });
        if nameless >= FOLDED {
            let last = &lines[index + nameless - 1][0];
            let text = format!("{}–{last}: no name, and nothing in them", line[0]);
            page.wrapped(&text, 0, 2, Style::Dim);
            folded = nameless - 1;
            continue;
        }
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

/// Whether a column has neither a name nor a value.
fn is_nothing(column: &ColumnProfile) -> bool {
    column.filled == 0 && *column.name == *column.letter
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
    text.replace("\r\n", "\n")
        .chars()
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
    use super::super::looked_at;
    use super::*;

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
    fn columns_without_anything_are_told_in_one_line() {
        insta::assert_snapshot!(shown("id,,,,name\n1,,,,x\n", 60), @"
        x.csv: CSV, ',' between cells, UTF-8, lines end in LF
        header in row 1, 1 row below it, 5 columns

           column  kind     filled  distinct  length  values
        A  id      integer   100 %         1       1  1
        B–D: no name, and nothing in them
        E  name    text      100 %         1       1  x
        ");
    }
}
