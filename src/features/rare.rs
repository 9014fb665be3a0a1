//! Rare texts as one.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};
use crate::base::units;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::levels::Counted;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::steps::RareSpec;

/// Share below which a text is rare when nothing else is said.
const SHARE_DEFAULT: f64 = 0.01;

/// What is rare.
#[derive(Clone, Debug, PartialEq)]
pub struct RareOptions {
    /// Least share of the rows that have a text.
    pub share: f64,
    /// Least number of rows.
    pub count: u64,
    /// Most texts kept.
    pub max: usize,
    /// What the others become.
    pub other: Arc<str>,
}

/// One column's frequent texts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedRare {
    pub(crate) column: Arc<str>,
    /// Texts that stay, in the order of their bytes.
    pub(crate) kept: Vec<Arc<str>>,
    pub(crate) other: Arc<str>,
}

/// Checks what was written.
pub fn check(spec: &RareSpec) -> Result<Action, Failure> {
    if let Some(share) = spec.share.filter(|share| !(0.0..=1.0).contains(share)) {
        return Err(fail::usage(format!("rare: share = {share} is not between 0 and 1")));
    }
    if spec.max == Some(0) {
        return Err(fail::usage("rare: max = 0 keeps no text").hint("max is at least 1"));
    }
    let limited = spec.share.is_some() || spec.count.is_some() || spec.max.is_some();
    Ok(Action::each(RareOptions {
        share: spec.share.unwrap_or(if limited { 0.0 } else { SHARE_DEFAULT }),
        count: spec.count.unwrap_or(0),
        max: spec.max.unwrap_or(usize::MAX),
        other: spec.other.as_str().into(),
    }))
}

/// Keeps texts with at least `share` of the rows that have one and at least `count` rows, the `max` most frequent of them
/// (ties: the earlier by its bytes); all others, those never seen included, become `other`. The grouping of scikit-learn's
/// `OneHotEncoder(min_frequency=…, max_categories=…)` as a step of its own, to be put before one_hot, ordinal, category or
/// frequency. Missing stays missing. The note says how many were grouped.
impl ColumnAction for RareOptions {
    fn name(&self) -> &'static str {
        "rare"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Text]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let Some(counted @ Counted::Text(_)) = Counted::of(&column.values) else {
            return Err(fail::usage(format!("column `{name}` has no texts to group")).into());
        };
        let counts = counted.counts();
        let rows: u64 = counts.iter().sum();
        let frequent = |count: u64| count >= self.count && count as f64 >= self.share * rows as f64;
        let most = counts.iter().filter(|count| frequent(**count)).count().min(self.max);
        // The most frequent ones are the ones above both limits.
        let codes = counted.frequent(most);
        let kept_code = |code: u32| (code as usize) < most;
        let kept = (0..counted.len()).filter(|&at| kept_code(codes[at])).map(|at| counted.name(at).into()).collect();
        let grouped = codes.iter().zip(&counts).filter(|(code, _)| !kept_code(**code));
        let (texts, grouped_rows) = grouped.fold((0, 0), |(texts, rows), (_, count)| (texts + 1, rows + count));
        let mut notes = Vec::new();
        if texts > 0 {
            let (texts, rows) = (units::plural(texts, "rarer value"), units::plural(grouped_rows, "row"));
            notes.push(format!("column `{name}`: {texts} ({rows}) become `{}`", self.other));
        }
        let fitted = FittedRare { column: Arc::clone(name), kept, other: Arc::clone(&self.other) };
        Ok((FittedColumn::Rare(fitted), notes))
    }
}

impl FittedRare {
    fn keeps(&self, level: &Arc<str>) -> bool {
        self.kept.binary_search(level).is_ok()
    }

    /// The same text with rare ones replaced; the dictionary keeps what nobody uses any more.
    fn grouped(&self, text: &TextValues) -> TextValues {
        let mut levels = text.levels.clone();
        let other = levels.iter().position(|level| *level == self.other).unwrap_or_else(|| {
            levels.push(Arc::clone(&self.other));
            levels.len() - 1
        }) as u32;
        let known = text.levels.len();
        let stays: Vec<bool> = match known > text.codes.len() {
            true => Vec::new(),
            false => text.levels.iter().map(|level| self.keeps(level)).collect(),
        };
        let row = |&code: &u32| match text.levels.get(code as usize) {
            // A code beyond the dictionary is a missing value; it must not come to name the text added above.
            None => MISSING_CODE,
            Some(level) if stays.get(code as usize).copied().unwrap_or_else(|| self.keeps(level)) => code,
            Some(_) => other,
        };
        TextValues { codes: text.codes.iter().map(row).collect(), levels }
    }
}

impl ColumnStep for FittedRare {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut []
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("rare", &[Kind::Text])?;
        if !self.kept.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(fail::world(format!("damaged recipe: texts of `{}` are out of order", self.column)).into());
        }
        Ok(vec![input.clone()])
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Text(text) = &*column.values else {
            return vec![column];
        };
        let grouped = self.grouped(text);
        vec![column.with(Values::Text(grouped))]
    }
}
