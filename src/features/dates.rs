//! Dates and time stamps as their parts, in UTC.

use std::sync::Arc;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::{MISSING_TIME, Values};
use crate::features::column::{ColumnStep, Kind, Shape, Working};
use crate::features::step::{ColumnAction, FittedColumn, Learned};
use crate::spec::recipe::DatePart;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_MINUTE: i64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: i64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: i64 = 24 * MICROS_PER_HOUR;

/// Every part, in the order in which columns are made.
const ALL: [DatePart; 8] = [
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
}

/// One column's parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FittedDates {
    column: Arc<str>,
    parts: Vec<DatePart>,
    columns: Vec<Arc<str>>,
}

/// Takes the parts asked for, or those that differ between the rows of `column`. The parts of a missing time are missing.
pub fn fit(column: &Working, parts: Option<&[DatePart]>) -> (FittedDates, Vec<String>) {
    let name = &column.name;
    let mut notes = Vec::new();
    let parts = match (parts, &*column.values) {
        (Some(parts), _) => parts.to_vec(),
        (None, Values::Time(values)) => {
            let differing: Vec<DatePart> = ALL.into_iter().filter(|&part| differs(values, part)).collect();
            if differing.is_empty() {
                notes.push(format!("column `{name}` has the same time in all training rows: no columns made"));
            }
            differing
        }
        (None, _) => Vec::new(),
    };
    let columns = parts.iter().map(|&part| format!("{name}_{}", part_name(part)).into()).collect();
    (FittedDates { column: Arc::clone(name), parts, columns }, notes)
}

fn differs(values: &[i64], part: DatePart) -> bool {
    let mut present = values.iter().filter(|&&value| value != MISSING_TIME).map(|&value| value_of(part, value));
    let Some(first) = present.next() else {
        return false;
    };
    present.any(|value| value != first)
}

fn part_name(part: DatePart) -> &'static str {
    match part {
        DatePart::Year => "year",
        DatePart::Month => "month",
        DatePart::Day => "day",
        DatePart::Weekday => "weekday",
        DatePart::DayOfYear => "day_of_year",
        DatePart::Hour => "hour",
        DatePart::Minute => "minute",
        DatePart::Epoch => "epoch",
    }
}

/// One part of the moment `micros` microseconds after 1970-01-01T00:00:00Z.
fn value_of(part: DatePart, micros: i64) -> f64 {
    let days = micros.div_euclid(MICROS_PER_DAY);
    let in_day = micros.rem_euclid(MICROS_PER_DAY);
    let whole = match part {
        DatePart::Year => civil(days).0,
        DatePart::Month => civil(days).1,
        DatePart::Day => civil(days).2,
        // 1970-01-01 was a Thursday.
        DatePart::Weekday => (days + 3).rem_euclid(7),
        DatePart::DayOfYear => {
            let (year, month, day) = civil(days);
            let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
            let before = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][(month - 1) as usize];
            before + day + i64::from(leap && month > 2)
        }
        DatePart::Hour => in_day / MICROS_PER_HOUR,
        DatePart::Minute => in_day % MICROS_PER_HOUR / MICROS_PER_MINUTE,
        DatePart::Epoch => return micros as f64 / MICROS_PER_SECOND as f64,
    };
    whole as f64
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

impl ColumnAction for DatesOptions {
    fn name(&self) -> &'static str {
        "dates"
    }

    fn kinds(&self) -> &'static [Kind] {
        &[Kind::Time]
    }

    fn learn(&self, column: &Working) -> Result<Learned> {
        let (fitted, notes) = fit(column, self.parts.as_deref());
        Ok((FittedColumn::Dates(fitted), notes))
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
        if self.parts.len() != self.columns.len() {
            return Err(fail::world(format!("damaged recipe: parts of column `{}` without names", self.column)).into());
        }
        Ok(self.columns.iter().map(|name| input.made(name, Kind::Number)).collect())
    }

    fn apply<'a>(&self, column: Working<'a>) -> Vec<Working<'a>> {
        let Values::Time(values) = &*column.values else {
            return vec![column];
        };
        let part = |(&part, name): (&DatePart, &Arc<str>)| {
            let numbers =
                values.iter().map(|&value| if value == MISSING_TIME { f64::NAN } else { value_of(part, value) });
            column.made(name, Values::Number(numbers.collect()))
        };
        self.parts.iter().zip(&self.columns).map(part).collect()
    }
}
