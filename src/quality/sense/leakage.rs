//! Features that give the target away by themselves.

use std::collections::HashSet;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::data::frame::{MISSING_CODE, Values};
use crate::data::target::Target;
use crate::quality::report::{Finding, percent};
use crate::quality::sense::associate::{coded, finite_pairs, information, pearson_squared, roc_area, spearman_squared};
use crate::quality::sense::study::{Goal, Study, ignore, is_missing, numbers};
use crate::spec::schema::Severity;

/// Fewest rows with both values that say something of an exact relation.
pub const ROWS_MIN: u64 = 30;
/// Fewest rows for a relation that is only nearly exact.
const NEAR_ROWS_MIN: u64 = 100;
/// Fewest rows of the rarest class that say something.
const CLASS_ROWS_MIN: u64 = 10;
/// Area that a few rows of the rarer class need in the sample, to be looked at in full.
const AREA_OF_FEW_MIN: f64 = 0.9;
/// Rows for each distinct value that a category needs before it is said to tell the target.
const LEVEL_ROWS_MIN: usize = 10;
/// Share of rows in classes of enough rows: the others are left out of a comparison of several classes.
const CLASSES_MIN: f64 = 0.99;
/// Smallest squared rank correlation beside a squared correlation that counts: a few huge values alone make the latter.
const RANKS_BESIDE_MIN: f64 = 0.9;

/// Rows of one column that are looked at first.
const SAMPLE_ROWS: usize = 2_000;

/// How much is too much.
#[derive(Clone, Copy)]
struct Bar {
    /// Squared correlation, of values or of ranks; share of the variance between categories.
    explained: f64,
    /// Area under the ROC curve of the feature alone.
    area: f64,
    /// Mutual information as a share of the target's entropy.
    information: f64,
    /// Whether fewer rows than it takes to tell are a reason to go on looking.
    doubt: bool,
}

/// What makes a finding.
const SURE: Bar = Bar { explained: 0.999, area: 0.999, information: 0.99, doubt: false };
/// What makes it worth while to look at all rows; the sample errs by far less than the difference.
const MAYBE: Bar = Bar { explained: 0.98, area: 0.98, information: 0.9, doubt: true };

/// A relation that gives the target away.
struct Relation {
    /// The rule it breaks.
    rule: String,
    /// What was seen.
    seen: String,
    /// Rows with both values.
    rows: u64,
}

impl Relation {
    fn doubtful(rows: u64) -> Relation {
        Relation { rule: String::new(), seen: String::new(), rows }
    }
}

/// `LEAKAGE`: features that alone give the target away, and their places.
///
/// Numbers against a number: equal, or a squared correlation or rank correlation of 0.999. Categories against a number:
/// 0.999 of the variance between them. Against classes: every value stands for one class, or the mutual information is 0.99
/// of the target's entropy; a number: it tells every class from the next with an area under the ROC curve of 0.999. Any feature: it is missing
/// exactly where the target is one class. Exact relations need 30 rows, the others 100.
pub fn leakage(study: &Study) -> Result<(HashSet<usize>, Vec<Finding>)> {
    let (Some((target, goal)), Some(sampled)) = (&study.goal, &study.sample.goal) else {
        return Ok((HashSet::new(), Vec::new()));
    };
    let looked_at: Vec<&usize> =
        study.features.iter().filter(|place| study.profile_of(**place).present >= ROWS_MIN).collect();
    let found: Vec<Result<Option<(usize, Finding)>>> = looked_at
        .par_iter()
        .map(|&&place| {
            let relation = match worth_it(study, place, sampled) {
                true => relation(study.values(place)?, goal, SURE),
                false => None,
            };
            let relation = relation.or_else(|| missing_where(study, place, goal));
            Ok(relation.map(|relation| (place, finding(study, place, target, relation))))
        })
        .collect();
    let mut places = HashSet::new();
    let mut findings = Vec::new();
    for found in found {
        if let Some((place, finding)) = found? {
            places.insert(place);
            findings.push(finding);
        }
    }
    Ok((places, findings))
}

