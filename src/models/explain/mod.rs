//! Why a model answers as it does, in terms of raw columns: permutation importance, contributions, dependence, local
//! effects, interactions, effects of linear models.
//!
//! Everything but exact contributions looks at a model as a function of raw rows ([`model::Model`]), recipe included,
//! so it holds for every kind. Draws come from seeds by column and row alone, so results do not depend on the number of
//! threads.

pub mod attribution;
pub mod dependence;
pub mod effects;
pub mod grid;
pub mod interactions;
pub mod linear;
pub mod mix;
pub mod model;
pub mod permutation;
pub mod sampled;

#[cfg(test)]
mod tests;
