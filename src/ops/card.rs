//! `card`: everything that is known of a model on one page, filled from its package, records, run, evaluation and name.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;
use serde_json::Value;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::suggest;
use crate::index::{RunRow, Side};
use crate::metrics::zoo;
use crate::models::package::{InputColumn, ModelPackage};
use crate::ops::evaluate::open_model;
use crate::ops::evaluate::report::{importance, metric_words};
use crate::record::dataset::DatasetRecord;
use crate::record::evaluation::EvaluationRecord;
use crate::record::model::ModelRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::record::split::SplitRecord;
use crate::render::card::{
    Card, CardCommand, CardDataset, CardInput, CardModel, CardMove, CardRun, CardTraining, html, markdown, sagemaker,
};
use crate::render::evaluation::{EvaluationDocument, Importance, MetricWords};
use crate::render::number;
use crate::repo::Repo;
use crate::repo::refs::ModelVersion;
use crate::repo::resolve::ModelRef;
use crate::spec::card::CardSpec;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;
use crate::spec::training::CalibrationMethod;

/// Values of a text column that are listed.
const VALUES: usize = 8;

/// The languages of a card.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CardFormat {
    /// Markdown.
    #[default]
    Md,
    /// One page, with the whole evaluation.
    Html,
    /// The JSON of SageMaker's model cards.
    Json,
}

impl CardFormat {
    /// Reads `md`, `html` or `json`; endings of files too.
    ///
    /// Errors: another word, with the nearest one.
    pub fn parse(text: &str) -> Result<CardFormat> {
        match text.to_lowercase().as_str() {
            "md" | "markdown" => Ok(CardFormat::Md),
            "html" | "htm" => Ok(CardFormat::Html),
            "json" => Ok(CardFormat::Json),
            other => Err(suggest::unknown("format of a card", other, ["md", "html", "json"]).into()),
        }
    }
}

/// What to make a card of.
#[derive(Clone, Debug, Default)]
pub struct CardOptions {
    /// The model.
    pub model: String,
    /// The language.
    pub format: CardFormat,
    /// What people wrote in the project file.
    pub written: CardSpec,
}

/// A card.
#[derive(Clone, Debug, Serialize)]
pub struct CardReport {
    /// The model as a person calls it.
    pub model: String,
    /// Id of its package.
    pub package: ObjectId,
    /// The language.
    pub format: CardFormat,
    /// The card.
    pub text: String,
}

/// All that a card borrows from.
struct Sources {
    found: ModelRef,
    record: ModelRecord,
    package: ModelPackage,
    version: Option<ModelVersion>,
    evaluation: Option<(EvaluationRecord, String, String)>,
    words: Vec<MetricWords>,
    importance: Option<Importance>,
    run: Option<RunRow>,
    costs: BTreeMap<String, f64>,
}

/// Makes the card of a model.
///
/// Errors: an unknown model; a record that cannot be read. Records that a pull left behind are said to be missing.
pub fn card(repo: &Repo, options: &CardOptions) -> Result<CardReport> {
    let sources = sources(repo, options)?;
    let card = filled(repo, options, &sources)?;
    let text = match options.format {
        CardFormat::Md => markdown::markdown(&card),
        CardFormat::Html => html::html(&card),
        CardFormat::Json => serde_json::to_string_pretty(&sagemaker::sagemaker(&card))? + "\n",
    };
    Ok(CardReport { model: card.label, package: sources.found.package, format: options.format, text })
}

fn sources(repo: &Repo, options: &CardOptions) -> Result<Sources> {
    if options.model.is_empty() {
        return Err(fail::usage("which model?").hint("name one, as penguins@v3").into());
    }
    let (found, record, package) = open_model(repo, Some(&options.model))?;
    let version = match (&found.name, found.version) {
        (Some(name), Some(number)) => repo.model_versions(name)?.into_iter().find(|entry| entry.version == number),
        _ => None,
    };
    let judged = version.as_ref().and_then(|version| version.evaluation);
    let judged = judged.map_or_else(|| repo.newest_evaluation(&found.package), |id| Ok(Some(id)))?;
    let evaluation = judged
        .filter(|id| repo.store().contains(id).unwrap_or(false))
        .map(|id| -> Result<_> {
            let record: EvaluationRecord = repo.record(&id)?;
            let label = dataset_label(repo, &record.dataset);
            Ok((record, label, id.short()))
        })
        .transpose()?;
    let words = evaluation.as_ref().map(|(record, ..)| metric_words(package.header.task, &record.judgement));
    let importance = importance(repo, &found.package, Some(&package))?;
    let run = maker(repo, &found.package)?;
    Ok(Sources {
        found,
        record,
        package,
        version,
        evaluation,
        words: words.unwrap_or_default(),
        importance,
        run,
        costs: BTreeMap::new(),
    })
}

