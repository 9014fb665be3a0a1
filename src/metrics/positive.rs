//! One class against the rest: what metrics of a positive class look at, whatever the number of classes.

use std::borrow::Cow;

use crate::metrics::classes::Classes;
use crate::metrics::ranked::Ranked;
use crate::metrics::weights::Weights;

/// A class that rows are of or not; all counts are of rows, or of their weights.
#[derive(Clone, Copy, Debug)]
pub struct Positive<'a> {
    classes: &'a Classes<'a>,
    class: usize,
}

impl<'a> Positive<'a> {
    /// The class with the code `class`, which must have a name.
    pub fn new(classes: &'a Classes<'a>, class: usize) -> Positive<'a> {
        Positive { classes, class }
    }

    /// Of the class, and predicted so.
    pub fn true_positives(&self) -> f64 {
        self.classes.counts().hits(self.class)
    }

    /// Not of the class, but predicted so.
    pub fn false_positives(&self) -> f64 {
        self.classes.counts().false_calls(self.class)
    }

    /// Of the class, but predicted otherwise.
    pub fn false_negatives(&self) -> f64 {
        self.classes.counts().missed(self.class)
    }

    /// Neither of the class nor predicted so.
    pub fn true_negatives(&self) -> f64 {
        self.classes.counts().misses_elsewhere(self.class)
    }

    /// Of the class.
    pub fn positives(&self) -> f64 {
        self.classes.counts().truths(self.class)
    }

    /// Not of the class.
    pub fn negatives(&self) -> f64 {
        self.true_negatives() + self.false_positives()
    }

    /// Predicted to be of the class.
    pub fn called(&self) -> f64 {
        self.classes.counts().predictions(self.class)
    }

    /// All rows.
    pub fn total(&self) -> f64 {
        self.classes.counts().rows()
    }

    /// How much each row counts.
    pub fn weights(&self) -> &'a Weights<'a> {
        self.classes.weights()
    }

    /// Rows from the most to the least probable; `None` unless there are rows of the class and others.
    pub fn ranked(&self) -> Option<Cow<'a, Ranked>> {
        self.classes.ranked(self.class)
    }

    /// Whether each row is of the class.
    pub fn truths(&self) -> impl Iterator<Item = bool> + use<'a> {
        let class = self.class as u32;
        self.classes.truth().iter().map(move |code| *code == class)
    }

    /// Probability of the class for each row.
    pub fn probabilities(&self) -> impl Iterator<Item = f64> + use<'a> {
        self.classes.column(self.class)
    }

    /// Truth as 1 or 0, and probability, of each row.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + use<'a> {
        self.truths().map(|is_positive| f64::from(u8::from(is_positive))).zip(self.probabilities())
    }

    /// Weighted mean of a function of truth (1 or 0) and probability; `None` without rows.
    pub fn mean(&self, of: impl Fn(f64, f64) -> f64) -> Option<f64> {
        self.weights().mean(self.pairs().map(|(truth, probability)| of(truth, probability)))
    }
}
