//! Tree-structured Parzen estimators: points that are likely among good trials and unlikely among the others.
//!
//! Bergstra, Bardenet, Bengio, Kégl, Algorithms for hyper-parameter optimization, NeurIPS 2011, with densities over all
//! parameters together as in Optuna's `TPESampler(multivariate=True)`, whose numbers are followed: a tenth of the trials
//! counts as good, 25 at most; old ones among the others weigh less. It differs where that was found to be better: the first
//! points are spread evenly and not drawn, better ones of the good trials weigh more (Watanabe 2023, arXiv 2304.11127),
//! kernels are narrower, and trials that failed or have not ended count among the others.

use crate::base::seed::Seed;
use crate::search::parzen::{Axis, Mixture, Normal, Places};
use crate::search::sampler::{History, Sampler};
use crate::search::sobol::Sobol;
use crate::search::space::{Point, Range, Space};
use crate::search::told::{Outcome, Told};

/// Trials spread evenly before anything is learned.
const STARTUP: usize = 10;
/// Fewest trials that came to something before anything is learned.
const LEARNABLE: usize = 5;
/// Points drawn from among the good ones, of which the most promising is taken.
const CANDIDATES: usize = 24;
/// Most trials that count as good.
const GOOD_MAX: usize = 25;
/// Most of the others that are looked at, the latest: older ones would weigh next to nothing.
const OTHERS_MAX: usize = 250;
/// The latest trials that all weigh the same.
const RECENT: usize = 25;

/// Points where good trials are dense and others are not.
#[derive(Default)]
pub struct Tpe {
    known: Known,
    good: Mixture,
    others: Mixture,
    normal: Normal,
}

/// Points of earlier trials as a density wants them. Each call adds one: what is kept saves the rest.
#[derive(Default)]
struct Known {
    space: Space,
    /// Positions of the dimensions that are not fixed, and what they are to a density.
    free: Vec<usize>,
    axes: Vec<Axis>,
    points: Vec<Point>,
    columns: Vec<Vec<f64>>,
    orders: Vec<Vec<u32>>,
}

impl Sampler for Tpe {
    fn suggest(&mut self, number: usize, history: &History<'_>, space: &Space, seed: Seed) -> Option<Point> {
        let learnable = |told: &[Told]| told.iter().filter(|told| !is_failed(told)).count();
        let (own, warm) = (learnable(history.told), learnable(history.warm));
        if own + warm < LEARNABLE || number + warm < STARTUP {
            return Sobol.suggest(number, history, space, seed);
        }
        self.known.take_up(history, space);
        if self.known.free.is_empty() {
            return Sobol.suggest(number, history, space, seed);
        }
        self.split(history, own, warm);
        Some(self.most_promising(seed.derive("tpe").nth(number as u64)))
    }
}

impl Tpe {
    /// Builds both mixtures. Trials of other studies are split apart from ours, as their values may not compare.
    fn split(&mut self, history: &History<'_>, own: usize, warm: usize) {
        let count = self.known.points.len();
        let mut is_good = vec![false; count];
        mark_good(history.warm, warm, history, &mut is_good);
        mark_good(history.told, own, history, &mut is_good[history.warm.len()..]);
        let (mut good, mut others) = (vec![u32::MAX; count], vec![u32::MAX; count]);
        let (mut good_count, mut others_count) = (0_u32, 0_u32);
        let total = is_good.iter().filter(|good| !**good).count();
        let left_out = total.saturating_sub(OTHERS_MAX);
        let mut passed = 0;
        for at in 0..count {
            if is_good[at] {
                good[at] = good_count;
                good_count += 1;
            } else if passed < left_out {
                passed += 1;
            } else {
                others[at] = others_count;
                others_count += 1;
            }
        }
        let good_weights = ranked(history, &is_good);
        let Known { axes, columns, orders, .. } = &self.known;
        let places = |kernels| Places { columns, orders, kernels };
        self.good.build(axes, &places(&good), &good_weights, &self.normal);
        self.others.build(axes, &places(&others), &weights(others_count as usize, left_out), &self.normal);
    }

    fn most_promising(&mut self, seed: Seed) -> Point {
        let mut rng = seed.rng();
        let counted = self.known.axes.iter().all(|axis| *axis != Axis::Line { cell: 0.0 });
        let (mut drawn, mut best) = (Vec::new(), (f64::NEG_INFINITY, vec![0.5; self.known.axes.len()]));
        for _ in 0..CANDIDATES {
            self.good.draw(&mut rng, &mut drawn);
            self.known.snap(&mut drawn);
            let promise = self.good.log_density(&drawn) - self.others.log_density(&drawn);
            // A point that was tried may be drawn where values are counted; a new one is worth more than any of those.
            let promise = if counted && self.known.is_tried(&drawn) { promise - 1e6 } else { promise };
            if promise > best.0 {
                best.0 = promise;
                best.1.clone_from(&drawn);
            }
        }
        self.known.point(&best.1)
    }
}

