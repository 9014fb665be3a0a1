//! The part of a draft that decides about marks, expectations, and changes taken back.

use std::fmt;

use anyhow::{Context, Result};

use crate::base::fail::{self, Failure};
use crate::repo::draft::Draft;
use crate::repo::layout::RefKind;
use crate::repo::lines;
use crate::repo::marks::{self, Expectation, Fact, Place, VersionFacts, VersionMark, VersionState};
use crate::repo::names::{self, CHAMPION};
use crate::repo::refs::{AliasMove, Committed, MarkedVersion, ModelVersion};
use crate::repo::undo::{self, Step};

/// What a change was decided by does not hold any more; nothing of it was written.
#[derive(Debug)]
pub struct Conflict {
    subject: String,
    failure: Failure,
}

impl Conflict {
    fn new(subject: String, now: &str, then: &str) -> Conflict {
        let failure = fail::world(format!("{now} now; {then} when this was decided"))
            .hint("see `mlops log --audit` for who was faster, then decide again");
        Conflict { subject, failure }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was changed meanwhile, so nothing was done", self.subject)
    }
}

impl std::error::Error for Conflict {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.failure)
    }
}

/// Whether a change was refused because of what others changed meanwhile.
pub fn is_conflict(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<Conflict>().is_some())
}

impl Draft<'_> {
    /// Checks that what the change was decided by still holds.
    pub fn expect(&mut self, expected: Expectation) -> Result<Committed> {
        let shown = |version: Option<u32>| version.map_or_else(|| "nothing".to_owned(), |number| format!("v{number}"));
        let conflict = match expected {
            Expectation::Alias { model, alias, at } => {
                let moves: Vec<AliasMove> = self.lines(&RefKind::Alias.file(&model))?;
                let found = lines::current(&moves).get(&alias).copied();
                let says = |at| format!("it points at {}", shown(at));
                (found != at).then(|| Conflict::new(format!("{model}@{alias}"), &says(found), &says(at)))
            }
            Expectation::State { model, version, state } => {
                let found = self.facts(&model, version)?.state;
                let says = |state: VersionState| format!("it is {}", state.name());
                (found != state).then(|| Conflict::new(format!("{model}@v{version}"), &says(found), &says(state)))
            }
            Expectation::Newest { model, version } => {
                let newest: Option<ModelVersion> = self.lines(&RefKind::Model.file(&model))?.pop();
                let found = newest.map(|newest| newest.version);
                let says = |version| format!("its newest version is {}", shown(version));
                (found != version).then(|| Conflict::new(model, &says(found), &says(version)))
            }
        };
        conflict.map_or(Ok(Committed::Expected), |conflict| Err(conflict.into()))
    }

    /// Says something of a version.
    pub fn mark(
        &mut self,
        model: String,
        version: MarkedVersion,
        fact: Fact,
        reason: Option<String>,
    ) -> Result<Committed> {
        names::check("model", &model)?;
        let version = match version {
            MarkedVersion::Number(number) => self.existing_version(&model, number)?,
            MarkedVersion::New => self.made(&model)?,
        };
        let facts = self.facts(&model, version)?;
        let fact = fact.after(&facts);
        check(&fact, &facts)?;
        if fact.is_idle() {
            return Ok(Committed::Mark { new: false });
        }
        let (from, to) = fact.ends();
        let action = fact.action();
        let place = self.place()?;
        let mark = VersionMark { version, fact, time: self.now, reason: reason.clone(), place };
        self.add(&RefKind::Mark.file(&model), &mark)?;
        self.event(action, format!("{model}@v{version}"), from, to, reason);
        self.keep_champion_in_use(&model)?;
        Ok(Committed::Mark { new: true })
    }

    /// Takes a change of a model back, or does it once more.
    pub fn undo(&mut self, model: &str, number: u64, redo: bool, reason: Option<&str>) -> Result<Committed> {
        names::check("model", model)?;
        let moves: Vec<AliasMove> = self.lines(&RefKind::Alias.file(model))?;
        let marks: Vec<VersionMark> = self.lines(&RefKind::Mark.file(model))?;
        let changes = undo::changes(&moves, &marks);
        let next = undo::next(&changes, redo);
        let Some(change) = next.filter(|change| change.number == number) else {
            let says = |number| format!("change {number} is the one to take back");
            let now = next.map_or_else(|| "there is nothing to take back".to_owned(), |change| says(change.number));
            return Err(Conflict::new(model.to_owned(), &now, &says(number)).into());
        };
        let steps = change.plan(redo);
        self.origin = if redo { (None, Some(number)) } else { (Some(number), None) };
        for step in steps {
            let reason = reason.map(str::to_owned);
            match step {
                Step::Alias { alias, to, .. } => self.alias(model.to_owned(), alias, to.into(), reason).map(drop)?,
                Step::Fact { version, fact } => {
                    self.mark(model.to_owned(), MarkedVersion::Number(version), fact, reason).map(drop)?;
                }
            }
        }
        self.origin = (None, None);
        Ok(Committed::Undone)
    }

    /// With what the lines of this change happen.
    pub fn place(&mut self) -> Result<Place> {
        let change = match self.change {
            Some(number) => number,
            None => *self.change.insert(self.next_audit_line()?),
        };
        let (undoes, redoes) = self.origin;
        Ok(Place { change: Some(change), undoes, redoes })
    }

    /// The version that this change made of `model`, or found to be the newest.
    pub fn made(&self, model: &str) -> Result<u32> {
        let missing = || format!("this change names a new version of {model} that it does not make");
        self.made.get(model).copied().with_context(missing)
    }

    /// The champion never points at an archived version, whichever of the two moved.
    pub fn keep_champion_in_use(&mut self, model: &str) -> Result<()> {
        let moves: Vec<AliasMove> = self.lines(&RefKind::Alias.file(model))?;
        let Some(version) = lines::current(&moves).get(CHAMPION).copied() else {
            return Ok(());
        };
        if self.facts(model, version)?.state != VersionState::Archived {
            return Ok(());
        }
        Err(fail::usage(format!("{model}@v{version} would be archived and {CHAMPION} at once"))
            .hint(format!(
                "move {CHAMPION} to another version, or bring this one back: `mlops mark {model}@v{version} approved`"
            ))
            .into())
    }

    /// What is said of one version now.
    fn facts(&mut self, model: &str, version: u32) -> Result<VersionFacts> {
        let versions: Vec<ModelVersion> = self.lines(&RefKind::Model.file(model))?;
        let marks: Vec<VersionMark> = self.lines(&RefKind::Mark.file(model))?;
        let own: Vec<ModelVersion> = versions.into_iter().filter(|known| known.version == version).collect();
        Ok(marks::facts(&own, &marks).remove(&version).unwrap_or_default())
    }
}

fn check(fact: &Fact, facts: &VersionFacts) -> Result<()> {
    match fact {
        Fact::Note { to: Some(note), .. } => marks::check_note(note),
        Fact::Tag { name, to: Some(value), from } => {
            marks::check_tag(name, value, facts.tags.len() + usize::from(from.is_none()))
        }
        _ => Ok(()),
    }
}
