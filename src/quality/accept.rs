//! Widening a schema so that a finding does not recur.

use anyhow::Result;

use crate::base::fail;
use crate::quality::infer::{bound, infer_column};
use crate::quality::outliers::factor_for_all;
use crate::quality::ranges::same_text;
use crate::quality::report::Finding;
use crate::quality::rules::share_up;
use crate::quality::written::moment;
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::rule::{Bounds, Level, Scalar, Semantic};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, TableRules};

/// Widens the rule behind `finding` just far enough for the table that `profile` describes; true when the schema changed.
///
/// A domain is extended by the new values, or removed when there are too many to list; a rule about single values is kept
/// and `outside_max` raised, unless nothing keeps it; a key that does not identify rows is removed. A finding that no rule
/// is behind (`CONSTANT_COLUMN`, …) is set off in `severities`. Errors: a column that schema or profile does not have.
pub fn accept(schema: &mut SchemaSpec, finding: &Finding, profile: &ProfileRecord) -> Result<bool> {
    let before = schema.clone();
    match (&finding.column, &finding.rule) {
        (None, Some(name)) => accept_rule(schema, name, finding),
        (None, None) => accept_table(&mut schema.table, finding, profile),
        (Some(name), _) if finding.code == "SCHEMA_NEW_COLUMN" => accept_new(schema, find(profile, name)?, profile),
        (Some(name), _) => {
            let rules = schema.columns.iter_mut().find(|rules| rules.name == *name);
            let rules = rules.ok_or_else(|| fail::usage(format!("the schema has no column `{name}`")))?;
            match finding.code.as_str() {
                "SCHEMA_MISSING_COLUMN" => rules.required = false,
                _ => accept_column(rules, finding, find(profile, name)?),
            }
        }
    }
    if *schema != before {
        return Ok(true);
    }
    let severities = match &finding.column {
        Some(name) => schema.columns.iter_mut().find(|rules| rules.name == *name).map(|rules| &mut rules.severities),
        None => Some(&mut schema.table.severities),
    };
    if let Some(severities) = severities {
        severities.insert(finding.code.clone(), Level::Off);
    }
    Ok(*schema != before)
}

fn find<'a>(profile: &'a ProfileRecord, name: &str) -> Result<&'a ColumnProfile> {
    profile.column(name).ok_or_else(|| fail::usage(format!("the data has no column `{name}`")).into())
}

fn accept_table(table: &mut TableRules, finding: &Finding, profile: &ProfileRecord) {
    let columns = profile.columns.len() as u64;
    match finding.code.as_str() {
        "DATASET_LOW_NUM_EXAMPLES" => table.rows_min = Some(profile.rows),
        "DATASET_HIGH_NUM_EXAMPLES" => table.rows_max = Some(profile.rows),
        "COLUMN_COUNT_LOW" => table.columns_min = Some(columns),
        "COLUMN_COUNT_HIGH" => table.columns_max = Some(columns),
        "COLUMNS_OUT_OF_ORDER" => table.columns_ordered = false,
        "DUPLICATE_KEY" | "KEY_MISSING" => table.key.clear(),
        "NEAR_DUPLICATE_KEY" => table.near_keys = Level::Off,
        "NOT_UNIQUE_TOGETHER" => table.unique.retain(|set| finding.constraint != format!("unique = {set:?}")),
        "DUPLICATE_ROWS" => {
            let share = share_up(finding.count as f64 / profile.rows.max(1) as f64, 10_000.0);
            table.duplicates_max = table.duplicates_max.max(share);
        }
        _ => {}
    }
}

/// A rule over several columns is asked of fewer rows, or may find as many as it did.
fn accept_rule(schema: &mut SchemaSpec, name: &str, finding: &Finding) {
    let Some(rule) = schema.rules.iter_mut().find(|rule| rule.name == name) else {
        return;
    };
    match finding.code.as_str() {
        "TABLE_RULE" => rule.rows_max = Some(finding.count),
        "ROW_RULE" => {
            // "3 of 1,000 rows (0.3 %) break it": of how many rows the rule was asked.
            let asked = finding.observed.split(" of ").nth(1).and_then(|rest| rest.split(' ').next());
            let asked = asked.and_then(|count| count.replace(',', "").parse::<f64>().ok()).unwrap_or(1.0);
            let broken = share_up(finding.count as f64 / asked.max(1.0), 10_000.0);
            rule.mostly = ((1.0 - broken) * 10_000.0).round() / 10_000.0;
        }
        _ => {}
    }
}

/// Adds the column where the data has it.
fn accept_new(schema: &mut SchemaSpec, column: &ColumnProfile, profile: &ProfileRecord) {
    if schema.column(&column.name).is_some() {
        return;
    }
    let earlier = profile.columns.iter().take_while(|other| other.name != column.name);
    let place = |name: &str| schema.columns.iter().position(|rules| rules.name == name);
    let after = earlier.filter_map(|other| place(&other.name)).max();
    schema.columns.insert(after.map_or(0, |after| after + 1), infer_column(column));
}

