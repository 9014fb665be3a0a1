//! The stable form of trees: field by field over all nodes; what is read back is checked before it is believed.

use anyhow::Result;

use crate::base::limits::TREE_FEATURES_MAX;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::tree::{LEAF, Node, Tree};

/// Layout of trees with gains and covers; the first one had no number and neither of them.
const LAYOUT: u64 = 2;

impl Ensemble {
    /// Writes all trees, field by field over all nodes.
    pub fn write(&self, form: &mut FormWriter) {
        let nodes = || self.trees.iter().flat_map(|tree| &tree.nodes);
        let counts = |count: fn(&Tree) -> usize| self.trees.iter().map(|t| count(t) as u32).collect::<Vec<u32>>();
        let has_counts = self.trees.iter().all(|tree| tree.gains.len() == tree.nodes.len() && !tree.covers.is_empty());
        if has_counts {
            form.u64("layout", LAYOUT);
        }
        form.u64("features", self.features as u64);
        form.u64("width", self.width as u64);
        form.u32s("tree_nodes", &counts(|tree| tree.nodes.len()));
        form.u32s("tree_values", &counts(|tree| tree.values.len()));
        form.u32s("tree_words", &counts(|tree| tree.sets.len()));
        form.u32s("feature", &nodes().map(|node| node.feature).collect::<Vec<_>>());
        form.f64s("threshold", &nodes().map(|node| node.threshold).collect::<Vec<_>>());
        form.u32s("left", &nodes().map(|node| node.children[0]).collect::<Vec<_>>());
        form.u32s("right", &nodes().map(|node| node.children[1]).collect::<Vec<_>>());
        form.u8s("flags", &nodes().map(|node| node.flags).collect::<Vec<_>>());
        form.u32s("words", &nodes().filter(|node| node.is_set()).map(|node| node.words.into()).collect::<Vec<_>>());
        form.f64s("values", &self.trees.iter().flat_map(|tree| &tree.values).copied().collect::<Vec<_>>());
        form.u64s("sets", &self.trees.iter().flat_map(|tree| &tree.sets).copied().collect::<Vec<_>>());
        if has_counts {
            form.f32s("gains", &self.trees.iter().flat_map(|tree| &tree.gains).copied().collect::<Vec<_>>());
            form.f32s("covers", &self.trees.iter().flat_map(|tree| &tree.covers).copied().collect::<Vec<_>>());
        }
    }

    /// Reads trees back. Those of older versions have neither gains nor covers.
    ///
    /// Errors: lengths that do not agree, a feature, leaf or set that is not there, a child before its parent or with two
    /// of them, a threshold, value, gain or cover that cannot be.
    pub fn read(form: &mut FormReader<'_>) -> Result<Ensemble> {
        let has_counts = form.next_is("layout");
        if has_counts {
            let layout = form.u64("layout")?;
            if layout != LAYOUT {
                return Err(damaged("layout", &format!("{layout} is not known; this version writes {LAYOUT}")));
            }
        }
        let features = form.count("features", TREE_FEATURES_MAX)?;
        let width = form.count("width", u32::MAX as usize)?;
        let mut parts = Parts {
            nodes: form.u32s("tree_nodes")?.into_iter(),
            values: form.u32s("tree_values")?.into_iter(),
            words: form.u32s("tree_words")?.into_iter(),
        };
        let nodes = read_nodes(form)?;
        let value_count = total(parts.values.as_slice());
        let values = form.finite("values", value_count)?;
        let sets = form.u64s("sets")?;
        let trees = parts.nodes.len();
        let is_consistent = trees == parts.values.len()
            && trees == parts.words.len()
            && total(parts.nodes.as_slice()) == nodes.len()
            && total(parts.words.as_slice()) == sets.len();
        if width == 0 || !is_consistent {
            return Err(damaged("tree_nodes", "the lengths of its parts do not agree"));
        }
        let leaves = value_count.checked_div(width).unwrap_or(0);
        let (gains, covers) = match has_counts {
            true => (amounts(form, "gains", nodes.len(), 0.0)?, amounts(form, "covers", leaves, f32::MIN_POSITIVE)?),
            false => (Vec::new(), Vec::new()),
        };
        let mut ensemble = Ensemble { features, width, trees: Vec::with_capacity(trees) };
        let (mut nodes, mut values, mut sets) = (nodes.as_slice(), values.as_slice(), sets.as_slice());
        let (mut gains, mut covers) = (gains.as_slice(), covers.as_slice());
        while let Some((node_count, value_count, word_count)) = parts.next() {
            let tree = Tree {
                nodes: split_off(&mut nodes, node_count).to_vec(),
                values: split_off(&mut values, value_count).to_vec(),
                sets: split_off(&mut sets, word_count).to_vec(),
                gains: split_off(&mut gains, if has_counts { node_count } else { 0 }).to_vec(),
                covers: split_off(&mut covers, if has_counts { value_count / width } else { 0 }).to_vec(),
            };
            check(&tree, features, width)?;
            ensemble.trees.push(tree);
        }
        Ok(ensemble)
    }
}

