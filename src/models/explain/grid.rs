//! Values of a raw column at which a model is asked: quantiles of numbers and times, the most frequent texts.

use std::collections::HashMap;
use std::sync::Arc;

use crate::base::clock::Timestamp;
use crate::data::frame::{MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::spec::schema::ColumnType;

/// Shares of the rows between which quantiles are taken, as scikit-learn's `percentiles=(0.05, 0.95)`.
const SHARES: (f64, f64) = (0.05, 0.95);
/// Microseconds of a day.
const DAY_MICROS: f64 = 86_400e6;

/// Points of one column.
#[derive(Clone, Debug, PartialEq)]
pub struct Grid {
    /// How each point is written.
    pub labels: Vec<String>,
    /// Values of numbers and times (microseconds since 1970), ascending; none for text.
    pub values: Vec<f64>,
    /// Texts, the most frequent first; none for others.
    pub texts: Vec<Arc<str>>,
    /// Rows with each value, where every value is a point; and for text.
    pub rows: Vec<u64>,
    /// Distinct texts without a point.
    pub left_out: u64,
    /// Whether some row has no value.
    pub missing: bool,
    time: bool,
}

/// Points of a column: every value when there are at most `points`, else `points` quantiles (linear, as numpy's) evenly
/// from the 5th to the 95th percentile, whole numbers and days as such; of text the `points` most frequent values, ties
/// by name.
pub fn grid(values: &Values, column_type: ColumnType, points: usize) -> Grid {
    match values {
        Values::Text(text) => of_text(text, points),
        Values::Time(times) => {
            let known = times.iter().filter(|time| **time != MISSING_TIME).map(|time| *time as f64);
            of_numbers(known.collect(), times.len(), column_type, points, true)
        }
        Values::Number(numbers) => {
            let known = numbers.iter().copied().filter(|number| number.is_finite());
            of_numbers(known.collect(), numbers.len(), column_type, points, false)
        }
        // Raw columns are of no other kind.
        other => of_numbers(Vec::new(), other.len(), column_type, points, false),
    }
}

impl Grid {
    /// Number of points.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether the column has no value at all.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// A column of `rows` rows that are all at one point.
    pub fn constant(&self, point: usize, rows: usize) -> Values {
        match self.texts.get(point) {
            Some(text) => Values::Text(TextValues { codes: vec![0; rows], levels: vec![Arc::clone(text)] }),
            None if self.time => Values::Time(vec![self.values[point] as i64; rows]),
            None => Values::Number(vec![self.values[point]; rows]),
        }
    }
}

/// A column like `like` in which every value is missing.
pub fn nothing(like: &Values) -> Values {
    match like {
        Values::Text(text) => {
            Values::Text(TextValues { codes: vec![MISSING_CODE; text.codes.len()], levels: Vec::new() })
        }
        Values::Time(times) => Values::Time(vec![MISSING_TIME; times.len()]),
        other => Values::Number(vec![f64::NAN; other.len()]),
    }
}

/// How a number or a time of a column is written.
pub fn label(value: f64, column_type: ColumnType) -> String {
    let moment = |micros: f64| Timestamp::from_micros(micros as i64).to_string();
    match column_type {
        ColumnType::Boolean => if value == 0.0 { "false" } else { "true" }.to_owned(),
        ColumnType::Date => moment(value).chars().take(10).collect(),
        ColumnType::Timestamp => {
            let text = moment(value);
            format!("{}Z", text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.'))
        }
        // A time of day is seconds since midnight.
        ColumnType::Time => moment(value * 1e6).chars().skip(11).take(8).collect(),
        _ => value.to_string(),
    }
}

fn of_text(text: &TextValues, points: usize) -> Grid {
    let mut counts: HashMap<u32, u64> = HashMap::new();
    let present = text.codes.iter().filter(|code| **code != MISSING_CODE);
    present.for_each(|code| *counts.entry(*code).or_default() += 1);
    let mut levels: Vec<(Arc<str>, u64)> =
        counts.into_iter().map(|(code, count)| (Arc::clone(&text.levels[code as usize]), count)).collect();
    levels.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let left_out = levels.len().saturating_sub(points) as u64;
    levels.truncate(points);
    let (texts, rows): (Vec<Arc<str>>, Vec<u64>) = levels.into_iter().unzip();
    Grid {
        labels: texts.iter().map(|text| text.to_string()).collect(),
        values: Vec::new(),
        texts,
        rows,
        left_out,
        missing: text.codes.contains(&MISSING_CODE),
        time: false,
    }
}

fn of_numbers(mut known: Vec<f64>, rows: usize, column_type: ColumnType, points: usize, time: bool) -> Grid {
    let missing = known.len() < rows;
    known.sort_by(f64::total_cmp);
    let mut distinct = known.clone();
    distinct.dedup();
    let few = distinct.len() <= points.max(2);
    let values = if few { distinct } else { quantiles(&known, column_type, points) };
    let count = |value: &f64| {
        (known.partition_point(|known| known <= value) - known.partition_point(|known| known < value)) as u64
    };
    Grid {
        labels: values.iter().map(|value| label(*value, column_type)).collect(),
        rows: if few { values.iter().map(count).collect() } else { Vec::new() },
        values,
        texts: Vec::new(),
        left_out: 0,
        missing,
        time,
    }
}

fn quantiles(sorted: &[f64], column_type: ColumnType, points: usize) -> Vec<f64> {
    let whole = match column_type {
        ColumnType::Integer | ColumnType::Boolean | ColumnType::Timestamp => Some(1.0),
        ColumnType::Date => Some(DAY_MICROS),
        ColumnType::Float | ColumnType::Time | ColumnType::Text => None,
    };
    let each = (0..points).map(|point| {
        let share = SHARES.0 + (SHARES.1 - SHARES.0) * point as f64 / (points - 1) as f64;
        let value = quantile(sorted, share);
        whole.map_or(value, |unit| (value / unit).round() * unit)
    });
    let mut values: Vec<f64> = each.collect();
    values.dedup();
    values
}

/// Quantile `share` of sorted values, of which there is at least one, linear between neighbours: numpy's `quantile`.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(sorted.len() - 1);
    // Of both ends apart, so that their difference cannot overflow.
    if part == 0.0 { sorted[low] } else { sorted[low] * (1.0 - part) + sorted[high] * part }
}
