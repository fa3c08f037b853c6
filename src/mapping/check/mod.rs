//! What can be said of a mapping file by itself, without a spreadsheet and a target.

mod kind;
mod limits;
mod rule;
mod texts;

use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::Mapping;
use super::fields::clashes;
use super::file::{KeySpec, Sheets, SourceSection, TestSection};
use super::stop_after::parse_stop_after;
use super::words::DECIMALS;
use crate::area::Area;
use crate::issue::{Mistake, TextFile};
use crate::path::Path;
use crate::rate::parse_rate;

/// Where mistakes go, with the file that they are in.
struct Told<'a> {
    file: &'a Arc<TextFile>,
    mistakes: &'a mut Vec<Mistake>,
}

impl Told<'_> {
    /// Tells a mistake.
    fn tell(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: impl Into<String>,
        help: impl Into<String>,
    ) {
        let help: String = help.into();
        let mut mistake = Mistake::new(code, message).at(self.file, span, label);
        if !help.is_empty() {
            mistake = mistake.help(help);
        }
        self.mistakes.push(mistake);
    }

    /// Tells something that does not stop the run.
    fn note(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: &str,
        label: &str,
        help: &str,
    ) {
        self.tell(code, span, message, label, help);
        if let Some(last) = self.mistakes.last_mut() {
            last.note = true;
        }
    }
}

/// Checks all of a mapping file. Where it is `broken`, what is missing may stand in the part that
/// could not be read, and is not told.
pub(super) fn mapping(mapping: &Mapping, broken: bool, mistakes: &mut Vec<Mistake>) {
    let unread = !mistakes.is_empty();
    clashes(&mapping.file, &mapping.rules, mistakes);
    let mut told = Told {
        file: &mapping.file,
        mistakes,
    };
    let head = &mapping.head;
    match &head.target {
        Some(target) if target.get_ref().trim().is_empty() => told.tell(
            "missing-target",
            target.span(),
            "the target has no name",
            "empty",
            TARGET_HELP,
        ),
        Some(_) => {}
        // A target of a wrong type was told as such.
        None if broken || told.mistakes.iter().any(points_at_target) => {}
        None => no_target(&mut told, mapping),
    }
    for path in &head.allow_caution {
        if let Err(message) = Path::parse(path.get_ref()) {
            told.tell("bad-path", path.span(), message, "not a path", "");
        }
    }
    source(&mut told, &head.source);
    if let Some(key) = &head.row.key {
        row_key(&mut told, key);
    }
    if let Some(space) = &head.row.space
        && space.get_ref().trim().is_empty()
    {
        let help = "name whose keys these are, or leave `space` out";
        told.tell("bad-value", space.span(), "`space` is empty", "empty", help);
    }
    if let Some(skip) = &head.row.skip_when {
        texts::expression(&mut told, skip);
    }
    if mapping.rules.is_empty() && !broken && !unread {
        told.tell(
            "no-fields",
            0..0,
            "the mapping file fills no field",
            "no rule in this file",
            "write [fields], and below it a line for each field, such as name = \"Company\"",
        );
    }
    for (at, field) in mapping.rules.iter().enumerate() {
        // What was said of the lines of a table with a header of its own is about its rule.
        let end = match mapping.rules.get(at + 1) {
            Some(next) if told.file.text[field.span.start..].starts_with('[') => {
                next.key_span.start
            }
            _ => field.span.end,
        };
        let about = field.span.start..end;
        for one in &field.rules {
            rule::check(&mut told, field, one, &about);
        }
    }
    for check in &head.check {
        texts::expression(&mut told, &check.assert);
    }
    if let Some(stop) = &head.policy.stop_after
        && let Err(message) = parse_stop_after(stop.get_ref())
    {
        told.tell("bad-value", stop.span(), message, "here", "");
    }
    if let Some(rates) = &head.limits.rate {
        if rates.get_ref().values.is_empty() {
            let help = "leave `rate` out, or name one";
            told.tell(
                "bad-rate",
                rates.span(),
                "the list of rates is empty",
                "empty",
                help,
            );
        }
        for rate in &rates.get_ref().values {
            if let Err(message) = parse_rate(rate) {
                let span = texts::locate(told.file, rates.span(), rate);
                told.tell("bad-rate", span, message, "not a rate", "");
            }
        }
    }
    if let Some(concurrency) = &head.limits.concurrency
        && *concurrency.get_ref() == 0
    {
        told.tell(
            "bad-value",
            concurrency.span(),
            "with a concurrency of 0 nothing would be sent",
            "0",
            "1 sends one request after the other",
        );
    }
    for test in &head.test {
        self::test(&mut told, test);
    }
}

const TARGET_HELP: &str = "write target = \"…\" in its first line: a built-in target, which \
                           `rowferry targets` lists, or the path of a target file";

fn no_target(told: &mut Told<'_>, mapping: &Mapping) {
    // Below a section's header a key belongs to that section.
    let swallowed = mapping.rules.iter().find(|rule| &*rule.name == "target");
    match swallowed {
        Some(rule) => told.tell(
            "missing-target",
            rule.key_span.clone(),
            "the mapping file does not say what its target is: this `target` is a field",
            "belongs to the section above it",
            "move this line above the first line in square brackets",
        ),
        None => told.tell(
            "missing-target",
            0..0,
            "the mapping file does not say what its target is",
            "no `target` in this file",
            TARGET_HELP,
        ),
    }
}

