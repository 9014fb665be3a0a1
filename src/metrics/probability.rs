//! Metrics of the probabilities themselves: proper scores, and how well they keep what they promise.

use crate::metrics::calibration::ReliabilityBin;
use crate::metrics::classes::Classes;
use crate::metrics::positive::Positive;
use crate::metrics::{spread, sums};

fn surprise(probability: f64) -> f64 {
    -probability.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()
}

/// Mean of −ln p(true class), in nats, 0 at best. Probabilities are clipped to `[ε, 1 − ε]`, ε = 2⁻⁵², so one certain
/// mistake costs 36 and not infinity. Equals `log_loss(labels=all classes)`.
pub fn log_loss(classes: &Classes) -> Option<f64> {
    let loss = |(row, &truth): (&[f64], &u32)| surprise(row[truth as usize]);
    classes.weights().mean(classes.probabilities().zip(classes.truth()).map(loss))
}

/// 1 − log loss / log loss of answering every row with the shares of the classes, at most 1, 0 for that. Left out when only
/// one class occurs. Equals `d2_log_loss_score`.
pub fn d2_log_loss(classes: &Classes) -> Option<f64> {
    let shares = shares(classes)?;
    let blind = sums::sum(shares.iter().filter(|share| **share > 0.0).map(|share| share * surprise(*share)));
    log_loss(classes).map(|loss| 1.0 - loss / blind)
}

/// Mean squared distance between probabilities and truth, 0 at best (Brier 1950). Two classes: mean of (p₁ − y)², at
/// most 1. More: the sum over classes, at most 2. Equals `brier_score_loss`.
pub fn brier(classes: &Classes) -> Option<f64> {
    let binary = classes.counts().classes() == 2;
    let distance = |(row, &truth): (&[f64], &u32)| -> f64 {
        let square = |(class, &p): (usize, &f64)| (p - f64::from(u8::from(class == truth as usize))).powi(2);
        row.iter().enumerate().map(square).sum::<f64>() * if binary { 0.5 } else { 1.0 }
    };
    classes.weights().mean(classes.probabilities().zip(classes.truth()).map(distance))
}

/// Brier skill score: 1 − Brier score / Brier score of answering every row with the shares of the classes, at most 1, 0 for
/// that. Left out when only one class occurs. Equals `d2_brier_score`.
pub fn d2_brier(classes: &Classes) -> Option<f64> {
    let shares = shares(classes)?;
    let blind = sums::sum(shares.iter().map(|share| share * (1.0 - share)));
    let blind = if shares.len() == 2 { blind / 2.0 } else { blind };
    brier(classes).map(|brier| 1.0 - brier / blind)
}

/// Share of each class among the true ones; `None` when fewer than two occur.
fn shares(classes: &Classes) -> Option<Vec<f64>> {
    let counts = classes.counts();
    let share = |class: usize| counts.truths(class) / counts.rows();
    (counts.true_classes() > 1).then(|| (0..counts.classes()).map(share).collect())
}

/// Expected calibration error, in `[0, 1]`, 0 at best: rows are binned by the probability of their most probable class into
/// ten bins of equal width, and the gap between mean probability and accuracy of each bin is weighted by its rows (Guo
/// et al. 2017, "On calibration of modern neural networks", eq. 3).
pub fn expected_calibration_error(classes: &Classes) -> Option<f64> {
    let (bins, all) = (classes.confidence(), classes.weights().total());
    let part = |bin: &ReliabilityBin| gap(bin) * bin.rows / all;
    (all > 0.0).then(|| sums::sum(bins.iter().map(part)))
}

/// Maximum calibration error, in `[0, 1]`, 0 at best: the largest gap of the bins of [`expected_calibration_error`] that have
/// rows (Guo et al. 2017, eq. 5).
pub fn max_calibration_error(classes: &Classes) -> Option<f64> {
    classes.confidence().iter().map(gap).max_by(f64::total_cmp)
}

fn gap(bin: &ReliabilityBin) -> f64 {
    (bin.positive_share - bin.probability_mean).abs()
}

/// Share of positive rows: the mean of a label that is 1 or 0.
pub fn mean_label(positive: &Positive) -> Option<f64> {
    positive.mean(|truth, _| truth)
}

/// Mean probability of the class.
pub fn mean_prediction(positive: &Positive) -> Option<f64> {
    positive.mean(|_, probability| probability)
}

/// Mean probability over share of positive rows, 1 at best: above 1, too much is foretold. Left out without positive rows.
/// Equals TFMA's `Calibration`.
pub fn calibration(positive: &Positive) -> Option<f64> {
    let label = mean_label(positive).filter(|label| *label > 0.0)?;
    mean_prediction(positive).map(|prediction| prediction / label)
}

/// Mean probability of the positive rows minus that of the others, in `[-1, 1]`, 0 for chance (Tjur 2009). Left out unless
/// there are positive and other rows. Equals TFMA's `CoefficientOfDiscrimination`.
pub fn coefficient_of_discrimination(positive: &Positive) -> Option<f64> {
    let (positives, negatives) = (positive.positives(), positive.negatives());
    let found = positive.weights().sum(positive.pairs().map(|(truth, p)| truth * p));
    let alarms = positive.weights().sum(positive.pairs().map(|(truth, p)| (1.0 - truth) * p));
    Some(sums::share(found, positives)? - sums::share(alarms, negatives)?)
}

/// Squared correlation of label (1 or 0) and probability, in `[0, 1]`. Left out when either is constant. Equals
/// TFMA's `SquaredPearsonCorrelation`.
pub fn squared_pearson_correlation(positive: &Positive) -> Option<f64> {
    let (truth, probabilities): (Vec<f64>, Vec<f64>) = positive.pairs().unzip();
    spread::correlation(&truth, &probabilities, positive.weights()).map(|value| value * value)
}
