//! LightGBM's text format: version 4 out, versions 2 to 4 in.
//!
//! A split sends `value <= threshold` left; a missing value goes where the node says. A split on a category sends the
//! levels of its set left, and all others, missing and unseen ones among them, right. Scores are sums of leaves in 64
//! bits, so both directions answer with the very sums of the other side. Followed: LightGBM 4.7, `include/LightGBM/tree.h`,
//! `src/boosting/gbdt_model_text.cpp`.

mod objective;
mod reading;
mod text;
mod writing;

use anyhow::{Context, Result};

use crate::base::fail;
use crate::exchange::Foreign;
use crate::exchange::columns::Columns;
use crate::models::package::ModelPackage;

/// Reads a model in LightGBM's text format, versions 2 to 4. `O(bytes)` of time and memory.
///
/// The kind is `boost`, or `forest` for `boosting=rf` of numbers. Answers are LightGBM's, up to the last bits of exponentials.
/// Errors: not such a file, damage (the tree and the field are named), what cannot be expressed here: `linear_tree`,
/// `zero_as_missing` where zeros and their neighbours part, objectives without a task of ours.
pub fn read(bytes: &[u8]) -> Result<Foreign> {
    let text = std::str::from_utf8(bytes).map_err(|_| fail::world("this is not a LightGBM model: it is not text"))?;
    reading::read(text).context("cannot read the LightGBM model")
}

/// Writes a model of trees in LightGBM's text format, version 4; `columns` are what it will read.
///
/// Trees of classes that are averaged have no objective there: `predict` answers the shares as they are. Errors (usage): no
/// trees, calibrated probabilities that are no straight line of the score.
pub fn write(package: &ModelPackage, columns: &Columns) -> Result<Vec<u8>> {
    writing::write(package, columns)
}

/// Letters that names of features cannot have there.
pub fn forbidden(letter: char) -> bool {
    writing::forbidden(letter)
}
