//! Online prediction: models behind HTTP.
//!
//! Lives here: listening, connections and stopping (`server`), which path is answered by whom (`router`), one file a
//! protocol (`mlflow`, `operations`), what requests share (`state`), bodies within limits (`body`), their text parsed
//! straight into columns (`json`, `rows`, `csv` into `columns`, checked against `schema`), the way from a body to an
//! answer that all protocols take (`predict`, `answer`), the check that a server answers as batch prediction does
//! (`check`, `client`), and the one error (`error`), which each protocol writes in its own form. Does not live here: what
//! a model is or how it predicts (`models`), which models are served (`cli`).
//!
//! Always holds: no path and no name of a request reaches the file system; a client's mistake is never a 5xx; what a
//! request may cost is bounded before it is paid; whatever was accepted is answered, also while stopping.

mod answer;
mod body;
mod cell;
pub mod check;
mod client;
mod columns;
mod csv;
mod error;
mod json;
mod mlflow;
mod operations;
mod predict;
mod router;
mod rows;
mod schema;
mod server;
mod state;

#[cfg(test)]
mod tests;

use std::net::SocketAddr;

use anyhow::Result;

use crate::base::id::ObjectId;
use crate::base::talk::Talk;
use crate::models::package::ModelPackage;

/// One model to serve.
pub struct ServedModel {
    /// Name it is known by.
    pub name: String,
    /// Its version, when it is registered.
    pub version: Option<u32>,
    /// Id of its package.
    pub id: ObjectId,
    /// The package, opened.
    pub package: ModelPackage,
}

/// Where and how to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServeOptions {
    /// Name or address to listen on.
    pub host: String,
    /// Port to listen on; 0 takes any free one.
    pub port: u16,
    /// Number of threads that answer; one a core when absent.
    pub threads: Option<usize>,
    /// Whether to listen where other machines can reach, without any check of who asks.
    pub insecure: bool,
}

impl Default for ServeOptions {
    fn default() -> ServeOptions {
        ServeOptions { host: "127.0.0.1".to_owned(), port: 8080, threads: None, insecure: false }
    }
}

/// Serves `models` until the process is told to stop (SIGTERM or SIGINT), then finishes what it has accepted and returns.
///
/// The first model answers where a request names none. `on_ready` is called once, with the address, when requests are
/// answered; an error of it ends the server. A second signal stops at once. Errors: no model; an address that other
/// machines can reach without `insecure`; one that cannot be listened on.
pub fn serve(
    models: Vec<ServedModel>,
    options: &ServeOptions,
    talk: &dyn Talk,
    on_ready: &mut dyn FnMut(SocketAddr) -> Result<()>,
) -> Result<()> {
    server::run(models, options, talk, on_ready, server::signals)
}
