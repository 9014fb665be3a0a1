//! A judgement of one model on one set of rows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;

/// The end of every judgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Everything asked for holds.
    Pass,
    /// Something asked for does not hold.
    Fail,
    /// Nothing was asked.
    None,
}

impl Verdict {
    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::Fail => "fail",
            Verdict::None => "none",
        }
    }
}

/// Outcome of one gate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateResult {
    /// As the person wrote it.
    pub expression: String,
    /// The metric's value; `None` when it is missing.
    pub value: Option<f64>,
    /// The number it was compared with; `None` when there is none yet.
    pub bound: Option<f64>,
    /// Pass or fail.
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub reason: String,
    /// Where what is compared may well lie, when the gate had to hold for sure: the value, or for a bound of the champion its
    /// difference from the champion's value, or the relative change of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
}

/// Metrics of the rows with one value of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceResult {
    /// Column that rows were divided by.
    pub column: String,
    /// Its value in this slice.
    pub value: String,
    /// Rows in the slice.
    pub rows: u64,
    /// Metrics by name; one that has no meaning on these rows is left out.
    pub metrics: BTreeMap<String, f64>,
    /// Intervals of the headline metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, Interval>,
}

/// Where a value may well lie, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How intervals were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct IntervalMethod {
    /// `poisson_bootstrap`…
    pub name: String,
    /// Share of intervals that hold the true value, in `(0, 1)`.
    pub level: f64,
    /// Resamples drawn.
    pub resamples: u32,
}

/// One metric of two models on the same rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Of the model that is judged.
    pub value: f64,
    /// Of the model that it is compared with.
    pub other: f64,
    /// `value - other`.
    pub difference: f64,
    /// Where the difference may well lie, both models judged on the same resampled rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Interval>,
    /// Chance of a difference as large as this one between equal models.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// Where `p_value` comes from: `mcnemar`, `delong`, `paired_bootstrap`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test: Option<String>,
    /// Whether the model is better (true) or worse (false) beyond chance; absent when chance would explain it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub better: Option<bool>,
}

/// One metric of one slice, of two models.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceDifference {
    /// Column that rows were divided by.
    pub column: String,
    /// Its value in this slice.
    pub value: String,
    /// Rows in the slice.
    pub rows: u64,
    /// Name of the metric.
    pub metric: String,
    /// Its two values.
    pub difference: Difference,
}

/// A model beside another one, row by row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelComparison {
    /// Package of the other model.
    pub against: ObjectId,
    /// What a person calls it.
    pub name: String,
    /// Every metric that both have.
    pub metrics: BTreeMap<String, Difference>,
    /// Metrics of the other model.
    pub other_metrics: BTreeMap<String, f64>,
    /// Rows that the model answers better than the other: rightly where the other is wrong, or nearer to the truth.
    pub wins: u64,
    /// Rows that it answers worse.
    pub losses: u64,
    /// Rows that both answer equally well.
    pub ties: u64,
    /// Share of the rows that get another class; of classes only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flip_rate: Option<f64>,
    /// Slices of the other model, for gates on slices.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_slices: Vec<SliceResult>,
    /// Slices where the headline metric got worse, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worse_slices: Vec<SliceDifference>,
}

/// Fairness of the answers to one group, as SageMaker Clarify measures it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FacetResult {
    /// The column that tells groups apart.
    pub column: String,
    /// The value of the group that may be at a disadvantage.
    pub value: String,
    /// Rows of that group.
    pub rows: u64,
    /// All other rows that have a value.
    pub rest: u64,
    /// What counts as the favourable answer: the positive class, a class, or numbers above a bound.
    pub favourable: String,
    /// Measures of the data by name: `CI`, `DPL`, `KL`, …
    pub pre_training: BTreeMap<String, f64>,
    /// Measures of the answers by name: `DPPL`, `DI`, `AD`, …
    pub post_training: BTreeMap<String, f64>,
}

/// How far one metric moves when the rows or the training are disturbed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RobustnessResult {
    /// `missing`, `noise`, `seed`.
    pub kind: String,
    /// The column disturbed; absent when all are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// How much: share of values taken out, noise in standard deviations, number of seeds.
    pub amount: f64,
    /// Name of the metric.
    pub metric: String,
    /// Its value undisturbed.
    pub before: f64,
    /// Its value disturbed; of several, the mean.
    pub after: f64,
    /// Standard deviation of the values of several disturbances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
}

/// Code of the finding that judged rows are rows that the model was fitted on.
pub const TRAINING_ROWS: &str = "training_rows";

/// Something odd about the rows that a model is judged on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JudgingFinding {
    /// `overlap`, `training_rows`, `leakage`, `label_conflict`, `unseen_class`, `missing_truth`, `not_test_rows`,
    /// `small_sample`, `rare_class`, …
    pub code: String,
    /// `error`: metrics do not mean what they seem to; `warning`: they may be flattered or uncertain; `info`.
    pub severity: String,
    /// In a sentence.
    pub message: String,
    /// Rows that it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
}

