//! `transform`: splits the rows, fits the recipe on the training rows only, applies it to all, keeps everything.

use std::fs::File;
use std::io::{BufWriter, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::base::fs::readable;
use crate::base::id::{ObjectId, RunId};
use crate::data::frame::{Column, Frame, TextValues, Values};
use crate::data::matrix::Matrix;
use crate::data::split::TRAIN;
use crate::data::table::{PIECE_ROWS, Table};
use crate::ops::context::OpCtx;
use crate::ops::prepare::{PrepareOptions, Prepared, prepare};
use crate::ops::recorded::{Done, recorded};
use crate::record::recipe::FeatureRecord;
use crate::repo::Repo;

/// What to transform.
#[derive(Clone, Debug)]
pub struct TransformOptions {
    /// Dataset, split, recipe.
    pub prepare: PrepareOptions,
    /// File to write the features of all rows to, `.csv` or `.parquet`.
    pub output: Option<PathBuf>,
}

/// Numbers of rows in each part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PartRows {
    /// Rows that models are fitted on.
    pub train: u64,
    /// Rows that choices are made on.
    pub validation: u64,
    /// Rows that judge.
    pub test: u64,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct TransformReport {
    /// The run.
    pub run: RunId,
    /// The dataset record.
    pub dataset: ObjectId,
    /// The split record.
    pub split: ObjectId,
    /// The fitted recipe record.
    pub recipe: ObjectId,
    /// The features of all rows, a Parquet blob.
    pub table: ObjectId,
    /// Numbers of rows.
    pub rows: PartRows,
    /// Number of folds of the rows outside the test part; 0 when none were asked for.
    pub folds: usize,
    /// Features in order.
    pub features: Vec<FeatureRecord>,
    /// What the recipe had to do that nobody asked for.
    pub notes: Vec<String>,
    /// File written.
    pub output: Option<PathBuf>,
    /// Seconds spent fitting the recipe and applying it to all rows, without reading and writing.
    pub seconds: f64,
}

/// Fits and applies the recipe.
pub fn transform(repo: &Repo, options: &TransformOptions, ctx: &OpCtx<'_>) -> Result<TransformReport> {
    let outcome = recorded(repo, ctx, "transform", |repo, work| {
        let prepared = prepare(repo, &options.prepare, ctx)?;
        let staging = repo.layout().staging();
        let mut file =
            tempfile::tempfile_in(&staging).with_context(|| format!("cannot write in {}", staging.display()))?;
        let seconds = prepared.recipe_seconds + write_features(&prepared, &mut file)?;
        file.rewind()?;
        let table = repo.store().put_reader(&mut file)?.id;
        match &options.output {
            Some(path) if is_parquet(path) => {
                file.rewind()?;
                write_through(path, |mut out| Ok(std::io::copy(&mut file, &mut out).map(|_| ())?))?;
            }
            Some(path) => {
                write_file(&Table::from_frame(&with_parts(&prepared, features(&prepared)?, 0)?)?, path)?;
            }
            None => {}
        }
        let dataset = &prepared.subject.dataset;
        work.input("dataset", &dataset.label, dataset.id)?;
        work.output("split", "split", prepared.split_id)?;
        work.output("recipe", "recipe", prepared.recipe_id)?;
        work.output("features", "features", table)?;
        Ok(Done::yes((prepared, table, seconds)))
    })?;
    let (prepared, table, seconds) = outcome.value;
    let counts = prepared.split.counts();
    Ok(TransformReport {
        run: outcome.run,
        dataset: prepared.subject.dataset.id,
        split: prepared.split_id,
        recipe: prepared.recipe_id,
        table,
        rows: PartRows { train: counts[0], validation: counts[1], test: counts[2] },
        folds: prepared.folds.as_ref().map_or(0, |folds| folds.splits().len()),
        features: prepared.recipe.features().to_vec(),
        notes: prepared.recipe.notes().to_vec(),
        output: options.output.clone(),
        seconds,
    })
}

/// Writes the features of all rows as a Parquet file; seconds spent making them.
///
/// Rows are independent, so they are made a piece at a time; only a recipe that gives training rows other values than later
/// ones takes them all at once.
fn write_features(prepared: &Prepared, file: &mut File) -> Result<f64> {
    let mut out = BufWriter::with_capacity(1 << 20, file);
    let mut seconds = 0.0;
    let rows = prepared.subject.frame.rows();
    let whole = prepared.recipe.tells_training_rows_apart();
    let step = if whole { rows.max(1) } else { PIECE_ROWS };
    let mut pieces = (0..rows.max(1)).step_by(step).map(|start| {
        let started = Instant::now();
        let matrix = match whole {
            true => features(prepared)?,
            false => {
                let rows: Vec<u32> = (start as u32..rows.min(start + step) as u32).collect();
                prepared.recipe.apply(&prepared.subject.frame.take(&rows))?
            }
        };
        seconds += started.elapsed().as_secs_f64();
        with_parts(prepared, matrix, start)
    });
    Table::write_frames(&mut pieces, &mut out)?;
    drop(pieces);
    out.flush()?;
    Ok(seconds)
}

/// Features of all rows, those of training rows as models are fitted on.
fn features(prepared: &Prepared) -> Result<Matrix> {
    let matrix = prepared.recipe.apply(&prepared.subject.frame)?;
    if !prepared.recipe.tells_training_rows_apart() {
        return Ok(matrix);
    }
    let training = prepared.recipe.apply_training(&prepared.training()?)?;
    matrix.with_rows(&prepared.split.rows(TRAIN), &training)
}

/// Features of the rows from `start` on, with the part of each row in a last column `split`.
fn with_parts(prepared: &Prepared, matrix: Matrix, start: usize) -> Result<Frame> {
    let rows = matrix.rows();
    let mut columns = matrix.into_columns();
    let levels = ["train", "validation", "test", ""].map(Arc::from).to_vec();
    let parts = &prepared.split.parts()[start..start + rows];
    let codes = parts.iter().map(|&part| u32::from(part.min(3))).collect();
    let mut name = "split".to_owned();
    while columns.iter().any(|column| *column.name == *name) {
        name.push('_');
    }
    columns.push(Column::raw(&name, Values::Text(TextValues { codes, levels })));
    Frame::new(rows, columns)
}

/// Writes a table in the format that the file's ending names; CSV unless it is `.parquet`.
pub fn write_file(table: &Table, path: &Path) -> Result<()> {
    write_through(path, |out| if is_parquet(path) { table.write_parquet(out) } else { table.write_csv(out) })
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("parquet"))
}

/// Has a file written beside `path` and moves it there once it is whole.
fn write_through(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), PathBuf::from);
    let mut file = tempfile::Builder::new()
        .permissions(readable())
        .tempfile_in(&folder)
        .with_context(|| format!("cannot write in {}", folder.display()))?;
    let mut out = BufWriter::new(file.as_file_mut());
    write(&mut out).with_context(|| format!("cannot write {}", path.display()))?;
    out.flush().with_context(|| format!("cannot write {}", path.display()))?;
    drop(out);
    file.persist(path).map_err(|error| error.error).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
