//! How fast an import may be, and how many requests may be under way: what target and mapping say.

use crate::mapping::Mapping;
use crate::pipeline::Loaded;
use crate::rate::{Rate, parse_rate};
use crate::target::Target;
use crate::upload::pace::Limits;

/// The most requests under way at once where neither target nor mapping says.
const MOST_AT_ONCE: usize = 256;

/// Requests under way at once at first, where the pace does not say how many it takes.
const FIRST_AT_ONCE: usize = 8;

/// The rates of target and mapping that hold at once, and whether the limit is to be searched. A
/// limit that the target only assumes is replaced by the mapping's.
pub fn rates(loaded: &Loaded) -> (Vec<Rate>, bool) {
    rates_of(&loaded.target, Some(&loaded.mapping))
}

/// The same of a target, with or without a mapping.
pub fn rates_of(target: &Target, mapping: Option<&Mapping>) -> (Vec<Rate>, bool) {
    let own: Vec<Rate> = mapping
        .iter()
        .flat_map(|mapping| &mapping.head.limits.rate)
        .flat_map(|rate| &rate.get_ref().values)
        // Checked when the mapping was loaded.
        .filter_map(|text| parse_rate(text).ok())
        .collect();
    let replaced = target.file.limits.assumed && !own.is_empty();
    let mut rates = if replaced {
        Vec::new()
    } else {
        target.rates.clone()
    };
    rates.extend(own);
    let search = target.rate_unknown && rates.is_empty();
    (rates, search)
}

pub(super) fn concurrency(loaded: &Loaded) -> usize {
    let own = loaded
        .mapping
        .head
        .limits
        .concurrency
        .as_ref()
        .map(|number| *number.get_ref());
    let limits = &loaded.target.file.limits;
    match (limits.concurrency, own) {
        (Some(_), Some(own)) if limits.assumed => own,
        (Some(target), Some(own)) => target.min(own),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => MOST_AT_ONCE,
    }
    .max(1)
}

/// Requests that may be under way at once at first: those that leave in a second at the pace, so
/// that answers that take no longer than that cost no time.
pub(super) fn at_first(limits: &Limits) -> usize {
    let rate = limits.spread().map(|rate| rate.per_second());
    rate.map_or(FIRST_AT_ONCE, |rate| (rate.ceil() as usize).max(4))
}
