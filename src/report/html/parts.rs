//! Pieces that the page's sections share.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::words::harmless;
use super::escape::{put, put_lines};

/// Begins a section under a heading.
pub(super) fn section(page: &mut String, id: &str, title: &str) {
    let _ = write!(
        page,
        r#"<section id="{id}" aria-labelledby="{id}-h"><h2 id="{id}-h">{title}</h2>"#
    );
}

/// A JSON value over several lines, as code.
pub(super) fn code(page: &mut String, value: &Value) {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|_| value.to_string());
    page.push_str(r#"<pre tabindex="0"><code>"#);
    for (place, line) in text.lines().enumerate() {
        if place > 0 {
            page.push('\n');
        }
        put(page, line);
    }
    page.push_str("</code></pre>");
}

/// Text with pieces in backticks as code.
pub(super) fn with_code(page: &mut String, text: &str) {
    for (place, piece) in text.split('`').enumerate() {
        if place % 2 == 1 {
            page.push_str("<code>");
        }
        put(page, piece);
        if place % 2 == 1 {
            page.push_str("</code>");
        }
    }
}

/// A cell's text: what it holds is seen as written, its spaces too.
pub(super) fn value(page: &mut String, text: &str) {
    if text.is_empty() {
        page.push_str(r#"<span class="empty">empty</span>"#);
        return;
    }
    page.push_str(r#"<span class="v">"#);
    put_lines(page, &harmless(text));
    page.push_str("</span>");
}

/// A command or line to be copied.
pub(super) fn copied(page: &mut String, text: &str) {
    page.push_str(r#"<code class="copied">"#);
    put(page, text);
    page.push_str("</code>");
}