/// One bar of a histogram or one bin of a diagram.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlotBin {
    /// Lower border.
    pub low: f64,
    /// Upper border.
    pub high: f64,
    /// Rows, or their weight; of classes those that are not of the class.
    pub rest: f64,
    /// Rows of the class, or their weight; 0 for numbers.
    pub members: f64,
    /// Mean predicted probability or number in the bin.
    pub predicted: f64,
    /// Mean truth in the bin: share of the class, or mean true number.
    pub observed: f64,
}

/// Points of the pictures of one class; of two classes only the positive one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClassPlots {
    /// The class.
    pub class: String,
    /// `[false positive rate, true positive rate]`, at most 200 points.
    pub roc: Vec<[f64; 2]>,
    /// `[recall, precision]`, at most 200 points.
    pub precision_recall: Vec<[f64; 2]>,
    /// Reliability in ten bins of equal width.
    pub calibration: Vec<PlotBin>,
    /// Probabilities in 20 bins of equal width.
    pub scores: Vec<PlotBin>,
    /// `[share of rows, share of the class found]`, highest scores first, at most 101 points.
    pub gain: Vec<[f64; 2]>,
}

/// Points of the pictures of predicted numbers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NumberPlots {
    /// `[prediction, truth]` of at most 500 rows.
    pub pairs: Vec<[f64; 2]>,
    /// Residuals (truth minus prediction) in 30 bins.
    pub residuals: Vec<PlotBin>,
    /// Predictions in ten bins of equally many rows, with mean prediction and mean truth.
    pub calibration: Vec<PlotBin>,
}

/// Points of all pictures of an evaluation, thinned, so that a report can be drawn again at any time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Plots {
    /// One entry a class, at most ten.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub classes: Vec<ClassPlots>,
    /// Regression only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<NumberPlots>,
}

/// Counts of true classes (rows) against predicted classes (columns).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// Classes in order.
    pub classes: Vec<String>,
    /// `counts[truth][prediction]`.
    pub counts: Vec<Vec<u64>>,
}

/// What was found out about answers to rows whose truth is known.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Judgement {
    /// Which rows: `test`, `validation`, `train` or `all`.
    pub rows_of: String,
    /// How many.
    pub rows: u64,
    /// Metrics by name.
    pub metrics: BTreeMap<String, f64>,
    /// Classification only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confusion: Option<ConfusionMatrix>,
    /// Metrics of each slice asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub slices: Vec<SliceResult>,
    /// Outcome of each gate.
    pub gates: Vec<GateResult>,
    /// Outcome of all gates together.
    pub verdict: Verdict,
    /// Name of the metric that stands for all: the first one asked for, else that of the task.
    #[serde(default)]
    pub headline: String,
    /// Column of weights that rows were counted by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Intervals of the headline metrics.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub intervals: BTreeMap<String, Interval>,
    /// How intervals were made, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval_method: Option<IntervalMethod>,
    /// Metrics of the baseline, the one answer for every row that any model has to beat, on the same rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BTreeMap<String, f64>>,
    /// The worst slices that were found without being asked for, the worst first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub worst_slices: Vec<SliceResult>,
    /// The same rows answered by another model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<ModelComparison>,
    /// Fairness to each group asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facets: Vec<FacetResult>,
    /// What disturbances do, when asked for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub robustness: Vec<RobustnessResult>,
    /// Odd things about the rows judged on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<JudgingFinding>,
    /// Points of the pictures.
    #[serde(default)]
    pub plots: Plots,
}

impl Default for Judgement {
    fn default() -> Judgement {
        Judgement {
            rows_of: String::new(),
            rows: 0,
            metrics: BTreeMap::new(),
            confusion: None,
            slices: Vec::new(),
            gates: Vec::new(),
            verdict: Verdict::None,
            headline: String::new(),
            weight: None,
            intervals: BTreeMap::new(),
            interval_method: None,
            baseline: None,
            worst_slices: Vec::new(),
            comparison: None,
            facets: Vec::new(),
            robustness: Vec::new(),
            findings: Vec::new(),
            plots: Plots::default(),
        }
    }
}

/// One evaluation of one model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// The package that was judged.
    pub package: ObjectId,
    /// The dataset record whose rows it was judged on.
    pub dataset: ObjectId,
    /// What was found out.
    #[serde(flatten)]
    pub judgement: Judgement,
}

impl EvaluationRecord {
    /// What the verdict is worth when it is about letting a model pass: a pass on the very rows that the model learnt the
    /// answers of is none.
    pub fn counted_verdict(&self) -> Verdict {
        let flatters = |of: &JudgingFinding| of.code == TRAINING_ROWS && of.severity == "error";
        let flattered = self.judgement.findings.iter().any(flatters);
        if self.judgement.verdict == Verdict::Pass && flattered { Verdict::None } else { self.judgement.verdict }
    }
}

impl Record for EvaluationRecord {
    const KIND: &'static str = "evaluation";
    const VERSION: u32 = 2;

    fn references(&self) -> Vec<ObjectId> {
        let other = self.judgement.comparison.as_ref().map(|comparison| comparison.against);
        [self.package, self.dataset].into_iter().chain(other).collect()
    }
}
