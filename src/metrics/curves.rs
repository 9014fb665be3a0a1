//! Points of the ROC, precision-recall and gain curves, for plots.

use crate::metrics::ranked::{Ranked, Step};

/// Points of the ROC curve: `[false positive rate, true positive rate]`, from nothing called positive to everything, one for
/// each distinct score, thinned to at most `limit` (at least 2). Equals `roc_curve(drop_intermediate=False)` unthinned.
pub fn roc(ranked: &Ranked, limit: usize) -> Vec<[f64; 2]> {
    let point = |step: &Step| [step.false_positives / ranked.negatives, step.true_positives / ranked.positives];
    std::iter::once([0.0, 0.0]).chain(thinned(ranked, limit - 1).iter().map(point)).collect()
}

/// Points of the precision-recall curve: `[recall, precision]`, precision 1 where no row is called positive; as [`roc`].
/// Equals `precision_recall_curve` read from its end.
pub fn precision_recall(ranked: &Ranked, limit: usize) -> Vec<[f64; 2]> {
    let point = |step: &Step| [step.true_positives / ranked.positives, step.true_positives / step.called()];
    std::iter::once([0.0, 1.0]).chain(thinned(ranked, limit - 1).iter().map(point)).collect()
}

/// Points of the cumulative gain curve: `[share of rows, share of the positive rows found]`, highest scores first, at
/// `points` (at least 2) even shares from 0 to 1.
pub fn gain(ranked: &Ranked, points: usize) -> Vec<[f64; 2]> {
    let point = |place: usize| {
        let share = place as f64 / (points - 1) as f64;
        let found = if place == 0 { 0.0 } else { ranked.found_in(share) / ranked.positives };
        [share, found]
    };
    (0..points).map(point).collect()
}

/// At most `limit` steps, the last among them, chosen evenly along the ROC curve: where it is steep as where it is flat.
fn thinned(ranked: &Ranked, limit: usize) -> Vec<Step> {
    if ranked.steps.len() <= limit {
        return ranked.steps.clone();
    }
    let length = |step: &Step| step.true_positives / ranked.positives + step.false_positives / ranked.negatives;
    let last = ranked.steps.len() - 1;
    let (mut kept, mut next) = (Vec::with_capacity(limit), 0);
    for place in 1..=limit {
        // The whole length is 2.
        let wanted = 2.0 * place as f64 / limit as f64;
        let at = (next + ranked.steps[next..].partition_point(|step| length(step) < wanted)).min(last);
        kept.push(ranked.steps[at]);
        next = at + 1;
        if next > last {
            break;
        }
    }
    kept
}
