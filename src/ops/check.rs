//! The check before a model is registered: does the real server load its package and answer real rows as `predict` does?
//!
//! The server lies above this layer, so the check itself comes in as [`Check`]; here is what it reports and which rows it
//! asks about.

use std::collections::BTreeSet;

use anyhow::Result;
use serde::Serialize;

use crate::base::id::ObjectId;
use crate::base::limits::CHECK_ROWS;
use crate::data::frame::{Column, Frame, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::data::table::Table;
use crate::models::package::{InputColumn, ModelPackage};
use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged_rows;
use crate::record::dataset::DatasetRecord;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::resolve::ModelRef;
use crate::spec::schema::ColumnType;

/// Rows of a table among which those to ask about are looked for.
const SCANNED_ROWS: usize = 4_096;
/// Rows made up where there is no table.
const MADE_UP_ROWS: usize = 4;

/// Loads a model into a server and asks it; see `serve::check`.
pub type Check = fn(&Repo, &ModelRef, &OpCtx<'_>) -> Result<CheckReport>;

/// What one way of asking came to.
#[derive(Clone, Debug, Serialize)]
pub struct ProtocolCheck {
    /// Path and form: `/invocations dataframe_split`.
    pub name: String,
    /// Rows asked about.
    pub rows: usize,
    /// Whether the answer was the one that `predict` gives, to the last bit.
    pub same: bool,
    /// What was wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// What became of the check.
#[derive(Clone, Debug, Serialize)]
pub struct CheckReport {
    /// The model: id of its package.
    pub id: ObjectId,
    /// The model as a person calls it.
    pub model: String,
    /// Whether the server loaded it and every answer was right.
    pub passed: bool,
    /// Why not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// Where the rows come from: `test`, `validation`, `train` rows of its data, or `made up` from what it reads.
    pub rows_of: String,
    /// Rows asked about.
    pub rows: usize,
    /// One entry for each way of asking.
    pub protocols: Vec<ProtocolCheck>,
    /// Milliseconds until it was loaded and the server answered.
    pub start_ms: f64,
    /// Median of single rows' latencies over the loopback, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_p50_ms: Option<f64>,
    /// The longest of all but one in a hundred of them, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_p99_ms: Option<f64>,
}

impl CheckReport {
    /// A report of nothing yet, which has not passed.
    pub fn new(found: &ModelRef) -> CheckReport {
        CheckReport {
            id: found.package,
            model: found.label(),
            passed: false,
            why: None,
            rows_of: String::new(),
            rows: 0,
            protocols: Vec::new(),
            start_ms: 0.0,
            latency_p50_ms: None,
            latency_p99_ms: None,
        }
    }
}

/// Rows to ask a model about, at most [`CHECK_ROWS`], and what they are called: rows it was judged on, or any of its data,
/// where they can be read; else rows made up from what it reads.
///
/// Errors: those of the store.
pub fn rows(repo: &Repo, found: &ModelRef, package: &ModelPackage) -> Result<(Frame, String)> {
    let record: ModelRecord = repo.record(&found.model)?;
    let inputs = &package.header.inputs;
    if let Some(dataset) = record.dataset {
        let dataset: DatasetRecord = repo.record(&dataset)?;
        let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
        let bytes = repo.store().get(&dataset.table, u64::MAX);
        let table = bytes.and_then(|bytes| Table::from_parquet_start(bytes, SCANNED_ROWS, &names));
        // A table that is lost can be made again, which is not for this check to wait for.
        if let Ok(frame) = table.and_then(|table| table.frame(&names)) {
            let (own, rows_of) = judged_rows(repo, &record).unwrap_or((Vec::new(), "all"));
            let own: BTreeSet<u32> = own.into_iter().collect();
            let can_travel = |row: &u32| frame.columns().iter().zip(inputs).all(|(c, i)| travels(c, i, *row as usize));
            let usable: Vec<u32> = (0..frame.rows() as u32).filter(can_travel).collect();
            let judged: Vec<u32> = usable.iter().copied().filter(|row| own.contains(row)).take(CHECK_ROWS).collect();
            let (chosen, rows_of) = match judged.is_empty() {
                true => (usable.into_iter().take(CHECK_ROWS).collect(), "all"),
                false => (judged, rows_of),
            };
            if !chosen.is_empty() {
                return Ok((frame.take(&chosen), rows_of.to_owned()));
            }
        }
    }
    Ok((made_up(inputs)?, "made up".to_owned()))
}

/// Whether a value can be written into a request and read back as itself.
fn travels(column: &Column, input: &InputColumn, row: usize) -> bool {
    /// The years 1 to 9999 in microseconds, which is what dates in text can say.
    const MICROS: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;
    match &column.values {
        Values::Number(values) if input.column_type == ColumnType::Time => {
            values[row].is_nan() || (values[row] * 1e6).round() / 1e6 == values[row]
        }
        Values::Number(values) => values[row].is_nan() || values[row].is_finite(),
        Values::Time(values) => values[row] == MISSING_TIME || MICROS.contains(&values[row]),
        Values::Text(_) => true,
        Values::Indicator { .. } | Values::Category { .. } => false,
    }
}

/// A few rows from the ends of what training saw: for models without a table.
fn made_up(inputs: &[InputColumn]) -> Result<Frame> {
    let rows = 0..MADE_UP_ROWS;
    let column = |input: &InputColumn| {
        let (low, high) = (input.min.unwrap_or(0.0), input.max.unwrap_or(1.0));
        let last = |row: usize| row + 1 == MADE_UP_ROWS && input.missing_seen;
        let values = match input.column_type {
            ColumnType::Text => {
                let levels = input.domain.clone().filter(|domain| !domain.is_empty());
                let levels = levels.unwrap_or_else(|| vec!["a".to_owned(), "b".to_owned()]);
                let code = |row: usize| if last(row) { MISSING_CODE } else { (row % levels.len()) as u32 };
                let codes = rows.clone().map(code).collect();
                Values::Text(TextValues { codes, levels: levels.iter().map(|level| level.as_str().into()).collect() })
            }
            ColumnType::Date | ColumnType::Timestamp => {
                const DAY: i64 = 86_400_000_000;
                let micros = |row: usize| if last(row) { MISSING_TIME } else { (18_262 + row as i64) * DAY };
                Values::Time(rows.clone().map(micros).collect())
            }
            ColumnType::Boolean => {
                let value = |row: usize| if last(row) { f64::NAN } else { (row % 2) as f64 };
                Values::Number(rows.clone().map(value).collect())
            }
            whole_or_not => {
                let between = |row: usize| {
                    let value = low + (high - low) * (row as f64 / (MADE_UP_ROWS - 1) as f64);
                    let whole = matches!(whole_or_not, ColumnType::Integer | ColumnType::Time);
                    if whole { value.round().max(low) } else { value }
                };
                let value = |row: usize| if last(row) { f64::NAN } else { between(row) };
                Values::Number(rows.clone().map(value).collect())
            }
        };
        Column::raw(&input.name, values)
    };
    Frame::new(MADE_UP_ROWS, inputs.iter().map(column).collect())
}
