//! What a search may try on this table, and how much of it.

use std::time::Instant;

use anyhow::Result;

use crate::base::fail;
use crate::base::limits::AUTO_TRIALS_MAX;
use crate::data::split::{Split, TRAIN, VALIDATION};
use crate::features::recipe::Family;
use crate::models::zoo::Kind;
use crate::ops::auto::budget::Deadline;
use crate::ops::auto::ground::{Ground, Holding};
use crate::ops::auto::portfolio::{Config, config, portfolio};
use crate::ops::auto::propose::LAG;
use crate::ops::auto::search::Bounds;
use crate::ops::context::OpCtx;
use crate::spec::auto::AutoSpec;

/// Share of the time that is kept for what comes after the search, where models are fitted again on all rows.
const RESERVE_AGAIN: f64 = 0.4;
/// The same where most models are kept as they are.
const RESERVE: f64 = 0.06;
/// Values of all features together beyond which fits take turns, each on all threads: side by side they need more memory.
const CELLS_SIDE_BY_SIDE_MAX: usize = 50_000_000;
/// Rows for each trial after the portfolio: more trials on so few rows would only choose among noise.
const ROWS_A_TRIAL: usize = 10;
/// Trials after the portfolio however few the rows are.
const TRIALS_AFTER_MIN: usize = 10;

/// The division with the validation rows among the training rows.
pub fn merged(split: &Split) -> Result<Split> {
    let part = |part: &u8| if *part == VALIDATION { TRAIN } else { *part };
    Split::from_parts(split.parts().iter().map(part).collect())
}

/// The forms of features that kinds want; both when any kind may be tried.
pub fn families(named: &[&'static Kind]) -> Vec<Family> {
    let wanted = |family: &Family| named.is_empty() || named.iter().any(|kind| kind.family == *family);
    [Family::Trees, Family::Linear].into_iter().filter(wanted).collect()
}

/// The portfolio for this table, of the kinds named; a kind that is named and not in it with its defaults.
///
/// Kinds that cannot weigh rows or cannot eat the features are left out, which is said. Errors: nothing is left.
pub fn candidates(ground: &Ground, named: &[&'static Kind], is_weighted: bool, ctx: &OpCtx<'_>) -> Result<Vec<Config>> {
    let mut all = portfolio(&ground.shape());
    if !named.is_empty() {
        all.retain(|config| named.iter().any(|kind| kind.name == config.kind.name));
        for kind in named {
            if !all.iter().any(|known| known.kind.name == kind.name) {
                all.extend(config(kind.name, kind.name, kind.family, ""));
            }
        }
    }
    let mut left_out: Vec<(&str, &str)> = Vec::new();
    all.retain(|config| {
        let dense = ground.branch(config.family).is_some_and(|branch| ground.branches[branch].dense);
        let why = match config.kind {
            Kind { weights: false, .. } if is_weighted => "cannot weigh rows",
            Kind { family: Family::Linear, .. } if !dense => "cannot eat categories or missing values",
            _ => return ground.branch(config.family).is_some(),
        };
        if !left_out.contains(&(config.kind.name, why)) {
            left_out.push((config.kind.name, why));
        }
        false
    });
    for (kind, why) in &left_out {
        ctx.talk.info(&format!("{kind} is left out: it {why}"));
    }
    match all.is_empty() {
        true => Err(fail::usage("no kind of model is left to choose from")
            .hint("name more in --models, or give the recipe steps that suit them")
            .into()),
        false => Ok(all),
    }
}

/// When the search stops: after the trials or the time asked for, and of a search by time alone after as many trials as the
/// rows can tell apart.
pub fn bounds(spec: &AutoSpec, ground: &Ground, configs: usize, started: Instant) -> Bounds {
    let after = (ground.target.len() / ROWS_A_TRIAL).max(TRIALS_AFTER_MIN);
    let trials = spec.trials.unwrap_or(configs + after).min(AUTO_TRIALS_MAX);
    let reserve = if ground.holding == Holding::Folds { RESERVE } else { RESERVE_AGAIN };
    let threads = rayon::current_num_threads();
    let shape = ground.shape();
    let side_by_side = shape.rows.saturating_mul(shape.features) <= CELLS_SIDE_BY_SIDE_MAX;
    let usual = if side_by_side { threads } else { 1 };
    let jobs = spec.jobs.unwrap_or(usual).clamp(1, LAG);
    Bounds { trials, deadline: Deadline::new(started, spec.budget(), reserve), jobs, threads }
}

/// Flags that give the same model again.
pub fn replay(spec: &AutoSpec, trials: usize) -> String {
    let models = match spec.models.is_empty() {
        true => String::new(),
        false => format!(" --models {}", spec.models.join(",")),
    };
    format!("--auto --trials {trials}{models}")
}
