//! Growing one boosted tree: leaf by leaf, the best split of all leaves first (Shi 2007; LightGBM's way), or level by
//! level.

use std::ops::Range;

use crate::base::seed::Seed;
use crate::models::trees::binned::Binned;
use crate::models::trees::constraints::Constraints;
use crate::models::trees::histogram::{Child, Plan};
use crate::models::trees::partition::partition;
use crate::models::trees::search::{Place, Search, Split};
use crate::models::trees::sums::{Sums, add, minus};
use crate::models::trees::terms::Bounds;
use crate::models::trees::tree::{LEAF, Test, Tree};

/// How large a tree may become, and in which order.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Most leaves.
    pub leaves: usize,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
    /// Whether leaves near the root are split before deeper ones.
    pub by_level: bool,
}

/// Everything that trees of one round are grown from.
#[derive(Clone, Copy)]
pub struct Ground<'a> {
    /// The search for splits.
    pub search: &'a Search<'a>,
    /// The features of the tree.
    pub plan: &'a Plan,
    /// Its size.
    pub size: Size,
    /// Sums of each row of the table.
    pub words: &'a [Sums],
    /// What limits the features of a node.
    pub constraints: &'a Constraints,
    /// Chance, for the features of nodes.
    pub seed: Seed,
}

/// A tree without leaf values, and where the rows went.
pub struct Grown {
    /// Its nodes.
    pub tree: Tree,
    /// The same questions by bin: feature and test of every node.
    pub tests: Vec<(usize, Test)>,
    /// The leaves in the order of their numbers.
    pub leaves: Vec<GrownLeaf>,
}

/// One leaf of a grown tree.
pub struct GrownLeaf {
    /// Its part of the reordered rows.
    pub rows: Range<usize>,
    /// Their sums.
    pub sums: Sums,
    /// Squared penalty on its value.
    pub l2: f64,
    /// What its value may be, before shrinkage.
    pub bounds: Bounds,
}

struct Leaf {
    rows: Range<usize>,
    sums: Sums,
    l2: f64,
    bounds: Bounds,
    depth: usize,
    bins: Vec<Sums>,
    split: Option<Split>,
    /// Features asked above it; kept only when constraints ask for them.
    branch: Vec<u32>,
    /// Features it may be split by.
    allowed: Option<Vec<bool>>,
    /// Node and side that point here; none for the root.
    parent: Option<(u32, usize)>,
}

/// Grows trees on the same bins; keeps memory between trees.
#[derive(Default)]
pub struct Grower {
    scratch: Vec<u32>,
    spare: Vec<Vec<Sums>>,
}

impl Grower {
    /// Grows one tree from `rows`, which it reorders so that each leaf's rows are together.
    pub fn grow(&mut self, ground: &Ground<'_>, rows: &mut [u32]) -> Grown {
        self.scratch.resize(rows.len().max(self.scratch.len()), 0);
        let mut sums = [0; 2];
        for &row in rows.iter() {
            add(&mut sums, ground.words[row as usize]);
        }
        let mut root = Leaf::new(0..rows.len(), sums, ground.search.limits.l2, Bounds::NONE);
        root.allowed = ground.allowed(&root.branch, 0);
        (root.bins, root.split) = ground.plan.root(ground.search, rows, ground.words, root.child(true));
        let mut leaves = vec![root];
        let mut grown = Grown { tree: Tree::default(), tests: Vec::new(), leaves: Vec::new() };
        while leaves.len() < ground.size.leaves
            && let Some((place, split)) = take_next(&mut leaves, ground.size.by_level)
        {
            self.split(ground, rows, &mut leaves, (place, split), &mut grown);
        }
        for (number, leaf) in leaves.into_iter().enumerate() {
            if let Some((node, side)) = leaf.parent {
                grown.tree.nodes[node as usize].children[side] = LEAF | number as u32;
            }
            grown.tree.covers.push(ground.search.scale.count(leaf.sums) as f32);
            grown.leaves.push(GrownLeaf { rows: leaf.rows, sums: leaf.sums, l2: leaf.l2, bounds: leaf.bounds });
            self.spare.push(leaf.bins);
        }
        self.spare.retain(|bins| !bins.is_empty());
        grown
    }

