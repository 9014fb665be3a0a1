//! `mlops diff`

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::base::limits::DIFF_ROWS_SHOWN;
use crate::base::seed::Seed;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::diff_models;
use crate::data::diff::statistics::ProfileDiff;
use crate::drift::compare::DriftOptions;
use crate::drift::report::DriftReport;
use crate::ops::diff::datasets::{DatasetDiff, RowChanges, ShownChange, ShownRow};
use crate::ops::diff::pairs::PairDiff;
use crate::ops::diff::{DiffOptions, DiffReport, diff};
use crate::quality::report::percent;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Lay two datasets, runs or models side by side
///
/// Datasets: columns that came, went or changed their type, and the statistics that moved, biggest change first. With
/// --rows also the rows that were added, removed or changed; --key (else the recorded key) says which rows belong
/// together, without one whole rows are compared in any order. Values are compared by what they are worth: 1 equals 1.0, and a
/// missing value is not empty text. Runs: parameters, metrics and origins. Models: datasets, columns, recipe steps, parameters,
/// recorded metrics and slices, size, code; and both are asked about the rows that the newer one is judged on.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops diff penguins@v1 penguins@v2
  mlops diff penguins@v1 penguins@v2 --rows --key id
  mlops diff penguins@v1 penguins@v2 --rows -o changed.csv
  mlops diff run:4f2a run:last
  mlops diff penguins@v6 penguins@v7
  mlops diff dataset:penguins@v1 dataset:penguins --exit-code && echo the same")]
pub struct DiffArgs {
    /// The older dataset, run or model
    #[arg(value_name = "A")]
    old: String,
    /// The newer one
    #[arg(value_name = "B")]
    new: String,
    /// Compare rows too, of datasets
    #[arg(long)]
    rows: bool,
    /// Columns that identify a row, with --rows; the recorded key when absent
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    key: Vec<String>,
    /// Rows of each kind, and statistics, to show; counts are exact all the same
    #[arg(long, value_name = "N", default_value_t = DIFF_ROWS_SHOWN)]
    limit: usize,
    /// Write all rows that differ to a file, CSV or Parquet by its ending, with --rows
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Compare the distributions of columns, of datasets; [monitor] says how. The rows are not read
    #[arg(long)]
    drift: bool,
    /// Compare of models what was recorded only, without asking both about the rows that the newer one is judged on
    #[arg(long)]
    records: bool,
    /// Exit 1 when there are differences
    #[arg(long)]
    exit_code: bool,
}

/// Runs the verb.
pub fn run(args: &DiffArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let spec = app.project(&repo)?.spec;
    let how = DriftOptions { spec: spec.monitor, seed: Seed(spec.project.seed) };
    let options = DiffOptions {
        drift: args.drift.then_some(how),
        old: args.old.clone(),
        new: args.new.clone(),
        rows: args.rows || !args.key.is_empty() || args.output.is_some(),
        key: args.key.clone(),
        limit: args.limit,
        output: args.output.as_ref().map(|path| app.path(path)),
        records_only: args.records,
        evaluate: spec.evaluate.unwrap_or_default(),
    };
    let report = diff(&repo, &options, &app.ctx(spec.project.seed))?;
    app.print("diff", &report, |ui| match &report {
        DiffReport::Datasets(diff) => show_datasets(diff, args.limit, ui),
        DiffReport::Runs(diff) => show_pair(diff, ui),
        DiffReport::Models(diff) => diff_models::show(diff, ui),
    })?;
    Ok(if args.exit_code && !report.same() { Answer::No } else { Answer::Yes })
}

