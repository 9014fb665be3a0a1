//! The columns that are looked at, and what is found of each.

use std::collections::HashSet;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::{EXPLAIN_COLUMNS_MAX, EXPLAIN_SWARM_ROWS};
use crate::base::suggest;
use crate::data::frame::{MISSING_TIME, Values};
use crate::ops::explain::Subject;
use crate::ops::explain::contribution::{Summary, own_importance, spread};
use crate::record::explanation::{ColumnExplanation, SwarmPoint};

/// Outputs whose contributions are kept row by row: more cannot be drawn.
const SWARM_OUTPUTS_MAX: usize = 6;

/// One column that is looked at.
pub struct Entry {
    /// Its position in the frame.
    pub place: usize,
    /// What is found of it.
    pub column: ColumnExplanation,
}

/// The columns that are looked at.
pub struct Chosen {
    /// In the order of the table; by importance after [`Chosen::sort`].
    pub entries: Vec<Entry>,
}

impl Chosen {
    /// The columns asked for, or all up to the limit, with their contributions and the model's own importance.
    ///
    /// Errors: a column that the model does not read.
    pub fn new(subject: &Subject<'_>, summary: &Summary, notes: &mut Vec<String>) -> Result<Chosen> {
        let own = own_importance(subject);
        let sizes = summary.parts.sizes();
        let outputs = summary.parts.outputs;
        let places = places(subject, own.as_deref(), notes)?;
        let columns = subject.ground.frame.columns();
        let entry = |place: usize| {
            let player = summary.player(place);
            let by_output = player.map(|player| sizes[player * outputs..(player + 1) * outputs].to_vec());
            let contribution = by_output.as_ref().map(|sizes| sizes.iter().sum::<f64>() / sizes.len().max(1) as f64);
            let column = ColumnExplanation {
                name: columns[place].name.to_string(),
                column_type: subject.ground.types[place],
                permutation: None,
                contribution: contribution.filter(|size| size.is_finite()),
                contribution_by_output: by_output.unwrap_or_default(),
                own_importance: own.as_ref().map(|own| own[place]),
                swarm: player.map(|player| swarm(&columns[place].values, summary, player)).unwrap_or_default(),
                dependence: None,
                effects: None,
                effects_left_out: None,
                linear: None,
                interaction: None,
            };
            Entry { place, column }
        };
        Ok(Chosen { entries: places.into_iter().map(entry).collect() })
    }

    /// The most important first: by permutation, then by contributions, then by the model's own importance.
    pub fn sort(&mut self) {
        let key = |entry: &Entry| {
            let column = &entry.column;
            let drop = column.permutation.map_or(0.0, |drop| drop.mean);
            (drop, column.contribution.unwrap_or(0.0), column.own_importance.unwrap_or(0.0))
        };
        self.entries.sort_by(|a, b| {
            let (a, b) = (key(a), key(b));
            b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(b.2.total_cmp(&a.2))
        });
    }

    /// What was found. Contributions row by row are kept of columns that have curves too.
    pub fn into_columns(self) -> Vec<ColumnExplanation> {
        let column = |entry: Entry| {
            let keep = entry.column.dependence.is_some();
            let swarm = if keep { entry.column.swarm } else { Vec::new() };
            ColumnExplanation { swarm, ..entry.column }
        };
        self.entries.into_iter().map(column).collect()
    }
}

/// Positions of the columns to look at.
fn places(subject: &Subject<'_>, own: Option<&[f64]>, notes: &mut Vec<String>) -> Result<Vec<usize>> {
    let columns = subject.ground.frame.columns();
    if !subject.options.columns.is_empty() {
        let mut seen = HashSet::new();
        let find = |name: &String| {
            let found = columns.iter().position(|column| *column.name == **name);
            found.ok_or_else(|| unread(subject, name))
        };
        let found = subject.options.columns.iter().map(find).collect::<Result<Vec<usize>>>()?;
        return Ok(found.into_iter().filter(|place| seen.insert(*place)).collect());
    }
    let mut order: Vec<usize> = (0..columns.len()).collect();
    if columns.len() > EXPLAIN_COLUMNS_MAX {
        if let Some(own) = own {
            order.sort_by(|a, b| own[*b].total_cmp(&own[*a]));
        }
        order.truncate(EXPLAIN_COLUMNS_MAX);
        order.sort_unstable();
        let of = if own.is_some() { "that matter most to the model" } else { "of the table" };
        let count = columns.len();
        notes.push(format!(
            "looked at the first {EXPLAIN_COLUMNS_MAX} of {count} columns {of}; --columns asks for others"
        ));
    }
    Ok(order)
}

fn unread(subject: &Subject<'_>, name: &str) -> anyhow::Error {
    let known = subject.ground.frame.columns().iter().map(|column| &*column.name);
    if subject.ground.table.column(name).is_ok() {
        let what = format!("the model does not read column `{name}`, so no answer depends on it");
        let names: Vec<&str> = known.take(12).collect();
        return fail::usage(what).hint(format!("it reads: {}", names.join(", "))).into();
    }
    suggest::unknown("column", name, known).into()
}

/// Contributions of one player row by row, with the rank of the column's value.
fn swarm(values: &Values, summary: &Summary, player: usize) -> Vec<SwarmPoint> {
    let outputs = summary.parts.outputs.min(SWARM_OUTPUTS_MAX);
    let shown = spread(summary.rows.len(), EXPLAIN_SWARM_ROWS);
    let numbers: Vec<f64> = match values {
        Values::Number(numbers) => numbers.clone(),
        Values::Time(times) => {
            times.iter().map(|time| if *time == MISSING_TIME { f64::NAN } else { *time as f64 }).collect()
        }
        other => vec![f64::NAN; other.len()],
    };
    let value = |row: u32| numbers[summary.rows[row as usize] as usize];
    let mut sorted: Vec<f64> = shown.iter().map(|row| value(*row)).filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: f64| {
        let (below, upto) =
            (sorted.partition_point(|other| *other < value), sorted.partition_point(|other| *other <= value));
        // The middle of its ties, so that two values are at a quarter and three quarters, not at both ends.
        (below + upto) as f64 / 2.0 / sorted.len() as f64
    };
    let point = |row: &u32| SwarmPoint {
        rank: Some(value(*row)).filter(|value| value.is_finite()).map(|value| brief(rank(value))),
        contributions: summary.parts.of(*row as usize, player)[..outputs].iter().map(|part| brief(*part)).collect(),
    };
    shown.iter().map(point).collect()
}

/// Six digits, which a picture does not tell from more: the record stays small.
fn brief(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
