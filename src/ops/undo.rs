//! `undo`: the last change of a model's aliases, states, notes and tags is taken back, or done once more.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::clock::Timestamp;
use crate::base::fail;
use crate::ops::context::OpCtx;
use crate::ops::hooks::{self, Happening};
use crate::ops::promote::{CHAMPION, PREVIOUS, verdict};
use crate::record::evaluation::Verdict;
use crate::repo::Repo;
use crate::repo::refs::{Change, RefMove};
use crate::repo::undo::{self, ModelChange, Step};

/// What to take back.
#[derive(Clone, Debug)]
pub struct UndoOptions {
    /// Name of the model.
    pub name: String,
    /// Does the change that was taken back last once more.
    pub redo: bool,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// One thing that was taken back.
#[derive(Clone, Debug, Serialize)]
pub struct UndoneStep {
    /// `penguins@champion`, or `penguins@v3 state`.
    pub what: String,
    /// Before this.
    pub from: Option<String>,
    /// Now.
    pub to: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct UndoReport {
    /// Name of the model.
    pub name: String,
    /// Whether it was done once more.
    pub redo: bool,
    /// The change that was taken back: number of its first line in the audit log.
    pub change: u64,
    /// When that was made.
    pub time: Timestamp,
    /// Why that was made.
    pub of_reason: Option<String>,
    /// What was done now, in order.
    pub steps: Vec<UndoneStep>,
    /// Whether a hook refused.
    pub refused: bool,
    /// Why it refused.
    pub reason: Option<String>,
    /// Where every alias of the model points now.
    pub aliases: BTreeMap<String, u32>,
}

/// Takes the last change of a model back, or does the one that was taken back last once more.
///
/// Versions stay: a version that came with an alias keeps its number. Errors: no such model, nothing to take back, another
/// process changed the model meanwhile.
pub fn undo(repo: &Repo, options: &UndoOptions, ctx: &OpCtx<'_>) -> Result<UndoReport> {
    let UndoOptions { name, redo, reason } = options;
    let versions = repo.model_versions(name)?;
    let changes = undo::changes(&repo.alias_moves(name)?, &repo.marks(name)?);
    let Some(change) = undo::next(&changes, *redo) else {
        let count = versions.len();
        let failure = match redo {
            true => fail::world(format!("nothing of {name} was taken back that could be done once more"))
                .hint("`mlops undo --redo` follows an `mlops undo`, with no other change in between"),
            false => fail::world(format!("there is nothing of {name} to take back"))
                .hint(format!("its versions (there are {count}) stay for ever; see `mlops log --audit`")),
        };
        return Err(failure.into());
    };
    let steps = change.plan(*redo);
    let mut report = UndoReport {
        name: name.clone(),
        redo: *redo,
        change: change.number,
        time: change.time,
        of_reason: change.reason.clone(),
        steps: steps.iter().map(|step| shown(name, step)).collect(),
        refused: false,
        reason: None,
        aliases: BTreeMap::new(),
    };
    let happenings = happenings(repo, options, &steps)?;
    for happening in &happenings {
        if let Some(why) = hooks::before(repo, happening, ctx)? {
            let aliases = repo.aliases(name)?;
            return Ok(UndoReport { refused: true, reason: Some(why), steps: Vec::new(), aliases, ..report });
        }
    }
    let reason = Some(why(change, *redo, reason.as_deref()));
    let moves = vec![RefMove::Undo { model: name.clone(), change: change.number, redo: *redo, reason }];
    repo.commit(Change { moves }, &ctx.actor(), ctx.clock.now())?;
    happenings.iter().for_each(|happening| hooks::after(repo, happening, ctx));
    report.aliases = repo.aliases(name)?;
    Ok(report)
}

/// The reason that the audit log keeps: what this takes back, then what the person says.
fn why(change: &ModelChange, redo: bool, reason: Option<&str>) -> String {
    let verb = if redo { "redo" } else { "undo" };
    let what = format!("{verb} of change {}", change.number);
    reason.map_or(what.clone(), |reason| format!("{what}: {reason}"))
}

/// What the promote hooks are told: each alias that moves, but for `previous`, which only follows the champion.
fn happenings(repo: &Repo, options: &UndoOptions, steps: &[Step]) -> Result<Vec<Happening>> {
    let name = &options.name;
    let champion_moves = steps.iter().any(|step| matches!(step, Step::Alias { alias, .. } if alias == CHAMPION));
    let mut happenings = Vec::new();
    for step in steps {
        let Step::Alias { alias, from, to } = step else { continue };
        if alias == PREVIOUS && champion_moves {
            continue;
        }
        happenings.push(Happening {
            event: "promote",
            command: "undo",
            name: name.clone(),
            version: *to,
            id: None,
            alias: Some(alias.clone()),
            from: *from,
            to: *to,
            reason: options.reason.clone(),
            verdict: to.map_or(Ok(Verdict::None), |version| verdict(repo, name, version))?,
            state: to.map_or(Ok(Default::default()), |version| repo.version_state(name, version))?,
            forced: false,
        });
    }
    Ok(happenings)
}

fn shown(name: &str, step: &Step) -> UndoneStep {
    match step {
        Step::Alias { alias, from, to } => {
            let version = |version: &Option<u32>| version.map(|number| format!("v{number}"));
            UndoneStep { what: format!("{name}@{alias}"), from: version(from), to: version(to) }
        }
        Step::Fact { version, fact } => {
            let (from, to) = fact.ends();
            let kind = fact.action().trim_start_matches("model.");
            UndoneStep { what: format!("{name}@v{version} {kind}"), from, to }
        }
    }
}
