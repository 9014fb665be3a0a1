//! Replicates of metrics that are functions of a few sums over rows: means, ratios of means, variances.
//!
//! A row's part in each sum is worked out once; a resample is then one product and one addition a row and sum.

use crate::data::frame::MISSING_CODE;
use crate::metrics::calibration::{BINS, bin_of};
use crate::metrics::classes::most_probable;
use crate::metrics::{Sample, Scores};
use crate::spec::model::Task;

/// What is summed, each weighted by the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Term {
    /// 1.
    One,
    /// −ln p(true class).
    LogLoss,
    /// Squared distance of the probabilities from the truth.
    Brier,
    /// y − c, with y the truth and c a true value near its mean: differences of near equals lose nothing.
    Truth,
    /// (y − c)².
    TruthSquare,
    /// p − d, with p the prediction and d one near their mean.
    Predicted,
    /// (p − d)².
    PredictedSquare,
    /// (y − c)(p − d).
    Product,
    /// y − p.
    Error,
    /// (y − p)².
    ErrorSquare,
    /// |y − p|.
    ErrorSize,
    /// |y|.
    TruthSize,
    /// |y − p| / |y|.
    RelativeError,
    /// (ln(1 + y) − ln(1 + p))².
    LogErrorSquare,
    /// Deviance of counts.
    Poisson,
    /// 1 for a row whose truth lies within the interval that goes with its prediction.
    Within,
    /// Width of that interval.
    Width,
    /// Of rows whose most probable class has a probability in this tenth: 1 if it is the true one, less that probability.
    Gap(u8),
    /// 1 for a row whose score is above the threshold.
    Flagged,
    /// The same, of rows with a label.
    LabelledFlagged,
    /// 1 for a row labelled anomalous.
    Anomalous,
    /// 1 for such a row above the threshold.
    Hit,
    /// The anomaly score.
    Score,
}

/// A metric as a function of sums.
struct Formula {
    name: &'static str,
    task: &'static [Task],
    terms: &'static [Term],
    value: fn(&[f64]) -> f64,
}

const CLASSES: &[Task] = &[Task::Binary, Task::Multiclass];
const NUMBERS: &[Task] = &[Task::Regression];
const ODD: &[Task] = &[Task::Anomaly];

fn ratio(sums: &[f64]) -> f64 {
    sums[1] / sums[0]
}

fn root_ratio(sums: &[f64]) -> f64 {
    ratio(sums).sqrt()
}

/// Variance of a quantity from Σ w, Σ w x and Σ w x²; NaN where it is nothing but rounding.
fn variance(weight: f64, sum: f64, squares: f64) -> f64 {
    let spread = squares / weight - (sum / weight).powi(2);
    if spread > 1e-12 * (squares / weight) { spread } else { f64::NAN }
}

fn gaps(sums: &[f64]) -> f64 {
    sums[1..].iter().map(|gap| gap.abs()).sum::<f64>() / sums[0]
}

fn r2(sums: &[f64]) -> f64 {
    1.0 - sums[3] / sums[0] / variance(sums[0], sums[1], sums[2])
}

fn explained_variance(sums: &[f64]) -> f64 {
    let error = sums[4] / sums[0] - (sums[3] / sums[0]).powi(2);
    1.0 - error.max(0.0) / variance(sums[0], sums[1], sums[2])
}

fn pearson(sums: &[f64]) -> f64 {
    let weight = sums[0];
    let (truth, predicted) = (variance(weight, sums[1], sums[2]), variance(weight, sums[3], sums[4]));
    let covariance = sums[5] / weight - sums[1] / weight * (sums[3] / weight);
    (covariance / (truth.sqrt() * predicted.sqrt())).clamp(-1.0, 1.0)
}

/// Precision from anomalous, flagged and hit rows: 0 when none is flagged, of no meaning without anomalous rows.
fn precision(sums: &[f64]) -> f64 {
    match (sums[0] > 0.0, sums[1] > 0.0) {
        (false, _) => f64::NAN,
        (true, false) => 0.0,
        (true, true) => sums[2] / sums[1],
    }
}

fn f1(sums: &[f64]) -> f64 {
    if sums[0] > 0.0 { 2.0 * sums[2] / (sums[0] + sums[1]) } else { f64::NAN }
}

const fn formula(
    name: &'static str,
    task: &'static [Task],
    terms: &'static [Term],
    value: fn(&[f64]) -> f64,
) -> Formula {
    Formula { name, task, terms, value }
}

const COUNTED: &[Term] = &[Term::Anomalous, Term::LabelledFlagged, Term::Hit];
const MOMENTS: &[Term] =
    &[Term::One, Term::Truth, Term::TruthSquare, Term::Predicted, Term::PredictedSquare, Term::Product];

