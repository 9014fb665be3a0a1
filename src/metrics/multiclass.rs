//! Metrics of all classes together, from counts; they serve binary tasks as well.
//!
//! A macro mean runs over the classes that occur among the true or the predicted classes, as scikit-learn's does; a weighted
//! one counts each class by its true rows. A micro mean counts all decisions together: with one class a row, precision, recall and
//! F1 are then one number, the accuracy.

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
        let wrongly_predicted = counts.predictions(class) > 0.0;
        counts.recall(class).or(wrongly_predicted.then_some(0.0))
    }))
}

/// Mean of the classes' recall weighted by their rows: the accuracy. Equals `recall_score(average="weighted")`.
pub fn recall_weighted(classes: &Classes) -> Option<f64> {
    weighted(classes.counts(), Counts::recall)
}

/// Mean of the classes' Jaccard overlap, TP / (TP + FP + FN), in `[0, 1]`. Equals `jaccard_score(average="macro")`.
pub fn jaccard_macro(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    let of_class = |class: usize| {
        let hits = counts.hits(class);
        sums::share(hits, hits + counts.false_calls(class) + counts.missed(class))
    };
    mean_of((0..counts.classes()).map(of_class))
}

/// Share of rows whose true class is among the `k` most probable ones, in `[0, 1]`; of equally probable classes the first
/// come first, so that `k` = 1 is the accuracy of the most probable class. Equals `top_k_accuracy_score` on rows without
/// such ties (it takes the last ones first).
pub fn top_k_accuracy(classes: &Classes, k: f64) -> Option<f64> {
    let is_hit = |(row, truth): (&[f64], &u32)| {
        let truth = *truth as usize;
        let before = |(class, p): (usize, &f64)| *p > row[truth] || (*p == row[truth] && class < truth);
        let rank = row.iter().enumerate().filter(|pair| before(*pair)).count();
        f64::from(u8::from((rank as f64) < k))
    };
    classes.weights().mean(classes.probabilities().zip(classes.truth()).map(is_hit))
}

/// Mean cost of an answer, in the unit of the cost matrix: Σ w · costs[truth][prediction] / Σ w. Left out without a cost
/// matrix.
pub fn expected_cost(classes: &Classes) -> Option<f64> {
    let (costs, counts) = (classes.costs()?, classes.counts());
    let row = |truth: usize| (0..counts.classes()).map(move |answer| counts.cell(truth, answer) * costs[truth][answer]);
    let total = sums::sum((0..counts.classes()).flat_map(row));
    (counts.rows() > 0.0).then(|| total / counts.rows())
}

/// Matthews correlation, in `[-1, 1]`, 0 for chance (Gorodkin 2004, R_K):
/// (c·s − Σ pₖtₖ) / √((s² − Σ pₖ²)(s² − Σ tₖ²)) with c right of s rows, tₖ true and pₖ predicted rows of class k.
/// 0 when only one class was predicted, as in `matthews_corrcoef`; left out when only one class occurs.
pub fn matthews_corrcoef(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    if counts.true_classes() < 2 {
        return None;
    }
    let moments = Moments::new(counts);
    if moments.predicted == 0.0 {
        return Some(0.0);
    }
    Some(moments.covariance / (moments.predicted.sqrt() * moments.truth.sqrt()))
}

/// Cohen's kappa, in `[-1, 1]`: agreement beyond chance, (pₒ − pₑ) / (1 − pₑ) (Cohen 1960). Left out when only one
/// class occurs. Equals `cohen_kappa_score`.
pub fn cohen_kappa(classes: &Classes) -> Option<f64> {
    let counts = classes.counts();
    if counts.true_classes() < 2 {
        return None;
    }
    let moments = Moments::new(counts);
    Some(moments.covariance / moments.beyond_chance)
}

/// Sums of products of counts, differences of near equals among them.
struct Moments {
    /// c·s − Σ pₖtₖ.
    covariance: f64,
    /// s² − Σ pₖ²; 0 when only one class was predicted.
    predicted: f64,
    /// s² − Σ tₖ².
    truth: f64,
    /// s² − Σ pₖtₖ.
    beyond_chance: f64,
}

impl Moments {
    fn new(counts: &Counts) -> Moments {
        if counts.is_whole() { Moments::of_whole(counts) } else { Moments::of_weights(counts) }
    }

    /// Whole numbers until the end: products of row counts fit 128 bits, and differences of near equals lose nothing.
    fn of_whole(counts: &Counts) -> Moments {
        let product = |a: f64, b: f64| (a as i128) * (b as i128);
        let total = |a: fn(&Counts, usize) -> f64, b: fn(&Counts, usize) -> f64| -> i128 {
            (0..counts.classes()).map(|class| product(a(counts, class), b(counts, class))).sum()
        };
        let square = product(counts.rows(), counts.rows());
        let both = total(Counts::truths, Counts::predictions);
        Moments {
            covariance: (product(counts.all_hits(), counts.rows()) - both) as f64,
            predicted: (square - total(Counts::predictions, Counts::predictions)) as f64,
            truth: (square - total(Counts::truths, Counts::truths)) as f64,
            beyond_chance: (square - both) as f64,
        }
    }

    /// Written as sums over pairs of different classes, so that no difference of near equals is left but in the covariance.
    fn of_weights(counts: &Counts) -> Moments {
        let count = counts.classes();
        let apart = |a: fn(&Counts, usize) -> f64, b: fn(&Counts, usize) -> f64| {
            let others = |class: usize| (0..count).filter(move |other| *other != class);
            sums::sum((0..count).flat_map(|one| others(one).map(move |two| (one, two))).map(|(one, two)| {
                let rows = counts.rows();
                (a(counts, one) / rows) * (b(counts, two) / rows)
            }))
        };
        let wrong = (0..count).map(|class| counts.missed(class) / counts.rows());
        let beyond_chance = apart(Counts::truths, Counts::predictions);
        Moments {
            covariance: beyond_chance - sums::sum(wrong),
            predicted: apart(Counts::predictions, Counts::predictions),
            truth: apart(Counts::truths, Counts::truths),
            beyond_chance,
        }
    }
}

/// Mean of the values that are there.
fn mean_of(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
    let values: Vec<f64> = values.flatten().collect();
    sums::mean(values.iter().copied(), values.len())
}

/// Mean weighted by the true rows of each class.
fn weighted(counts: &Counts, of_class: fn(&Counts, usize) -> Option<f64>) -> Option<f64> {
    let rows = counts.rows();
    let part = |class| of_class(counts, class).unwrap_or(0.0) * counts.truths(class);
    (rows > 0.0).then(|| sums::sum((0..counts.classes()).map(part)) / rows)
}
