//! Squared loss as products of pairs of features and target: what coordinate descent and cross-validation read when
//! features are few, whatever the number of rows.

use faer::Mat;

use crate::models::linear::descent::{Products, Quadratic};
use crate::models::linear::design::Design;
use crate::models::linear::gram;
use crate::models::linear::lasso::SquaredLoss;

/// Weighted sums over some rows of products of features, a 1 and the target.
pub struct Sums {
    /// Of features and, last, 1 with each other.
    gram: Mat<f64>,
    /// Of features and, last, 1 with the target.
    right: Vec<f64>,
    /// Of the target with itself.
    squares: f64,
}

impl Sums {
    /// The sums over the rows that are `member`s. Two passes.
    pub fn of(design: &Design<'_>, target: &[f64], member: impl Fn(usize) -> bool + Sync) -> Sums {
        let weight = |row: usize| if member(row) { design.weight(row) } else { 0.0 };
        let gram = gram::gram(design, 1, weight);
        let right = design.totals(|block, out| {
            block.zip(out).for_each(|(row, out)| *out = weight(row) * target[row]);
        });
        let squares = target.iter().enumerate().map(|(row, value)| weight(row) * value * value).sum();
        Sums { gram, right, squares }
    }

    /// These and, `sign` times, others.
    pub fn plus(&self, other: &Sums, sign: f64) -> Sums {
        let add = |(a, b): (&f64, &f64)| a + sign * b;
        Sums {
            gram: Mat::from_fn(self.gram.nrows(), self.gram.ncols(), |row, column| {
                self.gram[(row, column)] + sign * other.gram[(row, column)]
            }),
            right: self.right.iter().zip(&other.right).map(add).collect(),
            squares: self.squares + sign * other.squares,
        }
    }

    /// Sum of the weights.
    pub fn total(&self) -> f64 {
        self.gram[(self.right.len() - 1, self.right.len() - 1)]
    }

    /// Mean squared error of coefficients and intercept on these rows.
    pub fn error(&self, point: &[f64], intercept: f64) -> f64 {
        let width = point.len();
        let kept: Vec<(usize, f64)> =
            (0..width).map(|place| (place, point[place])).filter(|one| one.1 != 0.0).collect();
        let kept = [kept, vec![(width, intercept)]].concat();
        let mut error = self.squares;
        for &(left, value) in &kept {
            let bent: f64 = kept.iter().map(|&(right, other)| other * self.gram[(right, left)]).sum();
            error += value * (bent - 2.0 * self.right[left]);
        }
        (error / self.total()).max(0.0)
    }
}

/// Centred means of products.
pub struct Moments {
    gram: Mat<f64>,
    right: Vec<f64>,
    squares: f64,
    /// Mean of each feature.
    pub means: Vec<f64>,
    /// Mean of the target.
    pub mean: f64,
}

impl Moments {
    /// Centres sums.
    pub fn of(sums: &Sums) -> Moments {
        let (total, width) = (sums.total(), sums.right.len() - 1);
        let means: Vec<f64> = (0..width).map(|place| sums.gram[(place, width)] / total).collect();
        let mean = sums.right[width] / total;
        let gram =
            Mat::from_fn(width, width, |row, column| sums.gram[(row, column)] / total - means[row] * means[column]);
        let right = (0..width).map(|place| sums.right[place] / total - means[place] * mean).collect();
        Moments { gram, right, squares: (sums.squares / total - mean * mean).max(0.0), means, mean }
    }

    /// Mean centred product of each feature with the target.
    pub fn right(&self) -> &[f64] {
        &self.right
    }

    /// The loss where all coefficients are 0.
    pub fn start(&self) -> MomentLoss<'_> {
        MomentLoss { moments: self, products: Products::new(&self.gram, self.right.clone()) }
    }
}

/// Squared loss at a point.
pub struct MomentLoss<'a> {
    moments: &'a Moments,
    products: Products<'a>,
}

impl Quadratic for MomentLoss<'_> {
    fn curvature(&self, place: usize) -> f64 {
        self.products.curvature(place)
    }

    fn slope(&self, place: usize) -> f64 {
        self.products.slope(place)
    }

    fn step(&mut self, place: usize, change: f64) {
        self.products.step(place, change);
    }
}

impl SquaredLoss for MomentLoss<'_> {
    fn target_squares(&self) -> f64 {
        self.moments.squares
    }

    fn residuals(&self, point: &[f64]) -> (f64, f64) {
        let product: f64 = point.iter().zip(&self.moments.right).map(|(value, right)| value * right).sum();
        let bent: f64 = point.iter().enumerate().map(|(place, value)| value * self.slope(place)).sum();
        let with_target = self.moments.squares - product;
        ((with_target - bent).max(0.0), with_target)
    }
}
