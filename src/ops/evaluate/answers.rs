//! Truth and answers in the columns of a table.

use std::collections::BTreeSet;

use anyhow::Result;

use crate::base::talk::Talk;
use crate::base::{fail, suggest, units};
use crate::data::frame::Values;
use crate::data::table::Table;
use crate::data::target::{Target, class_names, infer_task, target_against};
use crate::models::predictor::Predictions;
use crate::ops::evaluate::predictions::{PredictionsOptions, say_missing};
use crate::spec::model::Task;

/// How `predict` names its columns.
const PROBABILITY: &str = "probability_";
const PREDICTION: &str = "prediction";
/// How far a probability may be above 1, and how far those of one row may be from 1 together: files are rounded.
const ABOVE_ONE: f64 = 1e-9;
const SUM_SLACK: f64 = 0.01;

/// Rows that have a label, with truth and answers.
pub struct Answers {
    /// What is predicted.
    pub task: Task,
    /// Numbers of the rows in the table.
    pub rows: Vec<u32>,
    /// The truth of these rows.
    pub truth: Target,
    /// The answers to these rows.
    pub predictions: Predictions,
    /// Ends of intervals.
    pub bounds: Option<(Vec<f64>, Vec<f64>)>,
    /// Whether the answers are classes without probabilities.
    pub hard: bool,
}

/// Reads truth and answers; says what was found out and how many rows have no label.
///
/// Errors (usage): a column that is not there; values that are no probabilities, missing, of a class without a column, each
/// with row and value; no row with a label.
pub fn read(table: &Table, file: &PredictionsOptions, talk: &dyn Talk) -> Result<Answers> {
    table.column(&file.label)?;
    let scores = match (file.scores.is_empty() && file.prediction.is_none(), &file.task) {
        (true, task) if *task != Some(Task::Regression) => {
            let names = table.columns().into_iter().map(|column| column.name);
            let found: Vec<String> = names.filter(|name| name.starts_with(PROBABILITY)).collect();
            if !found.is_empty() {
                talk.info(&format!("probabilities are in {}", found.join(", ")));
            }
            found
        }
        _ => file.scores.clone(),
    };
    if !file.scores.is_empty() && file.prediction.is_some() {
        return Err(fail::usage("answers are named twice, by --score and --prediction").hint("leave one out").into());
    }
    match (scores.as_slice(), file.low.is_some() || file.high.is_some()) {
        ([], intervals) => without_scores(table, file, intervals, talk),
        (_, true) => Err(fail::usage("intervals go with predicted numbers, not with probabilities").into()),
        ([only], _) => one_score(table, file, only, talk),
        (several, _) => many_scores(table, file, several, talk),
    }
}

/// Predicted numbers or classes.
fn without_scores(table: &Table, file: &PredictionsOptions, intervals: bool, talk: &dyn Talk) -> Result<Answers> {
    let names: Vec<String> = table.columns().into_iter().map(|column| column.name).collect();
    let column = match &file.prediction {
        Some(column) => column.as_str(),
        None if names.iter().any(|name| name == PREDICTION) => PREDICTION,
        None => {
            let what = format!("{} has no column of answers that is known by its name", file.name);
            let hint = format!("name it with --score or --prediction; it has: {}", names.join(", "));
            return Err(fail::usage(what).hint(hint).into());
        }
    };
    table.column(column)?;
    let task = match (file.task, intervals) {
        (Some(task), _) => task,
        (None, true) => Task::Regression,
        (None, false) => {
            let (task, why) = infer_task(table, &file.label)?;
            talk.info(&why);
            task
        }
    };
    match task {
        Task::Regression => predicted_numbers(table, file, column, talk),
        Task::Binary | Task::Multiclass => predicted_classes(table, file, column, talk),
        Task::Clustering | Task::Anomaly => {
            Err(fail::usage(format!("a file of answers cannot be judged as {}", task.name())).into())
        }
    }
}

