//! Scores of a classification, checked once and counted once.

use std::borrow::Cow;
use std::sync::OnceLock;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::metrics::calibration::{self, ReliabilityBin};
use crate::metrics::counts::Counts;
use crate::metrics::positive::Positive;
use crate::metrics::ranked::Ranked;
use crate::metrics::weights::Weights;

/// How far a probability may be above 1: sums of votes round.
const PROBABILITY_SLACK: f64 = 1e-9;

/// True classes and probabilities of the same rows, in one piece.
#[derive(Debug)]
pub struct Classes<'a> {
    truth: &'a [u32],
    probabilities: &'a [f64],
    names: &'a [String],
    predicted: Vec<u32>,
    counts: Counts,
    weights: Weights<'a>,
    costs: Option<&'a [Vec<f64>]>,
    ranked: OnceLock<Vec<Option<Ranked>>>,
    confidence: OnceLock<Vec<ReliabilityBin>>,
}

impl<'a> Classes<'a> {
    /// Checks `truth` (codes into `names`) and `probabilities` (`rows × names`, row by row) and counts them, each row by
    /// its weight. The second of two classes is predicted where its probability is above `threshold`; the most probable
    /// class without one.
    ///
    /// Errors: no classes; other lengths than said; a code without a name; a probability that is not in `[0, 1]`; weights
    /// that are none (see [`Weights::new`]).
    pub fn new(
        truth: &'a [u32],
        probabilities: &'a [f64],
        names: &'a [String],
        threshold: Option<f64>,
        weights: Option<&'a [f64]>,
    ) -> Result<Classes<'a>> {
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
        let weights = Weights::new(weights, truth.len())?;
        let predicted = match (threshold, classes) {
            (Some(threshold), 2) => {
                probabilities.as_chunks::<2>().0.iter().map(|row| u32::from(row[1] > threshold)).collect()
            }
            _ => predicted(probabilities, classes),
        };
        let counts = Counts::new(truth, &predicted, classes, weights.each());
        let (ranked, confidence) = (OnceLock::new(), OnceLock::new());
        Ok(Classes { truth, probabilities, names, predicted, counts, weights, costs: None, ranked, confidence })
    }

    /// The same rows with what each answer costs, `costs[truth][prediction]`.
    ///
    /// Errors (usage): a table of another shape than classes × classes, a cost that is not finite.
    pub fn costing(self, costs: Option<&'a [Vec<f64>]>) -> Result<Classes<'a>> {
        let Some(rows) = costs else {
            return Ok(self);
        };
        let classes = self.names.len();
        let hint =
            || format!("one row for each true class, one number for each predicted one: {}", self.names.join(", "));
        if rows.len() != classes || rows.iter().any(|row| row.len() != classes) {
            let widths: Vec<String> = rows.iter().map(|row| row.len().to_string()).collect();
            let what = format!(
                "the cost matrix has rows of {} numbers, and there are {classes} classes",
                if widths.is_empty() { "no".to_owned() } else { widths.join(", ") }
            );
            return Err(fail::usage(what).hint(hint()).into());
        }
        if let Some(cost) = rows.iter().flatten().find(|cost| !cost.is_finite()) {
            return Err(fail::usage(format!("the cost matrix holds {cost}, which is no number")).hint(hint()).into());
        }
        Ok(Classes { costs, ..self })
    }

    /// Code of the true class of each row.
    pub fn truth(&self) -> &'a [u32] {
        self.truth
    }

    /// Code of the predicted class of each row: the most probable one unless there is a threshold.
    pub fn predicted(&self) -> &[u32] {
        &self.predicted
    }

    /// Names of the classes.
    pub fn names(&self) -> &'a [String] {
        self.names
    }

    /// True against predicted classes, by weight.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// How much each row counts.
    pub fn weights(&self) -> &Weights<'a> {
        &self.weights
    }

    /// What each answer costs, where that is known.
    pub fn costs(&self) -> Option<&'a [Vec<f64>]> {
        self.costs
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.truth.len()
    }

    /// Probabilities of each row, one a class.
    pub fn probabilities(&self) -> impl Iterator<Item = &'a [f64]> + use<'a> {
        self.probabilities.chunks_exact(self.names.len())
    }

    /// Probability of `class` for each row.
    pub fn column(&self, class: usize) -> impl Iterator<Item = f64> + use<'a> {
        self.probabilities().map(move |row| row[class])
    }

    /// One class against the rest; `class` is below the number of classes.
    pub fn positive(&self, class: usize) -> Positive<'_> {
        Positive::new(self, class)
    }

    /// Sorts the rows by the probability of each class, once, on all threads. To be called before several threads ask for
    /// [`Classes::ranked`]: a thread that sorts helps others meanwhile, and would wait for itself.
    pub fn rank(&self) {
        self.ranked.get_or_init(|| {
            let classes = self.counts.classes();
            let of_class = |class: usize| {
                // Of two classes the first is the mirror of the second, which few ask for: see `ranked`.
                let wanted = classes != 2 || class == 1;
                wanted.then(|| self.sorted(class)).flatten()
            };
            (0..classes).into_par_iter().map(of_class).collect()
        });
    }

    /// Rows from the most to the least probably of `class`; `None` for a class that no row or every row is of.
    pub fn ranked(&self, class: usize) -> Option<Cow<'_, Ranked>> {
        if self.counts.classes() == 2 && class == 0 {
            return self.sorted(class).map(Cow::Owned);
        }
        self.rank();
        self.ranked.get()?[class].as_ref().map(Cow::Borrowed)
    }

    /// How often the most probable class is the true one, by its probability, in ten bins; counted once.
    pub fn confidence(&self) -> &[ReliabilityBin] {
        self.confidence.get_or_init(|| {
            let best: Vec<u32> = self.probabilities().map(most_probable).collect();
            let probabilities: Vec<f64> =
                self.probabilities().zip(&best).map(|(row, &class)| row[class as usize]).collect();
            let right: Vec<bool> = self.truth.iter().zip(&best).map(|(a, b)| a == b).collect();
            calibration::reliability(&right, &probabilities, &self.weights, calibration::BINS)
        })
    }

    fn sorted(&self, class: usize) -> Option<Ranked> {
        let positive: Vec<bool> = self.truth.iter().map(|&code| code as usize == class).collect();
        let column: Vec<f64> = self.column(class).collect();
        Ranked::new(&positive, &column, self.weights.each())
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
