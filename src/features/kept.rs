//! Fitted recipes as JSON: versions, reading, writing.

use anyhow::{Context, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::fail;
use crate::features::branches::Branch;
use crate::features::many::FittedMany;
use crate::features::recipe::{FittedRecipe, RecipeInput, StepForm};
use crate::features::step::FittedColumn;

/// Newest version that can be read. Version 1 knows no steps over several columns, version 2 no recipes side by side; each
/// is written where it is enough.
const VERSION: u64 = 3;

/// One fitted step.
#[derive(Serialize)]
#[serde(untagged)]
pub(crate) enum WrittenStep<'a> {
    /// On columns by themselves.
    Columns(&'a [FittedColumn]),
    /// On several at once.
    Many(&'a FittedMany),
}

#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    inputs: &'a [RecipeInput],
    steps: Vec<WrittenStep<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct WrittenBranches<'a> {
    version: u64,
    inputs: &'a [RecipeInput],
    branches: Vec<WrittenBranch<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct WrittenBranch<'a> {
    name: &'a str,
    recipe: &'a FittedRecipe,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u64,
    inputs: Vec<RecipeInput>,
    steps: Vec<StepForm>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadBranches {
    #[serde(rename = "version")]
    _version: u64,
    inputs: Vec<RecipeInput>,
    branches: Vec<ReadBranch>,
    notes: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadBranch {
    name: String,
    recipe: serde_json::Value,
}

impl<'de> Deserialize<'de> for StepForm {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<StepForm, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        let read = match value.is_array() {
            true => Vec::deserialize(value).map(StepForm::Columns),
            false => FittedMany::deserialize(value).map(StepForm::Many),
        };
        read.map_err(serde::de::Error::custom)
    }
}

impl FittedRecipe {
    /// As JSON: `{"version", "inputs", "steps", "notes"}`, for recipes side by side `{"version", "inputs", "branches",
    /// "notes"}` with `{"name", "recipe"}` for each; every float reads back with the same bits.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::to_value(self).expect("maps of a recipe have text keys and its numbers are finite")
    }

    /// Reads a recipe back.
    ///
    /// Errors: another version (the message names the one needed), anything that does not fit together: unknown columns,
    /// kinds, codes out of range, numbers that are not finite, branches of branches. Whatever passes applies without
    /// failing.
    pub fn from_json(value: &serde_json::Value) -> Result<FittedRecipe> {
        if version(value)? < VERSION {
            return steps(value);
        }
        let read = ReadBranches::deserialize(value).context("damaged recipe")?;
        let mut branches = Vec::with_capacity(read.branches.len());
        for ReadBranch { name, recipe } in read.branches {
            if version(&recipe)? >= VERSION {
                return Err(fail::world(format!("damaged recipe: branch `{name}` has branches of its own")).into());
            }
            branches.push(Branch { recipe: steps(&recipe)?, name });
        }
        FittedRecipe::build_branches(read.inputs, branches, read.notes)
    }

    /// The steps in order, as written.
    pub(crate) fn forms(&self) -> impl Iterator<Item = WrittenStep<'_>> {
        self.stages().iter().flat_map(|stage| {
            let before = stage.before.iter().map(|(step, _)| WrittenStep::Many(step));
            before.chain(stage.steps.iter().map(|step| WrittenStep::Columns(step.columns())))
        })
    }
}

/// The version, when it is one that can be read.
fn version(value: &serde_json::Value) -> Result<u64> {
    match value.get("version").and_then(serde_json::Value::as_u64) {
        None | Some(0) => Err(fail::world("this is not a fitted recipe: it has no version").into()),
        Some(version) if version > VERSION => {
            let what = format!("this recipe has version {version}; this mlops reads versions up to {VERSION}");
            Err(fail::world(what).hint(format!("use an mlops that reads recipes of version {version}")).into())
        }
        Some(version) => Ok(version),
    }
}

fn steps(value: &serde_json::Value) -> Result<FittedRecipe> {
    let read = Read::deserialize(value).context("damaged recipe")?;
    FittedRecipe::build(read.inputs, read.steps, read.notes)
}

impl Serialize for FittedRecipe {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (inputs, notes) = (self.inputs(), self.notes());
        if !self.branches().is_empty() {
            let branches =
                self.branches().iter().map(|Branch { name, recipe }| WrittenBranch { name, recipe }).collect();
            return WrittenBranches { version: VERSION, inputs, branches, notes }.serialize(serializer);
        }
        let version = if self.stages().len() > 1 { 2 } else { 1 };
        Written { version, inputs, steps: self.forms().collect(), notes }.serialize(serializer)
    }
}

impl TryFrom<serde_json::Value> for FittedRecipe {
    type Error = anyhow::Error;

    fn try_from(value: serde_json::Value) -> Result<FittedRecipe> {
        FittedRecipe::from_json(&value)
    }
}
