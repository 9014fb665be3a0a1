//! Labels of tasks that learn without a target: they judge what was found, and are never fitted on.

use std::sync::Arc;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::base::units;
use crate::data::frame::{MISSING_CODE, TextValues};
use crate::data::infer::shown;
use crate::data::table::Table;
use crate::data::target::{Target, named_values};
use crate::spec::model::Task;

/// Labels of all rows of a table: every row takes part, labelled or not; no column, no labels.
///
/// Clustering: the groups that people know, sorted by name. Anomaly: `[normal, anomalous]`, the anomalous label being the
/// rarer of two, the second by name on a tie; one label alone is normal.
///
/// Errors (usage): an unknown column, more than two labels of an anomaly task, more than [`CLASSES_MAX`] of clustering.
pub fn read_labels(table: &Table, column: Option<&str>, task: Task) -> Result<Target> {
    let Some(column) = column else {
        return Ok(unlabelled(table, task));
    };
    let named = named_values(table, column)?;
    let mut counts = vec![0_u64; named.levels.len()];
    named.codes.iter().filter(|code| **code != MISSING_CODE).for_each(|code| counts[*code as usize] += 1);
    let mut order: Vec<usize> = (0..counts.len()).collect();
    order.sort_by(|a, b| named.levels[*a].cmp(&named.levels[*b]));
    let count = units::count(counts.len() as u64);
    if task == Task::Anomaly && counts.len() > 2 {
        return Err(fail::usage(format!("`{column}` has {count} distinct values; labels of anomalies are two"))
            .hint("name a column of two labels as the target, or none; the rarer one means anomalous")
            .into());
    }
    if counts.len() > CLASSES_MAX {
        let most = units::count(CLASSES_MAX as u64);
        return Err(fail::usage(format!("`{column}` has {count} distinct values; at most {most} groups are compared"))
            .hint("name a column of fewer groups as the target, or none")
            .into());
    }
    if task == Task::Anomaly && counts.len() == 2 && counts[order[0]] < counts[order[1]] {
        order.swap(0, 1);
    }
    let names: Vec<String> = order.iter().map(|level| named.levels[*level].to_string()).collect();
    labelled(column, &named, &names, task)
}

/// Labels of other rows as a trained model knows them: for anomalies `names` are `[normal, anomalous]`, or normal alone, and
/// then every other label is anomalous. Groups of clustering are compared whatever they are called. A table without the
/// column has no labels.
///
/// Errors (usage): a label of an anomaly task that training never saw.
pub fn labels_against(table: &Table, column: &str, task: Task, names: &[String]) -> Result<Target> {
    if column.is_empty() || table.column(column).is_err() {
        return Ok(unlabelled(table, task));
    }
    match task {
        Task::Anomaly if !names.is_empty() => labelled(column, &named_values(table, column)?, names, task),
        _ => read_labels(table, Some(column), task),
    }
}

fn unlabelled(table: &Table, task: Task) -> Target {
    Target::Labels { task, names: Arc::new([]), codes: vec![MISSING_CODE; table.rows()] }
}

fn labelled(column: &str, named: &TextValues, names: &[String], task: Task) -> Result<Target> {
    let mut places = Vec::with_capacity(named.levels.len());
    for level in &named.levels {
        let known = names.iter().position(|name| **name == **level);
        match (known, task, names) {
            (Some(place), ..) => places.push(place as u32),
            (None, Task::Anomaly, [_]) => places.push(1),
            _ => {
                return Err(fail::usage(format!(
                    "`{column}` holds `{}`, a label that training never saw",
                    shown(level)
                ))
                .hint(format!("the model knows {}", names.join(", ")))
                .into());
            }
        }
    }
    let code = |code: &u32| if *code == MISSING_CODE { MISSING_CODE } else { places[*code as usize] };
    Ok(Target::Labels { task, names: names.into(), codes: named.codes.iter().map(code).collect() })
}
