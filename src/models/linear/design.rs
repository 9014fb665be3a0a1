//! The features of a matrix as products with coefficients need them: numbers standardised on the fly, indicators of one
//! column as a single look-up a row. Nothing is copied.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::linear::sums;

/// Most codes that one look-up table of a group of indicators spans.
const GROUP_CODES_MAX: u32 = 1 << 16;
/// The place of codes that no feature stands for.
const NO_PLACE: u32 = u32::MAX;

/// A numeric feature, seen as `(x − shift) × inverse`.
pub struct Number<'a> {
    /// Position among the features.
    pub place: usize,
    values: &'a [f64],
    shift: f64,
    inverse: f64,
}

/// Neighbouring indicators of the same codes: at most one of them is 1 in a row.
pub struct Group<'a> {
    codes: &'a Arc<[u32]>,
    first: u32,
    places: Vec<u32>,
}

/// Features in the order of the matrix, numbers and indicators apart.
pub struct Design<'a> {
    rows: usize,
    width: usize,
    numbers: Vec<Number<'a>>,
    groups: Vec<Group<'a>>,
    /// What was subtracted from each feature; 0 for indicators.
    pub shifts: Vec<f64>,
    /// What each feature was then divided by; 1 for indicators.
    pub scales: Vec<f64>,
    weights: Option<&'a [f64]>,
    total: f64,
}

impl<'a> Design<'a> {
    /// Features as they are. Categories, which `input::all_finite` refuses, are left out.
    pub fn plain(matrix: &'a Matrix) -> Design<'a> {
        let width = matrix.features().len();
        let mut design = Design {
            rows: matrix.rows(),
            width,
            numbers: Vec::new(),
            groups: Vec::new(),
            shifts: vec![0.0; width],
            scales: vec![1.0; width],
            weights: None,
            total: matrix.rows() as f64,
        };
        for (place, feature) in matrix.features().iter().enumerate() {
            match &feature.values {
                FeatureValues::Number(values) => {
                    design.numbers.push(Number { place, values, shift: 0.0, inverse: 1.0 });
                }
                FeatureValues::Indicator { codes, code } => design.indicator(place, codes, *code),
                FeatureValues::Category { .. } => {}
            }
        }
        design
    }

    /// Numbers with mean 0 and variance 1, so that optimisers and eigenvalues see comparable features; constant ones
    /// are 0 everywhere. Indicators stay 0 and 1. `weights` say how much each row counts, here and wherever sums are
    /// made.
    pub fn standard(matrix: &'a Matrix, weights: Option<&'a [f64]>) -> Design<'a> {
        let mut design = Design::plain(matrix);
        if let Some(weights) = weights {
            design.weights = Some(weights);
            design.total = weights.iter().sum();
        }
        let moments: Vec<(f64, f64)> =
            design.numbers.par_iter().map(|number| sums::moments(number.values, weights)).collect();
        for (number, (shift, scale)) in design.numbers.iter_mut().zip(moments) {
            number.shift = shift;
            number.inverse = 1.0 / scale;
            design.shifts[number.place] = shift;
            design.scales[number.place] = scale;
        }
        design
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of features.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How much a row counts.
    #[inline]
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.map_or(1.0, |weights| weights[row])
    }

    /// Sum of the weights of all rows.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Multiplies the values of a block of rows by their weights.
    pub fn weigh(&self, block: Range<usize>, values: &mut [f64]) {
        if let Some(weights) = self.weights {
            values.iter_mut().zip(&weights[block]).for_each(|(value, weight)| *value *= weight);
        }
    }

    /// The numeric features.
    pub fn numbers(&self) -> &[Number<'a>] {
        &self.numbers
    }

    /// The indicators.
    pub fn groups(&self) -> &[Group<'a>] {
        &self.groups
    }