/// How the values of one column alone give `target` away, in words that go between their names; `None` when they do not.
/// Looks at all rows only where [`SAMPLE_ROWS`] of them leave a doubt. See [`leakage`] for what counts.
pub fn given_away(values: &Values, target: &Target) -> Option<String> {
    let goal = match target {
        Target::Classes { names, codes } => Goal::Classes { names: names.clone(), codes: codes.clone() },
        Target::Numbers(numbers) => Goal::Numbers(numbers.clone()),
        Target::Labels { .. } => return None,
    };
    let step = values.len().div_ceil(SAMPLE_ROWS).max(1);
    let sample: Vec<u32> = (0..values.len() as u32).step_by(step).collect();
    relation(values.take(&sample), &goal.take(&sample), MAYBE)?;
    relation(values.clone(), &goal, SURE).map(|relation| relation.seen)
}

/// Whether the sample leaves a doubt.
fn worth_it(study: &Study, place: usize, sampled: &Goal) -> bool {
    study.profile_of(place).unique > 1 && relation(study.sampled(place).clone(), sampled, MAYBE).is_some()
}

fn finding(study: &Study, place: usize, target: &str, relation: Relation) -> Finding {
    let name = &study.profile_of(place).name;
    let mut finding = Finding::new("LEAKAGE", Severity::Warning, Some(name)).says(
        relation.rule,
        format!("`{name}` {} `{target}`", relation.seen),
        format!("a feature that is known before `{target}` is"),
    );
    let rows = (0..study.table.rows().min(3)).map(|row| row as u64 + 1).collect();
    (finding.rows, finding.count) = (rows, relation.rows);
    finding.fix = ignore(&[name]);
    study.with_samples(finding, &[name, target])
}

/// The first relation between a feature and the target that reaches `bar`.
fn relation(values: Values, goal: &Goal, bar: Bar) -> Option<Relation> {
    match goal {
        Goal::Numbers(target) => match numbers(values) {
            Some(feature) => of_numbers(&feature, target, bar),
            None => None,
        },
        Goal::Classes { names, codes } => of_classes(values, codes, names.len(), bar),
    }
}

fn of_numbers(feature: &[f64], target: &[f64], bar: Bar) -> Option<Relation> {
    let (a, b) = finite_pairs(feature, target);
    let rows = a.len() as u64;
    let told = |rule: &str, seen: String| Some(Relation { rule: rule.to_owned(), seen, rows });
    if rows < ROWS_MIN {
        return bar.doubt.then(|| Relation::doubtful(rows));
    }
    if a == b {
        return told("no feature equals the target", format!("equals, in all {rows} rows,"));
    }
    let straight = pearson_squared(&a, &b);
    let ranked = spearman_squared(&a, &b);
    if straight >= bar.explained && ranked >= RANKS_BESIDE_MIN {
        return told(
            "squared correlation with the target < 0.999",
            format!("goes along a straight line ({}) with", r2(straight)),
        );
    }
    if rows >= NEAR_ROWS_MIN && ranked >= bar.explained {
        return told(
            "squared rank correlation with the target < 0.999",
            format!("has the same order ({}) as", r2(ranked)),
        );
    }
    None
}

fn r2(value: f64) -> String {
    let text = format!("{value:.5}");
    format!("r² = {}", text.trim_end_matches('0').trim_end_matches('.'))
}

fn of_classes(values: Values, labels: &[u32], classes: usize, bar: Bar) -> Option<Relation> {
    let present = (0..labels.len()).filter(|row| labels[*row] != MISSING_CODE && !is_missing(&values, *row)).count();
    let rows = present as u64;
    if rows < ROWS_MIN {
        return bar.doubt.then(|| Relation::doubtful(rows));
    }
    if let Some((codes, levels)) = coded(&values, present / LEVEL_ROWS_MIN) {
        let told = information(&codes, levels, labels, classes);
        let enough = told.rarest >= CLASS_ROWS_MIN || bar.doubt;
        if told.classes > 1 && told.pairs == told.levels && enough {
            let seen = match told.levels == told.classes {
                true => format!("stands, value for value in all {rows} rows, for"),
                false => format!("decides, by each of its {levels} values in all {rows} rows,"),
            };
            return Some(Relation { rule: "no feature decides the target".to_owned(), seen, rows });
        }
        if rows >= NEAR_ROWS_MIN && told.share >= bar.information && enough {
            return Some(of_information(told.share, rows));
        }
    }
    let feature = numbers(values).filter(|_| rows >= NEAR_ROWS_MIN)?;
    let Some((area, apart)) = parted(&feature, labels, classes, bar) else {
        return bar.doubt.then(|| Relation::doubtful(rows));
    };
    (area >= apart).then(|| Relation {
        rule: "area under the ROC curve of a feature alone < 0.999".to_owned(),
        seen: format!("alone tells apart (area under the ROC curve {area:.5}) the classes of"),
        rows,
    })
}

