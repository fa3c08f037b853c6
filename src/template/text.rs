//! Texts folded to names and slugs.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Letters without their marks, in ASCII where a letter has a usual form there: `é` is `e`, `ß` is
/// `ss`. Characters with no such form stay.
pub fn ascii(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for c in text.nfkd().filter(|c| !is_combining_mark(*c)) {
        match crate::letters::plain(c) {
            Some(letters) => folded.push_str(letters),
            None => folded.push(c),
        }
    }
    folded
}

/// The name by which templates and expressions know a column: `First Name` and `FirstName` are
/// `first_name`, `2nd Phone` is `_2nd_phone`. Empty where the header has no letter or digit that
/// can be written in ASCII; such a column is known as `row["…"]` only.
pub fn snake_name(header: &str) -> String {
    let folded: Vec<char> = ascii(header).chars().collect();
    let mut name = String::with_capacity(folded.len() + 4);
    for (at, &c) in folded.iter().enumerate() {
        if !c.is_ascii_alphanumeric() {
            if !name.is_empty() && !name.ends_with('_') && c != '\'' && c != '’' {
                name.push('_');
            }
            continue;
        }
        let before = at.checked_sub(1).map(|at| folded[at]);
        let after = folded.get(at + 1);
        // A new word: `firstName`, and the `N` of `IDNumber`.
        let word = c.is_ascii_uppercase()
            && before.is_some_and(|b| {
                b.is_ascii_lowercase()
                    || b.is_ascii_digit()
                    || (b.is_ascii_uppercase() && after.is_some_and(char::is_ascii_lowercase))
            });
        if word && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(c.to_ascii_lowercase());
    }
    name.truncate(name.trim_end_matches('_').len());
    if name.starts_with(|c: char| c.is_ascii_digit()) {
        name.insert(0, '_');
    }
    name
}

/// Lower-case ASCII letters and digits, with one `-` for all that stands between them:
/// `Müller & Söhne` is `muller-sohne`.
pub fn slug(text: &str) -> String {
    let mut slug = String::with_capacity(text.len());
    for c in ascii(text).chars() {
        if c.is_ascii_alphanumeric() {
            slug.push(c.to_ascii_lowercase());
        } else if !slug.is_empty() && !slug.ends_with('-') && c != '\'' && c != '’' {
            slug.push('-');
        }
    }
    slug.truncate(slug.trim_end_matches('-').len());
    slug
}
