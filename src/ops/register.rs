//! `register`: a trained model becomes a numbered version for ever, unless its gates failed.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::id::{ObjectId, RunId};
use crate::ops::context::OpCtx;
use crate::ops::promote;
use crate::ops::recorded::{Done, recorded};
use crate::record::evaluation::{EvaluationRecord, Verdict};
use crate::repo::Repo;
use crate::repo::refs::{AliasTarget, Committed, RefMove};

/// What to register, and as what.
#[derive(Clone, Debug, Default)]
pub struct RegisterOptions {
    /// The model; the newest trained one when absent.
    pub model: Option<String>,
    /// Name to register under.
    pub name: String,
    /// Alias that moves to the new version.
    pub alias: Option<String>,
    /// Alias that moves only when every gate passed.
    pub promote: Option<String>,
    /// A sentence kept with the version.
    pub note: Option<String>,
    /// Registers a model whose gates failed; needs `reason`.
    pub force: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
    /// The evaluation that counts; the newest one of the model when absent.
    pub evaluation: Option<ObjectId>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct RegisterReport {
    /// The run.
    pub run: RunId,
    /// Name of the model.
    pub name: String,
    /// Number of the version; none when refused.
    pub version: Option<u32>,
    /// The model: id of its package.
    pub id: ObjectId,
    /// Whether this very package already was the newest version.
    pub unchanged: bool,
    /// Verdict of the evaluation that counted.
    pub verdict: Verdict,
    /// Whether it was refused.
    pub refused: bool,
    /// Why, when refused or forced.
    pub reason: Option<String>,
    /// Where every alias of the model points now.
    pub aliases: BTreeMap<String, u32>,
}

/// Registers one model.
pub fn register(repo: &Repo, options: &RegisterOptions, ctx: &OpCtx<'_>) -> Result<RegisterReport> {
    if options.force && options.reason.is_none() {
        return Err(fail::usage("--force needs a reason")
            .hint("add --reason \"WHY\"; it is kept in the audit log")
            .into());
    }
    // Before the run of this verb exists, as `run:last` must not mean itself.
    let found = match &options.model {
        Some(text) => repo.resolve_model(text)?,
        None => repo.newest_model()?,
    };
    let outcome = recorded(repo, ctx, "register", |repo, work| {
        let judged = judged(repo, options, found.package)?;
        let verdict = judged.as_ref().map_or(Verdict::None, |(_, record)| record.judgement.verdict);
        work.input("model", &found.label(), found.package)?;
        let refused = verdict == Verdict::Fail && !options.force;
        let reason = reason(judged.as_ref().map(|(_, record)| record), options);
        if refused {
            return Ok(Done { value: (found.package, verdict, true, reason), moves: Vec::new(), yes: false });
        }
        let moves = moves(repo, options, &found, judged.map(|(id, _)| id), verdict, ctx)?;
        Ok(Done { value: (found.package, verdict, false, reason), moves, yes: true })
    })?;
    let (id, verdict, refused, reason) = outcome.value;
    let (version, new) = match outcome.committed.first() {
        Some(Committed::Model { version, new }) => (Some(*version), *new),
        _ => (None, false),
    };
    let known = repo.models()?.contains(&options.name);
    Ok(RegisterReport {
        run: outcome.run,
        name: options.name.clone(),
        version,
        id,
        unchanged: !refused && !new,
        verdict,
        refused,
        reason,
        aliases: if known { repo.aliases(&options.name)? } else { BTreeMap::new() },
    })
}

fn moves(
    repo: &Repo,
    options: &RegisterOptions,
    found: &crate::repo::resolve::ModelRef,
    evaluation: Option<ObjectId>,
    verdict: Verdict,
    ctx: &OpCtx<'_>,
) -> Result<Vec<RefMove>> {
    let name = &options.name;
    let mut moves = vec![RefMove::Model {
        name: name.clone(),
        package: found.package,
        model: found.model,
        evaluation,
        note: options.note.clone(),
    }];
    let mut aliases = Vec::new();
    aliases.extend(options.alias.clone());
    match &options.promote {
        Some(alias) if verdict == Verdict::Pass => aliases.push(alias.clone()),
        Some(alias) if verdict == Verdict::None => {
            ctx.talk.warn(&format!("`{alias}` was not moved: the model has no gates that passed"));
        }
        Some(alias) => ctx.talk.warn(&format!("`{alias}` was not moved: gates failed")),
        None => {}
    }
    for alias in aliases {
        moves.extend(promote::alias_moves(repo, name, &alias, AliasTarget::NewVersion, options.reason.as_deref())?);
    }
    Ok(moves)
}

/// The evaluation that counts: the one given, else the newest of this package.
fn judged(repo: &Repo, options: &RegisterOptions, package: ObjectId) -> Result<Option<(ObjectId, EvaluationRecord)>> {
    let id = match options.evaluation {
        Some(id) => Some(id),
        None => repo.newest_evaluation(&package)?,
    };
    id.map(|id| Ok((id, repo.record(&id)?))).transpose()
}

fn reason(evaluation: Option<&EvaluationRecord>, options: &RegisterOptions) -> Option<String> {
    let failed: Vec<String> = evaluation
        .iter()
        .flat_map(|record| &record.judgement.gates)
        .filter(|gate| gate.verdict == Verdict::Fail)
        .map(|gate| format!("`{}`: {}", gate.expression, gate.reason))
        .collect();
    match (failed.is_empty(), &options.reason) {
        (true, given) => given.clone(),
        (false, Some(given)) if options.force => Some(format!("forced: {given}; gates failed: {}", failed.join("; "))),
        (false, _) => Some(format!("gates failed: {}", failed.join("; "))),
    }
}
