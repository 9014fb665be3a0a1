//! What a linear model makes of raw columns: the change of its score by one unit, or by one text instead of another.
//!
//! Scores are asked for, not read off coefficients: whatever the recipe does (scaling, filling, indicators, products),
//! a change that is the same at every value and in every row is the coefficient in raw units, and any other is said to
//! be none.

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::{Frame, Values};
use crate::models::explain::grid::{Grid, grid};
use crate::models::explain::mix::with_values;
use crate::models::linear::fitted::Linear;
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictor;
use crate::record::explanation::LinearEffect;
use crate::spec::schema::ColumnType;

/// Rows in which a change has to be the same.
const PROBE_ROWS: usize = 5;
/// Values at which a slope has to be the same.
const PROBE_POINTS: usize = 5;
/// Difference of scores, as a share of their size, that is put down to rounding.
const ROUNDING: f64 = 1e-9;
/// Microseconds of a day.
const DAY_MICROS: f64 = 86_400e6;

/// The linear model of a package, if it is one.
pub fn of_package(package: &ModelPackage) -> Option<&Linear> {
    package.predictor().as_any().downcast_ref::<Linear>()
}

/// Effects of the column at `place` on each score; texts beyond the `texts` most frequent get none.
///
/// Cost: a prediction of five rows for each value tried. Errors: the package holds no linear model.
pub fn linear_effect(
    package: &ModelPackage,
    frame: &Frame,
    (place, column_type): (usize, ColumnType),
    texts: usize,
) -> Result<LinearEffect> {
    let linear = of_package(package).ok_or_else(|| fail::world("this is no linear model"))?;
    let rows = frame.rows();
    let step = rows.div_ceil(PROBE_ROWS).max(1);
    let probe = frame.take(&(0..rows as u32).step_by(step).collect::<Vec<_>>());
    let values = &frame.columns()[place].values;
    let is_text = matches!(values, Values::Text(_));
    let points = grid(values, column_type, if is_text { texts } else { PROBE_POINTS });
    let scores = |point: usize| -> Result<Vec<f64>> {
        let moved = with_values(&probe, place, points.constant(point, probe.rows()))?;
        let parts = linear.contributions(&package.recipe.apply(&moved)?)?;
        let parts = parts.ok_or_else(|| fail::world("the model does not say what its score is made of"))?;
        let cells = (0..moved.rows()).flat_map(|row| (0..parts.outputs).map(move |output| (row, output)));
        Ok(cells.map(|(row, output)| parts.margin_of(row, output)).collect())
    };
    let scores = (0..points.len()).map(scores).collect::<Result<Vec<_>>>()?;
    Ok(match is_text {
        true => of_texts(&points, &scores, linear.outputs()),
        false => {
            let unit = if matches!(values, Values::Time(_)) { DAY_MICROS } else { 1.0 };
            of_numbers(&points, &scores, linear.outputs(), unit)
        }
    })
}

/// Differences of `scores[point]` from `scores[0]`, output by output, if they are the same in every row.
fn differences(scores: &[Vec<f64>], point: usize, outputs: usize) -> Option<Vec<f64>> {
    let size = scores.iter().flatten().fold(0.0_f64, |most, score| most.max(score.abs()));
    let moved = |row: usize, output: usize| scores[point][row * outputs + output] - scores[0][row * outputs + output];
    let rows = scores[0].len() / outputs.max(1);
    let same = |output: &usize| {
        let first = moved(0, *output);
        (1..rows).all(|row| (moved(row, *output) - first).abs() <= ROUNDING * size.max(first.abs()))
    };
    (rows > 0 && (0..outputs).all(|output| same(&output))).then(|| (0..outputs).map(|out| moved(0, out)).collect())
}

fn left_out(why: &str) -> LinearEffect {
    LinearEffect { per_unit: None, levels: Vec::new(), left_out: Some(why.to_owned()) }
}

const MIXED: &str = "its effect depends on other columns";

fn of_texts(points: &Grid, scores: &[Vec<f64>], outputs: usize) -> LinearEffect {
    let each =
        (0..points.len()).map(|point| Some((points.labels[point].clone(), differences(scores, point, outputs)?)));
    match each.collect::<Option<Vec<_>>>() {
        Some(levels) if levels.is_empty() => left_out("it has no values here"),
        Some(levels) => LinearEffect { per_unit: None, levels, left_out: None },
        None => left_out(MIXED),
    }
}

fn of_numbers(points: &Grid, scores: &[Vec<f64>], outputs: usize, unit: f64) -> LinearEffect {
    let Some(last) = points.len().checked_sub(1).filter(|last| *last > 0) else {
        return left_out("all rows have the same value");
    };
    let each: Option<Vec<Vec<f64>>> = (0..=last).map(|point| differences(scores, point, outputs)).collect();
    let Some(each) = each else {
        return left_out(MIXED);
    };
    let size = scores.iter().flatten().fold(0.0_f64, |most, score| most.max(score.abs()));
    let (first, width) = (points.values[0], points.values[last] - points.values[0]);
    let slopes: Vec<f64> = each[last].iter().map(|change| change / width).collect();
    let straight = points.values.iter().zip(&each).all(|(value, changes)| {
        let expected = slopes.iter().map(|slope| slope * (value - first));
        expected.zip(changes).all(|(expected, change)| (expected - change).abs() <= ROUNDING * size.max(1e-300))
    });
    match straight && slopes.iter().all(|slope| slope.is_finite()) {
        true => LinearEffect {
            per_unit: Some(slopes.into_iter().map(|slope| slope * unit).collect()),
            levels: Vec::new(),
            left_out: None,
        },
        false => left_out("its effect is not the same at every value: a step of the recipe bends it"),
    }
}
