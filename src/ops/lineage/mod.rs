//! `log --lineage`: what a thing was made from, or what was made from it, over any depth, from what runs said they read and
//! made. For other tools the same as OpenLineage events.

mod facets;
pub mod openlineage;
mod walk;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::id::RunId;
use crate::index::Direction;
use crate::ops::lineage::walk::Walk;
use crate::ops::why::{object_of_file, raw_file};
use crate::record::run::RunState;
use crate::render::graph::{Arrow, Graph, Node, Outline};
use crate::repo::Repo;
use crate::repo::resolve::Resolved;

/// What to follow, which way and how far.
#[derive(Clone, Debug)]
pub struct LineageOptions {
    /// Anything with a name or an id, or a file.
    pub reference: String,
    /// Which ways: to origins, to descendants, or both in this order.
    pub directions: Vec<Direction>,
    /// Most runs in a row; any number when absent.
    pub depth: Option<usize>,
    /// Most things in all.
    pub nodes_max: usize,
    /// Whether trials of studies are followed too.
    pub trials: bool,
}

/// One thing: a run, or an object that runs read or made.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LineageNode {
    /// Its id, in full.
    pub id: String,
    /// `run`, or what the object was to the run that led to it: `dataset`, `model`, `raw`, …
    pub kind: String,
    /// What a person calls it; of a run its kind or stage.
    pub name: String,
    /// Runs between it and what was asked about.
    pub depth: usize,
    /// How a run ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<RunState>,
    /// When a run started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started: Option<Timestamp>,
}

/// From what was there before to what came after, by positions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineageEdge {
    /// Position of the origin.
    pub from: usize,
    /// Position of what came of it.
    pub to: usize,
    /// What the object was to the run.
    pub role: String,
}

/// One way from the thing asked about.
#[derive(Clone, Debug, Serialize)]
pub struct LineageReport {
    /// As asked.
    pub subject: String,
    /// `up`, `down` or `both`.
    pub direction: &'static str,
    /// What was asked about comes first, then what is nearest.
    pub nodes: Vec<LineageNode>,
    /// How they hang together.
    pub edges: Vec<LineageEdge>,
    /// Whether there is more than what is here: the depth or the number of things ended it.
    pub cut: bool,
    /// Trials of studies that were not followed.
    pub trials_left_out: u64,
    /// Edges up to here lead to origins, those after it to descendants.
    #[serde(skip)]
    pub edges_up: usize,
}

impl LineageNode {
    fn outline(&self) -> Outline {
        match self.kind.as_str() {
            "run" => Outline::Work,
            "model" => Outline::Model,
            "dataset" | "recipe" | "split" | "features" => Outline::Data,
            "evaluation" | "explanation" | "study" | "quality" => Outline::Judgement,
            "raw" | "file" | "output" | "artifact" => Outline::File,
            _ => Outline::Plain,
        }
    }

    /// Its kind and its name, where that is more than the kind.
    fn title(&self) -> String {
        if self.kind == self.name { self.kind.clone() } else { format!("{} {}", self.kind, self.name) }
    }

    /// What it is in a few words: of a run how and when it ended, of an object the start of its id.
    pub fn headline(&self) -> String {
        match (&self.state, &self.started) {
            (Some(state), Some(started)) => {
                let time = started.to_string();
                format!("{} {}", state.name(), time.get(..19).unwrap_or(&time).replace('T', " "))
            }
            _ if self.name.starts_with(&self.id[..12]) => String::new(),
            _ => self.id[..12].to_owned(),
        }
    }
}

impl LineageReport {
    /// The lineage as a picture: arrows lead from origins to what came of them.
    pub fn graph(&self) -> Graph {
        let node = |(at, node): (usize, &LineageNode)| Node {
            outline: node.outline(),
            lines: vec![node.title(), node.headline()],
            is_subject: at == 0,
        };
        let arrow = |edge: &LineageEdge| Arrow { from: edge.from, to: edge.to, label: String::new() };
        Graph {
            nodes: self.nodes.iter().enumerate().map(node).collect(),
            arrows: self.edges.iter().map(arrow).collect(),
        }
    }

    /// The runs in it, nearest first.
    pub fn runs(&self) -> Vec<RunId> {
        self.nodes.iter().filter(|node| node.kind == "run").filter_map(|node| node.id.parse().ok()).collect()
    }
}

/// Follows runs from one thing.
///
/// Errors: nothing is named so. Cost: some queries of the index for each thing; 5,000 runs in under a second.
pub fn lineage(repo: &Repo, options: &LineageOptions, folder: &Path) -> Result<LineageReport> {
    let mut walk = Walk::new(repo, options)?;
    let start = match repo.resolve_any(&options.reference) {
        Ok(Resolved::Dataset(found)) => walk.object(&found.id, "dataset", &found.label(), 0),
        Ok(Resolved::Model(found)) => walk.object(&found.package, "model", &found.label(), 0),
        Ok(Resolved::Run(run)) => walk.run(&run, 0)?,
        Ok(Resolved::Object(id)) => walk.any_object(&id)?,
        Err(error) => match raw_file(&options.reference, folder) {
            Some(path) => walk.any_object(&object_of_file(repo, &path)?)?,
            None => return Err(error),
        },
    };
    if let Some(start) = start {
        for direction in &options.directions {
            walk.follow(start, *direction)?;
        }
    }
    let both = options.directions.len() > 1;
    let direction = match options.directions.first() {
        _ if both => "both",
        Some(Direction::Down) => "down",
        _ => "up",
    };
    Ok(walk.report(&options.reference, direction))
}
