//! How a model was trained, from the record of its training; of one without, as far as its run and its package say.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::limits::RECORD_BYTES_MAX;
use crate::index::{Index, RunRow, Side};
use crate::models::blend;
use crate::models::package::PackageHeader;
use crate::ops::evaluate::open_package;
use crate::ops::prepare::PrepareOptions;
use crate::ops::train::TrainOptions;
use crate::ops::training;
use crate::record::Record;
use crate::record::dataset::{DatasetRecord, Roles};
use crate::record::model::ModelRecord;
use crate::record::split::SplitRecord;
use crate::record::training::TrainingRecord;
use crate::repo::Repo;
use crate::spec::auto::AutoSpec;
use crate::spec::model::TrainSpec;
use crate::spec::recipe::TransformSpec;
use crate::spec::training::ThresholdSpec;

/// Everything that is needed to train a model again.
pub struct Plan {
    /// The model as a person calls it.
    pub label: String,
    /// Id of its package.
    pub id: ObjectId,
    /// Its record.
    pub record: ModelRecord,
    /// The run that made it.
    pub maker: Option<RunRow>,
    /// The record of its training.
    pub training: Option<ObjectId>,
    /// What to ask for.
    pub options: TrainOptions,
    /// The recipe, where the training did not fit it itself.
    pub given_recipe: Option<ObjectId>,
    /// The one source of chance.
    pub seed: u64,
    /// Version of the engines that fitted it.
    pub engine: Option<u32>,
    /// The processor that it was fitted on.
    pub processor: Option<String>,
    /// What had to be taken from elsewhere than from the record of the training.
    pub notes: Vec<String>,
}

/// How the model that `reference` names was trained.
///
/// Errors (world): it was imported; it depended on time; something that it was made from is not here.
pub fn plan(repo: &Repo, reference: &str) -> Result<Plan> {
    let found = repo.resolve_model(reference)?;
    let record: ModelRecord = repo.record(&found.model)?;
    let label = found.label();
    if record.imported.is_some() {
        return Err(fail::world(format!("{label} was imported: how it was trained is not recorded here"))
            .hint(format!("see the file that it came from with `mlops why {label}`"))
            .into());
    }
    check_inputs(repo, &record, &label)?;
    let index = repo.index()?;
    let wanted = reference.strip_prefix("run:").map(|_| repo.resolve_run(reference)).transpose()?;
    let makers = index.producers(&found.package)?.into_iter().filter(|edge| edge.side == Side::Output);
    let runs: Vec<_> = makers.filter(|edge| edge.kind == "train").map(|edge| edge.run).collect();
    let run = wanted.filter(|run| runs.contains(run)).or(runs.first().copied());
    let maker = run.map(|run| index.run(&run)).transpose()?.flatten();
    let kept = match &maker {
        Some(run) => training_of(repo, &index, run)?,
        None => None,
    };
    match kept {
        Some((id, training)) => from_record(label, found.package, record, maker, (id, training)),
        None => from_run(repo, label, found.package, record, maker),
    }
}

/// The record of a training, when its run kept one.
fn training_of(repo: &Repo, index: &Index, run: &RunRow) -> Result<Option<(ObjectId, TrainingRecord)>> {
    let edges = index.edges_of_run(&run.run)?;
    let link = edges.into_iter().find(|edge| edge.side == Side::Input && edge.role == TrainingRecord::KIND);
    link.map(|link| repo.record(&link.object).map(|record| (link.object, record))).transpose()
}

/// Refuses what cannot be trained again because something is not in this repository, which is named.
fn check_inputs(repo: &Repo, record: &ModelRecord, label: &str) -> Result<()> {
    let wanted =
        [("dataset", record.dataset), ("split", record.split), ("recipe", record.recipe), ("model", record.from)];
    for (what, id) in wanted {
        let Some(id) = id else {
            continue;
        };
        if !repo.store().contains(&id)? {
            let what = format!("the {what} {} that {label} was made from is not in this repository", id.short());
            return Err(fail::world(what).hint("bring it back from a copy, and check with `mlops fsck`").into());
        }
    }
    let Some(id) = record.dataset else {
        let what = format!("it is not recorded which dataset {label} was trained on");
        return Err(fail::world(what).into());
    };
    let dataset: DatasetRecord = repo.record(&id)?;
    if repo.store().contains(&dataset.table)? {
        return Ok(());
    }
    for source in &dataset.sources {
        if !repo.store().contains(&source.raw)? {
            let (name, raw) = (&source.name, source.raw);
            let what = format!("neither the table of dataset {} nor its raw file {name} is here", id.short());
            return Err(fail::world(what).hint(format!("ingest the file whose b3sum is {raw} again")).into());
        }
    }
    Ok(())
}

