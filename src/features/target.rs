//! Target encoding: a value as the mean of the target over the training rows that have it.
//!
//! A training row must not see its own target, or a model learns to trust rare values: training rows get what was learned
//! on the other folds, later rows what was learned on all.

use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::seed::Seed;
use crate::base::{fail, limits};
use crate::data::frame::Values;
use crate::data::target::Target;
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::fitted::damaged;
use crate::features::fitting::Fitting;
use crate::features::levels::{Counted, LevelMap};
use crate::features::step::{FittedColumn, Learned, SupervisedAction};
use crate::spec::many::Smooth;

/// Most folds.
pub const FOLDS_MAX: usize = 100;
/// Targets beyond this are made smaller while squares are summed; dividing by a power of two changes no digit.
const LARGE: f64 = 1e150;

/// How values are encoded.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TargetOptions {
    /// How strongly rare values are drawn to the mean.
    pub smooth: Smooth,
    /// Parts of the training rows; 2 to [`FOLDS_MAX`].
    pub folds: usize,
}

/// One column's encoding.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedTarget {
    pub(crate) column: Arc<str>,
    pub(crate) levels: LevelMap,
    /// For each column made, the encoding of each level.
    pub(crate) encodings: Vec<Vec<f64>>,
    /// For each column made, what unseen and missing values become.
    pub(crate) means: Vec<f64>,
    /// Names of the columns made; none when the only one keeps the name.
    pub(crate) columns: Vec<Arc<str>>,
    pub(crate) smooth: Smooth,
    pub(crate) folds: usize,
    pub(crate) seed: Seed,
}

impl SupervisedAction for TargetOptions {
    fn name(&self) -> &'static str {
        "target"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text, Kind::Number]
    }

    fn learn(&self, column: &Working, fitting: &Fitting) -> Result<Learned> {
        let target = fitting.wanted_target()?;
        let name = &column.name;
        let Some(counted) = Counted::of(&column.values) else {
            return Err(fail::usage(format!("column `{name}` has no distinct values to encode")).into());
        };
        let (count, made) = (counted.len(), outputs(target));
        if count * made > limits::TARGET_CELLS_MAX {
            let most = limits::TARGET_CELLS_MAX;
            return Err(fail::usage(format!(
                "target: {count} values of column `{name}` × {made} classes are more than {most}"
            ))
            .hint("group rare values first, or leave the column out")
            .into());
        }
        let levels = counted.with_codes((0..count as u32).collect());
        let codes: Vec<u32> = levels.encode(&column.values).unwrap_or_default();
        let every = |_: usize| true;
        let learn = |output: usize| encode(&codes, count, &Truth::new(target, output), self.smooth, every);
        let (encodings, means) = (0..made).into_par_iter().map(learn).unzip();
        let columns = match target {
            Target::Classes { names, .. } if made > 1 => {
                names.iter().map(|class| Arc::from(format!("{name}_{class}"))).collect()
            }
            _ => Vec::new(),
        };
        let (column, smooth, folds) = (Arc::clone(name), self.smooth, self.folds);
        let seed = fitting.seed.derive(name);
        let fitted = FittedTarget { column, levels, encodings, means, columns, smooth, folds, seed };
        let mut notes = Vec::new();
        if count == 0 {
            notes.push(format!("column `{name}` has no value in the training rows: encoded as the mean of the target"));
        }
        Ok((FittedColumn::Target(fitted), notes))
    }
}

/// Columns made: one for numbers and two classes, else one a class.
fn outputs(target: &Target) -> usize {
    match target.classes().len() {
        0..=2 => 1,
        classes => classes,
    }
}

