//! Running one stage of a project: which verb it is, with which options, and what it puts out.

use anyhow::Result;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::data::source::ReadOptions;
use crate::ops::command;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::{EvaluateOptions, evaluate};
use crate::ops::ingest::{IngestOptions, ingest};
use crate::ops::prepare::PrepareOptions;
use crate::ops::register::{RegisterOptions, register};
use crate::ops::stages::{Outputs, Workspace};
use crate::ops::train::{TrainOptions, train};
use crate::ops::transform::{TransformOptions, transform};
use crate::ops::validate::{ValidateOptions, validate};
use crate::pipeline::graph::{Stage, StageKind};
use crate::record::dataset::{Format, Roles};
use crate::record::evaluation::Verdict;
use crate::source::partition::Window;
use crate::spec::project::DataSpec;

/// What a stage did.
pub struct Executed {
    /// The run, when there was one.
    pub run: Option<RunId>,
    /// Its outputs by name.
    pub outputs: Outputs,
    /// A sentence about the result.
    pub summary: String,
    /// False when the answer is no: data invalid, gate not met.
    pub yes: bool,
}

/// Runs one stage. `inputs` are the ids of what earlier stages put out, by stage and name.
pub fn execute(
    space: &Workspace<'_>,
    stage: &Stage,
    before: &std::collections::BTreeMap<String, Outputs>,
    ctx: &OpCtx<'_>,
) -> Result<Executed> {
    let output = |from: &str, name: &str| before.get(from).and_then(|outputs| outputs.get(name)).copied();
    match &stage.kind {
        StageKind::Ingest => run_ingest(space, ctx),
        StageKind::Validate => run_validate(space, output("ingest", "dataset"), ctx),
        StageKind::Transform => run_transform(space, output("ingest", "dataset"), ctx),
        StageKind::Train => run_train(space, output("ingest", "dataset"), output("transform", "recipe"), ctx),
        StageKind::Evaluate => run_evaluate(space, output("train", "model"), ctx),
        StageKind::Register => run_register(space, output("train", "model"), output("evaluate", "evaluation"), ctx),
        StageKind::Command(spec) => command::run(space, spec, ctx),
    }
}

fn run_ingest(space: &Workspace<'_>, ctx: &OpCtx<'_>) -> Result<Executed> {
    let data = space.data()?;
    let options = IngestOptions {
        sources: vec![data.source.clone()],
        folder: space.path(""),
        name: Some(space.name()),
        append: false,
        window: data.window.as_deref().map(Window::parse).transpose()?,
        bytes_max: None,
        roles: roles(data),
        read: ReadOptions { wanted: space.schema_types(ctx.talk), ..read_options(data)? },
        roles_are_complete: true,
    };
    let report = ingest(space.repo, &options, ctx)?;
    for guess in &report.guesses {
        ctx.talk.info(guess);
    }
    let outputs = [("dataset".to_owned(), report.id), ("raw".to_owned(), report.raw_id)].into();
    let summary = crate::ops::ingest::summary(&report);
    Ok(Executed { run: report.run, outputs, summary, yes: true })
}

fn run_validate(space: &Workspace<'_>, dataset: Option<ObjectId>, ctx: &OpCtx<'_>) -> Result<Executed> {
    let spec = space.spec.validate.clone().unwrap_or_default();
    let options = ValidateOptions {
        dataset: dataset.map(|id| id.hex()),
        default_name: Some(space.name()),
        schema: space.path(&spec.schema),
        fail_on: spec.fail_on,
        environment: spec.environment,
        sense: spec.sense,
        isolation: false,
        against: spec.against.clone(),
        overlap: None,
        drift: space.spec.monitor.clone(),
        seed: ctx.seed,
        split: None,
    };
    let report = validate(space.repo, &options, ctx)?;
    for finding in &report.findings {
        let place = finding.column.as_ref().or(finding.rule.as_ref()).map_or("table", String::as_str);
        let line = format!("{} {place}: {} (expected {})", finding.code, finding.observed, finding.expected);
        ctx.talk.warn(&line);
    }
    let summary = format!("{}, {} findings", report.verdict.name(), report.findings.len());
    let outputs = report.quality.map(|id| ("quality".to_owned(), id)).into_iter().collect();
    Ok(Executed { run: report.run, outputs, summary, yes: report.verdict != Verdict::Fail })
}

