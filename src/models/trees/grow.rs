//! Growing one boosted tree leaf by leaf, the best split of all leaves first (Shi 2007; LightGBM's way).

use crate::models::trees::binned::Binned;
use crate::models::trees::histogram::{Child, Plan};
use crate::models::trees::partition::partition;
use crate::models::trees::search::{Search, Split};
use crate::models::trees::sums::{Sums, add, minus};
use crate::models::trees::tree::{LEAF, Test, Tree};

/// How large a tree may become.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Most leaves.
    pub leaves: usize,
    /// Most levels below the root; 0 means no limit.
    pub depth: usize,
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
    pub rows: std::ops::Range<usize>,
    /// Their sums.
    pub sums: Sums,
}

struct Leaf {
    rows: std::ops::Range<usize>,
    sums: Sums,
    depth: usize,
    bins: Vec<Sums>,
    split: Option<Split>,
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
    /// Grows one tree from `rows`, which it reorders so that each leaf's rows are together. `words` has the sums of
    /// each row of the table.
    pub fn grow(&mut self, search: &Search<'_>, plan: &Plan, size: Size, rows: &mut [u32], words: &[Sums]) -> Grown {
        self.scratch.resize(rows.len().max(self.scratch.len()), 0);
        let mut sums = [0; 2];
        for &row in rows.iter() {
            add(&mut sums, words[row as usize]);
        }
        let (bins, split) = plan.root(search, rows, words, sums);
        let mut leaves = vec![Leaf { rows: 0..rows.len(), sums, depth: 0, bins, split, parent: None }];
        let mut grown = Grown { tree: Tree::default(), tests: Vec::new(), leaves: Vec::new() };
        while leaves.len() < size.leaves
            && let Some((place, split)) = take_best(&mut leaves)
        {
            self.split(search, plan, size, rows, words, &mut leaves, place, split, &mut grown);
        }
        for (number, leaf) in leaves.into_iter().enumerate() {
            if let Some((node, side)) = leaf.parent {
                grown.tree.nodes[node as usize].children[side] = LEAF | number as u32;
            }
            grown.leaves.push(GrownLeaf { rows: leaf.rows, sums: leaf.sums });
            self.spare.push(leaf.bins);
        }
        self.spare.retain(|bins| !bins.is_empty());
        grown
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `grow`, which owns all of it")]
    fn split(
        &mut self,
        search: &Search<'_>,
        plan: &Plan,
        size: Size,
        rows: &mut [u32],
        words: &[Sums],
        leaves: &mut Vec<Leaf>,
        place: usize,
        split: Split,
        grown: &mut Grown,
    ) {
        let Leaf { rows: range, sums, depth, bins: mut large, parent, .. } = take(&mut leaves[place]);
        let feature = &search.binned.features[split.feature];
        let column = &search.binned.columns[feature.column];
        let part = &mut rows[range.clone()];
        let left_count = partition(part, &mut self.scratch[..range.len()], column, &split.test);
        let node = grown.tree.push(split.feature, feature, &split.test);
        if let Some((above, side)) = parent {
            grown.tree.nodes[above as usize].children[side] = node;
        }
        grown.tests.push((split.feature, split.test));

        let middle = range.start + left_count;
        let child = |rows: std::ops::Range<usize>, sums, side| Leaf {
            rows,
            sums,
            depth: depth + 1,
            bins: Vec::new(),
            split: None,
            parent: Some((node, side)),
        };
        let mut pair =
            [child(range.start..middle, split.left, 0), child(middle..range.end, minus(sums, split.left), 1)];
        let room = leaves.len() + 1 < size.leaves && (size.depth == 0 || depth + 1 < size.depth);
        let open = |leaf: &Leaf| Child {
            sums: leaf.sums,
            open: room && leaf.rows.len() as u64 >= 2 * search.limits.leaf_rows,
        };
        let children = [open(&pair[0]), open(&pair[1])];
        if children[0].open || children[1].open {
            let small = usize::from(pair[1].rows.len() < pair[0].rows.len());
            let mut bins = self.spare.pop().unwrap_or_else(|| vec![[0; 2]; search.binned.bins]);
            let small_rows = &rows[pair[small].rows.clone()];
            let both = plan.children(
                search,
                small_rows,
                words,
                (&mut bins, children[small]),
                (&mut large, children[1 - small]),
            );
            let [small_split, large_split] = both;
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

fn take(leaf: &mut Leaf) -> Leaf {
    let empty = Leaf { rows: 0..0, sums: [0; 2], depth: 0, bins: Vec::new(), split: None, parent: None };
    std::mem::replace(leaf, empty)
}

/// The leaf whose split gains most, the first on a tie, and that split.
fn take_best(leaves: &mut [Leaf]) -> Option<(usize, Split)> {
    let mut best: Option<(usize, f64)> = None;
    for (place, leaf) in leaves.iter().enumerate() {
        if let Some(split) = &leaf.split
            && best.is_none_or(|(_, gain)| split.gain > gain)
        {
            best = Some((place, split.gain));
        }
    }
    let (place, _) = best?;
    leaves[place].split.take().map(|split| (place, split))
}

impl Grown {
    /// The leaf that a row of the table falls into.
    pub fn leaf_of(&self, binned: &Binned, row: usize) -> usize {
        if self.tests.is_empty() {
            return 0;
        }
        let mut node = 0;
        loop {
            let (feature, test) = &self.tests[node as usize];
            let column = &binned.columns[binned.features[*feature].column];
            let side = usize::from(!test.goes_left(column.codes.get(row)));
            node = self.tree.nodes[node as usize].children[side];
            if node & LEAF != 0 {
                return (node & !LEAF) as usize;
            }
        }
    }
}