fn show_drift(report: &DriftReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["column", "test", "#statistic", "#p", "#threshold", "#effect", "outcome"]);
    let number = |value: Option<f64>| {
        value.map_or_else(String::new, |value| {
            // Rounding leaves a sign on zero.
            let text = format!("{value:.4}");
            if text == "-0.0000" { "0.0000".to_owned() } else { text }
        })
    };
    for column in &report.columns {
        let test = column.test.map_or("", |test| test.name());
        table.row([
            column.name.clone(),
            test.to_owned(),
            number(column.statistic),
            column.p_value.map_or_else(String::new, |p| format!("{p:.1e}")),
            number(column.threshold),
            number(column.effect.as_ref().map(|effect| effect.value)),
            column.outcome.name().to_owned(),
        ]);
    }
    ui.table(&table)?;
    let drifted = report.columns.iter().filter(|column| column.drifted).count();
    let verdict = if report.drifted { ui.paint(Style::Bad, "drift") } else { ui.paint(Style::Good, "no drift") };
    let of = units::plural(report.columns.len() as u64, "column");
    ui.line(&format!("{verdict}: {drifted} of {of} drifted, {} count as drift", percent(report.share)))
}

fn show_datasets(diff: &DatasetDiff, limit: usize, ui: &Ui) -> std::io::Result<()> {
    let names = format!("{} → {}", diff.old.name, diff.new.name);
    let rows = match diff.rows.old == diff.rows.new {
        true => units::plural(diff.rows.new, "row"),
        false => format!("{} → {}", units::count(diff.rows.old), units::plural(diff.rows.new, "row")),
    };
    ui.line(&format!("{}: {rows}", ui.paint(Style::Bold, &names)))?;
    show_columns(&diff.columns, ui)?;
    for role in &diff.roles {
        ui.line(&format!("~ {} {} → {}", role.role, plain(&role.old), plain(&role.new)))?;
    }
    let mut table = Table::new(&["column", "statistic", "#old", "#new", "#change"]);
    for change in diff.statistics.iter().take(limit) {
        let size = format!("{:.3}", change.change);
        table.row([change.column.clone(), change.statistic.clone(), plain(&change.old), plain(&change.new), size]);
    }
    ui.table(&table)?;
    if diff.statistics.len() > limit {
        let more = units::plural((diff.statistics.len() - limit) as u64, "smaller change");
        ui.line(&format!("… and {more} of statistics (--limit shows more)"))?;
    }
    if let Some(drift) = &diff.drift {
        show_drift(drift, ui)?;
    }
    if let Some(rows) = &diff.row_changes {
        show_rows(rows, ui)?;
    }
    match (diff.same, &diff.row_changes) {
        (true, Some(_)) => ui.line("no differences; rows may stand in another order"),
        (true, None) => ui.line("no differences"),
        (false, None) => ui.line("see the rows that differ with --rows"),
        (false, Some(_)) => Ok(()),
    }
}

pub fn show_columns(columns: &ProfileDiff, ui: &Ui) -> std::io::Result<()> {
    for column in &columns.removed {
        ui.line(&ui.paint(Style::Bad, &format!("- column {} ({})", column.name, column.column_type.name())))?;
    }
    for column in &columns.added {
        ui.line(&ui.paint(Style::Good, &format!("+ column {} ({})", column.name, column.column_type.name())))?;
    }
    for column in &columns.retyped {
        let (old, new) = (column.old.name(), column.new.name());
        ui.line(&ui.paint(Style::Warn, &format!("~ column {} {old} → {new}", column.name)))?;
    }
    if columns.reordered { ui.line("~ columns stand in another order") } else { Ok(()) }
}

