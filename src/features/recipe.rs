//! Recipes: what people wrote or `auto` chose, checked, fitted on training rows, applied to any rows, kept as JSON.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::seed::Seed;
use crate::base::{fail, suggest};
use crate::data::frame::{Column, Frame, Values};
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::split::TrainSplit;
use crate::data::target::Target;
use crate::features::branches::{self, Branch};
use crate::features::column::{Kind, Shape, Working, missing, nothing};
use crate::features::fitted::{FittedStep, check_names, damaged};
use crate::features::fitting::{self, Fitting};
use crate::features::many::{FittedMany, ManyAction};
use crate::features::step::{FittedColumn, Step};
use crate::features::{auto, written};
use crate::record::recipe::FeatureRecord;
use crate::spec::recipe::TransformSpec;

/// Rows up to which threads cost more than they save.
const SEQUENTIAL_ROWS_MAX: usize = 2_048;

/// What a family of models wants to eat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Dense scaled numbers without gaps: linear models, nearest neighbours, naive Bayes, support vectors.
    Linear,
    /// Anything, gaps included: trees and forests.
    Trees,
}

/// A checked recipe.
#[derive(Clone, Debug)]
pub struct Recipe {
    steps: Vec<RecipeStep>,
    /// Whether a person wrote the steps, so that messages may number them.
    written: bool,
}

impl Recipe {
    /// Checks what was written; `auto` is the recipe of `family`.
    ///
    /// Errors (usage): an unknown recipe, a recipe and steps at once, options that contradict each other.
    pub fn from_spec(spec: &TransformSpec, family: Family) -> Result<Recipe> {
        if let Some(name) = spec.recipe.as_deref().filter(|name| *name != "auto") {
            return Err(suggest::unknown("recipe", name, ["auto"]).into());
        }
        match &spec.steps {
            Some(_) if spec.recipe.is_some() => Err(fail::usage("[transform] has both `recipe` and `steps`")
                .hint("keep one of them: recipe = \"auto\", or your own steps")
                .into()),
            None => {
                Ok(Recipe { steps: auto::steps(family).into_iter().map(RecipeStep::Columns).collect(), written: false })
            }
            Some(specs) => {
                let mut steps = Vec::with_capacity(specs.len());
                for (position, step) in specs.iter().enumerate() {
                    steps.push(written::check(step).with_context(|| format!("[transform] step {}", position + 1))?);
                }
                Ok(Recipe { steps, written: true })
            }
        }
    }

    /// Fits every step on the training rows, each on what the steps before it made. `seed` is for steps that draw.
    ///
    /// Cost: a few passes over each column; medians and quantiles copy theirs, modes and quantiles sort it. Columns in
    /// parallel. Errors: no rows, a named column that is not there, a step that cannot work on its column, no feature or
    /// a column of text or time left at the end.
    pub fn fit(&self, train: &TrainSplit, seed: Seed) -> Result<FittedRecipe> {
        self.fit_rows(train.frame(), Fitting { target: learnable(train), seed })
    }

    /// Fits without a target, for tests of this folder.
    #[cfg(test)]
    pub(in crate::features) fn fit_frame(&self, frame: &Frame) -> Result<FittedRecipe> {
        self.fit_rows(frame, Fitting { target: None, seed: Seed(7) })
    }

    /// The work of [`Recipe::fit`]; apart so that only this folder can fit on a bare frame.
    pub(in crate::features) fn fit_rows(&self, frame: &Frame, fitting: Fitting) -> Result<FittedRecipe> {
        if frame.rows() == 0 {
            return Err(fail::usage("there are no training rows to fit a recipe on").into());
        }
        let mut notes = infinite_notes(frame);
        let (fitted, columns) = fitting::fit(&self.steps, self.written, frame, inputs_of(frame)?, fitting)?;
        check_result(&columns)?;
        notes.extend(fitted.notes);
        FittedRecipe::build(fitted.inputs, fitted.steps, notes)
    }
}

/// One step of a checked recipe.
#[derive(Clone, Debug)]
pub(in crate::features) enum RecipeStep {
    /// On each column by itself.
    Columns(Step),
    /// On several columns at once.
    Many(ManyAction),
}

