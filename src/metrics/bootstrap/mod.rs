//! How far metrics would move on other rows of the same kind: the bootstrap.
//!
//! Every resample gives each row a weight of its own, 0 to 5, drawn as in `draws`; a metric of the weighted rows is one
//! replicate (Poisson bootstrap: Hanley and MacGibbon 2006; Chamandy et al. 2012, "Estimating uncertainty for massive data
//! streams"; weights with mean and variance 1: Præstgaard and Wellner 1993). Unlike resampling with replacement, rows are
//! drawn independently of each other: nothing is shuffled, and parts of the rows keep their own number of rows.
//!
//! Metrics that are functions of few sums over rows (`sums`), of the table of true against predicted classes (`table`) or of
//! one order of the rows (`order`) cost one pass over the rows a resample; all others (`general`) are measured anew.

mod draws;
mod general;
mod order;
mod passes;
mod sums;
mod table;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::base::seed::Seed;
use crate::data::frame::MISSING_CODE;
use crate::metrics::bootstrap::draws::Draws;
use crate::metrics::{Sample, Scores};
use crate::record::evaluation::Interval;
use crate::spec::model::Task;

/// How many resamples are drawn, from which chance, for intervals of which level.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Resamples.
    pub resamples: u32,
    /// Share of intervals that hold the true value, in `(0, 1)`.
    pub level: f64,
    /// Where the draws come from.
    pub seed: Seed,
}

/// One metric of some rows of one sample.
#[derive(Clone, Copy, Debug)]
pub struct Quantity<'a> {
    /// Which of the samples.
    pub sample: usize,
    /// Name of the metric.
    pub metric: &'a str,
    /// Its rows; all when `None`.
    pub rows: Option<&'a [u32]>,
}

/// Whether `metric` takes one pass over the rows a resample; all others are measured anew, some fifty times slower.
pub fn is_fast(metric: &str, task: Task) -> bool {
    passes::is_fast(metric, task)
}

/// Values of each of the quantities `wanted` on `plan.resamples` resamples of the rows, NaN where one has no meaning. The
/// samples are answers to the same rows; every resample gives a row the same weight in all quantities, so that differences
/// of their values are paired.
///
/// The same bits for the same plan on any number of threads. Errors: samples of different lengths; a quantity of a sample or
/// row that is not there; those of [`crate::metrics::measure`].
pub fn replicate(samples: &[Sample], wanted: &[Quantity], plan: &Plan) -> Result<Vec<Vec<f64>>> {
    replicate_with(samples, wanted, plan, &|| ())
}

/// As [`replicate`]; calls `after` after each resample.
pub fn replicate_with(
    samples: &[Sample],
    wanted: &[Quantity],
    plan: &Plan,
    after: &(dyn Fn() + Sync),
) -> Result<Vec<Vec<f64>>> {
    let rows = check(samples, wanted)?;
    let parts = passes::parts(samples, wanted, rows)?;
    let room = || (Draws::new(rows, plan.seed), Vec::new());
    let one = |(draws, own): &mut (Draws, Vec<u8>), number: u32| -> Result<Vec<f64>> {
        draws.draw(plan.seed.nth(u64::from(number)));
        let mut values = vec![f64::NAN; wanted.len()];
        parts.iter().try_for_each(|part| part.values(draws.weights(), own, &mut values))?;
        after();
        Ok(values)
    };
    let resamples = (0..plan.resamples).into_par_iter().map_init(room, one).collect::<Result<Vec<_>>>()?;
    Ok((0..wanted.len()).map(|place| resamples.iter().map(|values| values[place]).collect()).collect())
}

/// About how many times [`replicate`] looks at a row in one resample: some nanoseconds each.
///
/// Errors: as [`replicate`].
pub fn cost(samples: &[Sample], wanted: &[Quantity]) -> Result<u64> {
    let rows = check(samples, wanted)?;
    passes::cost(samples, wanted, rows)
}

