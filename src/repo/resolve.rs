//! What a reference means: names, versions, aliases, id prefixes, runs.
//!
//! Forms: `NAME`, `NAME@latest`, `NAME@v3`, `NAME@ALIAS` (models), a unique prefix of at least four hex digits of an
//! id, `run:last`, `run:PREFIX`. `dataset:`, `model:` and `run:` in front say which kind is meant. A name wins over a
//! prefix that looks like it.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::id::{ObjectId, PREFIX_MIN, RunId};
use crate::base::suggest;
use crate::record::Record;
use crate::record::dataset::DatasetRecord;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::names;
use crate::repo::objects;
use crate::repo::refs::ModelVersion;

/// Role of a dataset in a run that made or read it.
const DATASET: &str = "dataset";

/// A dataset that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatasetRef {
    /// Its name, when it has one.
    pub name: Option<String>,
    /// Its version, when it has a name.
    pub version: Option<u32>,
    /// The dataset record.
    pub id: ObjectId,
}

/// A model that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRef {
    /// Its name, when it is registered.
    pub name: Option<String>,
    /// Its version, when it is registered.
    pub version: Option<u32>,
    /// The package blob.
    pub package: ObjectId,
    /// The model record.
    pub model: ObjectId,
}

/// Anything that was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// A dataset.
    Dataset(DatasetRef),
    /// A model.
    Model(ModelRef),
    /// A run.
    Run(RunId),
    /// Another object.
    Object(ObjectId),
}

impl DatasetRef {
    /// What a person calls it: `NAME@v3`, or a short id.
    pub fn label(&self) -> String {
        label(&self.name, self.version, &self.id)
    }
}

impl ModelRef {
    /// What a person calls it: `NAME@v3`, or a short id.
    pub fn label(&self) -> String {
        label(&self.name, self.version, &self.package)
    }

    fn registered(name: &str, version: &ModelVersion) -> ModelRef {
        let ModelVersion { version, package, model, .. } = *version;
        ModelRef { name: Some(name.to_owned()), version: Some(version), package, model }
    }
}

fn label(name: &Option<String>, version: Option<u32>, id: &ObjectId) -> String {
    match (name, version) {
        (Some(name), Some(version)) => format!("{name}@v{version}"),
        _ => id.short(),
    }
}

impl Repo {
    /// The dataset that `text` names. A run stands for the dataset it made, or else the one it read.
    ///
    /// Errors: nothing of that name, version or id; an ambiguous prefix, with all candidates.
    pub fn resolve_dataset(&self, text: &str) -> Result<DatasetRef> {
        let text = text.strip_prefix("dataset:").unwrap_or(text);
        if text.starts_with("run:") {
            let id = self.linked_to_run(text, DATASET)?;
            return self.dataset_of(id);
        }
        let (name, selector) = split(text);
        let known = self.datasets()?;
        if known.iter().any(|dataset| dataset == name) {
            let versions = self.dataset_versions(name)?;
            let numbers = versions.iter().map(|version| version.version);
            let wanted = version_of("dataset", name, selector, numbers, &BTreeMap::new())?;
            let found = versions.into_iter().find(|version| version.version == wanted);
            let id = found.map(|version| version.id).ok_or_else(|| fail::usage("versions changed while read"))?;
            return Ok(DatasetRef { name: Some(name.to_owned()), version: Some(wanted), id });
        }
        match prefix(text) {
            Some(prefix) => self.dataset_of(self.one_of_kind(prefix, DatasetRecord::KIND)?),
            None => Err(suggest::unknown("dataset", name, known.iter().map(String::as_str)).into()),
        }
    }

    /// The model that `text` names: by name, version or alias, by the id of its package or record, or as what a run
    /// made (or else read) in the role `model`.
    ///
    /// Errors: nothing of that name, version, alias or id; an ambiguous prefix, with all candidates.
    pub fn resolve_model(&self, text: &str) -> Result<ModelRef> {
        let text = text.strip_prefix("model:").unwrap_or(text);
        if text.starts_with("run:") {
            return self.model_of_run(text);
        }
        let (name, selector) = split(text);
        let known = self.models()?;
        if known.iter().any(|model| model == name) {
            let versions = self.model_versions(name)?;
            let numbers = versions.iter().map(|version| version.version);
            let wanted = version_of("model", name, selector, numbers, &self.aliases(name)?)?;
            let found = versions.iter().find(|version| version.version == wanted);
            return found.map(|version| ModelRef::registered(name, version)).ok_or_else(|| {
                fail::world(format!("an alias of model {name} points at v{wanted}, which does not exist"))
                    .hint("run `mlops fsck`")
                    .into()
            });
        }
        let Some(prefix) = prefix(text) else {
            return Err(suggest::unknown("model", name, known.iter().map(String::as_str)).into());
        };
        let runs = self.run_ids_with_prefix(prefix)?;
        match (self.matching_models(prefix)?.as_slice(), runs.as_slice()) {
            ([id], []) => self.model_of(*id),
            ([], [run]) => self.model_of_run(&format!("run:{run}")),
            ([], []) => Err(nothing_starts_with("model", prefix).into()),
            (objects, runs) => {
                Err(ambiguous(prefix, objects.iter().map(described).chain(runs.iter().map(described_run))).into())
            }
        }
    }

