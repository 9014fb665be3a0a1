//! `onnx`: a graph that another tool trained and wrote as ONNX, run by tract with floats of 32 bits.
//!
//! The file is kept as it was and read anew whenever the model is opened. What is read is checked first: the number of
//! its parts, the sizes of its constants and of everything it computes, its operators (those of [`shapes`], all others
//! are refused by name), its trees. Then it is cut down to what its answer needs and written in terms of standard
//! operators; nothing else reaches the engine. Rows are answered in blocks of one size, the last one filled up, so that
//! a row is answered with the same bits alone and among others.

pub mod graph;
pub mod plan;
pub mod proto;
mod refuse;
mod rewrite;
mod shapes;
mod trees;
pub mod wire;

#[cfg(test)]
mod tests;

use std::any::Any;
use std::collections::HashMap;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::fail;
use crate::base::limits::{CLASSES_MAX, COLUMNS_MAX};
use crate::base::units;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input::same_width;
use crate::models::onnx::graph::Element;
use crate::models::onnx::plan::Plan;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::spec::model::Task;

/// How far probabilities may lie outside `[0, 1]`, and their sum from 1: the rounding of 32 bits, summed over many
/// classes.
const PROBABILITY_TOLERANCE: f64 = 1e-3;

/// A column that a graph reads.
#[derive(Clone, Debug, PartialEq)]
pub struct OnnxFeature {
    /// Name of the input, or `f0`, `f1`… for the columns of the one matrix that it reads.
    pub name: String,
    /// Whether the name is the file's own.
    pub is_named: bool,
    /// Kind of its values.
    pub element: Element,
}

/// A graph and what its columns are.
pub struct OnnxModel {
    bytes: Vec<u8>,
    plan: Plan,
    /// Number of classes; 0 for regression.
    classes: usize,
    /// Names of the levels of each column that is given as a category; none for numbers.
    levels: Vec<Vec<String>>,
    /// Code in the graph of each level.
    codes: Vec<Vec<f64>>,
}

impl OnnxModel {
    /// Reads a file. `features` settles the number of columns where the file leaves it open; `task` what its answer
    /// means where that can be seen in two ways, else one number is regression and more are probabilities.
    ///
    /// Errors: those of [`Plan::open`]; an answer that does not suit the task.
    pub fn open(bytes: Vec<u8>, features: Option<usize>, task: Option<Task>) -> Result<OnnxModel> {
        let plan = Plan::open(&bytes, features)?;
        let named = plan.classes.len();
        let classes = match (task, plan.columns) {
            (Some(Task::Regression), 1) => 0,
            (Some(Task::Regression), columns) => {
                return Err(refuse::unsupported(&format!("it answers {columns} numbers a row, regression has one")));
            }
            (Some(Task::Binary), columns @ (1 | 2)) => columns.max(2),
            (Some(Task::Multiclass), columns @ 2..) => columns,
            (None, 1) => {
                if named == 2 {
                    2
                } else {
                    0
                }
            }
            (None, columns) => columns,
            (Some(task), columns) => {
                let what = format!("it answers {columns} numbers a row, which is no {} task", task.name());
                return Err(refuse::unsupported(&what));
            }
        };
        let width = plan.inputs.iter().map(|input| input.width).sum();
        let mut model = OnnxModel { bytes, plan, classes, levels: Vec::new(), codes: Vec::new() };
        model.set_levels(vec![Vec::new(); width])?;
        Ok(model)
    }

    /// Says which columns are given as categories, and the names of their levels.
    ///
    /// Errors: another number of columns; a column of texts without levels is all unknown, which is no error.
    pub fn set_levels(&mut self, levels: Vec<Vec<String>>) -> Result<()> {
        let features = self.features();
        if levels.len() != features.len() {
            let what = format!("the model reads {} columns and is told of {}", features.len(), levels.len());
            return Err(fail::world(what).into());
        }
        let known: HashMap<&str, f64> =
            self.plan.dictionary.iter().map(String::as_str).zip((0..).map(|code: u16| f64::from(code))).collect();
        let code = |element: Element, name: &String, at: usize| match element {
            Element::Text => known.get(name.as_str()).copied().unwrap_or(-1.0),
            _ => at as f64,
        };
        self.codes = levels
            .iter()
            .zip(&features)
            .map(|(names, feature)| {
                names.iter().enumerate().map(|(at, name)| code(feature.element, name, at)).collect()
            })
            .collect();
        self.levels = levels;
        Ok(())
    }

