//! Rules about the number of rows and the number and order of columns.

use crate::base::units;
use crate::quality::report::Finding;
use crate::record::profile::ProfileRecord;
use crate::spec::schema::{SchemaSpec, Severity, TableRules};

/// `DATASET_LOW_NUM_EXAMPLES` and `DATASET_HIGH_NUM_EXAMPLES`: fewer rows than `rows_min`, more than `rows_max`.
pub fn row_count(rows: u64, rules: &TableRules) -> Option<Finding> {
    let (code, constraint, expected, away) = match (rules.rows_min, rules.rows_max) {
        (Some(least), _) if rows < least => (
            "DATASET_LOW_NUM_EXAMPLES",
            format!("rows_min = {least}"),
            format!("at least {}", units::plural(least, "row")),
            least - rows,
        ),
        (_, Some(most)) if rows > most => (
            "DATASET_HIGH_NUM_EXAMPLES",
            format!("rows_max = {most}"),
            format!("at most {}", units::plural(most, "row")),
            rows - most,
        ),
        _ => return None,
    };
    let edit = if rules.rows_min.is_some_and(|least| rows < least) {
        "lower [table] rows_min"
    } else {
        "raise [table] rows_max"
    };
    let mut finding = Finding::new(code, Severity::Error, None)
        .says(constraint, units::plural(rows, "row"), expected)
        .settled_by(edit);
    finding.count = away;
    Some(finding)
}

/// `COLUMN_COUNT_LOW`, `COLUMN_COUNT_HIGH`, `COLUMNS_OUT_OF_ORDER`.
pub fn columns(profile: &ProfileRecord, schema: &SchemaSpec) -> Vec<Finding> {
    let (rules, count) = (&schema.table, profile.columns.len() as u64);
    let mut findings = Vec::new();
    let ends = [
        ("COLUMN_COUNT_LOW", "columns_min", rules.columns_min.filter(|least| count < *least), "at least"),
        ("COLUMN_COUNT_HIGH", "columns_max", rules.columns_max.filter(|most| count > *most), "at most"),
    ];
    for (code, key, bound, words) in ends {
        let Some(bound) = bound else { continue };
        let mut finding = Finding::new(code, Severity::Error, None)
            .says(
                format!("{key} = {bound}"),
                units::plural(count, "column"),
                format!("{words} {}", units::plural(bound, "column")),
            )
            .settled_by(&format!("change [table] {key}"));
        finding.count = count.abs_diff(bound);
        findings.push(finding);
    }
    if rules.columns_ordered {
        findings.extend(order(profile, schema));
    }
    findings
}

/// The columns that both know, in the order of each.
fn order(profile: &ProfileRecord, schema: &SchemaSpec) -> Option<Finding> {
    let wanted: Vec<&str> =
        schema.columns.iter().map(|rules| rules.name.as_str()).filter(|name| profile.column(name).is_some()).collect();
    let found: Vec<&str> = profile
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| schema.column(name).is_some())
        .collect();
    let (wants, finds) = wanted.iter().zip(&found).find(|(wants, finds)| wants != finds)?;
    let mut finding = Finding::new("COLUMNS_OUT_OF_ORDER", Severity::Error, None)
        .says(
            "columns_ordered = true".to_owned(),
            format!("`{finds}` stands where `{wants}` is expected"),
            format!("the order {}", wanted.join(", ")),
        )
        .settled_by("reorder the [[column]] entries or set [table] columns_ordered = false");
    finding.count = wanted.iter().zip(&found).filter(|(wants, finds)| wants != finds).count() as u64;
    Some(finding)
}
