//! Parts of the judged rows, each measured apart.

use anyhow::Result;

use crate::base::units;
use crate::data::divide::{self, Division};
use crate::metrics::slices::slices as measure_slices;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::jury::Jury;
use crate::record::evaluation::SliceResult;
use crate::spec::project::EvaluateSpec;

/// The jury with its rows divided into the slices of `spec`, before any model is asked: [`Jury::divisions`]. Says what was
/// decided on the way.
///
/// Errors: as [`divide::divide`].
pub fn divided(jury: Jury, spec: &EvaluateSpec, ctx: &OpCtx<'_>) -> Result<Jury> {
    let divisions = divide::divide(&jury.table, &spec.slices)?;
    for division in &divisions {
        division.notes.iter().for_each(|note| ctx.talk.info(note));
        let small = small_slices(division, spec.slice_rows_min);
        if !small.is_empty() {
            let (count, least) = (units::plural(small.len() as u64, "slice"), spec.slice_rows_min);
            let rows = units::plural(small.iter().map(|(_, rows)| rows).sum(), "row");
            ctx.talk
                .info(&format!("`{}`: {count} of fewer than {least} rows left out, {rows} together", division.text));
        }
    }
    Ok(Jury { divisions, ..jury })
}

/// Names and rows of the slices of `division` that are left out because they have fewer rows than `rows_min`.
pub fn small_slices(division: &Division, rows_min: u64) -> Vec<(String, u64)> {
    let sizes = division.sizes().into_iter();
    division.names.iter().cloned().zip(sizes).filter(|(_, rows)| *rows < rows_min).collect()
}

/// Metrics of each slice of `spec`, in its order; small ones are left out (see [`small_slices`]).
pub fn slices(judged: &Judged<'_>, spec: &EvaluateSpec) -> Result<Vec<SliceResult>> {
    measure_slices(&judged.jury.divisions, &judged.sample()?, spec.slice_rows_min)
}
