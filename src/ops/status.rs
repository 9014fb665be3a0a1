//! `status`: what changed, what would run, and why. Reads only.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use serde::Serialize;

use crate::ops::run::lock_path;
use crate::ops::stages::{Outputs, Workspace};
use crate::pipeline::graph::graph;
use crate::pipeline::lockfile::LockFile;
use crate::repo::Repo;
use crate::spec::project::ProjectSpec;

/// Whether a stage would run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Freshness {
    /// Its last result stands.
    Cached,
    /// It would run.
    Stale,
    /// A stage before it would run, and may give the same result again.
    Waiting,
    /// It cannot run as things are.
    Blocked,
}

impl Freshness {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Freshness::Cached => "cached",
            Freshness::Stale => "stale",
            Freshness::Waiting => "waiting",
            Freshness::Blocked => "blocked",
        }
    }
}

/// One stage.
#[derive(Clone, Debug, Serialize)]
pub struct StageStatus {
    /// Name of the stage.
    pub name: String,
    /// Whether it would run.
    pub state: Freshness,
    /// Why, in sentences.
    pub why: Vec<String>,
}

/// All stages.
#[derive(Clone, Debug, Serialize)]
pub struct StatusReport {
    /// Whether every stage's result stands.
    pub clean: bool,
    /// Stages in the order of the graph.
    pub stages: Vec<StageStatus>,
}

/// Says where each stage stands. Changes nothing.
pub fn status(repo: &Repo, root: &PathBuf, spec: &ProjectSpec, stages: &[String]) -> Result<StatusReport> {
    let graph = graph(spec)?;
    let lock = LockFile::read(&lock_path(root))?;
    let space = Workspace { repo, root, spec };
    let mut outputs: BTreeMap<String, Outputs> = BTreeMap::new();
    let mut all = Vec::new();
    for index in graph.select(stages)? {
        let stage = &graph.stages()[index];
        let behind: Vec<&String> = stage.deps.iter().filter(|dep| !outputs.contains_key(*dep)).collect();
        let (state, why) = if let Some(first) = behind.first() {
            (Freshness::Waiting, vec![format!("{first} comes first")])
        } else {
            match space.standing(stage, &outputs, &lock) {
                Err(error) => (Freshness::Blocked, vec![format!("{error:#}")]),
                Ok(standing) => match standing.outputs {
                    Some(known) => {
                        outputs.insert(stage.name.clone(), known);
                        (Freshness::Cached, Vec::new())
                    }
                    None => (Freshness::Stale, standing.why),
                },
            }
        };
        all.push(StageStatus { name: stage.name.clone(), state, why });
    }
    Ok(StatusReport { clean: all.iter().all(|stage| stage.state == Freshness::Cached), stages: all })
}
