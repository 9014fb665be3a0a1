//! What to look for and how hard.

use std::collections::BTreeMap;

use crate::base::limits::{SENSE_ISOLATION_ROWS_MAX, SENSE_PAIR_COLUMNS_MAX, SENSE_SAMPLE_ROWS};
use crate::record::dataset::Roles;
use crate::spec::schema::Severity;

/// Choices of [`crate::quality::sense::sense`].
#[derive(Clone, Debug, PartialEq)]
pub struct SenseOptions {
    /// The target and its task, the key, and the columns that are no features. Ignored columns are not looked at.
    pub roles: Roles,
    /// The source of chance: of the sample of rows, and of the isolation forest.
    pub seed: u64,
    /// How outliers are told.
    pub outliers: OutlierOptions,
    /// Severities that differ from the usual ones, by code: `{"LEAKAGE": Error}`.
    pub severities: BTreeMap<String, Severity>,
    /// Rows on which suspicions are ruled out first.
    pub sample_rows: usize,
    /// Numeric columns, the first of the table, whose pairs are searched.
    pub pair_columns_max: usize,
}

impl Default for SenseOptions {
    fn default() -> SenseOptions {
        SenseOptions {
            roles: Roles::default(),
            seed: 42,
            outliers: OutlierOptions::default(),
            severities: BTreeMap::new(),
            sample_rows: SENSE_SAMPLE_ROWS,
            pair_columns_max: SENSE_PAIR_COLUMNS_MAX,
        }
    }
}

/// How outliers are told.
#[derive(Clone, Debug, PartialEq)]
pub struct OutlierOptions {
    /// Modified z-score (Iglewicz and Hoaglin 1993) beyond which a value is an outlier; `None` for not looking.
    pub mad: Option<f64>,
    /// Whether rows are judged by an isolation forest over all numeric features together.
    pub isolation: Isolation,
    /// Anomaly score from which a row is an outlier. Liu, Ting and Zhou 2008 take 0.6 for "potential anomalies".
    pub isolation_score: f64,
    /// The share of rows to take for outliers instead, those of the highest scores, in `(0, 0.5]`.
    pub contamination: Option<f64>,
    /// Trees of the forest; the paper's 100 when left alone.
    pub trees: usize,
    /// Rows that each tree is grown on; the paper's 256 when left alone.
    pub tree_rows: usize,
}

impl Default for OutlierOptions {
    fn default() -> OutlierOptions {
        OutlierOptions {
            mad: Some(3.5),
            isolation: Isolation::UpTo(SENSE_ISOLATION_ROWS_MAX),
            isolation_score: 0.6,
            contamination: None,
            trees: 100,
            tree_rows: 256,
        }
    }
}

/// When an isolation forest is grown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// Never.
    Off,
    /// For tables of at most this many rows; larger ones get a sentence that it was left out.
    UpTo(usize),
    /// Always.
    Always,
}
