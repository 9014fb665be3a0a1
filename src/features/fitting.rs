//! Fitting a recipe: step after step on the training rows, then forgetting what leads to no feature.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result};
use rayon::prelude::{IndexedParallelIterator, IntoParallelRefIterator, ParallelIterator};

use crate::base::seed::Seed;
use crate::base::{fail, limits};
use crate::data::frame::Frame;
use crate::data::target::Target;
use crate::features::column::Working;
use crate::features::fitted::apply_step;
use crate::features::many::FittedMany;
use crate::features::recipe::{RecipeInput, RecipeStep, StepForm};
use crate::features::step::FittedColumn;

/// What a step may look at beside the columns.
#[derive(Clone, Copy, Debug)]
pub struct Fitting<'t> {
    /// True values of the training rows; none where a recipe is fitted on features alone.
    pub target: Option<&'t Target>,
    /// Chance of this step.
    pub seed: Seed,
}

impl<'t> Fitting<'t> {
    /// The true values. Errors (usage): there are none.
    pub fn wanted_target(&self) -> Result<&'t Target> {
        let missing = || fail::usage("this step learns from the target, and there is none").hint("name a target");
        self.target.ok_or_else(|| missing().into())
    }
}

/// Steps as fitted, the raw columns that they need, and what was said.
pub struct Fitted {
    /// Raw columns that lead to a feature.
    pub inputs: Vec<RecipeInput>,
    /// Steps that lead to a feature.
    pub steps: Vec<StepForm>,
    /// Notes in the order of the steps.
    pub notes: Vec<String>,
}

/// What a column or a step cannot be without, to forget whatever leads nowhere.
///
/// Numbers below the number of raw columns stand for these; each step over several columns takes the next one.
struct Sources {
    needs: Vec<Vec<u32>>,
}

impl Sources {
    fn new(raw: usize) -> Sources {
        Sources { needs: vec![Vec::new(); raw] }
    }

    /// A step over columns of these sources. One that replaces its columns is needed by whoever needs one of them.
    fn step(&mut self, inputs: Vec<u32>, replaces: bool) -> u32 {
        let source = self.needs.len() as u32;
        if replaces {
            for &input in &inputs {
                self.needs[input as usize].push(source);
            }
        }
        self.needs.push(inputs);
        source
    }

    /// All that `wanted` cannot be without, itself included.
    fn needed(&self, wanted: impl Iterator<Item = u32>) -> Vec<bool> {
        let mut needed = vec![false; self.needs.len()];
        let mut waiting: Vec<u32> = wanted.collect();
        while let Some(source) = waiting.pop() {
            if !needed[source as usize] {
                needed[source as usize] = true;
                waiting.extend(&self.needs[source as usize]);
            }
        }
        needed
    }
}

/// A fitted step with the sources that say whether it is needed: one for each column, or one for all.
enum Learned {
    Columns(Vec<(u32, FittedColumn)>),
    Many(u32, FittedMany),
}

/// Fits `steps` on the training rows `frame`, each on what the steps before it made. `written` steps are numbered.
///
/// Gives the fitted recipe's parts and the columns that came out. Errors: those of the steps; too many columns.
pub fn fit<'a>(
    steps: &[RecipeStep],
    written: bool,
    frame: &'a Frame,
    inputs: Vec<RecipeInput>,
    fitting: Fitting,
) -> Result<(Fitted, Vec<Working<'a>>)> {
    let mut notes = Vec::new();
    let enter = |(source, column)| Working { source: source as u32, ..Working::enter(column) };
    let mut columns: Vec<Working> = frame.columns().par_iter().enumerate().map(enter).collect();
    let mut sources = Sources::new(columns.len());
    let mut learned = Vec::with_capacity(steps.len());
    for (position, step) in steps.iter().enumerate() {
        let place = || match written {
            true => format!("[transform] step {} ({})", position + 1, step.name()),
            false => format!("recipe auto, {}", step.name()),
        };
        let own = Fitting { seed: fitting.seed.nth(position as u64), ..fitting };
        let (forms, said) = step.fit(&columns, &own).with_context(place)?;
        notes.extend(said);
        if forms.iter().all(|form| matches!(form, StepForm::Columns(fitted) if fitted.is_empty())) && written {
            notes.push(format!("{}: no column to work on", place()));
        }
        for form in forms {
            learned.push(match form {
                StepForm::Columns(fitted) => {
                    let known: HashMap<&str, u32> =
                        columns.iter().map(|column| (&*column.name, column.source)).collect();
                    let of = |fitted: &FittedColumn| known[&**fitted.step().column()];
                    let of_each: Vec<u32> = fitted.iter().map(of).collect();
                    columns = apply_step(&fitted, columns, fitting.target);
                    Learned::Columns(of_each.into_iter().zip(fitted).collect())
                }
                StepForm::Many(fitted) => {
                    let positions = fitted.positions(columns.iter().map(|column| &column.name))?;
                    let needs = positions.iter().map(|&position| columns[position].source).collect();
                    let source = sources.step(needs, fitted.step().replaces());
                    columns = fitted.apply(columns, &positions, source).with_context(place)?;
                    Learned::Many(source, fitted)
                }
            });
        }
        if columns.len() > limits::COLUMNS_MAX {
            let (made, most) = (columns.len(), limits::COLUMNS_MAX);
            return Err(fail::usage(format!("{}: {made} columns are more than {most}", place())).into());
        }
    }
    let needed = sources.needed(columns.iter().map(|column| column.source));
    Ok((keep(&needed, inputs, learned, notes), columns))
}

/// Forgets raw columns that lead to no feature, so that nobody has to send them, and the steps on them.
fn keep(needed: &[bool], inputs: Vec<RecipeInput>, learned: Vec<Learned>, notes: Vec<String>) -> Fitted {
    let inputs = inputs.into_iter().zip(needed).filter(|(_, needed)| **needed).map(|(input, _)| input).collect();
    let mut steps = Vec::with_capacity(learned.len());
    for step in learned {
        match step {
            Learned::Columns(columns) => {
                let kept = columns.into_iter().filter(|(source, _)| needed[*source as usize]);
                let kept: Vec<FittedColumn> = kept.map(|(_, fitted)| fitted).collect();
                if !kept.is_empty() {
                    steps.push(StepForm::Columns(kept));
                }
            }
            Learned::Many(source, fitted) if needed[source as usize] => steps.push(StepForm::Many(fitted)),
            Learned::Many(..) => {}
        }
    }
    Fitted { inputs, steps, notes }
}

/// Names as a list that can be shared.
pub fn shared<'n>(names: impl IntoIterator<Item = &'n str>) -> Vec<Arc<str>> {
    names.into_iter().map(Arc::from).collect()
}
