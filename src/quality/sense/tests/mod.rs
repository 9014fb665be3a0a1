//! Tests of suspicions: what raises each and what does not, on small tables, real tables and hostile ones.

mod columns;
mod leaks;
mod rows;
mod targets;
mod whole;

use anyhow::Result;
use polars::prelude::{Column, DataFrame, DataType, NamedFrom, Series};

use crate::base::seed::{Rng, Seed};
use crate::data::profile::profile;
use crate::data::table::Table;
use crate::quality::report::Finding;
use crate::quality::sense::options::{Isolation, SenseOptions};
use crate::quality::sense::{CODES, sense};
use crate::record::dataset::Roles;
use crate::spec::model::Task;

/// Rows of most test tables.
const ROWS: usize = 400;

fn integers(name: &str, value: impl FnMut(usize) -> i64) -> Column {
    Series::new(name.into(), (0..ROWS).map(value).collect::<Vec<_>>()).into()
}

fn floats(name: &str, value: impl FnMut(usize) -> f64) -> Column {
    Series::new(name.into(), (0..ROWS).map(value).collect::<Vec<_>>()).into()
}

fn texts(name: &str, value: impl FnMut(usize) -> String) -> Column {
    Series::new(name.into(), (0..ROWS).map(value).collect::<Vec<_>>()).into()
}

/// Numbers where there are any.
fn gaps(name: &str, value: impl FnMut(usize) -> Option<f64>) -> Column {
    Series::new(name.into(), (0..ROWS).map(value).collect::<Vec<_>>()).into()
}

/// Days since 1970.
fn days(name: &str, value: impl FnMut(usize) -> i32) -> Column {
    let days = Series::new(name.into(), (0..ROWS).map(value).collect::<Vec<_>>());
    days.cast(&DataType::Date).expect("every number is a day").into()
}

fn rng(name: &str) -> Rng {
    Seed(7).derive(name).rng()
}

/// Normal numbers with four decimals.
fn noise(name: &str) -> Column {
    let mut rng = rng(name);
    floats(name, move |_| (rng.normal() * 1e4).round() / 1e4)
}

fn table(columns: Vec<Column>) -> Table {
    let rows = columns.first().map_or(0, Column::len);
    Table::new(DataFrame::new(rows, columns).expect("columns fit each other")).expect("columns are of the six types")
}

fn roles(target: &str, task: Option<Task>) -> Roles {
    Roles { target: (!target.is_empty()).then(|| target.to_owned()), task, ..Roles::default() }
}

/// Options for `target` without a forest.
fn options(target: &str) -> SenseOptions {
    let mut options = SenseOptions { roles: roles(target, None), ..SenseOptions::default() };
    options.outliers.isolation = Isolation::Off;
    options
}

fn found(table: &Table, options: &SenseOptions) -> Result<Vec<Finding>> {
    let found = sense(table, &profile(table), options)?;
    assert!(found.iter().all(|finding| CODES.iter().any(|(code, _)| *code == finding.code)), "{:?}", names(&found));
    Ok(found)
}

/// `CODE:COLUMN` of each finding.
fn names(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|finding| format!("{}:{}", finding.code, finding.column.as_deref().unwrap_or("-"))).collect()
}

/// Those of them with one of `codes`.
fn named(findings: &[Finding], codes: &[&str]) -> Vec<String> {
    names(findings).into_iter().filter(|name| codes.iter().any(|code| name.starts_with(&format!("{code}:")))).collect()
}

/// The only finding with `code`.
fn only(table: &Table, options: &SenseOptions, code: &str) -> Result<Finding> {
    let found = found(table, options)?;
    let mut of_code: Vec<Finding> = found.iter().filter(|finding| finding.code == code).cloned().collect();
    assert_eq!(of_code.len(), 1, "one {code} in {found:#?}");
    Ok(of_code.remove(0))
}
