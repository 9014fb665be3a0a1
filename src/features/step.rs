//! One step of a recipe: checked options, the columns it takes, fitting.

use std::collections::HashSet;
use std::fmt::Debug;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::base::{fail, suggest};
use crate::features::auto;
use crate::features::bin::FittedBin;
use crate::features::cast::FittedCast;
use crate::features::category::FittedCategory;
use crate::features::clip::FittedClip;
use crate::features::column::{ColumnStep, Kind, Working};
use crate::features::cyclic::FittedCyclic;
use crate::features::dates::FittedDates;
use crate::features::drop::FittedDrop;
use crate::features::fitting::Fitting;
use crate::features::frequency::FittedFrequency;
use crate::features::hash::FittedHash;
use crate::features::impute::FittedImpute;
use crate::features::log::FittedLog;
use crate::features::one_hot::FittedOneHot;
use crate::features::ordinal::FittedOrdinal;
use crate::features::power::FittedPower;
use crate::features::quantile::FittedQuantile;
use crate::features::rare::FittedRare;
use crate::features::rename::FittedRename;
use crate::features::scale::FittedScale;
use crate::features::target::FittedTarget;
use crate::features::text::FittedText;
use crate::features::tfidf::FittedTfidf;
use crate::spec::recipe::{ColumnKind, Columns};

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

/// What is learned from one column, and what had to be guessed or given up for it.
pub type Learned = (FittedColumn, Vec<String>);

/// Options of a step that looks at one column at a time: what it is called, what it can work on, how it learns.
pub trait ColumnAction: Debug + Send + Sync {
    /// As written in recipes.
    fn name(&self) -> &'static str;

    /// Kinds of columns it can work on; [`ColumnAction::learn`] is given no other.
    fn kinds(&self) -> &'static [Kind];

    /// Learns from one column of training rows. Errors (usage): options that do not suit the column.
    fn learn(&self, column: &Working) -> Result<Learned>;
}

/// Options of a step that looks at one column at a time and at the target, or draws.
pub trait SupervisedAction: Debug + Send + Sync {
    /// As written in recipes.
    fn name(&self) -> &'static str;

    /// Kinds of columns it can work on; [`SupervisedAction::learn`] is given no other.
    fn kinds(&self) -> &'static [Kind];

    /// Learns from one column of training rows. Errors (usage): no target; options that do not suit column or target.
    fn learn(&self, column: &Working, fitting: &Fitting) -> Result<Learned>;
}

/// What a step does.
#[derive(Clone, Debug)]
pub enum Action {
    /// Something to each column by itself.
    Each(Arc<dyn ColumnAction>),
    /// The same, learned with a look at the target.
    Supervised(Arc<dyn SupervisedAction>),
}

impl Action {
    /// The same, learned with a look at the target.
    pub fn supervised(action: impl SupervisedAction + 'static) -> Action {
        Action::Supervised(Arc::new(action))
    }

    /// Something to each column by itself.
    pub fn each(action: impl ColumnAction + 'static) -> Action {
        Action::Each(Arc::new(action))
    }

    /// As written in recipes.
    pub fn name(&self) -> &'static str {
        match self {
            Action::Each(action) => action.name(),
            Action::Supervised(action) => action.name(),
        }
    }

    /// Kinds of columns it can work on.
    fn kinds(&self) -> &'static [Kind] {
        match self {
            Action::Each(action) => action.kinds(),
            Action::Supervised(action) => action.kinds(),
        }
    }

    fn learn(&self, column: &Working, fitting: &Fitting) -> Result<Learned> {
        match self {
            Action::Each(action) => action.learn(column),
            Action::Supervised(action) => action.learn(column, fitting),
        }
    }
}

