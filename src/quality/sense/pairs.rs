//! Two features that together give the target away: their sum, difference, product or ratio is the target.

use std::collections::HashSet;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::seed::Seed;
use crate::base::units;
use crate::data::frame::{MISSING_TIME, Values};
use crate::quality::outliers::quartiles;
use crate::quality::report::{Finding, of_rows};
use crate::quality::sense::leakage::ROWS_MIN;
use crate::quality::sense::study::{Goal, Study, ignore, numbers};
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnType, Severity};

/// Rows on which pairs are ruled out.
const PROBE_ROWS: usize = 64;
/// Rows of those on which both features must have a value for the pair to be looked at.
const PROBE_ROWS_MIN: u32 = 8;
/// Rows of those that may disagree: a pair that agrees in 99.9 % of rows has two that do not once in 500 tables.
const PROBE_MISSES_MAX: u32 = 1;
/// Share of rows that have to agree.
const AGREEING_MIN: f64 = 0.999;
/// How far a row may be off, as a share of the target's spread.
const OFF_MAX: f64 = 1e-3;
/// Pairs named in findings.
const PAIRS_MAX: usize = 20;

/// What two features may be combined to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Sum,
    Difference,
    Product,
    Ratio,
}

const WAYS: [Way; 4] = [Way::Sum, Way::Difference, Way::Product, Way::Ratio];

impl Way {
    fn of(self, a: f64, b: f64) -> f64 {
        match self {
            Way::Sum => a + b,
            Way::Difference => a - b,
            Way::Product => a * b,
            Way::Ratio => a / b,
        }
    }

    fn sign(self) -> char {
        match self {
            Way::Sum => '+',
            Way::Difference => '-',
            Way::Product => '×',
            Way::Ratio => '/',
        }
    }

    fn has_order(self) -> bool {
        matches!(self, Way::Difference | Way::Ratio)
    }
}

/// Two features, by place, and how they make the target.
type Pair = (usize, Way, usize);

/// `LEAKAGE`: two numeric features whose sum, difference, product or ratio is a numeric target in 99.9 % of the rows, up to
/// a thousandth of the target's spread. Features in `alone` give it away by themselves and are left out.
///
/// All pairs of the first `pair_columns_max` numeric features are ruled out on 64 rows, in most cases on the first two of
/// them; more columns than that are said. Cost: columns² × 6 sums, and one pass over the rows for each pair that is left.
pub fn pairs(study: &Study, alone: &HashSet<usize>) -> Result<Vec<Finding>> {
    let (Some((target, Goal::Numbers(values))), Some(Goal::Numbers(sampled))) = (&study.goal, &study.sample.goal)
    else {
        return Ok(Vec::new());
    };
    let Some(off) = study.profile.column(target).and_then(spread).map(|spread| spread * OFF_MAX) else {
        return Ok(Vec::new());
    };
    let is_number = |column: &ColumnProfile| {
        matches!(column.column_type, ColumnType::Integer | ColumnType::Float) && column.unique > 1
    };
    let mut places: Vec<usize> = study.features.iter().copied().filter(|place| !alone.contains(place)).collect();
    places.retain(|place| is_number(study.profile_of(*place)) && study.profile_of(*place).present >= ROWS_MIN);
    let mut findings = Vec::new();
    let most = study.options.pair_columns_max;
    if places.len() > most {
        findings.push(limited(places.len(), most));
        places.truncate(most);
    }
    let mut found = Vec::new();
    for pair in possible(study, &places, sampled, off) {
        let (Some(a), Some(b)) = (numbers(study.values(pair.0)?), numbers(study.values(pair.2)?)) else { continue };
        if let Some((agreeing, rows)) = agreement(pair.1, &a, &b, values, off) {
            found.push(finding(study, pair, target, agreeing, rows));
        }
        if found.len() == PAIRS_MAX {
            break;
        }
    }
    findings.extend(found);
    Ok(findings)
}

/// The distance between the quartiles, or the standard deviation where that is none.
fn spread(column: &ColumnProfile) -> Option<f64> {
    let numbers = column.numbers.as_ref()?;
    let between = quartiles(numbers).map(|(first, third)| third - first).filter(|between| *between > 0.0);
    between.or(numbers.std).filter(|spread| spread.is_finite() && *spread > 0.0)
}

