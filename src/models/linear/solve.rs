//! Symmetric systems: a Cholesky factor where the matrix allows, else a pseudo-inverse. One thread, so that results do
//! not depend on how many there are.

use anyhow::Result;
use faer::diag::Diag;
use faer::dyn_stack::{MemBuffer, MemStack};
use faer::linalg::cholesky::llt;
use faer::linalg::evd::{self, ComputeEigenvectors};
use faer::{Auto, Mat, MatMut, Par, Spec};

use crate::base::fail;

/// Eigenvalues of a matrix with unit diagonal count as 0 up to this, times its size: sums of a million products are
/// exact to about 1e-14.
const ZERO_EIGENVALUE: f64 = 2e-13;

/// A symmetric positive semidefinite matrix, ready to be solved for. Internally scaled to unit diagonal, so that units
/// of features do not matter.
pub struct Factor {
    /// One over the square root of the diagonal; 0 where that is 0, and then the solution is 0.
    scale: Vec<f64>,
    kind: Kind,
}

enum Kind {
    Cholesky(Mat<f64>),
    Eigen { values: Vec<f64>, vectors: Mat<f64>, zero: f64 },
}

impl Factor {
    /// Cholesky factor of `matrix` with `jitter` added to its unit diagonal; none if it is not positive definite.
    pub fn cholesky(matrix: &Mat<f64>, jitter: f64) -> Option<Factor> {
        let (scale, mut scaled) = unit_diagonal(matrix, jitter);
        let size = scaled.nrows();
        let mut buffer = MemBuffer::new(llt::factor::cholesky_in_place_scratch::<f64>(size, Par::Seq, default()));
        let stack = MemStack::new(&mut buffer);
        llt::factor::cholesky_in_place(scaled.as_mut(), Default::default(), Par::Seq, stack, default()).ok()?;
        let fine = (0..size).all(|place| scaled[(place, place)].is_finite() && scaled[(place, place)] > 0.0);
        fine.then_some(Factor { scale, kind: Kind::Cholesky(scaled) })
    }

    /// The smallest pivot of a Cholesky factor, squared: the share of a feature that the ones before it do not explain.
    /// 0 for eigenvalues.
    pub fn smallest_pivot(&self) -> f64 {
        match &self.kind {
            Kind::Cholesky(lower) => {
                (0..lower.nrows()).map(|place| lower[(place, place)].powi(2)).fold(f64::INFINITY, f64::min)
            }
            Kind::Eigen { .. } => 0.0,
        }
    }

    /// Eigenvalues and eigenvectors of `matrix`. About 10 size³ operations. Errors: the iteration does not end.
    pub fn eigen(matrix: &Mat<f64>) -> Result<Factor> {
        let (scale, scaled) = unit_diagonal(matrix, 0.0);
        let size = scaled.nrows();
        let mut values = Diag::<f64>::zeros(size);
        let mut vectors = Mat::<f64>::zeros(size, size);
        let scratch = evd::self_adjoint_evd_scratch::<f64>(size, ComputeEigenvectors::Yes, Par::Seq, default());
        let mut buffer = MemBuffer::new(scratch);
        let stack = MemStack::new(&mut buffer);
        let out = Some(vectors.as_mut());
        evd::self_adjoint_evd(scaled.as_ref(), values.as_mut(), out, Par::Seq, stack, default())
            .map_err(|_| fail::world("the features' eigenvalues could not be computed").hint("try `ridge`"))?;
        let values = (0..size).map(|place| values.column_vector()[place]).collect();
        let zero = ZERO_EIGENVALUE * (size as f64 + 10.0);
        Ok(Factor { scale, kind: Kind::Eigen { values, vectors, zero } })
    }

    /// The solution for `right`; of a pseudo-inverse, the one without any part in the null space.
    pub fn solve(&self, right: &[f64]) -> Vec<f64> {
        let mut solution: Vec<f64> = right.iter().zip(&self.scale).map(|(value, scale)| value * scale).collect();
        let size = solution.len();
        match &self.kind {
            Kind::Cholesky(lower) => {
                let out = MatMut::from_column_major_slice_mut(&mut solution, size, 1);
                let mut buffer = MemBuffer::new(llt::solve::solve_in_place_scratch::<f64>(size, 1, Par::Seq));
                llt::solve::solve_in_place(lower.as_ref(), out, Par::Seq, MemStack::new(&mut buffer));
            }
            Kind::Eigen { values, vectors, zero } => {
                let right = std::mem::replace(&mut solution, vec![0.0; size]);
                for (place, value) in values.iter().enumerate().filter(|(_, value)| **value > *zero) {
                    let vector = vectors.col(place);
                    let part = (0..size).map(|row| vector[row] * right[row]).sum::<f64>() / value;
                    for (row, out) in solution.iter_mut().enumerate() {
                        *out += part * vector[row];
                    }
                }
            }
        }
        solution.iter_mut().zip(&self.scale).for_each(|(value, scale)| *value *= scale);
        solution
    }

    /// Directions that the matrix maps to 0, in the units of solutions; none for a Cholesky factor.
    pub fn null_space(&self) -> Vec<Vec<f64>> {
        let Kind::Eigen { values, vectors, zero } = &self.kind else {
            return Vec::new();
        };
        let null = (0..values.len()).filter(|&place| values[place] <= *zero);
        let unscaled = |place: usize| (0..values.len()).map(|row| vectors[(row, place)] * self.scale[row]).collect();
        null.map(unscaled).collect()
    }
}

/// Takes away every part of `point` in the span of `directions` (modified Gram-Schmidt, twice for safety).
pub fn remove_span(point: &mut [f64], directions: Vec<Vec<f64>>) {
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(directions.len());
    for mut direction in directions {
        let largest = direction.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
        if largest > 0.0 {
            direction.iter_mut().for_each(|value| *value /= largest);
        }
        let before = norm(&direction);
        for _ in 0..2 {
            basis.iter().for_each(|unit| subtract(&mut direction, unit));
        }
        let after = norm(&direction);
        if after > 1e-10 * before {
            direction.iter_mut().for_each(|value| *value /= after);
            subtract(point, &direction);
            basis.push(direction);
        }
    }
}

fn subtract(point: &mut [f64], unit: &[f64]) {
    let part: f64 = point.iter().zip(unit).map(|(value, unit)| value * unit).sum();
    point.iter_mut().zip(unit).for_each(|(value, unit)| *value -= part * unit);
}

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|value| value * value).sum::<f64>().sqrt()
}

fn unit_diagonal(matrix: &Mat<f64>, jitter: f64) -> (Vec<f64>, Mat<f64>) {
    let size = matrix.nrows();
    let inverse_root = |value: f64| if value > f64::MIN_POSITIVE { 1.0 / value.sqrt() } else { 0.0 };
    let scale: Vec<f64> = (0..size).map(|place| inverse_root(matrix[(place, place)])).collect();
    let cell = |row: usize, column: usize| match row == column {
        true => 1.0 + jitter,
        false => matrix[(row, column)] * scale[row] * scale[column],
    };
    let scaled = Mat::from_fn(size, size, cell);
    (scale, scaled)
}

fn default<T: Auto<f64>>() -> Spec<T, f64> {
    Spec::default()
}
