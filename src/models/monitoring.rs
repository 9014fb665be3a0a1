//! What monitoring compares later answers with, measured once when a model is made: distributions of its answers and of
//! the truth, importances of its raw columns.
//!
//! Draws come from the seed alone and sums are in the order of rows, so the bytes do not depend on the number of threads.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;

use crate::base::limits::{MONITOR_CLASSES_MAX, MONITOR_COLUMNS_SHUFFLED_MAX, MONITOR_ROWS, MONITOR_ROWS_SHUFFLED};
use crate::base::seed::Seed;
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::profile::profile;
use crate::data::table::Table;
use crate::data::target::Target;
use crate::models::explain::{attribution, mix, model};
use crate::models::package::{ModelPackage, PackageHeader};
use crate::models::predictor::Predictions;
use crate::record::monitoring::{BaselineImportance, ImportanceMethod, MonitoringRecord};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::model::Task;

/// Kinds that answer in microseconds and do not say what each feature adds.
const QUICK: [&str; 3] = ["baseline", "isolation_forest", "naive_bayes"];

/// Answers of a model to rows, and which rows they are.
pub struct Answered<'a> {
    /// `validation`, `out_of_fold`, `train` or `all`.
    pub rows_of: &'a str,
    /// The answers.
    pub answers: &'a Predictions,
    /// True values of the same rows, where they are known.
    pub truth: Option<&'a Target>,
}

/// Measures what monitoring compares with. `training` are raw rows that importances are measured on; of more than
/// [`MONITOR_ROWS`], that many are drawn.
///
/// What cannot be told, or not quickly, is left out and noted. Errors: answers that make no table. Cost: sorting each column
/// of answers; contributions to at most [`MONITOR_ROWS`] rows, 15 ms for 100 trees.
pub fn monitoring(
    package: &ModelPackage,
    answered: &Answered<'_>,
    training: &Frame,
    seed: Seed,
) -> Result<MonitoringRecord> {
    let mut notes = Vec::new();
    let answers = distributions(&package.header, answered.answers, &mut notes)?;
    let labels = answered.truth.map(|truth| labels(&package.header, truth)).transpose()?.flatten();
    let importance = match importance(package, training, seed.derive("monitoring")) {
        Ok(Ok(importance)) => Some(importance),
        Ok(Err(why)) => {
            notes.push(format!("importances are left out: {why}"));
            None
        }
        // A model that cannot explain itself is a model all the same.
        Err(error) => {
            notes.push(format!("importances are left out: {error:#}"));
            None
        }
    };
    Ok(MonitoringRecord { rows_of: answered.rows_of.to_owned(), answers, labels, importance, notes })
}

/// The columns that `predict` would write, described as a table is.
fn distributions(header: &PackageHeader, answers: &Predictions, notes: &mut Vec<String>) -> Result<ProfileRecord> {
    let rows = answers.rows();
    let table = |columns: Vec<Column>| -> Result<Table> { Table::from_frame(&Frame::new(rows, columns)?) };
    let numbers = |name: &str, values: Vec<f64>| Column::raw(name, Values::Number(values));
    let table = match answers {
        Predictions::Numbers(values) => table(vec![numbers("prediction", values.clone())])?,
        Predictions::Probabilities { classes, values } => {
            let codes = answers.classes_at(header.threshold);
            let mut columns = vec![Column::raw("prediction", texts(codes, &header.classes))];
            for class in kept_classes(*classes, values, notes) {
                let share = values.iter().skip(class).step_by(*classes).copied().collect();
                let name = header.classes.get(class).map_or_else(|| class.to_string(), Clone::clone);
                columns.push(numbers(&format!("probability_{name}"), share));
            }
            table(columns)?
        }
        Predictions::Clusters { clusters, codes, distances } => {
            let levels = u32::try_from(*clusters).unwrap_or(u32::MAX);
            let codes = Values::Category { codes: codes.clone().into(), levels };
            table(vec![Column::raw("cluster", codes), numbers("distance", distances.clone())])?
        }
        Predictions::Anomalies { scores, threshold } => table(vec![numbers("score", scores.clone())])?
            .with_booleans("anomaly", scores.iter().map(|score| score > threshold).collect())?,
    };
    Ok(profile(&table))
}

/// Classes whose probabilities are described: all, or of very many those with the largest shares.
fn kept_classes(classes: usize, values: &[f64], notes: &mut Vec<String>) -> Vec<usize> {
    let mut kept: Vec<usize> = (0..classes).collect();
    if classes > MONITOR_CLASSES_MAX {
        let sum = |class: usize| values.iter().skip(class).step_by(classes).sum::<f64>();
        let sums: Vec<f64> = (0..classes).map(sum).collect();
        kept.sort_by(|a, b| sums[*b].total_cmp(&sums[*a]).then(a.cmp(b)));
        kept.truncate(MONITOR_CLASSES_MAX);
        kept.sort_unstable();
        notes.push(format!("probabilities of the {MONITOR_CLASSES_MAX} most probable of {classes} classes are kept"));
    }
    kept
}

