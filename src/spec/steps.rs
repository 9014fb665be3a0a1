//! Options of single steps as people write them; `spec::recipe` lists the steps.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::spec::recipe::Columns;

/// What a quantile transform makes of the ranks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QuantileOutput {
    /// Evenly spread from 0 to 1.
    #[default]
    Uniform,
    /// Standard normal, ends at ±5.2.
    Normal,
}

/// Options of `quantile`: every number becomes its rank among the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuantileSpec {
    /// Which columns.
    pub columns: Columns,
    /// What comes out.
    #[serde(default)]
    pub output: QuantileOutput,
    /// How many quantiles are kept; never more than there are training rows.
    #[serde(default = "quantiles_default")]
    pub quantiles: usize,
}

fn quantiles_default() -> usize {
    1_000
}

/// Families of power transforms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PowerMethod {
    /// For any number.
    #[default]
    YeoJohnson,
    /// For numbers above 0.
    BoxCox,
}

/// Options of `power`: the power that makes a column look most like a normal distribution.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerSpec {
    /// Which columns.
    pub columns: Columns,
    /// Which family.
    #[serde(default)]
    pub method: PowerMethod,
    /// Brings what comes out to zero mean and unit standard deviation.
    #[serde(default = "yes")]
    pub standardize: bool,
}

fn yes() -> bool {
    true
}

/// Options of `clip`: holds numbers between bounds, given or learned. Exactly one way of choosing them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClipSpec {
    /// Which columns.
    pub columns: Columns,
    /// Lowest number that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// Highest number that stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// Bounds at these quantiles of the training rows: `[0.01, 0.99]` winsorizes one percent at each end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantiles: Option<[f64; 2]>,
    /// Bounds this many interquartile ranges beyond the quartiles: 1.5 are Tukey's fences.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iqr: Option<f64>,
}

/// Kinds of logarithms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogMethod {
    /// ln(1 + x), for numbers above -1.
    #[default]
    Log1p,
    /// ln(x), for numbers above 0.
    Log,
    /// sign(x) ln(1 + |x|), for any number.
    Signed,
}

/// Options of `log`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSpec {
    /// Which columns.
    pub columns: Columns,
    /// Which logarithm.
    #[serde(default)]
    pub method: LogMethod,
    /// Its base; e when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<f64>,
}

/// How often a value occurs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FrequencyMeasure {
    /// As a share of the training rows that have a value.
    #[default]
    Share,
    /// As a number of training rows.
    Count,
}

/// Options of `frequency`: every value becomes how often it occurs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencySpec {
    /// Which columns.
    pub columns: Columns,
    /// Share or count.
    #[serde(default)]
    pub measure: FrequencyMeasure,
}

/// Options of `hash`: texts fall into a fixed number of columns, so that none need be known before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HashSpec {
    /// Which columns.
    pub columns: Columns,
    /// How many columns are made of each.
    #[serde(default = "hash_width_default")]
    pub width: usize,
    /// Puts -1 for half of the values, so that values which share a column cancel out rather than add up.
    #[serde(default = "yes")]
    pub signed: bool,
}

fn hash_width_default() -> usize {
    16
}

/// Options of `rare`: rare texts become one. With several limits, a text must pass all to be kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RareSpec {
    /// Which columns.
    pub columns: Columns,
    /// Least share of the training rows that have a text; 0.01 when no limit is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
    /// Least number of training rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
    /// Most texts kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<usize>,
    /// What the others become.
    #[serde(default = "other_default")]
    pub other: String,
}

fn other_default() -> String {
    "other".to_owned()
}

/// Options of `cyclic`: numbers that return to their start, as a point on a circle.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CyclicSpec {
    /// Which columns.
    pub columns: Columns,
    /// After how much it starts again: 86400 for a time of day, 360 for degrees.
    pub period: f64,
}

/// What a text is taken apart into.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Analyzer {
    /// Words of two letters or more.
    #[default]
    Word,
    /// Characters, across words.
    Char,
    /// Characters within words, a space at both ends of each.
    CharWb,
}

/// What a hashed text is counted as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TermValue {
    /// How often a term occurs.
    #[default]
    Count,
    /// 1 when it occurs.
    Binary,
    /// How often it occurs, divided by the number of all terms of the text.
    Tf,
}

/// Options of `text`: hashed words or n-grams, without a vocabulary.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TextSpec {
    /// Which columns.
    pub columns: Columns,
    /// What a text is taken apart into.
    #[serde(default)]
    pub analyzer: Analyzer,
    /// Fewest and most words or characters of one term.
    #[serde(default = "ngrams_default")]
    pub ngrams: [usize; 2],
    /// Small letters and capitals are the same.
    #[serde(default = "yes")]
    pub lowercase: bool,
    /// How many columns are made of each.
    #[serde(default = "text_width_default")]
    pub width: usize,
    /// What is counted.
    #[serde(default)]
    pub values: TermValue,
    /// Counts half of the terms negatively; see `hash`.
    #[serde(default)]
    pub signed: bool,
}

fn ngrams_default() -> [usize; 2] {
    [1, 1]
}

fn text_width_default() -> usize {
    64
}

/// Options of `tfidf`: the most frequent words or n-grams, each weighted by how few texts have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TfidfSpec {
    /// Which columns.
    pub columns: Columns,
    /// What a text is taken apart into.
    #[serde(default)]
    pub analyzer: Analyzer,
    /// Fewest and most words or characters of one term.
    #[serde(default = "ngrams_default")]
    pub ngrams: [usize; 2],
    /// Small letters and capitals are the same.
    #[serde(default = "yes")]
    pub lowercase: bool,
    /// Most terms kept, the most frequent ones.
    #[serde(default = "terms_default")]
    pub max: usize,
    /// Fewest training rows that a term must occur in.
    #[serde(default = "min_rows_default")]
    pub min_rows: u64,
    /// Takes 1 + ln(count) in place of the count.
    #[serde(default)]
    pub sublinear: bool,
}

fn terms_default() -> usize {
    100
}

fn min_rows_default() -> u64 {
    2
}

/// Options of `missing`: a column `NAME_missing` of 0 and 1; the values stay as they are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MissingSpec {
    /// Which columns.
    pub columns: Columns,
    /// Adds one even where no training row is missing.
    #[serde(default)]
    pub always: bool,
}

/// Options of `rename`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RenameSpec {
    /// New name of each column.
    pub names: BTreeMap<String, String>,
}

/// What a column can be turned into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CastTo {
    /// Numbers: of text what reads as one, of times the seconds since 1970.
    Number,
    /// Text: numbers in their shortest form, times as in RFC 3339.
    Text,
    /// 0 and 1: true, yes, on, 1 and their opposites; of numbers, whether they differ from 0.
    Boolean,
    /// Times: of text dates and time stamps as in RFC 3339, of numbers the seconds since 1970.
    Time,
    /// Native categories for trees.
    Category,
}

/// Options of `cast`: another kind of values; what cannot be read becomes missing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CastSpec {
    /// Which columns.
    pub columns: Columns,
    /// Into what.
    pub to: CastTo,
}