/// What the project file says of dataset, split and recipe.
pub fn prepare_options(space: &Workspace<'_>, dataset: Option<ObjectId>) -> Result<PrepareOptions> {
    Ok(PrepareOptions {
        dataset: dataset.map(|id| id.hex()),
        default_name: Some(space.name()),
        roles: space.spec.data.as_ref().map(roles).unwrap_or_default(),
        split: space.spec.split.clone(),
        transform: space.spec.transform.clone(),
        family: space.family()?,
    })
}

fn run_transform(space: &Workspace<'_>, dataset: Option<ObjectId>, ctx: &OpCtx<'_>) -> Result<Executed> {
    let options = TransformOptions { prepare: prepare_options(space, dataset)?, output: None };
    let report = transform(space.repo, &options, ctx)?;
    let rows = report.rows;
    let summary =
        format!("{} features; {} + {} + {} rows", report.features.len(), rows.train, rows.validation, rows.test);
    let outputs = [
        ("split".to_owned(), report.split),
        ("recipe".to_owned(), report.recipe),
        ("features".to_owned(), report.table),
    ];
    Ok(Executed { run: Some(report.run), outputs: outputs.into(), summary, yes: true })
}

fn run_train(
    space: &Workspace<'_>,
    dataset: Option<ObjectId>,
    recipe: Option<ObjectId>,
    ctx: &OpCtx<'_>,
) -> Result<Executed> {
    let spec = space.spec.train.clone().unwrap_or_default();
    let options = TrainOptions { prepare: prepare_options(space, dataset)?, recipe, spec };
    let report = train(space.repo, &options, ctx)?;
    let headline = crate::metrics::zoo::headline(report.task);
    // Without labels, anomalies have no headline; the first metric there is takes its place.
    let first = || report.metrics.keys().next().map_or(headline, String::as_str);
    let headline = if report.metrics.contains_key(headline) { headline } else { first() };
    let value = |metrics: &std::collections::BTreeMap<String, f64>| {
        metrics.get(headline).map_or_else(|| "none".to_owned(), |value| format!("{value:.4}"))
    };
    let (own, baseline) = (value(&report.metrics), value(&report.baseline));
    let mut summary = format!("{}: {} {headline} {own} (baseline {baseline})", report.kind, report.scored_on);
    if let Some(folds) = &report.folds {
        let (mean, deviation) = (value(&folds.mean), value(&folds.deviation));
        let interval = folds.interval.get(headline).map(|found| format!(" ({:.4} … {:.4})", found.low, found.high));
        summary += &format!(", {} folds {mean} ± {deviation}{}", folds.folds.len(), interval.unwrap_or_default());
    }
    let outputs = [("model".to_owned(), report.model), ("model_record".to_owned(), report.record)].into();
    Ok(Executed { run: Some(report.run), outputs, summary, yes: true })
}

