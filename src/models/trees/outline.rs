//! One tree as contributions see it: shares of rows along its paths, features asked again, and twigs.
//!
//! A twig is a subtree with so few questions that many rows answer them alike: what such rows have in common is computed
//! once (see [`crate::models::trees::twig`]).

use crate::models::trees::tree::{LEAF, Tree};

/// Questions of a twig, those above it that its features were asked in included: an answer to all is one byte.
pub const TWIG_BITS: usize = 7;
/// Nothing there.
pub const NONE: u8 = u8::MAX;
/// Symbol of a row at a node whose feature was asked before and not passed: neither side is open to it. Other rows have
/// the side that they take, 0 or 1.
pub const GONE: u8 = 2;

/// A node and the side that a path takes there.
pub type Edge = (u32, u8);

/// What is known of a tree before any row is seen.
#[derive(Default)]
pub struct Outline {
    /// For both sides of each node: the share of training rows that pass all questions of its feature on the path so
    /// far, given those of the others. Above 0.
    pub shares: Vec<[f64; 2]>,
    /// Where the feature of each node was last asked on the path to it.
    pub above: Vec<Option<Edge>>,
    /// Level of each node; the root is on level 0.
    pub levels: Vec<u32>,
    /// The twig that begins at each node, if one does: its place in `twigs`.
    pub twig_of: Vec<Option<u32>>,
    /// The twigs.
    pub twigs: Vec<Twig>,
    /// Most distinct features on one path.
    pub features: usize,
    /// Levels of nodes that are in no twig.
    pub height: usize,
}

/// A subtree of few questions.
pub struct Twig {
    /// Its nodes, each before its children, left before right.
    pub nodes: Vec<TwigNode>,
    /// Level and side of the questions above it that matter: whether a row passes them is part of its answer.
    pub outer: Vec<(u32, u8)>,
}

/// One node of a twig. Its subtree's answers are one bit a node, in their order, and then one for each outer edge.
#[derive(Clone, Default)]
pub struct TwigNode {
    /// Number of the node in its tree.
    pub node: u32,
    /// Left and right child: a place in the twig, or a leaf of the tree when [`LEAF`] is set.
    pub children: [u32; 2],
    /// Nodes of its subtree.
    pub size: u8,
    /// Which of its outer edges last asked its feature; [`NONE`] when its feature is new.
    pub above: u8,
    /// For each side and each outer edge of that child: which of the own outer edges it is, [`NONE`] for the edge to the
    /// child itself.
    pub sources: [Vec<u8>; 2],
    /// Features of its subtree.
    pub features: Vec<u32>,
    /// Which of them is its own.
    pub own: u8,
    /// For each side and each feature of that child: which of the own features it is.
    pub places: [Vec<u8>; 2],
}

/// A step of the walk over all paths.
enum Step {
    /// To this side of a node, on a level.
    Down(u32, u8, u32),
    /// Back: this feature was last asked there.
    Up(u32, Option<Edge>),
}

impl Outline {
    /// Looks at a tree that has covers. `O(nodes)`, and as much memory.
    pub fn new(tree: &Tree, features: usize) -> Outline {
        let count = tree.nodes.len();
        let mut outline = Outline {
            shares: vec![[1.0; 2]; count],
            above: vec![None; count],
            levels: vec![0; count],
            twig_of: vec![None; count],
            ..Outline::default()
        };
        if count > 0 {
            outline.walk(tree, features);
            outline.find_twigs(tree);
        }
        outline
    }

