//! The one table of measures of fairness: a new measure is a function and a row here.

use crate::metrics::facets::counts::{Counts, cells};
use crate::metrics::facets::{FacetMeasure, Stage};

const YES: Option<bool> = Some(true);
const NO: Option<bool> = Some(false);
/// The group, and all others.
const D: bool = true;
const A: bool = false;

/// In the order of the help page.
pub static TABLE: &[FacetMeasure] = &[
    before("CI", class_imbalance, "(n_a - n_d) / (n_a + n_d)", "how much smaller the group is than the others"),
    before("DPL", labels_difference, "q_a - q_d", "favourable share of true labels: others minus group"),
    before("KL", kullback_leibler, "sum P_a ln(P_a / P_d)", "distance of the labels (Kullback and Leibler)"),
    before("JS", jensen_shannon, "(KL(P_a, P) + KL(P_d, P)) / 2, P = (P_a + P_d) / 2", "distance (Jensen, Shannon)"),
    before("LP", euclidean, "sqrt(sum (P_a - P_d)^2)", "distance of the labels (L2 norm)"),
    before("TVD", total_variation, "sum |P_a - P_d| / 2", "total variation distance of the labels"),
    before("KS", kolmogorov_smirnov, "max |P_a - P_d|", "largest difference of the share of one label"),
    before("CDDL", labels_disparity, "sum n_i DD_i / n, DD = n_d0 / n_0 - n_d1 / n_1", "DD of labels in each stratum"),
    after("DPPL", answers_difference, "q'_a - q'_d", "favourable share of answers: others minus group"),
    after("DI", disparate_impact, "q'_d / q'_a", "favourable share of answers: group over others"),
    after("DCAcc", conditional_acceptance, "n_a1 / n'_a1 - n_d1 / n'_d1", "favourable labels per favourable answer"),
    after("DCR", conditional_rejection, "n_d0 / n'_d0 - n_a0 / n'_a0", "other labels per other answer"),
    after("AD", accuracy_difference, "accuracy_a - accuracy_d", "share answered rightly"),
    after("RD", recall_difference, "recall_a - recall_d", "share of favourable labels found"),
    after("SD", specificity_difference, "specificity_d - specificity_a", "share of other labels left alone"),
    after("DAR", acceptance_difference, "precision_a - precision_d", "share of favourable answers that are right"),
    after("DRR", rejection_difference, "TN_d / n'_d0 - TN_a / n'_a0", "share of other answers that are right"),
    after("TE", treatment_equality, "FN_d / FP_d - FN_a / FP_a", "missed per wrongly favoured"),
    after("CDDPL", answers_disparity, "as CDDL, of answers", "DD of answers in each stratum"),
    FacetMeasure {
        name: "FT",
        stage: Stage::PostTraining,
        formula: "(F+ - F-) / n_d",
        about: "rows of the group favoured, less those not favoured, unlike most of their 5 nearest others",
        of: None,
    },
    after("GE", generalised_entropy, "sum ((b / mean b)^2 - 1) / 2n, b = answer - label + 1", "inequality of benefits"),
];

type Value = fn(&Counts) -> Option<f64>;

const fn before(name: &'static str, of: Value, formula: &'static str, about: &'static str) -> FacetMeasure {
    FacetMeasure { name, stage: Stage::PreTraining, formula, about, of: Some(of) }
}

const fn after(name: &'static str, of: Value, formula: &'static str, about: &'static str) -> FacetMeasure {
    FacetMeasure { name, stage: Stage::PostTraining, formula, about, of: Some(of) }
}

/// `part / whole`, where there is a whole.
fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

fn class_imbalance(c: &Counts) -> Option<f64> {
    let (a, d) = (c.of(A, None, None), c.of(D, None, None));
    if a > 0.0 && d > 0.0 { share(a - d, a + d) } else { None }
}

/// Favourable share of the labels of one side.
fn favourable(c: &Counts, d: bool) -> Option<f64> {
    share(c.of(d, YES, None), c.of(d, None, None))
}

/// Favourable share of the answers to one side.
fn favoured(c: &Counts, d: bool) -> Option<f64> {
    share(c.of(d, None, YES), c.of(d, None, None))
}

fn labels_difference(c: &Counts) -> Option<f64> {
    Some(favourable(c, A)? - favourable(c, D)?)
}

/// Shares of each label among the others and in the group; `None` when one side has no rows.
fn shares(c: &Counts) -> Option<Vec<(f64, f64)>> {
    let [a, d] = &c.labels;
    let (a_sum, d_sum) = (a.iter().sum::<f64>(), d.iter().sum::<f64>());
    (a_sum > 0.0 && d_sum > 0.0).then(|| a.iter().zip(d).map(|(a, d)| (a / a_sum, d / d_sum)).collect())
}

