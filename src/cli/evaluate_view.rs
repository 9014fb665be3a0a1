//! What an evaluation looks like in a terminal: how good, on whom, against whom, and the verdict last.

use std::collections::BTreeMap;
use std::io;

use crate::base::units;
use crate::ops::evaluate::EvaluateReport;
use crate::ops::evaluate::report::Words;
use crate::record::evaluation::{ConfusionMatrix, Judgement, ModelComparison, SliceResult, Verdict};
use crate::render::escape::shortened;
use crate::render::evaluation::figures::{figure, interval, signed};
use crate::render::evaluation::{
    EvaluationDocument, beyond_chance, cost_words, disturbance_words, slice_difference_name, slice_name,
};
use crate::render::number::percent;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Characters of a line.
const WIDTH: usize = 80;
/// Metrics shown without `-v`.
const METRICS: usize = 12;
/// Classes of a confusion that fit a line.
const CLASSES: usize = 8;
/// Slices shown without `-v`.
const SLICES: usize = 12;
/// Worst slices, and slices that got worse, shown without `-v`.
const WORST: usize = 5;
/// Metrics of a slice beside the headline.
const SLICE_METRICS: usize = 2;
/// Disturbances shown without `-v`.
const DISTURBANCES: usize = 8;
/// Characters of a name, of a metric beside its values, and of a slice beside its metrics.
const NAME: usize = 30;
const METRIC_NAME: usize = 26;
const SLICE_NAME: usize = 26;
/// Characters of a heading of numbers.
const HEADING: usize = 12;

/// Prints everything, at most [`WIDTH`] characters wide; what is left out is counted and its place named.
pub fn show(report: &EvaluateReport, ui: &Ui) -> io::Result<()> {
    let words = Words::of(report);
    let document = words.document(report);
    let of = &report.judgement;
    metrics(&document, ui)?;
    if let Some(matrix) = &of.confusion {
        confusion(matrix, ui)?;
    }
    slices(&document, "slice", &of.slices, SLICES, ui)?;
    slices(&document, "worst slices", &of.worst_slices, WORST, ui)?;
    if let Some(other) = &of.comparison {
        comparison(other, ui)?;
    }
    facets(of, ui)?;
    robustness(of, ui)?;
    costs(&report.costs, ui)?;
    findings(of, ui)?;
    gates(of, ui)?;
    let style = match of.verdict {
        Verdict::Pass => Style::Good,
        Verdict::Fail => Style::Bad,
        Verdict::None => Style::Dim,
    };
    let rows = shortened(&plain(&document.rows_words()), WIDTH);
    ui.line(&format!("verdict: {}; {}", ui.paint(style, of.verdict.name()), document.verdict_words()))?;
    let Some(id) = &report.model else {
        return ui.line(&format!("{rows}; answers from a file"));
    };
    let id = id.short();
    let model = if report.name == id { id } else { format!("{} ({id})", shortened(&report.name, NAME)) };
    flowing(&format!("{rows}; model {model}"), ui)
}

/// Text of the data on one line, without what would move the cursor.
fn plain(text: &str) -> String {
    text.replace(char::is_control, " ")
}

fn cell(text: &str) -> String {
    shortened(&plain(text), NAME)
}

/// How many of `all` are shown, and the sentence about the rest.
fn cut(all: usize, most: usize, what: &str, ui: &Ui) -> (usize, String) {
    let shown = if ui.verbose() { all } else { all.min(most) };
    let rest = (all - shown) as u64;
    (
        shown,
        if rest > 0 {
            format!("… and {} (-v, --json and --report have all)", units::plural(rest, what))
        } else {
            String::new()
        },
    )
}

fn finish(table: &Table, more: &str, ui: &Ui) -> io::Result<()> {
    ui.table(table)?;
    if !more.is_empty() {
        ui.line(more)?;
    }
    ui.line("")
}

fn metrics(document: &EvaluationDocument<'_>, ui: &Ui) -> io::Result<()> {
    let of = document.judgement;
    let names = document.metric_names();
    let (shown, more) = cut(names.len(), METRICS, "more metric", ui);
    let level = of.interval_method.as_ref().map_or_else(|| "interval".to_owned(), |method| percent(method.level));
    let mut headings = vec!["metric", "#value"];
    headings.extend((!of.intervals.is_empty()).then_some(level.as_str()));
    headings.extend(of.baseline.as_ref().map(|_| "#baseline"));
    headings.extend(of.comparison.iter().flat_map(|_| ["#against", "#change", ""]));
    let mut table = Table::new(&headings);
    for name in &names[..shown] {
        let mut cells = vec![
            shortened(&plain(name), METRIC_NAME),
            of.metrics.get(*name).map_or_else(String::new, |value| figure(*value)),
        ];
        if !of.intervals.is_empty() {
            cells.push(of.intervals.get(*name).map_or_else(String::new, interval));
        }
        if let Some(baseline) = &of.baseline {
            cells.push(baseline.get(*name).map_or_else(String::new, |value| figure(*value)));
        }
        if let Some(other) = &of.comparison {
            let change = other.metrics.get(*name);
            cells.push(other.other_metrics.get(*name).map_or_else(String::new, |value| figure(*value)));
            cells.push(change.map_or_else(String::new, |change| signed(change.difference)));
            cells.push(change.map_or_else(String::new, |change| beyond_chance(change).to_owned()));
        }
        table.row(cells);
    }
    finish(&table, &more, ui)
}