impl RecipeStep {
    /// As written in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            RecipeStep::Columns(step) => step.action.name(),
            RecipeStep::Many(step) => step.name(),
        }
    }

    /// Learns from the columns it chooses; the forms are to be applied one after the other.
    pub fn fit(&self, columns: &[Working], fitting: &Fitting) -> Result<(Vec<StepForm>, Vec<String>)> {
        match self {
            RecipeStep::Columns(step) => {
                let (learned, notes) = step.fit(columns, fitting)?;
                Ok((vec![StepForm::Columns(learned)], notes))
            }
            RecipeStep::Many(step) => step.fit(columns, fitting),
        }
    }
}

/// The target that steps may learn from: labels that only judge are none.
fn learnable(train: &TrainSplit) -> Option<&Target> {
    Some(train.target()).filter(|target| !matches!(target, Target::Labels { .. }))
}

/// One raw column that a recipe needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeInput {
    /// Name in the data.
    pub name: String,
    /// Number (booleans too), text or time.
    pub kind: Kind,
}

/// A fitted recipe. Immutable; equal rows give equal bits, alone or among others.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "serde_json::Value")]
pub struct FittedRecipe {
    inputs: Vec<RecipeInput>,
    stages: Vec<Stage>,
    features: Vec<FeatureRecord>,
    /// Positions of all the inputs that each feature depends on.
    origins: Vec<Arc<[u32]>>,
    notes: Vec<String>,
    /// Recipes side by side that make the features; when there are some, there are no stages.
    branches: Vec<Branch>,
}

/// Steps that columns go through by themselves, after a step that saw several of them.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::features) struct Stage {
    /// With the positions of the columns that it reads; none for the first stage.
    pub before: Option<(FittedMany, Vec<usize>)>,
    /// Steps on columns by themselves.
    pub steps: Vec<FittedStep>,
}

/// One step as written: a list for columns by themselves, an object for a step over several.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StepForm {
    /// What was learned about each column.
    Columns(Vec<FittedColumn>),
    /// What was learned about several.
    Many(FittedMany),
}

impl FittedRecipe {
    /// Makes features from raw rows. Columns that the recipe does not need are ignored, whatever they hold.
    ///
    /// Cost: one copy of each column into the matrix, changed in place there; columns in parallel. A needed column without
    /// any value may be of any kind. Errors (usage): needed columns that are missing, all named; one of another kind.
    pub fn apply(&self, frame: &Frame) -> Result<Matrix> {
        self.run(frame, None)
    }

    /// Makes features from the rows that the recipe was fitted on, in the same order.
    ///
    /// Equal to [`FittedRecipe::apply`], except that target encoding gives each row what was learned without it; see
    /// `features::target`. Errors: as `apply`.
    pub fn apply_training(&self, train: &TrainSplit) -> Result<Matrix> {
        self.run(train.frame(), learnable(train))
    }

    /// The work of both; `target` is given for the rows that the recipe was fitted on.
    pub(in crate::features) fn run(&self, frame: &Frame, target: Option<&Target>) -> Result<Matrix> {
        let known: HashMap<&str, &Column> = frame.columns().iter().map(|column| (&*column.name, column)).collect();
        let absent: Vec<&str> =
            self.inputs.iter().map(|input| input.name.as_str()).filter(|name| !known.contains_key(name)).collect();
        if !absent.is_empty() {
            return Err(columns_missing(&absent, frame));
        }
        if !self.branches.is_empty() {
            return branches::run(&self.branches, &self.features, frame, target);
        }
        let sequential = frame.rows() <= SEQUENTIAL_ROWS_MAX;
        let [first, later @ ..] = &self.stages[..] else {
            return Err(damaged("it has no steps".to_owned()));
        };
        let begin = |input: &RecipeInput| Ok(first.pass(enter(input, known[input.name.as_str()])?, target));
        let parts: Vec<Result<Vec<Working>>> = match sequential {
            true => self.inputs.iter().map(begin).collect(),
            false => self.inputs.par_iter().map(begin).collect(),
        };
        let mut columns = Vec::with_capacity(self.features.len());
        for part in parts {
            columns.extend(part?);
        }
        for stage in later {
            if let Some((step, positions)) = &stage.before {
                columns = step.apply(columns, positions, 0)?;
            }
            columns = match sequential {
                true => columns.into_iter().flat_map(|column| stage.pass(column, target)).collect(),
                false => columns.into_par_iter().flat_map_iter(|column| stage.pass(column, target)).collect(),
            };
        }
        Matrix::new(frame.rows(), columns.into_iter().filter_map(feature).collect())
    }

