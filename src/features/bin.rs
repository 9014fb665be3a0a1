//! Numbers as the number of their bin, or as one column of 0 and 1 for each bin.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, units};
use crate::data::frame::{MISSING_CODE, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working, change, numbers};
use crate::features::cuts::TreeBinOptions;
use crate::features::stats;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::{BinEncode, BinMethod};

/// Most bins of one column.
const BINS_MAX: usize = 65_535;
/// Bins when nothing is said.
const BINS_DEFAULT: usize = 10;

/// How edges are chosen, and what comes out.
#[derive(Clone, Debug, PartialEq)]
pub struct BinOptions {
    /// Equal widths or equal numbers of rows.
    pub method: BinMethod,
    /// How many bins; at least 2.
    pub bins: usize,
    /// Edges given by hand, ascending, in place of the two above.
    pub edges: Option<Vec<f64>>,
    /// Numbers of bins or columns of 0 and 1.
    pub encode: BinEncode,
}

/// One column's bins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedBin {
    pub(crate) column: Arc<str>,
    /// Edges between bins, ascending; a value equal to an edge belongs to the bin above it.
    pub(crate) edges: Vec<f64>,
    /// One column for each bin; none when the number of the bin takes the place of the value.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) columns: Vec<Arc<str>>,
}

/// Checks what was written.
pub fn check(
    method: Option<BinMethod>,
    bins: Option<usize>,
    edges: Option<&[f64]>,
    encode: BinEncode,
    leaf_rows_min: Option<usize>,
) -> Result<Action, fail::Failure> {
    if leaf_rows_min.is_some() && method != Some(BinMethod::Tree) {
        return Err(fail::usage("bin: leaf_rows_min is for method = \"tree\""));
    }
    if let Some(edges) = edges {
        if method.is_some() || bins.is_some() {
            return Err(fail::usage("bin: edges are given, so method and bins have no meaning").hint("leave them out"));
        }
        let rising = edges.windows(2).all(|pair| pair[0] < pair[1]) && edges.iter().all(|edge| edge.is_finite());
        if edges.is_empty() || !rising || edges.len() >= BINS_MAX {
            return Err(fail::usage(format!("bin: edges do not rise, or are not 1 to {}", BINS_MAX - 1))
                .hint("write them like edges = [18, 30, 65]; the outer bins are open"));
        }
    }
    let bins = bins.unwrap_or(BINS_DEFAULT);
    if !(2..=BINS_MAX).contains(&bins) {
        return Err(fail::usage(format!("bin: bins = {bins} is not between 2 and {BINS_MAX}")));
    }
    if method == Some(BinMethod::Tree) {
        return Ok(Action::supervised(TreeBinOptions { bins, rows_min: leaf_rows_min, encode }));
    }
    let edges = edges.map(<[f64]>::to_vec);
    Ok(Action::each(BinOptions { method: method.unwrap_or_default(), bins, edges, encode }))
}

impl FittedBin {
    /// Bins of column `name` between these edges, ascending.
    pub fn new(name: &Arc<str>, edges: Vec<f64>, encode: BinEncode) -> FittedBin {
        let columns = match encode {
            BinEncode::Ordinal => Vec::new(),
            BinEncode::OneHot => (0..=edges.len()).map(|bin| bin_name(name, &edges, bin).into()).collect(),
        };
        FittedBin { column: Arc::clone(name), edges, columns }
    }
}

/// Learns the edges: scikit-learn's `KBinsDiscretizer(encode="ordinal", quantile_method="linear")` (1.9). The outer bins
/// are open, so values never seen fall into them. Missing stays missing, or is 0 in all columns of bins. Equal edges make
/// one, and a note says so; edges given by hand stay as they are (numpy's `digitize`).
impl ColumnAction for BinOptions {
    fn name(&self) -> &'static str {
        "bin"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Number]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut notes = Vec::new();
        let edges = match &self.edges {
            Some(edges) => edges.clone(),
            None => {
                let edges = self.learned(&mut numbers(&column.values));
                if edges.len() + 1 < self.bins {
                    let (bins, made) = (self.bins, units::plural(edges.len() as u64 + 1, "bin"));
                    notes.push(format!("column `{name}` has too few distinct values for {bins} bins: {made} made"));
                }
                edges
            }
        };
        Ok((FittedColumn::Bin(FittedBin::new(name, edges, self.encode)), notes))
    }
}

impl BinOptions {
    fn learned(&self, present: &mut [f64]) -> Vec<f64> {
        let bins = self.bins;
        let (low, high) = stats::range(present).unwrap_or_default();
        let mut edges = match self.method {
            _ if present.is_empty() => Vec::new(),
            // Learned with a look at the target; see `features::cuts`.
            BinMethod::Tree => Vec::new(),
            BinMethod::Width => (1..bins).map(|edge| between(low, high, edge, bins)).collect(),
            BinMethod::Quantile => {
                let shares: Vec<f64> = (1..bins).map(|edge| edge as f64 / bins as f64).collect();
                stats::quantiles(present, &shares)
            }
        };
        // An edge at the smallest or the largest value would cut off nothing, or only that value's ties.
        edges.retain(|&edge| low < edge && edge < high);
        edges.dedup();
        edges
    }
}

fn between(low: f64, high: f64, edge: usize, bins: usize) -> f64 {
    let step = (high - low) / bins as f64;
    let share = edge as f64 / bins as f64;
    if step.is_finite() { low + edge as f64 * step } else { low * (1.0 - share) + high * share }
}

/// `age=..18`, `age=18..65`, `age=65..`: the lower edge belongs to the bin.
fn bin_name(name: &str, edges: &[f64], bin: usize) -> String {
    let edge = |at: Option<usize>| at.and_then(|at| edges.get(at)).map_or_else(String::new, ToString::to_string);
    format!("{name}={}..{}", edge(bin.checked_sub(1)), edge(Some(bin)))
}

impl FittedBin {
    fn bin(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge <= value)
    }
}

impl ColumnStep for FittedBin {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("bin", &[Kind::Number])?;
        let ascending = self.edges.windows(2).all(|pair| pair[0] < pair[1]);
        let named = self.columns.is_empty() || self.columns.len() == self.edges.len() + 1;
        if !ascending || !named || self.edges.iter().any(|edge| !edge.is_finite()) {
            return Err(
                fail::world(format!("damaged recipe: bins of column `{}` are out of order", self.column)).into()
            );
        }
        if self.columns.is_empty() {
            return Ok(vec![input.clone()]);
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Indicator)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Number(values) = &*column.values else {
            return vec![column];
        };
        if self.columns.is_empty() {
            return vec![change(column, |value| if value.is_nan() { value } else { self.bin(value) as f64 })];
        }
        let code = |&value: &f64| if value.is_nan() { MISSING_CODE } else { self.bin(value) as u32 };
        let codes: Arc<[u32]> = values.iter().map(code).collect();
        let made = (0..).zip(&self.columns);
        made.map(|(code, name)| column.made(name, Values::Indicator { codes: Arc::clone(&codes), code })).collect()
    }
}
