//! How sure the headline metrics are, overall and slice by slice.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::{DELONG_ROWS_MIN, RESAMPLED_ROWS_MAX, RESAMPLED_ROWS_SHOWN, RESAMPLES_MAX, RESAMPLES_MIN};
use crate::base::seed::Seed;
use crate::base::talk::Unit;
use crate::base::units;
use crate::metrics::bootstrap::{self, Plan, Quantity};
use crate::metrics::compare::{self, delong::DeLong};
use crate::metrics::{self, Sample, zoo};
use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::record::evaluation::{Interval, IntervalMethod, SliceResult};
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// What intervals are called that come from resampled rows.
const METHOD: &str = "poisson_bootstrap";

/// Makes sure that intervals can be made as `spec` says, before anything is computed.
///
/// Errors: a level that is no share, more than [`RESAMPLES_MAX`] resamples.
pub fn check(spec: &EvaluateSpec) -> Result<()> {
    if !(spec.level > 0.0 && spec.level < 1.0) {
        let message = format!("the level of intervals is {}, not between 0 and 1", spec.level);
        return Err(fail::usage(message).hint("0.95 is usual").into());
    }
    if spec.resamples > RESAMPLES_MAX {
        let (asked, most) = (units::count(spec.resamples.into()), units::count(RESAMPLES_MAX.into()));
        let message = format!("{asked} resamples are more than {most}");
        return Err(fail::usage(message).hint("1,000 are enough for intervals of 95 %").into());
    }
    Ok(())
}

/// Intervals of the headline metrics, and how they were made; none with `resamples = 0`. Writes those of slices, of the
/// headline and of the metrics named that take one pass over the rows, into `slices`.
///
/// Overall: the metrics named, or the headline metrics of the task. The area of a slice of many rows gets DeLong's interval, as
/// following the order of every slice on every resample would take longer than all the rest.
pub fn intervals(
    judged: &Judged<'_>,
    spec: &EvaluateSpec,
    headline: &str,
    slices: &mut [SliceResult],
    ctx: &OpCtx<'_>,
) -> Result<(BTreeMap<String, Interval>, Option<IntervalMethod>)> {
    check(spec)?;
    let sample = judged.sample()?;
    let names = overall(spec, headline, judged.task);
    if spec.resamples == 0 || names.is_empty() || sample.scores.rows() < 2 {
        return Ok((BTreeMap::new(), None));
    }
    let measured = metrics::measure(Some(&names), &sample)?;
    let members = slice_rows(judged, slices);
    let of_slices = names.iter().filter(|name| {
        **name == headline || (spec.metrics.iter().any(|asked| asked == *name) && bootstrap::is_fast(name, judged.task))
    });
    let of_slices: Vec<&str> = of_slices.copied().collect();
    let mut wanted: Vec<(Option<usize>, Quantity)> = Vec::new();
    for metric in measured.keys() {
        wanted.push((None, Quantity { sample: 0, metric, rows: None }));
    }
    for (place, (slice, rows)) in slices.iter_mut().zip(&members).enumerate() {
        for metric in of_slices.iter().filter(|metric| slice.metrics.contains_key(**metric)) {
            match area(&sample, metric, rows).and_then(|area| area.interval(spec.level)) {
                Some(interval) => {
                    slice.intervals.insert((*metric).to_owned(), interval);
                }
                None => wanted.push((Some(place), Quantity { sample: 0, metric, rows: Some(rows) })),
            }
        }
    }
    let quantities: Vec<Quantity> = wanted.iter().map(|(_, quantity)| *quantity).collect();
    let plan = plan(&[sample], &quantities, spec, "intervals", ctx)?;
    let replicates = resample(&[sample], &quantities, &plan, ctx)?;
    let mut overall = BTreeMap::new();
    for ((slice, quantity), replicates) in wanted.iter().zip(replicates) {
        let found = bootstrap::interval(&sample, quantity, &replicates, spec.level);
        let intervals = match slice {
            None => &mut overall,
            Some(place) => &mut slices[*place].intervals,
        };
        match found {
            Some(interval) => {
                intervals.insert(quantity.metric.to_owned(), interval);
            }
            None if slice.is_none() => {
                ctx.talk.info(&format!("no interval for {}: most resamples have no value of it", quantity.metric));
            }
            None => {}
        }
    }
    let method = IntervalMethod { name: METHOD.to_owned(), level: spec.level, resamples: plan.resamples };
    Ok((overall, Some(method)))
}

