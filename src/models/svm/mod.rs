//! `svm`: rows near the border between classes, or off the curve through numbers, are the model (support vectors).
//!
//! Classes: one machine for each pair (Cortes and Vapnik 1995), as scikit-learn's `SVC`; probabilities by a sigmoid for each
//! pair fitted on rows that its machine has not seen, coupled to one answer, as its `probability=True`. So the most probable
//! class may differ from the one that most machines vote for. Numbers: ε-insensitive regression of the standardised target,
//! as scikit-learn's `SVR` of one. Decisions agree with scikit-learn's; why smartcore's machines are not used: see `solver`.

pub(crate) mod kernel;
pub(crate) mod platt;
mod solver;
pub(crate) mod train;

use std::any::Any;

use anyhow::Result;
use rayon::prelude::{IntoParallelIterator, ParallelIterator, ParallelSlice};

use crate::base::fail;
use crate::base::limits::{CLASSES_MAX, SUPPORT_ROWS_MAX};
use crate::base::units;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::models::form::{FormReader, FormWriter, damaged};
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::svm::kernel::{KERNEL_MAX, Kernel, VALUE_MAX};
use crate::models::svm::platt::{Sigmoid, couple};
use crate::models::svm::train::{Machine, Task};
use crate::spec::kinds::{KernelName, SvmParams};

/// Largest absolute coefficient that is read: with the largest kernel value, sums stay finite.
const COEFFICIENT_MAX: f64 = 1e100;
/// Largest power of `poly`.
const DEGREE_MAX: u32 = 10;

/// Fitted machines that share their support vectors.
pub(crate) struct Svm {
    pub(crate) features: usize,
    pub(crate) kernel: Kernel,
    /// Support vectors, row by row.
    pub(crate) supports: Vec<f64>,
    /// Machines over `supports`: of each pair of learnt classes in order, or one alone.
    pub(crate) machines: Vec<Machine>,
    pub(crate) answer: Answer,
}

/// From decisions to answers.
pub(crate) enum Answer {
    /// Number of classes, those with training rows, and a sigmoid for each pair of them.
    Classes { classes: usize, learnt: Vec<u32>, sigmoids: Vec<Sigmoid> },
    /// Decisions times scale plus middle are the numbers.
    Number { middle: f64, scale: f64 },
}

/// Fits machines. Cost: between the square and the cube of the rows, for each pair of classes six times.
///
/// Errors: more than [`SUPPORT_ROWS_MAX`] rows, nothing to learn from, values that are not finite or too large, categories,
/// parameters out of range.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let given: SvmParams = params::read("svm", fit.params)?;
    check(&given)?;
    input::learnable("svm", fit)?;
    input::all_finite("svm", fit.matrix)?;
    let rows = fit.matrix.rows();
    if rows > SUPPORT_ROWS_MAX {
        let (rows, most) = (units::count(rows as u64), units::count(SUPPORT_ROWS_MAX as u64));
        return Err(fail::usage(format!(
            "`svm` compares every training row with every other; {rows} are more than {most}"
        ))
        .hint("train `boost` or `logistic`, or keep fewer rows")
        .into());
    }
    let width = fit.matrix.features().len();
    let points = fit.matrix.to_row_major();
    let kernel = kernel_of(&given, &points, width);
    check_values(fit.matrix, &points, &kernel)?;
    let costs: Vec<f64> = (0..rows).map(|row| given.cost * fit.weights.map_or(1.0, |weights| weights[row])).collect();
    let task = Task { points: &points, width, kernel, costs: &costs, tolerance: given.tolerance };
    let (machines, answer) = match fit.target {
        Target::Numbers(_) => number(&task, &given, fit)?,
        _ => classes(&task, fit)?,
    };
    if let Some(unsettled) = machines.iter().map(|machine| u64::from(!machine.settled)).reduce(|a, b| a + b)
        && unsettled > 0
    {
        let of = units::plural(machines.len() as u64, "machine");
        fit.talk.warn(&format!("`svm` stopped before {unsettled} of {of} met the tolerance {:e}", given.tolerance));
        fit.talk.hint("add a scale step, lower `cost`, or raise `tolerance`");
    }
    Ok(Box::new(shared(width, kernel, &points, machines, answer)))
}

