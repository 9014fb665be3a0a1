//! Finding datasets, models and runs by id, by what runs said of them, and by age: the lower half of `resolve`.

use anyhow::Result;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::index::Side;
use crate::record::Record;
use crate::record::model::ModelRecord;
use crate::record::run::Link;
use crate::repo::Repo;
use crate::repo::journals;
use crate::repo::objects;
use crate::repo::resolve::{DatasetRef, ModelRef, ambiguous};

/// Role of a model package in a run that made or read it.
const MODEL: &str = "model";
/// Role of an evaluation record in the run that made it.
const EVALUATION: &str = "evaluation";
/// Role of an output that is an explanation record.
const EXPLANATION: &str = "explanation";

impl Repo {
    /// The model that the newest finished run with one made.
    ///
    /// Errors: no run made a model yet.
    pub fn newest_model(&self) -> Result<ModelRef> {
        match self.index()?.newest_output(MODEL, None)? {
            Some((_, id)) => self.model_of(id),
            None => Err(fail::usage("there is no trained model yet").hint("train one: `mlops train`").into()),
        }
    }

    /// The newest evaluation record of a package.
    pub fn newest_evaluation(&self, package: &ObjectId) -> Result<Option<ObjectId>> {
        Ok(self.index()?.newest_output(EVALUATION, Some(package))?.map(|(_, id)| id))
    }

    /// The newest explanation of a package.
    pub fn newest_explanation(&self, package: &ObjectId) -> Result<Option<ObjectId>> {
        Ok(self.index()?.newest_output(EXPLANATION, Some(package))?.map(|(_, id)| id))
    }

    /// The newest finished run of a stage with exactly these inputs, and what it made.
    pub fn finished_run_of(&self, stage_key: &ObjectId) -> Result<Option<(RunId, Vec<Link>)>> {
        let index = self.index()?;
        let Some(found) = index.runs_of_stage_key(stage_key)?.into_iter().next() else {
            return Ok(None);
        };
        Ok(Some((found.run, index.outputs_of_run(&found.run)?)))
    }

    /// Runs, open ones included, whose id starts with `prefix`; sorted.
    pub(crate) fn run_ids_with_prefix(&self, prefix: &str) -> Result<Vec<RunId>> {
        let sealed = self.runs()?.into_iter().map(|line| line.run);
        let open = journals::all(self.layout())?.into_iter().map(|journal| journal.run);
        let mut found: Vec<RunId> = sealed.chain(open).filter(|run| run.hex().starts_with(prefix)).collect();
        found.sort();
        found.dedup();
        Ok(found)
    }

    /// Objects of the store whose id starts with `prefix`; sorted.
    pub(crate) fn objects_with_prefix(&self, prefix: &str) -> Result<Vec<ObjectId>> {
        if let Ok(id) = prefix.parse::<ObjectId>() {
            return Ok(if self.store().contains(&id)? { vec![id] } else { Vec::new() });
        }
        let mut found = self.store().list()?;
        found.retain(|id| id.hex().starts_with(prefix));
        Ok(found)
    }

    /// The one record of `kind` whose id starts with `prefix`.
    pub(crate) fn one_of_kind(&self, prefix: &str, kind: &str) -> Result<ObjectId> {
        let mut found = Vec::new();
        for id in self.objects_with_prefix(prefix)? {
            if objects::kind(self.store(), &id)?.as_deref() == Some(kind) {
                found.push(id);
            }
        }
        match found.as_slice() {
            [id] => Ok(*id),
            [] => Err(fail::usage(format!("there is no {kind} whose name is `{prefix}` or whose id starts with it"))
                .hint(format!("see `mlops log --{kind}s`"))
                .into()),
            many => Err(ambiguous(prefix, many.iter().map(|id| format!("{kind} {}", id.short()))).into()),
        }
    }

    /// The dataset with this record, by its first name and newest version if it has one.
    pub(crate) fn dataset_of(&self, id: ObjectId) -> Result<DatasetRef> {
        for name in self.datasets()? {
            if let Some(version) = self.dataset_versions(&name)?.into_iter().rfind(|version| version.id == id) {
                return Ok(DatasetRef { name: Some(name), version: Some(version.version), id });
            }
        }
        Ok(DatasetRef { name: None, version: None, id })
    }

    /// Packages and model records, registered or not, whose id starts with `prefix`.
    pub(crate) fn matching_models(&self, prefix: &str) -> Result<Vec<ObjectId>> {
        let mut found = Vec::new();
        for id in self.objects_with_prefix(prefix)? {
            let is_model = match objects::kind(self.store(), &id)? {
                Some(kind) => kind == ModelRecord::KIND,
                None => self.find_model(id)?.is_some(),
            };
            if is_model {
                found.push(id);
            }
        }
        Ok(found)
    }

    /// The model of a run: what it made, or else read, in the role `model`.
    pub(crate) fn model_of_run(&self, text: &str) -> Result<ModelRef> {
        let id = self.linked_to_run(text, MODEL)?;
        self.model_of(id)
    }

    /// What a run made, or else read, in `role`.
    pub(crate) fn linked_to_run(&self, text: &str, role: &str) -> Result<ObjectId> {
        let run = self.resolve_run(text)?;
        let edges = self.index()?.edges_of_run(&run)?;
        let on = |side: Side| edges.iter().rfind(|edge| edge.side == side && edge.role == role);
        match on(Side::Output).or_else(|| on(Side::Input)) {
            Some(edge) => Ok(edge.object),
            None => Err(fail::usage(format!("run {run} neither made nor read a {role}"))
                .hint("see `mlops log` for what each run did")
                .into()),
        }
    }

    /// The model whose package or record is `id`.
    pub(crate) fn model_of(&self, id: ObjectId) -> Result<ModelRef> {
        self.find_model(id)?.ok_or_else(|| {
            fail::usage(format!("object {} is not a model that was trained here", id.short()))
                .hint("name a model, its package or its record; see `mlops log --models`")
                .into()
        })
    }

    /// The model whose package or record is `id`, with its newest registered version if it has one.
    pub(crate) fn find_model(&self, id: ObjectId) -> Result<Option<ModelRef>> {
        for name in self.models()? {
            let versions = self.model_versions(&name)?;
            if let Some(found) = versions.iter().rfind(|version| version.package == id || version.model == id) {
                let (package, model, version) = (found.package, found.model, Some(found.version));
                return Ok(Some(ModelRef { name: Some(name), version, package, model }));
            }
        }
        if objects::kind(self.store(), &id)?.as_deref() == Some(ModelRecord::KIND) {
            let package = self.record::<ModelRecord>(&id)?.package;
            return Ok(Some(ModelRef { name: None, version: None, package, model: id }));
        }
        // A package does not name its record: the run that made it made both.
        let index = self.index()?;
        for made in index.producers(&id)? {
            for link in index.outputs_of_run(&made.run)? {
                if objects::kind(self.store(), &link.id)?.as_deref() == Some(ModelRecord::KIND)
                    && self.record::<ModelRecord>(&link.id)?.package == id
                {
                    return Ok(Some(ModelRef { name: None, version: None, package: id, model: link.id }));
                }
            }
        }
        Ok(None)
    }
}
