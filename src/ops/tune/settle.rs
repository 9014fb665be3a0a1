//! What a new study is, settled before the first trial: what is measured, where the parameters may lie, what is good.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use crate::base::id::{ObjectId, RunId};
use crate::base::{fail, suggest, units};
use crate::metrics::zoo as metrics;
use crate::models::zoo::Kind;
use crate::ops::context::OpCtx;
use crate::ops::prepare::{Part, PrepareOptions, prepare};
use crate::ops::stages::Workspace;
use crate::ops::train::choose_kind;
use crate::ops::tune::TuneOptions;
use crate::ops::tune::objective::{self, Objective};
use crate::ops::tune::resume;
use crate::ops::tune::trials::EndedTrial;
use crate::record::dataset::Roles;
use crate::record::study::StudySettings;
use crate::repo::Repo;
use crate::search::space::{Point, Space};
use crate::search::spaces;
use crate::search::told::Told;
use crate::spec::gate::Comparison;
use crate::spec::model::{Task, TrainSpec};
use crate::spec::project::{ProjectSpec, StageSpec};
use crate::spec::recipe::TransformSpec;
use crate::spec::tune::{Direction, PrunerName, TuneSpec, parse_stop_at};

/// A study that is ready to go.
pub struct Settled<'a> {
    /// The run that began it, which names it.
    pub study: RunId,
    /// Everything that its outcome depends on.
    pub settings: StudySettings,
    /// What is measured.
    pub subject: Subject<'a>,
    /// Where the parameters may lie.
    pub space: Space,
    /// Which values are good.
    pub direction: Direction,
    /// What is tried first.
    pub first: toml::Table,
    /// Trials of another study to learn from.
    pub warm: Vec<Told>,
    /// Trials of this study that were made before.
    pub kept: BTreeMap<usize, EndedTrial>,
    /// How long trials may start.
    pub time: Option<Duration>,
}

/// What is measured.
pub enum Subject<'a> {
    /// A kind of model.
    Model(Box<ModelSubject>),
    /// The command of a stage.
    Stage(StageSubject<'a>),
}

/// A kind of model on the rows of a dataset.
pub struct ModelSubject {
    /// The kind.
    pub kind: &'static Kind,
    /// What trials measure.
    pub objective: Objective,
    /// The rows, to train the best on.
    pub prepare: PrepareOptions,
    /// The recipe record.
    pub recipe: ObjectId,
}

/// The command of a stage.
pub struct StageSubject<'a> {
    /// The stage.
    pub spec: StageSpec,
    /// The repository that the command logs to.
    pub repo: &'a Repo,
    /// Folder of the project.
    pub root: &'a Path,
    /// What the project file says.
    pub project: &'a ProjectSpec,
}

impl StageSubject<'_> {
    /// The project as stages see it.
    pub fn space(&self) -> Workspace<'_> {
        Workspace { repo: self.repo, root: self.root, spec: self.project }
    }
}

/// Settles a new study named by the run `study`.
///
/// Errors: those of preparing the rows; an unknown metric, parameter or stage; a space that is none; pruning of trials
/// that report nothing on their way; a study to learn from that searched another metric.
pub fn settle<'a>(
    space: &Workspace<'a>,
    options: &TuneOptions,
    study: RunId,
    staging: &Repo,
    ctx: &OpCtx<'_>,
) -> Result<Settled<'a>> {
    options.tune.check()?;
    options.train.check()?;
    let mut settled = match options.tune.stage.as_deref() {
        Some(name) => for_stage(space, options, name, study, ctx)?,
        None => for_model(options, study, staging, ctx)?,
    };
    if let Some(reference) = &options.warm_from {
        let (id, warm) = resume::warm(space.repo, reference, &settled)?;
        settled.settings.warm_from = Some(id);
        settled.warm = warm;
    }
    Ok(settled)
}