    /// The run that `text` names: `last`, `run:last`, or a unique prefix of its id, with or without `run:`.
    pub fn resolve_run(&self, text: &str) -> Result<RunId> {
        let text = text.strip_prefix("run:").unwrap_or(text);
        if text == "last" {
            return self.index()?.newest_run()?.ok_or_else(|| {
                fail::usage("there is no run yet").hint("`mlops train` or `mlops run` makes one").into()
            });
        }
        let prefix = prefix(text).ok_or_else(|| {
            fail::usage(format!("`{text}` is not a run"))
                .hint(format!("write `run:last`, or at least {PREFIX_MIN} hex digits of a run's id; see `mlops log`"))
        })?;
        match self.run_ids_with_prefix(prefix)?.as_slice() {
            [run] => Ok(*run),
            [] => Err(nothing_starts_with("run", prefix).hint("see `mlops log`").into()),
            many => Err(ambiguous(prefix, many.iter().map(described_run)).into()),
        }
    }

    /// Whatever `text` names. Of a model and a dataset with the same name, the model is meant, as its history holds
    /// its dataset; `dataset:NAME` says otherwise.
    pub fn resolve_any(&self, text: &str) -> Result<Resolved> {
        let (name, selector) = split(text);
        let is_model = self.models()?.iter().any(|model| model == name);
        let is_dataset = self.datasets()?.iter().any(|dataset| dataset == name);
        if text.starts_with("model:") || is_model {
            return self.resolve_model(text).map(Resolved::Model);
        }
        if text.starts_with("dataset:") || is_dataset {
            return self.resolve_dataset(text).map(Resolved::Dataset);
        }
        if text.starts_with("run:") || text == "last" {
            return self.resolve_run(text).map(Resolved::Run);
        }
        let Some(prefix) = prefix(text).filter(|_| selector.is_none()) else {
            let mut known = self.models()?;
            known.extend(self.datasets()?);
            let failure = suggest::unknown("dataset, model or run", name, known.iter().map(String::as_str));
            return Err(failure.into());
        };
        let runs = self.run_ids_with_prefix(prefix)?;
        match (self.objects_with_prefix(prefix)?.as_slice(), runs.as_slice()) {
            ([id], []) => self.describe(*id),
            ([], [run]) => Ok(Resolved::Run(*run)),
            ([], []) => Err(nothing_starts_with("thing", prefix).into()),
            (objects, runs) => {
                Err(ambiguous(prefix, objects.iter().map(described).chain(runs.iter().map(described_run))).into())
            }
        }
    }

    fn describe(&self, id: ObjectId) -> Result<Resolved> {
        match objects::kind(self.store(), &id)?.as_deref() {
            Some(DatasetRecord::KIND) => self.dataset_of(id).map(Resolved::Dataset),
            Some(ModelRecord::KIND) => self.model_of(id).map(Resolved::Model),
            Some(_) => Ok(Resolved::Object(id)),
            None => Ok(self.find_model(id)?.map_or(Resolved::Object(id), Resolved::Model)),
        }
    }
}

/// `NAME@SELECTOR` in two.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('@').map_or((text, None), |(name, selector)| (name, Some(selector)))
}

/// The version that a selector means.
fn version_of(
    kind: &str,
    name: &str,
    selector: Option<&str>,
    numbers: impl Iterator<Item = u32>,
    aliases: &BTreeMap<String, u32>,
) -> Result<u32> {
    let numbers: Vec<u32> = numbers.collect();
    let newest = numbers.last().copied().unwrap_or_default();
    let Some(selector) = selector.filter(|selector| *selector != "latest") else {
        return Ok(newest);
    };
    if let Some(number) = names::version_number(selector) {
        return match numbers.contains(&number) {
            true => Ok(number),
            false => Err(fail::usage(format!("{kind} {name} has no version v{number}"))
                .hint(format!("its versions are v1 to v{newest}"))
                .into()),
        };
    }
    let known = aliases.keys().map(String::as_str).chain(["latest"]);
    let what = if kind == "model" { format!("alias of model {name}") } else { format!("version of {kind} {name}") };
    aliases.get(selector).copied().ok_or_else(|| suggest::unknown(&what, selector, known).into())
}

/// `text` as a prefix of an id, if it can be one.
fn prefix(text: &str) -> Option<&str> {
    let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
    (text.len() >= PREFIX_MIN && text.len() <= 64 && text.bytes().all(hex)).then_some(text)
}

fn described(id: &ObjectId) -> String {
    format!("object {}", id.short())
}

fn described_run(run: &RunId) -> String {
    format!("run:{run}")
}

fn nothing_starts_with(kind: &str, prefix: &str) -> fail::Failure {
    fail::usage(format!("there is no {kind} whose name is `{prefix}` or whose id starts with it"))
}

/// An ambiguous prefix, with its candidates.
pub fn ambiguous(prefix: &str, candidates: impl Iterator<Item = String>) -> fail::Failure {
    let all: Vec<String> = candidates.collect();
    fail::usage(format!("`{prefix}` is ambiguous: {}", all.join(", "))).hint("give more digits of the id")
}
