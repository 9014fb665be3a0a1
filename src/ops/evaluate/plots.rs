//! Points of the pictures of an evaluation.

use anyhow::Result;

use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::Plots;
use crate::spec::project::EvaluateSpec;

/// Points of all pictures, thinned.
pub fn plots(_judged: &Judged<'_>, _spec: &EvaluateSpec) -> Result<Plots> {
    Ok(Plots::default())
}
