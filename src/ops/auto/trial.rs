//! One trial: a configuration fitted on the rows of each fold, its answers to the rows held out.

use std::ops::ControlFlow;
use std::time::Instant;

use anyhow::Result;

use crate::base::seed::Seed;
use crate::base::talk::Silent;
use crate::models::predictor::{FitInput, Predictions, Predictor};
use crate::models::trees::boosted;
use crate::ops::auto::ground::Ground;
use crate::ops::auto::portfolio::Config;
use crate::ops::fit::Rows;
use crate::record::run::MetricPoint;

/// One fit and its answers.
pub struct Fitted {
    /// The model; forgotten when its trial is far behind others.
    pub model: Option<Box<dyn Predictor>>,
    /// Answers to the rows held out, row by row.
    pub answers: Vec<f64>,
    /// Rounds of boosting; none for other kinds.
    pub rounds: Option<usize>,
    /// Loss on the rows held out after each round of patient boosting; empty for other fits.
    pub curve: Vec<f64>,
    /// Seconds of the fit.
    pub fit_seconds: f64,
    /// Seconds of answering.
    pub predict_seconds: f64,
}

/// How a trial ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// Every fold was fitted.
    Finished,
    /// It was so far behind after its first fold that the others were left out.
    Behind,
    /// A fit failed, or answered what is no number; why.
    Failed(String),
}

/// A trial that ended.
pub struct Trial {
    /// Its number, from 0 on.
    pub number: usize,
    /// What was fitted.
    pub config: Config,
    /// Which form of features it eats.
    pub branch: usize,
    /// How it ended.
    pub end: End,
    /// One for each fold, of a finished trial.
    pub folds: Vec<Fitted>,
    /// Answers to the scored rows, the mean of those of all folds that held a row out.
    pub answers: Vec<f64>,
    /// What its answers are worth, see [`Ground::values`].
    pub values: Vec<f64>,
    /// Their loss; of the first fold when it was left behind.
    pub loss: f64,
    /// The headline metric; not a number when there is none.
    pub score: f64,
}

