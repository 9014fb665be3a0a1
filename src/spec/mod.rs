//! What people write: the project file, the reviewed schema, recipes, model parameters, gates.
//!
//! Lives here: serde types that refuse unknown keys, their defaults, and checks that need nothing but the text itself.
//! Does not live here: whether a named column exists (`ops`), reading files or the environment (`config`), anything
//! the tool writes for itself (`record`).
//!
//! Always holds: a spec that parsed is well formed; a default is written once, in the type.

pub mod auto;
pub mod drift;
pub mod facet;
pub mod gate;
pub mod kinds;
pub mod many;
pub mod model;
pub mod project;
pub mod recipe;
pub mod rule;
pub mod schema;
pub mod slice;
pub mod split;
pub mod steps;
pub mod training;
pub mod tune;

#[cfg(test)]
mod tests;
