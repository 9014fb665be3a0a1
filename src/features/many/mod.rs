//! Steps over several columns: what they have in common, and the list of them.
//!
//! Such a step reads named columns and makes new ones behind all others, or gives its own columns other values. What it
//! reads is left out, where asked for, by a step `drop` after it.

mod interact;
mod polynomial;
mod product;
mod ratio;
pub mod written;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::base::fail;
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working, numbers};
use crate::features::fitted::damaged;
use crate::features::fitting::Fitting;
use crate::features::many::polynomial::PolynomialOptions;
use crate::features::many::product::FittedProduct;
use crate::features::many::ratio::{FittedRatio, RatioOptions};
use crate::features::recipe::StepForm;
use crate::features::step::{keep_names_unique, select};
use crate::spec::recipe::Columns;

/// What a step has learned about several columns; knows how to do the same to any rows, each row by itself.
pub trait ManyStep: Send + Sync {
    /// Names of the columns that it reads; at least one, none twice.
    fn inputs(&self) -> &[Arc<str>];

    /// Names of the columns that it makes, for the recipe to keep unique; none when it replaces what it reads.
    fn made(&mut self) -> &mut [Arc<str>];

    /// Whether its values take the place of those that it read.
    fn replaces(&self) -> bool {
        false
    }

    /// Names and kinds of the columns that come out for `inputs`.
    ///
    /// Errors: kinds it cannot work on, or learned numbers that contradict each other. After `Ok`, it can be applied to
    /// columns of these kinds.
    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<(Arc<str>, Kind)>>;

    /// Values of the columns that come out, in the order of [`ManyStep::kinds`], one for each row of `inputs`.
    ///
    /// Errors: only an expression can meet values that it cannot work on.
    fn apply(&self, inputs: &[&Working]) -> Result<Vec<Values>>;
}

/// A checked step over several columns, before it is fitted.
#[derive(Clone, Debug, PartialEq)]
pub enum ManyAction {
    /// Products of pairs.
    Interact(Columns),
    /// Products of several numbers.
    Polynomial(PolynomialOptions),
    /// One number divided by another.
    Ratio(RatioOptions),
}

/// What one step has learned about several columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum FittedMany {
    /// Products of columns.
    Product(FittedProduct),
    /// Pairs of texts as one text.
    Cross(interact::FittedCross),
    /// One number divided by another.
    Ratio(FittedRatio),
}

impl ManyAction {
    /// As written in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            ManyAction::Interact(_) => "interact",
            ManyAction::Polynomial(_) => "polynomial",
            ManyAction::Ratio(_) => "ratio",
        }
    }

    /// Learns from columns; the forms are to be applied one after the other, each to what the ones before it left.
    ///
    /// Errors: a named column that is not there, a column of a kind it cannot work on, what each step says of itself.
    pub fn fit(&self, columns: &[Working], _fitting: &Fitting) -> Result<(Vec<StepForm>, Vec<String>)> {
        let mut notes = Vec::new();
        let mut forms = match self {
            ManyAction::Interact(wanted) => interact::fit(&select(columns, wanted)?)?,
            ManyAction::Polynomial(options) => polynomial::fit(&select(columns, &options.columns)?, options)?,
            ManyAction::Ratio(options) => ratio::fit(columns, options)?,
        };
        let made = forms.iter_mut().flat_map(|form| match form {
            StepForm::Many(fitted) => fitted.step_mut().made(),
            StepForm::Columns(_) => &mut [],
        });
        keep_names_unique(columns, made);
        notes.dedup();
        Ok((forms, notes))
    }
}

impl FittedMany {
    /// What it does.
    pub fn step(&self) -> &dyn ManyStep {
        match self {
            FittedMany::Product(fitted) => fitted,
            FittedMany::Cross(fitted) => fitted,
            FittedMany::Ratio(fitted) => fitted,
        }
    }

    fn step_mut(&mut self) -> &mut dyn ManyStep {
        match self {
            FittedMany::Product(fitted) => fitted,
            FittedMany::Cross(fitted) => fitted,
            FittedMany::Ratio(fitted) => fitted,
        }
    }

