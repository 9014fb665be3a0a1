//! A test applied to the values of a column, with its noise floor.

use crate::base::seed::Seed;
use crate::drift::bins::Shares;
use crate::drift::choice::Kind;
use crate::drift::comparators;
use crate::drift::discrepancy;
use crate::drift::discrete;
use crate::drift::divergence;
use crate::drift::floor;
use crate::drift::histogram;
use crate::drift::numeric::{self, Tested};
use crate::drift::pooled::Pooled;
use crate::drift::report::Effect;
use crate::drift::sample::{Counts, Paired, Sample};
use crate::record::profile::{ColumnProfile, Histograms};
use crate::spec::drift::DriftTest;

/// The values of a column on both sides.
pub enum Values {
    /// Numbers or moments.
    Numbers {
        /// The reference.
        reference: Sample,
        /// The current table.
        current: Sample,
        /// Both.
        pooled: Pooled,
    },
    /// Categories.
    Categories(Paired),
}

/// Values counted apart: each with its count.
type Lone = Vec<(String, u64)>;

/// What a test came to.
pub struct Measured {
    /// Statistic and p-value; `None` when the test has no answer.
    pub tested: Option<Tested>,
    /// Noise floor of the statistic.
    pub floor: Option<f64>,
    /// What has to be said about it.
    pub note: Option<String>,
}

impl Values {
    /// From two profiles; `None` when one keeps no distribution.
    pub fn of(kind: Kind, reference: &ColumnProfile, current: &ColumnProfile) -> Option<Values> {
        if kind == Kind::Categories {
            return Some(Values::Categories(Paired::new(&Counts::of(reference)?, &Counts::of(current)?)));
        }
        let (reference, current) = (Sample::of(reference)?, Sample::of(current)?);
        if reference.is_empty() || current.is_empty() {
            return None;
        }
        let pooled = Pooled::new(&reference, &current);
        Some(Values::Numbers { reference, current, pooled })
    }

    /// Values in the reference.
    pub fn rows(&self) -> f64 {
        match self {
            Values::Numbers { pooled, .. } => pooled.n,
            Values::Categories(paired) => paired.reference.iter().sum(),
        }
    }

    /// Distinct values on both sides together; at least as many where a profile is cut.
    pub fn unique(&self) -> usize {
        match self {
            Values::Numbers { pooled, .. } => pooled.values.len(),
            Values::Categories(paired) => paired.unique(),
        }
    }

    /// Whether they are the values of the rows themselves.
    pub fn exact(&self) -> bool {
        match self {
            Values::Numbers { reference, current, .. } => reference.exact && current.exact,
            Values::Categories(paired) => paired.exact,
        }
    }

    /// Values of one side alone: categories.
    pub fn lone_values(&self) -> (Lone, Lone) {
        match self {
            Values::Numbers { .. } => (Vec::new(), Vec::new()),
            Values::Categories(paired) => (paired.new_values.clone(), paired.vanished_values.clone()),
        }
    }

    /// Both distributions over the same bins.
    pub fn histograms(&self, times: bool) -> Option<Histograms> {
        match self {
            Values::Numbers { pooled, .. } => histogram::of_numbers(pooled, times),
            Values::Categories(paired) => histogram::of_categories(paired),
        }
    }

    /// How far the distributions are apart, whatever the number of rows; `None` when it is not finite.
    pub fn effect(&self) -> Option<Effect> {
        let (name, value) = match self {
            Values::Numbers { reference, pooled, .. } => {
                ("wasserstein_normed", numeric::wasserstein(pooled, reference).statistic)
            }
            Values::Categories(paired) => ("cramers_v", cramers_v(&paired.reference, &paired.current)),
        };
        value.is_finite().then(|| Effect { name: name.to_owned(), value })
    }
}

/// `sqrt(χ² / N)` of the table of two rows, in `[0, 1]`; with equal sizes, the root of `Σ (p - q)² / (p + q) / 2`.
fn cramers_v(reference: &[f64], current: &[f64]) -> f64 {
    let (n, m) = (reference.iter().sum::<f64>(), current.iter().sum::<f64>());
    let cells = reference.iter().zip(current).filter(|(before, after)| *before + *after > 0.0);
    let sum: f64 = cells.map(|(before, after)| (before * m - after * n).powi(2) / (before + after) / (n * m)).sum();
    (sum / (n + m)).sqrt().min(1.0)
}

/// Applies `test`. `profiles` are those that the values come from.
pub fn measure(test: DriftTest, values: &Values, profiles: (&ColumnProfile, &ColumnProfile), seed: Seed) -> Measured {
    match values {
        Values::Categories(paired) => of_categories(test, paired, seed),
        Values::Numbers { reference, current, pooled } => {
            if test == DriftTest::JensenShannonDivergence {
                return of_histograms(profiles, pooled);
            }
            if !test.takes_numbers() && test != DriftTest::RangeShift {
                return numbers_as_categories(test, reference, current, seed);
            }
            of_numbers(test, (reference, current), pooled, seed)
        }
    }
}

fn numbers_as_categories(test: DriftTest, reference: &Sample, current: &Sample, seed: Seed) -> Measured {
    if !reference.exact || !current.exact {
        let note = "more distinct numbers than a profile keeps: they cannot be compared as categories";
        return Measured { tested: None, floor: None, note: Some(note.to_owned()) };
    }
    of_categories(test, &Paired::new(&reference.categories(), &current.categories()), seed)
}

