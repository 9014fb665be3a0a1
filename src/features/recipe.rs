//! Recipes: what people wrote or `auto` chose, checked, fitted on training rows, applied to any rows, kept as JSON.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize, Serializer};

use crate::base::{fail, limits, suggest};
use crate::data::frame::{Column, Frame, Values};
use crate::data::matrix::{Feature, FeatureValues, Matrix};
use crate::data::split::TrainSplit;
use crate::features::column::{Kind, Shape, Working, missing, nothing};
use crate::features::fitted::{FittedStep, apply_step, check_names, damaged};
use crate::features::step::{FittedColumn, Step};
use crate::features::{auto, written};
use crate::record::recipe::FeatureRecord;
use crate::spec::recipe::TransformSpec;

/// Version written; it and every older one can be read.
const VERSION: u64 = 1;
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
    steps: Vec<Step>,
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
            None => Ok(Recipe { steps: auto::steps(family), written: false }),
            Some(specs) => {
                let mut steps = Vec::with_capacity(specs.len());
                for (position, step) in specs.iter().enumerate() {
                    steps.push(written::check(step).with_context(|| format!("[transform] step {}", position + 1))?);
                }
                Ok(Recipe { steps, written: true })
            }
        }
    }

    /// Fits every step on the training rows, each on what the steps before it made.
    ///
    /// Cost: a few passes over each column; medians and quantiles copy theirs, modes and quantiles sort it. Columns in
    /// parallel. Errors: no rows, a named column that is not there, a step that cannot work on its column, no feature or
    /// a column of text or time left at the end.
    pub fn fit(&self, train: &TrainSplit) -> Result<FittedRecipe> {
        self.fit_frame(train.frame())
    }

    /// The work of [`Recipe::fit`]; apart so that only this folder can fit on a bare frame.
    pub(in crate::features) fn fit_frame(&self, frame: &Frame) -> Result<FittedRecipe> {
        if frame.rows() == 0 {
            return Err(fail::usage("there are no training rows to fit a recipe on").into());
        }
        let inputs = inputs_of(frame)?;
        let mut notes = infinite_notes(frame);
        let mut columns: Vec<Working> = frame.columns().par_iter().map(Working::enter).collect();
        let mut steps = Vec::with_capacity(self.steps.len());
        for (position, step) in self.steps.iter().enumerate() {
            let place = || match self.written {
                true => format!("[transform] step {} ({})", position + 1, step.action.name()),
                false => format!("recipe auto, {}", step.action.name()),
            };
            let (learned, said) = step.fit(&columns).with_context(place)?;
            notes.extend(said);
            if learned.is_empty() && self.written {
                notes.push(format!("{}: no column to work on", place()));
            }
            let origins: HashMap<&str, &Arc<str>> =
                columns.iter().map(|column| (&*column.name, &column.from)).collect();
            let origin = |fitted: &FittedColumn| Arc::clone(origins[&**fitted.step().column()]);
            let learned_from: Vec<Arc<str>> = learned.iter().map(origin).collect();
            columns = apply_step(&learned, columns);
            if columns.len() > limits::COLUMNS_MAX {
                let (made, most) = (columns.len(), limits::COLUMNS_MAX);
                return Err(fail::usage(format!("{}: {made} columns are more than {most}", place())).into());
            }
            steps.push(learned_from.into_iter().zip(learned).collect::<Vec<_>>());
        }
        check_result(&columns)?;
        // Raw columns that lead to no feature are forgotten, so that nobody has to send them.
        let needed: HashSet<Arc<str>> = columns.into_iter().map(|column| column.from).collect();
        let inputs = inputs.into_iter().filter(|input| needed.contains(&*input.name)).collect();
        let needed_of = |step: Vec<(Arc<str>, FittedColumn)>| -> Vec<FittedColumn> {
            step.into_iter().filter(|(from, _)| needed.contains(from)).map(|(_, fitted)| fitted).collect()
        };
        let steps = steps.into_iter().map(needed_of).filter(|step| !step.is_empty()).collect();
        FittedRecipe::build(inputs, steps, notes)
    }
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
    steps: Vec<FittedStep>,
    features: Vec<FeatureRecord>,
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    inputs: &'a [RecipeInput],
    steps: Vec<&'a [FittedColumn]>,
    notes: &'a [String],
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u64,
    inputs: Vec<RecipeInput>,
    steps: Vec<Vec<FittedColumn>>,
    notes: Vec<String>,
}

