//! `predict`: scores every row of a file with a model, through the code that serving uses.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::Serialize;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::data::frame::Frame;
use crate::data::source::{self, ReadOptions};
use crate::data::table::Table;
use crate::models::package::ModelPackage;
use crate::models::predictor::Predictions;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::open_model;
use crate::ops::transform::write_file;
use crate::record::dataset::Format;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::model::Task;

/// Values of one piece of rows: 8 MB, so that a few pieces fit the caches of most machines.
const PIECE_CELLS: usize = 1_000_000;
/// Fewest and most rows of a piece.
const PIECE_ROWS: (usize, usize) = (1_024, 65_536);

/// What to score.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// File with the columns the model reads.
    pub input: PathBuf,
    /// File to write, CSV or Parquet by its ending.
    pub output: PathBuf,
    /// Input columns to keep; all when empty.
    pub keep: Vec<String>,
    /// Format of the input; told by ending and first bytes when absent.
    pub format: Option<Format>,
    /// Whether to write what the recipe makes of the rows instead of predictions.
    pub features: bool,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct PredictReport {
    /// The model: id of its package.
    pub model: ObjectId,
    /// The model as a person calls it.
    pub name: String,
    /// Rows scored.
    pub rows: usize,
    /// Rows that could not be scored.
    pub errors: usize,
    /// The file written.
    pub output: PathBuf,
    /// Columns added.
    pub columns: Vec<String>,
    /// Seconds it took.
    pub seconds: f64,
}

/// Scores a file.
pub fn predict(repo: &Repo, options: &PredictOptions, ctx: &OpCtx<'_>) -> Result<PredictReport> {
    let started = Instant::now();
    let (found, _, package) = open_model(repo, options.model.as_deref())?;
    let table = read_input(&package, options, ctx)?;
    let names: Vec<&str> = package.header.inputs.iter().map(|input| input.name.as_str()).collect();
    if options.features {
        return features(&found, &package, table, options, started);
    }
    let predictions = in_pieces(&package, &table, &names)?;
    let kept = match options.keep.is_empty() {
        true => table,
        false => table.select(&options.keep.iter().map(String::as_str).collect::<Vec<_>>())?,
    };
    let (scored, columns) = with_predictions(kept, &package, &predictions)?;
    write_file(&scored, &options.output)?;
    Ok(PredictReport {
        model: found.package,
        name: found.label(),
        rows: predictions.rows(),
        errors: 0,
        output: options.output.clone(),
        columns,
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Writes the features of the rows, beside the kept input columns: what an exported file of trees reads.
fn features(
    found: &ModelRef,
    package: &ModelPackage,
    table: Table,
    options: &PredictOptions,
    started: Instant,
) -> Result<PredictReport> {
    let names: Vec<&str> = package.header.inputs.iter().map(|input| input.name.as_str()).collect();
    let made = package.recipe.apply(&table.frame(&names)?)?;
    let rows = made.rows();
    let written = match options.keep.is_empty() {
        true => Table::from_frame(&Frame::new(rows, made.into_columns())?)?,
        false => {
            let mut kept = table.select(&options.keep.iter().map(String::as_str).collect::<Vec<_>>())?;
            for feature in made.features() {
                if options.keep.iter().any(|name| *name == *feature.name) {
                    let what = format!("`{}` is a feature already", feature.name);
                    return Err(fail::usage(what).hint("leave it out of --keep").into());
                }
                let values = (0..rows).map(|row| feature.values.get(row)).collect();
                kept = kept.with_numbers(&feature.name, values)?;
            }
            kept
        }
    };
    write_file(&written, &options.output)?;
    Ok(PredictReport {
        model: found.package,
        name: found.label(),
        rows,
        errors: 0,
        output: options.output.clone(),
        columns: package.recipe.features().iter().map(|feature| feature.name.clone()).collect(),
        seconds: started.elapsed().as_secs_f64(),
    })
}

/// Predicts rows piece by piece, so that features of a piece take the place of those of the last one in memory, and fit the
/// caches: rows are answered alone or among others with the same bits.
fn in_pieces(package: &ModelPackage, table: &Table, names: &[&str]) -> Result<Predictions> {
    let rows = table.rows();
    let length = (PIECE_CELLS / names.len().max(1)).clamp(PIECE_ROWS.0, PIECE_ROWS.1);
    let task = package.header.task;
    if rows <= length || !(task.is_classification() || task == Task::Regression) {
        return package.predict(&table.frame(names)?);
    }
    let starts: Vec<usize> = (0..rows).step_by(length).collect();
    let piece = |start: &usize| package.predict(&table.slice(*start, length).frame(names)?);
    let pieces: Vec<Predictions> = starts.par_iter().map(piece).collect::<Result<_>>()?;
    Predictions::joined(pieces)
}

/// Reads the input with the types that the columns had in training.
fn read_input(package: &ModelPackage, options: &PredictOptions, ctx: &OpCtx<'_>) -> Result<Table> {
    let inputs = &package.header.inputs;
    let types: BTreeMap<_, _> = inputs.iter().map(|input| (input.name.clone(), input.column_type)).collect();
    let read = ReadOptions { format: options.format, types, ..ReadOptions::default() };
    let table = source::read(&options.input, &read, ctx.talk)
        .with_context(|| format!("cannot read {} as a table", options.input.display()))?
        .table;
    let there: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let missing: Vec<&str> =
        inputs.iter().map(|input| input.name.as_str()).filter(|name| !there.iter().any(|t| t == name)).collect();
    if !missing.is_empty() {
        let what = format!("{} lacks columns that the model reads: {}", options.input.display(), missing.join(", "));
        return Err(fail::usage(what).hint(format!("it has: {}", there.join(", "))).into());
    }
    Ok(table)
}

/// Adds `prediction` and, for classes, `probability_<class>`; `cluster` and `distance`; or `anomaly` and `score`. A name that is taken gets a trailing underscore.
fn with_predictions(table: Table, package: &ModelPackage, predictions: &Predictions) -> Result<(Table, Vec<String>)> {
    let mut taken: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let mut added = Vec::new();
    let mut name = |wanted: String| {
        let mut name = wanted;
        while taken.contains(&name) {
            name.push('_');
        }
        taken.push(name.clone());
        added.push(name.clone());
        name
    };
    let table = match predictions {
        Predictions::Numbers(values) => table.with_numbers(&name("prediction".to_owned()), values.clone())?,
        Predictions::Probabilities { classes, values } => {
            let labels = &package.header.classes;
            let mut table = table.with_labels(&name("prediction".to_owned()), &package.labels(predictions), labels)?;
            for (class, label) in labels.iter().enumerate() {
                let share = values.iter().skip(class).step_by(*classes).copied().collect();
                table = table.with_numbers(&name(format!("probability_{label}")), share)?;
            }
            table
        }
        Predictions::Clusters { codes, distances, .. } => table
            .with_integers(&name("cluster".to_owned()), codes.iter().map(|code| i64::from(*code)).collect())?
            .with_numbers(&name("distance".to_owned()), distances.clone())?,
        Predictions::Anomalies { scores, threshold } => table
            .with_booleans(&name("anomaly".to_owned()), scores.iter().map(|score| score > threshold).collect())?
            .with_numbers(&name("score".to_owned()), scores.clone())?,
    };
    Ok((table, added))
}
