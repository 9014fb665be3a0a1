//! Models of trees on their way out: which trees, for which score, and what becomes of the sums.

use anyhow::Result;

use crate::base::fail;
use crate::exchange::columns::ExportColumn;
use crate::models::package::ModelPackage;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::forested::Forested;
use crate::models::trees::loss::Loss;
use crate::models::trees::tree::{LEAF, Node, Tree};

/// What becomes of summed leaves.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answer {
    /// The loss says it.
    Score(Loss),
    /// Their mean over the trees is the answer: a number, the share of the second class, or the shares of all.
    Mean,
}

/// A model of trees on its way out.
pub struct Outgoing<'a> {
    ensemble: &'a Ensemble,
    /// Scores a row.
    pub outputs: usize,
    /// What becomes of them.
    pub answer: Answer,
    /// Scores of no tree.
    initial: Vec<f64>,
    /// What leaves are multiplied by.
    scale: f64,
    /// A tree that adds nothing, for a model without any.
    nothing: Tree,
}

/// One tree for one score.
#[derive(Clone, Copy)]
pub struct OutTree<'a> {
    /// Its nodes.
    pub tree: &'a Tree,
    /// The score that it adds to.
    pub output: usize,
    width: usize,
    first: f64,
    scale: f64,
}

impl OutTree<'_> {
    /// What a leaf adds; the first trees add the scores of no tree too.
    pub fn value(&self, leaf: usize) -> f64 {
        let place = if self.width > 1 { leaf * self.width + self.output } else { leaf };
        // In the order in which ours are added, so that sums have the same bits.
        self.first + self.tree.values[place] * self.scale
    }

    /// Number of leaves.
    pub fn leaves(&self) -> usize {
        self.tree.nodes.len() + 1
    }

    /// Rows of each node, leaves after inner ones; `None` for a model of an older version.
    pub fn covers(&self) -> Option<Vec<f64>> {
        let nodes = &self.tree.nodes;
        if self.tree.covers.len() != nodes.len() + 1 {
            return None;
        }
        let mut covers = vec![0.0; nodes.len()];
        covers.extend(self.tree.covers.iter().map(|cover| f64::from(*cover)));
        // Children come after their parents.
        for (number, node) in nodes.iter().enumerate().rev() {
            covers[number] = node.children.iter().map(|child| covers[self.place(*child)]).sum();
        }
        Some(covers)
    }

    /// Position of a child among inner nodes and then leaves.
    pub fn place(&self, child: u32) -> usize {
        let number = (child & !LEAF) as usize;
        if child & LEAF != 0 { self.tree.nodes.len() + number } else { number }
    }

    /// The codes of the file that go left at a node that asks for a set.
    pub fn left_codes(&self, node: &Node, column: &ExportColumn) -> Vec<bool> {
        let left = |code| node.goes_left(f64::from(column.own_code(code)), &self.tree.sets);
        (0..column.codes).map(left).collect()
    }
}

impl<'a> Outgoing<'a> {
    /// The trees of a package, for a format called `format`.
    ///
    /// Errors (usage): a model that is no sum or mean of trees, probabilities that are mended by other than a straight line.
    pub fn of(package: &'a ModelPackage, format: &str) -> Result<Outgoing<'a>> {
        let predictor = package.predictor().as_any();
        let nothing = Tree { values: vec![0.0], covers: vec![1.0], ..Tree::default() };
        let mut outgoing = if let Some(boosted) = predictor.downcast_ref::<Boosted>() {
            Outgoing {
                ensemble: &boosted.ensemble,
                outputs: boosted.initial.len(),
                answer: Answer::Score(boosted.loss),
                initial: boosted.initial.clone(),
                scale: 1.0,
                nothing,
            }
        } else if let Some(forested) = predictor.downcast_ref::<Forested>() {
            let ensemble = &forested.ensemble;
            let (outputs, initial) = (ensemble.width, vec![0.0; ensemble.width]);
            Outgoing { ensemble, outputs, answer: Answer::Mean, initial, scale: 1.0, nothing }
        } else {
            let what = format!("{format} holds models of trees; `{}` is none", package.header.model);
            return Err(fail::usage(what).hint("write it with --format onnx or json").into());
        };
        if let Some(calibration) = package.calibration() {
            match (outgoing.answer, calibration.line()) {
                (Answer::Score(Loss::Logistic), Some((slope, offset))) => {
                    outgoing.scale = slope;
                    outgoing.initial.iter_mut().for_each(|score| *score = *score * slope + offset);
                }
                _ => {
                    let what = format!("{format} cannot express calibrated probabilities of this kind");
                    return Err(fail::usage(what)
                        .hint("write it with --format onnx or json, or train without calibration")
                        .into());
                }
            }
        }
        Ok(outgoing)
    }

    /// Number of rounds: trees for each score.
    pub fn rounds(&self) -> usize {
        (self.ensemble.trees.len() * self.ensemble.width / self.outputs).max(1)
    }

    /// All trees, round by round, one for each score.
    pub fn trees(&self) -> impl Iterator<Item = OutTree<'_>> {
        let width = self.ensemble.width;
        let one = move |number: usize| {
            let output = number % self.outputs;
            let of_own = if width > 1 { number / width } else { number };
            let tree = self.ensemble.trees.get(of_own).unwrap_or(&self.nothing);
            let first = if number < self.outputs { self.initial[output] } else { 0.0 };
            OutTree { tree, output, width, first, scale: self.scale }
        };
        (0..self.rounds() * self.outputs).map(one)
    }
}
