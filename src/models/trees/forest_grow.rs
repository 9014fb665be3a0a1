//! Growing the trees of a forest, each from rows of its own.

use rayon::prelude::*;

use crate::base::seed::{Rng, Seed};
use crate::base::talk::{Talk, Unit};
use crate::models::trees::binned::Binned;
use crate::models::trees::choose::{Chooser, Rules};
use crate::models::trees::criterion::{Criterion, Item};
use crate::models::trees::tree::{LEAF, Tree};

/// Appends the values of a leaf, given its rows and their sum.
pub type Leaf<'a> = &'a (dyn Fn(&[Item], &[i64], &mut Vec<f64>) + Sync);

/// What growing a tree needs besides its seed.
pub struct Forest<'a, C: Criterion> {
    /// The features in bins.
    pub binned: &'a Binned,
    /// What rows are divided by.
    pub criterion: &'a C,
    /// How splits are chosen.
    pub rules: Rules,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
    /// Share of rows drawn with replacement; 0 means all, not drawn.
    pub row_share: f64,
    /// The rows that count, ascending.
    pub rows: &'a [u32],
    /// What leaves answer.
    pub leaf: Leaf<'a>,
}

/// A part of a tree still to be grown.
struct Task {
    items: std::ops::Range<usize>,
    depth: usize,
    parent: Option<(u32, usize)>,
}

impl<C: Criterion> Forest<'_, C> {
    /// Grows all trees, each from a seed of its own.
    pub fn grow_all(&self, name: &str, seed: Seed, talk: &dyn Talk, trees: usize) -> Vec<Tree> {
        let progress = talk.start(name, Some(trees as u64), Unit::Items);
        let numbers = (0..trees as u64).into_par_iter();
        let grown = numbers.map(|number| {
            let tree = self.grow(seed.nth(number));
            progress.advance(1);
            tree
        });
        grown.collect()
    }

    /// Grows one tree depth first, left before right; nodes come out in that order.
    fn grow(&self, seed: Seed) -> Tree {
        let mut rng = seed.rng();
        let mut items = draw(self.rows, self.row_share, &mut rng);
        let mut spare = vec![Item::default(); items.len()];
        let mut chooser = Chooser::new(self.binned, self.criterion, self.rules);
        let mut total = vec![0; self.criterion.words()];
        let mut tree = Tree::default();
        let mut leaves = 0;
        let mut tasks = vec![Task { items: 0..items.len(), depth: 0, parent: None }];
        while let Some(task) = tasks.pop() {
            let part = &mut items[task.items.clone()];
            total.fill(0);
            part.iter().for_each(|item| self.criterion.add(&mut total, *item));
            let may_split = (self.depth == 0 || task.depth < self.depth)
                && self.criterion.weight(&total) >= 2 * self.rules.leaf_rows
                && part.len() > 1
                && !self.criterion.is_pure(&total, part);
            let choice = if may_split { chooser.choose(part, &total, &mut rng) } else { None };
            let number = match choice {
                None => {
                    (self.leaf)(part, &total, &mut tree.values);
                    tree.covers.push((self.criterion.cover(&total) as f32).clamp(f32::MIN_POSITIVE, f32::MAX));
                    leaves += 1;
                    LEAF | (leaves - 1)
                }
                Some(choice) => {
                    let feature = &self.binned.features[choice.feature];
                    let codes = &self.binned.columns[feature.column].codes;
                    let left = divide(part, &mut spare, |row| choice.test.goes_left(codes.get(row as usize)));
                    let gain = choice.goodness - self.criterion.goodness(&total);
                    let node = tree.push(choice.feature, feature, &choice.test, gain);
                    let middle = task.items.start + left;
                    let depth = task.depth + 1;
                    tasks.push(Task { items: middle..task.items.end, depth, parent: Some((node, 1)) });
                    tasks.push(Task { items: task.items.start..middle, depth, parent: Some((node, 0)) });
                    node
                }
            };
            if let Some((parent, side)) = task.parent {
                tree.nodes[parent as usize].children[side] = number;
            }
        }
        tree
    }
}

/// The rows of one tree: all of `rows` once, or as many as the share says, drawn with replacement.
fn draw(rows: &[u32], share: f64, rng: &mut Rng) -> Vec<Item> {
    if share == 0.0 {
        return rows.iter().map(|&row| Item { row, weight: 1 }).collect();
    }
    let mut times = vec![0_u32; rows.len()];
    for _ in 0..((rows.len() as f64 * share).round() as usize).max(1) {
        times[rng.below(rows.len() as u64) as usize] += 1;
    }
    let drawn = rows.iter().zip(&times).filter(|(_, times)| **times > 0);
    drawn.map(|(&row, &weight)| Item { row, weight }).collect()
}

/// Moves the rows that go left to the front, keeping their order on both sides; returns their number.
fn divide(items: &mut [Item], spare: &mut [Item], goes_left: impl Fn(u32) -> bool) -> usize {
    let (mut left, mut right) = (0, 0);
    for place in 0..items.len() {
        let item = items[place];
        let goes = usize::from(goes_left(item.row));
        items[left] = item;
        spare[right] = item;
        left += goes;
        right += 1 - goes;
    }
    items[left..].copy_from_slice(&spare[..right]);
    left
}
