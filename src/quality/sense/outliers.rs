//! Values far from the median of their column.

use anyhow::Result;
use statrs::function::erf::erfc;

use crate::data::table::Table;
use crate::quality::report::{Finding, of_rows};
use crate::quality::rows::{Rows, View};
use crate::quality::sense::study::Study;
use crate::record::profile::NumberProfile;
use crate::spec::schema::{ColumnType, Severity};

/// The third quartile of the standard normal distribution: a median distance of that many standard deviations.
const NORMAL_MEDIAN_DISTANCE: f64 = 0.6745;
/// Values from which a distribution has a shape.
const ROWS_MIN: u64 = 30;
/// Times the threshold at which a single value is enough: 7 deviations are no chance in any table.
const FAR_TIMES: f64 = 2.0;

/// `OUTLIERS_MAD`: finite values whose modified z-score `0.6745 × |x - median| / MAD` is above 3.5, with MAD the median of
/// `|x - median|` (Iglewicz and Hoaglin 1993, *How to Detect and Handle Outliers*, 3.3). No finding when the MAD is 0, as
/// every other value would be an outlier, nor when a normal column has as many by chance (mean and three deviations of their
/// number), unless one scores twice the threshold.
///
/// The profile's quartiles are bounds of the MAD that rule out most columns; the others cost a selection, O(n).
pub fn outliers(study: &Study, place: usize) -> Result<Option<Finding>> {
    let column = study.profile_of(place);
    let (Some(threshold), Some(numbers)) = (study.options.outliers.mad, &column.numbers) else {
        return Ok(None);
    };
    let of_numbers = matches!(column.column_type, ColumnType::Integer | ColumnType::Float);
    if !of_numbers || column.present < ROWS_MIN || column.unique < 3 || study.has_a_role(&column.name) {
        return Ok(None);
    }
    let Some((median, farthest)) = doubt(numbers, threshold) else { return Ok(None) };
    let view = View::of(study.column(place))?;
    let Some(distance) = median_distance(view, median) else { return Ok(None) };
    let score = |value: f64| NORMAL_MEDIAN_DISTANCE * ((value - median) / distance).abs();
    let rows = view.numbers_failing(|value| !value.is_finite() || score(value) <= threshold);
    let usual = column.present as f64 * erfc(threshold / std::f64::consts::SQRT_2);
    let usual = (usual + 3.0 * usual.sqrt()).floor() as u64;
    let far = score(median + farthest).max(score(median - farthest)) >= FAR_TIMES * threshold;
    if rows.count == 0 || (rows.count <= usual && !far) {
        return Ok(None);
    }
    let (count, span) = (of_rows(rows.count, column.present, "value"), distance * threshold / NORMAL_MEDIAN_DISTANCE);
    let (low, high) = (tidy(median - span), tidy(median + span));
    let mut finding = Finding::new("OUTLIERS_MAD", Severity::Info, Some(&column.name))
        .says(
            format!("0.6745 × |x - median| / MAD <= {threshold}, with median {median} and MAD {}", tidy(distance)),
            format!(
                "{count} beyond (a normal column has up to {usual}); from {} to {}",
                span_end(numbers.min),
                span_end(numbers.max)
            ),
            format!("between {low} and {high}"),
        )
        .at(rows);
    finding.samples = samples(study.table, &column.name, &finding.rows, score);
    finding.fix =
        "check these values; correct or empty them where the source is made, or clip them in the recipe".to_owned();
    Ok(Some(finding))
}

fn span_end(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

fn samples(table: &Table, name: &str, rows: &[u64], score: impl Fn(f64) -> f64) -> Vec<String> {
    let text = |row: &u64| {
        let cell = table.cell(*row as usize - 1, name).unwrap_or_default();
        let score = cell.parse().map_or(f64::NAN, &score);
        format!("{cell} (score {score:.1})")
    };
    rows.iter().map(text).collect()
}

/// The median and the largest distance to it, unless the quartiles show that no value can be beyond `threshold`.
fn doubt(numbers: &NumberProfile, threshold: f64) -> Option<(f64, f64)> {
    let (first, median, third) = (*numbers.quantiles.get(4)?, *numbers.quantiles.get(5)?, *numbers.quantiles.get(6)?);
    let farthest = (numbers.max? - median).max(median - numbers.min?);
    // Less than half of the values lie nearer than the nearer quartile, so the MAD is no smaller.
    let least = (median - first).min(third - median);
    let possible = farthest.is_finite() && NORMAL_MEDIAN_DISTANCE * farthest / least > threshold;
    possible.then_some((median, farthest))
}

/// The median of the distances of finite values to `median`; `None` when it is 0.
fn median_distance(view: View, median: f64) -> Option<f64> {
    let finite = view.numbers().map(|(_, value)| value).filter(|value| value.is_finite());
    let mut distances: Vec<f64> = finite.map(|value| (value - median).abs()).collect();
    let middle = distances.len() / 2;
    if distances.is_empty() {
        return None;
    }
    let even = distances.len().is_multiple_of(2);
    let (below, &mut upper, _) = distances.select_nth_unstable_by(middle, f64::total_cmp);
    let distance = match even {
        true => below.iter().copied().fold(0.0, f64::max) / 2.0 + upper / 2.0,
        false => upper,
    };
    (distance > 0.0 && distance.is_finite()).then_some(distance)
}

/// Rounded to six significant digits, for people.
fn tidy(value: f64) -> String {
    format!("{value:.5e}").parse::<f64>().unwrap_or(value).to_string()
}

/// Rows that score above a threshold, for other files of this folder.
pub fn rows_of(mut scored: Vec<(f64, u32)>, most: usize) -> Rows {
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let first = scored.iter().take(most).map(|(_, row)| u64::from(*row) + 1).collect();
    Rows { first, count: scored.len() as u64, all: None }
}
