//! Fairness to a group: how its rows fare beside all others, before and after a model has answered.
//!
//! Measures, names and signs are those of Amazon SageMaker Clarify ("Measure Pre-training Bias", "Measure Post-training Data
//! and Model Bias"; Hardt et al. 2021, "Amazon SageMaker Clarify: Machine Learning Bias Detection and Explainability in the
//! Cloud"), as its open source `smclarify` computes them. `d` are the rows of the group that may be at a disadvantage, `a` all
//! others that have a value. Two differences: a measure that would be infinite or 0 / 0 is left out, where `smclarify` says
//! infinity or 0; and distances between labels are over all labels, where `smclarify` passes over those that one side lacks.

mod counts;
mod draws;
mod flip;
mod measures;

#[cfg(test)]
mod tests;

pub use counts::{Counts, Outcomes};
pub use draws::replicate;
pub use flip::{Neighbours, flip_test};

use std::collections::BTreeMap;

use crate::metrics::facets::measures::TABLE;

/// What a measure looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The data alone.
    PreTraining,
    /// Answers.
    PostTraining,
}

/// One row of the table of measures.
#[derive(Debug)]
pub struct FacetMeasure {
    /// Clarify's short name.
    pub name: &'static str,
    /// Data or answers.
    pub stage: Stage,
    /// Its formula, in the words of the help page.
    pub formula: &'static str,
    /// What it measures.
    pub about: &'static str,
    /// How it is computed from counts; `None` for the flip test, which looks at single rows.
    of: Option<fn(&Counts) -> Option<f64>>,
}

/// All measures, in the order of the help page.
pub fn all() -> &'static [FacetMeasure] {
    TABLE
}

/// The measure called `name`.
pub fn find(name: &str) -> Option<&'static FacetMeasure> {
    TABLE.iter().find(|measure| measure.name == name)
}

/// What other tools call measures, and their name here; for "did you mean".
pub fn nearest(name: &str) -> Option<&'static str> {
    const OTHERS: [(&str, &str); 10] = [
        ("dca", "DCAcc"),
        ("disparate_impact", "DI"),
        ("demographic_parity_difference", "DPPL"),
        ("demographic_parity_ratio", "DI"),
        ("equal_opportunity", "RD"),
        ("lp_norm", "LP"),
        ("l2", "LP"),
        ("generalized_entropy", "GE"),
        ("cdd", "CDDPL"),
        ("flip_test", "FT"),
    ];
    let lower = name.to_lowercase();
    let meant = OTHERS.iter().find(|(other, _)| *other == lower).map(|(_, here)| *here);
    let same = || TABLE.iter().map(|measure| measure.name).find(|known| known.to_lowercase() == lower);
    let near = || crate::base::suggest::nearest(name, TABLE.iter().map(|measure| measure.name));
    meant.or_else(same).or_else(near)
}

impl FacetMeasure {
    /// Its value, where it has one; never that of the flip test.
    pub fn value(&self, counts: &Counts) -> Option<f64> {
        self.of.and_then(|of| of(counts)).filter(|value| value.is_finite())
    }

    /// Whether it is a function of counts, so that it can be resampled.
    pub fn is_counted(&self) -> bool {
        self.of.is_some()
    }
}

/// All measures of one stage that have a meaning for these counts, without the flip test.
pub fn measure(counts: &Counts, stage: Stage) -> BTreeMap<String, f64> {
    let of_stage = TABLE.iter().filter(|measure| measure.stage == stage);
    of_stage.filter_map(|measure| Some((measure.name.to_owned(), measure.value(counts)?))).collect()
}
