//! What the index is fed: the pull side, which whoever owns the truth implements.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::clock::Timestamp;
use crate::base::id::{ObjectId, RunId};
use crate::record::run::{Link, MetricPoint, RunRecord, RunStart, RunState};

/// How much of the list of sealed runs has been read: its length in bytes and the hash of those bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Prefix {
    /// Bytes.
    pub length: u64,
    /// Their BLAKE3.
    pub hash: ObjectId,
}

/// One line of the list of sealed runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealedRun {
    /// The run.
    pub run: RunId,
    /// Its record.
    pub record: ObjectId,
    /// When it was sealed.
    pub time: Timestamp,
}

/// What the list of sealed runs holds beyond a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedTail {
    /// The prefix is not what it was: the list is another one.
    Changed,
    /// Runs after it.
    New {
        /// In the order sealed, at most as many as asked for.
        runs: Vec<SealedRun>,
        /// The prefix that includes them.
        prefix: Prefix,
    },
}

/// One open run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run: RunId,
    /// Running, killed, or finished for one that nobody executes.
    pub state: RunState,
    /// Length of its journal in bytes.
    pub length: u64,
}

/// Whole lines of the journal of an open run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenLines {
    /// What was known at its start; only when read from the start.
    pub start: Option<RunStart>,
    /// Metric points in order.
    pub points: Vec<MetricPoint>,
    /// Parameters by name, the last value of each.
    pub params: BTreeMap<String, serde_json::Value>,
    /// Tags by name, the last value of each.
    pub tags: BTreeMap<String, String>,
    /// What it read.
    pub inputs: Vec<Link>,
    /// What it made.
    pub outputs: Vec<Link>,
    /// Offset after the last whole line.
    pub end: u64,
    /// Length of the journal.
    pub length: u64,
}

/// The truth that the index is derived from.
pub trait Source {
    /// All runs with a journal. Asked before [`Source::sealed`], so that a run that ends in between is seen there.
    fn open_runs(&self) -> Result<Vec<OpenRun>>;

    /// Lines of the journal of `run` from `offset` on; `None` when it has none any more.
    fn lines(&self, run: &RunId, offset: u64) -> Result<Option<OpenLines>>;

    /// What changes whenever the list of sealed runs does; `None` for a list that is read as fast, and for one that was written
    /// so recently that it may change once more without changing it.
    fn stamp(&self) -> Option<String> {
        None
    }

    /// At most `most` sealed runs after `known`.
    fn sealed(&self, known: &Prefix, most: usize) -> Result<SealedTail>;

    /// The records of `runs`, in their order; one that cannot be read does not stop the others.
    fn records(&self, runs: &[SealedRun]) -> Vec<Result<RunRecord>>;
}
