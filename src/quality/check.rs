//! All checks of a table against a schema, in one pass.

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};

use crate::base::fail;
use crate::base::suggest;
use crate::data::table::Table;
use crate::quality::found::{Found, Scope};
use crate::quality::report::{Finding, Ranking};
use crate::quality::rules::check_schema;
use crate::quality::{aggregates, checks, columns, distribution, duplicates, sql, table as whole_table, values};
use crate::record::profile::ProfileRecord;
use crate::spec::schema::{ColumnRules, ColumnType, SchemaSpec};

/// Everything about `table` that is not as `schema` says in training; see [`examine`].
pub fn check(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec) -> Result<Vec<Finding>> {
    let found = examine(table, profile, schema, &Scope::default())?;
    Ok(found.into_iter().map(|found| found.finding).collect())
}

/// Everything about `table` that is not as `schema` says; worst first, then in the order of columns.
///
/// `profile` is that of the table. Rows are only looked at where it shows that a rule is broken, or cannot show that it is
/// kept: patterns of text with many values, SQL, repeated rows (a hash of every value). A column is passed over once for
/// all of its rules about single values. Errors (usage): a schema that contradicts itself, an environment that it does
/// not know, SQL that cannot be used; a profile of another table.
pub fn examine(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec, scope: &Scope<'_>) -> Result<Vec<Found>> {
    check_schema(schema)?;
    check_environment(schema, scope.environment)?;
    check_profile(table, profile)?;
    let (of_columns, of_table) = rayon::join(
        || schema.columns.par_iter().map(|rules| column(table, profile, schema, rules, scope)).collect::<Vec<_>>(),
        || whole(table, profile, schema, scope),
    );
    let mut found = of_table?;
    for more in of_columns {
        found.extend(more?);
    }
    found.extend(profile.columns.iter().filter_map(|column| columns::new(column, schema)).map(Found::from));
    Ok(settle(found, table, profile, schema))
}

/// Applies `severities`, fills in samples, sorts. For findings of every source.
pub fn settle(found: Vec<Found>, table: &Table, profile: &ProfileRecord, schema: &SchemaSpec) -> Vec<Found> {
    let judged = found.into_iter().filter_map(|mut found| {
        let finding = &mut found.finding;
        let of_column = finding.column.as_ref().and_then(|name| schema.column(name)?.severities.get(&finding.code));
        if let Some(level) = of_column.or_else(|| schema.table.severities.get(&finding.code)) {
            finding.severity = level.severity()?;
        }
        Some(found.with_samples(table))
    });
    let mut found: Vec<Found> = judged.collect();
    let names = schema.columns.iter().map(|rules| rules.name.as_str());
    let ranking = Ranking::of(names.chain(profile.columns.iter().map(|column| column.name.as_str())));
    found.sort_by_key(|found| ranking.key(&found.finding));
    found
}

fn check_environment(schema: &SchemaSpec, environment: &str) -> Result<()> {
    let known = schema.environments();
    if known.contains(&environment) {
        return Ok(());
    }
    Err(suggest::unknown("environment", environment, known).into())
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

fn whole(table: &Table, profile: &ProfileRecord, schema: &SchemaSpec, scope: &Scope<'_>) -> Result<Vec<Found>> {
    let rules = &schema.table;
    let counts = whole_table::row_count(profile.rows, rules).into_iter().chain(whole_table::columns(profile, schema));
    let mut found: Vec<Found> = counts.map(Found::from).collect();
    // Columns that are not there have findings of their own.
    let there = |names: &[String]| names.iter().all(|name| profile.column(name).is_some());
    if there(&rules.key) {
        found.extend(duplicates::key(table, profile, &rules.key, scope)?);
        found.extend(duplicates::near_keys(table, profile, rules, scope)?);
    }
    for set in rules.unique.iter().filter(|set| there(set)) {
        found.extend(duplicates::together(table, profile, set, scope)?);
    }
    found.extend(duplicates::rows(table, profile, rules, scope)?);
    found.extend(sql::checks(table, profile, schema, scope)?);
    // Rows of which nothing in particular is wrong are known by their key, else by their first columns.
    let names: Vec<String> = match rules.key.as_slice() {
        [] => profile.columns.iter().map(|column| column.name.clone()).collect(),
        key => key.to_vec(),
    };
    for found in found.iter_mut().filter(|found| found.shown.is_empty()) {
        found.shown = names.clone();
    }
    Ok(found)
}

fn column(
    table: &Table,
    profile: &ProfileRecord,
    schema: &SchemaSpec,
    rules: &ColumnRules,
    scope: &Scope<'_>,
) -> Result<Vec<Found>> {
    if !rules.is_alive() {
        return Ok(Vec::new());
    }
    let expected = rules.is_in(scope.environment, &schema.table.default_environments);
    let Some(profile_of) = profile.column(&rules.name) else {
        let missing = columns::missing(profile, schema, rules).filter(|_| expected);
        return Ok(missing.into_iter().map(Found::from).collect());
    };
    if !expected {
        return Ok(vec![columns::outside(rules, scope.environment).into()]);
    }
    let column = table.column(&rules.name)?;
    let mut found = values::presence(column, profile_of, rules, scope)?;
    for missing in &mut found {
        missing.shown = shown_beside(profile, schema, &rules.name);
    }
    let mistyped = columns::type_of(column, profile_of, rules, scope)?;
    // Rules about values mean nothing for values of another type.
    let typed = mistyped.is_empty() && type_applies(profile_of.column_type, rules);
    found.extend(mistyped);
    found.extend(checks::values(column, profile_of, rules, typed, scope)?);
    if typed {
        found.extend(aggregates::checks(column, profile_of, rules)?);
        found.extend(distribution::checks(column, profile_of, rules)?);
        found.extend(values::order(column, rules, scope)?);
        found.extend(values::semantic(column, profile_of, rules)?);
    }
    found.extend(duplicates::unique(column, profile_of, rules, scope)?);
    found.extend(values::constant(profile_of, rules).map(Found::from));
    Ok(found)
}

/// Columns that tell which rows lack a value: the key, else the first ones beside it.
fn shown_beside(profile: &ProfileRecord, schema: &SchemaSpec, name: &str) -> Vec<String> {
    let key = &schema.table.key;
    if !key.is_empty() && key.iter().all(|name| profile.column(name).is_some()) {
        return key.clone();
    }
    profile.columns.iter().map(|column| column.name.clone()).filter(|other| other != name).collect()
}

/// Whether the values found can be looked at by the rules of their type.
fn type_applies(found: ColumnType, rules: &ColumnRules) -> bool {
    (found == ColumnType::Text) == (rules.column_type == ColumnType::Text)
}
