//! `promote` and `rollback`: an alias moves to another version, recorded, in one transaction.
//!
//! What is decided here is decided on what refs say now; the transaction checks that they still say it, so of two
//! processes that decide at once the slower one is refused.

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::id::ObjectId;
use crate::base::suggest;
use crate::ops::context::OpCtx;
use crate::ops::hooks::{self, Happening};
use crate::record::evaluation::{EvaluationRecord, Verdict};
use crate::repo::Repo;
use crate::repo::marks::{Expectation, Fact, VersionState};
use crate::repo::names;
use crate::repo::refs::{AliasTarget, Change, MarkedVersion, RefMove};

/// The alias that gates compare with and that serving follows.
pub const CHAMPION: &str = names::CHAMPION;
/// Where the champion was before its last move.
pub const PREVIOUS: &str = "previous";

/// What to promote.
#[derive(Clone, Debug)]
pub struct PromoteOptions {
    /// The version: `NAME@v7` or `NAME@ALIAS`; for a removal the name alone.
    pub model: String,
    /// The alias to move.
    pub alias: String,
    /// Takes the alias away instead of pointing it anywhere.
    pub remove: bool,
    /// Moves it although the version has no verdict `pass`, or is rejected or archived.
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
    /// State of the version that it points at now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<VersionState>,
    /// Whether the move was refused.
    pub refused: bool,
    /// Why, when refused.
    pub reason: Option<String>,
}

/// One move of one alias, as it was decided.
struct Decided {
    name: String,
    alias: String,
    from: Option<u32>,
    to: Option<u32>,
    verdict: Verdict,
    state: VersionState,
    forced: bool,
    reason: Option<String>,
    command: &'static str,
}

/// Moves an alias to a version whose gates passed and that is neither rejected nor archived, or takes it away.
///
/// The champion's move makes a pending version approved. Errors: an unknown version or alias; force without a reason;
/// the alias or the version was changed by another process meanwhile.
pub fn promote(repo: &Repo, options: &PromoteOptions, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
    check_force(options.force, options.reason.as_deref())?;
    if options.remove {
        return remove(repo, options, ctx);
    }
    let found = repo.resolve_model(&options.model)?;
    let (Some(name), Some(version)) = (found.name.clone(), found.version) else {
        let what = format!("`{}` is not a registered version", options.model);
        return Err(fail::usage(what).hint("register it first: `mlops register MODEL NAME`").into());
    };
    names::check_alias(&options.alias)?;
    let decided = Decided {
        from: repo.aliases(&name)?.get(&options.alias).copied(),
        to: Some(version),
        verdict: verdict(repo, &name, version)?,
        state: repo.version_state(&name, version)?,
        forced: false,
        reason: options.reason.clone(),
        alias: options.alias.clone(),
        name,
        command: "promote",
    };
    let against = against(&decided.name, version, &decided.alias, decided.verdict, decided.state);
    match (against, options.force) {
        (Some(Against::Ever(why)), _) | (Some(Against::UnlessForced(why)), false) => Ok(decided.refused(why)),
        (against, _) => decided.forced_if(against.is_some()).carry_out(repo, ctx),
    }
}

/// What speaks against an alias pointing at a version.
pub enum Against {
    /// It may, with force.
    UnlessForced(String),
    /// It may not.
    Ever(String),
}

/// What speaks against `alias` pointing at a version of this verdict and state, if anything does.
pub fn against(name: &str, version: u32, alias: &str, verdict: Verdict, state: VersionState) -> Option<Against> {
    closed(name, version, alias, state).or_else(|| {
        let why = || format!("{name}@v{version} has the verdict `{}`, and `pass` is needed", verdict.name());
        (verdict != Verdict::Pass).then(|| Against::UnlessForced(why()))
    })
}

