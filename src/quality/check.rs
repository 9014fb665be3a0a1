//! All checks of a table against a schema, in one pass.

use std::cmp::Reverse;
use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::fail;
use crate::data::table::Table;
use crate::quality::report::Finding;
use crate::quality::rules::check_schema;
use crate::quality::{columns, duplicates, outliers, table as whole_table, values};
use crate::record::profile::ProfileRecord;
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec};

/// Everything about `table` that is not as `schema` says; worst first, then in the order of columns.
///
/// `profile` is that of the table. Rows are only looked at where it shows that a rule is broken, except for repeated rows,
/// which takes a hash of every value. Errors: a schema that contradicts itself (usage); a profile of another table.
pub fn check(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec) -> Result<Vec<Finding>> {
    check_schema(schema)?;
    check_profile(table, profile)?;
    let (of_columns, of_table) = rayon::join(
        || schema.columns.par_iter().map(|rules| column(table, profile, schema, rules)).collect::<Vec<_>>(),
        || whole(table, profile, schema),
    );
    let mut findings = of_table?;
    for found in of_columns {
        findings.extend(found?);
    }
    findings.extend(profile.columns.iter().filter_map(|column| columns::new(column, schema)));
    let names = schema.columns.iter().map(|rules| &rules.name);
    let names = names.chain(profile.columns.iter().map(|column| &column.name));
    let mut places: HashMap<&str, usize> = HashMap::new();
    for (place, name) in names.enumerate() {
        places.entry(name).or_insert(place + 1);
    }
    // The table as a whole comes before its columns; the sort keeps the order of checks otherwise.
    findings.sort_by_key(|finding| {
        let place = finding.column.as_ref().and_then(|name| places.get(name.as_str()));
        (Reverse(finding.severity), place.copied().unwrap_or(0))
    });
    Ok(findings)
}

/// Fails when `profile` is not that of `table`.
pub(super) fn check_profile(table: &Table, profile: &ProfileRecord) -> Result<()> {
    let columns = table.columns();
    let described = profile.columns.iter().map(|column| (&column.name, column.column_type));
    let same = columns.iter().map(|column| (&column.name, column.column_type)).eq(described);
    if !same || profile.rows != table.rows() as u64 {
        return Err(fail::world("the profile is that of another table").hint("ingest the data again").into());
    }
    Ok(())
}

fn whole(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec) -> Result<Vec<Finding>> {
    let rules = &schema.table;
    let mut findings: Vec<Finding> = whole_table::row_count(profile.rows, rules).into_iter().collect();
    // A key column that is not there has its own finding.
    if rules.key.iter().all(|name| profile.column(name).is_some()) {
        findings.extend(duplicates::key(table, profile, &rules.key)?);
    }
    findings.extend(duplicates::rows(table, profile, rules)?);
    Ok(findings)
}

fn column(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec, rules: &ColumnRules) -> Result<Vec<Finding>> {
    let Some(profile_of) = profile.column(&rules.name) else {
        return Ok(columns::missing(profile, schema, rules).into_iter().collect());
    };
    let column = table.column(&rules.name)?;
    let mut findings: Vec<Finding> = values::presence(column, profile_of, rules)?.into_iter().collect();
    let mistyped = columns::type_of(column, profile_of, rules)?;
    let rules_apply = mistyped.is_none();
    findings.extend(mistyped);
    // Rules about values mean nothing for values of another type.
    if rules_apply && matches!(rules.column_type, ColumnType::Integer | ColumnType::Float) {
        findings.extend(values::range(column, profile_of, rules)?);
        findings.extend(outliers::outliers(column, profile_of, rules)?);
    }
    if rules_apply && rules.column_type == ColumnType::Text {
        findings.extend(values::domain(column, profile_of, rules)?);
        findings.extend(values::pattern(column, profile_of, rules)?);
    }
    findings.extend(duplicates::unique(column, profile_of, rules)?);
    findings.extend(values::not_finite(column, profile_of, rules)?);
    findings.extend(values::constant(profile_of, rules));
    Ok(findings)
}
