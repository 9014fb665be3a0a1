//! Dates and time stamps as their parts, in UTC: numbers, or points on a circle.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::{MISSING_TIME, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working, missing};
use crate::features::cyclic::on_circle;
use crate::features::impute::read_time;
use crate::features::step::{Action, ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::DatePart;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// The parts that are looked at when none are asked for, in the order in which columns are made.
const USUAL: [DatePart; 8] = [
    DatePart::Year,
    DatePart::Month,
    DatePart::Day,
    DatePart::Weekday,
    DatePart::DayOfYear,
    DatePart::Hour,
    DatePart::Minute,
    DatePart::Epoch,
];

/// How times are taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct DatesOptions {
    /// Which parts; those that differ between training rows when absent.
    pub parts: Option<Vec<DatePart>>,
    /// Makes a sine and a cosine of each part that returns to its start.
    pub cyclic: bool,
    /// Microseconds since 1970 of the moment that [`DatePart::DaysSince`] counts from; adds that part.
    pub since: Option<i64>,
}

/// One column's parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedDates {
    pub(crate) column: Arc<str>,
    pub(crate) parts: Vec<DatePart>,
    /// Whether parts that return to their start are points on a circle.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) cyclic: bool,
    /// Microseconds since 1970 that days are counted from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) since: Option<i64>,
    pub(crate) columns: Vec<Arc<str>>,
}

/// Checks what was written.
pub fn check(parts: Option<&[DatePart]>, cyclic: bool, since: Option<&str>) -> Result<Action, fail::Failure> {
    let moment = since.and_then(read_time);
    if let Some(since) = since.filter(|_| moment.is_none()) {
        return Err(fail::usage(format!("dates: since = \"{since}\" is not a date")).hint("write it like 2026-01-31"));
    }
    if moment.is_none() && parts.is_some_and(|parts| parts.contains(&DatePart::DaysSince)) {
        return Err(fail::usage("dates: days_since needs a date to count from").hint("add since = \"2026-01-31\""));
    }
    Ok(Action::each(DatesOptions { parts: parts.map(<[DatePart]>::to_vec), cyclic, since: moment }))
}

/// Takes the parts asked for, or those that differ between the training rows. The parts of a missing time are missing.
///
/// A cyclic part is sine and cosine of 2π times the share of its period that has passed: of 12 months, 4 quarters, 53 weeks,
/// 7 days, 24 hours, 60 minutes or seconds, and of the real length of that month or year in days. Equal to pandas'
/// `dt` accessor; weeks are those of ISO 8601.
impl ColumnAction for DatesOptions {
    fn name(&self) -> &'static str {
        "dates"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Time]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let name = &column.name;
        let mut notes = Vec::new();
        let mut parts = match (&self.parts, &*column.values) {
            (Some(parts), _) => parts.clone(),
            (None, Values::Time(values)) => {
                let differing: Vec<DatePart> = USUAL.into_iter().filter(|&part| differs(values, part)).collect();
                if differing.is_empty() {
                    let what = if missing(&column.values) == values.len() { "no time" } else { "the same time" };
                    notes.push(format!("column `{name}` has {what} in all training rows: no columns made"));
                }
                differing
            }
            (None, _) => Vec::new(),
        };
        if self.since.is_some() && !parts.contains(&DatePart::DaysSince) {
            parts.push(DatePart::DaysSince);
        }
        let mut columns = Vec::with_capacity(parts.len());
        for &part in &parts {
            let made = format!("{name}_{}", part_name(part));
            match self.cyclic && turn(part, 0).is_some() {
                true => columns.extend([format!("{made}_sin").into(), format!("{made}_cos").into()]),
                false => columns.push(made.into()),
            }
        }
        let (cyclic, since) = (self.cyclic, self.since);
        let fitted = FittedDates { column: Arc::clone(name), parts, cyclic, since, columns };
        Ok((FittedColumn::Dates(fitted), notes))
    }
}

fn differs(values: &[i64], part: DatePart) -> bool {
    let mut present = values.iter().filter(|&&value| value != MISSING_TIME).map(|&value| value_of(part, value, 0));
    let Some(first) = present.next() else {
        return false;
    };
    present.any(|value| value != first)
}

fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Quarter => "quarter",
        DatePart::Month => "month",
        DatePart::Week => "week",
        DatePart::Day => "day",
        DatePart::Weekday => "weekday",
        DatePart::DayOfYear => "day_of_year",
        DatePart::Hour => "hour",
        DatePart::Minute => "minute",
        DatePart::Second => "second",
        DatePart::TimeOfDay => "time_of_day",
        DatePart::Epoch => "epoch",
        DatePart::IsWeekend => "is_weekend",
        DatePart::IsMonthStart => "is_month_start",
        DatePart::IsMonthEnd => "is_month_end",
        DatePart::DaysSince => "days_since",
    }
}

