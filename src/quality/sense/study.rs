//! What all suspicions start from: the roles of columns, the target's values, a sample of rows.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Result;
use polars::prelude::Column;

use crate::base::limits::SENSE_SAMPLE_CELLS_MAX;
use crate::base::seed::Seed;
use crate::data::frame::{Frame, MISSING_CODE, MISSING_TIME, Values};
use crate::data::plain;
use crate::data::table::Table;
use crate::data::target::{Target, infer_task, read_target};
use crate::quality::report::Finding;
use crate::quality::sense::options::SenseOptions;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::model::Task;
use crate::spec::schema::Severity;

/// Fewest rows of a sample, however many columns there are.
const SAMPLE_ROWS_MIN: usize = 256;

/// One table under suspicion.
pub struct Study<'a> {
    /// All rows.
    pub table: &'a Table,
    /// Statistics of its columns.
    pub profile: &'a ProfileRecord,
    /// What to look for.
    pub options: &'a SenseOptions,
    /// The target's name and values; `None` when there is none, or none that can be predicted.
    pub goal: Option<(&'a str, Goal)>,
    /// Places of the columns that a model would learn from.
    pub features: Vec<usize>,
    /// Rows spread over the table.
    pub sample: Sample,
    /// What could not be looked at, and why.
    pub notes: Vec<Finding>,
    ignored: HashSet<&'a str>,
}

/// Some rows, or all rows of a small table.
pub struct Sample {
    /// All columns at those rows.
    pub frame: Frame,
    /// The target at those rows.
    pub goal: Option<Goal>,
}

/// The values to predict, one for each row of the table.
#[derive(Clone)]
pub enum Goal {
    /// Classes; [`MISSING_CODE`] where there is none.
    Classes {
        /// Their names.
        names: Arc<[String]>,
        /// One code a row.
        codes: Vec<u32>,
    },
    /// Numbers; not-a-number where there is none.
    Numbers(Vec<f64>),
}

impl Goal {
    /// The rows numbered `rows`, in that order.
    pub fn take(&self, rows: &[u32]) -> Goal {
        match self {
            Goal::Classes { names, codes } => {
                Goal::Classes { names: names.clone(), codes: rows.iter().map(|&row| codes[row as usize]).collect() }
            }
            Goal::Numbers(values) => Goal::Numbers(rows.iter().map(|&row| values[row as usize]).collect()),
        }
    }

    /// Rows of each class, in the order of their codes; empty for numbers.
    pub fn class_counts(&self) -> Vec<u64> {
        let Goal::Classes { names, codes } = self else { return Vec::new() };
        let mut counts = vec![0; names.len()];
        codes.iter().filter(|code| **code != MISSING_CODE).for_each(|code| counts[*code as usize] += 1);
        counts
    }
}

impl<'a> Study<'a> {
    /// Reads the target and draws the sample.
    ///
    /// Errors: a key column that the table does not have (usage). A target that cannot be predicted is a note.
    pub fn new(table: &'a Table, profile: &'a ProfileRecord, options: &'a SenseOptions) -> Result<Study<'a>> {
        let roles = &options.roles;
        for name in &roles.key {
            table.column(name)?;
        }
        let ignored: HashSet<&str> = roles.ignore.iter().map(String::as_str).collect();
        let mut notes = Vec::new();
        let target = roles.target.as_deref().filter(|name| profile.column(name).is_some() && table.rows() > 0);
        // Labels of tasks without a target are no goal: nothing is fitted on them.
        let is_goal = roles.task.is_none_or(|task| task.is_supervised());
        let goal = target.filter(|_| is_goal).and_then(|name| match read_goal(table, name, roles.task) {
            Ok(goal) => Some((name, goal)),
            Err(error) => {
                notes.push(unusable(name, &error));
                None
            }
        });
        let is_feature = |name: &str| {
            Some(name) != roles.target.as_deref() && !ignored.contains(name) && !roles.key.iter().any(|key| key == name)
        };
        let features =
            (0..profile.columns.len()).filter(|place| is_feature(&profile.columns[*place].name)).collect::<Vec<_>>();
        let rows = sample_rows(table.rows(), profile.columns.len(), options);
        let frame = if rows.len() == table.rows() { table.frame_all()? } else { table.take(&rows)?.frame_all()? };
        let sampled = goal.as_ref().map(|(_, goal)| goal.take(&rows));
        let sample = Sample { frame, goal: sampled };
        Ok(Study { table, profile, options, goal, features, sample, notes, ignored })
    }

    /// Whether the column called `name` is left alone.
    pub fn is_ignored(&self, name: &str) -> bool {
        self.ignored.contains(name)
    }

    /// Whether `name` is the target or part of the key.
    pub fn has_a_role(&self, name: &str) -> bool {
        let roles = &self.options.roles;
        roles.target.as_deref() == Some(name) || roles.key.iter().any(|key| key == name)
    }

    /// The column at `place` as polars has it.
    pub fn column(&self, place: usize) -> &'a Column {
        &self.table.polars().columns()[place]
    }

