//! A profile on the terminal: one row a column, with a small picture of its distribution; 80 characters wide.

use std::io;

use crate::base::clock::Timestamp;
use crate::base::units;
use crate::data::associate::Associations;
use crate::data::associate::correlation::Pair;
use crate::data::profile::slices::Slices;
use crate::data::profile::weighted::WeightedProfile;
use crate::ops::profile::ProfileReport;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::ColumnType;
use crate::term::spark::Bars;
use crate::term::style::Style;
use crate::term::table::Table;
use crate::term::ui::Ui;

/// Characters of a name, and of what is said of the values.
const NAME_MAX: usize = 16;
const SUMMARY_MAX: usize = 27;
/// Correlations shown, and columns that tell of the target.
const STRONGEST_MAX: usize = 5;
/// Correlations weaker than this are not news.
const STRONG: f64 = 0.5;
/// Bars of a distribution.
const BARS: usize = 10;

/// Prints a whole report; with `detail`, also quantiles, lengths of text, gaps in time.
pub fn show(report: &ProfileReport, bars: Bars, detail: bool, ui: &Ui) -> io::Result<()> {
    let (rows, columns) = (report.profile.rows, report.profile.columns.len() as u64);
    ui.line(&format!("{}: {}, {}", report.dataset, units::plural(rows, "row"), units::plural(columns, "column")))?;
    show_profile(&report.profile, bars, detail, ui)?;
    if let Some(weighted) = &report.weighted {
        show_weighted(weighted, bars, ui)?;
    }
    if let Some(found) = &report.associations {
        show_associations(found, ui)?;
    }
    report.by.as_ref().map_or(Ok(()), |slices| show_slices(slices, bars, ui))
}

/// Prints one row a column.
pub fn show_profile(profile: &ProfileRecord, bars: Bars, detail: bool, ui: &Ui) -> io::Result<()> {
    let mut table = Table::new(&["column", "type", "#missing", "#unique", "values", "distribution"]);
    for column in &profile.columns {
        table.row([
            cut(&column.name, NAME_MAX),
            column.column_type.name().to_owned(),
            share(column.missing as f64, (column.present + column.missing) as f64),
            compact(column.unique),
            cut(&summary(column), SUMMARY_MAX),
            picture(column, bars),
        ]);
    }
    ui.table(&table)?;
    if detail { show_detail(profile, ui) } else { Ok(()) }
}

/// `min … mean … max` of numbers, first and last moment of times, the most frequent values of the rest.
fn summary(column: &ColumnProfile) -> String {
    if let Some(numbers) = &column.numbers {
        let (Some(min), Some(mean), Some(max)) = (numbers.min, numbers.mean, numbers.max) else {
            return String::new();
        };
        return match column.column_type {
            ColumnType::Date => format!("{} to {}", day(min), day(max)),
            ColumnType::Timestamp => format!("{} to {}", day(min), day(max)),
            ColumnType::Time => format!("{} / {} / {}", clock(min), clock(mean), clock(max)),
            _ => format!("{} / {} / {}", short(min), short(mean), short(max)),
        };
    }
    let named = column.top.iter().take(3).map(|(value, count)| {
        let value: String = value.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        format!("{} {}", cut(&value, 14), share(*count as f64, column.present as f64))
    });
    named.collect::<Vec<_>>().join(", ")
}

fn picture(column: &ColumnProfile, bars: Bars) -> String {
    match &column.numbers {
        Some(numbers) => bars.draw(numbers.counts.iter().map(|count| *count as f64)),
        None => bars.draw(column.top.iter().take(BARS).map(|(_, count)| *count as f64)),
    }
}

fn show_detail(profile: &ProfileRecord, ui: &Ui) -> io::Result<()> {
    let mut table = Table::new(&["column", "#1%", "#5%", "#25%", "#50%", "#75%", "#95%", "#99%", "#std", "#zeros"]);
    let numeric = |column: &&ColumnProfile| matches!(column.column_type, ColumnType::Integer | ColumnType::Float);
    for column in profile.columns.iter().filter(numeric) {
        let Some(numbers) = column.numbers.as_ref().filter(|numbers| numbers.quantiles.len() == 11) else { continue };
        let mut cells = vec![cut(&column.name, NAME_MAX)];
        cells.extend([1, 2, 4, 5, 6, 8, 9].map(|place| short(numbers.quantiles[place])));
        cells.push(numbers.std.map_or_else(String::new, short));
        cells.push(compact(numbers.zeros));
        table.row(cells);
    }
    if !table.is_empty() {
        ui.line("")?;
        ui.table(&table)?;
    }
    for column in &profile.columns {
        let name = cut(&column.name, NAME_MAX);
        if let Some(numbers) = column.numbers.as_ref().filter(|numbers| numbers.nan + numbers.infinite > 0) {
            ui.line(&format!("{name}: {} not a number, {} infinite", numbers.nan, numbers.infinite))?;
        }
        if let Some(texts) = &column.texts {
            let (min, mean, max) = (texts.length_min, short(texts.length_mean), texts.length_max);
            let odd = [(texts.empty, "empty"), (texts.padded, "padded"), (texts.invalid, "invalid")];
            let odd = odd.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!(", {count} {what}"));
            ui.line(&format!("{name}: {min} / {mean} / {max} characters{}", odd.collect::<String>()))?;
        }
        if let Some(times) = &column.times {
            let step = units::seconds(times.step as f64 / 1e6);
            let longest = times.longest_gap.map_or_else(String::new, |(start, end)| {
                format!(", longest {} to {}", day(start as f64), day(end as f64))
            });
            ui.line(&format!("{name}: a step of {step}, {}{longest}", units::plural(times.gaps, "gap")))?;
        }
    }
    Ok(())
}

