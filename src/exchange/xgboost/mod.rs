//! XGBoost's JSON model, as versions 1.3 to 3 write it.
//!
//! XGBoost rounds a number to 32 bits and sends it left where it is `<` the threshold, a float of 32 bits too: `narrow`
//! turns such a question into ours, exactly, and ours into such a one. A split on a category sends the levels of its set
//! *right*, all others left, and only missing values where the node says. Leaves and sums are floats of 32 bits, so
//! answers agree to about 1e-6. Followed: XGBoost 2.1 and 3.2, `doc/model.schema`, `src/predictor/predict_fn.h`,
//! `src/common/categorical.h`.

mod form;
pub(in crate::exchange) mod narrow;
mod objective;
mod reading;
mod writing;

use anyhow::{Context, Result};

use crate::exchange::Foreign;
use crate::exchange::columns::Columns;
use crate::models::package::ModelPackage;

/// Reads a model that XGBoost has saved as JSON. `O(bytes)` of time and memory.
///
/// The kind is `boost`; trees of `dart` are weighed. Categories whose levels the file does not name are read as codes.
/// Errors: not such a file (UBJSON is named), damage (the tree is named), what cannot be expressed here: `gblinear`, trees
/// with several outputs, objectives without a task of ours.
pub fn read(bytes: &[u8]) -> Result<Foreign> {
    reading::read(bytes).context("cannot read the XGBoost model")
}

/// Writes a model of trees as XGBoost's JSON, readable by versions 2 and 3; `columns` are what it will read.
///
/// Trees of classes that are averaged become sums of numbers there: `predict` answers the shares as they are. Errors
/// (usage): no trees, calibrated probabilities that are no straight line of the score, numbers beyond 32 bits.
pub fn write(package: &ModelPackage, columns: &Columns) -> Result<Vec<u8>> {
    writing::write(package, columns)
}

/// Columns whose splits lie where 32 bits no longer tell whole numbers apart, so that near values go the same way there.
///
/// Errors (usage): as [`write`].
pub fn coarse<'a>(package: &ModelPackage, columns: &'a Columns) -> Result<Vec<&'a str>> {
    writing::coarse(package, columns)
}

/// Letters that names of features cannot have there.
pub fn forbidden(letter: char) -> bool {
    writing::forbidden(letter)
}
