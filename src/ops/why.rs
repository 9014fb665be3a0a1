//! `why`: one thing traced to its origins, down to the raw file.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;
use serde_json::{Value, json};

use crate::base::id::{ObjectId, RunId};
use crate::index::{Index, RunRow, Side};
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::EvaluationRecord;
use crate::record::explanation::ExplanationRecord;
use crate::record::model::ModelRecord;
use crate::record::recipe::RecipeRecord;
use crate::record::split::SplitRecord;
use crate::record::study::StudyRecord;
use crate::record::{self, Record};
use crate::repo::Repo;
use crate::repo::marks::VersionFacts;
use crate::repo::resolve::Resolved;

/// One link of the chain.
#[derive(Clone, Debug, Serialize)]
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

/// The chain, from the thing asked about back to the raw file.
#[derive(Clone, Debug, Serialize)]
pub struct WhyReport {
    /// As asked.
    pub subject: String,
    /// Links in order, each made from those after it.
    pub chain: Vec<WhyLink>,
}

/// Traces a dataset, a model or a run.
pub fn why(repo: &Repo, reference: &str) -> Result<WhyReport> {
    let mut trace = Trace { repo, index: repo.index()?, chain: Vec::new(), seen: BTreeSet::new() };
    match repo.resolve_any(reference)? {
        Resolved::Dataset(found) => trace.dataset(&found.id)?,
        Resolved::Model(found) => trace.model(&found.package, &found.model)?,
        Resolved::Run(run) => trace.run(&run)?,
        Resolved::Object(id) => trace.object(&id)?,
    }
    Ok(WhyReport { subject: reference.to_owned(), chain: trace.chain })
}

/// What a version is, with what is said of it: state, note, tags.
fn with_facts(mut facts: Value, said: Option<&VersionFacts>) -> Value {
    if let (Value::Object(facts), Some(Value::Object(said))) = (&mut facts, said.map(|said| json!(said))) {
        facts.extend(said);
    }
    facts
}

struct Trace<'r> {
    repo: &'r Repo,
    index: Index,
    chain: Vec<WhyLink>,
    seen: BTreeSet<String>,
}

