//! The words of answers that are pages of HTML or documents of XML: a sentence instead of tags.

/// The most characters of a sentence.
const LONGEST: usize = 300;

/// Where XML says what is wrong, the surest first.
const SAYS: &[&str] = &[
    "message",
    "errormessage",
    "error_message",
    "detail",
    "error_description",
    "faultstring",
    "description",
    "reason",
];

/// A text as one line without tags, cut to a few hundred characters.
pub(super) fn sentence(text: &str) -> String {
    let text = text.trim_start_matches('\u{feff}').trim();
    if !text.starts_with('<') {
        return line(text);
    }
    let pieces = pieces(text);
    let named = |name: &&str| {
        pieces
            .iter()
            .find(|(tag, _)| tag == *name)
            .map(|(_, words)| words.clone())
    };
    let best = match is_html(text) {
        true => ["title", "h1"].iter().find_map(named),
        false => SAYS.iter().find_map(named),
    };
    best.unwrap_or_else(|| {
        let all: Vec<&str> = pieces.iter().map(|(_, words)| words.as_str()).collect();
        match all.as_slice() {
            [] => line(text),
            all => line(&all.join(" ")),
        }
    })
}

fn is_html(text: &str) -> bool {
    let start: String = text.chars().take(400).collect::<String>().to_lowercase();
    start.contains("<html") || start.contains("<!doctype html")
}

/// Runs of text, each with the name of the tag opened last before it, without its namespace.
fn pieces(text: &str) -> Vec<(String, String)> {
    let mut pieces = Vec::new();
    let mut tag = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        let words;
        if let Some(tail) = rest.strip_prefix("<![CDATA[") {
            let end = tail.find("]]>").unwrap_or(tail.len());
            words = &tail[..end];
            rest = tail.get(end + 3..).unwrap_or_default();
        } else if let Some(tail) = rest.strip_prefix("<!--") {
            rest = tail.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        } else if let Some(tail) = rest.strip_prefix('<') {
            let (inner, after) = tail.split_once('>').unwrap_or((tail, ""));
            rest = after;
            if inner.starts_with(|c: char| c.is_alphabetic()) {
                let name = inner.split(|c: char| c.is_whitespace() || c == '/').next();
                let name = name.unwrap_or_default().to_lowercase();
                tag = name.rsplit(':').next().unwrap_or_default().to_owned();
                if matches!(tag.as_str(), "script" | "style") && !inner.ends_with('/') {
                    let close = format!("</{tag}");
                    let end = rest.to_ascii_lowercase().find(&close);
                    rest = end.map_or("", |end| &rest[end..]);
                }
            }
            continue;
        } else {
            let end = rest.find('<').unwrap_or(rest.len());
            words = &rest[..end];
            rest = &rest[end..];
        }
        let words = line(&unescaped(words));
        if !words.is_empty() {
            pieces.push((tag.clone(), words));
        }
    }
    pieces
}

/// One line, cut.
fn line(text: &str) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        if line.len() > LONGEST * 4 {
            break;
        }
    }
    line.chars().take(LONGEST).collect()
}

/// The entities that both HTML and XML have.
fn unescaped(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&apos;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        if text.contains('&') {
            text = text.replace(entity, character);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pages_and_documents_become_sentences() {
        for (text, says) in [
            ("", ""),
            (" not\n  allowed ", "not allowed"),
            (
                "<!DOCTYPE html><html><head><style>a{b}</style><title>413 Request Entity Too Large</title></head><body><h1>413</h1></body></html>",
                "413 Request Entity Too Large",
            ),
            (
                "<html><body><script>if (1 < 2) {}</script><p>Down &amp; out</p><p>for now</p></body></html>",
                "Down & out for now",
            ),
            (
                "<?xml version=\"1.0\"?>\n<Error><Code>Denied</Code><Message>Access is denied</Message></Error>",
                "Access is denied",
            ),
            (
                "<s:Envelope><s:Fault><faultstring xml:lang=\"en\"><![CDATA[no <such> plan]]></faultstring></s:Fault></s:Envelope>",
                "no <such> plan",
            ),
            (
                "<errors><error>Email is taken</error><error>Name is short</error></errors>",
                "Email is taken Name is short",
            ),
            ("<", "<"),
            ("<a", "<a"),
        ] {
            assert_eq!(sentence(text), says, "{text}");
        }
        assert_eq!(sentence(&"é".repeat(1000)).chars().count(), LONGEST);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[<>/!\\[\\]a-cCDAT&; é-]{0,60}") {
            let _ = sentence(&text);
        }
    }
}
