//! The best question for a node of a forest's tree, straight from its rows.
//!
//! Nodes are many and small and look at few features each, so there is no histogram to inherit: one is made for each
//! feature and node, and only the bins that rows fall into are visited.

use crate::base::seed::Rng;
use crate::models::trees::binned::{Binned, Codes, Shape};
use crate::models::trees::criterion::{Criterion, Item};
use crate::models::trees::tree::{Test, set_bit};

/// How splits are chosen.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// Smallest weight of a leaf.
    pub leaf_rows: i64,
    /// Features tried at a node, as far as they differ between its rows.
    pub features: usize,
    /// One random threshold a feature in place of the best (Geurts, Ernst, Wehenkel 2006).
    pub random: bool,
}

/// The best question so far.
#[derive(Clone, Debug)]
pub struct Choice {
    /// `Σ S²/W` of both sides.
    pub goodness: f64,
    /// The feature.
    pub feature: usize,
    /// The question.
    pub test: Test,
}

/// Chooses questions; keeps its working memory.
pub struct Chooser<'a, C: Criterion> {
    /// The features in bins.
    pub binned: &'a Binned,
    /// What rows are divided by.
    pub criterion: &'a C,
    /// How.
    pub rules: Rules,
    /// Feature numbers, in the order last drawn.
    order: Vec<usize>,
    /// Sums of all bins of one feature; zero between uses.
    sums: Vec<i64>,
    /// One bit for each bin that has rows; zero between uses.
    seen: Vec<u64>,
    /// Bins that have rows, ascending.
    present: Vec<usize>,
    left: Vec<i64>,
    right: Vec<i64>,
}

