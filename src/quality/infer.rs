//! A first schema, drawn from data, for people to review.

use std::collections::HashSet;

use crate::base::limits::DOMAIN_VALUES_MAX;
use crate::data::table::Table;
use crate::quality::duplicates;
use crate::quality::found::{Scope, TRAINING};
use crate::quality::outliers::quartiles;
use crate::quality::rows::View;
use crate::quality::rules::{SCHEMA_VERSION, share_up};
use crate::quality::shape::common_shape;
use crate::record::dataset::Roles;
use crate::record::profile::{ColumnProfile, NumberProfile, ProfileRecord};
use crate::spec::rule::{Patterns, Scalar};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, Severity, TableRules};

/// Tukey's factor for values that are "far out".
const OUTLIERS_IQR: f64 = 3.0;
/// Share of the range added at each end.
const RANGE_MARGIN: f64 = 0.1;
/// Smallest share added to the missing values seen, where some were.
const MISSING_MARGIN: f64 = 0.01;
/// Whole numbers up to this many, none left out between smallest and largest, are a scale such as months or hours.
const SCALE_VALUES_MAX: u64 = 31;
/// Rows from which it says something that no text occurs twice.
const UNIQUE_ROWS_MIN: u64 = 100;

/// A schema that `table` satisfies without any finding of severity error.
///
/// Ranges and missing shares get a margin, as the next table will differ a little; whole numbers that fill a short range
/// (months, flags) keep it exactly. Text of at most [`DOMAIN_VALUES_MAX`] distinct values, each seen twice on average, gets
/// a domain, identifiers do not. Ignored columns are judged as warnings. The key is kept when it does identify rows. Rows:
/// from half to ten times as many. Codes of one shape get its pattern, other text a length with room. The target is asked
/// for in training only.
pub fn infer_schema(table: &Table, profile: &ProfileRecord, roles: &Roles) -> SchemaSpec {
    let in_table = roles.key.iter().all(|name| profile.column(name).is_some());
    let scope = Scope::default();
    let identifies =
        in_table && duplicates::key(table, profile, &roles.key, &scope).is_ok_and(|findings| findings.is_empty());
    let key = if identifies { roles.key.clone() } else { Vec::new() };
    let ignored: HashSet<&str> = roles.ignore.iter().map(String::as_str).collect();
    let columns = profile.columns.iter().map(|column| {
        let mut rules = infer_column(column);
        if key == [column.name.as_str()] {
            (rules.unique, rules.min, rules.max, rules.outliers_iqr) = (true, None, None, None);
        }
        if roles.target.as_ref() == Some(&column.name) {
            rules.missing_max = share_up(missing_share(column), 100.0);
            rules.environments = vec![TRAINING.to_owned()];
        }
        let free = rules.column_type == ColumnType::Text && rules.domain.is_none();
        if let Some(view) = table.column(&column.name).ok().filter(|_| free).and_then(|column| View::of(column).ok())
            && let Some(pattern) = common_shape(view)
        {
            (rules.pattern, rules.length_max) = (Some(Patterns::One(pattern)), None);
        }
        if ignored.contains(column.name.as_str()) {
            rules.severity = Severity::Warning;
        }
        rules
    });
    let columns = columns.collect();
    let rows = (profile.rows > 0).then_some(profile.rows);
    let table = TableRules {
        rows_min: rows.map(|rows| rows / 2),
        rows_max: rows.map(|rows| rows.saturating_mul(10).min(i64::MAX as u64)),
        key,
        ..TableRules::default()
    };
    SchemaSpec { version: SCHEMA_VERSION, table, columns, rules: Vec::new() }
}

/// The rules of one column; see [`infer_schema`].
pub fn infer_column(column: &ColumnProfile) -> ColumnRules {
    let share = missing_share(column);
    let missing_max =
        if column.missing == 0 { 0.0 } else { share_up(share + (share / 4.0).max(MISSING_MARGIN), 100.0) };
    let mut rules =
        ColumnRules { missing_max, unique: is_unique(column), ..ColumnRules::new(&column.name, column.column_type) };
    match (column.column_type, &column.numbers) {
        (ColumnType::Integer | ColumnType::Float, Some(numbers)) if !rules.unique => {
            if let Some((low, high)) = number_range(column, numbers) {
                (rules.min, rules.max) = (Some(bound(low, column.column_type)), Some(bound(high, column.column_type)));
            }
            let spread = quartiles(numbers).is_some_and(|(first, third)| third > first);
            rules.outliers_iqr = (spread && !is_scale(column)).then_some(OUTLIERS_IQR);
        }
        (ColumnType::Text, _) => {
            rules.domain = text_domain(column);
            let longest = column.texts.as_ref().map(|texts| texts.length_max);
            rules.length_max = longest.filter(|_| rules.domain.is_none()).map(length_with_room);
        }
        _ => {}
    }
    rules
}

