//! Statistics in which a row counts as much as a column of weights says.

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

use crate::base::fail;
use crate::base::limits::TOP_VALUES_MAX;
use crate::base::units;
use crate::data::frame::{Column, MISSING_CODE, MISSING_TIME, Values};
use crate::data::profile::numbers::{BINS, edges};
use crate::data::profile::sums::{scale_for, sum};
use crate::data::table::Table;
use crate::record::profile::QUANTILES;
use crate::spec::schema::ColumnType;

/// Weighted statistics of a table.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedProfile {
    /// The column of weights.
    pub weight: String,
    /// Sum of all weights.
    pub total: f64,
    /// One entry for each other column, in order.
    pub columns: Vec<WeightedColumn>,
}

/// Weighted statistics of one column. `present + missing` is the sum of weights.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedColumn {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// Weight of rows with a value.
    pub present: f64,
    /// Weight of rows without one; not-a-number counts as none here.
    pub missing: f64,
    /// Statistics of finite numbers, dates and time stamps (the latter two in microseconds since 1970).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<WeightedNumbers>,
    /// Values of most weight and their weights, ties by value; text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub top: Vec<(String, f64)>,
}

/// Weighted statistics of finite numbers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WeightedNumbers {
    /// `sum(w x) / sum(w)`.
    pub mean: f64,
    /// `sqrt(sum(w (x - mean)^2) / sum(w))`: of the population, as TensorFlow Data Validation and
    /// `statsmodels.DescrStatsW`; weights say shares, not numbers of rows, so that there is no n - 1.
    pub std: f64,
    /// The quantiles of `QUANTILES`: the smallest value up to which the weights reach that share of their sum
    /// (`numpy.quantile(method="inverted_cdf", weights=w)`).
    pub quantiles: Vec<f64>,
    /// Ten bins of equal width: 11 edges.
    pub edges: Vec<f64>,
    /// Weight in each bin.
    pub counts: Vec<f64>,
    /// Ten bins of equal weight: 11 edges.
    pub quantile_edges: Vec<f64>,
}

/// Describes every column but `weight`, each row counted `weight` times.
///
/// Errors: an unknown or not numeric column; a weight that is missing, negative or not finite, with its row; weights that sum
/// to zero or beyond the range of numbers. Cost: 24 bytes a row and one sort for each column, columns in parallel.
pub fn weighted_profile(table: &Table, weight: &str) -> Result<WeightedProfile> {
    let (weights, total) = weights(table, weight)?;
    let types = table.columns();
    let others: Vec<_> = types.iter().filter(|column| column.name != weight).collect();
    let describe = |column: &&crate::record::dataset::ColumnRecord| -> Result<WeightedColumn> {
        let frame = table.frame(&[&column.name])?;
        Ok(describe(&frame.columns()[0], column.column_type, &weights, total))
    };
    let columns = others.par_iter().map(describe).collect::<Result<_>>()?;
    Ok(WeightedProfile { weight: weight.to_owned(), total, columns })
}

/// The weights of all rows and their sum.
fn weights(table: &Table, name: &str) -> Result<(Vec<f64>, f64)> {
    let frame = table.frame(&[name])?;
    let Values::Number(weights) = &frame.columns()[0].values else {
        let of = table.type_of(name)?.name();
        return Err(fail::usage(format!("column `{name}` holds {of} values, which cannot be weights"))
            .hint("name a column of numbers with --weight")
            .into());
    };
    let odd = |weight: &f64| !weight.is_finite() || *weight < 0.0;
    if let Some(row) = weights.iter().position(odd) {
        let count = weights.iter().filter(|weight| odd(weight)).count() as u64;
        let value = table.cell(row, name).map_or("missing".to_owned(), |value| format!("`{value}`"));
        let rows = units::plural(count, "such row");
        return Err(fail::usage(format!("weight `{name}` is {value} in row {} ({rows} in all)", row + 1))
            .hint("weights are finite and not negative; repair or drop those rows")
            .into());
    }
    let total = sum(weights, |weight| weight);
    if total <= 0.0 || !total.is_finite() {
        return Err(fail::usage(format!("the weights in `{name}` sum to {total}"))
            .hint("weights need a finite sum above zero")
            .into());
    }
    Ok((weights.clone(), total))
}

