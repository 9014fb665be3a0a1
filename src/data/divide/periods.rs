//! Dates and times in periods that people name: hours, days, months, quarters, years.

use crate::base::limits::SLICE_PERIODS_MAX;
use crate::data::divide::values::{Cut, distinct, ordered};
use crate::data::frame::{MISSING_TIME, Values};
use crate::data::value::{DAY_MICROS, civil_from_days, date_text};

const HOUR_MICROS: i64 = 3_600_000_000;

/// A length of time that a division is made by.
#[derive(Clone, Copy)]
struct Period {
    name: &'static str,
    /// Number of the period that a moment is in, ascending.
    number: fn(i64) -> i64,
    /// What the period of that number is called.
    text: fn(i64) -> String,
}

/// The shortest first.
const PERIODS: [Period; 5] = [
    Period { name: "hour", number: |micros| micros.div_euclid(HOUR_MICROS), text: hour_text },
    Period { name: "day", number: |micros| micros.div_euclid(DAY_MICROS), text: |days| date_text(days as i32) },
    Period { name: "month", number: month, text: month_text },
    Period { name: "quarter", number: |micros| month(micros).div_euclid(3), text: quarter_text },
    Period { name: "year", number: |micros| month(micros).div_euclid(12), text: |year| format!("{year:04}") },
];

/// Moments by the shortest period of which there are at most [`SLICE_PERIODS_MAX`]; by years when there are more of all.
pub fn periods(name: &str, values: &Values) -> Cut {
    let Values::Time(times) = values else { return Cut::default() };
    let coded = |period: &Period, most: usize| {
        let number = |time: &i64| (*time != MISSING_TIME).then(|| (period.number)(*time));
        distinct(times.iter().map(number), most).map(|(codes, numbers)| (*period, codes, numbers))
    };
    // Days of dates come before their hours, of which there is one a day.
    let dates = times.iter().all(|time| *time == MISSING_TIME || time.rem_euclid(DAY_MICROS) == 0);
    let fitting = PERIODS.iter().skip(usize::from(dates)).find_map(|period| coded(period, SLICE_PERIODS_MAX));
    let Some((period, codes, numbers)) = fitting.or_else(|| coded(&PERIODS[4], usize::MAX)) else {
        return Cut::default();
    };
    let cut = ordered(&codes, &numbers, |a, b| a.cmp(b), |number| (period.text)(*number));
    Cut { note: Some(format!("`{name}` is a time: its slices are by {}", period.name)), ..cut }
}

/// Times of day, in seconds, by hour.
pub fn hours_of_day(values: &Values) -> Cut {
    let Values::Number(seconds) = values else { return Cut::default() };
    let hour = |seconds: &f64| seconds.is_finite().then(|| (seconds / 3600.0).floor() as i64);
    let (codes, hours) = distinct(seconds.iter().map(hour), usize::MAX).unwrap_or_default();
    ordered(&codes, &hours, |a, b| a.cmp(b), |hour| format!("{hour:02}:00"))
}

/// Months since the year 0.
fn month(micros: i64) -> i64 {
    let (year, month, _) = civil_from_days(micros.div_euclid(DAY_MICROS));
    year * 12 + month - 1
}

fn hour_text(hours: i64) -> String {
    format!("{} {:02}:00", date_text(hours.div_euclid(24) as i32), hours.rem_euclid(24))
}

fn month_text(months: i64) -> String {
    format!("{:04}-{:02}", months.div_euclid(12), months.rem_euclid(12) + 1)
}

fn quarter_text(quarters: i64) -> String {
    format!("{:04}-Q{}", quarters.div_euclid(4), quarters.rem_euclid(4) + 1)
}