fn predicted_numbers(table: &Table, file: &PredictionsOptions, column: &str, talk: &dyn Talk) -> Result<Answers> {
    let (truth, rows) = labelled(table, file, Task::Regression, &[], talk)?;
    let predicted = numbers(table, column, &rows)?;
    let bounds = match (&file.low, &file.high) {
        (Some(low), Some(high)) => {
            let (low, high) = (numbers(table, low, &rows)?, numbers(table, high, &rows)?);
            if let Some(place) = low.iter().zip(&high).position(|(low, high)| low > high) {
                let (row, low, high) = (row(&rows, place), low[place], high[place]);
                return Err(fail::usage(format!("the interval of row {row} ends at {high}, below its start {low}"))
                    .hint("are --low and --high the wrong way round?")
                    .into());
            }
            Some((low, high))
        }
        (None, None) => None,
        _ => return Err(fail::usage("an interval has two ends").hint("give both --low and --high").into()),
    };
    let predictions = Predictions::Numbers(predicted);
    Ok(Answers { task: Task::Regression, rows, truth, predictions, bounds, hard: false })
}

fn predicted_classes(table: &Table, file: &PredictionsOptions, column: &str, talk: &dyn Talk) -> Result<Answers> {
    let (true_names, predicted_names) = (class_names(table, &file.label)?, class_names(table, column)?);
    if !predicted_names.iter().any(|name| true_names.contains(name)) {
        let (is, are) = (listed(&predicted_names), listed(&true_names));
        return Err(fail::usage(format!("no class in `{column}` is one of `{}`", file.label))
            .hint(format!("`{column}` has {is}; `{}` has {are}", file.label))
            .into());
    }
    let mut names = true_names;
    names.extend(predicted_names);
    let names = in_order(names);
    if names.len() < 2 {
        return Err(
            fail::usage(format!("every label and every answer is `{}`: nothing to judge", names.join(""))).into()
        );
    }
    let names = positive_last(names, file.positive.as_deref())?;
    let task = if names.len() == 2 { Task::Binary } else { Task::Multiclass };
    let (truth, rows) = labelled(table, file, task, &names, talk)?;
    let (answers, there) = target_against(table, column, Task::Multiclass, &names)?;
    let Target::Classes { codes, .. } = answers else {
        return Err(fail::world(format!("`{column}` was not read as classes")).into());
    };
    let mut values = vec![0.0; rows.len() * names.len()];
    for (place, at) in rows.iter().enumerate() {
        let Ok(found) = there.binary_search(at) else {
            return Err(missing(column, row(&rows, place)));
        };
        values[place * names.len() + codes[found] as usize] = 1.0;
    }
    let predictions = Predictions::Probabilities { classes: names.len(), values };
    Ok(Answers { task, rows, truth, predictions, bounds: None, hard: true })
}

/// Probabilities of the positive class.
fn one_score(table: &Table, file: &PredictionsOptions, column: &str, talk: &dyn Talk) -> Result<Answers> {
    if file.task.is_some_and(|task| task != Task::Binary) {
        return Err(fail::usage("one column of probabilities is for two classes")
            .hint("name one --score column a class, or --prediction for numbers")
            .into());
    }
    let label = &file.label;
    let mut names = class_names(table, label)?;
    let positive = file.positive.clone().or_else(|| column.strip_prefix(PROBABILITY).map(str::to_owned));
    match (names.len(), &positive) {
        (2, positive) => names = positive_last(names, positive.as_deref())?,
        (1, Some(positive)) if names[0] != *positive => names.push(positive.clone()),
        (1, Some(positive)) => names.insert(0, format!("not {positive}")),
        (1, None) => {
            return Err(fail::usage(format!("`{label}` is `{}` in every row", names[0]))
                .hint("say which class the probabilities are of with --positive")
                .into());
        }
        (0, _) => return Err(no_labels(label)),
        (count, _) => {
            return Err(fail::usage(format!(
                "`{label}` has {count} classes, and one column of probabilities is for two"
            ))
            .hint(format!("name one --score column a class: {}", listed(&names)))
            .into());
        }
    }
    talk.info(&format!("`{column}` is the probability of `{}` in `{label}`", names[1]));
    let (truth, rows) = labelled(table, file, Task::Binary, &names, talk)?;
    let scores = probabilities(table, column, &rows)?;
    let values = scores.into_iter().flat_map(|score| [1.0 - score, score]).collect();
    let predictions = Predictions::Probabilities { classes: 2, values };
    Ok(Answers { task: Task::Binary, rows, truth, predictions, bounds: None, hard: false })
}

