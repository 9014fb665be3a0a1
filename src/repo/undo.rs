//! Which change of a model is taken back next, and which is done once more.
//!
//! Lines that were written together are one change. Taking one back is a change of its own, so nothing is ever lost: the
//! lines say which change they undo or redo, and from them the two stacks of an editor are worked out. Undoing twice goes
//! two changes back; a new change forgets what could be done once more.

use std::collections::BTreeMap;

use crate::base::clock::Timestamp;
use crate::repo::marks::{Fact, Place, VersionMark};
use crate::repo::refs::AliasMove;

/// One thing that a change did, or that taking it back does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// An alias moved.
    Alias {
        /// The alias.
        alias: String,
        /// Where it pointed.
        from: Option<u32>,
        /// Where it points since.
        to: Option<u32>,
    },
    /// Something was said of a version.
    Fact {
        /// The version.
        version: u32,
        /// What.
        fact: Fact,
    },
}

/// All that happened to a model at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelChange {
    /// Number; what undoing and redoing name.
    pub number: u64,
    /// When.
    pub time: Timestamp,
    /// Why.
    pub reason: Option<String>,
    /// What it did, in order.
    pub steps: Vec<Step>,
    place: Place,
}

impl Step {
    /// The step that takes this one back.
    fn inverse(&self) -> Step {
        match self.clone() {
            Step::Alias { alias, from, to } => Step::Alias { alias, from: to, to: from },
            Step::Fact { version, fact } => Step::Fact { version, fact: fact.inverse() },
        }
    }
}

impl ModelChange {
    /// The steps that take the change back, or do it once more.
    pub fn plan(&self, redo: bool) -> Vec<Step> {
        match redo {
            true => self.steps.clone(),
            false => self.steps.iter().rev().map(Step::inverse).collect(),
        }
    }
}

/// All changes of a model, oldest first.
pub fn changes(moves: &[AliasMove], marks: &[VersionMark]) -> Vec<ModelChange> {
    // Lines without a number are older than all that have one; their time tells them apart.
    let key = |place: &Place, time: Timestamp| match place.change {
        Some(number) => (true, number),
        None => (false, u64::try_from(time.as_micros()).unwrap_or(0)),
    };
    let mut found: BTreeMap<(bool, u64), ModelChange> = BTreeMap::new();
    let mut add = |place: Place, time: Timestamp, reason: &Option<String>, step: Step| {
        let key = key(&place, time);
        let new = || ModelChange { number: key.1, time, reason: reason.clone(), steps: Vec::new(), place };
        found.entry(key).or_insert_with(new).steps.push(step);
    };
    for AliasMove { alias, from, to, time, reason, place } in moves {
        add(*place, *time, reason, Step::Alias { alias: alias.clone(), from: *from, to: *to });
    }
    for VersionMark { version, fact, time, reason, place } in marks {
        add(*place, *time, reason, Step::Fact { version: *version, fact: fact.clone() });
    }
    found.into_values().collect()
}

/// The change that `undo` takes back next, or with `redo` the one that it does once more; `None` when there is none.
pub fn next(changes: &[ModelChange], redo: bool) -> Option<&ModelChange> {
    let (mut done, mut undone): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
    for change in changes {
        match (change.place.undoes, change.place.redoes) {
            (Some(number), _) => {
                done.retain(|known| *known != number);
                undone.push(number);
            }
            (None, Some(number)) => {
                undone.retain(|known| *known != number);
                done.push(number);
            }
            (None, None) => {
                done.push(change.number);
                undone.clear();
            }
        }
    }
    let number = if redo { undone.pop() } else { done.pop() }?;
    changes.iter().rfind(|change| change.number == number)
}