/// One part of the moment `micros` microseconds after 1970-01-01T00:00:00Z; days are counted from `since`.
fn value_of(part: DatePart, micros: i64, since: i64) -> f64 {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let in_day = micros.rem_euclid(MICROS_PER_DAY);
    let whole = match part {
        DatePart::Year => civil(days).0,
        DatePart::Quarter => (civil(days).1 + 2) / 3,
        DatePart::Month => civil(days).1,
        DatePart::Week => week(days),
        DatePart::Day => civil(days).2,
        DatePart::Weekday => weekday(days),
        DatePart::DayOfYear => day_of_year(days),
        DatePart::Hour => in_day / MICROS_PER_HOUR,
        DatePart::Minute => in_day % MICROS_PER_HOUR / MICROS_PER_MINUTE,
        DatePart::Second => in_day % MICROS_PER_MINUTE / MICROS_PER_SECOND,
        DatePart::TimeOfDay => return in_day as f64 / MICROS_PER_SECOND as f64,
        DatePart::Epoch => return micros as f64 / MICROS_PER_SECOND as f64,
        DatePart::IsWeekend => i64::from(weekday(days) >= 5),
        DatePart::IsMonthStart => i64::from(civil(days).2 == 1),
        DatePart::IsMonthEnd => i64::from(civil(days + 1).2 == 1),
        // The difference may need more than 64 bits.
        DatePart::DaysSince => return (i128::from(micros) - i128::from(since)) as f64 / MICROS_PER_DAY as f64,
    };
    whole as f64
}

/// Share of its period that has passed, 0 to 1, for a part that returns to its start.
fn turn(part: DatePart, micros: i64) -> Option<f64> {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let (passed, period) = match part {
        DatePart::Quarter => (value_of(part, micros, 0) - 1.0, 4.0),
        DatePart::Month => (value_of(part, micros, 0) - 1.0, 12.0),
        DatePart::Week => (value_of(part, micros, 0) - 1.0, 53.0),
        DatePart::Day => (value_of(part, micros, 0) - 1.0, days_in_month(days) as f64),
        DatePart::Weekday => (value_of(part, micros, 0), 7.0),
        DatePart::DayOfYear => (value_of(part, micros, 0) - 1.0, if is_leap(civil(days).0) { 366.0 } else { 365.0 }),
        DatePart::Hour => (value_of(part, micros, 0), 24.0),
        DatePart::Minute | DatePart::Second => (value_of(part, micros, 0), 60.0),
        DatePart::TimeOfDay => (value_of(part, micros, 0), 86_400.0),
        DatePart::Year
        | DatePart::Epoch
        | DatePart::IsWeekend
        | DatePart::IsMonthStart
        | DatePart::IsMonthEnd
        | DatePart::DaysSince => return None,
    };
    Some(passed / period)
}

/// Monday 0 to Sunday 6; 1970-01-01 was a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// Days before each month of a common year.
const DAYS_BEFORE: [i64; 13] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365];

/// 1 to 366.
fn day_of_year(days: i64) -> i64 {
    let (year, month, day) = civil(days);
    DAYS_BEFORE[(month - 1) as usize] + day + i64::from(is_leap(year) && month > 2)
}

fn days_in_month(days: i64) -> i64 {
    let (year, month, _) = civil(days);
    let month = month as usize;
    DAYS_BEFORE[month] - DAYS_BEFORE[month - 1] + i64::from(is_leap(year) && month == 2)
}

/// Week of ISO 8601: the one its Thursday is in, counted from that Thursday's year.
fn week(days: i64) -> i64 {
    let thursday = days + 3 - weekday(days);
    (day_of_year(thursday) - 1) / 7 + 1
}

/// Year, month and day of the proleptic Gregorian calendar, `days` after 1970-01-01.
///
/// Source: Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: eras of 400 years from 1 March 0000.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

impl FittedDates {
    /// Whether the part is two columns.
    fn turns(&self, part: DatePart) -> bool {
        self.cyclic && turn(part, 0).is_some()
    }
}

impl ColumnStep for FittedDates {
    fn column(&self) -> &Arc<str> {
        &self.column
    }

    fn made(&mut self) -> &mut [Arc<str>] {
        &mut self.columns
    }

    fn shapes(&self, input: &Shape) -> Result<Vec<Shape>> {
        input.expect("dates", &[Kind::Time])?;
        let wanted: usize = self.parts.iter().map(|&part| if self.turns(part) { 2 } else { 1 }).sum();
        if wanted != self.columns.len() {
            return Err(fail::world(format!("damaged recipe: parts of column `{}` without names", self.column)).into());
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Time(values) = &*column.values else {
            return vec![column];
        };
        let numbers = |of: &dyn Fn(i64) -> f64| {
            let present = |&value: &i64| if value == MISSING_TIME { f64::NAN } else { of(value) };
            Values::Number(values.iter().map(present).collect())
        };
        let mut names = self.columns.iter();
        let mut made = Vec::with_capacity(self.columns.len());
        for &part in &self.parts {
            if self.turns(part) {
                for axis in 0..2 {
                    let on_axis = |value| on_circle(turn(part, value).unwrap_or(0.0))[axis];
                    made.extend(names.next().map(|name| column.made(name, numbers(&on_axis))));
                }
            } else {
                let plain = |value| value_of(part, value, self.since.unwrap_or(0));
                made.extend(names.next().map(|name| column.made(name, numbers(&plain))));
            }
        }
        made
    }
}
