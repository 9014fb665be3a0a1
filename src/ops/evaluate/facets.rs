//! Fairness to groups of people.

use anyhow::Result;

use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::FacetResult;
use crate::spec::project::EvaluateSpec;

/// Fairness to each group of `spec`.
pub fn facets(_judged: &Judged<'_>, _spec: &EvaluateSpec) -> Result<Vec<FacetResult>> {
    Ok(Vec::new())
}
