//! What each stage of a project depends on, as names and values, and whether its last result still stands.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::talk::{Silent, Talk};
use crate::models::zoo;
use crate::ops::context::TOOL_VERSION;
use crate::ops::dataset;
use crate::ops::evaluate;
use crate::ops::files::hash_file;
use crate::ops::ingest::stem;
use crate::ops::validate::schema_types;
use crate::pipeline::graph::{Stage, StageKind};
use crate::pipeline::inputs::{self, FileHashes};
use crate::pipeline::key::{KeyInput, StageKey};
use crate::pipeline::lockfile::{LockEntry, LockFile};
use crate::pipeline::staleness;
use crate::repo::Repo;
use crate::source::redact;
use crate::spec::gate::{Bound, GateSpec};
use crate::spec::model::Task;
use crate::spec::project::{DataSpec, ProjectSpec, StageSpec};
use crate::spec::schema::ColumnType;

/// Outputs of a stage by name.
pub type Outputs = BTreeMap<String, ObjectId>;

/// A project as the stages see it.
pub struct Workspace<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// Folder of the project.
    pub root: &'a Path,
    /// What the project file says.
    pub spec: &'a ProjectSpec,
}

/// Where a stage stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Hash of all its inputs.
    pub key: ObjectId,
    /// The inputs by name.
    pub inputs: BTreeMap<String, String>,
    /// Why it has to run, in sentences; empty when its result stands.
    pub why: Vec<String>,
    /// Its outputs, when its result stands.
    pub outputs: Option<Outputs>,
}

struct Hashes<'a>(&'a Repo);

impl FileHashes for Hashes<'_> {
    fn file(&self, path: &Path) -> Result<ObjectId> {
        hash_file(self.0, path)
    }
}

