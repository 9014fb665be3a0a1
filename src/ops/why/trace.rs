//! Following records and runs from one thing to those it goes back to.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use serde_json::{Value, json};

use crate::base::id::{ObjectId, RunId};
use crate::base::limits::RECORD_BYTES_MAX;
use crate::index::{Index, RunRow, Side};
use crate::ops::why::{WhyEdge, WhyLink};
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::EvaluationRecord;
use crate::record::explanation::ExplanationRecord;
use crate::record::model::ModelRecord;
use crate::record::recipe::RecipeRecord;
use crate::record::run::TRIAL;
use crate::record::split::SplitRecord;
use crate::record::study::StudyRecord;
use crate::record::training::TrainingRecord;
use crate::record::{self, Record};
use crate::repo::Repo;
use crate::repo::refs::ModelVersion;
use crate::repo::resolve::ModelRef;

/// A link that another one goes back to, and how: position and role.
type Parent = Option<(usize, &'static str)>;

/// A chain under way.
pub struct Trace<'r> {
    repo: &'r Repo,
    index: Index,
    /// The links so far.
    pub chain: Vec<WhyLink>,
    /// How they hang together.
    pub edges: Vec<WhyEdge>,
    /// Position of each link by kind and id.
    seen: BTreeMap<String, usize>,
    /// Subject and time of each line of the audit log with its user; read when first needed.
    actors: Option<BTreeMap<(String, String), String>>,
}