fn check(given: &SvmParams) -> Result<()> {
    let above = |value: f64, most: f64| value > 0.0 && value <= most;
    params::check("svm", "cost", given.cost, above(given.cost, 1e9), "above 0 and at most 1e9")?;
    if let Some(gamma) = given.gamma.given() {
        params::check("svm", "gamma", gamma, above(gamma, 1e9), "above 0 and at most 1e9, or \"auto\"")?;
    }
    let degree_fine = (1..=DEGREE_MAX).contains(&given.degree);
    params::check("svm", "degree", f64::from(given.degree), degree_fine, &format!("1 to {DEGREE_MAX}"))?;
    params::check("svm", "constant", given.constant, (0.0..=1e9).contains(&given.constant), "0 to 1e9")?;
    params::check("svm", "epsilon", given.epsilon, given.epsilon >= 0.0, "0 or more")?;
    params::check("svm", "tolerance", given.tolerance, above(given.tolerance, 1.0), "above 0 and at most 1")
}

/// The kernel with `gamma = "auto"` worked out.
fn kernel_of(given: &SvmParams, points: &[f64], width: usize) -> Kernel {
    let count = points.len() as f64;
    let auto = || {
        let mean = points.iter().sum::<f64>() / count;
        let variance = points.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / count;
        let gamma = 1.0 / (width as f64 * variance);
        if gamma.is_finite() && gamma > 0.0 { gamma } else { 1.0 }
    };
    let gamma = given.gamma.given().unwrap_or_else(auto);
    Kernel { name: given.kernel, gamma, degree: given.degree, constant: given.constant }
}

/// Refuses values whose products overflow.
fn check_values(matrix: &Matrix, points: &[f64], kernel: &Kernel) -> Result<()> {
    let width = matrix.features().len();
    let refuse = |name: &str, row: usize| {
        let what = format!("`svm` cannot multiply the values of feature `{name}`: that of row {row} is too large");
        fail::usage(what).hint("add a scale step for it, or train a tree model (`boost`, `forest`, `tree`)")
    };
    for (row, values) in points.chunks_exact(width).enumerate() {
        let largest = (0..width).max_by(|a, b| values[*a].abs().total_cmp(&values[*b].abs())).unwrap_or(0);
        if values[largest].abs() > VALUE_MAX || kernel.of(values, values).abs() >= KERNEL_MAX {
            return Err(refuse(&matrix.features()[largest].name, row).into());
        }
    }
    Ok(())
}

fn number(task: &Task<'_>, given: &SvmParams, fit: &FitInput<'_>) -> Result<(Vec<Machine>, Answer)> {
    let values = input::numbers("svm", fit.target)?;
    let count = values.len() as f64;
    let middle = values.iter().map(|value| value / count).sum::<f64>();
    let scale = (values.iter().map(|value| (value - middle) * (value - middle) / count).sum::<f64>()).sqrt();
    let scale = if scale > 0.0 && scale.is_finite() { scale } else { 1.0 };
    let scaled: Vec<f64> = values.iter().map(|value| (value - middle) / scale).collect();
    Ok((vec![task.regress(&scaled, given.epsilon)], Answer::Number { middle, scale }))
}

fn classes(task: &Task<'_>, fit: &FitInput<'_>) -> Result<(Vec<Machine>, Answer)> {
    let classes = input::classes("svm", fit.target)?;
    let count = classes.counts.len();
    let learnt: Vec<u32> = (0..count as u32).filter(|code| classes.counts[*code as usize] > 0).collect();
    let seed = fit.seed.derive("svm");
    let of_pair = |(turn, (one, other)): (usize, (u32, u32))| {
        let wanted = |code: &u32| *code == one || *code == other;
        let rows: Vec<u32> = (0..).zip(classes.codes).filter(|(_, code)| wanted(code)).map(|(row, _)| row).collect();
        let first: Vec<bool> = rows.iter().map(|row| classes.codes[*row as usize] == one).collect();
        (task.divide(&rows, &first), task.sigmoid(&rows, &first, seed.nth(turn as u64)))
    };
    let pairs: Vec<(usize, (u32, u32))> = pairs(&learnt).into_iter().enumerate().collect();
    let (machines, sigmoids) = pairs.into_par_iter().map(of_pair).unzip();
    Ok((machines, Answer::Classes { classes: count, learnt, sigmoids }))
}

