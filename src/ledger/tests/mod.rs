//! Tests of the ledger as a whole; small parts are tested beside them.

mod files;
mod model;
mod states;
mod verbs;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::*;
use crate::record::{BodyHash, KeyHash};

fn key(number: u8) -> KeyHash {
    KeyHash([number; 16])
}

fn body(number: u8) -> BodyHash {
    BodyHash([number; 16])
}

fn account() -> Account {
    Account {
        target: "kaiten".into(),
        base_url: "https://demo.example.org".into(),
        ..Account::default()
    }
}

fn open_at(path: &Path) -> Open {
    Open {
        path: path.to_path_buf(),
        account: account(),
        secret: None,
        same_account: false,
        command: "rowferry import x.csv".into(),
    }
}

fn in_folder(folder: &tempfile::TempDir) -> PathBuf {
    folder.path().join("ledger.db")
}

fn begin(ledger: &Ledger) -> Arc<str> {
    ledger
        .begin_run(RunInfo {
            input: "x.csv".into(),
            mapping: "m.toml".into(),
            target: "kaiten".into(),
            base_url: "https://u:pw@demo.example.org".into(),
            inputs: vec!["/in/x.csv".into()],
            mapping_path: "/in/m.toml".into(),
        })
        .unwrap()
        .into()
}

fn intent(run: &Arc<str>, number: u8) -> Intent {
    Intent {
        key: key(number),
        body: body(number),
        mapping: [9; 16],
        space: false,
        row: u64::from(number),
        run: Arc::clone(run),
        update: false,
        group: None,
        asked: None,
        mended: false,
    }
}

fn outcome(run: &Arc<str>, number: u8, state: State) -> Outcome {
    Outcome {
        key: key(number),
        state,
        id: state.is_there().then(|| format!("id-{number}")),
        address: None,
        status: Some(201),
        run: Arc::clone(run),
    }
}

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(future)
}

/// The files as a killed process leaves them: copied while they are in use, the lock's owner gone.
fn crashed(path: &Path) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let copy = in_folder(&folder);
    std::fs::copy(path, &copy).unwrap();
    std::fs::copy(lock::beside(path, "-wal"), lock::beside(&copy, "-wal")).unwrap();
    std::fs::copy(lock::lock_path(path), lock::lock_path(&copy)).unwrap();
    (folder, copy)
}
