//! Cells that are safe to open in a spreadsheet program, and the names of files.

use std::borrow::Cow;

use super::rejects::Form;

/// The text of a cell so that no spreadsheet program runs it: text that begins with `=`, `+`, `-`,
/// `@`, a tab or a carriage return and is not a plain number, and text that begins with `'`, gets a
/// `'` in front.
pub fn escape(text: &str) -> Cow<'_, str> {
    let guard = match text.as_bytes().first() {
        Some(b'\'' | b'=' | b'@' | b'\t' | b'\r') => true,
        Some(b'+' | b'-') => !is_plain_number(text),
        _ => false,
    };
    if guard {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

/// The text of a cell of a workbook so that it is read back as it is: a `'` that would be taken for
/// that of [`escape`] is doubled. A workbook says itself that a cell is text and no formula.
pub(super) fn doubled(text: &str) -> Cow<'_, str> {
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@', '\t', '\r', '\'']) => {
            Cow::Owned(format!("'{text}"))
        }
        _ => Cow::Borrowed(text),
    }
}

/// The text that [`escape`] was given.
pub fn unescape(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// Whether a text that begins with a sign is a number and nothing else: digits, in groups of three
/// if at all, with at most one decimal part and one exponent. `+49 30 123` is not.
fn is_plain_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let exponent_fits = exponent.is_none_or(|digits| {
        let digits = digits.strip_prefix(['+', '-']).unwrap_or(digits);
        is_digits(digits)
    });
    exponent_fits
        && (is_decimal(mantissa) || is_grouped(mantissa, ',') || is_grouped(mantissa, '.'))
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `5`, `5.20`, `5,20`, `.5`, `5.`
fn is_decimal(text: &str) -> bool {
    match text.split_once(['.', ',']) {
        None => is_digits(text),
        Some((whole, part)) => is_digits(&[whole, part].concat()),
    }
}

/// `1,234,567` or `1,234.56`, whichever mark groups.
fn is_grouped(text: &str, group: char) -> bool {
    let decimal = if group == ',' { '.' } else { ',' };
    let (whole, part) = match text.split_once(decimal) {
        Some((whole, part)) => (whole, Some(part)),
        None => (text, None),
    };
    let mut groups = whole.split(group);
    let first = groups.next().unwrap_or_default();
    is_digits(first)
        && first.len() <= 3
        && groups.all(|digits| digits.len() == 3 && is_digits(digits))
        && part.is_none_or(|digits| digits.is_empty() || is_digits(digits))
}

/// The name of the reject file, of this kind, for an input with this stem. A stem that is itself a reject file's
/// (`clients.rejects`, `clients.rejects-2`) gives the name of the first reject file.
pub fn reject_name(stem: &str, form: &Form) -> String {
    format!("{}.rejects.{}", without_rejects(stem), form.extension())
}

/// The name of the results file for an input with this stem. A reject file that is handed back has
/// results of its own: those of the whole first file are not to be lost.
pub fn results_name(stem: &str) -> String {
    format!("{stem}.results.csv")
}

fn without_rejects(stem: &str) -> &str {
    let base = match stem.rsplit_once('-') {
        Some((base, number)) if is_digits(number) => base,
        _ => stem,
    };
    match base.strip_suffix(".rejects") {
        Some("") | None => stem,
        Some(first) => first,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        for (text, escaped) in [
            ("", ""),
            ("plain", "plain"),
            ("5", "5"),
            ("-5", "-5"),
            ("+5.20", "+5.20"),
            ("-5,20", "-5,20"),
            ("-.5", "-.5"),
            ("-1,234.56", "-1,234.56"),
            ("-1.234.567,8", "-1.234.567,8"),
            ("+4.41E+11", "+4.41E+11"),
            ("+4930123", "+4930123"),
            ("+49 30 123", "'+49 30 123"),
            ("+49.30.123", "'+49.30.123"),
            ("-12,34,5", "'-12,34,5"),
            ("-", "'-"),
            ("+", "'+"),
            ("-.", "'-."),
            ("--5", "'--5"),
            ("+5+2", "'+5+2"),
            ("-5e", "'-5e"),
            ("-e5", "'-e5"),
            ("-٥", "'-٥"),
            ("-5 ", "'-5 "),
            ("=1", "'=1"),
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("\t=1", "'\t=1"),
            ("\r=1", "'\r=1"),
            ("'", "''"),
            ("'=1", "''=1"),
            ("O'Brien", "O'Brien"),
            (" =1", " =1"),
            ("\n", "\n"),
        ] {
            assert_eq!(escape(text), escaped, "{text:?}");
            assert_eq!(unescape(escaped), text, "{escaped:?}");
        }
    }

    #[test]
    fn reject_files_are_named_after_the_first_input() {
        for (stem, rejects, results) in [
            ("clients", "clients.rejects.csv", "clients.results.csv"),
            (
                "clients.rejects",
                "clients.rejects.csv",
                "clients.rejects.results.csv",
            ),
            (
                "clients.rejects-12",
                "clients.rejects.csv",
                "clients.rejects-12.results.csv",
            ),
            (
                "clients-2",
                "clients-2.rejects.csv",
                "clients-2.results.csv",
            ),
            (
                "clients.rejects-x",
                "clients.rejects-x.rejects.csv",
                "clients.rejects-x.results.csv",
            ),
            (
                "clients.rejects-",
                "clients.rejects-.rejects.csv",
                "clients.rejects-.results.csv",
            ),
            ("a.b", "a.b.rejects.csv", "a.b.results.csv"),
            ("stdin", "stdin.rejects.csv", "stdin.results.csv"),
            (".rejects", ".rejects.rejects.csv", ".rejects.results.csv"),
        ] {
            let form = Form::Csv(crate::reject::Dialect::default());
            assert_eq!(reject_name(stem, &form), rejects, "{stem}");
            let book = rejects.replace(".csv", ".xlsx");
            let form = Form::Workbook(crate::reject::Look::default());
            assert_eq!(reject_name(stem, &form), book, "{stem}");
            assert_eq!(results_name(stem), results, "{stem}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_reads_back(text in "['=+@\t\r0-9.,eE -]{0,6}|\\PC*|.*") {
            let escaped = escape(&text);
            prop_assert_eq!(unescape(&escaped), &text);
        }

        #[test]
        fn nothing_escaped_begins_a_formula(text in "[=+@\t\r-](\\PC{0,8})") {
            let escaped = escape(&text);
            prop_assert!(
                escaped.starts_with('\'')
                    || escaped[1..].chars().all(|c| c.is_ascii_digit() || ".,eE+-".contains(c))
            );
        }
    }
}