/// Number of rows of the samples, which all have.
fn check(samples: &[Sample], wanted: &[Quantity]) -> Result<usize> {
    let rows = samples.first().map_or(0, |sample| sample.scores.rows());
    for sample in samples {
        let own = sample.scores.rows();
        let weights = sample.weights.map_or(own, <[f64]>::len);
        if own != rows || weights != rows {
            let message = format!("answers to the same rows are wanted, there are {rows}, {own} and {weights} of them");
            return Err(fail::usage(message).into());
        }
    }
    for quantity in wanted {
        let beyond = quantity.rows.unwrap_or_default().iter().find(|row| **row as usize >= rows);
        if quantity.sample >= samples.len() || beyond.is_some() {
            let message = format!("`{}` is wanted of rows or answers that are not there", quantity.metric);
            return Err(fail::usage(message).into());
        }
    }
    Ok(rows)
}

/// Fewest replicates that make an interval.
const REPLICATES_MIN: usize = 20;

/// The middle `level` of the replicates `values` (percentile interval; Efron and Tibshirani 1993, §13.3), between order
/// statistics by straight lines, as `numpy.quantile`. Replicates that have no meaning are passed over; `None` when less than
/// half of them, or less than 20, have one: then it is the rows that decide whether there is a value at all.
pub fn percentile(values: &[f64], level: f64) -> Option<Interval> {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    if sorted.len() < REPLICATES_MIN.max(values.len().div_ceil(2)) || !(level > 0.0 && level < 1.0) {
        return None;
    }
    sorted.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * (sorted.len() - 1) as f64;
        let low = place.floor() as usize;
        let high = (low + 1).min(sorted.len() - 1);
        sorted[low] + (sorted[high] - sorted[low]) * (place - low as f64)
    };
    let tail = (1.0 - level) / 2.0;
    Some(Interval { low: at(tail), high: at(1.0 - tail) })
}

/// The percentile interval of `quantity` from its replicates, widened where all of them are exactly 0 or exactly 1: a share
/// that no row contradicts is not certain. Its other end is then that of Clopper and Pearson (1934) for as many rows as the
/// rarest class has, of accuracy for all rows; 37 rows without a mistake reach down to 0.905.
///
/// Of classes and flags only; elsewhere, and where [`percentile`] has none, as that.
pub fn interval(sample: &Sample, quantity: &Quantity, replicates: &[f64], level: f64) -> Option<Interval> {
    let found = percentile(replicates, level)?;
    let rows = counted_rows(sample, quantity);
    if found.low != found.high || (found.low != 0.0 && found.low != 1.0) || rows == 0 {
        return Some(found);
    }
    let reach = ((1.0 - level) / 2.0).powf(1.0 / rows as f64);
    Some(if found.low == 1.0 { Interval { low: reach, high: 1.0 } } else { Interval { low: 0.0, high: 1.0 - reach } })
}

/// Replicates whose [`percentile`] interval is that of [`interval`]: where all of them are exactly 0 or exactly 1, values
/// spread as Clopper and Pearson have the unknown share, which can be put together with those of other quantities.
pub fn spread(sample: &Sample, quantity: &Quantity, replicates: Vec<f64>) -> Vec<f64> {
    let is_all = |value: f64| replicates.iter().all(|of| *of == value);
    let rows = if is_all(0.0) || is_all(1.0) { counted_rows(sample, quantity) } else { 0 };
    if rows == 0 || replicates.is_empty() {
        return replicates;
    }
    let count = replicates.len() as f64;
    let below_one = (0..replicates.len()).map(|place| ((place as f64 + 0.5) / count).powf(1.0 / rows as f64));
    if is_all(1.0) { below_one.collect() } else { below_one.map(|share| 1.0 - share).collect() }
}

/// Rows that a share is counted on; 0 for numbers and clusters.
fn counted_rows(sample: &Sample, quantity: &Quantity) -> usize {
    let (Scores::Classes { truth, .. } | Scores::Anomalies { truth, .. }) = sample.scores else {
        return 0;
    };
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let mut add = |code: u32| *counts.entry(code).or_default() += 1;
    match quantity.rows {
        None => truth.iter().for_each(|code| add(*code)),
        Some(rows) => rows.iter().for_each(|row| add(truth[*row as usize])),
    }
    let known = counts.iter().filter(|(code, _)| **code != MISSING_CODE).map(|(_, count)| *count);
    if quantity.metric == "accuracy" { known.sum() } else { known.min().unwrap_or(0) }
}