fn confusion(of: &ConfusionMatrix, ui: &Ui) -> io::Result<()> {
    let count = of.classes.len();
    if count > CLASSES {
        return ui.line(&format!("confusion of {count} classes: see --json or --report\n"));
    }
    // Numbers and a space each; the true class gets what is left.
    let most = ((WIDTH - 18) / count.max(1)).saturating_sub(1).clamp(4, 16);
    let name = |class: &str| shortened(&plain(class), most);
    let headings: Vec<String> = std::iter::once("true \\ predicted".to_owned())
        .chain(of.classes.iter().map(|class| format!("#{}", name(class))))
        .collect();
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    for (class, counts) in of.classes.iter().zip(&of.counts) {
        let first = shortened(&plain(class), 16);
        table.row(std::iter::once(first).chain(counts.iter().map(|count| units::count(*count))));
    }
    finish(&table, "", ui)
}

/// Slices with the headline metric, its interval, and the next metrics that they have.
fn slices(
    document: &EvaluationDocument<'_>,
    what: &str,
    slices: &[SliceResult],
    most: usize,
    ui: &Ui,
) -> io::Result<()> {
    if slices.is_empty() {
        return Ok(());
    }
    let headline = document.judgement.headline.as_str();
    let there = |name: &&str| *name != headline && slices.iter().any(|slice| slice.metrics.contains_key(*name));
    let sure = slices.iter().any(|slice| slice.intervals.contains_key(headline));
    let most_beside = if sure { SLICE_METRICS - 1 } else { SLICE_METRICS };
    let beside: Vec<&str> = document.metric_names().into_iter().filter(there).take(most_beside).collect();
    let mut headings = vec![what.to_owned(), "#rows".to_owned(), format!("#{}", shortened(&plain(headline), HEADING))];
    headings.extend(sure.then(|| "interval".to_owned()));
    headings.extend(beside.iter().map(|name| format!("#{}", shortened(&plain(name), HEADING))));
    let mut table = Table::new(&headings.iter().map(String::as_str).collect::<Vec<_>>());
    let (shown, more) = cut(slices.len(), most, "more slice", ui);
    for slice in &slices[..shown] {
        let value = |name: &str| slice.metrics.get(name).map_or_else(String::new, |value| figure(*value));
        let mut cells =
            vec![shortened(&plain(&slice_name(slice)), SLICE_NAME), units::count(slice.rows), value(headline)];
        cells.extend(sure.then(|| slice.intervals.get(headline).map_or_else(String::new, interval)));
        cells.extend(beside.iter().map(|name| value(name)));
        table.row(cells);
    }
    finish(&table, &more, ui)
}

fn comparison(other: &ModelComparison, ui: &Ui) -> io::Result<()> {
    let all = other.wins.saturating_add(other.losses).saturating_add(other.ties);
    if all > 0 {
        let flips =
            other.flip_rate.map_or_else(String::new, |rate| format!("; {} of rows change class", percent(rate)));
        let counts = [other.wins, other.losses, other.ties].map(units::count);
        let [wins, losses, ties] = counts;
        let name = cell(&other.name);
        flowing(&format!("against {name}: {wins} rows better, {losses} worse, {ties} the same{flips}"), ui)?;
    }
    if other.worse_slices.is_empty() {
        return if all > 0 { ui.line("") } else { Ok(()) };
    }
    let mut table = Table::new(&["slices that got worse", "#rows", "metric", "#before", "#now", "#change", ""]);
    let (shown, more) = cut(other.worse_slices.len(), WORST, "more slice", ui);
    for slice in &other.worse_slices[..shown] {
        let change = &slice.difference;
        let numbers = [figure(change.other), figure(change.value), signed(change.difference)];
        let head = [
            shortened(&plain(&slice_difference_name(slice)), SLICE_NAME),
            units::count(slice.rows),
            shortened(&plain(&slice.metric), HEADING),
        ];
        table.row(head.into_iter().chain(numbers).chain([beyond_chance(change).to_owned()]));
    }
    finish(&table, &more, ui)
}

