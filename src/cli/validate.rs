//! `mlops validate`

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::stages::Workspace;
use crate::ops::validate::{
    SchemaReport, ValidateOptions, ValidateReport, accept_findings, finding_name, init_schema, validate,
};
use crate::record::evaluation::Verdict;
use crate::spec::schema::Severity;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Check a dataset against its reviewed schema
///
/// Finds missing and new columns, wrong types, missing values, values outside their range or domain, duplicates and
/// outliers: all of them, in one pass. Exits 1 when a finding is at least as bad as --fail-on, so that a bad table stops
/// a pipeline or a merge. --init writes the schema from the data for people to review; --accept widens it.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops validate --init                        write schema.toml, then review it
  mlops validate penguins@v3                   exit 1 if it breaks the schema
  mlops validate --accept ENUM_TYPE_UNEXPECTED_STRING_VALUES:island")]
pub struct ValidateArgs {
    /// Dataset to check; the newest one when absent
    #[arg(value_name = "DATA")]
    dataset: Option<String>,
    /// Write the schema from the data
    #[arg(long)]
    init: bool,
    /// With --init: replace a schema that is there
    #[arg(long, requires = "init")]
    force: bool,
    /// Widen the schema so that these findings do not recur; all when none is named
    #[arg(long, value_name = "CODE[:COLUMN]", num_args = 0.., conflicts_with = "init")]
    accept: Option<Vec<String>>,
    /// The schema file
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Severity from which the verdict is `fail`
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

/// Severities that can fail a table.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum FailOn {
    /// Only what breaks the schema
    Error,
    /// Also what is suspicious
    Warning,
}

/// Runs the verb.
pub fn run(args: &ValidateArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let written = project.spec.validate.clone().unwrap_or_default();
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    let options = ValidateOptions {
        dataset: args.dataset.clone(),
        default_name: Some(space.name()),
        schema: args.schema.as_ref().map_or_else(|| space.path(&written.schema), |path| app.path(path)),
        fail_on: match args.fail_on {
            Some(FailOn::Error) => Severity::Error,
            Some(FailOn::Warning) => Severity::Warning,
            None => written.fail_on,
        },
    };
    let ctx = app.ctx(project.spec.project.seed);
    if args.init {
        let report = init_schema(&repo, &options, args.force, &ctx)?;
        app.print("schema", &report, |ui| show_schema(&report, ui))?;
        return Ok(Answer::Yes);
    }
    if let Some(wanted) = &args.accept {
        let report = accept_findings(&repo, &options, wanted, &ctx)?;
        app.print("schema", &report, |ui| show_schema(&report, ui))?;
        return Ok(Answer::Yes);
    }
    let report = validate(&repo, &options, &ctx)?;
    app.print("validate", &report, |ui| show(&report, ui))?;
    if let Some(finding) = report.findings.iter().find(|_| report.verdict == Verdict::Fail) {
        app.ui.hint(&format!("correct the data, or accept it: `mlops validate --accept {}`", finding_name(finding)));
    }
    Ok(if report.verdict == Verdict::Fail { Answer::No } else { Answer::Yes })
}

fn show(report: &ValidateReport, ui: &Ui) -> std::io::Result<()> {
    let mut table = Table::new(&["severity", "code", "column", "observed", "expected", "#rows", "first at"]);
    for finding in &report.findings {
        let first: Vec<String> = finding.rows.iter().take(3).map(u64::to_string).collect();
        table.row([
            finding.severity.name().to_owned(),
            finding.code.clone(),
            finding.column.clone().unwrap_or_default(),
            finding.observed.clone(),
            finding.expected.clone(),
            units::count(finding.count),
            first.join(", "),
        ]);
    }
    ui.table(&table)?;
    let style = if report.verdict == Verdict::Fail { Style::Bad } else { Style::Good };
    let verdict = ui.paint(style, report.verdict.name());
    let findings = units::plural(report.findings.len() as u64, "finding");
    ui.line(&format!("{}: {verdict}, {findings} in {}", report.dataset, units::plural(report.rows, "row")))
}

fn show_schema(report: &SchemaReport, ui: &Ui) -> std::io::Result<()> {
    for name in &report.accepted {
        ui.line(&format!("accepted {name}"))?;
    }
    let columns = units::plural(report.columns as u64, "column");
    ui.line(&format!("wrote {}: {columns}, from {}", report.schema.display(), report.dataset))
}