/// All pairs in order: (0, 1), (0, 2), …, (1, 2), ….
fn pairs(learnt: &[u32]) -> Vec<(u32, u32)> {
    let with = |(place, one): (usize, &u32)| learnt[place + 1..].iter().map(|other| (*one, *other)).collect::<Vec<_>>();
    learnt.iter().enumerate().flat_map(with).collect()
}

/// Machines over the rows that any of them needs, instead of all training rows.
fn shared(features: usize, kernel: Kernel, points: &[f64], mut machines: Vec<Machine>, answer: Answer) -> Svm {
    let mut needed: Vec<u32> = machines.iter().flat_map(|machine| &machine.supports).map(|pair| pair.0).collect();
    needed.sort_unstable();
    needed.dedup();
    for (row, _) in machines.iter_mut().flat_map(|machine| &mut machine.supports) {
        *row = needed.binary_search(row).expect("every support was gathered above") as u32;
    }
    let row = |row: &u32| &points[*row as usize * features..(*row as usize + 1) * features];
    Svm { features, kernel, supports: needed.iter().flat_map(row).copied().collect(), machines, answer }
}

/// Reads machines back.
pub fn read(form: &mut FormReader<'_>) -> Result<Box<dyn Predictor>> {
    Ok(Box::new(parts(form)?))
}

fn parts(form: &mut FormReader<'_>) -> Result<Svm> {
    let features = form.count("features", u32::MAX as usize)?;
    let name = match form.text("kernel")?.as_str() {
        "linear" => KernelName::Linear,
        "rbf" => KernelName::Rbf,
        "poly" => KernelName::Poly,
        _ => return Err(damaged("kernel", "there is no such kernel")),
    };
    let [gamma, constant] = form.finite("scales", 2)?[..] else {
        return Err(damaged("scales", "they are two"));
    };
    let degree = form.count("degree", DEGREE_MAX as usize)? as u32;
    let count = form.count("supports", SUPPORT_ROWS_MAX)?;
    let supports = form.finite("values", features.saturating_mul(count))?;
    let classes = form.count("classes", CLASSES_MAX)?;
    let learnt = form.u32s("learnt")?;
    let rising = learnt.windows(2).all(|pair| pair[0] < pair[1]);
    let known = learnt.iter().all(|code| (*code as usize) < classes);
    let machine_count = match classes {
        0 if learnt.is_empty() => 1,
        _ if rising && known && learnt.len() >= 2 => learnt.len() * (learnt.len() - 1) / 2,
        _ => return Err(damaged("learnt", "these are not classes")),
    };
    let machines = read_machines(form, machine_count, count)?;
    let scales = form.finite("answer", if classes == 0 { 2 } else { 2 * machine_count })?;
    let bounded = |values: &[f64]| values.iter().all(|value| value.abs() <= COEFFICIENT_MAX);
    if features == 0 || degree == 0 || gamma <= 0.0 || !bounded(&scales) || !bounded(&[constant]) {
        return Err(damaged("scales", "they are out of range"));
    }
    if supports.iter().any(|value| value.abs() > VALUE_MAX) {
        return Err(damaged("values", "they are out of range"));
    }
    let answer = match classes {
        0 => Answer::Number { middle: scales[0], scale: scales[1] },
        _ => {
            let sigmoids = scales.chunks_exact(2).map(|pair| Sigmoid { slope: pair[0], shift: pair[1] }).collect();
            Answer::Classes { classes, learnt, sigmoids }
        }
    };
    let kernel = Kernel { name, gamma, degree, constant };
    Ok(Svm { features, kernel, supports, machines, answer })
}

fn read_machines(form: &mut FormReader<'_>, machines: usize, supports: usize) -> Result<Vec<Machine>> {
    let lengths = form.u32s("lengths")?;
    let places = form.u32s("places")?;
    let coefficients = form.finite("coefficients", places.len())?;
    let offsets = form.finite("offsets", machines)?;
    let total: u64 = lengths.iter().map(|length| u64::from(*length)).sum();
    if lengths.len() != machines || total != places.len() as u64 {
        return Err(damaged("lengths", "they do not fit the machines"));
    }
    let out_of_range = |value: &f64| value.abs() > COEFFICIENT_MAX;
    if places.iter().any(|place| *place as usize >= supports) || coefficients.iter().chain(&offsets).any(out_of_range) {
        return Err(damaged("places", "a support vector or its coefficient is out of range"));
    }
    let mut pairs = places.into_iter().zip(coefficients);
    let machine = |(length, offset): (u32, f64)| Machine {
        supports: pairs.by_ref().take(length as usize).collect(),
        offset,
        settled: true,
    };
    Ok(lengths.into_iter().zip(offsets).map(machine).collect())
}

