//! Tests of drift: parity with Evidently, scipy and TFDV, noise floors by simulation, sketches, hostile profiles.

mod choices;
mod floors;
mod functions;
mod hostile;
mod parity;
mod sketches;

use crate::drift::compare::DriftOptions;
use crate::drift::report::{ColumnDrift, DriftReport};
use crate::record::profile::{ColumnProfile, NumberProfile, ProfileRecord, QuantileSketch};
use crate::spec::drift::{DriftColumnSpec, DriftSpec, DriftTest};
use crate::spec::schema::ColumnType;

/// A column without values.
fn column(column_type: ColumnType) -> ColumnProfile {
    ColumnProfile {
        name: "x".to_owned(),
        column_type,
        present: 0,
        missing: 0,
        unique: 0,
        numbers: None,
        texts: None,
        times: None,
        top: Vec::new(),
        quantile_sketch: None,
        distinct_sketch: None,
    }
}

/// A column of counted numbers, with everything of its profile that a comparison reads.
fn numbers(column_type: ColumnType, points: &[(f64, u64)], exact: bool) -> ColumnProfile {
    let mut points: Vec<(f64, u64)> = points.to_vec();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (values, counts): (Vec<f64>, Vec<u64>) = points.iter().copied().unzip();
    let present: u64 = counts.iter().sum();
    let mut profile = column(column_type);
    (profile.present, profile.unique) = (present, values.len() as u64);
    profile.numbers = Some(histogram(&points));
    profile.quantile_sketch = Some(QuantileSketch { exact, values, counts });
    profile
}

/// Moments and ten bins of equal width, as `numpy.histogram(x, 10)` counts them.
fn histogram(points: &[(f64, u64)]) -> NumberProfile {
    let total: f64 = points.iter().map(|(_, count)| *count as f64).sum();
    let mean = points.iter().map(|(value, count)| value * (*count as f64 / total)).sum::<f64>();
    let squares: f64 = points.iter().map(|(value, count)| (value - mean).powi(2) * *count as f64).sum();
    let (low, high) = (points.first().map_or(0.0, |p| p.0), points.last().map_or(0.0, |p| p.0));
    let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
    let edges = crate::drift::bins::equal(low, high, 10);
    let mut counts = vec![0_u64; 10];
    for (value, count) in points {
        let bin = edges.partition_point(|edge| edge <= value).saturating_sub(1).min(9);
        counts[bin] = counts[bin].saturating_add(*count);
    }
    NumberProfile {
        zeros: 0,
        nan: 0,
        infinite: 0,
        min: Some(low),
        max: Some(high),
        mean: Some(mean),
        std: Some((squares / (total - 1.0).max(1.0)).sqrt()),
        quantiles: Vec::new(),
        edges,
        counts,
        quantile_edges: Vec::new(),
    }
}

/// A column of counted text.
fn categories(values: &[(&str, u64)]) -> ColumnProfile {
    let mut profile = column(ColumnType::Text);
    profile.present = values.iter().map(|(_, count)| count).sum();
    profile.unique = values.len() as u64;
    profile.top = values.iter().map(|(value, count)| ((*value).to_owned(), *count)).collect();
    profile.top.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    profile
}

/// A table of one column.
fn table(column: &ColumnProfile) -> ProfileRecord {
    ProfileRecord { rows: column.present + column.missing, columns: vec![column.clone()] }
}

/// Options that compare column `x` by `test`.
fn by(test: DriftTest) -> DriftOptions {
    let own = DriftColumnSpec { test: Some(test), threshold: None };
    let column = [("x".to_owned(), own)].into_iter().collect();
    DriftOptions { spec: DriftSpec { column, ..DriftSpec::default() }, ..DriftOptions::default() }
}

fn report(reference: &ColumnProfile, current: &ColumnProfile, options: &DriftOptions) -> DriftReport {
    crate::drift::compare::compare(&table(reference), &table(current), options).expect("the options are valid")
}

/// The comparison of two columns.
fn compared(reference: &ColumnProfile, current: &ColumnProfile, options: &DriftOptions) -> ColumnDrift {
    report(reference, current, options).columns.remove(0)
}

/// `|a - b|` is at most `tolerance` of the larger, or of 1e-3 of that.
#[track_caller]
fn close(what: &str, got: f64, expected: f64, tolerance: f64) {
    let scale = got.abs().max(expected.abs()).max(1e-3);
    assert!((got - expected).abs() <= tolerance * scale, "{what}: {got} in place of {expected}");
}