/// Reads exactly `count` finite numbers of at least `least`.
fn amounts(form: &mut FormReader<'_>, name: &str, count: usize, least: f32) -> Result<Vec<f32>> {
    let amounts = form.f32s(name)?;
    let fine = amounts.len() == count && amounts.iter().all(|amount| (least..=f32::MAX).contains(amount));
    match fine {
        true => Ok(amounts),
        false => Err(damaged(name, &format!("these are not {count} numbers of at least {least}"))),
    }
}

struct Parts {
    nodes: std::vec::IntoIter<u32>,
    values: std::vec::IntoIter<u32>,
    words: std::vec::IntoIter<u32>,
}

impl Parts {
    fn next(&mut self) -> Option<(usize, usize, usize)> {
        Some((self.nodes.next()? as usize, self.values.next()? as usize, self.words.next()? as usize))
    }
}

fn total(counts: &[u32]) -> usize {
    counts.iter().map(|&count| count as usize).sum()
}

fn split_off<'a, T>(rest: &mut &'a [T], count: usize) -> &'a [T] {
    let (first, last) = rest.split_at(count);
    *rest = last;
    first
}

fn read_nodes(form: &mut FormReader<'_>) -> Result<Vec<Node>> {
    let feature = form.u32s("feature")?;
    let threshold = form.f64s("threshold")?;
    let left = form.u32s("left")?;
    let right = form.u32s("right")?;
    let flags = form.u8s("flags")?;
    let mut words = form.u32s("words")?.into_iter();
    let count = feature.len();
    if [threshold.len(), left.len(), right.len(), flags.len()] != [count; 4] {
        return Err(damaged("flags", "there are not as many nodes in every field"));
    }
    let mut nodes = Vec::with_capacity(count);
    for place in 0..count {
        let mut node = Node {
            threshold: threshold[place],
            feature: feature[place],
            children: [left[place], right[place]],
            words: 0,
            flags: flags[place],
        };
        if node.is_set() {
            let length = words.next().ok_or_else(|| damaged("words", "a set has no length"))?;
            node.words = length.try_into().map_err(|_| damaged("words", "a set is too long"))?;
        }
        nodes.push(node);
    }
    match words.next() {
        Some(_) => Err(damaged("words", "a length has no set")),
        None => Ok(nodes),
    }
}

fn check(tree: &Tree, features: usize, width: usize) -> Result<()> {
    let leaves = tree.values.len() / width;
    if leaves == 0 || leaves * width != tree.values.len() {
        return Err(damaged("values", "a tree's values do not make whole leaves"));
    }
    if leaves != tree.nodes.len() + 1 {
        return Err(damaged("values", &format!("{} nodes do not end in {leaves} leaves", tree.nodes.len())));
    }
    // As many pointers as there are nodes below the root and leaves: none is pointed at twice, so all are reached once.
    let mut is_child = vec![false; tree.nodes.len() + leaves];
    for (number, node) in tree.nodes.iter().enumerate() {
        if node.feature as usize >= features {
            return Err(damaged("feature", &format!("there is no feature {}", node.feature)));
        }
        for child in node.children {
            let (is_leaf, child) = (child & LEAF != 0, (child & !LEAF) as usize);
            let is_fine = if is_leaf { child < leaves } else { child > number && child < tree.nodes.len() };
            if !is_fine {
                return Err(damaged("left", &format!("node {number} has child {child}")));
            }
            let place = if is_leaf { tree.nodes.len() + child } else { child };
            if std::mem::replace(&mut is_child[place], true) {
                return Err(damaged("left", &format!("child {child} of node {number} has another parent")));
            }
        }
        if !node.flags_known() || node.threshold.is_nan() {
            return Err(damaged("threshold", &format!("node {number} asks nothing that this version knows")));
        }
        let begin = node.threshold;
        let is_inside = begin >= 0.0 && begin.fract() == 0.0 && begin + f64::from(node.words) <= tree.sets.len() as f64;
        if node.is_set() && !is_inside {
            return Err(damaged("sets", &format!("the set of node {number} is not there")));
        }
    }
    Ok(())
}