impl<'a, C: Criterion> Chooser<'a, C> {
    /// Working memory for these features.
    pub fn new(binned: &'a Binned, criterion: &'a C, rules: Rules) -> Chooser<'a, C> {
        let bins = binned.columns.iter().map(|column| column.bins).max().unwrap_or(0);
        Chooser {
            binned,
            criterion,
            rules,
            order: (0..binned.features.len()).collect(),
            sums: vec![0; bins * criterion.words()],
            seen: vec![0; bins.div_ceil(64)],
            present: Vec::with_capacity(bins),
            left: vec![0; criterion.words()],
            right: vec![0; criterion.words()],
        }
    }

    /// The best question for rows that sum to `total`; `None` when no feature divides them.
    ///
    /// Features are drawn without replacement until as many as the rules say were tried, and further until one of them
    /// divides the rows, as scikit-learn does.
    pub fn choose(&mut self, items: &[Item], total: &[i64], rng: &mut Rng) -> Option<Choice> {
        let mut best = None;
        for tried in 0..self.order.len() {
            if tried >= self.rules.features && best.is_some() {
                break;
            }
            let drawn = tried + rng.below((self.order.len() - tried) as u64) as usize;
            self.order.swap(tried, drawn);
            self.feature(self.order[tried], items, total, rng, &mut best);
        }
        best
    }

    fn feature(&mut self, number: usize, items: &[Item], total: &[i64], rng: &mut Rng, best: &mut Option<Choice>) {
        let binned = self.binned;
        let feature = &binned.features[number];
        if let Shape::Indicator { bin } = feature.shape {
            self.indicator(number, bin, items, total, best);
            return;
        }
        match &binned.columns[feature.column].codes {
            Codes::Narrow(codes) => self.collect(items, |row| usize::from(codes[row as usize])),
            Codes::Wide(codes) => self.collect(items, |row| usize::from(codes[row as usize])),
        }
        if self.present.len() > 1 {
            match &feature.shape {
                Shape::Number { cuts } if self.rules.random => self.random_cut(number, cuts, total, rng, best),
                Shape::Number { cuts } => self.cuts(number, cuts.len(), total, best),
                Shape::Category { levels } if self.rules.random => {
                    self.random_set(number, levels.len(), total, rng, best)
                }
                Shape::Category { levels } => self.sets(number, levels.len(), total, best),
                Shape::Indicator { .. } => {}
            }
        }
        let words = self.criterion.words();
        for &bin in &self.present {
            self.sums[bin * words..(bin + 1) * words].fill(0);
        }
    }

    /// Sums the rows bin by bin and lists the bins that have any.
    fn collect(&mut self, items: &[Item], bin: impl Fn(u32) -> usize) {
        let words = self.criterion.words();
        for &item in items {
            let bin = bin(item.row);
            self.seen[bin / 64] |= 1 << (bin % 64);
            self.criterion.add(&mut self.sums[bin * words..(bin + 1) * words], item);
        }
        self.present.clear();
        for (place, word) in self.seen.iter_mut().enumerate() {
            while *word != 0 {
                self.present.push(place * 64 + word.trailing_zeros() as usize);
                *word &= *word - 1;
            }
        }
    }

    fn indicator(&mut self, number: usize, one: usize, items: &[Item], total: &[i64], best: &mut Option<Choice>) {
        let column = &self.binned.columns[self.binned.features[number].column];
        self.left.copy_from_slice(total);
        self.right.fill(0);
        for &item in items {
            if column.codes.get(item.row as usize) == one {
                self.criterion.add(&mut self.right, item);
            }
        }
        self.left.iter_mut().zip(&self.right).for_each(|(left, right)| *left -= right);
        self.offer(best, number, |_| Test::NotBin(one));
    }

    fn cuts(&mut self, number: usize, cuts: usize, total: &[i64], best: &mut Option<Choice>) {
        let missing = cuts + 1;
        let has_missing = self.present.last() == Some(&missing);
        let values = self.present.len() - usize::from(has_missing);
        self.left.fill(0);
        // Missing values on the right: the last cut has all values on the left.
        for place in 0..values - usize::from(!has_missing) {
            self.move_left(self.present[place], total);
            let cut = if place + 1 < values { self.cut_after(place) } else { cuts };
            self.offer(best, number, |by_size| Test::Cut { cut, missing, missing_left: !has_missing && by_size });
        }
        if has_missing {
            self.left.fill(0);
            self.move_left(missing, total);
            for place in 0..values.saturating_sub(1) {
                self.move_left(self.present[place], total);
                let cut = self.cut_after(place);
                self.offer(best, number, |_| Test::Cut { cut, missing, missing_left: true });
            }
        }
    }

    /// A cut half way between the bin at this place and the next bin that has rows.
    fn cut_after(&self, place: usize) -> usize {
        (self.present[place] + self.present[place + 1] - 1) / 2
    }

    fn random_cut(&mut self, number: usize, cuts: &[f64], total: &[i64], rng: &mut Rng, best: &mut Option<Choice>) {
        let missing = cuts.len() + 1;
        let has_missing = self.present.last() == Some(&missing);
        let values = self.present.len() - usize::from(has_missing);
        let missing_left = rng.below(2) == 1;
        let cut = if values > 1 {
            // A uniform draw between the smallest and the largest value, as far as the cuts tell them apart.
            let (first, last) = (self.present[0], self.present[values - 1] - 1);
            let drawn = cuts[first] + rng.unit() * (cuts[last] - cuts[first]);
            match drawn.is_finite() {
                true => first + cuts[first..=last].partition_point(|cut| *cut < drawn).min(last - first),
                false => first + rng.below((last - first + 1) as u64) as usize,
            }
        } else {
            cuts.len()
        };
        self.left.fill(0);
        for place in 0..self.present.len() {
            let bin = self.present[place];
            let is_left = if bin == missing { missing_left && values > 1 } else { bin <= cut };
            if is_left {
                self.move_left(bin, total);
            }
        }
        let missing_left = missing_left && values > 1;
        self.offer(best, number, |by_size| Test::Cut {
            cut,
            missing,
            missing_left: if has_missing { missing_left } else { by_size },
        });
    }

    fn sets(&mut self, number: usize, rest: usize, total: &[i64], best: &mut Option<Choice>) {
        let words = self.criterion.words();
        for order in 0..self.criterion.orders() {
            let key = |bin: usize| self.criterion.order_key(&self.sums[bin * words..(bin + 1) * words], order);
            let mut sorted: Vec<(f64, usize)> = self.present.iter().map(|&bin| (key(bin), bin)).collect();
            sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            self.left.fill(0);
            for place in 0..sorted.len() - 1 {
                self.move_left(sorted[place].1, total);
                let inside = &sorted[..=place];
                let has_rest = self.present.last() == Some(&rest);
                self.offer(best, number, |by_size| {
                    set(inside.iter().map(|(_, bin)| *bin), rest, (!has_rest).then_some(by_size))
                });
            }
        }
    }

    fn random_set(&mut self, number: usize, rest: usize, total: &[i64], rng: &mut Rng, best: &mut Option<Choice>) {
        self.left.fill(0);
        let mut inside = Vec::with_capacity(self.present.len());
        for place in 0..self.present.len() {
            if rng.below(2) == 1 {
                inside.push(self.present[place]);
                self.move_left(self.present[place], total);
            }
        }
        let has_rest = self.present.last() == Some(&rest);
        self.offer(best, number, |by_size| set(inside.iter().copied(), rest, (!has_rest).then_some(by_size)));
    }

    /// Moves one bin to the left and leaves on the right what remains of `total`.
    fn move_left(&mut self, bin: usize, total: &[i64]) {
        let words = self.criterion.words();
        for (word, sum) in self.sums[bin * words..(bin + 1) * words].iter().enumerate() {
            self.left[word] += sum;
            self.right[word] = total[word] - self.left[word];
        }
    }

    /// Takes the split into `left` and `right` when both may be leaves and it is better than the best; `test` is told
    /// whether the left part is the larger one.
    fn offer(&self, best: &mut Option<Choice>, feature: usize, test: impl FnOnce(bool) -> Test) {
        let (left, right) = (self.criterion.weight(&self.left), self.criterion.weight(&self.right));
        if left < self.rules.leaf_rows || right < self.rules.leaf_rows {
            return;
        }
        let goodness = self.criterion.goodness(&self.left) + self.criterion.goodness(&self.right);
        if best.as_ref().is_none_or(|best| goodness > best.goodness) {
            *best = Some(Choice { goodness, feature, test: test(left > right) });
        }
    }
}

/// The question for the bins `inside`; `by_size` says where the rest goes when no row of the node is in it.
fn set(inside: impl Iterator<Item = usize>, rest: usize, by_size: Option<bool>) -> Test {
    let mut bits = vec![0; rest / 64 + 1];
    let mut rest_left = by_size.unwrap_or(false);
    for bin in inside {
        set_bit(&mut bits, bin);
        rest_left |= bin == rest;
    }
    if rest_left {
        set_bit(&mut bits, rest);
    }
    Test::Set { bits, rest_left }
}
