//! Areas under ROC curves of the same rows, with their variances and covariances (DeLong, DeLong and Clarke-Pearson 1988),
//! from mid-ranks in O(n log n) (Sun and Xu 2014, "Fast implementation of DeLong's algorithm").

use crate::metrics::compare::tails::{normal_reach, normal_two_tails};
use crate::metrics::ranking::ranks;
use crate::record::evaluation::Interval;

/// Areas of one or two scores.
#[derive(Clone, Debug, PartialEq)]
pub struct DeLong {
    /// Area of each score, ties counted half.
    pub areas: Vec<f64>,
    /// Covariance of each pair of areas.
    pub covariances: Vec<Vec<f64>>,
}

impl DeLong {
    /// Areas of `scores`, each of one length with `positive`; `None` unless two rows are positive and two are not.
    ///
    /// With m positive rows x and n others y: V(x) = the share of others that x is above, V(y) = the share of positive rows
    /// above y, ties half; the area is the mean of either, and covariances are S(x) / m + S(y) / n with the sample
    /// covariances S of V. V(x) = (rank among all − rank among positives) / n.
    pub fn new(positive: &[bool], scores: &[&[f64]]) -> Option<DeLong> {
        let count = positive.iter().filter(|positive| **positive).count();
        let others = positive.len() - count;
        if count < 2 || others < 2 {
            return None;
        }
        let placements: Vec<(Vec<f64>, Vec<f64>)> = scores.iter().map(|scores| placements(positive, scores)).collect();
        let areas: Vec<f64> = placements.iter().map(|(above, _)| above.iter().sum::<f64>() / count as f64).collect();
        let covariance = |a: usize, b: usize| {
            let of = |x: &[f64], y: &[f64]| {
                let products = x.iter().zip(y).map(|(x, y)| (x - areas[a]) * (y - areas[b]));
                products.sum::<f64>() / (x.len() - 1) as f64 / x.len() as f64
            };
            of(&placements[a].0, &placements[b].0) + of(&placements[a].1, &placements[b].1)
        };
        let places = 0..areas.len();
        let covariances = places.clone().map(|a| places.clone().map(|b| covariance(a, b)).collect()).collect();
        Some(DeLong { areas, covariances })
    }

    /// Interval of the first area, made on the scale of ln(a / (1 − a)), on which it stays within `[0, 1]` and holds its level
    /// near the ends. `None` for an area of 0 or 1, whose variance is unknown.
    pub fn interval(&self, level: f64) -> Option<Interval> {
        let area = self.areas[0];
        if !(area > 0.0 && area < 1.0) {
            return None;
        }
        let middle = (area / (1.0 - area)).ln();
        let reach = normal_reach(level) * self.covariances[0][0].max(0.0).sqrt() / (area * (1.0 - area));
        let back = |value: f64| 1.0 / (1.0 + (-value).exp());
        Some(Interval { low: back(middle - reach), high: back(middle + reach) })
    }

    /// Interval of the first area less the second.
    pub fn difference_interval(&self, level: f64) -> Option<Interval> {
        let (difference, deviation) = self.difference();
        let reach = normal_reach(level) * deviation;
        reach.is_finite().then_some(Interval { low: difference - reach, high: difference + reach })
    }

    /// Chance of a difference as large between equal areas: 1 for two scores of the same order.
    pub fn p_value(&self) -> Option<f64> {
        let (difference, deviation) = self.difference();
        match (difference == 0.0, deviation > 0.0) {
            (true, _) => Some(1.0),
            (false, true) => Some(normal_two_tails(difference / deviation)),
            (false, false) => None,
        }
    }

    fn difference(&self) -> (f64, f64) {
        let [first, second] = [&self.covariances[0], &self.covariances[1]];
        let variance = first[0] + second[1] - 2.0 * first[1];
        // Below this the variances have cancelled: both scores order the rows alike.
        let variance = if variance > 1e-14 * (first[0] + second[1]) { variance } else { 0.0 };
        (self.areas[0] - self.areas[1], variance.sqrt())
    }
}

/// Share of other rows below each positive one, and of positive rows above each other one.
fn placements(positive: &[bool], scores: &[f64]) -> (Vec<f64>, Vec<f64>) {
    // Adding 0 makes -0 and 0 one score.
    let scores: Vec<f64> = scores.iter().map(|score| score + 0.0).collect();
    let of = |wanted: bool, values: &[f64]| -> Vec<f64> {
        values.iter().zip(positive).filter(|(_, positive)| **positive == wanted).map(|(value, _)| *value).collect()
    };
    let all = ranks(&scores);
    let own = [true, false].map(|wanted| ranks(&of(wanted, &scores)));
    let [positives, others] = own.each_ref().map(|ranks| ranks.len() as f64);
    let place = |wanted: bool, ranks: &[f64], size: f64| -> Vec<f64> {
        of(wanted, &all).iter().zip(ranks).map(|(among_all, among_own)| (among_all - among_own) / size).collect()
    };
    let below = place(true, &own[0], others);
    let above = place(false, &own[1], positives).into_iter().map(|share| 1.0 - share).collect();
    (below, above)
}