fn accept_column(rules: &mut ColumnRules, finding: &Finding, column: &ColumnProfile) {
    let numbers = column.numbers.as_ref();
    match finding.code.as_str() {
        "FEATURE_TYPE_NOT_PRESENT" | "FEATURE_TYPE_LOW_FRACTION_PRESENT" => {
            let rows = (column.present + column.missing).max(1);
            rules.missing_max = rules.missing_max.max(share_up(column.missing as f64 / rows as f64, 100.0));
        }
        "FEATURE_TYPE_LOW_NUMBER_PRESENT" => rules.present_min = Some(column.present),
        "COLUMN_OUTSIDE_ENVIRONMENT" => accept_environment(rules, finding),
        "INT_TYPE_SMALL_INT" | "FLOAT_TYPE_SMALL_FLOAT" | "TIME_TOO_EARLY" => {
            (rules.min, rules.above) = (widest(column, false), None);
        }
        "INT_TYPE_BIG_INT" | "FLOAT_TYPE_BIG_FLOAT" | "TIME_TOO_LATE" => {
            (rules.max, rules.below) = (widest(column, true), None);
        }
        "FLOAT_TYPE_HAS_NAN" | "FLOAT_TYPE_HAS_INF" => rules.finite = Some(false),
        "ENUM_TYPE_UNEXPECTED_STRING_VALUES" | "DOMAIN_UNEXPECTED_VALUES" => extend_domain(rules, column),
        "LENGTH_TOO_SHORT" => rules.length_min = column.texts.as_ref().map(|texts| texts.length_min),
        "LENGTH_TOO_LONG" => rules.length_max = column.texts.as_ref().map(|texts| texts.length_max),
        "NOT_UNIQUE" => rules.unique = false,
        "NOT_INCREASING" | "NOT_DECREASING" => rules.order = None,
        "OUTLIERS" => rules.outliers_iqr = numbers.and_then(factor_for_all),
        "Z_SCORE_HIGH" => rules.z_max = farthest(column),
        "SEMANTIC_DOMAIN_UPDATE" => {
            rules.semantic = Semantic::ALL.into_iter().find(|kind| finding.observed.ends_with(kind.name()));
        }
        "UNEXPECTED_DATA_TYPE"
        | "INT_TYPE_NOT_INT_STRING"
        | "FLOAT_TYPE_STRING_NOT_FLOAT"
        | "BOOL_TYPE_BIG_INT"
        | "BOOL_TYPE_SMALL_INT"
        | "BOOL_TYPE_UNEXPECTED_FLOAT"
        | "BOOL_TYPE_UNEXPECTED_STRING" => retype(rules, column.column_type),
        "PATTERN_MISMATCH"
        | "PATTERN_FORBIDDEN"
        | "VALUE_FORBIDDEN"
        | "DATE_FORMAT_MISMATCH"
        | "JSON_INVALID"
        | "JSON_SCHEMA_MISMATCH"
        | "SEMANTIC_MISMATCH" => tolerate(rules, finding, column),
        _ => accept_statistic(rules, finding, column),
    }
}

fn accept_environment(rules: &mut ColumnRules, finding: &Finding) {
    let environment = finding.observed.rsplit(' ').next().unwrap_or_default().to_owned();
    rules.not_environments.retain(|known| *known != environment);
    if !rules.environments.is_empty() {
        rules.environments.push(environment);
    } else if rules.not_environments.is_empty() {
        // The table's default environments left it out.
        rules.environments = vec!["training".to_owned(), environment];
    }
}

/// A rule about single values that part of them break; without a value that keeps it, it goes.
fn tolerate(rules: &mut ColumnRules, finding: &Finding, column: &ColumnProfile) {
    if finding.count < column.present {
        let share = finding.count as f64 / column.present.max(1) as f64;
        rules.outside_max = rules.outside_max.max(share_up(share, 10_000.0));
        return;
    }
    match finding.code.as_str() {
        "PATTERN_MISMATCH" => rules.pattern = None,
        "PATTERN_FORBIDDEN" => rules.not_pattern = None,
        "VALUE_FORBIDDEN" => rules.not_in.clear(),
        "DATE_FORMAT_MISMATCH" => rules.date_format = None,
        "SEMANTIC_MISMATCH" => rules.semantic = None,
        _ => (rules.json, rules.json_schema) = (false, None),
    }
}

