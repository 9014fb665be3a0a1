//! Coordinate descent (Friedman, Hastie, Tibshirani 2010) on quadratics with penalties on absolute values and squares.

use faer::Mat;

/// Most passes over the coefficients that are not 0 between two over all of them.
const ACTIVE_PASSES: u64 = 20;
/// They end early when the largest change has shrunk to this share of that of the pass before them.
const ACTIVE_SETTLED: f64 = 1e-2;

/// A convex quadratic of coefficients, which is moved along one of them at a time.
pub trait Quadratic {
    /// Second derivative along one coefficient; not below 0.
    fn curvature(&self, place: usize) -> f64;
    /// Minus the derivative along it, where the quadratic is now.
    fn slope(&self, place: usize) -> f64;
    /// Moves along it.
    fn step(&mut self, place: usize, change: f64);
}

/// `Σ absolute · |coefficient| + ½ square · coefficient²`.
#[derive(Clone, Copy)]
pub struct Penalties<'a> {
    /// Penalty of each absolute value.
    pub absolute: &'a [f64],
    /// Penalty of each square.
    pub square: &'a [f64],
}

/// A quadratic given by all second derivatives.
pub struct Products<'a> {
    matrix: &'a Mat<f64>,
    slopes: Vec<f64>,
}

impl<'a> Products<'a> {
    /// Starts where minus the first derivatives are `slopes`.
    pub fn new(matrix: &'a Mat<f64>, slopes: Vec<f64>) -> Products<'a> {
        Products { matrix, slopes }
    }
}

impl Quadratic for Products<'_> {
    fn curvature(&self, place: usize) -> f64 {
        self.matrix[(place, place)].max(0.0)
    }

    fn slope(&self, place: usize) -> f64 {
        self.slopes[place]
    }

    fn step(&mut self, place: usize, change: f64) {
        let column = self.matrix.col_as_slice(place);
        self.slopes.iter_mut().zip(column).for_each(|(slope, value)| *slope -= change * value);
    }
}

/// Minimises over each coefficient of `places` in turn. Gives the largest change, in units of the quadratic's value:
/// change² × second derivative.
pub fn pass(
    quadratic: &mut impl Quadratic,
    penalties: Penalties<'_>,
    point: &mut [f64],
    places: impl Iterator<Item = usize>,
) -> f64 {
    let mut largest = 0.0_f64;
    for place in places {
        let curvature = quadratic.curvature(place);
        let (absolute, square) = (penalties.absolute[place], penalties.square[place]);
        let before = point[place];
        let pull = quadratic.slope(place) + curvature * before;
        let after = match curvature + square > 0.0 {
            true => (pull - pull.clamp(-absolute, absolute)) / (curvature + square),
            // Without any curvature, as of a constant feature, no value is better than another.
            false => before,
        };
        if after != before {
            quadratic.step(place, after - before);
            point[place] = after;
            largest = largest.max((after - before).powi(2) * (curvature + square));
        }
    }
    largest
}

/// One pass over all coefficients and some over those that are not 0. Gives the largest change of the first and how
/// many passes there were.
pub fn round(quadratic: &mut impl Quadratic, penalties: Penalties<'_>, point: &mut [f64]) -> (f64, u64) {
    let all = pass(quadratic, penalties, point, 0..point.len());
    let active: Vec<usize> = (0..point.len()).filter(|&place| point[place] != 0.0).collect();
    for number in 1..=ACTIVE_PASSES {
        if pass(quadratic, penalties, point, active.iter().copied()) <= ACTIVE_SETTLED.powi(2) * all {
            return (all, 1 + number);
        }
    }
    (all, 1 + ACTIVE_PASSES)
}

/// Descends until a pass changes no coefficient by more than the share `exact` of the largest change seen, at most
/// `passes_max` passes.
pub fn settle(
    quadratic: &mut impl Quadratic,
    penalties: Penalties<'_>,
    point: &mut [f64],
    exact: f64,
    passes_max: u64,
) {
    let (mut largest, mut passes) = (0.0_f64, 0);
    while passes < passes_max {
        let (change, used) = round(quadratic, penalties, point);
        largest = largest.max(change);
        passes += used;
        if change <= exact * exact * largest {
            break;
        }
    }
}
