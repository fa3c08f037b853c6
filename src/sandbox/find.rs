//! Finding records: by look-up, by list, by address.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::play::{Hit, List, Lookup, Play};
use super::refuse::Refused;
use super::store::{Record, Store};
use super::value::put;
use crate::path::Path;
use crate::target::file::{Paging, PagingKind};

/// The most matches of a search.
const MATCHES: usize = 100;

/// What a request says a record is to be found by.
pub(super) type Asked = Vec<(Hit, String)>;

/// Where a page says what comes after it.
#[derive(Debug)]
pub(super) struct Turn {
    next: Option<Path>,
    last: Option<Path>,
}

impl Turn {
    pub(super) fn new(paging: Option<&Paging>) -> Result<Self, String> {
        let of = |text: Option<&String>| text.map(|t| Path::parse(t)).transpose();
        Ok(Self {
            next: of(paging.and_then(|p| p.next.as_ref()))?,
            last: of(paging.and_then(|p| p.last.as_ref()))?,
        })
    }

    /// Says, in the page of so many entries from there on, what comes after it.
    pub(super) fn put(
        &self,
        kind: PagingKind,
        from: usize,
        size: usize,
        all: usize,
        body: &mut Value,
    ) {
        let end = from.saturating_add(size);
        if let Some(path) = &self.next {
            let next = match end < all {
                true if kind == PagingKind::Cursor => Value::from(format!("after-{end}")),
                true => Value::from(end),
                false => Value::Null,
            };
            put(path, body, next);
        }
        if let Some(path) = &self.last {
            put(path, body, Value::from(all.div_ceil(size).max(1)));
        }
    }
}

/// The first entry of the page that a query asks for, and how many it holds at the most.
pub(super) fn window(
    paging: &Paging,
    query: &[(String, String)],
) -> Result<(usize, usize), String> {
    let given = |name: &str| {
        query
            .iter()
            .find(|(n, _)| n == name)
            .map(|(_, v)| v.as_str())
    };
    let most = paging
        .size
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(100)
        .max(1);
    let asked = paging.size_param.as_deref().and_then(given);
    let size = match asked {
        None => most,
        Some(text) => text
            .parse::<usize>()
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| format!("the size of a page must be from 1 to {most}"))?,
    };
    let start = given(&paging.param).filter(|text| !text.is_empty());
    let number = |text: &str| text.parse::<usize>().ok();
    let from = match (paging.kind, start) {
        (_, None) => Some(0),
        (PagingKind::Cursor, Some(text)) => text.strip_prefix("after-").and_then(number),
        (PagingKind::Page, Some(text)) => number(text)
            .filter(|n| *n > 0)
            .and_then(|n| (n - 1).checked_mul(size)),
        (PagingKind::Offset, Some(text)) => number(text),
    };
    let from = from.ok_or_else(|| format!("`{}` names no page", paging.param))?;
    Ok((from, size))
}

impl Play {
    /// The records that all of it fits; `search`: fields are looked for as parts of any text.
    pub(super) fn found(&self, store: &Store, asked: &Asked, search: bool) -> Vec<usize> {
        let mut found: Option<Vec<usize>> = None;
        for (hit, value) in asked {
            let places = match hit {
                Hit::Id => store.by_id(value).into_iter().collect(),
                Hit::Address => self.by_address(store, value),
                Hit::Field { .. } if search => store.search(value),
                Hit::Field { index, folds } => store.find(*index, value, *folds),
            };
            found = Some(match found {
                None => places,
                Some(before) => {
                    let places: HashSet<usize> = places.into_iter().collect();
                    before
                        .into_iter()
                        .filter(|place| places.contains(place))
                        .collect()
                }
            });
        }
        found.unwrap_or_default()
    }

    fn by_address(&self, store: &Store, address: &str) -> Vec<usize> {
        if let Some(place) = store.by_address(address) {
            return vec![place];
        }
        match &self.address_field {
            Some((_, index)) => store.find(*index, address, false),
            // What is not named otherwise is named by its id.
            None if self.address.is_none() => store.by_id(address).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The answer to a look-up.
    pub(super) fn lookup(
        &self,
        store: &Store,
        lookup: &Lookup,
        asked: &Asked,
    ) -> Result<Value, Refused> {
        let found = self.found(store, asked, lookup.search);
        let views = found
            .into_iter()
            .take(MATCHES)
            .filter_map(|place| store.get(place))
            .map(|record| self.shown(record, lookup));
        let Some(path) = &lookup.results else {
            let mut views = views;
            return views
                .next()
                .ok_or_else(|| Refused::new(404, "not_found", "there is no such record"));
        };
        let mut body = Value::Object(Map::new());
        put(path, &mut body, views.collect());
        Ok(body)
    }

    /// A match as a look-up shows it.
    fn shown(&self, record: &Record, lookup: &Lookup) -> Value {
        let mut view = self.view(record, &lookup.id, lookup.address.as_ref());
        if !lookup.record.is_empty() {
            put(&lookup.record, &mut view, record.fields.clone());
        }
        for (there, field) in &lookup.shows {
            if there.get(&view).is_none()
                && let Some(value) = field.get(&record.fields)
            {
                put(there, &mut view, value.clone());
            }
        }
        view
    }

    /// One page of the list.
    pub(super) fn page(
        &self,
        store: &Store,
        list: &List,
        query: &[(String, String)],
    ) -> Result<Value, Refused> {
        let bad = |why: String| Refused::new(self.shapes.invalid, "validation_error", why);
        let mut body = if list.results.is_empty() {
            Value::Null
        } else {
            Value::Object(Map::new())
        };
        let mut show = |from: usize, size: usize| {
            let places = store.page(from, size);
            let views = places
                .into_iter()
                .filter_map(|place| store.get(place))
                .map(|record| self.view(record, &list.id, list.address.as_ref()))
                .collect();
            put(&list.results, &mut body, views);
        };
        let Some(paging) = &list.paging else {
            show(0, usize::MAX);
            return Ok(body);
        };
        let (from, size) = window(paging, query).map_err(bad)?;
        show(from, size);
        if list.results.is_empty() {
            return Ok(body);
        }
        list.turn
            .put(paging.kind, from, size, store.len(), &mut body);
        Ok(body)
    }

    /// The answer to a read.
    pub(super) fn read(&self, store: &Store, asked: &Asked) -> Result<Value, Refused> {
        let place = self.one(store, asked)?;
        let Some(record) = store.get(place) else {
            return Err(Refused::new(404, "not_found", "there is no such record"));
        };
        let id = self
            .id
            .0
            .last()
            .map_or_else(|| Path::key("id"), |step| Path(vec![step.clone()]));
        let address = self
            .address
            .as_ref()
            .and_then(|path| path.0.last())
            .map(|step| Path(vec![step.clone()]));
        let mut body = Value::Object(Map::new());
        put(
            &self.read,
            &mut body,
            self.view(record, &id, address.as_ref()),
        );
        Ok(body)
    }

    /// The one record that a path names.
    pub(super) fn one(&self, store: &Store, asked: &Asked) -> Result<usize, Refused> {
        self.found(store, asked, false)
            .first()
            .copied()
            .ok_or_else(|| Refused::new(404, "not_found", "there is no such record"))
    }
}
