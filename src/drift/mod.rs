//! Have two tables the same distributions? Statistics, tests and effect sizes from two profiles.
//!
//! Lives here: the tests of Evidently and the comparators of TensorFlow Data Validation over weighted points and counts
//! (`record::profile`), the choice among them, the noise floor of a sample.
//! Does not live here: making profiles (`data`), what a drifted column means for a verdict (`quality`, `ops`).
//!
//! Always holds: pure functions of two profiles; same profiles, same numbers; an approximate input is said to be one.

pub mod bins;
pub mod choice;
pub mod comparators;
pub mod compare;
pub mod divergence;
pub mod floor;
pub mod numeric;
pub mod pooled;
pub mod report;
pub mod sample;

mod column;
mod discrepancy;
mod discrete;
mod distribution;
mod histogram;
mod kolmogorov;
mod measure;
mod permute;
mod small;

#[cfg(test)]
mod tests;
