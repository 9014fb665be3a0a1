//! Folds of a cross-validation: the rows outside the test part, divided once more.

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::units;
use crate::data::split::times::Order;
use crate::data::split::{NONE, Split, TRAIN, VALIDATION, groups, hashed, times};
use crate::data::table::Table;
use crate::data::target::Target;
use crate::spec::split::{SplitMethod, SplitSpec};

/// Number of rows that are held out in no fold.
pub const NO_FOLD: u8 = u8::MAX;

/// Folds, each a division of its own into rows to fit on and rows held out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folds {
    numbers: Vec<u8>,
    splits: Vec<Split>,
}

impl Folds {
    /// The fold that each row of the table is held out in, from 0 on; [`NO_FOLD`] for rows of none.
    pub fn numbers(&self) -> &[u8] {
        &self.numbers
    }

    /// One division a fold: training rows to fit on, validation rows held out, the others of no part.
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }
}

/// Divides the training and validation rows of `split` into `spec.folds` folds, by the method of the split.
///
/// *Random*: shuffled and dealt out. *Stratified*: each class dealt out, so that shares are kept within a row. *Group*: a
/// group is whole in one fold. *Time*: `folds` + 1 blocks of time; each but the first is held out once, and fitted are the
/// blocks before it, less the gap (scikit-learn's `TimeSeriesSplit`). *Hash*: by a hash that is independent of the parts.
/// *Column* says nothing of folds: as *auto*. Deterministic in `seed`.
///
/// Errors: fewer rows, groups or times than folds ask for.
pub fn folds(
    table: &Table,
    (target, target_rows): (&Target, &[u32]),
    split: &Split,
    spec: &SplitSpec,
    keys: &[String],
    seed: Seed,
) -> Result<Folds> {
    let seed = seed.derive("folds");
    let known = |row: u32| matches!(split.parts()[row as usize], TRAIN | VALIDATION);
    let places: Vec<usize> = (0..target_rows.len()).filter(|place| known(target_rows[*place])).collect();
    let rows: Vec<u32> = places.iter().map(|place| target_rows[*place]).collect();
    if rows.len() < spec.folds.max(2) {
        let found = units::plural(rows.len() as u64, "row");
        return Err(fail::usage(format!("{found} outside the test part are too few for {} folds", spec.folds))
            .hint("bring more rows, or ask for fewer folds")
            .into());
    }
    let column = spec.column.as_deref().unwrap_or_default();
    let dealt = match (spec.method, target) {
        (SplitMethod::Time, _) => return by_time(table, &rows, split, spec),
        (SplitMethod::Group, _) => groups::deal(&groups::codes(table, column, &rows)?, spec.folds, column, seed)?,
        (SplitMethod::Hash, _) => hashed::deal(table, &hashed::columns(spec, keys)?, &rows, spec.folds)?,
        (SplitMethod::Random, _) | (_, Target::Numbers(_) | Target::Labels { .. }) => {
            deal(&vec![0; rows.len()], spec.folds, seed)
        }
        (_, Target::Classes { codes, .. }) => {
            let codes: Vec<u32> = places.iter().map(|place| codes[*place]).collect();
            deal(&codes, spec.folds, seed)
        }
    };
    let mut numbers = vec![NO_FOLD; split.parts().len()];
    for (row, fold) in rows.iter().zip(dealt) {
        numbers[*row as usize] = fold;
    }
    let of_fold = |fold: usize| {
        let part = |number: &u8| match usize::from(*number) {
            number if number == fold => VALIDATION,
            _ if *number == NO_FOLD => NONE,
            _ => TRAIN,
        };
        filled(Split { parts: numbers.iter().map(part).collect() }, fold, spec.folds)
    };
    let splits = (0..spec.folds).map(of_fold).collect::<Result<_>>()?;
    Ok(Folds { numbers, splits })
}

/// Rows of each class shuffled, then dealt out to the folds in turn, one class going on where the last one stopped.
fn deal(codes: &[u32], folds: usize, seed: Seed) -> Vec<u8> {
    let classes = codes.iter().max().map_or(0, |last| *last as usize + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (row, code) in codes.iter().enumerate() {
        members[*code as usize].push(row);
    }
    let mut dealt = vec![0; codes.len()];
    let mut next = 0;
    for (class, rows) in members.iter_mut().enumerate() {
        seed.nth(class as u64).rng().shuffle(rows);
        for row in rows.iter() {
            dealt[*row] = (next % folds) as u8;
            next += 1;
        }
    }
    dealt
}

fn by_time(table: &Table, rows: &[u32], split: &Split, spec: &SplitSpec) -> Result<Folds> {
    let column = spec.column.as_deref().unwrap_or_default();
    let found = times::read(table, column, rows)?;
    let gap = times::gap(table, column, spec.gap)?;
    let order = Order::new(&found);
    let starts = times::blocks(&order, spec.folds, column)?;
    let ends = starts.iter().skip(1).copied().chain([rows.len()]);
    let mut numbers = vec![NO_FOLD; split.parts().len()];
    let mut splits = Vec::with_capacity(spec.folds);
    for (fold, (start, end)) in starts.iter().copied().zip(ends).skip(1).enumerate() {
        let mut parts = vec![NONE; numbers.len()];
        for place in 0..order.clear(start, gap) {
            parts[rows[order.rows()[place]] as usize] = TRAIN;
        }
        for place in start..end {
            let row = rows[order.rows()[place]] as usize;
            parts[row] = VALIDATION;
            numbers[row] = fold as u8;
        }
        splits.push(filled(Split { parts }, fold, spec.folds)?);
    }
    Ok(Folds { numbers, splits })
}

/// Checks that a fold has rows to fit on and rows held out.
fn filled(split: Split, fold: usize, folds: usize) -> Result<Split> {
    let [train, held, _] = split.counts();
    if train > 0 && held > 0 {
        return Ok(split);
    }
    let what = if train == 0 { "no rows to fit on" } else { "no rows held out" };
    Err(fail::usage(format!("fold {} of {folds} has {what}", fold + 1))
        .hint("ask for fewer folds, make the gap shorter, or bring more rows")
        .into())
}
