//! Distinct values of a column and the codes that stand for them: shared by one-hot, ordinal and native categories.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::features::stats;

/// Distinct values of training rows with their counts: text in the order of its bytes, numbers ascending.
#[derive(Clone, Debug, PartialEq)]
pub enum Counted {
    /// Text.
    Text(Vec<(Arc<str>, u64)>),
    /// Numbers.
    Number(Vec<(f64, u64)>),
}

/// Code of each known value. Values ascend, so that a look-up is a binary search and needs no index.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum LevelMap {
    /// Text in the order of its bytes.
    Text {
        /// Known values.
        levels: Vec<Arc<str>>,
        /// Code of each.
        codes: Vec<u32>,
    },
    /// Finite numbers.
    Number {
        /// Known values.
        levels: Vec<f64>,
        /// Code of each.
        codes: Vec<u32>,
    },
}

impl Counted {
    /// Counts the values that rows really have; a dictionary may hold more. `None` for kinds without levels.
    pub fn of(values: &Values) -> Option<Counted> {
        match values {
            Values::Text(text) => Some(Counted::Text(count_text(text))),
            Values::Number(values) => Some(Counted::Number(stats::counts(&mut stats::finite(values)))),
            _ => None,
        }
    }

    /// Number of distinct values.
    pub fn len(&self) -> usize {
        match self {
            Counted::Text(levels) => levels.len(),
            Counted::Number(levels) => levels.len(),
        }
    }

    /// How often each occurs.
    pub fn counts(&self) -> Vec<u64> {
        match self {
            Counted::Text(levels) => levels.iter().map(|(_, count)| *count).collect(),
            Counted::Number(levels) => levels.iter().map(|(_, count)| *count).collect(),
        }
    }

    /// The value at `position`, as text.
    pub fn name(&self, position: usize) -> String {
        match self {
            Counted::Text(levels) => levels[position].0.to_string(),
            Counted::Number(levels) => levels[position].0.to_string(),
        }
    }

    /// A map that gives the value at each position the code there.
    pub fn with_codes(self, codes: Vec<u32>) -> LevelMap {
        match self {
            Counted::Text(levels) => LevelMap::Text { levels: levels.into_iter().map(|(l, _)| l).collect(), codes },
            Counted::Number(levels) => LevelMap::Number { levels: levels.into_iter().map(|(l, _)| l).collect(), codes },
        }
    }

    /// Codes in which the `kept` most frequent values (ties: the earlier) have 0, 1, 2… in ascending order of the values,
    /// and all others share the code `kept`.
    pub fn frequent(&self, kept: usize) -> Vec<u32> {
        let counts = self.counts();
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by_key(|&position| std::cmp::Reverse(counts[position]));
        let mut codes = vec![kept as u32; counts.len()];
        let mut first = order[..kept.min(order.len())].to_vec();
        first.sort_unstable();
        for (code, position) in first.into_iter().enumerate() {
            codes[position] = code as u32;
        }
        codes
    }
}

fn count_text(text: &TextValues) -> Vec<(Arc<str>, u64)> {
    let mut counts = vec![0_u64; text.levels.len()];
    for &code in &text.codes {
        if let Some(count) = counts.get_mut(code as usize) {
            *count += 1;
        }
    }
    let seen = text.levels.iter().zip(counts).filter(|(_, count)| *count > 0);
    let mut levels: Vec<(Arc<str>, u64)> = seen.map(|(level, count)| (Arc::clone(level), count)).collect();
    levels.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    levels.dedup_by(|later, first| {
        let same = later.0 == first.0;
        first.1 += if same { later.1 } else { 0 };
        same
    });
    levels
}

impl LevelMap {
    /// Codes of a column's rows; [`MISSING_CODE`] where the value is missing or unknown.
    ///
    /// Text is looked up once for each distinct value, not for each row. `None` when the column is of another kind.
    pub fn encode<C: FromIterator<u32>>(&self, values: &Values) -> Option<C> {
        match (self, values) {
            (LevelMap::Text { levels, codes }, Values::Text(text)) => {
                let find = |level: &Arc<str>| levels.binary_search(level).map_or(MISSING_CODE, |found| codes[found]);
                if text.levels.len() > text.codes.len() {
                    let rows = text.codes.iter().map(|&code| text.levels.get(code as usize).map_or(MISSING_CODE, find));
                    return Some(rows.collect());
                }
                let table: Vec<u32> = text.levels.iter().map(find).collect();
                Some(text.codes.iter().map(|&code| *table.get(code as usize).unwrap_or(&MISSING_CODE)).collect())
            }
            (LevelMap::Number { levels, codes }, Values::Number(values)) => {
                let find = |value: &f64| {
                    let found = levels.partition_point(|level| level < value);
                    if levels.get(found) == Some(value) { codes[found] } else { MISSING_CODE }
                };
                Some(values.iter().map(find).collect())
            }
            _ => None,
        }
    }

    /// Checks that values ascend and that every code is below `codes_max`.
    pub fn check(&self, codes_max: usize) -> Result<()> {
        let (ascending, length, codes) = match self {
            LevelMap::Text { levels, codes } => (levels.windows(2).all(|pair| pair[0] < pair[1]), levels.len(), codes),
            LevelMap::Number { levels, codes } => {
                let finite = levels.iter().all(|level| level.is_finite());
                (finite && levels.windows(2).all(|pair| pair[0] < pair[1]), levels.len(), codes)
            }
        };
        if !ascending || length != codes.len() || codes.iter().any(|&code| code as usize >= codes_max) {
            return Err(fail::world("damaged recipe: levels are out of order or have codes out of range").into());
        }
        Ok(())
    }

    /// Number of known values.
    pub fn len(&self) -> usize {
        match self {
            LevelMap::Text { levels, .. } => levels.len(),
            LevelMap::Number { levels, .. } => levels.len(),
        }
    }

    /// Whether it maps text.
    pub fn is_text(&self) -> bool {
        matches!(self, LevelMap::Text { .. })
    }
}