fn describe(column: &Column, column_type: ColumnType, weights: &[f64], total: f64) -> WeightedColumn {
    let mut described = WeightedColumn {
        name: column.name.to_string(),
        column_type,
        present: 0.0,
        missing: 0.0,
        numbers: None,
        top: Vec::new(),
    };
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    let mut present = Vec::new();
    match &column.values {
        Values::Text(text) => {
            present
                .extend(text.codes.iter().zip(weights).filter(|(code, _)| **code != MISSING_CODE).map(|pair| *pair.1));
            described.top = top(text, weights);
        }
        Values::Number(numbers) => {
            present.extend(numbers.iter().zip(weights).filter(|(number, _)| !number.is_nan()).map(|pair| *pair.1));
            pairs.extend(numbers.iter().copied().zip(weights.iter().copied()).filter(|pair| pair.0.is_finite()));
        }
        Values::Time(times) => {
            let known = times.iter().zip(weights).filter(|(time, _)| **time != MISSING_TIME);
            pairs.extend(known.map(|(time, weight)| (*time as f64, *weight)));
            present.extend(pairs.iter().map(|pair| pair.1));
        }
        Values::Indicator { .. } | Values::Category { .. } => {}
    }
    described.present = sum(&present, |weight| weight);
    described.missing = (total - described.present).max(0.0);
    // Rows of no weight say nothing, not even where the values end.
    pairs.retain(|(_, weight)| *weight > 0.0);
    // Equal values may come in any order: their weights only meet in sums, whose order must not depend on that of rows.
    pairs.sort_unstable_by(|a, b| (a.0 + 0.0).total_cmp(&(b.0 + 0.0)).then(a.1.total_cmp(&b.1)));
    described.numbers = numbers(&pairs);
    described
}

fn top(text: &crate::data::frame::TextValues, weights: &[f64]) -> Vec<(String, f64)> {
    let mut sums = vec![0.0; text.levels.len()];
    for (code, weight) in text.codes.iter().zip(weights).filter(|(code, _)| **code != MISSING_CODE) {
        sums[*code as usize] += weight;
    }
    let mut pairs: Vec<(&str, f64)> = text.levels.iter().map(AsRef::as_ref).zip(sums).collect();
    pairs.retain(|(_, weight)| *weight > 0.0);
    pairs.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    pairs.truncate(TOP_VALUES_MAX);
    pairs.into_iter().map(|(value, weight)| (value.to_owned(), weight)).collect()
}

/// Statistics of pairs of value and weight, ascending by value, weights above zero.
fn numbers(pairs: &[(f64, f64)]) -> Option<WeightedNumbers> {
    let (&(min, _), &(max, _)) = (pairs.first()?, pairs.last()?);
    let total = sum(pairs, |(_, weight)| weight);
    // Shares of the sum, not sums of products: nothing overflows.
    let mean = sum(pairs, |(value, weight)| value * (weight / total)).clamp(min, max);
    let scale = scale_for(max / 2.0 - min / 2.0);
    let middle = mean * scale;
    let square = sum(pairs, |(value, weight)| {
        let difference = value * scale - middle;
        difference * difference * (weight / total)
    });
    let ends: Vec<f64> = pairs
        .iter()
        .scan(0.0, |end, (_, weight)| {
            *end += weight;
            Some(*end)
        })
        .collect();
    let reached = ends[ends.len() - 1];
    let at = |share: f64| pairs[ends.partition_point(|end| *end < share * reached).min(pairs.len() - 1)].0;
    let edges = edges(min, max);
    let starts = edges[1..BINS].iter().map(|edge| pairs.partition_point(|pair| pair.0 < *edge));
    let places: Vec<usize> = std::iter::once(0).chain(starts).chain([pairs.len()]).collect();
    Some(WeightedNumbers {
        mean,
        std: square.sqrt() / scale,
        quantiles: QUANTILES.iter().map(|share| at(*share)).collect(),
        counts: places.windows(2).map(|pair| sum(&pairs[pair[0]..pair[1]], |(_, weight)| weight)).collect(),
        quantile_edges: (0..=BINS).map(|step| at(step as f64 / BINS as f64)).collect(),
        edges,
    })
}
