//! What people demand of a boosted model beyond fit: directions of features, and which of them may meet on a branch.

use anyhow::Result;

use crate::base::fail;
use crate::base::seed::Seed;
use crate::base::suggest;
use crate::data::matrix::{FeatureValues, Matrix};
use crate::models::trees::histogram::Plan;
use crate::spec::model::BoostParams;

/// Constraints by feature number.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Constraints {
    /// For each feature 1, -1 or 0; empty when no feature has a direction.
    pub monotone: Vec<i8>,
    /// For each group whether it has each feature; empty when all may meet.
    groups: Vec<Vec<bool>>,
    /// Share of features drawn for each node.
    share: f64,
}

impl Constraints {
    /// Finds the features that the parameters name, by their own name or by that of their raw column.
    ///
    /// Errors: a name that no feature has, a direction other than -1, 0 and 1, a direction of a category or for a model
    /// with a score for each class (whose shares would not follow it), an empty group.
    pub fn new(params: &BoostParams, matrix: &Matrix, outputs: usize) -> Result<Constraints> {
        let width = matrix.features().len();
        let mut monotone = vec![0; width];
        for (name, &direction) in &params.monotone {
            if !(-1..=1).contains(&direction) {
                return Err(fail::usage(format!("the `monotone` direction of `{name}` is {direction}"))
                    .hint("it must be 1 (never falls), -1 (never rises) or 0 (free)")
                    .into());
            }
            if direction != 0 && outputs > 1 {
                return Err(fail::usage("`monotone` needs a model with one score; `multiclass` has one a class")
                    .hint("drop `monotone`, or predict one class against the rest")
                    .into());
            }
            for feature in named(matrix, name)? {
                let is_category = matches!(matrix.features()[feature].values, FeatureValues::Category { .. });
                if direction != 0 && is_category {
                    return Err(fail::usage(format!("`monotone` cannot hold for `{name}`: it is a category"))
                        .hint("its levels have no order; add an ordinal step for it, or drop the constraint")
                        .into());
                }
                monotone[feature] = direction;
            }
        }
        if monotone.iter().all(|direction| *direction == 0) {
            monotone.clear();
        }
        Ok(Constraints { monotone, groups: groups(params, matrix)?, share: params.feature_share_node })
    }

    /// Whether nodes differ in the features they may be split by.
    pub fn limit_nodes(&self) -> bool {
        !self.groups.is_empty() || self.share < 1.0
    }

    /// The features, of `width`, that a node may be split by which has those of `branch` above it; `None` when it may be
    /// split by all of `plan`. Only features that share a group with all of the branch are left; of these, `share` is drawn.
    pub fn allowed(&self, plan: &Plan, branch: &[u32], width: usize, seed: Seed) -> Option<Vec<bool>> {
        if !self.limit_nodes() {
            return None;
        }
        let holds_branch = |group: &&Vec<bool>| branch.iter().all(|&feature| group[feature as usize]);
        let fitting: Vec<&Vec<bool>> = self.groups.iter().filter(holds_branch).collect();
        let may_meet = |feature: &usize| self.groups.is_empty() || fitting.iter().any(|group| group[*feature]);
        let mut candidates: Vec<usize> = plan.features().filter(may_meet).collect();
        let wanted = ((candidates.len() as f64 * self.share).round() as usize).clamp(1, candidates.len().max(1));
        let mut rng = seed.rng();
        if wanted < candidates.len() {
            for place in 0..wanted {
                let drawn = place + rng.below((candidates.len() - place) as u64) as usize;
                candidates.swap(place, drawn);
            }
        }
        let mut allowed = vec![false; width];
        candidates.iter().take(wanted).for_each(|&feature| allowed[feature] = true);
        Some(allowed)
    }
}

fn groups(params: &BoostParams, matrix: &Matrix) -> Result<Vec<Vec<bool>>> {
    let width = matrix.features().len();
    let mut groups = Vec::with_capacity(params.interactions.len() + 1);
    let mut rest = vec![true; width];
    for names in &params.interactions {
        if names.is_empty() {
            return Err(fail::usage("`interactions` has an empty group").hint("name its features, or drop it").into());
        }
        let mut group = vec![false; width];
        for name in names {
            for feature in named(matrix, name)? {
                group[feature] = true;
                rest[feature] = false;
            }
        }
        groups.push(group);
    }
    if !groups.is_empty() && rest.contains(&true) {
        groups.push(rest);
    }
    Ok(groups)
}

/// The features called `name`; if there is none, those made from the raw column `name`.
fn named(matrix: &Matrix, name: &str) -> Result<Vec<usize>> {
    let features = matrix.features();
    let with = |matches: &dyn Fn(usize) -> bool| (0..features.len()).filter(|&at| matches(at)).collect::<Vec<usize>>();
    let mut found = with(&|at| &*features[at].name == name);
    if found.is_empty() {
        found = with(&|at| &*features[at].from == name);
    }
    match found.is_empty() {
        true => Err(suggest::unknown("feature", name, features.iter().map(|feature| &*feature.name)).into()),
        false => Ok(found),
    }
}
