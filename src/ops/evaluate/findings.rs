//! What is odd about the rows that a model is judged on.

use anyhow::Result;

use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::JudgingFinding;
use crate::record::model::ModelRecord;
use crate::repo::Repo;

/// What rows, truth and answers alone show.
pub fn findings(_judged: &Judged<'_>) -> Result<Vec<JudgingFinding>> {
    Ok(Vec::new())
}

/// What shows beside the rows that the model was fitted on: the same rows in both.
pub fn against_training(
    _repo: &Repo,
    _record: &ModelRecord,
    _judged: &Judged<'_>,
    _ctx: &OpCtx<'_>,
) -> Result<Vec<JudgingFinding>> {
    Ok(Vec::new())
}
