//! How `mlops diff` shows two models.

use crate::base::units;
use crate::cli::diff::{plain, show_columns};
use crate::cli::why;
use crate::ops::diff::models::{JudgedTogether, ModelDiff};
use crate::ops::diff::steps::Changes;
use crate::record::evaluation::Difference;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Names shown of what came, went or changed.
const NAMES_SHOWN: usize = 12;
/// Slices shown that got worse.
const SLICES_SHOWN: usize = 5;

/// Prints what differs; with -v also what is the same.
pub fn show(diff: &ModelDiff, ui: &Ui) -> std::io::Result<()> {
    let (old, new) = (&diff.pair.old.name, &diff.pair.new.name);
    ui.line(&ui.paint(Style::Bold, &format!("{old} → {new}")))?;
    if let Some(data) = &diff.data {
        let rows = format!("{} → {}", units::count(data.rows.old), units::plural(data.rows.new, "row"));
        ui.line(&format!("data {} → {}: {rows}", data.old.name, data.new.name))?;
        show_columns(&data.columns, ui)?;
    }
    for (what, changes) in [("inputs", &diff.inputs), ("features", &diff.features), ("recipe steps", &diff.steps)] {
        show_changes(what, changes, ui)?;
    }
    let mut table = Table::new(&["what", old, new, "#difference"]);
    let shown = diff.pair.lines.iter().filter(|line| !line.same || ui.verbose());
    let mut count = 0;
    for line in shown {
        count += 1;
        let name = if line.group == "what" { line.name.clone() } else { format!("{}.{}", line.group, line.name) };
        let difference = line.difference.filter(|_| !line.same).map(|difference| format!("{difference:+.4}"));
        table.row([name, plain(&line.old), plain(&line.new), difference.unwrap_or_default()]);
    }
    ui.table(&table)?;
    if count < diff.pair.lines.len() {
        let rest = units::plural((diff.pair.lines.len() - count) as u64, "fact");
        ui.line(&ui.paint(Style::Dim, &format!("{rest} the same (-v shows them)")))?;
    }
    if let Some(judged) = &diff.judged {
        show_judged(judged, (old, new), ui)?;
    }
    if let Some(why) = &diff.not_judged {
        ui.line(&format!("not asked about the same rows: {}", why::plain(why)))?;
    }
    if diff.pair.same { ui.line("no differences but the occasion") } else { Ok(()) }
}

fn show_changes(what: &str, changes: &Changes, ui: &Ui) -> std::io::Result<()> {
    for (sign, style, names) in
        [('+', Style::Good, &changes.added), ('-', Style::Bad, &changes.removed), ('~', Style::Warn, &changes.changed)]
    {
        if names.is_empty() {
            continue;
        }
        let more = names.len().saturating_sub(NAMES_SHOWN);
        let rest = if more > 0 { format!(", {more} more") } else { String::new() };
        let some: Vec<String> = names.iter().take(NAMES_SHOWN).map(|name| why::plain(name)).collect();
        ui.line(&ui.paint(style, &format!("{sign} {what}: {}{rest}", some.join(", "))))?;
    }
    Ok(())
}

fn show_judged(judged: &JudgedTogether, (old, new): (&str, &str), ui: &Ui) -> std::io::Result<()> {
    let rows = units::plural(judged.rows, "row");
    ui.line("")?;
    ui.line(&format!("both on the {} rows of {} ({rows}):", judged.rows_of, judged.dataset))?;
    judged.notes.iter().try_for_each(|note| ui.line(&format!("note: {note}")))?;
    let mut table =
        Table::new(&["metric", &format!("#{old}"), &format!("#{new}"), "#difference", "#interval", "#p", ""]);
    for (name, difference) in &judged.comparison.metrics {
        table.row(cells(name, difference, ui));
    }
    ui.table(&table)?;
    let comparison = &judged.comparison;
    if comparison.wins + comparison.losses + comparison.ties > 0 {
        let flips =
            comparison.flip_rate.map_or_else(String::new, |rate| format!(", {:.1}% get another class", rate * 100.0));
        let [wins, losses, ties] = [comparison.wins, comparison.losses, comparison.ties].map(units::count);
        ui.line(&format!("{new} answers {wins} rows better, {losses} worse, {ties} as well{flips}"))?;
    }
    for slice in comparison.worse_slices.iter().take(SLICES_SHOWN) {
        let place =
            format!("{}={} ({} rows)", why::plain(&slice.column), why::plain(&slice.value), units::count(slice.rows));
        let Difference { value, other, .. } = slice.difference;
        ui.line(&ui.paint(Style::Bad, &format!("worse on {place}: {} {other:.4} → {value:.4}", slice.metric)))?;
    }
    Ok(())
}

fn cells(name: &str, difference: &Difference, ui: &Ui) -> [String; 7] {
    let interval = difference.interval.map(|interval| format!("{:+.4} … {:+.4}", interval.low, interval.high));
    let verdict = match difference.better {
        Some(true) => ui.paint(Style::Good, "better"),
        Some(false) => ui.paint(Style::Bad, "worse"),
        None if difference.p_value.is_some() || interval.is_some() => "may be chance".to_owned(),
        None => String::new(),
    };
    [
        name.to_owned(),
        format!("{:.4}", difference.other),
        format!("{:.4}", difference.value),
        format!("{:+.4}", difference.difference),
        interval.unwrap_or_default(),
        difference.p_value.map_or_else(String::new, |p| format!("{p:.3}")),
        verdict,
    ]
}
