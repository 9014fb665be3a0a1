//! Tests of recipes: each step against scikit-learn, whole recipes, and what must always hold.

mod branches;
mod encode;
mod many;
mod numbers;
mod parity;
mod passthrough;
mod properties;
mod recipes;
mod reference;
mod select;
mod several;
mod steps;
mod target;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::features::fitting::Fitting;
use crate::features::recipe::FittedRecipe;
use crate::features::recipe::{Family, Recipe};
use crate::spec::recipe::TransformSpec;

/// A column of numbers.
fn number(name: &str, values: &[f64]) -> Column {
    Column::raw(name, Values::Number(values.to_vec()))
}

/// A column of text; `?` is missing.
fn text(name: &str, values: &[&str]) -> Column {
    let values = values.iter().map(|value| (*value != "?").then_some(*value));
    Column::raw(name, Values::Text(TextValues::from_values(values)))
}

/// A column of time stamps in microseconds.
fn time(name: &str, values: &[i64]) -> Column {
    Column::raw(name, Values::Time(values.to_vec()))
}

fn frame(columns: Vec<Column>) -> Frame {
    let rows = columns.first().map_or(0, |column| column.values.len());
    Frame::new(rows, columns).expect("columns of a test have equal lengths")
}

/// `[transform]` written as the inside of a JSON object, with single quotes.
fn written(fields: &str) -> Result<TransformSpec> {
    Ok(serde_json::from_str(&format!("{{{fields}}}").replace('\'', "\""))?)
}

/// Fits steps written as JSON with single quotes.
fn fit(steps: &str, frame: &Frame) -> Result<FittedRecipe> {
    Recipe::from_spec(&written(&format!("'steps': [{steps}]"))?, Family::Linear)?.fit_frame(frame)
}

/// Fits steps with a look at a target.
fn fit_target(steps: &str, frame: &Frame, target: &Target) -> Result<FittedRecipe> {
    let recipe = Recipe::from_spec(&written(&format!("'steps': [{steps}]"))?, Family::Linear)?;
    recipe.fit_rows(frame, Fitting { target: Some(target), seed: Seed(7) })
}

/// A target of classes called `0`, `1`…
fn classes(codes: &[u32]) -> Target {
    let count = codes.iter().max().map_or(0, |last| last + 1);
    Target::Classes { names: (0..count.max(2)).map(|class| class.to_string()).collect(), codes: codes.to_vec() }
}

/// Fits the recipe `auto`.
fn fit_auto(family: Family, frame: &Frame) -> Result<FittedRecipe> {
    Recipe::from_spec(&TransformSpec::default(), family)?.fit_frame(frame)
}

/// Values of the feature called `name`.
fn feature(matrix: &Matrix, name: &str) -> Vec<f64> {
    let found = matrix.features().iter().find(|feature| &*feature.name == name);
    let found = found.unwrap_or_else(|| panic!("no feature `{name}`"));
    (0..matrix.rows()).map(|row| found.values.get(row)).collect()
}

fn names(fitted: &FittedRecipe) -> Vec<&str> {
    fitted.features().iter().map(|feature| feature.name.as_str()).collect()
}

/// Fits steps on one column called `x` and gives the only feature that comes out.
fn one(steps: &str, column: Column) -> Result<Vec<f64>> {
    let frame = frame(vec![column]);
    let matrix = fit(steps, &frame)?.apply(&frame)?;
    assert_eq!(matrix.features().len(), 1);
    Ok(feature(&matrix, "x"))
}

/// Compares within `tolerance`, relative to values above 1; NaN equals NaN.
fn assert_close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found_one, wanted) in found.iter().zip(expected) {
        let same = found_one.is_nan() && wanted.is_nan();
        assert!(
            same || (found_one - wanted).abs() <= tolerance * wanted.abs().max(1.0),
            "{found:?} is not {expected:?}"
        );
    }
}
