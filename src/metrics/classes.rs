//! Scores of a classification, checked once and counted once.

use std::sync::OnceLock;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::metrics::counts::Counts;
use crate::metrics::ranking::Ranking;

/// How far a probability may be above 1: sums of votes round.
const PROBABILITY_SLACK: f64 = 1e-9;

/// True classes and probabilities of the same rows, in one piece.
#[derive(Debug)]
pub struct Classes<'a> {
    truth: &'a [u32],
    probabilities: &'a [f64],
    predicted: Vec<u32>,
    counts: Counts,
    rankings: OnceLock<Vec<Option<Ranking>>>,
}

impl<'a> Classes<'a> {
    /// Checks `truth` (codes into `names`) and `probabilities` (`rows × names`, row by row) and counts them.
    ///
    /// Errors: no classes; other lengths than said; a code without a name; a probability that is not in `[0, 1]`.
    pub fn new(truth: &'a [u32], probabilities: &'a [f64], names: &[String]) -> Result<Classes<'a>> {
        let classes = names.len();
        if classes == 0 || truth.len().checked_mul(classes) != Some(probabilities.len()) {
            let rows = truth.len();
            let given = probabilities.len();
            return Err(fail::usage(format!(
                "{rows} rows of {classes} classes need rows × classes probabilities, there are {given}"
            ))
            .into());
        }
        if let Some(row) = truth.iter().position(|&code| code as usize >= classes) {
            let code = truth[row];
            return Err(fail::usage(format!("row {row}: class code {code} has no name, there are {classes}")).into());
        }
        let in_range = |value: f64| (0.0..=1.0 + PROBABILITY_SLACK).contains(&value);
        if let Some(position) = probabilities.iter().position(|&value| !in_range(value)) {
            let (row, class, value) = (position / classes, &names[position % classes], probabilities[position]);
            let message = format!("row {row}: the probability of class `{class}` is {value}, not in [0, 1]");
            return Err(fail::world(message).hint("the model is damaged, or its features hold extreme values").into());
        }
        let predicted = predicted(probabilities, classes);
        let counts = Counts::new(truth, &predicted, classes);
        Ok(Classes { truth, probabilities, predicted, counts, rankings: OnceLock::new() })
    }

    /// The same rows, predicted as `threshold` has it: the second of two classes where its probability is above it. `None`:
    /// the most probable class, as one half gives.
    pub fn at(mut self, threshold: Option<f64>) -> Classes<'a> {
        if let (Some(threshold), 2) = (threshold, self.counts.classes()) {
            let pairs = self.probabilities.as_chunks::<2>().0.iter();
            self.predicted = pairs.map(|row| u32::from(row[1] > threshold)).collect();
            self.counts = Counts::new(self.truth, &self.predicted, 2);
        }
        self
    }

    /// Code of the true class of each row.
    pub fn truth(&self) -> &[u32] {
        self.truth
    }

    /// Code of the predicted class of each row: the most probable one unless there is a threshold.
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// True against predicted classes.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Probabilities of each row, one a class.
    pub fn probabilities(&self) -> impl Iterator<Item = &[f64]> {
        self.probabilities.chunks_exact(self.counts.classes())
    }

    /// Probability of `class` for each row.
    pub fn column(&self, class: usize) -> impl Iterator<Item = f64> {
        self.probabilities().map(move |row| row[class])
    }

    /// How well the probability of each class ranks its rows above all others; `None` for a class that no row or every
    /// row is of. Sorted once, on all threads.
    pub fn rankings(&self) -> &[Option<Ranking>] {
        self.rankings.get_or_init(|| {
            let classes = self.counts.classes();
            // Of two classes, the second is enough: the first is its mirror and nobody asks for it.
            let first = usize::from(classes == 2);
            let of_class = |class: usize| {
                let positive = self.truth.iter().map(|&code| code as usize == class).collect::<Vec<_>>();
                Ranking::new(&positive, &self.column(class).collect::<Vec<_>>())
            };
            (first..classes).into_par_iter().map(of_class).collect()
        })
    }
}

/// Most probable class of each row of `classes` probabilities, the first on a tie.
pub fn predicted(probabilities: &[f64], classes: usize) -> Vec<u32> {
    probabilities.chunks_exact(classes.max(1)).map(most_probable).collect()
}

/// Most probable class of one row, the first on a tie.
pub fn most_probable(row: &[f64]) -> u32 {
    let better = |best: usize, class: usize| if row[class] > row[best] { class } else { best };
    (1..row.len()).fold(0, better) as u32
}
