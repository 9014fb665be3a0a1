//! What every verb is handed beside its options: time, voice, identity.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::clock::{Clock, Timestamp};
use crate::base::hash::hash;
use crate::base::host;
use crate::base::id::{ObjectId, RunId};
use crate::base::talk::Talk;
use crate::ops::check::Check;
use crate::ops::hooks::Hooks;
use crate::record::run::{CodeState, RunStart};
use crate::repo::refs::Actor;

/// Version of this tool, part of every stage key and run.
pub const TOOL_VERSION: &str = env!("CARGO_PKG_VERSION");

/// The surroundings of one verb.
#[derive(Clone)]
pub struct OpCtx<'a> {
    /// Where the present comes from.
    pub clock: Clock,
    /// Who hears progress and notes.
    pub talk: &'a dyn Talk,
    /// Words of the command line.
    pub command: &'a [String],
    /// The one source of chance.
    pub seed: u64,
    /// The stage of the project file that this verb executes, with the hash of its inputs.
    pub stage: Option<(String, ObjectId)>,
    /// Variables of the environment with credentials, endpoints and proxies (`source::wants_variable`).
    pub variables: &'a BTreeMap<String, String>,
    /// Whether everything that needs a network is refused.
    pub offline: bool,
    /// What is settled about hooks.
    pub hooks: Hooks,
    /// How a package is tried with the server before it is registered; not at all when absent.
    pub check: Option<Check>,
}

impl OpCtx<'_> {
    /// Who acts, for the audit log and for processes that wait.
    pub fn actor(&self) -> Actor {
        Actor { user: host::user_name(), host: host::host_name(), command: self.command.join(" ") }
    }

    /// The start of a run of kind `kind`, with an identity nobody else has.
    pub fn run_start(&self, kind: &str, root: &Path) -> RunStart {
        let started = self.clock.now();
        RunStart {
            id: new_run_id(started.as_micros()),
            kind: kind.to_owned(),
            stage: self.stage.as_ref().map(|(name, _)| name.clone()),
            stage_key: self.stage.as_ref().map(|(_, key)| *key),
            started,
            command: self.command.to_vec(),
            code: code_state(root),
            seed: self.seed,
            tool_version: TOOL_VERSION.to_owned(),
            host: host::host_name(),
            user: host::user_name(),
        }
    }
}

/// The start of a run of kind `kind` inside `outer`: an identity and a time of its own, everything else the same. Cheaper than
/// [`OpCtx::run_start`], which asks git.
pub fn inner_start(outer: &RunStart, kind: &str, now: Timestamp) -> RunStart {
    let started = now.max(outer.started);
    RunStart { id: new_run_id(started.as_micros()), kind: kind.to_owned(), started, ..outer.clone() }
}

/// Hashes time, process, host and a counter: unique among all runs without asking anybody.
fn new_run_id(micros: i64) -> RunId {
    static DRAWN: AtomicU64 = AtomicU64::new(0);
    let drawn = DRAWN.fetch_add(1, Ordering::Relaxed);
    // The address of a fresh allocation differs between processes that share time and number in a container.
    let place = std::ptr::from_ref(&*Box::new(0_u8)) as usize;
    let words = format!("{micros} {} {drawn} {place} {}", std::process::id(), host::host_name());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hash(words.as_bytes()).as_bytes()[..8]);
    RunId::new(bytes)
}

/// Commit and cleanliness of the git checkout around `root`; `None` outside of one or without git.
pub fn code_state(root: &Path) -> Option<CodeState> {
    if !root.ancestors().any(|folder| folder.join(".git").exists()) {
        return None;
    }
    let git = |words: &[&str]| {
        let output = Command::new("git").arg("-C").arg(root).args(words).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let commit = git(&["rev-parse", "HEAD"])?;
    let dirty = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(CodeState { commit, dirty })
}