/// One column of probabilities a class.
fn many_scores(table: &Table, file: &PredictionsOptions, columns: &[String], talk: &dyn Talk) -> Result<Answers> {
    let known = class_names(table, &file.label)?;
    if known.is_empty() {
        return Err(no_labels(&file.label));
    }
    let common = common_start(columns);
    let mut pairs: Vec<(String, &str)> =
        columns.iter().map(|column| (class_of(column, &known, common), column.as_str())).collect();
    let distinct: BTreeSet<&String> = pairs.iter().map(|(class, _)| class).collect();
    if distinct.len() < pairs.len() {
        return Err(fail::usage(format!("two of the columns {} are of one class", columns.join(", ")))
            .hint("name them as probability_CLASS")
            .into());
    }
    if let Some(class) = known.iter().find(|class| !distinct.contains(class)) {
        let others: Vec<String> = pairs.iter().map(|(class, column)| format!("{column} ({class})")).collect();
        return Err(fail::usage(format!("class `{class}` of `{}` has no column of probabilities", file.label))
            .hint(format!("the columns are {}; name them as probability_CLASS", others.join(", ")))
            .into());
    }
    let names = positive_last(in_order(distinct.into_iter().cloned().collect()), file.positive.as_deref())?;
    pairs.sort_by_key(|(class, _)| names.iter().position(|name| name == class));
    let task = if names.len() == 2 { Task::Binary } else { Task::Multiclass };
    if file.task.is_some_and(|asked| asked != task) {
        return Err(
            fail::usage(format!("{} columns of probabilities are for a {} task", pairs.len(), task.name())).into()
        );
    }
    let (truth, rows) = labelled(table, file, task, &names, talk)?;
    let mut values = vec![0.0; rows.len() * names.len()];
    for (class, (_, column)) in pairs.iter().enumerate() {
        for (place, value) in probabilities(table, column, &rows)?.into_iter().enumerate() {
            values[place * names.len() + class] = value;
        }
    }
    let sums = values.chunks_exact(names.len()).map(|row| row.iter().sum::<f64>());
    if let Some((place, sum)) = sums.enumerate().find(|(_, sum)| (sum - 1.0).abs() > SUM_SLACK) {
        let what = format!("the probabilities of row {} sum to {sum}, not to 1", row(&rows, place));
        return Err(fail::usage(what).hint(format!("are all classes among {}?", columns.join(", "))).into());
    }
    let predictions = Predictions::Probabilities { classes: names.len(), values };
    Ok(Answers { task, rows, truth, predictions, bounds: None, hard: false })
}

/// The truth of the rows that have one.
fn labelled(
    table: &Table,
    file: &PredictionsOptions,
    task: Task,
    names: &[String],
    talk: &dyn Talk,
) -> Result<(Target, Vec<u32>)> {
    let (truth, rows) = target_against(table, &file.label, task, names)?;
    if rows.is_empty() {
        return Err(no_labels(&file.label));
    }
    say_missing(&file.label, table.rows() - rows.len(), talk);
    Ok((truth, rows))
}

