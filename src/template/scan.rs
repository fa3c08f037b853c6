//! What a template or expression names: which variables and where, and whether its filters, tests
//! and functions exist.

use std::collections::HashSet;

use super::tokens::{Kind, Scanned};
use super::{Name, TemplateError, filters};
use crate::issue::nearest;

/// The filters there are, ours at the end.
pub(super) const FILTERS: &[&str] = &[
    "abs",
    "attr",
    "batch",
    "bool",
    "capitalize",
    "chain",
    "count",
    "d",
    "default",
    "dictsort",
    "e",
    "escape",
    "first",
    "float",
    "format",
    "groupby",
    "indent",
    "int",
    "items",
    "join",
    "last",
    "length",
    "lines",
    "list",
    "lower",
    "map",
    "max",
    "min",
    "pprint",
    "reject",
    "rejectattr",
    "replace",
    "reverse",
    "round",
    "safe",
    "select",
    "selectattr",
    "slice",
    "sort",
    "split",
    "string",
    "sum",
    "title",
    "tojson",
    "trim",
    "unique",
    "upper",
    "zip",
    "slug",
    "digits",
    "date",
];

/// The tests there are that are words.
pub(super) const TESTS: &[&str] = &[
    "boolean",
    "defined",
    "divisibleby",
    "endingwith",
    "eq",
    "equalto",
    "escaped",
    "even",
    "false",
    "filter",
    "float",
    "ge",
    "greaterthan",
    "gt",
    "in",
    "int",
    "integer",
    "iterable",
    "le",
    "lessthan",
    "lower",
    "lt",
    "mapping",
    "ne",
    "none",
    "number",
    "odd",
    "safe",
    "sameas",
    "sequence",
    "startingwith",
    "string",
    "test",
    "true",
    "undefined",
    "upper",
];

/// The functions there are.
pub(super) const FUNCTIONS: &[&str] = &["dict", "namespace", "range"];

/// Words of the language that are never names.
const KEYWORDS: &[&str] = &[
    "and", "or", "not", "in", "is", "if", "else", "elif", "true", "false", "none", "True", "False",
    "None",
];

/// Tags that need other templates.
const REFUSED_TAGS: &[&str] = &["include", "import", "from", "extends", "block"];

impl Scanned<'_> {
    /// An error unless `known` has the word at `at`.
    fn known(
        &self,
        at: usize,
        name: &str,
        what: &str,
        known: &[&str],
    ) -> Result<(), TemplateError> {
        if known.contains(&name) {
            return Ok(());
        }
        let near = match nearest(name, known.iter().copied()) {
            Some(near) => format!("; did you mean `{near}`?"),
            None => String::new(),
        };
        Err(self.error(at, format!("there is no {what} `{name}`{near}")))
    }
}

/// The names that are read and that are among `free`, the variables that the source does not
/// declare itself; or the first filter, test, function, method or tag that does not exist.
pub(super) fn names(
    scanned: &Scanned<'_>,
    free: &HashSet<String>,
) -> Result<Vec<Name>, TemplateError> {
    if let Some(stray) = &scanned.stray {
        return Err(TemplateError {
            message: "this does not parse: unexpected character".to_owned(),
            range: Some(stray.clone()),
        });
    }
    let mut names: Vec<Name> = Vec::new();
    let mut at = 0;
    while at < scanned.tokens.len() {
        if scanned.tokens[at].kind == (Kind::Open { block: true }) {
            at += tag(scanned, at)?;
            continue;
        }
        let Some(word) = scanned.word(at) else {
            at += 1;
            continue;
        };
        let before = at.checked_sub(1);
        if before.is_some_and(|before| scanned.is_mark(before, "|")) {
            filter(scanned, at)?;
            at += 1;
            continue;
        }
        if before.is_some_and(|before| scanned.is_mark(before, ".")) {
            if scanned.is_mark(at + 1, "(") {
                return Err(no_method(scanned, at));
            }
            at += 1;
            continue;
        }
        if word == "is" {
            at += if scanned.word(at + 1) == Some("not") {
                2
            } else {
                1
            };
            if let Some(test) = scanned.word(at) {
                scanned.known(at, test, "test", TESTS)?;
                at += 1;
            }
            continue;
        }
        // Keyword arguments, and variables that are being set.
        if KEYWORDS.contains(&word) || scanned.is_mark(at + 1, "=") {
            at += 1;
            continue;
        }
        if scanned.is_mark(at + 1, "(") {
            if free.contains(word) {
                scanned.known(at, word, "function", FUNCTIONS)?;
            }
            at += 1;
            continue;
        }
        let (path, next) = path(scanned, at)?;
        if free.contains(word) {
            let start = scanned.tokens[at].range.start;
            let end = scanned.tokens[next - 1].range.end;
            names.push(Name {
                path,
                range: Some(start..end),
            });
        }
        at = next;
    }
    // Belt and braces: what MiniJinja knows to be read is never left out.
    let mut missed: Vec<&String> = free
        .iter()
        .filter(|name| {
            !FUNCTIONS.contains(&name.as_str()) && !names.iter().any(|seen| seen.path[0] == **name)
        })
        .collect();
    missed.sort();
    names.extend(missed.into_iter().map(|name| Name {
        path: vec![name.clone()],
        range: None,
    }));
    Ok(names)
}