const GAPS: &[Term] = &[
    Term::One,
    Term::Gap(0),
    Term::Gap(1),
    Term::Gap(2),
    Term::Gap(3),
    Term::Gap(4),
    Term::Gap(5),
    Term::Gap(6),
    Term::Gap(7),
    Term::Gap(8),
    Term::Gap(9),
];

static FORMULAS: &[Formula] = &[
    formula("expected_calibration_error", CLASSES, GAPS, gaps),
    formula("coverage", NUMBERS, &[Term::One, Term::Within], ratio),
    formula("mean_interval_width", NUMBERS, &[Term::One, Term::Width], ratio),
    formula("log_loss", CLASSES, &[Term::One, Term::LogLoss], ratio),
    formula("brier", CLASSES, &[Term::One, Term::Brier], ratio),
    formula("mae", NUMBERS, &[Term::One, Term::ErrorSize], ratio),
    formula("mse", NUMBERS, &[Term::One, Term::ErrorSquare], ratio),
    formula("rmse", NUMBERS, &[Term::One, Term::ErrorSquare], root_ratio),
    formula("mape", NUMBERS, &[Term::One, Term::RelativeError], ratio),
    formula("wape", NUMBERS, &[Term::TruthSize, Term::ErrorSize], ratio),
    formula("msle", NUMBERS, &[Term::One, Term::LogErrorSquare], ratio),
    formula("rmsle", NUMBERS, &[Term::One, Term::LogErrorSquare], root_ratio),
    formula("mean_poisson_deviance", NUMBERS, &[Term::One, Term::Poisson], ratio),
    formula("r2", NUMBERS, &[Term::One, Term::Truth, Term::TruthSquare, Term::ErrorSquare], r2),
    formula(
        "explained_variance",
        NUMBERS,
        &[Term::One, Term::Truth, Term::TruthSquare, Term::Error, Term::ErrorSquare],
        explained_variance,
    ),
    formula("pearson", NUMBERS, MOMENTS, pearson),
    formula("precision", ODD, COUNTED, precision),
    formula("recall", ODD, &[Term::Anomalous, Term::Hit], ratio),
    formula("f1", ODD, COUNTED, f1),
    formula("flagged_share", ODD, &[Term::One, Term::Flagged], ratio),
    formula("score_mean", ODD, &[Term::One, Term::Score], ratio),
];

/// Whether `metric` is a function of sums.
pub fn has(metric: &str, task: Task) -> bool {
    find(metric, task).is_some()
}

fn find(metric: &str, task: Task) -> Option<&'static Formula> {
    FORMULAS.iter().find(|formula| formula.name == metric && formula.task.contains(&task))
}

/// Metrics of one sample's rows from sums.
pub struct Sums {
    /// Each summed once, however many metrics want it: one number a row.
    columns: Vec<Vec<f64>>,
    /// Which quantity, which columns, which function of them.
    wanted: Vec<Wanted>,
}

/// Number of a quantity, the columns it is made of, and what it is of them.
type Wanted = (usize, Vec<usize>, fn(&[f64]) -> f64);

impl Sums {
    /// Of the rows `rows` of `sample`, the quantities `wanted` (their numbers and metrics, all of which it [`has`]).
    pub fn new(sample: &Sample, rows: &[u32], wanted: &[(usize, &str)]) -> Sums {
        let mut terms: Vec<Term> = Vec::new();
        let mut place = |term: &Term| {
            terms.iter().position(|known| known == term).unwrap_or_else(|| {
                terms.push(*term);
                terms.len() - 1
            })
        };
        let formulas = wanted.iter().filter_map(|(quantity, metric)| Some((*quantity, find(metric, sample.task)?)));
        let wanted = formulas
            .map(|(quantity, formula)| (quantity, formula.terms.iter().map(&mut place).collect(), formula.value))
            .collect();
        let weight = |row: u32| sample.weights.map_or(1.0, |weights| weights[row as usize]);
        let columns = terms.iter().map(|term| {
            let of_row = parts(sample, rows, *term);
            rows.iter().map(|&row| weight(row) * of_row(row as usize)).collect()
        });
        Sums { columns: columns.collect(), wanted }
    }

    /// Writes the values of its quantities; `draws` are the weights of its rows.
    pub fn values(&self, draws: &[u8], values: &mut [f64]) {
        let sums: Vec<f64> = self.columns.iter().map(|column| sum(column, draws)).collect();
        for (quantity, columns, value) in &self.wanted {
            let own: Vec<f64> = columns.iter().map(|column| sums[*column]).collect();
            values[*quantity] = value(&own);
        }
    }
}

