//! The column to predict: what kind of prediction it asks for, and its values in the form that fitting and scoring read.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use polars::prelude::DataType;

use crate::base::fail;
use crate::base::limits::CLASSES_MAX;
use crate::base::units;
use crate::data::frame::{MISSING_CODE, TextValues, Values};
use crate::data::infer::shown;
use crate::data::labels;
use crate::data::plain;
use crate::data::table::Table;
use crate::spec::model::Task;
use crate::spec::schema::ColumnType;

/// Most distinct integers that are taken for classes.
const INTEGER_CLASSES_MAX: usize = 10;
/// Largest size of an integer that is taken for a class: 1 to 5 are grades, 2007 to 2009 are years.
const INTEGER_CLASS_MAX: f64 = 100.0;

/// True values of the target, one for each row.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Classes as codes into `names`.
    Classes {
        /// Class names, sorted: numbers by value, text by its bytes. Shared by all parts of one dataset.
        names: Arc<[String]>,
        /// One code a row, below the number of names.
        codes: Vec<u32>,
    },
    /// Finite numbers.
    Numbers(Vec<f64>),
    /// Nothing to learn from: labels that only judge, of tasks without a target (see [`crate::data::labels`]).
    Labels {
        /// Clustering or anomaly.
        task: Task,
        /// Names of the labels; none when no row has one.
        names: Arc<[String]>,
        /// One code a row; [`MISSING_CODE`] for a row without a label.
        codes: Vec<u32>,
    },
}

