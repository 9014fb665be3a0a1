//! Which test compares a column, and what it is compared with.

use crate::spec::drift::{DriftSpec, DriftTest};

/// Reference rows up to which a p-value decides and beyond which a distance does: Evidently's.
pub const SMALL_ROWS_MAX: f64 = 1_000.0;
/// Distinct values up to which numbers are compared as categories: Evidently's.
const FEW_VALUES_MAX: usize = 5;

/// How the values of a column compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Numbers.
    Numbers,
    /// Text and booleans.
    Categories,
    /// Dates and time stamps.
    Times,
}

/// Evidently's default for `rows` reference values and `unique` distinct values in both tables together.
pub fn default_test(kind: Kind, rows: f64, unique: usize) -> DriftTest {
    let numbers = kind == Kind::Numbers && unique > FEW_VALUES_MAX;
    match (kind, rows <= SMALL_ROWS_MAX) {
        (Kind::Times, _) => DriftTest::RangeShift,
        (_, true) if numbers => DriftTest::Ks,
        (_, false) if numbers => DriftTest::Wasserstein,
        (_, true) if unique > 2 => DriftTest::Chisquare,
        (_, true) => DriftTest::Z,
        (_, false) => DriftTest::JensenShannon,
    }
}

/// The test of column `name`: its own, that of its kind, or the default.
pub fn test(spec: &DriftSpec, name: &str, kind: Kind, rows: f64, unique: usize) -> DriftTest {
    let own = spec.column.get(name).and_then(|column| column.test);
    let of_kind = match kind {
        Kind::Numbers => spec.numbers,
        Kind::Categories => spec.categories,
        Kind::Times => None,
    };
    own.or(of_kind).unwrap_or_else(|| default_test(kind, rows, unique))
}

/// The threshold of `test` for column `name`: its own, that of the test, or the default.
pub fn threshold(spec: &DriftSpec, name: &str, test: DriftTest) -> Option<f64> {
    let own = spec.column.get(name).and_then(|column| column.threshold);
    own.or_else(|| spec.thresholds.get(&test).copied()).or_else(|| test.threshold())
}
