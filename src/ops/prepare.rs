//! From a dataset version to features: roles, target, split, fitted recipe. What `transform` keeps and `train` uses.

use std::time::Instant;

use anyhow::Result;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::base::units;
use crate::data::frame::Frame;
use crate::data::matrix::Matrix;
use crate::data::split::folds::{Folds, folds};
use crate::data::split::{NONE, Split, TrainSplit, split};
use crate::data::table::Table;
use crate::data::target::{self, Target};
use crate::data::weights;
use crate::features::recipe::{Family, FittedRecipe, Recipe};
use crate::models::package::{ModelPackage, PackageHeader};
use crate::models::zoo;
use crate::ops::context::OpCtx;
use crate::ops::dataset::{self, OpenDataset};
use crate::ops::unsupervised;
use crate::record::dataset::Roles;
use crate::record::recipe::RecipeRecord;
use crate::record::split::SplitRecord;
use crate::repo::Repo;
use crate::spec::model::Task;
use crate::spec::recipe::TransformSpec;
use crate::spec::split::{SplitMethod, SplitSpec};

/// What to prepare, and how.
#[derive(Clone, Debug)]
pub struct PrepareOptions {
    /// The dataset; the newest one when absent.
    pub dataset: Option<String>,
    /// Name tried before "the newest one".
    pub default_name: Option<String>,
    /// Roles that win over those kept with the dataset.
    pub roles: Roles,
    /// How rows are divided.
    pub split: SplitSpec,
    /// How columns become features.
    pub transform: TransformSpec,
    /// For which family of models `auto` is meant; that of the task's default kind when absent.
    pub family: Option<Family>,
}

/// One part of the rows of a split.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Rows that models are fitted on.
    Train = 0,
    /// Rows that choices are made on.
    Validation = 1,
    /// Rows that judge.
    Test = 2,
}

/// A dataset opened for modelling: what is predicted from which columns, on which rows.
pub struct Subject {
    /// The dataset.
    pub dataset: OpenDataset,
    /// Its table.
    pub table: Table,
    /// What its columns mean.
    pub roles: Roles,
    /// What kind of prediction.
    pub task: Task,
    /// True values of the rows in `target_rows`.
    pub target: Target,
    /// Rows that have a target, rising.
    pub target_rows: Vec<u32>,
    /// How much the rows in `target_rows` count in a fit; `None`: all alike.
    pub weights: Option<Vec<f64>>,
    /// The columns that features may be made of.
    pub frame: Frame,
}

/// A subject with its split and its recipe fitted on the training rows.
pub struct Prepared {
    /// What is predicted from what.
    pub subject: Subject,
    /// Which row is for what.
    pub split: Split,
    /// How it was made.
    pub split_spec: SplitSpec,
    /// Folds of the rows outside the test part, when asked for.
    pub folds: Option<Folds>,
    /// Id of the split record.
    pub split_id: ObjectId,
    /// The fitted recipe.
    pub recipe: FittedRecipe,
    /// Whether it was fitted on these training rows; not so when it comes with a model.
    pub recipe_is_own: bool,
    /// Id of the recipe record.
    pub recipe_id: ObjectId,
    /// Seconds spent fitting it; 0 when it was fitted before.
    pub recipe_seconds: f64,
}

impl Prepared {
    /// Features and true values of one part.
    pub fn part(&self, part: Part) -> Result<(Matrix, Target)> {
        features_of(&self.subject, (&self.recipe, self.recipe_is_own), &self.split, part)
    }

    /// The training rows.
    pub fn training(&self) -> Result<TrainSplit> {
        training_of(&self.subject, &self.split)
    }

    /// How much the rows of one part count; `None`: all alike.
    pub fn weights(&self, part: Part) -> Option<Vec<f64>> {
        self.subject.weights_of(&self.split.rows(part as u8))
    }
}

/// Features, made by a recipe, and true values of one part of `split`. The recipe comes with whether it was fitted on the
/// training rows of that split: if so, it gives them what it learned without them.
pub fn features_of(
    subject: &Subject,
    (recipe, is_own): (&FittedRecipe, bool),
    split: &Split,
    part: Part,
) -> Result<(Matrix, Target)> {
    if part == Part::Train && is_own {
        let train = training_of(subject, split)?;
        return Ok((recipe.apply_training(&train)?, train.target().clone()));
    }
    let rows = split.rows(part as u8);
    let matrix = recipe.apply(&subject.frame.take(&rows))?;
    Ok((matrix, subject.target_of(&rows)))
}

impl Subject {
    /// True values of `rows`, all of which have one.
    pub fn target_of(&self, rows: &[u32]) -> Target {
        self.target.take(&self.places(rows))
    }

