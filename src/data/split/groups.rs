//! Rows that belong together stay together.

use std::cmp::Reverse;
use std::collections::HashMap;

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::data::plain;
use crate::data::split::{NONE, TEST, TRAIN, VALIDATION, Wanted};
use crate::data::table::Table;

/// Groups, larger ones first and ties by chance, go where the most rows are wanting.
pub fn divide(codes: &[u32], wanted: &Wanted, seed: Seed) -> Vec<u8> {
    let groups = codes.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![0_usize; groups];
    for code in codes {
        sizes[*code as usize] += 1;
    }
    let mut order: Vec<usize> = (0..groups).collect();
    seed.rng().shuffle(&mut order);
    order.sort_by_key(|group| Reverse(sizes[*group]));
    // What is still wanting in training, test, validation: the order in which ties are settled.
    let mut wanting =
        [(wanted.train(), TRAIN), (wanted.test, TEST), (wanted.validation, VALIDATION)].map(|(n, p)| (n as i64, p));
    let mut part_of = vec![NONE; groups];
    for group in order {
        let mut most = 0;
        for place in 1..wanting.len() {
            if wanting[place].0 > wanting[most].0 {
                most = place;
            }
        }
        part_of[group] = wanting[most].1;
        wanting[most].0 -= sizes[group] as i64;
    }
    codes.iter().map(|code| part_of[*code as usize]).collect()
}

/// Codes of the group of each of `rows`, dense, in the order of first appearance; missing is a group.
pub fn codes(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<u32>> {
    let picked = table.select(&[column])?.take(rows)?;
    let text = match plain::values(picked.column(column)?)? {
        Values::Text(text) => text,
        Values::Number(numbers) => coded(numbers.into_iter().map(f64::to_bits)),
        Values::Time(times) => coded(times.into_iter().map(|time| time as u64)),
        Values::Indicator { .. } | Values::Category { .. } => TextValues::default(),
    };
    let missing = text.levels.len() as u32;
    Ok(text.codes.iter().map(|code| if *code == MISSING_CODE { missing } else { *code }).collect())
}

fn coded(values: impl Iterator<Item = u64>) -> TextValues {
    let mut seen = HashMap::new();
    let codes = values.map(|value| {
        let next = seen.len() as u32;
        *seen.entry(value).or_insert(next)
    });
    let codes: Vec<u32> = codes.collect();
    TextValues { levels: vec!["".into(); seen.len()], codes }
}

/// Fold of each row: groups, larger ones first and ties by chance, go to the fold with the fewest rows so far, the first
/// on a tie, as scikit-learn's `GroupKFold` has it.
///
/// Errors: fewer groups than folds.
pub fn deal(codes: &[u32], folds: usize, column: &str, seed: Seed) -> Result<Vec<u8>> {
    let groups = codes.iter().max().map_or(0, |last| *last as usize + 1);
    let mut sizes = vec![0_usize; groups];
    for code in codes {
        sizes[*code as usize] += 1;
    }
    let present = sizes.iter().filter(|size| **size > 0).count();
    if present < folds {
        return Err(fail::usage(format!("[split] column `{column}` has {present} groups for {folds} folds"))
            .hint("ask for fewer folds")
            .into());
    }
    let mut order: Vec<usize> = (0..groups).collect();
    seed.rng().shuffle(&mut order);
    order.sort_by_key(|group| Reverse(sizes[*group]));
    let mut filled = vec![0_usize; folds];
    let mut fold_of = vec![0_u8; groups];
    for group in order {
        let fold = (0..folds).min_by_key(|fold| filled[*fold]).unwrap_or(0);
        fold_of[group] = fold as u8;
        filled[fold] += sizes[group];
    }
    Ok(codes.iter().map(|code| fold_of[*code as usize]).collect())
}
