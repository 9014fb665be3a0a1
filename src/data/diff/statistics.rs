//! Two profiles side by side: columns that came, went or changed their type, and statistics that moved.

use serde::Serialize;
use serde_json::Value;

use crate::data::value;
use crate::record::dataset::ColumnRecord;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::ColumnType;

/// Values whose shares are compared.
const VALUES: usize = 20;

/// How two profiles differ.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ProfileDiff {
    /// Columns of the new table alone, in its order.
    pub added: Vec<ColumnRecord>,
    /// Columns of the old table alone, in its order.
    pub removed: Vec<ColumnRecord>,
    /// Columns of another type, in the order of the new table.
    pub retyped: Vec<RetypedColumn>,
    /// Whether the columns that both have stand in another order.
    pub reordered: bool,
    /// Statistics that moved, biggest change first.
    #[serde(skip)]
    pub statistics: Vec<StatisticChange>,
}

/// A column whose type changed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RetypedColumn {
    /// Its name.
    pub name: String,
    /// Type in the old table.
    pub old: ColumnType,
    /// Type in the new table.
    pub new: ColumnType,
}

/// One statistic of one column that moved.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatisticChange {
    /// The column.
    pub column: String,
    /// What is measured: `mean`, `missing_share`, `share of "x"`.
    pub statistic: String,
    /// Value in the old table: a number, or a date or time as text.
    pub old: Value,
    /// Value in the new table.
    pub new: Value,
    /// Size of the change, for comparison with others: shares by their difference, places (mean, quantiles, ends) in
    /// standard deviations of the wider table, spreads and counts relative to the larger.
    pub change: f64,
}

/// What a change is measured against.
#[derive(Clone, Copy, PartialEq)]
enum Measure {
    Share,
    Place,
    Size,
}

type Fact = (String, Measure, f64);

impl ProfileDiff {
    /// Whether columns and statistics are the same.
    pub fn is_empty(&self) -> bool {
        let columns = self.added.is_empty() && self.removed.is_empty() && self.retyped.is_empty() && !self.reordered;
        columns && self.statistics.is_empty()
    }
}

/// Compares two profiles; nothing of the tables is read. Cost: the columns, and the shares of 20 values each.
pub fn compare(old: &ProfileRecord, new: &ProfileRecord) -> ProfileDiff {
    let record = |of: &ColumnProfile| ColumnRecord { name: of.name.clone(), column_type: of.column_type };
    // One sorted list instead of a search for every column: tables have up to 50,000 of them.
    let of_old: std::collections::HashMap<&str, &ColumnProfile> =
        old.columns.iter().map(|column| (column.name.as_str(), column)).collect();
    let of_new: std::collections::HashSet<&str> = new.columns.iter().map(|column| column.name.as_str()).collect();
    let mut diff = ProfileDiff::default();
    let mut order = Vec::new();
    for column in &new.columns {
        let Some(before) = of_old.get(column.name.as_str()) else {
            diff.added.push(record(column));
            continue;
        };
        order.push(column.name.as_str());
        if before.column_type != column.column_type {
            let (old, new) = (before.column_type, column.column_type);
            diff.retyped.push(RetypedColumn { name: column.name.clone(), old, new });
        }
        diff.statistics.extend(moved(before, column));
    }
    diff.removed = old.columns.iter().filter(|column| !of_new.contains(column.name.as_str())).map(record).collect();
    let kept = old.columns.iter().map(|column| column.name.as_str()).filter(|name| of_new.contains(name));
    diff.reordered = !kept.eq(order);
    // Stable: equal changes stay in the order of the table.
    diff.statistics.sort_by(|a, b| b.change.total_cmp(&a.change));
    diff
}

