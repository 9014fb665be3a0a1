//! Numbers and dates that stand for "unknown".

use anyhow::Result;

use crate::data::value::DAY_MICROS;
use crate::quality::report::{Finding, of_rows};
use crate::quality::rows::View;
use crate::quality::sense::study::Study;
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// Numbers that people write for "unknown".
const NUMBERS: [f64; 18] = [
    -1.0,
    -9.0,
    -99.0,
    -999.0,
    -9_999.0,
    -99_999.0,
    -999_999.0,
    -32_768.0,
    -2_147_483_648.0,
    99.0,
    999.0,
    9_999.0,
    99_999.0,
    999_999.0,
    9_999_999.0,
    99_999_999.0,
    999_999_999.0,
    2_147_483_647.0,
];
/// The same as days since 1970: 0001-01-01, 1753-01-01, 1899-12-30, 1899-12-31, 1900-01-01, 1970-01-01, 2099-12-31,
/// 9999-12-31.
const DAYS: [(i64, &str); 8] = [
    (-719_162, "0001-01-01"),
    (-79_258, "1753-01-01"),
    (-25_569, "1899-12-30"),
    (-25_568, "1899-12-31"),
    (-25_567, "1900-01-01"),
    (0, "1970-01-01"),
    (47_481, "2099-12-31"),
    (2_932_896, "9999-12-31"),
];
/// Fewest rows with the value.
const ROWS_MIN: u64 = 3;
/// Distance to the nearest other value, as a share of the range of the others.
const GAP_MIN: f64 = 0.5;
/// Distinct other values, none negative, beside which the only negative value is odd however near.
const NEGATIVE_OTHERS_MIN: u64 = 20;
/// Least distance of a date to the nearest other one.
const GAP_DAYS_MIN: f64 = 365.0;

/// `SENTINEL`: the smallest or largest value is one that people write for "unknown" (-999, 9999, 1900-01-01), occurs three
/// times or more, and lies apart: by half of the range of all other values (dates: by a year and a tenth of it), or as the
/// only negative one.
///
/// Outliers of such a column are not looked for. The profile's smallest and largest value decide whether rows are looked at.
pub fn sentinels(study: &Study, place: usize) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    let Some((min, max)) = column.numbers.as_ref().and_then(|numbers| Some((numbers.min?, numbers.max?))) else {
        return Ok(None);
    };
    if column.unique < 3 {
        return Ok(None);
    }
    for value in [min, max] {
        let Some(name) = name_of(column.column_type, value) else { continue };
        let view = View::of(study.column(place))?;
        if !apart(view, column, value) {
            continue;
        }
        let rows = view.numbers_failing(|number| number != value);
        if rows.count < ROWS_MIN {
            continue;
        }
        let observed =
            format!("{name} in {}, apart from all other values", of_rows(rows.count, column.present, "value"));
        let mut finding = Finding::new("SENTINEL", Severity::Warning, Some(&column.name))
            .says(
                "no value that is written for \"unknown\" stands apart at an end of the range".to_owned(),
                observed,
                "an empty field where there is no value".to_owned(),
            )
            .at(rows);
        finding.fix = format!(
            "add {name:?} to [data] null_values in mlops.toml when it means \"unknown\" in every column, else empty the fields"
        );
        return Ok(Some(study.with_samples(finding, &[&column.name])));
    }
    Ok(None)
}

fn name_of(column_type: ColumnType, value: f64) -> Option<String> {
    match column_type {
        ColumnType::Integer | ColumnType::Float => NUMBERS.contains(&value).then(|| value.to_string()),
        ColumnType::Date | ColumnType::Timestamp => {
            let day = value / DAY_MICROS as f64;
            DAYS.iter().find(|(known, _)| *known as f64 == day).map(|(_, name)| (*name).to_owned())
        }
        _ => None,
    }
}

/// Whether `value`, an end of the range, lies far from all others.
fn apart(view: View, column: &ColumnProfile, value: f64) -> bool {
    let others = view.numbers().map(|(_, number)| number).filter(|number| number.is_finite() && *number != value);
    // A second sentinel must not hide the first.
    let others = others.filter(|number| name_of(column.column_type, *number).is_none());
    let (low, high, count) = others.fold((f64::INFINITY, f64::NEG_INFINITY, 0_u64), |(low, high, count), number| {
        (low.min(number), high.max(number), count + 1)
    });
    if count == 0 || (low..=high).contains(&value) {
        return false;
    }
    let gap = if value < low { low - value } else { value - high };
    if matches!(column.column_type, ColumnType::Date | ColumnType::Timestamp) {
        return gap >= GAP_DAYS_MIN * DAY_MICROS as f64 && gap >= 0.1 * (high - low);
    }
    let only_negative = value < 0.0 && low >= 0.0 && column.unique > NEGATIVE_OTHERS_MIN;
    let wide = gap > GAP_MIN * (high - low) && gap > 1.0;
    only_negative || wide
}
