//! Rules about the number of rows.

use crate::base::units;
use crate::quality::report::Finding;
use crate::spec::schema::{Severity, TableRules};

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