/// Twice the longest text seen, in round numbers.
fn length_with_room(longest: u64) -> u64 {
    (longest.saturating_mul(2)).max(10).div_ceil(10) * 10
}

/// A bound as people would write it: whole for whole numbers.
pub fn bound(value: f64, column_type: ColumnType) -> Scalar {
    let whole = column_type == ColumnType::Integer && value.fract() == 0.0 && value.abs() < 9e15;
    if whole { Scalar::Integer(value as i64) } else { Scalar::Float(value) }
}

fn missing_share(column: &ColumnProfile) -> f64 {
    column.missing as f64 / (column.present + column.missing).max(1) as f64
}

/// Row numbers (whole numbers without gap or repeat) and texts of which no one occurs twice.
fn is_unique(column: &ColumnProfile) -> bool {
    let distinct = column.missing == 0 && column.unique == column.present && column.present >= UNIQUE_ROWS_MIN;
    match column.column_type {
        ColumnType::Text => distinct,
        ColumnType::Integer => distinct && fills_its_range(column),
        _ => false,
    }
}

fn fills_its_range(column: &ColumnProfile) -> bool {
    let ends = column.numbers.as_ref().and_then(|numbers| Some((numbers.min?, numbers.max?)));
    ends.is_some_and(|(min, max)| max - min + 1.0 == column.unique as f64)
}

/// Months, hours, flags: every value between the ends was seen, so the ends are known and nothing can be far out.
fn is_scale(column: &ColumnProfile) -> bool {
    let few = column.unique > 1 && column.unique <= SCALE_VALUES_MAX;
    column.column_type == ColumnType::Integer && few && fills_its_range(column)
}

fn number_range(column: &ColumnProfile, numbers: &NumberProfile) -> Option<(f64, f64)> {
    let (min, max) = (numbers.min?, numbers.max?);
    if numbers.infinite > 0 {
        return None;
    }
    if is_scale(column) {
        return Some((min, max));
    }
    let integer = column.column_type == ColumnType::Integer;
    let margin = if max > min { (max - min) * RANGE_MARGIN } else { (max.abs() * RANGE_MARGIN).max(1.0) };
    // Outwards to the leading digit of the margin: 37.3 becomes 40, 0.8713 becomes 0.9.
    let digit = margin.log10().floor();
    let digit = if integer { digit.max(0.0) } else { digit };
    let low = round(min - margin, digit, f64::floor);
    let high = round(max + margin, digit, f64::ceil);
    // What was never negative is likely never to be, and what always was, always.
    let low = if min >= 0.0 { low.max(0.0) } else { low };
    let high = if max < 0.0 { high.min(0.0) } else { high };
    (low.is_finite() && high.is_finite() && low <= min && max <= high).then_some((low, high))
}

/// Rounds to a multiple of ten to the `digit`, so that the result has no stray digits.
fn round(value: f64, digit: f64, way: fn(f64) -> f64) -> f64 {
    let step = 10.0_f64.powf(digit.abs());
    let rounded = if digit < 0.0 { way(value * step) / step } else { way(value / step) * step };
    // Adding zero turns -0 into 0.
    rounded + 0.0
}

fn text_domain(column: &ColumnProfile) -> Option<Vec<Scalar>> {
    let few = column.unique > 0 && column.unique <= DOMAIN_VALUES_MAX as u64 && column.unique * 2 <= column.present;
    if !few || column.top.len() as u64 != column.unique {
        return None;
    }
    let mut values: Vec<&str> = column.top.iter().map(|(value, _)| value.as_str()).collect();
    values.sort_unstable();
    Some(values.into_iter().map(Scalar::from).collect())
}
