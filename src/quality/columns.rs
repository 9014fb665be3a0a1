//! Which columns there are, and of what type.

use anyhow::Result;
use polars::prelude::Column;

use crate::base::suggest;
use crate::data::value;
use crate::quality::checks::SHOWN_MAX;
use crate::quality::found::{Found, Scope};
use crate::quality::report::{Finding, listed, of_rows};
use crate::quality::rows::{Rows, View};
use crate::quality::scan::{Test, scan};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec, Severity};

/// `SCHEMA_MISSING_COLUMN`: a required column of the environment is not in the table. Names a new column that it may have become.
pub fn missing(profile: &ProfileRecord, schema: &SchemaSpec, rules: &ColumnRules) -> Option<Finding> {
    if !rules.required || profile.column(&rules.name).is_some() {
        return None;
    }
    let known = |name: &str| schema.columns.iter().any(|rules| rules.name == name);
    let new = profile.columns.iter().map(|column| column.name.as_str()).filter(|name| !known(name));
    let observed = match suggest::nearest(&rules.name, new) {
        Some(near) => format!("there is no such column, but a new one called `{near}`"),
        None => "there is no such column".to_owned(),
    };
    let finding = Finding::new("SCHEMA_MISSING_COLUMN", rules.severity, Some(&rules.name))
        .says("required = true".to_owned(), observed, format!("a column of type {}", rules.column_type.name()))
        .settled_by(&format!("set required = false for column `{}`", rules.name));
    Some(finding)
}

/// `COLUMN_OUTSIDE_ENVIRONMENT`: a column that the table should not have in this environment, as the target when serving.
pub fn outside(rules: &ColumnRules, environment: &str) -> Finding {
    let homes =
        if rules.environments.is_empty() { "another environment".to_owned() } else { rules.environments.join(", ") };
    Finding::new("COLUMN_OUTSIDE_ENVIRONMENT", rules.severity.min(Severity::Warning), Some(&rules.name))
        .says(
            format!("environments of column `{}`", rules.name),
            format!("the column is there in {environment}"),
            format!("only in {homes}"),
        )
        .settled_by(&format!("add {environment:?} to environments of column `{}`", rules.name))
}

/// `SCHEMA_NEW_COLUMN`: a column that the schema does not name.
pub fn new(column: &ColumnProfile, schema: &SchemaSpec) -> Option<Finding> {
    if schema.columns.iter().any(|rules| rules.name == column.name) {
        return None;
    }
    let severity = schema.table.new_columns;
    let observed = format!("a column of type {} that the schema does not name", column.column_type.name());
    let finding = Finding::new("SCHEMA_NEW_COLUMN", severity, Some(&column.name))
        .says(format!("new_columns = {:?}", severity.name()), observed, "only columns of the schema".to_owned())
        .settled_by("add a [[column]] for it");
    Some(finding)
}

