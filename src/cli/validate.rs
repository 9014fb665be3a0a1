//! `mlops validate`

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::schema_help::schema_help;
use crate::config::project::{Project, find_root};
use crate::ops::document::{ValidationWords, annotations, write_validation};
use crate::ops::stages::Workspace;
use crate::ops::subject::Origin;
use crate::ops::validate::{
    SchemaReport, SplitFiles, ValidateOptions, ValidateReport, accept_findings, counted, init_schema, validate,
    validate_file,
};
use crate::quality::report::Finding;
use crate::record::evaluation::Verdict;
use crate::spec::schema::Severity;
use crate::term::style::Style;
use crate::term::ui::Ui;

/// Check a dataset or a raw file against its reviewed schema
///
/// Finds missing and new columns, wrong types, missing values, values outside their range, domain or pattern, statistics
/// outside their bounds, broken rules over several columns, duplicates and outliers: all of them, in one pass, with sample
/// rows and the edit that settles each. Exits 1 when a finding is at least as bad as --fail-on, so that a bad table stops a
/// pipeline or a merge. --init writes the schema from the data for people to review; --accept widens it and keeps what
/// people wrote. A file that was not ingested is read in memory, checked, and leaves no trace.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, after_long_help = schema_help(EXAMPLES))]
pub struct ValidateArgs {
    /// Dataset or file to check; the newest dataset when absent
    #[arg(value_name = "DATA")]
    dataset: Option<String>,
    /// Write the schema from the data
    #[arg(long)]
    init: bool,
    /// With --init: replace a schema that is there
    #[arg(long, requires = "init")]
    force: bool,
    /// Widen the schema so that these findings do not recur; all errors and warnings when none is named
    #[arg(long, value_name = "CODE[:COLUMN]", num_args = 0.., conflicts_with = "init")]
    accept: Option<Vec<String>>,
    /// Write the rows that pass to GOOD and those that do not to BAD (.csv or .parquet), with the reasons in `_findings`
    #[arg(long, value_names = ["GOOD", "BAD"], num_args = 2, conflicts_with_all = ["init", "accept"])]
    split: Option<Vec<PathBuf>>,
    /// Environment to judge in: `training`, `serving` or one that the schema names
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Compare the distributions with those of this dataset, as `penguins@v1`; [monitor] says how
    #[arg(long, value_name = "REF")]
    against: Option<String>,
    /// Look for rows of this dataset, usually the training rows, in the table
    #[arg(long, value_name = "REF")]
    overlap: Option<String>,
    /// Judge rows as a whole with an isolation forest, however many there are
    #[arg(long, conflicts_with = "rules_only")]
    isolation: bool,
    /// Check the rules of the schema alone, and look for nothing else
    #[arg(long)]
    rules_only: bool,
    /// Write the report to a file: .html, .md, .xml (JUnit) or .json; may be given more than once
    #[arg(long, value_name = "FILE", conflicts_with_all = ["init", "accept"])]
    report: Vec<PathBuf>,
    /// Print annotations of the schema file for a workflow on GitHub
    #[arg(long, conflicts_with_all = ["init", "accept"])]
    annotate: bool,
    /// The schema file
    #[arg(long, value_name = "FILE")]
    schema: Option<PathBuf>,
    /// Severity from which the verdict is `fail`, and from which a finding condemns a row
    #[arg(long, value_enum, value_name = "SEVERITY")]
    fail_on: Option<FailOn>,
}

const EXAMPLES: &str = "Examples:
  mlops validate --init                        write schema.toml, then review it
  mlops validate penguins@v3                   exit 1 if it breaks the schema
  mlops validate new.csv --environment serving check a file that is not ingested
  mlops validate --split good.csv bad.csv      put the failing rows aside
  mlops validate --accept ENUM_TYPE_UNEXPECTED_STRING_VALUES:island";

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
    let file = args.dataset.as_ref().map(|given| app.path(given.as_ref())).filter(|path| path.is_file());
    let Some(file) = file else {
        let repo = app.repo()?;
        let project = app.project(&repo)?;
        let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
        let options = options(args, app, &project, Some(space.name()));
        return act(args, app, &project, &options, &Origin::Stored(&repo));
    };
    // No repository is needed; a project file above says where the schema is.
    let root = find_root(&app.folder).unwrap_or_else(|| app.folder.clone());
    let project = Project::load(&root, &app.environment)?;
    let options = options(args, app, &project, None);
    act(args, app, &project, &options, &Origin::File(&file))
}

fn options(args: &ValidateArgs, app: &App, project: &Project, default_name: Option<String>) -> ValidateOptions {
    let written = project.spec.validate.clone().unwrap_or_default();
    ValidateOptions {
        dataset: args.dataset.clone(),
        default_name,
        schema: args.schema.as_ref().map_or_else(|| project.root.join(&written.schema), |path| app.path(path)),
        fail_on: match args.fail_on {
            Some(FailOn::Error) => Severity::Error,
            Some(FailOn::Warning) => Severity::Warning,
            None => written.fail_on,
        },
        environment: args.environment.clone().unwrap_or(written.environment),
        sense: written.sense && !args.rules_only,
        isolation: args.isolation,
        against: args.against.clone().or(written.against),
        overlap: args.overlap.clone(),
        drift: project.spec.monitor.clone(),
        seed: project.spec.project.seed,
        split: args.split.as_ref().map(|files| SplitFiles { good: app.path(&files[0]), bad: app.path(&files[1]) }),
    }
}

