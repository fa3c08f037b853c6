//! How the cells and sheets of a reject workbook look and what they are called.

use rust_xlsxwriter::{Color, Format, FormatBorder};

/// Why a cell is coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tint {
    None,
    /// It is wrong.
    Wrong,
    /// There is a warning, or something to decide.
    Doubtful,
    /// It is one of the added columns.
    Added,
}

/// The format of a column's name.
pub(super) fn head(added: bool) -> Format {
    let format = Format::new()
        .set_bold()
        .set_border_bottom(FormatBorder::Thin)
        .set_background_color(Color::RGB(if added { 0xEDEDED } else { 0xDDEBF7 }));
    match added {
        true => format.set_font_color(Color::RGB(0x595959)),
        false => format,
    }
}

/// The format of a cell that is shown by this code; where `prefix` is set, its text stays text when
/// it is edited.
pub(super) fn format(code: &str, tint: Tint, prefix: bool) -> Format {
    let mut format = match code {
        "" => Format::new(),
        // Shown as the reader's own language shows dates, which no other code says (ECMA-376 part
        // 1, 18.8.30).
        "mm-dd-yy" => Format::new().set_num_format_index(14),
        "m/d/yy h:mm" => Format::new().set_num_format_index(22),
        code => Format::new().set_num_format(code),
    };
    if prefix {
        format = format.set_quote_prefix();
    }
    let (back, text) = match tint {
        Tint::None => return format,
        Tint::Wrong => (0xFFC7CE, 0x9C0006),
        Tint::Doubtful => (0xFFEB9C, 0x7F4F00),
        Tint::Added => return format.set_font_color(Color::RGB(0x595959)),
    };
    format
        .set_background_color(Color::RGB(back))
        .set_font_color(Color::RGB(text))
}

/// A name for a sheet that programs take and that no other sheet has.
pub(super) fn free_name(wanted: &str, otherwise: &str, taken: &[String]) -> String {
    let of = |most: usize| {
        let mut name = String::new();
        for c in wanted.chars() {
            let c = match c {
                '[' | ']' | ':' | '*' | '?' | '/' | '\\' => ' ',
                c if c.is_control() => ' ',
                c => c,
            };
            if name.encode_utf16().count() + c.len_utf16() > most {
                break;
            }
            name.push(c);
        }
        let name = name.trim_matches(|c: char| c == '\'' || c == ' ');
        match name.is_empty() || name.eq_ignore_ascii_case("history") {
            true => otherwise.to_owned(),
            false => name.to_owned(),
        }
    };
    let is_free = |name: &String| {
        let folded = name.to_lowercase();
        taken.iter().all(|taken| taken.to_lowercase() != folded)
    };
    let numbered = (2..).map(|number: u64| {
        let end = format!(" ({number})");
        format!("{}{end}", of(31 - end.len()))
    });
    let mut names = std::iter::once(of(31)).chain(numbered);
    names.find(is_free).unwrap_or_default()
}
