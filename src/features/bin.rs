//! Numbers as the number of their bin.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, units};
use crate::data::frame::Values;
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::stats;
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::BinMethod;

/// How edges are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinOptions {
    /// Equal widths or equal numbers of rows.
    pub method: BinMethod,
    /// How many bins; at least 2.
    pub bins: usize,
}

/// One column's bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedBin {
    column: Arc<str>,
    /// Edges between bins, ascending; a value equal to an edge belongs to the bin above it.
    edges: Vec<f64>,
}

impl FittedBin {
    /// Bins between these edges, ascending.
    pub fn new(column: Arc<str>, edges: Vec<f64>) -> FittedBin {
        FittedBin { column, edges }
    }
}

/// Learns the edges: scikit-learn's `KBinsDiscretizer(encode="ordinal", quantile_method="linear")` (1.9). The outer bins
/// are open, so values never seen fall into them; missing stays missing. Equal edges make one, and a note says so.
pub fn fit(column: &Working, options: BinOptions) -> Result<(FittedBin, Vec<String>)> {
    let mut present = match &*column.values {
        Values::Number(values) => stats::finite(values),
        _ => Vec::new(),
    };
    let (name, bins) = (&column.name, options.bins);
    let (low, high) = stats::range(&present).unwrap_or_default();
    let mut edges = match options.method {
        _ if present.is_empty() => Vec::new(),
        // Learned with a look at the target; see `features::cuts`.
        BinMethod::Tree => Vec::new(),
        BinMethod::Width => (1..bins).map(|edge| between(low, high, edge, bins)).collect(),
        BinMethod::Quantile => {
            let shares: Vec<f64> = (1..bins).map(|edge| edge as f64 / bins as f64).collect();
            stats::quantiles(&mut present, &shares)
        }
    };
    // An edge at the smallest or the largest value would cut off nothing, or only that value's ties.
    edges.retain(|&edge| low < edge && edge < high);
    edges.dedup();
    let mut notes = Vec::new();
    if edges.len() + 1 < bins {
        let made = units::plural(edges.len() as u64 + 1, "bin");
        notes.push(format!("column `{name}` has too few distinct values for {bins} bins: {made} made"));
    }
    Ok((FittedBin { column: Arc::clone(name), edges }, notes))
}

fn between(low: f64, high: f64, edge: usize, bins: usize) -> f64 {
    let step = (high - low) / bins as f64;
    let share = edge as f64 / bins as f64;
    if step.is_finite() { low + edge as f64 * step } else { low * (1.0 - share) + high * share }
}

impl ColumnAction for BinOptions {
    fn name(&self) -> &'static str {
        "bin"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, *self)?;
        Ok((FittedColumn::Bin(fitted), notes))
    }
}

impl ColumnStep for FittedBin {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("bin", &[Kind::Number])?;
        let ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        if !ascending || self.edges.iter().any(|edge| !edge.is_finite()) {
            return Err(
                fail::world(format!("damaged recipe: bins of column `{}` are out of order", self.column)).into()
            );
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, mut column: Working<'a>) -> Vec<Working<'a>> {
        if let Values::Number(_) = &*column.values
            && let Values::Number(values) = column.values.to_mut()
        {
            for value in values.iter_mut().filter(|value| !value.is_nan()) {
                *value = self.edges.partition_point(|edge| *edge <= *value) as f64;
            }
        }
        vec![column]
    }
}
