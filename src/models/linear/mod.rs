//! Linear models: least squares, ridge, lasso, elastic net, logistic and Poisson regression, on one view of the
//! features (`design`).
//!
//! Sums over rows are made in chunks that depend on the number of rows only and are added in order, so every fit gives
//! the same bits on any number of threads. A row counts as much as it weighs: weight 2 is the row twice.

mod checks;
pub mod coefficients;
mod columns;
mod conjugate;
mod descent;
mod design;
pub mod fitted;
mod gram;
pub mod lasso;
mod lbfgs;
pub mod least_squares;
pub mod logistic;
mod minimise;
mod moments;
mod newton;
mod objective;
mod orthant;
mod path;
pub mod poisson;
mod solve;
mod sums;
#[cfg(test)]
mod tests;
