//! What becomes of the headline metric when rows or training are disturbed.

use std::collections::BTreeMap;
use std::time::Instant;

use anyhow::Result;

use crate::base::limits::{ROBUSTNESS_COLUMNS_MAX, ROBUSTNESS_ROWS_MAX, ROBUSTNESS_SECONDS_MAX};
use crate::base::seed::{Rng, Seed};
use crate::base::units;
use crate::data::frame::{Column, Frame, MISSING_CODE, MISSING_TIME, Values};
use crate::data::target::Target;
use crate::metrics::robustness::{MISSING_SHARE_OF_ONE, MISSING_SHARES, NOISES, UNSEEN_SHARE};
use crate::metrics::{self, Sample};
use crate::models::explain::mix::compact;
use crate::models::package::ModelPackage;
use crate::ops::context::OpCtx;
use crate::ops::evaluate::judged::Judged;
use crate::ops::evaluate::seeds;
use crate::ops::train::scores;
use crate::ops::unsupervised;
use crate::record::evaluation::RobustnessResult;
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::spec::schema::ColumnType;

/// How often each disturbance that is left to chance is tried.
const REPEATS: u64 = 3;
/// A text that no table holds.
const UNSEEN: &str = "\u{1}never seen before\u{1}";

/// One thing done to some columns of the rows.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// This share of the values is taken out.
    Missing(f64),
    /// Normal noise of so many standard deviations is added.
    Noise(f64),
    /// Texts become one that was never seen.
    Unseen,
}

impl Act {
    fn kind(self) -> &'static str {
        match self {
            Act::Missing(_) => "missing",
            Act::Noise(_) => "noise",
            Act::Unseen => "unseen",
        }
    }

    fn amount(self) -> f64 {
        match self {
            Act::Missing(amount) | Act::Noise(amount) => amount,
            Act::Unseen => UNSEEN_SHARE,
        }
    }
}

/// One thing to try.
struct Trial {
    act: Act,
    /// The column that it is about; all that it suits when absent.
    column: Option<String>,
    /// Places of the columns.
    places: Vec<usize>,
}

/// Values of the metrics `names` before and after: values missing and noise in all columns together and in each alone, texts
/// never seen, and trainings with other seeds. Nothing for answers from a file, which is said.
///
/// Deterministic for a seed, unless a limit of time is met, which is said, as are samples of rows and columns. Errors: those of
/// answering and of the trainings.
pub fn robustness(
    repo: &Repo,
    record: &ModelRecord,
    judged: &Judged<'_>,
    names: &[String],
    ctx: &OpCtx<'_>,
) -> Result<Vec<RobustnessResult>> {
    let Some(package) = judged.package else {
        ctx.talk.warn("answers from a file cannot be disturbed: there is no model to ask again");
        return Ok(Vec::new());
    };
    let seed = Seed(ctx.seed).derive("robustness");
    let ground = Ground::new(judged, package, names, seed, ctx)?;
    let before = ground.score(&ground.frame)?;
    let trials = trials(package, &ground.frame, ctx);
    let started = Instant::now();
    let mut results = Vec::new();
    let bar = ctx.talk.start("disturb", Some(trials.len() as u64), crate::base::talk::Unit::Items);
    for (number, trial) in trials.iter().enumerate() {
        if started.elapsed().as_secs_f64() > ROBUSTNESS_SECONDS_MAX {
            let (tried, all) = (units::count(number as u64), units::plural(trials.len() as u64, "disturbance"));
            ctx.talk.warn(&format!("only {tried} of {all} tried: {ROBUSTNESS_SECONDS_MAX} seconds were over"));
            break;
        }
        let repeats = if trial.act == Act::Unseen { 1 } else { REPEATS };
        let mut after = Vec::new();
        for repeat in 0..repeats {
            let mut rng = seed.nth(number as u64).nth(repeat).rng();
            after.push(ground.score(&disturbed(&ground.frame, trial, &mut rng)?)?);
        }
        results.extend(summary(trial.act.kind(), trial.column.as_deref(), trial.act.amount(), &before, &after));
        bar.advance(1);
    }
    results.extend(seeds::other_seeds(repo, record, judged, package, names, ctx)?);
    Ok(results)
}

/// Before and after of each metric that has both.
pub fn summary(
    kind: &str,
    column: Option<&str>,
    amount: f64,
    before: &BTreeMap<String, f64>,
    after: &[BTreeMap<String, f64>],
) -> Vec<RobustnessResult> {
    let of_metric = |(name, before): (&String, &f64)| {
        let values: Vec<f64> = after.iter().filter_map(|values| values.get(name).copied()).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        (!values.is_empty()).then(|| RobustnessResult {
            kind: kind.to_owned(),
            column: column.map(str::to_owned),
            amount,
            metric: name.clone(),
            before: *before,
            after: mean,
            deviation: (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt()),
        })
    };
    before.iter().filter_map(of_metric).collect()
}

/// The rows that are disturbed, with all that scoring needs.
struct Ground<'a> {
    package: &'a ModelPackage,
    names: &'a [String],
    frame: Frame,
    truth: Target,
    weights: Option<Vec<f64>>,
    costs: &'a [Vec<f64>],
}