/// What speaks against it of the state alone.
fn closed(name: &str, version: u32, alias: &str, state: VersionState) -> Option<Against> {
    if state == VersionState::Archived && alias == CHAMPION {
        let back = format!("bring it back first: `mlops mark {name}@v{version} approved`");
        return Some(Against::Ever(format!("{name}@v{version} is archived, and a champion is in use; {back}")));
    }
    (!state.is_open()).then(|| Against::UnlessForced(format!("{name}@v{version} is {}", state.name())))
}

/// Refuses force that nobody gave a reason for.
pub fn check_force(force: bool, reason: Option<&str>) -> Result<()> {
    match force && reason.is_none_or(|reason| reason.trim().is_empty()) {
        true => {
            Err(fail::usage("--force needs a reason").hint("add --reason \"WHY\"; it is kept in the audit log").into())
        }
        false => Ok(()),
    }
}

fn remove(repo: &Repo, options: &PromoteOptions, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
    let (name, alias) = (&options.model, &options.alias);
    if name.contains('@') {
        let plain = name.split('@').next().unwrap_or_default();
        let what = format!("an alias is taken from a model, not from the version `{name}`");
        return Err(fail::usage(what).hint(format!("write `mlops promote {plain} --remove {alias}`")).into());
    }
    let versions = repo.model_versions(name)?;
    let aliases = repo.aliases(name)?;
    let Some(from) = aliases.get(alias).copied() else {
        let kind = format!("alias of model {name}");
        return Err(suggest::unknown(&kind, alias, aliases.keys().map(String::as_str)).into());
    };
    debug_assert!(versions.iter().any(|version| version.version == from));
    let decided = Decided {
        name: name.clone(),
        alias: alias.clone(),
        from: Some(from),
        to: None,
        verdict: verdict(repo, name, from)?,
        state: repo.version_state(name, from)?,
        forced: false,
        reason: options.reason.clone(),
        command: "promote",
    };
    decided.carry_out(repo, ctx)
}

/// Moves `champion` back to `previous`, and `previous` to where `champion` was: doing it twice changes nothing.
///
/// Needs no verdict, as that version was the champion before; one that was rejected since needs force and a reason.
pub fn rollback(repo: &Repo, name: &str, force: bool, reason: Option<&str>, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
    check_force(force, reason)?;
    let known = repo.models()?;
    if !known.iter().any(|model| model == name) {
        return Err(suggest::unknown("model", name, known.iter().map(String::as_str)).into());
    }
    let aliases = repo.aliases(name)?;
    let (Some(&from), Some(&to)) = (aliases.get(CHAMPION), aliases.get(PREVIOUS)) else {
        let what = format!("{name} has no previous champion to go back to");
        return Err(fail::world(what).hint(format!("see `mlops log --models` and `mlops promote {name}@vN`")).into());
    };
    let state = repo.version_state(name, to)?;
    let decided = Decided {
        name: name.to_owned(),
        alias: CHAMPION.to_owned(),
        from: Some(from),
        to: Some(to),
        verdict: verdict(repo, name, to)?,
        state,
        forced: false,
        reason: reason.map(str::to_owned),
        command: "rollback",
    };
    match (closed(name, to, CHAMPION, state), force) {
        (Some(Against::Ever(why)), _) | (Some(Against::UnlessForced(why)), false) => Ok(decided.refused(why)),
        (against, _) => decided.forced_if(against.is_some()).carry_out(repo, ctx),
    }
}

impl Decided {
    fn forced_if(self, forced: bool) -> Decided {
        Decided { forced, ..self }
    }

    fn refused(self, why: String) -> PromoteReport {
        let to = self.from;
        PromoteReport { to, refused: true, reason: Some(why), state: None, ..self.report() }
    }

    fn report(self) -> PromoteReport {
        let (name, alias, from, to, reason) = (self.name, self.alias, self.from, self.to, self.reason);
        PromoteReport { name, alias, from, to, state: to.map(|_| self.state), refused: false, reason }
    }

