//! Counts of true against predicted classes: all that accuracy, precision, recall and their kin depend on.

use crate::metrics::sums;
use crate::record::evaluation::ConfusionMatrix;

/// A square table of counts with its totals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counts {
    classes: usize,
    cells: Vec<u64>,
    truths: Vec<u64>,
    predictions: Vec<u64>,
}

impl Counts {
    /// Counts rows; every code must be below `classes`.
    pub fn new(truth: &[u32], predicted: &[u32], classes: usize) -> Counts {
        let mut counts = Counts {
            classes,
            cells: vec![0; classes * classes],
            truths: vec![0; classes],
            predictions: vec![0; classes],
        };
        for (&truth, &predicted) in truth.iter().zip(predicted) {
            let (truth, predicted) = (truth as usize, predicted as usize);
            counts.cells[truth * classes + predicted] += 1;
            counts.truths[truth] += 1;
            counts.predictions[predicted] += 1;
        }
        counts
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of class `truth` that were predicted as `predicted`.
    pub fn cell(&self, truth: usize, predicted: usize) -> u64 {
        self.cells[truth * self.classes + predicted]
    }

    /// Rows of class `class` that were predicted as such.
    pub fn hits(&self, class: usize) -> u64 {
        self.cell(class, class)
    }

    /// Rows whose true class is `class`.
    pub fn truths(&self, class: usize) -> u64 {
        self.truths[class]
    }

    /// Rows predicted as `class`.
    pub fn predictions(&self, class: usize) -> u64 {
        self.predictions[class]
    }

    /// All rows.
    pub fn rows(&self) -> u64 {
        self.truths.iter().sum()
    }

    /// Rows predicted rightly.
    pub fn all_hits(&self) -> u64 {
        (0..self.classes).map(|class| self.hits(class)).sum()
    }

    /// Number of classes that occur among the true classes.
    pub fn true_classes(&self) -> usize {
        self.truths.iter().filter(|count| **count > 0).count()
    }

    /// TP / (TP + FP) of one class. 0 when rows of the class exist and none was predicted, as in scikit-learn; `None`
    /// when the class occurs neither in truth nor in prediction.
    pub fn precision(&self, class: usize) -> Option<f64> {
        match sums::share(self.hits(class), self.predictions(class)) {
            None if self.truths(class) > 0 => Some(0.0),
            precision => precision,
        }
    }

    /// TP / (TP + FN) of one class; `None` when no row is of the class.
    pub fn recall(&self, class: usize) -> Option<f64> {
        sums::share(self.hits(class), self.truths(class))
    }

    /// 2 TP / (2 TP + FP + FN) of one class; `None` when it occurs neither in truth nor in prediction.
    pub fn f1(&self, class: usize) -> Option<f64> {
        sums::share(2 * self.hits(class), self.truths(class) + self.predictions(class))
    }

    /// In the form that is kept; `names` has one name for each class.
    pub fn to_matrix(&self, names: &[String]) -> ConfusionMatrix {
        let rows = self.cells.chunks_exact(self.classes.max(1)).map(<[u64]>::to_vec);
        ConfusionMatrix { classes: names.to_vec(), counts: rows.collect() }
    }
}