fn for_model<'a>(options: &TuneOptions, study: RunId, staging: &Repo, ctx: &OpCtx<'_>) -> Result<Settled<'a>> {
    if options.train.from.is_some() {
        let what = "[train] goes on from an earlier model, and trials are fitted anew";
        return Err(fail::usage(what).hint("take `from` out of [train] to tune").into());
    }
    let folds = options.tune.folds.unwrap_or(0);
    let mut wanted = options.prepare.clone();
    wanted.split.folds = folds;
    let prepared = prepare(staging, &wanted, ctx)?;
    let task = prepared.subject.task;
    let named = options.tune.model.as_deref().or(options.train.model.as_deref());
    let kind = choose_kind(named, task, ctx.talk)?;
    let (metric, direction) = metric_of(&options.tune, task)?;
    let rows = prepared.split.counts()[Part::Train as usize] as usize;
    let space = space_of(kind, task, rows, options)?;
    let train = TrainSpec { model: Some(kind.name.to_owned()), params: fixed(options), ..options.train.clone() };
    let improved = (metric.clone(), direction == Direction::Maximise);
    let objective = Objective::new(kind, &train, &wanted, &prepared, improved, ctx)?;
    if options.tune.pruner != PrunerName::None && !objective.has_steps() {
        let what = format!("`{}` reports nothing on its way, so no trial of it can be pruned", kind.name);
        return Err(fail::usage(what).hint("score on folds with --folds 5, or leave the pruner out").into());
    }
    let mut first = (kind.params)();
    first.extend(train.params.clone());
    objective::say(&Point::to_toml(&space.locate(&first), &space), &prepared, ctx.talk);
    let settings = StudySettings {
        tune: settled_spec(options, &metric, direction, &space, Some(kind.name), ctx),
        train,
        seed: ctx.seed,
        task: Some(task),
        command: None,
        roles: wanted.roles.clone(),
        transform: wanted.transform.clone(),
        warm_from: None,
        dataset: Some(prepared.subject.dataset.id),
        split: Some(prepared.split_id),
        recipe: Some(prepared.recipe_id),
    };
    let subject = ModelSubject { kind, objective, recipe: prepared.recipe_id, prepare: wanted };
    let time = time_of(&settings.tune)?;
    let subject = Subject::Model(Box::new(subject));
    Ok(Settled { study, settings, subject, space, direction, first, warm: Vec::new(), kept: BTreeMap::new(), time })
}

/// The metric to improve, and which values of it are good.
fn metric_of(spec: &TuneSpec, task: Task) -> Result<(String, Direction)> {
    let metric = metrics::find(spec.metric.as_deref().unwrap_or(metrics::headline(task)), task)?;
    let usual = if metric.higher_is_better { Direction::Maximise } else { Direction::Minimise };
    let direction = spec.direction.unwrap_or(usual);
    check_stop_at(spec, &metric.name, direction)?;
    Ok((metric.name, direction))
}

/// What ends the study has to be told from the values it searches by.
fn check_stop_at(spec: &TuneSpec, metric: &str, direction: Direction) -> Result<()> {
    let Some(text) = &spec.stop_at else {
        return Ok(());
    };
    let gate = parse_stop_at(text)?;
    let reached = gate.metric().unwrap_or_default();
    let asked = match gate.comparison {
        Comparison::AtLeast | Comparison::Above => Some(Direction::Maximise),
        Comparison::AtMost | Comparison::Below => Some(Direction::Minimise),
        Comparison::Equal => None,
    };
    if reached == metric && asked != Some(direction) {
        return Err(fail::usage(format!(
            "`{text}` is no value to stop at: the search is to {} {metric}",
            direction.name()
        ))
        .hint("the first trial to be good enough ends the search, as `roc_auc >= 0.9` or `rmse <= 12`")
        .into());
    }
    if reached == metric {
        return Ok(());
    }
    Err(fail::usage(format!("the search improves {metric}, and is to stop at {reached}"))
        .hint(format!("stop at a value of {metric}, or improve {reached} with --metric {reached}"))
        .into())
}

/// Parameters that are the same in every trial.
fn fixed(options: &TuneOptions) -> toml::Table {
    let mut fixed = options.train.params.clone();
    fixed.extend(options.fixed.clone());
    fixed
}

/// The space that is written, or else that of the kind, without what is fixed.
///
/// Errors: a parameter that the kind does not have, one that is both fixed and searched, nothing to search.
fn space_of(kind: &Kind, task: Task, rows: usize, options: &TuneOptions) -> Result<Space> {
    let known = (kind.params)();
    let written = &options.tune.space;
    for name in written.keys().chain(options.fixed.keys()).chain(options.train.params.keys()) {
        if !known.contains_key(name) {
            let known: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(suggest::unknown(&format!("parameter of `{}`:", kind.name), name, known).into());
        }
    }
    if let Some(name) = options.fixed.keys().find(|name| written.contains_key(*name)) {
        let what = format!("`{name}` is both fixed and searched");
        return Err(fail::usage(what).hint("leave it out of --set, or out of the space").into());
    }
    let space = match written.is_empty() {
        false => Space::from_toml(written)?,
        true => {
            let usual = spaces::of(kind.name, task, rows).unwrap_or_default();
            let searched =
                usual.dimensions.into_iter().filter(|dimension| !options.fixed.contains_key(&dimension.name));
            Space::new(searched.collect())?
        }
    };
    if space.dimensions.iter().all(|dimension| dimension.range.is_fixed()) {
        let first = known.keys().next().map_or("NAME", String::as_str);
        return Err(fail::usage(format!("there is nothing to search of `{}`", kind.name))
            .hint(format!("say where its parameters may lie, as --space {first}=LOW..HIGH"))
            .into());
    }
    Ok(space)
}

