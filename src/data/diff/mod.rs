//! Two tables row by row: what was removed, added, changed.
//!
//! Values are compared by what they are worth: 1 and 1.0 are equal, so are 0.0 and -0.0 and any two not-a-numbers, a
//! day and its midnight; a missing value equals a missing value and nothing else, not even empty text.

mod cells;
pub mod changes;
pub mod statistics;

use std::collections::{HashMap, VecDeque};

use anyhow::Result;
use rayon::prelude::*;

use crate::data::diff::cells::{Groups, Side, group};
use crate::data::table::Table;

/// Pairs of rows compared by one thread at a time.
const PIECE_ROWS: usize = 16_384;

/// Rows of the old table, each with a row of the new one.
type RowPairs = Vec<(u32, u32)>;

/// How the rows of two tables differ. Row numbers count from 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowDiff {
    /// Rows of the old table without a partner, ascending.
    pub removed: Vec<u32>,
    /// Rows of the new table without a partner, ascending.
    pub added: Vec<u32>,
    /// Rows of the old and the new table with equal keys and other values, ascending by the old one.
    pub changed: Vec<(u32, u32)>,
    /// Rows that have an equal partner.
    pub unchanged: u64,
    /// Columns compared: those that both tables have.
    pub columns: Vec<String>,
    /// Changed values in each of them that has some, most first.
    pub changed_cells: Vec<(String, u64)>,
    /// Rows of the old and the new table whose key an earlier row of the same table has.
    pub repeated_keys: (u64, u64),
}

impl RowDiff {
    /// Whether every row has an equal partner.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.added.is_empty() && self.changed.is_empty()
    }
}

/// Columns that both tables have, in the order of the old one.
pub fn common_columns(old: &Table, new: &Table) -> Vec<String> {
    let there: Vec<String> = new.columns().into_iter().map(|column| column.name).collect();
    old.columns().into_iter().map(|column| column.name).filter(|name| there.contains(name)).collect()
}

/// Whether a column is worth the same in a row of one table and a row of another; false when one of them lacks it.
pub fn same_value(old: (&Table, u32), new: (&Table, u32), column: &str) -> bool {
    let column = [column.to_owned()];
    match (Side::of(old.0, &column), Side::of(new.0, &column)) {
        (Ok(a), Ok(b)) => a.value(0, old.1 as usize) == b.value(0, new.1 as usize),
        _ => false,
    }
}

/// Compares whole rows as a multiset, whatever their order: nothing is `changed`. Of rows that one table holds more
/// often, the last ones count as removed or added.
///
/// Cost: one hash a row and one look-up, 12 bytes a row beside the tables; equal hashes are checked value by value.
pub fn by_rows(old: &Table, new: &Table) -> Result<RowDiff> {
    let columns = common_columns(old, new);
    let mut diff = RowDiff { columns: columns.clone(), ..RowDiff::default() };
    if columns.is_empty() {
        // Without a column in common no two rows say the same.
        (diff.removed, diff.added) = ((0..old.rows() as u32).collect(), (0..new.rows() as u32).collect());
        return Ok(diff);
    }
    let groups = group(&Side::of(old, &columns)?, &Side::of(new, &columns)?);
    let (in_old, in_new) = (groups.counts(&groups.old), groups.counts(&groups.new));
    let surplus = |rows: &[u32], partners: &[u32]| {
        let mut seen = vec![0_u32; groups.count];
        let numbered = rows.iter().enumerate().filter(|(_, group)| {
            let seen = &mut seen[**group as usize];
            *seen += 1;
            *seen > partners[**group as usize]
        });
        numbered.map(|(row, _)| row as u32).collect::<Vec<u32>>()
    };
    diff.removed = surplus(&groups.old, &in_new);
    diff.added = surplus(&groups.new, &in_old);
    diff.unchanged = (old.rows() - diff.removed.len()) as u64;
    Ok(diff)
}