impl Trace<'_> {
    /// Adds a link once; false when it is there already.
    fn add(&mut self, kind: &str, id: String, name: &str, facts: Value) -> bool {
        let new = self.seen.insert(format!("{kind} {id}"));
        if new {
            self.chain.push(WhyLink { kind: kind.to_owned(), id, name: name.to_owned(), facts });
        }
        new
    }

    fn model(&mut self, package: &ObjectId, record_id: &ObjectId) -> Result<()> {
        let record: ModelRecord = self.repo.record(record_id)?;
        self.versions(package)?;
        let facts = json!({ "task": record.task, "validation": record.metrics, "record": record_id });
        if !self.add("model", package.hex(), &record.model, facts) {
            return Ok(());
        }
        self.evaluations(package)?;
        if let Some(id) = self.repo.newest_explanation(package)? {
            self.explanation(&id)?;
        }
        match record.imported {
            Some(file) => {
                self.makers(package, "import")?;
                self.imported(&file)?;
            }
            None => self.makers(package, "train")?,
        }
        record.recipe.iter().try_for_each(|id| self.recipe(id))?;
        record.split.iter().try_for_each(|id| self.split(id))?;
        record.dataset.iter().try_for_each(|id| self.dataset(id))?;
        let Some(from) = record.from else {
            return Ok(());
        };
        match self.repo.resolve_model(&from.hex()) {
            Ok(found) => self.model(&found.package, &found.model),
            // A model that was pulled may have left the record of its start behind; the package is there.
            Err(_) => {
                self.add("model", from.hex(), "earlier model", json!({}));
                Ok(())
            }
        }
    }

    /// The file that a model was imported from, under the name it had then.
    fn imported(&mut self, file: &ObjectId) -> Result<()> {
        let edges = self.index.consumers(file)?;
        let name =
            edges.iter().find(|edge| edge.kind == "import").map_or_else(|| file.short(), |edge| edge.name.clone());
        let bytes = self.repo.store().stat(file)?.map_or(0, |stat| stat.bytes);
        self.add("raw", file.hex(), &name, json!({ "bytes": bytes, "b3sum": file }));
        Ok(())
    }

    /// Registered versions of a package, with the aliases that point at them and why.
    fn versions(&mut self, package: &ObjectId) -> Result<()> {
        for name in self.repo.models()? {
            let aliases = self.repo.aliases(&name)?;
            let moves = self.repo.alias_moves(&name)?;
            let said = self.repo.version_facts(&name)?;
            for entry in self.repo.model_versions(&name)?.into_iter().filter(|entry| entry.package == *package) {
                let pointing: Vec<&String> =
                    aliases.iter().filter(|(_, version)| **version == entry.version).map(|(alias, _)| alias).collect();
                let moved: Vec<Value> = moves
                    .iter()
                    .filter(|moved| moved.to == Some(entry.version))
                    .map(|moved| json!({ "alias": moved.alias, "from": moved.from, "time": moved.time, "reason": moved.reason }))
                    .collect();
                let facts = json!({ "time": entry.time, "aliases": pointing, "moves": moved });
                let facts = with_facts(facts, said.get(&entry.version));
                let label = format!("{name}@v{}", entry.version);
                self.add("version", label.clone(), &label, facts);
            }
        }
        Ok(())
    }

    fn evaluations(&mut self, package: &ObjectId) -> Result<()> {
        let Some(id) = self.repo.newest_evaluation(package)? else {
            return Ok(());
        };
        let record: EvaluationRecord = self.repo.record(&id)?;
        let facts = json!({
            "verdict": record.judgement.verdict, "rows": record.judgement.rows, "rows_of": record.judgement.rows_of,
            "metrics": record.judgement.metrics, "gates": record.judgement.gates,
        });
        self.add("evaluation", id.hex(), record.judgement.verdict.name(), facts);
        Ok(())
    }

    fn explanation(&mut self, id: &ObjectId) -> Result<ExplanationRecord> {
        let record: ExplanationRecord = self.repo.record(id)?;
        let first: Vec<&str> = record.columns.iter().take(5).map(|column| column.name.as_str()).collect();
        let facts = json!({
            "dataset": record.dataset_name, "rows": record.rows, "rows_of": record.rows_of,
            "most_important": first, "rows_explained": record.explained.len(),
        });
        self.add("explanation", id.hex(), &record.model, facts);
        Ok(record)
    }

    /// Runs that put an object out, newest first; only the first is part of the chain, the rest made the same bytes.
    fn makers(&mut self, object: &ObjectId, kind: &str) -> Result<()> {
        let edges = self.index.producers(object)?;
        let mut makers = edges.into_iter().filter(|edge| edge.side == Side::Output && edge.kind == kind);
        match makers.next() {
            Some(edge) => {
                self.run_link(&edge.run)?;
                let read = self.index.edges_of_run(&edge.run)?.into_iter();
                let mut studies = read.filter(|edge| edge.side == Side::Input && edge.role == StudyRecord::KIND);
                studies.try_for_each(|edge| self.study(&edge.object))
            }
            None => Ok(()),
        }
    }

    fn run_link(&mut self, run: &RunId) -> Result<()> {
        let Some(row) = self.index.run(run)? else {
            return Ok(());
        };
        let RunRow { kind, state, started, code, seed, params, command, host, user, tool_version, .. } = row;
        let facts = json!({
            "state": state, "started": started, "code": code, "seed": seed, "params": params,
            "command": command, "host": host, "user": user, "tool_version": tool_version,
        });
        self.add("run", run.hex(), &kind, facts);
        Ok(())
    }

    fn run(&mut self, run: &RunId) -> Result<()> {
        self.run_link(run)?;
        for edge in self.index.edges_of_run(run)? {
            let is_record = edge.role == "model_record";
            if edge.side == Side::Output && is_record {
                let record: ModelRecord = self.repo.record(&edge.object)?;
                self.model(&record.package, &edge.object)?;
            } else if edge.side == Side::Input || matches!(edge.role.as_str(), "dataset" | "recipe" | "split") {
                self.object(&edge.object)?;
            }
        }
        Ok(())
    }

    /// The search that a model's parameters come from.
    fn study(&mut self, id: &ObjectId) -> Result<()> {
        let record: StudyRecord = self.repo.record(id)?;
        let StudyRecord { study, settings, trials, best, ended, .. } = &record;
        let best = best.and_then(|number| trials.iter().find(|trial| trial.number == number));
        let facts = json!({
            "run": study, "metric": settings.tune.metric, "sampler": settings.tune.sampler, "pruner": settings.tune.pruner,
            "trials": trials.len(), "best": best, "ended": ended,
        });
        if !self.add(StudyRecord::KIND, id.hex(), &format!("run:{study}"), facts) {
            return Ok(());
        }
        record.settings.recipe.map_or(Ok(()), |recipe| self.object(&recipe))
    }

    fn recipe(&mut self, id: &ObjectId) -> Result<()> {
        let record: RecipeRecord = self.repo.record(id)?;
        let from: BTreeSet<&str> = record.features.iter().map(|feature| feature.from.as_str()).collect();
        let facts = json!({ "features": record.features.len(), "columns": from });
        self.add("recipe", id.hex(), "recipe", facts);
        Ok(())
    }

    fn split(&mut self, id: &ObjectId) -> Result<()> {
        let record: SplitRecord = self.repo.record(id)?;
        let [train, validation, test] = record.rows;
        let facts = json!({ "train": train, "validation": validation, "test": test, "method": record.spec.method, "seed": record.seed });
        self.add("split", id.hex(), "split", facts);
        Ok(())
    }

    fn dataset(&mut self, id: &ObjectId) -> Result<()> {
        let record: DatasetRecord = self.repo.record(id)?;
        let mut name = id.short();
        for known in self.repo.datasets()? {
            if let Some(entry) = self.repo.dataset_versions(&known)?.into_iter().rev().find(|entry| entry.id == *id) {
                name = format!("{known}@v{}", entry.version);
            }
        }
        let facts = json!({ "rows": record.rows, "columns": record.columns.len(), "roles": record.roles, "parse": record.parse });
        if !self.add("dataset", id.hex(), &name, facts) {
            return Ok(());
        }
        self.makers(id, "ingest")?;
        for source in &record.sources {
            self.add("raw", source.raw.hex(), &source.name, json!({ "bytes": source.bytes, "b3sum": source.raw }));
        }
        Ok(())
    }

    /// Anything else: by the kind of its record, else by the runs that made it.
    fn object(&mut self, id: &ObjectId) -> Result<()> {
        let bytes = self.repo.store().stat(id)?.map_or(0, |stat| stat.bytes);
        let small = bytes > 0 && bytes <= crate::base::limits::RECORD_BYTES_MAX;
        let content =
            if small { self.repo.store().get(id, crate::base::limits::RECORD_BYTES_MAX)? } else { Vec::new() };
        match record::peek(&content).map(|(kind, _)| kind).as_deref() {
            Some("dataset") => self.dataset(id),
            Some("recipe") => self.recipe(id),
            Some("split") => self.split(id),
            Some(StudyRecord::KIND) => self.study(id),
            Some("explanation") => {
                let record = self.explanation(id)?;
                self.makers(id, "explain")?;
                self.object(&record.package)?;
                self.object(&record.dataset)
            }
            Some("model") => {
                let record: ModelRecord = record::decode(&content)?;
                self.model(&record.package, id)
            }
            _ => self.blob(id, bytes),
        }
    }

    fn blob(&mut self, id: &ObjectId, bytes: u64) -> Result<()> {
        for edge in self.index.producers(id)? {
            if edge.role == "model" {
                let found = self.repo.resolve_model(&id.hex())?;
                return self.model(&found.package, &found.model);
            }
        }
        let edges = self.index.producers(id)?;
        let name = edges.first().map_or_else(|| id.short(), |edge| edge.name.clone());
        let role = edges.first().map_or_else(|| "object".to_owned(), |edge| edge.role.clone());
        if self.add(&role, id.hex(), &name, json!({ "bytes": bytes })) {
            for edge in edges.into_iter().filter(|edge| edge.side == Side::Output).take(1) {
                self.run_link(&edge.run)?;
            }
        }
        Ok(())
    }
}
