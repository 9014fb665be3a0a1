//! Rows that are odd as a whole, though each of their values may be common.

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::limits::{FINDING_ROWS_MAX, SENSE_ISOLATION_CELLS_MAX};
use crate::base::seed::Seed;
use crate::base::units;
use crate::quality::report::{Finding, of_rows, percent};
use crate::quality::sense::forest::Forest;
use crate::quality::sense::options::Isolation;
use crate::quality::sense::outliers::rows_of;
use crate::quality::sense::study::{Study, numbers};
use crate::spec::schema::{ColumnType, Severity};

/// Rows from which a row can be odd.
const ROWS_MIN: usize = 50;

/// `OUTLIERS_ISOLATION`: rows whose anomaly score in an isolation forest over all numeric features (integers and floats) is
/// at least 0.6, or the share of rows asked for with the highest ones. Shows the rows of the highest scores, and the column
/// that sets each apart most. Missing values count as the column's median, infinite ones as the largest number.
///
/// Cost: about a microsecond a row and core, 8 bytes a value; larger tables than asked for get a finding that says so.
pub fn isolation(study: &Study) -> Result<Option<Finding>> {
    let options = &study.options.outliers;
    let rows = study.table.rows();
    let varies = |place: &usize| {
        let column = study.profile_of(*place);
        let middle = column.numbers.as_ref().and_then(|numbers| numbers.quantiles.get(5));
        matches!(column.column_type, ColumnType::Integer | ColumnType::Float) && column.unique > 1 && middle.is_some()
    };
    let places: Vec<usize> = study.features.iter().copied().filter(varies).collect();
    if options.isolation == Isolation::Off || rows < ROWS_MIN || places.len() < 2 {
        return Ok(None);
    }
    let most = match options.isolation {
        Isolation::UpTo(most) => most.min(SENSE_ISOLATION_CELLS_MAX / places.len()),
        _ => usize::MAX,
    };
    if rows > most {
        return Ok(Some(left_out(rows, most)));
    }
    let columns: Vec<Vec<f64>> = places.par_iter().map(|place| filled(study, *place)).collect::<Result<_>>()?;
    let views: Vec<&[f64]> = columns.iter().map(Vec::as_slice).collect();
    let forest = Forest::grow(
        &views,
        options.trees.max(1),
        options.tree_rows.max(2),
        Seed(study.options.seed).derive("isolation"),
    );
    let scores = forest.scores(&views);
    let least = match options.contamination {
        Some(share) => highest(&scores, share.clamp(0.0, 0.5)),
        None => options.isolation_score,
    };
    let odd: Vec<(f64, u32)> = scores.iter().copied().zip(0..).filter(|(score, _)| *score >= least).collect();
    if odd.is_empty() {
        return Ok(None);
    }
    let rule = match options.contamination {
        Some(share) => {
            format!("not among the {} of rows of the highest anomaly score (from {least:.3})", percent(share))
        }
        None => format!("anomaly score < {least}"),
    };
    let found = rows_of(odd, FINDING_ROWS_MAX);
    let top = scores[found.first[0] as usize - 1];
    let of = units::plural(places.len() as u64, "numeric feature");
    let mut finding = Finding::new("OUTLIERS_ISOLATION", Severity::Info, None)
        .says(
            format!(
                "{rule}; isolation forest of {} trees of {} rows over {of}",
                options.trees.max(1),
                options.tree_rows.min(rows)
            ),
            format!("{}; the highest score is {top:.3}", of_rows(found.count, rows as u64, "row")),
            "rows that take as many random cuts to set apart as others".to_owned(),
        )
        .at(found);
    finding.samples = finding
        .rows
        .iter()
        .map(|row| {
            let place = *row as usize - 1;
            let values: Vec<f64> = columns.iter().map(|column| column[place]).collect();
            let name = &study.profile_of(places[forest.isolating_column(&values)]).name;
            let cell = study.table.cell(place, name).unwrap_or_else(|| "-".to_owned());
            format!("score {:.3}; {name} {cell} sets it apart most", scores[place])
        })
        .collect();
    finding.fix = "look at these rows; remove or correct them where the source is made if they are mistakes".to_owned();
    Ok(Some(finding))
}

/// The smallest score among the `share` of rows with the highest ones; at least one row.
fn highest(scores: &[f64], share: f64) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(|a, b| b.total_cmp(a));
    let count = ((sorted.len() as f64 * share).floor() as usize).max(1);
    sorted[count - 1]
}

/// The column at `place` without gaps.
fn filled(study: &Study, place: usize) -> Result<Vec<f64>> {
    let middle = study.profile_of(place).numbers.as_ref().and_then(|numbers| numbers.quantiles.get(5).copied());
    let middle = middle.unwrap_or(0.0);
    let mut values = numbers(study.values(place)?).unwrap_or_default();
    for value in &mut values {
        *value = if value.is_nan() { middle } else { value.clamp(f64::MIN, f64::MAX) };
    }
    Ok(values)
}

fn left_out(rows: usize, most: usize) -> Finding {
    let mut finding = Finding::new("SENSE_LIMITED", Severity::Info, None).says(
        format!("an isolation forest is grown for up to {} unless asked for", units::plural(most as u64, "row")),
        format!("{}; rows were not judged as a whole", units::plural(rows as u64, "row")),
        "no row that few random cuts set apart".to_owned(),
    );
    finding.count = rows as u64;
    finding.fix = "add --isolation: it takes about a microsecond a row and core".to_owned();
    finding
}
