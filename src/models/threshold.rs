//! From which probability on a row is called positive, chosen on rows that fitting did not see.

use anyhow::Result;

use crate::base::fail;
use crate::metrics::ranking::ties;
use crate::spec::training::{ThresholdCosts, ThresholdRule};

/// A threshold and what speaks for it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Chosen {
    /// Rows with a probability above it are positive; in `[0, 1]`.
    pub threshold: f64,
    /// What the rule counts, there: F1, mean recall, Youden's J, or the total cost.
    pub value: f64,
    /// The same at one half.
    pub value_at_half: f64,
}

/// Rows called positive, rightly and wrongly, and all there are.
#[derive(Clone, Copy)]
struct Called {
    true_positives: f64,
    false_positives: f64,
    positives: f64,
    negatives: f64,
}

/// Chooses among all thresholds that tell the rows apart differently: halfway between neighbouring distinct probabilities,
/// and halfway between the outermost ones and 0 or 1. The one nearest to one half on a tie, then the lower.
///
/// `positive` and `probabilities` have one length. Errors (usage): rows of one class only. O(n log n).
pub fn choose(rule: ThresholdRule, costs: ThresholdCosts, positive: &[bool], probabilities: &[f64]) -> Result<Chosen> {
    let ties = ties(positive, probabilities);
    let positives: u64 = ties.iter().map(|tie| tie.positives).sum();
    let negatives: u64 = ties.iter().map(|tie| tie.negatives).sum();
    if positives == 0 || negatives == 0 {
        return Err(fail::usage("a threshold cannot be chosen: the validation rows are of one class only")
            .hint("make the validation part larger, or give a number as the threshold")
            .into());
    }
    let start =
        Called { true_positives: 0.0, false_positives: 0.0, positives: positives as f64, negatives: negatives as f64 };
    let mut called = start;
    let mut at_half = start;
    let mut best: Option<(f64, f64)> = None;
    for place in 0..=ties.len() {
        if let Some(tie) = place.checked_sub(1).map(|before| ties[before]) {
            called.true_positives += tie.positives as f64;
            called.false_positives += tie.negatives as f64;
            if tie.score > 0.5 {
                at_half = called;
            }
        }
        let above = place.checked_sub(1).map_or(1.0, |before| ties[before].score);
        let below = ties.get(place).map_or(0.0, |tie| tie.score);
        let middle = below + (above - below) / 2.0;
        // Neighbouring floats have nothing between them; a row with the threshold itself is negative.
        let threshold = if place > 0 && middle >= above { below } else { middle };
        if place == ties.len() && threshold >= above {
            continue;
        }
        let gain = called.gain(rule, costs);
        let nearer = |known: f64| {
            let (new, old) = ((threshold - 0.5).abs(), (known - 0.5).abs());
            new < old || (new == old && threshold < known)
        };
        if best.is_none_or(|(known, known_gain)| gain > known_gain || (gain == known_gain && nearer(known))) {
            best = Some((threshold, gain));
        }
    }
    let (threshold, gain) = best.unwrap_or((0.5, at_half.gain(rule, costs)));
    // Costs are lost, not gained.
    let sign = if rule == ThresholdRule::Cost { -1.0 } else { 1.0 };
    Ok(Chosen { threshold, value: sign * gain + 0.0, value_at_half: sign * at_half.gain(rule, costs) + 0.0 })
}

impl Called {
    /// What the rule wants as much of as possible.
    fn gain(self, rule: ThresholdRule, costs: ThresholdCosts) -> f64 {
        let Called { true_positives, false_positives, positives, negatives } = self;
        let false_negatives = positives - true_positives;
        match rule {
            ThresholdRule::F1 => 2.0 * true_positives / (2.0 * true_positives + false_positives + false_negatives),
            ThresholdRule::BalancedAccuracy => {
                (true_positives / positives + (negatives - false_positives) / negatives) / 2.0
            }
            ThresholdRule::Youden => true_positives / positives - false_positives / negatives,
            ThresholdRule::Cost => -(false_positives * costs.false_positive + false_negatives * costs.false_negative),
        }
    }
}
