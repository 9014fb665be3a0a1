//! Drift as findings: what a comparison of two profiles says to those who gate on it.

use crate::drift::report::{ColumnDrift, DriftReport, Outcome};
use crate::quality::report::{Finding, percent};
use crate::spec::drift::DriftTest;
use crate::spec::schema::Severity;

/// Findings about `report`, the comparison with the version called `against`.
///
/// `DATASET_DRIFT` is an error: enough columns drifted for the table to count as another. A drifted column by itself is a
/// warning, a difference that is real but small is information. Columns that came or went are the schema's matter.
pub fn findings(report: &DriftReport, against: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    if report.rows.drifted {
        findings.push(rows(report, against));
    }
    let columns: Vec<Finding> = report.columns.iter().flat_map(|column| of_column(column, against)).collect();
    if report.share_drifted >= report.share && report.columns.iter().any(|column| column.drifted) {
        let drifted = report.columns.iter().filter(|column| column.drifted).count();
        let mut finding = Finding::new("DATASET_DRIFT", Severity::Error, None).says(
            format!("share = {}", report.share),
            format!("{} of the compared columns drifted from {against}", percent(report.share_drifted)),
            format!("fewer than {}", percent(report.share)),
        );
        finding.count = drifted as u64;
        finding.fix =
            accept("train again on the new data, raise `share` in [monitor] of mlops.toml", "DATASET_DRIFT", None);
        findings.push(finding);
    }
    findings.extend(columns);
    findings
}

fn rows(report: &DriftReport, against: &str) -> Finding {
    let fewer = report.rows.current < report.rows.reference;
    let code = if fewer { "COMPARATOR_LOW_NUM_EXAMPLES" } else { "COMPARATOR_HIGH_NUM_EXAMPLES" };
    let (now, before) = (report.rows.current, report.rows.reference);
    let mut finding = Finding::new(code, Severity::Error, None).says(
        "rows_fraction_min, rows_fraction_max".to_owned(),
        format!("{now} rows, {before} in {against}"),
        "a number of rows within its bounds".to_owned(),
    );
    finding.count = now.abs_diff(before);
    finding.fix = accept("change the bounds in [monitor] of mlops.toml", code, None);
    finding
}

fn of_column(column: &ColumnDrift, against: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match column.outcome {
        Outcome::Drifted => findings.push(values(column, against, code(column.test), Severity::Warning)),
        Outcome::SignificantButSmall => findings.push(values(column, against, "DRIFT_SMALL", Severity::Info)),
        _ => {}
    }
    if column.missing.drifted {
        let mut finding = Finding::new("MISSING_VALUES_DRIFT", Severity::Warning, Some(&column.name)).says(
            "two proportions, p < 0.01, and a change that counts (missing_min)".to_owned(),
            format!("{} missing, {} in {against}", percent(column.missing.current), percent(column.missing.reference)),
            "about the same share of missing values".to_owned(),
        );
        finding.fix = accept("find out why values come or go", "MISSING_VALUES_DRIFT", Some(&column.name));
        findings.push(finding);
    }
    findings
}

/// TFDV's name where the comparator is TFDV's.
fn code(test: Option<DriftTest>) -> &'static str {
    match test {
        Some(DriftTest::InfinityNorm) => "COMPARATOR_L_INFTY_HIGH",
        Some(DriftTest::JensenShannonDivergence) => "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH",
        Some(DriftTest::NormalizedAbsDifference) => "COMPARATOR_NORMALIZED_ABSOLUTE_DIFFERENCE_HIGH",
        _ => "COLUMN_DRIFT",
    }
}

fn values(column: &ColumnDrift, against: &str, code: &str, severity: Severity) -> Finding {
    let test = column.test.map_or_else(|| "comparison".to_owned(), |test| test.name().to_owned());
    let number = |value: Option<f64>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:.4}"));
    let mut observed = match column.p_value {
        Some(p) => format!("{test} p = {p:.2e} (statistic {})", number(column.statistic)),
        None => format!("{test} {}", number(column.statistic)),
    };
    if let Some(effect) = &column.effect {
        observed.push_str(&format!("; effect {} {:.3}", effect.name.replace('_', " "), effect.value));
    }
    if let Some(floor) = column.noise_floor {
        observed.push_str(&format!("; two samples of one population differ by up to {floor:.4}"));
    }
    if !column.exact {
        observed.push_str("; from sketches");
    }
    for (word, list) in [("new", &column.new_values), ("gone", &column.vanished_values)] {
        let shown: Vec<String> = list.iter().take(3).map(|(value, _)| format!("{value:?}")).collect();
        if !shown.is_empty() {
            observed.push_str(&format!("; {word}: {}", shown.join(", ")));
        }
    }
    let expected = match severity {
        Severity::Info => format!("as in {against}; the difference is real, and too small to matter"),
        _ => format!("as in {against}"),
    };
    let threshold = number(column.threshold);
    let constraint =
        format!("{test} {} {threshold}", if column.p_value.is_some() { "p threshold" } else { "threshold" });
    let mut finding = Finding::new(code, severity, Some(&column.name)).says(constraint, observed, expected);
    finding.histograms.clone_from(&column.histograms);
    finding.fix =
        accept("train again, or set a test or threshold in [monitor] of mlops.toml", code, Some(&column.name));
    finding
}

/// What settles a finding that no rule of the schema is behind.
fn accept(edit: &str, code: &str, column: Option<&str>) -> String {
    match column {
        Some(column) => format!("{edit}; or run `mlops validate --accept {code}:{column}`"),
        None => format!("{edit}; or run `mlops validate --accept {code}`"),
    }
}
