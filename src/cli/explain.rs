//! `mlops explain`

use std::io;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::base::talk::Talk;
use crate::base::units;
use crate::cli::app::{Answer, App};
use crate::ops::explain::{ExplainOptions, ExplainReport, explain};
use crate::record::explanation::{ColumnExplanation, ContributionMethod, ExplanationRecord, RowExplanation};
use crate::spec::model::Task;
use crate::term::spark::Bars;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Columns that the table shows.
const COLUMNS_SHOWN: usize = 15;
/// Pairs that are shown.
const PAIRS_SHOWN: usize = 5;
/// Columns of a single row that are shown.
const PARTS_SHOWN: usize = 12;
/// Most characters of a value.
const VALUE: usize = 40;
/// Letters of the longest bar.
const BAR: usize = 16;

/// Say what a model relies on, and why it answered a row as it did
///
/// In terms of raw columns, whatever features the recipe makes of them: how much worse the model gets when a column is
/// shuffled (permutation importance, with an interval), what each column adds to the answer for each row (Shapley
/// values), and how answers follow each column (partial dependence, accumulated local effects). Looks at the test rows
/// of the training data, or at another dataset with --on, which needs no truth but then has no permutation importance.
///
/// Contributions are exact for trees (TreeSHAP) and linear models; for other kinds and for calibrated probabilities
/// they are sampled, with a standard error, and that is said. Those of a row sum to its answer, or for boosted and
/// logistic models to its log odds, less what is expected of no row in particular. For linear models, coefficients are
/// given in raw units.
///
/// --row explains single rows, by their number counted from 1 without the header, or by a value that one row has.
/// --report writes a page (.html), a comment for a change (.md) or the numbers (.json). Equal inputs and seed give
/// equal numbers.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  mlops explain
  mlops explain titanic@champion --row 17 --row passenger_id=42
  mlops explain penguins@v3 --on new_penguins --columns island,sex
  mlops explain --interactions --report why.html --report why.md")]
pub struct ExplainArgs {
    /// Model: NAME, NAME@v3, NAME@champion, an id, run:last; the newest trained one when absent
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Another dataset to look at, all its rows
    #[arg(long, value_name = "DATA")]
    on: Option<String>,
    /// A single row to explain: its number, counted from 1 without the header, or COLUMN=VALUE; may be given more than
    /// once
    #[arg(long = "row", value_name = "N|COLUMN=VALUE")]
    single: Vec<String>,
    /// Raw columns to look at; all when absent
    #[arg(long, value_name = "COL,…", value_delimiter = ',')]
    columns: Vec<String>,
    /// Columns whose dependence is measured, the most important first
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Most rows to look at, a sample where there are more; 1000 when absent, 200 for kinds that answer slowly (knn,
    /// svm, blends)
    #[arg(long, value_name = "N")]
    rows: Option<usize>,
    /// Shuffles of each column
    #[arg(long, value_name = "N", default_value_t = 10)]
    repeats: usize,
    /// Metric that shuffled columns are judged by; the task's headline metric when absent
    #[arg(long, value_name = "NAME")]
    metric: Option<String>,
    /// Measure which columns act together; done for --report too
    #[arg(long)]
    interactions: bool,
    /// Write a document: .html, .md or .json; may be given more than once
    #[arg(long, value_name = "FILE")]
    report: Vec<PathBuf>,
    /// The one source of chance
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
}

/// Runs the verb.
pub fn run(args: &ExplainArgs, app: &App) -> Result<Answer> {
    let repo = app.repo()?;
    let project = app.project(&repo)?;
    let options = ExplainOptions {
        model: args.model.clone(),
        on: args.on.clone(),
        single: args.single.clone(),
        columns: args.columns.clone(),
        top: args.top,
        rows: args.rows,
        repeats: args.repeats,
        metric: args.metric.clone(),
        interactions: args.interactions || !args.report.is_empty(),
        report: args.report.iter().map(|path| app.path(path)).collect(),
    };
    let report = explain(&repo, &options, &app.ctx(args.seed.unwrap_or(project.spec.project.seed)))?;
    app.print("explain", &report, |ui| show(&report, args, ui))?;
    for path in &args.report {
        app.ui.info(&format!("wrote {}", path.display()));
    }
    if args.report.is_empty() && !app.ui.json() {
        app.ui.hint("see the curves of every column: --report why.html; one row: --row N");
    }
    Ok(Answer::Yes)
}

fn show(report: &ExplainReport, args: &ExplainArgs, ui: &Ui) -> io::Result<()> {
    let of = &report.record;
    if args.single.is_empty() {
        show_columns(of, ui)?;
        show_groups(of, ui)?;
    }
    if args.single.is_empty() || args.interactions {
        show_pairs(of, ui)?;
    }
    for row in &of.explained {
        show_row(of, row, ui)?;
    }
    ui.line(&foot(report))
}

fn foot(report: &ExplainReport) -> String {
    let of = &report.record;
    let rows = units::plural(of.rows, "row");
    let sum = of.contributions.as_ref().map_or_else(String::new, |method| {
        format!("; contributions {} in {}", method_words(method), margin_words(of, method))
    });
    let metric =
        of.metric.as_ref().map_or_else(String::new, |metric| format!("{} {:.4} on ", metric.name, metric.value));
    format!("{} ({}): {metric}{rows} ({}) of {}{sum}", report.name, of.model, of.rows_of, of.dataset_name)
}

fn method_words(method: &ContributionMethod) -> &'static str {
    match method.method.as_str() {
        "exact_trees" => "exact (TreeSHAP)",
        "exact_linear" => "exact (linear)",
        "sampled" => "sampled",
        _ => "exact",
    }
}