    /// Whether [`FittedRecipe::apply_training`] can differ from [`FittedRecipe::apply`].
    pub fn tells_training_rows_apart(&self) -> bool {
        if self.branches.iter().any(|branch| branch.recipe.tells_training_rows_apart()) {
            return true;
        }
        let mut columns = self.stages.iter().flat_map(|stage| &stage.steps).flat_map(FittedStep::columns);
        columns.any(|fitted| fitted.step().tells_training_rows_apart())
    }

    /// All raw columns that feature number `feature` depends on, in the order of the training data.
    pub fn origins(&self, feature: usize) -> impl Iterator<Item = &str> {
        let positions = self.origins.get(feature).map_or(&[][..], |origins| origins);
        positions.iter().map(|&position| self.inputs[position as usize].name.as_str())
    }

    /// Features that come out, in order.
    pub fn features(&self) -> &[FeatureRecord] {
        &self.features
    }

    /// Raw columns it needs, in the order of the training data.
    pub fn inputs(&self) -> &[RecipeInput] {
        &self.inputs
    }

    /// What was guessed, grouped or left out while fitting, in sentences.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The recipes side by side that it consists of; none for a recipe of steps alone.
    pub fn branches(&self) -> &[Branch] {
        &self.branches
    }

    /// Its steps in order: what each stage begins with, and the steps on columns by themselves.
    pub(in crate::features) fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Recipes of the same raw columns side by side: the features of one after those of the other, each called
    /// `BRANCH.FEATURE`. `order` are names of raw columns in the order of the training data.
    ///
    /// Errors: no branch, names that are taken twice or cannot be told from the features', branches of branches.
    pub fn beside(branches: Vec<Branch>, order: &[&str]) -> Result<FittedRecipe> {
        let inputs = branches::inputs(&branches, order);
        let notes = branches::notes(&branches);
        FittedRecipe::build_branches(inputs, branches, notes)
    }

    /// Puts branches together that read no other columns than `inputs`; see [`FittedRecipe::beside`].
    pub(in crate::features) fn build_branches(
        inputs: Vec<RecipeInput>,
        branches: Vec<Branch>,
        notes: Vec<String>,
    ) -> Result<FittedRecipe> {
        let (features, origins) = branches::features(&inputs, &branches)?;
        Ok(FittedRecipe { inputs, stages: Vec::new(), features, origins, notes, branches })
    }

    /// Follows the shapes of all columns through all steps; what this accepts, [`FittedRecipe::apply`] can do.
    pub(in crate::features) fn build(
        inputs: Vec<RecipeInput>,
        steps: Vec<StepForm>,
        notes: Vec<String>,
    ) -> Result<FittedRecipe> {
        let mut shapes = Vec::with_capacity(inputs.len());
        for (position, input) in inputs.iter().enumerate() {
            if !matches!(input.kind, Kind::Number | Kind::Text | Kind::Time) {
                return Err(damaged(format!("raw column `{}` is of kind {}", input.name, input.kind.name())));
            }
            let name: Arc<str> = input.name.as_str().into();
            shapes.push(Shape { from: Arc::clone(&name), name, kind: input.kind, origins: [position as u32].into() });
        }
        check_names(&shapes)?;
        let mut stage = Stage { before: None, steps: Vec::new() };
        let mut stages = Vec::new();
        for form in steps {
            match form {
                StepForm::Columns(columns) => {
                    let step = FittedStep::new(columns)?;
                    shapes = step.shapes(&shapes)?;
                    stage.steps.push(step);
                }
                StepForm::Many(step) => {
                    let positions = step.positions(shapes.iter().map(|shape| &shape.name))?;
                    shapes = step.shapes(shapes, &positions)?;
                    stages.push(stage);
                    stage = Stage { before: Some((step, positions)), steps: Vec::new() };
                }
            }
            check_names(&shapes)?;
        }
        stages.push(stage);
        let mut features = Vec::with_capacity(shapes.len());
        for shape in &shapes {
            if matches!(shape.kind, Kind::Text | Kind::Time) {
                return Err(damaged(format!("column `{}` is {} at the end", shape.name, shape.kind.name())));
            }
            features.push(FeatureRecord {
                name: shape.name.to_string(),
                feature_type: shape.kind.name().to_owned(),
                from: shape.from.to_string(),
            });
        }
        let origins = shapes.into_iter().map(|shape| shape.origins).collect();
        Ok(FittedRecipe { inputs, stages, features, origins, notes, branches: Vec::new() })
    }
}