    fn walk(&mut self, tree: &Tree, features: usize) {
        let covers = tree.node_covers();
        let mut asked: Vec<Option<Edge>> = vec![None; features];
        let mut distinct = 0;
        let mut steps = vec![Step::Down(0, 1, 0), Step::Down(0, 0, 0)];
        while let Some(step) = steps.pop() {
            let (node, side, level) = match step {
                Step::Down(node, side, level) => (node, side, level),
                Step::Up(feature, before) => {
                    distinct -= usize::from(before.is_none());
                    asked[feature as usize] = before;
                    continue;
                }
            };
            let (place, of_side) = (node as usize, usize::from(side));
            let feature = tree.nodes[place].feature;
            let child = tree.nodes[place].children[of_side];
            let cover = match child & LEAF != 0 {
                true => f64::from(tree.covers[(child & !LEAF) as usize]),
                false => covers[child as usize],
            };
            let before = asked[feature as usize].replace((node, side));
            self.above[place] = before;
            self.levels[place] = level;
            let share_before = before.map_or(1.0, |(node, side)| self.shares[node as usize][usize::from(side)]);
            // Never 0, so that it can be divided by, however often shares are multiplied.
            self.shares[place][of_side] = (share_before * (cover / covers[place])).max(f64::MIN_POSITIVE);
            distinct += usize::from(before.is_none());
            self.features = self.features.max(distinct);
            steps.push(Step::Up(feature, before));
            if child & LEAF == 0 {
                steps.extend([Step::Down(child, 1, level + 1), Step::Down(child, 0, level + 1)]);
            }
        }
    }

    /// The largest subtrees whose answers fit [`TWIG_BITS`].
    fn find_twigs(&mut self, tree: &Tree) {
        let count = tree.nodes.len();
        let mut sizes = vec![0; count];
        let mut outer: Vec<Vec<Edge>> = vec![Vec::new(); count];
        for node in (0..count).rev() {
            let mut edges: Vec<Edge> = self.above[node].into_iter().collect();
            let mut size = 1;
            for child in tree.nodes[node].children.into_iter().filter(|child| child & LEAF == 0) {
                size += sizes[child as usize];
                for edge in &outer[child as usize] {
                    if edge.0 as usize != node && !edges.contains(edge) {
                        edges.push(*edge);
                    }
                }
            }
            // Of larger ones nothing is wanted.
            sizes[node] = size.min(TWIG_BITS + 1);
            edges.truncate(TWIG_BITS + 1);
            outer[node] = edges;
        }
        let mut open = vec![0];
        while let Some(node) = open.pop() {
            let place = node as usize;
            if sizes[place] + outer[place].len() <= TWIG_BITS {
                self.twig_of[place] = Some(self.twigs.len() as u32);
                let levels = outer[place].iter().map(|(node, side)| (self.levels[*node as usize], *side));
                let mut twig = Twig { nodes: Vec::with_capacity(sizes[place]), outer: levels.collect() };
                twig.grow(tree, &self.above, &outer, node);
                self.twigs.push(twig);
                continue;
            }
            self.height = self.height.max(self.levels[place] as usize + 1);
            open.extend(tree.nodes[place].children.into_iter().filter(|child| child & LEAF == 0));
        }
    }
}

impl Twig {
    /// Adds a node and all below it; returns its place.
    fn grow(&mut self, tree: &Tree, above: &[Option<Edge>], outer: &[Vec<Edge>], node: u32) -> usize {
        let place = self.nodes.len();
        self.nodes.push(TwigNode::default());
        let own_outer = &outer[node as usize];
        let which = |edge: &Edge| own_outer.iter().position(|own| own == edge).map_or(NONE, |at| at as u8);
        let feature = tree.nodes[node as usize].feature;
        let mut made = TwigNode {
            node,
            size: 1,
            above: above[node as usize].as_ref().map_or(NONE, which),
            features: vec![feature],
            ..TwigNode::default()
        };
        for (side, child) in tree.nodes[node as usize].children.into_iter().enumerate() {
            made.children[side] = child;
            if child & LEAF != 0 {
                continue;
            }
            let below = self.grow(tree, above, outer, child);
            made.children[side] = below as u32;
            made.size += self.nodes[below].size;
            // An edge that is not outer to this node can only be the one to the child.
            made.sources[side] = outer[child as usize].iter().map(which).collect();
            for feature in &self.nodes[below].features {
                let at = made.features.iter().position(|own| own == feature).unwrap_or(made.features.len());
                if at == made.features.len() {
                    made.features.push(*feature);
                }
                made.places[side].push(at as u8);
            }
        }
        self.nodes[place] = made;
        place
    }
}