impl FittedRecipe {
    /// Makes features from raw rows. Columns that the recipe does not need are ignored, whatever they hold.
    ///
    /// Cost: one copy of each column into the matrix, changed in place there; columns in parallel. A needed column without
    /// any value may be of any kind. Errors (usage): needed columns that are missing, all named; one of another kind.
    pub fn apply(&self, frame: &Frame) -> Result<Matrix> {
        let known: HashMap<&str, &Column> = frame.columns().iter().map(|column| (&*column.name, column)).collect();
        let absent: Vec<&str> =
            self.inputs.iter().map(|input| input.name.as_str()).filter(|name| !known.contains_key(name)).collect();
        if !absent.is_empty() {
            return Err(columns_missing(&absent, frame));
        }
        let run = |input: &RecipeInput| self.run(input, known[input.name.as_str()]);
        let parts: Vec<Result<Vec<Feature>>> = match frame.rows() <= SEQUENTIAL_ROWS_MAX {
            true => self.inputs.iter().map(run).collect(),
            false => self.inputs.par_iter().map(run).collect(),
        };
        let mut features = Vec::with_capacity(self.features.len());
        for part in parts {
            features.extend(part?);
        }
        Matrix::new(frame.rows(), features)
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

    /// As JSON: `{"version", "inputs", "steps", "notes"}`; every float reads back with the same bits.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("maps of a recipe have text keys and its numbers are finite")
    }

    /// Reads a recipe back.
    ///
    /// Errors: another version (the message names the one needed), anything that does not fit together: unknown columns,
    /// kinds, codes out of range, numbers that are not finite. Whatever passes applies without failing.
    pub fn from_json(value: &serde_json::Value) -> Result<FittedRecipe> {
        let version = value.get("version").and_then(serde_json::Value::as_u64);
        match version {
            None | Some(0) => return Err(fail::world("this is not a fitted recipe: it has no version").into()),
            Some(version) if version > VERSION => {
                return Err(fail::world(format!(
                    "this recipe has version {version}; this mlops reads versions up to {VERSION}"
                ))
                .hint(format!("use an mlops that reads recipes of version {version}"))
                .into());
            }
            Some(_) => {}
        }
        let read = Read::deserialize(value).context("damaged recipe")?;
        FittedRecipe::build(read.inputs, read.steps, read.notes)
    }

    /// Follows the shapes of all columns through all steps; what this accepts, [`FittedRecipe::apply`] can do.
    pub(in crate::features) fn build(
        inputs: Vec<RecipeInput>,
        steps: Vec<Vec<FittedColumn>>,
        notes: Vec<String>,
    ) -> Result<FittedRecipe> {
        let mut shapes = Vec::with_capacity(inputs.len());
        for input in &inputs {
            if !matches!(input.kind, Kind::Number | Kind::Text | Kind::Time) {
                return Err(damaged(format!("raw column `{}` is of kind {}", input.name, input.kind.name())));
            }
            let name: Arc<str> = input.name.as_str().into();
            shapes.push(Shape { from: Arc::clone(&name), name, kind: input.kind });
        }
        check_names(&shapes)?;
        let mut checked = Vec::with_capacity(steps.len());
        for columns in steps {
            let step = FittedStep::new(columns)?;
            shapes = step.shapes(&shapes)?;
            check_names(&shapes)?;
            checked.push(step);
        }
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
        Ok(FittedRecipe { inputs, steps: checked, features, notes })
    }

    /// All that is made from one raw column.
    fn run(&self, input: &RecipeInput, column: &Column) -> Result<Vec<Feature>> {
        let kind = Kind::of(&column.values);
        let entered = if kind == input.kind {
            Working::enter(column)
        } else if missing(&column.values) == column.values.len() {
            // A column of nothing but missing values has whatever kind its reader gave it.
            Working::enter(column).with(nothing(input.kind, column.values.len()))
        } else {
            let (name, wanted) = (&column.name, input.kind.name());
            return Err(fail::usage(format!("column `{name}` is {}, but the recipe needs {wanted}", kind.name()))
                .hint("give it the type it had in the training data")
                .into());
        };
        let columns = self.steps.iter().fold(vec![entered], |columns, step| step.apply(columns));
        Ok(columns.into_iter().filter_map(feature).collect())
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

impl Serialize for FittedRecipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let steps = self.steps.iter().map(FittedStep::columns).collect();
        Written { version: VERSION, inputs: &self.inputs, steps, notes: &self.notes }.serialize(serializer)
    }
}

impl TryFrom<serde_json::Value> for FittedRecipe {
    type Error = anyhow::Error;

    fn try_from(value: serde_json::Value) -> Result<FittedRecipe> {
        FittedRecipe::from_json(&value)
    }
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