impl Stage {
    /// All that is made from one column until the next step that sees several.
    fn pass<'a>(&self, column: Working<'a>, target: Option<&Target>) -> Vec<Working<'a>> {
        self.steps.iter().fold(vec![column], |columns, step| step.apply(columns, target))
    }
}

/// A raw column of the kind that the recipe needs.
fn enter<'a>(input: &RecipeInput, column: &'a Column) -> Result<Working<'a>> {
    let kind = Kind::of(&column.values);
    if kind == input.kind {
        Ok(Working::enter(column))
    } else if missing(&column.values) == column.values.len() {
        // A column of nothing but missing values has whatever kind its reader gave it.
        Ok(Working::enter(column).with(nothing(input.kind, column.values.len())))
    } else {
        let (name, wanted) = (&column.name, input.kind.name());
        Err(fail::usage(format!("column `{name}` is {}, but the recipe needs {wanted}", kind.name()))
            .hint("give it the type it had in the training data")
            .into())
    }
}

fn columns_missing(absent: &[&str], frame: &Frame) -> anyhow::Error {
    let names: Vec<String> = absent.iter().map(|name| format!("`{name}`")).collect();
    let noun = if absent.len() == 1 { "column" } else { "columns" };
    let near = suggest::nearest(absent[0], frame.columns().iter().map(|column| &*column.name));
    let hint = match near {
        Some(near) => format!("the data has a column `{near}`: is that the one?"),
        None => "the model was trained with it; send it, with null where it is unknown".to_owned(),
    };
    fail::usage(format!("{noun} {} missing from the data", names.join(", "))).hint(hint).into()
}

fn feature(column: Working) -> Option<Feature> {
    let values = match column.values.into_owned() {
        Values::Number(values) => FeatureValues::Number(values),
        Values::Indicator { codes, code } => FeatureValues::Indicator { codes, code },
        Values::Category { codes, levels } => FeatureValues::Category { codes, levels },
        // `build` has made sure that no text and no time comes out.
        Values::Text(_) | Values::Time(_) => return None,
    };
    Some(Feature { name: column.name, from: column.from, values })
}

/// Raw columns of a frame.
fn inputs_of(frame: &Frame) -> Result<Vec<RecipeInput>> {
    let input = |column: &Column| match Kind::of(&column.values) {
        kind @ (Kind::Number | Kind::Text | Kind::Time) => Ok(RecipeInput { name: column.name.to_string(), kind }),
        kind => Err(fail::world(format!("column `{}` is {}, not raw", column.name, kind.name())).into()),
    };
    frame.columns().iter().map(input).collect()
}

fn infinite_notes(frame: &Frame) -> Vec<String> {
    let note = |column: &Column| match &column.values {
        Values::Number(values) if values.iter().any(|value| value.is_infinite()) => {
            Some(format!("column `{}` has infinite values: they count as missing", column.name))
        }
        _ => None,
    };
    let found: Vec<Option<String>> = frame.columns().par_iter().map(note).collect();
    found.into_iter().flatten().collect()
}

/// What comes out must be something a model can eat.
fn check_result(columns: &[Working]) -> Result<()> {
    for column in columns {
        let step = match Kind::of(&column.values) {
            Kind::Text => "one_hot or ordinal",
            Kind::Time => "dates",
            _ => continue,
        };
        let (name, kind) = (&column.name, Kind::of(&column.values).name());
        return Err(fail::usage(format!("column `{name}` is still {kind} at the end of the recipe"))
            .hint(format!("add a step for it ({step}), or drop it"))
            .into());
    }
    if columns.is_empty() {
        return Err(fail::usage("the recipe leaves no feature to learn from")
            .hint("every column is the target, ignored, a key, or of no use; see [data] ignore and [transform]")
            .into());
    }
    Ok(())
}
