//! Contributions from the upper part of a tree: every path down to the twigs, for many rows side by side.
//!
//! Down the tree each row's product of factors is taken along; up, its sums over the leaves below. A feature gains the sum
//! below each of its questions times the slope there (the linear TreeSHAP of Yu and others 2022, at points instead of in
//! coefficients).

use std::ops::Range;

use crate::models::trees::asked::Asked;
use crate::models::trees::outline::GONE;
use crate::models::trees::routes::{Points, Route, add_product, plus, times};
use crate::models::trees::tree::LEAF;
use crate::models::trees::twig::{Target, Twigs};

/// Bytes that the levels of a walk may take together: they should stay in the second-level cache.
const BYTES_MAX: usize = 1 << 21;
/// Fewest rows that are taken side by side, however deep the tree is.
const ROWS_MIN: usize = 8;

enum Step {
    /// Into a node or leaf on this level.
    Enter(u32, usize),
    /// From the left side of a node to its right side.
    Turn(u32, usize),
    /// Both sides of a node are done.
    Leave(u32, usize),
}

/// Walks trees; keeps its memory.
#[derive(Default)]
pub struct Walk<const N: usize> {
    /// Products of each row, level by level.
    products: Vec<Vec<Points<N>>>,
    /// Sums of each row over the left side, level by level.
    lefts: Vec<Vec<Points<N>>>,
    /// Sums of each row over what was walked last.
    sums: Vec<Points<N>>,
    /// Symbols of each row at the node of each level.
    symbols: Vec<Vec<u8>>,
    twigs: Twigs<N>,
    steps: Vec<Step>,
}

impl<const N: usize> Walk<N> {
    /// Adds what each feature contributes to one output at the points of a route, for all rows asked.
    pub fn add(&mut self, route: &Route<'_, N>, asked: &Asked, target: &mut Target<'_>) {
        if route.tree.nodes.is_empty() {
            return;
        }
        let levels = route.outline.height + 1;
        let most = (BYTES_MAX / (levels * size_of::<Points<N>>() * 2)).max(ROWS_MIN);
        let (stride, outputs, output, of_leaf) = (target.stride, target.outputs, target.output, target.of_leaf);
        let mut begin = 0;
        while begin < asked.rows() {
            let rows = begin..asked.rows().min(begin + most);
            let values = &mut target.values[rows.start * stride..rows.end * stride];
            begin = rows.end;
            self.rows(route, asked, rows, &mut Target { values, stride, outputs, output, of_leaf });
        }
    }

    fn rows(&mut self, route: &Route<'_, N>, asked: &Asked, rows: Range<usize>, target: &mut Target<'_>) {
        let (levels, count) = (route.outline.height + 1, rows.len());
        for list in [&mut self.products, &mut self.lefts] {
            list.resize_with(levels.max(list.len()), Vec::new);
            list[..levels].iter_mut().for_each(|level| level.resize(count, [0.0; N]));
        }
        self.symbols.resize_with(levels.max(self.symbols.len()), Vec::new);
        self.symbols[..levels].iter_mut().for_each(|level| level.resize(count, 0));
        self.sums.resize(count, [0.0; N]);
        self.products[0].fill([1.0; N]);
        self.steps.push(Step::Enter(0, 0));
        while let Some(step) = self.steps.pop() {
            match step {
                Step::Enter(leaf, level) if leaf & LEAF != 0 => {
                    let (value, width) = target.of_leaf;
                    let value = route.tree.values[(leaf & !LEAF) as usize * width + value];
                    let sums = self.sums.iter_mut().zip(&self.products[level]);
                    sums.for_each(|(sum, product)| *sum = product.map(|product| product * value));
                }
                Step::Enter(node, level) => match route.outline.twig_of[node as usize] {
                    Some(twig) => {
                        let twig = &route.outline.twigs[twig as usize];
                        let vectors = (self.products[level].as_slice(), self.sums.as_mut_slice());
                        self.twigs.add(route, twig, (asked, rows.clone()), &self.symbols, vectors, target);
                    }
                    None => {
                        self.ask(route, node, level, (asked, rows.clone()));
                        self.descend(route, node, 0, level);
                        let [left, right] = route.tree.nodes[node as usize].children;
                        let right = [Step::Leave(node, level), Step::Enter(right, level + 1)];
                        self.steps.extend(right);
                        self.steps.extend([Step::Turn(node, level), Step::Enter(left, level + 1)]);
                    }
                },
                Step::Turn(node, level) => {
                    std::mem::swap(&mut self.sums, &mut self.lefts[level]);
                    self.descend(route, node, 1, level);
                }
                Step::Leave(node, level) => self.leave(route, node, level, target),
            }
        }
    }

    /// Finds the symbol of each row at a node.
    fn ask(&mut self, route: &Route<'_, N>, node: u32, level: usize, (asked, rows): (&Asked, Range<usize>)) {
        let (above, own) = self.symbols.split_at_mut(level);
        asked.sides(route.tree, node, rows, &mut own[0]);
        if let Some((last, side)) = route.outline.above[node as usize] {
            let last = &above[route.outline.levels[last as usize] as usize];
            let symbols = own[0].iter_mut().zip(last);
            symbols.for_each(|(symbol, last)| *symbol = if *last == side { *symbol } else { GONE });
        }
    }

    /// Takes the products to one side of a node.
    fn descend(&mut self, route: &Route<'_, N>, node: u32, side: usize, level: usize) {
        let factors = &route.forks[node as usize].factors[side];
        let (above, below) = self.products.split_at_mut(level + 1);
        let products = below[0].iter_mut().zip(&above[level]).zip(&self.symbols[level]);
        products.for_each(|((below, above), symbol)| *below = times(above, &factors[usize::from(*symbol)]));
    }

    /// Joins the sums of both sides and gives the node's feature its part.
    fn leave(&mut self, route: &Route<'_, N>, node: u32, level: usize, target: &mut Target<'_>) {
        let [left_slopes, right_slopes] = &route.forks[node as usize].slopes;
        let place = route.tree.nodes[node as usize].feature as usize * target.outputs + target.output;
        let rows = self.sums.iter_mut().zip(&self.lefts[level]).zip(&self.symbols[level]);
        for (((sum, left), symbol), values) in rows.zip(target.values.chunks_exact_mut(target.stride)) {
            let symbol = usize::from(*symbol);
            let mut parts = times(left, &left_slopes[symbol]);
            add_product(&mut parts, sum, &right_slopes[symbol]);
            values[place] += total(&parts);
            *sum = plus(left, sum);
        }
    }
}

#[inline(always)]
fn total<const N: usize>(points: &Points<N>) -> f64 {
    let mut sums = [0.0; 2];
    for pair in points.as_chunks::<2>().0 {
        sums[0] += pair[0];
        sums[1] += pair[1];
    }
    sums[0] + sums[1]
}