fn show_rows(rows: &RowChanges, ui: &Ui) -> std::io::Result<()> {
    let how = match rows.key.is_empty() {
        true => "whole rows, in any order".to_owned(),
        false => format!("rows by {}", rows.key.join(", ")),
    };
    ui.line(&format!(
        "{how}: {} removed, {} added, {} changed, {} unchanged",
        units::count(rows.removed),
        units::count(rows.added),
        units::count(rows.changed),
        units::count(rows.unchanged)
    ))?;
    if !rows.changed_cells.is_empty() {
        let cells = rows.changed_cells.iter().map(|of| format!("{} {}", of.column, units::count(of.cells)));
        ui.line(&format!("changed values: {}", cells.collect::<Vec<_>>().join(", ")))?;
    }
    for row in &rows.removed_rows {
        ui.line(&ui.paint(Style::Bad, &row_line('-', row, rows)))?;
    }
    left_out(rows.removed, rows.removed_rows.len(), "removed", ui)?;
    for row in &rows.added_rows {
        ui.line(&ui.paint(Style::Good, &row_line('+', row, rows)))?;
    }
    left_out(rows.added, rows.added_rows.len(), "added", ui)?;
    for change in &rows.changed_rows {
        ui.line(&ui.paint(Style::Warn, &change_line(change, rows)))?;
    }
    left_out(rows.changed, rows.changed_rows.len(), "changed", ui)?;
    match &rows.output {
        Some(path) => ui.line(&format!("wrote all of them to {}", path.display())),
        None => Ok(()),
    }
}

fn left_out(all: u64, shown: usize, what: &str, ui: &Ui) -> std::io::Result<()> {
    match all.saturating_sub(shown as u64) {
        0 => Ok(()),
        more => ui.line(&format!("… and {} more {what} (--limit shows more, -o writes all)", units::count(more))),
    }
}

/// One row on one line, its key first.
fn row_line(sign: char, row: &ShownRow, rows: &RowChanges) -> String {
    let mut words: Vec<String> = rows.key.iter().filter_map(|name| word(name, &row.values)).collect();
    words.extend(row.values.keys().filter(|name| !rows.key.contains(name)).filter_map(|name| word(name, &row.values)));
    format!("{sign} row {}: {}", units::count(row.row), words.join(", "))
}

fn word(name: &str, values: &BTreeMap<String, Option<String>>) -> Option<String> {
    values.get(name).map(|value| format!("{name} {}", shown(value.as_deref())))
}

fn change_line(change: &ShownChange, rows: &RowChanges) -> String {
    let key: Vec<String> = rows.key.iter().filter_map(|name| word(name, &change.key)).collect();
    let cells = change.cells.iter().map(|cell| {
        let (old, new) = (shown(cell.old.as_deref()), shown(cell.new.as_deref()));
        format!("{} {old} → {new}", cell.column)
    });
    let (old, new) = (units::count(change.old_row), units::count(change.new_row));
    let place = if old == new { format!("row {old}") } else { format!("row {old} → {new}") };
    format!("~ {place}, {}: {}", key.join(", "), cells.collect::<Vec<_>>().join(", "))
}

/// A value as one word of a line: a missing one is named, text that would be misread is quoted.
fn shown(value: Option<&str>) -> String {
    match value {
        None => "(missing)".to_owned(),
        Some(text) if text.is_empty() || text.trim() != text || text.contains([',', '"', '→', '\n', '\r']) => {
            format!("{text:?}")
        }
        Some(text) => text.replace(char::is_control, "\u{fffd}"),
    }
}

fn show_pair(diff: &PairDiff, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["", "what", diff.old.name.as_str(), diff.new.name.as_str(), "#difference"]);
    for line in &diff.lines {
        let sign = if line.same { " " } else { "~" };
        let name = if line.group == "what" { line.name.clone() } else { format!("{}.{}", line.group, line.name) };
        let difference = line.difference.filter(|_| !line.same).map(|difference| format!("{difference:+.4}"));
        let cells = [sign.to_owned(), name, plain(&line.old), plain(&line.new), difference.unwrap_or_default()];
        table.row(cells);
    }
    ui.table(&table)?;
    if diff.same { ui.line("no differences but the occasion") } else { Ok(()) }
}

/// A JSON value as a person reads it; nothing for none.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            let value = number.as_f64().unwrap_or(f64::NAN);
            if value != 0.0 && !(1e-3..1e9).contains(&value.abs()) {
                format!("{value:.3e}")
            } else {
                format!("{value:.4}")
            }
        }
        Value::Array(items) if items.is_empty() => "–".to_owned(),
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}
