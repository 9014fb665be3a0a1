//! Models that add up features: linear models and naive Bayes.

use std::f64::consts::TAU;

use crate::exchange::onnx::graph::{Graph, Tensor};
use crate::exchange::onnx::model::{Answer, Input};
use crate::models::linear::fitted::{LOG_MAX, Linear, Link};
use crate::models::naive_bayes::{NaiveBayes, SQUARE_MAX};

/// Coefficients, intercepts and the link.
pub fn linear(graph: &mut Graph, model: &Linear, input: Input<'_>) -> Answer {
    let (width, outputs) = (model.width(), model.outputs());
    let point = model.point();
    let at = |output: usize, place: usize| point[output * (width + 1) + place];
    let by_feature: Vec<f64> =
        (0..width).flat_map(|place| (0..outputs).map(move |output| (place, output))).map(|(p, o)| at(o, p)).collect();
    let intercepts: Vec<f64> = (0..outputs).map(|output| at(output, width)).collect();
    let intercepts = graph.numbers(&[1, outputs], &intercepts);
    let scores = if width == 0 {
        graph.repeated(input.rows, &intercepts, outputs)
    } else {
        let coefficients = graph.numbers(&[width, outputs], &by_feature);
        let matrix = input.matrix(graph);
        let sums = graph.op("MatMul", &[&matrix, &coefficients]);
        graph.add(&sums, &intercepts)
    };
    match model.link() {
        Link::Identity => Answer::Numbers(scores),
        Link::Log => {
            let most = graph.number(LOG_MAX);
            let scores = graph.op("Min", &[&scores, &most]);
            Answer::Numbers(graph.op("Exp", &[&scores]))
        }
        Link::Logit => {
            let (first, second) = (graph.falling_sigmoid(&scores), graph.sigmoid(&scores));
            Answer::Shares(graph.along("Concat", &[&first, &second], 1), 2)
        }
        Link::Softmax => Answer::Shares(graph.along("Softmax", &[&scores], 1), outputs),
    }
}

/// Log densities of every class, summed over the features.
pub fn naive_bayes(graph: &mut Graph, model: &NaiveBayes, input: Input<'_>) -> Answer {
    let (width, classes) = (model.features, model.log_priors.len());
    let of_class = |(prior, variances): (&f64, &[f64])| {
        prior - 0.5 * variances.iter().map(|variance| (TAU * variance).ln()).sum::<f64>()
    };
    let constants: Vec<f64> =
        model.log_priors.iter().zip(model.variances.chunks_exact(width.max(1))).map(of_class).collect();
    let constants = graph.numbers(&[1, classes], &constants);
    let matrix = input.matrix(graph);
    let wide = graph.widened(&matrix, 1);
    let (means, variances) =
        (graph.numbers(&[classes, width], &model.means), graph.numbers(&[classes, width], &model.variances));
    let apart = graph.sub(&wide, &means);
    let squares = graph.mul(&apart, &apart);
    let squares = graph.div(&squares, &variances);
    let squares: Tensor = graph.clip(&squares, 0.0, SQUARE_MAX);
    let sums = graph.sum_along(&squares, 2, false);
    let half = graph.number(0.5);
    let halves = graph.mul(&sums, &half);
    let scores = graph.sub(&constants, &halves);
    Answer::Shares(graph.along("Softmax", &[&scores], 1), classes)
}
