//! `check` and `import`: the stages wired with bounded channels. This room tells the whole flow:
//!
//! 1. [`load`]: mapping, target and the headers of the inputs become a plan for each input; every
//!    mistake that a person made is told here, before the first row.
//! 2. [`stage`]: one thread reads batches, rayon maps and checks them, and they come out in the
//!    order of the file.
//! 3. [`check`] counts them; in an [`import`] `feed` asks the ledger what is new and hands that to
//!    the uploader, as far as it is asked for ([`select`]), and
//! 4. [`finish`] brings rows and their fates together again in the order of the file, into the
//!    results file, the reject file and the summary. Beside it `ahead` counts what is still to come.
//!
//! Memory: a batch is at most 1,024 rows or little more than 1 MiB of text; at most
//! [`stage::DEPTH`] of them are between reader and consumer. An import holds besides at most
//! [`finish::WINDOW`] rows that wait for their fate, with the batches they came in (64 when rows
//! come in full batches): in all some 100 MiB, whatever the file's size, and 16 bytes a key for
//! duplicates.

mod ahead;
pub mod check;
pub mod discover;
mod feed;
pub mod finish;
mod gather;
pub mod import;
mod kept;
pub mod keys;
pub mod load;
pub mod looks;
mod requests;
pub mod select;
pub mod stage;

pub use self::load::{Loaded, load, load_for};
