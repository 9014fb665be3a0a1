//! What is said of a version after it was registered: its state, note and tags, as lines that are only ever added.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use crate::base::clock::Timestamp;
use crate::base::fail::{self, Failure};
use crate::base::limits::{NOTE_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX};
use crate::base::suggest;
use crate::repo::Repo;
use crate::repo::layout::RefKind;
use crate::repo::lines;
use crate::repo::names;
use crate::repo::refs::ModelVersion;

/// What people have decided about a version. The names are those of SageMaker's approval status and MLflow's stages, where
/// they have one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VersionState {
    /// Nobody has decided: every new version.
    #[default]
    Pending,
    /// Fit for use.
    Approved,
    /// Not fit for use.
    Rejected,
    /// Out of use.
    Archived,
}

impl VersionState {
    /// All of them, in the order of a version's life.
    pub const ALL: [VersionState; 4] =
        [VersionState::Pending, VersionState::Approved, VersionState::Rejected, VersionState::Archived];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            VersionState::Pending => "pending",
            VersionState::Approved => "approved",
            VersionState::Rejected => "rejected",
            VersionState::Archived => "archived",
        }
    }

    /// Whether an alias may move to such a version without force.
    pub fn is_open(self) -> bool {
        matches!(self, VersionState::Pending | VersionState::Approved)
    }
}

impl FromStr for VersionState {
    type Err = Failure;

    fn from_str(text: &str) -> Result<VersionState, Failure> {
        let found = VersionState::ALL.into_iter().find(|state| state.name() == text);
        found.ok_or_else(|| suggest::unknown("state", text, VersionState::ALL.map(VersionState::name)))
    }
}

/// With what else a line was written: lines of one change are taken back together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Number of the change: that of its first line in the audit log. Lines of older versions have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<u64>,
    /// The change that this one took back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<u64>,
    /// The change that this one did once more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub redoes: Option<u64>,
}

/// One thing that is said of a version, and what was said before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Its state.
    State {
        /// Before.
        from: VersionState,
        /// Since.
        to: VersionState,
    },
    /// Its note.
    Note {
        /// Before.
        from: Option<String>,
        /// Since; none: it was taken away.
        to: Option<String>,
    },
    /// One of its tags.
    Tag {
        /// Name of the tag.
        name: String,
        /// Before.
        from: Option<String>,
        /// Since; none: it was taken away.
        to: Option<String>,
    },
}

impl Fact {
    /// That a version is `to`.
    pub fn state(to: VersionState) -> Fact {
        Fact::State { from: VersionState::Pending, to }
    }

    /// What the audit log calls it.
    pub fn action(&self) -> &'static str {
        match self {
            Fact::State { .. } => "model.state",
            Fact::Note { .. } => "model.note",
            Fact::Tag { .. } => "model.tag",
        }
    }

    /// Before and since, as the audit log has them.
    pub fn ends(&self) -> (Option<String>, Option<String>) {
        match self {
            Fact::State { from, to } => (Some(from.name().to_owned()), Some(to.name().to_owned())),
            Fact::Note { from, to } => (from.clone(), to.clone()),
            Fact::Tag { name, from, to } => {
                let shown = |value: &Option<String>| value.as_ref().map(|value| format!("{name}={value}"));
                (shown(from), shown(to))
            }
        }
    }

    /// The same with what `facts` say now as what was said before.
    pub fn after(self, facts: &VersionFacts) -> Fact {
        match self {
            Fact::State { to, .. } => Fact::State { from: facts.state, to },
            Fact::Note { to, .. } => Fact::Note { from: facts.note.clone(), to },
            Fact::Tag { name, to, .. } => Fact::Tag { from: facts.tags.get(&name).cloned(), name, to },
        }
    }

    /// The fact that takes this one back.
    pub fn inverse(self) -> Fact {
        match self {
            Fact::State { from, to } => Fact::State { from: to, to: from },
            Fact::Note { from, to } => Fact::Note { from: to, to: from },
            Fact::Tag { name, from, to } => Fact::Tag { name, from: to, to: from },
        }
    }

    /// Whether it changes nothing.
    pub fn is_idle(&self) -> bool {
        let (from, to) = self.ends();
        from == to
    }
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = self.ends();
        let shown = |end: Option<String>| end.unwrap_or_else(|| "nothing".to_owned());
        let what = match self {
            Fact::State { .. } => "state",
            Fact::Note { .. } => "note",
            Fact::Tag { .. } => "tag",
        };
        write!(f, "{what} {} -> {}", shown(from), shown(to))
    }
}

