//! Squared loss as residuals of rows, for coordinate descent on many features: numbers are read where they lie,
//! indicators as lists of the rows where they are 1.

use crate::models::linear::checks::CONSTANT_SHARE;
use crate::models::linear::descent::Quadratic;
use crate::models::linear::design::Design;
use crate::models::linear::lasso::SquaredLoss;

/// How one feature is read.
enum Feature<'a> {
    Number { values: &'a [f64], shift: f64, inverse: f64 },
    Rows(Vec<u32>),
}

/// All features, column by column. 4 bytes a row and group of indicators.
pub struct Layout<'a> {
    features: Vec<Feature<'a>>,
}

impl<'a> Layout<'a> {
    /// Lists the rows of each indicator.
    pub fn new(design: &Design<'a>) -> Layout<'a> {
        let mut features: Vec<Feature<'a>> = (0..design.width()).map(|_| Feature::Rows(Vec::new())).collect();
        for number in design.numbers() {
            let (values, shift, inverse) = number.parts();
            features[number.place] = Feature::Number { values, shift, inverse };
        }
        for group in design.groups() {
            for (row, code) in group.codes().iter().enumerate() {
                if let Some(place) = group.place_of(*code)
                    && let Feature::Rows(rows) = &mut features[place]
                {
                    rows.push(row as u32);
                }
            }
        }
        Layout { features }
    }

    /// `Σ factor(row) · x`, and of x².
    fn sums(&self, place: usize, factor: impl Fn(usize) -> f64) -> (f64, f64) {
        match &self.features[place] {
            Feature::Rows(rows) => {
                let sum = rows.iter().map(|&row| factor(row as usize)).sum();
                (sum, sum)
            }
            Feature::Number { values, shift, inverse } => {
                values.iter().enumerate().fold((0.0, 0.0), |(sum, squares), (row, value)| {
                    let value = (value - shift) * inverse;
                    let part = factor(row) * value;
                    (sum + part, squares + part * value)
                })
            }
        }
    }
}

/// Squared loss over weighted rows at a point. Rows of weight 0 have residuals too: those of rows held out.
pub struct Columns<'a> {
    layout: &'a Layout<'a>,
    /// They sum to 1.
    weights: Vec<f64>,
    target: &'a [f64],
    /// Mean of the target.
    mean: f64,
    /// Mean of each feature.
    means: Vec<f64>,
    curvatures: Vec<f64>,
    /// What each residual is, less `offset`.
    residuals: Vec<f64>,
    /// What centring adds to all residuals alike.
    offset: f64,
}

impl<'a> Columns<'a> {
    /// Starts where all coefficients are 0. One pass.
    pub fn new(layout: &'a Layout<'a>, mut weights: Vec<f64>, target: &'a [f64]) -> Columns<'a> {
        let total: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= total);
        let sums: Vec<(f64, f64)> =
            (0..layout.features.len()).map(|place| layout.sums(place, |row| weights[row])).collect();
        let mean: f64 = target.iter().zip(&weights).map(|(value, weight)| value * weight).sum();
        let curvature = |&(mean, square): &(f64, f64)| match square - mean * mean {
            centred if centred > CONSTANT_SHARE => centred,
            _ => 0.0,
        };
        Columns {
            layout,
            target,
            mean,
            means: sums.iter().map(|sums| sums.0).collect(),
            curvatures: sums.iter().map(curvature).collect(),
            residuals: target.iter().map(|value| value - mean).collect(),
            offset: 0.0,
            weights,
        }
    }

    /// Mean of each feature.
    pub fn means(&self) -> &[f64] {
        &self.means
    }

    /// Mean of the target.
    pub fn mean(&self) -> f64 {
        self.mean
    }

    /// What is left of the target in one row.
    pub fn residual(&self, row: usize) -> f64 {
        self.residuals[row] + self.offset
    }
}

impl Quadratic for Columns<'_> {
    fn curvature(&self, place: usize) -> f64 {
        self.curvatures[place]
    }

    fn slope(&self, place: usize) -> f64 {
        // Weighted residuals sum to 0, so the mean of the feature need not be taken from it.
        let (sum, _) = self.layout.sums(place, |row| self.weights[row] * self.residuals[row]);
        sum + self.offset * self.means[place]
    }

    fn step(&mut self, place: usize, change: f64) {
        match &self.layout.features[place] {
            Feature::Rows(rows) => rows.iter().for_each(|&row| self.residuals[row as usize] -= change),
            Feature::Number { values, shift, inverse } => {
                for (residual, value) in self.residuals.iter_mut().zip(*values) {
                    *residual -= change * ((value - shift) * inverse);
                }
            }
        }
        self.offset += change * self.means[place];
    }
}

impl SquaredLoss for Columns<'_> {
    fn target_squares(&self) -> f64 {
        self.target.iter().zip(&self.weights).map(|(value, weight)| weight * (value - self.mean).powi(2)).sum()
    }

    fn residuals(&self, _point: &[f64]) -> (f64, f64) {
        let (mut squares, mut product) = (0.0, 0.0);
        for (row, (weight, target)) in self.weights.iter().zip(self.target).enumerate() {
            let residual = self.residual(row);
            squares += weight * residual * residual;
            product += weight * residual * (target - self.mean);
        }
        (squares, product)
    }
}
