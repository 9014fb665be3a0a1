//! The vocabulary of refs: the names that people use for objects, and how they change.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::id::{ObjectId, RunId};
use crate::repo::marks::{Expectation, Fact, Place};

/// One version of a dataset. Numbers count from 1 and are never reused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DatasetVersion {
    /// Number.
    pub version: u32,
    /// The dataset record.
    pub id: ObjectId,
    /// When it was added.
    pub time: Timestamp,
}

/// One version of a model. Numbers count from 1 and are never reused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Number.
    pub version: u32,
    /// The package blob; what a person calls the model's id.
    pub package: ObjectId,
    /// The model record.
    pub model: ObjectId,
    /// The evaluation record it was registered with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evaluation: Option<ObjectId>,
    /// When it was registered.
    pub time: Timestamp,
    /// What the person said about it then; marks may change it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Free words the person gave it then, by name; marks may change them.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

impl ModelVersion {
    /// Whether registering `wanted` after this one makes no new version. A note and tags that are not given, or are the
    /// same, make none.
    pub fn says_the_same(&self, wanted: &ModelVersion) -> bool {
        let objects = |of: &ModelVersion| (of.package, of.model, of.evaluation);
        objects(self) == objects(wanted)
            && (wanted.note.is_none() || wanted.note == self.note)
            && (wanted.tags.is_empty() || wanted.tags == self.tags)
    }
}

/// One move of one alias of a model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasMove {
    /// The alias.
    pub alias: String,
    /// Version it pointed at before; `None` when it is new.
    pub from: Option<u32>,
    /// Version it points at since; `None` when it was removed.
    #[serde(rename = "version")]
    pub to: Option<u32>,
    /// When.
    pub time: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With what it happened.
    #[serde(flatten)]
    pub place: Place,
}

/// One run that has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunRef {
    /// The run.
    pub run: RunId,
    /// Its record.
    pub record: ObjectId,
    /// When it was sealed.
    pub time: Timestamp,
}

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Login name.
    pub user: String,
    /// Machine.
    pub host: String,
    /// What they run; a process that waits for the lock is told this.
    pub command: String,
}

/// Moves of refs that happen together or not at all, in this order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The moves.
    pub moves: Vec<RefMove>,
}

/// One move.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefMove {
    /// Adds a version to a dataset, unless its newest version is the same record.
    Dataset {
        /// Name of the dataset; made if new.
        name: String,
        /// The dataset record.
        id: ObjectId,
    },
    /// Adds a version to a model, unless its newest version says the same.
    Model {
        /// Name of the model; made if new.
        name: String,
        /// The package blob.
        package: ObjectId,
        /// The model record.
        model: ObjectId,
        /// The evaluation record.
        evaluation: Option<ObjectId>,
        /// What the person says about it.
        note: Option<String>,
        /// Free words by name.
        tags: BTreeMap<String, String>,
        /// Why, for the audit log.
        reason: Option<String>,
    },
    /// Points an alias at a version, or removes it.
    Alias {
        /// Name of the model.
        model: String,
        /// The alias.
        alias: String,
        /// Where to.
        target: AliasTarget,
        /// Why.
        reason: Option<String>,
    },
    /// Says something of a version; nothing is written where it is said already.
    Mark {
        /// Name of the model.
        model: String,
        /// Which version.
        version: MarkedVersion,
        /// What; its `from` is looked up.
        fact: Fact,
        /// Why.
        reason: Option<String>,
    },
    /// Moves nothing: the whole change is refused unless this still holds.
    Expect(Expectation),
    /// Takes the change `change` of a model back, or does it once more; refused unless it is the one that is next.
    Undo {
        /// Name of the model.
        model: String,
        /// The change.
        change: u64,
        /// Whether it was taken back before and is done once more.
        redo: bool,
        /// Why.
        reason: Option<String>,
    },
    /// Seals a run. At most once a run.
    Run {
        /// The run.
        run: RunId,
        /// Its record.
        record: ObjectId,
    },
}

/// Which version a mark is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkedVersion {
    /// One that exists.
    Number(u32),
    /// As [`AliasTarget::NewVersion`].
    New,
}

/// Where an alias goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AliasTarget {
    /// A version that exists.
    Version(u32),
    /// The version that the last `Model` move of the same name in the same change made, or found to be the newest.
    NewVersion,
    /// Nowhere: the alias is removed.
    Remove,
}

impl From<Option<u32>> for AliasTarget {
    fn from(version: Option<u32>) -> AliasTarget {
        version.map_or(AliasTarget::Remove, AliasTarget::Version)
    }
}

/// Outcome of one move, in the order of the moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Committed {
    /// Of a `Dataset` move.
    Dataset {
        /// The version that has this record.
        version: u32,
        /// False: the newest version was the same already and nothing was written.
        new: bool,
    },
    /// Of a `Model` move.
    Model {
        /// The version.
        version: u32,
        /// False: the newest version was the same already and nothing was written.
        new: bool,
    },
    /// Of an `Alias` move; equal ends mean that nothing was written.
    Alias {
        /// Version it pointed at before.
        from: Option<u32>,
        /// Version it points at now.
        to: Option<u32>,
    },
    /// Of a `Mark` move; false: it was said already and nothing was written.
    Mark {
        /// Whether anything was written.
        new: bool,
    },
    /// Of an `Expect` move.
    Expected,
    /// Of an `Undo` move.
    Undone,
    /// Of a `Run` move.
    Run,
}
