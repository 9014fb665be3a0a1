//! The recipe of a model that reads raw columns as they are: numbers as numbers, known levels as categories.

use anyhow::Result;

use crate::features::category::{FittedCategory, KnownLevels};
use crate::features::column::Kind;
use crate::features::recipe::{FittedRecipe, RecipeInput, StepForm};
use crate::features::step::FittedColumn;

/// A raw column of such a model.
#[derive(Clone, Debug, PartialEq)]
pub struct RawColumn {
    /// Name.
    pub name: String,
    /// Levels in the order of their codes; `None`: a number.
    pub levels: Option<KnownLevels>,
}

/// Makes one feature of each column, in their order.
///
/// Errors: two columns of one name, levels that are none.
pub fn passthrough(columns: &[RawColumn], notes: Vec<String>) -> Result<FittedRecipe> {
    let kind = |column: &RawColumn| match column.levels {
        Some(KnownLevels::Text(_)) => Kind::Text,
        _ => Kind::Number,
    };
    let inputs = columns.iter().map(|column| RecipeInput { name: column.name.clone(), kind: kind(column) }).collect();
    let mut categories = Vec::new();
    for column in columns {
        if let Some(levels) = &column.levels {
            categories.push(FittedColumn::Category(FittedCategory::known(&column.name, levels)?));
        }
    }
    let steps = if categories.is_empty() { Vec::new() } else { vec![StepForm::Columns(categories)] };
    FittedRecipe::build(inputs, steps, notes)
}
