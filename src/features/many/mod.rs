//! Steps over several columns: what they have in common, and the list of them.
//!
//! Such a step reads named columns and makes new ones behind all others, or gives its own columns other values. What it
//! reads is left out, where asked for, by a step `drop` after it.

pub mod codes;
mod expression;
mod gain;
pub(crate) mod interact;
pub(crate) mod kmeans;
mod knn;
pub(crate) mod pca;
mod polynomial;
pub(crate) mod product;
pub(crate) mod ratio;
mod select;
pub mod written;

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::{Deserialize, Serialize};

use crate::base::seed::Seed;
use crate::base::{fail, units};
use crate::data::frame::Values;
use crate::features::column::{Kind, Shape, Working, numeric};
use crate::features::drop::FittedDrop;
use crate::features::fitted::damaged;
use crate::features::fitting::Fitting;
use crate::features::many::expression::{ExpressionOptions, FittedExpression};
use crate::features::many::interact::FittedCross;
use crate::features::many::kmeans::{FittedKmeans, KmeansOptions};
use crate::features::many::knn::{FittedKnn, KnnOptions};
use crate::features::many::pca::{FittedPca, PcaOptions};
use crate::features::many::polynomial::PolynomialOptions;
use crate::features::many::product::FittedProduct;
use crate::features::many::ratio::{FittedRatio, RatioOptions};
use crate::features::many::select::SelectOptions;
use crate::features::recipe::StepForm;
use crate::features::stats;
use crate::features::step::{FittedColumn, keep_names_unique, select as chosen};
use crate::spec::recipe::Columns;

/// What a step has learned about several columns; knows how to do the same to any rows, each row by itself.
pub trait ManyStep: Send + Sync {
    /// Names of the columns that it reads; at least one, none twice.
    fn inputs(&self) -> &[Arc<str>];

    /// Names of the columns that it makes; none when it replaces what it reads.
    fn columns(&self) -> &[Arc<str>];

    /// The same, for the recipe to keep unique.
    fn made(&mut self) -> &mut [Arc<str>];

    /// Whether its values take the place of those that it read.
    fn replaces(&self) -> bool {
        false
    }

    /// Kinds of the columns that come out for `inputs`: those made, or those replaced.
    ///
    /// Errors: kinds it cannot work on, or learned numbers that contradict each other. After `Ok`, it can be applied to
    /// columns of these kinds.
    fn kinds(&self, inputs: &[&Shape]) -> Result<Vec<Kind>>;

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
    /// Fewer columns.
    Select(SelectOptions),
    /// Principal components.
    Pca(PcaOptions),
    /// Distances to centres.
    Kmeans(KmeansOptions),
    /// Gaps filled from the nearest rows.
    Knn(KnnOptions),
    /// A formula.
    Expression(ExpressionOptions),
}

/// What one step has learned about several columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum FittedMany {
    /// Products of columns.
    Product(FittedProduct),
    /// Pairs of texts as one text.
    Cross(FittedCross),
    /// One number divided by another.
    Ratio(FittedRatio),
    /// Principal components.
    Pca(FittedPca),
    /// Distances to centres.
    Kmeans(FittedKmeans),
    /// Gaps filled from the nearest rows.
    Knn(FittedKnn),
    /// A formula.
    Expression(FittedExpression),
}

