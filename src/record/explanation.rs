//! What explains a model: which raw columns it relies on, how it answers to them, and why it answered single rows so.
//!
//! Numbers are per *output*: one for numbers, two classes (the probability of the second) and anomaly scores; one a
//! class for more classes. Everything is in terms of raw columns, whatever features the recipe makes of them.

use serde::{Deserialize, Serialize};

use crate::base::id::ObjectId;
use crate::record::Record;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// One explanation of one model on one set of rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplanationRecord {
    /// The package that was explained.
    pub package: ObjectId,
    /// The dataset record whose rows it was explained on.
    pub dataset: ObjectId,
    /// What a person calls the dataset.
    pub dataset_name: String,
    /// Name of the model kind.
    pub model: String,
    /// What it predicts.
    pub task: Task,
    /// Name of the predicted column; empty without one.
    pub target: String,
    /// Which rows: `test`, `validation`, `train` or `all`.
    pub rows_of: String,
    /// Rows looked at.
    pub rows: u64,
    /// Rows there are; more than `rows` when a sample was drawn.
    pub rows_there: u64,
    /// Where every draw starts.
    pub seed: u64,
    /// Names of the outputs: classes, or what is predicted.
    pub outputs: Vec<String>,
    /// What an answer is: `probability of yes`, `price`, `anomaly score`.
    pub answer: String,
    /// Mean answer for the rows, one an output.
    pub mean_answer: Vec<f64>,
    /// How each number was made, and what it is not, in sentences.
    pub methods: Vec<String>,
    /// What was left out, sampled or is suspicious, in sentences.
    pub notes: Vec<String>,
    /// What permutation importance is measured by; none without the truth.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<ExplainedMetric>,
    /// How contributions were made; none when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contributions: Option<ContributionMethod>,
    /// Raw columns, the most important first.
    pub columns: Vec<ColumnExplanation>,
    /// Columns that go together, permuted together; the most important first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<GroupImportance>,
    /// Pairs of columns, the strongest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interactions: Vec<Interaction>,
    /// Single rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub explained: Vec<RowExplanation>,
    /// Columns of the dataset that the model does not read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unread: Vec<String>,
}

/// The metric that shuffled columns are judged by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExplainedMetric {
    /// Its name.
    pub name: String,
    /// Its value on the rows as they are.
    pub value: f64,
    /// Whether a larger value is a better one.
    pub higher_is_better: bool,
    /// Shuffles of each column.
    pub repeats: u64,
}

/// How contributions of columns were made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ContributionMethod {
    /// `exact_trees`, `exact_linear` or `sampled`.
    pub method: String,
    /// What they sum to: `answer`, or `score` (log odds, or the logarithm of a count).
    pub margin: String,
    /// What is expected of no row in particular, one an output: contributions of a row sum to its margin less this.
    pub base: Vec<f64>,
    /// Rows that the summary is about.
    pub rows: u64,
    /// Rows that stand for "not known"; sampled contributions only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<u64>,
}

/// A mean with its spread.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean.
    pub mean: f64,
    /// Standard deviation of single values, n − 1 in the divisor; 0 of one value.
    pub std: f64,
    /// Lower end of the 95 % interval of the mean.
    pub low: f64,
    /// Upper end of it.
    pub high: f64,
}

/// What is known of one raw column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnExplanation {
    /// Name in the data.
    pub name: String,
    /// Type of its values.
    #[serde(rename = "type")]
    pub column_type: ColumnType,
    /// How much worse the metric gets when its values are shuffled among the rows; in the metric's unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permutation: Option<Estimate>,
    /// Mean size of its contributions, over rows and outputs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contribution: Option<f64>,
    /// The same of each output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub contribution_by_output: Vec<f64>,
    /// Its share of the model's own importance: gains of splits, or sizes of standardised coefficients.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_importance: Option<f64>,
    /// Contributions of single rows, for a picture.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub swarm: Vec<SwarmPoint>,
    /// The mean answer when it is set to each of its values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dependence: Option<Dependence>,
    /// What moving along it changes among rows that are there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<LocalEffects>,
    /// Why there are no local effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects_left_out: Option<String>,
    /// What a linear model makes of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<LinearEffect>,
    /// Share of the answers' variance that is not its own additive part: Friedman's overall H².
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interaction: Option<f64>,
}