    /// Weights of `rows`, all of which have a true value; `None`: all alike.
    pub fn weights_of(&self, rows: &[u32]) -> Option<Vec<f64>> {
        let weights = self.weights.as_ref()?;
        Some(self.places(rows).into_iter().map(|place| weights[place as usize]).collect())
    }

    /// Where rows stand among those that have a true value; both rise.
    fn places(&self, rows: &[u32]) -> Vec<u32> {
        let mut place = 0;
        let of_row = |row: &u32| {
            while self.target_rows[place] < *row {
                place += 1;
            }
            place as u32
        };
        rows.iter().map(of_row).collect()
    }
}

/// Opens the dataset and settles target, task, weights and feature columns; target, task and classes are those of `known`,
/// a model that exists already.
///
/// Errors: no target, an unknown column, a target or weights that cannot be used, no column left for features, another
/// target or task than that of `known`.
pub fn subject(
    repo: &Repo,
    options: &PrepareOptions,
    known: Option<&PackageHeader>,
    ctx: &OpCtx<'_>,
) -> Result<Subject> {
    let dataset = dataset::find(repo, options.dataset.as_deref(), options.default_name.as_deref())?;
    let table = dataset::table(repo, &dataset, ctx.talk)?;
    let mut roles = merged(&options.roles, &dataset.record.roles);
    roles.target = roles.target.or_else(|| known.map(|header| header.target.clone()));
    let names: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let columns = || names.iter().map(String::as_str);
    let named = roles.target.iter().chain(&roles.key).chain(&roles.ignore).chain(&roles.weight);
    for name in named.chain(&options.split.column) {
        if !columns().any(|column| column == name) {
            return Err(suggest::unknown("column", name, columns()).into());
        }
    }
    let unsupervised = roles.task.filter(|task| !task.is_supervised());
    let (task, (target, target_rows)) = match (known, unsupervised) {
        (Some(header), _) => read_known(&table, &target_of(&roles, &dataset.label)?, roles.task, header)?,
        (None, Some(task)) => (task, unsupervised::read(&table, &roles, task, ctx.talk)?),
        (None, None) => read_new(&table, &target_of(&roles, &dataset.label)?, roles.task, ctx)?,
    };
    let target_name = roles.target.clone().unwrap_or_default();
    let dropped = table.rows() - target_rows.len();
    if dropped > 0 {
        ctx.talk.warn(&format!("{dropped} rows without a value of `{target_name}` are left out"));
    }
    let weights = roles.weight.as_deref().map(|column| weights::read(&table, column, &target_rows)).transpose()?;
    let features: Vec<&str> = columns().filter(|name| is_feature(name, &target_name, &roles, &options.split)).collect();
    if features.is_empty() {
        let what = format!("{} has no column left to make features of", dataset.label);
        return Err(fail::usage(what).hint("ignore fewer columns").into());
    }
    let frame = table.frame(&features)?;
    Ok(Subject { dataset, table, roles, task, target, target_rows, weights, frame })
}

type Truth = (Task, (Target, Vec<u32>));

fn read_new(table: &Table, name: &str, task: Option<Task>, ctx: &OpCtx<'_>) -> Result<Truth> {
    let (inferred, why) = target::infer_task(table, name)?;
    let task = task.unwrap_or_else(|| {
        ctx.talk.info(&format!("task {}: {why}", inferred.name()));
        inferred
    });
    Ok((task, target::read_target(table, name, task)?))
}

/// The target with the classes that a model knows.
fn read_known(table: &Table, name: &str, task: Option<Task>, header: &PackageHeader) -> Result<Truth> {
    if header.target != name {
        let what = format!("the model to go on from predicts `{}`, not `{name}`", header.target);
        return Err(fail::usage(what).hint("name its target, or train a new model without --from").into());
    }
    if task.is_some_and(|task| task != header.task) {
        let asked = task.unwrap_or(header.task).name();
        let what = format!("the model to go on from is of a {} task, not {asked}", header.task.name());
        return Err(fail::usage(what).hint("leave the task out, or train a new model without --from").into());
    }
    Ok((header.task, target::target_against(table, name, header.task, &header.classes)?))
}

/// The name of the target, without which there is nothing to learn.
fn target_of(roles: &Roles, label: &str) -> Result<String> {
    roles.target.clone().ok_or_else(|| {
        fail::usage(format!("{label} has no target"))
            .hint("say which column to predict with --target COLUMN, or --task clustering or anomaly, which need none")
            .into()
    })
}

/// The recipe for a task; `auto` is that of the family asked for.
///
/// Errors: those of [`Recipe::from_spec`].
pub fn recipe_for(options: &PrepareOptions, task: Task) -> Result<Recipe> {
    let family = match options.family {
        Some(family) if task.is_supervised() => family,
        // Distances need numbers, whatever the kind: the baseline of such a task too.
        _ => zoo::kind(zoo::default_kind(task))?.family,
    };
    Recipe::from_spec(&options.transform, family)
}

