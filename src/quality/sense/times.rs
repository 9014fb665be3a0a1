//! Series of moments: gaps in them, moments that come twice.

use crate::base::units;
use crate::data::value::{DAY_MICROS, date_text, timestamp_text};
use crate::quality::report::{Finding, of_rows, percent};
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// Distinct moments from which they make a series.
const MOMENTS_MIN: u64 = 20;
/// Share of distances that may be longer than the usual one in a regular series.
const GAPS_MAX: f64 = 0.1;
/// Share of moments that may come again in a series of one row each.
const REPEATS_MAX: f64 = 0.05;
/// Microseconds in a second.
const MICROS: f64 = 1e6;

/// `TIME_GAPS`: at most a tenth of the distances between neighbouring moments is longer than the usual one, so the series is
/// regular but for them. `TIME_REPEATS`: at most a twentieth of the moments of such a series comes again.
///
/// From the profile alone.
pub fn times(column: &ColumnProfile) -> Vec<Finding> {
    let Some(times) = &column.times else { return Vec::new() };
    let distances = column.unique.saturating_sub(1);
    let irregular = times.gaps as f64 > GAPS_MAX * distances as f64;
    if column.unique < MOMENTS_MIN || times.step <= 0 || irregular || !steady(column, times.step) {
        return Vec::new();
    }
    let step = units::seconds(times.step as f64 / MICROS);
    let mut findings = Vec::new();
    if times.gaps > 0 {
        let longest = times.longest_gap.map_or_else(String::new, |(from, to)| {
            let length = units::seconds((to - from) as f64 / MICROS);
            format!("; the longest, of {length}, from {} to {}", moment(column, from), moment(column, to))
        });
        let mut finding = Finding::new("TIME_GAPS", Severity::Info, Some(&column.name)).says(
            format!("a moment every {step}"),
            format!("{}{longest}", units::plural(times.gaps, "longer distance")),
            "no gap in the series".to_owned(),
        );
        finding.count = times.gaps;
        finding.fix = "ingest the missing rows, or accept that there are none".to_owned();
        findings.push(finding);
    }
    let repeats = column.present - column.unique;
    if repeats > 0 && repeats as f64 <= REPEATS_MAX * column.present as f64 {
        let mut finding = Finding::new("TIME_REPEATS", Severity::Info, Some(&column.name)).says(
            format!("one row every {step} (at most {} of the moments come again)", percent(REPEATS_MAX)),
            format!("{} repeat an earlier moment", of_rows(repeats, column.present, "row")),
            "every moment once".to_owned(),
        );
        finding.count = repeats;
        finding.fix =
            "remove the rows that come twice, or name the column as [data] key to see which they are".to_owned();
        findings.push(finding);
    }
    findings
}

/// Whether the range is about as long as that many steps: shorter distances than the usual one would fill it otherwise.
fn steady(column: &ColumnProfile, step: i64) -> bool {
    let Some(times) = &column.times else { return false };
    let steps = (times.last as f64 - times.first as f64) / step as f64;
    steps + 1.0 >= column.unique as f64 * (1.0 - GAPS_MAX)
}

/// A moment in UTC, or a day.
fn moment(column: &ColumnProfile, micros: i64) -> String {
    match column.column_type {
        ColumnType::Date => i32::try_from(micros.div_euclid(DAY_MICROS)).map_or_else(|_| micros.to_string(), date_text),
        _ => timestamp_text(micros),
    }
}
