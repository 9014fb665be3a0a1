//! One fitted step on columns by themselves: what it learned about each, findable by the column's name.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator};

use crate::base::{fail, limits};
use crate::data::target::Target;
use crate::features::column::{Shape, Working};
use crate::features::step::FittedColumn;

/// What one step does to the columns it works on, findable by their names.
#[derive(Clone, Debug, PartialEq)]
pub struct FittedStep {
    columns: Vec<FittedColumn>,
    positions: HashMap<Arc<str>, usize>,
}

impl FittedStep {
    /// What was learned, column by column.
    pub fn columns(&self) -> &[FittedColumn] {
        &self.columns
    }

    /// Puts what was learned about different columns together.
    pub fn new(columns: Vec<FittedColumn>) -> Result<FittedStep> {
        let mut positions = HashMap::with_capacity(columns.len());
        for (position, fitted) in columns.iter().enumerate() {
            let name = fitted.step().column();
            if positions.insert(Arc::clone(name), position).is_some() {
                return Err(damaged(format!("a step works on column `{name}` twice")));
            }
        }
        Ok(FittedStep { columns, positions })
    }

    fn find(&self, name: &str) -> Option<&FittedColumn> {
        self.positions.get(name).map(|&position| &self.columns[position])
    }

    /// Follows the shapes of all columns through the step; see `ColumnStep::shapes`.
    pub fn shapes(&self, shapes: &[Shape]) -> Result<Vec<Shape>> {
        let mut after = Vec::with_capacity(shapes.len());
        let mut found = 0;
        for shape in shapes {
            match self.find(&shape.name) {
                Some(fitted) => {
                    found += 1;
                    after.extend(fitted.step().shapes(shape)?);
                }
                None => after.push(shape.clone()),
            }
        }
        if found != self.columns.len() {
            return Err(damaged("a step works on a column that is not there".to_owned()));
        }
        Ok(after)
    }

    /// Does the step to the columns it knows; `target` is given for the rows that it was fitted on.
    pub fn apply<'a>(&self, columns: Vec<Working<'a>>, target: Option<&Target>) -> Vec<Working<'a>> {
        let mut after = Vec::with_capacity(columns.len());
        for column in columns {
            match self.find(&column.name) {
                Some(fitted) => after.extend(one(fitted, column, target)),
                None => after.push(column),
            }
        }
        after
    }
}

fn one<'a>(fitted: &FittedColumn, column: Working<'a>, target: Option<&Target>) -> Vec<Working<'a>> {
    match target {
        Some(target) => fitted.step().apply_training(column, target),
        None => fitted.step().apply(column),
    }
}

/// One step on many columns, which it does in parallel: used while fitting, on training rows.
pub fn apply_step<'a>(
    learned: &[FittedColumn],
    columns: Vec<Working<'a>>,
    target: Option<&Target>,
) -> Vec<Working<'a>> {
    let by_name: HashMap<&str, &FittedColumn> =
        learned.iter().map(|fitted| (&**fitted.step().column(), fitted)).collect();
    let apply = |column: Working<'a>| match by_name.get(&*column.name) {
        Some(fitted) => one(fitted, column, target),
        None => vec![column],
    };
    let parts: Vec<Vec<Working>> = columns.into_par_iter().map(apply).collect();
    parts.into_iter().flatten().collect()
}

/// Refuses a name that two columns have, and more columns than a table may have.
pub fn check_names(shapes: &[Shape]) -> Result<()> {
    if shapes.len() > limits::COLUMNS_MAX {
        return Err(damaged(format!("{} columns are more than {}", shapes.len(), limits::COLUMNS_MAX)));
    }
    let mut names = HashSet::with_capacity(shapes.len());
    match shapes.iter().find(|shape| !names.insert(&*shape.name)) {
        Some(twice) => Err(damaged(format!("two columns are called `{}`", twice.name))),
        None => Ok(()),
    }
}

/// A recipe that contradicts itself.
pub fn damaged(why: String) -> anyhow::Error {
    fail::world(format!("damaged recipe: {why}")).into()
}