fn show_weighted(weighted: &WeightedProfile, bars: Bars, ui: &Ui) -> io::Result<()> {
    ui.line("")?;
    ui.line(&format!("weighted by {}, {} in all", cut(&weighted.weight, NAME_MAX), short(weighted.total)))?;
    let mut table = Table::new(&["column", "#missing", "#mean", "#std", "#median", "distribution"]);
    for column in weighted.columns.iter() {
        let Some(numbers) = &column.numbers else { continue };
        let number = |value: f64| match column.column_type {
            ColumnType::Date | ColumnType::Timestamp => day(value),
            ColumnType::Time => clock(value),
            _ => short(value),
        };
        let std = match column.column_type {
            ColumnType::Date | ColumnType::Timestamp | ColumnType::Time => units::seconds(numbers.std / 1e6),
            _ => short(numbers.std),
        };
        table.row([
            cut(&column.name, NAME_MAX),
            share(column.missing, weighted.total),
            number(numbers.mean),
            std,
            number(numbers.quantiles[5]),
            bars.draw(numbers.counts.iter().copied()),
        ]);
    }
    ui.table(&table)
}

fn show_associations(found: &Associations, ui: &Ui) -> io::Result<()> {
    let strongest = |title: &str, pairs: &[Pair]| -> io::Result<()> {
        let strong = |pair: &&Pair| pair.value.is_some_and(|value| value.abs() >= STRONG);
        let mut table = Table::new(&[title, "", "#value", "#rows"]);
        for pair in pairs.iter().filter(strong).take(STRONGEST_MAX) {
            let value = pair.value.map_or_else(String::new, |value| format!("{value:.3}"));
            table.row([cut(&pair.a, 24), cut(&pair.b, 24), value, compact(pair.rows)]);
        }
        if table.is_empty() {
            return Ok(());
        }
        ui.line("")?;
        ui.table(&table)
    };
    strongest("correlation", &found.pearson)?;
    strongest("Cramér's V", &found.cramers_v)?;
    if let Some(target) = found.target.as_ref().filter(|_| !found.information.is_empty()) {
        ui.line("")?;
        ui.line(&format!("what tells of {}", cut(target, 40)))?;
        let mut table = Table::new(&["column", "#share", "#nats", "#by chance"]);
        for entry in found.information.iter().take(STRONGEST_MAX) {
            let nats = |value: f64| format!("{value:.4}");
            let share = format!("{:.1}%", entry.share * 100.0);
            table.row([cut(&entry.column, 32), share, nats(entry.nats), nats(entry.noise_nats)]);
        }
        ui.table(&table)?;
    }
    found.notes.iter().try_for_each(|note| ui.line(&ui.paint(Style::Dim, note)))
}

fn show_slices(slices: &Slices, bars: Bars, ui: &Ui) -> io::Result<()> {
    for slice in &slices.slices {
        let value = slice.value.as_deref().map_or("missing".to_owned(), |value| cut(value, 32));
        ui.line("")?;
        let rows = units::plural(slice.rows, "row");
        ui.line(&format!("{} = {value}: {rows}", cut(&slices.column, NAME_MAX)))?;
        show_profile(&slice.profile, bars, false, ui)?;
    }
    if slices.other_values > 0 {
        let (values, rows) =
            (units::plural(slices.other_values, "further value"), units::plural(slices.other_rows, "row"));
        ui.line(&format!("{values} with {rows} not shown"))?;
    }
    Ok(())
}

/// At most `max` characters, with a mark where some were cut off.
fn cut(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

/// Four significant digits, at most eight or so characters.
fn short(value: f64) -> String {
    let rounded = format!("{value:.3e}").parse::<f64>().unwrap_or(value);
    let size = rounded.abs();
    if size == 0.0 || (1e-3..1e6).contains(&size) { format!("{rounded}") } else { format!("{rounded:e}") }
}

/// A count in at most seven characters.
fn compact(count: u64) -> String {
    match count {
        0..1_000_000 => units::count(count),
        1_000_000..1_000_000_000 => format!("{:.1}M", count as f64 / 1e6),
        _ => format!("{:.1}G", count as f64 / 1e9),
    }
}

fn share(part: f64, whole: f64) -> String {
    match part / whole {
        share if share.is_nan() || share <= 0.0 => "0%".to_owned(),
        share if share < 0.001 => "<0.1%".to_owned(),
        share if share < 0.1 => format!("{:.1}%", share * 100.0),
        share => format!("{:.0}%", share * 100.0),
    }
}

/// The calendar day of a moment in microseconds since 1970.
fn day(micros: f64) -> String {
    let text = Timestamp::from_micros(micros as i64).to_string();
    text.split('T').next().unwrap_or(&text).to_owned()
}

/// A time of day in microseconds since midnight, to the second.
fn clock(micros: f64) -> String {
    Timestamp::from_micros(micros as i64).to_string().chars().skip(11).take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 4201.754385964912, -0.0001234567, 12345678.0, 1e308, 43.9219].map(short);
        assert_eq!(shown, ["0", "4202", "-1.235e-4", "1.235e7", "1e308", "43.92"]);
        assert_eq!([12, 336_776, 38_000_000].map(compact), ["12", "336,776", "38.0M"]);
        assert_eq!(
            [(0.0, 5.0), (1.0, 9999.0), (2.0, 344.0), (152.0, 344.0)].map(|(a, b)| share(a, b)),
            ["0%", "<0.1%", "0.6%", "44%"]
        );
        assert_eq!(cut("a name that is long", 8), "a name …");
    }
}
