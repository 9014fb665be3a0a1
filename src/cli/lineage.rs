//! `mlops log --lineage` and `--format openlineage`.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::base::fail;
use crate::base::limits::{LINEAGE_NODES, LINEAGE_NODES_MAX};
use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::cli::tree::Forest;
use crate::cli::why::{PictureArgs, titled};
use crate::index::Direction;
use crate::ops::lineage::openlineage::{self, EventOptions, EventsReport};
use crate::ops::lineage::{LineageNode, LineageOptions, LineageReport, lineage};
use crate::ops::runs::{RunsOptions, runs};
use crate::repo::Repo;
use crate::term::style::Style;
use crate::term::ui::Ui;

/// What is followed, which way, and how it is written.
#[derive(Clone, Debug, Args)]
pub struct LineageArgs {
    /// What a thing was made from, over any number of runs: a dataset, model, run, any id, or a raw file
    #[arg(long, group = "what", value_name = "REF")]
    lineage: Option<String>,
    /// Follow to origins; so without --down
    #[arg(long, requires = "lineage")]
    up: bool,
    /// Follow to what was made from it
    #[arg(long, requires = "lineage")]
    down: bool,
    /// Most runs in a row to follow
    #[arg(long, requires = "lineage", value_name = "N")]
    depth: Option<usize>,
    #[command(flatten)]
    picture: PictureArgs,
    /// Write the runs of a lineage, or all runs listed, as OpenLineage events, one a line
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Namespace of the jobs and things in OpenLineage events; `mlops://` and the folder's name when absent
    #[arg(long, requires = "format", value_name = "TEXT")]
    namespace: Option<String>,
}

/// Forms for other tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// OpenLineage 2-0-2 run events
    #[value(name = "openlineage")]
    OpenLineage,
}

impl LineageArgs {
    /// Whether any of it was asked for.
    pub fn is_asked(&self) -> bool {
        self.lineage.is_some() || self.format.is_some() || self.picture.is_asked()
    }
}

/// Follows, and prints what was found.
pub fn run(args: &LineageArgs, wanted: &RunsOptions, app: &App, repo: &Repo) -> Result<Answer> {
    let report = match &args.lineage {
        Some(reference) => Some(lineage(repo, &options(args, reference, wanted)?, &app.folder)?),
        None if args.picture.is_asked() => {
            let what = "--dot and --mermaid draw a lineage, and none is asked for";
            return Err(fail::usage(what).hint("add --lineage REF").into());
        }
        None => None,
    };
    if let Some(report) = &report {
        notes(report, app);
    }
    match (&report, args.format) {
        (report, Some(Format::OpenLineage)) => {
            let runs = match report {
                Some(report) => report.runs(),
                None => runs(repo, wanted, &app.ctx(0))?.runs.into_iter().map(|row| row.run).collect(),
            };
            let events = openlineage::events(repo, &EventOptions { runs, namespace: args.namespace.clone() })?;
            app.print("openlineage", &events, |ui| show_events(&events, ui))?;
        }
        (Some(report), None) => match args.picture.text(|| report.graph()) {
            Some(text) => app.ui.line(text.trim_end())?,
            None => app.print("lineage", report, |ui| show(report, app.environment.ascii(), ui))?,
        },
        (None, None) => {}
    }
    Ok(Answer::Yes)
}

fn options(args: &LineageArgs, reference: &str, wanted: &RunsOptions) -> Result<LineageOptions> {
    let nodes_max = wanted.limit.unwrap_or(LINEAGE_NODES);
    if nodes_max == 0 || nodes_max > LINEAGE_NODES_MAX {
        let most = units::count(LINEAGE_NODES_MAX as u64);
        return Err(fail::usage(format!("a lineage of {nodes_max} things"))
            .hint(format!("it may have 1 to {most}"))
            .into());
    }
    let directions = match (args.up, args.down) {
        (true, true) => vec![Direction::Up, Direction::Down],
        (false, true) => vec![Direction::Down],
        _ => vec![Direction::Up],
    };
    let trials = wanted.all;
    Ok(LineageOptions { reference: reference.to_owned(), directions, depth: args.depth, nodes_max, trials })
}

fn notes(report: &LineageReport, app: &App) {
    if report.cut {
        let shown = units::count(report.nodes.len() as u64);
        app.ui.warn(&format!("cut after {shown} things: there is more behind them (-n and --depth show more)"));
    }
    if report.trials_left_out > 0 {
        let trials = units::plural(report.trials_left_out, "trial");
        app.ui.info(&format!("{trials} left out: follow them too with --runs"));
    }
}

fn show(report: &LineageReport, ascii: bool, ui: &Ui) -> std::io::Result<()> {
    let count = report.nodes.len();
    let (up, down) = report.edges.split_at(report.edges_up);
    let draw = |below: Vec<Vec<usize>>| {
        let lines = report.nodes.iter().map(|node| vec![line(node, ui)]).collect();
        Forest { lines, below }.draw(&[0], ascii).iter().try_for_each(|line| ui.line(line))
    };
    let both = report.direction == "both";
    if report.direction != "down" {
        if both {
            ui.line("made from")?;
        }
        let mut below = vec![Vec::new(); count];
        up.iter().for_each(|edge| push(&mut below[edge.to], edge.from));
        draw(below)?;
    }
    if report.direction != "up" {
        if both {
            ui.line("")?;
            ui.line("made of it")?;
        }
        let mut below = vec![Vec::new(); count];
        down.iter().for_each(|edge| push(&mut below[edge.from], edge.to));
        draw(below)?;
    }
    Ok(())
}

/// A run may have read one thing in two roles.
fn push(below: &mut Vec<usize>, at: usize) {
    if below.last() != Some(&at) {
        below.push(at);
    }
}

fn line(node: &LineageNode, ui: &Ui) -> String {
    let id = if node.kind == "run" { format!(" {}", node.id) } else { String::new() };
    let title = titled(&node.kind, &node.name, ui);
    format!("{title}{id}  {}", ui.paint(Style::Dim, &node.headline())).trim_end().to_owned()
}

fn show_events(report: &EventsReport, ui: &Ui) -> std::io::Result<()> {
    report.events.iter().try_for_each(|event| ui.line(&event.to_string()))
}
