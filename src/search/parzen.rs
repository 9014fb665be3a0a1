//! Densities of points in the unit cube: mixtures with one kernel for each point, and one for what was known before.
//!
//! A kernel is the product of one for each dimension: a normal curve cut off at the ends, or, for choices, most of the weight
//! on the choice and the rest on all alike. The width of a normal curve is the mean distance to its two neighbours in that
//! dimension, held between 0.4 / (kernels + 1), at least 0.03, and the whole range; the kernel of what was known before is as
//! wide as the range. The form is that of Bergstra et al. 2011 and Optuna 5, with narrower curves: those found better by
//! Watanabe 2023 (arXiv 2304.11127), and on functions other than those under test.

use statrs::function::erf;

use crate::base::seed::Rng;

/// Points of the table of the normal distribution between 0 and [`TABLE_END`].
const TABLE: usize = 2_048;
/// From here on the normal distribution is 1 for every purpose here.
const TABLE_END: f64 = 8.0;
/// Terms smaller than the largest by this factor of e are left out of a sum; a thousand of them do not change its tenth digit.
const NEGLIGIBLE: f64 = 32.0;

/// Narrowest width of a curve, times the number of kernels and one more.
const NARROW: f64 = 0.4;
/// Narrowest width of a curve however many there are.
const NARROWEST: f64 = 0.03;

/// The standard normal distribution, looked up; within 5e-7, a hundred times faster than computing it.
pub struct Normal(Vec<f64>);

impl Default for Normal {
    fn default() -> Normal {
        let at = |at: usize| at as f64 * TABLE_END / TABLE as f64;
        Normal((0..=TABLE + 1).map(|index| 0.5 * erf::erf(at(index) * std::f64::consts::FRAC_1_SQRT_2)).collect())
    }
}

impl Normal {
    /// The weight of the curve around `center` with this width that lies in `[0, 1]`.
    fn mass(&self, center: f64, inverse_width: f64) -> f64 {
        self.half(center * inverse_width) + self.half((1.0 - center) * inverse_width)
    }

    /// The weight between 0 and `z`, which is not negative.
    fn half(&self, z: f64) -> f64 {
        let place = (z * (TABLE as f64 / TABLE_END)).min(TABLE as f64);
        let at = place as usize;
        self.0[at] + (self.0[at + 1] - self.0[at]) * (place - at as f64)
    }
}

/// What a dimension is to a density.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Axis {
    /// Numbers in `[0, 1]`.
    Line {
        /// The length that one value has to itself; 0 when values are not counted.
        cell: f64,
    },
    /// This many choices; points have the position of one.
    Choices(usize),
}

/// Points in the order of their weights, with the order of their coordinates.
pub struct Places<'a> {
    /// For each dimension, the coordinates of all points known.
    pub columns: &'a [Vec<f64>],
    /// For each dimension, the points from the lowest coordinate to the highest.
    pub orders: &'a [Vec<u32>],
    /// The kernel that each point has in the mixture; `u32::MAX` for none.
    pub kernels: &'a [u32],
}

/// A mixture. Buffers are kept between calls.
#[derive(Default)]
pub struct Mixture {
    axes: Vec<Axis>,
    /// Number of kernels, the one of what was known before last.
    count: usize,
    /// Sums of weights up to each kernel.
    ladder: Vec<f64>,
    /// Center of each kernel, dimension after dimension.
    centers: Vec<f64>,
    /// 1 / (√2 width) of each kernel, dimension after dimension; for choices unused.
    sharpness: Vec<f64>,
    /// Logarithm of each kernel's weight and of what makes it integrate to 1.
    heights: Vec<f64>,
    factors: Vec<f64>,
    sums: Vec<f64>,
    sequence: Vec<u32>,
}

impl Mixture {
    /// The mixture of the points of `places` that have a kernel, of these weights, and of the kernel of what was known before,
    /// of weight 1.
    pub fn build(&mut self, axes: &[Axis], places: &Places<'_>, weights: &[f64], normal: &Normal) {
        let count = weights.len() + 1;
        self.count = count;
        self.axes.clear();
        self.axes.extend_from_slice(axes);
        self.ladder.clear();
        self.factors.clear();
        let total: f64 = weights.iter().sum::<f64>() + 1.0;
        let mut sum = 0.0;
        for weight in weights.iter().copied().chain([1.0]) {
            sum += weight / total;
            self.ladder.push(sum);
            self.factors.push(weight / total);
        }
        self.centers.clear();
        self.centers.resize(count * axes.len(), 0.5);
        self.sharpness.clear();
        self.sharpness.resize(count * axes.len(), std::f64::consts::FRAC_1_SQRT_2);
        for (dimension, axis) in axes.iter().enumerate() {
            match axis {
                Axis::Line { cell } => self.lay_line(dimension, *cell, places, normal),
                Axis::Choices(_) => self.lay_choices(dimension, places),
            }
        }
        self.heights.clear();
        let lines = axes.iter().filter(|axis| matches!(axis, Axis::Line { .. })).count() as f64;
        // Each normal curve has 1 / √(2π) in front.
        let front = 0.5 * lines * std::f64::consts::TAU.ln();
        self.heights.extend(self.factors.iter().map(|factor| factor.ln() - front));
    }

