//! Recipes as people write them: an ordered list of steps, or `auto`.

use serde::{Deserialize, Serialize};

use crate::spec::many::{ExpressionSpec, KmeansSpec, PcaSpec, SelectSpec, TargetSpec};
use crate::spec::steps::{
    CastSpec, ClipSpec, CyclicSpec, FrequencySpec, HashSpec, LogSpec, MissingSpec, PowerSpec, QuantileSpec, RareSpec,
    RenameSpec, TextSpec, TfidfSpec,
};

/// `[transform]` of the project file.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TransformSpec {
    /// A named recipe; only `auto` so far. Must be absent when `steps` is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipe: Option<String>,
    /// The steps in order; `None` means the recipe `auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub steps: Option<Vec<StepSpec>>,
}

/// The columns that a step works on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Columns {
    /// All columns of a kind at that point of the recipe.
    Kind(ColumnKind),
    /// Exactly these, in this order.
    Named(Vec<String>),
}

/// Kinds of columns that a step can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers, booleans counted as 0 and 1.
    Numeric,
    /// Text.
    Categorical,
    /// Dates and time stamps.
    Time,
    /// Every column.
    All,
}

/// What takes the place of a missing value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImputeStrategy {
    /// Mean of the training rows; numbers only.
    Mean,
    /// Median of the training rows; numbers only.
    Median,
    /// Most frequent value of the training rows, the smallest on a tie.
    Mode,
    /// `value`.
    Constant,
    /// Mean of the nearest training rows that have a value; numbers only.
    Knn,
}

/// How a column is scaled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleMethod {
    /// Zero mean, unit standard deviation (population, as scikit-learn's `StandardScaler`).
    #[default]
    Standard,
    /// Smallest value to 0, largest to 1.
    MinMax,
    /// Median to 0, interquartile range to 1.
    Robust,
    /// Largest distance from 0 to 1; 0 stays 0.
    MaxAbs,
}

/// How bin edges are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinMethod {
    /// Equal widths between the smallest and the largest training value.
    Width,
    /// Equal numbers of training rows.
    #[default]
    Quantile,
    /// Where a small decision tree on the target cuts.
    Tree,
}

/// What comes out of binning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinEncode {
    /// The number of the bin.
    #[default]
    Ordinal,
    /// One column of 0 and 1 for each bin.
    OneHot,
}

/// Parts of a date or time stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatePart {
    /// Calendar year.
    Year,
    /// 1 to 4.
    Quarter,
    /// 1 to 12.
    Month,
    /// Week of ISO 8601, 1 to 53.
    Week,
    /// Day of the month, 1 to 31.
    Day,
    /// Monday 0 to Sunday 6.
    Weekday,
    /// Day of the year, 1 to 366.
    DayOfYear,
    /// 0 to 23.
    Hour,
    /// 0 to 59.
    Minute,
    /// 0 to 59.
    Second,
    /// Seconds since midnight, fractions too.
    TimeOfDay,
    /// Seconds since 1970-01-01T00:00:00Z.
    Epoch,
    /// 1 on Saturdays and Sundays.
    IsWeekend,
    /// 1 on the first day of a month.
    IsMonthStart,
    /// 1 on the last day of a month.
    IsMonthEnd,
    /// Days since the date given as `since`, fractions too.
    DaysSince,
}

