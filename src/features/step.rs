//! One step of a recipe: checked options, the columns it takes, fitting.

use std::collections::HashSet;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::{fail, suggest};
use crate::features::auto;
use crate::features::bin::{self, BinOptions, FittedBin};
use crate::features::category::{self, FittedCategory};
use crate::features::column::{ColumnStep, Kind, Working};
use crate::features::dates::{self, FittedDates};
use crate::features::drop::{self, FittedDrop};
use crate::features::fitting::Fitting;
use crate::features::impute::{self, FittedImpute, ImputeOptions};
use crate::features::one_hot::{self, FittedOneHot, OneHotOptions};
use crate::features::ordinal::{self, FittedOrdinal};
use crate::features::scale::{self, FittedScale};
use crate::spec::recipe::{ColumnKind, Columns, DatePart, ScaleMethod};

/// Which columns a step takes.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// Those that a person chose.
    Written(Columns),
    /// Those that are of no use to any model; see [`auto::useless`].
    Useless,
    /// Those that are of no use but for where they are missing; see [`auto::presence`].
    Presence,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Fills missing values.
    Impute(ImputeOptions),
    /// Scales numbers.
    Scale(ScaleMethod),
    /// Makes columns of 0 and 1.
    OneHot(OneHotOptions),
    /// Ranks values.
    Ordinal(Option<Vec<String>>),
    /// Makes native categories.
    Category,
    /// Cuts numbers into bins.
    Bin(BinOptions),
    /// Takes times apart.
    Dates(Option<Vec<DatePart>>),
    /// Leaves columns out.
    Drop,
}

/// One step.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Which columns.
    pub choice: Choice,
    /// What happens to them.
    pub action: Action,
}

/// What one step has learned about one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub enum FittedColumn {
    /// Fills missing values.
    Impute(FittedImpute),
    /// Scales numbers.
    Scale(FittedScale),
    /// Makes columns of 0 and 1.
    OneHot(FittedOneHot),
    /// Ranks values.
    Ordinal(FittedOrdinal),
    /// Makes native categories.
    Category(FittedCategory),
    /// Cuts numbers into bins.
    Bin(FittedBin),
    /// Takes times apart.
    Dates(FittedDates),
    /// Leaves the column out.
    Drop(FittedDrop),
}

impl FittedColumn {
    /// What it does.
    pub fn step(&self) -> &dyn ColumnStep {
        match self {
            FittedColumn::Impute(fitted) => fitted,
            FittedColumn::Scale(fitted) => fitted,
            FittedColumn::OneHot(fitted) => fitted,
            FittedColumn::Ordinal(fitted) => fitted,
            FittedColumn::Category(fitted) => fitted,
            FittedColumn::Bin(fitted) => fitted,
            FittedColumn::Dates(fitted) => fitted,
            FittedColumn::Drop(fitted) => fitted,
        }
    }

    /// Names of the columns it makes.
    pub fn made(&mut self) -> &mut [Arc<str>] {
        match self {
            FittedColumn::Impute(fitted) => fitted.made(),
            FittedColumn::Scale(fitted) => fitted.made(),
            FittedColumn::OneHot(fitted) => fitted.made(),
            FittedColumn::Ordinal(fitted) => fitted.made(),
            FittedColumn::Category(fitted) => fitted.made(),
            FittedColumn::Bin(fitted) => fitted.made(),
            FittedColumn::Dates(fitted) => fitted.made(),
            FittedColumn::Drop(fitted) => fitted.made(),
        }
    }
}

impl Action {
    /// As written in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Impute(_) => "impute",
            Action::Scale(_) => "scale",
            Action::OneHot(_) => "one_hot",
            Action::Ordinal(_) => "ordinal",
            Action::Category => "category",
            Action::Bin(_) => "bin",
            Action::Dates(_) => "dates",
            Action::Drop => "drop",
        }
    }

    /// Kinds of columns it can work on.
    fn kinds(&self) -> &'static [Kind] {
        match self {
            Action::Impute(_) => &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator],
            Action::Scale(_) => &[Kind::Number, Kind::Indicator],
            Action::OneHot(_) | Action::Ordinal(_) | Action::Category => &[Kind::Text, Kind::Number],
            Action::Bin(_) => &[Kind::Number],
            Action::Dates(_) => &[Kind::Time],
            Action::Drop => &[Kind::Number, Kind::Text, Kind::Time, Kind::Indicator, Kind::Category],
        }
    }

    /// Learns from one column.
    fn fit(&self, column: &Working, _fitting: &Fitting) -> Result<(FittedColumn, Vec<String>)> {
        Ok(match self {
            Action::Impute(options) => {
                let (fitted, notes) = impute::fit(column, options)?;
                (FittedColumn::Impute(fitted), notes)
            }
            Action::Scale(method) => {
                let (fitted, notes) = scale::fit(column, *method)?;
                (FittedColumn::Scale(fitted), notes)
            }
            Action::OneHot(options) => {
                let (fitted, notes) = one_hot::fit(column, *options)?;
                (FittedColumn::OneHot(fitted), notes)
            }
            Action::Ordinal(order) => {
                let (fitted, notes) = ordinal::fit(column, order.as_deref())?;
                (FittedColumn::Ordinal(fitted), notes)
            }
            Action::Category => {
                let (fitted, notes) = category::fit(column)?;
                (FittedColumn::Category(fitted), notes)
            }
            Action::Bin(options) => {
                let (fitted, notes) = bin::fit(column, *options)?;
                (FittedColumn::Bin(fitted), notes)
            }
            Action::Dates(parts) => {
                let (fitted, notes) = dates::fit(column, parts.as_deref());
                (FittedColumn::Dates(fitted), notes)
            }
            Action::Drop => (FittedColumn::Drop(drop::fit(column)), Vec::new()),
        })
    }
}

