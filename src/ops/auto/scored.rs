//! Scores of what was chosen, on answers to rows that no fit had seen; calibration and threshold on the same.

use std::time::Instant;

use anyhow::Result;

use crate::data::matrix::Matrix;
use crate::models::predictor::Predictor;
use crate::models::zoo::Kind;
use crate::ops::auto::ground::{Ground, Holding};
use crate::ops::choices::{Calibrated, ChoicesReport, calibrate, threshold};
use crate::ops::context::OpCtx;
use crate::ops::fit::{Fitted, Rows, baseline};
use crate::ops::prepare::Prepared;
use crate::ops::train::score_at;
use crate::ops::unsupervised::Seen;
use crate::spec::model::TrainSpec;

/// What was decided on the rows held out, and what models are scored on.
pub struct Scored {
    rows: Rows,
    train: Rows,
    calibrated: Calibrated,
    scored_on: &'static str,
    factors: Option<Vec<f64>>,
}

impl Scored {
    /// Calibrates `answers` to the scored rows as `[train]` asks.
    ///
    /// Errors: rows of one class only.
    pub fn new(ground: &Ground, kind: &Kind, spec: &TrainSpec, answers: Vec<f64>, ctx: &OpCtx<'_>) -> Result<Scored> {
        let weights = ground.row_weights.as_ref();
        let rows = Rows {
            matrix: Matrix::default(),
            target: ground.scored_target.clone(),
            weights: weights.map(|all| ground.scored.iter().map(|row| all[*row as usize]).collect()),
        };
        let raw = ground.predictions(answers);
        let calibrated = calibrate(kind, spec.calibrate, raw, &rows, ground.task, ctx.talk)?;
        let train = Rows { matrix: Matrix::default(), target: ground.target.clone(), weights: ground.weights.clone() };
        let scored_on = match ground.holding {
            Holding::Folds | Holding::Times => "out_of_fold",
            Holding::Once => "validation",
        };
        Ok(Scored { rows, train, calibrated, scored_on, factors: ground.factors.clone() })
    }

    /// Scores, threshold and baseline, beside the model.
    ///
    /// Errors: those of the threshold and of the metrics.
    pub fn fitted(
        self,
        prepared: &Prepared,
        spec: &TrainSpec,
        predictor: Box<dyn Predictor>,
        params: toml::Table,
        started: Instant,
        ctx: &OpCtx<'_>,
    ) -> Result<Fitted> {
        let task = prepared.subject.task;
        let seen = Seen::of(&self.rows.matrix, task);
        let (calibration, mended, said) = self.calibrated;
        let threshold = threshold(spec, &mended, &self.rows.target)?;
        let value = threshold.as_ref().map(|threshold| threshold.value);
        let named = |factors: Vec<f64>| self.train.target.classes().iter().cloned().zip(factors).collect();
        let class_weight = self.factors.map(named);
        Ok(Fitted {
            metrics: score_at(&mended, &self.rows.target, task, value, &seen)?,
            baseline: baseline(prepared, &self.train, &self.rows, &seen, ctx)?,
            answers: mended,
            truth: self.rows.target,
            threshold: value,
            calibration,
            choices: ChoicesReport { class_weight, calibration: said, threshold },
            predictor,
            params: Some(params),
            scored_on: self.scored_on,
            rows: self.train.target.len(),
            seconds: started.elapsed().as_secs_f64(),
        })
    }
}
