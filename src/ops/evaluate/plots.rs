//! Points of the pictures of an evaluation: curves, reliability and histograms, thinned and weighted.

use anyhow::Result;

use crate::metrics::plots;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::Plots;
use crate::spec::project::EvaluateSpec;

/// Points of all pictures, thinned; none of clusters and anomaly scores, and none of rows that weigh nothing.
pub fn plots(judged: &Judged<'_>, _spec: &EvaluateSpec) -> Result<Plots> {
    plots::plots(&judged.sample()?)
}
