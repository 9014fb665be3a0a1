//! `mark`: what people decide about a version, and what they call it: state, note, tags.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::base::fail;
use crate::base::talk::Talk;
use crate::ops::context::OpCtx;
use crate::ops::promote::CHAMPION;
use crate::repo::Repo;
use crate::repo::marks::{Fact, VersionFacts, VersionState};
use crate::repo::refs::{Change, MarkedVersion, RefMove};
use crate::repo::resolve::ModelRef;

/// What to say of which version.
#[derive(Clone, Debug, Default)]
pub struct MarkOptions {
    /// The version: `NAME@v7` or `NAME@ALIAS`.
    pub model: String,
    /// The state it gets.
    pub state: Option<VersionState>,
    /// The note it gets; an empty one takes it away.
    pub note: Option<String>,
    /// Tags it gets.
    pub tags: BTreeMap<String, String>,
    /// Tags it loses.
    pub untags: Vec<String>,
    /// Why, for the audit log.
    pub reason: Option<String>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize)]
pub struct MarkReport {
    /// Name of the model.
    pub name: String,
    /// The version.
    pub version: u32,
    /// All that is said of it now.
    #[serde(flatten)]
    pub facts: VersionFacts,
    /// What changed, in sentences; nothing when it was said already.
    pub changes: Vec<String>,
}

/// Says something of a version, in one transaction.
///
/// Errors: an unknown version; nothing to say; a tag to take away that is not there; archiving the champion.
pub fn mark(repo: &Repo, options: &MarkOptions, ctx: &OpCtx<'_>) -> Result<MarkReport> {
    let found = repo.resolve_model(&options.model)?;
    let (Some(name), Some(version)) = (found.name, found.version) else {
        let what = format!("`{}` is not a registered version", options.model);
        return Err(fail::usage(what).hint("register it first: `mlops register MODEL NAME`").into());
    };
    let before = repo.version_facts(&name)?.remove(&version).unwrap_or_default();
    let facts = wanted(options, &name, version, &before)?;
    let moves = facts.iter().map(|fact| RefMove::Mark {
        model: name.clone(),
        version: MarkedVersion::Number(version),
        fact: fact.clone(),
        reason: options.reason.clone(),
    });
    repo.commit(Change { moves: moves.collect() }, &ctx.actor(), ctx.clock.now())?;
    let after = repo.version_facts(&name)?.remove(&version).unwrap_or_default();
    if after.state == VersionState::Rejected && repo.aliases(&name)?.get(CHAMPION) == Some(&version) {
        ctx.talk.warn(&format!("{name}@{CHAMPION} still points at it: `mlops rollback {name}` goes back"));
    }
    let changes = facts.into_iter().map(|fact| fact.after(&before)).filter(|fact| !fact.is_idle());
    Ok(MarkReport { changes: changes.map(|fact| fact.to_string()).collect(), name, version, facts: after })
}

fn wanted(options: &MarkOptions, name: &str, version: u32, before: &VersionFacts) -> Result<Vec<Fact>> {
    let mut facts: Vec<Fact> = options.state.map(Fact::state).into_iter().collect();
    if let Some(note) = &options.note {
        facts.push(Fact::Note { from: None, to: Some(note.clone()).filter(|note| !note.is_empty()) });
    }
    for (tag, value) in &options.tags {
        facts.push(Fact::Tag { name: tag.clone(), from: None, to: Some(value.clone()) });
    }
    for tag in &options.untags {
        if !before.tags.contains_key(tag) {
            let kind = format!("tag of {name}@v{version}");
            return Err(crate::base::suggest::unknown(&kind, tag, before.tags.keys().map(String::as_str)).into());
        }
        facts.push(Fact::Tag { name: tag.clone(), from: None, to: None });
    }
    if facts.is_empty() {
        let states = VersionState::ALL.map(VersionState::name).join(", ");
        return Err(fail::usage(format!("nothing is said of {name}@v{version}"))
            .hint(format!("name a state ({states}), --note or --tag"))
            .into());
    }
    Ok(facts)
}

/// Says when a version that is about to be used was rejected or put out of use.
pub fn warn_if_closed(repo: &Repo, found: &ModelRef, talk: &dyn Talk) -> Result<()> {
    let (Some(name), Some(version)) = (&found.name, found.version) else {
        return Ok(());
    };
    let state = repo.version_state(name, version)?;
    if !state.is_open() {
        talk.warn(&format!("{name}@v{version} is {}", state.name()));
    }
    Ok(())
}