/// One step as written: `{ op = "impute", columns = "numeric", strategy = "median" }`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum StepSpec {
    /// Fills missing values.
    Impute {
        /// Which columns.
        columns: Columns,
        /// With what.
        strategy: ImputeStrategy,
        /// The constant, for `strategy = "constant"`: a number or a text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<serde_json::Value>,
        /// Adds a column `NAME_missing` that is 1 where a value was missing.
        #[serde(default)]
        indicator: bool,
        /// How many rows `strategy = "knn"` looks at; 5 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        neighbours: Option<usize>,
    },
    /// Scales numbers.
    Scale {
        /// Which columns.
        columns: Columns,
        /// How.
        #[serde(default)]
        method: ScaleMethod,
        /// Where `min_max` puts the smallest and the largest value; 0 and 1 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        range: Option<[f64; 2]>,
    },
    /// One column of 0 and 1 for each value seen in training; an unseen or missing value is 0 everywhere.
    OneHot {
        /// Which columns.
        columns: Columns,
        /// Most columns made from one; rarer values share the column `NAME=other`.
        #[serde(default = "one_hot_max")]
        max: usize,
        /// Leaves out the first value's column, so that the columns are not collinear.
        #[serde(default)]
        drop_first: bool,
    },
    /// Numbers 0, 1, 2… in the order given, or sorted; unseen values become missing.
    Ordinal {
        /// Which columns.
        columns: Columns,
        /// The values from lowest to highest; sorted by their text when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Vec<String>>,
    },
    /// Replaces a number by the number of its bin, 0 to `bins` - 1, or by one column of 0 and 1 for each bin.
    Bin {
        /// Which columns.
        columns: Columns,
        /// How edges are chosen; `quantile` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        method: Option<BinMethod>,
        /// How many; 10 when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        bins: Option<usize>,
        /// The edges between bins, ascending, in place of `method` and `bins`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        edges: Option<Vec<f64>>,
        /// What comes out.
        #[serde(default)]
        encode: BinEncode,
        /// Fewest training rows of a bin of `method = "tree"`; a twentieth of them when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaf_rows_min: Option<usize>,
    },
    /// Replaces a date or time stamp by its parts, `NAME_month` and so on.
    Dates {
        /// Which columns.
        columns: Columns,
        /// Which parts; those that differ between training rows when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parts: Option<Vec<DatePart>>,
        /// Parts that return to their start become two columns, `NAME_month_sin` and `NAME_month_cos`.
        #[serde(default)]
        cyclic: bool,
        /// A date like 2026-01-31; adds a column `NAME_days_since`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        since: Option<String>,
    },
    /// Removes columns.
    Drop {
        /// Which columns.
        columns: Columns,
    },
    /// Adds products of pairs of numbers, `a*b`, and pairs of texts as one, `a&b`.
    Interact {
        /// Which columns; those of other kinds than number, indicator and text are passed over.
        columns: Columns,
    },
    /// Adds products of up to `degree` numbers, `a^2`, `a b`, `b^2`.
    Polynomial {
        /// Which columns.
        columns: Columns,
        /// 2 or 3.
        #[serde(default = "degree_default")]
        degree: usize,
        /// Leaves out powers of one column.
        #[serde(default)]
        interaction_only: bool,
    },
    /// Adds one number divided by another; missing where the divisor is 0.
    Ratio {
        /// The column divided.
        numerator: String,
        /// The column divided by.
        denominator: String,
        /// Name of the new column; `NUMERATOR/DENOMINATOR` when absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        name: Option<String>,
    },
    /// Means of the target.
    Target(TargetSpec),
    /// Fewer columns.
    Select(SelectSpec),
    /// Principal components.
    Pca(PcaSpec),
    /// Distances to the centres of clusters.
    Kmeans(KmeansSpec),
    /// A formula.
    Expression(ExpressionSpec),
    /// Codes for models that split on sets of values; unseen values become missing.
    Category {
        /// Which columns.
        columns: Columns,
    },
    /// Ranks among the training rows.
    Quantile(QuantileSpec),
    /// Powers that make a column look normal.
    Power(PowerSpec),
    /// Bounds.
    Clip(ClipSpec),
    /// Logarithms.
    Log(LogSpec),
    /// How often a value occurs.
    Frequency(FrequencySpec),
    /// Hashed texts.
    Hash(HashSpec),
    /// One value for all rare ones.
    Rare(RareSpec),
    /// Points on a circle.
    Cyclic(CyclicSpec),
    /// Hashed words and n-grams.
    Text(TextSpec),
    /// Weighted words and n-grams.
    Tfidf(TfidfSpec),
    /// Where values are missing.
    Missing(MissingSpec),
    /// Other names.
    Rename(RenameSpec),
    /// Another kind of values.
    Cast(CastSpec),
}

fn one_hot_max() -> usize {
    50
}

fn degree_default() -> usize {
    2
}
