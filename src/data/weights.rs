//! How much each row counts in a fit.

use anyhow::Result;

use crate::base::fail;
use crate::base::suggest;
use crate::base::units;
use crate::data::frame::Values;
use crate::data::plain;
use crate::data::table::Table;
use crate::data::target::Target;
use crate::spec::schema::ColumnType;
use crate::spec::training::{ClassWeight, ClassWeightRule};

/// Weights of `rows` from a column of numbers.
///
/// Errors (usage): an unknown column or one that does not hold numbers; a weight that is missing, infinite or negative, with
/// its row. Whether any weight is above 0 is for [`check_sum`] to say, on the rows that are fitted.
pub fn read(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<f64>> {
    check_type(table.type_of(column)?, column)?;
    let picked = table.select(&[column])?.take(rows)?;
    let Values::Number(weights) = plain::values(picked.column(column)?)? else {
        return Err(fail::world(format!("weight column `{column}` was not read as numbers")).into());
    };
    match weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        Some(place) => Err(refused(column, rows[place], weights[place])),
        None => Ok(weights),
    }
}

/// Checks that a column of this type can hold weights.
pub fn check_type(column_type: ColumnType, column: &str) -> Result<()> {
    match column_type {
        ColumnType::Integer | ColumnType::Float | ColumnType::Boolean => Ok(()),
        other => Err(fail::usage(format!("weight column `{column}` is {}; weights are numbers", other.name()))
            .hint("name a column of numbers, 0 or above")
            .into()),
    }
}

/// The factor of each class that `weight` asks for, for rows of `target` that weigh `rows` (1 each when `None`).
///
/// A class without rows, or not named, has the factor 1. Errors (usage): a target of numbers, a class that is not there.
pub fn class_factors(weight: &ClassWeight, target: &Target, rows: Option<&[f64]>) -> Result<Vec<f64>> {
    let Target::Classes { names, codes } = target else {
        return Err(fail::usage("class_weight is for classes, and the target is a number")
            .hint("leave class_weight out, or weigh rows with a weight column")
            .into());
    };
    match weight {
        ClassWeight::Rule(ClassWeightRule::Balanced) => {
            let mut totals = vec![0.0; names.len()];
            for (row, code) in codes.iter().enumerate() {
                totals[*code as usize] += rows.map_or(1.0, |rows| rows[row]);
            }
            let present = totals.iter().filter(|total| **total > 0.0).count() as f64;
            let all: f64 = totals.iter().sum();
            let factor = |total: &f64| if *total > 0.0 { all / (present * total) } else { 1.0 };
            Ok(totals.iter().map(factor).collect())
        }
        ClassWeight::Factors(factors) => {
            if let Some(name) = factors.keys().find(|name| !names.contains(name)) {
                return Err(suggest::unknown("class", name, names.iter().map(String::as_str)).into());
            }
            Ok(names.iter().map(|name| factors.get(name).copied().unwrap_or(1.0)).collect())
        }
    }
}

/// Weights of rows times the factors of their classes.
pub fn times_factors(factors: &[f64], codes: &[u32], rows: Option<&[f64]>) -> Vec<f64> {
    let weight = |(row, code): (usize, &u32)| factors[*code as usize] * rows.map_or(1.0, |rows| rows[row]);
    codes.iter().enumerate().map(weight).collect()
}

/// Checks that the rows to fit on weigh anything at all, and not more than a sum can hold.
pub fn check_sum(weights: &[f64]) -> Result<()> {
    let total: f64 = weights.iter().sum();
    if total > 0.0 && total.is_finite() {
        return Ok(());
    }
    Err(fail::usage(format!("the weights of the training rows sum to {total}"))
        .hint("some of them must be above 0, and their sum finite")
        .into())
}

fn refused(column: &str, row: u32, weight: f64) -> anyhow::Error {
    let row = units::count(u64::from(row) + 1);
    if weight.is_nan() {
        return fail::usage(format!("weight column `{column}` is missing in row {row}"))
            .hint("write 0 for rows that are not to count, or drop them")
            .into();
    }
    fail::usage(format!("weight column `{column}` is {weight} in row {row}"))
        .hint("weights are finite numbers, 0 or above")
        .into()
}
