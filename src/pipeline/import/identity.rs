//! The names by which the ledger knows an account, a mapping file and the inputs.

use std::path::{Path, PathBuf};

use super::Settings;
use crate::ledger::{Account, MappingId};
use crate::pipeline::Loaded;
use crate::source::Input;

/// The path by which a file is known from any folder.
pub(super) fn canonical(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// The canonical paths of the inputs; none where one of them is no file, or is a reject file, which
/// holds some of another file's rows.
pub(super) fn canonical_inputs(loaded: &Loaded) -> Vec<String> {
    let paths: Option<Vec<String>> = loaded
        .inputs
        .iter()
        .map(|input| match &input.input {
            Input::Path(path) if input.source.returned.is_none() => {
                Some(canonical(path).display().to_string())
            }
            _ => None,
        })
        .collect();
    paths.unwrap_or_default()
}

/// The identity of a mapping file: the hash of its canonical path.
pub fn mapping_id(path: &Path) -> MappingId {
    let canonical = canonical(path);
    let hash = blake3::hash(canonical.as_os_str().as_encoded_bytes());
    let mut id = [0; 16];
    id.copy_from_slice(&hash.as_bytes()[..16]);
    id
}

pub(super) fn account(loaded: &Loaded, settings: &Settings) -> Account {
    let target = loaded.target.name.clone();
    if settings.sandbox.is_some() {
        return Account {
            base_url: format!("sandbox:{target}"),
            target,
            client_id: None,
            tenants: Vec::new(),
            name: settings.account.clone(),
        };
    }
    Account {
        target,
        base_url: settings.base_url.clone(),
        client_id: settings.credentials.client_id.clone(),
        tenants: settings.credentials.tenants.clone(),
        name: settings.account.clone(),
    }
}