/// Opens, splits, and fits the recipe on the training rows; keeps split and recipe as records (not yet committed).
pub fn prepare(repo: &Repo, options: &PrepareOptions, ctx: &OpCtx<'_>) -> Result<Prepared> {
    let subject = subject(repo, options, None, ctx)?;
    let recipe = recipe_for(options, subject.task)?;
    let divided = divide(repo, &subject, &options.split, ctx)?;
    let started = Instant::now();
    let fitted = fit_recipe(&recipe, &subject, &divided.split, ctx.seed)?;
    let recipe_seconds = started.elapsed().as_secs_f64();
    for note in fitted.notes() {
        ctx.talk.info(note);
    }
    let prepared = finish(repo, subject, divided, fitted)?;
    Ok(Prepared { recipe_seconds, ..prepared })
}

/// Fits a recipe on the training rows of `split`.
pub fn fit_recipe(recipe: &Recipe, subject: &Subject, split: &Split, seed: u64) -> Result<FittedRecipe> {
    recipe.fit(&training_of(subject, split)?, Seed(seed).derive("recipe"))
}

fn training_of(subject: &Subject, split: &Split) -> Result<TrainSplit> {
    split.training(&subject.frame, &subject.target, &subject.target_rows)
}

/// Opens what an earlier `transform` kept, so that `train` fits on exactly that.
pub fn reopen(repo: &Repo, options: &PrepareOptions, recipe_id: ObjectId, ctx: &OpCtx<'_>) -> Result<Prepared> {
    let record: RecipeRecord = repo.record(&recipe_id)?;
    let options = PrepareOptions { dataset: Some(record.dataset.hex()), ..options.clone() };
    let subject = subject(repo, &options, None, ctx)?;
    if let (Some(fitted_for), Some(target)) = (&record.target, &subject.roles.target)
        && fitted_for != target
    {
        let what = format!("the recipe was fitted to predict `{fitted_for}`, not `{target}`");
        return Err(fail::usage(what).hint("run `mlops transform` for the new target").into());
    }
    let divided = redivide(repo, &subject, record.split)?;
    let recipe = FittedRecipe::from_json(&record.fitted)?;
    Ok(together(subject, divided, recipe, recipe_id))
}

/// Opens new rows for a model that exists: its target, classes and recipe, on a split of the new rows, which is that of an
/// earlier `transform` when `recipe_id` names one.
///
/// Errors: those of [`subject`]; columns that the model reads and the rows lack.
pub fn prepare_for(
    repo: &Repo,
    options: &PrepareOptions,
    package: &ModelPackage,
    recipe_id: Option<ObjectId>,
    ctx: &OpCtx<'_>,
) -> Result<Prepared> {
    let kept: Option<RecipeRecord> = recipe_id.map(|id| repo.record(&id)).transpose()?;
    let dataset = kept.as_ref().map(|record| record.dataset.hex()).or_else(|| options.dataset.clone());
    let subject = subject(repo, &PrepareOptions { dataset, ..options.clone() }, Some(&package.header), ctx)?;
    let divided = match kept {
        Some(record) => redivide(repo, &subject, record.split)?,
        None => divide(repo, &subject, &options.split, ctx)?,
    };
    let prepared = finish(repo, subject, divided, package.recipe.clone())?;
    Ok(Prepared { recipe_is_own: false, ..prepared })
}

/// How the rows are divided, kept as a record.
pub struct Divided {
    /// Which row is for what.
    pub split: Split,
    /// How it was made.
    pub spec: SplitSpec,
    /// Folds, when asked for.
    pub folds: Option<Folds>,
    /// Id of the record.
    pub id: ObjectId,
}

/// A subject with its rows divided and no recipe yet; divided as an earlier `transform` did when `recipe` names one.
///
/// Errors: those of [`subject`] and of dividing.
pub fn divided_for(
    repo: &Repo,
    options: &PrepareOptions,
    recipe: Option<ObjectId>,
    ctx: &OpCtx<'_>,
) -> Result<(Subject, Divided)> {
    let Some(recipe) = recipe else {
        let subject = subject(repo, options, None, ctx)?;
        let divided = divide(repo, &subject, &options.split, ctx)?;
        return Ok((subject, divided));
    };
    let record: RecipeRecord = repo.record(&recipe)?;
    let options = PrepareOptions { dataset: Some(record.dataset.hex()), ..options.clone() };
    let subject = subject(repo, &options, None, ctx)?;
    let divided = redivide(repo, &subject, record.split)?;
    Ok((subject, divided))
}