/// Compares rows with equal values in the columns `key`, whatever their order.
///
/// Where a key repeats, equal rows are partners first, the others by their order; `repeated_keys` says how many rows
/// that concerns. Errors: a column that one of the tables does not have. Cost: as [`by_rows`], and one pass over the values.
pub fn by_key(old: &Table, new: &Table, key: &[String]) -> Result<RowDiff> {
    let columns = common_columns(old, new);
    let keys = group(&Side::of(old, key)?, &Side::of(new, key)?);
    let repeated = |rows: &[u32]| keys.counts(rows).iter().map(|count| u64::from(count.saturating_sub(1))).sum();
    let mut diff = RowDiff { repeated_keys: (repeated(&keys.old), repeated(&keys.new)), ..RowDiff::default() };
    let (old_side, new_side) = (Side::of(old, &columns)?, Side::of(new, &columns)?);
    // Which rows are equal as a whole is only asked where keys repeat.
    let whole = (diff.repeated_keys != (0, 0)).then(|| group(&old_side, &new_side));
    let pairs = pair(&keys, whole.as_ref(), &mut diff);
    let pieces: Vec<(RowPairs, Vec<u64>)> =
        pairs.par_chunks(PIECE_ROWS).map(|pairs| differing(pairs, &old_side, &new_side)).collect();
    let mut counts = vec![0_u64; columns.len()];
    for (changed, cells) in pieces {
        diff.changed.extend(changed);
        counts.iter_mut().zip(cells).for_each(|(total, cells)| *total += cells);
    }
    diff.unchanged += (pairs.len() - diff.changed.len()) as u64;
    let named = columns.iter().cloned().zip(counts);
    diff.changed_cells = named.filter(|(_, count)| *count > 0).collect();
    diff.changed_cells.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    diff.columns = columns;
    diff.removed.sort_unstable();
    diff.added.sort_unstable();
    diff.changed.sort_unstable();
    Ok(diff)
}

/// Rows with the same key, to be compared. Rows without a partner, and equal rows of a repeated key, go to `diff` at
/// once.
fn pair(keys: &Groups, whole: Option<&Groups>, diff: &mut RowDiff) -> RowPairs {
    let (old, new) = (keys.members(&keys.old), keys.members(&keys.new));
    let mut pairs = Vec::new();
    for key in 0..keys.count {
        match (old.of(key), new.of(key), whole) {
            ([old], [new], _) => pairs.push((*old, *new)),
            (old, new, Some(whole)) if !old.is_empty() && !new.is_empty() => {
                let (old, new) = without_equal(old, new, whole, &mut diff.unchanged);
                pairs.extend(old.iter().copied().zip(new.iter().copied()));
                diff.removed.extend(old.iter().skip(new.len()));
                diff.added.extend(new.iter().skip(old.len()));
            }
            (old, new, _) => {
                diff.removed.extend(old);
                diff.added.extend(new);
            }
        }
    }
    pairs
}

/// The rows of one key that have no equal partner in the other table; the others are counted.
fn without_equal(old: &[u32], new: &[u32], whole: &Groups, equal: &mut u64) -> (Vec<u32>, Vec<u32>) {
    let mut waiting: HashMap<u32, VecDeque<u32>> = HashMap::new();
    for row in new {
        waiting.entry(whole.new[*row as usize]).or_default().push_back(*row);
    }
    let mut left = Vec::new();
    for row in old {
        match waiting.get_mut(&whole.old[*row as usize]).and_then(VecDeque::pop_front) {
            Some(_) => *equal += 1,
            None => left.push(*row),
        }
    }
    let mut rest: Vec<u32> = waiting.into_values().flatten().collect();
    rest.sort_unstable();
    (left, rest)
}

/// The pairs that differ in some column, and the number of differences in each column.
fn differing(pairs: &[(u32, u32)], old: &Side<'_>, new: &Side<'_>) -> (RowPairs, Vec<u64>) {
    let mut is_changed = vec![false; pairs.len()];
    let mut counts = Vec::with_capacity(old.columns());
    for column in 0..old.columns() {
        let mut count = 0;
        for ((a, b), changed) in pairs.iter().zip(is_changed.iter_mut()) {
            if old.value(column, *a as usize) != new.value(column, *b as usize) {
                count += 1;
                *changed = true;
            }
        }
        counts.push(count);
    }
    let changed = pairs.iter().zip(is_changed).filter(|(_, changed)| *changed).map(|(pair, _)| *pair).collect();
    (changed, counts)
}