/// `p ln(p / q)`, 0 for `p` = 0, infinite for `q` = 0.
fn surprise(p: f64, q: f64) -> f64 {
    if p == 0.0 { 0.0 } else { p * (p / q).ln() }
}

fn kullback_leibler(c: &Counts) -> Option<f64> {
    Some(shares(c)?.into_iter().map(|(a, d)| surprise(a, d)).sum())
}

fn jensen_shannon(c: &Counts) -> Option<f64> {
    let halves = |(a, d): (f64, f64)| surprise(a, (a + d) / 2.0) + surprise(d, (a + d) / 2.0);
    Some(shares(c)?.into_iter().map(halves).sum::<f64>() / 2.0)
}

fn euclidean(c: &Counts) -> Option<f64> {
    Some(shares(c)?.into_iter().map(|(a, d)| (a - d).powi(2)).sum::<f64>().sqrt())
}

fn total_variation(c: &Counts) -> Option<f64> {
    Some(shares(c)?.into_iter().map(|(a, d)| (a - d).abs()).sum::<f64>() / 2.0)
}

fn kolmogorov_smirnov(c: &Counts) -> Option<f64> {
    Some(shares(c)?.into_iter().map(|(a, d)| (a - d).abs()).fold(0.0, f64::max))
}

/// Mean over the strata, weighed by their rows, of the group's share of what is not favourable less its share of what is; a
/// share of nothing is 0, as in `smclarify`.
fn disparity(c: &Counts, of: fn(&[f64; 8], bool, bool) -> f64) -> Option<f64> {
    let has_both = c.of(A, None, None) > 0.0 && c.of(D, None, None) > 0.0;
    if !c.is_stratified || !has_both {
        return None;
    }
    let one = |stratum: &[f64; 8]| {
        let part = |yes: bool| share(of(stratum, D, yes), of(stratum, D, yes) + of(stratum, A, yes)).unwrap_or(0.0);
        stratum.iter().sum::<f64>() * (part(false) - part(true))
    };
    share(c.strata.iter().map(one).sum(), c.all.iter().sum())
}

fn labels_disparity(c: &Counts) -> Option<f64> {
    disparity(c, |stratum, d, yes| cells(stratum, d, Some(yes), None))
}

fn answers_disparity(c: &Counts) -> Option<f64> {
    disparity(c, |stratum, d, yes| cells(stratum, d, None, Some(yes)))
}

fn answers_difference(c: &Counts) -> Option<f64> {
    Some(favoured(c, A)? - favoured(c, D)?)
}

fn disparate_impact(c: &Counts) -> Option<f64> {
    share(favoured(c, D)?, favoured(c, A)?)
}

fn conditional_acceptance(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, YES, None), c.of(d, None, YES));
    Some(of(A)? - of(D)?)
}

fn conditional_rejection(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, NO, None), c.of(d, None, NO));
    Some(of(D)? - of(A)?)
}

fn accuracy_difference(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, YES, YES) + c.of(d, NO, NO), c.of(d, None, None));
    Some(of(A)? - of(D)?)
}

fn recall_difference(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, YES, YES), c.of(d, YES, None));
    Some(of(A)? - of(D)?)
}

fn specificity_difference(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, NO, NO), c.of(d, NO, None));
    Some(of(D)? - of(A)?)
}

fn acceptance_difference(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, YES, YES), c.of(d, None, YES));
    Some(of(A)? - of(D)?)
}

fn rejection_difference(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, NO, NO), c.of(d, None, NO));
    Some(of(D)? - of(A)?)
}

fn treatment_equality(c: &Counts) -> Option<f64> {
    let of = |d| share(c.of(d, YES, NO), c.of(d, NO, YES));
    Some(of(D)? - of(A)?)
}

/// Generalised entropy of the benefits (Speicher et al. 2018, equation 2) with α = 2, as Clarify takes it: of all rows, whatever
/// their group.
fn generalised_entropy(c: &Counts) -> Option<f64> {
    let both = |truth, answer| c.of(A, truth, answer) + c.of(D, truth, answer);
    let all = both(None, None);
    let (once, twice) = (both(YES, YES) + both(NO, NO), both(NO, YES));
    let mean = share(once + 2.0 * twice, all)?;
    let squares = share(once + 4.0 * twice, all)?;
    (mean > 0.0).then(|| (squares / (mean * mean) - 1.0) / 2.0)
}
