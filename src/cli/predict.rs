//! `mlops predict`

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::execute::parse_format;
use crate::ops::predict::{PredictOptions, predict};

/// Score every row of a file
///
/// Writes the input columns with `prediction` and, for classes, `probability_<class>` added, through the very code that
/// `serve` answers with. Clustering adds `cluster`, a number from 0 for the largest one of training, and `distance` from its
/// center; anomaly detection adds `anomaly`, true above the model's threshold, and `score`. Reads and writes CSV and Parquet.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops predict penguins@champion new.csv -o scored.csv
  mlops predict run:last new.parquet -o scored.parquet --keep id,island")]
pub struct PredictArgs {
    /// Model: NAME, NAME@v3, NAME@champion, an id, run:last
    #[arg(value_name = "MODEL")]
    model: String,
    /// File to score
    #[arg(value_name = "IN")]
    input: PathBuf,
    /// File to write, CSV or Parquet by its ending
    #[arg(short, long, value_name = "OUT")]
    output: PathBuf,
    /// Input columns to keep; all when absent
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    keep: Vec<String>,
    /// Write the features that the model reads instead of predictions, for a model exported without its recipe
    #[arg(long)]
    features: bool,
    /// Format of the input; told by ending and first bytes when absent
    #[arg(long, value_name = "F")]
    format: Option<String>,
}

/// Runs the verb.
pub fn run(args: &PredictArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let options = PredictOptions {
        model: Some(args.model.clone()),
        input: app.path(&args.input),
        output: app.path(&args.output),
        keep: args.keep.clone(),
        format: args.format.as_deref().map(parse_format).transpose()?,
        features: args.features,
    };
    let report = predict(&repo, &options, &app.ctx(0))?;
    app.print("predict", &report, |ui| {
        let rows = units::plural(report.rows as u64, "row");
        ui.line(&format!(
            "{}: {rows} in {} -> {}",
            report.name,
            units::seconds(report.seconds),
            report.output.display()
        ))
    })?;
    Ok(Answer::Yes)
}