/// The contribution of a column to one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwarmPoint {
    /// Rank of the row's value among those of the rows, from 0 to 1; none for text and missing values.
    pub rank: Option<f64>,
    /// One an output.
    pub contributions: Vec<f64>,
}

/// Partial dependence: the mean answer with the column set to one value in every row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Dependence {
    /// Names of the points: values as people write them.
    pub labels: Vec<String>,
    /// Values of the points: numbers, or microseconds since 1970; none for text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<f64>,
    /// Rows that have the value, for text and other columns of few values; else none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rows: Vec<u64>,
    /// `average[output][point]`.
    pub average: Vec<Vec<f64>>,
    /// Answers of single rows, `curves[row][point]`, of the last output for two classes and numbers; none for more
    /// classes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub curves: Vec<Vec<f64>>,
    /// The mean answer with the value missing, one an output; none when no row misses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<f64>>,
    /// Distinct values of text that got no point.
    #[serde(default)]
    pub levels_left_out: u64,
}

/// Accumulated local effects of a number or a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LocalEffects {
    /// Edges of the bins, ascending: quantiles of the rows.
    pub edges: Vec<f64>,
    /// Rows of each bin.
    pub rows: Vec<u64>,
    /// `values[output][edge]`, centred so that their mean over the rows is 0.
    pub values: Vec<Vec<f64>>,
}

/// What a linear model makes of one raw column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearEffect {
    /// Change of each output's score when the raw number grows by 1 (a time: by a day); none for text, and where it is
    /// not the same everywhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub per_unit: Option<Vec<f64>>,
    /// Values of text with the score they add compared with the first, `(value, one an output)`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<(String, Vec<f64>)>,
    /// Why there is no single number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<String>,
}

/// Columns that go together and were shuffled together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GroupImportance {
    /// The columns.
    pub columns: Vec<String>,
    /// Their strongest association: Spearman's coefficient, or Cramér's V.
    pub association: f64,
    /// How much worse the metric gets when rows swap all of them at once.
    pub permutation: Estimate,
}

/// How far two columns act together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Interaction {
    /// The more important column.
    pub a: String,
    /// The other.
    pub b: String,
    /// Friedman's H²: share of the variance of their joint dependence that is not the sum of their own.
    pub h2: f64,
    /// Root mean square of that part, in the unit of the answer: a large share of nothing is nothing.
    pub strength: f64,
}

/// Why one row was answered so.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowExplanation {
    /// Number of the row in the dataset, counted from 1 without the header.
    pub row: u64,
    /// Which part of the training data it is of: `train`, `validation`, `test`; none for other datasets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<String>,
    /// Values of the dataset's key columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key: Vec<(String, String)>,
    /// The answer as `predict` gives it.
    pub prediction: String,
    /// One an output: probabilities, the number, the score.
    pub answers: Vec<f64>,
    /// What was true, when known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub truth: Option<String>,
    /// The output that is drawn: that of the predicted class, the second of two, else the only one.
    pub output: usize,
    /// What is expected of no row in particular, one an output.
    pub base: Vec<f64>,
    /// What base and contributions sum to, one an output.
    pub margin: Vec<f64>,
    /// Largest contribution to the drawn output first.
    pub contributions: Vec<RowContribution>,
}

/// What one column adds to the answer for one row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RowContribution {
    /// The column.
    pub column: String,
    /// Its value in the row; none when missing.
    pub value: Option<String>,
    /// What it adds, one an output.
    pub contributions: Vec<f64>,
    /// Standard errors of sampled contributions, one an output.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<Vec<f64>>,
}

impl Record for ExplanationRecord {
    const KIND: &'static str = "explanation";
    const VERSION: u32 = 1;

    fn references(&self) -> Vec<ObjectId> {
        vec![self.package, self.dataset]
    }
}
