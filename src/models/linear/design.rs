//! The features of a matrix as products with coefficients need them: numbers standardised on the fly, indicators of one
//! column as a single look-up a row. Nothing is copied.

use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use crate::data::matrix::{FeatureValues, Matrix};

/// Rows that are worked on at once: a block of one column stays in the first cache.
pub const BLOCK_ROWS: usize = 512;
/// Rows below which a chunk is not worth a task.
const CHUNK_ROWS: usize = 4096;
/// Most chunks, and so most tasks of one pass.
const CHUNKS_MAX: usize = 64;
/// Most floats that the partial sums of all chunks may have together: 256 MiB.
const PARTIAL_CELLS_MAX: usize = 1 << 25;
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

    /// Numbers with mean 0 and variance 1, so that optimisers and eigenvalues see comparable features; constant ones are
    /// 0 everywhere. Indicators stay 0 and 1.
    pub fn standard(matrix: &'a Matrix) -> Design<'a> {
        let mut design = Design::plain(matrix);
        let moments: Vec<(f64, f64)> = design.numbers.par_iter().map(|number| moments(number.values)).collect();
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
    /// `point` has `width` coefficients and an intercept for each output; `scores` gets all rows of the first output, then
    /// of the next. Every score adds its terms in the same order, whatever rows it is computed with.
    pub fn scores(&self, range: Range<usize>, point: &[f64], scores: &mut [f64]) {
        let rows = range.len();
        for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
            out.fill(output[self.width]);
        }
        let mut column = vec![0.0; rows];
        for number in &self.numbers {
            number.fill(range.clone(), &mut column);
            for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
                let coefficient = output[number.place];
                for (score, value) in out.iter_mut().zip(&column) {
                    *score += coefficient * value;
                }
            }
        }
        for group in &self.groups {
            for (output, out) in point.chunks_exact(self.width + 1).zip(scores.chunks_exact_mut(rows)) {
                for (score, row) in out.iter_mut().zip(range.clone()) {
                    if let Some(place) = group.place(row) {
                        *score += output[place];
                    }
                }
            }
        }
    }

    /// Adds to `sums`, laid out like a point, each feature's (and the intercept's 1) product with `weights`, laid out like
    /// scores.
    pub fn products(&self, range: Range<usize>, weights: &[f64], sums: &mut [f64]) {
        let rows = range.len();
        let mut column = vec![0.0; rows];
        for (output, weight) in sums.chunks_exact_mut(self.width + 1).zip(weights.chunks_exact(rows)) {
            output[self.width] += weight.iter().sum::<f64>();
        }
        for number in &self.numbers {
            number.fill(range.clone(), &mut column);
            for (output, weight) in sums.chunks_exact_mut(self.width + 1).zip(weights.chunks_exact(rows)) {
                output[number.place] += dot(weight, &column);
            }
        }
        for group in &self.groups {
            for (output, weight) in sums.chunks_exact_mut(self.width + 1).zip(weights.chunks_exact(rows)) {
                for (weight, row) in weight.iter().zip(range.clone()) {
                    if let Some(place) = group.place(row) {
                        output[place] += weight;
                    }
                }
            }
        }
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

impl Number<'_> {
    /// Copies the rows `range`, standardised, to `column`.
    pub fn fill(&self, range: Range<usize>, column: &mut [f64]) {
        for (out, value) in column.iter_mut().zip(&self.values[range]) {
            *out = (value - self.shift) * self.inverse;
        }
    }
}

impl Group<'_> {
    /// Position of the feature that is 1 in `row`, if any of this group is.
    #[inline]
    pub fn place(&self, row: usize) -> Option<usize> {
        let offset = self.codes[row].wrapping_sub(self.first) as usize;
        self.places.get(offset).filter(|place| **place != NO_PLACE).map(|place| *place as usize)
    }
}

/// Parts of `rows` that may be summed apart, when each partial sum has `cells` floats. They depend on these two numbers
/// only; who sums the parts in order gets the same bits on any number of threads.
pub fn chunks(rows: usize, cells: usize) -> Vec<Range<usize>> {
    let count = (rows / CHUNK_ROWS).min(CHUNKS_MAX).min(PARTIAL_CELLS_MAX / cells.max(1)).max(1);
    (0..count).map(|chunk| chunk * rows / count..(chunk + 1) * rows / count).collect()
}

/// Blocks of a range.
pub fn blocks(range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let end = range.end;
    range.step_by(BLOCK_ROWS).map(move |start| start..(start + BLOCK_ROWS).min(end))
}

/// Sum of products in eight lanes, which the compiler turns into vector instructions.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    let (a, a_rest) = a.as_chunks::<8>();
    let (b, b_rest) = b.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..8 {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    lanes.iter().sum::<f64>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Mean and standard deviation (1 for a constant), by way of the range so that nothing overflows however large the values.
fn moments(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let half = high / 2.0 - low / 2.0;
    if values.is_empty() || half < f64::MIN_POSITIVE {
        return (if values.is_empty() { 0.0 } else { low }, 1.0);
    }
    let middle = low / 2.0 + high / 2.0;
    let count = values.len() as f64;
    let mean = values.iter().map(|value| (value - middle) / half).sum::<f64>() / count;
    let square = |value: &f64| ((value - middle) / half - mean).powi(2);
    let deviation = half * (values.iter().map(square).sum::<f64>() / count).sqrt();
    match deviation >= f64::MIN_POSITIVE {
        true => (middle + half * mean, deviation),
        false => (low, 1.0),
    }
}