/// What was asked for with everything in it that is usually taken from elsewhere.
fn settled_spec(
    options: &TuneOptions,
    metric: &str,
    direction: Direction,
    space: &Space,
    model: Option<&str>,
    ctx: &OpCtx<'_>,
) -> TuneSpec {
    TuneSpec {
        metric: Some(metric.to_owned()),
        direction: Some(direction),
        jobs: None,
        model: model.map(str::to_owned),
        seed: Some(options.tune.seed.unwrap_or(ctx.seed)),
        space: space.to_toml(),
        ..options.tune.clone()
    }
}

/// How long trials may start.
pub fn time_of(spec: &TuneSpec) -> Result<Option<Duration>> {
    Ok(spec.time.as_deref().map(units::parse_duration).transpose()?)
}

fn for_stage<'a>(
    space: &Workspace<'a>,
    options: &TuneOptions,
    name: &str,
    study: RunId,
    ctx: &OpCtx<'_>,
) -> Result<Settled<'a>> {
    let spec = stage_named(space, name)?;
    let tune = &options.tune;
    if tune.pruner != PrunerName::None || tune.folds.is_some() {
        let what = format!("`{name}` is a command: it is run to its end, once a trial");
        return Err(fail::usage(what).hint("leave the pruner and folds out").into());
    }
    let metric = tune.metric.clone().ok_or_else(|| {
        fail::usage("a command says by itself how well it did, and what it calls that has to be known")
            .hint("name the metric that it logs, as --metric loss")
    })?;
    let direction = tune.direction.or_else(|| known_direction(&metric)).ok_or_else(|| {
        fail::usage(format!("it is not known whether more of `{metric}` is better"))
            .hint("say --direction maximise or --direction minimise")
    })?;
    check_stop_at(tune, &metric, direction)?;
    for name in tune.space.keys().chain(options.fixed.keys()) {
        if !spec.params.is_empty() && !spec.params.contains_key(name) {
            let known: Vec<&str> = spec.params.keys().map(String::as_str).collect();
            return Err(suggest::unknown(&format!("parameter of stage `{}`:", spec.name), name, known).into());
        }
    }
    let searched = Space::from_toml(&tune.space)?;
    if searched.dimensions.iter().all(|dimension| dimension.range.is_fixed()) {
        return Err(fail::usage(format!("there is nothing to search of stage `{name}`"))
            .hint("say where its parameters may lie, as --space rate=0.01..0.3:log")
            .into());
    }
    let mut spec = spec;
    spec.params.extend(options.fixed.clone());
    let settings = StudySettings {
        tune: settled_spec(options, &metric, direction, &searched, None, ctx),
        train: TrainSpec { params: options.fixed.clone(), ..TrainSpec::default() },
        seed: ctx.seed,
        task: None,
        command: Some(spec.cmd.clone()),
        roles: Roles::default(),
        transform: TransformSpec::default(),
        warm_from: None,
        dataset: None,
        split: None,
        recipe: None,
    };
    Ok(Settled {
        study,
        time: time_of(&settings.tune)?,
        settings,
        first: spec.params.clone(),
        subject: Subject::Stage(stage_subject(space, spec)),
        space: searched,
        direction,
        warm: Vec::new(),
        kept: BTreeMap::new(),
    })
}

/// A stage of the project by its name.
pub fn stage_named(space: &Workspace<'_>, name: &str) -> Result<StageSpec> {
    let found = space.spec.stages.iter().find(|stage| stage.name == name).cloned();
    let known: Vec<&str> = space.spec.stages.iter().map(|stage| stage.name.as_str()).collect();
    found.ok_or_else(|| suggest::unknown("[[stage]]", name, known).into())
}

/// A stage with what its command needs.
pub fn stage_subject<'a>(space: &Workspace<'a>, spec: StageSpec) -> StageSubject<'a> {
    StageSubject { spec, repo: space.repo, root: space.root, project: space.spec }
}

/// Which values are good of a metric that this product has too.
fn known_direction(metric: &str) -> Option<Direction> {
    let tasks = [Task::Binary, Task::Multiclass, Task::Regression, Task::Clustering, Task::Anomaly];
    let found = tasks.into_iter().find_map(|task| metrics::find(metric, task).ok());
    let usual = |higher| if higher { Direction::Maximise } else { Direction::Minimise };
    found.map(|found| usual(found.higher_is_better)).or_else(|| (metric == "loss").then_some(Direction::Minimise))
}
