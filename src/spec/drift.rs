//! `[monitor]` of the project file: which tests tell whether two tables differ, and from where on a difference counts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::fail::{self, Failure};

/// A statistic or test that compares one column of two tables, by Evidently's names; the last four by TFDV's and ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DriftTest {
    /// Kolmogorov and Smirnov: p-value; numbers.
    Ks,
    /// Pearson's chi-square against the reference scaled to the current size: p-value; categories.
    Chisquare,
    /// Difference of two proportions: p-value; categories of two values.
    Z,
    /// Wasserstein distance over the reference's standard deviation; numbers.
    Wasserstein,
    /// Population stability index.
    Psi,
    /// Kullback-Leibler divergence of the reference from the current table, in nats.
    KlDiv,
    /// Jensen-Shannon distance with natural logarithms, in `[0, 0.833]`.
    #[serde(rename = "jensenshannon")]
    JensenShannon,
    /// Hellinger distance, in `[0, 1]`.
    Hellinger,
    /// Energy distance; numbers.
    Ed,
    /// Total variation distance: p-value of a permutation test; categories.
    #[serde(rename = "TVD", alias = "tvd")]
    Tvd,
    /// Anderson and Darling for k samples: p-value between 0.001 and 0.25; numbers.
    Anderson,
    /// Fisher's exact test: p-value; categories of two values.
    FisherExact,
    /// Cramér and von Mises: p-value; numbers.
    CramerVonMises,
    /// Likelihood ratio (G) against the reference scaled to the current size: p-value; categories.
    GTest,
    /// Epps and Singleton: p-value; numbers.
    Es,
    /// Maximum mean discrepancy with a Gaussian kernel: p-value of a permutation test; numbers.
    EmpiricalMmd,
    /// Mann and Whitney, reference smaller than current: p-value; numbers.
    Mannw,
    /// Student's t with one variance: p-value; numbers.
    TTest,
    /// Largest difference of shares (TFDV); categories.
    InfinityNorm,
    /// Jensen-Shannon divergence with base-2 logarithms over the histograms of the profiles, in `[0, 1]` (TFDV).
    JensenShannonDivergence,
    /// Largest difference of counts over the rows of both tables (TFDV); categories.
    NormalizedAbsDifference,
    /// Share of current moments outside the reference's first and last; dates and time stamps.
    RangeShift,
}

/// When a score means that the distribution drifted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Score below the threshold.
    Below,
    /// Score below the threshold or equal to it.
    AtMost,
    /// Score above the threshold.
    Above,
    /// Score above the threshold or equal to it.
    AtLeast,
}

impl Rule {
    /// Whether `score` means drift.
    pub fn holds(self, score: f64, threshold: f64) -> bool {
        match self {
            Rule::Below => score < threshold,
            Rule::AtMost => score <= threshold,
            Rule::Above => score > threshold,
            Rule::AtLeast => score >= threshold,
        }
    }
}

impl DriftTest {
    /// Every test.
    pub const ALL: [DriftTest; 22] = [
        DriftTest::Ks,
        DriftTest::Chisquare,
        DriftTest::Z,
        DriftTest::Wasserstein,
        DriftTest::Psi,
        DriftTest::KlDiv,
        DriftTest::JensenShannon,
        DriftTest::Hellinger,
        DriftTest::Ed,
        DriftTest::Tvd,
        DriftTest::Anderson,
        DriftTest::FisherExact,
        DriftTest::CramerVonMises,
        DriftTest::GTest,
        DriftTest::Es,
        DriftTest::EmpiricalMmd,
        DriftTest::Mannw,
        DriftTest::TTest,
        DriftTest::InfinityNorm,
        DriftTest::JensenShannonDivergence,
        DriftTest::NormalizedAbsDifference,
        DriftTest::RangeShift,
    ];

