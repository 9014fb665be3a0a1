//! `mlops serve`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::cli::app::{Answer, App};
use crate::ops::evaluate::{default_model, open_model};
use crate::ops::stages::Workspace;
use crate::serve::{ServeOptions, ServedModel, serve};

/// Answer predictions over HTTP
///
/// Loads models into memory and answers `POST /invocations` (MLflow and SageMaker: `dataframe_records`,
/// `dataframe_split`), `GET /ping` and `GET /healthz` until it is stopped; what was accepted is finished first. A request
/// that does not fit the model gets a 400 that names the column.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops serve                                  the champion, else the newest version, else the newest trained model
  mlops serve penguins@v3 --port 9000
  curl localhost:8080/invocations -H 'content-type: application/json' \\
    -d '{\"dataframe_records\": [{\"island\": \"Dream\", \"bill_length_mm\": 46.5}]}'")]
pub struct ServeArgs {
    /// Models: NAME, NAME@v3, NAME@champion, an id, run:last; the first one answers /invocations
    #[arg(value_name = "MODEL")]
    models: Vec<String>,
    /// Address to listen on
    #[arg(long, value_name = "H")]
    host: Option<String>,
    /// Port to listen on; 0 lets the system choose
    #[arg(short, long, value_name = "P")]
    port: Option<u16>,
    /// Listen on an address that others can reach, without any check of who asks
    #[arg(long)]
    insecure: bool,
}

#[derive(Serialize)]
struct StartLine {
    url: String,
    models: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &ServeArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let references = match args.models.is_empty() {
        true => vec![default_model(&repo, &space.model_name())?],
        false => args.models.clone(),
    };
    let mut models = Vec::new();
    for reference in &references {
        let (found, _, package) = open_model(&repo, Some(reference))?;
        let name = found.name.clone().unwrap_or_else(|| space.model_name());
        models.push(ServedModel { name, version: found.version, id: found.package, package });
    }
    let names: Vec<String> = models
        .iter()
        .map(|model| model.version.map_or_else(|| model.name.clone(), |version| format!("{}@v{version}", model.name)))
        .collect();
    let options = ServeOptions {
        host: args.host.clone().unwrap_or_else(|| project.spec.serve.host.clone()),
        port: args.port.unwrap_or(project.spec.serve.port),
        threads: None,
        insecure: args.insecure,
    };
    serve(models, &options, &app.ui, &mut |address| {
        let line = StartLine { url: format!("http://{address}"), models: names.clone() };
        app.print("serve", &line, |ui| ui.line(&format!("serving {} on {}", line.models.join(", "), line.url)))
    })?;
    Ok(Answer::Yes)
}
