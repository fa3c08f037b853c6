//! Reading and planning: one thread reads batches, rayon's threads map and check them, and the
//! caller gets them in the order of the file.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{channel, sync_channel};

use super::load::Prepared as Input;
use crate::record::Prepared;
use crate::row::RowBatch;
use crate::source::SourceError;
use crate::source::damage::Detector;

/// The most rows in a batch.
const ROWS: usize = 1_024;

/// The most batches between the reader and the caller.
pub const DEPTH: usize = 8;

/// A batch with what the plan made of its rows.
#[derive(Debug)]
pub struct Planned {
    /// Index of the input.
    pub input: usize,
    /// The rows.
    pub batch: Arc<RowBatch>,
    /// What is to be done with each.
    pub rows: Vec<Prepared>,
}

/// Reads all inputs and gives their batches to `take`, in order, until it breaks.
///
/// # Errors
/// Where an input cannot be read to its end; the batches before were given.
pub fn each_batch(
    inputs: &[Input],
    take: &mut dyn FnMut(Planned) -> ControlFlow<()>,
) -> Result<(), SourceError> {
    let (slots, free) = sync_channel::<()>(DEPTH);
    let (done, planned) = channel::<(u64, Planned, Vec<Detector>)>();
    std::thread::scope(|threads| {
        let reader = threads.spawn(move || {
            let mut sequence = 0;
            for (index, input) in inputs.iter().enumerate() {
                let mut broken = false;
                let read = rayon::in_place_scope(|scope| {
                    input.source.read(ROWS, &mut |mut batch| {
                        batch.sequence = sequence;
                        batch.input = index;
                        // The caller is gone: nobody waits for more.
                        if slots.send(()).is_err() {
                            broken = true;
                            return ControlFlow::Break(());
                        }
                        let number = sequence;
                        sequence += 1;
                        let done = done.clone();
                        scope.spawn(move |_| {
                            let batch = Arc::new(batch);
                            let rows = input.plan.prepare(&batch);
                            let looks = input.looks.at(&batch);
                            let _ = done.send((
                                number,
                                Planned {
                                    input: index,
                                    batch,
                                    rows,
                                },
                                looks,
                            ));
                        });
                        ControlFlow::Continue(())
                    })
                });
                read?;
                if broken {
                    break;
                }
            }
            Ok(())
        });
        let mut next = 0;
        let mut waiting: BTreeMap<u64, (Planned, Vec<Detector>)> = BTreeMap::new();
        'all: for (number, batch, looks) in planned {
            waiting.insert(number, (batch, looks));
            while let Some((batch, looks)) = waiting.remove(&next) {
                next += 1;
                if let Some(input) = inputs.get(batch.input) {
                    input.looks.add(looks);
                }
                if take(batch).is_break() {
                    break 'all;
                }
                // Never fails: the reader filled the slot before.
                let _ = free.try_recv();
            }
        }
        drop(free);
        reader
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}