/// One step.
#[derive(Clone, Debug)]
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
    /// Means of the target.
    Target(FittedTarget),
    /// Ranks among the training rows.
    Quantile(FittedQuantile),
    /// Powers that make a column look normal.
    Power(FittedPower),
    /// Bounds.
    Clip(FittedClip),
    /// Logarithms.
    Log(FittedLog),
    /// How often a value occurs.
    Frequency(FittedFrequency),
    /// Hashed texts.
    Hash(FittedHash),
    /// One value for all rare ones.
    Rare(FittedRare),
    /// Points on a circle.
    Cyclic(FittedCyclic),
    /// Hashed words and n-grams.
    Text(FittedText),
    /// Weighted words and n-grams.
    Tfidf(FittedTfidf),
    /// Another name.
    Rename(FittedRename),
    /// Another kind of values.
    Cast(FittedCast),
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
            FittedColumn::Target(fitted) => fitted,
            FittedColumn::Quantile(fitted) => fitted,
            FittedColumn::Power(fitted) => fitted,
            FittedColumn::Clip(fitted) => fitted,
            FittedColumn::Log(fitted) => fitted,
            FittedColumn::Frequency(fitted) => fitted,
            FittedColumn::Hash(fitted) => fitted,
            FittedColumn::Rare(fitted) => fitted,
            FittedColumn::Cyclic(fitted) => fitted,
            FittedColumn::Text(fitted) => fitted,
            FittedColumn::Tfidf(fitted) => fitted,
            FittedColumn::Rename(fitted) => fitted,
            FittedColumn::Cast(fitted) => fitted,
        }
    }

    /// The same, to be changed.
    fn step_mut(&mut self) -> &mut dyn ColumnStep {
        match self {
            FittedColumn::Impute(fitted) => fitted,
            FittedColumn::Scale(fitted) => fitted,
            FittedColumn::OneHot(fitted) => fitted,
            FittedColumn::Ordinal(fitted) => fitted,
            FittedColumn::Category(fitted) => fitted,
            FittedColumn::Bin(fitted) => fitted,
            FittedColumn::Dates(fitted) => fitted,
            FittedColumn::Drop(fitted) => fitted,
            FittedColumn::Target(fitted) => fitted,
            FittedColumn::Quantile(fitted) => fitted,
            FittedColumn::Power(fitted) => fitted,
            FittedColumn::Clip(fitted) => fitted,
            FittedColumn::Log(fitted) => fitted,
            FittedColumn::Frequency(fitted) => fitted,
            FittedColumn::Hash(fitted) => fitted,
            FittedColumn::Rare(fitted) => fitted,
            FittedColumn::Cyclic(fitted) => fitted,
            FittedColumn::Text(fitted) => fitted,
            FittedColumn::Tfidf(fitted) => fitted,
            FittedColumn::Rename(fitted) => fitted,
            FittedColumn::Cast(fitted) => fitted,
        }
    }

    /// Names of the columns it makes.
    pub fn made(&mut self) -> &mut [Arc<str>] {
        self.step_mut().made()
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
        let fitted: Vec<Result<_>> = chosen.par_iter().map(|column| self.action.learn(column, fitting)).collect();
        let mut learned = Vec::with_capacity(fitted.len());
        for fitted in fitted {
            let (fitted, said) = fitted?;
            notes.extend(said);
            learned.push(fitted);
        }
        keep_names_unique(columns, learned.iter_mut().flat_map(FittedColumn::made), &mut notes);
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
pub fn keep_names_unique<'m>(
    columns: &[Working],
    made: impl Iterator<Item = &'m mut Arc<str>>,
    notes: &mut Vec<String>,
) {
    let mut taken: HashSet<Arc<str>> = columns.iter().map(|column| Arc::clone(&column.name)).collect();
    for name in made {
        let wanted = Arc::clone(name);
        let mut number = 2;
        // Names of columns that this step replaces stay reserved too: simpler, and never confusing.
        while taken.contains(name) {
            *name = format!("{wanted}_{number}").into();
            number += 1;
        }
        if *name != wanted {
            notes.push(format!("there is a column `{wanted}` already: the new one is called `{name}`"));
        }
        taken.insert(Arc::clone(name));
    }
}
