//! Two runs or two models side by side, from what was recorded of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::fail;
use crate::base::id::RunId;
use crate::index::{Index, Side};
use crate::ops::diff::Named;
use crate::ops::evaluate::open_package;
use crate::record::evaluation::EvaluationRecord;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;

/// Group of what differs between any two runs: when, where and at what cost. It does not count as a difference.
const OCCASION: &str = "occasion";

/// Two things side by side.
#[derive(Clone, Debug, Serialize)]
pub struct PairDiff {
    /// The older one.
    pub old: Named,
    /// The newer one.
    pub new: Named,
    /// Whether nothing differs but the occasion: time, place and cost.
    pub same: bool,
    /// What is known of either, grouped.
    pub lines: Vec<PairLine>,
}

/// One thing known of either side.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PairLine {
    /// `what`, `params`, `metrics`, `validation`, `evaluation`, `slices`, `tags`, `inputs`, `outputs`, `made_from`, `occasion`.
    pub group: &'static str,
    /// Its name in the group.
    pub name: String,
    /// What the older one has; `null` for nothing.
    pub old: Value,
    /// What the newer one has.
    pub new: Value,
    /// Whether both are equal.
    pub same: bool,
    /// Newer less older, where both are numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub difference: Option<f64>,
}

/// What is known of one side: group and name to value. Groups keep the order in which they came.
#[derive(Default)]
struct Known {
    groups: Vec<&'static str>,
    values: BTreeMap<(&'static str, String), Value>,
}

impl Known {
    fn add(&mut self, group: &'static str, name: &str, value: Value) {
        if !self.groups.contains(&group) {
            self.groups.push(group);
        }
        if !value.is_null() {
            self.values.insert((group, name.to_owned()), value);
        }
    }

    fn add_all<V: Into<Value>>(&mut self, group: &'static str, all: impl IntoIterator<Item = (String, V)>) {
        for (name, value) in all {
            self.add(group, &name, value.into());
        }
    }