/// One of the columns that are averaged: the target itself, or whether a row is of one class.
enum Truth<'t> {
    Numbers(&'t [f64], f64),
    Class(&'t [u32], u32),
}

impl<'t> Truth<'t> {
    fn new(target: &'t Target, output: usize) -> Truth<'t> {
        match target {
            Target::Numbers(values) => {
                let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
                Truth::Numbers(values, if largest > LARGE { 2.0_f64.powi(600) } else { 1.0 })
            }
            // Of two classes, the second is the one whose share is taken.
            Target::Classes { names, codes } if names.len() <= 2 => Truth::Class(codes, 1),
            Target::Classes { codes, .. } | Target::Labels { codes, .. } => Truth::Class(codes, output as u32),
        }
    }

    fn at(&self, row: usize) -> f64 {
        match self {
            Truth::Numbers(values, unit) => values[row] / unit,
            Truth::Class(codes, class) => f64::from(u8::from(codes[row] == *class)),
        }
    }

    fn unit(&self) -> f64 {
        match self {
            Truth::Numbers(_, unit) => *unit,
            Truth::Class(..) => 1.0,
        }
    }
}

/// Encoding of each of `count` levels and the mean of all, over the rows that `of` says.
///
/// With m rows of mean ȳ added to the n of a level, (Σy + m·ȳ) / (n + m). `auto` takes m = σ²ᵢ / τ², the variance among the
/// level's rows over that among all: λ·ȳᵢ + (1 - λ)·ȳ with λ = n·τ² / (n·τ² + σ²ᵢ) (Micci-Barreca 2001, eq. 5 to 7), as
/// scikit-learn's `TargetEncoder` (1.9). Rows without a level count for the mean of all. O(rows + levels).
fn encode(codes: &[u32], count: usize, truth: &Truth, smooth: Smooth, of: impl Fn(usize) -> bool) -> (Vec<f64>, f64) {
    let rows = || (0..codes.len()).filter(|&row| of(row));
    let total = rows().count().max(1) as f64;
    let mean = rows().map(|row| truth.at(row)).sum::<f64>() / total;
    let mut sums = vec![0.0; count];
    let mut counts = vec![0.0; count];
    for row in rows() {
        if let Some(sum) = sums.get_mut(codes[row] as usize) {
            *sum += truth.at(row);
            counts[codes[row] as usize] += 1.0;
        }
    }
    let encodings: Vec<f64> = match smooth {
        Smooth::Rows(added) => {
            let one = |(sum, count): (&f64, &f64)| match count + added {
                0.0 => mean,
                weight => (added * mean + sum) / weight,
            };
            sums.iter().zip(&counts).map(one).collect()
        }
        Smooth::Named(_) => {
            let variance = rows().map(|row| (truth.at(row) - mean).powi(2)).sum::<f64>() / total;
            let means: Vec<f64> = sums.iter().zip(&counts).map(|(sum, count)| sum / count).collect();
            let mut squares = vec![0.0; count];
            for row in rows() {
                if let Some(square) = squares.get_mut(codes[row] as usize) {
                    *square += (truth.at(row) - means[codes[row] as usize]).powi(2);
                }
            }
            let one = |level: usize| {
                let weight = variance * counts[level];
                let share = weight / (weight + squares[level] / counts[level]);
                if share.is_nan() { mean } else { share * means[level] + (1.0 - share) * mean }
            };
            (0..count).map(one).collect()
        }
    };
    let back = |value: f64| (value * truth.unit()).clamp(-f64::MAX, f64::MAX);
    (encodings.into_iter().map(back).collect(), back(mean))
}

/// The fold of each training row: shuffled and dealt out, class by class, so that every fold has its share of each.
pub fn folds(target: &Target, count: usize, seed: Seed) -> Vec<u8> {
    let classes = target.classes().len().max(1);
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); classes];
    for row in 0..target.len() {
        let class = match target {
            Target::Classes { codes, .. } => codes[row] as usize,
            Target::Numbers(_) | Target::Labels { .. } => 0,
        };
        members[class].push(row as u32);
    }
    let mut folds = vec![0; target.len()];
    let mut next = 0;
    for (class, rows) in members.iter_mut().enumerate() {
        seed.nth(class as u64).rng().shuffle(rows);
        for &row in rows.iter() {
            folds[row as usize] = (next % count) as u8;
            next += 1;
        }
    }
    folds
}

impl FittedTarget {
    /// One column for each of `values`, under the names made or the column's own.
    fn finish<'a>(&self, column: Working<'a>, mut values: Vec<Vec<f64>>) -> Vec<Working<'a>> {
        if self.columns.is_empty() {
            return vec![column.with(Values::Number(values.swap_remove(0)))];
        }
        let made = self.columns.iter().zip(values);
        made.map(|(name, values)| column.made(name, Values::Number(values))).collect()
    }
}

impl ColumnStep for FittedTarget {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("target", &[if self.levels.is_text() { Kind::Text } else { Kind::Number }])?;
        let count = self.levels.len();
        self.levels.check(count)?;
        let numbers = self.encodings.iter().flatten().chain(&self.means).all(|value| value.is_finite());
        let fits = self.encodings.len() == self.means.len()
            && self.encodings.iter().all(|encodings| encodings.len() == count)
            && (self.columns.len() == self.means.len() || (self.columns.is_empty() && self.means.len() == 1));
        let smooth = !matches!(self.smooth, Smooth::Rows(rows) if !rows.is_finite() || rows < 0.0);
        if !numbers || !fits || !smooth || !(2..=FOLDS_MAX).contains(&self.folds) {
            return Err(damaged(format!("target encoding of column `{}` contradicts itself", self.column)));
        }
        if self.columns.is_empty() {
            return Ok(vec![Shape { kind: Kind::Number, ..input.clone() }]);
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Some(codes) = self.levels.encode::<Vec<u32>>(&column.values) else {
            return vec![column];
        };
        let one = |(encodings, mean): (&Vec<f64>, &f64)| {
            codes.iter().map(|&code| *encodings.get(code as usize).unwrap_or(mean)).collect()
        };
        let values = self.encodings.iter().zip(&self.means).map(one).collect();
        self.finish(column, values)
    }

    fn apply_training<'a>(&self, column: Working<'a>, target: &Target) -> Vec<Working<'a>> {
        let Some(codes) = self.levels.encode::<Vec<u32>>(&column.values) else {
            return vec![column];
        };
        if target.len() != codes.len() || outputs(target) != self.means.len() {
            // Not the rows that it was fitted on.
            return self.apply(column);
        }
        let folds = folds(target, self.folds, self.seed);
        let count = self.levels.len();
        let one = |output: usize| {
            let truth = Truth::new(target, output);
            let mut values = vec![0.0; codes.len()];
            for fold in 0..self.folds.min(codes.len()) {
                let others = |row: usize| usize::from(folds[row]) != fold;
                // The only row there is has no others to learn from.
                let (encodings, mean) = match codes.len() {
                    1 => (Vec::new(), self.means[output]),
                    _ => encode(&codes, count, &truth, self.smooth, others),
                };
                for row in (0..codes.len()).filter(|&row| usize::from(folds[row]) == fold) {
                    values[row] = *encodings.get(codes[row] as usize).unwrap_or(&mean);
                }
            }
            values
        };
        let values = (0..self.means.len()).into_par_iter().map(one).collect();
        self.finish(column, values)
    }

    fn tells_training_rows_apart(&self) -> bool {
        true
    }
}