impl ManyAction {
    /// As written in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            ManyAction::Interact(_) => "interact",
            ManyAction::Polynomial(_) => "polynomial",
            ManyAction::Ratio(_) => "ratio",
            ManyAction::Select(_) => "select",
            ManyAction::Pca(_) => "pca",
            ManyAction::Kmeans(_) => "kmeans",
            ManyAction::Knn(_) => "impute",
            ManyAction::Expression(_) => "expression",
        }
    }

    /// Learns from columns; the forms are to be applied one after the other, each to what the ones before it left.
    ///
    /// Errors: a named column that is not there, a column of a kind it cannot work on, what each step says of itself.
    pub fn fit(&self, columns: &[Working], fitting: &Fitting) -> Result<(Vec<StepForm>, Vec<String>)> {
        let mut notes = Vec::new();
        let mut forms = match self {
            ManyAction::Interact(wanted) => interact::fit(&chosen(columns, wanted)?)?,
            ManyAction::Polynomial(options) => polynomial::fit(&chosen(columns, &options.columns)?, options)?,
            ManyAction::Ratio(options) => ratio::fit(columns, options)?,
            ManyAction::Select(options) => {
                select::fit(&chosen(columns, &options.columns)?, options, fitting, &mut notes)?
            }
            ManyAction::Pca(options) => pca::fit(&chosen(columns, &options.columns)?, options, &mut notes)?,
            ManyAction::Kmeans(options) => {
                kmeans::fit(&chosen(columns, &options.columns)?, options, fitting.seed, &mut notes)?
            }
            ManyAction::Knn(options) => {
                knn::fit(&chosen(columns, &options.columns)?, options, fitting.seed, &mut notes)?
            }
            ManyAction::Expression(options) => expression::fit(columns, options)?,
        };
        let made = forms.iter_mut().flat_map(|form| match form {
            StepForm::Many(fitted) => fitted.step_mut().made(),
            StepForm::Columns(_) => &mut [],
        });
        keep_names_unique(columns, made, &mut notes);
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
            FittedMany::Pca(fitted) => fitted,
            FittedMany::Kmeans(fitted) => fitted,
            FittedMany::Knn(fitted) => fitted,
            FittedMany::Expression(fitted) => fitted,
        }
    }

    fn step_mut(&mut self) -> &mut dyn ManyStep {
        match self {
            FittedMany::Product(fitted) => fitted,
            FittedMany::Cross(fitted) => fitted,
            FittedMany::Ratio(fitted) => fitted,
            FittedMany::Pca(fitted) => fitted,
            FittedMany::Kmeans(fitted) => fitted,
            FittedMany::Knn(fitted) => fitted,
            FittedMany::Expression(fitted) => fitted,
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
            for (&position, kind) in positions.iter().zip(kinds) {
                shapes[position] = Shape { kind, origins: Arc::clone(&origins), ..shapes[position].clone() };
            }
            return Ok(shapes);
        }
        ensure!(kinds.len() == self.step().columns().len(), damaged("columns made have no names".to_owned()));
        let from = Arc::clone(&inputs[0].from);
        shapes.extend(self.step().columns().iter().zip(kinds).map(|(name, kind)| Shape {
            name: Arc::clone(name),
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
        let from = Arc::clone(&inputs[0].from);
        columns.extend(self.step().columns().iter().zip(values).map(|(name, values)| Working {
            name: Arc::clone(name),
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
        numeric(&input.values).unwrap_or_else(|| Cow::Owned(vec![f64::NAN; rows]))
    };
    inputs.iter().map(of).collect()
}

/// All of `rows` row numbers, or `most` of them drawn without replacement; ascending.
fn drawn(rows: usize, most: usize, seed: Seed) -> Vec<u32> {
    let mut numbers: Vec<u32> = (0..rows as u32).collect();
    if rows > most {
        let mut rng = seed.rng();
        for place in 0..most {
            let other = place + rng.below((rows - place) as u64) as usize;
            numbers.swap(place, other);
        }
        numbers.truncate(most);
        numbers.sort_unstable();
    }
    numbers
}

/// Says that only some rows were looked at.
fn note_drawn(op: &str, drawn: usize, rows: usize, notes: &mut Vec<String>) {
    if drawn < rows {
        let (some, all) = (units::count(drawn as u64), units::count(rows as u64));
        notes.push(format!("{op} looks at {some} of {all} training rows, drawn at random"));
    }
}

/// Mean of each column's finite numbers, 0 without any, and a note where some are missing: there the mean takes their place.
fn means_of(op: &str, columns: &[&Working], numbers: &[Cow<[f64]>], notes: &mut Vec<String>) -> Vec<f64> {
    let mut means = Vec::with_capacity(columns.len());
    for (column, numbers) in columns.iter().zip(numbers) {
        let present = stats::finite(numbers);
        if present.len() < numbers.len() {
            notes.push(format!("column `{}`: {op} takes missing values for the mean", column.name));
        }
        means.push(stats::mean(&present).unwrap_or(0.0));
    }
    means
}

/// Steps that leave `columns` out.
fn drops(columns: &[&Working]) -> StepForm {
    StepForm::Columns(
        columns.iter().map(|column| FittedColumn::Drop(FittedDrop::new(Arc::clone(&column.name)))).collect(),
    )
}

/// Whether `rows` lists have `width` finite numbers each.
fn all_finite(rows: &[Vec<f64>], width: usize) -> bool {
    rows.iter().all(|row| row.len() == width && row.iter().all(|value| value.is_finite()))
}
