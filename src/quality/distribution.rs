//! A column against a distribution written in the schema.

use anyhow::Result;
use polars::prelude::Column;
use statrs::distribution::{ChiSquared, ContinuousCDF};

use crate::quality::found::Found;
use crate::quality::ranges::same_text;
use crate::quality::report::Finding;
use crate::quality::rows::View;
use crate::quality::scan::{Test, scan};
use crate::record::profile::ColumnProfile;
use crate::spec::rule::ReferenceSpec;
use crate::spec::schema::ColumnRules;

/// How far a column is from its reference.
#[derive(Clone, Copy, Debug)]
pub struct Distance {
    /// Kullback-Leibler divergence of the data from the reference, natural logarithm; infinite when the data have what the
    /// reference does not.
    pub kl: f64,
    /// p-value of Pearson's chi-squared test.
    pub chi2_p: f64,
    /// p-value of the Kolmogorov-Smirnov test; bins only.
    pub ks_p: Option<f64>,
}

/// `KL_DIVERGENCE_HIGH`, `CHI_SQUARED_P_LOW`, `KS_P_LOW`; `STATS_NOT_AVAILABLE` without a value.
pub fn checks(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Vec<Found>> {
    let Some(reference) = &rules.reference else {
        return Ok(Vec::new());
    };
    let Some(distance) = distance(column, profile, reference)? else {
        let finding = Finding::new("STATS_NOT_AVAILABLE", rules.severity, Some(&rules.name))
            .says("reference".to_owned(), "no value to compare".to_owned(), "values".to_owned())
            .settled_by(&format!("remove reference of column `{}`", rules.name));
        return Ok(vec![finding.into()]);
    };
    let small = |p: Option<f64>, least: Option<f64>| p.zip(least).filter(|(p, least)| p < least);
    let measured = [
        (
            "KL_DIVERGENCE_HIGH",
            "kl_max",
            Some(distance.kl).zip(reference.kl_max).filter(|(kl, most)| kl > most),
            "at most",
        ),
        ("CHI_SQUARED_P_LOW", "chi2_p_min", small(Some(distance.chi2_p), reference.chi2_p_min), "at least"),
        ("KS_P_LOW", "ks_p_min", small(distance.ks_p, reference.ks_p_min), "at least"),
    ];
    let found = measured.into_iter().filter_map(|(code, key, broken, words)| {
        let (value, bound) = broken?;
        let what = if key == "kl_max" { "divergence" } else { "p-value" };
        let finding = Finding::new(code, rules.severity, Some(&rules.name))
            .says(format!("reference.{key} = {bound:?}"), format!("{what} is {value:.4}"), format!("{words} {bound}"))
            .settled_by(&format!("change reference of column `{}`", rules.name));
        Some(finding.into())
    });
    Ok(found.collect())
}

/// Measures the distance; none without a value. Cost: a sorted copy of the column for bins.
pub fn distance(column: &Column, profile: &ColumnProfile, reference: &ReferenceSpec) -> Result<Option<Distance>> {
    let total: f64 = reference.shares.iter().sum();
    let shares: Vec<f64> = reference.shares.iter().map(|share| share / total).collect();
    let view = View::of(column)?;
    if reference.edges.is_empty() {
        let values = every_value(view, profile, column.len());
        let seen: u64 = values.iter().map(|(_, count)| count).sum();
        let count = |at: usize| -> u64 {
            let same = values.iter().filter(|(text, _)| same_text(&reference.values[at], text));
            same.map(|(_, count)| count).sum()
        };
        let counts: Vec<f64> = (0..shares.len()).map(|at| count(at) as f64).collect();
        let outside = seen as f64 - counts.iter().sum::<f64>();
        return Ok((seen > 0).then(|| compared(&counts, &shares, outside, None)));
    }
    let mut values: Vec<f64> = view.numbers().map(|(_, value)| value).filter(|value| value.is_finite()).collect();
    if values.is_empty() {
        return Ok(None);
    }
    values.sort_unstable_by(f64::total_cmp);
    let last = reference.edges.len() - 1;
    let below = |edge: f64| values.partition_point(|value| *value < edge);
    let mut starts: Vec<usize> = reference.edges.iter().map(|edge| below(*edge)).collect();
    // The last bin holds its upper edge too.
    starts[last] = values.partition_point(|value| *value <= reference.edges[last]);
    let counts: Vec<f64> = starts.windows(2).map(|pair| (pair[1] - pair[0]) as f64).collect();
    let outside = values.len() as f64 - counts.iter().sum::<f64>();
    let ks = kolmogorov_p(&values, |value| cumulative(&reference.edges, &shares, value));
    Ok(Some(compared(&counts, &shares, outside, Some(ks))))
}

/// All distinct values with their counts.
fn every_value(view: View<'_>, profile: &ColumnProfile, rows: usize) -> Vec<(String, u64)> {
    if profile.top.len() as u64 == profile.unique {
        return profile.top.clone();
    }
    let none = Test::Text(Box::new(|_| false));
    let mut all = scan(view, rows, &[&none], false);
    all.pop().map(|failing| failing.values).filter(|values| !values.is_empty()).unwrap_or_else(|| {
        let mut values: Vec<f64> = view.numbers().map(|(_, value)| value).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.chunk_by(|a, b| a == b).map(|run| (run[0].to_string(), run.len() as u64)).collect()
    })
}

fn compared(counts: &[f64], shares: &[f64], outside: f64, ks_p: Option<f64>) -> Distance {
    let total = counts.iter().sum::<f64>() + outside;
    let terms = counts.iter().zip(shares).map(|(count, share)| match count / total {
        seen if seen > 0.0 => seen * (seen / share).ln(),
        _ => 0.0,
    });
    let kl = if outside > 0.0 { f64::INFINITY } else { terms.sum::<f64>().max(0.0) };
    let square = |(count, share): (&f64, &f64)| {
        let expected = share * total;
        if expected > 0.0 {
            (count - expected).powi(2) / expected
        } else if *count > 0.0 {
            f64::INFINITY
        } else {
            0.0
        }
    };
    let statistic: f64 = if outside > 0.0 { f64::INFINITY } else { counts.iter().zip(shares).map(square).sum() };
    let freedom = (counts.len() as f64 - 1.0).max(1.0);
    let chi2_p = match ChiSquared::new(freedom) {
        Ok(law) if statistic.is_finite() => law.sf(statistic),
        _ => 0.0,
    };
    Distance { kl, chi2_p, ks_p }
}

/// The piecewise linear distribution function of bins.
fn cumulative(edges: &[f64], shares: &[f64], value: f64) -> f64 {
    let mut sum = 0.0;
    for (bin, share) in edges.windows(2).zip(shares) {
        if value >= bin[1] {
            sum += share;
        } else {
            let width = bin[1] - bin[0];
            return sum + if value > bin[0] && width > 0.0 { share * (value - bin[0]) / width } else { 0.0 };
        }
    }
    1.0
}

/// p-value of the one-sample Kolmogorov-Smirnov test of sorted values, asymptotic with Stephens' correction (1970).
fn kolmogorov_p(sorted: &[f64], law: impl Fn(f64) -> f64) -> f64 {
    let count = sorted.len() as f64;
    let largest = sorted.iter().enumerate().fold(0.0_f64, |largest, (at, value)| {
        let expected = law(*value);
        largest.max((at as f64 + 1.0) / count - expected).max(expected - at as f64 / count)
    });
    let scaled = (count.sqrt() + 0.12 + 0.11 / count.sqrt()) * largest;
    // Below this the series has not begun to fall and its sum is one to six digits.
    if scaled < 0.3 {
        return 1.0;
    }
    let term = |at: i32| {
        let sign = if at % 2 == 1 { 1.0 } else { -1.0 };
        sign * (-2.0 * f64::from(at * at) * scaled * scaled).exp()
    };
    (2.0 * (1..=100).map(term).sum::<f64>()).clamp(0.0, 1.0)
}
