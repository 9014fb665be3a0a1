//! What clustering and anomaly detection need beside other tasks: labels that only judge, and rows as the model saw them.

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::SILHOUETTE_ROWS_MAX;
use crate::base::talk::Talk;
use crate::base::units;
use crate::data::frame::{Frame, MISSING_CODE};
use crate::data::labels::read_labels;
use crate::data::matrix::Matrix;
use crate::data::table::Table;
use crate::data::target::{Target, all_rows};
use crate::metrics::Scores;
use crate::metrics::clustering::{Clusters, Points};
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;
use crate::record::dataset::Roles;
use crate::spec::model::Task;

/// Rows as the model saw them, which metrics of clusters measure distances in; nothing for other tasks.
pub struct Seen {
    values: Vec<f64>,
    width: usize,
}

impl Seen {
    /// Keeps what the metrics of `task` need. 8 bytes a value for clustering.
    pub fn of(matrix: &Matrix, task: Task) -> Seen {
        let values = if task == Task::Clustering { matrix.to_row_major() } else { Vec::new() };
        Seen { values, width: matrix.features().len() }
    }
}

/// The labels that judge, of all rows; says which one means anomalous.
pub fn read(table: &Table, roles: &Roles, task: Task, talk: &dyn Talk) -> Result<(Target, Vec<u32>)> {
    let target = read_labels(table, roles.target.as_deref(), task)?;
    let name = roles.target.as_deref().unwrap_or_default();
    if let Target::Labels { names, codes, .. } = &target
        && !name.is_empty()
    {
        let without = codes.iter().filter(|code| **code == MISSING_CODE).count();
        talk.info(&format!("`{name}` is not learnt from: it judges the {} rows that have it", codes.len() - without));
        if let (Task::Anomaly, [normal, anomalous]) = (task, &**names) {
            talk.info(&format!("`{anomalous}` means anomalous, the rarer of two labels; `{normal}` normal"));
        }
    }
    Ok((target, all_rows(table)))
}

/// Answers of a package, with the rows as it saw them.
pub fn answers(package: &ModelPackage, frame: &Frame) -> Result<(Predictions, Seen)> {
    let matrix = package.recipe.apply(frame)?;
    let predictions = package.predict_matrix(&matrix)?;
    Ok((predictions, Seen::of(&matrix, package.header.task)))
}

/// Clusters or anomaly scores against labels.
pub fn scores<'a>(predictions: &'a Predictions, truth: &'a [u32], seen: &'a Seen) -> Result<Scores<'a>> {
    match predictions {
        Predictions::Clusters { clusters, codes, distances } => Ok(Scores::Clusters(Clusters {
            points: Points { values: &seen.values, width: seen.width },
            codes,
            clusters: *clusters,
            distances,
            truth,
        })),
        Predictions::Anomalies { scores, threshold } => Ok(Scores::Anomalies { truth, scores, threshold: *threshold }),
        _ => Err(fail::usage("the model and the data are of different tasks").into()),
    }
}

/// Says when labels that the model was judged by are not there.
pub fn warn_without_labels(column: &str, truth: &Target, talk: &dyn Talk) {
    if let Target::Labels { names, .. } = truth
        && names.is_empty()
        && !column.is_empty()
    {
        talk.warn(&format!("these rows have no labels in `{column}`: metrics that need them are left out"));
    }
}

/// Says what is measured on a sample.
pub fn say(task: Task, rows: usize, talk: &dyn Talk) {
    if task == Task::Clustering && rows > SILHOUETTE_ROWS_MAX {
        let (sample, rows) = (units::count(SILHOUETTE_ROWS_MAX as u64), units::count(rows as u64));
        talk.info(&format!("silhouette is measured on a sample of {sample} of {rows} rows"));
    }
}
