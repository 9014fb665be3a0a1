//! Contributions from twigs: for each answer that occurs, what its rows have in common.
//!
//! For a row with the product `P` of the factors above a twig, the twig's leaves give the sum `P · S` and each feature in it
//! `Σ P · G` over the points. `S` and `G` depend on the row's answers inside the twig alone.

use std::ops::Range;

use crate::models::trees::asked::Asked;
use crate::models::trees::outline::{GONE, NONE, TWIG_BITS, Twig, TwigNode};
use crate::models::trees::routes::{Points, Route, add_product, dot, times};
use crate::models::trees::tree::LEAF;

const ANSWERS: usize = 1 << TWIG_BITS;

/// Where contributions of some rows to one output go.
pub struct Target<'a> {
    /// Values of all rows, row by row.
    pub values: &'a mut [f64],
    /// Values of one row.
    pub stride: usize,
    /// How many outputs there are.
    pub outputs: usize,
    /// Which one is meant.
    pub output: usize,
    /// Which of a leaf's values goes there, and how many a leaf has.
    pub of_leaf: (usize, usize),
}

/// What becomes of one answer at a node: its symbol there and the answers of both children.
#[derive(Clone, Copy)]
struct Link {
    symbol: u8,
    below: [u8; 2],
}

/// Working memory for twigs.
#[derive(Default)]
pub struct Twigs<const N: usize> {
    sides: Vec<u8>,
    /// Answers of the rows, then the numbers of these answers among those that occur.
    answers: Vec<u8>,
    /// Answers that occur at each node, and what becomes of them.
    met: Vec<Vec<u8>>,
    links: Vec<Vec<Link>>,
    /// Where each node's vectors begin.
    begins: Vec<usize>,
    /// For each answer at each node: `S`, then `G` of the node's features.
    vectors: Vec<Points<N>>,
}

impl<const N: usize> Twigs<N> {
    /// Adds the contributions of a twig's features; `sums` become `P · S`.
    pub fn add(
        &mut self,
        route: &Route<'_, N>,
        twig: &Twig,
        (asked, rows): (&Asked, Range<usize>),
        symbols: &[Vec<u8>],
        (products, sums): (&[Points<N>], &mut [Points<N>]),
        target: &mut Target<'_>,
    ) {
        self.answer(route, twig, (asked, rows), symbols);
        self.link(twig);
        self.weigh(route, twig, target.of_leaf);
        let features = &twig.nodes[0].features;
        let offsets: [usize; TWIG_BITS] =
            std::array::from_fn(|at| features.get(at).map_or(0, |f| *f as usize * target.outputs + target.output));
        let offsets = &offsets[..features.len()];
        let (stride, vectors) = (features.len() + 1, &self.vectors[self.begins[0]..]);
        let rows = products.iter().zip(sums).zip(&self.answers);
        for (((product, sum), answer), values) in rows.zip(target.values.chunks_exact_mut(target.stride)) {
            let begin = usize::from(*answer) * stride;
            let [shared, of_features @ ..] = &vectors[begin..begin + stride] else { continue };
            *sum = times(product, shared);
            for (offset, vector) in offsets.iter().zip(of_features) {
                values[*offset] += dot(product, vector);
            }
        }
    }

    /// The answer of each row, as a number among the answers that occur.
    fn answer(
        &mut self,
        route: &Route<'_, N>,
        twig: &Twig,
        (asked, rows): (&Asked, Range<usize>),
        symbols: &[Vec<u8>],
    ) {
        self.answers.clear();
        self.answers.resize(rows.len(), 0);
        self.sides.resize(rows.len(), 0);
        for (bit, node) in twig.nodes.iter().enumerate() {
            asked.sides(route.tree, node.node, rows.clone(), &mut self.sides);
            self.answers.iter_mut().zip(&self.sides).for_each(|(answer, side)| *answer |= side << bit);
        }
        for (at, (level, side)) in twig.outer.iter().enumerate() {
            let bit = twig.nodes.len() + at;
            let symbols = self.answers.iter_mut().zip(&symbols[*level as usize]);
            symbols.for_each(|(answer, symbol)| *answer |= u8::from(symbol == side) << bit);
        }
        self.met.resize(self.met.len().max(TWIG_BITS), Vec::new());
        self.links.resize(self.links.len().max(TWIG_BITS), Vec::new());
        self.met.iter_mut().for_each(Vec::clear);
        let mut numbers = [NONE; ANSWERS];
        for answer in &mut self.answers {
            *answer = number(&mut numbers, &mut self.met[0], *answer);
        }
    }

