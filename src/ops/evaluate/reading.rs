//! Whether rows fit the model that is judged on them: its columns, their types, classes that it knows.

use std::collections::HashSet;

use anyhow::Result;

use crate::base::fail::{self, Failure};
use crate::base::suggest;
use crate::base::units;
use crate::data::frame::{Column, Frame, MISSING_CODE, MISSING_TIME, TextValues, Values};
use crate::data::infer::shown;
use crate::data::table::Table;
use crate::models::package::InputColumn;
use crate::ops::evaluate::findings::{Severity, finding};
use crate::record::evaluation::JudgingFinding;
use crate::spec::schema::ColumnType;

/// Names that are listed in a sentence.
const LISTED_MAX: usize = 8;

/// Makes sure that `table` has the columns that a model reads, of the kinds that it was trained on. Integers, floats and
/// booleans are one kind, dates and time stamps another; a column without any value is of every kind.
///
/// Errors (usage): all columns that are missing; all of another kind.
pub fn check_inputs(table: &Table, inputs: &[InputColumn], label: &str) -> Result<()> {
    let columns: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let there: HashSet<&str> = columns.iter().map(String::as_str).collect();
    let names = inputs.iter().map(|input| input.name.as_str());
    let missing: Vec<&str> = names.filter(|name| !there.contains(name)).collect();
    if !missing.is_empty() {
        let hint = match suggest::nearest(missing[0], columns.iter().map(String::as_str)) {
            Some(near) => format!("it has a column `{near}`: is that the one?"),
            None => "judge it on data like that it was trained on".to_owned(),
        };
        return Err(fail::usage(format!("{label} lacks columns that the model reads: {}", listed(&missing)))
            .hint(hint)
            .into());
    }
    let mut odd = Vec::new();
    for input in inputs {
        let found = table.type_of(&input.name)?;
        if kind(found) != kind(input.column_type) && !is_empty(table, &input.name)? {
            odd.push(format!("`{}` is {}, it was {}", input.name, found.name(), input.column_type.name()));
        }
    }
    if odd.is_empty() {
        return Ok(());
    }
    let what = format!("{label} has columns of another type than in training: {}", listed(&odd));
    Err(fail::usage(what).hint("read it with the types of the training data: [data] types in mlops.toml").into())
}

/// The columns that a model reads; one without any value takes the kind that it was trained on.
pub fn frame(table: &Table, inputs: &[InputColumn]) -> Result<Frame> {
    let names: Vec<&str> = inputs.iter().map(|input| input.name.as_str()).collect();
    let frame = table.frame(&names)?;
    let rows = frame.rows();
    let mut columns: Vec<Column> = frame.into_columns();
    for (column, input) in columns.iter_mut().zip(inputs) {
        if kind(table.type_of(&input.name)?) != kind(input.column_type) {
            column.values = match kind(input.column_type) {
                Kind::Number | Kind::Clock => Values::Number(vec![f64::NAN; rows]),
                Kind::Time => Values::Time(vec![MISSING_TIME; rows]),
                Kind::Text => Values::Text(TextValues { codes: vec![MISSING_CODE; rows], levels: Vec::new() }),
            };
        }
    }
    Frame::new(rows, columns)
}

/// Types that are read alike.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Number,
    Text,
    Time,
    Clock,
}

fn kind(column_type: ColumnType) -> Kind {
    match column_type {
        ColumnType::Integer | ColumnType::Float | ColumnType::Boolean => Kind::Number,
        ColumnType::Text => Kind::Text,
        ColumnType::Date | ColumnType::Timestamp => Kind::Time,
        ColumnType::Time => Kind::Clock,
    }
}

fn is_empty(table: &Table, name: &str) -> Result<bool> {
    let column = table.column(name)?;
    Ok(column.null_count() == column.len())
}

/// What was odd about the rows that are read: those that cannot be judged, and those that the model knows.
pub fn findings(
    rows: usize,
    with_target: usize,
    unseen: &[(String, u64)],
    target: &str,
    rows_of: &str,
) -> Vec<JudgingFinding> {
    let mut findings = Vec::new();
    let of_unseen: u64 = unseen.iter().map(|(_, rows)| rows).sum();
    if of_unseen > 0 {
        let classes: Vec<String> = unseen
            .iter()
            .map(|(class, rows)| format!("`{}` ({})", shown(class), units::plural(*rows, "row")))
            .collect();
        let message = format!(
            "`{target}` holds classes that training never saw: {}; these rows are left out, and the model is wrong on each of them",
            listed(&classes)
        );
        findings.push(finding("unseen_class", Severity::Error, message, of_unseen));
    }
    let missing = (rows - with_target) as u64 - of_unseen;
    if missing > 0 && rows_of == "all" {
        let message = format!(
            "{} of {} have no value of `{target}` and are not judged",
            units::count(missing),
            units::plural(rows as u64, "row")
        );
        findings.push(finding("missing_truth", Severity::Info, message, missing));
    }
    if !["test", "all"].contains(&rows_of) {
        let message = format!("there are no test rows: judged on the {rows_of} rows, which flatters the model");
        findings.push(JudgingFinding { rows: None, ..finding("not_test_rows", Severity::Warning, message, 0) });
    }
    findings
}

/// The failure when no row can be judged.
pub fn no_rows(label: &str, target: &str, classes: &[String], unseen: &[(String, u64)]) -> Failure {
    match unseen.first() {
        None => fail::usage(format!("{label} has no row with a value of `{target}`"))
            .hint("evaluate on a dataset that has the truth"),
        Some((class, _)) => fail::usage(format!(
            "every value of `{target}` in {label} is a class that training never saw, as `{}`",
            shown(class)
        ))
        .hint(format!("the model knows {}", listed(classes))),
    }
}

/// Names with commas, a few of many.
pub fn listed<T: AsRef<str>>(names: &[T]) -> String {
    let first = names.iter().take(LISTED_MAX).map(AsRef::as_ref).collect::<Vec<&str>>().join(", ");
    match names.len() > LISTED_MAX {
        true => format!("{first} and {} more", names.len() - LISTED_MAX),
        false => first,
    }
}