    /// Columns that it reads, in order.
    pub fn features(&self) -> Vec<OnnxFeature> {
        let is_matrix =
            self.plan.inputs.len() == 1 && !(self.plan.inputs[0].width == 1 && self.plan.inputs[0].port.is_list);
        let mut features = Vec::new();
        for input in &self.plan.inputs {
            for at in 0..input.width {
                let (name, is_named) = match (is_matrix, input.width) {
                    (true, _) => (format!("f{at}"), false),
                    (false, 1) => (input.port.name.clone(), true),
                    (false, _) => (format!("{}_{at}", input.port.name), true),
                };
                features.push(OnnxFeature { name, is_named, element: input.port.element });
            }
        }
        features
    }

    /// Number of classes; 0 for regression.
    pub fn classes(&self) -> usize {
        self.classes
    }

    /// Names of the classes, where the file has them.
    pub fn class_names(&self) -> &[String] {
        &self.plan.classes
    }

    /// Texts that the graph compares with, sorted.
    pub fn texts(&self) -> &[String] {
        &self.plan.dictionary
    }

    /// The value of one column in one row, as the graph wants it.
    fn value(&self, matrix: &Matrix, column: usize, row: usize, element: Element) -> f64 {
        let values = &matrix.features()[column].values;
        match values {
            FeatureValues::Category { codes, .. } => match self.codes[column].get(codes[row] as usize) {
                Some(code) => *code,
                None if element == Element::Text => -1.0,
                None if self.codes[column].is_empty() => values.get(row),
                None => f64::NAN,
            },
            _ => values.get(row),
        }
    }

    /// Answers of rows `start..`, at most a block: `columns` numbers each.
    fn block(&self, matrix: &Matrix, start: usize) -> Result<Vec<f64>> {
        let rows = self.plan.rows.min(matrix.rows() - start);
        let mut tensors = Vec::with_capacity(self.plan.inputs.len());
        let mut first = 0;
        for input in &self.plan.inputs {
            let columns = first..first + input.width;
            first = columns.end;
            if !input.is_read {
                continue;
            }
            // Rows beyond the last repeat it: they are thrown away, but must not be odd.
            let row = |at: usize| start + at.min(rows - 1);
            let of_row = |at: usize| columns.clone().map(move |column| (column, row(at)));
            let values: Vec<f64> = (0..self.plan.rows)
                .flat_map(of_row)
                .map(|(column, row)| self.value(matrix, column, row, input.port.element))
                .collect();
            let tensor = input.tensor(self.plan.rows, &values).map_err(|place| {
                let name = &matrix.features()[columns.start + place % input.width.max(1)].name;
                let row = units::count(row(place / input.width.max(1)) as u64 + 1);
                fail::usage(format!("`onnx` needs a whole number of feature `{name}` in row {row}"))
                    .hint("give it a value; this model takes whole numbers and knows no missing ones")
            })?;
            tensors.push(tensor);
        }
        let mut answers = self.plan.answer(tensors)?;
        answers.truncate(rows * self.plan.columns);
        match answers.iter().position(|answer| !answer.is_finite()) {
            Some(place) => Err(self.no_answer(matrix, start + place / self.plan.columns)),
            None => Ok(answers),
        }
    }

    fn no_answer(&self, matrix: &Matrix, row: usize) -> anyhow::Error {
        let shown = units::count(row as u64 + 1);
        let missing = matrix.features().iter().find(|feature| feature.values.get(row).is_nan());
        match missing {
            Some(feature) => fail::usage(format!(
                "`onnx` needs a value of feature `{}`, which is missing in row {shown}",
                feature.name
            ))
            .hint("fill gaps before, or export the model together with its imputation")
            .into(),
            None => fail::usage(format!("the ONNX model's answer to row {shown} is no finite number")).into(),
        }
    }