    /// Scores of the rows `range`: for each output, its intercept and the sum of coefficient times feature.
    ///
    /// `point` has `width` coefficients and an intercept for each output; `scores` gets all rows of the first output,
    /// then of the next. Every score adds its terms in the same order, whatever rows it is computed with.
    pub fn scores(&self, range: Range<usize>, point: &[f64], scores: &mut [f64]) {
        let rows = range.len();
        for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
            out.fill(output[self.width]);
        }
        for number in &self.numbers {
            let values = &number.values[range.clone()];
            for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
                let coefficient = output[number.place];
                if coefficient != 0.0 {
                    for (score, value) in out.iter_mut().zip(values) {
                        *score += coefficient * ((value - number.shift) * number.inverse);
                    }
                }
            }
        }
        for group in &self.groups {
            let codes = &group.codes[range.clone()];
            for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
                for (score, &code) in out.iter_mut().zip(codes) {
                    if let Some(place) = group.place_of(code) {
                        *score += output[place];
                    }
                }
            }
        }
    }

    /// Adds to `sums`, laid out like a point, each feature's (and the intercept's 1) product with `factors`, laid out
    /// like scores.
    pub fn products(&self, range: Range<usize>, factors: &[f64], sums: &mut [f64]) {
        let rows = range.len();
        let mut column = vec![0.0; rows];
        for (output, factor) in sums.chunks_exact_mut(self.width + 1).zip(factors.chunks_exact(rows)) {
            output[self.width] += factor.iter().sum::<f64>();
        }
        for number in &self.numbers {
            number.fill(range.clone(), &mut column);
            for (output, factor) in sums.chunks_exact_mut(self.width + 1).zip(factors.chunks_exact(rows)) {
                output[number.place] += sums::dot(factor, &column);
            }
        }
        self.group_products(range, factors, sums);
    }

    /// The part of the indicators in [`Design::products`].
    fn group_products(&self, range: Range<usize>, factors: &[f64], sums: &mut [f64]) {
        let rows = range.len();
        for group in &self.groups {
            let codes = &group.codes[range.clone()];
            for (output, factor) in sums.chunks_exact_mut(self.width + 1).zip(factors.chunks_exact(rows)) {
                for (factor, &code) in factor.iter().zip(codes) {
                    if let Some(place) = group.place_of(code) {
                        output[place] += factor;
                    }
                }
            }
        }
    }

    /// `Σ factor(row) · z` over all rows, with the intercept's 1 last; `fill` is given a block and sets its factors.
    /// One pass over the rows.
    pub fn totals(&self, fill: impl Fn(Range<usize>, &mut [f64]) + Sync) -> Vec<f64> {
        self.sum(|block, sums| {
            let mut factors = [0.0; sums::BLOCK_ROWS];
            let factors = &mut factors[..block.len()];
            fill(block.clone(), factors);
            self.products(block, factors, sums);
        })
    }

    /// Weighted means of the standardised features: 0 for numbers, the share of rows for indicators.
    pub fn means(&self) -> Vec<f64> {
        let mut means = self.sum(|block, sums| {
            let mut factors = [1.0; sums::BLOCK_ROWS];
            let factors = &mut factors[..block.len()];
            self.weigh(block.clone(), factors);
            self.group_products(block, factors, sums);
        });
        means.pop();
        means.iter_mut().for_each(|sum| *sum /= self.total);
        means
    }

    /// Sums, laid out like a point of one output, to which `add` adds block by block.
    fn sum(&self, add: impl Fn(Range<usize>, &mut [f64]) + Sync) -> Vec<f64> {
        let size = self.width + 1;
        let partial = |range| {
            let mut sums = vec![0.0; size];
            sums::blocks(range, 1).for_each(|block| add(block, &mut sums));
            sums
        };
        let partials: Vec<Vec<f64>> = sums::chunks(self.rows, size).into_par_iter().map(partial).collect();
        let mut total = vec![0.0; size];
        for partial in partials {
            total.iter_mut().zip(partial).for_each(|(total, part)| *total += part);
        }
        total
    }

    /// A point of standardised features as one of the features as they are: the same scores.
    pub fn unscaled(&self, point: &[f64]) -> Vec<f64> {
        let mut plain = point.to_vec();
        for output in plain.chunks_exact_mut(self.width + 1) {
            for place in 0..self.width {
                output[place] /= self.scales[place];
                output[self.width] -= output[place] * self.shifts[place];
            }
        }
        plain
    }

    fn indicator(&mut self, place: usize, codes: &'a Arc<[u32]>, code: u32) {
        if let Some(group) = self.groups.last_mut()
            && Arc::ptr_eq(group.codes, codes)
            && code >= group.first
            && code - group.first < GROUP_CODES_MAX
        {
            let offset = (code - group.first) as usize;
            if offset >= group.places.len() {
                group.places.resize(offset + 1, NO_PLACE);
            }
            if group.places[offset] == NO_PLACE {
                group.places[offset] = place as u32;
                return;
            }
        }
        self.groups.push(Group { codes, first: code, places: vec![place as u32] });
    }
}

impl<'a> Number<'a> {
    /// Its values as they are, what is subtracted from them, and what they are then multiplied with.
    pub fn parts(&self) -> (&'a [f64], f64, f64) {
        (self.values, self.shift, self.inverse)
    }

    /// Copies the rows `range`, standardised, to `column`.
    pub fn fill(&self, range: Range<usize>, column: &mut [f64]) {
        for (out, value) in column.iter_mut().zip(&self.values[range]) {
            *out = (value - self.shift) * self.inverse;
        }
    }
}

impl<'a> Group<'a> {
    /// One code a row.
    pub fn codes(&self) -> &'a [u32] {
        self.codes
    }

    /// Position of the feature that is 1 in `row`, if any of this group is.
    #[inline]
    pub fn place(&self, row: usize) -> Option<usize> {
        self.place_of(self.codes[row])
    }

    /// Position of the feature that stands for `code`, if any of this group does.
    #[inline]
    pub fn place_of(&self, code: u32) -> Option<usize> {
        let offset = code.wrapping_sub(self.first) as usize;
        self.places.get(offset).filter(|place| **place != NO_PLACE).map(|place| *place as usize)
    }
}
