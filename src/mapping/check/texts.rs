//! Texts of a mapping file that have a grammar of their own, with the mark inside the text.

use std::ops::Range;

use regex::Regex;
use toml::Spanned;

use super::Told;
use crate::mapping::file::CleanStep;
pub(super) use crate::mark::locate;
use crate::mark::{explain, inside};
use crate::template::{Expression, Template, TemplateError};

/// How messages call an expression.
const EXPRESSION: &str = "this expression";

fn refused(told: &mut Told<'_>, text: &Spanned<String>, error: TemplateError, what: &str) {
    let source = text.get_ref();
    let help = match &error.range {
        _ if what == EXPRESSION && source.contains("{{") => {
            "an expression stands without {{ and }}, which are for templates"
        }
        Some(range) if source.is_char_boundary(range.start) => advice(source, range.start),
        _ => "",
    };
    let place = inside(told.file, text.span(), source, error.range);
    let message = format!("{what} cannot be used: {}", error.message);
    told.tell("bad-template", place, message, "here", help);
}

/// What to do about marks of other languages at a place where an expression does not parse.
fn advice(source: &str, at: usize) -> &'static str {
    let (before, rest) = source.split_at(at);
    if rest.starts_with('=') && !rest.starts_with("==") {
        "`==` compares two values"
    } else if rest.starts_with("&&") || (rest.starts_with('&') && before.ends_with('&')) {
        "write `and` for &&"
    } else if rest.starts_with("||") || (rest.starts_with('|') && before.ends_with('|')) {
        "write `or` for ||"
    } else if rest.starts_with('!') {
        "write `not` for !"
    } else {
        ""
    }
}

/// An expression must compile, and not compare texts with numbers.
pub(super) fn expression(told: &mut Told<'_>, text: &Spanned<String>) {
    if text.get_ref().trim().is_empty() {
        let help = "write a condition over the row, such as email or phone";
        told.tell(
            "bad-template",
            text.span(),
            "this expression is empty",
            "empty",
            help,
        );
        return;
    }
    match Expression::compile(text.get_ref()) {
        Err(error) => refused(told, text, error, EXPRESSION),
        Ok(expression) => {
            if let Some(name) = expression.text_against_number() {
                let range = name.range.clone();
                let written = range
                    .clone()
                    .and_then(|range| text.get_ref().get(range))
                    .unwrap_or_default();
                told.tell(
                    "text-as-number",
                    inside(told.file, text.span(), text.get_ref(), range),
                    "a cell is text here, and a text compared with a number is never what is meant",
                    "a text",
                    format!("write {written}|int or {written}|float, or put the number in quotes"),
                );
            }
        }
    }
}

/// A template must compile.
pub(super) fn template(told: &mut Told<'_>, text: &Spanned<String>) {
    if let Err(error) = Template::compile(text.get_ref()) {
        refused(told, text, error, "this template");
    }
}

/// A regular expression within the value at `span` must compile.
pub(super) fn pattern(told: &mut Told<'_>, span: Range<usize>, text: &str) -> Option<Regex> {
    match Regex::new(text) {
        Ok(regex) => Some(regex),
        Err(error) => {
            let (why, range) = explain(&error, text);
            let place = inside(told.file, span, text, range);
            let message = format!("this regular expression cannot be used: {why}");
            told.tell("bad-pattern", place, message, "here", "");
            None
        }
    }
}