fn from_record(
    label: String,
    id: ObjectId,
    record: ModelRecord,
    maker: Option<RunRow>,
    (training_id, training): (ObjectId, TrainingRecord),
) -> Result<Plan> {
    if let Some(why) = &training.unrepeatable {
        return Err(fail::world(format!("the training of {label} cannot be repeated: {why}"))
            .hint("train it with `--auto --trials N`, which no clock decides")
            .into());
    }
    Ok(Plan {
        label,
        id,
        record,
        maker,
        training: Some(training_id),
        options: training::options(&training),
        given_recipe: Some(training.recipe).filter(|_| training.recipe_given),
        seed: training.seed,
        engine: Some(training.engine),
        processor: Some(training.processor.clone()),
        notes: Vec::new(),
    })
}

/// What can be known without the record of a training: the recipe as it was fitted, parameters of the run, the header.
fn from_run(repo: &Repo, label: String, id: ObjectId, record: ModelRecord, maker: Option<RunRow>) -> Result<Plan> {
    let header = open_package(repo, &id).with_context(|| format!("cannot read the package of {label}"))?.header;
    let split = record.split.map(|id| repo.record::<SplitRecord>(&id)).transpose()?;
    let params = maker.as_ref().map(|run| &run.params);
    let mut spec = params.map_or_else(|| Ok(TrainSpec::default()), settings)?;
    let searched = match (&spec.auto, &maker) {
        (Some(asked), Some(run)) => Some(search_of(repo, asked, run, &label)?),
        _ if record.model == blend::NAME => {
            let what =
                format!("{label} was put together by an automatic search, and the run of that search is not here");
            return Err(fail::world(what).hint("reproduce it in the repository that trained it").into());
        }
        _ => None,
    };
    spec.from = record.from.map(|id| id.hex());
    if searched.is_none() {
        spec.model = Some(record.model.clone());
        spec.params = toml_params(&header)?;
    }
    spec.auto = searched;
    if maker.is_none() {
        (spec.calibrate, spec.threshold) = (header.calibration, header.threshold.map(ThresholdSpec::Value));
    }
    let what = match maker {
        Some(_) => format!("{label} was trained before trainings were recorded whole"),
        None => format!("no run of this repository made {label}"),
    };
    let taken = "its recipe is taken as it was fitted, and what the columns mean from its package and its dataset";
    let weight = params.and_then(|params| params.get("train.weight")).and_then(Value::as_str).map(str::to_owned);
    let prepare = PrepareOptions {
        dataset: record.dataset.map(|id| id.hex()),
        default_name: None,
        roles: Roles {
            target: Some(header.target.clone()).filter(|target| !target.is_empty()),
            task: Some(header.task),
            weight,
            ..Roles::default()
        },
        split: split.map(|split| split.spec).unwrap_or_default(),
        transform: TransformSpec::default(),
        family: None,
    };
    let recipe = record.recipe;
    Ok(Plan {
        label,
        id,
        record,
        maker,
        training: None,
        options: TrainOptions { prepare, recipe, spec },
        given_recipe: None,
        seed: header.seed,
        engine: Some(header.engine),
        processor: None,
        notes: vec![format!("{what}: {taken}")],
    })
}

/// The settings of `[train]` that a run logged as parameters `train.NAME`.
fn settings(params: &BTreeMap<String, Value>) -> Result<TrainSpec> {
    let named =
        params.iter().filter_map(|(name, value)| Some((name.strip_prefix("train.")?.to_owned(), value.clone())));
    let map: Map<String, Value> = named.filter(|(name, _)| !matches!(name.as_str(), "weight" | "from")).collect();
    serde_json::from_value(Value::Object(map))
        .context("the run says something of [train] that this mlops does not know")
}

/// The parameters in the header of a package, as they are written.
fn toml_params(header: &PackageHeader) -> Result<toml::Table> {
    serde_json::from_value(header.params.clone()).context("the package has parameters that cannot be written down")
}

/// An automatic search with as many trials as counted, which its run kept with the leaderboard.
fn search_of(repo: &Repo, asked: &AutoSpec, run: &RunRow, label: &str) -> Result<AutoSpec> {
    let made = repo.index()?.outputs_of_run(&run.run)?;
    let board = made.iter().find(|link| link.role == "leaderboard").map(|link| link.id);
    let board = board.map(|id| repo.store().get(&id, RECORD_BYTES_MAX)).transpose()?;
    let board: Value = board.map_or(Ok(Value::Null), |bytes| serde_json::from_slice(&bytes))?;
    match (board["trials"].as_u64(), board.get("replay")) {
        (Some(trials), Some(_)) => Ok(AutoSpec { time: None, trials: Some(trials as usize), ..asked.clone() }),
        _ => {
            let what = format!("how many trials of the search for {label} counted is not recorded");
            Err(fail::world(what).hint("train it with `--auto --trials N`, which no clock decides").into())
        }
    }
}
