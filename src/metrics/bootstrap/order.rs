//! Replicates of metrics that follow from one order of the rows: `roc_auc`, `average_precision` and `ks`.
//!
//! Rows are sorted once; a resample goes through them in that order with two running sums.

use crate::data::frame::MISSING_CODE;
use crate::metrics::{Sample, Scores};
use crate::spec::model::Task;

const METRICS: [&str; 3] = ["roc_auc", "average_precision", "ks"];

/// A row's place in the draws, with two marks in the bits above it.
const POSITIVE: u32 = 1 << 31;
const FRESH: u32 = 1 << 30;
const PLACE: u32 = FRESH - 1;

/// Most rows in one order.
pub const ROWS_MAX: usize = PLACE as usize;

/// Whether `metric` follows from the order of the rows.
pub fn has(metric: &str, task: Task) -> bool {
    METRICS.contains(&metric) && !(task == Task::Anomaly && metric == "ks")
}

/// Metrics of the orders of one sample's rows: one order a class, the mean of its classes.
pub struct Orders {
    orders: Vec<Order>,
    wanted: Vec<(usize, usize)>,
    walks: bool,
}

/// Rows by falling score, positive rows first among equal ones.
struct Order {
    /// Place of the row; whether it is positive; whether its score is lower than that of the row before.
    rows: Vec<u32>,
    /// Weights of the rows in that order.
    weights: Option<Vec<f64>>,
}

impl Orders {
    /// Of the rows `rows` of `sample`, the quantities `wanted` (their numbers and metrics, all of which it [`has`]).
    pub fn new(sample: &Sample, rows: &[u32], wanted: &[(usize, &str)]) -> Orders {
        let orders = match sample.scores {
            Scores::Classes { truth, probabilities, names } => {
                let classes = names.len();
                // Of two classes, the second is enough.
                let of_class = |class: usize| {
                    let of_row =
                        |row: usize| Some((probabilities[row * classes + class], truth[row] as usize == class));
                    Order::new(sample, rows, of_row)
                };
                (usize::from(classes == 2)..classes).map(of_class).collect()
            }
            Scores::Anomalies { truth, scores, .. } => {
                let of_row = |row: usize| (truth[row] != MISSING_CODE).then(|| (scores[row], truth[row] == 1));
                vec![Order::new(sample, rows, of_row)]
            }
            _ => Vec::new(),
        };
        let place = |metric: &str| METRICS.iter().position(|known| *known == metric);
        let wanted: Vec<(usize, usize)> =
            wanted.iter().filter_map(|(quantity, metric)| Some((*quantity, place(metric)?))).collect();
        let walks = wanted.iter().any(|(_, place)| *place > 0);
        Orders { orders, wanted, walks }
    }

    /// Writes the values of its quantities; `draws` are the weights of its rows.
    pub fn values(&self, draws: &[u8], values: &mut [f64]) {
        let (mut sums, mut classes) = ([0.0; METRICS.len()], 0.0);
        for order in &self.orders {
            let Some(area) = order.area(draws) else { continue };
            classes += 1.0;
            sums[0] += area.share;
            if self.walks {
                let (precision, distance) = order.walk(draws, &area);
                sums[1] += precision;
                sums[2] += distance;
            }
        }
        for (quantity, place) in &self.wanted {
            values[*quantity] = sums[*place] / classes;
        }
    }
}

/// What one pass over an order gives.
struct Area {
    positives: f64,
    negatives: f64,
    share: f64,
}

impl Order {
    /// Sorts `rows` by the scores that `of_row` gives; rows that it gives none are passed over.
    fn new(sample: &Sample, rows: &[u32], of_row: impl Fn(usize) -> Option<(f64, bool)>) -> Order {
        let scored = rows.iter().zip(0_u32..).filter_map(|(row, place)| {
            let (score, positive) = of_row(*row as usize)?;
            Some((score, !positive, place))
        });
        let mut sorted: Vec<(f64, bool, u32)> = scored.collect();
        // Adding 0 makes -0 and 0 one score.
        sorted.sort_unstable_by(|a, b| (b.0 + 0.0).total_cmp(&(a.0 + 0.0)).then(a.1.cmp(&b.1)).then(a.2.cmp(&b.2)));
        let before = std::iter::once(f64::NAN).chain(sorted.iter().map(|row| row.0));
        let marked = sorted.iter().zip(before).map(|((score, negative, place), before)| {
            place | if *negative { 0 } else { POSITIVE } | if *score == before { 0 } else { FRESH }
        });
        let marked = marked.collect();
        let weigh = |weights: &[f64]| sorted.iter().map(|row| weights[rows[row.2 as usize] as usize]).collect();
        Order { rows: marked, weights: sample.weights.map(weigh) }
    }

    /// Goes through the rows with their weights in a resample.
    fn each(&self, draws: &[u8], mut row: impl FnMut(u32, f64)) {
        match &self.weights {
            None => self.rows.iter().for_each(|marked| row(*marked, f64::from(draws[(marked & PLACE) as usize]))),
            Some(weights) => {
                let pairs = self.rows.iter().zip(weights);
                pairs.for_each(|(marked, weight)| row(*marked, weight * f64::from(draws[(marked & PLACE) as usize])));
            }
        }
    }

    /// Area under the ROC curve: every negative row counts the positive ones above it, and half of those beside it. `None`
    /// unless both kinds of rows were drawn.
    fn area(&self, draws: &[u8]) -> Option<Area> {
        let (mut positives, mut negatives, mut above, mut twice_won) = (0.0, 0.0, 0.0, 0.0);
        self.each(draws, |marked, weight| {
            above = if marked & FRESH != 0 { positives } else { above };
            // A product in place of a branch: which class comes next cannot be foretold.
            let positive = weight * f64::from(marked >> 31);
            let negative = weight - positive;
            positives += positive;
            negatives += negative;
            twice_won += negative * (positives + above);
        });
        let share = twice_won / (2.0 * positives * negatives);
        (positives > 0.0 && negatives > 0.0).then_some(Area { positives, negatives, share })
    }

    /// Average precision, and the largest distance between the shares of positive and of other rows above a score.
    fn walk(&self, draws: &[u8], area: &Area) -> (f64, f64) {
        let (mut positives, mut negatives, mut of_tie) = (0.0, 0.0, 0.0);
        let (mut precision, mut distance) = (0.0, 0.0_f64);
        let (per_positive, per_negative) = (1.0 / area.positives, 1.0 / area.negatives);
        let mut close = |of_tie: f64, positives: f64, negatives: f64| {
            precision += of_tie * (positives / (positives + negatives).max(f64::MIN_POSITIVE));
            distance = distance.max((positives * per_positive - negatives * per_negative).abs());
        };
        self.each(draws, |marked, weight| {
            if marked & FRESH != 0 {
                close(of_tie, positives, negatives);
                of_tie = 0.0;
            }
            let positive = weight * f64::from(marked >> 31);
            positives += positive;
            negatives += weight - positive;
            of_tie += positive;
        });
        close(of_tie, positives, negatives);
        (precision * per_positive, distance)
    }
}
