//! Which keys stand behind the hashes in a ledger: told by the inputs that the rows came from.

use std::collections::{HashMap, HashSet};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use super::check::claims;
use super::load::load;
use super::stage::{Planned, each_batch};
use crate::plan;
use crate::record::KeyHash;
use crate::source::Input;

/// The keys of these hashes as the inputs show them, as far as mapping and inputs can be read and
/// still have them. Reads the inputs through, until all are found.
pub fn texts(
    mapping: &Path,
    inputs: &[String],
    wanted: &HashSet<KeyHash>,
    options: &plan::Options,
) -> HashMap<KeyHash, Arc<str>> {
    let mut found = HashMap::new();
    let inputs = inputs.iter().map(|input| Input::parse(input)).collect();
    let (Some(loaded), _) = load(mapping, inputs, options) else {
        return found;
    };
    // What cannot be read has no keys to show; nothing is decided by this.
    let Ok(mut claims) = claims(&loaded) else {
        return found;
    };
    let _ = each_batch(&loaded.inputs, &mut |planned: Planned| {
        for mut row in planned.rows {
            if let Some(claims) = &mut claims {
                claims.claim(&mut row);
            }
            if let Some(hash) = row.key_hash.filter(|hash| wanted.contains(hash)) {
                found.entry(hash).or_insert(row.key);
            }
        }
        match found.len() < wanted.len() {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        }
    });
    found
}
