#![no_main]
//! CSV and text: encoding, dialect, header, framing.

use libfuzzer_sys::fuzz_target;
use rowferry::source::{Options, profile};
use rowferry_fuzz::{agrees_with_the_csv_crate, read};

fuzz_target!(|bytes: &[u8]| {
    // What the user says is chosen by the bytes, so that a file is tried as it is.
    let choice = bytes.iter().fold(0u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(*byte));
    let mut options = Options::default();
    match choice % 16 {
        0 => options.header_row = Some(0),
        1 => options.header_row = Some(2),
        2 => options.delimiter = Some(b';'),
        3 => options.encoding = Some(encoding("windows-1252")),
        4 => options.encoding = Some(encoding("shift_jis")),
        5 => options.wanted = vec!["name".to_owned(), "b#2".to_owned()],
        _ => {}
    }
    let Some((source, rows)) = read(bytes, &options) else {
        return;
    };
    if options.header_row.is_none() {
        agrees_with_the_csv_crate(bytes, &source, &rows);
    }
    if let Ok(profile) = profile::profile(&source) {
        assert_eq!(profile.rows, rows.len() as u64);
        for column in &profile.columns {
            assert!(column.filled <= profile.rows && column.distinct <= column.filled);
        }
    }
});

fn encoding(name: &str) -> &'static encoding_rs::Encoding {
    encoding_rs::Encoding::for_label(name.as_bytes()).expect("a known name")
}
