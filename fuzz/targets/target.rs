#![no_main]
//! The target file.

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rowferry::issue::TextFile;
use rowferry_fuzz::mistakes;

fuzz_target!(|text: &str| {
    let name = "fuzz.toml";
    let file = Arc::new(TextFile {
        name: name.to_owned(),
        text: text.to_owned(),
    });
    let (target, told) = rowferry::target::load_file(name, &file, None);
    mistakes(&told);
    assert!(target.is_some() || told.iter().any(|mistake| !mistake.note));
});
