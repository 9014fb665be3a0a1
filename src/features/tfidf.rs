//! Texts as their most frequent terms, weighted by how few texts have them.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::{fail, limits, units};
use crate::data::frame::{TextValues, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::features::tokens::{self, Analysis, Sparse};
use crate::spec::steps::TfidfSpec;

/// How terms are chosen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TfidfOptions {
    /// What texts are taken apart into.
    pub analysis: Analysis,
    /// Most terms kept, 1 to [`limits::TERMS_MAX`].
    pub max: usize,
    /// Fewest training rows with a term.
    pub min_rows: u64,
    /// Takes 1 + ln(count) in place of the count.
    pub sublinear: bool,
}

/// One column's terms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedTfidf {
    column: Arc<str>,
    analysis: Analysis,
    sublinear: bool,
    /// Known terms in the order of their bytes.
    terms: Vec<Arc<str>>,
    /// Weight of each.
    weights: Vec<f64>,
    columns: Vec<Arc<str>>,
}

/// Checks what was written.
pub fn check(spec: &TfidfSpec) -> Result<Action, fail::Failure> {
    let analysis = Analysis { analyzer: spec.analyzer, ngrams: spec.ngrams, lowercase: spec.lowercase };
    analysis.check("tfidf")?;
    let most = limits::TERMS_MAX;
    if !(1..=most).contains(&spec.max) {
        return Err(fail::usage(format!("tfidf: max = {} is not between 1 and {most}", spec.max)));
    }
    let TfidfSpec { max, min_rows, sublinear, .. } = *spec;
    Ok(Action::each(TfidfOptions { analysis, max, min_rows, sublinear }))
}

/// Learns the vocabulary and its weights: scikit-learn's `TfidfVectorizer` (1.9), `max_features` and `min_df` being `max`
/// and `min_rows`: weight ln((1 + n) / (1 + rows with the term)) + 1, count times weight, then each text divided by its
/// Euclidean length. n counts the rows with a text. Among terms equally frequent the earlier by its bytes is kept.
/// For free text in linear models. Missing, and a text without known terms, is 0 everywhere.
/// Cost: one pass over the distinct texts, memory for every distinct term up to [`limits::TERMS_COUNTED_MAX`].
impl ColumnAction for TfidfOptions {
    fn name(&self) -> &'static str {
        "tfidf"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut notes = Vec::new();
        let (counted, texts) = match &*column.values {
            Values::Text(text) => self.count(name, text, &mut notes),
            _ => (Vec::new(), 0),
        };
        let found = counted.len();
        let mut kept: Vec<_> = counted.into_iter().filter(|(_, count)| count.rows >= self.min_rows).collect();
        kept.sort_unstable_by(|a, b| b.1.times.cmp(&a.1.times).then_with(|| a.0.cmp(&b.0)));
        kept.truncate(self.max);
        kept.sort_unstable_by(|a, b| a.0.cmp(&b.0));
        if kept.is_empty() {
            notes.push(format!("column `{name}` has no term in {} training rows: no columns made", self.min_rows));
        } else if kept.len() < found {
            let left = units::plural((found - kept.len()) as u64, "rarer term");
            notes.push(format!("column `{name}`: {left} left out, {} kept", units::count(kept.len() as u64)));
        }
        let weight = |rows: u64| ((1 + texts) as f64 / (1 + rows) as f64).ln() + 1.0;
        let fitted = FittedTfidf {
            column: Arc::clone(name),
            analysis: self.analysis,
            sublinear: self.sublinear,
            weights: kept.iter().map(|(_, count)| weight(count.rows)).collect(),
            columns: kept.iter().map(|(term, _)| format!("{name}={term}").into()).collect(),
            terms: kept.into_iter().map(|(term, _)| term.into()).collect(),
        };
        Ok((FittedColumn::Tfidf(fitted), notes))
    }
}

/// How often a term occurs.
#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Rows with it.
    rows: u64,
    /// Times, repeats within a row included.
    times: u64,
    /// The text that counted it last, so that repeats within a text count one row.
    last: u32,
}

impl TfidfOptions {
    /// Counts the terms of all rows; gives the number of rows with a text too.
    fn count(&self, name: &str, text: &TextValues, notes: &mut Vec<String>) -> (Vec<(String, Count)>, u64) {
        let mut rows = vec![0_u64; text.levels.len()];
        for &code in &text.codes {
            if let Some(count) = rows.get_mut(code as usize) {
                *count += 1;
            }
        }
        let mut counted: HashMap<String, Count> = HashMap::new();
        let (mut forgotten, mut room) = (0, limits::TERMS_COUNTED_MAX);
        for (position, (level, &weight)) in text.levels.iter().zip(&rows).enumerate() {
            if weight == 0 {
                continue;
            }
            let mark = position as u32 + 1;
            self.analysis.terms(level, |term| {
                if !counted.contains_key(term) {
                    counted.insert(term.to_owned(), Count::default());
                }
                if let Some(count) = counted.get_mut(term) {
                    count.times += weight;
                    count.rows += if count.last == mark { 0 } else { weight };
                    count.last = mark;
                }
            });
            if counted.len() > room {
                let before = counted.len();
                counted.retain(|_, count| count.rows > 1);
                forgotten += before - counted.len();
                // So that terms which stay are not looked at again and again.
                room = room.max(counted.len() * 2);
            }
        }
        if forgotten > 0 {
            let terms = units::plural(forgotten as u64, "term");
            notes.push(format!(
                "column `{name}`: {terms} seen once were forgotten while counting, so counts may be low"
            ));
        }
        (counted.into_iter().collect(), rows.iter().sum())
    }
}

impl FittedTfidf {
    fn values(&self, text: &str) -> Sparse {
        let mut found: Vec<u32> = Vec::new();
        self.analysis.terms(text, |term| {
            if let Ok(position) = self.terms.binary_search_by(|known| (**known).cmp(term)) {
                found.push(position as u32);
            }
        });
        found.sort_unstable();
        let weighted = found.chunk_by(|a, b| a == b).map(|run| {
            let count = run.len() as f64;
            let count = if self.sublinear { 1.0 + count.ln() } else { count };
            (run[0], count * self.weights[run[0] as usize])
        });
        let mut sparse: Sparse = weighted.collect();
        let length = sparse.iter().map(|(_, value)| value * value).sum::<f64>().sqrt();
        if length > 0.0 {
            sparse.iter_mut().for_each(|(_, value)| *value /= length);
        }
        sparse
    }
}

impl ColumnStep for FittedTfidf {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("tfidf", &[Kind::Text])?;
        let count = self.terms.len();
        let lengths = self.weights.len() == count && self.columns.len() == count && count <= limits::TERMS_MAX;
        let ascending = self.terms.windows(2).all(|pair| pair[0] < pair[1]);
        // Weights are at least 1 and grow with the logarithm of the rows.
        let in_range = self.weights.iter().all(|weight| (0.0..=1e3).contains(weight));
        if !lengths || !ascending || !in_range || self.analysis.check("tfidf").is_err() {
            return Err(fail::world(format!("damaged recipe: terms of `{}` do not fit together", self.column)).into());
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        tokens::spread(&column, &self.columns, |text| self.values(text)).unwrap_or_else(|| vec![column])
    }
}
