//! Linear models: least squares, ridge regression, logistic regression, on one view of the features (`design`).
//!
//! Sums over rows are made in chunks that depend on the number of rows only and are added in order, so every fit gives
//! the same bits on any number of threads.

mod design;
pub mod fitted;
mod gram;
mod lbfgs;
pub mod least_squares;
pub mod logistic;
mod newton;
mod objective;
mod solve;
#[cfg(test)]
mod tests;
