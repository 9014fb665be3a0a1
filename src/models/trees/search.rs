//! The best question for a node of a boosted tree, from histograms.
//!
//! Gain of a split (Chen and Guestrin 2016, eq. 7, without the half): `G_L²/(H_L + λ) + G_R²/(H_R + λ) - G²/(H + λ)`.

use crate::models::trees::binned::{BinFeature, Binned, Shape};
use crate::models::trees::sums::{Scale, Sums, add, minus};
use crate::models::trees::tree::{Test, set_bit};

/// Categories with at most this many bins are split one against the rest. This and the next four follow LightGBM
/// (`max_cat_to_onehot`, `cat_smooth`, `cat_l2`, `max_cat_threshold`, `min_data_per_group`).
const ONE_AGAINST_REST_BINS: usize = 4;
/// Added to a level's second derivatives before levels are sorted; levels of fewer rows stay with the rest.
const LEVEL_SMOOTH: f64 = 10.0;
/// Added to the penalty when sets of levels are compared.
const LEVEL_L2: f64 = 10.0;
/// Most levels on the left.
const LEVELS_LEFT_MAX: usize = 32;
/// Fewest rows between two sets that are compared.
const LEVELS_GROUP_ROWS: u64 = 100;
/// Gains below this share of the terms that they are the difference of are rounding errors.
const NOISE: f64 = 1e-12;

/// What limits a split.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fewest rows of a leaf.
    pub leaf_rows: u64,
    /// Smallest sum of second derivatives of a leaf; above 0.
    pub leaf_hessian: f64,
    /// Penalty on leaf values.
    pub l2: f64,
    /// Smallest gain.
    pub gain_min: f64,
}

/// A split that was found.
#[derive(Clone, Debug)]
pub struct Split {
    /// How much better two leaves are than one.
    pub gain: f64,
    /// The feature.
    pub feature: usize,
    /// The question.
    pub test: Test,
    /// Sums of the rows that go left.
    pub left: Sums,
}

/// Searches the features of one node.
pub struct Search<'a> {
    /// The features in bins.
    pub binned: &'a Binned,
    /// How sums are read.
    pub scale: Scale,
    /// What limits a split.
    pub limits: Limits,
}

/// The best so far within one feature: the sum of both sides' terms, which has to be beaten.
struct Best {
    terms: f64,
    left: Sums,
    test: Option<Test>,
}

