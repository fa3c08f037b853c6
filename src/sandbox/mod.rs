//! An embedded server that plays any target from its description, with faults on demand.
//!
//! It is a second reading of the target file's contract and shares no code with the uploader, so
//! that a mistake of one is seen by the other. It listens on loopback only and keeps its records in
//! memory.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::target::file::TargetFile;

mod account;
mod auth;
mod batch;
mod body;
mod change;
mod constants;
mod custom;
mod find;
mod kind;
mod options;
mod pace;
mod pattern;
mod play;
mod refuse;
mod reply;
mod schema;
mod server;
mod store;
mod value;
mod wire;

#[cfg(test)]
mod tests;

pub use options::{Faults, Options, parse_rate};

use server::Server;
use wire::{Door, Line};

/// What the server has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Requests to the API that arrived, its token endpoint included.
    pub requests: u64,
    /// Records made, whether or not the answer got through.
    pub created: u64,
    /// Records changed, whether or not the answer got through.
    pub updated: u64,
    /// Requests refused because they came too fast.
    pub limited: u64,
    /// Requests, or records of a batch, refused for what they hold.
    pub refused: u64,
    /// Answers that were lost or falsified on demand.
    pub faults: u64,
    /// Requests refused because they were not let in.
    pub unauthorised: u64,
}

/// A running server.
#[derive(Debug)]
pub struct Sandbox {
    server: Arc<Server>,
    base_url: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<io::Result<()>>,
}

impl Sandbox {
    /// Starts to play a target on 127.0.0.1.
    ///
    /// # Errors
    /// The port is taken, or the target file holds a path, pattern or template that cannot be read
    /// ([`io::ErrorKind::InvalidInput`]).
    pub async fn start(target: TargetFile, options: Options) -> io::Result<Sandbox> {
        let port = options.port;
        let server = Arc::new(
            Server::new(&target, options)
                .map_err(|why| io::Error::new(io::ErrorKind::InvalidInput, why))?,
        );
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let port = listener.local_addr()?.port();
        let base_url = format!("http://127.0.0.1:{port}{}", server.base_path());
        let app = Router::new()
            .fallback(server::handle)
            .with_state(Arc::clone(&server))
            .into_make_service_with_connect_info::<Line>();
        let (stop, stopped) = oneshot::channel::<()>();
        let serving = axum::serve(Door::new(listener), app).with_graceful_shutdown(async move {
            // A dropped sender stops the server just as a sent word does.
            let _ = stopped.await;
        });
        let task = tokio::spawn(async move { serving.await });
        Ok(Sandbox {
            server,
            base_url,
            stop: Some(stop),
            task,
        })
    }

    /// Where it is: what a target's `base_url` is to be replaced by.
    pub fn base_url(&self) -> String {
        self.base_url.clone()
    }

    /// What it has done so far.
    pub fn stats(&self) -> Stats {
        self.server.stats()
    }

    /// The records it holds, in the order of their making, with `id` beside their fields.
    pub fn records(&self) -> Vec<serde_json::Value> {
        self.server.records()
    }

    /// Stops it: requests under way are answered, idle connections closed.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        let patience = Duration::from_secs(2);
        if tokio::time::timeout(patience, &mut self.task)
            .await
            .is_err()
        {
            self.task.abort();
        }
    }
}
