//! Models as part of the graph: features in, answers out. Every kind is one function, so that blends are a loop.

mod calibrate;
mod centers;
mod ensembles;
mod machines;
mod neighbours;
mod sums;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::exchange::onnx::recipe::Feature;
use crate::models::baseline::{Answer as Constant, Baseline, SAME_SCORE};
use crate::models::blend::Blend;
use crate::models::calibration::Calibration;
use crate::models::isolation_forest::IsolationForest;
use crate::models::kmeans::KMeans;
use crate::models::knn::Neighbours;
use crate::models::linear::fitted::Linear;
use crate::models::naive_bayes::NaiveBayes;
use crate::models::predictor::Predictor;
use crate::models::svm::Svm;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::forested::Forested;

/// What a model answers, as tensors; missing where features are that it does not do without.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Numbers: rows × 1.
    Numbers(Tensor),
    /// Probabilities: rows × classes, and their number.
    Shares(Tensor, usize),
    /// Clusters as whole numbers, -1 where there is none, and distances: rows × 1 each.
    Clusters(Tensor, Tensor),
    /// Scores, rows × 1, and the threshold above which they are anomalous.
    Anomalies(Tensor, f64),
}

/// Features as models read them.
#[derive(Clone, Copy, Debug)]
pub struct Input<'f> {
    /// All of them, in order.
    pub features: &'f [Feature],
    /// A tensor with as many rows as are asked for, whatever it holds.
    pub rows: &'f Tensor,
}

impl Input<'_> {
    /// All features side by side, as numbers.
    fn matrix(&self, graph: &mut Graph) -> Tensor {
        let places: Vec<_> = self.features.iter().map(|feature| feature.place.clone()).collect();
        graph.matrix(&places)
    }

    /// Each feature by itself: rows × 1.
    fn columns(&self, graph: &mut Graph) -> Vec<Tensor> {
        self.features.iter().map(|feature| graph.column(&feature.place)).collect()
    }
}

/// Writes the model of `kind`. Errors (usage): a kind, or a size of it, that ONNX cannot express.
pub fn write(graph: &mut Graph, kind: &str, predictor: &dyn Predictor, input: Input<'_>) -> Result<Answer> {
    let any = predictor.as_any();
    if let Some(model) = any.downcast_ref::<Boosted>() {
        return ensembles::boosted(graph, model, input);
    }
    if let Some(model) = any.downcast_ref::<Forested>() {
        return ensembles::forested(graph, model, input);
    }
    if let Some(model) = any.downcast_ref::<Linear>() {
        return Ok(sums::linear(graph, model, input));
    }
    if let Some(model) = any.downcast_ref::<NaiveBayes>() {
        return Ok(sums::naive_bayes(graph, model, input));
    }
    if let Some(model) = any.downcast_ref::<Svm>() {
        return machines::write(graph, model, input);
    }
    if let Some(model) = any.downcast_ref::<Neighbours>() {
        return neighbours::write(graph, model, input);
    }
    if let Some(model) = any.downcast_ref::<KMeans>() {
        return Ok(centers::write(graph, &model.centers, input));
    }
    if let Some(model) = any.downcast_ref::<IsolationForest>() {
        return ensembles::isolation(graph, model, input);
    }
    if let Some(model) = any.downcast_ref::<Baseline>() {
        return Ok(baseline(graph, model, input));
    }
    if let Some(model) = any.downcast_ref::<Blend>() {
        return blend(graph, model, input);
    }
    Err(fail::usage(format!("a model of kind `{kind}` cannot be written as ONNX"))
        .hint("train another kind, or export this one as json")
        .into())
}

/// Mends the probabilities of `answer`.
pub fn calibrated(graph: &mut Graph, calibration: &Calibration, answer: Answer) -> Answer {
    match answer {
        Answer::Shares(shares, classes) => {
            Answer::Shares(calibrate::write(graph, calibration, &shares, classes), classes)
        }
        other => other,
    }
}

fn baseline(graph: &mut Graph, model: &Baseline, input: Input<'_>) -> Answer {
    match &model.answer {
        Constant::Shares(shares) => {
            let values = graph.numbers(&[1, shares.len()], shares);
            Answer::Shares(graph.repeated(input.rows, &values, shares.len()), shares.len())
        }
        Constant::Number(number) => {
            let value = graph.numbers(&[1, 1], &[*number]);
            Answer::Numbers(graph.repeated(input.rows, &value, 1))
        }
        Constant::Center(center) => centers::write(graph, center, input),
        Constant::Score => {
            let value = graph.numbers(&[1, 1], &[SAME_SCORE]);
            Answer::Anomalies(graph.repeated(input.rows, &value, 1), SAME_SCORE)
        }
    }
}

/// The weighted mean of all members, each the mean of its models.
fn blend(graph: &mut Graph, model: &Blend, input: Input<'_>) -> Result<Answer> {
    let mut blended: Option<Tensor> = None;
    for member in model.members() {
        let part = Input { features: &input.features[member.range.clone()], rows: input.rows };
        let mut sum: Option<Tensor> = None;
        for one in &member.models {
            let answer = write(graph, member.kind, &**one, part).context("a member of the blend")?;
            let (Answer::Numbers(values) | Answer::Shares(values, _)) = answer else {
                return Err(fail::world(format!("a `{}` in a blend answers another task", member.kind)).into());
            };
            sum = Some(added(graph, sum, values));
        }
        let Some(sum) = sum else { continue };
        let (count, weight) = (graph.number(member.models.len() as f64), graph.number(member.weight));
        let mean = graph.div(&sum, &count);
        let share = graph.mul(&mean, &weight);
        blended = Some(added(graph, blended, share));
    }
    let blended = blended.ok_or_else(|| fail::world("a blend has no members"))?;
    Ok(match model.classes() {
        0 => Answer::Numbers(blended),
        classes => Answer::Shares(graph.clip(&blended, 0.0, 1.0), classes),
    })
}

fn added(graph: &mut Graph, sum: Option<Tensor>, values: Tensor) -> Tensor {
    match sum {
        None => values,
        Some(sum) => graph.add(&sum, &values),
    }
}

/// Refuses what would be too large a file, or take too much memory to run.
fn check_size(kind: &str, what: &str, cells: usize, most: usize) -> Result<()> {
    if cells <= most {
        return Ok(());
    }
    let (cells, most) = (crate::base::units::count(cells as u64), crate::base::units::count(most as u64));
    Err(fail::usage(format!("`{kind}` with {cells} {what} is too large to write as ONNX; at most {most} are"))
        .hint("train it on fewer rows, or train another kind")
        .into())
}
