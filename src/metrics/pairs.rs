//! Areas under ROC curves of several classes: each against the rest, and each against each other one.

use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::metrics::classes::Classes;
use crate::metrics::sums::{self, Running};
use crate::metrics::weights::rising;

/// Mean of the areas of one class against the rest, weighted by their rows, in `[0, 1]`; two classes: of the second. Left out
/// when fewer than two classes occur. Equals `roc_auc_score(multi_class="ovr", average="weighted")`.
pub fn roc_auc_weighted(classes: &Classes) -> Option<f64> {
    let count = classes.counts().classes();
    if count == 2 {
        return Some(classes.ranked(1)?.roc_auc());
    }
    let areas = (0..count).filter_map(|class| Some((class, classes.ranked(class)?.roc_auc())));
    let (mut total, mut weight) = (Running::default(), Running::default());
    for (class, area) in areas {
        total.add(area * classes.counts().truths(class));
        weight.add(classes.counts().truths(class));
    }
    sums::share(total.value(), weight.value())
}

/// Mean over pairs of classes of the area with which either is told from the other, in `[0, 1]` (Hand and Till 2001). Pairs
/// with a class that does not occur are left out. Equals `roc_auc_score(multi_class="ovo", average="macro")`.
pub fn roc_auc_ovo(classes: &Classes) -> Option<f64> {
    let pairs = pairs(classes);
    sums::mean(pairs.iter().map(|pair| pair.area), pairs.len())
}

/// As [`roc_auc_ovo`], each pair weighted by the rows of its two classes. Equals
/// `roc_auc_score(multi_class="ovo", average="weighted")`.
pub fn roc_auc_ovo_weighted(classes: &Classes) -> Option<f64> {
    let pairs = pairs(classes);
    let total = sums::sum(pairs.iter().map(|pair| pair.area * pair.rows));
    sums::share(total, sums::sum(pairs.iter().map(|pair| pair.rows)))
}

struct Pair {
    area: f64,
    rows: f64,
}

/// Both classes of each pair are scored by their own probability, and the two areas averaged.
fn pairs(classes: &Classes) -> Vec<Pair> {
    let counts = classes.counts();
    let count = counts.classes();
    let areas: Vec<Vec<f64>> = (0..count).into_par_iter().map(|class| against_each(classes, class)).collect();
    let occurs: Vec<usize> = (0..count).filter(|class| counts.truths(*class) > 0.0).collect();
    let mut pairs = Vec::new();
    for (place, &one) in occurs.iter().enumerate() {
        for &two in &occurs[place + 1..] {
            let area = (areas[one][two] + areas[two][one]) / 2.0;
            pairs.push(Pair { area, rows: counts.truths(one) + counts.truths(two) });
        }
    }
    pairs
}

/// Area of `class` against each other class by the probability of `class`, from one walk over the rows, the least probable
/// first. O(n log n).
fn against_each(classes: &Classes, class: usize) -> Vec<f64> {
    let (counts, truth) = (classes.counts(), classes.truth());
    let column: Vec<f64> = classes.column(class).collect();
    // Weight of each class below the tie, and in it.
    let mut below = vec![Running::default(); counts.classes()];
    let mut won = vec![Running::default(); counts.classes()];
    let order = rising(&column);
    for tied in order.chunk_by(|a, b| column[*a as usize] == column[*b as usize]) {
        let of = |row: &u32| truth[*row as usize] as usize;
        let own = sums::sum(tied.iter().filter(|row| of(row) == class).map(|row| classes.weights().of(*row as usize)));
        if own > 0.0 {
            // What lies below is won whole, what ties is won half: the second half is added after the tie.
            won.iter_mut().zip(&below).for_each(|(won, below)| won.add(own * below.value() / 2.0));
        }
        tied.iter().for_each(|row| below[of(row)].add(classes.weights().of(*row as usize)));
        if own > 0.0 {
            won.iter_mut().zip(&below).for_each(|(won, below)| won.add(own * below.value() / 2.0));
        }
    }
    let area = |other: usize| won[other].value() / (counts.truths(class) * counts.truths(other));
    (0..counts.classes()).map(area).collect()
}
