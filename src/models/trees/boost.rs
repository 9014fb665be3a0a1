//! `boost`: gradient boosting (Friedman 2001) with second derivatives (Chen and Guestrin 2016), leaf by leaf.

use anyhow::Result;

use crate::base::fail;
use crate::data::matrix::Matrix;
use crate::models::input;
use crate::models::params;
use crate::models::predictor::{FitInput, Predictor};
use crate::models::trees::binned::Binned;
use crate::models::trees::boosted::Boosted;
use crate::models::trees::booster::{Booster, Past};
use crate::models::trees::constraints::Constraints;
use crate::models::trees::ensemble::Ensemble;
use crate::models::trees::goals::goal;
use crate::models::trees::loss::Loss;
use crate::models::trees::sums::ROWS_MAX;
use crate::models::trees::weights;
use crate::spec::model::BoostParams;

/// Fits a boosted ensemble. `O(rows × features)` for each level of each tree; a byte a cell and about 50 bytes a row.
///
/// Rows of weight 0 are left out; `leaf_rows` counts rows, whatever they weigh. A weight keeps about 24 binary digits
/// below the largest one of a million rows (40 in the gradient). Goes on from a boosted model of the same objective: its
/// trees are kept and `trees` more are grown, as if all had been grown at once.
///
/// Points: `train_loss` (weighted mean) and `validation_loss` (plain mean, whatever rows weigh) of the objective's own
/// loss, the step being the number of trees. Errors: nothing to learn from, parameters out of range or not fit for the
/// task, unusable weights, a model to go on from that differs, more than 2^27 rows.
pub fn fit(fit: &mut FitInput<'_>) -> Result<Box<dyn Predictor>> {
    let params: BoostParams = params::read("boost", fit.params)?;
    check(&params)?;
    input::learnable("boost", fit)?;
    let rows = fit.matrix.rows();
    if rows >= ROWS_MAX {
        return Err(fail::usage(format!("`boost` takes at most {ROWS_MAX} rows; there are {rows}")).into());
    }
    let weights = weights::checked("boost", fit)?;
    let goal = goal(fit, &params, weights)?;
    let constraints = Constraints::new(&params, fit.matrix, goal.initial.len())?;
    let past = past(fit, goal.loss, &goal.initial)?;
    let binned = Binned::new(fit.matrix, params.bins, fit.seed.derive("bins"));
    let (loss, initial) = (goal.loss, past.initial.clone());
    let mut booster = Booster::new(&params, &binned, goal, weights, constraints, &past, fit)?;
    let ensemble = booster.run(fit, past)?;
    Ok(Box::new(Boosted { ensemble, loss, initial }))
}

fn check(params: &BoostParams) -> Result<()> {
    let p = params;
    let check = |name, value: f64, fine, range| params::check("boost", name, value, fine, range);
    let is_share = |share: f64| share > 0.0 && share <= 1.0;
    check("trees", p.trees as f64, (1..=100_000).contains(&p.trees), "from 1 to 100000")?;
    check("learning_rate", p.learning_rate, is_share(p.learning_rate), "above 0 and at most 1")?;
    check("leaves", p.leaves as f64, (2..=65_536).contains(&p.leaves), "from 2 to 65536")?;
    check("leaf_rows", p.leaf_rows as f64, p.leaf_rows >= 1, "at least 1")?;
    for (name, value) in [
        ("leaf_hessian", p.leaf_hessian),
        ("leaf_step_max", p.leaf_step_max),
        ("l1", p.l1),
        ("l2", p.l2),
        ("gain_min", p.gain_min),
    ] {
        check(name, value, value >= 0.0, "at least 0")?;
    }
    for (name, share) in
        [("feature_share", p.feature_share), ("feature_share_node", p.feature_share_node), ("row_share", p.row_share)]
    {
        check(name, share, is_share(share), "above 0 and at most 1")?;
    }
    check("bins", p.bins as f64, (2..=65_535).contains(&p.bins), "from 2 to 65535")?;
    if p.goss_top == 0.0 && p.goss_other == 0.0 {
        return Ok(());
    }
    let fits = |share: f64| share > 0.0 && p.goss_top + p.goss_other <= 1.0;
    let range = "above 0, and `goss_top` and `goss_other` together at most 1; or both 0";
    check("goss_top", p.goss_top, fits(p.goss_top), range)?;
    check("goss_other", p.goss_other, fits(p.goss_other), range)?;
    if p.row_share < 1.0 {
        return Err(fail::usage("`row_share` and `goss_top` both choose the rows of a tree")
            .hint("set one of them, and leave the other at its default")
            .into());
    }
    Ok(())
}

/// What has been grown before: nothing, or the trees of the model to go on from.
///
/// Errors: a model of another kind, loss, number of outputs or features.
fn past(fit: &FitInput<'_>, loss: Loss, initial: &[f64]) -> Result<Past> {
    let features = fit.matrix.features().len();
    let Some(from) = fit.from else {
        let ensemble = Ensemble { features, width: 1, trees: Vec::new() };
        return Ok(Past { ensemble, initial: initial.to_vec() });
    };
    let refused = |why: String| {
        fail::usage(format!("`boost` cannot go on from this model: {why}"))
            .hint("train without it, or go on from a `boost` model of the same features, target and objective")
    };
    let Some(old) = from.as_any().downcast_ref::<Boosted>() else {
        return Err(refused("it is not a boosted one".to_owned()).into());
    };
    if old.ensemble.features != features {
        let why = format!("it has {} features and the training rows {features}", old.ensemble.features);
        return Err(refused(why).into());
    }
    if old.initial.len() != initial.len() {
        let why = format!("it has {} scores a row and the target asks for {}", old.initial.len(), initial.len());
        return Err(refused(why).into());
    }
    if old.loss != loss {
        let alpha = |loss: Loss| if loss.alpha() > 0.0 { format!(" (alpha {})", loss.alpha()) } else { String::new() };
        let (was, wanted) = (old.loss, loss);
        let why = format!("its loss is {}{}, not {}{}", was.name(), alpha(was), wanted.name(), alpha(wanted));
        return Err(refused(why).into());
    }
    check_levels(fit.matrix, &old.ensemble)?;
    Ok(Past { ensemble: old.ensemble.clone(), initial: old.initial.clone() })
}

/// Errors: a tree asks for a set of levels where the feature is not a category.
fn check_levels(matrix: &Matrix, ensemble: &Ensemble) -> Result<()> {
    for node in ensemble.trees.iter().flat_map(|tree| &tree.nodes).filter(|node| node.is_set()) {
        let feature = &matrix.features()[node.feature as usize];
        if feature.values.type_name() != "category" {
            let what = format!("the model to go on from knows `{}` as a category; here it is none", feature.name);
            return Err(fail::usage(what).hint("prepare the rows with the recipe of that model").into());
        }
    }
    Ok(())
}
