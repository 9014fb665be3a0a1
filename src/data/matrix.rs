//! What a recipe gives and a model eats: features by column, in a fixed order.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use anyhow::Result;

use crate::base::fail;
use crate::data::frame::{Column, Frame, MISSING_CODE, Values};

/// One feature of a matrix.
#[derive(Clone, Debug)]
pub struct Feature {
    /// Name of the feature.
    pub name: Arc<str>,
    /// The raw column it comes from.
    pub from: Arc<str>,
    /// Its values.
    pub values: FeatureValues,
}

/// Values of one feature, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum FeatureValues {
    /// Numbers; NaN is missing.
    Number(Vec<f64>),
    /// 1 where `codes` equals `code`, else 0.
    Indicator {
        /// One code a row, shared among siblings.
        codes: Arc<[u32]>,
        /// The code that this feature is 1 for.
        code: u32,
    },
    /// Codes `0..levels`; [`MISSING_CODE`] is missing or unseen.
    Category {
        /// One code a row.
        codes: Arc<[u32]>,
        /// Number of codes.
        levels: u32,
    },
}

/// Features of some rows. Copies and parts of the features share their values.
#[derive(Clone, Debug, Default)]
pub struct Matrix {
    rows: usize,
    features: Arc<Vec<Feature>>,
    /// Which of them belong to this matrix.
    range: Range<usize>,
}

impl FeatureValues {
    /// The value of one row as a number; the code of a category.
    pub fn get(&self, row: usize) -> f64 {
        match self {
            FeatureValues::Number(values) => values[row],
            FeatureValues::Indicator { codes, code } => f64::from(u8::from(codes[row] == *code)),
            FeatureValues::Category { codes, .. } if codes[row] == MISSING_CODE => f64::NAN,
            FeatureValues::Category { codes, .. } => f64::from(codes[row]),
        }
    }

    /// `number`, `indicator` or `category`.
    pub fn type_name(&self) -> &'static str {
        match self {
            FeatureValues::Number(_) => "number",
            FeatureValues::Indicator { .. } => "indicator",
            FeatureValues::Category { .. } => "category",
        }
    }

    fn with_rows(&self, rows: &[u32], other: &FeatureValues) -> FeatureValues {
        fn put<T: Copy>(all: &[T], rows: &[u32], some: &[T]) -> Vec<T> {
            let mut all = all.to_vec();
            for (row, value) in rows.iter().zip(some) {
                all[*row as usize] = *value;
            }
            all
        }
        match (self, other) {
            (FeatureValues::Number(all), FeatureValues::Number(some)) => FeatureValues::Number(put(all, rows, some)),
            (FeatureValues::Indicator { codes, code }, FeatureValues::Indicator { codes: some, .. }) => {
                FeatureValues::Indicator { codes: put(codes, rows, some).into(), code: *code }
            }
            (FeatureValues::Category { codes, levels }, FeatureValues::Category { codes: some, .. }) => {
                FeatureValues::Category { codes: put(codes, rows, some).into(), levels: *levels }
            }
            (own, _) => own.clone(),
        }
    }

    fn len(&self) -> usize {
        match self {
            FeatureValues::Number(values) => values.len(),
            FeatureValues::Indicator { codes, .. } | FeatureValues::Category { codes, .. } => codes.len(),
        }
    }
}

impl Matrix {
    /// Puts features together.
    ///
    /// Errors: lengths that differ.
    pub fn new(rows: usize, features: Vec<Feature>) -> Result<Matrix> {
        match features.iter().find(|feature| feature.values.len() != rows) {
            Some(odd) => Err(fail::world(format!("feature `{}` does not have {rows} rows", odd.name)).into()),
            None => {
                let range = 0..features.len();
                Ok(Matrix { rows, features: Arc::new(features), range })
            }
        }
    }

    /// The features numbered `range`, of the same rows; shares their values.
    ///
    /// Errors: features that are not there.
    pub fn range(&self, range: Range<usize>) -> Result<Matrix> {
        let width = self.range.len();
        if range.start > range.end || range.end > width {
            let what = format!("features {} to {} of {width} are asked for", range.start, range.end);
            return Err(fail::world(what).into());
        }
        let range = self.range.start + range.start..self.range.start + range.end;
        Ok(Matrix { rows: self.rows, features: Arc::clone(&self.features), range })
    }

