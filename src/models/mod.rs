//! Estimators: what can be fitted, what it answers, how it is kept.
//!
//! Lives here: the one table of kinds (`zoo`), one file or folder a family, the stable binary form of predictors
//! (`form`) and the package that is served, exported and pushed (`package`). Does not live here: recipes (`features`),
//! scores (`metrics`), where packages are kept (`store`, `repo`).
//!
//! Always holds: the same input and seed give the same bytes on any number of threads; bytes that are read back are
//! checked before they are believed; what a dependency fits is kept in our own form.

pub mod baseline;
pub mod blend;
pub mod calibration;
pub mod explain;
pub mod form;
pub mod input;
pub mod isolation_forest;
pub mod kmeans;
pub mod knn;
pub mod linear;
pub mod monitoring;
pub mod naive_bayes;
pub mod onnx;
pub mod package;
pub mod params;
pub mod predictor;
pub mod svm;
pub mod threshold;
pub mod trees;
pub mod zoo;

#[cfg(test)]
mod tests;
