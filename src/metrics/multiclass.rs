//! Metrics of all classes together, from counts; they serve binary tasks as well.
//!
//! A macro mean runs over the classes that occur among the true or the predicted classes, as scikit-learn's does.

use crate::metrics::classes::Classes;
use crate::metrics::counts::Counts;
use crate::metrics::sums;

/// Share of rows predicted rightly, in `[0, 1]`. Equals `accuracy_score`.
pub fn accuracy(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    sums::share(counts.all_hits(), counts.rows())
}

/// Mean recall of the classes that occur, in `[0, 1]`: accuracy as if all were equally frequent. Equals
/// `balanced_accuracy_score`.
pub fn balanced_accuracy(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    mean_of((0..counts.classes()).map(|class| counts.recall(class)))
}

/// Mean of the classes' F1, in `[0, 1]`. Equals `f1_score(average="macro")`.
pub fn f1_macro(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    mean_of((0..counts.classes()).map(|class| counts.f1(class)))
}

/// Mean of the classes' F1 weighted by their rows, in `[0, 1]`. Equals `f1_score(average="weighted")`.
pub fn f1_weighted(classes: &Classes) -> Option<f64> {
    weighted(classes.counts(), Counts::f1)
}

/// Mean of the classes' precision, in `[0, 1]`; 0 counts for a class that is never predicted. Equals
/// `precision_score(average="macro")`.
pub fn precision_macro(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    mean_of((0..counts.classes()).map(|class| counts.precision(class)))
}

/// Mean of the classes' precision weighted by their rows. Equals `precision_score(average="weighted")`.
pub fn precision_weighted(classes: &Classes) -> Option<f64> {
    weighted(classes.counts(), Counts::precision)
}

/// Mean of the classes' recall, in `[0, 1]`; 0 counts for a class that is predicted but never true. Equals
/// `recall_score(average="macro")`, and so differs from [`balanced_accuracy`] on such classes.
pub fn recall_macro(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    mean_of((0..counts.classes()).map(|class| {
        let wrongly_predicted = counts.predictions(class) > 0;
        counts.recall(class).or(wrongly_predicted.then_some(0.0))
    }))
}

/// Matthews correlation, in `[-1, 1]`, 0 for chance (Gorodkin 2004, R_K):
/// (c·s − Σ pₖtₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)) with c right of s rows, tₖ true and pₖ predicted rows of class k.
/// 0 when only one class was predicted, as in `matthews_corrcoef`; left out when only one class occurs.
pub fn matthews_corrcoef(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    if counts.true_classes() < 2 {
        return None;
    }
    // Whole numbers until the end: products of row counts fit 128 bits, and differences of near equals lose nothing.
    let product = |a: u64, b: u64| i128::from(a) * i128::from(b);
    let rows = counts.rows();
    let total = |a: fn(&Counts, usize) -> u64, b: fn(&Counts, usize) -> u64| -> i128 {
        (0..counts.classes()).map(|class| product(a(counts, class), b(counts, class))).sum()
    };
    let covariance = product(counts.all_hits(), rows) - total(Counts::truths, Counts::predictions);
    let predicted = product(rows, rows) - total(Counts::predictions, Counts::predictions);
    let truth = product(rows, rows) - total(Counts::truths, Counts::truths);
    if predicted == 0 {
        return Some(0.0);
    }
    Some(covariance as f64 / ((predicted as f64).sqrt() * (truth as f64).sqrt()))
}

/// Cohen's kappa, in `[-1, 1]`: agreement beyond chance, (pₒ − pₑ) / (1 − pₑ) (Cohen 1960). Left out when only one
/// class occurs. Equals `cohen_kappa_score`.
pub fn cohen_kappa(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    if counts.true_classes() < 2 {
        return None;
    }
    let square = i128::from(counts.rows()).pow(2);
    let chance = (0..counts.classes())
        .map(|class| i128::from(counts.truths(class)) * i128::from(counts.predictions(class)))
        .sum::<i128>();
    let observed = i128::from(counts.all_hits()) * i128::from(counts.rows());
    Some((observed - chance) as f64 / (square - chance) as f64)
}

/// Mean of the values that are there.
fn mean_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    sums::mean(values.iter().copied(), values.len())
}

/// Mean weighted by the true rows of each class.
fn weighted(counts: &Counts, of_class: fn(&Counts, usize) -> Option<f64>) -> Option<f64> {
    let rows = counts.rows();
    let part = |class| of_class(counts, class).unwrap_or(0.0) * counts.truths(class) as f64;
    (rows > 0).then(|| sums::sum((0..counts.classes()).map(part)) / rows as f64)
}
