//! `mlops export`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::export::{ExportFormat, ExportOptions, export};

/// Write a model for other tools
///
/// lightgbm and xgboost hold the trees of `boost`, `forest`, `extra_trees` and `tree`, for LightGBM 2 and XGBoost 2 and
/// later; FILE.features.json beside the file lists its columns with the levels of categories, the classes, and the recipe.
/// Where the recipe only chooses columns and numbers categories, the file reads the columns of a data frame as they are;
/// else it reads what `mlops predict --features` writes. LightGBM answers with the very bits of this tool; XGBoost keeps 32 bits,
/// so numbers that 32 bits cannot tell apart go the same way, and answers agree to about 1e-6. Averaged trees of classes have
/// no objective of these tools: there `predict` answers the probabilities as they are.
///
/// onnx holds recipe and model together: raw columns in, prediction out.
///
/// json is for reading a model in any language: one object with `header`, `recipe` and `predictor`, told by its `form`:
/// `trees` (each a list of nodes with `feature`, `at_most` or `among`, `missing`, `left`, `right`, or a `value`), `linear`
/// (`intercept`, and `coefficients` by feature), or `fields` (the arrays of any other kind, by name).
///
/// What a format cannot express is refused and named; nothing is approximated.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops export penguins@champion -o penguins.txt
  mlops export run:last --format xgboost -o model.json
  mlops export penguins --format onnx")]
pub struct ExportArgs {
    /// Model: NAME, NAME@v3, NAME@champion, an id, run:last
    #[arg(value_name = "MODEL")]
    model: String,
    /// lightgbm, xgboost, onnx or json; told by the ending of FILE when absent (.txt lightgbm, .onnx onnx)
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// File to write; named after the model in the current folder when absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
}

/// Runs the verb.
pub fn run(args: &ExportArgs, app: &App) -> Result<Answer> {
    let options = ExportOptions {
        model: args.model.clone(),
        format: args.format.as_deref().map(ExportFormat::named).transpose()?,
        output: args.output.as_ref().map(|path| app.path(path)),
        folder: app.folder.clone(),
        force: args.force,
    };
    let repo = app.repo()?;
    let report = export(&repo, &options, &app.ctx(0))?;
    app.print("export", &report, |ui| {
        let size = units::bytes(report.bytes as u64);
        ui.line(&format!("{}: {}, {size} -> {}", report.name, report.format.name(), report.output.display()))?;
        report.features_file.as_ref().map_or(Ok(()), |path| ui.line(&format!("columns -> {}", path.display())))
    })?;
    Ok(Answer::Yes)
}
