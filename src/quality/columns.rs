//! Which columns there are, and of what type.

use anyhow::Result;
use polars::prelude::Column;

use crate::base::suggest;
use crate::data::value;
use crate::quality::report::{Finding, listed, of_rows};
use crate::quality::rows::{Rows, View};
use crate::record::profile::{ColumnProfile, ProfileRecord};
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec};

/// Wrong values shown in one finding.
const SHOWN_MAX: usize = 5;

/// `SCHEMA_MISSING_COLUMN`: a required column is not in the table. Names a new column that it may have become.
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
/// `BOOL_TYPE_UNEXPECTED_STRING`; all else is `UNEXPECTED_DATA_TYPE`.
pub fn type_of(column: &Column, profile: &ColumnProfile, rules: &ColumnRules) -> Result<Option<Finding>> {
    let (wanted, found) = (rules.column_type, profile.column_type);
    if wanted == found || profile.present == 0 {
        return Ok(None);
    }
    let view = View::of(column)?;
    let (code, rows, observed) = match (wanted, found) {
        (ColumnType::Float, ColumnType::Integer) | (ColumnType::Timestamp, ColumnType::Date) => return Ok(None),
        (ColumnType::Integer, ColumnType::Float) => {
            let rows = view.numbers_failing(|value| value.fract() == 0.0);
            let observed = format!("float: {} not whole", of_rows(rows.count, profile.present, "value"));
            ("UNEXPECTED_DATA_TYPE", rows, observed)
        }
        (ColumnType::Boolean, ColumnType::Integer | ColumnType::Float) => {
            let rows = view.numbers_failing(|value| value == 0.0 || value == 1.0);
            let observed =
                format!("{}: {} neither 0 nor 1", found.name(), of_rows(rows.count, profile.present, "value"));
            ("UNEXPECTED_DATA_TYPE", rows, observed)
        }
        (_, ColumnType::Text) => match unreadable(view, profile, wanted) {
            (rows, _) if rows.count == 0 => ("UNEXPECTED_DATA_TYPE", every(profile), readable_text(wanted)),
            (rows, observed) => (text_code(wanted), rows, observed),
        },
        _ => ("UNEXPECTED_DATA_TYPE", every(profile), format!("a column of type {}", found.name())),
    };
    if rows.count == 0 {
        return Ok(None);
    }
    let (name, wanted) = (&rules.name, wanted.name());
    let mut finding = Finding::new(code, rules.severity, Some(name))
        .says(format!("type = {wanted:?}"), observed, format!("a column of type {wanted}"))
        .at(rows)
        .settled_by(&format!("set type = {:?} for column `{name}`", found.name()));
    if found == ColumnType::Text || wanted == "text" {
        finding.fix.push_str(&format!(
            "; to read it as {wanted}, write [data] types = {{ {name:?} = {wanted:?} }} in mlops.toml"
        ));
    }
    Ok(Some(finding))
}

/// Rows whose text cannot be read as `wanted`, and what they hold.
fn unreadable(view: View, profile: &ColumnProfile, wanted: ColumnType) -> (Rows, String) {
    let failing = view.texts_failing(|text| match wanted {
        ColumnType::Integer => value::integer(text).is_some(),
        ColumnType::Float => value::float(text).is_some(),
        ColumnType::Boolean => value::boolean(text).is_some(),
        ColumnType::Date => value::date(text).is_some(),
        ColumnType::Timestamp => value::timestamp(text).is_some(),
        ColumnType::Time => value::time(text).is_some(),
        ColumnType::Text => true,
    });
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
    Rows { first: Vec::new(), count: profile.present }
}