    /// Finds the answers that occur at each node, from the root of the twig on.
    fn link(&mut self, twig: &Twig) {
        for (place, node) in twig.nodes.iter().enumerate() {
            let mut numbers = [[NONE; ANSWERS]; 2];
            self.links[place].clear();
            for at in 0..self.met[place].len() {
                let answer = self.met[place][at];
                let mut link = Link { symbol: node.symbol(answer), below: [0; 2] };
                let mut shift = 1;
                for (side, child) in node.children.into_iter().enumerate().filter(|(_, child)| child & LEAF == 0) {
                    let size = twig.nodes[child as usize].size;
                    let below = node.below(answer, link.symbol, side, (shift, size));
                    link.below[side] = number(&mut numbers[side], &mut self.met[child as usize], below);
                    shift += size;
                }
                self.links[place].push(link);
            }
        }
    }

    /// Computes `S` and `G` of every answer at every node, from the leaves up.
    fn weigh(&mut self, route: &Route<'_, N>, twig: &Twig, (value, width): (usize, usize)) {
        self.begins.clear();
        self.begins.resize(twig.nodes.len(), 0);
        self.vectors.clear();
        for (place, node) in twig.nodes.iter().enumerate().rev() {
            let (begin, stride) = (self.vectors.len(), node.features.len() + 1);
            self.begins[place] = begin;
            self.vectors.resize(begin + self.links[place].len() * stride, [0.0; N]);
            let (below, own) = self.vectors.split_at_mut(begin);
            let fork = &route.forks[node.node as usize];
            for (side, child) in node.children.into_iter().enumerate() {
                let (factors, slopes) = (&fork.factors[side], &fork.slopes[side]);
                let at_own = 1 + usize::from(node.own);
                if child & LEAF != 0 {
                    let value = route.tree.values[(child & !LEAF) as usize * width + value];
                    let sums = factors.map(|factor| factor.map(|factor| factor * value));
                    let parts: [Points<N>; 3] = std::array::from_fn(|symbol| times(&sums[symbol], &slopes[symbol]));
                    for (vectors, link) in own.chunks_exact_mut(stride).zip(&self.links[place]) {
                        let symbol = usize::from(link.symbol);
                        add(&mut vectors[0], &sums[symbol]);
                        add(&mut vectors[at_own], &parts[symbol]);
                    }
                    continue;
                }
                let child = child as usize;
                let (places, below_stride) = (&node.places[side], twig.nodes[child].features.len() + 1);
                let below = &below[self.begins[child]..];
                for (vectors, link) in own.chunks_exact_mut(stride).zip(&self.links[place]) {
                    let symbol = usize::from(link.symbol);
                    let below = &below[usize::from(link.below[side]) * below_stride..][..below_stride];
                    let sum = times(&factors[symbol], &below[0]);
                    add(&mut vectors[0], &sum);
                    add_product(&mut vectors[at_own], &sum, &slopes[symbol]);
                    for (at, vector) in places.iter().zip(&below[1..]) {
                        add_product(&mut vectors[1 + usize::from(*at)], &factors[symbol], vector);
                    }
                }
            }
        }
    }
}

fn add<const N: usize>(sum: &mut Points<N>, more: &Points<N>) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

/// The number of an answer among those that occur.
#[inline(always)]
fn number(numbers: &mut [u8; ANSWERS], met: &mut Vec<u8>, answer: u8) -> u8 {
    let number = &mut numbers[usize::from(answer)];
    if *number == NONE {
        *number = met.len() as u8;
        met.push(answer);
    }
    *number
}

impl TwigNode {
    fn outer(&self, answer: u8, at: u8) -> bool {
        answer >> (self.size + at) & 1 == 1
    }

    /// The side that rows of an answer take here, or that they are gone.
    fn symbol(&self, answer: u8) -> u8 {
        if self.above != NONE && !self.outer(answer, self.above) { GONE } else { answer & 1 }
    }

    /// The part of an answer that a child's subtree sees; its nodes are `size` bits from bit `shift` on.
    fn below(&self, answer: u8, symbol: u8, side: usize, (shift, size): (u8, u8)) -> u8 {
        let mut below = answer >> shift & ((1 << size) - 1);
        for (at, source) in self.sources[side].iter().enumerate() {
            let passes = match *source {
                NONE => usize::from(symbol) == side,
                source => self.outer(answer, source),
            };
            below |= u8::from(passes) << (usize::from(size) + at);
        }
        below
    }
}
