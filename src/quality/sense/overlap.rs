//! Rows to test on that were trained on.

use std::collections::HashSet;

use anyhow::{Context, Result};
use polars::prelude::{Column, DataType};

use crate::base::fail;
use crate::data::table::Table;
use crate::quality::duplicates;
use crate::quality::report::{Finding, of_rows};
use crate::quality::rows::Rows;
use crate::record::dataset::Roles;
use crate::spec::schema::Severity;

/// `TRAIN_TEST_OVERLAP`: rows of `test` that are in `train`: by `key` (or the roles' key when that is empty), in all
/// columns, and in the features alone; each a finding of its own, the last only where it finds more.
///
/// Columns that only one of the tables has are left out, integers and floats are compared as numbers. Rows without a value
/// in a key column are not compared by key; elsewhere missing equals missing. Errors: an unknown key column, no common
/// column, columns of one name whose types cannot be compared (usage). Cost: one hash a value of both tables, one sort.
pub fn overlap(train: &Table, test: &Table, key: &[String], roles: &Roles) -> Result<Vec<Finding>> {
    let key = if key.is_empty() { &roles.key } else { key };
    for name in key {
        train.column(name)?;
        test.column(name)?;
    }
    let common: Vec<String> = names(test).into_iter().filter(|name| train.column(name).is_ok()).collect();
    if common.is_empty() {
        return Err(fail::usage("the two tables have no column in common")
            .hint("compare tables of one dataset")
            .into());
    }
    let stacked: Vec<(String, Column)> = common
        .into_iter()
        .map(|name| Ok((name.clone(), stack(train.column(&name)?, test.column(&name)?)?)))
        .collect::<Result<_>>()?;
    let known: HashSet<&str> = roles.ignore.iter().chain(key).chain(&roles.target).map(String::as_str).collect();
    let repeated = |wanted: &dyn Fn(&str) -> bool, skip_missing: bool| -> Result<Vec<(u32, u32)>> {
        let columns: Vec<&Column> = stacked.iter().filter(|(name, _)| wanted(name)).map(|(_, column)| column).collect();
        if columns.is_empty() {
            return Ok(Vec::new());
        }
        // The first row with the same values is in the training part when any row of it has them.
        let start = train.rows() as u32;
        let pairs = duplicates::repeats(&columns, skip_missing)?;
        let across = pairs.into_iter().filter(|(row, first)| *row >= start && *first < start);
        Ok(across.map(|(row, first)| (row - start, first)).collect())
    };
    let (by_key, by_row) = (repeated(&|name| key.iter().any(|key| key == name), true)?, repeated(&|_| true, false)?);
    let by_features = repeated(&|name| !known.contains(name), false)?;
    let mut findings = Vec::new();
    let total = test.rows() as u64;
    if !by_key.is_empty() {
        let rule = format!("no key ({}) of the test rows is in the training rows", key.join(", "));
        let mut finding = finding(Severity::Warning, rule, &by_key, total, "have the key of a training row");
        let cells = |row: &u64| key.iter().filter_map(|name| test.cell(*row as usize - 1, name)).collect::<Vec<_>>();
        finding.samples = finding.rows.iter().map(|row| cells(row).join(", ")).collect();
        finding.fix = format!(
            "split by group, so that a key stays on one side: [split] method = \"group\", column = {:?}",
            key[0]
        );
        findings.push(finding);
    }
    let fix = "remove repeated rows from the source, or split by group, so that no row is on both sides";
    if !by_row.is_empty() {
        let rule = "no row of the test rows is in the training rows".to_owned();
        let mut finding = finding(Severity::Warning, rule, &by_row, total, "equal a training row in every column");
        finding.fix = fix.to_owned();
        findings.push(finding);
    }
    if by_features.len() > by_row.len() {
        let rule = "no test row has all features of a training row".to_owned();
        let mut finding = finding(Severity::Info, rule, &by_features, total, "equal a training row in every feature");
        finding.fix = fix.to_owned();
        findings.push(finding);
    }
    Ok(findings)
}

/// Rows of `test` that have the values of a row of `train` in all `columns`, missing equal to missing: pairs of a row of
/// `test`, ascending, and the first such row of `train`; counted from 0.
///
/// Errors: a column that either table lacks, or whose types cannot be compared (usage). Cost: one hash a value of both
/// tables, one sort.
pub fn repeated(train: &Table, test: &Table, columns: &[&str]) -> Result<Vec<(u32, u32)>> {
    let stacked =
        columns.iter().map(|name| stack(train.column(name)?, test.column(name)?)).collect::<Result<Vec<_>>>()?;
    if stacked.is_empty() {
        return Ok(Vec::new());
    }
    let start = train.rows() as u32;
    let pairs = duplicates::repeats(&stacked.iter().collect::<Vec<_>>(), false)?;
    let across = pairs.into_iter().filter(|(row, first)| *row >= start && *first < start);
    Ok(across.map(|(row, first)| (row - start, first)).collect())
}

fn names(table: &Table) -> Vec<String> {
    table.columns().into_iter().map(|column| column.name).collect()
}

fn finding(severity: Severity, rule: String, pairs: &[(u32, u32)], total: u64, seen: &str) -> Finding {
    let (row, first) = pairs[0];
    let observed = format!(
        "{} {seen}; test row {} is training row {}",
        of_rows(pairs.len() as u64, total, "row"),
        row + 1,
        first + 1
    );
    Finding::new("TRAIN_TEST_OVERLAP", severity, None)
        .says(rule, observed, "test rows that training has not seen".to_owned())
        .at(Rows::of(pairs.iter().map(|(row, _)| *row as usize)))
}

/// The values of both columns in one.
fn stack(train: &Column, test: &Column) -> Result<Column> {
    let (a, b) = (train.dtype().clone(), test.dtype().clone());
    let number = |of: &DataType| matches!(of, DataType::Int64 | DataType::Float64 | DataType::Boolean);
    let (mut stacked, test) = match a == b {
        true => (train.clone(), test.clone()),
        false if number(&a) && number(&b) => (train.cast(&DataType::Float64)?, test.cast(&DataType::Float64)?),
        // A column without any value takes any type, and is no reason to stop.
        false if test.null_count() == test.len() => {
            (train.clone(), Column::full_null(test.name().clone(), test.len(), &a))
        }
        false if train.null_count() == train.len() => {
            (Column::full_null(train.name().clone(), train.len(), &b), test.clone())
        }
        false => {
            let name = train.name();
            return Err(fail::usage(format!("column `{name}` is {a} in training rows and {b} in test rows"))
                .hint("read both with the same types: [data] types in mlops.toml")
                .into());
        }
    };
    stacked.append(&test).with_context(|| format!("cannot compare column `{}`", train.name()))?;
    Ok(stacked.rechunk())
}