/// Σ draw × part, in eight sums side by side, so that additions do not wait for each other.
fn sum(column: &[f64], draws: &[u8]) -> f64 {
    let ((columns, last), (eights, others)) = (column.as_chunks::<8>(), draws.as_chunks::<8>());
    let mut lanes = [0.0; 8];
    for (parts, draws) in columns.iter().zip(eights) {
        for lane in 0..8 {
            lanes[lane] += parts[lane] * f64::from(draws[lane]);
        }
    }
    let rest: f64 = last.iter().zip(others).map(|(part, draw)| part * f64::from(*draw)).sum();
    lanes.iter().sum::<f64>() + rest
}

/// What a row adds to the sum of `term`; NaN where that has no meaning, so that none of its metrics has.
fn parts<'a>(sample: &Sample<'a>, rows: &[u32], term: Term) -> Box<dyn Fn(usize) -> f64 + 'a> {
    match sample.scores {
        _ if term == Term::One => Box::new(|_| 1.0),
        Scores::Classes { truth, probabilities, names } => {
            let width = names.len();
            Box::new(move |row| of_classes(term, truth[row] as usize, &probabilities[row * width..][..width]))
        }
        Scores::Numbers { truth, .. } if matches!(term, Term::Within | Term::Width) => {
            let Some(bounds) = sample.bounds else {
                return Box::new(|_| f64::NAN);
            };
            Box::new(move |row| match (term, bounds.low[row], bounds.high[row]) {
                (Term::Width, low, high) => high - low,
                (_, low, high) => f64::from(u8::from(low <= truth[row] && truth[row] <= high)),
            })
        }
        Scores::Numbers { truth, predicted } => {
            let (near_truth, near_predicted) = (near_mean(truth, rows), near_mean(predicted, rows));
            Box::new(move |row| of_numbers(term, truth[row], predicted[row], near_truth, near_predicted))
        }
        Scores::Anomalies { truth, scores, threshold } => {
            Box::new(move |row| of_anomalies(term, truth[row], scores[row], threshold))
        }
        Scores::Clusters(_) => Box::new(|_| f64::NAN),
    }
}

fn of_classes(term: Term, truth: usize, row: &[f64]) -> f64 {
    match term {
        Term::LogLoss => return -row[truth].clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln(),
        Term::Gap(bin) => {
            let best = most_probable(row) as usize;
            let is_there = bin_of(row[best], BINS) == usize::from(bin);
            return if is_there { f64::from(u8::from(best == truth)) - row[best] } else { 0.0 };
        }
        _ => {}
    }
    let square = |(class, p): (usize, &f64)| (p - f64::from(u8::from(class == truth))).powi(2);
    row.iter().enumerate().map(square).sum::<f64>() * if row.len() == 2 { 0.5 } else { 1.0 }
}

fn of_numbers(term: Term, truth: f64, predicted: f64, near_truth: f64, near_predicted: f64) -> f64 {
    let error = truth - predicted;
    match term {
        Term::Truth => truth - near_truth,
        Term::TruthSquare => (truth - near_truth).powi(2),
        Term::Predicted => predicted - near_predicted,
        Term::PredictedSquare => (predicted - near_predicted).powi(2),
        Term::Product => (truth - near_truth) * (predicted - near_predicted),
        Term::Error => error,
        Term::ErrorSquare => error.powi(2),
        Term::ErrorSize => error.abs(),
        Term::TruthSize => truth.abs(),
        Term::RelativeError if truth != 0.0 => (error / truth).abs(),
        Term::LogErrorSquare if truth > -1.0 && predicted > -1.0 => (truth.ln_1p() - predicted.ln_1p()).powi(2),
        Term::Poisson if truth >= 0.0 && predicted > 0.0 => {
            let gain = if truth == 0.0 { 0.0 } else { truth * (truth / predicted).ln() };
            2.0 * (gain - truth + predicted)
        }
        _ => f64::NAN,
    }
}

fn of_anomalies(term: Term, truth: u32, score: f64, threshold: f64) -> f64 {
    let is = match term {
        Term::Score => return score,
        Term::Flagged => score > threshold,
        Term::LabelledFlagged => truth != MISSING_CODE && score > threshold,
        Term::Anomalous => truth == 1,
        _ => truth == 1 && score > threshold,
    };
    f64::from(u8::from(is))
}

/// The value of one of `rows` that is nearest to their mean: of equal values exactly that value. 0 without rows.
fn near_mean(values: &[f64], rows: &[u32]) -> f64 {
    let of_rows = || rows.iter().map(|row| values[*row as usize]);
    let mean = of_rows().map(|value| value / rows.len() as f64).sum::<f64>();
    of_rows().min_by(|a, b| (a - mean).abs().total_cmp(&(b - mean).abs())).unwrap_or(0.0)
}
