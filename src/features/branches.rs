//! Recipes side by side: several make features of the same raw columns, each for models that want them in another form.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use anyhow::Result;

use crate::base::limits::{COLUMNS_MAX, RECIPE_BRANCHES_MAX};
use crate::data::frame::Frame;
use crate::data::matrix::Matrix;
use crate::data::target::Target;
use crate::features::fitted::damaged;
use crate::features::recipe::{FittedRecipe, RecipeInput};
use crate::record::recipe::FeatureRecord;

/// One of several recipes side by side.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    /// What its features' names begin with.
    pub name: String,
    /// A recipe of steps alone.
    pub recipe: FittedRecipe,
}

/// Features, and the places of the raw columns that each depends on.
pub type Made = (Vec<FeatureRecord>, Vec<Arc<[u32]>>);

/// All raw columns that branches read, in the order given.
pub fn inputs(branches: &[Branch], order: &[&str]) -> Vec<RecipeInput> {
    let all = branches.iter().flat_map(|branch| branch.recipe.inputs());
    let known: HashMap<&str, &RecipeInput> = all.map(|input| (input.name.as_str(), input)).collect();
    order.iter().filter_map(|name| known.get(name).copied().cloned()).collect()
}

/// What was said while they were fitted, once.
pub fn notes(branches: &[Branch]) -> Vec<String> {
    let mut seen = HashSet::new();
    let all = branches.iter().flat_map(|branch| branch.recipe.notes());
    all.filter(|note| seen.insert(*note)).cloned().collect()
}

/// Features of all branches, and the places among `inputs` of the columns that each depends on.
///
/// Errors: what [`FittedRecipe::beside`] refuses; a column that is not among the inputs, or of another kind; one that no
/// branch reads.
pub fn features(inputs: &[RecipeInput], branches: &[Branch]) -> Result<Made> {
    if branches.is_empty() || branches.len() > RECIPE_BRANCHES_MAX {
        return Err(damaged(format!("{} branches, not 1 to {RECIPE_BRANCHES_MAX}", branches.len())));
    }
    let mut place_of: HashMap<&str, u32> = HashMap::with_capacity(inputs.len());
    for (place, input) in (0..).zip(inputs) {
        if place_of.insert(&input.name, place).is_some() {
            return Err(damaged(format!("two columns are called `{}`", input.name)));
        }
    }
    let mut known = HashSet::new();
    let mut read = vec![false; inputs.len()];
    let (mut features, mut origins) = (Vec::new(), Vec::new());
    for Branch { name, recipe } in branches {
        // A dot in it would let two branches make features of one name.
        if name.is_empty() || name.contains('.') || !known.insert(name.as_str()) || !recipe.branches().is_empty() {
            return Err(damaged(format!("branch `{name}` has no name of its own, or branches of its own")));
        }
        for input in recipe.inputs() {
            let place = place_of.get(input.name.as_str()).filter(|place| inputs[**place as usize] == *input);
            let Some(&place) = place else {
                return Err(damaged(format!("branch `{name}` reads column `{}` of no such input", input.name)));
            };
            read[place as usize] = true;
        }
        for (number, feature) in recipe.features().iter().enumerate() {
            features.push(FeatureRecord { name: format!("{name}.{}", feature.name), ..feature.clone() });
            let mut own: Vec<u32> = recipe.origins(number).filter_map(|origin| place_of.get(origin).copied()).collect();
            own.sort_unstable();
            origins.push(own.into());
        }
    }
    if features.len() > COLUMNS_MAX {
        return Err(damaged(format!("{} columns are more than {COLUMNS_MAX}", features.len())));
    }
    match read.iter().position(|read| !read) {
        Some(idle) => Err(damaged(format!("no branch reads column `{}`", inputs[idle].name))),
        None => Ok((features, origins)),
    }
}

/// Makes the features of all branches, called as in `named`.
pub fn run(branches: &[Branch], named: &[FeatureRecord], frame: &Frame, target: Option<&Target>) -> Result<Matrix> {
    let mut all = Vec::with_capacity(named.len());
    for branch in branches {
        all.extend(branch.recipe.run(frame, target)?.into_features());
    }
    for (feature, named) in all.iter_mut().zip(named) {
        feature.name = named.name.as_str().into();
    }
    Matrix::new(frame.rows(), all)
}
