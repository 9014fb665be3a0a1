//! What gates ask for, before anything is measured.

use anyhow::Result;

use crate::metrics::gate;
use crate::ops::dataset;
use crate::record::dataset::DatasetRecord;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::gate::GateSpec;
use crate::spec::model::Task;
use crate::spec::project::EvaluateSpec;

/// `spec` with the columns that gates are about among the slices.
///
/// Errors: a gate about a metric or column that does not exist, before anything is computed.
pub fn with_gate_slices(
    spec: &EvaluateSpec,
    gates: &[GateSpec],
    record: &ModelRecord,
    task: Task,
    on: Option<&str>,
    repo: &Repo,
) -> Result<EvaluateSpec> {
    let dataset: DatasetRecord = match record.dataset {
        Some(id) => repo.record(&id)?,
        None => dataset::find(repo, on, None)?.record,
    };
    let columns: Vec<&str> = dataset.columns.iter().map(|column| column.name.as_str()).collect();
    let mut spec = spec.clone();
    for gate in gates {
        if let Some(column) = gate::check(gate, task, &columns)?
            && !spec.slices.iter().any(|known| known == column)
        {
            spec.slices.push(column.to_owned());
        }
    }
    Ok(spec)
}
