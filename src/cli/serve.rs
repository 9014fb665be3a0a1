//! `mlops serve`

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::check::CheckReport;
use crate::ops::evaluate::{default_model, open_model};
use crate::ops::mark::warn_if_closed;
use crate::ops::stages::Workspace;
use crate::repo::Repo;
use crate::serve::check::check;
use crate::serve::{ServeOptions, ServedModel, serve};
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Answer predictions over HTTP
///
/// Loads models into memory and answers `POST /invocations` (MLflow and SageMaker: `dataframe_records`,
/// `dataframe_split`), `GET /ping` and `GET /healthz` until it is stopped; what was accepted is finished first. A request
/// that does not fit the model gets a 400 that names the column.
///
/// --check starts the server on a free port of this machine, asks it about rows that the first model was judged on in every
/// form it understands, compares each answer with that of `mlops predict` to the last bit, and stops; exit 1 when one
/// differs or the package cannot be loaded. `mlops register` does the same before a version exists.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops serve                                  the champion, else the newest version, else the newest trained model
  mlops serve penguins@v3 --port 9000
  mlops serve --check penguins@v3
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
    /// Ask a server on a free port about a few rows, compare, and stop
    #[arg(long)]
    check: bool,
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
    if args.check {
        return check_each(&repo, &references, app);
    }
    let mut models = Vec::new();
    for reference in &references {
        let (found, _, package) = open_model(&repo, Some(reference))?;
        warn_if_closed(&repo, &found, &app.ui)?;
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

#[derive(Serialize)]
struct CheckReports {
    passed: bool,
    checks: Vec<CheckReport>,
}

fn check_each(repo: &Repo, references: &[String], app: &App) -> Result<Answer> {
    let one = |reference: &String| check(repo, &repo.resolve_model(reference)?, &app.ctx(0));
    let checks = references.iter().map(one).collect::<Result<Vec<_>>>()?;
    let report = CheckReports { passed: checks.iter().all(|check| check.passed), checks };
    app.print("serve_check", &report, |ui| report.checks.iter().try_for_each(|check| show_check(check, ui)))?;
    Ok(if report.passed { Answer::Yes } else { Answer::No })
}

fn show_check(report: &CheckReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["request", "#rows", "answer"]);
    for protocol in &report.protocols {
        let answer = protocol.why.clone().unwrap_or_else(|| "as `mlops predict`, bit for bit".to_owned());
        let style = if protocol.same { Style::Good } else { Style::Bad };
        table.row([protocol.name.clone(), protocol.rows.to_string(), ui.paint(style, &answer)]);
    }
    if !report.protocols.is_empty() {
        ui.table(&table)?;
    }
    let style = if report.passed { Style::Good } else { Style::Bad };
    let verdict = ui.paint(style, if report.passed { "pass" } else { "fail" });
    ui.line(&format!("{verdict}: {}: {}", report.model, check_in_words(report)))
}

/// The check in one sentence.
pub fn check_in_words(report: &CheckReport) -> String {
    if let Some(why) = report.why.as_ref().filter(|_| !report.passed) {
        return why.clone();
    }
    let latency = match (report.latency_p50_ms, report.latency_p99_ms) {
        (Some(p50), Some(p99)) => format!(", one row in {p50:.2} ms (p50), {p99:.2} ms (p99)"),
        _ => String::new(),
    };
    let rows = units::plural(report.rows as u64, "row");
    let rows_of = if report.rows_of == "made up" { "made up" } else { &format!("of {}", report.rows_of) };
    format!("a server answers {rows} ({rows_of}) as predict does{latency}")
}
