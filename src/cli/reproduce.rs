//! `mlops reproduce`

use anyhow::Result;
use clap::Args;
use serde_json::Value;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::evaluate::default_model;
use crate::ops::reproduce::{ReproduceOptions, ReproduceReport, reproduce};
use crate::ops::stages::Workspace;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Values longer than this are cut in the table; --json has them whole.
const VALUE_CHARACTERS_MAX: usize = 40;

/// Train a model again from what was recorded of it, and compare the bytes
///
/// Everything comes from the repository: the dataset, how its rows were divided, recipe, parameters, seed. The project file
/// and the raw file may have changed or gone. The same id again: exit 0. Another one: exit 1, with what is not as it was,
/// causes first: engine, processor, dataset, recipe, parameters, then the parts of the package. What was imported, or depended
/// on time, cannot be trained again: exit 3, with the reason. Nothing but the run of this comparison stays, unless --keep is
/// given.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops reproduce penguins@v7
  mlops reproduce penguins@champion --json
  mlops reproduce run:last
  mlops reproduce penguins@v7 --keep && mlops diff penguins@v7 run:last")]
pub struct ReproduceArgs {
    /// Model: NAME@v7, NAME@champion, an id, run:ID; what `serve` would serve when absent
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Keep the rebuilt model, also one that differs, to judge it and compare it
    #[arg(long)]
    keep: bool,
}

/// Runs the verb.
pub fn run(args: &ReproduceArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let model = match &args.model {
        Some(model) => model.clone(),
        None => {
            let project = app.project(&repo)?;
            let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
            default_model(&repo, &space.model_name())?
        }
    };
    let report = reproduce(&repo, &ReproduceOptions { model, keep: args.keep }, &app.ctx(0))?;
    app.print("reproduce", &report, |ui| show(&report, ui))?;
    Ok(if report.identical { Answer::Yes } else { Answer::No })
}

fn show(report: &ReproduceReport, ui: &Ui) -> std::io::Result<()> {
    let seconds = units::seconds(report.seconds);
    if report.identical {
        let word = ui.paint(Style::Good, "identical");
        return ui.line(&format!("{word}: {} {} trained again in {seconds}", report.model, report.id));
    }
    let word = ui.paint(Style::Bad, "different");
    ui.line(&format!(
        "{word}: {} was {}, trained again it is {}",
        report.model,
        report.id.short(),
        report.rebuilt.short()
    ))?;
    let mut table = Table::new(&["what", "recorded", "now"]);
    for difference in &report.differences {
        table.row([difference.what.clone(), short(&difference.recorded), short(&difference.now)]);
    }
    ui.table(&table)
}

/// A value in a table.
fn short(value: &Value) -> String {
    let text = match value {
        Value::Null => "–".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match text.char_indices().nth(VALUE_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}