fn limited(found: usize, most: usize) -> Finding {
    let mut finding = Finding::new("SENSE_LIMITED", Severity::Info, None).says(
        format!("pairs of at most {} numeric features are searched", units::count(most as u64)),
        format!("{} numeric features; pairs with the others were not compared", units::count(found as u64)),
        "no sum, difference, product or ratio of two features equals the target".to_owned(),
    );
    finding.count = (found - most) as u64;
    finding.fix = "name columns that cannot be features in [data] ignore of mlops.toml".to_owned();
    finding
}

/// Pairs that some rows of the sample do not rule out.
fn possible(study: &Study, places: &[usize], sampled: &[f64], off: f64) -> Vec<Pair> {
    // Rows where the target is zero are explained by any two features that are zero there too.
    let mut rows: Vec<usize> = (0..sampled.len()).filter(|row| sampled[*row].is_finite()).collect();
    Seed(study.options.seed).derive("sense pairs").rng().shuffle(&mut rows);
    rows.sort_by_key(|row| sampled[*row] == 0.0);
    rows.truncate(PROBE_ROWS);
    let at = |place: &usize, row: usize| match study.sampled(*place) {
        Values::Number(values) => values[row],
        Values::Time(values) if values[row] != MISSING_TIME => values[row] as f64,
        _ => f64::NAN,
    };
    let probes: Vec<Vec<f64>> = places.iter().map(|place| rows.iter().map(|row| at(place, *row)).collect()).collect();
    let goals: Vec<f64> = rows.iter().map(|row| sampled[*row]).collect();
    let fits = |way: Way, a: &[f64], b: &[f64]| {
        let (mut seen, mut misses) = (0, 0);
        for ((a, b), goal) in a.iter().zip(b).zip(&goals) {
            if a.is_nan() || b.is_nan() {
                continue;
            }
            seen += 1;
            misses += u32::from(!close(way.of(*a, *b), *a, *b, *goal, off));
            if misses > PROBE_MISSES_MAX {
                return false;
            }
        }
        seen >= PROBE_ROWS_MIN
    };
    let of_first = |first: usize| {
        let mut found = Vec::new();
        for second in first + 1..places.len() {
            for way in WAYS {
                if fits(way, &probes[first], &probes[second]) {
                    found.push((places[first], way, places[second]));
                }
                if way.has_order() && fits(way, &probes[second], &probes[first]) {
                    found.push((places[second], way, places[first]));
                }
            }
        }
        found
    };
    (0..places.len()).into_par_iter().flat_map_iter(of_first).collect()
}

/// Whether `made` is `goal` up to `off` and the rounding of the numbers it is made of.
fn close(made: f64, a: f64, b: f64, goal: f64, off: f64) -> bool {
    (made - goal).abs() <= off + 1e-9 * (a.abs() + b.abs()).min(goal.abs())
}

/// Rows that agree and rows with all three values, when enough do.
fn agreement(way: Way, a: &[f64], b: &[f64], goals: &[f64], off: f64) -> Option<(u64, u64)> {
    let (mut rows, mut misses) = (0_u64, 0_u64);
    let most = (goals.len() as f64 * (1.0 - AGREEING_MIN)) as u64;
    for ((a, b), goal) in a.iter().zip(b).zip(goals) {
        if a.is_nan() || b.is_nan() || goal.is_nan() {
            continue;
        }
        rows += 1;
        misses += u64::from(!close(way.of(*a, *b), *a, *b, *goal, off));
        if misses > most {
            return None;
        }
    }
    let agreeing = rows - misses;
    (rows >= ROWS_MIN && agreeing as f64 >= rows as f64 * AGREEING_MIN).then_some((agreeing, rows))
}

fn finding(study: &Study, pair: Pair, target: &str, agreeing: u64, rows: u64) -> Finding {
    let (a, sign, b) = (&study.profile_of(pair.0).name, pair.1.sign(), &study.profile_of(pair.2).name);
    let mut finding = Finding::new("LEAKAGE", Severity::Warning, Some(a)).says(
        "no sum, difference, product or ratio of two features equals the target in 99.9 % of rows".to_owned(),
        format!("`{a}` {sign} `{b}` = `{target}` in {}", of_rows(agreeing, rows, "row")),
        format!("features that are known before `{target}` is"),
    );
    finding.rows = (0..study.table.rows().min(3)).map(|row| row as u64 + 1).collect();
    finding.count = agreeing;
    finding.fix = ignore(&[a, b]);
    study.with_samples(finding, &[a, b, target])
}