    /// As written in the project file and in reports.
    pub fn name(self) -> &'static str {
        match self {
            DriftTest::Ks => "ks",
            DriftTest::Chisquare => "chisquare",
            DriftTest::Z => "z",
            DriftTest::Wasserstein => "wasserstein",
            DriftTest::Psi => "psi",
            DriftTest::KlDiv => "kl_div",
            DriftTest::JensenShannon => "jensenshannon",
            DriftTest::Hellinger => "hellinger",
            DriftTest::Ed => "ed",
            DriftTest::Tvd => "TVD",
            DriftTest::Anderson => "anderson",
            DriftTest::FisherExact => "fisher_exact",
            DriftTest::CramerVonMises => "cramer_von_mises",
            DriftTest::GTest => "g_test",
            DriftTest::Es => "es",
            DriftTest::EmpiricalMmd => "empirical_mmd",
            DriftTest::Mannw => "mannw",
            DriftTest::TTest => "t_test",
            DriftTest::InfinityNorm => "infinity_norm",
            DriftTest::JensenShannonDivergence => "jensen_shannon_divergence",
            DriftTest::NormalizedAbsDifference => "normalized_abs_difference",
            DriftTest::RangeShift => "range_shift",
        }
    }

    /// Whether its score is a p-value, so that small means drift.
    pub fn is_p_value(self) -> bool {
        matches!(self.rule(), Rule::Below | Rule::AtMost)
    }

    /// When its score means drift, as Evidently 0.7 and TFDV compare.
    pub fn rule(self) -> Rule {
        match self {
            DriftTest::Ks | DriftTest::CramerVonMises => Rule::AtMost,
            DriftTest::Chisquare
            | DriftTest::Z
            | DriftTest::Tvd
            | DriftTest::Anderson
            | DriftTest::FisherExact
            | DriftTest::GTest
            | DriftTest::Es
            | DriftTest::EmpiricalMmd
            | DriftTest::Mannw
            | DriftTest::TTest => Rule::Below,
            DriftTest::Ed
            | DriftTest::InfinityNorm
            | DriftTest::JensenShannonDivergence
            | DriftTest::NormalizedAbsDifference => Rule::Above,
            DriftTest::Wasserstein
            | DriftTest::Psi
            | DriftTest::KlDiv
            | DriftTest::JensenShannon
            | DriftTest::Hellinger
            | DriftTest::RangeShift => Rule::AtLeast,
        }
    }

    /// Threshold when none is written: Evidently's; 0.1 for TFDV's comparators, which have none; `None` for a shift of
    /// range, because time moves on.
    pub fn threshold(self) -> Option<f64> {
        match self {
            DriftTest::Ks
            | DriftTest::Chisquare
            | DriftTest::Z
            | DriftTest::Es
            | DriftTest::Mannw
            | DriftTest::TTest => Some(0.05),
            DriftTest::RangeShift => None,
            _ => Some(0.1),
        }
    }

    /// Whether it compares numbers.
    pub fn takes_numbers(self) -> bool {
        self.takes_both()
            || matches!(
                self,
                DriftTest::Ks
                    | DriftTest::Wasserstein
                    | DriftTest::Ed
                    | DriftTest::Anderson
                    | DriftTest::CramerVonMises
                    | DriftTest::Es
                    | DriftTest::EmpiricalMmd
                    | DriftTest::Mannw
                    | DriftTest::TTest
            )
    }

    /// Whether it compares categories.
    pub fn takes_categories(self) -> bool {
        self.takes_both() || (!self.takes_numbers() && self != DriftTest::RangeShift)
    }

    fn takes_both(self) -> bool {
        matches!(
            self,
            DriftTest::Psi
                | DriftTest::KlDiv
                | DriftTest::JensenShannon
                | DriftTest::Hellinger
                | DriftTest::JensenShannonDivergence
        )
    }
}

/// What holds for one column in place of the settings for all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftColumnSpec {
    /// Test; the default choice when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub test: Option<DriftTest>,
    /// Threshold; that of the test when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
}

/// `[monitor]`: how two tables are compared. The defaults are Evidently's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DriftSpec {
    /// Share of drifted columns from which the whole table counts as drifted, in `(0, 1]`.
    pub share: f64,
    /// Test of numbers; chosen by the number of rows and of distinct values when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numbers: Option<DriftTest>,
    /// Test of categories; chosen likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub categories: Option<DriftTest>,
    /// Threshold of each test, by its name; the test's own when absent.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub thresholds: BTreeMap<DriftTest, f64>,
    /// Compares these columns alone; all of them when empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// Leaves these columns out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Settings of single columns: `[monitor.column.NAME]`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub column: BTreeMap<String, DriftColumnSpec>,
    /// Smallest effect size that a p-value of more than 1,000 reference rows must come with to count as drift; 0 leaves
    /// the p-value alone to decide.
    pub effect_min: f64,
    /// Smallest change of the share of missing values, or of NaN and infinite ones, that counts, in `[0, 1]`.
    pub missing_min: f64,
    /// Whether a score within the noise of samples of these sizes is never drift.
    pub noise_floor: bool,
    /// Fewest current rows for each reference row (TFDV's `min_fraction_threshold`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_fraction_min: Option<f64>,
    /// Most current rows for each reference row (TFDV's `max_fraction_threshold`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows_fraction_max: Option<f64>,
}

impl Default for DriftSpec {
    fn default() -> DriftSpec {
        DriftSpec {
            share: 0.5,
            numbers: None,
            categories: None,
            thresholds: BTreeMap::new(),
            columns: Vec::new(),
            ignore: Vec::new(),
            column: BTreeMap::new(),
            effect_min: 0.1,
            missing_min: 0.01,
            noise_floor: true,
            rows_fraction_min: None,
            rows_fraction_max: None,
        }
    }
}

impl DriftSpec {
    /// Checks shares, thresholds, and that each test suits what it is to compare.
    pub fn check(&self) -> Result<(), Failure> {
        if !(self.share > 0.0 && self.share <= 1.0) {
            return Err(fail::usage(format!("[monitor] share = {} is no share", self.share))
                .hint("write a number above 0, at most 1"));
        }
        let thresholds = self.thresholds.values().chain(self.column.values().filter_map(|c| c.threshold.as_ref()));
        let bounds = [&self.effect_min, &self.missing_min].into_iter().chain(&self.rows_fraction_min);
        for bound in thresholds.chain(bounds).chain(&self.rows_fraction_max) {
            if !(*bound >= 0.0 && bound.is_finite()) {
                return Err(fail::usage(format!("[monitor] {bound} is no threshold")).hint("write a number, 0 or more"));
            }
        }
        if let Some(test) = self.numbers.filter(|test| !test.takes_numbers()) {
            return Err(unsuited("numbers", test, DriftTest::takes_numbers));
        }
        if let Some(test) = self.categories.filter(|test| !test.takes_categories()) {
            return Err(unsuited("categories", test, DriftTest::takes_categories));
        }
        Ok(())
    }
}

fn unsuited(key: &str, test: DriftTest, suits: fn(DriftTest) -> bool) -> Failure {
    let others: Vec<&str> = DriftTest::ALL.into_iter().filter(|test| suits(*test)).map(DriftTest::name).collect();
    fail::usage(format!("[monitor] {key} = \"{}\" does not compare {key}", test.name()))
        .hint(format!("choose one of {}", others.join(", ")))
}
