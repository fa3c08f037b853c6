//! Text into HTML: whatever a cell holds, it stays text.

use std::fmt::Write as _;

use super::super::words::harmless;

/// Adds foreign text, for an element's content or an attribute in double quotes. What steers the
/// direction of text, control characters and line ends are shown as signs.
pub(super) fn put(page: &mut String, text: &str) {
    put_lines(page, &harmless(text));
}

/// The same for text of ours that may have line feeds.
pub(super) fn put_lines(page: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            '\0' => page.push('\u{fffd}'),
            c => page.push(c),
        }
    }
}

/// The same as a text of its own.
pub(super) fn escaped(text: &str) -> String {
    let mut page = String::with_capacity(text.len() + 8);
    put(&mut page, text);
    page
}

/// A name for an element made of any text: letters, digits and hyphens stay, any other character
/// is written as its number, so that different texts have different names.
pub(super) fn id(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if c.is_ascii_alphanumeric() || c == '-' => id.push(c),
            c => {
                let _ = write!(id, "_{:x}_", c as u32);
            }
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(
            escaped("</script><b a=\"x\" c='y'>&amp;\u{2028}\0\n\u{202e}"),
            "&lt;/script&gt;&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp; \u{fffd}⏎\u{fffd}"
        );
        assert_eq!(id("Old clients!D17"), "Old_20_clients_21_D17");
    }

    proptest! {
        #[test]
        fn nothing_that_markup_is_made_of_comes_through(text in "\\PC{0,40}|[<>&\"'\\x00-\\x20]{0,20}") {
            let escaped = escaped(&text);
            let markup = ['<', '>', '"', '\'', '\0', '\u{2028}'];
            prop_assert!(!escaped.contains(markup));
            for after in escaped.split('&').skip(1) {
                prop_assert!(["amp;", "lt;", "gt;", "quot;", "#39;"].iter().any(|name| after.starts_with(name)));
            }
            prop_assert!(id(&text).chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'));
        }
    }
}
