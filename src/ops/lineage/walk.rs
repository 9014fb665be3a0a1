//! Following runs over the index, nearest first, each thing once.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::id::{ObjectId, RunId};
use crate::index::{Direction, Edge, Index, Side};
use crate::ops::lineage::{LineageEdge, LineageNode, LineageOptions, LineageReport};
use crate::ops::reproduce;
use crate::record::Record;
use crate::record::run::TRIAL;
use crate::record::training::TrainingRecord;
use crate::repo::Repo;

/// What is said of a run for its own sake and stands for nothing that people follow.
const SIDE_ROLES: [&str; 5] = ["model_record", "study_begun", "rebuilt", "rebuilt_record", TrainingRecord::KIND];

/// What a node stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Object(ObjectId),
    Run(RunId),
}

/// A lineage under way.
pub struct Walk<'r> {
    index: Index,
    options: &'r LineageOptions,
    /// Registered names by object.
    names: BTreeMap<ObjectId, String>,
    nodes: Vec<LineageNode>,
    keys: Vec<Key>,
    places: BTreeMap<Key, usize>,
    edges: Vec<LineageEdge>,
    edges_up: usize,
    cut: bool,
    trials_left_out: u64,
}

impl<'r> Walk<'r> {
    /// Nothing yet.
    pub fn new(repo: &Repo, options: &'r LineageOptions) -> Result<Walk<'r>> {
        Ok(Walk {
            index: repo.index()?,
            options,
            names: registered(repo)?,
            nodes: Vec::new(),
            keys: Vec::new(),
            places: BTreeMap::new(),
            edges: Vec::new(),
            edges_up: 0,
            cut: false,
            trials_left_out: 0,
        })
    }

    fn add(&mut self, key: Key, node: impl FnOnce(&Walk<'_>) -> LineageNode) -> Option<usize> {
        if let Some(at) = self.places.get(&key) {
            return Some(*at);
        }
        if self.nodes.len() >= self.options.nodes_max.max(1) {
            self.cut = true;
            return None;
        }
        let node = node(self);
        self.places.insert(key, self.nodes.len());
        self.keys.push(key);
        self.nodes.push(node);
        Some(self.nodes.len() - 1)
    }

    /// An object by what it was to a run; nothing when there are too many things already.
    pub fn object(&mut self, id: &ObjectId, role: &str, name: &str, depth: usize) -> Option<usize> {
        self.add(Key::Object(*id), |walk| LineageNode {
            id: id.hex(),
            kind: role.to_owned(),
            name: walk.names.get(id).map_or(name, String::as_str).to_owned(),
            depth,
            state: None,
            started: None,
        })
    }

    /// An object by its id alone: as what the newest run that knew it called it.
    pub fn any_object(&mut self, id: &ObjectId) -> Result<Option<usize>> {
        let known = self.index.producers(id)?.into_iter().chain(self.index.consumers(id)?).next();
        let (role, name) = known.map_or_else(|| ("object".to_owned(), id.short()), |edge| (edge.role, edge.name));
        Ok(self.object(id, &role, &name, 0))
    }

    /// A run; nothing when there are too many things already.
    pub fn run(&mut self, run: &RunId, depth: usize) -> Result<Option<usize>> {
        if let Some(at) = self.places.get(&Key::Run(*run)) {
            return Ok(Some(*at));
        }
        let row = self.index.run(run)?;
        Ok(self.add(Key::Run(*run), |_| LineageNode {
            id: run.hex(),
            kind: "run".to_owned(),
            name: row.as_ref().map_or_else(String::new, |row| row.stage.clone().unwrap_or_else(|| row.kind.clone())),
            depth,
            state: row.as_ref().map(|row| row.state),
            started: row.as_ref().map(|row| row.started),
        }))
    }

    /// Follows runs from a node in one direction, nearest first.
    pub fn follow(&mut self, start: usize, direction: Direction) -> Result<()> {
        let mut reached = vec![false; self.nodes.len()];
        reached[start] = true;
        let mut frontier = vec![start];
        let mut depth = 0;
        while !frontier.is_empty() {
            let mut next = Vec::new();
            for at in frontier {
                for found in self.near(at, direction, depth)? {
                    reached.resize(self.nodes.len(), false);
                    if !std::mem::replace(&mut reached[found], true) {
                        next.push(found);
                    }
                }
            }
            frontier = next;
            depth += 1;
        }
        if direction == Direction::Up {
            self.edges_up = self.edges.len();
        }
        Ok(())
    }

    /// What lies one step from a node: the runs of an object, or the objects of a run. `step` counts objects and runs.
    fn near(&mut self, at: usize, direction: Direction, step: usize) -> Result<Vec<usize>> {
        let (key, up) = (self.keys[at], direction == Direction::Up);
        let edges: Vec<Edge> = match key {
            Key::Object(id) if up => self.index.producers(&id)?,
            Key::Object(id) => self.index.consumers(&id)?,
            Key::Run(run) => {
                let wanted = if up { Side::Input } else { Side::Output };
                self.index.edges_of_run(&run)?.into_iter().filter(|edge| edge.side == wanted).collect()
            }
        };
        let mut found = Vec::new();
        for edge in edges.into_iter().filter(|edge| !SIDE_ROLES.contains(&edge.role.as_str())) {
            // Making a thing again is no origin of it.
            if up && edge.kind == reproduce::KIND && edge.side == Side::Output {
                continue;
            }
            let place = match key {
                Key::Object(_) if edge.kind == TRIAL && !self.options.trials => {
                    self.trials_left_out += 1;
                    None
                }
                Key::Object(_) if self.is_too_far(&edge.run, step) => {
                    self.cut = true;
                    None
                }
                Key::Object(_) => self.run(&edge.run, step.div_ceil(2) + 1)?,
                Key::Run(_) => self.object(&edge.object, &edge.role, &edge.name, step.div_ceil(2)),
            };
            if let Some(place) = place {
                let (from, to) = if up { (place, at) } else { (at, place) };
                self.edges.push(LineageEdge { from, to, role: edge.role });
                found.push(place);
            }
        }
        Ok(found)
    }

    /// Whether a run that is not here yet lies beyond the depth asked for.
    fn is_too_far(&self, run: &RunId, step: usize) -> bool {
        let far = self.options.depth.is_some_and(|most| step.div_ceil(2) >= most);
        far && !self.places.contains_key(&Key::Run(*run))
    }

    /// What was found.
    pub fn report(self, subject: &str, direction: &'static str) -> LineageReport {
        let Walk { nodes, edges, cut, trials_left_out, edges_up, .. } = self;
        LineageReport { subject: subject.to_owned(), direction, nodes, edges, cut, trials_left_out, edges_up }
    }
}

/// Datasets and models by name, the newest version of each object.
pub fn registered(repo: &Repo) -> Result<BTreeMap<ObjectId, String>> {
    let mut names = BTreeMap::new();
    for name in repo.datasets()? {
        for entry in repo.dataset_versions(&name)? {
            names.insert(entry.id, format!("{name}@v{}", entry.version));
        }
    }
    for name in repo.models()? {
        for entry in repo.model_versions(&name)? {
            names.insert(entry.package, format!("{name}@v{}", entry.version));
        }
    }
    Ok(names)
}