fn of_categories(test: DriftTest, paired: &Paired, seed: Seed) -> Measured {
    let shares = Shares::of_categories(paired);
    let mut note = None;
    if matches!(test, DriftTest::Z | DriftTest::FisherExact) && paired.unique() > 2 {
        let first = paired.labels.first().and_then(|label| label.as_deref()).unwrap_or("other");
        note = Some(format!("more than two values: `{first}` against all others"));
    }
    let tested = match test {
        DriftTest::Chisquare => discrete::chi_square(paired),
        DriftTest::GTest => discrete::likelihood_ratio(paired),
        DriftTest::Z => discrete::proportions(paired),
        DriftTest::FisherExact => discrete::fisher(paired),
        DriftTest::Tvd => discrete::total_variation(paired, seed),
        DriftTest::Psi => Tested::distance(divergence::stability_index(&shares.filled())),
        DriftTest::KlDiv => Tested::distance(divergence::kullback_leibler(&shares.filled())),
        DriftTest::JensenShannon => Tested::distance(divergence::jensen_shannon(&shares).sqrt()),
        DriftTest::Hellinger => Tested::distance(divergence::hellinger(&shares)),
        DriftTest::InfinityNorm => Tested::distance(divergence::infinity_norm(&shares)),
        DriftTest::JensenShannonDivergence => Tested::distance(comparators::jensen_shannon_bits(&shares)),
        DriftTest::NormalizedAbsDifference => Tested::distance(comparators::normalized_abs_difference(paired)),
        _ => return Measured { tested: None, floor: None, note },
    };
    Measured { tested: Some(tested), floor: floor::of_shares(test, &paired.reference, &paired.current), note }
}

fn of_histograms((reference, current): (&ColumnProfile, &ColumnProfile), pooled: &Pooled) -> Measured {
    let Some(shares) = comparators::shares_of_histograms(reference, current) else {
        return Measured { tested: None, floor: None, note: None };
    };
    let floor = floor::of_bins(DriftTest::JensenShannonDivergence, &shares, pooled);
    Measured { tested: Some(Tested::distance(comparators::jensen_shannon_bits(&shares))), floor, note: None }
}

fn of_numbers(test: DriftTest, (reference, current): (&Sample, &Sample), pooled: &Pooled, seed: Seed) -> Measured {
    let binned = |shares: Option<Shares>, score: fn(&Shares) -> f64, fill: bool| {
        let Some(shares) = shares else {
            let note = "the range of the values is too wide for bins".to_owned();
            return Measured { tested: None, floor: None, note: Some(note) };
        };
        let floor = floor::of_bins(test, &shares, pooled);
        let shares = if fill { shares.filled() } else { shares };
        // A filled zero weighs by its logarithm: whether the last value of a tail falls into a bin decides, and a point of
        // a sketch stands for more than one. The error has no useful bound, unlike that of distances without filling.
        let cut = fill && !(reference.exact && current.exact);
        let note = cut.then(|| format!("{} of a sketch is unreliable where bins are sparse", test.name()));
        Measured { tested: Some(Tested::distance(score(&shares))), floor, note }
    };
    let tested = match test {
        DriftTest::Psi | DriftTest::KlDiv | DriftTest::JensenShannon => {
            let shares = Shares::of_numbers(pooled, reference, current);
            return match test {
                DriftTest::Psi => binned(shares, divergence::stability_index, true),
                DriftTest::KlDiv => binned(shares, divergence::kullback_leibler, true),
                _ => binned(shares, |shares| divergence::jensen_shannon(shares).sqrt(), false),
            };
        }
        DriftTest::Hellinger => {
            return binned(Shares::of_distinct(pooled, reference, current), divergence::hellinger, false);
        }
        DriftTest::Ks => Some(numeric::kolmogorov_smirnov(pooled)),
        DriftTest::Wasserstein => Some(numeric::wasserstein(pooled, reference)),
        DriftTest::Ed => Some(numeric::energy(pooled)),
        DriftTest::Anderson => numeric::anderson(pooled),
        DriftTest::CramerVonMises => numeric::cramer_von_mises(pooled),
        DriftTest::Es => numeric::epps_singleton(pooled),
        DriftTest::EmpiricalMmd => discrepancy::mean_discrepancy(pooled, seed),
        DriftTest::Mannw => numeric::mann_whitney(pooled),
        DriftTest::TTest => numeric::student(reference, current),
        DriftTest::RangeShift => Some(range_shift(reference, pooled)),
        _ => None,
    };
    // Tests without an answer for constants still know that two equal columns do not differ.
    let tested = tested.or_else(|| pooled.is_equal().then(|| Tested::new(0.0, 1.0)));
    let note = (test == DriftTest::RangeShift).then(|| range_note(reference, current));
    Measured { tested, floor: floor::of_numbers(test, pooled, numeric::norm(reference)), note }
}

/// Share of current values before the reference's first or after its last.
fn range_shift(reference: &Sample, pooled: &Pooled) -> Tested {
    let points = pooled.values.iter().zip(&pooled.current);
    let outside = points.filter(|(value, _)| **value < reference.low || **value > reference.high);
    Tested::distance(outside.map(|(_, count)| count).sum::<f64>() / pooled.m)
}

fn range_note(reference: &Sample, current: &Sample) -> String {
    let ends = |sample: &Sample| format!("{} – {}", histogram::moment(sample.low), histogram::moment(sample.high));
    format!("reference {}, current {}", ends(reference), ends(current))
}
