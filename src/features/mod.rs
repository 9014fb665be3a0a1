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
mod bin;
pub mod branches;
mod cast;
mod category;
mod clip;
pub mod column;
mod cuts;
mod cyclic;
mod dates;
mod drop;
mod fitted;
mod fitting;
mod frequency;
mod hash;
mod impute;
mod kept;
mod levels;
mod log;
mod many;
mod minimum;
mod murmur;
mod one_hot;
mod ordinal;
mod power;
mod quantile;
mod rare;
pub mod recipe;
mod rename;
mod scale;
mod stats;
mod step;
mod target;
mod text;
mod tfidf;
mod tokens;
mod written;

#[cfg(test)]
mod tests;