    /// Splits the leaf at `place`: its left child takes the place, the right one comes last.
    fn split(
        &mut self,
        ground: &Ground<'_>,
        rows: &mut [u32],
        leaves: &mut Vec<Leaf>,
        (place, split): (usize, Split),
        grown: &mut Grown,
    ) {
        let mut parent = leaves[place].take();
        let mut large = std::mem::take(&mut parent.bins);
        let feature = &ground.search.binned.features[split.feature];
        let column = &ground.search.binned.columns[feature.column];
        let range = parent.rows.clone();
        let left_count = partition(&mut rows[range.clone()], &mut self.scratch[..range.len()], column, &split.test);
        let node = grown.tree.push(split.feature, feature, &split.test, split.gain);
        if let Some((above, side)) = parent.parent {
            grown.tree.nodes[above as usize].children[side] = node;
        }
        let middle = range.start + left_count;
        let mut pair = ground.children(&parent, &split, node, [range.start..middle, middle..range.end]);
        grown.tests.push((split.feature, split.test));
        let size = ground.size;
        let room = leaves.len() + 1 < size.leaves && (size.depth == 0 || parent.depth + 1 < size.depth);
        let open = |leaf: &Leaf| room && leaf.rows.len() as u64 >= 2 * ground.search.limits.leaf_rows;
        let is_open = [open(&pair[0]), open(&pair[1])];
        if is_open[0] || is_open[1] {
            let small = usize::from(pair[1].rows.len() < pair[0].rows.len());
            let mut bins = self.spare.pop().unwrap_or_else(|| vec![[0; 2]; ground.search.binned.bins]);
            let small_rows = &rows[pair[small].rows.clone()];
            let [small_split, large_split] = ground.plan.children(
                ground.search,
                small_rows,
                ground.words,
                (&mut bins, pair[small].child(is_open[small])),
                (&mut large, pair[1 - small].child(is_open[1 - small])),
            );
            (pair[small].bins, pair[small].split) = (bins, small_split);
            (pair[1 - small].bins, pair[1 - small].split) = (large, large_split);
        } else {
            self.spare.push(large);
        }
        let [left, right] = pair;
        leaves[place] = left;
        leaves.push(right);
    }
}

impl Ground<'_> {
    fn allowed(&self, branch: &[u32], node: u64) -> Option<Vec<bool>> {
        self.constraints.allowed(self.plan, branch, self.search.binned.features.len(), self.seed.nth(node))
    }

    /// Both children of a node, without histograms.
    fn children(&self, parent: &Leaf, split: &Split, node: u32, rows: [Range<usize>; 2]) -> [Leaf; 2] {
        let search = self.search;
        let sums = [split.left, minus(parent.sums, split.left)];
        let direction = search.monotone.get(split.feature).copied().unwrap_or(0);
        let bounds = match direction {
            0 => [parent.bounds; 2],
            _ => {
                let [left, right] = sums.map(|sums| search.value(sums, split.l2, parent.bounds));
                parent.bounds.divide(direction, left, right)
            }
        };
        let [left_rows, right_rows] = rows;
        let mut pair =
            [Leaf::new(left_rows, sums[0], split.l2, bounds[0]), Leaf::new(right_rows, sums[1], split.l2, bounds[1])];
        for (side, leaf) in pair.iter_mut().enumerate() {
            leaf.depth = parent.depth + 1;
            leaf.parent = Some((node, side));
            if self.constraints.limit_nodes() {
                leaf.branch.clone_from(&parent.branch);
                leaf.branch.push(split.feature as u32);
                leaf.allowed = self.allowed(&leaf.branch, u64::from(node) * 2 + side as u64 + 1);
            }
        }
        pair
    }
}

impl Leaf {
    fn new(rows: Range<usize>, sums: Sums, l2: f64, bounds: Bounds) -> Leaf {
        let (branch, bins) = (Vec::new(), Vec::new());
        Leaf { rows, sums, l2, bounds, depth: 0, bins, split: None, branch, allowed: None, parent: None }
    }

    fn take(&mut self) -> Leaf {
        std::mem::replace(self, Leaf::new(0..0, [0; 2], 0.0, Bounds::NONE))
    }

    fn child(&self, open: bool) -> Child<'_> {
        let place = Place { sums: self.sums, bounds: self.bounds, allowed: self.allowed.as_deref() };
        Child { place, open }
    }
}

/// The leaf to split next and its split: the one that gains most, the first on a tie; by level, only of those nearest to
/// the root.
fn take_next(leaves: &mut [Leaf], by_level: bool) -> Option<(usize, Split)> {
    let mut best: Option<(usize, usize, f64)> = None;
    for (place, leaf) in leaves.iter().enumerate() {
        let Some(split) = &leaf.split else { continue };
        let depth = if by_level { leaf.depth } else { 0 };
        if best.is_none_or(|(_, level, gain)| depth < level || (depth == level && split.gain > gain)) {
            best = Some((place, depth, split.gain));
        }
    }
    let (place, ..) = best?;
    leaves[place].split.take().map(|split| (place, split))
}

impl Grown {
    /// Sorts rows that the tree was not grown from into its leaves, as growing did with the others: `see` is told the leaf
    /// and its rows. `scratch` is as long as `rows`.
    pub fn place(&self, binned: &Binned, rows: &mut [u32], scratch: &mut [u32], mut see: impl FnMut(usize, &[u32])) {
        let root = if self.tests.is_empty() { LEAF } else { 0 };
        let mut open = vec![(root, 0..rows.len())];
        while let Some((node, range)) = open.pop() {
            if range.is_empty() {
                continue;
            }
            if node & LEAF != 0 {
                see((node & !LEAF) as usize, &rows[range]);
                continue;
            }
            let (feature, test) = &self.tests[node as usize];
            let column = &binned.columns[binned.features[*feature].column];
            let length = range.len();
            let middle = range.start + partition(&mut rows[range.clone()], &mut scratch[..length], column, test);
            let [left, right] = self.tree.nodes[node as usize].children;
            open.extend([(left, range.start..middle), (right, middle..range.end)]);
        }
    }
}
