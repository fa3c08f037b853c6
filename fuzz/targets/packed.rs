#![no_main]
//! Compressed files, and archives with one file or several.

use libfuzzer_sys::fuzz_target;
use rowferry::source::Options;
use rowferry_fuzz::read;

fuzz_target!(|bytes: &[u8]| {
    // Workbooks have a target of their own.
    if bytes.starts_with(&[0xD0, 0xCF, 0x11, 0xE0]) {
        return;
    }
    read(bytes, &Options::default());
});