impl Step {
    /// Learns from the columns it chooses, in their order; one entry for each. Columns in parallel.
    ///
    /// Errors: a named column that is not there (or no longer), a column of a kind it cannot work on.
    pub fn fit(&self, columns: &[Working], fitting: &Fitting) -> Result<(Vec<FittedColumn>, Vec<String>)> {
        let mut notes = Vec::new();
        let chosen = match &self.choice {
            Choice::Written(wanted) => select(columns, wanted)?,
            Choice::Useless => auto::useless(columns, &mut notes),
            Choice::Presence => auto::presence(columns, &mut notes),
        };
        for column in &chosen {
            self.check_kind(column)?;
        }
        let fitted: Vec<Result<_>> = chosen.par_iter().map(|column| self.action.fit(column, fitting)).collect();
        let mut learned = Vec::with_capacity(fitted.len());
        for fitted in fitted {
            let (fitted, said) = fitted?;
            notes.extend(said);
            learned.push(fitted);
        }
        keep_names_unique(columns, learned.iter_mut().flat_map(FittedColumn::made));
        Ok((learned, notes))
    }

    fn check_kind(&self, column: &Working) -> Result<()> {
        let kind = Kind::of(&column.values);
        if self.action.kinds().contains(&kind) {
            return Ok(());
        }
        let wanted: Vec<&str> = self.action.kinds().iter().map(|kind| kind.name()).collect();
        let (op, name, kind) = (self.action.name(), &column.name, kind.name());
        Err(fail::usage(format!("{op} cannot work on column `{name}`, which is {kind} at this point"))
            .hint(format!("it works on {}; choose columns by name or by kind", wanted.join(" and ")))
            .into())
    }
}

/// The columns wanted, in the order of the frame.
pub fn select<'c, 'a>(columns: &'c [Working<'a>], wanted: &Columns) -> Result<Vec<&'c Working<'a>>> {
    let of = |kind| Ok(columns.iter().filter(|column| Kind::of(&column.values) == kind).collect());
    match wanted {
        Columns::Kind(ColumnKind::Numeric) => of(Kind::Number),
        Columns::Kind(ColumnKind::Categorical) => of(Kind::Text),
        Columns::Kind(ColumnKind::Time) => of(Kind::Time),
        Columns::Kind(ColumnKind::All) => Ok(columns.iter().collect()),
        Columns::Named(names) => {
            let wanted: HashSet<&str> = names.iter().map(String::as_str).collect();
            let known: HashSet<&str> = columns.iter().map(|column| &*column.name).collect();
            if let Some(unknown) = names.iter().find(|name| !known.contains(name.as_str())) {
                return Err(suggest::unknown("column", unknown, columns.iter().map(|column| &*column.name)).into());
            }
            Ok(columns.iter().filter(|column| wanted.contains(&*column.name)).collect())
        }
    }
}

/// Gives a made column another name when its own is taken: `a=b`, then `a=b_2`, `a=b_3`…
pub fn keep_names_unique<'m>(columns: &[Working], made: impl Iterator<Item = &'m mut Arc<str>>) {
    let mut taken: HashSet<Arc<str>> = columns.iter().map(|column| Arc::clone(&column.name)).collect();
    for name in made {
        let wanted = Arc::clone(name);
        let mut number = 2;
        // Names of columns that this step replaces stay reserved too: simpler, and never confusing.
        while taken.contains(name) {
            *name = format!("{wanted}_{number}").into();
            number += 1;
        }
        taken.insert(Arc::clone(name));
    }
}
