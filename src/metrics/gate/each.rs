//! Gates that every slice has to hold by itself.

use crate::base::limits::GATE_SLICES_LISTED_MAX;
use crate::base::units;
use crate::metrics::gate::lookup::{Leaf, Measured};
use crate::metrics::gate::sure::Sure;
use crate::metrics::gate::words::show;
use crate::metrics::gate::{Against, Outcome, compare, result};
use crate::record::evaluation::GateResult;
use crate::spec::gate::{Bound, Comparison, GateSpec, Term};

/// One slice as judged: how far its value is on the right side, infinitely far on the wrong one without a value.
struct Slice {
    label: String,
    value: Option<f64>,
    slack: f64,
    outcome: Outcome,
}

/// Judges every slice, against the same slice of the champion where the gate is about one. Value, bound and interval are those of
/// the slice that does worst; the reason lists the slices that fail. A slice without a value fails.
pub fn judge(gate: &GateSpec, ours: &Measured, champion: Option<&Measured>, sure: Option<&Sure>) -> GateResult {
    let leaves = ours.leaves(&gate.left.first);
    if leaves.is_empty() {
        let reason = format!("`{}` has no value: no row is of such a slice", gate.left);
        return result(gate, None, None, false, reason);
    }
    if let (Some(term), None) = (gate.of_champion(), champion) {
        let values: Vec<f64> = leaves.iter().filter_map(|leaf| ours.leaf(leaf)).collect();
        let (low, high) =
            values.iter().fold((f64::NAN, f64::NAN), |(low, high), value| (value.min(low), value.max(high)));
        let reason = format!(
            "there is no champion yet to compare {term} with; the slices reach {} to {}",
            show(low),
            show(high)
        );
        let reason = if values.is_empty() { format!("`{}` has no value on these rows", gate.left) } else { reason };
        return result(gate, low.is_finite().then_some(low), None, !values.is_empty(), reason);
    }
    let slices: Vec<Slice> = leaves.iter().map(|leaf| judge_slice(gate, leaf, ours, champion, sure)).collect();
    let Some(worst) = slices.iter().min_by(|a, b| a.slack.total_cmp(&b.slack)) else {
        return result(gate, None, None, false, format!("`{}` has no value on these rows", gate.left));
    };
    let failed: Vec<String> = slices
        .iter()
        .filter(|slice| !slice.outcome.passed)
        .map(|slice| format!("{}: {}", slice.label, slice.outcome.reason))
        .collect();
    let reason = match failed.len() {
        0 => {
            let all = units::plural(slices.len() as u64, "slice");
            format!("all {all} hold; nearest to failing is {}: {}", worst.label, worst.outcome.reason)
        }
        count => {
            let more = match count.saturating_sub(GATE_SLICES_LISTED_MAX) {
                0 => String::new(),
                more => format!("; and {more} more"),
            };
            let listed = failed[..count.min(GATE_SLICES_LISTED_MAX)].join("; ");
            format!("{count} of {} fail: {listed}{more}", units::plural(slices.len() as u64, "slice"))
        }
    };
    let judged = result(gate, worst.value, worst.outcome.bound, failed.is_empty(), reason);
    GateResult { interval: worst.outcome.interval, ..judged }
}

fn judge_slice(
    gate: &GateSpec,
    leaf: &Leaf,
    ours: &Measured,
    champion: Option<&Measured>,
    sure: Option<&Sure>,
) -> Slice {
    let missing = |value: Option<f64>, reason: &str| Slice {
        label: leaf.label(),
        value,
        slack: f64::NEG_INFINITY,
        outcome: Outcome { bound: None, passed: false, reason: reason.to_owned(), interval: None },
    };
    let Some(value) = ours.leaf(leaf) else {
        return missing(None, "no value");
    };
    let same = gate.of_champion().zip(champion).map(|(term, champion)| (same_slice(leaf, term), champion));
    let against = match (&gate.bound, &same) {
        (Bound::Champion { offset, .. }, Some((theirs, champion))) => match champion.leaf(theirs) {
            Some(theirs) => Against::Champion(theirs, *offset),
            None => return missing(Some(value), "the champion has no value there"),
        },
        (Bound::Value(bound), _) => Against::Number(*bound),
        (Bound::Champion { .. }, None) => return missing(Some(value), "there is no champion"),
    };
    let theirs = same.as_ref().map(|(theirs, champion)| (theirs, *champion));
    let drawn = sure.map(|sure| sure.judged_leaf(gate, &against, (leaf, ours), theirs));
    let outcome = compare(gate, value, &against, drawn);
    let slack = match (outcome.bound, gate.comparison) {
        (None, _) => f64::NEG_INFINITY,
        (Some(bound), Comparison::AtLeast | Comparison::Above) => value - bound,
        (Some(bound), Comparison::AtMost | Comparison::Below) => bound - value,
        (Some(bound), Comparison::Equal) => -(value - bound).abs(),
    };
    Slice { label: leaf.label(), value: Some(value), slack, outcome }
}

/// The leaf of the champion that a slice is compared with.
pub fn same_slice(leaf: &Leaf, term: &Term) -> Leaf {
    let (Term::Whole(metric) | Term::Part { metric, .. }) = term;
    match leaf.clone() {
        Leaf::Slice { column, value, .. } => Leaf::Slice { column, value, metric: metric.clone() },
        Leaf::Facet { column, value, .. } => Leaf::Facet { column, value, measure: metric.clone() },
        other => other,
    }
}
