//! Parts of the rows to be looked at apart: by the values of a column, by bins, by a condition, or by several of them crossed.

mod bins;
mod periods;
#[cfg(test)]
mod tests;
mod values;

use std::cmp::Reverse;
use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::JUDGED_SLICES_MAX;
use crate::base::units;
use crate::data::divide::values::Cut;
use crate::data::expression::Expression;
use crate::data::table::Table;
use crate::spec::slice::{SlicePart, SliceSpec};

/// What the slice of rows without a value is called.
pub const MISSING: &str = "(missing)";
/// Code of a row that is in none of the slices.
pub const NO_SLICE: u32 = u32::MAX;

/// Rows divided into slices. Every slice has at least one row.
#[derive(Clone, Debug, PartialEq)]
pub struct Division {
    /// As a person wrote it: `sex`, `bins(age, 5)`.
    pub text: String,
    /// Slice of each row, an index into `names`; [`NO_SLICE`] for a row in none of them.
    pub codes: Vec<u32>,
    /// What each slice is called, in the order that people expect: numbers, bins and periods ascending, text by its bytes,
    /// missing last. No name twice.
    pub names: Vec<String>,
    /// Values that are no slices because others have more rows.
    pub values_left_out: u64,
    /// What was decided on the way, in sentences.
    pub notes: Vec<String>,
}

impl Division {
    /// Rows of each slice, ascending. One pass.
    pub fn members(&self) -> Vec<Vec<u32>> {
        let mut members: Vec<Vec<u32>> =
            self.sizes().into_iter().map(|size| Vec::with_capacity(size as usize)).collect();
        for (row, &code) in (0..).zip(&self.codes) {
            if let Some(rows) = members.get_mut(code as usize) {
                rows.push(row);
            }
        }
        members
    }

    /// Number of rows of each slice.
    pub fn sizes(&self) -> Vec<u64> {
        let mut sizes = vec![0; self.names.len()];
        for &code in &self.codes {
            if let Some(size) = sizes.get_mut(code as usize) {
                *size += 1;
            }
        }
        sizes
    }
}

/// Reads divisions and makes sure, before any row is looked at, that every column they name is one of the table.
///
/// Errors (usage): see [`SliceSpec::parse`]; a condition that is no SQL over the columns of one row.
pub fn check(texts: &[String], columns: &[&str]) -> Result<Vec<SliceSpec>> {
    let read = |text: &String| -> Result<SliceSpec> {
        let spec = SliceSpec::parse(text, columns)?;
        for part in &spec.parts {
            if let SlicePart::Condition(sql) = part {
                Expression::parse(sql)?.check_inputs(columns)?;
            }
        }
        Ok(spec)
    };
    texts.iter().map(read).collect()
}

/// Divides the rows of `table` as each of `texts` says, in their order.
///
/// Text, booleans and numbers of at most [`crate::base::limits::SLICE_NUMBERS_MAX`] distinct values: a slice for each value.
/// Other numbers: [`crate::base::limits::SLICE_BINS`] bins of equally many rows. Dates and times: hours, days, months, quarters
/// or years, the shortest of them with at most [`crate::base::limits::SLICE_PERIODS_MAX`] periods; times of day: hours.
/// Conditions: `yes`, `no`. Rows without a value are the slice [`MISSING`]. Crosses: the combinations that have rows, their
/// names joined by ` * `. Of more than [`JUDGED_SLICES_MAX`] slices the largest are kept.
///
/// Errors: as [`check`]; bins of text; a formula that is no condition. Cost: a sort of each column of many numbers, one pass
/// over others, in parallel.
pub fn divide(table: &Table, texts: &[String]) -> Result<Vec<Division>> {
    let columns = table.columns();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    check(texts, &names)?.par_iter().map(|spec| division(table, spec)).collect()
}

/// Divides the rows by one column into few slices: its values, periods of times, and of numbers with more than `values_max`
/// distinct values `bins` bins of about equally many rows. Its text is what [`divide`] reads as the same division.
///
/// Errors: an unknown column.
pub fn coarse(table: &Table, column: &str, values_max: usize, bins: usize) -> Result<Division> {
    let (part, cut) = values::coarse(table, column, values_max, bins)?;
    let (codes, names) = cut.with_missing();
    Ok(largest(&part.to_string(), &codes, &names, Vec::new()))
}

fn division(table: &Table, spec: &SliceSpec) -> Result<Division> {
    let parts = spec.parts.iter().map(|part| values::cut(table, part)).collect::<Result<Vec<Cut>>>()?;
    let notes = parts.iter().filter_map(|cut| cut.note.clone()).collect();
    let mut parts = parts.into_iter().map(Cut::with_missing);
    let first = parts.next().unwrap_or_default();
    let (codes, names) = parts.fold(first, |(codes, names), (more, further)| cross(&codes, &names, &more, &further));
    Ok(largest(&spec.text, &codes, &names, notes))
}

/// Each pair of slices that some row is in, in the order of the first, then the second.
fn cross(a: &[u32], a_names: &[String], b: &[u32], b_names: &[String]) -> (Vec<u32>, Vec<String>) {
    let width = b_names.len() as u64;
    let both: Vec<u64> = a.iter().zip(b).map(|(a, b)| u64::from(*a) * width + u64::from(*b)).collect();
    let mut pairs = both.clone();
    pairs.sort_unstable();
    pairs.dedup();
    let places: HashMap<u64, u32> = pairs.iter().copied().zip(0..).collect();
    let name = |pair: &u64| format!("{} * {}", a_names[(pair / width) as usize], b_names[(pair % width) as usize]);
    (both.iter().map(|pair| places[pair]).collect(), pairs.iter().map(name).collect())
}

/// The slices that have rows, the [`JUDGED_SLICES_MAX`] largest of them, the first on a tie.
fn largest(text: &str, codes: &[u32], names: &[String], mut notes: Vec<String>) -> Division {
    let mut sizes = vec![0_u64; names.len()];
    codes.iter().for_each(|code| sizes[*code as usize] += 1);
    let mut kept: Vec<usize> = (0..names.len()).filter(|place| sizes[*place] > 0).collect();
    let all = kept.len();
    if all > JUDGED_SLICES_MAX {
        kept.sort_by_key(|place| Reverse(sizes[*place]));
        let rows: u64 = kept[JUDGED_SLICES_MAX..].iter().map(|place| sizes[*place]).sum();
        kept.truncate(JUDGED_SLICES_MAX);
        kept.sort_unstable();
        notes.push(format!(
            "`{text}` has {} slices: the {JUDGED_SLICES_MAX} largest are kept, {} are in none of them",
            units::count(all as u64),
            units::plural(rows, "row")
        ));
    }
    let mut places = vec![NO_SLICE; names.len()];
    (0..).zip(&kept).for_each(|(code, place)| places[*place] = code);
    Division {
        text: text.to_owned(),
        codes: codes.iter().map(|code| places[*code as usize]).collect(),
        values_left_out: (all - kept.len()) as u64,
        names: apart(kept.into_iter().map(|place| names[place].clone()).collect()),
        notes,
    }
}

/// Names of which none comes twice: `x * y` may be a value, or two crossed.
fn apart(mut names: Vec<String>) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    for name in &mut names {
        let count = seen.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 {
            *name = format!("{name} ({count})");
        }
    }
    names
}
