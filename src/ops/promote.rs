//! `promote` and `rollback`: an alias moves to another version, recorded, in one transaction.

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::suggest;
use crate::ops::context::OpCtx;
use crate::record::evaluation::{EvaluationRecord, Verdict};
use crate::record::model::ModelRecord;
use crate::repo::Repo;
use crate::repo::refs::{AliasTarget, Change, RefMove};

/// The alias that gates compare with and that serving follows.
pub const CHAMPION: &str = "champion";
/// Where the champion was before its last move.
pub const PREVIOUS: &str = "previous";

/// What to promote.
#[derive(Clone, Debug)]
pub struct PromoteOptions {
    /// The version: `NAME@v7` or `NAME@ALIAS`.
    pub model: String,
    /// The alias to move.
    pub alias: String,
    /// Moves it although the version has no verdict `pass`.
    pub force: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What came of a move.
#[derive(Clone, Debug, Serialize)]
pub struct PromoteReport {
    /// Name of the model.
    pub name: String,
    /// The alias.
    pub alias: String,
    /// Version before.
    pub from: Option<u32>,
    /// Version now.
    pub to: Option<u32>,
    /// Whether the move was refused.
    pub refused: bool,
    /// Why, when refused.
    pub reason: Option<String>,
}

/// Moves an alias to a version whose gates passed.
pub fn promote(repo: &Repo, options: &PromoteOptions, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
    let found = repo.resolve_model(&options.model)?;
    let (Some(name), Some(version)) = (found.name.clone(), found.version) else {
        let what = format!("`{}` is not a registered version", options.model);
        return Err(fail::usage(what).hint("register it first: `mlops register MODEL NAME`").into());
    };
    if options.force && options.reason.is_none() {
        return Err(fail::usage("--force needs a reason")
            .hint("add --reason \"WHY\"; it is kept in the audit log")
            .into());
    }
    let from = repo.aliases(&name)?.get(&options.alias).copied();
    let verdict = verdict(repo, &name, version)?;
    if verdict != Verdict::Pass && !options.force {
        let reason = format!("{name}@v{version} has the verdict `{}`, and `pass` is needed", verdict.name());
        let alias = options.alias.clone();
        return Ok(PromoteReport { name, alias, from, to: from, refused: true, reason: Some(reason) });
    }
    let target = AliasTarget::Version(version);
    let moves = alias_moves(repo, &name, &options.alias, target, options.reason.as_deref())?;
    repo.commit(Change { moves }, &ctx.actor(), ctx.clock.now())?;
    let alias = options.alias.clone();
    Ok(PromoteReport { name, alias, from, to: Some(version), refused: false, reason: options.reason.clone() })
}

/// Moves `champion` back to `previous`, and `previous` to where `champion` was: doing it twice changes nothing.
pub fn rollback(repo: &Repo, name: &str, reason: Option<&str>, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
    let known = repo.models()?;
    if !known.iter().any(|model| model == name) {
        return Err(suggest::unknown("model", name, known.iter().map(String::as_str)).into());
    }
    let aliases = repo.aliases(name)?;
    let (Some(&from), Some(&to)) = (aliases.get(CHAMPION), aliases.get(PREVIOUS)) else {
        let what = format!("{name} has no previous champion to go back to");
        return Err(fail::world(what).hint(format!("see `mlops log --models` and `mlops promote {name}@vN`")).into());
    };
    let moves = alias_moves(repo, name, CHAMPION, AliasTarget::Version(to), reason)?;
    repo.commit(Change { moves }, &ctx.actor(), ctx.clock.now())?;
    let reason = reason.map(str::to_owned);
    Ok(PromoteReport {
        name: name.to_owned(),
        alias: CHAMPION.to_owned(),
        from: Some(from),
        to: Some(to),
        refused: false,
        reason,
    })
}

/// The moves that put `alias` on `target`; when the champion moves, `previous` takes its old place.
pub fn alias_moves(
    repo: &Repo,
    name: &str,
    alias: &str,
    target: AliasTarget,
    reason: Option<&str>,
) -> Result<Vec<RefMove>> {
    let reason = reason.map(str::to_owned);
    let mut moves = Vec::new();
    if alias == CHAMPION && repo.models()?.iter().any(|model| model == name) {
        let old = repo.aliases(name)?.get(CHAMPION).copied();
        if let Some(old) = old.filter(|old| !matches!(target, AliasTarget::Version(new) if new == *old)) {
            moves.push(RefMove::Alias {
                model: name.to_owned(),
                alias: PREVIOUS.to_owned(),
                target: AliasTarget::Version(old),
                reason: reason.clone(),
            });
        }
    }
    moves.push(RefMove::Alias { model: name.to_owned(), alias: alias.to_owned(), target, reason });
    Ok(moves)
}

/// Verdict of the evaluation that a version was registered with; of the newest one for a version that had none then, as an
/// imported model, which is judged after it got its number.
fn verdict(repo: &Repo, name: &str, version: u32) -> Result<Verdict> {
    let versions = repo.model_versions(name)?;
    let Some(entry) = versions.into_iter().find(|entry| entry.version == version) else {
        return Ok(Verdict::None);
    };
    let is_imported = || -> Result<bool> { Ok(repo.record::<ModelRecord>(&entry.model)?.imported.is_some()) };
    let evaluation = match entry.evaluation {
        None if is_imported()? => repo.newest_evaluation(&entry.package)?,
        known => known,
    };
    match evaluation {
        Some(id) => Ok(repo.record::<EvaluationRecord>(&id)?.judgement.verdict),
        None => Ok(Verdict::None),
    }
}
