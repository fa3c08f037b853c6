//! Going from page to page of a listing.

use serde_json::Value;

use crate::path::Path;
use crate::target::answer::id_text;
use crate::target::call::Call;
use crate::target::file::{Paging, PagingKind};

/// Where the reading of a listing stands.
#[derive(Debug)]
pub(super) struct Pages<'p> {
    paging: Option<&'p Paging>,
    page: Option<String>,
    seen: u64,
    last: Vec<u8>,
}

/// What comes after a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Another page.
    Page,
    /// It was the last.
    End,
    /// The same page came again: the target does not page as its file says.
    Again,
}

impl<'p> Pages<'p> {
    /// Before the first page.
    pub(super) fn new(paging: Option<&'p Paging>) -> Self {
        let page = match paging.map(|paging| paging.kind) {
            Some(PagingKind::Page) => Some("1".to_owned()),
            Some(PagingKind::Offset) => Some("0".to_owned()),
            _ => None,
        };
        Self {
            paging,
            page,
            seen: 0,
            last: Vec::new(),
        }
    }

    /// The request for the page at which the reading stands.
    pub(super) fn call(&self, first: &Call) -> Call {
        let mut call = first.clone();
        let mut add = |name: &str, value: &str| {
            call.location.push(if call.location.contains('?') {
                '&'
            } else {
                '?'
            });
            let mut pair = url::form_urlencoded::Serializer::new(String::new());
            call.location
                .push_str(&pair.append_pair(name, value).finish());
        };
        if let Some(paging) = self.paging {
            if let (Some(name), Some(size)) = (&paging.size_param, paging.size) {
                add(name, &size.to_string());
            }
            if let Some(page) = &self.page {
                add(&paging.param, page);
            }
        }
        call
    }

    /// Goes on from a page: its answer as JSON and as it came, and how many entries it held.
    pub(super) fn turn(&mut self, json: &Value, body: Vec<u8>, entries: usize) -> Next {
        self.seen += entries as u64;
        let Some(paging) = self.paging else {
            return Next::End;
        };
        let at = |path: &Option<String>| {
            let path = Path::parse(path.as_deref()?).ok()?;
            path.get(json).and_then(id_text)
        };
        // The size asked for may be more than a page holds: only an empty page is the end.
        let more = entries > 0;
        let next = match paging.kind {
            PagingKind::Cursor => at(&paging.next),
            PagingKind::Page => {
                let number: u64 = self
                    .page
                    .as_deref()
                    .and_then(|page| page.parse().ok())
                    .unwrap_or(1);
                let last = at(&paging.last).and_then(|last| last.parse::<u64>().ok());
                let more = last.map_or(more, |last| number < last);
                more.then(|| (number + 1).to_string())
            }
            PagingKind::Offset => more.then(|| self.seen.to_string()),
        };
        if next.is_none() {
            return Next::End;
        }
        if next == self.page || (more && body == self.last) {
            return Next::Again;
        }
        self.last = body;
        self.page = next;
        Next::Page
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The locations that a listing asks for, given the answers that come.
    fn asked(paging: &str, answers: &[Value]) -> (Vec<String>, Next) {
        let paging: Paging = toml::from_str(paging).unwrap();
        let first = Call {
            method: "GET".into(),
            location: "/f?a=1".into(),
            body: None,
            headers: Vec::new(),
        };
        let mut pages = Pages::new(Some(&paging));
        let mut locations = Vec::new();
        let mut next = Next::End;
        for answer in answers {
            locations.push(pages.call(&first).location);
            let entries = answer["d"].as_array().map_or(0, Vec::len);
            next = pages.turn(answer, answer.to_string().into_bytes(), entries);
            if next != Next::Page {
                break;
            }
        }
        (locations, next)
    }

    #[test]
    fn each_kind_of_paging_ends_where_the_target_says() {
        for (paging, answers, locations, end) in [
            (
                "kind = \"cursor\"\nparam = \"c\"\nnext = \"n\"",
                vec![json!({"d": [1], "n": "x y"}), json!({"d": [2], "n": null})],
                vec!["/f?a=1", "/f?a=1&c=x+y"],
                Next::End,
            ),
            (
                "kind = \"page\"\nparam = \"p\"\nlast = \"l\"\nsize_param = \"s\"\nsize = 2",
                vec![json!({"d": [1], "l": 2}), json!({"d": [2], "l": 2})],
                vec!["/f?a=1&s=2&p=1", "/f?a=1&s=2&p=2"],
                Next::End,
            ),
            (
                "kind = \"offset\"\nparam = \"o\"",
                vec![json!({"d": [1, 2]}), json!({"d": [3]}), json!({"d": []})],
                vec!["/f?a=1&o=0", "/f?a=1&o=2", "/f?a=1&o=3"],
                Next::End,
            ),
            (
                "kind = \"offset\"\nparam = \"o\"",
                vec![json!({"d": [1]}), json!({"d": [1]})],
                vec!["/f?a=1&o=0", "/f?a=1&o=1"],
                Next::Again,
            ),
        ] {
            assert_eq!(
                asked(paging, &answers),
                (locations.into_iter().map(str::to_owned).collect(), end),
                "{paging}"
            );
        }
    }
}
