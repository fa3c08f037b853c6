//! An account's custom fields, asked for by the uploader with the target's own pace.

use std::sync::Arc;
use std::time::Duration;

use super::import::TIMEOUT;
use crate::ledger::{self, Account, MappingId, Open};
use crate::rate::Rate;
use crate::record::{Existing, Uncertain};
use crate::target::Target;
use crate::target::discover::Discover;
use crate::target::file::LimitHeaders;
use crate::upload::auth::Credentials;
use crate::upload::client::Client;
use crate::upload::discover::{Discovered, NotDiscovered};
use crate::upload::pace::{Limits, Pace};
use crate::upload::{Listener, Parts, Settings as UploadSettings, Uploader};

/// How often a request is repeated where it has no answer.
const ATTEMPTS: u32 = 3;

/// What is asked, and how.
#[derive(Debug)]
pub struct Settings {
    /// The base URL.
    pub base_url: String,
    /// How the target knows us.
    pub credentials: Credentials,
    /// The rates that hold at once, and whether the limit is to be searched.
    pub rates: (Vec<Rate>, bool),
}

/// Asks an account for its custom fields. The ledger of the account is not touched: an import of it
/// may be running.
///
/// # Errors
/// A sentence: what cannot be started, what the target refuses, what its answers lack.
pub fn discover(
    target: &Arc<Target>,
    listed: &Discover,
    settings: Settings,
) -> Result<Discovered, NotDiscovered> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("no runtime can be started: {error}"))?;
    let client = Client::new(&settings.base_url, &settings.credentials.headers, TIMEOUT)?
        .hiding(settings.credentials.secrets());
    // Pace and requests are counted in a ledger; this one is forgotten.
    let folder =
        tempfile::tempdir().map_err(|error| format!("no temporary folder can be made: {error}"))?;
    let journal = ledger::open(Open {
        path: folder.path().join("fields.db"),
        account: Account::default(),
        secret: None,
        same_account: false,
        command: "rowferry fields".to_owned(),
    })
    .map_err(|error| error.to_string())?;
    let headers = target.file.limits.headers.clone();
    let (rates, search) = settings.rates;
    let limits = Limits {
        rates,
        search,
        ..Limits::default()
    };
    let pace = Pace::new(
        limits,
        headers.unwrap_or(LimitHeaders::None),
        journal.clone(),
    )
    .map_err(|error| error.to_string())?;
    let uploader = Uploader::new(Parts {
        target: Arc::clone(target),
        client,
        credentials: settings.credentials,
        ledger: journal.clone(),
        pace,
        settings: UploadSettings {
            attempts: ATTEMPTS,
            concurrency: 1,
            concurrency_at_first: 1,
            wait_down: None,
            existing: Existing::default(),
            uncertain: Uncertain::default(),
            run: "fields".into(),
            mapping: MappingId::default(),
            space: false,
            account: [0; 32],
        },
        listener: Listener::deaf(),
    });
    let mut found = runtime.block_on(uploader.discover(listed));
    if let Ok(found) = &mut found {
        found.notes.extend(uploader.notes());
    }
    runtime.shutdown_timeout(Duration::from_millis(200));
    drop(uploader);
    // What it counted is of no use to anyone.
    let _ = journal.close();
    found
}