impl Target {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Target::Classes { codes, .. } | Target::Labels { codes, .. } => codes.len(),
            Target::Numbers(values) => values.len(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Names of classes or labels; none for numbers.
    pub fn classes(&self) -> &[String] {
        match self {
            Target::Classes { names, .. } | Target::Labels { names, .. } => names,
            Target::Numbers(_) => &[],
        }
    }

    /// The rows numbered `rows`, in that order.
    pub fn take(&self, rows: &[u32]) -> Target {
        match self {
            Target::Classes { names, codes } => {
                Target::Classes { names: names.clone(), codes: rows.iter().map(|&row| codes[row as usize]).collect() }
            }
            Target::Numbers(values) => Target::Numbers(rows.iter().map(|&row| values[row as usize]).collect()),
            Target::Labels { task, names, codes } => Target::Labels {
                task: *task,
                names: names.clone(),
                codes: rows.iter().map(|&row| codes[row as usize]).collect(),
            },
        }
    }
}

/// Tells the task from the target's type and values, with a sentence that says why.
///
/// Text and booleans are classes; integers are classes when there are two distinct ones, or at most ten and none above 100
/// in size; other numbers are regression. Errors (usage): unknown column, no values, one value only, too many classes,
/// a date or time.
pub fn infer_task(table: &Table, target: &str) -> Result<(Task, String)> {
    let column_type = usable_type(table, target)?;
    let named = distinct_values(table, target)?;
    let count = named.levels.len();
    match column_type {
        ColumnType::Integer => {
            let small = |level: &Arc<str>| level.parse::<f64>().is_ok_and(|number| number.abs() <= INTEGER_CLASS_MAX);
            let classes = count <= INTEGER_CLASSES_MAX && (count == 2 || named.levels.iter().all(small));
            let task = if classes { class_task(count) } else { Task::Regression };
            let number = units::count(count as u64);
            Ok((task, format!("target `{target}` has {number} distinct integers: {}", task.name())))
        }
        ColumnType::Float => Ok((Task::Regression, format!("target `{target}` holds floats: regression"))),
        _ => {
            check_class_count(target, count)?;
            let task = class_task(count);
            let of = column_type.name();
            Ok((task, format!("target `{target}` is {of} with {count} distinct values: {}", task.name())))
        }
    }
}

fn class_task(count: usize) -> Task {
    if count == 2 { Task::Binary } else { Task::Multiclass }
}

/// Reads the target, with the rows that have one; rows whose target is missing are left out.
///
/// Class names are the values as text (`1` for 1.0 too), sorted: numbers by value, text by its bytes. Errors (usage): as
/// [`infer_task`], another number of classes than `task` allows, a target that is not a finite number for regression.
pub fn read_target(table: &Table, target: &str, task: Task) -> Result<(Target, Vec<u32>)> {
    if !task.is_supervised() {
        return Ok((labels::read_labels(table, Some(target), task)?, all_rows(table)));
    }
    let column_type = usable_type(table, target)?;
    if task == Task::Regression {
        let (numbers, rows) = read_numbers(table, target, column_type)?;
        if numbers.iter().all(|number| *number == numbers[0]) {
            return Err(constant(target, &numbers[0].to_string()).into());
        }
        return Ok((Target::Numbers(numbers), rows));
    }
    let named = distinct_values(table, target)?;
    check_class_count(target, named.levels.len())?;
    let order = order_of(&named, column_type);
    if task == Task::Binary && order.len() != 2 {
        let count = order.len();
        return Err(fail::usage(format!("target `{target}` has {count} distinct values, a binary task has two"))
            .hint("set task = \"multiclass\"")
            .into());
    }
    let names: Vec<String> = order.iter().map(|level| named.levels[*level].to_string()).collect();
    target_of(target, &named, &names)
}

/// Names of the classes that a column holds, in the order that [`read_target`] gives them; one class, or none, is no error.
///
/// Errors (usage): an unknown column, too many classes.
pub fn class_names(table: &Table, column: &str) -> Result<Vec<String>> {
    let named = named_values(table, column)?;
    check_class_count(column, named.levels.len())?;
    let order = order_of(&named, table.type_of(column)?);
    Ok(order.into_iter().map(|level| named.levels[level].to_string()).collect())
}

/// Places of the classes in order: numbers by value, text by its bytes.
fn order_of(named: &TextValues, column_type: ColumnType) -> Vec<usize> {
    let number = |level: &Arc<str>| level.parse::<f64>().unwrap_or(f64::NAN);
    let mut order: Vec<usize> = (0..named.levels.len()).collect();
    match column_type {
        ColumnType::Integer | ColumnType::Float => {
            order.sort_by(|a, b| number(&named.levels[*a]).total_cmp(&number(&named.levels[*b])));
        }
        _ => order.sort_by(|a, b| named.levels[*a].cmp(&named.levels[*b])),
    }
    order
}

/// Reads the target of other rows with the `classes` of a trained model.
///
/// Errors (usage): a class that training never saw, named with its row; a target that is not a number for regression.
pub fn target_against(table: &Table, target: &str, task: Task, classes: &[String]) -> Result<(Target, Vec<u32>)> {
    if !task.is_supervised() {
        return Ok((labels::labels_against(table, target, task, classes)?, all_rows(table)));
    }
    let column_type = usable_type(table, target)?;
    if task == Task::Regression {
        let (numbers, rows) = read_numbers(table, target, column_type)?;
        return Ok((Target::Numbers(numbers), rows));
    }
    target_of(target, &named_values(table, target)?, classes)
}

/// A target with the rows that have one.
type KnownTarget = (Target, Vec<u32>);

/// As [`target_against`], but rows of classes that training never saw are left out as rows without a class are; those
/// classes with their numbers of rows, in the order of first appearance, come beside.
///
/// Errors (usage): as [`target_against`] otherwise.
pub fn target_known(
    table: &Table,
    target: &str,
    task: Task,
    classes: &[String],
) -> Result<(KnownTarget, Vec<(String, u64)>)> {
    if !task.is_classification() {
        return Ok((target_against(table, target, task, classes)?, Vec::new()));
    }
    usable_type(table, target)?;
    let mut named = named_values(table, target)?;
    let mut counts = vec![0_u64; named.levels.len()];
    let known: HashSet<&str> = classes.iter().map(String::as_str).collect();
    let is_known: Vec<bool> = named.levels.iter().map(|level| known.contains(&**level)).collect();
    for code in named.codes.iter_mut().filter(|code| is_known.get(**code as usize) == Some(&false)) {
        counts[*code as usize] += 1;
        *code = MISSING_CODE;
    }
    let unseen = named.levels.iter().zip(counts).filter(|(_, count)| *count > 0);
    let unseen = unseen.map(|(level, count)| (level.to_string(), count)).collect();
    // The levels that no row has any more are no classes.
    let read = target_of(target, &named, classes)?;
    Ok((read, unseen))
}

/// Rows of tasks that need no target.
pub fn all_rows(table: &Table) -> Vec<u32> {
    (0..table.rows() as u32).collect()
}

/// Gives every row that has a value the code of its class in `classes`.
fn target_of(target: &str, named: &TextValues, classes: &[String]) -> Result<(Target, Vec<u32>)> {
    let known: HashMap<&str, u32> = classes.iter().map(String::as_str).zip(0..).collect();
    let place: Vec<Option<u32>> = named.levels.iter().map(|level| known.get(&**level).copied()).collect();
    let rows: Vec<u32> =
        (0..named.codes.len() as u32).filter(|row| named.codes[*row as usize] != MISSING_CODE).collect();
    let mut codes = Vec::with_capacity(rows.len());
    for row in &rows {
        let level = named.codes[*row as usize] as usize;
        let Some(code) = place[level] else {
            let (number, name) = (units::count(u64::from(*row) + 1), shown(&named.levels[level]));
            let listed = classes.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ");
            return Err(fail::usage(format!(
                "target `{target}` holds `{name}` in row {number}, a class that training never saw"
            ))
            .hint(format!("the model knows {listed}; train again with rows of the new class"))
            .into());
        };
        codes.push(code);
    }
    Ok((Target::Classes { names: classes.into(), codes }, rows))
}

/// The type of a target that has values and is no time.
fn usable_type(table: &Table, target: &str) -> Result<ColumnType> {
    let column = table.column(target)?;
    let column_type = table.type_of(target)?;
    if column.null_count() == column.len() {
        return Err(fail::usage(format!("target `{target}` has no values"))
            .hint("name another column as the target, or check the null values")
            .into());
    }
    if matches!(column_type, ColumnType::Date | ColumnType::Timestamp | ColumnType::Time) {
        return Err(fail::usage(format!("target `{target}` is a {}, which cannot be predicted", column_type.name()))
            .hint("make a number of it before, as the days until then")
            .into());
    }
    Ok(column_type)
}

fn constant(target: &str, value: &str) -> fail::Failure {
    fail::usage(format!("target `{target}` has the same value in every row: `{}`", shown(value)))
        .hint("there is nothing to learn; name another column as the target")
}

fn check_class_count(target: &str, count: usize) -> Result<()> {
    if count <= CLASSES_MAX {
        return Ok(());
    }
    let (count, limit) = (units::count(count as u64), units::count(CLASSES_MAX as u64));
    Err(fail::usage(format!("target `{target}` has {count} distinct values; at most {limit} classes are supported"))
        .hint("is it an identifier? name another column, or set task = \"regression\" if it is a number")
        .into())
}

/// Values coded by name, of which there are at least two.
fn distinct_values(table: &Table, target: &str) -> Result<TextValues> {
    let named = named_values(table, target)?;
    match &named.levels[..] {
        [] => Err(fail::usage(format!("target `{target}` has no values")).hint("name another column").into()),
        [only] => Err(constant(target, only).into()),
        _ => Ok(named),
    }
}

/// Values of a column coded by their names as classes; not-a-number is missing.
pub(in crate::data) fn named_values(table: &Table, target: &str) -> Result<TextValues> {
    let series = table.column(target)?.as_materialized_series();
    Ok(match series.dtype() {
        DataType::String => plain::text_values(series.str()?),
        DataType::Boolean => coded(series.bool()?.iter(), |value| value.to_string()),
        DataType::Float64 => {
            // Adding zero makes one value of -0.0 and 0.0.
            let values = series.f64()?.iter().map(|value| value.filter(|value| !value.is_nan()));
            coded(values.map(|value| value.map(|value| (value + 0.0).to_bits())), |bits| {
                f64::from_bits(bits).to_string()
            })
        }
        _ => coded(series.i64()?.iter(), |value| value.to_string()),
    })
}

fn coded<K: std::hash::Hash + Eq + Copy>(
    values: impl Iterator<Item = Option<K>>,
    name: impl Fn(K) -> String,
) -> TextValues {
    let mut seen: HashMap<K, u32> = HashMap::new();
    let mut text = TextValues::default();
    for value in values {
        text.codes.push(value.map_or(MISSING_CODE, |value| {
            *seen.entry(value).or_insert_with(|| {
                text.levels.push(name(value).into());
                text.levels.len() as u32 - 1
            })
        }));
    }
    text
}

fn read_numbers(table: &Table, target: &str, column_type: ColumnType) -> Result<(Vec<f64>, Vec<u32>)> {
    if !column_type.is_numeric() {
        let of = column_type.name();
        return Err(fail::usage(format!("target `{target}` is {of}; regression needs numbers"))
            .hint("set task = \"multiclass\" or \"binary\", or name another column")
            .into());
    }
    let frame = table.frame(&[target])?;
    let Values::Number(all) = &frame.column(target)?.values else {
        return Err(fail::world(format!("target `{target}` was not read as numbers")).into());
    };
    if let Some(row) = all.iter().position(|value| value.is_infinite()) {
        let row = units::count(row as u64 + 1);
        return Err(fail::usage(format!("target `{target}` is infinite in row {row}"))
            .hint("correct the value or leave it empty")
            .into());
    }
    let rows: Vec<u32> = (0..all.len() as u32).filter(|row| !all[*row as usize].is_nan()).collect();
    if rows.is_empty() {
        return Err(fail::usage(format!("target `{target}` has no values")).hint("name another column").into());
    }
    Ok((rows.iter().map(|row| all[*row as usize]).collect(), rows))
}
