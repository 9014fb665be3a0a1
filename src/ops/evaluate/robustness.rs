//! What becomes of the headline metric when rows or training are disturbed.

use anyhow::Result;

use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::RobustnessResult;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::project::EvaluateSpec;

/// Missing values, noise and other seeds.
pub fn robustness(
    _repo: &Repo,
    _record: &ModelRecord,
    _judged: &Judged<'_>,
    _spec: &EvaluateSpec,
    _ctx: &OpCtx<'_>,
) -> Result<Vec<RobustnessResult>> {
    Ok(Vec::new())
}
