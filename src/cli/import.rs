//! `mlops import`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::TaskName;
use crate::ops::import::formats::ImportFormat;
use crate::ops::import::{ImportOptions, ImportReport, import};
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Bring in a model that another tool trained
///
/// Reads LightGBM's text format (booster.save_model), XGBoost's JSON, and ONNX of skl2onnx, onnxmltools or torch: told
/// by the file's content. The model becomes a version of NAME and is evaluated, served, predicted with and watched like
/// one that was trained here; `mlops why NAME` traces it to the file, which is kept.
///
/// Its columns are those that the file names. Their types and levels come from --schema (a schema.toml: name, type, and
/// for text `domain` in the order of the codes), else from --data, else from the file; numbers where nobody says more.
/// Names of classes come from --classes, else from the file, else from the target of --data.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops import model.txt --as penguins --data penguins
  mlops import booster.json --as churn --target churned --classes no,yes --alias candidate
  mlops import pipeline.onnx --as prices --schema inputs.toml --target price
  mlops evaluate churn@v1 --on march")]
pub struct ImportArgs {
    /// File of the other tool
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Name to register it under
    #[arg(long = "as", value_name = "NAME")]
    name: String,
    /// lightgbm, xgboost or onnx; told by the content when absent
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// Schema that declares the columns it reads
    #[arg(long, value_name = "FILE.toml")]
    schema: Option<PathBuf>,
    /// Dataset with the columns it reads; its profile is what later rows are compared with
    #[arg(long, value_name = "DATASET")]
    data: Option<String>,
    /// Column that it predicts; needed to evaluate it
    #[arg(long, value_name = "COLUMN")]
    target: Option<String>,
    /// What it predicts, where the file leaves that open
    #[arg(long, value_enum)]
    task: Option<TaskName>,
    /// Names of its classes, in the order of the model
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    classes: Vec<String>,
    /// Alias that moves to the new version; `champion` needs --force, as nobody has judged it yet
    #[arg(long, value_name = "A")]
    alias: Option<String>,
    /// Make it the champion unjudged; needs --reason
    #[arg(long)]
    force: bool,
    /// Why, for the audit log
    #[arg(long, value_name = "T")]
    reason: Option<String>,
    /// A sentence kept with the version
    #[arg(long, value_name = "T")]
    note: Option<String>,
}

/// Runs the verb.
pub fn run(args: &ImportArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let options = ImportOptions {
        file: app.path(&args.file),
        name: args.name.clone(),
        format: args.format.as_deref().map(ImportFormat::named).transpose()?,
        schema: args.schema.as_ref().map(|path| app.path(path)),
        data: args.data.clone(),
        target: args.target.clone(),
        task: args.task.map(TaskName::task),
        classes: args.classes.clone(),
        alias: args.alias.clone(),
        note: args.note.clone(),
        force: args.force,
        reason: args.reason.clone(),
    };
    let report = import(&repo, &options, &app.ctx(0))?;
    app.print("import", &report, |ui| show(&report, ui))?;
    Ok(Answer::Yes)
}

/// Columns shown; a person who wants more asks for JSON.
const SHOWN_MAX: usize = 20;

fn show(report: &ImportReport, ui: &Ui) -> std::io::Result<()> {
    if report.unchanged {
        ui.line(&format!("unchanged: {}@v{} is this file", report.name, report.version))?;
    } else {
        let columns = units::plural(report.inputs.len() as u64, "column");
        let what = format!("{} {} model, {columns}", report.format.name(), report.task.name());
        ui.line(&format!("{}@v{}: {what}, {}", report.name, report.version, report.id.short()))?;
        let mut table = Table::new(&["column", "type", "levels"]);
        for input in report.inputs.iter().take(SHOWN_MAX) {
            let levels = input.domain.as_ref().map_or_else(String::new, |domain| domain.join(", "));
            let levels: String = levels.chars().take(60).collect();
            table.row([input.name.clone(), input.column_type.name().to_owned(), levels]);
        }
        ui.table(&table)?;
        if report.inputs.len() > SHOWN_MAX {
            ui.line(&format!("  and {} more", report.inputs.len() - SHOWN_MAX))?;
        }
        let target = if report.target.is_empty() { "not named (--target)" } else { &report.target };
        ui.line(&format!("predicts: {target}"))?;
        if !report.classes.is_empty() {
            ui.line(&format!("classes: {}", report.classes.join(", ")))?;
        }
    }
    for (alias, at) in &report.aliases {
        ui.line(&format!("  {alias} -> v{at}"))?;
    }
    Ok(())
}
