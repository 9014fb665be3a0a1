//! Features that say what another feature says.

use std::collections::{BTreeMap, HashMap};

use anyhow::Result;

use crate::data::frame::{MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::quality::report::Finding;
use crate::quality::rows::float_key;
use crate::quality::sense::associate::{coded, finite_pairs, information, pearson_squared};
use crate::quality::sense::leakage::ROWS_MIN;
use crate::quality::sense::study::{Study, ignore, numbers};
use crate::spec::schema::{ColumnType, Severity};

/// Squared correlation from which two numeric columns are one but for the unit they are measured in.
const SAME_MIN: f64 = 0.999_99;
/// Rows on which pairs of numeric columns are ruled out.
const PROBE_ROWS: usize = 128;
/// Largest squared distance of standardised probes that is looked at again; two columns at [`SAME_MIN`] have 0.003.
const PROBE_APART_MAX: f64 = 0.1;

/// `DUPLICATE_COLUMN`: features equal to an earlier one in every row, equal but for scale and origin (squared correlation
/// 0.99999), or categories that stand one for one for those of an earlier one.
///
/// Columns are brought together by their values in the sample; all rows decide. Cost: columns² × a few sums for scaled
/// copies, of at most `pair_columns_max` columns.
pub fn copies(study: &Study) -> Result<Vec<Finding>> {
    if (study.table.rows() as u64) < ROWS_MIN {
        return Ok(Vec::new());
    }
    let varied = |place: &usize| study.profile_of(*place).unique > 1;
    let mut places: Vec<usize> = study.features.iter().copied().filter(varied).collect();
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    for (place, first) in equal(study, &places)? {
        let name = &study.profile_of(first).name;
        found.push((place, first, format!("equals `{name}` in every row")));
    }
    let known: Vec<usize> = found.iter().map(|(place, ..)| *place).collect();
    places.retain(|place| !known.contains(place));
    found.extend(scaled(study, &places)?);
    found.extend(renamed(study, &places)?);
    found.sort_unstable();
    Ok(found.into_iter().map(|(place, first, seen)| finding(study, place, first, &seen)).collect())
}

fn finding(study: &Study, place: usize, first: usize, seen: &str) -> Finding {
    let (name, other) = (&study.profile_of(place).name, &study.profile_of(first).name);
    let mut finding = Finding::new("DUPLICATE_COLUMN", Severity::Warning, Some(name)).says(
        "no feature repeats another: not equal, squared correlation < 0.99999, categories not one for one".to_owned(),
        format!("`{name}` {seen}"),
        format!("one of `{other}` and `{name}`"),
    );
    finding.rows = (0..study.table.rows().min(3)).map(|row| row as u64 + 1).collect();
    finding.count = study.profile_of(place).present;
    finding.fix = ignore(&[name]);
    study.with_samples(finding, &[other, name])
}

/// Columns and the first column each is equal to.
fn equal(study: &Study, places: &[usize]) -> Result<Vec<(usize, usize)>> {
    let mut alike: BTreeMap<(u64, u64, u64), Vec<usize>> = BTreeMap::new();
    for place in places {
        let profile = study.profile_of(*place);
        alike.entry((profile.missing, profile.unique, digest(study.sampled(*place)))).or_default().push(*place);
    }
    let mut found = Vec::new();
    for group in alike.values().filter(|group| group.len() > 1) {
        let mut firsts: Vec<(usize, Values)> = Vec::new();
        for place in group {
            let values = study.values(*place)?;
            match firsts.iter().find(|(_, first)| same(first, &values)) {
                Some((first, _)) => found.push((*place, *first)),
                None => firsts.push((*place, values)),
            }
        }
    }
    Ok(found)
}

/// Equal for equal values, whatever their type.
fn digest(values: &Values) -> u64 {
    let mix = |hash: u64, key: u64| (hash ^ key).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    match values {
        Values::Number(values) => values.iter().fold(1, |hash, value| mix(hash, float_key(*value))),
        Values::Time(values) => values.iter().fold(2, |hash, micros| mix(hash, *micros as u64)),
        // Codes are in the order of first appearance, so equal columns have equal codes.
        Values::Text(text) => text.codes.iter().fold(3, |hash, code| mix(hash, u64::from(*code))),
        Values::Indicator { .. } | Values::Category { .. } => 4,
    }
}

fn same(a: &Values, b: &Values) -> bool {
    match (a, b) {
        (Values::Number(a), Values::Number(b)) => a.iter().map(|v| float_key(*v)).eq(b.iter().map(|v| float_key(*v))),
        _ => a == b,
    }
}

/// Numeric columns that an earlier one is but for scale and origin.
fn scaled(study: &Study, places: &[usize]) -> Result<Vec<(usize, usize, String)>> {
    let is_number = |place: &&usize| {
        let profile = study.profile_of(**place);
        // Two values always lie on a line: flags and their opposites are compared as categories.
        matches!(profile.column_type, ColumnType::Integer | ColumnType::Float) && profile.unique > 2
    };
    let places: Vec<usize> = places.iter().filter(is_number).copied().take(study.options.pair_columns_max).collect();
    let probes: Vec<Vec<f64>> = places.iter().map(|place| probe(study.sampled(*place))).collect();
    let mut found: Vec<(usize, usize, String)> = Vec::new();
    let mut gone = vec![false; places.len()];
    for first in 0..places.len() {
        for second in first + 1..places.len() {
            let alike = study.profile_of(places[first]).missing == study.profile_of(places[second]).missing;
            if gone[second] || !alike || !near(&probes[first], &probes[second]) {
                continue;
            }
            let (a, b) = (numbers(study.values(places[first])?), numbers(study.values(places[second])?));
            let (Some(a), Some(b)) = (a, b) else { continue };
            let (a, b) = finite_pairs(&a, &b);
            let square = pearson_squared(&a, &b);
            if a.len() as u64 >= ROWS_MIN && square >= SAME_MIN {
                gone[second] = true;
                let name = &study.profile_of(places[first]).name;
                let seen = format!("is `{name}` with another scale or origin: r² = {square:.6}");
                found.push((places[second], places[first], seen));
            }
        }
    }
    Ok(found)
}

/// Sample values with mean 0 and length 1, the first that is not 0 being positive; not-a-number where there is none.
fn probe(values: &Values) -> Vec<f64> {
    let number = |row: usize| match values {
        Values::Number(values) => values[row],
        Values::Time(values) if values[row] != MISSING_TIME => values[row] as f64,
        _ => f64::NAN,
    };
    let count = values.len().min(PROBE_ROWS);
    let mut probe: Vec<f64> = (0..count).map(|row| number(row * values.len() / count)).collect();
    let finite = |probe: &[f64]| probe.iter().copied().filter(|value| value.is_finite()).collect::<Vec<_>>();
    let largest = finite(&probe).iter().fold(0.0_f64, |most, value| most.max(value.abs())).max(f64::MIN_POSITIVE);
    probe.iter_mut().for_each(|value| *value /= largest);
    let known = finite(&probe);
    let mean = known.iter().sum::<f64>() / known.len().max(1) as f64;
    let length = known.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>().sqrt();
    let sign = probe.iter().map(|value| value - mean).find(|apart| apart.abs() > 1e-3 * length).unwrap_or(1.0).signum();
    probe.iter_mut().for_each(|value| *value = (*value - mean) / length * sign);
    probe
}

fn near(a: &[f64], b: &[f64]) -> bool {
    let mut apart = 0.0;
    for (a, b) in a.iter().zip(b) {
        let step = a - b;
        // Columns without variance in the sample, and missing values, say nothing against it.
        apart += if step.is_finite() { step * step } else { 0.0 };
        if apart > PROBE_APART_MAX {
            return false;
        }
    }
    true
}

/// Categories that stand one for one for those of an earlier column, as a code beside a name.
fn renamed(study: &Study, places: &[usize]) -> Result<Vec<(usize, usize, String)>> {
    let mut alike: BTreeMap<(u64, u64), Vec<usize>> = BTreeMap::new();
    for place in places {
        let profile = study.profile_of(*place);
        let category = match profile.column_type {
            ColumnType::Text | ColumnType::Boolean => profile.unique * 2 <= profile.present,
            ColumnType::Integer => profile.unique * 10 <= profile.present,
            _ => false,
        };
        if category {
            alike.entry((profile.missing, profile.unique)).or_default().push(*place);
        }
    }
    let mut found = Vec::new();
    for group in alike.into_values().filter(|group| group.len() > 1) {
        // Columns of one pattern in the sample are looked at in full.
        let mut patterns: HashMap<Vec<u32>, Vec<usize>> = HashMap::new();
        for place in group {
            patterns.entry(pattern(study.sampled(place))).or_default().push(place);
        }
        for group in patterns.into_values().filter(|group| group.len() > 1) {
            let mut firsts: Vec<(usize, Vec<u32>, usize)> = Vec::new();
            for place in group {
                let Some((codes, levels)) = coded(&study.values(place)?, usize::MAX) else { continue };
                let one_for_one = |first: &&(usize, Vec<u32>, usize)| {
                    let told = information(&first.1, first.2, &codes, levels);
                    told.rows >= ROWS_MIN && told.levels == told.pairs && told.classes == told.pairs
                };
                match firsts.iter().find(one_for_one) {
                    // Two numbers in another unit are told as such.
                    Some((first, ..)) if !are_integers(study, *first, place) => {
                        let name = &study.profile_of(*first).name;
                        found.push((place, *first, format!("stands one for one for `{name}`: {levels} values")));
                    }
                    _ => firsts.push((place, codes, levels)),
                }
            }
        }
    }
    Ok(found)
}

fn are_integers(study: &Study, a: usize, b: usize) -> bool {
    let is_integer = |place| study.profile_of(place).column_type == ColumnType::Integer;
    is_integer(a) && is_integer(b) && study.profile_of(a).unique > 2
}

/// Codes in the order of first appearance: equal for columns that differ in the names of their values only.
fn pattern(values: &Values) -> Vec<u32> {
    match values {
        Values::Text(TextValues { codes, .. }) => codes.clone(),
        _ => coded(values, usize::MAX).map_or_else(|| vec![MISSING_CODE; values.len()], |(codes, _)| codes),
    }
}
