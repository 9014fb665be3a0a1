//! Tests of the repository; here is what they share.

mod gc_and_fsck;
mod indexing;
mod resolving;
mod runs;
mod setting_up;
mod transactions;

use std::collections::BTreeMap;

use anyhow::Result;
use tempfile::TempDir;

use crate::base::clock::Timestamp;
use crate::base::host::Usage;
use crate::base::id::{ObjectId, RunId};
use crate::record::dataset::{DatasetRecord, ParseOptions, Roles, SourceFile};
use crate::record::evaluation::{EvaluationRecord, Judgement, Verdict};
use crate::record::model::ModelRecord;
use crate::record::profile::ProfileRecord;
use crate::record::recipe::RecipeRecord;
use crate::record::run::{Link, MetricPoint, RunStart, RunState};
use crate::record::split::SplitRecord;
use crate::repo::Repo;
use crate::repo::fsck::fsck;
use crate::repo::journal::{RunEnd, RunJournal};
use crate::repo::refs::{Actor, AliasTarget, Change, Committed, RefMove};
use crate::spec::model::Task;

/// A repository in a folder of its own.
fn fresh() -> Result<(TempDir, Repo)> {
    let folder = tempfile::tempdir()?;
    let (repo, created) = Repo::init(folder.path())?;
    assert!(created);
    Ok((folder, repo))
}

fn actor() -> Actor {
    Actor { user: "ann".to_owned(), host: "desk".to_owned(), command: "test".to_owned() }
}

/// `seconds` after some moment in 2026; of a large number only the last six digits.
fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros((1_770_000_000 + seconds % 1_000_000) * 1_000_000)
}

/// Stores a dataset record whose content depends on `content`.
fn put_dataset(repo: &Repo, content: &str) -> Result<ObjectId> {
    let raw = repo.store().put(content.as_bytes())?;
    let table = repo.store().put(format!("table of {content}").as_bytes())?.id;
    let profile = repo.put_record(&ProfileRecord { rows: 1, columns: Vec::new() })?;
    let source = SourceFile { name: "d.csv".to_owned(), raw: raw.id, bytes: raw.bytes, parse: None, origin: None };
    let types = BTreeMap::new();
    let parse = ParseOptions { types, ..ParseOptions::default() };
    let sources = vec![source];
    repo.put_record(&DatasetRecord {
        sources,
        parse,
        table,
        rows: 1,
        columns: Vec::new(),
        profile,
        roles: Roles::default(),
    })
}

/// Stores a package and its model record, with everything they need.
fn put_model(repo: &Repo, content: &str) -> Result<(ObjectId, ObjectId)> {
    let dataset = put_dataset(repo, "rows of the model")?;
    let parts = repo.store().put(b"\0\x01\x02")?.id;
    let spec = Default::default();
    let split = repo.put_record(&SplitRecord { dataset, spec, seed: 1, rows: [1, 1, 1], parts, folds: None })?;
    let fitted = serde_json::Value::Null;
    let recipe =
        repo.put_record(&RecipeRecord { dataset, split, target: None, fitted, features: Vec::new(), table: None })?;
    let package = repo.store().put(format!("package {content}").as_bytes())?.id;
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.5)]);
    let (model, task) = ("tree".to_owned(), Task::Binary);
    let [dataset, split, recipe] = [dataset, split, recipe].map(Some);
    let (from, imported) = (None, None);
    let record =
        repo.put_record(&ModelRecord { package, model, task, dataset, split, recipe, metrics, from, imported })?;
    Ok((package, record))
}

fn put_evaluation(repo: &Repo, package: ObjectId) -> Result<ObjectId> {
    let dataset = put_dataset(repo, "rows of the model")?;
    let judgement = Judgement { rows_of: "test".to_owned(), rows: 1, verdict: Verdict::Pass, ..Judgement::default() };
    repo.put_record(&EvaluationRecord { package, dataset, judgement })
}

fn commit(repo: &Repo, moves: Vec<RefMove>, seconds: i64) -> Result<Vec<Committed>> {
    repo.commit(Change { moves }, &actor(), at(seconds))
}

fn add_dataset(repo: &Repo, name: &str, content: &str) -> Result<ObjectId> {
    let id = put_dataset(repo, content)?;
    commit(repo, vec![RefMove::Dataset { name: name.to_owned(), id }], 1)?;
    Ok(id)
}

fn model_move(name: &str, package: ObjectId, model: ObjectId) -> RefMove {
    let (name, tags) = (name.to_owned(), BTreeMap::new());
    RefMove::Model { name, package, model, evaluation: None, note: None, tags, reason: None }
}

fn alias_move(model: &str, alias: &str, target: AliasTarget) -> RefMove {
    RefMove::Alias { model: model.to_owned(), alias: alias.to_owned(), target, reason: Some("because".to_owned()) }
}

/// The run whose id is `number` in hex.
fn run_id(number: u64) -> RunId {
    RunId::new(number.to_be_bytes())
}

fn run_start(number: u64, kind: &str) -> RunStart {
    RunStart {
        id: run_id(number),
        kind: kind.to_owned(),
        stage: None,
        stage_key: None,
        started: at((number % 1_000_000) as i64),
        command: vec!["mlops".to_owned(), kind.to_owned()],
        code: None,
        seed: u64::MAX,
        tool_version: "0.1.0".to_owned(),
        host: "desk".to_owned(),
        user: "ann".to_owned(),
    }
}

fn run_end(seconds: i64) -> RunEnd {
    RunEnd {
        state: RunState::Finished,
        ended: at(seconds),
        wall_seconds: 1.5,
        usage: Usage { cpu_seconds: 1.0, peak_memory_bytes: 1 << 33 },
        exit_code: Some(0),
        error: None,
        output_text: None,
    }
}

fn point(name: &str, step: i64, value: f64) -> MetricPoint {
    MetricPoint { name: name.to_owned(), step, value }
}

fn link(role: &str, name: &str, id: ObjectId) -> Link {
    Link { role: role.to_owned(), name: name.to_owned(), id }
}

/// A sealed run of kind `train` that read `inputs` and made `outputs`.
fn sealed_run(repo: &Repo, number: u64, inputs: &[Link], outputs: &[Link]) -> Result<RunId> {
    let mut journal = RunJournal::start(repo, &run_start(number, "train"))?;
    journal.points(&[point("loss", 0, 1.0), point("loss", 1, 0.5), point("accuracy", 0, number as f64)])?;
    journal.param("trees", serde_json::json!(number))?;
    journal.tag("who", "test")?;
    inputs.iter().try_for_each(|link| journal.input(link.clone()))?;
    outputs.iter().try_for_each(|link| journal.output(link.clone()))?;
    journal.seal(run_end((number % 1_000_000) as i64 + 1), Vec::new(), &actor(), at(1))?;
    Ok(run_id(number))
}

/// Fails unless the repository is without findings.
fn check_clean(repo: &Repo) -> Result<()> {
    let findings = fsck(repo)?;
    assert!(findings.is_empty(), "{findings:#?}");
    Ok(())
}
