//! Widening a schema so that a finding does not recur.

use anyhow::Result;

use crate::base::fail;
use crate::quality::infer::infer_column;
use crate::quality::outliers::factor_for_all;
use crate::quality::report::Finding;
use crate::quality::rules::share_up;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec};

/// Widens the rule behind `finding` just far enough for the table that `profile` describes; true when the schema changed.
///
/// False for findings that no rule is behind (`CONSTANT_COLUMN`, `FLOAT_TYPE_HAS_NAN`, …). A domain is extended by the new
/// values, or removed when there are too many to list; a mismatched pattern is kept and `outside_max` raised, unless
/// nothing matches; a key that does not identify rows is removed. Errors: a column that schema or profile does not have.
pub fn accept(schema: &mut SchemaSpec, finding: &Finding, profile: &ProfileRecord) -> Result<bool> {
    let before = schema.clone();
    match &finding.column {
        None => accept_table(schema, finding, profile),
        Some(name) if finding.code == "SCHEMA_NEW_COLUMN" => accept_new(schema, find(profile, name)?, profile),
        Some(name) => {
            let rules = schema.columns.iter_mut().find(|rules| rules.name == *name);
            let rules = rules.ok_or_else(|| fail::usage(format!("the schema has no column `{name}`")))?;
            match finding.code.as_str() {
                "SCHEMA_MISSING_COLUMN" => rules.required = false,
                _ => accept_column(rules, finding, find(profile, name)?),
            }
        }
    }
    Ok(*schema != before)
}

fn find<'a>(profile: &'a ProfileRecord, name: &str) -> Result<&'a ColumnProfile> {
    profile.column(name).ok_or_else(|| fail::usage(format!("the data has no column `{name}`")).into())
}

fn accept_table(schema: &mut SchemaSpec, finding: &Finding, profile: &ProfileRecord) {
    let table = &mut schema.table;
    match finding.code.as_str() {
        "DATASET_LOW_NUM_EXAMPLES" => table.rows_min = Some(profile.rows),
        "DATASET_HIGH_NUM_EXAMPLES" => table.rows_max = Some(profile.rows),
        "DUPLICATE_KEY" | "KEY_MISSING" => table.key.clear(),
        "DUPLICATE_ROWS" => {
            let share = share_up(finding.count as f64 / profile.rows.max(1) as f64, 10_000.0);
            table.duplicates_max = table.duplicates_max.max(share);
        }
        _ => {}
    }
}

/// Adds the column where the data has it.
fn accept_new(schema: &mut SchemaSpec, column: &ColumnProfile, profile: &ProfileRecord) {
    if schema.columns.iter().any(|rules| rules.name == column.name) {
        return;
    }
    let earlier = profile.columns.iter().take_while(|other| other.name != column.name);
    let place = |name: &str| schema.columns.iter().position(|rules| rules.name == name);
    let after = earlier.filter_map(|other| place(&other.name)).max();
    schema.columns.insert(after.map_or(0, |after| after + 1), infer_column(column));
}

fn accept_column(rules: &mut ColumnRules, finding: &Finding, column: &ColumnProfile) {
    let numbers = column.numbers.as_ref();
    let share = finding.count as f64 / column.present.max(1) as f64;
    match finding.code.as_str() {
        "FEATURE_TYPE_NOT_PRESENT" | "FEATURE_TYPE_LOW_FRACTION_PRESENT" => {
            let rows = (column.present + column.missing).max(1);
            rules.missing_max = rules.missing_max.max(share_up(column.missing as f64 / rows as f64, 100.0));
        }
        "INT_TYPE_SMALL_INT" | "FLOAT_TYPE_SMALL_FLOAT" => {
            let infinite = numbers.is_some_and(|numbers| numbers.infinite > 0);
            rules.min = numbers.and_then(|numbers| numbers.min).filter(|_| !infinite);
        }
        "INT_TYPE_BIG_INT" | "FLOAT_TYPE_BIG_FLOAT" => {
            let infinite = numbers.is_some_and(|numbers| numbers.infinite > 0);
            rules.max = numbers.and_then(|numbers| numbers.max).filter(|_| !infinite);
        }
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES" => extend_domain(rules, column),
        "PATTERN_MISMATCH" if finding.count >= column.present => rules.pattern = None,
        "PATTERN_MISMATCH" => rules.outside_max = rules.outside_max.max(share_up(share, 10_000.0)),
        "NOT_UNIQUE" => rules.unique = false,
        "OUTLIERS" => rules.outliers_iqr = numbers.and_then(factor_for_all),
        "UNEXPECTED_DATA_TYPE"
        | "INT_TYPE_NOT_INT_STRING"
        | "FLOAT_TYPE_STRING_NOT_FLOAT"
        | "BOOL_TYPE_UNEXPECTED_STRING" => retype(rules, column.column_type),
        _ => {}
    }
}

fn extend_domain(rules: &mut ColumnRules, column: &ColumnProfile) {
    if column.top.len() as u64 != column.unique {
        rules.domain = None;
        return;
    }
    let domain = rules.domain.get_or_insert_default();
    let mut new: Vec<&String> =
        column.top.iter().map(|(value, _)| value).filter(|value| !domain.contains(value)).collect();
    new.sort_unstable();
    let new: Vec<String> = new.into_iter().cloned().collect();
    domain.extend(new);
}

/// Another type; rules that do not suit it are dropped.
fn retype(rules: &mut ColumnRules, column_type: ColumnType) {
    rules.column_type = column_type;
    if !matches!(column_type, ColumnType::Integer | ColumnType::Float) {
        (rules.min, rules.max, rules.outliers_iqr) = (None, None, None);
    }
    if column_type != ColumnType::Text {
        (rules.domain, rules.pattern) = (None, None);
    }
}