impl<'r> Trace<'r> {
    /// An empty chain.
    pub fn new(repo: &'r Repo) -> Result<Trace<'r>> {
        let (chain, edges, seen) = (Vec::new(), Vec::new(), BTreeMap::new());
        Ok(Trace { repo, index: repo.index()?, chain, edges, seen, actors: None })
    }

    /// Adds a link once, and an edge to it; its position, and whether it is new.
    fn add(&mut self, parent: Parent, kind: &str, id: String, name: &str, facts: Value) -> (usize, bool) {
        let next = self.chain.len();
        let at = *self.seen.entry(format!("{kind} {id}")).or_insert(next);
        if at == next {
            self.chain.push(WhyLink { kind: kind.to_owned(), id, name: name.to_owned(), facts });
        }
        if let Some((from, role)) = parent.filter(|(from, _)| *from != at) {
            let edge = WhyEdge { from, to: at, role };
            if !self.edges.contains(&edge) {
                self.edges.push(edge);
            }
        }
        (at, at == next)
    }

    /// A model by a name: the version asked for first, then all others of the same package.
    pub fn named_model(&mut self, found: &ModelRef) -> Result<()> {
        let asked = found.name.clone().zip(found.version);
        self.model(&found.package, &found.model, None, asked)
    }

    /// The evaluation that a version was registered with.
    fn evaluation_of(&self, asked: Option<&(String, u32)>) -> Result<Option<ObjectId>> {
        let Some((name, version)) = asked else {
            return Ok(None);
        };
        let entry = self.repo.model_versions(name)?.into_iter().find(|entry| entry.version == *version);
        Ok(entry.and_then(|entry| entry.evaluation))
    }

    fn model(
        &mut self,
        package: &ObjectId,
        record_id: &ObjectId,
        parent: Parent,
        asked: Option<(String, u32)>,
    ) -> Result<()> {
        let record: ModelRecord = self.repo.record(record_id)?;
        let counted = self.evaluation_of(asked.as_ref())?;
        let names = self.versions(package, asked)?;
        let facts = json!({ "task": record.task, "validation": record.metrics, "record": record_id });
        let (at, new) = self.add(parent, "model", package.hex(), &record.model, facts);
        for name in names {
            self.edges.push(WhyEdge { from: name, to: at, role: "names" });
        }
        if !new {
            return Ok(());
        }
        let counted = counted.map_or_else(|| self.repo.newest_evaluation(package), |id| Ok(Some(id)))?;
        if let Some(id) = counted {
            self.evaluation(&id, Some((at, "judged_by")))?;
        }
        if let Some(id) = self.repo.newest_explanation(package)? {
            self.explanation(&id, Some((at, "explained_by")))?;
        }
        let kind = if record.imported.is_some() { "import" } else { "train" };
        let maker = self.maker(package, kind, (at, "made_by"))?;
        let from = Some((maker.unwrap_or(at), "made_from"));
        record.imported.iter().try_for_each(|file| self.imported(file, from))?;
        record.recipe.iter().try_for_each(|id| self.recipe(id, from))?;
        record.split.iter().try_for_each(|id| self.split(id, from))?;
        record.dataset.iter().try_for_each(|id| self.dataset(id, from))?;
        let Some(start) = record.from else {
            return Ok(());
        };
        match self.repo.resolve_model(&start.hex()) {
            Ok(found) => self.model(&found.package, &found.model, from, None),
            // A model that was pulled may have left the record of its start behind; the package is there.
            Err(_) => {
                self.add(from, "model", start.hex(), "earlier model", json!({}));
                Ok(())
            }
        }
    }

    /// The file that a model was imported from, under the name it had then.
    fn imported(&mut self, file: &ObjectId, parent: Parent) -> Result<()> {
        let edges = self.index.consumers(file)?;
        let name =
            edges.iter().find(|edge| edge.kind == "import").map_or_else(|| file.short(), |edge| edge.name.clone());
        let bytes = self.repo.store().stat(file)?.map_or(0, |stat| stat.bytes);
        self.add(parent, "raw", file.hex(), &name, json!({ "bytes": bytes, "b3sum": file }));
        Ok(())
    }

    /// Who did `action` to `subject` at `time`, as the audit log has it.
    fn actor(&mut self, subject: &str, time: &str) -> Result<Option<String>> {
        if self.actors.is_none() {
            let entries = self.repo.audit()?.into_iter();
            let all = entries.map(|entry| ((entry.subject, entry.time.to_string()), entry.actor.user));
            self.actors = Some(all.collect());
        }
        let key = (subject.to_owned(), time.to_owned());
        Ok(self.actors.as_ref().and_then(|known| known.get(&key)).cloned())
    }

    /// Registered versions of a package, the one asked for first, with their state, the aliases that point at them, who moved
    /// or marked them and why; their positions.
    fn versions(&mut self, package: &ObjectId, asked: Option<(String, u32)>) -> Result<Vec<usize>> {
        let mut found = Vec::new();
        for name in self.repo.models()? {
            for entry in self.repo.model_versions(&name)?.into_iter().filter(|entry| entry.package == *package) {
                let is_asked =
                    asked.as_ref().is_some_and(|(other, version)| *other == name && *version == entry.version);
                let label = format!("{name}@v{}", entry.version);
                let facts = self.version_facts(&name, &label, &entry)?;
                found.push((!is_asked, label, facts));
            }
        }
        found.sort_by_key(|(later, _, _)| *later);
        let add = |(_, label, facts): (bool, String, Value)| self.add(None, "version", label.clone(), &label, facts).0;
        Ok(found.into_iter().map(add).collect())
    }

    fn version_facts(&mut self, name: &str, label: &str, entry: &ModelVersion) -> Result<Value> {
        let aliases = self.repo.aliases(name)?;
        let pointing: Vec<&String> =
            aliases.iter().filter(|(_, version)| **version == entry.version).map(|(alias, _)| alias).collect();
        let mut moved: Vec<Value> = Vec::new();
        for step in self.repo.alias_moves(name)?.into_iter().filter(|step| step.to == Some(entry.version)) {
            let by = self.actor(&format!("{name}@{}", step.alias), &step.time.to_string())?;
            moved.push(json!({
                "alias": step.alias, "from": step.from, "time": step.time, "by": by, "reason": step.reason,
            }));
        }
        let mut marked: Vec<Value> = Vec::new();
        for mark in self.repo.marks(name)?.into_iter().filter(|mark| mark.version == entry.version) {
            let by = self.actor(label, &mark.time.to_string())?;
            let said = mark.fact.to_string();
            marked.push(json!({ "said": said, "time": mark.time, "by": by, "reason": mark.reason }));
        }
        let by = self.actor(label, &entry.time.to_string())?;
        let said = self.repo.version_facts(name)?.remove(&entry.version).unwrap_or_default();
        Ok(json!({
            "time": entry.time, "by": by, "aliases": pointing, "moves": moved, "marks": marked,
            "state": said.state, "note": said.note, "tags": said.tags,
        }))
    }

    fn evaluation(&mut self, id: &ObjectId, parent: Parent) -> Result<EvaluationRecord> {
        let record: EvaluationRecord = self.repo.record(id)?;
        let facts = json!({
            "verdict": record.judgement.verdict, "rows": record.judgement.rows, "rows_of": record.judgement.rows_of,
            "headline": record.judgement.headline, "metrics": record.judgement.metrics, "gates": record.judgement.gates,
        });
        self.add(parent, "evaluation", id.hex(), record.judgement.verdict.name(), facts);
        Ok(record)
    }

    fn explanation(&mut self, id: &ObjectId, parent: Parent) -> Result<ExplanationRecord> {
        let record: ExplanationRecord = self.repo.record(id)?;
        let first: Vec<&str> = record.columns.iter().take(5).map(|column| column.name.as_str()).collect();
        let facts = json!({
            "dataset": record.dataset_name, "rows": record.rows, "rows_of": record.rows_of,
            "most_important": first, "rows_explained": record.explained.len(),
        });
        self.add(parent, "explanation", id.hex(), &record.model, facts);
        Ok(record)
    }

    /// The newest run of a kind that put an object out, and the search it goes back to; the others made the same bytes.
    fn maker(&mut self, object: &ObjectId, kind: &str, parent: (usize, &'static str)) -> Result<Option<usize>> {
        let edges = self.index.producers(object)?;
        // Newest first: the last one made it, all others made the same bytes again.
        let Some(edge) = edges.into_iter().rfind(|edge| edge.side == Side::Output && edge.kind == kind) else {
            return Ok(None);
        };
        let Some(at) = self.run_link(&edge.run, Some(parent))? else {
            return Ok(None);
        };
        let read = self.index.edges_of_run(&edge.run)?.into_iter();
        let mut studies = read.filter(|edge| edge.side == Side::Input && edge.role == StudyRecord::KIND);
        studies.try_for_each(|edge| self.study(&edge.object, Some((at, "searched_by"))))?;
        Ok(Some(at))
    }

    fn run_link(&mut self, run: &RunId, parent: Parent) -> Result<Option<usize>> {
        let Some(row) = self.index.run(run)? else {
            return Ok(None);
        };
        let RunRow { kind, state, started, code, seed, params, command, host, user, tool_version, error, .. } = row;
        let facts = json!({
            "state": state, "started": started, "code": code, "seed": seed, "params": params,
            "command": command, "host": host, "user": user, "tool_version": tool_version, "error": error,
        });
        Ok(Some(self.add(parent, "run", run.hex(), &kind, facts).0))
    }

    /// A run with what it made and what it read.
    pub fn run(&mut self, run: &RunId) -> Result<()> {
        let Some(at) = self.run_link(run, None)? else {
            return Ok(());
        };
        for edge in self.index.edges_of_run(run)? {
            let parent = Some((at, "made_from"));
            match (edge.side, edge.role.as_str()) {
                (_, TrainingRecord::KIND) => {}
                (Side::Output, "model_record") => {
                    let record: ModelRecord = self.repo.record(&edge.object)?;
                    self.model(&record.package, &edge.object, None, None)?;
                }
                (Side::Input, _) => self.object(&edge.object, parent)?,
                (Side::Output, "dataset" | "recipe" | "split" | "evaluation" | "explanation" | StudyRecord::KIND) => {
                    self.object(&edge.object, None)?;
                }
                (Side::Output, _) => {}
            }
        }
        Ok(())
    }

    /// The search that a model's parameters come from.
    fn study(&mut self, id: &ObjectId, parent: Parent) -> Result<()> {
        let record: StudyRecord = self.repo.record(id)?;
        let StudyRecord { study, settings, trials, best, ended, .. } = &record;
        let best = best.and_then(|number| trials.iter().find(|trial| trial.number == number));
        let facts = json!({
            "run": study, "metric": settings.tune.metric, "sampler": settings.tune.sampler, "pruner": settings.tune.pruner,
            "trials": trials.len(), "best": best, "ended": ended,
        });
        let (at, new) = self.add(parent, StudyRecord::KIND, id.hex(), &format!("run:{study}"), facts);
        let from = Some((at, "made_from"));
        record.settings.recipe.filter(|_| new).map_or(Ok(()), |recipe| self.object(&recipe, from))
    }

    fn recipe(&mut self, id: &ObjectId, parent: Parent) -> Result<()> {
        let record: RecipeRecord = self.repo.record(id)?;
        let from: BTreeSet<&str> = record.features.iter().map(|feature| feature.from.as_str()).collect();
        let facts = json!({ "features": record.features.len(), "columns": from });
        self.add(parent, "recipe", id.hex(), "recipe", facts);
        Ok(())
    }

    fn split(&mut self, id: &ObjectId, parent: Parent) -> Result<()> {
        let record: SplitRecord = self.repo.record(id)?;
        let [train, validation, test] = record.rows;
        let facts = json!({ "train": train, "validation": validation, "test": test, "method": record.spec.method, "seed": record.seed });
        self.add(parent, "split", id.hex(), "split", facts);
        Ok(())
    }

    /// A dataset, the run that brought it in, and its raw files.
    pub fn dataset(&mut self, id: &ObjectId, parent: Parent) -> Result<()> {
        let record: DatasetRecord = self.repo.record(id)?;
        let name = self.repo.resolve_dataset(&id.hex()).map_or_else(|_| id.short(), |found| found.label());
        let facts = json!({ "rows": record.rows, "columns": record.columns.len(), "roles": record.roles, "parse": record.parse });
        let (at, new) = self.add(parent, "dataset", id.hex(), &name, facts);
        if !new {
            return Ok(());
        }
        let maker = self.maker(id, "ingest", (at, "made_by"))?;
        for source in &record.sources {
            let facts = json!({ "bytes": source.bytes, "b3sum": source.raw, "origin": source.origin });
            self.add(Some((maker.unwrap_or(at), "made_from")), "raw", source.raw.hex(), &source.name, facts);
        }
        Ok(())
    }

    /// A raw file, and every dataset version that came from it; or whatever else has its content.
    pub fn file(&mut self, id: &ObjectId) -> Result<()> {
        let mut found = Vec::new();
        let mut name = id.short();
        for dataset in self.repo.datasets()? {
            for entry in self.repo.dataset_versions(&dataset)? {
                let record: DatasetRecord = self.repo.record(&entry.id)?;
                if let Some(source) = record.sources.iter().find(|source| source.raw == *id) {
                    name.clone_from(&source.name);
                    found.push((format!("{dataset}@v{}", entry.version), entry.id, record));
                }
            }
        }
        if found.is_empty() && self.index.consumers(id)?.iter().any(|edge| edge.kind == "import") {
            self.imported(id, None)?;
            for edge in self.index.consumers(id)?.into_iter().filter(|edge| edge.kind == "import") {
                self.run(&edge.run)?;
            }
            return Ok(());
        }
        if found.is_empty() {
            return self.object(id, None);
        }
        let bytes = self.repo.store().stat(id)?.map_or(0, |stat| stat.bytes);
        let (at, _) = self.add(None, "raw", id.hex(), &name, json!({ "bytes": bytes, "b3sum": id }));
        for (label, id, record) in found {
            let facts = json!({ "rows": record.rows, "columns": record.columns.len(), "roles": record.roles, "parse": record.parse });
            let (dataset, _) = self.add(None, "dataset", id.hex(), &label, facts);
            self.edges.push(WhyEdge { from: dataset, to: at, role: "made_from" });
        }
        Ok(())
    }

    /// Anything else: by the kind of its record, else by the runs that made it.
    pub fn object(&mut self, id: &ObjectId, parent: Parent) -> Result<()> {
        let bytes = self.repo.store().stat(id)?.map_or(0, |stat| stat.bytes);
        let small = bytes > 0 && bytes <= RECORD_BYTES_MAX;
        let content = if small { self.repo.store().get(id, RECORD_BYTES_MAX)? } else { Vec::new() };
        match record::peek(&content).map(|(kind, _)| kind).as_deref() {
            Some(DatasetRecord::KIND) => self.dataset(id, parent),
            Some(RecipeRecord::KIND) => {
                self.recipe(id, parent)?;
                let record: RecipeRecord = record::decode(&content)?;
                self.below(id, &[record.split, record.dataset])
            }
            Some(SplitRecord::KIND) => {
                self.split(id, parent)?;
                self.below(id, &[record::decode::<SplitRecord>(&content)?.dataset])
            }
            Some(StudyRecord::KIND) => self.study(id, parent),
            Some(EvaluationRecord::KIND) => {
                let record = self.evaluation(id, parent)?;
                self.below(id, &[record.package, record.dataset])
            }
            Some(ExplanationRecord::KIND) => {
                let record = self.explanation(id, parent)?;
                let at = self.chain.len() - 1;
                self.maker(id, "explain", (at, "made_by"))?;
                self.below(id, &[record.package, record.dataset])
            }
            Some(TrainingRecord::KIND) => {
                let record: TrainingRecord = record::decode(&content)?;
                let facts = json!({ "train": record.train, "seed": record.seed, "engine": record.engine });
                self.add(parent, TrainingRecord::KIND, id.hex(), TrainingRecord::KIND, facts);
                self.below(id, &[record.recipe, record.split, record.dataset])
            }
            Some(ModelRecord::KIND) => {
                let record: ModelRecord = record::decode(&content)?;
                self.model(&record.package, id, parent, None)
            }
            _ => self.blob(id, bytes, parent),
        }
    }

    /// What the record `id`, which is in the chain, goes back to.
    fn below(&mut self, id: &ObjectId, origins: &[ObjectId]) -> Result<()> {
        let at = self.chain.iter().position(|link| link.id == id.hex()).unwrap_or(0);
        origins.iter().try_for_each(|origin| self.object(origin, Some((at, "made_from"))))
    }

    fn blob(&mut self, id: &ObjectId, bytes: u64, parent: Parent) -> Result<()> {
        let edges = self.index.producers(id)?;
        if edges.iter().any(|edge| edge.role == "model") {
            let found = self.repo.resolve_model(&id.hex())?;
            return self.model(&found.package, &found.model, parent, None);
        }
        let read = self.index.consumers(id)?;
        let known = edges.iter().chain(&read).find(|edge| edge.kind != TRIAL);
        let name = known.map_or_else(|| id.short(), |edge| edge.name.clone());
        let role = known.map_or_else(|| "object".to_owned(), |edge| edge.role.clone());
        let (at, new) = self.add(parent, &role, id.hex(), &name, json!({ "bytes": bytes }));
        match edges.into_iter().find(|edge| edge.side == Side::Output).filter(|_| new) {
            Some(edge) => self.run_link(&edge.run, Some((at, "made_by"))).map(drop),
            None => Ok(()),
        }
    }
}
