//! The best question for a node of a boosted tree, from histograms.
//!
//! Gain of a split (Chen and Guestrin 2016, eq. 7, without the half): `G_L²/(H_L + λ) + G_R²/(H_R + λ) - G²/(H + λ)`.
//! With an L1 penalty, a largest step or monotone constraints the terms are those of the values that leaves would then
//! have (LightGBM, `GetLeafGainGivenOutput`); that is another instance of the same code, so the plain one pays nothing.

use crate::models::trees::binned::{BinFeature, Binned, Shape};
use crate::models::trees::sums::{Scale, Sums, add, minus};
use crate::models::trees::terms::{Bounds, Plain, Ruled, Terms, threshold};
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
/// A leaf's second derivatives must not vanish: its value has them in the divisor.
pub const HESSIAN_MIN: f64 = 1e-9;
/// Gains below this share of the terms that they are the difference of are rounding errors.
const NOISE: f64 = 1e-12;

/// What limits a split.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Fewest rows of a leaf.
    pub leaf_rows: u64,
    /// Smallest sum of second derivatives of a leaf; above 0.
    pub leaf_hessian: f64,
    /// Penalty on the size of leaf values.
    pub l1: f64,
    /// Penalty on their squares.
    pub l2: f64,
    /// Largest size of a leaf value before shrinkage; infinite for no limit.
    pub step_max: f64,
    /// Smallest gain.
    pub gain_min: f64,
}

/// A node as the search sees it.
#[derive(Clone, Copy)]
pub struct Place<'a> {
    /// Sums of its rows.
    pub sums: Sums,
    /// What the values of its leaves may be.
    pub bounds: Bounds,
    /// The features it may be split by; all that its tree has when `None`.
    pub allowed: Option<&'a [bool]>,
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
    /// Squared penalty on the values of both sides, should they be leaves: more where levels were sorted by gradient.
    pub l2: f64,
}

/// Searches the features of one node.
pub struct Search<'a> {
    /// The features in bins.
    pub binned: &'a Binned,
    /// How sums are read.
    pub scale: Scale,
    /// What limits a split.
    pub limits: Limits,
    /// For each feature 1, -1 or 0: its growth must not lower, must not raise the answer, or may do either. Empty when
    /// no feature is constrained.
    pub monotone: &'a [i8],
}

/// The best so far within one feature: the sum of both sides' terms, which has to be beaten.
struct Best {
    terms: f64,
    left: Sums,
    l2: f64,
    test: Option<Test>,
}

/// One feature of one node under search.
struct Scan<'a, T> {
    scale: Scale,
    limits: Limits,
    terms: T,
    bins: &'a [Sums],
    total: Sums,
    best: Best,
}

impl Search<'_> {
    /// The best split of a node by `feature`. `bins` is the histogram of the feature's column.
    pub fn feature(&self, feature: usize, bins: &[Sums], place: &Place<'_>) -> Option<Split> {
        let (l1, step_max) = (self.limits.l1, self.limits.step_max);
        if self.monotone.is_empty() && l1 == 0.0 && step_max.is_infinite() {
            return self.scan(Plain, feature, bins, place.sums);
        }
        let direction = self.monotone.get(feature).copied().unwrap_or(0);
        self.scan(Ruled { l1, step_max, bounds: place.bounds, direction }, feature, bins, place.sums)
    }

    fn scan<T: Terms>(&self, terms: T, feature: usize, bins: &[Sums], total: Sums) -> Option<Split> {
        let BinFeature { shape, .. } = &self.binned.features[feature];
        let limits = self.limits;
        let whole = terms.whole(self.scale.gradient(total), self.scale.hessian(total), limits.l2);
        let least = (whole + limits.gain_min) * (1.0 + NOISE);
        let best = Best { terms: least, left: [0; 2], l2: limits.l2, test: None };
        let mut scan = Scan { scale: self.scale, limits, terms, bins, total, best };
        match shape {
            Shape::Number { cuts } => scan.number(cuts.len()),
            Shape::Indicator { bin } => {
                scan.offer(minus(total, bins[*bin]), limits.l2, |_| Test::NotBin(*bin));
            }
            Shape::Category { levels } if levels.len() < ONE_AGAINST_REST_BINS => scan.one_against_rest(),
            Shape::Category { .. } => scan.levels(),
        }
        let Best { terms, left, l2, test } = scan.best;
        test.map(|test| Split { gain: terms - whole, feature, test, left, l2 })
    }

    /// The value of a leaf before shrinkage; 0 where there is nothing to divide by, as far as the bounds allow.
    pub fn value(&self, sums: Sums, l2: f64, bounds: Bounds) -> f64 {
        let divisor = self.scale.hessian(sums) + l2;
        let value = match divisor < HESSIAN_MIN {
            true => 0.0,
            false => -threshold(self.scale.gradient(sums), self.limits.l1) / divisor,
        };
        bounds.clamp(value.clamp(-self.limits.step_max, self.limits.step_max))
    }
}

