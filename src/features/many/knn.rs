//! Filling gaps from the nearest training rows.

use std::borrow::Cow;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::limits;
use crate::base::seed::Seed;
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working, missing};
use crate::features::fitted::damaged;
use crate::features::fitting::shared;
use crate::features::impute::{self, ImputeOptions, Indicate};
use crate::features::many::{FittedMany, ManyStep, check_numeric, drawn, matrix_of, note_drawn};
use crate::features::recipe::StepForm;
use crate::features::stats;
use crate::features::step::FittedColumn;
use crate::spec::recipe::Columns;

/// How gaps are filled.
#[derive(Clone, Debug, PartialEq)]
pub struct KnnOptions {
    /// In which columns, which are also those that say how near rows are.
    pub columns: Columns,
    /// From how many rows; at least 1.
    pub neighbours: usize,
    /// Adds a column `NAME_missing` for each.
    pub indicator: bool,
}

/// Training rows to fill gaps from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedKnn {
    inputs: Vec<Arc<str>>,
    neighbours: usize,
    /// For each column its values in the training rows kept; null is missing.
    donors: Vec<Vec<Option<f64>>>,
    /// What a gap becomes where no row is comparable.
    means: Vec<f64>,
}

/// Fills each gap with the mean over the nearest training rows that have a value there.
///
/// scikit-learn's `KNNImputer` (1.9) with uniform weights: the distance of two rows is √(c / m · Σ d²) over the m of c
/// columns that both have (Dixon 1979), a row that shares no column is not comparable, fewer neighbours than asked for are
/// taken where there are no more, none at all gives the mean. Of rows equally far the earlier ones count. Scale the columns
/// first unless their units compare. A column without any value is filled with 0. At most `IMPUTE_ROWS_MAX` training rows
/// and `IMPUTE_CELLS_MAX` cells are kept, drawn at random; a note says so. Applying costs rows kept × columns for each row
/// with a gap. Errors (usage): a column without numbers.
pub fn fit(columns: &[&Working], options: &KnnOptions, seed: Seed, notes: &mut Vec<String>) -> Result<Vec<StepForm>> {
    for column in columns {
        check_numeric("impute", column)?;
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let mut forms = Vec::new();
    if options.indicator {
        let only = ImputeOptions { strategy: None, value: None, indicate: Indicate::Always };
        let made = columns.iter().map(|column| Ok(FittedColumn::Impute(impute::fit(column, &only)?.0)));
        forms.push(StepForm::Columns(made.collect::<Result<_>>()?));
    }
    // Indicators have no gaps, but say how near rows are.
    let numbers = matrix_of(columns);
    let rows = numbers[0].len();
    let most = limits::IMPUTE_ROWS_MAX.min(limits::IMPUTE_CELLS_MAX / columns.len()).max(1);
    let kept = drawn(rows, most, seed);
    note_drawn("impute with knn", kept.len(), rows, notes);
    let mut means = Vec::with_capacity(columns.len());
    for (column, numbers) in columns.iter().zip(&numbers) {
        if missing(&column.values) == rows {
            notes.push(format!("column `{}` has no value in the training rows: filled with 0", column.name));
        }
        means.push(stats::mean(&stats::finite(numbers)).unwrap_or(0.0));
    }
    let donor = |numbers: &Cow<[f64]>| {
        let values = kept.iter().map(|&row| Some(numbers[row as usize]).filter(|value| value.is_finite()));
        values.collect()
    };
    let inputs = shared(columns.iter().map(|column| &*column.name));
    let donors = numbers.iter().map(donor).collect();
    let fitted = FittedKnn { inputs, neighbours: options.neighbours, donors, means };
    forms.push(StepForm::Many(FittedMany::Knn(fitted)));
    Ok(forms)
}

impl FittedKnn {
    /// Values of one row with its gaps filled.
    fn fill(&self, row: &[f64]) -> Vec<f64> {
        let kept = self.donors[0].len();
        let mut sums = vec![0.0; kept];
        let mut shared = vec![0_u32; kept];
        for (&value, donors) in row.iter().zip(&self.donors).filter(|(value, _)| !value.is_nan()) {
            for (donor, (sum, shared)) in donors.iter().zip(sums.iter_mut().zip(&mut shared)) {
                if let Some(donor) = donor {
                    *sum += (value - donor).powi(2);
                    *shared += 1;
                }
            }
        }
        let mut order: Vec<(f64, u32)> = (0..kept as u32)
            .filter(|&at| shared[at as usize] > 0)
            .map(|at| (sums[at as usize] / f64::from(shared[at as usize]), at))
            .collect();
        let nearer = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
        order.sort_unstable_by(nearer);
        let value = |(at, &value): (usize, &f64)| {
            if !value.is_nan() {
                return value;
            }
            let present = order.iter().filter_map(|(_, donor)| self.donors[at][*donor as usize]);
            let nearest: Vec<f64> = present.take(self.neighbours).collect();
            stats::mean(&nearest).unwrap_or(self.means[at])
        };
        row.iter().enumerate().map(value).collect()
    }
}

impl ManyStep for FittedKnn {
    fn inputs(&self) -> &[Arc<str>] {
        &self.inputs
    }

    fn columns(&self) -> &[Arc<str>] {
        &[]
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn replaces(&self) -> bool {
        true
    }

    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>> {
        for input in inputs {
            input.expect("impute", &[Kind::Number, Kind::Indicator])?;
        }
        let kept = self.donors.first().map_or(0, Vec::len);
        let finite = |donors: &Vec<Option<f64>>| donors.iter().flatten().all(|value| value.is_finite());
        let fits = self.donors.len() == inputs.len()
            && self.donors.iter().all(|donors| donors.len() == kept && finite(donors))
            && self.means.len() == inputs.len()
            && self.means.iter().all(|mean| mean.is_finite());
        if !fits || self.neighbours == 0 {
            return Err(damaged("rows to fill gaps from do not fit the columns".to_owned()));
        }
        Ok(inputs.iter().map(|input| input.kind).collect())
    }

    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>> {
        let numbers = matrix_of(inputs);
        let gaps: Vec<usize> =
            (0..numbers[0].len()).filter(|&row| numbers.iter().any(|values| values[row].is_nan())).collect();
        let fill = |row: usize| self.fill(&numbers.iter().map(|values| values[row]).collect::<Vec<_>>());
        let filled: Vec<Vec<f64>> = gaps.par_iter().map(|&row| fill(row)).collect();
        let mut columns = Vec::with_capacity(inputs.len());
        for (at, input) in inputs.iter().enumerate() {
            if Kind::of(&input.values) != Kind::Number {
                columns.push(input.values.clone().into_owned());
                continue;
            }
            let mut values = numbers[at].to_vec();
            for (&row, filled) in gaps.iter().zip(&filled) {
                values[row] = filled[at];
            }
            columns.push(Values::Number(values));
        }
        Ok(columns)
    }
}
