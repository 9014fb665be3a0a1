//! `mlops card`

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use serde::Serialize;

use crate::base::talk::Talk;
use crate::cli::app::{Answer, App};
use crate::ops::card::{CardFormat, CardOptions, CardReport, card};
use crate::ops::evaluate::default_model;
use crate::ops::stages::Workspace;

/// Make the model card of a version
///
/// What the model is and may be used for, the data it was trained on, how good it is and on whom, its gates, its
/// history, how to use and rebuild it: filled from its package, records, run, evaluation and name. What only people
/// know comes from [card] of mlops.toml as it is now: description, owner, purpose, intended_use, out_of_scope,
/// limitations, risk_rating (high, medium, low, unknown), risk_reason, business_problem, stakeholders,
/// line_of_business, ethical_considerations, recommendations and a table [card.details]. The page holds the whole
/// evaluation with its pictures, as `evaluate --report` draws them; costs, which no record keeps, aside. JSON is that
/// of Amazon SageMaker's model cards.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops card penguins@v3
  mlops card penguins@champion -o card.html
  mlops card penguins@v3 --format json -o card.json")]
pub struct CardArgs {
    /// Model: NAME, NAME@v3, NAME@champion, an id, run:last; what `serve` would serve when absent
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// md, html or json (SageMaker's model card); told by the ending of -o, else md
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// File to write; standard output when absent
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What `--json` says: the card itself where no file was asked for.
#[derive(Serialize)]
struct Written<'a> {
    model: &'a str,
    package: String,
    format: CardFormat,
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
}

/// Runs the verb.
pub fn run(args: &CardArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let ending =
        args.output.as_ref().and_then(|path| path.extension()).map(|ending| ending.to_string_lossy().into_owned());
    let format = match (&args.format, &ending) {
        (Some(format), _) => CardFormat::parse(format)?,
        (None, Some(ending)) => CardFormat::parse(ending)?,
        (None, None) => CardFormat::default(),
    };
    let model = match &args.model {
        Some(model) => model.clone(),
        None => default_model(&repo, &space.model_name())?,
    };
    let report = card(&repo, &CardOptions { model, format, written: project.spec.card.clone() })?;
    if let Some(path) = &args.output {
        let path = app.path(path);
        std::fs::write(&path, &report.text).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let file = args.output.as_ref().map(|path| path.display().to_string());
    app.print("card", &written(&report, file.clone()), |ui| match &file {
        Some(_) => Ok(()),
        None => ui.line(report.text.trim_end()),
    })?;
    if let Some(file) = file {
        app.ui.info(&format!("wrote {file}"));
    }
    Ok(Answer::Yes)
}

fn written(report: &CardReport, file: Option<String>) -> Written<'_> {
    Written {
        model: &report.model,
        package: report.package.hex(),
        format: report.format,
        text: file.is_none().then_some(report.text.as_str()),
        file,
    }
}
