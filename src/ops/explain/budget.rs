//! How much is asked of a model: what takes a second of trees would take minutes of kinds that keep all their rows.
//!
//! Told by the kind alone, never by a clock, so that equal inputs give equal numbers on any machine.

use crate::base::limits::{
    EXPLAIN_EVALUATIONS, EXPLAIN_EVALUATIONS_SLOW, EXPLAIN_INTERACTION_ROWS, EXPLAIN_INTERACTION_ROWS_SLOW,
    EXPLAIN_ROWS, EXPLAIN_ROWS_SLOW,
};
use crate::models::package::ModelPackage;

/// Kinds whose answer takes microseconds, whatever they were trained on.
const QUICK: [&str; 13] = [
    "baseline",
    "boost",
    "elastic_net",
    "extra_trees",
    "forest",
    "isolation_forest",
    "lasso",
    "linear",
    "logistic",
    "naive_bayes",
    "poisson",
    "ridge",
    "tree",
];

/// What may be asked of a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Whether the kind answers quickly.
    pub quick: bool,
    /// Rows to look at, when nobody said how many.
    pub rows: usize,
    /// Answers for sampled contributions.
    pub evaluations: usize,
    /// Rows among which interactions are measured.
    pub interaction_rows: usize,
}

/// What may be asked of the model of a package.
pub fn budget(package: &ModelPackage) -> Budget {
    match QUICK.contains(&package.header.model.as_str()) {
        true => Budget {
            quick: true,
            rows: EXPLAIN_ROWS,
            evaluations: EXPLAIN_EVALUATIONS,
            interaction_rows: EXPLAIN_INTERACTION_ROWS,
        },
        false => Budget {
            quick: false,
            rows: EXPLAIN_ROWS_SLOW,
            evaluations: EXPLAIN_EVALUATIONS_SLOW,
            interaction_rows: EXPLAIN_INTERACTION_ROWS_SLOW,
        },
    }
}