fn margin_words(of: &ExplanationRecord, method: &ContributionMethod) -> String {
    match (method.margin.as_str(), of.task.is_classification(), of.outputs.len()) {
        ("answer", ..) => of.answer.clone(),
        (_, true, 1) => format!("log odds of {}", of.outputs[0]),
        (_, true, _) => "scores of classes".to_owned(),
        (_, false, _) => format!("the logarithm of {}", of.target),
    }
}

fn show_columns(of: &ExplanationRecord, ui: &Ui) -> io::Result<()> {
    let drop = of.metric.as_ref().map_or_else(String::new, |metric| format!("#{} worse", metric.name));
    let mut headings = vec!["column", "type"];
    if of.metric.is_some() {
        headings.extend([drop.as_str(), "#± 95 %"]);
    }
    headings.extend(["#contribution", "", "dependence"]);
    let mut table = Table::new(&headings);
    let largest = of.columns.iter().filter_map(|column| column.contribution).fold(0.0, f64::max);
    for column in of.columns.iter().take(COLUMNS_SHOWN) {
        let mut cells = vec![column.name.clone(), column.column_type.name().to_owned()];
        if of.metric.is_some() {
            let drop = column.permutation.as_ref();
            cells.push(drop.map_or_else(String::new, |drop| short(drop.mean)));
            cells.push(drop.map_or_else(String::new, |drop| short((drop.high - drop.low) / 2.0)));
        }
        cells.push(column.contribution.map_or_else(String::new, short));
        cells.push(bar(column.contribution.unwrap_or(0.0), largest));
        cells.push(spark(column));
        table.row(cells);
    }
    ui.table(&table)?;
    let more = of.columns.len().saturating_sub(COLUMNS_SHOWN);
    if more > 0 {
        ui.line(&format!("… and {more} more columns (--json and --report have all)"))?;
    }
    ui.line("")
}

fn bar(value: f64, largest: f64) -> String {
    let length = if largest > 0.0 { (value / largest * BAR as f64).round() as usize } else { 0 };
    "█".repeat(length.min(BAR))
}

/// The mean answer along the column, low to high; of several classes that of the last.
fn spark(column: &ColumnExplanation) -> String {
    let Some(average) = column.dependence.as_ref().and_then(|found| found.average.last()) else {
        return String::new();
    };
    let (low, high) =
        average.iter().fold((f64::MAX, f64::MIN), |(low, high), &value| (low.min(value), high.max(value)));
    if average.len() < 2 || low >= high {
        return String::new();
    }
    // The lowest stands on the line, not below it.
    Bars::Blocks.draw(average.iter().map(|value| (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0) + 0.05))
}