    /// All values of the column at `place` in plain form; one copy of the column.
    pub fn values(&self, place: usize) -> Result<Values> {
        plain::values(self.column(place))
    }

    /// Values of the column at `place` in the sample.
    pub fn sampled(&self, place: usize) -> &Values {
        &self.sample.frame.columns()[place].values
    }

    /// The profile of the column at `place`.
    pub fn profile_of(&self, place: usize) -> &'a ColumnProfile {
        &self.profile.columns[place]
    }

    /// Adds what the table holds in the finding's rows, in the columns `names`.
    pub fn with_samples(&self, mut finding: Finding, names: &[&str]) -> Finding {
        let cell = |row: u64, name: &str| self.table.cell(row as usize - 1, name).unwrap_or_else(|| "-".to_owned());
        let shown = finding.rows.iter().map(|row| match names {
            [only] => cell(*row, only),
            _ => names.iter().map(|name| format!("{name} {}", cell(*row, name))).collect::<Vec<_>>().join(", "),
        });
        finding.samples = shown.collect();
        finding
    }
}

/// `add "a" and "b" to [data] ignore in mlops.toml`.
pub fn ignore(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    format!("add {} to [data] ignore in mlops.toml", quoted.join(" and "))
}

/// Numbers and times as numbers, missing as not-a-number; `None` for text.
pub fn numbers(values: Values) -> Option<Vec<f64>> {
    match values {
        Values::Number(values) => Some(values),
        Values::Time(values) => {
            let number = |micros: &i64| if *micros == MISSING_TIME { f64::NAN } else { *micros as f64 };
            Some(values.iter().map(number).collect())
        }
        _ => None,
    }
}

/// Whether `row` has no value.
pub fn is_missing(values: &Values, row: usize) -> bool {
    match values {
        Values::Number(values) => values[row].is_nan(),
        Values::Text(text) => text.codes[row] == MISSING_CODE,
        Values::Time(values) => values[row] == MISSING_TIME,
        Values::Indicator { .. } => false,
        Values::Category { codes, .. } => codes[row] == MISSING_CODE,
    }
}

fn read_goal(table: &Table, name: &str, task: Option<Task>) -> Result<Goal> {
    let task = match task {
        Some(task) => task,
        None => infer_task(table, name)?.0,
    };
    let (target, rows) = read_target(table, name, task)?;
    Ok(match target {
        Target::Classes { names, codes } => {
            let mut all = vec![MISSING_CODE; table.rows()];
            rows.iter().zip(codes).for_each(|(row, code)| all[*row as usize] = code);
            Goal::Classes { names, codes: all }
        }
        Target::Numbers(numbers) => {
            let mut all = vec![f64::NAN; table.rows()];
            rows.iter().zip(numbers).for_each(|(row, number)| all[*row as usize] = number);
            Goal::Numbers(all)
        }
        Target::Labels { names, codes, .. } => Goal::Classes { names, codes },
    })
}

/// `TARGET_UNUSABLE`: the target cannot be predicted as it is, so nothing was compared with it.
fn unusable(name: &str, error: &anyhow::Error) -> Finding {
    let mut finding = Finding::new("TARGET_UNUSABLE", Severity::Warning, Some(name)).says(
        "a target that can be predicted".to_owned(),
        format!("{error}; leaks, class shares and label conflicts were not looked for"),
        "two values or more of one kind".to_owned(),
    );
    finding.fix = "name another target or task in [data] of mlops.toml, or correct the column".to_owned();
    finding
}

/// One row from each of equal stretches of the table; all rows of a small table.
fn sample_rows(rows: usize, columns: usize, options: &SenseOptions) -> Vec<u32> {
    let most = options.sample_rows.min(SENSE_SAMPLE_CELLS_MAX / columns.max(1)).max(SAMPLE_ROWS_MIN);
    if rows <= most {
        return (0..rows as u32).collect();
    }
    let mut rng = Seed(options.seed).derive("sense sample").rng();
    let stretch = rows as f64 / most as f64;
    (0..most).map(|place| (((place as f64 + rng.unit()) * stretch) as usize).min(rows - 1) as u32).collect()
}