    /// Where the columns that it reads stand among `names`. Errors: one is not there, or is read twice.
    pub fn positions<'n>(&self, names: impl Iterator<Item = &'n Arc<str>>) -> Result<Vec<usize>> {
        let known: HashMap<&str, usize> = names.enumerate().map(|(position, name)| (&**name, position)).collect();
        let inputs = self.step().inputs();
        let mut seen = HashSet::with_capacity(inputs.len());
        if inputs.is_empty() || inputs.iter().any(|name| !seen.insert(name)) {
            return Err(damaged("a step over several columns reads none, or one twice".to_owned()));
        }
        let find = |name: &Arc<str>| known.get(&**name).copied().ok_or_else(|| absent(name));
        inputs.iter().map(find).collect()
    }

    /// Follows the shapes of all columns through the step.
    pub fn shapes(&self, mut shapes: Vec<Shape>, positions: &[usize]) -> Result<Vec<Shape>> {
        let inputs: Vec<&Shape> = positions.iter().map(|&position| &shapes[position]).collect();
        let kinds = self.step().kinds(&inputs)?;
        let mut origins: Vec<u32> = inputs.iter().flat_map(|input| input.origins.iter().copied()).collect();
        origins.sort_unstable();
        origins.dedup();
        let origins: Arc<[u32]> = origins.into();
        if self.step().replaces() {
            ensure!(kinds.len() == positions.len(), damaged("a step does not replace all of its columns".to_owned()));
            for (&position, (_, kind)) in positions.iter().zip(kinds) {
                shapes[position] = Shape { kind, origins: Arc::clone(&origins), ..shapes[position].clone() };
            }
            return Ok(shapes);
        }
        let from = Arc::clone(&inputs[0].from);
        shapes.extend(kinds.into_iter().map(|(name, kind)| Shape {
            name,
            from: Arc::clone(&from),
            kind,
            origins: Arc::clone(&origins),
        }));
        Ok(shapes)
    }

    /// Does the step to the columns at `positions`; what it makes comes from `source`.
    pub fn apply<'a>(
        &self,
        mut columns: Vec<Working<'a>>,
        positions: &[usize],
        source: u32,
    ) -> Result<Vec<Working<'a>>> {
        let inputs: Vec<&Working> = positions.iter().map(|&position| &columns[position]).collect();
        let values = self.step().apply(&inputs)?;
        if self.step().replaces() {
            for (&position, values) in positions.iter().zip(values) {
                columns[position].values = Cow::Owned(values);
            }
            return Ok(columns);
        }
        let shapes: Vec<Shape> = inputs.iter().map(|input| shape_of(input)).collect();
        let kinds = self.step().kinds(&shapes.iter().collect::<Vec<_>>())?;
        let from = Arc::clone(&inputs[0].from);
        columns.extend(kinds.into_iter().zip(values).map(|((name, _), values)| Working {
            name,
            from: Arc::clone(&from),
            source,
            values: Cow::Owned(values),
        }));
        Ok(columns)
    }
}

fn absent(name: &str) -> anyhow::Error {
    damaged(format!("a step reads column `{name}`, which is not there"))
}

fn shape_of(column: &Working) -> Shape {
    Shape {
        name: Arc::clone(&column.name),
        from: Arc::clone(&column.from),
        kind: Kind::of(&column.values),
        origins: Arc::from([]),
    }
}

/// Refuses a column without numbers. Errors (usage), naming it.
fn check_numeric(op: &str, column: &Working) -> Result<()> {
    match Kind::of(&column.values) {
        Kind::Number | Kind::Indicator => Ok(()),
        kind => {
            let (name, kind) = (&column.name, kind.name());
            Err(fail::usage(format!("{op} cannot work on column `{name}`, which is {kind} at this point"))
                .hint("it works on numbers and indicators; choose columns by name or columns = \"numeric\"")
                .into())
        }
    }
}

/// The numbers of every input; a column of another kind, which `kinds` has refused, counts as missing.
fn matrix_of<'w>(inputs: &[&'w Working]) -> Vec<Cow<'w, [f64]>> {
    let of = |input: &&'w Working| {
        let rows = input.values.len();
        numbers(&input.values).unwrap_or_else(|| Cow::Owned(vec![f64::NAN; rows]))
    };
    inputs.iter().map(of).collect()
}