/// The newest run that made the package.
fn maker(repo: &Repo, package: &ObjectId) -> Result<Option<RunRow>> {
    let index = repo.index()?;
    let made = index.producers(package)?.into_iter().find(|edge| edge.side == Side::Output && edge.role == "model");
    made.map_or(Ok(None), |edge| index.run(&edge.run))
}

fn dataset_label(repo: &Repo, id: &ObjectId) -> String {
    repo.resolve_dataset(&id.hex()).map_or_else(|_| id.short(), |found| found.label())
}

fn filled<'a>(repo: &Repo, options: &'a CardOptions, of: &'a Sources) -> Result<Card<'a>> {
    let label = of.found.label();
    let name = of.found.name.clone();
    let key = of.found.name.as_deref().unwrap_or("model");
    let (mut aliases, mut moves) = (Vec::new(), Vec::new());
    let mut said = None;
    if let (Some(name), Some(version)) = (&name, of.found.version) {
        said = repo.version_facts(name)?.remove(&version);
    }
    let mut tags = of.run.as_ref().map(|run| run.tags.clone()).unwrap_or_default();
    tags.extend(said.iter().flat_map(|said| said.tags.clone()));
    if let Some(name) = &name {
        let pointing = repo.aliases(name)?.into_iter().filter(|(_, version)| Some(*version) == of.found.version);
        aliases = pointing.map(|(alias, _)| alias).collect();
        moves = repo
            .alias_moves(name)?
            .into_iter()
            .map(|of| CardMove {
                alias: of.alias,
                from: of.from,
                to: of.to,
                time: of.time.to_string(),
                reason: of.reason,
            })
            .collect();
    }
    let evaluation = of.evaluation.as_ref().map(|(record, dataset, id)| EvaluationDocument {
        model: of.found.name.as_deref().unwrap_or("this model"),
        key,
        dataset,
        evaluation: id,
        judgement: &record.judgement,
        costs: &of.costs,
        metrics: &of.words,
        importance: of.importance.as_ref(),
    });
    let bytes = repo.store().stat(&of.found.package)?.map_or(0, |stat| stat.bytes);
    Ok(Card {
        commands: commands(&label, of.record.imported.is_some(), &of.package),
        label,
        name,
        version: of.found.version,
        package: of.found.package.hex(),
        package_bytes: bytes,
        registered: of.version.as_ref().map(|version| version.time.to_string()),
        state: said.as_ref().map(|said| said.state.name()),
        note: said.and_then(|said| said.note),
        tags,
        aliases,
        moves,
        written: &options.written,
        model: model(of),
        training: training(repo, of)?,
        evaluation,
        validation: &of.record.metrics,
    })
}

fn model(of: &Sources) -> CardModel {
    let header = &of.package.header;
    let params = header.params.as_object().into_iter().flatten().map(|(name, value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        (name.clone(), text)
    });
    let headline = zoo::headline(header.task);
    let aim = zoo::find(headline, header.task).ok().map(|metric| (headline.to_owned(), metric.higher_is_better));
    CardModel {
        kind: header.model.clone(),
        task: header.task,
        target: header.target.clone(),
        classes: header.classes.clone(),
        inputs: header.inputs.iter().map(input).collect(),
        features: header.features.len(),
        params: params.collect(),
        seed: header.seed,
        engine: header.engine,
        calibration: match header.calibration {
            CalibrationMethod::None => None,
            CalibrationMethod::Platt => Some("Platt"),
            CalibrationMethod::Isotonic => Some("isotonic"),
        },
        threshold: header.threshold,
        imported: of.record.imported.is_some(),
        aim: aim.filter(|_| of.record.imported.is_none()),
    }
}

fn input(of: &InputColumn) -> CardInput {
    let ends = of.min.zip(of.max);
    let seen = match (&of.domain, ends) {
        (Some(values), _) => {
            let first: Vec<&str> = values.iter().take(VALUES).map(String::as_str).collect();
            let more = if values.len() > VALUES { format!(", … ({} values)", values.len()) } else { String::new() };
            format!("{}{more}", first.join(", "))
        }
        (None, Some((low, high))) => {
            format!("{} – {}", number::value(low, of.column_type), number::value(high, of.column_type))
        }
        (None, None) => String::new(),
    };
    CardInput { name: of.name.clone(), column_type: of.column_type.name(), seen, missing: of.missing_seen }
}

