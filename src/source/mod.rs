//! What lies outside: fetching raw files from HTTP, object stores and databases into local files.
//!
//! Lives here: one module a kind of source, names of sources, patterns and windows over partitioned folders.
//! Does not live here: what the bytes mean (`data`), keeping them (`store`).
//!
//! Always holds: a source is read whole or not at all; sizes are limited; secrets never reach a name, a record or a message.

mod address;
mod http;
mod listing;
mod local;
mod objects;
pub mod partition;
mod postgres;
mod snapshot;
mod spool;
mod sqlite;
mod tls;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashSet};
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use tempfile::TempPath;

use crate::base::fail;
use crate::base::limits;
use crate::base::talk::Talk;
use crate::record::dataset::Format;
use crate::record::remote::{Remembered, Validators};
use crate::source::address::Address;
use crate::source::partition::Window;
use crate::spec::schema::ColumnType;

/// How sources are fetched.
pub struct FetchOptions<'a> {
    /// Folder that relative paths start from.
    pub root: &'a Path,
    /// Existing folder for temporary files.
    pub staging: &'a Path,
    /// Most bytes fetched from elsewhere, all sources together. Local files are not counted.
    pub bytes_max: u64,
    /// Whether everything that needs a network is refused.
    pub offline: bool,
    /// Which partitions of a pattern are kept; all when absent.
    pub window: Option<Window>,
    /// What is known of a remote file by its address without secrets ([`redact`]). Answer only for files whose bytes
    /// are still there: a server that says "not modified" sends nothing.
    pub remembered: &'a dyn Fn(&str) -> Option<Remembered>,
    /// Environment variables; see [`wants_variable`]. Nothing here reads the environment of the process.
    pub environment: &'a BTreeMap<String, String>,
    /// Pause before the first retry of a broken transfer.
    pub retry_pause: Duration,
}