impl<T: Terms> Scan<'_, T> {
    fn number(&mut self, cuts: usize) {
        let (bins, scale, total, l2) = (self.bins, self.scale, self.total, self.limits.l2);
        let missing = cuts + 1;
        let holes = scale.count(bins[missing]);
        // Missing values that training rows do not have go with the larger part when they come.
        let none_left = |left: Sums| holes == 0 && scale.count(left) * 2 > scale.count(total);
        let mut left = [0; 2];
        let last = if holes > 0 { cuts + 1 } else { cuts };
        for (cut, bin) in bins[..last].iter().enumerate() {
            add(&mut left, *bin);
            self.offer(left, l2, |_| Test::Cut { cut, missing, missing_left: none_left(left) });
        }
        if holes > 0 {
            let mut left = bins[missing];
            for (cut, bin) in bins[..cuts].iter().enumerate() {
                add(&mut left, *bin);
                self.offer(left, l2, |_| Test::Cut { cut, missing, missing_left: true });
            }
        }
    }

    fn one_against_rest(&mut self) {
        for (bin, sums) in self.bins.iter().enumerate() {
            self.offer(*sums, self.limits.l2, |scan| scan.set(&[bin], *sums));
        }
    }

    fn levels(&mut self) {
        let mut sorted: Vec<(f64, usize)> = Vec::with_capacity(self.bins.len());
        for (bin, sums) in self.bins.iter().enumerate() {
            if self.scale.count(*sums) as f64 >= LEVEL_SMOOTH {
                sorted.push((self.scale.gradient(*sums) / (self.scale.hessian(*sums) + LEVEL_SMOOTH), bin));
            }
        }
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let order: Vec<usize> = sorted.iter().map(|(_, bin)| *bin).collect();
        self.prefixes(&order);
        let backwards: Vec<usize> = order.iter().rev().copied().collect();
        self.prefixes(&backwards);
    }

    fn prefixes(&mut self, order: &[usize]) {
        let most = order.len().div_ceil(2).min(LEVELS_LEFT_MAX);
        let group_rows = LEVELS_GROUP_ROWS.min(self.limits.leaf_rows * 5);
        let l2 = self.limits.l2 + LEVEL_L2;
        let rows = self.scale.count(self.total);
        let mut left = [0; 2];
        let mut group = 0;
        for place in 0..most {
            let sums = self.bins[order[place]];
            add(&mut left, sums);
            group += self.scale.count(sums);
            if rows - self.scale.count(left) < group_rows {
                break;
            }
            if group >= group_rows && self.offer(left, l2, |scan| scan.set(&order[..=place], left)).is_some() {
                group = 0;
            }
        }
    }

    /// The question for the bins `inside`; levels that these rows do not have go with the larger part, those without a
    /// bin of their own where their common bin goes.
    fn set(&self, inside: &[usize], left: Sums) -> Test {
        let mut bits = vec![0; self.bins.len().div_ceil(64)];
        for &bin in inside {
            set_bit(&mut bits, bin);
        }
        let rest = self.bins.len() - 1;
        let rest_left = match self.scale.count(self.bins[rest]) {
            0 => self.scale.count(left) * 2 > self.scale.count(self.total),
            _ => inside.contains(&rest),
        };
        if rest_left {
            set_bit(&mut bits, rest);
        }
        Test::Set { bits, rest_left }
    }

    /// Takes a split if both sides are allowed and it is better than the best. `None` when a side is too small.
    #[inline(always)]
    fn offer(&mut self, left: Sums, l2: f64, test: impl FnOnce(&Self) -> Test) -> Option<()> {
        let right = minus(self.total, left);
        let (scale, limits) = (&self.scale, &self.limits);
        if scale.count(left) < limits.leaf_rows || scale.count(right) < limits.leaf_rows {
            return None;
        }
        let (left_hessian, right_hessian) = (scale.hessian(left), scale.hessian(right));
        if left_hessian < limits.leaf_hessian || right_hessian < limits.leaf_hessian {
            return None;
        }
        let left_side = (scale.gradient(left), left_hessian);
        let right_side = (scale.gradient(right), right_hessian);
        let terms = self.terms.pair(left_side, right_side, l2);
        if terms > self.best.terms {
            self.best = Best { terms, left, l2, test: Some(test(self)) };
        }
        Some(())
    }
}