/// A name that stands beside a comparison with a number, with no filter behind it.
pub(super) fn against_number<'n>(scanned: &Scanned<'_>, names: &'n [Name]) -> Option<&'n Name> {
    const COMPARISONS: [&str; 6] = ["==", "!=", "<", ">", "<=", ">="];
    let tokens = &scanned.tokens;
    let is = |at: usize, marks: &[&str]| marks.iter().any(|mark| scanned.is_mark(at, mark));
    let is_number = |at: usize| {
        tokens
            .get(at)
            .is_some_and(|token| token.kind == Kind::Number)
    };
    names.iter().find(|name| {
        let Some(range) = name.range.as_ref().filter(|_| name.path[0] != "body") else {
            return false;
        };
        let first = tokens.iter().position(|t| t.range.start == range.start);
        let last = tokens.iter().position(|t| t.range.end == range.end);
        let (Some(first), Some(last)) = (first, last) else {
            return false;
        };
        let next = last + 1;
        // The number may have a sign.
        let right = next + 1 + usize::from(is(next + 1, &["-"]));
        let after = is(next, &COMPARISONS) && is_number(right);
        let before = first >= 2
            && is(first - 1, &COMPARISONS)
            && is_number(first - 2)
            && !is(next, &["|", "+", "-", "*", "/"]);
        after || before
    })
}

/// Looks at the beginning of a `{% … %}`; how many tokens it takes.
fn tag(scanned: &Scanned<'_>, at: usize) -> Result<usize, TemplateError> {
    // White space control may stand before the word.
    let word_at = if scanned.is_mark(at + 1, "-") || scanned.is_mark(at + 1, "+") {
        at + 2
    } else {
        at + 1
    };
    let Some(word) = scanned.word(word_at) else {
        return Ok(1);
    };
    if REFUSED_TAGS.contains(&word) {
        let message = format!("`{word}` cannot be used here: there are no other templates");
        return Err(scanned.error(word_at, message));
    }
    if word == "filter" {
        filter(scanned, word_at + 1)?;
        return Ok(word_at + 2 - at);
    }
    Ok(word_at + 1 - at)
}

/// Looks at a filter and at those of its arguments that name a filter or a test.
fn filter(scanned: &Scanned<'_>, at: usize) -> Result<(), TemplateError> {
    let Some(name) = scanned.word(at) else {
        return Ok(());
    };
    scanned.known(at, name, "filter", FILTERS)?;
    if !scanned.is_mark(at + 1, "(") {
        return Ok(());
    }
    let first = at + 2;
    let second = if scanned.is_mark(at + 3, ",") {
        at + 4
    } else {
        at + 3
    };
    match name {
        "map" => {
            if let Some(inner) = scanned.text(first) {
                scanned.known(first, inner, "filter", FILTERS)?;
            }
        }
        "select" | "reject" => named_test(scanned, first)?,
        "selectattr" | "rejectattr" => named_test(scanned, second)?,
        "date" => {
            if let Some(format) = scanned.text(first) {
                filters::check_date_format(format)
                    .map_err(|message| scanned.error(first, message))?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn named_test(scanned: &Scanned<'_>, at: usize) -> Result<(), TemplateError> {
    match scanned.text(at) {
        // Operators are tests too.
        Some(name) if name.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            scanned.known(at, name, "test", TESTS)
        }
        _ => Ok(()),
    }
}

/// Reads the variable at `at` with the members behind it, and where the next token stands.
fn path(scanned: &Scanned<'_>, at: usize) -> Result<(Vec<String>, usize), TemplateError> {
    let root = scanned.word(at).unwrap_or_default().to_owned();
    let is_loop = root == "loop";
    let mut path = vec![root];
    let mut next = at + 1;
    loop {
        if scanned.is_mark(next, ".") && scanned.word(next + 1).is_some() {
            if scanned.is_mark(next + 2, "(") {
                if is_loop {
                    return Ok((path, next + 2));
                }
                return Err(no_method(scanned, next + 1));
            }
            path.extend(scanned.word(next + 1).map(str::to_owned));
            next += 2;
        } else if scanned.is_mark(next, "[") && scanned.is_mark(next + 2, "]") {
            let Some(key) = scanned.text(next + 1) else {
                break;
            };
            path.push(key.to_owned());
            next += 3;
        } else {
            break;
        }
    }
    Ok((path, next))
}

fn no_method(scanned: &Scanned<'_>, at: usize) -> TemplateError {
    let name = scanned.word(at).unwrap_or_default();
    let python = match name {
        "strip" => "trim",
        "startswith" => "startingwith",
        "endswith" => "endingwith",
        other => other,
    };
    let advice = if FILTERS.contains(&python) {
        format!("; write the filter `|{python}`")
    } else if TESTS.contains(&python) {
        format!("; write the test `is {python}(…)`")
    } else {
        String::new()
    };
    scanned.error(at, format!("values have no method `{name}`{advice}"))
}