fn texts(codes: Vec<u32>, names: &[String]) -> Values {
    Values::Text(TextValues { codes, levels: names.iter().map(|name| Arc::from(name.as_str())).collect() })
}

/// The true values, described as a column is; none where there are none.
fn labels(header: &PackageHeader, truth: &Target) -> Result<Option<ColumnProfile>> {
    let values = match truth {
        Target::Numbers(values) => Values::Number(values.clone()),
        Target::Classes { names, codes } => texts(codes.clone(), names),
        Target::Labels { names, .. } if names.is_empty() => return Ok(None),
        Target::Labels { names, codes, .. } => texts(codes.clone(), names),
    };
    let name = if header.target.is_empty() { "label" } else { &header.target };
    let table = Table::from_frame(&Frame::new(values.len(), vec![Column::raw(name, values)])?)?;
    Ok(profile(&table).columns.pop())
}

/// Importances, or why there are none.
fn importance(package: &ModelPackage, training: &Frame, seed: Seed) -> Result<Result<BaselineImportance, String>> {
    if package.header.task == Task::Clustering {
        return Ok(Err("a cluster is no quantity that columns could add to".to_owned()));
    }
    if training.rows() == 0 {
        return Ok(Err("there are no rows".to_owned()));
    }
    let sample = mix::compact(training.take(&draw(training.rows(), MONITOR_ROWS, seed)))?;
    if let Some(parts) = attribution::exact(package, &sample)? {
        let sizes = parts.sizes();
        let sums = sizes.chunks(parts.outputs.max(1)).map(|outputs| outputs.iter().sum()).collect();
        return Ok(ordered(package, ImportanceMethod::Contributions, sample.rows(), sums));
    }
    let kind = package.header.model.as_str();
    if !QUICK.contains(&kind) {
        return Ok(Err(format!("`{kind}` answers too slowly for it; `mlops explain` measures them")));
    }
    let columns = package.recipe.inputs().len();
    if columns > MONITOR_COLUMNS_SHUFFLED_MAX {
        return Ok(Err(format!("{columns} columns are too many to shuffle one by one; `mlops explain` does")));
    }
    let few: Vec<u32> = (0..sample.rows().min(MONITOR_ROWS_SHUFFLED) as u32).collect();
    let sums = shuffled(package, &sample.take(&few), seed)?;
    Ok(ordered(package, ImportanceMethod::Shuffled, few.len(), sums))
}

/// Mean change of the answers when each column the recipe reads is shuffled.
fn shuffled(package: &ModelPackage, frame: &Frame, seed: Seed) -> Result<Vec<f64>> {
    let before = model::answers(package, frame)?;
    let mut changes = Vec::new();
    for (place, input) in package.recipe.inputs().iter().enumerate() {
        let mut order: Vec<u32> = (0..frame.rows() as u32).collect();
        seed.nth(place as u64).rng().shuffle(&mut order);
        let at = frame.columns().iter().position(|column| *column.name == *input.name);
        let Some(at) = at else {
            changes.push(0.0);
            continue;
        };
        let moved = mix::with_values(frame, at, frame.columns()[at].values.take(&order))?;
        let after = model::answers(package, &moved)?;
        let sum: f64 = before.iter().zip(&after).map(|(before, after)| (before - after).abs()).sum();
        changes.push(sum / frame.rows().max(1) as f64);
    }
    Ok(changes)
}

/// Columns with their importance, most important first, ties in the order of the recipe.
fn ordered(
    package: &ModelPackage,
    method: ImportanceMethod,
    rows: usize,
    sums: Vec<f64>,
) -> Result<BaselineImportance, String> {
    let names = package.recipe.inputs().iter().map(|input| input.name.clone());
    let mut columns: Vec<(String, f64)> = names.zip(sums).collect();
    if !columns.iter().all(|(_, value)| value.is_finite()) {
        return Err("they are beyond all numbers".to_owned());
    }
    columns.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(BaselineImportance { method, rows: rows as u64, columns })
}

/// At most `most` of `rows` row numbers, drawn by `seed`, rising.
pub fn draw(rows: usize, most: usize, seed: Seed) -> Vec<u32> {
    if rows <= most {
        return (0..rows as u32).collect();
    }
    let mut rng = seed.rng();
    let mut drawn = BTreeSet::new();
    while drawn.len() < most {
        drawn.insert(rng.below(rows as u64) as u32);
    }
    drawn.into_iter().collect()
}