impl<'a> Ground<'a> {
    fn new(
        judged: &Judged<'a>,
        package: &'a ModelPackage,
        names: &'a [String],
        seed: Seed,
        ctx: &OpCtx<'_>,
    ) -> Result<Ground<'a>> {
        let jury = judged.jury;
        let mut rows: Vec<u32> = (0..jury.truth.len() as u32).collect();
        if rows.len() > ROBUSTNESS_ROWS_MAX {
            let (most, all) = (units::count(ROBUSTNESS_ROWS_MAX as u64), units::count(rows.len() as u64));
            ctx.talk.info(&format!("disturbances are tried on a sample of {most} of {all} rows"));
            seed.derive("rows").rng().shuffle(&mut rows);
            rows.truncate(ROBUSTNESS_ROWS_MAX);
            rows.sort_unstable();
        }
        let weights = jury.weights.as_ref().map(|all| rows.iter().map(|row| all[*row as usize]).collect());
        let frame = compact(jury.frame.take(&rows))?;
        Ok(Ground { package, names, frame, truth: jury.truth.take(&rows), weights, costs: &jury.costs })
    }

    fn score(&self, frame: &Frame) -> Result<BTreeMap<String, f64>> {
        let (predictions, seen) = unsupervised::answers(self.package, frame)?;
        let header = &self.package.header;
        let sample = Sample {
            threshold: header.threshold,
            weights: self.weights.as_deref(),
            costs: Some(self.costs).filter(|costs| !costs.is_empty()),
            ..Sample::new(scores(&predictions, &self.truth, &seen)?, header.task)
        };
        let names: Vec<&str> = self.names.iter().map(String::as_str).collect();
        metrics::measure(Some(&names), &sample)
    }
}

/// All that is tried, all columns together first.
fn trials(package: &ModelPackage, frame: &Frame, ctx: &OpCtx<'_>) -> Vec<Trial> {
    let type_of = |name: &str| {
        let input = package.header.inputs.iter().find(|input| input.name == name);
        input.map(|input| input.column_type)
    };
    let places = |wanted: &dyn Fn(&Column) -> bool| -> Vec<usize> {
        (0..frame.columns().len()).filter(|place| wanted(&frame.columns()[*place])).collect()
    };
    let is_number = |column: &Column| {
        let is_flag = matches!(type_of(&column.name), Some(ColumnType::Boolean));
        matches!(column.values, Values::Number(_)) && !is_flag
    };
    let is_text = |column: &Column| matches!(column.values, Values::Text(_));
    let (all, numbers, texts) = (places(&|_| true), places(&is_number), places(&is_text));
    let mut trials: Vec<Trial> = Vec::new();
    let mut together = |acts: &[Act], places: &[usize]| {
        let trial = |act: &Act| Trial { act: *act, column: None, places: places.to_vec() };
        trials.extend(acts.iter().filter(|_| !places.is_empty()).map(trial));
    };
    together(&MISSING_SHARES.map(Act::Missing), &all);
    together(&NOISES.map(Act::Noise), &numbers);
    together(&[Act::Unseen], &texts);
    if all.len() > ROBUSTNESS_COLUMNS_MAX {
        let count = units::count(all.len() as u64);
        ctx.talk.warn(&format!("of {count} columns the first {ROBUSTNESS_COLUMNS_MAX} are disturbed one by one"));
    }
    for &place in all.iter().take(ROBUSTNESS_COLUMNS_MAX) {
        let name = frame.columns()[place].name.to_string();
        let mut acts = vec![Act::Missing(MISSING_SHARE_OF_ONE)];
        if numbers.contains(&place) {
            acts.extend(NOISES.map(Act::Noise));
        }
        if texts.contains(&place) {
            acts.push(Act::Unseen);
        }
        trials.extend(acts.into_iter().map(|act| Trial { act, column: Some(name.clone()), places: vec![place] }));
    }
    trials
}

fn disturbed(frame: &Frame, trial: &Trial, rng: &mut Rng) -> Result<Frame> {
    let columns = frame.columns().iter().enumerate().map(|(place, column)| match trial.places.contains(&place) {
        true => Column { values: disturbed_values(&column.values, trial.act, rng), ..column.without_values() },
        false => column.clone(),
    });
    Frame::new(frame.rows(), columns.collect())
}

fn disturbed_values(values: &Values, act: Act, rng: &mut Rng) -> Values {
    let mut values = values.clone();
    match act {
        Act::Missing(share) => {
            let mut rows: Vec<usize> = (0..values.len()).collect();
            rng.shuffle(&mut rows);
            rows.truncate((share * values.len() as f64).round() as usize);
            for row in rows {
                match &mut values {
                    Values::Number(numbers) => numbers[row] = f64::NAN,
                    Values::Text(text) => text.codes[row] = MISSING_CODE,
                    Values::Time(times) => times[row] = MISSING_TIME,
                    Values::Indicator { .. } | Values::Category { .. } => {}
                }
            }
        }
        Act::Noise(amount) => {
            if let Values::Number(numbers) = &mut values {
                let scale = amount * deviation(numbers);
                // A number so large that noise would make it infinite stays as it is.
                let noisy = |value: f64, by: f64| if (value + by).is_infinite() { value } else { value + by };
                numbers.iter_mut().for_each(|value| *value = noisy(*value, scale * rng.normal()));
            }
        }
        Act::Unseen => {
            if let Values::Text(text) = &mut values {
                let code = text.levels.len() as u32;
                text.levels.push(UNSEEN.into());
                let known = text.codes.iter_mut().filter(|code| **code != MISSING_CODE);
                known.for_each(|own| *own = code);
            }
        }
    }
    values
}

/// Standard deviation of the finite values; 0 where there is none, or none that is finite.
fn deviation(values: &[f64]) -> f64 {
    let known = || values.iter().filter(|value| value.is_finite());
    let count = known().count().max(1) as f64;
    let mean = known().map(|value| value / count).sum::<f64>();
    let variance = known().map(|value| (value - mean).powi(2) / count).sum::<f64>();
    if variance.is_finite() { variance.sqrt() } else { 0.0 }
}
