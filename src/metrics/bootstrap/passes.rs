//! Which passes over the rows a resample takes: each draws on the same weights, and shares what quantities have in common.

use std::collections::BTreeMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::metrics::bootstrap::Quantity;
use crate::metrics::bootstrap::general::General;
use crate::metrics::bootstrap::order::{self, Orders};
use crate::metrics::bootstrap::sums::{self, Sums};
use crate::metrics::bootstrap::table::{self, Table};
use crate::metrics::{Sample, Scores, zoo};
use crate::spec::model::Task;

/// What following an order costs: two sums that wait for each other, up to three passes.
const ORDER_LOOKS: u64 = 5;
/// What a metric that is measured anew costs: copies, checks and a sort.
const GENERAL_LOOKS: u64 = 50;

/// One pass over some rows of one sample.
enum Pass<'a> {
    Sums(Sums),
    Table(Table<'a>),
    Orders(Orders),
    General(General<'a>),
}

/// All passes over the same rows.
pub struct Part<'a> {
    /// The rows; all when `None`.
    rows: Option<&'a [u32]>,
    passes: Vec<Pass<'a>>,
}

/// How a metric is replicated.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Sums,
    Table,
    Orders,
    General,
}

impl Way {
    fn of(metric: &str, sample: &Sample) -> Way {
        let task = sample.task;
        match () {
            () if sums::has(metric, task) => Way::Sums,
            () if table::has(metric, task) => Way::Table,
            () if order::has(metric, task) && sample.scores.rows() <= order::ROWS_MAX => Way::Orders,
            () => Way::General,
        }
    }
}

/// Whether `metric` takes one pass over the rows a resample.
pub fn is_fast(metric: &str, task: Task) -> bool {
    sums::has(metric, task) || table::has(metric, task) || order::has(metric, task)
}

/// Rows told apart by where they lie, which is what callers share; the sample; the way.
type Key = (Option<(usize, usize)>, usize, Way);

/// Quantities that one pass gives.
fn groups(samples: &[Sample], wanted: &[Quantity]) -> Result<Vec<(Key, Vec<usize>)>> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (place, quantity) in wanted.iter().enumerate() {
        let sample = &samples[quantity.sample];
        zoo::find(quantity.metric, sample.task)?;
        let lie = quantity.rows.map(|rows| (rows.as_ptr() as usize, rows.len()));
        groups.entry((lie, quantity.sample, Way::of(quantity.metric, sample))).or_default().push(place);
    }
    Ok(groups.into_iter().collect())
}

/// About how many times a resample of `wanted` looks at a row of `rows`.
///
/// Errors: an unknown metric or one of another task.
pub fn cost(samples: &[Sample], wanted: &[Quantity], rows: usize) -> Result<u64> {
    let of_group = |((lie, sample, way), _): &(Key, Vec<usize>)| {
        let orders = match samples[*sample].scores {
            Scores::Classes { names, .. } if names.len() > 2 => names.len() as u64,
            _ => 1,
        };
        let looks = match way {
            Way::Sums | Way::Table => 1,
            Way::Orders => ORDER_LOOKS * orders,
            Way::General => GENERAL_LOOKS * orders,
        };
        looks * lie.map_or(rows, |(_, count)| count) as u64
    };
    Ok(rows as u64 + groups(samples, wanted)?.iter().map(of_group).sum::<u64>())
}

/// Groups `wanted` by rows, sample and way, and prepares each group.
///
/// Errors: an unknown metric or one of another task.
pub fn parts<'a>(samples: &[Sample<'a>], wanted: &[Quantity<'a>], rows: usize) -> Result<Vec<Part<'a>>> {
    let all: Vec<u32> = (0..rows as u32).collect();
    let groups = groups(samples, wanted)?;
    let pass = |(key, places): &(Key, Vec<usize>)| {
        let of: Vec<(usize, &'a str)> = places.iter().map(|place| (*place, wanted[*place].metric)).collect();
        let rows = wanted[places[0]].rows.unwrap_or(&all);
        Pass::new(&samples[key.1], rows, key.2, &of)
    };
    let passes: Vec<Pass> = groups.par_iter().map(pass).collect();
    let mut parts: Vec<(Option<(usize, usize)>, Part)> = Vec::new();
    for ((key, places), pass) in groups.iter().zip(passes) {
        if parts.last().is_none_or(|(lie, _)| *lie != key.0) {
            parts.push((key.0, Part { rows: wanted[places[0]].rows, passes: Vec::new() }));
        }
        if let Some((_, part)) = parts.last_mut() {
            part.passes.push(pass);
        }
    }
    Ok(parts.into_iter().map(|(_, part)| part).collect())
}

impl<'a> Pass<'a> {
    fn new(sample: &Sample<'a>, rows: &[u32], way: Way, wanted: &[(usize, &'a str)]) -> Pass<'a> {
        match way {
            Way::Sums => Pass::Sums(Sums::new(sample, rows, wanted)),
            Way::Orders => Pass::Orders(Orders::new(sample, rows, wanted)),
            Way::Table => match Table::new(sample, rows, wanted) {
                Some(table) => Pass::Table(table),
                None => Pass::General(General::new(sample, rows, wanted)),
            },
            Way::General => Pass::General(General::new(sample, rows, wanted)),
        }
    }
}

impl Part<'_> {
    /// Writes the values of its quantities; `draws` are the weights of all rows, `own` is room for those of its own.
    pub fn values(&self, draws: &[u8], own: &mut Vec<u8>, values: &mut [f64]) -> Result<()> {
        let draws = match self.rows {
            None => draws,
            Some(rows) => {
                own.clear();
                own.extend(rows.iter().map(|row| draws[*row as usize]));
                own
            }
        };
        for pass in &self.passes {
            match pass {
                Pass::Sums(sums) => sums.values(draws, values),
                Pass::Orders(orders) => orders.values(draws, values),
                Pass::Table(table) => table.values(draws, values)?,
                Pass::General(general) => general.values(draws, values)?,
            }
        }
        Ok(())
    }
}