impl Predictor for Svm {
    fn predict(&self, matrix: &Matrix) -> Result<Predictions> {
        input::same_width(matrix, self.features)?;
        input::all_finite("svm", matrix)?;
        let queries = matrix.to_row_major();
        let answers: Vec<Vec<f64>> = queries.par_chunks_exact(self.features).map(|query| self.answer(query)).collect();
        Ok(match self.answer {
            Answer::Number { .. } => Predictions::Numbers(answers.concat()),
            Answer::Classes { classes, .. } => Predictions::Probabilities { classes, values: answers.concat() },
        })
    }

    fn write(&self, form: &mut FormWriter) {
        let kernel = &self.kernel;
        let name = match kernel.name {
            KernelName::Linear => "linear",
            KernelName::Rbf => "rbf",
            KernelName::Poly => "poly",
        };
        form.u64("features", self.features as u64);
        form.text("kernel", name);
        form.f64s("scales", &[kernel.gamma, kernel.constant]);
        form.u64("degree", u64::from(kernel.degree));
        form.u64("supports", (self.supports.len() / self.features) as u64);
        form.f64s("values", &self.supports);
        let (classes, learnt, scales) = match &self.answer {
            Answer::Number { middle, scale } => (0, Vec::new(), vec![*middle, *scale]),
            Answer::Classes { classes, learnt, sigmoids } => {
                let scales = sigmoids.iter().flat_map(|sigmoid| [sigmoid.slope, sigmoid.shift]).collect();
                (*classes, learnt.clone(), scales)
            }
        };
        let pairs = || self.machines.iter().flat_map(|machine| &machine.supports);
        form.u64("classes", classes as u64);
        form.u32s("learnt", &learnt);
        form.u32s("lengths", &self.machines.iter().map(|machine| machine.supports.len() as u32).collect::<Vec<_>>());
        form.u32s("places", &pairs().map(|pair| pair.0).collect::<Vec<_>>());
        form.f64s("coefficients", &pairs().map(|pair| pair.1).collect::<Vec<_>>());
        form.f64s("offsets", &self.machines.iter().map(|machine| machine.offset).collect::<Vec<_>>());
        form.f64s("answer", &scales);
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Svm {
    /// The decision of every machine on one row.
    fn decisions(&self, query: &[f64]) -> Vec<f64> {
        let query: Vec<f64> = query.iter().map(|value| value.clamp(-VALUE_MAX, VALUE_MAX)).collect();
        let alike: Vec<f64> =
            self.supports.chunks_exact(self.features).map(|support| self.kernel.of(support, &query)).collect();
        let decision = |machine: &Machine| {
            let parts = machine.supports.iter().map(|(place, coefficient)| coefficient * alike[*place as usize]);
            parts.sum::<f64>() - machine.offset
        };
        self.machines.iter().map(decision).collect()
    }

    fn answer(&self, query: &[f64]) -> Vec<f64> {
        let decisions = self.decisions(query);
        match &self.answer {
            Answer::Number { middle, scale } => vec![(decisions[0] * scale + middle).clamp(-f64::MAX, f64::MAX)],
            Answer::Classes { classes, learnt, sigmoids } => {
                let mut all = vec![0.0; *classes];
                let chances: Vec<f64> = sigmoids.iter().zip(&decisions).map(|(sigmoid, d)| sigmoid.of(*d)).collect();
                let shares = match learnt.len() {
                    2 => vec![chances[0], 1.0 - chances[0]],
                    count => {
                        let mut table = vec![vec![0.5; count]; count];
                        let places: Vec<u32> = (0..count as u32).collect();
                        for ((one, other), chance) in pairs(&places).into_iter().zip(chances) {
                            table[one as usize][other as usize] = chance;
                            table[other as usize][one as usize] = 1.0 - chance;
                        }
                        couple(&table)
                    }
                };
                learnt.iter().zip(shares).for_each(|(code, share)| all[*code as usize] = share);
                all
            }
        }
    }
}

#[cfg(test)]
mod tests;
