//! What a page of a run shows, gathered while its rows come by.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::Loaded;
use crate::plan::Claims;
use crate::report::html::{Collector, InputColumns, PaceTrack, Place, Twin};
use crate::row::Row;
use crate::upload::Uploader;

/// The most columns of which a pair of duplicates is looked up.
const COLUMNS: usize = 1_000;

/// A collector for the columns of the inputs that lists so many problems.
pub(super) fn collector(loaded: &Loaded, most: usize) -> Collector {
    let columns = loaded.inputs.iter().map(|input| {
        let header = input.source.header.clone();
        let mut used = vec![true; header.names.len()];
        for name in input.plan.unused_columns() {
            for (index, used) in used.iter_mut().enumerate() {
                *used &= header.name(index) != *name;
            }
        }
        InputColumns { header, used }
    });
    Collector::new(columns.collect(), most)
}

/// The row whose key the row claimed last has as well.
pub(super) fn twin(claims: &Claims) -> Option<Twin> {
    let (input, place) = claims.twin()?;
    Some(Twin {
        input,
        sheet: place.sheet.as_deref().map(Into::into),
        row: place.row,
    })
}

/// How often the pace is looked at.
pub(super) const LOOK: Duration = Duration::from_millis(100);

/// Takes note of how many requests have left by now.
pub(super) fn look(track: &Mutex<PaceTrack>, began: Instant, uploader: &Uploader) {
    let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let counters = &uploader.counters;
    let requests = load(&counters.sent) + load(&counters.lookups);
    let limit = uploader.live().limit;
    let mut track = track.lock().unwrap_or_else(PoisonError::into_inner);
    track.look(began.elapsed(), requests, load(&counters.limited), limit);
}

/// Reads the inputs once more as far as the rows stand that are shown side by side. What cannot be
/// read again is not shown: the rows have been told.
pub(super) fn look_up_pairs(loaded: &Loaded, collector: &mut Collector) {
    let wanted = collector.wanted();
    if wanted.is_empty() {
        return;
    }
    let mut found: HashMap<Place, Vec<String>> = HashMap::new();
    for (index, input) in loaded.inputs.iter().enumerate() {
        let mut left: HashMap<Place, ()> = wanted
            .iter()
            .filter(|place| place.input == index)
            .map(|place| (place.clone(), ()))
            .collect();
        if left.is_empty() {
            continue;
        }
        let read = input.source.read(1_024, &mut |batch| {
            for row in batch.rows() {
                let place = Place {
                    input: index,
                    sheet: row.sheet().map(|sheet| sheet.to_string()),
                    row: row.number(),
                };
                if left.remove(&place).is_some() {
                    found.insert(place, cells(row));
                }
            }
            match left.is_empty() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if read.is_err() {
            return;
        }
    }
    let inputs = loaded.inputs.iter();
    let keys: Vec<&[usize]> = inputs.map(|input| input.plan.key_columns()).collect();
    collector.found(&found, &keys);
}

fn cells(row: Row<'_>) -> Vec<String> {
    let cells = row.cells().take(COLUMNS);
    cells.map(|cell| Collector::cell_text(cell.text)).collect()
}
