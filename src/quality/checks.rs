//! Rules about single values: put together for a column, tested in one pass, told apart afterwards.

use anyhow::Result;
use polars::prelude::Column;

use crate::quality::found::{Found, Scope};
use crate::quality::report::{Finding, listed, of_rows};
use crate::quality::rows::View;
use crate::quality::scan::{Test, scan};
use crate::quality::{outliers, ranges, texts};
use crate::record::profile::ColumnProfile;
use crate::spec::schema::{ColumnRules, ColumnType, Severity};

/// Wrong values shown in one finding.
pub const SHOWN_MAX: usize = 5;

/// What a share of breaking rows is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tolerance {
    /// The rows outside all bounds of the range together with `outside_max`.
    Range,
    /// The rows of this rule with `outside_max`.
    Alone,
    /// None: one row is enough.
    Never,
}

/// One rule about single values that the profile could not settle.
pub struct RowCheck<'a> {
    /// Code of its finding.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The rule as written.
    pub rule: String,
    /// What is said of the values that break it: `above 10; largest 12`.
    pub says: String,
    /// What the rule asks for.
    pub expected: String,
    /// The edit that settles it; a whole sentence in place of the usual one when it has none in the schema.
    pub edit: String,
    /// The test.
    pub test: Test<'a>,
    /// What may break it.
    pub tolerance: Tolerance,
}

/// The findings of all rules about single values. `typed`: values are of the type that the rules are about.
pub fn values(
    column: &Column,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    typed: bool,
    scope: &Scope<'_>,
) -> Result<Vec<Found>> {
    let view = View::of(column)?;
    let mut checks = Vec::new();
    if typed {
        match rules.column_type {
            ColumnType::Text => checks.extend(texts::checks(profile, rules)?),
            ColumnType::Boolean => {}
            _ => {
                checks.extend(ranges::checks(view, profile, rules)?);
                checks.extend(outliers::check(view, profile, rules));
            }
        }
    }
    checks.extend(ranges::not_finite(profile, rules));
    checks.extend(texts::invalid(profile, rules));
    if checks.is_empty() {
        return Ok(Vec::new());
    }
    let tests: Vec<&Test<'_>> = checks.iter().map(|check| &check.test).collect();
    let failing = scan(view, column.len(), &tests, scope.keep_rows);
    let present = profile.present.max(1) as f64;
    let in_range = checks.iter().zip(&failing).filter(|(check, _)| check.tolerance == Tolerance::Range);
    let range_share = in_range.map(|(_, failing)| failing.rows.count).sum::<u64>() as f64 / present;
    let mut found = Vec::new();
    for (check, failing) in checks.into_iter().zip(failing) {
        let tolerated = match check.tolerance {
            Tolerance::Range => range_share <= rules.outside_max,
            Tolerance::Alone => failing.rows.count as f64 / present <= rules.outside_max,
            Tolerance::Never => false,
        };
        if failing.rows.count == 0 || tolerated {
            continue;
        }
        let mut observed = format!("{} {}", of_rows(failing.rows.count, profile.present, "value"), check.says);
        if !failing.values.is_empty() {
            observed.push_str(&format!(": {}", listed(&failing.values, SHOWN_MAX)));
        }
        let rule = match check.tolerance {
            Tolerance::Never => check.rule,
            _ => with_share(check.rule, rules),
        };
        let finding = Finding::new(check.code, check.severity, Some(&rules.name)).says(rule, observed, check.expected);
        found.push(Found::at(finding.settled_by(&check.edit), failing.rows));
    }
    Ok(found)
}

/// A rule with the share of values that may break it.
fn with_share(rule: String, rules: &ColumnRules) -> String {
    if rules.outside_max > 0.0 { format!("{rule}, outside_max = {:?}", rules.outside_max) } else { rule }
}
