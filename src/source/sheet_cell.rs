//! The text and kind of a workbook's cells.

use std::io;

use calamine::{Data, DataRef};

use super::number::{self, NumberFormat};
use super::sheet_xml::mark;
use super::texts::Texts;
use crate::row::Kind;

/// What stands for the result that a formula does not have.
pub(super) const NO_RESULT: &str = "(formula without a saved result)";

/// Writes a cell of a streamed sheet as a person sees it.
pub(super) fn write_ref(
    out: &mut String,
    value: &DataRef<'_>,
    texts: &mut Texts,
    format: Option<&NumberFormat>,
    formats: &[Option<NumberFormat>],
) -> io::Result<Kind> {
    Ok(match value {
        DataRef::Int(value) => write_number(out, *value as f64, format),
        DataRef::Float(value) => write_number(out, *value, format),
        DataRef::String(text) if text.starts_with('\u{FFFE}') => {
            return write_marked(out, text, texts, formats);
        }
        DataRef::String(text) => write_text(out, text),
        DataRef::SharedString(text) => write_text(out, text),
        DataRef::Bool(value) => write_boolean(out, *value),
        DataRef::DateTime(moment) => number::write_date(out, *moment),
        DataRef::DateTimeIso(text) => match text.strip_prefix(mark::SHARED) {
            Some(number) => return write_shared(out, number, texts),
            None => number::write_iso(out, text),
        },
        DataRef::DurationIso(text) => number::write_iso_duration(out, text),
        DataRef::Error(error) => write_error(out, &error.to_string()),
        DataRef::Empty => Kind::Text,
    })
}

/// Writes what stands in a text that was put there by [`sheet_xml`] or [`sheet_bin`].
fn write_marked(
    out: &mut String,
    text: &str,
    texts: &mut Texts,
    formats: &[Option<NumberFormat>],
) -> io::Result<Kind> {
    if let Some(error) = text.strip_prefix(mark::ERROR) {
        return Ok(write_error(out, error));
    }
    if text == mark::NO_RESULT {
        return Ok(write_error(out, NO_RESULT));
    }
    let rest = text.trim_start_matches('\u{FFFE}');
    if let Some(number) = rest.strip_prefix(mark::SHARED) {
        return write_shared(out, number, texts);
    }
    let number = text
        .strip_prefix(mark::NUMBER)
        .and_then(|rest| rest.split_once(':'))
        .and_then(|(style, bits)| {
            let style = usize::from_str_radix(style, 16).ok()?;
            let bits = u64::from_str_radix(bits, 16).ok()?;
            Some((style, f64::from_bits(bits)))
        });
    Ok(match number {
        Some((style, value)) => {
            let format = formats.get(style).and_then(Option::as_ref);
            write_number(out, value, format)
        }
        None => write_text(out, rest),
    })
}

fn write_shared(out: &mut String, number: &str, texts: &mut Texts) -> io::Result<Kind> {
    match number.parse() {
        Ok(number) if texts.write(number, out)? => Ok(Kind::Text),
        _ => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "a cell of it has a text that is not in its list of texts",
        )),
    }
}

/// The same of a cell that is held in memory.
pub(super) fn write_owned(out: &mut String, value: &Data, format: Option<&NumberFormat>) -> Kind {
    match value {
        Data::Int(value) => write_number(out, *value as f64, format),
        Data::Float(value) => write_number(out, *value, format),
        Data::String(text) => write_text(out, text),
        Data::Bool(value) => write_boolean(out, *value),
        Data::DateTime(moment) => number::write_date(out, *moment),
        Data::DateTimeIso(text) => number::write_iso(out, text),
        Data::DurationIso(text) => number::write_iso_duration(out, text),
        Data::Error(error) => write_error(out, &error.to_string()),
        Data::Empty => Kind::Text,
        #[allow(unreachable_patterns)] // New kinds of cell may come with the reader's versions.
        other => write_text(out, &other.to_string()),
    }
}

fn write_text(out: &mut String, text: &str) -> Kind {
    out.push_str(text);
    Kind::Text
}

fn write_number(out: &mut String, value: f64, format: Option<&NumberFormat>) -> Kind {
    if !format.is_some_and(|format| format.write(out, value)) {
        number::write_general(out, value);
    }
    Kind::Number(value)
}

fn write_boolean(out: &mut String, value: bool) -> Kind {
    out.push_str(if value { "TRUE" } else { "FALSE" });
    Kind::Boolean(value)
}

pub(super) fn write_error(out: &mut String, text: &str) -> Kind {
    out.push_str(text);
    Kind::Error
}