fn run_evaluate(space: &Workspace<'_>, model: Option<ObjectId>, ctx: &OpCtx<'_>) -> Result<Executed> {
    let spec = space.spec.evaluate.clone().unwrap_or_default();
    let (model, name) = (model.map(|id| id.hex()), Some(space.model_name()));
    let report = spec.report.iter().map(|path| space.path(path)).collect();
    let options = EvaluateOptions { model, name, report, spec: spec.clone(), ..EvaluateOptions::default() };
    let report = evaluate(space.repo, &options, ctx)?;
    for gate in report.judgement.gates.iter().filter(|gate| gate.verdict == Verdict::Fail) {
        ctx.talk.warn(&format!("gate `{}` failed: {}", gate.expression, gate.reason));
    }
    let mut shown: Vec<String> = Vec::new();
    for (name, value) in
        report.judgement.metrics.iter().filter(|(name, _)| spec.metrics.is_empty() || spec.metrics.contains(name))
    {
        shown.push(format!("{name} {value:.4}"));
    }
    shown.truncate(4);
    let summary = format!(
        "{}: {} ({} rows of {})",
        report.judgement.verdict.name(),
        shown.join(", "),
        report.judgement.rows,
        report.judgement.rows_of
    );
    let first = report.judgement.gates.iter().any(|gate| gate.verdict == Verdict::Pass && gate.bound.is_none());
    let summary = if first { format!("{summary}; there is no champion yet to compare with") } else { summary };
    let outputs = report.evaluation.map(|id| ("evaluation".to_owned(), id)).into_iter().collect();
    Ok(Executed { run: report.run, outputs, summary, yes: report.judgement.verdict != Verdict::Fail })
}

fn run_register(
    space: &Workspace<'_>,
    model: Option<ObjectId>,
    evaluation: Option<ObjectId>,
    ctx: &OpCtx<'_>,
) -> Result<Executed> {
    let spec = space.spec.register.clone().unwrap_or_default();
    let options = RegisterOptions {
        model: model.map(|id| id.hex()),
        name: space.model_name(),
        alias: spec.alias,
        promote: spec.promote,
        note: spec.note,
        tags: spec.tags,
        force: false,
        reason: Some("mlops run".to_owned()),
        evaluation,
        no_check: spec.check == Some(false),
    };
    let report = register(space.repo, &options, ctx)?;
    let refused = || format!("refused: {}", report.reason.as_deref().unwrap_or("its gates failed"));
    let Some(version) = report.version.map(|version| format!("v{version}")) else {
        ctx.talk.warn(&refused());
        let outputs = [("model".to_owned(), report.id)].into();
        return Ok(Executed { run: Some(report.run), outputs, summary: refused(), yes: false });
    };
    let aliases: Vec<String> = report
        .aliases
        .iter()
        .filter(|(_, version)| Some(**version) == report.version)
        .map(|(alias, _)| alias.clone())
        .collect();
    let summary = match aliases.is_empty() {
        true => format!("{}@{version}", report.name),
        false => format!("{}@{version} ({})", report.name, aliases.join(", ")),
    };
    Ok(Executed { run: Some(report.run), outputs: [("model".to_owned(), report.id)].into(), summary, yes: true })
}

/// What the project file says the columns mean.
pub fn roles(data: &DataSpec) -> Roles {
    Roles {
        target: data.target.clone(),
        task: data.task,
        key: data.key.clone(),
        ignore: data.ignore.clone(),
        weight: data.weight.clone(),
    }
}

/// How the project file says the source is read.
pub fn read_options(data: &DataSpec) -> Result<ReadOptions> {
    Ok(ReadOptions {
        format: data.format.as_deref().map(parse_format).transpose()?,
        null_values: data.null_values.clone(),
        types: data.types.clone(),
        delimiter: data.delimiter,
        encoding: data.encoding.clone(),
        sheet: data.sheet.clone(),
        member: data.member.clone(),
        ..ReadOptions::default()
    })
}

/// A format by its name.
pub fn parse_format(name: &str) -> Result<Format> {
    match name {
        "csv" | "tsv" => Ok(Format::Csv),
        "parquet" => Ok(Format::Parquet),
        "jsonl" | "ndjson" => Ok(Format::Jsonl),
        "json" => Ok(Format::Json),
        "ipc" | "arrow" | "feather" => Ok(Format::Ipc),
        "excel" | "xlsx" => Ok(Format::Excel),
        _ => Err(fail::usage(format!("unknown format `{name}`"))
            .hint("known: csv, tsv, json, jsonl, parquet, arrow, excel")
            .into()),
    }
}
