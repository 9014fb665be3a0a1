//! Statistics of sketches against those of the rows they stand for.

use crate::base::limits::SKETCH_POINTS_MAX;
use crate::base::seed::{Rng, Seed};
use crate::drift::tests::{by, compared, numbers};
use crate::record::profile::ColumnProfile;
use crate::spec::drift::DriftTest;
use crate::spec::schema::ColumnType;

/// Rows of each side.
const ROWS: usize = 50_000;

fn exact(values: &[f64]) -> ColumnProfile {
    numbers(ColumnType::Float, &values.iter().map(|value| (*value, 1)).collect::<Vec<_>>(), true)
}

/// Points that each stand for as many neighbours as it takes, with exact moments beside them.
fn sketched(values: &[f64]) -> ColumnProfile {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let each = sorted.len().div_ceil(SKETCH_POINTS_MAX);
    let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
    let points: Vec<(f64, u64)> = sorted.chunks(each).map(|part| (mean(part), part.len() as u64)).collect();
    let mut profile = exact(values);
    profile.quantile_sketch = numbers(ColumnType::Float, &points, false).quantile_sketch;
    profile
}

/// Largest absolute difference between the statistic of sketches and of rows, over three pairs of distributions.
fn worst(test: DriftTest) -> f64 {
    let draws: [fn(&mut Rng) -> f64; 4] = [
        |rng| rng.normal(),
        |rng| rng.normal() * 1.1 + 0.2,
        |rng| (rng.normal() * 0.8).exp(),
        |rng| (rng.normal() * 0.9).exp(),
    ];
    let sides: Vec<Vec<f64>> = draws
        .iter()
        .zip(0_u64..)
        .map(|(draw, part)| {
            let mut rng = Seed(5).nth(part).rng();
            (0..ROWS).map(|_| draw(&mut rng)).collect()
        })
        .collect();
    let difference = |left: &[f64], right: &[f64]| {
        let rows = compared(&exact(left), &exact(right), &by(test));
        let sketch = compared(&sketched(left), &sketched(right), &by(test));
        assert!(rows.exact && !sketch.exact && sketch.note.is_some_and(|note| note.contains("approximate")));
        (rows.statistic.expect("a statistic") - sketch.statistic.expect("a statistic")).abs()
    };
    [(0, 1), (2, 3), (0, 2)].iter().map(|&(a, b)| difference(&sides[a], &sides[b])).fold(0.0, f64::max)
}

#[test]
fn sketches_of_50_000_rows_are_close() {
    for (test, bound) in [
        (DriftTest::Wasserstein, 1e-3),
        (DriftTest::Ks, 2e-3),
        (DriftTest::JensenShannon, 5e-3),
        (DriftTest::Ed, 1e-3),
        (DriftTest::TTest, 1e-9),
    ] {
        let worst = worst(test);
        assert!(worst <= bound, "{}: {worst}", test.name());
    }
}

#[test]
fn what_a_sketch_cannot_tell_is_said() {
    let mut rng = Seed(6).rng();
    let values: Vec<f64> = (0..5_000).map(|_| rng.normal()).collect();
    for test in [DriftTest::Psi, DriftTest::KlDiv] {
        let drift = compared(&sketched(&values), &sketched(&values), &by(test));
        assert!(drift.note.is_some_and(|note| note.contains("unreliable")), "{}", test.name());
    }
}