/// A clean step's expressions must compile, and its numbers make sense.
pub(super) fn clean(told: &mut Told<'_>, step: &Spanned<CleanStep>) {
    match step.get_ref() {
        CleanStep::Replace { replace, with } => {
            if let Some(regex) = pattern(told, step.span(), replace)
                && let Some(name) = missing_group(&regex, with)
            {
                told.tell(
                    "bad-pattern",
                    step.span(),
                    format!("`with` names the group `{name}`, which `replace` does not have"),
                    "no such group",
                    "write ${1}a where a letter, digit or _ follows the number, and $$ for a dollar sign",
                );
            }
        }
        CleanStep::Extract(extract) => {
            if let Some(regex) = pattern(told, step.span(), extract)
                && regex.captures_len() < 2
            {
                told.tell(
                    "bad-pattern",
                    locate(told.file, step.span(), extract),
                    "`extract` takes the first group of its expression, and this has none",
                    "no group",
                    "put round brackets about what is to be taken",
                );
            }
        }
        CleanStep::Pad(width) if !(1..=255).contains(width) => {
            let message = "`pad` is a length from 1 to 255";
            told.tell("bad-value", step.span(), message, "not such a length", "");
        }
        CleanStep::Truncate(0) => {
            let message = "`truncate = 0` would leave nothing";
            told.tell("bad-value", step.span(), message, "0", "");
        }
        _ => {}
    }
}

/// A group that a replacement names and that the expression does not have.
fn missing_group(regex: &Regex, with: &str) -> Option<String> {
    let has = |name: &str| match name.parse::<usize>() {
        Ok(number) => number < regex.captures_len(),
        Err(_) => regex.capture_names().flatten().any(|known| known == name),
    };
    let mut rest = with;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let name = match rest.strip_prefix('{') {
            Some(braced) => braced.split_once('}').map(|(name, _)| name).unwrap_or(""),
            None => {
                let len = rest
                    .bytes()
                    .take_while(|b| *b == b'_' || b.is_ascii_alphanumeric())
                    .count();
                &rest[..len]
            }
        };
        if !name.is_empty() && !has(name) {
            return Some(name.to_owned());
        }
    }
    None
}

/// A column must have a name.
pub(super) fn header(told: &mut Told<'_>, column: &Spanned<String>) {
    if column.get_ref().trim().is_empty() {
        told.tell(
            "bad-value",
            column.span(),
            "a column's name is empty",
            "empty",
            "write the header as in the spreadsheet, or the column's letter as \"@C\"",
        );
    }
}

/// A region is a country's code of two letters.
pub(super) fn region(told: &mut Told<'_>, region: &Spanned<String>) {
    let text = region.get_ref();
    let upper = text.to_ascii_uppercase();
    let two = text.len() == 2 && text.bytes().all(|b| b.is_ascii_alphabetic());
    if two && upper != "UK" && crate::field::is_region(text) {
        return;
    }
    let help = match upper.as_str() {
        "UK" => "the United Kingdom is \"GB\"",
        _ => "such as \"GB\", \"US\" or \"DE\"",
    };
    let message = "a region is the code of a country, two letters of ISO 3166";
    told.tell(
        "unknown-value",
        region.span(),
        message,
        "not a region",
        help,
    );
}

/// A time zone must be known.
pub(super) fn timezone(told: &mut Told<'_>, zone: &Spanned<String>) {
    let name = zone.get_ref();
    if jiff::tz::TimeZone::get(name).is_ok() {
        return;
    }
    let names: Vec<String> = jiff::tz::db()
        .available()
        .map(|known| known.as_str().to_owned())
        .collect();
    let help = if names.is_empty() {
        "this machine has no table of time zones: install tzdata, or leave it out for UTC"
            .to_owned()
    } else {
        match crate::issue::nearest(name, names.iter().map(String::as_str)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write it as a region and a city, such as \"Europe/London\"".to_owned(),
        }
    };
    let message = format!("there is no time zone `{name}`");
    told.tell("unknown-value", zone.span(), message, "not known", help);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_not_there_are_found() {
        let regex = Regex::new(r"(?<year>\d+)-(\d+)").unwrap();
        for (with, missing) in [
            ("$2/$1", None),
            ("${year} $$3", None),
            ("$3", Some("3")),
            ("$1a", Some("1a")),
            ("${month}", Some("month")),
            ("$", None),
        ] {
            assert_eq!(missing_group(&regex, with).as_deref(), missing, "{with}");
        }
    }
}