/// One line of what is said of versions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct VersionMark {
    /// The version.
    pub version: u32,
    /// What is said.
    #[serde(flatten)]
    pub fact: Fact,
    /// When.
    pub time: Timestamp,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// With what it happened.
    #[serde(flatten)]
    pub place: Place,
}

/// What must still hold when a change is made, as it was decided by it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expectation {
    /// Where an alias points.
    Alias {
        /// Name of the model.
        model: String,
        /// The alias.
        alias: String,
        /// The version.
        at: Option<u32>,
    },
    /// State of a version.
    State {
        /// Name of the model.
        model: String,
        /// The version.
        version: u32,
        /// Its state.
        state: VersionState,
    },
    /// Number of the newest version.
    Newest {
        /// Name of the model.
        model: String,
        /// The version; none when there is no model of that name.
        version: Option<u32>,
    },
}

/// All that is said of a version now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VersionFacts {
    /// Its state.
    pub state: VersionState,
    /// Its note.
    pub note: Option<String>,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

impl VersionFacts {
    /// What was said of a version when it was registered.
    pub fn of(version: &ModelVersion) -> VersionFacts {
        VersionFacts { state: VersionState::default(), note: version.note.clone(), tags: version.tags.clone() }
    }

    /// Takes in one more fact.
    pub fn say(&mut self, fact: &Fact) {
        match fact {
            Fact::State { to, .. } => self.state = *to,
            Fact::Note { to, .. } => self.note.clone_from(to),
            Fact::Tag { name, to: Some(value), .. } => drop(self.tags.insert(name.clone(), value.clone())),
            Fact::Tag { name, to: None, .. } => drop(self.tags.remove(name)),
        }
    }
}

/// What is said of every version of a model, from its versions and the marks on them.
pub fn facts(versions: &[ModelVersion], marks: &[VersionMark]) -> BTreeMap<u32, VersionFacts> {
    let mut facts: BTreeMap<u32, VersionFacts> =
        versions.iter().map(|version| (version.version, VersionFacts::of(version))).collect();
    for mark in marks {
        if let Some(facts) = facts.get_mut(&mark.version) {
            facts.say(&mark.fact);
        }
    }
    facts
}

/// Checks a note.
///
/// Errors: longer than [`NOTE_BYTES_MAX`].
pub fn check_note(note: &str) -> Result<()> {
    if note.len() <= NOTE_BYTES_MAX {
        return Ok(());
    }
    let what = format!("a note has {} bytes; at most {NOTE_BYTES_MAX} are kept", note.len());
    Err(fail::usage(what).hint("keep a long text as a file of the project, and name it in the note").into())
}

/// Checks a tag, and that a version that has it has not too many.
///
/// Errors: a name that could not name a model, a value longer than [`TAG_BYTES_MAX`], more than [`TAGS_MAX`] tags.
pub fn check_tag(name: &str, value: &str, tags: usize) -> Result<()> {
    names::check("tag", name)?;
    if value.len() > TAG_BYTES_MAX {
        let what = format!("tag `{name}` has a value of {} bytes; at most {TAG_BYTES_MAX} are kept", value.len());
        return Err(fail::usage(what).hint("a tag is a word or two; a sentence belongs into the note").into());
    }
    if tags > TAGS_MAX {
        return Err(fail::usage(format!("a version may have {TAGS_MAX} tags")).into());
    }
    Ok(())
}

impl Repo {
    /// Everything said of versions of a model after they were registered, oldest first.
    pub fn marks(&self, model: &str) -> Result<Vec<VersionMark>> {
        names::check("model", model)?;
        lines::read(self.layout(), &RefKind::Mark.file(model))
    }

    /// What is said of every version of a model now: state, note, tags.
    ///
    /// Errors: no model of that name.
    pub fn version_facts(&self, model: &str) -> Result<BTreeMap<u32, VersionFacts>> {
        Ok(facts(&self.model_versions(model)?, &self.marks(model)?))
    }

    /// State of one version; pending for one that is not there.
    pub fn version_state(&self, model: &str, version: u32) -> Result<VersionState> {
        let marks = self.marks(model)?;
        let of_state = marks.iter().rev().filter(|mark| mark.version == version);
        let last = of_state.filter_map(|mark| match mark.fact {
            Fact::State { to, .. } => Some(to),
            _ => None,
        });
        Ok(last.into_iter().next().unwrap_or_default())
    }
}
