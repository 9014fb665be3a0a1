//! Noise floors against simulation: pairs of samples of one population, 95 of 100 of which stay below.

use crate::base::seed::{Rng, Seed};
use crate::drift::tests::{by, categories, compared, numbers};
use crate::record::profile::ColumnProfile;
use crate::spec::drift::DriftTest;
use crate::spec::schema::ColumnType;

/// Simulated pairs; the standard error of the share below the floor is 1 %.
const PAIRS: u64 = 400;

fn normal(rng: &mut Rng, rows: usize) -> ColumnProfile {
    points(rng, rows, |rng| rng.normal())
}

fn skewed(rng: &mut Rng, rows: usize) -> ColumnProfile {
    points(rng, rows, |rng| rng.normal().exp())
}

fn points(rng: &mut Rng, rows: usize, draw: fn(&mut Rng) -> f64) -> ColumnProfile {
    let values: Vec<(f64, u64)> = (0..rows).map(|_| (draw(rng), 1)).collect();
    numbers(ColumnType::Float, &values, true)
}

/// Eight categories of shares 1/2, 1/4, ….
fn halving(rng: &mut Rng, rows: usize) -> ColumnProfile {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut counts = [0_u64; 8];
    for _ in 0..rows {
        let level = (-(1.0 - rng.unit()).log2()) as usize;
        counts[level.min(7)] += 1;
    }
    let held: Vec<(&str, u64)> = names.into_iter().zip(counts).filter(|(_, count)| *count > 0).collect();
    categories(&held)
}

/// Three shares of 0.5, 0.3, 0.2.
fn three(rng: &mut Rng, rows: usize) -> ColumnProfile {
    let mut counts = [0_u64; 3];
    for _ in 0..rows {
        let unit = rng.unit();
        counts[usize::from(unit > 0.5) + usize::from(unit > 0.8)] += 1;
    }
    categories(&["a", "b", "c"].into_iter().zip(counts).collect::<Vec<_>>())
}

/// Checks that the share of pairs below the floor lies in `[0.95 - slack, 0.95 + slack]`.
fn check(test: DriftTest, draw: fn(&mut Rng, usize) -> ColumnProfile, sizes: (usize, usize), slack: f64) {
    let options = by(test);
    let mut below = 0;
    for pair in 0..PAIRS {
        let mut rng = Seed(11).derive(test.name()).nth(pair).rng();
        let (reference, current) = (draw(&mut rng, sizes.0), draw(&mut rng, sizes.1));
        let drift = compared(&reference, &current, &options);
        let floor = drift.noise_floor.expect("a floor");
        below += u32::from(drift.statistic.expect("a statistic").abs() <= floor);
    }
    let share = f64::from(below) / PAIRS as f64;
    assert!((share - 0.95).abs() <= slack, "{} {sizes:?}: {share} below the floor", test.name());
}

#[test]
fn floors_of_numbers_hold_95_of_100_pairs() {
    for sizes in [(300, 300), (500, 60)] {
        for test in [
            DriftTest::Ks,
            DriftTest::Wasserstein,
            DriftTest::Ed,
            DriftTest::CramerVonMises,
            DriftTest::Anderson,
            DriftTest::TTest,
            DriftTest::Psi,
            DriftTest::KlDiv,
            DriftTest::JensenShannon,
            DriftTest::Hellinger,
        ] {
            check(test, normal, sizes, 0.04);
        }
        check(DriftTest::Wasserstein, skewed, sizes, 0.05);
        check(DriftTest::Ed, skewed, sizes, 0.04);
    }
}

#[test]
fn floors_of_categories_hold_95_of_100_pairs() {
    for sizes in [(400, 400), (2000, 150)] {
        for test in [
            DriftTest::JensenShannon,
            DriftTest::JensenShannonDivergence,
            DriftTest::Hellinger,
            DriftTest::Psi,
            DriftTest::KlDiv,
            DriftTest::InfinityNorm,
            DriftTest::Chisquare,
        ] {
            check(test, three, sizes, 0.04);
        }
        check(DriftTest::JensenShannon, halving, sizes, 0.04);
        check(DriftTest::Hellinger, halving, sizes, 0.04);
        check(DriftTest::Psi, halving, sizes, 0.05);
    }
}