fn no_labels(label: &str) -> anyhow::Error {
    fail::usage(format!("no row has a value of `{label}`")).hint("name the column of the truth with --label").into()
}

/// The class that a column of probabilities is of: the longest name of a class that it ends with, else what it has beyond
/// the beginning that all share.
fn class_of(column: &str, known: &[String], common: usize) -> String {
    if let Some(class) = column.strip_prefix(PROBABILITY) {
        return class.to_owned();
    }
    let ends = |class: &&String| {
        let rest = column.strip_suffix(class.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '.', '-', ' ', ':']))
    };
    let found = known.iter().filter(ends).max_by_key(|class| class.len());
    found.cloned().unwrap_or_else(|| column[common..].to_owned())
}

/// Bytes that all columns begin with, up to the last sign that divides words.
fn common_start(columns: &[String]) -> usize {
    let Some((first, others)) = columns.split_first() else {
        return 0;
    };
    let shared = |other: &String| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = others.iter().map(shared).min().unwrap_or(0);
    first.as_bytes()[..length].iter().rposition(|byte| b"_.- :".contains(byte)).map_or(0, |at| at + 1)
}

/// Names in order, each once: numbers by value, else texts by their bytes.
fn in_order(mut names: Vec<String>) -> Vec<String> {
    let number = |name: &String| name.parse::<f64>();
    match names.iter().all(|name| number(name).is_ok()) {
        true => names.sort_by(|a, b| number(a).unwrap_or(0.0).total_cmp(&number(b).unwrap_or(0.0))),
        false => names.sort(),
    }
    names.dedup();
    names
}

/// Puts the positive one of two classes behind the other.
fn positive_last(mut names: Vec<String>, positive: Option<&str>) -> Result<Vec<String>> {
    let Some(positive) = positive else {
        return Ok(names);
    };
    let Some(place) = names.iter().position(|name| name == positive) else {
        return Err(suggest::unknown("class", positive, names.iter().map(String::as_str)).into());
    };
    if names.len() != 2 {
        return Err(fail::usage(format!("there are {} classes: none of them is the positive one", names.len()))
            .hint("leave --positive out; ask for one class with --metric 'f1(class=NAME)'")
            .into());
    }
    if place == 0 {
        names.swap(0, 1);
    }
    Ok(names)
}

fn probabilities(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<f64>> {
    let values = numbers(table, column, rows)?;
    match values.iter().position(|value| !(0.0..=1.0 + ABOVE_ONE).contains(value)) {
        None => Ok(values),
        Some(place) => {
            let (row, value) = (row(rows, place), values[place]);
            Err(fail::usage(format!("`{column}` is {value} in row {row}: a probability lies between 0 and 1"))
                .hint("make probabilities of scores before, by the logistic function or by calibration")
                .into())
        }
    }
}

/// Finite numbers of a column.
fn numbers(table: &Table, column: &str, rows: &[u32]) -> Result<Vec<f64>> {
    let column_type = table.type_of(column)?;
    let frame = table.frame(&[column])?;
    let Values::Number(all) = &frame.column(column)?.values else {
        return Err(fail::usage(format!("`{column}` is {}; numbers belong here", column_type.name())).into());
    };
    let values: Vec<f64> = rows.iter().map(|row| all[*row as usize]).collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(place) if values[place].is_nan() => Err(missing(column, row(rows, place))),
        Some(place) => Err(fail::usage(format!("`{column}` is infinite in row {}", row(rows, place))).into()),
    }
}

fn missing(column: &str, row: String) -> anyhow::Error {
    fail::usage(format!("`{column}` has no value in row {row}, which has a label"))
        .hint("answer every row, or leave rows without an answer out of the file")
        .into()
}

fn row(rows: &[u32], place: usize) -> String {
    units::count(u64::from(rows[place]) + 1)
}

fn listed(names: &[String]) -> String {
    names.iter().take(12).map(String::as_str).collect::<Vec<_>>().join(", ")
}