/// Whether a mistake is about the target: it is of a wrong type, or its key is misspelt.
fn points_at_target(mistake: &Mistake) -> bool {
    let Some((file, span)) = &mistake.place else {
        return false;
    };
    let before = file.text.get(..span.start).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    mistake.help.as_deref() == Some("did you mean `target`?")
        || line.trim_start().starts_with("target")
}

fn source(told: &mut Told<'_>, source: &SourceSection) {
    if let Some(sheet) = &source.sheet
        && let Sheets::These(sheets) = sheet.get_ref()
        && sheets.is_empty()
    {
        let help = "leave `sheet` out for the first, or write \"*\" for all of them";
        told.tell(
            "bad-value",
            sheet.span(),
            "the list of sheets is empty",
            "empty",
            help,
        );
    }
    if let Some(range) = &source.range
        && Area::parse(range.get_ref()).is_none()
    {
        told.tell(
            "bad-range",
            range.span(),
            "this is no range of cells",
            "from the first corner to the last",
            "write it as spreadsheet programs do: `range = \"B3:H200\"`, or `\"B:H\"` for whole columns",
        );
    }
    if let (Some(table), Some(_)) = (
        &source.table,
        source
            .range
            .as_ref()
            .map(|_| ())
            .or(source.sheet.as_ref().map(|_| ())),
    ) {
        told.tell(
            "table-and-place",
            table.span(),
            "a table says by itself which cells of which sheet are read",
            "beside `sheet` or `range`",
            "leave out `sheet` and `range`, or leave out `table`",
        );
    }
    if let Some(delimiter) = &source.delimiter {
        let text = delimiter.get_ref();
        let mut chars = text.chars();
        let usable = match (chars.next(), chars.next()) {
            (Some(c), None) => c.is_ascii() && !matches!(c, '"' | '\r' | '\n' | '\0'),
            _ => false,
        };
        if !usable {
            told.tell(
                "bad-value",
                delimiter.span(),
                "the delimiter is one ASCII character, and neither a quote nor a line break",
                "not such a character",
                "write \",\", \";\", \"|\" or \"\\t\", or leave it out: it is found from the file",
            );
        }
    }
    if let Some(encoding) = &source.encoding
        && encoding_rs::Encoding::for_label_no_replacement(encoding.get_ref().as_bytes()).is_none()
    {
        // Of two that are equally near the last is offered.
        let known = [
            "utf-8",
            "utf-16le",
            "utf-16be",
            "shift_jis",
            "gb18030",
            "big5",
            "euc-kr",
            "macintosh",
            "iso-8859-1",
            "iso-8859-15",
            "windows-1250",
            "windows-1251",
            "windows-1252",
        ];
        let help = match crate::issue::nearest(encoding.get_ref(), known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "the names are those of web pages, such as utf-8, windows-1252, iso-8859-15, \
                     utf-16le, shift_jis"
                .to_owned(),
        };
        let message = format!("there is no encoding `{}`", encoding.get_ref());
        told.tell("unknown-value", encoding.span(), message, "not known", help);
    }
    if let Some(decimal) = &source.decimal
        && !DECIMALS.contains(&decimal.get_ref().as_str())
    {
        told.tell(
            "bad-value",
            decimal.span(),
            "the decimal mark is \".\" or \",\"",
            "neither",
            "",
        );
    }
    if let Some(region) = &source.region {
        texts::region(told, region);
    }
    if let Some(zone) = &source.timezone {
        texts::timezone(told, zone);
    }
}

fn row_key(told: &mut Told<'_>, key: &Spanned<KeySpec>) {
    let spec = key.get_ref();
    if spec.columns.is_empty() {
        let help = "name the column that identifies a row, or leave `key` out";
        told.tell(
            "bad-value",
            key.span(),
            "the key names no column",
            "empty",
            help,
        );
    }
    for column in &spec.columns {
        texts::header(told, column);
    }
    for (at, column) in spec.columns.iter().enumerate() {
        if spec.columns[..at]
            .iter()
            .any(|c| same(c.get_ref(), column.get_ref()))
        {
            let message = format!("the key names the column `{}` twice", column.get_ref());
            told.tell("bad-value", column.span(), message, "the second time", "");
        }
    }
    for step in &spec.clean {
        texts::clean(told, step);
    }
}

/// Whether two headers or values of a map are the same: case and outer space do not count.
fn same(a: &str, b: &str) -> bool {
    super::lookup::fold(a) == super::lookup::fold(b)
}

fn test(told: &mut Told<'_>, test: &TestSection) {
    if test.body.is_none() && test.issues.is_none() {
        told.tell(
            "bad-test",
            test.row.span(),
            "this test expects nothing",
            "neither `body` nor `issues`",
            "add body = { … } or issues = [ … ]",
        );
    }
    if test.row.get_ref().is_empty() {
        let help = "write the cells as \"Header\" = \"text\"";
        told.tell(
            "bad-test",
            test.row.span(),
            "this test has no cells",
            "empty",
            help,
        );
    }
    for (column, cell) in test.row.get_ref() {
        if matches!(cell, toml::Value::Array(_) | toml::Value::Table(_)) {
            let message =
                format!("the cell `{column}` of a test is a text, a number, a date, true or false");
            told.tell("bad-test", test.row.span(), message, "in here", "");
        }
    }
    if let Some(issues) = &test.issues {
        for code in issues.get_ref() {
            if code.trim().is_empty() {
                let help = "a code is like name.required";
                told.tell(
                    "bad-test",
                    issues.span(),
                    "a code of an issue is empty",
                    "in here",
                    help,
                );
            }
        }
    }
}