    /// Asks, moves, tells.
    fn carry_out(self, repo: &Repo, ctx: &OpCtx<'_>) -> Result<PromoteReport> {
        if self.from == self.to {
            return Ok(self.report());
        }
        let mut happening = Happening {
            event: "promote",
            command: self.command,
            name: self.name.clone(),
            version: self.to,
            id: None,
            alias: Some(self.alias.clone()),
            from: self.from,
            to: self.to,
            reason: self.reason.clone(),
            verdict: self.verdict,
            state: self.state,
            forced: self.forced,
        };
        if let Some(why) = hooks::before(repo, &happening, ctx)? {
            return Ok(self.refused(why));
        }
        let (name, alias) = (&self.name, &self.alias);
        let mut moves =
            vec![RefMove::Expect(Expectation::Alias { model: name.clone(), alias: alias.clone(), at: self.from })];
        if let Some(version) = self.to {
            let (model, state) = (name.clone(), self.state);
            moves.push(RefMove::Expect(Expectation::State { model, version, state }));
        }
        let why = told(self.reason.as_deref(), self.forced);
        moves.extend(alias_moves(repo, name, alias, self.to.into(), why.as_deref())?);
        repo.commit(Change { moves }, &ctx.actor(), ctx.clock.now())?;
        if let Some(version) = self.to {
            happening.state = repo.version_state(name, version)?;
        }
        hooks::after(repo, &happening, ctx);
        Ok(PromoteReport { state: self.to.map(|_| happening.state), ..self.report() })
    }
}

/// A reason as the audit log keeps it: that something was forced is part of it.
pub fn told(reason: Option<&str>, forced: bool) -> Option<String> {
    reason.map(|reason| if forced { format!("forced: {reason}") } else { reason.to_owned() })
}

/// The moves that put `alias` on `target`. When the champion moves, `previous` takes its old place, and a pending version
/// becomes approved: putting it in charge is the approval.
pub fn alias_moves(
    repo: &Repo,
    name: &str,
    alias: &str,
    target: AliasTarget,
    reason: Option<&str>,
) -> Result<Vec<RefMove>> {
    let (model, reason) = (name.to_owned(), reason.map(str::to_owned));
    let mut moves = Vec::new();
    if alias == CHAMPION {
        let old = repo.aliases(name)?.get(CHAMPION).copied();
        let alias = CHAMPION.to_owned();
        moves.push(RefMove::Expect(Expectation::Alias { model: model.clone(), alias, at: old }));
        if let Some(old) = old.filter(|old| !matches!(target, AliasTarget::Version(new) if new == *old)) {
            moves.push(RefMove::Alias {
                model: model.clone(),
                alias: PREVIOUS.to_owned(),
                target: AliasTarget::Version(old),
                reason: reason.clone(),
            });
        }
    }
    moves.push(RefMove::Alias { model: model.clone(), alias: alias.to_owned(), target, reason: reason.clone() });
    let version = match target {
        AliasTarget::Version(version) if repo.version_state(name, version)? == VersionState::Pending => {
            Some(MarkedVersion::Number(version))
        }
        AliasTarget::NewVersion => Some(MarkedVersion::New),
        _ => None,
    };
    if let Some(version) = version.filter(|_| alias == CHAMPION) {
        moves.push(RefMove::Mark { model, version, fact: Fact::state(VersionState::Approved), reason });
    }
    Ok(moves)
}

/// Verdict about a version: that of the newest evaluation of its package, unless that one asked for nothing and the version was
/// registered with a pass.
pub fn verdict(repo: &Repo, name: &str, version: u32) -> Result<Verdict> {
    let versions = repo.model_versions(name)?;
    let Some(entry) = versions.into_iter().find(|entry| entry.version == version) else {
        return Ok(Verdict::None);
    };
    let of = |id: Option<ObjectId>| -> Result<Verdict> {
        id.map_or(Ok(Verdict::None), |id| Ok(repo.record::<EvaluationRecord>(&id)?.counted_verdict()))
    };
    let newest = of(repo.newest_evaluation(&entry.package)?)?;
    match of(entry.evaluation)? {
        Verdict::Pass if newest != Verdict::Fail => Ok(Verdict::Pass),
        _ => Ok(newest),
    }
}
