//! The flip test of a model: rows of a group beside their nearest likes among the others, by the features that it sees.

use anyhow::Result;

use crate::base::limits::{EXPLAIN_CELLS_MAX, FLIP_GROUP_ROWS_MAX, FLIP_LEVELS_MAX, FLIP_REST_ROWS_MAX};
use crate::base::seed::Seed;
use crate::base::talk::Talk;
use crate::base::units;
use crate::data::frame::MISSING_CODE;
use crate::data::matrix::{Feature, FeatureValues};
use crate::metrics::facets::{Neighbours, flip_test};
use crate::ops::evaluate::judged::Judged;

/// Two categories that differ are as far apart as numbers by one standard deviation: each of their two indicators takes half of
/// the square.
const INDICATOR: f64 = std::f64::consts::FRAC_1_SQRT_2;

/// The flip test of the rows told apart by `member`; `None` without rows on either side, for answers from a file, and where
/// the model sees nothing but the column of the group. Features of that column are left out; numbers are standardised, and
/// missing ones taken for the mean.
///
/// Looks at a sample of many rows, which is said. Errors: those of the recipe.
pub fn test(
    judged: &Judged<'_>,
    column: &str,
    member: &[Option<bool>],
    predicted: &[bool],
    seed: Seed,
    talk: &dyn Talk,
) -> Result<Option<f64>> {
    let Some(package) = judged.package else {
        return Ok(None);
    };
    let width = package.header.features.len().max(1);
    let room = EXPLAIN_CELLS_MAX / width;
    let side = |of: bool, most: usize, name: &str| -> Vec<u32> {
        let rows = (0..member.len() as u32).filter(|row| member[*row as usize] == Some(of));
        sample(rows.collect(), most, seed.derive(name))
    };
    let group = side(true, FLIP_GROUP_ROWS_MAX.min((room / 5).max(1)), "group");
    let rest = side(false, FLIP_REST_ROWS_MAX.min((room * 4 / 5).max(1)), "rest");
    if group.is_empty() || rest.is_empty() {
        return Ok(None);
    }
    let all = member.iter().flatten().count();
    if group.len() + rest.len() < all {
        let (rows, all) = (units::count((group.len() + rest.len()) as u64), units::count(all as u64));
        talk.info(&format!("the flip test (FT) of `{column}` looks at a sample of {rows} of {all} rows"));
    }
    let rows: Vec<u32> = group.iter().chain(&rest).copied().collect();
    let matrix = package.recipe.apply(&judged.jury.frame.take(&rows))?;
    let features = matrix.features().iter().filter(|feature| *feature.from != *column);
    let axes: Vec<Vec<f64>> = features.flat_map(axes).collect();
    if axes.is_empty() {
        return Ok(None);
    }
    let points: Vec<f64> = (0..rows.len()).flat_map(|row| axes.iter().map(move |axis| axis[row])).collect();
    let favoured: Vec<bool> = rows.iter().map(|row| predicted[*row as usize]).collect();
    let (points_of_group, points_of_rest) = points.split_at(group.len() * axes.len());
    let (of_group, of_rest) = favoured.split_at(group.len());
    let group = Neighbours { points: points_of_group, favoured: of_group };
    Ok(flip_test(group, Neighbours { points: points_of_rest, favoured: of_rest }, axes.len()))
}

/// At most `most` of the rows, in their order.
fn sample(mut rows: Vec<u32>, most: usize, seed: Seed) -> Vec<u32> {
    if rows.len() > most {
        seed.rng().shuffle(&mut rows);
        rows.truncate(most);
        rows.sort_unstable();
    }
    rows
}

/// The axes that one feature is measured along; none where all rows are alike, or a category has too many levels.
fn axes(feature: &Feature) -> Vec<Vec<f64>> {
    match &feature.values {
        FeatureValues::Number(values) => standardised(values).into_iter().collect(),
        FeatureValues::Indicator { codes, code } => {
            vec![codes.iter().map(|found| if found == code { INDICATOR } else { 0.0 }).collect()]
        }
        FeatureValues::Category { codes, levels } if *levels as usize <= FLIP_LEVELS_MAX => {
            let axis = |level: u32| codes.iter().map(|code| if *code == level { INDICATOR } else { 0.0 }).collect();
            (0..*levels).chain([MISSING_CODE]).map(axis).collect()
        }
        FeatureValues::Category { .. } => Vec::new(),
    }
}

fn standardised(values: &[f64]) -> Option<Vec<f64>> {
    let known = || values.iter().filter(|value| value.is_finite());
    let count = known().count() as f64;
    let mean = known().map(|value| value / count).sum::<f64>();
    let deviation = known().map(|value| (value - mean).powi(2) / count).sum::<f64>().sqrt();
    let usable = count > 0.0 && mean.is_finite() && deviation.is_finite() && deviation > 0.0;
    let scaled = |value: &f64| if value.is_finite() { (value - mean) / deviation } else { 0.0 };
    usable.then(|| values.iter().map(scaled).collect())
}