impl Known {
    /// Adds the points of `history` that are not there yet; starts anew when those that are there are not its first.
    fn take_up(&mut self, history: &History<'_>, space: &Space) {
        if self.space != *space {
            let free = |at: &usize| !space.dimensions[*at].range.is_fixed();
            let free: Vec<usize> = (0..space.dimensions.len()).filter(free).collect();
            let axis = |at: &usize| match &space.dimensions[*at].range {
                Range::Choice { values } => Axis::Choices(values.len()),
                range => Axis::Line { cell: range.count().map_or(0.0, |count| 1.0 / count as f64) },
            };
            let axes = free.iter().map(axis).collect();
            let nothing = free.len();
            let (columns, orders) = (vec![Vec::new(); nothing], vec![Vec::new(); nothing]);
            *self = Known { space: space.clone(), free, axes, points: Vec::new(), columns, orders };
        }
        let ended = history.warm.iter().chain(history.told).map(|told| &told.point);
        let all = ended.chain(history.pending);
        let same = self.points.iter().zip(all.clone()).take_while(|(old, new)| old == new).count();
        if same < self.points.len() {
            self.points.clear();
            self.columns.iter_mut().for_each(Vec::clear);
            self.orders.iter_mut().for_each(Vec::clear);
        }
        let there = self.points.len();
        all.skip(there).for_each(|point| self.add(point));
    }

    fn add(&mut self, point: &Point) {
        let at = self.points.len() as u32;
        for (slot, dimension) in self.free.iter().enumerate() {
            let number = point.0[*dimension];
            let place = match self.axes[slot] {
                Axis::Choices(_) => number,
                Axis::Line { .. } => self.space.dimensions[*dimension].range.encode(number),
            };
            let (column, order) = (&mut self.columns[slot], &mut self.orders[slot]);
            let rank = order.partition_point(|other| column[*other as usize] <= place);
            order.insert(rank, at);
            column.push(place);
        }
        self.points.push(point.clone());
    }

    /// Moves `drawn` to where the value lies that it stands for, when values are counted.
    fn snap(&self, drawn: &mut [f64]) {
        for (place, (axis, dimension)) in drawn.iter_mut().zip(self.axes.iter().zip(&self.free)) {
            if matches!(axis, Axis::Line { cell } if *cell > 0.0) {
                let range = &self.space.dimensions[*dimension].range;
                *place = range.encode(range.decode(*place));
            }
        }
    }

    fn point(&self, places: &[f64]) -> Point {
        let mut numbers: Vec<f64> = self.space.dimensions.iter().map(|of| of.range.decode(0.5)).collect();
        for ((place, axis), dimension) in places.iter().zip(&self.axes).zip(&self.free) {
            numbers[*dimension] = match axis {
                Axis::Choices(_) => *place,
                Axis::Line { .. } => self.space.dimensions[*dimension].range.decode(*place),
            };
        }
        Point(numbers)
    }

    fn is_tried(&self, places: &[f64]) -> bool {
        let same = |at: usize| self.columns.iter().zip(places).all(|(column, place)| column[at] == *place);
        (0..self.points.len()).any(same)
    }
}

/// Weights of the good trials, in the order of their numbers: falling in even steps from 1 for the best of its study.
fn ranked(history: &History<'_>, good: &[bool]) -> Vec<f64> {
    let (warm, own) = good.split_at(history.warm.len());
    let mut weights = Vec::new();
    for (trials, good) in [(history.warm, warm), (history.told, own)] {
        let chosen = trials.iter().zip(good).filter(|(_, good)| **good);
        let costs: Vec<f64> = chosen.map(|(told, _)| cost(told, history)).collect();
        let better = |cost: &f64| costs.iter().filter(|other| *other < cost).count();
        weights.extend(costs.iter().map(|cost| (costs.len() - better(cost)) as f64 / costs.len() as f64));
    }
    weights
}

/// What a trial cost; one that was given up is worse than all that were not.
fn cost(told: &Told, history: &History<'_>) -> f64 {
    told.outcome.value().map_or(f64::INFINITY, |value| history.direction.cost(value))
}

fn is_failed(told: &Told) -> bool {
    matches!(told.outcome, Outcome::Failed(_))
}

/// Marks the best tenth of the trials that did not fail: those that came to their end by value, then those given up, the
/// farthest first.
fn mark_good(trials: &[Told], learnable: usize, history: &History<'_>, good: &mut [bool]) {
    let wanted = learnable.div_ceil(10).min(GOOD_MAX);
    if wanted == 0 {
        return;
    }
    let key = |(at, told): (usize, &Told)| match told.outcome {
        Outcome::Value(value) => Some((0, 0, history.direction.cost(value), at)),
        Outcome::Pruned { step, value } => Some((1, u64::MAX - step, history.direction.cost(value), at)),
        Outcome::Failed(_) => None,
    };
    let mut keys: Vec<(u8, u64, f64, usize)> = trials.iter().enumerate().filter_map(key).collect();
    let compare = |a: &(u8, u64, f64, usize), b: &(u8, u64, f64, usize)| {
        (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)).then(a.3.cmp(&b.3))
    };
    keys.select_nth_unstable_by(wanted - 1, compare);
    keys[..wanted].iter().for_each(|key| good[key.3] = true);
}

/// Weights of `count` trials, the oldest first, when `older` ones before them are left out: 1 for the latest, for those
/// before them a line from nearly 0 up to 1.
fn weights(count: usize, older: usize) -> Vec<f64> {
    let all = count + older;
    if all < RECENT {
        return vec![1.0; count];
    }
    let ramp = (all - RECENT).saturating_sub(1).max(1) as f64;
    let first = 1.0 / all as f64;
    let weight = |at: usize| match all - at <= RECENT {
        true => 1.0,
        false => first + (1.0 - first) * at as f64 / ramp,
    };
    (older..all).map(weight).collect()
}