fn moved(old: &ColumnProfile, new: &ColumnProfile) -> Vec<StatisticChange> {
    let spread = |column: &ColumnProfile| column.numbers.as_ref().and_then(|numbers| numbers.std).unwrap_or(0.0);
    let wider = spread(old).max(spread(new));
    let before = facts(old, new);
    let after = facts(new, old);
    let mut changes = Vec::new();
    for (name, measure, now) in after {
        let Some((_, _, then)) = before.iter().find(|(known, ..)| *known == name) else { continue };
        if *then == now || (then.is_nan() && now.is_nan()) {
            continue;
        }
        let apart = (now / 2.0 - then / 2.0).abs() * 2.0;
        let larger = then.abs().max(now.abs()).max(f64::MIN_POSITIVE);
        let change = match measure {
            Measure::Share => apart,
            Measure::Place if wider > 0.0 => apart / wider,
            Measure::Place | Measure::Size => apart / larger,
        };
        // Beyond the largest number is as big as changes get; reports hold finite numbers alone.
        let change = if change.is_finite() { change } else { f64::MAX };
        changes.push(StatisticChange {
            column: new.name.clone(),
            statistic: name,
            old: written(*then, measure, old.column_type),
            new: written(now, measure, new.column_type),
            change,
        });
    }
    changes
}

/// The statistics of `column` that are worth comparing with those of `other`.
fn facts(column: &ColumnProfile, other: &ColumnProfile) -> Vec<Fact> {
    let rows = (column.present + column.missing).max(1) as f64;
    let present = column.present.max(1) as f64;
    let mut facts = vec![
        ("missing_share".to_owned(), Measure::Share, column.missing as f64 / rows),
        ("unique".to_owned(), Measure::Size, column.unique as f64),
    ];
    let mut add = |name: &str, measure: Measure, value: Option<f64>| {
        facts.extend(value.map(|value| (name.to_owned(), measure, value)));
    };
    if let Some(numbers) = &column.numbers {
        add("mean", Measure::Place, numbers.mean);
        add("std", Measure::Size, numbers.std);
        add("min", Measure::Place, numbers.min);
        add("quantile_25", Measure::Place, numbers.quantiles.get(4).copied());
        add("median", Measure::Place, numbers.quantiles.get(5).copied());
        add("quantile_75", Measure::Place, numbers.quantiles.get(6).copied());
        add("max", Measure::Place, numbers.max);
        add("zero_share", Measure::Share, Some(numbers.zeros as f64 / present));
        add("nan_share", Measure::Share, Some(numbers.nan as f64 / present));
        add("infinite_share", Measure::Share, Some(numbers.infinite as f64 / present));
    }
    if let Some(texts) = &column.texts {
        add("length_min", Measure::Size, Some(texts.length_min as f64));
        add("length_mean", Measure::Size, Some(texts.length_mean));
        add("length_max", Measure::Size, Some(texts.length_max as f64));
        add("empty_share", Measure::Share, Some(texts.empty as f64 / present));
    }
    if column.numbers.is_none() {
        facts.extend(value_shares(column, other));
    }
    facts
}

/// Shares of the most frequent values of both tables, as far as each list of values knows them.
fn value_shares(column: &ColumnProfile, other: &ColumnProfile) -> Vec<Fact> {
    let whole = column.unique == column.top.len() as u64;
    let counts: std::collections::HashMap<&str, u64> =
        column.top.iter().map(|(value, count)| (value.as_str(), *count)).collect();
    let mut named: Vec<&str> = Vec::new();
    for (value, _) in column.top.iter().take(VALUES).chain(other.top.iter().take(VALUES)) {
        if !named.contains(&value.as_str()) {
            named.push(value);
        }
    }
    let share = |value: &str| match counts.get(value) {
        Some(count) => Some(*count as f64 / column.present.max(1) as f64),
        None => whole.then_some(0.0),
    };
    let fact = |value: &str| share(value).map(|share| (format!("share of {value:?}"), Measure::Share, share));
    named.into_iter().filter_map(fact).collect()
}

fn written(of: f64, measure: Measure, column_type: ColumnType) -> Value {
    match (measure, column_type) {
        (Measure::Place, ColumnType::Date) => value::date_text((of / value::DAY_MICROS as f64).floor() as i32).into(),
        (Measure::Place, ColumnType::Time) => value::time_text(of as i64).into(),
        (Measure::Place, ColumnType::Timestamp) => value::timestamp_text(of as i64).into(),
        _ if of.fract() == 0.0 && of.abs() < 9e15 => (of as i64).into(),
        _ => of.into(),
    }
}
