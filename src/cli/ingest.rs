//! `mlops ingest`

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::args::RoleArgs;
use crate::cli::profile_view;
use crate::config::project::Project;
use crate::data::source::ReadOptions;
use crate::ops::document::write_profile;
use crate::ops::execute::parse_format;
use crate::ops::ingest::{IngestOptions, IngestReport, ingest, summary};
use crate::ops::profile::{ProfileOptions, profile};
use crate::ops::stages::Workspace;
use crate::record::dataset::Roles;
use crate::repo::Repo;
use crate::source::partition::Window;
use crate::spec::schema::ColumnType;
use crate::term::spark::Bars;

/// Bring a raw file in as a dataset version
///
/// Stores the raw bytes (their id equals `b3sum FILE`), infers the type of every column from the whole file, and keeps
/// a typed table and an exact profile beside them. A file that has not changed is recognised and costs nothing.
/// Everything that was guessed is listed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops ingest penguins.csv --target species
  mlops ingest sales.tsv --delimiter '\\t' --null -,NA --key order_id
  mlops ingest 'logs/{YYYY}-{MM}-{DD}.csv.gz' --window 7d --name logs
  mlops ingest today.csv --name logs --append
  mlops ingest 'postgres://reader@db/shop?query=SELECT * FROM orders ORDER BY id' --name orders
  mlops ingest trips.parquet --name trips --task regression --target minutes")]
pub struct IngestArgs {
    /// Files, folders, patterns, `-` or addresses (http, s3, gs, az, sqlite, postgres), in the order of their rows
    #[arg(value_name = "SRC", required = true)]
    sources: Vec<String>,
    /// Add the rows after those of the newest version, as a new version that shares its bytes
    #[arg(long)]
    append: bool,
    /// Partitions of a pattern such as data/{YYYY}-{MM}-{DD}.csv to keep: 7d, 24h, or the newest 3
    #[arg(long, value_name = "WINDOW")]
    window: Option<String>,
    /// Most bytes fetched from elsewhere or unpacked, as 2GiB
    #[arg(long, value_name = "SIZE")]
    max_bytes: Option<String>,
    /// Show what the columns hold
    #[arg(long)]
    profile: bool,
    /// Write the profile as one HTML page, side by side with the version before
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Name of the dataset; the file's name without its ending when absent
    #[arg(long, value_name = "N")]
    name: Option<String>,
    #[command(flatten)]
    roles: RoleArgs,
    /// Format; told by ending and first bytes when absent
    #[arg(long, value_name = "F")]
    format: Option<String>,
    /// Texts that mean "missing", instead of the built-in list
    #[arg(long, value_name = "NA,…", value_delimiter = ',')]
    null: Option<Vec<String>>,
    /// Field delimiter; detected among , ; tab and | when absent
    #[arg(long, value_name = "CHAR")]
    delimiter: Option<String>,
    /// Encoding of a text table, as utf-16le or latin1; detected when absent
    #[arg(long, value_name = "LABEL")]
    encoding: Option<String>,
    /// Sheet of a workbook; the first when absent
    #[arg(long, value_name = "NAME")]
    sheet: Option<String>,
    /// Member of a zip archive; its only table when absent
    #[arg(long, value_name = "NAME")]
    member: Option<String>,
    /// Quote character of a text table; detected when absent
    #[arg(long, value_name = "CHAR")]
    quote: Option<String>,
    /// The first line holds values, not names
    #[arg(long)]
    no_header: bool,
    /// Type of a column, against the inference: NAME=integer|float|boolean|text|date|timestamp|time
    #[arg(long = "type", value_name = "COLUMN=TYPE")]
    types: Vec<String>,
}