    /// The rows numbered `rows`, in that order; features that share codes share those of the rows too.
    pub fn take(&self, rows: &[u32]) -> Matrix {
        let mut taken: HashMap<*const u32, Arc<[u32]>> = HashMap::new();
        let mut pick = |codes: &Arc<[u32]>| {
            let of = || rows.iter().map(|&row| codes[row as usize]).collect();
            Arc::clone(taken.entry(codes.as_ptr()).or_insert_with(of))
        };
        let features = self.features().iter().map(|feature| {
            let values = match &feature.values {
                FeatureValues::Number(values) => {
                    FeatureValues::Number(rows.iter().map(|&row| values[row as usize]).collect())
                }
                FeatureValues::Indicator { codes, code } => {
                    FeatureValues::Indicator { codes: pick(codes), code: *code }
                }
                FeatureValues::Category { codes, levels } => {
                    FeatureValues::Category { codes: pick(codes), levels: *levels }
                }
            };
            Feature { name: Arc::clone(&feature.name), from: Arc::clone(&feature.from), values }
        });
        let features: Vec<Feature> = features.collect();
        Matrix { rows: rows.len(), range: 0..features.len(), features: Arc::new(features) }
    }

    /// The end of a recipe: every column must be a number, an indicator or a category by now.
    ///
    /// Errors: a column of text or time is left; the message names the step that would turn it into numbers.
    pub fn from_frame(frame: Frame) -> Result<Matrix> {
        let rows = frame.rows();
        let mut features = Vec::with_capacity(frame.columns().len());
        for column in frame.into_columns() {
            let values = match column.values {
                Values::Number(values) => FeatureValues::Number(values),
                Values::Indicator { codes, code } => FeatureValues::Indicator { codes, code },
                Values::Category { codes, levels } => FeatureValues::Category { codes, levels },
                Values::Text(_) => return Err(not_a_number(&column.name, "text", "one_hot or ordinal")),
                Values::Time(_) => return Err(not_a_number(&column.name, "time", "dates")),
            };
            features.push(Feature { name: column.name, from: column.from, values });
        }
        Matrix::new(rows, features)
    }

    /// These features with the values of `part` in its rows' places: row 0 of it at `rows[0]`, and so on.
    ///
    /// Features that are the same there stay as they are. Errors: other features, or rows that are not there.
    pub fn with_rows(mut self, rows: &[u32], part: &Matrix) -> Result<Matrix> {
        let fits = part.features().len() == self.features().len() && part.rows == rows.len();
        if !fits || rows.iter().any(|row| *row as usize >= self.rows) {
            return Err(fail::world("rows of other features cannot be put into a table of features").into());
        }
        let range = self.range.clone();
        for (feature, other) in Arc::make_mut(&mut self.features)[range].iter_mut().zip(part.features()) {
            let differs = rows
                .iter()
                .enumerate()
                .any(|(place, &row)| feature.values.get(row as usize).to_bits() != other.values.get(place).to_bits());
            if differs {
                feature.values = feature.values.with_rows(rows, &other.values);
            }
        }
        Ok(self)
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// All features in order.
    pub fn features(&self) -> &[Feature] {
        &self.features[self.range.clone()]
    }

    /// The features; a copy of those that are shared.
    pub fn into_features(self) -> Vec<Feature> {
        match Arc::try_unwrap(self.features) {
            Ok(mut features) => {
                features.truncate(self.range.end);
                features.drain(..self.range.start);
                features
            }
            Err(shared) => shared[self.range].to_vec(),
        }
    }

    /// The features as named columns again, to be written as a table; indicators share their codes.
    pub fn into_columns(self) -> Vec<Column> {
        let columns = self.into_features().into_iter().map(|feature| {
            let values = match feature.values {
                FeatureValues::Number(values) => Values::Number(values),
                FeatureValues::Indicator { codes, code } => Values::Indicator { codes, code },
                FeatureValues::Category { codes, levels } => Values::Category { codes, levels },
            };
            Column { name: feature.name, from: feature.from, values }
        });
        columns.collect()
    }

    /// Rows as dense numbers, row by row: `rows × features` values. 8 bytes a value.
    pub fn to_row_major(&self) -> Vec<f64> {
        let width = self.features().len();
        let mut dense = vec![0.0; self.rows * width];
        for (position, feature) in self.features().iter().enumerate() {
            for row in 0..self.rows {
                dense[row * width + position] = feature.values.get(row);
            }
        }
        dense
    }
}

fn not_a_number(name: &str, kind: &str, step: &str) -> anyhow::Error {
    fail::usage(format!("column `{name}` is still {kind} at the end of the recipe"))
        .hint(format!("add a step for it ({step}), or drop it"))
        .into()
}
