//! `why`: one thing traced to its origins, down to the raw file.

mod file;
mod summary;
mod trace;

#[cfg(test)]
mod tests;

use std::path::Path;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::ops::why::trace::Trace;
use crate::render::graph::{Arrow, Graph, Node, Outline};
use crate::repo::Repo;
use crate::repo::resolve::Resolved;

pub use file::{object_of_file, raw_file};

/// One link of the chain.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhyLink {
    /// `model`, `run`, `recipe`, `split`, `dataset`, `raw`, `evaluation`, `version`…
    pub kind: String,
    /// Its id, in full.
    pub id: String,
    /// What a person calls it.
    pub name: String,
    /// What is worth knowing of it.
    pub facts: Value,
}

/// What one link has to do with another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WhyEdge {
    /// Position in the chain of what came about.
    pub from: usize,
    /// Position in the chain of what it goes back to.
    pub to: usize,
    /// `names`, `judged_by`, `explained_by`, `made_by`, `made_from`, `searched_by`.
    pub role: &'static str,
}

/// The chain, from the thing asked about back to the raw file.
#[derive(Clone, Debug, Serialize)]
pub struct WhyReport {
    /// As asked.
    pub subject: String,
    /// Links in order, each made from those after it.
    pub chain: Vec<WhyLink>,
    /// How they hang together.
    pub edges: Vec<WhyEdge>,
}

impl WhyLink {
    /// The one sentence about it that matters.
    pub fn headline(&self) -> String {
        summary::headline(self)
    }

    /// More about it, a line each: gates, moves of aliases, parameters.
    pub fn details(&self) -> Vec<String> {
        summary::details(self)
    }

    /// Its kind and its name, where that is more than the kind.
    pub fn title(&self) -> String {
        if self.kind == self.name { self.kind.clone() } else { format!("{} {}", self.kind, self.name) }
    }

    /// Its id as people see it: whole for a raw file, as `b3sum` prints it; nothing where the name is the id.
    pub fn shown_id(&self) -> &str {
        match self.kind.as_str() {
            "raw" => &self.id,
            _ if self.id == self.name => "",
            _ => self.id.get(..12).unwrap_or(&self.id),
        }
    }

    fn outline(&self) -> Outline {
        match self.kind.as_str() {
            "version" => Outline::Name,
            "model" => Outline::Model,
            "evaluation" | "explanation" | "study" => Outline::Judgement,
            "run" => Outline::Work,
            "dataset" | "recipe" | "split" => Outline::Data,
            "raw" => Outline::File,
            _ => Outline::Plain,
        }
    }
}

impl WhyReport {
    /// The chain as a picture: arrows lead from origins to what came about.
    pub fn graph(&self) -> Graph {
        let node = |(at, link): (usize, &WhyLink)| Node {
            outline: link.outline(),
            lines: vec![link.title(), link.headline()],
            is_subject: at == 0,
        };
        let arrow = |edge: &WhyEdge| Arrow { from: edge.to, to: edge.from, label: said(edge.role).to_owned() };
        Graph {
            nodes: self.chain.iter().enumerate().map(node).collect(),
            arrows: self.edges.iter().map(arrow).collect(),
        }
    }
}

/// What an arrow from an origin to what came about says.
fn said(role: &str) -> &'static str {
    match role {
        "names" => "called",
        "judged_by" => "judges",
        "explained_by" => "explains",
        "made_by" => "made",
        "searched_by" => "led to",
        _ => "read by",
    }
}

/// Traces whatever `reference` names: a dataset, a model, a run, any id; or where nothing has that name, a file in `folder`,
/// known by its content.
///
/// Errors: nothing is named so; the content of the file was never seen.
pub fn why(repo: &Repo, reference: &str, folder: &Path) -> Result<WhyReport> {
    let mut trace = Trace::new(repo)?;
    match repo.resolve_any(reference) {
        Ok(Resolved::Dataset(found)) => trace.dataset(&found.id, None)?,
        Ok(Resolved::Model(found)) => trace.named_model(&found)?,
        Ok(Resolved::Run(run)) => trace.run(&run)?,
        Ok(Resolved::Object(id)) => trace.object(&id, None)?,
        Err(error) => match raw_file(reference, folder) {
            Some(path) => trace.file(&object_of_file(repo, &path)?)?,
            None => return Err(error),
        },
    }
    let Trace { chain, edges, .. } = trace;
    Ok(WhyReport { subject: reference.to_owned(), chain, edges })
}