/// The smallest area under the ROC curve with which `feature` tells a class from the next, classes being in the order of
/// their medians, and the area that is too much; `None` with too few rows in too many classes.
fn parted(feature: &[f64], labels: &[u32], classes: usize, bar: Bar) -> Option<(f64, f64)> {
    let mut members: Vec<Vec<f64>> = vec![Vec::new(); classes];
    let present = feature.iter().zip(labels).filter(|(value, label)| !value.is_nan() && **label != MISSING_CODE);
    present.for_each(|(value, label)| members[*label as usize].push(*value));
    members.retain(|values| !values.is_empty());
    let all: usize = members.iter().map(Vec::len).sum();
    let enough = |values: &Vec<f64>| values.len() as u64 >= CLASS_ROWS_MIN;
    let of_enough: usize = members.iter().filter(|values| enough(values)).map(Vec::len).sum();
    let few =
        members.iter().filter(|values| enough(values)).count() < 2 || (of_enough as f64) < CLASSES_MIN * all as f64;
    if members.len() < 2 || (few && !bar.doubt) {
        return None;
    }
    if !few {
        members.retain(enough);
    }
    members.iter_mut().for_each(|values| values.sort_unstable_by(f64::total_cmp));
    members.sort_by(|a, b| a[a.len() / 2].total_cmp(&b[b.len() / 2]));
    let area = |pair: &[Vec<f64>]| {
        let positive: Vec<bool> = pair[0].iter().map(|_| false).chain(pair[1].iter().map(|_| true)).collect();
        roc_area(&pair.concat(), &positive).map_or(0.0, |area| area.max(1.0 - area))
    };
    let smallest = members.windows(2).map(area).fold(1.0, f64::min);
    Some((smallest, if few { AREA_OF_FEW_MIN } else { bar.area }))
}

fn of_information(share: f64, rows: u64) -> Relation {
    Relation {
        rule: "mutual information < 0.99 of the target's entropy".to_owned(),
        seen: format!("alone tells {} of what there is to know of", percent(share)),
        rows,
    }
}

/// Missing exactly where the target is one class, or present exactly there.
fn missing_where(study: &Study, place: usize, goal: &Goal) -> Option<Relation> {
    let Goal::Classes { names, codes } = goal else { return None };
    let (missing, present) = (study.profile_of(place).missing, study.profile_of(place).present);
    // Columns with few gaps are the rule; the values of the others are looked at until the first row that speaks against it.
    if missing < ROWS_MIN || present < ROWS_MIN {
        return None;
    }
    let counts = goal.class_counts();
    let flags = study.column(place).as_materialized_series().is_null();
    let empty: Vec<bool> = flags.iter().map(|flag| flag == Some(true)).collect();
    let exactly = |class: u32, wanted: bool| {
        codes.iter().zip(&empty).all(|(code, empty)| *code == MISSING_CODE || (*empty == wanted) == (*code == class))
    };
    for (class, count) in counts.iter().enumerate() {
        let how = match class as u32 {
            class if *count <= missing && exactly(class, true) => "is missing",
            class if *count <= present && exactly(class, false) => "is present",
            _ => continue,
        };
        return Some(Relation {
            rule: "no feature is missing by the target's class".to_owned(),
            seen: format!("{how} in exactly the {} rows of class {:?} of", counts[class], names[class]),
            rows: counts[class],
        });
    }
    None
}
