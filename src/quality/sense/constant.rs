//! Columns without anything to learn from: one value, hardly any other, none at all.

use anyhow::Result;

use crate::base::units;
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::rows::{Rows, View};
use crate::quality::sense::study::{Study, ignore};
use crate::record::profile::{ColumnProfile, NumberProfile};
use crate::spec::schema::Severity;

/// Share of the most frequent value from which a column hardly varies.
const NEARLY_MIN: f64 = 0.999;
/// Rows from which that says something.
const NEARLY_ROWS_MIN: u64 = 1_000;
/// Share of missing values from which it is worth knowing, and from which it is suspicious.
const MISSING_SHARES: (f64, f64) = (0.5, 0.95);

/// `CONSTANT_COLUMN`: one value in every row. `NEARLY_CONSTANT`: one value in 99.9 % of a thousand rows or more.
pub fn constant(study: &Study, place: usize) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    if column.present < 2 {
        return Ok(None);
    }
    // One value beside gaps is a flag: that there is a value says something.
    if column.unique == 1 && column.missing == 0 {
        let mut finding = Finding::new("CONSTANT_COLUMN", Severity::Warning, Some(&column.name)).says(
            "more than one value".to_owned(),
            format!("the same value in all {}", units::plural(column.present, "row")),
            "values that differ".to_owned(),
        );
        (finding.rows, finding.count) = (vec![1], column.present);
        finding.fix = ignore(&[&column.name]);
        return Ok(Some(study.with_samples(finding, &[&column.name])));
    }
    if column.missing > 0 || column.unique < 2 || column.present < NEARLY_ROWS_MIN || study.has_a_role(&column.name) {
        return Ok(None);
    }
    let Some((value, rows)) = others(study, place)? else { return Ok(None) };
    let share = 1.0 - rows.count as f64 / column.present as f64;
    if share < NEARLY_MIN {
        return Ok(None);
    }
    let mut finding = Finding::new("NEARLY_CONSTANT", Severity::Info, Some(&column.name)).says(
        format!("no value in {} of the rows or more", percent(NEARLY_MIN)),
        format!("{value} but in {}", of_rows(rows.count, column.present, "row")),
        "values that differ".to_owned(),
    );
    finding = finding.at(rows);
    finding.fix = ignore(&[&column.name]);
    Ok(Some(study.with_samples(finding, &[&column.name])))
}

/// The value that nearly all rows may have, and the rows with another one; `None` when the profile rules it out.
fn others(study: &Study, place: usize) -> Result<Option<(String, Rows)>> {
    let column = study.profile_of(place);
    let view = View::of(study.column(place))?;
    if let Some((value, count)) = column.top.first() {
        if (*count as f64) < column.present as f64 * NEARLY_MIN {
            return Ok(None);
        }
        let rows = match view {
            View::Text(_) => view.texts_failing(|text| text == value).rows,
            View::Boolean(_) => view.numbers_failing(|number| (number == 1.0) == (value == "true")),
            _ => view.numbers_failing(|number| value.parse() == Ok(number)),
        };
        return Ok(Some((format!("{value:?}"), rows)));
    }
    let middle = |numbers: &NumberProfile| {
        let (low, high) = (numbers.quantiles.get(1)?, numbers.quantiles.get(9)?);
        (low == high).then_some(*low)
    };
    let Some(value) = column.numbers.as_ref().and_then(middle) else { return Ok(None) };
    let shown = if view_is_time(view) { "the same moment".to_owned() } else { value.to_string() };
    Ok(Some((shown, view.numbers_failing(|number| number == value))))
}

fn view_is_time(view: View) -> bool {
    matches!(view, View::Date(_) | View::Time(_))
}

/// `ALL_MISSING`: no value in any row. `MOSTLY_MISSING`: none in half of the rows; suspicious from 95 %.
pub fn missing(study: &Study, column: &ColumnProfile) -> Option<Finding> {
    let total = column.present + column.missing;
    let share = column.missing as f64 / total.max(1) as f64;
    let (known, suspicious) = MISSING_SHARES;
    if total == 0 || share < known {
        return None;
    }
    let (code, severity) = match column.present {
        0 => ("ALL_MISSING", Severity::Warning),
        _ if share >= suspicious => ("MOSTLY_MISSING", Severity::Warning),
        _ => ("MOSTLY_MISSING", Severity::Info),
    };
    let mut finding = Finding::new(code, severity, Some(&column.name)).says(
        format!("missing in less than {} of the rows", percent(known)),
        format!("{} have no value", of_rows(column.missing, total, "row")),
        "a value in most rows".to_owned(),
    );
    let place = study.profile.columns.iter().position(|other| other.name == column.name)?;
    if let Ok(view) = View::of(study.column(place)) {
        let first = (0..study.table.rows()).filter(|row| view.is_missing(*row)).take(5);
        finding.rows = first.map(|row| row as u64 + 1).collect();
    }
    finding.count = column.missing;
    finding.fix = match column.present {
        0 => ignore(&[&column.name]),
        _ => format!("{}, or impute it with an indicator", ignore(&[&column.name])),
    };
    Some(finding)
}
