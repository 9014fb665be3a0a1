//! Search of parameters: where they may lie, which are tried next, which trials are given up.
//!
//! Lives here: spaces, samplers, pruners and the study that ties them together. Does not live here: what a trial does
//! (`ops`), how trials are kept (`record`, `repo`).
//!
//! Always holds: what is tried as trial n depends on the seed and on the outcomes of earlier trials alone, never on how many
//! run at once or on which ends first.

pub mod grid;
mod joe_kuo;
pub mod parzen;
pub mod pruner;
pub mod sampler;
pub mod sobol;
pub mod space;
pub mod spaces;
pub mod study;
pub mod told;
pub mod tpe;
pub mod written;

#[cfg(test)]
mod tests;
