//! Models in the formats of other tools, out and in.
//!
//! Lives here: writing packages for others to run, reading what others have trained. Does not live here: our own form of
//! models (`models::package`, `models::form`), running foreign graphs (`models`), where models are kept (`store`, `repo`).
//!
//! `columns` says what an exported file reads, `outgoing` what it must hold; `incoming` puts read trees together.
//!
//! Always holds: an exported model answers what ours answers, or is refused with the name of what the format cannot
//! express; a file that is read costs memory in proportion to its size and is checked before it is believed.

pub mod columns;
mod incoming;
pub mod json;
pub mod lightgbm;
pub mod onnx;
mod outgoing;
pub mod xgboost;

#[cfg(test)]
mod tests;

use crate::models::predictor::Predictor;
use crate::spec::model::Task;

/// A feature that a foreign model reads, in its order.
#[derive(Clone, Debug, PartialEq)]
pub struct ForeignFeature {
    /// Name; `f0`, `f1`… where the file has none.
    pub name: String,
    /// Names of its levels in the order of their codes, for a category whose names the file holds.
    pub levels: Option<Vec<String>>,
    /// Number of codes that the trees tell apart, for a category; 0 for a number. Without names, the codes 0, 1, 2… are
    /// what the model reads; a code from here on counts as missing.
    pub codes: usize,
}

/// A model that another tool trained, as one of ours.
pub struct Foreign {
    /// Kind of the zoo that reads it back.
    pub kind: &'static str,
    /// The model.
    pub predictor: Box<dyn Predictor>,
    /// What it predicts.
    pub task: Task,
    /// Number of classes; 0 for regression.
    pub classes: usize,
    /// What it reads.
    pub features: Vec<ForeignFeature>,
    /// What had to be guessed, or is not as in the other tool, in sentences.
    pub notes: Vec<String>,
}
