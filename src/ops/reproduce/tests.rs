//! Tests on repositories where what was recorded and what comes out now are not the same.

use std::collections::BTreeMap;
use std::fmt::Write;

use anyhow::Result;
use tempfile::TempDir;

use crate::base::clock::{Clock, Timestamp};
use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::talk::Silent;
use crate::data::source::ReadOptions;
use crate::models::package::PackageHeader;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::open_package;
use crate::ops::hooks::Hooks;
use crate::ops::ingest::{IngestOptions, ingest};
use crate::ops::prepare::PrepareOptions;
use crate::ops::recorded::{Done, recorded};
use crate::ops::reproduce::{ReproduceOptions, ReproduceReport, reproduce};
use crate::ops::train::{TrainOptions, TrainReport, train};
use crate::record::dataset::Roles;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::model::TrainSpec;
use crate::spec::recipe::TransformSpec;
use crate::spec::split::SplitSpec;

/// A repository with one dataset and one model.
struct Ground {
    folder: TempDir,
    repo: Repo,
    variables: BTreeMap<String, String>,
}

impl Ground {
    fn new() -> Result<(Ground, TrainReport)> {
        let folder = tempfile::tempdir()?;
        let mut text = "a,b,y\n".to_owned();
        for row in 0..120 {
            let (a, b) = (row * 37 % 101, ["p", "q", "r"][row % 3]);
            writeln!(text, "{a},{b},{}", if (a + row % 7) % 2 == 0 { "no" } else { "yes" })?;
        }
        std::fs::write(folder.path().join("t.csv"), text)?;
        let (repo, _) = Repo::init(folder.path())?;
        let ground = Ground { folder, repo, variables: BTreeMap::new() };
        let options = IngestOptions {
            sources: vec!["t.csv".to_owned()],
            folder: ground.folder.path().to_owned(),
            roles: Roles { target: Some("y".to_owned()), ..Roles::default() },
            read: ReadOptions::default(),
            ..IngestOptions::default()
        };
        ingest(&ground.repo, &options, &ground.ctx(7))?;
        let spec = TrainSpec { model: Some("forest".to_owned()), ..TrainSpec::default() };
        let prepare = PrepareOptions {
            dataset: None,
            default_name: None,
            roles: Roles::default(),
            split: SplitSpec::default(),
            transform: TransformSpec::default(),
            family: None,
        };
        let made = train(&ground.repo, &TrainOptions { prepare, recipe: None, spec }, &ground.ctx(7))?;
        Ok((ground, made))
    }

    fn ctx(&self, seed: u64) -> OpCtx<'_> {
        OpCtx {
            clock: Clock::Fixed(Timestamp::from_micros(1_750_000_000_000_000)),
            talk: &Silent,
            command: &[],
            seed,
            stage: None,
            variables: &self.variables,
            offline: true,
            hooks: Hooks::default(),
            check: None,
        }
    }

    fn again(&self, model: &str, keep: bool) -> Result<ReproduceReport> {
        reproduce(&self.repo, &ReproduceOptions { model: model.to_owned(), keep }, &self.ctx(0))
    }

    /// A package like that of `made`, its header changed, as if a run had made it; with the record of the training or without.
    fn forge(&self, made: &TrainReport, with_record: bool, change: fn(&mut PackageHeader)) -> Result<ObjectId> {
        let index = self.repo.index()?;
        let edges = index.edges_of_run(&made.run)?;
        let training = edges.iter().find(|edge| edge.role == "training").expect("trainings are recorded").object;
        let row = index.run(&made.run)?.expect("the run");
        let outcome = recorded(&self.repo, &self.ctx(7), "train", |repo, work| {
            let mut forged = open_package(repo, &made.model)?;
            change(&mut forged.header);
            let bytes = forged.to_bytes()?;
            let package = repo.store().put(&bytes)?.id;
            let record: ModelRecord = repo.record(&made.record)?;
            let record = repo.put_record(&ModelRecord { package, ..record })?;
            for (name, value) in &row.params {
                work.param(name, value.clone())?;
            }
            if with_record {
                work.input("training", "training", training)?;
            }
            work.output("model", "forest", package)?;
            work.output("model_record", "forest", record)?;
            Ok(Done::yes(package))
        })?;
        Ok(outcome.value)
    }
}

#[test]
fn the_same_bytes_come_out_and_only_a_run_stays() -> Result<()> {
    let (ground, made) = Ground::new()?;
    let before = ground.repo.store().list()?.len();
    let report = ground.again(&made.model.hex(), false)?;
    assert!(report.identical && report.rebuilt == made.model && report.trained_by == Some(made.run), "{report:?}");
    assert!(report.differences.is_empty() && report.notes.is_empty(), "{report:?}");
    // The record of the run of the comparison is all there is.
    assert_eq!(ground.repo.store().list()?.len(), before + 1);
    assert_eq!(ground.repo.newest_model()?.package, made.model);
    Ok(())
}

#[test]
fn another_header_is_told_field_by_field() -> Result<()> {
    let (ground, made) = Ground::new()?;
    let forged = ground.forge(&made, true, |header| {
        header.params["trees"] = 199.into();
        header.metrics.insert("accuracy".to_owned(), 2.0);
    })?;
    let report = ground.again(&forged.hex(), false)?;
    assert!(!report.identical && report.rebuilt == made.model, "{report:?}");
    let names: Vec<&str> = report.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!(names, ["header.params.trees", "header.metrics.accuracy"]);
    assert_eq!(report.differences[0].recorded, 199);
    Ok(())
}

#[test]
fn an_older_engine_is_named_first() -> Result<()> {
    let (ground, made) = Ground::new()?;
    let forged = ground.forge(&made, false, |header| {
        header.engine -= 1;
        header.seed += 1;
    })?;
    let report = ground.again(&forged.hex(), false)?;
    let names: Vec<&str> = report.differences.iter().map(|difference| difference.what.as_str()).collect();
    assert_eq!((names[0], report.differences[0].recorded.as_u64()), ("engine", Some(2)), "{names:?}");
    assert!(names.contains(&"predictor"), "another seed grows other trees: {names:?}");
    Ok(())
}

#[test]
fn a_run_without_a_record_of_its_training_is_repeated_as_far_as_it_says() -> Result<()> {
    let (ground, made) = Ground::new()?;
    let forged = ground.forge(&made, false, |header| {
        header.metrics.insert("accuracy".to_owned(), 2.0);
    })?;
    let report = ground.again(&forged.hex(), true)?;
    assert_eq!(report.rebuilt, made.model);
    assert!(report.notes[0].contains("before trainings were recorded whole"), "{report:?}");
    // What is kept can be opened by its id and by the run that kept it.
    assert_eq!(ground.repo.resolve_model(&report.rebuilt.hex())?.package, made.model);
    Ok(())
}

#[test]
fn what_is_missing_is_named() -> Result<()> {
    let (ground, made) = Ground::new()?;
    let dataset = ground.repo.resolve_dataset("t")?;
    let record: crate::record::dataset::DatasetRecord = ground.repo.record(&dataset.id)?;
    // The table alone is made again from the raw bytes.
    ground.repo.store().remove(&record.table)?;
    assert!(ground.again(&made.model.hex(), false)?.identical);
    ground.repo.store().remove(&record.table)?;
    ground.repo.store().remove(&record.sources[0].raw)?;
    let error = ground.again(&made.model.hex(), false).expect_err("there is nothing to train on");
    let failure = fail::find(&error).expect("a failure for people");
    assert!(failure.what.contains("raw file t.csv"), "{error:#}");
    assert_eq!(failure.blame, fail::Blame::World);
    Ok(())
}