    fn lay_line(&mut self, dimension: usize, cell: f64, places: &Places<'_>, normal: &Normal) {
        let column = &places.columns[dimension];
        self.sequence.clear();
        self.sequence.extend(places.orders[dimension].iter().filter(|at| places.kernels[**at as usize] != u32::MAX));
        let count = self.count;
        let centers = &mut self.centers[dimension * count..][..count];
        let sharpness = &mut self.sharpness[dimension * count..][..count];
        let narrowest = (NARROW / (count as f64 + 1.0)).max(NARROWEST).max(0.5 * cell);
        let last = self.sequence.len().wrapping_sub(1);
        for (rank, at) in self.sequence.iter().enumerate() {
            let center = column[*at as usize];
            let below = if rank == 0 { None } else { Some(center - column[self.sequence[rank - 1] as usize]) };
            let above = if rank == last { None } else { Some(column[self.sequence[rank + 1] as usize] - center) };
            let width = match (below, above) {
                (Some(below), Some(above)) => 0.5 * (below + above),
                // The ends of the range are no neighbours, unless there are no others.
                (Some(one), None) | (None, Some(one)) => one,
                (None, None) => center.max(1.0 - center),
            };
            let inverse = 1.0 / width.clamp(narrowest, 1.0);
            let kernel = places.kernels[*at as usize] as usize;
            centers[kernel] = center;
            sharpness[kernel] = inverse * std::f64::consts::FRAC_1_SQRT_2;
            self.factors[kernel] *= inverse / normal.mass(center, inverse);
        }
        self.factors[count - 1] /= normal.mass(0.5, 1.0);
    }

    fn lay_choices(&mut self, dimension: usize, places: &Places<'_>) {
        let column = &places.columns[dimension];
        let centers = &mut self.centers[dimension * self.count..][..self.count];
        for (at, kernel) in places.kernels.iter().enumerate().filter(|(_, kernel)| **kernel != u32::MAX) {
            centers[*kernel as usize] = column[at];
        }
        // The kernel of what was known before has none of the choices as its center.
        centers[self.count - 1] = -1.0;
    }

    /// The weight of a choice that is the kernel's own, of one that is not, and of one under what was known before.
    fn choice_weights(&self, choices: usize) -> (f64, f64, f64) {
        let share = 1.0 / self.count as f64;
        let total = 1.0 + choices as f64 * share;
        ((1.0 + share) / total, share / total, 1.0 / choices as f64)
    }

    /// Draws a point of the mixture.
    pub fn draw(&self, rng: &mut Rng, point: &mut Vec<f64>) {
        let wanted = rng.unit();
        let kernel = self.ladder.partition_point(|sum| *sum <= wanted).min(self.count - 1);
        point.clear();
        for (dimension, axis) in self.axes.iter().enumerate() {
            let center = self.centers[dimension * self.count + kernel];
            point.push(match axis {
                Axis::Line { .. } => {
                    let sharpness = self.sharpness[dimension * self.count + kernel];
                    draw_between(rng, center, std::f64::consts::FRAC_1_SQRT_2 / sharpness)
                }
                Axis::Choices(choices) => {
                    let (own, other, _) = self.choice_weights(*choices);
                    match rng.unit() < own - other && center >= 0.0 {
                        true => center,
                        false => rng.below(*choices as u64) as f64,
                    }
                }
            });
        }
    }

    /// Logarithm of the density at `point`. O(kernels × dimensions).
    pub fn log_density(&mut self, point: &[f64]) -> f64 {
        let count = self.count;
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        sums.extend_from_slice(&self.heights);
        for (dimension, (axis, place)) in self.axes.iter().zip(point).enumerate() {
            let centers = &self.centers[dimension * count..][..count];
            match axis {
                Axis::Line { .. } => {
                    let sharpness = &self.sharpness[dimension * count..][..count];
                    for ((sum, center), sharpness) in sums.iter_mut().zip(centers).zip(sharpness) {
                        let distance = (place - center) * sharpness;
                        *sum -= distance * distance;
                    }
                }
                Axis::Choices(choices) => {
                    let (own, other, before) = self.choice_weights(*choices);
                    let (own, other) = (own.ln(), other.ln());
                    for (sum, center) in sums[..count - 1].iter_mut().zip(centers) {
                        *sum += if center == place { own } else { other };
                    }
                    sums[count - 1] += before.ln();
                }
            }
        }
        let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let total: f64 = sums.iter().filter(|sum| most - **sum < NEGLIGIBLE).map(|sum| (sum - most).exp()).sum();
        self.sums = sums;
        most + total.ln()
    }
}

/// A normal number within `[0, 1]`. The center lies there and no curve is wider than the range, so that a third of the draws
/// are good at least; the last resort is a rounding error away from never.
fn draw_between(rng: &mut Rng, center: f64, width: f64) -> f64 {
    for _ in 0..200 {
        let drawn = center + width * rng.normal();
        if (0.0..=1.0).contains(&drawn) {
            return drawn;
        }
    }
    center
}
