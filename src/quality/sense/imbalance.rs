//! How the target is distributed: rare classes, many zeros, a few huge values.

use crate::base::units;
use crate::quality::outliers::quartiles;
use crate::quality::report::{Finding, listed, of_rows, percent};
use crate::quality::sense::study::{Goal, Study};
use crate::record::profile::NumberProfile;
use crate::spec::schema::Severity;

/// Ratio of the largest to the smallest class from which it is worth knowing, and from which it is suspicious.
const RATIOS: (f64, f64) = (4.0, 20.0);
/// Rows below which a class cannot be learned, let alone divided.
const CLASS_ROWS_MIN: u64 = 10;
/// Share of zeros from which a number to predict is two questions: whether, and how much.
const ZEROS_MIN: f64 = 0.3;
/// Rows from which the shape of a target says something.
const ROWS_MIN: u64 = 100;
/// Interquartile ranges beyond the quartiles at which a target is far out (Tukey 1977).
const FAR_OUT: f64 = 3.0;
/// Classes named in one finding.
const SHOWN_MAX: usize = 8;

/// `CLASS_IMBALANCE`: the largest class has 4 times the rows of the smallest (suspicious from 20). `RARE_CLASS`: fewer than
/// 10 rows. `ZERO_INFLATED_TARGET`: 30 % of the numbers are zero, and others are not. `TARGET_OUTLIERS`: the smallest or
/// largest number is more than 3 interquartile ranges outside the quartiles.
pub fn imbalance(study: &Study) -> Vec<Finding> {
    let Some((target, goal)) = &study.goal else { return Vec::new() };
    match goal {
        Goal::Classes { names, .. } => {
            let counts = goal.class_counts();
            let classes: Vec<(String, u64)> = names.iter().cloned().zip(counts).collect();
            of_classes(target, classes)
        }
        Goal::Numbers(_) => {
            let column = study.profile.column(target);
            let numbers = column.and_then(|column| column.numbers.as_ref().map(|numbers| (numbers, column.present)));
            numbers.map_or_else(Vec::new, |(numbers, present)| of_numbers(target, numbers, present))
        }
    }
}

fn of_classes(target: &str, mut classes: Vec<(String, u64)>) -> Vec<Finding> {
    classes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let total: u64 = classes.iter().map(|(_, count)| count).sum();
    let (Some(largest), Some(smallest)) = (classes.first(), classes.last()) else { return Vec::new() };
    let ratio = largest.1 as f64 / smallest.1.max(1) as f64;
    let mut findings = Vec::new();
    if ratio >= RATIOS.0 {
        let severity = if ratio >= RATIOS.1 { Severity::Warning } else { Severity::Info };
        let share = |class: &(String, u64)| {
            format!("{:?} {} ({})", class.0, percent(class.1 as f64 / total as f64), units::count(class.1))
        };
        let mut finding = Finding::new("CLASS_IMBALANCE", severity, Some(target)).says(
            format!("the largest class has less than {} times the rows of the smallest", RATIOS.0),
            format!("{} to {}: {ratio:.1} times, of {} classes", share(largest), share(smallest), classes.len()),
            "classes of similar size, or a metric and a split that allow for it".to_owned(),
        );
        finding.count = smallest.1;
        finding.fix =
            "set [split] method = \"stratified\" and judge by f1_macro or average precision, not by accuracy, \
                       in [evaluate] metrics"
                .to_owned();
        findings.push(finding);
    }
    let rare: Vec<(String, u64)> = classes.into_iter().rev().filter(|(_, count)| *count < CLASS_ROWS_MIN).collect();
    if !rare.is_empty() {
        let mut finding = Finding::new("RARE_CLASS", Severity::Warning, Some(target)).says(
            format!("{CLASS_ROWS_MIN} rows of every class"),
            format!("fewer in {}", listed(&rare, SHOWN_MAX)),
            format!("at least {CLASS_ROWS_MIN} rows of every class"),
        );
        finding.count = rare.iter().map(|(_, count)| count).sum();
        finding.fix = "collect more rows of these classes, join them to others, or remove their rows".to_owned();
        findings.push(finding);
    }
    findings
}

fn of_numbers(target: &str, numbers: &NumberProfile, present: u64) -> Vec<Finding> {
    let mut findings = Vec::new();
    if present < ROWS_MIN {
        return findings;
    }
    let info = |code: &str| Finding::new(code, Severity::Info, Some(target));
    if numbers.zeros as f64 >= ZEROS_MIN * present as f64 {
        let mut finding = info("ZERO_INFLATED_TARGET").says(
            format!("less than {} of the target is zero", percent(ZEROS_MIN)),
            format!("{} are zero", of_rows(numbers.zeros, present, "value")),
            "a target that varies".to_owned(),
        );
        finding.count = numbers.zeros;
        finding.fix = "predict first whether it is zero, then how much; judge by mae rather than by shares".to_owned();
        findings.push(finding);
    }
    let (Some((first, third)), Some(min), Some(max)) = (quartiles(numbers), numbers.min, numbers.max) else {
        return findings;
    };
    let reach = FAR_OUT * (third - first);
    if third > first && (min < first - reach || max > third + reach) {
        let mut finding = info("TARGET_OUTLIERS").says(
            format!("within {FAR_OUT} interquartile ranges of the quartiles ({first} and {third})"),
            format!("from {min} to {max}"),
            format!("between {} and {}", first - reach, third + reach),
        );
        finding.fix = "predict the logarithm, or judge by mae: a few rows decide the squared error".to_owned();
        findings.push(finding);
    }
    findings
}
