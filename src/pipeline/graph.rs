//! Stages and the order in which they can run.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::suggest;
use crate::pipeline::declare;
use crate::pipeline::paths;
use crate::spec::project::{ProjectSpec, StageSpec};

/// What a stage does.
#[derive(Clone, Debug, PartialEq)]
pub enum StageKind {
    /// Raw file to dataset version.
    Ingest,
    /// Dataset against the reviewed schema.
    Validate,
    /// Split, and recipe fitted on the training rows.
    Transform,
    /// Model fitted.
    Train,
    /// Model judged.
    Evaluate,
    /// Model given a version.
    Register,
    /// A command of the project's own.
    Command(StageSpec),
}

/// One stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Stage {
    /// Name, unique.
    pub name: String,
    /// What it does.
    pub kind: StageKind,
    /// Names of the stages that must be done before, in the order of the graph.
    pub deps: Vec<String>,
    /// Files and folders that it reads, relative to the project folder in normal form; the empty path is that folder.
    pub files: Vec<PathBuf>,
    /// Files and folders that it writes, likewise; commands only.
    pub outs: Vec<PathBuf>,
    /// `data:REF` and `model:REF` that it reads, as written; commands only.
    pub refs: Vec<String>,
}

/// All stages of a project, ordered.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Graph {
    stages: Vec<Stage>,
    /// Positions of the stages that each stage needs, ascending.
    needs: Vec<Vec<usize>>,
}

/// The graph of a project.
///
/// Sections make a chain: data, validate, transform, train, evaluate, register. A stage that reads a file which another
/// writes needs that other; folders count for all that is in them. `stage:NAME` is an edge. `data:REF` and `model:REF`
/// of the project's own names, unless pinned to a version, need `ingest` and `register`; the project's own names are
/// those in `spec`, so a name taken from elsewhere has to be filled in before.
///
/// Errors: a section without the one it works on; a stage with a name that is taken, reserved or badly spelled; two
/// stages that write one file; a stage that writes what it reads; an unknown `stage:NAME`; an absolute path; an out
/// outside the project folder or inside `.mlops`; stages that need each other in a circle. Cost: O(n log n) in stages,
/// files and outs together.
pub fn graph(spec: &ProjectSpec) -> Result<Graph> {
    let stages = declare::stages(spec)?;
    let needs = edges(spec, &stages)?;
    let order = order(&stages, &needs)?;
    let mut place = vec![0; order.len()];
    for (position, &index) in order.iter().enumerate() {
        place[index] = position;
    }
    let mut graph = Graph::default();
    for &index in &order {
        let mut list: Vec<usize> = needs[index].iter().map(|&other| place[other]).collect();
        list.sort_unstable();
        let deps = list.iter().map(|&other| graph.stages[other].name.clone()).collect();
        graph.stages.push(Stage { deps, ..stages[index].clone() });
        graph.needs.push(list);
    }
    Ok(graph)
}

/// What each stage needs, as positions in `stages`.
fn edges(spec: &ProjectSpec, stages: &[Stage]) -> Result<Vec<BTreeSet<usize>>> {
    let by_name = names(stages)?;
    let writers = writers(stages)?;
    let mut needs = Vec::with_capacity(stages.len());
    for stage in stages {
        let mut found = BTreeSet::new();
        for dep in &stage.deps {
            let known = stages.iter().map(|stage| stage.name.as_str());
            let found_dep = by_name.get(dep.as_str()).ok_or_else(|| suggest::unknown("stage", dep, known));
            found.insert(*found_dep.with_context(|| format!("in [[stage]] `{}` of mlops.toml", stage.name))?);
        }
        for file in &stage.files {
            if stage.outs.iter().any(|out| paths::overlap(out, file)) {
                let file = if file.as_os_str().is_empty() { Path::new(".") } else { file };
                return Err(fail::usage(format!("stage `{}` writes what it reads: {}", stage.name, file.display()))
                    .hint("write to another place, or list only the files that are read")
                    .into());
            }
            found.extend(overlapping(file, &writers).into_iter().map(|(_, writer)| writer));
        }
        found.extend(stage.refs.iter().filter_map(|text| own_stage(spec, text)).filter_map(|name| by_name.get(name)));
        needs.push(found);
    }
    Ok(needs)
}

impl Graph {
    /// Stages, each after all that it needs; where there is a choice, sections first, then commands as written.
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Positions of the stages that stage number `index` needs directly, ascending.
    pub fn needs(&self, index: usize) -> &[usize] {
        &self.needs[index]
    }

    /// Positions of the stages `wanted` and of everything they need, ascending; all stages when none is named.
    ///
    /// Errors: an unknown name, with the nearest one.
    pub fn select(&self, wanted: &[String]) -> Result<Vec<usize>> {
        if wanted.is_empty() {
            return Ok((0..self.stages.len()).collect());
        }
        let mut chosen = vec![false; self.stages.len()];
        for name in wanted {
            let position = self.stages.iter().position(|stage| stage.name == *name);
            let known = self.stages.iter().map(|stage| stage.name.as_str());
            chosen[position.ok_or_else(|| suggest::unknown("stage", name, known))?] = true;
        }
        // What a stage needs stands before it, so one pass from the end reaches everything.
        for position in (0..chosen.len()).rev() {
            if chosen[position] {
                self.needs[position].iter().for_each(|&other| chosen[other] = true);
            }
        }
        Ok((0..chosen.len()).filter(|&position| chosen[position]).collect())
    }

