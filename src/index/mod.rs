//! The index: everything that is asked of many runs at once, in SQLite.
//!
//! Lives here: all SQL; listings, metric histories, lineage edges, id prefixes, the caches of file stamps and downloads.
//! Does not live here: the truth (objects, refs, journals: `repo`), and how it is read, which arrives as a
//! [`source::Source`].
//!
//! Always holds: nothing is known only here, except file stamps and downloads, which cost time when lost. Writers never
//! write here: whoever reads catches up first, and building from nothing is catching up from zero with the same code. A
//! file of another version, or a damaged one, is thrown away and said so; where the file cannot be used, the index is
//! made in memory. Readers never block.

mod bulk;
mod catch_up;
mod dump;
mod lineage;
mod remote_cache;
mod row;
mod runs;
mod schema;
pub mod search;
pub mod source;
mod stat_cache;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::id::{ObjectId, RunId};
use crate::record::run::{CodeState, RunState};

/// One open index.
pub struct Index {
    connection: Connection,
    /// The file; `None` when the index is in memory.
    path: Option<PathBuf>,
    notes: Vec<String>,
}

/// One run as listings show it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RunRow {
    /// The run.
    pub run: RunId,
    /// Its record, once it is sealed.
    pub record: Option<ObjectId>,
    /// Kind of work.
    pub kind: String,
    /// Stage of the project file.
    pub stage: Option<String>,
    /// Hash of all inputs of that stage.
    pub stage_key: Option<ObjectId>,
    /// Running, finished, failed or killed.
    pub state: RunState,
    /// When it started.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Option<Timestamp>,
    /// From start to end, in seconds.
    pub wall_seconds: Option<f64>,
    /// Processor time in seconds.
    pub cpu_seconds: Option<f64>,
    /// Largest resident memory in bytes.
    pub peak_memory_bytes: Option<u64>,
    /// Words of the command line.
    pub command: Vec<String>,
    /// State of the code.
    pub code: Option<CodeState>,
    /// Seed.
    pub seed: u64,
    /// Version of the tool.
    pub tool_version: String,
    /// Machine.
    pub host: String,
    /// Login name.
    pub user: String,
    /// Parameters by name.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Last value of each metric.
    pub metrics: BTreeMap<String, f64>,
    /// Tags by name.
    pub tags: BTreeMap<String, String>,
    /// Exit code of a command, or of the verb.
    pub exit_code: Option<i32>,
    /// Why it failed.
    pub error: Option<String>,
    /// Blob of a command's output.
    pub output_text: Option<ObjectId>,
}

/// Which runs, in which order, and how many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunFilter {
    /// Only of this kind.
    pub kind: Option<String>,
    /// None of this kind.
    pub without: Option<String>,
    /// Only those with a tag of this name and value.
    pub tag: Option<(String, String)>,
    /// Only of this stage.
    pub stage: Option<String>,
    /// Only in this state.
    pub state: Option<RunState>,
    /// Only those with an input or output of role `model` whose name is this or whose id starts with it.
    pub model: Option<String>,
    /// The order.
    pub sort: RunSort,
    /// At most this many.
    pub limit: Option<usize>,
}

/// Order of a listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum RunSort {
    /// Newest start first.
    #[default]
    Newest,
    /// By the last value of a metric; runs without it come last, newest first.
    Metric {
        /// The metric.
        name: String,
        /// Largest first.
        descending: bool,
    },
}

/// Which side of a run an object was on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The run read it.
    Input,
    /// The run made it.
    Output,
}

/// One edge between a run and an object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The run.
    pub run: RunId,
    /// Its kind.
    pub kind: String,
    /// Which side.
    pub side: Side,
    /// What the object was to the run.
    pub role: String,
    /// What a person calls it.
    pub name: String,
    /// The object.
    pub object: ObjectId,
}

/// Which way lineage is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// To what a thing was made from.
    Up,
    /// To what was made from a thing.
    Down,
}

impl Index {
    /// Opens the index at `path`, making it if needed; empty until [`Index::catch_up`].
    ///
    /// A damaged file is thrown away; where the file cannot be used (read-only, full disk, locked for
    /// [`crate::base::limits::INDEX_BUSY`]), the index is in memory; both with a note.
    pub fn open(path: &Path) -> Result<Index> {
        schema::open(path)
    }

    /// An index that lives in memory only.
    pub fn in_memory() -> Result<Index> {
        schema::in_memory(Vec::new())
    }

    /// What the person should know: that it was rebuilt, or is only in memory.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }
}
