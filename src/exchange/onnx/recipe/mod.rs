//! Recipes as part of the graph: raw columns in, features out, step by step as they are applied.

pub mod cells;
mod columns;
mod dates;
mod normal;
mod numbers;
mod several;
pub mod tables;

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;

use crate::base::fail;
use crate::exchange::onnx::graph::{Graph, Place, Tensor};
use crate::exchange::onnx::recipe::cells::{Cell, Named};
use crate::features::column::Kind;
use crate::features::kept::WrittenStep;
use crate::features::recipe::{FittedRecipe, RecipeInput};
use crate::features::step::FittedColumn;

/// A feature as the model reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct Feature {
    /// Its numbers; codes of categories are whole numbers, -1 where missing or unseen.
    pub place: Place,
    /// Number of codes of a category; `None`: a number or an indicator.
    pub levels: Option<u32>,
}

/// Writes all steps; `inputs` are the tensors of the raw columns in the order of [`FittedRecipe::inputs`].
///
/// Errors (usage): a step that ONNX has no operators for, named with its column.
pub fn write(graph: &mut Graph, recipe: &FittedRecipe, inputs: &[Tensor]) -> Result<Vec<Feature>> {
    if !recipe.branches().is_empty() {
        return side_by_side(graph, recipe, inputs);
    }
    let enter = |(input, tensor): (&RecipeInput, &Tensor)| {
        let cell = match input.kind {
            Kind::Text => Cell::Text(tensor.clone()),
            Kind::Time => Cell::Time(tensor.clone()),
            // Infinite numbers count as missing everywhere.
            _ => Cell::number(graph.finite_or_missing(tensor)),
        };
        Named { name: input.name.as_str().into(), cell }
    };
    let mut named: Vec<Named> = recipe.inputs().iter().zip(inputs).map(enter).collect();
    for step in recipe.forms() {
        match step {
            WrittenStep::Columns(fitted) => named = by_column(graph, fitted, named)?,
            WrittenStep::Many(fitted) => several::write(graph, fitted, &mut named)?,
        }
    }
    named.into_iter().map(|column| feature(graph, column)).collect()
}

/// Features of all branches, one after the other.
fn side_by_side(graph: &mut Graph, recipe: &FittedRecipe, inputs: &[Tensor]) -> Result<Vec<Feature>> {
    let by_name: HashMap<&str, &Tensor> = recipe.inputs().iter().map(|input| input.name.as_str()).zip(inputs).collect();
    let mut all = Vec::with_capacity(recipe.features().len());
    for branch in recipe.branches() {
        let own = branch.recipe.inputs().iter().map(|input| by_name[input.name.as_str()].clone()).collect::<Vec<_>>();
        all.extend(write(graph, &branch.recipe, &own)?);
    }
    Ok(all)
}

fn by_column(graph: &mut Graph, fitted: &[FittedColumn], named: Vec<Named>) -> Result<Vec<Named>> {
    let by_name: HashMap<&str, &FittedColumn> =
        fitted.iter().map(|fitted| (&**fitted.step().column(), fitted)).collect();
    let mut after = Vec::with_capacity(named.len());
    for column in named {
        match by_name.get(&*column.name) {
            Some(fitted) => after.extend(columns::write(graph, fitted, column)?),
            None => after.push(column),
        }
    }
    Ok(after)
}

fn feature(graph: &mut Graph, column: Named) -> Result<Feature> {
    match column.cell {
        Cell::Number(place) | Cell::Indicator(place) => Ok(Feature { place, levels: None }),
        Cell::Category(codes, levels) => {
            Ok(Feature { place: Place::only(graph.as_numbers(&codes)), levels: Some(levels) })
        }
        Cell::Text(_) | Cell::Written(_) | Cell::Crossed(_) | Cell::Time(_) => {
            Err(fail::world(format!("damaged recipe: column `{}` is no number at the end", column.name)).into())
        }
    }
}

/// A step that cannot be written, and why.
fn refused(step: &str, column: &str, why: &str) -> anyhow::Error {
    fail::usage(format!("step `{step}` of column `{column}` cannot be written as ONNX: {why}"))
        .hint("train with another recipe, or do this step before the data comes to the model")
        .into()
}

/// A step that meets values of a kind that it was not fitted on, or texts that are known by what they are made of only.
fn unfit(step: &str, column: &Named) -> anyhow::Error {
    match column.cell {
        Cell::Written(_) => refused(step, &column.name, "texts made of numbers can only be looked up there"),
        Cell::Crossed(_) => refused(step, &column.name, "texts made of two columns can only be looked up there"),
        _ => fail::world(format!("damaged recipe: step `{step}` cannot work on column `{}`", column.name)).into(),
    }
}

/// The names of several columns, for messages.
fn listed(names: &[Arc<str>]) -> String {
    names.iter().map(|name| &**name).collect::<Vec<_>>().join("`, `")
}