impl Search<'_> {
    /// The best split of a node by `feature`. `bins` is the histogram of the feature's column.
    pub fn feature(&self, feature: usize, bins: &[Sums], total: Sums) -> Option<Split> {
        let BinFeature { shape, .. } = &self.binned.features[feature];
        let gradient = self.scale.gradient(total);
        let whole = gradient * gradient / (self.scale.hessian(total) + self.limits.l2);
        let mut best = Best { terms: (whole + self.limits.gain_min) * (1.0 + NOISE), left: [0; 2], test: None };
        match shape {
            Shape::Number { cuts } => self.number(cuts.len(), bins, total, &mut best),
            Shape::Indicator { bin } => {
                let left = minus(total, bins[*bin]);
                self.offer(left, total, self.limits.l2, &mut best, || Test::NotBin(*bin));
            }
            Shape::Category { levels } if levels.len() < ONE_AGAINST_REST_BINS => {
                self.one_against_rest(bins, total, &mut best);
            }
            Shape::Category { .. } => self.levels(bins, total, &mut best),
        }
        let Best { terms, left, test } = best;
        test.map(|test| Split { gain: terms - whole, feature, test, left })
    }

    fn number(&self, cuts: usize, bins: &[Sums], total: Sums, best: &mut Best) {
        let missing = cuts + 1;
        let holes = self.scale.count(bins[missing]);
        // Missing values that training rows do not have go with the larger part when they come.
        let none_left = |left: Sums| holes == 0 && self.scale.count(left) * 2 > self.scale.count(total);
        let mut left = [0; 2];
        let last = if holes > 0 { cuts + 1 } else { cuts };
        for (cut, bin) in bins[..last].iter().enumerate() {
            add(&mut left, *bin);
            self.offer(left, total, self.limits.l2, best, || Test::Cut { cut, missing, missing_left: none_left(left) });
        }
        if holes > 0 {
            let mut left = bins[missing];
            for (cut, bin) in bins[..cuts].iter().enumerate() {
                add(&mut left, *bin);
                self.offer(left, total, self.limits.l2, best, || Test::Cut { cut, missing, missing_left: true });
            }
        }
    }

    fn one_against_rest(&self, bins: &[Sums], total: Sums, best: &mut Best) {
        for (bin, sums) in bins.iter().enumerate() {
            self.offer(*sums, total, self.limits.l2, best, || self.set(&[bin], bins, *sums, total));
        }
    }

    fn levels(&self, bins: &[Sums], total: Sums, best: &mut Best) {
        let mut sorted: Vec<(f64, usize)> = Vec::with_capacity(bins.len());
        for (bin, sums) in bins.iter().enumerate() {
            if self.scale.count(*sums) as f64 >= LEVEL_SMOOTH {
                sorted.push((self.scale.gradient(*sums) / (self.scale.hessian(*sums) + LEVEL_SMOOTH), bin));
            }
        }
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order: Vec<usize> = sorted.iter().map(|(_, bin)| *bin).collect();
        self.prefixes(&order, bins, total, best);
        let backwards: Vec<usize> = order.iter().rev().copied().collect();
        self.prefixes(&backwards, bins, total, best);
    }

    fn prefixes(&self, order: &[usize], bins: &[Sums], total: Sums, best: &mut Best) {
        let most = order.len().div_ceil(2).min(LEVELS_LEFT_MAX);
        let mut left = [0; 2];
        let mut group = 0;
        for place in 0..most {
            let sums = bins[order[place]];
            add(&mut left, sums);
            group += self.scale.count(sums);
            if group >= LEVELS_GROUP_ROWS.min(self.limits.leaf_rows * 5) {
                let l2 = self.limits.l2 + LEVEL_L2;
                let is_better = self.offer(left, total, l2, best, || self.set(&order[..=place], bins, left, total));
                if is_better.is_some() {
                    group = 0;
                }
            }
        }
    }

    /// The question for the bins `inside`; levels that these rows do not have go with the larger part, those without a
    /// bin of their own where their common bin goes.
    fn set(&self, inside: &[usize], bins: &[Sums], left: Sums, total: Sums) -> Test {
        let mut bits = vec![0; bins.len().div_ceil(64)];
        for &bin in inside {
            set_bit(&mut bits, bin);
        }
        let rest = bins.len() - 1;
        let rest_left = match self.scale.count(bins[rest]) {
            0 => self.scale.count(left) * 2 > self.scale.count(total),
            _ => inside.contains(&rest),
        };
        if rest_left {
            set_bit(&mut bits, rest);
        }
        Test::Set { bits, rest_left }
    }

    /// Takes a split if both sides are allowed and it is better than the best. `None` when a side is not allowed.
    #[inline(always)]
    fn offer(&self, left: Sums, total: Sums, l2: f64, best: &mut Best, test: impl FnOnce() -> Test) -> Option<()> {
        let right = minus(total, left);
        let (scale, limits) = (&self.scale, &self.limits);
        if scale.count(left) < limits.leaf_rows || scale.count(right) < limits.leaf_rows {
            return None;
        }
        let (left_hessian, right_hessian) = (scale.hessian(left), scale.hessian(right));
        if left_hessian < limits.leaf_hessian || right_hessian < limits.leaf_hessian {
            return None;
        }
        let (left_gradient, right_gradient) = (scale.gradient(left), scale.gradient(right));
        let terms = left_gradient * left_gradient / (left_hessian + l2)
            + right_gradient * right_gradient / (right_hessian + l2);
        if terms > best.terms {
            *best = Best { terms, left, test: Some(test()) };
        }
        Some(())
    }
}