/// Runs the verb.
pub fn run(args: &IngestArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let bytes_max = args.max_bytes.as_deref().map(units::parse_bytes).transpose()?;
    let space = Workspace { repo: &repo, root: &project.root, spec: &project.spec };
    // The reviewed schema describes the project's own dataset.
    let is_own = project
        .spec
        .data
        .as_ref()
        .is_none_or(|data| args.name == Some(space.name()) || args.sources == [data.source.clone()]);
    let wanted = if is_own { space.schema_types(&app.ui) } else { BTreeMap::new() };
    let options = IngestOptions {
        sources: args.sources.clone(),
        folder: app.path(Path::new("")),
        name: args.name.clone(),
        append: args.append,
        window: args.window.as_deref().map(Window::parse).transpose()?,
        bytes_max,
        roles: Roles {
            target: args.roles.target.clone(),
            task: args.roles.task.map(|task| task.task()),
            key: args.roles.key.clone(),
            ignore: args.roles.ignore.clone(),
            weight: args.roles.weight.clone(),
        },
        read: ReadOptions {
            format: args.format.as_deref().map(parse_format).transpose()?,
            delimiter: args.delimiter.as_deref().map(parse_delimiter).transpose()?,
            header: args.no_header.then_some(false),
            null_values: args.null.clone(),
            types: args.types.iter().map(|text| parse_type(text)).collect::<Result<_>>()?,
            quote: args.quote.as_deref().map(parse_delimiter).transpose()?,
            encoding: args.encoding.clone(),
            sheet: args.sheet.clone(),
            member: args.member.clone(),
            unpacked_bytes_max: bytes_max,
            wanted,
            ..ReadOptions::default()
        },
        roles_are_complete: false,
    };
    let report = ingest(&repo, &options, &app.ctx(project.spec.project.seed))?;
    app.print("ingest", &report, |ui| {
        let state = if report.unchanged { "unchanged" } else { "new" };
        ui.line(&format!("{} ({state})", summary(&report)))?;
        if !report.unchanged {
            ui.line(&format!("stored {}; raw file {}", units::bytes(report.stored_bytes), report.raw_id.short()))?;
        }
        Ok(())
    })?;
    describe(args, app, &repo, &project, &report)?;
    for guess in &report.guesses {
        app.ui.info(guess);
    }
    let unsupervised = args.roles.task.is_some_and(|task| !task.task().is_supervised());
    if report.target.is_none() && !unsupervised {
        app.ui.hint("say which column to predict with --target COLUMN, here or with `mlops train`");
    }
    Ok(Answer::Yes)
}

/// The profile of what was ingested, on the terminal and as a page.
fn describe(args: &IngestArgs, app: &App, repo: &Repo, project: &Project, report: &IngestReport) -> Result<()> {
    let version = |number: u32| format!("{}@v{number}", report.name);
    if !args.profile && args.report.is_none() {
        return Ok(());
    }
    let options = ProfileOptions {
        dataset: Some(version(report.version)),
        against: (report.version > 1).then(|| version(report.version - 1)),
        drift: project.spec.monitor.clone(),
        ..ProfileOptions::default()
    };
    let found = profile(repo, &options, &app.ctx(project.spec.project.seed))?;
    if let Some(path) = &args.report {
        write_profile(&found, &app.path(path))?;
    }
    // With --json the one envelope is that of the ingest; the profile has its own verb.
    if args.profile && !app.ui.json() {
        let bars = if app.environment.ascii() { Bars::Ascii } else { Bars::Blocks };
        profile_view::show(&found, bars, app.ui.verbose(), &app.ui)?;
    }
    Ok(())
}

fn parse_delimiter(text: &str) -> Result<char> {
    let mut letters = text.chars();
    match (text, letters.next(), letters.next()) {
        ("\\t" | "tab", _, _) => Ok('\t'),
        (_, Some(letter), None) if letter.is_ascii() => Ok(letter),
        _ => Err(crate::base::fail::usage(format!("`{text}` is not one character"))
            .hint("write it like --delimiter ';' or --delimiter '\\t'")
            .into()),
    }
}

fn parse_type(text: &str) -> Result<(String, ColumnType)> {
    let known = ["integer", "float", "boolean", "text", "date", "timestamp", "time"];
    let bad = || crate::base::fail::usage(format!("`{text}` is not COLUMN=TYPE")).hint("write it like --type zip=text");
    let (name, wanted) = text.rsplit_once('=').ok_or_else(bad)?;
    let read: Result<ColumnType, _> = serde_json::from_value(wanted.into());
    let column_type = read.map_err(|_| crate::base::suggest::unknown("type", wanted, known))?;
    Ok((name.to_owned(), column_type))
}