    /// Answers made-up rows, to see whether what it calls probabilities are some.
    ///
    /// Errors: they are not; an engine that fails. Rows without a finite answer say nothing.
    pub fn try_out(&self) -> Result<()> {
        if self.classes == 0 {
            return Ok(());
        }
        let mut tensors = Vec::with_capacity(self.plan.inputs.len());
        for input in self.plan.inputs.iter().filter(|input| input.is_read) {
            let cells = self.plan.rows * input.width;
            // Whole numbers where those are wanted; elsewhere a spread of about that of scaled columns.
            let whole = !matches!(input.port.element, Element::Float | Element::Double);
            let value = |at: usize| if whole { (at % 2) as f64 } else { (at * 7 % 11) as f64 / 2.0 - 2.5 };
            let values: Vec<f64> = (0..cells).map(value).collect();
            tensors.extend(input.tensor(self.plan.rows, &values));
        }
        let answers = self.plan.answer(tensors)?;
        for (row, answer) in answers.chunks_exact(self.plan.columns).enumerate() {
            if answer.iter().all(|value| value.is_finite()) {
                self.shares(answer, row, &mut Vec::new())?;
            }
        }
        Ok(())
    }

    /// One row's share of each class from what the graph answers.
    fn shares(&self, answer: &[f64], row: usize, shares: &mut Vec<f64>) -> Result<()> {
        let from = shares.len();
        match answer {
            [single] => shares.extend([1.0 - single, *single]),
            several => shares.extend(several),
        }
        let here = &mut shares[from..];
        let sum: f64 = here.iter().sum();
        let inside = here.iter().all(|share| (-PROBABILITY_TOLERANCE..=1.0 + PROBABILITY_TOLERANCE).contains(share));
        if !inside || (sum - 1.0).abs() > PROBABILITY_TOLERANCE {
            return Err(not_probabilities(row, answer));
        }
        here.iter_mut().for_each(|share| *share = share.clamp(0.0, 1.0));
        let sum: f64 = here.iter().sum();
        here.iter_mut().for_each(|share| *share /= sum);
        Ok(())
    }
}

fn not_probabilities(row: usize, answer: &[f64]) -> anyhow::Error {
    let shown: Vec<String> = answer.iter().take(4).map(|value| format!("{value:.4}")).collect();
    let row = units::count(row as u64 + 1);
    fail::usage(format!("the ONNX model's answer to row {row} is no probabilities: {}", shown.join(", ")))
        .hint("export it with its last step, a softmax or sigmoid; or import it with --task regression if it is one number")
        .into()
}

/// Nothing is trained here.
pub fn fit(_: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    Err(fail::usage("`onnx` models are trained elsewhere")
        .hint("bring one in with `mlops import FILE.onnx --as NAME`")
        .into())
}

/// Reads a model back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    let features = form.count("features", COLUMNS_MAX)?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let counts = form.u32s("level_counts")?;
    let mut names = form.texts("level_names")?.into_iter();
    let bytes = form.u8s("file")?;
    let task = match classes {
        0 => Task::Regression,
        1 => return Err(damaged("classes", "one class is none to choose from")),
        2 => Task::Binary,
        _ => Task::Multiclass,
    };
    let mut model = OnnxModel::open(bytes, Some(features), Some(task))?;
    let levels: Vec<Vec<String>> = counts.iter().map(|count| names.by_ref().take(*count as usize).collect()).collect();
    let whole =
        levels.iter().zip(&counts).all(|(levels, count)| levels.len() == *count as usize) && names.next().is_none();
    if !whole || levels.len() != model.levels.len() || model.classes != classes {
        return Err(damaged("level_counts", "they do not fit the columns of the file"));
    }
    model.set_levels(levels)?;
    Ok(Box::new(model))
}

impl Predictor for OnnxModel {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        same_width(matrix, self.levels.len())?;
        let starts: Vec<usize> = (0..matrix.rows()).step_by(self.plan.rows).collect();
        let blocks: Vec<Vec<f64>> =
            starts.into_par_iter().map(|start| self.block(matrix, start)).collect::<Result<_>>()?;
        let answers = blocks.concat();
        if self.classes == 0 {
            return Ok(Predictions::Numbers(answers));
        }
        let mut values = Vec::with_capacity(matrix.rows() * self.classes);
        for (row, answer) in answers.chunks_exact(self.plan.columns).enumerate() {
            self.shares(answer, row, &mut values)?;
        }
        Ok(Predictions::Probabilities { classes: self.classes, values })
    }

    fn write(&self, form: &mut FormWriter) {
        form.u64("features", self.levels.len() as u64);
        form.u64("classes", self.classes as u64);
        form.u32s("level_counts", &self.levels.iter().map(|levels| levels.len() as u32).collect::<Vec<u32>>());
        form.texts("level_names", &self.levels.concat());
        form.u8s("file", &self.bytes);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