    fn beside(mut self, mut newer: Known, names: (Named, Named)) -> PairDiff {
        for group in newer.groups {
            if !self.groups.contains(&group) {
                self.groups.push(group);
            }
        }
        let mut lines = Vec::new();
        for group in &self.groups {
            let of = |(known, _): &&(&'static str, String)| known == group;
            let keys: BTreeSet<_> =
                self.values.keys().filter(of).chain(newer.values.keys().filter(of)).cloned().collect();
            for key in keys {
                let old = self.values.remove(&key).unwrap_or(Value::Null);
                let new = newer.values.remove(&key).unwrap_or(Value::Null);
                let numbers = old.as_f64().zip(new.as_f64());
                let difference = numbers.map(|(old, new)| new - old).filter(|difference| difference.is_finite());
                let same = old == new;
                lines.push(PairLine { group, name: key.1, old, new, same, difference });
            }
        }
        let same = lines.iter().all(|line| line.same || line.group == OCCASION);
        PairDiff { old: names.0, new: names.1, same, lines }
    }
}

/// Compares two runs.
pub fn runs(repo: &Repo, old: &RunId, new: &RunId) -> Result<PairDiff> {
    let index = repo.index()?;
    let named = |run: &RunId| Named { name: format!("run:{run}"), id: run.hex() };
    Ok(of_run(&index, old)?.beside(of_run(&index, new)?, (named(old), named(new))))
}

fn of_run(index: &Index, id: &RunId) -> Result<Known> {
    let run = index.run(id)?.ok_or_else(|| {
        fail::world(format!("run {id} is not in the index")).hint("build it again with `mlops fsck --rebuild-index`")
    })?;
    let mut known = Known::default();
    known.add("what", "kind", json!(run.kind));
    known.add("what", "stage", json!(run.stage));
    known.add("what", "state", json!(run.state));
    known.add("what", "error", json!(run.error));
    known.add("what", "exit_code", json!(run.exit_code));
    known.add("what", "seed", json!(run.seed));
    known.add("what", "tool_version", json!(run.tool_version));
    known.add("what", "code_commit", json!(run.code.as_ref().map(|code| &code.commit)));
    known.add("what", "code_dirty", json!(run.code.as_ref().map(|code| code.dirty)));
    known.add_all("params", run.params);
    known.add_all("metrics", run.metrics);
    known.add_all("tags", run.tags);
    let mut links: BTreeMap<(&'static str, String), Vec<String>> = BTreeMap::new();
    for edge in index.edges_of_run(id)? {
        let group = if edge.side == Side::Input { "inputs" } else { "outputs" };
        links.entry((group, edge.role)).or_default().push(format!("{} ({})", edge.name, edge.object.short()));
    }
    for ((group, role), mut objects) in links {
        objects.sort();
        known.add(group, &role, json!(objects.join(", ")));
    }
    known.add(OCCASION, "started", json!(run.started));
    known.add(OCCASION, "command", json!(run.command.join(" ")));
    known.add(OCCASION, "host", json!(run.host));
    known.add(OCCASION, "user", json!(run.user));
    known.add(OCCASION, "seconds", json!(run.wall_seconds));
    known.add(OCCASION, "cpu_seconds", json!(run.cpu_seconds));
    known.add(OCCASION, "peak_memory_bytes", json!(run.peak_memory_bytes));
    Ok(known)
}

/// Compares two models.
pub fn models(repo: &Repo, old: &ModelRef, new: &ModelRef) -> Result<PairDiff> {
    let named = |of: &ModelRef| Named { name: of.label(), id: of.package.hex() };
    Ok(of_model(repo, old)?.beside(of_model(repo, new)?, (named(old), named(new))))
}

fn of_model(repo: &Repo, model: &ModelRef) -> Result<Known> {
    let record: ModelRecord = repo.record(&model.model)?;
    let index = repo.index()?;
    let mut known = Known::default();
    known.add("what", "kind", json!(record.model));
    known.add("what", "task", json!(record.task));
    known.add("what", "package", json!(model.package.short()));
    known.add("what", "package_bytes", json!(repo.store().stat(&model.package)?.map(|stat| stat.bytes)));
    // The newest run that made these very bytes; older ones had the same parameters, or the bytes would differ.
    let made = |kind: &str| matches!(kind, "train" | "import");
    let maker = index.producers(&model.package)?.into_iter().find(|edge| made(&edge.kind));
    let header = open_package(repo, &model.package).map(|package| package.header);
    if let Ok(header) = &header {
        known.add("what", "engine", json!(header.engine));
        known.add("what", "seed", json!(header.seed));
        known.add("what", "target", json!(header.target));
        known.add("what", "inputs", json!(header.inputs.len()));
        known.add("what", "features", json!(header.features.len()));
    }
    if let Some(run) = maker.map(|edge| index.run(&edge.run)).transpose()?.flatten() {
        known.add_all("params", run.params);
        // Equal bytes are equal models, whoever made them when from which code.
        known.add(OCCASION, "code_commit", json!(run.code.as_ref().map(|code| &code.commit)));
        known.add(OCCASION, "code_dirty", json!(run.code.as_ref().map(|code| code.dirty)));
        known.add(OCCASION, "tool_version", json!(run.tool_version));
        known.add(OCCASION, "trained", json!(run.started));
        known.add(OCCASION, "user", json!(run.user));
        known.add(OCCASION, "host", json!(run.host));
        known.add(OCCASION, "seconds", json!(run.wall_seconds));
    }
    known.add_all("validation", record.metrics);
    if let Some(id) = repo.newest_evaluation(&model.package)? {
        let evaluation: EvaluationRecord = repo.record(&id)?;
        known.add("evaluation", "verdict", json!(evaluation.judgement.verdict));
        known.add("evaluation", "rows", json!(evaluation.judgement.rows));
        known.add_all("evaluation", evaluation.judgement.metrics);
        let headline = &evaluation.judgement.headline;
        for slice in &evaluation.judgement.slices {
            let name = format!("{}={} {headline}", slice.column, slice.value);
            known.add("slices", &name, json!(slice.metrics.get(headline)));
        }
    }
    let sources =
        [("dataset", record.dataset), ("split", record.split), ("recipe", record.recipe), ("file", record.imported)];
    for (name, id) in sources {
        if let Some(id) = id {
            known.add("made_from", name, json!(id.short()));
        }
    }
    Ok(known)
}
