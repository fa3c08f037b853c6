//! Mistakes in files that people write, shown as compilers show them, or as JSON.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use serde_json::{Value, json};

use crate::issue::Mistake;
use crate::report::schema::Told;

/// How many mistakes a person is shown at once.
const MOST: usize = 100;

/// Shows mistakes one after the other: what is wrong, the file with line and column, the line
/// itself with a mark below, and what to do. Ends with a line break unless there is none to show.
pub fn render(mistakes: &[Mistake], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut shown = String::new();
    for mistake in mistakes.iter().take(MOST) {
        if !shown.is_empty() {
            shown.push('\n');
        }
        shown.push_str(&renderer.render(&[group(mistake)]));
        shown.push('\n');
    }
    let more = mistakes.len().saturating_sub(MOST);
    if more > 0 {
        shown.push_str(&format!("\nand {more} more, told once these are mended\n"));
    }
    shown
}

/// The same as an array of objects with `code`, `message`, `file`, `line`, `column` (both from 1,
/// the column in characters), `label`, `help` and `note`; what is not known is null.
pub fn to_json(mistakes: &[Mistake]) -> Value {
    let told = mistakes.iter().map(|mistake| json!(Told::from(mistake)));
    told.collect()
}

fn group(mistake: &Mistake) -> Group<'_> {
    let level = if mistake.note {
        Level::NOTE
    } else {
        Level::ERROR
    };
    let title = level
        .primary_title(mistake.message.as_str())
        .id(mistake.code);
    let mut group = Group::with_title(title);
    if let Some((file, span)) = &mistake.place {
        let text = file.text.as_str();
        let start = text.floor_char_boundary(span.start);
        let end = text.ceil_char_boundary(span.end.max(start));
        // Only the lines about the mark: a file may be large, and its mistakes many.
        let first = text[..start].rfind('\n').map_or(0, |at| at + 1);
        let last = text[end..].find('\n').map_or(text.len(), |at| end + at);
        let line = text[..first].matches('\n').count() + 1;
        let mark = AnnotationKind::Primary.span(start - first..end - first);
        let mark = if mistake.label.is_empty() {
            mark
        } else {
            mark.label(mistake.label.as_str())
        };
        group = group.element(
            Snippet::source(&text[first..last])
                .path(file.name.as_str())
                .line_start(line)
                .annotation(mark),
        );
    }
    match &mistake.help {
        Some(help) => group.element(Level::HELP.message(help.as_str())),
        None => group,
    }
}

#[cfg(test)]
mod tests;
