//! Mutual information of each column with the target.

use anyhow::Result;
use rayon::prelude::*;
use serde::Serialize;

use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::data::associate::{codes, is_category, numbers};
use crate::data::frame::{Column, Frame, MISSING_CODE};
use crate::data::profile::sums::{quantile, sum};
use crate::record::dataset::ColumnRecord;

/// Groups that numbers of many values are put in: deciles.
const DECILES: usize = 10;

/// What one column tells of the target.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Information {
    /// The column.
    pub column: String,
    /// Mutual information in nats: `sum p(x, y) ln(p(x, y) / (p(x) p(y)))` over the groups of both.
    pub nats: f64,
    /// What is left of it above `noise_nats`, as a share of the target's entropy: 0 tells nothing, 1 gives it away.
    pub share: f64,
    /// What a column without any relation shows on the average with as many rows and groups:
    /// `(groups - 1)(target groups - 1) / 2n` (Miller 1955).
    pub noise_nats: f64,
    /// Groups of the column's values, missing among them.
    pub groups: u64,
}

/// Mutual information of every other column of `frame` with `target`, most telling first.
///
/// Numbers of more than ten values are grouped by their deciles, others by value; text by value, all but the
/// `limits::DOMAIN_VALUES_MAX` most frequent as one group. A missing value of a column is a group of its own, since that it is
/// missing may tell; rows without a target are left out. Estimate of the histogram kind, Cover and Thomas 2006, §2.3; equals
/// `sklearn.metrics.mutual_info_score` of the same groups. Cost: a sort of each numeric column, columns in parallel.
pub fn information(frame: &Frame, types: &[ColumnRecord], target: &str) -> Result<Vec<Information>> {
    let position = frame.columns().iter().position(|column| &*column.name == target);
    let grouped_target = group(frame.column(target)?, position.is_some_and(|at| is_category(types[at].column_type)));
    let others: Vec<(&Column, &ColumnRecord)> =
        frame.columns().iter().zip(types).filter(|(column, _)| &*column.name != target).collect();
    let mut found: Vec<Information> = others
        .into_par_iter()
        .map(|(column, of)| {
            let groups = group(column, is_category(of.column_type));
            measure(&column.name, &groups, &grouped_target)
        })
        .collect();
    found.sort_by(|a, b| b.share.total_cmp(&a.share).then(b.nats.total_cmp(&a.nats)));
    Ok(found)
}

/// One group for each row; the last group is that of missing values.
struct Groups {
    codes: Vec<u32>,
    missing: u32,
}

fn group(column: &Column, category: bool) -> Groups {
    if category { group_texts(column) } else { group_numbers(&numbers(column)) }
}

fn group_texts(column: &Column) -> Groups {
    let text = codes(column);
    let mut counts = vec![0_u64; text.levels.len()];
    text.codes.iter().filter(|code| **code != MISSING_CODE).for_each(|code| counts[*code as usize] += 1);
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_unstable_by(|a, b| counts[*b].cmp(&counts[*a]).then_with(|| text.levels[*a].cmp(&text.levels[*b])));
    let mut places = vec![0_u32; counts.len()];
    order.iter().enumerate().for_each(|(place, level)| places[*level] = place.min(DOMAIN_VALUES_MAX) as u32);
    let missing = counts.len().min(DOMAIN_VALUES_MAX + 1) as u32;
    let place = |code: &u32| places.get(*code as usize).copied().unwrap_or(missing);
    Groups { codes: text.codes.iter().map(place).collect(), missing }
}

/// A number's group is how many of the inner edges are at most it, so that equal numbers are never parted.
fn group_numbers(values: &[f64]) -> Groups {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).map(|v| v + 0.0).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut distinct: Vec<f64> = sorted.chunk_by(|a, b| a == b).take(DECILES + 1).map(|run| run[0]).collect();
    let mut edges = if distinct.len() <= DECILES {
        distinct.split_off(distinct.len().min(1))
    } else {
        (1..DECILES).map(|step| quantile(&sorted, step as f64 / DECILES as f64)).collect()
    };
    edges.dedup();
    let missing = edges.len() as u32 + 1;
    let place = |value: &f64| match value.is_nan() {
        true => missing,
        false => edges.partition_point(|edge| edge <= value) as u32,
    };
    Groups { codes: values.iter().map(place).collect(), missing }
}

fn measure(name: &str, column: &Groups, target: &Groups) -> Information {
    let width = target.missing as usize;
    let mut cells = vec![0_u64; (column.missing as usize + 1) * width];
    for (x, y) in column.codes.iter().zip(&target.codes).filter(|(_, y)| **y != target.missing) {
        cells[*x as usize * width + *y as usize] += 1;
    }
    let rows: Vec<u64> = cells.chunks(width.max(1)).map(|row| row.iter().sum()).collect();
    let columns: Vec<u64> = (0..width).map(|y| cells.iter().skip(y).step_by(width).sum()).collect();
    let total = rows.iter().sum::<u64>() as f64;
    let used = |counts: &[u64]| counts.iter().filter(|count| **count > 0).count();
    let (groups, target_groups) = (used(&rows), used(&columns));
    let mut terms: Vec<f64> = Vec::new();
    for (place, &found) in cells.iter().enumerate().filter(|(_, found)| **found > 0) {
        let (row, column) = (rows[place / width] as f64, columns[place % width] as f64);
        terms.push(found as f64 / total * ((found as f64 / row).ln() - (column / total).ln()));
    }
    let nats = sum(&terms, |term| term).max(0.0);
    let entropy: Vec<f64> = columns.iter().filter(|count| **count > 0).map(|count| *count as f64 / total).collect();
    let entropy = -sum(&entropy, |share| share * share.ln());
    let noise = groups.saturating_sub(1) as f64 * target_groups.saturating_sub(1) as f64 / (2.0 * total.max(1.0));
    let share = if entropy > 0.0 { ((nats - noise) / entropy).clamp(0.0, 1.0) } else { 0.0 };
    Information { column: name.to_owned(), nats, share, noise_nats: noise, groups: groups as u64 }
}