impl<'a> FetchOptions<'a> {
    /// The usual limits, nothing remembered, every partition.
    pub fn new(root: &'a Path, staging: &'a Path, environment: &'a BTreeMap<String, String>) -> FetchOptions<'a> {
        FetchOptions {
            root,
            staging,
            bytes_max: limits::SOURCE_BYTES_MAX,
            offline: false,
            window: None,
            remembered: &|_| None,
            environment,
            retry_pause: limits::FETCH_PAUSE,
        }
    }

    fn variable(&self, name: &str) -> Option<&'a str> {
        self.environment.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Where the bytes of a fetched file are.
#[derive(Debug)]
pub enum Content {
    /// A file of the person's own; it may change while it is read.
    Local(PathBuf),
    /// A copy that vanishes when dropped; its name ends like the file's.
    Temporary(TempPath),
    /// The server says that the remembered bytes are still those of the file.
    NotModified(Remembered),
}

/// One raw file, whole.
#[derive(Debug)]
pub struct Fetched {
    /// Name for the record: the file's name; below a folder or a pattern, the path from there with `/`.
    pub name: String,
    /// Where it came from, without secrets, when that is not a local file.
    pub origin: Option<String>,
    /// Its bytes.
    pub content: Content,
    /// Its format, when the source determines it.
    pub format: Option<Format>,
    /// Types of columns that a database states; empty otherwise.
    pub types: BTreeMap<String, ColumnType>,
    /// Texts that mean "missing", when the source determines them.
    pub null_values: Option<Vec<String>>,
    /// What to remember of it, when a server told; the key is `origin`.
    pub validators: Option<Validators>,
}

impl Fetched {
    fn local(path: PathBuf, name: String) -> Fetched {
        Fetched::plain(name, None, Content::Local(path))
    }

    fn plain(name: String, origin: Option<String>, content: Content) -> Fetched {
        let (format, types, null_values, validators) = (None, BTreeMap::new(), None, None);
        Fetched { name, origin, content, format, types, null_values, validators }
    }

    /// The file to read; `None` when nothing was fetched because nothing changed.
    pub fn path(&self) -> Option<&Path> {
        match &self.content {
            Content::Local(path) => Some(path),
            Content::Temporary(path) => Some(path),
            Content::NotModified(_) => None,
        }
    }
}

/// Fetches all `sources` in order; the files of one folder, pattern or listing are in order of their names.
///
/// A source is a file, a folder, a pattern (`*`, `?`, `[…]`, `{YYYY}`, `{MM}`, `{DD}`, `{HH}`), `-` for standard input,
/// or an address: `http(s)://`, `s3://`, `gs://`, `az://`, `sqlite://FILE?table=|query=`, `postgres://…?table=|query=`.
///
/// Errors: those of any source end all; temporary files then vanish. Blocks until everything is there.
pub fn fetch(sources: &[String], options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Vec<Fetched>> {
    if sources.is_empty() {
        return Err(fail::usage("nothing to read").hint("name a file, a folder, a pattern or an address").into());
    }
    let addresses: Vec<Address> = sources.iter().map(|source| address::parse(source)).collect::<Result<_>>()?;
    let patterns = |address: &Address| matches!(address, Address::Local(_) | Address::Object(_));
    if options.window.is_some() && !addresses.iter().any(patterns) {
        return Err(partition::no_partitions().into());
    }
    let mut fetched: Vec<Fetched> = Vec::new();
    let mut budget = options.bytes_max;
    for address in &addresses {
        if options.offline && address.is_remote() {
            let what = format!("{} is not fetched: working offline", address.shown());
            return Err(fail::world(what).hint("leave out --offline, or name a local file").into());
        }
        let files = fetch_one(address, budget, options, talk)?;
        budget = budget.saturating_sub(files.iter().map(temporary_bytes).sum());
        fetched.extend(files);
    }
    once(&mut fetched, talk);
    distinct_names(&mut fetched);
    Ok(fetched)
}

fn fetch_one(address: &Address, budget: u64, options: &FetchOptions<'_>, talk: &dyn Talk) -> Result<Vec<Fetched>> {
    match address {
        Address::Stdin => Ok(vec![spool::standard_input(&mut io::stdin().lock(), budget, options, talk)?]),
        Address::Local(path) => local::files(path, options, talk),
        Address::Http(url) => Ok(vec![block_on(http::fetch(url, budget, options, talk))?]),
        Address::Object(place) => block_on(objects::fetch(place, budget, options, talk)),
        Address::Sqlite(place) => Ok(vec![sqlite::fetch(place, budget, options, talk)?]),
        Address::Postgres(place) => Ok(vec![block_on(postgres::fetch(place, budget, options, talk))?]),
    }
}

/// Whether fetching `source` needs a network.
pub fn is_remote(source: &str) -> bool {
    address::parse(source).is_ok_and(|address| address.is_remote())
}

/// Whether `source` is the path of one file or folder: no address, no pattern, not standard input.
pub fn is_plain_path(source: &str) -> bool {
    matches!(address::parse(source), Ok(Address::Local(path)) if !local::is_pattern(&path))
}

/// `text` without passwords, tokens and keys, for messages and records; text that is no address stays as it is.
pub fn redact(text: &str) -> String {
    address::redact(text)
}

/// Whether fetching looks at the environment variable `name`: credentials, endpoints and proxies.
pub fn wants_variable(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["AWS_", "GOOGLE_", "AZURE_", "PG"];
    const PROXIES: [&str; 4] = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || PROXIES.contains(&name.to_ascii_uppercase().as_str())
}

/// Runs one piece of asynchronous work to its end on this thread.
fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot prepare for talking to a server")?.block_on(work)
}

fn temporary_bytes(fetched: &Fetched) -> u64 {
    match &fetched.content {
        Content::Temporary(path) => path.metadata().map_or(0, |meta| meta.len()),
        _ => 0,
    }
}

/// Leaves out local files named a second time: their rows would count twice.
fn once(fetched: &mut Vec<Fetched>, talk: &dyn Talk) {
    let mut seen = HashSet::new();
    fetched.retain(|file| {
        let Content::Local(path) = &file.content else { return true };
        let new = seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone()));
        if !new {
            talk.info(&format!("{} is named twice; it is read once", path.display()));
        }
        new
    });
}

/// Adds folders in front of names that several files have, one at a time, until they differ or there are no more.
fn distinct_names(fetched: &mut [Fetched]) {
    for depth in 2..=limits::SOURCE_NAME_PARTS_MAX {
        let mut count: BTreeMap<String, usize> = BTreeMap::new();
        for file in fetched.iter() {
            *count.entry(file.name.clone()).or_default() += 1;
        }
        if count.values().all(|count| *count == 1) {
            return;
        }
        for file in fetched.iter_mut().filter(|file| count[&file.name] > 1) {
            let whole = match (&file.content, &file.origin) {
                (Content::Local(path), _) => path.to_string_lossy().into_owned(),
                (_, Some(origin)) => origin.split(['?', '#']).next().unwrap_or(origin).to_owned(),
                _ => continue,
            };
            let parts: Vec<&str> = whole.split('/').filter(|part| !part.is_empty()).collect();
            let wanted = depth.max(file.name.split('/').count() + 1);
            file.name = parts[parts.len().saturating_sub(wanted)..].join("/");
        }
    }
}