/// Metrics that get intervals: those named, else the headline metrics of the task.
fn overall<'a>(spec: &'a EvaluateSpec, headline: &'a str, task: Task) -> Vec<&'a str> {
    let of_task: &[&str] = match task {
        Task::Binary => &[
            "roc_auc",
            "average_precision",
            "log_loss",
            "brier",
            "accuracy",
            "balanced_accuracy",
            "f1",
            "precision",
            "recall",
            "matthews_corrcoef",
        ],
        Task::Multiclass => &["log_loss", "brier", "accuracy", "balanced_accuracy", "f1_macro", "matthews_corrcoef"],
        Task::Regression => &["rmse", "mae", "r2", "mape", "wape"],
        Task::Anomaly => &["average_precision", "roc_auc", "precision", "recall", "f1", "flagged_share"],
        // A row resampled is a row twice in the same place: distances between rows shrink, and nothing is learnt from it.
        Task::Clustering => return Vec::new(),
    };
    let asked = spec.metrics.iter().map(String::as_str).filter(|name| *name != zoo::ALL);
    if asked.clone().next().is_none() {
        let others = of_task.iter().copied().filter(|name| *name != headline);
        return std::iter::once(headline).chain(others).collect();
    }
    asked.collect()
}

/// Rows of each of `slices`; none of one that the jury's divisions do not have.
pub fn slice_rows(judged: &Judged<'_>, slices: &[SliceResult]) -> Vec<Vec<u32>> {
    let mut members: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
    for division in &judged.jury.divisions {
        let names = division.names.iter().map(|name| (division.text.as_str(), name.as_str()));
        members.extend(names.zip(division.members()));
    }
    let rows = |slice: &SliceResult| members.get(&(slice.column.as_str(), slice.value.as_str())).cloned();
    slices.iter().map(|slice| rows(slice).unwrap_or_default()).collect()
}

/// The area under the ROC curve of many rows of two classes without weights, with its variance.
pub fn area(sample: &Sample, metric: &str, rows: &[u32]) -> Option<DeLong> {
    let (rows_min, class_rows_min) = DELONG_ROWS_MIN;
    if metric != "roc_auc" || sample.task != Task::Binary || sample.weights.is_some() || rows.len() < rows_min {
        return None;
    }
    let (positive, scores) = compare::positives(sample, Some(rows))?;
    let count = positive.iter().filter(|positive| **positive).count();
    (count.min(rows.len() - count) >= class_rows_min).then(|| DeLong::new(&positive, &[&scores]))?
}

/// As many resamples as `spec` says, or fewer where that many would take too long, which is said. `part` tells draws of
/// different parts of an evaluation apart.
pub fn plan(samples: &[Sample], wanted: &[Quantity], spec: &EvaluateSpec, part: &str, ctx: &OpCtx<'_>) -> Result<Plan> {
    let affordable = RESAMPLED_ROWS_MAX / bootstrap::cost(samples, wanted)?.max(1);
    let resamples = u64::from(spec.resamples).min(affordable.max(RESAMPLES_MIN.into())) as u32;
    if resamples < spec.resamples {
        let (drawn, asked) = (units::count(resamples.into()), units::count(spec.resamples.into()));
        ctx.talk.info(&format!("{part} come from {drawn} resamples in place of {asked}, which would take too long"));
    }
    Ok(Plan { resamples, level: spec.level, seed: Seed(ctx.seed).derive(part) })
}

/// Replicates of `wanted`, with progress where they take long.
pub fn resample(samples: &[Sample], wanted: &[Quantity], plan: &Plan, ctx: &OpCtx<'_>) -> Result<Vec<Vec<f64>>> {
    let looks = bootstrap::cost(samples, wanted)?.saturating_mul(plan.resamples.into());
    if looks < RESAMPLED_ROWS_SHOWN {
        return bootstrap::replicate(samples, wanted, plan);
    }
    let bar = ctx.talk.start("resamples", Some(plan.resamples.into()), Unit::Items);
    bootstrap::replicate_with(samples, wanted, plan, &|| bar.advance(1))
}
