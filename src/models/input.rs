//! What every kind checks before it fits, so that bad input is refused in one place and in one voice.

use anyhow::Result;

use crate::base::fail;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::data::target::Target;
use crate::models::predictor::FitInput;

/// Largest absolute value of a numeric target: its square, summed over all rows, must stay finite.
const TARGET_MAX: f64 = 1e100;

/// The classes to learn: codes, number of classes and how many training rows each has.
pub struct Classes<'a> {
    /// One code a row.
    pub codes: &'a [u32],
    /// Number of rows of each class; some may have none.
    pub counts: Vec<u64>,
}

/// The error of a kind that learns from a target and has none.
pub fn no_target(kind: &str) -> anyhow::Error {
    fail::usage(format!("`{kind}` learns from a target, and this task has none"))
        .hint("train `kmeans` for clustering, `isolation_forest` for anomalies")
        .into()
}

/// The target as classes.
///
/// Errors: a numeric target, a code without a name, no rows.
pub fn classes<'a>(kind: &str, target: &'a Target) -> Result<Classes<'a>> {
    if let Target::Labels { .. } = target {
        return Err(no_target(kind));
    }
    let Target::Classes { names, codes } = target else {
        return Err(fail::usage(format!("`{kind}` predicts classes, but the target is a number")).into());
    };
    let mut counts = vec![0; names.len()];
    for &code in codes {
        match counts.get_mut(code as usize) {
            Some(count) => *count += 1,
            None => return Err(fail::world(format!("the target has class {code} of {} classes", names.len())).into()),
        }
    }
    Ok(Classes { codes, counts })
}

/// The target as numbers.
///
/// Errors: a target of classes, a value that is not finite or beyond [`TARGET_MAX`].
pub fn numbers<'a>(kind: &str, target: &'a Target) -> Result<&'a [f64]> {
    if let Target::Labels { .. } = target {
        return Err(no_target(kind));
    }
    let Target::Numbers(values) = target else {
        return Err(fail::usage(format!("`{kind}` predicts numbers, but the target is a class")).into());
    };
    match values.iter().position(|value| value.is_nan() || value.abs() > TARGET_MAX) {
        Some(row) => Err(fail::usage(format!("the target of training row {row} is {}", values[row]))
            .hint(format!("remove the rows whose target is missing or beyond {TARGET_MAX:e}"))
            .into()),
        None => Ok(values),
    }
}

/// Kinds that can go on training from a model.
const CAN_GO_ON: [&str; 1] = ["boost"];

/// Checks that there is something to learn from: at least two rows, one feature, and for classes at least two that
/// have rows; and that no model is given to a kind that cannot go on from one.
pub fn learnable(kind: &str, input: &FitInput<'_>) -> Result<()> {
    let rows = input.target.len();
    if input.from.is_some() && !CAN_GO_ON.contains(&kind) {
        return Err(fail::usage(format!("`{kind}` cannot go on from a model"))
            .hint(format!("these can: {}; or train without one", CAN_GO_ON.join(", ")))
            .into());
    }
    if input.matrix.rows() != rows {
        let what = format!("the features have {} rows and the target {rows}", input.matrix.rows());
        return Err(fail::world(what).into());
    }
    if rows < 2 {
        return Err(fail::usage(format!("`{kind}` needs at least 2 training rows; there are {rows}"))
            .hint("give more data, or make the test and validation parts smaller")
            .into());
    }
    if input.matrix.features().is_empty() {
        return Err(fail::usage(format!("`{kind}` needs at least one feature; the recipe gives none"))
            .hint("keep more columns in the recipe, or train `baseline`")
            .into());
    }
    if let Target::Classes { names, .. } = input.target {
        let counts = classes(kind, input.target)?.counts;
        let mut present = (0..counts.len()).filter(|&class| counts[class] > 0);
        if let (Some(only), None) = (present.next(), present.next()) {
            return Err(fail::usage(format!("all {rows} training rows are of class `{}`", names[only]))
                .hint("check the target column and the split; `baseline` accepts one class")
                .into());
        }
    }
    Ok(())
}

/// Checks that there are rows and features to find groups or odd rows in.
pub fn groupable(kind: &str, input: &FitInput<'_>) -> Result<()> {
    let rows = input.matrix.rows();
    if rows < 2 {
        return Err(fail::usage(format!("`{kind}` needs at least 2 training rows; there are {rows}"))
            .hint("give more data, or make the test and validation parts smaller")
            .into());
    }
    if input.matrix.features().is_empty() {
        return Err(fail::usage(format!("`{kind}` needs at least one feature; the recipe gives none"))
            .hint("keep more columns in the recipe")
            .into());
    }
    Ok(())
}

/// Refuses weights where a kind has no meaning for them.
pub fn no_weights(kind: &str, input: &FitInput<'_>) -> Result<()> {
    match input.weights {
        None => Ok(()),
        Some(_) => Err(fail::usage(format!("`{kind}` cannot weigh rows"))
            .hint("leave the weights out, or train a kind that heeds them, as `boost`, `logistic` or `svm`")
            .into()),
    }
}

/// Checks that every value is a finite number, as distances and sums of products need.
///
/// Errors: a category (names the step that makes numbers of it), a missing or infinite value (names feature and row).
pub fn all_finite(kind: &str, matrix: &Matrix) -> Result<()> {
    for feature in matrix.features() {
        match &feature.values {
            FeatureValues::Number(values) => {
                if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                    return Err(not_finite(kind, &feature.name, row, values[row]));
                }
            }
            FeatureValues::Indicator { .. } => {}
            FeatureValues::Category { .. } => {
                return Err(fail::usage(format!("`{kind}` cannot use feature `{}`: it is a category", feature.name))
                    .hint("add a one_hot step for it, or train a tree model (`boost`, `forest`, `tree`)")
                    .into());
            }
        }
    }
    Ok(())
}

fn not_finite(kind: &str, name: &str, row: usize, value: f64) -> anyhow::Error {
    if value.is_nan() {
        return fail::usage(format!("`{kind}` needs a value of feature `{name}`, which is missing in row {row}"))
            .hint("add an impute step for it, or train a tree model (`boost`, `forest`, `tree`)")
            .into();
    }
    fail::usage(format!("`{kind}` needs finite numbers; feature `{name}` is {value} in row {row}"))
        .hint("correct the data, or train a tree model (`boost`, `forest`, `tree`)")
        .into()
}

/// Checks that a matrix to predict has the number of features that the model was fitted on.
pub fn same_width(matrix: &Matrix, features: usize) -> Result<()> {
    match matrix.features().len() {
        width if width == features => Ok(()),
        width => Err(fail::world(format!("the model was fitted on {features} features and is given {width}")).into()),
    }
}