fn show_groups(of: &ExplanationRecord, ui: &Ui) -> io::Result<()> {
    for group in &of.groups {
        let drop = &group.permutation;
        ui.line(&format!(
            "together: {} (association {}), shuffled as one: {} ± {}",
            group.columns.join(" + "),
            short(group.association),
            short(drop.mean),
            short((drop.high - drop.low) / 2.0)
        ))?;
    }
    if of.groups.is_empty() { Ok(()) } else { ui.line("") }
}

fn show_pairs(of: &ExplanationRecord, ui: &Ui) -> io::Result<()> {
    if of.interactions.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&["acting together", "#H²", "#size"]);
    for pair in of.interactions.iter().take(PAIRS_SHOWN) {
        table.row([format!("{} × {}", pair.a, pair.b), short(pair.h2), short(pair.strength)]);
    }
    ui.table(&table)?;
    ui.line("")
}

fn show_row(of: &ExplanationRecord, row: &RowExplanation, ui: &Ui) -> io::Result<()> {
    let at = |values: &[f64]| values.get(row.output).copied().unwrap_or(0.0);
    let output = of.outputs.get(row.output).map_or("", String::as_str);
    let chance = match of.task.is_classification() {
        true => format!(" (probability of {output}: {:.4})", at(&row.answers)),
        false => String::new(),
    };
    let truth = row.truth.as_deref().map_or_else(String::new, |truth| format!(", truly {truth}"));
    let part = row.part.as_deref().map_or_else(String::new, |part| format!(", a {part} row"));
    let key: String = row.key.iter().map(|(name, value)| format!(" {name}={value}")).collect();
    let head = format!("row {}{key}", units::count(row.row));
    let prediction = match of.task {
        Task::Regression => format!("{:.4}", at(&row.answers)),
        Task::Anomaly => format!("{} (score {:.4})", row.prediction, at(&row.answers)),
        _ => row.prediction.clone(),
    };
    ui.line(&format!("{}: {prediction}{chance}{truth}{part}", ui.paint(Style::Bold, &head)))?;
    let mut table = Table::new(&["column", "value", "#adds", ""]);
    let largest = row.contributions.iter().map(|part| at(&part.contributions).abs()).fold(0.0, f64::max);
    table.row(["(expected)".to_owned(), String::new(), short(at(&row.base)), String::new()]);
    let (shown, rest) = row.contributions.split_at(row.contributions.len().min(PARTS_SHOWN));
    for part in shown {
        let adds = at(&part.contributions);
        let sign = if adds < 0.0 { "-" } else { "+" };
        let error = part.errors.as_deref().map_or_else(String::new, |errors| format!(" ± {}", short(at(errors))));
        let value = cut(part.value.as_deref().unwrap_or("(missing)"));
        let bar = format!("{sign}{}", bar(adds.abs(), largest));
        table.row([part.column.clone(), value, format!("{sign}{}{error}", short(adds.abs())), bar]);
    }
    if !rest.is_empty() {
        let adds: f64 = rest.iter().map(|part| at(&part.contributions)).sum();
        table.row([format!("{} other columns", rest.len()), String::new(), short(adds), String::new()]);
    }
    let sum = of.contributions.as_ref().map_or_else(String::new, |method| margin_words(of, method));
    table.row([format!("= {sum}"), String::new(), short(at(&row.margin)), String::new()]);
    ui.table(&table)?;
    ui.line("")
}

/// At most [`VALUE`] characters of a value, on one line.
fn cut(value: &str) -> String {
    let plain = value.replace(char::is_control, " ");
    match plain.chars().count() > VALUE {
        true => plain.chars().take(VALUE - 1).chain(['…']).collect(),
        false => plain,
    }
}

/// Three digits that matter, without an exponent where it can be helped.
fn short(value: f64) -> String {
    let size = value.abs();
    match size {
        0.0 => "0".to_owned(),
        s if !(1e-6..1e9).contains(&s) => format!("{value:.2e}"),
        s => format!("{value:.*}", (2 - s.log10().floor() as i32).clamp(0, 8) as usize),
    }
}