fn act(
    args: &ValidateArgs,
    app: &App,
    project: &Project,
    options: &ValidateOptions,
    origin: &Origin<'_>,
) -> Result<Answer> {
    let ctx = app.ctx(project.spec.project.seed);
    if args.init {
        let report = init_schema(origin, options, args.force, &ctx)?;
        app.print("schema", &report, |ui| show_schema(&report, ui))?;
        return Ok(Answer::Yes);
    }
    if let Some(wanted) = &args.accept {
        let report = accept_findings(origin, options, wanted, &ctx)?;
        app.print("schema", &report, |ui| show_schema(&report, ui))?;
        return Ok(Answer::Yes);
    }
    let report = match origin {
        Origin::File(path) => {
            let compares = options.against.is_some() || options.overlap.is_some();
            let repo = if compares { Some(app.repo()?) } else { None };
            validate_file(path, repo.as_ref(), options, &ctx)?
        }
        Origin::Stored(repo) => validate(repo, options, &ctx)?,
    };
    let words = ValidationWords { root: &project.root, against: options.against.as_deref(), fail_on: options.fail_on };
    let reports: Vec<PathBuf> = args.report.iter().map(|path| app.path(path)).collect();
    write_validation(&report, &words, &reports)?;
    app.print("validate", &report, |ui| show(&report, ui))?;
    if args.annotate {
        let text = annotations(&report, &words)?;
        text.lines().try_for_each(|line| app.ui.line(line))?;
    }
    if report.verdict != Verdict::Fail {
        return Ok(Answer::Yes);
    }
    app.ui.hint("correct the data, or accept a finding: each names the command");
    Ok(Answer::No)
}

/// Characters of a line when nothing says how wide the terminal is.
const WIDTH: usize = 80;
/// Sample rows shown of one finding.
const SHOWN_ROWS: usize = 5;

fn show(report: &ValidateReport, ui: &Ui) -> io::Result<()> {
    for finding in &report.findings {
        show_finding(finding, ui)?;
    }
    let style = if report.verdict == Verdict::Fail { Style::Bad } else { Style::Good };
    let verdict = ui.paint(style, report.verdict.name());
    let rows = units::plural(report.rows, "row");
    let place = if report.environment == "training" { String::new() } else { format!(" as {}", report.environment) };
    ui.line(&format!("{}{place}: {verdict}, {} in {rows}", report.dataset, counted(&report.counts)))?;
    if let Some(split) = &report.split {
        for (rows, path) in [(split.rows_good, &split.good), (split.rows_bad, &split.bad)] {
            ui.line(&format!("wrote {} to {}", units::plural(rows, "row"), path.display()))?;
        }
    }
    Ok(())
}

fn show_finding(finding: &Finding, ui: &Ui) -> io::Result<()> {
    let style = match finding.severity {
        Severity::Error => Style::Bad,
        Severity::Warning => Style::Warn,
        Severity::Info => Style::Code,
    };
    let place = finding.column.as_ref().or(finding.rule.as_ref()).map_or("table", String::as_str);
    let severity = ui.paint(style, &format!("{:<7}", finding.severity.name()));
    ui.line(&format!("{severity}  {}  {place}", finding.code))?;
    let mut lines = vec![("found", finding.observed.clone()), ("expected", finding.expected.clone())];
    if !finding.rows.is_empty() {
        let shown = finding.rows.iter().enumerate().take(SHOWN_ROWS).map(|(at, row)| match finding.samples.get(at) {
            Some(sample) if !sample.is_empty() => format!("{row} ({sample})"),
            _ => row.to_string(),
        });
        let mut text = shown.collect::<Vec<_>>().join(", ");
        if finding.count > SHOWN_ROWS as u64 {
            text.push_str(", …");
        }
        lines.push(("rows", text));
    }
    lines.push(("fix", finding.fix.clone()));
    for (word, text) in lines {
        for (at, line) in wrapped(&text, WIDTH - 19).iter().enumerate() {
            let word = if at == 0 { word } else { "" };
            ui.line(&format!("         {word:<9} {line}"))?;
        }
    }
    Ok(())
}

/// Lines of at most `width` characters; a word that is longer has a line of its own.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split([' ', '\n', '\r', '\t']) {
        let line = lines.last_mut().expect("there is a first line");
        if line.is_empty() {
            line.push_str(word);
        } else if line.chars().count() + 1 + word.chars().count() <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

fn show_schema(report: &SchemaReport, ui: &Ui) -> io::Result<()> {
    for name in &report.accepted {
        ui.line(&format!("accepted {name}"))?;
    }
    let columns = units::plural(report.columns as u64, "column");
    ui.line(&format!("wrote {}: {columns}, from {}", report.schema.display(), report.dataset))
}