/// Bounds of statistics and distributions.
fn accept_statistic(rules: &mut ColumnRules, finding: &Finding, column: &ColumnProfile) {
    // "mean is 5.25", "divergence is 0.0123"
    let measured = finding.observed.rsplit(' ').next().and_then(|word| word.parse::<f64>().ok());
    let widen = |bounds: &mut Option<Bounds>| {
        if let (Some(bounds), Some(value)) = (bounds, measured) {
            bounds.min = bounds.min.map(|min| min.min(value));
            bounds.max = bounds.max.map(|max| max.max(value));
        }
    };
    match finding.code.as_str() {
        "MEAN_OUTSIDE" => widen(&mut rules.mean),
        "MEDIAN_OUTSIDE" => widen(&mut rules.median),
        "STD_OUTSIDE" => widen(&mut rules.std),
        "SUM_OUTSIDE" => widen(&mut rules.sum),
        "SMALLEST_OUTSIDE" => widen(&mut rules.smallest),
        "LARGEST_OUTSIDE" => widen(&mut rules.largest),
        "UNIQUE_SHARE_OUTSIDE" => widen(&mut rules.unique_share),
        "QUANTILE_OUTSIDE" => {
            let named = finding.constraint.split('"').nth(1).and_then(|share| rules.quantiles.get_mut(share));
            if let Some(bounds) = named {
                let mut wider = Some(*bounds);
                widen(&mut wider);
                *bounds = wider.unwrap_or_default();
            }
        }
        "FEATURE_TYPE_LOW_UNIQUE" | "FEATURE_TYPE_NO_UNIQUE" | "FEATURE_TYPE_HIGH_UNIQUE" => {
            if let Some(bounds) = &mut rules.unique_count {
                bounds.min = bounds.min.map(|min| min.min(column.unique));
                bounds.max = bounds.max.map(|max| max.max(column.unique));
            }
        }
        "MOST_COMMON_UNEXPECTED" => rules.most_common.extend(column.top.first().map(|(text, _)| typed(text, column))),
        "VALUES_MISSING" => rules.contains.retain(|value| column.top.iter().any(|(text, _)| *text == value.text())),
        "KL_DIVERGENCE_HIGH" | "CHI_SQUARED_P_LOW" | "KS_P_LOW" => {
            if let Some(reference) = &mut rules.reference {
                // The measured value was rounded; what is allowed is a little more.
                let more = measured.filter(|value| value.is_finite()).map(|value| value + 1e-4);
                let less = measured.map(|value| (value - 1e-4).max(0.0));
                match finding.code.as_str() {
                    "KL_DIVERGENCE_HIGH" => reference.kl_max = more,
                    "KS_P_LOW" => reference.ks_p_min = less,
                    _ => reference.chi2_p_min = less,
                }
            }
        }
        _ => {}
    }
}

/// The outermost value seen as a bound; none when it is infinite.
fn widest(column: &ColumnProfile, high: bool) -> Option<Scalar> {
    let numbers = column.numbers.as_ref().filter(|numbers| numbers.infinite == 0)?;
    let seen = if high { numbers.max } else { numbers.min }?;
    Some(match column.column_type {
        ColumnType::Date | ColumnType::Timestamp => Scalar::Text(moment(column.column_type, seen)),
        kind => bound(seen, kind),
    })
}

/// The largest distance from the mean in standard deviations, rounded up to hundredths.
fn farthest(column: &ColumnProfile) -> Option<f64> {
    let numbers = column.numbers.as_ref()?;
    let (mean, std) = (numbers.mean?, numbers.std?);
    let reach = (numbers.max? - mean).abs().max((numbers.min? - mean).abs()) / std;
    Some((reach * 100.0).ceil() / 100.0)
}

/// A text of the profile as a value of the column's type.
fn typed(text: &str, column: &ColumnProfile) -> Scalar {
    match column.column_type {
        ColumnType::Integer => text.parse().map_or_else(|_| Scalar::from(text), Scalar::Integer),
        ColumnType::Float => text.parse().map_or_else(|_| Scalar::from(text), Scalar::Float),
        _ => Scalar::from(text),
    }
}

fn extend_domain(rules: &mut ColumnRules, column: &ColumnProfile) {
    if column.top.len() as u64 != column.unique {
        rules.domain = None;
        return;
    }
    let domain = rules.domain.get_or_insert_default();
    let known = |text: &str| domain.iter().any(|value| same_text(value, text));
    let mut new: Vec<&str> = column.top.iter().map(|(value, _)| value.as_str()).filter(|value| !known(value)).collect();
    new.sort_unstable();
    let new: Vec<Scalar> = new.into_iter().map(|text| typed(text, column)).collect();
    domain.extend(new);
}

/// Another type; rules that do not suit it are dropped.
fn retype(rules: &mut ColumnRules, column_type: ColumnType) {
    let plain = ColumnRules::new(&rules.name, column_type);
    *rules = ColumnRules {
        required: rules.required,
        missing_max: rules.missing_max,
        present_min: rules.present_min,
        unique: rules.unique,
        unique_count: rules.unique_count,
        unique_share: rules.unique_share,
        stage: rules.stage,
        environments: std::mem::take(&mut rules.environments),
        not_environments: std::mem::take(&mut rules.not_environments),
        severity: rules.severity,
        severities: std::mem::take(&mut rules.severities),
        ..match (rules.column_type, column_type) {
            // Bounds of numbers are bounds of both kinds of numbers.
            (ColumnType::Integer | ColumnType::Float, ColumnType::Integer | ColumnType::Float) => {
                ColumnRules { column_type, ..rules.clone() }
            }
            _ => plain,
        }
    };
}