/// Fits one fold. `late` says whether time is up: kinds that grow tree by tree then end with what they have.
///
/// Patient boosting goes on until its loss on the rows held out has not fallen for some rounds, and answers with the best
/// number of rounds for now; see [`Trial::finished`]. Errors: those of the fit; answers that are no numbers.
pub fn fit_fold(
    ground: &Ground,
    config: &Config,
    branch: usize,
    fold: usize,
    seed: Seed,
    late: &dyn Fn() -> bool,
) -> Result<Fitted> {
    let (train, held) = ground.part(branch, fold);
    let (params, patience) = without_patience(&config.params);
    let started = Instant::now();
    let mut curve = Vec::new();
    let mut watch = Watch { best: (0, f64::INFINITY), rounds: 0 };
    let points = &mut |point: MetricPoint| {
        let is_over = patience > 0 && point.name == "validation_loss" && {
            curve.push(point.value);
            watch.is_over(point.value, patience)
        };
        if is_over || late() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let model = fit(config, &params, train, (patience > 0).then_some(held), seed, points)?;
    let fit_seconds = started.elapsed().as_secs_f64();
    let started = Instant::now();
    let rounds = boosted::rounds(&*model);
    let best = lowest(&curve).map(|place| place + 1);
    let (answers, rounds) = match best.zip(rounds) {
        Some((best, all)) if best < all => (answer(ground, &*model, Some(best), held)?, Some(best)),
        _ => (answer(ground, &*model, None, held)?, rounds),
    };
    let predict_seconds = started.elapsed().as_secs_f64();
    Ok(Fitted { model: Some(model), answers, rounds, curve, fit_seconds, predict_seconds })
}

/// Parameters without patience, and the patience: rounds are counted here, so that all folds can end at the same one.
fn without_patience(params: &toml::Table) -> (toml::Table, usize) {
    let mut params = params.clone();
    let patience = params.remove("patience").and_then(|patience| patience.as_integer()).unwrap_or(0);
    (params, usize::try_from(patience).unwrap_or(0))
}

/// How long the loss has not fallen.
struct Watch {
    best: (usize, f64),
    rounds: usize,
}

impl Watch {
    fn is_over(&mut self, loss: f64, patience: usize) -> bool {
        self.rounds += 1;
        if loss < self.best.1 {
            self.best = (self.rounds, loss);
        }
        self.rounds - self.best.0 >= patience
    }
}

/// Place of the lowest value, the first on a tie.
fn lowest(values: &[f64]) -> Option<usize> {
    (0..values.len())
        .filter(|place| values[*place].is_finite())
        .reduce(|a, b| if values[b] < values[a] { b } else { a })
}

/// Answers of a model, or of its first rounds, to the rows held out.
fn answer(ground: &Ground, model: &dyn Predictor, rounds: Option<usize>, held: &Rows) -> Result<Vec<f64>> {
    let first = rounds.and_then(|rounds| boosted::first_rounds(model, rounds));
    let predictions = match &first {
        Some(first) => first.predict(&held.matrix)?,
        None => model.predict(&held.matrix)?,
    };
    let answers = match predictions {
        Predictions::Probabilities { values, .. } | Predictions::Numbers(values) => values,
        _ => Vec::new(),
    };
    let expected = held.matrix.rows() * ground.width();
    if answers.len() != expected || answers.iter().any(|answer| !answer.is_finite()) {
        anyhow::bail!("its answers are not all finite numbers");
    }
    Ok(answers)
}

/// The number of rounds that is best for all folds together. One for each fold would be chosen on its few rows held out, and
/// would flatter it.
fn common_rounds(folds: &[Fitted]) -> Option<usize> {
    let longest = folds.iter().map(|fold| fold.curve.len()).max().filter(|rounds| *rounds > 0)?;
    let at = |fold: &Fitted, round: usize| fold.curve.get(round).or(fold.curve.last()).copied().unwrap_or(0.0);
    let mean: Vec<f64> = (0..longest).map(|round| folds.iter().map(|fold| at(fold, round)).sum::<f64>()).collect();
    lowest(&mean).map(|place| place + 1)
}

/// Fits a configuration on all rows that may be learned from, with as many rounds as its folds had on average.
pub fn fit_again(ground: &Ground, trial: &Trial, seed: Seed) -> Result<Box<dyn Predictor>> {
    let mut params = trial.config.params.clone();
    let rounds: Vec<usize> = trial.folds.iter().filter_map(|fold| fold.rounds).collect();
    if !rounds.is_empty() && params.remove("patience").is_some() {
        let mean = rounds.iter().sum::<usize>() as f64 / rounds.len() as f64;
        // More rows bear a few more rounds.
        params.insert("trees".to_owned(), toml::Value::Integer(((mean * 1.05).round() as i64).max(1)));
    }
    let points = &mut |_: MetricPoint| ControlFlow::Continue(());
    fit(&trial.config, &params, &ground.whole(trial.branch), None, seed, points)
}

fn fit(
    config: &Config,
    params: &toml::Table,
    train: &Rows,
    held: Option<&Rows>,
    seed: Seed,
    points: &mut dyn FnMut(MetricPoint) -> ControlFlow<()>,
) -> Result<Box<dyn Predictor>> {
    let mut input = FitInput {
        matrix: &train.matrix,
        target: &train.target,
        weights: train.weights.as_deref(),
        validation: held.map(|held| (&held.matrix, &held.target)),
        from: None,
        params,
        seed,
        talk: &Silent,
        points,
    };
    (config.kind.fit)(&mut input)
}

impl Trial {
    /// Puts the answers of all folds together; patient boosting of all folds ends at the same round.
    ///
    /// Errors: scores of another task; those of answering again.
    pub fn finished(
        ground: &Ground,
        number: usize,
        config: Config,
        branch: usize,
        mut folds: Vec<Fitted>,
    ) -> Result<Trial> {
        if let Some(rounds) = common_rounds(&folds) {
            for (place, fold) in folds.iter_mut().enumerate() {
                let Some(model) = fold.model.take() else { continue };
                let model = boosted::first_rounds(&*model, rounds).unwrap_or(model);
                if fold.rounds != boosted::rounds(&*model) {
                    fold.answers = answer(ground, &*model, None, &ground.part(branch, place).1)?;
                }
                fold.rounds = boosted::rounds(&*model);
                fold.model = Some(model);
            }
        }
        let width = ground.width();
        let mut place_of = vec![0_u32; ground.target.len()];
        ground.scored.iter().zip(0..).for_each(|(row, place)| place_of[*row as usize] = place);
        let mut answers = vec![0.0; ground.scored.len() * width];
        let mut counts = vec![0.0_f64; ground.scored.len()];
        for (fold, fitted) in ground.folds.iter().zip(&folds) {
            for (row, values) in fold.held.iter().zip(fitted.answers.chunks_exact(width)) {
                let place = place_of[*row as usize] as usize;
                counts[place] += 1.0;
                let sums = &mut answers[place * width..(place + 1) * width];
                sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
            }
        }
        for (sums, count) in answers.chunks_exact_mut(width).zip(&counts) {
            sums.iter_mut().for_each(|sum| *sum /= count.max(1.0));
        }
        let values = ground.values(&answers, &ground.scored_target);
        let loss = ground.loss().of(&values, 1.0);
        let score = ground.headline(&answers)?;
        let end = if loss.is_finite() { End::Finished } else { End::Failed("its loss is no number".to_owned()) };
        Ok(Trial { number, config, branch, end, folds, answers, values, loss, score })
    }

    /// A trial that came to no answers.
    pub fn ended(number: usize, config: Config, branch: usize, end: End, loss: f64) -> Trial {
        let (folds, answers, values) = (Vec::new(), Vec::new(), Vec::new());
        Trial { number, config, branch, end, folds, answers, values, loss, score: f64::NAN }
    }

    /// Every parameter with its value.
    pub fn params(&self) -> toml::Table {
        let mut all = (self.config.kind.params)();
        all.extend(self.config.params.clone());
        all
    }

    /// Seconds of all its fits.
    pub fn fit_seconds(&self) -> f64 {
        self.folds.iter().map(|fold| fold.fit_seconds).sum()
    }

    /// Seconds of answering the rows held out.
    pub fn predict_seconds(&self) -> f64 {
        self.folds.iter().map(|fold| fold.predict_seconds).sum()
    }

    /// Whether it may answer with others.
    pub fn is_finished(&self) -> bool {
        self.end == End::Finished
    }
}
