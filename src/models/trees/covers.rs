//! How training rows are spread over a tree.

use crate::models::trees::tree::{LEAF, Tree};

impl Tree {
    /// Training rows of each inner node, or their weights.
    pub fn node_covers(&self) -> Vec<f64> {
        let mut covers = vec![0.0; self.nodes.len()];
        // Children come after their parent.
        for (number, node) in self.nodes.iter().enumerate().rev() {
            let of = |child: u32| match child & LEAF != 0 {
                true => f64::from(self.covers[(child & !LEAF) as usize]),
                false => covers[child as usize],
            };
            covers[number] = of(node.children[0]) + of(node.children[1]);
        }
        covers
    }

    /// The product of the shares of training rows along the path to each leaf.
    pub fn leaf_shares(&self) -> Vec<f64> {
        let covers = self.node_covers();
        let mut reached = vec![0.0; self.nodes.len()];
        let mut shares = vec![1.0; self.covers.len()];
        for (number, node) in self.nodes.iter().enumerate() {
            let above = if number == 0 { 1.0 } else { reached[number] };
            for child in node.children {
                match child & LEAF != 0 {
                    true => {
                        let leaf = (child & !LEAF) as usize;
                        shares[leaf] = above * (f64::from(self.covers[leaf]) / covers[number]);
                    }
                    false => reached[child as usize] = above * (covers[child as usize] / covers[number]),
                }
            }
        }
        shares
    }
}
