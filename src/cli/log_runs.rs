//! How `mlops log` shows runs: lines, comma-separated values, Markdown.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use serde_json::Value;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::index::RunRow;
use crate::ops::runs::{RunsOptions, RunsReport, runs};
use crate::record::run::RunState;
use crate::repo::Repo;
use crate::spec::query::{Attribute, Field, Sort};
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Metrics shown of a run; the rest are in --json.
const METRICS_SHOWN: usize = 3;

/// What a listing looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns that line up.
    Lines,
    /// Comma-separated values.
    Csv,
    /// A Markdown table.
    Markdown,
}

/// Columns of every listing that was not told its columns.
const USUAL: [Attribute; 6] =
    [Attribute::Run, Attribute::Kind, Attribute::Stage, Attribute::State, Attribute::Started, Attribute::Seconds];

/// Lists runs.
pub fn show(repo: &Repo, options: &RunsOptions, form: Form, app: &App) -> Result<Answer> {
    let report = runs(repo, options, &app.ctx(0))?;
    report.notes.iter().for_each(|note| app.ui.warn(note));
    let printed = match form {
        Form::Csv => app.ui.line(&table(&report, form, &app.ui).csv()),
        Form::Markdown => app.ui.line(&table(&report, form, &app.ui).markdown()),
        Form::Lines if report.chosen && app.ui.json() => app.ui.envelope("runs", &report.by_columns()),
        Form::Lines if app.ui.json() => app.ui.envelope("runs", &report),
        Form::Lines => app.ui.table(&table(&report, form, &app.ui)),
    };
    printed.context("cannot write to standard output")?;
    if (report.runs.len() as u64) < report.matched {
        let (shown, all) = (units::count(report.runs.len() as u64), units::count(report.matched));
        app.ui.info(&format!("{shown} of {all} runs; the others with -n and --offset"));
    } else if report.runs.is_empty() && options.condition.is_some() {
        app.ui.info("no run of which this holds");
    }
    if report.trials_left_out > 0 {
        let trials = units::plural(report.trials_left_out, "trial");
        app.ui.info(&format!("{trials} left out: see them with --runs, or those of one study with --study"));
    }
    Ok(Answer::Yes)
}

fn table(report: &RunsReport, form: Form, ui: &Ui) -> Table {
    let usual = USUAL.map(Field::Attribute);
    let mut fields: Vec<Field> = match report.chosen {
        true => Vec::new(),
        false => usual.to_vec(),
    };
    fields.extend(report.fields.iter().filter(|field| report.chosen || !usual.contains(field)).cloned());
    if form == Form::Csv && !report.chosen {
        let others: Vec<Field> = report.all_fields().into_iter().filter(|field| !fields.contains(field)).collect();
        fields.extend(others);
    }
    let summary = form != Form::Csv && !report.chosen;
    let mut headings: Vec<String> = fields.iter().map(|field| heading(field, form)).collect();
    headings.extend(summary.then(|| "metrics".to_owned()));
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for run in &report.runs {
        let mut cells: Vec<String> = fields.iter().map(|field| cell(report, run, field, form, ui)).collect();
        cells.extend(summary.then(|| shown_metrics(&run.metrics)));
        table.row(cells);
    }
    table
}

fn heading(field: &Field, form: Form) -> String {
    let right = match field {
        Field::Metric(_) => true,
        Field::Attribute(attribute) => attribute.sort() == Sort::Number,
        _ => false,
    };
    let name = match field {
        Field::Attribute(Attribute::Seconds) if form != Form::Csv => "time".to_owned(),
        field => field.to_string(),
    };
    if right { format!("#{name}") } else { name }
}

fn cell(report: &RunsReport, run: &RunRow, field: &Field, form: Form, ui: &Ui) -> String {
    let value = report.cell(run, field);
    if value.is_null() {
        return String::new();
    }
    match (field, form) {
        (_, Form::Csv) => {}
        (Field::Attribute(Attribute::State), Form::Lines) => return paint_state(run.state, ui),
        (Field::Attribute(Attribute::Started | Attribute::Ended), _) => return moment(value.as_str().unwrap_or("")),
        (Field::Attribute(Attribute::Seconds | Attribute::CpuSeconds), _) => {
            return value.as_f64().map_or_else(String::new, units::seconds);
        }
        (Field::Attribute(Attribute::Memory), _) => return value.as_u64().map_or_else(String::new, units::bytes),
        (Field::Metric(_), _) => return value.as_f64().map_or_else(String::new, |number| format!("{number:.4}")),
        _ => {}
    }
    match value {
        Value::String(text) => text,
        other => other.to_string(),
    }
}

/// The state in its colour.
pub fn paint_state(state: RunState, ui: &Ui) -> String {
    let style = match state {
        RunState::Finished => Style::Good,
        RunState::Running => Style::Warn,
        RunState::Failed | RunState::Killed => Style::Bad,
    };
    ui.paint(style, state.name())
}

/// The first metrics and how many more there are.
pub fn shown_metrics(metrics: &BTreeMap<String, f64>) -> String {
    let mut words: Vec<String> =
        metrics.iter().take(METRICS_SHOWN).map(|(name, value)| format!("{name} {value:.4}")).collect();
    if metrics.len() > METRICS_SHOWN {
        words.push(format!("+{}", metrics.len() - METRICS_SHOWN));
    }
    words.join(", ")
}

/// A time stamp to the second, for people.
pub fn moment(time: &str) -> String {
    time.get(..19).unwrap_or(time).replace('T', " ")
}