/// Values of another type than the schema says.
///
/// No finding when every value has the meaning asked for: whole numbers where floats are wanted, floats that are all whole
/// where integers are, 0 and 1 where booleans are, days where time stamps are, a column without any value. Text where
/// something else is wanted is looked at value by value: `INT_TYPE_NOT_INT_STRING`, `FLOAT_TYPE_STRING_NOT_FLOAT`,
/// `BOOL_TYPE_UNEXPECTED_STRING`; numbers where booleans are wanted: `BOOL_TYPE_BIG_INT`, `BOOL_TYPE_SMALL_INT`,
/// `BOOL_TYPE_UNEXPECTED_FLOAT`; all else is `UNEXPECTED_DATA_TYPE`.
pub fn type_of(column: &Column, profile: &ColumnProfile, rules: &ColumnRules, scope: &Scope<'_>) -> Result<Vec<Found>> {
    let (wanted, found) = (rules.column_type, profile.column_type);
    if wanted == found || profile.present == 0 {
        return Ok(Vec::new());
    }
    let view = View::of(column)?;
    let failing = |test: &dyn Fn(f64) -> bool| {
        let failing = view.numbers().filter(|(_, value)| !test(*value)).map(|(row, _)| row);
        Rows::keeping(scope.keep_rows, failing)
    };
    let says =
        |rows: &Rows, what: &str| format!("{}: {} {what}", found.name(), of_rows(rows.count, profile.present, "value"));
    let wrong: Vec<(&str, Rows, String)> = match (wanted, found) {
        (ColumnType::Float, ColumnType::Integer) | (ColumnType::Timestamp, ColumnType::Date) => Vec::new(),
        (ColumnType::Integer, ColumnType::Float) => {
            let rows = failing(&|value| value.fract() == 0.0);
            let observed = says(&rows, "not whole");
            vec![("UNEXPECTED_DATA_TYPE", rows, observed)]
        }
        (ColumnType::Boolean, ColumnType::Integer) => {
            let (small, big) = (failing(&|value| value >= 0.0), failing(&|value| value <= 1.0));
            let observed = [says(&small, "below 0"), says(&big, "above 1")];
            let [below, above] = observed;
            vec![("BOOL_TYPE_SMALL_INT", small, below), ("BOOL_TYPE_BIG_INT", big, above)]
        }
        (ColumnType::Boolean, ColumnType::Float) => {
            let rows = failing(&|value| value == 0.0 || value == 1.0);
            let observed = says(&rows, "neither 0 nor 1");
            vec![("BOOL_TYPE_UNEXPECTED_FLOAT", rows, observed)]
        }
        (_, ColumnType::Text) => match unreadable(view, profile, rules, column.len(), scope) {
            (rows, _) if rows.count == 0 && !rules.true_values.is_empty() => Vec::new(),
            (rows, _) if rows.count == 0 => vec![("UNEXPECTED_DATA_TYPE", every(profile), readable_text(wanted))],
            (rows, observed) => vec![(text_code(wanted), rows, observed)],
        },
        _ => vec![("UNEXPECTED_DATA_TYPE", every(profile), format!("a column of type {}", found.name()))],
    };
    let wrong = wrong.into_iter().filter(|(_, rows, _)| rows.count > 0);
    Ok(wrong.map(|(code, rows, observed)| mistyped(code, rows, observed, found, rules)).collect())
}

fn mistyped(code: &str, rows: Rows, observed: String, found: ColumnType, rules: &ColumnRules) -> Found {
    let (name, wanted) = (&rules.name, rules.column_type.name());
    let mut finding = Finding::new(code, rules.severity, Some(name))
        .says(format!("type = {wanted:?}"), observed, format!("a column of type {wanted}"))
        .settled_by(&format!("set type = {:?} for column `{name}`", found.name()));
    if found == ColumnType::Text || wanted == "text" {
        finding.fix.push_str(&format!(
            "; to read it as {wanted}, write [data] types = {{ {name:?} = {wanted:?} }} in mlops.toml"
        ));
    }
    Found::at(finding, rows)
}

/// Rows whose text cannot be read as the type wanted, and what they hold.
fn unreadable(
    view: View<'_>,
    profile: &ColumnProfile,
    rules: &ColumnRules,
    rows: usize,
    scope: &Scope<'_>,
) -> (Rows, String) {
    let wanted = rules.column_type;
    let (yes, no) = (&rules.true_values, &rules.false_values);
    let flag = |text: &str| yes.iter().chain(no).any(|known| known == text);
    let test = Test::Text(Box::new(|text: &str| match wanted {
        ColumnType::Integer => value::integer(text).is_some(),
        ColumnType::Float => value::float(text).is_some(),
        ColumnType::Boolean if !yes.is_empty() => flag(text),
        ColumnType::Boolean => value::boolean(text).is_some(),
        ColumnType::Date => value::date(text).is_some(),
        ColumnType::Timestamp => value::timestamp(text).is_some(),
        ColumnType::Time => value::time(text).is_some(),
        ColumnType::Text => true,
    }));
    let failing = scan(view, rows, &[&test], scope.keep_rows).pop().unwrap_or_default();
    let count = of_rows(failing.rows.count, profile.present, "value");
    (
        failing.rows,
        format!("text: {count} cannot be read as {}, such as {}", wanted.name(), listed(&failing.values, SHOWN_MAX)),
    )
}

fn readable_text(wanted: ColumnType) -> String {
    format!("text whose values could all be read as {}", wanted.name())
}

fn text_code(wanted: ColumnType) -> &'static str {
    match wanted {
        ColumnType::Integer => "INT_TYPE_NOT_INT_STRING",
        ColumnType::Float => "FLOAT_TYPE_STRING_NOT_FLOAT",
        ColumnType::Boolean => "BOOL_TYPE_UNEXPECTED_STRING",
        _ => "UNEXPECTED_DATA_TYPE",
    }
}

/// The finding concerns every value; no row stands out.
fn every(profile: &ColumnProfile) -> Rows {
    Rows { count: profile.present, ..Rows::default() }
}