/// Divides the rows and keeps how, as a record.
fn divide(repo: &Repo, subject: &Subject, spec: &SplitSpec, ctx: &OpCtx<'_>) -> Result<Divided> {
    let seed = Seed(ctx.seed).derive("split");
    let keys = &subject.roles.key;
    let split = split(&subject.table, Some(&subject.target), &subject.target_rows, spec, keys, seed)?;
    if split.counts()[Part::Train as usize] < 2 {
        return Err(fail::usage("the split leaves one training row, from which nothing can be learned")
            .hint("give more data, or make the test and validation parts smaller")
            .into());
    }
    let left_out = subject.target_rows.iter().filter(|row| split.parts()[**row as usize] == NONE).count();
    if left_out > 0 {
        let rows = units::plural(left_out as u64, "row");
        let why = match &spec.gap {
            Some(gap) => format!("nearer than {gap} to a later part"),
            None => "as the column of the split is empty".to_owned(),
        };
        ctx.talk.info(&format!("{rows} in no part: {why}"));
    }
    let folds = folds_of(subject, &split, spec, ctx.seed)?;
    let record = SplitRecord {
        dataset: subject.dataset.id,
        spec: spec.clone(),
        seed: ctx.seed,
        rows: split.counts(),
        parts: repo.store().put(split.parts())?.id,
        folds: folds.as_ref().map(|folds| repo.store().put(folds.numbers()).map(|put| put.id)).transpose()?,
    };
    Ok(Divided { split, spec: spec.clone(), folds, id: repo.put_record(&record)? })
}

/// Divides the rows as an earlier split did.
fn redivide(repo: &Repo, subject: &Subject, id: ObjectId) -> Result<Divided> {
    let record: SplitRecord = repo.record(&id)?;
    let split = read_split(repo, &record)?;
    let parts = split.parts();
    let known = parts.iter().filter(|part| **part != NONE).count();
    let with_target = subject.target_rows.iter().filter(|row| parts.get(**row as usize).is_some_and(|p| *p != NONE));
    if parts.len() != subject.table.rows() || with_target.count() != known {
        let what = format!("the split {} does not fit the rows of {}", id.short(), subject.dataset.label);
        return Err(fail::world(what).hint("divide the rows again with `mlops transform`").into());
    }
    let folds = folds_of(subject, &split, &record.spec, record.seed)?;
    Ok(Divided { split, spec: record.spec, folds, id })
}

fn folds_of(subject: &Subject, split: &Split, spec: &SplitSpec, seed: u64) -> Result<Option<Folds>> {
    if spec.folds == 0 {
        return Ok(None);
    }
    let truth = (&subject.target, subject.target_rows.as_slice());
    folds(&subject.table, truth, split, spec, &subject.roles.key, Seed(seed).derive("split")).map(Some)
}

/// Keeps the recipe as a record, and puts all together.
pub fn finish(repo: &Repo, subject: Subject, divided: Divided, recipe: FittedRecipe) -> Result<Prepared> {
    let record = RecipeRecord {
        dataset: subject.dataset.id,
        split: divided.id,
        target: subject.roles.target.clone(),
        fitted: recipe.to_json(),
        features: recipe.features().to_vec(),
        table: None,
    };
    let recipe_id = repo.put_record(&record)?;
    Ok(together(subject, divided, recipe, recipe_id))
}

/// A subject, its split and its own recipe.
fn together(subject: Subject, divided: Divided, recipe: FittedRecipe, recipe_id: ObjectId) -> Prepared {
    let Divided { split, spec, folds, id } = divided;
    Prepared {
        subject,
        split,
        split_spec: spec,
        folds,
        split_id: id,
        recipe,
        recipe_is_own: true,
        recipe_id,
        recipe_seconds: 0.0,
    }
}

/// The rows of a kept split.
pub fn read_split(repo: &Repo, record: &SplitRecord) -> Result<Split> {
    Split::from_parts(repo.store().get(&record.parts, u64::MAX)?)
}

fn merged(given: &Roles, kept: &Roles) -> Roles {
    let keep = |new: &Vec<String>, old: &Vec<String>| if new.is_empty() { old.clone() } else { new.clone() };
    let target = given.target.clone().or_else(|| kept.target.clone());
    let same_target = target == kept.target;
    Roles {
        task: given.task.or(kept.task.filter(|_| same_target)),
        target,
        key: keep(&given.key, &kept.key),
        ignore: keep(&given.ignore, &kept.ignore),
        weight: given.weight.clone().or_else(|| kept.weight.clone()),
    }
}

/// A column that only says how rows are divided would give the division away, not the target.
fn is_feature(name: &str, target: &str, roles: &Roles, split: &SplitSpec) -> bool {
    let divides = matches!(split.method, SplitMethod::Group | SplitMethod::Column | SplitMethod::Hash);
    let divider = divides && split.column.as_deref() == Some(name);
    let weight = roles.weight.as_deref() == Some(name);
    name != target && !divider && !weight && !roles.key.iter().chain(&roles.ignore).any(|other| other == name)
}
