//! From a dataset version to features: roles, target, split, fitted recipe. What `transform` keeps and `train` uses.

use anyhow::Result;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::data::frame::Frame;
use crate::data::matrix::Matrix;
use crate::data::split::{Split, split};
use crate::data::table::Table;
use crate::data::target::{self, Target};
use crate::features::recipe::{Family, FittedRecipe, Recipe};
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
    /// The columns that features may be made of.
    pub frame: Frame,
}

/// A subject with its split and its recipe fitted on the training rows.
pub struct Prepared {
    /// What is predicted from what.
    pub subject: Subject,
    /// Which row is for what.
    pub split: Split,
    /// Id of the split record.
    pub split_id: ObjectId,
    /// The fitted recipe.
    pub recipe: FittedRecipe,
    /// Id of the recipe record.
    pub recipe_id: ObjectId,
}

impl Prepared {
    /// Features and true values of one part.
    pub fn part(&self, part: Part) -> Result<(Matrix, Target)> {
        let rows = self.split.rows(part as u8);
        let matrix = self.recipe.apply(&self.subject.frame.take(&rows))?;
        Ok((matrix, self.subject.target_of(&rows)))
    }
}

impl Subject {
    /// True values of `rows`, all of which have one.
    pub fn target_of(&self, rows: &[u32]) -> Target {
        let mut positions = vec![0_u32; self.table.rows()];
        for (position, &row) in self.target_rows.iter().enumerate() {
            positions[row as usize] = position as u32;
        }
        let wanted: Vec<u32> = rows.iter().map(|&row| positions[row as usize]).collect();
        self.target.take(&wanted)
    }
}

/// Opens the dataset and settles target, task and feature columns.
pub fn subject(repo: &Repo, options: &PrepareOptions, ctx: &OpCtx<'_>) -> Result<Subject> {
    let dataset = dataset::find(repo, options.dataset.as_deref(), options.default_name.as_deref())?;
    let table = dataset::table(repo, &dataset, ctx.talk)?;
    let roles = merged(&options.roles, &dataset.record.roles);
    let names: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let known = || names.iter().map(String::as_str);
    for name in roles.target.iter().chain(&roles.key).chain(&roles.ignore).chain(&options.split.column) {
        if !known().any(|column| column == name) {
            return Err(suggest::unknown("column", name, known()).into());
        }
    }
    let unsupervised = roles.task.filter(|task| !task.is_supervised());
    let (task, (target, target_rows)) = match unsupervised {
        Some(task) => (task, unsupervised::read(&table, &roles, task, ctx.talk)?),
        None => supervised(&table, &roles, &dataset.label, ctx)?,
    };
    let target_name = roles.target.clone().unwrap_or_default();
    let dropped = table.rows() - target_rows.len();
    if dropped > 0 {
        ctx.talk.warn(&format!("{dropped} rows without a value of `{target_name}` are left out"));
    }
    let features: Vec<&str> = known().filter(|name| is_feature(name, &target_name, &roles, &options.split)).collect();
    if features.is_empty() {
        let what = format!("{} has no column left to make features of", dataset.label);
        return Err(fail::usage(what).hint("ignore fewer columns").into());
    }
    let frame = table.frame(&features)?;
    Ok(Subject { dataset, table, roles, task, target, target_rows, frame })
}

/// The target to learn from, with the rows that have one.
fn supervised(table: &Table, roles: &Roles, label: &str, ctx: &OpCtx<'_>) -> Result<(Task, (Target, Vec<u32>))> {
    let name = roles.target.as_deref().ok_or_else(|| {
        fail::usage(format!("{label} has no target"))
            .hint("say which column to predict with --target COLUMN, or --task clustering or anomaly, which need none")
    })?;
    let (inferred, why) = target::infer_task(table, name)?;
    let task = roles.task.unwrap_or_else(|| {
        ctx.talk.info(&format!("task {}: {why}", inferred.name()));
        inferred
    });
    Ok((task, target::read_target(table, name, task)?))
}

/// Opens, splits, and fits the recipe on the training rows; keeps split and recipe as records (not yet committed).
pub fn prepare(repo: &Repo, options: &PrepareOptions, ctx: &OpCtx<'_>) -> Result<Prepared> {
    let subject = subject(repo, options, ctx)?;
    let family = match options.family {
        Some(family) if subject.task.is_supervised() => family,
        // Distances need numbers, whatever the kind: the baseline of such a task too.
        _ => zoo::kind(zoo::default_kind(subject.task))?.family,
    };
    let recipe = Recipe::from_spec(&options.transform, family)?;
    let seed = Seed(ctx.seed).derive("split");
    let split = split(&subject.table, Some(&subject.target), &subject.target_rows, &options.split, seed)?;
    let counts = split.counts();
    let split_record = SplitRecord {
        dataset: subject.dataset.id,
        spec: options.split.clone(),
        seed: ctx.seed,
        rows: counts,
        parts: repo.store().put(split.parts())?.id,
    };
    let split_id = repo.put_record(&split_record)?;
    let train = split.training(&subject.frame, &subject.target, &subject.target_rows)?;
    let fitted = recipe.fit(&train)?;
    for note in fitted.notes() {
        ctx.talk.info(note);
    }
    let record = RecipeRecord {
        dataset: subject.dataset.id,
        split: split_id,
        fitted: fitted.to_json(),
        features: fitted.features().to_vec(),
        table: None,
    };
    let recipe_id = repo.put_record(&record)?;
    Ok(Prepared { subject, split, split_id, recipe: fitted, recipe_id })
}

/// Opens what an earlier `transform` kept, so that `train` fits on exactly that.
pub fn reopen(repo: &Repo, options: &PrepareOptions, recipe_id: ObjectId, ctx: &OpCtx<'_>) -> Result<Prepared> {
    let record: RecipeRecord = repo.record(&recipe_id)?;
    let options = PrepareOptions { dataset: Some(record.dataset.hex()), ..options.clone() };
    let subject = subject(repo, &options, ctx)?;
    let split_record: SplitRecord = repo.record(&record.split)?;
    let split = read_split(repo, &split_record)?;
    let recipe = FittedRecipe::from_json(&record.fitted)?;
    Ok(Prepared { subject, split, split_id: record.split, recipe, recipe_id })
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
    }
}

/// A column that only says how rows are divided would give the division away, not the target.
fn is_feature(name: &str, target: &str, roles: &Roles, split: &SplitSpec) -> bool {
    let divides = matches!(split.method, SplitMethod::Group | SplitMethod::Column);
    let divider = divides && split.column.as_deref() == Some(name);
    name != target && !divider && !roles.key.iter().chain(&roles.ignore).any(|other| other == name)
}
