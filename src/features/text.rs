//! Texts as counts of their hashed words or n-grams.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, limits};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::features::tokens::{self, Analysis, Sparse};
use crate::features::{hash, murmur};
use crate::spec::steps::{TermValue, TextSpec};

/// How texts are counted.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TextOptions {
    /// What they are taken apart into.
    pub analysis: Analysis,
    /// Columns made, 1 to [`limits::HASHED_COLUMNS_MAX`].
    pub width: usize,
    /// What is counted.
    pub values: TermValue,
    /// Whether half of the terms count negatively.
    pub signed: bool,
}

/// One column's hashed terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedText {
    column: Arc<str>,
    analysis: Analysis,
    values: TermValue,
    signed: bool,
    columns: Vec<Arc<str>>,
}

/// Checks what was written.
pub fn check(spec: &TextSpec) -> Result<Action, fail::Failure> {
    hash::check_width("text", spec.width)?;
    let analysis = Analysis { analyzer: spec.analyzer, ngrams: spec.ngrams, lowercase: spec.lowercase };
    analysis.check("text")?;
    Ok(Action::each(TextOptions { analysis, width: spec.width, values: spec.values, signed: spec.signed }))
}

/// Counts the terms of a text in the columns that their hashes name: scikit-learn's `HashingVectorizer` (1.9) with
/// `norm=None` for `count` and `binary`, `norm="l1"` for `tf`. For free text without a vocabulary: nothing is learned and an
/// unseen word works like any other; different words may share a column. Missing is 0 everywhere.
impl ColumnAction for TextOptions {
    fn name(&self) -> &'static str {
        "text"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let columns = (0..self.width).map(|position| format!("{name}_text_{position}").into()).collect();
        let TextOptions { analysis, values, signed, .. } = *self;
        let fitted = FittedText { column: Arc::clone(name), analysis, values, signed, columns };
        Ok((FittedColumn::Text(fitted), Vec::new()))
    }
}

impl FittedText {
    fn values(&self, text: &str) -> Sparse {
        let mut found: Sparse = Vec::new();
        self.analysis.terms(text, |term| {
            let (position, sign) = murmur::place(term, self.columns.len());
            found.push((position, if self.signed { sign } else { 1.0 }));
        });
        found.sort_unstable_by_key(|(position, _)| *position);
        let mut sums: Sparse = Vec::with_capacity(found.len());
        for (position, value) in found {
            match sums.last_mut() {
                Some(last) if last.0 == position => last.1 += value,
                _ => sums.push((position, value)),
            }
        }
        match self.values {
            TermValue::Count => {}
            // Terms that cancel out are still there.
            TermValue::Binary => sums.iter_mut().for_each(|(_, value)| *value = 1.0),
            TermValue::Tf => {
                let all: f64 = sums.iter().map(|(_, value)| value.abs()).sum();
                if all > 0.0 {
                    sums.iter_mut().for_each(|(_, value)| *value /= all);
                }
            }
        }
        sums
    }
}

impl ColumnStep for FittedText {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("text", &[Kind::Text])?;
        let fits = (1..=limits::HASHED_COLUMNS_MAX).contains(&self.columns.len());
        if !fits || self.analysis.check("text").is_err() {
            return Err(fail::world(format!("damaged recipe: terms of `{}` are out of range", self.column)).into());
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        tokens::spread(&column, &self.columns, |text| self.values(text)).unwrap_or_else(|| vec![column])
    }
}
