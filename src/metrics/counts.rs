//! Counts of true against predicted classes: all that accuracy, precision, recall and their kin depend on.

use crate::metrics::sums::{self, Running};
use crate::record::evaluation::ConfusionMatrix;

/// Whole numbers up to here are exact in a float.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// A square table of rows, or of their weights, with its totals. Without weights every entry is a whole number, and exact.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    classes: usize,
    cells: Vec<f64>,
    truths: Vec<f64>,
    predictions: Vec<f64>,
    rows: f64,
}

impl Counts {
    /// Counts rows, by their weights where there are some; every code must be below `classes`.
    pub fn new(truth: &[u32], predicted: &[u32], classes: usize, weights: Option<&[f64]>) -> Counts {
        let place = |(truth, predicted): (&u32, &u32)| *truth as usize * classes + *predicted as usize;
        let places = truth.iter().zip(predicted).map(place);
        let cells: Vec<f64> = match weights {
            None => {
                let mut cells = vec![0_u64; classes * classes];
                places.for_each(|place| cells[place] += 1);
                cells.into_iter().map(|count| count as f64).collect()
            }
            Some(weights) => {
                let mut cells = vec![Running::default(); classes * classes];
                places.zip(weights).for_each(|(place, weight)| cells[place].add(*weight));
                cells.into_iter().map(Running::value).collect()
            }
        };
        let row = |class: usize| sums::sum(cells[class * classes..(class + 1) * classes].iter().copied());
        let column = |class: usize| sums::sum((0..classes).map(|truth| cells[truth * classes + class]));
        Counts {
            truths: (0..classes).map(row).collect(),
            predictions: (0..classes).map(column).collect(),
            rows: sums::sum(cells.iter().copied()),
            classes,
            cells,
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Rows of class `truth` that were predicted as `predicted`.
    pub fn cell(&self, truth: usize, predicted: usize) -> f64 {
        self.cells[truth * self.classes + predicted]
    }

    /// Rows of class `class` that were predicted as such.
    pub fn hits(&self, class: usize) -> f64 {
        self.cell(class, class)
    }

    /// Rows whose true class is `class`.
    pub fn truths(&self, class: usize) -> f64 {
        self.truths[class]
    }

    /// Rows predicted as `class`.
    pub fn predictions(&self, class: usize) -> f64 {
        self.predictions[class]
    }

    /// All rows.
    pub fn rows(&self) -> f64 {
        self.rows
    }

    /// Rows predicted rightly.
    pub fn all_hits(&self) -> f64 {
        sums::sum((0..self.classes).map(|class| self.hits(class)))
    }

    /// Sum of the cells that are neither of the class nor predicted as it.
    pub fn misses_elsewhere(&self, class: usize) -> f64 {
        let elsewhere = |place: &usize| place / self.classes != class && place % self.classes != class;
        sums::sum((0..self.cells.len()).filter(elsewhere).map(|place| self.cells[place]))
    }

    /// Rows of other classes that were predicted as `class`.
    pub fn false_calls(&self, class: usize) -> f64 {
        sums::sum((0..self.classes).filter(|truth| *truth != class).map(|truth| self.cell(truth, class)))
    }

    /// Rows of `class` that were predicted as another.
    pub fn missed(&self, class: usize) -> f64 {
        sums::sum((0..self.classes).filter(|other| *other != class).map(|other| self.cell(class, other)))
    }

    /// Number of classes that occur among the true classes.
    pub fn true_classes(&self) -> usize {
        self.truths.iter().filter(|count| **count > 0.0).count()
    }

    /// Whether every entry is a whole number that products of 128 bits hold exactly.
    pub fn is_whole(&self) -> bool {
        self.rows <= EXACT_MAX && self.cells.iter().all(|cell| cell.fract() == 0.0)
    }

    /// TP / (TP + FP) of one class. 0 when rows of the class exist and none was predicted, as in scikit-learn; `None`
    /// when the class occurs neither in truth nor in prediction.
    pub fn precision(&self, class: usize) -> Option<f64> {
        match sums::share(self.hits(class), self.predictions(class)) {
            None if self.truths(class) > 0.0 => Some(0.0),
            precision => precision,
        }
    }

    /// TP / (TP + FN) of one class; `None` when no row is of the class.
    pub fn recall(&self, class: usize) -> Option<f64> {
        sums::share(self.hits(class), self.truths(class))
    }

    /// 2 TP / (2 TP + FP + FN) of one class; `None` when it occurs neither in truth nor in prediction.
    pub fn f1(&self, class: usize) -> Option<f64> {
        sums::share(2.0 * self.hits(class), self.truths(class) + self.predictions(class))
    }

    /// In the form that is kept, of rows that were counted without weights; `names` has one name for each class.
    pub fn to_matrix(&self, names: &[String]) -> ConfusionMatrix {
        let rows = self.cells.chunks_exact(self.classes.max(1));
        let counts = rows.map(|row| row.iter().map(|count| *count as u64).collect()).collect();
        ConfusionMatrix { classes: names.to_vec(), counts }
    }
}
