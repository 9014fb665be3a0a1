//! Both distributions of a column over the same few bins, for people to look at.

use crate::base::clock::Timestamp;
use crate::drift::bins::{self, Shares};
use crate::drift::pooled::Pooled;
use crate::drift::sample::Paired;
use crate::record::profile::Histograms;

/// Most bins of a drawn histogram.
const BINS_MAX: usize = 20;

/// Numbers, or moments when `times`: a bin for each value while they are few, else 20 of equal width.
pub fn of_numbers(pooled: &Pooled, times: bool) -> Option<Histograms> {
    let write = |value: f64| if times { moment(value) } else { short(value) };
    if pooled.values.is_empty() {
        return None;
    }
    if pooled.values.len() <= BINS_MAX {
        let shares = Shares::of_counts(&pooled.reference, &pooled.current);
        let labels = pooled.values.iter().map(|value| write(*value)).collect();
        return Some(Histograms { labels, reference: shares.reference, current: shares.current });
    }
    let (low, high) = bins::range(pooled);
    let edges = bins::equal(low, high, BINS_MAX);
    if !edges.iter().all(|edge| edge.is_finite()) {
        return None;
    }
    let shares = Shares::over(pooled, &edges);
    let labels = edges.windows(2).map(|pair| format!("{} – {}", write(pair[0]), write(pair[1]))).collect();
    Some(Histograms { labels, reference: shares.reference, current: shares.current })
}

/// Categories: the 19 most frequent in both tables together, and the others as one.
pub fn of_categories(paired: &Paired) -> Option<Histograms> {
    let shares = Shares::of_categories(paired);
    let mut order: Vec<usize> = (0..paired.unique()).collect();
    let weight = |index: &usize| shares.reference[*index] + shares.current[*index];
    // The unlisted values are not one category: they go last whatever their share.
    order.sort_by(|a, b| {
        let unlisted = paired.labels[*a].is_none().cmp(&paired.labels[*b].is_none());
        unlisted.then_with(|| weight(b).total_cmp(&weight(a))).then(a.cmp(b))
    });
    let listed = if order.len() > BINS_MAX { BINS_MAX - 1 } else { order.len() };
    let mut histograms = Histograms { labels: Vec::new(), reference: Vec::new(), current: Vec::new() };
    for &index in &order[..listed] {
        histograms.labels.push(paired.labels[index].clone().unwrap_or_else(|| "other".to_owned()));
        histograms.reference.push(shares.reference[index]);
        histograms.current.push(shares.current[index]);
    }
    if listed < order.len() {
        histograms.labels.push("other".to_owned());
        histograms.reference.push(order[listed..].iter().map(|&index| shares.reference[index]).sum());
        histograms.current.push(order[listed..].iter().map(|&index| shares.current[index]).sum());
    }
    (!histograms.labels.is_empty()).then_some(histograms)
}

/// Four significant digits.
pub fn short(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse::<f64>().unwrap_or(value);
    if rounded != 0.0 && !(1e-4..1e7).contains(&rounded.abs()) { format!("{rounded:e}") } else { format!("{rounded}") }
}

/// A moment as people read it.
pub fn moment(micros: f64) -> String {
    Timestamp::from_micros(micros as i64).to_string()
}
