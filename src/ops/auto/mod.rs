//! `train --auto`: guardrails, a portfolio of configurations on folds, an ensemble of the best, one package.
//!
//! After AutoGluon-Tabular (Erickson et al. 2020): each configuration is fitted on the rows of each fold and answers those
//! held out, so that all rows outside the test part choose without having been seen; the best are averaged.

mod assemble;
mod budget;
pub mod ensemble;
mod ground;
pub mod guardrails;
mod plan;
mod portfolio;
mod propose;
pub mod report;
mod scored;
mod search;
mod trial;

#[cfg(test)]
mod tests;

use std::time::Instant;

use anyhow::Result;

use crate::base::fail;
use crate::base::units;
use crate::metrics::zoo as metric_zoo;
use crate::models::blend;
use crate::models::zoo::{self, Kind};
use crate::ops::auto::assemble::{Assembled, answers, assemble, choose};
use crate::ops::auto::ensemble::Loss;
use crate::ops::auto::ground::{Ground, Holding};
use crate::ops::auto::guardrails::guardrails;
use crate::ops::auto::plan::{bounds, candidates, families, merged, replay};
use crate::ops::auto::report::{AutoReport, leaderboard};
use crate::ops::auto::scored::Scored;
use crate::ops::auto::search::{Found, search};
use crate::ops::choices::check_task;
use crate::ops::context::OpCtx;
use crate::ops::fit::{Fitted, say_unseen_classes};
use crate::ops::prepare::{Divided, Prepared, divided_for, finish};
use crate::ops::recorded::Work;
use crate::ops::train::TrainOptions;
use crate::record::run::MetricPoint;
use crate::repo::Repo;
use crate::spec::auto::AutoSpec;
use crate::spec::model::TrainSpec;

/// What a search came to, to be kept like any fit.
pub struct Automatic {
    /// Rows and recipe of the model.
    pub prepared: Prepared,
    /// The model and its scores.
    pub fitted: Fitted,
    /// Its kind.
    pub kind: &'static Kind,
    /// What was tried.
    pub report: AutoReport,
}

/// Refuses what a search cannot heed.
///
/// Errors (usage): a kind or parameters, a model to go on from, a budget of nothing.
pub fn check(spec: &TrainSpec, auto: &AutoSpec) -> Result<()> {
    auto.check()?;
    if let Some(kind) = spec.model.as_deref().filter(|name| *name != "auto") {
        let what = format!("an automatic search chooses the kind, and `{kind}` is named");
        return Err(fail::usage(what).hint(format!("name kinds to choose from: --models {kind}")).into());
    }
    if !spec.params.is_empty() {
        let what = "an automatic search chooses the parameters, and some are given";
        return Err(fail::usage(what).hint("leave them out, or name a model instead of --auto").into());
    }
    if spec.from.is_some() {
        let what = "an automatic search starts anew, and a model to go on from is named";
        return Err(fail::usage(what).hint("leave --from or --auto out").into());
    }
    for name in &auto.models {
        if zoo::kind(name)?.name == blend::NAME {
            let what = "`blend` is what an automatic search makes of other kinds";
            return Err(fail::usage(what).hint("name the kinds to choose from, as boost,forest,logistic").into());
        }
    }
    Ok(())
}

