//! From raw columns to features: recipes, fitted on training rows, applied to any rows.
//!
//! Lives here: the recipe and its fitted form, one file for each step on columns by themselves, steps over several columns
//! (`many`), recipes side by side (`branches`), the recipe `auto` of each model family.
//! Does not live here: what people may write (`spec::recipe`), reading tables and dividing rows (`data`), models.
//!
//! Always holds: fitting takes a `TrainSplit`, so it never sees other rows; a fitted step works on each row by itself, so
//! one row gives the same bits alone as among a million, on any number of threads; an infinite number counts as missing
//! everywhere; whatever was guessed or given up is in the notes.

mod auto;
pub(crate) mod bin;
pub mod branches;
pub(crate) mod cast;
pub(crate) mod category;
pub(crate) mod clip;
pub mod column;
mod cuts;
pub(crate) mod cyclic;
pub(crate) mod dates;
pub(crate) mod drop;
mod fitted;
mod fitting;
pub(crate) mod frequency;
mod hash;
pub(crate) mod impute;
pub(crate) mod kept;
pub(crate) mod levels;
pub(crate) mod log;
pub(crate) mod many;
mod minimum;
mod murmur;
pub(crate) mod one_hot;
pub(crate) mod ordinal;
pub mod passthrough;
pub(crate) mod power;
pub(crate) mod quantile;
pub(crate) mod rare;
pub mod recipe;
pub(crate) mod rename;
pub(crate) mod scale;
mod stats;
pub(crate) mod step;
pub(crate) mod target;
mod text;
mod tfidf;
mod tokens;
mod written;

#[cfg(test)]
mod tests;
