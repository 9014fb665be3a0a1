//! How sure the headline metrics are.

use std::collections::BTreeMap;

use anyhow::Result;

use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::{Interval, IntervalMethod};
use crate::spec::project::EvaluateSpec;

/// Intervals of the headline metrics, and how they were made; none with `resamples = 0`.
pub fn intervals(
    _judged: &Judged<'_>,
    _spec: &EvaluateSpec,
    _headline: &str,
    _ctx: &OpCtx<'_>,
) -> Result<(BTreeMap<String, Interval>, Option<IntervalMethod>)> {
    Ok((BTreeMap::new(), None))
}