/// Searches, chooses, fits again, scores.
///
/// Errors: those of opening and dividing the rows; a task without a target; no configuration that could be fitted. One that
/// fails is kept as failed and does not stop the search.
pub fn auto(
    repo: &Repo,
    options: &TrainOptions,
    auto: &AutoSpec,
    work: &mut Work,
    ctx: &OpCtx<'_>,
) -> Result<Automatic> {
    let (started, spec) = (Instant::now(), &options.spec);
    let (subject, divided) = divided_for(repo, &options.prepare, options.recipe, ctx)?;
    let task = subject.task;
    if !task.is_supervised() {
        return Err(fail::usage(format!("an automatic search is for targets, and this is a {} task", task.name()))
            .hint("name a model: kmeans for clustering, isolation_forest for anomalies")
            .into());
    }
    check_task(spec, task)?;
    let named = auto.models.iter().map(|name| zoo::kind_for(name, task)).collect::<Result<Vec<_>>>()?;
    let split = merged(&divided.split)?;
    let ground = Ground::new(&subject, &divided, &split, (&options.prepare, spec), &families(&named), ctx)?;
    say_unseen_classes(&ground.target, ctx.talk);
    let guardrails = guardrails(repo, &subject, &ground, ctx)?;
    guardrails.say(ctx.talk);
    let is_weighted = ground.weights.is_some();
    let configs = candidates(&ground, &named, is_weighted, ctx)?;
    let bounds = bounds(auto, &ground, configs.len(), started);
    let Found { mut trials, out_of_time, discarded, is_partial } = search(&ground, &configs, &bounds, ctx.talk)?;
    let seconds = bounds.deadline.elapsed();
    let chosen = choose(&ground, &trials)?;
    let together = answers(&trials, &chosen);
    let names: Vec<&str> = ground.branches.iter().map(|branch| branch.name).collect();
    let report = AutoReport {
        guardrails,
        leaderboard: leaderboard(&trials, &chosen, &names),
        ranked_by: if ground.loss() == Loss::Log { "log_loss" } else { "mse" }.to_owned(),
        metric: metric_zoo::headline(task).to_owned(),
        trials: trials.len(),
        discarded,
        folds: ground.folds.len(),
        held_out: held_out(ground.holding).to_owned(),
        out_of_time,
        score: ground.headline(&together)?,
        seconds,
        replay: (!is_partial).then(|| replay(auto, trials.len())),
    };
    keep(repo, &report, work)?;
    let order: Vec<&str> = subject.frame.columns().iter().map(|column| &*column.name).collect();
    let Assembled { kind, predictor, recipe, params } = assemble(&ground, &mut trials, &chosen, &order)?;
    let scored = Scored::new(&ground, kind, spec, together, ctx)?;
    drop((trials, ground));
    let prepared = finish(repo, subject, Divided { split, folds: None, ..divided }, recipe)?;
    let fitted = scored.fitted(&prepared, spec, predictor, params, started, ctx)?;
    say(&report, auto, ctx);
    Ok(Automatic { prepared, fitted, kind, report })
}

/// How rows are held out, in a word.
fn held_out(holding: Holding) -> &'static str {
    match holding {
        Holding::Folds => "folds",
        Holding::Times => "times",
        Holding::Once => "once",
    }
}

/// Keeps the leaderboard with the run: as a file, and the score of each trial as a metric point.
fn keep(repo: &Repo, report: &AutoReport, work: &mut Work) -> Result<()> {
    let name = format!("trial.{}", report.metric);
    let scored = report.leaderboard.iter().filter_map(|entry| entry.score.map(|score| (entry.trial, score)));
    let mut points: Vec<MetricPoint> =
        scored.map(|(trial, value)| MetricPoint { name: name.clone(), step: trial as i64, value }).collect();
    points.sort_by_key(|point| point.step);
    work.points(&points)?;
    let id = repo.store().put(&serde_json::to_vec_pretty(report)?)?.id;
    work.output("leaderboard", "leaderboard.json", id)
}

/// Says how the search ended and how it is repeated.
fn say(report: &AutoReport, auto: &AutoSpec, ctx: &OpCtx<'_>) {
    let trials = units::plural(report.trials as u64, "trial");
    let seconds = units::seconds(report.seconds);
    let why = match (report.out_of_time, auto.trials) {
        (true, _) => "time was up",
        (false, Some(most)) if most <= report.trials => "as many as asked for",
        _ => "more would only choose among noise on so few rows",
    };
    ctx.talk.info(&format!("{trials} in {seconds}: {why}"));
    match &report.replay {
        Some(flags) if auto.budget().is_some() => {
            ctx.talk.info(&format!("replay with {flags}: the same model on any machine"));
        }
        Some(_) => {}
        None => ctx.talk.warn("time was up before the first trial ended: it counts as it was, and cannot be replayed"),
    }
}