fn facets(of: &Judgement, ui: &Ui) -> io::Result<()> {
    for facet in &of.facets {
        let (rows, all) = (units::plural(facet.rows, "row"), units::count(facet.rows.saturating_add(facet.rest)));
        let (name, good) = (cell(&format!("{}={}", facet.column, facet.value)), cell(&facet.favourable));
        flowing(&format!("facet {name} ({rows} of {all}; favourable: {good})"), ui)?;
        for (kind, measures) in [("data", &facet.pre_training), ("answers", &facet.post_training)] {
            let words: Vec<String> =
                measures.iter().map(|(name, value)| format!("{name} {}", signed(*value))).collect();
            if !words.is_empty() {
                wrapped(&format!("{kind:<9}"), &words, "  ", ui)?;
            }
        }
        ui.line("")?;
    }
    Ok(())
}

/// Words after a heading, on as many lines as they need, lines after the first moved in.
fn wrapped(head: &str, words: &[String], between: &str, ui: &Ui) -> io::Result<()> {
    let mut line = format!("  {head}");
    let empty = line.chars().count();
    for word in words {
        let long = line.chars().count() + between.len() + word.chars().count();
        if long > WIDTH && line.chars().count() > empty {
            ui.line(line.trim_end())?;
            line = " ".repeat(empty);
        }
        if line.chars().count() > empty {
            line.push_str(between);
        }
        line.push_str(word);
    }
    ui.line(line.trim_end())
}

/// A line that goes on, moved in, where it is too long.
fn flowing(text: &str, ui: &Ui) -> io::Result<()> {
    let mut line = String::new();
    for word in text.split(' ') {
        if line.chars().count() + 1 + word.chars().count() > WIDTH && !line.is_empty() {
            ui.line(&line)?;
            line = " ".to_owned();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    ui.line(&line)
}

/// A sentence made of data, wrapped.
fn sentence(head: &str, text: &str, ui: &Ui) -> io::Result<()> {
    const LONGEST: usize = 600;
    let words: Vec<String> = shortened(&plain(text), LONGEST).split_whitespace().map(str::to_owned).collect();
    wrapped(head, &words, " ", ui)
}

fn robustness(of: &Judgement, ui: &Ui) -> io::Result<()> {
    let mut table = Table::new(&["disturbance", "column", "metric", "#before", "#after", "#±"]);
    let (shown, more) = cut(of.robustness.len(), DISTURBANCES, "more disturbance", ui);
    for result in &of.robustness[..shown] {
        table.row([
            disturbance_words(&result.kind, result.amount),
            shortened(&plain(result.column.as_deref().unwrap_or("all")), HEADING),
            shortened(&plain(&result.metric), 10),
            figure(result.before),
            figure(result.after),
            result.deviation.map_or_else(String::new, figure),
        ]);
    }
    if table.is_empty() { Ok(()) } else { finish(&table, &more, ui) }
}

fn costs(costs: &BTreeMap<String, f64>, ui: &Ui) -> io::Result<()> {
    if costs.is_empty() {
        return Ok(());
    }
    let words: Vec<String> = costs.iter().map(|(name, value)| format!("{name} {}", cost_words(name, *value))).collect();
    wrapped("costs:", &words, "  ", ui)?;
    ui.line("")
}

fn findings(of: &Judgement, ui: &Ui) -> io::Result<()> {
    for finding in &of.findings {
        let style = if finding.severity == "error" { Style::Bad } else { Style::Warn };
        ui.line(&format!("{} {}", ui.paint(style, &cell(&finding.severity)), cell(&finding.code)))?;
        sentence("", &finding.message, ui)?;
    }
    if of.findings.is_empty() { Ok(()) } else { ui.line("") }
}

fn gates(of: &Judgement, ui: &Ui) -> io::Result<()> {
    const LONGEST: usize = 50;
    if of.gates.is_empty() {
        return Ok(());
    }
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), figure);
    let mut table = Table::new(&["gate", "#value", "#bound", "verdict"]);
    for gate in &of.gates {
        let expression = shortened(&plain(&gate.expression), LONGEST);
        table.row([expression, number(gate.value), number(gate.bound), gate.verdict.name().to_owned()]);
    }
    ui.table(&table)?;
    for gate in of.gates.iter().filter(|gate| gate.verdict == Verdict::Fail || gate.bound.is_none() || ui.verbose()) {
        let style = if gate.verdict == Verdict::Fail { Style::Bad } else { Style::Good };
        let expression = shortened(&plain(&gate.expression), LONGEST);
        ui.line(&format!("{} {expression}", ui.paint(style, gate.verdict.name())))?;
        sentence("", &gate.reason, ui)?;
    }
    ui.line("")
}