fn training(repo: &Repo, of: &Sources) -> Result<CardTraining> {
    let record = &of.record;
    // What a pull left behind is no error: the card says that it is not there.
    let there = |id: &ObjectId| repo.store().contains(id).unwrap_or(false);
    let dataset = record.dataset.filter(there).map(|id| dataset(repo, &id, &of.package)).transpose()?;
    let rows =
        record.split.filter(there).map(|id| repo.record::<SplitRecord>(&id)).transpose()?.map(|split| split.rows);
    let lineage = [
        ("split", record.split),
        ("recipe", record.recipe),
        ("earlier model", record.from),
        ("imported file", record.imported),
    ];
    let lineage = lineage.into_iter().filter_map(|(what, id)| Some((what, id?.hex()))).collect();
    Ok(CardTraining { dataset, rows, run: of.run.as_ref().map(run), lineage })
}

fn run(of: &RunRow) -> CardRun {
    CardRun {
        id: of.run.hex(),
        started: of.started.to_string(),
        user: of.user.clone(),
        host: of.host.clone(),
        seconds: of.wall_seconds,
        code: of.code.as_ref().map(|code| (code.commit.clone(), code.dirty)),
        command: of.command.join(" "),
        tool_version: of.tool_version.clone(),
    }
}

fn dataset(repo: &Repo, id: &ObjectId, package: &ModelPackage) -> Result<CardDataset> {
    let record: DatasetRecord = repo.record(id)?;
    let profile: Option<ProfileRecord> = match repo.store().contains(&record.profile)? {
        true => Some(repo.record(&record.profile)?),
        false => None,
    };
    let columns = profile.iter().flat_map(|profile| &profile.columns);
    let target = columns.clone().find(|column| column.name == package.header.target);
    let period = |column: &ColumnProfile| {
        let times = column.times.as_ref()?;
        let moment = |micros: i64| number::value(micros as f64, column.column_type);
        Some((column.name.clone(), moment(times.first), moment(times.last)))
    };
    let is_time = |column: &&ColumnProfile| matches!(column.column_type, ColumnType::Date | ColumnType::Timestamp);
    Ok(CardDataset {
        label: dataset_label(repo, id),
        id: id.hex(),
        rows: record.rows,
        columns: record.columns.len(),
        sources: record.sources.iter().map(|source| (source.name.clone(), source.raw.hex())).collect(),
        target_values: target
            .filter(|_| package.header.task != Task::Regression)
            .map(|of| of.top.clone())
            .unwrap_or_default(),
        target_numbers: target
            .filter(|_| package.header.task == Task::Regression)
            .map(target_numbers)
            .unwrap_or_default(),
        periods: columns.filter(is_time).filter_map(period).collect(),
    })
}

fn target_numbers(of: &ColumnProfile) -> Vec<(&'static str, String)> {
    let Some(numbers) = &of.numbers else {
        return Vec::new();
    };
    let median = numbers.quantiles.get(5).copied();
    let all = [
        ("smallest value", numbers.min),
        ("median", median),
        ("mean", numbers.mean),
        ("standard deviation", numbers.std),
        ("largest value", numbers.max),
    ];
    all.into_iter().filter_map(|(what, value)| Some((what, number::number(value?)))).collect()
}

/// A number between two others with few digits.
fn middle(low: f64, high: f64) -> f64 {
    let middle = low / 2.0 + high / 2.0;
    let rounded = (middle * 100.0).round() / 100.0;
    if rounded.is_finite() && (low..=high).contains(&rounded) { rounded } else { middle }
}

/// What to type, with a row made of values that the training rows had.
fn commands(label: &str, imported: bool, package: &ModelPackage) -> Vec<CardCommand> {
    let value = |input: &InputColumn| -> Value {
        match (&input.domain, input.min.zip(input.max), input.column_type) {
            (Some(values), ..) if !values.is_empty() => values[0].clone().into(),
            (_, Some((low, _)), ColumnType::Integer) => (low as i64).into(),
            (_, _, ColumnType::Boolean) => true.into(),
            (_, Some((low, high)), ColumnType::Float) => middle(low, high).into(),
            (_, Some((low, _)), kind) => number::value(low, kind).into(),
            _ => Value::Null,
        }
    };
    let row: serde_json::Map<String, Value> =
        package.header.inputs.iter().take(2 * VALUES).map(|input| (input.name.clone(), value(input))).collect();
    let body = serde_json::json!({ "dataframe_records": [row] }).to_string().replace('\'', "'\\''");
    let one = |about: &'static str, command: String| CardCommand { about, command };
    let mut all = vec![
        one("Score a file", format!("mlops predict {label} new.csv -o scored.csv")),
        one("Serve it", format!("mlops serve {label}")),
        one(
            "Ask the server",
            format!("curl localhost:8080/invocations -H 'content-type: application/json' -d '{body}'"),
        ),
        one("Judge it again", format!("mlops evaluate {label}")),
        one("Trace it to the raw file", format!("mlops why {label}")),
    ];
    if !imported {
        all.push(one("Train it again and compare, byte for byte", format!("mlops reproduce {label}")));
    }
    all
}