    /// Positions of all stages that need stage number `index`, directly or not, ascending, without itself.
    pub fn downstream(&self, index: usize) -> Vec<usize> {
        let mut reached = vec![false; self.stages.len()];
        for position in index + 1..self.stages.len() {
            reached[position] = self.needs[position].iter().any(|&other| other == index || reached[other]);
        }
        (0..reached.len()).filter(|&position| reached[position]).collect()
    }
}

fn names(stages: &[Stage]) -> Result<HashMap<&str, usize>> {
    let mut by_name = HashMap::new();
    for (index, stage) in stages.iter().enumerate() {
        if by_name.insert(stage.name.as_str(), index).is_some() {
            return Err(fail::usage(format!("two stages are called `{}`", stage.name)).hint("rename one").into());
        }
    }
    Ok(by_name)
}

/// Which stage writes which path. Paths are ordered part by part, so all that is inside a folder follows it directly.
fn writers(stages: &[Stage]) -> Result<BTreeMap<&Path, usize>> {
    let mut writers: BTreeMap<&Path, usize> = BTreeMap::new();
    for (index, stage) in stages.iter().enumerate() {
        for out in &stage.outs {
            if let Some((taken, other)) = overlapping(out, &writers).first().copied() {
                let (a, b) = (&stages[other].name, &stage.name);
                let message = match a == b {
                    true => format!("stage `{a}` lists {} and {} as outs", taken.display(), out.display()),
                    false => format!("stages `{a}` and `{b}` both write {}", out.display()),
                };
                return Err(fail::usage(message).hint("let each file be written by one stage, listed once").into());
            }
            writers.insert(out, index);
        }
    }
    Ok(writers)
}

/// Written paths that are `path`, hold it or lie inside it.
fn overlapping<'a>(path: &Path, writers: &BTreeMap<&'a Path, usize>) -> Vec<(&'a Path, usize)> {
    let above = path.ancestors().skip(1).filter_map(|folder| writers.get_key_value::<Path>(folder));
    let below = writers
        .range::<Path, _>((Bound::Included(path), Bound::Unbounded))
        .take_while(|(other, _)| other.starts_with(path));
    above.chain(below).map(|(path, index)| (*path, *index)).collect()
}

/// The stage that makes what a reference names, when it is the project's own and not pinned to a version.
fn own_stage(spec: &ProjectSpec, reference: &str) -> Option<&'static str> {
    let (kind, rest) = reference.split_once(':')?;
    let (name, which) = rest.split_once('@').unwrap_or((rest, "latest"));
    let pinned = which.strip_prefix('v').is_some_and(|number| number.parse::<u64>().is_ok());
    let project = spec.project.name.as_deref();
    let (own, stage) = match kind {
        "data" => (spec.data.as_ref()?.name.as_deref(), "ingest"),
        _ => (spec.register.as_ref()?.name.as_deref(), "register"),
    };
    (!pinned && own.or(project) == Some(name)).then_some(stage)
}

/// Kahn's algorithm; of the stages that can run, the one declared first goes first.
fn order(stages: &[Stage], needs: &[BTreeSet<usize>]) -> Result<Vec<usize>> {
    let mut open: Vec<usize> = needs.iter().map(BTreeSet::len).collect();
    let mut needed_by = vec![Vec::new(); stages.len()];
    for (index, list) in needs.iter().enumerate() {
        list.iter().for_each(|&other| needed_by[other].push(index));
    }
    let mut ready: BTreeSet<usize> = (0..stages.len()).filter(|&index| open[index] == 0).collect();
    let mut order = Vec::with_capacity(stages.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for &next in &needed_by[index] {
            open[next] -= 1;
            if open[next] == 0 {
                ready.insert(next);
            }
        }
    }
    if order.len() == stages.len() {
        return Ok(order);
    }
    let circle: Vec<String> = circle(needs, &open).iter().map(|&index| format!("`{}`", stages[index].name)).collect();
    let first = circle.first().cloned().unwrap_or_default();
    let message = format!("stages need each other in a circle: {} needs {first}", circle.join(" needs "));
    Err(fail::usage(message).hint("remove one dependency or one out among them").into())
}

/// One circle, each stage followed by one that it needs. Every stage that is still open needs another open one, so
/// walking on must come back.
fn circle(needs: &[BTreeSet<usize>], open: &[usize]) -> Vec<usize> {
    let is_open = |index: &usize| open[*index] > 0;
    let mut path: Vec<usize> = Vec::new();
    let mut next = (0..open.len()).find(is_open);
    while let Some(index) = next {
        if let Some(start) = path.iter().position(|&seen| seen == index) {
            return path.split_off(start);
        }
        path.push(index);
        next = needs[index].iter().copied().find(is_open);
    }
    path
}
