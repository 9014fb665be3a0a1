//! Two models on the same rows: which is better, and whether that is more than luck.
//!
//! Differences are judged on the same resampled rows (`bootstrap`), the two where more is known by a test of their own:
//! accuracy by the rows that only one of the two answers rightly (`mcnemar`), the area under the ROC curve by the places of
//! positive rows among negative ones (`delong`). Row by row comparison is `rows`.

pub mod delong;
pub mod mcnemar;
pub mod rows;
pub mod tails;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;

use crate::metrics::bootstrap::{self, Plan, Quantity};
use crate::metrics::compare::delong::DeLong;
use crate::metrics::metric::Aim;
use crate::metrics::{Sample, Scores, zoo};
use crate::record::evaluation::{Difference, Interval};
use crate::spec::model::Task;

/// One metric of some rows of both models.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Name of the metric.
    pub metric: &'a str,
    /// Its rows; all when `None`.
    pub rows: Option<&'a [u32]>,
    /// Its value of the model that is judged, and of the one that it is compared with.
    pub values: (f64, f64),
}

/// Rows of each class from which on areas are compared by their normal limit; of fewer, by resampling.
const CLASS_ROWS_MIN: usize = 10;

/// The differences `wanted` of the samples `ours` and `theirs`, answers to the same rows, in their order.
///
/// `interval`: where the difference lies in the middle `plan.level` of the resamples, both models on the same ones; for
/// `roc_auc` of two classes without weights DeLong's. `p_value`: McNemar's test for `accuracy`, DeLong's for `roc_auc`, both
/// without weights; else twice the share of resamples on the wrong side of 0. `better` only where the interval excludes 0, and of
/// metrics whose large or small values are good. No interval without resamples, or where [`bootstrap::percentile`] gives none.
///
/// Errors: as [`bootstrap::replicate`].
pub fn differences(ours: &Sample, theirs: &Sample, wanted: &[Wanted], plan: &Plan) -> Result<Vec<Difference>> {
    let areas: Vec<Option<DeLong>> = wanted.iter().map(|wanted| area(ours, theirs, wanted)).collect();
    let resampled: Vec<usize> = (0..wanted.len()).filter(|place| areas[*place].is_none()).collect();
    let quantity = |place: &usize, sample: usize| {
        let wanted = &wanted[*place];
        Quantity { sample, metric: wanted.metric, rows: wanted.rows }
    };
    let quantities: Vec<Quantity> =
        resampled.iter().flat_map(|place| [quantity(place, 0), quantity(place, 1)]).collect();
    let values = match plan.resamples {
        0 => vec![Vec::new(); quantities.len()],
        _ => bootstrap::replicate(&[*ours, *theirs], &quantities, plan)?,
    };
    let mut pairs: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (place, pair) in resampled.iter().zip(values.as_chunks::<2>().0) {
        pairs.insert(*place, pair[0].iter().zip(&pair[1]).map(|(ours, theirs)| ours - theirs).collect());
    }
    let one = |(place, wanted): (usize, &Wanted)| {
        let (value, other) = wanted.values;
        let mut difference =
            Difference { value, other, difference: value - other, interval: None, p_value: None, test: None, better: None };
        match (&areas[place], pairs.get(&place)) {
            (Some(area), _) => set(&mut difference, area.difference_interval(plan.level), area.p_value(), "delong"),
            (None, Some(replicates)) => {
                let interval = bootstrap::percentile(replicates, plan.level);
                set(&mut difference, interval, interval.and_then(|_| sides(replicates)), "paired_bootstrap");
            }
            (None, None) => {}
        }
        if let Some(p_value) = discordant(ours, theirs, wanted) {
            (difference.p_value, difference.test) = (Some(p_value), Some("mcnemar".to_owned()));
        }
        let better = |above: bool| match zoo::find(wanted.metric, ours.task).map(|chosen| chosen.metric.aim) {
            Ok(Aim::Higher) => Some(above),
            Ok(Aim::Lower) => Some(!above),
            _ => None,
        };
        difference.better = difference.interval.and_then(|interval| beyond(&interval)).and_then(better);
        difference
    };
    Ok(wanted.iter().enumerate().map(one).collect())
}

fn set(difference: &mut Difference, interval: Option<Interval>, p_value: Option<f64>, test: &str) {
    difference.interval = interval;
    difference.test = p_value.map(|_| test.to_owned());
    difference.p_value = p_value;
}

/// Whether an interval lies above 0 (true), below it (false), or around it.
fn beyond(interval: &Interval) -> Option<bool> {
    (interval.low > 0.0 || interval.high < 0.0).then_some(interval.low > 0.0)
}

/// Twice the smaller share of replicates on one side of 0, one replicate on each side added, so that it is never 0 (Davison
/// and Hinkley 1997, §4.4).
fn sides(replicates: &[f64]) -> Option<f64> {
    let known: Vec<f64> = replicates.iter().copied().filter(|value| value.is_finite()).collect();
    let below = known.iter().filter(|value| **value <= 0.0).count();
    let above = known.iter().filter(|value| **value >= 0.0).count();
    (!known.is_empty()).then(|| (2.0 * (below.min(above) + 1) as f64 / (known.len() + 1) as f64).min(1.0))
}

/// Areas of both models where DeLong's test fits: two classes, no weights, enough rows of both.
fn area(ours: &Sample, theirs: &Sample, wanted: &Wanted) -> Option<DeLong> {
    if wanted.metric != "roc_auc" || ours.weights.is_some() || ours.task != Task::Binary {
        return None;
    }
    let (positive, scores) = positives(ours, wanted.rows)?;
    let positives_of_theirs = positives(theirs, wanted.rows)?;
    let count = positive.iter().filter(|positive| **positive).count();
    if count.min(positive.len() - count) < CLASS_ROWS_MIN {
        return None;
    }
    DeLong::new(&positive, &[&scores, &positives_of_theirs.1])
}

/// Whether each row is of the second of two classes, and its probability; `None` for other scores.
pub fn positives(sample: &Sample, rows: Option<&[u32]>) -> Option<(Vec<bool>, Vec<f64>)> {
    let Scores::Classes { truth, probabilities, names: [_, _] } = sample.scores else {
        return None;
    };
    let pairs = probabilities.as_chunks::<2>().0;
    let of_row = |row: usize| (truth[row] == 1, pairs[row][1]);
    Some(match rows {
        None => (0..truth.len()).map(of_row).unzip(),
        Some(rows) => rows.iter().map(|row| of_row(*row as usize)).unzip(),
    })
}

/// McNemar's test of accuracy; `None` for other metrics and for weighted rows.
fn discordant(ours: &Sample, theirs: &Sample, wanted: &Wanted) -> Option<f64> {
    if wanted.metric != "accuracy" || ours.weights.is_some() {
        return None;
    }
    let outcome = rows::outcome(ours, theirs, wanted.rows)?;
    Some(mcnemar::p_value(outcome.wins, outcome.losses))
}
