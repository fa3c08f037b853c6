#![no_main]
//! The mapping file, and the plan that is made of it.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use rowferry::plan::{Options, Plan};
use rowferry::row::{Header, Kind, RowBatch};
use rowferry::target::Target;
use rowferry_fuzz::mistakes;

const COLUMNS: [&str; 8] = ["Id", "Name", "Mail", "Phone", "Date", "Amount", "Services", "Name"];
const CELLS: [&str; 8] = ["1", "José", "a@b.org", "+1 555 123 4567", "03/04/2025", "1,5", "a;b", ""];

static TARGETS: LazyLock<Vec<Arc<Target>>> = LazyLock::new(|| {
    rowferry::target::builtin_names()
        .filter_map(|name| rowferry::target::load(name, Path::new(".")).0)
        .map(Arc::new)
        .collect()
});

fuzz_target!(|text: &str| {
    let name = "fuzz.toml";
    let (mapping, told) = rowferry::mapping::parse(name, Path::new(name), text.to_owned());
    mistakes(&told);
    assert!(mapping.is_some() || told.iter().any(|mistake| !mistake.note));
    let Some(mapping) = mapping.filter(|_| told.iter().all(|mistake| mistake.note)) else {
        return;
    };
    let header = Header {
        names: COLUMNS.map(Arc::from).to_vec(),
        first_column: 0,
        row: 1,
    };
    let options = Options {
        strict: false,
        today: jiff::civil::date(2026, 1, 1),
    };
    let target = &TARGETS[text.len() % TARGETS.len()];
    let (plan, told) = Plan::new(&mapping, target, &header, None, &options);
    mistakes(&told);
    assert!(plan.is_some() || told.iter().any(|mistake| !mistake.note));
    let Some(plan) = plan else { return };
    let mut batch = RowBatch::with_capacity(2, COLUMNS.len());
    for row in [CELLS, [""; 8]] {
        row.iter().for_each(|cell| batch.push_cell(cell, Kind::Text));
        batch.end_row(batch.len() as u64 + 2, 0, None);
    }
    assert_eq!(plan.prepare(&Arc::new(batch)).len(), 2);
});
