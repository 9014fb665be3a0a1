//! The check before a model is registered: the real server, real rows, packages that cannot be loaded.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::base::clock::Clock;
use crate::base::id::ObjectId;
use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::data::frame::{Column, Frame, MISSING_CODE, TextValues, Values};
use crate::data::split::Split;
use crate::data::target::Target;
use crate::features::recipe::{Family, Recipe};
use crate::models::package::{InputColumn, ModelPackage, PackageHeader};
use crate::models::predictor::FitInput;
use crate::models::zoo;
use crate::ops::check::CheckReport;
use crate::ops::context::OpCtx;
use crate::ops::hooks::Hooks;
use crate::ops::register::{RegisterOptions, register};
use crate::record::model::ModelRecord;
use crate::record::profile::ProfileRecord;
use crate::repo::Repo;
use crate::serve::check::check;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

fn context() -> OpCtx<'static> {
    static NOTHING: BTreeMap<String, String> = BTreeMap::new();
    OpCtx {
        clock: Clock::System,
        talk: &Silent,
        command: &[],
        seed: 1,
        stage: None,
        variables: &NOTHING,
        offline: true,
        hooks: Hooks::default(),
        check: Some(check),
    }
}

/// A model of class shares that reads columns of every type.
fn package() -> Result<ModelPackage> {
    let column = |name: &str, of| InputColumn { missing_seen: true, ..InputColumn::new(name, of) };
    let domain = Some(["NA", "a,b", "", "\"q\"", "line\nend"].map(str::to_owned).to_vec());
    let inputs = vec![
        InputColumn { min: Some(-3.0), max: Some(1e300), ..column("a number", ColumnType::Float) },
        column("whole", ColumnType::Integer),
        InputColumn { domain, ..column("text", ColumnType::Text) },
        column("yes", ColumnType::Boolean),
        column("day", ColumnType::Date),
        column("moment", ColumnType::Timestamp),
        column("clock", ColumnType::Time),
    ];
    let number = |values: [f64; 4]| Values::Number(values.to_vec());
    let texts = TextValues { codes: vec![0, 1, 0, MISSING_CODE], levels: vec!["a,b".into(), "NA".into()] };
    let columns = vec![
        Column::raw("a number", number([1.0, 2.5, f64::NAN, -3.0])),
        Column::raw("whole", number([1.0, 2.0, 3.0, f64::NAN])),
        Column::raw("text", Values::Text(texts)),
        Column::raw("yes", number([0.0, 1.0, 1.0, 0.0])),
        Column::raw("day", Values::Time(vec![0, 86_400_000_000, 0, 0])),
        Column::raw("moment", Values::Time(vec![0, 1, 2, 3])),
        Column::raw("clock", number([0.0, 1.5, 2.0, 3.0])),
    ];
    let frame = Frame::new(4, columns)?;
    let target = Target::Numbers(vec![1.0, 2.0, 3.0, 5.0]);
    let train = Split::from_parts(vec![0; 4])?.training(&frame, &target, &[0, 1, 2, 3])?;
    let recipe = Recipe::from_spec(&Default::default(), Family::Trees)?.fit(&train, Seed(1))?;
    let matrix = recipe.apply(&frame)?;
    let params = "trees = 5".parse::<toml::Table>()?;
    let mut input = FitInput {
        matrix: &matrix,
        target: &target,
        weights: None,
        validation: None,
        from: None,
        params: &params,
        seed: Seed(1),
        talk: &Silent,
        points: &mut |_| ControlFlow::Continue(()),
    };
    let predictor = (zoo::kind("boost")?.fit)(&mut input)?;
    let header = PackageHeader {
        target: "price".to_owned(),
        inputs,
        ..PackageHeader::new("boost", Task::Regression, recipe.features().to_vec())
    };
    Ok(ModelPackage::new(header, recipe, predictor, ProfileRecord { rows: 4, columns: Vec::new() }))
}

/// A repository with these bytes as the package of a model; the id of its record.
fn kept(bytes: &[u8]) -> Result<(TempDir, Repo, ObjectId)> {
    let folder = tempfile::tempdir()?;
    let (repo, _) = Repo::init(folder.path())?;
    let package = repo.store().put(bytes)?.id;
    let record = repo.put_record(&ModelRecord {
        package,
        model: "boost".to_owned(),
        task: Task::Regression,
        dataset: None,
        split: None,
        recipe: None,
        metrics: BTreeMap::new(),
        from: None,
        imported: None,
    })?;
    repo.store().sync()?;
    Ok((folder, repo, record))
}

fn checked(bytes: &[u8]) -> Result<CheckReport> {
    let (_folder, repo, record) = kept(bytes)?;
    check(&repo, &repo.resolve_model(&record.hex())?, &context())
}

#[test]
fn every_form_of_request_gets_the_answers_of_predict() -> Result<()> {
    let report = checked(&package()?.to_bytes()?)?;
    assert!(report.passed, "{report:#?}");
    assert_eq!((report.rows_of.as_str(), report.rows), ("made up", 4));
    let names: Vec<&str> = report.protocols.iter().map(|protocol| protocol.name.as_str()).collect();
    for form in ["dataframe_records", "dataframe_split", "instances", "inputs", "CSV"] {
        assert!(names.iter().any(|name| name.ends_with(form)), "{form}: {names:?}");
    }
    assert!(report.latency_p50_ms <= report.latency_p99_ms && report.latency_p50_ms > Some(0.0), "{report:?}");
    Ok(())
}

#[test]
fn a_package_that_cannot_be_loaded_fails_the_check_with_the_reason() -> Result<()> {
    let sound = package()?.to_bytes()?;
    let mut newer = package()?;
    newer.header.engine = zoo::ENGINE_VERSION + 1;
    let engine = format!("made by engine {}", zoo::ENGINE_VERSION + 1);
    let mut flipped = sound.clone();
    *flipped.last_mut().context("bytes")? ^= 1;
    let cases: [(&[u8], &str); 4] = [
        (&newer.to_bytes()?, &engine),
        (&flipped, "damaged model package"),
        (&sound[..sound.len() / 2], "cut short"),
        (b"no package", "not a model package"),
    ];
    for (bytes, says) in cases {
        let report = checked(bytes)?;
        let why = report.why.clone().unwrap_or_default();
        assert!(!report.passed && why.contains(says), "{says}: {why}");
    }
    Ok(())
}

#[test]
fn what_fails_the_check_is_not_registered() -> Result<()> {
    let mut newer = package()?;
    newer.header.engine = zoo::ENGINE_VERSION + 1;
    let (_folder, repo, record) = kept(&newer.to_bytes()?)?;
    let options =
        RegisterOptions { model: Some(record.hex()), name: "prices".to_owned(), ..RegisterOptions::default() };
    let report = register(&repo, &options, &context())?;
    assert!(report.refused && report.version.is_none(), "{report:?}");
    let why = report.reason.unwrap_or_default();
    assert!(why.contains("a server cannot answer with it") && why.contains("use a newer mlops"), "{why}");
    assert!(repo.models()?.is_empty());
    let unchecked = RegisterOptions { no_check: true, ..options };
    assert_eq!(register(&repo, &unchecked, &context())?.version, Some(1));
    Ok(())
}