impl Workspace<'_> {
    /// Name of the dataset and, unless it says otherwise, of the model: the file's word, else the source's, else that of
    /// the newest dataset.
    pub fn name(&self) -> String {
        let data = self.spec.data.as_ref();
        let named = data.and_then(|data| data.name.clone()).or_else(|| self.spec.project.name.clone());
        let newest = || dataset::newest(self.repo).ok();
        named
            .or_else(|| data.map(|data| stem(&data.source)).filter(|stem| !stem.is_empty()))
            .or_else(newest)
            .unwrap_or_else(|| "model".to_owned())
    }

    /// Name under which the model is registered and its champion found.
    pub fn model_name(&self) -> String {
        let named = self.spec.register.as_ref().and_then(|register| register.name.clone());
        named.or_else(|| self.spec.project.name.clone()).unwrap_or_else(|| self.name())
    }

    /// `[data]`, which every built-in stage needs.
    pub fn data(&self) -> Result<&DataSpec> {
        let missing =
            || fail::usage("the project file has no [data] section").hint("add [data] with source = \"FILE\"");
        self.spec.data.as_ref().ok_or_else(|| missing().into())
    }

    /// Path of a file of the project.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// Types that the reviewed schema gives to columns; empty when there is none, or none that can be read, which is said.
    pub fn schema_types(&self, talk: &dyn Talk) -> BTreeMap<String, ColumnType> {
        let spec = self.spec.validate.clone().unwrap_or_default();
        schema_types(&self.path(&spec.schema), talk)
    }

    /// Where `stage` stands, given the outputs of every stage before it.
    pub fn standing(&self, stage: &Stage, before: &BTreeMap<String, Outputs>, lock: &LockFile) -> Result<Standing> {
        let inputs = self.inputs(stage, before).with_context(|| format!("stage `{}`", stage.name))?;
        let StageKey { key, inputs } = StageKey::new(&stage.name, TOOL_VERSION, inputs)?;
        let entry = lock.stages.get(&stage.name);
        let mut why = staleness::why(entry, key, &inputs);
        let mut outputs = None;
        if let Some(entry) = entry.filter(|_| why.is_empty()) {
            match self.still_there(stage, entry)? {
                None => outputs = Some(entry.outputs.clone()),
                Some(missing) => why.push(missing),
            }
        }
        if let StageKind::Command(StageSpec { always: true, .. }) = &stage.kind {
            (outputs, why) = (None, vec!["it is declared to run always".to_owned()]);
        }
        let lies_outside = matches!(stage.kind, StageKind::Ingest) && self.data().is_ok_and(lies_outside);
        if lies_outside && why.is_empty() {
            (outputs, why) = (None, vec!["its source lies outside and is asked for changes".to_owned()]);
        }
        Ok(Standing { key, inputs, why, outputs })
    }

    /// What is missing of a stage's recorded outputs, in a sentence.
    fn still_there(&self, stage: &Stage, entry: &LockEntry) -> Result<Option<String>> {
        for (name, id) in &entry.outputs {
            if let StageKind::Command(_) = stage.kind {
                let path = self.path(name);
                if !path.is_file() {
                    return Ok(Some(format!("{name} is missing")));
                }
                if hash_file(self.repo, &path)? != *id {
                    return Ok(Some(format!("{name} was changed by hand")));
                }
            } else if !self.repo.store().contains(id)? {
                return Ok(Some(format!("its {name} is not in the store")));
            }
        }
        if let (StageKind::Register, Some(package)) = (&stage.kind, entry.outputs.get("model")) {
            let name = self.model_name();
            let known = self.repo.models()?.contains(&name);
            if !known || !self.repo.model_versions(&name)?.iter().any(|version| version.package == *package) {
                return Ok(Some(format!("{name} has no such version any more")));
            }
        }
        Ok(None)
    }

    /// Everything that the outcome of a stage depends on; a value that is not here does not make a stage run again.
    fn inputs(&self, stage: &Stage, before: &BTreeMap<String, Outputs>) -> Result<Vec<KeyInput>> {
        let output = |from: &str, name: &str| -> Result<KeyInput> {
            let id = before.get(from).and_then(|outputs| outputs.get(name));
            let missing = || {
                fail::world(format!("stage `{from}` has put out no {name}"))
                    .hint("run `mlops run` without naming stages")
            };
            Ok(KeyInput::output(from, name, *id.ok_or_else(missing)?))
        };
        let mut inputs = Vec::new();
        for file in &stage.files {
            let id = inputs::hash_input(self.root, file, &Hashes(self.repo))?;
            if id.is_none() {
                let what = format!("{} is not there", self.root.join(file).display());
                return Err(fail::world(what).hint(missing_file_hint(&stage.kind)).into());
            }
            inputs.push(KeyInput::file(file, id));
        }
        match &stage.kind {
            StageKind::Ingest => {
                // The lock file is kept in git; a password in an address is not.
                let data = self.data()?;
                let data = DataSpec { source: redact(&data.source), ..data.clone() };
                inputs.extend(KeyInput::settings("data", &data)?);
                let types = self.schema_types(&Silent);
                if !types.is_empty() {
                    inputs.extend(KeyInput::settings("schema", &types)?);
                }
                inputs.extend(KeyInput::settings("name", &self.name())?);
            }
            StageKind::Validate => {
                inputs.push(output("ingest", "dataset")?);
                inputs.extend(KeyInput::settings("validate", &self.spec.validate)?);
            }
            StageKind::Transform => {
                inputs.push(output("ingest", "dataset")?);
                inputs.push(KeyInput::seed(self.spec.project.seed));
                inputs.extend(KeyInput::settings("engine", &zoo::ENGINE_VERSION)?);
                let family = self.family()?.unwrap_or(self.usual_family()?);
                inputs.extend(KeyInput::settings("family", &format!("{family:?}"))?);
                inputs.extend(KeyInput::settings("split", &self.spec.split)?);
                inputs.extend(KeyInput::settings("transform", &self.spec.transform)?);
            }
            StageKind::Train => {
                inputs.push(output("transform", "recipe")?);
                inputs.push(KeyInput::seed(self.spec.project.seed));
                inputs.extend(KeyInput::settings("engine", &zoo::ENGINE_VERSION)?);
                inputs.extend(KeyInput::settings("train", &self.spec.train)?);
                inputs.extend(self.start_input());
            }
            StageKind::Evaluate => {
                inputs.push(output("train", "model")?);
                inputs.extend(self.champion_input(before)?);
                inputs.extend(KeyInput::settings("evaluate", &self.spec.evaluate)?);
            }
            StageKind::Register => {
                inputs.push(output("train", "model")?);
                if self.spec.evaluate.is_some() {
                    inputs.push(output("evaluate", "evaluation")?);
                }
                inputs.extend(KeyInput::settings("register", &self.spec.register)?);
                inputs.extend(KeyInput::settings("name", &self.model_name())?);
            }
            StageKind::Command(spec) => inputs.extend(self.command_inputs(stage, spec, before)?),
        }
        Ok(inputs)
    }

    /// The family of models that the recipe `auto` is meant for; none when no model is named, as the task then says.
    pub fn family(&self) -> Result<Option<crate::features::recipe::Family>> {
        let named = self.spec.train.as_ref().and_then(|train| train.model.clone()).filter(|name| name != "auto");
        named.map(|name| Ok(zoo::kind(&name)?.family)).transpose()
    }

    /// The family of the kind that is taken when no model is named.
    fn usual_family(&self) -> Result<crate::features::recipe::Family> {
        let task = self.spec.data.as_ref().and_then(|data| data.task);
        Ok(zoo::kind(zoo::default_kind(task.unwrap_or(Task::Binary)))?.family)
    }

    /// The model that training goes on from. A name says what is meant, not what it is: another model of that name is
    /// another start.
    fn start_input(&self) -> Option<KeyInput> {
        let from = self.spec.train.as_ref().and_then(|train| train.from.as_deref())?;
        let found = self.repo.resolve_model(from).ok().map(|found| found.package);
        Some(KeyInput::reference(&format!("model:{from}"), found))
    }

    /// The model that gates compare with, when one does.
    fn champion_input(&self, before: &BTreeMap<String, Outputs>) -> Result<Option<KeyInput>> {
        let gates = self.spec.evaluate.iter().flat_map(|evaluate| &evaluate.gates);
        let gates = gates.map(|text| text.parse::<GateSpec>()).collect::<Result<Vec<_>, _>>()?;
        let asked = gates.iter().any(|gate| matches!(gate.bound, Bound::Champion { .. }));
        let package = before.get("train").and_then(|outputs| outputs.get("model")).filter(|_| asked);
        let Some(package) = package else {
            return Ok(None);
        };
        let champion = evaluate::champion(self.repo, &self.model_name(), *package)?;
        Ok(Some(KeyInput::reference("model:champion", champion.map(|found| found.package))))
    }

    fn command_inputs(
        &self,
        stage: &Stage,
        spec: &StageSpec,
        before: &BTreeMap<String, Outputs>,
    ) -> Result<Vec<KeyInput>> {
        let mut inputs = KeyInput::command(spec, &stage.outs)?;
        inputs.push(KeyInput::seed(self.spec.project.seed));
        for reference in &stage.refs {
            let id = match reference.split_once(':') {
                Some(("data", name)) => self.repo.resolve_dataset(name).ok().map(|found| found.id),
                Some(("model", name)) => self.repo.resolve_model(name).ok().map(|found| found.package),
                _ => None,
            };
            inputs.push(KeyInput::reference(reference, id));
        }
        for dep in spec.deps.iter().filter_map(|dep| dep.strip_prefix("stage:")) {
            let outputs = before.get(dep).into_iter().flatten();
            inputs.extend(outputs.map(|(name, id)| KeyInput::output(dep, name, *id)));
        }
        Ok(inputs)
    }
}

fn missing_file_hint(kind: &StageKind) -> &'static str {
    match kind {
        StageKind::Ingest => "check `source` in [data]",
        StageKind::Validate => "write a schema with `mlops ingest` and `mlops validate --init`, then review it",
        _ => "check `deps` of the stage",
    }
}

/// Whether no file of the project tells when the source has changed.
fn lies_outside(data: &DataSpec) -> bool {
    data.source.contains("://") || data.source == "-"
}
